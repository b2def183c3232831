#include "cli/sync_there.h"

#include <stdio.h>

#include "api/json.h"
#include "cli/listing.h"
#include "cli/progress.h"
#include "core/jx.h"

enum { LOOK_EVERY_MS = 250 };

/* --- from JSON ----------------------------------------------------------------------------------------------- */

static void copy_text(const json_t *row, const char *name, char *ret, size_t bytes)
{
    snprintf(ret, bytes, "%" PRI_STR, STR_ARG(listing_text(row, name)));
}

static struct run_counts counts_of(const json_t *tree)
{
    return (struct run_counts){.read = listing_number(tree, "read"),
                               .unchanged = listing_number(tree, "unchanged"),
                               .created_here = listing_number(tree, "created_here"),
                               .updated_here = listing_number(tree, "updated_here"),
                               .deleted_here = listing_number(tree, "deleted_here"),
                               .matched = listing_number(tree, "matched"),
                               .created_there = listing_number(tree, "created_there"),
                               .updated_there = listing_number(tree, "updated_there"),
                               .deleted_there = listing_number(tree, "deleted_there"),
                               .conflicts = listing_number(tree, "conflicts"),
                               .set_aside = listing_number(tree, "set_aside"),
                               .merged = listing_number(tree, "merged"),
                               .calls = listing_number(tree, "calls"),
                               .retries = listing_number(tree, "retries"),
                               .throttled = listing_number(tree, "throttled")};
}

static void read_problems(const json_t *rows, struct sync_report *ret)
{
    for (size_t i = 0; i < json_array_size(rows) && i < SYNC_PROBLEMS_MAX; i++) {
        const json_t *row = json_array_get(rows, i);
        struct sync_problem *problem = &ret->problems[ret->problems_count++];

        copy_text(row, "connection", problem->connection, sizeof problem->connection);
        copy_text(row, "kind", problem->kind, sizeof problem->kind);
        problem->error.code = listing_fail(row, "code");
        problem->error.wait_ms = listing_number(row, "wait_ms");
        copy_text(row, "message", problem->error.message, sizeof problem->error.message);
        copy_text(row, "hint", problem->error.hint, sizeof problem->error.hint);
    }
}

static void read_report(const json_t *tree, struct sync_report *ret)
{
    const json_t *brakes = jx_get(tree, "brakes");

    *ret = (struct sync_report){.run_id = listing_number(tree, "run"),
                                .counts = counts_of(jx_get(tree, "counts")),
                                .conflicts_open = listing_number(tree, "conflicts_open"),
                                .failures_open = listing_number(tree, "failures_open"),
                                .writes_unsettled = listing_number(tree, "writes_unsettled"),
                                .budget_spent = json_is_true(jx_get(tree, "budget_spent")),
                                .brake_stopped = json_is_true(jx_get(tree, "brake_stopped"))};
    for (size_t i = 0; i < json_array_size(brakes) && i < SYNC_BRAKES_MAX; i++) {
        struct sync_brake *brake = &ret->brakes[ret->brakes_count++];

        copy_text(json_array_get(brakes, i), "seen", brake->seen, sizeof brake->seen);
        copy_text(json_array_get(brakes, i), "try", brake->command, sizeof brake->command);
    }
    read_problems(jx_get(tree, "problems"), ret);
}

static void show(struct progress *progress, const json_t *tree)
{
    const struct run_counts counts = counts_of(jx_get(tree, "counts"));
    const json_t *total = jx_get(tree, "total");
    const struct sync_progress now = {.phase = json_string_value(jx_get(tree, "phase")),
                                      .connection = listing_text(tree, "connection"),
                                      .kind = listing_text(tree, "kind"),
                                      .done = listing_number(tree, "done"),
                                      .total =
                                          json_is_integer(total) ? json_integer_value(total) : -1,
                                      .wait_ms = listing_number(tree, "wait_ms"),
                                      .why = json_string_value(jx_get(tree, "why")),
                                      .counts = &counts};

    if (now.phase) {
        progress_show(progress, &now);
    }
}

/* --- asking and looking -------------------------------------------------------------------------------------- */

static enum fail order(struct door *door, struct str target, json_t *take_body,
                       struct str *ret_path, struct error *err)
{
    json_t *answer;

    if (door_ask(door, HTTP_POST, target, take_body, &answer, err) != OK) {
        return err->code;
    }
    *ret_path = arena_printf(door_arena(door), "/api/crm/sync/%" PRI_STR,
                             STR_ARG(listing_text(answer, "id")));
    return OK;
}

static enum fail read_end(const json_t *answer, struct sync_report *ret, struct error *err)
{
    const json_t *error = jx_get(answer, "error");

    read_report(jx_get(answer, "report"), ret);
    if (!json_is_object(error)) {
        return OK;
    }
    error_set(err, listing_fail(error, "code"), "%" PRI_STR,
              STR_ARG(listing_text(error, "message")));
    return error_hint(err, "%" PRI_STR, STR_ARG(listing_text(error, "hint")));
}

static enum fail watch(struct cli *cli, struct door *door, struct str path,
                       struct progress *progress, struct sync_report *ret, struct error *err)
{
    for (;;) {
        AUTO_ARENA struct arena arena = {0};
        json_t *answer;

        if (door_look(door, path, &arena, &answer, err) != OK) {
            return err->code;
        }
        if (!json_is_null(jx_get(answer, "ended_at"))) {
            return read_end(answer, ret, err);
        }
        show(progress, jx_get(answer, "progress"));
        clock_wait_ms(cli->env->clock, LOOK_EVERY_MS);
    }
}

static enum fail order_and_watch(struct cli *cli, struct door *door, struct str target,
                                 json_t *take_body, struct sync_report *ret, struct error *err)
{
    struct progress progress;
    struct str path;
    enum fail failed;

    if (order(door, target, take_body, &path, err) != OK) {
        return err->code;
    }
    progress_init(&progress, cli, NULL);
    failed = watch(cli, door, path, &progress, ret, err);
    progress_clear(&progress);
    return failed;
}

enum fail sync_there(struct cli *cli, struct door *door, const struct sync_options *options,
                     struct sync_report *ret, struct error *err)
{
    json_t *body = json_pack("{s:o,s:o,s:b,s:b,s:b}", "connection", json_text(options->connection),
                             "kind", json_text(options->kind), "pull", options->pull ? 1 : 0,
                             "push", options->push ? 1 : 0, "full", options->full ? 1 : 0);

    return order_and_watch(cli, door, STR("/api/crm/sync"), body, ret, err);
}

enum fail reconcile_there(struct cli *cli, struct door *door, const struct sync_options *options,
                          bool repair, struct sync_report *ret, struct error *err)
{
    json_t *body = json_pack("{s:o,s:o,s:b}", "connection", json_text(options->connection), "kind",
                             json_text(options->kind), "repair", repair ? 1 : 0);

    return order_and_watch(cli, door, STR("/api/crm/reconcile"), body, ret, err);
}

enum fail there_takes(const struct sync_options *options, struct error *err)
{
    if (!options->budget && options->wait_max_ms < 0) {
        return OK;
    }
    error_set(err, FAIL_CONFIG, "a running service does this: it takes no %s",
              options->budget ? "--budget" : "--wait");
    return error_hint(err, "leave it out, or stop the service");
}
