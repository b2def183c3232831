/* HubSpot: creating, updating, associating, archiving. Creates are upserts on our unique property, so that a repeat is answered with the first object. */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "adapters/hubspot_inside.h"
#include "core/jx.h"

/* A run of items of one sort that go into one request. */
struct batch {
    struct session *session;
    const char *kind;
    struct arena *arena;
    struct write_item **items;
    size_t count;
    bool is_create;
};

/* --- requests ------------------------------------------------------------------------------------------------------------------ */

/* HubSpot clears a property by "", while null changes nothing (developers.hubspot.com, properties guide). */
static json_t *wire_props(const struct write_item *item)
{
    json_t *props = json_object();
    const char *name;
    json_t *value;

    json_object_foreach(item->props, name, value)
    {
        char text[64];

        if (strncmp(name, "associations.", strlen("associations.")) == 0) {
            continue;
        }
        if (json_is_null(value)) {
            json_object_set_new(props, name, json_string(""));
        } else if (json_is_integer(value)) {
            snprintf(text, sizeof text, "%" PRId64, (int64_t)json_integer_value(value));
            json_object_set_new(props, name, json_string(text));
        } else {
            json_object_set(props, name, value);
        }
    }
    return props;
}

static json_t *batch_body(const struct batch *batch)
{
    json_t *inputs = json_array();

    for (size_t i = 0; i < batch->count; i++) {
        const struct write_item *item = batch->items[i];
        json_t *props = wire_props(item);
        char trace[24];
        json_t *input;

        snprintf(trace, sizeof trace, "%zu", i);
        if (batch->is_create) {
            json_object_set_new(props, CORRELATION_PROPERTY,
                                json_stringn(item->correlation_key.at, item->correlation_key.len));
            input = json_pack("{s:s%,s:s,s:o,s:s}", "id", item->correlation_key.at,
                              item->correlation_key.len, "idProperty", CORRELATION_PROPERTY,
                              "properties", props, "objectWriteTraceId", trace);
        } else {
            input = json_pack("{s:s%,s:o,s:s}", "id", item->remote_id.at, item->remote_id.len,
                              "properties", props, "objectWriteTraceId", trace);
        }
        json_array_append_new(inputs, input);
    }
    return json_pack("{s:o}", "inputs", inputs);
}

/* --- answers ------------------------------------------------------------------------------------------------------------------- */

static void keep_result(struct batch *batch, const json_t *row)
{
    struct str trace = jx_text_of(jx_get(row, "objectWriteTraceId"));
    struct remote_record record;
    struct error ignored = {0};
    int64_t index = -1;

    if (hubspot_read_record(row, batch->arena, &record, &ignored) != OK) {
        return; /* unmatched: its item stays unknown */
    }
    if (!str_to_i64(trace, &index)) {
        for (size_t i = 0; i < batch->count && index < 0; i++) {
            if (batch->is_create
                    ? str_equal(record.correlation_key, batch->items[i]->correlation_key)
                    : str_equal(record.remote_id, batch->items[i]->remote_id)) {
                index = (int64_t)i;
            }
        }
    }
    if (index < 0 || (size_t)index >= batch->count) {
        return;
    }
    batch->items[index]->outcome = WRITE_DONE;
    batch->items[index]->remote_id = record.remote_id;
    batch->items[index]->returned = record;
}

/* "Existing ID: 123" of a message, or context.existingId. */
static struct str existing_id(const json_t *error)
{
    const json_t *ids = jx_get(jx_get(error, "context"), "existingId");
    struct str message = jx_text_of(jx_get(error, "message"));
    struct str mark = STR("Existing ID: ");
    const char *found = message.len ? memmem(message.at, message.len, mark.at, mark.len) : NULL;
    struct str id;

    if (json_array_size(ids)) {
        return jx_text_of(json_array_get(ids, 0));
    }
    if (!found) {
        return STR("");
    }
    id = str_slice(message, (size_t)(found - message.at) + mark.len, message.len);
    for (size_t i = 0; i < id.len; i++) {
        if (id.at[i] < '0' || id.at[i] > '9') {
            id.len = i;
        }
    }
    return id;
}

/* Names of the properties that an error is about; values are left out, they are personal. */
static void add_names(const json_t *error, struct buf *names)
{
    const json_t *list = jx_get(error, "errors");
    const json_t *context = jx_get(jx_get(error, "context"), "propertyName");

    for (size_t i = 0; i < json_array_size(context); i++) {
        buf_addf(names, " %" PRI_STR, STR_ARG(jx_text_of(json_array_get(context, i))));
    }
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *inner = jx_get(jx_get(json_array_get(list, i), "context"), "propertyName");
        struct str code = jx_text_of(jx_get(json_array_get(list, i), "code"));

        buf_addf(names, " %" PRI_STR, STR_ARG(code));
        for (size_t k = 0; k < json_array_size(inner); k++) {
            buf_addf(names, " %" PRI_STR, STR_ARG(jx_text_of(json_array_get(inner, k))));
        }
    }
}

