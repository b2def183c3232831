/* Pipelines and their stages, of deals and tickets: what they are, and that a stage belongs to its record's pipeline. */
#include "simulators/hubspot_inside.h"

#include <assert.h>

#include "core/jx.h"

/* --- what a new account has ------------------------------------------------------------------------ */

struct stage_spec {
    const char *id, *label, *meaning;
    bool is_closed;
};

/* Source: the account that the connectors' fixtures show; reference section 12. */
static const struct stage_spec deal_stages[] = {
    {"appointmentscheduled", "Appointment Scheduled", "0.2", false},
    {"qualifiedtobuy", "Qualified To Buy", "0.4", false},
    {"presentationscheduled", "Presentation Scheduled", "0.6", false},
    {"decisionmakerboughtin", "Decision Maker Bought-In", "0.8", false},
    {"contractsent", "Contract Sent", "0.9", false},
    {"closedwon", "Closed Won", "1.0", true},
    {"closedlost", "Closed Lost", "0.0", true},
};
static const struct stage_spec ticket_stages[] = {
    {"1", "New", "OPEN", false},
    {"2", "Waiting on contact", "OPEN", false},
    {"3", "Waiting on us", "OPEN", false},
    {"4", "Closed", "CLOSED", true},
};

struct stage_meaning {
    const char *plural, *pipeline_property, *stage_property;
    const char *member; /* of a stage's metadata */
    const char *open;   /* of a new stage */
};

static const struct stage_meaning meanings[] = {
    {"deals", "pipeline", "dealstage", "probability", "0.5"},
    {"tickets", "hs_pipeline", "hs_pipeline_stage", "ticketState", "OPEN"},
};

static const struct stage_meaning *meaning_of(const struct hs_kind *kind)
{
    for (size_t i = 0; i < COUNT_OF(meanings); i++) {
        if (str_equal(str_of(meanings[i].plural), str_of(kind->spec->plural))) {
            return &meanings[i];
        }
    }
    return NULL;
}

static struct hs_property *property_of(const struct hs_kind *kind, const char *name)
{
    long index = hs_property_find_any(kind, str_of(name));

    assert(index >= 0);
    return &kind->properties[index];
}

/* The options of the two properties are the pipelines and stages, so that values are checked against them. */
static void options_rebuild(struct hubspot *hs, struct hs_kind *kind)
{
    const struct stage_meaning *meaning = meaning_of(kind);
    struct hs_property *pipelines = property_of(kind, meaning->pipeline_property);
    struct hs_property *stages = property_of(kind, meaning->stage_property);
    size_t most = (size_t)HS_PIPELINES_MAX * HS_STAGES_MAX;

    if (!pipelines->options) {
        pipelines->options = ARENA_ARRAY(&hs->arena, struct hs_option, HS_PIPELINES_MAX);
        stages->options = ARENA_ARRAY(&hs->arena, struct hs_option, most);
    }
    pipelines->options_count = stages->options_count = 0;
    for (size_t i = 0; i < hs->pipelines_count; i++) {
        const struct hs_pipeline *pipeline = &hs->pipelines[i];

        if (pipeline->kind != kind) {
            continue;
        }
        pipelines->options[pipelines->options_count++] =
            (struct hs_option){.value = pipeline->id, .label = pipeline->label};
        for (size_t j = 0; j < pipeline->stages_count; j++) {
            stages->options[stages->options_count++] = (struct hs_option){
                .value = pipeline->stages[j].id, .label = pipeline->stages[j].label};
        }
    }
}

static struct hs_pipeline *pipeline_add(struct hubspot *hs, struct hs_kind *kind, struct str id,
                                        struct str label)
{
    struct hs_pipeline *pipeline = &hs->pipelines[hs->pipelines_count++];

    assert(hs->pipelines_count <= HS_PIPELINES_MAX);
    *pipeline = (struct hs_pipeline){
        .kind = kind, .id = arena_str(&hs->arena, id), .label = arena_str(&hs->arena, label)};
    return pipeline;
}

static void pipeline_fill(struct hubspot *hs, const char *plural, const char *id, const char *label,
                          const struct stage_spec *stages, size_t count)
{
    struct hs_kind *kind = hs_kind_find(hs, str_of(plural));
    struct hs_pipeline *pipeline = pipeline_add(hs, kind, str_of(id), str_of(label));

    for (size_t i = 0; i < count; i++) {
        pipeline->stages[pipeline->stages_count++] =
            (struct hs_stage){.id = str_of(stages[i].id),
                              .label = str_of(stages[i].label),
                              .meaning = stages[i].meaning,
                              .is_closed = stages[i].is_closed};
    }
    options_rebuild(hs, kind);
}

