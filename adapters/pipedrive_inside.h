/* Inside of the Pipedrive adapter: the session, its custom fields, and the one way to make a
 * call. Not for other files. pipedrive.c: table, account, users, calls; pipedrive_fields.c: custom
 * fields; pipedrive_describe.c, pipedrive_setup.c: what there is, what must be; pipedrive_read.c:
 * by id; pipedrive_list.c: listings; pipedrive_find.c, pipedrive_alike.c: finding;
 * pipedrive_write.c: writing; pipedrive_deal.c: people, stages and states of deals;
 * pipedrive_activity.c: activities and notes as one kind. */
#ifndef CRMSYNC_ADAPTERS_PIPEDRIVE_INSIDE_H
#define CRMSYNC_ADAPTERS_PIPEDRIVE_INSIDE_H

#include "adapters/adapter.h"

enum {
    PD_PAGE_MAX = 500,
    PD_IDS_MAX = 100,
    PD_CUSTOM_KEYS_MAX = 15,
    PD_OVERLAP_MS = 60 * 1000, /* read again this far back: late commits, clocks, whole seconds */
    PD_CODE_LENGTH = 40,       /* of a custom field's key, lower-case hex */
};
/* In the order of the adapter's objects. */
enum pipedrive_kind { PD_CONTACT, PD_COMPANY, PD_DEAL, PD_ACTIVITY, PD_KINDS };
/* Buckets, in the order of the adapter's table. */
enum pipedrive_bucket { PD_BURST, PD_SEARCH, PD_TOKENS };

extern const struct adapter adapter_pipedrive;

/* Custom fields in mappings: "custom:Name". */
#define PD_CUSTOM_PREFIX "custom:"

/* Prices in tokens. source: x-token-cost of Pipedrive's OpenAPI documents, 2026-08 */
enum {
    PD_COST_GET = 1,
    PD_COST_LIST = 10,
    PD_COST_WRITE = 5,
    PD_COST_DELETE = 3,
    PD_COST_SEARCH = 20,
    PD_COST_ME = 2,
    PD_COST_STAGES = 5,
    PD_COST_ARCHIVE = 20,
    PD_COST_V1_LIST = 20, /* notes, users, activity types */
    PD_COST_V1_GET = 2,
    PD_COST_V1_WRITE = 10,
    PD_COST_V1_DELETE = 6,
    PD_COST_PARTICIPANTS = 10
};

struct pipedrive_option {
    char *value; /* what travels: digits for enum and set */
    char *label;
};

/* One field definition of a kind. */
struct pipedrive_field {
    char *code; /* 40 hex for a custom one */
    char *name;
    char *type;
    bool is_custom;
    struct pipedrive_option *options; /* owned */
    size_t options_count;
};

struct pipedrive_fields {
    bool is_loaded;
    int64_t set_up_ms; /* read by a set-up just then: good for one description, 0 not */
    struct pipedrive_field *at;
    size_t count;
};

struct pipedrive_stage {
    int64_t id, pipeline_id, position;
    char *name;
};
/* All stages, and all pipelines with pipeline_id 0. */
struct pipedrive_stages {
    bool is_loaded;
    struct pipedrive_stage *at;
    size_t count;
};

/* One thread at a time. */
struct session {
    struct env *env;
    struct http_client *client;
    struct http_account account;
    char *base_url;       /* owned, no slash at the end */
    struct secret header; /* value of the credential's header */
    bool is_oauth;
    /* loaded when first needed */
    struct pipedrive_fields fields[PD_KINDS];
    struct pipedrive_stages stages;
    char *user_id; /* owned: who we are there */
};

struct pipedrive_answer {
    json_t *body;
    json_t *data; /* body's "data", NULL when missing or null */
    int status;
    int64_t began_ms, server_ms;
};

struct pipedrive_call {
    enum http_method method;
    struct str path; /* with query */
    json_t *body;    /* borrowed; NULL none */
    int64_t tokens;
    bool is_search;
    bool is_safe;
};

/* Builds the HTTP call; texts live in arena. */
void pipedrive_prepare(struct session *session, const struct pipedrive_call *call,
                       struct arena *arena, struct http_call *ret);
/* Reads an executed one. err is set on failure; ret->body may hold the error document. */
enum fail pipedrive_answer_of(struct http_call *http, struct arena *arena,
                              struct pipedrive_answer *ret, struct error *err);
enum fail pipedrive_exec(struct session *session, const struct pipedrive_call *call,
                         struct arena *arena, struct pipedrive_answer *ret, struct error *err);
enum fail pipedrive_classify(const struct http_response *response, struct http_account *account,
                             struct error *err);

/* A 403 that concerns one object (hidden, or not this user's to change), not the plan or the
 * token's scopes. Pure. */
