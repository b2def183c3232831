/* What sync, plan, apply and undo share: signals, connections opened with patience, reports. */
#include "cli/running.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/output.h"
#include "cli/ready.h"
#include "core/alloc.h"
#include "sync/remedy.h"

enum { OPENING_ATTEMPTS_MAX = 3 }; /* the next sync comes anyway */

static atomic_bool asked_to_stop;
static struct http_client *http_to_cancel;

static void on_signal(int number)
{
    (void)number;
    asked_to_stop = true;
    if (http_to_cancel) {
        http_client_cancel(http_to_cancel);
    }
}

static void listen_to_signals(struct http_client *http)
{
    struct sigaction action = {.sa_handler = on_signal};

    http_to_cancel = http;
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

static void ignore_signals(void)
{
    struct sigaction action = {.sa_handler = SIG_DFL};

    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    http_to_cancel = NULL;
}

static void print_counts(const struct run_counts *counts)
{
    static const struct {
        const char *label;
        size_t offset;
    } ROWS[] = {
        {"records read", offsetof(struct run_counts, read)},
        {"  of them unchanged", offsetof(struct run_counts, unchanged)},
        {"created here", offsetof(struct run_counts, created_here)},
        {"updated here", offsetof(struct run_counts, updated_here)},
        {"deleted here", offsetof(struct run_counts, deleted_here)},
        {"matched", offsetof(struct run_counts, matched)},
        {"merges followed", offsetof(struct run_counts, merged)},
        {"created at the CRMs", offsetof(struct run_counts, created_there)},
        {"updated at the CRMs", offsetof(struct run_counts, updated_there)},
        {"deleted at the CRMs", offsetof(struct run_counts, deleted_there)},
        {"conflicts opened", offsetof(struct run_counts, conflicts)},
        {"set aside", offsetof(struct run_counts, set_aside)},
        {"API calls", offsetof(struct run_counts, calls)},
        {"  of them repeated", offsetof(struct run_counts, retries)},
    };

    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        int64_t count;

        memcpy(&count, (const char *)counts + ROWS[i].offset, sizeof count);
        if (count || ROWS[i].offset == offsetof(struct run_counts, read)) {
            printf("  %-22s %10lld\n", ROWS[i].label, (long long)count);
        }
    }
}

static void print_problems(const struct cli *cli, const struct sync_report *report)
{
    AUTO_ARENA struct arena arena = {0};

    for (size_t i = 0; i < report->problems_count; i++) {
        const struct sync_problem *problem = &report->problems[i];

        fprintf(stderr, "crmsync: %s, %s: %s\n", problem->connection, problem->kind,
                problem->error.message);
        if (problem->error.hint[0]) {
            fprintf(stderr, "  try: %" PRI_STR "\n",
                    STR_ARG(cli_advice(cli, &arena, str_of(problem->error.hint))));
        } else if (problem->error.code == FAIL_THROTTLED) {
            fprintf(stderr, "  try: run sync again in %lld s; what was done is kept\n",
                    (long long)(problem->error.wait_ms / 1000 + 1));
        }
    }
}

void running_print(const struct cli *cli, const struct sync_report *report)
{
    printf("run %lld\n", (long long)report->run_id);
    print_counts(&report->counts);
    print_problems(cli, report);
    if (report->writes_unsettled) {
        printf("%lld writes have no known outcome yet; the next sync finds out before it sends "
               "anything else for them\n",
               (long long)report->writes_unsettled);
    }
    if (report->restoring) {
        cli_say(cli,
                "nothing was written: the store was restored, and %zu kinds of connections still "
                "have to be read completely\n  sync all connections; one that cannot be read any "
                "more: 'crmsync restore --skip CONNECTION'\n",
                report->restoring);
    }
    for (size_t i = 0; i < report->brakes_count; i++) {
        cli_say(cli, "the brake stopped a mass change: %s\n  if that is wanted: %s\n",
                report->brakes[i].seen, report->brakes[i].command);
    }
    if (report->budget_spent) {
        printf("ended early: the calls of --budget are used up; the next sync goes on from here\n");
    }
    if (report->failures_open) {
        cli_say(cli, "%lld records are set aside: 'crmsync failures list'\n",
                (long long)report->failures_open);
    }
    if (report->conflicts_open) {
        cli_say(cli, "%lld conflicts wait: 'crmsync conflicts list'\n",
                (long long)report->conflicts_open);
    }
}

