/* HubSpot's deliveries: signatures as HubSpot's own libraries make them (tests/fixtures/hubspot/webhook-signatures.json), and events. */
#include "tests/unit/adapters/deliver.h"

#include "adapters/hubspot_inside.h"
#include "core/digest.h"

static const struct adapter *const HS = &adapter_hubspot;
static const int64_t NOW_MS = 1767225601000;

/* --- signatures ------------------------------------------------------------------------------- */

struct vector {
    struct str version, secret, method, uri, time, body, expected;
};

static struct str member(const json_t *row, const char *name, const char *otherwise)
{
    struct str text = jx_text_of(jx_get(row, name));

    return text.at ? text : str_of(otherwise);
}

static struct vector vector_at(const json_t *row)
{
    struct vector vector = {.version = member(row, "version", NULL),
                            .secret = member(row, "clientSecret", NULL),
                            .method = member(row, "method", "POST"),
                            .uri = member(row, "uri", "https://sync.example.test/hooks/hubspot"),
                            .time = member(row, "timestamp", ""),
                            .body = member(row, "body", NULL),
                            .expected = member(row, "expected", NULL)};

    if (jx_get(row, "uriOnWire")) {
        vector.uri = member(row, "uriOnWire", NULL);
    }
    return vector;
}

/* As it would come, a second after it was signed. */
static void put(struct deliver *d, const struct vector *vector, const struct secret *secret)
{
    int64_t signed_ms = NOW_MS;

    d->request.headers.count = 0;
    d->request.method = str_equal(vector->method, STR("GET")) ? HTTP_GET : HTTP_POST;
    d->request.body = vector->body;
    d->delivery.public_url = vector->uri;
    d->settings.signing[0] = secret;
    if (str_equal(vector->version, STR("v3"))) {
        deliver_header(d, "x-hubspot-signature-v3", vector->expected);
        deliver_header(d, "x-hubspot-request-timestamp", vector->time);
        str_to_i64(vector->time, &signed_ms);
    } else {
        deliver_header(d, "X-HubSpot-Signature", vector->expected);
        deliver_header(d, "X-HubSpot-Signature-Version", vector->version);
    }
    d->delivery.received_ms = signed_ms + 1000;
}

static void assert_flips_refused(struct deliver *d, struct str *place)
{
    struct str whole = *place;

    for (size_t i = 0; i < whole.len; i++) {
        char *copy = arena_cstr(&d->arena, whole);

        copy[i] ^= 1;
        *place = (struct str){.at = copy, .len = whole.len};
        assert_int_equal(deliver_verify(d, HS), FAIL_AUTH);
    }
    *place = whole;
    assert_int_equal(deliver_verify(d, HS), OK);
}

/* A flipped digit of the time may still be a time; but not the one that was signed. */
static void assert_every_byte_counts(struct deliver *d)
{
    for (size_t i = 0; i < d->request.headers.count; i++) {
        assert_flips_refused(d, &d->request.headers.at[i].value);
    }
    assert_flips_refused(d, &d->request.body);
}

static void test_signatures_of_hubspots_own_making_fit(void **state)
{
    struct deliver d;
    json_t *file = json_load_file("tests/fixtures/hubspot/webhook-signatures.json", 0, NULL);
    size_t index, seen = 0;
    json_t *row;

    json_array_foreach(json_object_get(file, "vectors"), index, row)
    {
        struct vector vector = vector_at(row);
        struct secret secret = {0}, wrong = {0};

        print_message("  %s\n", json_string_value(json_object_get(row, "name")));
        deliver_begin(&d);
        d.settings.signatures = WEBHOOK_V1 | WEBHOOK_V2 | WEBHOOK_V3;
        secret_set(&secret, vector.secret);
        put(&d, &vector, &secret);
        assert_int_equal(deliver_verify(&d, HS), OK);
        assert_true(d.proof.has_mac);
        assert_every_byte_counts(&d);
        if (!str_equal(vector.version, STR("v1"))) {
            assert_flips_refused(&d, &d.delivery.public_url);
        }
        secret_set(&wrong, STR("11111111-2222-3333-4444-555555555556"));
        d.settings.signing[0] = &wrong;
        assert_int_equal(deliver_verify(&d, HS), FAIL_AUTH);
        secret_fini(&secret);
        secret_fini(&wrong);
        deliver_end(&d);
        seen++;
    }
    assert_int_equal(seen, 11);
    json_decref(file);
    (void)state;
}

