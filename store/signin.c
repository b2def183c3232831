#include "store/signin.h"

#include "store/inside.h"

static const char SQL_SIGN_IN_PUT[] =
    "INSERT INTO sign_in (tenant_id, connection_id, state_hash, redirect_uri, begun_ms, "
    "expires_ms) VALUES ($1, $2, $3, $4, $5, $6) "
    "ON CONFLICT (tenant_id, connection_id) DO UPDATE SET state_hash = excluded.state_hash, "
    "redirect_uri = excluded.redirect_uri, begun_ms = excluded.begun_ms, "
    "expires_ms = excluded.expires_ms";

enum fail sign_in_put(struct tx *tx, const struct store_sign_in *sign_in, struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_SIGN_IN_PUT);

    stmt_bind_i64(stmt, 2, sign_in->connection_id);
    stmt_bind_blob(stmt, 3, sign_in->state_hash, SHA256_BYTES);
    stmt_bind_str(stmt, 4, sign_in->redirect_uri);
    stmt_bind_i64(stmt, 5, sign_in->begun_ms);
    stmt_bind_i64(stmt, 6, sign_in->expires_ms);
    return stmt_run(stmt, err);
}

static enum fail read_sign_in(const struct stmt *stmt, struct arena *arena, void *row,
                              struct error *err)
{
    struct str hash = stmt_blob(stmt, 1);
    struct store_sign_in *sign_in = row;

    if (hash.len != SHA256_BYTES) {
        return store_damaged(err, "the hash of a sign-in has another length");
    }
    *sign_in = (struct store_sign_in){.connection_id = stmt_i64(stmt, 0),
                                      .redirect_uri = arena_str(arena, stmt_str(stmt, 2)),
                                      .begun_ms = stmt_i64(stmt, 3),
                                      .expires_ms = stmt_i64(stmt, 4)};
    memcpy(sign_in->state_hash, hash.at, SHA256_BYTES);
    return OK;
}

static const char SQL_SIGN_IN_BY_STATE[] =
    "SELECT connection_id, state_hash, redirect_uri, begun_ms, expires_ms FROM sign_in "
    "WHERE tenant_id = $1 AND state_hash = $2";

enum fail sign_in_by_state(struct tx *tx, const uint8_t state_hash[SHA256_BYTES],
                           struct arena *arena, struct store_sign_in *ret, bool *ret_found,
                           struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_SIGN_IN_BY_STATE);

    stmt_bind_blob(stmt, 2, state_hash, SHA256_BYTES);
    return stmt_one(stmt, read_sign_in, arena, ret, ret_found, err);
}

static const char SQL_SIGN_IN_REMOVE[] =
    "DELETE FROM sign_in WHERE tenant_id = $1 AND state_hash = $2";

enum fail sign_in_remove(struct tx *tx, const uint8_t state_hash[SHA256_BYTES], bool *ret_found,
                         struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_SIGN_IN_REMOVE);

    stmt_bind_blob(stmt, 2, state_hash, SHA256_BYTES);
    if (stmt_run(stmt, err) != OK) {
        return err->code;
    }
    *ret_found = stmt_changes(stmt) == 1;
    return OK;
}
