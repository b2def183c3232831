/* HubSpot: creating, updating, archiving. A create is an upsert on our unique property, so that a
 * repeat is answered with the first object; activities, which have none, are made together with
 * their links. Other links: hubspot_link_writes.c. */
#include "adapters/hubspot_inside.h"

#include <inttypes.h>
#include <stdio.h>

#include "core/jx.h"

/* Items of one sort that go into one request. */
struct batch {
    struct session *session;
    const char *kind;
    struct arena *arena;
    struct write_item **items;
    size_t count;
    bool is_create;
    /* activities: created by batch/create, with their links unless is_bare */
    const struct hubspot_activity *activity;
    bool is_bare;
};

/* --- requests --------------------------------------------------------------------------------- */

/* Values are texts. "" clears a property, while null changes nothing.
 * source: developers.hubspot.com, properties guide; github.com/estuary/connectors for null. */
static json_t *wire_value(json_t *value)
{
    char text[64];

    if (json_is_null(value)) {
        return json_string("");
    }
    if (json_is_boolean(value)) {
        return json_string(json_is_true(value) ? "true" : "false");
    }
    if (json_is_integer(value)) {
        snprintf(text, sizeof text, "%" PRId64, (int64_t)json_integer_value(value));
        return json_string(text);
    }
    return json_incref(value);
}

static json_t *wire_props(const struct write_item *item)
{
    json_t *props = json_object();
    const char *name;
    json_t *value;

    json_object_foreach(item->props, name, value)
    {
        if (!hubspot_is_pseudo(str_of(name))) {
            json_object_set_new(props, name, wire_value(value));
        }
    }
    return props;
}

static void add_link(json_t *links, struct str to, int type)
{
    if (to.len) {
        json_array_append_new(links, json_pack("{s:{s:s%},s:[{s:s,s:i}]}", "to", "id", to.at,
                                               to.len, "types", "associationCategory",
                                               "HUBSPOT_DEFINED", "associationTypeId", type));
    }
}

/* source: developers.hubspot.com, notes guide: associations of a new activity stand in its input. */
static json_t *wire_links(const struct batch *batch, const struct write_item *item)
{
    const struct hubspot_activity *activity = batch->activity;
    const json_t *contacts = json_object_get(item->props, "associations.contacts");
    json_t *links = json_array();

    for (size_t i = 0; !batch->is_bare && i < json_array_size(contacts); i++) {
        add_link(links, jx_text_of(json_array_get(contacts, i)), activity->contact_type);
    }
    if (!batch->is_bare) {
        add_link(links, jx_text_of(json_object_get(item->props, "associations.company")),
                 activity->company_type);
        add_link(links, jx_text_of(json_object_get(item->props, "associations.deal")),
                 activity->deal_type);
    }
    return links;
}

/* A trace id on every input makes an answer per item possible (207) instead of all or nothing.
 * source: developers.hubspot.com, error handling. */
static json_t *wire_input(const struct batch *batch, size_t index)
{
    const struct write_item *item = batch->items[index];
    struct str key = item->correlation_key;
    json_t *props = wire_props(item);
    char trace[24];

    snprintf(trace, sizeof trace, "%zu", index);
    if (!batch->is_create) {
        return json_pack("{s:s%,s:o,s:s}", "id", item->remote_id.at, item->remote_id.len,
                         "properties", props, "objectWriteTraceId", trace);
    }
    json_object_set_new(props, CORRELATION_PROPERTY, json_stringn(key.at, key.len));
    if (batch->activity) {
        return json_pack("{s:o,s:o,s:s}", "properties", props, "associations",
                         wire_links(batch, item), "objectWriteTraceId", trace);
    }
    return json_pack("{s:s%,s:s,s:o,s:s}", "id", key.at, key.len, "idProperty",
                     CORRELATION_PROPERTY, "properties", props, "objectWriteTraceId", trace);
}

static json_t *batch_body(const struct batch *batch)
{
    json_t *inputs = json_array();

    for (size_t i = 0; i < batch->count; i++) {
        json_array_append_new(inputs, wire_input(batch, i));
    }
    return jx_own(batch->arena, json_pack("{s:o}", "inputs", inputs));
}

