/* The contract with a CRM. An adapter is one const table: data about the CRM and blocking functions that any worker may call.
 * No globals, no SQL, no sleeping, no retry loops: http_exec() waits and repeats, classify() says what an answer means.
 * Adding a CRM = one adapters/<crm>.c defining adapter_<crm>, one config/mappings/<crm>.yaml, one tests/fixtures/<crm>/. */
#ifndef CRMSYNC_ADAPTERS_ADAPTER_H
#define CRMSYNC_ADAPTERS_ADAPTER_H

#include <jansson.h>

#include "core/arena.h"
#include "core/env.h"
#include "core/fail.h"
#include "core/secret.h"
#include "core/str.h"
#include "http/client.h"

enum { ADAPTER_CURSOR_BYTES_MAX = 4096, ADAPTER_OBJECTS_MAX = 8 };

enum adapter_capability {
    ADAPTER_FIELD_TIMES = 1 << 0,   /* fetch_many can give a time per property */
    ADAPTER_LISTS_DELETED = 1 << 1, /* list_deleted() exists */
    /* the correlation property is unique: a repeated create is answered with the first */
    ADAPTER_UNIQUE_KEY = 1 << 2,
    ADAPTER_MERGE_REDIRECT = 1 << 3, /* reading a merged-away id returns the survivor */
};

/* Names of one unified kind at this CRM. */
struct adapter_object {
    const char *kind;   /* "contact" */
    const char *object; /* "contacts" / "persons": as in the API path */
    const char *title;  /* "contact" / "person": for people */
};

/* Where and as whom. All borrowed for the life of the session. */
struct account {
    const char *connection; /* name of the connection, for messages and limit keys */
    struct str base_url;    /* "" = the CRM's own; else scheme://host[:port], no path */
    struct str api_version; /* "" = adapter's default */
    const struct secret *token;
    bool token_is_oauth; /* bearer instead of a private token where the CRM differs */
    enum lane lane;
};

struct session; /* defined by each adapter */

/* Which account a token opens. */
struct account_facts {
    struct str account_id; /* portal id / company id */
    struct str title;      /* company domain or portal name */
    struct str time_zone;  /* "" unknown */
    struct str user_id;    /* who we are there, "" unknown */
};

/* One property of an object, as the CRM describes it. */
struct remote_property {
    struct str name; /* as used in props and mappings */
    struct str label;
    struct str type; /* the CRM's own word */
    bool is_writable;
    bool is_required;
    bool is_custom;
    const struct str *options; /* wire values of an enumeration */
    size_t options_count;
};
struct remote_schema {
    const struct remote_property *properties;
    size_t count;
};

enum remote_state {
    REMOTE_LIVE,
    /* proved: 404, archived, is_deleted. Never inferred from an empty page or a 403 */
    REMOTE_GONE,
    REMOTE_MERGED, /* lives on as merged_into */
};

/* One remote object as read. Everything belongs to the page's arena. */
struct remote_record {
    struct str remote_id; /* the id asked for, or the listed one */
    enum remote_state state;
    /* REMOTE_MERGED: the survivor's id. The survivor follows as a record of its own */
    struct str merged_into;
    const struct str *merged_from; /* live survivor: former ids it absorbed, when the CRM tells */
    size_t merged_from_count;
    struct str correlation_key; /* our record id as found in the correlation property; "" none */
    int64_t modified_ms;        /* the CRM's last-modified; 0 unknown */
    int64_t created_ms;         /* 0 unknown */
    /* object: property → JSON value as the mapping sees it; a property that was not in the answer
     * is not a member. NULL when gone */
    json_t *props;
    /* object: property → integer ms; NULL when not asked for or not known */
    json_t *props_times;
};

struct remote_page {
    struct remote_record *records;
    size_t count;
    /* next position (arena); meaningful also when !has_more: where the next run starts */
    struct str cursor;
    bool has_more;
    /* wall clock before the first request of this page was sent: guard against stale reads */
    int64_t began_ms;
    int64_t server_ms; /* server's Date, 0 unknown */
    /* expected number of records in this listing, -1 unknown: for progress only */
    int64_t total;
};

enum list_mode {
    LIST_ALL,     /* every live object once, by id: first import and census */
    LIST_CHANGED, /* everything changed since the cursor; may repeat, may not skip */
    LIST_DELETED, /* objects known to be deleted since the cursor (ADAPTER_LISTS_DELETED) */
};

/* cursor "": from the beginning. A cursor belongs to its mode. The cursor returned with the last page of LIST_ALL is a valid
 * LIST_CHANGED cursor that covers everything from before the scan began. */
struct list_request {
    const char *kind;
    enum list_mode mode;
    /* what the mapping reads; the adapter adds what it needs itself */
    const struct str *properties;
    size_t properties_count;
    struct str cursor;
};

struct fetch_request {
    const char *kind;
    const struct str *properties;
    size_t properties_count;
    const struct str *remote_ids;
    size_t remote_ids_count; /* at most batch_read_max */
    bool with_times;         /* ADAPTER_FIELD_TIMES */
};

