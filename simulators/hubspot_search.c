/* POST …/search. The index lags: it answers from what every record looked like index_lag_ms ago, while reads by id are up
 * to date. */
#include "simulators/hubspot_inside.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>

#include "core/alloc.h"
#include "core/jx.h"
#include "core/unicode.h"
#include "core/when.h"

enum {
    GROUPS_MAX = 5,
    GROUP_FILTERS_MAX = 6,
    FILTERS_MAX = 18,
    QUERY_BYTES_MAX = 3000,
    EPOCH_LEAST_MS = 1000, /* below, the real service answers 500. Source: estuary/connectors */
};

enum operator{
    OP_EQ,
    OP_NEQ,
    OP_LT,
    OP_LTE,
    OP_GT,
    OP_GTE,
    OP_BETWEEN,
    OP_IN,
    OP_NOT_IN,
    OP_HAS_PROPERTY,
    OP_NOT_HAS_PROPERTY,
    OP_CONTAINS_TOKEN,
    OP_NOT_CONTAINS_TOKEN,
    OP_COUNT,
};

static const char *const operator_names[OP_COUNT] = {
    "EQ",
    "NEQ",
    "LT",
    "LTE",
    "GT",
    "GTE",
    "BETWEEN",
    "IN",
    "NOT_IN",
    "HAS_PROPERTY",
    "NOT_HAS_PROPERTY",
    "CONTAINS_TOKEN",
    "NOT_CONTAINS_TOKEN",
};

/* A value ready for comparing: numbers and times by number, everything else as lower-case text. */
struct operand {
    double number;
    struct str text;
};

struct filter {
    size_t property;
    struct hs_kind *linked; /* pseudo-property associations.<kind>; NULL = property */
    enum operator op;
    struct operand value, high;
    struct operand *values;
    size_t values_count;
};

struct group {
    struct filter filters[FILTERS_MAX];
    size_t count;
};

struct row {
    const struct hs_record *record;
    struct operand key;
};

struct search {
    struct sim_call *call;
    struct hs_kind *kind;
    struct group groups[GROUPS_MAX];
    size_t groups_count, filters_count;
    struct str query; /* lower case */
    size_t sort;
    bool is_descending;
    int64_t limit, after, as_of_ms;
    struct hs_view view;
    struct row *rows; /* owned */
    size_t rows_count, rows_capacity;
};

static bool bad(struct search *search, const char *message)
{
    hs_failf(search->call, 400, "VALIDATION_ERROR", "There was a problem with the request: %s",
             message);
    return false;
}

/* --- operands -------------------------------------------------------------------------------------- */

static bool is_timely(enum hs_type type)
{
    return type == HS_DATE || type == HS_DATETIME;
}

static bool time_number(struct str text, double *ret)
{
    int64_t ms;
    char day[WHEN_TEXT_BYTES];

    if (str_to_i64(text, &ms) || when_parse_ms(text, &ms)) {
        *ret = (double)ms;
        return true;
    }
    if (!when_is_date(text)) {
        return false;
    }
    snprintf(day, sizeof(day), "%" PRI_STR "T00:00:00Z", STR_ARG(text));
    if (!when_parse_ms(str_of(day), &ms)) {
        return false;
    }
    *ret = (double)ms;
    return true;
}

static bool decimal_number(struct str text, double *ret)
{
    char digits[64], *end;

    if (text.len == 0 || text.len >= sizeof(digits)) {
        return false;
    }
    memcpy(digits, text.at, text.len);
    digits[text.len] = '\0';
    *ret = strtod(digits, &end);
    return *end == '\0' && isfinite(*ret);
}

static bool is_ascii_lower(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if ((unsigned char)text.at[i] >= 0x80 || (text.at[i] >= 'A' && text.at[i] <= 'Z')) {
            return false;
        }
    }
    return true;
}

static struct str lower(struct arena *arena, struct str text)
{
    return is_ascii_lower(text) ? text : utf8_lower(arena, text);
}

/* is_literal: taken as it is (enumerations are case-sensitive, IN wants lower case). */
static bool operand_make(struct arena *arena, enum hs_type type, struct str text, bool is_literal,
                         struct operand *ret)
{
    if (is_timely(type)) {
        return time_number(text, &ret->number);
    }
    if (type == HS_NUMBER) {
        return decimal_number(text, &ret->number);
    }
    ret->text = is_literal ? text : lower(arena, text);
    return true;
}

