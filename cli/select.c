#include "cli/select.h"

#include <stdio.h>

#include "api/find.h"
#include "cli/wire.h"
#include "cli/options.h"
#include "cli/output.h"
#include "store/link.h"
#include "store/selection.h"
#include "store/stream.h"

/* --- the four verbs ------------------------------------------------------------------------------------------------------------ */

static enum fail find_by_uuid(struct wire *wire, struct tx *tx, const char *uuid,
                              struct store_record *ret, struct error *err)
{
    bool found;

    if (record_by_uuid(tx, str_of(uuid), &wire->arena, ret, &found, err) != OK) {
        return err->code;
    }
    if (!found) {
        error_set(err, FAIL_RECORD, "no record '%s'", uuid);
        return error_hint(err, "give the whole id, as 'crmsync records list KIND' shows it");
    }
    return OK;
}

/* The pair is looked at again by the next sync. */
static enum fail mark_dirty(struct wire *wire, struct tx *tx, const struct store_connection *row,
                            const struct store_record *record, struct error *err)
{
    struct store_link link;
    bool found;

    if (link_by_record(tx, row->id, record->id, &wire->arena, &link, &found, err) != OK) {
        return err->code;
    }
    return found ? dirty_put(tx, row->id, record->kind, link.remote_id, err) : OK;
}

static enum fail change_selection(struct wire *wire, struct tx *tx, int64_t connection_id,
                                  const struct store_record *record,
                                  const enum selection_mode *mode, struct error *err)
{
    struct store_selection selection = {.connection_id = connection_id,
                                        .record_id = record->id,
                                        .set_ms = clock_wall_ms(wire->cli->env->clock)};
    bool removed;

    if (mode) {
        selection.mode = *mode;
        return selection_put(tx, &selection, err);
    }
    if (selection_remove(tx, connection_id, record->id, &removed, err) != OK) {
        return err->code;
    }
    return removed ? OK
                   : error_set(err, FAIL_RECORD, "record %" PRI_STR " is not selected there",
                               STR_ARG(record->uuid));
}

/* mode NULL: the filter decides again. */
static enum fail select_record(struct wire *wire, const char *uuid, const char *connection,
                               const enum selection_mode *mode, struct error *err)
{
    AUTO_TX struct tx *tx = NULL;
    struct store_record record;
    struct store_connection row;
    size_t index;

    if (wire_find(wire, str_of(connection), &index, err) != OK ||
        wire_begin(wire, &tx, err) != OK ||
        connection_ensure(tx, str_of(connection),
                          str_of(wire->config.connections[index].adapter->name), &wire->arena, &row,
                          err) != OK ||
        find_by_uuid(wire, tx, uuid, &record, err) != OK ||
        change_selection(wire, tx, row.id, &record, mode, err) != OK ||
        mark_dirty(wire, tx, &row, &record, err) != OK) {
        return err->code;
    }
    return tx_commit(&tx, err);
}

static int run_select(struct cli *cli, const struct usage *usage, const enum selection_mode *mode,
                      const char *done, int argc, char **argv)
{
    AUTO_WIRE struct wire wire = {0};
    struct error err = {0};
    int count;
    enum parsed parsed = options_parse(cli, usage, argc, argv, &count);

    if (parsed != PARSED_OK) {
        return parsed == PARSED_DONE ? EXIT_DONE : EXIT_USAGE;
    }
    if (wire_store(cli, STORE_WRITE, "crmsync records", &wire, &err) != OK ||
        select_record(&wire, argv[1], argv[2], mode, &err) != OK) {
        return cli_fail(cli, &err);
    }
    if (!cli->quiet) {
        printf("%s at %s; the next sync acts on it\n", done, argv[2]);
    }
    return EXIT_DONE;
}

int verb_include(struct cli *cli, int argc, char **argv)
{
    const enum selection_mode mode = SELECTION_INCLUDE;
    const struct option_spec options[] = {{0}};
    const struct usage usage = {
        .synopsis = "crmsync records include UUID CONNECTION",
        .about = "The record takes part at the connection, whatever the filter says.",
        .options = options,
        .arguments_min = 2,
        .arguments_max = 2};

    return run_select(cli, &usage, &mode, "included", argc, argv);
}

int verb_exclude(struct cli *cli, int argc, char **argv)
{
    const enum selection_mode mode = SELECTION_EXCLUDE;
    const struct option_spec options[] = {{0}};
    const struct usage usage = {
        .synopsis = "crmsync records exclude UUID CONNECTION",
        .about = "The record takes no part at the connection, whatever the filter says: it is not "
                 "created there, and an object\nthat it is linked to is neither read into it nor "
                 "written.",
        .options = options,
        .arguments_min = 2,
        .arguments_max = 2};

    return run_select(cli, &usage, &mode, "excluded", argc, argv);
}

int verb_pin(struct cli *cli, int argc, char **argv)
{
    const enum selection_mode mode = SELECTION_PIN;
    const struct option_spec options[] = {{0}};
    const struct usage usage = {
        .synopsis = "crmsync records pin UUID CONNECTION",
        .about = "The record and its object at the connection are held as they are, until "
                 "'crmsync records unselect'. Then the\nmerge goes on from where both last agreed.",
        .options = options,
        .arguments_min = 2,
        .arguments_max = 2};

    return run_select(cli, &usage, &mode, "pinned", argc, argv);
}

int verb_unselect(struct cli *cli, int argc, char **argv)
{
    const struct option_spec options[] = {{0}};
    const struct usage usage = {
        .synopsis = "crmsync records unselect UUID CONNECTION",
        .about = "Takes back include, exclude or pin: the connection's filter decides again.",
        .options = options,
        .arguments_min = 2,
        .arguments_max = 2};

    return run_select(cli, &usage, NULL, "not selected any more", argc, argv);
}

/* --- showing ------------------------------------------------------------------------------------------------------------------- */

struct str select_text(struct arena *arena, const json_t *parts)
{
    AUTO_BUF struct buf text = {0};

    buf_init(&text, 4096);
    for (size_t i = 0; i < json_array_size(parts); i++) {
        const json_t *part = json_array_get(parts, i);
        const char *selection = json_string_value(json_object_get(part, "selection"));
        bool rests = json_is_true(json_object_get(part, "resting"));

        buf_addf(&text, "%s%s: %s%s%s", i ? "; " : "",
                 json_string_value(json_object_get(part, "connection")), selection ? selection : "",
                 selection && rests ? ", " : "", rests ? "resting" : "");
    }
    return arena_str(arena, buf_str(&text));
}
