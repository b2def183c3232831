/* SOQL: from a query to its records. Ids, references, unique values and SystemModstamp are found without looking at every record. */
#include "simulators/salesforce_soql.h"

#include <assert.h>

#include "core/alloc.h"
#include "core/decimal.h"
#include "core/unicode.h"

/* --- paths ------------------------------------------------------------------------------------- */

const struct sf_record *soql_follow(const struct salesforce *sf, const struct sf_record *record,
                                    const struct soql_path *path, const struct sf_field **ret_field)
{
    char scratch[SF_SCRATCH_BYTES];

    for (size_t i = 0; i < path->via_count && record; i++) {
        struct str id = sf_get(record, path->via[i], scratch);

        record = id.at ? sf_record_of_id(sf, id) : NULL;
    }
    *ret_field = path->field;
    if (record && !path->field) {
        *ret_field = sf_field_find(record->object, path->name);
    }
    return record;
}

/* --- comparing --------------------------------------------------------------------------------- */

static bool is_ascii(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if ((unsigned char)text.at[i] >= 0x80) {
            return false;
        }
    }
    return true;
}

static int compare_nocase(struct str x, struct str y)
{
    size_t shorter = x.len < y.len ? x.len : y.len;

    for (size_t i = 0; i < shorter; i++) {
        int a = (unsigned char)x.at[i], b = (unsigned char)y.at[i];

        a = a >= 'A' && a <= 'Z' ? a + 32 : a;
        b = b >= 'A' && b <= 'Z' ? b + 32 : b;
        if (a != b) {
            return a < b ? -1 : 1;
        }
    }
    return x.len == y.len ? 0 : x.len < y.len ? -1 : 1;
}

static int compare_texts(struct str x, struct str y)
{
    AUTO_ARENA struct arena arena = {0};

    if (is_ascii(x) && is_ascii(y)) {
        return compare_nocase(x, y);
    }
    return str_compare(utf8_lower(&arena, x), utf8_lower(&arena, y));
}

/* Both are values of this field, neither is null. field NULL: a text. */
static int compare_values(const struct sf_field *field, struct str x, struct str y)
{
    if (field && sf_field_is_number(field)) {
        return decimal_compare(x, y);
    }
    if (field &&
        (field->flags & SF_CASE_SENSITIVE || field->type == SF_DATE || field->type == SF_DATETIME ||
         field->type == SF_ID || field->type == SF_REFERENCE || field->type == SF_BOOLEAN)) {
        return memcmp(x.at, y.at, x.len < y.len ? x.len : y.len)
                   ? memcmp(x.at, y.at, x.len < y.len ? x.len : y.len)
                   : (x.len > y.len) - (x.len < y.len);
    }
    return compare_texts(x, y);
}

/* Bytes of one character. */
static size_t character(struct str text)
{
    size_t bytes = 1;

    while (bytes < text.len && ((unsigned char)text.at[bytes] & 0xC0) == 0x80) {
        bytes++;
    }
    return bytes;
}

/* Both in lower case; % any text, _ any character, \ before what is meant literally. */
static bool is_like(struct str text, struct str pattern)
{
    while (pattern.len) {
        char c = pattern.at[0];

        if (c == '%') {
            pattern = str_slice(pattern, 1, pattern.len);
            for (size_t i = 0; i <= text.len; i++) {
                if (is_like(str_slice(text, i, text.len), pattern)) {
                    return true;
                }
            }
            return false;
        }
        if (!text.len) {
            return false;
        }
        if (c == '_') {
            text = str_slice(text, character(text), text.len);
        } else {
            size_t skip = c == '\\' && pattern.len > 1;

            if (pattern.at[skip] != text.at[0]) {
                return false;
            }
            pattern = str_slice(pattern, skip, pattern.len);
            text = str_slice(text, 1, text.len);
        }
        pattern = str_slice(pattern, 1, pattern.len);
    }
    return !text.len;
}

static bool matches_like(struct str text, struct str pattern)
{
    AUTO_ARENA struct arena arena = {0};

    return is_like(utf8_lower(&arena, text), utf8_lower(&arena, pattern));
}

