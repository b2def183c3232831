#include "store/secret.h"

#include "store/inside.h"

/* --- secrets ------------------------------------------------------------------------------------------------- */

static enum fail read_secret(const struct stmt *stmt, struct arena *arena, void *row,
                             struct error *err)
{
    (void)err;
    *(struct store_secret *)row =
        (struct store_secret){.connection_id = stmt_i64(stmt, 0),
                              .name = arena_str(arena, stmt_str(stmt, 1)),
                              .blob = arena_str(arena, stmt_blob(stmt, 2)),
                              .generation = stmt_i64(stmt, 3),
                              .sealed_ms = stmt_i64(stmt, 4)};
    return OK;
}

static const char SQL_SECRET_FIND[] =
    "SELECT connection_id, name, blob, generation, sealed_ms FROM secret "
    "WHERE tenant_id = $1 AND connection_id = $2 AND name = $3";

enum fail secret_find(struct tx *tx, int64_t connection_id, struct str name, struct arena *arena,
                      struct store_secret *ret, bool *ret_found, struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_SECRET_FIND);
    struct store_secret row = {.connection_id = connection_id, .name = name};
    bool found;

    stmt_bind_i64(stmt, 2, connection_id);
    stmt_bind_str(stmt, 3, name);
    if (stmt_one(stmt, read_secret, arena, &row, &found, err) != OK) {
        return err->code;
    }
    *ret = row;
    *ret_found = found && row.blob.len > 0;
    return OK;
}

static const char SQL_SECRET_PUT[] =
    "INSERT INTO secret (tenant_id, connection_id, name, blob, generation, sealed_ms) "
    "VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (tenant_id, connection_id, name) "
    "DO UPDATE SET blob = excluded.blob, generation = excluded.generation, "
    "sealed_ms = excluded.sealed_ms WHERE secret.generation = excluded.generation - 1";

enum fail secret_put(struct tx *tx, const struct store_secret *secret, struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_SECRET_PUT);

    stmt_bind_i64(stmt, 2, secret->connection_id);
    stmt_bind_str(stmt, 3, secret->name);
    stmt_bind_blob(stmt, 4, secret->blob.at ? secret->blob.at : "", secret->blob.len);
    stmt_bind_i64(stmt, 5, secret->generation);
    stmt_bind_i64(stmt, 6, tx_now_ms(tx));
    if (stmt_run(stmt, err) != OK) {
        return err->code;
    }
    if (stmt_changes(stmt) != 1) {
        return error_set(err, FAIL_STALE, "secret '%" PRI_STR "' was replaced meanwhile",
                         STR_ARG(secret->name));
    }
    return OK;
}

static const char SQL_SECRET_RESEAL[] =
    "UPDATE secret SET blob = $4 WHERE tenant_id = $1 AND connection_id = $2 AND name = $3 "
    "AND generation = $5";

enum fail secret_reseal(struct tx *tx, const struct store_secret *secret, struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_SECRET_RESEAL);

    stmt_bind_i64(stmt, 2, secret->connection_id);
    stmt_bind_str(stmt, 3, secret->name);
    stmt_bind_blob(stmt, 4, secret->blob.at, secret->blob.len);
    stmt_bind_i64(stmt, 5, secret->generation);
    return stmt_run_on_one(stmt, "secret of connection", secret->connection_id, err);
}

static const char SQL_SECRET_REMOVE[] =
    "UPDATE secret SET blob = $4, generation = generation + 1, sealed_ms = $5 "
    "WHERE tenant_id = $1 AND connection_id = $2 AND name = $3 AND length(blob) > 0";

enum fail secret_remove(struct tx *tx, int64_t connection_id, struct str name, bool *ret_found,
                        struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_SECRET_REMOVE);

    stmt_bind_i64(stmt, 2, connection_id);
    stmt_bind_str(stmt, 3, name);
    stmt_bind_blob(stmt, 4, "", 0);
    stmt_bind_i64(stmt, 5, tx_now_ms(tx));
    if (stmt_run(stmt, err) != OK) {
        return err->code;
    }
    *ret_found = stmt_changes(stmt) == 1;
    return OK;
}

static const char SQL_SECRET_LIST[] =
    "SELECT connection_id, name, blob, generation, sealed_ms FROM secret "
    "WHERE tenant_id = $1 AND length(blob) > 0 ORDER BY connection_id, name";

