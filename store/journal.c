#include "store/journal.h"

#include "core/jx.h"
#include "store/inside.h"

enum { JOURNAL_BYTES_MAX = 64 * 1024 * 1024 };

#define RULE_ERASED STR("erased") /* of an entry, which has no changes */

const char *journal_cause_name(enum journal_cause cause)
{
    switch (cause) {
    case CAUSE_IMPORT:
        return "import";
    case CAUSE_PULL:
        return "pull";
    case CAUSE_LOCAL:
        return "local";
    case CAUSE_CONFLICT:
        return "conflict";
    case CAUSE_MERGE:
        return "merge";
    case CAUSE_DELETE:
        return "delete";
    case CAUSE_RESTORE:
        return "restore";
    case CAUSE_PUSH:
        return "push";
    }
    return "unknown";
}

/* --- writing ------------------------------------------------------------------------------------------------- */

/* A change as one document: the members are its values, as the fields of a record are written. */
static struct str change_to_json(struct arena *arena, const struct journal_change *change)
{
    struct fields members = {0};
    struct str ms = arena_printf(arena, "%lld", (long long)change->changed_ms);

    fields_set(&members, arena, STR("field"), VALUE_OF(change->field));
    fields_set(&members, arena, STR("from"), change->from);
    fields_set(&members, arena, STR("lost"), change->lost);
    fields_set(&members, arena, STR("ms"), VALUE_OF(ms));
    fields_set(&members, arena, STR("rule"), VALUE_OF(change->rule));
    fields_set(&members, arena, STR("to"), change->to);
    if (change->time_is_exact) {
        fields_set(&members, arena, STR("exact"), VALUE_OF(STR("1")));
    }
    return fields_to_json(arena, &members);
}

static struct str changes_to_json(struct arena *arena, const struct journal_entry *entry)
{
    AUTO_BUF struct buf json;

    buf_init(&json, JOURNAL_BYTES_MAX);
    buf_add_char(&json, '[');
    for (size_t i = 0; i < entry->changes_count; i++) {
        if (i) {
            buf_add_char(&json, ',');
        }
        buf_add(&json, change_to_json(arena, &entry->changes[i]));
    }
    buf_add_char(&json, ']');
    return json.is_full ? STR_NONE : arena_str(arena, buf_str(&json));
}

/* First values of a new record: same rule, same time, nothing before, nothing lost. */
static bool is_first_values(const struct journal_entry *entry)
{
    const struct journal_change *first = entry->changes;

    if (entry->changes_count == 0 || first->rule.len == 0) {
        return false;
    }
    for (size_t i = 0; i < entry->changes_count; i++) {
        const struct journal_change *c = &entry->changes[i];

        if (c->from.state != VALUE_ABSENT || c->lost.state != VALUE_ABSENT ||
            c->to.state == VALUE_ABSENT || c->changed_ms != first->changed_ms ||
            c->time_is_exact != first->time_is_exact || !str_equal(c->rule, first->rule) ||
            (i && str_compare(c[-1].field, c->field) >= 0)) {
            return false;
        }
    }
    return true;
}

static struct str first_values_to_json(struct arena *arena, const struct journal_entry *entry)
{
    struct fields fields = {.count = entry->changes_count};

    if (entry->first_values) {
        return fields_to_json(arena, entry->first_values);
    }
    fields.at = ARENA_ARRAY(arena, struct field, entry->changes_count);
    for (size_t i = 0; i < entry->changes_count; i++) {
        fields.at[i] =
            (struct field){.name = entry->changes[i].field, .value = entry->changes[i].to};
    }
    return fields_to_json(arena, &fields);
}

static void bind_entry(struct stmt *stmt, const struct journal_entry *entry)
{
    stmt_bind_i64(stmt, 2, entry->record_id);
    stmt_bind_i64(stmt, 3, entry->record_version);
    stmt_bind_i64(stmt, 4, entry->at_ms);
    stmt_bind_i64(stmt, 5, entry->run_id);
    stmt_bind_i64(stmt, 6, entry->connection_id);
    stmt_bind_str(stmt, 7, entry->remote_id);
    stmt_bind_i64(stmt, 8, entry->cause);
}

static const char SQL_JOURNAL_APPEND[] =
    "INSERT INTO journal (tenant_id, record_id, record_version, at_ms, run_id, connection_id, "
    "remote_id, cause, rule, changed_ms, time_is_exact, changes) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";

static enum fail append(struct tx *tx, const struct journal_entry *entry, struct arena *scratch,
                        struct error *err)
{
    bool is_first = is_first_values(entry);
    const struct journal_change none = {0};
    const struct journal_change *shared = is_first ? entry->changes : &none;
    struct str json =
        is_first ? first_values_to_json(scratch, entry) : changes_to_json(scratch, entry);
    struct stmt *stmt = tx_stmt(tx, SQL_JOURNAL_APPEND);

