/* Inside of the HubSpot adapter: the session and the one way to make a call. Not for other files. */
#ifndef CRMSYNC_ADAPTERS_HUBSPOT_INSIDE_H
#define CRMSYNC_ADAPTERS_HUBSPOT_INSIDE_H

#include "adapters/adapter.h"

enum {
    HS_PAGE_MAX = 100,
    HS_BATCH_MAX = 100,
    HS_HISTORY_MAX = 50,
    HS_SEARCH_PAGE_MAX = 200,
    HS_SEARCH_RESULTS_MAX = 10000
};
/* Buckets, in the order of the adapter's table. */
enum hubspot_bucket { HS_BURST, HS_SEARCH, HS_DAILY };

struct session {
    struct env *env;
    struct http_client *client;
    struct http_account account;
    char *base_url;              /* owned, no slash at the end */
    char *version;               /* owned: "2026-09", "v3" */
    struct secret authorization; /* "Bearer …" */
};

/* One call and its parsed answer. */
struct hubspot_answer {
    json_t *body; /* NULL when the answer had none */
    int status;
    int64_t began_ms;
    int64_t server_ms; /* Date header, 0 unknown */
};

struct hubspot_call {
    enum http_method method;
    struct str path; /* with query */
    json_t *body;    /* borrowed; NULL none */
    bool is_search;
    bool is_safe; /* may be repeated */
};

/* OK for 2xx. Otherwise the code of hubspot_classify; ret->body may hold the error document then too. */
enum fail hubspot_exec(struct session *session, const struct hubspot_call *call,
                       struct arena *arena, struct hubspot_answer *ret, struct error *err);
enum fail hubspot_classify(const struct http_response *response, struct http_account *account,
                           struct error *err);

/* "contacts" of a kind; the caller has checked that the adapter has it. */
const char *hubspot_object(const char *kind);
const char *hubspot_modified_property(const char *kind);
/* /crm/objects/{version}/contacts + tail, or the legacy form. */
struct str hubspot_objects_path(const struct session *session, struct arena *arena,
                                const char *kind, const char *tail);
struct str hubspot_associations_path(const struct session *session, struct arena *arena,
                                     const char *tail);
struct str hubspot_properties_path(const struct session *session, struct arena *arena,
                                   const char *kind, const char *tail);

/* Reads one object of an answer into a record (borrows from the tree). */
enum fail hubspot_read_record(const json_t *item, struct arena *arena, struct remote_record *ret,
                              struct error *err);
/* Company of each contact by one association batch read; sets props["associations.company"] of the live records. */
enum fail hubspot_read_companies(struct session *session, struct arena *arena,
                                 struct remote_record *records, size_t count, struct error *err);
bool hubspot_wants_company(const char *kind, const struct str *properties, size_t count);
#define HS_COMPANY_PROPERTY "associations.company"
/* JSON array of the property names to ask for, ours added, pseudo-properties left out. */
json_t *hubspot_property_list(const char *kind, const struct str *properties, size_t count);

enum fail hubspot_list(struct session *session, const struct list_request *request,
                       struct arena *arena, struct remote_page *ret, struct error *err);
enum fail hubspot_fetch_many(struct session *session, const struct fetch_request *request,
                             struct arena *arena, struct remote_page *ret, struct error *err);
enum fail hubspot_find(struct session *session, const struct find_request *request,
                       struct arena *arena, struct remote_page *ret, struct error *err);
enum fail hubspot_upsert(struct session *session, const char *kind, struct arena *arena,
                         struct write_item *items, size_t count, struct error *err);
enum fail hubspot_remove(struct session *session, const char *kind, struct remove_item *items,
                         size_t count, struct error *err);

#endif
