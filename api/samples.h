/* Numbers of the service at one moment, by family and labels: written as Prometheus text, and asked by alerts. */
#ifndef CRMSYNC_API_SAMPLES_H
#define CRMSYNC_API_SAMPLES_H

#include "core/arena.h"
#include "core/str.h"

enum sample_type { SAMPLE_GAUGE, SAMPLE_COUNTER, SAMPLE_HISTOGRAM };

/* Static. Names as Prometheus has them: base units, counters end in _total. */
struct sample_family {
    const char *name;
    enum sample_type type;
    const char *help;
};

enum { SAMPLE_LABELS_MAX = 4 };

struct sample_label {
    const char *name; /* static; NULL: no more labels */
    struct str value; /* borrowed while the samples live */
};
#define LABELS(...) ((const struct sample_label[SAMPLE_LABELS_MAX + 1]){__VA_ARGS__})
#define LABELS_NONE ((const struct sample_label[SAMPLE_LABELS_MAX + 1]){{0}})

struct sample {
    const char *suffix; /* "", "_bucket", "_sum", "_count" */
    struct sample_label labels[SAMPLE_LABELS_MAX + 1];
    double value;
};

/* All of one family. */
struct sample_group {
    const struct sample_family *family;
    struct sample *samples; /* arena's */
    size_t count, capacity;
};

struct samples {
    struct arena *arena; /* borrowed */
    struct sample_group *groups;
    size_t groups_count, groups_capacity;
};

/* A family without samples is shown with its HELP alone: call it for every family that is always there. */
void samples_family(struct samples *samples, const struct sample_family *family);
void samples_add(struct samples *samples, const struct sample_family *family,
                 const struct sample_label *labels, double value);
/* Classes of times in ms, not cumulative, one more class than bounds; shown in seconds. At most SAMPLE_LABELS_MAX - 1 labels. */
struct sample_times {
    const int64_t *bounds_ms;
    size_t bounds_count;
    const int64_t *classes;
    int64_t count, sum_ms;
};
void samples_add_times(struct samples *samples, const struct sample_family *family,
                       const struct sample_label *labels, const struct sample_times *times);

/* NULL: none of that name. */
const struct sample_group *samples_find(const struct samples *samples, struct str name);
/* Text format 0.0.4. Source: prometheus.io/docs/instrumenting/exposition_formats, "Text-based format". */
void samples_write(const struct samples *samples, struct buf *text);
#define SAMPLES_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"
/* "12", "0.25": up to six places. */
void sample_value_write(struct buf *text, double value);

#endif
