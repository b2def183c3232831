#include "simulators/faults.h"

#include <inttypes.h>

#include "core/alloc.h"
#include "core/jx.h"
#include "core/random.h"

enum { RULES_MAX = 64, ALWAYS_PER_MILLION = 1000000 };

struct rule {
    enum sim_fault fault;
    int64_t per_million;
    char *path;               /* owned; NULL = any */
    char *method;             /* owned; NULL = any */
    int64_t from_call, count; /* of the matching calls; count 0 = no end */
    int64_t seen;             /* matching calls so far */
};

struct sim_faults {
    struct random *random; /* owned */
    struct rule rules[RULES_MAX];
    size_t rules_count;
};

static const char *const fault_names[] = {
    [SIM_FAULT_NONE] = "none",
    [SIM_FAULT_THROTTLE] = "throttle",
    [SIM_FAULT_SERVER_ERROR] = "server_error",
    [SIM_FAULT_TIMEOUT_AFTER_APPLY] = "timeout_after_apply",
    [SIM_FAULT_TRUNCATE] = "truncate",
    [SIM_FAULT_WRONG_TYPE] = "wrong_type",
    [SIM_FAULT_SLOW] = "slow",
    [SIM_FAULT_RESET] = "reset",
    [SIM_FAULT_HTML] = "html",
};

/* --- deciding
 * ------------------------------------------------------------------------------------------------------------
 */

static bool rule_matches(const struct rule *rule, const struct http_request *request)
{
    if (rule->method &&
        !str_equal(str_of(rule->method), str_of(http_method_name(request->method)))) {
        return false;
    }
    return !rule->path || str_contains(request->url, str_of(rule->path));
}

/* Every matching call is counted and rolled for, whether or not an earlier rule has already
 * decided: so one rule's luck does not depend on another's. */
static bool rule_strikes(struct rule *rule, struct random *random)
{
    int64_t call = ++rule->seen;
    bool is_chosen = random_chance(random, (uint32_t)rule->per_million);

    if (call < rule->from_call || (rule->count && call >= rule->from_call + rule->count)) {
        return false;
    }
    return is_chosen;
}

enum sim_fault sim_faults_next(struct sim_faults *faults, const struct http_request *request)
{
    enum sim_fault ret = SIM_FAULT_NONE;

    for (size_t i = 0; faults && i < faults->rules_count; i++) {
        struct rule *rule = &faults->rules[i];

        if (rule_matches(rule, request) && rule_strikes(rule, faults->random) &&
            ret == SIM_FAULT_NONE) {
            ret = rule->fault;
        }
    }
    return ret;
}

void sim_faults_free(struct sim_faults *faults)
{
    if (!faults) {
        return;
    }
    for (size_t i = 0; i < faults->rules_count; i++) {
        free(faults->rules[i].path);
        free(faults->rules[i].method);
    }
    random_free(faults->random);
    free(faults);
}

/* --- reading a schedule
 * --------------------------------------------------------------------------------------------------
 */

static enum fail only_members(const json_t *object, const char *const *allowed, struct error *err)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)object, key, value)
    {
        size_t i = 0;

        while (allowed[i] && !str_equal(str_of(allowed[i]), str_of(key))) {
            i++;
        }
        if (!allowed[i]) {
            return error_set(err, FAIL_CONFIG, "unknown member '%.40s'", key);
        }
    }
    return OK;
}

static enum fail fault_read(struct str name, enum sim_fault *ret, struct error *err)
{
    for (size_t i = SIM_FAULT_NONE + 1; i < COUNT_OF(fault_names); i++) {
        if (str_equal(name, str_of(fault_names[i]))) {
            *ret = (enum sim_fault)i;
            return OK;
        }
    }
    error_set(err, FAIL_CONFIG, "unknown fault '%.*s'", name.len > 40 ? 40 : (int)name.len,
              name.at);
    return error_hint(err, "use throttle, server_error, timeout_after_apply, truncate, wrong_type, "
                           "slow, reset or html");
}

static enum fail range_check(const char *name, int64_t number, int64_t least, int64_t most,
                             struct error *err)
{
    if (number < least || number > most) {
        return error_set(err, FAIL_CONFIG,
                         "%s: %" PRId64 " is not between %" PRId64 " and %" PRId64, name, number,
                         least, most);
    }
    return OK;
}

static char *text_or_null(struct str text)
{
    return text.len ? alloc_printf("%" PRI_STR, STR_ARG(text)) : NULL;
}

static enum fail rule_read(const json_t *item, struct rule *ret, struct error *err)
{
    static const char *const members[] = {"fault",     "per_million", "path", "method",
                                          "from_call", "count",       NULL};
    struct rule rule = {0};
    struct str name, path, method;

    if (!json_is_object(item)) {
        return error_set(err, FAIL_CONFIG, "expected an object");
    }
    if (only_members(item, members, err) || jx_str(item, "fault", &name, err) ||
        fault_read(name, &rule.fault, err) ||
        jx_i64_or(item, "per_million", ALWAYS_PER_MILLION, &rule.per_million, err) ||
        range_check("per_million", rule.per_million, 0, ALWAYS_PER_MILLION, err) ||
        jx_str_or(item, "path", STR_NONE, &path, err) ||
        jx_str_or(item, "method", STR_NONE, &method, err) ||
        jx_i64_or(item, "from_call", 1, &rule.from_call, err) ||
        range_check("from_call", rule.from_call, 1, INT32_MAX, err) ||
        jx_i64_or(item, "count", 0, &rule.count, err) ||
        range_check("count", rule.count, 0, INT32_MAX, err)) {
        return err->code;
    }
    rule.path = text_or_null(path);
    rule.method = text_or_null(method);
    *ret = rule;
    return OK;
}

static enum fail rules_read(const json_t *rules, struct sim_faults *faults, struct error *err)
{
    size_t index;
    json_t *item;

    if (json_array_size(rules) > RULES_MAX) {
        return error_set(err, FAIL_CONFIG, "more than %d rules", RULES_MAX);
    }
    json_array_foreach(rules, index, item)
    {
        if (rule_read(item, &faults->rules[index], err)) {
            return error_wrap(err, "rule %zu", index + 1);
        }
        faults->rules_count++;
    }
    return OK;
}

static enum fail schedule_read(const json_t *tree, struct sim_faults *faults, struct error *err)
{
    static const char *const members[] = {"seed", "rules", NULL};
    json_t *rules = NULL;
    int64_t seed = 0;

    if (!json_is_object(tree)) {
        return error_set(err, FAIL_CONFIG, "expected an object with seed and rules");
    }
    if (only_members(tree, members, err) || jx_i64_or(tree, "seed", 0, &seed, err) ||
        jx_array_or_null(tree, "rules", &rules, err)) {
        return err->code;
    }
    faults->random = random_new_seeded((uint64_t)seed);
    return rules_read(rules, faults, err);
}

enum fail sim_faults_parse(struct str text, struct sim_faults **ret, struct error *err)
{
    AUTO_ARENA struct arena arena = {0};
    struct sim_faults *faults;
    json_t *tree = NULL;

    if (str_is_empty(str_trim(text))) {
        *ret = NULL;
        return OK;
    }
    faults = alloc_new(1, sizeof(*faults));
    if (jx_parse(&arena, text, &tree, err) || schedule_read(tree, faults, err)) {
        sim_faults_free(faults);
        err->code = FAIL_CONFIG; /* jx grades foreign records; here it is a file of the user */
        return err->code;
    }
    *ret = faults;
    return OK;
}
