/* api/find.h with what a command has at hand. */
#ifndef CRMSYNC_CLI_FIND_H
#define CRMSYNC_CLI_FIND_H

#include "api/find.h"
#include "cli/wire.h"

/* FAIL_CONFIG lists the kinds. */
enum fail find_kind(const struct wire *wire, struct str name, const struct kind **ret,
                    struct error *err) MUST_CHECK;
/* text: a UUID, at least 8 characters of its beginning, or a value of a match rule (an e-mail address). FAIL_RECORD when none or several. */
enum fail find_record(struct wire *wire, struct tx *tx, const struct kind *kind, struct str text,
                      struct store_record *ret, struct error *err) MUST_CHECK;
/* Name of a connection by its row, "local" for 0. */
struct str find_connection_name(struct wire *wire, struct tx *tx, int64_t id);
/* "field=value" pairs into fields in normal form; "field=" clears. FAIL_CONFIG names the pair and what is allowed. */
enum fail find_assignments(struct wire *wire, const struct kind *kind, char **pairs, int count,
                           struct fields *ret, struct error *err) MUST_CHECK;

#endif
