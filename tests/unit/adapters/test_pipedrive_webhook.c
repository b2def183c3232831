/* Pipedrive's deliveries: credentials, both forms of events (tests/fixtures/pipedrive/webhook-*.json). */
#include "tests/unit/adapters/deliver.h"

#include "adapters/pipedrive_inside.h"

static const struct adapter *const PD = &adapter_pipedrive;

#define PASSWORD "kXr0-example:secret" /* a colon belongs to the password */
#define PATH_SECRET "3f9c0b7e6d5a4c21"

/* --- credentials ------------------------------------------------------------------------------ */

struct keys {
    struct secret path, password, former;
};

static void begin(struct deliver *d, struct keys *keys)
{
    *keys = (struct keys){0};
    deliver_begin(d);
    secret_set(&keys->path, STR(PATH_SECRET));
    secret_set(&keys->password, STR(PASSWORD));
    d->settings.paths[0] = &keys->path;
    d->settings.passwords[0] = &keys->password;
    d->settings.user = STR("crmsync");
    d->delivery.path_secret = STR(PATH_SECRET);
}

static void end(struct deliver *d, struct keys *keys)
{
    secret_fini(&keys->path);
    secret_fini(&keys->password);
    secret_fini(&keys->former);
    deliver_end(d);
}

/* The header as Pipedrive makes it. */
static void authorize(struct deliver *d, const char *pair)
{
    d->request.headers.count = 0;
    deliver_header(d, "authorization",
                   arena_printf(&d->arena, "Basic %" PRI_STR,
                                STR_ARG(base64_encode(&d->arena, pair, strlen(pair)))));
}

static void test_credentials_are_compared_whole(void **state)
{
    static const struct {
        const char *pair;
        enum fail expected;
    } CASES[] = {
        {"crmsync:" PASSWORD, OK},
        {"crmsync:" PASSWORD "x", FAIL_AUTH},
        {"crmsync:kXr0-example", FAIL_AUTH},
        {"crmsynd:" PASSWORD, FAIL_AUTH},
        {":" PASSWORD, FAIL_AUTH},
        {"crmsync:", FAIL_AUTH},
        {"crmsync", FAIL_AUTH},
        {"", FAIL_AUTH},
        {PASSWORD ":crmsync", FAIL_AUTH},
    };
    struct deliver d;
    struct keys keys;

    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        print_message("  %s\n", CASES[i].pair);
        begin(&d, &keys);
        authorize(&d, CASES[i].pair);
        assert_int_equal(deliver_verify(&d, PD), CASES[i].expected);
        assert_false(d.proof.has_mac);
        end(&d, &keys);
    }
    (void)state;
}

static void test_every_byte_of_the_header_counts(void **state)
{
    struct deliver d;
    struct keys keys;
    struct str whole;

    begin(&d, &keys);
    authorize(&d, "crmsync:" PASSWORD);
    whole = d.request.headers.at[0].value;
    for (size_t i = 0; i < whole.len; i++) {
        char *copy = arena_cstr(&d.arena, whole);

        copy[i] ^= 1;
        d.request.headers.at[0].value = (struct str){.at = copy, .len = whole.len};
        assert_int_equal(deliver_verify(&d, PD), FAIL_AUTH);
    }
    end(&d, &keys);
    (void)state;
}

static void test_other_forms_of_the_header_are_refused(void **state)
{
    static const char *const CASES[] = {"Bearer Y3Jtc3luYzprWHIwLWV4YW1wbGU6c2VjcmV0", "Basic",
                                        "Basic !!!", "Y3Jtc3luYzprWHIwLWV4YW1wbGU6c2VjcmV0", ""};
    struct deliver d;
    struct keys keys;

    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        print_message("  '%s'\n", CASES[i]);
        begin(&d, &keys);
        deliver_header(&d, "Authorization", str_of(CASES[i]));
        assert_int_equal(deliver_verify(&d, PD), FAIL_AUTH);
        end(&d, &keys);
    }
    (void)state;
}

