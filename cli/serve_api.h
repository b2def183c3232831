/* What the HTTP API asks of the service around it (api/api.h, struct api_host). */
#ifndef CRMSYNC_CLI_SERVE_API_H
#define CRMSYNC_CLI_SERVE_API_H

#include "cli/serve.h"

struct api_host serve_api_host(struct service *service);
/* What the API sees of the configuration at work; after each change of it, while nobody is inside (service.setup_lock). */
void serve_api_setup(struct service *service);

#endif
