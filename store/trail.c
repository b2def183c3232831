/* What outlives a link or waits for one (store/link.h): aliases of merged-away ids, tombstones, references that wait. */
#include "store/inside.h"
#include "store/link.h"
#include "store/stream.h"

enum { ALIAS_STEPS_MAX = 16 };

/* --- whether there is anything at all ----------------------------------------------------------------------- */

static const char SQL_TRAIL_ALIASES[] = "SELECT EXISTS (SELECT 1 FROM alias WHERE tenant_id = $1)";
static const char SQL_TRAIL_INWARD[] =
    "SELECT EXISTS (SELECT 1 FROM wait_inward WHERE tenant_id = $1)";
static const char SQL_TRAIL_OUTWARD[] =
    "SELECT EXISTS (SELECT 1 FROM wait_outward WHERE tenant_id = $1)";

/* Every new link looks into each of the three, and a first import makes them by the hundred thousand. */
static enum fail has_trail(struct tx *tx, enum trail trail, bool *ret, struct error *err)
{
    static const char *const TEXTS[] = {[TRAIL_ALIASES] = SQL_TRAIL_ALIASES,
                                        [TRAIL_WAITS_INWARD] = SQL_TRAIL_INWARD,
                                        [TRAIL_WAITS_OUTWARD] = SQL_TRAIL_OUTWARD};
    int64_t some;

    if (tx->trails[trail] == PRESENCE_UNKNOWN) {
        if (stmt_number(tx_stmt(tx, TEXTS[trail]), &some, err) != OK) {
            return err->code;
        }
        tx->trails[trail] = some ? PRESENCE_SOME : PRESENCE_NONE;
    }
    *ret = tx->trails[trail] == PRESENCE_SOME;
    return OK;
}

/* --- aliases ------------------------------------------------------------------------------------------------- */

static const char SQL_ALIAS_PUT[] =
    "INSERT INTO alias (tenant_id, connection_id, kind, from_remote_id, into_remote_id) "
    "VALUES ($1, $2, $3, $4, $5) ON CONFLICT (tenant_id, connection_id, kind, from_remote_id) "
    "DO UPDATE SET into_remote_id = excluded.into_remote_id";

enum fail alias_put(struct tx *tx, int64_t connection_id, struct str kind, struct str from,
                    struct str into, struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_ALIAS_PUT);

    tx->trails[TRAIL_ALIASES] = PRESENCE_SOME;
    stmt_bind_i64(stmt, 2, connection_id);
    stmt_bind_str(stmt, 3, kind);
    stmt_bind_str(stmt, 4, from);
    stmt_bind_str(stmt, 5, into);
    return stmt_run(stmt, err);
}

static enum fail read_text(const struct stmt *stmt, struct arena *arena, void *row,
                           struct error *err)
{
    (void)err;
    *(struct str *)row = arena_str(arena, stmt_str(stmt, 0));
    return OK;
}

static const char SQL_ALIAS_FIND[] =
    "SELECT into_remote_id FROM alias WHERE tenant_id = $1 AND connection_id = $2 AND kind = $3 "
    "AND from_remote_id = $4";

enum fail alias_resolve(struct tx *tx, int64_t connection_id, struct str kind, struct str remote_id,
                        struct arena *arena, struct str *ret, struct error *err)
{
    struct str current = remote_id;
    bool found;

    if (has_trail(tx, TRAIL_ALIASES, &found, err) != OK) {
        return err->code;
    }
    /* Ids that were merged in a circle end somewhere on it; the read by id then tells what is there. */
    for (int i = 0; found && i < ALIAS_STEPS_MAX; i++) {
        struct stmt *stmt = tx_stmt(tx, SQL_ALIAS_FIND);

        stmt_bind_i64(stmt, 2, connection_id);
        stmt_bind_str(stmt, 3, kind);
        stmt_bind_str(stmt, 4, current);
        if (stmt_one(stmt, read_text, arena, &current, &found, err) != OK) {
            return err->code;
        }
    }
    *ret = current;
    return OK;
}

/* --- tombstones ---------------------------------------------------------------------------------------------- */

static const char SQL_TOMBSTONE_PUT[] =
    "INSERT INTO tombstone (tenant_id, connection_id, kind, digest, record_id, buried_ms) "
    "VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (tenant_id, connection_id, kind, digest) "
    "DO UPDATE SET record_id = excluded.record_id, buried_ms = excluded.buried_ms";