#define URL "https://sync.example.test/hooks/hubspot"

/* Signed here, by the rule, for what the published vectors do not have. */
static void sign(struct deliver *d, const char *url, int64_t at_ms, const struct secret *secret)
{
    uint8_t mac[SHA256_BYTES];
    struct str time = arena_printf(&d->arena, "%lld", (long long)at_ms);
    struct str source = arena_printf(&d->arena, "POST%s%" PRI_STR "%" PRI_STR, url,
                                     STR_ARG(d->request.body), STR_ARG(time));

    hmac_sha256(secret_expose(secret), source, mac);
    d->request.headers.count = 0;
    deliver_header(d, "X-HubSpot-Request-Timestamp", time);
    deliver_header(d, "X-HubSpot-Signature-v3", base64_encode(&d->arena, mac, sizeof mac));
}

static void begin(struct deliver *d, struct secret *secret)
{
    deliver_begin(d);
    secret_set(secret, STR("11111111-2222-3333-4444-555555555555"));
    d->settings.signing[0] = secret;
    d->request.body = STR("[]");
    d->delivery.public_url = STR(URL);
    d->delivery.received_ms = NOW_MS;
}

static void test_the_time_of_a_signature_has_bounds(void **state)
{
    static const struct {
        int64_t age_ms;
        enum fail expected;
    } CASES[] = {{0, OK},      {300000, OK},         {300001, FAIL_STALE},   {86400000, FAIL_STALE},
                 {-60000, OK}, {-60001, FAIL_STALE}, {-86400000, FAIL_STALE}};
    struct secret secret = {0};
    struct deliver d;

    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        print_message("  %lld ms old\n", (long long)CASES[i].age_ms);
        begin(&d, &secret);
        sign(&d, URL, NOW_MS - CASES[i].age_ms, &secret);
        assert_int_equal(deliver_verify(&d, HS), CASES[i].expected);
        deliver_end(&d);
    }
    secret_fini(&secret);
    (void)state;
}

static void test_times_that_are_no_numbers_are_refused(void **state)
{
    static const char *const CASES[] = {
        "",       " 1767225601000",       "+1767225601000", "-1",
        "1.7e12", "99999999999999999999", "1767225601000 ", "1767225601000x"};
    struct secret secret = {0};
    struct deliver d;

    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        print_message("  '%s'\n", CASES[i]);
        begin(&d, &secret);
        sign(&d, URL, NOW_MS, &secret);
        d.request.headers.at[0].value = str_of(CASES[i]);
        assert_int_equal(deliver_verify(&d, HS), FAIL_AUTH);
        deliver_end(&d);
    }
    secret_fini(&secret);
    (void)state;
}

/* What was called is what was configured: scheme, host, port, path and query, decoded by HubSpot's list alone. */
static void test_the_address_is_signed_as_it_was_called(void **state)
{
    static const struct {
        const char *signed_url, *called;
        enum fail expected;
    } CASES[] = {
        {URL, "http://sync.example.test/hooks/hubspot", FAIL_AUTH},
        {URL, "https://sync.example.test:443/hooks/hubspot", FAIL_AUTH},
        {URL, "https://sync.example.test/hooks/hubspot/", FAIL_AUTH},
        {URL, "https://other.example.test/hooks/hubspot", FAIL_AUTH},
        {URL "?a=:/?@!$'()*,;", URL "?a=%3a%2F%3F%40%21%24%27%28%29%2a%2C%3b", OK},
        {URL "?a=%20%26%3D%25%2B", URL "?a=%20%26%3D%25%2B", OK},
        {URL "?a= ", URL "?a=%20", FAIL_AUTH},
        {URL "?a=%3A", URL "?a=%3A", FAIL_AUTH},
        {URL "?a=%", URL "?a=%", OK},
        {URL "?a=%3", URL "?a=%3", OK},
        {URL "?a=%zz", URL "?a=%zz", OK},
        {URL "?a=%00", URL "?a=%00", OK},
        {URL "?a=%253A", URL "?a=%253A", OK}, /* decoded once */
    };
    struct secret secret = {0};
    struct deliver d;

    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        print_message("  %s called as %s\n", CASES[i].signed_url, CASES[i].called);
        begin(&d, &secret);
        d.delivery.public_url = str_of(CASES[i].called);
        sign(&d, CASES[i].signed_url, NOW_MS, &secret);
        assert_int_equal(deliver_verify(&d, HS), CASES[i].expected);
        deliver_end(&d);
    }
    secret_fini(&secret);
    (void)state;
}

