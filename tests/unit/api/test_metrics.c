/* The store's numbers: each as it is worked out, strictly readable, and the same for another tenant's store alone. */
#include "tests/unit/store/fixture.h"

#include "api/metrics.h"
#include "http/limits.h"
#include "store/brake.h"
#include "store/divergence.h"
#include "store/tally.h"
#include "store/usage.h"
#include "tests/unit/api/exposition.h"

static const int64_t HOUR_MS = TALLY_HOUR_MS;

static struct buf read_all(struct fixture *f, struct exposition *ret)
{
    const struct metrics_tenant tenants[] = {{TENANT_DEFAULT, STR("default")}};
    struct samples samples = {.arena = &f->arena};
    struct buf text;

    MUST(f, metrics_of_store(f->store, f->env.clock, tenants, 1, &samples, &f->err));
    buf_init(&text, 1 << 20);
    samples_write(&samples, &text);
    exposition_read(ret, buf_str(&text));
    return text;
}

static void expect(struct fixture *f, const char *series, const char *want)
{
    struct exposition all;
    struct buf text = read_all(f, &all);

    EXPECT_STR(exposition_of(&all, series), str_of(want), series);
    buf_fini(&text);
}

static void tally(struct fixture *f, const char *kind, int64_t at_ms, struct store_tally tally)
{
    tally.connection_id = f->connection_id;
    tally.kind = str_of(kind);
    MUST(f, tally_add(f->tx, &tally, at_ms, &f->err));
}

#define T "{tenant=\"default\"}"
#define TC "{tenant=\"default\",connection=\"main\"}"
#define TCK "{tenant=\"default\",connection=\"main\",kind=\"contact\"}"

static void nothing_happened(void **state)
{
    AUTO_FIXTURE struct fixture f;

    (void)state;
    fixture_begin_all(&f);
    fixture_commit(&f);
    expect(&f, "crmsync_avg_sync_latency_seconds" T, "");
    expect(&f, "crmsync_sync_success_ratio" T, "1");
    expect(&f, "crmsync_sync_failures_24h" T, "0");
    expect(&f, "crmsync_rate_limit_hits_24h" TC, "0");
    expect(&f, "crmsync_inbox_oldest_seconds" T, "0");
    expect(&f, "crmsync_connection_state{tenant=\"default\",connection=\"main\",state=\"active\"}",
           "1");
    expect(&f, "crmsync_metrics_streams_left_out", "0");
}

static void what_happened_counts_for_its_hours(void **state)
{
    AUTO_FIXTURE struct fixture f;
    int64_t now_ms;

    (void)state;
    fixture_begin_all(&f);
    now_ms = START_MS;
    tally(&f, "contact", now_ms, (struct store_tally){.synced = 6, .delays = 1, .delay_ms = 500});
    tally(&f, "contact", now_ms, (struct store_tally){.synced = 1, .set_aside = 2, .conflicts = 4});
    tally(&f, "contact", now_ms - HOUR_MS,
          (struct store_tally){.synced = 1, .delays = 3, .delay_ms = 1500});
    tally(&f, "deal", now_ms - 2 * HOUR_MS,
          (struct store_tally){.throttled = 5, .delays = 9, .delay_ms = 90000});
    tally(&f, "contact", now_ms - 23 * HOUR_MS, (struct store_tally){.synced = 30});
    tally(&f, "contact", now_ms - 24 * HOUR_MS, (struct store_tally){.synced = 500});
    fixture_commit(&f);
    expect(&f, "crmsync_avg_sync_latency_seconds" T, "0.5"); /* 2,000 ms of 4 */
    expect(&f, "crmsync_records_synced_24h{tenant=\"default\",kind=\"contact\"}", "38");
    expect(&f, "crmsync_sync_success_ratio" T, "0.95");
    expect(&f, "crmsync_sync_failures_24h" T, "2");
    expect(&f, "crmsync_conflicts_24h" T, "4");
    expect(&f, "crmsync_rate_limit_hits_24h" TC, "5");
}

static void old_hours_go(void **state)
{
    AUTO_FIXTURE struct fixture f;
    struct store_tally *sums;
    size_t count;

    (void)state;
    fixture_begin_all(&f);
    tally(&f, "contact", START_MS, (struct store_tally){.synced = 6});
    tally(&f, "contact", START_MS + TALLY_KEEP_HOURS * HOUR_MS, (struct store_tally){.synced = 1});
    MUST(&f, tally_sums(f.tx, START_MS, 1, &f.arena, &sums, &count, &f.err));
    EXPECT_I64(count, 1, "as long as they are kept");
    tally(&f, "contact", START_MS + (TALLY_KEEP_HOURS + 1) * HOUR_MS,
          (struct store_tally){.synced = 1});
    MUST(&f, tally_sums(f.tx, START_MS, 1, &f.arena, &sums, &count, &f.err));
    EXPECT_I64(count, 0, "no longer");
}

