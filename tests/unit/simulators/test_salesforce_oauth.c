/* Signing in at the Salesforce simulator. What is the same at every CRM: test_oauth.c. */
#include "tests/unit/simulators/salesforce_journey.h"

#include <openssl/evp.h>
#include <openssl/pem.h>

#include "core/base64.h"
#include "core/digest.h"

#define BACK "http%3A%2F%2Flocalhost%3A8710%2Fcallback"
#define CLIENT "3MVG9simulatedConsumerKey.of.the.external.client.app"
#define SECRET "simulated-salesforce-client-secret"
#define BODY "&client_id=" CLIENT "&client_secret=" SECRET
#define OAUTH "/services/oauth2"
#define AUTHORIZE                                                                                  \
    OAUTH "/authorize?response_type=code&client_id=" CLIENT "&redirect_uri=" BACK "&state=s1"
#define TOKEN OAUTH "/token"
#define EXCHANGE "grant_type=authorization_code&redirect_uri=" BACK BODY "&code="
#define REFRESH "grant_type=refresh_token" BODY "&refresh_token="
#define FORM "Content-Type: application/x-www-form-urlencoded\nHost: "
#define OWN_HOST FORM "127.0.0.1:8103"
#define GENERAL_HOST FORM "localhost:8103"

/* A code in $code$, exchanged: $access$; rows that every journey below begins with. */
#define SIGNED_IN                                                                                  \
    {"GET", AUTHORIZE, NULL, 302, {0}, .save = "code=@Location?code", .token = ""},                \
    {                                                                                              \
        "POST", TOKEN, EXCHANGE "$code$", 200, {"refresh_token~5Aep861"},                          \
            .save = "access=access_token", .token = "", .headers = OWN_HOST                        \
    }

JOURNEY(an_answer_has_no_lifetime_but_says_where_the_api_is,
        {"GET",
         AUTHORIZE,
         NULL,
         302,
         {"@Location?state=s1"},
         .save = "code=@Location?code",
         .token = ""},
        {"POST",
         TOKEN,
         EXCHANGE "$code$",
         200,
         {"token_type=Bearer", "expires_in!", "instance_url=http://127.0.0.1:8103",
          "scope=api refresh_token id", "id~http://127.0.0.1:8103/id/00D",
          "issued_at=1795244400000", "access_token~!AR", "refresh_token~5Aep861"},
         .save = "access=access_token",
         .token = "",
         .headers = OWN_HOST},
        {"GET", ROWS "/Contact/describe", NULL, 200, {"name=Contact"}, .token = "$access$"},
        {"GET", AUTHORIZE, NULL, 302, {0}, .save = "code=@Location?code", .token = ""},
        {"POST",
         TOKEN,
         EXCHANGE "$code$",
         200,
         {"instance_url=http://127.0.0.1:8103", "id~http://localhost:8103/id/00D"},
         .token = "",
         .headers = GENERAL_HOST},
        {"GET", AUTHORIZE "&scope=api", NULL, 302, {0}, .save = "code=@Location?code", .token = ""},
        {"POST",
         TOKEN,
         EXCHANGE "$code$",
         200,
         {"scope=api", "refresh_token!", "instance_url=https://crew.my.salesforce.com",
          "id~https://login.salesforce.com/id/00D"},
         .token = "",
         .headers = FORM "login.salesforce.com"},
        {"GET", "/__sim/oauth", NULL, 200, {"live.refresh=2", "live.access=3"}}, )

JOURNEY(a_session_ends_two_hours_after_its_last_use, SIGNED_IN,
        {"GET", DATA "/limits", NULL, 200, {0}, .token = "$access$", .advance_ms = 119 * MINUTE_MS},
        {"GET", DATA "/limits", NULL, 200, {0}, .token = "$access$", .advance_ms = 119 * MINUTE_MS},
        {"GET",
         DATA "/limits",
         NULL,
         401,
         {"0.errorCode=INVALID_SESSION_ID", "0.message=Session expired or invalid"},
         .token = "$access$",
         .advance_ms = 120 * MINUTE_MS},
        {"GET", DATA "/limits", NULL, 401, {0}, .token = "00Dx!unknown"}, )

