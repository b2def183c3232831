/* HubSpot: one object of an answer, reading by id, finding. */
#include "adapters/hubspot_inside.h"

#include <inttypes.h>

#include "core/jx.h"
#include "core/unicode.h"
#include "core/when.h"

/* --- one object ------------------------------------------------------------------------------- */

static enum fail read_merged(const json_t *props, struct arena *arena, struct remote_record *record,
                             struct error *err)
{
    struct str rest;
    struct str *ids;
    size_t count = 0;

    if (jx_str_or(props, "hs_merged_object_ids", STR(""), &rest, err) != OK) {
        return err->code;
    }
    if (rest.len == 0) {
        return OK;
    }
    ids = ARENA_ARRAY(arena, struct str, rest.len + 1);
    while (rest.at) {
        struct str id = str_trim(str_cut(&rest, ';'));

        if (id.len) {
            ids[count++] = id;
        }
    }
    record->merged_from = ids;
    record->merged_from_count = count;
    return OK;
}

/* Element 0 of a property's history is its present value: its time is the field's. */
static json_t *read_times(const json_t *item)
{
    json_t *history = jx_get(item, "propertiesWithHistory");
    json_t *times = json_object();
    const char *name;
    json_t *entries;

    json_object_foreach(history, name, entries)
    {
        int64_t ms;

        if (when_parse_ms(jx_text_of(jx_get(json_array_get(entries, 0), "timestamp")), &ms)) {
            json_object_set_new(times, name, json_integer(ms));
        }
    }
    return times;
}

static enum fail read_members(const json_t *item, struct arena *arena, struct remote_record *record,
                              struct error *err)
{
    json_t *props;
    bool archived;

    if (jx_bool_or(item, "archived", false, &archived, err) != OK ||
        jx_object(item, "properties", &props, err) != OK ||
        jx_time_ms_or(item, "updatedAt", 0, &record->modified_ms, err) != OK ||
        jx_time_ms_or(item, "createdAt", 0, &record->created_ms, err) != OK ||
        jx_str_or(props, CORRELATION_PROPERTY, STR(""), &record->correlation_key, err) != OK ||
        read_merged(props, arena, record, err) != OK) {
        return err->code;
    }
    if (archived) {
        record->state = REMOTE_GONE;
    } else {
        record->props = props;
    }
    if (jx_get(item, "propertiesWithHistory")) {
        record->props_times = jx_own(arena, read_times(item));
    }
    return OK;
}

enum fail hubspot_read_record(const json_t *item, struct arena *arena, struct remote_record *ret,
                              struct error *err)
{
    struct remote_record record = {.state = REMOTE_LIVE};

    if (jx_id(arena, item, "id", &record.remote_id, err) != OK) {
        return error_wrap(err, "hubspot object");
    }
    if (read_members(item, arena, &record, err) != OK) {
        return error_wrap(err, "hubspot object %" PRI_STR, STR_ARG(record.remote_id));
    }
    *ret = record;
    return OK;
}

enum fail hubspot_read_results(const json_t *body, struct arena *arena, struct remote_page *page,
                               struct error *err)
{
    json_t *results;

    if (jx_array(body, "results", &results, err) != OK) {
        return err->code;
    }
    page->records = ARENA_ARRAY(arena, struct remote_record, json_array_size(results) + 1);
    page->count = json_array_size(results);
    for (size_t i = 0; i < page->count; i++) {
        if (hubspot_read_record(json_array_get(results, i), arena, &page->records[i], err) != OK) {
            return err->code;
        }
    }
    return OK;
}

enum fail hubspot_next_after(struct arena *arena, const json_t *body, struct str *ret,
                             struct error *err)
{
    json_t *paging, *next;
    struct error why = {0};

    *ret = STR("");
    if (jx_object_or_null(body, "paging", &paging, &why) == OK &&
        jx_object_or_null(paging, "next", &next, &why) == OK &&
        (!next || jx_id(arena, next, "after", ret, &why) == OK)) {
        return OK;
    }
    return error_set(err, FAIL_RETRY, "hubspot's next page: %s", why.message);
}

/* No property of HubSpot's has a dot in its name. */
bool hubspot_is_pseudo(struct str property)
{
    return property.len && memchr(property.at, '.', property.len);
}

