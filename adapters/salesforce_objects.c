/* Salesforce: which objects a kind lives in, and what the session knows of them. An object is described once in a session; later only
 * when it changed since (If-Modified-Since). source: REST API Developer Guide, "sObject Describe"; SOAP API, DescribeSObjectResult */
#include "adapters/salesforce_inside.h"

#include <assert.h>
#include <stdlib.h>

#include "core/alloc.h"
#include "core/jx.h"
#include "core/when.h"

enum { DESCRIBES_MAX = 8, FIELDS_MAX = 20000, SETTLED_MS = 2000, NAMES_BYTES_MAX = 60 * 1000 };

/* --- kinds and objects ------------------------------------------------------------------------ */

static const struct adapter_object *entry_of(const struct session *session, const char *kind)
{
    for (size_t i = 0; i < session->objects_count; i++) {
        if (strcmp(session->objects[i].kind, kind) == 0) {
            return &session->objects[i];
        }
    }
    return adapter_object_of(&adapter_salesforce, kind);
}

const char *salesforce_title(const struct session *session, const char *kind)
{
    const struct adapter_object *entry = entry_of(session, kind);

    return entry ? entry->title : kind;
}

size_t salesforce_parts(const struct session *session, const char *kind, bool with_leads,
                        const char *ret[SF_PARTS_MAX])
{
    const struct adapter_object *entry = entry_of(session, kind);
    size_t count = 0;

    assert(entry);
    if (entry->object[0]) {
        ret[count++] = entry->object;
    } else {
        ret[count++] = SF_TASK;
        ret[count++] = SF_EVENT;
    }
    if (with_leads && strcmp(ret[0], SF_CONTACT) == 0) {
        ret[count++] = SF_LEAD;
    }
    return count;
}

const char *salesforce_part_of_id(struct session *session, const char *kind, struct str id)
{
    /* source: help.salesforce.com, "Standard Field Record ID Prefix Decoder" */
    static const struct {
        const char *object, *prefix;
    } STANDARD[] = {{SF_CONTACT, "003"},     {SF_LEAD, "00Q"}, {SF_ACCOUNT, "001"},
                    {SF_OPPORTUNITY, "006"}, {SF_TASK, "00T"}, {SF_EVENT, "00U"},
                    {SF_CASE, "500"}};
    const char *parts[SF_PARTS_MAX];
    size_t count = salesforce_parts(session, kind, true, parts);

    for (size_t i = 0; i < count; i++) {
        const char *prefix = NULL;

        for (size_t k = 0; k < COUNT_OF(STANDARD); k++) {
            prefix = strcmp(parts[i], STANDARD[k].object) == 0 ? STANDARD[k].prefix : prefix;
        }
        if (!prefix) { /* a custom object's is its own in each org; not described yet: the only part it can be */
            struct str own = salesforce_object_named(session, parts[i])->prefix;

            prefix = own.len ? own.at : NULL;
        }
        if (!prefix || salesforce_has_prefix(id, prefix)) {
            return parts[i];
        }
    }
    return NULL;
}

struct salesforce_object *salesforce_object_named(struct session *session, const char *name)
{
    struct salesforce_object *object;

    for (size_t i = 0; i < session->known_count; i++) {
        if (strcmp(session->known[i]->name, name) == 0) {
            return session->known[i];
        }
    }
    session->known = alloc_resize(session->known, session->known_count + 1, sizeof *session->known);
    object = alloc_new(1, sizeof *object);
    object->name = alloc_dup(name);
    session->known[session->known_count++] = object;
    return object;
}

void salesforce_distrust_objects(struct session *session)
{
    for (size_t i = 0; i < session->known_count; i++) {
        session->known[i]->read_ms = 0;
        session->known[i]->is_missing = false;
        session->known[i]->changed_at =
            STR(""); /* what a user may see is no change of the object */
    }
}

void salesforce_free_objects(struct session *session)
{
    for (size_t i = 0; i < session->known_count; i++) {
        arena_fini(&session->known[i]->arena);
        free(session->known[i]->name);
        free(session->known[i]);
    }
    free(session->known);
}

/* --- one description -------------------------------------------------------------------------- */

static struct str text_or_none(struct arena *arena, const json_t *item, const char *name)
{
    struct str text = jx_text_of(jx_get(item, name));

    return text.len ? arena_str(arena, text) : STR("");
}

static bool flag(const json_t *item, const char *name)
{
    return json_is_true(jx_get(item, name));
}

static void read_options(const json_t *item, struct arena *arena, struct salesforce_field *ret)
{
    const json_t *values = jx_get(item, "picklistValues");
    size_t count = json_array_size(values);
    struct remote_option *options;

    if (count == 0) {
        return;
    }
    options = ARENA_ARRAY(arena, struct remote_option, count);
    for (size_t i = 0; i < count; i++) { /* old records may have values that were switched off */
        const json_t *value = json_array_get(values, i);

        options[i].value = text_or_none(arena, value, "value");
        options[i].label = text_or_none(arena, value, "label");
        options[i].label = options[i].label.len ? options[i].label : options[i].value;
    }
    ret->options = options;
    ret->options_count = count;
}

