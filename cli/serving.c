#include "cli/serving.h"

#include <stdlib.h>

#include "cli/ready.h"
#include "cli/webhooks.h"
#include "core/advice.h"
#include "core/alloc.h"
#include "oauth/app_token.h"
#include "store/divergence.h"
#include "store/stream.h"
#include "sync/bindings.h"

enum { MEND_EVERY_MS = 60 * 60 * 1000 };

/* A connection: what stays open between its turns. Used by one worker at a time. */
struct place {
    struct serving_at at;
    const struct str *kinds; /* in the order of the dispatch */
    size_t kinds_count;
    int64_t row_id; /* of the connection; for any thread */
    struct store_connection row;
    struct http_client *_Atomic http; /* owned; NULL: never used. Metrics read it beside a turn */
    struct session *session;          /* owned; NULL: closed */
    struct bindings *bindings;
    struct arena arena; /* of the session */
    int64_t used_ms;
    int64_t mended_ms; /* its webhooks were last looked after; 0 never */
};

struct serving {
    struct serving_options options;
    struct arena arena;
    struct wire *tenants; /* owned each; as many as configured */
    size_t tenants_count;
    struct place *places;
    size_t places_count;
    struct dispatch *dispatch; /* owned */
};

/* --- beginning ---------------------------------------------------------------------------------------------------------------- */

static enum fail load_rows(struct wire *wire, struct error *err)
{
    AUTO_TX struct tx *tx = NULL;

    if (wire_begin(wire, &tx, err) != OK) {
        return err->code;
    }
    for (size_t i = 0; i < wire->connections_count; i++) {
        const struct connection_settings *settings = &wire->config.connections[i];

        if (connection_ensure(tx, settings->name, str_of(settings->adapter->name), &wire->arena,
                              &wire->connections[i].row, err) != OK) {
            return err->code;
        }
    }
    return tx_commit(&tx, err);
}

/* In the order in which kinds are pulled: what others refer to comes first. */
static void lay_out(struct serving *serving, const struct wire *wire, size_t index,
                    struct dispatch_place *ret)
{
    const struct connection_settings *settings = &wire->config.connections[index];
    const struct kinds *kinds = &wire->config.kinds;
    const struct schedule **schedules =
        ARENA_ARRAY(&serving->arena, const struct schedule *, settings->kinds_count + 1);
    struct str *names = ARENA_ARRAY(&serving->arena, struct str, settings->kinds_count + 1);

    ret->schedules = schedules;
    ret->kinds = names;
    for (size_t k = 0; k < kinds->count; k++) {
        for (size_t i = 0; i < settings->kinds_count && ret->kinds_count < DISPATCH_KINDS_MAX;
             i++) {
            if (str_equal(settings->kinds[i], kinds->at[k].name)) {
                names[ret->kinds_count] = settings->kinds[i];
                schedules[ret->kinds_count++] = settings_schedule(settings, settings->kinds[i]);
            }
        }
    }
}

static void add_place(struct serving *serving, size_t tenant, size_t index)
{
    const struct wire *wire = &serving->tenants[tenant];
    const struct connection_settings *settings = &wire->config.connections[index];
    struct dispatch_place about = {.tenant_id = wire->tenant_id,
                                   .tenant = wire->config.tenants[tenant].name,
                                   .connection = settings->name,
                                   .writes = settings->direction != DIRECTION_FROM_EXTERNAL};

    lay_out(serving, wire, index, &about);
    serving->places[serving->places_count++] =
        (struct place){.at = {.tenant = tenant, .index = index},
                       .kinds = about.kinds,
                       .kinds_count = about.kinds_count,
                       .row_id = wire->connections[index].row.id,
                       .row = wire->connections[index].row};
    dispatch_add(serving->dispatch, &about,
                 serving->options.before ? serving->options.before->dispatch : NULL);
}

/* Comparisons by earlier processes, and complete listings, which are as good. */
static int64_t last_comparison(const struct place *place, struct str kind,
                               const struct store_stream *streams, size_t streams_count,
                               const struct store_divergence *results, size_t results_count)
{
    int64_t last_ms = 0;

    for (size_t i = 0; i < streams_count; i++) {
        if (streams[i].connection_id == place->row.id && str_equal(streams[i].kind, kind)) {
            last_ms = streams[i].scanned_ms;
        }
    }
    for (size_t i = 0; i < results_count; i++) {
        if (results[i].connection_id == place->row.id && str_equal(results[i].kind, kind) &&
            results[i].began_ms > last_ms) {
            last_ms = results[i].began_ms;
        }
    }
    return last_ms;
}

