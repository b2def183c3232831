#include "api/metrics.h"

#include "store/brake.h"
#include "store/connection.h"
#include "store/divergence.h"
#include "store/review.h"
#include "store/run.h"
#include "store/stream.h"
#include "store/tally.h"
#include "store/usage.h"
#include "http/limits.h"

enum { DAY_HOURS = 24, LATENCY_HOURS = 2, RUNS_SHOWN = 100 };

#define FAMILY(variable, name_, type_, help_)                                                      \
    static const struct sample_family variable = {.name = (name_), .type = (type_), .help = (help_)}

FAMILY(LATENCY, "crmsync_avg_sync_latency_seconds", SAMPLE_GAUGE,
       "From a change on one side to its arrival on the other, average of this hour and the one "
       "before; first imports are not counted (avg_sync_latency_ms).");
FAMILY(SUCCESS, "crmsync_sync_success_ratio", SAMPLE_GAUGE,
       "Share of the records of 24 h that went across and were not set aside; 1 when there were "
       "none (sync_success_rate).");
FAMILY(SYNCED, "crmsync_records_synced_24h", SAMPLE_GAUGE,
       "Records that went across in 24 h, either way, by kind (contacts_synced_24h, "
       "deals_synced_24h, activities_synced_24h).");
FAMILY(FAILURES, "crmsync_sync_failures_24h", SAMPLE_GAUGE,
       "Records that were set aside in 24 h (sync_failures_24h).");
FAMILY(CONFLICTS, "crmsync_conflicts_24h", SAMPLE_GAUGE,
       "Conflicts that were opened in 24 h (conflict_count_24h).");
FAMILY(RATE_HITS, "crmsync_rate_limit_hits_24h", SAMPLE_GAUGE,
       "Calls that a CRM refused for their number in 24 h (api_rate_limit_hits).");
FAMILY(CONFLICTS_OPEN, "crmsync_conflicts_open", SAMPLE_GAUGE, "Conflicts that wait for a person.");
FAMILY(FAILURES_OPEN, "crmsync_failures_open", SAMPLE_GAUGE, "Records that are set aside now.");
FAMILY(INBOX, "crmsync_inbox_events", SAMPLE_GAUGE,
       "Webhook events that were received and not looked at.");
FAMILY(INBOX_AGE, "crmsync_inbox_oldest_seconds", SAMPLE_GAUGE,
       "Age of the oldest of them; 0 when there are none.");
FAMILY(CONNECTION, "crmsync_connection_state", SAMPLE_GAUGE,
       "1 for the state that a connection is in: active, needs-auth or stopped.");
FAMILY(CALLS_TODAY, "crmsync_api_calls_today", SAMPLE_GAUGE, "Calls of the day (UTC), by lane.");
FAMILY(UNITS_TODAY, "crmsync_api_budget_used_today", SAMPLE_GAUGE,
       "Units of the CRM's daily budget that the calls of the day (UTC) took, by lane.");
FAMILY(LAG, "crmsync_stream_lag_seconds", SAMPLE_GAUGE,
       "Since a listing of the stream's changes last reached its end.");
FAMILY(LISTED_AGE, "crmsync_stream_full_listing_age_seconds", SAMPLE_GAUGE,
       "Since everything of the stream was last listed.");
FAMILY(IMPORTED, "crmsync_stream_first_import_done", SAMPLE_GAUGE,
       "1 when the first import of the stream is through.");
FAMILY(MARKED, "crmsync_stream_marked", SAMPLE_GAUGE,
       "Objects that are to be read by id (dirty marks).");
FAMILY(TO_WRITE, "crmsync_stream_push_queue", SAMPLE_GAUGE,
       "Linked records whose changes are to be written to the CRM; new records are not counted.");
FAMILY(UNSETTLED, "crmsync_stream_writes_unsettled", SAMPLE_GAUGE,
       "Writes that are under way, or whose outcome is not known.");
