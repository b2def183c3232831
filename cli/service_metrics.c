#include "cli/service_metrics.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "api/metrics.h"
#include "core/words.h"

enum { NAMES_MAX = 128, LINE_BYTES = 256 };

#define FAMILY(variable, name_, type_, help_)                                                      \
    static const struct sample_family variable = {.name = (name_), .type = (type_), .help = (help_)}

/* The first four have the names that Prometheus' own clients use. Source: prometheus.io/docs/instrumenting/writing_clientlibs, "Process metrics". */
FAMILY(RSS, "process_resident_memory_bytes", SAMPLE_GAUGE, "Resident memory of the process.");
FAMILY(CPU, "process_cpu_seconds_total", SAMPLE_COUNTER, "Processor time of the process.");
FAMILY(FDS, "process_open_fds", SAMPLE_GAUGE, "Open file descriptors.");
FAMILY(FDS_MAX, "process_max_fds", SAMPLE_GAUGE, "File descriptors that may be open.");
FAMILY(STARTED, "process_start_time_seconds", SAMPLE_GAUGE, "When the process began, since 1970.");
FAMILY(BUILD, "crmsync_build_info", SAMPLE_GAUGE, "1; version of crmsync and of the store.");
FAMILY(CALLS, "crmsync_http_requests_total", SAMPLE_COUNTER,
       "Requests sent to the CRM, with those that were repeated.");
FAMILY(RETRIES, "crmsync_http_retries_total", SAMPLE_COUNTER, "Of them repetitions.");
FAMILY(THROTTLED, "crmsync_http_throttled_total", SAMPLE_COUNTER,
       "Of them refused for their number (429).");
FAMILY(WAITED, "crmsync_http_wait_seconds_total", SAMPLE_COUNTER,
       "Time spent waiting for limits and before repetitions.");
FAMILY(RECEIVED, "crmsync_http_received_bytes_total", SAMPLE_COUNTER, "Bytes of the answers.");
FAMILY(QUOTA, "crmsync_quota_remaining", SAMPLE_GAUGE,
       "Units left in a limit of the CRM, as far as known.");
FAMILY(DELIVERIES, "crmsync_webhook_deliveries_total", SAMPLE_COUNTER,
       "Deliveries by what became of them: accepted, repeated, or why they were refused.");
FAMILY(EVENTS, "crmsync_webhook_events_total", SAMPLE_COUNTER,
       "Single events of accepted deliveries: stored, known already, or ignored.");
FAMILY(LAST_DELIVERY, "crmsync_webhook_last_accepted_seconds", SAMPLE_GAUGE,
       "When a delivery was last accepted, since 1970.");
FAMILY(PROCESSING, "crmsync_webhook_processing_seconds", SAMPLE_GAUGE,
       "From a complete delivery to its answer, average since the start "
       "(webhook_processing_time_ms).");
FAMILY(ANSWERS, "crmsync_webhook_answer_seconds", SAMPLE_HISTOGRAM,
       "From a complete delivery to its answer.");
FAMILY(COMMITS, "crmsync_webhook_commit_seconds", SAMPLE_HISTOGRAM,
       "Commits of deliveries to the store.");
FAMILY(QUEUE, "crmsync_webhook_queue_deliveries", SAMPLE_GAUGE,
       "Deliveries that wait for their commit.");
FAMILY(QUEUE_BYTES, "crmsync_webhook_queue_bytes", SAMPLE_GAUGE, "Their bytes.");
FAMILY(WORKERS, "crmsync_workers", SAMPLE_GAUGE, "Threads that serve connections.");
FAMILY(TURNS, "crmsync_connections", SAMPLE_GAUGE,
       "Connections that are being served (busy), wait for a worker (waiting), or are left alone "
       "after trouble (held).");
FAMILY(FIRING, "crmsync_alert_firing", SAMPLE_GAUGE, "1 while an alert fires.");

FAMILY(DELIVERED, "crmsync_events_delivered_total", SAMPLE_COUNTER,
       "Events that the endpoint took.");
FAMILY(UNDELIVERED, "crmsync_events_failed_total", SAMPLE_COUNTER,
       "Deliveries that it did not take; most are repeated.");
FAMILY(DEAD, "crmsync_events_dead", SAMPLE_GAUGE,
       "Events that were given up and wait for a person.");
FAMILY(EVENTS_LAG, "crmsync_events_lag_seconds", SAMPLE_GAUGE,
       "Age of the first event that is still to be delivered; 0 = none is.");
FAMILY(ENDPOINT_UP, "crmsync_events_endpoint_active", SAMPLE_GAUGE,
       "0: the endpoint is switched off, since it said that it is gone (410).");

