/* /composite/sobjects: up to 200 records in one call, each with its own result in the order of the request. Source: REST guide, sObject
 * Collections and its pages; limits' texts as the SOAP API words them. */
#include "simulators/salesforce_inside.h"

#include "core/alloc.h"
#include "core/jx.h"

enum { RECORDS_MAX = 200, CHUNKS_MAX = 10, RETRIEVE_MAX = 2000, FIELDS_MAX = 800 };

enum operation { CREATE, UPDATE, UPSERT, DELETE };

/* What became of one record. */
struct outcome {
    struct sf_record *record;
    bool is_refused, was_created;
    struct sf_error err;
};

struct collection {
    struct sim_call *call;
    enum operation operation;
    struct sf_unit unit;
    struct sf_object *object; /* of an upsert */
    struct str key;           /* likewise: the field's name */
    struct outcome *outcomes;
    size_t count;
    bool all_or_none;
};

/* --- one record -------------------------------------------------------------------------------- */

static struct str type_of(const json_t *record)
{
    return jx_text_of(jx_get(jx_get(record, "attributes"), "type"));
}

static bool object_of(struct collection *collection, const json_t *record, struct sf_object **ret,
                      struct sf_error *err)
{
    struct str type = type_of(record);

    if (!type.at) {
        return sf_refuse(err, 400, "INVALID_FIELD",
                         STR("attributes.type has to name the object of each record"));
    }
    *ret = sf_object_find(collection->unit.sf, type);
    if (*ret && !((*ret)->flags & SF_IS_TOOLING)) {
        return true;
    }
    return sf_refuse(err, 400, "INVALID_TYPE",
                     arena_printf(collection->unit.arena,
                                  "sObject type '%" PRI_STR "' is not supported.", STR_ARG(type)));
}

static json_t *member_nocase(const json_t *record, struct str wanted, const char **ret_name)
{
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)record, name, value)
    {
        if (str_equal_nocase(str_of(name), wanted)) {
            *ret_name = name;
            return value;
        }
    }
    *ret_name = NULL;
    return NULL;
}

/* The record without its id, and the id. */
static struct str id_of(struct collection *collection, const json_t *record, json_t **ret)
{
    const char *name;
    struct str id = jx_text_of(member_nocase(record, STR("id"), &name));

    *ret = jx_own(collection->unit.arena, json_copy((json_t *)record));
    if (name) {
        json_object_del(*ret, name);
    }
    return id;
}

static bool update_one(struct collection *collection, const json_t *record, struct outcome *ret)
{
    struct sf_object *object;
    struct str id;
    json_t *fields;

    if (!object_of(collection, record, &object, &ret->err)) {
        return false;
    }
    id = id_of(collection, record, &fields);
    if (!id.at) {
        return sf_refuse_save(&ret->err, "MISSING_ARGUMENT", STR("Id"),
                              STR("Id not specified in an update call"));
    }
    ret->record = sf_target(&collection->unit, object, id, &ret->err);
    return ret->record && sf_update(&collection->unit, ret->record, fields, &ret->err);
}

/* A number is a value as well as a text. */
static struct str key_text(struct collection *collection, const json_t *value)
{
    return json_is_number(value) ? jx_text(collection->unit.arena, value) : jx_text_of(value);
}

static bool upsert_one(struct collection *collection, const json_t *record, struct outcome *ret)
{
    struct sf_upsert upsert = {0};
    struct sf_object *object;
    const char *name;
    struct str value = key_text(collection, member_nocase(record, collection->key, &name));
    bool is_done;

    if (type_of(record).at &&
        (!object_of(collection, record, &object, &ret->err) || object != collection->object)) {
        return sf_refuse(&ret->err, 400, "INVALID_TYPE",
                         STR("all records have to be of the type in the URI"));
    }
    is_done = sf_upsert(&collection->unit, collection->object, collection->key,
                        value.at ? value : STR(""), record, false, &upsert, &ret->err);
    ret->record = upsert.matches_count > 1 ? NULL : upsert.record;
    ret->was_created = upsert.was_created;
    return is_done;
}

