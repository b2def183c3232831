/* Salesforce: creating, updating, deleting. A create is an upsert by the external id field that carries our key, so that repeating it
 * finds what the first one made; an update goes by id. source: REST API Developer Guide, "Upsert Records Using sObject Collections",
 * "Update Records Using sObject Collections", "Delete Records Using sObject Collections", "Conditional Request Headers" */
#include <stdlib.h>

#include "adapters/salesforce_events.h"
#include "adapters/salesforce_write.h"
#include "core/jx.h"

/* The items of one upsert() call. */
struct batch {
    struct session *session;
    const char *kind;
    struct arena *arena;
    struct salesforce_outgoing *at;
    size_t count;
};

/* Some of them that go through one door. */
struct group {
    struct salesforce_outgoing **at;
    size_t count;
    const char *object; /* creates: their object; NULL: updates, of any */
    bool is_locked;     /* one row each, with a condition */
};

/* --- before sending --------------------------------------------------------------------------- */

void salesforce_note_needs(const char *kind, const struct write_item *item,
                           struct salesforce_needs *needs)
{
    const char *name;
    json_t *value;

    json_object_foreach(item->props, name, value)
    {
        json_object_set_new(needs->names, name, json_true());
    }
    needs->leads = needs->leads || strcmp(salesforce_target_name(kind, item), SF_LEAD) == 0;
    needs->choices = needs->choices || salesforce_needs_choices(kind, item);
}

enum fail salesforce_meet_needs(struct session *session, const char *kind,
                                const struct salesforce_needs *needs, struct arena *arena,
                                struct error *err)
{
    static const char *const LEAD[] = {SF_LEAD};
    struct str *names = ARENA_ARRAY(arena, struct str, json_object_size(needs->names) + 1);
    size_t count = 0;
    const char *name;
    json_t *value;

    json_object_foreach(needs->names, name, value)
    {
        names[count++] = str_of(name);
    }
    if (salesforce_ready(session, kind, names, count, err) != OK ||
        (needs->leads && salesforce_load_objects(session, LEAD, 1, false, err) != OK)) {
        return err->code;
    }
    return needs->choices ? salesforce_load_choices(session, err) : OK;
}

static enum fail get_ready(const struct batch *batch, const struct write_item *items, size_t count,
                           struct error *err)
{
    struct salesforce_needs needs = {.names = jx_own(batch->arena, json_object())};

    for (size_t i = 0; i < count; i++) {
        salesforce_note_needs(batch->kind, &items[i], &needs);
    }
    return salesforce_meet_needs(batch->session, batch->kind, &needs, batch->arena, err);
}

static void fill_all(struct batch *batch, struct write_item *items, size_t count)
{
    batch->at = ARENA_ARRAY(batch->arena, struct salesforce_outgoing, count + 1);
    for (size_t i = 0; i < count; i++) {
        struct error err = {0};

        if (items[i].outcome != WRITE_PENDING) {
            continue;
        }
        if (salesforce_fill(batch->session, batch->kind, &items[i], batch->arena,
                            &batch->at[batch->count], &err) != OK) {
            items[i].outcome = WRITE_REFUSED;
            items[i].error = err;
        } else {
            batch->count++;
        }
    }
}

/* Rows of one parent are written one after the other: the parent's row is locked along with each of them.
 * source: help.salesforce.com, "Record-Level Locking"; reference to jsforce issue 1018 */
static int compare_outgoing(const void *x, const void *y)
{
    const struct salesforce_outgoing *a = *(struct salesforce_outgoing *const *)x;
    const struct salesforce_outgoing *b = *(struct salesforce_outgoing *const *)y;
    int order = strcmp(a->object, b->object);

    order = order ? order : str_compare(a->parent, b->parent);
    return order ? order : (a->item > b->item) - (a->item < b->item);
}

/* --- what is sent ----------------------------------------------------------------------------- */

