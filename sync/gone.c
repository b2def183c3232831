/* Deletes and merges at a CRM. A delete needs evidence (the object is read by id and is gone), time (a merge may look like a delete
 * first), and the brake's leave. A merge is followed: the link moves to the survivor. */
#include "sync/pass.h"

#include "sync/braking.h"

enum { GONE_BATCH = 100 };

enum fail observe_gone(struct pass *pass, struct str remote_id, struct error *err)
{
    struct store_link link;
    bool found;

    if (link_by_remote(pass->tx, pass->connection->row.id, pass->kind->name, remote_id,
                       &pass->arena, &link, &found, err) != OK) {
        return err->code;
    }
    if (!found) { /* nothing of ours; a failure about it has lost its object */
        return failure_clear(pass->tx, pass->connection->row.id, pass->kind->name, remote_id, 0,
                             STR(""), STR("*"), err);
    }
    if (link.state == LINK_MERGED) { /* what a person was to merge there is merged, or deleted */
        return leftover_end(pass, remote_id, err);
    }
    if (link.state != LINK_LIVE) {
        return OK;
    }
    link.state = LINK_GONE;
    link.gone_since_ms = pass_now_ms(pass);
    return link_update(pass->tx, &link, err);
}

/* Whether an object of the record is being made there, or may have been made: a create is in the air. */
static enum fail is_being_created(struct pass *pass, int64_t connection_id, int64_t record_id,
                                  bool *ret, struct error *err)
{
    struct store_intent intent;
    bool found;

    if (intent_of_record(pass->tx, connection_id, record_id, &pass->arena, &intent, &found, err) !=
        OK) {
        return err->code;
    }
    *ret = found && intent.op == INTENT_CREATE;
    return OK;
}

/* A link of the record that went into another one: moves to the survivor where that has no living object and gets none, else ends and is shown
 * to a person, because the two remote objects must be merged there as well. is_elsewhere: not where the merge was seen, so the object lives
 * on. */
static enum fail move_link(struct pass *pass, struct store_link *link, int64_t survivor_id,
                           bool is_elsewhere, struct error *err)
{
    struct store_link theirs;
    bool found, is_awaited = false;

    /* What was open was about the record that is no more; the survivor's values are merged anew. */
    if (conflicts_close(pass->tx, link->id, err) != OK ||
        link_by_record(pass->tx, link->connection_id, survivor_id, &pass->arena, &theirs, &found,
                       err) != OK ||
        is_being_created(pass, link->connection_id, survivor_id, &is_awaited, err) != OK) {
        return err->code;
    }
    if ((found || is_awaited) && link->state == LINK_UNLINKED && is_elsewhere) {
        return OK; /* that object was let go before, and is nobody's second one */
    }
    if (found && link->state == LINK_LIVE && theirs.state != LINK_LIVE) {
        if (link_forget(pass->tx, theirs.id, err) != OK) {
            return err->code;
        }
        found = false;
    }
    if (!found && !is_awaited) {
        link->record_id = survivor_id;
        link->synced_version = 0;
        link->base =
            (struct base){0}; /* another record: first contact decides, blanks are filled */
        link->has_digest = false;
        if (link_update(pass->tx, link, err) != OK) {
            return err->code;
        }
        return wait_wake(pass->tx, link, err);
    }
    if (link->state == LINK_LIVE && is_elsewhere && leftover_put(pass, link, err) != OK) {
        return err->code;
    }
    link->state = LINK_MERGED;
    return link_update(pass->tx, link, err);
}

enum fail link_add_merged(struct pass *pass, struct store_link *link, int64_t survivor_id,
                          struct error *err)
{
    link->state = LINK_LIVE;
    return link_add(pass, link, err) ? err->code : move_link(pass, link, survivor_id, true, err);
}

/* What could not point to the loser yet points to the survivor, where that one is. */
static enum fail wake_waiters(struct pass *pass, int64_t loser_id, int64_t survivor_id,
                              struct error *err)
{
    struct store_link *links;
    size_t count;

    if (wait_move_outward(pass->tx, loser_id, survivor_id, err) != OK ||
        links_of_record(pass->tx, survivor_id, &pass->arena, &links, &count, err) != OK) {
        return err->code;
    }
    for (size_t i = 0; i < count; i++) {
        if (links[i].state == LINK_LIVE && wait_wake(pass->tx, &links[i], err) != OK) {
            return err->code;
        }
    }
    return OK;
}

