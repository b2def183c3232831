#include "cli/callback.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "http/server.h"
#include "http/url.h"

enum {
    LOOK_MS = 50,
    ANSWER_OUT_MS = 300, /* for the last page to reach the browser */
    DEADLINE_MS =
        2000, /* for a request: a browser here is quick, and others must not keep its place */
    BODY_BYTES_MAX = 1024,
    CONNECTIONS_MAX = 32
};

struct listener {
    struct str path; /* of the redirect address */
    callback_fn *answered;
    void *context;
    pthread_mutex_t
        answering; /* held while an answer is dealt with: an exchange that has begun is waited for, however late it is */
    atomic_bool is_over;
    struct error err; /* the last word, once it is over */
};

struct signin_answer callback_read(struct arena *arena, const struct http_request *request)
{
    return (struct signin_answer){.state = http_query_get(arena, request, "state"),
                                  .code = http_query_get(arena, request, "code"),
                                  .error = http_query_get(arena, request, "error"),
                                  .error_description =
                                      http_query_get(arena, request, "error_description")};
}

/* Plain text: what a CRM says is shown as it is and never read as a page. */
static void write_page(struct http_response *response, int status, struct str text)
{
    response->status = status;
    response->body = text;
    http_header_add(&response->headers, STR("Content-Type"), STR("text/plain; charset=utf-8"));
    http_header_add(&response->headers, STR("Content-Security-Policy"), STR("default-src 'none'"));
    http_header_add(&response->headers, STR("X-Content-Type-Options"), STR("nosniff"));
    http_header_add(&response->headers, STR("Referrer-Policy"), STR("no-referrer"));
    http_header_add(&response->headers, STR("Cache-Control"), STR("no-store"));
}

static void answer(struct listener *listener, const struct http_request *request,
                   struct http_response *response)
{
    struct signin_answer said = callback_read(&response->arena, request);
    struct error err = {0};
    bool goes_on = false;

    if (atomic_load(&listener->is_over)) {
        write_page(response, 410, STR("The sign-in is over. You can close this window.\n"));
        return;
    }
    if (listener->answered(listener->context, &said, &goes_on, &err) == OK) {
        write_page(response, 200, STR("Signed in. You can close this window.\n"));
    } else {
        write_page(response, 400,
                   arena_printf(&response->arena, "Not signed in: %s.\n%s%s%s", err.message,
                                err.hint[0] ? "Try: " : "", err.hint, err.hint[0] ? "\n" : ""));
    }
    if (err.code == OK || !goes_on) {
        listener->err = err;
        atomic_store(&listener->is_over, true);
    }
}

static void handle(void *context, const struct http_request *request,
                   struct http_response *response)
{
    struct listener *listener = context;

    if (!str_equal(http_path(request), listener->path)) {
        write_page(response, 404, STR("Nothing is here.\n"));
    } else if (request->method != HTTP_GET ||
               request->is_head) { /* whoever only looks uses nothing up */
        write_page(response, 405, STR("Only GET.\n"));
    } else {
        pthread_mutex_lock(&listener->answering);
        answer(listener, request, response);
        pthread_mutex_unlock(&listener->answering);
    }
}

static enum fail fail_elsewhere(struct str redirect_uri, struct error *err)
{
    error_set(err, FAIL_CONFIG,
              "cannot listen at '%" PRI_STR "': it is not an address of this machine",
              STR_ARG(redirect_uri));
    return error_hint(err, "use --paste, or the redirect_uri http://localhost:PORT/PATH");
}

static enum fail start(struct listener *listener, struct str redirect_uri, struct http_server **ret,
                       struct error *err)
{
    AUTO_ARENA struct arena arena = {0};
    struct http_url url;

    if (http_url_parse(redirect_uri, &url, err) != OK) {
        return err->code;
    }
    if (!url.is_loopback || url.is_https) {
        return fail_elsewhere(redirect_uri, err);
    }
    listener->path = url.target;
    return http_server_start(
        &(const struct http_server_options){.address = str_equal_nocase(url.host, STR("localhost"))
                                                           ? "127.0.0.1"
                                                           : arena_cstr(&arena, url.host),
                                            .port = url.port,
                                            .handler = handle,
                                            .context = listener,
                                            .workers = 1,
                                            .body_bytes_max = BODY_BYTES_MAX,
                                            .request_deadline_ms = DEADLINE_MS,
                                            .connections_max = CONNECTIONS_MAX},
        ret, err);
}

/* Unless it is over by now. */
static void give_up(struct listener *listener, int64_t wait_ms)
{
    pthread_mutex_lock(&listener->answering);
    if (!atomic_load(&listener->is_over)) {
        error_set(&listener->err, FAIL_AUTH, "nobody has signed in for %lld minutes",
                  (long long)(wait_ms / 60000));
        atomic_store(&listener->is_over, true);
    }
    pthread_mutex_unlock(&listener->answering);
}

enum fail callback_wait(struct env *env, struct str redirect_uri, int64_t wait_ms,
                        callback_fn *answered, void *context, struct error *err)
{
    struct listener listener = {
        .answered = answered, .context = context, .answering = PTHREAD_MUTEX_INITIALIZER};
    int64_t until_ms = clock_mono_ms(env->clock) + wait_ms;
    struct http_server *server = NULL;

    if (start(&listener, redirect_uri, &server, err) != OK) {
        return error_wrap(err, "sign-in");
    }
    while (!atomic_load(&listener.is_over) && clock_mono_ms(env->clock) < until_ms) {
        clock_wait_ms(env->clock, LOOK_MS);
    }
    give_up(&listener, wait_ms);
    clock_wait_ms(env->clock, ANSWER_OUT_MS);
    http_server_stop(server);
    *err = listener.err;
    return err->code;
}
