/* Undo: first everything is looked at, so that a record is taken back whole or not at all; then the CRMs, kinds in reverse order so that what points to
 * something goes before it; then the records here. */
#include "sync/undo_there.h"

#include <inttypes.h>
#include <stdio.h>

#include "store/audit.h"

static const char *key_of(int64_t record_id, char ret[24])
{
    snprintf(ret, 24, "%" PRId64, record_id);
    return ret;
}

static void tell_not(struct undo *undo, const struct effect *effect, const char *why)
{
    undo->tell(undo->context,
               &(const struct change){.kind = effect->record.kind,
                                      .uuid = effect->record.uuid,
                                      .record = effect->record.fields},
               why);
}

void undo_refuse(struct undo *undo, const struct effect *effect, const char *why)
{
    char key[24];

    if (undo_refusal(undo, effect->record.id)) {
        return;
    }
    json_object_set_new(undo->refused, key_of(effect->record.id, key), json_string(why));
    if (undo->is_telling) {
        undo->result->refused++;
        tell_not(undo, effect, why);
    }
}

const char *undo_refusal(const struct undo *undo, int64_t record_id)
{
    char key[24];

    return json_string_value(json_object_get(undo->refused, key_of(record_id, key)));
}

/* Told while looking, with all that may still be refused left out later: the record's turn here comes last. */
void undo_tell(struct undo *undo, const struct change *change)
{
    if (undo->is_telling) {
        undo->result->done++;
        undo->tell(undo->context, change, NULL);
    }
}

/* --- the records here -------------------------------------------------------------------------------------------------------- */

static bool is_as_left(const struct effect *effect)
{
    for (size_t i = 0; i < effect->to.count; i++) {
        const struct value *now = fields_get(&effect->record.fields, effect->to.at[i].name);
        const struct value *then = &effect->to.at[i].value;
        const struct value *before = fields_get(&effect->from, effect->to.at[i].name);

        if (!value_equal(now, then) && !(value_is_blank(now) && value_is_blank(then)) &&
            (effect->is_created || !value_equal(now, before))) {
            return false;
        }
    }
    for (size_t i = 0; effect->is_created && i < effect->record.fields.count; i++) {
        const struct field *field = &effect->record.fields.at[i];

        if (!value_is_blank(&field->value) &&
            fields_get(&effect->to, field->name)->state == VALUE_ABSENT) {
            return false; /* somebody has filled it in since */
        }
    }
    return true;
}

static bool is_links_own(const struct effect *effect, const struct store_link *link)
{
    for (size_t i = 0; i < effect->links_count; i++) {
        if (effect->links[i].connection_id == link->connection_id &&
            str_equal(effect->links[i].remote_id, link->remote_id)) {
            return true;
        }
    }
    for (size_t i = 0; i < effect->there_count; i++) {
        if (effect->there[i].is_created && effect->there[i].connection_id == link->connection_id &&
            str_equal(effect->there[i].remote_id, link->remote_id)) {
            return true;
        }
    }
    return false;
}

static bool has_slot(const struct undo *undo, int64_t connection_id, struct str kind)
{
    for (size_t i = 0; i < undo->run.slots_count; i++) {
        if (undo->run.slots[i].connection->row.id == connection_id &&
            str_equal(undo->run.slots[i].kind->name, kind)) {
            return true;
        }
    }
    return false;
}

/* Every side that the run touched can be reached. */
static bool is_reachable(const struct undo *undo, const struct effect *effect)
{
    for (size_t i = 0; i < effect->there_count; i++) {
        if (!has_slot(undo, effect->there[i].connection_id, effect->record.kind)) {
            return false;
        }
    }
    for (size_t i = 0; i < effect->links_count; i++) {
        if (!has_slot(undo, effect->links[i].connection_id, effect->record.kind)) {
            return false;
        }
    }
    return true;
}

/* NULL: nothing stands against it. */
static const char *why_not_here(const struct effect *effect, const struct store_link *links,
                                size_t count)
{
    if (effect->record.state != RECORD_LIVE) {
        return "the record is not live any more";
    }
    if (!is_as_left(effect)) {
        return "the record was changed after the run";
    }
    for (size_t i = 0; effect->is_created && i < count; i++) {
        if (!is_links_own(effect, &links[i])) {
            return "a later run has linked it elsewhere";
        }
    }
    return NULL;
}

