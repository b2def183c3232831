/* Inside of the HubSpot adapter: the session and the one way to make a call. Not for other files.
 * hubspot.c: table, account, schema, set-up, calls; hubspot_answer.c: what an answer means;
 * hubspot_read.c: one object, by id, finding; hubspot_list.c: listings; hubspot_write.c: writing;
 * hubspot_links.c: the company of a contact. */
#ifndef CRMSYNC_ADAPTERS_HUBSPOT_INSIDE_H
#define CRMSYNC_ADAPTERS_HUBSPOT_INSIDE_H

#include "adapters/adapter.h"

enum {
    HS_PAGE_MAX = 100,
    HS_BATCH_MAX = 100,
    HS_HISTORY_MAX = 50,
    HS_SEARCH_PAGE_MAX = 200,
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
    char *base_url;              /* owned, no slash at the end */
    char *version;               /* owned: "2026-09", "v3" */
    struct secret authorization; /* "Bearer …" */
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
/* All of "results", in their order. */
enum fail hubspot_read_results(const json_t *body, struct arena *arena, struct remote_page *page,
                               struct error *err);
/* Where the next page begins; "" after the last. FAIL_RETRY when the answer names one that cannot
 * be read: taking that for the end would lose the rest. */
enum fail hubspot_next_after(struct arena *arena, const json_t *body, struct str *ret,
                             struct error *err);
/* Belongs to the mapping, not to the API: "associations.company". */
bool hubspot_is_pseudo(struct str property);
/* JSON array of the property names to ask for, ours added, pseudo-properties left out. */
json_t *hubspot_property_list(const struct str *properties, size_t count);

#define HS_COMPANY_PROPERTY "associations.company"
bool hubspot_wants_company(const char *kind, const struct str *properties, size_t count);
/* Company of each live contact by association batch reads; sets props["associations.company"]. */
enum fail hubspot_read_companies(struct session *session, struct arena *arena,
                                 struct remote_record *records, size_t count, struct error *err);
/* The same from the inline associations of a listing's rows; asks only for contacts with more
 * companies than a row shows. */
enum fail hubspot_set_inline_companies(struct session *session, struct arena *arena,
                                       const json_t *rows, struct remote_record *records,
                                       size_t count, struct error *err);

/* What became of one contact's company. */
enum hubspot_link_outcome { HS_LINK_OPEN, HS_LINK_DONE, HS_LINK_REFUSED };
struct hubspot_link {
    struct str contact, company; /* company "": none */
    enum hubspot_link_outcome outcome;
};
/* Makes each company its contact's primary one, or ends the primary association. On failure some
 * links may be decided already. */
enum fail hubspot_write_links(struct session *session, struct arena *arena,
                              struct hubspot_link *links, size_t count, struct error *err);

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