enum fail secret_list(struct tx *tx, struct arena *arena, struct store_secret **ret,
                      size_t *ret_count, struct error *err)
{
    struct rows rows;

    if (stmt_all(tx_stmt(tx, SQL_SECRET_LIST), read_secret, sizeof **ret, arena, &rows, err) !=
        OK) {
        return err->code;
    }
    *ret = rows.at;
    *ret_count = rows.count;
    return OK;
}

/* --- data keys ----------------------------------------------------------------------------------------------- */

static enum fail read_data_key(const struct stmt *stmt, struct arena *arena, void *row,
                               struct error *err)
{
    (void)err;
    *(struct store_data_key *)row =
        (struct store_data_key){.id = arena_str(arena, stmt_str(stmt, 0)),
                                .wrapped = arena_str(arena, stmt_blob(stmt, 1)),
                                .created_ms = stmt_i64(stmt, 2),
                                .uses = stmt_i64(stmt, 3),
                                .retired_ms = stmt_i64(stmt, 4)};
    return OK;
}

static const char SQL_DATA_KEY_FIND[] =
    "SELECT id, wrapped, created_ms, uses, retired_ms FROM data_key "
    "WHERE tenant_id = $1 AND (id = $2 OR ($2 = '' AND retired_ms = 0))";

enum fail data_key_find(struct tx *tx, struct str id, struct arena *arena,
                        struct store_data_key *ret, bool *ret_found, struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_DATA_KEY_FIND);

    stmt_bind_str(stmt, 2, id);
    return stmt_one(stmt, read_data_key, arena, ret, ret_found, err);
}

static const char SQL_DATA_KEY_LIST[] =
    "SELECT id, wrapped, created_ms, uses, retired_ms FROM data_key WHERE tenant_id = $1 "
    "ORDER BY created_ms, retired_ms = 0, id";

enum fail data_key_list(struct tx *tx, struct arena *arena, struct store_data_key **ret,
                        size_t *ret_count, struct error *err)
{
    struct rows rows;

    if (stmt_all(tx_stmt(tx, SQL_DATA_KEY_LIST), read_data_key, sizeof **ret, arena, &rows, err) !=
        OK) {
        return err->code;
    }
    *ret = rows.at;
    *ret_count = rows.count;
    return OK;
}

static const char SQL_DATA_KEY_RETIRE[] =
    "UPDATE data_key SET retired_ms = $2 WHERE tenant_id = $1 AND retired_ms = 0";

static enum fail retire(struct tx *tx, struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_DATA_KEY_RETIRE);

    stmt_bind_i64(stmt, 2, tx_now_ms(tx));
    return stmt_run(stmt, err);
}

static const char SQL_DATA_KEY_INSERT[] =
    "INSERT INTO data_key (tenant_id, id, wrapped, created_ms, uses, retired_ms) "
    "VALUES ($1, $2, $3, $4, 0, 0)";

enum fail data_key_add(struct tx *tx, struct str id, struct str wrapped, struct error *err)
{
    struct stmt *stmt;

    if (retire(tx, err) != OK) {
        return err->code;
    }
    stmt = tx_stmt(tx, SQL_DATA_KEY_INSERT);
    stmt_bind_str(stmt, 2, id);
    stmt_bind_blob(stmt, 3, wrapped.at ? wrapped.at : "", wrapped.len);
    stmt_bind_i64(stmt, 4, tx_now_ms(tx));
    return stmt_run(stmt, err);
}

/* Exactly one row, or the id did not come from here. */
static enum fail run_on_key(struct stmt *stmt, struct str id, struct error *err)
{
    stmt_bind_str(stmt, 2, id);
    if (stmt_run(stmt, err) != OK) {
        return err->code;
    }
    return stmt_changes(stmt) == 1
               ? OK
               : error_set(err, FAIL_BUG, "the store has no data key '%" PRI_STR "'", STR_ARG(id));
}

static const char SQL_DATA_KEY_USE[] =
    "UPDATE data_key SET uses = uses + 1 WHERE tenant_id = $1 AND id = $2";

enum fail data_key_use(struct tx *tx, struct str id, struct error *err)
{
    return run_on_key(tx_stmt(tx, SQL_DATA_KEY_USE), id, err);
}

static const char SQL_DATA_KEY_REMOVE[] = "DELETE FROM data_key WHERE tenant_id = $1 AND id = $2";

enum fail data_key_remove(struct tx *tx, struct str id, struct error *err)
{
    return run_on_key(tx_stmt(tx, SQL_DATA_KEY_REMOVE), id, err);
}