static bool write_one(struct collection *collection, const json_t *record, struct outcome *ret)
{
    struct sf_object *object;

    if (!json_is_object(record)) {
        return sf_refuse(&ret->err, 400, "JSON_PARSER_ERROR", STR("records have to be objects"));
    }
    switch (collection->operation) {
    case CREATE:
        if (!object_of(collection, record, &object, &ret->err)) {
            return false;
        }
        ret->record = sf_create(&collection->unit, object, record, &ret->err);
        return ret->record != NULL;
    case UPDATE:
        return update_one(collection, record, ret);
    case UPSERT:
        return upsert_one(collection, record, ret);
    case DELETE:
        break;
    }
    abort(); /* deletes have ids, not records */
}

/* --- the whole --------------------------------------------------------------------------------- */

static void put_outcome(struct collection *collection, const struct outcome *outcome,
                        bool is_rolled_back)
{
    static const struct sf_error rolled_back = {
        .code = "ALL_OR_NONE_OPERATION_ROLLED_BACK",
        .message = STR("Record rolled back because not all records were valid and the request was "
                       "using AllOrNone header")};
    const struct sf_error *err = outcome->is_refused ? &outcome->err
                                 : is_rolled_back    ? &rolled_back
                                                     : NULL;
    const struct sf_record *shown = outcome->record;

    if (outcome->was_created && err) {
        shown = NULL;
    }
    sf_put_result(collection->call->body, outcome->is_refused ? NULL : shown,
                  collection->operation == UPSERT && !err ? outcome->was_created : -1, err);
}

static void answer(struct collection *collection, bool has_failed)
{
    bool is_rolled_back = has_failed && collection->all_or_none;

    sf_unit_end(&collection->unit, !is_rolled_back);
    sim_put(collection->call->body, "[");
    for (size_t i = 0; i < collection->count; i++) {
        sim_put(collection->call->body, i ? "," : "");
        put_outcome(collection, &collection->outcomes[i], is_rolled_back);
    }
    sim_put(collection->call->body, "]");
    sim_reply(collection->call, 200);
}

/* A body that cannot be read as records fails as a whole; nothing of it stays. */
static void fail_whole(struct collection *collection, const struct sf_error *err)
{
    sf_unit_end(&collection->unit, false);
    sf_fail(collection->call, err);
}

static bool is_of_the_body(const struct sf_error *err)
{
    return str_equal(str_of(err->code), STR("JSON_PARSER_ERROR"));
}

/* Runs of one type. */
static size_t chunks_count(const json_t *records)
{
    struct str former = STR_NONE;
    size_t index, count = 0;
    json_t *record;

    json_array_foreach((json_t *)records, index, record)
    {
        struct str type = type_of(record);

        count += index == 0 || !str_equal_nocase(type, former);
        former = type;
    }
    return count;
}

/* Records of one call that name the same external id are all refused. Source: SOAP guide, upsert. */
static void refuse_twins(struct collection *collection, const json_t *records)
{
    json_t *first = json_object();
    size_t index;
    json_t *record;

    json_array_foreach((json_t *)records, index, record)
    {
        const char *name;
        struct str value = key_text(collection, member_nocase(record, collection->key, &name));
        const json_t *twin;

        if (!value.len) {
            continue;
        }
        twin = json_object_getn(first, value.at, value.len);
        if (!twin) {
            json_object_setn_new(first, value.at, value.len, json_integer((json_int_t)index));
            continue;
        }
        for (int i = 0; i < 2; i++) {
            struct outcome *outcome =
                &collection->outcomes[i ? (json_int_t)index : json_integer_value(twin)];

            outcome->is_refused = true;
            sf_refuse_save(&outcome->err, "DUPLICATE_VALUE", collection->key,
                           arena_printf(collection->unit.arena,
                                        "Duplicate external id specified: %" PRI_STR,
                                        STR_ARG(value)));
        }
    }
    json_decref(first);
}

static void write_all(struct collection *collection, const json_t *records)
{
    bool has_failed = false;
    size_t index;
    json_t *record;

    json_array_foreach((json_t *)records, index, record)
    {
        struct outcome *outcome = &collection->outcomes[index];

        if (!outcome->is_refused && !write_one(collection, record, outcome)) {
            if (is_of_the_body(&outcome->err)) {
                fail_whole(collection, &outcome->err);
                return;
            }
            outcome->is_refused = true;
        }
        has_failed = has_failed || outcome->is_refused;
    }
    answer(collection, has_failed);
}

