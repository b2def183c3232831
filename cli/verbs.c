#include "cli/verbs.h"

#include <stdio.h>

#include "cli/describe.h"
#include "core/words.h"

enum { VERBS_MAX = 16 };

static void print_verbs(FILE *stream, const char *noun, const char *about,
                        const struct command *verbs)
{
    fprintf(stream, "Usage: crmsync %s VERB [options]\n\n%s\n\nVerbs:\n", noun, about);
    for (const struct command *verb = verbs; verb->name; verb++) {
        fprintf(stream, "  %-10s %s\n", verb->name, verb->summary);
    }
    fprintf(stream, "\n'crmsync %s VERB --help' explains one.\n", noun);
}

static int unknown_verb(const char *noun, const char *given, const struct command *verbs)
{
    struct str words[VERBS_MAX];
    size_t count = 0, near;

    for (const struct command *verb = verbs; verb->name && count < VERBS_MAX; verb++) {
        words[count++] = str_of(verb->name);
    }
    near = word_nearest(str_of(given), words, count);
    fprintf(stderr, "crmsync: '%s' has no verb '%s'%s%s%s\n  try: crmsync %s --help\n", noun, given,
            near != SIZE_MAX ? "; did you mean '" : "", near != SIZE_MAX ? words[near].at : "",
            near != SIZE_MAX ? "'?" : "", noun);
    return EXIT_USAGE;
}

static int tell_verbs(struct cli *cli, const struct command *verbs)
{
    for (const struct command *verb = verbs; verb->name; verb++) {
        char *argv[] = {(char *)verb->name, NULL};

        cli->describe->verb(cli->describe->context, verb);
        verb->run(cli, 1, argv);
    }
    return EXIT_DONE;
}

int verbs_run(struct cli *cli, const char *noun, const char *about, const struct command *verbs,
              int argc, char **argv)
{
    if (cli->describe) {
        return tell_verbs(cli, verbs);
    }
    if (argc < 2) {
        print_verbs(stderr, noun, about, verbs);
        return EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        print_verbs(stdout, noun, about, verbs);
        return EXIT_DONE;
    }
    for (const struct command *verb = verbs; verb->name; verb++) {
        if (strcmp(verb->name, argv[1]) == 0) {
            return verb->run(cli, argc - 1, argv + 1);
        }
    }
    return unknown_verb(noun, argv[1], verbs);
}