static enum fail merge_records(struct pass *pass, int64_t loser_id, int64_t survivor_id,
                               struct error *err)
{
    struct store_record loser;
    struct store_link *links;
    size_t count;
    bool found;
    struct journal_entry entry = {.record_id = loser_id,
                                  .at_ms = pass_now_ms(pass),
                                  .run_id = pass->run_id,
                                  .connection_id = pass->connection->row.id,
                                  .cause = CAUSE_MERGE};

    if (record_by_id(pass->tx, loser_id, &pass->arena, &loser, &found, err) != OK ||
        links_of_record(pass->tx, loser_id, &pass->arena, &links, &count, err) != OK) {
        return err->code;
    }
    if (!found || loser.state == RECORD_MERGED) {
        return OK;
    }
    for (size_t i = 0; i < count; i++) {
        bool is_elsewhere = links[i].connection_id != pass->connection->row.id;

        if (move_link(pass, &links[i], survivor_id, is_elsewhere, err) != OK) {
            return err->code;
        }
    }
    if (wake_waiters(pass, loser_id, survivor_id, err) != OK) {
        return err->code;
    }
    loser.state = RECORD_MERGED;
    loser.merged_into = survivor_id;
    loser.updated_ms = entry.at_ms;
    if (record_update(pass->tx, &loser, NULL, 0, err) != OK) {
        return err->code;
    }
    entry.record_version = loser.version;
    return pass_journal(pass, CHANGE_MERGE, &loser, &entry, err);
}

/* The survivor has no link yet: the loser's moves there, unless its record is deleted here; then the link just ends. */
static enum fail move_to_survivor(struct pass *pass, struct store_link *link, struct str into,
                                  struct error *err)
{
    struct store_record record;
    bool found;

    if (record_by_id(pass->tx, link->record_id, &pass->arena, &record, &found, err) != OK) {
        return err->code;
    }
    if (!found || record.state != RECORD_LIVE) {
        link->state = LINK_UNLINKED;
        return conflicts_close(pass->tx, link->id, err) != OK ? err->code
                                                              : link_update(pass->tx, link, err);
    }
    link->remote_id = into;
    link->state = LINK_LIVE;
    link->gone_since_ms = 0;
    link->has_digest = false;
    link->remote_modified_ms = 0;
    if (link_update(pass->tx, link, err) != OK) {
        return err->code;
    }
    return wait_wake(pass->tx, link, err);
}

/* A value that is taken over is as old as it was where it comes from. */
static enum fail tell_taken(struct pass *pass, const struct store_record *loser, struct str name,
                            const struct value *former, struct journal_entry *entry,
                            struct journal_change *changes, struct error *err)
{
    const struct value *taken = fields_get(&loser->fields, name);
    struct journal_origin origin;
    bool found;

    if (value_equal(former, taken)) {
        return OK;
    }
    if (journal_origin_of(pass->tx, loser->id, name, &origin, &found, err) != OK) {
        return err->code;
    }
    changes[entry->changes_count++] =
        (struct journal_change){.field = name,
                                .from = *former,
                                .to = *taken,
                                .rule = STR("merge"),
                                .changed_ms = found ? origin.changed_ms : entry->at_ms,
                                .time_is_exact = found && origin.time_is_exact};
    return OK;
}

static enum fail tell_all_taken(struct pass *pass, const struct store_record *loser,
                                const struct fields *former, struct journal_entry *entry,
                                struct error *err)
{
    struct journal_change *changes =
        ARENA_ARRAY(&pass->arena, struct journal_change, former->count + loser->fields.count + 1);

    entry->changes = changes;
    for (size_t i = 0; i < loser->fields.count; i++) {
        struct str name = loser->fields.at[i].name;

        if (tell_taken(pass, loser, name, fields_get(former, name), entry, changes, err) != OK) {
            return err->code;
        }
    }
    for (size_t i = 0; i < former->count; i++) {
        struct str name = former->at[i].name;

        if (fields_get(&loser->fields, name)->state == VALUE_ABSENT &&
            tell_taken(pass, loser, name, &former->at[i].value, entry, changes, err) != OK) {
            return err->code;
        }
    }
    return OK;
}

/* The survivor's own record was deleted here while its object lived on: the person who merged into it wants it, with the living record's
 * values. */
