#include "store/tally.h"

#include "store/inside.h"

static const char SQL_TALLY_ADD[] =
    "INSERT INTO tally (tenant_id, hour, connection_id, kind, synced, set_aside, conflicts, "
    "throttled, delays, delay_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) "
    "ON CONFLICT (tenant_id, hour, connection_id, kind) DO UPDATE SET synced = synced + $5, "
    "set_aside = set_aside + $6, conflicts = conflicts + $7, throttled = throttled + $8, "
    "delays = delays + $9, delay_ms = delay_ms + $10";

static const char SQL_TALLY_FORGET[] = "DELETE FROM tally WHERE tenant_id = $1 AND hour < $2";

enum fail tally_add(struct tx *tx, const struct store_tally *tally, int64_t now_ms,
                    struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_TALLY_ADD);
    int64_t hour = now_ms / TALLY_HOUR_MS;

    stmt_bind_i64(stmt, 2, hour);
    stmt_bind_i64(stmt, 3, tally->connection_id);
    stmt_bind_str(stmt, 4, tally->kind);
    stmt_bind_i64(stmt, 5, tally->synced);
    stmt_bind_i64(stmt, 6, tally->set_aside);
    stmt_bind_i64(stmt, 7, tally->conflicts);
    stmt_bind_i64(stmt, 8, tally->throttled);
    stmt_bind_i64(stmt, 9, tally->delays);
    stmt_bind_i64(stmt, 10, tally->delay_ms);
    if (stmt_run(stmt, err) != OK) {
        return err->code;
    }
    stmt = tx_stmt(tx, SQL_TALLY_FORGET);
    stmt_bind_i64(stmt, 2, hour - TALLY_KEEP_HOURS);
    return stmt_run(stmt, err);
}

static enum fail read_tally(const struct stmt *stmt, struct arena *arena, void *row,
                            struct error *err)
{
    (void)err;
    *(struct store_tally *)row = (struct store_tally){.connection_id = stmt_i64(stmt, 0),
                                                      .kind = arena_str(arena, stmt_str(stmt, 1)),
                                                      .synced = stmt_i64(stmt, 2),
                                                      .set_aside = stmt_i64(stmt, 3),
                                                      .conflicts = stmt_i64(stmt, 4),
                                                      .throttled = stmt_i64(stmt, 5),
                                                      .delays = stmt_i64(stmt, 6),
                                                      .delay_ms = stmt_i64(stmt, 7)};
    return OK;
}

static const char SQL_TALLY_SUMS[] =
    "SELECT connection_id, kind, sum(synced), sum(set_aside), sum(conflicts), sum(throttled), "
    "sum(delays), sum(delay_ms) FROM tally WHERE tenant_id = $1 AND hour > $2 AND hour <= $3 "
    "GROUP BY connection_id, kind ORDER BY connection_id, kind";

enum fail tally_sums(struct tx *tx, int64_t now_ms, int hours, struct arena *arena,
                     struct store_tally **ret, size_t *ret_count, struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_TALLY_SUMS);
    int64_t hour = now_ms / TALLY_HOUR_MS;
    struct rows rows;

    stmt_bind_i64(stmt, 2, hour - hours);
    stmt_bind_i64(stmt, 3, hour);
    if (stmt_all(stmt, read_tally, sizeof **ret, arena, &rows, err) != OK) {
        return err->code;
    }
    *ret = rows.at;
    *ret_count = rows.count;
    return OK;
}

static enum fail read_depth(const struct stmt *stmt, struct arena *arena, void *row,
                            struct error *err)
{
    (void)err;
    *(struct store_depth *)row = (struct store_depth){.connection_id = stmt_i64(stmt, 0),
                                                      .kind = arena_str(arena, stmt_str(stmt, 1)),
                                                      .count = stmt_i64(stmt, 2)};
    return OK;
}

static enum fail all_depths(struct tx *tx, const char *sql, struct arena *arena,
                            struct store_depth **ret, size_t *ret_count, struct error *err)
{
    struct rows rows;

    if (stmt_all(tx_stmt(tx, sql), read_depth, sizeof **ret, arena, &rows, err) != OK) {
        return err->code;
    }
    *ret = rows.at;
    *ret_count = rows.count;
    return OK;
}

static const char SQL_DEPTH_MARKED[] =
    "SELECT connection_id, kind, count(*) FROM dirty WHERE tenant_id = $1 "
    "GROUP BY connection_id, kind ORDER BY connection_id, kind";

/* As the partial index link_to_push says it. */
static const char SQL_DEPTH_TO_WRITE[] =
    "SELECT connection_id, kind, count(*) FROM link WHERE tenant_id = $1 AND state = 0 "
    "AND synced_version < record_version GROUP BY connection_id, kind ORDER BY connection_id, "
    "kind";

static const char SQL_DEPTH_UNSETTLED[] =
    "SELECT connection_id, kind, count(*) FROM intent WHERE tenant_id = $1 "
    "GROUP BY connection_id, kind ORDER BY connection_id, kind";

enum fail depth_list(struct tx *tx, enum stream_depth what, struct arena *arena,
                     struct store_depth **ret, size_t *ret_count, struct error *err)
{
    switch (what) {
    case DEPTH_MARKED:
        return all_depths(tx, SQL_DEPTH_MARKED, arena, ret, ret_count, err);
    case DEPTH_TO_WRITE:
        return all_depths(tx, SQL_DEPTH_TO_WRITE, arena, ret, ret_count, err);
    case DEPTH_UNSETTLED:
        return all_depths(tx, SQL_DEPTH_UNSETTLED, arena, ret, ret_count, err);
    }
    return error_set(err, FAIL_BUG, "unknown depth");
}

static const char SQL_BRAKES_WAITING[] =
    "SELECT connection_id, kind, count(*) FROM brake WHERE tenant_id = $1 "
    "AND confirmed_count < count GROUP BY connection_id, kind ORDER BY connection_id, kind";

enum fail brakes_waiting(struct tx *tx, struct arena *arena, struct store_depth **ret,
                         size_t *ret_count, struct error *err)
{
    return all_depths(tx, SQL_BRAKES_WAITING, arena, ret, ret_count, err);
}

struct depth_row {
    int64_t count, oldest_ms;
};

static enum fail read_inbox(const struct stmt *stmt, struct arena *arena, void *row,
                            struct error *err)
{
    (void)arena;
    (void)err;
    *(struct depth_row *)row =
        (struct depth_row){.count = stmt_i64(stmt, 0), .oldest_ms = stmt_i64(stmt, 1)};
    return OK;
}

static const char SQL_INBOX_DEPTH[] = "SELECT count(*), coalesce(min(received_ms), 0) FROM inbox "
                                      "WHERE tenant_id = $1 AND is_done = 0";

enum fail inbox_depth(struct tx *tx, int64_t *ret_count, int64_t *ret_oldest_ms, struct error *err)
{
    struct depth_row row;
    bool found;

    if (stmt_one(tx_stmt(tx, SQL_INBOX_DEPTH), read_inbox, NULL, &row, &found, err) != OK) {
        return err->code;
    }
    *ret_count = row.count;
    *ret_oldest_ms = row.oldest_ms;
    return OK;
}
