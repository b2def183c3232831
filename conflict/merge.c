#include "conflict/merge.h"

#include <assert.h>

#include "conflict/combine.h"

static const struct value ABSENT = {.state = VALUE_ABSENT};

const char *verdict_name(enum verdict verdict)
{
    static const char *const NAMES[] = {
        [MERGE_KEEP] = "keep",         [MERGE_ADOPT] = "adopt",
        [MERGE_PUSH] = "push",         [MERGE_AGREE] = "agree",
        [MERGE_HUB_WINS] = "hub-wins", [MERGE_REMOTE_WINS] = "remote-wins",
        [MERGE_COMBINED] = "combined", [MERGE_CONFLICT] = "conflict",
    };

    return NAMES[verdict];
}

/* --- what moved ----------------------------------------------------------------------------------------------------------- */

static bool is_absent(const struct value *value)
{
    return value->state == VALUE_ABSENT;
}

static bool never_agreed(const struct value *base_hub, const struct value *base_remote)
{
    return is_absent(base_hub) && is_absent(base_remote);
}

/* ΔH that may be told to the remote. A hub half that never was agreed on stands where the remote half stands: the hub's first value after
 * a lost first contact still has to travel, also when it is a clearing. A blank never clears what was never agreed on. */
static bool hub_moved(const struct merge_question *q, const struct value *hub,
                      const struct value *base_hub, const struct value *base_remote)
{
    const struct value *base = is_absent(base_hub) ? base_remote : base_hub;

    if (is_absent(hub) || (value_is_blank(hub) && (q->keep_on_blank_out || is_absent(base)))) {
        return false;
    }
    return !value_equal(hub, base);
}

/* ΔR that may be taken in. A blank that is the first thing ever seen of a field is no move. */
static bool remote_moved(const struct merge_question *q)
{
    if (value_is_blank(q->remote) && (q->keep_on_blank_in || is_absent(q->base_remote))) {
        return false;
    }
    return !value_equal(q->remote, q->base_remote);
}

static bool shows(const struct value *remote, const struct value *value, const struct value *image)
{
    return !is_absent(value) &&
           (value_equal(remote, value) || (!is_absent(image) && value_equal(remote, image)));
}

/* --- answers -------------------------------------------------------------------------------------------------------------- */

static struct merge_answer answer_of(const struct merge_question *q, enum verdict verdict,
                                     const char *rule)
{
    return (struct merge_answer){.verdict = verdict,
                                 .hub = *q->hub,
                                 .base_hub = *q->base_hub,
                                 .base_remote = *q->base_remote,
                                 .rule = rule};
}

/* Nothing changes; base catches up with what was seen. Becomes a push when the hub is ahead of that base. */
static struct merge_answer caught_up(const struct merge_question *q, const struct value *base_hub,
                                     const char *rule)
{
    struct merge_answer answer = answer_of(q, MERGE_AGREE, rule);

    answer.base_hub = *base_hub;
    answer.base_remote = *q->remote;
    if (q->flow != FLOW_IN && hub_moved(q, q->hub, base_hub, q->remote)) {
        answer.verdict = MERGE_PUSH;
    }
    return answer;
}

static struct merge_answer taken(const struct merge_question *q, enum verdict verdict,
                                 const char *rule)
{
    struct merge_answer answer = answer_of(q, verdict, rule);

    answer.hub = answer.base_hub = answer.base_remote = *q->remote;
    return answer;
}

/* Seen and refused: the base becomes the remote's value on both halves, since the hub may be back at the old base before the push, and that has to
 * travel all the same. */
static struct merge_answer hub_wins(const struct merge_question *q, const char *rule)
{
    struct merge_answer answer = answer_of(q, MERGE_HUB_WINS, rule);

    answer.base_hub = answer.base_remote = *q->remote;
    answer.loser = *q->remote;
    answer.has_loser = true;
    return answer;
}

static struct merge_answer remote_wins(const struct merge_question *q, const char *rule)
{
    struct merge_answer answer = taken(q, MERGE_REMOTE_WINS, rule);

    answer.loser = *q->hub;
    answer.has_loser = !is_absent(q->hub);
    return answer;
}

