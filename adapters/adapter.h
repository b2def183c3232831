/* The contract with a CRM. An adapter is one const table: data about the CRM and blocking functions that any worker may call.
 * No globals, no SQL, no sleeping, no retry loops: http_exec() waits and repeats, classify() says what an answer means.
 * Adding a CRM = one adapters/<crm>.c defining adapter_<crm>, one config/mappings/<crm>.yaml, one tests/fixtures/<crm>/. */
#ifndef CRMSYNC_ADAPTERS_ADAPTER_H
#define CRMSYNC_ADAPTERS_ADAPTER_H

#include <jansson.h>

#include "adapters/adapter_webhook.h"
#include "core/arena.h"
#include "core/env.h"
#include "core/fail.h"
#include "core/secret.h"
#include "core/str.h"
#include "http/client.h"
#include "oauth/provider.h"

enum { ADAPTER_CURSOR_BYTES_MAX = 4096, ADAPTER_OBJECTS_MAX = 8 };

enum adapter_capability {
    ADAPTER_FIELD_TIMES = 1 << 0,    /* fetch_many can give a time per property */
    ADAPTER_LISTS_DELETED = 1 << 1,  /* list_deleted() exists */
    ADAPTER_MERGE_REDIRECT = 1 << 3, /* reading a merged-away id returns the survivor */
    ADAPTER_CHANGE_EVENTS = 1 << 4,  /* account.wants_events is understood */
};

enum adapter_trait {
    /* the correlation property is unique: a repeated create is answered with the first */
    OBJECT_UNIQUE_KEY = 1 << 0,
    /* objects have no place for our key: find(ADAPTER_CORRELATION) compares what was sent */
    OBJECT_NO_KEY = 1 << 1,
};

/* Names of one unified kind at this CRM. */
struct adapter_object {
    const char *kind; /* "contact" */
    /* "contacts" / "persons": as in the API path; "" where a kind is several objects there */
    const char *object;
    const char *title; /* "contact" / "person": for people */
    unsigned traits;
};

/* Where and as whom. All borrowed for the life of the session. */
struct account {
    const char *connection;     /* name of the connection, for messages and limit keys */
    struct str base_url;        /* "" = the CRM's own; else scheme://host[:port], no path */
    struct str api_version;     /* "" = adapter's default */
    const struct secret *token; /* a fixed one; empty when auth is set */
    bool token_is_oauth;        /* bearer instead of a private token where the CRM differs */
    /* signed in by OAuth: given to http_account, which sets the Authorization header itself. NULL = token */
    struct http_auth *auth;
    /* the app's own, where the provider has app_token_path and change events are wanted; NULL none */
    struct http_auth *app_auth;
    enum lane lane;
    /* ADAPTER_CHANGE_EVENTS: LIST_CHANGED takes the CRM's change events in place of queries wherever it can; cursors serve both */
    bool wants_events;
    /* kinds that the mapping places at an object of this account (custom objects), in addition to
     * the adapter's own; NULL when objects_count is 0 */
    const struct adapter_object *objects;
    size_t objects_count;
};

struct session; /* defined by each adapter */

/* Which account a token opens. */
struct account_facts {
    struct str account_id; /* portal id / company id */
    struct str title;      /* company domain or portal name */
    struct str time_zone;  /* "" unknown */
    struct str user_id;    /* who we are there, "" unknown */
};

/* One value of an enumeration. Pipelines, stages and activity types are described as options of the
 * property that holds them; a label that several options share is made distinct ("Sales / New"). */
struct remote_option {
    struct str value; /* as in props */
    struct str label; /* as people see it */
};

/* One property of an object, as the CRM describes it; pseudo-properties as well. */
struct remote_property {
    struct str name; /* as used in props and mappings */
    struct str label;
    struct str type; /* the CRM's own word */
    bool is_writable;
    bool is_required;
    bool is_custom;
    bool is_unique;
    const struct remote_option *options; /* of an enumeration; none = anything goes */
    size_t options_count;
};
struct remote_schema {
    const struct remote_property *properties;
    size_t count;
};

/* Who can own records there. Those who left are listed too. */
struct remote_user {
    struct str remote_id; /* as owner properties hold it */
    struct str email;     /* "" unknown */
    struct str name;
    bool is_active;
};
struct remote_users {
    const struct remote_user *at;
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
    /* OBJECT_NO_KEY: what the create of each value sent. Every object that looks like it and is
     * ours by its creator is returned, with the value as correlation_key. Else NULL */
    const json_t *const *sent;
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
    const json_t *current;      /* update: props as last read, borrowed; NULL unknown */
    enum write_outcome outcome;
    /* WRITE_DONE: the object after the write, when the answer shows it; props NULL otherwise.
     * Members that were not really written (a failed association) are not in props */
    struct remote_record returned;
    struct error error;
};

/* One of very many creates, packed: an adapter with create_many() is handed thousands of them at a time. */
struct create_item {
    struct str correlation_key; /* our record id */
    struct str props;           /* what write_item.props is, packed; borrowed */
    enum write_outcome outcome;
    struct str remote_id; /* WRITE_DONE, WRITE_EXISTS */
    /* WRITE_DONE: as write_item.returned; its props may be packed as well */
    struct remote_record returned;
    struct str returned_props; /* then returned.props is NULL; "" none */
    const struct error *error; /* arena of the call; NULL none */
};

