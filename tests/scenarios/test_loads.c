/* So many creates that Salesforce takes them as one load: whatever step of it loses its answer, is late, is stopped or dies with the process, nobody is made
 * twice and nobody is missing. */
#include <stdio.h>
#include <string.h>

#include "adapters/salesforce_write.h"
#include "core/str.h"
#include "store/record.h"
#include "tests/expect.h"
#include "tests/scenarios/story.h"

enum { PEOPLE = SF_BULK_MIN + 200 };

static const int64_t DAY_MS = 24 * 60 * 60 * 1000LL;

/* --- the world ---------------------------------------------------------------------------------------------------------------- */

static struct tx *begin(struct world *world)
{
    struct tx *tx = NULL;
    struct error err = {0};

    EXPECT(tx_begin(world->store, TENANT_DEFAULT, &tx, &err) == OK, "%s", err.message);
    return tx;
}

static void add_person(struct tx *tx, int number)
{
    AUTO_ARENA struct arena arena = {0};
    struct store_record record = {.kind = STR("contact"),
                                  .uuid =
                                      arena_printf(&arena, "018f0000-0000-7000-8000-%012d", number),
                                  .created_ms = 1,
                                  .updated_ms = 1};
    struct error err = {0};

    fields_set(&record.fields, &arena, STR("email"),
               VALUE_OF(arena_printf(&arena, "person%d@people.example", number)));
    fields_set(&record.fields, &arena, STR("last_name"),
               VALUE_OF(arena_printf(&arena, "Person%d", number)));
    EXPECT(record_insert(tx, &record, NULL, 0, &err) == OK, "%s", err.message);
}

/* Salesforce, and people whom it does not know yet. */
static struct world *world_with_people(void)
{
    struct world_options options = {.seed = 11, .crms = {SALESFORCE}, .connections = 1};
    struct world *world = world_new(&options);
    struct error err = {0};
    struct tx *tx;

    story_rest(world);
    tx = begin(world);
    for (int i = 0; i < PEOPLE; i++) {
        add_person(tx, i);
    }
    EXPECT(tx_commit(&tx, &err) == OK, "%s", err.message);
    json_decref(world_ask(world, 0, "POST", "/__sim/stats/reset", json_object()));
    return world;
}

static int by_address(const void *x, const void *y)
{
    return strcmp(*(const char *const *)x, *(const char *const *)y);
}

/* Each of them once. */
static void expect_everybody_once(struct world *world)
{
    json_t *state = world_state(world, 0, "contact");
    const char **emails = calloc(PEOPLE + 1, sizeof *emails);
    size_t count = 0, index;
    json_t *record;

    json_array_foreach(json_object_get(state, "records"), index, record)
    {
        const char *email =
            json_string_value(json_object_get(json_object_get(record, "fields"), "Email"));

        if (!json_is_true(json_object_get(record, "archived")) && count <= PEOPLE) {
            emails[count++] = email ? email : "";
        }
    }
    EXPECT(count == PEOPLE, "%zu people, wanted %d", count, PEOPLE);
    qsort(emails, count, sizeof *emails, by_address);
    for (size_t i = 1; i < count; i++) {
        EXPECT(strcmp(emails[i - 1], emails[i]) != 0, "%s is there twice", emails[i]);
    }
    free(emails);
    json_decref(state);
    EXPECT(story_failures(world, "") == 0, "%d are set aside", story_failures(world, ""));
}

static json_int_t calls_of(struct world *world, const char *method, const char *path)
{
    json_t *stats = world_ask(world, 0, "GET", "/__sim/stats", NULL);
    json_int_t count = 0;
    const char *call;
    json_t *number;

    json_object_foreach(json_object_get(stats, "calls"), call, number)
    {
        size_t len = strlen(call), tail = strlen(path);

        if (strncmp(call, method, strlen(method)) == 0 && len >= tail &&
            strcmp(call + len - tail, path) == 0) {
            count += json_integer_value(number);
        }
    }
    json_decref(stats);
    return count;
}

/* --- steps -------------------------------------------------------------------------------------------------------------------- */

static void lose(struct world *world, const char *fault, const char *method, const char *path)
{
    world_faults(world, 0,
                 json_pack("{s:i,s:[{s:s,s:s,s:s,s:i}]}", "seed", 1, "rules", "fault", fault,
                           "method", method, "path", path, "per_million", 1000000));
}

