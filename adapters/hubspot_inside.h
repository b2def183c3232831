/* Inside of the HubSpot adapter: the session and the one way to make a call. Not for other files.
 * hubspot.c: table, account, calls; hubspot_answer.c: what an answer means; hubspot_schema.c:
 * properties, users; hubspot_setup.c: what crmsync makes there; hubspot_pipelines.c: stages and
 * deal.stage, deal.status; hubspot_read.c: one object, by id, finding; hubspot_list.c: listings;
 * hubspot_write.c: writing; hubspot_links.c: associations read, hubspot_link_writes.c: written;
 * hubspot_activities.c: five objects as one kind, hubspot_activity_fields.c: their members;
 * hubspot_types.c: ids of object types; hubspot_events.h: listings by the webhooks journal. */
#ifndef CRMSYNC_ADAPTERS_HUBSPOT_INSIDE_H
#define CRMSYNC_ADAPTERS_HUBSPOT_INSIDE_H

#include "adapters/adapter.h"

enum {
    HS_PAGE_MAX = 100,
    HS_BATCH_MAX = 100,
    HS_GROUP_MAX = 1000, /* ids of one call of the contract */
    HS_WRITE_MAX = 500,  /* items of one; five requests' worth */
    HS_HISTORY_MAX = 50,
    HS_SEARCH_PAGE_MAX = 200,
    /* source: developers.hubspot.com, associate records guide */
    HS_LINKS_READ_MAX = 1000,
    HS_LINKS_WRITE_MAX = 2000,
    /* Longer addresses were refused with 414 by some gateways from 8 KB on. Source:
     * github.com/airbytehq/airbyte issue 33976 */
    HS_URL_BYTES_MAX = 6000,
};

/* Buckets, in the order of the adapter's table. */
enum hubspot_bucket { HS_BURST, HS_SEARCH, HS_DAILY, HS_LINKS, HS_BUCKETS };

extern const struct adapter adapter_hubspot;

struct session {
    struct env *env;
    struct http_client *client;
    struct http_account account;
    char *base_url;                       /* owned, no slash at the end */
    char *version;                        /* owned: "2026-09", "v3" */
    struct secret authorization;          /* "Bearer …" */
    const struct adapter_object *objects; /* borrowed: custom objects */
    size_t objects_count;
    struct arena pipelines_arena;
    struct hubspot_pipelines *pipelines; /* of deals, in that arena; NULL not read yet */
    int64_t pipelines_read_ms;
    /* owned: object → answer of its properties as the set-up saw it, for the next describe() */
    json_t *seen;
    int64_t seen_ms;
    char *connection; /* owned: its name, for messages */
    bool wants_events;
    struct http_auth *app_auth;      /* borrowed: of the app itself; NULL none */
    struct hubspot_journal *journal; /* owned: NULL not used yet; hubspot_events.h */
    char *portal;                    /* owned: id of the account; NULL not asked yet */
    json_t *selected;                /* owned: the journal's subscriptions; NULL not read */
    int64_t selected_ms;             /* monotonic */
};

struct hubspot_call {
    enum http_method method;
    struct str path;            /* with query */
    json_t *body;               /* borrowed; NULL none */
    enum hubspot_bucket bucket; /* BURST, SEARCH or LINKS; DAILY is always charged as well */
    bool is_safe;               /* may be repeated */
    /* 404 is about the object asked for (FAIL_STALE); else it means that the address is wrong */
    bool may_be_missing;
};

/* The parsed answer of a call. */
struct hubspot_answer {
    json_t *body; /* NULL when it had none; may hold the error document of a failed call */
    int status;
    int64_t began_ms;
    int64_t server_ms; /* Date header, 0 unknown */
};

/* OK for 2xx with a readable body (writes: also without one). Otherwise the code of
 * hubspot_classify. */
enum fail hubspot_exec(struct session *session, const struct hubspot_call *call,
                       struct arena *arena, struct hubspot_answer *ret, struct error *err);

