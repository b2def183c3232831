/* Salesforce: finding live objects by our key or by a value. A query reads the database itself, not an index that lags.
 * source: SOQL and SOSL Reference, "Comparison Operators": texts are compared without case, except in case-sensitive fields */
#include "adapters/salesforce_write.h"

#include "core/decimal.h"
#include "core/jx.h"
#include "core/unicode.h"
#include "core/when.h"

/* Of numbers and dates in one query: an address holds them with their commas as "%2C". One that is longer is none. */
enum { LIST_BYTES_MAX = SF_URL_BYTES_MAX / 3, PLAIN_BYTES_MAX = 64 };

/* What stands between the quotes of a text is escaped; what is not quoted has to be what it says. */
enum literal { LITERAL_NONE, LITERAL_TEXT, LITERAL_NUMBER, LITERAL_DATE };

static enum literal literal_of(const struct salesforce_field *field)
{
    static const struct {
        const char *type;
        enum literal literal;
    } TYPES[] = {
        {"string", LITERAL_TEXT},     {"email", LITERAL_TEXT},     {"phone", LITERAL_TEXT},
        {"url", LITERAL_TEXT},        {"picklist", LITERAL_TEXT},  {"combobox", LITERAL_TEXT},
        {"reference", LITERAL_TEXT},  {"int", LITERAL_NUMBER},     {"double", LITERAL_NUMBER},
        {"currency", LITERAL_NUMBER}, {"percent", LITERAL_NUMBER}, {"date", LITERAL_DATE}};

    for (size_t i = 0; field && field->is_filterable && i < COUNT_OF(TYPES); i++) {
        if (str_equal(field->type, str_of(TYPES[i].type))) {
            return TYPES[i].literal;
        }
    }
    return LITERAL_NONE;
}

/* --- what matches ----------------------------------------------------------------------------- */

static bool holds(const json_t *held, struct str value, struct arena *arena)
{
    struct str text = jx_text_of(held), x, y;

    if (json_is_number(held)) {
        text = jx_text(arena, held);
        return decimal_canonical(arena, text, 15, &x) && decimal_canonical(arena, value, 15, &y) &&
               str_equal(x, y);
    }
    return text.len &&
           str_equal(utf8_fold(arena, str_trim(text)), utf8_fold(arena, str_trim(value)));
}

static bool is_match(const struct find_request *request, const char *field, bool is_key,
                     const struct remote_record *record, struct arena *arena)
{
    for (size_t i = 0; record->state == REMOTE_LIVE && i < request->values_count; i++) {
        if (is_key ? record->correlation_key.len &&
                         str_equal(record->correlation_key, request->values[i])
                   : holds(json_object_get(record->props, field), request->values[i], arena)) {
            return true;
        }
    }
    return false;
}

static void keep_matches(const struct find_request *request, const char *field, bool is_key,
                         struct arena *arena, struct remote_page *page, size_t from)
{
    size_t kept = from;

    for (size_t i = from; i < page->count; i++) {
        if (is_match(request, field, is_key, &page->records[i], arena)) {
            page->records[kept++] = page->records[i];
        }
    }
    page->count = kept;
}

/* --- one object ------------------------------------------------------------------------------- */

/* The property that is looked for is read in any case: what matched is compared. */
static struct str head_of(struct session *session, const char *object,
                          const struct find_request *request, const char *field,
                          struct arena *arena)
{
    struct str *properties = ARENA_ARRAY(arena, struct str, request->properties_count + 1);

    if (request->properties_count) {
        memcpy(properties, request->properties, request->properties_count * sizeof *properties);
    }
    properties[request->properties_count] = str_of(field);
    return salesforce_select(session, object, properties, request->properties_count + 1, arena);
}

static size_t texts_of(const struct find_request *request, struct str *ret)
{
    size_t count = 0;

    for (size_t i = 0; i < request->values_count; i++) {
        if (str_trim(request->values[i]).len) {
            ret[count++] = request->values[i];
        }
    }
    return count;
}

static struct salesforce_query plain_query(struct str head, struct buf *list, struct str tail,
                                           struct arena *arena)
{
    struct str soql = arena_printf(arena, "%" PRI_STR " IN (%" PRI_STR ")%" PRI_STR, STR_ARG(head),
                                   STR_ARG(buf_str(list)), STR_ARG(tail));

    buf_reset(list);
    return (struct salesforce_query){.soql = soql, .is_whole = true};
}

/* "field IN (1,2)": numbers and dates that are some, as they are; in as many queries as it takes. */
static size_t plain_queries(const struct find_request *request, enum literal literal,
                            struct str head, struct str tail, struct arena *arena,
                            struct salesforce_query **ret)
{
    struct salesforce_query *queries =
        ARENA_ARRAY(arena, struct salesforce_query, request->values_count + 1);
    AUTO_BUF struct buf list = {0};
    size_t count = 0;

