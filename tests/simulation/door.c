#include "tests/simulation/door.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "store/stream.h"
#include "webhooks/receive.h"

#define ORIGIN "http://127.0.0.1:1"

/* LOST_ANSWERS_MAX: Pipedrive stops telling for half an hour after ten; processes that die take some of them. */
enum {
    DELAY_MS_MAX = 40 * 1000,
    REMEMBERED_MS = 2 * 24 * 60 * 60 * 1000,
    LOST_ANSWERS_MAX = 5,
};

/* The server hands this over in place of a socket. */
struct http_later {
    struct door *door;
};

/* An event whose delivery was acknowledged. */
struct told {
    int at;
    int64_t told_ms;
    struct str kind, remote_id, key;
};

struct door {
    struct world *world;
    struct door_options options;
    struct arena arena;
    struct receiver *receiver; /* NULL: closed */
    struct receive_connection connections[CONNECTIONS_MAX];
    struct secret paths[CONNECTIONS_MAX], signing[CONNECTIONS_MAX], password;
    struct http_later later;
    enum door_manner manner;
    struct told *told; /* owned */
    size_t told_count, told_room;
    int64_t acknowledged;
    int lost_answers[CONNECTIONS_MAX];
    pthread_mutex_t mutex;
    pthread_cond_t moved;
    /* guarded by mutex */
    bool is_answered, has_arrived;
};

/* Who carries, and for whom. */
struct courier {
    struct door *door;
    int at;
};

static _Noreturn void die(const struct door *door, const char *what, const struct error *err)
{
    fprintf(stderr, "seed %" PRIu64 ": %s: %s\n", door->world->options.seed, what, err->message);
    abort();
}

static bool is_dead(const struct door *door)
{
    return door->world->disk && disk_is_dead(door->world->disk);
}

/* --- the receiver's thread -------------------------------------------------------------------------------------------------------- */

/* The server's, where one with sockets is linked: the answer is ready. */
void http_later_send(struct http_later *const *laters, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct door *door = laters[i]->door;

        pthread_mutex_lock(&door->mutex);
        door->is_answered = true;
        pthread_cond_signal(&door->moved);
        pthread_mutex_unlock(&door->mutex);
    }
}

static void on_arrived(void *context, int64_t tenant_id, int64_t connection_id)
{
    struct door *door = context;

    (void)tenant_id;
    (void)connection_id;
    pthread_mutex_lock(&door->mutex);
    door->has_arrived = true;
    pthread_cond_signal(&door->moved);
    pthread_mutex_unlock(&door->mutex);
}

/* --- beginning and end -------------------------------------------------------------------------------------------------------------- */

static struct str url_of(const struct door *door, struct arena *arena, int at)
{
    return arena_printf(arena, ORIGIN RECEIVE_PATH "%" PRI_STR "/%" PRI_STR,
                        STR_ARG(door->world->names[at]), STR_ARG(secret_expose(&door->paths[at])));
}

/* At Pipedrive by its API; at the others a person does it. */
static void subscribe(struct door *door, int at)
{
    AUTO_ARENA struct arena arena = {0};
    struct world *world = door->world;
    struct str url = url_of(door, &arena, at);
    const char *kinds[4] = {"company", "contact", "deal", "activity"};
    const struct webhook_wanted wanted = {.url = url,
                                          .user = STR("crmsync"),
                                          .password = &door->password,
                                          .kinds = kinds,
                                          .kinds_count = world->settings[at].kinds_count};
    struct webhook_report report = {0};
    struct error err = {0};

    if (world->crms[at] != PIPEDRIVE) {
        json_decref(world_ask(world, at, "POST", "/__sim/webhooks",
                              json_pack("{s:s%}", "url", url.at, url.len)));
    } else if (world->settings[at].adapter->subscribe(world->connections[at].session, &wanted,
                                                      &arena, &report, &err) != OK) {
        die(door, "subscription", &err);
    }
}

static void add_connection(struct door *door, int at)
{
    struct world *world = door->world;
    const struct connection_settings *settings = &world->settings[at];
    struct account_facts facts = {0};
    struct error err = {0};

    if (settings->adapter->check(world->connections[at].session, &door->arena, &facts, &err) !=
        OK) {
        die(door, "account", &err);
    }
    secret_set(&door->paths[at], arena_printf(&door->arena, "way-%d-in", at));
    secret_set(&door->signing[at], world->crms[at] == HUBSPOT
                                       ? str_of(simulator_client_secret(world->simulators[at]))
                                       : STR(""));
    door->connections[at] =
        (struct receive_connection){.tenant_id = TENANT_DEFAULT,
                                    .connection_id = world->connections[at].row.id,
                                    .name = world->names[at],
                                    .adapter = settings->adapter,
                                    .public_url = STR(ORIGIN),
                                    .settings = {.signing = {&door->signing[at]},
                                                 .paths = {&door->paths[at]},
                                                 .user = STR("crmsync"),
                                                 .passwords = {&door->password},
                                                 .account_id = facts.account_id},
                                    .rate_per_s = -1};
}

