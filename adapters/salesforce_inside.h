/* Inside of the Salesforce adapter: the session, its objects, and the one way to make a call. Not for other files. salesforce.c:
 * table, account, users; salesforce_calls.c: calls; salesforce_answer.c: what an answer means; salesforce_ids.c: ids;
 * salesforce_objects.c: what the session knows of each object; salesforce_schema.c: the same as a schema; salesforce_soql.c: queries;
 * salesforce_rows.c: one row as a record; salesforce_activity.c: tasks and events as one kind; salesforce_deal.c: people of deals,
 * stages; salesforce_read.c: by id; salesforce_find.c: finding; salesforce_list.c, salesforce_bulk_query.c: listings;
 * salesforce_events.h: listings by change events. */
#ifndef CRMSYNC_ADAPTERS_SALESFORCE_INSIDE_H
#define CRMSYNC_ADAPTERS_SALESFORCE_INSIDE_H

#include "adapters/adapter.h"

/* source: REST API Developer Guide, "Send Multiple Requests Using Composite", "sObject Collections"; Salesforce Developer Limits and
 * Allocations Quick Reference, "API Request Limits" */
enum {
    SF_PAGE_MAX = 2000,      /* rows of one answer */
    SF_COMPOSITE_MAX = 25,   /* requests in one call */
    SF_QUERIES_MAX = 5,      /* of them queries or collections */
    SF_COLLECTION_MAX = 200, /* records written in one collection */
    /* an address may have 16,384 bytes together with its headers */
    SF_URL_BYTES_MAX = 15000,
    SF_ID_LENGTH = 18,
    SF_ID_SHORT = 15, /* without the suffix; compared byte for byte */
    SF_PREFIX_LENGTH = 3,
    SF_NAME_BYTES_MAX = 80, /* of an object or field */
    SF_PARTS_MAX = 2,       /* objects of one kind */
};

/* Buckets, in the order of the adapter's table. */
enum salesforce_bucket { SF_DAILY, SF_BUCKETS };

extern const struct adapter adapter_salesforce;

#define SF_CONTACT "Contact"
#define SF_LEAD "Lead"
#define SF_ACCOUNT "Account"
#define SF_OPPORTUNITY "Opportunity"
#define SF_ROLE "OpportunityContactRole"
#define SF_TASK "Task"
#define SF_EVENT "Event"
#define SF_CASE "Case"
#define SF_OWNER "OwnerId"

/* API name of the external id field that carries our key. */
#define SF_KEY_FIELD CORRELATION_PROPERTY "__c"

/* What stands in names that Salesforce insists on, where they are blank here. */
#define SF_NOT_PROVIDED "[not provided]"

/* Pseudo-properties. */
#define SF_LEAD_STATUS "contact.lead_status"
#define SF_RECORD_TYPE "RecordType.DeveloperName"
#define SF_DEAL_STAGE "deal.stage"
#define SF_DEAL_STATUS "deal.status"
#define SF_DEAL_CONTACTS "deal.contacts"
#define SF_ACTIVITY_TYPE "activity.type"
#define SF_ACTIVITY_SUBJECT "activity.subject"
#define SF_ACTIVITY_BODY "activity.body"
#define SF_ACTIVITY_TIMESTAMP "activity.timestamp"
#define SF_ACTIVITY_DONE "activity.done"
#define SF_ACTIVITY_CONTACTS "activity.contacts"
#define SF_ACTIVITY_COMPANY "activity.company"
#define SF_ACTIVITY_DEAL "activity.deal"

/* --- what the session knows of an object ------------------------------------------------------- */

/* A field as described. Members as the describe call has them; texts live as long as the object's description. */
struct salesforce_field {
    struct str name, label, type;
    int64_t length; /* of texts, 0 otherwise */
    int64_t scale;  /* of numbers: digits behind the point that are kept */
    bool is_nillable, is_createable, is_updateable, is_defaulted, is_calculated, is_custom;
    bool is_unique, is_external_id, is_case_sensitive, is_id_lookup, is_filterable;
    bool is_restricted; /* picklist that takes no other values */
    const struct remote_option *options;
    size_t options_count;
    const struct str *refers_to; /* "Account", of a reference */
    size_t refers_to_count;
};

struct salesforce_record_type {
    struct str id, developer_name, label;
    bool is_available, is_master;
};

