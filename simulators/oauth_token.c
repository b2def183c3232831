/* The token endpoint: who the client is, the four grants, and what is wrong with a request. */
#include "simulators/oauth.h"

#include "core/base64.h"
#include "core/digest.h"

static const char *const GRANT_NAMES[SIM_GRANT_TYPES] = {
    [SIM_BY_CODE] = "authorization_code",
    [SIM_BY_REFRESH] = "refresh_token",
    [SIM_BY_CLIENT] = "client_credentials",
    [SIM_BY_JWT] = "urn:ietf:params:oauth:grant-type:jwt-bearer",
};

void sim_oauth_refuse(struct sim_call *call, enum sim_oauth_trouble trouble)
{
    struct sim_oauth *oauth = call->sim->oauth;

    oauth->refused++;
    oauth->spec->refuse(call, &oauth->spec->words[trouble]);
}

/* --- the form ------------------------------------------------------------------------------- */

static bool is_form(const struct sim_call *call)
{
    struct str type = http_header_get(&call->request->headers, "Content-Type");

    return str_equal_nocase(str_trim(str_cut(&type, ';')),
                            STR("application/x-www-form-urlencoded"));
}

struct str sim_form(struct sim_call *call, const char *name)
{
    struct http_request form = {
        .url = arena_printf(call->arena, "?%" PRI_STR, STR_ARG(call->request->body))};
    struct str value = is_form(call) ? http_query_get(call->arena, &form, name) : STR_NONE;

    return !value.at && call->sim->oauth->spec->takes_query ? sim_query(call, name) : value;
}

/* --- the client ----------------------------------------------------------------------------- */

/* Id and secret of "Authorization: Basic", both percent-decoded (RFC 6749, 2.3.1). */
static bool basic_client(struct sim_call *call, struct str *ret_id, struct str *ret_secret)
{
    struct str value = http_header_get(&call->request->headers, "Authorization");
    struct str scheme = STR("Basic "), pair;

    if (!str_equal_nocase(str_slice(value, 0, scheme.len), scheme) ||
        !base64_decode(call->arena, str_trim(str_slice(value, scheme.len, value.len)), &pair)) {
        return false;
    }
    *ret_id = http_percent_decode(call->arena, str_cut(&pair, ':'), true);
    *ret_secret = pair.at ? http_percent_decode(call->arena, pair, true) : STR_NONE;
    return true;
}

bool sim_oauth_client_is_known(struct sim_call *call)
{
    const struct sim_oauth *oauth = call->sim->oauth;
    struct str id = STR_NONE, secret = STR_NONE;

    if (!oauth->spec->takes_basic || !basic_client(call, &id, &secret)) {
        id = sim_form(call, "client_id");
        secret = sim_form(call, "client_secret");
    }
    if (!id.len || !secret.len) {
        sim_oauth_refuse(call, SIM_OAUTH_NO_CLIENT);
    } else if (!str_equal(id, str_of(oauth->client_id))) {
        sim_oauth_refuse(call, SIM_OAUTH_UNKNOWN_CLIENT);
    } else if (!str_equal(secret, str_of(oauth->client_secret))) {
        sim_oauth_refuse(call, SIM_OAUTH_WRONG_SECRET);
    } else {
        return true;
    }
    return false;
}

/* --- grants --------------------------------------------------------------------------------- */

static void succeed(struct sim_call *call, const struct sim_exchange *exchange)
{
    struct sim_oauth *oauth = call->sim->oauth;

    oauth->exchanges[exchange->by]++;
    oauth->spec->answer(call, exchange);
    call->response->fault = oauth->next_fault;
    oauth->next_fault = HTTP_FAULT_NONE;
}

