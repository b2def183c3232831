/* crmsync reconcile: compares both sides completely, and says or marks what differs. */
#include <stdio.h>
#include <stdlib.h>

#include "cli/options.h"
#include "cli/output.h"
#include "cli/running.h"
#include "cli/sync_there.h"
#include "core/alloc.h"
#include "store/divergence.h"
#include "sync/reconcile.h"

enum { LINES_SHOWN = 20, JSON_LINES_MAX = 10000, WAIT_MAX_MS = 5 * 60 * 1000 };

/* What the person asked for, and what all streams together come to. */
struct showing {
    struct cli *cli;
    struct wire *wire;
    struct str connection, kind; /* "" all */
    int64_t since_ms;            /* results from before this are not of this run; 0 = any */
    int64_t lines;
    int64_t shown, streams, left_out;
    struct store_divergence sum;
    struct table *table;    /* of streams; NULL with --json */
    struct table *findings; /* likewise */
    json_t *list;           /* with --json */
};

/* --- JSON --------------------------------------------------------------------------------------------------------------------- */

static json_t *names_json(struct str names)
{
    json_t *list = json_array();

    while (names.at && names.len) {
        json_array_append_new(list, json_text(str_cut(&names, ',')));
    }
    return list;
}

static json_t *difference_json(const struct store_difference *difference)
{
    return json_pack(
        "{s:s,s:o,s:o,s:o,s:o,s:o,s:b,s:i}", "what", difference_name(difference->what), "record",
        difference->uuid.len ? json_text(difference->uuid) : json_null(), "object",
        difference->remote_id.len ? json_text(difference->remote_id) : json_null(), "fields",
        names_json(difference->fields), "since", json_time(difference->since_ms), "why",
        difference->reason.len ? json_text(difference->reason) : json_null(), "marked",
        difference->is_marked ? 1 : 0, "bucket", difference->bucket);
}

static json_t *stream_json(struct str connection, const struct store_divergence *divergence,
                           const int64_t counts[DIFFERENCES], json_t *take_found)
{
    json_t *sorts = json_object();

    for (int i = 0; i < DIFFERENCES; i++) {
        json_object_set_new(sorts, difference_name((enum difference_what)i),
                            json_integer(counts[i]));
    }
    return json_pack("{s:o,s:o,s:o,s:o,s:b,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:o,s:o,s:o}",
                     "connection", json_text(connection), "kind", json_text(divergence->kind),
                     "began", json_time(divergence->began_ms), "ended",
                     json_time(divergence->ended_ms), "repair", divergence->is_repair ? 1 : 0,
                     "objects", divergence->listed, "pairs", divergence->pairs, "pairs_read",
                     divergence->pairs_read, "fields", divergence->fields, "fields_differ",
                     divergence->fields_differ, "differences", divergence->differences, "explained",
                     divergence->explained, "marked", divergence->marked, "oldest",
                     json_time(divergence->oldest_ms), "by_sort", sorts, "found", take_found);
}

/* --- one stream ----------------------------------------------------------------------------------------------------------------- */

static void add_up(struct store_divergence *sum, const struct store_divergence *one)
{
    sum->pairs += one->pairs;
    sum->fields += one->fields;
    sum->fields_differ += one->fields_differ;
    sum->differences += one->differences;
    sum->explained += one->explained;
    sum->marked += one->marked;
    if (one->oldest_ms && (!sum->oldest_ms || one->oldest_ms < sum->oldest_ms)) {
        sum->oldest_ms = one->oldest_ms;
    }
}

static void add_line(struct showing *showing, struct str connection,
                     const struct store_divergence *divergence)
{
    int64_t now_ms = clock_wall_ms(showing->cli->env->clock);

    table_row(showing->table);
    table_text(showing->table, connection);
    table_text(showing->table, divergence->kind);
    table_number(showing->table, divergence->listed);
    table_number(showing->table, divergence->pairs);
    table_number(showing->table, divergence->fields_differ);
    table_number(showing->table, divergence->differences);
    table_number(showing->table, divergence->explained);
    table_number(showing->table, divergence->marked);
    table_text(showing->table, divergence->oldest_ms
                                   ? ago_text(&showing->wire->arena, now_ms, divergence->oldest_ms)
                                   : STR(""));
    table_text(showing->table, time_text(&showing->wire->arena, divergence->ended_ms));
}

