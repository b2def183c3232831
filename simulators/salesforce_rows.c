/* /sobjects: single records by id or external id, and what describes them. Sources: REST guide, sObject rows, sObject rows by external id,
 * conditional request headers. */
#include "simulators/salesforce_inside.h"

#include "core/when.h"

enum { FIELDS_MAX = 1000, CREATED_SAYS_SINCE = 46 };

/* --- conditions -------------------------------------------------------------------------------- */

static struct str etag_of(struct sim_call *call, const struct sf_record *record)
{
    return arena_printf(call->arena, "\"%llx-%llx\"", (unsigned long long)record->base.id,
                        (unsigned long long)(record->base.modified_ms / 1000));
}

static bool has_tag(struct str list, struct str tag)
{
    while (list.at) {
        struct str one = str_trim(str_cut(&list, ','));

        if (str_equal(one, tag) || str_equal(one, STR("*"))) {
            return true;
        }
    }
    return false;
}

static bool is_dated(struct sim_call *call, const char *name, int64_t *ret_ms)
{
    return when_parse_http_ms(http_header_get(&call->request->headers, name), ret_ms);
}

/* False after answering 304 or 412. Dates hold for every object but not for DELETE, tags for Account only. */
static bool conditions_hold(struct sim_call *call, const struct sf_record *record)
{
    const struct http_headers *headers = &call->request->headers;
    bool is_read = call->request->method == HTTP_GET;
    bool is_tagged = record->object->flags & SF_HAS_ETAG;
    struct str tag = etag_of(call, record), wanted = http_header_get(headers, "If-Match");
    struct str unwanted = http_header_get(headers, "If-None-Match");
    int64_t changed_s = record->base.modified_ms / 1000, ms;

    if (is_tagged && wanted.at && !has_tag(wanted, tag)) {
        sim_reply(call, 412);
        return false;
    }
    if (is_tagged && unwanted.at && has_tag(unwanted, tag)) {
        sim_reply(call, is_read ? 304 : 412);
        return false;
    }
    if (call->request->method != HTTP_DELETE && is_dated(call, "If-Unmodified-Since", &ms) &&
        changed_s > ms / 1000) {
        sim_reply(call, 412);
        return false;
    }
    if (is_read && is_dated(call, "If-Modified-Since", &ms) && changed_s <= ms / 1000) {
        sim_reply(call, 304);
        return false;
    }
    return true;
}

static void put_validators(struct sim_call *call, const struct sf_record *record)
{
    char date[WHEN_TEXT_BYTES];

    when_format_http(record->base.modified_ms, date);
    sim_header(call, "Last-Modified", arena_str(call->arena, str_of(date)));
    if (record->object->flags & SF_HAS_ETAG) {
        sim_header(call, "ETag", etag_of(call, record));
    }
}

/* --- reading ----------------------------------------------------------------------------------- */

/* ?fields=A,B; false after answering. *ret NULL = all. */
static bool fields_wanted(struct sim_call *call, const struct sf_object *object,
                          struct sf_field ***ret, size_t *ret_count)
{
    struct str rest = sim_query(call, "fields");

    *ret = NULL;
    *ret_count = 0;
    if (!rest.len) {
        return true;
    }
    *ret = ARENA_ARRAY(call->arena, struct sf_field *, FIELDS_MAX);
    while (rest.at && *ret_count < FIELDS_MAX) {
        struct str name = str_trim(str_cut(&rest, ','));
        struct sf_field *field = sf_field_find(object, name);

        if (!field) {
            sf_failf(call, 400, "INVALID_FIELD",
                     "No such column '%" PRI_STR "' on sobject of type %" PRI_STR, STR_ARG(name),
                     STR_ARG(object->name));
            return false;
        }
        (*ret)[(*ret_count)++] = field;
    }
    return true;
}

static void row_get(struct sim_call *call, const struct sf_route *route,
                    const struct sf_record *record)
{
    struct sf_field **fields;
    size_t count;

    if (!sf_record_is_live(record)) {
        sf_not_found(call);
        return;
    }
    if (!fields_wanted(call, record->object, &fields, &count)) {
        return;
    }
    put_validators(call, record);
    if (conditions_hold(call, record)) {
        sf_put_record(call->body, route->version, record, fields, count);
        sim_reply(call, 200);
    }
}

/* --- writing ----------------------------------------------------------------------------------- */

