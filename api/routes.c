/* The table of routes. */
#include "api/handlers.h"

static const struct api_route ROUTES[] = {
    {HTTP_GET, "/healthz", ROLE_NONE, API_SCOPE_SERVICE, handle_healthz, NULL, NULL},
    {HTTP_GET, "/readyz", ROLE_NONE, API_SCOPE_SERVICE, handle_readyz, NULL, NULL},
    {HTTP_GET, "/openapi.json", ROLE_NONE, API_SCOPE_SERVICE, handle_openapi, NULL, NULL},
    {HTTP_GET, "/metrics", ROLE_VIEWER, API_SCOPE_SERVICE, handle_metrics, NULL, NULL},
    {HTTP_GET, "/api/crm/tenants", ROLE_VIEWER, API_SCOPE_SERVICE, handle_tenants, NULL, NULL},

    {HTTP_GET, "/api/crm/kinds", ROLE_VIEWER, API_SCOPE_TENANT, handle_kinds, NULL, NULL},
    {HTTP_GET, "/api/crm/integrations", ROLE_VIEWER, API_SCOPE_TENANT, handle_integrations_list,
     NULL, NULL},
    {HTTP_POST, "/api/crm/integrations", ROLE_ADMIN, API_SCOPE_TENANT, handle_integration_put, NULL,
     "name settings"},
    {HTTP_GET, "/api/crm/integrations/{name}", ROLE_VIEWER, API_SCOPE_TENANT,
     handle_integration_get, NULL, NULL},
    {HTTP_DELETE, "/api/crm/integrations/{name}", ROLE_ADMIN, API_SCOPE_TENANT,
     handle_integration_remove, NULL, NULL},
    {HTTP_POST, "/api/crm/integrations/{name}/test", ROLE_OPERATOR, API_SCOPE_TENANT,
     handle_integration_test, NULL, ""},
    {HTTP_GET, "/api/crm/oauth/{crm}/start", ROLE_ADMIN, API_SCOPE_TENANT, handle_sign_in_start,
     "connection", NULL},
    {HTTP_GET, "/api/crm/oauth/{crm}/callback", ROLE_NONE, API_SCOPE_SERVICE,
     handle_sign_in_callback, "state code error error_description", NULL},

    {HTTP_POST, "/api/crm/sync", ROLE_OPERATOR, API_SCOPE_TENANT, handle_sync_order, NULL,
     "connection kind pull push full budget"},
    {HTTP_POST, "/api/crm/reconcile", ROLE_OPERATOR, API_SCOPE_TENANT, handle_reconcile_order, NULL,
     "connection kind repair"},
    {HTTP_GET, "/api/crm/sync/{id}", ROLE_VIEWER, API_SCOPE_TENANT, handle_sync_get, NULL, NULL},
    {HTTP_GET, "/api/crm/status", ROLE_VIEWER, API_SCOPE_TENANT, handle_status, NULL, NULL},
    {HTTP_GET, "/api/crm/runs", ROLE_VIEWER, API_SCOPE_TENANT, handle_runs, "limit after", NULL},

    {HTTP_GET, "/api/crm/records/{kind}", ROLE_VIEWER, API_SCOPE_TENANT, handle_records_list,
     "q limit after", NULL},
    {HTTP_POST, "/api/crm/records/{kind}", ROLE_OPERATOR, API_SCOPE_TENANT, handle_record_create,
     NULL, "fields allow_duplicate"},
    {HTTP_GET, "/api/crm/records/{kind}/{id}", ROLE_VIEWER, API_SCOPE_TENANT, handle_record_get,
     NULL, NULL},
    {HTTP_PATCH, "/api/crm/records/{kind}/{id}", ROLE_OPERATOR, API_SCOPE_TENANT,
     handle_record_update, NULL, "fields version"},
    {HTTP_DELETE, "/api/crm/records/{kind}/{id}", ROLE_OPERATOR, API_SCOPE_TENANT,
     handle_record_delete, NULL, NULL},
    {HTTP_GET, "/api/crm/records/{kind}/{id}/history", ROLE_VIEWER, API_SCOPE_TENANT,
     handle_record_history, "limit after", NULL},
    {HTTP_GET, "/api/crm/records/{kind}/{id}/explain", ROLE_VIEWER, API_SCOPE_TENANT,
     handle_record_explain, "field", NULL},

    {HTTP_GET, "/api/crm/conflicts", ROLE_VIEWER, API_SCOPE_TENANT, handle_conflicts_list,
     "all limit after", NULL},
    {HTTP_GET, "/api/crm/conflicts/{id}", ROLE_VIEWER, API_SCOPE_TENANT, handle_conflict_get, NULL,
     NULL},
    {HTTP_POST, "/api/crm/conflicts/{id}/resolve", ROLE_OPERATOR, API_SCOPE_TENANT,
     handle_conflict_resolve, NULL, "take value version"},
    {HTTP_GET, "/api/crm/failures", ROLE_VIEWER, API_SCOPE_TENANT, handle_failures_list,
     "all limit after", NULL},
    {HTTP_POST, "/api/crm/failures/{id}/retry", ROLE_OPERATOR, API_SCOPE_TENANT,
     handle_failure_retry, NULL, ""},
    {HTTP_POST, "/api/crm/failures/{id}/discard", ROLE_OPERATOR, API_SCOPE_TENANT,
     handle_failure_discard, NULL, ""},
    {HTTP_GET, "/api/crm/events/endpoints", ROLE_VIEWER, API_SCOPE_TENANT, handle_endpoints_list,
     NULL, NULL},
    {HTTP_POST, "/api/crm/events/endpoints/{name}/enable", ROLE_OPERATOR, API_SCOPE_TENANT,
     handle_endpoint_enable, NULL, ""},
    {HTTP_GET, "/api/crm/events/dead", ROLE_VIEWER, API_SCOPE_TENANT, handle_dead_events_list,
     "endpoint limit after", NULL},
    {HTTP_POST, "/api/crm/events/dead/{id}/resend", ROLE_OPERATOR, API_SCOPE_TENANT,
     handle_dead_event_resend, NULL, ""},
    {HTTP_GET, "/api/crm/brake", ROLE_VIEWER, API_SCOPE_TENANT, handle_brakes_list, NULL, NULL},
    {HTTP_POST, "/api/crm/brake/confirm", ROLE_OPERATOR, API_SCOPE_TENANT, handle_brake_confirm,
     NULL, "connection kind what count"},
};

const struct api_route *api_routes(size_t *ret_count)
{
    *ret_count = COUNT_OF(ROUTES);
    return ROUTES;
}