static enum fail wake_survivor(struct pass *pass, struct store_record *survivor,
                               const struct store_record *loser, struct store_link *link,
                               struct error *err)
{
    struct journal_entry entry = {.record_id = survivor->id,
                                  .at_ms = pass_now_ms(pass),
                                  .run_id = pass->run_id,
                                  .connection_id = pass->connection->row.id,
                                  .remote_id = link->remote_id,
                                  .cause = CAUSE_RESTORE};

    if (tell_all_taken(pass, loser, &survivor->fields, &entry, err) != OK) {
        return err->code;
    }
    survivor->state = RECORD_LIVE;
    survivor->fields = loser->fields;
    survivor->updated_ms = entry.at_ms;
    if (record_update(pass->tx, survivor, pass_match_keys(pass, &survivor->fields),
                      pass->kind->matches_count, err) != OK) {
        return err->code;
    }
    entry.record_version = survivor->version;
    link->state = LINK_LIVE;
    link->gone_since_ms = 0;
    link->base = (struct base){0};
    link->has_digest = false;
    if (pass_journal(pass, CHANGE_RESTORE, survivor, &entry, err) != OK) {
        return err->code;
    }
    return link_update(pass->tx, link, err);
}

static enum fail merge_into(struct pass *pass, struct store_link *old_link,
                            struct store_link *new_link, struct error *err)
{
    struct store_record loser, survivor;
    bool found;

    if (record_by_id(pass->tx, old_link->record_id, &pass->arena, &loser, &found, err) != OK ||
        record_by_id(pass->tx, new_link->record_id, &pass->arena, &survivor, &found, err) != OK) {
        return err->code;
    }
    if (loser.state ==
        RECORD_MERGED) { /* at another CRM before, where this object had been let go */
        old_link->state = LINK_MERGED;
        return link_update(pass->tx, old_link, err);
    }
    if (loser.state == RECORD_LIVE && survivor.state == RECORD_DELETED &&
        wake_survivor(pass, &survivor, &loser, new_link, err) != OK) {
        return err->code;
    }
    return merge_records(pass, loser.id, survivor.id, err);
}

/* Written once: the survivor names what it absorbed at every read. */
static enum fail keep_alias(struct pass *pass, struct str from, struct str into, struct error *err)
{
    int64_t connection_id = pass->connection->row.id;
    struct str current;

    if (alias_resolve(pass->tx, connection_id, pass->kind->name, from, &pass->arena, &current,
                      err) != OK) {
        return err->code;
    }
    return str_equal(current, from)
               ? alias_put(pass->tx, connection_id, pass->kind->name, from, into, err)
               : OK;
}

enum fail follow_merge(struct pass *pass, struct str from, struct str into, struct error *err)
{
    struct store_link old_link, new_link;
    int64_t connection_id = pass->connection->row.id;
    bool has_old, has_new;

    if (str_equal(from, into)) {
        return OK;
    }
    if (link_by_remote(pass->tx, connection_id, pass->kind->name, from, &pass->arena, &old_link,
                       &has_old, err) != OK) {
        return err->code;
    }
    if (has_old && old_link.state == LINK_MERGED) {
        return keep_alias(pass, from, into, err) ? err->code : leftover_end(pass, from, err);
    }
    if (alias_put(pass->tx, connection_id, pass->kind->name, from, into, err) != OK ||
        failure_clear(pass->tx, connection_id, pass->kind->name, from, 0, STR(""), STR("*"), err) !=
            OK) {
        return err->code;
    }
    if (!has_old) {
        return OK;
    }
    pass->counts->merged++;
    /* The survivor may have been seen first, and been set aside as somebody else's double. */
    if (failure_clear(pass->tx, connection_id, pass->kind->name, into, 0, STR("match"), STR(""),
                      err) != OK ||
        dirty_put(pass->tx, connection_id, pass->kind->name, into, err) != OK ||
        link_by_remote(pass->tx, connection_id, pass->kind->name, into, &pass->arena, &new_link,
                       &has_new, err) != OK) {
        return err->code;
    }
    if (has_new && new_link.state != LINK_MERGED) {
        return merge_into(pass, &old_link, &new_link, err);
    }
    /* Merged into an object whose own record went into another one at another CRM: that object has become this record's. */
    if (has_new &&
        (link_forget(pass->tx, new_link.id, err) != OK || leftover_end(pass, into, err) != OK)) {
        return err->code;
    }
    return move_to_survivor(pass, &old_link, into, err);
}

