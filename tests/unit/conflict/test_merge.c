/* The merge of one field: tables for the rules, then properties over random questions. */
#include "tests/expect.h"

#include "conflict/combine.h"
#include "conflict/merge.h"
#include "core/random.h"
#include "tests/unit/conflict/merge_rows.h"

static const struct value NOTHING = {.state = VALUE_ABSENT};

/* '-' absent, '0' null, 'e' empty text, else a text of that letter. */
static struct value value_of(char letter)
{
    static const char LETTERS[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    const char *at = strchr(LETTERS, letter);

    if (letter == '0') {
        return VALUE_NONE;
    }
    if (letter == 'e') {
        return VALUE_OF(STR(""));
    }
    return at && letter ? VALUE_OF(((struct str){.at = at, .len = 1})) : NOTHING;
}

static char letter_of(const struct value *value)
{
    switch (value->state) {
    case VALUE_ABSENT:
        return '-';
    case VALUE_NULL:
        return '0';
    case VALUE_TEXT:
        return value->text.len ? value->text.at[0] : 'e';
    case VALUE_LIST:
        return 'L';
    }
    return '?';
}

/* What the CRM of these tests shows: capital letters become small ones, "" is no value. */
static struct value image_of(const struct value *value)
{
    char letter = letter_of(value);

    if (letter == 'e') {
        return VALUE_NONE;
    }
    return letter >= 'A' && letter <= 'Z' ? value_of((char)(letter - 'A' + 'a')) : *value;
}

static enum flow flow_of(const char *name)
{
    return strcmp(name, "both") == 0 ? FLOW_BOTH : strcmp(name, "in") == 0 ? FLOW_IN : FLOW_OUT;
}

static struct policy policy_of(const char *name)
{
    struct policy policy;

    EXPECT(policy_parse(str_of(name), &policy), "policy '%s'", name);
    return policy;
}

/* The values of a question by letters, so that a row fits a line. */
struct sides {
    struct value base_hub, base_remote, hub, remote, hub_image, base_hub_image;
};

static struct sides sides_of(const char *base, char hub, char remote)
{
    struct sides sides = {.base_hub = value_of(base[0]),
                          .base_remote = value_of(base[1]),
                          .hub = value_of(hub),
                          .remote = value_of(remote)};

