#include "cli/options.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/describe.h"
#include "core/words.h"

enum { OPTIONS_MAX = 56, HELP_COLUMN = 26 };

static const struct option_spec *const COMMON_HELP[] = {
    &(const struct option_spec){
        .name = "config", .argument = "FILE", .help = "configuration file (default: crmsync.yaml)"},
    &(const struct option_spec){
        .name = "tenant", .argument = "NAME", .help = "the tenant it is about (default: default)"},
    &(const struct option_spec){.name = "server",
                                .argument = "URL",
                                .help =
                                    "ask a running service there, with the token of CRMSYNC_TOKEN"},
    &(const struct option_spec){.name = "ca",
                                .argument = "FILE",
                                .help = "certificates that prove the service of --server (PEM)"},
    &(const struct option_spec){.name = "json", .help = "machine-readable output"},
    &(const struct option_spec){.name = "quiet", .help = "no progress, only results"},
    &(const struct option_spec){.name = "verbose", .help = "say more on standard error"},
    &(const struct option_spec){.name = "help", .help = "this text"},
    NULL,
};

const struct option_spec *const *options_common(void)
{
    return COMMON_HELP;
}

bool options_takes(const struct usage *usage, const struct option_spec *common)
{
    return usage->takes_server ||
           (strcmp(common->name, "server") != 0 && strcmp(common->name, "ca") != 0);
}

static void print_option(const struct option_spec *option)
{
    char left[64];

    snprintf(left, sizeof left, "--%s%s%s", option->name, option->argument ? " " : "",
             option->argument ? option->argument : "");
    printf("  %-*s %s\n", HELP_COLUMN, left, option->help);
}

static void print_help(const struct usage *usage)
{
    printf("Usage: %s\n\n%s\n", usage->synopsis, usage->about);
    if (usage->options[0].name) {
        printf("\nOptions:\n");
    }
    for (const struct option_spec *option = usage->options; option->name; option++) {
        print_option(option);
    }
    printf("\nCommon options:\n");
    for (size_t i = 0; COMMON_HELP[i]; i++) {
        if (options_takes(usage, COMMON_HELP[i])) {
            print_option(COMMON_HELP[i]);
        }
    }
}

int usage_error(const struct usage *usage, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    fprintf(stderr, "crmsync: ");
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fprintf(stderr, "\n  usage: %s\n  try: add --help\n", usage->synopsis);
    return EXIT_USAGE;
}

static const struct option_spec *find_option(const struct usage *usage, struct str name)
{
    for (const struct option_spec *option = usage->options; option->name; option++) {
        if (str_equal(name, str_of(option->name))) {
            return option;
        }
    }
    return NULL;
}

static void unknown_option(const struct usage *usage, const char *given, struct str name)
{
    struct str words[OPTIONS_MAX + COUNT_OF(COMMON_HELP)];
    size_t count = 0;
    size_t near;

    for (const struct option_spec *option = usage->options; option->name && count < OPTIONS_MAX;
         option++) {
        words[count++] = str_of(option->name);
    }
    for (size_t i = 0; COMMON_HELP[i]; i++) {
        words[count++] = str_of(COMMON_HELP[i]->name);
    }
    near = word_nearest(name, words, count);
    if (near != SIZE_MAX) {
        usage_error(usage, "unknown option '%s'; did you mean '--%s'?", given, words[near].at);
    } else {
        usage_error(usage, "unknown option '%s'", given);
    }
}

/* Stores a value; false when it does not fit the option's type. */
static bool store_value(const struct option_spec *option, struct str value)
{
    switch (option->type) {
    case OPTION_FLAG:
        *(bool *)option->target = true;
        return true;
    case OPTION_TEXT:
        if (option->values_max == 0) {
            *(struct str *)option->target = value;
            return true;
        }
        if (*option->count == option->values_max) {
            return false;
        }
        ((struct str *)option->target)[(*option->count)++] = value;
        return true;
    case OPTION_NUMBER:
        return str_to_i64(value, option->target) && *(int64_t *)option->target >= option->least;
    case OPTION_DURATION:
        return duration_parse(value, option->target);
    }
    return false;
}

/* A common option with a value; NULL: name is none. */
static const char **common_text(struct cli *cli, struct str name)
{
    if (str_equal(name, STR("config"))) {
        return &cli->config_path;
    }
    if (str_equal(name, STR("server"))) {
        return &cli->server;
    }
    if (str_equal(name, STR("ca"))) {
        return &cli->ca;
    }
    return str_equal(name, STR("tenant")) ? &cli->tenant : NULL;
}

