#include "tests/simulation/service.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/alloc.h"
#include "store/stream.h"
#include "sync/bindings.h"

enum { DEPTH_MAX = 2, KINDS_MAX = 4, WORKERS = 4, BETWEEN_MS = 20 * 1000 };

/* What stays open between a connection's turns. */
struct place {
    struct http_client *http;
    struct session *session;
    struct bindings *bindings;
    struct store_connection row;
};

struct service {
    struct world *world;
    struct service_options options;
    struct arena arena;
    struct place places[CONNECTIONS_MAX];
    struct store *stores[DEPTH_MAX]; /* one for each worker */
    int depth;                       /* turns under way */
    int busy[DEPTH_MAX];             /* whose */
    int events;                      /* heard */
    struct schedule schedule;
    const struct schedule *schedules[KINDS_MAX];
    struct dispatch *dispatch;
    struct service_counts counts;
};

static _Noreturn void die(const struct service *service, const char *what, const struct error *err)
{
    fprintf(stderr, "seed %" PRIu64 ": %s: %s\n", service->world->options.seed, what, err->message);
    abort();
}

/* --- beginning and end ---------------------------------------------------------------------------------------------------------- */

static void open_place(struct service *service, int at)
{
    static const char *const HOSTS[] = {"*.sim.example"};
    struct world *world = service->world;
    const struct connection_settings *settings = &world->settings[at];
    struct place *place = &service->places[at];
    struct error err = {0};
    const struct account account = {.connection = world->names[at].at,
                                    .base_url = settings->base_url,
                                    .token = &world->tokens[at],
                                    .wants_events = settings->wants_events};

    place->row = world->connections[at].row;
    place->bindings = bindings_new();
    place->http =
        http_client_new(&world->env, &(const struct http_client_options){.allowed_hosts = HOSTS,
                                                                         .allowed_hosts_count = 1});
    if (settings->adapter->open(&world->env, place->http, &account, &place->session, &err) != OK) {
        die(service, "session", &err);
    }
}

static void add_place(struct service *service, int at)
{
    const struct connection_settings *settings = &service->world->settings[at];
    const struct dispatch_place about = {.tenant_id = TENANT_DEFAULT,
                                         .tenant = STR("default"),
                                         .connection = settings->name,
                                         .kinds_count = settings->kinds_count,
                                         .schedules = service->schedules,
                                         .kinds = settings->kinds,
                                         .writes = true};

    dispatch_add(service->dispatch, &about, NULL);
}

/* At every call of the turn that is under way. */
static void on_call(void *context, int at, bool is_applied, const struct http_request *request);

struct service *service_new(struct world *world, const struct service_options *options)
{
    struct service *service = alloc_new(1, sizeof *service);
    struct error err = {0};

    service->world = world;
    service->options = *options;
    if (options->every_ms) {
        service->schedule.at[SCHEDULE_PULL].cron =
            (struct cron){.form = CRON_EVERY, .every_ms = options->every_ms};
    }
    for (int i = 0; i < KINDS_MAX; i++) {
        service->schedules[i] = &service->schedule;
    }
    service->dispatch = dispatch_new(options->random, WORKERS);
    for (int i = 0; i < DEPTH_MAX; i++) {
        if (store_beside(world->store, STORE_WRITE, false, &service->stores[i], &err) != OK) {
            die(service, "store", &err);
        }
    }
    for (int at = 0; at < world->count; at++) {
        open_place(service, at);
        add_place(service, at);
    }
    if (!world->in_air) {
        world->in_air = on_call;
        world->in_air_context = service;
    }
    return service;
}

void service_free(struct service *service)
{
    if (!service) {
        return;
    }
    if (service->world->in_air_context == service) {
        service->world->in_air = NULL;
        service->world->in_air_context = NULL;
    }
    for (int at = 0; at < service->world->count; at++) {
        service->world->settings[at].adapter->close(service->places[at].session);
        bindings_free(service->places[at].bindings);
        http_client_free(service->places[at].http);
    }
    for (int i = 0; i < DEPTH_MAX; i++) {
        store_close(service->stores[i]);
    }
    dispatch_free(service->dispatch);
    arena_fini(&service->arena);
    free(service);
}

/* --- turns ---------------------------------------------------------------------------------------------------------------------- */

/* What a worker sees: nobody else's session. */
struct view {
    struct sync_connection connections[CONNECTIONS_MAX];
    struct sync sync;
};

static void look(struct service *service, int at, struct view *ret)
{
    struct world *world = service->world;

    *ret = (struct view){0};
    for (int i = 0; i < world->count; i++) {
        ret->connections[i] = (struct sync_connection){.settings = &world->settings[i],
                                                       .row = service->places[i].row};
    }
    ret->connections[at].session = service->places[at].session;
    ret->connections[at].bindings = service->places[at].bindings;
    ret->sync = world->sync;
    ret->sync.store = service->stores[service->depth];
    ret->sync.http = service->places[at].http;
    ret->sync.connections = ret->connections;
}

