/* What the API does beyond who may: errors, limits, versions, pages, tokens, and asking in the same process. */
#include "tests/unit/api/world.h"

#include "core/jx.h"

/* Deeper than any body may be. */
#define DEEP "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]"

enum { PAUSE_MS = 60 * 1000, BURST = 40 };

#define ASKED(method_, target_, ...)                                                               \
    ((struct asked){.method = (method_), .target = (target_), __VA_ARGS__})

struct answered {
    struct api_world *w;
    struct arena arena;
    struct http_response response;
    json_t *body; /* NULL none */
};

/* Asks as the service's admin unless said otherwise. */
static int ask(struct answered *a, enum token_kind token, struct asked asked)
{
    struct error err = {0};

    http_response_fini(&a->response);
    world_ask(a->w, token, &asked, &a->response);
    a->body = NULL;
    if (a->response.body.len && jx_parse(&a->arena, a->response.body, &a->body, &err) != OK) {
        a->body = NULL;
    }
    return a->response.status;
}

static void end_answered(struct answered *a)
{
    http_response_fini(&a->response);
    arena_fini(&a->arena);
}
#define AUTO_ANSWERED __attribute__((cleanup(end_answered)))

static struct str header(const struct answered *a, const char *name)
{
    return http_header_get(&a->response.headers, name);
}

static struct str member(const struct answered *a, const char *name)
{
    return jx_text_of(jx_get(a->body, name));
}

static void test_failures_are_problems(void **state)
{
    AUTO_WORLD struct api_world w;
    AUTO_ANSWERED struct answered a = {.w = &w};

    (void)state;
    world_open(&w);
    assert_int_equal(ask(&a, TOKEN_NONE, ASKED(HTTP_GET, "/api/crm/nothing")), 404);
    EXPECT_STR(header(&a, "content-type"), STR("application/problem+json"), "type");
    EXPECT_STR(header(&a, "cache-control"), STR("no-store"), "cache");
    EXPECT_STR(header(&a, "x-content-type-options"), STR("nosniff"), "sniffing");
    EXPECT(header(&a, "access-control-allow-origin").at == NULL, "CORS is off");
    EXPECT_STR(member(&a, "title"), STR("Not Found"), "title");
    assert_int_equal(json_integer_value(jx_get(a.body, "status")), 404);
    assert_int_equal(ask(&a, TOKEN_NONE, ASKED(HTTP_PUT, "/api/crm/records/contact")), 405);
    EXPECT_STR(header(&a, "allow"), STR("GET, HEAD, POST"), "what it knows");
    assert_int_equal(ask(&a, TOKEN_NONE, ASKED(HTTP_GET, "/api/crm/status")), 401);
    EXPECT_STR(header(&a, "www-authenticate"), STR("Bearer realm=\"crmsync\""), "challenge");
    assert_int_equal(ask(&a, TOKEN_VIEWER, ASKED(HTTP_GET, "/api/crm/status?limit=1")), 400);
    EXPECT_STR(member(&a, "hint"), STR("parameters: none"), "what it knows");
    assert_int_equal(ask(&a, TOKEN_VIEWER, ASKED(HTTP_GET, "/api/crm/runs?limit=501")), 400);
    assert_int_equal(ask(&a, TOKEN_VIEWER, ASKED(HTTP_GET, "/api/crm/records/nokind")), 404);
    assert_int_equal(ask(&a, TOKEN_VIEWER, ASKED(HTTP_GET, "/api/crm/conflicts/x")), 404);
}

static int post(struct answered *a, const char *target, const char *body)
{
    clock_wait_ms(a->w->f.env.clock, PAUSE_MS);
    return ask(a, TOKEN_ADMIN, ASKED(HTTP_POST, target, .body = body));
}

