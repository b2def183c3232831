/* The receiver over real sockets, with a CRM that signs "right" and lists "kind id key" one a line. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "core/alloc.h"
#include "core/digest.h"
#include "webhooks/receive.h"
#include "tests/unit/http/dialogue.h"
#include "tests/unit/store/fixture.h" /* last: cmocka's macro fail() would break declarations with enum fail */

enum { ANSWER_BYTES = 16 * 1024 };

/* ---- a CRM ---- */

static enum fail verify(const struct webhook_settings *settings,
                        const struct webhook_delivery *delivery, struct webhook_proof *ret,
                        struct error *err)
{
    struct str proof = http_header_get(&delivery->request->headers, "X-Proof");

    if (webhook_door(settings, delivery, err) != OK) {
        return err->code;
    }
    *ret = (struct webhook_proof){.has_mac = !str_equal(proof, STR("unsigned"))};
    sha256(delivery->request->body, ret->mac);
    if (str_equal(proof, STR("old"))) {
        return error_set(err, FAIL_STALE, "signed long ago");
    }
    if (str_equal(proof, STR("none yet"))) {
        return error_set(err, FAIL_CONFIG, "no secret");
    }
    if (!str_equal(proof, STR("unsigned")) && !str_equal(proof, STR("right"))) {
        return error_set(err, FAIL_AUTH, "not signed");
    }
    return str_starts(delivery->public_url, STR("https://crm.example/api/"))
               ? OK
               : error_set(err, FAIL_AUTH, "another address");
}

static enum fail parse(const struct webhook_settings *settings,
                       const struct webhook_delivery *delivery, struct arena *arena,
                       struct webhook_events *ret, struct error *err)
{
    struct str rest = delivery->request->body;
    struct webhook_event *events = ARENA_ARRAY(arena, struct webhook_event, rest.len + 1);
    size_t count = 0;

    (void)settings;
    while (rest.len) {
        struct str line = str_cut(&rest, '\n');
        const char *kind = arena_cstr(arena, str_cut(&line, ' '));
        struct str id = str_cut(&line, ' ');

        if (!line.at) {
            return error_set(err, FAIL_RECORD, "not three words");
        }
        events[count++] = (struct webhook_event){.kind = kind, .remote_id = id, .event_key = line};
    }
    *ret = (struct webhook_events){.at = events, .count = count, .heard = count + 1, .ignored = 1};
    return OK;
}

static void answer(bool is_accepted, struct webhook_answer *ret)
{
    *ret = (struct webhook_answer){.status = is_accepted ? 202 : 500,
                                   .content_type = "application/x-test",
                                   .body = is_accepted ? STR("yes.") : STR("no.")};
}

static const char *const TYPES[] = {"application/json", NULL};
static const struct adapter CRM = {.name = "test",
                                   .webhook_content_types = TYPES,
                                   .webhook_verify = verify,
                                   .webhook_parse = parse,
                                   .webhook_answer = answer};
static const struct adapter SILENT_CRM = {.name = "silent"};

/* ---- the service around it ---- */

struct world {
    struct fixture f;
    struct env env;
    struct http_server *server;
    struct receiver *receiver;
    struct secret path_secret;
    struct receive_connection connections[4];
    atomic_int arrived, failed;
    atomic_long arrived_connection;
};

static void on_arrived(void *context, int64_t tenant_id, int64_t connection_id)
{
    struct world *w = context;

    assert_int_equal(tenant_id, TENANT_DEFAULT);
    atomic_store(&w->arrived_connection, (long)connection_id);
    atomic_fetch_add(&w->arrived, 1);
}

static void on_failed(void *context, const struct error *err)
{
    struct world *w = context;

    assert_int_equal(err->code, FAIL_STOP);
    atomic_fetch_add(&w->failed, 1);
}

static void no_handler(void *context, const struct http_request *request,
                       struct http_response *response)
{
    (void)context, (void)request;
    response->status = 200;
    response->body = STR("elsewhere.");
}

