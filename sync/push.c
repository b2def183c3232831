/* Pushing what moved here to objects that exist there. Read just before writing, merge, then send only what differs:
 *   read → merge (one transaction) → intents (one transaction) → requests → results, bases, intents closed (one transaction). */
#include "sync/pass.h"

#include "sync/braking.h"
#include "sync/send.h"

/* Read, merged, claimed and written together: what is held in memory at a time, and at most a CRM's own page. */
enum { PUSH_BATCH_MAX = 1000 };

/* One link of a batch, from the read to the result. */
struct outgoing {
    struct store_link link;
    struct store_record record;
    struct fields remote_fields; /* as read just now */
    struct fields sent;          /* hub values in the request */
    struct store_intent intent;
    size_t item; /* index in items; SIZE_MAX: nothing to send */
    bool is_delete;
    struct change change; /* as told to the gate */
};

struct batch {
    struct pass *pass;
    struct spare spare;
    struct outgoing *out;
    size_t count;
    struct write_item *items;
    size_t items_count;
    struct remove_item *removes;
    size_t removes_count;
};

/* The whole record, with the named fields known to have no value where they are absent. */
static struct fields fields_to_write(struct pass *pass, const struct fields *all,
                                     const struct push_list *names)
{
    struct fields fields = fields_copy(&pass->arena, all);

    for (size_t i = 0; i < names->count; i++) {
        if (fields_get(all, names->fields[i])->state == VALUE_ABSENT) {
            fields_set(&fields, &pass->arena, names->fields[i], VALUE_NONE);
        }
    }
    return fields;
}

/* Whose value it is that is written. */
static enum fail name_origins(struct pass *pass, const struct outgoing *out,
                              struct journal_change *fields, struct error *err)
{
    for (size_t i = 0; i < out->sent.count; i++) {
        struct journal_origin origin = {0};
        bool found;

        if (journal_origin_of(pass->tx, out->record.id, fields[i].field, &origin, &found, err) !=
            OK) {
            return err->code;
        }
        fields[i].rule = arena_printf(&pass->arena, "from %" PRI_STR,
                                      STR_ARG(pass_source_name(pass, origin.connection_id)));
    }
    return OK;
}

/* What would be written, for the gate: from what the CRM showed just now to what is sent. */
static enum fail tell_update(struct pass *pass, struct outgoing *out, struct error *err)
{
    struct journal_change *fields;

    if (!pass->sync->gate) {
        return OK;
    }
    fields = push_changes(pass, &out->sent, &out->remote_fields);
    if (name_origins(pass, out, fields, err) != OK) {
        return err->code;
    }
    out->change = (struct change){.is_there = true,
                                  .op = CHANGE_UPDATE,
                                  .connection = pass->settings->name,
                                  .kind = pass->kind->name,
                                  .uuid = out->record.uuid,
                                  .record = out->record.fields,
                                  .remote_id = out->link.remote_id,
                                  .fields = fields,
                                  .fields_count = out->sent.count};
    pass_change(pass, &out->change);
    return OK;
}

/* A pseudo-property without a member has no place on this object (the stage of a closed deal): writing it alone would write nothing. It goes along when
 * its group is written; else the hub's value is simply not shown there. */
static bool has_place(const struct pass *pass, const struct remote_record *remote,
                      const struct push_list *push, struct str field)
{
    const struct map_entry *entry = mapping_entry(pass->mapping, field);

    if (entry_is_link(entry) || !str_contains(entry->property, STR(".")) ||
        str_starts(entry->property, STR("custom:")) ||
        json_object_getn(remote->props, entry->property.at, entry->property.len)) {
        return true;
    }
    for (size_t i = 0; entry->group.len && i < push->count; i++) {
        const struct map_entry *mate = mapping_entry(pass->mapping, push->fields[i]);

        if (mate != entry && str_equal(mate->group, entry->group) &&
            json_object_getn(remote->props, mate->property.at, mate->property.len)) {
            return true;
        }
    }
    return false;
}

static struct push_list with_place(struct pass *pass, struct outgoing *out,
                                   const struct remote_record *remote, const struct push_list *push)
{
    struct push_list left = {.fields = ARENA_ARRAY(&pass->arena, struct str, push->count + 1)};

    for (size_t i = 0; i < push->count; i++) {
        if (has_place(pass, remote, push, push->fields[i])) {
            left.fields[left.count++] = push->fields[i];
        } else {
            fields_set(&out->link.base.hub, &pass->arena, push->fields[i],
                       *fields_get(&out->record.fields, push->fields[i]));
        }
    }
    return left;
}

