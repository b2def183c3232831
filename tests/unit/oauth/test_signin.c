/* Signing in and out: what the address promises, whose answer is taken and how often, and that one connection stays one account's. */
#include "tests/unit/oauth/fixture.h"

#include <fcntl.h>
#include <openssl/sha.h>
#include <sys/stat.h>

#include "core/base64.h"
#include "core/digest.h"
#include "oauth/signin.h"

static struct {
    int exchanges, revoked;
    int hub_id; /* that comes with the token */
    bool refuses;
    char form[OAUTH_BODY_BYTES], revoke_form[OAUTH_BODY_BYTES];
} server;

static struct {
    const char *account; /* that the API says the token opens */
    enum fail failed;
    int asked;
} crm;

static struct fixture f;

static void login(void *context, const struct http_request *request, struct http_response *response)
{
    bool is_revoke = str_equal(http_path(request), STR("/revoke"));

    (void)context;
    snprintf(is_revoke ? server.revoke_form : server.form, OAUTH_BODY_BYTES, "%" PRI_STR,
             STR_ARG(request->body));
    server.revoked += is_revoke;
    server.exchanges += !is_revoke;
    response->status = server.refuses ? 400 : 200;
    response->body =
        server.refuses
            ? STR("{\"error\":\"invalid_grant\"}")
            : arena_printf(&response->arena,
                           "{\"access_token\":\"A%d\",\"refresh_token\":\"R%d\",\"expires_in\":"
                           "1800,\"hub_id\":%d,\"instance_url\":\"https://one.api.crm.example\"}",
                           server.exchanges, server.exchanges, server.hub_id);
}

static enum fail identify(void *context, struct http_auth *auth, struct arena *arena,
                          struct signin_account *ret, struct error *err)
{
    struct http_credential credential = {0};
    char wanted[32];

    (void)context;
    crm.asked++;
    MUST(&f, auth->get(auth, 0, &credential, err));
    snprintf(wanted, sizeof wanted, "Bearer A%d", server.exchanges);
    EXPECT_STR(secret_expose(&credential.header), str_of(wanted), "the new token");
    assert_string_equal(credential.origin, "https://one.api.crm.example");
    http_credential_fini(&credential);
    assert_int_equal(auth->get(auth, 1, &credential, err), FAIL_AUTH);
    error_reset(err);
    if (crm.failed != OK) {
        return error_set(err, crm.failed, "the CRM is away");
    }
    *ret =
        (struct signin_account){.id = arena_str(arena, str_of(crm.account)), .title = STR("Acme")};
    return OK;
}

static int set_up(void **state)
{
    (void)state;
    memset(&server, 0, sizeof server);
    memset(&crm, 0, sizeof crm);
    crm.account = "4242";
    server.hub_id = 4242;
    f = (struct fixture){.env = {.clock = clock_new_virtual(INT64_C(1000) * OAUTH_START_S),
                                 .random = random_new_seeded(12)}};
    fixture_network(&f, login, NULL, NULL);
    fixture_client(&f);
    fixture_store(&f);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    fixture_end(&f);
    return 0;
}

static struct str begin(void)
{
    struct str url;

    error_reset(&f.err);
    MUST(&f, signin_begin(&f.connection, &f.arena, &url, &f.err));
    return url;
}

static struct str query(struct str url, const char *name)
{
    const struct http_request request = {.url = url};

    return http_query_get(&f.arena, &request, name);
}

static enum fail finish(struct str state, const char *code)
{
    const struct signin_answer answer = {.state = state, .code = str_of(code)};
    struct signin_account account = {0};

    error_reset(&f.err);
    return signin_finish(&f.connection, &answer, identify, NULL, &f.arena, &account, &f.err);
}

static void test_address(void **state)
{
    struct str url = begin(), again = begin();
    struct str challenge = query(again, "code_challenge"), hash;
    const char *verifier;
    uint8_t wanted[SHA256_BYTES];

    (void)state;
    assert_true(str_starts(
        url, STR("https://login.crm.example/authorize?response_type=code&client_id=app-0001&")));
    EXPECT_STR(query(url, "redirect_uri"), STR("http://localhost:8710/callback"), "redirect_uri");
    EXPECT_STR(query(url, "scope"), STR("read write"), "scope");
    EXPECT_STR(query(url, "code_challenge_method"), STR("S256"), "method");
    assert_int_equal(query(url, "state").len, 43); /* 256 bits */
    assert_false(str_equal(query(url, "state"), query(again, "state")));
    assert_false(str_equal(query(url, "code_challenge"), challenge));
    MUST(&f, finish(query(again, "state"), "C"));
    verifier = strstr(server.form, "code_verifier=");
    assert_non_null(verifier);
    verifier += strlen("code_verifier=");
    assert_int_equal(strcspn(verifier, "&"), 128);
    sha256((struct str){.at = verifier, .len = 128}, wanted);
    assert_true(base64url_decode(&f.arena, challenge, &hash) && hash.len == sizeof wanted);
    assert_memory_equal(hash.at, wanted, sizeof wanted);
}

