/* Salesforce: people of deals, which are contact roles: rows of their own, written after their opportunity and without a key of ours. What
 * is to be taken away is read first, for its id. source: Object Reference, OpportunityContactRole: OpportunityId cannot be updated, one
 * row at most is primary and setting another takes it from the first. */
#include <assert.h>

#include "adapters/salesforce_write.h"
#include "core/jx.h"

enum {
    DEALS_OF_QUERY = 500, /* their ids stand in the address: 21 bytes each */
    QUERY_BYTES_MAX = 16 * 1024,
};

static const char SELECT[] =
    "SELECT Id, OpportunityId, ContactId, IsPrimary FROM " SF_ROLE " WHERE OpportunityId IN (";

/* --- what there is to do ---------------------------------------------------------------------- */

/* What a write means for the roles of one deal. */
struct work {
    struct salesforce_outgoing *out;
    const json_t *wanted;  /* ids; never NULL */
    const json_t *present; /* ids, the primary one first; NULL unknown */
    json_t *rows;          /* as read, when they had to be; arena */
    bool must_read;
    bool failed;
    struct error error;
};

static bool has_id(const json_t *list, struct str id)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        if (salesforce_same_id(jx_text_of(json_array_get(list, i)), id)) {
            return true;
        }
    }
    return false;
}

/* How many of the first list are not in the second. */
static size_t missing_of(const json_t *list, const json_t *other)
{
    size_t missing = 0;

    for (size_t i = 0; i < json_array_size(list); i++) {
        missing += !has_id(other, jx_text_of(json_array_get(list, i)));
    }
    return missing;
}

/* The primary one stays while it is wanted; else the first that is wanted becomes it. */
static struct str primary_after(const struct work *work)
{
    struct str held = jx_text_of(json_array_get(work->present, 0));

    return held.len && has_id(work->wanted, held) ? STR("")
                                                  : jx_text_of(json_array_get(work->wanted, 0));
}

/* False: no roles to write. Pure. */
static bool plan_work(const struct write_item *item, struct work *ret)
{
    const json_t *wanted = json_object_get(item->props, SF_DEAL_CONTACTS);
    bool is_create = salesforce_is_create(item);

    *ret = (struct work){.wanted = wanted,
                         .present = json_object_get(item->current, SF_DEAL_CONTACTS)};
    if (!wanted) {
        return false;
    }
    ret->must_read = !is_create && (!ret->present || missing_of(ret->present, wanted) > 0);
    return ret->must_read || missing_of(wanted, ret->present) > 0;
}

/* --- reading ---------------------------------------------------------------------------------- */

static struct str query_of(struct work *const *works, size_t count, struct arena *arena)
{
    AUTO_BUF struct buf soql = {0};

    buf_init(&soql, QUERY_BYTES_MAX);
    buf_add(&soql, str_of(SELECT));
    for (size_t i = 0; i < count; i++) {
        buf_add(&soql, i ? STR(",") : STR(""));
        salesforce_quote(&soql, works[i]->out->item->remote_id);
    }
    buf_add(&soql, STR(") ORDER BY IsPrimary DESC, Id"));
    assert(!soql.is_full);
    return arena_str(arena, buf_str(&soql));
}

static void deal_out(struct work *const *works, size_t count, const json_t *records,
                     struct arena *arena)
{
    for (size_t i = 0; i < count; i++) {
        json_t *present = jx_own(arena, json_array());

        works[i]->rows = jx_own(arena, json_array());
        works[i]->present = present;
        for (size_t k = 0; k < json_array_size(records); k++) {
            json_t *row = json_array_get(records, k);

            if (salesforce_same_id(jx_text_of(jx_get(row, "OpportunityId")),
                                   works[i]->out->item->remote_id)) {
                json_array_append(works[i]->rows, row);
                json_array_append(present, jx_get(row, "ContactId"));
            }
        }
    }
}

