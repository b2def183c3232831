/* Pipedrive: finding objects by our key, which is exact and at once, and by what people see,
 * which goes through a search index that lags. */
#include <stdlib.h>

#include "adapters/pipedrive_inside.h"
#include "core/alloc.h"
#include "core/jx.h"
#include "core/unicode.h"

enum { HITS_MAX = 20 };

/* Ids that a search gave, to be read: a value of many hits may fill it, and then the rest is not
 * looked at. */
struct hits {
    struct str ids[PD_IDS_MAX];
    size_t count;
};

static void add_hit(struct hits *hits, struct str id, struct arena *arena)
{
    for (size_t i = 0; i < hits->count; i++) {
        if (str_equal(hits->ids[i], id)) {
            return;
        }
    }
    if (hits->count < PD_IDS_MAX) {
        hits->ids[hits->count++] = arena_str(arena, id);
    }
}

static enum fail read_hits(struct session *session, const struct find_request *request,
                           const struct hits *hits, struct arena *arena, struct remote_page *ret,
                           struct error *err)
{
    struct fetch_request fetch = {.kind = request->kind,
                                  .properties = request->properties,
                                  .properties_count = request->properties_count,
                                  .remote_ids = hits->ids,
                                  .remote_ids_count = hits->count};

    return pipedrive_fetch_many(session, &fetch, arena, ret, err);
}

/* --- by our key ------------------------------------------------------------------------------- */

static bool is_wanted(const struct find_request *request, struct str value)
{
    for (size_t i = 0; i < request->values_count; i++) {
        if (str_equal(request->values[i], value)) {
            return true;
        }
    }
    return false;
}

/* Ids rise with creation. An object that nothing touched since then was created before, and so
 * was every one of a lower id. The time of creation alone does not tell: an import may state
 * any. */
bool pipedrive_is_before(const struct remote_record *record, int64_t since_ms)
{
    int64_t touched_ms =
        record->modified_ms > record->created_ms ? record->modified_ms : record->created_ms;

    return touched_ms > 0 && touched_ms < since_ms - PD_OVERLAP_MS;
}

/* One page, newest first. cursor: "" at the end. */
static enum fail scan_page(struct session *session, const struct find_request *request,
                           const char *code, struct arena *arena, struct str *cursor,
                           struct hits *hits, struct error *err)
{
    AUTO_ARENA struct arena scratch = {0};
    struct pipedrive_answer answer;
    struct remote_page page = {0};
    struct pipedrive_call call = {.method = HTTP_GET, .tokens = PD_COST_LIST, .is_safe = true};
    struct str next;
    bool is_past = false;

    call.path = arena_printf(
        &scratch, "/api/v2/%s?limit=%d&sort_by=id&sort_direction=desc&custom_fields=%s%s%" PRI_STR,
        pipedrive_object(request->kind), PD_PAGE_MAX, code, cursor->len ? "&cursor=" : "",
        STR_ARG(http_percent_encode(&scratch, *cursor)));
    if (pipedrive_exec(session, &call, &scratch, &answer, err) != OK ||
        pipedrive_read_rows(session, request->kind, NULL, 0, &answer, &scratch, &page, err) != OK) {
        return err->code;
    }
    for (size_t i = 0; i < page.count; i++) {
        is_past = is_past || pipedrive_is_before(&page.records[i], request->since_ms);
        if (page.records[i].correlation_key.len &&
            is_wanted(request, page.records[i].correlation_key)) {
            add_hit(hits, page.records[i].remote_id, arena);
        }
    }
    next = pipedrive_next_cursor(&answer);
    if (next.len && str_equal(next, *cursor)) {
        return error_set(err, FAIL_RETRY, "pipedrive gave the same page again");
    }
    *cursor = is_past || next.len == 0 ? STR("") : arena_str(arena, next);
    return OK;
}

static void keep_keys(const struct find_request *request, struct remote_page *page)
{
    size_t kept = 0;

    for (size_t i = 0; i < page->count; i++) {
        if (page->records[i].state == REMOTE_LIVE &&
            is_wanted(request, page->records[i].correlation_key)) {
            page->records[kept++] = page->records[i];
        }
    }
    page->count = kept;
}

/* A plain listing by id, no search and no filter by time, so that a create just made is seen. */
static enum fail find_by_key(struct session *session, const struct find_request *request,
                             struct arena *arena, struct remote_page *ret, struct error *err)
{
    const struct pipedrive_field *key =
        pipedrive_field_named(session, request->kind, STR(CORRELATION_LABEL));
    struct str cursor = STR("");
    struct hits hits = {0};

    if (!key) { /* "not found" would be a lie that makes duplicates */
        return pipedrive_no_key(request->kind, err);
    }
    AUTO_FREE char *code = alloc_dup(key->code); /* the definitions may be read anew meanwhile */
    do {
        if (scan_page(session, request, code, arena, &cursor, &hits, err) != OK) {
            return error_wrap(err, "find %s by our key", pipedrive_object(request->kind));
        }
    } while (cursor.len);
    if (read_hits(session, request, &hits, arena, ret, err) != OK) {
        return err->code;
    }
    keep_keys(request, ret);
    return OK;
}

/* --- by what people see ----------------------------------------------------------------------- */

