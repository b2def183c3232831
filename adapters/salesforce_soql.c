/* Salesforce: queries: their text, and running them. What comes from outside is an id of the right form, a name out of a description,
 * or a quoted text. source: SOQL and SOSL Reference, "Quoted String Escape Sequences"; REST API Developer Guide, "Query", "QueryAll" */
#include "adapters/salesforce_inside.h"

#include <assert.h>

#include "core/jx.h"

/* The address of a query begins with scheme, host and path. source of the rest: Salesforce Developer Limits and Allocations Quick
 * Reference, "SOQL and SOSL Limits" */
enum {
    STATEMENT_BYTES_MAX = 100000,
    IN_VALUES_MAX = 1000,
    IN_BYTES_MAX = SF_URL_BYTES_MAX - 300,
    PAGES_MAX = 100000,
    CONTROL_MAX = 0x20
};

/* --- text ------------------------------------------------------------------------------------- */

void salesforce_quote(struct buf *ret, struct str text)
{
    buf_add_char(ret, '\'');
    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i];

        if (c == '\'' || c == '"' || c == '\\') {
            buf_add_char(ret, '\\');
            buf_add_char(ret, c);
        } else if ((unsigned char)c < CONTROL_MAX) {
            buf_addf(ret, "\\u%04x", (unsigned)c);
        } else {
            buf_add_char(ret, c);
        }
    }
    buf_add_char(ret, '\'');
}

struct selection {
    const struct salesforce_object *object;
    struct buf text;
};

/* Once each, and only what the description has. */
static void add_field(struct selection *selection, const char *name)
{
    const struct salesforce_field *field = salesforce_field_named(selection->object, str_of(name));
    struct str rest = buf_str(&selection->text);

    if (!field) {
        return;
    }
    while (rest.at) {
        if (str_equal(str_trim(str_cut(&rest, ',')), field->name)) {
            return;
        }
    }
    buf_addf(&selection->text, "%s%" PRI_STR, selection->text.len ? ", " : "",
             STR_ARG(field->name));
}

/* Members that each pseudo-property is made of, and those that a write of it has to know; an object that lacks one has nothing to say about it. */
static const struct {
    const char *property, *fields[7];
} MADE_OF[] = {
    {SF_LEAD_STATUS, {"Status"}},
    {SF_RECORD_TYPE, {"RecordTypeId"}},
    {SF_DEAL_STAGE, {"StageName", "IsClosed", "IsWon"}},
    {SF_DEAL_STATUS, {"StageName", "IsClosed", "IsWon"}},
    {SF_ACTIVITY_TYPE, {"TaskSubtype", "Type"}},
    {SF_ACTIVITY_SUBJECT, {"Subject"}},
    {SF_ACTIVITY_BODY, {"Description"}},
    {SF_ACTIVITY_TIMESTAMP,
     {"ActivityDate", "StartDateTime", "IsAllDayEvent", "DurationInMinutes"}},
    {SF_ACTIVITY_DONE, {"IsClosed", "Type"}},
    {SF_ACTIVITY_CONTACTS, {"WhoId"}},
    {SF_ACTIVITY_COMPANY, {"WhatId"}},
    {SF_ACTIVITY_DEAL, {"WhatId", "AccountId"}},
};

static void add_property(struct selection *selection, struct str property, struct arena *arena)
{
    if (strcmp(selection->object->name, SF_LEAD) == 0) {
        property = salesforce_lead_field(property);
    }
    if (!salesforce_is_pseudo(property)) {
        add_field(selection, arena_cstr(arena, property));
        return;
    }
    for (size_t i = 0; i < COUNT_OF(MADE_OF); i++) {
        for (size_t k = 0; str_equal(property, str_of(MADE_OF[i].property)) && MADE_OF[i].fields[k];
             k++) {
            add_field(selection, MADE_OF[i].fields[k]);
        }
    }
}

struct str salesforce_select(struct session *session, const char *object,
                             const struct str *properties, size_t count, struct arena *arena)
{
    static const char *const OWN[] = {"Id",
                                      "IsDeleted",
                                      "CreatedDate",
                                      "LastModifiedDate",
                                      "SystemModstamp",
                                      "MasterRecordId",
                                      SF_KEY_FIELD,
                                      "IsPersonAccount",
                                      "IsConverted",
                                      "ConvertedContactId"};
    struct selection selection = {.object = salesforce_object_named(session, object)};
    struct str ret;

    buf_init(&selection.text, STATEMENT_BYTES_MAX);
    for (size_t i = 0; i < COUNT_OF(OWN); i++) {
        add_field(&selection, OWN[i]);
    }
    for (size_t i = 0; i < count; i++) {
        add_property(&selection, properties[i], arena);
    }
    ret = arena_printf(arena, "SELECT %" PRI_STR " FROM %s", STR_ARG(buf_str(&selection.text)),
                       selection.object->name);
    buf_fini(&selection.text);
    return ret;
}

