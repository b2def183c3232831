/* Creating at a CRM what exists only here. The record's id travels as correlation key; an intent is durable before the request; an ambiguous
 * outcome is looked up (settle.c) before anything is sent again. */
#include "sync/send.h"

enum {
    /* Claimed and kept in one transaction each, and what is in memory unpacked. */
    PAGE = 500,
    /* Of packed records: a batch ends there, however many more the CRM would take. */
    BATCH_BYTES_MAX = 12 * 1024 * 1024
};

/* One create from its claim to its result: thousands are held at a time, so the rest is read again when its result is kept. */
struct creation {
    int64_t record_id, record_version;
    int64_t intent_id, claimed_ms;
    struct str sent; /* hub values in the request, as JSON */
};

struct creations {
    struct pass *pass;
    struct arena *arena; /* of the batch; the pass's is the page's */
    struct creation *at;
    struct create_item *items; /* one for each */
    size_t count;
    size_t left_out; /* takes no part at this connection */
};

/* What a create is made of. */
struct made {
    struct store_record record;
    struct fields sent;
    json_t *props; /* NULL: there is nothing to create */
};

/* --- claiming ----------------------------------------------------------------------------------------------------------------- */

static struct fields fields_sent(struct pass *pass, const struct store_record *record,
                                 const struct map_notes *notes)
{
    struct fields sent = {0};

    for (size_t i = 0; i < record->fields.count; i++) {
        const struct field *field = &record->fields.at[i];
        const struct map_entry *entry = mapping_entry(pass->mapping, field->name);
        struct value value;

        if (entry && pass_flow(pass, entry) != FLOW_IN &&
            sent_value(pass, notes, field->name, &field->value, &value)) {
            fields_set(&sent, &pass->arena, field->name, value);
        }
    }
    return sent;
}

static enum fail make(struct pass *pass, struct made *made, struct error *err)
{
    struct reference_resolver resolver = pass_resolver(pass);
    const struct store_record *record = &made->record;
    struct map_notes notes = {0};
    struct change change;
    json_t *props = NULL;

    map_out(pass->mapping, &record->fields, NULL, 0, NULL, &resolver, &pass->arena, &props, &notes);
    if (note_outward(pass, record, STR(""), &notes, err) != OK) {
        return err->code;
    }
    if (!props || json_object_size(props) == 0) {
        return note_failure(
            pass, STR(""), record->id, "push", "empty", STR(""), record->version,
            "no mapped field of the record has a value, so there is nothing to create",
            "fill in a field, or discard this entry", err);
    }
    made->sent = fields_sent(pass, record, &notes);
    made->props = props;
    change = create_change(pass, record, &made->sent);
    pass_change(pass, &change);
    return OK;
}

static enum fail prepare_create(struct creations *all, int64_t record_id, struct made *made,
                                struct error *err)
{
    struct pass *pass = all->pass;
    struct store_link link;
    bool found, takes, is_linked = false;

    if (record_by_id(pass->tx, record_id, &pass->arena, &made->record, &found, err) != OK) {
        return err->code;
    }
    if (!found || made->record.state !=
                      RECORD_LIVE) { /* another connection may have brought that meanwhile */
        return OK;
    }
    if (pair_takes_part(pass, &made->record, NULL, &takes, err) != OK) {
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
    return make(pass, made, err);
}

static struct store_intent intent_of(const struct pass *pass, const struct creation *creation)
{
    return (struct store_intent){.id = creation->intent_id,
                                 .connection_id = pass->connection->row.id,
                                 .kind = pass->kind->name,
                                 .op = INTENT_CREATE,
                                 .state = INTENT_CLAIMED,
                                 .record_id = creation->record_id,
                                 .record_version = creation->record_version,
                                 .claimed_ms = creation->claimed_ms,
                                 .settle_at_ms = creation->claimed_ms + pass->settings->settle_ms};
}

static enum fail claim_create(struct creations *all, const struct made *made, struct error *err)
{
    struct pass *pass = all->pass;
    struct creation *creation = &all->at[all->count];
    struct store_intent intent;

