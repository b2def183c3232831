#include "webhooks/receive.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

#include "core/alloc.h"
#include "webhooks/inbox_writer.h"
#include "webhooks/replay.h"

enum { RETRY_SOON_S = 1, RETRY_LATER_S = 10, WARN_EVERY_MS = 10 * 1000 };

/* What is known of a connection over its life; never freed before the receiver. */
struct caller {
    struct caller *next;
    int64_t tenant_id, connection_id;
    struct receive_counts counts;
    /* tokens of one delivery each, in thousandths */
    int64_t tokens, tokens_at_ms;
    int64_t warned_ms;
    uint64_t told_batch; /* the writer's thread only */
};

struct receiver {
    struct receiver_options options;
    struct inbox_writer *writer;
    uint64_t batch; /* the writer's thread only, as the next one */
    struct arena outcome;
    pthread_mutex_t mutex;
    /* guarded by mutex */
    const struct receive_connection *connections; /* borrowed */
    struct caller **callers_of;                   /* owned; one for each connection */
    size_t connections_count;
    struct caller *callers; /* owned */
    struct replay_cache *replays;
    struct receive_totals totals;
};

/* One delivery from its arrival until its answer. In the response's arena. */
struct reception {
    struct inbox_delivery delivery; /* first: the writer gives it back */
    struct reception *later_next;
    struct caller *caller;
    const struct adapter *adapter;
    struct http_later *later;
    struct http_response *response;
    struct webhook_proof proof;
    int64_t began_ms;
};

static int64_t now_ms(const struct receiver *receiver)
{
    return clock_mono_ms(receiver->options.env->clock);
}

/* ---- answers ---- */

static const struct {
    int status;
    int retry_after_s; /* 0 = it makes no sense to */
    const char *text;
} REFUSALS[RECEIVE_REFUSALS] = {
    [REFUSED_UNKNOWN] = {404, 0, "no webhooks are received at this address\n"},
    [REFUSED_METHOD] = {405, 0, "webhooks are sent with POST\n"},
    [REFUSED_TYPE] = {415, 0, "this content type or coding is not taken here\n"},
    [REFUSED_SIZE] = {413, 0, "a delivery has at most 1 MiB\n"},
    [REFUSED_FORGED] = {401, 0, "this delivery did not prove where it comes from\n"},
    [REFUSED_STALE] = {401, 0, "this delivery was signed too long ago or too far ahead\n"},
    [REFUSED_NOT_READY] = {503, RETRY_LATER_S, "webhooks of this connection are not set up yet\n"},
    [REFUSED_RATE] = {429, RETRY_SOON_S, "too many deliveries a second\n"},
    [REFUSED_MALFORMED] = {400, 0, "this delivery has not the form it should have\n"},
    [REFUSED_FULL] = {503, RETRY_SOON_S, "too many deliveries wait to be stored\n"},
    [REFUSED_STORE] = {503, RETRY_LATER_S, "deliveries cannot be stored now\n"},
};

static void answer_as_adapter(const struct adapter *adapter, bool is_accepted,
                              struct http_response *response)
{
    struct webhook_answer answer = {0};

    adapter->webhook_answer(is_accepted, &answer);
    response->status = answer.status;
    response->body = answer.body;
    if (answer.content_type) {
        http_header_add(&response->headers, STR("Content-Type"), str_of(answer.content_type));
    }
}

/* What was proved to come from the CRM is refused in the CRM's own way, as far as it has one: the status stays ours. */
static void answer_refusal(const struct adapter *adapter, enum receive_refusal refusal,
                           struct http_response *response)
{
    if (adapter && refusal >= REFUSED_RATE) {
        answer_as_adapter(adapter, false, response);
    }
    if (str_is_empty(response->body)) {
        response->body = str_of(REFUSALS[refusal].text);
        http_header_add(&response->headers, STR("Content-Type"), STR("text/plain; charset=utf-8"));
    }
    response->status = REFUSALS[refusal].status;
    if (REFUSALS[refusal].retry_after_s) {
        http_header_add(&response->headers, STR("Retry-After"),
                        arena_printf(&response->arena, "%d", REFUSALS[refusal].retry_after_s));
    }
    if (refusal == REFUSED_METHOD) {
        http_header_add(&response->headers, STR("Allow"), STR("POST"));
    }
}