void hs_pipelines_init(struct hubspot *hs)
{
    pipeline_fill(hs, "deals", "default", "Sales Pipeline", deal_stages, COUNT_OF(deal_stages));
    pipeline_fill(hs, "tickets", "0", "Support Pipeline", ticket_stages, COUNT_OF(ticket_stages));
}

/* --- finding --------------------------------------------------------------------------------------- */

static struct hs_pipeline *pipeline_find(struct hubspot *hs, const struct hs_kind *kind,
                                         struct str id)
{
    for (size_t i = 0; i < hs->pipelines_count; i++) {
        if (hs->pipelines[i].kind == kind && str_equal(hs->pipelines[i].id, id)) {
            return &hs->pipelines[i];
        }
    }
    return NULL;
}

static struct hs_pipeline *pipeline_first(struct hubspot *hs, const struct hs_kind *kind)
{
    for (size_t i = 0; i < hs->pipelines_count; i++) {
        if (hs->pipelines[i].kind == kind) {
            return &hs->pipelines[i];
        }
    }
    return NULL;
}

static struct hs_stage *stage_find(struct hs_pipeline *pipeline, struct str id)
{
    for (size_t i = 0; i < pipeline->stages_count; i++) {
        if (str_equal(pipeline->stages[i].id, id)) {
            return &pipeline->stages[i];
        }
    }
    return NULL;
}

/* The pipeline that has this stage now. */
static struct hs_pipeline *stage_home(struct hubspot *hs, const struct hs_kind *kind, struct str id)
{
    for (size_t i = 0; i < hs->pipelines_count; i++) {
        if (hs->pipelines[i].kind == kind && stage_find(&hs->pipelines[i], id)) {
            return &hs->pipelines[i];
        }
    }
    return NULL;
}

/* --- writing records ------------------------------------------------------------------------------- */

static const struct hs_setting *setting_of(const struct hs_write *write, size_t property)
{
    for (size_t i = 0; i < write->settings_count; i++) {
        if (write->settings[i].property == property) {
            return &write->settings[i];
        }
    }
    return NULL;
}

static struct str present(const struct hs_record *record, size_t property)
{
    const struct hs_version *version = record ? hs_version_at(record, property, INT64_MAX) : NULL;

    return version ? (struct str){version->text, version->len} : STR("");
}

/* A record without a pipeline that gets a stage is put into the first one. */
static struct str pipeline_default(struct hubspot *hs, const struct hs_kind *kind, size_t property,
                                   struct hs_write *write)
{
    const struct hs_pipeline *first = pipeline_first(hs, kind);

    if (!first) {
        return STR("");
    }
    write->settings[write->settings_count++] =
        (struct hs_setting){.property = property, .text = first->id};
    return first->id;
}

void hs_stage_settle(struct hubspot *hs, const struct hs_kind *kind, const struct hs_record *record,
                     struct arena *arena, struct hs_write *write)
{
    const struct stage_meaning *meaning = meaning_of(kind);
    const struct hs_setting *pipeline_set, *stage_set;
    size_t pipeline_index, stage_index;
    struct hs_pipeline *pipeline;
    struct str pipeline_id, stage_id;

    if (!meaning) {
        return;
    }
    pipeline_index = (size_t)(property_of(kind, meaning->pipeline_property) - kind->properties);
    stage_index = (size_t)(property_of(kind, meaning->stage_property) - kind->properties);
    pipeline_set = setting_of(write, pipeline_index);
    stage_set = setting_of(write, stage_index);
    pipeline_id = pipeline_set ? pipeline_set->text : present(record, pipeline_index);
    stage_id = stage_set ? stage_set->text : present(record, stage_index);
    if ((!pipeline_set && !stage_set) || !stage_id.len) {
        return;
    }
    if (!pipeline_id.len && !pipeline_set) {
        pipeline_id = pipeline_default(hs, kind, pipeline_index, write);
    }
    pipeline = pipeline_find(hs, kind, pipeline_id);
    if (!pipeline || !stage_find(pipeline, stage_id)) {
        write->problems[write->problems_count++] = (struct hs_problem){
            .property = kind->properties[stage_index].name,
            .code = "INVALID_OPTION",
            .message =
                arena_printf(arena, "Stage %" PRI_STR " does not belong to pipeline %" PRI_STR,
                             STR_ARG(stage_id), STR_ARG(pipeline_id))};
    }
}

static void derive(struct hubspot *hs, struct hs_kind *kind, struct hs_record *record,
                   const char *name, const char *text, int64_t now_ms)
{
    long index = hs_property_find(kind, str_of(name));

    if (index >= 0) {
        hs_record_set(hs, kind, record, (size_t)index, str_of(text), &hs_source_calculated, now_ms);
    }
}

