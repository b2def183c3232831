/* GET and POST /__sim/oauth: what a test may see and change of the sign-in. */
#include "simulators/oauth.h"

#include <inttypes.h>

#include "core/jx.h"

/* --- showing -------------------------------------------------------------------------------- */

static const char *const KIND_NAMES[] = {
    [SIM_CODE] = "code", [SIM_ACCESS] = "access", [SIM_REFRESH] = "refresh"};

static int64_t live_count(const struct sim_oauth *oauth, enum sim_token_kind kind, int64_t now_ms)
{
    int64_t count = 0;

    for (size_t i = 0; i < oauth->tokens_count; i++) {
        count +=
            oauth->tokens[i]->kind == kind && sim_token_is_live(oauth, oauth->tokens[i], now_ms);
    }
    return count;
}

static void put_tokens(struct sim_call *call)
{
    const struct sim_oauth *oauth = call->sim->oauth;

    sim_put(call->body, ",\"tokens\":[");
    for (size_t i = 0; i < oauth->tokens_count; i++) {
        const struct sim_token *token = oauth->tokens[i];

        buf_addf(call->body, "%s{\"kind\":\"%s\",\"live\":%s,\"token\":", i ? "," : "",
                 KIND_NAMES[token->kind],
                 sim_token_is_live(oauth, token, call->now_ms) ? "true" : "false");
        sim_put_text(call->body, token->text);
        sim_put(call->body, "}");
    }
    sim_put(call->body, "]");
}

static void put_settings(struct sim_call *call)
{
    const struct sim_oauth *oauth = call->sim->oauth;

    sim_put(call->body, ",\"client_id\":");
    sim_put_text(call->body, str_of(oauth->client_id));
    sim_put(call->body, ",\"redirect_uris\":");
    sim_put_json(call->body, oauth->redirect_uris);
    sim_put(call->body, ",\"account\":");
    sim_put_text(call->body, oauth->account);
    sim_put(call->body, ",\"origin\":");
    sim_put_text(call->body, oauth->origin);
    buf_addf(call->body,
             ",\"rotation\":%s,\"challenge_required\":%s,\"run_as\":%s,\"code_ms\":%" PRId64
             ",\"access_ms\":%" PRId64 ",\"refresh_ms\":%" PRId64,
             oauth->rotates ? "true" : "false", oauth->needs_challenge ? "true" : "false",
             oauth->has_run_as ? "true" : "false", oauth->code_ms, oauth->access_ms,
             oauth->refresh_ms);
}

void sim_oauth_show(struct sim_call *call)
{
    static const char *const NAMES[SIM_GRANT_TYPES] = {
        [SIM_BY_CODE] = "authorization_code",
        [SIM_BY_REFRESH] = "refresh_token",
        [SIM_BY_CLIENT] = "client_credentials",
        [SIM_BY_JWT] = "jwt_bearer",
    };
    const struct sim_oauth *oauth = call->sim->oauth;

    sim_put(call->body, "{\"exchanges\":{");
    for (size_t i = 0; i < SIM_GRANT_TYPES; i++) {
        buf_addf(call->body, "%s\"%s\":%" PRId64, i ? "," : "", NAMES[i], oauth->exchanges[i]);
    }
    buf_addf(call->body, "},\"refused\":%" PRId64 ",\"live\":{", oauth->refused);
    for (size_t i = 0; i < COUNT_OF(KIND_NAMES); i++) {
        buf_addf(call->body, "%s\"%s\":%" PRId64, i ? "," : "", KIND_NAMES[i],
                 live_count(oauth, (enum sim_token_kind)i, call->now_ms));
    }
    sim_put(call->body, "}");
    put_settings(call);
    if (str_equal(sim_query(call, "show"), STR("tokens"))) {
        put_tokens(call);
    }
    sim_put(call->body, "}");
    sim_reply(call, 200);
}

/* --- ordering ------------------------------------------------------------------------------- */

/* Each order reads the member of its name. */
typedef enum fail order_fn(struct sim_call *call, const json_t *body, const char *name,
                           struct error *err);

static enum fail order_redirect_uris(struct sim_call *call, const json_t *body, const char *name,
                                     struct error *err)
{
    struct sim_oauth *oauth = call->sim->oauth;
    json_t *uris, *value;
    size_t index;

    if (jx_array(body, name, &uris, err)) {
        return err->code;
    }
    json_array_foreach(uris, index, value)
    {
        if (!json_is_string(value)) {
            return error_set(err, FAIL_RECORD, "%s: expected texts", name);
        }
    }
    json_decref(oauth->redirect_uris);
    oauth->redirect_uris = json_deep_copy(uris);
    return OK;
}

static enum fail order_flag(struct sim_call *call, const json_t *body, const char *name,
                            struct error *err)
{
    struct sim_oauth *oauth = call->sim->oauth;
    const struct {
        const char *name;
        bool *target;
    } flags[] = {{"deny_next", &oauth->denies_next},
                 {"rotation", &oauth->rotates},
                 {"challenge_required", &oauth->needs_challenge},
                 {"run_as", &oauth->has_run_as}};

    for (size_t i = 0; i < COUNT_OF(flags); i++) {
        if (str_equal(str_of(name), str_of(flags[i].name))) {
            return jx_bool_or(body, name, false, flags[i].target, err);
        }
    }
    return error_set(err, FAIL_BUG, "no flag '%s'", name);
}

