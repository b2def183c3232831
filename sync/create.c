/* Creating at a CRM what exists only here. The record's id travels as correlation key; an intent is durable before the request; an ambiguous
 * outcome is looked up (settle.c) before anything is sent again. */
#include "sync/send.h"

struct creation {
    struct store_record record;
    struct fields sent;
    struct store_intent intent;
    struct change change; /* as told to the gate */
    size_t item;
};

struct creations {
    struct pass *pass;
    struct creation *at;
    size_t count;
    struct write_item *items;
    size_t items_count;
    size_t left_out; /* takes no part at this connection */
};

static enum fail prepare_create(struct creations *all, int64_t record_id, struct error *err)
{
    struct pass *pass = all->pass;
    struct creation *creation = &all->at[all->count];
    struct reference_resolver resolver = pass_resolver(pass);
    struct map_notes notes = {0};
    json_t *props = NULL;
    struct store_link link;
    bool found, takes, is_linked = false;

    *creation = (struct creation){0};
    if (record_by_id(pass->tx, record_id, &pass->arena, &creation->record, &found, err) != OK) {
        return err->code;
    }
    if (!found || creation->record.state !=
                      RECORD_LIVE) { /* another connection may have brought that meanwhile */
        return OK;
    }
    if (pair_takes_part(pass, &creation->record, NULL, &takes, err) != OK) {
        return err->code;
    }
    if (takes && pass_selects(pass) &&
        link_by_record(pass->tx, pass->connection->row.id, record_id, &pass->arena, &link,
                       &is_linked, err) != OK) {
        return err->code;
    }
    if (!takes || is_linked) {
        all->left_out += !takes;
        return OK;
    }
    map_out(pass->mapping, &creation->record.fields, NULL, 0, NULL, &resolver, &pass->arena, &props,
            &notes);
    if (note_outward(pass, &creation->record, STR(""), &notes, err) != OK) {
        return err->code;
    }
    if (!props || json_object_size(props) == 0) {
        return note_failure(
            pass, STR(""), record_id, "push", "empty", STR(""), creation->record.version,
            "no mapped field of the record has a value, so there is nothing to create",
            "fill in a field, or discard this entry", err);
    }
    for (size_t i = 0; i < creation->record.fields.count; i++) {
        const struct field *field = &creation->record.fields.at[i];
        const struct map_entry *entry = mapping_entry(pass->mapping, field->name);
        struct value value;

        if (entry && pass_flow(pass, entry) != FLOW_IN &&
            sent_value(pass, &notes, field->name, &field->value, &value)) {
            fields_set(&creation->sent, &pass->arena, field->name, value);
        }
    }
    creation->change = create_change(pass, &creation->record, &creation->sent);
    pass_change(pass, &creation->change);
    creation->item = all->items_count;
    all->items[all->items_count++] =
        (struct write_item){.correlation_key = creation->record.uuid, .props = props};
    all->count++;
    return OK;
}

/* The same, whole or not at all. */
static enum fail prepare_gated(struct creations *all, int64_t record_id, struct error *err)
{
    size_t items_count = all->items_count, count = all->count;
    struct gated gated;
    bool allowed;

    if (gated_begin(all->pass, &gated, err) != OK || prepare_create(all, record_id, err) != OK ||
        gated_end(all->pass, &gated, STR(""), &allowed, err) != OK) {
        return err->code;
    }
    if (!allowed) {
        all->items_count = items_count;
        all->count = count;
    }
    return OK;
}

static enum fail claim_create(struct creations *all, struct creation *creation, struct error *err)
{
    struct pass *pass = all->pass;

    creation->intent =
        (struct store_intent){.connection_id = pass->connection->row.id,
                              .kind = pass->kind->name,
                              .op = INTENT_CREATE,
                              .state = INTENT_CLAIMED,
                              .record_id = creation->record.id,
                              .record_version = creation->record.version,
                              .sent = creation->sent,
                              .claimed_ms = pass_now_ms(pass),
                              .settle_at_ms = pass_now_ms(pass) + pass->settings->settle_ms};
    return intent_insert(pass->tx, &creation->intent, err);
}

static enum fail claim_all(struct creations *all, const int64_t *ids, size_t count,
                           struct error *err)
{
    AUTO_TX struct tx *tx = NULL;
    struct pass *pass = all->pass;
    enum fail failed = OK;

    if (tx_begin(pass->sync->store, pass->sync->tenant_id, &tx, err) != OK) {
        return err->code;
    }
    pass->tx = tx;
    for (size_t i = 0; i < count && failed == OK; i++) {
        failed = prepare_gated(all, ids[i], err);
    }
    for (size_t i = 0; i < all->count && failed == OK; i++) {
        failed = claim_create(all, &all->at[i], err);
    }
    pass->tx = NULL;
    return failed ? failed : tx_commit(&tx, err);
}