static void start(struct world *w, const struct receiver_options *more)
{
    struct receiver_options options = *more;
    struct http_server_options server = {.address = "127.0.0.1",
                                         .handler = no_handler,
                                         .intake = receiver_intake,
                                         .intake_end = receiver_intake_end,
                                         .body_bytes_max = 2 * WEBHOOK_BODY_BYTES_MAX};

    options.store = w->f.store;
    options.env = &w->env;
    options.arrived = on_arrived;
    options.failed = on_failed;
    options.context = w;
    MUST(&w->f, receiver_start(&options, &w->receiver, &w->f.err));
    receiver_connections_set(w->receiver, w->connections, COUNT_OF(w->connections));
    server.intake_context = w->receiver;
    MUST(&w->f, http_server_start(&server, &w->server, &w->f.err));
}

static void stop(struct world *w)
{
    http_server_stop(TAKE_PTR(w->server));
    receiver_stop(TAKE_PTR(w->receiver));
}

static int set_up(void **state)
{
    struct world *w = alloc_new(1, sizeof *w);

    *state = w;
    fixture_begin_all(&w->f);
    w->env.clock = clock_new_real();
    secret_set(&w->path_secret, STR("s p"));
    w->connections[0] = (struct receive_connection){
        .connection_id = w->f.connection_id, .name = STR("sales"), .adapter = &CRM};
    w->connections[1] =
        (struct receive_connection){.connection_id = fixture_connection(&w->f, "locked"),
                                    .name = STR("locked"),
                                    .adapter = &CRM,
                                    .settings = {.paths = {&w->path_secret}},
                                    .rate_per_s = 3};
    w->connections[2] = (struct receive_connection){
        .connection_id = 99999, .name = STR("removed"), .adapter = &CRM};
    w->connections[3] = (struct receive_connection){
        .connection_id = 99998, .name = STR("silent"), .adapter = &SILENT_CRM};
    for (size_t i = 0; i < COUNT_OF(w->connections); i++) {
        w->connections[i].tenant_id = TENANT_DEFAULT;
        w->connections[i].public_url = STR("https://crm.example");
    }
    w->connections[0].rate_per_s = w->connections[2].rate_per_s = -1;
    fixture_commit(&w->f);
    start(w, &(const struct receiver_options){0});
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;

    stop(w);
    clock_free(w->env.clock);
    secret_fini(&w->path_secret);
    fixture_end(&w->f);
    free(w);
    return 0;
}

static int post_as(struct world *w, const char *method, const char *path, const char *headers,
                   struct str body)
{
    AUTO_ARENA struct arena arena = {0};
    int fd = dial_port(http_server_port(w->server));

    say(fd, arena_printf(&arena, "%s %s HTTP/1.1\r\nHost: h\r\n%sContent-Length: %zu\r\n\r\n",
                         method, path, headers, body.len));
    if (body.len) {
        say(fd, body);
    }
    return fd;
}

#define TYPED "Content-Type: application/json; charset=utf-8\r\n"
#define PROVED TYPED "X-Proof: right\r\n"
#define PATH "/api/crm/webhooks/sales"

static int post(struct world *w, const char *body)
{
    return post_as(w, "POST", PATH, PROVED, str_of(body));
}

/* Closes it. The answer lives until the next one. */
static const char *answer_of(int fd)
{
    static char answer_text[ANSWER_BYTES];

    shutdown(fd, SHUT_WR);
    hear(fd, answer_text, sizeof answer_text, NULL);
    close(fd);
    return answer_text;
}

static bool has_status(const char *answer_text, int status)
{
    int64_t number = 0;

    return strlen(answer_text) > 12 &&
           str_to_i64((struct str){.at = answer_text + strlen("HTTP/1.1 "), .len = 3}, &number) &&
           number == status;
}

