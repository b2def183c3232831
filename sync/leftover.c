/* Leftovers: two objects were merged at one CRM, and so their records here, while another CRM still has both. There the second one stays as it is
 * and is shown to a person, until it is merged or deleted there as well. */
#include "sync/pass.h"

enum { LEFTOVERS_MAX = 1000 };

enum fail leftover_put(struct pass *pass, const struct store_link *link, struct error *err)
{
    struct store_failure failure = {
        .connection_id = link->connection_id,
        .kind = link->kind,
        .remote_id = link->remote_id,
        .record_id = link->record_id,
        .stage = STR("merge"),
        .reason = STR("merged-elsewhere"),
        .message = STR("its record was merged into another one at another CRM, while here both "
                       "objects exist"),
        .hint =
            STR("merge the two objects at this CRM as well, or discard this entry to keep both"),
        .first_ms = pass_now_ms(pass),
        .last_ms = pass_now_ms(pass),
        .retry_at_ms = INT64_MAX};

    pass->counts->set_aside++;
    pass->has_failures = true;
    return failure_put(pass->tx, &failure, err);
}

enum fail leftover_end(struct pass *pass, struct str remote_id, struct error *err)
{
    if (!pass->has_failures) {
        return OK;
    }
    return failure_clear(pass->tx, pass->connection->row.id, pass->kind->name, remote_id, 0,
                         STR("merge"), STR("*"), err);
}

/* Not every CRM says that an object has gone: those that a person was shown are asked about. */
enum fail leftovers_check(struct pass *pass, struct error *err)
{
    AUTO_TX struct tx *tx = NULL;
    struct store_failure *failures;
    struct str *ids;
    size_t count;

    if (!pass->has_failures) {
        return OK;
    }
    if (tx_begin(pass->sync->store, pass->sync->tenant_id, &tx, err) != OK ||
        failures_of_stage(tx, pass->connection->row.id, pass->kind->name, STR("merge"),
                          LEFTOVERS_MAX, &pass->stream_arena, &failures, &count, err) != OK ||
        tx_commit(&tx, err) != OK) {
        return err->code;
    }
    ids = ARENA_ARRAY(&pass->stream_arena, struct str, count + 1);
    for (size_t i = 0; i < count; i++) {
        ids[i] = failures[i].remote_id;
    }
    return read_by_id(pass, ids, count, false, err);
}