/* The base as above: the third value may happen to be the old one. */
static struct merge_answer combined(const struct merge_question *q, struct value value,
                                    const char *rule)
{
    struct merge_answer answer = taken(q, MERGE_COMBINED, rule);

    answer.hub = value;
    answer.loser = *q->remote;
    answer.has_loser = true;
    return answer;
}

/* --- strategies ----------------------------------------------------------------------------------------------------------- */

/* >0: the hub wins, <0: the remote wins. Depends on the two claims only, not on which of them is here and which there. */
static int break_tie(const struct merge_question *q)
{
    int order;

    if (q->policy.hub_priority != q->policy.remote_priority) {
        return q->policy.hub_priority > q->policy.remote_priority ? 1 : -1;
    }
    order = str_compare(q->remote_source, q->hub_source); /* the first name in order wins */
    return order ? order : value_compare(q->hub, q->remote);
}

static bool is_tie(const struct merge_question *q)
{
    int64_t difference;

    if ((q->hub_changed_ms == 0) != (q->remote_changed_ms == 0)) {
        return false; /* a known time beats an unknown one, however old */
    }
    if (__builtin_sub_overflow(q->hub_changed_ms, q->remote_changed_ms, &difference)) {
        return false;
    }
    return difference <= q->uncertainty_ms && difference >= -q->uncertainty_ms;
}

static bool is_hub_later(const struct merge_question *q)
{
    if (q->hub_changed_ms == 0 || q->remote_changed_ms == 0) {
        return q->remote_changed_ms == 0;
    }
    return q->hub_changed_ms > q->remote_changed_ms;
}

static struct merge_answer last_write_wins(const struct merge_question *q)
{
    const char *rule =
        q->remote_time_is_record ? "last-write-wins (record time)" : "last-write-wins";

    if (is_tie(q)) {
        return break_tie(q) > 0 ? hub_wins(q, "last-write-wins (tie)")
                                : remote_wins(q, "last-write-wins (tie)");
    }
    return is_hub_later(q) ? hub_wins(q, rule) : remote_wins(q, rule);
}

/* Equal priorities say nothing, so the times decide, and the rule word says so. */
static struct merge_answer source_priority(const struct merge_question *q)
{
    if (q->policy.hub_priority == q->policy.remote_priority) {
        struct merge_answer answer = last_write_wins(q);

        answer.rule =
            is_tie(q) ? "source-priority (equal, tie)" : "source-priority (equal, newest)";
        return answer;
    }
    return q->policy.hub_priority > q->policy.remote_priority ? hub_wins(q, "source-priority")
                                                              : remote_wins(q, "source-priority");
}

static struct merge_answer field_merge(const struct merge_question *q, struct arena *arena)
{
    static const char *const RULES[] = {
        [COMBINE_REMOTE_FIRST] = "field-merge: remote-first",
        [COMBINE_LOCAL_FIRST] = "field-merge: local-first",
        [COMBINE_APPEND] = "field-merge: append",
        [COMBINE_UNION] = "field-merge: union",
        [COMBINE_MIN] = "field-merge: min",
        [COMBINE_MAX] = "field-merge: max",
    };
    const char *rule = RULES[q->policy.combine];
    struct value value = value_combine(q->policy.combine, q->order, q->hub, q->remote, arena);

    if (value_equal(&value, q->hub)) {
        return hub_wins(q, rule);
    }
    return value_equal(&value, q->remote) ? remote_wins(q, rule) : combined(q, value, rule);
}

static struct merge_answer decide(const struct merge_question *q, struct arena *arena)
{
    if (q->flow == FLOW_OUT) {
        return hub_wins(q, "one-way");
    }
    switch (q->policy.strategy) { /* GCOVR_EXCL_BR_LINE: there is no other strategy */
    case STRATEGY_LAST_WRITE_WINS:
        return last_write_wins(q);
    case STRATEGY_SOURCE_PRIORITY:
        return source_priority(q);
    case STRATEGY_FIELD_MERGE:
        return field_merge(q, arena);
    case STRATEGY_MANUAL_REVIEW:
        break;
    }
    return answer_of(q, MERGE_CONFLICT, "manual-review");
}

