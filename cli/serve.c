/* crmsync serve */
#include "cli/serve.h"

#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "cli/local_door.h"
#include "cli/options.h"
#include "cli/serve_api.h"
#include "cli/serve_metrics.h"
#include "core/alloc.h"

#define SWAP(a, b)                                                                                 \
    do {                                                                                           \
        __typeof__(a) swap_ = (a);                                                                 \
        (a) = (b);                                                                                 \
        (b) = swap_;                                                                               \
    } while (0)

enum {
    TICK_MS = 200,
    MALLOC_ARENAS =
        2, /* each keeps what was freed in it; by default there are eight for each processor */
    STOP_GENTLY_MS = 7000, /* turns end at a committed page */
    STOP_AT_ONCE_MS = 2500 /* calls under way are given up */
};

/* --- the HTTP side ----------------------------------------------------------------------------------------------------------- */

/* What the API wrote may be something to send. */
static void after_edit(struct service *service)
{
    struct dispatch *dispatch = workers_lock(service->workers);
    int64_t now_ms = clock_mono_ms(service->cli->env->clock);

    for (size_t i = 0; dispatch && i < service->setup.tenants_count; i++) {
        dispatch_changed(dispatch, service->setup.tenants[i].id, now_ms);
    }
    workers_unlock(service->workers);
}

static void handle(void *context, const struct http_request *request,
                   struct http_response *response)
{
    struct service *service = context;

    api_handle(service->api, request, response);
    if (request->method != HTTP_GET && response->status < 300) {
        pthread_rwlock_rdlock(&service->setup_lock);
        after_edit(service);
        pthread_rwlock_unlock(&service->setup_lock);
    }
}

static void on_events(void *context, int64_t tenant_id, int64_t connection_id)
{
    struct service *service = context;
    struct dispatch *dispatch = workers_lock(service->workers);
    size_t place;

    atomic_store(&service->store_fails, false);
    place = dispatch ? serving_place_of_row(service->serving, tenant_id, connection_id) : SIZE_MAX;
    if (place != SIZE_MAX) { /* otherwise the next configuration looks at everything anyway */
        dispatch_arrived(dispatch, place, clock_mono_ms(service->cli->env->clock));
    }
    workers_unlock(service->workers);
}

static void on_store_failure(void *context, const struct error *err)
{
    struct service *service = context;

    if (!atomic_exchange(&service->store_fails, true)) {
        LOG_EVENT(service->cli->env->log, LOG_ERROR, "webhooks cannot be kept",
                  LOG_S("reason", str_of(err->message)), LOG_S("try", str_of(err->hint)));
    }
}

static enum fail start_receiving(struct service *service, struct error *err)
{
    const struct receiving_options options = {.base = service->base,
                                              .arrived = on_events,
                                              .failed = on_store_failure,
                                              .context = service};

    if (receiving_start(&options, &service->receiving, err) != OK) {
        return err->code;
    }
    receiving_use(service->receiving, service->serving);
    return OK;
}

static enum fail listen_on(struct service *service, struct error *err)
{
    const struct config_service *config = &service->base->config.service;
    const struct http_server_options options = {
        .address = arena_cstr(&service->base->arena, config->address),
        .port = config->port,
        .inherited_fd = service->notify.inherited_fd,
        .handler = handle,
        .context = service,
        .intake = receiver_intake,
        .intake_end = receiver_intake_end,
        .intake_context = receiving_receiver(service->receiving),
        .connections_per_address_max = HTTP_CONNECTIONS_PER_ADDRESS,
        .trusted_proxies = config->trusted_proxies,
        .trusted_proxies_count = config->trusted_proxies_count,
        .tls = config->tls,
        .log = service->cli->env->log};

    return http_server_start(&options, &service->server, err);
}

/* --- workers ----------------------------------------------------------------------------------------------------------------- */

static void on_turn(void *context, struct store *store, const struct turn *turn,
                    struct turn_end *ret)
{
    struct service *service = context;

    serving_turn(service->serving, store, turn, ret);
    if (workers_lock(service->workers)) {
        serving_close_idle(service->serving);
    }
    workers_unlock(service->workers);
}

