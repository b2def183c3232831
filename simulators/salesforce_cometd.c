/* CometD, as Bayeux messages over HTTP: handshake, connect, subscribe, unsubscribe, disconnect.
 *
 * Sources: streaming guide, "How the Client Connects", "Clients and Timeouts", "Clients and Cookies", "Streaming API Error Codes",
 * "Handling Streaming API Errors", "Message Durability"; reference/salesforce-examples/cometd-session.json. */
#include "simulators/salesforce_events.h"

#include "core/alloc.h"
#include "core/jx.h"

enum {
    BODY_BYTES_MAX = 32768,
    MESSAGES_MAX = 50,
    DELIVERY_MAX = 200, /* events of one answer */
    ID_CHARS = 25,
    VERSION_MIN = 37,
    POLL_MS = 20,
    SESSION_MS = 40 * 1000,
    TIMEOUT_TOLD_MS = 110000,
};

#define COOKIE "BAYEUX_BROWSER"
#define TOO_BUSY "503::Server is too busy. Please try your request again later."

struct subscription {
    char *channel;   /* owned */
    char *entity;    /* owned; NULL = all of them */
    int64_t seen_id; /* replay id of the last event that was delivered or passed over */
};

struct client {
    char id[ID_CHARS + 1], cookie[ID_CHARS + 1];
    int64_t seen_ms; /* of the last answer */
    bool was_advised, hears_disconnect;
    struct subscription subscriptions[SF_SUBSCRIPTIONS_MAX];
    size_t subscriptions_count;
};

struct sf_cometd {
    struct client **clients; /* owned array of owned */
    size_t count, capacity;
    struct random *random; /* owned */
    struct sf_cometd_orders orders;
    struct sim_daily delivered;
};

/* One message and what it is answered by. */
struct exchange {
    struct sim_call *call;
    const struct sf_cometd_door *door;
    struct sf_cometd *cometd;
    const json_t *message;
    struct str channel;
};

/* --- clients --------------------------------------------------------------------------------- */

struct sf_cometd *sf_cometd_new(uint64_t seed)
{
    struct sf_cometd *cometd = alloc_new(1, sizeof(*cometd));

    cometd->random = random_new_seeded(seed ^ 0x636f6d657464);
    return cometd;
}

static void subscription_fini(struct subscription *subscription)
{
    free(subscription->channel);
    free(subscription->entity);
}

static void client_free(struct client *client)
{
    for (size_t i = 0; i < client->subscriptions_count; i++) {
        subscription_fini(&client->subscriptions[i]);
    }
    free(client);
}

static void drop_client(struct sf_cometd *cometd, size_t index)
{
    client_free(cometd->clients[index]);
    cometd->clients[index] = cometd->clients[--cometd->count];
}

void sf_cometd_free(struct sf_cometd *cometd)
{
    if (!cometd) {
        return;
    }
    while (cometd->count) {
        drop_client(cometd, cometd->count - 1);
    }
    free(cometd->clients);
    random_free(cometd->random);
    free(cometd);
}

struct sf_cometd_orders *sf_cometd_orders(struct sf_cometd *cometd)
{
    return &cometd->orders;
}

int64_t sf_cometd_clients(const struct sf_cometd *cometd)
{
    return (int64_t)cometd->count;
}

int64_t sf_cometd_delivered(struct sf_cometd *cometd, int64_t now_ms)
{
    sim_daily_left(&cometd->delivered, now_ms); /* a new day begins at 0 */
    return cometd->delivered.used;
}

/* Who did not come back in time is forgotten, and whoever an order says. */
static void forget_clients(struct sf_cometd *cometd, int64_t now_ms)
{
    for (size_t i = cometd->count; i-- > 0;) {
        struct client *client = cometd->clients[i];

        client->hears_disconnect |= cometd->orders.sends_disconnect;
        if (cometd->orders.forgets_clients || client->seen_ms + SESSION_MS < now_ms) {
            drop_client(cometd, i);
        }
    }
    cometd->orders.forgets_clients = cometd->orders.sends_disconnect = false;
}

static void random_name(struct sf_cometd *cometd, char ret[ID_CHARS + 1])
{
    static const char letters[] = "0123456789abcdefghijklmnopqrstuvwxyz";

    for (size_t i = 0; i < ID_CHARS; i++) {
        ret[i] = letters[random_below(cometd->random, sizeof(letters) - 1)];
    }
    ret[ID_CHARS] = '\0';
}

