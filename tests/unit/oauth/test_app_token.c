/* The app's own token: what is asked for, that it is asked for once, and that the person's stays out of it. */
#include "tests/unit/oauth/fixture.h"

#include "oauth/app_token.h"

static struct {
    int received, status;
    char form[OAUTH_BODY_BYTES], path[64];
} server;

static struct fixture f;
static struct oauth_provider provider;

static void login(void *context, const struct http_request *request, struct http_response *response)
{
    (void)context;
    snprintf(server.form, sizeof server.form, "%" PRI_STR, STR_ARG(request->body));
    snprintf(server.path, sizeof server.path, "%" PRI_STR, STR_ARG(request->url));
    server.received++;
    response->status = server.status;
    response->body = arena_printf(
        &response->arena,
        server.status == 200
            ? "{\"access_token\":\"APP-%d\",\"expires_in\":1800,\"token_type\":\"bearer\"}"
            : "{\"error\":\"invalid_scope\",\"error_description\":\"no such scope (%d)\"}",
        server.received);
}

static int set_up(void **state)
{
    (void)state;
    memset(&server, 0, sizeof server);
    server.status = 200;
    f = (struct fixture){0};
    f.env.clock = clock_new_virtual(1000 * (int64_t)OAUTH_START_S);
    f.env.random = random_new_seeded(1);
    fixture_network(&f, login, NULL, NULL);
    fixture_client(&f);
    provider = PROVIDER;
    provider.app_token_path = "/app/token";
    provider.app_scopes = "journal.read";
    provider.app_object_scopes = "crm.objects. tickets";
    f.connection.client.provider = &provider;
    f.connection.client.scopes =
        STR("oauth crm.objects.contacts.read crm.objects.contacts.write tickets");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    fixture_network_end(&f);
    secret_fini(&f.client_secret);
    random_free(f.env.random);
    clock_free(f.env.clock);
    arena_fini(&f.arena);
    return 0;
}

static struct str get(struct app_token *token, int64_t refused)
{
    struct http_credential credential = {0};
    struct http_auth *auth = app_token_auth(token);
    struct str header;

    MUST(&f, auth->get(auth, refused, &credential, &f.err));
    header = arena_str(&f.arena, secret_expose(&credential.header));
    http_credential_fini(&credential);
    return header;
}

static void test_it_is_asked_for_once(void **state)
{
    struct app_token *token = app_token_new(&f.connection);

    (void)state;
    EXPECT_STR(get(token, 0), STR("Bearer APP-1"), "the token");
    assert_string_equal(server.path, "/app/token");
    assert_string_equal(server.form,
                        "grant_type=client_credentials&scope=journal.read%20crm.objects.contacts."
                        "read%20tickets&client_id=app-0001&client_secret=client-s3cret-0001");
    EXPECT_STR(get(token, 0), STR("Bearer APP-1"), "the same");
    assert_int_equal(server.received, 1);
    EXPECT_STR(get(token, 1), STR("Bearer APP-2"), "one that was refused is not given again");
    clock_wait_ms(f.env.clock, 1800 * 1000 - KEEPER_EARLY_MS);
    EXPECT_STR(get(token, 0), STR("Bearer APP-3"), "renewed before it expires");
    app_token_free(token);
}

static void test_a_refusal_is_told_and_asked_again(void **state)
{
    struct app_token *token = app_token_new(&f.connection);
    struct http_auth *auth = app_token_auth(token);
    struct http_credential credential = {0};

    (void)state;
    server.status = 400;
    assert_int_equal(auth->get(auth, 0, &credential, &f.err), FAIL_CONFIG);
    EXPECT(strstr(f.err.message, "sign-in of the app of connection 'main'"), "%s", f.err.message);
    EXPECT(!strstr(f.err.message, CLIENT_SECRET) && !strstr(f.err.hint, CLIENT_SECRET), "%s",
           f.err.message);
    error_reset(&f.err);
    server.status = 200;
    EXPECT_STR(get(token, 0), STR("Bearer APP-2"), "once it is allowed");
    app_token_free(token);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_it_is_asked_for_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_refusal_is_told_and_asked_again, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
