/* Props in few bytes: a row of members, each a type, a name and a text, with their lengths. Made and opened within one call chain, never stored. */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "adapters/adapter.h"
#include "core/jx.h"

enum { NUMBER_BYTES_MAX = 64 };

struct head {
    json_type type;
    uint32_t name_len, text_len;
};

/* A member's text; *ret_made is the caller's to free. */
static struct str text_of(const json_t *value, char scratch[NUMBER_BYTES_MAX], char **ret_made)
{
    *ret_made = NULL;
    switch (json_typeof(value)) {
    case JSON_STRING:
        return jx_text_of(value);
    case JSON_INTEGER:
        snprintf(scratch, NUMBER_BYTES_MAX, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        return str_of(scratch);
    case JSON_REAL:
    case JSON_ARRAY:
    case JSON_OBJECT:
        *ret_made = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
        assert(*ret_made);
        return str_of(*ret_made);
    case JSON_TRUE:
    case JSON_FALSE:
    case JSON_NULL:
        break;
    }
    return STR("");
}

static size_t bytes_of(const json_t *props)
{
    size_t bytes = 0;
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)props, name, value)
    {
        char scratch[NUMBER_BYTES_MAX], *made;

        bytes += sizeof(struct head) + strlen(name) + 1 + text_of(value, scratch, &made).len;
        free(made);
    }
    return bytes;
}

static char *put(char *to, const void *from, size_t bytes)
{
    memcpy(to, from, bytes);
    return to + bytes;
}

struct str adapter_pack(struct arena *arena, const json_t *props)
{
    size_t bytes = bytes_of(props);
    char *at = arena_alloc(arena, bytes + 1, 1), *to = at;
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)props, name, value)
    {
        char scratch[NUMBER_BYTES_MAX], *made;
        struct str text = text_of(value, scratch, &made);
        struct head head = {.type = json_typeof(value),
                            .name_len = (uint32_t)strlen(name),
                            .text_len = (uint32_t)text.len};

        assert(text.len <= UINT32_MAX);
        to = put(to, &head, sizeof head);
        to = put(to, name, head.name_len + 1);
        to = put(to, text.at, text.len);
        free(made);
    }
    return (struct str){.at = at, .len = bytes};
}

static json_t *value_of(json_type type, struct str text)
{
    int64_t number = 0;

    switch (type) {
    case JSON_STRING:
        return json_stringn_nocheck(text.at, text.len);
    case JSON_INTEGER:
        (void)str_to_i64(text, &number);
        return json_integer(number);
    case JSON_REAL:
    case JSON_ARRAY:
    case JSON_OBJECT:
        return json_loadb(text.at, text.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    case JSON_TRUE:
        return json_true();
    case JSON_FALSE:
        return json_false();
    case JSON_NULL:
        break;
    }
    return json_null();
}

json_t *adapter_unpack(struct arena *arena, struct str packed)
{
    json_t *props = json_object();

    for (size_t from = 0; from < packed.len;) {
        struct head head;
        const char *name = packed.at + from + sizeof head;
        json_t *value;

        memcpy(&head, packed.at + from, sizeof head);
        value =
            value_of(head.type, (struct str){.at = name + head.name_len + 1, .len = head.text_len});
        assert(value);
        json_object_set_new_nocheck(props, name, value);
        from += sizeof head + head.name_len + 1 + head.text_len;
    }
    return jx_own(arena, props);
}