/* One of several calls that go out together. */
struct hubspot_try {
    struct hubspot_call call;
    struct hubspot_answer answer;
    enum fail result;
    struct error error;
};
/* Returns the gravest failure that concerns all of them; else OK, and each has its own result. */
enum fail hubspot_exec_all(struct session *session, struct hubspot_try *tries, size_t count,
                           struct arena *arena, struct error *err);

/* account->context: the enum hubspot_bucket that the call was charged to; NULL = HS_BURST. */
enum fail hubspot_classify(const struct http_response *response, struct http_account *account,
                           struct error *err);
/* Adds the words of a message that cannot be a customer's data: up to a quote or bracket, and
 * without those that hold an '@' or a digit. */
void hubspot_plain_words(struct str message, struct buf *ret);

/* How objects are called where they are not called by their path. */
struct hubspot_type {
    const char *word, *type_id, *kind, *part; /* part: of an activity, in front of the id */
};
enum { HS_TYPES = 9 };
extern const struct hubspot_type hubspot_types[HS_TYPES];

/* The five objects of an activity are kinds of their own in here: "activity/calls". */
#define HS_ACTIVITY "activity"
#define HS_ACTIVITY_PART "activity/"

/* "contacts" of a kind; the caller has checked that the session has it. */
const char *hubspot_object(const struct session *session, const char *kind);
bool hubspot_has_kind(const struct session *session, const char *kind);
const char *hubspot_modified_property(const char *kind);
/* /crm/objects/{version}/contacts + tail, or the legacy form. */
struct str hubspot_objects_path(const struct session *session, struct arena *arena,
                                const char *kind, const char *tail);
struct str hubspot_associations_path(const struct session *session, struct arena *arena,
                                     const char *tail);
struct str hubspot_properties_path(const struct session *session, struct arena *arena,
                                   const char *kind, const char *tail);
/* "pipelines/deals" in /crm, by version. */
struct str hubspot_path(const struct session *session, struct arena *arena, const char *family,
                        const char *tail);

/* Reads one object of an answer into a record (borrows from the tree). */
enum fail hubspot_read_record(const json_t *item, struct arena *arena, struct remote_record *ret,
                              struct error *err);
/* All of "results", in their order. */
enum fail hubspot_read_results(const json_t *body, struct arena *arena, struct remote_page *page,
                               struct error *err);
/* Where the next page begins; "" after the last. FAIL_RETRY when the answer names one that cannot
 * be read: taking that for the end would lose the rest. */
enum fail hubspot_next_after(struct arena *arena, const json_t *body, struct str *ret,
                             struct error *err);
/* Belongs to the mapping, not to the API: "associations.company", "deal.stage". */
bool hubspot_is_pseudo(struct str property);
bool hubspot_wants(const struct str *properties, size_t count, const char *name);
/* JSON array of the property names to ask for: ours and what pseudo-properties are made of added,
 * they themselves left out. */
json_t *hubspot_property_list(const struct str *properties, size_t count);
/* Sets the wanted pseudo-properties of live records. rows: of a listing with inline associations,
 * in the order of the records; NULL asks for them. */
enum fail hubspot_complete(struct session *session, const char *kind, const struct str *properties,
                           size_t properties_count, const json_t *rows,
                           struct remote_record *records, size_t count, struct arena *arena,
                           struct error *err);

/* --- associations ----------------------------------------------------------------------------- */

/* A pseudo-property that holds links, and the object they lead to. */
struct hubspot_relation {
    const char *property; /* "associations.company" */
    const char *to;       /* "companies" */
    const char *label;
    bool is_list;
};
enum { HS_RELATIONS = 3 };
extern const struct hubspot_relation hubspot_relations[HS_RELATIONS];
const struct hubspot_relation *hubspot_relation_of(struct str property); /* NULL */
/* The type that marks one company as the primary one; 0: this kind knows none. */
int hubspot_primary_type(const char *kind, const struct hubspot_relation *relation);
int hubspot_plain_type(const char *kind, const struct hubspot_relation *relation);

/* props[relation->property] of each live record by batch reads of 1,000. */
enum fail hubspot_read_links(struct session *session, struct arena *arena, const char *kind,
                             const struct hubspot_relation *relation, struct remote_record *records,
                             size_t count, struct error *err);
