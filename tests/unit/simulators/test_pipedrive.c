/* The Pipedrive simulator against its reference, section by section. Each journey begins with an
 * empty account unless it asks for records. Requests carry the token as OAuth bearer; the API
 * token has tests of its own. */
#include "tests/unit/simulators/pipedrive_journey.h"

#include <time.h>

#define POST_PERSON(body) "POST", PERSONS, body
#define POST_ORGANIZATION(body) "POST", ORGANIZATIONS, body

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

/* The answer of one request with the API token, for its headers. */
static void send_with_api_token(struct journey *journey, enum http_method method, const char *url)
{
    struct http_request request = {.method = method, .url = str_of(url)};

    http_header_add(&request.headers, STR("X-Api-Token"), str_of(simulator_token(journey->sim)));
    http_response_fini(&journey->last);
    journey->last = (struct http_response){0};
    simulator_handle(journey->sim, &request, &journey->last);
}

static int64_t header_number(const struct journey *journey, const char *name)
{
    int64_t number = -1;

    str_to_i64(http_header_get(&journey->last.headers, name), &number);
    return number;
}

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

/* --- section 5: fields ----------------------------------------------------------------------- */

JOURNEY(
    custom_fields_get_random_keys_and_keep_their_types,
    {"POST",
     "/api/v2/personFields",
     "{\"field_name\":\"Sync key\",\"field_type\":\"varchar\"}",
     200,
     {"data.field_name=Sync key", "data.is_custom_field=true", "data.options=null"},
     .save = "key=data.field_code"},
    {"POST",
     "/api/v2/personFields",
     "{\"field_name\":\"Tier\",\"field_type\":\"enum\",\"options\":[{\"label\":\"Gold\"},"
     "{\"label\":\"Silver\"}]}",
     200,
     {"data.options#2"},
     .save = "tier=data.field_code"},
    {"GET",
     "/api/v2/personFields/$tier$",
     NULL,
     200,
     {"data.options.1.label=Silver"},
     .save = "silver=data.options.1.id"},
    {POST_PERSON("{\"name\":\"A\",\"custom_fields\":{\"$key$\":\"K1\",\"$tier$\":$silver$}}"),
     200,
     {"data.custom_fields.$key$=K1", "data.custom_fields.$tier$=$silver$"}},
    {"GET",
     PERSONS "/1?include_option_labels=true&include_labels=true",
     NULL,
     200,
     {"data.custom_fields.$tier$.label=Silver", "data.labels#0"}},
    {"GET",
     PERSONS "/1?custom_fields=$key$",
     NULL,
     200,
     {"data.custom_fields.$key$=K1", "data.custom_fields.$tier$!"}},
    {"PATCH",
     PERSONS "/1",
     "{\"custom_fields\":{\"$tier$\":\"$silver$\"}}",
     400,
     {INVALID, "error~$tier$"}},
    {"PATCH",
     PERSONS "/1",
     "{\"custom_fields\":{\"$tier$\":null}}",
     200,
     {"data.custom_fields.$tier$=null", "data.custom_fields.$key$=K1"}},
    {"PATCH", PERSONS "/1", "{\"$key$\":\"at the root is v1\"}", 400, {INVALID}},
    {"DELETE", "/api/v2/personFields/$key$", NULL, 200, {"data.field_code=$key$"}},
    {"GET", "/api/v2/personFields/$key$", NULL, 404, {0}},
    {"GET", PERSONS "/1", NULL, 200, {"data.custom_fields.$key$!"}},
    {"PATCH", PERSONS "/1", "{\"custom_fields\":{\"$key$\":\"x\"}}", 400, {INVALID, "error~$key$"}},
    {"POST",
     ORGANIZATIONS,
     "{\"name\":\"A\",\"custom_fields\":{\"$tier$\":$silver$}}",
     400,
     {INVALID}})

