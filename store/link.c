#include "store/link.h"

#include "store/inside.h"
#include "store/link_row.h"

enum fail link_read(const struct stmt *stmt, struct arena *arena, void *row, struct error *err)
{
    struct store_link *link = row;

    *link = (struct store_link){.id = stmt_i64(stmt, 0),
                                .connection_id = stmt_i64(stmt, 1),
                                .kind = arena_str(arena, stmt_str(stmt, 2)),
                                .record_id = stmt_i64(stmt, 3),
                                .remote_id = arena_str(arena, stmt_str(stmt, 4)),
                                .state = (enum link_state)stmt_i64(stmt, 5),
                                .remote_modified_ms = stmt_i64(stmt, 6),
                                .synced_version = stmt_i64(stmt, 7),
                                .last_write_ms = stmt_i64(stmt, 8),
                                .gone_since_ms = stmt_i64(stmt, 9),
                                .scan = stmt_i64(stmt, 10),
                                .retry_at_ms = stmt_i64(stmt, 11),
                                .is_resting = stmt_i64(stmt, 14) != 0};
    link->has_digest = link_read_digest(stmt, 12, &link->digest);
    if (base_from_json(arena, stmt_str(stmt, 13), &link->base, err) != OK) {
        return error_wrap(err, "link to '%" PRI_STR "'", STR_ARG(link->remote_id));
    }
    return OK;
}

bool link_read_digest(const struct stmt *stmt, int column, struct digest *ret)
{
    struct str blob = stmt_blob(stmt, column);

    if (blob.len != DIGEST_BYTES) {
        return false; /* none: the next read is looked at closely */
    }
    memcpy(ret->bytes, blob.at, DIGEST_BYTES);
    return true;
}

const char *link_state_name(enum link_state state)
{
    switch (state) {
    case LINK_LIVE:
        return "live";
    case LINK_GONE:
        return "gone";
    case LINK_UNLINKED:
        return "unlinked";
    case LINK_MERGED:
        return "merged";
    }
    return "unknown";
}

/* --- reading ------------------------------------------------------------------------------------------------- */

static enum fail read_sight(const struct stmt *stmt, struct arena *arena, void *row,
                            struct error *err)
{
    struct link_sight *sight = row;

    (void)arena;
    (void)err;
    *sight = (struct link_sight){.id = stmt_i64(stmt, 0),
                                 .record_id = stmt_i64(stmt, 1),
                                 .remote_modified_ms = stmt_i64(stmt, 2),
                                 .last_write_ms = stmt_i64(stmt, 3),
                                 .scan = stmt_i64(stmt, 4),
                                 .state = (enum link_state)stmt_i64(stmt, 5)};
    sight->has_digest = link_read_digest(stmt, 6, &sight->digest);
    return OK;
}

static const char SQL_LINK_SIGHT[] =
    "SELECT id, record_id, remote_modified_ms, last_write_ms, scan, state, digest FROM link "
    "WHERE tenant_id = $1 AND connection_id = $2 AND kind = $3 AND remote_id = $4";

enum fail link_sight_of(struct tx *tx, int64_t connection_id, struct str kind, struct str remote_id,
                        struct link_sight *ret, bool *ret_found, struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_LINK_SIGHT);

    stmt_bind_i64(stmt, 2, connection_id);
    stmt_bind_str(stmt, 3, kind);
    stmt_bind_str(stmt, 4, remote_id);
    return stmt_one(stmt, read_sight, NULL, ret, ret_found, err);
}

static const char SQL_LINK_BY_ID[] =
    "SELECT " LINK_COLUMNS " FROM link l WHERE l.tenant_id = $1 AND l.id = $2";

enum fail link_by_id(struct tx *tx, int64_t id, struct arena *arena, struct store_link *ret,
                     bool *ret_found, struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_LINK_BY_ID);

    stmt_bind_i64(stmt, 2, id);
    return stmt_one(stmt, link_read, arena, ret, ret_found, err);
}

static const char SQL_LINK_BY_REMOTE[] =
    "SELECT " LINK_COLUMNS " FROM link l WHERE l.tenant_id = $1 AND l.connection_id = $2 "
    "AND l.kind = $3 AND l.remote_id = $4";

enum fail link_by_remote(struct tx *tx, int64_t connection_id, struct str kind,
                         struct str remote_id, struct arena *arena, struct store_link *ret,
                         bool *ret_found, struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_LINK_BY_REMOTE);

    stmt_bind_i64(stmt, 2, connection_id);
    stmt_bind_str(stmt, 3, kind);
    stmt_bind_str(stmt, 4, remote_id);
    return stmt_one(stmt, link_read, arena, ret, ret_found, err);
}

static const char SQL_LINK_BY_RECORD[] =
    "SELECT " LINK_COLUMNS " FROM link l WHERE l.tenant_id = $1 AND l.connection_id = $2 "
    "AND l.record_id = $3";

enum fail link_by_record(struct tx *tx, int64_t connection_id, int64_t record_id,
                         struct arena *arena, struct store_link *ret, bool *ret_found,
                         struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_LINK_BY_RECORD);

    stmt_bind_i64(stmt, 2, connection_id);
    stmt_bind_i64(stmt, 3, record_id);
    return stmt_one(stmt, link_read, arena, ret, ret_found, err);
}

static const char SQL_LINKS_OF_RECORD[] =
    "SELECT " LINK_COLUMNS " FROM link l WHERE l.tenant_id = $1 AND l.record_id = $2 "
    "ORDER BY l.connection_id";

