/* A strict reading of the URLs that crmsync sends requests to. Anything that two parsers might read
 * differently (userinfo, backslashes, odd spellings of IP addresses, trailing dots) is refused
 * rather than understood. */
#ifndef CRMSYNC_HTTP_URL_H
#define CRMSYNC_HTTP_URL_H

#include "core/fail.h"
#include "core/str.h"

enum { HTTP_URL_BYTES_MAX = 16 * 1024, HTTP_HOST_BYTES_MAX = 253 };

struct http_url {
    bool is_https;
    bool is_loopback;     /* 127.0.0.0/8, [::1] or localhost, by its text alone */
    struct str host;      /* without brackets and port; borrowed from the text */
    struct str authority; /* host and port as written */
    struct str target;    /* path and query, at least "" */
    int port;             /* the scheme's where none is written */
};

/* Fails: FAIL_CONFIG naming what is wrong. Never repeats the query, which may hold a secret. */
enum fail http_url_parse(struct str text, struct http_url *ret, struct error *err) MUST_CHECK;

/* Exact name, or "*.example.com" for any name below example.com (not itself). Without case. */
bool http_host_matches(struct str host, const char *pattern);

/* The URL up to its query: fit for messages. */
struct str http_url_shown(struct str text);

#endif