/* Every type: what is accepted, as what it comes back, and what is refused. */
/* long: one journey through every type of field */
static void values_follow_the_type_of_their_field(void **state)
{
    static const struct {
        const char *type, *value, *want; /* want NULL: refused */
    } rows[] = {
        {"varchar", "\"abc\"", "abc"},
        {"varchar", "5", NULL},
        {"varchar_auto", "\"abc\"", "abc"},
        {"text", "\"two\\nlines\"", "two\nlines"},
        {"text", "[]", NULL},
        {"double", "12.5", "12.5"},
        {"double", "7", "7"},
        {"double", "0.1", "0.1"},
        {"double", "\"12.5\"", NULL},
        {"phone", "\"123\"", "123"},
        {"phone", "123", NULL},
        {"date", "\"2026-02-28\"", "2026-02-28"},
        {"date", "\"2026-02-29\"", NULL},
        {"date", "\"28.02.2026\"", NULL},
        {"daterange", "{\"value\":\"2026-01-01\",\"until\":\"2026-01-31\"}",
         "{\"value\":\"2026-01-01\",\"until\":\"2026-01-31\"}"},
        {"daterange", "{\"value\":\"2026-01-01\"}", NULL},
        {"daterange", "\"2026-01-01\"", NULL},
        {"time", "{\"value\":\"09:00:00\"}",
         "{\"value\":\"09:00:00\",\"timezone_id\":null,\"timezone_name\":null}"},
        {"time", "{\"value\":\"24:00\"}", NULL},
        {"timerange", "{\"value\":\"09:00\",\"until\":\"10:00\",\"timezone_id\":318}",
         "{\"value\":\"09:00\",\"until\":\"10:00\",\"timezone_id\":318,\"timezone_name\":null}"},
        {"timerange", "{\"value\":\"09:00\"}", NULL},
        {"monetary", "{\"value\":5,\"currency\":\"USD\"}", "{\"value\":5,\"currency\":\"USD\"}"},
        {"monetary", "{\"value\":5}", "{\"value\":5,\"currency\":\"EUR\"}"},
        {"monetary", "{\"value\":\"5\"}", NULL},
        {"monetary", "{\"value\":5,\"currency\":\"euro\"}", NULL},
        {"monetary", "5", NULL},
        {"address", "\"Kai 4\"", NULL},
        {"user", "4412", "4412"},
        {"user", "4420", NULL},
        {"user", "\"4412\"", NULL},
        {"org", "1", "1"},
        {"org", "2", NULL},
        {"people", "1", "1"},
        {"people", "77", NULL},
        {"varchar", "null", "null"},
    };
    struct journey journey;
    const struct step people[] = {{POST_ORGANIZATION("{\"name\":\"O\"}"), 200},
                                  {POST_PERSON("{\"name\":\"P\"}"), 200}};

    (void)state;
    journey_begin(&journey, simulator_pipedrive_new,
                  &(struct simulator_options){.seed = 7, .no_limits = true});
    journey_walk(&journey, people, COUNT_OF(people));
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct arena *arena = &journey.arena;
        const struct step steps[] = {
            {"POST",
             "/api/v2/personFields",
             arena_printf(arena, "{\"field_name\":\"F\",\"field_type\":\"%s\"}", rows[i].type).at,
             200,
             {0},
             .save = "key=data.field_code"},
            {"PATCH",
             PERSONS "/1",
             arena_printf(arena, "{\"custom_fields\":{\"$key$\":%s}}", rows[i].value).at,
             rows[i].want ? 200 : 400,
             {rows[i].want ? arena_printf(arena, "data.custom_fields.$key$=%s", rows[i].want).at
                           : "error~$key$"}}};

        journey_walk(&journey, steps, COUNT_OF(steps));
    }
    journey_end(&journey);
}

JOURNEY(sets_are_cleared_with_null_only,
        {"POST",
         "/api/v2/personFields",
         "{\"field_name\":\"Tags\",\"field_type\":\"set\",\"options\":[{\"label\":\"Port\"}]}",
         200,
         {0},
         .save = "key=data.field_code"},
        {"GET", "/api/v2/personFields/$key$", NULL, 200, {0}, .save = "port=data.options.0.id"},
        {POST_PERSON("{\"name\":\"A\",\"custom_fields\":{\"$key$\":[$port$]}}"),
         200,
         {"data.custom_fields.$key$=[$port$]"}},
        {"PATCH", PERSONS "/1", "{\"custom_fields\":{\"$key$\":[]}}", 400, {INVALID}},
        {"PATCH", PERSONS "/1", "{\"custom_fields\":{\"$key$\":[1]}}", 400, {INVALID}},
        {"PATCH",
         PERSONS "/1",
         "{\"custom_fields\":{\"$key$\":null}}",
         200,
         {"data.custom_fields.$key$=null"}},
        {"PATCH", PERSONS "/1", "{\"label_ids\":[]}", 200, {"data.label_ids#0"}})

JOURNEY(
    options_are_changed_in_bulk_or_not_at_all,
    {"POST",
     "/api/v2/organizationFields",
     "{\"field_name\":\"Size\",\"field_type\":\"enum\",\"options\":[{\"label\":\"S\"}]}",
     200,
     {0},
     .save = "key=data.field_code"},
    {"POST",
     "/api/v2/organizationFields/$key$/options",
     "[{\"label\":\"M\"},{\"label\":\"L\"}]",
     200,
     {"data#2", "data.1.label=L"},
     .save = "large=data.1.id"},
    {"PATCH",
     "/api/v2/organizationFields/$key$/options",
     "[{\"id\":$large$,\"label\":\"XL\"},{\"id\":1,\"label\":\"no\"}]",
     404,
     {0}},
    {"PATCH",
     "/api/v2/organizationFields/$key$/options",
     "[{\"id\":$large$,\"label\":\"XL\"}]",
     200,
     {"data.0.label=XL"}},
    {"DELETE", "/api/v2/organizationFields/$key$/options", "[{\"id\":$large$}]", 200, {"data#1"}},
    {"GET", "/api/v2/organizationFields/$key$", NULL, 200, {"data.options#2"}},
    {"POST",
     ORGANIZATIONS,
     "{\"name\":\"A\",\"custom_fields\":{\"$key$\":$large$}}",
     400,
     {INVALID}},
    {"POST", "/api/v2/organizationFields/name/options", "[{\"label\":\"M\"}]", 400, {INVALID}})

JOURNEY(definitions_are_paged_and_checked,
        {"GET", "/api/v2/personFields?limit=500", NULL, 200, {"additional_data.next_cursor=null"}},
        {"GET",
         "/api/v2/personFields?limit=2",
         NULL,
         200,
         {"data#2", "data.0.field_code=id", "data.1.is_custom_field=false"},
         .save = "next=additional_data.next_cursor"},
        {"GET",
         "/api/v2/personFields?limit=2&cursor=$next$",
         NULL,
         200,
         {"data#2", "data.0.field_code=first_name"}},
        {"GET", "/api/v2/personFields?cursor=x", NULL, 400, {INVALID}},
        {"GET", "/api/v2/personFields?limit=501", NULL, 400, {INVALID}},
        {"GET",
         "/api/v2/personFields/emails?include_fields=required_fields",
         NULL,
         200,
         {"data.required_fields.enabled=false", "data.ui_visibility!"}},
        {"GET", "/api/v2/organizationFields/address", NULL, 200, {"data.subfields#11"}},
        {"POST",
         "/api/v2/personFields",
         "{\"field_name\":\"X\",\"field_type\":\"colour\"}",
         400,
         {INVALID}},
        {"POST",
         "/api/v2/personFields",
         "{\"field_name\":\"X\",\"field_type\":\"enum\"}",
         400,
         {INVALID, "error~options"}},
        {"POST",
         "/api/v2/personFields",
         "{\"field_name\":\"\",\"field_type\":\"text\"}",
         400,
         {INVALID}},
        {"POST",
         "/api/v2/personFields",
         "{\"field_name\":\"X\",\"field_type\":\"text\",\"sorted\":true}",
         400,
         {INVALID}},
        {"DELETE", "/api/v2/personFields/name", NULL, 403, {0}},
        {"PATCH",
         "/api/v2/personFields/name",
         "{\"field_name\":\"Full name\",\"ui_visibility\":{\"add_visible_flag\":true}}",
         200,
         {"data.field_name=Full name", "data.ui_visibility.add_visible_flag=true"}})

