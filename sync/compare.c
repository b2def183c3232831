#include "sync/compare.h"

#include "sync/send.h"

enum { FIELDS_TEXT_MAX = 4096 };

/* What the ordinary sync would make of an object. */
struct trial {
    bool would_change;
    bool is_merge;     /* others went into it */
    struct buf fields; /* names of what would change, joined with commas */
    int64_t fields_count;
    struct str reason;
};

static void trial_fini(struct trial *trial)
{
    buf_fini(&trial->fields);
}
#define AUTO_TRIAL __attribute__((cleanup(trial_fini)))

/* --- findings --------------------------------------------------------------------------------------------------------------- */

static struct store_difference difference_of(const struct comparing *comparing,
                                             enum difference_what what, struct str remote_id,
                                             int64_t record_id, int64_t since_ms)
{
    return (struct store_difference){.connection_id = comparing->pass->connection->row.id,
                                     .kind = comparing->pass->kind->name,
                                     .what = what,
                                     .remote_id = remote_id,
                                     .record_id = record_id,
                                     .bucket = remote_id.len ? bucket_of(remote_id) : 0,
                                     .fields = STR(""),
                                     .since_ms = since_ms,
                                     .reason = STR("")};
}

/* A mark is a hint like that of a webhook: the next sync reads the object and decides. */
static enum fail mark(struct comparing *comparing, struct store_difference *difference,
                      struct error *err)
{
    struct pass *pass = comparing->pass;

    difference->is_marked = comparing->state.is_repair;
    return comparing->state.is_repair ? dirty_put(pass->tx, difference->connection_id,
                                                  difference->kind, difference->remote_id, err)
                                      : OK;
}

static enum fail put(struct comparing *comparing, struct store_difference *difference,
                     int64_t link_id, struct error *err)
{
    struct pass *pass = comparing->pass;

    if (difference->reason.len == 0 &&
        difference_reason(pass->tx, difference, link_id, &pass->arena, &difference->reason, err) !=
            OK) {
        return err->code;
    }
    return difference_put(pass->tx, comparing->state.began_ms, difference, err);
}

static enum fail put_marked(struct comparing *comparing, struct store_difference *difference,
                            int64_t link_id, struct error *err)
{
    return mark(comparing, difference, err) ? err->code : put(comparing, difference, link_id, err);
}

/* --- trying an object out ---------------------------------------------------------------------------------------------------- */

static void add_name(struct trial *trial, struct str name)
{
    struct str rest = buf_str(&trial->fields);

    while (rest.at && rest.len) {
        if (str_equal(str_cut(&rest, ','), name)) {
            return;
        }
    }
    buf_addf(&trial->fields, "%s%" PRI_STR, trial->fields_count ? "," : "", STR_ARG(name));
    trial->fields_count++;
}

static bool allow(void *context, const struct change *changes, size_t count, struct str remote_id)
{
    (void)context;
    (void)changes;
    (void)count;
    (void)remote_id;
    return true; /* never asked: the savepoint is taken back whatever is told */
}

static void gather(struct pass *pass, size_t times_wanted, struct trial *trial)
{
    trial->would_change = pass->changes_count > 0 || pass->times_wanted_count > times_wanted;
    for (size_t i = 0; i < pass->changes_count; i++) {
        const struct change *change = &pass->changes[i];

        trial->is_merge = trial->is_merge || change->op == CHANGE_MERGE;
        for (size_t f = 0; change->op != CHANGE_CREATE && f < change->fields_count; f++) {
            add_name(trial, change->fields[f].field);
        }
    }
}