static void on_progress(void *context, const struct turn *turn,
                        const struct sync_progress *progress)
{
    const struct service *service = context;

    serve_orders_progress(service->orders, turn, progress);
}

static void on_report(void *context, const struct turn *turn, const struct sync_report *report,
                      const struct error *err)
{
    const struct service *service = context;

    serve_orders_report(service->orders, turn, report, err);
}

static enum fail begin_serving(struct service *service, struct wire *base,
                               const struct serving *before, struct serving **ret,
                               struct error *err)
{
    const struct serving_options options = {.base = base,
                                            .workers = base->config.service.workers,
                                            .before = before,
                                            .cancel = &service->is_stopping,
                                            .on_progress = on_progress,
                                            .on_report = on_report,
                                            .context = service};

    return serving_new(&options, ret, err);
}

static enum fail start_workers(struct service *service, struct error *err)
{
    const struct workers_options options = {.env = service->cli->env,
                                            .store = service->base->store,
                                            .count = service->base->config.service.workers,
                                            .run = on_turn,
                                            .context = service};

    return workers_start(&options, &service->workers, err);
}

/* --- events ------------------------------------------------------------------------------------------------------------------ */

/* setup is of the configuration at work, whose tenants are in its order. */
static enum fail start_publishing(struct service *service, struct publishing **ret,
                                  struct error *err)
{
    size_t count = service->setup.tenants_count;
    int64_t *tenants = ARENA_ARRAY(&service->base->arena, int64_t, count + 1);

    for (size_t i = 0; i < count; i++) {
        tenants[i] = service->setup.tenants[i].id;
    }
    service->events_env = *service->cli->env;
    service->events_env.transport = service->base->transport;
    return publishing_start(service->base->store, &service->events_env, &service->base->config,
                            tenants, ret, err);
}

/* The old configuration is not in use any more. What fails is the store's, and said. */
static void publish_anew(struct service *service)
{
    struct publishing *old = service->publishing, *fresh = NULL;
    struct error err = {0};

    publishing_stop(old);
    if (start_publishing(service, &fresh, &err) != OK) {
        LOG_EVENT(service->cli->env->log, LOG_ERROR, "events are not delivered",
                  LOG_S("reason", str_of(err.message)), LOG_S("try", str_of(err.hint)));
    }
    service->publishing = fresh;
}

/* --- reading the configuration again ------------------------------------------------------------------------------------------ */

static enum fail cannot_change(const char *what, struct error *err)
{
    error_set(err, FAIL_CONFIG, "'%s' cannot change while the service runs", what);
    return error_hint(err, "restart the service, or write it back as it was");
}

/* What cannot change while the process lives is said, and stays as it was. */
static enum fail check_same(const struct wire *old, const struct wire *fresh, struct error *err)
{
    static const struct {
        const char *what;
        size_t offset;
    } ROWS[] = {{"store", offsetof(struct config, store_path)},
                {"key_file", offsetof(struct config, key_file)},
                {"service.listen",
                 offsetof(struct config, service) + offsetof(struct config_service, listen)}};

    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        struct str before, after;

        memcpy(&before, (const char *)&old->config + ROWS[i].offset, sizeof before);
        memcpy(&after, (const char *)&fresh->config + ROWS[i].offset, sizeof after);
        if (!str_equal(before, after)) {
            return cannot_change(ROWS[i].what, err);
        }
    }
    return !old->config.service.tls == !fresh->config.service.tls
               ? OK
               : cannot_change("service.tls", err);
}

static enum fail read_again(struct service *service, struct wire **ret, struct error *err)
{
    struct wire *fresh = alloc_new(1, sizeof *fresh);

    if (wire_config(service->cli, fresh, err) != OK ||
        check_same(service->base, fresh, err) != OK) {
        fresh->is_beside = true;
        wire_close(fresh);
        free(fresh);
        return err->code;
    }
    fresh->store = service->base->store;
    fresh->vault = service->base->vault;
    fresh->transport = service->base->transport;
    fresh->tenant_id = service->base->tenant_id;
    *ret = fresh;
    return OK;
}

static void drop_wire(struct wire *wire)
{
    wire->is_beside = true; /* what it holds is another one's now */
    wire_close(wire);
    free(wire);
}

