/* What the simulators share among themselves: the object behind struct simulator, one call on its
 * way, the record table and small writers of JSON text. Not for anybody outside this folder; the
 * door is simulator.h.
 *
 * A simulator of a CRM supplies a struct sim_ops and its own state; everything here is CRM-neutral.
 * All ops run under the simulator's mutex, so that they need none of their own. */
#ifndef CRMSYNC_SIMULATORS_INSIDE_H
#define CRMSYNC_SIMULATORS_INSIDE_H

#include <pthread.h>

#include <jansson.h>

#include "core/random.h"
#include "simulators/faults.h"
#include "simulators/simulator.h"

enum {
    SIM_SEGMENTS_MAX = 16,
    SIM_ANSWER_BYTES_MAX = 1 << 30, /* /__sim/state of a large account */
    SIM_TEMPLATES_MAX = 2000,       /* distinct entries of the call statistics */
    SIM_ROOM = 1000000,             /* calls left, as told, where there are no limits */
    SIM_URL_BYTES_MAX = 16 * 1024,  /* of a redirect */
};

struct sim_oauth;
struct sim_consent;
struct sim_hooks;
struct sim_hook_style;

/* One call. Everything in it ends with the call; texts handed to the response live in arena. */
struct sim_call {
    struct simulator *sim;
    const struct http_request *request;
    struct http_response *response;
    struct arena *arena; /* the response's */
    /* of the path, percent-decoded; "/a/b" gives "a", "b" */
    struct str segments[SIM_SEGMENTS_MAX];
    size_t segments_count;
    struct buf *body; /* the answer is built here and copied to the response when the call ends */
    int64_t now_ms;   /* the simulator's own time */
    /* of the OAuth token it came with; NULL = the account's own token, or not known yet */
    const struct sim_consent *consent;
};

/* What a CRM supplies. ops->handle answers every request outside /__sim, its own 401, 429 and 404
 * included. */
struct sim_ops {
    const char *name;  /* "hubspot" */
    const char *token; /* accepted when the options name none */
    void (*handle)(struct sim_call *call);
    /* Fault injection: answers 429 or 5xx in the CRM's own form. Nothing was applied. */
    void (*refuse)(struct sim_call *call, int status);
    /* Ground truth: adds the elements of "records" to call->body. False: no such kind. */
    bool (*state)(struct sim_call *call, struct str kind);
    /* A change made outside the API; by says by whom ("person", "workflow", "import"). id ""
     * creates; *ret_id is the id. FAIL_RECORD says why not. */
    enum fail (*edit)(struct sim_call *call, struct str object, struct str id, const json_t *set,
                      struct str by, int64_t *ret_id, struct error *err);
    enum fail (*remove)(struct sim_call *call, struct str object, struct str id, struct error *err);
    enum fail (*restore)(struct sim_call *call, struct str object, struct str id,
                         struct error *err);
    enum fail (*merge)(struct sim_call *call, struct str object, struct str into, struct str from,
                       int64_t *ret_id, struct error *err);
    /* A change of the account's settings; the members of order beside "object" are the CRM's. */
    enum fail (*schema)(struct sim_call *call, struct str object, const json_t *order,
                        struct error *err);
    /* The id of a record that edit or merge gave, as people write it; NULL = its digits. */
    struct str (*id_text)(struct sim_call *call, struct str object, int64_t id);
    const struct sim_hook_style *hooks; /* hooks.h; NULL = it sends nothing, or in its own way */
    /* Further endpoints under /__sim; false: no such one. NULL = none. */
    bool (*control)(struct sim_call *call);
    void (*free)(void *crm); /* accepts NULL */
};

struct simulator {
    const struct sim_ops *ops;
    void *crm;               /* owned; freed with ops->free */
    struct env env;          /* copy; clock is borrowed */
    char *token;             /* owned */
    struct sim_oauth *oauth; /* owned; NULL = nobody signs in here */
    struct sim_hooks *hooks; /* owned */
    uint64_t seed;
    bool no_limits;
    int64_t index_lag_ms;
    int64_t hold_ms;

    pthread_mutex_t mutex;     /* guards everything below and *crm */
    struct sim_faults *faults; /* owned, NULL = none */
    /* owned: correlation ids, which member a wrong_type fault spoils */
    struct random *random;
    int64_t began_wall_ms, began_mono_ms, advanced_ms;
    struct buf body; /* reused by every call */

    json_t *calls; /* owned: template → count */
    int64_t calls_total, writes, throttled, faults_count;
    json_t *written; /* owned: rows of the log of writes; NULL = off */
};

/* The common part of simulator_*_new. crm is taken, also on failure. FAIL_CONFIG: unreadable or
 * wrong faults file. */
enum fail sim_new(struct env *env, const struct simulator_options *options,
                  const struct sim_ops *ops, void *take_crm, struct simulator **ret,
                  struct error *err) MUST_CHECK;

/* The simulator's own time. It follows the monotonic clock from the wall time at the start, because
 * a CRM's clock does not jump when ours is set, plus what /__sim/advance added. Never runs
 * backwards. */
int64_t sim_now_ms(struct simulator *sim);

/* Lets other calls in for ms, as a CRM does that holds a request until there is something to say. Drops what was built
 * of the answer; what the call found out about the account before is to be looked up again. */
void sim_wait(struct sim_call *call, int64_t ms);

/* Counts objects changed through the CRM's API. */
void sim_count_writes(struct sim_call *call, int64_t count);
/* Counts one object and, while the log is on, adds its row. method: "create", "update", "delete", "associate", "dissociate", "merge".
 * object: the CRM's own word, plural. fields: an object of what was sent, borrowed; NULL = none. */
