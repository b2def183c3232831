/* Inside of the Pipedrive adapter: the session, its custom fields, and the one way to make a
 * call. Not for other files. */
#ifndef CRMSYNC_ADAPTERS_PIPEDRIVE_INSIDE_H
#define CRMSYNC_ADAPTERS_PIPEDRIVE_INSIDE_H

#include "adapters/adapter.h"

enum {
    PD_PAGE_MAX = 500,
    PD_IDS_MAX = 100,
    PD_CUSTOM_KEYS_MAX = 15,
    PD_OVERLAP_MS = 60 * 1000, /* read again this far back: late commits, clocks, whole seconds */
    PD_CODE_LENGTH = 40,       /* of a custom field's key, lower-case hex */
    PD_KINDS = 2
};
/* Buckets, in the order of the adapter's table. */
enum pipedrive_bucket { PD_BURST, PD_SEARCH, PD_TOKENS };

extern const struct adapter adapter_pipedrive;

/* Prices in tokens. source: x-token-cost of Pipedrive's OpenAPI documents, 2026-08 */
enum {
    PD_COST_GET = 1,
    PD_COST_LIST = 10,
    PD_COST_WRITE = 5,
    PD_COST_DELETE = 3,
    PD_COST_SEARCH = 20,
    PD_COST_ME = 2
};

/* One field definition of a kind. */
struct pipedrive_field {
    char *code; /* 40 hex for a custom one */
    char *name;
    char *type;
    bool is_custom;
    int64_t *options; /* owned: ids of the options, what travels for enum and set */
    size_t options_count;
};

struct pipedrive_fields {
    bool is_loaded;
    struct pipedrive_field *at;
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
    struct pipedrive_fields fields[PD_KINDS]; /* loaded when first needed */
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

const char *pipedrive_object(const char *kind); /* "persons" */
int pipedrive_kind_index(const char *kind);

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

/* Rows of an answer; data may be null on an empty list. Room for PD_IDS_MAX more records is
 * left. */
enum fail pipedrive_read_rows(const struct session *session, const char *kind,
                              const struct str *properties, size_t count,
                              const struct pipedrive_answer *answer, struct arena *arena,
                              struct remote_page *page, struct error *err);
struct str pipedrive_next_cursor(const struct pipedrive_answer *answer); /* len 0: the end */
enum fail pipedrive_find(struct session *session, const struct find_request *request,
                         struct arena *arena, struct remote_page *ret, struct error *err);

enum fail pipedrive_list(struct session *session, const struct list_request *request,
                         struct arena *arena, struct remote_page *ret, struct error *err);
enum fail pipedrive_fetch_many(struct session *session, const struct fetch_request *request,
                               struct arena *arena, struct remote_page *ret, struct error *err);
enum fail pipedrive_upsert(struct session *session, const char *kind, struct arena *arena,
                           struct write_item *items, size_t count, struct error *err);
enum fail pipedrive_remove(struct session *session, const char *kind, struct remove_item *items,
                           size_t count, struct error *err);

#endif