    *creation = (struct creation){.record_id = made->record.id,
                                  .record_version = made->record.version,
                                  .claimed_ms = pass_now_ms(pass),
                                  .sent = fields_to_json(all->arena, &made->sent)};
    intent = intent_of(pass, creation);
    intent.sent = made->sent;
    if (intent_insert(pass->tx, &intent, err) != OK) {
        return err->code;
    }
    creation->intent_id = intent.id;
    all->items[all->count++] =
        (struct create_item){.correlation_key = arena_str(all->arena, made->record.uuid),
                             .props = adapter_pack(all->arena, made->props)};
    return OK;
}

/* Prepared whole or not at all, as the gate says. */
static enum fail claim_gated(struct creations *all, int64_t record_id, struct error *err)
{
    struct made made = {0};
    struct gated gated;
    bool allowed;

    if (gated_begin(all->pass, &gated, err) != OK ||
        prepare_create(all, record_id, &made, err) != OK ||
        gated_end(all->pass, &gated, STR(""), &allowed, err) != OK) {
        return err->code;
    }
    return allowed && made.props ? claim_create(all, &made, err) : OK;
}

static enum fail claim_page(struct creations *all, const int64_t *ids, size_t count,
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
        failed = claim_gated(all, ids[i], err);
    }
    pass->tx = NULL;
    failed = failed ? failed : tx_commit(&tx, err);
    pass_page_end(pass);
    return failed;
}

/* *ret_count: of how many ids; the batch may be full before. */
static enum fail claim_all(struct creations *all, const int64_t *ids, size_t count,
                           size_t *ret_count, struct error *err)
{
    size_t done = 0;

    while (done < count && all->arena->used_bytes < BATCH_BYTES_MAX) {
        size_t page = count - done < PAGE ? count - done : PAGE;

        if (claim_page(all, ids + done, page, err) != OK) {
            return err->code;
        }
        done += page;
    }
    *ret_count = done;
    return OK;
}

/* --- results ------------------------------------------------------------------------------------------------------------------ */

/* One result while it is kept: what the claim left on the disk or packed. */
struct result {
    const struct creation *creation;
    const struct create_item *item;
    struct remote_record returned;
    struct made made; /* without props */
    bool has_record;
};

static enum fail read_result(struct pass *pass, struct result *result, struct error *err)
{
    struct store_record *record = &result->made.record;

    if (record_by_id(pass->tx, result->creation->record_id, &pass->arena, record,
                     &result->has_record, err) != OK ||
        fields_from_json(&pass->arena, result->creation->sent, &result->made.sent, err) != OK) {
        return err->code;
    }
    result->returned = result->item->returned;
    if (result->item->returned_props.len) {
        result->returned.props = adapter_unpack(&pass->arena, result->item->returned_props);
    }
    return OK;
}

/* The CRM may have filled in values of its own (a default life-cycle stage): they are an observation like any other. */
static enum fail adopt_defaults(struct pass *pass, const struct result *result,
                                struct store_link *link, const struct fields *shown,
                                struct error *err)
{
    struct store_record record;
    struct gated gated;
    bool found, allowed;

    if (record_by_id(pass->tx, result->creation->record_id, &pass->arena, &record, &found, err) !=
        OK) {
        return err->code;
    }
    if (!found || record.state != RECORD_LIVE) {
        return OK; /* deleted here meanwhile: nothing is agreed, and the next push deals with that */
    }
    if (gated_begin(pass, &gated, err) != OK ||
        merge_link(pass, link, &record, &result->returned, shown, NULL, err) != OK) {
        return err->code;
    }
    return gated_end(pass, &gated, link->remote_id, &allowed, err);
}

/* A value that could not travel (its owner is no user there): what the CRM put in its place is nobody's edit and does not come back here. */
static void ignore_substitutes(struct pass *pass, const struct made *made,
                               const struct fields *shown, struct base *base)
{
    for (size_t i = 0; i < shown->count; i++) {
        struct str name = shown->at[i].name;

        if (!value_is_blank(fields_get(&made->record.fields, name)) &&
            fields_get(&made->sent, name)->state == VALUE_ABSENT &&
            fields_get(&base->remote, name)->state == VALUE_ABSENT) {
            fields_set(&base->remote, &pass->arena, name, shown->at[i].value);
        }
    }
}

