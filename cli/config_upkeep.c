#include "cli/config_upkeep.h"

#define BACKUP_SCHEDULE_DEFAULT "@daily"

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
