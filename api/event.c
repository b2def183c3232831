#include "api/event.h"

#include <inttypes.h>

#include "api/find.h"
#include "api/json.h"
#include "core/jx.h"

static const char *const TYPE_NAMES[EVENT_TYPES] = {
    [EVENT_RECORD_CREATED] = "record.created",      [EVENT_RECORD_UPDATED] = "record.updated",
    [EVENT_RECORD_DELETED] = "record.deleted",      [EVENT_RECORD_RESTORED] = "record.restored",
    [EVENT_RECORD_MERGED] = "record.merged",        [EVENT_CONFLICT_OPENED] = "conflict.opened",
    [EVENT_CONFLICT_RESOLVED] = "conflict.resolved"};

const char *event_type_name(enum event_type type)
{
    return TYPE_NAMES[type];
}

bool event_type_parse(struct str name, enum event_type *ret)
{
    for (size_t i = 0; i < EVENT_TYPES; i++) {
        if (str_equal(name, str_of(TYPE_NAMES[i]))) {
            *ret = (enum event_type)i;
            return true;
        }
    }
    return false;
}

bool event_fields_parse(struct str name, enum event_fields *ret)
{
    static const char *const NAMES[] = {"none", "names", "all"};

    for (size_t i = 0; i < COUNT_OF(NAMES); i++) {
        if (str_equal(name, str_of(NAMES[i]))) {
            *ret = (enum event_fields)i;
            return true;
        }
    }
    return false;
}

struct str event_id(struct arena *arena, const struct feed_item *item)
{
    return item->entry
               ? arena_printf(arena, "evt_%" PRId64 "_%" PRId64, item->epoch, item->entry->id)
               : arena_printf(arena, "evt_%" PRId64 "_c%" PRId64, item->epoch, item->note->id);
}

/* --- which event it is ---------------------------------------------------------------------------------------------------------- */

/* A change that only records what lost, or that was erased, changed nothing. */
static bool changes_something(const struct journal_entry *entry)
{
    for (size_t i = 0; i < entry->changes_count; i++) {
        if (!value_equal(&entry->changes[i].from, &entry->changes[i].to)) {
            return true;
        }
    }
    return false;
}

/* False: nothing happened to the record. */
static bool type_of_entry(const struct journal_entry *entry, enum event_type *ret)
{
    switch (entry->cause) {
    case CAUSE_IMPORT: /* without changes an object was recognised */
        *ret = EVENT_RECORD_CREATED;
        return entry->changes_count > 0;
    case CAUSE_LOCAL:
        *ret = entry->record_version == 1 ? EVENT_RECORD_CREATED : EVENT_RECORD_UPDATED;
        return entry->record_version == 1 || changes_something(entry);
    case CAUSE_PULL:
    case CAUSE_CONFLICT:
        *ret = EVENT_RECORD_UPDATED;
        return changes_something(entry);
    case CAUSE_MERGE:
        *ret = EVENT_RECORD_MERGED;
        return true;
    case CAUSE_DELETE:
        *ret = EVENT_RECORD_DELETED;
        return true;
    case CAUSE_RESTORE:
        *ret = EVENT_RECORD_RESTORED;
        return true;
    case CAUSE_PUSH:
        return false;
    }
    return false;
}

static bool is_asked(const struct event_filter *filter, enum event_type type)
{
    return filter->types == 0 || (filter->types & (1U << type)) != 0;
}

static bool kind_is_asked(const struct event_filter *filter, struct str kind)
{
    for (size_t i = 0; i < filter->kinds_count; i++) {
        if (str_equal(filter->kinds[i], kind)) {
            return true;
        }
    }
    return filter->kinds_count == 0;
}

/* --- what it says --------------------------------------------------------------------------------------------------------------- */

static json_t *source_of(struct tx *tx, int64_t connection_id, const char *cause,
                         struct arena *arena)
{
    return json_pack("{s:o,s:s}", "connection",
                     connection_id ? json_text(connection_name(tx, connection_id, arena))
                                   : json_null(),
                     "cause", cause);
}

static void add_changes(json_t *data, const struct journal_entry *entry, enum event_fields fields,
                        struct arena *arena)
{
    struct fields values = {0};
    json_t *names = json_array();

    for (size_t i = 0; i < entry->changes_count; i++) {
        const struct journal_change *change = &entry->changes[i];

        if (!value_equal(&change->from, &change->to)) {
            json_array_append_new(names, json_text(change->field));
            fields_set(&values, arena, change->field,
                       change->to.state == VALUE_ABSENT ? VALUE_NONE : change->to);
        }
    }
    json_object_set_new(data, "changed", names);
    if (fields == EVENT_FIELDS_ALL) {
        json_object_set_new(data, "values", json_fields(&values));
    }
}

static enum fail add_survivor(struct tx *tx, const struct store_record *record, json_t *data,
                              struct arena *arena, struct error *err)
{
    struct store_record survivor;
    bool found = false;

