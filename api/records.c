/* Records as they are: lists, one record, its history, and where its values came from. */
#include "api/find.h"
#include "api/handlers.h"
#include "api/json.h"
#include "api/selecting.h"
#include "store/journal.h"
#include "store/link.h"

enum { ENTRIES_MAX = 100000 };

static json_t *json_links(struct api_call *call, struct tx *tx, const struct store_link *links,
                          size_t count)
{
    json_t *list = json_array();

    for (size_t i = 0; i < count; i++) {
        json_array_append_new(
            list,
            json_pack("{s:o,s:o,s:s,s:b}", "connection",
                      json_text(connection_name(tx, links[i].connection_id, call->arena)),
                      "remote_id", json_text(links[i].remote_id), "state",
                      link_state_name(links[i].state), "resting", links[i].is_resting ? 1 : 0));
    }
    return list;
}

static enum fail record_row(struct api_call *call, struct tx *tx, const struct store_record *record,
                            bool with_part, json_t **ret, struct error *err)
{
    struct store_link *links;
    json_t *part = NULL;
    size_t count;

    if (links_of_record(tx, record->id, call->arena, &links, &count, err) != OK ||
        (with_part && selection_rows(tx, record->id, call->arena, &part, err) != OK)) {
        return err->code;
    }
    *ret = json_record(record);
    json_object_set_new(*ret, "title", json_text(record_title(call->arena, record)));
    json_object_set_new(*ret, "links", json_links(call, tx, links, count));
    json_object_set_new(*ret, "part", part ? part : json_array());
    return OK;
}

static enum fail find_kind(struct api_call *call, const struct kind **ret, struct error *err)
{
    if (kind_named(call->setup.kinds, api_parameter(call, "kind"), ret, err) != OK) {
        return api_status(call, 404, err);
    }
    return OK;
}

/* The record of the path; tx is its transaction. */
static enum fail find_record(struct api_call *call, struct tx *tx, const struct kind *kind,
                             struct store_record *ret, struct error *err)
{
    if (record_named(tx, kind, api_parameter(call, "id"), call->arena, ret, err) == FAIL_RECORD) {
        return api_status(call, 404, err);
    }
    return err->code;
}

static enum fail add_rows(struct api_call *call, struct tx *tx, const struct store_record *records,
                          size_t count, json_t *rows, struct error *err)
{
    bool with_part;

    if (selection_is_used(tx, call->tenant->settings, &with_part, err) != OK) {
        return err->code;
    }
    for (size_t i = 0; i < count; i++) {
        json_t *row;

        if (record_row(call, tx, &records[i], with_part, &row, err) != OK) {
            return err->code;
        }
        json_array_append_new(rows, row);
    }
    return OK;
}

enum fail handle_records_list(struct api_call *call, struct error *err)
{
    AUTO_TX struct tx *tx = NULL;
    struct str text = api_query(call, "q");
    struct store_record *records;
    json_t *rows = jx_own(call->arena, json_array());
    const struct kind *kind;
    size_t limit, count;
    int64_t after;

    if (find_kind(call, &kind, err) != OK || api_query_limit(call, &limit, err) != OK ||
        api_query_after(call, &after, err) != OK || api_read(call, &tx, err) != OK) {
        return err->code;
    }
    if ((text.len
             ? record_search(tx, kind->name, text, after, limit, call->arena, &records, &count, err)
             : record_list(tx, kind->name, after, limit, call->arena, &records, &count, err)) !=
            OK ||
        add_rows(call, tx, records, count, rows, err) != OK) {
        return err->code;
    }
    api_page(call, json_incref(rows), count == limit ? records[count - 1].id : 0);
    return tx_commit(&tx, err);
}

enum fail handle_record_get(struct api_call *call, struct error *err)
{
    AUTO_TX struct tx *tx = NULL;
    struct store_record record;
    const struct kind *kind;
    json_t *row;

    if (find_kind(call, &kind, err) != OK || api_read(call, &tx, err) != OK ||
        find_record(call, tx, kind, &record, err) != OK ||
        record_row(call, tx, &record, true, &row, err) != OK) {
        return err->code;
    }
    if (api_is_known(call, record.version)) {
        json_decref(row);
    } else {
        api_answer(call, row);
    }
    return tx_commit(&tx, err);
}

/* --- history ------------------------------------------------------------------------------------------------- */

static json_t *json_change(const struct journal_change *change)
{
    return json_pack("{s:o,s:o,s:o,s:o,s:o}", "field", json_text(change->field), "from",
                     json_value(&change->from), "to", json_value(&change->to), "rule",
                     json_text(change->rule), "lost", json_value(&change->lost));
}

static json_t *json_entry(struct api_call *call, struct tx *tx, const struct journal_entry *entry)
{
    json_t *changes = json_array();

    for (size_t i = 0; i < entry->changes_count; i++) {
        json_array_append_new(changes, json_change(&entry->changes[i]));
    }
    return json_pack("{s:I,s:o,s:I,s:o,s:s,s:I,s:o}", "id", entry->id, "at",
                     json_time(entry->at_ms), "version", entry->record_version, "source",
                     json_text(connection_name(tx, entry->connection_id, call->arena)), "cause",
                     journal_cause_name(entry->cause), "run", entry->run_id, "changes", changes);
}

