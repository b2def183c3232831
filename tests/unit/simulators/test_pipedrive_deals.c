/* The Pipedrive simulator's deals, participants, pipelines and stages: sections 4.3 and 4.7 of the reference. */
#include "tests/unit/simulators/pipedrive_journey.h"

#define POST_DEAL(body) "POST", DEALS, body
#define PATCH_DEAL(body) "PATCH", DEALS "/1", body
#define A_DEAL                                                                                     \
    {                                                                                              \
        POST_DEAL("{\"title\":\"Yard\"}"), 200,                                                    \
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
#define A_PIPELINE                                                                                 \
    {"POST", "/api/v2/pipelines", "{\"name\":\"Renewals\"}", 200, {"data.id=2"}},                  \
    {                                                                                              \
        "POST", "/api/v2/stages", "{\"name\":\"Asked\",\"pipeline_id\":2}", 200,                   \
        {                                                                                          \
            "data.id=6"                                                                            \
        }                                                                                          \
    }

/* --- life ----------------------------------------------------------------------------------- */

JOURNEY(a_deal_has_defaults,
        {POST_DEAL("{\"title\":\"Yard scheduling\"}"),
         200,
         {"data.value=0", "data.currency=EUR", "data.status=open", "data.pipeline_id=1",
          "data.stage_id=1", "data.owner_id=4411", "data.creator_user_id=4411",
          "data.visible_to=3"}},
        {"GET",
         DEALS "/1",
         NULL,
         200,
         {"data.person_id=null", "data.org_id=null", "data.stage_change_time=null",
          "data.probability=null", "data.is_archived=false", "data.origin=API", "data.label_ids#0",
          "data.add_time=2026-11-21T07:00:00Z"}},
        {"GET",
         DEALS "/1",
         NULL,
         200,
         {"data.won_time=null", "data.lost_time=null", "data.close_time=null",
          "data.local_close_date=null", "data.lost_reason=null", "data.channel=null",
          "data.participants_count!", "data.first_won_time!"}})

JOURNEY(a_deal_is_changed_and_deleted, A_DEAL, A_PERSON("Ada"), A_FIRM,
        {PATCH_DEAL("{\"title\":\"Gates\",\"value\":18400.5,\"currency\":\"USD\",\"person_id\":1,"
                    "\"org_id\":1,\"probability\":60,\"expected_close_date\":\"2026-12-31\"}"),
         200,
         {"data.title=Gates", "data.value=18400.5", "data.currency=USD", "data.person_id=1",
          "data.org_id=1", "data.probability=60", "data.expected_close_date=2026-12-31",
          "data.update_time=2026-11-21T07:01:00Z"},
         .advance_ms = MINUTE_MS},
        {PATCH_DEAL("{\"person_id\":null,\"value\":null,\"probability\":null}"),
         200,
         {"data.person_id=null", "data.value=0", "data.probability=null", "data.org_id=1"}},
        {"DELETE", DEALS "/1", NULL, 200, {"data.id=1"}, .advance_ms = MINUTE_MS},
        {"GET",
         DEALS "/1",
         NULL,
         200,
         {"data.is_deleted=true", "data.status=deleted", "data.update_time=2026-11-21T07:02:00Z"}},
        {"GET", DEALS, NULL, 200, {"data#0"}}, {"GET", DEALS "?ids=1", NULL, 200, {"data#0"}},
        {"GET", DEALS "?status=open,won,lost", NULL, 200, {"data#0"}},
        {"GET",
         DEALS "?status=deleted&updated_since=2026-11-21T07:02:00Z",
         NULL,
         200,
         {"data#1", "data.0.id=1", "data.0.status=deleted"}},
        {"GET", DEALS "?status=open,won,lost,deleted", NULL, 200, {"data#1"}},
        {PATCH_DEAL("{\"title\":\"Yard\"}"), 404, {"success=false"}},
        {"DELETE", DEALS "/1", NULL, 410, {"success=true"}},
        {"GET", DEALS "?status=deleted", NULL, 200, {"data#1"}, .advance_ms = 29 * DAY_MS},
        {"GET", DEALS "?status=deleted", NULL, 200, {"data#0"}, .advance_ms = DAY_MS},
        {"GET", DEALS "/1", NULL, 404, {"success=false"}})

static void deals_of_the_wrong_type_are_refused(void **state)
{
    static const struct {
        const char *body, *says;
    } rows[] = {
        {"{}", "'title' is required"},
        {"{\"title\":\"\"}", "'title'"},
        {"{\"title\":\"A\",\"value\":\"5\"}", "'value' has to be a number"},
        {"{\"title\":\"A\",\"currency\":\"eur\"}", "'currency'"},
        {"{\"title\":\"A\",\"currency\":\"XXX\"}", "'currency'"},
        {"{\"title\":\"A\",\"currency\":null}", "'currency'"},
        {"{\"title\":\"A\",\"person_id\":99}", "'person_id'"},
        {"{\"title\":\"A\",\"person_id\":\"1\"}", "'person_id' has to be an integer"},
        {"{\"title\":\"A\",\"org_id\":99}", "'org_id'"},
        {"{\"title\":\"A\",\"owner_id\":4420}", "'owner_id'"},
        {"{\"title\":\"A\",\"stage_id\":99}", "'stage_id'"},
        {"{\"title\":\"A\",\"stage_id\":null}", "'stage_id'"},
        {"{\"title\":\"A\",\"pipeline_id\":99}", "'pipeline_id'"},
        {"{\"title\":\"A\",\"status\":\"deleted\"}", "'status' has to be one of open, won, lost"},
        {"{\"title\":\"A\",\"status\":\"Won\"}", "'status'"},
        {"{\"title\":\"A\",\"probability\":101}", "'probability'"},
        {"{\"title\":\"A\",\"probability\":\"10\"}", "'probability'"},
        {"{\"title\":\"A\",\"expected_close_date\":\"2026-13-01\"}", "'expected_close_date'"},
        {"{\"title\":\"A\",\"is_archived\":1}", "'is_archived' has to be a boolean"},
        {"{\"title\":\"A\",\"is_deleted\":true}", "'is_deleted' is not allowed"},
        {"{\"title\":\"A\",\"add_time\":\"2026-01-01T00:00:00Z\"}", "'add_time' is not allowed"},
        {"{\"title\":\"A\",\"creator_user_id\":4411}", "'creator_user_id' is not allowed"},
        {"{\"title\":\"A\",\"stage_change_time\":null}", "'stage_change_time' is not allowed"},
        {"{\"title\":\"A\",\"origin\":\"us\"}", "'origin' is not allowed"},
        {"{\"title\":\"A\",\"local_won_date\":\"2026-01-01\"}", "'local_won_date' is not allowed"},
        {"{\"title\":\"A\",\"user_id\":4411}", "'user_id' is not allowed"},
        {"{\"title\":\"A\",\"custom_fields\":{\"x\":1}}", "custom field 'x' does not exist"},
    };
    struct journey journey;

    (void)state;
    journey_begin(&journey, simulator_pipedrive_new, &(struct simulator_options){.seed = 7});
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        json_t *answer = journey_send(&journey, "POST", STR(DEALS), str_of(rows[i].body), NULL);

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

/* --- stages --------------------------------------------------------------------------------- */

JOURNEY(the_stage_fixes_the_pipeline, A_PIPELINE,
        {POST_DEAL("{\"title\":\"A\",\"stage_id\":6}"), 200, {"data.pipeline_id=2"}},
        {POST_DEAL("{\"title\":\"B\",\"pipeline_id\":2}"), 200, {"data.stage_id=6"}},
        {POST_DEAL("{\"title\":\"C\",\"pipeline_id\":1,\"stage_id\":6}"),
         400,
         {INVALID, "error~'stage_id' does not belong to 'pipeline_id'"}},
        {PATCH_DEAL("{\"stage_id\":3}"),
         200,
         {"data.stage_id=3", "data.pipeline_id=1", "data.stage_change_time=2026-11-21T07:01:00Z"},
         .advance_ms = MINUTE_MS},
        {PATCH_DEAL("{\"pipeline_id\":1}"),
         200,
         {"data.stage_id=3", "data.stage_change_time=2026-11-21T07:01:00Z",
          "data.update_time=2026-11-21T07:01:00Z"},
         .advance_ms = MINUTE_MS},
        {PATCH_DEAL("{\"pipeline_id\":2}"), 200, {"data.stage_id=6"}},
        {PATCH_DEAL("{\"stage_id\":1,\"pipeline_id\":2}"), 400, {INVALID}},
        {PATCH_DEAL("{\"stage_id\":1,\"pipeline_id\":1}"), 200, {"data.pipeline_id=1"}},
        {"POST", "/api/v2/pipelines", "{\"name\":\"Empty\"}", 200, {"data.id=3"}},
        {PATCH_DEAL("{\"pipeline_id\":3}"), 400, {"error~without stages"}})

JOURNEY(stages_and_pipelines_of_a_new_company,
        {"GET",
         "/api/v2/pipelines",
         NULL,
         200,
         {"data#1", "data.0.name=Pipeline", "data.0.order_nr=1", "data.0.update_time=null",
          "data.0.is_deal_probability_enabled=true", "additional_data.next_cursor=null"}},
        {"GET",
         "/api/v2/stages?pipeline_id=1",
         NULL,
         200,
         {"data#5", "data.0.name=Qualified", "data.1.name=Contact Made",
          "data.2.name=Demo Scheduled", "data.3.name=Proposal Made",
          "data.4.name=Negotiations Started", "data.4.order_nr=5", "data.0.deal_probability=100"}},
        {"GET", "/api/v2/stages?pipeline_id=9", NULL, 200, {"data#0"}},
        {"GET", "/api/v2/stages/2", NULL, 200, {"data.name=Contact Made", "data.pipeline_id=1"}},
        {"GET", "/api/v2/stages/9", NULL, 404, {"success=false"}},
        {"GET",
         "/api/v2/stages?limit=2&sort_by=order_nr&sort_direction=desc",
         NULL,
         200,
         {"data#2", "data.0.id=5", "data.1.id=4"},
         .save = "next=additional_data.next_cursor"},
        {"GET",
         "/api/v2/stages?limit=3&sort_by=order_nr&sort_direction=desc&cursor=$next$",
         NULL,
         200,
         {"data#3", "data.0.id=3", "additional_data.next_cursor=null"}},
        {"GET", "/api/v2/stages?sort_by=name", NULL, 400, {INVALID}},
        {"GET", "/api/v2/pipelines?sort_by=order_nr", NULL, 400, {INVALID}},
        {"GET", "/api/v2/stages?cursor=x", NULL, 400, {INVALID}},
        {"GET", "/api/v2/stages?pipeline_id=x", NULL, 400, {INVALID}})

JOURNEY(stages_and_pipelines_are_written, A_PIPELINE,
        {"PATCH",
         "/api/v2/stages/1",
         "{\"name\":\"New\",\"deal_probability\":10,\"is_deal_rot_enabled\":true,"
         "\"days_to_rotten\":14}",
         200,
         {"data.name=New", "data.deal_probability=10", "data.days_to_rotten=14",
          "data.is_deal_rot_enabled=true"},
         .advance_ms = MINUTE_MS},
        {"GET", "/api/v2/stages/5", NULL, 200, {"data.update_time=2026-11-21T07:01:00Z"}},
        {"GET", "/api/v2/stages/6", NULL, 200, {"data.update_time=2026-11-21T07:00:00Z"}},
        {"PATCH",
         "/api/v2/stages/1",
         "{\"days_to_rotten\":null}",
         200,
         {"data.days_to_rotten=null", "data.name=New"}},
        {"PATCH", "/api/v2/stages/1", "{\"order_nr\":2}", 400, {INVALID}},
        {"PATCH", "/api/v2/stages/1", "{\"deal_probability\":101}", 400, {INVALID}},
        {"PATCH", "/api/v2/stages/1", "{\"pipeline_id\":9}", 400, {INVALID}},
        {"POST", "/api/v2/stages", "{\"name\":\"X\"}", 400, {INVALID}},
        {"POST", "/api/v2/pipelines", "{}", 400, {INVALID}},
        {"POST", "/api/v2/pipelines", "[]", 400, {INVALID}},
        {"PATCH",
         "/api/v2/pipelines/2",
         "{\"name\":\"Renewals\"}",
         200,
         {"data.update_time=2026-11-21T07:00:00Z"}},
        {"PATCH",
         "/api/v2/pipelines/2",
         "{\"is_deal_probability_enabled\":false}",
         200,
         {"data.is_deal_probability_enabled=false", "data.update_time=2026-11-21T07:01:00Z"}},
        {"DELETE", "/api/v2/stages/6", NULL, 200, {"data.id=6"}},
        {"GET", "/api/v2/stages/6", NULL, 404, {"success=false"}},
        {"DELETE", "/api/v2/stages/6", NULL, 404, {"success=false"}},
        {POST_DEAL("{\"title\":\"A\",\"stage_id\":6}"), 400, {"error~'stage_id'"}},
        {"DELETE", "/api/v2/pipelines/1", NULL, 200, {"data.id=1"}},
        {"GET", "/api/v2/stages", NULL, 200, {"data#0"}},
        {"GET", "/api/v2/pipelines", NULL, 200, {"data#1", "data.0.id=2"}},
        {"PATCH", "/api/v2/pipelines/1", "{\"name\":\"A\"}", 404, {"success=false"}})

#define CHANGE(property, change, option, label)                                                    \
    "POST", "/__sim/schema",                                                                       \
        "{\"object\":\"deals\",\"property\":\"" property "\",\"change\":\"" change                 \
        "\",\"option\":\"" option "\",\"label\":\"" label "\"}"

JOURNEY(an_administrator_changes_stages,
        {CHANGE("stage_id", "rename_option", "Qualified", "New"), 200, {0}},
        {CHANGE("stage_id", "remove_option", "2", ""), 200, {0}},
        {CHANGE("stage_id", "add_option", "", "Signed"), 200, {0}},
        {CHANGE("pipeline_id", "rename_option", "Pipeline", "Sales"), 200, {0}},
        {"GET",
         "/api/v2/stages",
         NULL,
         200,
         {"data#5", "data.0.name=New", "data.1.name=Demo Scheduled", "data.4.name=Signed",
          "data.4.pipeline_id=1", "data.4.order_nr=6"}},
        {"GET", "/api/v2/pipelines", NULL, 200, {"data.0.name=Sales"}},
        {CHANGE("stage_id", "remove_option", "Lead", ""), 400, {0}},
        {CHANGE("stage_id", "type", "", ""), 400, {0}},
        {CHANGE("pipeline_id", "add_option", "", "A"), 400, {0}},
        {CHANGE("pipeline_id", "remove_option", "Sales", ""), 200, {0}},
        {"GET", "/api/v2/stages", NULL, 200, {"data#0"}},
        {CHANGE("stage_id", "add_option", "", "Signed"), 400, {0}})

/* --- status --------------------------------------------------------------------------------- */

JOURNEY(winning_and_losing_set_their_times, A_DEAL,
        {PATCH_DEAL("{\"status\":\"won\"}"),
         200,
         {"data.won_time=2026-11-21T07:01:00Z", "data.close_time=2026-11-21T07:01:00Z",
          "data.local_won_date=2026-11-21", "data.local_close_date=2026-11-21",
          "data.lost_time=null", "data.local_lost_date=null"},
         .advance_ms = MINUTE_MS},
        {PATCH_DEAL("{\"status\":\"won\"}"),
         200,
         {"data.won_time=2026-11-21T07:01:00Z", "data.update_time=2026-11-21T07:01:00Z"},
         .advance_ms = MINUTE_MS},
        {PATCH_DEAL("{\"status\":\"lost\",\"lost_reason\":\"Budget\"}"),
         200,
         {"data.won_time=null", "data.local_won_date=null", "data.lost_time=2026-11-21T07:03:00Z",
          "data.close_time=2026-11-21T07:03:00Z", "data.lost_reason=Budget",
          "data.local_lost_date=2026-11-21"},
         .advance_ms = MINUTE_MS},
        {PATCH_DEAL("{\"status\":\"open\"}"),
         200,
         {"data.lost_reason=null", "data.lost_time=null", "data.close_time=null",
          "data.local_close_date=null"}},
        {"GET",
         DEALS "/1?include_fields=first_won_time",
         NULL,
         200,
         {"data.first_won_time=2026-11-21T07:01:00Z"}},
        {PATCH_DEAL("{\"status\":\"won\",\"won_time\":\"2026-10-02T10:00:00+02:00\"}"),
         200,
         {"data.won_time=2026-10-02T08:00:00Z", "data.close_time=2026-10-02T08:00:00Z",
          "data.local_won_date=2026-10-02"}},
        {PATCH_DEAL("{\"close_time\":\"2026-10-03T08:00:00Z\"}"),
         200,
         {"data.won_time=2026-10-02T08:00:00Z", "data.local_close_date=2026-10-03"}},
        {"GET",
         DEALS "/1?include_fields=first_won_time",
         NULL,
         200,
         {"data.first_won_time=2026-11-21T07:01:00Z"}})

JOURNEY(members_of_another_status_are_refused, A_DEAL,
        {PATCH_DEAL("{\"lost_reason\":\"Budget\"}"),
         400,
         {INVALID, "error~'lost_reason' can only"}},
        {PATCH_DEAL("{\"close_time\":\"2026-10-03T08:00:00Z\"}"), 400, {"error~won or lost"}},
        {PATCH_DEAL("{\"won_time\":\"2026-10-03T08:00:00Z\"}"), 400, {"error~'won_time'"}},
        {PATCH_DEAL("{\"status\":\"won\",\"lost_time\":\"2026-10-03T08:00:00Z\"}"),
         400,
         {"error~'lost_time'"}},
        {PATCH_DEAL("{\"status\":\"won\",\"lost_reason\":\"x\"}"), 400, {"error~'lost_reason'"}},
        {PATCH_DEAL("{\"status\":\"won\",\"won_time\":\"2026-10-03\"}"),
         400,
         {"error~'won_time' has to be a datetime"}},
        {PATCH_DEAL("{\"lost_reason\":null,\"won_time\":null}"), 200, {"data.status=open"}},
        {POST_DEAL("{\"title\":\"B\",\"status\":\"lost\",\"lost_reason\":\"Time\"}"),
         200,
         {"data.lost_reason=Time", "data.lost_time=2026-11-21T07:00:00Z",
          "data.close_time=2026-11-21T07:00:00Z"}})

JOURNEY(archived_deals_are_elsewhere_and_read_only, A_DEAL,
        {PATCH_DEAL("{\"is_archived\":true}"),
         200,
         {"data.is_archived=true", "data.archive_time=2026-11-21T07:00:00Z"}},
        {"GET", DEALS, NULL, 200, {"data#0"}},
        {"GET", DEALS "/archived", NULL, 200, {"data#1", "data.0.id=1"}},
        {"GET", DEALS "/1", NULL, 200, {"data.is_archived=true"}},
        {PATCH_DEAL("{\"title\":\"B\"}"), 403, {"error~archived"}},
        {PATCH_DEAL("{\"is_archived\":false}"),
         200,
         {"data.is_archived=false", "data.archive_time=null"}},
        {"GET", DEALS "/archived", NULL, 200, {"data#0"}},
        {PATCH_DEAL("{\"title\":\"B\"}"), 200, {"data.title=B"}})

/* --- lists ---------------------------------------------------------------------------------- */

JOURNEY(deals_are_filtered, A_PERSON("Ada"), A_PERSON("Bea"), A_FIRM, A_PIPELINE,
        {POST_DEAL("{\"title\":\"A\",\"person_id\":1,\"stage_id\":2}"), 200, {"data.id=1"}},
        {POST_DEAL("{\"title\":\"B\",\"org_id\":1,\"owner_id\":4412,\"status\":\"won\"}"),
         200,
         {"data.id=2"}},
        {POST_DEAL("{\"title\":\"C\",\"pipeline_id\":2,\"status\":\"lost\"}"), 200, {"data.id=3"}},
        {"GET", DEALS "?person_id=1", NULL, 200, {"data#1", "data.0.id=1"}},
        {"GET", DEALS "?org_id=1", NULL, 200, {"data#1", "data.0.id=2"}},
        {"GET", DEALS "?owner_id=4412", NULL, 200, {"data#1", "data.0.id=2"}},
        {"GET", DEALS "?stage_id=2", NULL, 200, {"data#1", "data.0.id=1"}},
        {"GET", DEALS "?pipeline_id=2", NULL, 200, {"data#1", "data.0.id=3"}},
        {"GET", DEALS "?status=won", NULL, 200, {"data#1", "data.0.id=2"}},
        {"GET", DEALS "?status=open,lost", NULL, 200, {"data#2", "data.0.id=1", "data.1.id=3"}},
        {"GET", DEALS, NULL, 200, {"data#3"}}, {"GET", DEALS "?ids=3,1,9", NULL, 200, {"data#2"}},
        {"GET", DEALS "?status=gone", NULL, 400, {INVALID}},
        {"GET", DEALS "?stage_id=x", NULL, 400, {INVALID}},
        {"GET", DEALS "?sort_by=due_date", NULL, 400, {INVALID}},
        {"GET", PERSONS "?deal_id=1", NULL, 200, {"data#1", "data.0.id=1"}},
        {"GET", PERSONS "?deal_id=9", NULL, 200, {"data#0"}})

JOURNEY(what_is_linked_is_counted, A_PERSON("Ada"), A_FIRM,
        {POST_DEAL("{\"title\":\"A\",\"person_id\":1,\"org_id\":1}"), 200, {"data.id=1"}},
        {POST_DEAL("{\"title\":\"B\",\"person_id\":1,\"status\":\"won\"}"), 200, {"data.id=2"}},
        {"GET",
         DEALS "/1?include_fields=participants_count,activities_count,notes_count",
         NULL,
         200,
         {"data.participants_count=1", "data.activities_count=0", "data.notes_count=0"}},
        {"GET",
         PERSONS "/1?include_fields=open_deals_count,closed_deals_count,won_deals_count,"
                 "lost_deals_count,participant_open_deals_count",
         NULL,
         200,
         {"data.open_deals_count=1", "data.closed_deals_count=1", "data.won_deals_count=1",
          "data.lost_deals_count=0", "data.participant_open_deals_count=0"}},
        {"GET",
         ORGANIZATIONS "/1?include_fields=open_deals_count",
         NULL,
         200,
         {"data.open_deals_count=1"}},
        {"GET", DEALS "?include_fields=open_deals_count", NULL, 400, {INVALID}})

JOURNEY(a_write_to_a_deal_moves_its_parents, A_PERSON("Ada"), A_FIRM,
        {POST_DEAL("{\"title\":\"A\",\"person_id\":1,\"org_id\":1}"),
         200,
         {"data.id=1"},
         .advance_ms = MINUTE_MS},
        {"GET", PERSONS "/1", NULL, 200, {"data.update_time=2026-11-21T07:01:00Z"}},
        {"GET", ORGANIZATIONS "/1", NULL, 200, {"data.update_time=2026-11-21T07:01:00Z"}},
        {PATCH_DEAL("{\"person_id\":null}"), 200, {"success=true"}, .advance_ms = MINUTE_MS},
        {"GET", PERSONS "/1", NULL, 200, {"data.update_time=2026-11-21T07:02:00Z"}},
        {PATCH_DEAL("{\"title\":\"B\"}"), 200, {"success=true"}, .advance_ms = MINUTE_MS},
        {"GET", PERSONS "/1", NULL, 200, {"data.update_time=2026-11-21T07:02:00Z"}},
        {"GET", ORGANIZATIONS "/1", NULL, 200, {"data.update_time=2026-11-21T07:03:00Z"}})

JOURNEY_WITH(a_list_may_show_deleted_deals, OPTIONS(.quirks = "list-shows-deleted"), A_DEAL,
             {"DELETE", DEALS "/1", NULL, 200, {"success=true"}},
             {"GET", DEALS, NULL, 200, {"data#1", "data.0.status=deleted"}},
             {"GET", DEALS "?status=open", NULL, 200, {"data#0"}})

/* --- participants --------------------------------------------------------------------------- */

#define PARTICIPANTS "/v1/deals/1/participants"

JOURNEY(participants_come_and_go, A_PERSON("Ada"), A_PERSON("Bea"),
        {POST_DEAL("{\"title\":\"A\",\"person_id\":1}"), 200, {"data.id=1"}},
        {"GET",
         PARTICIPANTS,
         NULL,
         200,
         {"data#1", "data.0.person_id.value=1", "data.0.person.name=Ada",
          "data.0.related_item_data.deal_id=1", "data.0.related_item_type=deal",
          "additional_data.pagination.more_items_in_collection=false"},
         .save = "ada=data.0.id"},
        {"POST",
         PARTICIPANTS,
         "{\"person_id\":2}",
         200,
         {"data.person_id.value=2", "data.add_time=2026-11-21 07:01:00"},
         .save = "bea=data.id",
         .advance_ms = MINUTE_MS},
        {"POST", PARTICIPANTS, "{\"person_id\":2}", 200, {"data.id=$bea$"}},
        {"GET",
         DEALS "/1?include_fields=participants_count",
         NULL,
         200,
         {"data.participants_count=2", "data.person_id=1",
          "data.update_time=2026-11-21T07:01:00Z"}},
        {"GET",
         PARTICIPANTS "?start=0&limit=1",
         NULL,
         200,
         {"data#1", "additional_data.pagination.next_start=1"}},
        {"GET", PARTICIPANTS "?start=2", NULL, 200, {"data=null"}},
        {"DELETE", PARTICIPANTS "/$bea$", NULL, 200, {"data.id=$bea$"}},
        {"DELETE", PARTICIPANTS "/$bea$", NULL, 404, {"success=false"}},
        {"DELETE", PARTICIPANTS "/$ada$", NULL, 200, {"success=true"}},
        {"GET", DEALS "/1", NULL, 200, {"data.person_id=null"}},
        {"POST", PARTICIPANTS, "{\"person_id\":9}", 400, {"success=false"}},
        {"POST", PARTICIPANTS, "{}", 400, {"success=false"}},
        {"GET", "/v1/deals/9/participants", NULL, 404, {"success=false"}})

JOURNEY(the_person_of_a_deal_takes_part, A_PERSON("Ada"), A_PERSON("Bea"),
        {POST_DEAL("{\"title\":\"A\",\"person_id\":1}"), 200, {"data.id=1"}},
        {PATCH_DEAL("{\"person_id\":2}"), 200, {"data.person_id=2"}},
        {"GET", PARTICIPANTS, NULL, 200, {"data#1", "data.0.person_id.value=2"}},
        {PATCH_DEAL("{\"person_id\":null}"), 200, {"data.person_id=null"}},
        {"GET", PARTICIPANTS, NULL, 200, {"data=null"}})

JOURNEY_WITH(the_former_person_may_stay, OPTIONS(.quirks = "participants-stay"), A_PERSON("Ada"),
             A_PERSON("Bea"), {POST_DEAL("{\"title\":\"A\",\"person_id\":1}"), 200, {"data.id=1"}},
             {PATCH_DEAL("{\"person_id\":2}"), 200, {"data.person_id=2"}},
             {"GET", PARTICIPANTS, NULL, 200, {"data#2"}})

/* --- fields, search, merge ------------------------------------------------------------------ */

JOURNEY(deal_fields_are_listed_and_made,
        {"GET", "/api/v2/dealFields/stage_id", NULL, 200, {"data.field_type=stage"}},
        {"GET",
         "/api/v2/dealFields/status",
         NULL,
         200,
         {"data.field_type=status", "data.options.1.id=won", "data.options#4"}},
        {"GET",
         "/api/v2/dealFields/value",
         NULL,
         200,
         {"data.field_type=monetary", "data.subfields.1.field_code=currency"}},
        {"POST",
         "/api/v2/dealFields",
         "{\"field_name\":\"Sync key\",\"field_type\":\"varchar\"}",
         200,
         {"data.is_custom_field=true"},
         .save = "key=data.field_code"},
        {POST_DEAL("{\"title\":\"A\",\"custom_fields\":{\"$key$\":\"K1\"}}"),
         200,
         {"data.custom_fields.$key$=K1"}},
        {"GET", "/v1/dealFields", NULL, 404, {"success=false"}},
        {"GET",
         "/api/v2/itemSearch/field?entity_type=deal&field=$key$&term=K1",
         NULL,
         200,
         {"data#1", "data.0.id=1", "data.0.name=A"}})

JOURNEY(deals_are_found, A_PERSON("Ada"), A_FIRM,
        {POST_DEAL("{\"title\":\"Yard Scheduling\",\"person_id\":1,\"org_id\":1,\"value\":5}"),
         200,
         {"data.id=1"}},
        {POST_DEAL("{\"title\":\"yard gates\",\"status\":\"won\"}"), 200, {"data.id=2"}},
        {"GET",
         DEALS "/search?term=YARD%20scheduling&exact_match=true&fields=title",
         NULL,
         200,
         {"data.items#1", "data.items.0.item.title=Yard Scheduling", "data.items.0.item.type=deal",
          "data.items.0.item.stage.name=Qualified", "data.items.0.item.person.name=Ada",
          "data.items.0.item.organization.name=Quay", "data.items.0.item.value=5",
          "data.items.0.item.is_archived=false"}},
        {"GET", DEALS "/search?term=yard", NULL, 200, {"data.items#2"}},
        {"GET", DEALS "/search?term=yard&status=won", NULL, 200, {"data.items#1"}},
        {"GET", DEALS "/search?term=yard&person_id=1", NULL, 200, {"data.items#1"}},
        {"GET", DEALS "/search?term=yard&organization_id=1", NULL, 200, {"data.items#1"}},
        {"GET", DEALS "/search?term=yard&fields=name", NULL, 400, {INVALID}},
        {"GET", DEALS "/search?term=yard&status=deleted", NULL, 400, {INVALID}},
        {"GET", "/api/v2/itemSearch?term=yard&item_types=deal", NULL, 200, {"data.items#2"}},
        {"GET", "/api/v2/itemSearch?term=yard&item_types=person", NULL, 200, {"data.items#0"}},
        {"GET", "/api/v2/itemSearch?term=yard&fields=title", NULL, 200, {"data.items#2"}})

JOURNEY(the_named_deal_dies_in_a_merge, A_PERSON("Ada"), A_PERSON("Bea"),
        {POST_DEAL("{\"title\":\"A\",\"person_id\":1,\"value\":5,\"probability\":30}"),
         200,
         {"data.id=1"}},
        {POST_DEAL("{\"title\":\"B\",\"person_id\":2}"), 200, {"data.id=2"}},
        {PATCH_DEAL("{\"status\":\"lost\",\"lost_reason\":\"Budget\"}"), 200, {"success=true"}},
        {"PUT",
         "/v1/deals/1/merge",
         "{\"merge_with_id\":2}",
         200,
         {"data.id=2", "data.merge_what_id=1", "data.title=B", "data.user_id=4411",
          "data.probability=30", "data.status=open", "data.add_time=2026-11-21 07:00:00",
          "data.label="}},
        {"GET",
         DEALS "/2?include_fields=participants_count",
         NULL,
         200,
         {"data.value=5", "data.lost_reason=null", "data.lost_time=null", "data.person_id=2",
          "data.participants_count=2"}},
        {"GET", DEALS "/1", NULL, 200, {"data.is_deleted=true"}})

JOURNEY(deals_follow_merged_people_and_organizations, A_PERSON("Ada"), A_PERSON("Bea"), A_FIRM,
        A_FIRM, {POST_DEAL("{\"title\":\"A\",\"person_id\":1,\"org_id\":1}"), 200, {"data.id=1"}},
        {POST_DEAL("{\"title\":\"B\",\"person_id\":2}"), 200, {"data.id=2"}},
        {"POST", "/v1/deals/2/participants", "{\"person_id\":1}", 200, {"success=true"}},
        {"PUT", "/v1/persons/1/merge", "{\"merge_with_id\":2}", 200, {"data.id=2"}},
        {"PUT", "/v1/organizations/1/merge", "{\"merge_with_id\":2}", 200, {"data.id=2"}},
        {"GET", DEALS "/1", NULL, 200, {"data.person_id=2", "data.org_id=2"}},
        {"GET", PARTICIPANTS, NULL, 200, {"data#1", "data.0.person_id.value=2"}},
        {"GET", "/v1/deals/2/participants", NULL, 200, {"data#1"}})

JOURNEY(people_choose_the_participants, A_PERSON("Ada"), A_PERSON("Bea"), A_PERSON("Cleo"),
        {"POST",
         "/__sim/edit",
         "{\"object\":\"deals\",\"set\":{\"title\":\"A\",\"person_id\":1,\"participants\":[2]}}",
         200,
         {"id=1"}},
        {"GET", PARTICIPANTS, NULL, 200, {"data#2", "data.1.person_id.value=2"}},
        {"POST",
         "/__sim/edit",
         "{\"object\":\"deals\",\"id\":\"1\",\"set\":{\"participants\":[3]}}",
         200,
         {"id=1"},
         .advance_ms = MINUTE_MS},
        {"GET", PARTICIPANTS, NULL, 200, {"data#2", "data.1.person_id.value=3"}},
        {"GET", DEALS "/1", NULL, 200, {"data.update_time=2026-11-21T07:01:00Z"}},
        {"POST",
         "/__sim/edit",
         "{\"object\":\"deals\",\"id\":\"1\",\"set\":{\"participants\":[9]}}",
         400,
         {0}},
        {"POST",
         "/__sim/edit",
         "{\"object\":\"deals\",\"id\":\"1\",\"set\":{\"participants\":2}}",
         400,
         {0}})

JOURNEY(people_change_deals_in_the_pages_of_the_crm, A_PERSON("Ada"),
        {"POST",
         "/__sim/edit",
         "{\"object\":\"deals\",\"set\":{\"title\":\"A\",\"person_id\":1,"
         "\"add_time\":\"2026-01-01T00:00:00Z\"},\"by\":\"person\"}",
         200,
         {"id=1"}},
        {"POST",
         "/__sim/edit",
         "{\"object\":\"deals\",\"id\":\"1\",\"set\":{\"stage_id\":3},\"by\":\"person\"}",
         200,
         {"id=1"}},
        {"GET",
         "/__sim/state/deals",
         NULL,
         200,
         {"records.0.fields.stage_id=3", "records.0.fields.participants.0=1",
          "records.0.archived=false", "records.0.fields.custom_fields={}"}},
        {"POST", "/__sim/delete", "{\"object\":\"deals\",\"id\":\"1\"}", 200, {0}},
        {"GET", DEALS "/1", NULL, 200, {"data.is_deleted=true"}},
        {"POST", "/__sim/restore", "{\"object\":\"deals\",\"id\":\"1\"}", 200, {0}},
        {"GET", DEALS "/1", NULL, 200, {"data.is_deleted=false", "data.status=open"}})

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_deal_has_defaults),
        cmocka_unit_test(a_deal_is_changed_and_deleted),
        cmocka_unit_test(deals_of_the_wrong_type_are_refused),
        cmocka_unit_test(the_stage_fixes_the_pipeline),
        cmocka_unit_test(stages_and_pipelines_of_a_new_company),
        cmocka_unit_test(stages_and_pipelines_are_written),
        cmocka_unit_test(an_administrator_changes_stages),
        cmocka_unit_test(winning_and_losing_set_their_times),
        cmocka_unit_test(members_of_another_status_are_refused),
        cmocka_unit_test(archived_deals_are_elsewhere_and_read_only),
        cmocka_unit_test(deals_are_filtered),
        cmocka_unit_test(what_is_linked_is_counted),
        cmocka_unit_test(a_write_to_a_deal_moves_its_parents),
        cmocka_unit_test(a_list_may_show_deleted_deals),
        cmocka_unit_test(participants_come_and_go),
        cmocka_unit_test(the_person_of_a_deal_takes_part),
        cmocka_unit_test(the_former_person_may_stay),
        cmocka_unit_test(deal_fields_are_listed_and_made),
        cmocka_unit_test(deals_are_found),
        cmocka_unit_test(the_named_deal_dies_in_a_merge),
        cmocka_unit_test(deals_follow_merged_people_and_organizations),
        cmocka_unit_test(people_choose_the_participants),
        cmocka_unit_test(people_change_deals_in_the_pages_of_the_crm),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
