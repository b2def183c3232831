#include "store/reconcile.h"

#include <stdlib.h>

#include "store/inside.h"

/* --- the running comparison ---------------------------------------------------------------------------------------------------- */

static void bind_stream(struct stmt *stmt, const struct store_reconcile *reconcile)
{
    stmt_bind_i64(stmt, 2, reconcile->connection_id);
    stmt_bind_str(stmt, 3, reconcile->kind);
}

static enum fail read_reconcile(const struct stmt *stmt, struct arena *arena, void *row,
                                struct error *err)
{
    (void)err;
    *(struct store_reconcile *)row =
        (struct store_reconcile){.connection_id = stmt_i64(stmt, 0),
                                 .kind = arena_str(arena, stmt_str(stmt, 1)),
                                 .began_ms = stmt_i64(stmt, 2),
                                 .is_repair = stmt_i64(stmt, 3) != 0,
                                 .version = arena_str(arena, stmt_str(stmt, 4)),
                                 .cursor = arena_str(arena, stmt_str(stmt, 5)),
                                 .listed = stmt_i64(stmt, 6),
                                 .is_listed = stmt_i64(stmt, 7) != 0};
    return OK;
}

static const char SQL_RECONCILE_FIND[] =
    "SELECT connection_id, kind, began_ms, is_repair, version, cursor, listed, is_listed "
    "FROM reconcile "
    "WHERE tenant_id = $1 AND connection_id = $2 AND kind = $3";

enum fail reconcile_find(struct tx *tx, int64_t connection_id, struct str kind, struct arena *arena,
                         struct store_reconcile *ret, bool *ret_found, struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_RECONCILE_FIND);

    stmt_bind_i64(stmt, 2, connection_id);
    stmt_bind_str(stmt, 3, kind);
    return stmt_one(stmt, read_reconcile, arena, ret, ret_found, err);
}

static const char SQL_RECONCILE_END[] =
    "DELETE FROM reconcile WHERE tenant_id = $1 AND connection_id = $2 AND kind = $3";
static const char SQL_SEEN_END[] =
    "DELETE FROM reconcile_seen WHERE tenant_id = $1 AND connection_id = $2 AND kind = $3";
/* What an unfinished one found. */
static const char SQL_SUSPECTS_END[] =
    "DELETE FROM reconcile_suspect WHERE tenant_id = $1 AND connection_id = $2 AND kind = $3";
static const char SQL_UNFINISHED_END[] =
    "DELETE FROM difference WHERE tenant_id = $1 AND connection_id = $2 AND kind = $3 "
    "AND began_ms NOT IN (SELECT began_ms FROM divergence v WHERE v.tenant_id = $1 "
    "AND v.connection_id = $2 AND v.kind = $3)";
static const char SQL_BEGAN_BEFORE[] =
    "SELECT coalesce(max(began_ms), 0) FROM divergence WHERE tenant_id = $1 "
    "AND connection_id = $2 AND kind = $3";
static const char SQL_RECONCILE_BEGIN[] =
    "INSERT INTO reconcile (tenant_id, connection_id, kind, began_ms, is_repair, version, cursor, "
    "listed, is_listed) VALUES ($1, $2, $3, $4, $5, $6, '', 0, 0)";

enum fail reconcile_end(struct tx *tx, const struct store_reconcile *reconcile, struct error *err)
{
    static const char *const TEXTS[] = {SQL_RECONCILE_END, SQL_SEEN_END, SQL_SUSPECTS_END,
                                        SQL_UNFINISHED_END};

    for (size_t i = 0; i < COUNT_OF(TEXTS); i++) {
        struct stmt *stmt = tx_stmt(tx, TEXTS[i]);

        bind_stream(stmt, reconcile);
        if (stmt_run(stmt, err) != OK) {
            return err->code;
        }
    }
    return OK;
}

enum fail reconcile_begin(struct tx *tx, struct store_reconcile *reconcile, struct error *err)
{
    struct stmt *stmt;
    int64_t before_ms = 0;

    if (reconcile_end(tx, reconcile, err) != OK) {
        return err->code;
    }
    stmt = tx_stmt(tx, SQL_BEGAN_BEFORE);
    bind_stream(stmt, reconcile);
    if (stmt_number(stmt, &before_ms, err) != OK) {
        return err->code;
    }
    if (reconcile->began_ms <= before_ms) { /* the clock was set back, or it is the same moment */
        reconcile->began_ms = before_ms + 1;
    }
    reconcile->cursor = STR("");
    reconcile->listed = 0;
    reconcile->is_listed = false;
    stmt = tx_stmt(tx, SQL_RECONCILE_BEGIN);
    bind_stream(stmt, reconcile);
    stmt_bind_i64(stmt, 4, reconcile->began_ms);
    stmt_bind_i64(stmt, 5, reconcile->is_repair);
    stmt_bind_str(stmt, 6, reconcile->version);
    return stmt_run(stmt, err);
}

