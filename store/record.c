#include "store/record.h"

#include <assert.h>

#include "store/inside.h"

enum { PREFIX_LEN_MIN = 8, SEARCH_BYTES_MAX = 1000 };

#define RECORD_COLUMNS "id, uuid, kind, version, state, merged_into, created_ms, updated_ms, fields"

static enum fail read_record(const struct stmt *stmt, struct arena *arena, void *row,
                             struct error *err)
{
    struct store_record *record = row;

    *record = (struct store_record){.id = stmt_i64(stmt, 0),
                                    .uuid = arena_str(arena, stmt_str(stmt, 1)),
                                    .kind = arena_str(arena, stmt_str(stmt, 2)),
                                    .version = stmt_i64(stmt, 3),
                                    .state = (enum record_state)stmt_i64(stmt, 4),
                                    .merged_into = stmt_i64(stmt, 5),
                                    .created_ms = stmt_i64(stmt, 6),
                                    .updated_ms = stmt_i64(stmt, 7)};
    if (fields_from_json(arena, stmt_str(stmt, 8), &record->fields, err) != OK) {
        return error_wrap(err, "record %" PRI_STR, STR_ARG(record->uuid));
    }
    return OK;
}

const char *record_state_name(enum record_state state)
{
    switch (state) {
    case RECORD_LIVE:
        return "live";
    case RECORD_DELETED:
        return "deleted";
    case RECORD_MERGED:
        return "merged";
    }
    return "unknown";
}

/* --- match keys ---------------------------------------------------------------------------------------------- */

static const char SQL_MATCH_KEY_INSERT[] =
    "INSERT INTO match_key (tenant_id, kind, rule, key, record_id) VALUES ($1, $2, $3, $4, $5)";

static enum fail insert_keys(struct tx *tx, const struct store_record *record,
                             const struct str *keys, size_t count, struct error *err)
{
    for (size_t i = 0; i < count; i++) {
        struct stmt *stmt;

        if (keys[i].len == 0) {
            continue;
        }
        stmt = tx_stmt(tx, SQL_MATCH_KEY_INSERT);
        stmt_bind_str(stmt, 2, record->kind);
        stmt_bind_i64(stmt, 3, (int64_t)i);
        stmt_bind_str(stmt, 4, keys[i]);
        stmt_bind_i64(stmt, 5, record->id);
        if (stmt_run(stmt, err) != OK) {
            return error_wrap(err, "match keys");
        }
    }
    return OK;
}

static const char SQL_MATCH_KEY_LIST[] =
    "SELECT rule, key FROM match_key WHERE tenant_id = $1 AND record_id = $2";

/* Most updates leave the keys as they are; then nothing is written. */
static enum fail keys_are_equal(struct tx *tx, int64_t record_id, const struct str *keys,
                                size_t count, bool *ret, struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_MATCH_KEY_LIST);
    size_t wanted = 0, equal = 0, stored = 0;
    bool is_row = true;

    for (size_t i = 0; i < count; i++) {
        wanted += keys[i].len != 0;
    }
    stmt_bind_i64(stmt, 2, record_id);
    while (is_row) {
        uint64_t rule;

        if (stmt_step(stmt, &is_row, err) != OK) {
            return err->code;
        }
        rule = is_row ? (uint64_t)stmt_i64(stmt, 0) : count;
        stored += is_row;
        equal += rule < count && str_equal(stmt_str(stmt, 1), keys[rule]);
    }
    *ret = equal == wanted && stored == wanted;
    return OK;
}

static const char SQL_MATCH_KEY_DELETE[] =
    "DELETE FROM match_key WHERE tenant_id = $1 AND record_id = $2";

static enum fail delete_keys(struct tx *tx, int64_t record_id, struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_MATCH_KEY_DELETE);

    stmt_bind_i64(stmt, 2, record_id);
    return stmt_run(stmt, err);
}

static enum fail replace_keys(struct tx *tx, const struct store_record *record,
                              const struct str *keys, size_t count, struct error *err)
{
    bool is_equal;

    if (record->state != RECORD_LIVE) {
        count = 0;
    }
    if (keys_are_equal(tx, record->id, keys, count, &is_equal, err) != OK) {
        return err->code;
    }
    if (is_equal) {
        return OK;
    }
    return delete_keys(tx, record->id, err) != OK ? err->code
                                                  : insert_keys(tx, record, keys, count, err);
}

static const char SQL_RECORD_MATCH[] =
    "SELECT m.record_id, coalesce(l.id, 0) FROM match_key m LEFT JOIN link l "
    "ON l.tenant_id = $1 AND l.connection_id = $2 AND l.record_id = m.record_id "
    "WHERE m.tenant_id = $1 AND m.kind = $3 AND m.rule = $4 AND m.key = $5 "
    "ORDER BY m.record_id LIMIT $6";

