#include "cli/remote.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/listing.h"
#include "cli/local_door.h"
#include "core/alloc.h"
#include "core/jx.h"
#include "core/private_file.h"
#include "http/client.h"
#include "http/transport.h"
#include "http/url.h"

enum { ASK_TIMEOUT_MS = 60 * 1000, HTTP_TOO_MANY = 429 };

struct remote {
    struct cli *cli;
    struct transport *transport;
    struct http_client *http;
    struct http_account account;
    struct secret token;
    struct arena arena;
    struct str base; /* "http://127.0.0.1:8642" */
    struct str tenant;
    struct local_way *way; /* owned; NULL: base was named by the person */
};

/* --- opening ------------------------------------------------------------------------------------------------- */

static enum fail refused_address(const struct remote *remote, struct error *err)
{
    error_wrap(err, "'%" PRI_STR "' is no address of a service", STR_ARG(remote->base));
    return error_hint(err, "give --server https://HOST or http://127.0.0.1:PORT, without a path");
}

/* Every answer is read here, whatever its status; but who asks too fast waits. */
static enum fail classify(const struct http_response *response, struct http_account *account,
                          struct error *err)
{
    (void)account;
    if (response->status != HTTP_TOO_MANY) {
        return OK;
    }
    error_set(err, FAIL_THROTTLED, "the service takes no more requests with this token now");
    err->wait_ms = http_retry_after_ms(&response->headers, response->ended_ms, HTTP_WAIT_INSIDE_MS);
    return err->code;
}

static enum fail connect_to(struct remote *remote, struct error *err)
{
    const struct transport_live_options live = {.allow_loopback = true,
                                                .allow_private = true,
                                                .socket_file =
                                                    remote->way ? remote->way->socket : NULL,
                                                .ca_file = remote->cli->ca};
    struct http_client_options options = {.allow_loopback = true, .any_port = true};
    struct http_url url;
    const char *host;

    if (http_url_parse(remote->base, &url, err) != OK) {
        return refused_address(remote, err);
    }
    if (url.target.len > 0 && !str_equal(url.target, STR("/"))) {
        error_set(err, FAIL_CONFIG, "it has a path");
        return refused_address(remote, err);
    }
    remote->base = str_slice(remote->base, 0, remote->base.len - url.target.len);
    host = arena_cstr(&remote->arena, url.host);
    options.allowed_hosts = &host;
    options.allowed_hosts_count = 1;
    if (transport_new_live(&live, remote->cli->env->clock, &remote->transport, err) != OK) {
        return err->code;
    }
    remote->cli->env->transport = remote->transport;
    remote->http = http_client_new(remote->cli->env, &options);
    remote->account = (struct http_account){.classify = classify, .timeout_ms = ASK_TIMEOUT_MS};
    return http_url_check(remote->http, remote->base, err) == OK ? OK
                                                                 : refused_address(remote, err);
}

/* libcurl would only say so after it has resolved the name. */
static enum fail check_ca(const struct cli *cli, struct error *err)
{
    if (!cli->ca || access(cli->ca, R_OK) == 0) {
        return OK;
    }
    error_set(err, FAIL_CONFIG, "cannot read the certificates '%s': %s", cli->ca, strerror(errno));
    return error_hint(err, "--ca, or CRMSYNC_CA, is a file of certificates in PEM form");
}

static enum fail read_token(struct remote *remote, struct error *err)
{
    const char *text = getenv("CRMSYNC_TOKEN"), *file = getenv("CRMSYNC_TOKEN_FILE");
    AUTO_SECRET struct secret whole = {0};

    if (text && text[0]) {
        secret_set(&remote->token, str_trim(str_of(text)));
        return OK;
    }
    if (!file || !file[0]) {
        error_set(err, FAIL_CONFIG, "there is no token for the service");
        return error_hint(err, "set CRMSYNC_TOKEN, or CRMSYNC_TOKEN_FILE to a file of mode 0600; "
                               "'crmsync token create NAME' makes a token there");
    }
    if (private_file_read(file, "token file", &whole, err) != OK) {
        return err->code;
    }
    secret_set(&remote->token, str_trim(secret_expose(&whole)));
    return OK;
}

enum fail remote_open(struct cli *cli, struct remote **ret, struct error *err)
{
    struct remote *remote = alloc_new(1, sizeof *remote);

    remote->cli = cli;
    remote->base = arena_str(&remote->arena, str_of(cli->server));
    remote->tenant = str_of(cli->tenant);
    if (check_ca(cli, err) != OK || read_token(remote, err) != OK ||
        connect_to(remote, err) != OK) {
        remote_close(remote);
        return err->code;
    }
    *ret = remote;
    return OK;
}