/* The members in front of which the record says what it is. */
static json_t *record_of(const struct salesforce_outgoing *out)
{
    struct str id = out->item->remote_id, key = out->item->correlation_key;
    json_t *record = json_pack("{s:{s:s}}", "attributes", "type", out->object);

    if (out->is_create) {
        json_object_set_new(record, SF_KEY_FIELD, json_stringn(key.at, key.len));
    } else {
        json_object_set_new(record, "id", json_stringn(id.at, id.len));
    }
    json_object_update(record, out->body);
    return record;
}

static json_t *collection_of(const struct group *group, struct arena *arena)
{
    json_t *records = json_array();

    for (size_t i = 0; i < group->count; i++) {
        json_array_append_new(records, record_of(group->at[i]));
    }
    return jx_own(arena, json_pack("{s:b,s:o}", "allOrNone", 0, "records", records));
}

static json_t *row_headers(const struct salesforce_outgoing *out, struct arena *arena)
{
    json_t *headers = salesforce_write_headers(arena);

    json_object_set_new(headers, "If-Unmodified-Since",
                        json_stringn(out->since.at, out->since.len));
    return headers;
}

/* One row, on condition that it is as it was read. Not repeatable: the second time it would be our own change that forbids it. */
static struct salesforce_part row_part(const struct salesforce_outgoing *out, struct arena *arena)
{
    return (struct salesforce_part){.method = HTTP_PATCH,
                                    .path =
                                        arena_printf(arena, "/sobjects/%s/%" PRI_STR, out->object,
                                                     STR_ARG(out->item->remote_id)),
                                    .body = out->body,
                                    .headers = row_headers(out, arena),
                                    .is_row = true};
}

static struct salesforce_part collection_part(const struct group *group, struct arena *arena)
{
    return (struct salesforce_part){
        .method = HTTP_PATCH,
        .path = group->object
                    ? arena_printf(arena, "/composite/sobjects/%s/" SF_KEY_FIELD, group->object)
                    : STR("/composite/sobjects"),
        .body = collection_of(group, arena),
        .headers = salesforce_write_headers(arena),
        .is_repeatable = true};
}

/* --- what came back --------------------------------------------------------------------------- */

static void keep_unknown(struct salesforce_outgoing *out)
{
    struct error err = {0};

    error_set(&err, FAIL_RETRY, "salesforce's answer does not say what became of the record");
    err.is_outcome_unknown = true;
    salesforce_keep_failure(out, &err);
}

/* source: REST API Developer Guide, "sObject Collections": results are in the order of the records */
static void keep_row(struct salesforce_outgoing *out, const json_t *row, struct arena *arena)
{
    struct str id = jx_text_of(jx_get(row, "id"));
    bool is_own = out->is_create || salesforce_same_id(id, out->item->remote_id);

    if (json_is_true(jx_get(row, "success")) && salesforce_is_id(id) && is_own) {
        salesforce_keep_done(out, id, arena);
    } else if (json_is_false(jx_get(row, "success"))) {
        salesforce_refuse(out, 400, jx_get(row, "errors"), arena);
    } else {
        keep_unknown(out);
    }
}

static void keep_rows(const struct group *group, const json_t *rows, struct arena *arena)
{
    bool is_whole = json_array_size(rows) == group->count;

    for (size_t i = 0; i < group->count; i++) {
        if (is_whole) {
            keep_row(group->at[i], json_array_get(rows, i), arena);
        } else {
            keep_unknown(group->at[i]);
        }
    }
}

/* A record that has to wait (the org's storage is full) while its request was well: all have to. */
static enum fail held_back(const struct group *group, struct error *err)
{
    for (size_t i = 0; i < group->count; i++) {
        const struct write_item *item = group->at[i]->item;

        if (item->outcome == WRITE_PENDING && item->error.code != OK) {
            *err = item->error;
            break;
        }
    }
    return err->code;
}

/* The field that creates are matched on: without it the address is unknown.
 * source: captured "Provided external ID field does not exist or is not accessible" (restforce) */
static bool lacks_key(const struct group *group, const struct salesforce_sub *sub)
{
    struct str code = salesforce_error_code(sub->answer);
    struct str message = jx_text_of(jx_get(
        json_is_array(sub->answer) ? json_array_get(sub->answer, 0) : sub->answer, "message"));

    return group->object && str_contains(message, STR(SF_KEY_FIELD)) &&
           (str_equal(code, STR("NOT_FOUND")) || str_equal(code, STR("INVALID_FIELD")));
}