    sides.hub_image = image_of(&sides.hub);
    sides.base_hub_image = image_of(&sides.base_hub);
    return sides;
}

static struct merge_question question_of(const struct sides *sides)
{
    return (struct merge_question){.base_hub = &sides->base_hub,
                                   .base_remote = &sides->base_remote,
                                   .hub = &sides->hub,
                                   .remote = &sides->remote,
                                   .hub_image = &sides->hub_image,
                                   .base_hub_image = &sides->base_hub_image,
                                   .hub_source = STR("local"),
                                   .remote_source = STR("crm")};
}

static void every_case_has_its_answer(void **state)
{
    AUTO_ARENA struct arena arena = {0};

    (void)state;
    assert_true(COUNT_OF(MERGE_ROWS) > 500);
    for (size_t i = 0; i < COUNT_OF(MERGE_ROWS); i++) {
        const struct merge_row *row = &MERGE_ROWS[i];
        struct sides sides = sides_of(row->base, row->hub[0], row->remote[0]);
        struct merge_question question = question_of(&sides);
        struct merge_answer got;

        question.flow = flow_of(row->flow);
        question.policy = policy_of(row->policy);
        got = merge_field(&question, &arena);
        EXPECT(strcmp(verdict_name(got.verdict), row->verdict) == 0 &&
                   letter_of(&got.hub) == row->hub_after[0] &&
                   letter_of(&got.base_hub) == row->base_after[0] &&
                   letter_of(&got.base_remote) == row->base_after[1] &&
                   got.wants_push == row->wants_push,
               "base %s hub %s remote %s %s %s: wanted %s hub %s base %s push %d, got %s hub %c "
               "base %c%c push %d",
               row->base, row->hub, row->remote, row->flow, row->policy, row->verdict,
               row->hub_after, row->base_after, row->wants_push, verdict_name(got.verdict),
               letter_of(&got.hub), letter_of(&got.base_hub), letter_of(&got.base_remote),
               got.wants_push);
        EXPECT(got.hub_changes == !value_equal(&got.hub, &sides.hub), "hub_changes of row %zu", i);
        EXPECT(got.rule && *got.rule, "rule of row %zu", i);
    }
}

static const struct {
    const char *why, *base;
    char hub, remote;
    bool keep_in, keep_out;
    enum verdict want;
    const char *base_after;
    bool wants_push;
} BLANK_ROWS[] = {
    {"cleared there travels", "xx", 'x', '0', false, false, MERGE_ADOPT, "00", false},
    {"cleared there is ignored", "xx", 'x', '0', true, false, MERGE_KEEP, "xx", false},
    {"cleared here travels", "xx", '0', 'x', false, false, MERGE_PUSH, "xx", true},
    {"cleared here is ignored", "xx", '0', 'x', false, true, MERGE_KEEP, "xx", false},
    {"cleared there, changed here: pushed back", "xx", 'y', '0', true, false, MERGE_PUSH, "xx",
     true},
    {"cleared here, changed there: adopted", "xx", '0', 'y', false, true, MERGE_ADOPT, "yy", false},
    {"empty text counts as blank", "xx", 'x', 'e', true, false, MERGE_KEEP, "xx", false},
    {"empty text here counts as blank", "xx", 'e', 'x', false, true, MERGE_KEEP, "xx", false},
    {"never agreed, blank there", "--", 'x', '0', true, true, MERGE_PUSH, "-0", true},
    {"never agreed, blank here", "--", '0', 'x', true, true, MERGE_ADOPT, "xx", false},
    {"never agreed, blank on both sides", "--", '-', '0', true, true, MERGE_AGREE, "-0", false},
    {"the ignored blank came back as it was", "xx", 'x', 'x', true, true, MERGE_KEEP, "xx", false},
};

static void a_blank_is_a_value_unless_it_is_kept(void **state)
{
    AUTO_ARENA struct arena arena = {0};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(BLANK_ROWS); i++) {
        struct sides sides = sides_of(BLANK_ROWS[i].base, BLANK_ROWS[i].hub, BLANK_ROWS[i].remote);
        struct merge_question question = question_of(&sides);
        struct merge_answer got;

        question.keep_on_blank_in = BLANK_ROWS[i].keep_in;
        question.keep_on_blank_out = BLANK_ROWS[i].keep_out;
        got = merge_field(&question, &arena);
        EXPECT(got.verdict == BLANK_ROWS[i].want && got.wants_push == BLANK_ROWS[i].wants_push &&
                   letter_of(&got.base_hub) == BLANK_ROWS[i].base_after[0] &&
                   letter_of(&got.base_remote) == BLANK_ROWS[i].base_after[1],
               "%s: got %s, base %c%c, push %d", BLANK_ROWS[i].why, verdict_name(got.verdict),
               letter_of(&got.base_hub), letter_of(&got.base_remote), got.wants_push);
    }
}

static const struct {
    const char *why, *base;
    char hub, remote;
    const char *attempts;
    enum verdict want;
    const char *rule, *base_after;
    bool wants_push;
} ECHO_ROWS[] = {
    {"our write came back", "xx", 'y', 'y', "y", MERGE_AGREE, "agree", "yy", false},
    {"our write came back reformatted", "xx", 'Y', 'y', "Y", MERGE_AGREE, "agree", "Yy", false},
    {"an older write of ours came back", "xx", 'z', 'y', "y", MERGE_PUSH, "echo", "yy", true},
    {"an older write, reformatted", "xx", 'z', 'y', "Y", MERGE_PUSH, "echo", "Yy", true},
    {"the second of two writes", "xx", 'z', 'w', "yw", MERGE_PUSH, "echo", "ww", true},
    {"a person's edit is no echo", "xx", 'z', 'w', "y", MERGE_CONFLICT, "manual-review", "xx",
     false},
    {"a base value only reformatted", "Xw", 'X', 'x', "", MERGE_AGREE, "agree", "Xx", false},
    {"a reformatted base, hub ahead", "Xw", 'z', 'x', "", MERGE_PUSH, "reformatted", "Xx", true},
    {"the base again, hub ahead", "xw", 'z', 'x', "", MERGE_PUSH, "reformatted", "xx", true},
    {"hub equal before base", "yx", 'z', 'z', "z", MERGE_AGREE, "agree", "zz", false},
    {"our write, taken back here since", "xx", 'x', 'y', "y", MERGE_PUSH, "echo", "yy", true},
};

