#include "api/alerts.h"

#include <assert.h>
#include <math.h>

#include "api/metrics.h"
#include "core/words.h"

/* --- conditions --------------------------------------------------------------------------------------------------------------- */

static const struct {
    struct str text;
    enum alert_operator op;
} OPERATORS[] = {{{">=", 2}, ALERT_AT_LEAST}, {{"<=", 2}, ALERT_AT_MOST}, {{"==", 2}, ALERT_EQUAL},
                 {{"!=", 2}, ALERT_OTHER},    {{">", 1}, ALERT_ABOVE},    {{"<", 1}, ALERT_BELOW}};

static bool is_of_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static struct str take_name(struct str *rest)
{
    size_t at = 0;
    struct str name;

    while (at < rest->len && is_of_name(rest->at[at])) {
        at++;
    }
    name = str_slice(*rest, 0, at);
    *rest = str_trim(str_slice(*rest, at, rest->len));
    return name;
}

static bool take_char(struct str *rest, char c)
{
    if (rest->len == 0 || rest->at[0] != c) {
        return false;
    }
    *rest = str_trim(str_slice(*rest, 1, rest->len));
    return true;
}

static bool take_label(struct arena *arena, struct str *rest, struct alert_condition *ret)
{
    struct str name = take_name(rest), value;

    if (name.len == 0 || ret->labels_count == ALERT_LABELS_MAX || !take_char(rest, '=') ||
        rest->len == 0 || rest->at[0] != '"') {
        return false;
    }
    *rest = str_slice(*rest, 1, rest->len);
    value = str_cut(rest, '"');
    if (!rest->at) {
        return false;
    }
    *rest = str_trim(*rest);
    ret->labels[ret->labels_count].name = arena_str(arena, name);
    ret->labels[ret->labels_count++].value = arena_str(arena, value);
    return true;
}

static bool take_labels(struct arena *arena, struct str *rest, struct alert_condition *ret)
{
    if (!take_char(rest, '{')) {
        return true;
    }
    do {
        if (!take_label(arena, rest, ret)) {
            return false;
        }
    } while (take_char(rest, ','));
    return take_char(rest, '}');
}

static bool take_operator(struct str *rest, enum alert_operator *ret)
{
    for (size_t i = 0; i < COUNT_OF(OPERATORS); i++) {
        if (str_starts(*rest, OPERATORS[i].text)) {
            *ret = OPERATORS[i].op;
            *rest = str_trim(str_slice(*rest, OPERATORS[i].text.len, rest->len));
            return true;
        }
    }
    return false;
}

/* Digits, perhaps a sign in front and a part behind a point: as people write it in any country's locale. */
static bool take_number(struct str *rest, double *ret)
{
    bool is_negative = rest->len && rest->at[0] == '-';
    double number = 0, unit = 1;
    size_t at = is_negative, digits = 0;
    bool is_part = false;

    for (; at < rest->len; at++) {
        char c = rest->at[at];

        if (c == '.' && !is_part) {
            is_part = true;
        } else if (c >= '0' && c <= '9') {
            digits++;
            unit *= is_part ? 10 : 1;
            number = number * 10 + (c - '0');
        } else {
            break;
        }
    }
    *rest = str_trim(str_slice(*rest, at, rest->len));
    *ret = (is_negative ? -number : number) / unit;
    return digits > 0 && digits < 16;
}

static bool take_for(struct str rest, int64_t *ret_ms)
{
    if (rest.len == 0) {
        return true;
    }
    return str_starts(rest, STR("for ")) &&
           duration_parse(str_trim(str_slice(rest, sizeof "for" - 1, rest.len)), ret_ms);
}

static bool wrong(struct arena *arena, struct str *ret_why, const char *what, struct str at)
{
    *ret_why = at.len ? arena_printf(arena, "%s at '%" PRI_STR "'", what, STR_ARG(at))
                      : arena_printf(arena, "%s at its end", what);
    return false;
}

