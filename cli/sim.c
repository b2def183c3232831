/* crmsync sim: the simulated CRMs on loopback. */
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "cli/carrier.h"
#include "cli/options.h"
#include "cli/output.h"
#include "http/server.h"
#include "simulators/simulator.h"

enum {
    SIMULATORS = 3,
    BODY_BYTES_MAX = 16 * 1024 * 1024,
    BULK_BYTES_MAX = 150 * 1024 * 1024, /* what the Bulk API takes in one piece */
    WORKERS = 16,                       /* a long poll that is held keeps one busy */
    HOLD_MS = 1000,
    CRM_OPTIONS = 8,
    ACCOUNT_OPTIONS = 7,
};

typedef enum fail simulator_new_fn(struct env *env, const struct simulator_options *options,
                                   struct simulator **ret, struct error *err);

struct running {
    const char *name;
    simulator_new_fn *create;
    int64_t port;     /* -1: not wanted */
    const char *plan; /* NULL = the largest */
    const char *quirks;
    size_t body_bytes_max; /* 0 = BODY_BYTES_MAX */
    struct env env;
    struct simulator *simulator;
    struct http_server *server;
    struct carrier *carrier;
};

static enum fail start_one(struct cli *cli, struct running *one,
                           const struct simulator_options *options, struct error *err)
{
    one->env = (struct env){
        .clock = cli->env->clock, .random = random_new_seeded(options->seed), .log = cli->env->log};
    struct simulator_options own = *options;

    own.plan = one->plan;
    own.quirks = one->quirks;
    own.hold_ms = HOLD_MS;
    if (one->create(&one->env, &own, &one->simulator, err) != OK ||
        carrier_start(one->simulator, cli->env->clock, &one->carrier, err) != OK) {
        return err->code;
    }
    return http_server_start(
        &(const struct http_server_options){
            .address = "127.0.0.1",
            .port = (int)one->port,
            .handler = simulator_handle,
            .context = one->simulator,
            .workers = WORKERS,
            .body_bytes_max = one->body_bytes_max ? one->body_bytes_max : BODY_BYTES_MAX},
        &one->server, err);
}

static void stop_all(struct running *all)
{
    for (size_t i = 0; i < SIMULATORS; i++) {
        carrier_stop(all[i].carrier);
        http_server_stop(all[i].server);
        simulator_free(all[i].simulator);
        random_free(all[i].env.random);
    }
}

static json_t *where_json(const struct running *one, const char *url)
{
    const struct simulator *simulator = one->simulator;

    return json_pack("{s:s,s:s,s:s,s:s*,s:s*,s:s*,s:s*}", "crm", one->name, "base_url", url,
                     "token", simulator_token(simulator), "client_id",
                     simulator_client_id(simulator), "client_secret",
                     simulator_client_secret(simulator), "username", simulator_username(simulator),
                     "password", simulator_password(simulator));
}

static void print_line(const struct running *one, const char *url)
{
    printf("%-10s %s  token %s\n", one->name, url, simulator_token(one->simulator));
    if (simulator_client_id(one->simulator)) {
        printf("%-10s client_id %s  client_secret %s\n", "", simulator_client_id(one->simulator),
               simulator_client_secret(one->simulator));
    }
    if (simulator_username(one->simulator)) {
        printf("%-10s username %s  password %s\n", "", simulator_username(one->simulator),
               simulator_password(one->simulator));
    }
}

static void print_where(const struct cli *cli, const struct running *all)
{
    json_t *list = json_array();

    for (size_t i = 0; i < SIMULATORS; i++) {
        char url[64];

        if (!all[i].server) {
            continue;
        }
        snprintf(url, sizeof url, "http://127.0.0.1:%d", http_server_port(all[i].server));
        if (cli->json) {
            json_array_append_new(list, where_json(&all[i], url));
        } else {
            print_line(&all[i], url);
        }
    }
    if (cli->json) {
        print_json(list);
    } else {
        json_decref(list);
        printf("set allow_loopback: true in crmsync.yaml and base_url, or with 'auth' its "
               "login_url, to "
               "these; sign-in goes back to http://localhost:8710/callback; stop with Ctrl-C\n");
    }
    fflush(stdout);
}

