/* The door that a service opens beside its store for commands of the same user on this machine: a socket file (STORE.socket), and a note (STORE.service, mode
 * 0600) with a token that is good as long as the service lives. It is the same whatever `service: listen:` and `tls:` say. */
#ifndef CRMSYNC_CLI_LOCAL_DOOR_H
#define CRMSYNC_CLI_LOCAL_DOOR_H

#include "core/secret.h"
#include "core/str.h"
#include "http/server.h"

struct local_door;

/* token: what commands show. Everything is borrowed for the call, but for context and log. FAIL_STOP, FAIL_CONFIG: no file can be made there, or another
 * process listens at it. */
struct local_door_options {
    const char *store_path;
    http_handler_fn *handler;
    void *context;
    const struct secret *token;
    struct log *log;
};
enum fail local_door_open(const struct local_door_options *options, struct local_door **ret,
                          struct error *err) MUST_CHECK;
/* Lets running handlers finish, and takes note and socket away. Accepts NULL. */
void local_door_close(struct local_door *door);

/* The commands' side: where the service that holds this store is reached. path: of the socket, for as long as it is not freed; *ret NULL: there is no note that this user may read. */
struct local_way {
    const char *socket;
    struct secret token;
    int folder; /* what socket may lead through */
};
enum fail local_way_find(struct str store_path, struct local_way **ret,
                         struct error *err) MUST_CHECK;
void local_way_free(struct local_way *way); /* accepts NULL */

#endif
