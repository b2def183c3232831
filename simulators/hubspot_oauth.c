/* Signing in at HubSpot: /oauth/authorize, /oauth/{version}/token with introspection and revocation, and the legacy addresses that name a token.
 * Facts: docs/simulators.md. */
#include "simulators/hubspot_inside.h"

#include <inttypes.h>

#include "simulators/oauth.h"

enum { ACCESS_CHARS = 300, REFRESH_CHARS = 36 };

static const char DOMAIN_NAME[] = "harbor-tools.test", USER_NAME[] = "remi.sand@crm.example";

static void write_token(struct sim_oauth *oauth, enum sim_token_kind kind,
                        const struct sim_consent *consent, struct buf *ret)
{
    (void)consent;
    sim_put(ret, kind == SIM_ACCESS ? "CK" : "na1-");
    sim_oauth_random_text(oauth, ret, kind == SIM_ACCESS ? ACCESS_CHARS : REFRESH_CHARS);
}

static void put_scopes(struct buf *body, struct str scope)
{
    bool is_first = true;

    sim_put(body, ",\"scopes\":[");
    while (scope.at) {
        struct str word = str_cut(&scope, ' ');

        if (word.len) {
            sim_put(body, is_first ? "" : ",");
            sim_put_text(body, word);
            is_first = false;
        }
    }
    sim_put(body, "]");
}

static void put_member(struct buf *body, const char *name, struct str text)
{
    buf_addf(body, ",\"%s\":", name);
    sim_put_text(body, text);
}

static void put_account(struct buf *body, const struct sim_consent *consent)
{
    buf_addf(body, ",\"hub_id\":%" PRI_STR ",\"user_id\":%d", STR_ARG(consent->account),
             HS_USER_ID);
    put_scopes(body, consent->scope);
}

static void answer(struct sim_call *call, const struct sim_exchange *exchange)
{
    struct buf *body = call->body;

    buf_addf(body,
             "{\"token_type\":\"bearer\",\"token_use\":\"access_token\",\"expires_in\":%" PRId64,
             sim_token_left_s(call, exchange->access));
    put_member(body, "access_token", exchange->access->text);
    if (exchange->refresh) { /* the app itself has none, and no account */
        put_member(body, "refresh_token", exchange->refresh->text);
        put_account(body, exchange->access->consent);
    } else {
        put_member(body, "scope", exchange->access->consent->scope);
    }
    sim_put(body, "}");
    sim_reply(call, 200);
}

static void refuse(struct sim_call *call, const struct sim_oauth_words *words)
{
    sim_restart(call);
    buf_addf(call->body,
             "{\"error\":\"%s\",\"error_description\":\"%s\",\"status\":\"%s\",\"message\":\"%s\"}",
             words->error, words->text, words->code, words->text);
    sim_reply(call, words->status);
}

