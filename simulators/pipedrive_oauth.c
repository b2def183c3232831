/* Signing in at Pipedrive: /oauth/authorize, /oauth/token, /oauth/revoke. Facts: docs/simulators.md. */
#include "simulators/pipedrive_inside.h"

#include <inttypes.h>

#include "simulators/oauth.h"

enum { ACCESS_CHARS = 720, KEY_BYTES = 20 };

static void write_token(struct sim_oauth *oauth, enum sim_token_kind kind,
                        const struct sim_consent *consent, struct buf *ret)
{
    if (kind == SIM_ACCESS) {
        sim_put(ret, "v1u:AQIBAH");
        sim_oauth_random_text(oauth, ret, ACCESS_CHARS);
        return;
    }
    buf_addf(ret, "%" PRI_STR ":%" PRId64 ":", STR_ARG(consent->account), pd_users[0].id);
    for (size_t i = 0; i < KEY_BYTES; i++) {
        buf_addf(ret, "%02x", (unsigned)random_below(oauth->random, 256));
    }
}

static void put_scope(struct buf *body, struct str scope)
{
    AUTO_BUF struct buf list;

    buf_init(&list, SIM_URL_BYTES_MAX);
    while (scope.at) {
        buf_add(&list, str_cut(&scope, ' '));
        buf_add(&list, scope.at ? STR(",") : STR(""));
    }
    sim_put_text(body, buf_str(&list));
}

/* expires_in is told a second short, as recorded. */
static void answer(struct sim_call *call, const struct sim_exchange *exchange)
{
    struct buf *body = call->body;

    sim_put(body, "{\"access_token\":");
    sim_put_text(body, exchange->access->text);
    buf_addf(body, ",\"token_type\":\"Bearer\",\"expires_in\":%" PRId64 ",\"refresh_token\":",
             sim_token_left_s(call, exchange->access) - 1);
    sim_put_text(body, exchange->refresh->text);
    sim_put(body, ",\"scope\":");
    put_scope(body, exchange->access->consent->scope);
    sim_put(body, ",\"api_domain\":");
    sim_put_text(body, sim_told_origin(call, "https://harbour.pipedrive.com"));
    sim_put(body, "}");
    sim_reply(call, 200);
}

static void refuse(struct sim_call *call, const struct sim_oauth_words *words)
{
    sim_restart(call);
    buf_addf(call->body, "{\"success\":false,\"message\":\"%s\",\"error\":\"%s\"}", words->text,
             words->error);
    sim_reply(call, words->status);
}

/* Source: marketplace-oauth-and-api-proxy-status-codes, marketplace-oauth-authorization, 2026. The documentation knows no PKCE; a challenge that
 * comes all the same is checked, as the framework that its words come from does. */
const struct sim_oauth_spec pd_oauth_spec = {
    .client_id = "51a0d1e551a0c1d1",
    .client_secret = "simulated-pipedrive-client-secret",
    .scope = "base contacts:full deals:full activities:full users:read search:read recents:read "
             "contact-fields:full deal-fields:full admin",
    .denied = "user_denied",
    .grants = 1U << SIM_BY_CODE | 1U << SIM_BY_REFRESH,
    .takes_basic = true,
    .ends_all_with_refresh = true,
    .tells_refresh_again = true,
    .account_is_number = true,
    .code_ms = 5LL * 60 * 1000,
    .access_ms = 3600LL * 1000,
    .refresh_ms = 60LL * 24 * 60 * 60 * 1000,
    .words =
        {
            [SIM_OAUTH_NOT_A_FORM] =
                {400, "invalid_request",
                 "Invalid request: content must be application/x-www-form-urlencoded", NULL},
            [SIM_OAUTH_NO_GRANT_TYPE] = {400, "invalid_request", "Missing parameter: `grant_type`",
                                         NULL},
            [SIM_OAUTH_UNKNOWN_GRANT_TYPE] = {400, "unsupported_grant_type",
                                              "Unsupported grant type: `grant_type` is invalid",
                                              NULL},
            [SIM_OAUTH_NO_CLIENT] = {400, "invalid_client",
                                     "Invalid client: cannot retrieve client credentials", NULL},
            [SIM_OAUTH_UNKNOWN_CLIENT] = {400, "invalid_client",
                                          "Invalid client: client is invalid", NULL},
            [SIM_OAUTH_WRONG_SECRET] = {400, "invalid_client", "Invalid client: client is invalid",
                                        NULL},
            [SIM_OAUTH_UNKNOWN_CODE] = {400, "invalid_grant",
                                        "Invalid grant: authorization_code is invalid", NULL},
            [SIM_OAUTH_EXPIRED_CODE] = {400, "invalid_grant",
                                        "Invalid grant: authorization_code has expired", NULL},
            [SIM_OAUTH_OTHER_REDIRECT] = {400, "invalid_request",
                                          "Invalid request: `redirect_uri` is invalid", NULL},
            [SIM_OAUTH_WRONG_VERIFIER] = {400, "invalid_grant",
                                          "Invalid grant: code verifier is invalid", NULL},
            [SIM_OAUTH_DEAD_REFRESH] = {400, "invalid_grant",
                                        "Invalid grant: refresh_token is invalid", NULL},
        },
    .write = write_token,
    .answer = answer,
    .refuse = refuse,
};

void pd_oauth_serve(struct sim_call *call)
{
    bool is_post = call->request->method == HTTP_POST;

    if (call->segments_count == 2 && sim_segment_is(call, 1, "authorize")) {
        sim_oauth_authorize(call);
    } else if (call->segments_count == 2 && sim_segment_is(call, 1, "token") && is_post) {
        sim_oauth_token(call);
    } else if (call->segments_count == 2 && sim_segment_is(call, 1, "revoke") && is_post) {
        if (sim_oauth_client_is_known(call) && sim_oauth_revoke(call)) {
            sim_put(call->body, "{\"success\":true}");
            sim_reply(call, 200);
        }
    } else {
        pd_fail(call, 404, NULL, NULL, "Unknown method or path");
    }
}