bool pipedrive_is_about_record(const struct http_response *response);

/* "persons"; of the activities, which are two objects, "activities" */
const char *pipedrive_object(const char *kind);
enum pipedrive_kind pipedrive_kind_index(const char *kind);
/* Our own user's id, asked for once. */
enum fail pipedrive_own_user(struct session *session, struct str *ret, struct error *err);
enum fail pipedrive_users(struct session *session, struct arena *arena, struct remote_users *ret,
                          struct error *err);

/* Where the kind's field definitions are: "personFields". */
const char *pipedrive_fields_path(const char *kind);
/* Loads the kind's field definitions once; reload forces it. */
enum fail pipedrive_load_fields(struct session *session, const char *kind, bool reload,
                                struct error *err);
const struct pipedrive_field *pipedrive_field_named(const struct session *session, const char *kind,
                                                    struct str name);
/* 40-hex code that a property means: "custom:Name" by name, a code itself as it is; STR_NONE for
 * built-in and unknown ones. */
struct str pipedrive_custom_code(const struct session *session, const char *kind,
                                 struct str property);
/* Loads the definitions and checks that every "custom:Name" is there, once; reads them anew
 * before it fails with FAIL_CONNECTION. */
enum fail pipedrive_ready(struct session *session, const char *kind, const struct str *properties,
                          size_t count, struct error *err);
/* FAIL_CONNECTION: the field that carries our key is missing. */
enum fail pipedrive_no_key(const char *kind, struct error *err);
/* The definitions may have changed: they are read again before the next use. */
void pipedrive_distrust_fields(struct session *session, const char *kind);
void pipedrive_free_fields(struct session *session);

/* Loads stages and pipelines once; reload forces it. */
enum fail pipedrive_load_stages(struct session *session, bool reload, struct error *err);
const struct pipedrive_stage *pipedrive_stage_of(const struct session *session, int64_t id);
void pipedrive_free_stages(struct session *session);

enum fail pipedrive_describe(struct session *session, const char *kind, struct arena *arena,
                             struct remote_schema *ret, struct error *err);
enum fail pipedrive_ensure_setup(struct session *session, const struct setup_request *request,
                                 struct setup_report *ret, struct error *err);

/* One object of an answer into a record. */
enum fail pipedrive_read_record(const struct session *session, const char *kind,
                                const struct str *properties, size_t count, const json_t *item,
                                struct arena *arena, struct remote_record *ret, struct error *err);
/* "&custom_fields=…" for the keys that the properties need, "" when there are none or too many
 * to restrict. */
struct str pipedrive_custom_query(const struct session *session, const char *kind,
                                  const struct str *properties, size_t count, struct arena *arena);

/* The same, with what else has to be asked for by name. */
struct str pipedrive_extra_query(const struct session *session, const char *kind,
                                 const struct str *properties, size_t count, struct arena *arena);

/* Rows of an answer; data may be null on an empty list. Room for PD_IDS_MAX more records is
 * left. */
enum fail pipedrive_read_rows(const struct session *session, const char *kind,
                              const struct str *properties, size_t count,
                              const struct pipedrive_answer *answer, struct arena *arena,
                              struct remote_page *page, struct error *err);
struct str pipedrive_next_cursor(const struct pipedrive_answer *answer); /* len 0: the end */
/* Surely made before since_ms. */
bool pipedrive_is_before(const struct remote_record *record, int64_t since_ms);
/* OBJECT_NO_KEY: objects of our own making that look like what was sent. */
enum fail pipedrive_find_alike(struct session *session, const struct find_request *request,
                               struct arena *arena, struct remote_page *ret, struct error *err);
enum fail pipedrive_find(struct session *session, const struct find_request *request,
                         struct arena *arena, struct remote_page *ret, struct error *err);

/* --- people of deals --------------------------------------------------------------------------- */

#define PD_DEAL_CONTACTS "deal.contacts"

struct pipedrive_participant {
    int64_t id; /* of the participation, 0 unknown */
    int64_t person_id;
};
struct pipedrive_people {
    struct pipedrive_participant *at; /* arena */
    size_t count;
};
/* The participants of one deal, as read. */
struct pipedrive_crowd {
    int64_t deal_id;
    struct pipedrive_people people;
    enum fail result;
    struct error error;
};

int64_t pipedrive_id_of(const json_t *value); /* integer or its text; 0 for anything else */
bool pipedrive_people_have(const struct pipedrive_people *people, int64_t person_id);
struct pipedrive_people pipedrive_people_of(const json_t *list, struct arena *arena);
/* Numbers, as all ids here are; first before the others, each once; first 0: none. */
json_t *pipedrive_people_json(int64_t first, const struct pipedrive_people *people,
                              struct arena *arena);