static bool has_choice(struct str text, struct str choice)
{
    while (text.at) {
        if (str_equal_nocase(str_trim(str_cut(&text, ';')), choice)) {
            return true;
        }
    }
    return false;
}

/* "A;B" means both. */
static bool includes(struct str text, struct str wanted)
{
    while (wanted.at) {
        if (!has_choice(text, str_trim(str_cut(&wanted, ';')))) {
            return false;
        }
    }
    return true;
}

static bool holds(enum soql_operator op, int with_first, int with_last)
{
    switch (op) {
    case SOQL_EQ:
        return with_first >= 0 && with_last <= 0;
    case SOQL_NE:
        return with_first < 0 || with_last > 0;
    case SOQL_LT:
        return with_first < 0;
    case SOQL_GE:
        return with_first >= 0;
    case SOQL_GT:
        return with_last > 0;
    case SOQL_LE:
        return with_last <= 0;
    default:
        abort(); /* the others are handled before */
    }
}

static bool value_holds(const struct soql_expr *expr, const struct sf_field *field, struct str text,
                        const struct soql_value *value)
{
    if (value->is_null) {
        return expr->op == SOQL_NE ? text.at != NULL : expr->op == SOQL_EQ && !text.at;
    }
    if (!text.at) {
        return expr->op == SOQL_NE;
    }
    if (expr->op == SOQL_LIKE) {
        return matches_like(text, value->text);
    }
    if (expr->op == SOQL_INCLUDES) {
        return includes(text, value->text);
    }
    return holds(expr->op, compare_values(field, text, value->text),
                 compare_values(field, text, value->last));
}

static int sign_of(int64_t x, int64_t y)
{
    return (x > y) - (x < y);
}

/* Times of the record itself are compared as numbers: most of a large read is this. */
static bool time_of(const struct sf_record *record, const struct sf_field *field, int64_t *ret)
{
    switch (field->derived) {
    case SF_IS_MODSTAMP:
        *ret = record->base.modified_ms;
        return true;
    case SF_IS_CREATED:
        *ret = record->base.created_ms;
        return true;
    case SF_IS_MODIFIED:
        *ret = record->last_modified_ms;
        return true;
    default:
        return false;
    }
}

static struct str type_of(const struct sf_record *record, const struct soql_path *path)
{
    return record && !path->field && str_equal(path->name, STR("Type")) ? record->object->name
                                                                        : STR_NONE;
}

static bool comparison_holds(const struct salesforce *sf, const struct soql_expr *expr,
                             const struct sf_record *record)
{
    char scratch[SF_SCRATCH_BYTES];
    const struct sf_field *field;
    struct str text = STR_NONE;
    int64_t ms;

    record = soql_follow(sf, record, &expr->path, &field);
    if (record && field && expr->values_count == 1 && !expr->values[0].is_null &&
        time_of(record, field, &ms)) {
        return holds(expr->op, sign_of(ms, expr->values[0].number),
                     sign_of(ms, expr->values[0].last_number));
    }
    if (type_of(record, &expr->path).at) {
        text = type_of(record, &expr->path);
        field = NULL;
    } else if (record && field) {
        text = sf_get(record, field, scratch);
    }
    for (size_t i = 0; i < expr->values_count; i++) {
        if (value_holds(expr, field, text, &expr->values[i])) {
            return true;
        }
    }
    return false;
}

static bool expr_holds(const struct salesforce *sf, const struct soql_expr *expr,
                       const struct sf_record *record)
{
    switch (expr->op) {
    case SOQL_AND:
        return expr_holds(sf, expr->left, record) && expr_holds(sf, expr->right, record);
    case SOQL_OR:
        return expr_holds(sf, expr->left, record) || expr_holds(sf, expr->right, record);
    case SOQL_NOT:
        return !expr_holds(sf, expr->left, record);
    default:
        return comparison_holds(sf, expr, record);
    }
}

