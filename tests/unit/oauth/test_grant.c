/* Requests to a sign-in server against one that is mounted: what is sent, how answers are read, what each refusal and accident means. */
#include "tests/unit/oauth/fixture.h"

#include <fcntl.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "core/base64.h"
#include "core/jx.h"
#include "core/when.h"

enum { ANSWERS_MAX = 4 };

/* One answer of the server; the last one repeats. */
struct answer {
    int status;
    const char *body;
    enum http_fault fault;
    int64_t date_offset_s; /* of its Date header, against the clock */
};

static struct {
    struct answer answers[ANSWERS_MAX];
    int count, received;
    char form[ANSWERS_MAX][OAUTH_BODY_BYTES];
    char basic[256], path[64];
} server;

static struct fixture f;

static const char TOKEN[] = "{\"access_token\":\"A2\",\"refresh_token\":\"R2\",\"expires_in\":1800,"
                            "\"token_type\":\"bearer\","
                            "\"hub_id\":4242,\"scopes\":[\"read\",\"write\"],\"instance_url\":"
                            "\"https://one.api.crm.example\"}";

static void login(void *context, const struct http_request *request, struct http_response *response)
{
    int index = server.received < server.count ? server.received : server.count - 1;
    const struct answer *answer = &server.answers[index];
    char date[WHEN_TEXT_BYTES];

    (void)context;
    snprintf(server.form[server.received < ANSWERS_MAX ? server.received : ANSWERS_MAX - 1],
             OAUTH_BODY_BYTES, "%" PRI_STR, STR_ARG(request->body));
    snprintf(server.basic, sizeof server.basic, "%" PRI_STR,
             STR_ARG(http_header_get(&request->headers, "Authorization")));
    snprintf(server.path, sizeof server.path, "%" PRI_STR, STR_ARG(request->url));
    server.received++;
    response->status = answer->status;
    response->fault = answer->fault;
    response->body = arena_str(&response->arena, str_of(answer->body));
    when_format_http(clock_wall_ms(f.env.clock) + 1000 * answer->date_offset_s, date);
    http_header_add(&response->headers, STR("Date"), arena_str(&response->arena, str_of(date)));
}

static int set_up(void **state)
{
    (void)state;
    memset(&server, 0, sizeof server);
    f = (struct fixture){0};
    f.env.clock = clock_new_virtual(INT64_C(1000) * OAUTH_START_S);
    f.env.random = random_new_seeded(11);
    fixture_network(&f, login, NULL, NULL);
    fixture_client(&f);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    fixture_end(&f);
    return 0;
}

#define ANSWERS(...)                                                                               \
    do {                                                                                           \
        const struct answer answers_[] = {__VA_ARGS__};                                            \
        memcpy(server.answers, answers_, sizeof answers_);                                         \
        server.count = COUNT_OF(answers_);                                                         \
        server.received = 0;                                                                       \
    } while (0)

static struct grant grant_now(void)
{
    return (struct grant){.env = &f.env, .http = f.http, .client = &f.connection.client};
}

static void old_tokens(struct oauth_tokens *ret)
{
    *ret = (struct oauth_tokens){.account = STR("4242"),
                                 .origin = STR("https://old.api.crm.example"),
                                 .scopes = STR("read")};
    secret_set(&ret->access, STR("A1-access-of-before"));
    secret_set(&ret->refresh, STR("R1-refresh-of-before"));
}

static enum fail refresh(struct oauth_tokens *ret)
{
    AUTO_TOKENS struct oauth_tokens old;
    struct grant grant = grant_now();

    old_tokens(&old);
    oauth_tokens_fini(ret);
    error_reset(&f.err);
    return grant_refresh(&grant, &old, ret, &f.err);
}