static void read_references(const json_t *item, struct arena *arena, struct salesforce_field *ret)
{
    const json_t *names = jx_get(item, "referenceTo");
    size_t count = json_array_size(names);
    struct str *refers_to;

    if (count == 0) {
        return;
    }
    refers_to = ARENA_ARRAY(arena, struct str, count);
    for (size_t i = 0; i < count; i++) {
        struct str name = jx_text_of(json_array_get(names, i));

        refers_to[i] = name.len ? arena_str(arena, name) : STR("");
    }
    ret->refers_to = refers_to;
    ret->refers_to_count = count;
}

static bool is_field_name(struct str name)
{
    if (name.len == 0 || name.len > SF_NAME_BYTES_MAX || (name.at[0] >= '0' && name.at[0] <= '9')) {
        return false;
    }
    for (size_t i = 0; i < name.len; i++) {
        char c = name.at[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '_')) {
            return false;
        }
    }
    return true;
}

/* Names go into queries as they are, so one that is none cannot be let in. */
static enum fail read_field(const json_t *item, struct arena *arena, struct salesforce_field *ret,
                            struct error *err)
{
    struct str name;

    if (jx_str(item, "name", &name, err) != OK) {
        return err->code;
    }
    if (!is_field_name(name)) {
        return error_set(err, FAIL_RETRY, "a field without a proper name");
    }
    *ret = (struct salesforce_field){.name = arena_str(arena, name),
                                     .label = text_or_none(arena, item, "label"),
                                     .type = text_or_none(arena, item, "type"),
                                     .is_nillable = flag(item, "nillable"),
                                     .is_createable = flag(item, "createable"),
                                     .is_updateable = flag(item, "updateable"),
                                     .is_defaulted = flag(item, "defaultedOnCreate"),
                                     .is_calculated = flag(item, "calculated"),
                                     .is_custom = flag(item, "custom"),
                                     .is_unique = flag(item, "unique"),
                                     .is_external_id = flag(item, "externalId"),
                                     .is_case_sensitive = flag(item, "caseSensitive"),
                                     .is_id_lookup = flag(item, "idLookup"),
                                     .is_filterable = !json_is_false(jx_get(item, "filterable")),
                                     .is_restricted = flag(item, "restrictedPicklist")};
    read_options(item, arena, ret);
    read_references(item, arena, ret);
    return jx_i64_or(item, "length", 0, &ret->length, err) == OK
               ? jx_i64_or(item, "scale", 0, &ret->scale, err)
               : err->code;
}

static int compare_fields(const void *x, const void *y)
{
    return str_compare(((const struct salesforce_field *)x)->name,
                       ((const struct salesforce_field *)y)->name);
}

static void read_record_types(const json_t *body, struct salesforce_object *object)
{
    const json_t *rows = jx_get(body, "recordTypeInfos");
    size_t count = json_array_size(rows);
    struct salesforce_record_type *types =
        ARENA_ARRAY(&object->arena, struct salesforce_record_type, count + 1);

    for (size_t i = 0; i < count; i++) {
        const json_t *row = json_array_get(rows, i);

        types[i] = (struct salesforce_record_type){
            .id = text_or_none(&object->arena, row, "recordTypeId"),
            .developer_name = text_or_none(&object->arena, row, "developerName"),
            .label = text_or_none(&object->arena, row, "name"),
            .is_available = flag(row, "available"),
            .is_master = flag(row, "master")};
    }
    object->record_types = types;
    object->record_types_count = count;
}

static enum fail read_fields(const json_t *body, struct salesforce_object *object,
                             struct error *err)
{
    struct salesforce_field *fields;
    json_t *rows;
    size_t count;

    if (jx_array(body, "fields", &rows, err) != OK) {
        return err->code;
    }
    count = json_array_size(rows);
    if (count > FIELDS_MAX) {
        return error_set(err, FAIL_RETRY, "more than %d fields", FIELDS_MAX);
    }
    fields = ARENA_ARRAY(&object->arena, struct salesforce_field, count + 1);
    for (size_t i = 0; i < count; i++) {
        if (read_field(json_array_get(rows, i), &object->arena, &fields[i], err) != OK) {
            return err->code;
        }
    }
    if (count) {
        qsort(fields, count, sizeof *fields, compare_fields);
    }
    object->fields = fields;
    object->fields_count = count;
    return OK;
}

