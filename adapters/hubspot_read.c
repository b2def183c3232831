/* HubSpot: listing, reading by id, finding. */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "adapters/hubspot_inside.h"
#include "core/jx.h"
#include "core/when.h"

/* A search window is read again this far back on every run: the search index lags behind writes (developers.hubspot.com, search: "a few moments").
 * What is still missed after that, the complete listing finds. */
enum { OVERLAP_MS = 180 * 1000, URL_BYTES_MAX = 6000, EPOCH_MS = 1000 };

/* --- one object ---------------------------------------------------------------------------------------------------------------- */

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

/* Which of a contact's companies its company is: the primary one; where none is marked, the only one; else none. */
struct company_choice {
    struct str primary, only;
    bool is_several;
};

static void consider(struct company_choice *choice, struct str id, bool is_primary)
{
    if (is_primary) {
        choice->primary = id;
    }
    choice->is_several = choice->is_several || (choice->only.len && !str_equal(choice->only, id));
    choice->only = id;
}

static struct str chosen(const struct company_choice *choice)
{
    if (choice->primary.len) {
        return choice->primary;
    }
    return choice->is_several || !choice->only.at ? STR("") : choice->only;
}

/* Inline associations of a listing: one row for each type; the primary type is called contact_to_company, the plain one ends in _unlabeled. */
static struct str inline_company(const json_t *item, struct arena *arena)
{
    const json_t *results = jx_get(jx_get(jx_get(item, "associations"), "companies"), "results");
    struct company_choice choice = {0};
    struct error ignored = {0};

    for (size_t i = 0; i < json_array_size(results); i++) {
        const json_t *row = json_array_get(results, i);
        struct str id;

        if (jx_id(arena, row, "id", &id, &ignored) == OK) {
            consider(&choice, id,
                     str_equal(jx_text_of(jx_get(row, "type")), STR("contact_to_company")));
        }
    }
    return chosen(&choice);
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

enum fail hubspot_read_record(const json_t *item, struct arena *arena, struct remote_record *ret,
                              struct error *err)
{
    struct remote_record record = {.state = REMOTE_LIVE};
    json_t *props;
    bool archived;

    if (jx_id(arena, item, "id", &record.remote_id, err) != OK ||
        jx_bool_or(item, "archived", false, &archived, err) != OK ||
        jx_object(item, "properties", &props, err) != OK ||
        jx_time_ms_or(item, "updatedAt", 0, &record.modified_ms, err) != OK ||
        jx_time_ms_or(item, "createdAt", 0, &record.created_ms, err) != OK ||
        jx_str_or(props, CORRELATION_PROPERTY, STR(""), &record.correlation_key, err) != OK ||
        read_merged(props, arena, &record, err) != OK) {
        return error_wrap(err, "hubspot object");
    }
    if (archived) {
        record.state = REMOTE_GONE;
    } else {
        record.props = props;
    }
    if (jx_get(item, "propertiesWithHistory")) {
        record.props_times = jx_own(arena, read_times(item));
    }
    *ret = record;
    return OK;
}

bool hubspot_wants_company(const char *kind, const struct str *properties, size_t count)
{
    for (size_t i = 0; strcmp(kind, "contact") == 0 && i < count; i++) {
        if (str_equal(properties[i], STR(HS_COMPANY_PROPERTY))) {
            return true;
        }
    }
    return false;
}

static bool is_pseudo(struct str property)
{
    return str_starts(property, STR("associations."));
}

json_t *hubspot_property_list(const char *kind, const struct str *properties, size_t count)
{
    json_t *list = json_array();

    for (size_t i = 0; i < count; i++) {
        if (!is_pseudo(properties[i])) {
            json_array_append_new(list, json_stringn(properties[i].at, properties[i].len));
        }
    }
    json_array_append_new(list, json_string(CORRELATION_PROPERTY));
    json_array_append_new(list, json_string("hs_merged_object_ids"));
    (void)kind;
    return list;
}

static enum fail read_results(const json_t *body, struct arena *arena, struct remote_page *page,
                              struct error *err)
{
    json_t *results;

