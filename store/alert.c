#include "store/alert.h"

#include "store/inside.h"

const char *alert_state_name(enum alert_state state)
{
    switch (state) {
    case ALERT_QUIET:
        return "quiet";
    case ALERT_PENDING:
        return "pending";
    case ALERT_FIRING:
        return "firing";
    }
    return "unknown";
}

static enum fail read_alert(const struct stmt *stmt, struct arena *arena, void *row,
                            struct error *err)
{
    (void)err;
    *(struct store_alert *)row =
        (struct store_alert){.name = arena_str(arena, stmt_str(stmt, 0)),
                             .state = (enum alert_state)stmt_i64(stmt, 1),
                             .since_ms = stmt_i64(stmt, 2),
                             .quiet_since_ms = stmt_i64(stmt, 3),
                             .told_ms = stmt_i64(stmt, 4),
                             .to_tell = (enum alert_news)stmt_i64(stmt, 5),
                             .attempts = stmt_i64(stmt, 6),
                             .told = arena_str(arena, stmt_str(stmt, 7)),
                             .number = stmt_i64(stmt, 8),
                             .detail = arena_str(arena, stmt_str(stmt, 9))};
    return OK;
}

/* Of no tenant. */
static const char SQL_ALERT_LIST[] = "SELECT name, state, since_ms, quiet_since_ms, told_ms, "
                                     "to_tell, attempts, told, number, detail FROM alert "
                                     "ORDER BY name";

enum fail alert_list(struct tx *tx, struct arena *arena, struct store_alert **ret,
                     size_t *ret_count, struct error *err)
{
    struct rows rows;

    if (stmt_all(engine_stmt(tx->engine, SQL_ALERT_LIST), read_alert, sizeof **ret, arena, &rows,
                 err) != OK) {
        return err->code;
    }
    *ret = rows.at;
    *ret_count = rows.count;
    return OK;
}

static const char SQL_ALERT_PUT[] =
    "INSERT INTO alert (name, state, since_ms, quiet_since_ms, told_ms, to_tell, attempts, told, "
    "number, detail) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (name) DO UPDATE "
    "SET state = $2, since_ms = $3, quiet_since_ms = $4, told_ms = $5, to_tell = $6, "
    "attempts = $7, told = $8, number = $9, detail = $10";

enum fail alert_put(struct tx *tx, const struct store_alert *alert, struct error *err)
{
    struct stmt *stmt = engine_stmt(tx->engine, SQL_ALERT_PUT);

    stmt_bind_str(stmt, 1, alert->name);
    stmt_bind_i64(stmt, 2, alert->state);
    stmt_bind_i64(stmt, 3, alert->since_ms);
    stmt_bind_i64(stmt, 4, alert->quiet_since_ms);
    stmt_bind_i64(stmt, 5, alert->told_ms);
    stmt_bind_i64(stmt, 6, alert->to_tell);
    stmt_bind_i64(stmt, 7, alert->attempts);
    stmt_bind_str(stmt, 8, alert->told);
    stmt_bind_i64(stmt, 9, alert->number);
    stmt_bind_str(stmt, 10, alert->detail);
    return stmt_run(stmt, err);
}