/* --- sections 6 and 7: paging and incremental reading ---------------------------------------- */

#define FIVE                                                                                       \
    {POST_PERSON("{\"name\":\"P1\"}"), 200, {0}},                                                  \
        {POST_PERSON("{\"name\":\"P2\"}"), 200, {0}, .advance_ms = 1500},                          \
        {POST_PERSON("{\"name\":\"P3\"}"), 200, {0}, .advance_ms = 100},                           \
        {POST_PERSON("{\"name\":\"P4\"}"), 200, {0}, .advance_ms = 1000},                          \
    {                                                                                              \
        POST_PERSON("{\"name\":\"P5\"}"), 200, {0}, .advance_ms = 1000                             \
    }

JOURNEY(keyset_pages_go_on_behind_the_last_row, FIVE,
        {"GET",
         PERSONS "?limit=2",
         NULL,
         200,
         {"data.1.name=P2"},
         .save = "next=additional_data.next_cursor"},
        {"DELETE", PERSONS "/1", NULL, 200, {0}},
        {"GET",
         PERSONS "?limit=2&cursor=$next$",
         NULL,
         200,
         {"data.0.name=P3", "data.1.name=P4"},
         .save = "next=additional_data.next_cursor"},
        {"GET",
         PERSONS "?limit=2&cursor=$next$",
         NULL,
         200,
         {"data#1", "data.0.name=P5", "additional_data.next_cursor=null"}},
        {"GET",
         PERSONS "?limit=2&sort_by=id&sort_direction=desc",
         NULL,
         200,
         {"data.0.name=P5"},
         .save = "next=additional_data.next_cursor"},
        {"GET",
         PERSONS "?limit=2&sort_by=id&sort_direction=desc&cursor=$next$",
         NULL,
         200,
         {"data.0.name=P3", "data.1.name=P2", "additional_data.next_cursor=null"}},
        {"GET", PERSONS "?limit=2&cursor=$next$", NULL, 400, {INVALID, "error~cursor"}},
        {"GET", PERSONS "?cursor=abc", NULL, 400, {INVALID}})

JOURNEY(a_record_that_changes_during_a_scan_comes_again, FIVE,
        {"GET",
         PERSONS "?sort_by=update_time&limit=2",
         NULL,
         200,
         {"data.0.name=P1", "data.1.name=P2"},
         .save = "next=additional_data.next_cursor"},
        {"PATCH", PERSONS "/1", "{\"name\":\"P1 again\"}", 200, {0}, .advance_ms = 5000},
        {"GET",
         PERSONS "?sort_by=update_time&limit=2&cursor=$next$",
         NULL,
         200,
         {"data.0.name=P3", "data.1.name=P4"},
         .save = "next=additional_data.next_cursor"},
        {"GET",
         PERSONS "?sort_by=update_time&limit=2&cursor=$next$",
         NULL,
         200,
         {"data.0.name=P5", "data.1.name=P1 again", "additional_data.next_cursor=null"}})

JOURNEY(one_second_may_hold_many_rows_in_order_of_id, FIVE,
        {"PATCH", PERSONS "/4", "{\"name\":\"Q\"}", 200, {0}, .advance_ms = 5000},
        {"PATCH", PERSONS "/2", "{\"name\":\"Q\"}", 200, {0}},
        {"PATCH", PERSONS "/3", "{\"name\":\"Q\"}", 200, {0}},
        {"GET",
         PERSONS "?sort_by=update_time&updated_since=2026-11-21T07:00:08Z&limit=1",
         NULL,
         200,
         {"data.0.id=2"},
         .save = "next=additional_data.next_cursor"},
        {"GET",
         PERSONS "?sort_by=update_time&updated_since=2026-11-21T07:00:08Z&limit=1&cursor=$next$",
         NULL,
         200,
         {"data.0.id=3"},
         .save = "next=additional_data.next_cursor"},
        {"GET",
         PERSONS "?sort_by=update_time&updated_since=2026-11-21T07:00:08Z&limit=1&cursor=$next$",
         NULL,
         200,
         {"data.0.id=4", "additional_data.next_cursor=null"}},
        {"GET",
         PERSONS "?sort_by=update_time&sort_direction=desc&limit=2",
         NULL,
         200,
         {"data.0.id=4", "data.1.id=3"},
         .save = "next=additional_data.next_cursor"},
        {"GET",
         PERSONS "?sort_by=update_time&sort_direction=desc&limit=2&cursor=$next$",
         NULL,
         200,
         {"data.0.id=2", "data.1.id=5"}})

