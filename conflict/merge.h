/* The three-way merge of one field: BASE (a pair), HUB, REMOTE. Pure: no clock, no store, no network. Hub and remote are never compared
 * with each other to find out whether something changed; each is compared with its own half of the base. */
#ifndef CRMSYNC_CONFLICT_MERGE_H
#define CRMSYNC_CONFLICT_MERGE_H

#include "conflict/policy.h"
#include "core/arena.h"
#include "core/fields.h"

/* Which way this field may travel on this link. */
enum flow { FLOW_BOTH, FLOW_IN, FLOW_OUT };

/* Values of one kind compare differently for min and max. */
enum value_order { ORDER_TEXT, ORDER_NUMBER };

struct merge_question {
    const struct value *base_hub, *base_remote; /* absent = never agreed */
    /* remote absent = no observation: nothing happens */
    const struct value *hub, *remote;
    const struct value *hub_image;      /* what the CRM would show for hub (mapper map_image) */
    const struct value *base_hub_image; /* … for base_hub */
    /* hub values of unsettled writes of this field on this link */
    const struct value *attempts;
    const struct value *attempt_images;
    size_t attempts_count;
    enum flow flow;
    bool keep_on_blank_in, keep_on_blank_out; /* a blank on that side is no change */
    enum value_order order;
    struct policy policy;
    /* Last-write-wins. Remote time is already corrected by the connection's clock offset. 0 = unknown (older than anything). */
    int64_t hub_changed_ms, remote_changed_ms;
    int64_t uncertainty_ms;     /* |difference| <= this is a tie */
    bool remote_time_is_record; /* time of the record, not of the field: the rule word says so */
    struct str hub_source, remote_source; /* names for the deterministic tie-break */
};

enum verdict {
    MERGE_KEEP,  /* neither moved (or nothing seen) */
    MERGE_ADOPT, /* only remote moved: hub takes it */
    MERGE_PUSH,  /* only hub moved: remote should take it */
    /* both hold the same, or remote shows what we sent: base catches up, nobody changes */
    MERGE_AGREE,
    MERGE_HUB_WINS,    /* both moved; remote lost */
    MERGE_REMOTE_WINS, /* both moved; hub lost */
    MERGE_COMBINED,    /* both moved; a third value came of it: hub takes it and it is pushed */
    MERGE_CONFLICT,    /* waits for a person; the field is frozen on this link */
};

struct merge_answer {
    enum verdict verdict;
    struct value hub;                   /* the hub's value afterwards */
    struct value base_hub, base_remote; /* the base afterwards */
    bool hub_changes;                   /* hub differs from question->hub */
    bool wants_push;                    /* hub differs from base_hub and may travel out */
    bool has_loser;
    /* HUB_WINS: remote's; REMOTE_WINS: hub's; COMBINED: remote's */
    struct value loser;
    /* stable words for journal and explain: "adopt", "last-write-wins", "last-write-wins (record
     * time)", "last-write-wins (tie)", "source-priority", "field-merge: union", "manual-review",
     * "echo", … */
    const char *rule;
};

/* Values of the answer borrow from the question or from arena. Deterministic: same question, same answer. */
struct merge_answer merge_field(const struct merge_question *question, struct arena *arena);
const char *verdict_name(enum verdict verdict);

#endif
