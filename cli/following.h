/* The thread of a running service that tells who follows GET /api/crm/events what is new. */
#ifndef CRMSYNC_CLI_FOLLOWING_H
#define CRMSYNC_CLI_FOLLOWING_H

#include "api/api.h"

struct following;

enum { FOLLOWING_LOOK_MS = 100 };

enum fail following_start(struct api *api, struct log *log, struct following **ret,
                          struct error *err) MUST_CHECK;
/* Before the API ends. Accepts NULL. */
void following_stop(struct following *following);

#endif
