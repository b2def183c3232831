#include "store/api_token.h"

#include "store/audit.h"
#include "store/inside.h"

static const char *const ROLES[] = {[ROLE_NONE] = "none",
                                    [ROLE_VIEWER] = "viewer",
                                    [ROLE_OPERATOR] = "operator",
                                    [ROLE_ADMIN] = "admin"};

const char *api_role_name(enum api_role role)
{
    return ROLES[role];
}

bool api_role_parse(struct str text, enum api_role *ret)
{
    for (size_t i = ROLE_VIEWER; i < COUNT_OF(ROLES); i++) {
        if (str_equal(text, str_of(ROLES[i]))) {
            *ret = (enum api_role)i;
            return true;
        }
    }
    return false;
}

static const char SQL_TOKEN_OF_NAME[] =
    "SELECT count(*) FROM api_token WHERE tenant_id = $1 AND name = $2 AND revoked_ms = 0";

static enum fail check_token(struct tx *tx, const struct store_api_token *token, struct error *err)
{
    struct stmt *stmt;
    int64_t count;

    if (token->name.len == 0 || token->name.len > API_TOKEN_NAME_BYTES_MAX) {
        return error_set(err, FAIL_CONFIG, "a token's name has 1 to %d bytes",
                         API_TOKEN_NAME_BYTES_MAX);
    }
    if (token->is_for_all && tx->tenant_id != TENANT_DEFAULT) {
        return error_set(err, FAIL_CONFIG, "a token for all tenants belongs to none of them");
    }
    stmt = tx_stmt(tx, SQL_TOKEN_OF_NAME);
    stmt_bind_str(stmt, 2, token->name);
    if (stmt_number(stmt, &count, err) != OK) {
        return err->code;
    }
    if (count) {
        error_set(err, FAIL_CONFIG, "there is a token '%" PRI_STR "' already",
                  STR_ARG(token->name));
        return error_hint(err, "take another name, or revoke that one first");
    }
    return OK;
}

static enum fail note_token(struct tx *tx, const char *action, struct str name, const char *role,
                            struct error *err)
{
    AUTO_ARENA struct arena arena = {0};
    const struct audit_detail details[] = {{"role", str_of(role)}, {0}};
    const struct audit_note note = {.action = action,
                                    .subject =
                                        arena_printf(&arena, "token %" PRI_STR, STR_ARG(name)),
                                    .details = role ? details : NULL};

    return audit_put(tx, &note, err);
}

static const char SQL_TOKEN_PUT[] =
    "INSERT INTO api_token (tenant_id, is_for_all, hash, name, role, created_ms, expires_ms, "
    "used_ms, revoked_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, 0, 0)";

enum fail api_token_put(struct tx *tx, struct store_api_token *token, struct error *err)
{
    struct stmt *stmt;

    if (check_token(tx, token, err) != OK) {
        return err->code;
    }
    token->tenant_id = tx->tenant_id;
    token->created_ms = tx_now_ms(tx);
    stmt = tx_stmt(tx, SQL_TOKEN_PUT);
    stmt_bind_i64(stmt, 2, token->is_for_all);
    stmt_bind_blob(stmt, 3, token->hash, SHA256_BYTES);
    stmt_bind_str(stmt, 4, token->name);
    stmt_bind_i64(stmt, 5, token->role);
    stmt_bind_i64(stmt, 6, token->created_ms);
    stmt_bind_i64(stmt, 7, token->expires_ms);
    if (stmt_insert(stmt, &token->id, err) != OK) {
        return err->code;
    }
    return note_token(tx, "token.made", token->name, api_role_name(token->role), err);
}

#define TOKEN_COLUMNS                                                                              \
    "id, tenant_id, is_for_all, hash, name, role, created_ms, expires_ms, used_ms, revoked_ms"

