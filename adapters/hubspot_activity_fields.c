/* HubSpot: calls, e-mails, meetings, notes and tasks as one kind: how their members are called.
 * Facts: developers.hubspot.com, guides of the five objects: each needs hs_timestamp (a task's: when
 * it is due), e-mails hs_email_direction too; a meeting's start should be its hs_timestamp. */
#include "adapters/hubspot_inside.h"

#include "core/jx.h"
#include "core/when.h"

/* source of the numbers: associate records guide, from the activity to the other object. */
const struct hubspot_activity hubspot_activities[HS_ACTIVITIES] = {
    {.type = "call",
     .kind = HS_ACTIVITY_PART "calls",
     .object = "calls",
     .title = "Call",
     .subject = "hs_call_title",
     .body = "hs_call_body",
     .is_past = true,
     .contact_type = 194,
     .company_type = 182,
     .deal_type = 206},
    {.type = "email",
     .kind = HS_ACTIVITY_PART "emails",
     .object = "emails",
     .title = "Email",
     .subject = "hs_email_subject",
     .body = "hs_email_html",
     .body_plain = "hs_email_text",
     .is_past = true,
     .contact_type = 198,
     .company_type = 186,
     .deal_type = 210},
    {.type = "meeting",
     .kind = HS_ACTIVITY_PART "meetings",
     .object = "meetings",
     .title = "Meeting",
     .subject = "hs_meeting_title",
     .body = "hs_meeting_body",
     .start = "hs_meeting_start_time",
     .end = "hs_meeting_end_time",
     .contact_type = 200,
     .company_type = 188,
     .deal_type = 212},
    {.type = "note",
     .kind = HS_ACTIVITY_PART "notes",
     .object = "notes",
     .title = "Note",
     .body = "hs_note_body",
     .contact_type = 202,
     .company_type = 190,
     .deal_type = 214},
    {.type = "task",
     .kind = HS_ACTIVITY_PART "tasks",
     .object = "tasks",
     .title = "Task",
     .subject = "hs_task_subject",
     .body = "hs_task_body",
     .is_task = true,
     .contact_type = 204,
     .company_type = 192,
     .deal_type = 216},
};

const struct hubspot_activity *hubspot_activity_of_type(struct str type)
{
    for (size_t i = 0; i < HS_ACTIVITIES; i++) {
        if (str_equal(type, str_of(hubspot_activities[i].type))) {
            return &hubspot_activities[i];
        }
    }
    return NULL;
}

const struct hubspot_activity *hubspot_activity_of_kind(const char *kind)
{
    for (size_t i = 0; i < HS_ACTIVITIES; i++) {
        if (strcmp(kind, hubspot_activities[i].kind) == 0) {
            return &hubspot_activities[i];
        }
    }
    return NULL;
}

/* --- what to read ----------------------------------------------------------------------------- */

static void add_name(struct str *names, size_t *count, const char *name)
{
    if (name && !hubspot_wants(names, *count, name)) {
        names[(*count)++] = str_of(name);
    }
}

size_t hubspot_activity_properties(const struct hubspot_activity *activity,
                                   const struct str *properties, size_t count, struct str *ret)
{
    size_t names = 0;

    for (size_t i = 0; i < count; i++) {
        if (!str_starts(properties[i], STR("activity."))) {
            ret[names++] = properties[i];
        }
    }
    if (hubspot_wants(properties, count, "activity.subject")) {
        add_name(ret, &names, activity->subject);
    }
    if (hubspot_wants(properties, count, "activity.body")) {
        add_name(ret, &names, activity->body);
        add_name(ret, &names, activity->body_plain);
    }
    if (hubspot_wants(properties, count, "activity.timestamp")) {
        add_name(ret, &names, "hs_timestamp");
        add_name(ret, &names, activity->start);
        add_name(ret, &names, activity->end);
    }
    if (hubspot_wants(properties, count, "activity.done") && activity->is_task) {
        add_name(ret, &names, "hs_task_status");
    }
    return names;
}

/* --- inward ----------------------------------------------------------------------------------- */

static void show_member(struct remote_record *record, const char *name, const char *pseudo)
{
    json_t *value = name ? json_object_get(record->props, name) : NULL;
    json_t *ms = name ? json_object_get(record->props_times, name) : NULL;

    if (value) {
        json_object_set(record->props, pseudo, value);
    }
    if (ms) {
        json_object_set(record->props_times, pseudo, ms);
    }
}

/* An e-mail may have no more than its plain text. */
static const char *body_of(const struct hubspot_activity *activity, const json_t *props)
{
    if (activity->body_plain && jx_text_of(json_object_get(props, activity->body)).len == 0 &&
        jx_text_of(json_object_get(props, activity->body_plain)).len) {
        return activity->body_plain;
    }
    return activity->body;
}

