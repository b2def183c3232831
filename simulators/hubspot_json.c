#include "simulators/hubspot_inside.h"

#include <stdarg.h>

#include "core/jx.h"
#include "core/when.h"

/* --- correlation ----------------------------------------------------------------------------------- */

const char *hs_correlation_id(struct sim_call *call)
{
    uint64_t high = random_u64(call->sim->random), low = random_u64(call->sim->random);

    return arena_printf(call->arena, "%08x-%04x-4%03x-%04x-%012llx", (unsigned)(high >> 32),
                        (unsigned)(high >> 16) & 0xffff, (unsigned)high & 0xfff,
                        0x8000 | ((unsigned)(low >> 48) & 0x3fff),
                        (unsigned long long)(low & 0xffffffffffff))
        .at;
}

/* --- errors ---------------------------------------------------------------------------------------- */

static void put_member(struct buf *body, const char *name, struct str text)
{
    sim_put_name(body, name);
    sim_put_text(body, text);
}

static void put_raw_member(struct buf *body, const char *name, struct str json)
{
    if (json.at) {
        sim_put_name(body, name);
        buf_add(body, json);
    }
}

void hs_fail(struct sim_call *call, const struct hs_error *error)
{
    struct buf *body = call->body;
    struct str correlation = str_of(hs_correlation_id(call));

    sim_restart(call);
    sim_put(body, "{\"status\":\"error\"");
    put_member(body, "message", error->message);
    put_member(body, "correlationId", correlation);
    put_raw_member(body, "context", error->context);
    put_raw_member(body, "errors", error->errors);
    if (error->category) {
        put_member(body, "category", str_of(error->category));
    }
    if (error->sub_category) {
        put_member(body, "subCategory", str_of(error->sub_category));
    }
    sim_put(body, "}");
    sim_header(call, "X-HubSpot-Correlation-Id", correlation);
    sim_reply(call, error->status);
}

void hs_failf(struct sim_call *call, int status, const char *category, const char *format, ...)
{
    AUTO_BUF struct buf text;
    char *message = NULL;
    va_list arguments;

    va_start(arguments, format);
    if (vasprintf(&message, format, arguments) < 0) {
        abort();
    }
    va_end(arguments);
    buf_init(&text, HS_TEXT_BYTES_MAX);
    buf_add(&text, str_of(message));
    free(message);
    hs_fail(call,
            &(struct hs_error){.status = status, .category = category, .message = buf_str(&text)});
}

void hs_not_found(struct sim_call *call, struct str id)
{
    AUTO_BUF struct buf context;

    buf_init(&context, HS_TEXT_BYTES_MAX);
    sim_put(&context, "{\"id\":[");
    sim_put_text(&context, id);
    sim_put(&context, "]}");
    hs_fail(call,
            &(struct hs_error){.status = 404,
                               .category = "OBJECT_NOT_FOUND",
                               .message = STR("Object not found.  objectId are usually numeric."),
                               .context = buf_str(&context)});
}

void hs_no_resource(struct sim_call *call)
{
    hs_failf(call, 404, NULL, "resource not found");
}

void hs_unknown_type(struct sim_call *call, struct str type)
{
    hs_failf(call, 400, NULL, "Unable to infer object type from: %" PRI_STR, STR_ARG(type));
}

/* The list that HubSpot embeds as text in the message. */
static void put_problem_text(struct buf *text, const struct hs_problem *problem)
{
    sim_put(text, "{\"isValid\":false,\"message\":");
    sim_put_text(text, problem->message);
    put_member(text, "error", str_of(problem->code));
    put_member(text, "name", problem->property);
    put_member(text, "localizedErrorMessage", problem->message);
    buf_addf(text, ",\"portalId\":%d}", HS_PORTAL_ID);
}

static void put_problem_row(struct buf *rows, const struct hs_problem *problem)
{
    sim_put(rows, "{\"message\":");
    sim_put_text(rows, problem->message);
    put_member(rows, "code", str_of(problem->code));
    sim_put(rows, ",\"context\":{\"propertyName\":[");
    sim_put_text(rows, problem->property);
    sim_put(rows, "]}}");
}

struct hs_error hs_error_invalid(struct sim_call *call, const struct hs_write *write)
{
    AUTO_BUF struct buf text;
    AUTO_BUF struct buf rows;
    struct hs_error error = {.status = 400, .category = "VALIDATION_ERROR"};

    buf_init(&text, 16 * HS_TEXT_BYTES_MAX);
    buf_init(&rows, 16 * HS_TEXT_BYTES_MAX);
    sim_put(&text, "Property values were not valid: [");
    sim_put(&rows, "[");
    for (size_t i = 0; i < write->problems_count; i++) {
        sim_put(&text, i ? "," : "");
        sim_put(&rows, i ? "," : "");
        put_problem_text(&text, &write->problems[i]);
        put_problem_row(&rows, &write->problems[i]);
    }
    sim_put(&text, "]");
    sim_put(&rows, "]");
    error.message = arena_str(call->arena, buf_str(&text));
    error.errors = arena_str(call->arena, buf_str(&rows));
    return error;
}