static struct client *client_new(struct sf_cometd *cometd, int64_t now_ms)
{
    struct client *client = alloc_new(1, sizeof(*client));

    random_name(cometd, client->id);
    random_name(cometd, client->cookie);
    client->seen_ms = now_ms;
    if (cometd->count == cometd->capacity) {
        cometd->capacity = cometd->capacity ? cometd->capacity * 2 : 16;
        cometd->clients =
            alloc_resize(cometd->clients, cometd->capacity, sizeof(cometd->clients[0]));
    }
    cometd->clients[cometd->count++] = client;
    return client;
}

static size_t client_index(const struct sf_cometd *cometd, struct str id)
{
    size_t i = 0;

    while (i < cometd->count && !str_equal(str_of(cometd->clients[i]->id), id)) {
        i++;
    }
    return i;
}

static struct client *client_of(const struct exchange *exchange)
{
    size_t index =
        client_index(exchange->cometd, jx_text_of(jx_get(exchange->message, "clientId")));

    return index < exchange->cometd->count ? exchange->cometd->clients[index] : NULL;
}

/* --- replies --------------------------------------------------------------------------------- */

/* Opens an object; the caller adds more members, each with a comma in front, and the brace. */
static void reply_begin(const struct exchange *exchange, bool is_successful)
{
    struct buf *body = exchange->call->body;
    json_t *id = jx_get(exchange->message, "id");

    sim_put(body, body->len > 1 ? ",{" : "{");
    sim_put(body, "\"channel\":");
    sim_put_text(body, exchange->channel);
    if (id) {
        sim_put(body, ",\"id\":");
        sim_put_json(body, id);
    }
    sim_put(body, is_successful ? ",\"successful\":true" : ",\"successful\":false");
}

static void put_client(const struct exchange *exchange)
{
    struct str id = jx_text_of(jx_get(exchange->message, "clientId"));

    if (id.at) {
        sim_put(exchange->call->body, ",\"clientId\":");
        sim_put_text(exchange->call->body, id);
    }
}

static void put_subscription(const struct exchange *exchange, struct str channel)
{
    sim_put(exchange->call->body, ",\"subscription\":");
    sim_put_text(exchange->call->body, channel);
}

/* advice: JSON text or NULL; reason: of ext.sfdc.failureReason, or NULL. */
static void refuse(const struct exchange *exchange, struct str error, const char *advice,
                   const char *reason)
{
    struct buf *body = exchange->call->body;

    reply_begin(exchange, false);
    put_client(exchange);
    sim_put(body, ",\"error\":");
    sim_put_text(body, error);
    if (advice) {
        sim_put(body, ",\"advice\":");
        sim_put(body, advice);
    }
    if (reason) {
        sim_put(body, ",\"ext\":{\"sfdc\":{\"failureReason\":");
        sim_put_text(body, str_of(reason));
        sim_put(body, "},\"replay\":true,\"payload.format\":true}");
    }
    buf_add_char(body, '}');
}

static void refuse_unknown(const struct exchange *exchange)
{
    const char *error = jx_get(exchange->message, "clientId")
                            ? "403::Unknown client"
                            : "403::Client has not completed handshake";

    refuse(exchange, str_of(error), "{\"interval\":0,\"reconnect\":\"handshake\"}", NULL);
}

/* --- subscriptions --------------------------------------------------------------------------- */

/* Which object's events: *ret NULL for all of them. Channels' names mind case. */
static bool channel_entity(const struct exchange *exchange, struct str channel, char **ret)
{
    struct str prefix = STR("/data/"), custom = STR("__ChangeEvent"), standard = STR("ChangeEvent");
    struct str name = str_slice(channel, prefix.len, channel.len);
    AUTO_FREE char *entity = NULL;

    *ret = NULL;
    if (!str_starts(channel, prefix)) {
        return false;
    }
    if (str_equal(name, STR("ChangeEvents"))) {
        return true;
    }
    if (str_ends(name, custom)) {
        entity = alloc_printf("%.*s__c", (int)(name.len - custom.len), name.at);
    } else if (str_ends(name, standard)) {
        entity = alloc_printf("%.*s", (int)(name.len - standard.len), name.at);
    }
    if (!entity || !exchange->door->knows(exchange->door->context, str_of(entity))) {
        return false;
    }
    *ret = entity;
    entity = NULL;
    return true;
}

