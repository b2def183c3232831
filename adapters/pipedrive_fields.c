/* Pipedrive's field definitions: custom fields have random 40-character keys that differ in every company, so they are found by name. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "adapters/pipedrive_inside.h"
#include "core/alloc.h"
#include "core/jx.h"

static const char *const FIELD_PATHS[PD_KINDS] = {
    "personFields", "organizationFields"}; /* in the order of the adapter's objects */

static void free_kind(struct pipedrive_fields *fields)
{
    for (size_t i = 0; i < fields->count; i++) {
        free(fields->at[i].code);
        free(fields->at[i].name);
        free(fields->at[i].type);
    }
    free(fields->at);
    *fields = (struct pipedrive_fields){0};
}

void pipedrive_free_fields(struct session *session)
{
    for (int i = 0; i < PD_KINDS; i++) {
        free_kind(&session->fields[i]);
    }
}

static enum fail add_field(struct pipedrive_fields *fields, const json_t *item, struct error *err)
{
    struct str code, name, type;
    bool is_custom;

    if (jx_str(item, "field_code", &code, err) != OK ||
        jx_str(item, "field_name", &name, err) != OK ||
        jx_str_or(item, "field_type", STR(""), &type, err) != OK ||
        jx_bool_or(item, "is_custom_field", code.len == 40, &is_custom, err) != OK) {
        return err->code;
    }
    fields->at = alloc_resize(fields->at, fields->count + 1, sizeof *fields->at);
    fields->at[fields->count++] =
        (struct pipedrive_field){.code = alloc_printf("%" PRI_STR, STR_ARG(code)),
                                 .name = alloc_printf("%" PRI_STR, STR_ARG(name)),
                                 .type = alloc_printf("%" PRI_STR, STR_ARG(type)),
                                 .is_custom = is_custom};
    return OK;
}

/* One page; ret_cursor is "" at the end. */
static enum fail load_page(struct session *session, int kind, struct arena *arena,
                           struct str *cursor, struct error *err)
{
    struct pipedrive_answer answer;
    struct pipedrive_call call = {.method = HTTP_GET, .tokens = PD_COST_LIST, .is_safe = true};
    struct str next;
    json_t *more;

    call.path =
        arena_printf(arena, "/api/v2/%s?limit=%d%s%" PRI_STR, FIELD_PATHS[kind], PD_PAGE_MAX,
                     cursor->len ? "&cursor=" : "", STR_ARG(http_percent_encode(arena, *cursor)));
    if (pipedrive_exec(session, &call, arena, &answer, err) != OK) {
        return err->code;
    }
    for (size_t i = 0; i < json_array_size(answer.data); i++) {
        if (add_field(&session->fields[kind], json_array_get(answer.data, i), err) != OK) {
            return err->code;
        }
    }
    if (jx_object_or_null(answer.body, "additional_data", &more, err) != OK) {
        return err->code;
    }
    next = jx_text_of(jx_get(more, "next_cursor"));
    *cursor = next.at ? next : STR("");
    return OK;
}

enum fail pipedrive_load_fields(struct session *session, const char *kind, bool reload,
                                struct error *err)
{
    AUTO_ARENA struct arena arena = {0};
    int index = pipedrive_kind_index(kind);
    struct str cursor = STR("");

    if (session->fields[index].is_loaded && !reload) {
        return OK;
    }
    free_kind(&session->fields[index]);
    do {
        if (load_page(session, index, &arena, &cursor, err) != OK) {
            free_kind(&session->fields[index]);
            return error_wrap(err, "fields of %s", pipedrive_object(kind));
        }
    } while (cursor.len);
    session->fields[index].is_loaded = true;
    return OK;
}

const struct pipedrive_field *pipedrive_field_named(const struct session *session, const char *kind,
                                                    struct str name)
{
    const struct pipedrive_fields *fields = &session->fields[pipedrive_kind_index(kind)];