/* --- where to look ----------------------------------------------------------------------------- */

enum bound { BOUND_MODSTAMP, BOUND_ID };

/* No record below this can match; INT64_MIN = any may. */
static int64_t lowest(const struct soql_expr *expr, enum bound bound)
{
    int64_t left, right;

    if (expr->op == SOQL_AND || expr->op == SOQL_OR) {
        left = lowest(expr->left, bound);
        right = lowest(expr->right, bound);
        return (expr->op == SOQL_AND) == (left > right) ? left : right;
    }
    if ((expr->op != SOQL_EQ && expr->op != SOQL_GT && expr->op != SOQL_GE) ||
        expr->values_count != 1 || expr->values[0].is_null || expr->path.via_count ||
        !expr->path.field ||
        expr->path.field->derived != (bound == BOUND_ID ? SF_IS_ID : SF_IS_MODSTAMP)) {
        return INT64_MIN;
    }
    return expr->values[0].number;
}

/* A condition that all matches fulfil and that an index answers; NULL = none. */
static const struct soql_expr *indexed(const struct soql_expr *expr)
{
    const struct sf_field *field = expr->path.field;
    const struct soql_expr *found;

    if (expr->op == SOQL_AND) {
        found = indexed(expr->left);
        return found ? found : indexed(expr->right);
    }
    if (expr->op != SOQL_EQ || expr->path.via_count || !field ||
        (field->derived != SF_IS_ID && !field->lookup)) {
        return NULL;
    }
    for (size_t i = 0; i < expr->values_count; i++) {
        if (expr->values[i].is_null) {
            return NULL;
        }
    }
    return expr;
}

static void result_add(struct soql_result *result, struct sf_record *record)
{
    if (result->count == result->capacity) {
        result->capacity = result->capacity ? result->capacity * 2 : 256;
        result->records =
            alloc_resize(result->records, result->capacity, sizeof(result->records[0]));
    }
    result->records[result->count++] = record;
}

static void gather_key(const struct sf_field *field, struct str text, struct soql_result *result)
{
    struct sf_record *record;
    void *place = NULL;

    while ((record = sf_index_next(field->lookup, text, &place))) {
        result_add(result, record);
    }
}

static int by_id(const void *x, const void *y)
{
    const struct sf_record *const *left = x, *const *right = y;

    return sign_of((*left)->base.id, (*right)->base.id);
}

static void sort_unique(struct soql_result *result)
{
    size_t kept = 0;

    if (result->count) {
        qsort(result->records, result->count, sizeof(result->records[0]), by_id);
    }
    for (size_t i = 0; i < result->count; i++) {
        if (i == 0 || result->records[i] != result->records[kept - 1]) {
            result->records[kept++] = result->records[i];
        }
    }
    result->count = kept;
}

/* Every record that an index names for the condition, by id. */
static void gather(const struct soql_query *query, const struct soql_expr *expr,
                   struct soql_result *ret)
{
    for (size_t i = 0; i < expr->values_count; i++) {
        if (expr->path.field->lookup) {
            gather_key(expr->path.field, expr->values[i].text, ret);
        } else {
            struct sf_record *record = sf_record_by_number(query->object, expr->values[i].number);

            if (record) {
                result_add(ret, record);
            }
        }
    }
    sort_unique(ret);
}

/* --- looking ----------------------------------------------------------------------------------- */

struct run {
    struct salesforce *sf;
    const struct soql_query *query;
    const struct sf_record *parent;
    struct soql_result *result;
    size_t wanted; /* the walk may stop there */
    bool is_activity;
};

static bool is_shown(const struct run *run, const struct sf_record *record)
{
    char scratch[SF_SCRATCH_BYTES], id[SF_ID_BYTES];
    const struct soql_query *query = run->query;

    if (!sf_record_is_kept(record, query->now_ms) ||
        (!query->shows_deleted && record->base.archived_ms)) {
        return false;
    }
    if (run->is_activity && !query->shows_deleted && sf_get_flag(record, "IsArchived")) {
        return false;
    }
    if (run->parent) {
        sf_record_id(run->parent, id);
        if (!str_equal(sf_get(record, query->parent, scratch), str_of(id))) {
            return false;
        }
    }
    return !query->where || expr_holds(run->sf, query->where, record);
}