#define EXPECT_STATUS(fd, status, why)                                                             \
    do {                                                                                           \
        const char *answer_ = answer_of(fd);                                                       \
        EXPECT(has_status(answer_, (status)), "%s: wanted %d, got '%.100s'", (why), (status),      \
               answer_);                                                                           \
    } while (0)

/* Events in the inbox that were not there the last time; kind and id of the first mark are told. */
static size_t new_events(struct world *w)
{
    size_t count;

    fixture_begin(&w->f);
    MUST(&w->f, inbox_triage(w->f.tx, 1000000, &count, &w->f.err));
    fixture_commit(&w->f);
    return count;
}

static struct receive_counts counts(struct world *w, size_t connection)
{
    struct receive_counts ret;

    assert_true(receiver_counts(w->receiver, w->connections[connection].connection_id, &ret));
    return ret;
}

static int64_t queued(struct world *w)
{
    struct receive_totals totals;

    receiver_totals(w->receiver, &totals);
    return totals.queue_deliveries;
}

#define WAIT_UNTIL(claim)                                                                          \
    do {                                                                                           \
        int64_t until_ms_ = clock_mono_ms(w->env.clock) + GIVE_UP_MS;                              \
        while (!(claim)) {                                                                         \
            EXPECT(clock_mono_ms(w->env.clock) < until_ms_, "never: %s", #claim);                  \
            usleep(500);                                                                           \
        }                                                                                          \
    } while (0)

/* ---- tests ---- */

static void a_delivery_is_in_the_inbox_before_its_answer(void **state)
{
    struct world *w = *state;
    struct dirty_mark *marks;
    size_t count;
    int fd = post(w, "contact 11 k1\ncontact 12 k2\ndeal 7 k3");
    const char *text = answer_of(fd);

    EXPECT(has_status(text, 202) && strstr(text, "yes.") && strstr(text, "application/x-test"),
           "'%s'", text);
    assert_int_equal(new_events(w), 3);
    fixture_begin(&w->f);
    MUST(&w->f, dirty_list(w->f.tx, w->f.connection_id, STR("contact"), STR(""), 10, &w->f.arena,
                           &marks, &count, &w->f.err));
    fixture_commit(&w->f);
    assert_int_equal(count, 2);
    EXPECT_STR(marks[1].remote_id, STR("12"), "second");
    assert_int_equal(atomic_load(&w->arrived), 1);
    assert_int_equal(atomic_load(&w->arrived_connection), w->f.connection_id);
    assert_int_equal(counts(w, 0).accepted, 1);
    assert_int_equal(counts(w, 0).stored, 3);
    assert_int_equal(counts(w, 0).heard, 4);
    assert_int_equal(counts(w, 0).ignored, 1);
}

static void what_is_wrong_is_refused_and_nothing_stored(void **state)
{
    static const struct {
        const char *why, *method, *path, *headers, *body;
        int status;
        int refusal;
    } ROWS[] = {
        {"unknown connection", "POST", "/api/crm/webhooks/other", PROVED, "a b c", 404, -1},
        {"no connection", "POST", "/api/crm/webhooks/", PROVED, "a b c", 404, -1},
        {"adapter without webhooks", "POST", "/api/crm/webhooks/silent", PROVED, "a b c", 404, -1},
        {"GET", "GET", PATH, PROVED, "", 405, REFUSED_METHOD},
        {"no type", "POST", PATH, "X-Proof: right\r\n", "a b c", 415, REFUSED_TYPE},
        {"another type", "POST", PATH, "Content-Type: text/xml\r\nX-Proof: right\r\n", "a b c", 415,
         REFUSED_TYPE},
        {"gzip", "POST", PATH, PROVED "Content-Encoding: gzip\r\n", "a b c", 415, REFUSED_TYPE},
        {"unsigned", "POST", PATH, TYPED, "a b c", 401, REFUSED_FORGED},
        {"forged", "POST", PATH, TYPED "X-Proof: wrong\r\n", "a b c", 401, REFUSED_FORGED},
        {"old", "POST", PATH, TYPED "X-Proof: old\r\n", "a b c", 401, REFUSED_STALE},
        {"no secret yet", "POST", PATH, TYPED "X-Proof: none yet\r\n", "a b c", 503,
         REFUSED_NOT_READY},
        {"malformed", "POST", PATH, PROVED, "a b", 400, REFUSED_MALFORMED},
        {"forged and malformed", "POST", PATH, TYPED, "a b", 401, REFUSED_FORGED},
    };
    struct world *w = *state;
    struct receive_counts before = {0};

    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        int fd = post_as(w, ROWS[i].method, ROWS[i].path, ROWS[i].headers, str_of(ROWS[i].body));
        struct receive_counts after;

        EXPECT_STATUS(fd, ROWS[i].status, ROWS[i].why);
        after = counts(w, 0);
        for (int j = 0; j < RECEIVE_REFUSALS; j++) {
            EXPECT(after.refused[j] == before.refused[j] + (j == ROWS[i].refusal), "%s: count %s",
                   ROWS[i].why, receive_refusal_name((enum receive_refusal)j));
        }
        before = after;
    }
    assert_int_equal(counts(w, 0).accepted, 0);
    assert_int_equal(new_events(w), 0);
    assert_int_equal(atomic_load(&w->arrived), 0);
}