/* A common option; *index is advanced over its argument. */
static bool take_common(struct cli *cli, struct str name, struct str inline_value, int argc,
                        char **argv, int *index, bool *ret_help)
{
    const char **text = common_text(cli, name);

    if (text && inline_value.at) {
        *text = inline_value.at;
    } else if (text && *index + 1 < argc) {
        *text = argv[++*index];
    } else if (str_equal(name, STR("json"))) {
        cli->json = true;
    } else if (str_equal(name, STR("quiet"))) {
        cli->quiet = true;
    } else if (str_equal(name, STR("verbose"))) {
        cli->log_level = LOG_DEBUG;
    } else if (str_equal(name, STR("help"))) {
        *ret_help = true;
    } else {
        return false;
    }
    return true;
}

static void wrong_value(const struct usage *usage, const struct option_spec *option,
                        struct str value)
{
    if (option->type == OPTION_NUMBER) {
        usage_error(usage, "option '--%s': '%" PRI_STR "' is no whole number from %lld up",
                    option->name, STR_ARG(value), (long long)option->least);
    } else {
        usage_error(usage, "option '--%s': '%" PRI_STR "' is no %s", option->name, STR_ARG(value),
                    option->argument);
    }
}

/* One argument that begins with "--". */
static enum parsed take_option(struct cli *cli, const struct usage *usage, int argc, char **argv,
                               int *index)
{
    struct str rest = str_of(argv[*index] + 2);
    struct str name = str_cut(&rest, '=');
    struct str value = rest;
    const struct option_spec *option = find_option(usage, name);
    const char *given = argv[*index];
    bool help = false;

    if (!option) {
        if (take_common(cli, name, value, argc, argv, index, &help)) {
            return help ? PARSED_DONE : PARSED_OK;
        }
        unknown_option(usage, given, name);
        return PARSED_WRONG;
    }
    if (option->type == OPTION_FLAG && value.at) {
        usage_error(usage, "option '--%s' takes no value", option->name);
        return PARSED_WRONG;
    }
    if (option->type != OPTION_FLAG && !value.at) {
        if (*index + 1 >= argc) {
            usage_error(usage, "option '--%s' needs %s", option->name, option->argument);
            return PARSED_WRONG;
        }
        value = str_of(argv[++*index]);
    }
    if (!store_value(option, value)) {
        wrong_value(usage, option, value);
        return PARSED_WRONG;
    }
    return PARSED_OK;
}

/* The environment speaks for those commands alone that can ask a service; the option must not be without effect. */
static bool choose_server(struct cli *cli, const struct usage *usage)
{
    const char *named = getenv("CRMSYNC_SERVER"), *ca = getenv("CRMSYNC_CA");

    if (cli->server && !usage->takes_server) {
        usage_error(usage, "this command works on the store here: it takes no --server");
        return false;
    }
    if (!cli->server && usage->takes_server && named && named[0]) {
        cli->server = named;
    }
    if (cli->ca && !cli->server) {
        usage_error(usage, "--ca is about the service of --server");
        return false;
    }
    if (!cli->ca && cli->server && ca && ca[0]) {
        cli->ca = ca;
    }
    return true;
}

enum parsed options_parse(struct cli *cli, const struct usage *usage, int argc, char **argv,
                          int *ret_count)
{
    int kept = 1;
    bool is_over = false;

    if (cli->describe) {
        cli->describe->usage(cli->describe->context, usage);
        return PARSED_DONE;
    }
    for (int i = 1; i < argc; i++) {
        if (!is_over && strcmp(argv[i], "--") == 0) {
            is_over = true;
        } else if (!is_over && (strcmp(argv[i], "-h") == 0)) {
            print_help(usage);
            return PARSED_DONE;
        } else if (!is_over && strncmp(argv[i], "--", 2) == 0) {
            enum parsed parsed = take_option(cli, usage, argc, argv, &i);

            if (parsed == PARSED_DONE) {
                print_help(usage);
            }
            if (parsed != PARSED_OK) {
                return parsed;
            }
        } else if (!is_over && strcmp(argv[i], "-o") == 0 && find_option(usage, STR("output"))) {
            argv[i--] = (char *)"--output";
        } else if (!is_over && argv[i][0] == '-' && argv[i][1] != '\0') {
            usage_error(usage, "unknown option '%s'", argv[i]);
            return PARSED_WRONG;
        } else {
            argv[kept++] = argv[i];
        }
    }
    *ret_count = kept - 1;
    if (!choose_server(cli, usage)) {
        return PARSED_WRONG;
    }
    if (*ret_count < usage->arguments_min) {
        usage_error(usage, "an argument is missing");
        return PARSED_WRONG;
    }
    if (usage->arguments_max >= 0 && *ret_count > usage->arguments_max) {
        usage_error(usage, "unexpected argument '%s'", argv[usage->arguments_max + 1]);
        return PARSED_WRONG;
    }
    return PARSED_OK;
}
