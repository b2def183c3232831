/* Notes, which only v1 has. Source: OpenAPI v1 of 2026-08 and recorded answers of 2026-05. */
#include "simulators/pipedrive_inside.h"

#include <inttypes.h>

#include "core/jx.h"
#include "core/when.h"

/* --- settling ------------------------------------------------------------------------------- */

static bool links_are_there(const struct pd_kind *kind, const struct pd_record *record,
                            const struct pd_write *write)
{
    return pd_coming(record, write, kind->deal_slot).at ||
           pd_coming(record, write, kind->person_slot).at ||
           pd_coming(record, write, kind->org_slot).at;
}

static void fill_from(struct pd_check *check, struct pd_write *write,
                      const struct pd_record *record, size_t slot, int64_t id)
{
    if (id && !pd_given(write, slot) && !pd_coming(record, write, slot).at) {
        pd_put_setting(write, slot, arena_printf(check->arena, "%" PRId64, id));
    }
}

/* A note of a deal alone came back with the deal's person and organization. Recorded live in
 * 2026-05. */
static void links_fill(struct pd_check *check, const struct pd_kind *kind,
                       const struct pd_record *record, struct pd_write *write)
{
    const struct pd_setting *given = pd_given(write, kind->deal_slot);
    const struct pd_record *deal;
    int64_t id = 0;

    deal = given && str_to_i64(given->text, &id) ? pd_record_live(pd_deals(check->pd), id) : NULL;
    if (deal) {
        fill_from(check, write, record, kind->person_slot, deal->person_id);
        fill_from(check, write, record, kind->org_slot, deal->org_id);
    }
}

bool pd_note_settle(struct pd_check *check, struct pd_kind *kind, const struct pd_record *record,
                    struct pd_write *write)
{
    struct pd_setting *content = pd_given(write, pd_slot(kind, "content"));

    if (!record && !content) {
        return pd_problem(check, "'content' is required");
    }
    if (content) {
        content->text = pd_html_clean(check->arena, content->text);
    }
    if (!links_are_there(kind, record, write)) {
        return pd_problem(check, "one of deal_id, person_id, org_id is required");
    }
    links_fill(check, kind, record, write);
    if (record) {
        pd_put_setting(write, pd_slot(kind, "last_update_user_id"),
                       arena_printf(check->arena, "%" PRId64, pd_users[0].id));
    }
    return true;
}

/* --- showing -------------------------------------------------------------------------------- */

static void put_value(struct sim_call *call, const struct pd_record *note, const char *code,
                      const char *otherwise)
{
    struct str value = pd_value(note, pd_slot(pd_notes(pd_of(call)), code));

    buf_addf(call->body, ",\"%s\":", code);
    buf_add(call->body, value.at ? value : str_of(otherwise));
}

/* A linked object in short: only its name. */
static void put_linked(struct sim_call *call, const char *member, const struct pd_kind *kind,
                       int64_t id)
{
    const struct pd_record *linked = id ? pd_record_live(kind, id) : NULL;

    buf_addf(call->body, ",\"%s\":", member);
    if (!linked) {
        sim_put(call->body, "null");
        return;
    }
    buf_addf(call->body, "{\"%s\":", kind->spec->name_code);
    buf_add(call->body, pd_value(linked, pd_slot(kind, kind->spec->name_code)));
    sim_put(call->body, "}");
}

static void put_user(struct sim_call *call, int64_t id)
{
    const struct pd_user *user = pd_user_find(id) ? pd_user_find(id) : &pd_users[0];

    buf_addf(call->body,
             ",\"user\":{\"email\":\"%s\",\"name\":\"%s\",\"icon_url\":null,\"is_you\":%s}",
             user->email, user->name, user == &pd_users[0] ? "true" : "false");
}

static void put_note(struct sim_call *call, const struct pd_record *note)
{
    static const char *const flags[] = {"pinned_to_deal_flag", "pinned_to_person_flag",
                                        "pinned_to_organization_flag"};
    struct pipedrive *pd = pd_of(call);

    buf_addf(call->body, "{\"id\":%" PRId64, note->base.id);
    put_value(call, note, "user_id", "null");
    put_value(call, note, "deal_id", "null");
    put_value(call, note, "person_id", "null");
    put_value(call, note, "org_id", "null");
    put_value(call, note, "content", "\"\"");
    sim_put(call->body, ",\"lead_id\":null,\"project_id\":null,\"add_time\":");
    pd_put_time_v1(call->body, note->base.created_ms);
    sim_put(call->body, ",\"update_time\":");
    pd_put_time_v1(call->body, note->base.modified_ms);
    buf_addf(call->body, ",\"active_flag\":%s", note->base.archived_ms ? "false" : "true");
    for (size_t i = 0; i < COUNT_OF(flags); i++) {
        put_value(call, note, flags[i], "false");
    }
    sim_put(call->body, ",\"pinned_to_lead_flag\":false,\"pinned_to_project_flag\":false");
    put_value(call, note, "last_update_user_id", "null");
    put_linked(call, "organization", pd_organizations(pd), note->org_id);
    put_linked(call, "person", pd_people(pd), note->person_id);
    put_linked(call, "deal", pd_deals(pd), note->deal_id);
    sim_put(call->body, ",\"lead\":null");
    put_user(call, note->owner_id);
    sim_put(call->body, "}");
}

