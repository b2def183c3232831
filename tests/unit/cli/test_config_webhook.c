/* `public_url` and `webhooks` of crmsync.yaml: what is taken, what is refused and with which words. */
#include "cli/config_webhook.h"

#include "tests/expect.h"

struct reading {
    struct arena arena;
    struct yx_document *document;
    struct config_webhook webhook;
    struct str url;
    struct error err;
};

static void finish(struct reading *r)
{
    yx_free(r->document);
    arena_fini(&r->arena);
}

static enum fail read_url(struct reading *r, const char *text, bool allow_loopback)
{
    *r = (struct reading){.url = STR("")};
    EXPECT(yx_load_text(str_of(text), "t.yaml", &r->document, &r->err) == OK, "%s", r->err.message);
    return config_public_url(&r->arena, yx_root(r->document), allow_loopback, &r->url, &r->err);
}

static enum fail read_webhooks(struct reading *r, const char *adapter, const char *text,
                               const char *url)
{
    /* a service that asks for certificates where the case is about one */
    const struct config_webhook_place place = {.public_url = str_of(url),
                                               .asks_clients = strstr(text, "# asked") != NULL};

    *r = (struct reading){.url = STR("")};
    EXPECT(yx_load_text(str_of(text), "t.yaml", &r->document, &r->err) == OK, "%s", r->err.message);
    return config_webhook_read(&r->arena, "/etc/crmsync", yx_root(r->document),
                               adapter_by_name(str_of(adapter)), &place, &r->webhook, &r->err);
}

static void test_the_public_address_is_scheme_and_host(void **state)
{
    static const struct {
        const char *text, *url; /* NULL: refused */
        bool allow_loopback;
    } CASES[] = {
        {"public_url: https://sync.example.com", "https://sync.example.com", false},
        {"public_url: https://sync.example.com/", "https://sync.example.com", false},
        {"public_url: https://sync.example.com:8443", "https://sync.example.com:8443", false},
        {"store: x", "", false},
        {"public_url: http://127.0.0.1:8080", "http://127.0.0.1:8080", true},
        {"public_url: http://127.0.0.1:8080", NULL, false},
        {"public_url: http://sync.example.com", NULL, true},
        {"public_url: https://sync.example.com/path", NULL, false},
        {"public_url: https://sync.example.com?x", NULL, false},
        {"public_url: https://user@sync.example.com", NULL, false},
        {"public_url: sync.example.com", NULL, false},
        {"public_url: [a]", NULL, false},
    };
    struct reading r;

    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        enum fail failed = read_url(&r, CASES[i].text, CASES[i].allow_loopback);

        print_message("  %s\n", CASES[i].text);
        assert_int_equal(failed, CASES[i].url ? OK : FAIL_CONFIG);
        if (CASES[i].url) {
            assert_true(str_equal(r.url, str_of(CASES[i].url)));
        }
        finish(&r);
    }
    (void)state;
}

static void test_all_members_are_read(void **state)
{
    static const char TEXT[] =
        "webhooks:\n  secret_file: secret\n  former_secret: ${OLD}\n"
        "  accept: [v3, v1]\n  allowed_ips: [192.0.2.0/24, '2001:db8::/32']\n"
        "  path_secret: ${P}\n  app_id: 9001\n  developer_key: ${K}\n";
    struct reading r;

    EXPECT(read_webhooks(&r, "hubspot", TEXT, "https://x.example") == OK, "%s", r.err.message);
    assert_true(r.webhook.is_on);
    assert_string_equal(r.webhook.secret_file.at, "/etc/crmsync/secret");
    assert_true(str_equal(r.webhook.former_secret, STR("${OLD}")));
    assert_true(str_equal(r.webhook.path_secret, STR("${P}")));
    assert_true(str_equal(r.webhook.app_id, STR("9001")));
    assert_true(str_equal(r.webhook.developer_key, STR("${K}")));
    assert_int_equal(r.webhook.signatures, WEBHOOK_V3 | WEBHOOK_V1);
    assert_int_equal(r.webhook.allowed_ips_count, 2);
    finish(&r);
    (void)state;
}