FAMILY(BRAKE, "crmsync_stream_brakes_waiting", SAMPLE_GAUGE,
       "Mass changes that wait for a person.");
FAMILY(DIFFERING, "crmsync_stream_differences", SAMPLE_GAUGE,
       "Records and objects that the last complete comparison found to differ.");
FAMILY(UNEXPLAINED, "crmsync_stream_differences_unexplained", SAMPLE_GAUGE,
       "Of them those that nothing known holds: drift.");
FAMILY(COMPARED_AGE, "crmsync_stream_compared_age_seconds", SAMPLE_GAUGE,
       "Since both sides of the stream were last compared completely.");
FAMILY(RUNS, "crmsync_runs_recent", SAMPLE_GAUGE, "The newest 100 runs by how they ended.");
FAMILY(LEFT_OUT, "crmsync_metrics_streams_left_out", SAMPLE_GAUGE,
       "Streams without samples of their own, because there are too many.");

static const struct sample_family *const FAMILIES[] = {
    &LATENCY,    &SUCCESS,        &SYNCED,        &FAILURES,  &CONFLICTS,
    &RATE_HITS,  &CONFLICTS_OPEN, &FAILURES_OPEN, &INBOX,     &INBOX_AGE,
    &CONNECTION, &CALLS_TODAY,    &UNITS_TODAY,   &LAG,       &LISTED_AGE,
    &IMPORTED,   &MARKED,         &TO_WRITE,      &UNSETTLED, &BRAKE,
    &DIFFERING,  &UNEXPLAINED,    &COMPARED_AGE,  &RUNS,      &LEFT_OUT};

/* source: the brief's section 12, "Monitoring & Alerts" */
static const struct metric_alias ALIASES[] = {
    {"avg_sync_latency_ms", "crmsync_avg_sync_latency_seconds", NULL, NULL, 1000},
    {"sync_success_rate", "crmsync_sync_success_ratio", NULL, NULL, 1},
    {"webhook_processing_time_ms", "crmsync_webhook_processing_seconds", NULL, NULL, 1000},
    {"contacts_synced_24h", "crmsync_records_synced_24h", "kind", "contact", 1},
    {"deals_synced_24h", "crmsync_records_synced_24h", "kind", "deal", 1},
    {"activities_synced_24h", "crmsync_records_synced_24h", "kind", "activity", 1},
    {"sync_failures_24h", "crmsync_sync_failures_24h", NULL, NULL, 1},
    {"conflict_count_24h", "crmsync_conflicts_24h", NULL, NULL, 1},
    {"api_rate_limit_hits", "crmsync_rate_limit_hits_24h", NULL, NULL, 1},
};

const struct sample_family *const *metrics_families(size_t *ret_count)
{
    *ret_count = COUNT_OF(FAMILIES);
    return FAMILIES;
}

const struct metric_alias *metric_aliases(size_t *ret_count)
{
    *ret_count = COUNT_OF(ALIASES);
    return ALIASES;
}

const struct metric_alias *metric_alias_find(struct str name)
{
    for (size_t i = 0; i < COUNT_OF(ALIASES); i++) {
        if (str_equal(name, str_of(ALIASES[i].name))) {
            return &ALIASES[i];
        }
    }
    return NULL;
}

/* One tenant at work. */
struct collecting {
    struct samples *samples;
    struct arena *arena;
    struct tx *tx;
    struct str tenant;
    int64_t now_ms;
    struct store_connection *connections;
    size_t connections_count;
    size_t last;     /* index of the connection that was asked for last */
    size_t *streams; /* of all tenants so far */
    size_t *left_out;
};

static double seconds_since(const struct collecting *c, int64_t then_ms)
{
    return then_ms < c->now_ms ? (double)(c->now_ms - then_ms) / 1000 : 0;
}

static void add_tenant(struct collecting *c, const struct sample_family *family, double value)
{
    samples_add(c->samples, family, LABELS({"tenant", c->tenant}), value);
}