static void test_the_address_is_a_secret_too(void **state)
{
    struct deliver d;
    struct keys keys;

    begin(&d, &keys);
    authorize(&d, "crmsync:" PASSWORD);
    d.delivery.path_secret = STR("3f9c0b7e6d5a4c22");
    assert_int_equal(deliver_verify(&d, PD), FAIL_AUTH);
    d.delivery.path_secret = STR("");
    assert_int_equal(deliver_verify(&d, PD), FAIL_AUTH);
    end(&d, &keys);
    (void)state;
}

static void test_the_former_password_is_taken_while_it_is_replaced(void **state)
{
    struct deliver d;
    struct keys keys;

    begin(&d, &keys);
    secret_set(&keys.former, STR("old"));
    authorize(&d, "crmsync:old");
    assert_int_equal(deliver_verify(&d, PD), FAIL_AUTH);
    d.settings.passwords[1] = &keys.former;
    assert_int_equal(deliver_verify(&d, PD), OK);
    end(&d, &keys);
    (void)state;
}

/* Half of it set up is nothing: an empty password would let everybody in. */
static void test_without_credentials_nothing_is_taken(void **state)
{
    struct deliver d;
    struct keys keys;

    for (int missing = 0; missing < 3; missing++) {
        begin(&d, &keys);
        authorize(&d, "crmsync:" PASSWORD);
        if (missing == 0) {
            secret_set(&keys.password, STR(""));
        } else if (missing == 1) {
            d.settings.paths[0] = NULL;
        } else {
            d.settings.user = STR("");
        }
        assert_int_equal(deliver_verify(&d, PD), FAIL_CONFIG);
        assert_non_null(strstr(d.err.hint, "crmsync setup"));
        end(&d, &keys);
    }
    (void)state;
}

/* --- events ----------------------------------------------------------------------------------- */

static void test_true_payloads_are_read(void **state)
{
    static const struct {
        const char *file, *first, *second;
    } CASES[] = {
        {"v2-create-person", "contact 815 created", NULL},
        {"v2-change-deal", "deal 2207 changed", NULL},
        {"v2-change-deal-retry", "deal 2207 changed", NULL},
        {"v2-change-activity", "activity activity:5120 changed", NULL},
        {"v2-change-organization-parent-bump", "company 73 changed", NULL},
        {"v2-delete-person", "contact 815 deleted", NULL},
        {"v2-merge-change-survivor", "contact 815 merged", "contact 816 merged"},
        {"v2-merge-delete-loser", "contact 816 merged", "contact 815 merged"},
        {"v2-delete-user-as-change", NULL, NULL},
        {"v1-added-person", "contact 815 created", NULL},
        {"v1-updated-deal", "deal 2207 changed", NULL},
        {"v1-deleted-person", "contact 815 deleted", NULL},
        {"v1-merged-person", "contact 815 merged", NULL},
    };
    struct deliver d;

    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        const char *lines[] = {CASES[i].first, CASES[i].second};

        print_message("  %s\n", CASES[i].file);
        deliver_begin(&d);
        d.settings.account_id = STR("990211");
        d.request.body = deliver_file(
            &d,
            arena_printf(&d.arena, "tests/fixtures/pipedrive/webhook-%s.json", CASES[i].file).at);
        assert_int_equal(deliver_parse(&d, PD), OK);
        deliver_expect(&d, lines, (size_t)(CASES[i].first != NULL) + (CASES[i].second != NULL));
        assert_int_equal(d.events.heard, 1);
        assert_int_equal(d.events.ignored, CASES[i].first == NULL);
        assert_true(!CASES[i].first || d.events.at[0].occurred_ms > 1789000000000);
        deliver_end(&d);
    }
    (void)state;
}

#define EVENT(entity, id, attempt, time)                                                           \
    "{\"meta\":{\"action\":\"change\",\"entity\":\"" entity "\",\"entity_id\":\"" id               \
    "\",\"id\":\"e1\",\"company_id\":\"990211\",\"timestamp\":\"" time "\",\"attempt\":" attempt   \
    ",\"webhook_id\":\"7\"},\"data\":null,\"previous\":null}"
#define AT "2026-09-15T10:02:11.390Z"