static void kinds_of_several_connections_are_one_number(void **state)
{
    AUTO_FIXTURE struct fixture f;

    (void)state;
    fixture_begin_all(&f);
    tally(&f, "contact", START_MS, (struct store_tally){.synced = 6});
    f.connection_id = fixture_connection(&f, "other");
    tally(&f, "contact", START_MS, (struct store_tally){.synced = 4});
    fixture_commit(&f);
    expect(&f, "crmsync_records_synced_24h{tenant=\"default\",kind=\"contact\"}", "10");
}

static void make_stream(struct fixture *f)
{
    struct store_stream stream;
    bool claimed;

    MUST(f, stream_ensure(f->tx, f->connection_id, STR("contact"), &f->arena, &stream, &f->err));
    MUST(f, stream_claim(f->tx, &stream, &f->arena, STR("t"), 0, 1, &claimed, &f->err));
    stream.first_import_done = true;
    stream.pulled_ms = START_MS - 90 * 1000;
    stream.scanned_ms = START_MS - HOUR_MS;
    MUST(f, stream_save(f->tx, &stream, &f->err));
}

static void what_waits_is_counted(void **state)
{
    AUTO_FIXTURE struct fixture f;
    struct store_brake brake = {.kind = STR("contact"), .count = 50, .linked = 60};
    struct store_record record;
    struct store_link link;
    bool is_new;

    (void)state;
    fixture_begin_all(&f);
    make_stream(&f);
    record = make_record(&f, "a@example.com");
    link = link_of(&f, record.id, "7");
    link.synced_version = 0; /* the record is at 1 */
    MUST(&f, link_insert(f.tx, &link, &f.err));
    MUST(&f, dirty_put(f.tx, f.connection_id, STR("contact"), STR("8"), &f.err));
    MUST(&f, dirty_put(f.tx, f.connection_id, STR("contact"), STR("9"), &f.err));
    MUST(&f,
         inbox_put(f.tx, f.connection_id, STR("e1"), STR("contact"), STR("8"), &is_new, &f.err));
    brake.connection_id = f.connection_id;
    MUST(&f, brake_put(f.tx, &brake, &f.err));
    fixture_commit(&f);
    clock_wait_ms(f.env.clock, 30 * 1000);
    expect(&f, "crmsync_stream_push_queue" TCK, "1");
    expect(&f, "crmsync_stream_marked" TCK, "2");
    expect(&f, "crmsync_stream_writes_unsettled" TCK, "0");
    expect(&f, "crmsync_stream_brakes_waiting" TCK, "1");
    expect(&f, "crmsync_inbox_events" T, "1");
    expect(&f, "crmsync_inbox_oldest_seconds" T, "30");
    expect(&f, "crmsync_stream_lag_seconds" TCK, "120");
    expect(&f, "crmsync_stream_full_listing_age_seconds" TCK, "3630");
    expect(&f, "crmsync_stream_first_import_done" TCK, "1");
}

static void usage_and_states(void **state)
{
    AUTO_FIXTURE struct fixture f;
    struct store_usage usage = {.lane = LANE_BATCH, .calls = 4, .units = 40};
    int64_t run_id;

    (void)state;
    fixture_begin_all(&f);
    usage.connection_id = f.connection_id;
    MUST(&f, run_begin(f.tx, STR("sync"), &run_id, &f.err));
    MUST(&f, usage_add(f.tx, &usage, run_id, START_MS, &f.err));
    MUST(&f, connection_state_set(f.tx, f.connection_id, CONNECTION_NEEDS_AUTH, STR("x"), &f.err));
    fixture_commit(&f);
    expect(&f, "crmsync_api_calls_today{tenant=\"default\",connection=\"main\",lane=\"batch\"}",
           "4");
    expect(&f,
           "crmsync_api_budget_used_today{tenant=\"default\",connection=\"main\",lane=\"batch\"}",
           "40");
    expect(&f, "crmsync_connection_state{tenant=\"default\",connection=\"main\",state=\"active\"}",
           "0");
    expect(&f,
           "crmsync_connection_state{tenant=\"default\",connection=\"main\",state=\"needs-auth\"}",
           "1");
}