static int operand_compare(enum hs_type type, const struct operand *x, const struct operand *y)
{
    if (is_timely(type) || type == HS_NUMBER) {
        return x->number < y->number ? -1 : x->number > y->number;
    }
    return str_compare(x->text, y->text);
}

/* --- reading the request --------------------------------------------------------------------------- */

static bool operator_parse(struct str text, enum operator* ret)
{
    for (size_t i = 0; i < OP_COUNT; i++) {
        if (str_equal(text, str_of(operator_names[i]))) {
            *ret = (enum operator)i;
            return true;
        }
    }
    return false;
}

static bool filter_operand(struct search *search, const struct filter *filter, const json_t *json,
                           struct operand *ret)
{
    const struct hs_property *property = &search->kind->properties[filter->property];
    enum hs_type type = filter->linked ? HS_NUMBER : property->type;
    bool is_literal = type == HS_ENUMERATION || filter->op == OP_IN || filter->op == OP_NOT_IN;
    struct str text = jx_text_of(json);
    AUTO_BUF struct buf digits;

    buf_init(&digits, QUERY_BYTES_MAX);
    if (json_is_number(json)) {
        sim_put_json(&digits, json);
        text = arena_str(search->call->arena, buf_str(&digits));
    }
    if (!text.at || !operand_make(search->call->arena, type, text, is_literal, ret)) {
        return bad(search, "a filter's value is missing or does not fit its property");
    }
    if (is_timely(type) && ret->number < EPOCH_LEAST_MS) {
        hs_failf(search->call, 500, NULL, "internal error");
        return false;
    }
    return true;
}

static bool filter_values(struct search *search, struct filter *filter, const json_t *json)
{
    const json_t *values = jx_get(json, "values");
    size_t index;
    json_t *value;

    if (!json_is_array(values) || json_array_size(values) == 0) {
        return bad(search, "values cannot be empty for IN and NOT_IN");
    }
    filter->values = ARENA_ARRAY(search->call->arena, struct operand, json_array_size(values));
    json_array_foreach(values, index, value)
    {
        if (!filter_operand(search, filter, value, &filter->values[filter->values_count++])) {
            return false;
        }
    }
    return true;
}

static bool filter_operands(struct search *search, struct filter *filter, const json_t *json)
{
    switch (filter->op) {
    case OP_HAS_PROPERTY:
    case OP_NOT_HAS_PROPERTY:
        return true;
    case OP_IN:
    case OP_NOT_IN:
        return filter_values(search, filter, json);
    case OP_BETWEEN:
        return filter_operand(search, filter, jx_get(json, "value"), &filter->value) &&
               filter_operand(search, filter, jx_get(json, "highValue"), &filter->high);
    case OP_EQ:
    case OP_NEQ:
    case OP_LT:
    case OP_LTE:
    case OP_GT:
    case OP_GTE:
    case OP_CONTAINS_TOKEN:
    case OP_NOT_CONTAINS_TOKEN:
        return filter_operand(search, filter, jx_get(json, "value"), &filter->value);
    case OP_COUNT:
        break;
    }
    abort(); /* not an operator */
}

static bool filter_property(struct search *search, struct filter *filter, struct str name)
{
    long index = hs_property_find(search->kind, name);
    struct str pseudo = STR("associations.");

    if (str_starts(name, pseudo)) {
        filter->linked = hs_kind_find(hs_of(search->call), str_slice(name, pseudo.len, name.len));
        return filter->linked != NULL;
    }
    filter->property = (size_t)index;
    return index >= 0;
}

static bool filter_read(struct search *search, struct group *group, const json_t *json)
{
    struct filter *filter = &group->filters[group->count];
    struct str name = jx_text_of(jx_get(json, "propertyName"));

    if (++search->filters_count > FILTERS_MAX || group->count >= GROUP_FILTERS_MAX) {
        return bad(search, "too many filters: at most 6 in a group and 18 in all");
    }
    group->count++;
    if (!filter_property(search, filter, name)) {
        hs_failf(search->call, 400, "VALIDATION_ERROR",
                 "There was a problem with the request: property %" PRI_STR " does not exist",
                 STR_ARG(name));
        return false;
    }
    if (!operator_parse(jx_text_of(jx_get(json, "operator")), &filter->op)) {
        return bad(search, "unknown operator");
    }
    return filter_operands(search, filter, json);
}

