#include "core/fields.h"

#include <jansson.h>
#include <stdlib.h>

enum { JSON_BYTES_MAX = 64 * 1024 * 1024 };

bool value_equal(const struct value *x, const struct value *y)
{
    if (x->state != y->state) {
        return false;
    }
    if (x->state == VALUE_TEXT) {
        return str_equal(x->text, y->text);
    }
    if (x->state != VALUE_LIST) {
        return true;
    }
    if (x->items_count != y->items_count) {
        return false;
    }
    for (size_t i = 0; i < x->items_count; i++) {
        if (!str_equal(x->items[i], y->items[i])) {
            return false;
        }
    }
    return true;
}

bool value_is_blank(const struct value *value)
{
    switch (value->state) {
    case VALUE_ABSENT:
    case VALUE_NULL:
        return true;
    case VALUE_TEXT:
        return value->text.len == 0;
    case VALUE_LIST:
        return value->items_count == 0;
    }
    return true;
}

struct value value_copy(struct arena *arena, const struct value *value)
{
    struct value copy = *value;
    struct str *items;

    if (value->state == VALUE_TEXT) {
        copy.text = arena_str(arena, value->text);
    } else if (value->state == VALUE_LIST) {
        items = ARENA_ARRAY(arena, struct str, value->items_count);
        for (size_t i = 0; i < value->items_count; i++) {
            items[i] = arena_str(arena, value->items[i]);
        }
        copy.items = items;
    }
    return copy;
}

