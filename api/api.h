/* The HTTP API, for whoever carries it: the service's listening side, and commands that ask their own store through it (api_ask), so that both show the
 * same. What the API cannot do itself comes in through struct api_host. Any thread may call; every call works on a store handle of its own. */
#ifndef CRMSYNC_API_API_H
#define CRMSYNC_API_API_H

#include <jansson.h>

#include "core/secret.h"
#include "core/uuid.h"
#include "http/message.h"
#include "store/api_token.h"
#include "sync/sync.h"

struct api;
struct samples; /* api/samples.h */

/* A tenant as it is configured now. */
struct api_tenant {
    struct str name;
    int64_t id; /* in the store */
    const struct sync_settings *settings;
};

/* The configuration of this moment; stays as it is until it is given back. */
struct api_setup {
    const struct kinds *kinds;
    const struct api_tenant *tenants;
    size_t tenants_count;
    bool metrics_are_public; /* GET /metrics needs no token on this machine */
    void *owner;             /* the host's */
};

enum { API_NAME_BYTES = 64 };

/* A sync, or a comparison, that somebody asked for. Plain data, to be copied. */
struct api_order {
    char id[UUID_TEXT_BYTES]; /* what its progress is asked for by */
    int64_t tenant_id;
    char tenant[API_NAME_BYTES];
    char connection[API_NAME_BYTES]; /* "" = all */
    char kind[API_NAME_BYTES];       /* "" = all */
    bool pull, push, full;
    bool compares;  /* both sides are compared instead */
    bool repairs;   /* what differs is marked */
    int64_t budget; /* calls; 0 = any number */
};

/* What the surrounding process does for the API; a missing function is answered with 501. Functions may be called from several threads at once, and may
 * block. Trees are given to the caller. */
struct api_host {
    void *context;
    void (*enter)(void *context, struct api_setup *ret);
    void (*leave)(void *context, const struct api_setup *setup); /* may be NULL */
    /* Queues it and returns. api_order_progress() and api_order_end() follow. */
    enum fail (*sync)(void *context, const struct api_order *order, struct error *err);
    /* Something was edited or decided that a sync carries to the CRMs; may be NULL. */
    void (*edited)(void *context, int64_t tenant_id);
    /* Tries a connection: [{"check", "result", "try"}]. */
    enum fail (*test)(void *context, const struct api_tenant *tenant, struct str connection,
                      json_t **ret_rows, bool *ret_is_fine, struct error *err);
    /* settings: the connection as it would stand in the configuration, as JSON. FAIL_CONFIG: not valid, or there is one of that name. */
    enum fail (*connection_put)(void *context, struct str tenant, struct str name,
                                const json_t *settings, struct error *err);
    /* FAIL_CONFIG: it stands in a file that a person wrote. */
    enum fail (*connection_remove)(void *context, struct str tenant, struct str name,
                                   struct error *err);
    enum fail (*sign_in_start)(void *context, const struct api_tenant *tenant,
                               struct str connection, struct arena *arena, struct str *ret_url,
                               struct error *err);
    /* The CRM sent a browser back; the state says whose sign-in it is. */
    enum fail (*sign_in_finish)(void *context, const struct http_request *request,
                                struct arena *arena, struct str *ret_account, struct error *err);
    /* Adds to GET /metrics what only the process knows; reader: the call's. Called between enter and leave; may be NULL. */
    enum fail (*samples)(void *context, struct store *reader, struct samples *samples,
                         struct error *err);
    /* Whether work can be taken; *ret_checks: {"store": "ok", …}. */
    bool (*ready)(void *context, json_t **ret_checks);
};

struct api_options {
    struct env *env;
    struct store *store; /* borrowed */
    /* the store is for this thread alone: no further handles are opened */
    bool is_private;
    struct api_host host;
};

struct api *api_new(const struct api_options *options);
void api_free(struct api *api); /* before the store is closed; accepts NULL */

/* http_handler_fn; context: the api. */
void api_handle(void *api, const struct http_request *request, struct http_response *response);
/* Whether a path belongs to the API. */
bool api_owns(struct str path);

/* Asks in this process, as an admin of a tenant. target: path and query. body: borrowed, may be NULL. *ret is arena's. Fails as the handler does. */
enum fail api_ask(struct api *api, int64_t tenant_id, enum http_method method, struct str target,
                  json_t *body, struct arena *arena, json_t **ret, struct error *err) MUST_CHECK;

/* A token that is good as long as this api lives, kept in memory alone: an admin's of all tenants, for commands of the same user. */
void api_local_token(const struct api *api, struct secret *ret);

/* For the host, on one thread, several times a second: sends clients of GET /api/crm/events what is new to them. */
enum fail api_follow(struct api *api, struct error *err) MUST_CHECK;

/* For the host, from any thread: what becomes of an order. report and err as sync_run() left them; err->code OK: it ran to its end. */
void api_order_progress(struct api *api, const char *id, const struct sync_progress *progress);
void api_order_end(struct api *api, const char *id, const struct sync_report *report,
                   const struct error *err);

#endif