bool alert_condition_parse(struct arena *arena, struct str text, struct alert_condition *ret,
                           struct str *ret_why)
{
    struct str rest = str_trim(text);
    struct str before;

    *ret = (struct alert_condition){0};
    ret->metric = arena_str(arena, take_name(&rest));
    if (ret->metric.len == 0) {
        return wrong(arena, ret_why, "the name of a metric is missing", rest);
    }
    before = rest;
    if (!take_labels(arena, &rest, ret)) {
        return wrong(arena, ret_why, "labels are written {name=\"value\"}, which is missing",
                     before);
    }
    before = rest;
    if (!take_operator(&rest, &ret->op)) {
        return wrong(arena, ret_why, "one of > >= < <= == != is missing", before);
    }
    before = rest;
    if (!take_number(&rest, &ret->number)) {
        return wrong(arena, ret_why, "a number is missing", before);
    }
    return take_for(rest, &ret->for_ms)
               ? true
               : wrong(arena, ret_why, "only 'for 10m' may follow, which is missing", rest);
}

const char *alert_severity_name(enum alert_severity severity)
{
    switch (severity) {
    case ALERT_INFO:
        return "info";
    case ALERT_WARNING:
        return "warning";
    case ALERT_CRITICAL:
        return "critical";
    }
    return "unknown";
}

/* --- does it hold --------------------------------------------------------------------------------------------------------------- */

static bool compare(const struct alert_condition *condition, double value)
{
    switch (condition->op) {
    case ALERT_ABOVE:
        return value > condition->number;
    case ALERT_AT_LEAST:
        return value >= condition->number;
    case ALERT_BELOW:
        return value < condition->number;
    case ALERT_AT_MOST:
        return value <= condition->number;
    case ALERT_EQUAL: /* as far as six places are shown */
        return fabs(value - condition->number) < 5e-7;
    case ALERT_OTHER:
        return fabs(value - condition->number) >= 5e-7;
    }
    return false;
}

static bool has_label(const struct sample *sample, struct str name, struct str value)
{
    for (size_t i = 0; i < SAMPLE_LABELS_MAX && sample->labels[i].name; i++) {
        if (str_equal(str_of(sample->labels[i].name), name)) {
            return str_equal(sample->labels[i].value, value);
        }
    }
    return false;
}

static bool is_asked(const struct alert_condition *condition, const struct metric_alias *alias,
                     const struct sample *sample)
{
    if (alias && alias->label && !has_label(sample, str_of(alias->label), str_of(alias->value))) {
        return false;
    }
    for (size_t i = 0; i < condition->labels_count; i++) {
        if (!has_label(sample, condition->labels[i].name, condition->labels[i].value)) {
            return false;
        }
    }
    return sample->suffix[0] == '\0'; /* classes of times are no numbers to compare */
}

/* Further away from the number than the one before. */
static bool is_worse(const struct alert_condition *condition, double value, double than)
{
    return fabs(value - condition->number) > fabs(than - condition->number);
}

static struct str detail_of(struct arena *arena, const struct alert_condition *condition,
                            const struct sample *sample, double value, size_t count)
{
    struct buf text;
    struct str kept;

    buf_init(&text, 1024);
    buf_add(&text, condition->metric);
    for (size_t i = 0; i < SAMPLE_LABELS_MAX && sample->labels[i].name; i++) {
        buf_addf(&text, "%s%s=\"%" PRI_STR "\"", i ? "," : "{", sample->labels[i].name,
                 STR_ARG(sample->labels[i].value));
    }
    buf_add(&text, sample->labels[0].name ? STR("} is ") : STR(" is "));
    sample_value_write(&text, value);
    if (count > 1) {
        buf_addf(&text, " (and %zu more)", count - 1);
    }
    kept = arena_str(arena, buf_str(&text));
    buf_fini(&text);
    return kept;
}

bool alert_holds(const struct alert_condition *condition, const struct samples *samples,
                 struct arena *arena, struct str *ret_detail)
{
    const struct metric_alias *alias = metric_alias_find(condition->metric);
    const struct sample_group *group =
        samples_find(samples, alias ? str_of(alias->family) : condition->metric);
    const struct sample *worst = NULL;
    double worst_value = 0;
    size_t count = 0;

