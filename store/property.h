/* Types that mapped properties had when they were first used: a change of type at a CRM is noticed by comparing with them. */
#ifndef CRMSYNC_STORE_PROPERTY_H
#define CRMSYNC_STORE_PROPERTY_H

#include "store/store.h"

struct store_property {
    struct str name, type;
};

/* By name. */
enum fail properties_seen(struct tx *tx, int64_t connection_id, struct str kind,
                          struct arena *arena, struct store_property **ret, size_t *ret_count,
                          struct error *err) MUST_CHECK;
/* Keeps the type; the first one stands. */
enum fail property_seen_put(struct tx *tx, int64_t connection_id, struct str kind,
                            const struct store_property *property, struct error *err) MUST_CHECK;
/* Forgets all types of a kind ("" = of the connection): as they are now is as they should be. */
enum fail properties_forget(struct tx *tx, int64_t connection_id, struct str kind,
                            struct error *err) MUST_CHECK;

#endif