    if (jx_array(body, "results", &results, err) != OK) {
        return err->code;
    }
    page->records = ARENA_ARRAY(arena, struct remote_record, json_array_size(results) + 1);
    page->count = 0;
    for (size_t i = 0; i < json_array_size(results); i++) {
        if (hubspot_read_record(json_array_get(results, i), arena, &page->records[page->count++],
                                err) != OK) {
            return err->code;
        }
    }
    return OK;
}

/* --- companies of contacts ----------------------------------------------------------------------------------------------------- */

/* One row of the batch answer: {"from":{"id"},"to":[{"toObjectId","associationTypes":[{"typeId"}]}]}. Type 1 is contact → primary company. */
static struct str company_of_row(const json_t *row, struct arena *arena)
{
    const json_t *to = jx_get(row, "to");
    struct company_choice choice = {0};

    for (size_t i = 0; i < json_array_size(to); i++) {
        const json_t *target = json_array_get(to, i);
        const json_t *types = jx_get(target, "associationTypes");
        struct error ignored = {0};
        struct str id;

        if (jx_id(arena, target, "toObjectId", &id, &ignored) != OK) {
            continue;
        }
        consider(&choice, id, false);
        for (size_t k = 0; k < json_array_size(types); k++) {
            consider(&choice, id,
                     json_integer_value(jx_get(json_array_get(types, k), "typeId")) == 1);
        }
    }
    return chosen(&choice);
}

static void set_company(struct remote_record *record, struct str company)
{
    json_object_set_new(record->props, HS_COMPANY_PROPERTY,
                        company.len ? json_stringn(company.at, company.len) : json_null());
}

enum fail hubspot_read_companies(struct session *session, struct arena *arena,
                                 struct remote_record *records, size_t count, struct error *err)
{
    json_t *inputs = json_array();
    json_t *body = jx_own(arena, json_pack("{s:o}", "inputs", inputs));
    struct hubspot_call call = {
        .method = HTTP_POST,
        .path = hubspot_associations_path(session, arena, "contacts/companies/batch/read"),
        .body = body,
        .is_safe = true};
    struct hubspot_answer answer;
    json_t *results;

    for (size_t i = 0; i < count; i++) {
        if (records[i].state == REMOTE_LIVE) {
            json_array_append_new(inputs, json_pack("{s:s%}", "id", records[i].remote_id.at,
                                                    records[i].remote_id.len));
        }
    }
    if (json_array_size(inputs) == 0) {
        return OK;
    }
    if (hubspot_exec(session, &call, arena, &answer, err) != OK ||
        jx_array(answer.body, "results", &results, err) != OK) {
        return error_wrap(err, "companies of contacts");
    }
    for (size_t i = 0; i < count; i++) {
        if (records[i].state == REMOTE_LIVE) {
            set_company(&records[i], STR("")); /* without an association the row is missing */
        }
    }
    for (size_t r = 0; r < json_array_size(results); r++) {
        const json_t *row = json_array_get(results, r);
        struct str from;

        if (jx_id(arena, jx_get(row, "from"), "id", &from, err) != OK) {
            return error_wrap(err, "companies of contacts");
        }
        for (size_t i = 0; i < count; i++) {
            if (records[i].state == REMOTE_LIVE && str_equal(records[i].remote_id, from)) {
                set_company(&records[i], company_of_row(row, arena));
            }
        }
    }
    return OK;
}

/* --- reading by id ------------------------------------------------------------------------------------------------------------- */

static struct remote_record *find_record(struct remote_page *page, struct str id)
{
    for (size_t i = 0; i < page->count; i++) {
        if (str_equal(page->records[i].remote_id, id)) {
            return &page->records[i];
        }
    }
    return NULL;
}

static void add_record(struct remote_page *page, const struct remote_record *record)
{
    page->records[page->count++] = *record; /* room was made for two per asked id */
}

/* A merged-away id answers with the survivor under another id; a deleted one with 404 (changelog: updated merge functionality). */
static enum fail probe(struct session *session, const struct fetch_request *request, struct str id,
                       struct arena *arena, struct remote_page *page, struct error *err)
{
    AUTO_BUF struct buf path = {0};
    struct hubspot_answer answer;
    struct remote_record record;
    struct hubspot_call call = {.method = HTTP_GET, .is_safe = true};