static enum fail send_groups(const struct batch *batch, const struct group *groups, size_t count,
                             struct error *err);

/* One bad record can fail its whole request: halves find it. */
static enum fail send_halves(const struct batch *batch, const struct group *group,
                             struct error *err)
{
    struct group halves[2] = {*group, *group};

    halves[0].count = group->count / 2;
    halves[1].at += halves[0].count;
    halves[1].count -= halves[0].count;
    return send_groups(batch, halves, COUNT_OF(halves), err);
}

static enum fail keep_part(const struct batch *batch, const struct group *group,
                           const struct salesforce_sub *sub, struct error *err)
{
    if (sub->result == OK && group->is_locked) {
        salesforce_keep_done(group->at[0], group->at[0]->item->remote_id, batch->arena);
    } else if (sub->result == OK) {
        keep_rows(group, sub->answer, batch->arena);
        return held_back(group, err);
    } else if (lacks_key(group, sub)) {
        return salesforce_no_key(group->object, err);
    } else if (group->is_locked && sub->answer) {
        salesforce_refuse(group->at[0], sub->status, sub->answer, batch->arena);
    } else if (group->count > 1 && !sub->error.is_outcome_unknown &&
               (sub->result == FAIL_RECORD || sub->result == FAIL_STALE)) {
        return send_halves(batch, group, err);
    } else if (group->count == 1 && sub->answer && !sub->error.is_outcome_unknown) {
        salesforce_refuse(group->at[0], sub->status, sub->answer, batch->arena);
    } else {
        for (size_t i = 0; i < group->count; i++) {
            salesforce_keep_failure(group->at[i], &sub->error);
        }
    }
    return OK;
}

static enum fail send_groups(const struct batch *batch, const struct group *groups, size_t count,
                             struct error *err)
{
    struct salesforce_part *parts = ARENA_ARRAY(batch->arena, struct salesforce_part, count + 1);
    enum fail failed;

    for (size_t i = 0; i < count; i++) {
        parts[i] = groups[i].is_locked ? row_part(groups[i].at[0], batch->arena)
                                       : collection_part(&groups[i], batch->arena);
    }
    failed = salesforce_send_parts(batch->session, parts, count, batch->arena, err);
    for (size_t i = 0; i < count; i++) {
        struct error kept = {0};

        if (keep_part(batch, &groups[i], &parts[i].sub, &kept) != OK && failed == OK) {
            *err = kept;
            failed = kept.code;
        }
    }
    return failed;
}

/* --- groups ----------------------------------------------------------------------------------- */

struct groups {
    struct group *at;
    size_t count;
};

/* Two hundred at a time; a create's object is its address. */
static void add_collections(struct groups *groups, struct salesforce_outgoing **outs, size_t count)
{
    for (size_t from = 0; from < count;) {
        bool is_create = outs[from]->is_create;
        struct group *group = &groups->at[groups->count++];

        *group = (struct group){.at = outs + from, .object = is_create ? outs[from]->object : NULL};
        while (from < count && group->count < SF_COLLECTION_MAX &&
               (!is_create || strcmp(outs[from]->object, group->object) == 0)) {
            group->count++;
            from++;
        }
    }
}

static void add_rows(struct groups *groups, struct salesforce_outgoing **outs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        groups->at[groups->count++] = (struct group){.at = outs + i, .count = 1, .is_locked = true};
    }
}

/* What has something to say about itself, updates or creates, in the order of their parents. */
static size_t select_outs(const struct batch *batch, bool is_create,
                          struct salesforce_outgoing **ret)
{
    size_t count = 0;

    for (size_t i = 0; i < batch->count; i++) {
        struct salesforce_outgoing *out = &batch->at[i];

        if (out->is_create == is_create && (is_create || json_object_size(out->body))) {
            ret[count++] = out;
        }
    }
    if (count) {
        qsort(ret, count, sizeof(struct salesforce_outgoing *), compare_outgoing);
    }
    return count;
}

