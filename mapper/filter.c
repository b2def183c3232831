#include "mapper/filter.h"

#include "core/decimal.h"
#include "core/unicode.h"

enum { CONDITIONS_MAX = 256, VERSION_BYTES_MAX = 1024 * 1024 };

/* Words of the file, by enum filter_test. */
static const char *const TESTS[] = {[FILTER_ANY] = "any",         [FILTER_IS] = "is",
                                    [FILTER_IS_NOT] = "is_not",   [FILTER_AT_LEAST] = "at_least",
                                    [FILTER_AT_MOST] = "at_most", [FILTER_CONTAINS] = "contains",
                                    [FILTER_HAS] = "has"};
static const char *const KEYS[] = {"field",   "any",      "is",  "is_not", "at_least",
                                   "at_most", "contains", "has", NULL};

static bool is_list_type(enum field_type type)
{
    return type == TYPE_MULTI_ENUM || type == TYPE_REFERENCE_LIST;
}

static bool is_number_type(enum field_type type)
{
    return type == TYPE_INTEGER || type == TYPE_DECIMAL || type == TYPE_MONEY ||
           type == TYPE_DATETIME;
}

static bool is_text_type(enum field_type type)
{
    return type == TYPE_STRING || type == TYPE_TEXT || type == TYPE_EMAIL || type == TYPE_PHONE ||
           type == TYPE_URL;
}

static bool is_allowed(enum filter_test test, enum field_type type)
{
    switch (test) {
    case FILTER_AT_LEAST:
    case FILTER_AT_MOST:
        return is_number_type(type) || type == TYPE_DATE;
    case FILTER_CONTAINS:
        return is_text_type(type);
    case FILTER_HAS:
        return is_list_type(type);
    case FILTER_IS:
    case FILTER_IS_NOT:
        return true;
    case FILTER_ANY:
        break;
    }
    return false;
}

/* --- reading ------------------------------------------------------------------------------------------------------------------- */

static enum fail read_value(struct arena *arena, const struct filter_condition *condition,
                            const struct yx_node *node, struct value *ret, struct error *err)
{
    const struct kind_field *field = condition->field;
    struct str text = arena_str(arena, yx_text(node)); /* the document dies before the filter */
    struct error why = {0};

    if (yx_type(node) != YX_SCALAR) {
        return yx_error(node, err, "'%s' takes a value or a list of values",
                        TESTS[condition->test]);
    }
    if (yx_text(node).len == 0 || yx_is_null(node)) {
        *ret = VALUE_NONE;
        return condition->test == FILTER_IS || condition->test == FILTER_IS_NOT
                   ? OK
                   : yx_error(node, err, "'%s' needs a value", TESTS[condition->test]);
    }
    if (condition->test == FILTER_CONTAINS) {
        *ret = VALUE_OF(utf8_fold(arena, text));
        return OK;
    }
    if (field_value_parse(field, text, arena, ret, &why) != OK) {
        return yx_error(node, err, "%s", why.message);
    }
    return OK;
}

static enum fail read_values(struct arena *arena, struct filter_condition *condition,
                             const struct yx_node *node, struct error *err)
{
    bool is_list = yx_type(node) == YX_SEQUENCE;
    size_t count = is_list ? yx_count(node) : 1;
    struct value *values = ARENA_ARRAY(arena, struct value, count + 1);

    if (count == 0) {
        return yx_error(node, err, "an empty list decides nothing");
    }
    if (is_list && (condition->test == FILTER_AT_LEAST || condition->test == FILTER_AT_MOST)) {
        return yx_error(node, err, "'%s' takes one value", TESTS[condition->test]);
    }
    for (size_t i = 0; i < count; i++) {
        if (read_value(arena, condition, is_list ? yx_item(node, i) : node, &values[i], err) !=
            OK) {
            return err->code;
        }
    }
    condition->values = values;
    condition->values_count = count;
    return OK;
}

/* The one test that the condition names. */
static enum fail read_test(const struct yx_node *node, struct filter_condition *ret,
                           const struct yx_node **ret_value, struct error *err)
{
    size_t found = 0;

    for (size_t i = 0; i < COUNT_OF(TESTS); i++) {
        const struct yx_node *value = yx_get(node, TESTS[i]);

        if (value) {
            ret->test = (enum filter_test)i;
            *ret_value = value;
            found++;
        }
    }
    if (found != 1) {
        return yx_error(node, err,
                        "a condition needs exactly one of is, is_not, at_least, at_most, contains, "
                        "has, or any");
    }
    return OK;
}

static enum fail read_field(const struct kind *kind, const struct yx_node *node,
                            struct filter_condition *ret, struct error *err)
{
    const struct yx_node *name = yx_get(node, "field");

    if (!name) {
        return yx_error(node, err, "a condition needs 'field'");
    }
    ret->field = kind_field_by_name(kind, yx_text(name));
    if (!ret->field) {
        return yx_error(name, err, "kind '%" PRI_STR "' has no field '%" PRI_STR "'",
                        STR_ARG(kind->name), STR_ARG(yx_text(name)));
    }
    if (!is_allowed(ret->test, ret->field->type)) {
        return yx_error(name, err, "'%s' cannot be asked of a field of type %s", TESTS[ret->test],
                        field_type_name(ret->field->type));
    }
    return OK;
}

static enum fail read_condition(struct arena *arena, const struct kind *kind,
                                const struct yx_node *node, bool is_inner,
                                struct filter_condition *ret, struct error *err);

