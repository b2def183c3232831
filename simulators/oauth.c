/* Tokens and consents, and the page where a person would say yes. The token endpoint: oauth_token.c. */
#include "simulators/oauth.h"

#include <assert.h>

#include "core/alloc.h"
#include "core/jx.h"

enum { TOKEN_BYTES_MAX = 4096, CODE_CHARS = 32 };

/* Where `crmsync connect` listens unless told otherwise. */
static const char *const REDIRECT_URIS[] = {"http://localhost:8710/callback",
                                            "http://127.0.0.1:8710/callback"};

struct sim_oauth *sim_oauth_new(const struct sim_oauth_spec *spec, uint64_t seed,
                                const char *account)
{
    struct sim_oauth *oauth = alloc_new(1, sizeof(*oauth));

    oauth->spec = spec;
    oauth->random = random_new_seeded(seed ^ 0x6f61757468);
    oauth->client_id = alloc_dup(spec->client_id);
    oauth->client_secret = alloc_dup(spec->client_secret);
    oauth->redirect_uris = json_array();
    for (size_t i = 0; i < COUNT_OF(REDIRECT_URIS); i++) {
        json_array_append_new(oauth->redirect_uris, json_string(REDIRECT_URIS[i]));
    }
    oauth->by_text = json_object();
    oauth->jwt_users = json_object();
    oauth->account = arena_str(&oauth->arena, str_of(account));
    oauth->own_account = oauth->account.at;
    oauth->code_ms = spec->code_ms;
    oauth->access_ms = spec->access_ms;
    oauth->refresh_ms = spec->refresh_ms;
    oauth->has_run_as = true;
    return oauth;
}

void sim_oauth_free(struct sim_oauth *oauth)
{
    if (!oauth) {
        return;
    }
    random_free(oauth->random);
    free(oauth->client_id);
    free(oauth->client_secret);
    json_decref(oauth->redirect_uris);
    json_decref(oauth->by_text);
    json_decref(oauth->jwt_users);
    free(oauth->tokens);
    arena_fini(&oauth->arena);
    free(oauth);
}

/* --- tokens --------------------------------------------------------------------------------- */

