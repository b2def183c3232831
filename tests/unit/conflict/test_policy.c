/* Strategies by name, and the brake's arithmetic. */
#include "tests/expect.h"

#include "conflict/brake.h"
#include "conflict/policy.h"

static const struct {
    const char *text;
    bool is_known;
    enum strategy strategy;
    enum combine combine;
    int hub_priority, remote_priority;
} POLICY_ROWS[] = {
    {"last-write-wins", true, STRATEGY_LAST_WRITE_WINS, 0, 0, 0},
    {"source-priority", true, STRATEGY_SOURCE_PRIORITY, 0, 0, 0},
    {"local-master", true, STRATEGY_SOURCE_PRIORITY, 0, 1, 0},
    {"external-master", true, STRATEGY_SOURCE_PRIORITY, 0, 0, 1},
    {"manual-review", true, STRATEGY_MANUAL_REVIEW, 0, 0, 0},
    {"manual", true, STRATEGY_MANUAL_REVIEW, 0, 0, 0},
    {"field-merge", true, STRATEGY_FIELD_MERGE, COMBINE_REMOTE_FIRST, 0, 0},
    {"field-merge:remote-first", true, STRATEGY_FIELD_MERGE, COMBINE_REMOTE_FIRST, 0, 0},
    {"field-merge:local-first", true, STRATEGY_FIELD_MERGE, COMBINE_LOCAL_FIRST, 0, 0},
    {"field-merge:append", true, STRATEGY_FIELD_MERGE, COMBINE_APPEND, 0, 0},
    {"field-merge:union", true, STRATEGY_FIELD_MERGE, COMBINE_UNION, 0, 0},
    {"field-merge:min", true, STRATEGY_FIELD_MERGE, COMBINE_MIN, 0, 0},
    {"field-merge:max", true, STRATEGY_FIELD_MERGE, COMBINE_MAX, 0, 0},
    {"", false, 0, 0, 0, 0},
    {"newest", false, 0, 0, 0, 0},
    {"Last-Write-Wins", false, 0, 0, 0, 0},
    {"field-merge:", false, 0, 0, 0, 0},
    {"field-merge:average", false, 0, 0, 0, 0},
    {"field-merge:min:max", false, 0, 0, 0, 0},
    {"manual:union", false, 0, 0, 0, 0},
    {"last-write-wins:", false, 0, 0, 0, 0},
};

static void a_strategy_is_known_by_its_name(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(POLICY_ROWS); i++) {
        struct policy got = {.hub_priority = 7};
        bool is_known = policy_parse(str_of(POLICY_ROWS[i].text), &got);

        EXPECT(is_known == POLICY_ROWS[i].is_known, "'%s' known", POLICY_ROWS[i].text);
        if (!is_known) {
            EXPECT(got.hub_priority == 7, "'%s' leaves the answer alone", POLICY_ROWS[i].text);
            continue;
        }
        EXPECT(got.strategy == POLICY_ROWS[i].strategy && got.combine == POLICY_ROWS[i].combine &&
                   got.hub_priority == POLICY_ROWS[i].hub_priority &&
                   got.remote_priority == POLICY_ROWS[i].remote_priority,
               "'%s' read wrong", POLICY_ROWS[i].text);
        EXPECT(strstr(policy_names(), POLICY_ROWS[i].text) != NULL, "'%s' not offered",
               POLICY_ROWS[i].text);
    }
}

static void names_read_back(void **state)
{
    struct policy policy;

    (void)state;
    for (int i = STRATEGY_LAST_WRITE_WINS; i <= STRATEGY_MANUAL_REVIEW; i++) {
        EXPECT(policy_parse(str_of(strategy_name((enum strategy)i)), &policy) &&
                   policy.strategy == (enum strategy)i,
               "%s", strategy_name((enum strategy)i));
    }
    for (int i = COMBINE_REMOTE_FIRST; i <= COMBINE_MAX; i++) {
        char text[64];

        snprintf(text, sizeof text, "field-merge:%s", combine_name((enum combine)i));
        EXPECT(policy_parse(str_of(text), &policy) && policy.combine == (enum combine)i, "%s",
               text);
    }
}

static const struct {
    const char *why;
    int64_t floor;
    int percent;
    int64_t deletes, linked;
    bool stops;
} BRAKE_ROWS[] = {
    {"nothing deleted", 25, 5, 0, 1000, false},
    {"the floor is allowed", 25, 5, 25, 25, false},
    {"one past the floor of a small set", 25, 5, 26, 100, true},
    {"5 % of 1000 is 50", 25, 5, 50, 1000, false},
    {"51 of 1000", 25, 5, 51, 1000, true},
    {"all of a large set", 25, 5, 280000, 280000, true},
    {"a part of a percent does not round up", 0, 5, 6, 119, true},
    {"5.95 rounds down to 5", 0, 5, 5, 119, false},
    {"floor 0 stops the first one", 0, 0, 1, 1000000, true},
    {"100 % never stops", 0, 100, 1000000, 1000000, false},
    {"no links known", 25, 5, 26, 0, true},
    {"very large numbers", 25, 50, INT64_MAX / 4, INT64_MAX, false},
    {"very large deletes", 25, 5, INT64_MAX, INT64_MAX, true},
    {"negative links are none", 3, 5, 4, -100, true},
};

static void the_brake_stops_past_floor_and_percent(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(BRAKE_ROWS); i++) {
        struct brake_limits limits = {.deletes_floor = BRAKE_ROWS[i].floor,
                                      .deletes_percent = BRAKE_ROWS[i].percent};

        EXPECT(brake_stops_deletes(&limits, BRAKE_ROWS[i].deletes, BRAKE_ROWS[i].linked) ==
                   BRAKE_ROWS[i].stops,
               "%s", BRAKE_ROWS[i].why);
    }
}

static void updates_have_limits_of_their_own(void **state)
{
    struct brake_limits limits = {.updates_floor = 1000, .updates_percent = 30};

    (void)state;
    EXPECT(!brake_stops_updates(&limits, 1000, 1000), "the floor is allowed");
    EXPECT(brake_stops_updates(&limits, 1001, 1000), "one past the floor");
    EXPECT(!brake_stops_updates(&limits, 3000, 10000), "30 %% of 10000");
    EXPECT(brake_stops_updates(&limits, 3001, 10000), "more than 30 %%");
    EXPECT(brake_stops_deletes(&limits, 1, 10000), "deletes are counted by theirs");
}

static void an_empty_listing_is_believed_only_where_nothing_was_linked(void **state)
{
    (void)state;
    EXPECT(!brake_stops_empty(0, 10), "nothing listed, few linked");
    EXPECT(brake_stops_empty(0, 11), "nothing listed, more linked");
    EXPECT(!brake_stops_empty(0, 0), "a new account");
    EXPECT(!brake_stops_empty(1, 1000), "one listed");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_strategy_is_known_by_its_name),
        cmocka_unit_test(names_read_back),
        cmocka_unit_test(the_brake_stops_past_floor_and_percent),
        cmocka_unit_test(updates_have_limits_of_their_own),
        cmocka_unit_test(an_empty_listing_is_believed_only_where_nothing_was_linked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