/* Neither what was sent as a secret nor what came back as one. */
static void expect_no_secret(void)
{
    static const char *const SECRETS[] = {"s3cret",   "R1-refresh",   "A1-access",
                                          "the-code", "the-verifier", "eyJ"};

    for (size_t i = 0; i < COUNT_OF(SECRETS); i++) {
        assert_null(strstr(f.err.message, SECRETS[i]));
        assert_null(strstr(f.err.hint, SECRETS[i]));
    }
}

static void test_refresh(void **state)
{
    AUTO_TOKENS struct oauth_tokens got = {0};

    (void)state;
    ANSWERS({200, TOKEN, HTTP_FAULT_NONE, 0});
    MUST(&f, refresh(&got));
    EXPECT_STR(str_of(server.form[0]),
               STR("grant_type=refresh_token&refresh_token=R1-refresh-of-before"
                   "&client_id=app-0001&client_secret=client-s3cret-0001"),
               "form");
    assert_string_equal(server.path, "/token");
    assert_string_equal(server.basic, "");
    EXPECT_STR(secret_expose(&got.access), STR("A2"), "access");
    EXPECT_STR(secret_expose(&got.refresh), STR("R2"), "refresh");
    EXPECT_STR(got.account, STR("4242"), "account");
    EXPECT_STR(got.scopes, STR("read write"), "scopes");
    EXPECT_STR(got.origin, STR("https://one.api.crm.example"), "origin");
    assert_int_equal(got.expires_ms, INT64_C(1000) * (OAUTH_START_S + 1800));
}

static void test_what_is_left_out_stays(void **state)
{
    AUTO_TOKENS struct oauth_tokens got = {0};

    (void)state;
    ANSWERS({200, "{\"access_token\":\"A2\"}", HTTP_FAULT_NONE, 0});
    MUST(&f, refresh(&got));
    EXPECT_STR(secret_expose(&got.refresh), STR("R1-refresh-of-before"), "refresh");
    EXPECT_STR(got.account, STR("4242"), "account");
    EXPECT_STR(got.scopes, STR("read"), "scopes");
    EXPECT_STR(got.origin, STR("https://old.api.crm.example"), "origin");
    assert_int_equal(got.expires_ms, 0);
    /* scopes as one text, with commas */
    ANSWERS({200,
             "{\"access_token\":\"A2\",\"scope\":\"base,deals:full\",\"instance_url\":\"https://"
             "one.api.crm.example/\"}",
             HTTP_FAULT_NONE, 0});
    MUST(&f, refresh(&got));
    EXPECT_STR(got.scopes, STR("base deals:full"), "scopes");
    EXPECT_STR(got.origin, STR("https://one.api.crm.example"), "origin");
}

/* What is no scope must not hinder that the tokens are kept, or read again: these are sealed as JSON, which is UTF-8. */
static void test_scopes_are_plain(void **state)
{
    AUTO_TOKENS struct oauth_tokens got = {0};
    AUTO_BUF struct buf body = {0};

    (void)state;
    buf_init(&body, 64 * 1024);
    buf_add(&body, STR("{\"access_token\":\"A2\",\"scope\":\"a,b\303\251\\n"));
    for (int i = 0; i < 9000; i++) {
        buf_add(&body, STR("\303\251"));
    }
    buf_add(&body, STR("\"}"));
    ANSWERS({200, body.at, HTTP_FAULT_NONE, 0});
    MUST(&f, refresh(&got));
    EXPECT(str_starts(got.scopes, STR("a b")), "%" PRI_STR, STR_ARG(str_slice(got.scopes, 0, 20)));
    for (size_t i = 0; i < got.scopes.len; i++) {
        assert_in_range(got.scopes.at[i], ' ', '~');
    }
}

static void test_too_long_to_be_sent(void **state)
{
    AUTO_TOKENS struct oauth_tokens got = {0};
    char *secret = calloc(1, 40001);

    (void)state;
    memset(secret, '/', 40000);
    secret_set(&f.client_secret, str_of(secret));
    ANSWERS({200, TOKEN, HTTP_FAULT_NONE, 0});
    assert_int_equal(refresh(&got), FAIL_CONFIG);
    EXPECT(strstr(f.err.message, "too long") && strstr(f.err.hint, "'main'"), "%s", f.err.message);
    assert_int_equal(server.received, 0);
    free(secret);
}

