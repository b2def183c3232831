/* The recycle bin: what goes with a deleted record and comes back with it; merging. Sources: SOAP guide "delete", "undelete", "merge";
 * object reference for what cascades. */
#include "simulators/salesforce_inside.h"

/* Called for every live record that refers to this one. */
typedef void each_child_fn(struct sf_unit *unit, struct sf_record *child,
                           const struct sf_field *field, void *context);

/* The index changes while children are handled, so that they are gathered first. */
static void each_child(struct sf_unit *unit, const struct sf_record *parent, each_child_fn *act,
                       void *context)
{
    const struct salesforce *sf = unit->sf;
    struct str id = sf_record_id_str(unit->arena, parent);

    for (size_t i = 0; i < sf->objects_count; i++) {
        const struct sf_object *object = sf->objects[i];

        for (size_t j = 0; j < object->fields_count; j++) {
            const struct sf_field *field = object->fields[j];
            struct sf_record *child;
            struct sf_record **found;
            void *place = NULL;
            size_t count = 0, capacity = 0;

            if (!field->lookup || field->type != SF_REFERENCE) {
                continue;
            }
            while (sf_index_next(field->lookup, id, &place)) {
                capacity++;
            }
            found = ARENA_ARRAY(unit->arena, struct sf_record *, capacity + 1);
            for (place = NULL; (child = sf_index_next(field->lookup, id, &place));) {
                char scratch[SF_SCRATCH_BYTES];

                if (sf_record_is_live(child) && str_equal(sf_get(child, field, scratch), id)) {
                    found[count++] = child;
                }
            }
            for (size_t k = 0; k < count; k++) {
                act(unit, found[k], field, context);
            }
        }
    }
}

/* --- deleting ---------------------------------------------------------------------------------- */

static void throw_away(struct sf_unit *unit, struct sf_record *record, int64_t group,
                       const json_t *sent)
{
    sf_unit_keep(unit, record, false);
    record->base.archived_ms = unit->now_ms;
    record->bin_group = group;
    sf_record_touch(record, unit->now_ms, unit->session.user);
    sf_unit_changed(unit, &(struct sf_change){.kind = SF_DELETED, .record = record}, sent);
}

/* An activity stays as long as it is about somebody or something else. */
static bool is_about_more(const struct sf_record *child, const struct sf_field *field)
{
    if (!(field->flags & SF_POLYMORPHIC)) {
        return false;
    }
    return sf_get_named(child, str_equal(field->name, STR("WhoId")) ? "WhatId" : "WhoId").at;
}

static void cascade(struct sf_unit *unit, struct sf_record *child, const struct sf_field *field,
                    void *context)
{
    if (!sf_record_is_live(child) || !(field->flags & SF_CASCADES) || is_about_more(child, field)) {
        return; /* what refers to a deleted record shows the reference until the bin is emptied */
    }
    throw_away(unit, child, *(const int64_t *)context, NULL);
    each_child(unit, child, cascade, context);
}

bool sf_delete(struct sf_unit *unit, struct sf_record *record, struct sf_error *err)
{
    int64_t group = unit->sf->next_bin_group++;
    bool may = unit->is_lenient || record->object->flags & SF_CAN_DELETE;

    if (unit->session.is_read_only || !may || !sf_features_may_delete(unit, record)) {
        return sf_refuse_save(err, "INSUFFICIENT_ACCESS_OR_READONLY", STR(""),
                              STR("insufficient access rights on object id"));
    }
    if (unit->sf->quirks & SF_READ_ONLY_LOCK && unit->call && !unit->is_person &&
        record->object == unit->sf->objects[SF_OPPORTUNITY] && sf_get_flag(record, "IsClosed")) {
        return sf_refuse_save(err, "ENTITY_IS_LOCKED", STR(""),
                              STR("the entity is locked for editing"));
    }
    throw_away(unit, record, group, json_null());
    each_child(unit, record, cascade, &group);
    return true;
}

/* --- undeleting -------------------------------------------------------------------------------- */

static void take_back(struct sf_unit *unit, struct sf_record *record)
{
    sf_unit_keep(unit, record, false);
    record->base.archived_ms = 0;
    record->base.merged_into = 0;
    record->bin_group = 0;
    sf_record_touch(record, unit->now_ms, unit->session.user);
    sf_unit_changed(unit, &(struct sf_change){.kind = SF_UNDELETED, .record = record}, json_null());
}

static bool check_unique(struct sf_unit *unit, const struct sf_record *record, struct sf_error *err)
{
    char scratch[SF_SCRATCH_BYTES];

    for (size_t i = 0; i < record->object->fields_count; i++) {
        const struct sf_field *field = record->object->fields[i];
        struct str text = field->flags & SF_UNIQUE ? sf_get(record, field, scratch) : STR_NONE;

        if (text.at && sf_holder(field, text, record)) {
            return sf_refuse_save(err, "DUPLICATE_VALUE", STR(""),
                                  arena_printf(unit->arena, "duplicate value found: %" PRI_STR,
                                               STR_ARG(field->name)));
        }
    }
    return true;
}