static void image_tests_come_before_any_conflict(void **state)
{
    AUTO_ARENA struct arena arena = {0};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ECHO_ROWS); i++) {
        struct sides sides = sides_of(ECHO_ROWS[i].base, ECHO_ROWS[i].hub, ECHO_ROWS[i].remote);
        struct merge_question question = question_of(&sides);
        struct value attempts[4], images[4];
        struct merge_answer got;

        for (const char *at = ECHO_ROWS[i].attempts; *at; at++) {
            attempts[question.attempts_count] = value_of(*at);
            images[question.attempts_count] = image_of(&attempts[question.attempts_count]);
            question.attempts_count++;
        }
        question.attempts = attempts;
        question.attempt_images = images;
        question.policy = policy_of("manual");
        got = merge_field(&question, &arena);
        EXPECT(got.verdict == ECHO_ROWS[i].want && strcmp(got.rule, ECHO_ROWS[i].rule) == 0 &&
                   letter_of(&got.base_hub) == ECHO_ROWS[i].base_after[0] &&
                   letter_of(&got.base_remote) == ECHO_ROWS[i].base_after[1] &&
                   got.wants_push == ECHO_ROWS[i].wants_push && !got.hub_changes && !got.has_loser,
               "%s: got %s by '%s', base %c%c, push %d", ECHO_ROWS[i].why,
               verdict_name(got.verdict), got.rule, letter_of(&got.base_hub),
               letter_of(&got.base_remote), got.wants_push);
    }
}

static const struct {
    const char *why;
    int64_t hub_ms, remote_ms, uncertainty_ms;
    bool is_record_time;
    int hub_priority, remote_priority;
    const char *hub_source, *remote_source;
    char hub, remote;
    enum verdict want;
    const char *rule;
} TIME_ROWS[] = {
    {"hub later", 2000, 1000, 100, false, 0, 0, "a", "b", 'y', 'z', MERGE_HUB_WINS,
     "last-write-wins"},
    {"remote later", 1000, 2000, 100, false, 0, 0, "a", "b", 'y', 'z', MERGE_REMOTE_WINS,
     "last-write-wins"},
    {"remote later by the record", 1000, 2000, 100, true, 0, 0, "a", "b", 'y', 'z',
     MERGE_REMOTE_WINS, "last-write-wins (record time)"},
    {"just outside", 1101, 1000, 100, false, 0, 9, "a", "b", 'y', 'z', MERGE_HUB_WINS,
     "last-write-wins"},
    {"just inside: higher priority", 1100, 1000, 100, false, 0, 9, "a", "b", 'y', 'z',
     MERGE_REMOTE_WINS, "last-write-wins (tie)"},
    {"just inside, other way", 1000, 1100, 100, false, 9, 0, "b", "a", 'y', 'z', MERGE_HUB_WINS,
     "last-write-wins (tie)"},
    {"tie: first name", 1000, 1000, 0, false, 0, 0, "a", "b", 'y', 'z', MERGE_HUB_WINS,
     "last-write-wins (tie)"},
    {"tie: first name there", 1000, 1000, 0, false, 0, 0, "b", "a", 'y', 'z', MERGE_REMOTE_WINS,
     "last-write-wins (tie)"},
    {"tie: greater value", 1000, 1000, 0, false, 0, 0, "a", "a", 'y', 'z', MERGE_REMOTE_WINS,
     "last-write-wins (tie)"},
    {"tie: a value beats a blank", 1000, 1000, 0, false, 0, 0, "a", "a", 'y', '0', MERGE_HUB_WINS,
     "last-write-wins (tie)"},
    {"both times unknown are a tie", 0, 0, 100, false, 0, 0, "b", "a", 'y', 'z', MERGE_REMOTE_WINS,
     "last-write-wins (tie)"},
    {"unknown hub time loses", 0, 50, 100, false, 9, 0, "a", "b", 'y', 'z', MERGE_REMOTE_WINS,
     "last-write-wins"},
    {"unknown remote time loses", 50, 0, 100, false, 0, 9, "b", "a", 'y', 'z', MERGE_HUB_WINS,
     "last-write-wins"},
    {"unknown loses against a time before 1970", -5000, 0, 100, false, 0, 9, "b", "a", 'y', 'z',
     MERGE_HUB_WINS, "last-write-wins"},
    {"times at the ends of the range", INT64_MIN, INT64_MAX, 100, false, 0, 0, "a", "b", 'y', 'z',
     MERGE_REMOTE_WINS, "last-write-wins"},
};

