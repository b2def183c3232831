/* JSON text written straight into a buffer: answers of 100 records are built for every page of a
 * large import, and a tree of them costs some fifty times more. */
#include "simulators/inside.h"

#include "core/when.h"

void sim_put(struct buf *buf, const char *literal)
{
    buf_add(buf, str_of(literal));
}

static bool byte_is_plain(unsigned char byte)
{
    return byte >= 0x20 && byte != '"' && byte != '\\';
}

bool sim_text_is_plain(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (!byte_is_plain((unsigned char)text.at[i])) {
            return false;
        }
    }
    return true;
}

static void put_escaped_byte(struct buf *buf, unsigned char byte)
{
    switch (byte) {
    case '"':
        sim_put(buf, "\\\"");
        break;
    case '\\':
        sim_put(buf, "\\\\");
        break;
    case '\n':
        sim_put(buf, "\\n");
        break;
    case '\r':
        sim_put(buf, "\\r");
        break;
    case '\t':
        sim_put(buf, "\\t");
        break;
    default:
        buf_addf(buf, "\\u%04x", byte);
    }
}

static void put_escaped(struct buf *buf, struct str text)
{
    size_t from = 0;

    for (size_t i = 0; i < text.len; i++) {
        if (!byte_is_plain((unsigned char)text.at[i])) {
            buf_add(buf, str_slice(text, from, i));
            put_escaped_byte(buf, (unsigned char)text.at[i]);
            from = i + 1;
        }
    }
    buf_add(buf, str_slice(text, from, text.len));
}

void sim_put_text(struct buf *buf, struct str text)
{
    if (!text.at) {
        sim_put(buf, "null");
        return;
    }
    buf_add_char(buf, '"');
    put_escaped(buf, text);
    buf_add_char(buf, '"');
}

void sim_put_name(struct buf *buf, const char *name)
{
    sim_put(buf, ",\"");
    sim_put(buf, name);
    sim_put(buf, "\":");
}

void sim_put_flag(struct buf *buf, const char *name, bool is_set)
{
    sim_put_name(buf, name);
    sim_put(buf, is_set ? "true" : "false");
}

void sim_put_i64(struct buf *buf, int64_t number)
{
    char digits[24];
    size_t at = sizeof(digits);
    uint64_t rest = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;

    do {
        digits[--at] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest);
    if (number < 0) {
        digits[--at] = '-';
    }
    buf_add(buf, (struct str){.at = digits + at, .len = sizeof(digits) - at});
}

void sim_put_time(struct buf *buf, int64_t ms)
{
    char text[WHEN_TEXT_BYTES];

    when_format_ms(ms, text);
    buf_add_char(buf, '"');
    sim_put(buf, text);
    buf_add_char(buf, '"');
}

static int put_chunk(const char *at, size_t bytes, void *context)
{
    buf_add(context, (struct str){.at = at, .len = bytes});
    return 0;
}

void sim_put_json(struct buf *buf, const json_t *tree)
{
    json_dump_callback(tree, put_chunk, buf, JSON_COMPACT | JSON_ENCODE_ANY);
}