/* source: Object Reference, Event (IsChild), Task and Event (IsRecurrence), Account (IsPersonAccount) */
struct str salesforce_filter(struct session *session, const char *object, struct arena *arena)
{
    static const struct {
        const char *object, *field;
    } NOT[] = {{SF_EVENT, "IsChild"},
               {SF_EVENT, "IsRecurrence"},
               {SF_TASK, "IsRecurrence"},
               {SF_ACCOUNT, "IsPersonAccount"}};
    const struct salesforce_object *known = salesforce_object_named(session, object);
    AUTO_BUF struct buf text = {0};

    buf_init(&text, 1024);
    for (size_t i = 0; i < COUNT_OF(NOT); i++) {
        if (strcmp(NOT[i].object, object) == 0 &&
            salesforce_field_named(known, str_of(NOT[i].field))) {
            buf_addf(&text, " AND %s = false", NOT[i].field);
        }
    }
    return arena_str(arena, buf_str(&text));
}

/* --- lists of values ---------------------------------------------------------------------------- */

/* Bytes of a quoted value and its comma in an address. */
static size_t encoded_bytes(struct arena *arena, struct str value)
{
    AUTO_BUF struct buf quoted = {0};

    buf_init(&quoted, STATEMENT_BYTES_MAX);
    salesforce_quote(&quoted, value);
    return http_percent_encode(arena, buf_str(&quoted)).len + strlen("%2C");
}

static void open_query(struct buf *text, struct str head)
{
    buf_reset(text);
    buf_addf(text, "%" PRI_STR " IN (", STR_ARG(head));
}

static struct salesforce_query close_query(struct buf *text, struct str tail, struct arena *arena)
{
    buf_addf(text, ")%" PRI_STR, STR_ARG(tail));
    return (struct salesforce_query){.soql = arena_str(arena, buf_str(text)), .is_whole = true};
}

size_t salesforce_in_queries(struct arena *arena, struct str head, const struct str *values,
                             size_t count, struct str tail, struct salesforce_query **ret)
{
    struct salesforce_query *queries = ARENA_ARRAY(arena, struct salesforce_query, count + 1);
    size_t fixed = http_percent_encode(arena, head).len + http_percent_encode(arena, tail).len;
    size_t used = 0, in_query = 0, queries_count = 0;
    AUTO_BUF struct buf text = {0};

    buf_init(&text, STATEMENT_BYTES_MAX);
    for (size_t i = 0; i < count; i++) {
        size_t bytes = encoded_bytes(arena, values[i]);

        /* a selection that fills an address by itself goes into a body: then the number alone is bounded */
        if (in_query && (in_query == IN_VALUES_MAX ||
                         (fixed + used + bytes > IN_BYTES_MAX && used > IN_BYTES_MAX / 3))) {
            queries[queries_count++] = close_query(&text, tail, arena);
            used = in_query = 0;
        }
        if (in_query == 0) {
            open_query(&text, head);
        }
        buf_add(&text, in_query++ ? STR(",") : STR(""));
        salesforce_quote(&text, values[i]);
        used += bytes;
    }
    if (in_query) {
        queries[queries_count++] = close_query(&text, tail, arena);
    }
    *ret = queries;
    return queries_count;
}

/* --- running ---------------------------------------------------------------------------------- */

static struct str path_of(const struct salesforce_query *query, struct arena *arena)
{
    struct str text = http_percent_encode(arena, query->soql);

    return arena_printf(arena, "/%s?q=%" PRI_STR, query->is_all ? "queryAll" : "query",
                        STR_ARG(text));
}

/* source: REST API Developer Guide, "Query": totalSize, done, records, nextRecordsUrl. COUNT() has no records */
static enum fail keep_page(const json_t *body, struct salesforce_query *query, struct str *ret_next,
                           struct error *err)
{
    json_t *records;
    bool is_done;

