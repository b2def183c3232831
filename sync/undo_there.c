/* Undo at the CRMs: read, compare with what the run wrote, then write back or remove. Crash-safe like every push: an intent first. */
#include "sync/undo_there.h"

#include "core/jx.h"

struct step {
    struct effect effect;
    struct effect_there *there;
    struct store_link link;
    const json_t *props; /* as read just now */
    struct fields shown; /* the same, in normal form */
    struct fields back;  /* what is written */
    struct store_intent intent;
    size_t item; /* SIZE_MAX: nothing to send */
};

struct batch {
    struct undo *undo;
    struct pass *pass;
    struct step *steps;
    size_t count;
    struct write_item *items;
    size_t items_count;
    struct remove_item *removes;
    size_t removes_count;
};

/* An undo was interrupted between ending the link and hearing that the object is removed. */
static bool is_half_removed(const struct step *step)
{
    return step->there->is_created && step->link.state == LINK_UNLINKED;
}

static enum fail add_step(struct batch *batch, int64_t record_id, struct error *err)
{
    struct pass *pass = batch->pass;
    struct step *step = &batch->steps[batch->count];
    struct store_intent intent;
    bool found;

    *step = (struct step){.item = SIZE_MAX};
    if (undo_refusal(batch->undo, record_id)) {
        return OK;
    }
    if (effect_of_run(pass->tx, batch->undo->run_id, record_id, &pass->arena, &step->effect, err) !=
        OK) {
        return err->code;
    }
    if (!str_equal(step->effect.record.kind, pass->kind->name)) {
        return OK;
    }
    if (step->effect.impossible) {
        return OK;
    }
    step->there = effect_at(&step->effect, pass->connection->row.id);
    if (!step->there) {
        return OK;
    }
    if (link_by_record(pass->tx, pass->connection->row.id, record_id, &pass->arena, &step->link,
                       &found, err) != OK) {
        return err->code;
    }
    if (!found) { /* an undo that was interrupted has ended it, or somebody has */
        return OK;
    }
    if (!str_equal(step->link.remote_id, step->there->remote_id) ||
        (step->link.state != LINK_LIVE && !is_half_removed(step))) {
        undo_refuse(batch->undo, &step->effect, "its object at a CRM is another one now, or gone");
        return OK;
    }
    if (intent_of_record(pass->tx, pass->connection->row.id, record_id, &pass->arena, &intent,
                         &found, err) != OK) {
        return err->code;
    }
    if (found) {
        undo_refuse(batch->undo, &step->effect,
                    "what became of a write of it is not known yet; sync first");
        return OK;
    }
    batch->count++;
    return OK;
}

static enum fail gather(struct batch *batch, const int64_t *ids, size_t count, struct error *err)
{
    AUTO_TX struct tx *tx = NULL;
    struct pass *pass = batch->pass;
    enum fail failed = OK;

    if (tx_begin(pass->sync->store, pass->sync->tenant_id, &tx, err) != OK) {
        return err->code;
    }
    pass->tx = tx;
    for (size_t i = 0; i < count && failed == OK; i++) {
        failed = add_step(batch, ids[i], err);
    }
    pass->tx = NULL;
    return failed ? failed : tx_commit(&tx, err);
}

static enum fail read_objects(struct batch *batch, struct arena *arena, struct remote_page *ret,
                              struct error *err)
{
    struct pass *pass = batch->pass;
    struct str *ids = ARENA_ARRAY(arena, struct str, batch->count);
    struct fetch_request request = {.kind = pass->mapping->kind->name.at,
                                    .properties = pass->mapping->properties,
                                    .properties_count = pass->mapping->properties_count,
                                    .remote_ids = ids};

    for (size_t i = 0; i < batch->count; i++) {
        ids[request.remote_ids_count++] = batch->steps[i].link.remote_id;
    }
    return pass->adapter->fetch_many(pass->connection->session, &request, arena, ret, err);
}

