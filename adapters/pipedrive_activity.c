/* Activities (v2) and notes (v1) of Pipedrive as one kind: remote ids "activity:12" and "note:34", members with a dot for what both
 * have. source: OpenAPI v2 /activities, v1 /notes; reference 4.4, 4.5 */
#include <inttypes.h>
#include <stdio.h>

#include "adapters/pipedrive_inside.h"
#include "core/jx.h"
#include "core/when.h"

#define TYPE "activity.type"
#define SUBJECT "activity.subject"
#define BODY "activity.body"
#define TIMESTAMP "activity.timestamp"
#define DONE "activity.done"
#define CONTACTS "activity.contacts"
#define NOTE_PREFIX "note:"
#define ACTIVITY_PREFIX "activity:"

enum { DATE_LENGTH = 10, MINUTES_LENGTH = 16 /* of "2026-11-21T07:05" */ };

bool pipedrive_is_note(struct str remote_id)
{
    return str_starts(remote_id, STR(NOTE_PREFIX));
}

struct str pipedrive_bare_id(struct str remote_id)
{
    struct str rest = remote_id;

    str_cut(&rest, ':');
    return rest.at ? rest : remote_id;
}

struct str pipedrive_prefixed_id(bool is_note, struct str id, struct arena *arena)
{
    return arena_printf(arena, "%s%" PRI_STR, is_note ? NOTE_PREFIX : ACTIVITY_PREFIX, STR_ARG(id));
}

bool pipedrive_is_activity_id(struct str remote_id)
{
    int64_t id;

    return (pipedrive_is_note(remote_id) || str_starts(remote_id, STR(ACTIVITY_PREFIX))) &&
           str_to_i64(pipedrive_bare_id(remote_id), &id) && id > 0;
}

/* --- reading ---------------------------------------------------------------------------------- */

/* "09:30" and "09:30:00" both occur. A date without a time has no time zone and is not shifted. */
static json_t *due_of(const json_t *item, struct arena *arena)
{
    struct str date = jx_text_of(jx_get(item, "due_date"));
    struct str clock = jx_text_of(jx_get(item, "due_time"));
    struct str text;

    if (!date.len) {
        return json_null();
    }
    text = clock.len ? arena_printf(arena, "%" PRI_STR "T%" PRI_STR "%sZ", STR_ARG(date),
                                    STR_ARG(clock), clock.len == 5 ? ":00" : "")
                     : date;
    return json_stringn(text.at, text.len);
}

/* The primary one first. */
static json_t *participants_of(const json_t *item, struct arena *arena)
{
    json_t *rows = jx_get(item, "participants");
    int64_t first = 0;
    struct pipedrive_people people = {
        .at = ARENA_ARRAY(arena, struct pipedrive_participant, json_array_size(rows) + 1)};

    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i);
        int64_t person_id = pipedrive_id_of(jx_get(row, "person_id"));

        if (person_id > 0 && !pipedrive_people_have(&people, person_id)) {
            people.at[people.count++].person_id = person_id;
        }
        if (json_is_true(jx_get(row, "primary"))) {
            first = person_id;
        }
    }
    return pipedrive_people_json(first, &people, arena);
}

static void set_or_null(json_t *props, const char *name, json_t *value)
{
    json_object_set_new(props, name, value ? json_incref(value) : json_null());
}

void pipedrive_activity_props(const json_t *item, struct arena *arena, json_t *props)
{
    set_or_null(props, TYPE, jx_get(item, "type"));
    set_or_null(props, SUBJECT, jx_get(item, "subject"));
    set_or_null(props, BODY, jx_get(item, "note"));
    set_or_null(props, DONE, jx_get(item, "done"));
    json_object_set_new(props, TIMESTAMP, due_of(item, arena));
    json_object_set(props, CONTACTS, participants_of(item, arena));
}

/* Of a note's time, which v1 gives as "2026-09-11 13:40:22". */
static json_t *iso_of(int64_t ms)
{
    char text[WHEN_TEXT_BYTES];

    if (ms == 0) {
        return json_null();
    }
    when_format_seconds(ms, text);
    return json_string(text);
}

