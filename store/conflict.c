/* Conflicts (store/review.h). */
#include "store/inside.h"
#include "store/review.h"

#define CONFLICT_COLUMNS                                                                           \
    "id, type, state, record_id, link_id, connection_id, kind, field, version, hub_changed_ms, "   \
    "remote_changed_ms, resolution, opened_ms, changed_ms, candidates"

static enum fail read_candidates(const struct stmt *stmt, struct arena *arena,
                                 struct store_conflict *conflict, struct error *err)
{
    struct fields candidates;

    if (fields_from_json(arena, stmt_str(stmt, 14), &candidates, err) != OK) {
        return error_wrap(err, "conflict %lld", (long long)conflict->id);
    }
    conflict->base = *fields_get(&candidates, STR("base"));
    conflict->hub = *fields_get(&candidates, STR("hub"));
    conflict->remote = *fields_get(&candidates, STR("remote"));
    return OK;
}

static enum fail read_conflict(const struct stmt *stmt, struct arena *arena, void *row,
                               struct error *err)
{
    struct store_conflict *conflict = row;

    *conflict = (struct store_conflict){.id = stmt_i64(stmt, 0),
                                        .type = (enum conflict_type)stmt_i64(stmt, 1),
                                        .state = (enum conflict_state)stmt_i64(stmt, 2),
                                        .record_id = stmt_i64(stmt, 3),
                                        .link_id = stmt_i64(stmt, 4),
                                        .connection_id = stmt_i64(stmt, 5),
                                        .kind = arena_str(arena, stmt_str(stmt, 6)),
                                        .field = arena_str(arena, stmt_str(stmt, 7)),
                                        .version = stmt_i64(stmt, 8),
                                        .hub_changed_ms = stmt_i64(stmt, 9),
                                        .remote_changed_ms = stmt_i64(stmt, 10),
                                        .resolution = arena_str(arena, stmt_str(stmt, 11)),
                                        .opened_ms = stmt_i64(stmt, 12),
                                        .changed_ms = stmt_i64(stmt, 13)};
    return read_candidates(stmt, arena, conflict, err);
}

static struct str candidates_of(struct arena *arena, const struct store_conflict *conflict)
{
    struct fields candidates = {0};

    fields_set(&candidates, arena, STR("base"), conflict->base);
    fields_set(&candidates, arena, STR("hub"), conflict->hub);
    fields_set(&candidates, arena, STR("remote"), conflict->remote);
    return fields_to_json(arena, &candidates);
}

static enum fail read_key(const struct stmt *stmt, struct arena *arena, void *row,
                          struct error *err)
{
    struct store_conflict *conflict = row;

    (void)arena;
    (void)err;
    conflict->id = stmt_i64(stmt, 0);
    conflict->version = stmt_i64(stmt, 1);
    return OK;
}

/* What becomes of the open conflict of a link and field ("*": of any), noted before it is written (store/feed.h). */
static const char SQL_CONFLICT_NOTE[] =
    "INSERT INTO conflict_note (tenant_id, conflict_id, state, after_journal, at_ms) "
    "SELECT $1, id, $2, coalesce((SELECT max(id) FROM journal), 0), $3 FROM conflict "
    "WHERE tenant_id = $1 AND link_id = $4 AND ($5 = '*' OR field = $5) AND state = 0";

static enum fail note(struct tx *tx, int64_t link_id, struct str field, enum conflict_state state,
                      struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_CONFLICT_NOTE);

    stmt_bind_i64(stmt, 2, state);
    stmt_bind_i64(stmt, 3, tx_now_ms(tx));
    stmt_bind_i64(stmt, 4, link_id);
    stmt_bind_str(stmt, 5, field);
    return stmt_run(stmt, err);
}

static const char SQL_CONFLICT_IS_OPEN[] = "SELECT count(*) FROM conflict WHERE tenant_id = $1 AND "
                                           "link_id = $2 AND field = $3 AND state = 0";

static enum fail is_open(struct tx *tx, const struct store_conflict *conflict, bool *ret,
                         struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_CONFLICT_IS_OPEN);
    int64_t count = 0;

    stmt_bind_i64(stmt, 2, conflict->link_id);
    stmt_bind_str(stmt, 3, conflict->field);
    if (stmt_number(stmt, &count, err) != OK) {
        return err->code;
    }
    *ret = count > 0;
    return OK;
}

/* When the candidates are the same, only the times are brought up to date. */
static const char SQL_CONFLICT_PUT[] =
    "INSERT INTO conflict (tenant_id, type, state, record_id, link_id, connection_id, kind, field, "
    "version, hub_changed_ms, remote_changed_ms, resolution, opened_ms, changed_ms, candidates) "
    "VALUES ($1, $2, 0, $3, $4, $5, $6, $7, 1, $8, $9, '', $10, $11, $12) "
    "ON CONFLICT (tenant_id, link_id, field) WHERE state = 0 DO UPDATE SET "
    "version = conflict.version + "
    "CASE WHEN conflict.candidates = excluded.candidates THEN 0 ELSE 1 END, "
    "changed_ms = CASE WHEN conflict.candidates = excluded.candidates "
    "THEN conflict.changed_ms ELSE excluded.changed_ms END, "
    "type = excluded.type, record_id = excluded.record_id, "
    "hub_changed_ms = excluded.hub_changed_ms, remote_changed_ms = excluded.remote_changed_ms, "
    "candidates = excluded.candidates RETURNING id, version";

