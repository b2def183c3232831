/* http_exec() works in waves: collect what may go now (breaker, limits), send it through the
 * transport, read the answers, and repeat what may be repeated, until every call is done. It runs
 * on the caller's thread; the transport knows about sockets. */
#include "http/client.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "core/alloc.h"
#include "core/offline.h"
#include "http/breaker.h"
#include "http/transport.h"
#include "http/url.h"

enum {
    BACKOFF_BASE_MS = 250,
    BACKOFF_CAP_MS = HTTP_WAIT_INSIDE_MS,
    /* Waiting this long without sending anything means that others keep taking what we wait for. */
    IDLE_MS_MAX = 3 * HTTP_WAIT_INSIDE_MS,
    CANCEL_CHECK_MS = 50,
    WAIT_NONE = -1,
    LANE_OF_ACCOUNT = -1,
};

struct http_client {
    struct env *env; /* borrowed */
    struct limiter *limiter;
    struct breakers *breakers;
    char **hosts; /* owned, each as well */
    size_t hosts_count;
    bool allow_loopback, any_port;
    atomic_bool is_cancelled;
    atomic_int lane; /* LANE_OF_ACCOUNT, or the one that all calls go in */
    _Atomic int64_t calls, retries, throttled, waited_ms, bytes_in;
};

/* One call on its way through http_exec. */
struct work {
    struct http_call *call; /* borrowed */
    /* What is sent: the call's, with the credential of this attempt where the account has auth. */
    struct http_request request;
    char *moved_url; /* owned: the request's URL at the credential's origin, NULL = as it was */
    struct http_credential credential;
    int64_t refused_generation; /* of the credential that the server refused; 0 none */
    struct http_url url;
    int64_t ready_ms; /* monotonic: not sent before */
    bool is_done;
    bool may_be_applied; /* an earlier attempt ended without our knowing how */
};

struct batch {
    struct http_client *client;
    struct http_account *account;
    struct work *works;
    size_t count;
    int64_t idle_ms; /* waited since something was last sent */
};

struct http_client *http_client_new(struct env *env, const struct http_client_options *options)
{
    struct http_client *client = alloc_new(1, sizeof *client);

    assert(env->clock && env->random && env->transport);
    client->env = env;
    client->limiter = limiter_new(env->clock);
    client->breakers = breakers_new(env->clock);
    client->allow_loopback = options->allow_loopback;
    client->any_port = options->any_port;
    atomic_init(&client->lane, LANE_OF_ACCOUNT);
    client->hosts_count = options->allowed_hosts_count;
    client->hosts = alloc_new(options->allowed_hosts_count + 1, sizeof *client->hosts);
    for (size_t i = 0; i < client->hosts_count; i++) {
        client->hosts[i] = alloc_dup(options->allowed_hosts[i]);
    }
    return client;
}

void http_client_free(struct http_client *client)
{
    if (!client) {
        return;
    }
    for (size_t i = 0; i < client->hosts_count; i++) {
        free(client->hosts[i]);
    }
    free(client->hosts);
    limiter_free(client->limiter);
    breakers_free(client->breakers);
    free(client);
}

void http_client_cancel(struct http_client *client)
{
    struct transport *transport = client->env->transport;

    atomic_store(&client->is_cancelled, true);
    if (transport->ops->wake) {
        transport->ops->wake(transport);
    }
}

void http_client_lane_set(struct http_client *client, enum lane lane)
{
    atomic_store(&client->lane, (int)lane);
}

struct limiter *http_client_limiter(struct http_client *client)
{
    return client->limiter;
}

struct http_stats http_client_stats(struct http_client *client)
{
    return (struct http_stats){
        .calls = atomic_load(&client->calls),
        .retries = atomic_load(&client->retries),
        .throttled = atomic_load(&client->throttled),
        .waited_ms = atomic_load(&client->waited_ms),
        .bytes_in = atomic_load(&client->bytes_in),
    };
}

void http_call_fini(struct http_call *call)
{
    http_response_fini(&call->response);
}