/* Who sets webhooks up wants to know why they are refused; who attacks must not fill the log. */
static void warn(struct receiver *receiver, struct caller *caller, struct str name,
                 enum receive_refusal refusal, const struct error *err)
{
    int64_t now = now_ms(receiver);

    if (caller->warned_ms && now - caller->warned_ms < WARN_EVERY_MS) {
        return;
    }
    caller->warned_ms = now;
    LOG_EVENT(receiver->options.env->log, LOG_WARN, "webhook refused", LOG_S("connection", name),
              LOG_I("status", REFUSALS[refusal].status),
              LOG_S("reason", str_of(err->code ? err->message : receive_refusal_name(refusal))),
              LOG_S("hint", str_of(err->hint)));
}

/* ---- checks ---- */

static bool has_type(const struct adapter *adapter, const struct http_headers *headers)
{
    struct str rest = http_header_get(headers, "Content-Type");
    struct str type = str_trim(str_cut(&rest, ';'));

    for (const char *const *at = adapter->webhook_content_types; at && *at; at++) {
        if (str_equal_nocase(type, str_of(*at))) {
            return true;
        }
    }
    return false;
}

/* A body that must be unpacked first could be any size. */
static bool is_coded(const struct http_headers *headers)
{
    struct str coding = http_header_get(headers, "Content-Encoding");

    return coding.len && !str_equal_nocase(coding, STR("identity"));
}

/* Whether there is one left for this delivery. */
static bool take_token(struct caller *caller, int rate_per_s, int64_t now)
{
    int64_t rate = rate_per_s ? rate_per_s : RECEIVE_RATE_PER_S;
    int64_t most = rate * 1000;

    if (rate < 0) {
        return true;
    }
    caller->tokens =
        caller->tokens_at_ms ? caller->tokens + (now - caller->tokens_at_ms) * rate : most;
    caller->tokens = caller->tokens > most ? most : caller->tokens;
    caller->tokens_at_ms = now;
    if (caller->tokens < 1000) {
        return false;
    }
    caller->tokens -= 1000;
    return true;
}

static enum receive_refusal refusal_of(enum fail code)
{
    switch (code) {
    case FAIL_AUTH:
        return REFUSED_FORGED;
    case FAIL_STALE:
        return REFUSED_STALE;
    case FAIL_CONFIG:
        return REFUSED_NOT_READY;
    default:
        return REFUSED_MALFORMED;
    }
}

/* One delivery being looked at. */
struct look {
    struct receiver *receiver;
    const struct receive_connection *connection;
    struct caller *caller;
    const struct http_request *request;
    struct webhook_delivery delivery;
    struct webhook_proof proof;
    struct webhook_events events;
    struct error err;
};

/* Everything that needs no parsing. RECEIVE_REFUSALS: nothing against it. */
static enum receive_refusal check(struct look *look)
{
    const struct receive_connection *connection = look->connection;
    const struct http_request *request = look->request;

    if (request->method != HTTP_POST) {
        return REFUSED_METHOD;
    }
    if (!has_type(connection->adapter, &request->headers) || is_coded(&request->headers)) {
        return REFUSED_TYPE;
    }
    if (request->body.len > WEBHOOK_BODY_BYTES_MAX) {
        return REFUSED_SIZE;
    }
    if (connection->adapter->webhook_verify(&connection->settings, &look->delivery, &look->proof,
                                            &look->err) != OK) {
        return refusal_of(look->err.code);
    }
    if (!take_token(look->caller, connection->rate_per_s, now_ms(look->receiver))) {
        return REFUSED_RATE;
    }
    return RECEIVE_REFUSALS;
}

