/* crmsync erase: a person goes, here and where that is ordered at the CRMs. */
#include <stdio.h>
#include <stdlib.h>

#include "api/find.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/running.h"
#include "core/alloc.h"
#include "store/audit.h"
#include "sync/erase.h"

struct erase_wish {
    struct str person;
    const char *kind, *id; /* else */
    bool at_crms, dry_run, yes, list, resume;
    int64_t lift;
};

/* --- what was done ------------------------------------------------------------------------------------------- */

static json_t *receipt_json(const struct erase_receipt *receipt, struct str uuid, bool is_dry)
{
    const struct erased *here = &receipt->here;
    json_t *places = json_array();

    for (size_t i = 0; i < receipt->places_count; i++) {
        const struct erase_place *place = &receipt->places[i];

        json_array_append_new(places, json_pack("{s:s,s:b,s:i}", "connection", place->connection,
                                                "final", place->is_final ? 1 : 0, "bin_days",
                                                place->is_final ? 0 : place->bin_days));
    }
    return json_pack(
        "{s:b,s:I,s:o,s:o,s:{s:I,s:I,s:I,s:I,s:I,s:I,s:I},s:b}", "dry_run", is_dry ? 1 : 0,
        "erasure", (json_int_t)receipt->erasure_id, "record", json_text(uuid), "at_crms", places,
        "here", "records", (json_int_t)here->records, "links", (json_int_t)here->links, "journal",
        (json_int_t)here->journal, "conflicts", (json_int_t)here->conflicts, "failures",
        (json_int_t)here->failures, "hints", (json_int_t)here->hints, "others",
        (json_int_t)here->others, "log_wiped", receipt->is_log_wiped ? 1 : 0);
}

static void print_receipt(const struct cli *cli, const struct erase_receipt *receipt,
                          struct str uuid, bool is_dry)
{
    const struct erased *here = &receipt->here;

    if (cli->json) {
        print_json(receipt_json(receipt, uuid, is_dry));
        return;
    }
    printf("%s: %lld records, %lld links, %lld journal entries, %lld conflicts, %lld failures, "
           "%lld other rows\n",
           is_dry ? "would be erased here" : "erased here", (long long)here->records,
           (long long)here->links, (long long)here->journal, (long long)here->conflicts,
           (long long)here->failures, (long long)(here->hints + here->others));
    if (is_dry) {
        printf("nothing was done; with --yes it is\n");
        return;
    }
    for (size_t i = 0; i < receipt->places_count; i++) {
        const struct erase_place *place = &receipt->places[i];

        if (place->is_final) {
            printf("erased at '%s', for good\n", place->connection);
        } else {
            printf("deleted at '%s'; empty its bin, or it stays there for %d days\n",
                   place->connection, place->bin_days);
        }
    }
    if (!receipt->is_log_wiped) {
        printf(
            "another process reads the store; its log is wiped by the next command that writes\n");
    }
    printf(
        "backups, plans and exports from before still hold the person: remove them\n"
        "erasure %lld keeps the person from coming back; 'crmsync erase --lift %lld' ends that\n",
        (long long)receipt->erasure_id, (long long)receipt->erasure_id);
}

/* --- who ----------------------------------------------------------------------------------------------------- */

static enum fail find_person(struct wire *wire, const struct erase_wish *wish,
                             struct store_record *ret, struct error *err)
{
    AUTO_TX struct tx *tx = NULL;
    const struct kind *kind;
    struct str name = wish->person.len ? STR("contact") : str_of(wish->kind);
    struct str text = wish->person.len ? wish->person : str_of(wish->id);

    if (kind_named(&wire->config.kinds, name, &kind, err) != OK ||
        wire_begin(wire, &tx, err) != OK ||
        record_named(tx, kind, text, &wire->arena, ret, err) != OK) {
        return err->code;
    }
    return tx_commit(&tx, err);
}

/* With sessions where the CRMs are to be asked, else with the store alone. */
static enum fail start(struct cli *cli, bool with_crms, struct running **ret, struct error *err)
{
    static const struct sync_options OPTIONS = {
        .command = "erase", .connection = {.at = "", .len = 0}, .wait_max_ms = 5 * 60 * 1000};
    struct running *running;

    if (with_crms) {
        return running_start(cli, RUNNING_ON_STORE, "crmsync erase", &OPTIONS, ret, err);
    }
    running = alloc_new(1, sizeof *running);
    if (wire_store(cli, STORE_WRITE, "crmsync erase", &running->wire, err) != OK) {
        running_free(running);
        return err->code;
    }
    running->sync = (struct sync){.env = cli->env,
                                  .store = running->wire.store,
                                  .tenant_id = running->wire.tenant_id,
                                  .settings = &running->wire.config.settings};
    *ret = running;
    return OK;
}

static enum fail erase_found(struct running *running, const struct erase_wish *wish,
                             struct error *err)
{
    struct wire *wire = &running->wire;
    struct erase_receipt *receipt = arena_alloc(&wire->arena, 1, sizeof *receipt);
    const char *path = arena_cstr(&wire->arena, wire->config.store_path);
    struct store_record record;

    if (find_person(wire, wish, &record, err) != OK ||
        (wish->yes ? erase_person(&running->sync, &record, wish->at_crms, path, receipt, err)
                   : erase_rehearse(&running->sync, &record, receipt, err)) != OK) {
        return err->code;
    }
    print_receipt(wire->cli, receipt, record.uuid, !wish->yes);
    return OK;
}

static enum fail resume(struct running *running, struct error *err)
{
    int64_t done = 0;