static void times_decide_and_ties_do_not_depend_on_luck(void **state)
{
    AUTO_ARENA struct arena arena = {0};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(TIME_ROWS); i++) {
        struct sides sides = sides_of("xx", TIME_ROWS[i].hub, TIME_ROWS[i].remote);
        struct merge_question question = question_of(&sides);
        struct merge_answer got;

        question.hub_changed_ms = TIME_ROWS[i].hub_ms;
        question.remote_changed_ms = TIME_ROWS[i].remote_ms;
        question.uncertainty_ms = TIME_ROWS[i].uncertainty_ms;
        question.remote_time_is_record = TIME_ROWS[i].is_record_time;
        question.policy.hub_priority = TIME_ROWS[i].hub_priority;
        question.policy.remote_priority = TIME_ROWS[i].remote_priority;
        question.hub_source = str_of(TIME_ROWS[i].hub_source);
        question.remote_source = str_of(TIME_ROWS[i].remote_source);
        got = merge_field(&question, &arena);
        EXPECT(got.verdict == TIME_ROWS[i].want && strcmp(got.rule, TIME_ROWS[i].rule) == 0,
               "%s: got %s by '%s'", TIME_ROWS[i].why, verdict_name(got.verdict), got.rule);
        EXPECT(
            got.has_loser &&
                value_equal(&got.loser, got.verdict == MERGE_HUB_WINS ? &sides.remote : &sides.hub),
            "%s: the loser is kept", TIME_ROWS[i].why);
    }
}

/* The hub won, and before that was written it went back to what it was: the CRM still shows what lost. */
static void going_back_after_a_win_still_travels(void **state)
{
    AUTO_ARENA struct arena arena = {0};
    struct sides sides = sides_of("xx", 'y', 'z'), back;
    struct merge_question question = question_of(&sides);
    struct merge_answer won, got;

    (void)state;
    question.policy = policy_of("local-master");
    won = merge_field(&question, &arena);
    back = sides_of("--", 'x', 'z');
    back.base_hub = won.base_hub;
    back.base_remote = won.base_remote;
    question = question_of(&back);
    got = merge_field(&question, &arena);

    EXPECT(won.verdict == MERGE_HUB_WINS && won.wants_push, "%s", verdict_name(won.verdict));
    EXPECT(got.verdict == MERGE_PUSH && got.wants_push && letter_of(&got.hub) == 'x', "%s, push %d",
           verdict_name(got.verdict), got.wants_push);
}

static void equal_priorities_fall_back_to_times_and_say_so(void **state)
{
    AUTO_ARENA struct arena arena = {0};
    struct sides sides = sides_of("xx", 'y', 'z');
    struct merge_question question = question_of(&sides);
    struct merge_answer got;

    (void)state;
    question.policy = policy_of("source-priority");
    question.hub_changed_ms = 9000;
    question.remote_changed_ms = 1000;
    got = merge_field(&question, &arena);
    EXPECT(got.verdict == MERGE_HUB_WINS &&
               strcmp(got.rule, "source-priority (equal, newest)") == 0,
           "got %s by %s", verdict_name(got.verdict), got.rule);
    question.hub_changed_ms = 1000;
    got = merge_field(&question, &arena);
    EXPECT(strcmp(got.rule, "source-priority (equal, tie)") == 0, "got '%s'", got.rule);
}

/* --- field-merge ---------------------------------------------------------------------------------------------------------- */

/* "[a,b]" is a list, "" is null, anything else a text. */
static struct value parse(struct arena *arena, const char *text)
{
    struct str rest = str_of(text);
    struct str *items;
    size_t count = 0;

    if (rest.len == 0) {
        return VALUE_NONE;
    }
    if (text[0] != '[') {
        return VALUE_OF(rest);
    }
    rest = str_slice(rest, 1, rest.len - 1);
    items = ARENA_ARRAY(arena, struct str, rest.len + 1);
    while (rest.at && rest.len) {
        items[count++] = str_cut(&rest, ',');
    }
    return (struct value){.state = VALUE_LIST, .items = items, .items_count = count};
}

