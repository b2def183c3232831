#include "store/endpoint.h"

#include "store/inside.h"

#define ENDPOINT_COLUMNS                                                                           \
    "id, name, state, journal, conflict, refusals, failures, failing_since_ms, next_ms, reason, "  \
    "delivered, failed, changed_ms"

const char *endpoint_state_name(enum endpoint_state state)
{
    static const char *const NAMES[] = {"active", "off", "removed"};

    return NAMES[state];
}

static enum fail read_endpoint(const struct stmt *stmt, struct arena *arena, void *row,
                               struct error *err)
{
    (void)err;
    *(struct store_endpoint *)row =
        (struct store_endpoint){.id = stmt_i64(stmt, 0),
                                .name = arena_str(arena, stmt_str(stmt, 1)),
                                .state = (enum endpoint_state)stmt_i64(stmt, 2),
                                .place = {stmt_i64(stmt, 3), stmt_i64(stmt, 4)},
                                .refusals = stmt_i64(stmt, 5),
                                .failures = stmt_i64(stmt, 6),
                                .failing_since_ms = stmt_i64(stmt, 7),
                                .next_ms = stmt_i64(stmt, 8),
                                .reason = arena_str(arena, stmt_str(stmt, 9)),
                                .delivered = stmt_i64(stmt, 10),
                                .failed = stmt_i64(stmt, 11),
                                .changed_ms = stmt_i64(stmt, 12)};
    return OK;
}

static const char SQL_ENDPOINT_ENSURE[] =
    "INSERT INTO endpoint (tenant_id, name, state, journal, conflict, refusals, failures, "
    "failing_since_ms, next_ms, reason, delivered, failed, changed_ms) VALUES ($1, $2, 0, "
    "coalesce((SELECT max(id) FROM journal), 0), coalesce((SELECT max(id) FROM conflict_note), 0), "
    "0, 0, 0, 0, '', 0, 0, $3) ON CONFLICT (tenant_id, name) DO UPDATE SET state = 0, "
    "journal = excluded.journal, conflict = excluded.conflict, refusals = 0, failures = 0, "
    "failing_since_ms = 0, next_ms = 0, reason = '', changed_ms = excluded.changed_ms "
    "WHERE endpoint.state = 2";

enum fail endpoint_ensure(struct tx *tx, struct str name, struct arena *arena,
                          struct store_endpoint *ret, struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_ENDPOINT_ENSURE);
    bool found;

    stmt_bind_str(stmt, 2, name);
    stmt_bind_i64(stmt, 3, tx_now_ms(tx));
    if (stmt_run(stmt, err) != OK) {
        return err->code;
    }
    return endpoint_by_name(tx, name, arena, ret, &found, err);
}

static const char SQL_ENDPOINT_LIST[] =
    "SELECT " ENDPOINT_COLUMNS " FROM endpoint WHERE tenant_id = $1 ORDER BY id";

enum fail endpoint_list(struct tx *tx, struct arena *arena, struct store_endpoint **ret,
                        size_t *ret_count, struct error *err)
{
    struct rows rows;

    if (stmt_all(tx_stmt(tx, SQL_ENDPOINT_LIST), read_endpoint, sizeof **ret, arena, &rows, err) !=
        OK) {
        return err->code;
    }
    *ret = rows.at;
    *ret_count = rows.count;
    return OK;
}

static const char SQL_ENDPOINT_BY_NAME[] =
    "SELECT " ENDPOINT_COLUMNS " FROM endpoint WHERE tenant_id = $1 AND name = $2";

enum fail endpoint_by_name(struct tx *tx, struct str name, struct arena *arena,
                           struct store_endpoint *ret, bool *ret_found, struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_ENDPOINT_BY_NAME);

    stmt_bind_str(stmt, 2, name);
    return stmt_one(stmt, read_endpoint, arena, ret, ret_found, err);
}

static const char SQL_ENDPOINT_PUT[] =
    "UPDATE endpoint SET state = $2, journal = $3, conflict = $4, refusals = $5, failures = $6, "
    "failing_since_ms = $7, next_ms = $8, reason = $9, delivered = $10, failed = $11, "
    "changed_ms = $12 WHERE tenant_id = $1 AND id = $13";

enum fail endpoint_put(struct tx *tx, struct store_endpoint *endpoint, struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_ENDPOINT_PUT);

    endpoint->changed_ms = tx_now_ms(tx);
    stmt_bind_i64(stmt, 2, endpoint->state);
    stmt_bind_i64(stmt, 3, endpoint->place.journal);
    stmt_bind_i64(stmt, 4, endpoint->place.conflict);
    stmt_bind_i64(stmt, 5, endpoint->refusals);
    stmt_bind_i64(stmt, 6, endpoint->failures);
    stmt_bind_i64(stmt, 7, endpoint->failing_since_ms);
    stmt_bind_i64(stmt, 8, endpoint->next_ms);
    stmt_bind_str(stmt, 9, endpoint->reason);
    stmt_bind_i64(stmt, 10, endpoint->delivered);
    stmt_bind_i64(stmt, 11, endpoint->failed);
    stmt_bind_i64(stmt, 12, endpoint->changed_ms);
    stmt_bind_i64(stmt, 13, endpoint->id);
    return stmt_run_on_one(stmt, "endpoint", endpoint->id, err);
}

