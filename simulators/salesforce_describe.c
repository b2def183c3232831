/* What an object and its fields are, to this user: a field without permission is not there. Source: SOAP guide, DescribeSObjectResult. */
#include "simulators/salesforce_inside.h"

#include "core/when.h"

/* --- fields ------------------------------------------------------------------------------------ */

static const char *soap_type(enum sf_type type)
{
    switch (type) {
    case SF_ID:
    case SF_REFERENCE:
        return "tns:ID";
    case SF_BOOLEAN:
        return "xsd:boolean";
    case SF_INT:
        return "xsd:int";
    case SF_DOUBLE:
    case SF_CURRENCY:
    case SF_PERCENT:
        return "xsd:double";
    case SF_DATE:
        return "xsd:date";
    case SF_DATETIME:
        return "xsd:dateTime";
    case SF_ADDRESS:
        return "urn:address";
    default:
        return "xsd:string";
    }
}

static void put_named(struct buf *body, const char *name, struct str text)
{
    sim_put_name(body, name);
    sim_put_text(body, text);
}

static void put_options(struct buf *body, const struct sf_field *field)
{
    sim_put(body, ",\"picklistValues\":[");
    for (size_t i = 0; i < field->options_count; i++) {
        const struct sf_option *option = &field->options[i];

        sim_put(body, i ? ",{\"active\":" : "{\"active\":");
        sim_put(body, option->is_active ? "true" : "false");
        sim_put_flag(body, "defaultValue", option->is_default);
        put_named(body, "label", option->label);
        put_named(body, "validFor", STR_NONE);
        put_named(body, "value", option->value);
        sim_put(body, "}");
    }
    sim_put(body, "]");
}

static void put_targets(struct buf *body, const struct sf_field *field)
{
    struct str rest = field->refers_to;
    size_t shown = 0;

    sim_put(body, ",\"referenceTo\":[");
    while (rest.at) {
        sim_put(body, shown++ ? "," : "");
        sim_put_text(body, str_cut(&rest, ','));
    }
    sim_put(body, "]");
}

static bool is_nillable(const struct sf_field *field)
{
    return !(field->flags & (SF_REQUIRED | SF_DEFAULTED | SF_NAME_FIELD)) &&
           field->type != SF_BOOLEAN && field->derived != SF_IS_ID;
}

static void put_number(struct buf *body, const char *name, int number)
{
    sim_put_name(body, name);
    sim_put_i64(body, number);
}

static void put_sizes(struct buf *body, const struct sf_field *field)
{
    bool is_text = field->length && field->type != SF_ADDRESS;

    put_number(body, "length", field->length);
    put_number(body, "byteLength",
               is_text
                   ? field->length * (field->type == SF_REFERENCE || field->type == SF_ID ? 1 : 3)
                   : 0);
    put_number(body, "digits", field->type == SF_INT ? field->precision : 0);
    put_number(body, "precision", field->type == SF_INT ? 0 : field->precision);
    put_number(body, "scale", field->scale);
}

static void put_rights(struct buf *body, const struct sf_field *field)
{
    unsigned flags = field->flags;
    bool is_filterable = !(flags & SF_NO_FILTER);

    sim_put_flag(body, "createable", sf_field_is_createable(field));
    sim_put_flag(body, "updateable", sf_field_is_updateable(field));
    sim_put_flag(body, "nillable", is_nillable(field));
    sim_put_flag(body, "defaultedOnCreate", flags & SF_DEFAULTED);
    sim_put_flag(body, "calculated", flags & SF_CALCULATED);
    sim_put_flag(body, "custom", flags & SF_CUSTOM);
    sim_put_flag(body, "externalId", flags & SF_EXTERNAL_ID);
    sim_put_flag(body, "idLookup", flags & (SF_ID_LOOKUP | SF_EXTERNAL_ID));
    sim_put_flag(body, "unique", flags & SF_UNIQUE);
    sim_put_flag(body, "caseSensitive", flags & SF_CASE_SENSITIVE);
    sim_put_flag(body, "filterable", is_filterable);
    sim_put_flag(body, "sortable", is_filterable);
    sim_put_flag(body, "groupable", is_filterable && !sf_field_is_number(field));
    sim_put_flag(body, "aggregatable", is_filterable && field->type != SF_BOOLEAN);
    sim_put_flag(body, "nameField", flags & SF_NAME_FIELD);
    sim_put_flag(body, "permissionable",
                 is_nillable(field) && !field->derived && field->type != SF_ADDRESS);
}

