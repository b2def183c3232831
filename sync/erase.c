#include "sync/erase.h"

#include <stdio.h>

#include "store/audit.h"
#include "store/ledger.h"
#include "store/link.h"

/* --- what must not come back --------------------------------------------------------------------------------- */

static enum fail suppress_keys(const struct sync *sync, struct tx *tx, int64_t erasure_id,
                               const struct store_record *record, struct arena *arena,
                               struct error *err)
{
    const struct kind *kind = kind_by_name(sync->settings->kinds, record->kind);
    struct str *keys = ARENA_ARRAY(arena, struct str, kind ? kind->matches_count + 1 : 1);

    if (kind) {
        kind_match_keys(kind, &record->fields, arena, keys);
    }
    for (size_t i = 0; kind && i < kind->matches_count; i++) {
        struct suppression suppression;

        if (keys[i].len &&
            (suppression_of_key(tx, record->kind, keys[i], &suppression, err) != OK ||
             suppression_put(tx, erasure_id, &suppression, err) != OK)) {
            return err->code;
        }
    }
    return OK;
}

/* The record and all that went into it. */
static enum fail suppress_all(const struct sync *sync, struct tx *tx, int64_t erasure_id,
                              int64_t record_id, struct arena *arena, struct error *err)
{
    int64_t *ids;
    size_t count;

    if (erase_whom(tx, record_id, arena, &ids, &count, err) != OK) {
        return err->code;
    }
    for (size_t i = 0; i < count; i++) {
        struct store_record record;
        bool found;

        if (record_by_id(tx, ids[i], arena, &record, &found, err) != OK ||
            suppress_keys(sync, tx, erasure_id, &record, arena, err) != OK ||
            suppress_objects(tx, erasure_id, ids[i], err) != OK) {
            return err->code;
        }
    }
    return OK;
}

static enum fail note(struct tx *tx, const char *action, const struct erasure *erasure,
                      struct arena *arena, struct error *err)
{
    const struct audit_detail details[] = {
        {"erasure", arena_printf(arena, "%lld", (long long)erasure->id)},
        {"at_crms", erasure->at_crms ? STR("yes") : STR("no")},
        {0}};
    const struct audit_note entry = {.action = action,
                                     .subject = arena_printf(arena, "%" PRI_STR " %" PRI_STR,
                                                             STR_ARG(erasure->kind),
                                                             STR_ARG(erasure->record_uuid)),
                                     .details = details};

    return audit_put(tx, &entry, err);
}

/* The ledger beside the store is written inside the transaction: it may know an order that the store does not, never the other way round. */
static enum fail order(const struct sync *sync, const struct store_record *record,
                       const char *store_path, struct erasure *erasure, struct error *err)
{
    AUTO_ARENA struct arena arena = {0};
    AUTO_TX struct tx *tx = NULL;

    if (tx_begin(sync->store, sync->tenant_id, &tx, err) != OK ||
        erasure_begin(tx, erasure, err) != OK ||
        suppress_all(sync, tx, erasure->id, record->id, &arena, err) != OK ||
        note(tx, "person.erasure-ordered", erasure, &arena, err) != OK ||
        ledger_append(tx, store_path, erasure, err) != OK) {
        return err->code;
    }
    return tx_commit(&tx, err);
}

/* --- at the CRMs --------------------------------------------------------------------------------------------- */

static enum fail list_links(const struct sync *sync, int64_t record_id, struct arena *arena,
                            struct store_link **ret, size_t *ret_count, struct error *err)
{
    AUTO_TX struct tx *tx = NULL;
    int64_t *ids;
    size_t ids_count;

    *ret = ARENA_ARRAY(arena, struct store_link, ERASE_PLACES_MAX);
    *ret_count = 0;
    if (tx_begin(sync->store, sync->tenant_id, &tx, err) != OK ||
        erase_whom(tx, record_id, arena, &ids, &ids_count, err) != OK) {
        return err->code;
    }
    for (size_t i = 0; i < ids_count; i++) {
        struct store_link *links;
        size_t count;

        if (links_of_record(tx, ids[i], arena, &links, &count, err) != OK) {
            return err->code;
        }
        for (size_t k = 0; k < count && *ret_count < ERASE_PLACES_MAX; k++) {
            (*ret)[(*ret_count)++] = links[k];
        }
    }
    return tx_commit(&tx, err);
}

static enum fail find_connection(const struct sync *sync, int64_t id, struct sync_connection **ret,
                                 struct error *err)
{
    for (size_t i = 0; i < sync->connections_count; i++) {
        if (sync->connections[i].row.id == id && sync->connections[i].session) {
            *ret = &sync->connections[i];
            return OK;
        }
    }
    error_set(err, FAIL_CONFIG, "a connection that holds an object of the record is not there");
    return error_hint(err, "'crmsync doctor' says what is wrong with it; then 'crmsync erase "
                           "--resume'. Without --at-crms the record is erased here alone");
}

static enum fail erase_object(struct sync_connection *connection, const struct store_link *link,
                              struct erase_place *place, struct error *err)
{
    AUTO_ARENA struct arena arena = {0};
    const struct adapter *adapter = connection->settings->adapter;
    const char *kind = arena_cstr(&arena, link->kind);
    struct remove_item item = {.remote_id = link->remote_id};

