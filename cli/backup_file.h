/* Backups as files: their names in a folder, the receipt beside each, and which of them are kept. */
#ifndef CRMSYNC_CLI_BACKUP_FILE_H
#define CRMSYNC_CLI_BACKUP_FILE_H

#include <jansson.h>

#include "store/backup.h"

/* "DIR/crmsync-20261121T163000Z.db". Arena's. */
struct str backup_name(struct arena *arena, struct str dir, int64_t now_ms);
/* "FILE.receipt.json". */
struct str backup_receipt_path(struct arena *arena, struct str path);
json_t *backup_receipt_json(const struct backup_receipt *receipt);
/* Beside the backup, mode 0600. FAIL_CONFIG: it cannot be written. */
enum fail backup_receipt_write(struct arena *arena, const struct backup_receipt *receipt,
                               struct error *err) MUST_CHECK;
/* Whether the file is what its receipt says; without a receipt nobody knows, and *ret_found is false. FAIL_STOP: it is not. */
enum fail backup_receipt_check(struct arena *arena, const char *path, bool *ret_found,
                               struct error *err) MUST_CHECK;
/* Removes all but the newest `keep` of the folder, with their receipts; other files stay. keep 0: nothing is removed. */
enum fail backup_prune(struct arena *arena, struct str dir, int64_t keep, int64_t *ret_removed,
                       struct error *err) MUST_CHECK;

#endif