static void note_props(const json_t *item, int64_t added_ms, struct arena *arena, json_t *props)
{
    json_object_update(props, (json_t *)item);
    json_object_set_new(props, TYPE, json_string("note"));
    set_or_null(props, BODY, jx_get(item, "content"));
    set_or_null(props, "owner_id", jx_get(item, "user_id"));
    json_object_set_new(props, TIMESTAMP, iso_of(added_ms));
    json_object_set(props, CONTACTS,
                    pipedrive_people_json(pipedrive_id_of(jx_get(item, "person_id")),
                                          &(const struct pipedrive_people){0}, arena));
}

/* A deleted note still answers, with active_flag false. Recorded live in 2026-05. */
enum fail pipedrive_read_note(const json_t *item, struct arena *arena, struct remote_record *ret,
                              struct error *err)
{
    struct remote_record record = {.state = REMOTE_LIVE, .correlation_key = STR("")};
    struct str id;
    bool is_active;

    if (jx_id(arena, item, "id", &id, err) != OK ||
        jx_bool_or(item, "active_flag", true, &is_active, err) != OK ||
        jx_time_ms_or(item, "update_time", 0, &record.modified_ms, err) != OK ||
        jx_time_ms_or(item, "add_time", 0, &record.created_ms, err) != OK) {
        return error_wrap(err, "pipedrive note");
    }
    record.remote_id = pipedrive_prefixed_id(true, id, arena);
    if (is_active) {
        record.props = jx_own(arena, json_object());
        note_props(item, record.created_ms, arena, record.props);
    } else {
        record.state = REMOTE_GONE;
    }
    *ret = record;
    return OK;
}

/* --- writing ---------------------------------------------------------------------------------- */

bool pipedrive_writes_note(const struct write_item *item)
{
    return item->remote_id.len
               ? pipedrive_is_note(item->remote_id)
               : str_equal(jx_text_of(json_object_get(item->props, TYPE)), STR("note"));
}

/* Takes the member out of the body. NULL: it is not to be written. */
static json_t *taken(json_t *body, const char *name, struct arena *arena)
{
    json_t *value = json_object_get(body, name);

    value = value ? jx_own(arena, json_incref(value)) : NULL;
    json_object_del(body, name);
    return value;
}

/* A text cannot be cleared with null: the documents have no nullable text here. */
static void put_text(json_t *body, const char *name, json_t *value)
{
    if (value) {
        json_object_set_new(body, name, json_is_null(value) ? json_string("") : json_incref(value));
    }
}

static enum fail put_due(json_t *body, const json_t *value, struct error *err)
{
    struct str text = jx_text_of(value);
    char iso[WHEN_TEXT_BYTES];
    int64_t ms;

    if (!value) {
        return OK;
    }
    if (!text.len || when_is_date(text)) {
        json_object_set_new(body, "due_date",
                            text.len ? json_stringn(text.at, text.len) : json_null());
        json_object_set_new(body, "due_time", json_null());
        return OK;
    }
    if (!when_parse_ms(text, &ms)) {
        return error_set(err, FAIL_RECORD, TIMESTAMP ": neither a date nor a time");
    }
    when_format_seconds(ms, iso);
    json_object_set_new(body, "due_date", json_stringn(iso, DATE_LENGTH));
    json_object_set_new(
        body, "due_time",
        json_stringn(iso + DATE_LENGTH + 1, MINUTES_LENGTH - DATE_LENGTH - 1)); /* "07:05" */
    return OK;
}

/* The primary one stays while it is wanted, else the first. */
static int64_t primary_of(const struct write_item *item, const struct pipedrive_people *wanted)
{
    const json_t *held = json_object_get(item->current, CONTACTS);
    int64_t primary = pipedrive_id_of(json_array_get(held, 0));

    return primary > 0 && pipedrive_people_have(wanted, primary) ? primary
           : wanted->count                                       ? wanted->at[0].person_id
                                                                 : 0;
}

static void put_participants(json_t *body, const struct write_item *item, const json_t *contacts,
                             struct arena *arena)
{
    struct pipedrive_people wanted = pipedrive_people_of(contacts, arena);
    int64_t primary = primary_of(item, &wanted);
    json_t *rows = json_array();