enum fail record_match(struct tx *tx, struct str kind, int rule, struct str key,
                       int64_t connection_id, struct match_hit *ret, size_t hits_max,
                       size_t *ret_count, struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_RECORD_MATCH);
    size_t count = 0;
    bool is_row = true;

    stmt_bind_i64(stmt, 2, connection_id);
    stmt_bind_str(stmt, 3, kind);
    stmt_bind_i64(stmt, 4, rule);
    stmt_bind_str(stmt, 5, key);
    stmt_bind_limit(stmt, 6, hits_max);
    while (is_row) {
        if (stmt_step(stmt, &is_row, err) != OK) {
            return err->code;
        }
        if (is_row) {
            ret[count++] =
                (struct match_hit){.record_id = stmt_i64(stmt, 0), .link_id = stmt_i64(stmt, 1)};
        }
    }
    *ret_count = count;
    return OK;
}

/* --- writing ------------------------------------------------------------------------------------------------- */

static const char SQL_RECORD_INSERT[] =
    "INSERT INTO record (tenant_id, uuid, kind, version, state, merged_into, created_ms, "
    "updated_ms, fields) VALUES ($1, $2, $3, 1, $4, $5, $6, $7, $8)";

static enum fail insert_row(struct tx *tx, const struct store_record *record, int64_t *ret_id,
                            struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_RECORD_INSERT);
    enum fail failed;

    stmt_bind_str(stmt, 2, record->uuid);
    stmt_bind_str(stmt, 3, record->kind);
    stmt_bind_i64(stmt, 4, record->state);
    stmt_bind_i64(stmt, 5, record->merged_into);
    stmt_bind_i64(stmt, 6, record->created_ms);
    stmt_bind_i64(stmt, 7, record->updated_ms);
    stmt_bind_str(stmt, 8, fields_to_json(&tx->scratch, &record->fields));
    failed = stmt_insert(stmt, ret_id, err);
    arena_reset(&tx->scratch);
    return failed;
}

enum fail record_insert(struct tx *tx, struct store_record *record, const struct str *match_keys,
                        size_t keys_count, struct error *err)
{
    struct store_record row = *record;

    row.version = 1;
    if (insert_row(tx, &row, &row.id, err) != OK ||
        (row.state == RECORD_LIVE && insert_keys(tx, &row, match_keys, keys_count, err) != OK)) {
        return error_wrap(err, "new record");
    }
    record->id = row.id;
    record->version = row.version;
    return OK;
}

static const char SQL_RECORD_UPDATE[] =
    "UPDATE record SET version = version + 1, state = $2, merged_into = $3, updated_ms = $4, "
    "fields = $5 WHERE tenant_id = $1 AND id = $6 AND version = $7";

static enum fail update_row(struct tx *tx, const struct store_record *record, struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_RECORD_UPDATE);
    enum fail failed;

    stmt_bind_i64(stmt, 2, record->state);
    stmt_bind_i64(stmt, 3, record->merged_into);
    stmt_bind_i64(stmt, 4, record->updated_ms);
    stmt_bind_str(stmt, 5, fields_to_json(&tx->scratch, &record->fields));
    stmt_bind_i64(stmt, 6, record->id);
    stmt_bind_i64(stmt, 7, record->version);
    failed = stmt_run(stmt, err);
    arena_reset(&tx->scratch);
    if (failed == OK && stmt_changes(stmt) != 1) {
        return error_set(err, FAIL_STALE,
                         "record %" PRI_STR " was changed meanwhile: it is not at version %lld",
                         STR_ARG(record->uuid), (long long)record->version);
    }
    return failed;
}

static const char SQL_RECORD_TELL_LINKS[] =
    "UPDATE link SET record_version = $2 WHERE tenant_id = $1 AND record_id = $3";

static enum fail tell_links(struct tx *tx, const struct store_record *record, struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_RECORD_TELL_LINKS);

    stmt_bind_i64(stmt, 2, record->version + 1);
    stmt_bind_i64(stmt, 3, record->id);
    return stmt_run(stmt, err);
}

enum fail record_update(struct tx *tx, struct store_record *record, const struct str *match_keys,
                        size_t keys_count, struct error *err)
{
    if (update_row(tx, record, err) != OK || tell_links(tx, record, err) != OK ||
        replace_keys(tx, record, match_keys, keys_count, err) != OK) {
        return err->code;
    }
    record->version++;
    return OK;
}