/* Turns the fields to push into properties; a field that cannot travel now is left out and noted. */
static enum fail prepare(struct batch *batch, struct outgoing *out,
                         const struct remote_record *remote, const struct push_list *moved,
                         struct error *err)
{
    struct pass *pass = batch->pass;
    struct reference_resolver resolver = pass_resolver(pass);
    struct push_list placed = with_place(pass, out, remote, moved);
    const struct push_list *push = &placed;
    struct fields wanted = fields_to_write(pass, &out->record.fields, push);
    struct map_notes notes = {0};
    json_t *props = NULL;

    map_out(pass->mapping, &wanted, push->fields, push->count, remote->props, &resolver,
            &pass->arena, &props, &notes);
    if (note_outward(pass, &out->record, out->link.remote_id, &notes, err) != OK) {
        return err->code;
    }
    for (size_t i = 0; i < push->count; i++) {
        struct value value;

        if (sent_value(pass, &notes, push->fields[i], fields_get(&wanted, push->fields[i]),
                       &value)) {
            fields_set(&out->sent, &pass->arena, push->fields[i], value);
        }
    }
    drop_repeats(pass, &notes, remote->props, props);
    if (!props || json_object_size(props) == 0) {
        out->link.synced_version = out->record.version;
        return link_update(pass->tx, &out->link, err);
    }
    if (tell_update(pass, out, err) != OK) {
        return err->code;
    }
    out->item = batch->items_count;
    batch->items[batch->items_count++] = (struct write_item){
        .remote_id = out->link.remote_id, .props = props, .current = remote->props};
    return OK;
}

static const struct remote_record *find_read(const struct remote_page *page, struct str remote_id)
{
    for (size_t i = 0; i < page->count; i++) {
        if (str_equal(page->records[i].remote_id, remote_id)) {
            return &page->records[i];
        }
    }
    return NULL;
}

/* A record deleted here: archived there where the connection says so, else the link just ends. */
static enum fail prepare_delete(struct batch *batch, struct outgoing *out, struct error *err)
{
    struct pass *pass = batch->pass;

    if (pass->settings->deletes == DELETES_ARCHIVE &&
        pass->settings->direction != DIRECTION_FROM_EXTERNAL) {
        out->change = (struct change){.is_there = true,
                                      .op = CHANGE_DELETE,
                                      .connection = pass->settings->name,
                                      .kind = pass->kind->name,
                                      .uuid = out->record.uuid,
                                      .record = out->record.fields,
                                      .remote_id = out->link.remote_id};
        pass_change(pass, &out->change);
        out->is_delete = true;
        out->item = batch->removes_count;
        batch->removes[batch->removes_count++] =
            (struct remove_item){.remote_id = out->link.remote_id};
        return OK;
    }
    return end_link(pass, &out->link, out->record.uuid, err);
}

/* A pair that takes no part now rests, whatever was to be sent. */
static enum fail select_outgoing(struct pass *pass, struct outgoing *out,
                                 const struct remote_record *remote, bool *ret_takes,
                                 struct error *err)
{
    struct fields fields = {0};
    bool is_read = remote && remote->state == REMOTE_LIVE;

    if ((is_read && read_fields(pass, remote, out->record.id, &fields, err) != OK) ||
        pair_takes_part(pass, &out->record, is_read ? &fields : NULL, ret_takes, err) != OK) {
        return err->code;
    }
    if (!*ret_takes) {
        return rest_link(pass, &out->link, &out->record, is_read ? &fields : NULL, err);
    }
    wake_link(pass, &out->link, &out->record);
    return OK;
}

/* Merges what was just read and finds out what is left to send for one link. */
static enum fail merge_and_prepare(struct batch *batch, struct outgoing *out,
                                   const struct remote_page *page, struct error *err)
{
    struct pass *pass = batch->pass;
    const struct remote_record *remote = find_read(page, out->link.remote_id);
    struct push_list push;
    bool found, takes = true;

    out->item = SIZE_MAX;
    /* Fresh rows: an earlier record of this page may have changed them (a merge, a reference). */
    if (link_by_id(pass->tx, out->link.id, &pass->arena, &out->link, &found, err) != OK ||
        record_by_id(pass->tx, out->link.record_id, &pass->arena, &out->record, &found, err) !=
            OK) {
        return err->code;
    }
    if (out->link.state != LINK_LIVE) {
        return OK;
    }
    if (pass_selects(pass)) {
        if (select_outgoing(pass, out, remote, &takes, err) != OK || !takes) {
            return err->code;
        }
    }
    if (out->record.state == RECORD_DELETED) {
        return prepare_delete(batch, out, err);
    }
    if (!remote || remote->state != REMOTE_LIVE) {
        return remote ? observe(pass, remote, page->began_ms, err) : OK;
    }
    if (remote->merged_from_count) { /* may change both rows: they are read again */
        if (observe(pass, remote, page->began_ms, err) != OK ||
            link_by_id(pass->tx, out->link.id, &pass->arena, &out->link, &found, err) != OK ||
            record_by_id(pass->tx, out->link.record_id, &pass->arena, &out->record, &found, err) !=
                OK) {
            return err->code;
        }
        if (out->link.state != LINK_LIVE || out->record.state != RECORD_LIVE) {
            return OK;
        }
    }
    if (read_fields(pass, remote, out->record.id, &out->remote_fields, err) != OK) {
        return err->code;
    }
    spare_fill(&batch->spare, &out->link.base, &out->remote_fields);
    if (merge_link(pass, &out->link, &out->record, remote, &out->remote_fields, &push, err) != OK) {
        return err->code;
    }
    return push.count ? prepare(batch, out, remote, &push, err) : OK;
}

