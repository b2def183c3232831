/* Signing in at Salesforce: authorize, token, revoke, introspect and userinfo under /services/oauth2, and the identity URL. Facts: docs/simulators.md.
 *
 * "localhost" plays the general sign-in host (login.salesforce.com), where client credentials are refused; the address 127.0.0.1 plays the company's
 * own host (My Domain), which the token answers name as instance_url. */
#include "simulators/salesforce_inside.h"

#include <inttypes.h>

#include "core/base64.h"
#include "core/digest.h"
#include "simulators/oauth.h"

enum { ORG_SHORT_CHARS = 15, ACCESS_CHARS = 96, REFRESH_CHARS = 80 };

static void write_token(struct sim_oauth *oauth, enum sim_token_kind kind,
                        const struct sim_consent *consent, struct buf *ret)
{
    if (kind == SIM_REFRESH) {
        sim_put(ret, "5Aep861");
        sim_oauth_random_text(oauth, ret, REFRESH_CHARS);
        return;
    }
    buf_add(ret, str_slice(consent->account, 0, ORG_SHORT_CHARS));
    sim_put(ret, "!AR");
    sim_oauth_random_text(oauth, ret, ACCESS_CHARS);
}

/* --- who and where -------------------------------------------------------------------------- */

static struct str host_name(const struct sim_call *call)
{
    struct str host = http_header_get(&call->request->headers, "Host");

    return str_cut(&host, ':');
}

static bool is_own_host(const struct sim_call *call)
{
    static const char *const GENERAL[] = {"localhost", "login.salesforce.com",
                                          "test.salesforce.com"};
    struct str name = host_name(call);

    for (size_t i = 0; i < COUNT_OF(GENERAL); i++) {
        if (str_equal_nocase(name, str_of(GENERAL[i]))) {
            return false;
        }
    }
    return true;
}

struct str sf_instance_url(struct sim_call *call)
{
    struct str host = http_header_get(&call->request->headers, "Host");
    struct str set = call->sim->oauth->origin;

    if (set.at) {
        return set;
    }
    if (is_own_host(call)) {
        return sim_origin(call);
    }
    str_cut(&host, ':');
    return str_equal(host_name(call), STR("localhost"))
               ? arena_printf(call->arena, "http://127.0.0.1%s%" PRI_STR, host.at ? ":" : "",
                              STR_ARG(host))
               : STR("https://crew.my.salesforce.com");
}

static const struct sf_record *user_record(struct sim_call *call)
{
    return sf_record_by_number(sf_of(call)->objects[SF_USER], sf_of(call)->api_user);
}

struct str sf_user_id(struct sim_call *call)
{
    return sf_record_id_str(call->arena, user_record(call));
}

static struct str identity_url(struct sim_call *call, struct str organization)
{
    struct str user = sf_user_id(call), origin = sim_origin(call);

    return arena_printf(call->arena, "%" PRI_STR "/id/%" PRI_STR "/%" PRI_STR, STR_ARG(origin),
                        STR_ARG(organization), STR_ARG(user));
}

/* --- answers -------------------------------------------------------------------------------- */

static void put_member(struct buf *body, const char *name, struct str text)
{
    buf_addf(body, ",\"%s\":", name);
    sim_put_text(body, text);
}

/* Source: HMAC of id and issued_at with the client secret; forum 906F000000099zZIAQ and three client libraries. */
static struct str signature_of(struct sim_call *call, struct str id, struct str issued_at)
{
    struct str message =
        arena_printf(call->arena, "%" PRI_STR "%" PRI_STR, STR_ARG(id), STR_ARG(issued_at));
    uint8_t mac[SHA256_BYTES];

    hmac_sha256(str_of(call->sim->oauth->client_secret), message, mac);
    return base64_encode(call->arena, mac, sizeof mac);
}

/* There is no expires_in. */
static void answer(struct sim_call *call, const struct sim_exchange *exchange)
{
    const struct sim_consent *consent = exchange->access->consent;
    struct str id = identity_url(call, consent->account);
    struct str issued_at = arena_printf(call->arena, "%" PRId64, exchange->access->issued_ms);
    struct buf *body = call->body;

    sim_put(body, "{\"access_token\":");
    sim_put_text(body, exchange->access->text);
    if (exchange->refresh) {
        put_member(body, "refresh_token", exchange->refresh->text);
    }
    put_member(body, "signature", signature_of(call, id, issued_at));
    put_member(body, "scope", consent->scope);
    put_member(body, "instance_url", sf_instance_url(call));
    put_member(body, "id", id);
    put_member(body, "token_type", STR("Bearer"));
    put_member(body, "issued_at", issued_at);
    if (exchange->by == SIM_BY_CLIENT || exchange->by == SIM_BY_JWT) {
        put_member(body, "api_instance_url", STR("https://api.salesforce.com"));
    }
    sim_put(body, "}");
    sim_reply(call, 200);
}

static void refuse(struct sim_call *call, const struct sim_oauth_words *words)
{
    sim_restart(call);
    buf_addf(call->body, "{\"error\":\"%s\",\"error_description\":\"%s\"}", words->error,
             words->text);
    sim_reply(call, words->status);
}