JOURNEY(updated_since_is_inclusive_and_in_whole_seconds, FIVE,
        {"GET", PERSONS "?updated_since=2026-11-21T07:00:01Z", NULL, 200, {"data#4"}},
        {"GET", PERSONS "?updated_since=2026-11-21T07:00:02Z", NULL, 200, {"data#2"}},
        {"GET", PERSONS "?updated_since=2026-11-21T08:00:02%2B01:00", NULL, 200, {"data#2"}},
        {"GET", PERSONS "?updated_until=2026-11-21T07:00:01Z", NULL, 200, {"data#1"}},
        {"GET",
         PERSONS "?updated_since=2026-11-21T07:00:01Z&updated_until=2026-11-21T07:00:02Z",
         NULL,
         200,
         {"data#2", "data.0.name=P2"}},
        {"GET",
         PERSONS "?updated_since=2026-11-21T07:00:01.000Z",
         NULL,
         400,
         {INVALID, "error=Parameter 'updated_since' is not a valid datetime"}},
        {"GET", PERSONS "?updated_since=2026-11-21", NULL, 400, {INVALID}},
        {"GET", PERSONS "?updated_until=now", NULL, 400, {INVALID}},
        {"DELETE", PERSONS "/5", NULL, 200, {0}},
        {"GET", PERSONS "?updated_since=2026-11-21T07:00:02Z", NULL, 200, {"data#1"}})

JOURNEY(query_parameters_are_checked, {"GET", PERSONS "?limit=0", NULL, 400, {INVALID}},
        {"GET", PERSONS "?limit=501", NULL, 400, {INVALID}},
        {"GET", PERSONS "?limit=ten", NULL, 400, {INVALID}},
        {"GET", PERSONS "?sort_by=name", NULL, 400, {INVALID}},
        {"GET", PERSONS "?sort_direction=up", NULL, 400, {INVALID}},
        {"GET", PERSONS "?ids=1,x", NULL, 400, {INVALID}},
        {"GET", PERSONS "?owner_id=me", NULL, 400, {INVALID}},
        {"GET", PERSONS "?filter_id=3", NULL, 404, {0}},
        {"GET", PERSONS "?deal_id=3", NULL, 200, {"data#0"}},
        {"GET", PERSONS "?include_fields=shoe_size", NULL, 400, {INVALID}},
        {"GET", PERSONS "?include_fields=name", NULL, 400, {INVALID}},
        {"GET", PERSONS "?updated_since=2026-11-21%2007:00:00Z", NULL, 400, {INVALID}},
        {"GET", PERSONS "?include_labels=yes", NULL, 400, {INVALID}},
        {"GET", PERSONS "?custom_fields=a,b,c,d,e,f,g,h,i,j,k,l,m,n,o", NULL, 200, {"data#0"}},
        {"GET", PERSONS "?custom_fields=a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p", NULL, 400, {INVALID}},
        {"GET", PERSONS "?nobody_knows_this=1", NULL, 200, {"data#0"}})

JOURNEY(ids_leave_out_what_is_missing, FIVE, {"DELETE", PERSONS "/2", NULL, 200, {0}},
        {"GET", PERSONS "?ids=5,2,1,999,5", NULL, 200, {"data#2", "data.0.id=1", "data.1.id=5"}})

#define TEN(n) #n "0," #n "1," #n "2," #n "3," #n "4," #n "5," #n "6," #n "7," #n "8," #n "9"
#define HUNDRED                                                                                    \
    TEN(1)                                                                                         \
    "," TEN(2) "," TEN(3) "," TEN(4) "," TEN(5) "," TEN(6) "," TEN(7) "," TEN(8) "," TEN(          \
        9) "," TEN(10)

JOURNEY(a_hundred_ids_are_the_most, FIVE, {"GET", PERSONS "?ids=" HUNDRED, NULL, 200, {"data#0"}},
        {"GET", PERSONS "?ids=" HUNDRED ",1", NULL, 400, {INVALID}})

JOURNEY(lists_are_filtered_by_owner, {POST_PERSON("{\"name\":\"A\"}"), 200, {0}},
        {POST_PERSON("{\"name\":\"B\",\"owner_id\":4412,\"visible_to\":1}"),
         200,
         {"data.visible_to=1"}},
        {"GET", PERSONS "?owner_id=4412", NULL, 200, {"data#1", "data.0.name=B"}},
        {"GET", PERSONS "?owner_id=4413", NULL, 200, {"data#0"}})

JOURNEY(add_time_sorts_too,
        {POST_PERSON("{\"name\":\"New\",\"add_time\":\"2025-01-01T00:00:00Z\"}"), 200, {0}},
        {POST_PERSON("{\"name\":\"Old\",\"add_time\":\"2020-01-01T00:00:00Z\"}"), 200, {0}},
        {"GET",
         PERSONS "?sort_by=add_time&limit=1",
         NULL,
         200,
         {"data.0.name=Old"},
         .save = "next=additional_data.next_cursor"},
        {"GET",
         PERSONS "?sort_by=add_time&limit=1&cursor=$next$",
         NULL,
         200,
         {"data.0.name=New", "additional_data.next_cursor=null"}})

JOURNEY_WITH(a_deleted_one_may_answer_404, OPTIONS(.quirks = "deleted-get-404"),
             {POST_PERSON("{\"name\":\"A\"}"), 200, {0}}, {"DELETE", PERSONS "/1", NULL, 200, {0}},
             {"GET", PERSONS "/1", NULL, 404, {"data=null"}})
JOURNEY_WITH(a_deleted_one_may_answer_410, OPTIONS(.quirks = "deleted-get-410,list-shows-deleted"),
             {POST_PERSON("{\"name\":\"A\"}"), 200, {0}}, {"DELETE", PERSONS "/1", NULL, 200, {0}},
             {"GET", PERSONS "/1", NULL, 410, {"success=false"}},
             {"GET", PERSONS, NULL, 200, {"data#1", "data.0.is_deleted=true"}},
             {"GET", PERSONS, NULL, 200, {"data#0"}, .advance_ms = 31 * DAY_MS})