static bool holds(struct pass *pass, const struct step *step, const struct map_entry *entry,
                  const struct value *wanted)
{
    const struct value *shown = fields_get(&step->shown, entry->field->name);
    struct value image;

    if (shown->state == VALUE_ABSENT) { /* not shown at all, or something that cannot be read */
        const json_t *there = jx_get(step->props, entry->property.at);

        return !there || json_is_null(there);
    }
    if (value_equal(shown, wanted) || (value_is_blank(shown) && value_is_blank(wanted))) {
        return true;
    }
    image = map_image(entry, wanted, &pass->arena);
    return value_equal(shown, &image);
}

/* As the CRM showed it when both sides last agreed: it may have rewritten what was sent. */
static bool is_as_agreed(const struct step *step, struct str name, const struct value *wanted)
{
    return value_equal(fields_get(&step->link.base.hub, name), wanted) &&
           value_equal(fields_get(&step->link.base.remote, name), fields_get(&step->shown, name));
}

/* Every written field is as the run left it, or as it was before (an undo that was interrupted). */
static bool is_untouched(struct pass *pass, const struct step *step)
{
    for (size_t i = 0; i < step->there->to.count; i++) {
        const struct field *to = &step->there->to.at[i];
        const struct map_entry *entry = mapping_entry(pass->mapping, to->name);
        const struct value *from = fields_get(&step->there->from, to->name);

        if (!entry ||
            (!holds(pass, step, entry, &to->value) && !is_as_agreed(step, to->name, &to->value) &&
             (step->there->is_created || !holds(pass, step, entry, from)))) {
            return false;
        }
    }
    return true;
}

static void tell_step(struct batch *batch, const struct step *step)
{
    struct pass *pass = batch->pass;
    struct journal_change *fields = push_changes(pass, &step->back, &step->shown);

    for (size_t i = 0; i < step->back.count; i++) {
        fields[i].rule = STR("undo");
    }
    undo_tell(batch->undo,
              &(const struct change){.is_there = true,
                                     .op = step->there->is_created ? CHANGE_DELETE : CHANGE_UPDATE,
                                     .connection = pass->settings->name,
                                     .kind = pass->kind->name,
                                     .uuid = step->effect.record.uuid,
                                     .record = step->effect.record.fields,
                                     .remote_id = step->link.remote_id,
                                     .fields = fields,
                                     .fields_count = step->back.count});
}

/* The link rests before its object goes: should this be interrupted, nothing takes the missing object for somebody's delete, and the same
 * command goes on here. */
static enum fail prepare_removal(struct batch *batch, struct step *step, struct error *err)
{
    step->item = batch->removes_count;
    batch->removes[batch->removes_count++] =
        (struct remove_item){.remote_id = step->link.remote_id};
    tell_step(batch, step);
    step->link.state = LINK_UNLINKED;
    step->link.gone_since_ms = 0;
    return batch->undo->do_it ? link_update(batch->pass->tx, &step->link, err) : OK;
}

/* A field that cannot be written back now would be said to be back. */
static bool may_write_back(struct pass *pass, const struct fields *from)
{
    for (size_t i = 0; i < from->count; i++) {
        const struct map_entry *entry = mapping_entry(pass->mapping, from->at[i].name);

        if (!entry || pass_flow(pass, entry) == FLOW_IN || entry->only_at_create) {
            return false;
        }
    }
    return true;
}

static enum fail prepare_write(struct batch *batch, struct step *step,
                               const struct remote_record *remote, struct error *err)
{
    struct pass *pass = batch->pass;
    struct reference_resolver resolver = pass_resolver(pass);
    struct str *names = ARENA_ARRAY(&pass->arena, struct str, step->there->from.count + 1);
    struct map_notes notes = {0};
    json_t *props;

    for (size_t i = 0; i < step->there->from.count; i++) {
        names[i] = step->there->from.at[i].name;
    }
    map_out(pass->mapping, &step->there->from, names, step->there->from.count, remote->props,
            &resolver, &pass->arena, &props, &notes);
    if (notes.count || json_object_size(props) == 0 || !may_write_back(pass, &step->there->from)) {
        undo_refuse(batch->undo, &step->effect,
                    "a former value cannot be written any more: the mapping or a linked record "
                    "has changed");
        return OK;
    }
    step->back = step->there->from;
    step->item = batch->items_count;
    batch->items[batch->items_count++] = (struct write_item){
        .remote_id = step->link.remote_id, .props = props, .current = remote->props};
    tell_step(batch, step);
    step->intent =
        (struct store_intent){.connection_id = pass->connection->row.id,
                              .kind = pass->kind->name,
                              .op = INTENT_UPDATE,
                              .state = INTENT_CLAIMED,
                              .record_id = step->effect.record.id,
                              .link_id = step->link.id,
                              .record_version = step->effect.record.version,
                              .sent = step->back,
                              .claimed_ms = pass_now_ms(pass),
                              .settle_at_ms = pass_now_ms(pass) + pass->settings->settle_ms};
    return batch->undo->do_it ? intent_insert(pass->tx, &step->intent, err) : OK;
}