static void add_finding(struct showing *showing, struct str connection,
                        const struct store_difference *difference)
{
    if (showing->shown++ >= showing->lines) {
        return;
    }
    table_row(showing->findings);
    table_text(showing->findings, connection);
    table_text(showing->findings, difference->kind);
    table_text(showing->findings, str_of(difference_name(difference->what)));
    table_text(showing->findings, difference->uuid);
    table_text(showing->findings, difference->remote_id);
    table_text(showing->findings, difference->fields);
    table_text(showing->findings, difference->since_ms
                                      ? time_text(&showing->wire->arena, difference->since_ms)
                                      : STR(""));
    table_text(showing->findings, difference->reason.len  ? difference->reason
                                  : difference->is_marked ? STR("marked")
                                                          : STR(""));
}

static enum fail show_stream(struct showing *showing, struct tx *tx, struct str connection,
                             const struct store_divergence *divergence, struct error *err)
{
    struct arena *arena = &showing->wire->arena;
    int64_t limit = showing->cli->json ? JSON_LINES_MAX : showing->lines;
    struct store_difference *differences;
    int64_t counts[DIFFERENCES];
    json_t *found = showing->cli->json ? json_array() : NULL;
    size_t count;

    if (difference_list(tx, divergence->connection_id, divergence->kind, 0, (size_t)limit, arena,
                        &differences, &count, err) != OK ||
        difference_counts(tx, divergence->connection_id, divergence->kind, counts, err) != OK) {
        json_decref(found);
        return err->code;
    }
    add_up(&showing->sum, divergence);
    showing->streams++;
    if (!showing->cli->json) {
        add_line(showing, connection, divergence);
    }
    for (size_t i = 0; i < count; i++) {
        if (showing->cli->json) {
            json_array_append_new(found, difference_json(&differences[i]));
        } else {
            add_finding(showing, connection, &differences[i]);
        }
    }
    if (showing->cli->json) {
        json_array_append_new(showing->list, stream_json(connection, divergence, counts, found));
    }
    return OK;
}

/* --- all of them ------------------------------------------------------------------------------------------------------------------ */

static bool is_asked_for(const struct showing *showing, const struct connection_settings *settings,
                         struct str kind)
{
    return (showing->connection.len == 0 || str_equal(showing->connection, settings->name)) &&
           (showing->kind.len == 0 || str_equal(showing->kind, kind));
}

static enum fail show_connection(struct showing *showing, struct tx *tx,
                                 const struct connection_settings *settings, struct error *err)
{
    struct store_connection row;
    bool found;

    if (connection_by_name(tx, settings->name, &showing->wire->arena, &row, &found, err) != OK ||
        !found) {
        return err->code;
    }
    for (size_t i = 0; i < settings->kinds_count; i++) {
        struct store_divergence divergence;

        if (!is_asked_for(showing, settings, settings->kinds[i])) {
            continue;
        }
        if (divergence_find(tx, row.id, settings->kinds[i], &showing->wire->arena, &divergence,
                            &found, err) != OK) {
            return err->code;
        }
        if (!found || divergence.ended_ms < showing->since_ms) {
            showing->left_out++;
        } else if (show_stream(showing, tx, settings->name, &divergence, err) != OK) {
            return err->code;
        }
    }
    return OK;
}

static enum fail show_all(struct showing *showing, struct error *err)
{
    AUTO_TX struct tx *tx = NULL;
    const struct config *config = &showing->wire->config;

    if (wire_begin(showing->wire, &tx, err) != OK) {
        return err->code;
    }
    for (size_t i = 0; i < config->settings.connections_count; i++) {
        if (show_connection(showing, tx, &config->connections[i], err) != OK) {
            return err->code;
        }
    }
    return tx_commit(&tx, err);
}

static void print_sum(const struct showing *showing)
{
    const struct store_divergence *sum = &showing->sum;

    if (showing->shown > showing->lines || sum->differences > showing->lines) {
        printf("  … %lld differences in all; --lines N or --json shows more\n",
               (long long)sum->differences);
    }
    printf("%lld of %lld fields differ, in %lld differences", (long long)sum->fields_differ,
           (long long)sum->fields, (long long)sum->differences);
    if (sum->oldest_ms) {
        printf("; the oldest since %" PRI_STR,
               STR_ARG(time_text(&showing->wire->arena, sum->oldest_ms)));
    }
    printf("\n");
    if (sum->explained) {
        cli_say(showing->cli,
                "%lld are explained: what holds them is said above, and by 'crmsync status', "
                "'conflicts list' and 'failures list'\n",
                (long long)sum->explained);
    }
    if (sum->marked) {
        cli_say(showing->cli, "%lld are marked: 'crmsync sync' looks at them\n",
                (long long)sum->marked);
    } else if (sum->differences) {
        cli_say(showing->cli, "'crmsync reconcile --repair' marks them for the next sync\n");
    }
    if (showing->left_out) {
        cli_say(showing->cli,
                "%lld kinds of connections were not compared: their first import or a back-fill is "
                "not through ('crmsync sync'), or what went wrong is said above\n",
                (long long)showing->left_out);
    }
}