/* Property errors embed a JSON array in the message: its "name" and "error" members say which property and why. */
static void add_embedded(struct arena *arena, struct str message, struct buf *names)
{
    const char *from = message.len ? memchr(message.at, '[', message.len) : NULL;
    struct error ignored = {0};
    json_t *list;

    if (!from || jx_parse(arena, str_slice(message, (size_t)(from - message.at), message.len),
                          &list, &ignored) != OK) {
        return;
    }
    for (size_t i = 0; i < json_array_size(list); i++) {
        struct str name = jx_text_of(jx_get(json_array_get(list, i), "name"));
        struct str error = jx_text_of(jx_get(json_array_get(list, i), "error"));

        buf_addf(names, " %" PRI_STR " (%" PRI_STR ")", STR_ARG(name), STR_ARG(error));
    }
}

/* What one error row or error document means for one item. */
static void refuse(struct batch *batch, struct write_item *item, const json_t *error,
                   enum fail code)
{
    AUTO_BUF struct buf names = {0};
    struct str category = jx_text_of(jx_get(error, "category"));
    struct str existing = existing_id(error);

    buf_init(&names, 400);
    add_names(error, &names);
    add_embedded(batch->arena, jx_text_of(jx_get(error, "message")), &names);
    item->outcome = WRITE_REFUSED;
    if (existing.len && batch->is_create) {
        item->outcome = WRITE_EXISTS;
        item->remote_id = existing;
    }
    if (str_equal(category, STR("OBJECT_NOT_FOUND"))) {
        code = FAIL_STALE;
    }
    if (existing.len) {
        error_set(&item->error, FAIL_RECORD,
                  "another object at hubspot already has a value that must be unique");
        error_hint(&item->error, "merge the two at the CRM, or change one of them");
        return;
    }
    error_set(&item->error, code, "hubspot refused the record: %" PRI_STR "%s", STR_ARG(category),
              names.at ? names.at : "");
}

static void keep_errors(struct batch *batch, const json_t *body)
{
    const json_t *errors = jx_get(body, "errors");

    for (size_t i = 0; i < json_array_size(errors); i++) {
        const json_t *error = json_array_get(errors, i);
        const json_t *context = jx_get(error, "context");
        const json_t *traces = jx_get(context, "objectWriteTraceId");
        const json_t *ids = jx_get(context, "ids");

        for (size_t k = 0; k < json_array_size(traces); k++) {
            int64_t index;

            if (str_to_i64(jx_text_of(json_array_get(traces, k)), &index) && index >= 0 &&
                (size_t)index < batch->count) {
                refuse(batch, batch->items[index], error, FAIL_RECORD);
            }
        }
        for (size_t k = 0; k < json_array_size(ids); k++) {
            for (size_t item = 0; item < batch->count; item++) {
                if (str_equal(batch->items[item]->remote_id, jx_text_of(json_array_get(ids, k)))) {
                    refuse(batch, batch->items[item], error, FAIL_RECORD);
                }
            }
        }
    }
}

static void mark_all(struct batch *batch, enum write_outcome outcome, const struct error *err)
{
    for (size_t i = 0; i < batch->count; i++) {
        if (batch->items[i]->outcome == WRITE_PENDING) {
            batch->items[i]->outcome = outcome;
            batch->items[i]->error = *err;
        }
    }
}

static enum fail send_batch(struct batch *batch, struct error *err);

/* One bad row can fail the whole request: halves find it. */
static enum fail send_halves(struct batch *batch, struct error *err)
{
    struct batch first = *batch, second = *batch;

    first.count = batch->count / 2;
    second.items += first.count;
    second.count -= first.count;
    error_reset(err);
    if (send_batch(&first, err) != OK) {
        return err->code;
    }
    return send_batch(&second, err);
}

static void keep_answer(struct batch *batch, const json_t *body)
{
    const json_t *results = jx_get(body, "results");
    struct error unknown = {0};

    for (size_t i = 0; i < json_array_size(results); i++) {
        keep_result(batch, json_array_get(results, i));
    }
    keep_errors(batch, body);
    error_set(&unknown, FAIL_RETRY, "hubspot's answer does not say what became of the record");
    unknown.is_outcome_unknown = true;
    mark_all(batch, WRITE_UNKNOWN, &unknown);
}