/* --- events that were given up -------------------------------------------------------------------------------------------------- */

static enum fail read_dead(const struct stmt *stmt, struct arena *arena, void *row,
                           struct error *err)
{
    (void)err;
    *(struct dead_event *)row = (struct dead_event){.id = stmt_i64(stmt, 0),
                                                    .endpoint_id = stmt_i64(stmt, 1),
                                                    .journal = stmt_i64(stmt, 2),
                                                    .conflict = stmt_i64(stmt, 3),
                                                    .is_to_send = stmt_i64(stmt, 4) != 0,
                                                    .attempts = stmt_i64(stmt, 5),
                                                    .reason = arena_str(arena, stmt_str(stmt, 6)),
                                                    .died_ms = stmt_i64(stmt, 7)};
    return OK;
}

static const char SQL_DEAD_PUT[] =
    "INSERT INTO dead_event (tenant_id, endpoint_id, journal, conflict, is_to_send, attempts, "
    "reason, died_ms) VALUES ($1, $2, $3, $4, 0, $5, $6, $7) "
    "ON CONFLICT (tenant_id, endpoint_id, journal, conflict) DO NOTHING";

enum fail dead_event_put(struct tx *tx, const struct dead_event *dead, struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_DEAD_PUT);

    stmt_bind_i64(stmt, 2, dead->endpoint_id);
    stmt_bind_i64(stmt, 3, dead->journal);
    stmt_bind_i64(stmt, 4, dead->conflict);
    stmt_bind_i64(stmt, 5, dead->attempts);
    stmt_bind_str(stmt, 6, dead->reason);
    stmt_bind_i64(stmt, 7, dead->died_ms);
    return stmt_run(stmt, err);
}

static const char SQL_DEAD_LIST[] =
    "SELECT id, endpoint_id, journal, conflict, is_to_send, attempts, reason, died_ms "
    "FROM dead_event WHERE tenant_id = $1 AND ($2 = 0 OR endpoint_id = $2) AND is_to_send >= $3 "
    "AND id > $4 ORDER BY id LIMIT $5";

enum fail dead_event_list(struct tx *tx, int64_t endpoint_id, bool only_to_send, int64_t after_id,
                          size_t limit, struct arena *arena, struct dead_event **ret,
                          size_t *ret_count, struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_DEAD_LIST);
    struct rows rows;

    stmt_bind_i64(stmt, 2, endpoint_id);
    stmt_bind_i64(stmt, 3, only_to_send);
    stmt_bind_i64(stmt, 4, after_id);
    stmt_bind_limit(stmt, 5, limit);
    if (stmt_all(stmt, read_dead, sizeof **ret, arena, &rows, err) != OK) {
        return err->code;
    }
    *ret = rows.at;
    *ret_count = rows.count;
    return OK;
}

static const char SQL_DEAD_SEND[] =
    "UPDATE dead_event SET is_to_send = 1 WHERE tenant_id = $1 AND id = $2";

enum fail dead_event_send(struct tx *tx, int64_t id, bool *ret_found, struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_DEAD_SEND);

    stmt_bind_i64(stmt, 2, id);
    if (stmt_run(stmt, err) != OK) {
        return err->code;
    }
    *ret_found = stmt_changes(stmt) > 0;
    return OK;
}

static const char SQL_DEAD_SENT[] = "DELETE FROM dead_event WHERE tenant_id = $1 AND id = $2";

enum fail dead_event_sent(struct tx *tx, int64_t id, struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_DEAD_SENT);

    stmt_bind_i64(stmt, 2, id);
    return stmt_run(stmt, err);
}

static const char SQL_DEAD_FAILED[] =
    "UPDATE dead_event SET is_to_send = 0, attempts = attempts + 1, reason = $3 "
    "WHERE tenant_id = $1 AND id = $2";

enum fail dead_event_failed(struct tx *tx, int64_t id, struct str reason, struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_DEAD_FAILED);

    stmt_bind_i64(stmt, 2, id);
    stmt_bind_str(stmt, 3, reason);
    return stmt_run(stmt, err);
}

static const char SQL_DEAD_COUNT[] =
    "SELECT count(*) FROM dead_event WHERE tenant_id = $1 AND ($2 = 0 OR endpoint_id = $2)";

enum fail dead_event_count(struct tx *tx, int64_t endpoint_id, int64_t *ret, struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_DEAD_COUNT);

    stmt_bind_i64(stmt, 2, endpoint_id);
    return stmt_number(stmt, ret, err);
}