static const struct {
    const char *rule, *hub, *remote, *want;
    enum value_order order;
} COMBINE_ROWS[] = {
    {"remote-first", "h", "r", "r", ORDER_TEXT},
    {"remote-first", "h", "", "h", ORDER_TEXT},
    {"remote-first", "", "r", "r", ORDER_TEXT},
    {"local-first", "h", "r", "h", ORDER_TEXT},
    {"local-first", "", "r", "r", ORDER_TEXT},
    {"local-first", "h", "", "h", ORDER_TEXT},
    {"append", "one", "two", "one\ntwo", ORDER_TEXT},
    {"append", "one\ntwo", "two", "one\ntwo", ORDER_TEXT},
    {"append", "one\ntwo", "one", "one\ntwo", ORDER_TEXT},
    {"append", "two", "one\ntwo\nthree", "one\ntwo\nthree", ORDER_TEXT},
    {"append", "one\ntwo\nthree", "two\nthree", "one\ntwo\nthree", ORDER_TEXT},
    {"append", "nothing", "thing", "nothing\nthing", ORDER_TEXT},
    {"append", "thing", "things", "thing\nthings", ORDER_TEXT},
    {"append", "one\nthree", "one\ntwo", "one\nthree\none\ntwo", ORDER_TEXT},
    {"append", "one", "", "one", ORDER_TEXT},
    {"append", "[a,c]", "[b]", "[a,b,c]", ORDER_TEXT},
    {"union", "[a,c]", "[b,c]", "[a,b,c]", ORDER_TEXT},
    {"union", "[a]", "[a,b]", "[a,b]", ORDER_TEXT},
    {"union", "[]", "[b]", "[b]", ORDER_TEXT},
    {"union", "[a]", "", "[a]", ORDER_TEXT},
    {"union", "[b]", "a", "[a,b]", ORDER_TEXT},
    {"union", "[b]", "b", "[b]", ORDER_TEXT},
    {"union", "b;a", "c;a", "a;b;c", ORDER_TEXT},
    {"union", "b;a", "a", "b;a", ORDER_TEXT},
    {"union", "a", " a ; b", " a ; b", ORDER_TEXT},
    {"union", "x", "y", "x;y", ORDER_TEXT},
    {"min", "9", "10", "9", ORDER_NUMBER},
    {"max", "9", "10", "10", ORDER_NUMBER},
    {"min", "-9", "-10", "-10", ORDER_NUMBER},
    {"max", "-9", "-10", "-9", ORDER_NUMBER},
    {"max", "0.5", "0.25", "0.5", ORDER_NUMBER},
    {"min", "0.5", "0.25", "0.25", ORDER_NUMBER},
    {"max", "100000000000000000000", "99999999999999999999", "100000000000000000000", ORDER_NUMBER},
    {"min", "9", "10", "10", ORDER_TEXT},
    {"max", "2026-01-31", "2026-02-01", "2026-02-01", ORDER_TEXT},
    {"min", "2026-01-31", "2026-02-01", "2026-01-31", ORDER_TEXT},
    {"min", "5", "", "5", ORDER_NUMBER},
    {"max", "", "5", "5", ORDER_NUMBER},
    {"min", "", "-5", "-5", ORDER_NUMBER},
    {"max", "abc", "12", "abc", ORDER_NUMBER},
};

static void field_merge_combines_by_rule(void **state)
{
    AUTO_ARENA struct arena arena = {0};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(COMBINE_ROWS); i++) {
        struct value hub = parse(&arena, COMBINE_ROWS[i].hub);
        struct value remote = parse(&arena, COMBINE_ROWS[i].remote);
        struct value want = parse(&arena, COMBINE_ROWS[i].want);
        struct value base = VALUE_OF(STR("the base"));
        struct merge_question question = {.base_hub = &base,
                                          .base_remote = &base,
                                          .hub = &hub,
                                          .remote = &remote,
                                          .order = COMBINE_ROWS[i].order};
        char rule[64];
        struct merge_answer got;

        snprintf(rule, sizeof rule, "field-merge:%s", COMBINE_ROWS[i].rule);
        question.policy = policy_of(rule);
        got = merge_field(&question, &arena);
        EXPECT(value_equal(&got.hub, &want), "row %zu: %s of '%s' and '%s'", i,
               COMBINE_ROWS[i].rule, COMBINE_ROWS[i].hub, COMBINE_ROWS[i].remote);
        EXPECT(got.wants_push == !value_equal(&want, &remote), "row %zu: push", i);
        EXPECT(got.hub_changes == !value_equal(&want, &hub), "row %zu: hub_changes", i);
    }
}

static void a_combined_value_that_is_the_old_base_still_travels(void **state)
{
    AUTO_ARENA struct arena arena = {0};
    struct value base = parse(&arena, "[a,b]"), hub = parse(&arena, "[a]");
    struct value remote = parse(&arena, "[b]");
    struct merge_question question = {
        .base_hub = &base,
        .base_remote = &base,
        .hub = &hub,
        .remote = &remote,
        .policy = {.strategy = STRATEGY_FIELD_MERGE, .combine = COMBINE_UNION}};
    struct merge_answer got = merge_field(&question, &arena);

    (void)state;
    EXPECT(got.verdict == MERGE_COMBINED && value_equal(&got.hub, &base), "the union is the base");
    EXPECT(got.wants_push, "the remote lacks an item, so it is pushed");
}

