/* `backup:` and `retention:` of crmsync.yaml: what the service does for the store by itself. */
#ifndef CRMSYNC_CLI_CONFIG_UPKEEP_H
#define CRMSYNC_CLI_CONFIG_UPKEEP_H

#include "core/cron.h"
#include "core/yx.h"
#include "store/retention.h"

enum { BACKUP_KEEP_DEFAULT = 14, BACKUP_KEEP_MAX = 10000 };

struct config_backup {
    struct str
        dir; /* absolute or relative to the working directory; "" none: the service makes no backups */
    struct cron schedule;
    int64_t keep; /* the newest so many; 0 = all */
};

/* folder: relative paths begin there. Zones are the arena's. FAIL_CONFIG with the position. */
enum fail config_backup_read(struct arena *arena, const struct yx_node *root, const char *folder,
                             struct config_backup *ret, struct error *err) MUST_CHECK;

/* What is not named is kept for ever. FAIL_CONFIG with the position. */
enum fail config_retention_read(const struct yx_node *root, struct retention *ret,
                                struct error *err) MUST_CHECK;

#endif
