/* Kinds, normal forms and match keys. */
#include "tests/expect.h"

#include "mapper/kind.h"
#include "core/random.h"
#include "mapper/normal.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static const struct {
    enum field_type type;
    const char *typed, *normal; /* NULL: refused */
} FORMS[] = {
    {TYPE_STRING, "  Ada   Lovelace ", "Ada Lovelace"},
    {TYPE_STRING, "a\tb\nc", "a b c"},
    {TYPE_STRING, "Zoe\xCC\x88", "Zo\xC3\xAB"}, /* composed */
    {TYPE_STRING, "x\x01y", "xy"},
    {TYPE_TEXT, "one\r\ntwo\rthree", "one\ntwo\nthree"},
    {TYPE_EMAIL, " Ada@Lovelace.EXAMPLE ", "ada@lovelace.example"},
    {TYPE_EMAIL,
     "\xC3\x84"
     "da@x.example",
     "\xC3\xA4"
     "da@x.example"},
    {TYPE_EMAIL, "no address", NULL},
    {TYPE_EMAIL, "two@@x.example", NULL},
    {TYPE_EMAIL, "@x.example", NULL},
    {TYPE_EMAIL, "x@", NULL},
    {TYPE_EMAIL, "a@b.example, c@d.example", NULL},
    {TYPE_PHONE, "+44 (0)20 7946-0123", "+442079460123"},
    {TYPE_PHONE, "0044 20 7946 0123", "+442079460123"},
    {TYPE_PHONE, "(020) 7946 0123", "02079460123"},
    {TYPE_PHONE, "+1 503 555 0123 ext. 45", "+15035550123;ext=45"},
    {TYPE_PHONE, "+15035550123x45", "+15035550123;ext=45"},
    {TYPE_PHONE, "+15035550123;ext=45", "+15035550123;ext=45"},
    {TYPE_PHONE, "ask reception", "ask reception"},
    {TYPE_URL, "HTTPS://WWW.Acme.Example/Path", "https://www.acme.example/Path"},
    {TYPE_URL, "https://acme.example/", "https://acme.example"},
    {TYPE_INTEGER, "0042", "42"},
    {TYPE_INTEGER, "4.2", NULL},
    {TYPE_INTEGER, "many", NULL},
    {TYPE_DECIMAL, "1.50", "1.5"},
    {TYPE_DECIMAL, "-0.0", "0"},
    {TYPE_DECIMAL, "1.5e3", "1500"},
    {TYPE_DECIMAL, "0.200000000000000011102230246251565404",
     "0.200000000000000011102230246251565404"}, /* exact: only CRMs deal in doubles */
    {TYPE_BOOLEAN, "Yes", "true"},
    {TYPE_BOOLEAN, "0", "false"},
    {TYPE_BOOLEAN, "perhaps", NULL},
    {TYPE_DATE, "2026-02-28", "2026-02-28"},
    {TYPE_DATE, "2026-02-28T10:00:00Z", "2026-02-28"},
    {TYPE_DATE, "2026-02-30", NULL},
    {TYPE_DATETIME, "2026-11-21T07:05:31.250Z", "1795244731250"},
    {TYPE_DATETIME, "1795244731250", "1795244731250"},
    {TYPE_DATETIME, "yesterday", NULL},
    {TYPE_REFERENCE, "018f0000-0000-7000-8000-000000000001",
     "018f0000-0000-7000-8000-000000000001"},
    {TYPE_REFERENCE, "17", NULL},
};

static void every_type_has_its_normal_form(void **state)
{
    struct arena arena = {0};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(FORMS); i++) {
        struct kind_field field = {.name = STR("f"), .type = FORMS[i].type};
        struct value value;
        struct error err = {0};
        enum fail failed = field_value_parse(&field, str_of(FORMS[i].typed), &arena, &value, &err);

        if (!FORMS[i].normal ? failed != FAIL_RECORD
                             : failed != OK || !str_equal(value.text, str_of(FORMS[i].normal))) {
            print_error("row %zu: '%s' as %s gave '%.*s' (%s)\n", i, FORMS[i].typed,
                        field_type_name(FORMS[i].type), STR_ARG(failed ? STR("") : value.text),
                        err.message);
            fail();
        }
        if (FORMS[i].normal) { /* n(n(x)) = n(x) */
            struct value again;

            assert_int_equal(field_value_parse(&field, value.text, &arena, &again, &err), OK);
            assert_true(value_equal(&value, &again));
        }
        assert_null(strstr(err.message, FORMS[i].typed)); /* values are personal */
    }
    arena_fini(&arena);
}

