/* Commands: one file each, listed in main.c. A command parses its own options through options.h and returns an exit code. */
#ifndef CRMSYNC_CLI_COMMAND_H
#define CRMSYNC_CLI_COMMAND_H

#include <stdbool.h>

#include "core/arena.h"
#include "core/env.h"
#include "core/fail.h"

/* Exit codes, the same for every command. */
enum exit_code {
    EXIT_DONE = 0,
    EXIT_FAILED = 1,
    EXIT_USAGE = 2,     /* usage or configuration */
    EXIT_SET_ASIDE = 3, /* done, but records were set aside */
    EXIT_CONFLICTS = 4, /* done, but conflicts wait */
    EXIT_BRAKE = 5,     /* the brake stopped it */
};

struct describe; /* cli/describe.h */

/* What every command gets. */
struct cli {
    const char *config_path; /* --config, $CRMSYNC_CONFIG or crmsync.yaml */
    const char *tenant;      /* --tenant; NULL = the default one */
    const char *server;      /* --server, or $CRMSYNC_SERVER where the command can; NULL = here */
    const char *ca;          /* --ca, or $CRMSYNC_CA likewise: PEM; NULL = the system's */
    bool json;               /* --json */
    bool quiet;              /* --quiet: no progress, only results */
    enum log_level log_level;
    struct env *env;                 /* real clock, system random, log; no transport yet */
    const struct describe *describe; /* NULL; else the command tells of itself and runs nothing */
};

struct command {
    const char *name;
    const char *summary;                                /* one line for the list */
    int (*run)(struct cli *cli, int argc, char **argv); /* argv[0] is the command's name */
};

/* Prints "crmsync: message" and "  try: hint" (or one JSON object with --json) to standard error; returns the exit code of err. */
int cli_fail(const struct cli *cli, const struct error *err);
struct str cli_tenant(const struct cli *cli); /* "" = the default one */
/* Commands in a text for people, for the tenant that this one is about (core/advice.h). */
struct str cli_advice(const struct cli *cli, struct arena *arena, struct str text);
/* To standard output, with its commands so. */
void cli_say(const struct cli *cli, const char *format, ...) PRINTF_LIKE(2, 3);
/* Exit code of a failure: FAIL_CONFIG 2, everything else 1. */
int cli_exit_code(const struct error *err);

int command_init(struct cli *cli, int argc, char **argv);
int command_doctor(struct cli *cli, int argc, char **argv);
int command_connect(struct cli *cli, int argc, char **argv);
int command_disconnect(struct cli *cli, int argc, char **argv);
int command_connections(struct cli *cli, int argc, char **argv);
int command_setup(struct cli *cli, int argc, char **argv);
int command_test(struct cli *cli, int argc, char **argv);
int command_mapping(struct cli *cli, int argc, char **argv);
int command_sync(struct cli *cli, int argc, char **argv);
int command_plan(struct cli *cli, int argc, char **argv);
int command_apply(struct cli *cli, int argc, char **argv);
int command_reconcile(struct cli *cli, int argc, char **argv);
int command_undo(struct cli *cli, int argc, char **argv);
int command_serve(struct cli *cli, int argc, char **argv);
int command_status(struct cli *cli, int argc, char **argv);
int command_runs(struct cli *cli, int argc, char **argv);
int command_records(struct cli *cli, int argc, char **argv);
int command_export(struct cli *cli, int argc, char **argv);
int command_import(struct cli *cli, int argc, char **argv);
int command_explain(struct cli *cli, int argc, char **argv);
int command_conflicts(struct cli *cli, int argc, char **argv);
int command_failures(struct cli *cli, int argc, char **argv);
int command_events(struct cli *cli, int argc, char **argv);
int command_budget(struct cli *cli, int argc, char **argv);
int command_brake(struct cli *cli, int argc, char **argv);
int command_alerts(struct cli *cli, int argc, char **argv);
int command_audit(struct cli *cli, int argc, char **argv);
int command_prune(struct cli *cli, int argc, char **argv);
int command_erase(struct cli *cli, int argc, char **argv);
int command_backup(struct cli *cli, int argc, char **argv);
int command_restore(struct cli *cli, int argc, char **argv);
int command_keys(struct cli *cli, int argc, char **argv);
int command_token(struct cli *cli, int argc, char **argv);
int command_sim(struct cli *cli, int argc, char **argv);
int command_completion(struct cli *cli, int argc, char **argv);
int command_manual(struct cli *cli, int argc, char **argv);
int command_version(struct cli *cli, int argc, char **argv);

#endif
