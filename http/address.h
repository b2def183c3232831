/* Which network addresses may be connected to. A name that we allow can still resolve to a machine
 * of the internal network (by mistake, or by DNS rebinding), so the check is made on the address
 * itself, just before the socket is opened. */
#ifndef CRMSYNC_HTTP_ADDRESS_H
#define CRMSYNC_HTTP_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>

struct sockaddr;

enum { ADDRESS_TEXT_BYTES = 64 };

bool address_is_loopback(const struct sockaddr *address);
/* Neither private, link-local, loopback, multicast, reserved, nor an IPv6 form that carries such an
 * IPv4 address. */
bool address_is_public(const struct sockaddr *address);
void address_format(const struct sockaddr *address, char ret[ADDRESS_TEXT_BYTES]);

#endif
