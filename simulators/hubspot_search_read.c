/* What a search asks for: filters, sort, page, and the values that it compares with. */
#include "simulators/hubspot_search.h"

#include <math.h>

#include "core/jx.h"
#include "core/unicode.h"
#include "core/when.h"

enum {
    GROUP_FILTERS_MAX = 6,
    QUERY_BYTES_MAX = 3000,
    EPOCH_LEAST_MS = 1000, /* below, the real service answers 500. Source: estuary/connectors */
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

static bool bad(struct search *search, const char *message)
{
    hs_failf(search->call, 400, "VALIDATION_ERROR", "There was a problem with the request: %s",
             message);
    return false;
}

/* --- operands -------------------------------------------------------------------------------------- */

bool hs_type_is_timely(enum hs_type type)
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

struct str hs_lower(struct arena *arena, struct str text)
{
    return is_ascii_lower(text) ? text : utf8_lower(arena, text);
}

bool hs_operand_make(struct arena *arena, enum hs_type type, struct str text, bool is_literal,
                     struct operand *ret)
{
    if (hs_type_is_timely(type)) {
        return time_number(text, &ret->number);
    }
    if (type == HS_NUMBER) {
        return decimal_number(text, &ret->number);
    }
    ret->text = is_literal ? text : hs_lower(arena, text);
    return true;
}

/* --- reading the request --------------------------------------------------------------------------- */

static bool operator_parse(struct str text, enum hs_operator *ret)
{
    for (size_t i = 0; i < OP_COUNT; i++) {
        if (str_equal(text, str_of(operator_names[i]))) {
            *ret = (enum hs_operator)i;
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
    if (!text.at || !hs_operand_make(search->call->arena, type, text, is_literal, ret)) {
        return bad(search, "a filter's value is missing or does not fit its property");
    }
    if (hs_type_is_timely(type) && ret->number < EPOCH_LEAST_MS) {
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

bool hs_search_read(struct search *search, const json_t *body)
{
    struct str query = jx_text_of(jx_get(body, "query"));

    if (query.len > QUERY_BYTES_MAX) {
        return bad(search, "query is longer than 3000 characters");
    }
    search->query = hs_lower(search->call->arena, query);
    hs_view_json(search->call, search->kind, jx_get(body, "properties"), &search->view);
    search->as_of_ms = search->call->now_ms - search->call->sim->index_lag_ms;
    search->view.as_of_ms = search->as_of_ms;
    return groups_read(search, body) && sort_read(search, jx_get(body, "sorts")) &&
           page_read(search, body);
}
