#include "conflict/policy.h"

static const char *const STRATEGIES[] = {
    [STRATEGY_LAST_WRITE_WINS] = "last-write-wins",
    [STRATEGY_SOURCE_PRIORITY] = "source-priority",
    [STRATEGY_FIELD_MERGE] = "field-merge",
    [STRATEGY_MANUAL_REVIEW] = "manual-review",
};

static const char *const COMBINES[] = {
    [COMBINE_REMOTE_FIRST] = "remote-first",
    [COMBINE_LOCAL_FIRST] = "local-first",
    [COMBINE_APPEND] = "append",
    [COMBINE_UNION] = "union",
    [COMBINE_MIN] = "min",
    [COMBINE_MAX] = "max",
};

const char *strategy_name(enum strategy strategy)
{
    return STRATEGIES[strategy];
}

const char *combine_name(enum combine combine)
{
    return COMBINES[combine];
}

const char *policy_names(void)
{
    return "last-write-wins, source-priority, manual-review, field-merge, "
           "field-merge:remote-first, field-merge:local-first, field-merge:append, "
           "field-merge:union, field-merge:min, field-merge:max, local-master, external-master, "
           "manual";
}

static bool combine_parse(struct str text, struct policy *policy)
{
    for (size_t i = 0; i < COUNT_OF(COMBINES); i++) {
        if (str_equal(text, str_of(COMBINES[i]))) {
            policy->combine = (enum combine)i;
            return true;
        }
    }
    return false;
}

static bool strategy_parse(struct str text, struct policy *policy)
{
    for (size_t i = 0; i < COUNT_OF(STRATEGIES); i++) {
        if (str_equal(text, str_of(STRATEGIES[i]))) {
            policy->strategy = (enum strategy)i;
            return true;
        }
    }
    return false;
}

static bool alias_parse(struct str text, struct policy *policy)
{
    if (str_equal(text, STR("manual"))) {
        policy->strategy = STRATEGY_MANUAL_REVIEW;
        return true;
    }
    policy->strategy = STRATEGY_SOURCE_PRIORITY;
    policy->hub_priority = str_equal(text, STR("local-master"));
    policy->remote_priority = str_equal(text, STR("external-master"));
    return policy->hub_priority != policy->remote_priority;
}

bool policy_parse(struct str text, struct policy *ret)
{
    struct policy policy = {.combine = COMBINE_REMOTE_FIRST};
    struct str rest = text;
    struct str word = str_cut(&rest, ':');
    bool has_rule = rest.at != NULL;

    if (has_rule) {
        if (!str_equal(word, STR("field-merge")) || !combine_parse(rest, &policy)) {
            return false;
        }
        policy.strategy = STRATEGY_FIELD_MERGE;
    } else if (!strategy_parse(word, &policy) && !alias_parse(word, &policy)) {
        return false;
    }
    *ret = policy;
    return true;
}