static enum fail send_batch(struct batch *batch, struct error *err)
{
    /* An update is an absolute set and a create an upsert on our key: both may be repeated. */
    struct hubspot_call call = {
        .method = HTTP_POST,
        .path = hubspot_objects_path(batch->session, batch->arena, batch->kind,
                                     batch->is_create ? "/batch/upsert" : "/batch/update"),
        .body = jx_own(batch->arena, batch_body(batch)),
        .is_safe = true};
    struct hubspot_answer answer;
    enum fail failed = hubspot_exec(batch->session, &call, batch->arena, &answer, err);

    if (failed == OK) {
        keep_answer(batch, answer.body);
        return OK;
    }
    if (err->is_outcome_unknown) {
        mark_all(batch, WRITE_UNKNOWN, err);
        return failed == FAIL_RETRY || failed == FAIL_RECORD ? OK : failed;
    }
    if (failed == FAIL_RECORD || failed == FAIL_STALE) {
        if (batch->count > 1) {
            return send_halves(batch, err);
        }
        refuse(batch, batch->items[0], answer.body, failed);
        error_reset(err);
        return OK;
    }
    return failed; /* nothing more can be sent now; the items stay pending */
}

/* --- associations -------------------------------------------------------------------------------------------------------------- */

static bool has_company(const struct write_item *item)
{
    return item->outcome == WRITE_DONE && json_object_get(item->props, HS_COMPANY_PROPERTY) != NULL;
}

static struct str wanted_company(const struct write_item *item)
{
    return jx_text_of(json_object_get(item->props, HS_COMPANY_PROPERTY));
}

static void add_pair(json_t *inputs, struct str contact, struct str company)
{
    json_array_append_new(inputs, json_pack("{s:{s:s%},s:{s:s%}}", "from", "id", contact.at,
                                            contact.len, "to", "id", company.at, company.len));
}

/* Type 1 is contact → primary company, 279 the plain one; a record has one primary, so the one before stays as a plain association.
 * source: developers.hubspot.com, associate records guide, table of default types. */
static void add_primary(json_t *inputs, struct str contact, struct str company)
{
    json_array_append_new(
        inputs, json_pack("{s:{s:s%},s:{s:s%},s:[{s:s,s:i},{s:s,s:i}]}", "from", "id", contact.at,
                          contact.len, "to", "id", company.at, company.len, "types",
                          "associationCategory", "HUBSPOT_DEFINED", "associationTypeId", 1,
                          "associationCategory", "HUBSPOT_DEFINED", "associationTypeId", 279));
}

/* Contacts that are to have no company lose their primary one: which that is has to be read first. */
static enum fail pairs_to_end(struct batch *batch, struct remote_record *contacts, size_t count,
                              json_t *ret_inputs, struct error *err)
{
    if (count == 0) {
        return OK;
    }
    if (hubspot_read_companies(batch->session, batch->arena, contacts, count, err) != OK) {
        return err->code;
    }
    for (size_t i = 0; i < count; i++) {
        struct str there = jx_text_of(json_object_get(contacts[i].props, HS_COMPANY_PROPERTY));

        if (there.len) {
            add_pair(ret_inputs, contacts[i].remote_id, there);
        }
    }
    return OK;
}

static enum fail send_pairs(struct batch *batch, const char *tail, json_t *inputs,
                            struct error *err)
{
    struct hubspot_call call = {.method = HTTP_POST,
                                .path =
                                    hubspot_associations_path(batch->session, batch->arena, tail),
                                .body = jx_own(batch->arena, json_pack("{s:O}", "inputs", inputs)),
                                .is_safe = true};
    struct hubspot_answer answer;

    if (json_array_size(inputs) == 0) {
        return OK;
    }
    return hubspot_exec(batch->session, &call, batch->arena, &answer, err);
}

static void show_company(struct batch *batch, struct write_item *item)
{
    struct str company = wanted_company(item);

    if (!item->returned.props) {
        item->returned.props = jx_own(batch->arena, json_object());
    }
    json_object_set_new(item->returned.props, HS_COMPANY_PROPERTY,
                        company.len ? json_stringn(company.at, company.len) : json_null());
}

/* The company of contacts that were just written. What fails here leaves the member out of returned.props, so the engine sends it again. */
static enum fail associate(struct batch *batch, struct error *err)
{
    struct remote_record *without =
        ARENA_ARRAY(batch->arena, struct remote_record, batch->count + 1);
    json_t *ends = jx_own(batch->arena, json_array()), *begins = jx_own(batch->arena, json_array());
    size_t count = 0;

    for (size_t i = 0; i < batch->count; i++) {
        const struct write_item *item = batch->items[i];

        if (has_company(item) && wanted_company(item).len) {
            add_primary(begins, item->remote_id, wanted_company(item));
        } else if (has_company(item) && !batch->is_create) {
            without[count] =
                (struct remote_record){.remote_id = item->remote_id, .state = REMOTE_LIVE};
            without[count++].props = jx_own(batch->arena, json_object());
        }
    }
    if (pairs_to_end(batch, without, count, ends, err) != OK ||
        send_pairs(batch, "contacts/companies/batch/archive", ends, err) != OK ||
        send_pairs(batch, "contacts/companies/batch/create", begins, err) != OK) {
        return err->code;
    }
    for (size_t i = 0; i < batch->count; i++) {
        if (has_company(batch->items[i])) {
            show_company(batch, batch->items[i]);
        }
    }
    return OK;
}

