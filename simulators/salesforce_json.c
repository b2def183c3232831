/* Records and errors as JSON text. */
#include "simulators/salesforce_inside.h"

#include <stdarg.h>

#include "core/alloc.h"

/* --- errors ------------------------------------------------------------------------------------ */

static void put_names(struct buf *body, struct str names)
{
    size_t shown = 0;

    sim_put(body, "[");
    while (names.at && names.len) {
        sim_put(body, shown++ ? "," : "");
        sim_put_text(body, str_cut(&names, ','));
    }
    sim_put(body, "]");
}

void sf_put_error(struct buf *body, const struct sf_error *err, const char *name)
{
    sim_put(body, "{");
    buf_add(body, err->extra);
    sim_put(body, "\"message\":");
    sim_put_text(body, err->message);
    buf_addf(body, ",\"%s\":\"%s\"", name, err->code);
    if (err->has_fields) {
        sim_put(body, ",\"fields\":");
        put_names(body, err->fields);
    }
    sim_put(body, "}");
}

void sf_fail(struct sim_call *call, const struct sf_error *err)
{
    sim_restart(call);
    sim_put(call->body, "[");
    sf_put_error(call->body, err, "errorCode");
    sim_put(call->body, "]");
    sim_reply(call, err->status);
}

void sf_failf(struct sim_call *call, int status, const char *code, const char *format, ...)
{
    struct sf_error err = {.status = status, .code = code};
    AUTO_FREE char *text = NULL;
    va_list arguments;

    va_start(arguments, format);
    if (vasprintf(&text, format, arguments) < 0) {
        abort();
    }
    va_end(arguments);
    err.message = str_of(text);
    sf_fail(call, &err);
}

void sf_not_found(struct sim_call *call)
{
    sf_failf(call, 404, "NOT_FOUND", "The requested resource does not exist");
}

void sf_no_method(struct sim_call *call, const char *allowed)
{
    sf_failf(call, 405, "METHOD_NOT_ALLOWED", "HTTP Method '%s' not allowed. Allowed are %s",
             http_method_name(call->request->method), allowed);
}

bool sf_body(struct sim_call *call, json_t **ret)
{
    if (sim_json(call, ret) && json_is_object(*ret)) {
        return true;
    }
    sf_failf(call, 400, "JSON_PARSER_ERROR",
             call->request->body.len ? "The HTTP entity body is not a JSON object"
                                     : "The HTTP entity body is required, but this request has no "
                                       "entity body.");
    return false;
}

/* --- results ----------------------------------------------------------------------------------- */

void sf_put_result(struct buf *body, const struct sf_record *record, int created,
                   const struct sf_error *err)
{
    char id[SF_ID_BYTES];

    sim_put(body, "{");
    if (record) {
        sf_record_id(record, id);
        buf_addf(body, "\"id\":\"%s\",", id);
    }
    buf_addf(body, "\"success\":%s,\"errors\":[", err ? "false" : "true");
    if (err) {
        struct sf_error shown = *err;

        shown.has_fields = true;
        shown.extra = STR_NONE; /* collections tell the code and the message only */
        sf_put_error(body, &shown, "statusCode");
    }
    sim_put(body, "]");
    if (created >= 0) {
        buf_addf(body, ",\"created\":%s", created ? "true" : "false");
    }
    sim_put(body, "}");
}

/* --- records ----------------------------------------------------------------------------------- */

void sf_put_attributes(struct buf *body, int version, const struct sf_record *record)
{
    struct str name = record->object->name;
    char id[SF_ID_BYTES];

    sf_record_id(record, id);
    sim_put(body, "\"attributes\":{\"type\":\"");
    buf_add(body, name);
    sim_put(body, "\",\"url\":\"/services/data/v");
    sim_put_i64(body, version);
    sim_put(body, ".0/sobjects/");
    buf_add(body, name);
    sim_put(body, "/");
    sim_put(body, id);
    sim_put(body, "\"}");
}

static void put_member(struct buf *body, const struct sf_field *field,
                       const struct sf_record *record)
{
    sim_put(body, ",\"");
    buf_add(body, field->name);
    sim_put(body, "\":");
    sf_put_value(body, field, record);
}

void sf_put_record(struct buf *body, int version, const struct sf_record *record,
                   struct sf_field *const *fields, size_t count)
{
    const struct sf_object *object = record->object;

    sim_put(body, "{");
    sf_put_attributes(body, version, record);
    for (size_t i = 0; i < (fields ? count : object->fields_count); i++) {
        const struct sf_field *field = fields ? fields[i] : object->fields[i];

        if (fields || sf_field_is_visible(field)) {
            put_member(body, field, record);
        }
    }
    sim_put(body, "}");
}