/* --- reading ------------------------------------------------------------------------------------------------- */

static const char SQL_RECORD_BY_ID[] =
    "SELECT " RECORD_COLUMNS " FROM record WHERE tenant_id = $1 AND id = $2";

enum fail record_by_id(struct tx *tx, int64_t id, struct arena *arena, struct store_record *ret,
                       bool *ret_found, struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_RECORD_BY_ID);

    stmt_bind_i64(stmt, 2, id);
    return stmt_one(stmt, read_record, arena, ret, ret_found, err);
}

static const char SQL_RECORD_BY_UUID[] =
    "SELECT " RECORD_COLUMNS " FROM record WHERE tenant_id = $1 AND uuid = $2";

enum fail record_by_uuid(struct tx *tx, struct str uuid, struct arena *arena,
                         struct store_record *ret, bool *ret_found, struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_RECORD_BY_UUID);

    stmt_bind_str(stmt, 2, uuid);
    return stmt_one(stmt, read_record, arena, ret, ret_found, err);
}

/* A range, not LIKE, so that the index serves and no character of a prefix means anything. '~' is behind every
 * character of a UUID. */
static const char SQL_RECORD_BY_PREFIX[] =
    "SELECT " RECORD_COLUMNS " FROM record WHERE tenant_id = $1 AND uuid >= $2 AND uuid <= $3 "
    "AND (kind = $4 OR $4 = '') ORDER BY uuid LIMIT 2";

enum fail record_by_prefix(struct tx *tx, struct str kind, struct str prefix, struct arena *arena,
                           struct store_record *ret, int *ret_count, struct error *err)
{
    struct stmt *stmt;
    struct rows rows;

    if (prefix.len < PREFIX_LEN_MIN) {
        error_set(err, FAIL_CONFIG, "the beginning of a record's id has at least %d characters",
                  PREFIX_LEN_MIN);
        return error_hint(err, "'crmsync records list KIND' shows the ids");
    }
    stmt = tx_stmt(tx, SQL_RECORD_BY_PREFIX);
    stmt_bind_str(stmt, 2, prefix);
    stmt_bind_str(stmt, 3, arena_printf(arena, "%" PRI_STR "~", STR_ARG(prefix)));
    stmt_bind_str(stmt, 4, kind);
    if (stmt_all(stmt, read_record, sizeof *ret, arena, &rows, err) != OK) {
        return err->code;
    }
    if (rows.count) {
        *ret = *(struct store_record *)rows.at;
    }
    *ret_count = (int)rows.count;
    return OK;
}

/* --- listings ------------------------------------------------------------------------------------------------ */

static const char SQL_RECORD_LIST_ALL[] =
    "SELECT " RECORD_COLUMNS " FROM record WHERE tenant_id = $1 AND state = 0 AND id > $2 "
    "ORDER BY id LIMIT $3";

static struct stmt *list_all(struct tx *tx, int64_t after_id, size_t limit)
{
    struct stmt *stmt = tx_stmt(tx, SQL_RECORD_LIST_ALL);

    stmt_bind_i64(stmt, 2, after_id);
    stmt_bind_limit(stmt, 3, limit);
    return stmt;
}

static const char SQL_RECORD_LIST[] =
    "SELECT " RECORD_COLUMNS " FROM record WHERE tenant_id = $1 AND kind = $2 AND state = 0 "
    "AND id > $3 ORDER BY id LIMIT $4";

static struct stmt *list_kind(struct tx *tx, struct str kind, int64_t after_id, size_t limit)
{
    struct stmt *stmt = tx_stmt(tx, SQL_RECORD_LIST);

    stmt_bind_str(stmt, 2, kind);
    stmt_bind_i64(stmt, 3, after_id);
    stmt_bind_limit(stmt, 4, limit);
    return stmt;
}

enum fail record_list(struct tx *tx, struct str kind, int64_t after_id, size_t limit,
                      struct arena *arena, struct store_record **ret, size_t *ret_count,
                      struct error *err)
{
    struct stmt *stmt =
        kind.len ? list_kind(tx, kind, after_id, limit) : list_all(tx, after_id, limit);
    struct rows rows;

    if (stmt_all(stmt, read_record, sizeof **ret, arena, &rows, err) != OK) {
        return err->code;
    }
    *ret = rows.at;
    *ret_count = rows.count;
    return OK;
}

static const char SQL_RECORD_COUNT[] =
    "SELECT count(*) FROM record WHERE tenant_id = $1 AND state = 0 AND (kind = $2 OR $2 = '')";