/* Not every restart begins with listing everything: what is due is counted from the last time. */
static enum fail recall(struct serving *serving, size_t tenant, struct error *err)
{
    AUTO_TX struct tx *tx = NULL;
    AUTO_ARENA struct arena arena = {0};
    struct store_stream *streams;
    struct store_divergence *results;
    size_t streams_count, results_count;

    if (wire_begin(&serving->tenants[tenant], &tx, err) != OK ||
        stream_list(tx, &arena, &streams, &streams_count, err) != OK ||
        divergence_list(tx, &arena, &results, &results_count, err) != OK) {
        return err->code;
    }
    for (size_t i = 0; i < serving->places_count; i++) {
        const struct place *place = &serving->places[i];

        for (size_t k = 0; place->at.tenant == tenant && k < place->kinds_count; k++) {
            dispatch_started(serving->dispatch, i, SCHEDULE_RECONCILE, k,
                             last_comparison(place, place->kinds[k], streams, streams_count,
                                             results, results_count));
        }
    }
    return tx_commit(&tx, err);
}

static size_t count_connections(const struct config *config)
{
    size_t count = 0;

    for (size_t t = 0; t < config->tenants_count; t++) {
        count += config->tenants[t].settings.connections_count;
    }
    return count;
}

static enum fail fill(struct serving *serving, struct error *err)
{
    const struct config *config = &serving->options.base->config;

    serving->tenants = ARENA_ARRAY(&serving->arena, struct wire, config->tenants_count);
    serving->places = ARENA_ARRAY(&serving->arena, struct place, count_connections(config) + 1);
    for (size_t t = 0; t < config->tenants_count; t++) {
        struct wire *wire = &serving->tenants[serving->tenants_count];

        if (wire_beside(serving->options.base, serving->options.base->store, t, wire, err) != OK) {
            return err->code;
        }
        serving->tenants_count++;
        if (load_rows(wire, err) != OK) {
            return err->code;
        }
        for (size_t i = 0; i < wire->connections_count; i++) {
            add_place(serving, t, i);
        }
        /* A reload goes on with what its predecessor knows. */
        if (!serving->options.before && recall(serving, t, err) != OK) {
            return err->code;
        }
    }
    return OK;
}

enum fail serving_new(const struct serving_options *options, struct serving **ret,
                      struct error *err)
{
    struct serving *serving = alloc_new(1, sizeof *serving);

    serving->options = *options;
    serving->dispatch = dispatch_new(options->base->cli->env->random, options->workers);
    if (fill(serving, err) != OK) {
        serving_free(serving);
        return err->code;
    }
    serving->options.before = NULL;
    *ret = serving;
    return OK;
}

/* --- what is open ------------------------------------------------------------------------------------------------------------ */

static const struct connection_settings *settings_of(const struct serving *serving,
                                                     const struct place *place)
{
    return &serving->tenants[place->at.tenant].config.connections[place->at.index];
}

static void close_place(struct serving *serving, struct place *place)
{
    if (place->session) {
        settings_of(serving, place)->adapter->close(place->session);
        place->session = NULL;
    }
    keeper_free(TAKE_PTR(serving->tenants[place->at.tenant].keepers[place->at.index]));
    app_token_free(TAKE_PTR(serving->tenants[place->at.tenant].app_tokens[place->at.index]));
    bindings_free(TAKE_PTR(place->bindings));
    arena_fini(&place->arena);
}

void serving_free(struct serving *serving)
{
    if (!serving) {
        return;
    }
    for (size_t i = 0; i < serving->places_count; i++) {
        close_place(serving, &serving->places[i]);
        http_client_free(serving->places[i].http);
    }
    for (size_t t = 0; t < serving->tenants_count; t++) {
        wire_close(&serving->tenants[t]);
    }
    dispatch_free(serving->dispatch);
    arena_fini(&serving->arena);
    free(serving);
}

void serving_close_idle(struct serving *serving)
{
    struct place *oldest = NULL;
    size_t open = 0;

    for (size_t i = 0; i < serving->places_count; i++) {
        struct place *place = &serving->places[i];

        if (dispatch_state_of(serving->dispatch, i, 0).is_busy || !place->session) {
            continue; /* what is busy is its worker's */
        }
        open++;
        if (!oldest || place->used_ms < oldest->used_ms) {
            oldest = place;
        }
    }
    if (open > SERVING_OPEN_MAX) {
        close_place(serving, oldest);
    }
}

void serving_cancel(struct serving *serving)
{
    for (size_t i = 0; i < serving->places_count; i++) {
        if (serving->places[i].http) {
            http_client_cancel(serving->places[i].http);
        }
    }
}