JOURNEY_WITH(custom_fields_may_be_null, OPTIONS(.quirks = "custom-fields-null, no-op-bumps"),
             {POST_PERSON("{\"name\":\"A\"}"), 200, {"data.custom_fields=null"}},
             {"PATCH",
              PERSONS "/1",
              "{\"name\":\"A\"}",
              200,
              {"data.update_time=2026-11-21T07:01:00Z"},
              .advance_ms = MINUTE_MS})

/* --- section 8: search ----------------------------------------------------------------------- */

#define ADA                                                                                        \
    {POST_ORGANIZATION("{\"name\":\"Quay Logistics\",\"address\":{\"value\":\"Kai 4\"}}"),         \
     200,                                                                                          \
     {0}},                                                                                         \
    {                                                                                              \
        POST_PERSON("{\"name\":\"\\u00c4da Quist\",\"org_id\":1,\"emails\":[{\"value\":"           \
                    "\"Ada@Quay.example\"},{\"value\":\"ada.q@home.example\"}],\"phones\":[{"      \
                    "\"value\":\"+49 30 555010\"}]}"),                                             \
            200,                                                                                   \
        {                                                                                          \
            0                                                                                      \
        }                                                                                          \
    }

JOURNEY(persons_are_found_without_regard_to_case, ADA,
        {"GET",
         PERSONS "/search?term=ada%40quay.EXAMPLE&fields=email&exact_match=true",
         NULL,
         200,
         {"data.items#1", "data.items.0.item.id=1", "data.items.0.item.type=person",
          "data.items.0.item.emails.0=Ada@Quay.example", "data.items.0.item.organization.id=1",
          "data.items.0.item.organization.address=Kai 4", "additional_data.next_cursor=null"}},
        {"GET",
         PERSONS "/search?term=quay.example&fields=email&exact_match=true",
         NULL,
         200,
         {"data.items#0"}},
        {"GET", PERSONS "/search?term=quay.example&fields=email", NULL, 200, {"data.items#1"}},
        {"GET", PERSONS "/search?term=%C3%A4da&fields=name", NULL, 200, {"data.items#1"}},
        {"GET", PERSONS "/search?term=%C3%A4da&fields=email", NULL, 200, {"data.items#0"}},
        {"GET", PERSONS "/search?term=555010&organization_id=2", NULL, 200, {"data.items#0"}},
        {"GET", PERSONS "/search?term=555010&organization_id=1", NULL, 200, {"data.items#1"}},
        {"GET",
         ORGANIZATIONS "/search?term=kai&fields=address",
         NULL,
         200,
         {"data.items.0.item.name=Quay Logistics"}})

JOURNEY(searches_are_checked, ADA, {"GET", PERSONS "/search?term=a", NULL, 400, {INVALID}},
        {"GET", PERSONS "/search?term=a&exact_match=true", NULL, 200, {"data.items#0"}},
        {"GET", PERSONS "/search", NULL, 400, {INVALID}},
        {"GET", PERSONS "/search?term=abc&fields=shoe", NULL, 400, {INVALID}},
        {"GET", ORGANIZATIONS "/search?term=abc&fields=email", NULL, 400, {INVALID}},
        {"GET", "/api/v2/itemSearch?term=quay&limit=101", NULL, 400, {INVALID}},
        {"GET", "/api/v2/itemSearch?term=quay&item_types=ship", NULL, 400, {INVALID}},
        {"GET", "/api/v2/itemSearch?term=quay", NULL, 200, {"data.items#2"}},
        {"GET",
         "/api/v2/itemSearch?term=quay&item_types=organization,deal",
         NULL,
         200,
         {"data.items#1", "data.items.0.item.type=organization"}},
        {"GET",
         "/api/v2/itemSearch?term=quay&limit=1",
         NULL,
         200,
         {"data.items#1"},
         .save = "next=additional_data.next_cursor",
         .advance_ms = 2000},
        {"GET",
         "/api/v2/itemSearch?term=quay&limit=1&cursor=$next$",
         NULL,
         200,
         {"data.items#1", "additional_data.next_cursor=null"}},
        {"GET",
         "/api/v2/itemSearch/field?term=x&entity_type=person&field=org_id&match=exact",
         NULL,
         400,
         {INVALID, "error~searchable"}},
        {"GET",
         "/api/v2/itemSearch/field?term=x&entity_type=ship&field=name&match=exact",
         NULL,
         400,
         {INVALID}},
        {"GET",
         "/api/v2/itemSearch/field?term=x&entity_type=deal&field=title&match=exact",
         NULL,
         200,
         {"data#0"}},
        {"GET",
         "/api/v2/itemSearch/field?term=x&entity_type=person&field=name&match=like",
         NULL,
         400,
         {INVALID}})

JOURNEY(searches_pass_over_deleted_fields, ADA,
        {"POST",
         "/api/v2/personFields",
         "{\"field_name\":\"Sync key\",\"field_type\":\"varchar\"}",
         200,
         {0},
         .save = "key=data.field_code"},
        {"PATCH", PERSONS "/1", "{\"custom_fields\":{\"$key$\":\"zebra\"}}", 200, {0}},
        {"GET", PERSONS "/search?term=zebra", NULL, 200, {"data.items#1"}},
        {"DELETE", "/api/v2/personFields/$key$", NULL, 200, {0}},
        {"GET", "/__sim/stats", NULL, 200, {"calls.DELETE /api/{version}/personFields/{id}=1"}},
        {"GET", PERSONS "/search?term=zebra", NULL, 200, {"data.items#0"}},
        {"GET",
         PERSONS "/search?term=quist",
         NULL,
         200,
         {"data.items#1", "data.items.0.item.custom_fields#0"}})