/* --- results ---------------------------------------------------------------------------------- */

static bool is_of(const struct batch *batch, const struct write_item *item,
                  const struct remote_record *record)
{
    if (batch->is_create) {
        return item->correlation_key.len &&
               str_equal(record->correlation_key, item->correlation_key);
    }
    return str_equal(record->remote_id, item->remote_id);
}

/* The item that a trace id stands for, or NULL. */
static struct write_item *traced(const struct batch *batch, const json_t *trace)
{
    int64_t index;

    if (!str_to_i64(jx_text_of(trace), &index) || index < 0 || (size_t)index >= batch->count) {
        return NULL;
    }
    return batch->items[index];
}

/* By trace id, else by id or key. A trace that leads to another object is not believed. */
static struct write_item *item_of(const struct batch *batch, const json_t *row,
                                  const struct remote_record *record)
{
    struct write_item *item = traced(batch, jx_get(row, "objectWriteTraceId"));

    if (item) {
        bool is_silent = batch->is_create && record->correlation_key.len == 0;

        return is_silent || is_of(batch, item, record) ? item : NULL;
    }
    for (size_t i = 0; i < batch->count; i++) {
        if (is_of(batch, batch->items[i], record)) {
            return batch->items[i];
        }
    }
    return NULL;
}

/* What cannot be read or matched leaves its item unknown. */
static void keep_result(const struct batch *batch, const json_t *row)
{
    struct remote_record record;
    struct error ignored = {0};
    struct write_item *item;

    if (hubspot_read_record(row, batch->arena, &record, &ignored) != OK) {
        return;
    }
    item = item_of(batch, row, &record);
    if (item && item->outcome == WRITE_PENDING) {
        item->outcome = WRITE_DONE;
        item->remote_id = record.remote_id;
        item->returned = record;
    }
}

/* --- refusals --------------------------------------------------------------------------------- */

/* context.existingId, or "Existing ID: 123" in the message. */
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

static void add_problem(struct buf *names, struct str code, struct str property)
{
    if (code.len || property.len) {
        buf_addf(names, "%s%" PRI_STR "%s%" PRI_STR, names->len ? ", " : "", STR_ARG(property),
                 code.len && property.len ? " " : "", STR_ARG(code));
    }
}

/* Which properties an error is about and why. Values are left out, they are personal. */
static void add_listed(const json_t *error, struct buf *names)
{
    const json_t *list = jx_get(error, "errors");

    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *inner = json_array_get(list, i);
        const json_t *of = jx_get(jx_get(inner, "context"), "propertyName");

        add_problem(names, jx_text_of(jx_get(inner, "code")), jx_text_of(json_array_get(of, 0)));
    }
}

/* Property errors embed a JSON array in the message, with "name" and "error". */
static void add_embedded(struct arena *arena, struct str message, struct buf *names)
{
    const char *from = message.len ? memchr(message.at, '[', message.len) : NULL;
    struct error ignored = {0};
    json_t *list = NULL;

    if (!from || jx_parse(arena, str_slice(message, (size_t)(from - message.at), message.len),
                          &list, &ignored) != OK) {
        return;
    }
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *inner = json_array_get(list, i);

        add_problem(names, jx_text_of(jx_get(inner, "error")), jx_text_of(jx_get(inner, "name")));
    }
}

static void add_reason(const struct batch *batch, const json_t *error, struct buf *reason)
{
    struct str message = jx_text_of(jx_get(error, "message"));

    add_listed(error, reason);
    if (reason->len == 0) {
        add_embedded(batch->arena, message, reason);
    }
    if (reason->len == 0) {
        hubspot_plain_words(str_slice(message, 0, 160), reason);
    }
}

static void refuse_taken(const struct batch *batch, struct write_item *item, struct str existing)
{
    item->outcome = WRITE_REFUSED;
    if (batch->is_create && existing.len) {
        item->outcome = WRITE_EXISTS;
        item->remote_id = existing;
    }
    error_set(&item->error, FAIL_RECORD,
              "another object at hubspot already has a value that must be unique");
    error_hint(&item->error, "merge the two at the CRM, or change one of them");
}