bool hubspot_wants(const struct str *properties, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (str_equal(properties[i], str_of(name))) {
            return true;
        }
    }
    return false;
}

json_t *hubspot_property_list(const struct str *properties, size_t count)
{
    json_t *list = json_array();

    for (size_t i = 0; i < count; i++) {
        if (!hubspot_is_pseudo(properties[i])) {
            json_array_append_new(list, json_stringn(properties[i].at, properties[i].len));
        }
    }
    if (hubspot_wants_stage(properties, count)) {
        json_array_append_new(list, json_string("dealstage"));
        if (!hubspot_wants(properties, count, "pipeline")) {
            json_array_append_new(list, json_string("pipeline"));
        }
    }
    json_array_append_new(list, json_string(CORRELATION_PROPERTY));
    json_array_append_new(list, json_string("hs_merged_object_ids"));
    return list;
}

enum fail hubspot_complete(struct session *session, const char *kind, const struct str *properties,
                           size_t properties_count, const json_t *rows,
                           struct remote_record *records, size_t count, struct arena *arena,
                           struct error *err)
{
    for (size_t i = 0; i < HS_RELATIONS; i++) {
        const struct hubspot_relation *relation = &hubspot_relations[i];
        enum fail failed;

        if (!hubspot_wants(properties, properties_count, relation->property)) {
            continue;
        }
        failed = rows ? hubspot_set_inline_links(session, arena, kind, relation, rows, records,
                                                 count, err)
                      : hubspot_read_links(session, arena, kind, relation, records, count, err);
        if (failed != OK) {
            return failed;
        }
    }
    return hubspot_wants_stage(properties, properties_count)
               ? hubspot_set_stages(session, records, count, err)
               : OK;
}

/* --- batches ---------------------------------------------------------------------------------- */

static json_t *batch_read_body(const struct fetch_request *request, const struct str *ids,
                               size_t count, const char *id_property)
{
    json_t *properties = hubspot_property_list(request->properties, request->properties_count);
    json_t *inputs = json_array();
    json_t *body = json_pack("{s:o,s:o}", "properties", properties, "inputs", inputs);

    for (size_t i = 0; i < count; i++) {
        json_array_append_new(inputs, json_pack("{s:s%}", "id", ids[i].at, ids[i].len));
    }
    if (request->with_times) {
        json_object_set(body, "propertiesWithHistory", properties);
    }
    if (id_property) {
        json_object_set_new(body, "idProperty", json_string(id_property));
    }
    return body;
}

/* What is not there is missing in the results, and named in an error row of a 207. */
static enum fail batch_read(struct session *session, const struct fetch_request *request,
                            const struct str *ids, size_t count, const char *id_property,
                            struct arena *arena, struct remote_page *ret, struct error *err)
{
    struct hubspot_call call = {
        .method = HTTP_POST,
        .path = hubspot_objects_path(session, arena, request->kind, "/batch/read"),
        .body = jx_own(arena, batch_read_body(request, ids, count, id_property)),
        .is_safe = true};
    struct hubspot_answer answer;

    if (hubspot_exec(session, &call, arena, &answer, err) != OK ||
        hubspot_read_results(answer.body, arena, ret, err) != OK) {
        return error_wrap(err, "read %s", hubspot_object(session, request->kind));
    }
    ret->began_ms = answer.began_ms;
    ret->server_ms = answer.server_ms;
    return OK;
}

/* --- reading by id ---------------------------------------------------------------------------- */

/* One batch of fetch_many. Each asked id becomes at most two records: itself, or that it was merged
 * and its survivor. */
struct fetch {
    struct session *session;
    const struct fetch_request *request;
    struct arena *arena;
    struct remote_page *page;
    const struct str *ids;
    size_t count;
    struct str *survivors; /* to be read still; room for count */
    size_t survivors_count;
};

/* Others cannot exist, and one of them fails a whole batch. */
static bool is_id(struct str id)
{
    for (size_t i = 0; i < id.len; i++) {
        if (id.at[i] < '0' || id.at[i] > '9') {
            return false;
        }
    }
    return id.len > 0 && id.len < 20;
}

static bool is_among(const struct str *ids, size_t count, struct str id)
{
    for (size_t i = 0; i < count; i++) {
        if (str_equal(ids[i], id)) {
            return true;
        }
    }
    return false;
}

