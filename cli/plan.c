/* crmsync plan and apply: what a run would do, as a file that people and programs read, and doing exactly that. */
#include "cli/plan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/options.h"
#include "cli/output.h"
#include "cli/quota.h"
#include "cli/running.h"
#include "cli/verbs.h"
#include "core/alloc.h"
#include "core/jx.h"
#include "sync/apply.h"
#include "sync/rehearse.h"

/* A plan while it is made: it streams, however long it is. */
struct making {
    struct cli *cli;
    FILE *file;     /* NULL: not kept */
    json_t *counts; /* "connection or here\tkind\tchange" → number */
    int64_t items, lines_shown;
    int64_t lines;
    bool write_failed;
};

/* --- one change for people ---------------------------------------------------------------------------------------------------- */

static struct str member(const json_t *line, const char *name)
{
    return jx_text_of(jx_get(line, name));
}

/* Of a value in a plan; a list in brackets. */
static void print_value(const json_t *value)
{
    struct str text = jx_text_of(value);

    if (json_is_array(value)) {
        printf("[");
        for (size_t i = 0; i < json_array_size(value); i++) {
            printf("%s", i ? ", " : "");
            print_value(json_array_get(value, i));
        }
        printf("]");
    } else if (text.len == 0) {
        printf("—");
    } else {
        AUTO_ARENA struct arena arena = {0};
        const struct value plain = VALUE_OF(text);

        printf("%" PRI_STR, STR_ARG(value_text(&arena, &plain)));
    }
}

static void print_plan_field(const json_t *field, bool is_create)
{
    struct str name = member(field, "field");
    struct str rule = member(field, "rule");
    const json_t *lost = jx_get(field, "lost");

    printf("      %-18" PRI_STR " ", STR_ARG(name));
    if (!is_create) {
        print_value(jx_get(field, "from"));
        printf(" → ");
    }
    print_value(jx_get(field, "to"));
    if (lost) {
        printf("  instead of ");
        print_value(lost);
    }
    if (!is_create && rule.len) {
        printf("   (%" PRI_STR ")", STR_ARG(rule));
    }
    printf("\n");
}

void plan_print_change(const json_t *line, const char *why)
{
    struct str op = member(line, "change"), at = member(line, "at"), kind = member(line, "kind");
    struct str from = member(line, "from"), title = member(line, "title");
    struct str uuid = member(line, "record");
    const json_t *fields = jx_get(line, "fields");

    printf("  %-8" PRI_STR " %" PRI_STR " %" PRI_STR "  %" PRI_STR "  %" PRI_STR, STR_ARG(op),
           STR_ARG(at), STR_ARG(kind), STR_ARG(title), STR_ARG(uuid));
    if (from.len) {
        printf("  (from %" PRI_STR ")", STR_ARG(from));
    }
    printf("\n");
    if (why[0]) {
        printf("      %s\n", why);
    }
    for (size_t i = 0; i < json_array_size(fields); i++) {
        print_plan_field(json_array_get(fields, i), str_equal(op, STR("create")));
    }
}

/* --- making ------------------------------------------------------------------------------------------------------------------- */

static void count(struct making *making, const struct change *change)
{
    AUTO_ARENA struct arena arena = {0};
    struct str key = arena_printf(&arena, "%" PRI_STR "\t%" PRI_STR "\t%s",
                                  STR_ARG(change->is_there ? change->connection : STR("here")),
                                  STR_ARG(change->kind), change_op_name(change->op));
    json_t *number = json_object_get(making->counts, key.at);

    making->items++;
    if (number) {
        json_integer_set(number, json_integer_value(number) + 1);
    } else {
        json_object_set_new(making->counts, key.at, json_integer(1));
    }
}

static void write_line(struct making *making, const json_t *line)
{
    if (making->file &&
        (json_dumpf(line, making->file, JSON_COMPACT) != 0 || fputc('\n', making->file) == EOF)) {
        making->write_failed = true;
    }
}

