/* Deals, tickets, activities, owners, pipelines, custom objects and their properties in the HubSpot simulator. */
#include "tests/unit/simulators/journey.h"

/* --- what a new account holds ---------------------------------------------------------------------- */

static json_t *records_of(struct journey *journey, const char *plural)
{
    json_t *tree = journey_send(
        journey, "GET", arena_printf(&journey->arena, "/__sim/state/%s", plural), STR(""), NULL);

    return json_object_get(tree, "records");
}

static size_t links_to(const json_t *record, const char *plural)
{
    const json_t *links = json_object_get(record, "links");
    size_t count = 0, index;
    json_t *link;

    json_array_foreach(links, index, link)
    {
        count += str_equal(jx_text_of(json_object_get(link, "to")), str_of(plural));
    }
    return count;
}

static void deals_and_activities_are_made_up_with_their_people(void **state)
{
    static const char *const types[] = {"calls", "emails", "meetings", "notes", "tasks"};
    struct journey journey;
    size_t with_owner = 0, with_several = 0, index;
    json_t *deals, *deal;

    (void)state;
    journey_begin(
        &journey, simulator_hubspot_new,
        &(struct simulator_options){.seed = 5, .records = 100, .deals = 60, .activities = 100});
    deals = records_of(&journey, "deals");
    assert_int_equal(json_array_size(deals), 60);
    json_array_foreach(deals, index, deal)
    {
        assert_true(links_to(deal, "contacts") >= 1);
        assert_int_equal(links_to(deal, "companies"), 1);
        with_several += links_to(deal, "contacts") > 1;
        with_owner += json_object_get(json_object_get(deal, "fields"), "hubspot_owner_id") != NULL;
    }
    assert_true(with_several > 10 && with_several < 60);
    assert_true(with_owner > 10 && with_owner < 60);
    for (size_t i = 0; i < COUNT_OF(types); i++) {
        json_t *activities = records_of(&journey, types[i]);

        assert_int_equal(json_array_size(activities), 20);
        assert_int_equal(links_to(json_array_get(activities, 0), "contacts"), 1);
    }
    journey_end(&journey);
}

static json_t *deals_of(struct journey *journey, uint64_t seed)
{
    journey_begin(journey, simulator_hubspot_new,
                  &(struct simulator_options){.seed = seed, .records = 50, .deals = 30});
    return records_of(journey, "deals");
}

static void the_same_seed_makes_the_same_deals(void **state)
{
    struct journey one, two, other;
    json_t *first = deals_of(&one, 5), *second = deals_of(&two, 5), *third = deals_of(&other, 6);

    (void)state;
    assert_true(json_equal(first, second));
    assert_false(json_equal(first, third));
    journey_end(&one);
    journey_end(&two);
    journey_end(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(deals_and_activities_are_made_up_with_their_people),
        cmocka_unit_test(the_same_seed_makes_the_same_deals),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