/* The record as it was claimed, for the journal. */
static enum fail close_intent(struct pass *pass, const struct result *result, struct error *err)
{
    struct store_record claimed = result->made.record;

    claimed.version = result->creation->record_version;
    if (intent_delete(pass->tx, result->creation->intent_id, err) != OK) {
        return err->code;
    }
    return journal_push(pass, &claimed, result->item->remote_id,
                        push_changes(pass, &result->made.sent, NULL), result->made.sent.count, err);
}

/* Another connection brought a merge while the create was in the air: the object was made for the record that went. */
static enum fail keep_created_of_merged(struct pass *pass, const struct result *result,
                                        struct error *err)
{
    struct store_record record = result->made.record;
    struct store_link link = {.record_id = result->creation->record_id,
                              .remote_id = result->item->remote_id,
                              .last_write_ms = pass_now_ms(pass)};
    bool found = true;

    pass->counts->created_there++;
    if (record_surviving(pass, &record, &pass->arena, &found, err) != OK ||
        close_intent(pass, result, err) != OK) {
        return err->code;
    }
    return found ? link_add_merged(pass, &link, record.id, err) : OK;
}

static enum fail write_link(struct pass *pass, const struct result *result, struct store_link *link,
                            struct error *err)
{
    const struct creation *creation = result->creation;

    link->synced_version = is_all_agreed(pass, &link->base, &result->made.record.fields)
                               ? creation->record_version
                               : creation->record_version - 1;
    if (close_intent(pass, result, err) != OK) {
        return err->code;
    }
    return link_add(pass, link, err);
}

static enum fail keep_created(struct pass *pass, const struct result *result, struct error *err)
{
    struct store_link link = {.record_id = result->creation->record_id,
                              .remote_id = result->item->remote_id,
                              .state = LINK_LIVE,
                              .last_write_ms = pass_now_ms(pass),
                              .remote_modified_ms = result->returned.modified_ms};
    struct fields shown = {0};

    pass->counts->created_there++;
    pass_arrived(pass, result->made.record.updated_ms);
    if (result->returned.props &&
        read_fields(pass, &result->returned, result->creation->record_id, &shown, err) != OK) {
        return err->code;
    }
    if (settle_base(pass, &link.base, &result->made.sent, &result->returned, &shown, err) != OK) {
        return err->code;
    }
    ignore_substitutes(pass, &result->made, &shown, &link.base);
    if (write_link(pass, result, &link, err) != OK) {
        return err->code;
    }
    return result->returned.props ? adopt_defaults(pass, result, &link, &shown, err) : OK;
}

/* The CRM says that another object already holds a unique value of ours (an e-mail address). If that object is free it will be matched when it
 * is read; if it is linked to another record, two of our records claim one identity. */
static enum fail keep_existing(struct pass *pass, const struct result *result, struct error *err)
{
    const struct creation *creation = result->creation;
    struct store_link theirs;
    bool found;

    if (intent_delete(pass->tx, creation->intent_id, err) != OK ||
        link_by_remote(pass->tx, pass->connection->row.id, pass->kind->name,
                       result->item->remote_id, &pass->arena, &theirs, &found, err) != OK) {
        return err->code;
    }
    if (!found && dirty_put(pass->tx, pass->connection->row.id, pass->kind->name,
                            result->item->remote_id, err) != OK) {
        return err->code;
    }
    return note_failure(
        pass, STR(""), creation->record_id, "push", "duplicate", STR(""), creation->record_version,
        found ? "the CRM already holds an object with this unique value, and it belongs to another "
                "record"
              : "the CRM already holds an object with this unique value; it is being looked at",
        "merge the two records' objects at one CRM, or give one another e-mail address", err);
}