static void put_field(struct buf *body, const struct sf_field *field)
{
    bool is_choice = field->type == SF_PICKLIST || field->type == SF_MULTIPICKLIST;

    sim_put(body, "{\"name\":");
    sim_put_text(body, field->name);
    put_named(body, "label", field->label);
    put_named(body, "type", str_of(sf_type_name(field->type)));
    put_named(body, "soapType", str_of(soap_type(field->type)));
    put_sizes(body, field);
    put_rights(body, field);
    put_named(body, "compoundFieldName", field->compound);
    put_named(body, "relationshipName", field->relationship);
    put_named(body, "controllerName", STR_NONE);
    put_named(body, "inlineHelpText", STR_NONE);
    sim_put(body, ",\"defaultValue\":");
    sim_put(body, field->type == SF_BOOLEAN ? "false" : "null");
    sim_put_flag(body, "polymorphicForeignKey", field->flags & SF_POLYMORPHIC);
    sim_put_flag(body, "namePointing", field->flags & SF_POLYMORPHIC);
    sim_put_flag(body, "cascadeDelete", field->flags & SF_CASCADES);
    sim_put_flag(body, "restrictedPicklist", is_choice && field->flags & SF_RESTRICTED);
    sim_put_flag(body, "dependentPicklist", false);
    sim_put_flag(body, "autoNumber", false);
    sim_put_flag(body, "htmlFormatted", false);
    sim_put_flag(body, "encrypted", false);
    sim_put_flag(body, "deprecatedAndHidden", false);
    put_targets(body, field);
    put_options(body, field);
    sim_put(body, "}");
}

/* --- objects ----------------------------------------------------------------------------------- */

static void put_urls(struct buf *body, const struct sf_route *route, const struct sf_object *object)
{
    struct str name = object->name;

    buf_addf(body,
             ",\"urls\":{\"sobject\":\"/services/data/v%d.0/sobjects/%" PRI_STR
             "\",\"describe\":\"/services/data/v%d.0/sobjects/%" PRI_STR
             "/describe\",\"rowTemplate\":\"/services/data/v%d.0/sobjects/%" PRI_STR "/{ID}\"}",
             route->version, STR_ARG(name), route->version, STR_ARG(name), route->version,
             STR_ARG(name));
}

static void put_object(struct buf *body, const struct sf_route *route,
                       const struct sf_object *object)
{
    unsigned flags = object->flags;

    sim_put(body, "{\"name\":");
    sim_put_text(body, object->name);
    put_named(body, "label", object->label);
    put_named(body, "labelPlural", object->plural);
    put_named(body, "keyPrefix", str_of(object->prefix));
    sim_put_flag(body, "custom", flags & SF_IS_CUSTOM);
    sim_put_flag(body, "createable", flags & SF_CAN_CREATE);
    sim_put_flag(body, "updateable", flags & SF_CAN_UPDATE);
    sim_put_flag(body, "deletable", flags & SF_CAN_DELETE);
    sim_put_flag(body, "undeletable", flags & SF_CAN_UNDELETE);
    sim_put_flag(body, "mergeable", flags & SF_CAN_MERGE);
    sim_put_flag(body, "replicateable", flags & SF_CAN_REPLICATE);
    sim_put_flag(body, "searchable", flags & SF_CAN_SEARCH);
    sim_put_flag(body, "queryable", true);
    sim_put_flag(body, "retrieveable", true);
    sim_put_flag(body, "triggerable", flags & SF_CAN_CREATE);
    sim_put_flag(body, "deprecatedAndHidden", false);
    sim_put_flag(body, "customSetting", false);
    put_urls(body, route, object);
}

