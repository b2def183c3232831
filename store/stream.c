#include "store/stream.h"

#include "store/inside.h"

#define STREAM_COLUMNS                                                                             \
    "id, connection_id, kind, first_import_done, cursor_all, cursor_changed, cursor_deleted, "     \
    "scan, scan_listed, scanned_ms, mapping_version, next_run_at_ms, failures_in_row, note, "      \
    "epoch, lease_owner, lease_until_ms, agreed_ms, pulled_ms"

static enum fail read_stream(const struct stmt *stmt, struct arena *arena, void *row,
                             struct error *err)
{
    (void)err;
    *(struct store_stream *)row =
        (struct store_stream){.id = stmt_i64(stmt, 0),
                              .connection_id = stmt_i64(stmt, 1),
                              .kind = arena_str(arena, stmt_str(stmt, 2)),
                              .first_import_done = stmt_i64(stmt, 3) != 0,
                              .cursor_all = arena_str(arena, stmt_str(stmt, 4)),
                              .cursor_changed = arena_str(arena, stmt_str(stmt, 5)),
                              .cursor_deleted = arena_str(arena, stmt_str(stmt, 6)),
                              .scan = stmt_i64(stmt, 7),
                              .scan_listed = stmt_i64(stmt, 8),
                              .scanned_ms = stmt_i64(stmt, 9),
                              .mapping_version = arena_str(arena, stmt_str(stmt, 10)),
                              .next_run_at_ms = stmt_i64(stmt, 11),
                              .failures_in_row = (int)stmt_i64(stmt, 12),
                              .note = arena_str(arena, stmt_str(stmt, 13)),
                              .epoch = stmt_i64(stmt, 14),
                              .lease_owner = arena_str(arena, stmt_str(stmt, 15)),
                              .lease_until_ms = stmt_i64(stmt, 16),
                              .agreed_ms = stmt_i64(stmt, 17),
                              .pulled_ms = stmt_i64(stmt, 18)};
    return OK;
}

static const char SQL_STREAM_FIND[] =
    "SELECT " STREAM_COLUMNS
    " FROM stream WHERE tenant_id = $1 AND connection_id = $2 AND kind = $3";

static enum fail find(struct tx *tx, int64_t connection_id, struct str kind, struct arena *arena,
                      struct store_stream *ret, bool *ret_found, struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_STREAM_FIND);

    stmt_bind_i64(stmt, 2, connection_id);
    stmt_bind_str(stmt, 3, kind);
    return stmt_one(stmt, read_stream, arena, ret, ret_found, err);
}

static const char SQL_STREAM_INSERT[] =
    "INSERT INTO stream (tenant_id, connection_id, kind, first_import_done, cursor_all, "
    "cursor_changed, cursor_deleted, scan, scan_listed, scanned_ms, mapping_version, "
    "next_run_at_ms, failures_in_row, note, epoch, lease_owner, lease_until_ms) "
    "VALUES ($1, $2, $3, 0, '', '', '', 0, 0, 0, '', 0, 0, '', 0, '', 0)";

static enum fail insert(struct tx *tx, int64_t connection_id, struct str kind, struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_STREAM_INSERT);

    stmt_bind_i64(stmt, 2, connection_id);
    stmt_bind_str(stmt, 3, kind);
    return stmt_run(stmt, err);
}

enum fail stream_ensure(struct tx *tx, int64_t connection_id, struct str kind, struct arena *arena,
                        struct store_stream *ret, struct error *err)
{
    bool found;

    if (find(tx, connection_id, kind, arena, ret, &found, err) != OK ||
        (!found && (insert(tx, connection_id, kind, err) != OK ||
                    find(tx, connection_id, kind, arena, ret, &found, err) != OK))) {
        return err->code;
    }
    return OK;
}

static const char SQL_STREAM_LIST[] =
    "SELECT " STREAM_COLUMNS " FROM stream WHERE tenant_id = $1 ORDER BY id";

enum fail stream_list(struct tx *tx, struct arena *arena, struct store_stream **ret,
                      size_t *ret_count, struct error *err)
{
    struct rows rows;

    if (stmt_all(tx_stmt(tx, SQL_STREAM_LIST), read_stream, sizeof **ret, arena, &rows, err) !=
        OK) {
        return err->code;
    }
    *ret = rows.at;
    *ret_count = rows.count;
    return OK;
}

static const char SQL_STREAM_BY_ID[] =
    "SELECT " STREAM_COLUMNS " FROM stream WHERE tenant_id = $1 AND id = $2";