    buf_init(&path, 64 * 1024);
    buf_addf(&path, "/%" PRI_STR "?properties=" CORRELATION_PROPERTY ",hs_merged_object_ids",
             STR_ARG(http_percent_encode(arena, id)));
    for (size_t i = 0; i < request->properties_count; i++) {
        if (!is_pseudo(request->properties[i])) {
            buf_addf(&path, ",%" PRI_STR, STR_ARG(request->properties[i]));
        }
    }
    call.path = hubspot_objects_path(session, arena, request->kind, path.at);
    if (hubspot_exec(session, &call, arena, &answer, err) != OK) {
        if (err->http_status != 404) {
            return err->code;
        }
        error_reset(err);
        add_record(page, &(const struct remote_record){.remote_id = id, .state = REMOTE_GONE});
        return OK;
    }
    if (hubspot_read_record(answer.body, arena, &record, err) != OK) {
        return err->code;
    }
    if (!str_equal(record.remote_id, id)) {
        add_record(page, &(const struct remote_record){.remote_id = id,
                                                       .state = REMOTE_MERGED,
                                                       .merged_into = record.remote_id});
        if (find_record(page, record.remote_id)) {
            return OK;
        }
    }
    add_record(page, &record);
    return OK;
}

static json_t *ids_input(const struct str *ids, size_t count)
{
    json_t *inputs = json_array();

    for (size_t i = 0; i < count; i++) {
        json_array_append_new(inputs, json_pack("{s:s%}", "id", ids[i].at, ids[i].len));
    }
    return inputs;
}

static enum fail batch_read(struct session *session, const struct fetch_request *request,
                            const struct str *ids, size_t count, const char *id_property,
                            struct arena *arena, struct remote_page *ret, struct error *err)
{
    json_t *properties =
        hubspot_property_list(request->kind, request->properties, request->properties_count);
    json_t *body = jx_own(
        arena, json_pack("{s:o,s:o}", "properties", properties, "inputs", ids_input(ids, count)));
    struct hubspot_call call = {
        .method = HTTP_POST,
        .path = hubspot_objects_path(session, arena, request->kind, "/batch/read"),
        .body = body,
        .is_safe = true};
    struct hubspot_answer answer;

    if (request->with_times) {
        json_object_set(body, "propertiesWithHistory", properties);
    }
    if (id_property) {
        json_object_set_new(body, "idProperty", json_string(id_property));
    }
    if (hubspot_exec(session, &call, arena, &answer, err) != OK ||
        read_results(answer.body, arena, ret, err) != OK) {
        return error_wrap(err, "read %s", hubspot_object(request->kind));
    }
    ret->began_ms = answer.began_ms;
    ret->server_ms = answer.server_ms;
    return OK;
}

/* Ids of one batch that did not come back are looked at one by one. */
static enum fail fetch_batch(struct session *session, const struct fetch_request *request,
                             const struct str *ids, size_t count, struct arena *arena,
                             struct remote_page *page, struct error *err)
{
    struct remote_page part = {0};
    size_t from = page->count;

    if (batch_read(session, request, ids, count, NULL, arena, &part, err) != OK) {
        return err->code;
    }
    page->began_ms =
        page->began_ms && page->began_ms < part.began_ms ? page->began_ms : part.began_ms;
    page->server_ms = part.server_ms;
    for (size_t i = 0; i < part.count; i++) {
        if (!find_record(page, part.records[i].remote_id)) {
            add_record(page, &part.records[i]);
        }
    }
    for (size_t i = 0; i < count; i++) {
        if (!find_record(page, ids[i]) && probe(session, request, ids[i], arena, page, err) != OK) {
            return err->code;
        }
    }
    if (hubspot_wants_company(request->kind, request->properties, request->properties_count)) {
        return hubspot_read_companies(session, arena, page->records + from, page->count - from,
                                      err);
    }
    return OK;
}

enum fail hubspot_fetch_many(struct session *session, const struct fetch_request *request,
                             struct arena *arena, struct remote_page *ret, struct error *err)
{
    size_t batch_max = request->with_times ? HS_HISTORY_MAX : HS_BATCH_MAX;
    struct remote_page page = {.total = -1};

