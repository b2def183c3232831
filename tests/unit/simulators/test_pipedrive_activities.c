/* The Pipedrive simulator's activities and notes: sections 4.4 and 4.5 of the reference. */
#include "tests/unit/simulators/pipedrive_journey.h"

#define POST_ACTIVITY(body) "POST", ACTIVITIES, body
#define PATCH_ACTIVITY(body) "PATCH", ACTIVITIES "/1", body
#define A_CALL                                                                                     \
    {                                                                                              \
        POST_ACTIVITY("{\"subject\":\"Slots\",\"type\":\"call\"}"), 200,                           \
        {                                                                                          \
            "data.id=1"                                                                            \
        }                                                                                          \
    }
#define A_PERSON(name)                                                                             \
    {                                                                                              \
        "POST", PERSONS, "{\"name\":\"" name "\"}", 200,                                           \
        {                                                                                          \
            "success=true"                                                                         \
        }                                                                                          \
    }
#define A_FIRM                                                                                     \
    {                                                                                              \
        "POST", ORGANIZATIONS, "{\"name\":\"Quay\"}", 200,                                         \
        {                                                                                          \
            "success=true"                                                                         \
        }                                                                                          \
    }
#define A_DEAL(title)                                                                              \
    {                                                                                              \
        "POST", DEALS, "{\"title\":\"" title "\",\"person_id\":1,\"org_id\":1}", 200,              \
        {                                                                                          \
            "success=true"                                                                         \
        }                                                                                          \
    }

/* --- activities ----------------------------------------------------------------------------- */

JOURNEY(an_activity_has_defaults,
        {POST_ACTIVITY("{}"),
         200,
         {"data.subject=Call", "data.type=call", "data.done=false", "data.busy=false",
          "data.owner_id=4411", "data.creator_user_id=4411", "data.participants#0",
          "data.custom_fields!"}},
        {"GET",
         ACTIVITIES "/1",
         NULL,
         200,
         {"data.due_date=null", "data.due_time=null", "data.duration=null", "data.note=null",
          "data.public_description=", "data.person_id=null", "data.deal_id=null",
          "data.marked_as_done_time=null"}},
        {"GET",
         ACTIVITIES "/1?include_fields=attendees",
         NULL,
         200,
         {"data.attendees#0", "data.lead_id=null", "data.location=null", "data.visible_to!",
          "data.label_ids!", "data.add_time=2026-11-21T07:00:00Z"}})

JOURNEY(an_activity_is_changed_and_deleted,
        {POST_ACTIVITY("{\"subject\":\"Slots\",\"type\":\"meeting\",\"due_date\":\"2026-12-01\","
                       "\"due_time\":\"09:30\",\"duration\":\"00:30:00\",\"note\":\"<p>Ask</p>\"}"),
         200,
         {"data.due_date=2026-12-01", "data.due_time=09:30", "data.duration=00:30",
          "data.note=<p>Ask</p>"}},
        {PATCH_ACTIVITY("{\"done\":true}"),
         200,
         {"data.done=true", "data.marked_as_done_time=2026-11-21T07:01:00Z"},
         .advance_ms = MINUTE_MS},
        {PATCH_ACTIVITY("{\"done\":true,\"subject\":\"Gates\"}"),
         200,
         {"data.marked_as_done_time=2026-11-21T07:01:00Z", "data.subject=Gates",
          "data.update_time=2026-11-21T07:02:00Z"},
         .advance_ms = MINUTE_MS},
        {PATCH_ACTIVITY("{\"done\":false,\"due_time\":null,\"priority\":null}"),
         200,
         {"data.marked_as_done_time=null", "data.due_time=null", "data.due_date=2026-12-01"}},
        {PATCH_ACTIVITY("{\"location\":{\"value\":\"Kai 4\",\"locality\":\"Hamburg\"}}"),
         200,
         {"data.location.value=Kai 4", "data.location.route=null",
          "data.location.formatted_address!"}},
        {"DELETE", ACTIVITIES "/1", NULL, 200, {"data.id=1"}},
        {"GET", ACTIVITIES "/1", NULL, 200, {"data.is_deleted=true"}},
        {"GET", ACTIVITIES, NULL, 200, {"data#0"}},
        {PATCH_ACTIVITY("{\"subject\":\"A\"}"), 404, {"success=false"}},
        {"DELETE", ACTIVITIES "/1", NULL, 410, {"success=true"}},
        {"GET", ACTIVITIES "/1", NULL, 404, {"success=false"}, .advance_ms = 30 * DAY_MS})