    for (size_t i = 0; i < wanted.count; i++) {
        int64_t id = wanted.at[i].person_id;

        json_array_append_new(
            rows, json_pack("{s:I,s:b}", "person_id", id, "primary", (int)(id == primary)));
    }
    json_object_set_new(body, "participants", rows);
}

static enum fail activity_body(json_t *body, const struct write_item *item, struct arena *arena,
                               struct error *err)
{
    json_t *type = taken(body, TYPE, arena), *done = taken(body, DONE, arena);
    json_t *contacts = taken(body, CONTACTS, arena);
    struct str word = jx_text_of(done);

    if (type && !json_is_null(type)) {
        json_object_set(body, "type", type);
    } else if (!item->remote_id.len) {
        json_object_set_new(body, "type", json_string("task"));
    }
    put_text(body, "subject", taken(body, SUBJECT, arena));
    put_text(body, "note", taken(body, BODY, arena));
    if (done) {
        json_object_set_new(body, "done",
                            json_boolean(json_is_true(done) || str_equal(word, STR("true"))));
    }
    if (contacts && (item->remote_id.len || json_array_size(contacts))) {
        put_participants(body, item, contacts, arena);
    }
    return put_due(body, taken(body, TIMESTAMP, arena), err);
}

static void put_note_time(json_t *body, const json_t *value)
{
    char text[WHEN_TEXT_BYTES];
    int64_t ms;

    if (when_parse_ms(jx_text_of(value), &ms)) { /* "2026-09-11 13:40:22" */
        when_format_seconds(ms, text);
        text[DATE_LENGTH] = ' ';
        text[strlen(text) - 1] = '\0';
        json_object_set_new(body, "add_time", json_string(text));
    }
}

static enum fail check_links(const json_t *body, struct error *err)
{
    static const char *const LINKS[] = {"deal_id", "person_id",  "org_id",
                                        "lead_id", "project_id", "task_id"};

    for (size_t i = 0; i < COUNT_OF(LINKS); i++) {
        const json_t *link = json_object_get(body, LINKS[i]);

        if (link && !json_is_null(link)) {
            return OK;
        }
    }
    error_set(err, FAIL_RECORD, "a note at pipedrive needs a person, an organization or a deal");
    return error_hint(err, "link the note to one that is at Pipedrive as well");
}

/* A note has one person, no subject, and is never done. */
static enum fail note_body(json_t *body, const struct write_item *item, struct arena *arena,
                           struct error *err)
{
    json_t *contacts = taken(body, CONTACTS, arena), *owner = taken(body, "owner_id", arena);

    json_object_del(body, TYPE);
    json_object_del(body, SUBJECT);
    json_object_del(body, DONE);
    put_text(body, "content", taken(body, BODY, arena));
    put_note_time(body, taken(body, TIMESTAMP, arena));
    if (owner && !json_is_null(owner)) {
        json_object_set(body, "user_id", owner);
    }
    if (contacts) {
        struct pipedrive_people wanted = pipedrive_people_of(contacts, arena);
        int64_t person = primary_of(item, &wanted);

        json_object_set_new(body, "person_id", person ? json_integer(person) : json_null());
    }
    if (!item->remote_id.len) {
        if (!json_object_get(body, "content")) {
            json_object_set_new(body, "content", json_string(""));
        }
        return check_links(body, err);
    }
    return OK;
}

enum fail pipedrive_activity_body(json_t *body, const struct write_item *item, struct arena *arena,
                                  struct error *err)
{
    bool is_note = pipedrive_writes_note(item);
    struct str type = jx_text_of(json_object_get(body, TYPE));

    if (item->remote_id.len && type.len && str_equal(type, STR("note")) != is_note) {
        error_set(err, FAIL_RECORD, "pipedrive cannot make a note of an activity, or the reverse");
        return error_hint(err, "make a new one with the other type and delete this one");
    }
    if ((is_note ? note_body(body, item, arena, err) : activity_body(body, item, arena, err)) !=
        OK) {
        return err->code;
    }
    if (json_object_size(body) == 0) {
        return error_set(err, FAIL_RECORD, "pipedrive's notes have neither a subject nor a state");
    }
    return OK;
}
