/* HubSpot: pipelines, and what they say about deals. Stage and outcome of a deal both live in
 * dealstage: two of a pipeline's stages, usually, mean that it is won or lost.
 * Facts: developers.hubspot.com, pipelines guide: metadata holds texts, probability "0.0" to "1.0"
 * and isClosed; dealstage has to belong to pipeline. */
#include "adapters/hubspot_inside.h"

#include <stdlib.h>

#include "core/jx.h"

/* Stages of archived pipelines stay unknown: they are not asked for again with every page. */
enum { STAGES_FRESH_MS = 60 * 1000 };

/* --- reading ---------------------------------------------------------------------------------- */

/* "true", "1.0": texts, in older answers values. */
static bool is_word(const json_t *value, const char *word)
{
    return json_is_true(value) ? strcmp(word, "true") == 0
                               : str_equal(jx_text_of(value), str_of(word));
}

/* 1 of a won stage, 0 of a lost one; -1 unknown. */
static double probability_of(const json_t *metadata, struct arena *arena)
{
    const json_t *value = jx_get(metadata, "probability");
    struct str text = jx_text_of(value);
    char *end;
    double number;

    if (json_is_number(value)) {
        return json_number_value(value);
    }
    if (text.len == 0) {
        return -1;
    }
    number = strtod(arena_cstr(arena, text), &end);
    return *end ? -1 : number;
}

static enum fail read_stage(const json_t *item, struct arena *arena, struct hubspot_stage *stage,
                            struct error *err)
{
    const json_t *metadata = jx_get(item, "metadata");
    double probability = probability_of(metadata, arena);

    if (jx_id(arena, item, "id", &stage->id, err) != OK ||
        jx_str_or(item, "label", STR(""), &stage->label, err) != OK) {
        return err->code;
    }
    stage->is_closed = jx_get(metadata, "isClosed") ? is_word(jx_get(metadata, "isClosed"), "true")
                                                    : probability == 0 || probability >= 1;
    stage->is_won = stage->is_closed && probability >= 1;
    return OK;
}

/* Where people see it; the answer may have another order. */
struct placed {
    const json_t *item;
    int64_t order;
    size_t index;
};

static int compare_placed(const void *x, const void *y)
{
    const struct placed *a = x, *b = y;

    if (a->order != b->order) {
        return a->order < b->order ? -1 : 1;
    }
    return a->index < b->index ? -1 : a->index > b->index;
}

static enum fail in_order(const json_t *list, struct arena *arena, struct placed **ret,
                          struct error *err)
{
    size_t count = json_array_size(list);
    struct placed *placed = ARENA_ARRAY(arena, struct placed, count + 1);

    for (size_t i = 0; i < count; i++) {
        placed[i] = (struct placed){.item = json_array_get(list, i), .index = i};
        if (jx_i64_or(placed[i].item, "displayOrder", 0, &placed[i].order, err) != OK) {
            return err->code;
        }
    }
    if (count) {
        qsort(placed, count, sizeof *placed, compare_placed);
    }
    *ret = placed;
    return OK;
}

static enum fail read_stages(const json_t *pipeline, struct arena *arena,
                             struct hubspot_stage *stages, size_t *count, struct error *err)
{
    struct str id, label;
    struct placed *placed;
    json_t *list;

    if (jx_id(arena, pipeline, "id", &id, err) != OK ||
        jx_str_or(pipeline, "label", STR(""), &label, err) != OK ||
        jx_array(pipeline, "stages", &list, err) != OK ||
        in_order(list, arena, &placed, err) != OK) {
        return err->code;
    }
    for (size_t i = 0; i < json_array_size(list); i++) {
        struct hubspot_stage *stage = &stages[(*count)++];

        stage->pipeline_id = id;
        stage->pipeline_label = label;
        if (read_stage(placed[i].item, arena, stage, err) != OK) {
            return err->code;
        }
    }
    return OK;
}

enum fail hubspot_read_pipelines(struct session *session, const char *kind, struct arena *arena,
                                 struct hubspot_pipelines *ret, struct error *err)
{
    struct str tail = arena_printf(arena, "/%s", hubspot_object(session, kind));
    struct hubspot_call call = {.method = HTTP_GET,
                                .path = hubspot_path(session, arena, "pipelines", tail.at),
                                .is_safe = true};
    struct hubspot_answer answer;
    struct placed *placed;
    struct hubspot_stage *stages;
    size_t room = 1;
    json_t *list;

