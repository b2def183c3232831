/* A CRM, offline: stateful, true to the API as documented in docs/simulators.md, faulty on demand, seeded. The same object serves
 * tests in-process (transport_mount with simulator_handle) and loopback sockets (http_server with simulator_handle). It shares no code with
 * the adapter it faces beyond core/ and http/. */
#ifndef CRMSYNC_SIMULATORS_SIMULATOR_H
#define CRMSYNC_SIMULATORS_SIMULATOR_H

#include <stdbool.h>

#include "core/env.h"
#include "http/message.h"

struct simulator;

/* Zeroed is a faultless CRM with an empty account and documented limits. */
struct simulator_options {
    uint64_t seed;     /* of ids, names and faults */
    const char *token; /* accepted credential; NULL = a fixed printed one */
    /* contacts/persons to make up at start; companies about a fifth; see simulators/people.h */
    int records;
    int deals;      /* to make up at start, of each CRM's own, with the people and companies */
    int activities; /* likewise: calls, e-mails, meetings, notes and tasks in turns */
    /* share of people that the other CRM of the same seed also has; 0 = 0.7 */
    double overlap;
    /* search (HubSpot: and so incremental listings) shows a write only this much later */
    int64_t index_lag_ms;
    bool no_limits; /* no rate limiting at all (benchmarks) */
    /* Salesforce: how long a long poll without news is held, 0 = not at all. Not in-process, where nobody else could call meanwhile */
    int64_t hold_ms;
    /* limits: HubSpot "free|professional|enterprise"; Pipedrive "lite|growth|premium|ultimate";
     * Salesforce "developer|enterprise|unlimited"; NULL = largest */
    const char *plan;
    const char *faults_file; /* JSON, see faults.h; NULL none */
    /* Pipedrive: what no source settles, comma-separated; NULL none. deleted-get-404, deleted-get-410 (default: 200 and is_deleted),
     * list-shows-deleted, no-parent-bumps, custom-fields-null, null-update-time, no-op-bumps, contact-sync, participants-stay, seconds-in-clocks */
    /* Salesforce: features and rights of the org. no-customize, person-accounts, multi-currency, state-picklists, read-only-lock */
    const char *quirks;
};

/* clock and random of env are borrowed; transport and log are not used. */
enum fail simulator_hubspot_new(struct env *env, const struct simulator_options *options,
                                struct simulator **ret, struct error *err) MUST_CHECK;
enum fail simulator_pipedrive_new(struct env *env, const struct simulator_options *options,
                                  struct simulator **ret, struct error *err) MUST_CHECK;
enum fail simulator_salesforce_new(struct env *env, const struct simulator_options *options,
                                   struct simulator **ret, struct error *err) MUST_CHECK;
void simulator_free(struct simulator *simulator); /* accepts NULL */

/* http_handler_fn; context is the simulator. Serialised by a mutex inside. */
void simulator_handle(void *context, const struct http_request *request,
                      struct http_response *response);

/* Sends one request to an absolute address of this machine; status 0 = no answer came. */
typedef void simulator_post_fn(void *context, const struct http_request *request,
                               struct http_response *response);
/* Takes the next webhook that is due, hands it to post, and notes how it was answered. False: none is due now. For tests step by step, and for the thread
 * that carries them (cli/carrier.h). The simulator is not locked while post runs. */
bool simulator_deliver(struct simulator *simulator, simulator_post_fn *post, void *context);

const char *simulator_token(const struct simulator *simulator);
/* Of the one app that is registered for OAuth; NULL when nobody can sign in here. */
const char *simulator_client_id(const struct simulator *simulator);
const char *simulator_client_secret(const struct simulator *simulator);
/* Of the older way to sign in (Salesforce's SOAP login); NULL when there is none. */
const char *simulator_username(const struct simulator *simulator);
const char *simulator_password(const struct simulator *simulator);
const char *simulator_name(const struct simulator *simulator); /* "hubspot" */

/* Beside the CRM's API every simulator answers, without token and without limits:
 *   GET  /__sim/stats        {"calls":{"GET /crm/objects/{version}/contacts":3,…},"calls_total":N,"writes":N,"throttled":N,"faults":N}
 *                            writes counts objects created, updated, archived, merged, associated through the CRM's API, not /__sim
 *   POST /__sim/stats/reset
 *   POST /__sim/writes/clear empties the log of writes and switches it on
 *   GET  /__sim/writes       {"writes":[{"at_ms":…,"method":"create","object":"deals","id":"7","fields":{…}}]}: one row for each object that
 *                            was written through the CRM's API. method: create, update, delete, associate, dissociate, merge
 *   GET  /__sim/state/KIND   {"records":[{"id":"1","archived":false,"merged_into":null,"modified_ms":…,"fields":{…}}]} ground truth, by id.
 *                            KIND is the CRM's own object word: contacts, companies / persons, organizations, deals, activities, notes
 *   POST /__sim/faults       replaces the fault schedule (same JSON as the file); {} = none
 *   POST /__sim/advance      {"ms":N}: moves the simulator's own time ahead (index lag, limits, history)
 *   POST /__sim/edit         {"object":"contacts","id":"1","set":{…},"by":"person"} a human edit in the CRM's UI; without id: creates, answers {"id"}
 *   POST /__sim/schema       {"object":"deals","property":"dealstage","change":"rename_option","option":"contractsent","label":"Signed"}: a change
 *                            of the account's settings. change: remove, restore, read_only, writable, type (with "type"), add_option,
 *                            rename_option, remove_option, move_option (a stage, "to" another pipeline)
 *   POST /__sim/delete       {"object","id"}; POST /__sim/restore likewise
 *   POST /__sim/merge        {"object","into","from"}: what a person does in the UI
 *   GET  /__sim/oauth        {"exchanges":{"authorization_code":N,"refresh_token":N,"client_credentials":N,"jwt_bearer":N},"refused":N,
 *                            "live":{"code":N,"access":N,"refresh":N},"client_id",…}: never a token, unless ?show=tokens
 *   POST /__sim/oauth        any of {"redirect_uris":[…],"deny_next":true,"rotation":bool,"challenge_required":bool,"run_as":bool,
 *                            "code_ms":N,"access_ms":N,"refresh_ms":N (0 = no end; of tokens from now on),
 *                            "expire_access":true (all, now),"revoke_refresh":true (all),
 *                            "next_exchange":"lost|timeout|slow|truncated|fine" (the answer, after the exchange was done),
 *                            "jwt_user":{"username","public_key"},"account":"ID"|null (whose account the next sign-in opens),
 *                            "origin":"https://…"|null (told as base of the API calls)}
 *   POST /__sim/webhooks     {"url","drop_percent","duplicate_percent","reorder_percent","delay_ms","hurry"}: where what happens is sent to (HubSpot also
 *                            {"secret"}; Pipedrive has no url here: its own API subscribes), and how the network behaves. Without url the address stays,
 *                            url null: none. hurry divides the waits between attempts
 *   GET  /__sim/webhooks     {"queued","waiting","out","delivered","failures","dropped","lost"}
 *   GET  /__sim/webhooks/next, POST /__sim/webhooks/answer: by hand what simulator_deliver() does
 * Salesforce also (docs/simulators.md has their members): POST /__sim/bulk, GET and POST /__sim/events, GET and POST /__sim/outbound,
 *                            POST /__sim/outbound/answer, GET /__sim/outbound/state */

#endif
