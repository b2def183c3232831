/* What a connection's runs learned about its CRM: mappings bound to its schema, and its users. Kept by whoever runs one connection often, so that
 * not every turn asks for descriptions anew. One run at a time uses it. */
#ifndef CRMSYNC_SYNC_BINDINGS_H
#define CRMSYNC_SYNC_BINDINGS_H

#include "adapters/adapter.h"
#include "mapper/mapping.h"

struct bindings;

struct bindings *bindings_new(void);
void bindings_free(struct bindings *bindings); /* accepts NULL */

/* --- inside of sync/ --------------------------------------------------------------------------------------------------------- */

/* Forgets everything that was learned more than age_max_ms before now_ms (monotonic). */
void bindings_refresh(struct bindings *bindings, int64_t now_ms, int64_t age_max_ms);
/* NULL: not learned yet. Good until the next refresh. */
const struct mapping *bindings_mapping(const struct bindings *bindings, struct str kind);
const struct remote_users *bindings_users(const struct bindings *bindings);
/* Memory for what is learned now. */
struct arena *bindings_arena(struct bindings *bindings);
/* mapping and users are in that arena; users may be NULL. */
void bindings_put(struct bindings *bindings, const struct mapping *mapping,
                  const struct remote_users *users);

#endif