/* --- properties ----------------------------------------------------------------------------------------------------------- */

enum { QUESTIONS = 200000, SEED = 20261121 };

static struct value random_value(struct random *random, struct arena *arena)
{
    static const char *const TEXTS[] = {"a", "b", "B", "a;b", "b;c", "10", "9", "-1", "a\nb"};
    static const struct str ITEMS[] = {{"a", 1}, {"b", 1}, {"c", 1}, {"d", 1}};
    uint64_t pick = random_below(random, 16);
    struct str *items;
    size_t count = 0;

    if (pick < 2) {
        return NOTHING;
    }
    if (pick < 4) {
        return VALUE_NONE;
    }
    if (pick < 5) {
        return VALUE_OF(STR(""));
    }
    if (pick < 13) {
        return VALUE_OF(str_of(TEXTS[random_below(random, COUNT_OF(TEXTS))]));
    }
    items = ARENA_ARRAY(arena, struct str, COUNT_OF(ITEMS));
    for (size_t i = 0; i < COUNT_OF(ITEMS); i++) {
        if (random_chance(random, 400000)) {
            items[count++] = ITEMS[i];
        }
    }
    return (struct value){.state = VALUE_LIST, .items = items, .items_count = count};
}

static struct policy random_policy(struct random *random)
{
    return (struct policy){.strategy = (enum strategy)random_below(random, 4),
                           .combine = (enum combine)random_below(random, 6),
                           .hub_priority = (int)random_below(random, 3),
                           .remote_priority = (int)random_below(random, 3)};
}

/* The image of this test's CRM: "" is no value, "B" is shown as "b". */
static struct value shown(const struct value *value)
{
    if (value->state == VALUE_TEXT && value->text.len == 0) {
        return VALUE_NONE;
    }
    return value->state == VALUE_TEXT && str_equal(value->text, STR("B")) ? VALUE_OF(STR("b"))
                                                                          : *value;
}

struct asked {
    struct value base_hub, base_remote, hub, remote, hub_image, base_hub_image, attempt,
        attempt_image;
    struct merge_question question;
};

static void connect(struct asked *asked)
{
    asked->hub_image = shown(&asked->hub);
    asked->base_hub_image = shown(&asked->base_hub);
    asked->question.base_hub = &asked->base_hub;
    asked->question.base_remote = &asked->base_remote;
    asked->question.hub = &asked->hub;
    asked->question.remote = &asked->remote;
    asked->question.hub_image = &asked->hub_image;
    asked->question.base_hub_image = &asked->base_hub_image;
}

static void ask_random(struct asked *asked, struct random *random, struct arena *arena)
{
    *asked = (struct asked){.base_hub = random_value(random, arena),
                            .base_remote = random_value(random, arena),
                            .hub = random_value(random, arena),
                            .remote = random_value(random, arena),
                            .attempt = random_value(random, arena)};
    asked->attempt_image = shown(&asked->attempt);
    asked->question =
        (struct merge_question){.attempts = &asked->attempt,
                                .attempt_images = &asked->attempt_image,
                                .attempts_count = random_below(random, 4) == 0,
                                .flow = (enum flow)random_below(random, 3),
                                .keep_on_blank_in = random_below(random, 3) == 0,
                                .keep_on_blank_out = random_below(random, 3) == 0,
                                .order = (enum value_order)random_below(random, 2),
                                .policy = random_policy(random),
                                .hub_changed_ms = (int64_t)random_below(random, 6) * 1000,
                                .remote_changed_ms = (int64_t)random_below(random, 6) * 1000,
                                .uncertainty_ms = (int64_t)random_below(random, 2) * 1000,
                                .hub_source = random_below(random, 2) ? STR("a") : STR("b"),
                                .remote_source = random_below(random, 2) ? STR("a") : STR("b")};
    connect(asked);
}

static void expect_sound(const struct asked *asked, const struct merge_answer *got, int round)
{
    const struct merge_question *q = &asked->question;

    EXPECT(got->hub_changes == !value_equal(&got->hub, q->hub), "seed %d round %d: hub_changes",
           SEED, round);
    EXPECT(!got->wants_push || q->flow != FLOW_IN, "seed %d round %d: push on an inward field",
           SEED, round);
    EXPECT(!got->hub_changes || q->flow != FLOW_OUT, "seed %d round %d: hub moved by outward flow",
           SEED, round);
    EXPECT(!got->wants_push || got->hub.state != VALUE_ABSENT, "seed %d round %d: nothing to push",
           SEED, round);
    EXPECT(got->verdict != MERGE_PUSH || got->wants_push, "seed %d round %d: push without a wish",
           SEED, round);
    EXPECT(got->verdict != MERGE_CONFLICT || (!got->wants_push && !got->hub_changes),
           "seed %d round %d: a conflict is frozen", SEED, round);
    /* A value that a person typed on one side is the hub's afterwards, or kept as the loser. */
    EXPECT(!got->hub_changes || value_is_blank(q->hub) || got->has_loser ||
               got->verdict == MERGE_ADOPT,
           "seed %d round %d: the hub's value vanished", SEED, round);
}