    page.records =
        ARENA_ARRAY(arena, struct remote_record, 2 * request->remote_ids_count + HS_BATCH_MAX + 1);
    for (size_t from = 0; from < request->remote_ids_count; from += batch_max) {
        size_t left = request->remote_ids_count - from;

        if (fetch_batch(session, request, request->remote_ids + from,
                        left < batch_max ? left : batch_max, arena, &page, err) != OK) {
            return err->code;
        }
    }
    page.cursor = STR("");
    *ret = page;
    return OK;
}

/* --- finding ------------------------------------------------------------------------------------------------------------------- */

static enum fail find_by_search(struct session *session, const struct find_request *request,
                                struct str value, struct arena *arena, struct remote_page *ret,
                                struct error *err)
{
    json_t *filter = json_pack("{s:s,s:s,s:s%}", "propertyName", request->property, "operator",
                               "EQ", "value", value.at, value.len);
    json_t *body = jx_own(arena, json_pack("{s:[{s:[o]}],s:o,s:i}", "filterGroups", "filters",
                                           filter, "properties",
                                           hubspot_property_list(request->kind, request->properties,
                                                                 request->properties_count),
                                           "limit", HS_BATCH_MAX));
    struct hubspot_call call = {.method = HTTP_POST,
                                .path =
                                    hubspot_objects_path(session, arena, request->kind, "/search"),
                                .body = body,
                                .is_search = true,
                                .is_safe = true};
    struct hubspot_answer answer;

    if (hubspot_exec(session, &call, arena, &answer, err) != OK ||
        read_results(answer.body, arena, ret, err) != OK) {
        return error_wrap(err, "find %s", hubspot_object(request->kind));
    }
    ret->began_ms = answer.began_ms;
    return OK;
}

/* Search hits are hints (the index lags): each is read by id before it counts. */
static enum fail verify(struct session *session, const struct find_request *request,
                        const struct remote_page *hits, struct arena *arena,
                        struct remote_page *page, struct error *err)
{
    struct str *ids = ARENA_ARRAY(arena, struct str, hits->count + 1);
    struct fetch_request fetch = {.kind = request->kind,
                                  .properties = request->properties,
                                  .properties_count = request->properties_count,
                                  .remote_ids = ids,
                                  .remote_ids_count = hits->count};
    struct remote_page read;

    for (size_t i = 0; i < hits->count; i++) {
        ids[i] = hits->records[i].remote_id;
    }
    if (hits->count == 0) {
        return OK;
    }
    if (hubspot_fetch_many(session, &fetch, arena, &read, err) != OK) {
        return err->code;
    }
    for (size_t i = 0; i < read.count && page->count < 4 * request->values_count + 4; i++) {
        if (read.records[i].state == REMOTE_LIVE) {
            page->records[page->count++] = read.records[i];
        }
    }
    page->began_ms = read.began_ms;
    return OK;
}

enum fail hubspot_find(struct session *session, const struct find_request *request,
                       struct arena *arena, struct remote_page *ret, struct error *err)
{
    struct remote_page page = {.total = -1, .cursor = STR("")};
    struct fetch_request fetch = {.kind = request->kind,
                                  .properties = request->properties,
                                  .properties_count = request->properties_count};