struct remove_item {
    struct str remote_id;
    enum write_outcome outcome; /* DONE also when it was gone already */
    struct error error;
};

enum property_type {
    PROPERTY_TEXT,
    PROPERTY_LONG_TEXT,
    PROPERTY_NUMBER,
    PROPERTY_BOOLEAN,
    PROPERTY_DATE,
    PROPERTY_DATETIME,
    PROPERTY_ENUM,
    PROPERTY_MULTI_ENUM,
};

/* A property that a mapping file declares: made at the CRM when it is not there. */
struct property_wanted {
    const char *kind;
    struct str name; /* internal name; Pipedrive: the field's name */
    struct str label;
    struct str
        group; /* HubSpot: internal name of the group, made when missing; "" = the default one */
    enum property_type type;
    bool is_unique;
    const struct remote_option *options; /* enumerations */
    size_t options_count;
};

struct setup_request {
    const char *const *kinds;
    size_t kinds_count;
    const struct property_wanted *properties;
    size_t properties_count;
};
struct setup_report {
    int created;       /* properties created */
    int present;       /* found as wanted */
    int options_added; /* to enumerations that were there */
};

struct adapter {
    const char *name;  /* "hubspot" */
    const char *title; /* "HubSpot" */
    unsigned capabilities;
    struct adapter_object objects[ADAPTER_OBJECTS_MAX]; /* ends with kind NULL */
    const char *default_base_url;
    const char *const *allowed_hosts;                   /* NULL-terminated, exact or "*.suffix" */
    struct limit_bucket_spec limits[LIMIT_BUCKETS_MAX]; /* ends with name NULL */
    int daily_units_of_write; /* what one writing call takes from the daily budget */
    size_t batch_read_max;
    /* items of one upsert() call; the adapter splits them into the fewest requests */
    size_t batch_write_max;
    size_t create_many_max;             /* items of one create_many() call */
    const char *token_hint;             /* where a person finds a token */
    const struct oauth_provider *oauth; /* NULL: fixed tokens only */

    /* Validates settings; no network. session is freed by close(). */
    enum fail (*open)(struct env *env, struct http_client *client, const struct account *account,
                      struct session **ret, struct error *err);
    void (*close)(struct session *session); /* accepts NULL */
    /* One cheap call: the token works, this is whose account. */
    enum fail (*check)(struct session *session, struct arena *arena, struct account_facts *ret,
                       struct error *err);
    enum fail (*describe)(struct session *session, const char *kind, struct arena *arena,
                          struct remote_schema *ret, struct error *err);
    /* Everybody who can own a record; one or a few calls. */
    enum fail (*users)(struct session *session, struct arena *arena, struct remote_users *ret,
                       struct error *err);
    /* Makes sure that the correlation property and the wanted ones exist, with their options; idempotent, removes nothing.
     * FAIL_CONNECTION: one exists with another type, or not unique where it must be. */
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
    /* The same for creates only, very many at a time; NULL: they go by upsert(). Memory of a few hundred bytes an item beside what the
     * items hold. */
    enum fail (*create_many)(struct session *session, const char *kind, struct arena *arena,
                             struct create_item *items, size_t count, struct error *err);
    /* Archives / deletes. Same rules. */
    enum fail (*remove)(struct session *session, const char *kind, struct remove_item *items,
                        size_t count, struct error *err);
    /* Removes an object for good, where the CRM has a way for its kind: *ret_is_final. Else nothing is done, and remove() is the way. OK also when it is
     * gone already. NULL: there is no such way. */
    enum fail (*erase)(struct session *session, const char *kind, struct str remote_id,
                       bool *ret_is_final, struct error *err);
    int bin_days; /* so long a removed object can be brought back there */
    /* HTTP calls that these would take when nothing goes wrong. Pure: for plans. */
    int64_t (*upsert_calls)(const char *kind, const struct write_item *items, size_t count);
    int64_t (*remove_calls)(const char *kind, const struct remove_item *items, size_t count);
    int64_t (*create_calls)(const char *kind, const struct create_item *items, size_t count);

