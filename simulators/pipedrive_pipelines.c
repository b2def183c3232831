/* Pipelines and stages of v2. A new company has one pipeline with five stages. */
#include "simulators/pipedrive_inside.h"

#include <inttypes.h>

#include "core/alloc.h"
#include "core/jx.h"

enum { NAME_CHARS_MAX = 255, PIPELINES_MAX = 1000 };

/* --- the account's -------------------------------------------------------------------------- */

static struct pd_pipeline *pipeline_add(struct pipedrive *pd, struct str name, int64_t now_ms)
{
    struct pd_pipeline *pipeline;

    pd->pipelines = alloc_resize(pd->pipelines, pd->pipelines_count + 1, sizeof(*pipeline));
    pipeline = &pd->pipelines[pd->pipelines_count++];
    *pipeline = (struct pd_pipeline){.id = (int64_t)pd->pipelines_count,
                                     .name = arena_str(&pd->arena, name),
                                     .is_probability_enabled = true,
                                     .created_ms = now_ms,
                                     .updated_ms = now_ms};
    return pipeline;
}

static int64_t order_next(const struct pipedrive *pd, int64_t pipeline_id)
{
    int64_t order = 1;

    for (size_t i = 0; i < pd->stages_count; i++) {
        const struct pd_stage *stage = &pd->stages[i];

        if (stage->pipeline_id == pipeline_id && stage->order >= order) {
            order = stage->order + 1;
        }
    }
    return order;
}

static struct pd_stage *stage_add(struct pipedrive *pd, int64_t pipeline_id, struct str name,
                                  int64_t now_ms)
{
    int64_t order = order_next(pd, pipeline_id);
    struct pd_stage *stage;

    pd->stages = alloc_resize(pd->stages, pd->stages_count + 1, sizeof(*stage));
    stage = &pd->stages[pd->stages_count++];
    *stage = (struct pd_stage){.id = (int64_t)pd->stages_count,
                               .pipeline_id = pipeline_id,
                               .order = order,
                               .probability = 100,
                               .name = arena_str(&pd->arena, name),
                               .created_ms = now_ms,
                               .updated_ms = now_ms};
    return stage;
}

void pd_pipelines_init(struct pipedrive *pd)
{
    static const char *const stages[] = {"Qualified", "Contact Made", "Demo Scheduled",
                                         "Proposal Made", "Negotiations Started"};

    /* Recorded live in 2026-05: the first pipeline was never updated. */
    pipeline_add(pd, STR("Pipeline"), pd->created_ms)->updated_ms = 0;
    for (size_t i = 0; i < COUNT_OF(stages); i++) {
        stage_add(pd, 1, str_of(stages[i]), pd->created_ms);
    }
}

void pd_pipelines_fini(struct pipedrive *pd)
{
    free(pd->pipelines);
    free(pd->stages);
}

static struct pd_pipeline *pipeline_at(const struct pipedrive *pd, int64_t id)
{
    struct pd_pipeline *pipeline =
        id >= 1 && (size_t)id <= pd->pipelines_count ? &pd->pipelines[id - 1] : NULL;

    return pipeline && !pipeline->is_deleted ? pipeline : NULL;
}

/* A stage of a deleted pipeline is gone, too. */
static struct pd_stage *stage_at(const struct pipedrive *pd, int64_t id)
{
    struct pd_stage *stage = id >= 1 && (size_t)id <= pd->stages_count ? &pd->stages[id - 1] : NULL;

    return stage && !stage->is_deleted && pipeline_at(pd, stage->pipeline_id) ? stage : NULL;
}

const struct pd_pipeline *pd_pipeline_find(const struct pipedrive *pd, int64_t id)
{
    return pipeline_at(pd, id);
}

const struct pd_stage *pd_stage_find(const struct pipedrive *pd, int64_t id)
{
    return stage_at(pd, id);
}

const struct pd_pipeline *pd_pipeline_first(const struct pipedrive *pd)
{
    const struct pd_pipeline *first = NULL;

    for (int64_t id = 1; id <= (int64_t)pd->pipelines_count && !first; id++) {
        first = pipeline_at(pd, id);
    }
    return first;
}