/* "" for one that is not there any more. */
static struct str name_of(struct collecting *c, int64_t connection_id)
{
    for (size_t i = 0; i < c->connections_count; i++) {
        size_t at = (c->last + i) % c->connections_count; /* streams lie side by side */

        if (c->connections[at].id == connection_id) {
            c->last = at;
            return c->connections[at].name;
        }
    }
    return STR("");
}

static void add_stream(struct collecting *c, const struct sample_family *family,
                       int64_t connection_id, struct str kind, double value)
{
    samples_add(
        c->samples, family,
        LABELS({"tenant", c->tenant}, {"connection", name_of(c, connection_id)}, {"kind", kind}),
        value);
}

/* --- what happened ------------------------------------------------------------------------------------------------------------ */

static void add_by_kind(struct collecting *c, const struct store_tally *sums, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int64_t synced = sums[i].synced;
        bool is_counted = false;

        for (size_t k = 0; k < i && !is_counted; k++) {
            is_counted = str_equal(sums[k].kind, sums[i].kind);
        }
        for (size_t k = i + 1; k < count && !is_counted; k++) {
            synced += str_equal(sums[k].kind, sums[i].kind) ? sums[k].synced : 0;
        }
        if (!is_counted) {
            samples_add(c->samples, &SYNCED, LABELS({"tenant", c->tenant}, {"kind", sums[i].kind}),
                        (double)synced);
        }
    }
}

static void add_hits(struct collecting *c, const struct store_tally *sums, size_t count)
{
    for (size_t i = 0; i < c->connections_count; i++) {
        int64_t hits = 0;

        for (size_t k = 0; k < count; k++) {
            hits += sums[k].connection_id == c->connections[i].id ? sums[k].throttled : 0;
        }
        samples_add(c->samples, &RATE_HITS,
                    LABELS({"tenant", c->tenant}, {"connection", c->connections[i].name}),
                    (double)hits);
    }
}

static enum fail collect_day(struct collecting *c, struct error *err)
{
    struct store_tally *sums, all = {0};
    size_t count;

    if (tally_sums(c->tx, c->now_ms, DAY_HOURS, c->arena, &sums, &count, err) != OK) {
        return err->code;
    }
    for (size_t i = 0; i < count; i++) {
        all.synced += sums[i].synced;
        all.set_aside += sums[i].set_aside;
        all.conflicts += sums[i].conflicts;
    }
    add_tenant(
        c, &SUCCESS,
        all.synced + all.set_aside ? (double)all.synced / (double)(all.synced + all.set_aside) : 1);
    add_tenant(c, &FAILURES, (double)all.set_aside);
    add_tenant(c, &CONFLICTS, (double)all.conflicts);
    add_by_kind(c, sums, count);
    add_hits(c, sums, count);
    return OK;
}

static enum fail collect_latency(struct collecting *c, struct error *err)
{
    struct store_tally *sums, all = {0};
    size_t count;

    if (tally_sums(c->tx, c->now_ms, LATENCY_HOURS, c->arena, &sums, &count, err) != OK) {
        return err->code;
    }
    for (size_t i = 0; i < count; i++) {
        all.delays += sums[i].delays;
        all.delay_ms += sums[i].delay_ms;
    }
    if (all.delays) { /* without a change there is no time */
        add_tenant(c, &LATENCY, (double)all.delay_ms / (double)all.delays / 1000);
    }
    return OK;
}

static enum fail collect_usage(struct collecting *c, struct error *err)
{
    struct store_usage *rows;
    size_t count;