static void test_client_in_the_header(void **state)
{
    AUTO_TOKENS struct oauth_tokens got = {0};
    struct oauth_provider provider = PROVIDER;

    (void)state;
    provider.client_in_header = true;
    f.connection.client.provider = &provider;
    ANSWERS({200, TOKEN, HTTP_FAULT_NONE, 0});
    MUST(&f, refresh(&got));
    assert_string_equal(server.basic, "Basic YXBwLTAwMDE6Y2xpZW50LXMzY3JldC0wMDAx");
    assert_null(strstr(server.form[0], "client"));
}

/* A sign-in server's refusals and accidents: what they cost. */
struct trouble {
    const char *what;
    struct answer answer;
    enum fail code;
    const char *message, *hint;
    bool is_tried_again; /* the outcome is unknown: once more with the same token */
};

/* source of the bodies: reference examples of the three CRMs */
static const struct trouble TROUBLES[] = {
    {"Salesforce: dead refresh token",
     {400, "{\"error\":\"invalid_grant\",\"error_description\":\"expired access/refresh token\"}",
      0, 0},
     FAIL_AUTH,
     "(invalid_grant: expired access/refresh token)",
     "crmsync connect main",
     false},
    {"HubSpot: dead refresh token",
     {400,
      "{\"error\":\"invalid_grant\",\"error_description\":\"refresh token is invalid, expired or "
      "revoked\",\"status\":\"BAD_REFRESH_TOKEN\"}",
      0, 0},
     FAIL_AUTH,
     "invalid_grant",
     "crmsync connect main",
     false},
    {"Pipedrive: dead refresh token",
     {400,
      "{\"success\":false,\"message\":\"Invalid grant: refresh_token is "
      "invalid\",\"error\":\"invalid_grant\"}",
      0, 0},
     FAIL_AUTH,
     "Invalid grant: refresh_token is invalid",
     "crmsync connect main",
     false},
    {"Pipedrive: the same without a word of its own",
     {400, "{\"success\":false,\"message\":\"Invalid grant: refresh_token is invalid\"}", 0, 0},
     FAIL_AUTH,
     "invalid_grant",
     "crmsync connect main",
     false},
    {"Pipedrive: wrong client",
     {401, "{\"success\":false,\"error\":\"Invalid client: client is invalid\"}", 0, 0},
     FAIL_CONFIG,
     "client id or secret are not right",
     "crmsync connect main --secret",
     false},
    {"wrong secret",
     {400, "{\"error\":\"invalid_client\",\"error_description\":\"invalid client credentials\"}", 0,
      0},
     FAIL_CONFIG,
     "client id or secret are not right",
     "crmsync connect main --secret",
     false},
    {"unknown app",
     {400, "{\"error\":\"invalid_client_id\",\"error_description\":\"client identifier invalid\"}",
      0, 0},
     FAIL_CONFIG,
     "no app with this client id",
     "connection 'main'",
     false},
    {"grant not enabled",
     {400, "{\"error\":\"unauthorized_client\"}", 0, 0},
     FAIL_CONNECTION,
     "may not use this grant",
     "administrator",
     false},
    {"grant unknown",
     {400, "{\"error\":\"unsupported_grant_type\"}", 0, 0},
     FAIL_CONNECTION,
     "does not know this grant",
     "administrator",
     false},
    {"scope",
     {400, "{\"error\":\"invalid_scope\"}", 0, 0},
     FAIL_CONFIG,
     "may not ask for one of the scopes",
     "'scopes' of connection 'main'",
     false},
    {"redirect",
     {400, "{\"error\":\"redirect_uri_mismatch\"}", 0, 0},
     FAIL_CONFIG,
     "does not know this redirect address",
     "connection 'main'",
     false},
    {"a reason nobody knows",
     {400, "{\"error\":\"inactive_org\",\"error_description\":\"org is locked\"}", 0, 0},
     FAIL_CONNECTION,
     "(inactive_org: org is locked)",
     "",
     false},
    {"it repeats what was sent",
     {400,
      "{\"error\":\"invalid_grant\",\"error_description\":\"R1-refresh-of-before is no token\"}", 0,
      0},
     FAIL_AUTH,
     "(invalid_grant)",
     "crmsync connect",
     false},
    {"it repeats the secret",
     {400, "{\"error\":\"client-s3cret-0001\"}", 0, 0},
     FAIL_CONNECTION,
     "(no reason given)",
     "",
     false},
    {"control characters",
     {400, "{\"error\":\"invalid_grant\",\"error_description\":\"a\\u001b[31mb\"}", 0, 0},
     FAIL_AUTH,
     "(invalid_grant)",
     "",
     false},
    {"the server says it is down",
     {400, "{\"error\":\"temporarily_unavailable\"}", 0, 0},
     FAIL_RETRY,
     "not available now",
     "",
     false},
    {"too many", {429, "{}", 0, 0}, FAIL_THROTTLED, "asks to wait", "", false},
    {"down", {503, "<html>", 0, 0}, FAIL_RETRY, "status 503", "", true},
    {"a gate in front: HTML",
     {403, "<html>blocked</html>", 0, 0},
     FAIL_RETRY,
     "status 403 and no reason",
     "",
     false},
    {"a gate in front: 401 without a word",
     {401, "{}", 0, 0},
     FAIL_RETRY,
     "status 401 and no reason",
     "",
     false},
    {"moved", {302, "", 0, 0}, FAIL_CONFIG, "no token endpoint there", "login_url", false},
    {"not there",
     {404, "<html>", 0, 0},
     FAIL_CONFIG,
     "no token endpoint there",
     "login_url",
     false},
    {"reset", {200, "{}", HTTP_FAULT_RESET, 0}, FAIL_RETRY, "connection was reset", "", true},
    {"no answer",
     {200, "{}", HTTP_FAULT_TIMEOUT, 0},
     FAIL_RETRY,
     "did not answer in time",
     "",
     true},
    {"cut", {200, "{\"access_token\":\"A2", 0, 0}, FAIL_RETRY, "cannot read the answer", "", true},
    {"not an object", {200, "[]", 0, 0}, FAIL_RETRY, "cannot read the answer", "", true},
    {"a page",
     {200, "<html>maintenance</html>", 0, 0},
     FAIL_RETRY,
     "cannot read the answer",
     "",
     true},
    {"no token", {200, "{\"refresh_token\":\"R2\"}", 0, 0}, FAIL_RETRY, "access_token", "", true},
    {"empty token", {200, "{\"access_token\":\"\"}", 0, 0}, FAIL_RETRY, "access_token", "", true},
    {"token with a line end",
     {200, "{\"access_token\":\"A2\\r\\nHost: evil\"}", 0, 0},
     FAIL_RETRY,
     "access_token",
     "",
     true},
    {"token of another type",
     {200, "{\"access_token\":\"A2\",\"token_type\":\"mac\"}", 0, 0},
     FAIL_CONNECTION,
     "another type than Bearer",
     "",
     false},
    {"endless life",
     {200, "{\"access_token\":\"A2\",\"expires_in\":99999999999}", 0, 0},
     FAIL_RETRY,
     "expires_in",
     "",
     true},
    {"ended life",
     {200, "{\"access_token\":\"A2\",\"expires_in\":-1}", 0, 0},
     FAIL_RETRY,
     "expires_in",
     "",
     true},
    {"life as text",
     {200, "{\"access_token\":\"A2\",\"expires_in\":\"soon\"}", 0, 0},
     FAIL_RETRY,
     "expires_in",
     "",
     true},
    {"a part of the token is repeated, the rest is cut off",
     {400,
      "{\"error\":\"invalid_grant\",\"error_description\":\"malformed: R1-refresh-of-bef...\"}", 0,
      0},
     FAIL_AUTH,
     "(invalid_grant)",
     "crmsync connect main",
     false},
    {"another account",
     {200, "{\"access_token\":\"A2\",\"hub_id\":4243}", 0, 0},
     FAIL_CONNECTION,
     "of another account",
     "crmsync connect main",
     false},
};

