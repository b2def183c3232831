/* What a read just before a write can leave out. References to other objects cost calls of their own at most CRMs; where none of a batch moved
 * here, none is written, and the last agreement stands in for what would be read. */
#include "sync/pass.h"

#include "sync/send.h"

static bool is_spared(const struct spare *spare, const struct map_entry *entry)
{
    return entry_is_link(entry) && entry->group.len == 0 &&
           !spare->is_wanted[entry - spare->pass->mapping->entries];
}

static enum fail want_moved(struct spare *spare, const struct store_link *link, struct error *err)
{
    const struct mapping *mapping = spare->pass->mapping;
    struct store_record record;
    bool found;

    if (record_by_id(spare->pass->tx, link->record_id, &spare->pass->arena, &record, &found, err) !=
        OK) {
        return err->code;
    }
    for (size_t i = 0; found && i < mapping->entries_count; i++) {
        struct str name = mapping->entries[i].field->name;

        if (!value_equal(fields_get(&record.fields, name), fields_get(&link->base.hub, name))) {
            spare->is_wanted[i] = true;
        }
    }
    return OK;
}

static void choose_properties(struct spare *spare)
{
    const struct mapping *mapping = spare->pass->mapping;

    spare->properties = ARENA_ARRAY(&spare->pass->arena, struct str, mapping->properties_count + 1);
    for (size_t i = 0; i < mapping->properties_count; i++) {
        bool is_needed = false;

        for (size_t k = 0; k < mapping->entries_count && !is_needed; k++) {
            is_needed = str_equal(mapping->entries[k].property, mapping->properties[i]) &&
                        !is_spared(spare, &mapping->entries[k]);
        }
        if (is_needed) {
            spare->properties[spare->properties_count++] = mapping->properties[i];
        }
    }
}

enum fail spare_references(struct pass *pass, const struct store_link *links, size_t count,
                           struct spare *ret, struct error *err)
{
    AUTO_TX struct tx *tx = NULL;
    enum fail failed = OK;

    *ret = (struct spare){.pass = pass,
                          .is_wanted =
                              ARENA_ARRAY(&pass->arena, bool, pass->mapping->entries_count + 1)};
    if (tx_begin(pass->sync->store, pass->sync->tenant_id, &tx, err) != OK) {
        return err->code;
    }
    pass->tx = tx;
    for (size_t i = 0; i < count && failed == OK; i++) {
        failed = want_moved(ret, &links[i], err);
    }
    pass->tx = NULL;
    choose_properties(ret);
    return failed ? failed : tx_commit(&tx, err);
}

void spare_fill(const struct spare *spare, const struct base *base, struct fields *shown)
{
    const struct mapping *mapping = spare->pass->mapping;

    for (size_t i = 0; i < mapping->entries_count; i++) {
        struct str name = mapping->entries[i].field->name;
        const struct value *last = fields_get(&base->remote, name);

        if (is_spared(spare, &mapping->entries[i]) && last->state != VALUE_ABSENT &&
            fields_get(shown, name)->state == VALUE_ABSENT) {
            fields_set(shown, &spare->pass->arena, name, *last);
        }
    }
}
