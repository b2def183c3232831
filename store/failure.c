/* Failures (store/review.h): records, or fields of them, that were set aside. */
#include "store/inside.h"
#include "store/review.h"
#include "store/stream.h"

#define FAILURE_COLUMNS                                                                            \
    "id, connection_id, kind, remote_id, record_id, field, stage, reason, message, hint, state, "  \
    "attempts, record_version, first_ms, last_ms, retry_at_ms"

static enum fail read_failure(const struct stmt *stmt, struct arena *arena, void *row,
                              struct error *err)
{
    (void)err;
    *(struct store_failure *)row =
        (struct store_failure){.id = stmt_i64(stmt, 0),
                               .connection_id = stmt_i64(stmt, 1),
                               .kind = arena_str(arena, stmt_str(stmt, 2)),
                               .remote_id = arena_str(arena, stmt_str(stmt, 3)),
                               .record_id = stmt_i64(stmt, 4),
                               .field = arena_str(arena, stmt_str(stmt, 5)),
                               .stage = arena_str(arena, stmt_str(stmt, 6)),
                               .reason = arena_str(arena, stmt_str(stmt, 7)),
                               .message = arena_str(arena, stmt_str(stmt, 8)),
                               .hint = arena_str(arena, stmt_str(stmt, 9)),
                               .state = (enum failure_state)stmt_i64(stmt, 10),
                               .attempts = (int)stmt_i64(stmt, 11),
                               .record_version = stmt_i64(stmt, 12),
                               .first_ms = stmt_i64(stmt, 13),
                               .last_ms = stmt_i64(stmt, 14),
                               .retry_at_ms = stmt_i64(stmt, 15)};
    return OK;
}

static enum fail read_key(const struct stmt *stmt, struct arena *arena, void *row,
                          struct error *err)
{
    struct store_failure *failure = row;

    (void)arena;
    (void)err;
    failure->id = stmt_i64(stmt, 0);
    failure->state = (enum failure_state)stmt_i64(stmt, 1);
    failure->attempts = (int)stmt_i64(stmt, 2);
    failure->first_ms = stmt_i64(stmt, 3);
    return OK;
}

static const char SQL_FAILURE_PUT[] =
    "INSERT INTO failure (tenant_id, connection_id, kind, remote_id, record_id, field, stage, "
    "reason, message, hint, state, attempts, record_version, first_ms, last_ms, retry_at_ms) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0, 1, $11, $12, $13, $14) "
    "ON CONFLICT (tenant_id, connection_id, kind, remote_id, "
    "(CASE WHEN remote_id = '' THEN record_id ELSE 0 END), field) DO UPDATE SET "
    "state = CASE WHEN failure.record_version = excluded.record_version "
    "AND failure.message = excluded.message THEN failure.state ELSE 0 END, "
    "attempts = failure.attempts + 1, record_id = excluded.record_id, stage = excluded.stage, "
    "reason = excluded.reason, message = excluded.message, hint = excluded.hint, "
    "record_version = excluded.record_version, last_ms = excluded.last_ms, "
    "retry_at_ms = excluded.retry_at_ms RETURNING id, state, attempts, first_ms";

enum fail failure_put(struct tx *tx, struct store_failure *failure, struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_FAILURE_PUT);
    bool found;

    stmt_bind_i64(stmt, 2, failure->connection_id);
    stmt_bind_str(stmt, 3, failure->kind);
    stmt_bind_str(stmt, 4, failure->remote_id);
    stmt_bind_i64(stmt, 5, failure->record_id);
    stmt_bind_str(stmt, 6, failure->field);
    stmt_bind_str(stmt, 7, failure->stage);
    stmt_bind_str(stmt, 8, failure->reason);
    stmt_bind_str(stmt, 9, failure->message);
    stmt_bind_str(stmt, 10, failure->hint);
    stmt_bind_i64(stmt, 11, failure->record_version);
    stmt_bind_i64(stmt, 12, failure->first_ms);
    stmt_bind_i64(stmt, 13, failure->last_ms);
    stmt_bind_i64(stmt, 14, failure->retry_at_ms);
    return stmt_one(stmt, read_key, NULL, failure, &found, err);
}

/* What the two ways of clearing have in common. */
struct clearing {
    int64_t connection_id;
    struct str kind, stage, field;
};

static enum fail run_clearing(struct stmt *stmt, const struct clearing *c, struct error *err)
{
    stmt_bind_i64(stmt, 2, c->connection_id);
    stmt_bind_str(stmt, 3, c->kind);
    stmt_bind_str(stmt, 5, c->stage);
    stmt_bind_str(stmt, 6, c->field);
    return stmt_run(stmt, err);
}

static const char SQL_FAILURE_CLEAR_REMOTE[] =
    "DELETE FROM failure WHERE tenant_id = $1 AND connection_id = $2 AND kind = $3 "
    "AND remote_id = $4 AND (stage = $5 OR $5 = '') AND (field = $6 OR $6 = '*')";

static enum fail clear_remote(struct tx *tx, const struct clearing *c, struct str remote_id,
                              struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_FAILURE_CLEAR_REMOTE);

    stmt_bind_str(stmt, 4, remote_id);
    return run_clearing(stmt, c, err);
}

