/* The Pipedrive simulator against its reference, section by section. Each journey begins with an
 * empty account unless it asks for records. Requests carry the token as OAuth bearer; the API
 * token has tests of its own. */
#include "tests/unit/simulators/pipedrive_journey.h"

#include <time.h>

/* --- section 1: hosts and authentication ----------------------------------------------------- */

JOURNEY(who_has_no_valid_credential_meets_the_gateway,
        {"GET",
         PERSONS,
         NULL,
         401,
         {"success=false", "error=unauthorized access", "errorCode=401", "data!"},
         .token = ""},
        {"GET", PERSONS, NULL, 401, {"errorCode=401"}, .token = "wrong"},
        {"GET",
         PERSONS "?api_token=51a0d1e551a0d1e551a0d1e551a0d1e551a0d1e5",
         NULL,
         401,
         {0},
         .token = ""},
        {"GET",
         "/v1/users/me?api_token=51a0d1e551a0d1e551a0d1e551a0d1e551a0d1e5",
         NULL,
         200,
         {"data.company_domain=harbour", "data.id=4411", "data.access.0.admin=true"},
         .token = ""},
        {"GET",
         PERSONS,
         NULL,
         401,
         {"error=Invalid token: access_token is invalid"},
         .token = "51a0d1e551a0d1e551a0d1e551a0d1e551a0d1e5.expired"},
        {"GET",
         PERSONS,
         NULL,
         200,
         {"data#0"},
         .token = "51a0d1e551a0d1e551a0d1e551a0d1e551a0d1e5.readonly"},
        {"POST",
         PERSONS,
         "{\"name\":\"Ada\"}",
         403,
         {"error=Scope and URL mismatch"},
         .token = "51a0d1e551a0d1e551a0d1e551a0d1e551a0d1e5.readonly"})

JOURNEY(both_prefixes_of_v1_and_one_of_v2_are_served,
        {"GET", "/v1/users/me", NULL, 200, {"success=true"}},
        {"GET", "/api/v1/users/me", NULL, 200, {"success=true"}},
        {"GET", "/v2/persons", NULL, 404, {"success=false"}},
        {"GET", "/api/v2/users", NULL, 404, {"success=false"}},
        {"GET", "/api/v2/leads", NULL, 404, {"success=false"}},
        {"GET", "/api/v2/notes", NULL, 404, {"success=false"}},
        {"GET", "/v1/deals", NULL, 404, {"success=false"}},
        {"PUT", PERSONS "/1", "{}", 405, {"success=false"}},
        {"PATCH", "/v1/persons/1", "{}", 405, {"success=false"}})

/* --- sections 4.1 and 9: persons ------------------------------------------------------------- */