enum fail handle_record_history(struct api_call *call, struct error *err)
{
    AUTO_TX struct tx *tx = NULL;
    struct journal_entry *entries;
    struct store_record record;
    const struct kind *kind;
    json_t *rows;
    size_t limit, count;
    int64_t before;

    if (find_kind(call, &kind, err) != OK || api_query_limit(call, &limit, err) != OK ||
        api_query_after(call, &before, err) != OK || api_read(call, &tx, err) != OK ||
        find_record(call, tx, kind, &record, err) != OK ||
        journal_of_record(tx, record.id, before, limit, call->arena, &entries, &count, err) != OK) {
        return err->code;
    }
    rows = json_array();
    for (size_t i = 0; i < count; i++) {
        json_array_append_new(rows, json_entry(call, tx, &entries[i]));
    }
    api_page(call, rows, count == limit ? entries[count - 1].id : 0);
    return tx_commit(&tx, err);
}

/* --- explain ------------------------------------------------------------------------------------------------- */

struct explanation {
    struct api_call *call;
    struct tx *tx;
    struct store_record record;
    struct store_link *links;
    size_t links_count;
    struct journal_entry *entries; /* newest first */
    size_t entries_count;
};

/* The entry that gave the field its present value. */
static const struct journal_change *origin(const struct explanation *e, struct str field,
                                           const struct journal_entry **ret_entry)
{
    for (size_t i = 0; i < e->entries_count; i++) {
        for (size_t k = 0; k < e->entries[i].changes_count; k++) {
            const struct journal_change *change = &e->entries[i].changes[k];

            if (e->entries[i].cause != CAUSE_PUSH && str_equal(change->field, field) &&
                !value_equal(&change->from, &change->to)) {
                *ret_entry = &e->entries[i];
                return change;
            }
        }
    }
    return NULL;
}

static json_t *json_sides(const struct explanation *e, struct str field)
{
    json_t *sides = json_object();

    for (size_t i = 0; i < e->links_count; i++) {
        struct str name = connection_name(e->tx, e->links[i].connection_id, e->call->arena);

        json_object_setn_new(sides, name.at, name.len,
                             json_value(fields_get(&e->links[i].base.remote, field)));
    }
    return sides;
}

static json_t *json_losers(const struct explanation *e, struct str field)
{
    json_t *losers = json_array();

    for (size_t i = 0; i < e->entries_count; i++) {
        for (size_t k = 0; k < e->entries[i].changes_count; k++) {
            const struct journal_change *change = &e->entries[i].changes[k];

            if (str_equal(change->field, field) && change->lost.state != VALUE_ABSENT) {
                json_array_append_new(
                    losers, json_pack("{s:o,s:o,s:o,s:o}", "value", json_value(&change->lost), "at",
                                      json_time(e->entries[i].at_ms), "rule",
                                      json_text(change->rule), "against", json_value(&change->to)));
            }
        }
    }
    return losers;
}

static json_t *json_field(const struct explanation *e, const struct field *field)
{
    const struct journal_entry *entry = NULL;
    const struct journal_change *change = origin(e, field->name, &entry);
    json_t *body =
        json_pack("{s:o,s:o}", "field", json_text(field->name), "value", json_value(&field->value));

    if (change) {
        json_object_set_new(
            body, "source",
            json_text(connection_name(e->tx, entry->connection_id, e->call->arena)));
        json_object_set_new(body, "rule", json_text(change->rule));
        json_object_set_new(body, "changed_at", json_time(change->changed_ms));
        json_object_set_new(body, "time_is_exact", json_boolean(change->time_is_exact));
        json_object_set_new(body, "seen_at", json_time(entry->at_ms));
        json_object_set_new(body, "run", json_integer(entry->run_id));
    }
    json_object_set_new(body, "agreed", json_sides(e, field->name));
    json_object_set_new(body, "lost", json_losers(e, field->name));
    return body;
}

enum fail handle_record_explain(struct api_call *call, struct error *err)
{
    AUTO_TX struct tx *tx = NULL;
    struct explanation e = {.call = call};
    struct str only = api_query(call, "field");
    const struct kind_field *field;
    const struct kind *kind;
    json_t *rows, *row;

    if (find_kind(call, &kind, err) != OK ||
        (only.len && kind_field_named(kind, only, &field, err) != OK) ||
        api_read(call, &tx, err) != OK || find_record(call, tx, kind, &e.record, err) != OK ||
        links_of_record(tx, e.record.id, call->arena, &e.links, &e.links_count, err) != OK ||
        journal_of_record(tx, e.record.id, 0, ENTRIES_MAX, call->arena, &e.entries,
                          &e.entries_count, err) != OK ||
        record_row(call, tx, &e.record, true, &row, err) != OK) {
        return err->code;
    }
    e.tx = tx;
    rows = json_array();
    for (size_t i = 0; i < e.record.fields.count; i++) {
        if (only.len == 0 || str_equal(only, e.record.fields.at[i].name)) {
            json_array_append_new(rows, json_field(&e, &e.record.fields.at[i]));
        }
    }
    api_answer(call, json_pack("{s:o,s:o}", "record", row, "items", rows));
    return tx_commit(&tx, err);
}