static void begin(struct collection *collection, size_t count)
{
    sf_unit_begin(collection->call, &collection->unit);
    collection->count = count;
    collection->outcomes = ARENA_ARRAY(collection->call->arena, struct outcome, count + 1);
}

/* False after answering. */
static bool count_fits(struct sim_call *call, size_t count)
{
    if (count <= RECORDS_MAX) {
        return true;
    }
    sf_failf(call, 400, "EXCEEDED_ID_LIMIT",
             "record limit reached. cannot submit more than %d records into this call",
             RECORDS_MAX);
    return false;
}

static void records_serve(struct sim_call *call, struct collection *collection)
{
    json_t *body, *records;

    if (!sf_body(call, &body)) {
        return;
    }
    records = jx_get(body, "records");
    if (!json_is_array(records)) {
        sf_failf(call, 400, "JSON_PARSER_ERROR", "the body has to hold an array named records");
        return;
    }
    if (!count_fits(call, json_array_size(records))) {
        return;
    }
    if (chunks_count(records) > CHUNKS_MAX) {
        sf_failf(call, 400, "LIMIT_EXCEEDED",
                 "Cannot have more than %d chunks in a single operation. Please rearrange the data "
                 "to reduce chunking.",
                 CHUNKS_MAX);
        return;
    }
    collection->all_or_none = json_is_true(jx_get(body, "allOrNone"));
    begin(collection, json_array_size(records));
    if (collection->operation == UPSERT) {
        refuse_twins(collection, records);
    }
    write_all(collection, records);
}

/* --- deleting ---------------------------------------------------------------------------------- */

static bool delete_one(struct collection *collection, struct str id, struct outcome *ret)
{
    char prefix[SF_PREFIX_BYTES];
    const struct sf_object *object = NULL;
    int64_t number;

    if (sf_id_parse(id, prefix, &number)) {
        object = sf_object_of_prefix(collection->unit.sf, prefix);
    }
    if (!object) {
        return sf_refuse_save(&ret->err, "MALFORMED_ID", STR(""),
                              arena_printf(collection->unit.arena, "malformed id %" PRI_STR,
                                           STR_ARG(str_slice(id, 0, 100))));
    }
    ret->record = sf_target(&collection->unit, object, id, &ret->err);
    return ret->record && sf_delete(&collection->unit, ret->record, &ret->err);
}

static size_t parts_count(struct str list)
{
    size_t count = 0;

    while (list.len) {
        str_cut(&list, ',');
        count++;
    }
    return count;
}

static void delete_serve(struct sim_call *call, struct collection *collection)
{
    struct str rest = sim_query_list(call, "ids");
    size_t count = parts_count(rest);
    bool has_failed = false;

    if (!count) {
        sf_failf(call, 400, "MISSING_ARGUMENT", "The parameter ids is required");
        return;
    }
    if (!count_fits(call, count)) {
        return;
    }
    collection->all_or_none = str_equal_nocase(sim_query(call, "allOrNone"), STR("true"));
    begin(collection, count);
    for (size_t i = 0; i < count; i++) {
        struct outcome *outcome = &collection->outcomes[i];

        outcome->is_refused = !delete_one(collection, str_trim(str_cut(&rest, ',')), outcome);
        has_failed = has_failed || outcome->is_refused;
    }
    answer(collection, has_failed);
}

/* --- reading ----------------------------------------------------------------------------------- */

static bool field_add(struct sim_call *call, const struct sf_object *object, struct str name,
                      struct sf_field **fields, size_t *count)
{
    struct sf_field *field = sf_field_find(object, name);

    if (!field || *count == FIELDS_MAX) {
        sf_failf(call, 400, "INVALID_FIELD",
                 "No such column '%" PRI_STR "' on sobject of type %" PRI_STR, STR_ARG(name),
                 STR_ARG(object->name));
        return false;
    }
    for (size_t i = 0; i < *count; i++) {
        if (fields[i] == field) {
            return true;
        }
    }
    fields[(*count)++] = field;
    return true;
}

/* null where an id is unknown, deleted or of another object. */
static void put_found(struct sim_call *call, const struct sf_route *route,
                      const struct sf_object *object, struct str id, struct sf_field *const *fields,
                      size_t count)
{
    const struct sf_record *record = sf_record_of_id(sf_of(call), id);

    sim_put(call->body, call->body->len > 1 ? "," : "");
    if (record && record->object == object && sf_record_is_live(record)) {
        sf_put_record(call->body, route->version, record, fields, count);
    } else {
        sim_put(call->body, "null");
    }
}

