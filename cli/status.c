/* crmsync status and runs */
#include <stdio.h>

#include "cli/options.h"
#include "cli/output.h"
#include "cli/wire.h"
#include "store/divergence.h"
#include "store/link.h"
#include "store/stream.h"
#include "sync/braking.h"

/* What one kind of one connection looks like. */
struct stream_line {
    int64_t linked, gone, updates, creates;
    struct store_stream stream;
    const struct store_brake *brake;           /* NULL: none */
    const struct store_divergence *divergence; /* likewise: never compared */
};

/* What all lines share. */
struct status {
    struct store_stream *streams;
    size_t streams_count;
    struct store_brake *brakes;
    size_t brakes_count;
    struct store_divergence *divergences;
    size_t divergences_count;
};

static enum fail read_line(struct wire *wire, struct tx *tx, const struct store_connection *row,
                           struct str kind, const struct status *status, struct stream_line *ret,
                           struct error *err)
{
    *ret = (struct stream_line){0};
    for (size_t i = 0; i < status->streams_count; i++) {
        if (status->streams[i].connection_id == row->id &&
            str_equal(status->streams[i].kind, kind)) {
            ret->stream = status->streams[i];
        }
    }
    for (size_t i = 0; i < status->brakes_count; i++) {
        if (status->brakes[i].connection_id == row->id && str_equal(status->brakes[i].kind, kind)) {
            ret->brake = &status->brakes[i];
        }
    }
    for (size_t i = 0; i < status->divergences_count; i++) {
        if (status->divergences[i].connection_id == row->id &&
            str_equal(status->divergences[i].kind, kind)) {
            ret->divergence = &status->divergences[i];
        }
    }
    if (link_count(tx, row->id, kind, LINK_LIVE, &ret->linked, err) != OK ||
        link_count(tx, row->id, kind, LINK_GONE, &ret->gone, err) != OK) {
        return err->code;
    }
    return push_counts(tx, row->id, kind, clock_wall_ms(wire->cli->env->clock), &ret->updates,
                       &ret->creates, err);
}

/* Fields that are frozen now stand behind the version ("+…"). */
static bool stream_is_filled(const struct store_stream *stream, struct str version)
{
    return str_starts(stream->mapping_version, version) &&
           (stream->mapping_version.len == version.len ||
            stream->mapping_version.at[version.len] == '+');
}

/* What a person should know about the stream, the gravest first. */
static struct str note_of(struct wire *wire, const struct connection_settings *settings,
                          const struct store_connection *row, struct str kind,
                          const struct stream_line *line)
{
    if (line->brake && line->brake->confirmed_count < line->brake->count) {
        return arena_printf(&wire->arena, "brake: %" PRI_STR "; if that is wanted: %" PRI_STR,
                            STR_ARG(brake_text(&wire->arena, settings->name, line->brake)),
                            STR_ARG(brake_command(&wire->arena, settings->name, line->brake)));
    }
    if (line->brake) {
        return STR("brake: confirmed, the next sync goes on");
    }
    if (line->stream.first_import_done &&
        !stream_is_filled(&line->stream, stream_version(settings, kind, &wire->arena))) {
        return STR("back-fill: the mapping or the filter changed");
    }
    return line->stream.note.len ? line->stream.note : row->reason;
}

static void add_line(struct wire *wire, struct table *table,
                     const struct connection_settings *settings, const struct store_connection *row,
                     struct str kind, const struct stream_line *line)
{
    table_row(table);
    table_text(table, settings->name);
    table_text(table, kind);
    table_text(table, str_of(connection_state_name(row->state)));
    table_number(table, line->linked);
    table_number(table, settings->direction == DIRECTION_FROM_EXTERNAL
                            ? 0
                            : line->updates + (settings->may_create ? line->creates : 0));
    table_number(table, line->gone);
    table_text(table, line->stream.scanned_ms ? time_text(&wire->arena, line->stream.scanned_ms)
                                              : STR("never"));
    table_number(table, line->divergence ? line->divergence->differences : 0);
    table_text(table, time_text(&wire->arena, line->divergence ? line->divergence->ended_ms : 0));
    table_text(table, note_of(wire, settings, row, kind, line));
}

static enum fail print_streams(struct cli *cli, struct wire *wire, struct tx *tx, struct error *err)
{
    static const char *const NAMES[] = {"connection", "kind", "state",  "linked",
                                        "to_write",   "gone", "listed", "differ",
                                        "compared",   "note", NULL};
    struct table *table = table_new(cli, NAMES);
    struct status status;

    if (stream_list(tx, &wire->arena, &status.streams, &status.streams_count, err) != OK ||
        brake_list(tx, &wire->arena, &status.brakes, &status.brakes_count, err) != OK ||
        divergence_list(tx, &wire->arena, &status.divergences, &status.divergences_count, err) !=
            OK) {
        return err->code;
    }
    for (size_t i = 0; i < wire->config.settings.connections_count; i++) {
        const struct connection_settings *settings = &wire->config.connections[i];
        struct store_connection row;
        bool found;

        if (connection_by_name(tx, settings->name, &wire->arena, &row, &found, err) != OK) {
            return err->code;
        }
        for (size_t k = 0; found && k < settings->kinds_count; k++) {
            struct stream_line line;

            if (read_line(wire, tx, &row, settings->kinds[k], &status, &line, err) != OK) {
                return err->code;
            }
            add_line(wire, table, settings, &row, settings->kinds[k], &line);
        }
    }
    table_print(table,
                "no connection has been used yet: 'crmsync connect NAME', then 'crmsync sync'");
    return OK;
}