    if (record->merged_into &&
        record_by_id(tx, record->merged_into, arena, &survivor, &found, err) != OK) {
        return err->code;
    }
    json_object_set_new(data, "into", found ? json_text(survivor.uuid) : json_null());
    return OK;
}

static enum fail data_of_entry(struct tx *tx, const struct journal_entry *entry,
                               const struct store_record *record, enum event_type type,
                               enum event_fields fields, struct arena *arena, json_t *data,
                               struct error *err)
{
    json_object_set_new(data, "kind", json_text(record->kind));
    json_object_set_new(data, "id", json_text(record->uuid));
    json_object_set_new(data, "version", json_integer(entry->record_version));
    json_object_set_new(
        data, "source",
        source_of(tx, entry->connection_id, journal_cause_name(entry->cause), arena));
    json_object_set_new(data, "position", json_integer(entry->id));
    if (type == EVENT_RECORD_DELETED) {
        json_object_set_new(data, "erased", json_boolean(entry->is_erasure));
    } else if (type == EVENT_RECORD_MERGED) {
        return add_survivor(tx, record, data, arena, err);
    } else if (type != EVENT_RECORD_RESTORED && fields != EVENT_FIELDS_NONE) {
        add_changes(data, entry, fields, arena);
    }
    return OK;
}

static void data_of_note(struct tx *tx, const struct conflict_note *note,
                         const struct store_conflict *conflict, const struct store_record *record,
                         enum event_fields fields, struct arena *arena, json_t *data)
{
    json_object_set_new(data, "kind", json_text(conflict->kind));
    json_object_set_new(data, "id", json_text(record->uuid));
    json_object_set_new(data, "conflict", json_integer(conflict->id));
    json_object_set_new(data, "about",
                        json_string(conflict->type == CONFLICT_DELETE ? "delete" : "field"));
    if (conflict->type == CONFLICT_FIELD && fields != EVENT_FIELDS_NONE) {
        json_object_set_new(data, "field", json_text(conflict->field));
    }
    json_object_set_new(data, "connection",
                        json_text(connection_name(tx, conflict->connection_id, arena)));
    if (note->state != CONFLICT_OPEN) {
        json_object_set_new(data, "resolution", json_text(conflict->resolution));
    }
}

static struct str body_of(struct arena *arena, const struct feed_item *item,
                          const struct event *event, json_t *data)
{
    return jx_text(arena, jx_own(arena, json_pack("{s:o,s:s,s:o,s:O}", "id", json_text(event->id),
                                                  "type", event_type_name(event->type), "timestamp",
                                                  json_time(item->at_ms), "data", data)));
}

static enum fail make_of_entry(struct tx *tx, const struct feed_item *item,
                               const struct event_filter *filter, struct arena *arena,
                               struct event *ret, bool *ret_is_one, struct error *err)
{
    json_t *data = jx_own(arena, json_object());
    struct store_record record;
    bool found;

    if (!type_of_entry(item->entry, &ret->type) || !is_asked(filter, ret->type)) {
        return OK;
    }
    if (record_by_id(tx, item->entry->record_id, arena, &record, &found, err) != OK || !found ||
        !kind_is_asked(filter, record.kind)) {
        return err->code;
    }
    *ret_is_one = true;
    if (data_of_entry(tx, item->entry, &record, ret->type, filter->fields, arena, data, err) !=
        OK) {
        return err->code;
    }
    ret->body = body_of(arena, item, ret, data);
    return OK;
}

/* A conflict that was erased or pruned is not told of any more. */
static enum fail make_of_note(struct tx *tx, const struct feed_item *item,
                              const struct event_filter *filter, struct arena *arena,
                              struct event *ret, bool *ret_is_one, struct error *err)
{
    json_t *data = jx_own(arena, json_object());
    struct store_conflict conflict;
    struct store_record record;
    bool found;

    ret->type =
        item->note->state == CONFLICT_OPEN ? EVENT_CONFLICT_OPENED : EVENT_CONFLICT_RESOLVED;
    if (!is_asked(filter, ret->type) ||
        conflict_by_id(tx, item->note->conflict_id, arena, &conflict, &found, err) != OK ||
        !found || !kind_is_asked(filter, conflict.kind) ||
        record_by_id(tx, conflict.record_id, arena, &record, &found, err) != OK || !found) {
        return err->code;
    }
    *ret_is_one = true;
    data_of_note(tx, item->note, &conflict, &record, filter->fields, arena, data);
    ret->body = body_of(arena, item, ret, data);
    return OK;
}

enum fail event_make(struct tx *tx, const struct feed_item *item, const struct event_filter *filter,
                     struct arena *arena, struct event *ret, bool *ret_is_one, struct error *err)
{
    *ret_is_one = false;
    *ret = (struct event){.id = event_id(arena, item)};
    return item->entry ? make_of_entry(tx, item, filter, arena, ret, ret_is_one, err)
                       : make_of_note(tx, item, filter, arena, ret, ret_is_one, err);
}
