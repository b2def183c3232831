/* The merge of one live link: every mapped field through the three-way merge, then record, link, journal and conflicts in one go. */
#include "sync/pass.h"

#include <assert.h>

/* Everything the fields of one link share while they are merged. */
struct merging {
    struct pass *pass;
    struct store_link *link;
    struct store_record *record;
    const struct remote_record *remote;
    const struct fields *remote_fields;
    struct store_intent *intents; /* unsettled writes of this link */
    size_t intents_count;
    struct store_conflict *open;
    size_t open_count;
    struct fields hub; /* afterwards */
    struct base base;  /* afterwards */
    struct journal_change *changes;
    size_t changes_count;
    struct str *push;
    size_t push_count;
    bool hub_changed;
    bool needs_times;
    struct journal_origin origin; /* of the hub's value of the field on which both sides moved */
};

static const struct store_conflict *open_conflict(const struct merging *m, struct str field)
{
    for (size_t i = 0; i < m->open_count; i++) {
        if (m->open[i].type == CONFLICT_FIELD && str_equal(m->open[i].field, field)) {
            return &m->open[i];
        }
    }
    return NULL;
}

/* Values of unsettled writes of this field: a read that shows one of them is our own write coming back. */
static void ask_attempts(const struct merging *m, const struct map_entry *entry,
                         struct merge_question *question)
{
    struct value *values;
    struct value *images;
    size_t count = 0;

    if (m->intents_count == 0) {
        return;
    }
    values = ARENA_ARRAY(&m->pass->arena, struct value, m->intents_count);
    images = ARENA_ARRAY(&m->pass->arena, struct value, m->intents_count);
    for (size_t i = 0; i < m->intents_count; i++) {
        const struct value *sent = fields_get(&m->intents[i].sent, entry->field->name);

        if (sent->state != VALUE_ABSENT) {
            values[count] = *sent;
            images[count++] = map_image(entry, sent, &m->pass->arena);
        }
    }
    question->attempts = values;
    question->attempt_images = images;
    question->attempts_count = count;
}

static int source_priority(const struct pass *pass, int64_t connection_id)
{
    if (connection_id == 0) {
        return pass->sync->settings->local_priority;
    }
    for (size_t i = 0; i < pass->sync->connections_count; i++) {
        if (pass->sync->connections[i].row.id == connection_id) {
            return pass->sync->connections[i].settings->priority;
        }
    }
    return 0;
}

static int64_t remote_field_ms(const struct merging *m, const struct map_entry *entry,
                               bool *ret_is_record)
{
    const struct pass *pass = m->pass;
    int64_t offset_ms = pass->connection->row.clock_offset_ms;
    int64_t latest_ms = pass_now_ms(pass);
    int64_t at_ms = m->remote->modified_ms;
    char name[256];

    *ret_is_record = true;
    if (m->remote->props_times && entry->property.len < sizeof name) {
        memcpy(name, entry->property.at, entry->property.len);
        name[entry->property.len] = '\0';
        const json_t *time = json_object_get(m->remote->props_times, name);
        if (json_is_integer(time)) {
            at_ms = json_integer_value(time);
            *ret_is_record = false;
        }
    }
    at_ms = at_ms ? at_ms - offset_ms : 0;
    return at_ms > latest_ms ? latest_ms : at_ms; /* a record dated 2099 must not win for ever */
}

/* When and by whom each side was changed: asked only for a field on which both sides moved. */
static enum fail ask_times(struct merging *m, const struct map_entry *entry,
                           struct merge_question *question, struct error *err)
{
    struct pass *pass = m->pass;
    struct journal_origin origin = {0};
    bool found;

    if (journal_origin_of(pass->tx, m->record->id, entry->field->name, &origin, &found, err) !=
        OK) {
        return err->code;
    }
    m->origin = origin;
    question->hub_changed_ms = found ? origin.changed_ms : m->record->created_ms;
    question->remote_changed_ms = remote_field_ms(m, entry, &question->remote_time_is_record);
    question->uncertainty_ms = 1000;
    question->hub_source = pass_source_name(pass, origin.connection_id);
    question->remote_source = pass->settings->name;
    if (question->policy.strategy == STRATEGY_SOURCE_PRIORITY &&
        question->policy.hub_priority == question->policy.remote_priority) {
        question->policy.hub_priority = source_priority(pass, origin.connection_id);
        question->policy.remote_priority = pass->settings->priority;
    }
    return OK;
}

