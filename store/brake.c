#include "store/brake.h"

#include "store/audit.h"
#include "store/inside.h"

static const char *const NAMES[] = {[BRAKE_DELETES] = "deletes",
                                    [BRAKE_UPDATES] = "updates",
                                    [BRAKE_EMPTIED] = "emptied",
                                    [BRAKE_REMOVALS] = "removals"};

const char *brake_what_name(enum brake_what what)
{
    return NAMES[what];
}

bool brake_what_parse(struct str text, enum brake_what *ret)
{
    for (size_t i = 0; i < COUNT_OF(NAMES); i++) {
        if (str_equal(text, str_of(NAMES[i]))) {
            *ret = (enum brake_what)i;
            return true;
        }
    }
    return false;
}

static const char SQL_BRAKE_PUT[] =
    "INSERT INTO brake (tenant_id, connection_id, kind, what, count, linked, stopped_ms, "
    "confirmed_count, confirmed_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, 0, 0) "
    "ON CONFLICT (tenant_id, connection_id, kind, what) DO UPDATE SET count = $5, linked = $6, "
    "confirmed_ms = CASE WHEN confirmed_count < $5 THEN 0 ELSE confirmed_ms END, "
    "confirmed_count = CASE WHEN confirmed_count < $5 THEN 0 ELSE confirmed_count END";

enum fail brake_put(struct tx *tx, const struct store_brake *brake, struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_BRAKE_PUT);

    stmt_bind_i64(stmt, 2, brake->connection_id);
    stmt_bind_str(stmt, 3, brake->kind);
    stmt_bind_i64(stmt, 4, brake->what);
    stmt_bind_i64(stmt, 5, brake->count);
    stmt_bind_i64(stmt, 6, brake->linked);
    stmt_bind_i64(stmt, 7, brake->stopped_ms);
    return stmt_run(stmt, err);
}

#define BRAKE_COLUMNS                                                                              \
    "connection_id, kind, what, count, linked, stopped_ms, confirmed_count, confirmed_ms"

static enum fail read_brake(const struct stmt *stmt, struct arena *arena, void *row,
                            struct error *err)
{
    (void)err;
    *(struct store_brake *)row = (struct store_brake){.connection_id = stmt_i64(stmt, 0),
                                                      .kind = arena_str(arena, stmt_str(stmt, 1)),
                                                      .what = (enum brake_what)stmt_i64(stmt, 2),
                                                      .count = stmt_i64(stmt, 3),
                                                      .linked = stmt_i64(stmt, 4),
                                                      .stopped_ms = stmt_i64(stmt, 5),
                                                      .confirmed_count = stmt_i64(stmt, 6),
                                                      .confirmed_ms = stmt_i64(stmt, 7)};
    return OK;
}

static const char SQL_BRAKE_FIND[] =
    "SELECT " BRAKE_COLUMNS
    " FROM brake WHERE tenant_id = $1 AND connection_id = $2 AND kind = $3 AND what = $4";

enum fail brake_find(struct tx *tx, int64_t connection_id, struct str kind, enum brake_what what,
                     struct arena *arena, struct store_brake *ret, bool *ret_found,
                     struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_BRAKE_FIND);

    stmt_bind_i64(stmt, 2, connection_id);
    stmt_bind_str(stmt, 3, kind);
    stmt_bind_i64(stmt, 4, what);
    return stmt_one(stmt, read_brake, arena, ret, ret_found, err);
}

static const char SQL_BRAKE_LIST[] = "SELECT " BRAKE_COLUMNS " FROM brake WHERE tenant_id = $1 "
                                     "ORDER BY connection_id, kind, what";

enum fail brake_list(struct tx *tx, struct arena *arena, struct store_brake **ret,
                     size_t *ret_count, struct error *err)
{
    struct rows rows;

    if (stmt_all(tx_stmt(tx, SQL_BRAKE_LIST), read_brake, sizeof **ret, arena, &rows, err) != OK) {
        return err->code;
    }
    *ret = rows.at;
    *ret_count = rows.count;
    return OK;
}

static enum fail note_confirmation(struct tx *tx, int64_t connection_id, struct str kind,
                                   enum brake_what what, struct error *err)
{
    AUTO_ARENA struct arena arena = {0};
    struct store_brake brake = {0};
    bool found;

    if (brake_find(tx, connection_id, kind, what, &arena, &brake, &found, err) != OK || !found) {
        return err->code;
    }
    const struct audit_detail details[] = {
        {"kind", kind},
        {"what", str_of(brake_what_name(what))},
        {"count", arena_printf(&arena, "%lld", (long long)brake.confirmed_count)},
        {0}};
    return audit_put_connection(tx, "brake.confirmed", connection_id, details, err);
}

