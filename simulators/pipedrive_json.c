#include "simulators/pipedrive_inside.h"

#include <inttypes.h>
#include <stdarg.h>

#include "core/jx.h"
#include "core/unicode.h"
#include "core/when.h"

/* --- errors --------------------------------------------------------------------------------- */

enum { ERROR_BYTES = 400 };

void pd_fail(struct sim_call *call, int status, const char *code, const char *info,
             const char *format, ...)
{
    char text[ERROR_BYTES];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    sim_restart(call);
    sim_put(call->body, "{\"success\":false,");
    if (code) {
        sim_put(call->body, "\"code\":");
        sim_put_text(call->body, str_of(code));
        sim_put(call->body, ",");
    }
    sim_put(call->body, "\"error\":");
    sim_put_text(call->body, str_slice(str_of(text), 0, utf8_valid_prefix(str_of(text))));
    sim_put(call->body, ",\"error_info\":");
    sim_put_text(call->body, str_of(info ? info
                                         : "Please check developers.pipedrive.com for more "
                                           "information about Pipedrive API."));
    sim_put(call->body, ",\"data\":null,\"additional_data\":null}");
    sim_reply(call, status);
}

void pd_invalid(struct sim_call *call, const char *format, ...)
{
    char text[ERROR_BYTES];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    pd_fail(call, 400, "ERR_SCHEMA_VALIDATION_FAILED", NULL, "%s", text);
}

void pd_refuse_check(struct sim_call *call, const struct pd_check *check)
{
    if (check->status == 400) {
        pd_invalid(call, "Validation failed: %" PRI_STR, STR_ARG(check->problem));
    } else {
        pd_fail(call, check->status, NULL, NULL, "%" PRI_STR, STR_ARG(check->problem));
    }
}

void pd_not_found(struct sim_call *call)
{
    pd_fail(call, 404, NULL, "Object was not found.", "Entity was not found");
}

/* --- query ---------------------------------------------------------------------------------- */

bool pd_query_bool(struct sim_call *call, const char *name, bool *ret)
{
    struct str text = sim_query(call, name);

    if (!text.at) {
        return true;
    }
    *ret = str_equal(text, STR("true"));
    if (!*ret && !str_equal(text, STR("false"))) {
        pd_invalid(call, "Parameter '%s' is not a valid boolean", name);
        return false;
    }
    return true;
}

bool pd_query_limit(struct sim_call *call, int64_t most, int64_t *ret)
{
    if (sim_query_i64(call, "limit", PD_LIST_DEFAULT, ret) && *ret >= 1 && *ret <= most) {
        return true;
    }
    pd_invalid(call, "Parameter 'limit' has to be an integer between 1 and %" PRId64, most);
    return false;
}

static bool word_find(struct str word, const char *const *allowed, size_t count, unsigned *ret_mask)
{
    for (size_t i = 0; i < count; i++) {
        if (str_equal(word, str_of(allowed[i]))) {
            *ret_mask |= 1U << i;
            return true;
        }
    }
    return false;
}

bool pd_query_words(struct sim_call *call, const char *name, const char *const *allowed,
                    size_t allowed_count, unsigned *ret_mask)
{
    struct str rest = sim_query(call, name);

    while (rest.at) {
        struct str word = str_trim(str_cut(&rest, ','));

        if (!word_find(word, allowed, allowed_count, ret_mask)) {
            pd_invalid(call, "Parameter '%s' does not allow '%.60s'", name,
                       arena_cstr(call->arena, word));
            return false;
        }
    }
    return true;
}

/* --- what to show --------------------------------------------------------------------------- */

static bool custom_shown_read(struct sim_call *call, const struct pd_kind *kind,
                              struct pd_view *ret)
{
    struct str rest = sim_query(call, "custom_fields");
    size_t keys = 0;

    ret->shows_all_custom = !rest.len;
    ret->custom = ARENA_ARRAY(call->arena, size_t, PD_CUSTOM_SHOWN_MAX);
    while (rest.len) {
        struct str key = str_trim(str_cut(&rest, ','));
        const struct pd_field *field = pd_field_find(pd_of(call), kind, key);

        if (++keys > PD_CUSTOM_SHOWN_MAX) {
            pd_invalid(call, "Parameter 'custom_fields' allows at most %d keys",
                       PD_CUSTOM_SHOWN_MAX);
            return false;
        }
        if (field && field->flags & PD_CUSTOM) {
            ret->custom[ret->custom_count++] = pd_field_index(kind, field);
        }
    }
    return true;
}