static void test_two_secrets_are_taken_while_one_is_replaced(void **state)
{
    struct secret next = {0}, former = {0}, oldest = {0};
    struct deliver d;

    begin(&d, &next);
    secret_set(&former, STR("former"));
    secret_set(&oldest, STR("oldest"));
    d.settings.signing[1] = &former;
    sign(&d, URL, NOW_MS, &former);
    assert_int_equal(deliver_verify(&d, HS), OK);
    sign(&d, URL, NOW_MS, &next);
    assert_int_equal(deliver_verify(&d, HS), OK);
    sign(&d, URL, NOW_MS, &oldest);
    assert_int_equal(deliver_verify(&d, HS), FAIL_AUTH);
    deliver_end(&d);
    secret_fini(&next);
    secret_fini(&former);
    secret_fini(&oldest);
    (void)state;
}

/* While one is replaced there is room for two: the empty place beside a true secret opens nothing, in no version. */
static void test_an_empty_place_for_a_secret_is_no_secret(void **state)
{
    struct secret secret = {0}, none = {0};
    uint8_t digest[SHA256_BYTES];
    char text[2 * SHA256_BYTES + 1];
    struct deliver d;

    begin(&d, &secret);
    d.settings.signing[1] = &none;
    d.settings.signatures = WEBHOOK_V1 | WEBHOOK_V2 | WEBHOOK_V3;
    sign(&d, URL, NOW_MS, &none);
    assert_int_equal(deliver_verify(&d, HS), FAIL_AUTH);
    d.request.headers.count = 0;
    sha256(d.request.body, digest); /* version 1 with a secret of no bytes */
    hex_encode(digest, sizeof digest, text);
    deliver_header(&d, "X-HubSpot-Signature", str_of(text));
    deliver_header(&d, "X-HubSpot-Signature-Version", STR("v1"));
    assert_int_equal(deliver_verify(&d, HS), FAIL_AUTH);
    deliver_end(&d);
    secret_fini(&secret);
    (void)state;
}

/* Nobody must come in by a signature made with a secret of no bytes. */
static void test_without_a_secret_nothing_is_taken(void **state)
{
    struct secret none = {0};
    struct deliver d;

    begin(&d, &none);
    secret_fini(&none);
    sign(&d, URL, NOW_MS, &none);
    assert_int_equal(deliver_verify(&d, HS), FAIL_CONFIG);
    assert_non_null(strstr(d.err.hint, "secret"));
    deliver_end(&d);
    (void)state;
}

/* A true signature does not open a door that asks for more, nor counts where its version is not taken. */
static void test_a_true_signature_is_not_all(void **state)
{
    struct secret secret = {0};
    struct deliver d;

    begin(&d, &secret);
    sign(&d, URL, NOW_MS, &secret);
    d.settings.needs_certificate = true;
    assert_int_equal(deliver_verify(&d, HS), FAIL_AUTH);
    d.request.is_client_proved = true;
    assert_int_equal(deliver_verify(&d, HS), OK);
    d.settings.signatures = WEBHOOK_V1 | WEBHOOK_V2;
    assert_int_equal(deliver_verify(&d, HS), FAIL_AUTH);
    deliver_end(&d);
    secret_fini(&secret);
    (void)state;
}

