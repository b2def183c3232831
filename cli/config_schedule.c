#include "cli/config_schedule.h"

#define PULL_DEFAULT "@every 5m"
#define RECONCILE_DEFAULT "@daily"

enum { RECONCILE_JITTER_MS = 6 * 60 * 60 * 1000 };

static const char *const KEYS[] = {"pull", "reconcile", "time_zone", "jitter", NULL};

enum fail config_schedule_default(struct arena *arena, struct schedule *ret, struct error *err)
{
    const struct zone *zone;

    *ret = (struct schedule){.at = {[SCHEDULE_RECONCILE] = {.jitter_ms = RECONCILE_JITTER_MS}}};
    if (zone_load(arena, STR("UTC"), &zone, err) != OK ||
        cron_parse(STR(PULL_DEFAULT), zone, &ret->at[SCHEDULE_PULL].cron, err) != OK) {
        return err->code;
    }
    ret->zone = zone;
    return cron_parse(STR(RECONCILE_DEFAULT), zone, &ret->at[SCHEDULE_RECONCILE].cron, err);
}

/* A failure of a part that knows no positions, said with the node's. */
static enum fail at_node(const struct yx_node *node, struct error *err)
{
    struct error cause = *err;

    yx_error(node, err, "%s", cause.message);
    return error_hint(err, "%s", cause.hint);
}

/* The zone of all times below; one that was said further out is not loaded again. */
static enum fail read_zone(struct arena *arena, const struct yx_node *node,
                           const struct zone **zone, struct error *err)
{
    const struct yx_node *name = yx_get(node, "time_zone");

    if (!name || yx_is_null(name) || str_equal(yx_text(name), zone_name(*zone))) {
        return OK;
    }
    if (yx_type(name) != YX_SCALAR || yx_text(name).len == 0) {
        return yx_error(name, err, "'time_zone' must be a name such as Europe/Berlin");
    }
    return zone_load(arena, yx_text(name), zone, err) == OK ? OK : at_node(name, err);
}

/* A time that a person writes is meant as it stands; only `jitter` moves it. */
static enum fail read_rule(const struct yx_node *node, const char *key, const struct zone *zone,
                           struct schedule_rule *rule, struct error *err)
{
    const struct yx_node *text = yx_get(node, key);

    if (!text || yx_is_null(text)) {
        return OK;
    }
    rule->jitter_ms = 0;
    return cron_parse(yx_text(text), zone, &rule->cron, err) == OK ? OK : at_node(text, err);
}

static enum fail read_jitter(const struct yx_node *node, struct schedule_rule *rule,
                             struct error *err)
{
    return yx_duration_ms_or(node, "jitter", rule->jitter_ms, &rule->jitter_ms, err);
}

static enum fail read_schedule(struct arena *arena, const struct yx_node *node,
                               struct schedule *schedule, struct error *err)
{
    const struct zone *zone = schedule->zone;

    if (yx_only(node, KEYS, err) != OK || read_zone(arena, node, &zone, err) != OK) {
        return err->code;
    }
    schedule->zone = zone;
    for (int i = 0; i < SCHEDULE_TASKS; i++) {
        struct schedule_rule *rule = &schedule->at[i];

        rule->cron.zone = zone;
        if (read_rule(node, schedule_task_name((enum schedule_task)i), zone, rule, err) != OK ||
            read_jitter(node, rule, err) != OK) {
            return err->code;
        }
    }
    return OK;
}

enum fail config_schedule_read(struct arena *arena, const struct yx_node *node,
                               const struct schedule *otherwise, struct schedule *ret,
                               struct error *err)
{
    const struct yx_node *own = yx_get(node, "schedule");

    *ret = *otherwise;
    return own && !yx_is_null(own) ? read_schedule(arena, own, ret, err) : OK;
}

enum fail config_schedules_read(struct arena *arena, const struct yx_node *node,
                                const struct kinds *kinds, const struct schedule *otherwise,
                                struct connection_settings *settings, struct error *err)
{
    const struct yx_node *many = yx_get(node, "schedules");
    size_t count = many ? yx_count(many) : 0;
    struct kind_schedule *schedules;

    if (many && yx_type(many) != YX_MAPPING) {
        return yx_error(many, err, "'schedules' must be a mapping of kind to a schedule");
    }
    if (config_schedule_read(arena, node, otherwise, &settings->schedule, err) != OK) {
        return err->code;
    }
    schedules = ARENA_ARRAY(arena, struct kind_schedule, count + 1);
    for (size_t i = 0; i < count; i++) {
        const struct yx_node *key = yx_key_at(many, i);
        const struct kind *kind = kind_by_name(kinds, yx_text(key));

        if (!kind) {
            return yx_error(key, err, "unknown kind '%" PRI_STR "'", STR_ARG(yx_text(key)));
        }
        schedules[i] = (struct kind_schedule){.kind = kind->name, .schedule = settings->schedule};
        if (read_schedule(arena, yx_value_at(many, i), &schedules[i].schedule, err) != OK) {
            return err->code;
        }
    }
    settings->schedules = schedules;
    settings->schedules_count = count;
    return OK;
}