struct door *door_new(struct world *world, const struct door_options *options)
{
    struct door *door = alloc_new(1, sizeof *door);

    door->world = world;
    door->options = *options;
    door->later.door = door;
    pthread_mutex_init(&door->mutex, NULL);
    pthread_cond_init(&door->moved, NULL);
    secret_set(&door->password, STR("chosen by us"));
    for (int at = 0; at < world->count; at++) {
        add_connection(door, at);
        subscribe(door, at);
    }
    return door;
}

void door_free(struct door *door)
{
    if (!door) {
        return;
    }
    for (int at = 0; at < door->world->count; at++) {
        secret_fini(&door->paths[at]);
        secret_fini(&door->signing[at]);
    }
    secret_fini(&door->password);
    pthread_cond_destroy(&door->moved);
    pthread_mutex_destroy(&door->mutex);
    arena_fini(&door->arena);
    free(door->told);
    free(door);
}

void door_open(struct door *door)
{
    struct receiver_options options = {.store = door->world->store,
                                       .env = &door->world->env,
                                       .arrived = on_arrived,
                                       .context = door};
    struct error err = {0};

    if (receiver_start(&options, &door->receiver, &err) != OK) {
        die(door, "receiver", &err);
    }
    receiver_connections_set(door->receiver, door->connections, (size_t)door->world->count);
}

void door_close(struct door *door)
{
    receiver_stop(TAKE_PTR(door->receiver));
}

void door_manner(struct door *door, enum door_manner manner)
{
    int percent = manner == DOOR_QUIET ? 0 : 20;

    door->manner = manner;
    for (int at = 0; at < door->world->count; at++) {
        json_decref(
            world_ask(door->world, at, "POST", "/__sim/webhooks",
                      json_pack("{s:i,s:i,s:i,s:i}", "drop_percent", manner == DOOR_LOSSY ? 30 : 0,
                                "duplicate_percent", percent, "reorder_percent", percent,
                                "delay_ms", manner == DOOR_QUIET ? 0 : DELAY_MS_MAX)));
    }
}

/* --- one delivery ------------------------------------------------------------------------------------------------------------------- */

static int64_t stored_so_far(const struct door *door, int at)
{
    struct receive_counts counts = {0};

    receiver_counts(door->receiver, door->connections[at].connection_id, &counts);
    return counts.stored;
}

/* Until the answer is there, and whoever waits for events has been told. */
static void wait_for_answer(struct door *door, int at, int64_t stored_before)
{
    pthread_mutex_lock(&door->mutex);
    while (!door->is_answered) {
        pthread_cond_wait(&door->moved, &door->mutex);
    }
    pthread_mutex_unlock(&door->mutex);
    if (stored_so_far(door, at) == stored_before) {
        return;
    }
    pthread_mutex_lock(&door->mutex);
    while (!door->has_arrived) {
        pthread_cond_wait(&door->moved, &door->mutex);
    }
    pthread_mutex_unlock(&door->mutex);
    if (door->options.arrived) {
        door->options.arrived(door->options.context, at);
    }
}

/* As the server does. */
static void hand_in(const struct courier *courier, const struct http_request *request,
                    struct http_response *response)
{
    struct door *door = courier->door;
    int64_t stored = stored_so_far(door, courier->at);

    door->is_answered = door->has_arrived = false;
    if (receiver_intake(door->receiver, request, &door->later, response) == HTTP_INTAKE_LATER) {
        receiver_intake_end(door->receiver);
        wait_for_answer(door, courier->at, stored);
    }
}

static bool is_taken(const struct http_response *response)
{
    return response->status >= 200 && response->status <= 299;
}

static void remember(struct door *door, int at, const struct webhook_event *event)
{
    if (door->told_count == door->told_room) {
        door->told_room = door->told_room ? 2 * door->told_room : 64;
        door->told = alloc_resize(door->told, door->told_room, sizeof *door->told);
    }
    door->told[door->told_count++] =
        (struct told){.at = at,
                      .told_ms = clock_wall_ms(door->world->env.clock),
                      .kind = str_of(event->kind),
                      .remote_id = arena_str(&door->arena, event->remote_id),
                      .key = arena_str(&door->arena, event->event_key)};
}

/* What is in it, and so must be in the inbox from now on. */
static void note_acknowledged(struct door *door, int at, const struct http_request *request)
{
    AUTO_ARENA struct arena arena = {0};
    const struct receive_connection *connection = &door->connections[at];
    const struct webhook_delivery delivery = {
        .request = request,
        .public_url = arena_printf(&arena, ORIGIN "%" PRI_STR, STR_ARG(request->url)),
        .path_secret = secret_expose(&door->paths[at]),
        .received_ms = clock_wall_ms(door->world->env.clock)};
    struct webhook_events events = {0};
    struct error err = {0};

    if (connection->adapter->webhook_parse(&connection->settings, &delivery, &arena, &events,
                                           &err) != OK) {
        door->options.violated(door->options.context, "webhooks that are genuine are taken",
                               err.message);
    }
    for (size_t i = 0; i < events.count; i++) {
        remember(door, at, &events.at[i]);
    }
    door->acknowledged++;
}

