#include "sync/send.h"

#include <assert.h>

bool entry_is_link(const struct map_entry *entry)
{
    return entry->field->type == TYPE_REFERENCE || entry->field->type == TYPE_REFERENCE_LIST;
}

static enum fail note_wait(struct pass *pass, const struct store_record *record,
                           const struct map_note *note, struct error *err)
{
    struct store_record target;
    bool found;

    if (record_by_uuid(pass->tx, note->target_id, &pass->arena, &target, &found, err) != OK ||
        record_surviving(pass, &target, &pass->arena, &found, err) != OK) {
        return err->code;
    }
    return found ? wait_put_outward(pass->tx, pass->connection->row.id, pass->kind->name,
                                    record->id, target.id, err)
                 : OK;
}

enum fail note_outward(struct pass *pass, const struct store_record *record, struct str remote_id,
                       const struct map_notes *notes, struct error *err)
{
    for (size_t i = 0; i < notes->count; i++) {
        const struct map_note *note = &notes->at[i];
        enum fail failed;

        if (note->type == NOTE_REFERENCE_WAITS) {
            failed = note_wait(pass, record, note, err);
        } else if (note->type == NOTE_OWNER_UNKNOWN) {
            failed = note_owner_unknown(pass, note, err);
        } else {
            failed = note_failure(
                pass, remote_id, record->id, "push", "value", note->entry->field->name,
                record->version, arena_cstr(&pass->arena, note->message),
                "extend the value map of this field; the record's other fields are in sync", err);
        }
        if (failed != OK) {
            return failed;
        }
    }
    return OK;
}

static bool is_waiting(const struct map_notes *notes, struct str field, struct str target)
{
    for (size_t i = 0; i < notes->count; i++) {
        const struct map_note *note = &notes->at[i];

        if (note->is_partial && str_equal(note->entry->field->name, field) &&
            str_equal(note->target_id, target)) {
            return true;
        }
    }
    return false;
}

/* The list without the members that wait. */
static struct value members_sent(struct pass *pass, const struct map_notes *notes, struct str field,
                                 const struct value *value)
{
    struct str *items = ARENA_ARRAY(&pass->arena, struct str, value->items_count + 1);
    struct value sent = {.state = VALUE_LIST, .items = items};

    for (size_t i = 0; i < value->items_count; i++) {
        if (!is_waiting(notes, field, value->items[i])) {
            items[sent.items_count++] = value->items[i];
        }
    }
    return sent;
}

bool sent_value(struct pass *pass, const struct map_notes *notes, struct str field,
                const struct value *value, struct value *ret)
{
    *ret = *value;
    for (size_t i = 0; i < notes->count; i++) {
        if (!str_equal(notes->at[i].entry->field->name, field)) {
            continue;
        }
        if (!notes->at[i].is_partial) {
            return false;
        }
        if (value->state == VALUE_LIST) {
            *ret = members_sent(pass, notes, field, value);
        }
    }
    return true;
}

static bool is_empty_list(const json_t *list)
{
    return !list || json_is_null(list) || (json_is_array(list) && json_array_size(list) == 0);
}

/* An empty list is null or missing at some CRMs. */
static bool is_same_list(const json_t *one, const json_t *other)
{
    return json_equal(one, other) || (is_empty_list(one) && is_empty_list(other));
}

void drop_repeats(struct pass *pass, const struct map_notes *notes, const json_t *current,
                  json_t *props)
{
    for (size_t i = 0; i < notes->count; i++) {
        const char *property = arena_cstr(&pass->arena, notes->at[i].entry->property);

        if (notes->at[i].is_partial &&
            is_same_list(json_object_get(props, property), json_object_get(current, property))) {
            json_object_del(props, property);
        }
    }
}

enum fail settle_base(struct pass *pass, struct base *base, const struct fields *sent,
                      const struct remote_record *returned, struct fields *shown, struct error *err)
{
    struct fields answer = {0};
    struct fields now_shown = fields_copy(&pass->arena, shown);

    if (returned->props && read_fields(pass, returned, 0, &answer, err) != OK) {
        return err->code;
    }
    for (size_t i = 0; i < sent->count; i++) {
        struct str name = sent->at[i].name;
        const struct map_entry *entry = mapping_entry(pass->mapping, name);
        const struct value *seen = fields_get(&answer, name);
        struct value remote;

        assert(entry);
        /* The answer of the write itself shows our own write: a difference is the CRM's rewriting of it, not an edit. Where the answer
         * is silent about the object as a whole, what we sent is what is there; where it shows others but not this one, it was not written. */
        if (returned->props && seen->state == VALUE_ABSENT && entry_is_link(entry)) {
            continue;
        }
        remote = seen->state == VALUE_ABSENT ? map_image(entry, &sent->at[i].value, &pass->arena)
                                             : *seen;
        fields_set(&base->hub, &pass->arena, name, sent->at[i].value);
        fields_set(&base->remote, &pass->arena, name, remote);
        fields_set(&now_shown, &pass->arena, name, remote);
    }
    *shown = now_shown;
    return OK;
}

