/* Pairs and their buckets (store/reconcile.h). */
#include "store/reconcile.h"

#include "store/inside.h"
#include "store/link_row.h"

/* FNV-1a: the same on every machine. */
int bucket_of(struct str remote_id)
{
    uint64_t hash = UINT64_C(0xCBF29CE484222325);

    for (size_t i = 0; i < remote_id.len; i++) {
        hash = (hash ^ (unsigned char)remote_id.at[i]) * UINT64_C(0x100000001B3);
    }
    return (int)((hash ^ hash >> 32) % BUCKETS);
}

/* Everything that the two sides' agreement was derived from. */
static struct digest content_of(const struct store_pair *pair, const struct digest *digest,
                                bool has_digest, struct arena *scratch)
{
    char hex[2 * DIGEST_BYTES + 1] = "";

    if (has_digest) {
        hex_encode(digest->bytes, DIGEST_BYTES, hex);
    }
    return digest_of(arena_printf(
        scratch, "%lld %lld %" PRI_STR " %lld %d %s %d %d %lld\n%" PRI_STR "\n%" PRI_STR,
        (long long)pair->link_id, (long long)pair->record_id, STR_ARG(pair->remote_id),
        (long long)pair->synced_version, pair->is_resting, hex, pair->has_record,
        (int)pair->record_state, (long long)pair->record_version, STR_ARG(pair->base),
        STR_ARG(pair->fields)));
}

static enum fail read_pair(const struct stmt *stmt, struct arena *arena, void *row,
                           struct error *err)
{
    struct store_pair *pair = row;
    struct digest digest = {0};
    bool has_digest = link_read_digest(stmt, 6, &digest);
    AUTO_ARENA struct arena scratch = {0};

    (void)err;
    *pair = (struct store_pair){.link_id = stmt_i64(stmt, 0),
                                .record_id = stmt_i64(stmt, 1),
                                .remote_id = arena_str(arena, stmt_str(stmt, 2)),
                                .synced_version = stmt_i64(stmt, 3),
                                .is_resting = stmt_i64(stmt, 4) != 0,
                                .base = arena_str(arena, stmt_str(stmt, 5)),
                                .has_record = stmt_i64(stmt, 7) != 0,
                                .record_state = (enum record_state)stmt_i64(stmt, 8),
                                .record_version = stmt_i64(stmt, 9),
                                .updated_ms = stmt_i64(stmt, 10),
                                .fields = arena_str(arena, stmt_str(stmt, 11))};
    pair->content = content_of(pair, &digest, has_digest, &scratch);
    return OK;
}

static const char SQL_PAIR_LIST[] =
    "SELECT l.id, l.record_id, l.remote_id, l.synced_version, l.is_resting, l.base, l.digest, "
    "r.id IS NOT NULL, coalesce(r.state, 0), coalesce(r.version, 0), coalesce(r.updated_ms, 0), "
    "coalesce(r.fields, '') FROM link l LEFT JOIN record r ON r.id = l.record_id "
    "AND r.tenant_id = $1 WHERE l.tenant_id = $1 AND l.connection_id = $2 AND l.kind = $3 "
    "AND l.state = 0 AND l.id > $4 ORDER BY l.id LIMIT $5";

enum fail pair_list(struct tx *tx, int64_t connection_id, struct str kind, int64_t after_id,
                    size_t limit, struct arena *arena, struct store_pair **ret, size_t *ret_count,
                    struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_PAIR_LIST);
    struct rows rows;

    stmt_bind_i64(stmt, 2, connection_id);
    stmt_bind_str(stmt, 3, kind);
    stmt_bind_i64(stmt, 4, after_id);
    stmt_bind_limit(stmt, 5, limit);
    if (stmt_all(stmt, read_pair, sizeof **ret, arena, &rows, err) != OK) {
        return err->code;
    }
    *ret = rows.at;
    *ret_count = rows.count;
    return OK;
}

static const char SQL_BUCKET_READ[] =
    "SELECT bucket, pairs, digest FROM bucket WHERE tenant_id = $1 AND connection_id = $2 "
    "AND kind = $3";

enum fail bucket_read(struct tx *tx, int64_t connection_id, struct str kind,
                      struct store_bucket ret[BUCKETS], struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_BUCKET_READ);
    bool is_row = true;

    memset(ret, 0, BUCKETS * sizeof *ret);
    stmt_bind_i64(stmt, 2, connection_id);
    stmt_bind_str(stmt, 3, kind);
    while (is_row) {
        if (stmt_step(stmt, &is_row, err) != OK) {
            return err->code;
        }
        if (is_row && stmt_i64(stmt, 0) >= 0 && stmt_i64(stmt, 0) < BUCKETS) {
            struct store_bucket *bucket = &ret[stmt_i64(stmt, 0)];

            bucket->pairs = stmt_i64(stmt, 1);
            link_read_digest(stmt, 2, &bucket->digest);
        }
    }
    return OK;
}

static const char SQL_BUCKET_AGREED[] =
    "INSERT INTO bucket (tenant_id, connection_id, kind, bucket, pairs, digest, agreed_ms) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (tenant_id, connection_id, kind, bucket) "
    "DO UPDATE SET pairs = $5, digest = $6, agreed_ms = $7";

enum fail bucket_agreed(struct tx *tx, int64_t connection_id, struct str kind, int bucket,
                        const struct store_bucket *state, struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_BUCKET_AGREED);

    stmt_bind_i64(stmt, 2, connection_id);
    stmt_bind_str(stmt, 3, kind);
    stmt_bind_i64(stmt, 4, bucket);
    stmt_bind_i64(stmt, 5, state->pairs);
    stmt_bind_blob(stmt, 6, state->digest.bytes, DIGEST_BYTES);
    stmt_bind_i64(stmt, 7, tx_now_ms(tx));
    return stmt_run(stmt, err);
}

static const char SQL_BUCKET_FORGET[] =
    "DELETE FROM bucket WHERE tenant_id = $1 AND connection_id = $2 AND kind = $3 AND bucket = $4";

enum fail bucket_forget(struct tx *tx, int64_t connection_id, struct str kind, int bucket,
                        struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_BUCKET_FORGET);

    stmt_bind_i64(stmt, 2, connection_id);
    stmt_bind_str(stmt, 3, kind);
    stmt_bind_i64(stmt, 4, bucket);
    return stmt_run(stmt, err);
}