static enum fail look_here(struct undo *undo, struct tx *tx, int64_t record_id, struct arena *arena,
                           struct error *err)
{
    struct effect effect;
    struct store_link *links;
    size_t count;
    const char *why;

    if (effect_of_run(tx, undo->run_id, record_id, arena, &effect, err) != OK ||
        links_of_record(tx, record_id, arena, &links, &count, err) != OK) {
        return err->code;
    }
    if (effect.impossible) {
        undo->result->impossible++;
        tell_not(undo, &effect, effect.impossible);
        return OK;
    }
    why = undo_refusal(undo, record_id);
    why = why ? why
          : is_reachable(undo, &effect)
              ? NULL
              : "a connection or kind that the run touched is not set up any more";
    why = why ? why : why_not_here(&effect, links, count);
    if (why && effect.record.state != RECORD_LIVE && effect.is_created) {
        return OK; /* taken back before */
    }
    if (why) {
        undo_refuse(undo, &effect, why);
        undo->result->refused++;
        tell_not(undo, &effect, why);
    }
    return OK;
}

/* The object is to be looked at again, as if it had not been seen. */
static enum fail forget_link(struct tx *tx, const struct store_link *link, bool is_object_left,
                             struct error *err)
{
    if (link_forget(tx, link->id, err) != OK) {
        return err->code;
    }
    return is_object_left ? dirty_put(tx, link->connection_id, link->kind, link->remote_id, err)
                          : OK;
}

/* Links that stay: where the change came from, the former value is what both sides agreed on, so that the object counts as moved again. */
static enum fail rewind_base(struct undo *undo, struct tx *tx, const struct effect *effect,
                             struct store_link *link, struct arena *arena, struct error *err)
{
    bool is_source = false;

    (void)undo;
    for (size_t i = 0; i < effect->sources_count; i++) {
        is_source = is_source || effect->sources[i] == link->connection_id;
    }
    for (size_t i = 0; is_source && i < effect->from.count; i++) {
        const struct field *field = &effect->from.at[i];

        if (fields_get(&link->base.hub, field->name)->state != VALUE_ABSENT) {
            fields_set(&link->base.hub, arena, field->name, field->value);
            fields_set(&link->base.remote, arena, field->name, field->value);
        }
    }
    link->synced_version = effect->record.version - 1;
    link->has_digest = is_source ? false : link->has_digest;
    if (link_update(tx, link, err) != OK) {
        return err->code;
    }
    return is_source ? dirty_put(tx, link->connection_id, link->kind, link->remote_id, err) : OK;
}

static enum fail rewind_links(struct undo *undo, struct tx *tx, const struct effect *effect,
                              struct arena *arena, struct error *err)
{
    struct store_link *links;
    size_t count;
    enum fail failed = OK;

    if (links_of_record(tx, effect->record.id, arena, &links, &count, err) != OK) {
        return err->code;
    }
    for (size_t i = 0; i < count && failed == OK; i++) {
        failed = effect->is_created || is_links_own(effect, &links[i])
                     ? forget_link(tx, &links[i], true, err)
                     : rewind_base(undo, tx, effect, &links[i], arena, err);
    }
    return failed;
}

static enum fail rewind_record(struct undo *undo, struct tx *tx, struct effect *effect,
                               struct arena *arena, struct error *err)
{
    struct store_record *record = &effect->record;
    const struct kind *kind = kind_by_name(undo->run.sync->settings->kinds, record->kind);
    struct str *keys;
    int64_t now_ms = clock_wall_ms(undo->run.sync->env->clock);
    struct journal_change *changes =
        ARENA_ARRAY(arena, struct journal_change, effect->from.count + 1);
    struct journal_entry entry = {.record_id = record->id,
                                  .at_ms = now_ms,
                                  .run_id = undo->run.report->run_id,
                                  .cause = effect->is_created ? CAUSE_DELETE : CAUSE_LOCAL,
                                  .changes = changes};