static void reply_created(struct sim_call *call, const struct sf_route *route,
                          const struct sf_record *record, int created)
{
    char id[SF_ID_BYTES];

    sf_record_id(record, id);
    sf_put_result(call->body, record, created, NULL);
    sim_header(call, "Location",
               arena_printf(call->arena, "/services/data/v%d.0/sobjects/%" PRI_STR "/%s",
                            route->version, STR_ARG(record->object->name), id));
    sim_reply(call, 201);
}

static void row_post(struct sim_call *call, const struct sf_route *route, struct sf_object *object)
{
    const struct sf_record *record;
    struct sf_error err;
    struct sf_unit unit;
    json_t *fields;

    if (!sf_body(call, &fields)) {
        return;
    }
    sf_unit_begin(call, &unit);
    record = sf_create(&unit, object, fields, &err);
    sf_unit_end(&unit, record != NULL);
    if (record) {
        reply_created(call, route, record, -1);
    } else {
        sf_fail(call, &err);
    }
}

static void finish(struct sim_call *call, struct sf_unit *unit, bool is_done,
                   const struct sf_error *err)
{
    sf_unit_end(unit, is_done);
    if (is_done) {
        sim_reply(call, 204);
    } else {
        sf_fail(call, err);
    }
}

static void row_patch(struct sim_call *call, struct sf_record *record)
{
    struct sf_error err;
    struct sf_unit unit;
    json_t *fields;
    bool is_done;

    if (!sf_body(call, &fields)) {
        return;
    }
    if (sf_record_is_live(record) && !conditions_hold(call, record)) {
        return;
    }
    sf_unit_begin(call, &unit);
    is_done =
        sf_record_is_live(record)
            ? sf_update(&unit, record, fields, &err)
            : sf_target(&unit, record->object, sf_record_id_str(call->arena, record), &err) != NULL;
    finish(call, &unit, is_done, &err);
}

static void row_delete(struct sim_call *call, struct sf_record *record)
{
    struct sf_error err;
    struct sf_unit unit;
    bool is_done;

    if (sf_record_is_live(record) && !conditions_hold(call, record)) {
        return;
    }
    sf_unit_begin(call, &unit);
    is_done =
        sf_record_is_live(record)
            ? sf_delete(&unit, record, &err)
            : sf_target(&unit, record->object, sf_record_id_str(call->arena, record), &err) != NULL;
    finish(call, &unit, is_done, &err);
}

static void row_serve(struct sim_call *call, const struct sf_route *route, struct sf_record *record)
{
    switch (call->request->method) {
    case HTTP_GET:
        row_get(call, route, record);
        break;
    case HTTP_PATCH:
        row_patch(call, record);
        break;
    case HTTP_DELETE:
        row_delete(call, record);
        break;
    default:
        sf_no_method(call, "HEAD,GET,PATCH,DELETE");
    }
}

/* An id in the path. A wrong one answers like a missing one, another object's like a malformed one. */
static void id_serve(struct sim_call *call, const struct sf_route *route,
                     const struct sf_object *object, struct str id)
{
    struct sf_record *record = NULL;
    char prefix[SF_PREFIX_BYTES];
    int64_t number;

    if (!sf_id_parse(id, prefix, &number) || memcmp(prefix, object->prefix, SF_PREFIX_BYTES) != 0) {
        struct sf_error err;

        sf_refuse_save(&err, "MALFORMED_ID", STR("Id"),
                       arena_printf(call->arena,
                                    "%" PRI_STR " ID: id value of incorrect type: %" PRI_STR,
                                    STR_ARG(object->label), STR_ARG(str_slice(id, 0, 100))));
        sf_fail(call, &err);
        return;
    }
    record = sf_record_by_number(object, number);
    if (record) {
        row_serve(call, route, record);
    } else {
        sf_not_found(call);
    }
}

/* --- by external id ---------------------------------------------------------------------------- */

static void reply_many(struct sim_call *call, const struct sf_route *route,
                       const struct sf_upsert *upsert)
{
    sim_put(call->body, "[");
    for (size_t i = 0; i < upsert->matches_count; i++) {
        char id[SF_ID_BYTES];

        sf_record_id(upsert->matches[i], id);
        buf_addf(call->body, "%s\"/services/data/v%d.0/sobjects/%" PRI_STR "/%s\"", i ? "," : "",
                 route->version, STR_ARG(upsert->matches[i]->object->name), id);
    }
    sim_put(call->body, "]");
    sim_reply(call, 300);
}

static bool is_true(struct str text)
{
    return str_equal_nocase(text, STR("true"));
}

