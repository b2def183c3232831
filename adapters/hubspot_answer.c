/* HubSpot: what an answer means. Pure, apart from correcting the limits it was given.
 * Facts: developers.hubspot.com, error handling and usage guidelines, read 2026-11. */
#include "adapters/hubspot_inside.h"

#include "core/jx.h"

enum {
    ERROR_BODY_BYTES_MAX = 256 * 1024,
    DAILY_WAIT_MS =
        15 * 60 * 1000, /* it ends at midnight of a zone that the answer does not tell */
    BURST_WAIT_MS = 10 * 1000,
    SEARCH_WAIT_MS = 1000,
    LOCK_WAIT_MS = 2000,
    MOVE_WAIT_MS = 60 * 1000,
    UNITS_MAX = 100 * 1000 * 1000,
};

/* --- limits ----------------------------------------------------------------------------------- */

/* A count in a header; -1 when absent or not believable. */
static int64_t header_count(const struct http_response *response, const char *name)
{
    int64_t count;

    if (!str_to_i64(str_trim(http_header_get(&response->headers, name)), &count) || count < 0 ||
        count > UNITS_MAX) {
        return -1;
    }
    return count;
}

/* Search answers carry none of these; associations have a window of their own under the same names.
 * source: developers.hubspot.com, usage guidelines and associate records guide. */
static void correct_limits(const struct http_response *response, struct http_account *account)
{
    const enum hubspot_bucket *bucket = account->context;
    int64_t remaining = header_count(response, "X-HubSpot-RateLimit-Remaining");
    int64_t span_ms = header_count(response, "X-HubSpot-RateLimit-Interval-Milliseconds");
    int64_t daily = header_count(response, "X-HubSpot-RateLimit-Daily-Remaining");

    if (!account->limits) {
        return;
    }
    if (remaining >= 0 && !(bucket && *bucket == HS_SEARCH)) {
        limit_correct(account->limits, bucket ? (size_t)*bucket : HS_BURST,
                      header_count(response, "X-HubSpot-RateLimit-Max"), remaining,
                      span_ms > 0 ? span_ms : BURST_WAIT_MS);
    }
    if (daily >= 0) {
        limit_correct(account->limits, HS_DAILY,
                      header_count(response, "X-HubSpot-RateLimit-Daily"), daily, -1);
    }
}

/* --- error documents -------------------------------------------------------------------------- */

static bool is_harmless(struct str word)
{
    for (size_t i = 0; i < word.len; i++) {
        if (word.at[i] == '@' || (word.at[i] >= '0' && word.at[i] <= '9')) {
            return false;
        }
    }
    return word.len > 0;
}

void hubspot_plain_words(struct str message, struct buf *ret)
{
    struct str rest;

    for (size_t i = 0; i < message.len; i++) {
        if (strchr("[{\"", message.at[i])) {
            message.len = i;
        }
    }
    rest = message;
    while (rest.at) {
        struct str word = str_cut(&rest, ' ');

        if (is_harmless(word)) {
            buf_addf(ret, "%s%" PRI_STR, ret->len ? " " : "", STR_ARG(word));
        }
    }
}

/* Every member is optional, and the body may be HTML or empty. */
static json_t *error_document(const struct http_response *response, struct arena *arena)
{
    struct error ignored = {0};
    json_t *body = NULL;

    if (response->body.len == 0 || response->body.len > ERROR_BODY_BYTES_MAX ||
        jx_parse(arena, response->body, &body, &ignored) != OK || !json_is_object(body)) {
        return NULL;
    }
    return body;
}

static const char *said(struct arena *arena, const json_t *body)
{
    AUTO_BUF struct buf words = {0};

    buf_init(&words, 200);
    hubspot_plain_words(str_slice(jx_text_of(jx_get(body, "message")), 0, 160), &words);
    return words.len ? arena_printf(arena, ": %s", words.at).at : "";
}

static void add_scopes(const json_t *context, struct buf *ret)
{
    const json_t *scopes = jx_get(context, "requiredGranularScopes");

    for (size_t i = 0; i < json_array_size(scopes) && i < 8; i++) {
        buf_addf(ret, "%s%" PRI_STR, ret->len ? ", " : "",
                 STR_ARG(jx_text_of(json_array_get(scopes, i))));
    }
}

/* The scopes stand in errors[0].context, in a variant in context itself; any one of them does. */
static enum fail denied(struct arena *arena, const json_t *body, struct error *err)
{
    AUTO_BUF struct buf scopes = {0};