static enum fail read_object(struct session *session, const json_t *body,
                             struct salesforce_object *object, struct error *err)
{
    arena_fini(&object->arena);
    object->is_loaded = object->is_missing = false;
    object->read_ms = 0; /* a description that cannot be read is asked for again */
    object->prefix = text_or_none(&object->arena, body, "keyPrefix");
    object->label = text_or_none(&object->arena, body, "label");
    object->changed_at = STR("");
    object->is_createable = flag(body, "createable");
    object->is_updateable = flag(body, "updateable");
    object->is_deletable = flag(body, "deletable");
    read_record_types(body, object);
    if (read_fields(body, object, err) != OK) {
        return error_wrap(err, "description of salesforce's %s", object->name);
    }
    object->read_ms = clock_wall_ms(session->env->clock);
    object->is_loaded = true;
    return OK;
}

/* --- loading ---------------------------------------------------------------------------------- */

static void prepare_describe(const struct salesforce_object *object, struct arena *arena,
                             struct salesforce_sub *ret)
{
    *ret =
        (struct salesforce_sub){.method = HTTP_GET,
                                .path = arena_printf(arena, "/sobjects/%s/describe", object->name),
                                .may_be_missing = true};
    if (object->is_loaded && object->changed_at.len) {
        ret->headers = jx_own(arena, json_pack("{s:s%}", "If-Modified-Since", object->changed_at.at,
                                               object->changed_at.len));
    }
}

/* A time of whole seconds tells nothing of changes within its own second. source: RFC 9110, 8.8.2.2 */
static bool is_settled(struct str changed_at, int64_t server_ms)
{
    int64_t changed_ms;

    return when_parse_http_ms(changed_at, &changed_ms) && server_ms - changed_ms >= SETTLED_MS;
}

static enum fail keep_describe(struct session *session, const struct salesforce_sub *sub,
                               struct str changed_at, int64_t server_ms,
                               struct salesforce_object *object, struct error *err)
{
    if (sub->result == FAIL_STALE) {
        object->is_missing = true;
        object->is_loaded = false;
        object->read_ms = clock_wall_ms(session->env->clock);
        return OK;
    }
    if (sub->result != OK) {
        *err = sub->error;
        return error_wrap(err, "description of salesforce's %s", object->name);
    }
    if (sub->status == 304) {
        object->read_ms = clock_wall_ms(session->env->clock);
        return OK;
    }
    if (read_object(session, sub->answer, object, err) == OK && is_settled(changed_at, server_ms)) {
        object->changed_at = arena_str(&object->arena, changed_at);
    }
    return err->code;
}

/* Alone it needs no envelope. */
static enum fail describe_one(struct session *session, struct salesforce_sub *sub,
                              struct arena *arena, struct salesforce_answer *ret, struct error *err)
{
    struct salesforce_call call = {.method = HTTP_GET,
                                   .path = sub->path,
                                   .if_after =
                                       json_string_value(jx_get(sub->headers, "If-Modified-Since")),
                                   .is_safe = true,
                                   .may_be_missing = true};

    sub->result = salesforce_exec(session, &call, arena, ret, err);
    sub->status = ret->status;
    sub->answer = ret->body;
    sub->changed_at = ret->changed_at;
    if (sub->result == FAIL_STALE) {
        error_reset(err);
    }
    return err->code;
}

/* In the answer of a composite call the headers are an object beside the body; Last-Modified is not promised there. */
static enum fail describe_all(struct session *session, struct salesforce_object **objects,
                              size_t count, struct error *err)
{
    AUTO_ARENA struct arena arena = {0};
    struct salesforce_sub subs[DESCRIBES_MAX];
    struct salesforce_answer answer;

    for (size_t i = 0; i < count; i++) {
        prepare_describe(objects[i], &arena, &subs[i]);
    }
    if ((count == 1 ? describe_one(session, &subs[0], &arena, &answer, err)
                    : salesforce_composite(session, subs, count, true, false, &arena, &answer,
                                           err)) != OK) {
        return error_wrap(err, "describe salesforce's objects");
    }
    for (size_t i = 0; i < count; i++) {
        if (keep_describe(session, &subs[i], subs[i].changed_at, answer.server_ms, objects[i],
                          err) != OK) {
            return err->code;
        }
    }
    return OK;
}

enum fail salesforce_load_objects(struct session *session, const char *const *names, size_t count,
                                  bool again, struct error *err)
{
    struct salesforce_object *wanted[DESCRIBES_MAX];
    size_t wanted_count = 0;

    assert(count <= DESCRIBES_MAX);
    for (size_t i = 0; i < count; i++) {
        struct salesforce_object *object = salesforce_object_named(session, names[i]);

        if (again || object->read_ms == 0) {
            wanted[wanted_count++] = object;
        }
    }
    return wanted_count ? describe_all(session, wanted, wanted_count, err) : OK;
}

/* --- fields ----------------------------------------------------------------------------------- */