void hs_stage_derive(struct hubspot *hs, struct hs_kind *kind, struct hs_record *record,
                     int64_t now_ms)
{
    const struct stage_meaning *meaning = meaning_of(kind);
    struct hs_pipeline *pipeline;
    const struct hs_stage *stage;
    struct str id;

    if (meaning != &meanings[0]) {
        return;
    }
    id = present(record, (size_t)(property_of(kind, meaning->stage_property) - kind->properties));
    pipeline = stage_home(hs, kind, id);
    stage = pipeline ? stage_find(pipeline, id) : NULL;
    if (!stage) {
        return;
    }
    derive(hs, kind, record, "hs_deal_stage_probability", stage->meaning, now_ms);
    derive(hs, kind, record, "hs_is_closed", stage->is_closed ? "true" : "false", now_ms);
    derive(hs, kind, record, "hs_is_closed_won",
           stage->is_closed && str_equal(str_of(stage->meaning), STR("1.0")) ? "true" : "false",
           now_ms);
}

/* --- changing -------------------------------------------------------------------------------------- */

static void stage_remove(struct hs_pipeline *pipeline, struct hs_stage *stage)
{
    size_t index = (size_t)(stage - pipeline->stages);

    memmove(stage, stage + 1, (pipeline->stages_count - index - 1) * sizeof(*stage));
    pipeline->stages_count--;
}

static enum fail pipeline_change(struct sim_call *call, struct hs_kind *kind,
                                 const struct hs_drift *drift, struct error *err)
{
    struct hubspot *hs = hs_of(call);
    struct hs_pipeline *pipeline = pipeline_find(hs, kind, drift->option);
    bool is_new = str_equal(drift->change, STR("add_option"));

    if (is_new == (pipeline != NULL) || (is_new && hs->pipelines_count == HS_PIPELINES_MAX)) {
        return error_set(err, FAIL_RECORD, "this pipeline %s",
                         pipeline ? "exists already" : "does not exist, or there are too many");
    }
    if (is_new) {
        pipeline_add(hs, kind, drift->option, drift->label);
    } else if (str_equal(drift->change, STR("rename_option"))) {
        pipeline->label = arena_str(&hs->arena, drift->label);
    } else if (str_equal(drift->change, STR("remove_option"))) {
        memmove(pipeline, pipeline + 1,
                (size_t)(hs->pipelines + hs->pipelines_count - pipeline - 1) * sizeof(*pipeline));
        hs->pipelines_count--;
    } else {
        return error_set(err, FAIL_RECORD, "a pipeline cannot be changed like that");
    }
    return OK;
}

/* The records of a stage go with it. */
static void stage_records_move(struct sim_call *call, struct hs_kind *kind, struct str stage,
                               struct str pipeline)
{
    const struct stage_meaning *meaning = meaning_of(kind);
    size_t stage_index = (size_t)(property_of(kind, meaning->stage_property) - kind->properties);
    size_t pipeline_index =
        (size_t)(property_of(kind, meaning->pipeline_property) - kind->properties);

    for (size_t i = 0; i < kind->table.count; i++) {
        struct hs_record *record = (struct hs_record *)kind->table.at[i];

        if (!record->is_purged && str_equal(present(record, stage_index), stage)) {
            hs_record_set(hs_of(call), kind, record, pipeline_index, pipeline, &hs_source_person,
                          call->now_ms);
            sim_table_touch(&kind->table, &record->base, call->now_ms);
        }
    }
}

static enum fail stage_change(struct sim_call *call, struct hs_kind *kind,
                              const struct hs_drift *drift, struct error *err)
{
    struct hubspot *hs = hs_of(call);
    struct hs_pipeline *home = stage_home(hs, kind, drift->option);
    struct hs_pipeline *to =
        drift->to.len ? pipeline_find(hs, kind, drift->to) : pipeline_first(hs, kind);
    struct hs_stage *stage = home ? stage_find(home, drift->option) : NULL, kept;
    bool is_new = str_equal(drift->change, STR("add_option"));

    if (!to || is_new == (stage != NULL) || to->stages_count == HS_STAGES_MAX) {
        return error_set(err, FAIL_RECORD, "no such pipeline, or it is full, or %s",
                         stage ? "the stage exists already" : "no such stage");
    }
    if (is_new) {
        to->stages[to->stages_count++] =
            (struct hs_stage){.id = arena_str(&hs->arena, drift->option),
                              .label = arena_str(&hs->arena, drift->label),
                              .meaning = meaning_of(kind)->open};
    } else if (str_equal(drift->change, STR("rename_option"))) {
        stage->label = arena_str(&hs->arena, drift->label);
    } else if (str_equal(drift->change, STR("remove_option"))) {
        stage_remove(home, stage);
    } else if (str_equal(drift->change, STR("move_option"))) {
        kept = *stage;
        stage_remove(home, stage);
        stage_records_move(call, kind, kept.id, to->id);
        to->stages[to->stages_count++] = kept;
    } else {
        return error_set(err, FAIL_RECORD, "a stage cannot be changed like that");
    }
    return OK;
}

