/* What a deal's stage, pipeline and status mean for its other members. Source: OpenAPI v2 of
 * 2026-08, POST and PATCH /deals, and recorded answers of 2026-05. */
#include "simulators/pipedrive_inside.h"

#include "core/jx.h"
#include "core/when.h"

struct settling {
    struct pd_check *check;
    const struct pd_kind *kind;
    const struct pd_record *record; /* NULL for a create */
    struct pd_write *write;
};

static size_t slot(const struct settling *settling, const char *code)
{
    return pd_slot(settling->kind, code);
}

static bool is_given(const struct settling *settling, const char *code)
{
    return pd_given(settling->write, slot(settling, code)) != NULL;
}

/* What it will hold; STR_NONE for null. */
static struct str coming(const struct settling *settling, const char *code)
{
    return pd_coming(settling->record, settling->write, slot(settling, code));
}

static struct str present(const struct settling *settling, const char *code)
{
    return settling->record ? pd_value(settling->record, slot(settling, code)) : STR_NONE;
}

static void put(struct settling *settling, const char *code, struct str json)
{
    pd_put_setting(settling->write, slot(settling, code), json);
}

static void put_id(struct settling *settling, const char *code, int64_t id)
{
    put(settling, code, arena_printf(settling->check->arena, "%lld", (long long)id));
}

static struct str now_json(const struct settling *settling)
{
    char text[WHEN_TEXT_BYTES];

    when_format_seconds(settling->check->now_ms, text);
    return arena_printf(settling->check->arena, "\"%s\"", text);
}

static int64_t number_of(struct str json)
{
    int64_t number = 0;

    str_to_i64(json, &number);
    return number;
}

/* --- stage and pipeline --------------------------------------------------------------------- */

/* The stage alone fixes the pipeline; the pipeline alone puts the deal into its first stage, unless
 * it is there already. */
static const struct pd_stage *stage_chosen(const struct settling *settling)
{
    const struct pipedrive *pd = settling->check->pd;
    const struct pd_stage *stage = pd_stage_find(pd, number_of(coming(settling, "stage_id")));
    int64_t pipeline_id = number_of(coming(settling, "pipeline_id"));

    if (is_given(settling, "stage_id") || (stage && stage->pipeline_id == pipeline_id)) {
        return stage;
    }
    if (pipeline_id == 0) {
        pipeline_id = pd_pipeline_first(pd) ? pd_pipeline_first(pd)->id : 0;
    }
    return pd_stage_first(pd, pipeline_id);
}

static bool stage_settle(struct settling *settling)
{
    const struct pd_stage *stage;
    bool has_stage = is_given(settling, "stage_id"),
         has_pipeline = is_given(settling, "pipeline_id");

    if (settling->record && !has_stage && !has_pipeline) {
        return true;
    }
    stage = stage_chosen(settling);
    if (!stage) {
        return pd_problem(settling->check, "'pipeline_id' names a pipeline without stages");
    }
    if (has_stage && has_pipeline &&
        stage->pipeline_id != number_of(coming(settling, "pipeline_id"))) {
        return pd_problem(settling->check, "'stage_id' does not belong to 'pipeline_id'");
    }
    put_id(settling, "stage_id", stage->id);
    put_id(settling, "pipeline_id", stage->pipeline_id);
    if (settling->record && stage->id != number_of(present(settling, "stage_id"))) {
        put(settling, "stage_change_time", now_json(settling));
    }
    return true;
}

/* --- status --------------------------------------------------------------------------------- */

/* Members that a deal of another status cannot have. */
static const struct {
    const char *code, *status; /* "" = won or lost */
} only_when[] = {
    {"lost_reason", "lost"}, {"lost_time", "lost"}, {"won_time", "won"}, {"close_time", ""}};

static bool allows(const char *needed, struct str status)
{
    return *needed ? str_equal(status, str_of(needed)) : !str_equal(status, STR("open"));
}

