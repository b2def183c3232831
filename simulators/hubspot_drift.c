/* POST /__sim/schema: what an administrator changes in the account's settings while a sync runs. Also what HubSpot itself defines can be
 * taken away here, which no administrator could. */
#include "simulators/hubspot_inside.h"

#include "core/jx.h"

static enum fail drift_read(const json_t *order, struct hs_drift *ret, struct error *err)
{
    if (jx_str(order, "property", &ret->property, err) ||
        jx_str(order, "change", &ret->change, err) ||
        jx_str_or(order, "option", STR(""), &ret->option, err) ||
        jx_str_or(order, "label", ret->option, &ret->label, err) ||
        jx_str_or(order, "to", STR(""), &ret->to, err) ||
        jx_str_or(order, "type", STR(""), &ret->type, err)) {
        return err->code;
    }
    return OK;
}

/* --- options --------------------------------------------------------------------------------------- */

static struct hs_option *option_find(struct hs_property *property, struct str value)
{
    for (size_t i = 0; i < property->options_count; i++) {
        if (str_equal(property->options[i].value, value)) {
            return &property->options[i];
        }
    }
    return NULL;
}

static void option_remove(struct hs_property *property, struct hs_option *option)
{
    size_t index = (size_t)(option - property->options);

    memmove(option, option + 1, (property->options_count - index - 1) * sizeof(*option));
    property->options_count--;
}

static void option_add(struct hubspot *hs, struct hs_property *property,
                       const struct hs_drift *drift)
{
    struct hs_option *options =
        ARENA_ARRAY(&hs->arena, struct hs_option, property->options_count + 1);

    if (property->options_count) {
        memcpy(options, property->options, property->options_count * sizeof(*options));
    }
    options[property->options_count++] =
        (struct hs_option){.value = arena_str(&hs->arena, drift->option),
                           .label = arena_str(&hs->arena, drift->label)};
    property->options = options;
}

static enum fail option_change(struct hubspot *hs, struct hs_property *property,
                               const struct hs_drift *drift, struct error *err)
{
    struct hs_option *option = option_find(property, drift->option);
    bool is_new = str_equal(drift->change, STR("add_option"));

    if (is_new == (option != NULL) || property->type != HS_ENUMERATION) {
        return error_set(err, FAIL_RECORD, "this option %s",
                         option ? "exists already" : "does not exist");
    }
    if (is_new) {
        option_add(hs, property, drift);
    } else if (str_equal(drift->change, STR("rename_option"))) {
        option->label = arena_str(&hs->arena, drift->label);
    } else if (str_equal(drift->change, STR("remove_option"))) {
        option_remove(property, option);
    } else {
        return error_set(err, FAIL_RECORD, "only stages can be moved");
    }
    return OK;
}

/* --- properties ------------------------------------------------------------------------------------ */

static enum fail type_change(struct hs_property *property, struct str type, struct error *err)
{
    static const char *const field_types[] = {
        [HS_STRING] = "text",        [HS_NUMBER] = "number", [HS_BOOL] = "booleancheckbox",
        [HS_ENUMERATION] = "select", [HS_DATE] = "date",     [HS_DATETIME] = "date",
    };

    if (!hs_type_parse(type, &property->type)) {
        return error_set(err, FAIL_RECORD, "no property type '%" PRI_STR "'", STR_ARG(type));
    }
    property->field_type = str_of(field_types[property->type]);
    return OK;
}

static enum fail property_change(struct hubspot *hs, struct hs_property *property,
                                 const struct hs_drift *drift, struct error *err)
{
    if (str_equal(drift->change, STR("remove"))) {
        property->flags |= HS_ARCHIVED;
    } else if (str_equal(drift->change, STR("restore"))) {
        property->flags &= ~(unsigned)HS_ARCHIVED;
    } else if (str_equal(drift->change, STR("read_only"))) {
        property->flags |= HS_READ_ONLY;
    } else if (str_equal(drift->change, STR("writable"))) {
        property->flags &= ~(unsigned)(HS_READ_ONLY | HS_CALCULATED);
    } else if (str_equal(drift->change, STR("type"))) {
        return type_change(property, drift->type, err);
    } else if (str_ends(drift->change, STR("_option"))) {
        return option_change(hs, property, drift, err);
    } else {
        return error_set(err, FAIL_RECORD,
                         "change is remove, restore, read_only, writable, type, add_option, "
                         "rename_option, remove_option or move_option");
    }
    return OK;
}

enum fail hs_drift_apply(struct sim_call *call, struct str object, const json_t *order,
                         struct error *err)
{
    struct hubspot *hs = hs_of(call);
    struct hs_kind *kind = hs_kind_find(hs, object);
    struct hs_drift drift;
    long index;

    if (drift_read(order, &drift, err)) {
        return err->code;
    }
    index = kind ? hs_property_find_any(kind, drift.property) : -1;
    if (index < 0) {
        return error_set(err, FAIL_RECORD, "no property '%" PRI_STR "' of '%" PRI_STR "'",
                         STR_ARG(drift.property), STR_ARG(object));
    }
    kind->properties[index].updated_ms = call->now_ms;
    if (str_ends(drift.change, STR("_option")) && hs_pipelines_own(kind, drift.property)) {
        return hs_pipelines_drift(call, kind, &drift, err);
    }
    return property_change(hs, &kind->properties[index], &drift, err);
}