static bool host_is_listed(const struct http_client *client, const char *const *hosts,
                           struct str host)
{
    for (size_t i = 0; hosts && hosts[i]; i++) {
        if (http_host_matches(host, hosts[i])) {
            return true;
        }
    }
    if (hosts) {
        return false;
    }
    for (size_t i = 0; i < client->hosts_count; i++) {
        if (http_host_matches(host, client->hosts[i])) {
            return true;
        }
    }
    return false;
}

static enum fail check_loopback(const struct http_client *client, const struct http_url *url,
                                struct error *err)
{
    if (client->allow_loopback) {
        return OK;
    }
    error_set(err, FAIL_CONFIG, "host '%" PRI_STR "' is this machine, which is not allowed",
              STR_ARG(url->host));
    return error_hint(err, "set 'allow_loopback: true' in crmsync.yaml to use simulators");
}

static enum fail check_url(const struct http_client *client, const char *const *hosts,
                           struct str text, struct http_url *ret, struct error *err)
{
    struct http_url url;

    if (http_url_parse(text, &url, err) != OK) {
        return err->code;
    }
    if (url.is_loopback) {
        *ret = url;
        return check_loopback(client, &url, err);
    }
    if (!host_is_listed(client, hosts, url.host)) {
        error_set(err, FAIL_CONFIG, "host '%" PRI_STR "' is not one that this connection may ask",
                  STR_ARG(url.host));
        return error_hint(err, "correct 'base_url' in crmsync.yaml: only the CRM's own hosts are "
                               "allowed, and this machine with 'allow_loopback: true'");
    }
    if (!url.is_https || (url.port != 443 && !client->any_port)) {
        error_set(err, FAIL_CONFIG, "host '%" PRI_STR "' may only be asked by https on port 443",
                  STR_ARG(url.host));
        return error_hint(err, "correct 'base_url' in crmsync.yaml");
    }
    *ret = url;
    return OK;
}

enum fail http_url_check(const struct http_client *client, struct str url, struct error *err)
{
    struct http_url parsed;

    return check_url(client, NULL, url, &parsed, err);
}

static bool has_control(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.at[i];

        if ((c < ' ' && c != '\t') || c == 0x7F) {
            return true;
        }
    }
    return false;
}

/* A line end in a header would start another header: a token pasted with its newline is the usual
 * way. */
static enum fail check_headers(const struct http_headers *headers, struct error *err)
{
    for (size_t i = 0; i < headers->count; i++) {
        struct str name = headers->at[i].name;

        if (has_control(name) || name.len == 0 || str_contains(name, STR(":"))) {
            return error_set(err, FAIL_CONFIG, "a header's name is not valid");
        }
        if (has_control(headers->at[i].value)) {
            error_set(err, FAIL_CONFIG,
                      "the value of header '%" PRI_STR "' holds a line end or control character",
                      STR_ARG(name));
            return error_hint(err, "check the token: it must be one line without blanks around");
        }
    }
    return OK;
}

static bool is_cancelled(const struct batch *batch)
{
    return atomic_load(&batch->client->is_cancelled);
}

static int64_t now_ms(const struct batch *batch)
{
    return clock_mono_ms(batch->client->env->clock);
}

/* True for what ends the whole batch, not one call of it. */
static bool concerns_all(enum fail code)
{
    switch (code) {
    case FAIL_AUTH:
    case FAIL_CONFIG:
    case FAIL_CANCELLED:
    case FAIL_STOP:
    case FAIL_BUG:
        return true;
    case OK:
    case FAIL_RECORD:
    case FAIL_STALE:
    case FAIL_THROTTLED:
    case FAIL_RETRY:
    case FAIL_CONNECTION:
        return false;
    }
    abort();
}

static void finish(struct work *work, const struct error *why)
{
    work->is_done = true;
    work->call->error = *why;
    work->call->result = why->code;
    /* These two are facts about one call, and why may come from another. */
    work->call->error.is_outcome_unknown = work->may_be_applied;
    work->call->error.http_status = work->call->response.status;
}

static void finish_rest(struct batch *batch, const struct error *why)
{
    for (size_t i = 0; i < batch->count; i++) {
        if (!batch->works[i].is_done) {
            finish(&batch->works[i], why);
        }
    }
}

