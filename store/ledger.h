/* The ledger of erasures beside the store, "<store>.erasures": a restore of an older backup would bring back who was erased since. One line for each, as JSON:
 * tenant, kind, the record's id, digests; no name, address or value. Copies stand beside backups. */
#ifndef CRMSYNC_STORE_LEDGER_H
#define CRMSYNC_STORE_LEDGER_H

#include "store/erasure.h"

#define LEDGER_ENDING ".erasures"

/* Appends the erasure with its suppressions, on the disk when this returns. FAIL_STOP: it cannot be written. */
enum fail ledger_append(struct tx *tx, const char *store_path, const struct erasure *erasure,
                        struct error *err) MUST_CHECK;
/* Copies it beside a backup; nothing to copy is fine. */
enum fail ledger_copy(const char *store_path, const char *backup, struct error *err) MUST_CHECK;
/* Carries out what the ledgers say, of the store and of all backups in the backup's folder, in a store that is being restored. For all tenants;
 * *ret_count people who were there again. What is known to the store already is passed over. */
enum fail ledger_replay(struct tx *tx, const char *store_path, const char *backup,
                        int64_t *ret_count, struct error *err) MUST_CHECK;

#endif
