#include "cli/describe.h"

void describe_all(struct cli *cli, const struct describe *describe,
                  void (*before)(void *context, const struct command *command))
{
    size_t count;
    const struct command *commands = commands_all(&count);
    struct cli asked = *cli;

    asked.describe = describe;
    for (size_t i = 0; i < count; i++) {
        char *argv[] = {(char *)commands[i].name, NULL};

        before(describe->context, &commands[i]);
        commands[i].run(&asked, 1, argv);
    }
}