    /* Webhooks. All NULL: this CRM has none. Pure but for the last two; any thread. Verify first: what did not prove itself is not parsed. */
    unsigned webhook_means; /* enum webhook_means */
    const char *const
        *webhook_content_types; /* NULL-terminated, without parameters; of deliveries */
    /* FAIL_AUTH: not from there, or not for this connection (answer 401). FAIL_STALE: signed too long ago, or ahead of our clock (401). FAIL_CONFIG:
     * nothing is set up to hold it against (503). Messages never show what was wrong in it. */
    enum fail (*webhook_verify)(const struct webhook_settings *settings,
                                const struct webhook_delivery *delivery, struct webhook_proof *ret,
                                struct error *err);
    /* FAIL_RECORD: not what this CRM sends (answer 400). FAIL_AUTH: of another account (401), where that can be seen only here. Events are the
     * arena's. */
    enum fail (*webhook_parse)(const struct webhook_settings *settings,
                               const struct webhook_delivery *delivery, struct arena *arena,
                               struct webhook_events *ret, struct error *err);
    /* is_accepted: the events are durable. Else the CRM is told to send them again. Bodies live for ever. */
    void (*webhook_answer)(bool is_accepted, struct webhook_answer *ret);
    /* Makes the subscriptions that send to wanted->url match, idempotently; leaves those of others alone. FAIL_CONNECTION: not allowed, or no
     * room for more. */
    enum fail (*subscribe)(struct session *session, const struct webhook_wanted *wanted,
                           struct arena *arena, struct webhook_report *ret, struct error *err);
    /* Removes them. */
    enum fail (*unsubscribe)(struct session *session, const struct webhook_wanted *wanted,
                             struct arena *arena, struct webhook_report *ret, struct error *err);
    /* ADAPTER_CHANGE_EVENTS, where an API decides what events there are: makes that match kinds and properties of wanted, idempotently; without kinds none are
     * left of this account. NULL: there is no such API. */
    enum fail (*select_events)(struct session *session, const struct webhook_wanted *wanted,
                               struct arena *arena, struct webhook_report *ret, struct error *err);
};

/* Pseudo-properties in props and mappings have a dot in their name. They are members of props like any other, in both directions.
 *
 * HubSpot  associations.company             remote id (string) of the primary company, else of the lowest id; null for none
 *          associations.contacts            array of remote ids
 *          associations.deal                remote id; of several the lowest
 *          deal.stage, deal.status          the stage while the deal is open (no member once it is closed); "open", "won", "lost".
 *                                           Both live in dealstage: an adapter writes it from the two and from `current`
 *          activity.type .subject .body .timestamp .done
 *                                           calls, emails, meetings, notes and tasks are one kind "activity" there; remote ids are "calls:123".
 *                                           type cannot change after the create; notes have no subject; done is a task's status, true for
 *                                           calls and emails, no member for notes and meetings
 * Pipedrive deal.contacts                   array of ids: person_id and the participants. person_id stays while it is one of them, else the first
 *          activity.type .subject .body .timestamp .done .contacts
 *                                           activities and notes are one kind "activity" there; remote ids are "activity:12", "note:34".
 *                                           timestamp is due date and time of an activity (ISO; a date alone when it has no time), add_time of a note
 * Salesforce deal.stage, deal.status        as HubSpot's; both live in StageName, and OpportunityStage says what each stage means
 *          deal.contacts                    array of contact ids: the contact roles, the primary one first
 *          RecordType.DeveloperName         of every object that has record types; lives in RecordTypeId
 *          contact.lead_status              Status of a lead; contacts have no such member. Leads are of the kind contact when the mapping names it: they
 *                                           have a contact's members (City is MailingCity there), a create that sets it makes one, and a
 *                                           converted lead lives on as its contact
 *          activity.type .subject .body .timestamp .done .contacts .company .deal
 *                                           tasks and events are one kind "activity" there; an id's prefix says which. An event is a meeting. A task is a call or
 *                                           an email by TaskSubtype or Type, a note by Type "Note", else a task.
 *                                           timestamp is StartDateTime of an event (a date alone when it lasts all day), ActivityDate (a date alone) of a
 *                                           task; done is IsClosed of a task, no member for notes and events; contacts has WhoId alone; company and deal are
 *                                           WhatId: of an activity about an opportunity company is no member, of one about anything else than an account or
 *                                           an opportunity neither is
 *          Names that Salesforce insists on (LastName; Name of accounts, opportunities and custom objects; Company of leads) are "[not provided]" there where
 *          they are blank here, in both directions: props never hold that text.
 * Pipedrive custom fields appear in props under their 40-hex key and, in mappings, may be written "custom:Field name": the adapter
 * resolves the name through describe(). */

/* Generated from the file names in adapters/: ends with NULL. */
extern const struct adapter *const adapters[];
const struct adapter *adapter_by_name(struct str name); /* NULL unknown */
/* The object entry of a kind, or NULL when this CRM has none. */
const struct adapter_object *adapter_object_of(const struct adapter *adapter, const char *kind);

/* Creates by create_many() where the adapter has it, else by upsert(): outcomes as there. At most adapter_create_max() items. */
enum fail adapter_create(const struct adapter *adapter, struct session *session, const char *kind,
                         struct arena *arena, struct create_item *items, size_t count,
                         struct error *err);
size_t adapter_create_max(const struct adapter *adapter);
/* adapter_packed.c: props in few bytes, and back. Not text, and for this process only. */
struct str adapter_pack(struct arena *arena, const json_t *props);
json_t *adapter_unpack(struct arena *arena, struct str packed);

/* The value of a header: scheme before the fixed token. Nothing of it stays elsewhere. */
void adapter_credential(const char *scheme, const struct secret *token, struct secret *ret);

/* The custom property that carries our record id at every CRM. */
#define CORRELATION_PROPERTY "crmsync_id"
#define CORRELATION_LABEL "crmsync id"

#endif