    *ret = (struct hubspot_pipelines){0};
    if (hubspot_exec(session, &call, arena, &answer, err) != OK ||
        jx_array(answer.body, "results", &list, err) != OK ||
        in_order(list, arena, &placed, err) != OK) {
        return error_wrap(err, "pipelines of %s", hubspot_object(session, kind));
    }
    for (size_t i = 0; i < json_array_size(list); i++) {
        room += json_array_size(jx_get(placed[i].item, "stages"));
    }
    stages = ARENA_ARRAY(arena, struct hubspot_stage, room);
    for (size_t i = 0; i < json_array_size(list); i++) {
        if (read_stages(placed[i].item, arena, stages, &ret->count, err) != OK) {
            return error_wrap(err, "pipelines of %s", hubspot_object(session, kind));
        }
    }
    ret->stages = stages;
    return OK;
}

enum fail hubspot_refresh_stages(struct session *session, struct error *err)
{
    struct hubspot_pipelines *pipelines;

    session->pipelines = NULL;
    arena_reset(&session->pipelines_arena);
    pipelines = ARENA_NEW(&session->pipelines_arena, struct hubspot_pipelines);
    if (hubspot_read_pipelines(session, "deal", &session->pipelines_arena, pipelines, err) != OK) {
        return err->code;
    }
    session->pipelines = pipelines;
    session->pipelines_read_ms = clock_wall_ms(session->env->clock);
    return OK;
}

static const struct hubspot_stage *stage_of(const struct session *session, struct str id)
{
    for (size_t i = 0; id.len && i < session->pipelines->count; i++) {
        if (str_equal(session->pipelines->stages[i].id, id)) {
            return &session->pipelines->stages[i];
        }
    }
    return NULL;
}

/* --- deal.stage and deal.status --------------------------------------------------------------- */

bool hubspot_wants_stage(const struct str *properties, size_t count)
{
    return hubspot_wants(properties, count, "deal.stage") ||
           hubspot_wants(properties, count, "deal.status");
}

static bool has_stage(const json_t *props)
{
    return json_object_get(props, "deal.stage") || json_object_get(props, "deal.status");
}

/* A stage that nobody knows is shown as it is, and says nothing about the outcome. */
static void set_stage(const struct session *session, struct remote_record *record)
{
    json_t *value = json_object_get(record->props, "dealstage");
    const struct hubspot_stage *stage = stage_of(session, jx_text_of(value));
    int64_t ms = json_integer_value(json_object_get(record->props_times, "dealstage"));

    if (!value) {
        return;
    }
    if (!stage || !stage->is_closed) {
        json_object_set(record->props, "deal.stage", value);
    }
    if (stage || jx_text_of(value).len == 0) {
        json_object_set_new(record->props, "deal.status",
                            json_string(!stage || !stage->is_closed ? "open"
                                        : stage->is_won             ? "won"
                                                                    : "lost"));
    }
    if (ms) {
        json_object_set_new(record->props_times, "deal.stage", json_integer(ms));
        json_object_set_new(record->props_times, "deal.status", json_integer(ms));
    }
}

void hubspot_show_stage(const struct session *session, struct remote_record *record)
{
    if (session->pipelines && record->props) {
        set_stage(session, record);
    }
}

static bool has_unknown_stage(const struct session *session, const struct remote_record *records,
                              size_t count)
{
    if (clock_wall_ms(session->env->clock) - session->pipelines_read_ms < STAGES_FRESH_MS) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        struct str id = jx_text_of(jx_get(records[i].props, "dealstage"));

        if (id.len && !stage_of(session, id)) {
            return true;
        }
    }
    return false;
}

enum fail hubspot_set_stages(struct session *session, struct remote_record *records, size_t count,
                             struct error *err)
{
    if (count == 0) {
        return OK;
    }
    if ((!session->pipelines || has_unknown_stage(session, records, count)) &&
        hubspot_refresh_stages(session, err) != OK) {
        return err->code;
    }
    for (size_t i = 0; i < count; i++) {
        if (records[i].props) {
            set_stage(session, &records[i]);
        }
    }
    return OK;
}

/* --- the way back ----------------------------------------------------------------------------- */