    for (size_t i = 0; i < fields->count; i++) {
        if (fields->at[i].is_custom && str_equal(str_of(fields->at[i].name), name)) {
            return &fields->at[i];
        }
    }
    return NULL;
}

const char *pipedrive_custom_code(const struct session *session, const char *kind,
                                  struct str property)
{
    struct str prefix = STR("custom:");
    const struct pipedrive_field *field;

    if (!str_starts(property, prefix)) {
        return NULL;
    }
    field = pipedrive_field_named(session, kind, str_slice(property, prefix.len, property.len));
    return field ? field->code : NULL;
}

enum fail pipedrive_describe(struct session *session, const char *kind, struct arena *arena,
                             struct remote_schema *ret, struct error *err)
{
    /* source: read-only members of the v2 documents. */
    static const char *const READ_ONLY[] = {"id",         "add_time",   "update_time",
                                            "is_deleted", "picture_id", "creator_user_id"};
    const struct pipedrive_fields *fields;
    struct remote_property *properties;

    if (pipedrive_load_fields(session, kind, true, err) != OK) {
        return err->code;
    }
    fields = &session->fields[pipedrive_kind_index(kind)];
    properties = ARENA_ARRAY(arena, struct remote_property, fields->count + 1);
    for (size_t i = 0; i < fields->count; i++) {
        const struct pipedrive_field *field = &fields->at[i];

        properties[i] = (struct remote_property){.label = arena_str(arena, str_of(field->name)),
                                                 .type = arena_str(arena, str_of(field->type)),
                                                 .is_writable = true,
                                                 .is_custom = field->is_custom};
        properties[i].name = field->is_custom ? arena_printf(arena, "custom:%s", field->name)
                                              : arena_str(arena, str_of(field->code));
        for (size_t k = 0; k < COUNT_OF(READ_ONLY); k++) {
            properties[i].is_writable =
                properties[i].is_writable && strcmp(field->code, READ_ONLY[k]) != 0;
        }
    }
    *ret = (struct remote_schema){.properties = properties, .count = fields->count};
    return OK;
}

static enum fail create_field(struct session *session, const char *kind, struct error *err)
{
    AUTO_ARENA struct arena arena = {0};
    json_t *body = jx_own(
        &arena, json_pack("{s:s,s:s}", "field_name", CORRELATION_LABEL, "field_type", "varchar"));
    struct pipedrive_call call = {
        .method = HTTP_POST,
        .path = arena_printf(&arena, "/api/v2/%s", FIELD_PATHS[pipedrive_kind_index(kind)]),
        .body = body,
        .tokens = PD_COST_WRITE};
    struct pipedrive_answer answer;

    return pipedrive_exec(session, &call, &arena, &answer, err);
}

enum fail pipedrive_ensure_setup(struct session *session, const struct setup_request *request,
                                 struct setup_report *ret, struct error *err)
{
    for (size_t i = 0; i < request->kinds_count; i++) {
        const char *kind = request->kinds[i];

        if (!adapter_object_of(&adapter_pipedrive, kind)) {
            continue;
        }
        if (pipedrive_load_fields(session, kind, true, err) != OK) {
            return err->code;
        }
        if (pipedrive_field_named(session, kind, STR(CORRELATION_LABEL))) {
            ret->present++;
            continue;
        }
        /* A lost answer must not make a second field of that name: the fields are read again first. */
        if (create_field(session, kind, err) != OK && !err->is_outcome_unknown) {
            return error_wrap(err, "create field '" CORRELATION_LABEL "' of %s",
                              pipedrive_object(kind));
        }
        if (pipedrive_load_fields(session, kind, true, err) != OK) {
            return err->code;
        }
        if (!pipedrive_field_named(session, kind, STR(CORRELATION_LABEL))) {
            return error_set(err, FAIL_RETRY,
                             "field '" CORRELATION_LABEL "' of %s is not there yet",
                             pipedrive_object(kind));
        }
        error_reset(err);
        ret->created++;
    }
    return OK;
}