static const struct sample_family *const FAMILIES[] = {
    &RSS,           &CPU,        &FDS,       &FDS_MAX,     &STARTED, &BUILD,       &CALLS,
    &RETRIES,       &THROTTLED,  &WAITED,    &RECEIVED,    &QUOTA,   &DELIVERIES,  &EVENTS,
    &LAST_DELIVERY, &PROCESSING, &ANSWERS,   &COMMITS,     &QUEUE,   &QUEUE_BYTES, &WORKERS,
    &TURNS,         &FIRING,     &DELIVERED, &UNDELIVERED, &DEAD,    &EVENTS_LAG,  &ENDPOINT_UP};

/* --- the process -------------------------------------------------------------------------------------------------------------- */

/* Source: proc(5), /proc/pid/statm: pages, the second number is resident. */
static double resident_bytes(void)
{
    FILE *file = fopen("/proc/self/statm", "re");
    long long size = 0, resident = 0;

    if (!file) {
        return 0;
    }
    if (fscanf(file, "%lld %lld", &size, &resident) != 2) {
        resident = 0;
    }
    fclose(file);
    return (double)resident * (double)sysconf(_SC_PAGESIZE);
}

static double cpu_seconds(void)
{
    struct rusage usage = {0};

    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static double open_files(void)
{
    DIR *folder = opendir("/proc/self/fd");
    double count = -1; /* the folder itself */

    if (!folder) {
        return 0;
    }
    for (struct dirent *entry; (entry = readdir(folder));) {
        count += entry->d_name[0] != '.';
    }
    closedir(folder);
    return count;
}

void metrics_of_process(struct samples *samples, int64_t started_ms, int schema)
{
    struct rlimit files = {0};

    for (size_t i = 0; i < COUNT_OF(FAMILIES); i++) {
        samples_family(samples, FAMILIES[i]);
    }
    getrlimit(RLIMIT_NOFILE, &files);
    samples_add(samples, &RSS, LABELS_NONE, resident_bytes());
    samples_add(samples, &CPU, LABELS_NONE, cpu_seconds());
    samples_add(samples, &FDS, LABELS_NONE, open_files());
    samples_add(samples, &FDS_MAX, LABELS_NONE, (double)files.rlim_cur);
    samples_add(samples, &STARTED, LABELS_NONE, (double)started_ms / 1000);
    samples_add(samples, &BUILD,
                LABELS({"version", STR(CRMSYNC_VERSION)},
                       {"schema", arena_printf(samples->arena, "%d", schema)}),
                1);
}

/* --- calls --------------------------------------------------------------------------------------------------------------------- */

struct quotas {
    struct samples *samples;
    const struct metrics_place *place;
};

static void add_quota(void *context, const char *bucket, int64_t remaining)
{
    const struct quotas *quotas = context;

    if (remaining >= 0) {
        samples_add(quotas->samples, &QUOTA,
                    LABELS({"tenant", quotas->place->tenant},
                           {"connection", quotas->place->connection}, {"limit", str_of(bucket)}),
                    (double)remaining);
    }
}

void metrics_of_client(struct samples *samples, const struct metrics_place *place,
                       struct http_client *client)
{
    struct http_stats stats = http_client_stats(client);
    struct quotas quotas = {.samples = samples, .place = place};
    const struct sample_label labels[SAMPLE_LABELS_MAX + 1] = {{"tenant", place->tenant},
                                                               {"connection", place->connection}};

    samples_add(samples, &CALLS, labels, (double)stats.calls);
    samples_add(samples, &RETRIES, labels, (double)stats.retries);
    samples_add(samples, &THROTTLED, labels, (double)stats.throttled);
    samples_add(samples, &WAITED, labels, (double)stats.waited_ms / 1000);
    samples_add(samples, &RECEIVED, labels, (double)stats.bytes_in);
    limiter_each(http_client_limiter(client), add_quota, &quotas);
}

/* --- webhooks ------------------------------------------------------------------------------------------------------------------ */

static void add_counted(struct samples *samples, const struct sample_family *family,
                        const struct metrics_place *place, const char *label, const char *word,
                        int64_t count)
{
    samples_add(
        samples, family,
        LABELS({"tenant", place->tenant}, {"connection", place->connection}, {label, str_of(word)}),
        (double)count);
}

void metrics_of_deliveries(struct samples *samples, const struct metrics_place *place,
                           const struct receive_counts *counts)
{
    add_counted(samples, &DELIVERIES, place, "result", "accepted", counts->accepted);
    add_counted(samples, &DELIVERIES, place, "result", "repeated", counts->repeated);
    for (int i = 0; i < RECEIVE_REFUSALS; i++) {
        if (i != REFUSED_UNKNOWN) {
            add_counted(samples, &DELIVERIES, place, "result",
                        receive_refusal_name((enum receive_refusal)i), counts->refused[i]);
        }
    }
    add_counted(samples, &EVENTS, place, "result", "stored", counts->stored);
    add_counted(samples, &EVENTS, place, "result", "known", counts->known);
    add_counted(samples, &EVENTS, place, "result", "ignored", counts->ignored);
    if (counts->last_accepted_ms) {
        samples_add(samples, &LAST_DELIVERY,
                    LABELS({"tenant", place->tenant}, {"connection", place->connection}),
                    (double)counts->last_accepted_ms / 1000);
    }
}

static void add_times(struct samples *samples, const struct sample_family *family,
                      const struct receive_times *times)
{
    const struct sample_times shown = {.bounds_ms = receive_time_bounds_ms,
                                       .bounds_count = RECEIVE_TIMES,
                                       .classes = times->classes,
                                       .count = times->count,
                                       .sum_ms = times->sum_ms};

    samples_add_times(samples, family, LABELS_NONE, &shown);
}

void metrics_of_receiver(struct samples *samples, const struct receive_totals *totals)
{
    const struct metrics_place nobody = {STR(""), STR("")};

    add_counted(samples, &DELIVERIES, &nobody, "result", receive_refusal_name(REFUSED_UNKNOWN),
                totals->unknown);
    if (totals->answers.count) { /* without a delivery there is no time */
        samples_add(samples, &PROCESSING, LABELS_NONE,
                    (double)totals->answers.sum_ms / (double)totals->answers.count / 1000);
    }
    add_times(samples, &ANSWERS, &totals->answers);
    add_times(samples, &COMMITS, &totals->commits);
    samples_add(samples, &QUEUE, LABELS_NONE, (double)totals->queue_deliveries);
    samples_add(samples, &QUEUE_BYTES, LABELS_NONE, (double)totals->queue_bytes);
}

void metrics_of_turns(struct samples *samples, const struct metrics_turns *turns)
{
    samples_add(samples, &WORKERS, LABELS_NONE, (double)turns->workers);
    samples_add(samples, &TURNS, LABELS({"state", STR("busy")}), (double)turns->busy);
    samples_add(samples, &TURNS, LABELS({"state", STR("held")}), (double)turns->held);
    samples_add(samples, &TURNS, LABELS({"state", STR("waiting")}), (double)turns->waiting);
}

void metrics_of_endpoint(struct samples *samples, const struct metrics_endpoint *endpoint)
{
    const struct sample_label labels[SAMPLE_LABELS_MAX + 1] = {{"tenant", endpoint->tenant},
                                                               {"endpoint", endpoint->name}};

    samples_add(samples, &DELIVERED, labels, (double)endpoint->delivered);
    samples_add(samples, &UNDELIVERED, labels, (double)endpoint->failed);
    samples_add(samples, &DEAD, labels, (double)endpoint->dead);
    samples_add(samples, &EVENTS_LAG, labels, (double)endpoint->lag_ms / 1000);
    samples_add(samples, &ENDPOINT_UP, labels, endpoint->is_active);
}

void metrics_of_alerts(struct samples *samples, const struct store_alert *states, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        samples_add(samples, &FIRING, LABELS({"alert", states[i].name}),
                    states[i].state == ALERT_FIRING);
    }
}

