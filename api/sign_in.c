/* A person signs a connection in with a browser: where to go, and the way back. */
#include "api/find.h"
#include "api/handlers.h"
#include "api/inside.h"

/* The connection of the query; else the tenant's only one of that CRM. */
static enum fail choose_connection(struct api_call *call, struct str *ret, struct error *err)
{
    const struct sync_settings *settings = call->tenant->settings;
    const struct connection_settings *found;
    struct str crm = api_parameter(call, "crm");
    size_t hits = 0;

    *ret = api_query(call, "connection");
    if (ret->len) {
        if (api_connection(call, *ret, &found, err) != OK) {
            return err->code;
        }
        return str_equal(str_of(found->adapter->name), crm)
                   ? OK
                   : error_set(err, FAIL_CONFIG, "connection '%" PRI_STR "' is one of %s",
                               STR_ARG(*ret), found->adapter->name);
    }
    for (size_t i = 0; i < settings->connections_count; i++) {
        if (str_equal(str_of(settings->connections[i].adapter->name), crm)) {
            *ret = settings->connections[i].name;
            hits++;
        }
    }
    if (hits == 1) {
        return OK;
    }
    error_set(err, FAIL_CONFIG,
              hits ? "there are several connections of '%" PRI_STR "'"
                   : "there is no connection of '%" PRI_STR "'",
              STR_ARG(crm));
    error_hint(err, hits ? "say which: ?connection=NAME" : "make one first");
    return api_status(call, hits ? 400 : 404, err);
}

enum fail handle_sign_in_start(struct api_call *call, struct error *err)
{
    struct str connection, url;

    if (!call->host->sign_in_start) {
        return api_not_offered(call, "sign-ins", err);
    }
    if (choose_connection(call, &connection, err) != OK ||
        call->host->sign_in_start(call->host->context, call->tenant, connection, call->arena, &url,
                                  err) != OK) {
        return err->code;
    }
    api_answer(call, json_pack("{s:s%,s:s%}", "connection", connection.at, connection.len, "url",
                               url.at, url.len));
    return OK;
}

/* The browser has no token: the state, 256 random bits that are good once, says whose sign-in it is. */
enum fail handle_sign_in_callback(struct api_call *call, struct error *err)
{
    struct str account = STR("");
    enum fail failed;

    if (!call->host->sign_in_finish) {
        return api_not_offered(call, "sign-ins", err);
    }
    if (call->request->is_head) { /* a program that looks at links must not use the state up */
        api_header(call, "Allow", STR("GET"));
        error_set(err, FAIL_CONFIG, "this address does not know HEAD");
        return api_status(call, 405, err);
    }
    failed =
        call->host->sign_in_finish(call->host->context, call->request, call->arena, &account, err);
    if (failed == FAIL_STALE) {
        api_status(call, 400, err);
        return api_count_attempt(call, err) == OK ? failed : err->code;
    }
    if (failed == FAIL_AUTH) { /* by the person, or because of the code: the CRM did its part */
        return api_status(call, 400, err);
    }
    if (failed != OK) {
        return failed;
    }
    call->text = arena_printf(call->arena, "signed in: %" PRI_STR "\nthis window can be closed\n",
                              STR_ARG(account));
    call->type = STR("text/plain; charset=utf-8");
    return OK;
}