static void test_troubles(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(TROUBLES); i++) {
        const struct trouble *row = &TROUBLES[i];
        AUTO_TOKENS struct oauth_tokens got = {0};

        ANSWERS(row->answer);
        EXPECT(refresh(&got) == row->code, "%s: got %s '%s'", row->what, fail_name(f.err.code),
               f.err.message);
        EXPECT(strstr(f.err.message, row->message), "%s: '%s' is not in '%s'", row->what,
               row->message, f.err.message);
        EXPECT(strstr(f.err.hint, row->hint), "%s: '%s' is not in '%s'", row->what, row->hint,
               f.err.hint);
        EXPECT(server.received == 1 + row->is_tried_again, "%s: asked %d times", row->what,
               server.received);
        EXPECT(secret_is_empty(&got.access), "%s: a token all the same", row->what);
        expect_no_secret();
        fixture_network_end(&f); /* the breaker of the client remembers */
        fixture_network(&f, login, NULL, NULL);
    }
}

static void test_lost_answer_is_asked_for_again(void **state)
{
    static const char GONE[] = "{\"error\":\"invalid_grant\"}";
    AUTO_TOKENS struct oauth_tokens got = {0};

    (void)state;
    ANSWERS({200, TOKEN, HTTP_FAULT_TIMEOUT, 0}, {200, TOKEN, HTTP_FAULT_NONE, 0});
    MUST(&f, refresh(&got));
    EXPECT_STR(secret_expose(&got.refresh), STR("R2"), "refresh");
    assert_string_equal(server.form[0], server.form[1]);
    ANSWERS({200, TOKEN, HTTP_FAULT_TIMEOUT, 0}, {400, GONE, HTTP_FAULT_NONE, 0});
    assert_int_equal(refresh(&got), FAIL_AUTH);
    assert_int_equal(server.received, 2);
}

