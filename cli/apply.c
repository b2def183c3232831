/* crmsync apply: does exactly what a plan says. */
#include <stdio.h>
#include <stdlib.h>

#include "cli/options.h"
#include "cli/output.h"
#include "cli/plan.h"
#include "cli/running.h"
#include "core/alloc.h"
#include "core/jx.h"
#include "sync/apply.h"

struct refusals {
    struct cli *cli;
    json_t *list; /* with --json */
    int64_t shown, lines;
};

static void on_refused(void *context, const json_t *line, const char *why)
{
    struct refusals *refusals = context;

    if (refusals->cli->json) {
        json_t *row = json_deep_copy(line);

        json_object_set_new(row, "refused", json_string(why));
        json_array_append_new(refusals->list, row);
        return;
    }
    if (refusals->shown++ < refusals->lines) {
        plan_print_change(line, why);
    }
}

static void print_applied(const struct cli *cli, const struct applied *applied)
{
    running_print(cli, &applied->report);
    printf("%lld of %lld changes of the plan are done\n", (long long)applied->done,
           (long long)applied->items);
    if (applied->refused) {
        cli_say(
            cli,
            "%lld were refused: moved since, or done already; 'crmsync plan' says what there is "
            "left to do\n",
            (long long)applied->refused);
    }
    if (applied->put_off) {
        printf("%lld other changes were seen and left for the next sync\n",
               (long long)applied->put_off);
    }
}

static int report_applied(struct cli *cli, const struct applied *applied, struct refusals *refusals)
{
    int code = running_exit_code(&applied->report);

    if (cli->json) {
        json_t *body = json_report(&applied->report, cli_tenant(cli));

        json_object_set_new(body, "plan",
                            json_pack("{s:I,s:I,s:I,s:I,s:O}", "items", applied->items, "done",
                                      applied->done, "refused", applied->refused, "put_off",
                                      applied->put_off, "refusals", refusals->list));
        print_json(body);
    } else {
        print_applied(cli, applied);
    }
    return applied->refused && (code == EXIT_DONE || code == EXIT_CONFLICTS) ? EXIT_SET_ASIDE
                                                                             : code;
}

/* The plan is looked at before anything is made ready at a CRM. */
static enum fail apply_file(struct running *running, const char *path, int64_t wait_max_ms,
                            struct refusals *refusals, struct applied *ret, struct error *err)
{
    struct applying *applying = NULL;
    enum fail failed;

    if (running->early.problems_count) {
        *err = running->early.problems[0].error;
        return error_wrap(err, "nothing is applied: connection '%s'",
                          running->early.problems[0].connection);
    }
    failed = apply_open(&running->sync, path, &applying, err);
    failed = failed ? failed : running_set_up(running, err);
    failed = failed ? failed : apply_run(applying, wait_max_ms, on_refused, refusals, ret, err);
    apply_close(applying);
    return failed;
}

/* Which connection the plan is about, "" all: only that one is opened. The rest of the head is looked at later. */
static enum fail plan_connection(const char *path, struct arena *arena, struct str *ret,
                                 struct error *err)
{
    AUTO_PLAN_READER struct plan_reader reader = {0};
    json_t *head;

    *ret = STR("");
    if (plan_reader_open(path, &reader, err) != OK ||
        plan_reader_next(&reader, arena, &head, err) != OK) {
        return err->code;
    }
    *ret = head && jx_get(head, "connection")
               ? arena_str(arena, jx_text_of(jx_get(head, "connection")))
               : STR("");
    return OK;
}

static int run_apply(struct cli *cli, const char *path, int64_t wait_max_ms, int64_t lines)
{
    AUTO_ARENA struct arena arena = {0};
    struct sync_options options = {.command = "apply", .wait_max_ms = wait_max_ms};
    struct refusals refusals = {.cli = cli, .list = json_array(), .lines = lines};
    struct applied *applied = alloc_new(1, sizeof *applied);
    struct running *running = NULL;
    struct error err = {0};
    int code;

    if (plan_connection(path, &arena, &options.connection, &err) == OK &&
        running_start(cli, RUNNING_ON_STORE, "crmsync apply", &options, &running, &err) == OK) {
        enum fail failed = apply_file(running, path, wait_max_ms, &refusals, applied, &err);

        running_finish(running);
        if (failed == FAIL_CANCELLED) {
            error_set(&err, FAIL_CANCELLED, "stopped as asked; what was done is kept");
            error_hint(&err, "apply the plan again: what is done already is not done twice");
        }
        code = failed == OK ? report_applied(cli, applied, &refusals) : cli_fail(cli, &err);
    } else {
        code = cli_fail(cli, &err);
    }
    running_free(running);
    json_decref(refusals.list);
    free(applied);
    return code;
}

int command_apply(struct cli *cli, int argc, char **argv)
{
    int64_t wait_max_ms = 5 * 60 * 1000, lines = PLAN_LINES_SHOWN;
    int count;
    const struct option_spec options[] = {{.name = "lines",
                                           .argument = "N",
                                           .help = "refused changes printed in full (default 20)",
                                           .type = OPTION_NUMBER,
                                           .target = &lines},
                                          {.name = "wait",
                                           .argument = "TIME",
                                           .help = "longest single wait for a limit (default 5m)",
                                           .type = OPTION_DURATION,
                                           .target = &wait_max_ms},
                                          {0}};
    const struct usage usage = {
        .synopsis = "crmsync apply FILE",
        .about = "Does exactly what a plan says ('crmsync plan --output FILE'). What has moved "
                 "since is refused, change by change; what the\n"
                 "plan does not know is left for the next sync. Exit code 3: some were refused.",
        .options = options,
        .arguments_min = 1,
        .arguments_max = 1};
    enum parsed parsed = options_parse(cli, &usage, argc, argv, &count);

    if (parsed != PARSED_OK) {
        return parsed == PARSED_DONE ? EXIT_DONE : EXIT_USAGE;
    }
    return run_apply(cli, argv[1], wait_max_ms, lines);
}