/* From where on: the replay id of the last event not wanted. False: no such event is kept. */
static bool replay_from(const struct exchange *exchange, const json_t *replay, int64_t *ret)
{
    const struct sf_bus *bus = exchange->door->bus;
    int64_t id = json_is_integer(replay) ? json_integer_value(replay) : 0;

    if (!replay || id == -1) {
        *ret = bus->replay_last;
        return true;
    }
    *ret = id == -2 ? 0 : id;
    return id == -2 || sf_bus_has(bus, id);
}

static struct subscription *subscription_find(struct client *client, struct str channel)
{
    for (size_t i = 0; i < client->subscriptions_count; i++) {
        if (str_equal(str_of(client->subscriptions[i].channel), channel)) {
            return &client->subscriptions[i];
        }
    }
    return NULL;
}

/* NULL: as many as one client may have. */
static struct subscription *subscription_make(struct client *client, struct str channel)
{
    struct subscription *subscription = subscription_find(client, channel);

    if (subscription || client->subscriptions_count == SF_SUBSCRIPTIONS_MAX) {
        return subscription;
    }
    subscription = &client->subscriptions[client->subscriptions_count++];
    *subscription = (struct subscription){.channel = alloc_printf("%" PRI_STR, STR_ARG(channel))};
    return subscription;
}

static void subscription_refuse(const struct exchange *exchange, struct str channel,
                                struct str error, const char *reason)
{
    struct buf *body = exchange->call->body;

    refuse(exchange, error, NULL, reason);
    body->len--; /* the brace comes back behind one more member */
    put_subscription(exchange, channel);
    buf_add_char(body, '}');
}

static struct str channel_error(const struct exchange *exchange, struct str channel)
{
    if (!channel.len) {
        return STR("400::Channel name not specified");
    }
    if (channel.at[0] != '/') {
        return STR("400::Channel subscriptions must start with a leading '/'");
    }
    return arena_printf(exchange->call->arena,
                        "400::The channel you requested to subscribe to doesn't exist {%" PRI_STR
                        "}",
                        STR_ARG(channel));
}

/* The one who may subscribe no more today. source: "The maximum daily event usage is checked when the client subscribes" */
static bool is_over_the_day(const struct exchange *exchange)
{
    struct sf_cometd *cometd = exchange->cometd;

    cometd->delivered.capacity = cometd->orders.delivered_max;
    return sim_daily_left(&cometd->delivered, exchange->call->now_ms) <= 0;
}

static struct str replay_error(const struct exchange *exchange, const json_t *replay)
{
    return arena_printf(exchange->call->arena,
                        "400::The replayId {%" PRI_STR "} you provided was invalid.  Please "
                        "provide a valid ID, -2 to replay all events, or -1 to replay only new "
                        "events.",
                        STR_ARG(jx_text(exchange->call->arena, replay)));
}

static void subscribe_to(const struct exchange *exchange, struct client *client, struct str channel)
{
    char name[SF_CHANNEL_BYTES_MAX + 1];
    char *entity = NULL;
    struct subscription *subscription;
    const json_t *replay;
    int64_t from;

    if (channel.len > SF_CHANNEL_BYTES_MAX || !channel_entity(exchange, channel, &entity)) {
        subscription_refuse(exchange, channel, channel_error(exchange, channel), NULL);
        return;
    }
    snprintf(name, sizeof name, "%" PRI_STR, STR_ARG(channel));
    replay = jx_get(jx_get(jx_get(exchange->message, "ext"), "replay"), name);
    subscription = NULL;
    if (!replay_from(exchange, replay, &from)) {
        subscription_refuse(exchange, channel, replay_error(exchange, replay), NULL);
    } else if (is_over_the_day(exchange)) {
        subscription_refuse(exchange, channel,
                            STR("403::Organization total events daily limit exceeded"), NULL);
    } else if (!(subscription = subscription_make(client, channel))) {
        subscription_refuse(exchange, channel, STR("403::Subscription limit exceeded"), NULL);
    }
    if (!subscription) {
        free(entity);
        return;
    }
    free(subscription->entity);
    subscription->entity = entity;
    subscription->seen_id = from;
    reply_begin(exchange, true);
    put_client(exchange);
    put_subscription(exchange, channel);
    buf_add_char(exchange->call->body, '}');
}

