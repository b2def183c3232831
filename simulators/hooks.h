/* What a CRM sends by itself: news on their way to the addresses that subscribed, with the manners of a real network (lost, doubled, overtaken, late) and the
 * CRM's own repeats. The news wait here until somebody carries them, one parcel at a time: sim_deliver() in this process, or anybody through
 *
 *   POST /__sim/webhooks         settings: the CRM's members, and drop_percent, duplicate_percent, reorder_percent, delay_ms, hurry
 *   GET  /__sim/webhooks         {"queued","waiting","out","delivered","failures","dropped","lost","ack_p50_ms","ack_p95_ms","ack_p99_ms"}
 *   GET  /__sim/webhooks/next    the next parcel that is due: its body, X-Sim-Message, X-Sim-Url, and each header to send behind "X-Sim-Send-"; else 204
 *   POST /__sim/webhooks/answer  {"id","status","body"}: how the receiver answered; status 0 = not at all */
#ifndef CRMSYNC_SIMULATORS_HOOKS_H
#define CRMSYNC_SIMULATORS_HOOKS_H

#include "simulators/inside.h"

struct sim_hooks;

/* Several pieces of news that leave together. */
struct sim_parcel {
    int64_t number;
    int64_t target;    /* the CRM's number of the address */
    json_t *events;    /* array of what the CRM gave to sim_hooks_add() */
    int64_t attempt;   /* from 1 */
    int64_t queued_ms; /* of the oldest */
};

/* How this CRM sends. */
struct sim_hook_style {
    const int64_t *waits_ms; /* before the second attempt, the third, … */
    size_t waits_count;
    int64_t answer_ms; /* no answer by then is a failure */
    size_t batch_max;  /* events of one parcel */
    /* Builds the body in call->body and the headers with sim_hook_header(). False: nobody is there any more; the parcel is dropped. */
    bool (*put)(struct sim_call *call, const struct sim_parcel *parcel, struct str *ret_url);
    /* NULL: nothing to note. will_retry: it comes again */
    void (*settled)(struct sim_call *call, const struct sim_parcel *parcel, int status,
                    bool will_retry);
    /* POST /__sim/webhooks. FAIL_CONFIG */
    enum fail (*configure)(struct sim_call *call, const json_t *order, struct error *err);
};

/* Chances are per million. Zeroed: an undisturbed network. */
struct sim_manner {
    int64_t drops, duplicates, reorders;
    int64_t delay_ms; /* at most, drawn for each */
    int64_t hurry;    /* waits between attempts are divided by this; 0 = 1 */
};
/* drop_percent and so on of an order. FAIL_CONFIG */
enum fail sim_manner_read(const json_t *order, struct sim_manner *ret,
                          struct error *err) MUST_CHECK;

struct sim_hooks *sim_hooks_new(uint64_t seed);
void sim_hooks_free(struct sim_hooks *hooks); /* accepts NULL */
/* A person in the CRM's own pages does what comes now, or a program by the API. */
void sim_hooks_by(struct sim_hooks *hooks, bool is_person);
bool sim_hooks_is_person(const struct sim_hooks *hooks);
struct random *sim_hooks_random(struct sim_hooks *hooks);
void sim_hooks_add(struct sim_hooks *hooks, int64_t target, json_t *take_event, int64_t now_ms);
/* Whatever is on its way to this target is dropped. */
void sim_hooks_forget(struct sim_hooks *hooks, int64_t target);

/* Answers /__sim/webhooks…; false: no such endpoint. */
bool sim_hooks_control(struct sim_call *call, const struct sim_hook_style *style);
/* name must live for ever, value in call->arena or for ever. */
void sim_hook_header(struct sim_call *call, const char *name, struct str value);
/* Only this machine: a simulator that sends into the world would surprise its owner. */
bool sim_hook_url_is_here(struct str url);

#endif
