/* Inside of api/: every handler, one file for one subject. */
#ifndef CRMSYNC_API_HANDLERS_H
#define CRMSYNC_API_HANDLERS_H

#include "api/router.h"

/* health.c */
api_handler_fn handle_healthz, handle_readyz, handle_openapi;
/* scrape.c */
api_handler_fn handle_metrics;
/* records.c, written.c */
api_handler_fn handle_records_list, handle_record_get, handle_record_history, handle_record_explain;
api_handler_fn handle_record_create, handle_record_update, handle_record_delete;
/* review.c */
api_handler_fn handle_conflicts_list, handle_conflict_get, handle_conflict_resolve;
api_handler_fn handle_failures_list, handle_failure_retry, handle_failure_discard;
/* status.c */
api_handler_fn handle_status, handle_runs, handle_tenants;
/* kinds.c */
api_handler_fn handle_kinds;
/* brakes.c */
api_handler_fn handle_brakes_list, handle_brake_confirm;
/* integrations.c */
api_handler_fn handle_integrations_list, handle_integration_get, handle_integration_put,
    handle_integration_remove, handle_integration_test;
/* syncs.c */
api_handler_fn handle_sync_order, handle_reconcile_order, handle_sync_get;
/* events.c */
api_handler_fn handle_events;
/* endpoints.c */
api_handler_fn handle_endpoints_list, handle_endpoint_enable, handle_dead_events_list,
    handle_dead_event_resend;
/* sign_in.c */
api_handler_fn handle_sign_in_start, handle_sign_in_callback;

#endif
