#include "cli/config_upkeep.h"

#define BACKUP_SCHEDULE_DEFAULT "@daily"

enum { RETENTION_MIN_MS = 24 * 60 * 60 * 1000 };

static const char *const BACKUP_KEYS[] = {"dir", "schedule", "time_zone", "keep", NULL};

/* A failure of a part that knows no positions, said with the node's. */
static enum fail at_node(const struct yx_node *node, struct error *err)
{
    struct error cause = *err;

    yx_error(node, err, "%s", cause.message);
    return error_hint(err, "%s", cause.hint);
}

static enum fail read_schedule(struct arena *arena, const struct yx_node *node, struct cron *ret,
                               struct error *err)
{
    const struct zone *zone;
    struct str name, text;

    if (yx_str_or(node, "time_zone", STR("UTC"), &name, err) != OK ||
        yx_str_or(node, "schedule", STR(BACKUP_SCHEDULE_DEFAULT), &text, err) != OK) {
        return err->code;
    }
    if (zone_load(arena, name, &zone, err) != OK) {
        return at_node(yx_get(node, "time_zone"), err);
    }
    return cron_parse(text, zone, ret, err) == OK ? OK : at_node(yx_get(node, "schedule"), err);
}

static struct str path_in(struct arena *arena, const char *folder, struct str path)
{
    return path.at[0] == '/' ? arena_str(arena, path)
                             : arena_printf(arena, "%s/%" PRI_STR, folder, STR_ARG(path));
}

enum fail config_backup_read(struct arena *arena, const struct yx_node *root, const char *folder,
                             struct config_backup *ret, struct error *err)
{
    const struct yx_node *node = yx_get(root, "backup");
    struct str dir;

    *ret = (struct config_backup){.dir = STR("")};
    if (!node || yx_is_null(node)) {
        return OK;
    }
    if (yx_only(node, BACKUP_KEYS, err) != OK || yx_str(node, "dir", &dir, err) != OK ||
        read_schedule(arena, node, &ret->schedule, err) != OK ||
        yx_i64_or(node, "keep", BACKUP_KEEP_DEFAULT, &ret->keep, err) != OK) {
        return err->code;
    }
    if (dir.len == 0) {
        return yx_error(yx_get(node, "dir"), err, "'dir' must name a folder");
    }
    if (ret->keep < 0 || ret->keep > BACKUP_KEEP_MAX) {
        return yx_error(yx_get(node, "keep"), err, "'keep' must be 0 (all) to %d", BACKUP_KEEP_MAX);
    }
    ret->dir = path_in(arena, folder, dir);
    return OK;
}

static enum fail read_age(const struct yx_node *node, const char *key, int64_t *ret_ms,
                          struct error *err)
{
    const struct yx_node *text = yx_get(node, key);

    *ret_ms = 0;
    if (!text || yx_is_null(text) || str_equal(yx_text(text), STR("forever"))) {
        return OK;
    }
    if (yx_duration_ms_or(node, key, 0, ret_ms, err) != OK) {
        return err->code;
    }
    return *ret_ms < RETENTION_MIN_MS
               ? yx_error(text, err, "'%s' must be at least 1d, or 'forever'", key)
               : OK;
}

enum fail config_retention_read(const struct yx_node *root, struct retention *ret,
                                struct error *err)
{
    static const char *const KEYS[] = {"journal",   "runs",  "inbox", "failures",
                                       "conflicts", "usage", NULL};
    const struct yx_node *node = yx_get(root, "retention");

    *ret = (struct retention){0};
    if (!node || yx_is_null(node)) {
        return OK;
    }
    if (yx_only(node, KEYS, err) != OK || read_age(node, "journal", &ret->journal_ms, err) != OK ||
        read_age(node, "runs", &ret->runs_ms, err) != OK ||
        read_age(node, "inbox", &ret->inbox_ms, err) != OK ||
        read_age(node, "failures", &ret->failures_ms, err) != OK ||
        read_age(node, "conflicts", &ret->conflicts_ms, err) != OK) {
        return err->code;
    }
    return read_age(node, "usage", &ret->usage_ms, err);
}
