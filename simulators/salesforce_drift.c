/* POST /__sim/schema: what an administrator changes in the org's settings while a sync runs. The options of StageName are the stages. */
#include "simulators/salesforce_inside.h"

#include "core/jx.h"

struct drift {
    struct str property, change, option, label, type;
};

static enum fail drift_read(const json_t *order, struct drift *ret, struct error *err)
{
    if (jx_str(order, "property", &ret->property, err) ||
        jx_str(order, "change", &ret->change, err) ||
        jx_str_or(order, "option", STR(""), &ret->option, err) ||
        jx_str_or(order, "label", ret->option, &ret->label, err) ||
        jx_str_or(order, "type", STR(""), &ret->type, err)) {
        return err->code;
    }
    return OK;
}

/* --- options ----------------------------------------------------------------------------------- */

static void option_add(struct salesforce *sf, struct sf_field *field, const struct drift *drift)
{
    struct sf_option *options = ARENA_ARRAY(&sf->arena, struct sf_option, field->options_count + 1);

    for (size_t i = 0; i < field->options_count; i++) {
        options[i] = field->options[i];
    }
    options[field->options_count++] =
        (struct sf_option){.value = arena_str(&sf->arena, drift->option),
                           .label = arena_str(&sf->arena, drift->label),
                           .is_active = true};
    field->options = options;
}

/* A stage more, an open one. */
static void stage_add(struct sim_call *call, const struct drift *drift)
{
    struct salesforce *sf = sf_of(call);
    struct sf_unit unit = {
        .sf = sf, .arena = call->arena, .now_ms = call->now_ms / 1000 * 1000, .is_lenient = true};
    json_t *fields = jx_own(
        call->arena,
        json_pack("{s:s,s:s,s:b,s:i,s:s,s:s,s:i}", "MasterLabel",
                  arena_cstr(call->arena, drift->label), "ApiName",
                  arena_cstr(call->arena, drift->option), "IsActive", 1, "SortOrder",
                  (int)sf->objects[SF_OPPORTUNITY_STAGE]->table.count + 1, "ForecastCategory",
                  "Pipeline", "ForecastCategoryName", "Pipeline", "DefaultProbability", 10));
    struct sf_error refusal;

    unit.session.user = sf->person;
    if (!sf_create(&unit, sf->objects[SF_OPPORTUNITY_STAGE], fields, &refusal)) {
        abort(); /* the content is ours */
    }
}

static void stage_name(struct salesforce *sf, const struct drift *drift, bool is_gone)
{
    const struct sim_table *table = &sf->objects[SF_OPPORTUNITY_STAGE]->table;

    for (size_t i = 0; i < table->count; i++) {
        struct sf_record *stage = (struct sf_record *)table->at[i];

        if (str_equal(sf_get_named(stage, "ApiName"), drift->option)) {
            sf_record_set_named(stage, "IsActive", is_gone ? STR("false") : STR("true"));
            sf_record_set_named(stage, "MasterLabel", drift->label);
        }
    }
}

static enum fail option_change(struct sim_call *call, struct sf_field *field,
                               const struct drift *drift, struct error *err)
{
    struct salesforce *sf = sf_of(call);
    struct sf_option *option = sf_option_find(field, drift->option);
    bool is_new = str_equal(drift->change, STR("add_option"));
    bool is_stage =
        field->object == sf->objects[SF_OPPORTUNITY] && str_equal(field->name, STR("StageName"));

    if (is_new == (option && option->is_active) ||
        (field->type != SF_PICKLIST && field->type != SF_MULTIPICKLIST)) {
        return error_set(err, FAIL_RECORD, "this option %s",
                         option ? "exists already" : "does not exist");
    }
    if (is_new && option) {
        option->is_active = true;
    } else if (is_new) {
        option_add(sf, field, drift);
        if (is_stage) {
            stage_add(call, drift);
        }
    } else if (str_equal(drift->change, STR("rename_option"))) {
        option->label = arena_str(&sf->arena, drift->label);
    } else if (str_equal(drift->change, STR("remove_option"))) {
        option->is_active = false;
    } else {
        return error_set(err, FAIL_RECORD, "options are added, renamed and removed");
    }
    if (is_stage) {
        stage_name(sf, drift, str_equal(drift->change, STR("remove_option")));
    }
    return OK;
}

/* --- fields ------------------------------------------------------------------------------------ */

static enum fail type_change(struct sf_field *field, struct str name, struct error *err)
{
    for (int type = 0; type < SF_TYPES; type++) {
        if (field->flags & SF_CUSTOM && str_equal(str_of(sf_type_name((enum sf_type)type)), name)) {
            field->type = (enum sf_type)type;
            return OK;
        }
    }
    return error_set(err, FAIL_RECORD, "no custom field, or no field type '%" PRI_STR "'",
                     STR_ARG(name));
}

static enum fail field_change(struct sim_call *call, struct sf_field *field,
                              const struct drift *drift, struct error *err)
{
    static const struct {
        const char *change;
        unsigned set, clear;
    } rows[] = {{"remove", SF_DROPPED, 0},
                {"restore", 0, SF_DROPPED},
                {"read_only", SF_FROZEN, 0},
                {"writable", 0, SF_FROZEN}};

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (str_equal(drift->change, str_of(rows[i].change))) {
            field->flags = (field->flags | rows[i].set) & ~rows[i].clear;
            return OK;
        }
    }
    if (str_equal(drift->change, STR("type"))) {
        return type_change(field, drift->type, err);
    }
    if (str_ends(drift->change, STR("_option"))) {
        return option_change(call, field, drift, err);
    }
    return error_set(err, FAIL_RECORD,
                     "change is remove, restore, read_only, writable, type, add_option, "
                     "rename_option or remove_option");
}

enum fail sf_drift_apply(struct sim_call *call, struct str name, const json_t *order,
                         struct error *err)
{
    struct sf_object *object = sf_object_find(sf_of(call), name);
    struct sf_field *field;
    struct drift drift;

    if (drift_read(order, &drift, err)) {
        return err->code;
    }
    field = object ? sf_field_find_any(object, drift.property) : NULL;
    if (!field) {
        return error_set(err, FAIL_RECORD, "no field '%" PRI_STR "' of '%" PRI_STR "'",
                         STR_ARG(drift.property), STR_ARG(name));
    }
    if (field_change(call, field, &drift, err)) {
        return err->code;
    }
    object->described_ms = call->now_ms;
    return OK;
}