static void activities_of_the_wrong_type_are_refused(void **state)
{
    static const struct {
        const char *body, *says;
    } rows[] = {
        {"{\"person_id\":1}", "'person_id' is not allowed"},
        {"{\"person_id\":null}", "'person_id' is not allowed"},
        {"{\"type\":\"visit\"}", "'type'"},
        {"{\"type\":null}", "'type'"},
        {"{\"subject\":null}", "'subject'"},
        {"{\"done\":1}", "'done' has to be a boolean"},
        {"{\"done\":\"true\"}", "'done' has to be a boolean"},
        {"{\"done\":null}", "'done'"},
        {"{\"due_date\":\"2026-02-30\"}", "'due_date'"},
        {"{\"due_time\":\"9:30\"}", "'due_time'"},
        {"{\"due_time\":\"\"}", "'due_time'"},
        {"{\"due_time\":\"24:00\"}", "'due_time'"},
        {"{\"deal_id\":9}", "'deal_id'"},
        {"{\"org_id\":9}", "'org_id'"},
        {"{\"owner_id\":4420}", "'owner_id'"},
        {"{\"participants\":[{\"person_id\":9}]}", "'participants'"},
        {"{\"participants\":[{\"person_id\":\"1\"}]}", "'participants'"},
        {"{\"participants\":[{\"person_id\":1},{\"person_id\":1}]}", "'participants'"},
        {"{\"participants\":[{\"person_id\":1,\"name\":\"A\"}]}", "'participants'"},
        {"{\"participants\":[{\"person_id\":1,\"primary\":true},{\"person_id\":2,\"primary\":true}]"
         "}",
         "at most one primary"},
        {"{\"participants\":{}}", "'participants'"},
        {"{\"attendees\":[{\"name\":\"A\"}]}", "'attendees'"},
        {"{\"location\":{\"value\":\"A\",\"formatted_address\":\"A\"}}", "'location"},
        {"{\"priority\":1}", "'priority'"},
        {"{\"custom_fields\":{}}", "'custom_fields' is not allowed"},
        {"{\"add_time\":\"2026-01-01T00:00:00Z\"}", "'add_time' is not allowed"},
        {"{\"marked_as_done_time\":\"2026-01-01T00:00:00Z\"}", "is not allowed"},
        {"{\"lead_id\":\"x\"}", "'lead_id' is not allowed"},
        {"{\"user_id\":4411}", "'user_id' is not allowed"},
    };
    static const struct step people[] = {A_PERSON("Ada"), A_PERSON("Bea")};
    struct journey journey;

    (void)state;
    journey_begin(&journey, simulator_pipedrive_new, &(struct simulator_options){.seed = 7});
    journey_walk(&journey, people, COUNT_OF(people));
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        json_t *answer =
            journey_send(&journey, "POST", STR(ACTIVITIES), str_of(rows[i].body), NULL);

        if (journey.last.status != 400) {
            fail_msg("%s: got %d", rows[i].body, journey.last.status);
        }
        journey_check(&journey, answer, INVALID, rows[i].body);
        if (!str_contains(jx_text_of(jx_get(answer, "error")), str_of(rows[i].says))) {
            fail_msg("%s: %.200s", rows[i].body, jx_text_of(jx_get(answer, "error")).at);
        }
    }
    journey_end(&journey);
}

JOURNEY(
    the_primary_participant_is_the_person, A_PERSON("Ada"), A_PERSON("Bea"), A_CALL,
    {PATCH_ACTIVITY("{\"participants\":[{\"person_id\":2},{\"person_id\":1}]}"),
     200,
     {"data.person_id=2", "data.participants#2", "data.participants.0.primary=true",
      "data.participants.1.primary=false"}},
    {PATCH_ACTIVITY("{\"participants\":[{\"person_id\":2},{\"person_id\":1,\"primary\":true}]}"),
     200,
     {"data.person_id=1"}},
    {"GET", ACTIVITIES "?person_id=1", NULL, 200, {"data#1"}},
    {"GET", ACTIVITIES "?person_id=2", NULL, 200, {"data#0"}},
    {PATCH_ACTIVITY("{\"participants\":[]}"), 200, {"data.person_id=null", "data.participants#0"}})