static enum fail put(struct tx *tx, struct store_conflict *conflict, struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_CONFLICT_PUT);
    enum fail failed;
    bool found;

    stmt_bind_i64(stmt, 2, conflict->type);
    stmt_bind_i64(stmt, 3, conflict->record_id);
    stmt_bind_i64(stmt, 4, conflict->link_id);
    stmt_bind_i64(stmt, 5, conflict->connection_id);
    stmt_bind_str(stmt, 6, conflict->kind);
    stmt_bind_str(stmt, 7, conflict->field);
    stmt_bind_i64(stmt, 8, conflict->hub_changed_ms);
    stmt_bind_i64(stmt, 9, conflict->remote_changed_ms);
    stmt_bind_i64(stmt, 10, conflict->opened_ms);
    stmt_bind_i64(stmt, 11, conflict->changed_ms);
    stmt_bind_str(stmt, 12, candidates_of(&tx->scratch, conflict));
    failed = stmt_one(stmt, read_key, NULL, conflict, &found, err);
    arena_reset(&tx->scratch);
    return failed;
}

enum fail conflict_put(struct tx *tx, struct store_conflict *conflict, struct error *err)
{
    bool was_open;

    if (is_open(tx, conflict, &was_open, err) != OK || put(tx, conflict, err) != OK || was_open) {
        return err->code;
    }
    return note(tx, conflict->link_id, conflict->field, CONFLICT_OPEN, err);
}

static const char SQL_CONFLICT_END[] =
    "UPDATE conflict SET state = $2, resolution = $3, changed_ms = $4 "
    "WHERE tenant_id = $1 AND link_id = $5 AND field = $6 AND state = 0";

enum fail conflict_end(struct tx *tx, int64_t link_id, struct str field, enum conflict_state state,
                       struct str resolution, bool *ret_ended, struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_CONFLICT_END);

    if (note(tx, link_id, field, state, err) != OK) {
        return err->code;
    }
    stmt_bind_i64(stmt, 2, state);
    stmt_bind_str(stmt, 3, resolution);
    stmt_bind_i64(stmt, 4, tx_now_ms(tx));
    stmt_bind_i64(stmt, 5, link_id);
    stmt_bind_str(stmt, 6, field);
    if (stmt_run(stmt, err) != OK) {
        return err->code;
    }
    *ret_ended = stmt_changes(stmt) > 0;
    return OK;
}

static const char SQL_CONFLICTS_CLOSE[] =
    "UPDATE conflict SET state = $2, resolution = 'closed', changed_ms = $3 "
    "WHERE tenant_id = $1 AND link_id = $4 AND state = 0";

enum fail conflicts_close(struct tx *tx, int64_t link_id, struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_CONFLICTS_CLOSE);

    if (note(tx, link_id, STR("*"), CONFLICT_CLOSED, err) != OK) {
        return err->code;
    }
    stmt_bind_i64(stmt, 2, CONFLICT_CLOSED);
    stmt_bind_i64(stmt, 3, tx_now_ms(tx));
    stmt_bind_i64(stmt, 4, link_id);
    return stmt_run(stmt, err);
}

static const char SQL_CONFLICT_BY_ID[] =
    "SELECT " CONFLICT_COLUMNS " FROM conflict WHERE tenant_id = $1 AND id = $2";

enum fail conflict_by_id(struct tx *tx, int64_t id, struct arena *arena, struct store_conflict *ret,
                         bool *ret_found, struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_CONFLICT_BY_ID);

    stmt_bind_i64(stmt, 2, id);
    return stmt_one(stmt, read_conflict, arena, ret, ret_found, err);
}

static enum fail list(struct stmt *stmt, struct arena *arena, struct store_conflict **ret,
                      size_t *ret_count, struct error *err)
{
    struct rows rows;

    if (stmt_all(stmt, read_conflict, sizeof **ret, arena, &rows, err) != OK) {
        return err->code;
    }
    *ret = rows.at;
    *ret_count = rows.count;
    return OK;
}

static const char SQL_CONFLICT_LIST[] =
    "SELECT " CONFLICT_COLUMNS " FROM conflict WHERE tenant_id = $1 AND state <= $2 AND id > $3 "
    "ORDER BY id LIMIT $4";

enum fail conflict_list(struct tx *tx, bool with_ended, int64_t after_id, size_t limit,
                        struct arena *arena, struct store_conflict **ret, size_t *ret_count,
                        struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_CONFLICT_LIST);

    stmt_bind_i64(stmt, 2, with_ended ? CONFLICT_CLOSED : CONFLICT_OPEN);
    stmt_bind_i64(stmt, 3, after_id);
    stmt_bind_limit(stmt, 4, limit);
    return list(stmt, arena, ret, ret_count, err);
}

static const char SQL_CONFLICTS_OF_LINK[] =
    "SELECT " CONFLICT_COLUMNS " FROM conflict WHERE tenant_id = $1 AND link_id = $2 AND state = 0 "
    "ORDER BY id";

enum fail conflicts_of_link(struct tx *tx, int64_t link_id, struct arena *arena,
                            struct store_conflict **ret, size_t *ret_count, struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_CONFLICTS_OF_LINK);

    stmt_bind_i64(stmt, 2, link_id);
    return list(stmt, arena, ret, ret_count, err);
}

static const char SQL_CONFLICT_COUNT[] =
    "SELECT count(*) FROM conflict WHERE tenant_id = $1 AND state = 0";

enum fail conflict_count_open(struct tx *tx, int64_t *ret, struct error *err)
{
    return stmt_number(tx_stmt(tx, SQL_CONFLICT_COUNT), ret, err);
}