static void unsubscribe_from(const struct exchange *exchange, struct client *client,
                             struct str channel)
{
    struct subscription *subscription = subscription_find(client, channel);

    if (subscription) {
        subscription_fini(subscription);
        *subscription = client->subscriptions[--client->subscriptions_count];
    }
    reply_begin(exchange, true);
    put_client(exchange);
    put_subscription(exchange, channel);
    buf_add_char(exchange->call->body, '}');
}

/* "subscription" is one channel or several. */
static void each_channel(const struct exchange *exchange, struct client *client,
                         void (*act)(const struct exchange *exchange, struct client *client,
                                     struct str channel))
{
    json_t *wish = jx_get(exchange->message, "subscription");
    size_t index;
    json_t *channel;

    if (!json_is_array(wish)) {
        act(exchange, client, wish ? jx_text_of(wish) : STR(""));
        return;
    }
    json_array_foreach(wish, index, channel)
    {
        act(exchange, client, jx_text_of(channel));
    }
}

/* --- delivery -------------------------------------------------------------------------------- */

static const struct sf_event *next_event(const struct sf_bus *bus, struct subscription *to)
{
    const struct sf_event *event;

    for (size_t i = sf_bus_after(bus, to->seen_id); (event = sf_bus_event(bus, i)); i++) {
        if (!to->entity || strcmp(to->entity, event->entity) == 0) {
            return event;
        }
        to->seen_id = event->replay_id;
    }
    return NULL;
}

static bool has_news(const struct sf_bus *bus, struct client *client)
{
    for (size_t i = 0; i < client->subscriptions_count; i++) {
        if (next_event(bus, &client->subscriptions[i])) {
            return true;
        }
    }
    return client->hears_disconnect;
}

static void deliver(const struct exchange *exchange, struct client *client)
{
    struct buf *body = exchange->call->body;
    int64_t delivered = 0;

    for (size_t i = 0; i < client->subscriptions_count; i++) {
        struct subscription *to = &client->subscriptions[i];
        const struct sf_event *event;

        while (delivered < DELIVERY_MAX && (event = next_event(exchange->door->bus, to))) {
            sim_put(body, body->len > 1 ? ",{\"data\":" : "{\"data\":");
            sf_bus_put(body, event);
            sim_put(body, ",\"channel\":");
            sim_put_text(body, str_of(to->channel));
            buf_add_char(body, '}');
            to->seen_id = event->replay_id;
            delivered++;
        }
    }
    sf_cometd_delivered(exchange->cometd, exchange->call->now_ms);
    exchange->cometd->delivered.used += delivered;
}

/* --- messages -------------------------------------------------------------------------------- */

static void deny_handshake(const struct exchange *exchange, const char *reason)
{
    refuse(exchange, STR("403::Handshake denied"), "{\"reconnect\":\"none\"}", reason);
}

static const char *credential_error(const struct exchange *exchange)
{
    return exchange->door->credential == SF_TOKEN_MISSING ? "401::Request requires authentication."
                                                          : "401::Authentication invalid";
}

static void serve_handshake(const struct exchange *exchange)
{
    struct sim_call *call = exchange->call;
    struct client *client;

    if (exchange->door->credential != SF_SIGNED_IN) {
        deny_handshake(exchange, credential_error(exchange));
        return;
    }
    if ((int64_t)exchange->cometd->count >= exchange->cometd->orders.clients_max) {
        deny_handshake(exchange, "403::Organization concurrent user limit exceeded");
        return;
    }
    client = client_new(exchange->cometd, call->now_ms);
    sim_header(call, "Set-Cookie",
               arena_printf(call->arena, COOKIE "=%s; Path=/cometd; HttpOnly", client->cookie));
    reply_begin(exchange, true);
    sim_put(call->body, ",\"ext\":{\"replay\":true,\"payload.format\":true},\"clientId\":");
    sim_put_text(call->body, str_of(client->id));
    sim_put(call->body, ",\"version\":\"1.0\",\"minimumVersion\":\"1.0\","
                        "\"supportedConnectionTypes\":[\"long-polling\"]}");
}