/* The record was edited here since both sides last agreed: a delete there against an edit here is for a person. */
static enum fail open_delete_conflict(struct pass *pass, const struct store_link *link,
                                      struct str uuid, struct error *err)
{
    struct store_conflict *open;
    size_t count;
    struct store_conflict conflict = {.type = CONFLICT_DELETE,
                                      .record_id = link->record_id,
                                      .link_id = link->id,
                                      .connection_id = link->connection_id,
                                      .kind = link->kind,
                                      .remote_changed_ms = link->gone_since_ms,
                                      .opened_ms = pass_now_ms(pass),
                                      .changed_ms = pass_now_ms(pass)};

    if (conflicts_of_link(pass->tx, link->id, &pass->arena, &open, &count, err) != OK) {
        return err->code;
    }
    for (size_t i = 0; i < count; i++) {
        if (open[i].type == CONFLICT_DELETE) {
            return OK;
        }
    }
    pass->counts->conflicts++;
    pass_change(pass, &(const struct change){.op = CHANGE_CONFLICT,
                                             .connection = pass->settings->name,
                                             .kind = pass->kind->name,
                                             .uuid = uuid,
                                             .remote_id = link->remote_id});
    return conflict_put(pass->tx, &conflict, err);
}

enum fail end_link(struct pass *pass, struct store_link *link, struct str uuid, struct error *err)
{
    pass_change(pass, &(const struct change){.op = CHANGE_UNLINK,
                                             .connection = pass->settings->name,
                                             .kind = pass->kind->name,
                                             .uuid = uuid,
                                             .remote_id = link->remote_id});
    link->state = LINK_UNLINKED;
    if (conflicts_close(pass->tx, link->id, err) != OK ||
        tombstone_put(pass->tx, link->connection_id, link->kind, link->remote_id, link->record_id,
                      err) != OK) {
        return err->code;
    }
    return link_update(pass->tx, link, err);
}

static enum fail delete_record(struct pass *pass, struct store_record *record, struct str remote_id,
                               struct error *err)
{
    struct journal_entry entry = {.record_id = record->id,
                                  .at_ms = pass_now_ms(pass),
                                  .run_id = pass->run_id,
                                  .connection_id = pass->connection->row.id,
                                  .remote_id = remote_id,
                                  .cause = CAUSE_DELETE};

    if (record->state != RECORD_LIVE) {
        return OK;
    }
    record->state = RECORD_DELETED;
    record->updated_ms = entry.at_ms;
    pass->counts->deleted_here++;
    if (record_update(pass->tx, record, NULL, 0, err) != OK) {
        return err->code;
    }
    entry.record_version = record->version;
    return pass_journal(pass, CHANGE_DELETE, record, &entry, err);
}

/* One delete, proved and past its grace time. */
static enum fail let_go(struct pass *pass, struct store_link *link, struct error *err)
{
    struct store_record record;
    bool found;

    if (record_by_id(pass->tx, link->record_id, &pass->arena, &record, &found, err) != OK) {
        return err->code;
    }
    if (!found || record.state != RECORD_LIVE) {
        return end_link(pass, link, found ? record.uuid : STR(""), err);
    }
    switch (pass->settings->deletes) {
    case DELETES_NONE:
        return OK;
    case DELETES_UNLINK:
        return end_link(pass, link, record.uuid, err);
    case DELETES_ARCHIVE:
        break;
    }
    if (record.version > link->synced_version) {
        return open_delete_conflict(pass, link, record.uuid, err);
    }
    if (delete_record(pass, &record, link->remote_id, err) != OK) {
        return err->code;
    }
    return end_link(pass, link, record.uuid, err);
}

static enum fail let_go_each(struct pass *pass, const struct store_link *links, size_t count,
                             bool *ret_braked, struct error *err)
{
    if (brake_on_deletes(pass, ret_braked, err) != OK) {
        return err->code;
    }
    for (size_t i = 0; i < count && !*ret_braked; i++) {
        struct store_link link;
        struct gated gated;
        bool found, allowed;

        if (link_by_id(pass->tx, links[i].id, &pass->arena, &link, &found, err) != OK ||
            gated_begin(pass, &gated, err) != OK ||
            (found && link.state == LINK_GONE && let_go(pass, &link, err) != OK) ||
            gated_end(pass, &gated, STR(""), &allowed, err) != OK) {
            return err->code;
        }
    }
    return OK;
}