struct hs_error hs_error_exists(struct sim_call *call, const struct hs_kind *kind, int64_t id)
{
    return (struct hs_error){
        .status = 409,
        .category = "CONFLICT",
        .message = arena_printf(call->arena, "%s already exists. Existing ID: %lld",
                                kind->spec->title, (long long)id),
        .context = arena_printf(call->arena, "{\"existingId\":[\"%lld\"]}", (long long)id)};
}

struct hs_error hs_error_missing(struct sim_call *call, const struct hs_kind *kind,
                                 const struct str *ids, size_t ids_count)
{
    AUTO_BUF struct buf context;

    buf_init(&context, 16 * HS_TEXT_BYTES_MAX);
    sim_put(&context, "{\"ids\":[");
    for (size_t i = 0; i < ids_count; i++) {
        sim_put(&context, i ? "," : "");
        sim_put_text(&context, ids[i]);
    }
    sim_put(&context, "]}");
    return (struct hs_error){
        .status = 404,
        .category = "OBJECT_NOT_FOUND",
        .message = arena_printf(call->arena,
                                "Could not get some %s objects, they may be deleted or not exist. "
                                "Check that ids are valid.",
                                kind->spec->upper),
        .context = arena_str(call->arena, buf_str(&context))};
}

/* The members of a context object without its closing brace, so that another one can follow. */
static void put_context(struct buf *body, struct str context, struct str trace)
{
    if (!context.at && !trace.at) {
        return;
    }
    sim_put(body, ",\"context\":{");
    if (trace.at) {
        sim_put(body, "\"objectWriteTraceId\":[");
        sim_put_text(body, trace);
        sim_put(body, "]");
    }
    if (context.at) {
        sim_put(body, trace.at ? "," : "");
        buf_add(body, str_slice(context, 1, context.len - 1));
    }
    sim_put(body, "}");
}

void hs_put_error_row(struct sim_call *call, const struct hs_error *error, struct str trace)
{
    struct buf *body = call->body;

    sim_put(body, "{\"status\":\"error\"");
    if (error->category) {
        put_member(body, "category", str_of(error->category));
    }
    if (error->sub_category) {
        put_member(body, "subCategory", str_of(error->sub_category));
    }
    put_member(body, "message", error->message);
    put_context(body, error->context, trace);
    put_raw_member(body, "errors", error->errors);
    sim_put(body, "}");
}

/* --- which properties ------------------------------------------------------------------------------ */

static void index_add(size_t *list, size_t *count, long index)
{
    for (size_t i = 0; i < *count; i++) {
        if (list[i] == (size_t)index) {
            return;
        }
    }
    if (index >= 0) {
        list[(*count)++] = (size_t)index;
    }
}

size_t *hs_property_list(struct sim_call *call, struct hs_kind *kind, struct str names,
                         size_t *ret_count)
{
    size_t *list = ARENA_ARRAY(call->arena, size_t, kind->properties_count + 3);

    *ret_count = 0;
    while (names.len) {
        index_add(list, ret_count, hs_property_find(kind, str_trim(str_cut(&names, ','))));
    }
    return list;
}

size_t *hs_property_list_json(struct sim_call *call, struct hs_kind *kind, const json_t *names,
                              size_t *ret_count)
{
    size_t *list = ARENA_ARRAY(call->arena, size_t, kind->properties_count + 3);
    size_t index;
    json_t *name;

    *ret_count = 0;
    json_array_foreach(names, index, name)
    {
        index_add(list, ret_count, hs_property_find(kind, jx_text_of(name)));
    }
    return list;
}

/* These come back whatever was asked for. */
static void view_add_common(const struct hs_kind *kind, struct hs_view *view)
{
    index_add(view->properties, &view->properties_count, (long)kind->created_index);
    index_add(view->properties, &view->properties_count, (long)kind->id_index);
    index_add(view->properties, &view->properties_count, (long)kind->modified_index);
}

static void view_add_defaults(const struct hs_kind *kind, struct hs_view *view)
{
    for (const char *const *name = kind->spec->defaults; *name; name++) {
        index_add(view->properties, &view->properties_count, hs_property_find(kind, str_of(*name)));
    }
}

void hs_view_init(struct sim_call *call, struct hs_kind *kind, struct str names,
                  struct hs_view *ret)
{
    *ret = (struct hs_view){.as_of_ms = INT64_MAX};
    ret->properties = hs_property_list(call, kind, names, &ret->properties_count);
    if (!names.len) {
        view_add_defaults(kind, ret);
    }
    view_add_common(kind, ret);
}