    for (size_t i = 0; group && i < group->count; i++) {
        const struct sample *sample = &group->samples[i];
        double value = sample->value * (alias ? alias->scale : 1);

        if (!is_asked(condition, alias, sample) || !compare(condition, value)) {
            continue;
        }
        count++;
        if (!worst || is_worse(condition, value, worst_value)) {
            worst = sample;
            worst_value = value;
        }
    }
    *ret_detail = worst ? detail_of(arena, condition, worst, worst_value, count) : STR("");
    return worst != NULL;
}

/* --- states --------------------------------------------------------------------------------------------------------------------- */

static void begin(struct store_alert *alert, enum alert_state state, int64_t now_ms)
{
    alert->state = state;
    alert->since_ms = now_ms;
    alert->quiet_since_ms = 0;
}

static void tell(struct store_alert *alert, enum alert_news news)
{
    alert->to_tell = news;
    alert->attempts = 0;
    alert->told = STR("");
    alert->number++;
}

static void step_firing(bool holds, int64_t now_ms, int64_t again_ms, struct store_alert *alert)
{
    if (holds) {
        alert->quiet_since_ms = 0;
        if (again_ms && alert->to_tell == ALERT_NO_NEWS && now_ms - alert->told_ms >= again_ms) {
            tell(alert, ALERT_FIRES);
        }
        return;
    }
    if (alert->quiet_since_ms == 0) {
        alert->quiet_since_ms = now_ms;
    }
    if (now_ms - alert->quiet_since_ms >= ALERT_OVER_MS) {
        /* Who was never told that it fires need not hear that it is over. */
        bool is_known = alert->told_ms || alert->told.len;

        begin(alert, ALERT_QUIET, now_ms);
        tell(alert, is_known ? ALERT_IS_OVER : ALERT_NO_NEWS);
        alert->told_ms = 0;
    }
}

void alert_step(const struct alert_rule *rule, bool holds, struct str detail, int64_t now_ms,
                int64_t again_ms, struct store_alert *alert)
{
    if (holds && alert->state != ALERT_QUIET) {
        alert->detail = detail;
    }
    switch (alert->state) {
    case ALERT_QUIET:
        if (!holds) {
            return;
        }
        alert->detail = detail;
        begin(alert, ALERT_PENDING, now_ms);
        break;
    case ALERT_PENDING:
        if (!holds) {
            begin(alert, ALERT_QUIET, now_ms);
            return;
        }
        break;
    case ALERT_FIRING:
        step_firing(holds, now_ms, again_ms, alert);
        return;
    }
    if (now_ms - alert->since_ms >= rule->condition.for_ms) {
        begin(alert, ALERT_FIRING, now_ms);
        tell(alert, ALERT_FIRES);
    }
}

bool alert_knows(const struct store_alert *alert, struct str channel)
{
    struct str rest = alert->told;

    while (rest.len) {
        if (str_equal(str_cut(&rest, ','), channel)) {
            return true;
        }
    }
    return false;
}

void alert_told(struct store_alert *alert, struct str channel, struct arena *arena)
{
    alert->told = arena_printf(arena, "%" PRI_STR "%s%" PRI_STR, STR_ARG(alert->told),
                               alert->told.len ? "," : "", STR_ARG(channel));
}

void alert_tried(const struct alert_rule *rule, struct store_alert *alert, int64_t now_ms)
{
    bool all = true;

    for (size_t i = 0; i < rule->channels_count; i++) {
        all = all && alert_knows(alert, rule->channels[i]);
    }
    alert->attempts++;
    if (!all && alert->attempts < ALERT_ATTEMPTS_MAX) {
        return;
    }
    if (alert->to_tell == ALERT_FIRES) {
        alert->told_ms = now_ms;
    }
    alert->to_tell = ALERT_NO_NEWS;
}