JOURNEY(a_deal_brings_its_person_and_organization, A_PERSON("Ada"), A_PERSON("Bea"), A_FIRM, A_FIRM,
        A_DEAL("Yard"),
        {POST_ACTIVITY("{\"subject\":\"A\",\"deal_id\":1}"),
         200,
         {"data.person_id=1", "data.org_id=1", "data.participants.0.person_id=1"}},
        {POST_ACTIVITY("{\"subject\":\"B\",\"deal_id\":1,\"participants\":[{\"person_id\":2}],"
                       "\"org_id\":null}"),
         200,
         {"data.person_id=2", "data.org_id=null"}},
        {POST_ACTIVITY("{\"subject\":\"C\"}"), 200, {"data.id=3"}},
        {"PATCH",
         ACTIVITIES "/3",
         "{\"deal_id\":1}",
         200,
         {"data.person_id=1", "data.org_id=1", "data.deal_id=1"}},
        {"PATCH",
         ACTIVITIES "/3",
         "{\"deal_id\":null}",
         200,
         {"data.deal_id=null", "data.person_id=1"}},
        {POST_ACTIVITY("{\"subject\":\"D\",\"org_id\":2,\"participants\":[{\"person_id\":2}]}"),
         200,
         {"data.id=4"}},
        {"PATCH", ACTIVITIES "/4", "{\"deal_id\":1}", 200, {"data.person_id=2", "data.org_id=2"}},
        {"DELETE", ACTIVITIES "/4", NULL, 200, {"success=true"}},
        {"GET",
         DEALS "/1?include_fields=activities_count,undone_activities_count,done_activities_count",
         NULL,
         200,
         {"data.activities_count=2", "data.undone_activities_count=2",
          "data.done_activities_count=0"}})

JOURNEY(activities_are_filtered_and_sorted, A_PERSON("Ada"), A_FIRM, A_DEAL("Yard"),
        {POST_ACTIVITY("{\"subject\":\"A\",\"due_date\":\"2026-12-02\",\"done\":true}"),
         200,
         {"data.id=1"}},
        {POST_ACTIVITY("{\"subject\":\"B\",\"due_date\":\"2026-12-01\",\"deal_id\":1}"),
         200,
         {"data.id=2"}},
        {POST_ACTIVITY("{\"subject\":\"C\",\"owner_id\":4412}"), 200, {"data.id=3"}},
        {"GET", ACTIVITIES "?done=true", NULL, 200, {"data#1", "data.0.id=1"}},
        {"GET", ACTIVITIES "?done=false", NULL, 200, {"data#2"}},
        {"GET", ACTIVITIES "?deal_id=1", NULL, 200, {"data#1", "data.0.id=2"}},
        {"GET", ACTIVITIES "?org_id=1", NULL, 200, {"data#1", "data.0.id=2"}},
        {"GET", ACTIVITIES "?owner_id=4412", NULL, 200, {"data#1", "data.0.id=3"}},
        {"GET", ACTIVITIES "?lead_id=x", NULL, 200, {"data#0"}},
        {"GET",
         ACTIVITIES "?sort_by=due_date&limit=2",
         NULL,
         200,
         {"data.0.id=3", "data.1.id=2"},
         .save = "next=additional_data.next_cursor"},
        {"GET",
         ACTIVITIES "?sort_by=due_date&limit=2&cursor=$next$",
         NULL,
         200,
         {"data#1", "data.0.id=1", "additional_data.next_cursor=null"}},
        {"GET", ACTIVITIES "?ids=3,1", NULL, 200, {"data#2"}},
        {"GET", ACTIVITIES "?done=1", NULL, 400, {INVALID}},
        {"GET", ACTIVITIES "?sort_by=subject", NULL, 400, {INVALID}},
        {"GET", ACTIVITIES "?include_fields=notes_count", NULL, 400, {INVALID}},
        {"GET", ACTIVITIES "/search?term=abc", NULL, 400, {INVALID}})

