/* Writes whose outcome is unknown: after a crash, a lost answer, a reset. Nothing else is sent for the record until this is settled:
 *   create  look for our key at the CRM; found: the link is taken up; not found after the settle time: it never happened
 *   update  read the object; the merge recognises our own value; otherwise the settle time decides
 *   delete  read the object; gone: done */
#include "sync/send.h"

/* Looked up together, where the CRM finds so many at a time. */
enum { SETTLE_BATCH_MAX = 1000 };

struct settling {
    struct pass *pass;
    struct store_intent *intents;
    size_t count;
    int64_t looked_ms; /* when this look-up began */
};

static size_t batch_of(const struct pass *pass)
{
    size_t batch = pass->adapter->batch_read_max;

    return batch < SETTLE_BATCH_MAX ? batch : SETTLE_BATCH_MAX;
}

static enum fail list_intents(struct pass *pass, int64_t after_id, struct store_intent **ret,
                              size_t *ret_count, struct error *err)
{
    AUTO_TX struct tx *tx = NULL;

    if (tx_begin(pass->sync->store, pass->sync->tenant_id, &tx, err) != OK ||
        intent_list(tx, pass->connection->row.id, pass->kind->name, after_id, batch_of(pass),
                    &pass->arena, ret, ret_count, err) != OK) {
        return err->code;
    }
    return tx_commit(&tx, err);
}

/* Where objects have no key, those that look alike are found: the ones that are linked already are others. */
static enum fail without_linked(struct settling *s, struct remote_page *page, struct error *err)
{
    struct pass *pass = s->pass;
    size_t left = 0;

    for (size_t i = 0; i < page->count; i++) {
        struct link_sight sight;
        bool found;

        if (link_sight_of(pass->tx, pass->connection->row.id, pass->kind->name,
                          page->records[i].remote_id, &sight, &found, err) != OK) {
            return err->code;
        }
        if (!found) {
            page->records[left++] = page->records[i];
        }
    }
    page->count = left;
    return OK;
}

/* Alike and unlinked: each object is one create's, the oldest first. */
static void deal_out(struct remote_page *page)
{
    size_t left = 0;

    for (size_t i = 0; i < page->count; i++) {
        bool is_taken = false;

        for (size_t k = 0; k < left && !is_taken; k++) {
            is_taken =
                str_equal(page->records[k].remote_id, page->records[i].remote_id) ||
                str_equal(page->records[k].correlation_key, page->records[i].correlation_key);
        }
        if (!is_taken) {
            page->records[left++] = page->records[i];
        }
    }
    page->count = left;
}

/* The oldest object with the key; a second one is somebody's copy and is shown to a person. */
static enum fail observe_found(struct settling *s, const struct remote_page *found,
                               struct error *err)
{
    struct pass *pass = s->pass;
    struct remote_page copy = *found;
    const struct remote_page *page = &copy;

    if (pass_has_traits(pass, OBJECT_NO_KEY) && found->count) {
        if (without_linked(s, &copy, err) != OK) {
            return err->code;
        }
        deal_out(&copy);
    }
    for (size_t i = 0; i < page->count; i++) {
        const struct remote_record *remote = &page->records[i];
        const struct remote_record *oldest = remote;

        for (size_t k = 0; k < page->count; k++) {
            if (str_equal(page->records[k].correlation_key, remote->correlation_key) &&
                page->records[k].created_ms < oldest->created_ms) {
                oldest = &page->records[k];
            }
        }
        if (oldest == remote) {
            if (observe_gated(pass, remote, page->began_ms, err) != OK) {
                return err->code;
            }
        } else if (note_failure(pass, remote->remote_id, 0, "match", "duplicate", STR(""), 0,
                                "two objects of this CRM carry the same crmsync id",
                                "merge the two at the CRM, then 'crmsync failures retry'",
                                err) != OK) {
            return err->code;
        }
    }
    return OK;
}

/* Whether the CRM holds what was sent: the merge of what was just read took it into the base, or the object is gone. */
static enum fail tell_found_out(struct settling *s, const struct store_intent *intent,
                                struct error *err)
{
    struct pass *pass = s->pass;
    struct store_record record;
    struct store_link link;
    bool found, has_link, is_done;