static void reply_note(struct sim_call *call, int status, const struct pd_record *note)
{
    sim_put(call->body, "{\"success\":true,\"data\":");
    put_note(call, note);
    sim_put(call->body, "}");
    sim_reply(call, status);
}

/* --- listing -------------------------------------------------------------------------------- */

enum { SORT_KEYS = 6 };
static const char *const sort_names[SORT_KEYS] = {"id",        "user_id",  "deal_id",
                                                  "person_id", "add_time", "update_time"};

struct listing {
    int64_t user_id, deal_id, person_id, org_id; /* 0 any */
    int64_t since_ms;
    size_t sort_by;
    bool is_descending;
    int64_t start, limit;
};

struct row {
    const struct pd_record *note;
    int64_t key;
};

static int64_t key_of(const struct pd_record *note, size_t sort_by)
{
    int64_t keys[SORT_KEYS] = {note->base.id,   note->owner_id,        note->deal_id,
                               note->person_id, note->base.created_ms, note->base.modified_ms};

    return keys[sort_by];
}

static int by_key(const void *x, const void *y)
{
    const struct row *left = x, *right = y;

    if (left->key != right->key) {
        return left->key < right->key ? -1 : 1;
    }
    return left->note->base.id < right->note->base.id ? -1
                                                      : left->note->base.id > right->note->base.id;
}

/* "update_time ASC"; v1 ignores what it does not know. */
static void sort_read(struct sim_call *call, struct listing *listing)
{
    struct str rest = sim_query(call, "sort"), first = str_trim(str_cut(&rest, ','));
    struct str name = str_cut(&first, ' ');

    for (size_t i = 0; i < SORT_KEYS; i++) {
        if (str_equal(name, str_of(sort_names[i]))) {
            listing->sort_by = i;
        }
    }
    listing->is_descending = str_equal_nocase(str_trim(first), STR("desc"));
}

/* updated_since is of 2026 and refuses what v2 refuses. */
static bool listing_read(struct sim_call *call, struct listing *listing)
{
    struct str since = sim_query(call, "updated_since");

    *listing = (struct listing){0};
    if (since.at && !pd_time_parse(since, &listing->since_ms)) {
        pd_fail(call, 400, NULL, NULL, "Parameter 'updated_since' is not a valid datetime");
        return false;
    }
    (void)sim_query_i64(call, "user_id", 0, &listing->user_id);
    (void)sim_query_i64(call, "deal_id", 0, &listing->deal_id);
    (void)sim_query_i64(call, "person_id", 0, &listing->person_id);
    (void)sim_query_i64(call, "org_id", 0, &listing->org_id);
    sort_read(call, listing);
    pd_page_v1(call, &listing->start, &listing->limit);
    return true;
}

static bool is_wanted(const struct listing *listing, const struct pd_record *note)
{
    return !note->base.archived_ms && note->base.modified_ms >= listing->since_ms &&
           (!listing->user_id || note->owner_id == listing->user_id) &&
           (!listing->deal_id || note->deal_id == listing->deal_id) &&
           (!listing->person_id || note->person_id == listing->person_id) &&
           (!listing->org_id || note->org_id == listing->org_id);
}

static struct row *rows_collect(struct sim_call *call, const struct listing *listing,
                                size_t *ret_count)
{
    const struct sim_table *table = &pd_notes(pd_of(call))->table;
    struct row *rows = arena_alloc(call->arena, table->count + 1, sizeof(*rows));

    *ret_count = 0;
    for (size_t i = 0; i < table->count; i++) {
        const struct pd_record *note = (const struct pd_record *)table->at[i];
        int64_t key = key_of(note, listing->sort_by);

        if (is_wanted(listing, note)) {
            rows[(*ret_count)++] = (struct row){note, listing->is_descending ? -key : key};
        }
    }
    qsort(rows, *ret_count, sizeof(*rows), by_key);
    return rows;
}