static void test_code(void **state)
{
    AUTO_TOKENS struct oauth_tokens got = {0};
    AUTO_SECRET struct secret verifier = {0};
    struct grant grant = grant_now();

    (void)state;
    secret_set(&verifier, STR("the-verifier"));
    ANSWERS({200, TOKEN, HTTP_FAULT_NONE, 0});
    MUST(&f, grant_code(&grant, STR("the-code/+="), &verifier, &got, &f.err));
    EXPECT_STR(
        str_of(server.form[0]),
        STR("grant_type=authorization_code&code=the-code%2F%2B%3D"
            "&redirect_uri=http%3A%2F%2Flocalhost%3A8710%2Fcallback&code_verifier=the-verifier"
            "&client_id=app-0001&client_secret=client-s3cret-0001"),
        "form");
    ANSWERS({400,
             "{\"error\":\"invalid_grant\",\"error_description\":\"the-code/+= and the-verifier do "
             "not fit\"}",
             HTTP_FAULT_NONE, 0});
    assert_int_equal(grant_code(&grant, STR("the-code/+="), &verifier, &got, &f.err), FAIL_AUTH);
    EXPECT(strstr(f.err.message, "the code was used before"), "%s", f.err.message);
    expect_no_secret();
    /* a code is never sent twice */
    ANSWERS({200, TOKEN, HTTP_FAULT_TIMEOUT, 0});
    assert_int_equal(grant_code(&grant, STR("the-code"), &verifier, &got, &f.err), FAIL_RETRY);
    assert_int_equal(server.received, 1);
}

