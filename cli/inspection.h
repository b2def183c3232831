/* The inspection of mappings (mapper/inspect.h) for commands: of one connection or of all, with the schemas of accounts that are open. */
#ifndef CRMSYNC_CLI_INSPECTION_H
#define CRMSYNC_CLI_INSPECTION_H

#include "cli/wire.h"
#include "mapper/inspect.h"

/* Asks an open connection's account for the schema of a kind. Wire's arena. */
enum fail inspection_schema(struct wire *wire, size_t index, struct str kind,
                            struct schema_facts *ret, struct error *err) MUST_CHECK;
/* Findings of all connections, since some mistakes lie between two. open[i]: connection i has a session, and its account is asked; open NULL: none.
 * FAIL_… of the account that does not answer. Wire's arena. */
enum fail inspection_run(struct wire *wire, const bool *open, struct finding **ret,
                         size_t *ret_count, struct error *err) MUST_CHECK;

#endif
