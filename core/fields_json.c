/* Fields and bases as JSON text and back, for the store. These run for every record of every page, so they know this one
 * grammar and build no tree: writing fills a piece of the stack, and only what is longer is written again into as much as it
 * needs; reading unescapes in place.
 * Text that is not UTF-8 (it can come from a command line) is written with U+FFFD for each bad byte: a document that
 * could not be read again would be worse. */
#include <string.h>

#include "core/alloc.h"
#include "core/fields.h"
#include "core/json_text.h"
#include "core/unicode.h"

enum { SHORT_BYTES = 4096 };

/* What has no room any more is only counted. */
struct out {
    char *at;
    size_t len, room;
};

/* Where a document is being read. end points behind the last byte. */
struct reader {
    struct arena *arena;
    char *at, *end;
};

static void put(struct out *out, const char *at, size_t len)
{
    if (len && out->len + len <= out->room) {
        memcpy(out->at + out->len, at, len);
    }
    out->len += len;
}

static void put_char(struct out *out, char c)
{
    if (out->len < out->room) {
        out->at[out->len] = c;
    }
    out->len++;
}

static void put_escape(struct out *out, unsigned char c)
{
    static const char DIGITS[] = "0123456789abcdef";
    const char control[] = {'\\', 'u', '0', '0', DIGITS[c >> 4], DIGITS[c & 15]};
    const char short_form[] = {'\\', (char)c};

    if (c == '"' || c == '\\') {
        put(out, short_form, sizeof short_form);
    } else {
        put(out, control, sizeof control);
    }
}

static void write_valid(struct out *out, struct str text)
{
    size_t from = 0;

    for (size_t i = json_plain_eights(text.at, text.len); i < text.len; i++) {
        unsigned char c = (unsigned char)text.at[i];

        if (c >= 0x20 && c != '"' && c != '\\') {
            continue;
        }
        put(out, text.at + from, i - from);
        put_escape(out, c);
        from = i + 1;
    }
    if (from < text.len) {
        put(out, text.at + from, text.len - from);
    }
}

static void write_string(struct out *out, struct str text)
{
    size_t good = utf8_valid_prefix(text);

    put_char(out, '"');
    while (good < text.len) {
        write_valid(out, str_slice(text, 0, good));
        put(out, UTF8_REPLACEMENT, sizeof UTF8_REPLACEMENT - 1);
        text = str_slice(text, good + 1, text.len);
        good = utf8_valid_prefix(text);
    }
    write_valid(out, text);
    put_char(out, '"');
}

static void write_list(struct out *out, const struct value *list)
{
    put_char(out, '[');
    for (size_t i = 0; i < list->items_count; i++) {
        if (i) {
            put_char(out, ',');
        }
        write_string(out, list->items[i]);
    }
    put_char(out, ']');
}

static void write_value(struct out *out, const struct value *value)
{
    switch (value->state) {
    case VALUE_ABSENT:
    case VALUE_NULL:
        put(out, "null", 4);
        return;
    case VALUE_TEXT:
        write_string(out, value->text);
        return;
    case VALUE_LIST:
        write_list(out, value);
        return;
    }
}

static void write_name(struct out *out, struct str name)
{
    write_string(out, name);
    put_char(out, ':');
}

static void write_fields(struct out *out, const struct fields *fields)
{
    put_char(out, '{');
    for (size_t i = 0; i < fields->count; i++) {
        if (i) {
            put_char(out, ',');
        }
        write_name(out, fields->at[i].name);
        write_value(out, &fields->at[i].value);
    }
    put_char(out, '}');
}

struct str fields_to_json(struct arena *arena, const struct fields *fields)
{
    char piece[SHORT_BYTES] UNINITIALIZED;
    struct out out = {.at = piece, .room = sizeof piece};

    if (fields->text.at) {
        return fields->text;
    }
    write_fields(&out, fields);
    if (out.len <= sizeof piece) {
        return arena_str(arena, (struct str){.at = piece, .len = out.len});
    }
    out = (struct out){.at = arena_alloc(arena, out.len + 1, 1), .room = out.len};
    write_fields(&out, fields);
    return (struct str){.at = out.at, .len = out.len};
}

void fields_write(struct fields *fields, struct arena *arena)
{
    fields->text = fields_to_json(arena, fields);
}

