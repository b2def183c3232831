/* Finding what somebody means: a kind by name, a record by id, beginning of an id, or e-mail/name key. */
#ifndef CRMSYNC_API_FIND_H
#define CRMSYNC_API_FIND_H

#include "store/record.h"
#include "sync/settings.h"

/* FAIL_CONFIG lists the kinds. */
enum fail kind_named(const struct kinds *kinds, struct str name, const struct kind **ret,
                     struct error *err) MUST_CHECK;
/* FAIL_CONFIG with the field that may have been meant. */
enum fail kind_field_named(const struct kind *kind, struct str name, const struct kind_field **ret,
                           struct error *err) MUST_CHECK;
/* text: a UUID, at least 8 characters of its beginning, or a value of a match rule (an e-mail address). FAIL_RECORD when none or several. */
enum fail record_named(struct tx *tx, const struct kind *kind, struct str text, struct arena *arena,
                       struct store_record *ret, struct error *err) MUST_CHECK;
/* Name of a connection by its row, "local" for 0. Arena's. */
struct str connection_name(struct tx *tx, int64_t id, struct arena *arena);
/* Title of a record by its row; "" when there is none. Arena's. */
struct str title_of_record(struct tx *tx, int64_t id, struct arena *arena);
/* NULL: no such connection. */
const struct connection_settings *settings_of(const struct sync_settings *settings,
                                              struct str connection);

#endif