const struct salesforce_field *salesforce_field_named(const struct salesforce_object *object,
                                                      struct str name)
{
    const struct salesforce_field key = {.name = name};

    return object->is_loaded && object->fields_count
               ? bsearch(&key, object->fields, object->fields_count, sizeof key, compare_fields)
               : NULL;
}

bool salesforce_wants(const struct str *properties, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (str_equal(properties[i], str_of(name))) {
            return true;
        }
    }
    return false;
}

bool salesforce_is_pseudo(struct str property)
{
    return property.len && memchr(property.at, '.', property.len);
}

struct str salesforce_lead_field(struct str property)
{
    static const struct {
        const char *contact, *lead;
    } NAMES[] = {{"MailingStreet", "Street"},
                 {"MailingCity", "City"},
                 {"MailingState", "State"},
                 {"MailingPostalCode", "PostalCode"},
                 {"MailingCountry", "Country"},
                 {"MailingStateCode", "StateCode"},
                 {"MailingCountryCode", "CountryCode"},
                 {SF_LEAD_STATUS, "Status"}};

    for (size_t i = 0; i < COUNT_OF(NAMES); i++) {
        if (str_equal(property, str_of(NAMES[i].contact))) {
            return str_of(NAMES[i].lead);
        }
    }
    return property;
}

/* --- before any use --------------------------------------------------------------------------- */

enum fail salesforce_no_key(const char *object, struct error *err)
{
    error_set(err, FAIL_CONNECTION,
              "the field " SF_KEY_FIELD " is missing on salesforce's %s, or hidden from this user",
              object);
    return error_hint(err, "make it with 'crmsync setup'; without it records could be made twice");
}

/* The currency of an amount is a field only where an org has several. source: Object Reference, "Field Types" */
static bool is_optional(struct str property)
{
    return salesforce_is_pseudo(property) || str_equal(property, STR("CurrencyIsoCode"));
}

/* NULL: all are known. */
static const struct str *unknown_of(struct session *session, const char *const *parts,
                                    size_t parts_count, const struct str *properties, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        bool is_known = is_optional(properties[i]);

        for (size_t k = 0; k < parts_count && !is_known; k++) {
            is_known = salesforce_field_named(salesforce_object_named(session, parts[k]),
                                              properties[i]) != NULL;
        }
        if (!is_known) {
            return &properties[i];
        }
    }
    return NULL;
}

static enum fail missing_object(const char *object, struct error *err)
{
    error_set(err, FAIL_CONNECTION, "salesforce shows this user no object '%s'", object);
    return error_hint(err,
                      "give the connection's user access to it (permission set), or switch the "
                      "kind off");
}

static enum fail check_parts(struct session *session, const char *const *parts, size_t count,
                             struct error *err)
{
    for (size_t i = 0; i < count; i++) {
        if (salesforce_object_named(session, parts[i])->is_missing) {
            return missing_object(parts[i], err);
        }
    }
    return OK;
}

/* A statement has 100,000 characters at most. source: Salesforce Developer Limits and Allocations Quick Reference, "SOQL and SOSL
 * Limits" */
static enum fail check_length(const struct str *properties, size_t count, struct error *err)
{
    size_t bytes = 0;

    for (size_t i = 0; i < count; i++) {
        bytes += properties[i].len + strlen(", ");
    }
    if (bytes <= NAMES_BYTES_MAX) {
        return OK;
    }
    error_set(err, FAIL_CONNECTION,
              "the mapping reads more fields than one query of salesforce holds");
    return error_hint(err, "take fields out of the mapping");
}

enum fail salesforce_ready(struct session *session, const char *kind, const struct str *properties,
                           size_t count, struct error *err)
{
    const char *parts[SF_PARTS_MAX];
    size_t parts_count =
        salesforce_parts(session, kind, salesforce_wants(properties, count, SF_LEAD_STATUS), parts);
    const struct str *unknown;
    struct str own_user;

    if (check_length(properties, count, err) != OK ||
        salesforce_load_objects(session, parts, parts_count, false, err) != OK) {
        return err->code;
    }
    unknown = unknown_of(session, parts, parts_count, properties, count);
    if (unknown && salesforce_load_objects(session, parts, parts_count, true, err) != OK) {
        return err->code;
    }
    if (check_parts(session, parts, parts_count, err) != OK) {
        return err->code;
    }
    unknown = unknown ? unknown_of(session, parts, parts_count, properties, count) : NULL;
    if (unknown) {
        error_set(err, FAIL_CONNECTION, "salesforce shows this user no field '%" PRI_STR "' of %s",
                  STR_ARG(*unknown), parts[0]);
        return error_hint(err, "correct its name in the mapping, or give the connection's user "
                               "access to it (field-level security)");
    }
    return salesforce_wants(properties, count, SF_OWNER)
               ? salesforce_own_user(session, &own_user, err)
               : OK;
}