    if (!pass->sync->gate || intent->op == INTENT_CREATE) {
        return OK;
    }
    if (record_by_id(pass->tx, intent->record_id, &pass->arena, &record, &found, err) != OK ||
        link_by_id(pass->tx, intent->link_id, &pass->arena, &link, &has_link, err) != OK) {
        return err->code;
    }
    is_done = has_link && (intent->op == INTENT_DELETE ? link.state != LINK_LIVE
                                                       : is_sent_agreed(&link.base, &intent->sent));
    pass_found_out(pass, found ? record.uuid : STR(""), is_done);
    return OK;
}

/* What is still open after the look-up: dropped when the settle time was over as it began, so that the write is derived anew. */
static enum fail judge_open(struct settling *s, enum intent_op op, struct error *err)
{
    struct pass *pass = s->pass;
    bool repeat_is_safe = op == INTENT_CREATE && pass_has_traits(pass, OBJECT_UNIQUE_KEY);

    for (size_t i = 0; i < s->count; i++) {
        struct store_intent *intent = &s->intents[i];
        struct store_intent row;
        bool found;

        if (intent->op != op) {
            continue;
        }
        if (intent_of_record(pass->tx, intent->connection_id, intent->record_id, &pass->arena, &row,
                             &found, err) != OK) {
            return err->code;
        }
        if (!found || row.id != intent->id) {
            continue; /* adopted by the look-up */
        }
        if ((row.state == INTENT_CLAIMED &&
             !repeat_is_safe) || /* its sender died: when it was sent, if at all, nobody knows */
            row.settle_at_ms - s->looked_ms >
                pass->settings->settle_ms) { /* our clock was set back */
            row.settle_at_ms = s->looked_ms + pass->settings->settle_ms;
        }
        if (repeat_is_safe || s->looked_ms >= row.settle_at_ms) {
            if (tell_found_out(s, &row, err) != OK || intent_delete(pass->tx, row.id, err) != OK) {
                return err->code;
            }
            continue;
        }
        row.state = INTENT_UNKNOWN;
        row.attempts++;
        if (intent_update(pass->tx, &row, err) != OK) {
            return err->code;
        }
    }
    return OK;
}

static enum fail commit_look_up(struct settling *s, enum intent_op op,
                                const struct remote_page *page, struct error *err)
{
    AUTO_TX struct tx *tx = NULL;
    struct pass *pass = s->pass;
    bool was_pinned = pass->is_pinned;
    enum fail failed;

    if (tx_begin(pass->sync->store, pass->sync->tenant_id, &tx, err) != OK) {
        return err->code;
    }
    pass->tx = tx;
    pass->is_pinned = true;
    failed = observe_found(s, page, err);
    failed = failed ? failed : judge_open(s, op, err);
    pass->is_pinned = was_pinned;
    pass->tx = NULL;
    return failed ? failed : tx_commit(&tx, err);
}

/* The request of an intent once more, for comparing. */
static const json_t *sent_props(struct pass *pass, const struct store_intent *intent)
{
    struct reference_resolver resolver = pass_resolver(pass);
    struct map_notes notes;
    json_t *props;

    map_out(pass->mapping, &intent->sent, NULL, 0, NULL, &resolver, &pass->arena, &props, &notes);
    return props;
}

/* What is looked for: keys, and what was sent with them. */
struct look_up {
    struct str *uuids;
    const json_t **sent;
    size_t count;
    int64_t since_ms;
};

static enum fail gather_look_up(struct settling *s, struct look_up *ret, struct error *err)
{
    AUTO_TX struct tx *tx = NULL;
    struct pass *pass = s->pass;

    ret->since_ms = INT64_MAX;
    if (tx_begin(pass->sync->store, pass->sync->tenant_id, &tx, err) != OK) {
        return err->code;
    }
    pass->tx = tx;
    for (size_t i = 0; i < s->count; i++) {
        const struct store_intent *intent = &s->intents[i];
        struct store_record record;
        bool found;

        if (intent->op != INTENT_CREATE) {
            continue;
        }
        if (record_by_id(tx, intent->record_id, &pass->arena, &record, &found, err) != OK) {
            pass->tx = NULL;
            return err->code;
        }
        if (found) {
            ret->uuids[ret->count] = record.uuid;
            ret->sent[ret->count++] = sent_props(pass, intent);
            ret->since_ms = intent->claimed_ms < ret->since_ms ? intent->claimed_ms : ret->since_ms;
        }
    }
    pass->tx = NULL;
    return tx_commit(&tx, err);
}