static bool page_has(const struct remote_page *page, struct str id)
{
    for (size_t i = 0; i < page->count; i++) {
        if (str_equal(page->records[i].remote_id, id)) {
            return true;
        }
    }
    return false;
}

static void add_record(struct remote_page *page, const struct remote_record *record)
{
    if (!page_has(page, record->remote_id)) {
        page->records[page->count++] = *record;
    }
}

static void add_merged(struct fetch *fetch, struct str id, struct str into)
{
    add_record(fetch->page, &(const struct remote_record){
                                .remote_id = id, .state = REMOTE_MERGED, .merged_into = into});
}

static void add_gone(struct fetch *fetch, struct str id)
{
    add_record(fetch->page, &(const struct remote_record){.remote_id = id, .state = REMOTE_GONE});
}

/* A former id may be answered with the survivor. What was not asked for is not taken. */
static void take(struct fetch *fetch, const struct remote_record *record)
{
    bool is_wanted = is_among(fetch->ids, fetch->count, record->remote_id);

    for (size_t i = 0; i < record->merged_from_count; i++) {
        struct str former = record->merged_from[i];

        if (is_among(fetch->ids, fetch->count, former)) {
            add_merged(fetch, former, record->remote_id);
            is_wanted = true;
        }
    }
    if (is_wanted) {
        add_record(fetch->page, record);
    }
}

/* GET tells apart what a batch leaves out: a merged id answers with the survivor under its own id,
 * a deleted one with 404. source: HubSpot's changelog, updated merge functionality. */
static enum fail judge_probe(struct fetch *fetch, struct str id, const struct hubspot_try *try,
                             struct error *err)
{
    struct str now_id;

    if (try->result == FAIL_STALE && try->error.http_status == 404) {
        add_gone(fetch, id);
        return OK;
    }
    if (try->result != OK) {
        *err = try->error;
        return error_wrap(err, "read %s %" PRI_STR,
                          hubspot_object(fetch->session, fetch->request->kind), STR_ARG(id));
    }
    if (jx_id(fetch->arena, try->answer.body, "id", &now_id, err) != OK) {
        return error_wrap(err, "read %s %" PRI_STR,
                          hubspot_object(fetch->session, fetch->request->kind), STR_ARG(id));
    }
    if (!str_equal(now_id, id)) {
        add_merged(fetch, id, now_id);
    }
    if (!page_has(fetch->page, now_id) &&
        !is_among(fetch->survivors, fetch->survivors_count, now_id)) {
        fetch->survivors[fetch->survivors_count++] = now_id;
    }
    return OK;
}

static enum fail probe_missing(struct fetch *fetch, struct error *err)
{
    struct hubspot_try *tries = ARENA_ARRAY(fetch->arena, struct hubspot_try, fetch->count + 1);
    struct str *missing = ARENA_ARRAY(fetch->arena, struct str, fetch->count + 1);
    size_t count = 0;

    for (size_t i = 0; i < fetch->count; i++) {
        struct str tail = arena_printf(fetch->arena, "/%" PRI_STR "?properties=hs_object_id",
                                       STR_ARG(fetch->ids[i]));

        if (page_has(fetch->page, fetch->ids[i]) || is_among(missing, count, fetch->ids[i])) {
            continue;
        }
        missing[count] = fetch->ids[i];
        tries[count++].call =
            (struct hubspot_call){.method = HTTP_GET,
                                  .path = hubspot_objects_path(fetch->session, fetch->arena,
                                                               fetch->request->kind, tail.at),
                                  .is_safe = true,
                                  .may_be_missing = true};
    }
    if (count && hubspot_exec_all(fetch->session, tries, count, fetch->arena, err) != OK) {
        return err->code;
    }
    for (size_t i = 0; i < count; i++) {
        if (judge_probe(fetch, missing[i], &tries[i], err) != OK) {
            return err->code;
        }
    }
    return OK;
}

/* Survivors with all their values. One that vanished meanwhile is left out: the next reading says
 * what became of it. */
static enum fail read_survivors(struct fetch *fetch, struct error *err)
{
    struct remote_page part = {0};