static enum fail read_roles(struct session *session, struct work *const *works, size_t count,
                            struct arena *arena, struct error *err)
{
    size_t queries_count = (count + DEALS_OF_QUERY - 1) / DEALS_OF_QUERY;
    struct salesforce_query *queries =
        ARENA_ARRAY(arena, struct salesforce_query, queries_count + 1);
    struct salesforce_answer answer;

    for (size_t i = 0; i < queries_count; i++) {
        size_t from = i * DEALS_OF_QUERY, left = count - from;

        queries[i].soql =
            query_of(works + from, left < DEALS_OF_QUERY ? left : DEALS_OF_QUERY, arena);
        queries[i].is_whole = true;
    }
    if (salesforce_query(session, queries, queries_count, arena, &answer, err) != OK) {
        return error_wrap(err, "contact roles");
    }
    for (size_t i = 0; i < queries_count; i++) {
        size_t from = i * DEALS_OF_QUERY, left = count - from;

        deal_out(works + from, left < DEALS_OF_QUERY ? left : DEALS_OF_QUERY, queries[i].records,
                 arena);
    }
    return OK;
}

/* --- writing ---------------------------------------------------------------------------------- */

/* Rows that go through one door, and whose they are. */
struct rows {
    json_t *records; /* arena: what a create or an update sends */
    struct str *ids; /* what a delete names */
    struct work **owners;
    size_t count;
    enum http_method method;
};

static void add_row(struct rows *rows, struct work *work, json_t *take_record, struct str id)
{
    if (take_record) {
        json_array_append_new(rows->records, take_record);
    }
    rows->ids[rows->count] = id;
    rows->owners[rows->count++] = work;
}

static void remove_rows(struct work *work, struct rows *removed)
{
    for (size_t i = 0; i < json_array_size(work->rows); i++) {
        const json_t *row = json_array_get(work->rows, i);

        if (!has_id(work->wanted, jx_text_of(jx_get(row, "ContactId")))) {
            add_row(removed, work, NULL, jx_text_of(jx_get(row, "Id")));
        }
    }
}

static void make_primary(struct work *work, struct str contact, struct rows *changed)
{
    for (size_t i = 0; i < json_array_size(work->rows) && contact.len; i++) {
        const json_t *row = json_array_get(work->rows, i);
        struct str id = jx_text_of(jx_get(row, "Id"));

        if (salesforce_same_id(jx_text_of(jx_get(row, "ContactId")), contact)) {
            add_row(changed, work,
                    json_pack("{s:{s:s},s:s%,s:b}", "attributes", "type", SF_ROLE, "id", id.at,
                              id.len, "IsPrimary", 1),
                    id);
            return;
        }
    }
}

static void add_people(struct work *work, struct str primary, struct rows *added)
{
    struct str deal = work->out->item->remote_id;

    for (size_t i = 0; i < json_array_size(work->wanted); i++) {
        struct str contact = jx_text_of(json_array_get(work->wanted, i));

        if (!has_id(work->present, contact)) {
            add_row(added, work,
                    json_pack("{s:{s:s},s:s%,s:s%,s:b}", "attributes", "type", SF_ROLE,
                              "OpportunityId", deal.at, deal.len, "ContactId", contact.at,
                              contact.len, "IsPrimary",
                              (int)(primary.len && salesforce_same_id(contact, primary))),
                    contact);
        }
    }
}

static struct rows new_rows(struct arena *arena, size_t room, enum http_method method)
{
    return (struct rows){.records = jx_own(arena, json_array()),
                         .ids = ARENA_ARRAY(arena, struct str, room + 1),
                         .owners = ARENA_ARRAY(arena, struct work *, room + 1),
                         .method = method};
}

static struct str delete_path(const struct rows *rows, size_t from, size_t to, struct arena *arena)
{
    AUTO_BUF struct buf path = {0};

    buf_init(&path, QUERY_BYTES_MAX);
    buf_add(&path, STR("/composite/sobjects?allOrNone=false&ids="));
    for (size_t i = from; i < to; i++) {
        buf_addf(&path, "%s%" PRI_STR, i > from ? "," : "", STR_ARG(rows->ids[i]));
    }
    return arena_str(arena, buf_str(&path));
}