static void on_change(void *context, const struct change *change)
{
    struct making *making = context;
    AUTO_ARENA struct arena arena = {0};
    struct store_record record = {.uuid = change->uuid, .fields = change->record};
    bool is_shown = making->lines_shown < making->lines && !making->cli->json;

    count(making, change);
    if (!making->file && !is_shown) {
        return;
    }
    json_t *line = jx_own(&arena, plan_change_json(change, record_title(&arena, &record)));
    write_line(making, line);
    if (is_shown) {
        making->lines_shown++;
        plan_print_change(line, "");
    }
}

/* Seconds that so many calls take at the pace that the CRM allows. */
static int64_t seconds_of(const struct adapter *adapter, int64_t calls)
{
    const struct limit_bucket_spec *pace = &adapter->limits[0];

    return pace->name && pace->capacity > 0 && pace->window_ms > 0
               ? calls * pace->window_ms / pace->capacity / 1000
               : 0;
}

static json_t *cost_json(const struct running *running, const struct rehearsal *rehearsal,
                         const struct account_day *days)
{
    json_t *cost = json_object();

    for (size_t i = 0; i < running->wire.connections_count; i++) {
        const struct connection_settings *settings = &running->wire.config.connections[i];
        int64_t calls = rehearsal->write_calls[i];
        int64_t left = quota_left(&days[i], LANE_INTERACTIVE);

        json_object_setn_new(cost, settings->name.at, settings->name.len,
                             json_pack("{s:I,s:I,s:s,s:I,s:o}", "write_calls", calls,
                                       "write_seconds", seconds_of(settings->adapter, calls),
                                       "unit", quota_unit(&days[i]), "units",
                                       calls * settings->adapter->daily_units_of_write,
                                       "left_today", left >= 0 ? json_integer(left) : json_null()));
    }
    return cost;
}

static json_t *end_json(const struct making *making, const struct running *running,
                        const struct rehearsal *rehearsal, const struct account_day *days)
{
    return json_pack("{s:{s:I,s:O,s:I,s:o,s:b}}", "end", "items", making->items, "counts",
                     making->counts, "read_calls", rehearsal->read_calls, "cost",
                     cost_json(running, rehearsal, days), "brake_stopped",
                     rehearsal->report.brake_stopped ? 1 : 0);
}

static void print_cost(const struct connection_settings *settings, const struct account_day *day,
                       int64_t calls)
{
    int64_t left = quota_left(day, LANE_INTERACTIVE);

    printf("  %" PRI_STR ": %lld API calls to write, about %lld s at its pace",
           STR_ARG(settings->name), (long long)calls,
           (long long)seconds_of(settings->adapter, calls));
    if (left >= 0) {
        printf("; %lld of the %lld %s left today",
               (long long)(calls * settings->adapter->daily_units_of_write), (long long)left,
               quota_unit(day));
    }
    printf("\n");
}

static void print_summary(const struct making *making, const struct running *running,
                          const struct rehearsal *rehearsal, const struct account_day *days)
{
    const char *key;
    json_t *number;

    if (making->items > making->lines_shown && making->lines > 0) {
        printf("  … and %lld more\n", (long long)(making->items - making->lines_shown));
    }
    printf("%lld changes\n", (long long)making->items);
    json_object_foreach(making->counts, key, number)
    {
        struct str rest = str_of(key);
        struct str at = str_cut(&rest, '\t');
        struct str kind = str_cut(&rest, '\t');

        printf("  %-12" PRI_STR " %-12" PRI_STR " %-8" PRI_STR " %8lld\n", STR_ARG(at),
               STR_ARG(kind), STR_ARG(rest), (long long)json_integer_value(number));
    }
    for (size_t i = 0; i < running->wire.connections_count; i++) {
        const struct connection_settings *settings = &running->wire.config.connections[i];
        int64_t calls = rehearsal->write_calls[i];

        if (calls) {
            print_cost(settings, &days[i], calls);
        }
    }
    printf("  %lld API calls were made to read; applying makes about as many\n",
           (long long)rehearsal->read_calls);
}