static const char SQL_RECONCILE_SAVE[] =
    "UPDATE reconcile SET cursor = $4, listed = $5, is_listed = $6 "
    "WHERE tenant_id = $1 AND connection_id = $2 AND kind = $3";

enum fail reconcile_save(struct tx *tx, const struct store_reconcile *reconcile, struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_RECONCILE_SAVE);

    bind_stream(stmt, reconcile);
    stmt_bind_str(stmt, 4, reconcile->cursor);
    stmt_bind_i64(stmt, 5, reconcile->listed);
    stmt_bind_i64(stmt, 6, reconcile->is_listed);
    return stmt_run_on_one(stmt, "running comparison of connection", reconcile->connection_id, err);
}

static const char SQL_LINK_PUSH_AGAIN[] =
    "UPDATE link SET retry_at_ms = 0, "
    "record_version = (SELECT version FROM record r WHERE r.tenant_id = $1 AND r.id = record_id), "
    "synced_version = (SELECT version FROM record r WHERE r.tenant_id = $1 AND r.id = record_id) - "
    "1 "
    "WHERE tenant_id = $1 AND id = $2";

enum fail link_push_again(struct tx *tx, int64_t link_id, struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_LINK_PUSH_AGAIN);

    stmt_bind_i64(stmt, 2, link_id);
    return stmt_run_on_one(stmt, "link", link_id, err);
}

/* --- links that were seen -------------------------------------------------------------------------------------------------------- */

enum { CHUNK_LINKS = 8192, CHUNK_BYTES = CHUNK_LINKS / 8 };

static enum fail read_bits(const struct stmt *stmt, struct arena *arena, void *row,
                           struct error *err)
{
    struct str blob = stmt_blob(stmt, 0);

    (void)arena;
    if (blob.len != CHUNK_BYTES) {
        return store_damaged(err, "links seen by a comparison");
    }
    memcpy(row, blob.at, CHUNK_BYTES);
    return OK;
}

static const char SQL_SEEN_READ[] =
    "SELECT bits FROM reconcile_seen WHERE tenant_id = $1 AND connection_id = $2 AND kind = $3 "
    "AND chunk = $4";
static const char SQL_SEEN_PUT[] =
    "INSERT INTO reconcile_seen (tenant_id, connection_id, kind, chunk, bits) "
    "VALUES ($1, $2, $3, $4, $5) ON CONFLICT (tenant_id, connection_id, kind, chunk) "
    "DO UPDATE SET bits = $5";

/* Zeroed when there is none yet. */
static enum fail read_chunk(struct tx *tx, const struct store_reconcile *reconcile, int64_t chunk,
                            uint8_t ret[CHUNK_BYTES], struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_SEEN_READ);
    bool found;

    memset(ret, 0, CHUNK_BYTES);
    bind_stream(stmt, reconcile);
    stmt_bind_i64(stmt, 4, chunk);
    return stmt_one(stmt, read_bits, NULL, ret, &found, err);
}

static enum fail put_chunk(struct tx *tx, const struct store_reconcile *reconcile, int64_t chunk,
                           const uint8_t bits[CHUNK_BYTES], struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_SEEN_PUT);

    bind_stream(stmt, reconcile);
    stmt_bind_i64(stmt, 4, chunk);
    stmt_bind_blob(stmt, 5, bits, CHUNK_BYTES);
    return stmt_run(stmt, err);
}

static int by_number(const void *x, const void *y)
{
    int64_t a = *(const int64_t *)x, b = *(const int64_t *)y;

    return (a > b) - (a < b);
}

enum fail reconcile_seen(struct tx *tx, const struct store_reconcile *reconcile, int64_t *link_ids,
                         size_t count, struct error *err)
{
    uint8_t bits[CHUNK_BYTES];

    qsort(link_ids, count, sizeof *link_ids, by_number);
    for (size_t i = 0; i < count;) {
        int64_t chunk = link_ids[i] / CHUNK_LINKS;

        if (read_chunk(tx, reconcile, chunk, bits, err) != OK) {
            return err->code;
        }
        for (; i < count && link_ids[i] / CHUNK_LINKS == chunk; i++) {
            int64_t at = link_ids[i] % CHUNK_LINKS;

            bits[at / 8] = (uint8_t)(bits[at / 8] | 1u << at % 8);
        }
        if (put_chunk(tx, reconcile, chunk, bits, err) != OK) {
            return err->code;
        }
    }
    return OK;
}