static void key_patch(struct sim_call *call, const struct sf_route *route, struct sf_object *object)
{
    struct sf_upsert upsert;
    struct sf_error err;
    struct sf_unit unit;
    json_t *fields;
    const struct sf_field *field = sf_field_find(object, route->at[2]);
    bool is_done;

    if (!sf_body(call, &fields)) {
        return;
    }
    if (field && json_object_getn(fields, field->name.at, field->name.len)) {
        sf_failf(call, 400, "INVALID_FIELD",
                 "The %" PRI_STR " field should not be specified in the sobject data.",
                 STR_ARG(field->name));
        return;
    }
    sf_unit_begin(call, &unit);
    is_done = sf_upsert(&unit, object, route->at[2], route->at[3], fields,
                        is_true(sim_query(call, "updateOnly")), &upsert, &err);
    sf_unit_end(&unit, is_done);
    if (!is_done && err.status == 300) {
        reply_many(call, route, &upsert);
    } else if (!is_done) {
        sf_fail(call, &err);
    } else if (upsert.was_created) {
        reply_created(call, route, upsert.record, route->version >= CREATED_SAYS_SINCE ? 1 : -1);
    } else if (route->version < CREATED_SAYS_SINCE) {
        sim_reply(call, 204);
    } else {
        sf_put_result(call->body, upsert.record, 0, NULL);
        sim_reply(call, 200);
    }
}

/* GET and DELETE by external id find their record first. */
static void key_find(struct sim_call *call, const struct sf_route *route,
                     const struct sf_object *object, struct sf_upsert *ret)
{
    const struct sf_field *field = sf_field_find(object, route->at[2]);
    char scratch[SF_SCRATCH_BYTES];
    struct sf_record *record;
    void *place = NULL;

    *ret = (struct sf_upsert){0};
    if (!field || !field->lookup || !(field->flags & (SF_EXTERNAL_ID | SF_ID_LOOKUP))) {
        sf_failf(call, 404, "NOT_FOUND",
                 "Provided external ID field does not exist or is not accessible: %" PRI_STR,
                 STR_ARG(route->at[2]));
        return;
    }
    while ((record = sf_index_next(field->lookup, route->at[3], &place)) &&
           ret->matches_count < COUNT_OF(ret->matches)) {
        if (sf_record_is_live(record) &&
            sf_same(field, sf_get(record, field, scratch), route->at[3])) {
            ret->matches[ret->matches_count++] = record;
        }
    }
    if (ret->matches_count == 1) {
        row_serve(call, route, ret->matches[0]);
    } else if (ret->matches_count) {
        reply_many(call, route, ret);
    } else {
        sf_not_found(call);
    }
}

static void key_serve(struct sim_call *call, const struct sf_route *route, struct sf_object *object)
{
    const struct sf_field *field = sf_field_find(object, route->at[2]);
    struct sf_upsert upsert;

    if (field && field->derived == SF_IS_ID && call->request->method != HTTP_PATCH) {
        id_serve(call, route, object, route->at[3]);
    } else if (call->request->method == HTTP_PATCH) {
        key_patch(call, route, object);
    } else {
        key_find(call, route, object, &upsert);
    }
}

/* --- the object itself ------------------------------------------------------------------------- */

static void object_serve(struct sim_call *call, const struct sf_route *route,
                         struct sf_object *object)
{
    if (call->request->method == HTTP_POST) {
        row_post(call, route, object);
    } else if (call->request->method == HTTP_GET) {
        sim_put(call->body, "{\"objectDescribe\":{\"name\":");
        sim_put_text(call->body, object->name);
        buf_addf(call->body, ",\"keyPrefix\":\"%s\"},\"recentItems\":[]}", object->prefix);
        sim_reply(call, 200);
    } else {
        sf_no_method(call, "HEAD,GET,POST");
    }
}

void sf_rows_serve(struct sim_call *call, const struct sf_route *route)
{
    struct sf_object *object = route->count > 1 ? sf_object_find(sf_of(call), route->at[1]) : NULL;

    if (route->count == 1) {
        sf_describe_global(call, route);
    } else if (!object || object->flags & SF_IS_TOOLING) {
        sf_not_found(call);
    } else if (route->count == 2) {
        object_serve(call, route, object);
    } else if (route->count == 3 && sf_route_is(route, 2, "describe")) {
        sf_describe_serve(call, route, object);
    } else if (sf_route_is(route, 2, "updated") || sf_route_is(route, 2, "deleted")) {
        sf_changes_serve(call, object, sf_route_is(route, 2, "deleted"));
    } else if (route->count == 3) {
        id_serve(call, route, object, route->at[2]);
    } else if (route->count == 4) {
        key_serve(call, route, object);
    } else {
        sf_not_found(call);
    }
}
