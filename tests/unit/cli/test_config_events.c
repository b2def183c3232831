/* `events:` of crmsync.yaml: what is taken, what is refused and with which words. */
#include "cli/config_events.h"
#include "cli/publishing.h"
#include "tests/unit/store/fixture.h"

static enum fail load_as(struct arena *arena, const char *text, bool allow_loopback,
                         struct config_events *ret, struct error *err)
{
    AUTO_YX struct yx_document *document = NULL;
    struct kinds kinds;

    if (kinds_load_embedded(arena, &kinds, err) != OK ||
        yx_load_text(str_of(text), "test.yaml", &document, err) != OK) {
        return err->code;
    }
    return config_events_read(arena, yx_get(yx_root(document), "events"), &kinds, allow_loopback,
                              ret, err);
}

static enum fail load(struct arena *arena, const char *text, struct config_events *ret,
                      struct error *err)
{
    return load_as(arena, text, false, ret, err);
}

static void endpoints_are_read(void **state)
{
    AUTO_ARENA struct arena arena = {0};
    const struct config_endpoint *one, *two;
    struct config_events events;
    struct error err = {0};

    (void)state;
    EXPECT(load(&arena,
                "events:\n  endpoints:\n    one: {url: 'https://a.example:8443/in', secret: "
                "'${ONE}'}\n    two:\n      url: ${TWO_URL}\n      secret: ['${NEW}', '${OLD}']\n"
                "      types: [record.deleted, conflict.opened]\n      kinds: [contact, deal]\n"
                "      fields: all\n      give_up: 6h\n",
                &events, &err) == OK,
           "%s", err.message);
    assert_int_equal(events.endpoints_count, 2);
    one = &events.endpoints[0];
    two = &events.endpoints[1];
    EXPECT(one->filter.types == 0 && one->filter.kinds_count == 0 && one->secrets_count == 1 &&
               one->filter.fields == EVENT_FIELDS_NAMES &&
               one->give_up_ms == INT64_C(3) * 24 * 60 * 60 * 1000,
           "all of them, names alone, three days");
    EXPECT(two->filter.types == (1U << EVENT_RECORD_DELETED | 1U << EVENT_CONFLICT_OPENED) &&
               two->filter.kinds_count == 2 && two->filter.fields == EVENT_FIELDS_ALL &&
               two->give_up_ms == INT64_C(6) * 60 * 60 * 1000 && two->secrets_count == 2,
           "as written");
    EXPECT_STR(two->secrets[1], STR("${OLD}"), "the second");
    EXPECT(load(&arena, "store: x\n", &events, &err) == OK && events.endpoints_count == 0, "none");
    EXPECT(load_as(&arena,
                   "events: {endpoints: {a: {url: 'http://127.0.0.1:1/', secret: '${S}'}}}\n", true,
                   &events, &err) == OK,
           "this machine, when that is allowed: %s", err.message);
}

static void mistakes_have_a_place(void **state)
{
    static const struct {
        const char *endpoint, *message;
    } rows[] = {
        {"[]", "test.yaml:1:"},
        {"{a: b}", "with at least 'url' and 'secret'"},
        {"{a: {secret: '${S}'}}", "url"},
        {"{a: {url: 'https://a.example/'}}", "events are signed"},
        {"{a: {url: 'https://a.example/', secret: whsec_x}}", "${NAME}"},
        {"{a: {url: 'https://a.example/', secret: ['${A}', '${B}', '${C}']}}", "one or two"},
        {"{a: {url: 'http://a.example/', secret: '${S}'}}", "must be https"},
        {"{a: {url: 'https://u:p@a.example/', secret: '${S}'}}", "test.yaml:1:"},
        {"{a: {url: 'http://localhost/', secret: '${S}'}}", "allow_loopback"},
        {"{a: {url: 'https://a.example/', secret: '${S}', types: [record.made]}}",
         "record.created"},
        {"{a: {url: 'https://a.example/', secret: '${S}', types: all}}", "must be a list"},
        {"{a: {url: 'https://a.example/', secret: '${S}', kinds: [person]}}",
         "there is no kind 'person'"},
        {"{a: {url: 'https://a.example/', secret: '${S}', fields: some}}", "names"},
        {"{a: {url: 'https://a.example/', secret: '${S}', give_up: 30d}}", "1m to 14d"},
        {"{a: {url: 'https://a.example/', secret: '${S}', retry: 3}}", "retry"},
        {"{'a b': {url: 'https://a.example/', secret: '${S}'}}", "name"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO_ARENA struct arena arena = {0};
        struct config_events events;
        struct error err = {0};
        char text[512];

        snprintf(text, sizeof text, "events: {endpoints: %s}\n", rows[i].endpoint);
        EXPECT(load(&arena, text, &events, &err) == FAIL_CONFIG &&
                   strstr(err.message, rows[i].message) && strstr(err.message, "test.yaml:1:"),
               "%s gives: %s", rows[i].endpoint, err.message);
    }
}

/* A secret that is not there, or none by the standard, is said when the service starts, and is no reason not to start. */
static void a_secret_that_cannot_be_used(void **state)
{
    static const char *const VALUES[] = {NULL, "short", "whsec_AAAA"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(VALUES); i++) {
        AUTO_FIXTURE struct fixture f;
        struct config_endpoint endpoint = {.name = STR("a"),
                                           .url = STR("https://a.example/"),
                                           .secrets = {STR("${EVENTS_TEST}")},
                                           .secrets_count = 1,
                                           .give_up_ms = 60000};
        const struct config_tenant tenant = {.name = STR("default"), .events = {&endpoint, 1}};
        const struct config config = {.tenants = &tenant, .tenants_count = 1};
        const int64_t id = TENANT_DEFAULT;
        struct publishing *publishing = NULL;
        char *said = NULL;
        size_t said_len;
        FILE *stream = open_memstream(&said, &said_len);

        unsetenv("EVENTS_TEST");
        if (VALUES[i]) {
            setenv("EVENTS_TEST", VALUES[i], 1);
        }
        fixture_begin_all(&f);
        fixture_commit(&f);
        f.env.log = log_new(stream, LOG_FORM_JSON, LOG_INFO, f.env.clock);
        MUST(&f, publishing_start(f.store, &f.env, &config, &id, &publishing, &f.err));
        publishing_stop(publishing);
        log_free(f.env.log);
        fclose(stream);
        EXPECT(strstr(said, "cannot be used") &&
                   strstr(said, VALUES[i] ? "whsec_" : "EVENTS_TEST") &&
                   !(VALUES[i] && strstr(said, "AAAA")),
               "%s", said);
        free(said);
    }
    unsetenv("EVENTS_TEST");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(endpoints_are_read),
        cmocka_unit_test(mistakes_have_a_place),
        cmocka_unit_test(a_secret_that_cannot_be_used),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