static void normal_forms_are_idempotent_for_any_text(void **state)
{
    static const char ALPHABET[] = "aZ09 +-().,;:/@x=\t\r\n\"eEtT_%";
    const uint64_t seed = 20261121;
    struct random *random = random_new_seeded(seed);

    (void)state;
    print_message("seed %" PRIu64 "\n", seed);
    for (int round = 0; round < 200000; round++) {
        struct arena arena = {0};
        char text[24];
        size_t len = 1 + (size_t)random_below(random, sizeof text - 2);
        enum field_type type = (enum field_type)random_below(random, TYPE_REFERENCE);
        struct str once, twice;

        for (size_t i = 0; i < len; i++) {
            text[i] = ALPHABET[random_below(random, sizeof ALPHABET - 1)];
        }
        if (normal_text(type, (struct str){.at = text, .len = len}, &arena, &once) && once.len) {
            if (!normal_text(type, once, &arena, &twice) || !str_equal(once, twice)) {
                print_error("%s: '%.*s' → '%.*s' → '%.*s'\n", field_type_name(type), (int)len, text,
                            STR_ARG(once), STR_ARG(twice));
                fail();
            }
        }
        arena_fini(&arena);
    }
    random_free(random);
}

static void domains_are_reduced_to_what_one_registers(void **state)
{
    static const char *const ROWS[][2] = {{"https://www.Acme.co.uk/about", "acme.co.uk"},
                                          {"shop.acme.com", "acme.com"},
                                          {"ada@mail.acme.com", "acme.com"},
                                          {"acme.com:8080", "acme.com"},
                                          {"http://user:pw@acme.com?x=1", "acme.com"},
                                          {"acme.com.", "acme.com"},
                                          {"not a domain", ""},
                                          {"", ""}};
    struct arena arena = {0};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        struct str domain = normal_domain(str_of(ROWS[i][0]), &arena);

        if (!str_equal(domain, str_of(ROWS[i][1]))) {
            print_error("'%s' gave '%.*s'\n", ROWS[i][0], STR_ARG(domain));
            fail();
        }
    }
    arena_fini(&arena);
}

static void phones_take_the_default_country(void **state)
{
    struct arena arena = {0};

    (void)state;
    assert_true(str_equal(normal_phone(STR("030 123456"), STR("49"), &arena), STR("+4930123456")));
    assert_true(
        str_equal(normal_phone(STR("+44 20 79460123"), STR("49"), &arena), STR("+442079460123")));
    arena_fini(&arena);
}

static void kinds_come_behind_those_they_point_to(void **state)
{
    static const char *const ORDER[] = {"company", "contact", "deal", "activity", "ticket"};
    struct arena arena = {0};
    struct kinds kinds;
    struct error err = {0};

    (void)state;
    assert_int_equal(kinds_load_embedded(&arena, &kinds, &err), OK);
    assert_int_equal(kinds.count, COUNT_OF(ORDER));
    for (size_t i = 0; i < COUNT_OF(ORDER); i++) {
        EXPECT_STR(kinds.at[i].name, str_of(ORDER[i]), "place in the order");
    }
    arena_fini(&arena);
}

static void match_keys_fold_case_and_scripts(void **state)
{
    struct arena arena = {0};
    struct kinds kinds;
    struct fields fields = {0};
    struct str keys[4];
    struct error err = {0};

    (void)state;
    assert_int_equal(kinds_load_embedded(&arena, &kinds, &err), OK);
    fields_set(&fields, &arena, STR("name"), VALUE_OF(STR("STRASSE  Gmbh")));
    kind_match_keys(&kinds.at[0], &fields, &arena, keys);
    assert_int_equal(keys[0].len, 0); /* no domain */
    assert_true(str_equal(keys[1], STR("strasse gmbh")));
    fields_set(&fields, &arena, STR("name"), VALUE_OF(STR("Straße GmbH")));
    fields_set(&fields, &arena, STR("domain"), VALUE_OF(STR("www.strasse.de")));
    kind_match_keys(&kinds.at[0], &fields, &arena, keys);
    assert_true(str_equal(keys[0], STR("strasse.de")));
    assert_true(str_equal(keys[1], STR("strasse gmbh")));
    arena_fini(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_has_its_normal_form),
        cmocka_unit_test(normal_forms_are_idempotent_for_any_text),
        cmocka_unit_test(domains_are_reduced_to_what_one_registers),
        cmocka_unit_test(phones_take_the_default_country),
        cmocka_unit_test(kinds_come_behind_those_they_point_to),
        cmocka_unit_test(match_keys_fold_case_and_scripts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
