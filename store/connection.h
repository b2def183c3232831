/* Connections of a tenant: their state between runs. Settings live in the configuration file, not here; their secrets in store/secret.h. */
#ifndef CRMSYNC_STORE_CONNECTION_H
#define CRMSYNC_STORE_CONNECTION_H

#include "store/store.h"

enum connection_state { CONNECTION_ACTIVE, CONNECTION_NEEDS_AUTH, CONNECTION_STOPPED };

struct store_connection {
    int64_t id;
    struct str name, adapter;
    enum connection_state state;
    struct str reason; /* why it is not active, for people */
    /* "" until the first check; a different account later is refused by the caller */
    struct str account_id;
    struct str account_title;
    int64_t clock_offset_ms; /* CRM's clock minus ours, last seen */
    int64_t changed_ms;
};

/* By name; makes the row when missing. FAIL_CONFIG when the row belongs to another adapter. */
enum fail connection_ensure(struct tx *tx, struct str name, struct str adapter, struct arena *arena,
                            struct store_connection *ret, struct error *err) MUST_CHECK;
enum fail connection_by_name(struct tx *tx, struct str name, struct arena *arena,
                             struct store_connection *ret, bool *ret_found,
                             struct error *err) MUST_CHECK;
enum fail connection_by_id(struct tx *tx, int64_t id, struct arena *arena,
                           struct store_connection *ret, bool *ret_found,
                           struct error *err) MUST_CHECK;
enum fail connection_list(struct tx *tx, struct arena *arena, struct store_connection **ret,
                          size_t *ret_count, struct error *err) MUST_CHECK;
enum fail connection_state_set(struct tx *tx, int64_t id, enum connection_state state,
                               struct str reason, struct error *err) MUST_CHECK;
enum fail connection_account_set(struct tx *tx, int64_t id, struct str account_id, struct str title,
                                 struct error *err) MUST_CHECK;
enum fail connection_clock_set(struct tx *tx, int64_t id, int64_t offset_ms,
                               struct error *err) MUST_CHECK;
/* "active", "needs-auth", "stopped" */
const char *connection_state_name(enum connection_state state);

#endif