/* Why a call was not sent, or not again: only facts about that, nothing of an earlier answer. */
static struct error long_wait(int64_t wait_ms)
{
    struct error err = {0};

    error_set(&err, FAIL_THROTTLED, "the CRM's call limit is used up for the next %lld s",
              (long long)(wait_ms + 999) / 1000);
    error_hint(&err, "nothing to do: the work goes on when the limit allows it");
    err.wait_ms = wait_ms;
    return err;
}

static struct error cancelled(void)
{
    struct error err = {0};

    error_set(&err, FAIL_CANCELLED, "stopped on request");
    return err;
}

static void pause_batch(struct batch *batch, int64_t ms)
{
    batch->idle_ms += ms;
    atomic_fetch_add(&batch->client->waited_ms, ms);
    while (ms > 0 && !is_cancelled(batch)) {
        int64_t part_ms = ms < CANCEL_CHECK_MS ? ms : CANCEL_CHECK_MS;

        clock_wait_ms(batch->client->env->clock, part_ms);
        ms -= part_ms;
    }
}

static enum lane lane_of(const struct batch *batch)
{
    int lane = atomic_load(&batch->client->lane);

    return lane == LANE_OF_ACCOUNT ? batch->account->lane : (enum lane)lane;
}

/* Returns 0 with units and the breaker's grant taken, or the wait with nothing taken and *why
 * filled. */
static int64_t admit(struct batch *batch, struct work *work, struct error *why)
{
    struct http_account *account = batch->account;
    int64_t wait_ms = breakers_ask(batch->client->breakers, work->url.authority, why);

    if (wait_ms || !account->limits) {
        return wait_ms;
    }
    wait_ms = limit_take(account->limits, lane_of(batch), &work->call->cost);
    if (wait_ms) {
        breakers_report(batch->client->breakers, work->url.authority, BREAKER_SILENT, "");
        *why = long_wait(wait_ms);
    }
    return wait_ms;
}

/* The request at the credential's origin. */
static void move_url(struct work *work)
{
    struct str authority = work->url.authority;
    struct str asked = work->call->request.url;
    size_t rest = (size_t)(authority.at + authority.len - asked.at);

    free(work->moved_url);
    work->moved_url = NULL;
    work->request.url = asked;
    if (work->credential.origin[0]) {
        work->moved_url = alloc_printf("%s%" PRI_STR, work->credential.origin,
                                       STR_ARG(str_slice(asked, rest, asked.len)));
        work->request.url = str_of(work->moved_url);
    }
}

/* Gives the request the credential that is in force now. */
static enum fail arm(struct batch *batch, struct work *work, struct error *err)
{
    struct http_auth *auth = batch->account->auth;
    struct http_url asked;

    work->request = work->call->request;
    if (!auth) {
        return OK;
    }
    http_credential_fini(&work->credential);
    if (auth->get(auth, work->refused_generation, &work->credential, err) != OK ||
        check_url(batch->client, batch->account->hosts, work->call->request.url, &asked, err) !=
            OK) {
        return err->code;
    }
    work->url = asked;
    move_url(work);
    http_header_add(&work->request.headers, STR("Authorization"),
                    secret_expose(&work->credential.header));
    if (check_url(batch->client, batch->account->hosts, work->request.url, &work->url, err) != OK) {
        return error_wrap(err, "the CRM said that its API is at a host of its own");
    }
    return check_headers(&work->request.headers, err);
}

static int64_t sooner(int64_t wait_ms, int64_t other_ms)
{
    return wait_ms == WAIT_NONE || other_ms < wait_ms ? other_ms : wait_ms;
}

/* Puts up to HTTP_PARALLEL_MAX works that may go now into wave and returns their number.
 * *ret_wait_ms: when to look again. Works that would wait too long are finished; a work that waits
 * a little holds back those behind it, so that dear calls are not starved. */