static void test_bodies_are_read_strictly(void **state)
{
    static const char *const BAD[] = {"{",
                                      "[]",
                                      "1",
                                      "{\"fields\": 1}",
                                      "{}",
                                      "{\"fields\": {}, \"more\": 1}",
                                      "{\"fields\": {\"nofield\": \"x\"}}",
                                      "{\"fields\": {\"email\": {}}}",
                                      "{\"fields\": {\"email\": [\"a@b.example\"]}}",
                                      "{\"fields\": {\"email\": 1.5}}",
                                      "{\"fields\": {\"email\": \"no address\"}}",
                                      "{\"fields\": {}, \"fields\": {}}",
                                      "{\"fields\": {\"email\": " DEEP "}}"};
    AUTO_WORLD struct api_world w;
    AUTO_ANSWERED struct answered a = {.w = &w};

    (void)state;
    world_open(&w);
    for (size_t i = 0; i < COUNT_OF(BAD); i++) {
        EXPECT(post(&a, "/api/crm/records/contact", BAD[i]) == 400, "%s: %d %" PRI_STR, BAD[i],
               a.response.status, STR_ARG(a.response.body));
        EXPECT_STR(member(&a, "code"), STR("config"), BAD[i]);
    }
    struct http_request request = {.method = HTTP_POST,
                                   .url = STR("/api/crm/records/contact"),
                                   .body = STR("{\"fields\": {}}")};
    http_header_add(
        &request.headers, STR("Authorization"),
        arena_printf(&a.arena, "Bearer %" PRI_STR, STR_ARG(secret_expose(&w.tokens[TOKEN_ADMIN]))));
    http_response_fini(&a.response);
    a.response = (struct http_response){0};
    api_handle(w.api, &request, &a.response);
    assert_int_equal(a.response.status, 415);
    assert_int_equal(post(&a, "/api/crm/records/contact",
                          "{\"fields\": {\"email\": \"Eve@B.example\", \"first_name\": null, "
                          "\"total_orders\": 3}}"),
                     201);
    EXPECT_STR(jx_text_of(jx_get(jx_get(a.body, "fields"), "email")), STR("eve@b.example"),
               "normal form");
    EXPECT_STR(jx_text_of(jx_get(jx_get(a.body, "fields"), "total_orders")), STR("3"), "number");
    EXPECT(str_starts(header(&a, "location"), STR("/api/crm/records/contact/")), "location");
    assert_int_equal(w.edits, 1);
}

static void test_versions_guard_writes(void **state)
{
    AUTO_WORLD struct api_world w;
    AUTO_ANSWERED struct answered a = {.w = &w};
    char path[128];

    (void)state;
    world_open(&w);
    snprintf(path, sizeof path, "/api/crm/records/contact/%s", w.data[0].record);
    assert_int_equal(ask(&a, TOKEN_VIEWER, ASKED(HTTP_GET, path)), 200);
    EXPECT_STR(header(&a, "etag"), STR("\"1\""), "version 1");
    assert_int_equal(
        ask(&a, TOKEN_VIEWER,
            ASKED(HTTP_GET, path, .body = NULL, .headers = {{"If-None-Match", "\"1\""}})),
        304);
    assert_int_equal(a.response.body.len, 0);
    const char *change = "{\"fields\": {\"first_name\": \"Ada\"}}";
    assert_int_equal(
        ask(&a, TOKEN_OPERATOR,
            ASKED(HTTP_PATCH, path, .body = change, .headers = {{"If-Match", "\"7\""}})),
        409);
    assert_int_equal(ask(&a, TOKEN_OPERATOR,
                         ASKED(HTTP_PATCH, path, .body = change, .headers = {{"If-Match", "7"}})),
                     400);
    assert_int_equal(
        ask(&a, TOKEN_OPERATOR,
            ASKED(HTTP_PATCH, path, .body = change, .headers = {{"If-Match", "\"1\""}})),
        200);
    EXPECT_STR(header(&a, "etag"), STR("\"2\""), "version 2");
    assert_int_equal(ask(&a, TOKEN_OPERATOR,
                         ASKED(HTTP_PATCH, path,
                               .body = "{\"fields\": {\"first_name\": \"Eve\"}, \"version\": 1}")),
                     409);
    assert_int_equal(
        ask(&a, TOKEN_OPERATOR,
            ASKED(HTTP_DELETE, path, .body = NULL, .headers = {{"If-Match", "\"1\""}})),
        409);
    assert_int_equal(
        ask(&a, TOKEN_OPERATOR,
            ASKED(HTTP_DELETE, path, .body = NULL, .headers = {{"If-Match", "\"2\""}})),
        204);
    assert_int_equal(ask(&a, TOKEN_VIEWER, ASKED(HTTP_GET, path)), 200);
    EXPECT_STR(member(&a, "state"), STR("deleted"), "its history stays");
}