struct digest fields_digest(const struct fields *fields)
{
    AUTO_FREE char *text = NULL;
    char piece[SHORT_BYTES] UNINITIALIZED;
    struct out out = {.at = piece, .room = sizeof piece};

    if (fields->text.at) {
        return digest_of(fields->text);
    }
    write_fields(&out, fields);
    if (out.len > sizeof piece) {
        text = alloc_resize(NULL, out.len, 1);
        out = (struct out){.at = text, .room = out.len};
        write_fields(&out, fields);
    }
    return digest_of((struct str){.at = out.at, .len = out.len});
}

static void write_pair(struct out *out, const struct value *hub, const struct value *remote)
{
    put_char(out, '{');
    if (hub->state != VALUE_ABSENT) {
        write_name(out, STR("h"));
        write_value(out, hub);
    }
    if (hub->state != VALUE_ABSENT && remote->state != VALUE_ABSENT) {
        put_char(out, ',');
    }
    if (remote->state != VALUE_ABSENT) {
        write_name(out, STR("r"));
        write_value(out, remote);
    }
    put_char(out, '}');
}

static void write_halves(struct out *out, const struct value *hub, const struct value *remote)
{
    if (value_equal(hub, remote)) {
        write_value(out, hub);
    } else {
        write_pair(out, hub, remote);
    }
}

/* Walks both halves side by side, as both are sorted by name. */
static void write_base(struct out *out, const struct base *base)
{
    static const struct value ABSENT = {.state = VALUE_ABSENT};
    size_t h = 0, r = 0;

    put_char(out, '{');
    while (h < base->hub.count || r < base->remote.count) {
        const struct field *hub = h < base->hub.count ? &base->hub.at[h] : NULL;
        const struct field *remote = r < base->remote.count ? &base->remote.at[r] : NULL;
        int order = !hub ? 1 : !remote ? -1 : str_compare(hub->name, remote->name);

        if (h || r) {
            put_char(out, ',');
        }
        write_name(out, order <= 0 ? hub->name : remote->name);
        write_halves(out, order <= 0 ? &hub->value : &ABSENT,
                     order >= 0 ? &remote->value : &ABSENT);
        h += order <= 0;
        r += order >= 0;
    }
    put_char(out, '}');
}

struct str base_to_json(struct arena *arena, const struct base *base)
{
    char piece[SHORT_BYTES] UNINITIALIZED;
    struct out out = {.at = piece, .room = sizeof piece};

    /* halves that are one are written as fields are */
    if (base->hub.text.at && base->hub.text.at == base->remote.text.at) {
        return base->hub.text;
    }
    write_base(&out, base);
    if (out.len <= sizeof piece) {
        return arena_str(arena, (struct str){.at = piece, .len = out.len});
    }
    out = (struct out){.at = arena_alloc(arena, out.len + 1, 1), .room = out.len};
    write_base(&out, base);
    return (struct str){.at = out.at, .len = out.len};
}

static enum fail damaged(struct error *err)
{
    error_set(err, FAIL_STOP,
              "a record of the store cannot be read: it is not a document of field values");
    return error_hint(err, "restore a backup, or run 'crmsync doctor'");
}

static void skip_blanks(struct reader *r)
{
    while (r->at < r->end &&
           (*r->at == ' ' || *r->at == '\t' || *r->at == '\n' || *r->at == '\r')) {
        r->at++;
    }
}

/* The next character that is not white space is c: passes it. */
static bool take(struct reader *r, char c)
{
    skip_blanks(r);
    if (r->at == r->end || *r->at != c) {
        return false;
    }
    r->at++;
    return true;
}

static bool take_escape(struct reader *r, char **to)
{
    const char *at = r->at;
    bool is_known = json_unescape(&at, r->end, to);

    r->at += at - r->at;
    return is_known;
}

/* The text stays where it stands, unescaped and with a NUL behind it. */
static bool take_string(struct reader *r, struct str *ret)
{
    char *from, *to;

    if (!take(r, '"')) {
        return false;
    }
    from = to = r->at;
    while (r->at < r->end && *r->at != '"') {
        unsigned char c = (unsigned char)*r->at++;

        if (c < 0x20 || (c == '\\' && !take_escape(r, &to))) {
            return false;
        }
        if (c != '\\') {
            *to++ = (char)c;
        }
    }
    if (r->at == r->end) {
        return false;
    }
    r->at++;
    *to = '\0';
    *ret = (struct str){.at = from, .len = (size_t)(to - from)};
    return true;
}