static void a_large_body_is_refused(void **state)
{
    struct world *w = *state;
    AUTO_FREE char *body = alloc_new(1, WEBHOOK_BODY_BYTES_MAX + 2);

    memset(body, 'x', WEBHOOK_BODY_BYTES_MAX + 1);
    EXPECT_STATUS(post(w, body), 413, "one byte too much");
    body[WEBHOOK_BODY_BYTES_MAX] = '\0';
    EXPECT_STATUS(post(w, body), 400, "not too much");
    assert_int_equal(counts(w, 0).refused[REFUSED_SIZE], 1);
}

static void other_paths_are_left_to_others(void **state)
{
    struct world *w = *state;
    int fd = post_as(w, "POST", "/api/crm/webhook/sales", PROVED, STR("a b c"));
    const char *text = answer_of(fd);

    EXPECT(strstr(text, "elsewhere."), "'%s'", text);
}

static void the_path_secret_is_decoded_and_required(void **state)
{
    struct world *w = *state;
    const char *right = "/api/crm/webhooks/locked/s%20p";

    EXPECT_STATUS(post_as(w, "POST", right, PROVED, STR("a b c")), 202, "right");
    EXPECT_STATUS(post_as(w, "POST", "/api/crm/webhooks/locked/sp", PROVED, STR("a b d")), 401,
                  "wrong");
    EXPECT_STATUS(post_as(w, "POST", "/api/crm/webhooks/locked", PROVED, STR("a b e")), 401,
                  "none");
    assert_int_equal(new_events(w), 1);
}

static void more_than_its_rate_is_asked_to_come_later(void **state)
{
    struct world *w = *state;
    const char *path = "/api/crm/webhooks/locked/s%20p";
    int accepted = 0, refused = 0;
    AUTO_ARENA struct arena arena = {0};

    for (int i = 0; i < 10; i++) { /* those that prove nothing use up nothing */
        EXPECT_STATUS(post_as(w, "POST", path, TYPED, STR("a b c")), 401, "forged");
    }
    for (int i = 0; i < 20; i++) {
        int fd = post_as(w, "POST", path, PROVED, arena_printf(&arena, "a b %d", i));
        const char *text = answer_of(fd);

        accepted += has_status(text, 202);
        if (has_status(text, 429)) {
            refused++;
            assert_non_null(strstr(text, "Retry-After: 1"));
            assert_non_null(strstr(text, "no."));
        }
    }
    EXPECT(accepted >= 3 && accepted < 20 && refused == 20 - accepted, "%d accepted, %d refused",
           accepted, refused);
    assert_int_equal(new_events(w), accepted);
}

