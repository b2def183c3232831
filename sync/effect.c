#include "sync/effect.h"

#include <string.h>

enum { ENTRIES_PAGE = 500 };

struct effect_there *effect_at(struct effect *effect, int64_t connection_id)
{
    for (size_t i = 0; i < effect->there_count; i++) {
        if (effect->there[i].connection_id == connection_id) {
            return &effect->there[i];
        }
    }
    return NULL;
}

/* The first "from" and the last "to" of each field count. */
static void add_changes(const struct journal_entry *entry, struct arena *arena, struct fields *from,
                        struct fields *to)
{
    for (size_t i = 0; i < entry->changes_count; i++) {
        const struct journal_change *change = &entry->changes[i];
        struct value before = change->from.state == VALUE_ABSENT ? VALUE_NONE : change->from;

        if (fields_get(to, change->field)->state == VALUE_ABSENT) {
            fields_set(from, arena, change->field, before);
        }
        fields_set(to, arena, change->field,
                   change->to.state == VALUE_ABSENT ? VALUE_NONE : change->to);
    }
}

static void add_push(struct effect *effect, const struct journal_entry *entry, struct arena *arena)
{
    struct effect_there *there = effect_at(effect, entry->connection_id);

    if (!there) {
        if (effect->there_count == EFFECT_SIDES_MAX) {
            effect->impossible = "it was written at more connections than undo can follow";
            return;
        }
        there = &effect->there[effect->there_count++];
        *there = (struct effect_there){.connection_id = entry->connection_id,
                                       .remote_id = entry->remote_id};
        there->is_created =
            entry->changes_count && str_equal(entry->changes[0].rule, STR("create"));
    }
    if (entry->changes_count == 0) {
        there->is_deleted = true;
        effect->impossible = "an object was deleted at a CRM, and its API cannot bring it back";
    }
    add_changes(entry, arena, &there->from, &there->to);
}

static void add_source(struct effect *effect, int64_t connection_id)
{
    for (size_t i = 0; i < effect->sources_count; i++) {
        if (effect->sources[i] == connection_id) {
            return;
        }
    }
    if (effect->sources_count < EFFECT_SIDES_MAX) {
        effect->sources[effect->sources_count++] = connection_id;
    }
}

static void add_import(struct effect *effect, const struct journal_entry *entry,
                       struct arena *arena)
{
    if (entry->changes_count || entry->record_version == 1) {
        effect->is_created = effect->is_created || entry->record_version == 1;
    }
    if (effect->links_count == EFFECT_SIDES_MAX) {
        effect->impossible = "it was linked at more connections than undo can follow";
        return;
    }
    effect->links[effect->links_count++] =
        (struct effect_link){.connection_id = entry->connection_id, .remote_id = entry->remote_id};
    add_changes(entry, arena, &effect->from, &effect->to);
}

static void add_entry(struct effect *effect, const struct journal_entry *entry, bool is_first,
                      struct arena *arena)
{
    switch (entry->cause) {
    case CAUSE_IMPORT:
        if (entry->record_version == 1 && !is_first) { /* recognised while still as it was made */
            struct journal_entry link = *entry;

            link.record_version = 2;
            add_import(effect, &link, arena);
            return;
        }
        add_import(effect, entry, arena);
        return;
    case CAUSE_PUSH:
        add_push(effect, entry, arena);
        return;
    case CAUSE_MERGE:
        effect->impossible = "two records became one, which cannot be taken apart";
        return;
    case CAUSE_DELETE:
        effect->impossible = "it was deleted because its object is gone at a CRM";
        return;
    case CAUSE_RESTORE:
        effect->impossible = "it came back because a person restored its object";
        return;
    case CAUSE_PULL:
    case CAUSE_LOCAL:
    case CAUSE_CONFLICT:
        break;
    }
    if (entry->connection_id) {
        add_source(effect, entry->connection_id);
    }
    add_changes(entry, arena, &effect->from, &effect->to);
}

/* What a run did to a record, newest first. */
struct run_entries {
    struct journal_entry *at;
    size_t count, capacity;
    int64_t first_id; /* of the record's first entry, whatever run that was */
};

static void keep_entry(struct run_entries *own, const struct journal_entry *entry,
                       struct arena *arena)
{
    if (own->count == own->capacity) {
        size_t capacity = own->capacity ? 2 * own->capacity : 16;
        struct journal_entry *wider = ARENA_ARRAY(arena, struct journal_entry, capacity);

        if (own->count) {
            memcpy(wider, own->at, own->count * sizeof *wider);
        }
        own->at = wider;
        own->capacity = capacity;
    }
    own->at[own->count++] = *entry;
}

static enum fail entries_of_run(struct tx *tx, int64_t run_id, int64_t record_id,
                                struct arena *arena, struct run_entries *ret, struct error *err)
{
    int64_t before_id = 0;

    for (;;) {
        struct journal_entry *entries;
        size_t count;

        if (journal_of_record(tx, record_id, before_id, ENTRIES_PAGE, arena, &entries, &count,
                              err) != OK) {
            return err->code;
        }
        for (size_t i = 0; i < count; i++) {
            if (entries[i].run_id == run_id) {
                keep_entry(ret, &entries[i], arena);
            }
        }
        if (count) {
            before_id = ret->first_id = entries[count - 1].id;
        }
        if (count < ENTRIES_PAGE) {
            return OK;
        }
    }
}

enum fail effect_of_run(struct tx *tx, int64_t run_id, int64_t record_id, struct arena *arena,
                        struct effect *ret, struct error *err)
{
    struct run_entries own = {0};
    bool found;

    *ret = (struct effect){0};
    if (record_by_id(tx, record_id, arena, &ret->record, &found, err) != OK ||
        entries_of_run(tx, run_id, record_id, arena, &own, err) != OK) {
        return err->code;
    }
    if (!found) {
        ret->impossible = "the record is not in the store any more";
        return OK;
    }
    for (size_t i = own.count; i-- > 0;) { /* oldest first */
        add_entry(ret, &own.at[i], own.at[i].id == own.first_id, arena);
    }
    if (ret->is_created) {
        ret->sources_count = 0;
    }
    return OK;
}
