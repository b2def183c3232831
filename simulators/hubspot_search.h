/* A search as it was asked for: read from the request by hubspot_search_read.c, run by hubspot_search.c. */
#ifndef CRMSYNC_SIMULATORS_HUBSPOT_SEARCH_H
#define CRMSYNC_SIMULATORS_HUBSPOT_SEARCH_H

#include "simulators/hubspot_inside.h"

enum {
    GROUPS_MAX = 5,
    FILTERS_MAX = 18,
};

enum hs_operator {
    OP_EQ,
    OP_NEQ,
    OP_LT,
    OP_LTE,
    OP_GT,
    OP_GTE,
    OP_BETWEEN,
    OP_IN,
    OP_NOT_IN,
    OP_HAS_PROPERTY,
    OP_NOT_HAS_PROPERTY,
    OP_CONTAINS_TOKEN,
    OP_NOT_CONTAINS_TOKEN,
    OP_COUNT,
};

/* A value ready for comparing: numbers and times by number, everything else as lower-case text. */
struct operand {
    double number;
    struct str text;
};

struct filter {
    size_t property;
    struct hs_kind *linked; /* pseudo-property associations.<kind>; NULL = property */
    enum hs_operator op;
    struct operand value, high;
    struct operand *values;
    size_t values_count;
};

struct group {
    struct filter filters[FILTERS_MAX];
    size_t count;
};

struct row {
    const struct hs_record *record;
    struct operand key;
};

struct search {
    struct sim_call *call;
    struct hs_kind *kind;
    struct group groups[GROUPS_MAX];
    size_t groups_count, filters_count;
    struct str query; /* lower case */
    size_t sort;
    bool is_descending;
    int64_t limit, after, as_of_ms;
    struct hs_view view;
    struct row *rows; /* owned */
    size_t rows_count, rows_capacity;
};

/* Fills search (call and kind are set). False after answering an error. */
bool hs_search_read(struct search *search, const json_t *body);

/* is_literal: the text is taken as it is (enumerations are case-sensitive, IN wants lower case). False: it does not fit type. */
bool hs_operand_make(struct arena *arena, enum hs_type type, struct str text, bool is_literal,
                     struct operand *ret);
struct str hs_lower(struct arena *arena, struct str text);
/* Dates and times are compared as numbers. */
bool hs_type_is_timely(enum hs_type type);

#endif