/* What one error row or error document means for one item. */
static void refuse(const struct batch *batch, struct write_item *item, const json_t *error)
{
    AUTO_BUF struct buf reason = {0};
    struct str category = jx_text_of(jx_get(error, "category"));
    struct str existing = existing_id(error);

    if (item->outcome != WRITE_PENDING) {
        return;
    }
    if (existing.len || str_equal(category, STR("CONFLICT"))) {
        refuse_taken(batch, item, existing);
        return;
    }
    buf_init(&reason, 400);
    add_reason(batch, error, &reason);
    item->outcome = WRITE_REFUSED;
    error_set(&item->error, str_equal(category, STR("OBJECT_NOT_FOUND")) ? FAIL_STALE : FAIL_RECORD,
              "hubspot refused the record: %s", reason.len ? reason.at : "it does not say why");
}

/* The property that creates are matched on is missing: that is about the account, not the record.
 * The wording is from github.com/HubSpot/hubspot-api-nodejs issue 548. */
static bool is_about_setup(const json_t *error)
{
    struct str message = jx_text_of(jx_get(error, "message"));

    return str_contains(message, STR(CORRELATION_PROPERTY)) &&
           (str_contains(message, STR("non-unique")) ||
            str_contains(message, STR("PROPERTY_DOESNT_EXIST")));
}

static enum fail setup_missing(struct error *err)
{
    error_set(err, FAIL_CONNECTION,
              "hubspot has no unique property " CORRELATION_PROPERTY
              " that creates are matched on");
    return error_hint(err, "run 'crmsync setup' for this connection");
}

static bool names_id(const json_t *context, struct str id)
{
    const json_t *ids = jx_get(context, "ids");

    for (size_t i = 0; id.len && i < json_array_size(ids); i++) {
        if (str_equal(jx_text_of(json_array_get(ids, i)), id)) {
            return true;
        }
    }
    return false;
}

/* Error rows have no order of their own: they name trace ids, else ids. */
static void keep_error(const struct batch *batch, const json_t *error)
{
    const json_t *context = jx_get(error, "context");
    const json_t *traces = jx_get(context, "objectWriteTraceId");

    for (size_t i = 0; i < json_array_size(traces); i++) {
        struct write_item *item = traced(batch, json_array_get(traces, i));

        if (item) {
            refuse(batch, item, error);
        }
    }
    for (size_t i = 0; json_array_size(traces) == 0 && i < batch->count; i++) {
        if (names_id(context, batch->items[i]->remote_id)) {
            refuse(batch, batch->items[i], error);
        }
    }
}

/* --- sending ---------------------------------------------------------------------------------- */

static void mark_unknown(const struct batch *batch, const struct error *err)
{
    for (size_t i = 0; i < batch->count; i++) {
        if (batch->items[i]->outcome == WRITE_PENDING) {
            batch->items[i]->outcome = WRITE_UNKNOWN;
            batch->items[i]->error = *err;
        }
    }
}

static enum fail keep_answer(const struct batch *batch, const json_t *body, struct error *err)
{
    const json_t *results = jx_get(body, "results"), *errors = jx_get(body, "errors");
    struct error unknown = {0};
    bool lacks_setup = false;

    for (size_t i = 0; i < json_array_size(results); i++) {
        keep_result(batch, json_array_get(results, i));
    }
    for (size_t i = 0; i < json_array_size(errors); i++) {
        lacks_setup = lacks_setup || is_about_setup(json_array_get(errors, i));
        if (!lacks_setup) {
            keep_error(batch, json_array_get(errors, i));
        }
    }
    if (lacks_setup) {
        return setup_missing(err);
    }
    error_set(&unknown, FAIL_RETRY, "hubspot's answer does not say what became of the record");
    unknown.is_outcome_unknown = true;
    mark_unknown(batch, &unknown);
    return OK;
}

static enum fail send_batch(const struct batch *batch, struct error *err);

/* One bad item can fail the whole request: halves find it. */
static enum fail send_halves(const struct batch *batch, struct error *err)
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