JOURNEY(refreshing_says_the_token_again_only_when_it_rotates,
        {"GET", AUTHORIZE, NULL, 302, {0}, .save = "code=@Location?code", .token = ""},
        {"POST",
         TOKEN,
         EXCHANGE "$code$",
         200,
         {0},
         .save = "first=refresh_token",
         .token = "",
         .headers = OWN_HOST},
        {"POST",
         TOKEN,
         REFRESH "$first$",
         200,
         {"refresh_token!", "scope~api"},
         .token = "",
         .headers = OWN_HOST},
        {"POST", "/__sim/oauth", "{\"rotation\":true}", 200, {0}},
        {"POST",
         TOKEN,
         REFRESH "$first$",
         200,
         {0},
         .save = "second=refresh_token",
         .token = "",
         .headers = OWN_HOST},
        {"POST",
         TOKEN,
         REFRESH "$second$",
         200,
         {0},
         .save = "third=refresh_token",
         .token = "",
         .headers = OWN_HOST},
        {"POST",
         TOKEN,
         REFRESH "$first$",
         400,
         {"error=invalid_grant", "error_description=expired access/refresh token"},
         .token = "",
         .headers = OWN_HOST},
        {"POST",
         TOKEN,
         REFRESH "$third$",
         400,
         {"error=invalid_grant"},
         .token = "",
         .headers = OWN_HOST},
        {"GET", "/__sim/oauth", NULL, 200, {"live.refresh=0", "live.access=0"}}, )

/* Five at most for a user and an app: the sixth ends the first. */
JOURNEY(a_sixth_refresh_token_ends_the_first,
        {"GET", AUTHORIZE, NULL, 302, {0}, .save = "code=@Location?code", .token = ""},
        {"POST",
         TOKEN,
         EXCHANGE "$code$",
         200,
         {0},
         .save = "first=refresh_token",
         .token = "",
         .headers = OWN_HOST},
        SIGNED_IN, SIGNED_IN, SIGNED_IN, SIGNED_IN,
        {"POST", TOKEN, REFRESH "$first$", 200, {0}, .token = "", .headers = OWN_HOST}, SIGNED_IN,
        {"POST",
         TOKEN,
         REFRESH "$first$",
         400,
         {"error=invalid_grant"},
         .token = "",
         .headers = OWN_HOST},
        {"GET", "/__sim/oauth", NULL, 200, {"live.refresh=5"}}, )

JOURNEY(a_token_call_says_what_is_wrong,
        {"POST", TOKEN, "{}", 400, {"error=unsupported_grant_type"}, .token = ""},
        {"POST",
         TOKEN,
         "grant_type=password" BODY,
         400,
         {"error=unsupported_grant_type"},
         .token = "",
         .headers = OWN_HOST},
        {"POST",
         TOKEN,
         "grant_type=refresh_token&refresh_token=x&client_id=x&client_secret=x",
         400,
         {"error=invalid_client_id", "error_description=client identifier invalid"},
         .token = "",
         .headers = OWN_HOST},
        {"POST",
         TOKEN,
         "grant_type=refresh_token&refresh_token=x&client_id=" CLIENT "&client_secret=x",
         400,
         {"error=invalid_client"},
         .token = "",
         .headers = OWN_HOST},
        {"POST",
         TOKEN,
         EXCHANGE "x",
         400,
         {"error=invalid_grant", "error_description=invalid authorization code"},
         .token = "",
         .headers = OWN_HOST},
        {"GET", AUTHORIZE, NULL, 302, {0}, .save = "code=@Location?code", .token = ""},
        {"POST",
         TOKEN,
         EXCHANGE "$code$",
         400,
         {"error_description=expired authorization code"},
         .token = "",
         .headers = OWN_HOST,
         .advance_ms = 2 * MINUTE_MS},
        {"GET",
         OAUTH "/authorize?client_id=" CLIENT "&redirect_uri=" BACK,
         NULL,
         302,
         {"@Location?error=unsupported_response_type"},
         .token = ""},
        {"POST", "/__sim/oauth", "{\"challenge_required\":true}", 200, {0}},
        {"GET",
         AUTHORIZE,
         NULL,
         302,
         {"@Location?error_description=missing required code challenge"},
         .token = ""},
        {"GET",
         AUTHORIZE "&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
         NULL,
         302,
         {0},
         .save = "code=@Location?code",
         .token = ""},
        {"POST",
         TOKEN,
         EXCHANGE "$code$",
         400,
         {"error=invalid_grant", "error_description=invalid code verifier"},
         .token = "",
         .headers = OWN_HOST},
        {"POST",
         TOKEN,
         EXCHANGE "$code$&code_verifier=dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
         200,
         {0},
         .token = "",
         .headers = OWN_HOST}, )