/* --- suspects -------------------------------------------------------------------------------------------------------------------- */

static const char SQL_SUSPECT_ADD[] =
    "INSERT INTO reconcile_suspect (tenant_id, connection_id, kind, remote_id) "
    "VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";

enum fail reconcile_suspect_add(struct tx *tx, const struct store_reconcile *reconcile,
                                struct str remote_id, struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_SUSPECT_ADD);

    bind_stream(stmt, reconcile);
    stmt_bind_str(stmt, 4, remote_id);
    return stmt_run(stmt, err);
}

static const char SQL_SUSPECT_DONE[] =
    "DELETE FROM reconcile_suspect WHERE tenant_id = $1 AND connection_id = $2 AND kind = $3 "
    "AND remote_id = $4";

enum fail reconcile_suspect_done(struct tx *tx, const struct store_reconcile *reconcile,
                                 struct str remote_id, struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_SUSPECT_DONE);
    struct link_sight sight;
    bool found;

    bind_stream(stmt, reconcile);
    stmt_bind_str(stmt, 4, remote_id);
    if (stmt_run(stmt, err) != OK || link_sight_of(tx, reconcile->connection_id, reconcile->kind,
                                                   remote_id, &sight, &found, err) != OK) {
        return err->code;
    }
    return found ? reconcile_seen(tx, reconcile, &sight.id, 1, err) : OK;
}

static enum fail read_suspect(const struct stmt *stmt, struct arena *arena, void *row,
                              struct error *err)
{
    (void)err;
    *(struct str *)row = arena_str(arena, stmt_str(stmt, 0));
    return OK;
}

static const char SQL_SUSPECTS[] =
    "SELECT remote_id FROM reconcile_suspect WHERE tenant_id = $1 AND connection_id = $2 "
    "AND kind = $3 ORDER BY remote_id LIMIT $4";

enum fail reconcile_suspects(struct tx *tx, const struct store_reconcile *reconcile, size_t limit,
                             struct arena *arena, struct str **ret, size_t *ret_count,
                             struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_SUSPECTS);
    struct rows rows;

    bind_stream(stmt, reconcile);
    stmt_bind_limit(stmt, 4, limit);
    if (stmt_all(stmt, read_suspect, sizeof **ret, arena, &rows, err) != OK) {
        return err->code;
    }
    *ret = rows.at;
    *ret_count = rows.count;
    return OK;
}

/* --- links that were not seen ---------------------------------------------------------------------------------------------------- */

struct live_link {
    int64_t id;
    struct str remote_id;
};

static enum fail read_live(const struct stmt *stmt, struct arena *arena, void *row,
                           struct error *err)
{
    (void)err;
    *(struct live_link *)row = (struct live_link){.id = stmt_i64(stmt, 0),
                                                  .remote_id = arena_str(arena, stmt_str(stmt, 1))};
    return OK;
}

static const char SQL_LINKS_LIVE[] =
    "SELECT id, remote_id FROM link WHERE tenant_id = $1 AND connection_id = $2 AND kind = $3 "
    "AND state = 0 AND id > $4 ORDER BY id LIMIT $5";

static enum fail suspect_unseen(struct tx *tx, const struct store_reconcile *reconcile,
                                const struct live_link *links, size_t count, struct error *err)
{
    uint8_t bits[CHUNK_BYTES];
    int64_t chunk = -1;

    for (size_t i = 0; i < count; i++) {
        int64_t at = links[i].id % CHUNK_LINKS;

        if (links[i].id / CHUNK_LINKS != chunk) {
            chunk = links[i].id / CHUNK_LINKS;
            if (read_chunk(tx, reconcile, chunk, bits, err) != OK) {
                return err->code;
            }
        }
        if (!(bits[at / 8] >> at % 8 & 1) &&
            reconcile_suspect_add(tx, reconcile, links[i].remote_id, err) != OK) {
            return err->code;
        }
    }
    return OK;
}

enum fail reconcile_suspect_unseen(struct tx *tx, const struct store_reconcile *reconcile,
                                   int64_t after_id, size_t looks, int64_t *ret_after_id,
                                   struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_LINKS_LIVE);
    AUTO_ARENA struct arena arena = {0};
    const struct live_link *links;
    struct rows rows;

    bind_stream(stmt, reconcile);
    stmt_bind_i64(stmt, 4, after_id);
    stmt_bind_limit(stmt, 5, looks);
    if (stmt_all(stmt, read_live, sizeof *links, &arena, &rows, err) != OK) {
        return err->code;
    }
    links = rows.at;
    *ret_after_id = rows.count ? links[rows.count - 1].id : 0;
    return suspect_unseen(tx, reconcile, links, rows.count, err);
}