/* Of an object that the run made also what is not mapped counts. Our own removals move the times of what they were linked to, so only the first
 * look says. */
static bool was_worked_on(const struct batch *batch, const struct step *step,
                          const struct remote_record *remote)
{
    enum { SLACK_MS = 5000 }; /* whole seconds, and the clocks' noise */
    int64_t modified_ms = remote->modified_ms - batch->pass->connection->row.clock_offset_ms;

    return step->there->is_created && !batch->undo->is_telling && batch->undo->ended_ms &&
           remote->modified_ms && modified_ms > batch->undo->ended_ms + SLACK_MS;
}

static enum fail decide_step(struct batch *batch, struct step *step, const struct remote_page *page,
                             struct error *err)
{
    struct pass *pass = batch->pass;
    const struct remote_record *remote = NULL;

    for (size_t i = 0; i < page->count && !remote; i++) {
        if (str_equal(page->records[i].remote_id, step->link.remote_id)) {
            remote = &page->records[i];
        }
    }
    if (remote && remote->state == REMOTE_GONE && is_half_removed(step)) {
        return batch->undo->do_it ? link_forget(pass->tx, step->link.id, err) : OK;
    }
    if (!remote || remote->state != REMOTE_LIVE) {
        undo_refuse(batch->undo, &step->effect, "its object at a CRM is gone");
        return OK;
    }
    step->props = remote->props;
    if (read_fields(pass, remote, step->effect.record.id, &step->shown, err) != OK) {
        return err->code;
    }
    if (!is_untouched(pass, step) || was_worked_on(batch, step, remote)) {
        undo_refuse(batch->undo, &step->effect, "its object at a CRM was changed after the run");
        return OK;
    }
    return step->there->is_created ? prepare_removal(batch, step, err)
                                   : prepare_write(batch, step, remote, err);
}

static enum fail decide(struct batch *batch, const struct remote_page *page, struct error *err)
{
    AUTO_TX struct tx *tx = NULL;
    struct pass *pass = batch->pass;
    enum fail failed = OK;

    if (tx_begin(pass->sync->store, pass->sync->tenant_id, &tx, err) != OK) {
        return err->code;
    }
    pass->tx = tx;
    for (size_t i = 0; i < batch->count && failed == OK; i++) {
        failed = decide_step(batch, &batch->steps[i], page, err);
    }
    pass->tx = NULL;
    return failed ? failed : tx_commit(&tx, err);
}

/* Both halves are the former value again; what the hub holds may differ from it, and then counts as moved here, as before the run. */
static enum fail keep_written(struct batch *batch, struct step *step, struct error *err)
{
    struct pass *pass = batch->pass;
    const struct write_item *item = &batch->items[step->item];
    struct fields shown = step->shown;

    if (item->outcome == WRITE_UNKNOWN) {
        batch->undo->result->done--;
        undo_refuse(batch->undo, &step->effect,
                    "whether the former value was written is not known yet; undo again later");
        step->intent.state = INTENT_UNKNOWN;
        return intent_update(pass->tx, &step->intent, err);
    }
    if (item->outcome != WRITE_DONE) {
        batch->undo->result->done--;
        undo_refuse(batch->undo, &step->effect, "the CRM refused the former value");
        return intent_delete(pass->tx, step->intent.id, err);
    }
    pass->counts->updated_there++;
    if (settle_base(pass, &step->link.base, &step->back, &item->returned, &shown, err) != OK) {
        return err->code;
    }
    step->link.has_digest = true;
    step->link.digest = pass_digest(pass, &shown);
    step->link.last_write_ms = pass_now_ms(pass);
    if (item->returned.modified_ms) {
        step->link.remote_modified_ms = item->returned.modified_ms;
    }
    step->link.synced_version = step->effect.record.version - 1;
    if (journal_push(pass, &step->effect.record, step->link.remote_id,
                     push_changes(pass, &step->back, &step->shown), step->back.count, err) != OK) {
        return err->code;
    }
    return keep_done(pass, &step->intent, &step->link, err);
}