static void open_tables(struct showing *showing)
{
    static const char *const STREAMS[] = {"connection",    "kind",        "objects",   "pairs",
                                          "fields_differ", "differences", "explained", "marked",
                                          "oldest",        "ended",       NULL};
    static const char *const FINDINGS[] = {"connection", "kind",  "what", "record", "object",
                                           "fields",     "since", "why",  NULL};

    if (showing->cli->json) {
        showing->list = json_array();
        return;
    }
    showing->table = table_new(showing->cli, STREAMS);
    showing->findings = table_new(showing->cli, FINDINGS);
}

static void print_shown(struct showing *showing)
{
    if (showing->cli->json) {
        return;
    }
    table_print(showing->table, "nothing has been compared yet");
    table_print(showing->findings, "");
    print_sum(showing);
}

/* What no mark takes care of is left. */
static int exit_code_of(const struct showing *showing)
{
    return showing->sum.differences > showing->sum.marked ? EXIT_SET_ASIDE : EXIT_DONE;
}

/* --- the command -------------------------------------------------------------------------------------------------------------------- */

static int code_of_run(const struct sync_report *report, const struct showing *showing)
{
    if (report->problems_count || report->brake_stopped || report->budget_spent) {
        return running_exit_code(report);
    }
    return exit_code_of(showing);
}

static enum fail compare(struct showing *showing, struct running *running,
                         const struct sync_options *options, bool repair,
                         struct sync_report *report, struct error *err)
{
    enum fail failed;

    /* Other work goes before it. */
    http_client_lane_set(running->wire.http, LANE_RECONCILE);
    showing->wire = &running->wire;
    showing->since_ms = clock_wall_ms(showing->cli->env->clock);
    failed = sync_reconcile(&running->sync, options, repair, report, err);
    running_finish(running);
    if (failed == FAIL_CANCELLED) {
        running_explain_stop("reconcile", err);
    }
    if (failed != OK) {
        return failed;
    }
    if (!showing->cli->json) {
        running_print(showing->cli, report);
    }
    return show_all(showing, err);
}

static int print_compared(struct showing *showing, const struct sync_report *report)
{
    print_shown(showing);
    if (showing->cli->json) {
        json_t *body = json_report(report, cli_tenant(showing->cli));

        json_object_set_new(body, "streams", showing->list);
        print_json(body);
    }
    return code_of_run(report, showing);
}

static int compare_here(struct showing *showing, struct sync_options *options, bool repair,
                        struct sync_report *report)
{
    struct running *running = NULL;
    struct error err = {0};
    int code;

    options->wait_max_ms = options->wait_max_ms < 0 ? WAIT_MAX_MS : options->wait_max_ms;
    if (running_start(showing->cli, RUNNING_ON_STORE, "crmsync reconcile", options, &running,
                      &err) != OK) {
        return cli_fail(showing->cli, &err);
    }
    open_tables(showing);
    code = compare(showing, running, options, repair, report, &err) == OK
               ? print_compared(showing, report)
               : cli_fail(showing->cli, &err);
    running_free(running);
    return code;
}

/* The service compares; what it found is read in the store beside it. */
static int compare_there(struct showing *showing, struct door *door,
                         const struct sync_options *options, bool repair,
                         struct sync_report *report)
{
    AUTO_WIRE struct wire wire = {0};
    struct error err = {0};

    showing->wire = &wire;
    showing->since_ms = clock_wall_ms(showing->cli->env->clock);
    if (there_takes(options, &err) != OK ||
        reconcile_there(showing->cli, door, options, repair, report, &err) != OK ||
        wire_store(showing->cli, STORE_READ, "crmsync reconcile", &wire, &err) != OK) {
        return cli_fail(showing->cli, &err);
    }
    open_tables(showing);
    if (!showing->cli->json) {
        running_print(showing->cli, report);
    }
    return show_all(showing, &err) == OK ? print_compared(showing, report)
                                         : cli_fail(showing->cli, &err);
}

