/* Listings of links that the sync derives its work from (store/link.h): what to push, what to create, what is missing. */
#include "store/link_row.h"

static enum fail list_links(struct stmt *stmt, struct arena *arena, struct store_link **ret,
                            size_t *ret_count, struct error *err)
{
    struct rows rows;

    if (stmt_all(stmt, link_read, sizeof **ret, arena, &rows, err) != OK) {
        return err->code;
    }
    *ret = rows.at;
    *ret_count = rows.count;
    return OK;
}

/* The first two conditions are those of the index link_to_push, word for word. */
#define FROM_LINKS_TO_PUSH                                                                         \
    " FROM link l WHERE l.state = 0 AND l.synced_version < l.record_version "                      \
    "AND l.tenant_id = $1 AND l.connection_id = $2 AND l.kind = $3 AND l.retry_at_ms <= $4 "       \
    "AND NOT EXISTS (SELECT 1 FROM intent i WHERE i.tenant_id = $1 AND i.link_id = l.id) "

static const char SQL_LINKS_TO_PUSH[] =
    "SELECT " LINK_COLUMNS FROM_LINKS_TO_PUSH
    "AND ($7 = 0 OR $7 = 1 + (SELECT r.state = 1 FROM record r WHERE r.id = l.record_id)) "
    "AND l.id > $5 ORDER BY l.id LIMIT $6";

enum fail links_to_push(struct tx *tx, int64_t connection_id, struct str kind, enum push_part part,
                        int64_t now_ms, int64_t after_id, size_t limit, struct arena *arena,
                        struct store_link **ret, size_t *ret_count, struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_LINKS_TO_PUSH);

    stmt_bind_i64(stmt, 2, connection_id);
    stmt_bind_str(stmt, 3, kind);
    stmt_bind_i64(stmt, 4, now_ms);
    stmt_bind_i64(stmt, 5, after_id);
    stmt_bind_limit(stmt, 6, limit);
    stmt_bind_i64(stmt, 7, part);
    return list_links(stmt, arena, ret, ret_count, err);
}

/* Records to create. A failure of the whole record holds it until its time, or until the record is another than the one
 * that failed; discarded, it holds until then. */
#define WHERE_RECORD_TO_CREATE                                                                     \
    " WHERE r.tenant_id = $1 AND r.kind = $2 AND r.state = 0 "                                     \
    "AND NOT EXISTS (SELECT 1 FROM link l WHERE l.tenant_id = $1 AND l.connection_id = $3 "        \
    "AND l.record_id = r.id) "                                                                     \
    "AND NOT EXISTS (SELECT 1 FROM intent i WHERE i.tenant_id = $1 AND i.connection_id = $3 "      \
    "AND i.record_id = r.id) "                                                                     \
    "AND NOT EXISTS (SELECT 1 FROM failure f WHERE f.tenant_id = $1 AND f.connection_id = $3 "     \
    "AND f.record_id = r.id AND f.field = '' AND (f.retry_at_ms > $4 OR f.state = 1) "             \
    "AND (f.record_version = 0 OR f.record_version >= r.version)) "

#define FROM_RECORDS_TO_CREATE " FROM record r" WHERE_RECORD_TO_CREATE
#define PAGE_OF_RECORDS_TO_CREATE WHERE_RECORD_TO_CREATE "AND r.id > $5 ORDER BY r.id LIMIT $6"

static const char SQL_RECORDS_TO_CREATE[] = "SELECT r.id FROM record r" PAGE_OF_RECORDS_TO_CREATE;
/* The journal is read by its own order alone, and its records one by one. */
static const char SQL_RECENT_RECORDS_TO_CREATE[] =
    "SELECT r.id FROM (SELECT DISTINCT record_id FROM journal WHERE id > $7 AND tenant_id = $1) j "
    "CROSS JOIN record r ON r.id = j.record_id" PAGE_OF_RECORDS_TO_CREATE;

enum fail records_to_create(struct tx *tx, int64_t connection_id, struct str kind, int64_t now_ms,
                            int64_t after_journal, int64_t after_id, size_t limit, int64_t *ret_ids,
                            size_t *ret_count, struct error *err)
{
    struct stmt *stmt =
        tx_stmt(tx, after_journal ? SQL_RECENT_RECORDS_TO_CREATE : SQL_RECORDS_TO_CREATE);
    size_t count = 0;
    bool is_row = true;

    stmt_bind_str(stmt, 2, kind);
    stmt_bind_i64(stmt, 3, connection_id);
    stmt_bind_i64(stmt, 4, now_ms);
    stmt_bind_i64(stmt, 5, after_id);
    stmt_bind_limit(stmt, 6, limit);
    if (after_journal) {
        stmt_bind_i64(stmt, 7, after_journal);
    }
    while (is_row) {
        if (stmt_step(stmt, &is_row, err) != OK) {
            return err->code;
        }
        if (is_row) {
            ret_ids[count++] = stmt_i64(stmt, 0);
        }
    }
    *ret_count = count;
    return OK;
}