struct journal_change *push_changes(struct pass *pass, const struct fields *sent,
                                    const struct fields *shown)
{
    struct journal_change *changes =
        ARENA_ARRAY(&pass->arena, struct journal_change, sent->count + 1);

    for (size_t i = 0; i < sent->count; i++) {
        changes[i] = (struct journal_change){.field = sent->at[i].name,
                                             .to = sent->at[i].value,
                                             .rule = shown ? STR("push") : STR("create"),
                                             .changed_ms = pass_now_ms(pass),
                                             .time_is_exact = true};
        if (shown) {
            changes[i].from = *fields_get(shown, sent->at[i].name);
        }
    }
    return changes;
}

struct change create_change(struct pass *pass, const struct store_record *record,
                            const struct fields *sent)
{
    return (struct change){.is_there = true,
                           .op = CHANGE_CREATE,
                           .connection = pass->settings->name,
                           .kind = pass->kind->name,
                           .uuid = record->uuid,
                           .record = record->fields,
                           .fields = push_changes(pass, sent, NULL),
                           .fields_count = sent->count};
}

enum fail journal_push(struct pass *pass, const struct store_record *record, struct str remote_id,
                       const struct journal_change *changes, size_t count, struct error *err)
{
    struct journal_entry entry = {.record_id = record->id,
                                  .record_version = record->version,
                                  .at_ms = pass_now_ms(pass),
                                  .run_id = pass->run_id,
                                  .connection_id = pass->connection->row.id,
                                  .remote_id = remote_id,
                                  .cause = CAUSE_PUSH,
                                  .changes = changes,
                                  .changes_count = count};

    return journal_append(pass->tx, &entry, err);
}

bool is_sent_agreed(const struct base *base, const struct fields *sent)
{
    for (size_t i = 0; i < sent->count; i++) {
        if (!value_equal(&sent->at[i].value, fields_get(&base->hub, sent->at[i].name))) {
            return false;
        }
    }
    return true;
}

bool is_field_agreed(const struct pass *pass, const struct map_entry *entry,
                     const struct base *base, const struct fields *hub)
{
    const struct value *value = fields_get(hub, entry->field->name);
    const struct value *agreed = fields_get(&base->hub, entry->field->name);

    return pass_flow(pass, entry) == FLOW_IN || value->state == VALUE_ABSENT ||
           value_equal(value, agreed) || (value_is_blank(value) && value_is_blank(agreed));
}

bool is_all_agreed(const struct pass *pass, const struct base *base, const struct fields *hub)
{
    for (size_t i = 0; i < pass->mapping->entries_count; i++) {
        if (!is_field_agreed(pass, &pass->mapping->entries[i], base, hub)) {
            return false;
        }
    }
    return true;
}

enum fail keep_done(struct pass *pass, const struct store_intent *intent, struct store_link *link,
                    struct error *err)
{
    if (intent_delete(pass->tx, intent->id, err) != OK || link_update(pass->tx, link, err) != OK) {
        return err->code;
    }
    if (!pass->has_failures) {
        return OK;
    }
    return failure_clear(pass->tx, link->connection_id, link->kind, STR(""), link->record_id,
                         STR("push"), STR(""), err);
}

/* Refused for good: held until the record changes or a person says so. */
static enum fail keep_refused(struct pass *pass, const struct store_intent *intent,
                              struct store_link *link, const struct error *cause, struct error *err)
{
    if (link) {
        link->synced_version = intent->record_version;
        if (link_update(pass->tx, link, err) != OK) {
            return err->code;
        }
    }
    return note_failure(
        pass, link ? link->remote_id : STR(""), intent->record_id, "push", "refused", STR(""),
        intent->record_version, cause->message,
        cause->hint[0]
            ? cause->hint
            : "correct the record or the mapping; it is sent again when it changes, or by "
              "'crmsync failures retry'",
        err);
}

enum fail keep_not_done(struct pass *pass, struct store_intent *intent, struct store_link *link,
                        enum write_outcome outcome, const struct error *cause, struct error *err)
{
    if (outcome == WRITE_UNKNOWN) {
        intent->state = INTENT_UNKNOWN;
        intent->settle_at_ms = pass_now_ms(pass) +
                               pass->settings->settle_ms; /* from the sending, not from the claim */
        return intent_update(pass->tx, intent, err);
    }
    if (intent_delete(pass->tx, intent->id, err) != OK) {
        return err->code;
    }
    if (outcome == WRITE_PENDING) {
        return OK;
    }
    if (outcome == WRITE_REFUSED && cause->code == FAIL_STALE && link) {
        return dirty_put(pass->tx, link->connection_id, link->kind, link->remote_id, err);
    }
    if (outcome == WRITE_REFUSED && (cause->code == FAIL_THROTTLED || cause->code == FAIL_RETRY)) {
        return OK; /* certainly not applied: derived again by the next pass */
    }
    return keep_refused(pass, intent, link, cause, err);
}
