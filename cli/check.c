#include "cli/check.h"

#include <stdio.h>

#include "core/words.h"

struct table *check_table(const struct cli *cli)
{
    static const char *const NAMES[] = {"check", "result", "try", NULL};

    return table_new(cli, NAMES);
}

void check_row(struct table *table, struct str what, const struct error *err)
{
    table_row(table);
    table_text(table, what);
    table_text(table, err->code == OK ? STR("ok") : str_of(err->message));
    table_text(table, str_of(err->code == OK ? "" : err->hint));
}

enum fail check_account(struct wire *wire, size_t index, const struct account_facts *facts,
                        struct error *err)
{
    AUTO_TX struct tx *tx = NULL;
    const struct connection_settings *settings = &wire->config.connections[index];
    struct store_connection row;

    if (wire_begin(wire, &tx, err) != OK ||
        connection_ensure(tx, settings->name, str_of(settings->adapter->name), &wire->arena, &row,
                          err) != OK) {
        return err->code;
    }
    if (row.account_id.len && facts->account_id.len &&
        !str_equal(row.account_id, facts->account_id)) {
        error_set(err, FAIL_CONNECTION,
                  "the token belongs to account %" PRI_STR ", but connection '%" PRI_STR
                  "' was linked to account %" PRI_STR,
                  STR_ARG(facts->account_id), STR_ARG(settings->name), STR_ARG(row.account_id));
        return error_hint(
            err, "use a token of that account, or give the new account a connection of its own");
    }
    if (connection_account_set(tx, row.id, facts->account_id, facts->title, err) != OK ||
        connection_state_set(tx, row.id, CONNECTION_ACTIVE, STR(""), err) != OK) {
        return err->code;
    }
    return tx_commit(&tx, err);
}

static const struct remote_property *find_property(const struct remote_schema *schema,
                                                   struct str name)
{
    for (size_t i = 0; i < schema->count; i++) {
        if (str_equal(schema->properties[i].name, name)) {
            return &schema->properties[i];
        }
    }
    return NULL;
}

/* The property that a person may have meant. */
static void suggest(struct wire *wire, const struct remote_schema *schema, struct str name,
                    struct error *err)
{
    struct str *names = ARENA_ARRAY(&wire->arena, struct str, schema->count + 1);
    size_t nearest;

    for (size_t i = 0; i < schema->count; i++) {
        names[i] = schema->properties[i].name;
    }
    nearest = word_nearest(name, names, schema->count);
    if (nearest != SIZE_MAX) {
        error_hint(err, "did you mean '%" PRI_STR "'? correct the mapping",
                   STR_ARG(names[nearest]));
    } else {
        error_hint(err, "create it at the CRM, or take the line out of the mapping");
    }
}

/* One mapped property against the CRM's schema. */
static void check_entry(struct wire *wire, const struct remote_schema *schema,
                        const struct map_entry *entry, struct error *err)
{
    const struct remote_property *property;

    if (str_starts(entry->property, STR("associations."))) {
        return; /* no property, but an association */
    }
    property = find_property(schema, entry->property);
    if (!property) {
        error_set(err, FAIL_CONFIG, "%s:%d:%d: the CRM has no property '%" PRI_STR "'", entry->file,
                  entry->line, entry->column, STR_ARG(entry->property));
        suggest(wire, schema, entry->property, err);
    } else if (!property->is_writable && entry->direction != MAP_IN) {
        error_set(err, FAIL_CONFIG, "%s:%d:%d: property '%" PRI_STR "' cannot be written",
                  entry->file, entry->line, entry->column, STR_ARG(entry->property));
        error_hint(err, "declare the field 'direction: in'");
    }
}

static void check_mapping(struct wire *wire, size_t index, struct str kind, struct table *table,
                          bool *is_fine)
{
    const struct connection_settings *settings = &wire->config.connections[index];
    const struct mapping *mapping = mapping_of(settings->mappings, kind);
    struct remote_schema schema = {0};
    struct error err = {0};
    struct str what = arena_printf(&wire->arena, "%" PRI_STR ": mapping of %" PRI_STR,
                                   STR_ARG(settings->name), STR_ARG(kind));

    if (settings->adapter->describe(wire->connections[index].session, kind.at, &wire->arena,
                                    &schema, &err) != OK) {
        check_row(table, what, &err);
        *is_fine = false;
        return;
    }
    for (size_t i = 0; i < mapping->entries_count; i++) {
        error_reset(&err);
        check_entry(wire, &schema, &mapping->entries[i], &err);
        if (err.code != OK) {
            check_row(table, what, &err);
            *is_fine = false;
            return;
        }
    }
    check_row(table, what, &err);
}

static enum fail check_credentials(struct wire *wire, size_t index, struct account_facts *ret,
                                   struct error *err)
{
    if (wire_open(wire, index, err) != OK ||
        wire->config.connections[index].adapter->check(wire->connections[index].session,
                                                       &wire->arena, ret, err) != OK) {
        return err->code;
    }
    return check_account(wire, index, ret, err);
}

void check_connection(struct wire *wire, size_t index, struct table *table, bool *is_fine)
{
    const struct connection_settings *settings = &wire->config.connections[index];
    struct account_facts facts = {0};
    struct error err = {0};

    check_credentials(wire, index, &facts, &err);
    check_row(
        table,
        arena_printf(&wire->arena, "%" PRI_STR ": token and account", STR_ARG(settings->name)),
        &err);
    if (err.code != OK) {
        *is_fine = false;
        return;
    }
    for (size_t i = 0; i < settings->kinds_count; i++) {
        check_mapping(wire, index, settings->kinds[i], table, is_fine);
    }
}