static const char SQL_FAILURE_CLEAR_RECORD[] =
    "DELETE FROM failure WHERE tenant_id = $1 AND connection_id = $2 AND kind = $3 "
    "AND record_id = $4 AND (stage = $5 OR $5 = '') AND (field = $6 OR $6 = '*')";

static enum fail clear_record(struct tx *tx, const struct clearing *c, int64_t record_id,
                              struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_FAILURE_CLEAR_RECORD);

    stmt_bind_i64(stmt, 4, record_id);
    return run_clearing(stmt, c, err);
}

enum fail failure_clear(struct tx *tx, int64_t connection_id, struct str kind, struct str remote_id,
                        int64_t record_id, struct str stage, struct str field, struct error *err)
{
    struct clearing clearing = {
        .connection_id = connection_id, .kind = kind, .stage = stage, .field = field};

    if ((remote_id.len && clear_remote(tx, &clearing, remote_id, err) != OK) ||
        (record_id && clear_record(tx, &clearing, record_id, err) != OK)) {
        return err->code;
    }
    return OK;
}

static const char SQL_FAILURE_BY_ID[] =
    "SELECT " FAILURE_COLUMNS " FROM failure WHERE tenant_id = $1 AND id = $2";

enum fail failure_by_id(struct tx *tx, int64_t id, struct arena *arena, struct store_failure *ret,
                        bool *ret_found, struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_FAILURE_BY_ID);

    stmt_bind_i64(stmt, 2, id);
    return stmt_one(stmt, read_failure, arena, ret, ret_found, err);
}

static const char SQL_FAILURE_LIST[] =
    "SELECT " FAILURE_COLUMNS " FROM failure WHERE tenant_id = $1 AND state <= $2 AND id > $3 "
    "ORDER BY id LIMIT $4";

enum fail failure_list(struct tx *tx, bool with_discarded, int64_t after_id, size_t limit,
                       struct arena *arena, struct store_failure **ret, size_t *ret_count,
                       struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_FAILURE_LIST);
    struct rows rows;

    stmt_bind_i64(stmt, 2, with_discarded ? FAILURE_DISCARDED : FAILURE_OPEN);
    stmt_bind_i64(stmt, 3, after_id);
    stmt_bind_limit(stmt, 4, limit);
    if (stmt_all(stmt, read_failure, sizeof **ret, arena, &rows, err) != OK) {
        return err->code;
    }
    *ret = rows.at;
    *ret_count = rows.count;
    return OK;
}

static const char SQL_FAILURE_COUNT[] =
    "SELECT count(*) FROM failure WHERE tenant_id = $1 AND state = 0";

enum fail failure_count_open(struct tx *tx, int64_t *ret, struct error *err)
{
    return stmt_number(tx_stmt(tx, SQL_FAILURE_COUNT), ret, err);
}

static const char SQL_FAILURE_RETRY[] =
    "UPDATE failure SET state = 0, retry_at_ms = 0 WHERE tenant_id = $1 AND id = $2";

static enum fail release(struct tx *tx, int64_t id, struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_FAILURE_RETRY);

    stmt_bind_i64(stmt, 2, id);
    return stmt_run_on_one(stmt, "failure", id, err);
}

enum fail failure_retry(struct tx *tx, int64_t id, struct error *err)
{
    AUTO_ARENA struct arena arena = {0};
    struct store_failure failure;
    bool found;

    if (release(tx, id, err) != OK || failure_by_id(tx, id, &arena, &failure, &found, err) != OK) {
        return err->code;
    }
    return failure.remote_id.len
               ? dirty_put(tx, failure.connection_id, failure.kind, failure.remote_id, err)
               : OK;
}

static const char SQL_FAILURE_DISCARD[] =
    "UPDATE failure SET state = 1 WHERE tenant_id = $1 AND id = $2";

enum fail failure_discard(struct tx *tx, int64_t id, struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_FAILURE_DISCARD);

    stmt_bind_i64(stmt, 2, id);
    return stmt_run_on_one(stmt, "failure", id, err);
}

static const char SQL_FAILURES_OF_STAGE[] =
    "SELECT " FAILURE_COLUMNS " FROM failure WHERE tenant_id = $1 AND connection_id = $2 "
    "AND kind = $3 AND stage = $4 ORDER BY id LIMIT $5";

enum fail failures_of_stage(struct tx *tx, int64_t connection_id, struct str kind, struct str stage,
                            size_t limit, struct arena *arena, struct store_failure **ret,
                            size_t *ret_count, struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_FAILURES_OF_STAGE);
    struct rows rows;

    stmt_bind_i64(stmt, 2, connection_id);
    stmt_bind_str(stmt, 3, kind);
    stmt_bind_str(stmt, 4, stage);
    stmt_bind_limit(stmt, 5, limit);
    if (stmt_all(stmt, read_failure, sizeof **ret, arena, &rows, err) != OK) {
        return err->code;
    }
    *ret = rows.at;
    *ret_count = rows.count;
    return OK;
}
