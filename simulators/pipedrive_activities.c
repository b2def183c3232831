/* What is special about activities: their types, participants and attendees, and what follows from
 * the deal they belong to. Source: OpenAPI v2 of 2026-08 and the v2 migration guide. */
#include "simulators/pipedrive_inside.h"

#include <inttypes.h>

#include "core/jx.h"
#include "core/when.h"

enum { PEOPLE_MAX = 100 };

/* --- types ---------------------------------------------------------------------------------- */

/* Those of a new company. */
const struct pd_activity_type pd_activity_types[] = {
    {1, "call", "Call"},         {2, "meeting", "Meeting"}, {3, "task", "Task"},
    {4, "deadline", "Deadline"}, {5, "email", "Email"},     {6, "lunch", "Lunch"},
};
const size_t pd_activity_types_count = COUNT_OF(pd_activity_types);

const struct pd_activity_type *pd_activity_type_find(struct str key)
{
    for (size_t i = 0; i < pd_activity_types_count; i++) {
        if (str_equal(key, str_of(pd_activity_types[i].key))) {
            return &pd_activity_types[i];
        }
    }
    return NULL;
}

/* Not paged. */
void pd_activity_types_serve(struct sim_call *call, const struct pd_target *at)
{
    (void)at;
    sim_put(call->body, "{\"success\":true,\"data\":[");
    for (size_t i = 0; i < pd_activity_types_count; i++) {
        const struct pd_activity_type *type = &pd_activity_types[i];

        buf_addf(call->body,
                 "%s{\"id\":%" PRId64 ",\"order_nr\":%" PRId64
                 ",\"name\":\"%s\",\"key_string\":\"%s\",\"icon_key\":\"%s\",\"active_flag\":true,"
                 "\"color\":null,\"is_custom_flag\":false,\"add_time\":",
                 i ? "," : "", type->id, type->id, type->name, type->key, type->key);
        pd_put_time_v1(call->body, pd_of(call)->created_ms);
        sim_put(call->body, ",\"update_time\":null}");
    }
    sim_put(call->body, "]}");
    sim_reply(call, 200);
}

/* --- lists of people ------------------------------------------------------------------------ */

static bool mismatch(struct pd_check *check, const struct pd_field *field, const char *expected)
{
    return pd_problem(check, "'%" PRI_STR "' has to be %s", STR_ARG(field->code), expected);
}

static bool holds_person(const json_t *list, int64_t person_id)
{
    size_t index;
    json_t *item;

    json_array_foreach(list, index, item)
    {
        if (json_integer_value(json_object_get(item, "person_id")) == person_id) {
            return true;
        }
    }
    return false;
}

/* {person_id, primary}, and nothing else; the person exists and comes once. */
static bool participant_read(struct pd_check *check, const json_t *made, const json_t *item,
                             int64_t *ret_id)
{
    const json_t *primary = json_object_get(item, "primary");

    return json_is_object(item) && json_object_size(item) == 1 + (size_t)(primary != NULL) &&
           (!primary || json_is_boolean(primary)) &&
           pd_whole(json_object_get(item, "person_id"), ret_id) &&
           pd_record_live(pd_people(check->pd), *ret_id) && !holds_person(made, *ret_id);
}

bool pd_participants_check(struct pd_check *check, const struct pd_field *field,
                           const json_t *value, struct str *ret)
{
    json_t *made = jx_own(check->arena, json_array()), *item;
    size_t index, primaries = 0;

    if (!json_is_array(value) || json_array_size(value) > PEOPLE_MAX) {
        return mismatch(check, field, "an array of at most 100 objects");
    }
    json_array_foreach((json_t *)value, index, item)
    {
        bool is_primary = json_is_true(json_object_get(item, "primary"));
        int64_t id;

        if (!participant_read(check, made, item, &id)) {
            return mismatch(check, field,
                            "an array of {person_id, primary}, each of another existing person");
        }
        primaries += is_primary;
        json_array_append_new(
            made, json_pack("{sIsb}", "person_id", (json_int_t)id, "primary", is_primary));
    }
    if (primaries > 1) {
        return mismatch(check, field, "a list with at most one primary entry");
    }
    if (primaries == 0 && json_array_size(made)) {
        json_object_set_new(json_array_get(made, 0), "primary", json_true());
    }
    *ret = json_array_size(made) ? jx_text(check->arena, made) : STR_NONE;
    return true;
}

