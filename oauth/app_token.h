/* The token of the app itself, by client credentials, beside that of the person who signed in: for calls that a CRM lets only the app make. Kept in
 * memory alone: it is short-lived and can be had again at any time. */
#ifndef CRMSYNC_OAUTH_APP_TOKEN_H
#define CRMSYNC_OAUTH_APP_TOKEN_H

#include "oauth/keeper.h"

struct app_token;

/* Nothing is asked yet. The connection's provider has an app_token_path. connection is copied; what it borrows must outlive the token. */
struct app_token *app_token_new(const struct oauth_connection *connection);
void app_token_free(struct app_token *token); /* wipes; accepts NULL. Nobody is in get() any more */
/* get(): as http/auth.h says, and as grant_app() fails. Nothing that fails here is marked at the connection. */
struct http_auth *app_token_auth(struct app_token *token);

/* The scopes that are asked for: app_scopes, and those of the sign-in that read objects (app_object_scopes). Pure. */
struct str app_token_scopes(const struct oauth_client *client, struct arena *arena);

#endif