static void a_repeat_is_answered_as_before_and_stored_once(void **state)
{
    struct world *w = *state;

    for (int i = 0; i < 5; i++) {
        EXPECT_STATUS(post(w, "contact 1 k1"), 202, "signed");
        EXPECT_STATUS(post_as(w, "POST", PATH, TYPED "X-Proof: unsigned\r\n", STR("contact 2 k2")),
                      202, "unsigned");
    }
    assert_int_equal(new_events(w), 2);
    assert_int_equal(counts(w, 0).repeated, 4); /* known before parsing: the signed ones alone */
    assert_int_equal(counts(w, 0).accepted, 6);
    assert_int_equal(counts(w, 0).known, 4); /* known by their key */
    assert_int_equal(counts(w, 0).stored, 2);
    /* What was refused is no repeat when it comes again. */
    EXPECT_STATUS(post(w, "not three"), 400, "malformed");
    EXPECT_STATUS(post(w, "not three"), 400, "malformed again");
}

static void an_empty_delivery_is_accepted(void **state)
{
    struct world *w = *state;

    EXPECT_STATUS(post(w, ""), 202, "nothing for us");
    assert_int_equal(counts(w, 0).accepted, 1);
    assert_int_equal(atomic_load(&w->arrived), 0);
}

static void one_that_does_not_fit_the_store_harms_no_other(void **state)
{
    struct world *w = *state;
    int good[8], bad[2];
    AUTO_ARENA struct arena arena = {0};

    fixture_begin(&w->f); /* so that all of them wait for the same commit */
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        good[i] = post(w, arena_printf(&arena, "contact %zu k%zu", i, i).at);
        if (i < COUNT_OF(bad)) {
            bad[i] = post_as(w, "POST", "/api/crm/webhooks/removed", PROVED, STR("contact 1 k"));
        }
    }
    WAIT_UNTIL(queued(w) == COUNT_OF(good) + COUNT_OF(bad));
    fixture_commit(&w->f);
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        EXPECT_STATUS(good[i], 202, "good");
    }
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        EXPECT_STATUS(bad[i], 503, "of a connection that was removed");
    }
    assert_int_equal(new_events(w), COUNT_OF(good));
}

static void a_full_queue_says_come_later_and_loses_nothing(void **state)
{
    struct world *w = *state;
    enum { ROOM = 4, SENT = 10 };
    int fds[SENT], accepted = 0, refused = 0;
    AUTO_ARENA struct arena arena = {0};

    stop(w);
    start(w, &(const struct receiver_options){.queue_deliveries_max = ROOM});
    fixture_begin(&w->f); /* the store is another's */
    for (int i = 0; i < SENT; i++) {
        fds[i] = post(w, arena_printf(&arena, "contact %d k%d", i, i).at);
    }
    WAIT_UNTIL(counts(w, 0).refused[REFUSED_FULL] == SENT - ROOM);
    fixture_commit(&w->f);
    for (int i = 0; i < SENT; i++) {
        const char *text = answer_of(fds[i]);

        accepted += has_status(text, 202);
        refused += has_status(text, 503) && strstr(text, "Retry-After: 1") && strstr(text, "no.");
    }
    assert_int_equal(accepted, ROOM);
    assert_int_equal(refused, SENT - ROOM);
    assert_int_equal(new_events(w), ROOM);
    for (int i = 0; i < SENT; i++) { /* the same deliveries again: those refused are no repeats */
        EXPECT_STATUS(post(w, arena_printf(&arena, "contact %d k%d", i, i).at), 202, "again");
    }
    assert_int_equal(new_events(w), SENT - ROOM);
    assert_int_equal(counts(w, 0).repeated, ROOM);
}

static void a_queue_full_of_bytes_is_full(void **state)
{
    struct world *w = *state;

    stop(w);
    start(w, &(const struct receiver_options){.queue_bytes_max = 100});
    EXPECT_STATUS(post(w, "contact 1 k1"), 503, "more than the whole queue");
    assert_int_equal(counts(w, 0).refused[REFUSED_FULL], 1);
}