static enum fail read_token(const struct stmt *stmt, struct arena *arena, void *row,
                            struct error *err)
{
    struct store_api_token *token = row;
    struct str hash = stmt_blob(stmt, 3);
    int64_t role = stmt_i64(stmt, 5);

    if (hash.len != SHA256_BYTES || role < ROLE_VIEWER || role > ROLE_ADMIN) {
        return store_damaged(err, "a token of the API has no hash or no role");
    }
    *token = (struct store_api_token){.id = stmt_i64(stmt, 0),
                                      .tenant_id = stmt_i64(stmt, 1),
                                      .is_for_all = stmt_i64(stmt, 2) != 0,
                                      .name = arena_str(arena, stmt_str(stmt, 4)),
                                      .role = (enum api_role)role,
                                      .created_ms = stmt_i64(stmt, 6),
                                      .expires_ms = stmt_i64(stmt, 7),
                                      .used_ms = stmt_i64(stmt, 8),
                                      .revoked_ms = stmt_i64(stmt, 9)};
    memcpy(token->hash, hash.at, SHA256_BYTES);
    return OK;
}

/* Without the tenant: who shows a token has not said whose it is. */
static const char SQL_TOKEN_BY_HASH[] = "SELECT " TOKEN_COLUMNS " FROM api_token WHERE hash = $1";

enum fail api_token_by_hash(struct tx *tx, const uint8_t hash[SHA256_BYTES], struct arena *arena,
                            struct store_api_token *ret, bool *ret_found, struct error *err)
{
    struct stmt *stmt = engine_stmt(tx->engine, SQL_TOKEN_BY_HASH);

    stmt_bind_blob(stmt, 1, hash, SHA256_BYTES);
    return stmt_one(stmt, read_token, arena, ret, ret_found, err);
}

static const char SQL_TOKEN_LIST[] =
    "SELECT " TOKEN_COLUMNS " FROM api_token WHERE tenant_id = $1 ORDER BY id";

enum fail api_token_list(struct tx *tx, struct arena *arena, struct store_api_token **ret,
                         size_t *ret_count, struct error *err)
{
    struct rows rows;

    if (stmt_all(tx_stmt(tx, SQL_TOKEN_LIST), read_token, sizeof **ret, arena, &rows, err) != OK) {
        return err->code;
    }
    *ret = rows.at;
    *ret_count = rows.count;
    return OK;
}

static const char SQL_TOKEN_REVOKE[] =
    "UPDATE api_token SET revoked_ms = $3 WHERE tenant_id = $1 AND name = $2 AND revoked_ms = 0";

enum fail api_token_revoke(struct tx *tx, struct str name, bool *ret_found, struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_TOKEN_REVOKE);

    stmt_bind_str(stmt, 2, name);
    stmt_bind_i64(stmt, 3, tx_now_ms(tx));
    if (stmt_run(stmt, err) != OK) {
        return err->code;
    }
    *ret_found = stmt_changes(stmt) == 1;
    return *ret_found ? note_token(tx, "token.revoked", name, NULL, err) : OK;
}

static const char SQL_TOKEN_USED[] =
    "UPDATE api_token SET used_ms = $3 WHERE tenant_id = $1 AND id = $2";

enum fail api_token_used(struct tx *tx, const struct store_api_token *token, struct error *err)
{
    int64_t now_ms = tx_now_ms(tx);
    struct stmt *stmt;

    if (now_ms - token->used_ms < API_TOKEN_USED_STEP_MS) {
        return OK;
    }
    stmt = engine_stmt(tx->engine, SQL_TOKEN_USED);
    stmt_bind_i64(stmt, 1, token->tenant_id);
    stmt_bind_i64(stmt, 2, token->id);
    stmt_bind_i64(stmt, 3, now_ms);
    return stmt_run(stmt, err);
}

bool api_token_is_good(const struct store_api_token *token, int64_t now_ms)
{
    return token->revoked_ms == 0 && (token->expires_ms == 0 || now_ms < token->expires_ms);
}
