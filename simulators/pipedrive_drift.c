/* POST /__sim/schema: what an administrator changes in the company's settings while a sync runs. A field is named by its code or as
 * people see it, an option by its id or label; stages are the options of stage_id. */
#include "simulators/pipedrive_inside.h"

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

/* Deleted ones as well, so that they can come back. */
static struct pd_field *field_named(const struct pd_kind *kind, struct str name)
{
    for (size_t i = 0; i < kind->fields_count; i++) {
        if (str_equal(kind->fields[i].code, name) || str_equal(kind->fields[i].name, name)) {
            return &kind->fields[i];
        }
    }
    return NULL;
}

static struct pd_option *option_named(const struct pd_field *field, struct str name)
{
    int64_t id = 0;

    for (size_t i = 0; i < field->options_count; i++) {
        struct pd_option *option = &field->options[i];

        if (!option->is_deleted &&
            (str_equal(option->label, name) || (str_to_i64(name, &id) && option->id == id))) {
            return option;
        }
    }
    return NULL;
}

static enum fail option_change(struct sim_call *call, struct pd_field *field,
                               const struct drift *drift, struct error *err)
{
    struct pd_option *option = option_named(field, drift->option);
    bool is_new = str_equal(drift->change, STR("add_option"));

    if (is_new == (option != NULL) || (field->type != PD_ENUM && field->type != PD_SET)) {
        return error_set(err, FAIL_RECORD, "this option %s",
                         option ? "exists already" : "does not exist");
    }
    if (is_new) {
        pd_option_add(pd_of(call), field, drift->label, call->now_ms);
    } else if (str_equal(drift->change, STR("rename_option"))) {
        option->label = arena_str(&pd_of(call)->arena, drift->label);
        option->updated_ms = call->now_ms;
    } else if (str_equal(drift->change, STR("remove_option"))) {
        option->is_deleted = true;
    } else {
        return error_set(err, FAIL_RECORD, "options are added, renamed and removed");
    }
    return OK;
}

static enum fail type_change(struct pd_field *field, struct str name, struct error *err)
{
    enum pd_type type;

    if (!(field->flags & PD_CUSTOM) || !pd_type_parse(name, &type)) {
        return error_set(err, FAIL_RECORD, "no custom field, or no field type '%" PRI_STR "'",
                         STR_ARG(name));
    }
    field->type = type;
    field->shown_type = pd_type_name(type);
    return OK;
}

/* Stages and pipelines are the options of a deal's stage_id and pipeline_id. */
static enum fail stages_change(struct sim_call *call, const struct drift *drift, struct error *err)
{
    bool is_stage = str_equal(drift->property, STR("stage_id"));
    struct str change = drift->change;

    if (is_stage && str_equal(change, STR("add_option"))) {
        return pd_stage_add(call, drift->label, err);
    }
    if (str_equal(change, STR("rename_option"))) {
        return pd_stage_rename(call, is_stage, drift->option, drift->label, err);
    }
    if (str_equal(change, STR("remove_option"))) {
        return pd_stage_remove(call, is_stage, drift->option, err);
    }
    return error_set(err, FAIL_RECORD,
                     "change is rename_option, remove_option or, of stages, add_option");
}

enum fail pd_drift_apply(struct sim_call *call, struct str object, const json_t *order,
                         struct error *err)
{
    const struct pd_kind *kind = pd_kind_plural(pd_of(call), object);
    struct pd_field *field;
    struct drift drift;

    if (drift_read(order, &drift, err)) {
        return err->code;
    }
    if (kind == pd_deals(pd_of(call)) && (str_equal(drift.property, STR("stage_id")) ||
                                          str_equal(drift.property, STR("pipeline_id")))) {
        return stages_change(call, &drift, err);
    }
    field = kind ? field_named(kind, drift.property) : NULL;
    if (!field) {
        return error_set(err, FAIL_RECORD, "no field '%" PRI_STR "' of '%" PRI_STR "'",
                         STR_ARG(drift.property), STR_ARG(object));
    }
    field->updated_ms = call->now_ms;
    if (str_equal(drift.change, STR("remove"))) {
        field->is_deleted = true;
    } else if (str_equal(drift.change, STR("restore"))) {
        field->is_deleted = false;
    } else if (str_equal(drift.change, STR("type"))) {
        return type_change(field, drift.type, err);
    } else if (str_ends(drift.change, STR("_option"))) {
        return option_change(call, field, &drift, err);
    } else {
        return error_set(err, FAIL_RECORD,
                         "change is remove, restore, type, add_option, rename_option or "
                         "remove_option");
    }
    return OK;
}