static int finish_making(struct making *making, struct running *running,
                         const struct rehearsal *rehearsal)
{
    AUTO_ARENA struct arena arena = {0};
    struct account_day *days =
        ARENA_ARRAY(&arena, struct account_day, running->wire.connections_count + 1);
    struct error err = {0};

    if (quota_read(&running->wire, days, &err) != OK) {
        return cli_fail(making->cli, &err);
    }
    write_line(making, jx_own(&arena, end_json(making, running, rehearsal, days)));
    if (!making->cli->json) {
        print_summary(making, running, rehearsal, days);
        if (rehearsal->report.conflicts_open) {
            printf("%lld conflicts would wait for a person\n",
                   (long long)rehearsal->report.conflicts_open);
        }
        if (rehearsal->report.failures_open) {
            printf("%lld records would be set aside\n", (long long)rehearsal->report.failures_open);
        }
    }
    for (size_t i = 0; i < rehearsal->report.problems_count; i++) {
        fprintf(stderr, "crmsync: %s, %s: %s\n", rehearsal->report.problems[i].connection,
                rehearsal->report.problems[i].kind, rehearsal->report.problems[i].error.message);
    }
    if (rehearsal->report.problems_count) {
        return EXIT_FAILED;
    }
    return rehearsal->report.brake_stopped ? EXIT_BRAKE : EXIT_DONE;
}

static int rehearse_into(struct making *making, struct running *running,
                         const struct sync_options *options)
{
    struct rehearsal *rehearsal = alloc_new(1, sizeof *rehearsal);
    AUTO_ARENA struct arena arena = {0};
    struct error err = {0};
    enum fail failed;
    int code;

    write_line(making, jx_own(&arena, plan_head_json(&running->sync, options)));
    failed = rehearse(&running->sync, options, on_change, making, &arena, rehearsal, &err);
    running_finish(running);
    if (failed == FAIL_CANCELLED) {
        error_set(&err, FAIL_CANCELLED, "stopped as asked; there is no plan");
    }
    code = failed == OK ? finish_making(making, running, rehearsal) : cli_fail(making->cli, &err);
    free(rehearsal);
    return code;
}

/* The file appears under its name when it is whole; a plan holds personal data, so it is the owner's only. */
static int keep_file(struct making *making, const char *draft, const char *path, int code)
{
    bool is_bad = making->write_failed;

    if (making->file && making->file != stdout) {
        is_bad = (fflush(making->file) != 0 || fsync(fileno(making->file)) != 0) || is_bad;
        is_bad = fclose(making->file) != 0 || is_bad;
    }
    if (!path) {
        return code;
    }
    if ((code == EXIT_DONE || code == EXIT_BRAKE) && !is_bad && rename(draft, path) == 0) {
        if (!making->cli->json) {
            cli_say(making->cli, "kept in %s: 'crmsync apply %s' does exactly this\n", path, path);
        }
        return code;
    }
    unlink(draft);
    if (code == EXIT_DONE || code == EXIT_BRAKE) {
        fprintf(stderr, "crmsync: cannot write plan '%s': %s\n", path, strerror(errno));
        code = EXIT_FAILED;
    }
    return code;
}

int plan_make(struct cli *cli, const struct sync_options *options, const char *path, int64_t lines)
{
    struct making making = {.cli = cli, .counts = json_object(), .lines = lines};
    AUTO_FREE char *draft = path ? alloc_printf("%s.draft-%d", path, (int)getpid()) : NULL;
    struct running *running = NULL;
    struct error err = {0};
    int code;

    if (path) {
        making.file = fopen(draft, "wxe");
        if (!making.file) {
            error_set(&err, FAIL_CONFIG, "cannot write plan '%s': %s", path, strerror(errno));
            json_decref(making.counts);
            return cli_fail(cli, &err);
        }
    } else if (cli->json) {
        making.file = stdout;
    }
    code = running_start(cli, RUNNING_ON_COPY, "crmsync plan", options, &running, &err) == OK
               ? rehearse_into(&making, running, options)
               : cli_fail(cli, &err);
    code = keep_file(&making, draft, path, code);
    running_free(running);
    json_decref(making.counts);
    return code;
}

