/* A running service as a command sees it: over HTTP, with a token. */
#ifndef CRMSYNC_CLI_REMOTE_H
#define CRMSYNC_CLI_REMOTE_H

#include <jansson.h>

#include "cli/command.h"
#include "core/secret.h"
#include "http/message.h"

struct remote;

/* --server or CRMSYNC_SERVER, with the token of CRMSYNC_TOKEN or of the file CRMSYNC_TOKEN_FILE. FAIL_CONFIG: no token, an address that is none.
 * https is held against the certificates of --ca or CRMSYNC_CA, else the system's. */
enum fail remote_open(struct cli *cli, struct remote **ret, struct error *err) MUST_CHECK;
/* The service that holds this store, by the door that it opened beside it (cli/local_door.h). *ret NULL: there is none, or it does not answer any more. */
enum fail remote_open_holder(struct cli *cli, struct str store_path, struct str tenant,
                             struct remote **ret, struct error *err) MUST_CHECK;
void remote_close(struct remote *remote); /* accepts NULL */

/* A problem in the answer becomes err, with the same code as the service had. body: borrowed, may be NULL. */
enum fail remote_ask(struct remote *remote, enum http_method method, struct str target,
                     json_t *body, struct arena *arena, json_t **ret, struct error *err) MUST_CHECK;

#endif