JOURNEY_WITH(the_index_lags_behind, OPTIONS(.index_lag_ms = 3000),
             {"POST",
              "/api/v2/personFields",
              "{\"field_name\":\"Sync key\",\"field_type\":\"varchar\"}",
              200,
              {0},
              .save = "key=data.field_code"},
             {POST_PERSON("{\"name\":\"A\",\"custom_fields\":{\"$key$\":\"Key-1\"}}"), 200, {0}},
             {"GET",
              "/api/v2/itemSearch/field?entity_type=person&field=$key$&match=exact&term=Key-1",
              NULL,
              200,
              {"data#0"},
              .advance_ms = 2900},
             {"GET", PERSONS "?updated_since=2026-11-21T07:00:00Z", NULL, 200, {"data#1"}},
             {"GET",
              "/api/v2/itemSearch/field?entity_type=person&field=$key$&match=exact&term=Key-1",
              NULL,
              200,
              {"data#1", "data.0.id=1", "data.0.name=A"},
              .advance_ms = 100},
             {"GET",
              "/api/v2/itemSearch/field?entity_type=person&field=$key$&match=exact&term=key-1",
              NULL,
              200,
              {"data#0"}},
             {"GET",
              "/api/v2/itemSearch/field?entity_type=person&field=$key$&match=middle&term=ey",
              NULL,
              200,
              {"data#1"}},
             {"GET",
              "/api/v2/itemSearch/field?entity_type=person&field=$key$&match=beginning&term=ey",
              NULL,
              200,
              {"data#0"}},
             {"PATCH", PERSONS "/1", "{\"custom_fields\":{\"$key$\":\"Key-2\"}}", 200, {0}},
             {"GET",
              "/api/v2/itemSearch/field?entity_type=person&field=$key$&match=exact&term=Key-1",
              NULL,
              200,
              {"data#1"}},
             {"DELETE", PERSONS "/1", NULL, 200, {0}, .advance_ms = 1000},
             {"GET",
              PERSONS "/search?term=Key-2&fields=custom_fields",
              NULL,
              200,
              {"data.items#1"},
              .advance_ms = 2000},
             {"GET",
              PERSONS "/search?term=Key-2&fields=custom_fields",
              NULL,
              200,
              {"data.items#0"},
              .advance_ms = 1000})

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

/* --- section 11: limits ---------------------------------------------------------------------- */

static const struct simulator_options lite = {.seed = 7, .plan = "lite"};

static void the_burst_window_rolls(void **state)
{
    struct journey journey;

    (void)state;
    journey_begin(&journey, simulator_pipedrive_new, &lite);
    for (int i = 0; i < 20; i++) {
        send_with_api_token(&journey, HTTP_GET, PERSONS);
        assert_int_equal(journey.last.status, 200);
        assert_int_equal(header_number(&journey, "x-ratelimit-limit"), 20);
        assert_int_equal(header_number(&journey, "x-ratelimit-remaining"), 19 - i);
    }
    send_with_api_token(&journey, HTTP_GET, PERSONS);
    assert_int_equal(journey.last.status, 429);
    assert_int_equal(header_number(&journey, "x-ratelimit-remaining"), 0);
    assert_int_equal(header_number(&journey, "x-ratelimit-reset"), 2);
    assert_true(str_contains(journey.last.body, STR("request over limit")));
    clock_wait_ms(journey.env.clock, 2000);
    send_with_api_token(&journey, HTTP_GET, PERSONS);
    assert_int_equal(journey.last.status, 200);
    journey_end(&journey);
}

static void token_remaining_is_from_before_the_call(void **state)
{
    static const struct {
        enum http_method method;
        const char *url;
        int64_t cost;
    } rows[] = {
        {HTTP_GET, PERSONS "/1", 1},
        {HTTP_GET, PERSONS, 10},
        {HTTP_GET, PERSONS "/search?term=abc", 20},
        {HTTP_GET, "/v1/users/me", 2},
        {HTTP_GET, "/v1/persons", 20},
        {HTTP_POST, PERSONS, 5},
        {HTTP_PATCH, PERSONS "/1", 5},
        {HTTP_DELETE, PERSONS "/1", 3},
        {HTTP_DELETE, "/v1/persons/1", 6},
        {HTTP_PUT, "/v1/persons/1/merge", 40},
        {HTTP_GET, "/api/v2/personFields", 10},
        {HTTP_GET, "/api/v2/personFields/name", 1},
        {HTTP_GET, "/api/v2/itemSearch/field?entity_type=person&field=name&term=abc", 20},
        {HTTP_GET, DEALS, 10},
        {HTTP_GET, DEALS "/archived", 20},
        {HTTP_GET, DEALS "/search?term=abc", 20},
        {HTTP_GET, DEALS "/1", 1},
        {HTTP_POST, ACTIVITIES, 5},
        {HTTP_PATCH, ACTIVITIES "/1", 5},
        {HTTP_DELETE, ACTIVITIES "/1", 3},
        {HTTP_GET, "/api/v2/pipelines", 5},
        {HTTP_GET, "/api/v2/stages", 5},
        {HTTP_GET, "/api/v2/stages/1", 1},
        {HTTP_POST, "/api/v2/stages", 5},
        {HTTP_DELETE, "/api/v2/stages/9", 3},
        {HTTP_GET, "/v1/deals/1/participants", 10},
        {HTTP_POST, "/v1/deals/1/participants", 10},
        {HTTP_DELETE, "/v1/deals/1/participants/1", 6},
        {HTTP_PUT, "/v1/deals/1/merge", 40},
        {HTTP_GET, NOTES, 20},
        {HTTP_GET, NOTES "/1", 2},
        {HTTP_POST, NOTES, 10},
        {HTTP_PUT, NOTES "/1", 10},
        {HTTP_DELETE, NOTES "/1", 6},
        {HTTP_GET, "/v1/activityTypes", 20},
        {HTTP_GET, "/v1/users", 20},
        {HTTP_GET, PERSONS, 0},
    };
    struct journey journey;
    int64_t left = 300000;

    (void)state;
    journey_begin(&journey, simulator_pipedrive_new, &lite);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        send_with_api_token(&journey, rows[i].method, rows[i].url);
        assert_int_equal(header_number(&journey, "x-daily-ratelimit-token-limit"), 300000);
        assert_int_equal(header_number(&journey, "x-daily-ratelimit-token-remaining"), left);
        left -= rows[i].cost;
        clock_wait_ms(journey.env.clock, 250); /* below the burst limit */
    }
    journey_end(&journey);
}

