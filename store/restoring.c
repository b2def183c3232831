#include "store/restoring.h"

#include "store/inside.h"

/* --- streams ------------------------------------------------------------------------------------------------- */

static const char SQL_RESTORING_BEGIN[] =
    "INSERT INTO restoring (tenant_id, connection_id, kind, state, backed_up_ms) "
    "SELECT tenant_id, connection_id, kind, 0, $2 FROM stream WHERE tenant_id = $1 "
    "ON CONFLICT (tenant_id, connection_id, kind) DO UPDATE SET state = 0, "
    "backed_up_ms = min(backed_up_ms, excluded.backed_up_ms)";
/* A kind that was not read before the backup may have been since. */
static const char SQL_RESTORING_OTHERS[] =
    "INSERT INTO restoring (tenant_id, connection_id, kind, state, backed_up_ms) "
    "SELECT tenant_id, id, '', 0, $2 FROM connection WHERE tenant_id = $1 "
    "ON CONFLICT (tenant_id, connection_id, kind) DO UPDATE SET state = 0, "
    "backed_up_ms = min(backed_up_ms, excluded.backed_up_ms)";
/* What was deleted there since the backup is told from where the backup's reading ended. */
static const char SQL_RESTORING_STREAMS[] =
    "UPDATE stream SET cursor_all = '', cursor_changed = '', scanned_ms = 0, next_run_at_ms = 0, "
    "lease_owner = '', lease_until_ms = 0 WHERE tenant_id = $1";
static const char SQL_RESTORING_BRAKES[] =
    "UPDATE brake SET confirmed_count = 0, confirmed_ms = 0 WHERE tenant_id = $1";
static const char SQL_RESTORING_SIGN_INS[] = "DELETE FROM sign_in WHERE tenant_id = $1";

enum fail restoring_begin(struct tx *tx, int64_t backed_up_ms, struct error *err)
{
    struct stmt *streams = tx_stmt(tx, SQL_RESTORING_BEGIN);
    struct stmt *others = tx_stmt(tx, SQL_RESTORING_OTHERS);

    stmt_bind_i64(streams, 2, backed_up_ms);
    stmt_bind_i64(others, 2, backed_up_ms);
    if (stmt_run(streams, err) != OK || stmt_run(others, err) != OK ||
        stmt_run(tx_stmt(tx, SQL_RESTORING_STREAMS), err) != OK ||
        stmt_run(tx_stmt(tx, SQL_RESTORING_BRAKES), err) != OK) {
        return err->code;
    }
    return stmt_run(tx_stmt(tx, SQL_RESTORING_SIGN_INS), err);
}

#define RESTORING_COLUMNS "connection_id, kind, state, backed_up_ms"

static enum fail read_restoring(const struct stmt *stmt, struct arena *arena, void *row,
                                struct error *err)
{
    (void)err;
    *(struct restoring *)row =
        (struct restoring){.connection_id = stmt_i64(stmt, 0),
                           .kind = arena ? arena_str(arena, stmt_str(stmt, 1)) : STR(""),
                           .state = (enum restoring_state)stmt_i64(stmt, 2),
                           .backed_up_ms = stmt_i64(stmt, 3)};
    return OK;
}

static const char SQL_RESTORING_FIND[] =
    "SELECT " RESTORING_COLUMNS
    " FROM restoring WHERE tenant_id = $1 AND connection_id = $2 AND kind = $3";

static enum fail find(struct tx *tx, int64_t connection_id, struct str kind, struct restoring *ret,
                      bool *ret_found, struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_RESTORING_FIND);

    stmt_bind_i64(stmt, 2, connection_id);
    stmt_bind_str(stmt, 3, kind);
    return stmt_one(stmt, read_restoring, NULL, ret, ret_found, err);
}

enum fail restoring_of(struct tx *tx, int64_t connection_id, struct str kind, struct restoring *ret,
                       bool *ret_found, struct error *err)
{
    if (find(tx, connection_id, kind, ret, ret_found, err) != OK ||
        (!*ret_found && find(tx, connection_id, STR(""), ret, ret_found, err) != OK)) {
        return err->code;
    }
    ret->kind = kind;
    return OK;
}

static const char SQL_RESTORING_LIST[] =
    "SELECT " RESTORING_COLUMNS " FROM restoring WHERE tenant_id = $1 ORDER BY connection_id, kind";

enum fail restoring_list(struct tx *tx, struct arena *arena, struct restoring **ret,
                         size_t *ret_count, struct error *err)
{
    struct rows rows;

    if (stmt_all(tx_stmt(tx, SQL_RESTORING_LIST), read_restoring, sizeof **ret, arena, &rows,
                 err) != OK) {
        return err->code;
    }
    *ret = rows.at;
    *ret_count = rows.count;
    return OK;
}

static const char SQL_RESTORING_SET[] =
    "INSERT INTO restoring (tenant_id, connection_id, kind, state, backed_up_ms) "
    "SELECT $1, $2, $3, $4, min(backed_up_ms) FROM restoring "
    "WHERE tenant_id = $1 AND connection_id = $2 HAVING count(*) > 0 "
    "ON CONFLICT (tenant_id, connection_id, kind) DO UPDATE SET state = excluded.state";

enum fail restoring_set(struct tx *tx, int64_t connection_id, struct str kind,
                        enum restoring_state state, struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_RESTORING_SET);

    stmt_bind_i64(stmt, 2, connection_id);
    stmt_bind_str(stmt, 3, kind);
    stmt_bind_i64(stmt, 4, state);
    return stmt_run(stmt, err);
}

static const char SQL_RESTORING_SKIP[] =
    "DELETE FROM restoring WHERE tenant_id = $1 AND connection_id = $2 AND kind <> '' "
    "AND state = 0";