/* A view of the tenant for one worker: its store handle, its connection's memory, and nobody else's session. */
static struct wire view_of(const struct serving *serving, struct place *place, struct store *store,
                           struct arena *arena)
{
    struct wire view = serving->tenants[place->at.tenant];
    struct sync_connection *connections =
        ARENA_ARRAY(arena, struct sync_connection, view.connections_count + 1);

    memcpy(connections, view.connections, view.connections_count * sizeof *connections);
    view.store = store;
    view.http = place->http;
    view.arena = place->arena;
    view.connections = connections;
    connections[place->at.index].row = place->row;
    connections[place->at.index].session = place->session;
    return view;
}

static enum fail open_place(struct place *place, struct wire *view, struct error *err)
{
    struct sync_connection *connection = &view->connections[place->at.index];
    enum fail failed;

    if (place->session) {
        return OK;
    }
    failed = wire_open(view, place->at.index, err);
    failed = failed ? failed : ready_make(view, place->at.index, true, err);
    place->session = connection->session;
    place->row = connection->row;
    place->arena = view->arena;
    return failed;
}

/* --- a turn ------------------------------------------------------------------------------------------------------------------ */

struct turning {
    struct serving *serving;
    const struct turn *turn;
};

static void on_progress(void *context, const struct sync_progress *progress)
{
    const struct turning *turning = context;
    const struct serving_options *options = &turning->serving->options;

    if (options->on_progress) {
        options->on_progress(options->context, turning->turn, progress);
    }
}

/* What a connection was stopped for is over once a turn of it went well. */
static enum fail keep_well(struct wire *view, struct place *place, struct error *err)
{
    AUTO_TX struct tx *tx = NULL;

    if (place->row.state == CONNECTION_ACTIVE) {
        return OK;
    }
    place->row.state = CONNECTION_ACTIVE;
    if (wire_begin(view, &tx, err) != OK ||
        connection_state_set(tx, place->row.id, CONNECTION_ACTIVE, STR(""), err) != OK) {
        return err->code;
    }
    return tx_commit(&tx, err);
}

/* A CRM that could not deliver for days ends it for good; only looking shows that. Trouble with it is none of the sync's. */
static void mend_webhooks(struct serving *serving, struct place *place, struct wire *view)
{
    struct log *log = view->cli->env->log;
    int64_t now_ms = clock_mono_ms(view->cli->env->clock);
    struct str name = settings_of(serving, place)->name;
    struct webhook_report report;
    struct error err = {0};

    if (place->mended_ms && now_ms - place->mended_ms < MEND_EVERY_MS) {
        return;
    }
    place->mended_ms = now_ms ? now_ms : 1;
    if (webhooks_mend(view, place->at.index, &report, &err) != OK) {
        LOG_EVENT(log, LOG_WARN, "webhooks were not looked after", LOG_S("connection", name),
                  LOG_S("reason", str_of(err.message)), LOG_S("try", str_of(err.hint)));
    } else if (report.created || report.removed) {
        LOG_EVENT(log, LOG_WARN, "webhooks were missing and are there again",
                  LOG_S("connection", name), LOG_I("created", report.created),
                  LOG_I("removed", report.removed));
    }
}

static enum fail run_open(struct serving *serving, const struct turn *turn, struct wire *view,
                          struct sync *sync, struct sync_report *report, struct error *err)
{
    struct place *place = &serving->places[turn->place];
    struct sync_connection *connection = &view->connections[place->at.index];
    struct sync_options options =
        turn_options(turn, settings_of(serving, place)->name, place->kinds[turn->kind]);

    if (open_place(place, view, err) != OK) {
        return err->code;
    }
    if (!place->bindings) {
        place->bindings = bindings_new();
    }
    connection->bindings = place->bindings;
    http_client_lane_set(place->http, options.lane);
    mend_webhooks(serving, place, view);
    if (turn_run(sync, turn, &options, report, err) != OK) {
        return err->code;
    }
    place->row.clock_offset_ms = connection->row.clock_offset_ms;
    place->row.state = report->problems_count ? CONNECTION_STOPPED : place->row.state;
    return report->problems_count ? OK : keep_well(view, place, err);
}

static void log_trouble(const struct serving *serving, const struct place *place,
                        const struct error *err)
{
    AUTO_ARENA struct arena arena = {0};
    struct str tenant = wire_tenant_name(&serving->tenants[place->at.tenant]);

    LOG_EVENT(serving->options.base->cli->env->log, LOG_WARN, "connection in trouble",
              LOG_S("tenant", tenant), LOG_S("connection", settings_of(serving, place)->name),
              LOG_S("reason", str_of(err->message)),
              LOG_S("try", advice_for_tenant(&arena, tenant, str_of(err->hint))));
}