int running_exit_code(const struct sync_report *report)
{
    for (size_t i = 0; i < report->problems_count; i++) {
        if (report->problems[i].error.code == FAIL_CONFIG) {
            return EXIT_USAGE;
        }
    }
    if (report->problems_count) {
        return EXIT_FAILED;
    }
    if (report->brake_stopped) {
        return EXIT_BRAKE;
    }
    if (report->budget_spent || report->failures_open || report->writes_unsettled ||
        report->restoring) {
        return EXIT_SET_ASIDE;
    }
    return report->conflicts_open ? EXIT_CONFLICTS : EXIT_DONE;
}

static void wait_unless_stopped(struct clock *clock, int64_t wait_ms)
{
    for (int64_t waited_ms = 0; waited_ms < wait_ms && !asked_to_stop; waited_ms += 100) {
        clock_wait_ms(clock, wait_ms - waited_ms < 100 ? wait_ms - waited_ms : 100);
    }
}

/* The same, repeated and waited for as a slice of the sync would be. */
static enum fail open_patiently(struct wire *wire, size_t index, const struct sync_options *options,
                                struct error *err)
{
    bool is_told = false;

    for (int attempt = 0;; attempt++) {
        struct next next;

        if ((wire->connections[index].session || wire_open(wire, index, err) == OK) &&
            ready_make(wire, index, options->push, err) == OK) {
            return OK;
        }
        if (remedy_is_silence(err) && attempt + 1 >= OPENING_ATTEMPTS_MAX) {
            return err->code;
        }
        next = remedy_for(err, attempt, wire->cli->env->random);
        if (next.action != NEXT_REPEAT || next.wait_ms > options->wait_max_ms || asked_to_stop) {
            return err->code;
        }
        if (!is_told && remedy_is_silence(err)) {
            progress_tell_trouble(wire->cli, wire->config.connections[index].name, STR("all kinds"),
                                  err->message);
            is_told = true;
        }
        wait_unless_stopped(wire->cli->env->clock, next.wait_ms);
        error_reset(err);
    }
}

static void close_session(struct wire *wire, size_t index)
{
    wire->config.connections[index].adapter->close(wire->connections[index].session);
    wire->connections[index].session = NULL;
}

/* A connection that cannot be opened is a problem of its own: the others are synced all the same. */
static enum fail open_connections(struct wire *wire, const struct sync_options *options,
                                  struct sync_report *early, struct error *err)
{
    struct str only = options->connection;
    size_t index = 0;

    if (only.len && wire_find(wire, only, &index, err) != OK) {
        return err->code;
    }
    for (size_t i = 0; i < wire->connections_count; i++) {
        struct error why = {0};

        if (only.len && i != index) {
            continue;
        }
        if (open_patiently(wire, i, options, &why) == OK) {
            continue;
        }
        if (wire->connections[i].session) {
            close_session(wire, i);
        }
        if (why.code == FAIL_THROTTLED && limit_is_used_up(http_client_limiter(wire->http))) {
            continue; /* the run says so */
        }
        if (why.code == FAIL_STOP || early->problems_count == SYNC_PROBLEMS_MAX) {
            *err = why;
            return err->code;
        }
        struct sync_problem *problem = &early->problems[early->problems_count++];
        snprintf(problem->connection, sizeof problem->connection, "%" PRI_STR,
                 STR_ARG(wire->config.connections[i].name));
        snprintf(problem->kind, sizeof problem->kind, "all kinds");
        problem->error = why;
    }
    return OK;
}

