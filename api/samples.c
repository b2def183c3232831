#include "api/samples.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>

#include "core/arena.h"

enum { GROUPS_FIRST = 32, SAMPLES_FIRST = 8, PLACES = 1000000 };

static const double WHOLE_MAX = 9007199254740992.0; /* 2^53 */

static void *grown(struct arena *arena, void *at, size_t count, size_t *capacity, size_t size,
                   size_t first)
{
    void *wider;

    if (count < *capacity) {
        return at;
    }
    *capacity = *capacity ? 2 * *capacity : first;
    wider = arena_alloc(arena, *capacity, size);
    if (count) {
        memcpy(wider, at, count * size);
    }
    return wider;
}

static struct sample_group *group_of(struct samples *samples, const struct sample_family *family)
{
    for (size_t i = samples->groups_count; i > 0; i--) { /* most often the newest one */
        if (samples->groups[i - 1].family == family) {
            return &samples->groups[i - 1];
        }
    }
    samples->groups = grown(samples->arena, samples->groups, samples->groups_count,
                            &samples->groups_capacity, sizeof *samples->groups, GROUPS_FIRST);
    samples->groups[samples->groups_count] = (struct sample_group){.family = family};
    return &samples->groups[samples->groups_count++];
}

void samples_family(struct samples *samples, const struct sample_family *family)
{
    group_of(samples, family);
}

static struct sample *add(struct samples *samples, const struct sample_family *family,
                          const struct sample_label *labels, const char *suffix, double value)
{
    struct sample_group *group = group_of(samples, family);
    struct sample *sample;

    group->samples = grown(samples->arena, group->samples, group->count, &group->capacity,
                           sizeof *group->samples, SAMPLES_FIRST);
    sample = &group->samples[group->count++];
    *sample = (struct sample){.suffix = suffix, .value = value};
    for (size_t i = 0; labels[i].name; i++) {
        assert(i < SAMPLE_LABELS_MAX);
        sample->labels[i] = labels[i];
    }
    return sample;
}

void samples_add(struct samples *samples, const struct sample_family *family,
                 const struct sample_label *labels, double value)
{
    add(samples, family, labels, "", value);
}

static void add_class(struct samples *samples, const struct sample_family *family,
                      const struct sample_label *labels, struct str bound, int64_t count)
{
    struct sample *sample = add(samples, family, labels, "_bucket", (double)count);
    size_t i = 0;

    while (sample->labels[i].name) {
        i++;
    }
    assert(i < SAMPLE_LABELS_MAX);
    sample->labels[i] = (struct sample_label){"le", bound};
}

static struct str seconds(struct arena *arena, int64_t ms)
{
    struct buf text;
    struct str kept;

    buf_init(&text, 64);
    sample_value_write(&text, (double)ms / 1000);
    kept = arena_str(arena, buf_str(&text));
    buf_fini(&text);
    return kept;
}

void samples_add_times(struct samples *samples, const struct sample_family *family,
                       const struct sample_label *labels, const struct sample_times *times)
{
    int64_t below = 0;

    for (size_t i = 0; i < times->bounds_count; i++) {
        below += times->classes[i];
        add_class(samples, family, labels, seconds(samples->arena, times->bounds_ms[i]), below);
    }
    add_class(samples, family, labels, STR("+Inf"), times->count);
    add(samples, family, labels, "_sum", (double)times->sum_ms / 1000);
    add(samples, family, labels, "_count", (double)times->count);
}

const struct sample_group *samples_find(const struct samples *samples, struct str name)
{
    for (size_t i = 0; i < samples->groups_count; i++) {
        if (str_equal(name, str_of(samples->groups[i].family->name))) {
            return &samples->groups[i];
        }
    }
    return NULL;
}

/* --- text -------------------------------------------------------------------------------------------------------------------- */

void sample_value_write(struct buf *text, double value)
{
    double whole = floor(fabs(value));
    int64_t part;

    if (isnan(value)) {
        buf_add(text, STR("NaN"));
        return;
    }
    if (whole >= WHOLE_MAX) {
        buf_add(text, value < 0 ? STR("-Inf") : STR("+Inf"));
        return;
    }
    part = (int64_t)llround((fabs(value) - whole) * PLACES);
    if (part == PLACES) {
        whole += 1;
        part = 0;
    }
    if (value < 0 && (whole > 0 || part > 0)) {
        buf_add_char(text, '-');
    }
    buf_addf(text, "%" PRId64, (int64_t)whole);
    if (part) {
        char digits[16];
        int length = snprintf(digits, sizeof digits, ".%06" PRId64, part);

        while (digits[length - 1] == '0') {
            length--;
        }
        buf_add(text, (struct str){digits, (size_t)length});
    }
}

static void add_escaped(struct buf *text, struct str value)
{
    for (size_t i = 0; i < value.len; i++) {
        switch (value.at[i]) {
        case '\\':
            buf_add(text, STR("\\\\"));
            break;
        case '"':
            buf_add(text, STR("\\\""));
            break;
        case '\n':
            buf_add(text, STR("\\n"));
            break;
        default:
            buf_add_char(text, value.at[i]);
        }
    }
}

static void write_labels(struct buf *text, const struct sample_label *labels)
{
    if (!labels[0].name) {
        return;
    }
    for (size_t i = 0; labels[i].name; i++) {
        buf_addf(text, "%s%s=\"", i ? "," : "{", labels[i].name);
        add_escaped(text, labels[i].value);
        buf_add_char(text, '"');
    }
    buf_add_char(text, '}');
}

static const char *type_name(enum sample_type type)
{
    switch (type) {
    case SAMPLE_GAUGE:
        return "gauge";
    case SAMPLE_COUNTER:
        return "counter";
    case SAMPLE_HISTOGRAM:
        return "histogram";
    }
    return "untyped";
}

void samples_write(const struct samples *samples, struct buf *text)
{
    for (size_t i = 0; i < samples->groups_count; i++) {
        const struct sample_group *group = &samples->groups[i];

        buf_addf(text, "# HELP %s %s\n# TYPE %s %s\n", group->family->name, group->family->help,
                 group->family->name, type_name(group->family->type));
        for (size_t k = 0; k < group->count; k++) {
            buf_addf(text, "%s%s", group->family->name, group->samples[k].suffix);
            write_labels(text, group->samples[k].labels);
            buf_add_char(text, ' ');
            sample_value_write(text, group->samples[k].value);
            buf_add_char(text, '\n');
        }
    }
}