JOURNEY(
    a_person_is_created_read_updated_and_deleted,
    {POST_PERSON("{\"name\":\"Mara Lind Okafor\",\"emails\":[{\"value\":\"Mara@Quay.example\"}],"
                 "\"phones\":[{\"value\":\"+49 30 555010\",\"label\":\"mobile\"}]}"),
     200,
     {"success=true", "data.first_name=Mara", "data.last_name=Lind Okafor",
      "data.emails.0.value=Mara@Quay.example", "data.emails.0.primary=true",
      "data.emails.0.label=work", "data.phones.0.label=mobile", "data.owner_id=4411"},
     .save = "id=data.id"},
    {"GET",
     PERSONS "/$id$",
     NULL,
     200,
     {"data.add_time=2026-11-21T07:00:00Z", "data.update_time=2026-11-21T07:00:00Z",
      "data.org_id=null", "data.is_deleted=false", "data.visible_to=3", "data.label_ids#0",
      "data.picture_id=null", "data.job_title!"}},
    {"PATCH",
     PERSONS "/$id$",
     "{\"last_name\":\"Quist\"}",
     200,
     {"data.name=Mara Quist", "data.first_name=Mara", "data.emails#1",
      "data.update_time=2026-11-21T07:01:00Z"},
     .advance_ms = MINUTE_MS},
    {"PATCH",
     PERSONS "/$id$",
     "{\"name\":\"Teo\"}",
     200,
     {"data.first_name=Teo", "data.last_name="}},
    {"PATCH",
     PERSONS "/$id$",
     "{\"name\":\"T. Q.\",\"first_name\":\"Teo\",\"last_name\":\"Q\"}",
     200,
     {"data.name=T. Q.", "data.first_name=Teo", "data.last_name=Q"}},
    {"DELETE", PERSONS "/$id$", NULL, 200, {"success=true", "data.id=$id$"}},
    {"GET", PERSONS "/$id$", NULL, 200, {"data.is_deleted=true"}},
    {"GET", PERSONS, NULL, 200, {"data#0", "additional_data.next_cursor=null"}},
    {"GET", PERSONS "?ids=$id$", NULL, 200, {"data#0"}},
    {"PATCH", PERSONS "/$id$", "{\"name\":\"Teo\"}", 404, {"error_info=Object was not found."}},
    {"DELETE", PERSONS "/$id$", NULL, 410, {"success=true", "data.id=$id$"}},
    {"DELETE", PERSONS "/999", NULL, 404, {"success=false"}},
    {"GET", PERSONS "/$id$", NULL, 200, {"data.is_deleted=true"}, .advance_ms = 29 * DAY_MS},
    {"GET", PERSONS "/$id$", NULL, 404, {"data=null"}, .advance_ms = DAY_MS},
    {"DELETE", PERSONS "/$id$", NULL, 404, {"success=false"}})

JOURNEY(lists_are_replaced_whole_and_have_one_primary,
        {POST_PERSON("{\"name\":\"A\",\"emails\":[{\"value\":\"a@x.example\"},{\"value\":"
                     "\"b@x.example\",\"primary\":true},{\"value\":\"\"}]}"),
         200,
         {"data.emails#2", "data.emails.0.primary=false", "data.emails.1.primary=true"}},
        {"PATCH",
         PERSONS "/1",
         "{\"emails\":[{\"value\":\"c@x.example\",\"label\":\"home\"}]}",
         200,
         {"data.emails#1", "data.emails.0.label=home", "data.emails.0.primary=true"}},
        {"PATCH",
         PERSONS "/1",
         "{\"phones\":[{\"value\":\"1\"}]}",
         200,
         {"data.emails#1", "data.phones#1"}},
        {"PATCH", PERSONS "/1", "{\"emails\":[]}", 200, {"data.emails#0"}},
        {"PATCH",
         PERSONS "/1",
         "{\"emails\":[{\"value\":\"a\",\"primary\":true},{\"value\":\"b\",\"primary\":true}]}",
         400,
         {INVALID, "error~emails"}})