bool entry_keeps_blank(const struct map_entry *entry, bool inward)
{
    return entry->blank == BLANK_KEEP || entry->blank == (inward ? BLANK_KEEP_IN : BLANK_KEEP_OUT);
}

static enum value_order order_of(enum field_type type)
{
    return type == TYPE_INTEGER || type == TYPE_DECIMAL || type == TYPE_MONEY ||
                   type == TYPE_DATETIME
               ? ORDER_NUMBER
               : ORDER_TEXT;
}

static enum fail ask(struct merging *m, const struct map_entry *entry, struct value images[2],
                     struct merge_question *ret, struct error *err)
{
    struct pass *pass = m->pass;
    struct str name = entry->field->name;
    struct merge_question question = {
        .base_hub = fields_get(&m->link->base.hub, name),
        .base_remote = fields_get(&m->link->base.remote, name),
        .hub = fields_get(&m->record->fields, name),
        .remote = fields_get(m->remote_fields, name),
        .flow = pass_flow(pass, entry),
        .keep_on_blank_in = entry_keeps_blank(entry, true),
        .keep_on_blank_out = entry_keeps_blank(entry, false),
        .order = order_of(entry->field->type),
        .policy = pass_policy(pass, name),
    };
    bool hub_moved = !value_equal(question.hub, question.base_hub);
    bool remote_moved = !value_equal(question.remote, question.base_remote);

    if (remote_moved) {
        images[0] = map_image(entry, question.hub, &pass->arena);
        images[1] = map_image(entry, question.base_hub, &pass->arena);
        ask_attempts(m, entry, &question);
    } else {
        images[0] = *question.hub;
        images[1] = *question.base_hub;
    }
    question.hub_image = &images[0];
    question.base_hub_image = &images[1];
    *ret = question;
    return hub_moved && remote_moved ? ask_times(m, entry, ret, err) : OK;
}

/* A conflict that only the times can decide, at a CRM that knows a time per property: read those first. */
static bool wants_times(const struct merging *m, const struct merge_question *question,
                        const struct merge_answer *answer)
{
    return question->policy.strategy == STRATEGY_LAST_WRITE_WINS && !m->remote->props_times &&
           (m->pass->adapter->capabilities & ADAPTER_FIELD_TIMES) &&
           (answer->verdict == MERGE_HUB_WINS || answer->verdict == MERGE_REMOTE_WINS);
}

/* The hub's value came from another CRM, and its time is that of the whole object: the property's own time decides where that CRM knows it. */
static enum fail ask_origin(struct merging *m, const struct map_entry *entry,
                            struct merge_question *question, struct merge_answer *answer,
                            struct error *err)
{
    int64_t changed_ms = 0;
    bool wanted = false;

    if (question->policy.strategy != STRATEGY_LAST_WRITE_WINS || m->origin.time_is_exact ||
        (answer->verdict != MERGE_HUB_WINS && answer->verdict != MERGE_REMOTE_WINS)) {
        return OK;
    }
    if (origin_time(m->pass, m->record->id, m->origin.connection_id, entry->field->name,
                    &changed_ms, &wanted, err) != OK) {
        return err->code;
    }
    m->needs_times = m->needs_times || wanted;
    if (changed_ms) {
        question->hub_changed_ms = changed_ms;
        *answer = merge_field(question, &m->pass->arena);
    }
    return OK;
}

static void tell_conflict(struct merging *m, const struct store_conflict *conflict)
{
    struct journal_change *field = ARENA_NEW(&m->pass->arena, struct journal_change);

    *field = (struct journal_change){.field = conflict->field,
                                     .from = conflict->hub,
                                     .to = conflict->hub,
                                     .rule = STR("manual-review"),
                                     .lost = conflict->remote};
    pass_change(m->pass, &(const struct change){.op = CHANGE_CONFLICT,
                                                .connection = m->pass->settings->name,
                                                .kind = m->pass->kind->name,
                                                .uuid = m->record->uuid,
                                                .record = m->record->fields,
                                                .remote_id = m->link->remote_id,
                                                .fields = field,
                                                .fields_count = 1});
}