/* The same, whole or not at all. */
static enum fail merge_and_prepare_gated(struct batch *batch, struct outgoing *out,
                                         const struct remote_page *page, struct error *err)
{
    size_t items_count = batch->items_count;
    size_t removes_count = batch->removes_count;
    struct gated gated;
    bool allowed;

    if (gated_begin(batch->pass, &gated, err) != OK ||
        merge_and_prepare(batch, out, page, err) != OK ||
        gated_end(batch->pass, &gated, out->link.remote_id, &allowed, err) != OK) {
        return err->code;
    }
    if (!allowed) {
        batch->items_count = items_count;
        batch->removes_count = removes_count;
        out->item = SIZE_MAX;
    }
    return OK;
}

/* Survivors that the read delivered in addition. */
static enum fail observe_extra(struct batch *batch, const struct remote_page *page,
                               struct error *err)
{
    for (size_t i = 0; i < page->count; i++) {
        bool is_asked = false;

        for (size_t k = 0; k < batch->count && !is_asked; k++) {
            is_asked = str_equal(batch->out[k].link.remote_id, page->records[i].remote_id);
        }
        if (!is_asked && page->records[i].state == REMOTE_LIVE &&
            observe_gated(batch->pass, &page->records[i], page->began_ms, err) != OK) {
            return err->code;
        }
    }
    return OK;
}

static enum fail claim(struct batch *batch, struct outgoing *out, struct error *err)
{
    struct pass *pass = batch->pass;

    if (out->item == SIZE_MAX) {
        return OK;
    }
    out->intent =
        (struct store_intent){.connection_id = pass->connection->row.id,
                              .kind = pass->kind->name,
                              .op = out->is_delete ? INTENT_DELETE : INTENT_UPDATE,
                              .state = INTENT_CLAIMED,
                              .record_id = out->record.id,
                              .link_id = out->link.id,
                              .record_version = out->record.version,
                              .sent = out->sent,
                              .claimed_ms = pass_now_ms(pass),
                              .settle_at_ms = pass_now_ms(pass) + pass->settings->settle_ms};
    return intent_insert(pass->tx, &out->intent, err);
}

/* The merge of what was read, and the claims: one commit, before anything is sent. */
static enum fail decide(struct batch *batch, const struct remote_page *page, struct error *err)
{
    AUTO_TX struct tx *tx = NULL;
    struct pass *pass = batch->pass;
    bool was_pinned = pass->is_pinned;
    enum fail failed = OK;

    if (tx_begin(pass->sync->store, pass->sync->tenant_id, &tx, err) != OK) {
        return err->code;
    }
    pass->tx = tx;
    pass->is_pinned = true;
    for (size_t i = 0; i < batch->count && failed == OK; i++) {
        failed = merge_and_prepare_gated(batch, &batch->out[i], page, err);
        failed = failed ? failed : claim(batch, &batch->out[i], err);
    }
    failed = failed ? failed : observe_extra(batch, page, err);
    pass->is_pinned = was_pinned;
    pass->tx = NULL;
    return failed ? failed : tx_commit(&tx, err);
}

/* Another connection brought a merge while the write was in the air: the object is another record's by now, and that one's values meet it anew.
 * What was sent says nothing about them, nor does its version. */
static enum fail keep_update_of_merged(struct batch *batch, struct outgoing *out,
                                       struct store_link *link, struct error *err)
{
    struct pass *pass = batch->pass;

