/* Brings a store's schema forward, one embedded file after the other. Inside the store folder only. */
#ifndef CRMSYNC_STORE_MIGRATE_H
#define CRMSYNC_STORE_MIGRATE_H

#include "core/fail.h"
#include "store/engine.h"

/* The version that this program writes: the number of the newest migration. */
int migrate_newest(void);
/* FAIL_CONFIG: of another program, or of a newer crmsync (both versions named). An empty file is fine. */
enum fail migrate_check(const struct engine_schema *schema, const char *path,
                        struct error *err) MUST_CHECK;
/* Runs what is missing up to a version; each migration is one transaction, so that a crash leaves a version that is whole. */
enum fail migrate_run(struct engine *engine, int from_version, int to_version,
                      struct error *err) MUST_CHECK;

#endif
