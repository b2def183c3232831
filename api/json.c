#include "api/json.h"

#include "core/advice.h"
#include "core/alloc.h"
#include "core/when.h"

enum { TITLE_ID_CHARS = 13, CELL_BYTES_MAX = 4096 };

json_t *json_text(struct str text)
{
    json_t *value = json_stringn(text.at ? text.at : "", text.len);

    return value ? value : json_string("\xEF\xBF\xBD");
}

json_t *json_value(const struct value *value)
{
    json_t *list;

    switch (value->state) {
    case VALUE_ABSENT:
    case VALUE_NULL:
        return json_null();
    case VALUE_TEXT:
        return json_text(value->text);
    case VALUE_LIST:
        break;
    }
    list = json_array();
    for (size_t i = 0; i < value->items_count; i++) {
        json_array_append_new(list, json_text(value->items[i]));
    }
    return list;
}

json_t *json_fields(const struct fields *fields)
{
    json_t *object = json_object();

    for (size_t i = 0; i < fields->count; i++) {
        AUTO_FREE char *name = alloc_printf("%" PRI_STR, STR_ARG(fields->at[i].name));

        json_object_set_new(object, name, json_value(&fields->at[i].value));
    }
    return object;
}

json_t *json_counts(const struct run_counts *counts)
{
    return json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I}", "read",
                     counts->read, "unchanged", counts->unchanged, "created_here",
                     counts->created_here, "updated_here", counts->updated_here, "deleted_here",
                     counts->deleted_here, "matched", counts->matched, "created_there",
                     counts->created_there, "updated_there", counts->updated_there, "deleted_there",
                     counts->deleted_there, "conflicts", counts->conflicts, "set_aside",
                     counts->set_aside, "merged", counts->merged, "calls", counts->calls, "retries",
                     counts->retries, "throttled", counts->throttled);
}

json_t *json_time(int64_t ms)
{
    char text[WHEN_TEXT_BYTES];

    if (ms == 0) {
        return json_null();
    }
    when_format_ms(ms, text);
    return json_string(text);
}

json_t *json_record(const struct store_record *record)
{
    json_t *object = json_object();

    json_object_set_new(object, "id", json_text(record->uuid));
    json_object_set_new(object, "kind", json_text(record->kind));
    json_object_set_new(object, "version", json_integer(record->version));
    json_object_set_new(object, "state", json_string(record_state_name(record->state)));
    json_object_set_new(object, "created_at", json_time(record->created_ms));
    json_object_set_new(object, "updated_at", json_time(record->updated_ms));
    json_object_set_new(object, "fields", json_fields(&record->fields));
    return object;
}

json_t *json_error(const struct error *err)
{
    return json_pack("{s:s,s:s,s:s}", "code", fail_name(err->code), "message", err->message, "hint",
                     err->hint);
}

json_t *json_progress(const struct sync_progress *progress)
{
    return json_pack(
        "{s:s,s:o,s:o,s:I,s:o,s:I,s:o,s:o}", "phase", progress->phase, "connection",
        json_text(progress->connection), "kind", json_text(progress->kind), "done", progress->done,
        "total", progress->total < 0 ? json_null() : json_integer(progress->total), "wait_ms",
        progress->wait_ms, "why", progress->why ? json_text(str_of(progress->why)) : json_null(),
        "counts", progress->counts ? json_counts(progress->counts) : json_null());
}

static json_t *json_advice(struct str tenant, const char *text)
{
    AUTO_ARENA struct arena arena = {0};

    return json_text(advice_for_tenant(&arena, tenant, str_of(text)));
}

json_t *json_report(const struct sync_report *report, struct str tenant)
{
    json_t *problems = json_array();
    json_t *brakes = json_array();

    for (size_t i = 0; i < report->brakes_count; i++) {
        json_array_append_new(brakes, json_pack("{s:s,s:o}", "seen", report->brakes[i].seen, "try",
                                                json_advice(tenant, report->brakes[i].command)));
    }
    for (size_t i = 0; i < report->problems_count; i++) {
        const struct sync_problem *problem = &report->problems[i];

        json_array_append_new(problems, json_pack("{s:s,s:s,s:s,s:s,s:o,s:I}", "connection",
                                                  problem->connection, "kind", problem->kind,
                                                  "code", fail_name(problem->error.code), "message",
                                                  problem->error.message, "hint",
                                                  json_advice(tenant, problem->error.hint),
                                                  "wait_ms", problem->error.wait_ms));
    }
    return json_pack("{s:I,s:o,s:I,s:I,s:I,s:b,s:I,s:b,s:o,s:o}", "run", report->run_id, "counts",
                     json_counts(&report->counts), "conflicts_open", report->conflicts_open,
                     "failures_open", report->failures_open, "writes_unsettled",
                     report->writes_unsettled, "budget_spent", report->budget_spent ? 1 : 0,
                     "restoring", (json_int_t)report->restoring, "brake_stopped",
                     report->brake_stopped ? 1 : 0, "brakes", brakes, "problems", problems);
}

/* --- for people ---------------------------------------------------------------------------------------------- */

static void add_printable(struct buf *buf, struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.at[i];

        buf_add_char(buf, c < 0x20 || c == 0x7f ? ' ' : (char)c);
    }
}

struct str value_text(struct arena *arena, const struct value *value)
{
    AUTO_BUF struct buf text = {0};

    buf_init(&text, CELL_BYTES_MAX);
    switch (value->state) {
    case VALUE_ABSENT:
    case VALUE_NULL:
        return STR("—");
    case VALUE_TEXT:
        add_printable(&text, value->text);
        break;
    case VALUE_LIST:
        for (size_t i = 0; i < value->items_count; i++) {
            buf_add(&text, i ? STR(", ") : STR(""));
            add_printable(&text, value->items[i]);
        }
        break;
    }
    return text.is_full ? STR("(long text)") : arena_str(arena, buf_str(&text));
}

struct str record_title(struct arena *arena, const struct store_record *record)
{
    const struct value *own = fields_get(&record->fields, STR("name"));
    const struct value *name =
        value_is_blank(own) ? fields_get(&record->fields, STR("subject")) : own;
    const struct value *email = fields_get(&record->fields, STR("email"));
    const struct value *first = fields_get(&record->fields, STR("first_name"));
    const struct value *last = fields_get(&record->fields, STR("last_name"));

    if (!value_is_blank(name)) {
        return value_text(arena, name);
    }
    if (!value_is_blank(first) && !value_is_blank(last)) {
        return arena_printf(arena, "%" PRI_STR " %" PRI_STR, STR_ARG(value_text(arena, first)),
                            STR_ARG(value_text(arena, last)));
    }
    if (!value_is_blank(first) || !value_is_blank(last)) {
        return value_text(arena, value_is_blank(first) ? last : first);
    }
    return value_is_blank(email) ? str_slice(record->uuid, 0, TITLE_ID_CHARS)
                                 : value_text(arena, email);
}
