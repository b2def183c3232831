/* crmsync undo: takes back what a run did, where nobody has changed it since. */
#include <stdio.h>
#include <stdlib.h>

#include "cli/options.h"
#include "cli/output.h"
#include "cli/plan.h"
#include "cli/running.h"
#include "core/alloc.h"
#include "core/jx.h"
#include "sync/undo.h"

struct telling {
    struct cli *cli;
    json_t *changes, *left; /* with --json */
    int64_t shown, lines;
};

static void on_change(void *context, const struct change *change, const char *why)
{
    struct telling *telling = context;
    AUTO_ARENA struct arena arena = {0};
    struct store_record record = {.uuid = change->uuid, .fields = change->record};
    json_t *line = jx_own(&arena, plan_change_json(change, record_title(&arena, &record)));

    if (why) {
        json_object_del(line, "change");
        json_object_set_new(line, "why", json_string(why));
    }
    if (telling->cli->json) {
        json_array_append_new(why ? telling->left : telling->changes, json_deep_copy(line));
    } else if (why) {
        printf("  left as it is: %" PRI_STR " %" PRI_STR "  %" PRI_STR "\n      %s\n",
               STR_ARG(change->kind), STR_ARG(record_title(&arena, &record)), STR_ARG(change->uuid),
               why);
    } else if (telling->shown++ < telling->lines) {
        plan_print_change(line, "");
    }
}

static void print_undone(const struct undone *undone, const struct telling *telling, bool did_it,
                         int64_t run_id)
{
    if (telling->shown > telling->lines) {
        printf("  … and %lld more\n", (long long)(telling->shown - telling->lines));
    }
    printf("%lld changes %s back", (long long)undone->done, did_it ? "taken" : "would be taken");
    if (undone->refused) {
        printf(", %lld records have moved since and stay", (long long)undone->refused);
    }
    if (undone->impossible) {
        printf(", %lld records cannot be taken back", (long long)undone->impossible);
    }
    printf("\n");
    if (!did_it) {
        cli_say(telling->cli, "nothing was written; 'crmsync undo %lld --yes' does it\n",
                (long long)run_id);
    } else {
        cli_say(telling->cli,
                "the next sync would do the same again: change the mapping, the filter or the "
                "strategy first, and look with 'crmsync plan'\n");
    }
}

static int report(struct telling *telling, const struct undone *undone, bool did_it, int64_t run_id)
{
    if (telling->cli->json) {
        json_t *body = json_report(&undone->report, cli_tenant(telling->cli));

        json_object_set_new(body, "undo",
                            json_pack("{s:b,s:I,s:I,s:I,s:O,s:O}", "done", did_it ? 1 : 0,
                                      "changes_count", undone->done, "refused", undone->refused,
                                      "impossible", undone->impossible, "changes", telling->changes,
                                      "left", telling->left));
        print_json(body);
    } else {
        print_undone(undone, telling, did_it, run_id);
    }
    if (undone->report.problems_count) {
        return running_exit_code(&undone->report);
    }
    return undone->refused || undone->impossible ? EXIT_SET_ASIDE : EXIT_DONE;
}

/* Half an undo is none: every connection has to be there. */
static bool reachable(const struct running *running, struct error *err)
{
    if (running->early.problems_count == 0) {
        return true;
    }
    *err = running->early.problems[0].error;
    error_wrap(err, "nothing is undone: connection '%s'", running->early.problems[0].connection);
    return false;
}

static int run_undo(struct cli *cli, int64_t run_id, bool do_it, int64_t lines)
{
    const struct sync_options options = {
        .command = "undo", .connection = STR(""), .wait_max_ms = 5 * 60 * 1000};
    struct telling telling = {
        .cli = cli, .changes = json_array(), .left = json_array(), .lines = lines};
    struct undone *undone = alloc_new(1, sizeof *undone);
    struct running *running = NULL;
    struct error err = {0};
    int code;

    if (running_start(cli, do_it ? RUNNING_ON_STORE : RUNNING_ON_COPY, "crmsync undo", &options,
                      &running, &err) == OK) {
        enum fail failed = reachable(running, &err) ? undo_run(&running->sync, run_id, do_it,
                                                               on_change, &telling, undone, &err)
                                                    : err.code;

        running_finish(running);
        if (failed == FAIL_CANCELLED) {
            running_explain_stop("undo", &err);
        }
        code = failed == OK ? report(&telling, undone, do_it, run_id) : cli_fail(cli, &err);
    } else {
        code = cli_fail(cli, &err);
    }
    running_free(running);
    json_decref(telling.changes);
    json_decref(telling.left);
    free(undone);
    return code;
}

int command_undo(struct cli *cli, int argc, char **argv)
{
    bool yes = false;
    int64_t run_id, lines = PLAN_LINES_SHOWN;
    int count;
    const struct option_spec options[] = {{.name = "yes",
                                           .help = "do it; without this it is only said",
                                           .type = OPTION_FLAG,
                                           .target = &yes},
                                          {.name = "lines",
                                           .argument = "N",
                                           .help = "changes printed in full (default 20)",
                                           .type = OPTION_NUMBER,
                                           .target = &lines},
                                          {0}};
    const struct usage usage = {
        .synopsis = "crmsync undo RUN [--yes]",
        .about =
            "Takes back what a run did: objects it wrote get their former values, objects it made "
            "are removed, records here become what\n"
            "they were. Only where both sides still hold what the run wrote; what cannot be taken "
            "back (merges, deletes) is said first.\n\n"
            "  crmsync runs                     which run was it?\n"
            "  crmsync undo 12                  what would be taken back?\n"
            "  crmsync undo 12 --yes",
        .options = options,
        .arguments_min = 1,
        .arguments_max = 1};
    enum parsed parsed = options_parse(cli, &usage, argc, argv, &count);

    if (parsed != PARSED_OK) {
        return parsed == PARSED_DONE ? EXIT_DONE : EXIT_USAGE;
    }
    if (!str_to_i64(str_of(argv[1]), &run_id) || run_id <= 0) {
        return usage_error(&usage, "'%s' is no number of a run", argv[1]);
    }
    return run_undo(cli, run_id, yes, lines);
}