static enum fail print_totals(struct wire *wire, struct tx *tx, struct error *err)
{
    int64_t conflicts, failures;

    for (size_t i = 0; i < wire->config.kinds.count; i++) {
        int64_t live;

        if (record_count(tx, wire->config.kinds.at[i].name, &live, err) != OK) {
            return err->code;
        }
        printf("%-12" PRI_STR " %10lld records\n", STR_ARG(wire->config.kinds.at[i].name),
               (long long)live);
    }
    if (conflict_count_open(tx, &conflicts, err) != OK ||
        failure_count_open(tx, &failures, err) != OK) {
        return err->code;
    }
    printf("%-12s %10lld open\n%-12s %10lld open\n", "conflicts", (long long)conflicts, "set aside",
           (long long)failures);
    return OK;
}

static enum fail show_status(struct cli *cli, struct wire *wire, struct error *err)
{
    AUTO_TX struct tx *tx = NULL;

    if (wire_begin(wire, &tx, err) != OK || print_streams(cli, wire, tx, err) != OK ||
        (!cli->json && print_totals(wire, tx, err) != OK)) {
        return err->code;
    }
    return tx_commit(&tx, err);
}

int command_status(struct cli *cli, int argc, char **argv)
{
    AUTO_WIRE struct wire wire = {0};
    struct error err = {0};
    int count;
    const struct option_spec options[] = {{0}};
    const struct usage usage = {
        .synopsis = "crmsync status",
        .about =
            "Shows each kind of each connection: linked records, what waits to be written, "
            "what is gone at the CRM, when\n"
            "everything was last listed, what the last 'crmsync reconcile' found to differ and "
            "when, and what is wrong. May be used while a sync runs.",
        .options = options};
    enum parsed parsed = options_parse(cli, &usage, argc, argv, &count);

    if (parsed != PARSED_OK) {
        return parsed == PARSED_DONE ? EXIT_DONE : EXIT_USAGE;
    }
    if (wire_store(cli, STORE_READ, "crmsync status", &wire, &err) != OK ||
        show_status(cli, &wire, &err) != OK) {
        return cli_fail(cli, &err);
    }
    return EXIT_DONE;
}

static void add_run(struct wire *wire, struct table *table, const struct store_run *run)
{
    table_row(table);
    table_number(table, run->id);
    table_text(table, run->command);
    table_text(table, str_of(run_state_name(run->state)));
    table_text(table, time_text(&wire->arena, run->started_ms));
    table_number(table, run->ended_ms ? (run->ended_ms - run->started_ms) / 1000 : 0);
    table_number(table, run->counts.read);
    table_number(table,
                 run->counts.created_here + run->counts.updated_here + run->counts.deleted_here);
    table_number(table,
                 run->counts.created_there + run->counts.updated_there + run->counts.deleted_there);
    table_number(table, run->counts.set_aside);
    table_number(table, run->counts.conflicts);
    table_number(table, run->counts.calls);
    table_text(table, run->message);
}

static enum fail show_runs(struct cli *cli, struct wire *wire, int64_t limit, struct error *err)
{
    static const char *const NAMES[] = {"run",   "command", "state", "started",   "seconds",
                                        "read",  "here",    "there", "set_aside", "conflicts",
                                        "calls", "message", NULL};
    AUTO_TX struct tx *tx = NULL;
    struct table *table = table_new(cli, NAMES);
    struct store_run *runs;
    size_t count;

    if (wire_begin(wire, &tx, err) != OK ||
        run_list(tx, 0, (size_t)limit, &wire->arena, &runs, &count, err) != OK) {
        return err->code;
    }
    for (size_t i = 0; i < count; i++) {
        add_run(wire, table, &runs[i]);
    }
    table_print(table, "no runs yet");
    return tx_commit(&tx, err);
}

int command_runs(struct cli *cli, int argc, char **argv)
{
    AUTO_WIRE struct wire wire = {0};
    struct error err = {0};
    int64_t limit = 20;
    int count;
    const struct option_spec options[] = {{.name = "limit",
                                           .argument = "N",
                                           .help = "how many (default 20)",
                                           .type = OPTION_NUMBER,
                                           .target = &limit,
                                           .least = 1},
                                          {0}};
    const struct usage usage = {
        .synopsis = "crmsync runs [options]",
        .about = "Lists past runs, newest first: what each changed here and at the CRMs.",
        .options = options};
    enum parsed parsed = options_parse(cli, &usage, argc, argv, &count);

    if (parsed != PARSED_OK) {
        return parsed == PARSED_DONE ? EXIT_DONE : EXIT_USAGE;
    }
    if (limit < 1 || limit > 10000) {
        return usage_error(&usage, "--limit must be between 1 and 10000");
    }
    if (wire_store(cli, STORE_READ, "crmsync runs", &wire, &err) != OK ||
        show_runs(cli, &wire, limit, &err) != OK) {
        return cli_fail(cli, &err);
    }
    return EXIT_DONE;
}
