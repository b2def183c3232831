/* A running service as a command sees it: over HTTP, with a token. */
#ifndef CRMSYNC_CLI_REMOTE_H
#define CRMSYNC_CLI_REMOTE_H

#include <jansson.h>

#include "cli/command.h"
#include "core/secret.h"
#include "http/message.h"

struct remote;

/* --server or CRMSYNC_SERVER, with the token of CRMSYNC_TOKEN or of the file CRMSYNC_TOKEN_FILE. FAIL_CONFIG: no token, an address that is none. */
enum fail remote_open(struct cli *cli, struct remote **ret, struct error *err) MUST_CHECK;
/* The service that holds this store and has left a note beside it (local_door_write). *ret NULL: there is none, or it does not answer any more. */
enum fail remote_open_holder(struct cli *cli, struct str store_path, struct str tenant,
                             struct remote **ret, struct error *err) MUST_CHECK;
void remote_close(struct remote *remote); /* accepts NULL */

/* A problem in the answer becomes err, with the same code as the service had. body: borrowed, may be NULL. */
enum fail remote_ask(struct remote *remote, enum http_method method, struct str target,
                     json_t *body, struct arena *arena, json_t **ret, struct error *err) MUST_CHECK;

/* --- the note that a service leaves beside its store, for commands of the same user on the same machine ----------------------- */

/* Whether http://127.0.0.1 reaches who listens there. */
bool local_door_fits(struct str address);
/* "STORE.service", mode 0600: where it listens on this machine, and a token that is good as long as it lives. */
enum fail local_door_write(const char *store_path, int port, const struct secret *token,
                           struct error *err) MUST_CHECK;
void local_door_remove(const char *store_path);

#endif
