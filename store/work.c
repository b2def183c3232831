#include "store/work.h"

#include "store/inside.h"
#include "store/link.h"

/* The conditions on links are those of the listings in link_list.c, and of their index. */
static const char SQL_WORK[] =
    "SELECT EXISTS (SELECT 1 FROM dirty d WHERE d.tenant_id = $1 AND d.connection_id = $2 "
    "AND d.kind = $3), "
    "EXISTS (SELECT 1 FROM link l WHERE l.state = 0 AND l.synced_version < l.record_version "
    "AND l.tenant_id = $1 AND l.connection_id = $2 AND l.kind = $3 AND l.retry_at_ms <= $4 "
    "AND NOT EXISTS (SELECT 1 FROM intent i WHERE i.tenant_id = $1 AND i.link_id = l.id)), "
    "EXISTS (SELECT 1 FROM intent i WHERE i.tenant_id = $1 AND i.connection_id = $2 "
    "AND i.kind = $3), "
    "EXISTS (SELECT 1 FROM brake b WHERE b.tenant_id = $1 AND b.connection_id = $2 "
    "AND b.kind = $3), "
    "EXISTS (SELECT 1 FROM link l WHERE l.tenant_id = $1 AND l.connection_id = $2 AND l.kind = $3 "
    "AND l.state = 1 AND l.is_resting = 0 AND l.gone_since_ms <= $5 AND NOT EXISTS (SELECT 1 "
    "FROM conflict c WHERE c.tenant_id = $1 AND c.link_id = l.id AND c.state = 0 AND c.type = 1))";

static enum fail read_work(const struct stmt *stmt, struct arena *arena, void *row,
                           struct error *err)
{
    (void)arena;
    (void)err;
    *(struct store_work *)row = (struct store_work){.marked = stmt_i64(stmt, 0) != 0,
                                                    .updates = stmt_i64(stmt, 1) != 0,
                                                    .unsettled = stmt_i64(stmt, 2) != 0,
                                                    .braked = stmt_i64(stmt, 3) != 0,
                                                    .gone = stmt_i64(stmt, 4) != 0};
    return OK;
}

enum fail work_of_stream(struct tx *tx, const struct work_question *question,
                         struct store_work *ret, struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_WORK);
    int64_t id;
    size_t count = 0;
    bool found;

    stmt_bind_i64(stmt, 2, question->connection_id);
    stmt_bind_str(stmt, 3, question->kind);
    stmt_bind_i64(stmt, 4, question->now_ms);
    stmt_bind_i64(stmt, 5, question->gone_before_ms);
    if (stmt_one(stmt, read_work, NULL, ret, &found, err) != OK ||
        (question->with_creates &&
         records_to_create(tx, question->connection_id, question->kind, question->now_ms,
                           question->after_journal, 0, 1, &id, &count, err) != OK)) {
        return err->code;
    }
    ret->creates = count > 0;
    return OK;
}

static const char SQL_JOURNAL_NEWEST[] = "SELECT coalesce(max(id), 0) FROM journal";

enum fail journal_newest(struct tx *tx, int64_t *ret, struct error *err)
{
    return stmt_number(engine_stmt(tx->engine, SQL_JOURNAL_NEWEST), ret, err);
}
