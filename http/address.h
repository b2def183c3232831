/* Which network addresses may be connected to. A name that we allow can still resolve to a machine
 * of the internal network (by mistake, or by DNS rebinding), so the check is made on the address
 * itself, just before the socket is opened. */
#ifndef CRMSYNC_HTTP_ADDRESS_H
#define CRMSYNC_HTTP_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>

#include "core/str.h"

struct sockaddr;

enum { ADDRESS_TEXT_BYTES = 64 };

bool address_is_loopback(const struct sockaddr *address);
/* Neither private, link-local, loopback, multicast, reserved, nor an IPv6 form that carries such an
 * IPv4 address. */
bool address_is_public(const struct sockaddr *address);
void address_format(const struct sockaddr *address, char ret[ADDRESS_TEXT_BYTES]);

/* "192.0.2.7", "192.0.2.0/24", "2001:db8::/32". IPv4 is kept as ::ffff:0:0/96, so that both spellings of an address are the same. */
struct address_range {
    unsigned char bytes[16];
    int bits; /* of 128 that count */
};
/* False: neither an address nor a range, or a range with bits set behind its length (then somebody meant something else). */
bool address_range_parse(struct str text, struct address_range *ret);
/* address as text, without port; false when it is none. */
bool address_range_has(const struct address_range *range, struct str address);

/* IPv6, or IPv4 as ::ffff:a.b.c.d; all zero: a local (Unix) socket. */
struct address_ip {
    unsigned char bytes[16];
};
struct address_ip address_ip_of(const struct sockaddr *address);
/* "192.0.2.1", "2001:db8::1", "[2001:db8::1]", each also with ":port" behind it (IPv6 in brackets only). */
bool address_ip_parse(struct str text, struct address_ip *ret);
/* "" for a local socket. */
void address_ip_format(const struct address_ip *ip, char ret[ADDRESS_TEXT_BYTES]);
bool address_ip_is_local_socket(const struct address_ip *ip);
bool address_in_ranges(const struct address_ip *ip, const struct address_range *ranges,
                       size_t count);

#endif