/* What a deal is to become. Texts "" where nobody says. */
struct aim {
    struct str pipeline, stage, status;
    bool names_pipeline, names_stage;
};

static struct str text_in(const json_t *props, const char *name)
{
    struct str text = jx_text_of(json_object_get(props, name));

    return text.at ? text : STR("");
}

static struct aim aim_of(const struct session *session, const struct write_item *item)
{
    const struct hubspot_stage *now = stage_of(session, text_in(item->current, "dealstage"));
    struct aim aim = {.pipeline = text_in(item->props, "pipeline"),
                      .stage = text_in(item->props, "deal.stage"),
                      .status = text_in(item->props, "deal.status")};

    aim.names_pipeline = aim.pipeline.len > 0;
    aim.names_stage = aim.stage.len > 0;
    if (!aim.status.len) {
        aim.status = text_in(item->current, "deal.status");
    }
    if (!aim.status.len) {
        aim.status = now && now->is_closed ? (now->is_won ? STR("won") : STR("lost")) : STR("open");
    }
    if (!aim.stage.len) {
        aim.stage = text_in(item->current, "deal.stage");
    }
    if (!aim.stage.len && now && !now->is_closed) {
        aim.stage = now->id;
    }
    if (!aim.pipeline.len && !aim.names_stage) {
        aim.pipeline = text_in(item->current, "pipeline");
    }
    return aim;
}

/* The first stage of a pipeline ("": of any) with this outcome. */
static const struct hubspot_stage *first_stage(const struct session *session, struct str pipeline,
                                               struct str status)
{
    bool is_closed = !str_equal(status, STR("open")), is_won = str_equal(status, STR("won"));

    for (size_t i = 0; i < session->pipelines->count; i++) {
        const struct hubspot_stage *stage = &session->pipelines->stages[i];

        if ((!pipeline.len || str_equal(stage->pipeline_id, pipeline)) &&
            stage->is_closed == is_closed && stage->is_won == is_won) {
            return stage;
        }
    }
    return NULL;
}

static const struct hubspot_stage *refuse(struct write_item *item, const char *why,
                                          const char *hint)
{
    item->outcome = WRITE_REFUSED;
    error_set(&item->error, FAIL_RECORD, "%s", why);
    error_hint(&item->error, "%s", hint);
    return NULL;
}

/* NULL after refusing. */
static const struct hubspot_stage *choose(const struct session *session, struct write_item *item)
{
    struct aim aim = aim_of(session, item);
    const struct hubspot_stage *stage = stage_of(session, aim.stage), *first;
    bool is_open = str_equal(aim.status, STR("open"));

    if (!is_open && !str_equal(aim.status, STR("won")) && !str_equal(aim.status, STR("lost"))) {
        return refuse(item, "a deal's status at hubspot is open, won or lost",
                      "see the values of deal.status in the mapping");
    }
    if (aim.names_stage && !stage) {
        return refuse(item, "hubspot has no such deal stage",
                      "compare the values of deal.stage in the mapping with the pipelines there");
    }
    if (is_open && stage && stage->is_closed) {
        return refuse(item, "a closing stage of hubspot stands for a status, not for a stage",
                      "map won and lost by deal.status, and open stages by deal.stage");
    }
    if (is_open && stage && (!aim.pipeline.len || str_equal(stage->pipeline_id, aim.pipeline))) {
        return stage;
    }
    if (is_open && aim.names_stage && aim.names_pipeline) {
        return refuse(item, "the deal's stage does not belong to its pipeline at hubspot",
                      "map each pipeline's stages to stages of the same pipeline there");
    }
    if (!aim.pipeline.len && stage) {
        aim.pipeline = stage->pipeline_id;
    }
    first = first_stage(session, aim.pipeline, aim.status);
    return first ? first
                 : refuse(item, "hubspot's pipeline has no stage for this status of a deal",
                          "look at the pipeline there: it needs open, won and lost stages");
}

/* Whether the stage is that of current: then nothing has to be written for it. */
static bool is_there_already(const struct write_item *item, const struct hubspot_stage *stage)
{
    return str_equal(text_in(item->current, "dealstage"), stage->id) &&
           str_equal(text_in(item->current, "pipeline"), stage->pipeline_id);
}