static size_t collect(struct batch *batch, struct work *wave[HTTP_PARALLEL_MAX],
                      int64_t *ret_wait_ms)
{
    size_t count = 0;

    *ret_wait_ms = WAIT_NONE;
    for (size_t i = 0; i < batch->count && count < HTTP_PARALLEL_MAX; i++) {
        struct work *work = &batch->works[i];
        struct error why = {0};
        int64_t wait_ms = work->ready_ms - now_ms(batch);

        if (work->is_done) {
            continue;
        }
        if (wait_ms > 0) { /* its own back-off */
            *ret_wait_ms = sooner(*ret_wait_ms, wait_ms);
            continue;
        }
        if (arm(batch, work, &why) != OK) {
            finish(work, &why);
            continue;
        }
        wait_ms = admit(batch, work, &why);
        if (wait_ms == 0) {
            wave[count++] = work;
        } else if (wait_ms > HTTP_WAIT_INSIDE_MS || batch->idle_ms + wait_ms > IDLE_MS_MAX) {
            finish(work, &why);
        } else {
            *ret_wait_ms = sooner(*ret_wait_ms, wait_ms);
            break;
        }
    }
    return count;
}

static enum breaker_sign sign_of(const struct http_exchange *exchange)
{
    if (exchange->result == OK) {
        return exchange->response.status >= 500 ? BREAKER_FAILED : BREAKER_ALIVE;
    }
    return exchange->result == FAIL_RETRY ? BREAKER_FAILED : BREAKER_SILENT;
}

static void read_answer(struct batch *batch, struct work *work)
{
    struct http_call *call = work->call;

    error_reset(&call->error);
    call->result = batch->account->classify(&call->response, batch->account, &call->error);
    assert(call->result == OK || call->error.code == call->result);
    if (call->result == OK) {
        error_reset(&call->error);
    }
    call->error.http_status = call->response.status;
    if (call->result == FAIL_RETRY && call->response.status >= 500 && !call->is_safe) {
        /* A gateway's 5xx says nothing about what the machine behind it did. */
        call->error.is_outcome_unknown = true;
    }
}

static void count_exchange(struct http_client *client, const struct http_exchange *exchange,
                           int attempts)
{
    atomic_fetch_add(&client->calls, 1);
    atomic_fetch_add(&client->retries, attempts > 1 ? 1 : 0);
    atomic_fetch_add(&client->throttled, exchange->response.status == 429 ? 1 : 0);
    atomic_fetch_add(&client->bytes_in, (int64_t)exchange->response.body.len);
}

static bool may_repeat(const struct http_call *call)
{
    if (call->attempts >= HTTP_ATTEMPTS_MAX) {
        return false;
    }
    if (call->result == FAIL_THROTTLED) {
        return call->is_safe || call->response.status == 429;
    }
    return call->result == FAIL_RETRY && call->is_safe;
}

/* Done, or to be sent again after a while. */
static void decide(struct batch *batch, struct work *work)
{
    struct http_call *call = work->call;
    int64_t wait_ms = backoff_full_jitter_ms(batch->client->env->random, call->attempts - 1,
                                             BACKOFF_BASE_MS, BACKOFF_CAP_MS);

    work->may_be_applied = work->may_be_applied || call->error.is_outcome_unknown;
    if (call->result == FAIL_THROTTLED && batch->account->limits) {
        limit_penalise(batch->account->limits, call->error.wait_ms);
    }
    wait_ms = call->error.wait_ms > wait_ms ? call->error.wait_ms : wait_ms;
    if (may_repeat(call) && wait_ms <= HTTP_WAIT_INSIDE_MS) {
        work->ready_ms = now_ms(batch) + wait_ms;
        return;
    }
    work->is_done = true;
    if (call->result == FAIL_RETRY && work->may_be_applied) {
        call->error.is_outcome_unknown = true;
    }
}

/* The credential was refused for the first time: nothing was applied, and a newer one may do. */
static bool take_again(struct batch *batch, struct work *work)
{
    struct http_call *call = work->call;

    if (!batch->account->auth || call->result != FAIL_AUTH || call->response.status != 401 ||
        work->refused_generation) {
        return false;
    }
    work->refused_generation = work->credential.generation;
    call->result = OK;
    error_reset(&call->error);
    return true;
}