static enum fail settle_creates(struct settling *s, struct error *err)
{
    struct pass *pass = s->pass;
    AUTO_ARENA struct arena arena = {0};
    struct remote_page page = {0};
    struct look_up look_up = {.uuids = ARENA_ARRAY(&arena, struct str, s->count),
                              .sent = ARENA_ARRAY(&arena, const json_t *, s->count)};
    struct find_request request = {.kind = pass->mapping->kind->name.at,
                                   .property = ADAPTER_CORRELATION,
                                   .values = look_up.uuids,
                                   .properties = pass->mapping->properties,
                                   .properties_count = pass->mapping->properties_count};

    if (gather_look_up(s, &look_up, err) != OK) {
        return err->code;
    }
    if (look_up.count == 0) {
        return OK;
    }
    request.values_count = look_up.count;
    request.since_ms = look_up.since_ms + pass->connection->row.clock_offset_ms;
    request.sent = pass_has_traits(pass, OBJECT_NO_KEY) ? look_up.sent : NULL;
    s->looked_ms = pass_now_ms(pass);
    if (pass->adapter->find(pass->connection->session, &request, &arena, &page, err) != OK) {
        return err->code;
    }
    return commit_look_up(s, INTENT_CREATE, &page, err);
}

static enum fail link_ids(struct settling *s, struct str *ret, size_t *ret_count, struct error *err)
{
    AUTO_TX struct tx *tx = NULL;
    struct pass *pass = s->pass;

    if (tx_begin(pass->sync->store, pass->sync->tenant_id, &tx, err) != OK) {
        return err->code;
    }
    for (size_t i = 0; i < s->count; i++) {
        struct store_link link;
        bool found;

        if (s->intents[i].op == INTENT_CREATE) {
            continue;
        }
        if (link_by_id(tx, s->intents[i].link_id, &pass->stream_arena, &link, &found, err) != OK) {
            return err->code;
        }
        if (found) {
            ret[(*ret_count)++] = link.remote_id;
        }
    }
    return tx_commit(&tx, err);
}

static enum fail settle_changes(struct settling *s, struct error *err)
{
    struct pass *pass = s->pass;
    struct remote_page nothing = {0};
    struct str *ids = ARENA_ARRAY(&pass->arena, struct str, s->count);
    size_t count = 0;

    if (link_ids(s, ids, &count, err) != OK) {
        return err->code;
    }
    if (count == 0) {
        return OK;
    }
    s->looked_ms = pass_now_ms(pass);
    if (read_by_id(pass, ids, count, false, err) != OK ||
        commit_look_up(s, INTENT_UPDATE, &nothing, err) != OK) {
        return err->code;
    }
    return commit_look_up(s, INTENT_DELETE, &nothing, err);
}

enum fail settle_intents(struct pass *pass, int64_t *ret_wait_ms, int64_t *ret_open,
                         struct error *err)
{
    int64_t after_id = 0;
    int64_t now_ms;

    *ret_wait_ms = 0;
    *ret_open = 0;
    for (;;) {
        struct settling s = {.pass = pass};
        struct store_intent *left;
        size_t left_count;

        if (list_intents(pass, after_id, &s.intents, &s.count, err) != OK) {
            return err->code;
        }
        if (s.count == 0) {
            return OK;
        }
        if (settle_creates(&s, err) != OK || settle_changes(&s, err) != OK ||
            list_intents(pass, after_id, &left, &left_count, err) != OK) {
            return err->code;
        }
        after_id = s.intents[s.count - 1].id;
        now_ms = pass_now_ms(pass);
        for (size_t i = 0; i < left_count && left[i].id <= after_id; i++) {
            int64_t wait_ms = left[i].settle_at_ms > now_ms ? left[i].settle_at_ms - now_ms : 1;

            *ret_open += 1;
            *ret_wait_ms = *ret_wait_ms == 0 || wait_ms < *ret_wait_ms ? wait_ms : *ret_wait_ms;
        }
        pass_page_end(pass);
    }
}
