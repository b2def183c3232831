/* crmsync completion bash|zsh: what makes a shell complete commands, verbs and options, from the tables that --help prints. */
#include <stdio.h>

#include "cli/describe.h"

enum shell { SHELL_BASH, SHELL_ZSH };

/* What is being told of. */
struct telling {
    enum shell shell;
    const char *command;
    bool has_verbs;
};

/* --- lists of words ------------------------------------------------------------------------------------------------------------- */

static void tell_words_of_command(void *context, const struct command *command)
{
    struct telling *telling = context;

    telling->command = command->name;
    printf(" %s", command->name);
}

static void skip_verb(void *context, const struct command *verb)
{
    (void)context;
    (void)verb;
}

static void skip_usage(void *context, const struct usage *usage)
{
    (void)context;
    (void)usage;
}

/* Verbs come one by one and ahead of their options; a command's own list of them is made in a pass of its own. */
static void note_verb(void *context, const struct command *verb)
{
    struct telling *telling = context;

    printf("%s%s", telling->has_verbs ? " " : "", verb->name);
    telling->has_verbs = true;
}

static void print_common(const struct usage *usage)
{
    for (const struct option_spec *const *option = options_common(); *option; option++) {
        if (options_takes(usage, *option)) {
            printf(" --%s", (*option)->name);
        }
    }
}

static void print_words(const struct usage *usage)
{
    for (const struct option_spec *option = usage->options; option->name; option++) {
        printf(" --%s", option->name);
    }
    print_common(usage);
}

/* Single quotes end and begin again around one. */
static void print_quoted(const char *text)
{
    for (; *text; text++) {
        if (*text == '\'') {
            printf("'\\''");
        } else if (strchr("[]:\\", *text)) {
            printf("\\%c", *text);
        } else {
            putchar(*text);
        }
    }
}

/* --- one line of case for each command and verb ----------------------------------------------------------------------------------- */

struct lines {
    enum shell shell;
    const char *command;
    const char *verb; /* NULL: the command's own */
};

static void begin_command(void *context, const struct command *command)
{
    struct lines *lines = context;

    lines->command = command->name;
    lines->verb = NULL;
}

static void begin_verb(void *context, const struct command *verb)
{
    struct lines *lines = context;

    lines->verb = verb->name;
}

static void print_zsh_option(const struct option_spec *option)
{
    printf(" '--%s[", option->name);
    print_quoted(option->help);
    printf("]");
    if (option->argument) {
        printf(":");
        print_quoted(option->argument);
        printf(":_files");
    }
    printf("'");
}

static void print_line(void *context, const struct usage *usage)
{
    const struct lines *lines = context;

    printf("    '%s%s%s')", lines->command, lines->verb ? " " : "", lines->verb ? lines->verb : "");
    if (lines->shell == SHELL_BASH) {
        printf(" words='");
        print_words(usage);
        printf("' ;;\n");
        return;
    }
    printf(" _arguments");
    for (const struct option_spec *option = usage->options; option->name; option++) {
        print_zsh_option(option);
    }
    for (const struct option_spec *const *option = options_common(); *option; option++) {
        if (options_takes(usage, *option)) {
            print_zsh_option(*option);
        }
    }
    printf(" '*::_files' ;;\n");
}

static void print_verbs_of(struct cli *cli)
{
    size_t count;
    const struct command *commands = commands_all(&count);

    printf("  case \"$command\" in\n");
    for (size_t i = 0; i < count; i++) {
        struct telling telling = {.command = commands[i].name};
        const struct describe describe = {
            .context = &telling, .usage = skip_usage, .verb = note_verb};
        struct cli asked = *cli;
        char *argv[] = {(char *)commands[i].name, NULL};

        printf("    '%s') verbs='", commands[i].name);
        asked.describe = &describe;
        commands[i].run(&asked, 1, argv);
        printf("' ;;\n");
    }
    printf("    *) verbs='' ;;\n  esac\n");
}

