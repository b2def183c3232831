#include "conflict/merge.h"

#include <stdint.h>
#include <stdlib.h>

#include "core/decimal.h"

/* Nobody changes anything. */
static struct merge_answer keep(const struct merge_question *q)
{
    return (struct merge_answer){.verdict = MERGE_KEEP,
                                 .hub = *q->hub,
                                 .base_hub = *q->base_hub,
                                 .base_remote = *q->base_remote,
                                 .rule = "keep"};
}

static bool may_push(const struct merge_question *q, const struct value *hub,
                     const struct value *base_hub)
{
    if (q->flow == FLOW_IN || value_equal(hub, base_hub) || hub->state == VALUE_ABSENT) {
        return false;
    }
    if (value_is_blank(hub) && (value_is_blank(base_hub) || q->keep_on_blank_out)) {
        return false;
    }
    return true;
}

static struct merge_answer finish(const struct merge_question *q, struct merge_answer answer)
{
    answer.hub_changes = !value_equal(&answer.hub, q->hub);
    if (answer.verdict != MERGE_CONFLICT) {
        answer.wants_push = may_push(q, &answer.hub, &answer.base_hub);
    }
    return answer;
}

/* Hub takes the remote value; both halves agree on it. */
static struct merge_answer take_remote(const struct merge_question *q, enum verdict verdict,
                                       const char *rule)
{
    return finish(q, (struct merge_answer){.verdict = verdict,
                                           .hub = *q->remote,
                                           .base_hub = *q->remote,
                                           .base_remote = *q->remote,
                                           .rule = rule});
}

/* The remote value is acknowledged, the hub's stays moved and is pushed. */
static struct merge_answer hold_hub(const struct merge_question *q, enum verdict verdict,
                                    const char *rule)
{
    struct merge_answer answer = {.verdict = verdict,
                                  .hub = *q->hub,
                                  .base_hub = *q->base_hub,
                                  .base_remote = *q->remote,
                                  .rule = rule};

    /* A base that already holds the hub's value would hide that it still has to travel. */
    if (value_equal(&answer.base_hub, q->hub)) {
        answer.base_hub = *q->remote;
    }
    return finish(q, answer);
}

static struct merge_answer agree(const struct merge_question *q, struct value base_hub,
                                 const char *rule)
{
    return finish(q, (struct merge_answer){.verdict = MERGE_AGREE,
                                           .hub = *q->hub,
                                           .base_hub = base_hub,
                                           .base_remote = *q->remote,
                                           .rule = rule});
}

static struct merge_answer remote_wins(const struct merge_question *q, const char *rule)
{
    struct merge_answer answer = take_remote(q, MERGE_REMOTE_WINS, rule);

    answer.has_loser = true;
    answer.loser = *q->hub;
    return answer;
}

static struct merge_answer hub_wins(const struct merge_question *q, const char *rule)
{
    struct merge_answer answer = hold_hub(q, MERGE_HUB_WINS, rule);

    answer.has_loser = true;
    answer.loser = *q->remote;
    return answer;
}

/* A fixed order of values, the same whoever asks. */
static int value_order(const struct value *x, const struct value *y)
{
    if (x->state != y->state) {
        return x->state < y->state ? -1 : 1;
    }
    if (x->state == VALUE_TEXT) {
        return str_compare(x->text, y->text);
    }
    for (size_t i = 0; i < x->items_count && i < y->items_count; i++) {
        int order = str_compare(x->items[i], y->items[i]);

        if (order) {
            return order;
        }
    }
    return (x->items_count > y->items_count) - (x->items_count < y->items_count);
}

static bool tie_goes_to_remote(const struct merge_question *q)
{
    int by_source;

    if (q->policy.hub_priority != q->policy.remote_priority) {
        return q->policy.remote_priority > q->policy.hub_priority;
    }
    by_source = str_compare(q->hub_source, q->remote_source);
    return by_source ? by_source > 0 : value_order(q->hub, q->remote) > 0;
}

static struct merge_answer last_write(const struct merge_question *q)
{
    int64_t difference = q->remote_changed_ms - q->hub_changed_ms;
    const char *rule =
        q->remote_time_is_record ? "last-write-wins (record time)" : "last-write-wins";