/* Few updates can each be sent on condition. */
static bool are_lockable(struct salesforce_outgoing *const *outs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!outs[i]->since.len) {
            return false;
        }
    }
    return count <= SF_LOCKED_MAX;
}

static enum fail send_all(const struct batch *batch, struct error *err)
{
    size_t room = batch->count + 1;
    struct salesforce_outgoing **updates =
        ARENA_ARRAY(batch->arena, struct salesforce_outgoing *, room);
    struct salesforce_outgoing **creates =
        ARENA_ARRAY(batch->arena, struct salesforce_outgoing *, room);
    struct groups groups = {.at = ARENA_ARRAY(batch->arena, struct group, room)};
    size_t updates_count = select_outs(batch, false, updates);
    size_t creates_count = select_outs(batch, true, creates);

    if (are_lockable(updates, updates_count)) {
        add_rows(&groups, updates, updates_count);
    } else {
        add_collections(&groups, updates, updates_count);
    }
    add_collections(&groups, creates, creates_count);
    return groups.count ? send_groups(batch, groups.at, groups.count, err) : OK;
}

/* --- what a duplicate rule matched ------------------------------------------------------------ */

/* Alone, a create is answered with the records that it resembles. */
static struct salesforce_part alone_part(const struct salesforce_outgoing *out, struct arena *arena)
{
    struct str key = http_percent_encode(arena, out->item->correlation_key);

    return (struct salesforce_part){.method = HTTP_PATCH,
                                    .path = arena_printf(arena,
                                                         "/sobjects/%s/" SF_KEY_FIELD "/%" PRI_STR,
                                                         out->object, STR_ARG(key)),
                                    .body = out->body,
                                    .headers = salesforce_write_headers(arena),
                                    .is_row = true,
                                    .is_repeatable = true};
}

static void keep_alone(struct salesforce_outgoing *out, const struct salesforce_sub *sub,
                       struct arena *arena)
{
    struct write_item *item = out->item;

    if (sub->status == 0 && !sub->error.is_outcome_unknown) {
        return; /* not sent: it stays refused */
    }
    item->outcome = WRITE_PENDING;
    item->error = (struct error){0};
    if (sub->result == OK) {
        keep_row(out, sub->answer, arena);
    } else if (sub->answer && !sub->error.is_outcome_unknown) {
        salesforce_refuse(out, sub->status, sub->answer, arena);
    } else {
        salesforce_keep_failure(out, &sub->error);
    }
}

/* One call: further ones stay refused without a name. */
static enum fail ask_for_matches(const struct batch *batch, struct error *err)
{
    struct salesforce_outgoing *outs[SF_COMPOSITE_MAX];
    struct salesforce_part parts[SF_COMPOSITE_MAX];
    size_t count = 0;
    enum fail failed;

    for (size_t i = 0; i < batch->count && count < SF_COMPOSITE_MAX; i++) {
        struct salesforce_outgoing *out = &batch->at[i];

        if (out->is_create && out->lacks_matches && out->item->outcome == WRITE_REFUSED) {
            parts[count] = alone_part(out, batch->arena);
            outs[count++] = out;
        }
    }
    failed = count ? salesforce_send_parts(batch->session, parts, count, batch->arena, err) : OK;
    for (size_t i = 0; i < count; i++) {
        keep_alone(outs[i], &parts[i].sub, batch->arena);
    }
    return failed;
}

/* --- the contract ----------------------------------------------------------------------------- */

/* Updates that say nothing about the object itself. */
static void keep_silent(const struct batch *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        struct salesforce_outgoing *out = &batch->at[i];

        if (out->item->outcome == WRITE_PENDING && !out->is_create &&
            json_object_size(out->body) == 0) {
            salesforce_keep_done(out, out->item->remote_id, batch->arena);
        }
    }
}

/* Change events will tell of them too. */
static void note_written(const struct batch *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        const struct salesforce_outgoing *out = &batch->at[i];

        if (!out->is_create && out->item->outcome == WRITE_DONE) {
            salesforce_note_written(batch->session, out->item->remote_id, out->body);
        }
    }
}