static void test_conflicts_need_the_version_that_was_shown(void **state)
{
    AUTO_WORLD struct api_world w;
    AUTO_ANSWERED struct answered a = {.w = &w};
    char path[128];

    (void)state;
    world_open(&w);
    snprintf(path, sizeof path, "/api/crm/conflicts/%lld/resolve",
             (long long)w.data[0].conflict_id);
    assert_int_equal(post(&a, path, "{\"take\": \"hub\", \"version\": 9}"), 409);
    EXPECT_STR(member(&a, "code"), STR("stale"), "moved");
    assert_int_equal(post(&a, path, "{\"take\": \"none\"}"), 400);
    assert_int_equal(post(&a, path, "{\"take\": \"hub\", \"value\": \"x\"}"), 400);
    assert_int_equal(post(&a, path, "{\"take\": \"value\", \"value\": \"Ada\", \"version\": 1}"),
                     204);
    assert_int_equal(post(&a, path, "{\"take\": \"hub\"}"), 409);
    assert_int_equal(post(&a, "/api/crm/brake/confirm",
                          "{\"connection\": \"crm\", \"kind\": \"contact\", \"count\": 29}"),
                     409);
    assert_int_equal(post(&a, "/api/crm/brake/confirm",
                          "{\"connection\": \"crm\", \"kind\": \"contact\", \"count\": 30}"),
                     200);
}

static void test_pages_end(void **state)
{
    AUTO_WORLD struct api_world w;
    AUTO_ANSWERED struct answered a = {.w = &w};
    char target[256] = "/api/crm/records/company?q=n&limit=2";
    size_t seen = 0, pages = 0;

    (void)state;
    world_open(&w);
    for (int i = 0; i < 5; i++) {
        char body[128];

        snprintf(body, sizeof body,
                 "{\"fields\": {\"name\": \"Company n %d\"}, \"allow_duplicate\": true}", i);
        assert_int_equal(post(&a, "/api/crm/records/company", body), 201);
    }
    while (target[0]) {
        assert_int_equal(ask(&a, TOKEN_VIEWER, ASKED(HTTP_GET, target)), 200);
        seen += json_array_size(jx_get(a.body, "items"));
        pages++;
        struct str link = header(&a, "link");
        assert_int_equal(link.at != NULL, !json_is_null(jx_get(a.body, "next")));
        snprintf(target, sizeof target, "%" PRI_STR,
                 STR_ARG(link.at ? str_slice(link, 1, link.len - sizeof ">; rel=\"next\"" + 1)
                                 : STR("")));
    }
    assert_int_equal(seen, 5);
    assert_int_equal(pages, 3);
}

static void test_requests_are_limited(void **state)
{
    AUTO_WORLD struct api_world w;
    AUTO_ANSWERED struct answered a = {.w = &w};
    const struct asked status = ASKED(HTTP_GET, "/api/crm/status");

    (void)state;
    world_open(&w);
    for (int i = 0; i < BURST; i++) {
        assert_int_equal(ask(&a, TOKEN_VIEWER, status), 200);
    }
    assert_int_equal(ask(&a, TOKEN_VIEWER, status), 429);
    EXPECT_STR(header(&a, "retry-after"), STR("1"), "seconds");
    assert_int_equal(ask(&a, TOKEN_ADMIN, status), 200);
    clock_wait_ms(w.f.env.clock, 100);
    assert_int_equal(ask(&a, TOKEN_VIEWER, status), 200);
    assert_int_equal(ask(&a, TOKEN_VIEWER, status), 200);
    assert_int_equal(ask(&a, TOKEN_VIEWER, status), 429);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(ask(&a, i % 2 ? TOKEN_GARBLED : TOKEN_NONE, status), 401);
    }
    assert_int_equal(ask(&a, TOKEN_NONE, status), 429);
    assert_int_equal(ask(&a, TOKEN_ADMIN, status), 200);
    clock_wait_ms(w.f.env.clock, 12 * 1000);
    assert_int_equal(ask(&a, TOKEN_NONE, status), 401);
    assert_int_equal(ask(&a, TOKEN_NONE, status), 429);
}