const struct pd_stage *pd_stage_first(const struct pipedrive *pd, int64_t pipeline_id)
{
    const struct pd_stage *first = NULL;

    for (int64_t id = 1; id <= (int64_t)pd->stages_count; id++) {
        const struct pd_stage *stage = stage_at(pd, id);

        if (stage && stage->pipeline_id == pipeline_id && (!first || stage->order < first->order)) {
            first = stage;
        }
    }
    return first;
}

struct str pd_stage_name(const struct pipedrive *pd, int64_t id)
{
    return id >= 1 && (size_t)id <= pd->stages_count ? pd->stages[id - 1].name : STR_NONE;
}

/* --- showing -------------------------------------------------------------------------------- */

static void put_times(struct buf *body, int64_t created_ms, int64_t updated_ms)
{
    sim_put(body, ",\"add_time\":");
    pd_put_time(body, created_ms);
    sim_put(body, ",\"update_time\":");
    if (updated_ms) {
        pd_put_time(body, updated_ms);
    } else {
        sim_put(body, "null");
    }
    sim_put(body, "}");
}

static void put_pipeline(struct buf *body, const struct pd_pipeline *pipeline)
{
    buf_addf(body, "{\"id\":%" PRId64 ",\"name\":", pipeline->id);
    sim_put_text(body, pipeline->name);
    buf_addf(body, ",\"order_nr\":%" PRId64 ",\"is_deleted\":%s,\"is_deal_probability_enabled\":%s",
             pipeline->id, pipeline->is_deleted ? "true" : "false",
             pipeline->is_probability_enabled ? "true" : "false");
    put_times(body, pipeline->created_ms, pipeline->updated_ms);
}

static void put_stage(struct buf *body, const struct pd_stage *stage)
{
    buf_addf(body, "{\"id\":%" PRId64 ",\"order_nr\":%" PRId64 ",\"name\":", stage->id,
             stage->order);
    sim_put_text(body, stage->name);
    buf_addf(body,
             ",\"is_deleted\":%s,\"deal_probability\":%" PRId64 ",\"pipeline_id\":%" PRId64
             ",\"is_deal_rot_enabled\":%s,\"days_to_rotten\":",
             stage->is_deleted ? "true" : "false", stage->probability, stage->pipeline_id,
             stage->is_rot_enabled ? "true" : "false");
    if (stage->rotten_days) {
        sim_put_i64(body, stage->rotten_days);
    } else {
        sim_put(body, "null");
    }
    put_times(body, stage->created_ms, stage->updated_ms);
}

static void reply_pipeline(struct sim_call *call, const struct pd_pipeline *pipeline)
{
    sim_put(call->body, "{\"success\":true,\"data\":");
    put_pipeline(call->body, pipeline);
    sim_put(call->body, "}");
    sim_reply(call, 200);
}

static void reply_stage(struct sim_call *call, const struct pd_stage *stage)
{
    sim_put(call->body, "{\"success\":true,\"data\":");
    put_stage(call->body, stage);
    sim_put(call->body, "}");
    sim_reply(call, 200);
}

/* --- listing -------------------------------------------------------------------------------- */

enum { BY_ID, BY_UPDATE, BY_ADD, BY_ORDER };

struct row {
    int64_t id, key;
};

struct listing {
    struct row *rows;
    size_t count;
    size_t sort_by;
    bool is_descending;
    int64_t limit, offset;
};

static int by_key(const void *x, const void *y)
{
    const struct row *left = x, *right = y;

    if (left->key != right->key) {
        return left->key < right->key ? -1 : 1;
    }
    return left->id < right->id ? -1 : left->id > right->id;
}

