#include "store/usage.h"

#include "store/inside.h"

static const char SQL_USAGE_ADD[] =
    "INSERT INTO usage (tenant_id, connection_id, day, lane, calls, units) "
    "VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (tenant_id, connection_id, day, lane) "
    "DO UPDATE SET calls = calls + $5, units = units + $6";

static const char SQL_RUN_USAGE_ADD[] =
    "INSERT INTO run_usage (tenant_id, run_id, connection_id, calls, units) "
    "VALUES ($1, $2, $3, $4, $5) ON CONFLICT (tenant_id, run_id, connection_id) "
    "DO UPDATE SET calls = calls + $4, units = units + $5";

enum fail usage_add(struct tx *tx, const struct store_usage *usage, int64_t run_id, int64_t now_ms,
                    struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_USAGE_ADD);

    stmt_bind_i64(stmt, 2, usage->connection_id);
    stmt_bind_i64(stmt, 3, now_ms / USAGE_DAY_MS);
    stmt_bind_i64(stmt, 4, usage->lane);
    stmt_bind_i64(stmt, 5, usage->calls);
    stmt_bind_i64(stmt, 6, usage->units);
    if (stmt_run(stmt, err) != OK) {
        return err->code;
    }
    stmt = tx_stmt(tx, SQL_RUN_USAGE_ADD);
    stmt_bind_i64(stmt, 2, run_id);
    stmt_bind_i64(stmt, 3, usage->connection_id);
    stmt_bind_i64(stmt, 4, usage->calls);
    stmt_bind_i64(stmt, 5, usage->units);
    return stmt_run(stmt, err);
}

static enum fail read_usage(const struct stmt *stmt, struct arena *arena, void *row,
                            struct error *err)
{
    (void)arena;
    (void)err;
    *(struct store_usage *)row = (struct store_usage){.connection_id = stmt_i64(stmt, 0),
                                                      .lane = stmt_i64(stmt, 1),
                                                      .calls = stmt_i64(stmt, 2),
                                                      .units = stmt_i64(stmt, 3)};
    return OK;
}

static const char SQL_USAGE_OF_DAY[] =
    "SELECT connection_id, lane, calls, units FROM usage WHERE tenant_id = $1 AND day = $2 "
    "ORDER BY connection_id, lane";

enum fail usage_of_day(struct tx *tx, int64_t now_ms, struct arena *arena, struct store_usage **ret,
                       size_t *ret_count, struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_USAGE_OF_DAY);
    struct rows rows;

    stmt_bind_i64(stmt, 2, now_ms / USAGE_DAY_MS);
    if (stmt_all(stmt, read_usage, sizeof **ret, arena, &rows, err) != OK) {
        return err->code;
    }
    *ret = rows.at;
    *ret_count = rows.count;
    return OK;
}

/* State 1: done. Counters that are 0 may be missing. */
static const char SQL_USAGE_QUIET[] =
    "SELECT count(*), coalesce(sum(calls), 0), coalesce(sum(units), 0) FROM ("
    "SELECT u.calls, u.units FROM run r JOIN run_usage u ON u.tenant_id = $1 AND u.run_id = r.id "
    "AND u.connection_id = $2 WHERE r.tenant_id = $1 AND r.command = $3 AND r.state = 1 "
    "AND r.message = '' AND coalesce(r.counts ->> '$.created_here', 0) + coalesce(r.counts ->> "
    "'$.updated_here', 0) "
    "+ coalesce(r.counts ->> '$.deleted_here', 0) + coalesce(r.counts ->> '$.created_there', 0) "
    "+ coalesce(r.counts ->> '$.updated_there', 0) + coalesce(r.counts ->> '$.deleted_there', 0) "
    "= 0 ORDER BY r.id DESC LIMIT $4)";

static enum fail read_average(const struct stmt *stmt, struct arena *arena, void *row,
                              struct error *err)
{
    (void)arena;
    (void)err;
    *(struct usage_average *)row = (struct usage_average){
        .runs = stmt_i64(stmt, 0), .calls = stmt_i64(stmt, 1), .units = stmt_i64(stmt, 2)};
    return OK;
}

enum fail usage_of_quiet_runs(struct tx *tx, int64_t connection_id, struct str command,
                              int64_t runs_max, struct usage_average *ret, struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_USAGE_QUIET);
    bool found;

    stmt_bind_i64(stmt, 2, connection_id);
    stmt_bind_str(stmt, 3, command);
    stmt_bind_i64(stmt, 4, runs_max);
    return stmt_one(stmt, read_average, NULL, ret, &found, err);
}
