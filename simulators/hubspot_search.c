/* POST …/search. The index lags: it answers from what every record looked like index_lag_ms ago, while reads by id are up
 * to date. */
#include "simulators/hubspot_search.h"

#include <assert.h>

#include "core/alloc.h"

static int operand_compare(enum hs_type type, const struct operand *x, const struct operand *y)
{
    if (hs_type_is_timely(type) || type == HS_NUMBER) {
        return x->number < y->number ? -1 : x->number > y->number;
    }
    return str_compare(x->text, y->text);
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
    abort(); /* enum hs_operator is closed */
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
    return text.len > 0 && hs_operand_make(search->call->arena, definition->type, text,
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
        if (str_contains(hs_lower(search->call->arena, text), search->query)) {
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
    if (hs_search_read(search, body)) {
        rows_collect(search);
        rows_sort(search);
        search_answer(search);
    }
    free(search->rows);
}