static bool included_read(struct sim_call *call, const struct pd_kind *kind, struct pd_view *ret)
{
    struct str rest = sim_query(call, "include_fields");

    ret->included = arena_alloc(call->arena, kind->spec->fields_count, sizeof(size_t));
    while (rest.len) {
        struct str name = str_trim(str_cut(&rest, ','));
        const struct pd_field *field = pd_field_find(pd_of(call), kind, name);
        size_t index = field ? pd_field_index(kind, field) : 0;
        bool is_named = false;

        if (!field || !(field->flags & PD_INCLUDED)) {
            pd_invalid(call, "Parameter 'include_fields' does not allow '%.60s'",
                       arena_cstr(call->arena, name));
            return false;
        }
        for (size_t i = 0; i < ret->included_count; i++) {
            is_named = is_named || ret->included[i] == index;
        }
        if (!is_named) {
            ret->included[ret->included_count++] = index;
        }
    }
    return true;
}

bool pd_view_init(struct sim_call *call, struct pd_kind *kind, struct pd_view *ret)
{
    *ret = (struct pd_view){0};
    return custom_shown_read(call, kind, ret) && included_read(call, kind, ret) &&
           pd_query_bool(call, "include_option_labels", &ret->shows_option_labels) &&
           pd_query_bool(call, "include_labels", &ret->shows_labels);
}

/* --- records -------------------------------------------------------------------------------- */

void pd_put_time(struct buf *buf, int64_t ms)
{
    char text[WHEN_TEXT_BYTES];

    when_format_seconds(ms, text);
    buf_add_char(buf, '"');
    sim_put(buf, text);
    buf_add_char(buf, '"');
}

static void put_derived(struct sim_call *call, const struct pd_kind *kind,
                        const struct pd_field *field, const struct pd_record *record)
{
    struct buf *body = call->body;

    switch (field->derived) {
    case PD_IS_ID:
        sim_put_i64(body, record->base.id);
        break;
    case PD_IS_ADDED:
        pd_put_time(body, record->base.created_ms);
        break;
    case PD_IS_UPDATED:
        if (record->base.modified_ms) {
            pd_put_time(body, record->base.modified_ms);
        } else {
            sim_put(body, "null");
        }
        break;
    case PD_IS_DELETED:
        sim_put(body, record->base.archived_ms ? "true" : "false");
        break;
    case PD_IS_PEOPLE_COUNT:
        sim_put_i64(body, record->people_count);
        break;
    case PD_IS_PARTICIPANTS_COUNT:
        sim_put_i64(body, (int64_t)record->participants_count);
        break;
    case PD_IS_COUNT:
        sim_put_i64(body, pd_count_of(pd_of(call), kind, field->code, record));
        break;
    case PD_IS_BCC:
        buf_addf(body, "\"harbour+%" PRId64 "@pipedrivemail.example\"", record->base.id);
        break;
    case PD_IS_CONSTANT:
    case PD_STORED:
        buf_add(body, field->empty);
        break;
    }
}

void pd_put_member(struct sim_call *call, const struct pd_kind *kind, size_t index,
                   const struct pd_record *record)
{
    const struct pd_field *field = &kind->fields[index];
    struct str value = field->derived ? STR_NONE : pd_value(record, index);

    buf_add_char(call->body, '"');
    buf_add(call->body, field->code);
    buf_add(call->body, STR("\":"));
    if (field->type == PD_STATUS && record->base.archived_ms) {
        sim_put(call->body, "\"deleted\"");
    } else if (field->type == PD_CLOCK && value.at && pd_of(call)->quirks & PD_SECONDS_IN_CLOCKS) {
        buf_addf(call->body, "%" PRI_STR ":00\"", STR_ARG(str_slice(value, 0, value.len - 1)));
    } else if (value.at) {
        buf_add(call->body, value);
    } else {
        put_derived(call, kind, field, record);
    }
}

static void put_option(struct buf *body, const struct pd_field *field, const json_t *id)
{
    const struct pd_option *option = pd_option_find(field, json_integer_value(id));

    sim_put(body, "{\"id\":");
    sim_put_i64(body, json_integer_value(id));
    sim_put(body, ",\"label\":");
    sim_put_text(body, option ? option->label : STR_NONE);
    sim_put(body, "}");
}

/* An id or a list of ids, as {id, label}. */
static void put_options(struct sim_call *call, const struct pd_field *field, struct str value)
{
    const json_t *tree = pd_tree(call->arena, value);
    size_t index;
    json_t *id;

    if (json_is_integer(tree)) {
        put_option(call->body, field, tree);
        return;
    }
    sim_put(call->body, "[");
    json_array_foreach(tree, index, id)
    {
        sim_put(call->body, index ? "," : "");
        put_option(call->body, field, id);
    }
    sim_put(call->body, "]");
}

static void put_custom(struct sim_call *call, const struct pd_field *field, struct str value,
                       const struct pd_view *view)
{
    buf_add_char(call->body, '"');
    buf_add(call->body, field->code);
    buf_add(call->body, STR("\":"));
    if (value.at && view->shows_option_labels &&
        (field->type == PD_SET || field->type == PD_ENUM)) {
        put_options(call, field, value);
    } else {
        buf_add(call->body, value.at ? value : STR("null"));
    }
}