static bool group_read(struct search *search, const json_t *filters)
{
    size_t index;
    json_t *filter;

    if (search->groups_count >= GROUPS_MAX) {
        return bad(search, "too many filter groups: at most 5");
    }
    search->groups_count++;
    json_array_foreach(filters, index, filter)
    {
        if (!filter_read(search, &search->groups[search->groups_count - 1], filter)) {
            return false;
        }
    }
    return true;
}

static bool groups_read(struct search *search, const json_t *body)
{
    const json_t *bare = jx_get(body, "filters");
    size_t index;
    json_t *group;

    if (json_is_array(bare) && json_array_size(bare) > 0) {
        return group_read(search, bare);
    }
    json_array_foreach(jx_get(body, "filterGroups"), index, group)
    {
        if (!group_read(search, jx_get(group, "filters"))) {
            return false;
        }
    }
    return true;
}

/* {"propertyName":…,"direction":…} or "name" or "-name". */
static bool sort_read(struct search *search, const json_t *sorts)
{
    const json_t *sort = json_array_get(sorts, 0);
    struct str name = jx_text_of(jx_get(sort, "propertyName"));
    long index;

    search->sort = search->kind->created_index;
    if (json_array_size(sorts) == 0) {
        return true;
    }
    if (json_array_size(sorts) > 1) {
        return bad(search, "only one sort is allowed");
    }
    if (json_is_string(sort)) {
        name = jx_text_of(sort);
        search->is_descending = str_starts(name, STR("-"));
        name = str_slice(name, search->is_descending, name.len);
    } else {
        search->is_descending = str_equal(jx_text_of(jx_get(sort, "direction")), STR("DESCENDING"));
    }
    index = hs_property_find(search->kind, name);
    if (index < 0) {
        return bad(search, "the sort property does not exist");
    }
    search->sort = (size_t)index;
    return true;
}

static bool offset_read(struct search *search, const json_t *after)
{
    struct str text = jx_text_of(after);

    if (json_is_integer(after)) {
        search->after = json_integer_value(after);
    } else if (text.len && !str_to_i64(text, &search->after)) {
        return bad(search, "Cannot deserialize value of type `int` from after");
    }
    return search->after >= 0 || bad(search, "after cannot be negative");
}

static bool page_read(struct search *search, const json_t *body)
{
    const json_t *limit = jx_get(body, "limit");
    struct str text = jx_text_of(limit);

    search->limit = 10;
    if (json_is_integer(limit)) {
        search->limit = json_integer_value(limit);
    } else if (text.len && !str_to_i64(text, &search->limit)) {
        return bad(search, "limit is not a number");
    }
    if (search->limit < 0 || search->limit > HS_SEARCH_MAX) {
        return bad(search, "limit must be at most 200");
    }
    if (!offset_read(search, jx_get(body, "after"))) {
        return false;
    }
    if (search->after + search->limit > HS_SEARCH_CAP) {
        return bad(search, "paging past result 10000 is not possible");
    }
    return true;
}

static bool search_read(struct search *search, const json_t *body)
{
    struct str query = jx_text_of(jx_get(body, "query"));

    if (query.len > QUERY_BYTES_MAX) {
        return bad(search, "query is longer than 3000 characters");
    }
    search->query = lower(search->call->arena, query);
    hs_view_json(search->call, search->kind, jx_get(body, "properties"), &search->view);
    search->as_of_ms = search->call->now_ms - search->call->sim->index_lag_ms;
    search->view.as_of_ms = search->as_of_ms;
    return groups_read(search, body) && sort_read(search, jx_get(body, "sorts")) &&
           page_read(search, body);
}

/* --- matching -------------------------------------------------------------------------------------- */

