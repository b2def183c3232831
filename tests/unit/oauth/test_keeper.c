/* The keeper against a CRM whose refresh tokens rotate: renewed in time and once, whoever asks; durable before use; killed at every boundary. */
#include "tests/unit/oauth/fixture.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>

enum { THREADS = 8, PROCESSES = 2, LIFE_S = 1800 };

/* Where a process is killed, in the order of a renewal. */
enum boundary {
    ALIVE,
    REQUEST_SENT, /* the CRM has not applied it */
    APPLIED,      /* the CRM has rotated the token, no answer yet */
    ANSWERED,     /* the answer has come, nothing is kept */
    KEPT,         /* committed, not used */
    FIRST_USE,    /* the CRM has the first call with it */
    BOUNDARIES
};

/* The CRM, in memory that all processes share. Tokens are numbered: R<n> is good until it has brought R<n+1>. */
struct crm {
    pthread_mutex_t mutex;
    pthread_barrier_t start;
    int access, refresh;    /* the live ones */
    int exchanges, refused; /* of the token endpoint */
    int calls, unauthorized;
    int status;         /* of the token endpoint; 200 */
    int life_s, hub_id; /* of the next token */
    const char *origin; /* of the API, as it names it; NULL = not */
    bool rotates;
    bool hides_store;      /* the store's file goes away while it answers */
    enum boundary kill_at; /* in a child */
};

static struct crm *crm;
static struct fixture f;
static pid_t parent;

static void die_at(enum boundary boundary)
{
    if (crm->kill_at == boundary && getpid() != parent) {
        raise(SIGKILL);
    }
}

static void move_store(bool away)
{
    char other[4 * OAUTH_PATH_BYTES];

    snprintf(other, sizeof other, "%s.away", f.store_path);
    assert_int_equal(away ? rename(f.store_path, other) : rename(other, f.store_path), 0);
}

static void answer_token(struct http_response *response)
{
    crm->exchanges++;
    crm->access++;
    crm->refresh += crm->rotates;
    response->status = 200;
    if (crm->hides_store) {
        move_store(true);
    }
    response->body = arena_printf(
        &response->arena,
        "{\"access_token\":\"A%d\",\"refresh_token\":\"R%d\",\"expires_in\":%d,"
        "\"hub_id\":%d,\"instance_url\":\"%s\"}",
        crm->access, crm->refresh, crm->life_s, crm->hub_id, crm->origin ? crm->origin : "");
}

static void token_endpoint(const struct http_request *request, struct http_response *response)
{
    char wanted[64];

    snprintf(wanted, sizeof wanted, "&refresh_token=R%d&", crm->refresh);
    if (crm->status != 200) {
        response->status = crm->status;
        response->body = STR("<html>");
    } else if (str_contains(request->body, STR("grant_type=client_credentials")) ||
               str_contains(request->body, str_of(wanted))) {
        answer_token(response);
    } else { /* one that was replaced ends everything, as Salesforce does */
        crm->refused++;
        crm->access = crm->refresh = -1;
        response->status = 400;
        response->body = STR(
            "{\"error\":\"invalid_grant\",\"error_description\":\"expired access/refresh token\"}");
    }
}

static void login(void *context, const struct http_request *request, struct http_response *response)
{
    (void)context;
    die_at(REQUEST_SENT);
    pthread_mutex_lock(&crm->mutex);
    token_endpoint(request, response);
    pthread_mutex_unlock(&crm->mutex);
    die_at(APPLIED);
}

static void api(void *context, const struct http_request *request, struct http_response *response)
{
    char wanted[64];

    (void)context;
    die_at(FIRST_USE);
    pthread_mutex_lock(&crm->mutex);
    crm->calls++;
    snprintf(wanted, sizeof wanted, "Bearer A%d", crm->access);
    response->status =
        str_equal(http_header_get(&request->headers, "Authorization"), str_of(wanted)) ? 200 : 401;
    crm->unauthorized += response->status == 401;
    response->body = STR("{}");
    pthread_mutex_unlock(&crm->mutex);
}

/* The transport, with a boundary behind it. */
struct watched {
    struct transport base;
    struct transport *inner;
};