static int serve(struct cli *cli, struct running *all, const struct simulator_options *options)
{
    struct error err = {0};
    sigset_t signals;
    int number;

    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigprocmask(SIG_BLOCK, &signals, NULL); /* before any thread exists, so that all inherit it */
    for (size_t i = 0; i < SIMULATORS; i++) {
        if (all[i].port >= 0 && start_one(cli, &all[i], options, &err) != OK) {
            stop_all(all);
            return cli_fail(cli, &err);
        }
    }
    print_where(cli, all);
    sigwait(&signals, &number);
    stop_all(all);
    return EXIT_DONE;
}

/* What the command line said. */
struct wish {
    int64_t hubspot, pipedrive, salesforce, seed, records, deals, activities, lag_ms;
    struct str faults, hubspot_plan, pipedrive_plan, salesforce_plan, quirks, salesforce_quirks;
    bool no_limits;
};

static bool is_amount(int64_t count)
{
    return count >= 0 && count <= 1000000;
}

static int serve_wish(struct cli *cli, const struct usage *usage, const struct wish *wish)
{
    struct running all[SIMULATORS] = {{.name = "hubspot",
                                       .create = simulator_hubspot_new,
                                       .port = wish->hubspot,
                                       .plan = wish->hubspot_plan.at},
                                      {.name = "pipedrive",
                                       .create = simulator_pipedrive_new,
                                       .port = wish->pipedrive,
                                       .plan = wish->pipedrive_plan.at,
                                       .quirks = wish->quirks.at},
                                      {.name = "salesforce",
                                       .create = simulator_salesforce_new,
                                       .port = wish->salesforce,
                                       .plan = wish->salesforce_plan.at,
                                       .quirks = wish->salesforce_quirks.at,
                                       .body_bytes_max = BULK_BYTES_MAX}};

    if (wish->hubspot < 0 && wish->pipedrive < 0 && wish->salesforce < 0) {
        return usage_error(usage, "name at least one of --hubspot PORT, --pipedrive PORT and "
                                  "--salesforce PORT");
    }
    if (wish->hubspot > 65535 || wish->pipedrive > 65535 || wish->salesforce > 65535 ||
        wish->seed < 0) {
        return usage_error(usage, "ports go up to 65535, and --seed is not negative");
    }
    if (!is_amount(wish->records) || !is_amount(wish->deals) || !is_amount(wish->activities)) {
        return usage_error(usage, "--records, --deals and --activities go from 0 to 1000000");
    }
    return serve(cli, all,
                 &(const struct simulator_options){.seed = (uint64_t)wish->seed,
                                                   .records = (int)wish->records,
                                                   .deals = (int)wish->deals,
                                                   .activities = (int)wish->activities,
                                                   .index_lag_ms = wish->lag_ms,
                                                   .no_limits = wish->no_limits,
                                                   .faults_file = wish->faults.at});
}