    if (usage_of_day(c->tx, c->now_ms, c->arena, &rows, &count, err) != OK) {
        return err->code;
    }
    for (size_t i = 0; i < count; i++) {
        const struct sample_label labels[SAMPLE_LABELS_MAX + 1] = {
            {"tenant", c->tenant},
            {"connection", name_of(c, rows[i].connection_id)},
            {"lane",
             str_of(rows[i].lane >= 0 && rows[i].lane < LANES ? lane_name((enum lane)rows[i].lane)
                                                              : "unknown")}};

        samples_add(c->samples, &CALLS_TODAY, labels, (double)rows[i].calls);
        samples_add(c->samples, &UNITS_TODAY, labels, (double)rows[i].units);
    }
    return OK;
}

/* --- what is -------------------------------------------------------------------------------------------------------------------- */

static enum fail collect_connections(struct collecting *c, struct error *err)
{
    static const enum connection_state STATES[] = {CONNECTION_ACTIVE, CONNECTION_NEEDS_AUTH,
                                                   CONNECTION_STOPPED};

    if (connection_list(c->tx, c->arena, &c->connections, &c->connections_count, err) != OK) {
        return err->code;
    }
    for (size_t i = 0; i < c->connections_count; i++) {
        for (size_t k = 0; k < COUNT_OF(STATES); k++) {
            samples_add(c->samples, &CONNECTION,
                        LABELS({"tenant", c->tenant}, {"connection", c->connections[i].name},
                               {"state", str_of(connection_state_name(STATES[k]))}),
                        c->connections[i].state == STATES[k]);
        }
    }
    return OK;
}

static enum fail collect_waiting(struct collecting *c, struct error *err)
{
    int64_t conflicts, failures, events, oldest_ms;

    if (conflict_count_open(c->tx, &conflicts, err) != OK ||
        failure_count_open(c->tx, &failures, err) != OK ||
        inbox_depth(c->tx, &events, &oldest_ms, err) != OK) {
        return err->code;
    }
    add_tenant(c, &CONFLICTS_OPEN, (double)conflicts);
    add_tenant(c, &FAILURES_OPEN, (double)failures);
    add_tenant(c, &INBOX, (double)events);
    add_tenant(c, &INBOX_AGE, events ? seconds_since(c, oldest_ms) : 0);
    return OK;
}

/* What waits in the streams that are shown; a stream without anything has 0. */
struct depths {
    const struct sample_family *family;
    struct store_depth *at;
    size_t count;
};
enum { DEPTHS = 4 };

static enum fail read_depths(struct collecting *c, struct depths *ret, struct error *err)
{
    static const struct sample_family *const families[] = {&MARKED, &TO_WRITE, &UNSETTLED, &BRAKE};
    static const enum stream_depth what[] = {DEPTH_MARKED, DEPTH_TO_WRITE, DEPTH_UNSETTLED};

    for (size_t i = 0; i < DEPTHS; i++) {
        ret[i].family = families[i];
        if (i < COUNT_OF(what)
                ? depth_list(c->tx, what[i], c->arena, &ret[i].at, &ret[i].count, err) != OK
                : brakes_waiting(c->tx, c->arena, &ret[i].at, &ret[i].count, err) != OK) {
            return err->code;
        }
    }
    return OK;
}

static int64_t depth_of(const struct depths *depths, const struct store_stream *stream)
{
    for (size_t i = 0; i < depths->count; i++) {
        if (depths->at[i].connection_id == stream->connection_id &&
            str_equal(depths->at[i].kind, stream->kind)) {
            return depths->at[i].count;
        }
    }
    return 0;
}

static void show_stream(struct collecting *c, const struct store_stream *stream,
                        const struct depths *depths)
{
    if (stream->pulled_ms) {
        add_stream(c, &LAG, stream->connection_id, stream->kind,
                   seconds_since(c, stream->pulled_ms));
    }
    if (stream->scanned_ms) {
        add_stream(c, &LISTED_AGE, stream->connection_id, stream->kind,
                   seconds_since(c, stream->scanned_ms));
    }
    add_stream(c, &IMPORTED, stream->connection_id, stream->kind, stream->first_import_done);
    for (size_t i = 0; i < DEPTHS; i++) {
        add_stream(c, depths[i].family, stream->connection_id, stream->kind,
                   (double)depth_of(&depths[i], stream));
    }
}