static void test_hosts_that_are_not_the_crms(void **state)
{
    static const char *const ORIGINS[] = {"https://evil.example",
                                          "https://api.crm.example.evil.example",
                                          "https://evilapi.crm.example",
                                          "https://api.crm.example",
                                          "http://one.api.crm.example",
                                          "https://one.api.crm.example:8443",
                                          "https://one.api.crm.example/path",
                                          "https://one.api.crm.example?x",
                                          "https://u:p@one.api.crm.example",
                                          "https://one.api.crm.example@evil.example",
                                          "https://127.0.0.1",
                                          "https://one.api.crm.example.",
                                          "javascript:1",
                                          "//one.api.crm.example",
                                          "https://one.api.crm.example\\u0000.evil.example"};
    AUTO_SECRET struct secret none = {0};
    struct grant grant = grant_now();

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ORIGINS); i++) {
        AUTO_TOKENS struct oauth_tokens got = {0};
        struct str body =
            arena_printf(&f.arena, "{\"access_token\":\"A2\",\"instance_url\":\"%s\"}", ORIGINS[i]);
        enum fail failed;

        ANSWERS({200, body.at, HTTP_FAULT_NONE, 0});
        failed = grant_code(&grant, STR("the-code"), &none, &got, &f.err);
        EXPECT(failed == FAIL_CONNECTION || (failed == FAIL_RETRY && strstr(ORIGINS[i], "u0000")),
               "%s: got %s '%s'", ORIGINS[i], fail_name(failed), f.err.message);
        EXPECT(secret_is_empty(&got.access), "%s", ORIGINS[i]);
        error_reset(&f.err);
    }
}

/* printf %s "$id$issued_at" | openssl dgst -sha256 -hmac client-s3cret-0001 -binary | base64 */
#define SIGNATURE "u+x0tpTgPyX/2iCYGAVlLETHbBkPtJhP7A/27Ec77Ew="

static void test_signature(void **state)
{
    struct oauth_provider provider = PROVIDER;
    struct error err = {0};
    AUTO_SECRET struct secret none = {0};
    struct grant grant = grant_now();
    static const struct {
        const char *body;
        enum fail code;
    } ROWS[] = {
        {"\"signature\":\"@\"", OK},
        {"\"signature\":\"@A\"", FAIL_CONNECTION},
        {"\"signature\":\"ofkLGCJhxeY2/6Kb6JVOfQ4o977tp4yw4IxxaASdnUQ=\"", FAIL_CONNECTION},
        {"\"signature\":\"\"", FAIL_CONNECTION},
        {"\"x\":1", FAIL_RETRY},
    };

    (void)state;
    provider.is_signed = true;
    provider.account = OAUTH_ACCOUNT_IDENTITY;
    f.connection.client.provider = &provider;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        AUTO_TOKENS struct oauth_tokens got = {0};
        AUTO_BUF struct buf body = {0};
        enum fail failed;

        buf_init(&body, 4096);
        buf_addf(&body, "{\"access_token\":\"A2\",\"id\":\"https://login.crm.example/id/"
                        "00D8d000000XyZ9EAK/0058d00000Int01AAB\",\"issued_at\":\"1785146400123\",");
        for (const char *c = ROWS[i].body; *c; c++) {
            if (*c == '@') {
                buf_addf(&body, "%s", SIGNATURE);
            } else {
                buf_add_char(&body, *c);
            }
        }
        buf_addf(&body, "}");
        ANSWERS({200, body.at, HTTP_FAULT_NONE, 0});
        failed = grant_code(&grant, STR("the-code"), &none, &got, &err);
        EXPECT(failed == ROWS[i].code, "%s: got %s '%s'", ROWS[i].body, fail_name(failed),
               err.message);
        if (failed == OK) {
            EXPECT_STR(got.account, STR("00D8d000000XyZ9EAK"), "account");
        }
        error_reset(&err);
    }
    assert_true(grant_account_equal(&provider, STR("00D8d000000XyZ9"), STR("00D8d000000XyZ9EAK")));
    assert_false(
        grant_account_equal(&provider, STR("00D8d000000XyZ8EAK"), STR("00D8d000000XyZ9EAK")));
    assert_true(grant_account_equal(&PROVIDER, STR(""), STR("1")));
    assert_false(grant_account_equal(&PROVIDER, STR("1"), STR("12")));
}

