#include "store/divergence.h"

#include "store/inside.h"

const char *difference_name(enum difference_what what)
{
    static const char *const NAMES[DIFFERENCES] = {
        [DIFFERENCE_CHANGED_THERE] = "changed-there",
        [DIFFERENCE_CREATED_THERE] = "created-there",
        [DIFFERENCE_DELETED_THERE] = "deleted-there",
        [DIFFERENCE_MERGED_THERE] = "merged-there",
        [DIFFERENCE_BACK_THERE] = "back-there",
        [DIFFERENCE_CHANGED_HERE] = "changed-here",
        [DIFFERENCE_NOT_CREATED_THERE] = "not-created-there",
        [DIFFERENCE_DELETED_HERE] = "deleted-here",
        [DIFFERENCE_BROKEN_LINK] = "broken-link",
    };

    return NAMES[what];
}

/* --- results ---------------------------------------------------------------------------------------------------------------- */

#define DIVERGENCE_COLUMNS                                                                         \
    "connection_id, kind, began_ms, ended_ms, is_repair, listed, pairs, pairs_read, fields, "      \
    "differences, explained, marked, fields_differ, oldest_ms"

static enum fail read_divergence(const struct stmt *stmt, struct arena *arena, void *row,
                                 struct error *err)
{
    (void)err;
    *(struct store_divergence *)row =
        (struct store_divergence){.connection_id = stmt_i64(stmt, 0),
                                  .kind = arena_str(arena, stmt_str(stmt, 1)),
                                  .began_ms = stmt_i64(stmt, 2),
                                  .ended_ms = stmt_i64(stmt, 3),
                                  .is_repair = stmt_i64(stmt, 4) != 0,
                                  .listed = stmt_i64(stmt, 5),
                                  .pairs = stmt_i64(stmt, 6),
                                  .pairs_read = stmt_i64(stmt, 7),
                                  .fields = stmt_i64(stmt, 8),
                                  .differences = stmt_i64(stmt, 9),
                                  .explained = stmt_i64(stmt, 10),
                                  .marked = stmt_i64(stmt, 11),
                                  .fields_differ = stmt_i64(stmt, 12),
                                  .oldest_ms = stmt_i64(stmt, 13)};
    return OK;
}

static const char SQL_DIVERGENCE_LIST[] =
    "SELECT " DIVERGENCE_COLUMNS " FROM divergence WHERE tenant_id = $1 "
    "ORDER BY connection_id, kind";

enum fail divergence_list(struct tx *tx, struct arena *arena, struct store_divergence **ret,
                          size_t *ret_count, struct error *err)
{
    struct rows rows;

    if (stmt_all(tx_stmt(tx, SQL_DIVERGENCE_LIST), read_divergence, sizeof **ret, arena, &rows,
                 err) != OK) {
        return err->code;
    }
    *ret = rows.at;
    *ret_count = rows.count;
    return OK;
}

static const char SQL_DIVERGENCE_FIND[] =
    "SELECT " DIVERGENCE_COLUMNS
    " FROM divergence WHERE tenant_id = $1 AND connection_id = $2 AND kind = $3";

enum fail divergence_find(struct tx *tx, int64_t connection_id, struct str kind,
                          struct arena *arena, struct store_divergence *ret, bool *ret_found,
                          struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_DIVERGENCE_FIND);

    stmt_bind_i64(stmt, 2, connection_id);
    stmt_bind_str(stmt, 3, kind);
    return stmt_one(stmt, read_divergence, arena, ret, ret_found, err);
}

/* Of the last complete comparison. */
#define FROM_DIFFERENCES                                                                           \
    " FROM difference d JOIN divergence v ON v.tenant_id = d.tenant_id "                           \
    "AND v.connection_id = d.connection_id AND v.kind = d.kind AND v.began_ms = d.began_ms "

static const char SQL_DIFFERENCE_COUNTS[] =
    "SELECT d.what, count(*)" FROM_DIFFERENCES
    "WHERE d.tenant_id = $1 AND d.connection_id = $2 AND d.kind = $3 GROUP BY d.what";

enum fail difference_counts(struct tx *tx, int64_t connection_id, struct str kind,
                            int64_t ret[DIFFERENCES], struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_DIFFERENCE_COUNTS);
    bool is_row = true;

    memset(ret, 0, DIFFERENCES * sizeof *ret);
    stmt_bind_i64(stmt, 2, connection_id);
    stmt_bind_str(stmt, 3, kind);
    while (is_row) {
        if (stmt_step(stmt, &is_row, err) != OK) {
            return err->code;
        }
        if (is_row) {
            ret[stmt_i64(stmt, 0)] = stmt_i64(stmt, 1);
        }
    }
    return OK;
}

