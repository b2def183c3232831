/* Inside of api/: what the parts of the router share. */
#ifndef CRMSYNC_API_INSIDE_H
#define CRMSYNC_API_INSIDE_H

#include "api/followers.h"
#include "api/handles.h"
#include "api/orders.h"
#include "api/rate.h"
#include "api/router.h"

struct api {
    struct env *env;
    struct api_host host;
    struct handles *handles;
    struct orders *orders;
    struct followers *followers;
    struct rate *tokens;    /* requests of a token */
    struct rate *addresses; /* attempts without a good token */
    struct secret local_token;
    uint8_t local_hash[SHA256_BYTES];
};

/* --- match.c --- */

enum api_match { API_MATCH_NONE, API_MATCH_OTHER_METHOD, API_MATCH };
/* Fills route and parameters. API_MATCH_OTHER_METHOD: *ret_allow lists the methods of the path ("GET, POST"); arena's. */
enum api_match api_match(struct api_call *call, struct str *ret_allow);
/* Words of a route's query or body: is name one of them. */
bool api_names(const char *words, struct str name);

/* --- admit.c: who asks, and may they --- */

/* FAIL_AUTH with 401, 403 or 429 set. Fills role, token and tenant. */
enum fail api_admit(struct api_call *call, struct error *err);
/* A try that showed no good credential. FAIL_THROTTLED, 429: too many from there. */
enum fail api_count_attempt(struct api_call *call, struct error *err);

/* scrape.c: what may be asked without a token, because of who asks. */
bool api_is_public_scrape(const struct api_call *call);

/* --- ask.c: query and body --- */

enum fail api_check_query(struct api_call *call, struct error *err);
enum fail api_read_body(struct api_call *call, struct error *err);

/* --- answer.c --- */

/* Commands in a text for people, for the call's tenant (core/advice.h). Arena's. */
struct str api_advice(const struct api_call *call, struct str text);
int api_status_of(const struct api_call *call, const struct error *err);
const char *api_reason(int status);
/* Writes what the call answered, or its failure as problem+json, into response. */
void api_render(struct api_call *call, const struct error *err, struct http_response *response);

#endif