static enum fail keep_failure(const struct batch *batch, const json_t *body, struct error *err)
{
    if (err->is_outcome_unknown) {
        mark_unknown(batch, err);
        if (err->code <= FAIL_RETRY && err->code != FAIL_THROTTLED) {
            error_reset(err); /* each is looked up on its own */
        }
        return err->code;
    }
    if (err->code != FAIL_RECORD && err->code != FAIL_STALE) {
        return err->code; /* nothing more can be sent now; the items stay pending */
    }
    if (is_about_setup(body)) {
        return setup_missing(err);
    }
    if (batch->count > 1) {
        return send_halves(batch, err);
    }
    refuse(batch, batch->items[0], body);
    error_reset(err);
    return OK;
}

static enum fail send_batch(const struct batch *batch, struct error *err)
{
    /* An update is an absolute set and a create an upsert on our key: both may be repeated. The
     * create of an activity may not. */
    bool is_plain_create = batch->is_create && batch->activity;
    struct hubspot_call call = {.method = HTTP_POST,
                                .path =
                                    hubspot_objects_path(batch->session, batch->arena, batch->kind,
                                                         is_plain_create    ? "/batch/create"
                                                         : batch->is_create ? "/batch/upsert"
                                                                            : "/batch/update"),
                                .body = batch_body(batch),
                                .is_safe = !is_plain_create,
                                .may_be_missing = true};
    struct hubspot_answer answer;

    if (hubspot_exec(batch->session, &call, batch->arena, &answer, err) == OK) {
        return keep_answer(batch, answer.body, err);
    }
    return keep_failure(batch, answer.body, err);
}

/* --- links ------------------------------------------------------------------------------------ */

/* An update of nothing but links needs no write of the object. */
static bool has_properties(const struct write_item *item)
{
    const char *name;
    json_t *value;

    json_object_foreach(item->props, name, value)
    {
        if (!hubspot_is_pseudo(str_of(name))) {
            return true;
        }
    }
    return false;
}

static bool has_links(const struct write_item *item)
{
    for (size_t i = 0; i < HS_RELATIONS; i++) {
        if (json_object_get(item->props, hubspot_relations[i].property)) {
            return true;
        }
    }
    return false;
}

/* Those made together with their activities. */
static void show_links(const struct batch *batch, struct write_item *item)
{
    for (size_t i = 0; i < HS_RELATIONS; i++) {
        json_t *value = json_object_get(item->props, hubspot_relations[i].property);

        if (value) {
            hubspot_show(batch->arena, item, hubspot_relations[i].property, json_incref(value));
        }
    }
}

/* --- the contract ----------------------------------------------------------------------------- */

/* Items of one sort, a hundred at a time. */
static enum fail send_all(const struct batch *all, struct error *err)
{
    for (size_t from = 0; from < all->count; from += HS_BATCH_MAX) {
        struct batch batch = *all;
        size_t left = all->count - from;

        batch.items += from;
        batch.count = left < HS_BATCH_MAX ? left : HS_BATCH_MAX;
        if (send_batch(&batch, err) != OK) {
            return err->code;
        }
    }
    return OK;
}

/* One link that cannot be made fails its activity: what was refused is made without links, and they
 * are tried on their own. */
static enum fail send_bare(const struct batch *creates, struct error *err)
{
    struct batch bare = *creates;

    bare.is_bare = true;
    bare.items = ARENA_ARRAY(creates->arena, struct write_item *, creates->count + 1);
    bare.count = 0;
    for (size_t i = 0; i < creates->count; i++) {
        struct write_item *item = creates->items[i];

        if (item->outcome == WRITE_DONE) {
            show_links(creates, item);
        } else if (item->outcome == WRITE_REFUSED && has_links(item)) {
            item->outcome = WRITE_PENDING;
            item->error = (struct error){0};
            bare.items[bare.count++] = item;
        }
    }
    return send_all(&bare, err);
}