static void watched_exec(struct transport *transport, struct http_exchange *const *exchanges,
                         size_t count)
{
    struct transport *inner = ((struct watched *)transport)->inner;

    inner->ops->exec(inner, exchanges, count);
    if (str_contains(exchanges[0]->request->url, STR("/token"))) {
        die_at(ANSWERED);
    }
}

static void watched_free(struct transport *transport)
{
    transport_free(((struct watched *)transport)->inner);
}

static enum fail classify(const struct http_response *response, struct http_account *account,
                          struct error *err)
{
    (void)account;
    return response->status == 401 ? error_set(err, FAIL_AUTH, "the CRM refused the token") : OK;
}

static void network(void)
{
    static const struct transport_ops OPS = {.exec = watched_exec, .free = watched_free};
    static struct watched watched;

    fixture_network(&f, login, api, NULL);
    watched = (struct watched){.base = {.ops = &OPS}, .inner = f.env.transport};
    f.env.transport = &watched.base;
}

/* One call of the API as an adapter would make it. Safe in any thread: it uses nothing of the fixture's but what is shared. */
static enum fail call(struct keeper *keeper, struct error *err)
{
    struct http_account account = {.classify = classify, .auth = keeper_auth(keeper)};
    struct http_call one = {
        .request = {.method = HTTP_GET, .url = STR("https://one.api.crm.example/things")},
        .is_safe = true};
    struct http_call *list[] = {&one};
    enum fail failed = http_exec(f.http, &account, list, 1, err);

    if (failed == OK && one.result != OK) {
        *err = one.error;
        failed = err->code;
    }
    http_call_fini(&one);
    return failed;
}

static enum fail call_anew(void)
{
    struct keeper *keeper = keeper_new(&f.connection);
    enum fail failed;

    error_reset(&f.err);
    failed = call(keeper, &f.err);
    keeper_free(keeper);
    return failed;
}

