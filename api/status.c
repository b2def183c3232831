/* What is in step, what waits, what ran. */
#include "api/find.h"
#include "api/handlers.h"
#include "api/inside.h"
#include "api/json.h"
#include "store/brake.h"
#include "store/connection.h"
#include "store/divergence.h"
#include "store/link.h"
#include "store/review.h"
#include "store/run.h"
#include "store/stream.h"
#include "sync/braking.h"

/* --- status -------------------------------------------------------------------------------------------------- */

/* What one kind of one connection looks like. */
struct line {
    const struct connection_settings *settings;
    struct store_connection row;
    struct str kind;
    int64_t linked, gone, updates, creates;
    struct store_stream stream;
    const struct store_brake *brake;           /* NULL: none */
    const struct store_divergence *divergence; /* likewise: never compared */
};

/* What all lines share. */
struct status {
    struct api_call *call;
    struct tx *tx;
    struct store_stream *streams;
    size_t streams_count;
    struct store_brake *brakes;
    size_t brakes_count;
    struct store_divergence *divergences;
    size_t divergences_count;
    json_t *rows;
};

static enum fail read_line(struct status *status, struct line *line, struct error *err)
{
    int64_t id = line->row.id;

    for (size_t i = 0; i < status->streams_count; i++) {
        if (status->streams[i].connection_id == id &&
            str_equal(status->streams[i].kind, line->kind)) {
            line->stream = status->streams[i];
        }
    }
    for (size_t i = 0; i < status->brakes_count; i++) {
        if (status->brakes[i].connection_id == id &&
            str_equal(status->brakes[i].kind, line->kind)) {
            line->brake = &status->brakes[i];
        }
    }
    for (size_t i = 0; i < status->divergences_count; i++) {
        if (status->divergences[i].connection_id == id &&
            str_equal(status->divergences[i].kind, line->kind)) {
            line->divergence = &status->divergences[i];
        }
    }
    if (link_count(status->tx, id, line->kind, LINK_LIVE, &line->linked, err) != OK ||
        link_count(status->tx, id, line->kind, LINK_GONE, &line->gone, err) != OK) {
        return err->code;
    }
    return push_counts(status->tx, id, line->kind, clock_wall_ms(status->call->env->clock),
                       &line->updates, &line->creates, err);
}

/* Fields that are frozen now stand behind the version ("+…"). */
static bool stream_is_filled(const struct store_stream *stream, struct str version)
{
    return str_starts(stream->mapping_version, version) &&
           (stream->mapping_version.len == version.len ||
            stream->mapping_version.at[version.len] == '+');
}

/* What a person should know about the stream, the gravest first. */
static struct str note_of(const struct status *status, const struct line *line)
{
    struct arena *arena = status->call->arena;
    struct str name = line->settings->name;

    if (line->brake && line->brake->confirmed_count < line->brake->count) {
        return api_advice(status->call,
                          arena_printf(arena, "brake: %" PRI_STR "; if that is wanted: %" PRI_STR,
                                       STR_ARG(brake_text(arena, name, line->brake)),
                                       STR_ARG(brake_command(arena, name, line->brake))));
    }
    if (line->brake) {
        return STR("brake: confirmed, the next sync goes on");
    }
    if (line->stream.first_import_done &&
        !stream_is_filled(&line->stream, stream_version(line->settings, line->kind, arena))) {
        return STR("back-fill: the mapping or the filter changed");
    }
    return line->stream.note.len ? line->stream.note : line->row.reason;
}

static json_t *json_line(const struct status *status, const struct line *line)
{
    const struct connection_settings *settings = line->settings;
    int64_t to_write = settings->direction == DIRECTION_FROM_EXTERNAL
                           ? 0
                           : line->updates + (settings->may_create ? line->creates : 0);

    const struct store_divergence *divergence = line->divergence;

    return json_pack("{s:o,s:o,s:s,s:I,s:I,s:I,s:o,s:I,s:o,s:o}", "connection",
                     json_text(settings->name), "kind", json_text(line->kind), "state",
                     connection_state_name(line->row.state), "linked", line->linked, "to_write",
                     to_write, "gone", line->gone, "listed", json_time(line->stream.scanned_ms),
                     "differ", divergence ? divergence->differences : 0, "compared",
                     json_time(divergence ? divergence->ended_ms : 0), "note",
                     json_text(note_of(status, line)));
}

static enum fail add_connection(struct status *status, const struct connection_settings *settings,
                                struct error *err)
{
    struct store_connection row;
    bool found;