/* observe() with its changes told, inside a savepoint that the caller takes back. */
static enum fail observe_told(struct comparing *comparing, const struct remote_record *remote,
                              int64_t began_ms, struct trial *trial, struct error *err)
{
    static const struct gate TOLD = {.allows = allow};
    struct pass *pass = comparing->pass;
    struct sync *sync = pass->sync;
    struct sync watched = *sync;
    size_t times_wanted = pass->times_wanted_count;
    bool was_pinned = pass->is_pinned;
    enum fail failed;

    watched.gate = &TOLD;
    pass->sync = &watched;
    pass->is_pinned = true;
    pass->changes_count = 0;
    failed = observe(pass, remote, began_ms, err);
    pass->sync = sync;
    pass->is_pinned = was_pinned;
    gather(pass, times_wanted, trial);
    pass->times_wanted_count = times_wanted;
    pass->changes_count = 0;
    return failed;
}

/* Of an object that cannot be taken in, or is set aside only now. */
static enum fail ask_reason(struct comparing *comparing, const struct remote_record *remote,
                            enum fail failed, struct trial *trial, struct error *err)
{
    struct pass *pass = comparing->pass;
    struct store_difference about =
        difference_of(comparing, DIFFERENCE_CREATED_THERE, remote->remote_id, 0, 0);

    if (failed == FAIL_RECORD || failed == FAIL_STALE) {
        error_reset(err);
        trial->would_change = true;
        trial->reason = STR("set aside: refused");
        return OK;
    }
    if (failed != OK) {
        return failed;
    }
    return difference_reason(pass->tx, &about, 0, &pass->arena, &trial->reason, err);
}

static enum fail try_out(struct comparing *comparing, const struct remote_record *remote,
                         int64_t began_ms, struct trial *trial, struct error *err)
{
    struct pass *pass = comparing->pass;
    struct run_counts counts = *pass->counts;
    struct error ending = {0};
    enum fail failed;

    buf_init(&trial->fields, FIELDS_TEXT_MAX);
    if (tx_savepoint(pass->tx, err) != OK) {
        return err->code;
    }
    failed = observe_told(comparing, remote, began_ms, trial, err);
    failed = ask_reason(comparing, remote, failed, trial, err);
    *pass->counts = counts;
    if (tx_savepoint_end(pass->tx, false, &ending) != OK && failed == OK) {
        *err = ending;
        failed = ending.code;
    }
    return failed;
}

/* --- what is to be written there ---------------------------------------------------------------------------------------------------------------- */

/* What differs from the base and could be written there. */
struct moved {
    struct str *fields;
    size_t count;
    struct buf names; /* the same, joined with commas */
};

static void moved_fini(struct moved *moved)
{
    buf_fini(&moved->names);
}
#define AUTO_MOVED __attribute__((cleanup(moved_fini)))

/* What the merge says while the other side stands still. A property that was in no answer has no place on the object. */
static bool is_to_push(struct pass *pass, const struct map_entry *entry, const struct base *base,
                       const struct fields *hub)
{
    struct str name = entry->field->name;
    const struct value *there = fields_get(&base->remote, name);
    const struct merge_question question = {.base_hub = fields_get(&base->hub, name),
                                            .base_remote = there,
                                            .hub = fields_get(hub, name),
                                            .remote = there,
                                            .flow = pass_flow(pass, entry),
                                            .keep_on_blank_in = entry_keeps_blank(entry, true),
                                            .keep_on_blank_out = entry_keeps_blank(entry, false),
                                            .policy = pass_policy(pass, name)};

    return there->state != VALUE_ABSENT && merge_field(&question, &pass->arena).wants_push;
}

static struct moved moved_new(struct pass *pass)
{
    struct moved moved = {
        .fields = ARENA_ARRAY(&pass->arena, struct str, pass->mapping->entries_count + 1)};

    buf_init(&moved.names, FIELDS_TEXT_MAX);
    return moved;
}

static void add_moved(struct moved *moved, struct str field)
{
    buf_addf(&moved->names, "%s%" PRI_STR, moved->count ? "," : "", STR_ARG(field));
    moved->fields[moved->count++] = field;
}