/* --- the contract -------------------------------------------------------------------------------------------------------------- */

static bool has_properties(const struct write_item *item)
{
    const char *name;
    json_t *value;

    json_object_foreach(item->props, name, value)
    {
        if (strncmp(name, "associations.", strlen("associations.")) != 0) {
            return true;
        }
    }
    return false;
}

/* An update of nothing but the association needs no object write. */
static void pass_over(struct batch *batch, struct write_item *item)
{
    item->outcome = WRITE_DONE;
    item->returned = (struct remote_record){.remote_id = item->remote_id,
                                            .props = jx_own(batch->arena, json_object())};
}

static enum fail write_batch(struct batch *batch, struct error *err)
{
    struct batch objects = *batch;
    struct write_item **sent = ARENA_ARRAY(batch->arena, struct write_item *, batch->count + 1);

    objects.items = sent;
    objects.count = 0;
    for (size_t i = 0; i < batch->count; i++) {
        if (batch->is_create || has_properties(batch->items[i])) {
            sent[objects.count++] = batch->items[i];
        } else {
            pass_over(batch, batch->items[i]);
        }
    }
    if (objects.count && send_batch(&objects, err) != OK) {
        return err->code;
    }
    if (strcmp(batch->kind, "contact") == 0 && associate(batch, err) != OK) {
        if (err->code != FAIL_RECORD && err->code != FAIL_STALE) {
            return err->code;
        }
        error_reset(err); /* the member is missing in returned.props: the engine sends it again */
    }
    return OK;
}

static enum fail write_all(struct session *session, const char *kind, struct arena *arena,
                           struct write_item *items, size_t count, bool is_create,
                           struct error *err)
{
    struct write_item *picked[HS_BATCH_MAX];
    struct batch batch = {
        .session = session, .kind = kind, .arena = arena, .items = picked, .is_create = is_create};

    for (size_t i = 0; i <= count; i++) {
        if (i < count && (items[i].remote_id.len == 0) == is_create &&
            items[i].outcome == WRITE_PENDING) {
            picked[batch.count++] = &items[i];
        }
        if (batch.count == HS_BATCH_MAX || (i == count && batch.count)) {
            if (write_batch(&batch, err) != OK) {
                return err->code;
            }
            batch.count = 0;
        }
    }
    return OK;
}

enum fail hubspot_upsert(struct session *session, const char *kind, struct arena *arena,
                         struct write_item *items, size_t count, struct error *err)
{
    /* Updates first: a create sets remote_id, and would count as an update afterwards. */
    if (write_all(session, kind, arena, items, count, false, err) != OK) {
        return err->code;
    }
    return write_all(session, kind, arena, items, count, true, err);
}

static enum fail remove_batch(struct session *session, const char *kind, struct remove_item *items,
                              size_t count, struct error *err)
{
    AUTO_ARENA struct arena arena = {0};
    json_t *inputs = json_array();
    struct hubspot_call call = {.method = HTTP_POST,
                                .path =
                                    hubspot_objects_path(session, &arena, kind, "/batch/archive"),
                                .body = jx_own(&arena, json_pack("{s:o}", "inputs", inputs)),
                                .is_safe = true};
    struct hubspot_answer answer;
    enum fail failed;

    for (size_t i = 0; i < count; i++) {
        json_array_append_new(
            inputs, json_pack("{s:s%}", "id", items[i].remote_id.at, items[i].remote_id.len));
    }
    failed = hubspot_exec(session, &call, &arena, &answer, err);
    for (size_t i = 0; i < count; i++) {
        items[i].outcome = failed == OK              ? WRITE_DONE
                           : err->is_outcome_unknown ? WRITE_UNKNOWN
                           : failed == FAIL_RECORD   ? WRITE_REFUSED
                                                     : WRITE_PENDING;
        items[i].error = *err;
    }
    return failed == FAIL_RECORD || (failed != OK && err->is_outcome_unknown) ? OK : failed;
}

enum fail hubspot_remove(struct session *session, const char *kind, struct remove_item *items,
                         size_t count, struct error *err)
{
    for (size_t from = 0; from < count; from += HS_BATCH_MAX) {
        size_t part = count - from < HS_BATCH_MAX ? count - from : HS_BATCH_MAX;

        if (remove_batch(session, kind, items + from, part, err) != OK) {
            return err->code;
        }
    }
    return OK;
}