static const char SQL_BRAKE_CONFIRM[] =
    "UPDATE brake SET confirmed_count = count, confirmed_ms = $5 "
    "WHERE tenant_id = $1 AND connection_id = $2 AND kind = $3 AND what = $4";

enum fail brake_confirm(struct tx *tx, int64_t connection_id, struct str kind, enum brake_what what,
                        int64_t now_ms, struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_BRAKE_CONFIRM);

    stmt_bind_i64(stmt, 2, connection_id);
    stmt_bind_str(stmt, 3, kind);
    stmt_bind_i64(stmt, 4, what);
    stmt_bind_i64(stmt, 5, now_ms);
    if (stmt_run(stmt, err) != OK) {
        return err->code;
    }
    return note_confirmation(tx, connection_id, kind, what, err);
}

static const char SQL_BRAKE_CLEAR[] =
    "DELETE FROM brake WHERE tenant_id = $1 AND connection_id = $2 AND kind = $3 AND what = $4";

enum fail brake_clear(struct tx *tx, int64_t connection_id, struct str kind, enum brake_what what,
                      struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_BRAKE_CLEAR);

    stmt_bind_i64(stmt, 2, connection_id);
    stmt_bind_str(stmt, 3, kind);
    stmt_bind_i64(stmt, 4, what);
    return stmt_run(stmt, err);
}

/* The first two conditions are those of the index link_to_push. A change reached the record by cause pull (1). */
static const char SQL_BRAKE_SOURCES[] =
    "SELECT j.connection_id, count(DISTINCT l.id), "
    "(SELECT count(*) FROM link x WHERE x.tenant_id = $1 AND x.connection_id = j.connection_id "
    "AND x.kind = $3 AND x.state = 0), "
    "(SELECT count(*) FROM stream s WHERE s.tenant_id = $1 AND s.kind = $3 AND s.agreed_ms > 0 "
    "AND s.connection_id IN ($2, j.connection_id)) "
    "FROM link l JOIN journal j ON j.tenant_id = $1 AND j.record_id = l.record_id "
    "AND j.record_version > l.synced_version AND j.cause = 1 AND j.connection_id NOT IN (0, $2) "
    "WHERE l.state = 0 AND l.synced_version < l.record_version AND l.tenant_id = $1 "
    "AND l.connection_id = $2 AND l.kind = $3 GROUP BY j.connection_id ORDER BY j.connection_id";

static enum fail read_source(const struct stmt *stmt, struct arena *arena, void *row,
                             struct error *err)
{
    (void)arena;
    (void)err;
    *(struct brake_source *)row = (struct brake_source){.connection_id = stmt_i64(stmt, 0),
                                                        .updates = stmt_i64(stmt, 1),
                                                        .linked = stmt_i64(stmt, 2),
                                                        .has_agreed = stmt_i64(stmt, 3) == 2};
    return OK;
}

enum fail brake_sources(struct tx *tx, int64_t target_id, struct str kind, struct arena *arena,
                        struct brake_source **ret, size_t *ret_count, struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_BRAKE_SOURCES);
    struct rows rows;

    stmt_bind_i64(stmt, 2, target_id);
    stmt_bind_str(stmt, 3, kind);
    if (stmt_all(stmt, read_source, sizeof **ret, arena, &rows, err) != OK) {
        return err->code;
    }
    *ret = rows.at;
    *ret_count = rows.count;
    return OK;
}

/* A delete that came from a CRM (cause delete, 5) had its own brake. */
static const char SQL_BRAKE_REMOVALS[] =
    "SELECT count(*) FROM link l JOIN record r ON r.tenant_id = $1 AND r.id = l.record_id "
    "AND r.state = 1 WHERE l.state = 0 AND l.synced_version < l.record_version "
    "AND l.tenant_id = $1 AND l.connection_id = $2 AND l.kind = $3 "
    "AND NOT EXISTS (SELECT 1 FROM journal j WHERE j.tenant_id = $1 AND j.record_id = r.id "
    "AND j.record_version = r.version AND j.cause = 5 AND j.connection_id <> 0)";

enum fail brake_removals(struct tx *tx, int64_t connection_id, struct str kind, int64_t *ret,
                         struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_BRAKE_REMOVALS);

    stmt_bind_i64(stmt, 2, connection_id);
    stmt_bind_str(stmt, 3, kind);
    return stmt_number(stmt, ret, err);
}
