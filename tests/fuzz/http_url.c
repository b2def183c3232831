/* URLs and the allow-list: what is taken is what every reader sees in it. */
#include "tests/fuzz/fuzz.h"

#include "http/address.h"
#include "http/guard.h"
#include "http/message.h"
#include "http/url.h"

static bool is_host_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           strchr("-._:", c);
}

static void is_plain(const struct http_url *url, struct str text, struct arena *arena)
{
    struct str again =
        arena_printf(arena, "%s://%" PRI_STR "%" PRI_STR, url->is_https ? "https" : "http",
                     STR_ARG(url->authority), STR_ARG(url->target));

    MUST_HOLD(url->host.len && url->host.len <= HTTP_HOST_BYTES_MAX, "%zu bytes", url->host.len);
    MUST_HOLD(url->port >= 1 && url->port <= 65535, "port %d", url->port);
    for (size_t i = 0; i < url->host.len; i++) {
        MUST_HOLD(url->host.at[i] && is_host_char(url->host.at[i]), "host");
    }
    for (size_t i = 0; i < text.len; i++) {
        MUST_HOLD((unsigned char)text.at[i] > ' ' && text.at[i] != '\\' && text.at[i] != 0x7f,
                  "byte %zu", i);
    }
    MUST_HOLD(str_equal_nocase(str_slice(again, 0, 8), str_slice(text, 0, 8)) &&
                  str_equal(str_slice(again, 8, again.len), str_slice(text, 8, text.len)),
              "%" PRI_STR " is %" PRI_STR, STR_ARG(text), STR_ARG(again));
    MUST_HOLD(!url->authority.len || !memchr(url->authority.at, '@', url->authority.len),
              "userinfo");
}

/* Whoever matches a pattern ends as it does, behind a dot. */
static void is_allowed_rightly(struct str host)
{
    static const char PATTERN[] = "*.my.salesforce.com";
    struct str suffix = str_slice(str_of(PATTERN), 1, sizeof PATTERN - 1);

    if (http_host_matches(host, PATTERN)) {
        MUST_HOLD(host.len > suffix.len &&
                      str_equal_nocase(str_slice(host, host.len - suffix.len, host.len), suffix),
                  "%" PRI_STR, STR_ARG(host));
    }
    MUST_HOLD(http_host_matches(host, "api.hubapi.com") ==
                  str_equal_nocase(host, STR("api.hubapi.com")),
              "%" PRI_STR, STR_ARG(host));
}

static void codes_come_back(struct str input, struct arena *arena)
{
    struct str code = http_percent_encode(arena, input);

    MUST_HOLD(str_equal(http_percent_decode(arena, code, false), input), "percent");
    MUST_HOLD(str_equal(http_percent_decode(arena, code, true), input), "form");
    MUST_HOLD(http_percent_decode(arena, input, true).len <= input.len, "never longer");
}

void fuzz_one(struct str input)
{
    AUTO_ARENA struct arena arena = {0};
    struct error err = {0};
    struct http_url url;

    if (http_url_parse(input, &url, &err) == OK) {
        is_plain(&url, input, &arena);
        is_allowed_rightly(url.host);
    } else {
        MUST_HOLD(err.code == FAIL_CONFIG, "%s", err.message);
    }
    is_allowed_rightly(input);
    (void)http_url_shown(input);
    codes_come_back(input, &arena);
    if (guard_target_ok(input)) {
        MUST_HOLD(input.len && input.at[0] == '/' && !memchr(input.at, ' ', input.len), "target");
    }
}