static enum fail read_difference(const struct stmt *stmt, struct arena *arena, void *row,
                                 struct error *err)
{
    (void)err;
    *(struct store_difference *)row =
        (struct store_difference){.connection_id = stmt_i64(stmt, 0),
                                  .kind = arena_str(arena, stmt_str(stmt, 1)),
                                  .what = (enum difference_what)stmt_i64(stmt, 2),
                                  .remote_id = arena_str(arena, stmt_str(stmt, 3)),
                                  .record_id = stmt_i64(stmt, 4),
                                  .bucket = (int)stmt_i64(stmt, 5),
                                  .fields = arena_str(arena, stmt_str(stmt, 6)),
                                  .fields_count = stmt_i64(stmt, 7),
                                  .since_ms = stmt_i64(stmt, 8),
                                  .reason = arena_str(arena, stmt_str(stmt, 9)),
                                  .is_marked = stmt_i64(stmt, 10) != 0,
                                  .uuid = arena_str(arena, stmt_str(stmt, 11))};
    return OK;
}

static const char SQL_DIFFERENCE_LIST[] =
    "SELECT d.connection_id, d.kind, d.what, d.remote_id, d.record_id, d.bucket, d.fields, "
    "d.fields_count, d.since_ms, d.reason, d.is_marked, coalesce(r.uuid, '')" FROM_DIFFERENCES
    "LEFT JOIN record r ON r.tenant_id = $1 AND r.id = d.record_id "
    "WHERE d.tenant_id = $1 AND d.connection_id = $2 AND d.kind = $3 "
    "ORDER BY d.what, d.remote_id, d.record_id LIMIT $4 OFFSET $5";

enum fail difference_list(struct tx *tx, int64_t connection_id, struct str kind, int64_t offset,
                          size_t limit, struct arena *arena, struct store_difference **ret,
                          size_t *ret_count, struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_DIFFERENCE_LIST);
    struct rows rows;

    stmt_bind_i64(stmt, 2, connection_id);
    stmt_bind_str(stmt, 3, kind);
    stmt_bind_limit(stmt, 4, limit);
    stmt_bind_i64(stmt, 5, offset);
    if (stmt_all(stmt, read_difference, sizeof **ret, arena, &rows, err) != OK) {
        return err->code;
    }
    *ret = rows.at;
    *ret_count = rows.count;
    return OK;
}

/* --- writing ---------------------------------------------------------------------------------------------------------------- */

static const char SQL_DIFFERENCE_PUT[] =
    "INSERT INTO difference (tenant_id, connection_id, kind, began_ms, what, remote_id, record_id, "
    "bucket, fields, fields_count, since_ms, reason, is_marked) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) "
    "ON CONFLICT (tenant_id, connection_id, kind, began_ms, what, remote_id, record_id) "
    "DO UPDATE SET fields = $9, fields_count = $10, since_ms = $11, reason = $12, is_marked = $13";

enum fail difference_put(struct tx *tx, int64_t began_ms, const struct store_difference *difference,
                         struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_DIFFERENCE_PUT);

    stmt_bind_i64(stmt, 2, difference->connection_id);
    stmt_bind_str(stmt, 3, difference->kind);
    stmt_bind_i64(stmt, 4, began_ms);
    stmt_bind_i64(stmt, 5, difference->what);
    stmt_bind_str(stmt, 6, difference->remote_id);
    stmt_bind_i64(stmt, 7, difference->record_id);
    stmt_bind_i64(stmt, 8, difference->bucket);
    stmt_bind_str(stmt, 9, difference->fields);
    stmt_bind_i64(stmt, 10, difference->fields_count);
    stmt_bind_i64(stmt, 11, difference->since_ms);
    stmt_bind_str(stmt, 12, difference->reason);
    stmt_bind_i64(stmt, 13, difference->is_marked);
    return stmt_run(stmt, err);
}

/* The nearest reason first. Brakes hold whole streams: deletes found there (0), updates (1) and removals (3) to be written there. */
static const char SQL_DIFFERENCE_REASON[] =
    "SELECT text FROM ("
    "SELECT 1 AS place, 'a write whose outcome is not known yet' AS text FROM intent "
    "WHERE tenant_id = $1 AND connection_id = $2 AND kind = $3 AND record_id = $5 AND $5 > 0 "
    "UNION ALL SELECT 2, 'a conflict waits' FROM conflict WHERE tenant_id = $1 AND link_id = $6 "
    "AND state = 0 "
    "UNION ALL SELECT 3, CASE state WHEN 0 THEN 'set aside: ' ELSE 'discarded: ' END || reason "
    "FROM failure WHERE tenant_id = $1 AND connection_id = $2 AND kind = $3 AND remote_id = $4 "
    "AND $4 <> '' "
    "UNION ALL SELECT 4, CASE state WHEN 0 THEN 'set aside: ' ELSE 'discarded: ' END || reason "
    "FROM failure WHERE tenant_id = $1 AND connection_id = $2 AND record_id = $5 AND $5 > 0 "
    "UNION ALL SELECT 5, 'the brake waits for a person' FROM brake WHERE tenant_id = $1 "
    "AND connection_id = $2 AND kind = $3 AND confirmed_count = 0 "
    "AND ((what = 0 AND $7 = 2) OR (what = 1 AND $7 = 5) OR (what = 3 AND $7 = 7))"
    ") ORDER BY place LIMIT 1";