/* Nothing to send at all is done. */
static void sort_items(struct write_item **items, size_t count, struct batch *updates,
                       struct batch *creates)
{
    for (size_t i = 0; i < count; i++) {
        struct write_item *item = items[i];

        if (item->outcome != WRITE_PENDING) {
            continue;
        }
        if (item->remote_id.len == 0) {
            creates->items[creates->count++] = item;
        } else if (has_properties(item)) {
            updates->items[updates->count++] = item;
        } else if (!has_links(item)) {
            item->outcome = WRITE_DONE;
            item->returned = (struct remote_record){.remote_id = item->remote_id};
        }
    }
}

static bool has_shown_links(const struct write_item *item)
{
    for (size_t i = 0; i < HS_RELATIONS; i++) {
        if (json_object_get(item->props, hubspot_relations[i].property) &&
            !json_object_get(item->returned.props, hubspot_relations[i].property)) {
            return false;
        }
    }
    return true;
}

static enum fail write_items(struct session *session, const char *kind, struct arena *arena,
                             struct write_item **items, size_t count, struct error *err)
{
    struct batch updates = {.session = session,
                            .kind = kind,
                            .arena = arena,
                            .items = ARENA_ARRAY(arena, struct write_item *, count + 1),
                            .activity = hubspot_activity_of_kind(kind)};
    struct batch creates = updates;
    struct write_item **linked = ARENA_ARRAY(arena, struct write_item *, count + 1);
    bool *is_new = ARENA_ARRAY(arena, bool, count + 1);
    size_t linked_count = 0;

    creates.items = ARENA_ARRAY(arena, struct write_item *, count + 1);
    creates.is_create = true;
    sort_items(items, count, &updates, &creates);
    for (size_t i = 0; i < count; i++) {
        is_new[i] = items[i]->remote_id.len == 0;
    }
    if (send_all(&updates, err) != OK || send_all(&creates, err) != OK ||
        (creates.activity && send_bare(&creates, err) != OK)) {
        return err->code;
    }
    for (size_t i = 0; i < count; i++) {
        if (!has_shown_links(items[i])) {
            is_new[linked_count] = is_new[i];
            linked[linked_count++] = items[i];
        }
    }
    return hubspot_write_links(session, arena, kind, linked, is_new, linked_count, err);
}

/* Stages are resolved in props of our own; the caller's are put back. */
static enum fail write_deals(struct session *session, struct arena *arena,
                             struct write_item **items, size_t count, struct error *err)
{
    json_t **props = ARENA_ARRAY(arena, json_t *, count + 1);
    const json_t **current = ARENA_ARRAY(arena, const json_t *, count + 1);

    for (size_t i = 0; i < count; i++) {
        props[i] = items[i]->props;
        current[i] = items[i]->current;
    }
    if (hubspot_resolve_stages(session, arena, items, count, err) == OK) {
        (void)!write_items(session, "deal", arena, items, count, err);
    }
    for (size_t i = 0; i < count; i++) {
        items[i]->props = props[i];
        items[i]->current = current[i];
        if (items[i]->outcome == WRITE_DONE) {
            hubspot_show_stage(session, &items[i]->returned);
        }
    }
    return err->code;
}

enum fail hubspot_upsert(struct session *session, const char *kind, struct arena *arena,
                         struct write_item *items, size_t count, struct error *err)
{
    struct write_item **pending = ARENA_ARRAY(arena, struct write_item *, count + 1);
    size_t pending_count = 0;

    if (strcmp(kind, HS_ACTIVITY) == 0) {
        return hubspot_activity_upsert(session, arena, items, count, err);
    }
    for (size_t i = 0; i < count; i++) {
        if (items[i].outcome == WRITE_PENDING) {
            pending[pending_count++] = &items[i];
        }
    }
    return strcmp(kind, "deal") == 0
               ? write_deals(session, arena, pending, pending_count, err)
               : write_items(session, kind, arena, pending, pending_count, err);
}

static int64_t batches_of(size_t count)
{
    return (int64_t)((count + HS_BATCH_MAX - 1) / HS_BATCH_MAX);
}

static bool writes_deal(const struct write_item *item)
{
    const char *name;
    json_t *value;

    json_object_foreach(item->props, name, value)
    {
        if (!hubspot_is_pseudo(str_of(name)) && !hubspot_is_stage_part(item, str_of(name))) {
            return true;
        }
    }
    return hubspot_moves_stage(item);
}

