#include "conflict/combine.h"

#include <stdlib.h>

#include "core/decimal.h"

static int rank(const struct value *value)
{
    if (value_is_blank(value)) {
        return 0;
    }
    return value->state == VALUE_TEXT ? 1 : 2;
}

static int compare_lists(const struct value *x, const struct value *y)
{
    for (size_t i = 0; i < x->items_count && i < y->items_count; i++) {
        int order = str_compare(x->items[i], y->items[i]);

        if (order) {
            return order;
        }
    }
    return (x->items_count > y->items_count) - (x->items_count < y->items_count);
}

int value_compare(const struct value *x, const struct value *y)
{
    if (rank(x) != rank(y)) {
        return rank(x) - rank(y);
    }
    if (rank(x) == 0) {
        return (int)x->state - (int)y->state;
    }
    return rank(x) == 1 ? str_compare(x->text, y->text) : compare_lists(x, y);
}

/* Numbers by size; anything that is no number, and text, bytewise. */
static int compare_ordered(enum value_order order, const struct value *x, const struct value *y,
                           struct arena *arena)
{
    struct str x_number, y_number;

    if (order == ORDER_NUMBER && rank(x) == 1 && rank(y) == 1 &&
        decimal_canonical(arena, x->text, 0, &x_number) &&
        decimal_canonical(arena, y->text, 0, &y_number)) {
        int by_size = decimal_compare(x_number, y_number);

        return by_size ? by_size : value_compare(x, y);
    }
    return value_compare(x, y);
}

/* True when the lines of part stand together in text. */
static bool has_lines(struct str text, struct str part)
{
    for (size_t i = 0; i + part.len <= text.len; i++) {
        bool starts_line = i == 0 || text.at[i - 1] == '\n';
        bool ends_line = i + part.len == text.len || text.at[i + part.len] == '\n';

        if (starts_line && ends_line && memcmp(text.at + i, part.at, part.len) == 0) {
            return true;
        }
    }
    return false;
}

static struct value append(const struct value *hub, const struct value *remote, struct arena *arena)
{
    if (has_lines(hub->text, remote->text)) {
        return *hub;
    }
    if (has_lines(remote->text, hub->text)) {
        return *remote;
    }
    return VALUE_OF(
        arena_printf(arena, "%" PRI_STR "\n%" PRI_STR, STR_ARG(hub->text), STR_ARG(remote->text)));
}

static size_t count_items(const struct value *value)
{
    size_t count = 1;

    if (value->state == VALUE_LIST) {
        return value->items_count;
    }
    for (size_t i = 0; i < value->text.len; i++) {
        count += value->text.at[i] == ';';
    }
    return count;
}

static size_t add_items(const struct value *value, bool is_split, struct str *items)
{
    struct str rest = value->text;
    size_t count = 0;

    if (value->state == VALUE_LIST) {
        for (size_t i = 0; i < value->items_count; i++) {
            items[i] = value->items[i];
        }
        return value->items_count;
    }
    if (!is_split) {
        items[0] = value->text;
        return 1;
    }
    while (rest.at) {
        struct str item = str_trim(str_cut(&rest, ';'));

        if (item.len) {
            items[count++] = item;
        }
    }
    return count;
}

static int compare_strs(const void *x, const void *y)
{
    return str_compare(*(const struct str *)x, *(const struct str *)y);
}

static size_t sort_set(struct str *items, size_t count)
{
    size_t kept = 0;

    if (count > 1) {
        qsort(items, count, sizeof *items, compare_strs);
    }
    for (size_t i = 0; i < count; i++) {
        if (kept == 0 || !str_equal(items[kept - 1], items[i])) {
            items[kept++] = items[i];
        }
    }
    return kept;
}

static struct value join(const struct str *items, size_t count, struct arena *arena)
{
    size_t bytes = 0, at = 0;
    char *text;

    for (size_t i = 0; i < count; i++) {
        bytes += items[i].len + 1;
    }
    text = arena_alloc(arena, bytes + 1, 1);
    for (size_t i = 0; i < count; i++) {
        if (i) {
            text[at++] = ';';
        }
        memcpy(text + at, items[i].at, items[i].len);
        at += items[i].len;
    }
    return VALUE_OF(((struct str){.at = text, .len = at}));
}

/* Gives back a side itself when the set is that side's, however that side writes it. */
static struct value unite(const struct value *hub, const struct value *remote, struct arena *arena)
{
    bool are_texts = hub->state == VALUE_TEXT && remote->state == VALUE_TEXT;
    struct str *items = ARENA_ARRAY(arena, struct str, count_items(hub) + count_items(remote) + 1);
    size_t hub_count = sort_set(items, add_items(hub, are_texts, items));
    size_t remote_count = sort_set(items, add_items(remote, are_texts, items));
    size_t count = add_items(hub, are_texts, items);

    count = sort_set(items, count + add_items(remote, are_texts, items + count));
    if (count == hub_count) {
        return *hub;
    }
    if (count == remote_count) {
        return *remote;
    }
    return are_texts ? join(items, count, arena)
                     : (struct value){.state = VALUE_LIST, .items = items, .items_count = count};
}

struct value value_combine(enum combine combine, enum value_order order, const struct value *hub,
                           const struct value *remote, struct arena *arena)
{
    bool are_texts = hub->state == VALUE_TEXT && remote->state == VALUE_TEXT;

    if (value_is_blank(hub) != value_is_blank(remote)) {
        return value_is_blank(hub) ? *remote : *hub;
    }
    if (value_is_blank(hub)) {
        return *hub;
    }
    switch (combine) {
    case COMBINE_REMOTE_FIRST:
        return *remote;
    case COMBINE_LOCAL_FIRST:
        return *hub;
    case COMBINE_APPEND:
        return are_texts ? append(hub, remote, arena) : unite(hub, remote, arena);
    case COMBINE_UNION:
        return unite(hub, remote, arena);
    case COMBINE_MIN:
        return compare_ordered(order, hub, remote, arena) <= 0 ? *hub : *remote;
    case COMBINE_MAX:
        return compare_ordered(order, hub, remote, arena) >= 0 ? *hub : *remote;
    }
    return *hub;
}