static enum fail write_batch(struct batch *batch, struct write_item *items, size_t count,
                             struct error *err)
{
    if (get_ready(batch, items, count, err) != OK) {
        return err->code;
    }
    fill_all(batch, items, count);
    keep_silent(batch);
    if (send_all(batch, err) == OK) {
        (void)!ask_for_matches(batch, err);
    }
    note_written(batch);
    return err->code;
}

enum fail salesforce_write_objects(struct session *session, const char *kind, struct arena *arena,
                                   struct write_item *items, size_t count, struct error *err)
{
    struct batch batch = {.session = session, .kind = kind, .arena = arena};

    return write_batch(&batch, items, count, err);
}

enum fail salesforce_upsert(struct session *session, const char *kind, struct arena *arena,
                            struct write_item *items, size_t count, struct error *err)
{
    struct batch batch = {.session = session, .kind = kind, .arena = arena};

    error_reset(err);
    if (write_batch(&batch, items, count, err) != OK && !batch.at) {
        return err->code; /* none of them was looked at */
    }
    return strcmp(kind, "deal") == 0
               ? salesforce_write_roles(session, batch.at, batch.count, arena, err)
               : err->code;
}

/* An update may be about nothing but people, or about the stage that it has. */
static bool writes_object(const struct write_item *item)
{
    const char *name;
    json_t *value;

    json_object_foreach(item->props, name, value)
    {
        bool is_stage = strcmp(name, SF_DEAL_STAGE) == 0 || strcmp(name, SF_DEAL_STATUS) == 0;

        if (strcmp(name, SF_DEAL_CONTACTS) != 0 &&
            !(is_stage && json_equal(value, json_object_get(item->current, name)))) {
            return true;
        }
    }
    return false;
}

bool salesforce_is_beside(const char *object)
{
    return strcmp(object, SF_EVENT) == 0 || strcmp(object, SF_LEAD) == 0;
}

/* Beside these the first write in a session may read descriptions, stages and states. */
int64_t salesforce_upsert_calls(const char *kind, const struct write_item *items, size_t count)
{
    size_t updates = 0, creates = 0, others = 0, collections;
    bool is_lockable = true;

    for (size_t i = 0; i < count; i++) {
        const char *object = salesforce_target_name(kind, &items[i]);

        if (!salesforce_is_create(&items[i])) {
            updates += writes_object(&items[i]);
            is_lockable = is_lockable && json_object_get(items[i].current, "SystemModstamp");
        } else if (salesforce_is_beside(object)) {
            others++;
        } else {
            creates++;
        }
    }
    is_lockable = is_lockable && updates <= SF_LOCKED_MAX;
    collections = salesforce_collections_of(creates) + salesforce_collections_of(others) +
                  (is_lockable ? 0 : salesforce_collections_of(updates));
    return salesforce_pack_calls(is_lockable ? updates : 0, collections) +
           (strcmp(kind, "deal") == 0 ? salesforce_role_calls(items, count) : 0);
}

/* --- deleting --------------------------------------------------------------------------------- */

static int compare_removals(const void *x, const void *y)
{
    return str_compare((*(struct remove_item *const *)x)->remote_id,
                       (*(struct remove_item *const *)y)->remote_id);
}

static struct salesforce_part remove_part(struct remove_item *const *items, size_t count,
                                          struct arena *arena)
{
    AUTO_BUF struct buf path = {0};

    buf_init(&path, SF_URL_BYTES_MAX);
    buf_add(&path, STR("/composite/sobjects?allOrNone=false&ids="));
    for (size_t i = 0; i < count; i++) {
        buf_addf(&path, "%s%" PRI_STR, i ? "," : "", STR_ARG(items[i]->remote_id));
    }
    return (struct salesforce_part){
        .method = HTTP_DELETE, .path = arena_str(arena, buf_str(&path)), .is_repeatable = true};
}

