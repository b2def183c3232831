/* Many threads at once: every request gets its own answer, nothing is lost, and (under ThreadSanitizer) nothing is shared that must not be. */
#include <stdio.h>

#include "tests/unit/api/world.h"

#include "core/jx.h"

enum { THREADS = 6, ROUNDS = 25 };

struct worker {
    pthread_t thread;
    struct api_world *w;
    int number;
    int wrong; /* answers that were not as they should be */
};

static struct str token_header(const struct api_world *w, struct arena *arena)
{
    AUTO_SECRET struct secret token = {0};

    api_local_token(w->api, &token);
    return arena_printf(arena, "Bearer %" PRI_STR, STR_ARG(secret_expose(&token)));
}

/* The text must be in the answer. */
static void expect_answer(struct worker *worker, enum http_method method, struct str target,
                          struct str body, int status, struct str text)
{
    AUTO_ARENA struct arena arena = {0};
    struct http_request request = {.method = method, .url = target, .body = body};
    struct http_response response = {0};

    http_header_add(&request.headers, STR("Authorization"), token_header(worker->w, &arena));
    http_header_add(&request.headers, STR("Content-Type"), STR("application/json"));
    api_handle(worker->w->api, &request, &response);
    if (response.status != status || !str_contains(response.body, text)) {
        worker->wrong++;
    }
    http_response_fini(&response);
}

static void one_round(struct worker *worker, int round)
{
    AUTO_ARENA struct arena arena = {0};
    struct str email = arena_printf(&arena, "t%d-%d@threads.example", worker->number, round);
    struct api_order order = {.tenant_id = worker->w->data[0].id};
    const struct sync_progress progress = {.phase = "reading", .connection = STR("crm")};
    const struct error fine = {0};

    expect_answer(
        worker, HTTP_POST, STR("/api/crm/records/contact"),
        arena_printf(&arena, "{\"fields\": {\"email\": \"%" PRI_STR "\"}}", STR_ARG(email)), 201,
        email);
    expect_answer(worker, HTTP_GET,
                  arena_printf(&arena, "/api/crm/records/contact/%" PRI_STR, STR_ARG(email)),
                  STR(""), 200, email);
    expect_answer(worker, HTTP_GET, STR("/api/crm/status"), STR(""), 200, STR("\"crm\""));
    expect_answer(worker, HTTP_GET, STR("/api/crm/records/contact/nobody@x.example"), STR(""), 404,
                  STR("\"status\":404"));
    api_order_progress(worker->w->api, order.id, &progress);
    api_order_end(worker->w->api, order.id, NULL, &fine);
    expect_answer(worker, HTTP_POST, STR("/api/crm/sync"), STR("{}"), 202, STR("queued"));
}

static void *work(void *context)
{
    struct worker *worker = context;

    for (int i = 0; i < ROUNDS; i++) {
        one_round(worker, i);
    }
    return NULL;
}

static void test_many_threads(void **state)
{
    AUTO_WORLD struct api_world w;
    struct worker workers[THREADS];
    int wrong = 0;

    (void)state;
    world_open_as(&w, true);
    for (int i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){.w = &w, .number = i};
        assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(workers[i].thread, NULL);
        wrong += workers[i].wrong;
    }
    assert_int_equal(wrong, 0);
    printf("%d requests by %d threads\n", THREADS * ROUNDS * 5, THREADS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_many_threads)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