static void serve_connect(const struct exchange *exchange, struct client *client)
{
    struct sim_call *call = exchange->call;
    struct str type = jx_text_of(jx_get(exchange->message, "connectionType"));

    if (!str_equal(type, STR("long-polling"))) {
        refuse(
            exchange,
            arena_printf(call->arena, "400::Invalid connection type {%" PRI_STR "}", STR_ARG(type)),
            NULL, NULL);
        return;
    }
    deliver(exchange, client);
    if (client->hears_disconnect) {
        sim_put(call->body, call->body->len > 1 ? "," : "");
        sim_put(call->body, "{\"channel\":\"/meta/disconnect\",\"successful\":true}");
    }
    reply_begin(exchange, true);
    put_client(exchange);
    if (!client->was_advised) {
        buf_addf(call->body, ",\"advice\":{\"interval\":0,\"timeout\":%d,\"reconnect\":\"retry\"}",
                 TIMEOUT_TOLD_MS);
    }
    client->was_advised = true;
    buf_add_char(call->body, '}');
    if (client->hears_disconnect) {
        drop_client(exchange->cometd, client_index(exchange->cometd, str_of(client->id)));
    }
}

static void serve_disconnect(const struct exchange *exchange, struct client *client)
{
    reply_begin(exchange, true);
    put_client(exchange);
    buf_add_char(exchange->call->body, '}');
    drop_client(exchange->cometd, client_index(exchange->cometd, str_of(client->id)));
}

static bool has_cookie(const struct exchange *exchange, const struct client *client)
{
    struct str cookies = http_header_get(&exchange->call->request->headers, "Cookie");
    struct str wanted = arena_printf(exchange->call->arena, COOKIE "=%s", client->cookie);

    while (cookies.at) {
        if (str_equal(str_trim(str_cut(&cookies, ';')), wanted)) {
            return true;
        }
    }
    return false;
}

static void refuse_cookie(const struct exchange *exchange, const struct client *client)
{
    refuse(exchange,
           arena_printf(exchange->call->arena,
                        "400::Client %s has established a session, but no " COOKIE
                        " cookie present",
                        client->id),
           NULL, NULL);
}

/* source: streaming guide, "503 Server Too Busy Error": the error beside it is that of whatever was going on */
static void refuse_busy(const struct exchange *exchange)
{
    static const char none[] = "{\"reconnect\":\"none\",\"interval\":0}";

    if (str_equal(exchange->channel, STR("/meta/handshake"))) {
        deny_handshake(exchange, TOO_BUSY);
    } else if (str_equal(exchange->channel, STR("/meta/subscribe"))) {
        struct str channel = jx_text_of(jx_get(exchange->message, "subscription"));

        subscription_refuse(exchange, channel,
                            arena_printf(exchange->call->arena,
                                         "403::Cannot create channel %" PRI_STR, STR_ARG(channel)),
                            TOO_BUSY);
    } else {
        refuse(exchange, STR("401::Authentication invalid"), none, TOO_BUSY);
    }
}

static void serve_of_client(const struct exchange *exchange, struct client *client)
{
    struct str channel = exchange->channel;

    client->seen_ms = exchange->call->now_ms;
    if (!has_cookie(exchange, client)) {
        refuse_cookie(exchange, client);
    } else if (str_equal(channel, STR("/meta/connect"))) {
        serve_connect(exchange, client);
    } else if (str_equal(channel, STR("/meta/subscribe"))) {
        each_channel(exchange, client, subscribe_to);
    } else if (str_equal(channel, STR("/meta/unsubscribe"))) {
        each_channel(exchange, client, unsubscribe_from);
    } else if (str_equal(channel, STR("/meta/disconnect"))) {
        serve_disconnect(exchange, client);
    } else {
        refuse(exchange, STR("403::Restricted channel"), NULL, NULL);
    }
}

static void serve_message(const struct exchange *exchange)
{
    struct sf_cometd *cometd = exchange->cometd;
    struct client *client = client_of(exchange);

    if (cometd->orders.busy_count > 0) {
        cometd->orders.busy_count--;
        refuse_busy(exchange);
    } else if (str_equal(exchange->channel, STR("/meta/handshake"))) {
        serve_handshake(exchange);
    } else if (exchange->door->credential != SF_SIGNED_IN) {
        refuse(exchange, str_of(credential_error(exchange)),
               "{\"reconnect\":\"none\",\"interval\":0}", NULL);
    } else if (!client) {
        refuse_unknown(exchange);
    } else {
        serve_of_client(exchange, client);
    }
}