static void show_done(const struct hubspot_activity *activity, struct remote_record *record)
{
    json_t *status = json_object_get(record->props, "hs_task_status");

    if (activity->is_past) {
        json_object_set_new(record->props, "activity.done", json_true());
    } else if (activity->is_task && status) {
        show_member(record, "hs_task_status", "activity.done");
        json_object_set_new(record->props, "activity.done",
                            json_boolean(str_equal(jx_text_of(status), STR("COMPLETED"))));
    }
}

void hubspot_activity_show(const struct hubspot_activity *activity, struct remote_record *record)
{
    if (!record->props) {
        return;
    }
    json_object_set_new(record->props, "activity.type", json_string(activity->type));
    show_member(record, activity->subject, "activity.subject");
    show_member(record, body_of(activity, record->props), "activity.body");
    show_member(record, "hs_timestamp", "activity.timestamp");
    show_done(activity, record);
}

/* --- outward ---------------------------------------------------------------------------------- */

static bool time_in(const json_t *props, const char *name, int64_t *ret_ms)
{
    return when_parse_ms(jx_text_of(json_object_get(props, name)), ret_ms);
}

/* A meeting keeps its length when it moves. */
static void hide_start(const struct hubspot_activity *activity, json_t *props,
                       const json_t *current)
{
    json_t *timestamp = json_object_get(props, "hs_timestamp");
    int64_t now_ms, start_ms, end_ms;
    char text[WHEN_TEXT_BYTES];

    if (!activity->start) {
        return;
    }
    json_object_set(props, activity->start, timestamp);
    if (time_in(props, "hs_timestamp", &now_ms) && time_in(current, activity->start, &start_ms) &&
        time_in(current, activity->end, &end_ms) && end_ms >= start_ms) {
        when_format_ms(now_ms + (end_ms - start_ms), text);
        json_object_set_new(props, activity->end, json_string(text));
    }
}

/* Other states than COMPLETED are the CRM's own: "not done" leaves them as they are. */
static void hide_done(const json_t *done, json_t *props, const json_t *current)
{
    struct str now = jx_text_of(json_object_get(current, "hs_task_status"));

    if (json_is_true(done) || str_equal(jx_text_of(done), STR("true"))) {
        json_object_set_new(props, "hs_task_status", json_string("COMPLETED"));
    } else if (now.len == 0 || str_equal(now, STR("COMPLETED"))) {
        json_object_set_new(props, "hs_task_status", json_string("NOT_STARTED"));
    }
}

static void set_missing(json_t *props, const char *name, const char *text)
{
    if (jx_text_of(json_object_get(props, name)).len == 0) {
        json_object_set_new(props, name, json_string(text));
    }
}

/* What HubSpot refuses to do without. */
static void add_required(const struct hubspot_activity *activity, json_t *props, int64_t now_ms)
{
    char text[WHEN_TEXT_BYTES];

    when_format_ms(now_ms, text);
    set_missing(props, "hs_timestamp", text);
    if (activity->start) {
        set_missing(props, activity->start,
                    json_string_value(json_object_get(props, "hs_timestamp")));
    }
    if (activity->body_plain) {
        set_missing(props, "hs_email_direction", "EMAIL");
    }
    if (activity->is_task) {
        set_missing(props, "hs_task_status", "NOT_STARTED");
    }
}

json_t *hubspot_activity_hide(const struct hubspot_activity *activity, struct arena *arena,
                              const json_t *given, const json_t *current, bool is_create,
                              int64_t now_ms)
{
    json_t *props = jx_own(arena, json_object()), *value;
    const char *name;

    json_object_foreach((json_t *)(uintptr_t)given, name, value)
    {
        if (!str_starts(str_of(name), STR("activity."))) {
            json_object_set(props, name, value);
        }
    }
    if ((value = json_object_get(given, "activity.subject")) && activity->subject) {
        json_object_set(props, activity->subject, value);
    }
    if ((value = json_object_get(given, "activity.body"))) {
        json_object_set(props, activity->body, value);
        if (activity->body_plain && jx_text_of(value).len == 0 && !is_create) {
            json_object_set_new(props, activity->body_plain, json_string(""));
        }
    }
    value = json_object_get(given, "activity.timestamp");
    if (value && !json_is_null(value)) { /* there is none without a time */
        json_object_set(props, "hs_timestamp", value);
        hide_start(activity, props, current);
    }
    if ((value = json_object_get(given, "activity.done")) && activity->is_task) {
        hide_done(value, props, current);
    }
    if (is_create) {
        add_required(activity, props, now_ms);
    }
    return props;
}