JOURNEY(client_credentials_only_at_the_companys_own_host,
        {"POST",
         TOKEN,
         "grant_type=client_credentials" BODY,
         400,
         {"error=invalid_grant", "error_description=request not supported on this domain"},
         .token = "",
         .headers = GENERAL_HOST},
        {"POST",
         TOKEN,
         "grant_type=client_credentials" BODY,
         200,
         {"refresh_token!", "scope=api", "api_instance_url=https://api.salesforce.com"},
         .save = "access=access_token",
         .token = "",
         .headers = OWN_HOST},
        {"GET", DATA "/limits", NULL, 200, {0}, .token = "$access$"},
        {"POST",
         TOKEN,
         "grant_type=client_credentials",
         200,
         {0},
         .token = "",
         .headers = OWN_HOST "\nAuthorization: Basic "
                             "M01WRzlzaW11bGF0ZWRDb25zdW1lcktleS5vZi50aGUuZXh0ZXJuYWwuY2xpZW50LmFw"
                             "cDpzaW11bGF0ZWQtc2FsZXNmb3JjZS1jbGllbnQtc2VjcmV0"},
        {"POST", "/__sim/oauth", "{\"run_as\":false}", 200, {0}},
        {"POST",
         TOKEN,
         "grant_type=client_credentials" BODY,
         400,
         {"error_description=no client credentials user enabled"},
         .token = "",
         .headers = OWN_HOST},
        {"GET", "/__sim/oauth", NULL, 200, {"exchanges.client_credentials=2"}}, )

JOURNEY(who_am_i, SIGNED_IN,
        {"GET",
         OAUTH "/userinfo",
         NULL,
         200,
         {"preferred_username=integration@crm.example", "organization_id~00D", "user_id~005",
          "sub~http://127.0.0.1:8103/id/00D",
          "urls.rest=http://127.0.0.1:8103/services/data/v{version}/", "active=true"},
         .save = "organization=organization_id",
         .token = "$access$",
         .headers = "Host: 127.0.0.1:8103"},
        {"GET", OAUTH "/userinfo", NULL, 200, {0}, .save = "user=user_id", .token = "$access$"},
        {"GET",
         "/id/$organization$/$user$",
         NULL,
         200,
         {"username=integration@crm.example", "display_name=Integration User"},
         .token = "$access$"},
        {"GET", "/id/$organization$/005000000000000AAA", NULL, 403, {0}, .token = "$access$"},
        {"GET", OAUTH "/userinfo", NULL, 403, {0}, .token = ""},
        {"GET", OAUTH "/userinfo", NULL, 403, {0}, .token = "wrong"},
        {"POST",
         OAUTH "/introspect",
         "token=$access$" BODY,
         200,
         {"active=true", "username=integration@crm.example", "token_type=access_token",
          "exp=1795251600"},
         .token = "",
         .headers = OWN_HOST},
        {"POST",
         OAUTH "/introspect",
         "token=x" BODY,
         200,
         {"active=false"},
         .token = "",
         .headers = OWN_HOST},
        {"POST", "/__sim/oauth", "{\"account\":\"00D0000000000009ZZ\"}", 200, {0}}, SIGNED_IN,
        {"GET",
         OAUTH "/userinfo",
         NULL,
         200,
         {"organization_id=00D0000000000009ZZ"},
         .token = "$access$"}, )

JOURNEY(revoking_ends_what_it_names,
        {"GET", AUTHORIZE, NULL, 302, {0}, .save = "code=@Location?code", .token = ""},
        {"POST",
         TOKEN,
         EXCHANGE "$code$",
         200,
         {0},
         .save = "refresh=refresh_token",
         .token = "",
         .headers = OWN_HOST},
        {"POST",
         TOKEN,
         REFRESH "$refresh$",
         200,
         {0},
         .save = "access=access_token",
         .token = "",
         .headers = OWN_HOST},
        {"POST", OAUTH "/revoke", "token=$access$", 200, {0}, .token = "", .headers = OWN_HOST},
        {"GET", DATA "/limits", NULL, 401, {0}, .token = "$access$"},
        {"POST",
         TOKEN,
         REFRESH "$refresh$",
         200,
         {0},
         .save = "access=access_token",
         .token = "",
         .headers = OWN_HOST},
        {"POST", OAUTH "/revoke", "token=$refresh$", 200, {0}, .token = "", .headers = OWN_HOST},
        {"GET", DATA "/limits", NULL, 401, {0}, .token = "$access$"},
        {"POST",
         OAUTH "/revoke",
         "token=$refresh$",
         400,
         {"error=invalid_token"},
         .token = "",
         .headers = OWN_HOST}, )