    if (strcmp(request->property, ADAPTER_CORRELATION) == 0) {
        /* Batch read by a unique property reflects a write at once. */
        if (batch_read(session, &fetch, request->values, request->values_count,
                       CORRELATION_PROPERTY, arena, &page, err) != OK) {
            return err->code;
        }
        if (hubspot_wants_company(request->kind, request->properties, request->properties_count) &&
            hubspot_read_companies(session, arena, page.records, page.count, err) != OK) {
            return err->code;
        }
        *ret = page;
        return OK;
    }
    page.records = ARENA_ARRAY(arena, struct remote_record, 4 * request->values_count + 5);
    for (size_t i = 0; i < request->values_count; i++) {
        struct remote_page hits = {0};

        if (find_by_search(session, request, request->values[i], arena, &hits, err) != OK ||
            verify(session, request, &hits, arena, &page, err) != OK) {
            return err->code;
        }
    }
    *ret = page;
    return OK;
}

/* --- listing ------------------------------------------------------------------------------------------------------------------- */

/* A cursor is "a=<after>;s=<begun ms>" (complete), "m=<since ms>" (changed, between runs), "m=…;o=<offset>;u=<until>;k=<tie id>" (inside a scan),
 * "d=<after>;t=<since>;n=<newest>" (deleted). */
static int64_t cursor_number(struct str cursor, char name, int64_t otherwise)
{
    while (cursor.at) {
        struct str part = str_cut(&cursor, ';');
        int64_t number;

        if (part.len > 2 && part.at[0] == name && part.at[1] == '=' &&
            str_to_i64(str_slice(part, 2, part.len), &number)) {
            return number;
        }
    }
    return otherwise;
}

static struct str changed_cursor(struct arena *arena, int64_t since_ms)
{
    return arena_printf(arena, "m=%" PRId64, since_ms > EPOCH_MS ? since_ms : EPOCH_MS);
}

static struct str after_of(const json_t *body)
{
    return jx_text_of(jx_get(jx_get(jx_get(body, "paging"), "next"), "after"));
}

static struct str listing_path(struct session *session, const struct list_request *request,
                               int64_t after, bool archived, struct arena *arena)
{
    AUTO_BUF struct buf path = {0};

    buf_init(&path, URL_BYTES_MAX);
    buf_addf(&path, "?limit=%d&properties=" CORRELATION_PROPERTY ",hs_merged_object_ids",
             HS_PAGE_MAX);
    for (size_t i = 0; i < request->properties_count; i++) {
        if (!is_pseudo(request->properties[i])) {
            buf_addf(&path, ",%" PRI_STR, STR_ARG(request->properties[i]));
        }
    }
    if (hubspot_wants_company(request->kind, request->properties, request->properties_count) &&
        !archived) {
        buf_add(&path, STR("&associations=companies"));
    }
    if (archived) {
        buf_add(&path, STR("&archived=true"));
    }
    if (after) {
        buf_addf(&path, "&after=%" PRId64, after);
    }
    return path.is_full ? STR_NONE : hubspot_objects_path(session, arena, request->kind, path.at);
}

static enum fail list_all(struct session *session, const struct list_request *request,
                          struct arena *arena, struct remote_page *page, struct error *err)
{
    int64_t after = cursor_number(request->cursor, 'a', 0);
    int64_t begun_ms = cursor_number(request->cursor, 's', 0);
    struct hubspot_call call = {.method = HTTP_GET,
                                .path = listing_path(session, request, after, false, arena),
                                .is_safe = true};
    struct hubspot_answer answer;
    json_t *results;
    int64_t next;

    if (!call.path.at) {
        error_set(err, FAIL_CONFIG, "the mapping of %s names too many properties for one listing",
                  hubspot_object(request->kind));
        return error_hint(err, "take properties out of the mapping");
    }
    if (hubspot_exec(session, &call, arena, &answer, err) != OK ||
        read_results(answer.body, arena, page, err) != OK ||
        jx_array(answer.body, "results", &results, err) != OK) {
        return error_wrap(err, "list %s", hubspot_object(request->kind));
    }
    if (hubspot_wants_company(request->kind, request->properties, request->properties_count)) {
        for (size_t i = 0; i < page->count; i++) {
            if (page->records[i].state == REMOTE_LIVE) {
                set_company(&page->records[i], inline_company(json_array_get(results, i), arena));
            }
        }
    }
    page->began_ms = answer.began_ms;
    page->server_ms = answer.server_ms;
    begun_ms = begun_ms ? begun_ms : (answer.server_ms ? answer.server_ms : answer.began_ms);
    page->has_more = str_to_i64(after_of(answer.body), &next);
    page->cursor = page->has_more ? arena_printf(arena, "a=%" PRId64 ";s=%" PRId64, next, begun_ms)
                                  : changed_cursor(arena, begun_ms - OVERLAP_MS);
    return OK;
}

/* Archived objects, all of them each time (the archive cannot be filtered by time); those archived since the cursor count. */
static enum fail list_deleted(struct session *session, const struct list_request *request,
                              struct arena *arena, struct remote_page *page, struct error *err)
{
    int64_t after = cursor_number(request->cursor, 'd', 0);
    int64_t since_ms = cursor_number(request->cursor, 't', 0),
            newest_ms = cursor_number(request->cursor, 'n', since_ms);
    struct hubspot_call call = {.method = HTTP_GET,
                                .path = listing_path(session, request, after, true, arena),
                                .is_safe = true};
    struct hubspot_answer answer;
    json_t *results;
    size_t kept = 0;
    int64_t next;