/* No turn is under way. The old configuration goes on when the new one does not work. */
static enum fail replace(struct service *service, struct error *err)
{
    struct wire *fresh = NULL;
    struct serving *serving = NULL;

    if (read_again(service, &fresh, err) != OK) {
        return err->code;
    }
    if (begin_serving(service, fresh, service->serving, &serving, err) != OK ||
        http_server_tls_reload(service->server, fresh->config.service.tls, err) != OK ||
        wire_note_settings(fresh, err) != OK) {
        serving_free(serving);
        drop_wire(fresh);
        return err->code;
    }
    pthread_rwlock_wrlock(&service->setup_lock);
    SWAP(service->serving, serving);
    SWAP(service->base, fresh);
    receiving_use(service->receiving, service->serving);
    serve_api_setup(service);
    publish_anew(service);
    pthread_rwlock_unlock(&service->setup_lock);
    upkeeping_use(service->upkeeping, &service->base->config);
    serving_free(serving);
    drop_wire(fresh);
    return OK;
}

static void reload(struct service *service)
{
    struct log *log = service->cli->env->log;
    struct error err = {0};

    notify_reloading(&service->notify, service->cli->env->clock);
    serve_orders_end_all(service->orders, "the service read its configuration again");
    while (!workers_pause(service->workers, STOP_GENTLY_MS)) { /* a turn ends by itself */
        notify_alive(&service->notify); /* a CRM that hangs makes it long, not wrong */
    }
    if (replace(service, &err) == OK) {
        LOG_EVENT(
            log, LOG_INFO, "configuration read again",
            LOG_I("connections", (int64_t)dispatch_places(serving_dispatch(service->serving))));
    } else {
        LOG_EVENT(log, LOG_ERROR, "the new configuration is not used",
                  LOG_S("reason", str_of(err.message)), LOG_S("try", str_of(err.hint)));
    }
    workers_resume(service->workers, serving_dispatch(service->serving));
    notify_ready(&service->notify);
}

/* --- life -------------------------------------------------------------------------------------------------------------------- */

/* Commands of the same user on this machine find the service that holds their store. Where that cannot be, they meet the store's lock. */
static void open_local_door(struct service *service)
{
    AUTO_SECRET struct secret token = {0};
    struct error err = {0};
    const struct local_door_options options = {
        .store_path = arena_cstr(&service->base->arena, service->base->config.store_path),
        .handler = handle,
        .context = service,
        .token = &token,
        .log = service->cli->env->log};

    api_local_token(service->api, &token);
    if (local_door_open(&options, &service->local_door, &err) != OK) {
        LOG_EVENT(service->cli->env->log, LOG_WARN, "commands cannot ask this service by its store",
                  LOG_S("reason", str_of(err.message)), LOG_S("try", str_of(err.hint)));
    }
}

static enum fail start_doors(struct service *service, struct error *err)
{
    const struct api_options options = {
        .env = service->cli->env, .store = service->base->store, .host = serve_api_host(service)};

    service->api = api_new(&options);
    service->orders = serve_orders_new(service->workers, service->api);
    serve_api_setup(service);
    if (start_publishing(service, &service->publishing, err) != OK ||
        following_start(service->api, service->cli->env->log, &service->following, err) != OK ||
        start_receiving(service, err) != OK || watch_start(service, &service->watch, err) != OK ||
        listen_on(service, err) != OK) {
        return err->code;
    }
    open_local_door(service);
    return OK;
}

static enum fail start(struct service *service, struct error *err)
{
    struct wire *base = service->base;

    if (notify_take(&service->notify, err) != OK ||
        wire_store(service->cli, STORE_WRITE, "crmsync serve", base, err) != OK ||
        wire_note_settings(base, err) != OK || wire_transport(base, err) != OK ||
        wire_vault(base, err) != OK ||
        begin_serving(service, base, NULL, &service->serving, err) != OK ||
        start_workers(service, err) != OK ||
        upkeeping_start(base->store, service->cli->env, &base->config, &service->upkeeping, err) !=
            OK ||
        start_doors(service, err) != OK) {
        return err->code;
    }
    workers_resume(service->workers, serving_dispatch(service->serving));
    atomic_store(&service->is_ready, true);
    notify_ready(&service->notify);
    return OK;
}