static const char SQL_COUNT_LINKS_TO_PUSH[] = "SELECT count(*)" FROM_LINKS_TO_PUSH;

enum fail updates_waiting(struct tx *tx, int64_t connection_id, struct str kind, int64_t now_ms,
                          int64_t *ret, struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_COUNT_LINKS_TO_PUSH);

    stmt_bind_i64(stmt, 2, connection_id);
    stmt_bind_str(stmt, 3, kind);
    stmt_bind_i64(stmt, 4, now_ms);
    return stmt_number(stmt, ret, err);
}

static const char SQL_COUNT_RECORDS_TO_CREATE[] = "SELECT count(*)" FROM_RECORDS_TO_CREATE;

static enum fail count_creates(struct tx *tx, int64_t connection_id, struct str kind,
                               int64_t now_ms, int64_t *ret, struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_COUNT_RECORDS_TO_CREATE);

    stmt_bind_str(stmt, 2, kind);
    stmt_bind_i64(stmt, 3, connection_id);
    stmt_bind_i64(stmt, 4, now_ms);
    return stmt_number(stmt, ret, err);
}

enum fail push_counts(struct tx *tx, int64_t connection_id, struct str kind, int64_t now_ms,
                      int64_t *ret_updates, int64_t *ret_creates, struct error *err)
{
    if (updates_waiting(tx, connection_id, kind, now_ms, ret_updates, err) != OK) {
        return err->code;
    }
    return count_creates(tx, connection_id, kind, now_ms, ret_creates, err);
}

static const char SQL_LINKS_MISSED[] =
    "SELECT " LINK_COLUMNS " FROM link l WHERE l.tenant_id = $1 AND l.connection_id = $2 "
    "AND l.kind = $3 AND l.state = 0 AND l.scan < $4 AND l.id > $5 ORDER BY l.id LIMIT $6";

enum fail links_missed_by_scan(struct tx *tx, int64_t connection_id, struct str kind, int64_t scan,
                               int64_t after_id, size_t limit, struct arena *arena,
                               struct store_link **ret, size_t *ret_count, struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_LINKS_MISSED);

    stmt_bind_i64(stmt, 2, connection_id);
    stmt_bind_str(stmt, 3, kind);
    stmt_bind_i64(stmt, 4, scan);
    stmt_bind_i64(stmt, 5, after_id);
    stmt_bind_limit(stmt, 6, limit);
    return list_links(stmt, arena, ret, ret_count, err);
}

static const char SQL_LINKS_GONE[] =
    "SELECT " LINK_COLUMNS " FROM link l WHERE l.tenant_id = $1 AND l.connection_id = $2 "
    "AND l.kind = $3 AND l.state = 1 AND l.is_resting = 0 AND l.gone_since_ms <= $4 AND l.id > $5 "
    "AND NOT EXISTS (SELECT 1 FROM conflict c WHERE c.tenant_id = $1 AND c.link_id = l.id "
    "AND c.state = 0 AND c.type = 1) ORDER BY l.id LIMIT $6";

enum fail links_gone_since(struct tx *tx, int64_t connection_id, struct str kind, int64_t since_ms,
                           int64_t after_id, size_t limit, struct arena *arena,
                           struct store_link **ret, size_t *ret_count, struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_LINKS_GONE);

    stmt_bind_i64(stmt, 2, connection_id);
    stmt_bind_str(stmt, 3, kind);
    stmt_bind_i64(stmt, 4, since_ms);
    stmt_bind_i64(stmt, 5, after_id);
    stmt_bind_limit(stmt, 6, limit);
    return list_links(stmt, arena, ret, ret_count, err);
}

static const char SQL_LINK_COUNT[] =
    "SELECT count(*) FROM link WHERE tenant_id = $1 AND connection_id = $2 AND kind = $3 "
    "AND state = $4";

enum fail link_count(struct tx *tx, int64_t connection_id, struct str kind, enum link_state state,
                     int64_t *ret, struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_LINK_COUNT);

    stmt_bind_i64(stmt, 2, connection_id);
    stmt_bind_str(stmt, 3, kind);
    stmt_bind_i64(stmt, 4, state);
    return stmt_number(stmt, ret, err);
}

static const char SQL_LINKS_GOING[] =
    "SELECT count(*) FROM link l WHERE l.tenant_id = $1 AND l.connection_id = $2 AND l.kind = $3 "
    "AND l.state = 1 AND l.is_resting = 0 AND NOT EXISTS (SELECT 1 FROM conflict c WHERE "
    "c.tenant_id = $1 "
    "AND c.link_id = l.id AND c.state = 0 AND c.type = 1)";

enum fail links_going(struct tx *tx, int64_t connection_id, struct str kind, int64_t *ret,
                      struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_LINKS_GOING);

    stmt_bind_i64(stmt, 2, connection_id);
    stmt_bind_str(stmt, 3, kind);
    return stmt_number(stmt, ret, err);
}