/* What the search calls a property, NULL for what it does not look at. source: OpenAPI v2, GET
 * /persons/search, /organizations/search */
static const char *search_field(const struct session *session, const struct find_request *request)
{
    static const struct {
        const char *kind, *property, *field;
    } FIELDS[] = {{"contact", "emails", "email"},    {"contact", "phones", "phone"},
                  {"contact", "name", "name"},       {"company", "name", "name"},
                  {"company", "address", "address"}, {"deal", "title", "title"}};

    for (size_t i = 0; i < COUNT_OF(FIELDS); i++) {
        if (strcmp(FIELDS[i].kind, request->kind) == 0 &&
            strcmp(FIELDS[i].property, request->property) == 0) {
            return FIELDS[i].field;
        }
    }
    return pipedrive_custom_code(session, request->kind, str_of(request->property)).len
               ? "custom_fields"
               : NULL;
}

static enum fail search_value(struct session *session, const struct find_request *request,
                              const char *field, struct str value, struct arena *arena,
                              struct hits *hits, struct error *err)
{
    struct pipedrive_answer answer;
    struct pipedrive_call call = {
        .method = HTTP_GET, .tokens = PD_COST_SEARCH, .is_search = true, .is_safe = true};
    json_t *items;

    call.path = arena_printf(
        arena, "/api/v2/%s/search?term=%" PRI_STR "&fields=%s&exact_match=true&limit=%d",
        pipedrive_object(request->kind), STR_ARG(http_percent_encode(arena, value)), field,
        HITS_MAX);
    if (pipedrive_exec(session, &call, arena, &answer, err) != OK ||
        jx_array_or_null(answer.data, "items", &items, err) != OK) {
        return err->code;
    }
    for (size_t i = 0; i < json_array_size(items) && i < HITS_MAX; i++) {
        struct str id;

        if (jx_id(arena, jx_get(json_array_get(items, i), "item"), "id", &id, err) != OK) {
            return err->code;
        }
        add_hit(hits, id, arena);
    }
    return OK;
}

static bool holds(const json_t *property, struct str value, struct arena *arena)
{
    struct str wanted = utf8_fold(arena, value);

    if (json_is_string(property)) {
        return str_equal(utf8_fold(arena, jx_text_of(property)), wanted);
    }
    if (json_is_object(property)) { /* an address */
        return holds(jx_get(property, "value"), value, arena);
    }
    for (size_t i = 0; i < json_array_size(property); i++) {
        const json_t *item = json_array_get(property, i);
        struct str text = jx_text_of(json_is_object(item) ? jx_get(item, "value") : item);

        if (text.len && str_equal(utf8_fold(arena, text), wanted)) {
            return true;
        }
    }
    return false;
}

static void keep_matches(const struct find_request *request, struct arena *arena,
                         struct remote_page *page)
{
    size_t kept = 0;

    for (size_t i = 0; i < page->count; i++) {
        const struct remote_record *record = &page->records[i];
        bool is_match = false;

        for (size_t k = 0; k < request->values_count && record->state == REMOTE_LIVE; k++) {
            is_match = is_match || holds(json_object_get(record->props, request->property),
                                         request->values[k], arena);
        }
        if (is_match) {
            page->records[kept++] = *record;
        }
    }
    page->count = kept;
}

/* The property looked for is read in any case: the index matches loosely, so each hit is
 * compared. */
static struct find_request with_property(const struct find_request *request, struct arena *arena)
{
    struct find_request wider = *request;
    struct str *properties = ARENA_ARRAY(arena, struct str, request->properties_count + 1);

    for (size_t i = 0; i < request->properties_count; i++) {
        properties[i] = request->properties[i];
    }
    properties[wider.properties_count++] = str_of(request->property);
    wider.properties = properties;
    return wider;
}

static enum fail find_by_value(struct session *session, const struct find_request *request,
                               struct arena *arena, struct remote_page *ret, struct error *err)
{
    const char *field = search_field(session, request);
    struct hits hits = {0};

    for (size_t i = 0; field && i < request->values_count; i++) {
        if (str_trim(request->values[i]).len &&
            search_value(session, request, field, request->values[i], arena, &hits, err) != OK) {
            return error_wrap(err, "search %s", pipedrive_object(request->kind));
        }
    }
    if (read_hits(session, request, &hits, arena, ret, err) != OK) {
        return err->code;
    }
    keep_matches(request, arena, ret);
    return OK;
}

enum fail pipedrive_find(struct session *session, const struct find_request *request,
                         struct arena *arena, struct remote_page *ret, struct error *err)
{
    struct find_request wider;

    if (strcmp(request->property, ADAPTER_CORRELATION) == 0 &&
        pipedrive_kind_index(request->kind) == PD_ACTIVITY) {
        return pipedrive_find_alike(session, request, arena, ret, err);
    }
    if (strcmp(request->property, ADAPTER_CORRELATION) == 0) {
        return pipedrive_ready(session, request->kind, request->properties,
                               request->properties_count, err) != OK
                   ? err->code
                   : find_by_key(session, request, arena, ret, err);
    }
    wider = with_property(request, arena);
    if (pipedrive_ready(session, wider.kind, wider.properties, wider.properties_count, err) != OK) {
        return err->code;
    }
    return find_by_value(session, &wider, arena, ret, err);
}