static bool is_repeat(const struct look *look)
{
    return look->proof.has_mac &&
           replay_is_known(look->receiver->replays, look->connection->connection_id,
                           look->proof.mac, now_ms(look->receiver));
}

/* ---- the way in ---- */

static enum http_intake refuse(struct look *look, enum receive_refusal refusal,
                               struct http_response *response)
{
    look->caller->counts.refused[refusal]++;
    warn(look->receiver, look->caller, look->connection->name, refusal, &look->err);
    answer_refusal(look->connection->adapter, refusal, response);
    return HTTP_INTAKE_ANSWER;
}

static void note_accepted(struct receiver *receiver, struct caller *caller,
                          const struct webhook_events *events, size_t stored)
{
    struct receive_counts *counts = &caller->counts;

    counts->accepted++;
    counts->heard += (int64_t)events->heard;
    counts->ignored += (int64_t)(events->ignored + events->foreign);
    counts->stored += (int64_t)stored;
    counts->known += (int64_t)(events->count - stored);
    counts->last_accepted_ms = clock_wall_ms(receiver->options.env->clock);
}

static struct reception *reception_new(const struct look *look, struct http_later *later,
                                       struct http_response *response)
{
    struct reception *reception = ARENA_NEW(&response->arena, struct reception);

    *reception = (struct reception){
        .delivery = {.tenant_id = look->connection->tenant_id,
                     .connection_id = look->connection->connection_id,
                     .events = look->events,
                     .bytes = look->request->body.len + response->arena.used_bytes},
        .caller = look->caller,
        .adapter = look->connection->adapter,
        .later = later,
        .response = response,
        .proof = look->proof,
        .began_ms = now_ms(look->receiver)};
    return reception;
}

static enum http_intake hand_over(struct look *look, struct http_later *later,
                                  struct http_response *response)
{
    struct reception *reception = reception_new(look, later, response);

    switch (inbox_writer_put(look->receiver->writer, &reception->delivery)) {
    case INBOX_TAKEN:
        return HTTP_INTAKE_LATER;
    case INBOX_IS_FULL:
        return refuse(look, REFUSED_FULL, response);
    case INBOX_STORE_FAILS:
        return refuse(look, REFUSED_STORE, response);
    }
    abort();
}

static enum http_intake take_in(struct look *look, struct http_later *later,
                                struct http_response *response)
{
    const struct adapter *adapter = look->connection->adapter;
    enum receive_refusal refusal = check(look);

    if (refusal != RECEIVE_REFUSALS) {
        return refuse(look, refusal, response);
    }
    if (is_repeat(look)) {
        look->caller->counts.repeated++;
        answer_as_adapter(adapter, true, response);
        return HTTP_INTAKE_ANSWER;
    }
    if (adapter->webhook_parse(&look->connection->settings, &look->delivery, &response->arena,
                               &look->events, &look->err) != OK) {
        /* whose it is may stand in the body alone */
        return refuse(look, look->err.code == FAIL_AUTH ? REFUSED_FORGED : REFUSED_MALFORMED,
                      response);
    }
    if (look->events.count == 0) { /* heard, but not for us */
        note_accepted(look->receiver, look->caller, &look->events, 0);
        answer_as_adapter(adapter, true, response);
        return HTTP_INTAKE_ANSWER;
    }
    return hand_over(look, later, response);
}

/* ---- the address ---- */

static bool find_connection(const struct receiver *receiver, struct str name, size_t *ret)
{
    for (size_t i = 0; i < receiver->connections_count; i++) {
        const struct receive_connection *connection = &receiver->connections[i];

        if (str_equal(connection->name, name) && connection->adapter->webhook_verify) {
            *ret = i;
            return true;
        }
    }
    return false;
}