/* Files may not grow: what a full disk looks like to the store. */
static struct rlimit stop_growing(void)
{
    struct rlimit before, now;

    getrlimit(RLIMIT_FSIZE, &before);
    now = before;
    now.rlim_cur = 4096;
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &now);
    return before;
}

static void what_the_store_does_not_take_is_not_acknowledged(void **state)
{
    struct world *w = *state;
    struct rlimit before = stop_growing();
    const char *text = answer_of(post(w, "contact 1 k1"));

    EXPECT(has_status(text, 503) && strstr(text, "Retry-After: 10"), "'%s'", text);
    assert_int_equal(atomic_load(&w->failed), 1);
    EXPECT_STATUS(post(w, "contact 2 k2"), 503, "at once, without asking the store again");
    EXPECT_STATUS(post(w, "contact 1 k1"), 503, "what was not kept is no repeat");
    assert_int_equal(atomic_load(&w->failed), 1);
    setrlimit(RLIMIT_FSIZE, &before);
    stop(w); /* what is on the disk after such a failure is found out by whoever opens it anew */
    assert_int_equal(new_events(w), 0);
    start(w, &(const struct receiver_options){0});
    EXPECT_STATUS(post(w, "contact 1 k1"), 202, "the same one, later");
    assert_int_equal(new_events(w), 1);
}

struct crowd {
    struct world *w;
    int number;
    int accepted;
};

static void *send_many(void *context)
{
    struct crowd *crowd = context;
    AUTO_ARENA struct arena arena = {0};

    for (int i = 0; i < 50; i++) {
        int fd = post(crowd->w, arena_printf(&arena, "contact %d k%d.%d", i, crowd->number, i).at);
        char text[1000];

        shutdown(fd, SHUT_WR);
        hear(fd, text, sizeof text, NULL);
        crowd->accepted += has_status(text, 202);
        close(fd);
    }
    return NULL;
}

/* Connections are replaced meanwhile, and everything is stopped while clients are still sending. */
static void many_at_once_lose_nothing(void **state)
{
    struct world *w = *state;
    struct crowd crowds[8];
    pthread_t threads[COUNT_OF(crowds)];
    int accepted = 0;

    for (size_t i = 0; i < COUNT_OF(crowds); i++) {
        crowds[i] = (struct crowd){.w = w, .number = (int)i};
        assert_int_equal(pthread_create(&threads[i], NULL, send_many, &crowds[i]), 0);
    }
    for (int i = 0; i < 20; i++) {
        receiver_connections_set(w->receiver, w->connections, 1 + (size_t)i % 4);
        usleep(1000);
    }
    for (size_t i = 0; i < COUNT_OF(crowds); i++) {
        pthread_join(threads[i], NULL);
        accepted += crowds[i].accepted;
    }
    assert_int_equal(accepted, 8 * 50);
    assert_int_equal(counts(w, 0).stored, 8 * 50);
    stop(w);
    assert_int_equal(new_events(w), 8 * 50);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_delivery_is_in_the_inbox_before_its_answer),
        TEST(what_is_wrong_is_refused_and_nothing_stored),
        TEST(a_large_body_is_refused),
        TEST(other_paths_are_left_to_others),
        TEST(the_path_secret_is_decoded_and_required),
        TEST(more_than_its_rate_is_asked_to_come_later),
        TEST(a_repeat_is_answered_as_before_and_stored_once),
        TEST(an_empty_delivery_is_accepted),
        TEST(one_that_does_not_fit_the_store_harms_no_other),
        TEST(a_full_queue_says_come_later_and_loses_nothing),
        TEST(a_queue_full_of_bytes_is_full),
        TEST(what_the_store_does_not_take_is_not_acknowledged),
        TEST(many_at_once_lose_nothing),
    };

    return cmocka_run_group_tests_name("receive", tests, NULL, NULL);
}