    buf_init(&list, SF_URL_BYTES_MAX);
    for (size_t i = 0; i < request->values_count; i++) {
        struct str value = str_trim(request->values[i]);

        if (value.len > PLAIN_BYTES_MAX ||
            !(literal == LITERAL_DATE ? when_is_date(value)
                                      : decimal_canonical(arena, value, 0, &value))) {
            continue;
        }
        if (list.len + value.len > LIST_BYTES_MAX) {
            queries[count++] = plain_query(head, &list, tail, arena);
        }
        buf_addf(&list, "%s%" PRI_STR, list.len ? "," : "", STR_ARG(value));
    }
    if (list.len) {
        queries[count++] = plain_query(head, &list, tail, arena);
    }
    *ret = queries;
    return count;
}

static size_t queries_of(struct session *session, const char *object,
                         const struct find_request *request, const char *field,
                         enum literal literal, struct arena *arena, struct salesforce_query **ret)
{
    struct str head = head_of(session, object, request, field, arena);
    struct str *values = ARENA_ARRAY(arena, struct str, request->values_count + 1);
    struct str filter = salesforce_filter(session, object, arena);
    size_t count = 0;

    head = arena_printf(arena, "%" PRI_STR " WHERE %s", STR_ARG(head), field);
    filter = arena_printf(arena, " AND IsDeleted = false%" PRI_STR, STR_ARG(filter));
    if (literal == LITERAL_TEXT) {
        count = texts_of(request, values);
        return salesforce_in_queries(arena, head, values, count, filter, ret);
    }
    return plain_queries(request, literal, head, filter, arena, ret);
}

/* Archived tasks and events are shown only together with deleted rows, which the query leaves out. */
static enum fail find_in(struct session *session, const char *object,
                         const struct find_request *request, bool is_key, struct arena *arena,
                         struct remote_page *page, struct error *err)
{
    struct str name = is_key ? STR(SF_KEY_FIELD) : str_of(request->property);
    const struct salesforce_object *known = salesforce_object_named(session, object);
    const struct salesforce_field *field;
    struct salesforce_query *queries;
    struct salesforce_answer answer;
    size_t count, before = page->count;

    name = strcmp(object, SF_LEAD) == 0 ? salesforce_lead_field(name) : name;
    field = salesforce_field_named(known, name);
    if (is_key && !field) { /* "not found" would be a lie that makes duplicates */
        return salesforce_no_key(object, err);
    }
    if (literal_of(field) == LITERAL_NONE) {
        return OK;
    }
    count = queries_of(session, object, request, name.at, literal_of(field), arena, &queries);
    for (size_t i = 0; i < count; i++) {
        queries[i].is_all = true;
    }
    if (count && salesforce_query(session, queries, count, arena, &answer, err) != OK) {
        return err->code;
    }
    for (size_t i = 0; i < count; i++) {
        if (salesforce_read_rows(session, object, queries[i].records, arena, page, err) != OK) {
            return err->code;
        }
    }
    keep_matches(request, name.at, is_key, arena, page, before);
    return OK;
}

/* --- the contract ----------------------------------------------------------------------------- */

static bool has_key(struct session *session, const char *const *parts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!salesforce_field_named(salesforce_object_named(session, parts[i]),
                                    STR(SF_KEY_FIELD))) {
            return false;
        }
    }
    return true;
}

enum fail salesforce_find(struct session *session, const struct find_request *request,
                          struct arena *arena, struct remote_page *ret, struct error *err)
{
    bool is_key = strcmp(request->property, ADAPTER_CORRELATION) == 0;
    struct remote_page page = {
        .total = -1, .cursor = STR(""), .began_ms = clock_wall_ms(session->env->clock)};
    const char *parts[SF_PARTS_MAX];
    size_t count = salesforce_parts(
        session, request->kind,
        salesforce_wants(request->properties, request->properties_count, SF_LEAD_STATUS), parts);

    error_reset(err);
    if (salesforce_ready(session, request->kind, request->properties, request->properties_count,
                         err) != OK ||
        (is_key && !has_key(session, parts, count) && /* made since it was described? */
         salesforce_load_objects(session, parts, count, true, err) != OK)) {
        return err->code;
    }
    if (is_key && request->values_count >= SF_LOAD_LOOK_MIN &&
        salesforce_await_loads(session, parts, count, err) != OK) {
        return err->code;
    }
    for (size_t i = 0; i < count; i++) {
        if (find_in(session, parts[i], request, is_key, arena, &page, err) != OK) {
            return error_wrap(err, "find %s", parts[i]);
        }
    }
    if (salesforce_add_people(session, request->properties, request->properties_count, arena, &page,
                              err) != OK) {
        return err->code;
    }
    *ret = page;
    return OK;
}