/* Strict types: section 2. One row for each member and each wrong way to write it. */
static void bodies_of_the_wrong_type_are_refused(void **state)
{
    static const struct {
        const char *path, *body, *says;
    } rows[] = {
        {PERSONS, "{}", "'name'"},
        {PERSONS, "[]", "JSON object"},
        {PERSONS, "{\"name\":\"\"}", "'name'"},
        {PERSONS, "{\"name\":\" \"}", "'name'"},
        {PERSONS, "{\"name\":7}", "'name' has to be a string"},
        {PERSONS, "{\"name\":null}", "'name'"},
        {PERSONS, "{\"first_name\":\"Ada\"}", "both"},
        {PERSONS, "{\"name\":\"A\",\"owner_id\":\"4411\"}", "'owner_id' has to be an integer"},
        {PERSONS, "{\"name\":\"A\",\"owner_id\":4420}", "'owner_id'"},
        {PERSONS, "{\"name\":\"A\",\"owner_id\":1}", "'owner_id'"},
        {PERSONS, "{\"name\":\"A\",\"org_id\":\"1\"}", "'org_id' has to be an integer"},
        {PERSONS, "{\"name\":\"A\",\"org_id\":77}", "'org_id'"},
        {PERSONS, "{\"name\":\"A\",\"org_id\":1.5}", "'org_id'"},
        {PERSONS, "{\"name\":\"A\",\"visible_to\":\"3\"}", "'visible_to'"},
        {PERSONS, "{\"name\":\"A\",\"visible_to\":2}", "'visible_to'"},
        {PERSONS, "{\"name\":\"A\",\"emails\":\"a@x.example\"}", "'emails'"},
        {PERSONS, "{\"name\":\"A\",\"emails\":[\"a@x.example\"]}", "'emails'"},
        {PERSONS, "{\"name\":\"A\",\"emails\":[{\"label\":\"work\"}]}", "'emails'"},
        {PERSONS, "{\"name\":\"A\",\"emails\":[{\"value\":\"a\",\"primary\":\"true\"}]}",
         "'emails'"},
        {PERSONS, "{\"name\":\"A\",\"emails\":[{\"value\":\"a\",\"kind\":\"x\"}]}", "'emails'"},
        {PERSONS, "{\"name\":\"A\",\"phones\":[{\"value\":5}]}", "'phones'"},
        {PERSONS, "{\"name\":\"A\",\"label_ids\":\"1\"}", "'label_ids'"},
        {PERSONS, "{\"name\":\"A\",\"label_ids\":[999]}", "'label_ids'"},
        {PERSONS, "{\"name\":\"A\",\"id\":5}", "'id' is not allowed"},
        {PERSONS, "{\"name\":\"A\",\"is_deleted\":false}", "'is_deleted' is not allowed"},
        {PERSONS, "{\"name\":\"A\",\"update_time\":\"2026-01-01T00:00:00Z\"}", "'update_time'"},
        {PERSONS, "{\"name\":\"A\",\"shoe_size\":5}", "'shoe_size' is not allowed"},
        {PERSONS, "{\"name\":\"A\",\"add_time\":\"yesterday\"}", "'add_time'"},
        {PERSONS, "{\"name\":\"A\",\"custom_fields\":[]}", "'custom_fields'"},
        {PERSONS, "{\"name\":\"A\",\"custom_fields\":{\"0000\":1}}", "custom field '0000'"},
        {PERSONS, "{\"name\":\"A\",\"custom_fields\":{\"name\":\"B\"}}", "custom field 'name'"},
        {ORGANIZATIONS, "{\"website\":\"https://a.example\"}", "'name' is required"},
        {ORGANIZATIONS, "{\"name\":\"A\",\"first_name\":\"B\"}", "'first_name' is not allowed"},
        {ORGANIZATIONS, "{\"name\":\"A\",\"address\":\"Kai 4\"}", "'address' has to be an object"},
        {ORGANIZATIONS, "{\"name\":\"A\",\"address\":{\"locality\":\"B\"}}", "'address'"},
        {ORGANIZATIONS, "{\"name\":\"A\",\"address\":{\"value\":\"B\",\"planet\":\"C\"}}",
         "'address.planet' is not allowed"},
        {ORGANIZATIONS, "{\"name\":\"A\",\"address\":{\"value\":4}}", "'address.value'"},
        {ORGANIZATIONS, "{\"name\":\"A\",\"employee_count\":\"5\"}", "'employee_count'"},
        {ORGANIZATIONS, "{\"name\":\"A\",\"employee_count\":5.5}", "'employee_count'"},
        {ORGANIZATIONS, "{\"name\":\"A\",\"industry\":\"Food\"}", "'industry'"},
        {ORGANIZATIONS, "{\"name\":\"A\",\"website\":true}", "'website'"},
    };
    struct journey journey;

    (void)state;
    journey_begin(&journey, simulator_pipedrive_new, &(struct simulator_options){.seed = 7});
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const char *says = arena_printf(&journey.arena, "error~%s", rows[i].says).at;
        struct step step = {"POST", rows[i].path, rows[i].body, 400, {INVALID, says, "data=null"}};

        journey_step(&journey, &step, i);
    }
    journey_end(&journey);
}

JOURNEY(a_body_that_is_no_json_is_refused, {"POST", PERSONS, "{\"name\":", 400, {"success=false"}},
        {"PATCH", PERSONS "/x", "{}", 400, {INVALID}}, {"GET", PERSONS "/0", NULL, 400, {INVALID}})