void pd_notes_serve(struct sim_call *call, const struct pd_target *at)
{
    struct listing listing;
    struct row *rows;
    size_t count, end;

    (void)at;
    if (!listing_read(call, &listing)) {
        return;
    }
    rows = rows_collect(call, &listing, &count);
    end = (size_t)(listing.start + listing.limit);
    end = end < count ? end : count;
    sim_put(call->body, "{\"success\":true,\"data\":");
    for (size_t i = (size_t)listing.start; i < end; i++) {
        sim_put(call->body, i > (size_t)listing.start ? "," : "[");
        put_note(call, rows[i].note);
    }
    sim_put(call->body, (size_t)listing.start < end ? "]" : "null");
    pd_put_pagination(call, listing.start, listing.limit, end < count);
    sim_put(call->body, "}");
    sim_reply(call, 200);
}

/* --- one note ------------------------------------------------------------------------------- */

static struct pd_record *note_of_path(struct sim_call *call, const struct pd_target *at)
{
    struct pd_record *note = NULL;
    int64_t id;

    if (str_to_i64(at->last, &id)) {
        note = pd_record_get(pd_notes(pd_of(call)), id, call->now_ms);
    }
    if (!note) {
        pd_not_found(call);
    }
    return note;
}

/* A deleted one answers, too, with active_flag false. Recorded live in 2026-05. */
void pd_note_get_serve(struct sim_call *call, const struct pd_target *at)
{
    const struct pd_record *note = note_of_path(call, at);

    if (note) {
        reply_note(call, 200, note);
    }
}

/* --- writing -------------------------------------------------------------------------------- */

/* v1's way of writing what the checks know in v2's: times without T and Z, flags as 0 and 1. What
 * a note has not got is ignored. */
static json_t *strict_body(struct sim_call *call, json_t *body)
{
    const struct pd_kind *kind = pd_notes(pd_of(call));
    json_t *strict = jx_own(call->arena, json_object()), *value;
    char text[WHEN_TEXT_BYTES];
    const char *name;
    int64_t number;

    json_object_foreach(body, name, value)
    {
        const struct pd_field *field = pd_field_find(pd_of(call), kind, str_of(name));

        if (strcmp(name, "add_time") == 0 && when_parse_ms(jx_text_of(value), &number)) {
            when_format_seconds(number, text);
            json_object_set_new(strict, name, json_string(text));
        } else if (field && field->type == PD_BOOLEAN && pd_whole(value, &number)) {
            json_object_set_new(strict, name, json_boolean(number != 0));
        } else if (strcmp(name, "add_time") == 0 || (field && field->type != PD_NO_TYPE)) {
            json_object_set(strict, name, value);
        }
    }
    return strict;
}

/* *ret_body: what counts of the body, as it would stand in v2. */
static bool write_read(struct sim_call *call, const struct pd_record *note, json_t **ret_body,
                       struct pd_write *ret)
{
    struct pd_check check = {.pd = pd_of(call), .arena = call->arena, .now_ms = call->now_ms};
    json_t *body;

    if (!pd_body_v1(call, &body)) {
        pd_fail(call, 400, NULL, NULL, "The body is no object");
        return false;
    }
    *ret_body = strict_body(call, body);
    if (!pd_write_read(&check, pd_notes(check.pd), note, *ret_body, note ? PD_UPDATES : PD_CREATES,
                       ret)) {
        pd_fail(call, check.status, NULL, NULL, "%" PRI_STR, STR_ARG(check.problem));
        return false;
    }
    return true;
}

void pd_note_create_serve(struct sim_call *call, const struct pd_target *at)
{
    struct pd_kind *kind = pd_notes(pd_of(call));
    const struct pd_record *note;
    struct pd_write write;
    json_t *body;

    (void)at;
    if (write_read(call, NULL, &body, &write)) {
        note = pd_write_apply(pd_of(call), kind, NULL, &write, call->now_ms);
        sim_wrote(call, "create", "notes", note->base.id, body);
        reply_note(call, 201, note);
    }
}

/* Of a deleted one, too: the answer is 200 and active_flag stays false. Recorded live in 2026-05. */
void pd_note_update_serve(struct sim_call *call, const struct pd_target *at)
{
    struct pd_record *note = note_of_path(call, at);
    struct pd_write write;
    json_t *body;

    if (note && write_read(call, note, &body, &write)) {
        sim_wrote(call, "update", "notes", note->base.id, body);
        pd_write_apply(pd_of(call), pd_notes(pd_of(call)), note, &write, call->now_ms);
        reply_note(call, 200, note);
    }
}

void pd_note_delete_serve(struct sim_call *call, const struct pd_target *at)
{
    struct pd_record *note = note_of_path(call, at);

    if (!note) {
        return;
    }
    sim_put(call->body, "{\"success\":true,\"data\":true}");
    if (note->base.archived_ms) { /* as recorded for persons */
        sim_reply(call, 410);
        return;
    }
    sim_wrote(call, "delete", "notes", note->base.id, NULL);
    pd_record_delete(pd_of(call), pd_notes(pd_of(call)), note, call->now_ms);
    sim_reply(call, 200);
}