    if (fetch->survivors_count == 0) {
        return OK;
    }
    if (batch_read(fetch->session, fetch->request, fetch->survivors, fetch->survivors_count, NULL,
                   fetch->arena, &part, err) != OK) {
        return err->code;
    }
    for (size_t i = 0; i < part.count; i++) {
        if (is_among(fetch->survivors, fetch->survivors_count, part.records[i].remote_id)) {
            add_record(fetch->page, &part.records[i]);
        }
    }
    return OK;
}

static enum fail fetch_batch(struct fetch *fetch, struct error *err)
{
    const struct fetch_request *request = fetch->request;
    struct remote_page *page = fetch->page, part = {0};

    if (batch_read(fetch->session, request, fetch->ids, fetch->count, NULL, fetch->arena, &part,
                   err) != OK) {
        return err->code;
    }
    page->server_ms = part.server_ms;
    for (size_t i = 0; i < part.count; i++) {
        take(fetch, &part.records[i]);
    }
    return probe_missing(fetch, err) != OK ? err->code : read_survivors(fetch, err);
}

enum fail hubspot_fetch_many(struct session *session, const struct fetch_request *request,
                             struct arena *arena, struct remote_page *ret, struct error *err)
{
    size_t batch_max = request->with_times ? HS_HISTORY_MAX : HS_BATCH_MAX;
    struct remote_page page = {
        .total = -1, .cursor = STR(""), .began_ms = clock_wall_ms(session->env->clock)};
    struct str *ids = ARENA_ARRAY(arena, struct str, request->remote_ids_count + 1);
    size_t count = 0;

    if (strcmp(request->kind, HS_ACTIVITY) == 0) {
        return hubspot_activity_fetch(session, request, arena, ret, err);
    }
    page.records = ARENA_ARRAY(arena, struct remote_record, 2 * request->remote_ids_count + 1);
    for (size_t i = 0; i < request->remote_ids_count; i++) {
        if (is_id(request->remote_ids[i]) && !is_among(ids, count, request->remote_ids[i])) {
            ids[count++] = request->remote_ids[i];
        }
    }
    for (size_t from = 0; from < count; from += batch_max) {
        size_t left = count - from;
        struct fetch fetch = {.session = session,
                              .request = request,
                              .arena = arena,
                              .page = &page,
                              .ids = ids + from,
                              .count = left < batch_max ? left : batch_max};

        fetch.survivors = ARENA_ARRAY(arena, struct str, fetch.count + 1);
        if (fetch_batch(&fetch, err) != OK) {
            return err->code;
        }
    }
    if (hubspot_complete(session, request->kind, request->properties, request->properties_count,
                         NULL, page.records, page.count, arena, err) != OK) {
        return err->code;
    }
    *ret = page;
    return OK;
}

/* --- finding ---------------------------------------------------------------------------------- */

static enum fail read_keys(struct session *session, const struct find_request *request,
                           const struct str *values, size_t count, struct arena *arena,
                           struct remote_page *page, struct error *err)
{
    struct fetch_request fetch = {.kind = request->kind,
                                  .properties = request->properties,
                                  .properties_count = request->properties_count};
    struct remote_page part = {0};
    struct remote_record *records;

    if (batch_read(session, &fetch, values, count, CORRELATION_PROPERTY, arena, &part, err) != OK) {
        if (err->http_status == 400) { /* without the property nothing counts as not found */
            err->code = FAIL_CONNECTION;
            error_hint(err, "run 'crmsync setup' for this connection: it makes the property "
                            "'" CORRELATION_PROPERTY "' that records are found by");
        }
        return err->code;
    }
    page->server_ms = part.server_ms;
    records = ARENA_ARRAY(arena, struct remote_record, page->count + part.count + 1);
    for (size_t i = 0; i < page->count; i++) {
        records[i] = page->records[i];
    }
    page->records = records;
    for (size_t i = 0; i < part.count; i++) {
        if (part.records[i].state == REMOTE_LIVE &&
            is_among(values, count, part.records[i].correlation_key)) {
            add_record(page, &part.records[i]);
        }
    }
    return OK;
}

/* Batch read by a unique property reflects a write at once, unlike the search index. */
static enum fail find_by_key(struct session *session, const struct find_request *request,
                             struct arena *arena, struct remote_page *page, struct error *err)
{
    for (size_t from = 0; from < request->values_count; from += HS_BATCH_MAX) {
        size_t left = request->values_count - from;

        if (read_keys(session, request, request->values + from,
                      left < HS_BATCH_MAX ? left : HS_BATCH_MAX, arena, page, err) != OK) {
            return err->code;
        }
    }
    return hubspot_complete(session, request->kind, request->properties, request->properties_count,
                            NULL, page->records, page->count, arena, err);
}