bool hs_pipelines_own(const struct hs_kind *kind, struct str property)
{
    const struct stage_meaning *meaning = meaning_of(kind);

    return meaning && (str_equal(property, str_of(meaning->pipeline_property)) ||
                       str_equal(property, str_of(meaning->stage_property)));
}

enum fail hs_pipelines_drift(struct sim_call *call, struct hs_kind *kind,
                             const struct hs_drift *drift, struct error *err)
{
    bool is_stage = str_equal(drift->property, str_of(meaning_of(kind)->stage_property));

    if ((is_stage ? stage_change : pipeline_change)(call, kind, drift, err)) {
        return err->code;
    }
    options_rebuild(hs_of(call), kind);
    return OK;
}

/* --- the endpoint ---------------------------------------------------------------------------------- */

/* The default ones were made in 1970. */
#define TIMES "\"createdAt\":\"1970-01-01T00:00:00Z\",\"updatedAt\":\"1970-01-01T00:00:00Z\""

static void put_stage(struct buf *body, const struct hs_pipeline *pipeline, size_t index)
{
    const struct hs_stage *stage = &pipeline->stages[index];

    sim_put(body, "{\"id\":");
    sim_put_text(body, stage->id);
    sim_put(body, ",\"label\":");
    sim_put_text(body, stage->label);
    buf_addf(body,
             ",\"displayOrder\":%zu,\"metadata\":{\"isClosed\":\"%s\",\"%s\":\"%s\"}," TIMES
             ",\"archived\":false,\"writePermissions\":\"CRM_PERMISSIONS_ENFORCEMENT\"}",
             index, stage->is_closed ? "true" : "false", meaning_of(pipeline->kind)->member,
             stage->meaning);
}

static void put_stages(struct buf *body, const struct hs_pipeline *pipeline)
{
    sim_put(body, "[");
    for (size_t i = 0; i < pipeline->stages_count; i++) {
        sim_put(body, i ? "," : "");
        put_stage(body, pipeline, i);
    }
    sim_put(body, "]");
}

static void put_pipeline(struct buf *body, const struct hs_pipeline *pipeline, size_t order)
{
    sim_put(body, "{\"id\":");
    sim_put_text(body, pipeline->id);
    sim_put(body, ",\"label\":");
    sim_put_text(body, pipeline->label);
    buf_addf(body, ",\"displayOrder\":%zu,\"stages\":", order);
    put_stages(body, pipeline);
    sim_put(body, "," TIMES ",\"archived\":false}");
}

static void pipelines_list(struct sim_call *call, const struct hs_kind *kind)
{
    const struct hubspot *hs = hs_of(call);
    size_t shown = 0;

    sim_put(call->body, "{\"results\":[");
    for (size_t i = 0; i < hs->pipelines_count; i++) {
        if (hs->pipelines[i].kind == kind) {
            sim_put(call->body, shown ? "," : "");
            put_pipeline(call->body, &hs->pipelines[i], shown++);
        }
    }
    sim_put(call->body, "]}");
}

/* …/pipelines/{type}[/{id}[/stages[/{stage}]]] */
void hs_pipelines_serve(struct sim_call *call, const struct hs_route *route)
{
    struct hs_kind *kind = route->count > 2 ? hs_kind_find(hs_of(call), route->at[2]) : NULL;
    struct hs_pipeline *pipeline =
        kind && route->count > 3 ? pipeline_find(hs_of(call), kind, route->at[3]) : NULL;
    struct hs_stage *stage =
        pipeline && route->count > 5 ? stage_find(pipeline, route->at[5]) : NULL;
    bool is_stages = hs_route_is(route, 4, "stages");

    if (call->request->method != HTTP_GET || !kind || !meaning_of(kind)) {
        hs_no_resource(call);
        return;
    }
    if (route->count == 3) {
        pipelines_list(call, kind);
    } else if (pipeline && route->count == 4) {
        put_pipeline(call->body, pipeline, 0);
    } else if (pipeline && is_stages && route->count == 5) {
        sim_put(call->body, "{\"results\":");
        put_stages(call->body, pipeline);
        sim_put(call->body, "}");
    } else if (stage && is_stages && route->count == 6) {
        put_stage(call->body, pipeline, (size_t)(stage - pipeline->stages));
    } else {
        hs_no_resource(call);
        return;
    }
    sim_reply(call, 200);
}
