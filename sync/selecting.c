/* Who takes part at a connection: a person's word about a record, else the filter. A pair passes when either side's present values pass; one that
 * does not rests: neither pulled nor pushed, link and base kept, so that the merge can go on from there. */
#include "store/selection.h"
#include "sync/pass.h"

bool pass_selects(const struct pass *pass)
{
    return pass->filter || pass->has_selection;
}

static bool asks_for(const struct filter_condition *conditions, size_t count, struct str field)
{
    for (size_t i = 0; i < count; i++) {
        if ((conditions[i].field && str_equal(conditions[i].field->name, field)) ||
            asks_for(conditions[i].inner, conditions[i].inner_count, field)) {
            return true;
        }
    }
    return false;
}

/* What the object holds in a frozen field is not known: it decides nothing, so what is new stays out and a pair goes by its record. */
static bool is_blind(const struct pass *pass)
{
    for (size_t i = 0; i < pass->mapping->entries_count; i++) {
        const struct map_entry *entry = &pass->mapping->entries[i];

        if (entry->is_frozen &&
            asks_for(pass->filter->conditions, pass->filter->count, entry->field->name)) {
            return true;
        }
    }
    return false;
}

enum fail pair_takes_part(struct pass *pass, const struct store_record *record,
                          const struct fields *remote, bool *ret, struct error *err)
{
    enum selection_mode mode;
    bool found = false;

    *ret = true;
    if (record && pass->has_selection &&
        selection_find(pass->tx, pass->connection->row.id, record->id, &mode, &found, err) != OK) {
        return err->code;
    }
    if (found) {
        *ret = mode == SELECTION_INCLUDE;
    } else if (pass->filter) {
        *ret = (record && filter_passes(pass->filter, &record->fields)) ||
               (remote && !is_blind(pass) && filter_passes(pass->filter, remote));
    }
    return OK;
}

static void tell(struct pass *pass, enum change_op op, const struct store_link *link,
                 const struct store_record *record)
{
    pass_change(pass, &(const struct change){.op = op,
                                             .connection = pass->settings->name,
                                             .kind = pass->kind->name,
                                             .uuid = record->uuid,
                                             .remote_id = link->remote_id});
}

enum fail rest_link(struct pass *pass, struct store_link *link, const struct store_record *record,
                    const struct fields *remote, struct error *err)
{
    if (!link->is_resting) {
        tell(pass, CHANGE_LEAVE, link, record);
    }
    link->is_resting = true;
    link->synced_version = record->version; /* asked again when the record changes */
    if (remote) {
        link->scan = pass->stream.scan;
        link->has_digest = true; /* and when the object or the filter does */
        link->digest = pass_digest(pass, remote);
        if (link->state == LINK_GONE) {
            link->state = LINK_LIVE;
            link->gone_since_ms = 0;
        }
    }
    return link_update(pass->tx, link, err);
}

void wake_link(struct pass *pass, struct store_link *link, const struct store_record *record)
{
    if (link->is_resting) {
        tell(pass, CHANGE_ENTER, link, record);
        link->is_resting = false;
    }
}