/* One object of the account. */
struct salesforce_object {
    char *name;            /* owned: "Contact" */
    struct arena arena;    /* holds everything below */
    bool is_loaded;        /* described */
    bool is_missing;       /* asked for: this user cannot see such an object */
    int64_t read_ms;       /* wall clock when it was described or found unchanged */
    struct str changed_at; /* Last-Modified of the description, "" unknown */
    struct str prefix;     /* "003", "" unknown */
    struct str label;
    bool is_createable, is_updateable, is_deletable;
    const struct salesforce_field *fields; /* sorted by name */
    size_t fields_count;
    const struct salesforce_record_type *record_types;
    size_t record_types_count;
};

/* How much of the account its user may see. */
enum salesforce_sight { SIGHT_UNKNOWN, SIGHT_PART, SIGHT_ALL };

/* One thread at a time. */
struct session {
    struct env *env;
    struct http_client *client;
    struct http_account account;
    char *base_url;                       /* owned, no slash at the end */
    char *root;                           /* owned: "/services/data/v66.0" */
    struct secret authorization;          /* "Bearer …"; empty when account.auth is set */
    const struct adapter_object *objects; /* borrowed: kinds the mapping places elsewhere */
    size_t objects_count;
    struct salesforce_object **known; /* owned, each as well */
    size_t known_count;
    char *user_id; /* owned: who we are there; "" not told, NULL not asked yet */
    enum salesforce_sight sight;
    int64_t ahead_ms; /* of the server's clock against ours, as its last Date said */
    struct salesforce_bulk_page *bulk;  /* owned: results of a bulk query not handed out yet */
    struct salesforce_choices *choices; /* owned: NULL not asked for; salesforce_write.h */
    const char *connection;             /* borrowed: its name, for what people are told */
    bool wants_events;
    struct salesforce_stream *stream; /* owned: NULL not used yet; salesforce_events.h */
    json_t *written;                  /* owned: what was written lately; salesforce_echo.c */
};

/* --- calls ------------------------------------------------------------------------------------ */

struct salesforce_call {
    enum http_method method;
    /* below the version ("/sobjects/Contact/describe"), or from "/services/" or "/cometd/" on; with query */
    struct str path;
    json_t *body;         /* borrowed; NULL none */
    struct str text;      /* in place of body: CSV to upload */
    const char *if_after; /* If-Modified-Since; NULL none */
    json_t *headers;      /* borrowed: further headers, name → text; NULL none */
    bool is_safe;         /* may be repeated */
    bool
        may_be_missing; /* 404 is about the object asked for (FAIL_STALE); else the address is wrong */
    bool has_text_answer; /* answer->text instead of answer->body */
    /* none of the day's calls. source: Change Data Capture Developer Guide, "Allocations": events have an allowance of their own */
    bool is_uncounted;
};

struct salesforce_answer {
    json_t *body;    /* NULL when it had none (204, 304) */
    struct str text; /* has_text_answer; arena */
    int status;
    int64_t began_ms, server_ms; /* server_ms: Date header, 0 unknown */
    struct str changed_at;       /* Last-Modified */
    struct str locator;          /* Sforce-Locator as sent; STR_NONE when there was none */
    json_t *cookies;             /* arena: name → value, of every Set-Cookie; NULL none */
};

/* "Contact" of this version: the path of a call as it stands in a request. */
struct str salesforce_full_path(const struct session *session, struct arena *arena,
                                struct str path);
/* OK for 2xx and 304 with a readable body (writes: also without one). Otherwise the code of salesforce_classify. */
enum fail salesforce_exec(struct session *session, const struct salesforce_call *call,
                          struct arena *arena, struct salesforce_answer *ret, struct error *err);

/* One request inside a composite call, which costs one call however many it holds. */
struct salesforce_sub {
    enum http_method method;
    struct str path;     /* as in a call */
    json_t *body;        /* borrowed; NULL none */
    json_t *headers;     /* borrowed: name → text; NULL none */
    bool may_be_missing; /* as in a call */
    int status;          /* 0: no word about it in the answer */
    json_t *answer;
    struct str changed_at; /* Last-Modified, "" unknown */
    /* as salesforce_judge has it; without a word about it FAIL_RETRY with is_outcome_unknown */
    enum fail result;
    struct error error;
};
/* In the order given, at most SF_COMPOSITE_MAX. Fails when nothing more can be sent or the call as a whole failed (then every sub has
 * that failure); else each has its own result. all_or_none: one failure undoes all. */
enum fail salesforce_composite(struct session *session, struct salesforce_sub *subs, size_t count,
                               bool is_safe, bool all_or_none, struct arena *arena,
                               struct salesforce_answer *ret, struct error *err);

