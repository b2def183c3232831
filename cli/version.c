/* crmsync version */
#include <stdio.h>

#include "cli/options.h"
#include "cli/output.h"

int command_version(struct cli *cli, int argc, char **argv)
{
    int count;
    const struct option_spec options[] = {{0}};
    const struct usage usage = {.synopsis = "crmsync version",
                                .about = "Prints the version of crmsync.",
                                .options = options};
    enum parsed parsed = options_parse(cli, &usage, argc, argv, &count);

    if (parsed != PARSED_OK) {
        return parsed == PARSED_DONE ? EXIT_DONE : EXIT_USAGE;
    }
    if (cli->json) {
        print_json(
            json_pack("{s:s,s:s}", "version", CRMSYNC_VERSION, "jansson", jansson_version_str()));
    } else {
        printf("crmsync %s (jansson %s)\n", CRMSYNC_VERSION, jansson_version_str());
    }
    return EXIT_DONE;
}