/* False when enough are found. */
static bool look_at(struct run *run, struct sf_record *record)
{
    if (record && is_shown(run, record)) {
        result_add(run->result, record);
    }
    return run->result->count < run->wanted;
}

static void walk_list(struct run *run, const struct soql_result *list)
{
    for (size_t i = 0; i < list->count && look_at(run, list->records[i]); i++) {
    }
}

static void walk_ids(struct run *run, int64_t from)
{
    const struct sim_table *table = &run->query->object->table;

    for (size_t i = from == INT64_MIN ? 0 : sim_table_from(table, from);
         i < table->count && look_at(run, (struct sf_record *)table->at[i]); i++) {
    }
}

static void walk_modstamps(struct run *run, int64_t from_ms)
{
    struct sim_table *table = &run->query->object->table;

    for (size_t i = sim_table_since(table, from_ms);
         i < table->marks_count && look_at(run, (struct sf_record *)sim_table_marked(table, i));
         i++) {
    }
}

static bool orders_by(const struct soql_query *query, size_t index, enum sf_derived derived)
{
    const struct soql_order *order = &query->orders[index];

    return index < query->orders_count && !order->path.via_count && order->path.field &&
           order->path.field->derived == derived && !order->is_descending;
}

/* The table keeps this order by itself. */
static bool is_by_id(const struct soql_query *query)
{
    return !query->orders_count || orders_by(query, 0, SF_IS_ID);
}

static bool is_by_modstamp(const struct soql_query *query)
{
    return orders_by(query, 0, SF_IS_MODSTAMP) &&
           (query->orders_count == 1 || orders_by(query, 1, SF_IS_ID));
}

/* --- sorting ----------------------------------------------------------------------------------- */

static int compare_order(const struct run *run, const struct soql_order *order,
                         const struct sf_record *x, const struct sf_record *y)
{
    char scratch_x[SF_SCRATCH_BYTES], scratch_y[SF_SCRATCH_BYTES];
    const struct sf_field *field_x, *field_y;
    struct str left = STR_NONE, right = STR_NONE;
    int sign;

    x = soql_follow(run->sf, x, &order->path, &field_x);
    y = soql_follow(run->sf, y, &order->path, &field_y);
    if (x && field_x) {
        left = sf_get(x, field_x, scratch_x);
    }
    if (y && field_y) {
        right = sf_get(y, field_y, scratch_y);
    }
    if (!left.at || !right.at) {
        sign = (left.at != NULL) - (right.at != NULL);
        return order->nulls_last ? -sign : sign;
    }
    sign = compare_values(field_x, left, right);
    return order->is_descending ? -sign : sign;
}

static int compare_orders(const void *x, const void *y, void *context)
{
    const struct sf_record *const *left = x, *const *right = y;
    const struct run *run = context;

    for (size_t i = 0; i < run->query->orders_count; i++) {
        int sign = compare_order(run, &run->query->orders[i], *left, *right);

        if (sign) {
            return sign;
        }
    }
    return by_id(x, y);
}

static void cut(struct soql_result *result, const struct soql_query *query)
{
    size_t from = (size_t)query->offset < result->count ? (size_t)query->offset : result->count;

    result->count -= from;
    if (from) {
        memmove(result->records, result->records + from,
                result->count * sizeof(result->records[0]));
    }
    if (query->limit >= 0 && result->count > (size_t)query->limit) {
        result->count = (size_t)query->limit;
    }
}

void soql_run(struct salesforce *sf, const struct soql_query *query, const struct sf_record *parent,
              struct soql_result *ret)
{
    const struct soql_expr *key = query->where ? indexed(query->where) : NULL;
    int64_t from_ms = query->where ? lowest(query->where, BOUND_MODSTAMP) : INT64_MIN;
    bool is_ordered = true;
    struct soql_result list = {0};
    struct run run = {
        .sf = sf, .query = query, .parent = parent, .result = ret, .wanted = SIZE_MAX};