    snprintf(place->connection, sizeof place->connection, "%" PRI_STR,
             STR_ARG(connection->settings->name));
    place->bin_days = adapter->bin_days;
    if (adapter->erase &&
        adapter->erase(connection->session, kind, link->remote_id, &place->is_final, err) != OK) {
        return err->code;
    }
    if (place->is_final) {
        return OK;
    }
    if (adapter->remove(connection->session, kind, &item, 1, err) != OK) {
        return err->code;
    }
    if (item.outcome != WRITE_DONE) {
        *err = item.error;
        return err->code ? err->code
                         : error_set(err, FAIL_RETRY, "it is not known whether the object is gone");
    }
    return OK;
}

static enum fail erase_there(const struct sync *sync, int64_t record_id,
                             struct erase_receipt *receipt, struct error *err)
{
    AUTO_ARENA struct arena arena = {0};
    struct store_link *links;
    size_t count;

    if (list_links(sync, record_id, &arena, &links, &count, err) != OK) {
        return err->code;
    }
    for (size_t i = 0; i < count; i++) {
        struct sync_connection *connection;

        if (find_connection(sync, links[i].connection_id, &connection, err) != OK) {
            return err->code;
        }
        if (erase_object(connection, &links[i], &receipt->places[receipt->places_count], err) !=
            OK) {
            error_wrap(err, "erasing at '%" PRI_STR "'", STR_ARG(connection->settings->name));
            return error_hint(err, "the order stands: 'crmsync erase --resume' goes on");
        }
        receipt->places_count++;
    }
    return OK;
}

/* --- here ---------------------------------------------------------------------------------------------------- */

static enum fail erase_here(const struct sync *sync, const struct erasure *erasure,
                            int64_t record_id, struct erase_receipt *receipt, struct error *err)
{
    AUTO_ARENA struct arena arena = {0};
    AUTO_TX struct tx *tx = NULL;

    if (tx_begin(sync->store, sync->tenant_id, &tx, err) != OK ||
        erase_record(tx, erasure->id, record_id, &receipt->here, err) != OK ||
        erasure_done(tx, erasure->id, err) != OK ||
        note(tx, "person.erased", erasure, &arena, err) != OK || tx_commit(&tx, err) != OK) {
        return err->code;
    }
    return store_wipe_log(sync->store, &receipt->is_log_wiped, err);
}

static enum fail carry_out(const struct sync *sync, const struct erasure *erasure,
                           int64_t record_id, struct erase_receipt *receipt, struct error *err)
{
    receipt->erasure_id = erasure->id;
    if (erasure->at_crms && erase_there(sync, record_id, receipt, err) != OK) {
        return err->code;
    }
    return erase_here(sync, erasure, record_id, receipt, err);
}

enum fail erase_rehearse(const struct sync *sync, const struct store_record *record,
                         struct erase_receipt *ret, struct error *err)
{
    AUTO_TX struct tx *tx = NULL;
    struct erasure erasure = {.kind = record->kind, .record_uuid = record->uuid};

    *ret = (struct erase_receipt){0};
    if (tx_begin(sync->store, sync->tenant_id, &tx, err) != OK ||
        erasure_begin(tx, &erasure, err) != OK) {
        return err->code;
    }
    return erase_record(tx, erasure.id, record->id, &ret->here, err); /* and rolled back */
}

enum fail erase_person(const struct sync *sync, const struct store_record *record, bool at_crms,
                       const char *store_path, struct erase_receipt *ret, struct error *err)
{
    struct erasure erasure = {
        .kind = record->kind, .record_uuid = record->uuid, .at_crms = at_crms};

    *ret = (struct erase_receipt){0};
    if (order(sync, record, store_path, &erasure, err) != OK) {
        return err->code;
    }
    return carry_out(sync, &erasure, record->id, ret, err);
}

static enum fail list_orders(const struct sync *sync, struct arena *arena, struct erasure **ret,
                             size_t *ret_count, struct error *err)
{
    AUTO_TX struct tx *tx = NULL;

    if (tx_begin(sync->store, sync->tenant_id, &tx, err) != OK ||
        erasure_list(tx, arena, ret, ret_count, err) != OK) {
        return err->code;
    }
    return tx_commit(&tx, err);
}

static enum fail resume_one(const struct sync *sync, const struct erasure *erasure,
                            struct error *err)
{
    AUTO_ARENA struct arena arena = {0};
    AUTO_TX struct tx *tx = NULL;
    struct erase_receipt receipt = {0};
    struct store_record record;
    bool found;

    if (tx_begin(sync->store, sync->tenant_id, &tx, err) != OK ||
        record_by_uuid(tx, erasure->record_uuid, &arena, &record, &found, err) != OK) {
        return err->code;
    }
    if (!found) {
        return erasure_done(tx, erasure->id, err) != OK ? err->code : tx_commit(&tx, err);
    }
    tx_abort(&tx);
    return carry_out(sync, erasure, record.id, &receipt, err);
}

enum fail erase_resume(const struct sync *sync, int64_t *ret_done, struct error *err)
{
    AUTO_ARENA struct arena arena = {0};
    struct erasure *orders;
    size_t count;

    *ret_done = 0;
    if (list_orders(sync, &arena, &orders, &count, err) != OK) {
        return err->code;
    }
    for (size_t i = count; i-- > 0;) { /* oldest first */
        if (orders[i].state != ERASURE_OPEN) {
            continue;
        }
        if (resume_one(sync, &orders[i], err) != OK) {
            return err->code;
        }
        (*ret_done)++;
    }
    return OK;
}
