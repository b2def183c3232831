/* A thousand creates at each CRM, every one of them applied and its answer lost: nobody is made twice, nobody is missing.
 *
 * CREATES=n in the environment: how many at each CRM. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/str.h"
#include "tests/scenarios/story.h"

#include "tests/expect.h"

enum { CREATES_DEFAULT = 1000, TIMES_LOST_MAX = 4 };

static int64_t creates(void)
{
    const char *wanted = getenv("CREATES");
    int64_t ret = CREATES_DEFAULT;

    EXPECT(!wanted || (str_to_i64(str_of(wanted), &ret) && ret > 0), "CREATES must be a number");
    return ret;
}

/* Made here; none of the CRMs knows them yet. */
static void add_people_here(struct world *world)
{
    struct edit edit = world_edit(world);
    const struct kind *kind = kind_by_name(&world->kinds, STR("contact"));

    for (int i = 0; i < creates(); i++) {
        AUTO_ARENA struct arena arena = {0};
        struct fields fields = {0};
        struct store_record record;
        struct error err = {0};

        fields_set(&fields, &arena, STR("email"),
                   VALUE_OF(arena_printf(&arena, "person%d@people.example", i)));
        fields_set(&fields, &arena, STR("first_name"), VALUE_OF(STR("Some")));
        fields_set(&fields, &arena, STR("last_name"),
                   VALUE_OF(arena_printf(&arena, "Person%d", i)));
        EXPECT(edit_create(&edit, kind, &fields, false, &arena, &record, &err) == OK, "%s",
               err.message);
    }
}

/* Every call that makes people is applied, and its answer never comes. */
static void lose_answers(struct world *world, int at)
{
    static const struct {
        const char *method, *path;
    } CREATES[CRMS] = {[HUBSPOT] = {"POST", "/contacts/batch/upsert"},
                       [PIPEDRIVE] = {"POST", "/persons"},
                       [SALESFORCE] = {"POST", "/composite"}};
    const char *path = CREATES[world->crms[at]].path;

    world_faults(world, at,
                 json_pack("{s:i,s:[{s:s,s:s,s:s,s:i}]}", "seed", 1, "rules", "fault",
                           "timeout_after_apply", "method", CREATES[world->crms[at]].method, "path",
                           path, "per_million", 1000000));
}

static int by_address(const void *x, const void *y)
{
    return strcmp(*(const char *const *)x, *(const char *const *)y);
}

/* Each of them once. */
static void expect_everybody_once(struct world *world, int at)
{
    json_t *state = world_state(world, at, "contact");
    int64_t people = creates();
    char(*emails)[STORY_TEXT_BYTES] = calloc((size_t)people + 1, sizeof *emails);
    const char **sorted = calloc((size_t)people + 1, sizeof *sorted);
    int count = 0;
    size_t index;
    json_t *record;

    json_array_foreach(json_object_get(state, "records"), index, record)
    {
        if (!json_is_true(json_object_get(record, "archived")) && count <= people) {
            world_field(world->crms[at], record, "email", emails[count], sizeof emails[count]);
            sorted[count] = emails[count];
            count++;
        }
    }
    EXPECT(count == people, "%d people at %s, wanted %" PRId64, count, world->names[at].at, people);
    qsort(sorted, (size_t)count, sizeof *sorted, by_address);
    for (int i = 1; i < count; i++) {
        EXPECT(strcmp(sorted[i - 1], sorted[i]) != 0, "%s is at %s twice", sorted[i],
               world->names[at].at);
    }
    free(sorted);
    free(emails);
    json_decref(state);
}

static void nobody_is_made_twice(enum crm crm)
{
    struct world_options options = {.seed = 11, .crms = {crm}, .connections = 1};
    struct world *world = world_new(&options);

    story_rest(world);
    add_people_here(world);
    lose_answers(world, 0);
    for (int i = 0; i < TIMES_LOST_MAX; i++) {
        struct sync_report report = {0};

        world_sync(world, false, &report);
    }
    world_faults(world, 0, json_object());
    story_advance(world, 24 * 60 * 60 * 1000LL);
    story_rest(world);
    expect_everybody_once(world, 0);
    EXPECT(story_failures(world, "") == 0, "%d are set aside", story_failures(world, ""));
    printf("lost_answers crm=%" PRI_STR " creates=%" PRId64 " doubled=0 missing=0\n",
           STR_ARG(world->names[0]), creates());
    world_free(world);
}

static void at_hubspot(void **state)
{
    (void)state;
    nobody_is_made_twice(HUBSPOT);
}

static void at_pipedrive(void **state)
{
    (void)state;
    nobody_is_made_twice(PIPEDRIVE);
}

static void at_salesforce(void **state)
{
    (void)state;
    nobody_is_made_twice(SALESFORCE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(at_hubspot),
        cmocka_unit_test(at_pipedrive),
        cmocka_unit_test(at_salesforce),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
