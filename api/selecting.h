/* Which records take part where, for those who show them. */
#ifndef CRMSYNC_API_SELECTING_H
#define CRMSYNC_API_SELECTING_H

#include <jansson.h>

#include "store/store.h"
#include "sync/settings.h"

/* Whether any record may be left out anywhere: else there is nothing to show. */
enum fail selection_is_used(struct tx *tx, const struct sync_settings *settings, bool *ret,
                            struct error *err) MUST_CHECK;
/* [{"connection": …, "selection": "pin" or null, "resting": true}], where something of it holds; the caller's. */
enum fail selection_rows(struct tx *tx, int64_t record_id, struct arena *arena, json_t **ret,
                         struct error *err) MUST_CHECK;

#endif