/* --- names ---------------------------------------------------------------------------------------------------------------------- */

size_t metric_names(const struct sample_family **ret, size_t max)
{
    size_t store_count, count = 0;
    const struct sample_family *const *of_store = metrics_families(&store_count);

    for (size_t i = 0; i < store_count && count < max; i++) {
        ret[count++] = of_store[i];
    }
    for (size_t i = 0; i < COUNT_OF(FAMILIES) && count < max; i++) {
        ret[count++] = FAMILIES[i];
    }
    return count;
}

/* Other names come after those of the families. */
static size_t all_names(struct str *ret, size_t max)
{
    const struct sample_family *families[NAMES_MAX];
    size_t aliases_count, count = metric_names(families, max);
    const struct metric_alias *aliases = metric_aliases(&aliases_count);

    for (size_t i = 0; i < count; i++) {
        ret[i] = str_of(families[i]->name);
    }
    for (size_t i = 0; i < aliases_count && count < max; i++) {
        ret[count++] = str_of(aliases[i].name);
    }
    return count;
}

bool metric_is_known(struct str name)
{
    struct str names[NAMES_MAX];
    size_t count = all_names(names, NAMES_MAX);

    for (size_t i = 0; i < count; i++) {
        if (str_equal(names[i], name)) {
            return true;
        }
    }
    return false;
}

struct str metric_nearest(struct str name)
{
    struct str names[NAMES_MAX];
    size_t count = all_names(names, NAMES_MAX);
    size_t near = word_nearest(name, names, count);

    return near == SIZE_MAX ? STR("") : names[near];
}