/* The CRM may have filled in values of its own (a default life-cycle stage): they are an observation like any other. */
static enum fail adopt_defaults(struct creations *all, struct creation *creation,
                                struct store_link *link, const struct fields *shown,
                                struct error *err)
{
    struct pass *pass = all->pass;
    struct store_record record;
    struct gated gated;
    bool found, allowed;

    if (record_by_id(pass->tx, creation->record.id, &pass->arena, &record, &found, err) != OK) {
        return err->code;
    }
    if (gated_begin(pass, &gated, err) != OK ||
        merge_link(pass, link, &record, &all->items[creation->item].returned, shown, NULL, err) !=
            OK) {
        return err->code;
    }
    return gated_end(pass, &gated, link->remote_id, &allowed, err);
}

/* A value that could not travel (its owner is no user there): what the CRM put in its place is nobody's edit and does not come back here. */
static void ignore_substitutes(struct creations *all, const struct creation *creation,
                               const struct fields *shown, struct base *base)
{
    struct pass *pass = all->pass;

    for (size_t i = 0; i < shown->count; i++) {
        struct str name = shown->at[i].name;

        if (!value_is_blank(fields_get(&creation->record.fields, name)) &&
            fields_get(&creation->sent, name)->state == VALUE_ABSENT &&
            fields_get(&base->remote, name)->state == VALUE_ABSENT) {
            fields_set(&base->remote, &pass->arena, name, shown->at[i].value);
        }
    }
}

/* Another connection brought a merge while the create was under way: the object carries our key, and finds its record by it when it is read. */
static enum fail leave_to_reading(struct creations *all, struct creation *creation,
                                  struct error *err)
{
    struct pass *pass = all->pass;
    const struct write_item *item = &all->items[creation->item];

    pass->counts->created_there++;
    if (intent_delete(pass->tx, creation->intent.id, err) != OK ||
        journal_push(pass, &creation->record, item->remote_id,
                     push_changes(pass, &creation->sent, NULL), creation->sent.count, err) != OK) {
        return err->code;
    }
    return dirty_put(pass->tx, pass->connection->row.id, pass->kind->name, item->remote_id, err);
}

static enum fail is_merged_by_now(struct pass *pass, int64_t record_id, bool *ret,
                                  struct error *err)
{
    struct store_record record;
    bool found;

    if (record_by_id(pass->tx, record_id, &pass->arena, &record, &found, err) != OK) {
        return err->code;
    }
    *ret = found && record.state == RECORD_MERGED;
    return OK;
}

static enum fail keep_created(struct creations *all, struct creation *creation, struct error *err)
{
    struct pass *pass = all->pass;
    const struct write_item *item = &all->items[creation->item];
    struct store_link link = {.record_id = creation->record.id,
                              .remote_id = item->remote_id,
                              .state = LINK_LIVE,
                              .last_write_ms = pass_now_ms(pass),
                              .remote_modified_ms = item->returned.modified_ms};
    struct fields shown = {0};

    pass->counts->created_there++;
    pass_arrived(pass, creation->record.updated_ms);
    if (item->returned.props &&
        read_fields(pass, &item->returned, creation->record.id, &shown, err) != OK) {
        return err->code;
    }
    if (settle_base(pass, &link.base, &creation->sent, &item->returned, &shown, err) != OK) {
        return err->code;
    }
    ignore_substitutes(all, creation, &shown, &link.base);
    link.synced_version = is_all_agreed(pass, &link.base, &creation->record.fields)
                              ? creation->intent.record_version
                              : creation->intent.record_version - 1;
    if (intent_delete(pass->tx, creation->intent.id, err) != OK ||
        journal_push(pass, &creation->record, item->remote_id,
                     push_changes(pass, &creation->sent, NULL), creation->sent.count, err) != OK ||
        link_add(pass, &link, err) != OK) {
        return err->code;
    }
    return item->returned.props ? adopt_defaults(all, creation, &link, &shown, err) : OK;
}

/* The CRM says that another object already holds a unique value of ours (an e-mail address). If that object is free it will be matched when it
 * is read; if it is linked to another record, two of our records claim one identity. */
static enum fail keep_existing(struct creations *all, struct creation *creation, struct error *err)
{
    struct pass *pass = all->pass;
    const struct write_item *item = &all->items[creation->item];
    struct store_link theirs;
    bool found;