JOURNEY(instance_url_may_be_hostile,
        {"POST", "/__sim/oauth", "{\"origin\":\"https://evil.example\"}", 200, {0}},
        {"GET", AUTHORIZE, NULL, 302, {0}, .save = "code=@Location?code", .token = ""},
        {"POST",
         TOKEN,
         EXCHANGE "$code$",
         200,
         {"instance_url=https://evil.example"},
         .token = "",
         .headers = OWN_HOST}, )

/* The signature is that of a stranger's computation: HMAC over id and issued_at. */
static void the_signature_is_real(void **state)
{
    static const struct step steps[] = {
        {"GET", AUTHORIZE, NULL, 302, {0}, .save = "code=@Location?code", .token = ""},
        {"POST",
         TOKEN,
         EXCHANGE "$code$",
         200,
         {0},
         .save = "id=id",
         .token = "",
         .headers = OWN_HOST},
    };
    struct journey journey;
    struct error err = {0};
    struct str signature, id, issued_at, message;
    uint8_t mac[SHA256_BYTES];
    json_t *tree;

    (void)state;
    journey_begin(&journey, simulator_salesforce_new, &(struct simulator_options){.seed = 7});
    journey_walk(&journey, steps, COUNT_OF(steps));
    assert_int_equal(jx_parse(&journey.arena, journey.last.body, &tree, &err), OK);
    assert_int_equal(jx_str(tree, "signature", &signature, &err), OK);
    assert_int_equal(jx_str(tree, "id", &id, &err), OK);
    assert_int_equal(jx_str(tree, "issued_at", &issued_at, &err), OK);
    message = arena_printf(&journey.arena, "%s%s", id.at, issued_at.at);
    hmac_sha256(STR(SECRET), message, mac);
    assert_true(str_equal(signature, base64_encode(&journey.arena, mac, sizeof mac)));
    journey_end(&journey);
}

/* --- assertions ----------------------------------------------------------------------------- */

static EVP_PKEY *key;

static int make_key(void **state)
{
    (void)state;
    key = EVP_RSA_gen(2048);
    return key ? 0 : -1;
}

static int free_key(void **state)
{
    (void)state;
    EVP_PKEY_free(key);
    return 0;
}

/* The public half as a JSON text with its line ends escaped. */
static struct str public_key(struct arena *arena)
{
    BIO *bio = BIO_new(BIO_s_mem());
    json_t *text;
    char *pem;
    long len;
    struct str ret;

    assert_int_equal(PEM_write_bio_PUBKEY(bio, key), 1);
    len = BIO_get_mem_data(bio, &pem);
    text = jx_own(arena, json_stringn(pem, (size_t)len));
    ret = jx_text(arena, text);
    BIO_free(bio);
    return ret;
}

static struct str sign(struct arena *arena, const char *header, const char *claims)
{
    struct str first = base64url_encode(arena, header, strlen(header));
    struct str second = base64url_encode(arena, claims, strlen(claims));
    struct str text = arena_printf(arena, "%s.%s", first.at, second.at);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    unsigned char signature[512];
    size_t len = sizeof signature;

    assert_int_equal(EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key), 1);
    assert_int_equal(
        EVP_DigestSign(context, signature, &len, (const unsigned char *)text.at, text.len), 1);
    EVP_MD_CTX_free(context);
    return arena_printf(arena, "%s.%s", text.at, base64url_encode(arena, signature, len).at);
}

struct claim_row {
    const char *header, *claims;
    int status;
    const char *want;
    bool spoils; /* a changed byte in the signature */
};

#define RS256 "{\"alg\":\"RS256\"}"
#define CLAIMS(iss, sub, aud, exp)                                                                 \
    "{\"iss\":\"" iss "\",\"sub\":\"" sub "\",\"aud\":\"" aud "\",\"exp\":" exp "}"
