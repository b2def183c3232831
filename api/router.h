/* Inside of api/: the table of routes, and what a handler works with. One row is one method of one path: what it needs, and who may use it. Rows stand in
 * api/routes.c; api/openapi.json describes each (a test compares), and tests/unit/api/test_matrix.c has a line for each. */
#ifndef CRMSYNC_API_ROUTER_H
#define CRMSYNC_API_ROUTER_H

#include "api/api.h"
#include "core/jx.h"

struct api_call;
typedef enum fail api_handler_fn(struct api_call *call, struct error *err);

enum api_scope {
    API_SCOPE_TENANT,  /* of the token's tenant; a token for all tenants says which one */
    API_SCOPE_SERVICE, /* of the whole service: tokens for all tenants alone */
};

struct api_route {
    enum http_method method;
    const char *pattern; /* "/api/crm/records/{kind}/{id}" */
    enum api_role role;  /* the least one; ROLE_NONE: everybody, without a token */
    enum api_scope scope;
    api_handler_fn *handle;
    const char *query; /* parameters it knows, "limit after"; NULL none. Others are refused */
    const char *body;  /* members of its JSON body, likewise; NULL: it takes no body */
};

const struct api_route *api_routes(size_t *ret_count);

enum { API_PARAMETERS_MAX = 4, API_LIMIT_DEFAULT = 50, API_LIMIT_MAX = 500 };

struct api_parameter {
    struct str name, value;
};

/* One request at work. */
struct api_call {
    struct api *api;
    struct env *env;
    struct arena *arena; /* of the call */
    const struct api_host *host;
    const struct http_request *request;
    const struct api_route *route;
    struct api_parameter parameters[API_PARAMETERS_MAX];
    struct api_setup setup;
    const struct api_tenant *tenant; /* NULL for ROLE_NONE and API_SCOPE_SERVICE */
    enum api_role role;
    int64_t token_id; /* 0: asked in this process, or by its user on this machine */
    struct str token_name;
    int64_t token_tenant_id;
    uint8_t token_hash[SHA256_BYTES]; /* of a token in the store */
    bool is_for_all;
    json_t *body; /* an object, perhaps empty */

    /* the answer */
    int status;            /* 0 = 200; of a failure: 0 = by its code */
    json_t *answer;        /* arena's */
    struct str text, type; /* instead of answer: content and its type; arena's or static */
    struct http_headers headers;
    struct http_response *response; /* for a handler that opens a stream; NULL in process */
    bool is_answered;               /* the handler has filled response itself */

    struct store *reader, *writer; /* taken when first needed */
};

/* --- for handlers -------------------------------------------------------------------------------------------- */

/* A transaction of the call's tenant. */
enum fail api_read(struct api_call *call, struct tx **ret, struct error *err) MUST_CHECK;
enum fail api_write(struct api_call *call, struct tx **ret, struct error *err) MUST_CHECK;
/* A handle for functions that make transactions of their own. NULL: err says why. */
struct store *api_writer(struct api_call *call, struct error *err);

/* "" when the pattern has no such name; percent-decoded. */
struct str api_parameter(const struct api_call *call, const char *name);
/* "" when absent. */
struct str api_query(const struct api_call *call, const char *name);
/* FAIL_CONFIG. The parameter absent: otherwise. */
enum fail api_query_flag(const struct api_call *call, const char *name, bool *ret,
                         struct error *err) MUST_CHECK;
enum fail api_query_limit(const struct api_call *call, size_t *ret, struct error *err) MUST_CHECK;
enum fail api_query_after(const struct api_call *call, int64_t *ret, struct error *err) MUST_CHECK;
/* A number in the path. FAIL_RECORD, 404. */
enum fail api_parameter_id(struct api_call *call, const char *name, int64_t *ret,
                           struct error *err) MUST_CHECK;

/* Gives the failure that err holds this status and returns its code. */
enum fail api_status(struct api_call *call, int status, const struct error *err);
/* {"items": rows, "next": after or null}, with a Link header. take_rows is given away. after 0: no more. */
void api_page(struct api_call *call, json_t *take_rows, int64_t after);
/* The answer is this tree, given away. */
void api_answer(struct api_call *call, json_t *take_tree);
/* ETag of a version; true: the client has it already, and the answer is 304 without a body. */
bool api_is_known(struct api_call *call, int64_t version);
/* If-Match, or member "version" of the body; 0 = neither. FAIL_CONFIG. */
enum fail api_expected_version(struct api_call *call, int64_t *ret, struct error *err) MUST_CHECK;
void api_header(struct api_call *call, const char *name, struct str value);
/* FAIL_CONFIG, 501: this process does not offer that. */
enum fail api_not_offered(struct api_call *call, const char *what, struct error *err);
/* The connection named in the path, query or body, as configured. FAIL_CONFIG, 404. */
enum fail api_connection(struct api_call *call, struct str name,
                         const struct connection_settings **ret, struct error *err) MUST_CHECK;

#endif