static enum fail read_list(struct arena *arena, const struct kind *kind, const struct yx_node *node,
                           bool is_inner, const struct filter_condition **ret, size_t *ret_count,
                           struct error *err)
{
    size_t count = yx_count(node);
    struct filter_condition *conditions = ARENA_ARRAY(arena, struct filter_condition, count + 1);

    if (yx_type(node) != YX_SEQUENCE || count == 0 || count > CONDITIONS_MAX) {
        return yx_error(node, err,
                        "conditions are a list of 1 to %d, such as "
                        "[{field: city, is: Berlin}]",
                        CONDITIONS_MAX);
    }
    for (size_t i = 0; i < count; i++) {
        if (read_condition(arena, kind, yx_item(node, i), is_inner, &conditions[i], err) != OK) {
            return err->code;
        }
    }
    *ret = conditions;
    *ret_count = count;
    return OK;
}

static enum fail read_condition(struct arena *arena, const struct kind *kind,
                                const struct yx_node *node, bool is_inner,
                                struct filter_condition *ret, struct error *err)
{
    const struct yx_node *value = NULL;

    if (yx_only(node, KEYS, err) != OK || read_test(node, ret, &value, err) != OK) {
        return err->code;
    }
    if (ret->test == FILTER_ANY) {
        if (is_inner || yx_get(node, "field")) {
            return yx_error(node, err, "'any' stands alone, and not inside another 'any'");
        }
        return read_list(arena, kind, value, true, &ret->inner, &ret->inner_count, err);
    }
    if (read_field(kind, node, ret, err) != OK) {
        return err->code;
    }
    return read_values(arena, ret, value, err);
}

static void add_version(struct buf *text, const struct filter_condition *conditions, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct filter_condition *c = &conditions[i];

        buf_addf(text, "(%s %" PRI_STR, TESTS[c->test],
                 STR_ARG(c->field ? c->field->name : STR("")));
        for (size_t k = 0; k < c->values_count; k++) {
            const struct value *value = &c->values[k];

            buf_addf(text, " %d:%" PRI_STR, (int)value->state, STR_ARG(value->text));
            for (size_t m = 0; m < value->items_count; m++) {
                buf_addf(text, ",%zu:%" PRI_STR, value->items[m].len, STR_ARG(value->items[m]));
            }
        }
        add_version(text, c->inner, c->inner_count);
        buf_addf(text, ")");
    }
}

enum fail filter_read(struct arena *arena, const struct kind *kind, const struct yx_node *node,
                      struct filter *ret, struct error *err)
{
    AUTO_BUF struct buf text = {0};
    struct digest digest;
    char hex[2 * DIGEST_BYTES + 1];

    *ret = (struct filter){0};
    if (read_list(arena, kind, node, false, &ret->conditions, &ret->count, err) != OK) {
        return err->code;
    }
    buf_init(&text, VERSION_BYTES_MAX);
    add_version(&text, ret->conditions, ret->count);
    digest = digest_of(buf_str(&text));
    hex_encode(digest.bytes, DIGEST_BYTES, hex);
    ret->version = arena_str(arena, str_of(hex));
    return OK;
}

/* --- asking -------------------------------------------------------------------------------------------------------------------- */

static bool contains(struct str text, struct str part)
{
    for (size_t i = 0; i + part.len <= text.len; i++) {
        if (memcmp(text.at + i, part.at, part.len) == 0) {
            return true;
        }
    }
    return false;
}

static int compare(const struct kind_field *field, struct str x, struct str y)
{
    return is_number_type(field->type) ? decimal_compare(x, y) : str_compare(x, y);
}

static bool has_all(const struct value *list, const struct value *wanted)
{
    for (size_t i = 0; i < wanted->items_count; i++) {
        bool is_there = false;

        for (size_t k = 0; k < list->items_count && !is_there; k++) {
            is_there = str_equal(list->items[k], wanted->items[i]);
        }
        if (!is_there) {
            return false;
        }
    }
    return true;
}

static bool is_one(const struct filter_condition *condition, const struct value *value,
                   const struct value *wanted, struct arena *arena)
{
    switch (condition->test) {
    case FILTER_IS:
    case FILTER_IS_NOT:
        return value_is_blank(wanted) ? value_is_blank(value) : value_equal(value, wanted);
    case FILTER_AT_LEAST:
        return value->state == VALUE_TEXT && value->text.len &&
               compare(condition->field, value->text, wanted->text) >= 0;
    case FILTER_AT_MOST:
        return value->state == VALUE_TEXT && value->text.len &&
               compare(condition->field, value->text, wanted->text) <= 0;
    case FILTER_CONTAINS:
        return value->state == VALUE_TEXT && contains(utf8_fold(arena, value->text), wanted->text);
    case FILTER_HAS:
        return value->state == VALUE_LIST && has_all(value, wanted);
    case FILTER_ANY:
        break;
    }
    return false;
}

static bool holds(const struct filter_condition *condition, const struct fields *fields,
                  struct arena *arena)
{
    bool is_any = false;

    if (condition->test == FILTER_ANY) {
        for (size_t i = 0; i < condition->inner_count && !is_any; i++) {
            is_any = holds(&condition->inner[i], fields, arena);
        }
        return is_any;
    }
    for (size_t i = 0; i < condition->values_count && !is_any; i++) {
        is_any = is_one(condition, fields_get(fields, condition->field->name),
                        &condition->values[i], arena);
    }
    return condition->test == FILTER_IS_NOT ? !is_any : is_any;
}

bool filter_passes(const struct filter *filter, const struct fields *fields)
{
    AUTO_ARENA struct arena arena = {0};

    for (size_t i = 0; i < filter->count; i++) {
        if (!holds(&filter->conditions[i], fields, &arena)) {
            return false;
        }
    }
    return true;
}