    if (difference > q->uncertainty_ms) {
        return remote_wins(q, rule);
    }
    if (difference < -q->uncertainty_ms) {
        return hub_wins(q, rule);
    }
    return tie_goes_to_remote(q) ? remote_wins(q, "last-write-wins (tie)")
                                 : hub_wins(q, "last-write-wins (tie)");
}

static struct merge_answer combined(const struct merge_question *q, struct value value,
                                    const char *rule)
{
    struct merge_answer answer = {.verdict = MERGE_COMBINED,
                                  .hub = value,
                                  .base_remote = *q->remote,
                                  .rule = rule,
                                  .has_loser = true,
                                  .loser = *q->remote};

    if (value_equal(&value, q->remote)) {
        return remote_wins(q, rule);
    }
    if (value_equal(&value, q->hub)) {
        return hub_wins(q, rule);
    }
    answer.base_hub = *q->remote;
    return finish(q, answer);
}

/* --- field-merge -------------------------------------------------------------------------------------------------------------- */

static struct merge_answer append(const struct merge_question *q, struct arena *arena)
{
    struct str hub = q->hub->text, remote = q->remote->text;

    if (q->hub->state != VALUE_TEXT || q->remote->state != VALUE_TEXT || hub.len == 0) {
        return remote_wins(q, "field-merge: append");
    }
    if (str_contains(hub, remote)) {
        return hub_wins(q, "field-merge: append");
    }
    if (str_contains(remote, hub)) {
        return remote_wins(q, "field-merge: append");
    }
    return combined(
        q, VALUE_OF(arena_printf(arena, "%" PRI_STR "\n%" PRI_STR, STR_ARG(hub), STR_ARG(remote))),
        "field-merge: append");
}

static size_t add_items(struct str *items, size_t count, const struct value *value)
{
    size_t more = value->state == VALUE_LIST ? value->items_count : 1;

    for (size_t i = 0; i < more; i++) {
        struct str item = value->state == VALUE_LIST ? value->items[i] : value->text;
        size_t at = 0;

        while (at < count && str_compare(items[at], item) < 0) {
            at++;
        }
        if (at < count && str_equal(items[at], item)) {
            continue;
        }
        memmove(items + at + 1, items + at, (count - at) * sizeof *items);
        items[at] = item;
        count++;
    }
    return count;
}

static struct merge_answer unite(const struct merge_question *q, struct arena *arena)
{
    struct value value = {.state = VALUE_LIST};
    struct str *items;

    if (value_is_blank(q->hub)) {
        return remote_wins(q, "field-merge: union");
    }
    if (value_is_blank(q->remote)) {
        return hub_wins(q, "field-merge: union");
    }
    items = ARENA_ARRAY(arena, struct str, q->hub->items_count + q->remote->items_count + 2);
    value.items_count = add_items(items, 0, q->hub);
    value.items_count = add_items(items, value.items_count, q->remote);
    value.items = items;
    return combined(q, value, "field-merge: union");
}

static struct merge_answer extreme(const struct merge_question *q, bool wants_greater,
                                   const char *rule)
{
    int order;

    if (value_is_blank(q->hub) || value_is_blank(q->remote)) {
        return value_is_blank(q->hub) ? remote_wins(q, rule) : hub_wins(q, rule);
    }
    order =
        q->order == ORDER_NUMBER && q->hub->state == VALUE_TEXT && q->remote->state == VALUE_TEXT
            ? decimal_compare(q->hub->text, q->remote->text)
            : value_order(q->hub, q->remote);
    return (order > 0) == wants_greater ? hub_wins(q, rule) : remote_wins(q, rule);
}

static struct merge_answer merge_by_rule(const struct merge_question *q, struct arena *arena)
{
    switch (q->policy.combine) {
    case COMBINE_REMOTE_FIRST:
        return value_is_blank(q->remote) ? hub_wins(q, "field-merge: remote-first")
                                         : remote_wins(q, "field-merge: remote-first");
    case COMBINE_LOCAL_FIRST:
        return value_is_blank(q->hub) ? remote_wins(q, "field-merge: local-first")
                                      : hub_wins(q, "field-merge: local-first");
    case COMBINE_APPEND:
        return append(q, arena);
    case COMBINE_UNION:
        return unite(q, arena);
    case COMBINE_MIN:
        return extreme(q, false, "field-merge: min");
    case COMBINE_MAX:
        return extreme(q, true, "field-merge: max");
    }
    abort();
}