    if (hubspot_exec(session, &call, arena, &answer, err) != OK ||
        read_results(answer.body, arena, page, err) != OK ||
        jx_array(answer.body, "results", &results, err) != OK) {
        return error_wrap(err, "list archived %s", hubspot_object(request->kind));
    }
    for (size_t i = 0; i < page->count; i++) {
        int64_t archived_ms;

        if (jx_time_ms_or(json_array_get(results, i), "archivedAt", 0, &archived_ms, err) != OK) {
            return error_wrap(err, "archived %s", hubspot_object(request->kind));
        }
        newest_ms = archived_ms > newest_ms ? archived_ms : newest_ms;
        if (archived_ms == 0 || archived_ms >= since_ms - OVERLAP_MS) {
            page->records[i].state = REMOTE_GONE;
            page->records[i].props = NULL;
            page->records[kept++] = page->records[i];
        }
    }
    page->count = kept;
    page->began_ms = answer.began_ms;
    page->has_more = str_to_i64(after_of(answer.body), &next);
    page->cursor = page->has_more ? arena_printf(arena, "d=%" PRId64 ";t=%" PRId64 ";n=%" PRId64,
                                                 next, since_ms, newest_ms)
                                  : arena_printf(arena, "t=%" PRId64, newest_ms);
    return OK;
}

/* Where a scan of changes stands. */
struct scan {
    int64_t since_ms; /* inclusive */
    int64_t until_ms;
    int64_t offset; /* search's own paging */
    int64_t tie_id; /* > 0: draining one millisecond by id */
};

static json_t *search_body(const struct list_request *request, const struct scan *scan)
{
    const char *modified = hubspot_modified_property(request->kind);
    char since[24], until[24], tie[24], after[24];
    json_t *filters;

    snprintf(since, sizeof since, "%" PRId64, scan->since_ms);
    snprintf(until, sizeof until, "%" PRId64, scan->until_ms);
    snprintf(tie, sizeof tie, "%" PRId64, scan->tie_id);
    snprintf(after, sizeof after, "%" PRId64, scan->offset);
    if (scan->tie_id) {
        filters = json_pack("[{s:s,s:s,s:s},{s:s,s:s,s:s}]", "propertyName", modified, "operator",
                            "EQ", "value", since, "propertyName", "hs_object_id", "operator", "GT",
                            "value", tie);
    } else {
        filters = json_pack("[{s:s,s:s,s:s,s:s}]", "propertyName", modified, "operator", "BETWEEN",
                            "value", since, "highValue", until);
    }
    json_t *body =
        json_pack("{s:[{s:o}],s:[{s:s,s:s}],s:[s],s:i}", "filterGroups", "filters", filters,
                  "sorts", "propertyName", scan->tie_id ? "hs_object_id" : modified, "direction",
                  "ASCENDING", "properties", modified, "limit", HS_SEARCH_PAGE_MAX);
    if (scan->offset) {
        json_object_set_new(body, "after", json_string(after));
    }
    return body;
}

static struct str scan_cursor(struct arena *arena, const struct scan *scan)
{
    return arena_printf(arena, "m=%" PRId64 ";u=%" PRId64 ";o=%" PRId64 ";k=%" PRId64,
                        scan->since_ms, scan->until_ms, scan->offset, scan->tie_id);
}

/* The next position. A query ends at 10,000 results: begin again at the newest time seen, and where one millisecond holds them all, go by id. */
static bool advance(struct scan *scan, const struct remote_page *hits, int64_t next_offset)
{
    const struct remote_record *last = hits->count ? &hits->records[hits->count - 1] : NULL;

    if (scan->tie_id) {
        if (hits->count < HS_SEARCH_PAGE_MAX) {
            scan->since_ms++;
            scan->tie_id = 0;
            return true;
        }
        return str_to_i64(last->remote_id, &scan->tie_id);
    }
    if (next_offset < 0 || !last) {
        return false;
    }
    if (next_offset + HS_SEARCH_PAGE_MAX <= HS_SEARCH_RESULTS_MAX) {
        scan->offset = next_offset;
        return true;
    }
    scan->offset = 0;
    if (last->modified_ms > scan->since_ms) {
        scan->since_ms = last->modified_ms;
    } else {
        scan->tie_id = 1;
    }
    return true;
}

static enum fail list_changed(struct session *session, const struct list_request *request,
                              struct arena *arena, struct remote_page *page, struct error *err)
{
    int64_t now_ms = clock_wall_ms(session->env->clock);
    struct scan scan = {.since_ms = cursor_number(request->cursor, 'm', EPOCH_MS),
                        .until_ms = cursor_number(request->cursor, 'u', now_ms + 60 * 1000),
                        .offset = cursor_number(request->cursor, 'o', 0),
                        .tie_id = cursor_number(request->cursor, 'k', 0)};
    struct hubspot_call call = {.method = HTTP_POST,
                                .path =
                                    hubspot_objects_path(session, arena, request->kind, "/search"),
                                .is_search = true,
                                .is_safe = true};
    struct remote_page hits = {0};
    struct hubspot_answer answer;
    int64_t next_offset = -1;
    struct fetch_request fetch = {.kind = request->kind,
                                  .properties = request->properties,
                                  .properties_count = request->properties_count};