    *ret = (struct soql_result){0};
    run.is_activity =
        query->object == sf->objects[SF_TASK] || query->object == sf->objects[SF_EVENT];
    if (query->limit == 0) {
        return;
    }
    if (parent || key) {
        is_ordered = is_by_id(query);
    } else {
        is_ordered = is_by_id(query) || is_by_modstamp(query);
    }
    if (is_ordered && query->limit > 0 && !query->aggregate) {
        run.wanted = (size_t)(query->limit + query->offset);
    }
    if (parent) {
        char id[SF_ID_BYTES];

        sf_record_id(parent, id);
        gather_key(query->parent, str_of(id), &list);
        sort_unique(&list);
        walk_list(&run, &list);
    } else if (key) {
        gather(query, key, &list);
        walk_list(&run, &list);
    } else if (is_by_modstamp(query) || (!query->orders_count && from_ms != INT64_MIN)) {
        walk_modstamps(&run, from_ms);
    } else {
        walk_ids(&run, query->where ? lowest(query->where, BOUND_ID) : INT64_MIN);
    }
    free(list.records);
    if (!is_ordered && ret->count) {
        qsort_r(ret->records, ret->count, sizeof(ret->records[0]), compare_orders, &run);
    }
    cut(ret, query);
}

void soql_result_free(struct soql_result *result)
{
    free(result->records);
    *result = (struct soql_result){0};
}

/* --- showing ----------------------------------------------------------------------------------- */

static void put_items(struct salesforce *sf, struct buf *body, int version,
                      const struct soql_item *item, const struct sf_record *record);

static void put_children(struct salesforce *sf, struct buf *body, int version,
                         const struct soql_query *query, const struct sf_record *parent)
{
    struct soql_result result;

    soql_run(sf, query, parent, &result);
    if (!result.count) {
        sim_put(body, "null");
    } else {
        buf_addf(body, "{\"totalSize\":%zu,\"done\":true,\"records\":[", result.count);
        for (size_t i = 0; i < result.count; i++) {
            sim_put(body, i ? "," : "");
            soql_put_record(sf, body, version, query, result.records[i]);
        }
        sim_put(body, "]}");
    }
    soql_result_free(&result);
}

static void put_parent(struct salesforce *sf, struct buf *body, int version,
                       const struct soql_item *item, const struct sf_record *record)
{
    char scratch[SF_SCRATCH_BYTES];
    struct str id = sf_get(record, item->field, scratch);
    const struct sf_record *parent = id.at ? sf_record_of_id(sf, id) : NULL;

    if (parent) {
        put_items(sf, body, version, item->items, parent);
    } else {
        sim_put(body, "null");
    }
}

static void put_field(struct buf *body, const struct soql_item *item,
                      const struct sf_record *record)
{
    const struct sf_field *field =
        item->field ? item->field : sf_field_find(record->object, item->name);

    if (!item->field && str_equal(item->name, STR("Type"))) {
        sim_put_text(body, record->object->name);
    } else if (field) {
        sf_put_value(body, field, record);
    } else {
        sim_put(body, "null");
    }
}

static void put_items(struct salesforce *sf, struct buf *body, int version,
                      const struct soql_item *item, const struct sf_record *record)
{
    sim_put(body, "{");
    sf_put_attributes(body, version, record);
    for (; item; item = item->next) {
        sim_put(body, ",\"");
        buf_add(body, item->name);
        sim_put(body, "\":");
        switch (item->kind) {
        case SOQL_FIELD:
            put_field(body, item, record);
            break;
        case SOQL_PARENT:
            put_parent(sf, body, version, item, record);
            break;
        case SOQL_CHILDREN:
            put_children(sf, body, version, item->query, record);
            break;
        }
    }
    sim_put(body, "}");
}

void soql_put_record(struct salesforce *sf, struct buf *body, int version,
                     const struct soql_query *query, const struct sf_record *record)
{
    put_items(sf, body, version, query->items, record);
}