    if (!kind || (!effect->is_created && effect->from.count == 0)) {
        return OK;
    }
    for (size_t i = 0; !effect->is_created && i < effect->from.count; i++) {
        const struct field *field = &effect->from.at[i];

        changes[entry.changes_count++] = (struct journal_change){
            .field = field->name,
            .from = *fields_get(&record->fields, field->name),
            .to = field->value,
            .rule = arena_printf(arena, "undo of run %" PRId64, undo->run_id),
            .changed_ms = now_ms,
            .time_is_exact = true};
        fields_set(&record->fields, arena, field->name, field->value);
    }
    record->state = effect->is_created ? RECORD_DELETED : RECORD_LIVE;
    record->updated_ms = now_ms;
    keys = ARENA_ARRAY(arena, struct str, kind->matches_count + 1);
    kind_match_keys(kind, &record->fields, arena, keys);
    if (record_update(tx, record, effect->is_created ? NULL : keys,
                      effect->is_created ? 0 : kind->matches_count, err) != OK) {
        return err->code;
    }
    entry.record_version = record->version;
    return journal_append(tx, &entry, err);
}

static void tell_here(struct undo *undo, const struct effect *effect, struct arena *arena)
{
    struct journal_change *fields =
        ARENA_ARRAY(arena, struct journal_change, effect->from.count + 1);
    struct change change = {.op = effect->is_created ? CHANGE_DELETE : CHANGE_UPDATE,
                            .kind = effect->record.kind,
                            .uuid = effect->record.uuid,
                            .record = effect->record.fields,
                            .fields = fields};

    for (size_t i = 0; !effect->is_created && i < effect->from.count; i++) {
        fields[change.fields_count++] = (struct journal_change){
            .field = effect->from.at[i].name,
            .from = *fields_get(&effect->record.fields, effect->from.at[i].name),
            .to = effect->from.at[i].value,
            .rule = STR("undo")};
    }
    if (effect->is_created || change.fields_count) {
        undo_tell(undo, &change);
    } else if (effect->links_count) {
        change.op = CHANGE_UNLINK;
        undo_tell(undo, &change);
    }
}

static enum fail rewind_here(struct undo *undo, struct tx *tx, int64_t record_id,
                             struct arena *arena, struct error *err)
{
    struct effect effect;

    if (undo_refusal(undo, record_id)) {
        return OK;
    }
    if (effect_of_run(tx, undo->run_id, record_id, arena, &effect, err) != OK) {
        return err->code;
    }
    if (effect.impossible || effect.record.state != RECORD_LIVE) {
        return OK;
    }
    tell_here(undo, &effect, arena);
    if (!undo->do_it) {
        return OK;
    }
    undo->run.report->counts.updated_here += !effect.is_created && effect.from.count;
    undo->run.report->counts.deleted_here += effect.is_created;
    if (rewind_record(undo, tx, &effect, arena, err) != OK) {
        return err->code;
    }
    return rewind_links(undo, tx, &effect, arena, err);
}

typedef enum fail here_fn(struct undo *undo, struct tx *tx, int64_t record_id, struct arena *arena,
                          struct error *err);

static enum fail each_record(struct undo *undo, here_fn *work, struct error *err)
{
    const struct sync *sync = undo->run.sync;
    int64_t ids[UNDO_BATCH];
    int64_t before_id = 0;

    for (;;) {
        AUTO_TX struct tx *tx = NULL;
        AUTO_ARENA struct arena arena = {0};
        size_t count;

        if (tx_begin(sync->store, sync->tenant_id, &tx, err) != OK ||
            journal_records_of_run(tx, undo->run_id, before_id, UNDO_BATCH, ids, &count, err) !=
                OK) {
            return err->code;
        }
        for (size_t i = 0; i < count; i++) {
            if (work(undo, tx, ids[i], &arena, err) != OK) {
                return err->code;
            }
        }
        if (tx_commit(&tx, err) != OK) {
            return err->code;
        }
        if (count == 0) {
            return OK;
        }
        before_id = ids[count - 1];
    }
}

/* --- the whole --------------------------------------------------------------------------------------------------------------- */

static enum fail slice_undo(struct run *run, struct slot *slot, struct pass *pass,
                            struct error *err)
{
    (void)slot;
    return undo_there((struct undo *)(void *)run, pass, err); /* run is its first member */
}