/* Index of name, or where it belongs. */
static size_t find(const struct fields *fields, struct str name, bool *ret_found)
{
    size_t low = 0, high = fields->count;

    *ret_found = false;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = str_compare(fields->at[middle].name, name);

        if (order == 0) {
            *ret_found = true;
            return middle;
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

const struct value *fields_get(const struct fields *fields, struct str name)
{
    static const struct value ABSENT = {.state = VALUE_ABSENT};
    bool found;
    size_t index = find(fields, name, &found);

    return found ? &fields->at[index].value : &ABSENT;
}

static void make_room(struct fields *fields, struct arena *arena)
{
    size_t capacity = fields->capacity ? fields->capacity * 2 : 16;
    struct field *wider;

    if (fields->count < fields->capacity) {
        return;
    }
    wider = ARENA_ARRAY(arena, struct field, capacity);
    if (fields->count) {
        memcpy(wider, fields->at, fields->count * sizeof *wider);
    }
    fields->at = wider;
    fields->capacity = capacity;
}

void fields_set(struct fields *fields, struct arena *arena, struct str name, struct value value)
{
    bool found;
    size_t index = find(fields, name, &found);

    if (found && value.state == VALUE_ABSENT) {
        memmove(fields->at + index, fields->at + index + 1,
                (fields->count - index - 1) * sizeof *fields->at);
        fields->count--;
    } else if (found) {
        fields->at[index].value = value;
    } else if (value.state != VALUE_ABSENT) {
        make_room(fields, arena);
        memmove(fields->at + index + 1, fields->at + index,
                (fields->count - index) * sizeof *fields->at);
        fields->at[index] = (struct field){.name = name, .value = value};
        fields->count++;
    }
}

bool fields_equal(const struct fields *x, const struct fields *y)
{
    if (x->count != y->count) {
        return false;
    }
    for (size_t i = 0; i < x->count; i++) {
        if (!str_equal(x->at[i].name, y->at[i].name) ||
            !value_equal(&x->at[i].value, &y->at[i].value)) {
            return false;
        }
    }
    return true;
}

struct fields fields_copy(struct arena *arena, const struct fields *fields)
{
    struct fields copy = {.count = fields->count, .capacity = fields->count + 4};

    copy.at = ARENA_ARRAY(arena, struct field, copy.capacity);
    for (size_t i = 0; i < fields->count; i++) {
        copy.at[i].name = arena_str(arena, fields->at[i].name);
        copy.at[i].value = value_copy(arena, &fields->at[i].value);
    }
    return copy;
}

/* --- writing ---------------------------------------------------------------------------------------------------------------- */

static void write_string(struct buf *buf, struct str text)
{
    size_t from = 0;

    buf_add_char(buf, '"');
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.at[i];

        if (c >= 0x20 && c != '"' && c != '\\') {
            continue;
        }
        buf_add(buf, str_slice(text, from, i));
        from = i + 1;
        if (c == '"' || c == '\\') {
            buf_add_char(buf, '\\');
            buf_add_char(buf, (char)c);
        } else {
            buf_addf(buf, "\\u%04x", c);
        }
    }
    buf_add(buf, str_slice(text, from, text.len));
    buf_add_char(buf, '"');
}

static void write_value(struct buf *buf, const struct value *value)
{
    switch (value->state) {
    case VALUE_ABSENT:
    case VALUE_NULL:
        buf_add(buf, STR("null"));
        return;
    case VALUE_TEXT:
        write_string(buf, value->text);
        return;
    case VALUE_LIST:
        break;
    }
    buf_add_char(buf, '[');
    for (size_t i = 0; i < value->items_count; i++) {
        if (i) {
            buf_add_char(buf, ',');
        }
        write_string(buf, value->items[i]);
    }
    buf_add_char(buf, ']');
}

static void write_name(struct buf *buf, struct str name)
{
    if (buf->at[buf->len - 1] != '{') {
        buf_add_char(buf, ',');
    }
    write_string(buf, name);
    buf_add_char(buf, ':');
}

static void write_fields(struct buf *buf, const struct fields *fields)
{
    buf_add_char(buf, '{');
    for (size_t i = 0; i < fields->count; i++) {
        write_name(buf, fields->at[i].name);
        write_value(buf, &fields->at[i].value);
    }
    buf_add_char(buf, '}');
}

struct str fields_to_json(struct arena *arena, const struct fields *fields)
{
    AUTO_BUF struct buf buf = {0};

    buf_init(&buf, JSON_BYTES_MAX);
    write_fields(&buf, fields);
    return arena_str(arena, buf_str(&buf));
}

struct digest fields_digest(const struct fields *fields)
{
    AUTO_BUF struct buf buf = {0};

    buf_init(&buf, JSON_BYTES_MAX);
    write_fields(&buf, fields);
    return digest_of(buf_str(&buf));
}

static void write_pair(struct buf *buf, const struct value *hub, const struct value *remote)
{
    buf_add_char(buf, '{');
    if (hub->state != VALUE_ABSENT) {
        write_name(buf, STR("h"));
        write_value(buf, hub);
    }
    if (remote->state != VALUE_ABSENT) {
        write_name(buf, STR("r"));
        write_value(buf, remote);
    }
    buf_add_char(buf, '}');
}

static void write_half(struct buf *buf, struct str name, const struct value *hub,
                       const struct value *remote)
{
    write_name(buf, name);
    if (value_equal(hub, remote)) {
        write_value(buf, hub);
    } else {
        write_pair(buf, hub, remote);
    }
}

struct str base_to_json(struct arena *arena, const struct base *base)
{
    static const struct value ABSENT = {.state = VALUE_ABSENT};
    AUTO_BUF struct buf buf = {0};
    size_t h = 0, r = 0;

    buf_init(&buf, JSON_BYTES_MAX);
    buf_add_char(&buf, '{');
    while (h < base->hub.count || r < base->remote.count) {
        const struct field *hub = h < base->hub.count ? &base->hub.at[h] : NULL;
        const struct field *remote = r < base->remote.count ? &base->remote.at[r] : NULL;
        int order = !hub ? 1 : !remote ? -1 : str_compare(hub->name, remote->name);

        write_half(&buf, order <= 0 ? hub->name : remote->name, order <= 0 ? &hub->value : &ABSENT,
                   order >= 0 ? &remote->value : &ABSENT);
        h += order <= 0;
        r += order >= 0;
    }
    buf_add_char(&buf, '}');
    return arena_str(arena, buf_str(&buf));
}

/* --- reading ---------------------------------------------------------------------------------------------------------------- */

static void decref(void *subject)
{
    json_decref(subject);
}

static enum fail damaged(struct error *err)
{
    error_set(err, FAIL_STOP,
              "a record of the store cannot be read: it is not a document of field values");
    return error_hint(err, "restore a backup, or run 'crmsync doctor'");
}

static struct str text_of(const json_t *value)
{
    return (struct str){.at = json_string_value(value), .len = json_string_length(value)};
}

static bool read_list(struct arena *arena, const json_t *json, struct value *ret)
{
    struct str *items = ARENA_ARRAY(arena, struct str, json_array_size(json));

    for (size_t i = 0; i < json_array_size(json); i++) {
        const json_t *item = json_array_get(json, i);

        if (!json_is_string(item)) {
            return false;
        }
        items[i] = text_of(item);
    }
    *ret =
        (struct value){.state = VALUE_LIST, .items = items, .items_count = json_array_size(json)};
    return true;
}

static bool read_value(struct arena *arena, const json_t *json, struct value *ret)
{
    if (!json) {
        *ret = (struct value){0};
    } else if (json_is_null(json)) {
        *ret = VALUE_NONE;
    } else if (json_is_string(json)) {
        *ret = VALUE_OF(text_of(json));
    } else {
        return json_is_array(json) && read_list(arena, json, ret);
    }
    return true;
}

static json_t *load(struct arena *arena, struct str text)
{
    json_t *tree = json_loadb(text.at ? text.at : "", text.len, JSON_ALLOW_NUL, NULL);

    if (tree) {
        arena_defer(arena, decref, tree);
    }
    return json_is_object(tree) ? tree : NULL;
}

enum fail fields_from_json(struct arena *arena, struct str text, struct fields *ret,
                           struct error *err)
{
    json_t *tree = load(arena, text);
    struct fields fields = {0};
    const char *name;
    json_t *json;

    if (!tree) {
        return damaged(err);
    }
    json_object_foreach(tree, name, json)
    {
        struct value value;

        if (!read_value(arena, json, &value)) {
            return damaged(err);
        }
        fields_set(&fields, arena, str_of(name), value);
    }
    *ret = fields;
    return OK;
}

enum fail base_from_json(struct arena *arena, struct str text, struct base *ret, struct error *err)
{
    json_t *tree = load(arena, text);
    struct base base = {0};
    const char *name;
    json_t *json;

    if (!tree) {
        return damaged(err);
    }
    json_object_foreach(tree, name, json)
    {
        bool is_pair = json_is_object(json);
        struct value hub, remote;

        if (!read_value(arena, is_pair ? json_object_get(json, "h") : json, &hub) ||
            !read_value(arena, is_pair ? json_object_get(json, "r") : json, &remote)) {
            return damaged(err);
        }
        fields_set(&base.hub, arena, str_of(name), hub);
        fields_set(&base.remote, arena, str_of(name), remote);
    }
    *ret = base;
    return OK;
}