static void test_client_credentials(void **state)
{
    AUTO_TOKENS struct oauth_tokens got = {0};
    struct grant grant = grant_now();

    (void)state;
    f.connection.client.grant = OAUTH_CLIENT_CREDENTIALS;
    ANSWERS({500, "", HTTP_FAULT_NONE, 0}, {200, TOKEN, HTTP_FAULT_NONE, 0});
    MUST(&f, grant_app(&grant, &got, &f.err));
    assert_string_equal(
        server.form[1],
        "grant_type=client_credentials&client_id=app-0001&client_secret=client-s3cret-0001");
    ANSWERS({400,
             "{\"error\":\"invalid_grant\",\"error_description\":\"no client credentials user "
             "enabled\"}",
             HTTP_FAULT_NONE, 0});
    assert_int_equal(grant_app(&grant, &got, &f.err), FAIL_CONNECTION);
    EXPECT(strstr(f.err.hint, "Run As"), "%s", f.err.hint);
    ANSWERS({400,
             "{\"error\":\"invalid_grant\",\"error_description\":\"request not supported on this "
             "domain\"}",
             HTTP_FAULT_NONE, 0});
    assert_int_equal(grant_app(&grant, &got, &f.err), FAIL_CONFIG);
    EXPECT(strstr(f.err.hint, "my.salesforce.com"), "%s", f.err.hint);
}

static void write_key(const char *path)
{
    EVP_PKEY *key = EVP_RSA_gen(2048);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    FILE *file = fdopen(fd, "w");

    assert_non_null(file);
    assert_int_equal(PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL), 1);
    fclose(file);
    EVP_PKEY_free(key);
}

static json_t *claims_of(const char *form)
{
    struct str rest = str_of(form), body;
    struct error err = {0};
    json_t *claims;

    str_cut(&rest, '.');
    assert_true(base64url_decode(&f.arena, str_cut(&rest, '.'), &body));
    EXPECT(jx_parse(&f.arena, body, &claims, &err) == OK, "%s", err.message);
    return claims;
}