    if (batch->items[out->item].outcome != WRITE_DONE) {
        return intent_delete(pass->tx, out->intent.id, err);
    }
    pass->counts->updated_there++;
    link->last_write_ms = pass_now_ms(pass);
    if (journal_push(pass, &out->record, link->remote_id,
                     push_changes(pass, &out->sent, &out->remote_fields), out->sent.count,
                     err) != OK) {
        return err->code;
    }
    return keep_done(pass, &out->intent, link, err);
}

static enum fail keep_update(struct batch *batch, struct outgoing *out, struct error *err)
{
    struct pass *pass = batch->pass;
    const struct write_item *item = &batch->items[out->item];
    struct store_link link;
    bool found;

    if (link_by_id(pass->tx, out->link.id, &pass->arena, &link, &found, err) != OK) {
        return err->code;
    }
    if (!found) { /* a person took it back meanwhile */
        return intent_delete(pass->tx, out->intent.id, err);
    }
    if (link.record_id != out->record.id && item->outcome != WRITE_UNKNOWN) {
        return keep_update_of_merged(batch, out, &link, err);
    }
    if (item->outcome == WRITE_DONE) {
        struct fields shown = out->remote_fields;

        pass->counts->updated_there++;
        pass_arrived(pass, out->record.updated_ms);
        if (journal_push(pass, &out->record, link.remote_id,
                         push_changes(pass, &out->sent, &out->remote_fields), out->sent.count,
                         err) != OK) {
            return err->code;
        }
        if (settle_base(pass, &link.base, &out->sent, &item->returned, &shown, err) != OK) {
            return err->code;
        }
        link.has_digest = true;
        link.digest = pass_digest(pass, &shown);
        link.last_write_ms = pass_now_ms(pass);
        if (item->returned.modified_ms) {
            link.remote_modified_ms = item->returned.modified_ms;
        }
        link.synced_version = is_sent_agreed(&link.base, &out->sent)
                                  ? out->intent.record_version
                                  : out->intent.record_version - 1;
        link.retry_at_ms = 0;
        return keep_done(pass, &out->intent, &link, err);
    }
    pass_settled(pass, &out->change,
                 item->outcome == WRITE_UNKNOWN ? SETTLED_UNSURE : SETTLED_NOT_DONE);
    return keep_not_done(pass, &out->intent, &link, item->outcome, &item->error, err);
}

static enum fail keep_delete(struct batch *batch, struct outgoing *out, struct error *err)
{
    struct pass *pass = batch->pass;
    const struct remove_item *item = &batch->removes[out->item];
    struct store_link link;
    bool found;

    if (link_by_id(pass->tx, out->link.id, &pass->arena, &link, &found, err) != OK) {
        return err->code;
    }
    if (!found) {
        return intent_delete(pass->tx, out->intent.id, err);
    }
    if (item->outcome == WRITE_DONE) {
        pass->counts->deleted_there++;
        if (journal_push(pass, &out->record, link.remote_id, NULL, 0, err) != OK) {
            return err->code;
        }
        link.state = LINK_UNLINKED;
        link.last_write_ms = pass_now_ms(pass);
        link.gone_since_ms =
            link.last_write_ms; /* from now on a live object there is one that a person restored */
        link.synced_version = out->intent.record_version;
        if (conflicts_close(pass->tx, link.id, err) != OK ||
            tombstone_put(pass->tx, link.connection_id, link.kind, link.remote_id, link.record_id,
                          err) != OK) {
            return err->code;
        }
        return keep_done(pass, &out->intent, &link, err);
    }
    pass_settled(pass, &out->change,
                 item->outcome == WRITE_UNKNOWN ? SETTLED_UNSURE : SETTLED_NOT_DONE);
    return keep_not_done(pass, &out->intent, &link, item->outcome, &item->error, err);
}

static enum fail keep_results(struct batch *batch, struct error *err)
{
    AUTO_TX struct tx *tx = NULL;
    struct pass *pass = batch->pass;
    enum fail failed = OK;

    if (tx_begin(pass->sync->store, pass->sync->tenant_id, &tx, err) != OK) {
        return err->code;
    }
    pass->tx = tx;
    for (size_t i = 0; i < batch->count && failed == OK; i++) {
        if (batch->out[i].item != SIZE_MAX) {
            failed = batch->out[i].is_delete ? keep_delete(batch, &batch->out[i], err)
                                             : keep_update(batch, &batch->out[i], err);
        }
    }
    pass->tx = NULL;
    return failed ? failed : tx_commit(&tx, err);
}

/* Sends; whatever happens the outcomes are kept first, then the error that ended the batch is returned. */
static enum fail send(struct batch *batch, struct error *err)
{
    struct pass *pass = batch->pass;
    struct session *session = pass->connection->session;
    struct error sent = {0};
    enum fail failed = OK;