    if (!body) { /* a gateway's page, not HubSpot's own word */
        return error_set(err, FAIL_RETRY, "a gateway before hubspot answered 403");
    }
    buf_init(&scopes, 240);
    add_scopes(jx_get(json_array_get(jx_get(body, "errors"), 0), "context"), &scopes);
    add_scopes(jx_get(body, "context"), &scopes);
    error_set(err, FAIL_CONNECTION, "hubspot denies this token the access it needs%s",
              said(arena, body));
    if (scopes.len) {
        return error_hint(err, "give the token one of these scopes: %s", scopes.at);
    }
    return error_hint(err, "give the token the scopes crm.objects and crm.schemas of contacts, "
                           "companies and deals, read and write, crm.objects.owners.read, and "
                           "tickets or sales-email-read where those are synced");
}

/* --- status ----------------------------------------------------------------------------------- */

static enum fail wait_for(const struct http_response *response, int64_t otherwise_ms,
                          const char *why, struct error *err)
{
    int64_t wait_ms = http_retry_after_ms(&response->headers, response->ended_ms, otherwise_ms);

    error_set(err, FAIL_THROTTLED, "%s", why);
    err->wait_ms = wait_ms > 0 ? wait_ms : otherwise_ms;
    return FAIL_THROTTLED;
}

/* source: developers.hubspot.com, usage guidelines: policyName says which limit it was. */
static enum fail throttled(const struct http_response *response, const json_t *body,
                           struct error *err)
{
    struct str policy = jx_text_of(jx_get(body, "policyName"));

    if (str_equal(policy, STR("DAILY"))) {
        return wait_for(response, DAILY_WAIT_MS, "hubspot's daily limit is used up", err);
    }
    if (str_equal(policy, STR("SECONDLY"))) {
        return wait_for(response, SEARCH_WAIT_MS, "hubspot's limit of searches is reached", err);
    }
    return wait_for(response, BURST_WAIT_MS, "hubspot asks to wait", err);
}

static enum fail missing(struct arena *arena, const json_t *body, int status, struct error *err)
{
    if (body) {
        return error_set(err, FAIL_STALE, "hubspot answered %d%s", status, said(arena, body));
    }
    error_set(err, FAIL_CONNECTION, "what answered %d is not hubspot's API", status);
    return error_hint(err, "check 'base_url' and 'api_version' in crmsync.yaml");
}

static enum fail otherwise(struct arena *arena, const json_t *body, int status, struct error *err)
{
    if (status >= 500 || status == 408) {
        error_set(err, FAIL_RETRY, "hubspot answered %d%s", status, said(arena, body));
        err->is_outcome_unknown = true;
        return FAIL_RETRY;
    }
    if (status < 400) {
        error_set(err, FAIL_CONNECTION, "hubspot's address answered %d", status);
        return error_hint(err, "check 'base_url' in crmsync.yaml");
    }
    return error_set(err, FAIL_RECORD, "hubspot answered %d%s", status, said(arena, body));
}

static enum fail refused_token(struct error *err)
{
    error_set(err, FAIL_AUTH, "hubspot refused the token");
    return error_hint(err, "make a new token at HubSpot and give it with 'crmsync connect' (or in "
                           "the variable that the configuration names)");
}

enum fail hubspot_classify(const struct http_response *response, struct http_account *account,
                           struct error *err)
{
    AUTO_ARENA struct arena arena = {0};
    int status = response->status;
    json_t *body;
    enum fail code;

    correct_limits(response, account);
    if (status >= 200 && status <= 299) {
        return OK;
    }
    body = error_document(response, &arena);
    switch (status) {
    case 401:
        code = refused_token(err);
        break;
    case 403:
        code = denied(&arena, body, err);
        break;
    case 404:
    case 410:
        code = missing(&arena, body, status, err);
        break;
    case 409:
        code = error_set(err, FAIL_STALE, "hubspot answered 409%s", said(&arena, body));
        break;
    case 423: /* locks of 2 s after heavy writes to the same records */
        code = wait_for(response, LOCK_WAIT_MS, "hubspot has locked the records for a moment", err);
        break;
    case 429:
        code = throttled(response, body, err);
        break;
    case 477: /* Retry-After in seconds, up to a day */
        code = wait_for(response, MOVE_WAIT_MS, "hubspot is moving this account", err);
        break;
    default:
        code = otherwise(&arena, body, status, err);
    }
    err->http_status = status;
    return code;
}