/* Fails only when nothing more can be sent; else each crowd has its result. */
enum fail pipedrive_read_people(struct session *session, struct pipedrive_crowd *crowds,
                                size_t count, struct arena *arena, struct error *err);
bool pipedrive_wants(const struct str *properties, size_t count, const char *name);
/* Gives the page's deals their people, when the properties ask for them. */
enum fail pipedrive_add_people(struct session *session, const struct str *properties, size_t count,
                               struct arena *arena, struct remote_page *page, struct error *err);

/* --- writing deals ------------------------------------------------------------------------------ */

/* What a write means for the participants of one deal. */
struct pipedrive_people_work {
    struct write_item *item;
    struct pipedrive_people wanted, present;
    int64_t person; /* who is the deal's person after the write; 0 none */
    bool
        must_read; /* the list has to be read first: something is to be removed, or it is unknown */
    int64_t adds,
        removals; /* how many when nothing surprises; removals without the former person */
    int64_t done; /* changes that were made */
    bool failed;
    struct error error;
};

/* Makes a body of the item's members into one that Pipedrive takes. Stages are loaded when
 * pipedrive_deal_needs_stages(). */
void pipedrive_deal_body(const struct session *session, json_t *body, const struct write_item *item,
                         struct arena *arena);
bool pipedrive_deal_needs_stages(const struct write_item *item);
/* False: the participants are right once the deal itself is written. Pure; ret->item is left to the
 * caller. */
bool pipedrive_deal_people(const struct write_item *item, struct arena *arena,
                           struct pipedrive_people_work *ret);
/* Nothing of them was sent, for that reason. */
void pipedrive_give_up_people(struct pipedrive_people_work *works, size_t count,
                              const struct error *err);
/* Fails only when nothing more can be sent; works[i].failed says what became of each. */
enum fail pipedrive_write_people(struct session *session, struct pipedrive_people_work *works,
                                 size_t count, struct arena *arena, struct error *err);

/* --- activities and notes ----------------------------------------------------------------------- */

bool pipedrive_is_note(struct str remote_id);        /* "note:34" */
bool pipedrive_is_activity_id(struct str remote_id); /* either form, with a number */
struct str pipedrive_bare_id(struct str remote_id);  /* "34"; an id without a prefix as it is */
struct str pipedrive_prefixed_id(bool is_note, struct str id, struct arena *arena);
/* Adds the pseudo-properties of a v2 activity. */
void pipedrive_activity_props(const json_t *item, struct arena *arena, json_t *props);
/* One note of v1 into a record. */
enum fail pipedrive_read_note(const json_t *item, struct arena *arena, struct remote_record *ret,
                              struct error *err);
/* One page of v1's list of notes. since: "" or RFC 3339. */
enum fail pipedrive_read_notes(struct session *session, int64_t start, const char *sort,
                               const char *since, struct arena *arena, struct remote_page *page,
                               struct error *err);
bool pipedrive_writes_note(const struct write_item *item);
/* Makes a body of the item's members into one that Pipedrive takes. FAIL_RECORD: it never will. */
enum fail pipedrive_activity_body(json_t *body, const struct write_item *item, struct arena *arena,
                                  struct error *err);

enum fail pipedrive_list(struct session *session, const struct list_request *request,
                         struct arena *arena, struct remote_page *ret, struct error *err);
enum fail pipedrive_fetch_many(struct session *session, const struct fetch_request *request,
                               struct arena *arena, struct remote_page *ret, struct error *err);
enum fail pipedrive_upsert(struct session *session, const char *kind, struct arena *arena,
                           struct write_item *items, size_t count, struct error *err);
enum fail pipedrive_remove(struct session *session, const char *kind, struct remove_item *items,
                           size_t count, struct error *err);
int64_t pipedrive_upsert_calls(const char *kind, const struct write_item *items, size_t count);
int64_t pipedrive_remove_calls(const char *kind, const struct remove_item *items, size_t count);

/* --- webhooks --------------------------------------------------------------------------------- */

extern const char *const pipedrive_webhook_types[];
enum fail pipedrive_webhook_verify(const struct webhook_settings *settings,
                                   const struct webhook_delivery *delivery,
                                   struct webhook_proof *ret, struct error *err);
enum fail pipedrive_webhook_parse(const struct webhook_settings *settings,
                                  const struct webhook_delivery *delivery, struct arena *arena,
                                  struct webhook_events *ret, struct error *err);
void pipedrive_webhook_answer(bool is_accepted, struct webhook_answer *ret);
enum fail pipedrive_subscribe(struct session *session, const struct webhook_wanted *wanted,
                              struct arena *arena, struct webhook_report *ret, struct error *err);
enum fail pipedrive_unsubscribe(struct session *session, const struct webhook_wanted *wanted,
                                struct arena *arena, struct webhook_report *ret, struct error *err);

#endif