static void test_use_of_a_token_is_noted(void **state)
{
    AUTO_WORLD struct api_world w;
    AUTO_ANSWERED struct answered a = {.w = &w};
    struct store_api_token *tokens;
    size_t count;

    (void)state;
    world_open(&w);
    clock_wait_ms(w.f.env.clock, 2 * PAUSE_MS);
    assert_int_equal(ask(&a, TOKEN_VIEWER, ASKED(HTTP_GET, "/api/crm/runs")), 200);
    clock_wait_ms(w.f.env.clock, 1000);
    assert_int_equal(ask(&a, TOKEN_VIEWER, ASKED(HTTP_GET, "/api/crm/runs")), 200);
    fixture_begin(&w.f);
    MUST(&w.f, api_token_list(w.f.tx, &w.f.arena, &tokens, &count, &w.f.err));
    assert_int_equal(tokens[0].used_ms, START_MS + 2 * PAUSE_MS);
    fixture_commit(&w.f);
}

static void test_syncs_say_how_far_they_are(void **state)
{
    AUTO_WORLD struct api_world w;
    AUTO_ANSWERED struct answered a = {.w = &w};
    const struct sync_progress progress = {.phase = "reading",
                                           .connection = STR("crm"),
                                           .kind = STR("contact"),
                                           .done = 5,
                                           .total = -1};
    const struct sync_report report = {.run_id = 12};
    const struct error fine = {0};
    char path[64];

    (void)state;
    world_open(&w);
    assert_int_equal(post(&a, "/api/crm/sync", "{\"full\": true}"), 202);
    snprintf(path, sizeof path, "%" PRI_STR, STR_ARG(header(&a, "location")));
    assert_true(w.ordered.full && w.ordered.pull && w.ordered.push);
    EXPECT_STR(member(&a, "state"), STR("queued"), "at first");
    api_order_progress(w.api, w.ordered.id, &progress);
    assert_int_equal(ask(&a, TOKEN_VIEWER, ASKED(HTTP_GET, path)), 200);
    EXPECT_STR(member(&a, "state"), STR("running"), "at work");
    assert_int_equal(json_integer_value(jx_get(jx_get(a.body, "progress"), "done")), 5);
    api_order_end(w.api, w.ordered.id, &report, &fine);
    assert_int_equal(ask(&a, TOKEN_VIEWER, ASKED(HTTP_GET, path)), 200);
    EXPECT_STR(member(&a, "state"), STR("done"), "at the end");
    assert_int_equal(json_integer_value(jx_get(jx_get(a.body, "report"), "run")), 12);
    w.refuses = true;
    assert_int_equal(post(&a, "/api/crm/sync", "{}"), 503);
    assert_int_equal(post(&a, "/api/crm/sync", "{\"kind\": \"nokind\"}"), 400);
    assert_int_equal(post(&a, "/api/crm/sync", "{\"pull\": false, \"push\": false}"), 400);
}

