/* What stands in front of evhttp: strict framing (two readers must never disagree where a request
 * ends), and a table of connections that closes those whose request does not complete in time.
 * Knows sockets, not libevent. One thread. */
#ifndef CRMSYNC_HTTP_GUARD_H
#define CRMSYNC_HTTP_GUARD_H

#include <stdbool.h>
#include <stdint.h>

#include "core/str.h"
#include "http/address.h"

/* Zeroed before the first header of a request. */
struct guard_framing {
    int hosts, lengths, encodings;
    bool has_body; /* some bytes follow */
    bool is_bad;
};
void guard_note_header(struct guard_framing *framing, struct str name, struct str value);
/* Exactly one Host; at most one Content-Length, digits only; at most one Transfer-Encoding and only
 * "chunked"; never both. */
bool guard_framing_ok(const struct guard_framing *framing);
/* Origin form, printable ASCII, no encoded NUL. */
bool guard_target_ok(struct str target);

/* Open connections by file descriptor. Times are monotonic ms. */
struct guard_entry;
struct guard_table {
    struct guard_entry *at; /* owned; index = fd */
    size_t capacity;
    int open_count;
};
void guard_table_fini(struct guard_table *table);
void guard_opened(struct guard_table *table, int fd, int64_t now_ms);
/* How many open connections come from that address, this one included. */
int guard_set_address(struct guard_table *table, int fd, const struct address_ip *ip);
/* A request is complete and being answered: no deadline. */
void guard_set_busy(struct guard_table *table, int fd, int64_t now_ms);
/* The answer is out: the next request has its whole deadline from now. */
void guard_set_idle(struct guard_table *table, int fd, int64_t now_ms);
/* Forgets closed connections and shuts down those that are late. */
void guard_sweep(struct guard_table *table, int64_t now_ms, int64_t deadline_ms);

#endif
