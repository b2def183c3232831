/* A whole world on one thread: two to four CRMs as simulators mounted without sockets, a virtual clock, one seed, the production engine, store and adapters. */
#ifndef CRMSYNC_TESTS_SIMULATION_WORLD_H
#define CRMSYNC_TESTS_SIMULATION_WORLD_H

#include <jansson.h>

#include "http/client.h"
#include "http/transport.h"
#include "simulators/simulator.h"
#include "sync/apply.h"
#include "sync/edit.h"
#include "sync/sync.h"
#include "tests/simulation/disk.h"

enum crm { HUBSPOT, PIPEDRIVE, SALESFORCE, CRMS };
enum { CONNECTIONS_MAX = 4 };

struct world_options {
    uint64_t seed;
    /* what stands behind each connection; the same CRM twice: two accounts */
    enum crm crms[CONNECTIONS_MAX];
    int connections; /* 0: one of each CRM */
    int records;     /* made up in each CRM at start */
    bool has_work;   /* deals and activities as well */
    int64_t index_lag_ms;
    enum delete_mode deletes;
    struct policy policy;
    int64_t wait_max_ms; /* how long a sync waits for a CRM; 0: 20 minutes */
    bool by_events;      /* changes at Salesforce by its change events */
    bool by_journal;     /* changes at HubSpot by its journal, whose files are at WORLD_FILES */
    /* the store is in real files, as several worlds at a time need it; else on a disk in memory */
    bool is_lasting;
    /* its end leaves the open store and the disk to the next such world in the process, until world_spare_free() */
    bool is_one_of_many;
    /* schemas and users are learned once in a while, as the service does, instead of by every sync */
    bool learns_once;
};

struct world;

/* Told of each call through the network: before its request is applied, and again before its answer is read. Whatever happens meanwhile
 * happens while the call is in the air. */
typedef void air_fn(void *context, int at, bool is_applied, const struct http_request *request);

/* Just before a request arrives; true: it does not, and *response says so. */
typedef bool before_call_fn(void *context, int at, const struct http_request *request,
                            struct http_response *response);

struct world_mount {
    struct world *world;
    int at;
};

#define WORLD_FILES "https://journal.s3.amazonaws.com"

/* HubSpot's app: the credential that the simulator takes from it. */
struct world_app {
    struct http_auth auth;
    char header[96];
};

struct world {
    struct world_options options;
    struct world_app app;
    struct world_mount mounts[CONNECTIONS_MAX];
    air_fn *in_air; /* NULL: nobody listens */
    void *in_air_context;
    before_call_fn *before_call; /* NULL: nothing comes between; network.h */
    void *network;               /* its context */
    struct env env;
    struct arena arena;
    int count; /* of connections; each is known by its number, "at" */
    enum crm crms[CONNECTIONS_MAX];
    struct str names[CONNECTIONS_MAX]; /* "hubspot", "hubspot-2" */
    struct simulator *simulators[CONNECTIONS_MAX];
    struct http_client *http;
    struct disk *disk; /* NULL: real files */
    int64_t moments;   /* of calls through the network: before and after each is applied */
    int64_t kill_at;   /* 0 never */
    uint64_t
        trace; /* digest of every call and its answer so far, in their order: the same seed, the same trace */
    struct store *store;
    char folder[64];
    char store_path[96];
    struct kinds kinds;
    struct mappings mappings[CONNECTIONS_MAX];
    struct policy_rule policies[CONNECTIONS_MAX];
    struct str kind_names[4];
    struct connection_settings settings[CONNECTIONS_MAX];
    struct sync_settings all;
    struct secret tokens[CONNECTIONS_MAX];
    struct sync_connection connections[CONNECTIONS_MAX];
    struct sync sync;
};

struct world *world_new(const struct world_options *options);
void world_free(struct world *world);
void world_spare_free(void);
/* Closes and opens the store again, as a new process would. */
void world_reopen(struct world *world);

/* The process is killed at a moment of a call, counted from now (1: the next; 0: never). Whatever it does afterwards has no effect, neither here nor at a CRM. Not with
 * is_lasting. What else may happen to it, its disk does: tests/simulation/disk.h. */
void world_kill_at(struct world *world, int64_t moment);
/* The next process. */
void world_revive(struct world *world);

/* A backup of the store as it is, in the place of the one before; and the store as it was then, which goes on after what happened since. */
void world_backup(struct world *world);
void world_restore(struct world *world);

/* One sync; problems are allowed (faults), a failure of the run itself ends the test. */
void world_sync(struct world *world, bool full, struct sync_report *ret);
/* The same, where it may fail: whoever runs it has lost its disk, or its life. */
enum fail world_try(struct world *world, bool full, struct sync_report *ret,
                    struct error *err) MUST_CHECK;
/* What a sync would do, kept for world_apply(). Returns how many objects it would write; -1: the plan could not be made (faults). */
int64_t world_plan(struct world *world, bool full);
void world_apply(struct world *world, struct applied *ret);
/* Until a sync changes nothing anywhere; ends the test after rounds_max. Returns the rounds. */
int world_settle(struct world *world, int rounds_max);

/* A request to a simulator beside the network; NULL body for GET. The answer is the caller's. Ends the test on another status than 2xx. */
json_t *world_ask(struct world *world, int at, const char *method, const char *path,
                  json_t *take_body);
/* {"records":[…]} of the CRM's word for the kind. */
json_t *world_state(struct world *world, int at, const char *kind);
/* The same, by the CRM's own word. */
json_t *world_state_of(struct world *world, int at, const char *word);
json_int_t world_writes(struct world *world, int at);
/* At all connections. */
json_int_t world_writes_all(struct world *world);
/* The connection with this row; the test ends when there is none. */
int world_at(const struct world *world, int64_t connection_id);
void world_faults(struct world *world, int at, json_t *take_schedule);
/* The CRM's word: contact → contacts / persons. */
const char *world_word(enum crm crm, const char *kind);
/* A unified contact or company field as this CRM's object shows it (ground truth, own normalisation, not the mapper's); "" for blank. */
void world_field(enum crm crm, const json_t *record, const char *field, char *ret,
                 size_t ret_bytes);
/* {"set":…} members for one unified field. */
json_t *world_set(enum crm crm, const char *field, const char *value);
struct edit world_edit(struct world *world);

#endif