    if (connection_by_name(status->tx, settings->name, status->call->arena, &row, &found, err) !=
        OK) {
        return err->code;
    }
    for (size_t k = 0; found && k < settings->kinds_count; k++) {
        struct line line = {.settings = settings, .row = row, .kind = settings->kinds[k]};

        if (read_line(status, &line, err) != OK) {
            return err->code;
        }
        json_array_append_new(status->rows, json_line(status, &line));
    }
    return OK;
}

/* How many records of each kind, and what waits for a person. */
static enum fail add_totals(struct status *status, json_t *tree, struct error *err)
{
    const struct kinds *kinds = status->call->setup.kinds;
    json_t *records = json_object();
    int64_t conflicts, failures;

    json_object_set_new(tree, "records", records);
    for (size_t i = 0; i < kinds->count; i++) {
        struct str kind = kinds->at[i].name;
        int64_t live;

        if (record_count(status->tx, kind, &live, err) != OK) {
            return err->code;
        }
        json_object_setn_new(records, kind.at, kind.len, json_integer(live));
    }
    if (conflict_count_open(status->tx, &conflicts, err) != OK ||
        failure_count_open(status->tx, &failures, err) != OK) {
        return err->code;
    }
    json_object_set_new(tree, "conflicts_open", json_integer(conflicts));
    json_object_set_new(tree, "failures_open", json_integer(failures));
    return OK;
}

enum fail handle_status(struct api_call *call, struct error *err)
{
    AUTO_TX struct tx *tx = NULL;
    struct status status = {.call = call, .rows = json_array()};
    json_t *tree = jx_own(call->arena, json_pack("{s:o}", "items", status.rows));

    if (api_read(call, &tx, err) != OK) {
        return err->code;
    }
    status.tx = tx;
    if (stream_list(tx, call->arena, &status.streams, &status.streams_count, err) != OK ||
        brake_list(tx, call->arena, &status.brakes, &status.brakes_count, err) != OK ||
        divergence_list(tx, call->arena, &status.divergences, &status.divergences_count, err) !=
            OK) {
        return err->code;
    }
    for (size_t i = 0; i < call->tenant->settings->connections_count; i++) {
        if (add_connection(&status, &call->tenant->settings->connections[i], err) != OK) {
            return err->code;
        }
    }
    if (add_totals(&status, tree, err) != OK) {
        return err->code;
    }
    api_answer(call, json_incref(tree));
    return tx_commit(&tx, err);
}

/* --- runs ---------------------------------------------------------------------------------------------------- */

static json_t *json_run(const struct store_run *run)
{
    const struct run_counts *counts = &run->counts;

    return json_pack(
        "{s:I,s:o,s:s,s:o,s:o,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:o,s:o}", "run", run->id, "command",
        json_text(run->command), "state", run_state_name(run->state), "started",
        json_time(run->started_ms), "ended", json_time(run->ended_ms), "seconds",
        run->ended_ms ? (run->ended_ms - run->started_ms) / 1000 : 0, "read", counts->read, "here",
        counts->created_here + counts->updated_here + counts->deleted_here, "there",
        counts->created_there + counts->updated_there + counts->deleted_there, "set_aside",
        counts->set_aside, "conflicts", counts->conflicts, "calls", counts->calls, "message",
        json_text(run->message), "counts", json_counts(counts));
}

enum fail handle_runs(struct api_call *call, struct error *err)
{
    AUTO_TX struct tx *tx = NULL;
    struct store_run *runs;
    json_t *rows;
    size_t limit, count;
    int64_t before;

    if (api_query_limit(call, &limit, err) != OK || api_query_after(call, &before, err) != OK ||
        api_read(call, &tx, err) != OK ||
        run_list(tx, before, limit, call->arena, &runs, &count, err) != OK) {
        return err->code;
    }
    rows = json_array();
    for (size_t i = 0; i < count; i++) {
        json_array_append_new(rows, json_run(&runs[i]));
    }
    api_page(call, rows, count == limit ? runs[count - 1].id : 0);
    return tx_commit(&tx, err);
}

enum fail handle_tenants(struct api_call *call, struct error *err)
{
    json_t *rows = json_array();

    (void)err;
    for (size_t i = 0; i < call->setup.tenants_count; i++) {
        const struct api_tenant *tenant = &call->setup.tenants[i];

        json_array_append_new(rows,
                              json_pack("{s:o,s:I}", "name", json_text(tenant->name), "connections",
                                        (json_int_t)tenant->settings->connections_count));
    }
    api_page(call, rows, 0);
    return OK;
}