void remote_close(struct remote *remote)
{
    if (remote) {
        http_client_free(remote->http);
        transport_free(remote->transport);
        if (remote->transport) {
            remote->cli->env->transport = NULL;
        }
        secret_fini(&remote->token);
        local_way_free(remote->way);
        arena_fini(&remote->arena);
        free(remote);
    }
}

/* --- asking -------------------------------------------------------------------------------------------------- */

static enum fail read_problem(const struct remote *remote, int status, const json_t *problem,
                              struct error *err)
{
    struct str detail = jx_text_of(jx_get(problem, "detail"));
    struct str hint = jx_text_of(jx_get(problem, "hint"));

    if (!detail.at) {
        error_set(err, FAIL_RETRY, "%" PRI_STR " answered with status %d", STR_ARG(remote->base),
                  status);
        return error_hint(err, "check that a crmsync service listens there");
    }
    error_set(err, listing_fail(problem, "code"), "%" PRI_STR, STR_ARG(detail));
    return hint.len ? error_hint(err, "%" PRI_STR, STR_ARG(hint)) : err->code;
}

static void add_headers(struct remote *remote, struct http_request *request, struct arena *arena)
{
    http_header_add(
        &request->headers, STR("Authorization"),
        arena_printf(arena, "Bearer %" PRI_STR, STR_ARG(secret_expose(&remote->token))));
    if (remote->tenant.len) {
        http_header_add(&request->headers, STR("Crmsync-Tenant"), remote->tenant);
    }
    if (request->body.len) {
        http_header_add(&request->headers, STR("Content-Type"), STR("application/json"));
    }
}

static enum fail send_call(struct remote *remote, struct http_call *call, struct error *err)
{
    struct http_call *calls[] = {call};

    if (http_exec(remote->http, &remote->account, calls, 1, err) != OK) {
        return err->code;
    }
    *err = call->error;
    if (call->result == FAIL_CONNECTION) { /* its certificate is not trusted */
        return error_hint(err, "name what signed it with --ca FILE, or CRMSYNC_CA");
    }
    if (call->result != OK && !remote->way) {
        return error_hint(err, "check the address of --server, and that the service runs");
    }
    return call->result;
}

static enum fail read_answer(struct remote *remote, const struct http_response *response,
                             struct arena *arena, json_t **ret, struct error *err)
{
    bool is_fine = response->status >= 200 && response->status < 300;
    struct error ignored = {0};

    *ret = NULL;
    if (response->body.len && jx_parse(arena, response->body, ret, &ignored) != OK && is_fine) {
        *err = ignored;
        return err->code;
    }
    return is_fine ? OK : read_problem(remote, response->status, *ret, err);
}

enum fail remote_ask(struct remote *remote, enum http_method method, struct str target,
                     json_t *body, struct arena *arena, json_t **ret, struct error *err)
{
    struct arena secrets = {0};
    struct http_call call = {
        .request = {.method = method,
                    .url = arena_printf(arena, "%" PRI_STR "%" PRI_STR, STR_ARG(remote->base),
                                        STR_ARG(target)),
                    .body = body ? jx_text(arena, body) : STR("")},
        .is_safe = method == HTTP_GET};
    enum fail failed;

    add_headers(remote, &call.request, &secrets);
    failed = send_call(remote, &call, err);
    if (failed == OK) {
        failed = read_answer(remote, &call.response, arena, ret, err);
    }
    http_call_fini(&call);
    arena_wipe(&secrets);
    arena_fini(&secrets);
    return failed;
}

/* --- the service that holds a store -------------------------------------------------------------------------- */

/* A note that a killed service left leads nowhere: then the store is free. */
static bool answers(struct remote *remote)
{
    AUTO_ARENA struct arena arena = {0};
    struct error ignored = {0};
    json_t *body;

    return remote_ask(remote, HTTP_GET, STR("/api/crm/tenants"), NULL, &arena, &body, &ignored) ==
           OK;
}

enum fail remote_open_holder(struct cli *cli, struct str store_path, struct str tenant,
                             struct remote **ret, struct error *err)
{
    struct error ignored = {0};
    struct local_way *way;
    struct remote *remote;

    (void)err;
    *ret = NULL;
    if (local_way_find(store_path, &way, &ignored) != OK || !way) {
        return OK;
    }
    remote = alloc_new(1, sizeof *remote);
    remote->cli = cli;
    remote->way = way;
    remote->base = STR("http://localhost");
    remote->tenant = arena_str(&remote->arena, tenant);
    secret_set(&remote->token, secret_expose(&way->token));
    if (connect_to(remote, &ignored) != OK || !answers(remote)) {
        remote_close(remote);
        return OK;
    }
    *ret = remote;
    return OK;
}