    if (batch->items_count) {
        failed = pass->adapter->upsert(session, pass->mapping->kind->name.at, &pass->arena,
                                       batch->items, batch->items_count, &sent);
    }
    if (failed == OK && batch->removes_count) {
        failed = pass->adapter->remove(session, pass->mapping->kind->name.at, batch->removes,
                                       batch->removes_count, &sent);
    }
    if (keep_results(batch, err) != OK) {
        return err->code;
    }
    if (failed != OK) {
        *err = sent;
    }
    return failed;
}

static enum fail read_now(struct batch *batch, struct arena *arena, struct remote_page *ret,
                          struct error *err)
{
    struct pass *pass = batch->pass;
    struct str *ids = ARENA_ARRAY(arena, struct str, batch->count);
    struct fetch_request request = {.kind = pass->mapping->kind->name.at,
                                    .properties = batch->spare.properties,
                                    .properties_count = batch->spare.properties_count,
                                    .remote_ids = ids};

    for (size_t i = 0; i < batch->count; i++) {
        ids[request.remote_ids_count++] = batch->out[i].link.remote_id;
    }
    return pass->adapter->fetch_many(pass->connection->session, &request, arena, ret, err);
}

static enum fail push_links(struct pass *pass, const struct store_link *links, size_t count,
                            struct error *err)
{
    AUTO_ARENA struct arena arena = {0};
    struct remote_page page = {0};
    struct batch batch = {.pass = pass,
                          .out = ARENA_ARRAY(&arena, struct outgoing, count),
                          .count = count,
                          .items = ARENA_ARRAY(&arena, struct write_item, count),
                          .removes = ARENA_ARRAY(&arena, struct remove_item, count)};

    for (size_t i = 0; i < count; i++) {
        batch.out[i].link = links[i];
    }
    if (spare_references(pass, links, count, &batch.spare, err) != OK ||
        read_now(&batch, &arena, &page, err) != OK || decide(&batch, &page, err) != OK) {
        return err->code;
    }
    return batch.items_count + batch.removes_count ? send(&batch, err) : OK;
}

static enum fail next_links(struct pass *pass, enum push_part part, int64_t after_id, size_t limit,
                            struct store_link **ret, size_t *ret_count, struct error *err)
{
    AUTO_TX struct tx *tx = NULL;

    if (tx_begin(pass->sync->store, pass->sync->tenant_id, &tx, err) != OK ||
        links_to_push(tx, pass->connection->row.id, pass->kind->name, part, pass_now_ms(pass),
                      after_id, limit, &pass->arena, ret, ret_count, err) != OK) {
        return err->code;
    }
    return tx_commit(&tx, err);
}

/* Those that the gate has refused in this run are left alone for the rest of it. */
static size_t without_put_off(const struct pass *pass, struct store_link *links, size_t count)
{
    size_t left = 0;

    for (size_t i = 0; i < count; i++) {
        if (!pass_is_put_off(pass, links[i].remote_id)) {
            links[left++] = links[i];
        }
    }
    return left;
}

static size_t batch_limit(const struct adapter *adapter)
{
    size_t limit = adapter->batch_read_max < adapter->batch_write_max ? adapter->batch_read_max
                                                                      : adapter->batch_write_max;

    return limit < PUSH_BATCH_MAX ? limit : PUSH_BATCH_MAX;
}

static enum fail push_part(struct pass *pass, enum push_part part, bool *ret_any, struct error *err)
{
    size_t limit = batch_limit(pass->adapter);
    int64_t after_id = 0;
    int64_t done = 0;

    for (;;) {
        struct store_link *links;
        size_t count;

        if (pass_is_cancelled(pass)) {
            return error_set(err, FAIL_CANCELLED, "asked to stop");
        }
        if (next_links(pass, part, after_id, limit, &links, &count, err) != OK) {
            return err->code;
        }
        if (count == 0) {
            return OK;
        }
        after_id = links[count - 1].id;
        count = without_put_off(pass, links, count);
        *ret_any = *ret_any || count > 0;
        if (count && push_links(pass, links, count, err) != OK) {
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

enum fail push_updates(struct pass *pass, bool *ret_any, struct error *err)
{
    struct push_holds holds;

    *ret_any = false;
    if (brake_on_pushes(pass, &holds, err) != OK) {
        return err->code;
    }
    pass_page_end(pass);
    if (holds.updates && holds.removals) {
        return OK;
    }
    return push_part(pass,
                     holds.updates    ? PUSH_REMOVALS
                     : holds.removals ? PUSH_UPDATES
                                      : PUSH_ALL,
                     ret_any, err);
}
