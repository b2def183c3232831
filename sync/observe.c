/* What one remote object, as read, means: unchanged, moved, gone, merged or new. Runs inside the page's transaction. */
#include "sync/pass.h"

#include <assert.h>

static enum fail keep_notes(struct pass *pass, struct str remote_id, int64_t record_id,
                            const struct map_notes *notes, struct error *err)
{
    for (size_t i = 0; i < notes->count; i++) {
        const struct map_note *note = &notes->at[i];
        enum fail failed;

        if (note->type == NOTE_REFERENCE_WAITS) {
            failed = wait_put_inward(pass->tx, pass->connection->row.id, pass->kind->name,
                                     remote_id, note->target_kind, note->target_id, err);
        } else if (note->type == NOTE_OWNER_UNKNOWN) {
            failed = note_owner_unknown(pass, note, err);
        } else {
            failed = note_failure(
                pass, remote_id, record_id, "pull", "value", note->entry->field->name, 0,
                arena_cstr(&pass->arena, note->message),
                "correct the value at the CRM or extend the value map; the record's other fields "
                "are in sync",
                err);
        }
        if (failed != OK) {
            return failed;
        }
    }
    return OK;
}

enum fail read_fields(struct pass *pass, const struct remote_record *remote, int64_t record_id,
                      struct fields *ret, struct error *err)
{
    struct reference_resolver resolver = pass_resolver(pass);
    struct map_notes notes = {0};

    assert(remote->props);
    map_in(pass->mapping, remote->props, &resolver, &pass->arena, ret, &notes);
    return notes.count ? keep_notes(pass, remote->remote_id, record_id, &notes, err) : OK;
}

/* A write in the future is one from before our clock was set back: its time says nothing any more. */
static bool is_before_our_write(const struct pass *pass, const struct link_sight *sight,
                                int64_t began_ms)
{
    return began_ms < sight->last_write_ms && sight->last_write_ms <= pass_now_ms(pass);
}

/* A read that began before our last write was answered says nothing; nor does a listing (its index may lag) that shows an older
 * state than one already merged. A read by id is believed whatever its time stamp. */
static bool is_stale(const struct pass *pass, const struct link_sight *sight,
                     const struct remote_record *remote, int64_t began_ms)
{
    return is_before_our_write(pass, sight, began_ms) ||
           (!pass->is_pinned && remote->modified_ms &&
            remote->modified_ms < sight->remote_modified_ms);
}

/* The object is back at the CRM: a person restored it. The record comes back too when it had been deleted for this. */
static enum fail revive(struct pass *pass, struct store_link *link, struct store_record *record,
                        struct error *err)
{
    struct journal_entry entry = {.record_id = record->id,
                                  .at_ms = pass_now_ms(pass),
                                  .run_id = pass->run_id,
                                  .connection_id = pass->connection->row.id,
                                  .remote_id = link->remote_id,
                                  .cause = CAUSE_RESTORE};
    enum fail failed = OK;
    bool ended;

    link->state = LINK_LIVE;
    link->gone_since_ms = 0;
    if (conflict_end(pass->tx, link->id, STR(""), CONFLICT_CLOSED, STR("closed"), &ended, err) !=
        OK) {
        return err->code;
    }
    if (record->state == RECORD_DELETED) {
        record->state = RECORD_LIVE;
        record->updated_ms = pass_now_ms(pass);
        failed = record_update(pass->tx, record, pass_match_keys(pass, &record->fields),
                               pass->kind->matches_count, err);
        entry.record_version = record->version;
        failed = failed ? failed : pass_journal(pass, CHANGE_RESTORE, record, &entry, err);
    }
    return failed;
}

static enum fail observe_linked(struct pass *pass, const struct link_sight *sight,
                                const struct remote_record *remote, const struct fields *fields,
                                struct error *err)
{
    struct store_link link;
    struct store_record record;
    bool found, takes;