static void test_assertion_and_clock(void **state)
{
    static const char WRONG[] =
        "{\"error\":\"invalid_grant\",\"error_description\":\"invalid assertion\"}";
    char path[] = "/tmp/crmsync-grant-key-XXXXXX";
    AUTO_TOKENS struct oauth_tokens got = {0};
    struct grant grant = grant_now();

    (void)state;
    close(mkstemp(path));
    write_key(path);
    f.connection.client.grant = OAUTH_JWT_BEARER;
    f.connection.client.private_key_file = path;
    f.connection.client.username = STR("sync@acme.example");
    ANSWERS({200, TOKEN, HTTP_FAULT_NONE, 0});
    MUST(&f, grant_app(&grant, &got, &f.err));
    assert_non_null(
        strstr(server.form[0],
               "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=eyJ"));
    assert_null(strstr(server.form[0], "client_"));
    EXPECT_STR(jx_text_of(jx_get(claims_of(server.form[0]), "aud")),
               STR("https://login.crm.example"), "aud");
    assert_int_equal(json_integer_value(jx_get(claims_of(server.form[0]), "exp")),
                     OAUTH_START_S + 150);
    /* Our clock is 10 minutes behind: found by the refusal's Date, and asked again by the server's time. */
    ANSWERS({400, WRONG, HTTP_FAULT_NONE, 600}, {200, TOKEN, HTTP_FAULT_NONE, 600});
    oauth_tokens_fini(&got);
    MUST(&f, grant_app(&grant, &got, &f.err));
    assert_int_equal(server.received, 2);
    assert_int_equal(json_integer_value(jx_get(claims_of(server.form[1]), "exp")),
                     OAUTH_START_S + 600 + 150);
    /* What is known is used at once. */
    ANSWERS({200, TOKEN, HTTP_FAULT_NONE, 600});
    oauth_tokens_fini(&got);
    MUST(&f, grant_app(&grant, &got, &f.err));
    assert_int_equal(json_integer_value(jx_get(claims_of(server.form[0]), "exp")),
                     OAUTH_START_S + 600 + 150);
    /* A refusal that the clock does not explain is not repeated, and one that it does says so. */
    ANSWERS({400, WRONG, HTTP_FAULT_NONE, 600});
    assert_int_equal(grant_app(&grant, &got, &f.err), FAIL_AUTH);
    assert_int_equal(server.received, 1);
    EXPECT(strstr(f.err.hint, "username"), "%s", f.err.hint);
    expect_no_secret();
    error_reset(&f.err);
    ANSWERS({400, WRONG, HTTP_FAULT_NONE, -400}, {400, WRONG, HTTP_FAULT_NONE, -800});
    assert_int_equal(grant_app(&grant, &got, &f.err), FAIL_AUTH);
    assert_int_equal(server.received, 2);
    EXPECT(strstr(f.err.message, "the clock of this machine is 400 s ahead of the server's"), "%s",
           f.err.message);
    unlink(path);
}

static void test_revoke(void **state)
{
    AUTO_TOKENS struct oauth_tokens old;
    struct oauth_provider provider = PROVIDER;
    struct grant grant = grant_now();
    bool is_done;

    (void)state;
    old_tokens(&old);
    ANSWERS({200, "", HTTP_FAULT_NONE, 0});
    MUST(&f, grant_revoke(&grant, &old, &is_done, &f.err));
    assert_true(is_done);
    assert_string_equal(server.path, "/revoke");
    assert_string_equal(server.form[0], "token=R1-refresh-of-before&token_type_hint=refresh_token&"
                                        "client_id=app-0001&client_secret=client-s3cret-0001");
    secret_fini(&old.refresh);
    MUST(&f, grant_revoke(&grant, &old, &is_done, &f.err));
    assert_non_null(
        strstr(server.form[1], "token=A1-access-of-before&token_type_hint=access_token"));
    provider.revoke_path = NULL;
    f.connection.client.provider = &provider;
    MUST(&f, grant_revoke(&grant, &old, &is_done, &f.err));
    assert_false(is_done);
    assert_int_equal(server.received, 2);
}

static void test_sign_in_host_must_be_allowed(void **state)
{
    AUTO_TOKENS struct oauth_tokens got = {0};

    (void)state;
    ANSWERS({200, TOKEN, HTTP_FAULT_NONE, 0});
    f.connection.client.login_origin = STR("https://login.evil.example");
    assert_int_equal(refresh(&got), FAIL_CONFIG);
    EXPECT(strstr(f.err.hint, "login_url"), "%s", f.err.hint);
    f.connection.client.login_origin = STR("https://one.api.crm.example");
    MUST(&f, refresh(&got));
    assert_int_equal(server.received, 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_refresh),
        TEST(test_what_is_left_out_stays),
        TEST(test_client_in_the_header),
        TEST(test_scopes_are_plain),
        TEST(test_too_long_to_be_sent),
        TEST(test_troubles),
        TEST(test_lost_answer_is_asked_for_again),
        TEST(test_code),
        TEST(test_hosts_that_are_not_the_crms),
        TEST(test_signature),
        TEST(test_client_credentials),
        TEST(test_assertion_and_clock),
        TEST(test_revoke),
        TEST(test_sign_in_host_must_be_allowed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