static void asking_again_changes_nothing(void **state)
{
    struct random *random = random_new_seeded(SEED);
    struct arena arena = {0};

    (void)state;
    for (int round = 0; round < QUESTIONS; round++) {
        struct asked asked;
        struct merge_answer first, again;

        arena_reset(&arena);
        ask_random(&asked, random, &arena);
        first = merge_field(&asked.question, &arena);
        again = merge_field(&asked.question, &arena);
        EXPECT(first.verdict == again.verdict && value_equal(&first.hub, &again.hub),
               "seed %d round %d: not deterministic", SEED, round);
        expect_sound(&asked, &first, round);
        if (first.verdict == MERGE_CONFLICT) {
            continue;
        }
        asked.hub = first.hub;
        asked.base_hub = first.base_hub;
        asked.base_remote = first.base_remote;
        connect(&asked);
        again = merge_field(&asked.question, &arena);
        EXPECT((again.verdict == MERGE_KEEP || again.verdict == MERGE_PUSH) && !again.hub_changes &&
                   again.wants_push == first.wants_push &&
                   value_equal(&again.base_hub, &first.base_hub) &&
                   value_equal(&again.base_remote, &first.base_remote),
               "seed %d round %d: first %s by '%s' push %d, then %s by '%s' push %d", SEED, round,
               verdict_name(first.verdict), first.rule, first.wants_push,
               verdict_name(again.verdict), again.rule, again.wants_push);
    }
    arena_fini(&arena);
    random_free(random);
}

static const struct value *winner(const struct asked *asked, const struct merge_answer *answer)
{
    return answer->verdict == MERGE_HUB_WINS ? &asked->hub : &asked->remote;
}

static void the_winner_does_not_depend_on_who_is_asked(void **state)
{
    struct random *random = random_new_seeded(SEED + 1);
    struct arena arena = {0};
    int compared = 0;

    (void)state;
    for (int round = 0; round < QUESTIONS; round++) {
        struct asked here, there;
        struct merge_answer x, y;

        arena_reset(&arena);
        ask_random(&here, random, &arena);
        here.base_hub = here.base_remote = VALUE_OF(STR("the base"));
        here.question.policy.strategy = (enum strategy)random_below(random, 2);
        here.question.flow = FLOW_BOTH;
        here.question.keep_on_blank_in = here.question.keep_on_blank_out = false;
        here.question.attempts_count = 0;
        connect(&here);
        there = here;
        there.hub = here.remote;
        there.remote = here.hub;
        there.question.hub_changed_ms = here.question.remote_changed_ms;
        there.question.remote_changed_ms = here.question.hub_changed_ms;
        there.question.hub_source = here.question.remote_source;
        there.question.remote_source = here.question.hub_source;
        there.question.policy.hub_priority = here.question.policy.remote_priority;
        there.question.policy.remote_priority = here.question.policy.hub_priority;
        connect(&there);
        x = merge_field(&here.question, &arena);
        y = merge_field(&there.question, &arena);
        if ((x.verdict != MERGE_HUB_WINS && x.verdict != MERGE_REMOTE_WINS) ||
            (y.verdict != MERGE_HUB_WINS && y.verdict != MERGE_REMOTE_WINS)) {
            continue;
        }
        compared++;
        EXPECT(value_equal(winner(&here, &x), winner(&there, &y)), "seed %d round %d: %s and %s",
               SEED + 1, round, x.rule, y.rule);
    }
    EXPECT(compared > QUESTIONS / 4, "only %d were compared", compared);
    arena_fini(&arena);
    random_free(random);
}

/* --- convergence: two CRMs through one hub --------------------------------------------------------------------------------- */

enum { LINKS = 3, HISTORIES = 20000, ROUNDS_MAX = 8 };

struct model {
    struct value hub, remote[LINKS], base_hub[LINKS], base_remote[LINKS];
    int64_t hub_ms, remote_ms[LINKS];
    struct str hub_source;
    struct policy policy;
};