/* Older versions have no time: they are taken where they are asked for, and never in place of a third one that does not fit. */
static void test_older_signatures_are_off(void **state)
{
    uint8_t digest[SHA256_BYTES];
    char text[2 * SHA256_BYTES + 1];
    struct secret secret = {0};
    struct deliver d;

    begin(&d, &secret);
    sha256(arena_printf(&d.arena, "%" PRI_STR "[]", STR_ARG(secret_expose(&secret))), digest);
    hex_encode(digest, sizeof digest, text);
    deliver_header(&d, "X-HubSpot-Signature", str_of(text));
    deliver_header(&d, "X-HubSpot-Signature-Version", STR("v1"));
    assert_int_equal(deliver_verify(&d, HS), FAIL_AUTH);
    d.settings.signatures = WEBHOOK_V3 | WEBHOOK_V2;
    assert_int_equal(deliver_verify(&d, HS), FAIL_AUTH);
    d.settings.signatures = WEBHOOK_V3 | WEBHOOK_V1;
    assert_int_equal(deliver_verify(&d, HS), OK);
    deliver_header(&d, "X-HubSpot-Signature-v3",
                   STR("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="));
    deliver_header(&d, "X-HubSpot-Request-Timestamp", STR("1767225601000"));
    assert_int_equal(deliver_verify(&d, HS), FAIL_AUTH);
    deliver_end(&d);
    secret_fini(&secret);
    (void)state;
}

/* --- events ----------------------------------------------------------------------------------- */

static void parse_text(struct deliver *d, const char *body)
{
    d->request.body = str_of(body);
    assert_int_equal(deliver_parse(d, HS), OK);
}

/* 501 was created, changed twice and merged; 503 went into 777; links are hints for both their ends. */
static void test_a_batch_of_the_older_words_is_read(void **state)
{
    struct deliver d;

    deliver_begin(&d);
    d.settings.account_id = STR("4242");
    d.request.body = deliver_file(&d, "tests/fixtures/hubspot/webhook-batch-legacy.json");
    assert_int_equal(deliver_parse(&d, HS), OK);
    EXPECT(&d, "contact 501 merged", "contact 504 created", "contact 502 deleted",
           "contact 777 merged", "contact 503 merged", "company 8801 created", "contact 505 erased",
           "deal 6601 changed");
    deliver_end(&d);
    (void)state;
}

static void test_a_batch_of_generic_objects_is_read(void **state)
{
    static const struct adapter_object OWN[] = {{"machine", "2-7654321", "machine", 0}};
    struct deliver d;

    deliver_begin(&d);
    d.settings.objects = OWN;
    d.settings.objects_count = 1;
    d.request.body = deliver_file(&d, "tests/fixtures/hubspot/webhook-batch-generic.json");
    assert_int_equal(deliver_parse(&d, HS), OK);
    EXPECT(&d, "contact 501 created", "machine 3301 changed", "ticket 5501 deleted",
           "company 8899 merged", "company 8801 merged", "company 8802 merged",
           "deal 6601 associated", "contact 777 associated");
    assert_int_equal(d.events.heard, 7);
    assert_int_equal(d.events.ignored, 0);
    deliver_end(&d);
    (void)state;
}

static void test_every_kind_of_event_is_known(void **state)
{
    static const struct {
        const char *event, *expected;
    } CASES[] = {
        {"\"subscriptionType\":\"contact.creation\",\"objectId\":1", "contact 1 created"},
        {"\"eventType\":\"company.propertyChange\",\"objectId\":\"2\"", "company 2 changed"},
        {"\"subscriptionType\":\"deal.deletion\",\"objectId\":3", "deal 3 deleted"},
        {"\"subscriptionType\":\"ticket.restore\",\"objectId\":4", "ticket 4 restored"},
        {"\"subscriptionType\":\"contact.privacyDeletion\",\"objectId\":5", "contact 5 erased"},
        {"\"subscriptionType\":\"deal.merge\",\"objectId\":6", "deal 6 merged"},
        {"\"subscriptionType\":\"contact.associationChange\",\"associationType\":\"CONTACT_TO_"
         "ENGAGEMENT\","
         "\"fromObjectId\":7,\"toObjectId\":8",
         "contact 7 associated"},
        {"\"subscriptionType\":\"object.associationChange\",\"fromObjectTypeId\":\"0-48\","
         "\"toObjectTypeId\":\"0-99\",\"fromObjectId\":7,\"toObjectId\":8",
         "activity calls:7 associated"},
        {"\"subscriptionType\":\"object.creation\",\"objectTypeId\":\"0-27\",\"objectId\":9",
         "activity tasks:9 created"},
        {"\"subscriptionType\":\"object.propertyChange\",\"objectTypeId\":\"0-46\",\"objectId\":9",
         "activity notes:9 changed"},
        {"\"subscriptionType\":\"object.deletion\",\"objectTypeId\":\"0-47\",\"objectId\":9",
         "activity meetings:9 deleted"},
        {"\"subscriptionType\":\"object.restore\",\"objectTypeId\":\"0-49\",\"objectId\":9",
         "activity emails:9 restored"},
    };
    struct deliver d;

    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        print_message("  %s\n", CASES[i].expected);
        deliver_begin(&d);
        parse_text(
            &d, arena_printf(&d.arena, "[{%s,\"eventId\":1,\"occurredAt\":5}]", CASES[i].event).at);
        EXPECT(&d, CASES[i].expected);
        assert_int_equal(d.events.at[0].occurred_ms, 5);
        deliver_end(&d);
    }
    (void)state;
}

