/* Finds the command, sets up time, random and log, and hands over. */
#include <jansson.h>
#include <locale.h>
#include <pwd.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/describe.h"
#include "cli/main.h"
#include "core/words.h"
#include "core/advice.h"
#include "core/alloc.h"

enum { ACTOR_BYTES = 80 };

static const struct command COMMANDS[] = {
    {"init", "write a commented configuration, a key and an empty store", command_init},
    {"doctor", "check configuration, store, key and every connection, and say what to do",
     command_doctor},
    {"connect", "sign a connection in, or keep its token, encrypted, after trying it",
     command_connect},
    {"disconnect", "sign a connection out, at the CRM as well; records and links stay",
     command_disconnect},
    {"connections", "list the connections and their state", command_connections},
    {"setup", "create what is missing at the CRM: the crmsync id, declared properties, webhooks",
     command_setup},
    {"test", "try a connection: token, account, mapped properties", command_test},
    {"mapping", "check mappings before anything moves, and show what is in effect",
     command_mapping},
    {"sync", "bring the store and the CRMs into agreement", command_sync},
    {"serve", "run as a service: webhooks, schedules, the HTTP API", command_serve},
    {"plan", "say what a sync would do and cost; write nothing anywhere", command_plan},
    {"apply", "do exactly what a plan says", command_apply},
    {"reconcile", "compare both sides completely; say or mark what differs", command_reconcile},
    {"undo", "take back what a run did, where nobody has changed it since", command_undo},
    {"status", "what is in step, what waits, what failed", command_status},
    {"runs", "list past runs", command_runs},
    {"records", "list, get, create, update, delete, search records; history of one",
     command_records},
    {"export", "write the records of a kind as CSV or JSON lines", command_export},
    {"import", "read records of a kind from CSV or JSON lines", command_import},
    {"explain", "say where a record's values came from and why", command_explain},
    {"conflicts", "list, show and resolve conflicts", command_conflicts},
    {"failures", "list, retry or discard records that were set aside", command_failures},
    {"budget", "API calls used and left, and what a schedule would cost", command_budget},
    {"brake", "list mass changes that were stopped, and let one go on", command_brake},
    {"events", "where events are delivered to, and what was not taken", command_events},
    {"alerts", "how the alerts stand; try whether a channel is told", command_alerts},
    {"audit", "who did what; check that nothing in it was changed", command_audit},
    {"token", "make, list and revoke tokens of the HTTP API", command_token},
    {"prune", "remove history that is older than the configuration keeps", command_prune},
    {"erase", "erase a person, here and at the CRMs", command_erase},
    {"backup", "write the store into one file, while others work with it", command_backup},
    {"restore", "put a backup in the place of the store", command_restore},
    {"keys", "check and replace the keys that tokens are sealed with", command_keys},
    {"sim", "run simulated CRMs on this machine, to try things out", command_sim},
    {"completion", "print what makes a shell complete commands and options", command_completion},
    {"manual", "print the manual, for scdoc", command_manual},
    {"version", "print the version", command_version},
};

const struct command *commands_all(size_t *ret_count)
{
    *ret_count = COUNT_OF(COMMANDS);
    return COMMANDS;
}

static void print_usage(FILE *stream)
{
    fprintf(stream, "crmsync keeps HubSpot, Pipedrive and Salesforce in two-way agreement with one "
                    "local source of truth.\n\n"
                    "Usage: crmsync COMMAND [options]\n\nCommands:\n");
    for (size_t i = 0; i < COUNT_OF(COMMANDS); i++) {
        fprintf(stream, "  %-12s %s\n", COMMANDS[i].name, COMMANDS[i].summary);
    }
    fprintf(stream, "\nBegin with 'crmsync init'. 'crmsync COMMAND --help' explains a command.\n"
                    "Exit codes: 0 done, 1 failed, 2 usage or configuration, 3 done but records "
                    "were set aside,\n"
                    "            4 done but conflicts wait, 5 the brake stopped a mass change.\n");
}

int cli_exit_code(const struct error *err)
{
    return err->code == FAIL_CONFIG ? EXIT_USAGE : EXIT_FAILED;
}

struct str cli_tenant(const struct cli *cli)
{
    return cli->tenant ? str_of(cli->tenant) : STR("");
}

struct str cli_advice(const struct cli *cli, struct arena *arena, struct str text)
{
    return advice_for_tenant(arena, cli_tenant(cli), text);
}

void cli_say(const struct cli *cli, const char *format, ...)
{
    AUTO_ARENA struct arena arena = {0};
    AUTO_FREE char *text = NULL;
    va_list args;

    va_start(args, format);
    if (vasprintf(&text, format, args) < 0) {
        abort(); /* no memory */
    }
    va_end(args);
    printf("%" PRI_STR, STR_ARG(cli_advice(cli, &arena, str_of(text))));
}

int cli_fail(const struct cli *cli, const struct error *cause)
{
    AUTO_ARENA struct arena arena = {0};
    struct error adapted = *cause;
    const struct error *err = &adapted;

    error_hint(&adapted, "%" PRI_STR, STR_ARG(cli_advice(cli, &arena, str_of(cause->hint))));
    if (cli->json) {
        json_t *body = json_pack("{s:{s:s,s:s,s:s}}", "error", "code", fail_name(err->code),
                                 "message", err->message, "hint", err->hint);
        char *text = body ? json_dumps(body, JSON_INDENT(2)) : NULL;

        fprintf(stderr, "%s\n", text ? text : err->message);
        free(text);
        json_decref(body);
        return cli_exit_code(err);
    }
    fprintf(stderr, "crmsync: %s\n", err->message);
    if (err->hint[0]) {
        fprintf(stderr, "  try: %s\n", err->hint);
    }
    return cli_exit_code(err);
}