static void crm_begin(void)
{
    pthread_mutexattr_t shared;
    pthread_barrierattr_t barrier;

    crm = mmap(NULL, sizeof *crm, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(crm != MAP_FAILED);
    *crm = (struct crm){.access = 1,
                        .refresh = 1,
                        .status = 200,
                        .life_s = LIFE_S,
                        .hub_id = 4242,
                        .rotates = true};
    pthread_mutexattr_init(&shared);
    pthread_mutexattr_setpshared(&shared, PTHREAD_PROCESS_SHARED);
    pthread_mutex_init(&crm->mutex, &shared);
    pthread_barrierattr_init(&barrier);
    pthread_barrierattr_setpshared(&barrier, PTHREAD_PROCESS_SHARED);
    pthread_barrier_init(&crm->start, &barrier, PROCESSES * THREADS);
}

static int begin(struct clock *clock)
{
    f = (struct fixture){.env = {.clock = clock, .random = random_new_system()}};
    parent = getpid();
    crm_begin();
    network();
    fixture_client(&f);
    fixture_store(&f);
    return 0;
}

static int set_up(void **state)
{
    (void)state;
    return begin(clock_new_virtual(INT64_C(1000) * OAUTH_START_S));
}

static int set_up_real(void **state)
{
    (void)state;
    return begin(clock_new_real());
}

static int tear_down(void **state)
{
    (void)state;
    fixture_end(&f);
    munmap(crm, sizeof *crm);
    return 0;
}

static int64_t now_ms(void)
{
    return clock_wall_ms(f.env.clock);
}

static enum connection_state state_now(void)
{
    return fixture_row(&f).state;
}

#define EXPECT_CRM(exchanges_, refused_, why)                                                      \
    EXPECT(crm->exchanges == (exchanges_) && crm->refused == (refused_),                           \
           "%s: %d exchanges and %d refused", (why), crm->exchanges, crm->refused)

/* --- one thread ---------------------------------------------------------------------------------------------- */

static void test_before_it_expires(void **state)
{
    struct keeper *keeper;

    (void)state;
    fixture_sign_in(&f, "A1", "R1", now_ms() + 1000 * LIFE_S);
    keeper = keeper_new(&f.connection);
    MUST(&f, call(keeper, &f.err));
    clock_wait_ms(f.env.clock, 1000 * LIFE_S - KEEPER_EARLY_MS - 1000);
    MUST(&f, call(keeper, &f.err));
    EXPECT_CRM(0, 0, "before");
    clock_wait_ms(f.env.clock, 1000);
    MUST(&f, call(keeper, &f.err));
    MUST(&f, call(keeper, &f.err));
    EXPECT_CRM(1, 0, "60 s before its end");
    assert_int_equal(crm->unauthorized, 0);
    keeper_free(keeper);
    MUST(&f, call_anew()); /* another process finds it in the store */
    EXPECT_CRM(1, 0, "kept");
}

static void test_short_life(void **state)
{
    struct keeper *keeper = keeper_new(&f.connection);

    (void)state;
    crm->life_s = 40;
    fixture_sign_in(&f, "A1", "R1", now_ms() - 1);
    MUST(&f, call(keeper, &f.err));
    MUST(&f, call(keeper, &f.err));
    EXPECT_CRM(1, 0, "not at every call");
    clock_wait_ms(f.env.clock, 20 * 1000);
    MUST(&f, call(keeper, &f.err));
    EXPECT_CRM(2, 0, "in its last half");
    keeper_free(keeper);
}

static void test_refused_token_is_renewed_once(void **state)
{
    (void)state;
    fixture_sign_in(&f, "A1", "R1", 0); /* the CRM does not say how long */
    crm->access = 5;
    MUST(&f, call_anew());
    EXPECT_CRM(1, 0, "refused");
    assert_int_equal(crm->unauthorized, 1);
}

static void test_nobody_signed_in(void **state)
{
    (void)state;
    assert_int_equal(call_anew(), FAIL_AUTH);
    EXPECT(strstr(f.err.message, "nobody has signed in"), "%s", f.err.message);
    EXPECT(strstr(f.err.hint, "crmsync connect main"), "%s", f.err.hint);
    fixture_sign_in(&f, "A1", "", now_ms() - 1);
    assert_int_equal(call_anew(), FAIL_AUTH);
    EXPECT(strstr(f.err.message, "without one to renew it with"), "%s", f.err.message);
    EXPECT_CRM(0, 0, "nothing to ask with");
    assert_int_equal(state_now(), CONNECTION_NEEDS_AUTH);
}

/* A token is never sent to another sign-in server, or with another app's name, than the one it came by. */
static void test_tokens_of_another_app(void **state)
{
    bool found;

    (void)state;
    fixture_sign_in(&f, "A1", "R1", now_ms() - 1);
    f.connection.client.client_id = STR("app-0002");
    assert_int_equal(call_anew(), FAIL_AUTH);
    EXPECT(strstr(f.err.message, "only for other ones"), "%s", f.err.message);
    f.connection.client.client_id = STR(CLIENT_ID);
    f.connection.client.login_origin = STR("https://two.api.crm.example");
    assert_int_equal(call_anew(), FAIL_AUTH);
    EXPECT_CRM(0, 0, "not asked");
    f.connection.client.login_origin = STR("");
    assert_int_equal(fixture_generation(&f, &found), 1);
    assert_true(found);
    MUST(&f, call_anew());
}

static void test_grant_that_ended(void **state)
{
    struct keeper *keeper;
    bool found;

    (void)state;
    fixture_sign_in(&f, "A1", "R0", now_ms() - 1);
    keeper = keeper_new(&f.connection);
    assert_int_equal(call(keeper, &f.err), FAIL_AUTH);
    EXPECT(strstr(f.err.message, "invalid_grant"), "%s", f.err.message);
    assert_int_equal(call(keeper, &f.err), FAIL_AUTH);
    EXPECT_CRM(0, 1, "asked once");
    assert_int_equal(state_now(), CONNECTION_NEEDS_AUTH);
    EXPECT(str_contains(fixture_row(&f).reason, STR("invalid_grant")), "%s",
           fixture_row(&f).reason.at);
    assert_int_equal(fixture_generation(&f, &found), 1);
    assert_true(found); /* never deleted */
    /* Somebody signs in, in another process: the same keeper goes on. */
    crm->access = crm->refresh = 7;
    fixture_sign_in(&f, "A7", "R7", now_ms() + 1000 * LIFE_S);
    error_reset(&f.err);
    MUST(&f, call(keeper, &f.err));
    keeper_free(keeper);
}

/* The sign-in server is away: a token that is still good is used on, and nobody is signed out. */
static void test_server_away(void **state)
{
    struct keeper *keeper;

    (void)state;
    fixture_sign_in(&f, "A1", "R1", now_ms() + 1000 * LIFE_S);
    clock_wait_ms(f.env.clock, 1000 * LIFE_S - 30 * 1000);
    crm->status = 503;
    keeper = keeper_new(&f.connection);
    MUST(&f, call(keeper, &f.err));
    MUST(&f, call(keeper, &f.err));
    clock_wait_ms(f.env.clock, 31 * 1000);
    assert_int_equal(call(keeper, &f.err), FAIL_RETRY);
    assert_int_equal(state_now(), CONNECTION_ACTIVE);
    crm->status = 200;
    clock_wait_ms(f.env.clock, 120 * 1000); /* the breaker of that host */
    error_reset(&f.err);
    MUST(&f, call(keeper, &f.err));
    EXPECT_CRM(1, 0, "back");
    keeper_free(keeper);
}

static void test_app_asks_for_itself(void **state)
{
    (void)state;
    f.connection.client.grant = OAUTH_CLIENT_CREDENTIALS;
    MUST(&f, call_anew());
    MUST(&f, call_anew());
    EXPECT_CRM(1, 0, "kept");
    crm->access++; /* ended by inactivity: only the refusal says so */
    MUST(&f, call_anew());
    EXPECT_CRM(2, 0, "asked anew");
}

/* Or else a sync would undo 'disconnect'. */
static void test_app_that_was_signed_out(void **state)
{
    struct keeper_work work;
    struct keeper *keeper;

    (void)state;
    f.connection.client.grant = OAUTH_CLIENT_CREDENTIALS;
    MUST(&f, keeper_work_begin(&f.connection, &work, &f.err));
    MUST(&f, connection_state_set(work.tx, f.connection.connection_id, CONNECTION_NEEDS_AUTH,
                                  STR("signed out"), &f.err));
    MUST(&f, tx_commit(&work.tx, &f.err));
    keeper_work_end(&work);
    keeper = keeper_new(&f.connection);
    assert_int_equal(call(keeper, &f.err), FAIL_AUTH);
    EXPECT(strstr(f.err.message, "nobody has signed in"), "%s", f.err.message);
    EXPECT(strstr(f.err.hint, "crmsync connect"), "%s", f.err.hint);
    EXPECT_CRM(0, 0, "not asked");
    fixture_sign_in(&f, "A0", "", 0); /* as 'connect' does */
    crm->access++;                    /* ended meanwhile */
    MUST(&f, call(keeper, &f.err));
    EXPECT_CRM(1, 0, "asked again after a sign-in");
    keeper_free(keeper);
}

static void link_account(const char *account)
{
    struct keeper_work work;

    MUST(&f, keeper_work_begin(&f.connection, &work, &f.err));
    MUST(&f, connection_account_set(work.tx, f.connection.connection_id, str_of(account),
                                    STR("Acme"), &f.err));
    MUST(&f, tx_commit(&work.tx, &f.err));
    keeper_work_end(&work);
}

/* An app's settings at the CRM decide which account its tokens open. */
static void test_app_of_another_account(void **state)
{
    bool found;

    (void)state;
    f.connection.client.grant = OAUTH_CLIENT_CREDENTIALS;
    link_account("4242");
    crm->hub_id = 4243;
    assert_int_equal(call_anew(), FAIL_CONNECTION);
    EXPECT(strstr(f.err.message, "for account 4243, but the connection is linked to account 4242"),
           "%s", f.err.message);
    assert_int_equal(crm->calls, 0);
    fixture_generation(&f, &found);
    assert_false(found);
    crm->hub_id = 4242;
    MUST(&f, call_anew());
}

/* Another name to act as in the configuration is another token. */
static void test_tokens_of_another_user(void **state)
{
    bool found;

    (void)state;
    f.connection.client.grant = OAUTH_JWT_BEARER;
    f.connection.client.username = STR("one@acme.example");
    fixture_sign_in(&f, "A1", "", 0);
    fixture_generation(&f, &found);
    assert_true(found);
    f.connection.client.username = STR("two@acme.example");
    fixture_generation(&f, &found);
    assert_false(found);
}

/* A host that is not the CRM's gets nothing, but the rotated token that came with its name is kept, and the CRM may think better of it. */
static void test_host_that_is_not_the_crms(void **state)
{
    struct keeper *keeper;
    bool found;

    (void)state;
    crm->origin = "https://api.crm.example.evil.example";
    fixture_sign_in(&f, "A1", "R1", now_ms() - 1);
    keeper = keeper_new(&f.connection);
    assert_int_equal(call(keeper, &f.err), FAIL_CONNECTION);
    EXPECT(strstr(f.err.message, "which is not a host of this CRM"), "%s", f.err.message);
    assert_int_equal(call(keeper, &f.err), FAIL_CONNECTION);
    EXPECT_CRM(1, 0, "not asked again and again");
    assert_int_equal(crm->calls, 0);
    assert_int_equal(fixture_generation(&f, &found), 2);
    keeper_free(keeper);
    assert_int_equal(call_anew(), FAIL_CONNECTION); /* the stored one is checked as well */
    EXPECT_CRM(2, 0, "asked once by each process");
    crm->origin = "https://one.api.crm.example";
    MUST(&f, call_anew());
    EXPECT_CRM(3, 0, "better");
    assert_int_equal(crm->calls, 1);
}

/* What cannot be kept is not used. */
static void test_store_is_gone_when_the_answer_comes(void **state)
{
    (void)state;
    fixture_sign_in(&f, "A1", "R1", now_ms() - 1);
    crm->hides_store = true;
    assert_int_equal(call_anew(), FAIL_CONFIG);
    EXPECT(strstr(f.err.message, "could not be kept, and is not used"), "%s", f.err.message);
    EXPECT_CRM(1, 0, "asked");
    assert_int_equal(crm->calls, 0);
    move_store(false);
}

/* --- many at once -------------------------------------------------------------------------------------------- */

static void *thread_main(void *context)
{
    struct error err = {0};
    struct keeper *keeper = context;
    enum fail failed;

    pthread_barrier_wait(&crm->start);
    failed = call(keeper, &err);
    if (failed != OK) {
        fprintf(stderr, "%s\n", err.message);
    }
    return failed == OK ? NULL : context;
}

/* Returns the number of threads that failed. */
static int child_main(void)
{
    pthread_t threads[THREADS];
    struct keeper *keeper;
    int failed = 0;

    fixture_network_end(&f);
    network();
    keeper = keeper_new(&f.connection);
    for (int i = 0; i < THREADS; i++) {
        failed += pthread_create(&threads[i], NULL, thread_main, keeper) != 0;
    }
    for (int i = 0; i < THREADS; i++) {
        void *result = NULL;

        pthread_join(threads[i], &result);
        failed += result != NULL;
    }
    keeper_free(keeper);
    return failed;
}

static int status_of(pid_t child)
{
    int status = 0;

    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static void run_all_at_once(void)
{
    pid_t children[PROCESSES];

    for (int i = 0; i < PROCESSES; i++) {
        children[i] = fork();
        if (children[i] == 0) {
            _exit(child_main());
        }
    }
    for (int i = 0; i < PROCESSES; i++) {
        assert_int_equal(status_of(children[i]), 0);
    }
}

static void test_threads_and_processes_exchange_once(void **state)
{
    (void)state;
    fixture_sign_in(&f, "A1", "R1", now_ms() - 1);
    run_all_at_once();
    EXPECT_CRM(1, 0, "expired");
    assert_int_equal(crm->unauthorized, 0);
    assert_int_equal(crm->calls, PROCESSES * THREADS);
    printf("fault=refreshed-at-once processes=%d threads=%d exchanges=%d\n", PROCESSES, THREADS,
           crm->exchanges);
}

static void test_threads_and_processes_are_refused_at_once(void **state)
{
    (void)state;
    fixture_sign_in(&f, "A1", "R1", now_ms() + 1000 * LIFE_S);
    crm->access = 5;
    run_all_at_once();
    EXPECT_CRM(1, 0, "refused");
    /* Whoever came after the renewal was not refused; nobody was refused twice. */
    assert_true(crm->unauthorized >= 1 && crm->unauthorized <= PROCESSES * THREADS);
    assert_int_equal(crm->calls, PROCESSES * THREADS + crm->unauthorized);
}

/* --- killed -------------------------------------------------------------------------------------------------- */

static void child_renews(void)
{
    struct keeper *keeper;
    struct error err = {0};
    struct http_credential credential = {0};
    enum fail failed;

    fixture_network_end(&f);
    network();
    keeper = keeper_new(&f.connection);
    failed = keeper_auth(keeper)->get(keeper_auth(keeper), 0, &credential, &err);
    die_at(KEPT);
    http_credential_fini(&credential);
    failed = failed ? failed : call(keeper, &err);
    _exit(failed == OK ? 0 : 1);
}

/* What the next process finds: the token works, or somebody has to sign in and then everything goes on. */
static void check_after(enum boundary boundary, bool rotates)
{
    bool lost = rotates && (boundary == APPLIED || boundary == ANSWERED);
    bool kept = boundary == KEPT || boundary == FIRST_USE || boundary == ALIVE;
    int exchanges = crm->exchanges;
    bool found;

    crm->kill_at = ALIVE;
    EXPECT(call_anew() == (lost ? FAIL_AUTH : OK), "boundary %d, rotates %d: %s", boundary, rotates,
           f.err.message);
    assert_int_equal(fixture_generation(&f, &found), lost ? 1 : 2);
    assert_true(found);
    assert_int_equal(state_now(), lost ? CONNECTION_NEEDS_AUTH : CONNECTION_ACTIVE);
    EXPECT(crm->exchanges - exchanges == (kept || lost ? 0 : 1),
           "boundary %d, rotates %d: %d exchanges more", boundary, rotates,
           crm->exchanges - exchanges);
    if (lost) {
        crm->access = crm->refresh = 9;
        fixture_sign_in(&f, "A9", "R9", now_ms() - 1);
        MUST(&f, call_anew());
    }
}

static void test_killed_at_every_boundary(void **state)
{
    for (int rotates = 0; rotates <= 1; rotates++) {
        for (enum boundary boundary = ALIVE; boundary < BOUNDARIES; boundary++) {
            pid_t child;
            int status;

            set_up_real(state);
            crm->rotates = rotates;
            crm->kill_at = boundary;
            fixture_sign_in(&f, "A1", "R1", now_ms() - 1);
            child = fork();
            if (child == 0) {
                child_renews();
            }
            status = status_of(child);
            if (boundary == ALIVE) {
                assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
            } else {
                EXPECT(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL,
                       "boundary %d was not reached", boundary);
            }
            check_after(boundary, rotates);
            tear_down(state);
        }
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define TEST_REAL(name) cmocka_unit_test_setup_teardown(name, set_up_real, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_before_it_expires),
        TEST(test_short_life),
        TEST(test_refused_token_is_renewed_once),
        TEST(test_nobody_signed_in),
        TEST(test_tokens_of_another_app),
        TEST(test_grant_that_ended),
        TEST(test_server_away),
        TEST(test_app_asks_for_itself),
        TEST(test_app_that_was_signed_out),
        TEST(test_app_of_another_account),
        TEST(test_tokens_of_another_user),
        TEST(test_host_that_is_not_the_crms),
        TEST(test_store_is_gone_when_the_answer_comes),
        TEST_REAL(test_threads_and_processes_exchange_once),
        TEST_REAL(test_threads_and_processes_are_refused_at_once),
        cmocka_unit_test(test_killed_at_every_boundary),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
