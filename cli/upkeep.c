#include "cli/upkeep.h"

#include "cli/backup_file.h"
#include "core/cron.h"
#include "store/ledger.h"
#include "store/lineage.h"

enum { HOUR_MS = 60 * 60 * 1000 };

static enum fail note_backup(struct store *store, const struct backup_receipt *receipt,
                             struct error *err)
{
    AUTO_TX struct tx *tx = NULL;

    if (tx_begin(store, TENANT_DEFAULT, &tx, err) != OK || backup_note(tx, receipt, err) != OK) {
        return err->code;
    }
    return tx_commit(&tx, err);
}

static enum fail note_beside(const struct config *config, struct env *env, struct arena *arena,
                             const struct backup_receipt *receipt, struct error *err)
{
    struct store_options options = {.path = arena_cstr(arena, config->store_path),
                                    .access = STORE_SHARED,
                                    .holder = "crmsync backup"};
    struct store *store;
    enum fail failed;

    if (store_open(&options, env, &store, err) != OK) {
        return err->code;
    }
    failed = note_backup(store, receipt, err);
    store_close(store);
    return failed;
}

enum fail backup_make(struct store *source, struct env *env, const struct config *config,
                      struct str path, struct arena *arena, struct backup_receipt *ret,
                      struct error *err)
{
    if (store_backup(source, env, arena_cstr(arena, path), arena, ret, err) != OK ||
        backup_receipt_write(arena, ret, err) != OK ||
        ledger_copy(arena_cstr(arena, config->store_path), ret->path.at, err) != OK) {
        return err->code;
    }
    return note_beside(config, env, arena, ret, err);
}

static enum fail last_backup(struct store *store, int64_t *ret_ms, struct error *err)
{
    AUTO_TX struct tx *tx = NULL;
    struct lineage lineage;

    if (tx_begin(store, TENANT_DEFAULT, &tx, err) != OK || lineage_read(tx, &lineage, err) != OK) {
        return err->code;
    }
    /* That of the backup which was restored is of another life. */
    *ret_ms =
        lineage.backed_up_ms < lineage.restored_ms ? lineage.restored_ms : lineage.backed_up_ms;
    return tx_commit(&tx, err);
}

static enum fail make_due(struct store *store, struct env *env, const struct config *config,
                          struct error *err)
{
    AUTO_ARENA struct arena arena = {0};
    struct backup_receipt receipt;
    int64_t removed;
    struct str path = backup_name(&arena, config->backup.dir, clock_wall_ms(env->clock));

    if (backup_make(store, env, config, path, &arena, &receipt, err) != OK ||
        backup_prune(&arena, config->backup.dir, config->backup.keep, &removed, err) != OK) {
        return err->code;
    }
    LOG_EVENT(env->log, LOG_INFO, "backup made", LOG_S("file", path), LOG_I("bytes", receipt.bytes),
              LOG_I("removed", removed));
    return OK;
}

enum fail backup_due(struct store *store, struct env *env, const struct config *config,
                     int64_t *ret_next_ms, struct error *err)
{
    int64_t now_ms = clock_wall_ms(env->clock);
    int64_t last_ms = 0;

    *ret_next_ms = CRON_NEVER;
    if (config->backup.dir.len == 0 || config->backup.schedule.form == CRON_OFF) {
        return OK;
    }
    *ret_next_ms = now_ms + HOUR_MS;
    if (last_backup(store, &last_ms, err) != OK) {
        return err->code;
    }
    if (last_ms && last_ms <= now_ms && cron_next_ms(&config->backup.schedule, last_ms) > now_ms) {
        *ret_next_ms = cron_next_ms(&config->backup.schedule, last_ms);
        return OK;
    }
    if (make_due(store, env, config, err) != OK) {
        return err->code;
    }
    *ret_next_ms = cron_next_ms(&config->backup.schedule, now_ms);
    return OK;
}

/* --- retention ----------------------------------------------------------------------------------------------- */

static enum fail list_tenants(struct store *store, struct arena *arena, int64_t **ret,
                              size_t *ret_count, struct error *err)
{
    AUTO_TX struct tx *tx = NULL;

    if (tx_begin(store, TENANT_DEFAULT, &tx, err) != OK ||
        store_tenants(tx, arena, ret, ret_count, err) != OK) {
        return err->code;
    }
    return tx_commit(&tx, err);
}

enum fail retention_apply(struct store *store, const struct config *config, bool is_rehearsal,
                          struct pruned *ret, struct error *err)
{
    AUTO_ARENA struct arena arena = {0};
    int64_t *tenants;
    size_t count;

    *ret = (struct pruned){0};
    if (list_tenants(store, &arena, &tenants, &count, err) != OK) {
        return err->code;
    }
    for (size_t i = 0; i < count; i++) {
        if (retention_prune(store, tenants[i], &config->retention, is_rehearsal, ret, err) != OK) {
            return err->code;
        }
    }
    return OK;
}

enum fail retention_due(struct store *store, struct env *env, const struct config *config,
                        int64_t *ret_next_ms, struct error *err)
{
    static const struct retention FOR_EVER = {0};
    struct pruned pruned;

    *ret_next_ms = CRON_NEVER;
    if (memcmp(&config->retention, &FOR_EVER, sizeof FOR_EVER) == 0) {
        return OK;
    }
    *ret_next_ms = clock_wall_ms(env->clock) + 24 * HOUR_MS;
    if (retention_apply(store, config, false, &pruned, err) != OK) {
        return err->code;
    }
    LOG_EVENT(env->log, LOG_INFO, "pruned", LOG_I("journal", pruned.journal),
              LOG_I("runs", pruned.runs), LOG_I("inbox", pruned.inbox),
              LOG_I("failures", pruned.failures), LOG_I("conflicts", pruned.conflicts));
    return OK;
}