    if (link_by_id(pass->tx, sight->id, &pass->arena, &link, &found, err) != OK ||
        record_by_id(pass->tx, sight->record_id, &pass->arena, &record, &found, err) != OK) {
        return err->code;
    }
    if (!found) {
        return error_set(err, FAIL_BUG, "link %lld points to no record", (long long)sight->id);
    }
    if (record.state == RECORD_MERGED || link.state == LINK_MERGED) {
        return OK;
    }
    if (link.state == LINK_UNLINKED && link.gone_since_ms == 0) {
        return OK; /* ended from this side: that the object is still there is no restore */
    }
    if (link.state != LINK_LIVE &&
        !pass->is_pinned) { /* a listing may lag: only a read by id proves a restore */
        return dirty_put(pass->tx, link.connection_id, link.kind, link.remote_id, err);
    }
    if (pass_selects(pass)) {
        if (pair_takes_part(pass, &record, fields, &takes, err) != OK) {
            return err->code;
        }
        if (!takes) {
            return rest_link(pass, &link, &record, fields, err);
        }
        wake_link(pass, &link, &record);
    }
    if (link.state != LINK_LIVE &&
        (revive(pass, &link, &record, err) != OK || link_update(pass->tx, &link, err) != OK ||
         wait_wake(pass->tx, &link, err) != OK)) {
        return err->code;
    }
    if (record.state == RECORD_DELETED) {
        return OK; /* deleted here; the push decides what happens there */
    }
    link.scan = pass->stream.scan;
    return merge_link(pass, &link, &record, remote, fields, NULL, err);
}

static enum fail follow_absorbed(struct pass *pass, const struct remote_record *remote,
                                 struct error *err)
{
    for (size_t i = 0; i < remote->merged_from_count; i++) {
        if (follow_merge(pass, remote->merged_from[i], remote->remote_id, err) != OK) {
            return err->code;
        }
    }
    return OK;
}

/* An unchanged object costs one look-up and, during a complete listing, one small update. */
static enum fail seen_again(struct pass *pass, const struct link_sight *sight, struct error *err)
{
    pass->counts->unchanged++;
    if (pass->stream.scan != 0 && sight->scan != pass->stream.scan) {
        return link_scan_set(pass->tx, sight->id, pass->stream.scan, err);
    }
    return OK;
}

static enum fail observe_live(struct pass *pass, const struct remote_record *remote,
                              int64_t began_ms, struct error *err)
{
    struct link_sight sight;
    struct fields fields = {0};
    struct digest digest;
    bool found;

    if (follow_absorbed(pass, remote, err) != OK ||
        link_sight_of(pass->tx, pass->connection->row.id, pass->kind->name, remote->remote_id,
                      &sight, &found, err) != OK) {
        return err->code;
    }
    if (!found) {
        return link_up(pass, remote, err);
    }
    if (is_stale(pass, &sight, remote, began_ms)) {
        return dirty_put(pass->tx, pass->connection->row.id, pass->kind->name, remote->remote_id,
                         err);
    }
    if (read_fields(pass, remote, sight.record_id, &fields, err) != OK) {
        return err->code;
    }
    digest = pass_digest(pass, &fields);
    if (!pass->is_pinned && sight.state == LINK_LIVE && sight.has_digest &&
        digest_equal(&sight.digest, &digest)) {
        return seen_again(pass, &sight, err);
    }
    return observe_linked(pass, &sight, remote, &fields, err);
}

enum fail observe(struct pass *pass, const struct remote_record *remote, int64_t began_ms,
                  struct error *err)
{
    assert(pass->tx);
    pass->counts->read++;
    switch (remote->state) {
    case REMOTE_LIVE:
        return observe_live(pass, remote, began_ms, err);
    case REMOTE_GONE:
        return observe_gone(pass, remote->remote_id, err);
    case REMOTE_MERGED:
        return follow_merge(pass, remote->remote_id, remote->merged_into, err);
    }
    return error_set(err, FAIL_BUG, "unknown state of a remote object");
}