bool sf_undelete(struct sf_unit *unit, struct sf_record *record, struct sf_error *err)
{
    int64_t group = record->bin_group;

    if (!record->base.archived_ms || !sf_record_is_kept(record, unit->now_ms) ||
        !(record->object->flags & SF_CAN_UNDELETE)) {
        return sf_refuse_save(err, "UNDELETE_FAILED", STR(""),
                              STR("Entity is not in the recycle bin"));
    }
    if (!check_unique(unit, record, err)) {
        return false;
    }
    take_back(unit, record);
    for (size_t i = 0; i < unit->sf->objects_count; i++) {
        const struct sim_table *table = &unit->sf->objects[i]->table;

        for (size_t j = 0; j < table->count; j++) {
            struct sf_record *other = (struct sf_record *)table->at[j];

            if (other->bin_group == group && !other->is_purged &&
                other->object->flags & SF_CAN_UNDELETE && check_unique(unit, other, err)) {
                take_back(unit, other);
            }
        }
    }
    return true;
}

void sf_empty(struct sf_unit *unit, struct sf_record *record)
{
    (void)unit; /* nobody is told */
    sf_record_purge(record);
}

/* --- merging ----------------------------------------------------------------------------------- */

static struct sf_record *role_of(struct sf_unit *unit, const struct sf_record *like,
                                 struct str contact)
{
    const struct sf_field *field = sf_field_find_any(like->object, STR("ContactId"));
    struct str opportunity = sf_get_named(like, "OpportunityId");
    struct sf_record *role;
    void *place = NULL;

    (void)unit;
    while ((role = sf_index_next(field->lookup, contact, &place))) {
        if (role != like && sf_record_is_live(role) &&
            str_equal(sf_get_named(role, "ContactId"), contact) &&
            str_equal(sf_get_named(role, "OpportunityId"), opportunity)) {
            return role;
        }
    }
    return NULL;
}

/* Re-parenting is the system's change: only SystemModstamp moves. Two roles of the survivor in one opportunity become one. */
static void hand_over(struct sf_unit *unit, struct sf_record *child, const struct sf_field *field,
                      void *context)
{
    const struct sf_record *master = context;
    struct str id = sf_record_id_str(unit->arena, master);
    struct sf_field *changed = child->object->fields[field->index];

    if (child == master) {
        sf_unit_keep(unit, child, false);
        sf_record_set(child, field, STR_NONE);
        return;
    }
    if (child->object == unit->sf->objects[SF_CONTACT_ROLE] &&
        master->object == unit->sf->objects[SF_CONTACT] && role_of(unit, child, id)) {
        throw_away(unit, child, unit->sf->next_bin_group++, NULL);
        return;
    }
    sf_unit_keep(unit, child, false);
    sf_record_set(child, field, id);
    sf_record_touch_system(child, unit->now_ms);
    sf_unit_changed(unit,
                    &(struct sf_change){
                        .kind = SF_UPDATED, .record = child, .fields = &changed, .fields_count = 1},
                    NULL);
}

static bool check_merge(struct sf_unit *unit, const struct sf_record *master,
                        struct sf_record *const *losers, size_t count, struct sf_error *err)
{
    if (unit->session.is_read_only || !(master->object->flags & SF_CAN_MERGE)) {
        return sf_refuse_save(err, "INSUFFICIENT_ACCESS_OR_READONLY", STR(""),
                              arena_printf(unit->arena, "entity type cannot be merged: %" PRI_STR,
                                           STR_ARG(master->object->name)));
    }
    for (size_t i = 0; i < count; i++) {
        if (losers[i] == master || losers[i]->object != master->object) {
            return sf_refuse_save(err, "INVALID_CROSS_REFERENCE_KEY", STR(""),
                                  STR("a record is merged with others of its own type only"));
        }
    }
    return true;
}

bool sf_merge(struct sf_unit *unit, struct sf_record *master, struct sf_record *const *losers,
              size_t count, struct sf_error *err)
{
    if (!check_merge(unit, master, losers, count, err)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        each_child(unit, losers[i], hand_over, master);
        throw_away(unit, losers[i], unit->sf->next_bin_group++, json_null());
        losers[i]->base.merged_into = master->base.id;
    }
    sf_unit_keep(unit, master, false);
    sf_record_touch(master, unit->now_ms, unit->session.user);
    sf_unit_changed(unit, &(struct sf_change){.kind = SF_UPDATED, .record = master}, json_null());
    return true;
}