static int show_file(struct cli *cli, const char *path, int64_t lines)
{
    AUTO_PLAN_READER struct plan_reader reader = {0};
    struct error err = {0};
    int64_t shown = 0;
    bool is_whole = false;

    if (plan_reader_open(path, &reader, &err) != OK) {
        return cli_fail(cli, &err);
    }
    for (;;) {
        AUTO_ARENA struct arena arena = {0};
        json_t *line;

        if (plan_reader_next(&reader, &arena, &line, &err) != OK) {
            return cli_fail(cli, &err);
        }
        if (!line) {
            break;
        }
        is_whole = jx_get(line, "end") != NULL;
        if (cli->json) {
            printf("%" PRI_STR "\n", STR_ARG(jx_text(&arena, line)));
        } else if (jx_get(line, "crmsync_plan")) {
            printf("plan of %" PRI_STR "\n", STR_ARG(member(line, "made_at")));
        } else if (jx_get(line, "change") && (lines == 0 || shown++ < lines)) {
            plan_print_change(line, "");
        }
    }
    if (lines && shown > lines && !cli->json) {
        printf("  … and %lld more\n", (long long)(shown - lines));
    }
    if (!is_whole) {
        error_set(&err, FAIL_CONFIG, "plan '%s' is not whole: its end is missing", path);
        return cli_fail(cli, &err);
    }
    return EXIT_DONE;
}

int command_plan(struct cli *cli, int argc, char **argv)
{
    bool pull = false, push = false, full = false;
    struct str kind = STR(""), output = STR(""), show = STR("");
    int64_t lines = PLAN_LINES_SHOWN;
    int arguments;
    const struct option_spec options[] = {
        {.name = "output",
         .argument = "FILE",
         .help = "keep the plan, for 'crmsync apply FILE' (also -o)",
         .type = OPTION_TEXT,
         .target = &output},
        {.name = "show",
         .argument = "FILE",
         .help = "print a kept plan instead of making one",
         .type = OPTION_TEXT,
         .target = &show},
        {.name = "lines",
         .argument = "N",
         .help = "changes printed in full (default 20, 0 = none; with --show 0 = all)",
         .type = OPTION_NUMBER,
         .target = &lines},
        {.name = "kind",
         .argument = "KIND",
         .help = "only this kind",
         .type = OPTION_TEXT,
         .target = &kind},
        {.name = "pull", .help = "only read from the CRMs", .type = OPTION_FLAG, .target = &pull},
        {.name = "push", .help = "only write to the CRMs", .type = OPTION_FLAG, .target = &push},
        {.name = "full",
         .help = "list everything: finds deletes and drift",
         .type = OPTION_FLAG,
         .target = &full},
        {0}};
    const struct usage usage = {
        .synopsis = "crmsync plan [CONNECTION] [options]",
        .about =
            "Says what 'crmsync sync' would do, field by field and with the rule that decides, "
            "what it would cost, and writes\n"
            "nothing anywhere: it is the same run, over a copy of the store, with CRMs that "
            "are only read.\n\n"
            "  crmsync plan                     look\n"
            "  crmsync plan --output plan.jsonl && crmsync apply plan.jsonl\n"
            "  crmsync plan --show plan.jsonl --lines 0",
        .options = options,
        .arguments_max = 1};
    enum parsed parsed = options_parse(cli, &usage, argc, argv, &arguments);

    if (parsed != PARSED_OK) {
        return parsed == PARSED_DONE ? EXIT_DONE : EXIT_USAGE;
    }
    if (show.len) {
        return show_file(cli, show.at, lines);
    }
    return plan_make(
        cli,
        &(const struct sync_options){.command = "plan",
                                     .connection = arguments ? str_of(argv[1]) : STR(""),
                                     .kind = kind,
                                     .pull = pull || !push,
                                     .push = push || !pull,
                                     .full = full,
                                     .wait_max_ms = 5 * 60 * 1000},
        output.len ? output.at : NULL, lines);
}
