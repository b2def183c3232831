/* What records are made of. */
#include "api/handlers.h"
#include "api/json.h"

static json_t *json_names(const struct str *names, size_t count)
{
    json_t *list = json_array();

    for (size_t i = 0; i < count; i++) {
        json_array_append_new(list, json_text(names[i]));
    }
    return list;
}

static json_t *json_kind_field(const struct kind_field *field)
{
    return json_pack("{s:o,s:o,s:s,s:o,s:o}", "name", json_text(field->name), "label",
                     json_text(field->label), "type", field_type_name(field->type), "to",
                     field->to.len ? json_text(field->to) : json_null(), "options",
                     json_names(field->options, field->options_count));
}

enum fail handle_kinds(struct api_call *call, struct error *err)
{
    json_t *rows = json_array();

    (void)err;
    for (size_t i = 0; i < call->setup.kinds->count; i++) {
        const struct kind *kind = &call->setup.kinds->at[i];
        json_t *fields = json_array();

        for (size_t k = 0; k < kind->fields_count; k++) {
            json_array_append_new(fields, json_kind_field(&kind->fields[k]));
        }
        json_array_append_new(rows, json_pack("{s:o,s:o,s:o}", "name", json_text(kind->name),
                                              "label", json_text(kind->label), "fields", fields));
    }
    api_page(call, rows, 0);
    return OK;
}