enum fail hubspot_search_ids(struct session *session, const char *kind, const char *property,
                             struct str value, struct arena *arena, struct str **ret,
                             size_t *ret_count, struct error *err)
{
    json_t *filter = json_pack("{s:s,s:s,s:s%}", "propertyName", property, "operator", "EQ",
                               "value", value.at, value.len);
    struct hubspot_call call = {
        .method = HTTP_POST,
        .path = hubspot_objects_path(session, arena, kind, "/search"),
        .body =
            jx_own(arena, json_pack("{s:[{s:[o]}],s:[s],s:i}", "filterGroups", "filters", filter,
                                    "properties", "hs_object_id", "limit", HS_BATCH_MAX)),
        .bucket = HS_SEARCH,
        .is_safe = true};
    struct hubspot_answer answer;
    struct remote_page hits = {0};

    if (hubspot_exec(session, &call, arena, &answer, err) != OK ||
        hubspot_read_results(answer.body, arena, &hits, err) != OK) {
        return error_wrap(err, "find %s", hubspot_object(session, kind));
    }
    *ret = ARENA_ARRAY(arena, struct str, hits.count + 1);
    *ret_count = hits.count;
    for (size_t i = 0; i < hits.count; i++) {
        (*ret)[i] = hits.records[i].remote_id;
    }
    return OK;
}

/* Search minds no case; the index may also be behind. */
static bool matches(const struct remote_record *record, const char *property, struct str value,
                    struct arena *arena)
{
    struct str has = jx_text_of(jx_get(record->props, property));

    return record->state == REMOTE_LIVE &&
           str_equal(utf8_lower(arena, has), utf8_lower(arena, value));
}

/* Hits are hints: each is read by id before it counts. */
static enum fail find_value(struct session *session, const struct find_request *request,
                            struct str value, struct arena *arena, struct remote_page *page,
                            struct error *err)
{
    struct str *properties = ARENA_ARRAY(arena, struct str, request->properties_count + 1);
    struct fetch_request fetch = {.kind = request->kind, .properties = properties};
    struct remote_page read = {0};
    struct remote_record *records;
    struct str *ids;

    for (size_t i = 0; i < request->properties_count; i++) {
        properties[fetch.properties_count++] = request->properties[i];
    }
    properties[fetch.properties_count++] = str_of(request->property);
    if (hubspot_search_ids(session, request->kind, request->property, value, arena, &ids,
                           &fetch.remote_ids_count, err) != OK) {
        return err->code;
    }
    fetch.remote_ids = ids;
    if (hubspot_fetch_many(session, &fetch, arena, &read, err) != OK) {
        return err->code;
    }
    records = ARENA_ARRAY(arena, struct remote_record, page->count + read.count + 1);
    for (size_t i = 0; i < page->count; i++) {
        records[i] = page->records[i];
    }
    page->records = records;
    for (size_t i = 0; i < read.count; i++) {
        if (matches(&read.records[i], request->property, value, arena)) {
            add_record(page, &read.records[i]);
        }
    }
    page->server_ms = read.server_ms;
    return OK;
}

enum fail hubspot_find(struct session *session, const struct find_request *request,
                       struct arena *arena, struct remote_page *ret, struct error *err)
{
    struct remote_page page = {
        .total = -1, .cursor = STR(""), .began_ms = clock_wall_ms(session->env->clock)};

    if (strcmp(request->kind, HS_ACTIVITY) == 0) {
        return hubspot_activity_find(session, request, arena, ret, err);
    }

    if (strcmp(request->property, ADAPTER_CORRELATION) == 0) {
        if (request->values_count && find_by_key(session, request, arena, &page, err) != OK) {
            return err->code;
        }
        *ret = page;
        return OK;
    }
    for (size_t i = 0; i < request->values_count; i++) {
        if (request->values[i].len &&
            find_value(session, request, request->values[i], arena, &page, err) != OK) {
            return err->code;
        }
    }
    *ret = page;
    return OK;
}