static struct str key_of(struct deliver *d, const char *body)
{
    d->request.body = str_of(body);
    assert_int_equal(deliver_parse(d, PD), OK);
    assert_int_equal(d->events.count, 1);
    return d->events.at[0].event_key;
}

static void test_keys_are_of_the_news_not_of_the_attempt(void **state)
{
    struct deliver d;
    struct str first;

    deliver_begin(&d);
    first = key_of(&d, EVENT("person", "5", "1", AT));
    assert_true(str_equal(first, key_of(&d, EVENT("person", "5", "4", AT))));
    assert_false(str_equal(first, key_of(&d, EVENT("person", "6", "1", AT))));
    assert_false(str_equal(first, key_of(&d, EVENT("organization", "5", "1", AT))));
    assert_false(
        str_equal(first, key_of(&d, EVENT("person", "5", "1", "2026-09-15T10:02:11.391Z"))));
    deliver_end(&d);
    (void)state;
}

static void test_notes_are_activities_and_others_are_not_for_us(void **state)
{
    static const char *const KINDS[] = {"activity"};
    struct deliver d;

    deliver_begin(&d);
    d.settings.kinds = KINDS;
    d.settings.kinds_count = 1;
    key_of(&d, EVENT("note", "34", "1", AT));
    EXPECT(&d, "activity note:34 changed");
    d.request.body = STR(EVENT("person", "5", "1", AT)); /* not synced */
    assert_int_equal(deliver_parse(&d, PD), OK);
    assert_int_equal(d.events.ignored, 1);
    d.request.body = STR(EVENT("lead", "adf21080-0e10-11eb-879b-05d71fb426ec", "1", AT));
    assert_int_equal(deliver_parse(&d, PD), OK);
    assert_int_equal(d.events.count, 0);
    d.settings.account_id = STR("1");
    d.request.body = STR(EVENT("note", "34", "1", AT));
    assert_int_equal(deliver_parse(&d, PD), OK);
    assert_int_equal(d.events.foreign, 1);
    deliver_end(&d);
    (void)state;
}

static void test_what_pipedrive_does_not_send_is_refused(void **state)
{
    static const char *const CASES[] = {"",
                                        "[]",
                                        "{}",
                                        "{\"meta\":5}",
                                        "{\"meta\":null}",
                                        "{\"meta\":{}",
                                        "{\"meta\":{},\"meta\":{}}"};
    struct deliver d;

    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        print_message("  %s\n", CASES[i]);
        deliver_begin(&d);
        d.request.body = str_of(CASES[i]);
        assert_int_equal(deliver_parse(&d, PD), FAIL_RECORD);
        deliver_end(&d);
    }
    (void)state;
}

/* Anything but 2xx counts towards Pipedrive's ban of the webhook: only what is not stored is refused. */
static void test_answers(void **state)
{
    struct webhook_answer answer;
    struct deliver d;

    deliver_begin(&d);
    d.request.body =
        STR("{\"meta\":{\"action\":\"dance\",\"entity\":\"person\",\"entity_id\":\"1\"}}");
    assert_int_equal(deliver_parse(&d, PD), OK);
    assert_int_equal(d.events.ignored, 1);
    PD->webhook_answer(true, &answer);
    assert_int_equal(answer.status, 200);
    PD->webhook_answer(false, &answer);
    assert_int_equal(answer.status, 503);
    deliver_end(&d);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_credentials_are_compared_whole),
        cmocka_unit_test(test_every_byte_of_the_header_counts),
        cmocka_unit_test(test_other_forms_of_the_header_are_refused),
        cmocka_unit_test(test_the_address_is_a_secret_too),
        cmocka_unit_test(test_the_former_password_is_taken_while_it_is_replaced),
        cmocka_unit_test(test_without_credentials_nothing_is_taken),
        cmocka_unit_test(test_true_payloads_are_read),
        cmocka_unit_test(test_keys_are_of_the_news_not_of_the_attempt),
        cmocka_unit_test(test_notes_are_activities_and_others_are_not_for_us),
        cmocka_unit_test(test_what_pipedrive_does_not_send_is_refused),
        cmocka_unit_test(test_answers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