    if (intent_delete(pass->tx, creation->intent.id, err) != OK ||
        link_by_remote(pass->tx, pass->connection->row.id, pass->kind->name, item->remote_id,
                       &pass->arena, &theirs, &found, err) != OK) {
        return err->code;
    }
    if (!found && dirty_put(pass->tx, pass->connection->row.id, pass->kind->name, item->remote_id,
                            err) != OK) {
        return err->code;
    }
    return note_failure(
        pass, STR(""), creation->record.id, "push", "duplicate", STR(""), creation->record.version,
        found ? "the CRM already holds an object with this unique value, and it belongs to another "
                "record"
              : "the CRM already holds an object with this unique value; it is being looked at",
        "merge the two records' objects at one CRM, or give one another e-mail address", err);
}

static enum fail keep_creation(struct creations *all, struct creation *creation, struct error *err)
{
    const struct write_item *item = &all->items[creation->item];
    bool is_merged = false;

    switch (item->outcome) {
    case WRITE_DONE:
        if (is_merged_by_now(all->pass, creation->record.id, &is_merged, err) != OK) {
            return err->code;
        }
        return is_merged ? leave_to_reading(all, creation, err) : keep_created(all, creation, err);
    case WRITE_EXISTS:
        pass_settled(all->pass, &creation->change, SETTLED_NOT_DONE);
        return keep_existing(all, creation, err);
    case WRITE_PENDING:
    case WRITE_REFUSED:
    case WRITE_UNKNOWN:
        break;
    }
    pass_settled(all->pass, &creation->change, SETTLED_NOT_DONE);
    return keep_not_done(all->pass, &creation->intent, NULL, item->outcome, &item->error, err);
}

static enum fail keep_creations(struct creations *all, struct error *err)
{
    AUTO_TX struct tx *tx = NULL;
    struct pass *pass = all->pass;
    enum fail failed = OK;

    if (tx_begin(pass->sync->store, pass->sync->tenant_id, &tx, err) != OK) {
        return err->code;
    }
    pass->tx = tx;
    for (size_t i = 0; i < all->count && failed == OK; i++) {
        failed = keep_creation(all, &all->at[i], err);
    }
    pass->tx = NULL;
    return failed ? failed : tx_commit(&tx, err);
}

static enum fail create_batch(struct pass *pass, const int64_t *ids, size_t count, bool *ret_any,
                              struct error *err)
{
    AUTO_ARENA struct arena arena = {0};
    struct creations all = {.pass = pass,
                            .at = ARENA_ARRAY(&arena, struct creation, count),
                            .items = ARENA_ARRAY(&arena, struct write_item, count)};
    struct error sent = {0};
    enum fail failed;

    if (seek_existing(pass, ids, count, err) != OK || claim_all(&all, ids, count, err) != OK) {
        return err->code;
    }
    *ret_any = *ret_any || all.items_count > 0 || (!pass->sync->gate && all.left_out < count);
    if (all.items_count == 0) {
        return OK;
    }
    failed = pass->adapter->upsert(pass->connection->session, pass->mapping->kind->name.at, &arena,
                                   all.items, all.items_count, &sent);
    if (keep_creations(&all, err) != OK) {
        return err->code;
    }
    if (failed != OK) {
        *err = sent;
    }
    return failed;
}

static enum fail next_records(struct pass *pass, int64_t after_journal, int64_t after_id,
                              int64_t *ret_ids, size_t limit, size_t *ret_count, struct error *err)
{
    AUTO_TX struct tx *tx = NULL;

    if (tx_begin(pass->sync->store, pass->sync->tenant_id, &tx, err) != OK ||
        records_to_create(tx, pass->connection->row.id, pass->kind->name, pass_now_ms(pass),
                          after_journal, after_id, limit, ret_ids, ret_count, err) != OK) {
        return err->code;
    }
    return tx_commit(&tx, err);
}

enum fail push_creates(struct pass *pass, int64_t after_journal, bool *ret_any, struct error *err)
{
    enum {
        CREATE_BATCH = 2000
    }; /* so many only where the adapter takes them: fewer calls than by hundreds */
    int64_t ids[CREATE_BATCH];
    int64_t after_id = 0, done = 0;
    size_t limit = pass->adapter->batch_write_max < CREATE_BATCH ? pass->adapter->batch_write_max
                                                                 : CREATE_BATCH;

    *ret_any = false;
    for (;;) {
        size_t count;

        if (pass_is_cancelled(pass)) {
            return error_set(err, FAIL_CANCELLED, "asked to stop");
        }
        if (next_records(pass, after_journal, after_id, ids, limit, &count, err) != OK) {
            return err->code;
        }
        if (count == 0) {
            return OK;
        }
        after_id = ids[count - 1];
        if (create_batch(pass, ids, count, ret_any, err) != OK) {
            return err->code;
        }
        pass_page_end(pass);
        done += (int64_t)count;
        pass_progress(pass, "writing", done, -1);
        if (pass_is_over(pass)) {
            return OK;
        }
    }
}