static void find_moved(struct pass *pass, const struct base *base, const struct fields *hub,
                       struct moved *moved)
{
    for (size_t i = 0; i < pass->mapping->entries_count; i++) {
        const struct map_entry *entry = &pass->mapping->entries[i];

        if (!is_field_agreed(pass, entry, base, hub) && is_to_push(pass, entry, base, hub)) {
            add_moved(moved, entry->field->name);
        }
    }
}

static const char *note_text(const struct map_note *note)
{
    switch (note->type) {
    case NOTE_REFERENCE_WAITS:
        return "waits for another record";
    case NOTE_FIELD_HELD:
        return "its value has no place there";
    case NOTE_OWNER_UNKNOWN:
        return "its owner is not known there";
    }
    return "";
}

static struct map_notes notes_of_writing(struct pass *pass, const struct fields *hub,
                                         const struct moved *moved)
{
    struct reference_resolver resolver = pass_resolver(pass);
    struct map_notes notes = {0};
    json_t *nothing = json_object();
    json_t *props = NULL;

    arena_defer(&pass->arena, (void (*)(void *))json_decref, nothing);
    map_out(pass->mapping, hub, moved->fields, moved->count, nothing, &resolver, &pass->arena,
            &props, &notes);
    return notes;
}

/* NULL: nothing is noted about it. */
static const struct map_note *note_of(const struct map_notes *notes, struct str field)
{
    for (size_t n = 0; n < notes->count; n++) {
        if (str_equal(notes->at[n].entry->field->name, field)) {
            return &notes->at[n];
        }
    }
    return NULL;
}

/* Why nothing of it can be written now: each field waits or has no place there. "" something can. */
static struct str held_by(struct pass *pass, const struct fields *hub, const struct moved *moved)
{
    struct map_notes notes = notes_of_writing(pass, hub, moved);
    const char *text = "";

    for (size_t i = 0; i < moved->count; i++) {
        const struct map_note *note = note_of(&notes, moved->fields[i]);

        if (!note) {
            return STR("");
        }
        text = note_text(note);
    }
    return str_of(text);
}

/* Why a push would leave all of it as it stands there: what points there to objects that are not linked is not overwritten unseen, and the rest cannot
 * be written. "" it would not. */
static struct str kept_there(struct pass *pass, const struct remote_record *remote,
                             const struct fields *hub, const struct moved *moved)
{
    struct reference_resolver resolver = pass_resolver(pass);
    struct map_notes writing = notes_of_writing(pass, hub, moved), reading = {0};
    struct fields fields = {0};

    map_in(pass->mapping, remote->props, &resolver, &pass->arena, &fields, &reading);
    for (size_t i = 0; i < moved->count; i++) {
        const struct map_note *note = note_of(&reading, moved->fields[i]);

        if (!(note && note->type == NOTE_REFERENCE_WAITS) && !note_of(&writing, moved->fields[i])) {
            return STR("");
        }
    }
    return STR("it points there to what is not linked here");
}

/* A pair whose link claims that it was written there is pushed again; another one is to be pushed anyway. */
static enum fail put_to_push(struct comparing *comparing, int64_t link_id,
                             struct store_difference *difference, struct error *err)
{
    struct pass *pass = comparing->pass;

    if (put(comparing, difference, link_id, err) != OK || difference->reason.len ||
        !comparing->state.is_repair) {
        return err->code;
    }
    difference->is_marked = true;
    if (difference_put(pass->tx, comparing->state.began_ms, difference, err) != OK) {
        return err->code;
    }
    return link_push_again(pass->tx, link_id, err);
}

static void tell_moved(struct pass *pass, const struct fields *hub, const struct moved *moved,
                       struct store_difference *ret)
{
    ret->fields = arena_str(&pass->arena, buf_str(&moved->names));
    ret->fields_count = (int64_t)moved->count;
    ret->reason = held_by(pass, hub, moved);
}

/* --- objects ------------------------------------------------------------------------------------------------------------------ */

/* The link was ended because the object was gone, or waits to be: that it is there says something. */
static enum fail is_ended_there(struct pass *pass, const struct link_sight *sight, bool *ret,
                                struct error *err)
{
    struct store_link link;
    bool found;