static void tell_not_done(struct pass *pass, const struct result *result)
{
    struct change change = create_change(pass, &result->made.record, &result->made.sent);

    pass_settled(pass, &change, SETTLED_NOT_DONE);
}

static enum fail keep_creation(struct pass *pass, const struct result *result, struct error *err)
{
    static const struct error NONE;
    struct store_intent intent = intent_of(pass, result->creation);

    if (!result->has_record) {
        return OK; /* erased meanwhile; the intent says so if it is still there */
    }
    switch (result->item->outcome) {
    case WRITE_DONE:
        return result->made.record.state == RECORD_MERGED
                   ? keep_created_of_merged(pass, result, err)
                   : keep_created(pass, result, err);
    case WRITE_EXISTS:
        tell_not_done(pass, result);
        return keep_existing(pass, result, err);
    case WRITE_PENDING:
    case WRITE_REFUSED:
    case WRITE_UNKNOWN:
        break;
    }
    tell_not_done(pass, result);
    intent.sent = result->made.sent;
    return keep_not_done(pass, &intent, NULL, result->item->outcome,
                         result->item->error ? result->item->error : &NONE, err);
}

static enum fail keep_page(struct creations *all, size_t from, size_t to, struct error *err)
{
    AUTO_TX struct tx *tx = NULL;
    struct pass *pass = all->pass;
    enum fail failed = OK;

    if (tx_begin(pass->sync->store, pass->sync->tenant_id, &tx, err) != OK) {
        return err->code;
    }
    pass->tx = tx;
    for (size_t i = from; i < to && failed == OK; i++) {
        struct result result = {.creation = &all->at[i], .item = &all->items[i]};

        failed = read_result(pass, &result, err);
        failed = failed ? failed : keep_creation(pass, &result, err);
    }
    pass->tx = NULL;
    failed = failed ? failed : tx_commit(&tx, err);
    pass_page_end(pass);
    return failed;
}

static enum fail keep_creations(struct creations *all, struct error *err)
{
    for (size_t from = 0; from < all->count; from += PAGE) {
        size_t to = all->count - from < PAGE ? all->count : from + PAGE;

        if (keep_page(all, from, to, err) != OK) {
            return err->code;
        }
    }
    return OK;
}

/* --- all of it ---------------------------------------------------------------------------------------------------------------- */

static enum fail create_batch(struct pass *pass, const int64_t *ids, size_t count, bool *ret_any,
                              size_t *ret_count, struct error *err)
{
    AUTO_ARENA struct arena arena = {0};
    struct creations all = {.pass = pass,
                            .arena = &arena,
                            .at = ARENA_ARRAY(&arena, struct creation, count),
                            .items = ARENA_ARRAY(&arena, struct create_item, count)};
    struct error sent = {0};
    enum fail failed;

    if (seek_existing(pass, ids, count, err) != OK ||
        claim_all(&all, ids, count, ret_count, err) != OK) {
        return err->code;
    }
    *ret_any = *ret_any || all.count > 0 || (!pass->sync->gate && all.left_out < *ret_count);
    if (all.count == 0) {
        return OK;
    }
    failed = adapter_create(pass->adapter, pass->connection->session, pass->mapping->kind->name.at,
                            &arena, all.items, all.count, &sent);
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
    AUTO_ARENA struct arena arena = {0};
    size_t limit = adapter_create_max(pass->adapter), count;
    int64_t *ids = ARENA_ARRAY(&arena, int64_t, limit);
    int64_t after_id = 0, done = 0;

    *ret_any = false;
    for (;;) {
        if (pass_is_cancelled(pass)) {
            return error_set(err, FAIL_CANCELLED, "asked to stop");
        }
        if (next_records(pass, after_journal, after_id, ids, limit, &count, err) != OK) {
            return err->code;
        }
        if (count == 0) {
            return OK;
        }
        if (create_batch(pass, ids, count, ret_any, &count, err) != OK) {
            return err->code;
        }
        after_id = ids[count - 1];
        pass_page_end(pass);
        done += (int64_t)count;
        pass_progress(pass, "writing", done, -1);
        if (pass_is_over(pass)) {
            return OK;
        }
    }
}
