/* crmsync manual: crmsync(1) and crmsync.yaml(5) in the language of scdoc, from what --help prints and from the commented configuration. */
#include <stdio.h>

#include "cli/describe.h"
#include "core/embedded.h"

static void print_escaped(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        bool is_list = text.at[i] == '-' && (i == 0 || text.at[i - 1] == '\n');

        if (is_list || strchr("\\_*`~<#|[]", text.at[i])) {
            putchar('\\');
        }
        putchar(text.at[i]);
    }
}

/* Paragraphs; lines that begin with blanks stand as they are. */
static void print_about(struct str about)
{
    bool is_literal = false;

    while (about.len) {
        struct str line = str_cut(&about, '\n');
        bool is_example = str_starts(line, STR("  "));

        if (is_example != is_literal) {
            printf(is_example ? "\n```\n" : "```\n\n");
            is_literal = is_example;
        }
        if (is_literal) {
            printf("%" PRI_STR "\n", STR_ARG(line));
            continue;
        }
        print_escaped(line);
        putchar('\n');
    }
    if (is_literal) {
        printf("```\n");
    }
    putchar('\n');
}

static void print_option(const struct option_spec *option)
{
    printf("*--%s*", option->name);
    if (option->argument) {
        printf(" _");
        print_escaped(str_of(option->argument));
        putchar('_');
    }
    printf("\n\t");
    print_escaped(str_of(option->help));
    printf("\n\n");
}

static void tell_command(void *context, const struct command *command)
{
    (void)context;
    printf("## %s\n\n", command->name);
    print_escaped(str_of(command->summary));
    printf(".\n\n");
}

static void tell_verb(void *context, const struct command *verb)
{
    (void)context;
    (void)verb;
}

static void tell_usage(void *context, const struct usage *usage)
{
    (void)context;
    printf("*");
    print_escaped(str_of(usage->synopsis));
    printf("*\n\n");
    print_about(str_of(usage->about));
    for (const struct option_spec *option = usage->options; option->name; option++) {
        print_option(option);
    }
}

static void print_commands(struct cli *cli)
{
    const struct describe describe = {.usage = tell_usage, .verb = tell_verb};

    printf("crmsync(1) \"crmsync %s\" \"General Commands Manual\"\n\n# NAME\n\n"
           "crmsync - two-way agreement of HubSpot, Pipedrive and Salesforce with one local "
           "store\n\n# SYNOPSIS\n\n*crmsync* _COMMAND_ \\[options\\]\n\n# COMMANDS\n\n",
           CRMSYNC_VERSION);
    describe_all(cli, &describe, tell_command);
    printf("# OPTIONS OF ALL COMMANDS\n\n");
    for (const struct option_spec *const *option = options_common(); *option; option++) {
        print_option(*option);
    }
    printf("# EXIT STATUS\n\n"
           "*0*\n\tdone\n\n*1*\n\tfailed\n\n*2*\n\tusage or configuration\n\n*3*\n\tdone, but "
           "records were set aside\n\n*4*\n\tdone, but conflicts wait\n\n*5*\n\tthe brake stopped "
           "a mass change\n\n# SEE ALSO\n\n*crmsync.yaml*(5)\n");
}

static void print_configuration(void)
{
    struct embedded_file file = {0};
    struct str rest;

    config_example_at(0, &file);
    rest = (struct str){.at = file.at, .len = file.len};
    printf("crmsync.yaml(5) \"crmsync %s\" \"File Formats Manual\"\n\n# NAME\n\ncrmsync.yaml - "
           "what crmsync connects, and how\n\n# DESCRIPTION\n\nThe file is YAML. Every key stands "
           "below with its default or an example; a mistake is told with its line and column. "
           "\\'crmsync init\\' writes this text, \\'crmsync doctor\\' checks a file.\n\n```\n",
           CRMSYNC_VERSION);
    while (rest.len) {
        struct str line = str_cut(&rest, '\n');

        printf("%" PRI_STR "\n", STR_ARG(line));
    }
    printf("```\n\n# SEE ALSO\n\n*crmsync*(1)\n");
}

int command_manual(struct cli *cli, int argc, char **argv)
{
    const struct option_spec options[] = {{0}};
    const struct usage usage = {
        .synopsis = "crmsync manual [crmsync.yaml]",
        .about = "Prints the manual page of crmsync, or of its configuration file, as scdoc reads "
                 "it.\n\n"
                 "  crmsync manual | scdoc > crmsync.1\n"
                 "  crmsync manual crmsync.yaml | scdoc > crmsync.yaml.5",
        .options = options,
        .arguments_max = 1};
    int count;
    enum parsed parsed = options_parse(cli, &usage, argc, argv, &count);

    if (parsed != PARSED_OK) {
        return parsed == PARSED_DONE ? EXIT_DONE : EXIT_USAGE;
    }
    if (count == 0) {
        print_commands(cli);
        return EXIT_DONE;
    }
    if (strcmp(argv[1], "crmsync.yaml") != 0) {
        return usage_error(&usage, "there is no manual of '%s'", argv[1]);
    }
    print_configuration();
    return EXIT_DONE;
}