    *ret = sight->state == LINK_GONE;
    if (sight->state != LINK_UNLINKED) {
        return OK;
    }
    if (link_by_id(pass->tx, sight->id, &pass->arena, &link, &found, err) != OK) {
        return err->code;
    }
    *ret = found && link.gone_since_ms != 0;
    return OK;
}

/* The values as the mapping reads them now; nothing is noted about those that it cannot read. */
static bool shows_the_base(struct pass *pass, const struct link_sight *sight,
                           const struct remote_record *remote)
{
    struct reference_resolver resolver = pass_resolver(pass);
    struct map_notes notes = {0};
    struct fields fields = {0};
    struct digest digest;

    if (!sight->has_digest) {
        return false;
    }
    map_in(pass->mapping, remote->props, &resolver, &pass->arena, &fields, &notes);
    digest = pass_digest(pass, &fields);
    return digest_equal(&sight->digest, &digest);
}

static enum fail suspect_unlinked(struct comparing *comparing, const struct remote_record *remote,
                                  int64_t began_ms, bool *ret_suspect, struct error *err)
{
    AUTO_TRIAL struct trial trial = {0};
    enum fail failed = try_out(comparing, remote, began_ms, &trial, err);

    *ret_suspect = trial.would_change || trial.reason.len > 0;
    return failed;
}

enum fail compare_listed(struct comparing *comparing, const struct remote_record *remote,
                         int64_t began_ms, int64_t *ret_link_id, bool *ret_suspect,
                         struct error *err)
{
    struct pass *pass = comparing->pass;
    struct link_sight sight;
    bool found;

    *ret_link_id = 0;
    *ret_suspect = true;
    if (remote->state != REMOTE_LIVE) {
        return OK;
    }
    if (link_sight_of(pass->tx, pass->connection->row.id, pass->kind->name, remote->remote_id,
                      &sight, &found, err) != OK) {
        return err->code;
    }
    if (!found) {
        return suspect_unlinked(comparing, remote, began_ms, ret_suspect, err);
    }
    if (sight.state != LINK_LIVE) {
        return is_ended_there(pass, &sight, ret_suspect, err);
    }
    *ret_link_id = sight.id;
    *ret_suspect = !shows_the_base(pass, &sight, remote);
    return OK;
}

static enum fail compare_unlinked(struct comparing *comparing, const struct remote_record *remote,
                                  int64_t began_ms, struct error *err)
{
    struct store_difference difference = difference_of(comparing, DIFFERENCE_CREATED_THERE,
                                                       remote->remote_id, 0, remote->created_ms);
    AUTO_TRIAL struct trial trial = {0};
    enum fail failed = try_out(comparing, remote, began_ms, &trial, err);

    if (failed != OK || (!trial.would_change && trial.reason.len == 0)) {
        return failed;
    }
    if (trial.is_merge) {
        difference.what = DIFFERENCE_MERGED_THERE; /* the survivor, by a new id */
    }
    difference.reason = trial.reason;
    return put_marked(comparing, &difference, 0, err);
}

static enum fail compare_moved(struct comparing *comparing, const struct link_sight *sight,
                               const struct remote_record *remote, int64_t began_ms,
                               struct error *err)
{
    struct store_difference difference =
        difference_of(comparing, DIFFERENCE_CHANGED_THERE, remote->remote_id, sight->record_id,
                      remote->modified_ms);
    AUTO_TRIAL struct trial trial = {0};
    enum fail failed = try_out(comparing, remote, began_ms, &trial, err);

    if (failed != OK || !trial.would_change) {
        return failed; /* reformatted, or our own write coming back: nothing to take over */
    }
    difference.fields = arena_str(&comparing->pass->arena, buf_str(&trial.fields));
    difference.fields_count = trial.fields_count;
    return put_marked(comparing, &difference, sight->id, err);
}

