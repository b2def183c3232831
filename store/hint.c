/* Hints (store/stream.h): dirty marks, and the inbox of webhook events that become dirty marks. */
#include "store/inside.h"
#include "store/stream.h"

/* Longer than any CRM repeats a delivery: Salesforce gives up after 24 h, HubSpot after about the same. */
static const int64_t INBOX_KEEP_MS = INT64_C(3) * 24 * 60 * 60 * 1000;

static const char SQL_DIRTY_PUT[] =
    "INSERT INTO dirty (tenant_id, connection_id, kind, remote_id, generation) "
    "VALUES ($1, $2, $3, $4, 1) ON CONFLICT (tenant_id, connection_id, kind, remote_id) "
    "DO UPDATE SET generation = dirty.generation + 1";

enum fail dirty_put(struct tx *tx, int64_t connection_id, struct str kind, struct str remote_id,
                    struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_DIRTY_PUT);

    stmt_bind_i64(stmt, 2, connection_id);
    stmt_bind_str(stmt, 3, kind);
    stmt_bind_str(stmt, 4, remote_id);
    return stmt_run(stmt, err);
}

static enum fail read_mark(const struct stmt *stmt, struct arena *arena, void *row,
                           struct error *err)
{
    (void)err;
    *(struct dirty_mark *)row = (struct dirty_mark){
        .remote_id = arena_str(arena, stmt_str(stmt, 0)), .generation = stmt_i64(stmt, 1)};
    return OK;
}

static const char SQL_DIRTY_LIST[] =
    "SELECT remote_id, generation FROM dirty WHERE tenant_id = $1 AND connection_id = $2 "
    "AND kind = $3 AND remote_id > $5 ORDER BY remote_id LIMIT $4";

enum fail dirty_list(struct tx *tx, int64_t connection_id, struct str kind, struct str after,
                     size_t limit, struct arena *arena, struct dirty_mark **ret, size_t *ret_count,
                     struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_DIRTY_LIST);
    struct rows rows;

    stmt_bind_i64(stmt, 2, connection_id);
    stmt_bind_str(stmt, 3, kind);
    stmt_bind_limit(stmt, 4, limit);
    stmt_bind_str(stmt, 5, after);
    if (stmt_all(stmt, read_mark, sizeof **ret, arena, &rows, err) != OK) {
        return err->code;
    }
    *ret = rows.at;
    *ret_count = rows.count;
    return OK;
}

static const char SQL_DIRTY_CLEAR[] =
    "DELETE FROM dirty WHERE tenant_id = $1 AND connection_id = $2 AND kind = $3 "
    "AND remote_id = $4 AND generation = $5";

enum fail dirty_clear(struct tx *tx, int64_t connection_id, struct str kind,
                      const struct dirty_mark *mark, struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_DIRTY_CLEAR);

    stmt_bind_i64(stmt, 2, connection_id);
    stmt_bind_str(stmt, 3, kind);
    stmt_bind_str(stmt, 4, mark->remote_id);
    stmt_bind_i64(stmt, 5, mark->generation);
    return stmt_run(stmt, err);
}

static const char SQL_INBOX_PUT[] = "INSERT INTO inbox (tenant_id, connection_id, event_key, kind, "
                                    "remote_id, is_done, received_ms) "
                                    "VALUES ($1, $2, $3, $4, $5, 0, $6) "
                                    "ON CONFLICT (tenant_id, connection_id, event_key) DO NOTHING";

enum fail inbox_put(struct tx *tx, int64_t connection_id, struct str event_key, struct str kind,
                    struct str remote_id, bool *ret_new, struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_INBOX_PUT);

    stmt_bind_i64(stmt, 2, connection_id);
    stmt_bind_str(stmt, 3, event_key);
    stmt_bind_str(stmt, 4, kind);
    stmt_bind_str(stmt, 5, remote_id);
    stmt_bind_i64(stmt, 6, tx_now_ms(tx));
    if (stmt_run(stmt, err) != OK) {
        return err->code;
    }
    *ret_new = stmt_changes(stmt) == 1;
    return OK;
}

struct event {
    int64_t id, connection_id;
    struct str kind, remote_id;
};

static enum fail read_event(const struct stmt *stmt, struct arena *arena, void *row,
                            struct error *err)
{
    (void)err;
    *(struct event *)row = (struct event){.id = stmt_i64(stmt, 0),
                                          .connection_id = stmt_i64(stmt, 1),
                                          .kind = arena_str(arena, stmt_str(stmt, 2)),
                                          .remote_id = arena_str(arena, stmt_str(stmt, 3))};
    return OK;
}

static const char SQL_INBOX_LIST[] =
    "SELECT id, connection_id, kind, remote_id FROM inbox WHERE tenant_id = $1 AND is_done = 0 "
    "ORDER BY received_ms, id LIMIT $2";

static enum fail list_events(struct tx *tx, size_t limit, struct arena *arena, struct rows *ret,
                             struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_INBOX_LIST);

    stmt_bind_limit(stmt, 2, limit);
    return stmt_all(stmt, read_event, sizeof(struct event), arena, ret, err);
}

static const char SQL_INBOX_DONE[] =
    "UPDATE inbox SET is_done = 1 WHERE tenant_id = $1 AND id = $2";

static enum fail triage(struct tx *tx, const struct event *event, struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_INBOX_DONE);

    stmt_bind_i64(stmt, 2, event->id);
    if (stmt_run_on_one(stmt, "event", event->id, err) != OK) {
        return err->code;
    }
    return dirty_put(tx, event->connection_id, event->kind, event->remote_id, err);
}

static const char SQL_INBOX_FORGET[] =
    "DELETE FROM inbox WHERE tenant_id = $1 AND is_done = 1 AND received_ms < $2";

static enum fail forget_old(struct tx *tx, struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_INBOX_FORGET);

    stmt_bind_i64(stmt, 2, tx_now_ms(tx) - INBOX_KEEP_MS);
    return stmt_run(stmt, err);
}

enum fail inbox_triage(struct tx *tx, size_t limit, size_t *ret_count, struct error *err)
{
    AUTO_ARENA struct arena arena = {0};
    struct rows rows;
    const struct event *events;

    if (list_events(tx, limit, &arena, &rows, err) != OK) {
        return err->code;
    }
    events = rows.at;
    for (size_t i = 0; i < rows.count; i++) {
        if (triage(tx, &events[i], err) != OK) {
            return err->code;
        }
    }
    *ret_count = rows.count;
    return forget_old(tx, err);
}