static bool listing_read(struct sim_call *call, size_t sorts, size_t most, struct listing *ret)
{
    static const char *const names[] = {"id", "update_time", "add_time", "order_nr"};
    struct str by = sim_query(call, "sort_by"), direction = sim_query(call, "sort_direction");
    struct str cursor = sim_query(call, "cursor");

    *ret = (struct listing){.rows = arena_alloc(call->arena, most + 1, sizeof(struct row))};
    while (by.at && ret->sort_by < sorts && !str_equal(by, str_of(names[ret->sort_by]))) {
        ret->sort_by++;
    }
    ret->is_descending = str_equal(direction, STR("desc"));
    if (ret->sort_by == sorts ||
        (direction.at && !ret->is_descending && !str_equal(direction, STR("asc")))) {
        pd_invalid(call, "Parameters 'sort_by' or 'sort_direction' have an unknown value");
        return false;
    }
    if (cursor.at &&
        (!pd_whole(jx_get(pd_cursor_read(call->arena, cursor), "offset"), &ret->offset) ||
         ret->offset < 0)) {
        pd_invalid(call, "Parameter 'cursor' is not valid for this request");
        return false;
    }
    return pd_query_limit(call, PD_LIST_MAX, &ret->limit);
}

static void rows_sort(struct listing *listing)
{
    qsort(listing->rows, listing->count, sizeof(listing->rows[0]), by_key);
    for (size_t i = 0; listing->is_descending && i < listing->count / 2; i++) {
        struct row row = listing->rows[i];

        listing->rows[i] = listing->rows[listing->count - 1 - i];
        listing->rows[listing->count - 1 - i] = row;
    }
}

static void listing_end(struct sim_call *call, const struct listing *listing, int64_t end)
{
    json_t *cursor = jx_own(call->arena, json_object());
    struct str next = STR_NONE;

    if (end < (int64_t)listing->count) {
        json_object_set_new(cursor, "offset", json_integer(end));
        next = pd_cursor_write(call->arena, cursor);
    }
    sim_put(call->body, "]");
    pd_put_next_cursor(call, next);
    sim_put(call->body, "}");
    sim_reply(call, 200);
}

static int64_t listing_end_of(const struct listing *listing)
{
    int64_t end = listing->offset + listing->limit, count = (int64_t)listing->count;

    return end < count ? end : count;
}

void pd_pipelines_serve(struct sim_call *call, const struct pd_target *at)
{
    const struct pipedrive *pd = pd_of(call);
    struct listing listing;

    (void)at;
    if (!listing_read(call, BY_ORDER, pd->pipelines_count, &listing)) {
        return;
    }
    for (int64_t id = 1; id <= (int64_t)pd->pipelines_count; id++) {
        const struct pd_pipeline *pipeline = pipeline_at(pd, id);
        int64_t keys[] = {id, pipeline ? pipeline->updated_ms : 0,
                          pipeline ? pipeline->created_ms : 0};

        if (pipeline) {
            listing.rows[listing.count++] = (struct row){id, keys[listing.sort_by]};
        }
    }
    rows_sort(&listing);
    sim_put(call->body, "{\"success\":true,\"data\":[");
    for (int64_t i = listing.offset; i < listing_end_of(&listing); i++) {
        sim_put(call->body, i > listing.offset ? "," : "");
        put_pipeline(call->body, pipeline_at(pd, listing.rows[i].id));
    }
    listing_end(call, &listing, listing_end_of(&listing));
}

static int64_t stage_key(const struct pd_stage *stage, size_t sort_by)
{
    int64_t keys[] = {stage->id, stage->updated_ms, stage->created_ms, stage->order};

    return keys[sort_by];
}

void pd_stages_serve(struct sim_call *call, const struct pd_target *at)
{
    const struct pipedrive *pd = pd_of(call);
    struct listing listing;
    int64_t pipeline_id;

    (void)at;
    if (!listing_read(call, BY_ORDER + 1, pd->stages_count, &listing)) {
        return;
    }
    if (!sim_query_i64(call, "pipeline_id", 0, &pipeline_id)) {
        pd_invalid(call, "Parameter 'pipeline_id' has to be an integer");
        return;
    }
    for (int64_t id = 1; id <= (int64_t)pd->stages_count; id++) {
        const struct pd_stage *stage = stage_at(pd, id);

        if (stage && (pipeline_id == 0 || stage->pipeline_id == pipeline_id)) {
            listing.rows[listing.count++] = (struct row){id, stage_key(stage, listing.sort_by)};
        }
    }
    rows_sort(&listing);
    sim_put(call->body, "{\"success\":true,\"data\":[");
    for (int64_t i = listing.offset; i < listing_end_of(&listing); i++) {
        sim_put(call->body, i > listing.offset ? "," : "");
        put_stage(call->body, stage_at(pd, listing.rows[i].id));
    }
    listing_end(call, &listing, listing_end_of(&listing));
}