static enum http_intake receive(struct receiver *receiver, const struct http_request *request,
                                struct http_later *later, struct http_response *response)
{
    struct str rest = str_slice(http_path(request), strlen(RECEIVE_PATH), SIZE_MAX);
    struct str name =
        http_percent_decode(&response->arena, str_cut(&rest, '/'), /* plus_is_blank */ false);
    struct look look = {.receiver = receiver, .request = request};
    size_t index;

    response->logged_path = STR(RECEIVE_PATH "*");
    if (!find_connection(receiver, name, &index)) {
        receiver->totals.unknown++;
        answer_refusal(NULL, REFUSED_UNKNOWN, response);
        return HTTP_INTAKE_ANSWER;
    }
    look.connection = &receiver->connections[index];
    look.caller = receiver->callers_of[index];
    response->logged_path = arena_printf(&response->arena, RECEIVE_PATH "%" PRI_STR "%s",
                                         STR_ARG(name), rest.at ? "/*" : "");
    look.delivery = (struct webhook_delivery){
        .request = request,
        .public_url = arena_printf(&response->arena, "%" PRI_STR "%" PRI_STR,
                                   STR_ARG(look.connection->public_url), STR_ARG(request->url)),
        .path_secret = http_percent_decode(&response->arena, rest, /* plus_is_blank */ false),
        .peer = request->client_address,
        .received_ms = clock_wall_ms(receiver->options.env->clock)};
    return take_in(&look, later, response);
}

enum http_intake receiver_intake(void *context, const struct http_request *request,
                                 struct http_later *later, struct http_response *response)
{
    struct receiver *receiver = context;
    enum http_intake outcome;

    if (!str_starts(http_path(request), STR(RECEIVE_PATH))) {
        return HTTP_INTAKE_PASS;
    }
    pthread_mutex_lock(&receiver->mutex);
    outcome = receive(receiver, request, later, response);
    pthread_mutex_unlock(&receiver->mutex);
    return outcome;
}

void receiver_intake_end(void *context)
{
    const struct receiver *receiver = context;

    inbox_writer_go(receiver->writer);
}

/* ---- after the commit, on the writer's thread ---- */

static void note_outcome(struct receiver *receiver, struct reception *reception)
{
    const struct inbox_delivery *delivery = &reception->delivery;
    struct caller *caller = reception->caller;

    if (!delivery->is_durable) {
        caller->counts.refused[REFUSED_STORE]++;
        answer_refusal(reception->adapter, REFUSED_STORE, reception->response);
        return;
    }
    note_accepted(receiver, caller, &delivery->events, delivery->stored);
    receive_times_add(&receiver->totals.answers, now_ms(receiver) - reception->began_ms);
    if (reception->proof.has_mac) {
        replay_remember(receiver->replays, delivery->connection_id, reception->proof.mac,
                        now_ms(receiver));
    }
    answer_as_adapter(reception->adapter, true, reception->response);
}

/* Once for each connection. */
static void tell_arrived(struct receiver *receiver, struct caller *const *callers, size_t count)
{
    receiver->batch++;
    for (size_t i = 0; receiver->options.arrived && i < count; i++) {
        if (callers[i]->told_batch != receiver->batch) {
            callers[i]->told_batch = receiver->batch;
            receiver->options.arrived(receiver->options.context, callers[i]->tenant_id,
                                      callers[i]->connection_id);
        }
    }
}

static size_t count_of(const struct inbox_delivery *deliveries)
{
    size_t count = 0;

    for (; deliveries; deliveries = deliveries->next) {
        count++;
    }
    return count;
}

/* Once sent, a reception is gone: what is needed afterwards is noted before. */
static void on_done(void *context, struct inbox_delivery *deliveries)
{
    struct receiver *receiver = context;
    size_t most = count_of(deliveries), count = 0, arrived = 0;
    struct http_later **laters = ARENA_ARRAY(&receiver->outcome, struct http_later *, most);
    struct caller **callers = ARENA_ARRAY(&receiver->outcome, struct caller *, most);

    pthread_mutex_lock(&receiver->mutex);
    for (; deliveries; deliveries = deliveries->next) {
        struct reception *reception = (struct reception *)deliveries;

        note_outcome(receiver, reception);
        laters[count++] = reception->later;
        if (deliveries->stored) {
            callers[arrived++] = reception->caller;
        }
    }
    pthread_mutex_unlock(&receiver->mutex);
    http_later_send(laters, count);
    tell_arrived(receiver, callers, arrived);
    arena_reset(&receiver->outcome);
}