static bool file_holds(const char *path, struct str text)
{
    int fd = open(path, O_RDONLY);
    struct stat facts;
    char *at;
    bool holds;

    assert_true(fd >= 0 && fstat(fd, &facts) == 0);
    at = arena_alloc(&f.arena, (size_t)facts.st_size + 1, 1);
    assert_int_equal(read(fd, at, (size_t)facts.st_size), facts.st_size);
    close(fd);
    holds = memmem(at, (size_t)facts.st_size, text.at, text.len) != NULL;
    return holds;
}

/* The store's file gives nobody the other half of a sign-in. */
static void test_state_is_kept_as_a_hash(void **state)
{
    struct str given = query(begin(), "state");
    uint8_t hash[SHA256_BYTES];

    (void)state;
    sha256(given, hash);
    assert_false(file_holds(f.store_path, given));
    assert_true(
        file_holds(f.store_path, (struct str){.at = (const char *)hash, .len = sizeof hash}));
}

static void test_once(void **state)
{
    struct str given = query(begin(), "state");
    struct store_connection row;
    bool found;

    (void)state;
    assert_int_equal(finish(STR("another-state"), "C"), FAIL_STALE);
    assert_int_equal(finish(STR(""), "C"), FAIL_STALE);
    assert_int_equal(finish(STR_NONE, "C"), FAIL_STALE);
    assert_int_equal(server.exchanges, 0);
    MUST(&f, finish(given, "C"));
    row = fixture_row(&f);
    assert_int_equal(row.state, CONNECTION_ACTIVE);
    EXPECT_STR(row.account_id, STR("4242"), "account");
    EXPECT_STR(row.account_title, STR("Acme"), "title");
    assert_int_equal(fixture_generation(&f, &found), 1);
    assert_true(found);
    assert_int_equal(finish(given, "C"), FAIL_STALE);
    assert_int_equal(server.exchanges, 1);
}

static void test_code_that_is_refused_uses_the_state_up(void **state)
{
    struct str given = query(begin(), "state");

    (void)state;
    server.refuses = true;
    assert_int_equal(finish(given, "C"), FAIL_AUTH);
    server.refuses = false;
    assert_int_equal(finish(given, "C"), FAIL_STALE);
    assert_int_equal(server.exchanges, 1);
}

static void test_no_longer_than_ten_minutes(void **state)
{
    struct str given = query(begin(), "state");

    (void)state;
    clock_wait_ms(f.env.clock, SIGNIN_LIFE_MS);
    assert_int_equal(finish(given, "C"), FAIL_STALE);
    given = query(begin(), "state");
    clock_wait_ms(f.env.clock, SIGNIN_LIFE_MS - 1);
    MUST(&f, finish(given, "C"));
}

static void test_new_one_ends_the_one_before(void **state)
{
    struct str first = query(begin(), "state"), second = query(begin(), "state");

    (void)state;
    assert_int_equal(finish(first, "C"), FAIL_STALE);
    MUST(&f, finish(second, "C"));
}

static void test_redirect_and_connection_are_bound(void **state)
{
    struct str given = query(begin(), "state");
    struct keeper_work work = {0};
    struct store_connection other;
    int64_t mine = f.connection.connection_id;

    (void)state;
    f.connection.client.redirect_uri = STR("http://localhost:8711/callback");
    assert_int_equal(finish(given, "C"), FAIL_STALE);
    f.connection.client.redirect_uri = STR("http://localhost:8710/callback");
    MUST(&f, keeper_work_begin(&f.connection, &work, &f.err));
    MUST(&f, connection_ensure(work.tx, STR("other"), STR("hubspot"), &f.arena, &other, &f.err));
    MUST(&f, tx_commit(&work.tx, &f.err));
    keeper_work_end(&work);
    f.connection.connection_id = other.id;
    assert_int_equal(finish(given, "C"), FAIL_STALE);
    f.connection.connection_id = mine;
    assert_int_equal(server.exchanges, 0);
    MUST(&f, finish(given, "C"));
}

static void test_denied(void **state)
{
    struct str given = query(begin(), "state");
    struct signin_answer answer = {.state = given,
                                   .error = STR("access_denied"),
                                   .error_description = STR("end-user denied\x1b[31m")};
    struct signin_account account = {0};

    (void)state;
    assert_int_equal(
        signin_finish(&f.connection, &answer, identify, NULL, &f.arena, &account, &f.err),
        FAIL_AUTH);
    assert_non_null(strstr(f.err.message, "refused at the CRM (access_denied)"));
    answer.state = STR("guessed");
    assert_int_equal(
        signin_finish(&f.connection, &answer, identify, NULL, &f.arena, &account, &f.err),
        FAIL_STALE);
    MUST(&f, finish(given, "C")); /* allowed after all */
}