static enum fail order_lifetime(struct sim_call *call, const json_t *body, const char *name,
                                struct error *err)
{
    struct sim_oauth *oauth = call->sim->oauth;
    int64_t *target = name[0] == 'c'   ? &oauth->code_ms
                      : name[0] == 'a' ? &oauth->access_ms
                                       : &oauth->refresh_ms;
    int64_t ms = 0;

    if (jx_i64(body, name, &ms, err)) {
        return err->code;
    }
    if (ms < 0) {
        return error_set(err, FAIL_RECORD, "%s: must not be negative; 0 = no end", name);
    }
    *target = ms;
    return OK;
}

static enum fail order_end(struct sim_call *call, const json_t *body, const char *name,
                           struct error *err)
{
    struct sim_oauth *oauth = call->sim->oauth;
    bool is_access = str_equal(str_of(name), STR("expire_access")), is_wanted = false;

    if (jx_bool_or(body, name, false, &is_wanted, err)) {
        return err->code;
    }
    for (size_t i = 0; is_wanted && i < oauth->tokens_count; i++) {
        struct sim_token *token = oauth->tokens[i];

        if (is_access && token->kind == SIM_ACCESS && token->expires_ms > call->now_ms) {
            token->expires_ms = call->now_ms;
        } else if (!is_access && token->kind == SIM_REFRESH) {
            token->is_ended = true;
        }
    }
    return OK;
}

static enum fail order_next_exchange(struct sim_call *call, const json_t *body, const char *name,
                                     struct error *err)
{
    static const struct {
        const char *name;
        enum http_fault fault;
    } WORDS[] = {{"lost", HTTP_FAULT_RESET},
                 {"timeout", HTTP_FAULT_TIMEOUT},
                 {"slow", HTTP_FAULT_SLOW},
                 {"truncated", HTTP_FAULT_TRUNCATE},
                 {"fine", HTTP_FAULT_NONE}};
    struct str word;

    if (jx_str(body, name, &word, err)) {
        return err->code;
    }
    for (size_t i = 0; i < COUNT_OF(WORDS); i++) {
        if (str_equal(word, str_of(WORDS[i].name))) {
            call->sim->oauth->next_fault = WORDS[i].fault;
            return OK;
        }
    }
    return error_set(err, FAIL_RECORD, "%s: expected lost, timeout, slow, truncated or fine", name);
}

static enum fail order_jwt_user(struct sim_call *call, const json_t *body, const char *name,
                                struct error *err)
{
    json_t *entry;
    struct str user, key;

    if (jx_object(body, name, &entry, err) || jx_str(entry, "username", &user, err) ||
        jx_str(entry, "public_key", &key, err)) {
        return error_wrap(err, "%s", name);
    }
    if (!sim_jwt_key_is_readable(key)) {
        return error_set(err, FAIL_RECORD, "%s: public_key is no RSA key or certificate in PEM",
                         name);
    }
    json_object_setn_new(call->sim->oauth->jwt_users, user.at, user.len,
                         json_stringn(key.at, key.len));
    return OK;
}

static enum fail order_account(struct sim_call *call, const json_t *body, const char *name,
                               struct error *err)
{
    struct sim_oauth *oauth = call->sim->oauth;
    struct str account;

    if (jx_id_or(call->arena, body, name, str_of(oauth->own_account), &account, err)) {
        return err->code;
    }
    if (oauth->spec->account_is_number && !str_to_i64(account, &(int64_t){0})) {
        return error_set(err, FAIL_RECORD, "%s: expected a number", name);
    }
    oauth->account = arena_str(&oauth->arena, account);
    return OK;
}

static enum fail order_origin(struct sim_call *call, const json_t *body, const char *name,
                              struct error *err)
{
    struct sim_oauth *oauth = call->sim->oauth;
    struct str origin;

    if (jx_str_or(body, name, STR_NONE, &origin, err)) {
        return err->code;
    }
    oauth->origin = origin.at ? arena_str(&oauth->arena, origin) : STR_NONE;
    return OK;
}

static const struct {
    const char *name;
    order_fn *apply;
} orders[] = {
    {"redirect_uris", order_redirect_uris},
    {"deny_next", order_flag},
    {"rotation", order_flag},
    {"challenge_required", order_flag},
    {"run_as", order_flag},
    {"code_ms", order_lifetime},
    {"access_ms", order_lifetime},
    {"refresh_ms", order_lifetime},
    {"expire_access", order_end},
    {"revoke_refresh", order_end},
    {"next_exchange", order_next_exchange},
    {"jwt_user", order_jwt_user},
    {"account", order_account},
    {"origin", order_origin},
};

static order_fn *order_find(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(orders); i++) {
        if (str_equal(str_of(name), str_of(orders[i].name))) {
            return orders[i].apply;
        }
    }
    return NULL;
}

enum fail sim_oauth_order(struct sim_call *call, const json_t *body, struct error *err)
{
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)body, name, value)
    {
        order_fn *apply = order_find(name);

        if (!apply) {
            return error_set(err, FAIL_RECORD, "no such member: '%.40s'; see docs/simulators.md",
                             name);
        }
        if (apply(call, body, name, err)) {
            return err->code;
        }
    }
    return OK;
}