enum fail tombstone_put(struct tx *tx, int64_t connection_id, struct str kind, struct str remote_id,
                        int64_t record_id, struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_TOMBSTONE_PUT);
    struct digest digest = digest_of(remote_id);

    stmt_bind_i64(stmt, 2, connection_id);
    stmt_bind_str(stmt, 3, kind);
    stmt_bind_blob(stmt, 4, digest.bytes, DIGEST_BYTES);
    stmt_bind_i64(stmt, 5, record_id);
    stmt_bind_i64(stmt, 6, tx_now_ms(tx));
    return stmt_run(stmt, err);
}

static const char SQL_TOMBSTONE_FIND[] =
    "SELECT coalesce(max(record_id), 0) FROM tombstone WHERE tenant_id = $1 "
    "AND connection_id = $2 AND kind = $3 AND digest = $4";

enum fail tombstone_find(struct tx *tx, int64_t connection_id, struct str kind,
                         struct str remote_id, int64_t *ret_record_id, struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_TOMBSTONE_FIND);
    struct digest digest = digest_of(remote_id);

    stmt_bind_i64(stmt, 2, connection_id);
    stmt_bind_str(stmt, 3, kind);
    stmt_bind_blob(stmt, 4, digest.bytes, DIGEST_BYTES);
    return stmt_number(stmt, ret_record_id, err);
}

/* --- waits --------------------------------------------------------------------------------------------------- */

static const char SQL_WAIT_PUT_INWARD[] =
    "INSERT INTO wait_inward (tenant_id, connection_id, target_kind, target_remote_id, kind, "
    "waiter_remote_id) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING";

enum fail wait_put_inward(struct tx *tx, int64_t connection_id, struct str kind,
                          struct str waiter_remote_id, struct str target_kind,
                          struct str target_remote_id, struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_WAIT_PUT_INWARD);

    tx->trails[TRAIL_WAITS_INWARD] = PRESENCE_SOME;
    stmt_bind_i64(stmt, 2, connection_id);
    stmt_bind_str(stmt, 3, target_kind);
    stmt_bind_str(stmt, 4, target_remote_id);
    stmt_bind_str(stmt, 5, kind);
    stmt_bind_str(stmt, 6, waiter_remote_id);
    return stmt_run(stmt, err);
}

static const char SQL_WAIT_PUT_OUTWARD[] =
    "INSERT INTO wait_outward (tenant_id, connection_id, target_record_id, kind, waiter_record_id) "
    "VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING";

enum fail wait_put_outward(struct tx *tx, int64_t connection_id, struct str kind,
                           int64_t waiter_record_id, int64_t target_record_id, struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_WAIT_PUT_OUTWARD);

    tx->trails[TRAIL_WAITS_OUTWARD] = PRESENCE_SOME;
    stmt_bind_i64(stmt, 2, connection_id);
    stmt_bind_i64(stmt, 3, target_record_id);
    stmt_bind_str(stmt, 4, kind);
    stmt_bind_i64(stmt, 5, waiter_record_id);
    return stmt_run(stmt, err);
}

struct inward_waiter {
    struct str kind, remote_id;
};

static enum fail read_inward(const struct stmt *stmt, struct arena *arena, void *row,
                             struct error *err)
{
    (void)err;
    *(struct inward_waiter *)row =
        (struct inward_waiter){.kind = arena_str(arena, stmt_str(stmt, 0)),
                               .remote_id = arena_str(arena, stmt_str(stmt, 1))};
    return OK;
}

/* Nearly always nobody waits, so the rows are looked for before anything is deleted. */
static const char SQL_WAIT_LIST_INWARD[] =
    "SELECT kind, waiter_remote_id FROM wait_inward WHERE tenant_id = $1 AND connection_id = $2 "
    "AND target_kind = $3 AND target_remote_id = $4";

static enum fail list_inward(struct tx *tx, const struct store_link *link, struct arena *arena,
                             struct rows *ret, struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_WAIT_LIST_INWARD);

    stmt_bind_i64(stmt, 2, link->connection_id);
    stmt_bind_str(stmt, 3, link->kind);
    stmt_bind_str(stmt, 4, link->remote_id);
    return stmt_all(stmt, read_inward, sizeof(struct inward_waiter), arena, ret, err);
}

static const char SQL_WAIT_END_INWARD[] =
    "DELETE FROM wait_inward WHERE tenant_id = $1 AND connection_id = $2 AND target_kind = $3 "
    "AND target_remote_id = $4";

static enum fail end_inward(struct tx *tx, const struct store_link *link, struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_WAIT_END_INWARD);

    stmt_bind_i64(stmt, 2, link->connection_id);
    stmt_bind_str(stmt, 3, link->kind);
    stmt_bind_str(stmt, 4, link->remote_id);
    return stmt_run(stmt, err);
}