/* What the merge would push, of what has a place on the object; nothing stays of it. */
static enum fail try_merge(struct comparing *comparing, const struct remote_record *remote,
                           struct store_link *link, struct store_record *record,
                           struct moved *moved, struct error *err)
{
    struct pass *pass = comparing->pass;
    struct run_counts counts = *pass->counts;
    size_t times_wanted = pass->times_wanted_count;
    struct push_list push = {0};
    struct fields shown = {0};
    struct error ending = {0};
    enum fail failed;

    if (tx_savepoint(pass->tx, err) != OK) {
        return err->code;
    }
    failed = read_fields(pass, remote, record->id, &shown, err);
    failed = failed ? failed : merge_link(pass, link, record, remote, &shown, &push, err);
    *pass->counts = counts;
    pass->times_wanted_count = times_wanted;
    if (tx_savepoint_end(pass->tx, false, &ending) != OK && failed == OK) {
        *err = ending;
        failed = ending.code;
    }
    for (size_t i = 0; failed == OK && i < push.count; i++) {
        if (fields_get(&shown, push.fields[i])->state != VALUE_ABSENT) {
            add_moved(moved, push.fields[i]);
        }
    }
    return failed;
}

/* The base says that not all is written there: what would a push do? What stands there and cannot be read, for one, is not overwritten. */
static enum fail compare_claim(struct comparing *comparing, const struct link_sight *sight,
                               const struct remote_record *remote, struct error *err)
{
    struct pass *pass = comparing->pass;
    struct store_difference difference;
    AUTO_MOVED struct moved moved = moved_new(pass);
    struct store_record record;
    struct store_link link;
    bool found, has_record;

    if (link_by_id(pass->tx, sight->id, &pass->arena, &link, &found, err) != OK ||
        record_by_id(pass->tx, sight->record_id, &pass->arena, &record, &has_record, err) != OK ||
        !found || !has_record || record.state != RECORD_LIVE) {
        return err->code;
    }
    difference = difference_of(comparing, DIFFERENCE_CHANGED_HERE, remote->remote_id, record.id,
                               record.updated_ms);
    if (try_merge(comparing, remote, &link, &record, &moved, err) != OK || moved.count == 0) {
        return err->code;
    }
    tell_moved(pass, &record.fields, &moved, &difference);
    if (difference.reason.len == 0) {
        difference.reason = kept_there(pass, remote, &record.fields, &moved);
    }
    return put_to_push(comparing, sight->id, &difference, err);
}

static enum fail compare_linked(struct comparing *comparing, const struct link_sight *sight,
                                const struct remote_record *remote, int64_t began_ms,
                                struct error *err)
{
    struct pass *pass = comparing->pass;
    struct store_difference back = difference_of(
        comparing, DIFFERENCE_BACK_THERE, remote->remote_id, sight->record_id, remote->modified_ms);
    bool is_back;

    if (sight->state == LINK_LIVE && comparing->is_about_claims &&
        compare_claim(comparing, sight, remote, err) != OK) {
        return err->code;
    }
    if (sight->state == LINK_LIVE) {
        return shows_the_base(pass, sight, remote)
                   ? OK
                   : compare_moved(comparing, sight, remote, began_ms, err);
    }
    if (is_ended_there(pass, sight, &is_back, err) != OK || !is_back) {
        return err->code;
    }
    return put_marked(comparing, &back, sight->id, err);
}

enum fail compare_read(struct comparing *comparing, const struct remote_record *remote,
                       int64_t began_ms, struct error *err)
{
    struct pass *pass = comparing->pass;
    struct link_sight sight = {0};
    struct store_difference gone;
    bool found;

    if (link_sight_of(pass->tx, pass->connection->row.id, pass->kind->name, remote->remote_id,
                      &sight, &found, err) != OK) {
        return err->code;
    }
    if (remote->state == REMOTE_LIVE) {
        return found ? compare_linked(comparing, &sight, remote, began_ms, err)
                     : compare_unlinked(comparing, remote, began_ms, err);
    }
    if (!found || sight.state != LINK_LIVE) {
        return OK; /* known, or never ours */
    }
    gone = difference_of(comparing,
                         remote->state == REMOTE_GONE ? DIFFERENCE_DELETED_THERE
                                                      : DIFFERENCE_MERGED_THERE,
                         remote->remote_id, sight.record_id, remote->modified_ms);
    return put_marked(comparing, &gone, sight.id, err);
}