static struct merge_answer conflict(const struct merge_question *q)
{
    struct merge_answer answer = keep(q);

    answer.verdict = MERGE_CONFLICT;
    answer.rule = "manual-review";
    return answer;
}

static struct merge_answer decide(const struct merge_question *q, struct arena *arena)
{
    if (q->flow == FLOW_IN) {
        return remote_wins(q, "inward only");
    }
    if (q->flow == FLOW_OUT) {
        return hub_wins(q, "outward only");
    }
    switch (q->policy.strategy) {
    case STRATEGY_LAST_WRITE_WINS:
        return last_write(q);
    case STRATEGY_SOURCE_PRIORITY:
        if (q->policy.remote_priority == q->policy.hub_priority) {
            return last_write(q);
        }
        return q->policy.remote_priority > q->policy.hub_priority
                   ? remote_wins(q, "source-priority")
                   : hub_wins(q, "source-priority");
    case STRATEGY_FIELD_MERGE:
        return merge_by_rule(q, arena);
    case STRATEGY_MANUAL_REVIEW:
        return conflict(q);
    }
    abort();
}

/* --- the merge ---------------------------------------------------------------------------------------------------------------- */

/* A value of an unsettled write of ours, as the CRM shows it. SIZE_MAX: none. */
static size_t matching_attempt(const struct merge_question *q)
{
    for (size_t i = 0; i < q->attempts_count; i++) {
        if (value_equal(q->remote, &q->attempt_images[i]) ||
            value_equal(q->remote, &q->attempts[i])) {
            return i;
        }
    }
    return SIZE_MAX;
}

static bool both_blank(const struct value *x, const struct value *y)
{
    return value_is_blank(x) && value_is_blank(y);
}

static struct merge_answer remote_moved(const struct merge_question *q, bool hub_moved,
                                        bool never_agreed, struct arena *arena)
{
    size_t attempt;

    if (value_equal(q->remote, q->hub_image) || value_equal(q->remote, q->hub) ||
        both_blank(q->remote, q->hub)) {
        return agree(q, *q->hub, "agree"); /* A1 */
    }
    if (!never_agreed && q->base_hub_image->state != VALUE_ABSENT &&
        value_equal(q->remote, q->base_hub_image)) {
        return agree(q, *q->base_hub, "reformatted"); /* A2: only the remote half */
    }
    attempt = matching_attempt(q);
    if (attempt != SIZE_MAX) {
        return agree(q, q->attempts[attempt], "echo"); /* A3 */
    }
    if (q->flow == FLOW_OUT) {
        return value_is_blank(q->hub) ? keep(q) : hold_hub(q, MERGE_HUB_WINS, "outward only");
    }
    if (value_is_blank(q->remote) && (q->keep_on_blank_in || never_agreed)) {
        return hold_hub(q, MERGE_PUSH, "blank kept");
    }
    if (!hub_moved || (never_agreed && value_is_blank(q->hub))) {
        return take_remote(q, MERGE_ADOPT, "adopt");
    }
    return decide(q, arena);
}

struct merge_answer merge_field(const struct merge_question *q, struct arena *arena)
{
    bool never_agreed = q->base_hub->state == VALUE_ABSENT && q->base_remote->state == VALUE_ABSENT;
    bool hub_moved = !value_equal(q->hub, q->base_hub);
    struct merge_answer answer = keep(q);

    if (q->remote->state != VALUE_ABSENT && !value_equal(q->remote, q->base_remote)) {
        return remote_moved(q, hub_moved, never_agreed, arena);
    }
    if (may_push(q, q->hub, q->base_hub)) {
        answer.verdict = MERGE_PUSH;
        answer.rule = "push";
        answer.wants_push = true;
    }
    return answer;
}

const char *verdict_name(enum verdict verdict)
{
    static const char *const NAMES[] = {"keep",     "adopt",       "push",     "agree",
                                        "hub wins", "remote wins", "combined", "conflict"};

    return NAMES[verdict];
}
