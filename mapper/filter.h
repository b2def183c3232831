/* Filters: which records of a kind take part at a connection, as conditions on unified fields. Pure.
 *
 *   filters:
 *     contact:
 *       - {field: lifecycle_stage, is: [customer, evangelist]}   # one of them; is_not: none of them; "" = blank
 *       - {field: total_revenue, at_least: 1000}                 # at_most; numbers, dates, times
 *       - {field: city, contains: berlin}                        # anywhere in the text, case does not matter
 *       - any: [{field: tags, has: vip}, {field: segment, is: a}]
 * All conditions of a list must hold; of an `any`, one. */
#ifndef CRMSYNC_MAPPER_FILTER_H
#define CRMSYNC_MAPPER_FILTER_H

#include "core/yx.h"
#include "mapper/kind.h"

enum filter_test {
    FILTER_ANY, /* one of `inner` holds */
    FILTER_IS,
    FILTER_IS_NOT,
    FILTER_AT_LEAST,
    FILTER_AT_MOST,
    FILTER_CONTAINS,
    FILTER_HAS,
};

struct filter_condition {
    enum filter_test test;
    const struct kind_field *field; /* NULL for FILTER_ANY */
    const struct value *values;     /* in normal form; null = blank */
    size_t values_count;
    const struct filter_condition *inner;
    size_t inner_count;
};

/* All conditions hold. Zeroed: everything passes. */
struct filter {
    const struct filter_condition *conditions;
    size_t count;
    struct str version; /* changes with its meaning; "" when there is no condition */
};

/* All memory is arena's, but field points into kind. FAIL_CONFIG with file, line and column. */
enum fail filter_read(struct arena *arena, const struct kind *kind, const struct yx_node *node,
                      struct filter *ret, struct error *err) MUST_CHECK;
/* A field that is absent counts as blank. */
bool filter_passes(const struct filter *filter, const struct fields *fields);

#endif