JOURNEY(contact_sync_members_need_the_feature,
        {POST_PERSON("{\"name\":\"A\",\"job_title\":\"Buyer\"}"), 403, {"error~job_title"}},
        {POST_PERSON("{\"name\":\"A\",\"marketing_status\":\"subscribed\"}"), 403, {"data=null"}})

JOURNEY_WITH(with_contact_sync_they_are_written_and_shown, OPTIONS(.quirks = "contact-sync"),
             {POST_PERSON("{\"name\":\"A\",\"job_title\":\"Buyer\",\"birthday\":\"1990-02-28\","
                          "\"im\":[{\"value\":\"a\"}],\"postal_address\":{\"value\":\"Kai 4\"}}"),
              200,
              {"data.job_title=Buyer", "data.birthday=1990-02-28", "data.im.0.primary=true",
               "data.postal_address.value=Kai 4", "data.notes=null"}},
             {POST_PERSON("{\"name\":\"A\",\"birthday\":\"1990-02-30\"}"), 400, {"error~birthday"}})

JOURNEY(add_time_may_be_given_once,
        {POST_PERSON("{\"name\":\"A\",\"add_time\":\"2020-05-06T07:08:09Z\"}"),
         200,
         {"data.add_time=2020-05-06T07:08:09Z", "data.update_time=2026-11-21T07:00:00Z"}},
        {"PATCH",
         PERSONS "/1",
         "{\"add_time\":\"2021-05-06T07:08:09Z\"}",
         400,
         {"error~'add_time' is not allowed"}})

JOURNEY(a_write_that_changes_nothing_moves_nothing, {POST_PERSON("{\"name\":\"A B\"}"), 200, {0}},
        {"PATCH",
         PERSONS "/1",
         "{\"name\":\"A B\"}",
         200,
         {"data.update_time=2026-11-21T07:00:00Z"},
         .advance_ms = MINUTE_MS})

/* --- section 4.2: organizations -------------------------------------------------------------- */

JOURNEY(
    address_parts_that_are_left_out_become_null,
    {POST_ORGANIZATION("{\"name\":\"Quay\",\"address\":{\"value\":\"Kai 4, Hamburg\",\"locality\":"
                       "\"Hamburg\",\"country\":\"Germany\"},\"employee_count\":48,"
                       "\"annual_revenue\":null,\"website\":\"https://quay.example\"}"),
     200,
     {"data.address.locality=Hamburg", "data.address.route=null", "data.employee_count=48",
      "data.annual_revenue=null", "data.website=https://quay.example"}},
    {"PATCH",
     ORGANIZATIONS "/1",
     "{\"address\":{\"value\":\"Kai 5\"}}",
     200,
     {"data.address.value=Kai 5", "data.address.locality=null", "data.address.country=null"}},
    {"PATCH", ORGANIZATIONS "/1", "{\"address\":null}", 200, {"data.address=null"}})

JOURNEY(a_write_to_a_person_moves_the_organization,
        {POST_ORGANIZATION("{\"name\":\"One\"}"), 200, {0}},
        {POST_ORGANIZATION("{\"name\":\"Two\"}"), 200, {0}},
        {POST_PERSON("{\"name\":\"A\",\"org_id\":1}"), 200, {"data.org_id=1"}},
        {"PATCH", PERSONS "/1", "{\"org_id\":2}", 200, {"data.org_id=2"}, .advance_ms = MINUTE_MS},
        {"GET",
         ORGANIZATIONS "/1?include_fields=people_count",
         NULL,
         200,
         {"data.update_time=2026-11-21T07:01:00Z", "data.people_count=0"}},
        {"GET",
         ORGANIZATIONS "/2?include_fields=people_count,files_count",
         NULL,
         200,
         {"data.update_time=2026-11-21T07:01:00Z", "data.people_count=1", "data.files_count=0"}},
        {"GET", PERSONS "?org_id=2", NULL, 200, {"data#1"}},
        {"PATCH", PERSONS "/1", "{\"org_id\":null}", 200, {"data.org_id=null"}},
        {"GET", PERSONS "?org_id=2", NULL, 200, {"data#0"}})

