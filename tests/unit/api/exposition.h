/* A strict reader of the Prometheus text format 0.0.4, for tests: says the first thing that is wrong.
 * Source: prometheus.io/docs/instrumenting/exposition_formats, "Text-based format". */
#ifndef CRMSYNC_TESTS_API_EXPOSITION_H
#define CRMSYNC_TESTS_API_EXPOSITION_H

#include <ctype.h>
#include <stdio.h>

#include "tests/expect.h"

enum { EXPOSITION_FAMILIES_MAX = 128, EXPOSITION_SERIES_MAX = 4096 };

struct exposition {
    struct str families[EXPOSITION_FAMILIES_MAX];
    size_t families_count;
    struct str series[EXPOSITION_SERIES_MAX]; /* name and labels as written */
    struct str values[EXPOSITION_SERIES_MAX];
    size_t series_count;
    struct str type; /* of the present family */
};

static inline size_t exposition_name(struct str line, bool is_label)
{
    size_t at = 0;

    while (at < line.len &&
           (isalpha((unsigned char)line.at[at]) || line.at[at] == '_' ||
            (!is_label && line.at[at] == ':') || (at && isdigit((unsigned char)line.at[at])))) {
        at++;
    }
    return at;
}

/* Length of {…}; 0 when there is none. */
static inline size_t exposition_labels(struct str line)
{
    size_t at = 0;

    if (line.len == 0 || line.at[0] != '{') {
        return 0;
    }
    do {
        size_t name;

        at++;
        name = exposition_name(str_slice(line, at, line.len), true);
        EXPECT(name, "no label name: %" PRI_STR, STR_ARG(line));
        at += name;
        EXPECT(str_starts(str_slice(line, at, line.len), STR("=\"")), "no value: %" PRI_STR,
               STR_ARG(line));
        for (at += 2; at < line.len && line.at[at] != '"'; at++) {
            if (line.at[at] == '\\') {
                at++;
                EXPECT(at < line.len && strchr("\\\"n", line.at[at]), "bad escape: %" PRI_STR,
                       STR_ARG(line));
            }
        }
        at++;
        EXPECT(at < line.len, "unfinished labels: %" PRI_STR, STR_ARG(line));
    } while (line.at[at] == ',');
    EXPECT(line.at[at] == '}', "unfinished labels: %" PRI_STR, STR_ARG(line));
    return at + 1;
}

static inline void exposition_value(struct str text)
{
    char copy[64], *end;

    EXPECT(text.len > 0 && text.len < sizeof copy, "no value: %" PRI_STR, STR_ARG(text));
    memcpy(copy, text.at, text.len);
    copy[text.len] = '\0';
    strtod(copy, &end);
    EXPECT(*end == '\0' && !strchr(copy, ','), "no number: '%s'", copy);
}

static inline void exposition_sample(struct exposition *all, struct str line)
{
    struct str family = all->families[all->families_count - 1];
    size_t name = exposition_name(line, false);
    struct str suffix = str_slice(line, family.len, name);
    size_t labels = exposition_labels(str_slice(line, name, line.len));
    struct str series = str_slice(line, 0, name + labels);

    EXPECT(name >= family.len && str_equal(str_slice(line, 0, family.len), family),
           "'%" PRI_STR "' is not of the family before it", STR_ARG(line));
    EXPECT(suffix.len == 0
               ? !str_equal(all->type, STR("histogram"))
               : str_equal(all->type, STR("histogram")) &&
                     (str_equal(suffix, STR("_bucket")) || str_equal(suffix, STR("_sum")) ||
                      str_equal(suffix, STR("_count"))),
           "suffix of '%" PRI_STR "'", STR_ARG(line));
    EXPECT(line.len > series.len && line.at[series.len] == ' ', "no value: %" PRI_STR,
           STR_ARG(line));
    for (size_t i = 0; i < all->series_count; i++) {
        EXPECT(!str_equal(all->series[i], series), "twice: %" PRI_STR, STR_ARG(series));
    }
    EXPECT(all->series_count < EXPOSITION_SERIES_MAX, "too many series");
    all->values[all->series_count] = str_slice(line, series.len + 1, line.len);
    exposition_value(all->values[all->series_count]);
    all->series[all->series_count++] = series;
}

static inline void exposition_head(struct exposition *all, struct str *rest, struct str line)
{
    struct str words = str_slice(line, sizeof "# HELP " - 1, line.len);
    struct str name = str_cut(&words, ' ');
    struct str type_line = str_cut(rest, '\n');

    EXPECT(str_starts(line, STR("# HELP ")) && exposition_name(name, false) == name.len && name.len,
           "not a HELP: %" PRI_STR, STR_ARG(line));
    EXPECT(words.len > 0, "nothing is said about %" PRI_STR, STR_ARG(name));
    EXPECT(str_starts(type_line, STR("# TYPE ")), "not a TYPE: %" PRI_STR, STR_ARG(type_line));
    type_line = str_slice(type_line, sizeof "# TYPE " - 1, type_line.len);
    EXPECT(str_equal(str_cut(&type_line, ' '), name), "TYPE of another one than %" PRI_STR,
           STR_ARG(name));
    EXPECT(str_equal(type_line, STR("gauge")) || str_equal(type_line, STR("counter")) ||
               str_equal(type_line, STR("histogram")),
           "type '%" PRI_STR "'", STR_ARG(type_line));
    EXPECT(str_equal(type_line, STR("counter")) == str_ends(name, STR("_total")) ||
               str_equal(name, STR("process_cpu_seconds_total")),
           "'%" PRI_STR "' is named against its type", STR_ARG(name));
    for (size_t i = 0; i < all->families_count; i++) {
        EXPECT(!str_equal(all->families[i], name), "family twice: %" PRI_STR, STR_ARG(name));
    }
    EXPECT(all->families_count < EXPOSITION_FAMILIES_MAX, "too many families");
    all->families[all->families_count++] = name;
    all->type = type_line;
}

static inline void exposition_read(struct exposition *all, struct str text)
{
    *all = (struct exposition){0};
    EXPECT(str_ends(text, STR("\n")), "the last line ends");
    while (text.len) {
        struct str line = str_cut(&text, '\n');

        if (str_starts(line, STR("#"))) {
            exposition_head(all, &text, line);
        } else {
            EXPECT(all->families_count, "a sample before any family");
            exposition_sample(all, line);
        }
    }
}

/* "" when there is none. */
static inline struct str exposition_of(const struct exposition *all, const char *series)
{
    for (size_t i = 0; i < all->series_count; i++) {
        if (str_equal(all->series[i], str_of(series))) {
            return all->values[i];
        }
    }
    return STR("");
}

#endif
