#include "http/url.h"

#include <arpa/inet.h>

#include "core/fail.h"

enum { LABEL_BYTES_MAX = 63, PORT_DIGITS_MAX = 5, SHOWN_BYTES_MAX = 200 };

struct str http_url_shown(struct str text)
{
    size_t len = 0;
    size_t at_sign = 0;

    while (len < text.len && text.at[len] != '?' && text.at[len] != '#' &&
           (unsigned char)text.at[len] > ' ' && (unsigned char)text.at[len] < 0x7F) {
        len++;
        if (text.at[len - 1] == '@') {
            at_sign = len; /* what stands before it may be a password */
        }
    }
    text = str_slice(text, at_sign, len);
    return str_slice(text, 0, SHOWN_BYTES_MAX);
}

static enum fail refuse(struct str text, const char *why, struct error *err)
{
    struct str shown = http_url_shown(text);

    return error_set(err, FAIL_CONFIG, "cannot use address '%" PRI_STR "': %s", STR_ARG(shown),
                     why);
}

static bool is_printable(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.at[i];

        if (c <= ' ' || c >= 0x7F || c == '\\' || c == '"' || c == '<' || c == '>') {
            return false;
        }
    }
    return true;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool label_is_valid(struct str label)
{
    if (label.len == 0 || label.len > LABEL_BYTES_MAX || label.at[0] == '-' ||
        label.at[label.len - 1] == '-') {
        return false;
    }
    for (size_t i = 0; i < label.len; i++) {
        if (!is_digit(label.at[i]) && !is_letter(label.at[i]) && label.at[i] != '-') {
            return false;
        }
    }
    return true;
}

/* True for 127.0.0.1, and also for 2130706433 and 0x7f.1, which only some readers take for
 * addresses. */
static bool looks_numeric(struct str host)
{
    struct str last = STR_NONE;

    for (struct str rest = host; rest.at;) {
        last = str_cut(&rest, '.');
    }
    return last.len && is_digit(last.at[0]);
}

/* Only the plain dotted form: inet_pton refuses octal, hexadecimal and short ones. */
static bool ipv4_of(struct str host, unsigned char ret[4])
{
    char text[INET_ADDRSTRLEN] = "";

    if (host.len >= sizeof text) {
        return false;
    }
    memcpy(text, host.at, host.len);
    return inet_pton(AF_INET, text, ret) == 1;
}

static bool ipv6_of(struct str host, struct in6_addr *ret)
{
    char text[INET6_ADDRSTRLEN] = "";

    if (host.len == 0 || host.len >= sizeof text) {
        return false;
    }
    memcpy(text, host.at, host.len);
    return inet_pton(AF_INET6, text, ret) == 1;
}

static bool host_is_valid(struct str host)
{
    unsigned char ipv4[4];

    if (host.len == 0 || host.len > HTTP_HOST_BYTES_MAX) {
        return false;
    }
    if (looks_numeric(host)) {
        return ipv4_of(host, ipv4);
    }
    for (struct str rest = host; rest.at;) { /* a trailing dot leaves an empty label */
        if (!label_is_valid(str_cut(&rest, '.'))) {
            return false;
        }
    }
    return true;
}

static bool host_is_loopback(struct str host)
{
    unsigned char ipv4[4];

    return str_equal_nocase(host, STR("localhost")) || (ipv4_of(host, ipv4) && ipv4[0] == 127);
}

static bool port_of(struct str digits, int *ret)
{
    int64_t number;

    for (size_t i = 0; i < digits.len; i++) {
        if (!is_digit(digits.at[i])) {
            return false;
        }
    }
    if (digits.len > PORT_DIGITS_MAX || !str_to_i64(digits, &number) || number < 1 ||
        number > 65535) {
        return false;
    }
    *ret = (int)number;
    return true;
}

/* [::1] or [::1]:8080 */
static const char *read_ipv6(struct http_url *url)
{
    struct str rest = str_slice(url->authority, 1, url->authority.len);
    struct in6_addr address;

    url->host = str_cut(&rest, ']');
    if (!rest.at || !ipv6_of(url->host, &address)) {
        return "the IPv6 address is not valid";
    }
    url->is_loopback = IN6_IS_ADDR_LOOPBACK(&address);
    if (rest.len && (rest.at[0] != ':' || !port_of(str_slice(rest, 1, rest.len), &url->port))) {
        return "the port is not a number from 1 to 65535";
    }
    return NULL;
}

static const char *read_authority(struct http_url *url)
{
    struct str rest = url->authority;

    if (rest.len && rest.at[0] == '[') {
        return read_ipv6(url);
    }
    url->host = str_cut(&rest, ':');
    if (!host_is_valid(url->host)) {
        return "the host name is not valid";
    }
    if (rest.at && !port_of(rest, &url->port)) {
        return "the port is not a number from 1 to 65535";
    }
    url->is_loopback = host_is_loopback(url->host);
    return NULL;
}

/* Cuts the scheme off; false when it is another one. */
static bool read_scheme(struct str *rest, struct http_url *url)
{
    const struct str https = STR("https://");
    const struct str http = STR("http://");

    url->is_https = str_starts(*rest, https);
    if (!url->is_https && !str_starts(*rest, http)) {
        return false;
    }
    *rest = str_slice(*rest, url->is_https ? https.len : http.len, rest->len);
    url->port = url->is_https ? 443 : 80;
    return true;
}

enum fail http_url_parse(struct str text, struct http_url *ret, struct error *err)
{
    struct http_url url = {0};
    struct str rest = text;
    size_t end = 0;
    const char *why;

    if (text.len > HTTP_URL_BYTES_MAX || !is_printable(text)) {
        return refuse(text, "it is too long or holds characters that must be escaped", err);
    }
    if (!read_scheme(&rest, &url)) {
        return refuse(text, "it must start with https://", err);
    }
    while (end < rest.len && rest.at[end] != '/' && rest.at[end] != '?' && rest.at[end] != '#') {
        end++;
    }
    url.authority = str_slice(rest, 0, end);
    url.target = str_slice(rest, end, rest.len);
    if (url.target.len && memchr(url.target.at, '#', url.target.len)) {
        return refuse(text, "a fragment (#) has no meaning here", err);
    }
    why = read_authority(&url);
    if (why) {
        return refuse(text, why, err);
    }
    *ret = url;
    return OK;
}

bool http_host_matches(struct str host, const char *pattern)
{
    struct str wanted = str_of(pattern);
    struct str tail;

    if (!str_starts(wanted, STR("*."))) {
        return str_equal_nocase(host, wanted);
    }
    wanted = str_slice(wanted, 1, wanted.len); /* with its dot */
    if (host.len <= wanted.len) {
        return false;
    }
    tail = str_slice(host, host.len - wanted.len, host.len);
    return str_equal_nocase(tail, wanted);
}
