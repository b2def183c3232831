/* Made-up people: the same whoever asks, overlapping as asked for, and recognisable after normalising. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <ctype.h>
#include <strings.h>

#include "core/attributes.h"
#include "core/str.h"
#include "core/unicode.h"
#include "simulators/people.h"

enum { MANY = 5000, COMPANIES = 1000, SEED = 42 };

static void the_same_seed_makes_the_same_person(void **state)
{
    int different = 0;

    (void)state;
    for (int i = 0; i < 200; i++) {
        struct sim_person one, two, other;
        struct sim_company here, there;

        sim_person_make(SEED, i, COMPANIES, &one);
        sim_person_make(SEED, i, COMPANIES, &two);
        sim_person_make(SEED + 1, i, COMPANIES, &other);
        assert_memory_equal(&one, &two, sizeof(one));
        different += memcmp(&one, &other, sizeof(one)) != 0;
        sim_company_make(SEED, i, &here);
        sim_company_make(SEED, i, &there);
        assert_memory_equal(&here, &there, sizeof(here));
    }
    assert_true(different > 190);
}

static bool is_utf8(const char *text)
{
    return utf8_is_valid(str_of(text));
}

/* Nothing here may reach a real person: reserved domains, valid text, companies in range. */
static void people_are_fictional_and_well_formed(void **state)
{
    int missing = 0, foreign = 0;

    (void)state;
    for (int i = 0; i < MANY; i++) {
        struct sim_person person;

        sim_person_make(SEED, i, COMPANIES, &person);
        assert_true(person.company >= -1 && person.company < COMPANIES);
        assert_true(person.first_name[0] && person.last_name[0]);
        assert_true(is_utf8(person.first_name) && is_utf8(person.last_name) &&
                    is_utf8(person.address));
        assert_true(!person.email[0] || str_ends(str_of(person.email), STR(".example")));
        missing += person.email[0] == '\0';
        foreign += (unsigned char)person.last_name[0] >= 0x80;
    }
    assert_in_range(missing, MANY / 60, MANY / 15);
    assert_true(foreign > MANY / 20);
}

static int text_order(const void *x, const void *y)
{
    return strcmp(*(char *const *)x, *(char *const *)y);
}

/* Two people with one address would be refused by a CRM. */
static void addresses_are_unique(void **state)
{
    static struct sim_person people[MANY];
    static char *emails[MANY];
    size_t count = 0;

    (void)state;
    for (int i = 0; i < MANY; i++) {
        sim_person_make(SEED, i, COMPANIES, &people[i]);
        if (people[i].email[0]) {
            emails[count++] = people[i].email;
        }
    }
    qsort(emails, count, sizeof(emails[0]), text_order);
    for (size_t i = 1; i < count; i++) {
        assert_string_not_equal(emails[i - 1], emails[i]);
    }
}

static void some_people_are_entered_twice(void **state)
{
    int twice = 0;

    (void)state;
    for (int i = 20; i < MANY; i++) {
        struct sim_person person, earlier;

        sim_person_make(SEED, i, COMPANIES, &person);
        for (int back = 1; back < 20; back++) {
            sim_person_make(SEED, i - back, COMPANIES, &earlier);
            if (person.phone[0] && !strcmp(person.phone, earlier.phone) &&
                !strcmp(person.address, earlier.address) &&
                !strcmp(person.last_name, earlier.last_name)) {
                twice++;
                break;
            }
        }
    }
    assert_in_range(twice, MANY / 120, MANY / 30);
}

static void the_overlap_is_the_share_that_the_others_have_too(void **state)
{
    static const double overlaps[] = {0.0, 0.3, 0.7, 1.0};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(overlaps); i++) {
        int held = 0, shared = 0;
        double share;

        for (int index = 0; index < MANY; index++) {
            bool is_here = sim_is_held(SEED, index, 0, overlaps[i]);
            bool is_there = sim_is_held(SEED, index, 1, overlaps[i]);

            held += is_here;
            shared += is_here && is_there;
        }
        share = (double)shared / held;
        assert_true(share > overlaps[i] - 0.03 && share < overlaps[i] + 0.03);
    }
}

static void digits_only(const char *from, char *to)
{
    for (; *from; from++) {
        if (isdigit((unsigned char)*from)) {
            *to++ = *from;
        }
    }
    *to = '\0';
}

static void a_blurred_person_is_mostly_the_same_after_normalising(void **state)
{
    int same_phone = 0, same_email = 0, typed_differently = 0;

    (void)state;
    for (int i = 0; i < MANY; i++) {
        struct sim_person person, blurred;
        char was[32], is[32];

        sim_person_make(SEED, i, COMPANIES, &person);
        blurred = person;
        sim_person_blur(SEED, i, &blurred);
        digits_only(person.phone, was);
        digits_only(blurred.phone, is);
        same_phone += strcmp(was, is) == 0;
        same_email += strcasecmp(person.email, blurred.email) == 0;
        typed_differently += memcmp(&person, &blurred, sizeof(person)) != 0;
    }
    assert_int_equal(same_email, MANY);
    assert_true(same_phone > MANY * 9 / 10);
    assert_true(typed_differently > MANY / 3);
}

static void a_blurred_company_keeps_its_domain(void **state)
{
    int different = 0;

    (void)state;
    for (int i = 0; i < COMPANIES; i++) {
        struct sim_company company, blurred;

        sim_company_make(SEED, i, &company);
        blurred = company;
        sim_company_blur(SEED, i, &blurred);
        assert_string_equal(company.domain, blurred.domain);
        assert_int_equal(strcasecmp(company.name, blurred.name), 0);
        different += memcmp(&company, &blurred, sizeof(company)) != 0;
    }
    assert_in_range(different, COMPANIES / 10, COMPANIES * 9 / 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_seed_makes_the_same_person),
        cmocka_unit_test(people_are_fictional_and_well_formed),
        cmocka_unit_test(addresses_are_unique),
        cmocka_unit_test(some_people_are_entered_twice),
        cmocka_unit_test(the_overlap_is_the_share_that_the_others_have_too),
        cmocka_unit_test(a_blurred_person_is_mostly_the_same_after_normalising),
        cmocka_unit_test(a_blurred_company_keeps_its_domain),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