/* Sources: manage-oauth-tokens (2026) for the form and invalid_grant; the words of the codes as users report them. */
const struct sim_oauth_spec hs_oauth_spec = {
    .client_id = "5d0c0de5-1111-4222-8333-444455556666",
    .client_secret = "simulated-hubspot-client-secret",
    .scope = "oauth crm.objects.contacts.read crm.objects.contacts.write "
             "crm.objects.companies.read crm.objects.companies.write crm.objects.deals.read "
             "crm.objects.deals.write crm.objects.custom.read crm.objects.custom.write "
             "crm.schemas.contacts.read crm.schemas.contacts.write crm.schemas.companies.read "
             "crm.schemas.companies.write crm.schemas.deals.read crm.schemas.deals.write "
             "crm.objects.owners.read tickets",
    .takes_scope = true,
    .denied = "access_denied",
    .grants = 1U << SIM_BY_CODE | 1U << SIM_BY_REFRESH | 1U << SIM_BY_CLIENT,
    .app_scope = "developer.webhooks_journal.read developer.webhooks_journal.subscriptions.read "
                 "developer.webhooks_journal.subscriptions.write crm.objects.contacts.read "
                 "crm.objects.companies.read crm.objects.deals.read crm.objects.custom.read "
                 "crm.objects.owners.read tickets",
    .takes_query = true, /* v1 did */
    .tells_refresh_again = true,
    .account_is_number = true,
    .code_ms = 60LL * 1000, /* "short lived" */
    .access_ms = 1800LL * 1000,
    .words =
        {
            [SIM_OAUTH_NOT_A_FORM] = {415, "invalid_request", "unsupported media type",
                                      "BAD_REQUEST"},
            [SIM_OAUTH_NO_GRANT_TYPE] = {400, "invalid_request", "missing or unknown grant type",
                                         "BAD_GRANT_TYPE"},
            [SIM_OAUTH_UNKNOWN_GRANT_TYPE] = {400, "unsupported_grant_type",
                                              "missing or unknown grant type", "BAD_GRANT_TYPE"},
            [SIM_OAUTH_NO_CLIENT] = {400, "invalid_client", "missing or unknown client id",
                                     "BAD_CLIENT_ID"},
            [SIM_OAUTH_UNKNOWN_CLIENT] = {400, "invalid_client", "missing or unknown client id",
                                          "BAD_CLIENT_ID"},
            [SIM_OAUTH_WRONG_SECRET] = {400, "invalid_client", "missing or invalid client secret",
                                        "BAD_CLIENT_SECRET"},
            [SIM_OAUTH_UNKNOWN_CODE] = {400, "invalid_grant", "missing or unknown auth code",
                                        "BAD_AUTH_CODE"},
            [SIM_OAUTH_EXPIRED_CODE] = {400, "invalid_grant", "auth code is expired",
                                        "EXPIRED_AUTH_CODE"},
            [SIM_OAUTH_OTHER_REDIRECT] = {400, "invalid_grant",
                                          "redirect URI does not match initial auth code URI",
                                          "MISMATCH_REDIRECT_URI_AUTH_CODE"},
            [SIM_OAUTH_WRONG_VERIFIER] = {400, "invalid_grant", "code verifier does not match",
                                          "BAD_CODE_VERIFIER"},
            [SIM_OAUTH_WRONG_SCOPE] = {400, "invalid_scope", "missing or unknown scope",
                                       "BAD_SCOPES"}, /* the words are a guess */
            [SIM_OAUTH_DEAD_REFRESH] = {400, "invalid_grant",
                                        "refresh token is invalid, expired or revoked",
                                        "BAD_REFRESH_TOKEN"},
        },
    .write = write_token,
    .answer = answer,
    .refuse = refuse,
};

/* --- who calls ------------------------------------------------------------------------------ */

bool hs_token_is_accepted(struct sim_call *call, struct str text)
{
    const struct sim_oauth *oauth = call->sim->oauth;
    struct sim_token *token;
    int64_t ago_ms;

    if (!sim_oauth_caller(call, text, &token)) {
        hs_failf(call, 401, "INVALID_AUTHENTICATION",
                 "Authentication credentials are not valid for this account.");
        return false;
    }
    if (call->consent) {
        return true;
    }
    ago_ms = call->now_ms - sim_token_end_ms(oauth, token);
    if (ago_ms >= 0) {
        hs_failf(call, 401, "EXPIRED_AUTHENTICATION",
                 "The OAuth token used to make this call expired %" PRId64 " second(s) ago.",
                 ago_ms / 1000);
    } else {
        hs_failf(call, 401, "INVALID_AUTHENTICATION",
                 "The OAuth token used to make this call was revoked.");
    }
    return false;
}

/* Activities go with the contacts; tickets have one scope for everything. Source: hubspot.md of the reference, section 2. */
static struct str scope_of(struct sim_call *call, struct str object, const char *act)
{
    static const char *const OWN[] = {"contacts", "companies", "deals"};
    const struct hs_kind *kind = hs_kind_find(hs_of(call), object);
    const char *plural = kind ? kind->spec->plural : "custom";

    if (kind && kind->custom) {
        return arena_printf(call->arena, "crm.objects.custom.%s", act);
    }
    if (str_equal(str_of(plural), STR("tickets"))) {
        return STR("tickets");
    }
    for (size_t i = 0; i < COUNT_OF(OWN); i++) {
        if (str_equal(str_of(plural), str_of(OWN[i]))) {
            return arena_printf(call->arena, "crm.objects.%s.%s", plural, act);
        }
    }
    return arena_printf(call->arena, "crm.objects.contacts.%s", act);
}

bool hs_scope_suffices(struct sim_call *call, const struct hs_route *route, bool is_change)
{
    if (!call->consent || !hs_route_is(route, 0, "crm") || !hs_route_is(route, 1, "objects") ||
        route->count < 3) {
        return true;
    }
    return sim_consent_has(call->consent,
                           scope_of(call, route->at[2], is_change ? "write" : "read"));
}