/* --- one ------------------------------------------------------------------------------------ */

static struct pd_pipeline *pipeline_of_path(struct sim_call *call, const struct pd_target *at)
{
    struct pd_pipeline *pipeline = NULL;
    int64_t id;

    if (pd_id_read(call, at->last, &id)) {
        pipeline = pipeline_at(pd_of(call), id);
        if (!pipeline) {
            pd_not_found(call);
        }
    }
    return pipeline;
}

static struct pd_stage *stage_of_path(struct sim_call *call, const struct pd_target *at)
{
    struct pd_stage *stage = NULL;
    int64_t id;

    if (pd_id_read(call, at->last, &id)) {
        stage = stage_at(pd_of(call), id);
        if (!stage) {
            pd_not_found(call);
        }
    }
    return stage;
}

void pd_pipeline_get_serve(struct sim_call *call, const struct pd_target *at)
{
    const struct pd_pipeline *pipeline = pipeline_of_path(call, at);

    if (pipeline) {
        reply_pipeline(call, pipeline);
    }
}

void pd_stage_get_serve(struct sim_call *call, const struct pd_target *at)
{
    const struct pd_stage *stage = stage_of_path(call, at);

    if (stage) {
        reply_stage(call, stage);
    }
}

/* --- writing -------------------------------------------------------------------------------- */

/* A member that a body may have: its name, and whether this value can be written there. */
static bool member_is_valid(struct sim_call *call, const char *name, const json_t *value)
{
    struct str text = jx_text_of(value);
    int64_t number = 0;

    if (strcmp(name, "name") == 0) {
        return !str_is_empty(str_trim(text)) && text.len <= NAME_CHARS_MAX;
    }
    if (strcmp(name, "is_deal_probability_enabled") == 0 ||
        strcmp(name, "is_deal_rot_enabled") == 0) {
        return json_is_boolean(value);
    }
    if (strcmp(name, "days_to_rotten") == 0 && json_is_null(value)) {
        return true;
    }
    return pd_whole(value, &number) && number >= 0 &&
           (strcmp(name, "pipeline_id") != 0 || pipeline_at(pd_of(call), number)) &&
           (strcmp(name, "deal_probability") != 0 || number <= 100);
}

static bool body_read(struct sim_call *call, const char *const *names, size_t count, json_t **ret)
{
    const char *name;
    json_t *value;

    if (!sim_json(call, ret) || !json_is_object(*ret)) {
        pd_invalid(call, "Validation failed: the body has to be a JSON object");
        return false;
    }
    json_object_foreach(*ret, name, value)
    {
        size_t i = 0;

        while (i < count && strcmp(name, names[i]) != 0) {
            i++;
        }
        if (i == count || !member_is_valid(call, name, value)) {
            pd_invalid(call, "Validation failed: '%.60s' is not allowed or has a wrong value",
                       name);
            return false;
        }
    }
    return true;
}

static bool pipeline_body_read(struct sim_call *call, json_t **ret)
{
    static const char *const names[] = {"name", "is_deal_probability_enabled"};

    return body_read(call, names, COUNT_OF(names), ret);
}

static bool stage_body_read(struct sim_call *call, json_t **ret)
{
    static const char *const names[] = {"name", "pipeline_id", "deal_probability",
                                        "is_deal_rot_enabled", "days_to_rotten"};

    return body_read(call, names, COUNT_OF(names), ret);
}

