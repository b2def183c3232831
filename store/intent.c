#include "store/intent.h"

#include "store/inside.h"

#define INTENT_COLUMNS                                                                             \
    "id, connection_id, kind, op, state, record_id, link_id, record_version, claimed_ms, "         \
    "settle_at_ms, attempts, sent"

static enum fail read_intent(const struct stmt *stmt, struct arena *arena, void *row,
                             struct error *err)
{
    struct store_intent *intent = row;

    *intent = (struct store_intent){.id = stmt_i64(stmt, 0),
                                    .connection_id = stmt_i64(stmt, 1),
                                    .kind = arena_str(arena, stmt_str(stmt, 2)),
                                    .op = (enum intent_op)stmt_i64(stmt, 3),
                                    .state = (enum intent_state)stmt_i64(stmt, 4),
                                    .record_id = stmt_i64(stmt, 5),
                                    .link_id = stmt_i64(stmt, 6),
                                    .record_version = stmt_i64(stmt, 7),
                                    .claimed_ms = stmt_i64(stmt, 8),
                                    .settle_at_ms = stmt_i64(stmt, 9),
                                    .attempts = (int)stmt_i64(stmt, 10)};
    return fields_from_json(arena, stmt_str(stmt, 11), &intent->sent, err);
}

static const char SQL_INTENT_INSERT[] =
    "INSERT INTO intent (tenant_id, connection_id, kind, op, state, record_id, link_id, "
    "record_version, claimed_ms, settle_at_ms, attempts, sent) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";

enum fail intent_insert(struct tx *tx, struct store_intent *intent, struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_INTENT_INSERT);
    enum fail failed;

    stmt_bind_i64(stmt, 2, intent->connection_id);
    stmt_bind_str(stmt, 3, intent->kind);
    stmt_bind_i64(stmt, 4, intent->op);
    stmt_bind_i64(stmt, 5, intent->state);
    stmt_bind_i64(stmt, 6, intent->record_id);
    stmt_bind_i64(stmt, 7, intent->link_id);
    stmt_bind_i64(stmt, 8, intent->record_version);
    stmt_bind_i64(stmt, 9, intent->claimed_ms);
    stmt_bind_i64(stmt, 10, intent->settle_at_ms);
    stmt_bind_i64(stmt, 11, intent->attempts);
    stmt_bind_str(stmt, 12, fields_to_json(&tx->scratch, &intent->sent));
    failed = stmt_insert(stmt, &intent->id, err);
    arena_reset(&tx->scratch);
    return failed;
}

static const char SQL_INTENT_UPDATE[] =
    "UPDATE intent SET state = $2, link_id = $3, record_version = $4, claimed_ms = $5, "
    "settle_at_ms = $6, attempts = $7, sent = $8 WHERE tenant_id = $1 AND id = $9";

enum fail intent_update(struct tx *tx, const struct store_intent *intent, struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_INTENT_UPDATE);
    enum fail failed;

    stmt_bind_i64(stmt, 2, intent->state);
    stmt_bind_i64(stmt, 3, intent->link_id);
    stmt_bind_i64(stmt, 4, intent->record_version);
    stmt_bind_i64(stmt, 5, intent->claimed_ms);
    stmt_bind_i64(stmt, 6, intent->settle_at_ms);
    stmt_bind_i64(stmt, 7, intent->attempts);
    stmt_bind_str(stmt, 8, fields_to_json(&tx->scratch, &intent->sent));
    stmt_bind_i64(stmt, 9, intent->id);
    failed = stmt_run_on_one(stmt, "intent", intent->id, err);
    arena_reset(&tx->scratch);
    return failed;
}

static const char SQL_INTENT_DELETE[] = "DELETE FROM intent WHERE tenant_id = $1 AND id = $2";

enum fail intent_delete(struct tx *tx, int64_t id, struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_INTENT_DELETE);

    stmt_bind_i64(stmt, 2, id);
    return stmt_run_on_one(stmt, "intent", id, err);
}

static enum fail list(struct stmt *stmt, struct arena *arena, struct store_intent **ret,
                      size_t *ret_count, struct error *err)
{
    struct rows rows;

    if (stmt_all(stmt, read_intent, sizeof **ret, arena, &rows, err) != OK) {
        return error_wrap(err, "intents");
    }
    *ret = rows.at;
    *ret_count = rows.count;
    return OK;
}

static const char SQL_INTENT_LIST[] =
    "SELECT " INTENT_COLUMNS " FROM intent WHERE tenant_id = $1 AND connection_id = $2 "
    "AND (kind = $3 OR $3 = '') AND id > $4 ORDER BY id LIMIT $5";

enum fail intent_list(struct tx *tx, int64_t connection_id, struct str kind, int64_t after_id,
                      size_t limit, struct arena *arena, struct store_intent **ret,
                      size_t *ret_count, struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_INTENT_LIST);

    stmt_bind_i64(stmt, 2, connection_id);
    stmt_bind_str(stmt, 3, kind);
    stmt_bind_i64(stmt, 4, after_id);
    stmt_bind_limit(stmt, 5, limit);
    return list(stmt, arena, ret, ret_count, err);
}

static const char SQL_INTENTS_OF_LINK[] =
    "SELECT " INTENT_COLUMNS " FROM intent WHERE tenant_id = $1 AND link_id = $2 ORDER BY id";

enum fail intents_of_link(struct tx *tx, int64_t link_id, struct arena *arena,
                          struct store_intent **ret, size_t *ret_count, struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_INTENTS_OF_LINK);

    stmt_bind_i64(stmt, 2, link_id);
    return list(stmt, arena, ret, ret_count, err);
}

static const char SQL_INTENT_OF_RECORD[] =
    "SELECT " INTENT_COLUMNS " FROM intent WHERE tenant_id = $1 AND connection_id = $2 "
    "AND record_id = $3 ORDER BY id LIMIT 1";

enum fail intent_of_record(struct tx *tx, int64_t connection_id, int64_t record_id,
                           struct arena *arena, struct store_intent *ret, bool *ret_found,
                           struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_INTENT_OF_RECORD);

    stmt_bind_i64(stmt, 2, connection_id);
    stmt_bind_i64(stmt, 3, record_id);
    return stmt_one(stmt, read_intent, arena, ret, ret_found, err);
}