/* Secrets pass through this process: no core dumps, and nobody but root may trace it or read its environment and memory in /proc.
 * CRMSYNC_DEBUG_DUMPS=1 leaves that as it is, to look into a crash. */
static void forbid_dumps(void)
{
    const char *wanted = getenv("CRMSYNC_DEBUG_DUMPS");
    struct rlimit no_core = {0};

    if (!wanted || strcmp(wanted, "1") != 0) {
        setrlimit(RLIMIT_CORE, &no_core);
        prctl(PR_SET_DUMPABLE, 0);
    }
}

static void harden(void)
{
    forbid_dumps();
    umask(077); /* new files are for the owner only */
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    setlocale(LC_CTYPE, "C.UTF-8");
}

static const struct command *find_command(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(COMMANDS); i++) {
        if (strcmp(COMMANDS[i].name, name) == 0) {
            return &COMMANDS[i];
        }
    }
    return NULL;
}

static int unknown_command(const char *name)
{
    struct str words[COUNT_OF(COMMANDS)];
    size_t near;

    for (size_t i = 0; i < COUNT_OF(COMMANDS); i++) {
        words[i] = str_of(COMMANDS[i].name);
    }
    near = word_nearest(str_of(name), words, COUNT_OF(COMMANDS));
    fprintf(stderr, "crmsync: unknown command '%s'%s%s%s\n  try: crmsync --help\n", name,
            near != SIZE_MAX ? "; did you mean '" : "", near != SIZE_MAX ? words[near].at : "",
            near != SIZE_MAX ? "'?" : "");
    return EXIT_USAGE;
}

/* What was printed may still be on its way, and a full disk shows only then. */
static int finish_output(int code)
{
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fprintf(stderr,
                "crmsync: cannot write the output\n  try: check where it goes, and the free "
                "space there\n");
        return code ? code : EXIT_FAILED;
    }
    return code;
}

/* Who runs this, for the audit log: the name of the process's user, which sudo changes and an environment variable does not. */
static const char *acting_user(char *ret, size_t size)
{
    const struct passwd *user = getpwuid(getuid());

    if (user) {
        snprintf(ret, size, "user:%s", user->pw_name);
    } else {
        snprintf(ret, size, "uid:%ju", (uintmax_t)getuid());
    }
    return ret;
}

static int run_command(const struct command *command, struct cli *cli, int argc, char **argv)
{
    char actor[ACTOR_BYTES];
    struct env env = {.clock = clock_new_real(),
                      .random = random_new_system(),
                      .actor = acting_user(actor, sizeof actor)};
    int code;

    for (int i = 1; i < argc; i++) { /* the log is made before the command reads its options */
        if (strcmp(argv[i], "--verbose") == 0) {
            cli->log_level = LOG_DEBUG;
        }
    }
    if (command->run == command_serve && cli->log_level > LOG_WARN) {
        cli->log_level = LOG_WARN; /* nobody reads its exit code for months */
    }
    env.log = log_new(stderr, isatty(STDERR_FILENO) ? LOG_FORM_TERMINAL : LOG_FORM_JSON,
                      cli->log_level, env.clock);
    cli->env = &env;
    code = command->run(cli, argc, argv);
    code = finish_output(code);
    log_free(env.log);
    random_free(env.random);
    clock_free(env.clock);
    return code;
}

/* Options that may stand before the command's name. */
static bool take_before_command(struct cli *cli, const char *option, const char *value)
{
    if (strcmp(option, "--config") == 0) {
        cli->config_path = value;
        return true;
    }
    if (strcmp(option, "--tenant") == 0) {
        cli->tenant = value;
        return true;
    }
    if (strcmp(option, "--ca") == 0) {
        cli->ca = value;
        return true;
    }
    if (strcmp(option, "--server") == 0) {
        cli->server = value;
        return true;
    }
    return false;
}

int cli_main(int argc, char **argv)
{
    struct cli cli = {.config_path = getenv("CRMSYNC_CONFIG"), .log_level = LOG_ERROR};
    const struct command *command;
    int first = 1;

    harden();
    if (!cli.config_path || !cli.config_path[0]) {
        cli.config_path = "crmsync.yaml";
    }
    while (first + 1 < argc && take_before_command(&cli, argv[first], argv[first + 1])) {
        first += 2;
    }
    if (first >= argc) {
        print_usage(stderr);
        return EXIT_USAGE;
    }
    if (strcmp(argv[first], "--help") == 0 || strcmp(argv[first], "-h") == 0 ||
        strcmp(argv[first], "help") == 0) {
        print_usage(stdout);
        return finish_output(EXIT_DONE);
    }
    if (strcmp(argv[first], "--version") == 0) {
        argv[first] = (char *)"version";
    }
    command = find_command(argv[first]);
    return command ? run_command(command, &cli, argc - first, argv + first)
                   : unknown_command(argv[first]);
}
