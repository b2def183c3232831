#include "api/inside.h"
#include "api/token.h"
#include "store/audit.h"

/* What stands behind "Bearer"; STR_NONE: nothing of that form. source: RFC 6750 2.1 */
static struct str bearer(const struct http_request *request)
{
    struct str rest = str_trim(http_header_get(&request->headers, "authorization"));
    struct str scheme = str_cut(&rest, ' ');

    return str_equal_nocase(scheme, STR("bearer")) ? str_trim(rest) : STR_NONE;
}

enum fail api_count_attempt(struct api_call *call, struct error *err)
{
    int64_t wait_ms = rate_take(call->api->addresses, call->request->client_address);

    if (wait_ms == 0) {
        return OK;
    }
    error_set(err, FAIL_THROTTLED, "too many requests without a good token from this address");
    err->wait_ms = wait_ms;
    return api_status(call, 429, err);
}

/* One answer for all that is wrong with a token: who has none learns nothing. */
static enum fail refuse(struct api_call *call, struct error *err)
{
    if (api_count_attempt(call, err) != OK) {
        return err->code;
    }
    api_header(call, "WWW-Authenticate", STR("Bearer realm=\"crmsync\""));
    error_set(err, FAIL_AUTH, "this needs a token that is good");
    error_hint(err,
               "send 'Authorization: Bearer crmsync_…'; 'crmsync token create NAME' makes one");
    return api_status(call, 401, err);
}

static enum fail look_up(struct api_call *call, const uint8_t hash[SHA256_BYTES],
                         struct store_api_token *ret, bool *ret_found, struct error *err)
{
    AUTO_TX struct tx *tx = NULL;

    if (!call->reader && handles_take(call->api->handles, STORE_READ, &call->reader, err) != OK) {
        return err->code;
    }
    if (tx_begin(call->reader, TENANT_DEFAULT, &tx, err) != OK ||
        api_token_by_hash(tx, hash, call->arena, ret, ret_found, err) != OK) {
        return err->code;
    }
    return tx_commit(&tx, err);
}

/* At most once a minute for each token. */
static enum fail note_use(struct api_call *call, const struct store_api_token *token,
                          struct error *err)
{
    AUTO_TX struct tx *tx = NULL;
    struct store *writer;

    if (clock_wall_ms(call->env->clock) - token->used_ms < API_TOKEN_USED_STEP_MS) {
        return OK;
    }
    writer = api_writer(call, err);
    if (!writer || tx_begin(writer, TENANT_DEFAULT, &tx, err) != OK ||
        api_token_used(tx, token, err) != OK) {
        return err->code;
    }
    return tx_commit(&tx, err);
}

static enum fail check_rate(struct api_call *call, struct error *err)
{
    int64_t wait_ms =
        rate_take(call->api->tokens, arena_printf(call->arena, "%lld", (long long)call->token_id));

    if (wait_ms == 0) {
        return OK;
    }
    error_set(err, FAIL_THROTTLED, "too many requests with this token");
    err->wait_ms = wait_ms;
    return api_status(call, 429, err);
}

/* Takes as long for every token. */
static bool is_local_token(const struct api *api, const uint8_t hash[SHA256_BYTES])
{
    unsigned difference = 0;

    for (size_t i = 0; i < SHA256_BYTES; i++) {
        difference |= (unsigned)(api->local_hash[i] ^ hash[i]);
    }
    return difference == 0;
}

/* A command of the user whom the service belongs to: it may do what that user may. */
static enum fail admit_local(struct api_call *call, struct store_api_token *token)
{
    token->tenant_id = TENANT_DEFAULT;
    call->token_name = STR("local");
    call->role = ROLE_ADMIN;
    call->is_for_all = true;
    return OK;
}

static enum fail authenticate(struct api_call *call, struct store_api_token *token,
                              struct error *err)
{
    struct str text = bearer(call->request);
    uint8_t hash[SHA256_BYTES];
    bool found = false;

    if (!text.at || !api_token_hash(text, hash)) {
        return refuse(call, err);
    }
    if (is_local_token(call->api, hash)) {
        return admit_local(call, token);
    }
    if (look_up(call, hash, token, &found, err) != OK) {
        return err->code;
    }
    if (!found || !api_token_is_good(token, clock_wall_ms(call->env->clock))) {
        return refuse(call, err);
    }
    call->token_id = token->id;
    memcpy(call->token_hash, hash, sizeof call->token_hash);
    call->token_name = token->name;
    call->token_tenant_id = token->tenant_id;
    call->role = token->role;
    call->is_for_all = token->is_for_all;
    return check_rate(call, err) == OK ? note_use(call, token, err) : err->code;
}

/* Once, until something else happens with that token. */
static void note_refusal(struct api_call *call)
{
    AUTO_TX struct tx *tx = NULL;
    struct error err = {0};
    const struct audit_detail details[] = {
        {"method", str_of(http_method_name(call->request->method))},
        {"address", str_of(call->route->pattern)},
        {0}};
    const struct audit_note note = {
        .action = "token.refused",
        .subject = arena_printf(call->arena, "token %" PRI_STR, STR_ARG(call->token_name)),
        .details = details};
    struct store *writer = api_writer(call, &err);

    if (!writer || tx_begin(writer, call->token_tenant_id, &tx, &err) != OK ||
        audit_put_changed(tx, &note, &err) != OK || tx_commit(&tx, &err) != OK) {
        LOG_EVENT(call->env->log, LOG_ERROR, "refusal not written down",
                  LOG_S("why", str_of(err.message)));
    }
}

static enum fail forbid(struct api_call *call, const char *why, struct error *err)
{
    note_refusal(call);
    error_set(err, FAIL_AUTH, "token '%" PRI_STR "' %s", STR_ARG(call->token_name), why);
    return api_status(call, 403, err);
}

static const struct api_tenant *tenant_by(const struct api_call *call, struct str name, int64_t id)
{
    for (size_t i = 0; i < call->setup.tenants_count; i++) {
        const struct api_tenant *tenant = &call->setup.tenants[i];

        if (name.len ? str_equal(tenant->name, name) : tenant->id == id) {
            return tenant;
        }
    }
    return NULL;
}

/* By the header Crmsync-Tenant, else the token's own (the default one for a token of all). A token of one tenant may name that one; every other name is refused alike, whether there is such a tenant or not. */
static enum fail find_tenant(struct api_call *call, int64_t own_id, struct error *err)
{
    struct str name = str_trim(http_header_get(&call->request->headers, "crmsync-tenant"));

    call->tenant = tenant_by(call, name, own_id);
    if (!call->is_for_all && name.len && (!call->tenant || call->tenant->id != own_id)) {
        call->tenant = NULL;
        return forbid(call, "is not one of that tenant", err);
    }
    if (!call->tenant) {
        error_set(err, FAIL_CONFIG, "there is no such tenant in the configuration");
        return api_status(call, 404, err);
    }
    return OK;
}

enum fail api_admit(struct api_call *call, struct error *err)
{
    struct store_api_token token = {0};

    if (call->route->role == ROLE_NONE || api_is_public_scrape(call)) {
        return OK;
    }
    if (authenticate(call, &token, err) != OK) {
        return err->code;
    }
    if (call->role < call->route->role) {
        forbid(call, "may not do that", err);
        return error_hint(err, "it is a token of a %s; this needs one of an %s",
                          api_role_name(call->role), api_role_name(call->route->role));
    }
    if (call->route->scope == API_SCOPE_SERVICE) {
        return call->is_for_all ? OK : forbid(call, "is of one tenant only", err);
    }
    return find_tenant(call, token.tenant_id, err);
}