static bool is_word_char(char c)
{
    return (unsigned char)c >= 0x80 || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* '*' at either end of the pattern stands for anything. */
static bool word_matches(struct str word, struct str pattern)
{
    bool is_open_left = str_starts(pattern, STR("*"));
    bool is_open_right = pattern.len > 1 && str_ends(pattern, STR("*"));
    struct str core = str_slice(pattern, is_open_left, pattern.len - is_open_right);

    if (is_open_left && is_open_right) {
        return str_contains(word, core);
    }
    if (is_open_left) {
        return str_ends(word, core);
    }
    return is_open_right ? str_starts(word, core) : str_equal(word, core);
}

static bool has_token(struct str text, struct str pattern)
{
    size_t from = 0;

    if (word_matches(text, pattern)) {
        return true;
    }
    for (size_t i = 0; i <= text.len; i++) {
        if (i == text.len || !is_word_char(text.at[i])) {
            if (i > from && word_matches(str_slice(text, from, i), pattern)) {
                return true;
            }
            from = i + 1;
        }
    }
    return false;
}

static bool value_is_in(enum hs_type type, const struct filter *filter, const struct operand *value)
{
    for (size_t i = 0; i < filter->values_count; i++) {
        if (operand_compare(type, value, &filter->values[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* A multi-value enumeration equals an option when it holds it. */
static bool set_equals(const struct filter *filter, const struct hs_property *property,
                       struct str text)
{
    while (hs_property_is_multi(property) && text.len) {
        if (str_equal(str_cut(&text, ';'), filter->value.text)) {
            return true;
        }
    }
    return false;
}

static bool value_matches(const struct filter *filter, const struct hs_property *property,
                          const struct operand *value)
{
    enum hs_type type = property->type;
    int order = operand_compare(type, value, &filter->value);

    switch (filter->op) {
    case OP_EQ:
        return order == 0 || set_equals(filter, property, value->text);
    case OP_NEQ:
        return order != 0 && !set_equals(filter, property, value->text);
    case OP_LT:
        return order < 0;
    case OP_LTE:
        return order <= 0;
    case OP_GT:
        return order > 0;
    case OP_GTE:
        return order >= 0;
    case OP_BETWEEN:
        return order >= 0 && operand_compare(type, value, &filter->high) <= 0;
    case OP_IN:
        return value_is_in(type, filter, value);
    case OP_NOT_IN:
        return !value_is_in(type, filter, value);
    case OP_CONTAINS_TOKEN:
        return has_token(value->text, filter->value.text);
    case OP_NOT_CONTAINS_TOKEN:
        return !has_token(value->text, filter->value.text);
    case OP_HAS_PROPERTY:
        return true;
    case OP_NOT_HAS_PROPERTY:
    case OP_COUNT:
        return false;
    }
    abort(); /* enum operator is closed */
}

/* Derived times are compared without making text of them: every row of a window goes through here. */
static bool record_operand(struct search *search, const struct hs_record *record, size_t property,
                           struct operand *ret)
{
    const struct hs_property *definition = &search->kind->properties[property];
    char scratch[HS_SCRATCH_BYTES];
    struct str text;

    if (definition->derived == HS_IS_MODIFIED || definition->derived == HS_IS_CREATED) {
        ret->number = (double)(definition->derived == HS_IS_CREATED
                                   ? record->base.created_ms
                                   : hs_modified_at(record, search->as_of_ms));
        return true;
    }
    if (definition->derived == HS_IS_ID) {
        ret->number = (double)record->base.id;
        return true;
    }
    text = hs_value_at(search->kind, record, property, search->as_of_ms, scratch);
    return text.len > 0 && operand_make(search->call->arena, definition->type, text,
                                        definition->type == HS_ENUMERATION, ret);
}

static bool filter_matches_link(struct filter *filter, const struct hs_record *record)
{
    bool is_linked = hs_link_get(record, filter->linked, (int64_t)filter->value.number) != NULL;

    return filter->op == OP_EQ && is_linked;
}

static bool filter_matches(struct search *search, struct filter *filter,
                           const struct hs_record *record)
{
    struct operand value = {0};

    if (filter->linked) {
        return filter_matches_link(filter, record);
    }
    if (!record_operand(search, record, filter->property, &value)) {
        return filter->op == OP_NOT_HAS_PROPERTY;
    }
    return value_matches(filter, &search->kind->properties[filter->property], &value);
}

static bool group_matches(struct search *search, struct group *group,
                          const struct hs_record *record)
{
    for (size_t i = 0; i < group->count; i++) {
        if (!filter_matches(search, &group->filters[i], record)) {
            return false;
        }
    }
    return true;
}

static bool query_matches(struct search *search, const struct hs_record *record)
{
    char scratch[HS_SCRATCH_BYTES];

    for (size_t i = 0; search->query.len && i < search->kind->properties_count; i++) {
        struct str text;

        if (!(search->kind->properties[i].flags & HS_SEARCHED)) {
            continue;
        }
        text = hs_value_at(search->kind, record, i, search->as_of_ms, scratch);
        if (str_contains(lower(search->call->arena, text), search->query)) {
            return true;
        }
    }
    return search->query.len == 0;
}

/* What the index knows: made by then, not archived by then. */
static bool is_indexed(const struct search *search, const struct hs_record *record)
{
    bool is_gone = record->base.merged_into || record->is_purged;

    return !is_gone && record->base.created_ms <= search->as_of_ms &&
           (record->base.archived_ms == 0 || record->base.archived_ms > search->as_of_ms);
}

static bool record_matches(struct search *search, const struct hs_record *record)
{
    if (!is_indexed(search, record) || !query_matches(search, record)) {
        return false;
    }
    for (size_t i = 0; i < search->groups_count; i++) {
        if (group_matches(search, &search->groups[i], record)) {
            return true;
        }
    }
    return search->groups_count == 0;
}

/* --- collecting and ordering ----------------------------------------------------------------------- */

static void row_add(struct search *search, const struct hs_record *record)
{
    struct row row = {.record = record};

    if (!record_matches(search, record)) {
        return;
    }
    record_operand(search, record, search->sort, &row.key);
    if (search->rows_count == search->rows_capacity) {
        search->rows_capacity = search->rows_capacity ? search->rows_capacity * 2 : 256;
        search->rows = alloc_resize(search->rows, search->rows_capacity, sizeof(row));
    }
    search->rows[search->rows_count++] = row;
}

/* Least last-modified time that the only group asks for; 0 = any. */
static int64_t modified_least(const struct search *search)
{
    for (size_t i = 0; search->groups_count == 1 && i < search->groups[0].count; i++) {
        const struct filter *filter = &search->groups[0].filters[i];
        bool is_lower_bound = filter->op == OP_GT || filter->op == OP_GTE ||
                              filter->op == OP_BETWEEN || filter->op == OP_EQ;

        if (!filter->linked && filter->property == search->kind->modified_index && is_lower_bound) {
            return (int64_t)filter->value.number;
        }
    }
    return 0;
}

/* A window on last-modified walks only the newer part of the table. What changed after as_of_ms stands behind it in that
 * order, so nothing is missed when the index shows an older version. */
static void rows_collect(struct search *search)
{
    struct sim_table *table = &search->kind->table;
    int64_t least_ms = modified_least(search);

    if (least_ms == 0) {
        for (size_t i = 0; i < table->count; i++) {
            row_add(search, (const struct hs_record *)table->at[i]);
        }
        return;
    }
    for (size_t i = sim_table_since(table, least_ms); i < table->marks_count; i++) {
        const struct sim_record *record = sim_table_marked(table, i);

        if (record) {
            row_add(search, (const struct hs_record *)record);
        }
    }
}

struct order {
    enum hs_type type;
    int sign;
};

static int row_order(const void *x, const void *y, void *context)
{
    const struct row *left = x, *right = y;
    const struct order *order = context;
    int by_key = order->sign * operand_compare(order->type, &left->key, &right->key);

    if (by_key) {
        return by_key;
    }
    return left->record->base.id < right->record->base.id
               ? -1
               : left->record->base.id > right->record->base.id;
}

static void rows_sort(struct search *search)
{
    struct order order = {.type = search->kind->properties[search->sort].type,
                          .sign = search->is_descending ? -1 : 1};

    if (search->rows_count > 1) {
        qsort_r(search->rows, search->rows_count, sizeof(search->rows[0]), row_order, &order);
    }
}

/* --- answering ------------------------------------------------------------------------------------- */

static void search_answer(struct search *search)
{
    struct buf *body = search->call->body;
    size_t from = (size_t)search->after, to = from + (size_t)search->limit;

    buf_addf(body, "{\"total\":%zu,\"results\":[", search->rows_count);
    for (size_t i = from; i < to && i < search->rows_count; i++) {
        buf_add(body, i > from ? STR(",") : STR(""));
        hs_put_record(search->call, search->kind, search->rows[i].record, &search->view, STR_NONE);
    }
    sim_put(body, "]");
    if (to < search->rows_count) {
        buf_addf(body, ",\"paging\":{\"next\":{\"after\":\"%zu\"}}", to);
    }
    sim_put(body, "}");
    sim_reply(search->call, 200);
}

void hs_search_serve(struct sim_call *call, struct hs_kind *kind)
{
    struct search *search = ARENA_NEW(call->arena, struct search);
    json_t *body;

    search->call = call;
    search->kind = kind;
    if (!sim_json(call, &body) || !json_is_object(body)) {
        hs_failf(call, 400, "VALIDATION_ERROR", "Invalid input JSON");
        return;
    }
    if (search_read(search, body)) {
        rows_collect(search);
        rows_sort(search);
        search_answer(search);
    }
    free(search->rows);
}