/* Somebody else sends: from an address that only the CRM knows, or with its signature on other words. */
static void forge(const struct courier *courier, const struct http_request *genuine)
{
    AUTO_ARENA struct arena arena = {0};
    struct door *door = courier->door;
    struct http_request request = *genuine;
    struct http_response response = {0};
    struct str url = str_slice(genuine->url, 0, genuine->url.len - 1);

    if (door->world->crms[courier->at] == HUBSPOT && random_below(door->options.random, 2)) {
        request.body = arena_printf(&arena, "%" PRI_STR " ", STR_ARG(genuine->body));
    } else {
        request.url = arena_printf(&arena, "%" PRI_STR "m", STR_ARG(url));
    }
    hand_in(courier, &request, &response);
    if (is_taken(&response)) {
        door->options.violated(door->options.context, "webhooks that are forged are refused",
                               "one was taken");
    }
    http_response_fini(&response);
}

/* The same bytes once more, as a network does it that lost the answer. */
static void repeat(const struct courier *courier, const struct http_request *request)
{
    struct http_response response = {0};

    hand_in(courier, request, &response);
    if (is_taken(&response)) {
        note_acknowledged(courier->door, courier->at, request);
    }
    http_response_fini(&response);
}

static bool happens(struct door *door, uint32_t per_million)
{
    return door->manner != DOOR_QUIET && random_chance(door->options.random, per_million);
}

/* Where everything has to be heard a CRM must not get tired of telling. */
static bool may_lose_answer(struct door *door, int at)
{
    return door->manner == DOOR_LOSSY || door->world->crms[at] != PIPEDRIVE ||
           ++door->lost_answers[at] <= LOST_ANSWERS_MAX;
}

static void post(void *context, const struct http_request *request, struct http_response *response)
{
    const struct courier *courier = context;
    struct door *door = courier->door;
    struct http_request here = *request;

    here.url = str_slice(request->url, strlen(ORIGIN), request->url.len);
    if (happens(door, 100000)) {
        forge(courier, &here);
    }
    hand_in(courier, &here, response);
    if (is_taken(response)) {
        note_acknowledged(door, courier->at, &here);
    } else if (!is_dead(door)) {
        door->options.violated(door->options.context, "webhooks that are genuine are taken",
                               "one was refused");
    }
    if (!is_dead(door) && happens(door, 100000)) {
        repeat(courier, &here);
    }
    if (happens(door, 100000) && may_lose_answer(door, courier->at)) {
        response->status = 0; /* the answer is lost: it comes again */
    }
}

void door_carry(struct door *door)
{
    for (int at = 0; at < door->world->count; at++) {
        struct courier courier = {.door = door, .at = at};

        while (door->receiver && !is_dead(door) &&
               simulator_deliver(door->world->simulators[at], post, &courier)) {
        }
    }
}

/* --- what must hold ----------------------------------------------------------------------------------------------------------------- */

static void check_told(struct door *door, struct tx *tx, const struct told *told)
{
    int64_t connection_id = door->connections[told->at].connection_id;
    struct error err = {0};
    bool is_new;

    if (inbox_put(tx, connection_id, told->key, told->kind, told->remote_id, &is_new, &err) != OK) {
        die(door, "inbox", &err);
    }
    if (is_new) {
        AUTO_ARENA struct arena arena = {0};

        door->options.violated(door->options.context, "I8 what was acknowledged is kept",
                               arena_printf(&arena, "%" PRI_STR " %" PRI_STR " of %" PRI_STR,
                                            STR_ARG(told->kind), STR_ARG(told->remote_id),
                                            STR_ARG(door->world->names[told->at]))
                                   .at);
    }
}

void door_check(struct door *door)
{
    int64_t since_ms = clock_wall_ms(door->world->env.clock) - REMEMBERED_MS;
    AUTO_TX struct tx *tx = NULL; /* given up: an event that is there cannot be put again */
    struct error err = {0};

    if (tx_begin(door->world->store, TENANT_DEFAULT, &tx, &err) != OK) {
        die(door, "inbox", &err);
    }
    for (size_t i = 0; i < door->told_count; i++) {
        if (door->told[i].told_ms > since_ms) {
            check_told(door, tx, &door->told[i]);
        }
    }
}

void door_forget(struct door *door)
{
    door->told_count = 0;
}

int64_t door_acknowledged(const struct door *door)
{
    return door->acknowledged;
}