JOURNEY_WITH(parents_stay_when_told_so, OPTIONS(.quirks = "no-parent-bumps"),
             {POST_ORGANIZATION("{\"name\":\"One\"}"), 200, {0}},
             {POST_PERSON("{\"name\":\"A\",\"org_id\":1}"), 200, {0}, .advance_ms = MINUTE_MS},
             {"GET", ORGANIZATIONS "/1", NULL, 200, {"data.update_time=2026-11-21T07:00:00Z"}})

/* --- section 10 and v1 ----------------------------------------------------------------------- */

JOURNEY(the_named_one_dies_in_a_merge_of_persons, ADA,
        {POST_PERSON("{\"name\":\"Ada\",\"emails\":[{\"value\":\"ADA.Q@home.example\"},{\"value\":"
                     "\"third@x.example\"}]}"),
         200,
         {0}},
        {"PUT",
         "/v1/persons/1/merge",
         "{\"merge_with_id\":2}",
         200,
         {"data.id=2", "data.merge_what_id=1", "data.email#3", "data.org_id=1",
          "data.owner_id=4411", "data.email.0.primary=true", "data.email.2.primary=false",
          "data.phone#1"},
         .advance_ms = MINUTE_MS},
        {"GET",
         PERSONS "/2",
         NULL,
         200,
         {"data.update_time=2026-11-21T07:01:00Z", "data.name=Ada",
          "data.last_name=", "data.emails#3"}},
        {"GET", PERSONS "/1", NULL, 200, {"data.is_deleted=true"}},
        {"GET", PERSONS, NULL, 200, {"data#1"}},
        {"GET",
         "/__sim/state/persons",
         NULL,
         200,
         {"records.0.merged_into=2", "records.0.archived=true", "records.1.merged_into=null"}},
        {"PUT", "/v1/persons/1/merge", "{\"merge_with_id\":2}", 404, {0}},
        {"PUT", "/v1/persons/2/merge", "{\"merge_with_id\":2}", 400, {0}},
        {"PUT", "/v1/persons/2/merge", "{}", 400, {"error~merge_with_id"}})

JOURNEY(a_deleted_person_leaves_the_organization, ADA,
        {"GET", ORGANIZATIONS "/1?include_fields=people_count", NULL, 200, {"data.people_count=1"}},
        {"DELETE", PERSONS "/1", NULL, 200, {0}},
        {"GET", ORGANIZATIONS "/1?include_fields=people_count", NULL, 200, {"data.people_count=0"}},
        {"GET", "/v1/persons", NULL, 200, {"data=null"}})

JOURNEY(
    long_texts_of_merged_organizations_are_joined,
    {"POST",
     "/api/v2/organizationFields",
     "{\"field_name\":\"Story\",\"field_type\":\"text\"}",
     200,
     {0},
     .save = "key=data.field_code"},
    {POST_ORGANIZATION("{\"name\":\"A\",\"custom_fields\":{\"$key$\":\"one\"}}"), 200, {0}},
    {POST_ORGANIZATION("{\"name\":\"B\",\"custom_fields\":{\"$key$\":\"two\"}}"), 200, {0}},
    {"PUT", "/v1/organizations/1/merge", "{\"merge_with_id\":2}", 200, {0}},
    {"GET", ORGANIZATIONS "/2", NULL, 200, {"data.name=B", "data.custom_fields.$key$=two\none"}})

/* \u0000 is valid JSON: whoever sends it must not end the simulator. */
JOURNEY(a_zero_character_is_a_character,
        {POST_PERSON("{\"name\":\"a\\u0000b c\",\"emails\":[{\"value\":\"x\\u0000@x.example\"}]}"),
         200,
         {"data.last_name=c", "data.name~b c"}},
        {POST_PERSON("{\"name\":\"Ada\",\"emails\":[{\"value\":\"ada@x.example\"}]}"), 200, {0}},
        {"GET", PERSONS "/search?term=x.example", NULL, 200, {"data.items#2"}},
        {"GET", "/v1/persons/1", NULL, 200, {"data.email#1"}},
        {"PUT", "/v1/persons/2/merge", "{\"merge_with_id\":1}", 200, {"data.email#2"}})