#define USER "integration@crm.example"
#define AUDIENCE "https://login.salesforce.com"

/* The clock stands at 1795244400. */
static const struct claim_row claim_rows[] = {
    {RS256, CLAIMS(CLIENT, USER, AUDIENCE, "1795244580"), 200, "scope=api", false},
    {RS256, CLAIMS(CLIENT, USER, "http://127.0.0.1:8103", "1795244580"), 200, "refresh_token!",
     false},
    {RS256, CLAIMS(CLIENT, USER, AUDIENCE, "1795244580"), 400,
     "error_description=invalid assertion", true},
    {"{\"alg\":\"none\"}", CLAIMS(CLIENT, USER, AUDIENCE, "1795244580"), 400,
     "error_description=invalid assertion", false},
    {"{\"alg\":\"HS256\"}", CLAIMS(CLIENT, USER, AUDIENCE, "1795244580"), 400,
     "error_description=invalid assertion", false},
    {RS256, CLAIMS("other", USER, AUDIENCE, "1795244580"), 400, "error=invalid_client_id", false},
    {RS256, CLAIMS(CLIENT, "remi.sand@crm.example", AUDIENCE, "1795244580"), 400,
     "error_description=user hasn't approved this consumer", false},
    {RS256, CLAIMS(CLIENT, USER, "https://test.salesforce.com", "1795244580"), 400,
     "error_description=audience is invalid", false},
    {RS256, CLAIMS(CLIENT, USER, AUDIENCE, "1795244400"), 400,
     "error_description=invalid assertion", false},
    {RS256, CLAIMS(CLIENT, USER, AUDIENCE, "1795244701"), 400,
     "error_description=invalid assertion", false},
    {RS256, "{\"iss\":\"" CLIENT "\",\"sub\":\"" USER "\",\"aud\":\"" AUDIENCE "\"}", 400,
     "error_description=invalid assertion", false},
};

static void try_claims(struct journey *journey, const struct claim_row *row)
{
    struct str jwt = sign(&journey->arena, row->header, row->claims);
    struct str body = arena_printf(
        &journey->arena,
        "grant_type=urn%%3Aietf%%3Aparams%%3Aoauth%%3Agrant-type%%3Ajwt-bearer&assertion=%s",
        jwt.at);
    struct step step = {
        "POST", TOKEN, NULL, row->status, {row->want}, .token = "", .headers = OWN_HOST};

    if (row->spoils) {
        char *dot = strrchr((char *)(uintptr_t)body.at, '.');

        dot[5] = dot[5] == 'A' ? 'B' : 'A';
    }
    step.body = body.at;
    journey_step(journey, &step, (size_t)(row - claim_rows));
}

static void assertions_are_verified(void **state)
{
    struct journey journey;
    struct str order;
    struct step step = {"POST", "/__sim/oauth", NULL, 200, {0}};

    (void)state;
    journey_begin(&journey, simulator_salesforce_new, &(struct simulator_options){.seed = 7});
    order =
        arena_printf(&journey.arena, "{\"jwt_user\":{\"username\":\"" USER "\",\"public_key\":%s}}",
                     public_key(&journey.arena).at);
    step.body = order.at;
    journey_step(&journey, &step, 0);
    for (size_t i = 0; i < COUNT_OF(claim_rows); i++) {
        try_claims(&journey, &claim_rows[i]);
    }
    journey_end(&journey);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_has_no_lifetime_but_says_where_the_api_is),
        cmocka_unit_test(a_session_ends_two_hours_after_its_last_use),
        cmocka_unit_test(refreshing_says_the_token_again_only_when_it_rotates),
        cmocka_unit_test(a_sixth_refresh_token_ends_the_first),
        cmocka_unit_test(a_token_call_says_what_is_wrong),
        cmocka_unit_test(client_credentials_only_at_the_companys_own_host),
        cmocka_unit_test(who_am_i),
        cmocka_unit_test(revoking_ends_what_it_names),
        cmocka_unit_test(instance_url_may_be_hostile),
        cmocka_unit_test(the_signature_is_real),
        cmocka_unit_test(assertions_are_verified),
    };

    return cmocka_run_group_tests(tests, make_key, free_key);
}