static const char *const LINK_NAMES[LINKS] = {"one", "three", "two"};

/* One pass of one link: merge what it shows, then write what is wanted and read it back. True when anything moved. */
static bool step(struct model *m, size_t link, struct arena *arena)
{
    struct asked asked = {.base_hub = m->base_hub[link],
                          .base_remote = m->base_remote[link],
                          .hub = m->hub,
                          .remote = m->remote[link]};
    struct merge_answer got;

    asked.question = (struct merge_question){.policy = m->policy,
                                             .hub_changed_ms = m->hub_ms,
                                             .remote_changed_ms = m->remote_ms[link],
                                             .hub_source = m->hub_source,
                                             .remote_source = str_of(LINK_NAMES[link])};
    connect(&asked);
    got = merge_field(&asked.question, arena);
    m->hub = got.hub;
    m->base_hub[link] = got.base_hub;
    m->base_remote[link] = got.base_remote;
    if (got.hub_changes) {
        m->hub_ms = m->remote_ms[link];
        m->hub_source = str_of(LINK_NAMES[link]);
    }
    if (got.wants_push) {
        m->remote[link] = shown(&m->hub);
        m->base_hub[link] = m->hub;
        m->base_remote[link] = m->remote[link];
    }
    return got.hub_changes || got.wants_push;
}

static void edit(struct model *m, struct random *random, struct arena *arena, int64_t now_ms)
{
    size_t where = random_below(random, LINKS + 1);
    struct value value = random_value(random, arena);

    if (value.state == VALUE_ABSENT) {
        value = VALUE_NONE;
    }
    if (where == LINKS) {
        m->hub = value;
        m->hub_ms = now_ms;
        m->hub_source = STR("local");
    } else {
        m->remote[where] = shown(&value);
        m->remote_ms[where] = now_ms;
    }
}

static int settle(struct model *m, struct arena *arena)
{
    for (int round = 1; round <= ROUNDS_MAX; round++) {
        bool moved = false;

        for (size_t link = 0; link < LINKS; link++) {
            moved = step(m, link, arena) || moved;
        }
        if (!moved) {
            return round;
        }
    }
    return ROUNDS_MAX + 1;
}

static void three_links_through_one_hub_settle(void **state)
{
    struct random *random = random_new_seeded(SEED + 2);
    struct arena arena = {0};

    (void)state;
    for (int history = 0; history < HISTORIES; history++) {
        struct model m = {.hub_source = STR("local"), .policy = random_policy(random)};
        int64_t now_ms = 1000;

        arena_reset(&arena);
        m.policy.strategy = (enum strategy)random_below(random, 3); /* manual waits for a person */
        for (size_t link = 0; link < LINKS; link++) {
            m.remote[link] = VALUE_NONE;
        }
        for (int edits = (int)random_below(random, 12); edits > 0; edits--) {
            edit(&m, random, &arena, now_ms += (int64_t)random_below(random, 3) * 1000);
            if (random_below(random, 2)) {
                step(&m, random_below(random, LINKS), &arena);
            }
        }
        EXPECT(settle(&m, &arena) <= ROUNDS_MAX, "seed %d history %d (%s, %s) does not settle",
               SEED + 2, history, strategy_name(m.policy.strategy), combine_name(m.policy.combine));
        for (size_t link = 0; link < LINKS; link++) {
            struct value image = shown(&m.hub);

            EXPECT(value_equal(&m.remote[link], &image) ||
                       (value_is_blank(&m.remote[link]) && value_is_blank(&m.hub)),
                   "seed %d history %d (%s, %s): link %zu differs", SEED + 2, history,
                   strategy_name(m.policy.strategy), combine_name(m.policy.combine), link);
        }
    }
    arena_fini(&arena);
    random_free(random);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_case_has_its_answer),
        cmocka_unit_test(a_blank_is_a_value_unless_it_is_kept),
        cmocka_unit_test(image_tests_come_before_any_conflict),
        cmocka_unit_test(times_decide_and_ties_do_not_depend_on_luck),
        cmocka_unit_test(going_back_after_a_win_still_travels),
        cmocka_unit_test(equal_priorities_fall_back_to_times_and_say_so),
        cmocka_unit_test(field_merge_combines_by_rule),
        cmocka_unit_test(a_combined_value_that_is_the_old_base_still_travels),
        cmocka_unit_test(asking_again_changes_nothing),
        cmocka_unit_test(the_winner_does_not_depend_on_who_is_asked),
        cmocka_unit_test(three_links_through_one_hub_settle),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