    if (jx_array(body, "records", &records, err) != OK ||
        jx_bool_or(body, "done", true, &is_done, err) != OK ||
        jx_i64_or(body, "totalSize", -1, &query->total, err) != OK ||
        jx_str_or(body, "nextRecordsUrl", STR(""), ret_next, err) != OK) {
        err->code =
            FAIL_RETRY; /* of an answer in another form than the documents nothing is known */
        return error_wrap(err, "salesforce's answer to a query");
    }
    if (!is_done && !str_starts(*ret_next, STR("/services/data/"))) {
        return error_set(err, FAIL_RETRY, "salesforce's answer to a query ends without its end");
    }
    query->is_cut = !is_done;
    if (query->records) {
        json_array_extend(query->records, records);
    } else {
        query->records = records;
    }
    return OK;
}

/* The rest of an answer, page by page. */
static enum fail read_on(struct session *session, struct salesforce_query *query, struct str next,
                         struct arena *arena, struct error *err)
{
    int64_t total = query->total;

    for (int pages = 0; query->is_cut && pages < PAGES_MAX; pages++) {
        struct salesforce_call call = {.method = HTTP_GET, .path = next, .is_safe = true};
        struct salesforce_answer answer;
        struct str before = next;

        if (salesforce_exec(session, &call, arena, &answer, err) != OK ||
            keep_page(answer.body, query, &next, err) != OK) {
            return err->code;
        }
        if (query->is_cut && str_equal(before, next)) {
            return error_set(err, FAIL_RETRY, "salesforce's next page is this one again");
        }
    }
    query->total = total;
    return OK;
}

struct salesforce_sub salesforce_query_sub(const struct salesforce_query *query,
                                           struct arena *arena)
{
    return (struct salesforce_sub){.method = HTTP_GET, .path = path_of(query, arena)};
}

enum fail salesforce_query_answer(const struct salesforce_sub *sub, struct salesforce_query *query,
                                  struct error *err)
{
    struct str next = STR("");

    if (sub->result != OK) {
        *err = sub->error;
        return err->code;
    }
    return keep_page(sub->answer, query, &next, err);
}

static enum fail query_one(struct session *session, struct salesforce_query *query, struct str path,
                           struct arena *arena, struct salesforce_answer *ret, struct error *err)
{
    struct salesforce_call call = {.method = HTTP_GET, .path = path, .is_safe = true};
    struct str next = STR("");

    if (salesforce_exec(session, &call, arena, ret, err) != OK ||
        keep_page(ret->body, query, &next, err) != OK) {
        return err->code;
    }
    return query->is_whole ? read_on(session, query, next, arena, err) : OK;
}

static enum fail query_some(struct session *session, struct salesforce_query *queries, size_t count,
                            struct arena *arena, struct salesforce_answer *ret, struct error *err)
{
    struct salesforce_sub subs[SF_QUERIES_MAX];

    for (size_t i = 0; i < count; i++) {
        subs[i] = (struct salesforce_sub){.method = HTTP_GET, .path = path_of(&queries[i], arena)};
    }
    /* a text too long for an address travels in the body of a composite call */
    if (count == 1 && subs[0].path.len <= SF_URL_BYTES_MAX) {
        return query_one(session, &queries[0], subs[0].path, arena, ret, err);
    }
    if (salesforce_composite(session, subs, count, true, false, arena, ret, err) != OK) {
        return err->code;
    }
    for (size_t i = 0; i < count; i++) {
        struct str next = STR("");

        if (subs[i].result != OK) {
            *err = subs[i].error;
            return err->code;
        }
        if (keep_page(subs[i].answer, &queries[i], &next, err) != OK ||
            (queries[i].is_whole && read_on(session, &queries[i], next, arena, err) != OK)) {
            return err->code;
        }
    }
    return OK;
}

enum fail salesforce_query(struct session *session, struct salesforce_query *queries, size_t count,
                           struct arena *arena, struct salesforce_answer *ret, struct error *err)
{
    *ret = (struct salesforce_answer){0};
    for (size_t from = 0; from < count; from += SF_QUERIES_MAX) {
        size_t some = count - from < SF_QUERIES_MAX ? count - from : SF_QUERIES_MAX;
        struct salesforce_answer answer;

        if (query_some(session, queries + from, some, arena, &answer, err) != OK) {
            if (err->code == FAIL_CONNECTION) { /* it asks for what is no longer there? */
                salesforce_distrust_objects(session);
            }
            return err->code;
        }
        if (from == 0) {
            *ret = answer;
        }
    }
    return OK;
}