enum fail salesforce_classify(const struct http_response *response, struct http_account *account,
                              struct error *err);
/* What a status with its error document means: [{"errorCode" or "statusCode", "message", "fields"}], one such object, or NULL. Pure. */
enum fail salesforce_judge(int status, const json_t *body, struct error *err);
/* The code of an error document's first error, "" none. */
struct str salesforce_error_code(const json_t *body);

/* Our own user's id, asked for once; "" when the token may not tell. */
enum fail salesforce_own_user(struct session *session, struct str *ret, struct error *err);

/* --- ids -------------------------------------------------------------------------------------- */

/* 15 characters, or 18 with the right suffix. */
bool salesforce_is_id(struct str id);
/* With its suffix; an 18-character id as it is. The id has been checked. */
struct str salesforce_id18(struct arena *arena, struct str id);
bool salesforce_same_id(struct str x, struct str y);
bool salesforce_has_prefix(struct str id, const char *prefix);

/* --- objects ---------------------------------------------------------------------------------- */

/* What people call the kind's object here. */
const char *salesforce_title(const struct session *session, const char *kind);
/* Objects that a kind lives in: names with static or session life. with_leads: of contacts, Lead too. */
size_t salesforce_parts(const struct session *session, const char *kind, bool with_leads,
                        const char *ret[SF_PARTS_MAX]);
/* Which of the kind's objects an id belongs to, by its prefix; NULL none of them. Leads are always among the contacts' objects. */
const char *salesforce_part_of_id(struct session *session, const char *kind, struct str id);
/* The names as described, when loaded; else an entry that says so. */
struct salesforce_object *salesforce_object_named(struct session *session, const char *name);
/* Describes what is not described yet, all in one call; again: also what was, when it changed since. A missing one is no failure. */
enum fail salesforce_load_objects(struct session *session, const char *const *names, size_t count,
                                  bool again, struct error *err);
/* NULL: no such field, or this user cannot see it. */
const struct salesforce_field *salesforce_field_named(const struct salesforce_object *object,
                                                      struct str name);
/* Loads the kind's objects and checks that each property is known to one of them; describes them anew before it fails with
 * FAIL_CONNECTION. */
enum fail salesforce_ready(struct session *session, const char *kind, const struct str *properties,
                           size_t count, struct error *err);
/* FAIL_CONNECTION: the field that carries our key is missing. */
enum fail salesforce_no_key(const char *object, struct error *err);
/* The descriptions may have changed: they are read again before the next use. */
void salesforce_distrust_objects(struct session *session);
void salesforce_free_objects(struct session *session);
bool salesforce_wants(const struct str *properties, size_t count, const char *name);
bool salesforce_is_pseudo(struct str property);
/* A contact's property as a lead has it ("MailingCity" is "City"); others as they are. */
struct str salesforce_lead_field(struct str property);

/* --- queries ---------------------------------------------------------------------------------- */

/* 'text' with what SOQL needs escaped. */
void salesforce_quote(struct buf *ret, struct str text);

struct salesforce_query {
    struct str soql;
    bool is_all;     /* with deleted and archived rows */
    bool is_whole;   /* all pages of the answer, not only the first */
    json_t *records; /* out: array */
    int64_t total;   /* out: rows of the whole result; of COUNT() the count */
    bool is_cut;     /* out: there is more behind the records */
};
/* Five to a call. Fails when one of them does. ret: the first answer. */
enum fail salesforce_query(struct session *session, struct salesforce_query *queries, size_t count,
                           struct arena *arena, struct salesforce_answer *ret, struct error *err);

/* A query as one of several requests in a call, and its first page out of what was answered. */
struct salesforce_sub salesforce_query_sub(const struct salesforce_query *query,
                                           struct arena *arena);
enum fail salesforce_query_answer(const struct salesforce_sub *sub, struct salesforce_query *query,
                                  struct error *err);

/* "head IN ('value',…)tail", split so that each fits an address; live rows, whole results. Returns how many. */
size_t salesforce_in_queries(struct arena *arena, struct str head, const struct str *values,
                             size_t count, struct str tail, struct salesforce_query **ret);

/* What a query reads of one object: its own members, those of the properties, and what pseudo-properties are made of. For find and
 * list alike. ready has been called. */
struct str salesforce_select(struct session *session, const char *object,
                             const struct str *properties, size_t count, struct arena *arena);
/* Rows that are no records of ours (copies of events for invitees, masters of series, person accounts): " AND …" to leave them out. */
struct str salesforce_filter(struct session *session, const char *object, struct arena *arena);