/* --- the cases ------------------------------------------------------------------------------------------------------------ */

/* Neither half of the base is known: the sides meet for the first time, so a blank side is filled and does not clear the other. */
static struct merge_answer first_contact(const struct merge_question *q, struct arena *arena)
{
    bool hub_blank = value_is_blank(q->hub), remote_blank = value_is_blank(q->remote);

    if ((hub_blank && remote_blank) || shows(q->remote, q->hub, q->hub_image)) {
        return caught_up(q, q->hub, "agree");
    }
    if (remote_blank) {
        struct merge_answer answer =
            answer_of(q, q->flow == FLOW_IN ? MERGE_KEEP : MERGE_PUSH, "fill");

        answer.base_remote = *q->remote;
        return answer;
    }
    if (!hub_blank) {
        return decide(q, arena);
    }
    if (q->flow == FLOW_OUT) {
        struct merge_answer answer = caught_up(q, q->hub, "one-way");

        answer.verdict = MERGE_KEEP;
        return answer;
    }
    return taken(q, MERGE_ADOPT, "fill");
}

/* M0 and M2. A blank that was first seen now becomes the remote half; one that is only ignored by policy does not. */
static struct merge_answer remote_still(const struct merge_question *q)
{
    bool moved = q->flow != FLOW_IN && hub_moved(q, q->hub, q->base_hub, q->base_remote);
    struct merge_answer answer =
        answer_of(q, moved ? MERGE_PUSH : MERGE_KEEP, moved ? "push" : "keep");

    if (is_absent(q->base_remote)) {
        answer.base_remote = *q->remote;
    }
    return answer;
}

/* A3: our own write whose answer was lost comes back. */
static const struct value *attempt_shown(const struct merge_question *q)
{
    for (size_t i = 0; i < q->attempts_count; i++) {
        if (shows(q->remote, &q->attempts[i], &q->attempt_images[i])) {
            return &q->attempts[i];
        }
    }
    return NULL;
}

/* M1 and M3, after the image tests have ruled out that nobody edited anything. */
static struct merge_answer remote_edited(const struct merge_question *q, struct arena *arena)
{
    const struct value *attempt;

    if (shows(q->remote, q->hub, q->hub_image)) {
        return caught_up(q, q->hub, "agree");
    }
    if (shows(q->remote, q->base_hub, q->base_hub_image)) {
        return caught_up(q, q->base_hub, "reformatted");
    }
    attempt = attempt_shown(q);
    if (attempt) {
        return caught_up(q, attempt, "echo");
    }
    if (hub_moved(q, q->hub, q->base_hub, q->base_remote)) {
        return decide(q, arena);
    }
    if (q->flow == FLOW_OUT) {
        struct merge_answer answer = answer_of(q, MERGE_KEEP, "one-way");

        answer.base_remote = *q->remote;
        return answer;
    }
    return taken(q, MERGE_ADOPT, "adopt");
}

static struct merge_answer choose(const struct merge_question *q, struct arena *arena)
{
    if (is_absent(q->remote)) {
        return answer_of(q, MERGE_KEEP, "not seen");
    }
    if (never_agreed(q->base_hub, q->base_remote)) {
        return first_contact(q, arena);
    }
    return remote_moved(q) ? remote_edited(q, arena) : remote_still(q);
}

struct merge_answer merge_field(const struct merge_question *question, struct arena *arena)
{
    struct merge_question q = *question;
    struct merge_answer answer;

    assert(q.base_hub && q.base_remote && q.hub && q.remote);
    assert(q.attempts_count == 0 || (q.attempts && q.attempt_images));
    q.hub_image = q.hub_image ? q.hub_image : &ABSENT;
    q.base_hub_image = q.base_hub_image ? q.base_hub_image : &ABSENT;
    answer = choose(&q, arena);
    answer.hub_changes = !value_equal(&answer.hub, q.hub);
    answer.wants_push = answer.verdict != MERGE_CONFLICT && q.flow != FLOW_IN &&
                        hub_moved(&q, &answer.hub, &answer.base_hub, &answer.base_remote);
    return answer;
}