static enum fail reread(struct tx *tx, struct store_stream *stream, struct arena *arena,
                        struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_STREAM_BY_ID);
    int64_t id = stream->id;
    bool found;

    stmt_bind_i64(stmt, 2, id);
    if (stmt_one(stmt, read_stream, arena, stream, &found, err) != OK) {
        return err->code;
    }
    return found ? OK : error_set(err, FAIL_BUG, "the store has no stream %lld", (long long)id);
}

static const char SQL_STREAM_CLAIM[] =
    "UPDATE stream SET epoch = epoch + 1, lease_owner = $2, lease_until_ms = $3 "
    "WHERE tenant_id = $1 AND id = $4 AND (lease_owner = '' OR lease_until_ms <= $5)";

enum fail stream_claim(struct tx *tx, struct store_stream *stream, struct arena *arena,
                       struct str owner, int64_t now_ms, int64_t until_ms, bool *ret_claimed,
                       struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_STREAM_CLAIM);

    stmt_bind_str(stmt, 2, owner);
    stmt_bind_i64(stmt, 3, until_ms);
    stmt_bind_i64(stmt, 4, stream->id);
    stmt_bind_i64(stmt, 5, now_ms);
    if (stmt_run(stmt, err) != OK || reread(tx, stream, arena, err) != OK) {
        return err->code;
    }
    *ret_claimed = stmt_changes(stmt) == 1;
    return OK;
}

/* Whether the row was ours to write. */
static enum fail run_fenced(struct stmt *stmt, const struct store_stream *stream, struct error *err)
{
    if (stmt_run(stmt, err) != OK) {
        return err->code;
    }
    if (stmt_changes(stmt) == 1) {
        return OK;
    }
    error_set(err, FAIL_CANCELLED, "the stream of kind '%" PRI_STR "' was claimed by another run",
              STR_ARG(stream->kind));
    return error_hint(err, "nothing is lost; the other run goes on with it");
}

static const char SQL_STREAM_SAVE[] =
    "UPDATE stream SET first_import_done = $2, cursor_all = $3, cursor_changed = $4, "
    "cursor_deleted = $5, scan = $6, scan_listed = $7, scanned_ms = $8, mapping_version = $9, "
    "next_run_at_ms = $10, failures_in_row = $11, note = $12, lease_until_ms = $13, "
    "agreed_ms = $16, pulled_ms = $17 WHERE tenant_id = $1 AND id = $14 AND epoch = $15";

enum fail stream_save(struct tx *tx, const struct store_stream *stream, struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_STREAM_SAVE);

    stmt_bind_i64(stmt, 2, stream->first_import_done);
    stmt_bind_str(stmt, 3, stream->cursor_all);
    stmt_bind_str(stmt, 4, stream->cursor_changed);
    stmt_bind_str(stmt, 5, stream->cursor_deleted);
    stmt_bind_i64(stmt, 6, stream->scan);
    stmt_bind_i64(stmt, 7, stream->scan_listed);
    stmt_bind_i64(stmt, 8, stream->scanned_ms);
    stmt_bind_str(stmt, 9, stream->mapping_version);
    stmt_bind_i64(stmt, 10, stream->next_run_at_ms);
    stmt_bind_i64(stmt, 11, stream->failures_in_row);
    stmt_bind_str(stmt, 12, stream->note);
    stmt_bind_i64(stmt, 13, stream->lease_until_ms);
    stmt_bind_i64(stmt, 14, stream->id);
    stmt_bind_i64(stmt, 15, stream->epoch);
    stmt_bind_i64(stmt, 16, stream->agreed_ms);
    stmt_bind_i64(stmt, 17, stream->pulled_ms);
    return run_fenced(stmt, stream, err);
}

static const char SQL_STREAM_AGREED[] =
    "UPDATE stream SET agreed_ms = $4 WHERE tenant_id = $1 AND connection_id = $2 AND kind = $3 "
    "AND agreed_ms = 0";

enum fail stream_agreed(struct tx *tx, int64_t connection_id, struct str kind, int64_t now_ms,
                        struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_STREAM_AGREED);

    stmt_bind_i64(stmt, 2, connection_id);
    stmt_bind_str(stmt, 3, kind);
    stmt_bind_i64(stmt, 4, now_ms);
    return stmt_run(stmt, err);
}

static const char SQL_STREAM_RELEASE[] = "UPDATE stream SET lease_owner = '', lease_until_ms = 0 "
                                         "WHERE tenant_id = $1 AND id = $2 AND epoch = $3";

enum fail stream_release(struct tx *tx, const struct store_stream *stream, struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_STREAM_RELEASE);

    stmt_bind_i64(stmt, 2, stream->id);
    stmt_bind_i64(stmt, 3, stream->epoch);
    return run_fenced(stmt, stream, err);
}