static enum fail read_text(const struct stmt *stmt, struct arena *arena, void *row,
                           struct error *err)
{
    (void)err;
    *(struct str *)row = arena_str(arena, stmt_str(stmt, 0));
    return OK;
}

enum fail difference_reason(struct tx *tx, const struct store_difference *difference,
                            int64_t link_id, struct arena *arena, struct str *ret,
                            struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_DIFFERENCE_REASON);
    bool found;

    *ret = STR("");
    stmt_bind_i64(stmt, 2, difference->connection_id);
    stmt_bind_str(stmt, 3, difference->kind);
    stmt_bind_str(stmt, 4, difference->remote_id);
    stmt_bind_i64(stmt, 5, difference->record_id);
    stmt_bind_i64(stmt, 6, link_id);
    stmt_bind_i64(stmt, 7, difference->what);
    return stmt_one(stmt, read_text, arena, ret, &found, err);
}

static const char SQL_DIVERGENCE_TOTALS[] =
    "SELECT count(*), coalesce(sum(reason <> ''), 0), coalesce(sum(is_marked), 0), "
    "coalesce(sum(fields_count), 0), coalesce(min(CASE WHEN since_ms > 0 THEN since_ms END), 0) "
    "FROM difference WHERE tenant_id = $1 AND connection_id = $2 AND kind = $3 AND began_ms = $4";

static enum fail read_totals(const struct stmt *stmt, struct arena *arena, void *row,
                             struct error *err)
{
    struct store_divergence *divergence = row;

    (void)arena;
    (void)err;
    divergence->differences = stmt_i64(stmt, 0);
    divergence->explained = stmt_i64(stmt, 1);
    divergence->marked = stmt_i64(stmt, 2);
    divergence->fields_differ = stmt_i64(stmt, 3);
    divergence->oldest_ms = stmt_i64(stmt, 4);
    return OK;
}

static const char SQL_DIFFERENCES_DROP[] =
    "DELETE FROM difference WHERE tenant_id = $1 AND connection_id = $2 AND kind = $3 "
    "AND began_ms <> $4";

static const char SQL_DIVERGENCE_PUT[] =
    "INSERT INTO divergence (tenant_id, " DIVERGENCE_COLUMNS
    ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) "
    "ON CONFLICT (tenant_id, connection_id, kind) DO UPDATE SET began_ms = $4, ended_ms = $5, "
    "is_repair = $6, listed = $7, pairs = $8, pairs_read = $9, fields = $10, differences = $11, "
    "explained = $12, marked = $13, fields_differ = $14, oldest_ms = $15";

static void bind_stream(struct stmt *stmt, const struct store_divergence *divergence)
{
    stmt_bind_i64(stmt, 2, divergence->connection_id);
    stmt_bind_str(stmt, 3, divergence->kind);
    stmt_bind_i64(stmt, 4, divergence->began_ms);
}

enum fail divergence_put(struct tx *tx, struct store_divergence *divergence, struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_DIVERGENCE_TOTALS);
    bool found;

    bind_stream(stmt, divergence);
    if (stmt_one(stmt, read_totals, NULL, divergence, &found, err) != OK) {
        return err->code;
    }
    stmt = tx_stmt(tx, SQL_DIFFERENCES_DROP);
    bind_stream(stmt, divergence);
    if (stmt_run(stmt, err) != OK) {
        return err->code;
    }
    stmt = tx_stmt(tx, SQL_DIVERGENCE_PUT);
    bind_stream(stmt, divergence);
    stmt_bind_i64(stmt, 5, divergence->ended_ms);
    stmt_bind_i64(stmt, 6, divergence->is_repair);
    stmt_bind_i64(stmt, 7, divergence->listed);
    stmt_bind_i64(stmt, 8, divergence->pairs);
    stmt_bind_i64(stmt, 9, divergence->pairs_read);
    stmt_bind_i64(stmt, 10, divergence->fields);
    stmt_bind_i64(stmt, 11, divergence->differences);
    stmt_bind_i64(stmt, 12, divergence->explained);
    stmt_bind_i64(stmt, 13, divergence->marked);
    stmt_bind_i64(stmt, 14, divergence->fields_differ);
    stmt_bind_i64(stmt, 15, divergence->oldest_ms);
    return stmt_run(stmt, err);
}
