/* http_exec() with a keeper of tokens: which credential travels where, and what a refusal leads to. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>

#include "http/client.h"
#include "http/transport.h"

#include <cmocka.h> /* last: its macro fail() would break declarations with enum fail */

enum { CALLS = 12, URL_BYTES = 128 };

struct fixture {
    struct http_auth auth; /* first: the keeper below gets this back */
    struct clock *clock;
    struct random *random;
    struct transport *transport;
    struct env env;
    struct http_client *client;
    struct http_account account;
    struct http_call calls[CALLS];
    struct http_call *list[CALLS];
    struct error err;
    /* the keeper */
    int64_t generation; /* of the token it has */
    const char *origin;
    enum fail answer; /* what a renewal comes to */
    int asked, renewed;
    /* the CRM */
    int64_t taken; /* the generation whose token it takes */
    int received, received_other;
    bool is_deaf; /* refuses every token */
    char last_path[URL_BYTES];
};

static enum fail keeper_get(struct http_auth *auth, int64_t refused, struct http_credential *ret,
                            struct error *err)
{
    struct fixture *f = (struct fixture *)auth;
    char header[64];

    f->asked++;
    if (refused && refused == f->generation) {
        f->renewed++;
        if (f->answer != OK) {
            return error_set(err, f->answer, "the sign-in server said no");
        }
        f->generation++;
    }
    snprintf(header, sizeof header, "Bearer t%lld", (long long)f->generation);
    secret_set(&ret->header, str_of(header));
    ret->generation = f->generation;
    snprintf(ret->origin, sizeof ret->origin, "%s", f->origin);
    return OK;
}

static void crm(void *context, const struct http_request *request, struct http_response *response)
{
    struct fixture *f = context;
    char want[64];

    f->received++;
    snprintf(want, sizeof want, "Bearer t%lld", (long long)f->taken);
    snprintf(f->last_path, sizeof f->last_path, "%" PRI_STR, STR_ARG(request->url));
    response->status =
        !f->is_deaf && str_equal(http_header_get(&request->headers, "Authorization"), str_of(want))
            ? 200
            : 401;
    response->body = STR("{}");
}

static void other(void *context, const struct http_request *request, struct http_response *response)
{
    struct fixture *f = context;

    f->received_other++;
    crm(context, request, response);
}

static enum fail classify(const struct http_response *response, struct http_account *account,
                          struct error *err)
{
    (void)account;
    return response->status == 401 ? error_set(err, FAIL_AUTH, "token refused") : OK;
}

static int set_up(void **state)
{
    static const char *const HOSTS[] = {"login.crm.example", "*.my.crm.example"};
    static struct fixture fixture;
    struct fixture *f = &fixture;

    *f = (struct fixture){.auth = {.get = keeper_get}, .generation = 1, .taken = 1, .origin = ""};
    f->clock = clock_new_virtual(1000000);
    f->random = random_new_seeded(7);
    f->transport = transport_new_mounted(f->clock, 10);
    transport_mount(f->transport, "login.crm.example", crm, f);
    transport_mount(f->transport, "acme.my.crm.example", other, f);
    transport_mount(f->transport, "evil.example", other, f);
    f->env = (struct env){.clock = f->clock, .random = f->random, .transport = f->transport};
    f->client = http_client_new(
        &f->env, &(struct http_client_options){.allowed_hosts = HOSTS, .allowed_hosts_count = 2});
    f->account = (struct http_account){.classify = classify, .auth = &f->auth};
    for (size_t i = 0; i < CALLS; i++) {
        f->list[i] = &f->calls[i];
        f->calls[i].request.method = HTTP_POST;
        f->calls[i].request.url = STR("https://login.crm.example/data/things?x=1");
    }
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    for (size_t i = 0; i < CALLS; i++) {
        http_call_fini(&f->calls[i]);
    }
    http_client_free(f->client);
    transport_free(f->transport);
    random_free(f->random);
    clock_free(f->clock);
    return 0;
}

static enum fail exec(struct fixture *f, size_t count)
{
    return http_exec(f->client, &f->account, f->list, count, &f->err);
}

static void a_good_token_is_used(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(exec(f, 2), OK);
    assert_int_equal(f->received, 2);
    assert_int_equal(f->renewed, 0);
    assert_int_equal(f->calls[0].request.headers.count, 0); /* the caller's request is untouched */
}

/* Writes too: a refused credential means that nothing was applied. */
static void a_refused_token_is_renewed_once_for_all_calls(void **state)
{
    struct fixture *f = *state;

    f->taken = 2;
    assert_int_equal(exec(f, CALLS), OK);
    assert_int_equal(f->renewed, 1);
    for (size_t i = 0; i < CALLS; i++) {
        assert_int_equal(f->calls[i].result, OK);
        assert_false(f->calls[i].error.is_outcome_unknown);
    }
}

static void a_new_token_that_is_refused_as_well_ends_it(void **state)
{
    struct fixture *f = *state;

    f->is_deaf = true;
    assert_int_equal(exec(f, 1), FAIL_AUTH);
    assert_int_equal(f->received, 2);
    assert_int_equal(f->renewed, 1);
}

static void what_the_renewal_fails_with_is_what_the_call_fails_with(void **state)
{
    static const enum fail ROWS[] = {FAIL_AUTH, FAIL_RETRY, FAIL_THROTTLED};
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        f->taken = 99;
        f->answer = ROWS[i];
        exec(f, 1);
        assert_int_equal(f->calls[0].result, ROWS[i]);
        assert_false(f->calls[0].error.is_outcome_unknown);
    }
}

static void the_token_goes_to_the_origin_it_is_for(void **state)
{
    struct fixture *f = *state;

    f->origin = "https://acme.my.crm.example";
    assert_int_equal(exec(f, 1), OK);
    assert_int_equal(f->received_other, 1);
    assert_string_equal(f->last_path, "/data/things?x=1");
}

/* A token answer is data of somebody else: its host is checked each time it is used. */
static void a_hostile_origin_is_never_asked(void **state)
{
    static const char *const ROWS[] = {"https://evil.example",
                                       "http://acme.my.crm.example",
                                       "https://acme.my.crm.example:8443",
                                       "https://my.crm.example.evil.example",
                                       "https://evil.example/acme.my.crm.example",
                                       "https://acme.my.crm.example@evil.example",
                                       "https://127.0.0.1",
                                       "https://169.254.169.254"};
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        f->origin = ROWS[i];
        assert_int_equal(exec(f, 1), FAIL_CONFIG);
        assert_int_equal(f->received + f->received_other, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_good_token_is_used, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_refused_token_is_renewed_once_for_all_calls, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_new_token_that_is_refused_as_well_ends_it, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_the_renewal_fails_with_is_what_the_call_fails_with,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_token_goes_to_the_origin_it_is_for, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_hostile_origin_is_never_asked, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