/* --- endpoints ------------------------------------------------------------------------------ */

static void put_introspection(struct sim_call *call, const struct sim_token *token)
{
    struct buf *body = call->body;

    buf_addf(body, "{\"active\":true,\"token_type\":\"Bearer\",\"token_use\":\"%s\"",
             token->kind == SIM_ACCESS ? "access_token" : "refresh_token");
    put_member(body, "token", token->text);
    put_member(body, "hub_domain", str_of(DOMAIN_NAME));
    put_member(body, "user", str_of(USER_NAME));
    put_member(body, "client_id", str_of(call->sim->oauth->client_id));
    buf_addf(body, ",\"app_id\":%d,\"is_private_distribution\":true", HS_APP_ID);
    put_account(body, token->consent);
    if (token->kind == SIM_ACCESS) {
        buf_addf(body, ",\"expires_in\":%" PRId64, sim_token_left_s(call, token));
    }
    sim_put(body, "}");
    sim_reply(call, 200);
}

static struct sim_token *live_token(struct sim_call *call, struct str text)
{
    struct sim_oauth *oauth = call->sim->oauth;
    struct sim_token *token = sim_oauth_find(oauth, SIM_ACCESS, text);

    if (!token) {
        token = sim_oauth_find(oauth, SIM_REFRESH, text);
    }
    return token && sim_token_is_live(oauth, token, call->now_ms) ? token : NULL;
}

/* The specification says "token", the guide names it by its kind. */
static void introspect(struct sim_call *call)
{
    static const char *const NAMES[] = {"token", "access_token", "refresh_token"};
    const struct sim_token *token = NULL;

    if (!sim_oauth_client_is_known(call)) {
        return;
    }
    for (size_t i = 0; i < COUNT_OF(NAMES) && !token; i++) {
        token = live_token(call, sim_form(call, NAMES[i]));
    }
    if (token) {
        put_introspection(call, token);
    } else {
        sim_put(call->body, "{\"active\":false}");
        sim_reply(call, 200);
    }
}

static void revoke(struct sim_call *call)
{
    if (sim_oauth_client_is_known(call) && sim_oauth_revoke(call)) {
        sim_reply(call, 204);
    }
}

/* The legacy calls name the token in the path and need no client. */
static void named_token(struct sim_call *call, enum sim_token_kind kind)
{
    struct sim_token *token = live_token(call, call->segments[3]);

    if (!token || token->kind != kind) {
        hs_failf(call, 404, "OBJECT_NOT_FOUND", "%s token is invalid, expired or revoked",
                 kind == SIM_ACCESS ? "access" : "refresh");
    } else if (call->request->method == HTTP_GET) {
        put_introspection(call, token);
    } else if (call->request->method == HTTP_DELETE && kind == SIM_REFRESH) {
        sim_token_end(call->sim->oauth, token);
        sim_reply(call, 204);
    } else {
        hs_failf(call, 405, NULL, "method not allowed");
    }
}

/* Client credentials are taken at the dated address alone. source: users report BAD_GRANT_TYPE of /oauth/v1/token */
static void token_serve(struct sim_call *call)
{
    if (str_equal(sim_form(call, "grant_type"), STR("client_credentials")) &&
        !str_starts(call->segments[1], STR("20"))) {
        sim_oauth_refuse(call, SIM_OAUTH_UNKNOWN_GRANT_TYPE);
    } else {
        sim_oauth_token(call);
    }
}

void hs_oauth_serve(struct sim_call *call)
{
    size_t count = call->segments_count;
    bool is_post = call->request->method == HTTP_POST;

    if (sim_segment_is(call, count - 1, "authorize") && count <= 3) {
        sim_oauth_authorize(call);
    } else if (count == 3 && sim_segment_is(call, 2, "token") && is_post) {
        token_serve(call);
    } else if (count == 4 && sim_segment_is(call, 3, "introspect") && is_post) {
        introspect(call);
    } else if (count == 4 && sim_segment_is(call, 3, "revoke") && is_post) {
        revoke(call);
    } else if (count == 4 && sim_segment_is(call, 2, "access-tokens")) {
        named_token(call, SIM_ACCESS);
    } else if (count == 4 && sim_segment_is(call, 2, "refresh-tokens")) {
        named_token(call, SIM_REFRESH);
    } else {
        hs_no_resource(call);
    }
}