static enum fail keep_conflict(struct merging *m, const struct map_entry *entry,
                               const struct merge_question *question, enum verdict verdict,
                               struct error *err)
{
    struct pass *pass = m->pass;
    bool ended = false;
    struct store_conflict conflict = {.type = CONFLICT_FIELD,
                                      .record_id = m->record->id,
                                      .link_id = m->link->id,
                                      .connection_id = pass->connection->row.id,
                                      .kind = pass->kind->name,
                                      .field = entry->field->name,
                                      .base = *question->base_hub,
                                      .hub = *question->hub,
                                      .remote = *question->remote,
                                      .hub_changed_ms = question->hub_changed_ms,
                                      .remote_changed_ms = question->remote_changed_ms,
                                      .opened_ms = pass_now_ms(pass),
                                      .changed_ms = pass_now_ms(pass)};

    if (verdict == MERGE_CONFLICT) {
        if (!open_conflict(m, entry->field->name)) {
            pass->counts->conflicts++;
            tell_conflict(m, &conflict);
        }
        return conflict_put(pass->tx, &conflict, err);
    }
    if (question->remote->state != VALUE_ABSENT && open_conflict(m, entry->field->name)) {
        return conflict_end(pass->tx, m->link->id, entry->field->name, CONFLICT_CLOSED,
                            STR("closed"), &ended, err);
    }
    return OK;
}

static void keep_change(struct merging *m, const struct map_entry *entry,
                        const struct merge_question *question, const struct merge_answer *answer)
{
    struct pass *pass = m->pass;
    struct journal_change *change;
    bool is_record = true;

    if (!answer->hub_changes && !answer->has_loser) {
        return;
    }
    change = &m->changes[m->changes_count++];
    change->field = entry->field->name;
    change->from = *question->hub;
    change->to = answer->hub;
    change->rule = str_of(answer->rule);
    change->lost = answer->has_loser ? answer->loser : (struct value){0};
    if (answer->verdict == MERGE_HUB_WINS) {
        change->changed_ms = question->hub_changed_ms;
        change->time_is_exact = false;
    } else {
        change->changed_ms = remote_field_ms(m, entry, &is_record);
        change->time_is_exact = !is_record;
    }
    if (change->changed_ms == 0) {
        change->changed_ms = pass_now_ms(pass);
    }
}

static bool is_unread(const struct merging *m, const struct map_entry *entry,
                      const struct merge_question *question)
{
    return question->remote->state == VALUE_ABSENT &&
           json_object_get(m->remote->props, entry->property.at) != NULL;
}

/* A field that was held and can be read now. */
static enum fail clear_held(struct merging *m, const struct map_entry *entry,
                            const struct merge_question *question, struct error *err)
{
    if (!m->pass->has_failures || question->remote->state == VALUE_ABSENT) {
        return OK;
    }
    return failure_clear(m->pass->tx, m->pass->connection->row.id, m->pass->kind->name,
                         m->link->remote_id, 0, STR("pull"), entry->field->name, err);
}

static enum fail merge_entry(struct merging *m, const struct map_entry *entry, struct error *err)
{
    struct arena *arena = &m->pass->arena;
    struct value *images = ARENA_ARRAY(arena, struct value, 2);
    struct merge_question question;
    struct merge_answer answer;
    struct str name = entry->field->name;

    if (ask(m, entry, images, &question, err) != OK) {
        return err->code;
    }
    answer = merge_field(&question, arena);
    /* Both sides' times are read in one go: of two CRMs that know a time per property neither alone decides. */
    m->needs_times = m->needs_times || wants_times(m, &question, &answer);
    if (ask_origin(m, entry, &question, &answer, err) != OK || m->needs_times) {
        return err->code;
    }
    if (keep_conflict(m, entry, &question, answer.verdict, err) != OK ||
        clear_held(m, entry, &question, err) != OK) {
        return err->code;
    }
    keep_change(m, entry, &question, &answer);
    fields_set(&m->hub, arena, name, answer.hub);
    fields_set(&m->base.hub, arena, name, answer.base_hub);
    fields_set(&m->base.remote, arena, name, answer.base_remote);
    m->hub_changed = m->hub_changed || answer.hub_changes;
    /* A value that stands there but could not be read (an unknown option, an object not linked yet) is not overwritten unseen. */
    if (answer.wants_push && !is_unread(m, entry, &question)) {
        m->push[m->push_count++] = name;
    }
    return OK;
}

static enum fail merge_entries(struct merging *m, struct error *err)
{
    struct pass *pass = m->pass;
    struct arena *arena = &pass->arena;