static bool ids_fit(struct sim_call *call, size_t count)
{
    if (count && count <= RETRIEVE_MAX) {
        return true;
    }
    sf_failf(call, 400, count ? "EXCEEDED_ID_LIMIT" : "MISSING_ARGUMENT",
             "between 1 and %d ids can be retrieved", RETRIEVE_MAX);
    return false;
}

static void retrieve_get(struct sim_call *call, const struct sf_route *route,
                         const struct sf_object *object)
{
    struct sf_field **fields = ARENA_ARRAY(call->arena, struct sf_field *, FIELDS_MAX + 1);
    struct str ids = sim_query_list(call, "ids"), names = sim_query_list(call, "fields");
    size_t count = 0;

    if (!ids_fit(call, parts_count(ids))) {
        return;
    }
    while (names.len) {
        if (!field_add(call, object, str_trim(str_cut(&names, ',')), fields, &count)) {
            return;
        }
    }
    field_add(call, object, STR("Id"), fields, &count);
    sim_put(call->body, "[");
    while (ids.at) {
        put_found(call, route, object, str_trim(str_cut(&ids, ',')), fields, count);
    }
    sim_put(call->body, "]");
    sim_reply(call, 200);
}

static void retrieve_post(struct sim_call *call, const struct sf_route *route,
                          const struct sf_object *object)
{
    struct sf_field **fields = ARENA_ARRAY(call->arena, struct sf_field *, FIELDS_MAX + 1);
    json_t *body, *element;
    size_t count = 0, index;

    if (!sf_body(call, &body) || !ids_fit(call, json_array_size(jx_get(body, "ids")))) {
        return;
    }
    json_array_foreach(jx_get(body, "fields"), index, element)
    {
        if (!field_add(call, object, jx_text_of(element), fields, &count)) {
            return;
        }
    }
    field_add(call, object, STR("Id"), fields, &count);
    sim_put(call->body, "[");
    json_array_foreach(jx_get(body, "ids"), index, element)
    {
        put_found(call, route, object, jx_text_of(element), fields, count);
    }
    sim_put(call->body, "]");
    sim_reply(call, 200);
}

/* --- routes ------------------------------------------------------------------------------------ */

static void all_types_serve(struct sim_call *call, struct collection *collection)
{
    switch (call->request->method) {
    case HTTP_POST:
        collection->operation = CREATE;
        records_serve(call, collection);
        break;
    case HTTP_PATCH:
        collection->operation = UPDATE;
        records_serve(call, collection);
        break;
    case HTTP_DELETE:
        collection->operation = DELETE;
        delete_serve(call, collection);
        break;
    default:
        sf_no_method(call, "POST,PATCH,DELETE");
    }
}

static void key_serve(struct sim_call *call, const struct sf_route *route,
                      struct collection *collection)
{
    const struct sf_field *field = sf_field_find(collection->object, route->at[3]);

    if (call->request->method != HTTP_PATCH) {
        sf_no_method(call, "PATCH");
    } else if (!field || !(field->flags & (SF_EXTERNAL_ID | SF_ID_LOOKUP))) {
        sf_failf(call, 404, "NOT_FOUND",
                 "Provided external ID field does not exist or is not accessible: %" PRI_STR,
                 STR_ARG(route->at[3]));
    } else {
        collection->operation = UPSERT;
        collection->key = field->name;
        records_serve(call, collection);
    }
}

void sf_collections_serve(struct sim_call *call, const struct sf_route *route)
{
    struct collection collection = {.call = call};

    if (route->count == 2) {
        all_types_serve(call, &collection);
        return;
    }
    collection.object = sf_object_find(sf_of(call), route->at[2]);
    if (!collection.object || collection.object->flags & SF_IS_TOOLING || route->count > 4) {
        sf_not_found(call);
    } else if (route->count == 4) {
        key_serve(call, route, &collection);
    } else if (call->request->method == HTTP_GET) {
        retrieve_get(call, route, collection.object);
    } else if (call->request->method == HTTP_POST) {
        retrieve_post(call, route, collection.object);
    } else {
        sf_no_method(call, "GET,POST");
    }
}