/* What could not even begin is the connection's trouble as well. */
static void keep_trouble(struct wire *view, struct place *place, const struct error *cause)
{
    AUTO_TX struct tx *tx = NULL;
    struct error err = {0};
    enum connection_state state =
        cause->code == FAIL_AUTH ? CONNECTION_NEEDS_AUTH : CONNECTION_STOPPED;

    place->row.state = state;
    if (cause->code == FAIL_RETRY || cause->code == FAIL_THROTTLED ||
        cause->code == FAIL_CANCELLED || cause->code == FAIL_STOP) {
        return;
    }
    if (wire_begin(view, &tx, &err) == OK &&
        connection_state_set(tx, place->row.id, state, str_of(cause->message), &err) == OK &&
        tx_commit(&tx, &err) == OK) {
        return;
    }
    LOG_EVENT(view->cli->env->log, LOG_ERROR, "state of a connection not kept",
              LOG_S("reason", str_of(err.message)));
}

static struct turn_end end_of(const struct sync_report *report, const struct error *err)
{
    struct turn_end end = turn_end_of(report, err->code);

    if (err->code == FAIL_THROTTLED && !err->is_silent) { /* before anything could begin */
        end.failed = OK;
        end.come_back_ms = err->wait_ms > 0 ? err->wait_ms : 1000;
    }
    return end;
}

static void take_it(struct serving *serving, const struct turn *turn, struct wire *view,
                    struct turn_end *ret)
{
    struct place *place = &serving->places[turn->place];
    struct turning turning = {.serving = serving, .turn = turn};
    struct sync sync = {.env = view->cli->env,
                        .store = view->store,
                        .tenant_id = view->tenant_id,
                        .settings = &view->config.settings,
                        .connections = view->connections,
                        .connections_count = view->connections_count,
                        .http = place->http,
                        .on_progress = on_progress,
                        .progress_context = &turning,
                        .cancel = serving->options.cancel};
    struct sync_report *report = alloc_new(1, sizeof *report);
    struct error err = {0};
    bool has_work = false;
    int64_t journal = 0;

    if (turn_has_work(&sync, &view->connections[place->at.index], turn, &has_work, &journal,
                      &err) == OK &&
        has_work) {
        run_open(serving, turn, view, &sync, report, &err);
    }
    if (err.code != OK && err.code != FAIL_CANCELLED) {
        log_trouble(serving, place, &err);
        keep_trouble(view, place, &err);
    }
    *ret = end_of(report, &err);
    if (has_work && serving->options.on_report) {
        serving->options.on_report(serving->options.context, turn, report, &err);
    }
    if (!has_work && err.code == OK) {
        ret->journal_seen = journal;
    }
    free(report);
}

void serving_turn(struct serving *serving, struct store *store, const struct turn *turn,
                  struct turn_end *ret)
{
    struct place *place = &serving->places[turn->place];
    AUTO_ARENA struct arena arena = {0};
    struct wire view;

    if (!place->http) {
        place->http = wire_new_http(&serving->tenants[place->at.tenant]);
    }
    view = view_of(serving, place, store, &arena);
    take_it(serving, turn, &view, ret);
    place->arena = view.arena;
    place->used_ms = clock_mono_ms(view.cli->env->clock);
    if (ret->failed != OK) { /* begins anew, with what is signed in or configured then */
        close_place(serving, place);
    }
}

/* --- for others -------------------------------------------------------------------------------------------------------------- */

struct dispatch *serving_dispatch(const struct serving *serving)
{
    return serving->dispatch;
}

size_t serving_tenants(const struct serving *serving)
{
    return serving->tenants_count;
}

struct wire *serving_tenant(const struct serving *serving, size_t tenant)
{
    return &serving->tenants[tenant];
}

size_t serving_place_of_row(const struct serving *serving, int64_t tenant_id, int64_t connection_id)
{
    for (size_t i = 0; i < serving->places_count; i++) {
        const struct place *place = &serving->places[i];

        if (place->row_id == connection_id &&
            serving->tenants[place->at.tenant].tenant_id == tenant_id) {
            return i;
        }
    }
    return SIZE_MAX;
}

struct serving_at serving_at(const struct serving *serving, size_t place)
{
    return serving->places[place].at;
}

struct http_client *serving_client(const struct serving *serving, size_t place)
{
    return serving->places[place].http;
}