JOURNEY(
    a_write_to_an_activity_moves_its_parents, A_PERSON("Ada"), A_FIRM, A_DEAL("Yard"),
    {POST_ACTIVITY("{\"deal_id\":1}"), 200, {"data.id=1"}, .advance_ms = MINUTE_MS},
    {"GET", DEALS "/1", NULL, 200, {"data.update_time=2026-11-21T07:01:00Z"}},
    {"GET", PERSONS "/1", NULL, 200, {"data.update_time=2026-11-21T07:01:00Z"}},
    {"GET", ORGANIZATIONS "/1", NULL, 200, {"data.update_time=2026-11-21T07:01:00Z"}},
    {"DELETE", ACTIVITIES "/1", NULL, 200, {"success=true"}, .advance_ms = MINUTE_MS},
    {"GET", DEALS "/1", NULL, 200, {"data.update_time=2026-11-21T07:02:00Z"}},
    {POST_ACTIVITY("{\"deal_id\":1}"), 200, {"data.id=2"}}, A_DEAL("Gate"),
    {"PATCH", ACTIVITIES "/2", "{\"deal_id\":2}", 200, {"data.deal_id=2"}, .advance_ms = MINUTE_MS},
    {"GET", DEALS "/1", NULL, 200, {"data.update_time=2026-11-21T07:03:00Z"}},
    {"GET", DEALS "/2", NULL, 200, {"data.update_time=2026-11-21T07:03:00Z"}})

JOURNEY(types_and_fields_of_activities,
        {"GET",
         "/v1/activityTypes",
         NULL,
         200,
         {"data#6", "data.0.key_string=call", "data.5.key_string=lunch", "data.0.active_flag=true",
          "data.0.update_time=null"}},
        {"GET",
         "/api/v2/activityFields/type",
         NULL,
         200,
         {"data.field_type=enum", "data.options#6", "data.options.1.id=meeting"}},
        {"GET",
         "/api/v2/activityFields/priority",
         NULL,
         200,
         {"data.options#3", "data.options.0.label=High"},
         .save = "high=data.options.0.id"},
        {POST_ACTIVITY("{\"priority\":$high$}"), 200, {"data.priority=$high$"}},
        {"POST",
         "/api/v2/activityFields",
         "{\"field_name\":\"A\",\"field_type\":\"varchar\"}",
         405,
         {"success=false"}},
        {"DELETE", "/api/v2/activityFields/note", NULL, 405, {"success=false"}})

JOURNEY_WITH(clocks_may_have_seconds, OPTIONS(.quirks = "seconds-in-clocks"),
             {POST_ACTIVITY("{\"due_time\":\"09:30\"}"),
              200,
              {"data.due_time=09:30:00", "data.duration=null"}})

/* --- notes ---------------------------------------------------------------------------------- */

JOURNEY(a_note_takes_the_links_of_its_deal, A_PERSON("Ada"), A_FIRM, A_DEAL("Yard"),
        {"POST",
         NOTES,
         "{\"content\":\"<p>Gate closes at 18:00.</p>\",\"deal_id\":1,\"pinned_to_deal_flag\":0}",
         201,
         {"data.id=1", "data.person_id=1", "data.org_id=1", "data.deal.title=Yard",
          "data.person.name=Ada", "data.organization.name=Quay", "data.user.is_you=true",
          "data.active_flag=true"}},
        {"GET",
         NOTES "/1",
         NULL,
         200,
         {"data.content=<p>Gate closes at 18:00.</p>", "data.pinned_to_deal_flag=false",
          "data.add_time=2026-11-21 07:00:00", "data.update_time=2026-11-21 07:00:00",
          "data.last_update_user_id=null", "data.lead_id=null", "data.user_id=4411"}},
        {"GET", DEALS "/1?include_fields=notes_count", NULL, 200, {"data.notes_count=1"}},
        {"PUT",
         NOTES "/1",
         "{\"content\":\"B\",\"pinned_to_deal_flag\":1,\"unknown\":1}",
         200,
         {"data.content=B", "data.pinned_to_deal_flag=true", "data.last_update_user_id=4411",
          "data.update_time=2026-11-21 07:01:00"},
         .advance_ms = MINUTE_MS},
        {"GET", DEALS "/1", NULL, 200, {"data.update_time=2026-11-21T07:01:00Z"}},
        {"GET", PERSONS "/1", NULL, 200, {"data.update_time=2026-11-21T07:01:00Z"}},
        {"PUT",
         NOTES "/1",
         "{\"add_time\":\"2026-01-02 03:04:05\"}",
         200,
         {"data.add_time=2026-01-02 03:04:05", "data.content=B"}})

