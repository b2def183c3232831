/* Before a create at a connection whose filter kept objects out: one that was not imported may be the very thing. It is looked up by the
 * strongest key and read, so that the record is linked to it instead of being made a second time. */
#include "sync/pass.h"

/* The rule's field as it stands at the CRM; NULL when there is nothing to look up by. */
static const struct map_entry *key_entry(const struct pass *pass)
{
    const struct match_rule *rule = pass->kind->matches_count ? &pass->kind->matches[0] : NULL;

    return rule && rule->fields_count == 1 && pass->adapter->find
               ? mapping_entry(pass->mapping, rule->fields[0]->name)
               : NULL;
}

static enum fail gather_keys(struct pass *pass, const struct map_entry *entry, const int64_t *ids,
                             size_t count, struct arena *arena, struct str *ret, size_t *ret_count,
                             struct error *err)
{
    for (size_t i = 0; i < count; i++) {
        struct store_record record;
        const struct value *value;
        bool found, takes = false;

        if (record_by_id(pass->tx, ids[i], arena, &record, &found, err) != OK ||
            (found && pair_takes_part(pass, &record, NULL, &takes, err) != OK)) {
            return err->code;
        }
        value = found && takes ? fields_get(&record.fields, entry->field->name) : NULL;
        if (value && value->state == VALUE_TEXT && value->text.len) {
            ret[(*ret_count)++] = value->text;
        }
    }
    return OK;
}

static enum fail gather(struct pass *pass, const struct map_entry *entry, const int64_t *ids,
                        size_t count, struct arena *arena, struct str *ret, size_t *ret_count,
                        struct error *err)
{
    AUTO_TX struct tx *tx = NULL;
    enum fail failed;

    if (tx_begin(pass->sync->store, pass->sync->tenant_id, &tx, err) != OK) {
        return err->code;
    }
    pass->tx = tx;
    failed = gather_keys(pass, entry, ids, count, arena, ret, ret_count, err);
    pass->tx = NULL;
    return failed ? failed : tx_commit(&tx, err);
}

/* At most batch_read_max values. */
static enum fail look_up(struct pass *pass, const struct map_entry *entry, const struct str *values,
                         size_t count, struct error *err)
{
    AUTO_ARENA struct arena arena = {0};
    struct remote_page page = {0};
    struct find_request request = {.kind = pass->kind->name.at,
                                   .property = entry->property.at,
                                   .values = values,
                                   .values_count = count,
                                   .properties = pass->mapping->properties,
                                   .properties_count = pass->mapping->properties_count};
    struct str *found;

    if (pass->adapter->find(pass->connection->session, &request, &arena, &page, err) != OK) {
        return err->code;
    }
    found = ARENA_ARRAY(&arena, struct str, page.count + 1);
    for (size_t i = 0; i < page.count; i++) {
        found[i] = page.records[i].remote_id;
    }
    return page.count ? read_by_id(pass, found, page.count, false, err) : OK;
}

enum fail seek_existing(struct pass *pass, const int64_t *ids, size_t count, struct error *err)
{
    AUTO_ARENA struct arena arena = {0};
    const struct map_entry *entry = key_entry(pass);
    struct str *values = ARENA_ARRAY(&arena, struct str, count + 1);
    size_t values_count = 0, step = pass->adapter->batch_read_max;

    if (!pass_selects(pass) || !entry) {
        return OK;
    }
    if (gather(pass, entry, ids, count, &arena, values, &values_count, err) != OK) {
        return err->code;
    }
    for (size_t from = 0; from < values_count; from += step) {
        size_t batch = values_count - from < step ? values_count - from : step;

        if (look_up(pass, entry, values + from, batch, err) != OK) {
            return err->code;
        }
    }
    return OK;
}