/* First nothing new comes in, then turns end at a committed page; what still hangs in a call is given up, and its outcome found out by the next start. */
static void stop(struct service *service)
{
    notify_stopping(&service->notify);
    service->is_stopping = true;
    atomic_store(&service->is_ready, false);
    if (service->orders) {
        serve_orders_end_all(service->orders, "the service was stopped");
    }
    local_door_close(service->local_door);
    http_server_stop(service->server);
    following_stop(service->following);
    watch_stop(service->watch);
    receiving_stop(service->receiving);
    if (service->workers && !workers_pause(service->workers, STOP_GENTLY_MS)) {
        serving_cancel(service->serving);
        workers_pause(service->workers, STOP_AT_ONCE_MS);
    }
    workers_stop(service->workers);
    publishing_stop(service->publishing);
    upkeeping_stop(service->upkeeping);
    serve_orders_free(service->orders);
    api_free(service->api);
    serving_free(service->serving);
    wire_close(service->base);
    free(service->base);
    pthread_rwlock_destroy(&service->setup_lock);
}

static void block_signals(sigset_t *ret)
{
    sigemptyset(ret);
    sigaddset(ret, SIGINT);
    sigaddset(ret, SIGTERM);
    sigaddset(ret, SIGHUP);
    pthread_sigmask(SIG_BLOCK, ret, NULL);
}

static void live(struct service *service, const sigset_t *signals)
{
    const struct timespec tick = {.tv_nsec = TICK_MS * 1000000L};

    for (;;) {
        int number = sigtimedwait(signals, NULL, &tick);

        if (number == SIGTERM || number == SIGINT) {
            return;
        }
        if (number == SIGHUP) {
            reload(service);
        }
        serve_orders_settle(service->orders);
        notify_alive(&service->notify);
    }
}

static void tell_address(const struct service *service)
{
    const struct config_service *config = &service->base->config.service;
    int port = http_server_port(service->server);

    if (service->cli->quiet) {
        return;
    }
    if (port) {
        printf("crmsync serves %zu connections at http%s://%" PRI_STR ":%d\n",
               dispatch_places(serving_dispatch(service->serving)), config->tls ? "s" : "",
               STR_ARG(config->address), port);
    } else {
        printf("crmsync serves %zu connections at %" PRI_STR "\n",
               dispatch_places(serving_dispatch(service->serving)), STR_ARG(config->address));
    }
    fflush(stdout);
}

static int serve(struct cli *cli)
{
    struct service service = {.cli = cli,
                              .base = alloc_new(1, sizeof(struct wire)),
                              .started_ms = clock_wall_ms(cli->env->clock)};
    struct error err = {0};
    sigset_t signals;

    mallopt(M_ARENA_MAX, MALLOC_ARENAS);
    pthread_rwlock_init(&service.setup_lock, NULL);
    block_signals(&signals);
    signal(SIGPIPE, SIG_IGN);
    if (start(&service, &err) == OK) {
        tell_address(&service);
        live(&service, &signals);
    }
    stop(&service);
    return err.code == OK ? EXIT_DONE : cli_fail(cli, &err);
}

int command_serve(struct cli *cli, int argc, char **argv)
{
    const struct option_spec options[] = {{0}};
    const struct usage usage = {
        .synopsis = "crmsync serve [options]",
        .about = "Keeps store and CRMs in agreement until it is stopped: reads what changed by the "
                 "schedules of the configuration, hears of\n"
                 "changes by webhooks, writes what moved, and answers at 'service: listen:'.\n\n"
                 "SIGTERM or Ctrl-C ends it in good order, within ten seconds. SIGHUP reads "
                 "configuration and mappings again; when they are\n"
                 "wrong, it says so in the log and goes on with the old ones.\n\n"
                 "What goes wrong is logged to standard error; --verbose adds a line for each "
                 "request.\n\n"
                 "  crmsync serve",
        .options = options};
    enum parsed parsed;
    int count;

    parsed = options_parse(cli, &usage, argc, argv, &count);
    if (parsed != PARSED_OK) {
        return parsed == PARSED_DONE ? EXIT_DONE : EXIT_USAGE;
    }
    return serve(cli);
}