static void put_record_type(struct buf *body, const struct sf_record *record, bool is_master)
{
    char id[SF_ID_BYTES] = "012000000000000AAA";

    if (record) {
        sf_record_id(record, id);
    }
    sim_put(body, "{\"active\":true,\"available\":true");
    sim_put_flag(body, "defaultRecordTypeMapping", is_master);
    sim_put_flag(body, "master", is_master);
    put_named(body, "developerName",
              record ? sf_get_named(record, "DeveloperName") : STR("Master"));
    put_named(body, "name", record ? sf_get_named(record, "Name") : STR("Master"));
    put_named(body, "recordTypeId", str_of(id));
    sim_put(body, "}");
}

static void put_record_types(struct sim_call *call, const struct sf_object *object)
{
    const struct sim_table *table = &sf_of(call)->objects[SF_RECORD_TYPE]->table;

    sim_put(call->body, ",\"recordTypeInfos\":[");
    for (size_t i = 0; i < table->count; i++) {
        const struct sf_record *record = (struct sf_record *)table->at[i];

        if (sf_record_is_live(record) &&
            str_equal(sf_get_named(record, "SobjectType"), object->name)) {
            put_record_type(call->body, record, false);
            sim_put(call->body, ",");
        }
    }
    put_record_type(call->body, NULL, true);
    sim_put(call->body, "]");
}

static void put_child(struct buf *body, const struct sf_field *field, size_t *shown)
{
    buf_addf(body, "%s{\"childSObject\":\"%" PRI_STR "\",\"field\":\"%" PRI_STR "\"",
             (*shown)++ ? "," : "", STR_ARG(field->object->name), STR_ARG(field->name));
    sim_put_flag(body, "cascadeDelete", field->flags & SF_CASCADES);
    sim_put_flag(body, "deprecatedAndHidden", false);
    put_named(body, "relationshipName", sf_child_relationship(field));
    sim_put(body, "}");
}

static void put_children(struct sim_call *call, const struct sf_object *object)
{
    const struct salesforce *sf = sf_of(call);
    size_t shown = 0;

    sim_put(call->body, ",\"childRelationships\":[");
    for (size_t i = 0; i < sf->objects_count; i++) {
        for (size_t j = 0; j < sf->objects[i]->fields_count; j++) {
            const struct sf_field *field = sf->objects[i]->fields[j];

            if (sf_field_is_visible(field) && sf_field_refers_to(field, object)) {
                put_child(call->body, field, &shown);
            }
        }
    }
    sim_put(call->body, "]");
}

/* 304 when nothing changed since. Source: REST guide, get object metadata changes. */
static bool is_unchanged(struct sim_call *call, const struct sf_object *object)
{
    int64_t since_ms;

    return when_parse_http_ms(http_header_get(&call->request->headers, "If-Modified-Since"),
                              &since_ms) &&
           object->described_ms / 1000 <= since_ms / 1000;
}

void sf_describe_serve(struct sim_call *call, const struct sf_route *route,
                       const struct sf_object *object)
{
    char date[WHEN_TEXT_BYTES];
    size_t shown = 0;

    when_format_http(object->described_ms, date);
    sim_header(call, "Last-Modified", arena_str(call->arena, str_of(date)));
    if (is_unchanged(call, object)) {
        sim_reply(call, 304);
        return;
    }
    put_object(call->body, route, object);
    sim_put(call->body, ",\"fields\":[");
    for (size_t i = 0; i < object->fields_count; i++) {
        if (sf_field_is_visible(object->fields[i])) {
            sim_put(call->body, shown++ ? "," : "");
            put_field(call->body, object->fields[i]);
        }
    }
    sim_put(call->body, "]");
    put_record_types(call, object);
    put_children(call, object);
    sim_put(call->body, "}");
    sim_reply(call, 200);
}

void sf_describe_global(struct sim_call *call, const struct sf_route *route)
{
    const struct salesforce *sf = sf_of(call);
    size_t shown = 0;

    sim_put(call->body, "{\"encoding\":\"UTF-8\",\"maxBatchSize\":200,\"sobjects\":[");
    for (size_t i = 0; i < sf->objects_count; i++) {
        if (!(sf->objects[i]->flags & (SF_IS_TOOLING | SF_IS_ABSENT))) {
            sim_put(call->body, shown++ ? "," : "");
            put_object(call->body, route, sf->objects[i]);
            sim_put(call->body, "}");
        }
    }
    sim_put(call->body, "]}");
    sim_reply(call, 200);
}