JOURNEY(
    people_follow_a_merged_organization, ADA,
    {POST_ORGANIZATION("{\"name\":\"Quay GmbH\",\"website\":\"https://q.example\"}"), 200, {0}},
    {"PUT", "/api/v1/organizations/1/merge", "merge_with_id=2", 200, {"data.id=2", "data.name!"}},
    {"GET", PERSONS "/1", NULL, 200, {"data.org_id=2"}},
    {"GET",
     ORGANIZATIONS "/2?include_fields=people_count",
     NULL,
     200,
     {"data.name=Quay GmbH", "data.address.value=Kai 4", "data.people_count=1"}})

JOURNEY(v1_shows_its_own_form, ADA,
        {"GET",
         "/v1/persons/1",
         NULL,
         200,
         {"data.active_flag=true", "data.org_id.name=Quay Logistics", "data.owner_id.value=4411",
          "data.visible_to=3", "data.add_time=2026-11-21 07:00:00", "data.email#2",
          "data.primary_email=Ada@Quay.example"}},
        {"GET",
         "/v1/persons/1",
         NULL,
         200,
         {"data.notes_count=0", "data.next_activity_id=null", "data.first_char=\u00e4",
          "data.last_outgoing_mail_time=null", "data.org_id.label_ids#0"}},
        {"GET", "/v1/organizations/1", NULL, 200, {"data.address=Kai 4", "data.people_count=1"}},
        {POST_PERSON("{\"name\":\"B\"}"), 200, {0}},
        {"GET",
         "/v1/persons?limit=1&updated_since=2099-01-01T00:00:00Z",
         NULL,
         200,
         {"data#1", "additional_data.pagination.more_items_in_collection=true",
          "additional_data.pagination.next_start=1"}},
        {"GET",
         "/v1/persons?limit=1&start=1",
         NULL,
         200,
         {"data.0.name=B", "data.0.email.0.value=", "additional_data.pagination.next_start!"}},
        {"GET", "/v1/persons?start=7", NULL, 200, {"data=null"}},
        {"GET", "/v1/persons/99", NULL, 404, {0}}, {"GET", "/v1/users", NULL, 200, {"data#6"}},
        {"GET", "/v1/users/4420", NULL, 200, {"data.active_flag=false"}},
        {"GET", "/v1/users/1", NULL, 404, {"error=User not found or not accessible."}})

/* --- /__sim ---------------------------------------------------------------------------------- */

JOURNEY(
    people_change_things_in_the_pages_of_the_crm, ADA,
    {"POST",
     "/__sim/edit",
     "{\"object\":\"persons\",\"set\":{\"first_name\":\"Teo\",\"org_id\":1},\"by\":\"person\"}",
     200,
     {"id=2"}},
    {"GET", PERSONS "/2", NULL, 200, {"data.name=Teo", "data.org_id=1"}},
    {"POST",
     "/__sim/edit",
     "{\"object\":\"persons\",\"id\":\"2\",\"set\":{\"last_name\":\"King\"}}",
     200,
     {"id=2"}},
    {"GET", PERSONS "/2", NULL, 200, {"data.name=Teo King"}},
    {"POST",
     "/__sim/edit",
     "{\"object\":\"persons\",\"id\":\"2\",\"set\":{\"shoe\":1}}",
     400,
     {"error~'shoe' is not allowed"}},
    {"POST", "/__sim/edit", "{\"object\":\"persons\",\"id\":\"77\",\"set\":{}}", 400, {"error~77"}},
    {"POST", "/__sim/edit", "{\"object\":\"ships\",\"set\":{}}", 400, {"error~ships"}},
    {"POST", "/__sim/delete", "{\"object\":\"persons\",\"id\":\"2\"}", 200, {0}},
    {"GET",
     "/__sim/state/persons",
     NULL,
     200,
     {"records#2", "records.1.archived=true", "records.1.fields.first_name=Teo",
      "records.0.fields.emails#2", "records.0.fields.org_id=1"}},
    {"POST", "/__sim/restore", "{\"object\":\"persons\",\"id\":\"2\"}", 200, {0}},
    {"GET", PERSONS, NULL, 200, {"data#2"}},
    {"POST",
     "/__sim/merge",
     "{\"object\":\"persons\",\"into\":\"1\",\"from\":\"2\"}",
     200,
     {"id=1"}},
    {"POST", "/__sim/restore", "{\"object\":\"persons\",\"id\":\"2\"}", 400, {"error~2"}},
    {"GET", "/__sim/state/ships", NULL, 404, {0}}, {"GET", "/__sim/stats", NULL, 200, {"writes=2"}})

