/* Who the client is when proxies stand in between. */
#include "http/forwarded.h"

#include "tests/expect.h"

static const struct {
    const char *why, *peer, *forwarded_for, *also_for, *proto, *host;
    const char *client, *want_host;
    bool want_tls;
} CLIENTS[] = {
    {"nobody in between", "203.0.113.9", NULL, NULL, NULL, NULL, "203.0.113.9", "h.example", false},
    {"a stranger's words do not count", "203.0.113.9", "1.2.3.4", NULL, "https", "evil.example",
     "203.0.113.9", "h.example", false},
    {"a trusted proxy's do", "10.0.0.2", "203.0.113.9", NULL, "https", "crm.example", "203.0.113.9",
     "crm.example", true},
    {"what the client wrote itself stands in front", "10.0.0.2", "1.2.3.4, 203.0.113.9", NULL,
     "http", NULL, "203.0.113.9", "h.example", false},
    {"a chain of trusted ones", "10.0.0.2", "203.0.113.9, 10.0.0.7", NULL, "HTTPS", NULL,
     "203.0.113.9", "h.example", true},
    {"two headers are one list", "10.0.0.2", "1.2.3.4", "203.0.113.9,10.0.0.7", NULL, NULL,
     "203.0.113.9", "h.example", false},
    {"all trusted: the first", "10.0.0.2", "10.0.0.9, 10.0.0.7", NULL, NULL, NULL, "10.0.0.9",
     "h.example", false},
    {"no address: the last that was one", "10.0.0.2", "unknown, 10.0.0.7", NULL, NULL, NULL,
     "10.0.0.7", "h.example", false},
    {"with a port", "10.0.0.2", "[2001:db8::1]:443", NULL, NULL, NULL, "2001:db8::1", "h.example",
     false},
    {"of two protocols the nearest proxy's", "10.0.0.2", "203.0.113.9", NULL, "https, http", NULL,
     "203.0.113.9", "h.example", false},
};

static void the_client_is_who_trusted_proxies_say(void **state)
{
    struct address_range trusted;

    (void)state;
    assert_true(address_range_parse(STR("10.0.0.0/8"), &trusted));
    for (size_t i = 0; i < COUNT_OF(CLIENTS); i++) {
        AUTO_ARENA struct arena arena = {0};
        struct http_request request = {0};
        struct forwarded_seen seen = {.trusted = &trusted, .trusted_count = 1};
        const struct http_header headers[] = {
            {STR("Host"), STR("h.example")},
            {STR("X-Forwarded-For"), str_of(CLIENTS[i].forwarded_for)},
            {STR("x-forwarded-for"), str_of(CLIENTS[i].also_for)},
            {STR("X-Forwarded-Proto"), str_of(CLIENTS[i].proto)},
            {STR("X-Forwarded-Host"), str_of(CLIENTS[i].host)},
        };

        assert_true(address_ip_parse(str_of(CLIENTS[i].peer), &seen.peer));
        for (size_t j = 0; j < COUNT_OF(headers); j++) {
            if (headers[j].value.at) {
                http_header_add(&request.headers, headers[j].name, headers[j].value);
            }
        }
        forwarded_apply(&seen, &arena, &request);
        EXPECT_STR(request.client_address, str_of(CLIENTS[i].client), CLIENTS[i].why);
        EXPECT_STR(request.host, str_of(CLIENTS[i].want_host), CLIENTS[i].why);
        EXPECT(request.is_tls == CLIENTS[i].want_tls, "%s: TLS", CLIENTS[i].why);
    }
}

static void a_local_socket_is_a_proxy_of_this_machine(void **state)
{
    AUTO_ARENA struct arena arena = {0};
    const struct forwarded_seen seen = {0};
    struct http_request request = {0};

    (void)state;
    http_header_add(&request.headers, STR("Host"), STR("h.example"));
    forwarded_apply(&seen, &arena, &request);
    EXPECT_STR(request.client_address, STR(""), "it names nobody");
    http_header_add(&request.headers, STR("X-Forwarded-For"), STR("203.0.113.9"));
    forwarded_apply(&seen, &arena, &request);
    EXPECT_STR(request.client_address, STR("203.0.113.9"), "it names its client");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_client_is_who_trusted_proxies_say),
        cmocka_unit_test(a_local_socket_is_a_proxy_of_this_machine),
    };

    return cmocka_run_group_tests_name("forwarded", tests, NULL, NULL);
}