static enum fail collect_streams(struct collecting *c, struct error *err)
{
    struct depths depths[DEPTHS] = {0};
    struct store_stream *streams;
    size_t count;

    if (stream_list(c->tx, c->arena, &streams, &count, err) != OK ||
        read_depths(c, depths, err) != OK) {
        return err->code;
    }
    for (size_t i = 0; i < count; i++) {
        if (*c->streams == METRICS_STREAMS_MAX) {
            (*c->left_out)++;
        } else {
            (*c->streams)++;
            show_stream(c, &streams[i], depths);
        }
    }
    return OK;
}

/* Streams that were ever compared; few enough to be shown wherever streams are. */
static enum fail collect_differences(struct collecting *c, struct error *err)
{
    struct store_divergence *rows;
    size_t count;

    if (divergence_list(c->tx, c->arena, &rows, &count, err) != OK) {
        return err->code;
    }
    for (size_t i = 0; i < count && i < METRICS_STREAMS_MAX; i++) {
        add_stream(c, &DIFFERING, rows[i].connection_id, rows[i].kind, (double)rows[i].differences);
        add_stream(c, &UNEXPLAINED, rows[i].connection_id, rows[i].kind,
                   (double)(rows[i].differences - rows[i].explained));
        add_stream(c, &COMPARED_AGE, rows[i].connection_id, rows[i].kind,
                   seconds_since(c, rows[i].ended_ms));
    }
    return OK;
}

static enum fail collect_runs(struct collecting *c, struct error *err)
{
    static const enum run_state STATES[] = {RUN_ACTIVE, RUN_DONE, RUN_FAILED, RUN_INTERRUPTED};
    struct store_run *runs;
    size_t count;

    if (run_list(c->tx, 0, RUNS_SHOWN, c->arena, &runs, &count, err) != OK) {
        return err->code;
    }
    for (size_t k = 0; k < COUNT_OF(STATES); k++) {
        size_t found = 0;

        for (size_t i = 0; i < count; i++) {
            found += runs[i].state == STATES[k];
        }
        samples_add(c->samples, &RUNS,
                    LABELS({"tenant", c->tenant}, {"state", str_of(run_state_name(STATES[k]))}),
                    (double)found);
    }
    return OK;
}

static enum fail collect_tenant(struct collecting *c, struct store *store, int64_t tenant_id,
                                struct error *err)
{
    AUTO_TX struct tx *tx = NULL;

    if (tx_begin(store, tenant_id, &tx, err) != OK) {
        return err->code;
    }
    c->tx = tx;
    if (collect_connections(c, err) != OK || collect_latency(c, err) != OK ||
        collect_day(c, err) != OK || collect_waiting(c, err) != OK || collect_usage(c, err) != OK ||
        collect_streams(c, err) != OK || collect_differences(c, err) != OK ||
        collect_runs(c, err) != OK) {
        return err->code;
    }
    return tx_commit(&tx, err);
}

enum fail metrics_of_store(struct store *store, struct clock *clock,
                           const struct metrics_tenant *tenants, size_t tenants_count,
                           struct samples *samples, struct error *err)
{
    size_t streams = 0, left_out = 0;

    for (size_t i = 0; i < COUNT_OF(FAMILIES); i++) {
        samples_family(samples, FAMILIES[i]);
    }
    for (size_t i = 0; i < tenants_count; i++) {
        struct collecting c = {.samples = samples,
                               .arena = samples->arena,
                               .tenant = tenants[i].name,
                               .now_ms = clock_wall_ms(clock),
                               .streams = &streams,
                               .left_out = &left_out};

        if (collect_tenant(&c, store, tenants[i].id, err) != OK) {
            return err->code;
        }
    }
    samples_add(samples, &LEFT_OUT, LABELS_NONE, (double)left_out);
    return OK;
}