enum fail record_count(struct tx *tx, struct str kind, int64_t *ret_live, struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_RECORD_COUNT);

    stmt_bind_str(stmt, 2, kind);
    return stmt_number(stmt, ret_live, err);
}

/* --- search -------------------------------------------------------------------------------------------------- */

static struct str lower_ascii(struct arena *arena, struct str text)
{
    char *lower = arena_cstr(arena, text);

    for (size_t i = 0; i < text.len; i++) {
        if (lower[i] >= 'A' && lower[i] <= 'Z') {
            lower[i] = (char)(lower[i] - 'A' + 'a');
        }
    }
    return (struct str){.at = lower, .len = text.len};
}

/* The text as it stands inside a document, in lower case, as a LIKE pattern. */
static struct str pattern_of(struct arena *arena, struct str text)
{
    struct field field = {.name = STR("x"), .value = VALUE_OF(lower_ascii(arena, text))};
    struct str json = fields_to_json(arena, &(const struct fields){.at = &field, .count = 1});
    struct str inner = str_slice(json, strlen("{\"x\":\""), json.len - strlen("\"}"));
    char *pattern = arena_alloc(arena, 2 * inner.len + 3, 1);
    size_t len = 0;

    pattern[len++] = '%';
    for (size_t i = 0; i < inner.len; i++) {
        if (inner.at[i] == '%' || inner.at[i] == '_' || inner.at[i] == '!') {
            pattern[len++] = '!';
        }
        pattern[len++] = inner.at[i];
    }
    pattern[len++] = '%';
    return (struct str){.at = pattern, .len = len};
}

static bool value_contains(struct arena *arena, const struct value *value, struct str lower)
{
    if (value->state == VALUE_TEXT) {
        return str_contains(lower_ascii(arena, value->text), lower);
    }
    for (size_t i = 0; i < value->items_count; i++) {
        if (str_contains(lower_ascii(arena, value->items[i]), lower)) {
            return true;
        }
    }
    return false;
}

static bool has_text(struct arena *arena, const struct fields *fields, struct str lower)
{
    for (size_t i = 0; i < fields->count; i++) {
        if (value_contains(arena, &fields->at[i].value, lower)) {
            return true;
        }
    }
    return false;
}

/* The database looks at whole documents, with names and quotes; what it finds is looked at again by value. */
static enum fail keep_if_match(const struct stmt *stmt, struct str lower, struct arena *arena,
                               struct rows *ret, size_t *capacity, struct error *err)
{
    AUTO_ARENA struct arena trial = {0};
    struct store_record record;

    if (read_record(stmt, &trial, &record, err) != OK) {
        return err->code;
    }
    if (!has_text(&trial, &record.fields, lower)) {
        return OK;
    }
    return read_record(stmt, arena, rows_add(arena, ret, capacity, sizeof record), err);
}

static enum fail search(struct stmt *stmt, struct str lower, size_t limit, struct arena *arena,
                        struct rows *ret, struct error *err)
{
    size_t capacity = 0;
    bool is_row = true;
    enum fail failed = OK;

    while (failed == OK && is_row && ret->count < limit) {
        failed = stmt_step(stmt, &is_row, err);
        if (failed == OK && is_row) {
            failed = keep_if_match(stmt, lower, arena, ret, &capacity, err);
        }
    }
    stmt_end(stmt);
    return failed;
}

static const char SQL_RECORD_SEARCH[] =
    "SELECT " RECORD_COLUMNS " FROM record WHERE tenant_id = $1 AND state = 0 AND id > $2 "
    "AND (kind = $3 OR $3 = '') AND lower(fields) LIKE $4 ESCAPE '!' ORDER BY id";

enum fail record_search(struct tx *tx, struct str kind, struct str text, int64_t after_id,
                        size_t limit, struct arena *arena, struct store_record **ret,
                        size_t *ret_count, struct error *err)
{
    AUTO_ARENA struct arena scratch = {0};
    struct rows rows = {0};
    struct stmt *stmt;

    if (text.len == 0 || text.len > SEARCH_BYTES_MAX) {
        error_set(err, FAIL_CONFIG, "a text to search for has 1 to %d bytes", SEARCH_BYTES_MAX);
        return error_hint(err, "search for a part of it");
    }
    stmt = tx_stmt(tx, SQL_RECORD_SEARCH);
    stmt_bind_i64(stmt, 2, after_id);
    stmt_bind_str(stmt, 3, kind);
    stmt_bind_str(stmt, 4, pattern_of(&scratch, text));
    if (search(stmt, lower_ascii(&scratch, text), limit, arena, &rows, err) != OK) {
        return err->code;
    }
    *ret = rows.at;
    *ret_count = rows.count;
    return OK;
}