/* Sources: remoteaccess_oauth_flow_errors and its neighbours; words of the others as public issue threads show them. Codes live 15 minutes or 2,
 * depending on the source: the shorter one. */
const struct sim_oauth_spec sf_oauth_spec = {
    .client_id = "3MVG9simulatedConsumerKey.of.the.external.client.app",
    .client_secret = "simulated-salesforce-client-secret",
    .username = "integration@crm.example",
    .password = "simulated-password",
    .scope = "api refresh_token id",
    .takes_scope = true,
    .denied = "access_denied",
    .grants = 1U << SIM_BY_CODE | 1U << SIM_BY_REFRESH | 1U << SIM_BY_CLIENT | 1U << SIM_BY_JWT,
    .needs_response_type = true,
    .takes_basic = true,
    .refresh_is_by_scope = true,
    .ends_all_with_refresh = true,
    .refresh_tokens_max = 5,
    .code_ms = 2LL * 60 * 1000,
    .idle_ms = 2LL * 60 * 60 * 1000,
    .jwt_audience = "https://login.salesforce.com",
    .words =
        {
            [SIM_OAUTH_NOT_A_FORM] = {400, "unsupported_grant_type", "grant type not supported",
                                      NULL},
            [SIM_OAUTH_NO_GRANT_TYPE] = {400, "unsupported_grant_type", "grant type not supported",
                                         NULL},
            [SIM_OAUTH_UNKNOWN_GRANT_TYPE] = {400, "unsupported_grant_type",
                                              "grant type not supported", NULL},
            [SIM_OAUTH_NO_CLIENT] = {400, "invalid_client", "invalid client credentials", NULL},
            [SIM_OAUTH_UNKNOWN_CLIENT] = {400, "invalid_client_id", "client identifier invalid",
                                          NULL},
            [SIM_OAUTH_WRONG_SECRET] = {400, "invalid_client", "invalid client credentials", NULL},
            [SIM_OAUTH_UNKNOWN_CODE] = {400, "invalid_grant", "invalid authorization code", NULL},
            [SIM_OAUTH_EXPIRED_CODE] = {400, "invalid_grant", "expired authorization code", NULL},
            [SIM_OAUTH_OTHER_REDIRECT] = {400, "redirect_uri_mismatch",
                                          "redirect_uri must match configuration", NULL},
            [SIM_OAUTH_WRONG_VERIFIER] = {400, "invalid_grant", "invalid code verifier", NULL},
            [SIM_OAUTH_DEAD_REFRESH] = {400, "invalid_grant", "expired access/refresh token", NULL},
            [SIM_OAUTH_WRONG_HOST] = {400, "invalid_grant", "request not supported on this domain",
                                      NULL},
            [SIM_OAUTH_NO_RUN_AS] = {400, "invalid_grant", "no client credentials user enabled",
                                     NULL},
            [SIM_OAUTH_BAD_ASSERTION] = {400, "invalid_grant", "invalid assertion", NULL},
            [SIM_OAUTH_BAD_AUDIENCE] = {400, "invalid_grant", "audience is invalid", NULL},
            [SIM_OAUTH_NOT_APPROVED] = {400, "invalid_grant", "user hasn't approved this consumer",
                                        NULL},
            [SIM_OAUTH_DEAD_TOKEN] = {400, "invalid_token", "invalid token", NULL},
        },
    .write = write_token,
    .answer = answer,
    .refuse = refuse,
    .is_own_host = is_own_host,
};

/* --- sessions ------------------------------------------------------------------------------- */

bool sf_oauth_session(struct sim_call *call, struct str token, struct sf_session *ret)
{
    struct sim_token *issued;

    ret->user = sf_of(call)->api_user;
    return sim_oauth_caller(call, token, &issued) && call->consent;
}

/* The identity service has words of its own. Source: identity URLs, "Bad_OAuth_Token". */
static bool identity_caller(struct sim_call *call, struct str *ret_organization)
{
    struct str given = sim_bearer(call);
    struct sf_session session;
    bool is_own_token = str_equal(given, str_of(call->sim->token));

    if (!given.len) {
        sim_put(call->body, "Missing_OAuth_Token");
    } else if (!is_own_token && !sf_oauth_session(call, given, &session)) {
        sim_put(call->body, "Bad_OAuth_Token");
    } else {
        *ret_organization =
            call->consent ? call->consent->account : str_of(call->sim->oauth->own_account);
        return true;
    }
    sim_header(call, "Content-Type", STR("text/html;charset=UTF-8"));
    sim_reply(call, 403);
    return false;
}

/* --- who am I ------------------------------------------------------------------------------- */

static void put_urls(struct sim_call *call)
{
    static const struct {
        const char *name, *path;
    } URLS[] = {{"enterprise", "/services/Soap/c/{version}/"},
                {"partner", "/services/Soap/u/{version}/"},
                {"rest", "/services/data/v{version}/"},
                {"sobjects", "/services/data/v{version}/sobjects/"},
                {"query", "/services/data/v{version}/query/"}};
    struct str base = sf_instance_url(call);

    sim_put(call->body, ",\"urls\":{");
    for (size_t i = 0; i < COUNT_OF(URLS); i++) {
        buf_addf(call->body, "%s\"%s\":\"%" PRI_STR "%s\"", i ? "," : "", URLS[i].name,
                 STR_ARG(base), URLS[i].path);
    }
    sim_put(call->body, "}");
}