/* A write that changes nothing does not move update_time. Recorded live in 2026-05. */
static void pipeline_change(struct sim_call *call, struct pd_pipeline *pipeline, const json_t *body)
{
    struct pd_pipeline former = *pipeline;
    const json_t *name = jx_get(body, "name");
    const json_t *is_enabled = jx_get(body, "is_deal_probability_enabled");

    if (name) {
        pipeline->name = arena_str(&pd_of(call)->arena, jx_text_of(name));
    }
    if (is_enabled) {
        pipeline->is_probability_enabled = json_is_true(is_enabled);
    }
    if (!str_equal(former.name, pipeline->name) ||
        former.is_probability_enabled != pipeline->is_probability_enabled) {
        pipeline->updated_ms = call->now_ms;
    }
}

static void stage_change(struct sim_call *call, struct pd_stage *stage, const json_t *body)
{
    const json_t *name = jx_get(body, "name"), *is_rot = jx_get(body, "is_deal_rot_enabled");

    if (name) {
        stage->name = arena_str(&pd_of(call)->arena, jx_text_of(name));
    }
    if (is_rot) {
        stage->is_rot_enabled = json_is_true(is_rot);
    }
    pd_whole(jx_get(body, "pipeline_id"), &stage->pipeline_id);
    pd_whole(jx_get(body, "deal_probability"), &stage->probability);
    if (!pd_whole(jx_get(body, "days_to_rotten"), &stage->rotten_days) &&
        jx_get(body, "days_to_rotten")) {
        stage->rotten_days = 0;
    }
}

/* Changing one stage touches all of its pipeline. Recorded live in 2026-05. */
static void stages_touch(struct sim_call *call, int64_t pipeline_id)
{
    struct pipedrive *pd = pd_of(call);

    for (size_t i = 0; i < pd->stages_count; i++) {
        if (pd->stages[i].pipeline_id == pipeline_id) {
            pd->stages[i].updated_ms = call->now_ms;
        }
    }
}

void pd_pipeline_create_serve(struct sim_call *call, const struct pd_target *at)
{
    struct pd_pipeline *pipeline;
    json_t *body;

    (void)at;
    if (!pipeline_body_read(call, &body)) {
        return;
    }
    if (!jx_get(body, "name") || pd_of(call)->pipelines_count >= PIPELINES_MAX) {
        pd_invalid(call, "Validation failed: 'name' is required");
        return;
    }
    pipeline = pipeline_add(pd_of(call), jx_text_of(jx_get(body, "name")), call->now_ms);
    pipeline_change(call, pipeline, body);
    sim_wrote(call, "create", "pipelines", pipeline->id, body);
    reply_pipeline(call, pipeline);
}

void pd_pipeline_update_serve(struct sim_call *call, const struct pd_target *at)
{
    struct pd_pipeline *pipeline = pipeline_of_path(call, at);
    json_t *body;

    if (pipeline && pipeline_body_read(call, &body)) {
        pipeline_change(call, pipeline, body);
        sim_wrote(call, "update", "pipelines", pipeline->id, body);
        reply_pipeline(call, pipeline);
    }
}

void pd_pipeline_delete_serve(struct sim_call *call, const struct pd_target *at)
{
    struct pd_pipeline *pipeline = pipeline_of_path(call, at);

    if (pipeline) {
        pipeline->is_deleted = true;
        sim_wrote(call, "delete", "pipelines", pipeline->id, NULL);
        pd_reply_id(call, 200, pipeline->id);
    }
}

void pd_stage_create_serve(struct sim_call *call, const struct pd_target *at)
{
    struct pd_stage *stage;
    int64_t pipeline_id;
    json_t *body;

    (void)at;
    if (!stage_body_read(call, &body)) {
        return;
    }
    if (!jx_get(body, "name") || !pd_whole(jx_get(body, "pipeline_id"), &pipeline_id)) {
        pd_invalid(call, "Validation failed: 'name' and 'pipeline_id' are required");
        return;
    }
    stage = stage_add(pd_of(call), pipeline_id, jx_text_of(jx_get(body, "name")), call->now_ms);
    stage_change(call, stage, body);
    stages_touch(call, pipeline_id);
    sim_wrote(call, "create", "stages", stage->id, body);
    reply_stage(call, stage);
}

