/* Salesforce: tasks and events as one kind: what the common members mean for each.
 * Facts: Object Reference, Task (Status and Priority are required, TaskSubtype is set at creation only, ActivityDate has no time), Event
 * (StartDateTime with DurationInMinutes or EndDateTime; an all-day event has ActivityDate), "Field Types", WhoId and WhatId: a lead goes
 * with no WhatId. */
#include "adapters/salesforce_write.h"
#include "core/jx.h"
#include "core/when.h"

enum { DATE_LENGTH = 10, MINUTES_MAX = 14 * 24 * 60, MS_PER_DAY = 24 * 60 * 60 * 1000 };
/* Of an event that is made with nothing but a start, as Salesforce's own pages propose it. */
enum { MINUTES_OF_NEW = 60 };

#define NOTE "Note"

static json_t *given(const struct write_item *item, const char *name)
{
    return json_object_get(item->props, name);
}

static struct str held(const struct write_item *item, const char *name)
{
    return jx_text_of(json_object_get(item->current, name));
}

static bool is_event(const struct salesforce_outgoing *out)
{
    return strcmp(out->object, SF_EVENT) == 0;
}

static void put_text(json_t *body, const char *name, struct str text)
{
    json_object_set_new(body, name, text.len ? json_stringn(text.at, text.len) : json_null());
}

/* --- what it is ------------------------------------------------------------------------------- */

/* An event is a meeting; what a task is, TaskSubtype says, of a note Type. */
static enum fail put_type(struct salesforce_outgoing *out, struct error *err)
{
    struct str type = jx_text_of(given(out->item, SF_ACTIVITY_TYPE));

    if (!out->is_create) {
        if (type.len && str_equal(type, STR("meeting")) != is_event(out)) {
            error_set(err, FAIL_RECORD,
                      "salesforce cannot make an event of a task, or the reverse");
            return error_hint(err, "make a new one with the other type and delete this one");
        }
        return OK;
    }
    if (str_equal(type, STR("call")) || str_equal(type, STR("email"))) {
        json_object_set_new(out->body, "TaskSubtype",
                            json_string(str_equal(type, STR("call")) ? "Call" : "Email"));
    } else if (str_equal(type, STR("note"))) {
        json_object_set_new(out->body, "Type", json_string(NOTE));
    }
    return OK;
}

/* --- when ------------------------------------------------------------------------------------- */

static json_t *day_json(int64_t ms)
{
    char text[WHEN_TEXT_BYTES];

    when_format_seconds(ms, text);
    return json_stringn(text, DATE_LENGTH);
}

/* A read will show the day alone. */
static void put_day(struct salesforce_outgoing *out, struct arena *arena, int64_t ms)
{
    json_object_set_new(out->body, "ActivityDate", day_json(ms));
    salesforce_show(out, arena, SF_ACTIVITY_TIMESTAMP, day_json(ms));
}

/* An event that moves keeps its length; one that lasts all day stays so when it moves to another day. */
static void put_start(struct salesforce_outgoing *out, struct arena *arena, int64_t ms)
{
    const struct write_item *item = out->item;
    bool is_whole_day = json_is_true(json_object_get(item->current, "IsAllDayEvent"));
    int64_t minutes = json_integer_value(json_object_get(item->current, "DurationInMinutes"));
    char text[WHEN_TEXT_BYTES];

    if (is_whole_day && ms % MS_PER_DAY == 0) {
        put_day(out, arena, ms);
        return;
    }
    if (is_whole_day) {
        json_object_set_new(out->body, "IsAllDayEvent", json_false());
        minutes = 0;
    }
    if (minutes <= 0 || minutes > MINUTES_MAX) {
        minutes = MINUTES_OF_NEW;
    }
    when_format_seconds(ms, text);
    json_object_set_new(out->body, "StartDateTime", json_string(text));
    json_object_set_new(out->body, "DurationInMinutes", json_integer(minutes));
    salesforce_show(out, arena, SF_ACTIVITY_TIMESTAMP, json_string(text));
}

static enum fail put_time(const struct session *session, struct salesforce_outgoing *out,
                          struct arena *arena, struct error *err)
{
    const json_t *value = given(out->item, SF_ACTIVITY_TIMESTAMP);
    struct str text = jx_text_of(value);
    int64_t ms;

    if (text.len && !when_parse_ms(text, &ms)) {
        return error_set(err, FAIL_RECORD, SF_ACTIVITY_TIMESTAMP ": neither a date nor a time");
    }
    if (!text.len && is_event(out)) { /* there is none without a time */
        if (out->is_create) {
            put_start(out, arena, clock_wall_ms(session->env->clock));
        }
    } else if (text.len && is_event(out)) {
        put_start(out, arena, ms);
    } else if (text.len) {
        put_day(out, arena, ms);
    } else if (value) {
        json_object_set_new(out->body, "ActivityDate", json_null());
    }
    return OK;
}