static void grow_items(struct reader *r, struct str **items, size_t count, size_t *capacity)
{
    size_t wider_capacity = *capacity ? *capacity * 2 : 8;
    struct str *wider;

    if (count < *capacity) {
        return;
    }
    wider = ARENA_ARRAY(r->arena, struct str, wider_capacity);
    if (count) {
        memcpy(wider, *items, count * sizeof *wider);
    }
    *items = wider;
    *capacity = wider_capacity;
}

/* Behind the opening bracket. */
static bool take_list(struct reader *r, struct value *ret)
{
    struct str *items = NULL;
    size_t count = 0, capacity = 0;

    while (!take(r, ']')) {
        grow_items(r, &items, count, &capacity);
        if ((count && !take(r, ',')) || !take_string(r, &items[count])) {
            return false;
        }
        count++;
    }
    *ret = (struct value){.state = VALUE_LIST, .items = items, .items_count = count};
    return true;
}

static bool take_value(struct reader *r, struct value *ret)
{
    struct str text;

    if (take(r, '[')) {
        return take_list(r, ret);
    }
    if (r->end - r->at >= 4 && memcmp(r->at, "null", 4) == 0) {
        r->at += 4;
        *ret = VALUE_NONE;
        return true;
    }
    if (!take_string(r, &text)) {
        return false;
    }
    *ret = VALUE_OF(text);
    return true;
}

/* Behind the opening brace: one or both of "h" and "r". */
static bool take_pair(struct reader *r, struct value *ret_hub, struct value *ret_remote)
{
    struct value halves[2] = {{0}, {0}};

    do {
        struct str name;
        struct value *half;

        if (!take_string(r, &name) || !take(r, ':') || name.len != 1) {
            return false;
        }
        half = name.at[0] == 'h' ? &halves[0] : name.at[0] == 'r' ? &halves[1] : NULL;
        if (!half || half->state != VALUE_ABSENT || !take_value(r, half)) {
            return false;
        }
    } while (take(r, ','));
    *ret_hub = halves[0];
    *ret_remote = halves[1];
    return take(r, '}');
}

static bool take_halves(struct reader *r, struct value *ret_hub, struct value *ret_remote)
{
    if (take(r, '{')) {
        return take_pair(r, ret_hub, ret_remote);
    }
    if (!take_value(r, ret_hub)) {
        return false;
    }
    *ret_remote = *ret_hub;
    return true;
}

static bool has(const struct fields *fields, struct str name)
{
    return fields_get(fields, name)->state != VALUE_ABSENT;
}

/* One member; plain fields go to hub alone (remote is NULL) and have no pairs. */
static bool take_member(struct reader *r, struct fields *hub, struct fields *remote)
{
    struct value hub_value, remote_value = {0};
    struct str name;

    if (!take_string(r, &name) || !take(r, ':') || has(hub, name) ||
        (remote && has(remote, name)) ||
        !(remote ? take_halves(r, &hub_value, &remote_value) : take_value(r, &hub_value))) {
        return false;
    }
    fields_set(hub, r->arena, name, hub_value);
    if (remote) {
        fields_set(remote, r->arena, name, remote_value);
    }
    return true;
}

static bool read_document(struct arena *arena, struct str text, struct fields *hub,
                          struct fields *remote)
{
    struct reader r = {.arena = arena};
    bool is_first = true;

    if (!utf8_is_valid(text)) {
        return false;
    }
    r.at = arena_cstr(arena, text);
    r.end = r.at + text.len;
    if (!take(&r, '{')) {
        return false;
    }
    while (!take(&r, '}')) {
        if ((!is_first && !take(&r, ',')) || !take_member(&r, hub, remote)) {
            return false;
        }
        is_first = false;
    }
    skip_blanks(&r);
    return r.at == r.end;
}

enum fail fields_from_json(struct arena *arena, struct str text, struct fields *ret,
                           struct error *err)
{
    struct fields fields = {0};

    if (!read_document(arena, text, &fields, NULL)) {
        return damaged(err);
    }
    *ret = fields;
    return OK;
}

enum fail base_from_json(struct arena *arena, struct str text, struct base *ret, struct error *err)
{
    struct base base = {0};

    if (!read_document(arena, text, &base.hub, &base.remote)) {
        return damaged(err);
    }
    *ret = base;
    return OK;
}