/* No verifier fits a code without a challenge, and an empty one fits none (RFC 7636, 4.6). */
static bool verifier_fits(struct sim_call *call, const struct sim_token *code)
{
    struct str verifier = sim_form(call, "code_verifier");
    uint8_t digest[SHA256_BYTES];

    if (!code->challenge.at) {
        return true;
    }
    if (!verifier.len) {
        return false;
    }
    sha256(verifier, digest);
    return str_equal(base64url_encode(call->arena, digest, sizeof digest), code->challenge);
}

static bool gets_refresh(const struct sim_oauth *oauth, const struct sim_consent *consent)
{
    return !oauth->spec->refresh_is_by_scope || sim_consent_has(consent, STR("refresh_token")) ||
           sim_consent_has(consent, STR("offline_access"));
}

static void grant_by_code(struct sim_call *call)
{
    struct sim_oauth *oauth = call->sim->oauth;
    struct sim_token *code = sim_oauth_find(oauth, SIM_CODE, sim_form(call, "code"));
    struct sim_exchange exchange = {.by = SIM_BY_CODE};

    if (!code || code->is_ended) {
        sim_oauth_refuse(call, SIM_OAUTH_UNKNOWN_CODE);
    } else if (!sim_token_is_live(oauth, code, call->now_ms)) {
        sim_oauth_refuse(call, SIM_OAUTH_EXPIRED_CODE);
    } else if (!str_equal(sim_form(call, "redirect_uri"), code->redirect_uri)) {
        sim_oauth_refuse(call, SIM_OAUTH_OTHER_REDIRECT);
    } else if (!verifier_fits(call, code)) {
        sim_oauth_refuse(call, SIM_OAUTH_WRONG_VERIFIER);
    } else {
        code->is_ended = true;
        exchange.access = sim_oauth_issue(oauth, SIM_ACCESS, code->consent, call->now_ms);
        if (gets_refresh(oauth, code->consent)) {
            exchange.refresh = sim_oauth_issue(oauth, SIM_REFRESH, code->consent, call->now_ms);
        }
        succeed(call, &exchange);
    }
}

/* Presenting a refresh token that was replaced means that two parties have it: all of that consent ends. */
static void refuse_refresh(struct sim_call *call, struct sim_token *refresh)
{
    if (refresh && refresh->is_rotated) {
        refresh->consent->is_ended = true;
    }
    sim_oauth_refuse(call, SIM_OAUTH_DEAD_REFRESH);
}

static void grant_by_refresh(struct sim_call *call)
{
    struct sim_oauth *oauth = call->sim->oauth;
    struct sim_token *refresh = sim_oauth_find(oauth, SIM_REFRESH, sim_form(call, "refresh_token"));
    struct sim_exchange exchange = {.by = SIM_BY_REFRESH};

    if (!refresh || !sim_token_is_live(oauth, refresh, call->now_ms)) {
        refuse_refresh(call, refresh);
        return;
    }
    refresh->used_ms = call->now_ms;
    if (oauth->refresh_ms) {
        refresh->expires_ms = call->now_ms + oauth->refresh_ms;
    }
    exchange.access = sim_oauth_issue(oauth, SIM_ACCESS, refresh->consent, call->now_ms);
    if (oauth->rotates) {
        refresh->is_rotated = true;
        exchange.refresh = sim_oauth_issue(oauth, SIM_REFRESH, refresh->consent, call->now_ms);
    } else if (oauth->spec->tells_refresh_again) {
        exchange.refresh = refresh;
    }
    succeed(call, &exchange);
}

/* An access token alone: of the app itself, or of the user of an assertion. */
static void grant_session(struct sim_call *call, enum sim_grant_type by, struct str scope)
{
    struct sim_oauth *oauth = call->sim->oauth;
    struct sim_consent *consent = sim_oauth_consent(oauth, by, scope);

    succeed(call,
            &(struct sim_exchange){
                .by = by, .access = sim_oauth_issue(oauth, SIM_ACCESS, consent, call->now_ms)});
}