static json_t *slice_of(const json_t *records, size_t from, size_t to)
{
    json_t *slice = json_array();

    for (size_t i = from; i < to; i++) {
        json_array_append(slice, json_array_get(records, i));
    }
    return slice;
}

/* Only the making of a row is not to be repeated: there would be two. */
static struct salesforce_part part_of(const struct rows *rows, size_t from, size_t to,
                                      struct arena *arena)
{
    bool is_delete = rows->method == HTTP_DELETE;
    struct salesforce_part part = {.method = rows->method,
                                   .path = is_delete ? delete_path(rows, from, to, arena)
                                                     : STR("/composite/sobjects"),
                                   .is_repeatable = rows->method != HTTP_POST};

    if (!is_delete) {
        part.body = jx_own(arena, json_pack("{s:b,s:o}", "allOrNone", 0, "records",
                                            slice_of(rows->records, from, to)));
    }
    return part;
}

static void fail_work(struct work *work, const struct error *err)
{
    if (!work->failed || err->is_outcome_unknown) {
        work->failed = true;
        work->error = *err;
    }
}

/* Never sent. */
static void leave_work(struct work *work, const struct error *why)
{
    struct error err = *why;

    err.is_outcome_unknown = false;
    fail_work(work, &err);
}

/* What somebody else took away meanwhile is what was wanted. */
static void keep_row(struct work *work, enum http_method method, const json_t *row)
{
    const json_t *errors = jx_get(row, "errors");
    struct error err = {0};

    if (json_is_true(jx_get(row, "success")) ||
        (method == HTTP_DELETE &&
         str_equal(salesforce_error_code(errors), STR("ENTITY_IS_DELETED")))) {
        return;
    }
    (void)!salesforce_judge(400, errors, &err);
    salesforce_soften(&err);
    fail_work(work, &err);
}

static void keep_part(const struct rows *rows, size_t from, size_t to,
                      const struct salesforce_sub *sub)
{
    bool is_whole = json_array_size(sub->answer) == to - from;
    struct error err = sub->error;

    if (sub->result == OK && !is_whole) {
        error_set(&err, FAIL_RETRY,
                  "salesforce's answer does not say what became of contact roles");
        err.is_outcome_unknown = true;
    }
    for (size_t i = from; i < to; i++) {
        if (sub->result == OK && is_whole) {
            keep_row(rows->owners[i], rows->method, json_array_get(sub->answer, i - from));
        } else {
            fail_work(rows->owners[i], &err);
        }
    }
}

static size_t end_of(const struct rows *rows, size_t from)
{
    return rows->count - from < SF_COLLECTION_MAX ? rows->count : from + SF_COLLECTION_MAX;
}

static enum fail send_rows(struct session *session, const struct rows *doors, size_t doors_count,
                           struct arena *arena, struct error *err)
{
    struct salesforce_part *parts;
    size_t count = 0, next = 0;
    enum fail failed;

    for (size_t i = 0; i < doors_count; i++) {
        count += salesforce_collections_of(doors[i].count);
    }
    parts = ARENA_ARRAY(arena, struct salesforce_part, count + 1);
    for (size_t i = 0; i < doors_count; i++) {
        for (size_t from = 0; from < doors[i].count; from = end_of(&doors[i], from)) {
            parts[next++] = part_of(&doors[i], from, end_of(&doors[i], from), arena);
        }
    }
    failed = count ? salesforce_send_parts(session, parts, count, arena, err) : OK;
    next = 0;
    for (size_t i = 0; i < doors_count; i++) {
        for (size_t from = 0; from < doors[i].count; from = end_of(&doors[i], from)) {
            keep_part(&doors[i], from, end_of(&doors[i], from), &parts[next++].sub);
        }
    }
    return failed;
}

static enum fail write_works(struct session *session, struct work *works, size_t count,
                             struct arena *arena, struct error *err)
{
    size_t removed = 0, added = 0;
    struct rows doors[3];