/* The record whose value is the least or the greatest, or NULL. */
static const struct sf_record *extreme(struct salesforce *sf, const struct soql_query *query,
                                       const struct soql_result *result)
{
    const struct run run = {.sf = sf, .query = query};
    const struct soql_order order = {.path = query->aggregated};
    const struct sf_record *best = NULL;

    for (size_t i = 0; i < result->count; i++) {
        char scratch[SF_SCRATCH_BYTES];
        const struct sf_field *field;
        const struct sf_record *at =
            soql_follow(sf, result->records[i], &query->aggregated, &field);

        if (at && field && sf_get(at, field, scratch).at &&
            (!best || compare_order(&run, &order, result->records[i], best) *
                              (query->aggregate == SOQL_MAX ? 1 : -1) >
                          0)) {
            best = result->records[i];
        }
    }
    return best;
}

static size_t count_filled(struct salesforce *sf, const struct soql_query *query,
                           const struct soql_result *result)
{
    size_t count = 0;

    for (size_t i = 0; i < result->count; i++) {
        char scratch[SF_SCRATCH_BYTES];
        const struct sf_field *field;
        const struct sf_record *at =
            soql_follow(sf, result->records[i], &query->aggregated, &field);

        count += at && field && sf_get(at, field, scratch).at;
    }
    return count;
}

void soql_put_aggregate(struct salesforce *sf, struct buf *body, const struct soql_query *query,
                        const struct soql_result *result)
{
    const struct sf_record *best;
    const struct sf_field *field;

    if (query->aggregate == SOQL_COUNT) {
        buf_addf(body, "{\"totalSize\":%zu,\"done\":true,\"records\":[]}", result->count);
        return;
    }
    buf_addf(body,
             "{\"totalSize\":1,\"done\":true,\"records\":[{\"attributes\":{\"type\":"
             "\"AggregateResult\"},\"%" PRI_STR "\":",
             STR_ARG(query->alias));
    if (query->aggregate == SOQL_COUNT_OF) {
        sim_put_i64(body, (int64_t)count_filled(sf, query, result));
    } else {
        best = extreme(sf, query, result);
        best = best ? soql_follow(sf, best, &query->aggregated, &field) : NULL;
        if (best) {
            sf_put_value(body, field, best);
        } else {
            sim_put(body, "null");
        }
    }
    sim_put(body, "}]}");
}

/* --- columns ----------------------------------------------------------------------------------- */

static void columns_add(const struct soql_item *item, struct arena *arena, struct str before,
                        struct soql_path path, struct str *names, struct soql_path *paths,
                        size_t max, size_t *count)
{
    for (; item; item = item->next) {
        struct str name = before.len ? arena_printf(arena, "%" PRI_STR ".%" PRI_STR,
                                                    STR_ARG(before), STR_ARG(item->name))
                                     : item->name;
        struct soql_path inner = path;

        if (item->kind == SOQL_PARENT) {
            inner.via[inner.via_count++] = item->field;
            columns_add(item->items, arena, name, inner, names, paths, max, count);
        } else if (item->kind == SOQL_FIELD && *count < max) {
            inner.field = item->field;
            inner.name = item->name;
            names[*count] = name;
            paths[(*count)++] = inner;
        }
    }
}

size_t soql_columns(const struct soql_query *query, struct arena *arena, struct str *ret_names,
                    struct soql_path *ret_paths, size_t max)
{
    size_t count = 0;

    columns_add(query->items, arena, STR(""), (struct soql_path){0}, ret_names, ret_paths, max,
                &count);
    return count;
}

void soql_put_column(const struct salesforce *sf, struct buf *body, const struct soql_path *path,
                     const struct sf_record *record)
{
    const struct sf_field *field;

    record = soql_follow(sf, record, path, &field);
    if (record && type_of(record, path).at) {
        buf_add(body, record->object->name);
    } else if (record && field) {
        sf_put_plain(body, field, record);
    }
}