static enum fail keep_removed(struct batch *batch, struct step *step, struct error *err)
{
    struct pass *pass = batch->pass;

    if (batch->removes[step->item].outcome != WRITE_DONE) {
        batch->undo->result->done--;
        undo_refuse(batch->undo, &step->effect, "the CRM did not remove its object");
        return OK; /* the link stays as it is: the same command goes on here */
    }
    pass->counts->deleted_there++;
    if (link_forget(pass->tx, step->link.id, err) != OK) {
        return err->code;
    }
    return journal_push(pass, &step->effect.record, step->link.remote_id, NULL, 0, err);
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
        struct step *step = &batch->steps[i];

        if (step->item != SIZE_MAX) {
            failed = step->there->is_created ? keep_removed(batch, step, err)
                                             : keep_written(batch, step, err);
        }
    }
    pass->tx = NULL;
    return failed ? failed : tx_commit(&tx, err);
}

static enum fail send(struct batch *batch, struct error *err)
{
    struct pass *pass = batch->pass;
    struct error sent = {0};
    enum fail failed = OK;

    if (batch->items_count) {
        failed = pass->adapter->upsert(pass->connection->session, pass->kind->name.at, &pass->arena,
                                       batch->items, batch->items_count, &sent);
    }
    if (failed == OK && batch->removes_count) {
        failed = pass->adapter->remove(pass->connection->session, pass->kind->name.at,
                                       batch->removes, batch->removes_count, &sent);
    }
    if (keep_results(batch, err) != OK) {
        return err->code;
    }
    if (failed != OK) {
        *err = sent;
    }
    return failed;
}

static enum fail take_back(struct undo *undo, struct pass *pass, const int64_t *ids, size_t count,
                           struct error *err)
{
    AUTO_ARENA struct arena arena = {0};
    struct remote_page page = {0};
    struct batch batch = {.undo = undo,
                          .pass = pass,
                          .steps = ARENA_ARRAY(&arena, struct step, count + 1),
                          .items = ARENA_ARRAY(&arena, struct write_item, count + 1),
                          .removes = ARENA_ARRAY(&arena, struct remove_item, count + 1)};

    if (gather(&batch, ids, count, err) != OK) {
        return err->code;
    }
    if (batch.count == 0) {
        return OK;
    }
    if (read_objects(&batch, &arena, &page, err) != OK || decide(&batch, &page, err) != OK) {
        return err->code;
    }
    return undo->do_it ? send(&batch, err) : OK;
}

enum fail undo_there(struct undo *undo, struct pass *pass, struct error *err)
{
    int64_t ids[UNDO_BATCH];
    int64_t before_id = 0;
    size_t limit =
        pass->adapter->batch_read_max < UNDO_BATCH ? pass->adapter->batch_read_max : UNDO_BATCH;

    for (;;) {
        AUTO_TX struct tx *tx = NULL;
        size_t count;

        if (pass_is_cancelled(pass)) {
            return error_set(err, FAIL_CANCELLED, "asked to stop");
        }
        if (tx_begin(pass->sync->store, pass->sync->tenant_id, &tx, err) != OK ||
            journal_records_of_run(tx, undo->run_id, before_id, limit, ids, &count, err) != OK ||
            tx_commit(&tx, err) != OK) {
            return err->code;
        }
        if (count == 0) {
            return OK;
        }
        before_id = ids[count - 1];
        if (take_back(undo, pass, ids, count, err) != OK) {
            return err->code;
        }
        pass_page_end(pass);
    }
}
