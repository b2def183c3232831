#include "sync/settings.h"

struct policy settings_policy(const struct connection_settings *settings, struct str kind,
                              struct str field)
{
    struct policy best = {.strategy = STRATEGY_LAST_WRITE_WINS};
    int best_weight = -1;

    for (size_t i = 0; i < settings->policies_count; i++) {
        const struct policy_rule *rule = &settings->policies[i];
        int weight = (rule->kind.len ? 1 : 0) + (rule->field.len ? 2 : 0);

        if ((rule->kind.len == 0 || str_equal(rule->kind, kind)) &&
            (rule->field.len == 0 || str_equal(rule->field, field)) && weight > best_weight) {
            best = rule->policy;
            best_weight = weight;
        }
    }
    return best;
}

const struct schedule *settings_schedule(const struct connection_settings *settings,
                                         struct str kind)
{
    for (size_t i = 0; i < settings->schedules_count; i++) {
        if (str_equal(settings->schedules[i].kind, kind)) {
            return &settings->schedules[i].schedule;
        }
    }
    return &settings->schedule;
}