void pd_stage_update_serve(struct sim_call *call, const struct pd_target *at)
{
    struct pd_stage *stage = stage_of_path(call, at);
    json_t *body;

    if (stage && stage_body_read(call, &body)) {
        stage_change(call, stage, body);
        stages_touch(call, stage->pipeline_id);
        sim_wrote(call, "update", "stages", stage->id, body);
        reply_stage(call, stage);
    }
}

void pd_stage_delete_serve(struct sim_call *call, const struct pd_target *at)
{
    struct pd_stage *stage = stage_of_path(call, at);

    if (stage) {
        stage->is_deleted = true;
        stages_touch(call, stage->pipeline_id);
        sim_wrote(call, "delete", "stages", stage->id, NULL);
        pd_reply_id(call, 200, stage->id);
    }
}

/* --- without the API ------------------------------------------------------------------------ */

static bool is_meant(struct str which, int64_t id, struct str name)
{
    int64_t number;

    return str_equal(which, name) || (str_to_i64(which, &number) && number == id);
}

static struct pd_stage *stage_meant(struct pipedrive *pd, struct str which)
{
    for (int64_t id = 1; id <= (int64_t)pd->stages_count; id++) {
        struct pd_stage *stage = stage_at(pd, id);

        if (stage && is_meant(which, id, stage->name)) {
            return stage;
        }
    }
    return NULL;
}

static struct pd_pipeline *pipeline_meant(struct pipedrive *pd, struct str which)
{
    for (int64_t id = 1; id <= (int64_t)pd->pipelines_count; id++) {
        struct pd_pipeline *pipeline = pipeline_at(pd, id);

        if (pipeline && is_meant(which, id, pipeline->name)) {
            return pipeline;
        }
    }
    return NULL;
}

/* Both NULL: there is none of this name. */
static enum fail either_meant(struct pipedrive *pd, bool is_stage, struct str which,
                              struct pd_stage **ret_stage, struct pd_pipeline **ret_pipeline,
                              struct error *err)
{
    *ret_stage = is_stage ? stage_meant(pd, which) : NULL;
    *ret_pipeline = is_stage ? NULL : pipeline_meant(pd, which);
    return *ret_stage || *ret_pipeline ? OK
                                       : error_set(err, FAIL_RECORD, "no %s '%" PRI_STR "'",
                                                   is_stage ? "stage" : "pipeline", STR_ARG(which));
}

enum fail pd_stage_add(struct sim_call *call, struct str name, struct error *err)
{
    const struct pd_pipeline *first = pd_pipeline_first(pd_of(call));

    if (!first || str_is_empty(name)) {
        return error_set(err, FAIL_RECORD, "no pipeline, or no name for the stage");
    }
    stage_add(pd_of(call), first->id, name, call->now_ms);
    stages_touch(call, first->id);
    return OK;
}

enum fail pd_stage_rename(struct sim_call *call, bool is_stage, struct str which, struct str name,
                          struct error *err)
{
    struct pipedrive *pd = pd_of(call);
    struct pd_pipeline *pipeline;
    struct pd_stage *stage;

    if (either_meant(pd, is_stage, which, &stage, &pipeline, err)) {
        return err->code;
    }
    *(stage ? &stage->name : &pipeline->name) = arena_str(&pd->arena, name);
    if (stage) {
        stages_touch(call, stage->pipeline_id);
    } else {
        pipeline->updated_ms = call->now_ms;
    }
    return OK;
}

enum fail pd_stage_remove(struct sim_call *call, bool is_stage, struct str which, struct error *err)
{
    struct pd_pipeline *pipeline;
    struct pd_stage *stage;

    if (either_meant(pd_of(call), is_stage, which, &stage, &pipeline, err)) {
        return err->code;
    }
    *(stage ? &stage->is_deleted : &pipeline->is_deleted) = true;
    return OK;
}
