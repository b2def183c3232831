#include "cli/check.h"

#include <stdio.h>

#include "cli/inspection.h"
#include "cli/signing.h"

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

/* One row a finding, "ok" for a kind without one. A warning is shown and refuses nothing. */
static void check_kind(struct wire *wire, size_t index, struct str kind,
                       const struct finding *findings, size_t count, struct table *table,
                       bool *is_fine)
{
    struct str connection = wire->config.connections[index].name;
    struct str what = arena_printf(&wire->arena, "%" PRI_STR ": mapping of %" PRI_STR,
                                   STR_ARG(connection), STR_ARG(kind));
    struct error err = {0};

    for (size_t i = 0; i < count; i++) {
        const struct finding *finding = &findings[i];

        if (!str_equal(finding->connection, connection) ||
            !str_equal(finding->mapping->kind->name, kind)) {
            continue;
        }
        error_set(&err, FAIL_CONFIG, "%s%s:%d:%d: %" PRI_STR,
                  finding->is_error ? "" : "warning: ", finding->file, finding->line,
                  finding->column, STR_ARG(finding->message));
        error_hint(&err, "%" PRI_STR, STR_ARG(finding->hint));
        check_row(table, what, &err);
        *is_fine = *is_fine && !finding->is_error;
    }
    if (err.code == OK) {
        check_row(table, what, &err);
    }
}

static void check_mappings(struct wire *wire, size_t index, struct table *table, bool *is_fine)
{
    const struct connection_settings *settings = &wire->config.connections[index];
    bool *open = ARENA_ARRAY(&wire->arena, bool, wire->connections_count + 1);
    struct finding *findings;
    struct error err = {0};
    size_t count;

    open[index] = true;
    if (inspection_run(wire, open, &findings, &count, &err) != OK) {
        check_row(table,
                  arena_printf(&wire->arena, "%" PRI_STR ": mappings", STR_ARG(settings->name)),
                  &err);
        *is_fine = false;
        return;
    }
    for (size_t i = 0; i < settings->kinds_count; i++) {
        check_kind(wire, index, settings->kinds[i], findings, count, table, is_fine);
    }
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

/* Fine, since the CRM has just taken it: only until when. */
static void check_sign_in(struct wire *wire, size_t index, struct table *table)
{
    AUTO_TX struct tx *tx = NULL;
    struct error err = {0};
    struct str name = wire->config.connections[index].name;

    if (wire_begin(wire, &tx, &err) == OK) {
        table_row(table);
        table_text(table, arena_printf(&wire->arena, "%" PRI_STR ": sign-in", STR_ARG(name)));
        table_text(table, signing_shown(wire, tx, index, &wire->connections[index].row));
        table_text(table, STR(""));
    }
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
    if (wire->config.auths[index].is_used) {
        check_sign_in(wire, index, table);
    }
    check_mappings(wire, index, table, is_fine);
}