/* Between, the connection is at work. */
static void begin(struct service *service, int at)
{
    struct error err = {.message = "the connection is at work, or nobody is free"};

    for (int i = 0; i < service->depth; i++) {
        if (service->busy[i] == at) {
            die(service, "turn", &err);
        }
    }
    if (service->depth == DEPTH_MAX) {
        die(service, "turn", &err);
    }
    service->busy[service->depth++] = at;
    service->counts.turns++;
    service->counts.nested += service->depth > 1;
}

static enum fail run(struct service *service, int at, struct view *view,
                     const struct sync_options *options, struct sync_report *ret, struct error *err)
{
    enum fail failed;

    http_client_lane_set(service->places[at].http, options->lane);
    begin(service, at);
    failed = sync_run(&view->sync, options, ret, err);
    service->depth--;
    service->places[at].row.clock_offset_ms = view->connections[at].row.clock_offset_ms;
    return failed;
}

struct sync_options service_options_of(struct service *service, int at, enum turn_type type,
                                       const char *kind)
{
    const struct turn turn = {.place = (size_t)at, .type = type};

    return turn_options(&turn, service->world->names[at], str_of(kind));
}

void service_turn(struct service *service, int at, const struct sync_options *options,
                  struct sync_report *ret)
{
    struct error err = {0};
    struct view view;

    look(service, at, &view);
    if (run(service, at, &view, options, ret, &err) != OK) {
        die(service, "turn", &err);
    }
}

static struct turn_end take(struct service *service, const struct turn *turn)
{
    int at = (int)turn->place;
    struct sync_options options = turn_options(turn, service->world->names[at],
                                               service->world->settings[at].kinds[turn->kind]);
    struct sync_report *report = alloc_new(1, sizeof *report);
    struct error err = {0};
    struct turn_end end;
    struct view view;
    bool has_work = false;
    int64_t journal = 0;

    look(service, at, &view);
    if (turn_has_work(&view.sync, &view.connections[at], turn, &has_work, &journal, &err) != OK ||
        (has_work && run(service, at, &view, &options, report, &err) != OK)) {
        die(service, "turn", &err);
    }
    end = turn_end_of(report, OK);
    end.journal_seen = has_work ? end.journal_seen : journal;
    free(report);
    return end;
}

/* False: nothing is due, and *ret_wait_ms says for how long. */
static bool take_next(struct service *service, int64_t *ret_wait_ms)
{
    struct clock *clock = service->world->env.clock;
    struct turn turn;
    struct turn_end end;

    if (!dispatch_next(service->dispatch, clock_mono_ms(clock), clock_wall_ms(clock), &turn,
                       ret_wait_ms)) {
        return false;
    }
    end = take(service, &turn);
    dispatch_end(service->dispatch, &turn, &end, clock_mono_ms(clock));
    return true;
}

static void on_call(void *context, int at, bool is_applied, const struct http_request *request)
{
    struct service *service = context;
    int64_t wait_ms;

    (void)at;
    (void)request;
    service->counts.calls += is_applied;
    if (service->depth != 1 ||
        !random_chance(service->options.random, service->options.nested_per_million)) {
        return;
    }
    if (service->options.meanwhile) {
        service->options.meanwhile(service->options.context);
    }
    if (service->options.between) {
        service->options.between(service->options.context);
    }
    take_next(service, &wait_ms);
}

void service_run(struct service *service, int64_t for_ms)
{
    struct clock *clock = service->world->env.clock;
    int64_t until_ms = clock_mono_ms(clock) + for_ms;

    while (clock_mono_ms(clock) < until_ms) {
        int64_t left_ms = until_ms - clock_mono_ms(clock);
        int64_t wait_ms = 0;

        if (service->options.between) {
            service->options.between(service->options.context);
            left_ms = left_ms < BETWEEN_MS ? left_ms : BETWEEN_MS;
        }
        if (!take_next(service, &wait_ms)) {
            clock_wait_ms(clock, wait_ms < left_ms ? wait_ms : left_ms);
        }
    }
}

void service_hear(struct service *service, int at, struct str kind, struct str remote_id)
{
    AUTO_TX struct tx *tx = NULL;
    struct error err = {0};
    char key[32];
    bool is_new;

    snprintf(key, sizeof key, "event %d", ++service->events);
    if (tx_begin(service->world->store, TENANT_DEFAULT, &tx, &err) != OK ||
        inbox_put(tx, service->places[at].row.id, str_of(key), kind, remote_id, &is_new, &err) !=
            OK ||
        /* CRMs send what was not answered in time again */
        inbox_put(tx, service->places[at].row.id, str_of(key), kind, remote_id, &is_new, &err) !=
            OK ||
        tx_commit(&tx, &err) != OK) {
        die(service, "inbox", &err);
    }
    if (is_new) {
        error_set(&err, FAIL_BUG, "the same event is in the inbox twice");
        die(service, "inbox", &err);
    }
    service_arrived(service, at);
}

void service_arrived(struct service *service, int at)
{
    dispatch_arrived(service->dispatch, (size_t)at, clock_mono_ms(service->world->env.clock));
}

void service_changed(struct service *service)
{
    dispatch_changed(service->dispatch, TENANT_DEFAULT, clock_mono_ms(service->world->env.clock));
}

struct service_counts service_counts(const struct service *service)
{
    return service->counts;
}