void sim_wrote(struct sim_call *call, const char *method, const char *object, int64_t id,
               const json_t *fields);
/* The same where ids are texts. */
void sim_wrote_text(struct sim_call *call, const char *method, const char *object, struct str id,
                    const json_t *fields);
void sim_writes_clear(struct simulator *sim); /* and switches the log on */

/* --- answering
 * -------------------------------------------------------------------------------------------------------
 */

/* Sets the status; what is in call->body becomes the body. */
void sim_reply(struct sim_call *call, int status);
void sim_header(struct sim_call *call, const char *name,
                struct str value); /* value must live in call->arena or for ever */
void sim_header_i64(struct sim_call *call, const char *name, int64_t value);
/* Drops what was built so far, as an error answer replaces a half-built one. */
void sim_restart(struct sim_call *call);

/* Request body as JSON; false when it is none (then *ret is NULL). Owned by call->arena. */
bool sim_json(struct sim_call *call, json_t **ret);
/* Query value decoded, or STR_NONE. */
struct str sim_query(struct sim_call *call, const char *name);
/* All values of that name joined by commas: "x=a,b" and "x=a&x=b" give "a,b". STR_NONE when absent. */
struct str sim_query_list(struct sim_call *call, const char *name);
/* Query value as number; otherwise when absent. False when present and not a whole number. */
bool sim_query_i64(struct sim_call *call, const char *name, int64_t otherwise, int64_t *ret);
bool sim_segment_is(const struct sim_call *call, size_t index, const char *text);
/* Bearer token of the Authorization header, or STR_NONE. */
struct str sim_bearer(const struct sim_call *call);

/* --- JSON text (text.c)
 * ------------------------------------------------------------------------------------------------
 */

void sim_put(struct buf *buf, const char *literal);  /* as it is */
void sim_put_text(struct buf *buf, struct str text); /* quoted and escaped; STR_NONE gives null */
void sim_put_i64(struct buf *buf, int64_t number);
/* A member behind another one: ,"name": and, for the second, its value. Names need no escaping. */
void sim_put_name(struct buf *buf, const char *name);
void sim_put_flag(struct buf *buf, const char *name, bool is_set);
void sim_put_time(struct buf *buf, int64_t ms); /* "2026-11-21T07:05:31.250Z" with quotes */
void sim_put_json(struct buf *buf, const json_t *tree);
bool sim_text_is_plain(struct str text); /* needs no escaping in JSON */

/* --- record table (table.c)
 * -------------------------------------------------------------------------------------------- */

/* First member of a CRM's own record struct. */
struct sim_record {
    int64_t id;
    int64_t created_ms;
    int64_t modified_ms; /* change only through sim_table_touch */
    int64_t archived_ms; /* 0 = live */
    int64_t merged_into; /* 0 = not merged away */
    size_t mark_index;   /* of the table */
};

/* Records by ascending id and by modification, cheap at 100,000. Zeroed is empty. Borrows the
 * records. */
struct sim_table {
    struct sim_record **at; /* owned array; ids ascend */
    size_t count, capacity;
    struct sim_mark *marks; /* owned; a record's mark_index is its valid one, others are stale */
    size_t marks_count, marks_capacity;
    bool is_unsorted; /* marks have to be sorted before the next walk */
};

void sim_table_fini(struct sim_table *table); /* not the records */
void sim_table_add(struct sim_table *table,
                   struct sim_record *record); /* asserts that its id is the largest */
struct sim_record *sim_table_get(const struct sim_table *table, int64_t id); /* NULL */
/* Index of the first record with at least this id; count when none. */
size_t sim_table_from(const struct sim_table *table, int64_t id);
void sim_table_touch(struct sim_table *table, struct sim_record *record, int64_t modified_ms);
/* Walk in order of (modified, id): start at sim_table_since(ms), go on to marks_count; NULL entries
 * are skipped by the caller. */
size_t sim_table_since(struct sim_table *table, int64_t modified_ms);
struct sim_record *sim_table_marked(const struct sim_table *table, size_t mark_index);

/* --- limits (window.c)
 * -------------------------------------------------------------------------------------------------
 */

/* A rolling window of units. */
struct sim_window {
    int64_t capacity; /* units in any span; 0 = unlimited */
    int64_t span_ms;
    struct sim_window_take *takes; /* owned ring */
    size_t takes_first, takes_count, takes_capacity;
    int64_t used;
};

void sim_window_init(struct sim_window *window, int64_t capacity, int64_t span_ms);
void sim_window_fini(struct sim_window *window);
/* Takes the units, or nothing and false. */
bool sim_window_take(struct sim_window *window, int64_t now_ms, int64_t units);
int64_t sim_window_left(struct sim_window *window, int64_t now_ms);
/* Milliseconds until the oldest take leaves the window; 0 when it is empty. */
int64_t sim_window_reset_ms(struct sim_window *window, int64_t now_ms);

/* A budget of the calendar day of a time zone. */
struct sim_daily {
    int64_t capacity; /* 0 = unlimited */
    int64_t used;
    int64_t day;           /* number of the local day that used belongs to */
    int64_t utc_offset_ms; /* of the account's time zone */
};

bool sim_daily_take(struct sim_daily *daily, int64_t now_ms, int64_t units);
int64_t sim_daily_left(struct sim_daily *daily, int64_t now_ms);
int64_t sim_daily_reset_ms(struct sim_daily *daily, int64_t now_ms); /* until local midnight */

#endif