JOURNEY(a_deleted_note_still_answers, A_PERSON("Ada"),
        {"POST", NOTES, "{\"content\":\"A\",\"person_id\":1}", 201, {"data.id=1"}},
        {"DELETE", NOTES "/1", NULL, 200, {"success=true", "data=true"}},
        {"GET", NOTES "/1", NULL, 200, {"data.active_flag=false"}},
        {"PUT", NOTES "/1", "{\"content\":\"B\"}", 200, {"data.active_flag=false"}},
        {"GET", NOTES, NULL, 200, {"data=null"}}, {"DELETE", NOTES "/1", NULL, 410, {"data=true"}},
        {"GET", NOTES "/1", NULL, 404, {"success=false"}, .advance_ms = 30 * DAY_MS},
        {"GET", NOTES "/9", NULL, 404, {"success=false"}})

JOURNEY(notes_that_mean_nothing_are_refused, A_PERSON("Ada"),
        {"POST", NOTES, "{\"content\":\"A\"}", 400, {"error~deal_id, person_id, org_id"}},
        {"POST", NOTES, "{\"person_id\":1}", 400, {"error~'content' is required"}},
        {"POST", NOTES, "{\"content\":\"A\",\"person_id\":9}", 400, {"error~'person_id'"}},
        {"POST", NOTES, "{\"content\":\"A\",\"deal_id\":9}", 400, {"error~'deal_id'"}},
        {"POST", NOTES, "{\"content\":7,\"person_id\":1}", 400, {"error~'content'"}},
        {"POST", NOTES, "[]", 400, {"success=false"}},
        {"POST",
         NOTES,
         "{\"content\":\"A\",\"person_id\":1,\"add_time\":\"soon\"}",
         400,
         {"error~'add_time'"}},
        {"POST", NOTES, "content=Hello%20you&person_id=1", 201, {"data.content=Hello you"}},
        {"POST",
         NOTES,
         "{\"content\":\"A\",\"person_id\":\"1\",\"user_id\":\"4413\"}",
         201,
         {"data.person_id=1", "data.user_id=4413", "data.user.is_you=false"}},
        {"PUT", NOTES "/1", "{\"person_id\":null}", 400, {"error~deal_id, person_id, org_id"}})

JOURNEY(notes_are_listed_by_offset, A_PERSON("Ada"), A_PERSON("Bea"), A_FIRM, A_DEAL("Yard"),
        {"POST", NOTES, "{\"content\":\"A\",\"person_id\":1}", 201, {"data.id=1"}},
        {"POST", NOTES, "{\"content\":\"B\",\"person_id\":2}", 201, {"data.id=2"}},
        {"POST",
         NOTES,
         "{\"content\":\"C\",\"deal_id\":1,\"user_id\":4412}",
         201,
         {"data.id=3"},
         .advance_ms = MINUTE_MS},
        {"PUT", NOTES "/1", "{\"content\":\"D\"}", 200, {"data.id=1"}, .advance_ms = MINUTE_MS},
        {"GET",
         NOTES "?limit=2",
         NULL,
         200,
         {"data#2", "data.0.id=1", "additional_data.pagination.more_items_in_collection=true",
          "additional_data.pagination.next_start=2", "additional_data.pagination.limit=2"}},
        {"GET",
         NOTES "?limit=2&start=2",
         NULL,
         200,
         {"data#1", "data.0.id=3", "additional_data.pagination.more_items_in_collection=false",
          "additional_data.pagination.next_start!"}},
        {"GET",
         NOTES "?sort=update_time%20ASC",
         NULL,
         200,
         {"data.0.id=2", "data.1.id=3", "data.2.id=1"}},
        {"GET", NOTES "?sort=update_time%20DESC", NULL, 200, {"data.0.id=1", "data.2.id=2"}},
        {"GET",
         NOTES "?updated_since=2026-11-21T07:01:00Z&sort=update_time",
         NULL,
         200,
         {"data#2", "data.0.id=3"}},
        {"GET", NOTES "?updated_since=2026-11-21T07:01:00.5Z", NULL, 400, {"success=false"}},
        {"GET", NOTES "?deal_id=1", NULL, 200, {"data#1", "data.0.id=3"}},
        {"GET", NOTES "?person_id=2", NULL, 200, {"data#1", "data.0.id=2"}},
        {"GET", NOTES "?org_id=1", NULL, 200, {"data#1", "data.0.id=3"}},
        {"GET", NOTES "?user_id=4412", NULL, 200, {"data#1", "data.0.id=3"}},
        {"GET", NOTES "?start=9", NULL, 200, {"data=null"}},
        {"GET", NOTES "?start=9223372036854775807", NULL, 200, {"data#3"}})