static struct error last_problem(const struct undo *undo)
{
    const struct sync_report *report = undo->run.report;
    struct error unknown = {0};

    if (report->problems_count) {
        return report->problems[report->problems_count - 1].error;
    }
    error_set(&unknown, FAIL_CONNECTION, "it cannot be reached");
    return unknown;
}

static enum fail note_undo(struct undo *undo, struct tx *tx, struct arena *arena, struct error *err)
{
    const struct audit_note note = {.action = "run.undo-begun",
                                    .subject = arena_printf(arena, "run %" PRId64, undo->run_id)};

    return undo->do_it ? audit_put(tx, &note, err) : OK;
}

/* What the journal says was done may have been taken back since, by a run that is forgotten. */
static enum fail refuse_restored(struct tx *tx, struct arena *arena, struct error *err)
{
    struct restoring *rows;
    size_t count;

    if (restoring_list(tx, arena, &rows, &count, err) != OK || count == 0) {
        return err->code;
    }
    error_set(err, FAIL_CONFIG, "the store was restored, and not everything has been read since");
    return error_hint(err, "run 'crmsync sync' first");
}

static enum fail find_run(struct undo *undo, struct error *err)
{
    AUTO_TX struct tx *tx = NULL;
    AUTO_ARENA struct arena arena = {0};
    struct store_run *run;
    int64_t id;
    size_t count;

    if (tx_begin(undo->run.sync->store, undo->run.sync->tenant_id, &tx, err) != OK ||
        refuse_restored(tx, &arena, err) != OK ||
        journal_records_of_run(tx, undo->run_id, 0, 1, &id, &count, err) != OK ||
        run_list(tx, undo->run_id + 1, 1, &arena, &run, &count, err) != OK ||
        note_undo(undo, tx, &arena, err) != OK) {
        return err->code;
    }
    undo->ended_ms = count && run->id == undo->run_id ? run->ended_ms : 0;
    return tx_commit(&tx, err);
}

/* Kinds in reverse: what points to something goes before it. */
static enum fail each_slot(struct undo *undo, slice_fn *work, struct error *err)
{
    for (size_t i = undo->run.slots_count; i-- > 0;) {
        if (run_slice(&undo->run, &undo->run.slots[i], work, err) != OK) {
            return err->code;
        }
        if (undo->run.slots[i].is_given_up) {
            *err = last_problem(undo);
            return error_wrap(err, "nothing more is undone: connection '%" PRI_STR "'",
                              STR_ARG(undo->run.slots[i].connection->settings->name));
        }
    }
    return OK;
}

static enum fail undo_all(struct undo *undo, struct error *err)
{
    bool do_it = undo->do_it;

    if (each_slot(undo, slice_bind, err) != OK || each_slot(undo, slice_settle, err) != OK) {
        return err->code;
    }
    undo->do_it = false; /* first who would refuse, told nothing but that */
    if (each_slot(undo, slice_undo, err) != OK || each_record(undo, look_here, err) != OK) {
        return err->code;
    }
    undo->do_it = do_it;
    undo->is_telling = true;
    if (each_slot(undo, slice_undo, err) != OK) {
        return err->code;
    }
    return each_record(undo, rewind_here, err);
}

enum fail undo_run(const struct sync *sync, int64_t run_id, bool do_it, undo_fn *tell,
                   void *context, struct undone *ret, struct error *err)
{
    struct sync copy = *sync;
    char command[48];
    struct sync_options options = {.command = command, .wait_max_ms = 5 * 60 * 1000};
    struct undo undo = {.run = {.sync = &copy, .options = &options, .report = &ret->report},
                        .run_id = run_id,
                        .do_it = do_it,
                        .tell = tell,
                        .context = context,
                        .result = ret,
                        .refused = json_object()};
    struct error cause = {0};
    enum fail failed;

    *ret = (struct undone){0};
    snprintf(command, sizeof command, "undo %" PRId64, run_id);
    if (find_run(&undo, err) != OK || run_open(&undo.run, err) != OK) {
        json_decref(undo.refused);
        return err->code;
    }
    failed = undo_all(&undo, &cause);
    json_decref(undo.refused);
    return run_close(&undo.run, failed, &cause, err);
}