/* --- pairs here ---------------------------------------------------------------------------------------------------------------- */

static enum fail compare_fields(struct comparing *comparing, const struct store_pair *pair,
                                bool *ret_agrees, struct error *err)
{
    struct pass *pass = comparing->pass;
    struct store_difference difference = difference_of(
        comparing, DIFFERENCE_CHANGED_HERE, pair->remote_id, pair->record_id, pair->updated_ms);
    AUTO_MOVED struct moved moved = moved_new(pass);
    struct fields hub;
    struct base base;

    if (fields_from_json(&pass->arena, pair->fields, &hub, err) != OK ||
        base_from_json(&pass->arena, pair->base, &base, err) != OK) {
        return error_wrap(err, "pair of object '%" PRI_STR "'", STR_ARG(pair->remote_id));
    }
    find_moved(pass, &base, &hub, &moved);
    *ret_agrees = moved.count == 0;
    if (*ret_agrees) {
        return OK;
    }
    tell_moved(pass, &hub, &moved, &difference);
    if (difference.reason.len == 0 &&
        difference_reason(pass->tx, &difference, pair->link_id, &pass->arena, &difference.reason,
                          err) != OK) {
        return err->code;
    }
    if (difference.reason.len == 0) { /* what stands there says whether a push would write */
        return reconcile_suspect_add(pass->tx, &comparing->state, pair->remote_id, err);
    }
    return put_to_push(comparing, pair->link_id, &difference, err);
}

/* Only an error of this machine leaves a link without its record; it is forgotten, and its object looked at as if it were new. */
static enum fail compare_broken(struct comparing *comparing, const struct store_pair *pair,
                                struct error *err)
{
    struct store_difference difference =
        difference_of(comparing, DIFFERENCE_BROKEN_LINK, pair->remote_id, pair->record_id, 0);

    if (put_marked(comparing, &difference, pair->link_id, err) != OK ||
        !comparing->state.is_repair) {
        return err->code;
    }
    return link_forget(comparing->pass->tx, pair->link_id, err);
}

enum fail compare_pair(struct comparing *comparing, const struct store_pair *pair, bool *ret_agrees,
                       struct error *err)
{
    struct store_difference deleted = difference_of(
        comparing, DIFFERENCE_DELETED_HERE, pair->remote_id, pair->record_id, pair->updated_ms);

    *ret_agrees = false;
    if (!pair->has_record) {
        return compare_broken(comparing, pair, err);
    }
    if (pair->record_state == RECORD_DELETED) {
        return put_to_push(comparing, pair->link_id, &deleted, err);
    }
    if (pair->record_state == RECORD_MERGED || pair->is_resting) {
        *ret_agrees = true; /* a leftover, shown elsewhere; or it takes no part */
        return OK;
    }
    return compare_fields(comparing, pair, ret_agrees, err);
}

enum fail compare_lonely(struct comparing *comparing, int64_t record_id, struct error *err)
{
    struct pass *pass = comparing->pass;
    struct store_record record;
    struct store_difference difference;
    bool found, takes;

    if (record_by_id(pass->tx, record_id, &pass->arena, &record, &found, err) != OK || !found ||
        pair_takes_part(pass, &record, NULL, &takes, err) != OK || !takes) {
        return err->code;
    }
    difference = difference_of(comparing, DIFFERENCE_NOT_CREATED_THERE, STR(""), record.id,
                               record.created_ms);
    difference.is_marked = comparing->state.is_repair; /* what has no object is created anyway */
    return put(comparing, &difference, 0, err);
}