/* At least one, and none that the app has not got. */
static bool app_scope_fits(const struct sim_oauth *oauth, struct str asked)
{
    struct sim_consent own = {.scope = str_of(oauth->spec->app_scope)};
    size_t count = 0;

    while (asked.at) {
        struct str word = str_cut(&asked, ' ');

        count += word.len > 0;
        if (word.len && !sim_consent_has(&own, word)) {
            return false;
        }
    }
    return count > 0;
}

static void grant_by_client(struct sim_call *call)
{
    const struct sim_oauth *oauth = call->sim->oauth;
    struct str scope = oauth->spec->app_scope ? sim_form(call, "scope") : STR("api");

    if (oauth->spec->is_own_host && !oauth->spec->is_own_host(call)) {
        sim_oauth_refuse(call, SIM_OAUTH_WRONG_HOST);
    } else if (oauth->spec->app_scope && !app_scope_fits(oauth, scope)) {
        sim_oauth_refuse(call, SIM_OAUTH_WRONG_SCOPE);
    } else if (!oauth->has_run_as) {
        sim_oauth_refuse(call, SIM_OAUTH_NO_RUN_AS);
    } else {
        grant_session(call, SIM_BY_CLIENT, scope);
    }
}

static void grant_by_jwt(struct sim_call *call)
{
    enum sim_oauth_trouble trouble = SIM_OAUTH_BAD_ASSERTION;
    struct str user;

    if (sim_jwt_check(call, sim_form(call, "assertion"), &user, &trouble)) {
        grant_session(call, SIM_BY_JWT, STR("api"));
    } else {
        sim_oauth_refuse(call, trouble);
    }
}

static enum sim_grant_type grant_type_of(struct sim_call *call, struct str name)
{
    for (size_t i = 0; i < SIM_GRANT_TYPES; i++) {
        if (str_equal(name, str_of(GRANT_NAMES[i])) && call->sim->oauth->spec->grants & 1U << i) {
            return (enum sim_grant_type)i;
        }
    }
    return SIM_GRANT_TYPES;
}

static void grant(struct sim_call *call, enum sim_grant_type type)
{
    static void (*const GRANTS[SIM_GRANT_TYPES])(struct sim_call *) = {
        [SIM_BY_CODE] = grant_by_code,
        [SIM_BY_REFRESH] = grant_by_refresh,
        [SIM_BY_CLIENT] = grant_by_client,
        [SIM_BY_JWT] = grant_by_jwt,
    };

    if (type == SIM_BY_JWT || sim_oauth_client_is_known(call)) {
        GRANTS[type](call);
    }
}

void sim_oauth_token(struct sim_call *call)
{
    struct str name = sim_form(call, "grant_type");
    enum sim_grant_type type = grant_type_of(call, name);

    if (!name.at && !is_form(call)) {
        sim_oauth_refuse(call, SIM_OAUTH_NOT_A_FORM);
    } else if (!name.len) {
        sim_oauth_refuse(call, SIM_OAUTH_NO_GRANT_TYPE);
    } else if (type == SIM_GRANT_TYPES) {
        sim_oauth_refuse(call, SIM_OAUTH_UNKNOWN_GRANT_TYPE);
    } else {
        grant(call, type);
    }
}

bool sim_oauth_revoke(struct sim_call *call)
{
    struct sim_oauth *oauth = call->sim->oauth;
    struct str text = sim_form(call, "token");
    struct sim_token *token = sim_oauth_find(oauth, SIM_REFRESH, text);

    if (!token) {
        token = sim_oauth_find(oauth, SIM_ACCESS, text);
    }
    if (token && sim_token_is_live(oauth, token, call->now_ms)) {
        sim_token_end(oauth, token);
    } else if (oauth->spec->words[SIM_OAUTH_DEAD_TOKEN].status) {
        sim_oauth_refuse(call, SIM_OAUTH_DEAD_TOKEN);
        return false;
    }
    return true;
}