JOURNEY(the_html_of_notes_is_cleaned, A_PERSON("Ada"),
        {"POST",
         NOTES,
         "{\"person_id\":1,\"content\":\"<p onclick='x()' class=\\\"a\\\">A<br/>B<BR />C"
         "<!-- no --></p><script>bad('<p>')</script>1 < 2 <b\"}",
         201,
         {"data.content=<p class=\"a\">A<br>B<br>C</p>1 < 2 <b"}},
        {"POST", NOTES, "{\"person_id\":1,\"content\":\"a<style>x\"}", 201, {"data.content=a"}},
        {"POST",
         ACTIVITIES,
         "{\"note\":\"a<br/>b<iframe src=x></iframe>\"}",
         200,
         {"data.note=a<br>b"}})

/* --- merges and the pages of the CRM -------------------------------------------------------- */

JOURNEY(activities_and_notes_follow_a_merge, A_PERSON("Ada"), A_PERSON("Bea"), A_FIRM, A_FIRM,
        A_DEAL("Yard"), A_DEAL("Gate"),
        {POST_ACTIVITY("{\"deal_id\":1,\"participants\":[{\"person_id\":2},{\"person_id\":1,"
                       "\"primary\":true}]}"),
         200,
         {"data.person_id=1"}},
        {"POST", NOTES, "{\"content\":\"A\",\"deal_id\":1}", 201, {"data.id=1"}},
        {"PUT", "/v1/persons/1/merge", "{\"merge_with_id\":2}", 200, {"data.id=2"}},
        {"PUT", "/v1/organizations/1/merge", "{\"merge_with_id\":2}", 200, {"data.id=2"}},
        {"PUT", "/v1/deals/1/merge", "{\"merge_with_id\":2}", 200, {"data.id=2"}},
        {"GET",
         ACTIVITIES "/1",
         NULL,
         200,
         {"data.person_id=2", "data.participants#1", "data.participants.0.primary=true",
          "data.org_id=2", "data.deal_id=2"}},
        {"GET", NOTES "/1", NULL, 200, {"data.person_id=2", "data.org_id=2", "data.deal_id=2"}})

JOURNEY(people_change_activities_and_notes, A_PERSON("Ada"),
        {"POST",
         "/__sim/edit",
         "{\"object\":\"activities\",\"set\":{\"subject\":\"A\",\"type\":\"task\",\"participants\":"
         "[{\"person_id\":1}]},\"by\":\"person\"}",
         200,
         {"id=1"}},
        {"POST",
         "/__sim/edit",
         "{\"object\":\"notes\",\"set\":{\"content\":\"A\",\"person_id\":1},\"by\":\"person\"}",
         200,
         {"id=1"}},
        {"POST",
         "/__sim/edit",
         "{\"object\":\"notes\",\"id\":\"1\",\"set\":{\"content\":\"B\"},\"by\":\"person\"}",
         200,
         {"id=1"}},
        {"GET",
         "/__sim/state/activities",
         NULL,
         200,
         {"records#1", "records.0.fields.type=task", "records.0.fields.person_id=1",
          "records.0.fields.custom_fields!", "records.0.fields.participants.0.primary=true"}},
        {"GET", "/__sim/state/notes", NULL, 200, {"records#1", "records.0.fields.content=B"}},
        {"POST", "/__sim/delete", "{\"object\":\"notes\",\"id\":\"1\"}", 200, {0}},
        {"GET", NOTES "/1", NULL, 200, {"data.active_flag=false"}},
        {"POST", "/__sim/restore", "{\"object\":\"notes\",\"id\":\"1\"}", 200, {0}},
        {"GET", NOTES "/1", NULL, 200, {"data.active_flag=true"}},
        {"POST", "/__sim/merge", "{\"object\":\"notes\",\"into\":\"1\",\"from\":\"1\"}", 400, {0}})