static const char SQL_RESTORING_SKIP_OTHERS[] =
    "UPDATE restoring SET state = 2 WHERE tenant_id = $1 AND connection_id = $2 AND kind = ''";

enum fail restoring_skip(struct tx *tx, int64_t connection_id, int64_t *ret_count,
                         struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_RESTORING_SKIP);
    struct stmt *others = tx_stmt(tx, SQL_RESTORING_SKIP_OTHERS);

    stmt_bind_i64(stmt, 2, connection_id);
    stmt_bind_i64(others, 2, connection_id);
    if (stmt_run(stmt, err) != OK) {
        return err->code;
    }
    *ret_count = stmt_changes(stmt);
    return stmt_run(others, err);
}

static const char SQL_RESTORING_END[] = "DELETE FROM restoring WHERE tenant_id = $1";
static const char SQL_RESTORED_END[] = "DELETE FROM restored WHERE tenant_id = $1";

enum fail restoring_end(struct tx *tx, struct error *err)
{
    return stmt_run(tx_stmt(tx, SQL_RESTORING_END), err) != OK
               ? err->code
               : stmt_run(tx_stmt(tx, SQL_RESTORED_END), err);
}

/* --- records ------------------------------------------------------------------------------------------------- */

static const char SQL_RESTORED_PUT[] =
    "INSERT INTO restored (tenant_id, record_id, connection_id, kind, is_ours, title, key) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (tenant_id, record_id, connection_id) "
    "DO UPDATE SET is_ours = excluded.is_ours, title = excluded.title, key = excluded.key";

enum fail restored_put(struct tx *tx, const struct restored *restored, struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_RESTORED_PUT);

    stmt_bind_i64(stmt, 2, restored->record_id);
    stmt_bind_i64(stmt, 3, restored->connection_id);
    stmt_bind_str(stmt, 4, restored->kind);
    stmt_bind_i64(stmt, 5, restored->is_ours);
    stmt_bind_blob(stmt, 6, restored->title.bytes, DIGEST_BYTES);
    stmt_bind_str(stmt, 7, restored->key);
    return stmt_run(stmt, err);
}

static const char SQL_RESTORED_ALIKE[] =
    "SELECT DISTINCT s.record_id FROM restored s JOIN record r ON r.id = s.record_id "
    "WHERE s.tenant_id = $1 AND s.kind = $3 AND s.title = $4 AND r.tenant_id = $1 AND r.state = 0 "
    "AND NOT EXISTS (SELECT 1 FROM link l WHERE l.tenant_id = $1 AND l.connection_id = $2 "
    "AND l.record_id = s.record_id) ORDER BY s.record_id LIMIT $5";

enum fail restored_alike(struct tx *tx, int64_t connection_id, struct str kind,
                         const struct digest *title, size_t limit, int64_t *ret_ids,
                         size_t *ret_count, struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_RESTORED_ALIKE);
    bool is_row = true;

    stmt_bind_i64(stmt, 2, connection_id);
    stmt_bind_str(stmt, 3, kind);
    stmt_bind_blob(stmt, 4, title->bytes, DIGEST_BYTES);
    stmt_bind_limit(stmt, 5, limit);
    *ret_count = 0;
    for (;;) {
        if (stmt_step(stmt, &is_row, err) != OK) {
            return err->code;
        }
        if (!is_row) {
            return OK;
        }
        ret_ids[(*ret_count)++] = stmt_i64(stmt, 0);
    }
}

static const char SQL_RESTORED_BY_KEY[] =
    "SELECT coalesce(min(record_id), 0) FROM restored WHERE tenant_id = $1 AND kind = $2 "
    "AND key = $3";

enum fail restored_by_key(struct tx *tx, struct str kind, struct str key, int64_t *ret_id,
                          struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_RESTORED_BY_KEY);

    stmt_bind_str(stmt, 2, kind);
    stmt_bind_str(stmt, 3, key);
    return stmt_number(stmt, ret_id, err);
}

static enum fail read_risk(const struct stmt *stmt, struct arena *arena, void *row,
                           struct error *err)
{
    (void)arena;
    (void)err;
    *(struct restored_risk *)row = (struct restored_risk){.is_ours = stmt_i64(stmt, 0) != 0,
                                                          .is_spread = stmt_i64(stmt, 1) != 0,
                                                          .is_other = stmt_i64(stmt, 2) != 0};
    return OK;
}

/* The other one: an object of ours there, whose record has no object where this record has one. */
static const char SQL_RESTORED_RISK[] =
    "SELECT min(s.is_ours), max(CASE WHEN s.key <> '' THEN s.is_ours ELSE 0 END), "
    "EXISTS (SELECT 1 FROM restored o WHERE o.tenant_id = $1 AND "
    "o.connection_id = $3 AND o.kind = $4 AND o.is_ours = 1 AND EXISTS (SELECT 1 FROM link mine "
    "WHERE mine.tenant_id = $1 AND mine.record_id = $2 AND NOT EXISTS (SELECT 1 FROM link theirs "
    "WHERE theirs.tenant_id = $1 AND theirs.record_id = o.record_id AND "
    "theirs.connection_id = mine.connection_id))) "
    "FROM restored s WHERE s.tenant_id = $1 AND s.record_id = $2 GROUP BY s.record_id";

enum fail restored_risk_of(struct tx *tx, int64_t record_id, int64_t connection_id, struct str kind,
                           struct restored_risk *ret, bool *ret_found, struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_RESTORED_RISK);

    stmt_bind_i64(stmt, 2, record_id);
    stmt_bind_i64(stmt, 3, connection_id);
    stmt_bind_str(stmt, 4, kind);
    return stmt_one(stmt, read_risk, NULL, ret, ret_found, err);
}