static void test_webhooks_are_switched_on_and_off(void **state)
{
    static const struct {
        const char *text;
        bool is_on;
    } CASES[] = {{"webhooks: true", true}, {"webhooks: false", false},
                 {"webhooks: {}", true},   {"webhooks: {enabled: false}", false},
                 {"webhooks:", false},     {"adapter: pipedrive", false}};
    struct reading r;

    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        print_message("  %s\n", CASES[i].text);
        EXPECT(read_webhooks(&r, "pipedrive", CASES[i].text, "https://x.example") == OK, "%s",
               r.err.message);
        assert_int_equal(r.webhook.is_on, CASES[i].is_on);
        finish(&r);
    }
    (void)state;
}

static void test_a_certificate_is_asked_of_who_has_one(void **state)
{
    struct reading r;

    EXPECT(read_webhooks(&r, "salesforce", "webhooks: {client_certificate: true} # asked",
                         "https://x.example") == OK,
           "%s", r.err.message);
    assert_true(r.webhook.is_on && r.webhook.needs_certificate);
    finish(&r);
    EXPECT(read_webhooks(&r, "salesforce", "webhooks: true # asked", "https://x.example") == OK,
           "%s", r.err.message);
    assert_false(r.webhook.needs_certificate);
    finish(&r);
    (void)state;
}

static void test_what_is_wrong_is_said(void **state)
{
    static const struct {
        const char *adapter, *text, *url, *words;
    } CASES[] = {
        {"pipedrive", "webhooks: true", "", "where this service is reached"},
        {"pipedrive", "webhooks: 5", "u", "webhooks"},
        {"pipedrive", "webhooks: [a]", "u", "webhooks"},
        {"pipedrive", "webhooks: {secrets: x}", "u", "secrets"},
        {"pipedrive", "webhooks: {secret: '${A}'}", "u", "no effect on webhooks of Pipedrive"},
        {"pipedrive", "webhooks: {accept: [v1]}", "u", "no effect on webhooks of Pipedrive"},
        {"hubspot", "webhooks: {password: '${A}'}", "u", "no effect on webhooks of HubSpot"},
        {"salesforce", "webhooks: {app_id: 5}", "u", "no effect on webhooks of Salesforce"},
        {"hubspot", "webhooks: {secret: plain}", "u", "must not stand in the configuration"},
        {"hubspot", "webhooks: {path_secret: plain}", "u", "must not stand in the configuration"},
        {"hubspot", "webhooks: {secret: '${A}', secret_file: b}", "u", "not both"},
        {"hubspot", "webhooks: {accept: []}", "u", "'accept' must be a list"},
        {"hubspot", "webhooks: {accept: [v4]}", "u", "v4"},
        {"hubspot", "webhooks: {allowed_ips: [nowhere]}", "u", "neither an address nor a range"},
        {"hubspot", "webhooks: {allowed_ips: [10.0.0.1/8]}", "u", "neither an address nor a range"},
        {"hubspot", "webhooks: {allowed_ips: []}", "u", "'allowed_ips' must be a list"},
        {"hubspot", "webhooks: {app_id: 5}", "u", "belong together"},
        {"hubspot", "webhooks: {client_certificate: true} # asked", "u", "no effect on webhooks"},
        {"salesforce", "webhooks: {client_certificate: true}", "u", "which certificates are good"},
        {"salesforce", "webhooks: {client_certificate: 5} # asked", "u", "client_certificate"},
        {"hubspot", "webhooks: {app_id: five, developer_key: '${K}'}", "u", "number of the app"},
    };
    struct reading r;

    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        enum fail failed = read_webhooks(&r, CASES[i].adapter, CASES[i].text, CASES[i].url);

        print_message("  %s\n", CASES[i].text);
        assert_int_equal(failed, FAIL_CONFIG);
        EXPECT(strstr(r.err.message, CASES[i].words), "got '%s', wanted '%s'", r.err.message,
               CASES[i].words);
        assert_non_null(strstr(r.err.message, "t.yaml:1"));
        finish(&r);
    }
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_public_address_is_scheme_and_host),
        cmocka_unit_test(test_all_members_are_read),
        cmocka_unit_test(test_webhooks_are_switched_on_and_off),
        cmocka_unit_test(test_a_certificate_is_asked_of_who_has_one),
        cmocka_unit_test(test_what_is_wrong_is_said),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