/* Kept as they come: guests of a calendar are nothing that a client reads back here. */
bool pd_attendees_check(struct pd_check *check, const struct pd_field *field, const json_t *value,
                        struct str *ret)
{
    size_t index;
    json_t *item;

    if (!json_is_array(value) || json_array_size(value) > PEOPLE_MAX) {
        return mismatch(check, field, "an array of at most 100 objects");
    }
    json_array_foreach((json_t *)value, index, item)
    {
        if (!json_is_object(item) || !json_is_string(json_object_get(item, "email"))) {
            return mismatch(check, field, "an array of objects with an email");
        }
    }
    *ret = json_array_size(value) ? jx_text(check->arena, value) : STR_NONE;
    return true;
}

/* --- settling ------------------------------------------------------------------------------- */

static void default_put(struct pd_write *write, size_t slot, struct str json)
{
    if (!pd_given(write, slot)) {
        pd_put_setting(write, slot, json);
    }
}

/* An activity without a type is a call; one without a subject is called like its type. A guess. */
static void defaults_put(struct pd_check *check, const struct pd_kind *kind, struct pd_write *write)
{
    size_t type = pd_slot(kind, "type"), subject = pd_slot(kind, "subject");
    const struct pd_activity_type *known;

    default_put(write, type, STR("\"call\""));
    known = pd_activity_type_find(pd_plain(check->arena, pd_given(write, type)->text));
    default_put(write, subject, arena_printf(check->arena, "\"%s\"", known->name));
}

/* Whoever links to a deal is linked to its person and organization, unless the body says whom.
 * Source: "about the Pipedrive API". */
static void deal_links_put(struct pd_check *check, const struct pd_kind *kind,
                           const struct pd_record *record, struct pd_write *write)
{
    const struct pd_setting *given = pd_given(write, kind->deal_slot);
    size_t participants = pd_slot(kind, "participants");
    const struct pd_record *deal;
    int64_t id = 0;

    deal = given && str_to_i64(given->text, &id) ? pd_record_live(pd_deals(check->pd), id) : NULL;
    if (!deal) {
        return;
    }
    if (deal->org_id && !pd_given(write, kind->org_slot) &&
        !pd_coming(record, write, kind->org_slot).at) {
        pd_put_setting(write, kind->org_slot, arena_printf(check->arena, "%" PRId64, deal->org_id));
    }
    if (deal->person_id && !pd_given(write, participants) &&
        !pd_coming(record, write, participants).at) {
        pd_put_setting(write, participants,
                       arena_printf(check->arena, "[{\"person_id\":%" PRId64 ",\"primary\":true}]",
                                    deal->person_id));
    }
}

/* person_id is the primary participant. */
static void person_put(struct pd_check *check, const struct pd_kind *kind, struct pd_write *write)
{
    const struct pd_setting *given = pd_given(write, pd_slot(kind, "participants"));
    struct str person = STR_NONE;
    size_t index;
    json_t *item;

    if (!given) {
        return;
    }
    json_array_foreach(pd_tree(check->arena, given->text), index, item)
    {
        if (json_is_true(json_object_get(item, "primary"))) {
            person = pd_number_text(check->arena, json_object_get(item, "person_id"));
        }
    }
    pd_put_setting(write, kind->person_slot, person);
}

static void done_put(struct pd_check *check, const struct pd_kind *kind,
                     const struct pd_record *record, struct pd_write *write)
{
    size_t done = pd_slot(kind, "done"), marked = pd_slot(kind, "marked_as_done_time");
    bool is_done = str_equal(pd_coming(record, write, done), STR("true"));
    char text[WHEN_TEXT_BYTES];

    if (!is_done) {
        pd_put_setting(write, marked, STR_NONE);
    } else if (!record || !pd_value(record, marked).at) {
        when_format_seconds(check->now_ms, text);
        pd_put_setting(write, marked, arena_printf(check->arena, "\"%s\"", text));
    }
}

bool pd_activity_settle(struct pd_check *check, struct pd_kind *kind,
                        const struct pd_record *record, struct pd_write *write)
{
    struct pd_setting *given = pd_given(write, pd_slot(kind, "note"));

    if (!record) {
        defaults_put(check, kind, write);
    }
    if (given && given->text.at) {
        given->text = pd_html_clean(check->arena, given->text);
    }
    deal_links_put(check, kind, record, write);
    person_put(check, kind, write);
    done_put(check, kind, record, write);
    return true;
}