/* --- rows ------------------------------------------------------------------------------------- */

/* Takes the row's members over as the record's props. */
enum fail salesforce_read_row(struct session *session, const char *object, json_t *row,
                              struct arena *arena, struct remote_record *ret, struct error *err);
/* Appends to the page. */
enum fail salesforce_read_rows(struct session *session, const char *object, json_t *rows,
                               struct arena *arena, struct remote_page *page, struct error *err);
/* The owner is our own user, as far as that has been asked for: salesforce_ready does when owners are read or written. */
bool salesforce_is_own(const struct session *session, const json_t *owner);
/* Add the pseudo-properties to an object's own members. */
void salesforce_show_activity(bool is_event, json_t *props);
void salesforce_show_stage(json_t *props);
/* Gives the page's deals their people, when the properties ask for them. */
enum fail salesforce_add_people(struct session *session, const struct str *properties, size_t count,
                                struct arena *arena, struct remote_page *page, struct error *err);
/* Appends the survivors of the page's merged records, to the end of each chain. */
enum fail salesforce_follow_merges(struct session *session, const char *kind,
                                   const struct str *properties, size_t count, struct arena *arena,
                                   struct remote_page *page, struct error *err);
/* Appends what is known of these ids, deleted ones too; nothing about those that the account does not show. */
enum fail salesforce_read_ids(struct session *session, const char *kind,
                              const struct str *properties, size_t properties_count,
                              const struct str *ids, size_t ids_count, struct arena *arena,
                              struct remote_page *page, struct error *err);

/* --- bulk queries ----------------------------------------------------------------------------- */

/* Where the reading of a bulk query stands. Zeroed: not begun. */
struct salesforce_bulk {
    struct str job;     /* its id */
    int64_t made_ms;    /* wall clock when it was asked for: what it answers may be as old */
    struct str locator; /* the part of the results that is being read, "" the first */
    int64_t row;        /* rows of that part handed out */
    bool is_over;       /* out: nothing is left */
};
/* All of the properties can be read that way. source: Bulk API 2.0, "SOQL Considerations" (no compound fields) */
bool salesforce_can_bulk(struct session *session, const char *object, const struct str *properties,
                         size_t count);
/* The next rows of the object, as a query would have them; the first call only asks for the job and gives none. FAIL_THROTTLED: the job
 * is not done. *ret_refused: this org or user may have none, or the job is lost: read in another way. */
enum fail salesforce_bulk_read(struct session *session, const char *object, struct str soql,
                               struct salesforce_bulk *bulk, struct arena *arena, json_t **ret_rows,
                               bool *ret_refused, struct error *err);
void salesforce_free_bulk(struct session *session);

/* --- the contract ----------------------------------------------------------------------------- */

enum fail salesforce_describe(struct session *session, const char *kind, struct arena *arena,
                              struct remote_schema *ret, struct error *err);
/* LIST_CHANGED by queries; salesforce_ready has been called. */
enum fail salesforce_poll(struct session *session, const struct list_request *request,
                          struct arena *arena, struct remote_page *page, struct error *err);
enum fail salesforce_list(struct session *session, const struct list_request *request,
                          struct arena *arena, struct remote_page *ret, struct error *err);
enum fail salesforce_fetch_many(struct session *session, const struct fetch_request *request,
                                struct arena *arena, struct remote_page *ret, struct error *err);
enum fail salesforce_find(struct session *session, const struct find_request *request,
                          struct arena *arena, struct remote_page *ret, struct error *err);

/* --- webhooks --------------------------------------------------------------------------------- */

extern const char *const salesforce_webhook_types[];
enum fail salesforce_webhook_verify(const struct webhook_settings *settings,
                                    const struct webhook_delivery *delivery,
                                    struct webhook_proof *ret, struct error *err);
enum fail salesforce_webhook_parse(const struct webhook_settings *settings,
                                   const struct webhook_delivery *delivery, struct arena *arena,
                                   struct webhook_events *ret, struct error *err);
void salesforce_webhook_answer(bool is_accepted, struct webhook_answer *ret);
enum fail salesforce_subscribe(struct session *session, const struct webhook_wanted *wanted,
                               struct arena *arena, struct webhook_report *ret, struct error *err);
enum fail salesforce_unsubscribe(struct session *session, const struct webhook_wanted *wanted,
                                 struct arena *arena, struct webhook_report *ret,
                                 struct error *err);

#endif
