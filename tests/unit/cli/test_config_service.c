/* `service` of crmsync.yaml: what is taken, what is refused and with which words. */
#include "cli/config_service.h"

#include "tests/expect.h"

struct reading {
    struct arena arena;
    struct yx_document *document;
    struct config_service service;
    struct error err;
};

static void finish(struct reading *r)
{
    yx_free(r->document);
    arena_fini(&r->arena);
}

static enum fail read_service(struct reading *r, const char *text)
{
    *r = (struct reading){0};
    EXPECT(yx_load_text(str_of(text), "t.yaml", &r->document, &r->err) == OK, "%s", r->err.message);
    return config_service_read(&r->arena, "/etc/crmsync", yx_root(r->document), &r->service,
                               &r->err);
}

static void test_without_a_word_it_is_plain_and_here(void **state)
{
    struct reading r;

    EXPECT(read_service(&r, "store: x") == OK, "%s", r.err.message);
    assert_true(str_equal(r.service.listen, STR(CONFIG_LISTEN_DEFAULT)));
    assert_null(r.service.tls);
    finish(&r);
    (void)state;
}

static void test_tls_is_read(void **state)
{
    struct reading r;

    EXPECT(read_service(&r, "service: {tls: {certificate: c.pem, key: /k.pem}}") == OK, "%s",
           r.err.message);
    assert_string_equal(r.service.tls->certificate, "/etc/crmsync/c.pem");
    assert_string_equal(r.service.tls->key, "/k.pem");
    assert_null(r.service.tls->client_ca);
    assert_false(r.service.tls->is_newest_only);
    finish(&r);
    EXPECT(read_service(&r, "service: {tls: {certificate: c, key: k, client_ca: ca.pem, "
                            "minimum: 1.3}}") == OK,
           "%s", r.err.message);
    assert_string_equal(r.service.tls->client_ca, "/etc/crmsync/ca.pem");
    assert_true(r.service.tls->is_newest_only);
    finish(&r);
    (void)state;
}

static void test_what_is_wrong_is_said(void **state)
{
    static const struct {
        const char *text, *words;
    } CASES[] = {
        {"service: 5", "must be a mapping"},
        {"service: {listen: here}", "ADDRESS:PORT"},
        {"service: {workers: 0}", "between 1 and"},
        {"service: {tls: true}", "must be a mapping"},
        {"service: {tls: {}}", "needs 'certificate' and 'key'"},
        {"service: {tls: {certificate: c}}", "needs 'certificate' and 'key'"},
        {"service: {tls: {key: k}}", "needs 'certificate' and 'key'"},
        {"service: {tls: {certificate: c, key: k, minimum: 1.1}}", "1.1"},
        {"service: {tls: {certificate: c, key: k, ca: x}}", "ca"},
        {"service: {listen: 'unix:/run/x', tls: {certificate: c, key: k}}", "no effect"},
    };
    struct reading r;

    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        enum fail failed = read_service(&r, CASES[i].text);

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
        cmocka_unit_test(test_without_a_word_it_is_plain_and_here),
        cmocka_unit_test(test_tls_is_read),
        cmocka_unit_test(test_what_is_wrong_is_said),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