/* --- whether it is done ----------------------------------------------------------------------- */

/* Other open states than the first are Salesforce's own: "not done" leaves them as they are. */
static enum fail put_state(const struct session *session, struct salesforce_outgoing *out,
                           struct error *err)
{
    const struct write_item *item = out->item;
    const json_t *done = given(item, SF_ACTIVITY_DONE);
    struct str type = jx_text_of(given(item, SF_ACTIVITY_TYPE));
    bool is_past = type.len && !str_equal(type, STR("task"));
    bool is_done = done && !json_is_null(done)
                       ? json_is_true(done) || str_equal(jx_text_of(done), STR("true"))
                       : is_past;
    bool was_done = json_is_true(json_object_get(item->current, "IsClosed"));
    struct str state;

    if (is_event(out) ||
        (!salesforce_is_create(item) && (!done || (item->current && is_done == was_done)))) {
        return OK;
    }
    state = is_done ? session->choices->task_closed : session->choices->task_open;
    if (!state.len) {
        error_set(err, FAIL_RECORD, "salesforce has no state of tasks that means %s",
                  is_done ? "done" : "not done");
        return error_hint(err, "add one at Setup > Object Manager > Task > Fields > Status");
    }
    put_text(out->body, "Status", state);
    return OK;
}

/* --- whom and what it is about ---------------------------------------------------------------- */

/* One person: the one it has while wanted, else the first. */
static void put_person(struct salesforce_outgoing *out, struct arena *arena)
{
    const json_t *contacts = given(out->item, SF_ACTIVITY_CONTACTS);
    struct str present = held(out->item, "WhoId"), person = STR("");
    json_t *shown = json_array();

    for (size_t i = 0; i < json_array_size(contacts); i++) {
        struct str id = jx_text_of(json_array_get(contacts, i));

        if (salesforce_is_id(id) && (!person.len || salesforce_same_id(id, present))) {
            person = id;
        }
    }
    if (person.len) {
        json_array_append_new(shown, json_stringn(person.at, person.len));
    }
    if (!contacts) {
        json_decref(shown);
        return;
    }
    if (person.len || !out->is_create) {
        put_text(out->body, "WhoId", person);
    }
    salesforce_show(out, arena, SF_ACTIVITY_CONTACTS, shown);
}

static struct str wanted_link(const struct write_item *item, const char *name)
{
    const json_t *value = given(item, name);

    return jx_text_of(value ? value : json_object_get(item->current, name));
}

/* The deal rather than the company, which then is the deal's. An activity that loses its deal stays with that account. */
static struct str subject_of(const struct write_item *item)
{
    struct str deal = wanted_link(item, SF_ACTIVITY_DEAL);
    struct str company = wanted_link(item, SF_ACTIVITY_COMPANY);

    if (deal.len) {
        return deal;
    }
    if (!company.len && !given(item, SF_ACTIVITY_COMPANY)) {
        company = held(item, "AccountId");
    }
    return company;
}

static void put_subject(struct salesforce_outgoing *out, struct arena *arena)
{
    const struct write_item *item = out->item;
    json_t *deal = given(item, SF_ACTIVITY_DEAL), *company = given(item, SF_ACTIVITY_COMPANY);
    struct str what = subject_of(item), present = held(item, "WhatId");
    struct str who = jx_text_of(json_object_get(out->body, "WhoId"));
    bool is_foreign = present.len && !salesforce_has_prefix(present, "001") &&
                      !salesforce_has_prefix(present, "006"); /* about a case, a campaign, … */

    if (!deal && !company) {
        return;
    }
    who = who.len ? who : held(item, "WhoId");
    if (salesforce_has_prefix(who, "00Q")) {
        what = STR("");
        salesforce_show(out, arena, SF_ACTIVITY_DEAL, json_null());
        salesforce_show(out, arena, SF_ACTIVITY_COMPANY, json_null());
    }
    if ((what.len || !is_foreign) && !salesforce_same_id(what, present) &&
        (what.len || !salesforce_is_create(item))) {
        put_text(out->body, "WhatId", what);
    }
}

/* --- all of it -------------------------------------------------------------------------------- */

static void put_member(struct salesforce_outgoing *out, const char *name, const char *field)
{
    json_t *value = given(out->item, name);

    if (value && !(json_is_null(value) && out->is_create)) {
        json_object_set(out->body, field, value);
    }
}

enum fail salesforce_fill_activity(const struct session *session, struct salesforce_outgoing *out,
                                   struct arena *arena, struct error *err)
{
    put_member(out, SF_ACTIVITY_SUBJECT, "Subject");
    put_member(out, SF_ACTIVITY_BODY, "Description");
    if (put_type(out, err) != OK || put_time(session, out, arena, err) != OK ||
        put_state(session, out, err) != OK) {
        return err->code;
    }
    put_person(out, arena);
    put_subject(out, arena);
    return OK;
}