JOURNEY_WITH(
    a_filled_account_is_realistic, OPTIONS(.records = 200, .quirks = "null-update-time"),
    {"GET",
     PERSONS "?limit=500",
     NULL,
     200,
     {"data#200", "data.0.is_deleted=false", "additional_data.next_cursor=null"}},
    {"GET", ORGANIZATIONS "?limit=500", NULL, 200, {"success=true"}},
    {"GET", PERSONS "?sort_by=update_time&limit=1", NULL, 200, {"data.0.update_time=null"}})

/* --- speed ----------------------------------------------------------------------------------- */

static double seconds_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* 20,000 persons in pages of 500, each page within a generous multiple of what is promised: debug
 * builds and sanitizers are slow. */
static void pages_of_many_records_come_quickly(void **state)
{
    struct journey journey;
    double began;
    struct str url = STR(PERSONS "?limit=500&sort_by=update_time");
    int pages = 0;

    (void)state;
    journey_begin(&journey, simulator_pipedrive_new,
                  &(struct simulator_options){.seed = 7, .records = 20000, .no_limits = true});
    began = seconds_now();
    for (struct str next = STR(""); next.at; pages++) {
        json_t *page;

        page = journey_send(&journey, "GET",
                            arena_printf(&journey.arena, "%" PRI_STR "%s%" PRI_STR, STR_ARG(url),
                                         next.len ? "&cursor=" : "", STR_ARG(next)),
                            STR(""), NULL);
        next = jx_text_of(journey_at(page, STR("additional_data.next_cursor")));
    }
    assert_int_equal(pages, 40);
    assert_true(seconds_now() - began < 40 * 0.1);
    journey_end(&journey);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_has_no_valid_credential_meets_the_gateway),
        cmocka_unit_test(both_prefixes_of_v1_and_one_of_v2_are_served),
        cmocka_unit_test(a_person_is_created_read_updated_and_deleted),
        cmocka_unit_test(lists_are_replaced_whole_and_have_one_primary),
        cmocka_unit_test(bodies_of_the_wrong_type_are_refused),
        cmocka_unit_test(a_body_that_is_no_json_is_refused),
        cmocka_unit_test(contact_sync_members_need_the_feature),
        cmocka_unit_test(with_contact_sync_they_are_written_and_shown),
        cmocka_unit_test(add_time_may_be_given_once),
        cmocka_unit_test(a_write_that_changes_nothing_moves_nothing),
        cmocka_unit_test(address_parts_that_are_left_out_become_null),
        cmocka_unit_test(a_write_to_a_person_moves_the_organization),
        cmocka_unit_test(parents_stay_when_told_so),
        cmocka_unit_test(the_named_one_dies_in_a_merge_of_persons),
        cmocka_unit_test(a_deleted_person_leaves_the_organization),
        cmocka_unit_test(long_texts_of_merged_organizations_are_joined),
        cmocka_unit_test(a_zero_character_is_a_character),
        cmocka_unit_test(people_follow_a_merged_organization),
        cmocka_unit_test(v1_shows_its_own_form),
        cmocka_unit_test(people_change_things_in_the_pages_of_the_crm),
        cmocka_unit_test(a_filled_account_is_realistic),
        cmocka_unit_test(pages_of_many_records_come_quickly),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