    if (!json.at) {
        return error_set(err, FAIL_RECORD, "a change is too large for the journal");
    }
    bind_entry(stmt, entry);
    stmt_bind_str(stmt, 9, entry->is_erasure ? RULE_ERASED : shared->rule);
    stmt_bind_i64(stmt, 10, shared->changed_ms);
    stmt_bind_i64(stmt, 11, shared->time_is_exact);
    stmt_bind_str(stmt, 12, json);
    return stmt_run(stmt, err);
}

enum fail journal_append(struct tx *tx, const struct journal_entry *entry, struct error *err)
{
    enum fail failed = append(tx, entry, &tx->scratch, err);

    arena_reset(&tx->scratch);
    return failed;
}

/* --- reading ------------------------------------------------------------------------------------------------- */

#define JOURNAL_COLUMNS                                                                            \
    "id, record_id, record_version, at_ms, run_id, connection_id, remote_id, cause, rule, "        \
    "changed_ms, time_is_exact, changes"

static enum fail read_first_values(const struct stmt *stmt, struct arena *arena,
                                   struct journal_entry *entry, struct error *err)
{
    struct fields fields;
    struct str rule = arena_str(arena, stmt_str(stmt, 8));
    struct journal_change *changes;

    if (fields_from_json(arena, stmt_str(stmt, 11), &fields, err) != OK) {
        return err->code;
    }
    changes = ARENA_ARRAY(arena, struct journal_change, fields.count);
    for (size_t i = 0; i < fields.count; i++) {
        changes[i] = (struct journal_change){.field = fields.at[i].name,
                                             .to = fields.at[i].value,
                                             .rule = rule,
                                             .changed_ms = stmt_i64(stmt, 9),
                                             .time_is_exact = stmt_i64(stmt, 10) != 0};
    }
    entry->changes = changes;
    entry->changes_count = fields.count;
    return OK;
}

static enum fail read_change(struct arena *arena, const json_t *tree, struct journal_change *ret,
                             struct error *err)
{
    struct fields members;

    if (!json_is_object(tree) ||
        fields_from_json(arena, jx_text(arena, tree), &members, err) != OK ||
        !str_to_i64(fields_get(&members, STR("ms"))->text, &ret->changed_ms)) {
        return store_damaged(err, "a change in the journal cannot be read");
    }
    ret->field = fields_get(&members, STR("field"))->text;
    ret->from = *fields_get(&members, STR("from"));
    ret->to = *fields_get(&members, STR("to"));
    ret->lost = *fields_get(&members, STR("lost"));
    ret->rule = fields_get(&members, STR("rule"))->text;
    ret->time_is_exact = fields_get(&members, STR("exact"))->state == VALUE_TEXT;
    return OK;
}

static enum fail read_changes(const struct stmt *stmt, struct arena *arena,
                              struct journal_entry *entry, struct error *err)
{
    struct journal_change *changes;
    size_t count;
    json_t *tree;

    if (jx_parse(arena, stmt_str(stmt, 11), &tree, err) != OK || !json_is_array(tree)) {
        return store_damaged(err, "an entry of the journal cannot be read");
    }
    count = json_array_size(tree);
    changes = ARENA_ARRAY(arena, struct journal_change, count);
    for (size_t i = 0; i < count; i++) {
        if (read_change(arena, json_array_get(tree, i), &changes[i], err) != OK) {
            return err->code;
        }
    }
    entry->changes = changes;
    entry->changes_count = count;
    return OK;
}

static enum fail read_entry(const struct stmt *stmt, struct arena *arena, void *row,
                            struct error *err)
{
    struct journal_entry *entry = row;

    *entry = (struct journal_entry){.id = stmt_i64(stmt, 0),
                                    .record_id = stmt_i64(stmt, 1),
                                    .record_version = stmt_i64(stmt, 2),
                                    .at_ms = stmt_i64(stmt, 3),
                                    .run_id = stmt_i64(stmt, 4),
                                    .connection_id = stmt_i64(stmt, 5),
                                    .remote_id = arena_str(arena, stmt_str(stmt, 6)),
                                    .cause = (enum journal_cause)stmt_i64(stmt, 7)};
    entry->is_erasure = entry->cause == CAUSE_DELETE && str_equal(stmt_str(stmt, 8), RULE_ERASED);
    return stmt_str(stmt, 8).len && !entry->is_erasure ? read_first_values(stmt, arena, entry, err)
                                                       : read_changes(stmt, arena, entry, err);
}

static const char SQL_JOURNAL_OF_RECORD[] =
    "SELECT " JOURNAL_COLUMNS " FROM journal WHERE tenant_id = $1 AND record_id = $2 AND id < $3 "
    "ORDER BY id DESC LIMIT $4";

static struct stmt *newest_first(struct tx *tx, int64_t record_id, int64_t before_id, size_t limit)
{
    struct stmt *stmt = tx_stmt(tx, SQL_JOURNAL_OF_RECORD);

    stmt_bind_i64(stmt, 2, record_id);
    stmt_bind_i64(stmt, 3, before_id > 0 ? before_id : INT64_MAX);
    stmt_bind_limit(stmt, 4, limit);
    return stmt;
}

