/* A listening socket, and what to tell a person when there is none. */
#ifndef CRMSYNC_HTTP_LISTEN_H
#define CRMSYNC_HTTP_LISTEN_H

#include "core/fail.h"

/* address: IPv4 or IPv6, no name, or "unix:" and the path of a socket file (mode 0660; one that nobody listens at any more is
 * replaced; port is 0 then). port 0 = any free one. Owns: the caller closes *ret_fd
 * (non-blocking, listening). Fails: FAIL_CONFIG with the reason and what to do. */
enum fail listen_bind(const char *address, int port, int *ret_fd, int *ret_port,
                      struct error *err) MUST_CHECK;
/* A socket that listens already, given to this process under that number. Fails as above when it is something else. */
enum fail listen_inherit(int fd, int *ret_fd, int *ret_port, struct error *err) MUST_CHECK;

#endif