static void resolve(const struct session *session, struct arena *arena, struct write_item *item)
{
    const struct hubspot_stage *stage = choose(session, item);
    json_t *props;

    if (!stage) {
        return;
    }
    props = jx_own(arena, json_copy(item->props)); /* shallow: values are shared */
    json_object_del(props, "deal.stage");
    json_object_del(props, "deal.status");
    json_object_del(props, "pipeline");
    if (!is_there_already(item, stage)) {
        json_object_set_new(props, "pipeline",
                            json_stringn(stage->pipeline_id.at, stage->pipeline_id.len));
        json_object_set_new(props, "dealstage", json_stringn(stage->id.at, stage->id.len));
    }
    item->props = props;
}

/* A pipeline alone moves the stage too, and a new deal has to have one, unless the mapping writes
 * dealstage itself. source: developers.hubspot.com, deals guide. */
static bool needs_stage(const struct write_item *item)
{
    bool is_create = item->remote_id.len == 0;

    return item->outcome == WRITE_PENDING &&
           (has_stage(item->props) || ((is_create || json_object_get(item->props, "pipeline")) &&
                                       !json_object_get(item->props, "dealstage")));
}

bool hubspot_moves_stage(const struct write_item *item)
{
    struct str pipeline = text_in(item->props, "pipeline"),
               stage = text_in(item->props, "deal.stage"),
               status = text_in(item->props, "deal.status"),
               status_now = text_in(item->current, "deal.status");

    if (!needs_stage(item)) {
        return false;
    }
    status = status.len ? status : status_now;
    return (pipeline.len && !str_equal(pipeline, text_in(item->current, "pipeline"))) ||
           !str_equal(status, status_now) ||
           ((!status.len || str_equal(status, STR("open"))) && stage.len &&
            !str_equal(stage, text_in(item->current, "deal.stage")));
}

bool hubspot_is_stage_part(const struct write_item *item, struct str property)
{
    return str_equal(property, STR("pipeline")) && needs_stage(item);
}

static bool lacks_current(const struct write_item *item)
{
    return item->remote_id.len && needs_stage(item) &&
           !(json_object_get(item->current, "dealstage") &&
             json_object_get(item->current, "pipeline"));
}

size_t hubspot_lacking_stages(const struct write_item *items, size_t count)
{
    size_t lacking = 0;

    for (size_t i = 0; i < count; i++) {
        lacking += lacks_current(&items[i]);
    }
    return lacking;
}

/* Where nobody said what a deal is now it is read: a status alone must not move its pipeline. */
static enum fail read_current(struct session *session, struct arena *arena,
                              struct write_item **items, size_t count, struct error *err)
{
    static const struct str PROPERTIES[] = {{.at = "dealstage", .len = 9},
                                            {.at = "pipeline", .len = 8}};
    struct str *ids = ARENA_ARRAY(arena, struct str, count + 1);
    struct fetch_request fetch = {
        .kind = "deal", .properties = PROPERTIES, .properties_count = 2, .remote_ids = ids};
    struct remote_page page = {0};

    for (size_t i = 0; i < count; i++) {
        if (lacks_current(items[i])) {
            ids[fetch.remote_ids_count++] = items[i]->remote_id;
        }
    }
    if (fetch.remote_ids_count == 0) {
        return OK;
    }
    if (hubspot_fetch_many(session, &fetch, arena, &page, err) != OK) {
        return err->code;
    }
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < page.count && lacks_current(items[i]); k++) {
            json_t *now;

            if (page.records[k].props &&
                str_equal(page.records[k].remote_id, items[i]->remote_id)) {
                now = items[i]->current ? json_copy((json_t *)(uintptr_t)items[i]->current)
                                        : json_object();
                json_object_update_missing(jx_own(arena, now), page.records[k].props);
                items[i]->current = now;
            }
        }
    }
    return OK;
}

enum fail hubspot_resolve_stages(struct session *session, struct arena *arena,
                                 struct write_item **items, size_t count, struct error *err)
{
    if (read_current(session, arena, items, count, err) != OK) {
        return err->code;
    }
    for (size_t i = 0; i < count; i++) {
        struct str stage = text_in(items[i]->props, "deal.stage");

        if (!needs_stage(items[i])) {
            continue;
        }
        if ((!session->pipelines || (stage.len && !stage_of(session, stage))) &&
            hubspot_refresh_stages(session, err) != OK) {
            return err->code;
        }
        resolve(session, arena, items[i]);
    }
    return OK;
}