/* A kind that nobody syncs would be a silent success. */
static enum fail check_kind(const struct wire *wire, const struct sync_options *options,
                            struct error *err)
{
    AUTO_BUF struct buf names = {0};

    if (options->kind.len == 0) {
        return OK;
    }
    buf_init(&names, 4096);
    for (size_t i = 0; i < wire->config.settings.connections_count; i++) {
        const struct connection_settings *settings = &wire->config.connections[i];

        if (options->connection.len && !str_equal(options->connection, settings->name)) {
            continue;
        }
        for (size_t k = 0; k < settings->kinds_count; k++) {
            if (str_equal(settings->kinds[k], options->kind)) {
                return OK;
            }
            buf_addf(&names, "%s%" PRI_STR, names.len ? ", " : "", STR_ARG(settings->kinds[k]));
        }
    }
    error_set(err, FAIL_CONFIG, "no connection syncs the kind '%" PRI_STR "'",
              STR_ARG(options->kind));
    return error_hint(err, "there are: %" PRI_STR, STR_ARG(buf_str(&names)));
}

static enum fail wire_up(struct cli *cli, enum running_on on, const char *holder,
                         const struct sync_options *options, struct running *running,
                         struct error *err)
{
    struct sync_options opening = *options;
    enum store_access access = on == RUNNING_ON_COPY ? STORE_READ : STORE_WRITE;
    struct store *source;

    if (wire_store(cli, access, holder, &running->wire, err) != OK) {
        return err->code;
    }
    if (on == RUNNING_ON_COPY) {
        opening.push = false;
        source = running->wire.store;
        running->wire.store = NULL;
        if (store_scratch(source, cli->env, &running->wire.store, err) != OK) {
            store_close(source);
            return err->code;
        }
        store_close(source);
    }
    if (check_kind(&running->wire, options, err) != OK ||
        wire_note_settings(&running->wire, err) != OK || wire_network(&running->wire, err) != OK) {
        return err->code;
    }
    if (options->budget) {
        limit_allow_calls(http_client_limiter(running->wire.http), options->budget);
    }
    listen_to_signals(running->wire.http);
    return open_connections(&running->wire, &opening, &running->early, err);
}

enum fail running_start(struct cli *cli, enum running_on on, const char *holder,
                        const struct sync_options *options, struct running **ret, struct error *err)
{
    struct running *running = alloc_new(1, sizeof *running);
    struct wire *wire = &running->wire;

    if (wire_up(cli, on, holder, options, running, err) != OK) {
        running_free(running);
        return err->code;
    }
    progress_init(&running->progress, cli, wire->http);
    running->sync = (struct sync){.env = cli->env,
                                  .store = wire->store,
                                  .tenant_id = wire->tenant_id,
                                  .settings = &wire->config.settings,
                                  .connections = wire->connections,
                                  .connections_count = wire->connections_count,
                                  .http = wire->http,
                                  .on_progress = progress_show,
                                  .progress_context = &running->progress,
                                  .cancel = &asked_to_stop,
                                  .early = &running->early};
    *ret = running;
    return OK;
}

enum fail running_set_up(struct running *running, struct error *err)
{
    for (size_t i = 0; i < running->wire.connections_count; i++) {
        if (running->wire.connections[i].session && ready_needs_set_up(&running->wire, i) &&
            ready_set_up(&running->wire, i, err) != OK) {
            return err->code;
        }
    }
    return OK;
}

void running_finish(struct running *running)
{
    ignore_signals();
    progress_clear(&running->progress);
}

void running_free(struct running *running)
{
    if (running) {
        ignore_signals();
        wire_close(&running->wire);
        free(running);
    }
}

void running_explain_stop(const char *command, struct error *err)
{
    error_set(err, FAIL_CANCELLED, "stopped as asked; what was done is kept");
    error_hint(err, "run 'crmsync %s' again to go on", command);
}