static void searches_have_a_window_of_their_own(void **state)
{
    struct journey journey;

    (void)state;
    journey_begin(&journey, simulator_pipedrive_new, &(struct simulator_options){.seed = 7});
    for (int i = 0; i < 11; i++) {
        send_with_api_token(&journey, HTTP_GET, PERSONS "/search?term=abc");
        assert_int_equal(journey.last.status, i < 10 ? 200 : 429);
    }
    send_with_api_token(&journey, HTTP_GET, PERSONS);
    assert_int_equal(journey.last.status, 200);
    journey_end(&journey);
}

static void the_budget_of_a_day_ends_at_midnight(void **state)
{
    struct journey journey;

    (void)state;
    journey_begin(&journey, simulator_pipedrive_new, &lite);
    send_with_api_token(&journey, HTTP_GET, PERSONS "/1"); /* leaves too little for the last list */
    for (int i = 0; i < 30000; i++) {
        clock_wait_ms(journey.env.clock, 101);
        send_with_api_token(&journey, HTTP_GET, PERSONS);
        assert_int_equal(journey.last.status, 200);
    }
    clock_wait_ms(journey.env.clock, 2000);
    send_with_api_token(&journey, HTTP_GET, PERSONS "/1");
    assert_int_equal(journey.last.status, 429);
    assert_int_equal(header_number(&journey, "x-daily-ratelimit-token-remaining"), 0);
    assert_true(header_number(&journey, "x-ratelimit-remaining") > 0);
    clock_wait_ms(journey.env.clock, 17 * 60 * MINUTE_MS);
    send_with_api_token(&journey, HTTP_GET, PERSONS);
    assert_int_equal(journey.last.status, 200);
    journey_end(&journey);
}

static void who_ignores_a_hundred_refusals_is_blocked(void **state)
{
    struct journey journey;

    (void)state;
    journey_begin(&journey, simulator_pipedrive_new, &lite);
    for (int i = 0; i < 120; i++) {
        send_with_api_token(&journey, HTTP_GET, PERSONS);
        assert_int_equal(journey.last.status, i < 20 ? 200 : 429);
    }
    clock_wait_ms(journey.env.clock, 3000);
    send_with_api_token(&journey, HTTP_GET, PERSONS);
    assert_int_equal(journey.last.status, 403);
    assert_true(
        str_starts(http_header_get(&journey.last.headers, "content-type"), STR("text/html")));
    clock_wait_ms(journey.env.clock, 30 * MINUTE_MS);
    send_with_api_token(&journey, HTTP_GET, PERSONS);
    assert_int_equal(journey.last.status, 200);
    journey_end(&journey);
}

/* Refused 99 times, then served: the count begins anew. */
static void patience_is_rewarded(void **state)
{
    struct journey journey;

    (void)state;
    journey_begin(&journey, simulator_pipedrive_new, &lite);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 20 + 99; i++) {
            send_with_api_token(&journey, HTTP_GET, PERSONS);
            assert_int_equal(journey.last.status, i < 20 ? 200 : 429);
        }
        clock_wait_ms(journey.env.clock, 3000);
    }
    journey_end(&journey);
}

static void oauth_callers_are_never_blocked(void **state)
{
    struct journey journey;

    (void)state;
    journey_begin(&journey, simulator_pipedrive_new, &lite);
    for (int i = 0; i < 80 + 150; i++) {
        journey_send(&journey, "GET", STR(PERSONS), STR(""), NULL);
        assert_int_equal(journey.last.status, i < 80 ? 200 : 429);
    }
    journey_end(&journey);
}

static void of_two_credentials_the_api_token_counts(void **state)
{
    struct http_request request = {.url = STR(PERSONS)};
    struct journey journey;

    (void)state;
    journey_begin(&journey, simulator_pipedrive_new, &lite);
    http_header_add(&request.headers, STR("Authorization"), STR("Bearer wrong"));
    http_header_add(&request.headers, STR("x-api-token"), str_of(simulator_token(journey.sim)));
    simulator_handle(journey.sim, &request, &journey.last);
    assert_int_equal(journey.last.status, 200);
    assert_int_equal(header_number(&journey, "x-ratelimit-limit"), 20);
    journey_end(&journey);
}