/* --- holding --------------------------------------------------------------------------------- */

static struct exchange exchange_of(struct sim_call *call, const struct sf_cometd_door *door,
                                   const json_t *message)
{
    return (struct exchange){.call = call,
                             .door = door,
                             .cometd = door->cometd,
                             .message = message,
                             .channel = jx_text_of(jx_get(message, "channel"))};
}

static bool wants_to_wait(const json_t *message)
{
    const json_t *timeout = jx_get(jx_get(message, "advice"), "timeout");

    return str_equal(jx_text_of(jx_get(message, "channel")), STR("/meta/connect")) &&
           !(json_is_integer(timeout) && json_integer_value(timeout) == 0);
}

static bool is_waiting(const struct exchange *exchange)
{
    struct client *client = client_of(exchange);

    return client && has_cookie(exchange, client) && !has_news(exchange->door->bus, client);
}

/* A connect that comes alone is held for a while when there is nothing to say. */
static void hold(struct sim_call *call, const struct sf_cometd_door *door, const json_t *message)
{
    struct exchange exchange = exchange_of(call, door, message);
    int64_t until_ms = call->now_ms + call->sim->hold_ms;

    if (door->credential != SF_SIGNED_IN || !wants_to_wait(message)) {
        return;
    }
    while (call->now_ms < until_ms && is_waiting(&exchange)) {
        client_of(&exchange)->seen_ms = call->now_ms;
        sim_wait(call, POLL_MS);
        forget_clients(door->cometd, call->now_ms);
    }
}

/* --- the door -------------------------------------------------------------------------------- */

static void plain(struct sim_call *call, int status, const char *text)
{
    sim_header(call, "Content-Type", STR("text/plain; charset=utf-8"));
    sim_put(call->body, text);
    sim_reply(call, status);
}

/* NULL, or why the address is none that is served here. */
static const char *address_error(const struct sim_call *call)
{
    struct str text = call->segments_count > 1 ? call->segments[1] : STR("");
    int64_t major = 0;

    if (!text.len) {
        return "400::API version in the URI is mandatory. URI format: '/cometd/66.0'";
    }
    if (!str_to_i64(str_cut(&text, '.'), &major) || !str_equal(text, STR("0")) ||
        major < VERSION_MIN || major > SF_VERSION_MAX) {
        return "400::Unsupported API version. Only API versions '37.0' and later are supported. "
               "URI format: '/cometd/66.0'";
    }
    return NULL;
}

static void serve_all(struct sim_call *call, const struct sf_cometd_door *door,
                      const json_t *messages)
{
    const char *wrong = address_error(call);
    size_t index;
    json_t *message;

    buf_add_char(call->body, '[');
    json_array_foreach(messages, index, message)
    {
        struct exchange exchange = exchange_of(call, door, message);

        if (wrong) {
            refuse(&exchange, str_of(wrong), "{\"reconnect\":\"none\"}", NULL);
        } else {
            serve_message(&exchange);
        }
    }
    buf_add_char(call->body, ']');
    sim_reply(call, 200);
}

void sf_cometd_serve(struct sim_call *call, const struct sf_cometd_door *door)
{
    json_t *messages = NULL;

    if (call->request->method != HTTP_POST) {
        plain(call, 405, "405::Method not allowed");
        return;
    }
    if (call->request->body.len > BODY_BYTES_MAX) {
        plain(call, 413, "413::Maximum Request Size Exceeded");
        return;
    }
    if (sim_json(call, &messages) && json_is_object(messages)) {
        messages = jx_own(call->arena, json_pack("[O]", messages));
    }
    if (!json_is_array(messages) || json_array_size(messages) == 0 ||
        json_array_size(messages) > MESSAGES_MAX) {
        plain(call, 400, "400::Bad request");
        return;
    }
    forget_clients(door->cometd, call->now_ms);
    sf_bus_expire(door->bus, call->now_ms);
    if (json_array_size(messages) == 1) {
        hold(call, door, json_array_get(messages, 0));
    }
    serve_all(call, door, messages);
}
