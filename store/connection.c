#include "store/connection.h"

#include "store/inside.h"

#define CONNECTION_COLUMNS                                                                         \
    "id, name, adapter, state, reason, account_id, account_title, clock_offset_ms, changed_ms"

static enum fail read_connection(const struct stmt *stmt, struct arena *arena, void *row,
                                 struct error *err)
{
    (void)err;
    *(struct store_connection *)row =
        (struct store_connection){.id = stmt_i64(stmt, 0),
                                  .name = arena_str(arena, stmt_str(stmt, 1)),
                                  .adapter = arena_str(arena, stmt_str(stmt, 2)),
                                  .state = (enum connection_state)stmt_i64(stmt, 3),
                                  .reason = arena_str(arena, stmt_str(stmt, 4)),
                                  .account_id = arena_str(arena, stmt_str(stmt, 5)),
                                  .account_title = arena_str(arena, stmt_str(stmt, 6)),
                                  .clock_offset_ms = stmt_i64(stmt, 7),
                                  .changed_ms = stmt_i64(stmt, 8)};
    return OK;
}

static const char SQL_CONNECTION_INSERT[] =
    "INSERT INTO connection (tenant_id, name, adapter, state, reason, account_id, account_title, "
    "clock_offset_ms, changed_ms) VALUES ($1, $2, $3, 0, '', '', '', 0, $4)";

static enum fail insert(struct tx *tx, struct str name, struct str adapter, struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_CONNECTION_INSERT);

    stmt_bind_str(stmt, 2, name);
    stmt_bind_str(stmt, 3, adapter);
    stmt_bind_i64(stmt, 4, tx_now_ms(tx));
    return stmt_run(stmt, err);
}

enum fail connection_ensure(struct tx *tx, struct str name, struct str adapter, struct arena *arena,
                            struct store_connection *ret, struct error *err)
{
    struct store_connection row;
    bool found;

    if (connection_by_name(tx, name, arena, &row, &found, err) != OK ||
        (!found && (insert(tx, name, adapter, err) != OK ||
                    connection_by_name(tx, name, arena, &row, &found, err) != OK))) {
        return error_wrap(err, "connection '%" PRI_STR "'", STR_ARG(name));
    }
    if (!str_equal(row.adapter, adapter)) {
        error_set(err, FAIL_CONFIG,
                  "connection '%" PRI_STR "' was made for %" PRI_STR ", not for %" PRI_STR,
                  STR_ARG(name), STR_ARG(row.adapter), STR_ARG(adapter));
        return error_hint(err, "give the new connection another name");
    }
    *ret = row;
    return OK;
}

static const char SQL_CONNECTION_BY_NAME[] =
    "SELECT " CONNECTION_COLUMNS " FROM connection WHERE tenant_id = $1 AND name = $2";

enum fail connection_by_name(struct tx *tx, struct str name, struct arena *arena,
                             struct store_connection *ret, bool *ret_found, struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_CONNECTION_BY_NAME);

    stmt_bind_str(stmt, 2, name);
    return stmt_one(stmt, read_connection, arena, ret, ret_found, err);
}

static const char SQL_CONNECTION_BY_ID[] =
    "SELECT " CONNECTION_COLUMNS " FROM connection WHERE tenant_id = $1 AND id = $2";

enum fail connection_by_id(struct tx *tx, int64_t id, struct arena *arena,
                           struct store_connection *ret, bool *ret_found, struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_CONNECTION_BY_ID);

    stmt_bind_i64(stmt, 2, id);
    return stmt_one(stmt, read_connection, arena, ret, ret_found, err);
}

static const char SQL_CONNECTION_LIST[] =
    "SELECT " CONNECTION_COLUMNS " FROM connection WHERE tenant_id = $1 ORDER BY name";

enum fail connection_list(struct tx *tx, struct arena *arena, struct store_connection **ret,
                          size_t *ret_count, struct error *err)
{
    struct rows rows;

    if (stmt_all(tx_stmt(tx, SQL_CONNECTION_LIST), read_connection, sizeof **ret, arena, &rows,
                 err) != OK) {
        return err->code;
    }
    *ret = rows.at;
    *ret_count = rows.count;
    return OK;
}

static const char SQL_CONNECTION_STATE_SET[] = "UPDATE connection SET state = $2, reason = $3, "
                                               "changed_ms = $4 WHERE tenant_id = $1 AND id = $5";

enum fail connection_state_set(struct tx *tx, int64_t id, enum connection_state state,
                               struct str reason, struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_CONNECTION_STATE_SET);

    stmt_bind_i64(stmt, 2, state);
    stmt_bind_str(stmt, 3, reason);
    stmt_bind_i64(stmt, 4, tx_now_ms(tx));
    stmt_bind_i64(stmt, 5, id);
    return stmt_run_on_one(stmt, "connection", id, err);
}

static const char SQL_CONNECTION_ACCOUNT_SET[] =
    "UPDATE connection SET account_id = $2, account_title = $3, changed_ms = $4 "
    "WHERE tenant_id = $1 AND id = $5";

enum fail connection_account_set(struct tx *tx, int64_t id, struct str account_id, struct str title,
                                 struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_CONNECTION_ACCOUNT_SET);

    stmt_bind_str(stmt, 2, account_id);
    stmt_bind_str(stmt, 3, title);
    stmt_bind_i64(stmt, 4, tx_now_ms(tx));
    stmt_bind_i64(stmt, 5, id);
    return stmt_run_on_one(stmt, "connection", id, err);
}

static const char SQL_CONNECTION_CLOCK_SET[] =
    "UPDATE connection SET clock_offset_ms = $2, changed_ms = $3 WHERE tenant_id = $1 AND id = $4";

enum fail connection_clock_set(struct tx *tx, int64_t id, int64_t offset_ms, struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_CONNECTION_CLOCK_SET);

    stmt_bind_i64(stmt, 2, offset_ms);
    stmt_bind_i64(stmt, 3, tx_now_ms(tx));
    stmt_bind_i64(stmt, 4, id);
    return stmt_run_on_one(stmt, "connection", id, err);
}

const char *connection_state_name(enum connection_state state)
{
    switch (state) {
    case CONNECTION_ACTIVE:
        return "active";
    case CONNECTION_NEEDS_AUTH:
        return "needs-auth";
    case CONNECTION_STOPPED:
        return "stopped";
    }
    return "unknown";
}