void hs_view_json(struct sim_call *call, struct hs_kind *kind, const json_t *names,
                  struct hs_view *ret)
{
    *ret = (struct hs_view){.as_of_ms = INT64_MAX};
    ret->properties = hs_property_list_json(call, kind, names, &ret->properties_count);
    if (json_array_size(names) == 0) {
        view_add_defaults(kind, ret);
    }
    view_add_common(kind, ret);
}

void hs_view_written(struct sim_call *call, struct hs_kind *kind, const struct hs_write *write,
                     struct hs_view *ret)
{
    size_t first = kind->source_index;

    hs_view_init(call, kind, STR_NONE, ret);
    for (size_t i = 0; i < write->settings_count; i++) {
        index_add(ret->properties, &ret->properties_count, (long)write->settings[i].property);
    }
    for (size_t i = first; i < first + 3; i++) {
        index_add(ret->properties, &ret->properties_count, (long)i);
    }
}

/* --- records --------------------------------------------------------------------------------------- */

/* Names and most values need no escaping; that is known when they are stored. */
static void put_plain(struct buf *body, struct str text)
{
    buf_add_char(body, '"');
    buf_add(body, text);
    buf_add_char(body, '"');
}

/* A record's two times, quoted; each is shown twice and making text of a time is what a page costs most. */
struct shown {
    const struct hs_view *view;
    struct str created, modified;
};

static struct str quoted_time(int64_t ms, char text[HS_SCRATCH_BYTES + 2])
{
    size_t len;

    when_format_ms(ms, text + 1);
    len = strlen(text + 1);
    text[0] = text[len + 1] = '"';
    return (struct str){text, len + 2};
}

static void put_stored(struct buf *body, const struct hs_record *record, size_t property,
                       int64_t as_of_ms)
{
    const struct hs_version *version = hs_version_at(record, property, as_of_ms);

    if (!version) {
        buf_add(body, STR("null"));
    } else if (version->is_plain) {
        put_plain(body, (struct str){version->text, version->len});
    } else {
        sim_put_text(body, (struct str){version->text, version->len});
    }
}

static void put_value(struct buf *body, const struct hs_kind *kind, const struct hs_record *record,
                      size_t property, const struct shown *shown)
{
    char scratch[HS_SCRATCH_BYTES];

    switch (kind->properties[property].derived) {
    case HS_STORED:
        put_stored(body, record, property, shown->view->as_of_ms);
        break;
    case HS_IS_CREATED:
        buf_add(body, shown->created);
        break;
    case HS_IS_MODIFIED:
        buf_add(body, shown->modified);
        break;
    case HS_IS_ID:
    case HS_IS_CONTACT_COUNT:
    case HS_IS_PRIMARY_COMPANY:
        sim_put_text(body, hs_value(kind, record, property, scratch));
        break;
    }
}

static void put_properties(struct buf *body, const struct hs_kind *kind,
                           const struct hs_record *record, const struct shown *shown)
{
    const struct hs_view *view = shown->view;

    buf_add(body, STR(",\"properties\":{"));
    for (size_t i = 0; i < view->properties_count; i++) {
        size_t property = view->properties[i];

        if (i) {
            buf_add_char(body, ',');
        }
        put_plain(body, kind->properties[property].name);
        buf_add_char(body, ':');
        put_value(body, kind, record, property, shown);
    }
    buf_add_char(body, '}');
}

static void put_version(struct buf *body, const struct hs_version *version)
{
    buf_add(body, STR("{\"value\":"));
    sim_put_text(body, (struct str){version->text, version->len});
    buf_add(body, STR(",\"timestamp\":"));
    sim_put_time(body, version->at_ms);
    put_member(body, "sourceType", str_of(version->source->type));
    put_member(body, "sourceId", str_of(version->source->id));
    if (version->source->user_id) {
        buf_add(body, STR(",\"updatedByUserId\":"));
        sim_put_i64(body, version->source->user_id);
    }
    buf_add_char(body, '}');
}

/* Newest first. */
static void put_history(struct buf *body, const struct hs_kind *kind,
                        const struct hs_record *record, const struct hs_view *view)
{
    buf_add(body, STR(",\"propertiesWithHistory\":{"));
    for (size_t i = 0; i < view->history_count; i++) {
        const struct hs_version *version = hs_version_at(record, view->history[i], INT64_MAX);

        buf_add(body, i ? STR(",") : STR(""));
        put_plain(body, kind->properties[view->history[i]].name);
        buf_add(body, STR(":["));
        for (bool is_first = true; version; version = version->older, is_first = false) {
            buf_add(body, is_first ? STR("") : STR(","));
            put_version(body, version);
        }
        buf_add_char(body, ']');
    }
    buf_add_char(body, '}');
}