/* The same from the inline associations of a listing's rows; asks only where a row does not show
 * all that matters. */
enum fail hubspot_set_inline_links(struct session *session, struct arena *arena, const char *kind,
                                   const struct hubspot_relation *relation, const json_t *rows,
                                   struct remote_record *records, size_t count, struct error *err);
/* Writes the differences of the links of items that are there: WRITE_DONE, or PENDING when nothing
 * but links is to be written. Only differences between what is wanted and item->current are sent;
 * what current does not tell is read. is_new of each: made just now, it has none. */
enum fail hubspot_write_links(struct session *session, struct arena *arena, const char *kind,
                              struct write_item **items, const bool *is_new, size_t count,
                              struct error *err);
int64_t hubspot_link_calls(const char *kind, const struct write_item *items, size_t count);
/* A member of returned.props, which is made when it is not there. */
void hubspot_show(struct arena *arena, struct write_item *item, const char *property,
                  json_t *take_value);

/* --- deals ------------------------------------------------------------------------------------ */

struct hubspot_stage {
    struct str id, label, pipeline_id, pipeline_label;
    bool is_closed, is_won;
};
struct hubspot_pipelines {
    const struct hubspot_stage *stages; /* in the order people see */
    size_t count;
};
/* Pipelines of "deals" or "tickets", or of a custom object. */
enum fail hubspot_read_pipelines(struct session *session, const char *kind, struct arena *arena,
                                 struct hubspot_pipelines *ret, struct error *err);
/* Forgets what the session holds and reads it anew. */
enum fail hubspot_refresh_stages(struct session *session, struct error *err);
bool hubspot_wants_stage(const struct str *properties, size_t count);
/* deal.stage and deal.status from dealstage. */
enum fail hubspot_set_stages(struct session *session, struct remote_record *records, size_t count,
                             struct error *err);
/* The same of one record, with what the session knows. */
void hubspot_show_stage(const struct session *session, struct remote_record *record);
/* Updates whose present stage has to be read first. */
size_t hubspot_lacking_stages(const struct write_item *items, size_t count);
/* Replaces deal.stage, deal.status and pipeline in the props to send by pipeline and dealstage. An
 * item that cannot be written is refused here. */
enum fail hubspot_resolve_stages(struct session *session, struct arena *arena,
                                 struct write_item **items, size_t count, struct error *err);
/* Whether the item of a deal writes another stage than it has; pure. */
bool hubspot_moves_stage(const struct write_item *item);
/* pipeline, where it is written together with the stage only. */
bool hubspot_is_stage_part(const struct write_item *item, struct str property);

/* --- activities ------------------------------------------------------------------------------- */

enum { HS_ACTIVITIES = 5 };
/* How the members of an activity are called at one of the five objects. */
struct hubspot_activity {
    const char *type; /* "call" */
    const char *kind; /* "activity/calls" */
    const char *object;
    const char *title;
    const char *subject; /* NULL: it has none */
    const char *body, *body_plain /* read when body is empty; NULL */;
    const char *start, *end; /* move together with hs_timestamp; NULL */
    bool is_task;
    bool is_past; /* what is recorded has taken place */
    int contact_type, company_type, deal_type;
};
extern const struct hubspot_activity hubspot_activities[HS_ACTIVITIES];
const struct hubspot_activity *hubspot_activity_of_type(struct str type); /* NULL */
const struct hubspot_activity *hubspot_activity_of_kind(const char *kind);
/* What has to be read for these properties. Returns the number; ret has room for count + 8. */
size_t hubspot_activity_properties(const struct hubspot_activity *activity,
                                   const struct str *properties, size_t count, struct str *ret);
/* activity.* from the object's own members; the times too. */
void hubspot_activity_show(const struct hubspot_activity *activity, struct remote_record *record);
/* The object's own members from activity.*; current NULL: a create. */
json_t *hubspot_activity_hide(const struct hubspot_activity *activity, struct arena *arena,
                              const json_t *given, const json_t *current, bool is_create,
                              int64_t now_ms);

enum fail hubspot_activity_list(struct session *session, const struct list_request *request,
                                struct arena *arena, struct remote_page *ret, struct error *err);
