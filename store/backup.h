/* Backups: one file that holds the store as of one moment, made while others write, checked before it gets its name. Tokens are in it, sealed; the key
 * that opens them is not. */
#ifndef CRMSYNC_STORE_BACKUP_H
#define CRMSYNC_STORE_BACKUP_H

#include "store/audit.h"

/* Where the audit log of a tenant ended. */
struct backup_anchor {
    int64_t tenant_id;
    struct audit_anchor anchor;
};

/* What a backup is, told when it is made. Texts and arrays are the arena's. */
struct backup_receipt {
    struct str path;
    int64_t made_ms;
    int64_t bytes;
    uint8_t sha256[SHA256_BYTES];
    int schema_version;
    int64_t epoch;
    int64_t records, links; /* of all tenants */
    struct backup_anchor *anchors;
    size_t anchors_count;
};

/* source: any access, without a transaction open. The file is made with mode 0600 and on the disk when this returns. FAIL_CONFIG: it exists already, or
 * cannot be made; FAIL_STOP: no room, or the copy is damaged (and then the store most likely is), or its audit log is not whole. */
enum fail store_backup(struct store *source, struct env *env, const char *path, struct arena *arena,
                       struct backup_receipt *ret, struct error *err) MUST_CHECK;
/* Into the store's lineage, and the audit log of the transaction's tenant. */
enum fail backup_note(struct tx *tx, const struct backup_receipt *receipt,
                      struct error *err) MUST_CHECK;

#endif