    m->changes = ARENA_ARRAY(arena, struct journal_change, pass->mapping->entries_count + 1);
    m->push = ARENA_ARRAY(arena, struct str, pass->mapping->entries_count + 1);
    m->hub = fields_copy(arena, &m->record->fields);
    m->base.hub = fields_copy(arena, &m->link->base.hub);
    m->base.remote = fields_copy(arena, &m->link->base.remote);
    if (intents_of_link(pass->tx, m->link->id, arena, &m->intents, &m->intents_count, err) != OK ||
        conflicts_of_link(pass->tx, m->link->id, arena, &m->open, &m->open_count, err) != OK) {
        return err->code;
    }
    for (size_t i = 0; i < pass->mapping->entries_count; i++) {
        if (!pass->mapping->entries[i].is_frozen &&
            merge_entry(m, &pass->mapping->entries[i], err) != OK) {
            return err->code;
        }
    }
    return OK;
}

static enum fail write_record(struct merging *m, struct error *err)
{
    struct pass *pass = m->pass;
    struct journal_entry entry = {.record_id = m->record->id,
                                  .at_ms = pass_now_ms(pass),
                                  .run_id = pass->run_id,
                                  .connection_id = pass->connection->row.id,
                                  .remote_id = m->link->remote_id,
                                  .cause = CAUSE_PULL,
                                  .changes = m->changes,
                                  .changes_count = m->changes_count};

    if (m->hub_changed) {
        m->record->fields = m->hub;
        m->record->updated_ms = pass_now_ms(pass);
        if (record_update(pass->tx, m->record, pass_match_keys(pass, &m->hub),
                          pass->kind->matches_count, err) != OK) {
            return err->code;
        }
        pass->counts->updated_here++;
        pass_arrived(pass, pass_our_time(pass, m->remote->modified_ms));
    }
    entry.record_version = m->record->version;
    return m->changes_count ? pass_journal(pass, CHANGE_UPDATE, m->record, &entry, err) : OK;
}

static enum fail write_link(struct merging *m, struct error *err)
{
    struct pass *pass = m->pass;
    struct store_link *link = m->link;

    link->base = m->base;
    link->has_digest = true;
    link->digest = pass_digest(pass, m->remote_fields);
    if (m->remote->modified_ms) {
        link->remote_modified_ms = m->remote->modified_ms;
    }
    if (m->push_count == 0) {
        link->synced_version = m->record->version;
    } else if (link->synced_version >= m->record->version) {
        link->synced_version = m->record->version - 1;
    }
    if (m->hub_changed) {
        link->retry_at_ms = 0;
    }
    return link_update(pass->tx, link, err);
}

static void want_times(struct pass *pass, struct str remote_id)
{
    if (pass->times_wanted_count == pass->times_wanted_capacity) {
        size_t capacity = pass->times_wanted_capacity ? 2 * pass->times_wanted_capacity : 64;
        struct str *wider = ARENA_ARRAY(&pass->arena, struct str, capacity);

        if (pass->times_wanted_count) {
            memcpy(wider, pass->times_wanted, pass->times_wanted_count * sizeof *wider);
        }
        pass->times_wanted = wider;
        pass->times_wanted_capacity = capacity;
    }
    pass->times_wanted[pass->times_wanted_count++] = arena_str(&pass->arena, remote_id);
}

enum fail merge_link(struct pass *pass, struct store_link *link, struct store_record *record,
                     const struct remote_record *remote, const struct fields *remote_fields,
                     struct push_list *ret_push, struct error *err)
{
    struct merging m = {.pass = pass,
                        .link = link,
                        .record = record,
                        .remote = remote,
                        .remote_fields = remote_fields};

    if (ret_push) {
        *ret_push = (struct push_list){0};
    }
    if (merge_entries(&m, err) != OK) {
        return err->code;
    }
    if (m.needs_times) { /* nothing written yet: the same read, with times, decides */
        want_times(pass, remote->remote_id);
        return dirty_put(pass->tx, pass->connection->row.id, pass->kind->name, remote->remote_id,
                         err);
    }
    if (write_record(&m, err) != OK || write_link(&m, err) != OK) {
        return err->code;
    }
    if (ret_push) {
        *ret_push = (struct push_list){.fields = m.push, .count = m.push_count};
    }
    return OK;
}
