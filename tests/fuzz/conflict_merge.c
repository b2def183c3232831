/* The merge of a field: deterministic, nothing lost, and at rest once both sides have what it says. */
#include "tests/fuzz/fuzz.h"

#include "conflict/merge.h"

static struct str items[2] = {{.at = "a", .len = 1}, {.at = "b", .len = 1}};

static struct value take_value(struct str *input, struct arena *arena)
{
    static const char *const TEXTS[] = {"", "x", "y", "10", "9", "-2.5", "x\ny"};
    unsigned choice = take_byte(input);

    switch (choice % 10) {
    case 0:
        return (struct value){0};
    case 1:
        return VALUE_NONE;
    case 2:
        return (struct value){
            .state = VALUE_LIST, .items = items + choice / 10 % 2, .items_count = 1};
    case 3:
        return (struct value){.state = VALUE_LIST, .items = items, .items_count = choice / 10 % 3};
    case 4:
        return VALUE_OF(arena_printf(arena, "%u", take_byte(input)));
    default:
        return VALUE_OF(str_of(TEXTS[choice / 10 % COUNT_OF(TEXTS)]));
    }
}

/* Numbers compare as numbers where values are numbers: the mapper gives no others then. */
static struct policy take_policy(struct str *input)
{
    return (struct policy){.strategy = take_byte(input) % (STRATEGY_MANUAL_REVIEW + 1),
                           .combine = take_byte(input) % (COMBINE_MAX + 1),
                           .hub_priority = (int)(take_byte(input) % 3),
                           .remote_priority = (int)(take_byte(input) % 3)};
}

static bool is_same(const struct merge_answer *x, const struct merge_answer *y)
{
    return x->verdict == y->verdict && value_equal(&x->hub, &y->hub) &&
           value_equal(&x->base_hub, &y->base_hub) &&
           value_equal(&x->base_remote, &y->base_remote) && x->hub_changes == y->hub_changes &&
           x->wants_push == y->wants_push && x->has_loser == y->has_loser &&
           strcmp(x->rule, y->rule) == 0;
}

/* A value of either side that is new is afterwards in the hub, or named as the loser, or waits for a person, or never was to travel. */
static void nothing_is_lost(const struct merge_question *q, const struct merge_answer *a)
{
    bool hub_moved = !value_equal(q->hub, q->base_hub);
    bool hub_stays = value_equal(&a->hub, q->hub);

    if (hub_moved && !hub_stays) {
        MUST_HOLD(a->has_loser || a->verdict == MERGE_COMBINED || a->verdict == MERGE_AGREE ||
                      value_is_blank(q->hub) || q->flow == FLOW_IN || a->verdict == MERGE_ADOPT,
                  "%s overwrote the hub's edit without a word", a->rule);
    }
    if (a->verdict == MERGE_HUB_WINS || a->verdict == MERGE_REMOTE_WINS ||
        a->verdict == MERGE_COMBINED) {
        const struct value *lost = a->verdict == MERGE_REMOTE_WINS ? q->hub : q->remote;

        MUST_HOLD(a->has_loser == (lost->state != VALUE_ABSENT), "%s has no loser", a->rule);
        MUST_HOLD(!a->has_loser || value_equal(&a->loser, lost), "%s names another loser", a->rule);
    }
    if (a->verdict == MERGE_CONFLICT) {
        MUST_HOLD(hub_stays, "a conflict changed the hub");
    }
}

static void holds(const struct merge_question *q, const struct merge_answer *a)
{
    bool hub_moved = !value_equal(q->hub, q->base_hub);
    bool remote_moved = !value_equal(q->remote, q->base_remote);

    MUST_HOLD(a->hub_changes == !value_equal(&a->hub, q->hub), "%s: hub_changes", a->rule);
    MUST_HOLD(q->flow != FLOW_OUT || !a->hub_changes, "%s: inward against the flow", a->rule);
    MUST_HOLD(q->flow != FLOW_IN || !a->wants_push, "%s: outward against the flow", a->rule);
    if (q->remote->state == VALUE_ABSENT) {
        MUST_HOLD(!a->hub_changes && !a->has_loser, "%s: no observation changed something",
                  a->rule);
    }
    if (!hub_moved && !remote_moved) {
        MUST_HOLD(!a->hub_changes && !a->wants_push && a->verdict == MERGE_KEEP, "%s: nobody moved",
                  a->rule);
    }
    nothing_is_lost(q, a);
}

/* The remote side has taken what was pushed: nothing is left to do. */
static void comes_to_rest(const struct merge_question *q, const struct merge_answer *a,
                          struct arena *arena)
{
    struct merge_question next = *q;
    struct merge_answer then;

    if (a->verdict == MERGE_CONFLICT || q->remote->state == VALUE_ABSENT) {
        return;
    }
    next.hub = &a->hub;
    next.base_hub = a->wants_push ? &a->hub : &a->base_hub;
    next.remote = a->wants_push ? &a->hub : q->remote;
    next.base_remote = a->wants_push ? &a->hub : &a->base_remote;
    next.hub_image = next.hub;
    next.base_hub_image = next.base_hub;
    next.attempts_count = 0;
    then = merge_field(&next, arena);
    MUST_HOLD(!then.hub_changes && !then.has_loser, "%s, then %s: it goes on", a->rule, then.rule);
}

void fuzz_one(struct str input)
{
    AUTO_ARENA struct arena arena = {0};
    struct value base_hub = take_value(&input, &arena), base_remote = take_value(&input, &arena),
                 hub = take_value(&input, &arena), remote = take_value(&input, &arena);
    unsigned choice = take_byte(&input);
    struct merge_question question = {.base_hub = &base_hub,
                                      .base_remote = &base_remote,
                                      .hub = &hub,
                                      .remote = &remote,
                                      .hub_image = &hub,
                                      .base_hub_image = &base_hub,
                                      .attempts = &hub,
                                      .attempt_images = &hub,
                                      .flow = choice % 3,
                                      .keep_on_blank_in = choice & 4,
                                      .keep_on_blank_out = choice & 8,
                                      .order = choice & 16 ? ORDER_NUMBER : ORDER_TEXT,
                                      .policy = take_policy(&input),
                                      .hub_changed_ms = take_byte(&input),
                                      .remote_changed_ms = take_byte(&input),
                                      .uncertainty_ms = take_byte(&input) % 8,
                                      .hub_source = STR("local"),
                                      .remote_source = STR("crm")};
    struct merge_answer answer = merge_field(&question, &arena),
                        again = merge_field(&question, &arena);

    MUST_HOLD(is_same(&answer, &again), "another answer");
    holds(&question, &answer);
    comes_to_rest(&question, &answer, &arena);
}