static void settle(struct batch *batch, struct work *work, struct http_exchange *exchange)
{
    struct http_call *call = work->call;

    call->attempts++;
    count_exchange(batch->client, exchange, call->attempts);
    http_response_fini(&call->response);
    call->response = exchange->response;
    if (exchange->result == OK) {
        read_answer(batch, work);
    } else {
        call->result = exchange->result;
        call->error = exchange->error;
    }
    breakers_report(batch->client->breakers, work->url.authority, sign_of(exchange),
                    exchange->result == OK ? "server error" : exchange->error.message);
    if (!take_again(batch, work)) {
        decide(batch, work);
    }
}

static void run_wave(struct batch *batch, struct work *const *wave, size_t count)
{
    const struct http_account *account = batch->account;
    struct transport *transport = batch->client->env->transport;
    struct http_exchange *exchanges = alloc_new(count, sizeof *exchanges);
    struct http_exchange *list[HTTP_PARALLEL_MAX];

    for (size_t i = 0; i < count; i++) {
        exchanges[i] = (struct http_exchange){
            .request = &wave[i]->request,
            .timeout_ms = account->timeout_ms ? account->timeout_ms : HTTP_TIMEOUT_MS,
            .answer_bytes_max =
                account->answer_bytes_max ? account->answer_bytes_max : HTTP_ANSWER_BYTES_MAX,
            .is_cancelled = &batch->client->is_cancelled,
        };
        list[i] = &exchanges[i];
    }
    transport->ops->exec(transport, list, count);
    for (size_t i = 0; i < count; i++) {
        settle(batch, wave[i], &exchanges[i]);
    }
    batch->idle_ms = 0;
    free(exchanges);
}

static bool is_finished(const struct batch *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        if (!batch->works[i].is_done) {
            return false;
        }
    }
    return true;
}

/* The gravest failure that concerns all calls, or OK. */
static enum fail gravest(const struct batch *batch, struct error *err)
{
    const struct http_call *worst = NULL;

    for (size_t i = 0; i < batch->count; i++) {
        const struct http_call *call = batch->works[i].call;

        if (concerns_all(call->result) && (!worst || call->result > worst->result)) {
            worst = call;
        }
    }
    if (!worst) {
        return OK;
    }
    *err = worst->error;
    return err->code;
}

/* Clears what an earlier use of the calls left, and refuses the whole batch before anything is
 * sent. */
static enum fail prepare(struct batch *batch, struct error *err)
{
    for (size_t i = 0; i < batch->count; i++) {
        struct work *work = &batch->works[i];

        http_response_fini(&work->call->response);
        error_reset(&work->call->error);
        work->call->result = OK;
        work->call->attempts = 0;
    }
    for (size_t i = 0; i < batch->count; i++) {
        struct work *work = &batch->works[i];

        if (check_url(batch->client, batch->account->hosts, work->call->request.url, &work->url,
                      err) != OK ||
            check_headers(&work->call->request.headers, err) != OK) {
            return err->code;
        }
    }
    return OK;
}

static enum fail run(struct batch *batch, struct error *err)
{
    if (prepare(batch, err) != OK) {
        finish_rest(batch, err);
        return err->code;
    }
    while (!is_finished(batch)) {
        struct work *wave[HTTP_PARALLEL_MAX];
        struct error why = cancelled();
        int64_t wait_ms;
        size_t count;

        if (is_cancelled(batch)) {
            finish_rest(batch, &why);
            break;
        }
        count = collect(batch, wave, &wait_ms);
        if (count) {
            run_wave(batch, wave, count);
        } else if (wait_ms != WAIT_NONE) {
            pause_batch(batch, wait_ms);
        }
        if (gravest(batch, &why) != OK) {
            finish_rest(batch, &why);
        }
    }
    return gravest(batch, err);
}

enum fail http_exec(struct http_client *client, struct http_account *account,
                    struct http_call *const *calls, size_t count, struct error *err)
{
    struct batch batch = {.client = client, .account = account, .count = count};
    enum fail result;

    assert(!offline_is_on());
    assert(account->classify);
    batch.works = alloc_new(count + 1, sizeof *batch.works);
    for (size_t i = 0; i < count; i++) {
        batch.works[i].call = calls[i];
    }
    result = run(&batch, err);
    for (size_t i = 0; i < count; i++) {
        http_credential_fini(&batch.works[i].credential);
        free(batch.works[i].moved_url);
    }
    free(batch.works);
    return result;
}
