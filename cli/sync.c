/* crmsync sync */
#include <stdio.h>
#include <stdlib.h>

#include "cli/options.h"
#include "cli/output.h"
#include "cli/plan.h"
#include "cli/running.h"
#include "cli/sync_there.h"
#include "core/alloc.h"

enum { WAIT_MAX_MS = 5 * 60 * 1000 };

static int show_report(struct cli *cli, enum fail failed, const struct sync_report *report,
                       const struct error *err)
{
    if (failed == OK || failed == FAIL_CANCELLED) {
        if (cli->json) {
            print_json(json_report(report, cli_tenant(cli)));
        } else {
            running_print(cli, report);
        }
    }
    return failed == OK ? running_exit_code(report) : cli_fail(cli, err);
}

static int run_here(struct cli *cli, const struct sync_options *options, struct sync_report *report)
{
    struct running *running = NULL;
    struct error err = {0};
    enum fail failed;
    int code;

    if (running_start(cli, RUNNING_ON_STORE, "crmsync sync", options, &running, &err) != OK) {
        return cli_fail(cli, &err);
    }
    failed = sync_run(&running->sync, options, report, &err);
    running_finish(running);
    if (failed == FAIL_CANCELLED) {
        running_explain_stop("sync", &err);
    }
    code = show_report(cli, failed, report, &err);
    running_free(running);
    return code;
}

static int run_there(struct cli *cli, struct door *door, const struct sync_options *options,
                     struct sync_report *report)
{
    struct error err = {0};

    if (there_takes(options, &err) != OK) {
        return cli_fail(cli, &err);
    }
    return show_report(cli, sync_there(cli, door, options, report, &err), report, &err);
}

static int run_sync(struct cli *cli, struct sync_options *options)
{
    AUTO_DOOR struct door *door = NULL;
    AUTO_FREE struct sync_report *report = alloc_new(1, sizeof *report);
    struct error err = {0};

    if (door_open_service(cli, &door, &err) != OK) {
        return cli_fail(cli, &err);
    }
    if (door) {
        return run_there(cli, door, options, report);
    }
    options->wait_max_ms = options->wait_max_ms < 0 ? WAIT_MAX_MS : options->wait_max_ms;
    return run_here(cli, options, report);
}

static int dry_run_here(struct cli *cli, const struct usage *usage, struct sync_options *options)
{
    if (cli->server) {
        return usage_error(usage, "--dry-run works on a copy of the store here, without --server");
    }
    options->wait_max_ms = options->wait_max_ms < 0 ? WAIT_MAX_MS : options->wait_max_ms;
    return plan_make(cli, options, NULL, PLAN_LINES_SHOWN);
}

int command_sync(struct cli *cli, int argc, char **argv)
{
    bool pull = false, push = false, full = false, dry_run = false;
    int64_t wait_max_ms = -1, budget = 0;
    struct str kind = STR("");
    int count;
    const struct option_spec options[] = {
        {.name = "kind",
         .argument = "KIND",
         .help = "only this kind, for example contact",
         .type = OPTION_TEXT,
         .target = &kind},
        {.name = "pull", .help = "only read from the CRMs", .type = OPTION_FLAG, .target = &pull},
        {.name = "push", .help = "only write to the CRMs", .type = OPTION_FLAG, .target = &push},
        {.name = "full",
         .help = "list everything: finds deletes and drift",
         .type = OPTION_FLAG,
         .target = &full},
        {.name = "dry-run",
         .help = "say what would happen, as 'crmsync plan' does; nothing is written anywhere",
         .type = OPTION_FLAG,
         .target = &dry_run},
        {.name = "budget",
         .argument = "N",
         .help = "end in good order after at most N API calls; the next sync goes on",
         .type = OPTION_NUMBER,
         .target = &budget,
         .least = 1},
        {.name = "wait",
         .argument = "TIME",
         .help = "longest single wait for a limit (default 5m)",
         .type = OPTION_DURATION,
         .target = &wait_max_ms},
        {0}};
    const struct usage usage = {
        .synopsis = "crmsync sync [CONNECTION] [options]",
        .about =
            "Reads what changed at the CRMs, merges it field by field into the store, and "
            "writes what is missing there.\n"
            "The first run imports everything and recognises records that two CRMs both hold. "
            "It can be stopped and\n"
            "started again at any moment: nothing is lost and nothing is created twice. When a "
            "service holds the store\n(crmsync serve), it does the sync, and this shows its "
            "progress.\n\n"
            "  crmsync sync                    everything\n"
            "  crmsync sync hubspot --pull     only read from one connection\n"
            "  crmsync sync --kind contact --full\n"
            "  crmsync sync --dry-run          what would it do?",
        .options = options,
        .arguments_max = 1,
        .takes_server = true};
    enum parsed parsed = options_parse(cli, &usage, argc, argv, &count);

    if (parsed != PARSED_OK) {
        return parsed == PARSED_DONE ? EXIT_DONE : EXIT_USAGE;
    }
    struct sync_options run = {.command = "sync",
                               .connection = count ? str_of(argv[1]) : STR(""),
                               .kind = kind,
                               .pull = pull || !push,
                               .push = push || !pull,
                               .full = full,
                               .wait_max_ms = wait_max_ms,
                               .budget = budget};

    return dry_run ? dry_run_here(cli, &usage, &run) : run_sync(cli, &run);
}