/* The plain types of the pairs that have a primary type beside it. */
static bool type_is_named_unlabeled(uint16_t type)
{
    return type == 279 || type == 280 || (type >= 339 && type <= 342);
}

/* "contact_to_company" and "contact_to_company_unlabeled" repeat the same id. */
static void put_link_rows(struct buf *body, const struct hs_kind *kind, const struct hs_link *link,
                          bool *is_first)
{
    for (size_t i = 0; i < link->types_count; i++) {
        buf_add(body, *is_first ? STR("{\"id\":\"") : STR(",{\"id\":\""));
        sim_put_i64(body, link->to_id);
        buf_add(body, STR("\",\"type\":\""));
        buf_add(body, str_of(kind->spec->singular));
        buf_add(body, STR("_to_"));
        buf_add(body, str_of(link->kind->spec->singular));
        buf_add(body, type_is_named_unlabeled(link->types[i]) ? STR("_unlabeled\"}") : STR("\"}"));
        *is_first = false;
    }
}

static void put_links(struct buf *body, const struct hs_kind *kind, const struct hs_record *record,
                      const struct hs_kind *to_kind, bool *is_first_kind)
{
    enum { INLINE_MAX = 100 };
    bool is_first = true;
    int count = 0;

    for (size_t i = 0; i < record->links_count; i++) {
        const struct hs_link *link = &record->links[i];
        const struct hs_record *other =
            link->kind == to_kind ? hs_record_by_id(to_kind, link->to_id) : NULL;

        if (!other || !hs_record_is_live(other)) {
            continue;
        }
        if (is_first) {
            buf_add(body, *is_first_kind ? STR("") : STR(","));
            put_plain(body,
                      str_of(to_kind->custom ? to_kind->spec->singular : to_kind->spec->plural));
            buf_add(body, STR(":{\"results\":["));
        }
        if (++count > INLINE_MAX) {
            buf_addf(body,
                     "],\"paging\":{\"next\":{\"after\":\"%lld\",\"link\":\"https://api.hubapi.com/"
                     "crm/v3/"
                     "objects/%s/%lld/associations/%s?after=%lld\"}}}",
                     (long long)link->to_id, kind->spec->type_id, (long long)record->base.id,
                     to_kind->spec->type_id, (long long)link->to_id);
            *is_first_kind = false;
            return;
        }
        put_link_rows(body, kind, link, &is_first);
    }
    if (!is_first) {
        buf_add(body, STR("]}"));
        *is_first_kind = false;
    }
}

static void put_all_links(struct buf *body, const struct hs_kind *kind,
                          const struct hs_record *record, const struct hs_view *view)
{
    bool is_first_kind = true;
    size_t before = body->len;
    size_t opened;

    buf_add(body, STR(",\"associations\":{"));
    opened = body->len;
    for (size_t i = 0; i < view->linked_count; i++) {
        put_links(body, kind, record, view->linked[i], &is_first_kind);
    }
    if (body->len == opened) {
        body->len = before; /* the member is left out when there is nothing to show */
        return;
    }
    buf_add_char(body, '}');
}

void hs_put_record(struct sim_call *call, struct hs_kind *kind, const struct hs_record *record,
                   const struct hs_view *view, struct str extra)
{
    struct buf *body = call->body;
    char created[HS_SCRATCH_BYTES + 2], modified[HS_SCRATCH_BYTES + 2];
    struct shown shown = {.view = view,
                          .created = quoted_time(record->base.created_ms, created),
                          .modified =
                              quoted_time(hs_modified_at(record, view->as_of_ms), modified)};

    buf_add(body, STR("{\"id\":\""));
    sim_put_i64(body, record->base.id);
    buf_add_char(body, '"');
    put_properties(body, kind, record, &shown);
    if (view->history_count) {
        put_history(body, kind, record, view);
    }
    buf_add(body, STR(",\"createdAt\":"));
    buf_add(body, shown.created);
    buf_add(body, STR(",\"updatedAt\":"));
    buf_add(body, shown.modified);
    if (record->base.archived_ms && record->base.archived_ms <= view->as_of_ms) {
        buf_add(body, STR(",\"archived\":true,\"archivedAt\":"));
        sim_put_time(body, record->base.archived_ms);
    } else {
        buf_add(body,
                STR(",\"archived\":false,\"url\":\"https://app.hubspot.com/contacts/4242/record/"));
        buf_add(body, str_of(kind->spec->type_id));
        buf_add_char(body, '/');
        sim_put_i64(body, record->base.id);
        buf_add_char(body, '"');
    }
    if (view->linked_count) {
        put_all_links(body, kind, record, view);
    }
    buf_add(body, extra);
    buf_add_char(body, '}');
}