/* Exact look-up by one property: natural key, or ADAPTER_CORRELATION for our own key. */
struct find_request {
    const char *kind;
    const char *property; /* property name, or ADAPTER_CORRELATION */
    const struct str *values;
    size_t values_count; /* at most batch_read_max */
    const struct str *properties;
    size_t properties_count;
    int64_t since_ms; /* hint: objects created before this need not be looked at; 0 = all */
};
#define ADAPTER_CORRELATION "@correlation"

enum write_outcome {
    /* not attempted (another item's failure ended the batch first): safe to send again */
    WRITE_PENDING = 0,
    WRITE_DONE,   /* remote_id and returned are set */
    WRITE_EXISTS, /* create refused because remote_id already holds a unique value of it */
    /* see error: RECORD (set aside), STALE (gone or merged: read again), THROTTLED, … Certainly not
     * applied */
    WRITE_REFUSED,
    WRITE_UNKNOWN, /* may have been applied: look it up before sending again */
};

/* One create (remote_id empty) or update. The adapter fills the result part. */
struct write_item {
    struct str remote_id;       /* in: "" = create. out: id of the object */
    struct str correlation_key; /* create: our record id */
    json_t *props;              /* only what changes; borrowed. JSON null clears */
    enum write_outcome outcome;
    /* WRITE_DONE: the object after the write, when the answer shows it; props NULL otherwise.
     * Members that were not really written (a failed association) are not in props */
    struct remote_record returned;
    struct error error;
};

struct remove_item {
    struct str remote_id;
    enum write_outcome outcome; /* DONE also when it was gone already */
    struct error error;
};

struct setup_request {
    const char *const *kinds;
    size_t kinds_count;
};
struct setup_report {
    int created; /* properties created */
    int present; /* found as wanted */
};

struct adapter {
    const char *name;  /* "hubspot" */
    const char *title; /* "HubSpot" */
    unsigned capabilities;
    struct adapter_object objects[ADAPTER_OBJECTS_MAX]; /* ends with kind NULL */
    const char *default_base_url;
    const char *const *allowed_hosts;                   /* NULL-terminated, exact or "*.suffix" */
    struct limit_bucket_spec limits[LIMIT_BUCKETS_MAX]; /* ends with name NULL */
    size_t batch_read_max;
    /* items of one upsert() call; the adapter splits them into the fewest requests */
    size_t batch_write_max;
    const char *token_hint; /* where a person finds a token */

    /* Validates settings; no network. session is freed by close(). */
    enum fail (*open)(struct env *env, struct http_client *client, const struct account *account,
                      struct session **ret, struct error *err);
    void (*close)(struct session *session); /* accepts NULL */
    /* One cheap call: the token works, this is whose account. */
    enum fail (*check)(struct session *session, struct arena *arena, struct account_facts *ret,
                       struct error *err);
    enum fail (*describe)(struct session *session, const char *kind, struct arena *arena,
                          struct remote_schema *ret, struct error *err);
    /* Makes sure the correlation property exists; idempotent. */
    enum fail (*ensure_setup)(struct session *session, const struct setup_request *request,
                              struct setup_report *ret, struct error *err);
    enum fail (*list)(struct session *session, const struct list_request *request,
                      struct arena *arena, struct remote_page *ret, struct error *err);
    /* One record per asked id, in any order; survivors of merges appear in addition. An id that cannot be read for another reason
     * than deletion (403) is left out. */
    enum fail (*fetch_many)(struct session *session, const struct fetch_request *request,
                            struct arena *arena, struct remote_page *ret, struct error *err);
    /* Live objects that match exactly (verified by reading, not by trusting a search index). Several may match one value. For
     * ADAPTER_CORRELATION the look-up must be strongly consistent where the CRM offers such a path. */
    enum fail (*find)(struct session *session, const struct find_request *request,
                      struct arena *arena, struct remote_page *ret, struct error *err);
    /* Creates and updates; an outcome per item. Returns not-OK only when nothing more can be sent (AUTH, THROTTLED, CANCELLED, …);
     * items already decided keep their outcome even then. */
    enum fail (*upsert)(struct session *session, const char *kind, struct arena *arena,
                        struct write_item *items, size_t count, struct error *err);
    /* Archives / deletes. Same rules. */
    enum fail (*remove)(struct session *session, const char *kind, struct remove_item *items,
                        size_t count, struct error *err);
};

/* Pseudo-properties in props and mappings. "associations.company": remote id (string) of the primary company of a HubSpot contact,
 * null for none. Pipedrive needs none: org_id is a property. Pipedrive custom fields appear in props under their 40-hex key and, in
 * mappings, may be written "custom:Field name": the adapter resolves the name through describe(). */

/* Generated from the file names in adapters/: ends with NULL. */
extern const struct adapter *const adapters[];
const struct adapter *adapter_by_name(struct str name); /* NULL unknown */
/* The object entry of a kind, or NULL when this CRM has none. */
const struct adapter_object *adapter_object_of(const struct adapter *adapter, const char *kind);

/* The custom property that carries our record id at every CRM. */
#define CORRELATION_PROPERTY "crmsync_id"
#define CORRELATION_LABEL "crmsync id"

#endif