static void print_cases(struct cli *cli, enum shell shell)
{
    struct lines lines = {.shell = shell};
    const struct describe describe = {.context = &lines, .usage = print_line, .verb = begin_verb};

    printf("  case \"$command${verb:+ $verb}\" in\n");
    describe_all(cli, &describe, begin_command);
    printf("    *) %s ;;\n  esac\n", shell == SHELL_BASH ? "words=\"$verbs\"" : ":");
}

static void print_commands(struct cli *cli)
{
    struct telling telling = {0};
    const struct describe describe = {.context = &telling, .usage = skip_usage, .verb = skip_verb};

    describe_all(cli, &describe, tell_words_of_command);
}

/* Words count from 0 in bash, from 1 in zsh. The first word that is no option, nor the value of one that stands before the command, is the command; the next one may be its verb. */
static const char FIND_WORDS[] = "  for ((i = %d; i < %s; i++)); do\n"
                                 "    case \"${%s[i]}\" in\n"
                                 "      --config | --tenant) ((i++)) ;;\n"
                                 "      -*) ;;\n"
                                 "      *) if [[ -z $command ]]; then command=${%s[i]}\n"
                                 "         elif [[ -z $verb ]]; then verb=${%s[i]}; fi ;;\n"
                                 "    esac\n"
                                 "  done\n";

static void print_bash(struct cli *cli)
{
    printf("# bash completion of crmsync %s\n_crmsync() {\n"
           "  local current=${COMP_WORDS[COMP_CWORD]} command='' verb='' verbs='' words='' i\n",
           CRMSYNC_VERSION);
    printf(FIND_WORDS, 1, "COMP_CWORD", "COMP_WORDS", "COMP_WORDS", "COMP_WORDS");
    print_verbs_of(cli);
    printf("  [[ \" $verbs \" == *\" $verb \"* ]] || verb=''\n"
           "  if [[ -z $command ]]; then\n    words='");
    print_commands(cli);
    printf(" --config --tenant --help'\n  else\n");
    print_cases(cli, SHELL_BASH);
    printf("  fi\n  COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n}\n"
           "complete -o default -F _crmsync crmsync\n");
}

static void print_zsh(struct cli *cli)
{
    printf("#compdef crmsync\n# zsh completion of crmsync %s\n_crmsync() {\n"
           "  local command='' verb='' verbs='' i\n",
           CRMSYNC_VERSION);
    printf(FIND_WORDS, 2, "CURRENT", "words", "words", "words");
    print_verbs_of(cli);
    printf("  [[ \" $verbs \" == *\" $verb \"* ]] || verb=''\n"
           "  if [[ -z $command ]]; then\n    compadd --");
    print_commands(cli);
    printf(
        "\n    return\n  fi\n  if [[ -n $verbs && -z $verb ]]; then compadd -- ${=verbs}; return; "
        "fi\n");
    print_cases(cli, SHELL_ZSH);
    printf("}\n_crmsync \"$@\"\n");
}

int command_completion(struct cli *cli, int argc, char **argv)
{
    const struct option_spec options[] = {{0}};
    const struct usage usage = {
        .synopsis = "crmsync completion bash|zsh",
        .about = "Prints what makes the shell complete commands, verbs and options.\n\n"
                 "  source <(crmsync completion bash)\n"
                 "  crmsync completion zsh > \"${fpath[1]}/_crmsync\"",
        .options = options,
        .arguments_min = 1,
        .arguments_max = 1};
    int count;
    enum parsed parsed = options_parse(cli, &usage, argc, argv, &count);

    if (parsed != PARSED_OK) {
        return parsed == PARSED_DONE ? EXIT_DONE : EXIT_USAGE;
    }
    if (strcmp(argv[1], "bash") == 0) {
        print_bash(cli);
    } else if (strcmp(argv[1], "zsh") == 0) {
        print_zsh(cli);
    } else {
        return usage_error(&usage, "there is no completion for '%s'", argv[1]);
    }
    return EXIT_DONE;
}
