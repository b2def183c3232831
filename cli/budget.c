/* crmsync budget: API calls used and left today, and what a schedule would cost. */
#include <stdio.h>

#include "cli/options.h"
#include "cli/output.h"
#include "cli/quota.h"

/* Syncs a day, each as dear as a quiet one; rounded up. -1: no quiet sync is known. */
static int64_t schedule_cost(const struct account_day *day, int64_t sum, int64_t every_ms)
{
    int64_t syncs = (USAGE_DAY_MS + every_ms - 1) / every_ms;

    return day->quiet.runs ? (sum * syncs + day->quiet.runs - 1) / day->quiet.runs : -1;
}

/* In tenths of a percent; -1 unknown. */
static int64_t share_of(const struct account_day *day, int64_t units)
{
    return day->daily && day->daily->capacity && units >= 0 ? units * 1000 / day->daily->capacity
                                                            : -1;
}

static json_t *json_day(const struct account_day *day, int64_t every_ms)
{
    json_t *lanes = json_array();
    int64_t units = schedule_cost(day, day->quiet.units, every_ms);
    int64_t share = share_of(day, units);
    int64_t calls = 0;

    for (int lane = 0; lane < LANES; lane++) {
        calls += day->lanes[lane].calls;
        json_array_append_new(
            lanes,
            json_pack("{s:s,s:I,s:I,s:o}", "lane", lane_name((enum lane)lane), "calls",
                      day->lanes[lane].calls, "used", day->lanes[lane].units, "left",
                      day->daily ? json_integer(quota_left(day, (enum lane)lane)) : json_null()));
    }
    return json_pack("{s:o,s:I,s:s,s:I,s:o,s:o,s:{s:I,s:o,s:I,s:o,s:o,s:o}}", "connection",
                     json_text(day->settings->name), "calls", calls, "unit", quota_unit(day),
                     "used", day->used, "limit",
                     day->daily ? json_integer(day->daily->capacity) : json_null(), "lanes", lanes,
                     "schedule", "quiet_syncs", day->quiet.runs, "calls_each",
                     day->quiet.runs ? json_real((double)day->quiet.calls / (double)day->quiet.runs)
                                     : json_null(),
                     "every_s", every_ms / 1000, "calls_per_day",
                     day->quiet.runs ? json_integer(schedule_cost(day, day->quiet.calls, every_ms))
                                     : json_null(),
                     "used_per_day", units >= 0 ? json_integer(units) : json_null(),
                     "percent_of_limit", share >= 0 ? json_real((double)share / 10) : json_null());
}

static void print_lanes(const struct account_day *day)
{
    int64_t calls = 0;

    for (int lane = 0; lane < LANES; lane++) {
        calls += day->lanes[lane].calls;
    }
    printf("%" PRI_STR ": %lld calls today", STR_ARG(day->settings->name), (long long)calls);
    if (!day->daily) {
        printf("; this CRM has no daily limit\n");
        return;
    }
    printf(", %lld of %lld %s a day\n", (long long)day->used, (long long)day->daily->capacity,
           quota_unit(day));
    for (int lane = 0; lane < LANES; lane++) {
        printf("  %-12s %8lld calls %10lld %s left\n", lane_name((enum lane)lane),
               (long long)day->lanes[lane].calls, (long long)quota_left(day, (enum lane)lane),
               quota_unit(day));
    }
}

static void print_schedule(const struct account_day *day, int64_t every_ms)
{
    int64_t units = schedule_cost(day, day->quiet.units, every_ms);
    int64_t share = share_of(day, units);

    if (day->quiet.runs == 0) {
        printf("  no quiet sync yet, so the cost of a schedule is not known\n");
        return;
    }
    printf("  a sync every %lld s: %lld calls a day", (long long)(every_ms / 1000),
           (long long)schedule_cost(day, day->quiet.calls, every_ms));
    if (share >= 0) {
        printf(", %lld %s, %lld.%lld %% of the limit", (long long)units, quota_unit(day),
               (long long)(share / 10), (long long)(share % 10));
    }
    printf(" (average of the last %lld quiet syncs)\n", (long long)day->quiet.runs);
}

static void show_days(struct cli *cli, const struct account_day *days, size_t count,
                      int64_t every_ms)
{
    json_t *list = cli->json ? json_array() : NULL;

    for (size_t i = 0; i < count; i++) {
        if (list) {
            json_array_append_new(list, json_day(&days[i], every_ms));
        } else {
            print_lanes(&days[i]);
            print_schedule(&days[i], every_ms);
        }
    }
    if (list) {
        print_json(list);
    }
}

int command_budget(struct cli *cli, int argc, char **argv)
{
    AUTO_WIRE struct wire wire = {0};
    struct error err = {0};
    struct account_day *days;
    int64_t every_ms = 15 * 60 * 1000;
    int count;
    const struct option_spec options[] = {{.name = "every",
                                           .argument = "TIME",
                                           .help = "the schedule to reckon with (default 15m)",
                                           .type = OPTION_DURATION,
                                           .target = &every_ms},
                                          {0}};
    const struct usage usage = {
        .synopsis = "crmsync budget [options]",
        .about = "Says for each connection how many API calls the syncs of today (UTC) made, by "
                 "lane, what is left of the CRM's\ndocumented daily limit for each lane (slower "
                 "lanes leave a share to the faster ones), and what a schedule would\ncost a day, "
                 "going by the last quiet syncs. What other programs used of the limit is not "
                 "known here.",
        .options = options};
    enum parsed parsed = options_parse(cli, &usage, argc, argv, &count);

    if (parsed != PARSED_OK) {
        return parsed == PARSED_DONE ? EXIT_DONE : EXIT_USAGE;
    }
    if (every_ms < 1000 || every_ms > USAGE_DAY_MS) {
        return usage_error(&usage, "--every takes a time from 1s to 24h");
    }
    if (wire_store(cli, STORE_READ, "crmsync budget", &wire, &err) != OK) {
        return cli_fail(cli, &err);
    }
    count = (int)wire.config.settings.connections_count;
    days = ARENA_ARRAY(&wire.arena, struct account_day, (size_t)count + 1);
    if (quota_read(&wire, days, &err) != OK) {
        return cli_fail(cli, &err);
    }
    show_days(cli, days, (size_t)count, every_ms);
    return EXIT_DONE;
}