enum fail hubspot_activity_fetch(struct session *session, const struct fetch_request *request,
                                 struct arena *arena, struct remote_page *ret, struct error *err);
enum fail hubspot_activity_find(struct session *session, const struct find_request *request,
                                struct arena *arena, struct remote_page *ret, struct error *err);
enum fail hubspot_activity_upsert(struct session *session, struct arena *arena,
                                  struct write_item *items, size_t count, struct error *err);
enum fail hubspot_activity_remove(struct session *session, struct remove_item *items, size_t count,
                                  struct error *err);
int64_t hubspot_activity_upsert_calls(const struct write_item *items, size_t count);
int64_t hubspot_activity_remove_calls(const struct remove_item *items, size_t count);

/* --- the contract, one object at a time ------------------------------------------------------- */

enum fail hubspot_describe(struct session *session, const char *kind, struct arena *arena,
                           struct remote_schema *ret, struct error *err);
/* The set-up and describe() of one run ask for the same: what the one saw the other takes, once.
 * answer NULL forgets it. */
void hubspot_keep_seen(struct session *session, const char *kind, json_t *answer);
/* Owned by the arena; NULL nothing fresh is held. */
json_t *hubspot_take_seen(struct session *session, const char *kind, struct arena *arena);
enum fail hubspot_users(struct session *session, struct arena *arena, struct remote_users *ret,
                        struct error *err);
enum fail hubspot_ensure_setup(struct session *session, const struct setup_request *request,
                               struct setup_report *ret, struct error *err);
enum fail hubspot_list(struct session *session, const struct list_request *request,
                       struct arena *arena, struct remote_page *ret, struct error *err);
enum fail hubspot_fetch_many(struct session *session, const struct fetch_request *request,
                             struct arena *arena, struct remote_page *ret, struct error *err);
enum fail hubspot_find(struct session *session, const struct find_request *request,
                       struct arena *arena, struct remote_page *ret, struct error *err);
enum fail hubspot_upsert(struct session *session, const char *kind, struct arena *arena,
                         struct write_item *items, size_t count, struct error *err);
enum fail hubspot_erase(struct session *session, const char *kind, struct str remote_id,
                        bool *ret_is_final, struct error *err);
enum fail hubspot_remove(struct session *session, const char *kind, struct remove_item *items,
                         size_t count, struct error *err);
int64_t hubspot_upsert_calls(const char *kind, const struct write_item *items, size_t count);
int64_t hubspot_remove_calls(const char *kind, const struct remove_item *items, size_t count);
/* Ids of objects whose property has the value, by search: hints. */
enum fail hubspot_search_ids(struct session *session, const char *kind, const char *property,
                             struct str value, struct arena *arena, struct str **ret,
                             size_t *ret_count, struct error *err);

/* --- webhooks --------------------------------------------------------------------------------- */

extern const char *const hubspot_webhook_types[];
enum fail hubspot_webhook_verify(const struct webhook_settings *settings,
                                 const struct webhook_delivery *delivery, struct webhook_proof *ret,
                                 struct error *err);
enum fail hubspot_webhook_parse(const struct webhook_settings *settings,
                                const struct webhook_delivery *delivery, struct arena *arena,
                                struct webhook_events *ret, struct error *err);
void hubspot_webhook_answer(bool is_accepted, struct webhook_answer *ret);
/* Properties of the kind as the mapping names them; ret has room for all. */
size_t hubspot_properties_of(const struct webhook_wanted *wanted, const char *kind,
                             struct str *ret);
/* The names of those that HubSpot tells of, each once; the arena's. */
json_t *hubspot_told_properties(struct arena *arena, const struct str *properties, size_t count);
enum fail hubspot_select_events(struct session *session, const struct webhook_wanted *wanted,
                                struct arena *arena, struct webhook_report *ret, struct error *err);
enum fail hubspot_subscribe(struct session *session, const struct webhook_wanted *wanted,
                            struct arena *arena, struct webhook_report *ret, struct error *err);
enum fail hubspot_unsubscribe(struct session *session, const struct webhook_wanted *wanted,
                              struct arena *arena, struct webhook_report *ret, struct error *err);

#endif