static void keep_removal(struct remove_item *item, enum fail failed, const struct error *err)
{
    item->error = *err;
    if (failed == OK) {
        item->outcome = WRITE_DONE;
    } else if (err->is_outcome_unknown) {
        item->outcome = WRITE_UNKNOWN;
    } else if (failed == FAIL_RECORD || failed == FAIL_STALE || failed == FAIL_RETRY) {
        item->outcome = WRITE_REFUSED;
    }
}

/* In the bin already is done; an id that means nothing any more is read again. */
static void keep_removed_row(struct remove_item *item, const json_t *row)
{
    const json_t *errors = jx_get(row, "errors");
    struct str code = salesforce_error_code(errors);
    struct error err = {0};

    if (!json_is_true(jx_get(row, "success")) && !str_equal(code, STR("ENTITY_IS_DELETED"))) {
        (void)!salesforce_judge(400, errors, &err);
        salesforce_soften(&err);
        err.code = str_equal(code, STR("INVALID_CROSS_REFERENCE_KEY")) ? FAIL_STALE : err.code;
    }
    keep_removal(item, err.code, &err);
}

static void keep_removed(struct remove_item *const *items, size_t count,
                         const struct salesforce_sub *sub)
{
    bool is_whole = json_array_size(sub->answer) == count;
    struct error err = sub->error;

    if (sub->result == OK && !is_whole) {
        error_set(&err, FAIL_RETRY, "salesforce's answer does not say what became of the record");
        err.is_outcome_unknown = true;
    }
    for (size_t i = 0; i < count; i++) {
        if (sub->result == OK && is_whole) {
            keep_removed_row(items[i], json_array_get(sub->answer, i));
        } else {
            keep_removal(items[i], err.code, &err);
        }
    }
}

/* An id that is none would fail its neighbours. */
static size_t valid_removals(struct session *session, const char *kind, struct remove_item *items,
                             size_t count, struct remove_item **ret)
{
    size_t valid = 0;

    for (size_t i = 0; i < count; i++) {
        if (items[i].outcome != WRITE_PENDING) {
            continue;
        }
        if (salesforce_is_id(items[i].remote_id) &&
            salesforce_part_of_id(session, kind, items[i].remote_id)) {
            ret[valid++] = &items[i];
        } else {
            items[i].outcome = WRITE_REFUSED;
            error_set(&items[i].error, FAIL_RECORD, "'%" PRI_STR "' is no id of salesforce's %s",
                      STR_ARG(str_slice(items[i].remote_id, 0, SF_NAME_BYTES_MAX)),
                      salesforce_title(session, kind));
        }
    }
    if (valid) {
        qsort(ret, valid, sizeof *ret, compare_removals);
    }
    return valid;
}

enum fail salesforce_remove(struct session *session, const char *kind, struct remove_item *items,
                            size_t count, struct error *err)
{
    AUTO_ARENA struct arena arena = {0};
    struct remove_item **valid = ARENA_ARRAY(&arena, struct remove_item *, count + 1);
    size_t valid_count = valid_removals(session, kind, items, count, valid);
    size_t parts_count = salesforce_collections_of(valid_count);
    struct salesforce_part *parts = ARENA_ARRAY(&arena, struct salesforce_part, parts_count + 1);
    enum fail failed = OK;

    for (size_t i = 0; i < parts_count; i++) {
        size_t from = i * SF_COLLECTION_MAX, left = valid_count - from;

        parts[i] =
            remove_part(valid + from, left < SF_COLLECTION_MAX ? left : SF_COLLECTION_MAX, &arena);
    }
    if (parts_count) {
        failed = salesforce_send_parts(session, parts, parts_count, &arena, err);
    }
    for (size_t i = 0; i < parts_count; i++) {
        size_t from = i * SF_COLLECTION_MAX, left = valid_count - from;

        keep_removed(valid + from, left < SF_COLLECTION_MAX ? left : SF_COLLECTION_MAX,
                     &parts[i].sub);
    }
    return failed;
}

int64_t salesforce_remove_calls(const char *kind, const struct remove_item *items, size_t count)
{
    (void)kind;
    (void)items;
    return salesforce_pack_calls(0, salesforce_collections_of(count));
}