static void test_another_account(void **state)
{
    bool found;

    (void)state;
    MUST(&f, finish(query(begin(), "state"), "C"));
    crm.account = "4243";
    assert_int_equal(finish(query(begin(), "state"), "C"), FAIL_CONNECTION);
    assert_non_null(
        strstr(f.err.message, "for account 4243, but connection 'main' is linked to account 4242"));
    assert_int_equal(server.revoked, 1);
    assert_non_null(strstr(server.revoke_form, "token=R2&"));
    assert_int_equal(fixture_generation(&f, &found), 1); /* the one before stays */
    assert_int_equal(fixture_row(&f).state, CONNECTION_ACTIVE);
    crm.account = "4242";
    server.hub_id = 4244; /* the token itself says otherwise */
    assert_int_equal(finish(query(begin(), "state"), "C"), FAIL_CONNECTION);
    assert_non_null(strstr(f.err.message, "for account 4244, but"));
    assert_int_equal(server.revoked, 2);
    server.hub_id = 4242;
    MUST(&f, finish(query(begin(), "state"), "C"));
    assert_int_equal(fixture_generation(&f, &found), 2);
}

/* The app may be at work in that account for another connection. */
static void test_another_account_where_revoking_ends_the_app(void **state)
{
    struct oauth_provider provider = PROVIDER;

    (void)state;
    provider.revoke_ends_app = true;
    f.connection.client.provider = &provider;
    MUST(&f, finish(query(begin(), "state"), "C"));
    crm.account = "4243";
    assert_int_equal(finish(query(begin(), "state"), "C"), FAIL_CONNECTION);
    assert_int_equal(server.revoked, 1);
    EXPECT(strstr(server.revoke_form, "token=A2&"), "%s", server.revoke_form);
}

static void test_crm_away(void **state)
{
    bool found;

    (void)state;
    crm.failed = FAIL_RETRY;
    assert_int_equal(finish(query(begin(), "state"), "C"), FAIL_RETRY);
    assert_int_equal(server.revoked, 0);
    assert_int_equal(fixture_generation(&f, &found), 0);
}

static void test_app(void **state)
{
    struct signin_account account = {0};
    bool found;

    (void)state;
    f.connection.client.grant = OAUTH_CLIENT_CREDENTIALS;
    MUST(&f, signin_app(&f.connection, identify, NULL, &f.arena, &account, &f.err));
    EXPECT_STR(account.title, STR("Acme"), "title");
    assert_int_equal(fixture_generation(&f, &found), 1);
    server.refuses = true;
    assert_int_equal(signin_app(&f.connection, identify, NULL, &f.arena, &account, &f.err),
                     FAIL_AUTH);
    assert_int_equal(crm.asked, 1);
}

static void test_end(void **state)
{
    struct signin_end end;
    struct str waiting;
    bool found;

    (void)state;
    MUST(&f, finish(query(begin(), "state"), "C"));
    waiting = query(begin(), "state");
    MUST(&f, signin_end(&f.connection, &end, &f.err));
    assert_true(end.was_signed_in && end.is_revoked);
    assert_non_null(strstr(server.revoke_form, "token=R1&"));
    fixture_generation(&f, &found);
    assert_false(found);
    assert_int_equal(fixture_row(&f).state, CONNECTION_NEEDS_AUTH);
    EXPECT_STR(fixture_row(&f).account_id, STR("4242"), "still linked to it");
    assert_int_equal(finish(waiting, "C"), FAIL_STALE); /* begun before the end */
    MUST(&f, signin_end(&f.connection, &end, &f.err));
    assert_true(!end.was_signed_in && !end.is_revoked);
    assert_int_equal(server.revoked, 1);
    /* Forgotten here even where the CRM does not take it back. */
    MUST(&f, finish(query(begin(), "state"), "C"));
    server.refuses = true;
    MUST(&f, signin_end(&f.connection, &end, &f.err));
    assert_true(end.was_signed_in && !end.is_revoked && end.why.code != OK);
    fixture_generation(&f, &found);
    assert_false(found);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_address),
        TEST(test_state_is_kept_as_a_hash),
        TEST(test_once),
        TEST(test_code_that_is_refused_uses_the_state_up),
        TEST(test_no_longer_than_ten_minutes),
        TEST(test_new_one_ends_the_one_before),
        TEST(test_redirect_and_connection_are_bound),
        TEST(test_denied),
        TEST(test_another_account),
        TEST(test_another_account_where_revoking_ends_the_app),
        TEST(test_crm_away),
        TEST(test_app),
        TEST(test_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