enum fail journal_of_record(struct tx *tx, int64_t record_id, int64_t before_id, size_t limit,
                            struct arena *arena, struct journal_entry **ret, size_t *ret_count,
                            struct error *err)
{
    struct rows rows;

    if (stmt_all(newest_first(tx, record_id, before_id, limit), read_entry, sizeof **ret, arena,
                 &rows, err) != OK) {
        return err->code;
    }
    *ret = rows.at;
    *ret_count = rows.count;
    return OK;
}

/* The journal is read by its own order, whatever there is of other tenants. */
static const char SQL_JOURNAL_AFTER[] = "SELECT " JOURNAL_COLUMNS " FROM journal WHERE id > $2 AND "
                                        "+tenant_id = $1 ORDER BY id LIMIT $3";

enum fail journal_after(struct tx *tx, int64_t after_id, size_t limit, struct arena *arena,
                        struct journal_entry **ret, size_t *ret_count, struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_JOURNAL_AFTER);
    struct rows rows;

    stmt_bind_i64(stmt, 2, after_id);
    stmt_bind_limit(stmt, 3, limit);
    if (stmt_all(stmt, read_entry, sizeof **ret, arena, &rows, err) != OK) {
        return err->code;
    }
    *ret = rows.at;
    *ret_count = rows.count;
    return OK;
}

static bool find_origin(const struct journal_entry *entry, struct str field,
                        struct journal_origin *ret)
{
    for (size_t i = 0; i < entry->changes_count && entry->cause != CAUSE_PUSH; i++) {
        const struct journal_change *change = &entry->changes[i];

        if (str_equal(change->field, field) && !value_equal(&change->from, &change->to)) {
            *ret = (struct journal_origin){.changed_ms = change->changed_ms,
                                           .connection_id = entry->connection_id,
                                           .time_is_exact = change->time_is_exact};
            return true;
        }
    }
    return false;
}

enum fail journal_origin_of(struct tx *tx, int64_t record_id, struct str field,
                            struct journal_origin *ret, bool *ret_found, struct error *err)
{
    struct stmt *stmt = newest_first(tx, record_id, 0, SIZE_MAX);
    enum fail failed = OK;
    bool is_row = true, found = false;

    while (failed == OK && is_row && !found) {
        struct journal_entry entry;

        failed = stmt_step(stmt, &is_row, err);
        if (failed == OK && is_row) {
            failed = read_entry(stmt, &tx->scratch, &entry, err);
        }
        found = failed == OK && is_row && find_origin(&entry, field, ret);
        arena_reset(&tx->scratch);
    }
    stmt_end(stmt);
    *ret_found = found;
    return failed;
}

static const char SQL_JOURNAL_PLACE[] =
    "SELECT journal_from, CASE WHEN state = 0 OR journal_to = 0 THEN "
    "coalesce((SELECT max(id) FROM journal), 0) ELSE journal_to END "
    "FROM run WHERE tenant_id = $1 AND id = $2";

struct place {
    int64_t from, to;
};

static enum fail read_place(const struct stmt *stmt, struct arena *arena, void *row,
                            struct error *err)
{
    (void)arena;
    (void)err;
    *(struct place *)row = (struct place){stmt_i64(stmt, 0), stmt_i64(stmt, 1)};
    return OK;
}

static enum fail place_of_run(struct tx *tx, int64_t run_id, struct place *ret, struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_JOURNAL_PLACE);
    bool found;

    stmt_bind_i64(stmt, 2, run_id);
    if (stmt_one(stmt, read_place, NULL, ret, &found, err) != OK) {
        return err->code;
    }
    if (!found) {
        error_set(err, FAIL_RECORD, "there is no run %lld", (long long)run_id);
        return error_hint(err, "list them with 'crmsync runs'");
    }
    return OK;
}

static const char SQL_JOURNAL_RECORDS_OF_RUN[] =
    "SELECT DISTINCT record_id FROM journal WHERE tenant_id = $1 AND id > $2 AND id <= $3 "
    "AND run_id = $4 AND record_id < $5 ORDER BY record_id DESC LIMIT $6";

enum fail journal_records_of_run(struct tx *tx, int64_t run_id, int64_t before_id, size_t limit,
                                 int64_t *ret_ids, size_t *ret_count, struct error *err)
{
    struct stmt *stmt;
    struct place place;
    bool is_row = true;

    *ret_count = 0;
    if (place_of_run(tx, run_id, &place, err) != OK) {
        return err->code;
    }
    stmt = tx_stmt(tx, SQL_JOURNAL_RECORDS_OF_RUN);
    stmt_bind_i64(stmt, 2, place.from);
    stmt_bind_i64(stmt, 3, place.to);
    stmt_bind_i64(stmt, 4, run_id);
    stmt_bind_i64(stmt, 5, before_id > 0 ? before_id : INT64_MAX);
    stmt_bind_limit(stmt, 6, limit);
    for (;;) {
        if (stmt_step(stmt, &is_row, err) != OK) {
            return err->code;
        }
        if (!is_row) {
            return OK;
        }
        ret_ids[(*ret_count)++] = stmt_i64(stmt, 0);
    }
}