/* --- made-up accounts ----------------------------------------------------------------------- */

#define FILLED OPTIONS(.records = 60, .deals = 40, .activities = 100)

JOURNEY_WITH(deals_and_activities_are_made_up, FILLED,
             {"GET",
              DEALS "?limit=500&include_fields=participants_count",
              NULL,
              200,
              {"data#40", "data.0.title~P1", "data.0.person_id=1", "data.1.status=lost",
               "data.7.participants_count=3"}},
             {"GET", ACTIVITIES "?limit=500", NULL, 200, {"data#80", "data.0.type=call"}},
             {"GET", ACTIVITIES "/1", NULL, 200, {"data.person_id=1", "data.participants#1"}},
             {"GET",
              NOTES "?limit=500",
              NULL,
              200,
              {"data#20", "data.0.active_flag=true", "data.0.person_id=4"}},
             {"GET", PERSONS "?limit=500", NULL, 200, {"data#60"}})

JOURNEY_WITH(they_are_made_up_without_people, OPTIONS(.deals = 3, .activities = 5),
             {"GET", DEALS, NULL, 200, {"data#3", "data.0.person_id=null", "data.0.org_id=null"}},
             {"GET", ACTIVITIES, NULL, 200, {"data#4", "data.0.person_id=null"}},
             {"GET", NOTES, NULL, 200, {"data=null"}})

/* Everything that a list shows of an account of this seed. */
static struct str account_of(struct journey *journey, uint64_t seed)
{
    static const char *const urls[] = {DEALS "?limit=500", ACTIVITIES "?limit=500",
                                       NOTES "?limit=500", "/v1/deals/1/participants"};
    struct buf all = {0};
    struct str ret;

    journey_begin(
        journey, simulator_pipedrive_new,
        &(struct simulator_options){.seed = seed, .records = 60, .deals = 40, .activities = 100});
    buf_init(&all, 1 << 24);
    for (size_t i = 0; i < COUNT_OF(urls); i++) {
        journey_send(journey, "GET", str_of(urls[i]), STR(""), NULL);
        buf_add(&all, journey->last.body);
    }
    ret = arena_str(&journey->arena, buf_str(&all));
    buf_fini(&all);
    return ret;
}

static void one_seed_makes_one_account(void **state)
{
    struct journey first, again, other;
    struct str account;

    (void)state;
    account = account_of(&first, 7);
    assert_true(str_equal(account, account_of(&again, 7)));
    assert_false(str_equal(account, account_of(&other, 8)));
    journey_end(&first);
    journey_end(&again);
    journey_end(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_activity_has_defaults),
        cmocka_unit_test(an_activity_is_changed_and_deleted),
        cmocka_unit_test(activities_of_the_wrong_type_are_refused),
        cmocka_unit_test(the_primary_participant_is_the_person),
        cmocka_unit_test(a_deal_brings_its_person_and_organization),
        cmocka_unit_test(activities_are_filtered_and_sorted),
        cmocka_unit_test(a_write_to_an_activity_moves_its_parents),
        cmocka_unit_test(types_and_fields_of_activities),
        cmocka_unit_test(clocks_may_have_seconds),
        cmocka_unit_test(a_note_takes_the_links_of_its_deal),
        cmocka_unit_test(a_deleted_note_still_answers),
        cmocka_unit_test(notes_that_mean_nothing_are_refused),
        cmocka_unit_test(notes_are_listed_by_offset),
        cmocka_unit_test(the_html_of_notes_is_cleaned),
        cmocka_unit_test(activities_and_notes_follow_a_merge),
        cmocka_unit_test(people_change_activities_and_notes),
        cmocka_unit_test(deals_and_activities_are_made_up),
        cmocka_unit_test(they_are_made_up_without_people),
        cmocka_unit_test(one_seed_makes_one_account),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