static void drift_and_runs(void **state)
{
    AUTO_FIXTURE struct fixture f;
    struct store_divergence divergence = {.kind = STR("contact")};
    struct store_difference held = {
        .kind = STR("contact"), .remote_id = STR("1"), .reason = STR("x")};
    struct store_difference free = {.kind = STR("contact"), .remote_id = STR("2")};
    const struct run_counts counts = {0};
    int64_t id;

    (void)state;
    fixture_begin_all(&f);
    divergence.connection_id = held.connection_id = free.connection_id = f.connection_id;
    divergence.began_ms = START_MS - 60000;
    divergence.ended_ms = START_MS - 30000;
    MUST(&f, difference_put(f.tx, divergence.began_ms, &held, &f.err));
    MUST(&f, difference_put(f.tx, divergence.began_ms, &free, &f.err));
    MUST(&f, divergence_put(f.tx, &divergence, &f.err));
    for (int i = 0; i < 3; i++) {
        MUST(&f, run_begin(f.tx, STR("sync"), &id, &f.err));
        MUST(&f, run_end(f.tx, id, i ? RUN_DONE : RUN_FAILED, STR(""), &counts, &f.err));
    }
    fixture_commit(&f);
    expect(&f, "crmsync_stream_differences" TCK, "2");
    expect(&f, "crmsync_stream_differences_unexplained" TCK, "1");
    expect(&f, "crmsync_stream_compared_age_seconds" TCK, "30");
    expect(&f, "crmsync_runs_recent{tenant=\"default\",state=\"done\"}", "2");
    expect(&f, "crmsync_runs_recent{tenant=\"default\",state=\"failed\"}", "1");
    expect(&f, "crmsync_runs_recent{tenant=\"default\",state=\"active\"}", "0");
}

static void too_many_streams_are_left_out(void **state)
{
    AUTO_FIXTURE struct fixture f;
    const struct metrics_tenant tenants[] = {{TENANT_DEFAULT, STR("default")}};
    struct samples samples = {0};
    struct store_stream stream;
    char name[24];

    (void)state;
    fixture_begin_all(&f);
    for (int i = 0; i < METRICS_STREAMS_MAX + 3; i++) {
        snprintf(name, sizeof name, "kind%d", i);
        MUST(&f, stream_ensure(f.tx, f.connection_id, str_of(name), &f.arena, &stream, &f.err));
    }
    fixture_commit(&f);
    samples.arena = &f.arena;
    MUST(&f, metrics_of_store(f.store, f.env.clock, tenants, 1, &samples, &f.err));
    EXPECT_I64(samples_find(&samples, STR("crmsync_stream_marked"))->count, METRICS_STREAMS_MAX,
               "a bound");
    EXPECT(samples_find(&samples, STR("crmsync_metrics_streams_left_out"))->samples[0].value == 3,
           "what is left out is said");
}

static void names_of_the_brief_lead_to_families(void **state)
{
    static const char *const NAMES[] = {
        "avg_sync_latency_ms", "sync_success_rate",  "webhook_processing_time_ms",
        "contacts_synced_24h", "deals_synced_24h",   "activities_synced_24h",
        "sync_failures_24h",   "conflict_count_24h", "api_rate_limit_hits"};
    AUTO_FIXTURE struct fixture f;
    struct exposition all;
    struct buf text;

    (void)state;
    fixture_begin_all(&f);
    fixture_commit(&f);
    text = read_all(&f, &all);
    for (size_t i = 0; i < COUNT_OF(NAMES); i++) {
        const struct metric_alias *alias = metric_alias_find(str_of(NAMES[i]));

        EXPECT(alias, "'%s' is unknown", NAMES[i]);
        EXPECT(
            str_equal(str_of(alias->family), STR("crmsync_webhook_processing_seconds")) ||
                str_contains(buf_str(&text), arena_printf(&f.arena, "# TYPE %s ", alias->family)),
            "'%s' leads to '%s', which is not there", NAMES[i], alias->family);
        EXPECT(str_equal(str_of(alias->family), STR("crmsync_webhook_processing_seconds")) ||
                   str_contains(buf_str(&text), str_of(NAMES[i])),
               "no HELP names '%s'", NAMES[i]);
    }
    buf_fini(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_happened),
        cmocka_unit_test(what_happened_counts_for_its_hours),
        cmocka_unit_test(old_hours_go),
        cmocka_unit_test(kinds_of_several_connections_are_one_number),
        cmocka_unit_test(what_waits_is_counted),
        cmocka_unit_test(usage_and_states),
        cmocka_unit_test(drift_and_runs),
        cmocka_unit_test(too_many_streams_are_left_out),
        cmocka_unit_test(names_of_the_brief_lead_to_families),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