    call.body = jx_own(arena, search_body(request, &scan));
    if (hubspot_exec(session, &call, arena, &answer, err) != OK ||
        read_results(answer.body, arena, &hits, err) != OK) {
        return error_wrap(err, "changed %s", hubspot_object(request->kind));
    }
    struct str *ids = ARENA_ARRAY(arena, struct str, hits.count + 1);
    for (size_t i = 0; i < hits.count; i++) {
        ids[i] = hits.records[i].remote_id;
    }
    fetch.remote_ids = ids;
    fetch.remote_ids_count = hits.count;
    if (hits.count && hubspot_fetch_many(session, &fetch, arena, page, err) != OK) {
        return err->code;
    }
    str_to_i64(after_of(answer.body), &next_offset);
    page->began_ms = page->began_ms ? page->began_ms : answer.began_ms;
    page->server_ms = answer.server_ms;
    page->has_more = advance(&scan, &hits, next_offset);
    int64_t seen_ms = answer.server_ms ? answer.server_ms : answer.began_ms;
    /* Nothing behind the end of the window was asked for, however long the scan took. */
    seen_ms = seen_ms < scan.until_ms ? seen_ms : scan.until_ms;
    page->cursor =
        page->has_more ? scan_cursor(arena, &scan) : changed_cursor(arena, seen_ms - OVERLAP_MS);
    return OK;
}

enum fail hubspot_list(struct session *session, const struct list_request *request,
                       struct arena *arena, struct remote_page *ret, struct error *err)
{
    struct remote_page page = {.total = -1, .cursor = STR("")};
    enum fail failed = FAIL_BUG;

    switch (request->mode) {
    case LIST_ALL:
        failed = list_all(session, request, arena, &page, err);
        break;
    case LIST_CHANGED:
        failed = list_changed(session, request, arena, &page, err);
        break;
    case LIST_DELETED:
        failed = list_deleted(session, request, arena, &page, err);
        break;
    }
    if (failed == OK) {
        *ret = page;
    }
    return failed;
}