static bool members_fit_status(struct settling *settling, struct str status)
{
    for (size_t i = 0; i < COUNT_OF(only_when); i++) {
        const struct pd_setting *given =
            pd_given(settling->write, slot(settling, only_when[i].code));

        if (given && given->text.at && !allows(only_when[i].status, status)) {
            return pd_problem(settling->check, "'%s' can only be set if the deal's status is %s",
                              only_when[i].code,
                              *only_when[i].status ? only_when[i].status : "won or lost");
        }
    }
    return true;
}

static void put_date_of(struct settling *settling, const char *date_code, const char *time_code)
{
    struct str moment = coming(settling, time_code);

    put(settling, date_code,
        moment.at ? arena_printf(settling->check->arena, "%" PRI_STR "\"",
                                 STR_ARG(str_slice(moment, 0, sizeof("\"2026-01-01") - 1)))
                  : STR_NONE);
}

/* Given, else as it was; when the status has just become this one, now. */
static void put_time(struct settling *settling, const char *code, bool has_changed)
{
    if (!is_given(settling, code) && (has_changed || !present(settling, code).at)) {
        put(settling, code, now_json(settling));
    }
}

static void times_settle(struct settling *settling, struct str status, bool has_changed)
{
    bool is_won = str_equal(status, STR("won")), is_lost = str_equal(status, STR("lost"));

    for (size_t i = 0; i < COUNT_OF(only_when); i++) {
        if (!allows(only_when[i].status, status)) {
            put(settling, only_when[i].code, STR_NONE);
        }
    }
    if (is_won || is_lost) {
        put_time(settling, is_won ? "won_time" : "lost_time", has_changed);
        if (!is_given(settling, "close_time") &&
            (has_changed || !present(settling, "close_time").at)) {
            put(settling, "close_time", coming(settling, is_won ? "won_time" : "lost_time"));
        }
    }
    put_date_of(settling, "local_won_date", "won_time");
    put_date_of(settling, "local_lost_date", "lost_time");
    put_date_of(settling, "local_close_date", "close_time");
    if (is_won && !coming(settling, "first_won_time").at) {
        put(settling, "first_won_time", coming(settling, "won_time"));
    }
}

static bool status_settle(struct settling *settling)
{
    struct str json, status, former;

    if (!settling->record && !is_given(settling, "status")) {
        put(settling, "status", STR("\"open\""));
    }
    json = coming(settling, "status");
    status = pd_plain(settling->check->arena, json);
    former = pd_plain(settling->check->arena, present(settling, "status"));
    if (!members_fit_status(settling, status)) {
        return false;
    }
    times_settle(settling, status, !str_equal(status, former));
    return true;
}

/* --- the rest ------------------------------------------------------------------------------- */

/* Archived deals are read-only since 2025-07-15: they can only be taken out of the archive. */
static bool archive_settle(struct settling *settling)
{
    bool is_archived = str_equal(coming(settling, "is_archived"), STR("true"));

    if (is_archived && str_equal(present(settling, "is_archived"), STR("true"))) {
        pd_problem(settling->check, "An archived deal cannot be changed");
        settling->check->status = 403;
        return false;
    }
    if (!is_archived) {
        put(settling, "archive_time", STR_NONE);
    } else if (!coming(settling, "archive_time").at) {
        put(settling, "archive_time", now_json(settling));
    }
    return true;
}

/* The currency of a user, and the mark of an API token; a deal made with OAuth would carry its
 * app's. */
static void defaults_put(struct settling *settling)
{
    if (!is_given(settling, "currency")) {
        put(settling, "currency", STR("\"EUR\""));
    }
    put(settling, "origin", STR("\"API\""));
}

bool pd_deal_settle(struct pd_check *check, struct pd_kind *kind, const struct pd_record *record,
                    struct pd_write *write)
{
    struct settling settling = {check, kind, record, write};

    if (!record) {
        defaults_put(&settling);
    }
    return archive_settle(&settling) && stage_settle(&settling) && status_settle(&settling);
}