/* In one transaction: the links of `links` that are still gone take effect, or the brake stops all of them. */
static enum fail let_go_all(struct pass *pass, const struct store_link *links, size_t count,
                            bool *ret_braked, struct error *err)
{
    AUTO_TX struct tx *tx = NULL;
    enum fail failed;

    if (tx_begin(pass->sync->store, pass->sync->tenant_id, &tx, err) != OK) {
        return err->code;
    }
    pass->tx = tx;
    failed = let_go_each(pass, links, count, ret_braked, err);
    pass->tx = NULL;
    return failed ? failed : tx_commit(&tx, err);
}

static enum fail list_gone(struct pass *pass, int64_t after_id, struct store_link **ret,
                           size_t *ret_count, struct error *err)
{
    AUTO_TX struct tx *tx = NULL;

    if (tx_begin(pass->sync->store, pass->sync->tenant_id, &tx, err) != OK ||
        links_gone_since(tx, pass->connection->row.id, pass->kind->name,
                         pass_now_ms(pass) - pass->settings->grace_ms, after_id, GONE_BATCH,
                         &pass->stream_arena, ret, ret_count, err) != OK) {
        return err->code;
    }
    return tx_commit(&tx, err);
}

static const struct str *ids_of(struct pass *pass, const struct store_link *links, size_t count)
{
    struct str *ids = ARENA_ARRAY(&pass->stream_arena, struct str, count + 1);

    for (size_t i = 0; i < count; i++) {
        ids[i] = links[i].remote_id;
    }
    return ids;
}

/* What is known of a gone object's identity, for finding out where it went. */
struct probe {
    struct str *values; /* its strongest key, as the CRM shows it; "" none */
    const char *property;
};

/* A merge without a pointer (Pipedrive): the survivor holds the loser's e-mail address. Only asked where a delete would spread. */
static enum fail gather_probe(struct pass *pass, const struct store_link *links, size_t count,
                              struct probe *ret, struct error *err)
{
    AUTO_TX struct tx *tx = NULL;
    const struct match_rule *rule = pass->kind->matches_count ? &pass->kind->matches[0] : NULL;
    const struct map_entry *entry = rule && rule->fields_count == 1
                                        ? mapping_entry(pass->mapping, rule->fields[0]->name)
                                        : NULL;

    ret->property = entry ? entry->property.at : NULL;
    ret->values = ARENA_ARRAY(&pass->stream_arena, struct str, count + 1);
    if (!entry) {
        return OK;
    }
    if (tx_begin(pass->sync->store, pass->sync->tenant_id, &tx, err) != OK) {
        return err->code;
    }
    for (size_t i = 0; i < count; i++) {
        struct store_record record;
        bool found;

        if (record_by_id(tx, links[i].record_id, &pass->stream_arena, &record, &found, err) != OK) {
            return err->code;
        }
        const struct value *value = fields_get(&record.fields, entry->field->name);
        ret->values[i] = found && record.state == RECORD_LIVE && value->state == VALUE_TEXT
                             ? value->text
                             : STR("");
    }
    return tx_commit(&tx, err);
}

static enum fail follow_if_gone(struct pass *pass, struct str from, struct str into,
                                struct error *err)
{
    struct store_link link;
    bool found;

    if (link_by_remote(pass->tx, pass->connection->row.id, pass->kind->name, from, &pass->arena,
                       &link, &found, err) != OK) {
        return err->code;
    }
    /* The read just before may have shown it alive again. */
    return found && link.state == LINK_GONE ? follow_merge(pass, from, into, err) : OK;
}

static enum fail follow_gated(struct pass *pass, struct str from, struct str into,
                              struct error *err)
{
    struct gated gated;
    bool allowed;

    if (gated_begin(pass, &gated, err) != OK || follow_if_gone(pass, from, into, err) != OK) {
        return err->code;
    }
    return gated_end(pass, &gated, from, &allowed, err);
}

static enum fail follow_to(struct pass *pass, struct str from, const struct remote_page *page,
                           struct error *err)
{
    AUTO_TX struct tx *tx = NULL;
    enum fail failed;

    if (tx_begin(pass->sync->store, pass->sync->tenant_id, &tx, err) != OK) {
        return err->code;
    }
    pass->tx = tx;
    failed = follow_gated(pass, from, page->records[0].remote_id, err);
    pass->tx = NULL;
    return failed ? failed : tx_commit(&tx, err);
}

