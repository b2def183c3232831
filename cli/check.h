/* Checks of a connection, shared by `test`, `doctor` and `connect`. */
#ifndef CRMSYNC_CLI_CHECK_H
#define CRMSYNC_CLI_CHECK_H

#include "cli/output.h"
#include "cli/wire.h"

/* Table of check results: what, result ("ok" or the problem), try. */
struct table *check_table(const struct cli *cli);
void check_row(struct table *table, struct str what, const struct error *err);

/* Opens and examines one connection; adds rows. *is_fine becomes false on a problem. */
void check_connection(struct wire *wire, size_t index, struct table *table, bool *is_fine);

/* Remembers which account a connection belongs to; FAIL_CONNECTION when it was another one before (its links would all be wrong). */
enum fail check_account(struct wire *wire, size_t index, const struct account_facts *facts,
                        struct error *err) MUST_CHECK;

#endif