static bool has_custom_value(const struct pd_kind *kind, const struct pd_record *record)
{
    for (size_t i = kind->spec->fields_count; i < kind->fields_count; i++) {
        if (!kind->fields[i].is_deleted && pd_value(record, i).at) {
            return true;
        }
    }
    return false;
}

void pd_put_custom_fields(struct sim_call *call, const struct pd_kind *kind,
                          const struct pd_record *record, const struct pd_view *view)
{
    size_t first = kind->spec->fields_count, shown = 0;
    size_t count = view->shows_all_custom ? kind->fields_count - first : view->custom_count;

    if (pd_of(call)->quirks & PD_CUSTOM_FIELDS_NULL && !has_custom_value(kind, record)) {
        sim_put(call->body, "null");
        return;
    }
    sim_put(call->body, "{");
    for (size_t i = 0; i < count; i++) {
        size_t index = view->shows_all_custom ? first + i : view->custom[i];

        if (!kind->fields[index].is_deleted) {
            sim_put(call->body, shown++ ? "," : "");
            put_custom(call, &kind->fields[index], pd_value(record, index), view);
        }
    }
    sim_put(call->body, "}");
}

static void put_labels(struct sim_call *call, const struct pd_kind *kind,
                       const struct pd_record *record)
{
    size_t index = pd_slot(kind, "label_ids");

    sim_put(call->body, ",\"labels\":");
    put_options(call, &kind->fields[index], pd_value(record, index));
}

void pd_put_record(struct sim_call *call, const struct pd_kind *kind,
                   const struct pd_record *record, const struct pd_view *view)
{
    const struct pipedrive *pd = pd_of(call);

    sim_put(call->body, "{");
    for (size_t i = 0, shown = 0; i < kind->spec->fields_count; i++) {
        const struct pd_field *field = &kind->fields[i];

        if (!(field->flags & PD_INCLUDED) && pd_field_exists(pd, field)) {
            sim_put(call->body, shown++ ? "," : "");
            pd_put_member(call, kind, i, record);
        }
    }
    for (size_t i = 0; i < view->included_count; i++) {
        sim_put(call->body, ",");
        pd_put_member(call, kind, view->included[i], record);
    }
    if (pd_can(kind, PD_CUSTOMIZED)) {
        if (view->shows_labels) {
            put_labels(call, kind, record);
        }
        sim_put(call->body, ",\"custom_fields\":");
        pd_put_custom_fields(call, kind, record, view);
    }
    sim_put(call->body, "}");
}

void pd_reply_record(struct sim_call *call, const struct pd_kind *kind,
                     const struct pd_record *record)
{
    static const struct pd_view everything = {.shows_all_custom = true};

    sim_put(call->body, "{\"success\":true,\"data\":");
    pd_put_record(call, kind, record, &everything);
    sim_put(call->body, "}");
    sim_reply(call, 200);
}

void pd_reply_id(struct sim_call *call, int status, int64_t id)
{
    buf_addf(call->body, "{\"success\":true,\"data\":{\"id\":%" PRId64 "}}", id);
    sim_reply(call, status);
}

/* --- cursors -------------------------------------------------------------------------------- */

static const char digits64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

struct str pd_cursor_write(struct arena *arena, const json_t *tree)
{
    struct str text = jx_text(arena, tree);
    char *out = arena_alloc(arena, text.len * 4 / 3 + 4, 1);
    unsigned held = 0, bits = 0;
    size_t at = 0;

    for (size_t i = 0; i < text.len; i++) {
        held = (held << 8 | (unsigned char)text.at[i]) & 0xffff;
        for (bits += 8; bits >= 6; bits -= 6) {
            out[at++] = digits64[held >> (bits - 6) & 63];
        }
    }
    if (bits) {
        out[at++] = digits64[held << (6 - bits) & 63];
    }
    return (struct str){.at = out, .len = at};
}

json_t *pd_cursor_read(struct arena *arena, struct str cursor)
{
    char *out;
    unsigned held = 0, bits = 0;
    size_t at = 0;

    if (cursor.len == 0 || cursor.len > PD_CURSOR_BYTES_MAX) {
        return NULL;
    }
    out = arena_alloc(arena, cursor.len, 1);
    for (size_t i = 0; i < cursor.len; i++) {
        const char *digit = memchr(digits64, cursor.at[i], sizeof(digits64) - 1);

        if (!digit) {
            return NULL;
        }
        held = (held << 6 | (unsigned)(digit - digits64)) & 0xffff;
        for (bits += 6; bits >= 8; bits -= 8) {
            out[at++] = (char)(held >> (bits - 8) & 0xff);
        }
    }
    return pd_tree(arena, (struct str){.at = out, .len = at});
}

void pd_put_next_cursor(struct sim_call *call, struct str cursor)
{
    sim_put(call->body, ",\"additional_data\":{\"next_cursor\":");
    sim_put_text(call->body, cursor);
    sim_put(call->body, "}");
}