static enum fail probe_merges(struct pass *pass, const struct store_link *links, size_t count,
                              struct error *err)
{
    struct probe probe;

    if (pass->settings->deletes != DELETES_ARCHIVE || !pass->adapter->find) {
        return OK;
    }
    if (gather_probe(pass, links, count, &probe, err) != OK) {
        return err->code;
    }
    for (size_t i = 0; probe.property && i < count; i++) {
        AUTO_ARENA struct arena arena = {0};
        struct remote_page page = {0};
        struct find_request request = {.kind = pass->kind->name.at,
                                       .property = probe.property,
                                       .values = &probe.values[i],
                                       .values_count = 1,
                                       .properties = pass->mapping->properties,
                                       .properties_count = pass->mapping->properties_count};

        if (probe.values[i].len == 0) {
            continue;
        }
        if (pass->adapter->find(pass->connection->session, &request, &arena, &page, err) != OK) {
            return err->code;
        }
        if (page.count == 1 && !str_equal(page.records[0].remote_id, links[i].remote_id) &&
            follow_to(pass, links[i].remote_id, &page, err) != OK) {
            return err->code;
        }
    }
    return OK;
}

/* ret_after_id: of the last link of the batch; stays when there is none. */
static enum fail gone_batch(struct pass *pass, bool *ret_braked, int64_t *ret_after_id,
                            struct error *err)
{
    struct store_link *links;
    size_t count;

    if (list_gone(pass, *ret_after_id, &links, &count, err) != OK) {
        return err->code;
    }
    if (count == 0) { /* what the brake stopped may be gone by itself */
        return let_go_all(pass, NULL, 0, ret_braked, err);
    }
    *ret_after_id = links[count - 1].id;
    /* The second look: a merge or a restore shows itself now. */
    if (read_by_id(pass, ids_of(pass, links, count), count, false, err) != OK ||
        probe_merges(pass, links, count, err) != OK) {
        return err->code;
    }
    return let_go_all(pass, links, count, ret_braked, err);
}

enum fail gone_settle(struct pass *pass, struct error *err)
{
    bool is_braked = false;
    int64_t after_id = 0, before_id = -1;

    /* Each is looked at once: one that stays, because a gate refuses it, holds up no other. */
    while (pass->settings->deletes != DELETES_NONE && after_id != before_id && !is_braked) {
        before_id = after_id;
        if (gone_batch(pass, &is_braked, &after_id, err) != OK) {
            return err->code;
        }
        pass_page_end(pass);
    }
    return OK;
}

static enum fail list_missed(struct pass *pass, int64_t after_id, struct store_link **ret,
                             size_t *ret_count, struct error *err)
{
    AUTO_TX struct tx *tx = NULL;

    if (tx_begin(pass->sync->store, pass->sync->tenant_id, &tx, err) != OK ||
        links_missed_by_scan(tx, pass->connection->row.id, pass->kind->name, pass->stream.scan,
                             after_id, GONE_BATCH, &pass->stream_arena, ret, ret_count,
                             err) != OK) {
        return err->code;
    }
    return tx_commit(&tx, err);
}

static enum fail ask_emptied(struct pass *pass, bool *ret_braked, struct error *err)
{
    AUTO_TX struct tx *tx = NULL;
    enum fail failed;

    if (tx_begin(pass->sync->store, pass->sync->tenant_id, &tx, err) != OK) {
        return err->code;
    }
    pass->tx = tx;
    failed = brake_on_empty(pass, ret_braked, err);
    pass->tx = NULL;
    return failed ? failed : tx_commit(&tx, err);
}

enum fail census_check(struct pass *pass, bool *ret_braked, struct error *err)
{
    int64_t after_id = 0;

    *ret_braked = false;
    if (ask_emptied(pass, ret_braked, err) != OK) {
        return err->code;
    }
    if (*ret_braked) {
        return OK;
    }
    for (;;) {
        struct store_link *links;
        size_t count;

        if (list_missed(pass, after_id, &links, &count, err) != OK) {
            return err->code;
        }
        if (count == 0) {
            return leftovers_check(pass, err);
        }
        after_id = links[count - 1].id;
        if (read_by_id(pass, ids_of(pass, links, count), count, false, err) != OK) {
            return err->code;
        }
    }
}
