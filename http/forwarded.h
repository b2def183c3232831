/* Who the client of a request is, when proxies stand in between. What they say in X-Forwarded-For, -Proto and -Host counts
 * only when the connection comes from one that is trusted: anybody else can write these headers himself. */
#ifndef CRMSYNC_HTTP_FORWARDED_H
#define CRMSYNC_HTTP_FORWARDED_H

#include "core/arena.h"
#include "http/address.h"
#include "http/message.h"

struct forwarded_seen {
    struct address_ip peer; /* who holds the connection */
    bool is_tls;            /* to us */
    const struct address_range *trusted;
    size_t trusted_count;
};

/* Sets client_address, host and is_tls of the request from its headers and what was seen. Texts go to the arena. */
void forwarded_apply(const struct forwarded_seen *seen, struct arena *arena,
                     struct http_request *request);

#endif