static void test_what_is_not_for_us_is_counted(void **state)
{
    static const char *const KINDS[] = {"contact", "company"};
    static const char BODY[] =
        "[{\"subscriptionType\":\"contact.creation\",\"objectId\":1,\"portalId\":4242},"
        "{\"subscriptionType\":\"contact.creation\",\"objectId\":2,\"portalId\":77},"
        "{\"subscriptionType\":\"deal.creation\",\"objectId\":3,\"portalId\":4242},"
        "{\"subscriptionType\":\"product.creation\",\"objectId\":4,\"portalId\":4242},"
        "{\"subscriptionType\":\"contact.levitation\",\"objectId\":5,\"portalId\":4242},"
        "{\"subscriptionType\":\"contact.creation\",\"objectId\":null,\"portalId\":4242},"
        "{\"subscriptionType\":17},{}]";
    struct deliver d;

    deliver_begin(&d);
    d.settings.account_id = STR("4242");
    d.settings.kinds = KINDS;
    d.settings.kinds_count = COUNT_OF(KINDS);
    parse_text(&d, BODY);
    EXPECT(&d, "contact 1 created");
    assert_int_equal(d.events.heard, 8);
    assert_int_equal(d.events.ignored, 7);
    assert_int_equal(d.events.foreign, 1);
    deliver_end(&d);
    (void)state;
}

static void test_what_hubspot_does_not_send_is_refused(void **state)
{
    static const char *const CASES[] = {
        "", "{", "{}", "null", "[1]", "[[]]", "[{\"a\":1,\"a\":2}]", "[{}] x", "<xml/>"};
    struct deliver d;

    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        print_message("  %s\n", CASES[i]);
        deliver_begin(&d);
        d.request.body = str_of(CASES[i]);
        assert_int_equal(deliver_parse(&d, HS), FAIL_RECORD);
        deliver_end(&d);
    }
    (void)state;
}

#define CHANGE(id, event, attempt)                                                                 \
    "{\"subscriptionType\":\"contact.propertyChange\",\"objectId\":" id                            \
    ",\"propertyName\":\"email\",\"occurredAt\":1767225600000,\"eventId\":" event                  \
    ",\"attemptNumber\":" attempt "}"

static struct str key_of(struct deliver *d, const char *body)
{
    parse_text(d, body);
    assert_int_equal(d->events.count, 1);
    return d->events.at[0].event_key;
}

/* A repeat has its key again; the same event beside another one has not, or the other would be lost with it. */
static void test_keys_are_of_the_news_not_of_the_attempt(void **state)
{
    struct deliver d;
    struct str first;

    deliver_begin(&d);
    first = key_of(&d, "[" CHANGE("1", "100", "0") "]");
    assert_true(str_equal(first, key_of(&d, "[" CHANGE("1", "100", "3") "]")));
    assert_false(str_equal(first, key_of(&d, "[" CHANGE("1", "101", "0") "]")));
    assert_false(str_equal(first, key_of(&d, "[" CHANGE("2", "100", "0") "]")));
    assert_false(
        str_equal(first, key_of(&d, "[" CHANGE("1", "100", "0") "," CHANGE("1", "101", "0") "]")));
    assert_false(
        str_equal(first, key_of(&d, "[" CHANGE("1", "101", "0") "," CHANGE("1", "100", "0") "]")));
    deliver_end(&d);
    (void)state;
}