/* Which CRMs, and what sort of account each is. */
static void crm_options(struct wish *wish, struct option_spec ret[CRM_OPTIONS])
{
    const struct option_spec rows[CRM_OPTIONS] = {
        {.name = "hubspot",
         .argument = "PORT",
         .help = "serve HubSpot on this port, 0 = any",
         .type = OPTION_NUMBER,
         .target = &wish->hubspot},
        {.name = "pipedrive",
         .argument = "PORT",
         .help = "serve Pipedrive on this port, 0 = any",
         .type = OPTION_NUMBER,
         .target = &wish->pipedrive},
        {.name = "salesforce",
         .argument = "PORT",
         .help = "serve Salesforce on this port, 0 = any",
         .type = OPTION_NUMBER,
         .target = &wish->salesforce},
        {.name = "hubspot-plan",
         .argument = "NAME",
         .help = "limits of free, professional or enterprise (default)",
         .type = OPTION_TEXT,
         .target = &wish->hubspot_plan},
        {.name = "pipedrive-plan",
         .argument = "NAME",
         .help = "limits of lite, growth, premium or ultimate (default)",
         .type = OPTION_TEXT,
         .target = &wish->pipedrive_plan},
        {.name = "salesforce-plan",
         .argument = "NAME",
         .help = "limits of developer, enterprise or unlimited (default)",
         .type = OPTION_TEXT,
         .target = &wish->salesforce_plan},
        {.name = "quirks",
         .argument = "NAMES",
         .help = "what no source settles about Pipedrive, see docs/simulators.md",
         .type = OPTION_TEXT,
         .target = &wish->quirks},
        {.name = "salesforce-quirks",
         .argument = "NAMES",
         .help = "features and rights of the Salesforce org, see docs/simulators.md",
         .type = OPTION_TEXT,
         .target = &wish->salesforce_quirks}};

    memcpy(ret, rows, sizeof rows);
}

/* What is in the accounts, and how they behave. */
static void account_options(struct wish *wish, struct option_spec ret[ACCOUNT_OPTIONS])
{
    const struct option_spec rows[ACCOUNT_OPTIONS] = {
        {.name = "seed",
         .argument = "N",
         .help = "same seed, same accounts (default 1)",
         .type = OPTION_NUMBER,
         .target = &wish->seed},
        {.name = "records",
         .argument = "N",
         .help = "people in each account, partly the same ones",
         .type = OPTION_NUMBER,
         .target = &wish->records},
        {.name = "deals",
         .argument = "N",
         .help = "deals in each account, with these people",
         .type = OPTION_NUMBER,
         .target = &wish->deals},
        {.name = "activities",
         .argument = "N",
         .help = "calls, e-mails, meetings, notes and tasks in each account",
         .type = OPTION_NUMBER,
         .target = &wish->activities},
        {.name = "index-lag",
         .argument = "TIME",
         .help = "search shows a write only after this",
         .type = OPTION_DURATION,
         .target = &wish->lag_ms},
        {.name = "no-limits",
         .help = "no rate limits at all",
         .type = OPTION_FLAG,
         .target = &wish->no_limits},
        {.name = "faults",
         .argument = "FILE",
         .help = "fault schedule (JSON), see docs/simulators.md",
         .type = OPTION_TEXT,
         .target = &wish->faults}};

    memcpy(ret, rows, sizeof rows);
}

int command_sim(struct cli *cli, int argc, char **argv)
{
    struct wish wish = {.hubspot = -1, .pipedrive = -1, .salesforce = -1, .seed = 1};
    struct option_spec options[CRM_OPTIONS + ACCOUNT_OPTIONS + 1] = {0};
    int count;
    const struct usage usage = {
        .synopsis = "crmsync sim --hubspot PORT --pipedrive PORT --salesforce PORT "
                    "[options]",
        .about = "Serves faithful simulations of the CRMs on this machine only "
                 "(127.0.0.1), with made-up people, and prints the\n"
                 "addresses and tokens to use. Each also answers GET "
                 "/__sim/stats and more: docs/simulators.md.\n\n"
                 "  crmsync sim --hubspot 8101 --pipedrive 8102 --records 2000",
        .options = options};
    enum parsed parsed;

    crm_options(&wish, options);
    account_options(&wish, options + CRM_OPTIONS);
    parsed = options_parse(cli, &usage, argc, argv, &count);
    if (parsed != PARSED_OK) {
        return parsed == PARSED_DONE ? EXIT_DONE : EXIT_USAGE;
    }
    return serve_wish(cli, &usage, &wish);
}