/* What userinfo and the identity URL call by different names. */
struct names {
    const char *id, *username, *nickname, *full_name, *first_name, *last_name, *time_zone;
};

static void put_person(struct sim_call *call, struct str organization, const struct names *names)
{
    const struct sf_record *user = user_record(call);
    struct buf *body = call->body;

    buf_addf(body, "{\"%s\":", names->id);
    sim_put_text(body, identity_url(call, organization));
    put_member(body, "user_id", sf_user_id(call));
    put_member(body, "organization_id", organization);
    put_member(body, names->username, sf_get_named(user, "Username"));
    put_member(body, names->nickname, sf_get_named(user, "Alias"));
    put_member(body, names->full_name, sf_get_named(user, "Name"));
    put_member(body, names->first_name, sf_get_named(user, "FirstName"));
    put_member(body, names->last_name, sf_get_named(user, "LastName"));
    put_member(body, "email", sf_get_named(user, "Email"));
    put_member(body, names->time_zone, STR("Europe/Berlin"));
    put_urls(call);
    sim_put(body, ",\"active\":true,\"user_type\":\"STANDARD\",\"language\":\"en_US\","
                  "\"locale\":\"en_US\",\"utcOffset\":3600000}");
    sim_reply(call, 200);
}

static void userinfo_serve(struct sim_call *call)
{
    static const struct names NAMES = {"sub",        "preferred_username", "nickname", "name",
                                       "given_name", "family_name",        "zoneinfo"};
    struct str organization;

    if (identity_caller(call, &organization)) {
        put_person(call, organization, &NAMES);
    }
}

void sf_identity_serve(struct sim_call *call)
{
    static const struct names NAMES = {"id",         "username",  "nick_name", "display_name",
                                       "first_name", "last_name", "timezone"};
    struct str organization;

    if (!identity_caller(call, &organization)) {
        return;
    }
    if (call->segments_count != 3 || !str_equal(call->segments[1], organization) ||
        !str_equal(call->segments[2], sf_user_id(call))) {
        sim_header(call, "Content-Type", STR("text/html;charset=UTF-8"));
        sim_put(call->body, "Bad_Id");
        sim_reply(call, 403);
        return;
    }
    put_person(call, organization, &NAMES);
}

/* --- endpoints ------------------------------------------------------------------------------ */

static struct sim_token *named_token(struct sim_call *call)
{
    struct sim_oauth *oauth = call->sim->oauth;
    struct str text = sim_form(call, "token");
    struct sim_token *token = sim_oauth_find(oauth, SIM_ACCESS, text);

    return token ? token : sim_oauth_find(oauth, SIM_REFRESH, text);
}

static void introspect(struct sim_call *call)
{
    const struct sim_oauth *oauth = call->sim->oauth;
    const struct sim_token *token;
    struct buf *body = call->body;

    if (!sim_oauth_client_is_known(call)) {
        return;
    }
    token = named_token(call);
    if (!token || !sim_token_is_live(oauth, token, call->now_ms)) {
        sim_put(body, "{\"active\":false}");
    } else {
        buf_addf(body,
                 "{\"active\":true,\"token_type\":\"%s\",\"iat\":%" PRId64 ",\"nbf\":%" PRId64,
                 token->kind == SIM_ACCESS ? "access_token" : "refresh_token",
                 token->issued_ms / 1000, token->issued_ms / 1000);
        if (token->kind == SIM_ACCESS) {
            buf_addf(body, ",\"exp\":%" PRId64, sim_token_end_ms(oauth, token) / 1000);
        }
        put_member(body, "scope", token->consent->scope);
        put_member(body, "client_id", str_of(oauth->client_id));
        put_member(body, "username", sf_get_named(user_record(call), "Username"));
        put_member(body, "sub", identity_url(call, token->consent->account));
        sim_put(body, "}");
    }
    sim_reply(call, 200);
}

static void revoke(struct sim_call *call)
{
    if (sim_oauth_revoke(call)) {
        sim_reply(call, 200);
    }
}

void sf_oauth_serve(struct sim_call *call)
{
    bool is_post = call->request->method == HTTP_POST;

    if (call->segments_count != 3) {
        sf_not_found(call);
    } else if (sim_segment_is(call, 2, "authorize")) {
        sim_oauth_authorize(call);
    } else if (sim_segment_is(call, 2, "userinfo")) {
        userinfo_serve(call);
    } else if (sim_segment_is(call, 2, "token") && is_post) {
        sim_oauth_token(call);
    } else if (sim_segment_is(call, 2, "introspect") && is_post) {
        introspect(call);
    } else if (sim_segment_is(call, 2, "revoke") && is_post) {
        revoke(call);
    } else {
        sf_not_found(call);
    }
}