/* Beside these the first write of deals in a session may read the pipelines. */
int64_t hubspot_upsert_calls(const char *kind, const struct write_item *items, size_t count)
{
    AUTO_ARENA struct arena arena = {0};
    struct write_item *linked = ARENA_ARRAY(&arena, struct write_item, count + 1);
    size_t updates = 0, creates = 0, linked_count = 0, lacking = 0;
    bool is_deal = strcmp(kind, "deal") == 0;

    if (strcmp(kind, HS_ACTIVITY) == 0) {
        return hubspot_activity_upsert_calls(items, count);
    }
    for (size_t i = 0; i < count; i++) {
        bool is_create = items[i].remote_id.len == 0;

        creates += is_create;
        updates += !is_create && (is_deal ? writes_deal(&items[i]) : has_properties(&items[i]));
        if (!is_create || !hubspot_activity_of_kind(kind)) {
            linked[linked_count++] = items[i];
        }
    }
    if (is_deal) {
        lacking = hubspot_lacking_stages(items, count);
    }
    return batches_of(updates) + batches_of(creates) + batches_of(lacking) +
           hubspot_link_calls(kind, linked, linked_count);
}

static void mark_removed(struct remove_item *items, size_t count, enum write_outcome outcome,
                         const struct error *err)
{
    for (size_t i = 0; i < count; i++) {
        items[i].outcome = outcome;
        items[i].error = *err;
    }
}

/* The answer has no details; what is gone already is passed over.
 * source: developers.hubspot.com, using object APIs. */
static enum fail remove_batch(struct session *session, const char *kind, struct remove_item *items,
                              size_t count, struct error *err)
{
    AUTO_ARENA struct arena arena = {0};
    json_t *inputs = json_array();
    struct hubspot_call call = {.method = HTTP_POST,
                                .path =
                                    hubspot_objects_path(session, &arena, kind, "/batch/archive"),
                                .body = jx_own(&arena, json_pack("{s:o}", "inputs", inputs)),
                                .is_safe = true,
                                .may_be_missing = true};
    struct hubspot_answer answer;
    enum fail failed;

    for (size_t i = 0; i < count; i++) {
        json_array_append_new(
            inputs, json_pack("{s:s%}", "id", items[i].remote_id.at, items[i].remote_id.len));
    }
    failed = hubspot_exec(session, &call, &arena, &answer, err);
    if (failed == OK || (failed == FAIL_STALE && err->http_status == 404 && count == 1)) {
        error_reset(err);
        mark_removed(items, count, WRITE_DONE, err);
    } else if (err->is_outcome_unknown) {
        mark_removed(items, count, WRITE_UNKNOWN, err);
        if (failed == FAIL_RETRY) {
            error_reset(err);
        }
    } else if (failed == FAIL_RECORD || failed == FAIL_STALE) {
        if (count > 1) {
            error_reset(err);
            return remove_batch(session, kind, items, count / 2, err) != OK
                       ? err->code
                       : remove_batch(session, kind, items + count / 2, count - count / 2, err);
        }
        mark_removed(items, count, WRITE_REFUSED, err);
        error_reset(err);
    }
    return err->code;
}

enum fail hubspot_remove(struct session *session, const char *kind, struct remove_item *items,
                         size_t count, struct error *err)
{
    if (strcmp(kind, HS_ACTIVITY) == 0) {
        return hubspot_activity_remove(session, items, count, err);
    }
    for (size_t from = 0; from < count; from += HS_BATCH_MAX) {
        size_t part = count - from < HS_BATCH_MAX ? count - from : HS_BATCH_MAX;

        if (remove_batch(session, kind, items + from, part, err) != OK) {
            return err->code;
        }
    }
    return OK;
}

int64_t hubspot_remove_calls(const char *kind, const struct remove_item *items, size_t count)
{
    return strcmp(kind, HS_ACTIVITY) == 0 ? hubspot_activity_remove_calls(items, count)
                                          : batches_of(count);
}
