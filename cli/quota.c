#include "cli/quota.h"

enum { QUIET_RUNS = 10 };

static const struct limit_bucket_spec *daily_of(const struct adapter *adapter)
{
    for (size_t i = 0; i < LIMIT_BUCKETS_MAX && adapter->limits[i].name; i++) {
        if (adapter->limits[i].window_ms == 0) {
            return &adapter->limits[i];
        }
    }
    return NULL;
}

static enum fail read_day(struct wire *wire, struct tx *tx, const struct store_usage *rows,
                          size_t count, struct account_day *day, struct error *err)
{
    struct store_connection row;
    bool found;

    day->daily = daily_of(day->settings->adapter);
    if (connection_by_name(tx, day->settings->name, &wire->arena, &row, &found, err) != OK) {
        return err->code;
    }
    for (size_t i = 0; found && i < count; i++) {
        if (rows[i].connection_id == row.id && rows[i].lane >= 0 && rows[i].lane < LANES) {
            day->lanes[rows[i].lane] = rows[i];
            day->used += rows[i].units;
        }
    }
    return found ? usage_of_quiet_runs(tx, row.id, STR("sync"), QUIET_RUNS, &day->quiet, err) : OK;
}

enum fail quota_read(struct wire *wire, struct account_day *days, struct error *err)
{
    AUTO_TX struct tx *tx = NULL;
    struct store_usage *rows;
    size_t count;

    if (wire_begin(wire, &tx, err) != OK || usage_of_day(tx, clock_wall_ms(wire->cli->env->clock),
                                                         &wire->arena, &rows, &count, err) != OK) {
        return err->code;
    }
    for (size_t i = 0; i < wire->config.settings.connections_count; i++) {
        days[i].settings = &wire->config.connections[i];
        if (read_day(wire, tx, rows, count, &days[i], err) != OK) {
            return err->code;
        }
    }
    return tx_commit(&tx, err);
}

int64_t quota_left(const struct account_day *day, enum lane lane)
{
    int64_t left;

    if (!day->daily) {
        return -1;
    }
    left = day->daily->capacity - limit_kept_back(day->daily, lane) - day->used;
    return left > 0 ? left : 0;
}

const char *quota_unit(const struct account_day *day)
{
    return day->daily && strcmp(day->daily->name, "daily") != 0 ? day->daily->name : "calls";
}