void sim_oauth_random_text(struct sim_oauth *oauth, struct buf *ret, size_t count)
{
    static const char ALPHABET[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

    for (size_t i = 0; i < count; i++) {
        buf_add_char(ret, ALPHABET[random_below(oauth->random, sizeof(ALPHABET) - 1)]);
    }
}

int64_t sim_token_end_ms(const struct sim_oauth *oauth, const struct sim_token *token)
{
    int64_t idle_ms = token->kind == SIM_ACCESS ? oauth->spec->idle_ms : 0;

    return idle_ms && token->used_ms + idle_ms < token->expires_ms ? token->used_ms + idle_ms
                                                                   : token->expires_ms;
}

int64_t sim_token_left_s(const struct sim_call *call, const struct sim_token *token)
{
    return (sim_token_end_ms(call->sim->oauth, token) - call->now_ms) / 1000;
}

bool sim_token_is_live(const struct sim_oauth *oauth, const struct sim_token *token, int64_t now_ms)
{
    return !token->is_ended && !token->is_rotated && !token->consent->is_ended &&
           now_ms < sim_token_end_ms(oauth, token);
}

void sim_token_end(struct sim_oauth *oauth, struct sim_token *token)
{
    token->is_ended = true;
    if (token->kind == SIM_REFRESH && oauth->spec->ends_all_with_refresh) {
        token->consent->is_ended = true;
    }
}

struct sim_token *sim_oauth_find(struct sim_oauth *oauth, enum sim_token_kind kind, struct str text)
{
    json_t *index = text.len ? json_object_getn(oauth->by_text, text.at, text.len) : NULL;
    struct sim_token *token = index ? oauth->tokens[json_integer_value(index)] : NULL;

    return token && token->kind == kind ? token : NULL;
}

bool sim_oauth_caller(struct sim_call *call, struct str text, struct sim_token **ret)
{
    struct sim_oauth *oauth = call->sim->oauth;
    struct sim_token *token = oauth ? sim_oauth_find(oauth, SIM_ACCESS, text) : NULL;

    if (!token) {
        return false;
    }
    if (sim_token_is_live(oauth, token, call->now_ms)) {
        token->used_ms = call->now_ms;
        call->consent = token->consent;
    }
    *ret = token;
    return true;
}

bool sim_consent_has(const struct sim_consent *consent, struct str scope)
{
    struct str rest = consent->scope;

    while (rest.at) {
        if (str_equal(str_cut(&rest, ' '), scope)) {
            return true;
        }
    }
    return false;
}

static int64_t lifetime_of(const struct sim_oauth *oauth, enum sim_token_kind kind)
{
    switch (kind) {
    case SIM_CODE:
        return oauth->code_ms;
    case SIM_ACCESS:
        return oauth->access_ms;
    case SIM_REFRESH:
        return oauth->refresh_ms;
    }
    abort(); /* the enumeration is closed */
}

static void write_text(struct sim_oauth *oauth, enum sim_token_kind kind,
                       const struct sim_consent *consent, struct buf *ret)
{
    if (kind == SIM_CODE) {
        sim_oauth_random_text(oauth, ret, CODE_CHARS);
    } else {
        oauth->spec->write(oauth, kind, consent, ret);
    }
}

/* At most so many live ones of an account: the oldest ends. */
static void make_room(struct sim_oauth *oauth, const struct sim_consent *consent, int64_t now_ms)
{
    struct sim_token *oldest = NULL;
    int live = 0;

    for (size_t i = oauth->tokens_count; i-- > 0;) {
        struct sim_token *token = oauth->tokens[i];

        if (token->kind == SIM_REFRESH && sim_token_is_live(oauth, token, now_ms) &&
            str_equal(token->consent->account, consent->account)) {
            oldest = token;
            live++;
        }
    }
    if (oauth->spec->refresh_tokens_max && live >= oauth->spec->refresh_tokens_max) {
        sim_token_end(oauth, oldest);
    }
}

struct sim_token *sim_oauth_issue(struct sim_oauth *oauth, enum sim_token_kind kind,
                                  struct sim_consent *consent, int64_t now_ms)
{
    struct sim_token *token = ARENA_NEW(&oauth->arena, struct sim_token);
    int64_t lifetime_ms = lifetime_of(oauth, kind);
    AUTO_BUF struct buf text;

    if (kind == SIM_REFRESH) {
        make_room(oauth, consent, now_ms);
    }
    buf_init(&text, TOKEN_BYTES_MAX);
    write_text(oauth, kind, consent, &text);
    *token = (struct sim_token){.kind = kind,
                                .text = arena_str(&oauth->arena, buf_str(&text)),
                                .consent = consent,
                                .issued_ms = now_ms,
                                .used_ms = now_ms,
                                .expires_ms = lifetime_ms ? now_ms + lifetime_ms : INT64_MAX};
    if (oauth->tokens_count == oauth->tokens_capacity) {
        oauth->tokens_capacity = oauth->tokens_capacity ? oauth->tokens_capacity * 2 : 64;
        oauth->tokens = alloc_resize(oauth->tokens, oauth->tokens_capacity, sizeof(token));
    }
    json_object_setn_new(oauth->by_text, token->text.at, token->text.len,
                         json_integer((json_int_t)oauth->tokens_count));
    oauth->tokens[oauth->tokens_count++] = token;
    return token;
}

struct sim_consent *sim_oauth_consent(struct sim_oauth *oauth, enum sim_grant_type by,
                                      struct str scope)
{
    struct sim_consent *consent = ARENA_NEW(&oauth->arena, struct sim_consent);

    *consent = (struct sim_consent){
        .account = oauth->account, .scope = arena_str(&oauth->arena, scope), .by = by};
    return consent;
}

const struct sim_token *sim_oauth_issue_session(struct sim_call *call, const char *scope)
{
    struct sim_oauth *oauth = call->sim->oauth;

    return sim_oauth_issue(oauth, SIM_ACCESS, sim_oauth_consent(oauth, SIM_BY_CODE, str_of(scope)),
                           call->now_ms);
}

/* --- the page of consent -------------------------------------------------------------------- */

struct str sim_origin(struct sim_call *call)
{
    struct str host = http_header_get(&call->request->headers, "Host");
    struct str name = host;
    bool is_loopback;

    if (!host.len) {
        return STR("http://127.0.0.1");
    }
    name = str_cut(&name, ':');
    is_loopback = str_equal(name, STR("localhost")) || str_starts(name, STR("127."));
    return arena_printf(call->arena, "%s://%" PRI_STR, is_loopback ? "http" : "https",
                        STR_ARG(host));
}

struct str sim_told_origin(struct sim_call *call, const char *elsewhere)
{
    struct str set = call->sim->oauth->origin, own = sim_origin(call);

    return set.at ? set : str_starts(own, STR("http://")) ? own : str_of(elsewhere);
}

/* What a person reads who came with a broken link. Never redirects, as the address to go back to cannot be trusted. */
static void tell_person(struct sim_call *call, const char *error, const char *text)
{
    sim_restart(call);
    sim_header(call, "Content-Type", STR("text/html; charset=utf-8"));
    buf_addf(call->body,
             "<!DOCTYPE html><html><head><title>Authorization failed</title></head>"
             "<body><h1>%s</h1><p>%s</p></body></html>\n",
             error, text);
    sim_reply(call, 400);
}

static bool redirect_is_registered(const struct sim_oauth *oauth, struct str uri)
{
    size_t index;
    json_t *value;

    json_array_foreach(oauth->redirect_uris, index, value)
    {
        if (str_equal(jx_text_of(value), uri)) {
            return true;
        }
    }
    return false;
}

static void add_parameter(struct sim_call *call, struct buf *url, const char *name,
                          struct str value)
{
    if (value.at) {
        struct str encoded = http_percent_encode(call->arena, value);

        buf_addf(url, "%c%s=%" PRI_STR, str_contains(buf_str(url), STR("?")) ? '&' : '?', name,
                 STR_ARG(encoded));
    }
}

/* name and value of what is told beside the state. */
static void go_back(struct sim_call *call, struct str redirect_uri, const char *name,
                    struct str value, struct str description)
{
    AUTO_BUF struct buf url;

    buf_init(&url, SIM_URL_BYTES_MAX);
    buf_add(&url, redirect_uri);
    add_parameter(call, &url, name, value);
    add_parameter(call, &url, "error_description", description);
    add_parameter(call, &url, "state", sim_query(call, "state"));
    sim_header(call, "Location", arena_str(call->arena, buf_str(&url)));
    sim_reply(call, 302);
}

/* Scopes asked for, the optional ones behind them, or the app's own. */
static struct str scope_asked(struct sim_call *call)
{
    const struct sim_oauth_spec *spec = call->sim->oauth->spec;
    struct str scope = sim_query(call, "scope"), more = sim_query(call, "optional_scope");

    if (!spec->takes_scope || !str_trim(scope).len) {
        return str_of(spec->scope);
    }
    return more.len
               ? arena_printf(call->arena, "%" PRI_STR " %" PRI_STR, STR_ARG(scope), STR_ARG(more))
               : scope;
}

static void consent_given(struct sim_call *call, struct str redirect_uri, struct str challenge)
{
    struct sim_oauth *oauth = call->sim->oauth;
    struct sim_consent *consent = sim_oauth_consent(oauth, SIM_BY_CODE, scope_asked(call));
    struct sim_token *code = sim_oauth_issue(oauth, SIM_CODE, consent, call->now_ms);

    code->redirect_uri = arena_str(&oauth->arena, redirect_uri);
    if (challenge.at) {
        code->challenge = arena_str(&oauth->arena, challenge);
    }
    go_back(call, redirect_uri, "code", code->text, STR_NONE);
}

/* The client and the address to go back to are known from here on, so that whatever is wrong is told to the app. */
static void decide_consent(struct sim_call *call, struct str redirect_uri)
{
    struct sim_oauth *oauth = call->sim->oauth;
    struct str challenge = sim_query(call, "code_challenge");
    struct str method = sim_query(call, "code_challenge_method");

    if (oauth->spec->needs_response_type &&
        !str_equal(sim_query(call, "response_type"), STR("code"))) {
        go_back(call, redirect_uri, "error", STR("unsupported_response_type"),
                STR("response type not supported"));
    } else if (oauth->needs_challenge && !challenge.len) {
        go_back(call, redirect_uri, "error", STR("invalid_request"),
                STR("missing required code challenge"));
    } else if (method.at && !str_equal(method, STR("S256"))) {
        go_back(call, redirect_uri, "error", STR("invalid_request"),
                STR("code challenge method not supported"));
    } else if (oauth->denies_next) {
        oauth->denies_next = false;
        go_back(call, redirect_uri, "error", str_of(oauth->spec->denied),
                STR("the person said no"));
    } else {
        consent_given(call, redirect_uri, challenge);
    }
}

void sim_oauth_authorize(struct sim_call *call)
{
    struct sim_oauth *oauth = call->sim->oauth;
    struct str redirect_uri = sim_query(call, "redirect_uri");

    if (call->request->method != HTTP_GET) {
        tell_person(call, "invalid_request", "this page is opened with GET");
    } else if (!str_equal(sim_query(call, "client_id"), str_of(oauth->client_id))) {
        tell_person(call, "invalid_client_id", "client identifier invalid");
    } else if (!redirect_is_registered(oauth, redirect_uri)) {
        tell_person(call, "redirect_uri_mismatch", "redirect_uri must match configuration");
    } else {
        decide_consent(call, redirect_uri);
    }
}
