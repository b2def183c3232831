#include "conflict/policy.h"

#include <stdlib.h>

static const char *const COMBINES[] = {"remote-first", "local-first", "append",
                                       "union",        "min",         "max"};

static bool parse_combine(struct str text, struct policy *policy)
{
    for (size_t i = 0; i < COUNT_OF(COMBINES); i++) {
        if (str_equal(text, str_of(COMBINES[i]))) {
            policy->combine = (enum combine)i;
            return true;
        }
    }
    return false;
}

bool policy_parse(struct str text, struct policy *ret)
{
    static const struct {
        const char *name;
        struct policy policy;
    } NAMES[] = {
        {"last-write-wins", {.strategy = STRATEGY_LAST_WRITE_WINS}},
        {"source-priority", {.strategy = STRATEGY_SOURCE_PRIORITY}},
        {"local-master", {.strategy = STRATEGY_SOURCE_PRIORITY, .hub_priority = 1000000}},
        {"external-master", {.strategy = STRATEGY_SOURCE_PRIORITY, .remote_priority = 1000000}},
        {"field-merge", {.strategy = STRATEGY_FIELD_MERGE, .combine = COMBINE_REMOTE_FIRST}},
        {"manual-review", {.strategy = STRATEGY_MANUAL_REVIEW}},
        {"manual", {.strategy = STRATEGY_MANUAL_REVIEW}},
    };
    struct str rest = text;
    struct str name = str_cut(&rest, ':');

    for (size_t i = 0; i < COUNT_OF(NAMES); i++) {
        if (str_equal(name, str_of(NAMES[i].name))) {
            *ret = NAMES[i].policy;
            return !rest.at || (ret->strategy == STRATEGY_FIELD_MERGE && parse_combine(rest, ret));
        }
    }
    return false;
}

const char *strategy_name(enum strategy strategy)
{
    switch (strategy) {
    case STRATEGY_LAST_WRITE_WINS:
        return "last-write-wins";
    case STRATEGY_SOURCE_PRIORITY:
        return "source-priority";
    case STRATEGY_FIELD_MERGE:
        return "field-merge";
    case STRATEGY_MANUAL_REVIEW:
        return "manual-review";
    }
    abort();
}

const char *combine_name(enum combine combine)
{
    return COMBINES[combine];
}

const char *policy_names(void)
{
    return "last-write-wins, source-priority, "
           "field-merge[:remote-first|local-first|append|union|min|max], manual-review, "
           "local-master, external-master, manual";
}