enum fail links_of_record(struct tx *tx, int64_t record_id, struct arena *arena,
                          struct store_link **ret, size_t *ret_count, struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_LINKS_OF_RECORD);
    struct rows rows;

    stmt_bind_i64(stmt, 2, record_id);
    if (stmt_all(stmt, link_read, sizeof **ret, arena, &rows, err) != OK) {
        return err->code;
    }
    *ret = rows.at;
    *ret_count = rows.count;
    return OK;
}

/* --- writing ------------------------------------------------------------------------------------------------- */

/* What insert and update write alike, in the order of their texts from number on. */
static void bind_content(struct stmt *stmt, int number, const struct store_link *link,
                         struct arena *scratch)
{
    stmt_bind_i64(stmt, number, link->record_id);
    stmt_bind_str(stmt, number + 1, link->remote_id);
    stmt_bind_i64(stmt, number + 2, link->state);
    stmt_bind_i64(stmt, number + 3, link->remote_modified_ms);
    stmt_bind_i64(stmt, number + 4, link->synced_version);
    stmt_bind_i64(stmt, number + 5, link->last_write_ms);
    stmt_bind_i64(stmt, number + 6, link->gone_since_ms);
    stmt_bind_i64(stmt, number + 7, link->scan);
    stmt_bind_i64(stmt, number + 8, link->retry_at_ms);
    stmt_bind_blob(stmt, number + 9, link->has_digest ? link->digest.bytes : NULL, DIGEST_BYTES);
    stmt_bind_str(stmt, number + 10, base_to_json(scratch, &link->base));
    stmt_bind_i64(stmt, number + 11, link->is_resting);
}

/* FAIL_STALE of the engine, in words. */
static enum fail explain_taken(const struct store_link *link, struct error *err)
{
    if (err->code == FAIL_STALE) {
        error_set(err, FAIL_STALE,
                  "remote %" PRI_STR " '%" PRI_STR "' or its record is linked already",
                  STR_ARG(link->kind), STR_ARG(link->remote_id));
    }
    return err->code;
}

static const char SQL_LINK_INSERT[] =
    "INSERT INTO link (tenant_id, connection_id, kind, record_id, remote_id, state, "
    "remote_modified_ms, synced_version, last_write_ms, gone_since_ms, scan, retry_at_ms, digest, "
    "base, is_resting, record_version) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, "
    "(SELECT version FROM record WHERE tenant_id = $1 AND id = $4))";

enum fail link_insert(struct tx *tx, struct store_link *link, struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_LINK_INSERT);
    enum fail failed;

    stmt_bind_i64(stmt, 2, link->connection_id);
    stmt_bind_str(stmt, 3, link->kind);
    bind_content(stmt, 4, link, &tx->scratch);
    failed = stmt_insert(stmt, &link->id, err);
    arena_reset(&tx->scratch);
    return failed == OK ? OK : explain_taken(link, err);
}

static const char SQL_LINK_UPDATE[] =
    "UPDATE link SET record_id = $2, remote_id = $3, state = $4, remote_modified_ms = $5, "
    "synced_version = $6, last_write_ms = $7, gone_since_ms = $8, scan = $9, retry_at_ms = $10, "
    "digest = $11, base = $12, is_resting = $13, "
    "record_version = (SELECT version FROM record WHERE tenant_id = $1 AND id = $2) "
    "WHERE tenant_id = $1 AND id = $14";

enum fail link_update(struct tx *tx, const struct store_link *link, struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_LINK_UPDATE);
    enum fail failed;

    bind_content(stmt, 2, link, &tx->scratch);
    stmt_bind_i64(stmt, 14, link->id);
    failed = stmt_run_on_one(stmt, "link", link->id, err);
    arena_reset(&tx->scratch);
    return failed == OK ? OK : explain_taken(link, err);
}

static const char SQL_LINK_SCAN_SET[] =
    "UPDATE link SET scan = $2 WHERE tenant_id = $1 AND id = $3";

enum fail link_scan_set(struct tx *tx, int64_t id, int64_t scan, struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_LINK_SCAN_SET);

    stmt_bind_i64(stmt, 2, scan);
    stmt_bind_i64(stmt, 3, id);
    return stmt_run_on_one(stmt, "link", id, err);
}

static const char SQL_LINK_FORGET_CONFLICTS[] =
    "DELETE FROM conflict WHERE tenant_id = $1 AND link_id = $2";
static const char SQL_LINK_FORGET_INTENTS[] =
    "DELETE FROM intent WHERE tenant_id = $1 AND link_id = $2";
static const char SQL_LINK_FORGET[] = "DELETE FROM link WHERE tenant_id = $1 AND id = $2";

enum fail link_forget(struct tx *tx, int64_t id, struct error *err)
{
    static const char *const TEXTS[] = {SQL_LINK_FORGET_CONFLICTS, SQL_LINK_FORGET_INTENTS,
                                        SQL_LINK_FORGET};

    for (size_t i = 0; i < COUNT_OF(TEXTS); i++) {
        struct stmt *stmt = tx_stmt(tx, TEXTS[i]);

        stmt_bind_i64(stmt, 2, id);
        if (stmt_run(stmt, err) != OK) {
            return err->code;
        }
    }
    return OK;
}

static const char SQL_LINKS_LOOK_AGAIN[] =
    "UPDATE link SET digest = NULL WHERE tenant_id = $1 AND connection_id = $2 AND kind = $3 "
    "AND state = 0";

enum fail links_look_again(struct tx *tx, int64_t connection_id, struct str kind, struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_LINKS_LOOK_AGAIN);

    stmt_bind_i64(stmt, 2, connection_id);
    stmt_bind_str(stmt, 3, kind);
    return stmt_run(stmt, err);
}