#define CHANGE_AT(ms)                                                                              \
    "[{\"subscriptionType\":\"contact.propertyChange\",\"objectId\":1,\"eventId\":2,"              \
    "\"occurredAt\":" ms "}]"

/* So that news of one time meet in the store's index. */
static void test_keys_follow_the_time_of_the_news(void **state)
{
    struct deliver d;
    struct str before, after;

    deliver_begin(&d);
    before = key_of(&d, CHANGE_AT("1767225600000"));
    after = key_of(&d, CHANGE_AT("1767225600001"));
    assert_true(str_starts(before, STR("019b76daa800")));
    assert_true(str_compare(before, after) < 0);
    assert_true(str_starts(key_of(&d, CHANGE_AT("\"soon\"")), STR("000000000000")));
    deliver_end(&d);
    (void)state;
}

static void test_a_hundred_events_of_two_objects_are_two(void **state)
{
    AUTO_BUF struct buf body;
    struct deliver d;

    deliver_begin(&d);
    buf_init(&body, 1 << 16);
    for (int i = 0; i < 100; i++) {
        buf_addf(&body,
                 "%c{\"subscriptionType\":\"contact.propertyChange\",\"objectId\":%d,\"eventId\":%"
                 "d,\"occurredAt\":%d}",
                 i ? ',' : '[', i % 2 + 1, i, 1000 + i);
    }
    buf_add_char(&body, ']');
    parse_text(&d, body.at);
    EXPECT(&d, "contact 1 changed", "contact 2 changed");
    assert_int_equal(d.events.heard, 100);
    assert_int_equal(d.events.at[1].occurred_ms, 1099);
    deliver_end(&d);
    (void)state;
}

static void test_a_delivery_has_an_end(void **state)
{
    AUTO_BUF struct buf body;
    struct deliver d;

    deliver_begin(&d);
    buf_init(&body, 1 << 20);
    for (int i = 0; i <= WEBHOOK_EVENTS_MAX; i++) {
        buf_addf(&body, "%c{\"subscriptionType\":\"contact.creation\",\"objectId\":%d}",
                 i ? ',' : '[', i + 1);
    }
    buf_add_char(&body, ']');
    d.request.body = buf_str(&body);
    assert_int_equal(deliver_parse(&d, HS), FAIL_RECORD);
    deliver_end(&d);
    (void)state;
}

static void test_answers(void **state)
{
    struct webhook_answer answer;

    HS->webhook_answer(true, &answer);
    assert_int_equal(answer.status, 200);
    HS->webhook_answer(false, &answer);
    assert_int_equal(answer.status, 503);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_signatures_of_hubspots_own_making_fit),
        cmocka_unit_test(test_the_time_of_a_signature_has_bounds),
        cmocka_unit_test(test_times_that_are_no_numbers_are_refused),
        cmocka_unit_test(test_the_address_is_signed_as_it_was_called),
        cmocka_unit_test(test_two_secrets_are_taken_while_one_is_replaced),
        cmocka_unit_test(test_an_empty_place_for_a_secret_is_no_secret),
        cmocka_unit_test(test_without_a_secret_nothing_is_taken),
        cmocka_unit_test(test_a_true_signature_is_not_all),
        cmocka_unit_test(test_older_signatures_are_off),
        cmocka_unit_test(test_a_batch_of_the_older_words_is_read),
        cmocka_unit_test(test_a_batch_of_generic_objects_is_read),
        cmocka_unit_test(test_every_kind_of_event_is_known),
        cmocka_unit_test(test_what_is_not_for_us_is_counted),
        cmocka_unit_test(test_what_hubspot_does_not_send_is_refused),
        cmocka_unit_test(test_keys_are_of_the_news_not_of_the_attempt),
        cmocka_unit_test(test_keys_follow_the_time_of_the_news),
        cmocka_unit_test(test_a_hundred_events_of_two_objects_are_two),
        cmocka_unit_test(test_a_delivery_has_an_end),
        cmocka_unit_test(test_answers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