    for (size_t i = 0; i < count; i++) {
        removed += json_array_size(works[i].rows);
        added += json_array_size(works[i].wanted);
    }
    doors[0] = new_rows(arena, removed, HTTP_DELETE);
    doors[1] = new_rows(arena, count, HTTP_PATCH);
    doors[2] = new_rows(arena, added, HTTP_POST);
    for (size_t i = 0; i < count; i++) {
        struct str primary = primary_after(&works[i]);

        remove_rows(&works[i], &doors[0]);
        make_primary(&works[i], primary, &doors[1]);
        add_people(&works[i], primary, &doors[2]);
    }
    return send_rows(session, doors, COUNT_OF(doors), arena, err);
}

/* --- outcomes --------------------------------------------------------------------------------- */

/* A deal of which nothing but people was to be written, and they were not, is not written. */
static void keep_work(const struct work *work, struct arena *arena)
{
    struct write_item *item = work->out->item;

    if (!work->failed) {
        return;
    }
    if (!item->returned.props) {
        item->returned.props = jx_own(arena, json_copy(item->props));
    }
    json_object_del(item->returned.props, SF_DEAL_CONTACTS);
    if (json_object_size(item->returned.props) == 0) {
        item->returned = (struct remote_record){0};
        item->outcome = WRITE_PENDING;
        salesforce_keep_failure(work->out, &work->error);
    }
}

static enum fail read_and_write(struct session *session, struct work *works, size_t count,
                                struct arena *arena, struct error *err)
{
    struct work **unread = ARENA_ARRAY(arena, struct work *, count + 1);
    size_t unread_count = 0;
    struct error cause = {0};

    for (size_t i = 0; i < count; i++) {
        if (works[i].must_read) {
            unread[unread_count++] = &works[i];
        }
    }
    if (unread_count && read_roles(session, unread, unread_count, arena, &cause) != OK) {
        for (size_t i = 0; i < count; i++) {
            leave_work(&works[i], &cause);
        }
        *err = cause;
        err->is_outcome_unknown = false; /* nothing was written */
        if (cause.code == FAIL_RECORD || cause.code == FAIL_STALE || cause.code == FAIL_RETRY) {
            error_reset(err);
        }
        return err->code;
    }
    return write_works(session, works, count, arena, err);
}

enum fail salesforce_write_roles(struct session *session, struct salesforce_outgoing *outs,
                                 size_t count, struct arena *arena, struct error *err)
{
    struct work *works = ARENA_ARRAY(arena, struct work, count + 1);
    size_t works_count = 0;

    for (size_t i = 0; i < count; i++) {
        struct write_item made = *outs[i].item;

        made.remote_id = outs[i].is_create ? STR("") : made.remote_id;
        if (made.outcome == WRITE_DONE && plan_work(&made, &works[works_count])) {
            works[works_count++].out = &outs[i];
        }
    }
    for (size_t i = 0; i < works_count && err->code != OK; i++) {
        leave_work(&works[i], err);
    }
    if (err->code == OK) {
        (void)!read_and_write(session, works, works_count, arena, err);
    }
    for (size_t i = 0; i < works_count; i++) {
        keep_work(&works[i], arena);
    }
    return err->code;
}

int64_t salesforce_role_calls(const struct write_item *items, size_t count)
{
    size_t reads = 0, removed = 0, changed = 0, added = 0, queries;

    for (size_t i = 0; i < count; i++) {
        struct work work;

        if (plan_work(&items[i], &work)) {
            struct str primary = primary_after(&work);

            reads += work.must_read;
            removed += missing_of(work.present, work.wanted);
            added += missing_of(work.wanted, work.present);
            changed += primary.len && has_id(work.present, primary);
        }
    }
    queries = (reads + DEALS_OF_QUERY - 1) / DEALS_OF_QUERY;
    return (int64_t)((queries + SF_QUERIES_MAX - 1) / SF_QUERIES_MAX) +
           salesforce_pack_calls(0, salesforce_collections_of(removed) +
                                        salesforce_collections_of(changed) +
                                        salesforce_collections_of(added));
}