static void test_many_syncs_are_remembered_and_no_more(void **state)
{
    AUTO_WORLD struct api_world w;
    AUTO_ANSWERED struct answered a = {.w = &w};
    const struct error fine = {0};
    char first[UUID_TEXT_BYTES], path[64];

    (void)state;
    world_open(&w);
    assert_int_equal(post(&a, "/api/crm/sync", NULL), 202);
    memcpy(first, w.ordered.id, sizeof first);
    for (int i = 1; i < 256; i++) {
        assert_int_equal(post(&a, "/api/crm/sync", NULL), 202);
    }
    assert_int_equal(post(&a, "/api/crm/sync", NULL), 503);
    api_order_end(w.api, first, NULL, &fine);
    assert_int_equal(post(&a, "/api/crm/sync", NULL), 202);
    snprintf(path, sizeof path, "/api/crm/sync/%s", first);
    assert_int_equal(ask(&a, TOKEN_VIEWER, ASKED(HTTP_GET, path)), 404);
}

/* Without a token only where the configuration says so, and only from this machine. */
static void test_who_reads_metrics(void **state)
{
    static const struct {
        bool is_public;
        const char *client;
        enum token_kind token;
        int status;
    } rows[] = {{false, "127.0.0.1", TOKEN_NONE, 401},  {true, "127.0.0.1", TOKEN_NONE, 200},
                {true, "::1", TOKEN_NONE, 200},         {true, "", TOKEN_NONE, 200},
                {true, "192.0.2.7", TOKEN_NONE, 401},   {true, "192.0.2.7", TOKEN_SERVICE, 200},
                {false, "192.0.2.7", TOKEN_VIEWER, 403}};
    AUTO_WORLD struct api_world w;
    AUTO_ANSWERED struct answered a = {.w = &w};

    (void)state;
    world_open(&w);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        int status;

        a.w->metrics_are_public = rows[i].is_public;
        a.w->client = rows[i].client;
        status = ask(&a, rows[i].token, ASKED(HTTP_GET, "/metrics"));
        EXPECT(status == rows[i].status, "row %zu: %d, wanted %d", i, status, rows[i].status);
    }
    a.w->metrics_are_public = true;
    a.w->client = "127.0.0.1";
    EXPECT(ask(&a, TOKEN_NONE, ASKED(HTTP_GET, "/api/crm/tenants")) == 401, "nothing else is open");
}

static void test_asking_in_the_same_process(void **state)
{
    AUTO_WORLD struct api_world w;
    AUTO_ARENA struct arena arena = {0};
    struct error err = {0};
    json_t *body = NULL;

    (void)state;
    world_open(&w);
    assert_int_equal(api_ask(w.api, w.data[1].id, HTTP_GET, STR("/api/crm/records/contact"), NULL,
                             &arena, &body, &err),
                     OK);
    assert_int_equal(json_array_size(jx_get(body, "items")), 1);
    EXPECT(str_contains(jx_text(&arena, body), STR(TAINT)), "of that tenant");
    assert_int_equal(api_ask(w.api, w.data[0].id, HTTP_GET, STR("/api/crm/records/contact/nobody"),
                             NULL, &arena, &body, &err),
                     FAIL_RECORD);
    assert_null(body);
}

static void test_readiness(void **state)
{
    AUTO_WORLD struct api_world w;

    (void)state;
    world_open(&w);
    assert_int_equal(world_status(&w, TOKEN_NONE, HTTP_GET, "/readyz", NULL), 200);
    w.refuses = true;
    assert_int_equal(world_status(&w, TOKEN_NONE, HTTP_GET, "/readyz", NULL), 503);
    assert_int_equal(world_status(&w, TOKEN_ADMIN, HTTP_DELETE, "/api/crm/integrations/crm", NULL),
                     409);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_failures_are_problems),
        cmocka_unit_test(test_bodies_are_read_strictly),
        cmocka_unit_test(test_versions_guard_writes),
        cmocka_unit_test(test_conflicts_need_the_version_that_was_shown),
        cmocka_unit_test(test_pages_end),
        cmocka_unit_test(test_requests_are_limited),
        cmocka_unit_test(test_use_of_a_token_is_noted),
        cmocka_unit_test(test_syncs_say_how_far_they_are),
        cmocka_unit_test(test_many_syncs_are_remembered_and_no_more),
        cmocka_unit_test(test_who_reads_metrics),
        cmocka_unit_test(test_asking_in_the_same_process),
        cmocka_unit_test(test_readiness),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