/* A client that trusts x-ratelimit-limit must not learn another credential's. */
static void an_injected_refusal_speaks_of_the_callers_window(void **state)
{
    struct journey journey;

    (void)state;
    journey_begin(&journey, simulator_pipedrive_new, &lite);
    journey_send(&journey, "POST", STR("/__sim/faults"),
                 STR("{\"rules\":[{\"fault\":\"throttle\"}]}"), NULL);
    send_with_api_token(&journey, HTTP_GET, PERSONS);
    assert_int_equal(journey.last.status, 429);
    assert_int_equal(header_number(&journey, "x-ratelimit-limit"), 20);
    journey_send(&journey, "GET", STR(PERSONS), STR(""), NULL);
    assert_int_equal(journey.last.status, 429);
    assert_int_equal(header_number(&journey, "x-ratelimit-limit"), 80);
    journey_end(&journey);
}

static void every_answer_has_a_correlation_id(void **state)
{
    struct journey journey;

    (void)state;
    journey_begin(&journey, simulator_pipedrive_new, &lite);
    send_with_api_token(&journey, HTTP_GET, PERSONS);
    assert_int_equal(http_header_get(&journey.last.headers, "x-correlation-id").len, 36);
    journey_send(&journey, "GET", STR(PERSONS), STR(""), "wrong");
    assert_int_equal(http_header_get(&journey.last.headers, "x-correlation-id").len, 36);
    assert_true(str_equal(http_header_get(&journey.last.headers, "x-401-by-gw"), STR("true")));
    journey_end(&journey);
}

static void fields_come_to_an_end(void **state)
{
    static const struct simulator_options free_of_limits = {.seed = 7, .no_limits = true};
    struct journey journey;
    int made = 0;

    (void)state;
    journey_begin(&journey, simulator_pipedrive_new, &free_of_limits);
    do {
        journey_send(&journey, "POST", STR("/api/v2/personFields"),
                     STR("{\"field_name\":\"F\",\"field_type\":\"text\"}"), NULL);
        made += journey.last.status == 200;
    } while (journey.last.status == 200 && made < 2000);
    assert_int_equal(journey.last.status, 403);
    assert_in_range(made, 900, 1000);
    journey_end(&journey);
}

static void options_that_mean_nothing_are_refused(void **state)
{
    static const struct {
        struct simulator_options options;
        const char *says;
    } rows[] = {
        {{.plan = "enterprise"}, "unknown Pipedrive plan 'enterprise'"},
        {{.quirks = "no-parent-bumps,polite"}, "unknown Pipedrive quirk 'polite'"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct clock *clock = clock_new_virtual(0);
        struct env env = {.clock = clock};
        struct simulator *sim = NULL;
        struct error err = {0};

        assert_int_equal(simulator_pipedrive_new(&env, &rows[i].options, &sim, &err), FAIL_CONFIG);
        assert_non_null(strstr(err.message, rows[i].says));
        assert_true(err.hint[0]);
        clock_free(clock);
    }
}

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
        cmocka_unit_test(custom_fields_get_random_keys_and_keep_their_types),
        cmocka_unit_test(values_follow_the_type_of_their_field),
        cmocka_unit_test(sets_are_cleared_with_null_only),
        cmocka_unit_test(options_are_changed_in_bulk_or_not_at_all),
        cmocka_unit_test(definitions_are_paged_and_checked),
        cmocka_unit_test(keyset_pages_go_on_behind_the_last_row),
        cmocka_unit_test(a_record_that_changes_during_a_scan_comes_again),
        cmocka_unit_test(one_second_may_hold_many_rows_in_order_of_id),
        cmocka_unit_test(updated_since_is_inclusive_and_in_whole_seconds),
        cmocka_unit_test(query_parameters_are_checked),
        cmocka_unit_test(ids_leave_out_what_is_missing),
        cmocka_unit_test(a_hundred_ids_are_the_most),
        cmocka_unit_test(lists_are_filtered_by_owner),
        cmocka_unit_test(add_time_sorts_too),
        cmocka_unit_test(a_deleted_one_may_answer_404),
        cmocka_unit_test(a_deleted_one_may_answer_410),
        cmocka_unit_test(custom_fields_may_be_null),
        cmocka_unit_test(persons_are_found_without_regard_to_case),
        cmocka_unit_test(searches_are_checked),
        cmocka_unit_test(searches_pass_over_deleted_fields),
        cmocka_unit_test(the_index_lags_behind),
        cmocka_unit_test(the_named_one_dies_in_a_merge_of_persons),
        cmocka_unit_test(a_deleted_person_leaves_the_organization),
        cmocka_unit_test(long_texts_of_merged_organizations_are_joined),
        cmocka_unit_test(a_zero_character_is_a_character),
        cmocka_unit_test(people_follow_a_merged_organization),
        cmocka_unit_test(v1_shows_its_own_form),
        cmocka_unit_test(the_burst_window_rolls),
        cmocka_unit_test(token_remaining_is_from_before_the_call),
        cmocka_unit_test(searches_have_a_window_of_their_own),
        cmocka_unit_test(the_budget_of_a_day_ends_at_midnight),
        cmocka_unit_test(who_ignores_a_hundred_refusals_is_blocked),
        cmocka_unit_test(patience_is_rewarded),
        cmocka_unit_test(oauth_callers_are_never_blocked),
        cmocka_unit_test(of_two_credentials_the_api_token_counts),
        cmocka_unit_test(an_injected_refusal_speaks_of_the_callers_window),
        cmocka_unit_test(every_answer_has_a_correlation_id),
        cmocka_unit_test(fields_come_to_an_end),
        cmocka_unit_test(options_that_mean_nothing_are_refused),
        cmocka_unit_test(people_change_things_in_the_pages_of_the_crm),
        cmocka_unit_test(a_filled_account_is_realistic),
        cmocka_unit_test(pages_of_many_records_come_quickly),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