static enum fail wake_inward(struct tx *tx, const struct store_link *link, struct error *err)
{
    AUTO_ARENA struct arena arena = {0};
    struct rows rows;
    const struct inward_waiter *waiters;

    if (list_inward(tx, link, &arena, &rows, err) != OK) {
        return err->code;
    }
    waiters = rows.at;
    for (size_t i = 0; i < rows.count; i++) {
        if (dirty_put(tx, link->connection_id, waiters[i].kind, waiters[i].remote_id, err) != OK) {
            return err->code;
        }
    }
    return rows.count ? end_inward(tx, link, err) : OK;
}

static enum fail read_outward(const struct stmt *stmt, struct arena *arena, void *row,
                              struct error *err)
{
    (void)arena;
    (void)err;
    *(int64_t *)row = stmt_i64(stmt, 0);
    return OK;
}

static const char SQL_WAIT_LIST_OUTWARD[] =
    "SELECT waiter_record_id FROM wait_outward WHERE tenant_id = $1 AND connection_id = $2 "
    "AND target_record_id = $3";

static enum fail list_outward(struct tx *tx, const struct store_link *link, struct arena *arena,
                              struct rows *ret, struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_WAIT_LIST_OUTWARD);

    stmt_bind_i64(stmt, 2, link->connection_id);
    stmt_bind_i64(stmt, 3, link->record_id);
    return stmt_all(stmt, read_outward, sizeof(int64_t), arena, ret, err);
}

static const char SQL_WAIT_END_OUTWARD[] =
    "DELETE FROM wait_outward WHERE tenant_id = $1 AND connection_id = $2 "
    "AND target_record_id = $3";

static enum fail end_outward(struct tx *tx, const struct store_link *link, struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_WAIT_END_OUTWARD);

    stmt_bind_i64(stmt, 2, link->connection_id);
    stmt_bind_i64(stmt, 3, link->record_id);
    return stmt_run(stmt, err);
}

/* Older than any record: whatever the link reflects, it is looked at. */
static const char SQL_LINK_PUSH_AGAIN[] =
    "UPDATE link SET synced_version = 0, retry_at_ms = 0 WHERE tenant_id = $1 "
    "AND connection_id = $2 AND record_id = $3";

static enum fail push_again(struct tx *tx, int64_t connection_id, int64_t record_id,
                            struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_LINK_PUSH_AGAIN);

    stmt_bind_i64(stmt, 2, connection_id);
    stmt_bind_i64(stmt, 3, record_id);
    return stmt_run(stmt, err);
}

static enum fail wake_outward(struct tx *tx, const struct store_link *link, struct error *err)
{
    AUTO_ARENA struct arena arena = {0};
    struct rows rows;
    const int64_t *record_ids;

    if (list_outward(tx, link, &arena, &rows, err) != OK) {
        return err->code;
    }
    record_ids = rows.at;
    for (size_t i = 0; i < rows.count; i++) {
        if (push_again(tx, link->connection_id, record_ids[i], err) != OK) {
            return err->code;
        }
    }
    return rows.count ? end_outward(tx, link, err) : OK;
}

static const char SQL_WAIT_MOVE[] =
    "INSERT INTO wait_outward (tenant_id, connection_id, target_record_id, kind, waiter_record_id) "
    "SELECT tenant_id, connection_id, $3, kind, waiter_record_id FROM wait_outward "
    "WHERE tenant_id = $1 AND target_record_id = $2 ON CONFLICT DO NOTHING";
static const char SQL_WAIT_END_MOVED[] =
    "DELETE FROM wait_outward WHERE tenant_id = $1 AND target_record_id = $2";

enum fail wait_move_outward(struct tx *tx, int64_t from_record_id, int64_t to_record_id,
                            struct error *err)
{
    struct stmt *move = tx_stmt(tx, SQL_WAIT_MOVE);
    struct stmt *end;

    stmt_bind_i64(move, 2, from_record_id);
    stmt_bind_i64(move, 3, to_record_id);
    if (stmt_run(move, err) != OK) {
        return err->code;
    }
    end = tx_stmt(tx, SQL_WAIT_END_MOVED);
    stmt_bind_i64(end, 2, from_record_id);
    return stmt_run(end, err);
}

enum fail wait_wake(struct tx *tx, const struct store_link *link, struct error *err)
{
    bool inward, outward;

    if (has_trail(tx, TRAIL_WAITS_INWARD, &inward, err) != OK ||
        has_trail(tx, TRAIL_WAITS_OUTWARD, &outward, err) != OK ||
        (inward && wake_inward(tx, link, err) != OK)) {
        return err->code;
    }
    return outward ? wake_outward(tx, link, err) : OK;
}