static void on_failed(void *context, const struct error *err)
{
    struct receiver *receiver = context;

    if (receiver->options.failed) {
        receiver->options.failed(receiver->options.context, err);
    }
}

/* ---- connections and counts ---- */

static struct caller *find_caller(struct receiver *receiver, int64_t connection_id)
{
    struct caller *caller = receiver->callers;

    while (caller && caller->connection_id != connection_id) {
        caller = caller->next;
    }
    return caller;
}

static struct caller *caller_of(struct receiver *receiver,
                                const struct receive_connection *connection)
{
    struct caller *caller = find_caller(receiver, connection->connection_id);

    if (!caller) {
        caller = alloc_new(1, sizeof *caller);
        caller->tenant_id = connection->tenant_id;
        caller->connection_id = connection->connection_id;
        caller->next = receiver->callers;
        receiver->callers = caller;
    }
    return caller;
}

void receiver_connections_set(struct receiver *receiver, const struct receive_connection *at,
                              size_t count)
{
    struct caller **callers_of = alloc_new(count + 1, sizeof *callers_of);

    pthread_mutex_lock(&receiver->mutex);
    for (size_t i = 0; i < count; i++) {
        callers_of[i] = caller_of(receiver, &at[i]);
    }
    free(receiver->callers_of);
    receiver->callers_of = callers_of;
    receiver->connections = at;
    receiver->connections_count = count;
    pthread_mutex_unlock(&receiver->mutex);
}

void receiver_totals(struct receiver *receiver, struct receive_totals *ret)
{
    pthread_mutex_lock(&receiver->mutex);
    *ret = receiver->totals;
    pthread_mutex_unlock(&receiver->mutex);
    inbox_writer_load(receiver->writer, &ret->queue_deliveries, &ret->queue_bytes, &ret->commits);
}

bool receiver_counts(struct receiver *receiver, int64_t connection_id, struct receive_counts *ret)
{
    const struct caller *caller;

    pthread_mutex_lock(&receiver->mutex);
    caller = find_caller(receiver, connection_id);
    *ret = caller ? caller->counts : (struct receive_counts){0};
    pthread_mutex_unlock(&receiver->mutex);
    return caller != NULL;
}

/* ---- start and stop ---- */

static void receiver_free(struct receiver *receiver)
{
    while (receiver->callers) {
        struct caller *next = receiver->callers->next;

        free(receiver->callers);
        receiver->callers = next;
    }
    replay_cache_free(receiver->replays);
    arena_fini(&receiver->outcome);
    pthread_mutex_destroy(&receiver->mutex);
    free(receiver->callers_of);
    free(receiver);
}

enum fail receiver_start(const struct receiver_options *options, struct receiver **ret,
                         struct error *err)
{
    struct receiver *receiver = alloc_new(1, sizeof *receiver);
    const struct inbox_writer_options writer = {.store = options->store,
                                                .env = options->env,
                                                .done = on_done,
                                                .failed = on_failed,
                                                .context = receiver,
                                                .deliveries_max = options->queue_deliveries_max,
                                                .bytes_max = options->queue_bytes_max};

    receiver->options = *options;
    receiver->replays = replay_cache_new();
    pthread_mutex_init(&receiver->mutex, NULL);
    if (inbox_writer_start(&writer, &receiver->writer, err) != OK) {
        receiver_free(receiver);
        return err->code;
    }
    *ret = receiver;
    return OK;
}

void receiver_stop(struct receiver *receiver)
{
    if (receiver) {
        inbox_writer_stop(receiver->writer);
        receiver_free(receiver);
    }
}