    if (erase_resume(&running->sync, &done, err) != OK) {
        return err->code;
    }
    printf("%lld erasures carried out\n", (long long)done);
    return OK;
}

/* --- list and lift ------------------------------------------------------------------------------------------- */

static enum fail list_erasures(struct running *running, struct error *err)
{
    static const char *const NAMES[] = {"id",    "kind",  "record",  "at_crms",
                                        "state", "asked", "refused", NULL};
    struct wire *wire = &running->wire;
    AUTO_TX struct tx *tx = NULL;
    struct erasure *erasures;
    struct table *table;
    size_t count;

    if (wire_begin(wire, &tx, err) != OK ||
        erasure_list(tx, &wire->arena, &erasures, &count, err) != OK) {
        return err->code;
    }
    table = table_new(wire->cli, NAMES);
    for (size_t i = 0; i < count; i++) {
        table_row(table);
        table_number(table, erasures[i].id);
        table_text(table, erasures[i].kind);
        table_text(table, erasures[i].record_uuid);
        table_text(table, erasures[i].at_crms ? STR("yes") : STR("no"));
        table_text(table, str_of(erasure_state_name(erasures[i].state)));
        table_text(table, time_text(&wire->arena, erasures[i].asked_ms));
        table_number(table, erasures[i].refused);
    }
    table_print(table, "nobody was erased");
    return tx_commit(&tx, err);
}

static enum fail lift(struct running *running, int64_t id, struct error *err)
{
    struct wire *wire = &running->wire;
    AUTO_TX struct tx *tx = NULL;
    const struct audit_note note = {.action = "person.erasure-lifted",
                                    .subject =
                                        arena_printf(&wire->arena, "erasure %lld", (long long)id)};

    if (wire_begin(wire, &tx, err) != OK || erasure_lift(tx, id, err) != OK ||
        audit_put(tx, &note, err) != OK || tx_commit(&tx, err) != OK) {
        return err->code;
    }
    printf("the person may come back: with the next complete listing, where a CRM still has it\n");
    return OK;
}

/* --- the command --------------------------------------------------------------------------------------------- */

static enum fail carry_out(struct running *running, const struct erase_wish *wish,
                           struct error *err)
{
    if (wish->list) {
        return list_erasures(running, err);
    }
    if (wish->lift) {
        return lift(running, wish->lift, err);
    }
    return wish->resume ? resume(running, err) : erase_found(running, wish, err);
}

static int check_wish(const struct usage *usage, const struct erase_wish *wish, int count)
{
    int ways = (wish->person.len > 0) + (count > 0) + wish->list + wish->resume + (wish->lift > 0);

    if (ways != 1 || count == 1) {
        return usage_error(usage, "give KIND and ID, or one of --person, --list, --lift, --resume");
    }
    if (wish->yes && wish->dry_run) {
        return usage_error(usage, "--yes and --dry-run contradict each other");
    }
    return EXIT_DONE;
}

static int run_erase(struct cli *cli, const struct erase_wish *wish)
{
    struct running *running = NULL;
    struct error err = {0};
    bool with_crms = wish->resume || (wish->at_crms && wish->yes);
    enum fail failed = start(cli, with_crms, &running, &err);

    failed = failed ? failed : carry_out(running, wish, &err);
    running_free(running);
    return failed ? cli_fail(cli, &err) : EXIT_DONE;
}

int command_erase(struct cli *cli, int argc, char **argv)
{
    struct erase_wish wish = {.person = STR("")};
    int count;
    const struct option_spec options[] = {
        {.name = "person",
         .argument = "EMAIL",
         .help = "the contact with this address (or id)",
         .type = OPTION_TEXT,
         .target = &wish.person},
        {.name = "at-crms",
         .help = "also delete its objects at the CRMs, for good where their API can",
         .type = OPTION_FLAG,
         .target = &wish.at_crms},
        {.name = "yes",
         .help = "do it; without this it is only said",
         .type = OPTION_FLAG,
         .target = &wish.yes},
        {.name = "dry-run",
         .help = "only say what would be erased (as without --yes)",
         .type = OPTION_FLAG,
         .target = &wish.dry_run},
        {.name = "resume",
         .help = "carry out orders that were interrupted",
         .type = OPTION_FLAG,
         .target = &wish.resume},
        {.name = "list",
         .help = "who was erased, by record id, and how often that kept something out",
         .type = OPTION_FLAG,
         .target = &wish.list},
        {.name = "lift",
         .argument = "N",
         .help = "let the person of erasure N come back",
         .type = OPTION_NUMBER,
         .target = &wish.lift,
         .least = 1},
        {0}};
    const struct usage usage = {
        .synopsis = "crmsync erase KIND ID | --person EMAIL [--at-crms] --yes",
        .about = "Erases every copy of what the store holds of a person: fields, bases, history, "
                 "conflicts, failures, hints. What stays is\nthat there was a record, by its id, "
                 "and keyed digests that keep the person from being read in again.\n\n"
                 "  crmsync export --person ann@example.com -o ann.json   what is known of her?\n"
                 "  crmsync erase --person ann@example.com                what would go?\n"
                 "  crmsync erase --person ann@example.com --at-crms --yes",
        .options = options,
        .arguments_max = 2};
    enum parsed parsed = options_parse(cli, &usage, argc, argv, &count);

    if (parsed != PARSED_OK) {
        return parsed == PARSED_DONE ? EXIT_DONE : EXIT_USAGE;
    }
    if (check_wish(&usage, &wish, count) != EXIT_DONE) {
        return EXIT_USAGE;
    }
    wish.kind = count == 2 ? argv[1] : "";
    wish.id = count == 2 ? argv[2] : "";
    return run_erase(cli, &wish);
}
