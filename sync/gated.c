/* Between the engine and the gate: changes are gathered while a part of a transaction is made, then the gate is asked about all of them. */
#include "sync/pass.h"

void pass_change(struct pass *pass, const struct change *change)
{
    if (!pass->sync->gate) {
        return;
    }
    if (pass->changes_count == pass->changes_capacity) {
        size_t capacity = pass->changes_capacity ? 2 * pass->changes_capacity : 8;
        struct change *wider = ARENA_ARRAY(&pass->arena, struct change, capacity);

        if (pass->changes_count) {
            memcpy(wider, pass->changes, pass->changes_count * sizeof *wider);
        }
        pass->changes = wider;
        pass->changes_capacity = capacity;
    }
    pass->changes[pass->changes_count++] = *change;
}

enum fail pass_journal(struct pass *pass, enum change_op op, const struct store_record *record,
                       const struct journal_entry *entry, struct error *err)
{
    struct change change = {.op = op,
                            .connection = pass->settings->name,
                            .kind = pass->kind->name,
                            .remote_id = entry->remote_id,
                            .fields = entry->changes,
                            .fields_count = entry->changes_count};

    if (pass->sync->gate) {
        change.uuid = arena_str(&pass->arena, record->uuid);
        change.record = record->fields;
        pass_change(pass, &change);
    }
    return journal_append(pass->tx, entry, err);
}

enum fail gated_begin(struct pass *pass, struct gated *ret, struct error *err)
{
    *ret = (struct gated){.counts = *pass->counts, .times_wanted_count = pass->times_wanted_count};
    pass->changes_count = 0;
    if (!pass->sync->gate) {
        return OK;
    }
    ret->is_open = true;
    return tx_savepoint(pass->tx, err);
}

enum fail gated_end(struct pass *pass, struct gated *gated, struct str remote_id, bool *ret_allowed,
                    struct error *err)
{
    const struct gate *gate = pass->sync->gate;

    *ret_allowed = true;
    if (!gated->is_open) {
        return OK;
    }
    gated->is_open = false;
    *ret_allowed = pass->changes_count == 0 ||
                   gate->allows(gate->context, pass->changes, pass->changes_count, remote_id);
    pass->changes_count = 0;
    if (tx_savepoint_end(pass->tx, *ret_allowed, err) != OK) {
        return err->code;
    }
    if (*ret_allowed) {
        return OK;
    }
    *pass->counts = gated->counts;
    pass->times_wanted_count = gated->times_wanted_count;
    return remote_id.len
               ? dirty_put(pass->tx, pass->connection->row.id, pass->kind->name, remote_id, err)
               : OK;
}

void pass_settled(struct pass *pass, const struct change *change, enum settled what)
{
    const struct gate *gate = pass->sync->gate;

    if (gate && gate->settled) {
        gate->settled(gate->context, change, what);
    }
}

void pass_found_out(struct pass *pass, struct str uuid, bool is_done)
{
    const struct gate *gate = pass->sync->gate;

    if (gate && gate->found_out) {
        gate->found_out(gate->context, pass->settings->name, pass->kind->name, uuid, is_done);
    }
}

bool pass_is_put_off(const struct pass *pass, struct str remote_id)
{
    const struct gate *gate = pass->sync->gate;

    return gate && gate->is_put_off &&
           gate->is_put_off(gate->context, pass->settings->name, pass->kind->name, remote_id);
}

enum fail observe_gated(struct pass *pass, const struct remote_record *remote, int64_t began_ms,
                        struct error *err)
{
    struct gated gated;
    bool allowed;

    if (gated_begin(pass, &gated, err) != OK || observe(pass, remote, began_ms, err) != OK) {
        return err->code;
    }
    return gated_end(pass, &gated, remote->remote_id, &allowed, err);
}
