/* What a CRM writes into its change events for a connection, where an API decides that: made to match the mappings by `setup`, taken back when it is switched
 * off or the connection ends. */
#ifndef CRMSYNC_CLI_SELECTING_H
#define CRMSYNC_CLI_SELECTING_H

#include "cli/wire.h"

/* *ret_is_used false: this connection has no such thing, and had none before. The session is open. */
enum fail selecting_set_up(struct wire *wire, size_t index, bool *ret_is_used,
                           struct webhook_report *ret, struct error *err) MUST_CHECK;
/* Ends it at the CRM where `setup` made it. *ret_why says why that did not work; that is no failure. ret_had: there was any. */
enum fail selecting_end(struct wire *wire, size_t index, bool *ret_had, struct webhook_report *ret,
                        struct error *ret_why, struct error *err) MUST_CHECK;

#endif