static int run_compare(struct showing *showing, struct sync_options *options, bool repair)
{
    AUTO_DOOR struct door *door = NULL;
    AUTO_FREE struct sync_report *report = alloc_new(1, sizeof *report);
    struct error err = {0};

    if (door_open_service(showing->cli, &door, &err) != OK) {
        return cli_fail(showing->cli, &err);
    }
    return door ? compare_there(showing, door, options, repair, report)
                : compare_here(showing, options, repair, report);
}

static int run_report(struct showing *showing)
{
    AUTO_WIRE struct wire wire = {0};
    struct error err = {0};
    size_t index;

    showing->wire = &wire;
    if (wire_store(showing->cli, STORE_READ, "crmsync reconcile --report", &wire, &err) != OK ||
        (showing->connection.len && wire_find(&wire, showing->connection, &index, &err) != OK)) {
        return cli_fail(showing->cli, &err);
    }
    open_tables(showing);
    if (show_all(showing, &err) != OK) {
        return cli_fail(showing->cli, &err);
    }
    print_shown(showing);
    if (showing->cli->json) {
        print_json(json_pack("{s:o}", "streams", showing->list));
    }
    return exit_code_of(showing);
}

static const char ABOUT[] =
    "Compares both sides completely, whatever was heard of changes: every object "
    "there, every linked pair and every\n"
    "record here. Says what differs, on which side, since when and, where it is "
    "known, why; never a value.\n"
    "Nothing is changed on either side. With --repair what differs is marked, and "
    "the next sync looks at it.\n"
    "It can be stopped and started again at any moment. When a service holds the store (crmsync "
    "serve), it does the comparison,\nand this shows its progress and what it found.\n\n"
    "  crmsync reconcile                  compare everything\n"
    "  crmsync reconcile hubspot --kind deal --repair\n"
    "  crmsync reconcile --report --json  what did the last comparison find?\n\n"
    "Exit code 3: something differs and is not marked.";

int command_reconcile(struct cli *cli, int argc, char **argv)
{
    struct showing showing = {.cli = cli, .lines = LINES_SHOWN};
    bool repair = false, report = false;
    int64_t wait_max_ms = -1, budget = 0;
    int count;
    const struct option_spec options[] = {
        {.name = "kind",
         .argument = "KIND",
         .help = "only this kind, for example contact",
         .type = OPTION_TEXT,
         .target = &showing.kind},
        {.name = "repair",
         .help = "mark what differs, so that the next sync looks at it",
         .type = OPTION_FLAG,
         .target = &repair},
        {.name = "report",
         .help = "show what the last comparison found, and ask no CRM",
         .type = OPTION_FLAG,
         .target = &report},
        {.name = "lines",
         .argument = "N",
         .help = "how many differences are shown (default 20)",
         .type = OPTION_NUMBER,
         .target = &showing.lines,
         .least = 0},
        {.name = "budget",
         .argument = "N",
         .help = "end in good order after at most N API calls; the next one goes on",
         .type = OPTION_NUMBER,
         .target = &budget,
         .least = 1},
        {.name = "wait",
         .argument = "TIME",
         .help = "longest single wait for a limit (default 5m)",
         .type = OPTION_DURATION,
         .target = &wait_max_ms},
        {0}};
    const struct usage usage = {.synopsis = "crmsync reconcile [CONNECTION] [options]",
                                .about = ABOUT,
                                .options = options,
                                .arguments_max = 1};
    enum parsed parsed = options_parse(cli, &usage, argc, argv, &count);

    if (parsed != PARSED_OK) {
        return parsed == PARSED_DONE ? EXIT_DONE : EXIT_USAGE;
    }
    if (repair && report) {
        return usage_error(&usage, "--report compares nothing, so there is nothing to --repair");
    }
    if (count) {
        showing.connection = str_of(argv[1]);
    }
    struct sync_options run = {.command = repair ? "reconcile --repair" : "reconcile",
                               .connection = showing.connection,
                               .kind = showing.kind,
                               .lane = LANE_RECONCILE,
                               .wait_max_ms = wait_max_ms,
                               .budget = budget};

    return report ? run_report(&showing) : run_compare(&showing, &run, repair);
}
