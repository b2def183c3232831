/* Every command tells of itself by its own table, and does nothing else when asked for that. */
#include "cli/describe.h"

#include "tests/expect.h"

struct told {
    const char *command;
    int usages, verbs, commands;
};

static void on_command(void *context, const struct command *command)
{
    struct told *told = context;

    EXPECT(told->commands == 0 || told->usages > 0, "'%s' tells nothing", told->command);
    EXPECT(told->verbs == 0 || told->verbs == told->usages, "a verb of '%s' tells nothing",
           told->command);
    *told = (struct told){.command = command->name, .commands = told->commands + 1};
}

static void on_verb(void *context, const struct command *verb)
{
    (void)verb;
    ((struct told *)context)->verbs++;
}

static void on_usage(void *context, const struct usage *usage)
{
    struct told *told = context;

    told->usages++;
    EXPECT(strstr(usage->synopsis, told->command), "'%s' is told by another one: %s", told->command,
           usage->synopsis);
}

static void test_all_commands_tell(void **state)
{
    struct told told = {0};
    struct env env = {0};
    struct cli cli = {.config_path = "/nowhere/crmsync.yaml", .env = &env};
    const struct describe describe = {.context = &told, .usage = on_usage, .verb = on_verb};
    size_t count;

    (void)state;
    commands_all(&count);
    describe_all(&cli, &describe, on_command);
    EXPECT(told.usages > 0, "the last one tells nothing");
    EXPECT((size_t)told.commands == count, "%d of %zu", told.commands, count);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_all_commands_tell)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
