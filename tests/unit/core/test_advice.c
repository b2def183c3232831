/* Commands in texts for people, as one tenant's person has to type them. */
#include "core/advice.h"

#include "tests/expect.h"

static void test_commands_name_the_tenant(void **state)
{
    static const struct {
        const char *why, *tenant, *text, *want;
    } CASES[] = {
        {"the default one", "default", "run 'crmsync sync'", "run 'crmsync sync'"},
        {"none", "", "run 'crmsync sync'", "run 'crmsync sync'"},
        {"in quotes", "acme", "run 'crmsync sync' first", "run 'crmsync --tenant acme sync' first"},
        {"at the beginning", "acme", "crmsync brake confirm a",
         "crmsync --tenant acme brake confirm a"},
        {"behind a colon", "acme", "sign in again: crmsync connect a",
         "sign in again: crmsync --tenant acme connect a"},
        {"two", "acme", "'crmsync setup a', then 'crmsync sync'",
         "'crmsync --tenant acme setup a', then 'crmsync --tenant acme sync'"},
        {"named already", "acme", "'crmsync --tenant acme sync'", "'crmsync --tenant acme sync'"},
        {"the product", "acme", "give crmsync the key", "give crmsync the key"},
        {"no command", "acme", "'crmsync'", "'crmsync'"},
        {"nothing", "acme", "", ""},
    };
    struct arena arena = {0};

    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        EXPECT_STR(advice_for_tenant(&arena, str_of(CASES[i].tenant), str_of(CASES[i].text)),
                   str_of(CASES[i].want), CASES[i].why);
    }
    arena_fini(&arena);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_commands_name_the_tenant)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