static void any_step_may_fail(void **state)
{
    static const struct {
        const char *fault, *method, *path;
    } STEPS[] = {
        {"timeout_after_apply", "POST", "/jobs/ingest"},
        {"reset", "PUT", "/batches"},
        {"timeout_after_apply", "PATCH", "/jobs/ingest/"},
        {"timeout_after_apply", "GET", "/jobs/ingest/"},
        {"truncate", "GET", "/successfulResults"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(STEPS); i++) {
        struct world *world = world_with_people();
        struct sync_report report = {0};

        print_message("  %s of %s %s\n", STEPS[i].fault, STEPS[i].method, STEPS[i].path);
        lose(world, STEPS[i].fault, STEPS[i].method, STEPS[i].path);
        world_sync(world, false, &report);
        EXPECT(calls_of(world, "POST", "/jobs/ingest") > 0, "no load was tried");
        world_faults(world, 0, json_object());
        story_advance(world, DAY_MS);
        story_rest(world);
        expect_everybody_once(world);
        world_free(world);
    }
}

static void person_stops_load(struct world *world)
{
    struct http_response response = {0};
    json_t *jobs;
    struct http_request request = {.method = HTTP_GET,
                                   .url = STR("/services/data/v66.0/jobs/ingest")};
    char bearer[256], url[256];

    snprintf(bearer, sizeof bearer, "Bearer %.*s", STR_ARG(secret_expose(&world->tokens[0])));
    http_header_add(&request.headers, STR("authorization"), str_of(bearer));
    http_header_add(&request.headers, STR("content-type"), STR("application/json"));
    simulator_handle(world->simulators[0], &request, &response);
    jobs = json_loadb(response.body.at, response.body.len, 0, NULL);
    snprintf(url, sizeof url, "/services/data/v66.0/jobs/ingest/%s",
             json_string_value(
                 json_object_get(json_array_get(json_object_get(jobs, "records"), 0), "id")));
    http_response_fini(&response);
    request.method = HTTP_PATCH;
    request.url = str_of(url);
    request.body = STR("{\"state\":\"Aborted\"}");
    simulator_handle(world->simulators[0], &request, &response);
    EXPECT(response.status == 200, "%d %.*s", response.status, STR_ARG(response.body));
    http_response_fini(&response);
    json_decref(jobs);
}

/* In its middle: what it had made is found, the rest is made. */
static void a_load_that_is_stopped_is_gone_on_with(void **state)
{
    struct world *world = world_with_people();
    struct sync_report report = {0};
    json_t *written;
    size_t made;

    (void)state;
    world->options.wait_max_ms = 1000;
    json_decref(world_ask(world, 0, "POST", "/__sim/bulk",
                          json_pack("{s:i,s:i}", "queued_ms", 0, "chunk_ms", 1000)));
    world_sync(world, false, &report);
    written = world_state(world, 0, "contact");
    made = json_array_size(json_object_get(written, "records"));
    json_decref(written);
    EXPECT(made > 0 && made < PEOPLE, "%zu were made when it was stopped", made);
    person_stops_load(world);
    world->options.wait_max_ms = 0;
    story_rest(world);
    expect_everybody_once(world);
    world_free(world);
}

static void sync_soon(struct world *world)
{
    struct sync_report report = {0};

    story_advance(world, 30 * 1000);
    world_sync(world, false, &report);
}

/* A load that takes its time is one load, also for the next process. */
static void a_load_outlives_its_process(void **state)
{
    struct world *world = world_with_people();
    struct sync_report report = {0};

    (void)state;
    world->options.wait_max_ms = 1000;
    json_decref(world_ask(world, 0, "POST", "/__sim/bulk",
                          json_pack("{s:i,s:i}", "queued_ms", 10 * 60 * 1000, "chunk_ms", 1000)));
    world_sync(world, false, &report);
    sync_soon(world);
    world_reopen(world);
    sync_soon(world);
    world->options.wait_max_ms = 0;
    story_rest(world);
    expect_everybody_once(world);
    EXPECT(calls_of(world, "POST", "/jobs/ingest") == 1, "%d loads",
           (int)calls_of(world, "POST", "/jobs/ingest"));
    world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_step_may_fail),
        cmocka_unit_test(a_load_that_is_stopped_is_gone_on_with),
        cmocka_unit_test(a_load_outlives_its_process),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
