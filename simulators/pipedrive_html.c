/* What Pipedrive does to the HTML of notes, as far as it is known: it takes out what a browser
 * would run and writes the rest in its own way. Source: OpenAPI v1, POST /notes, says that content
 * is sanitised; these rules are a guess that makes the text read back differ. */
#include "simulators/pipedrive_inside.h"

#include "core/jx.h"

/* Elements that go with all they hold. */
static const char *const dropped[] = {"script", "style", "iframe", "object"};

static bool is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
}

static struct str name_of_tag(struct str tag)
{
    size_t from = tag.len > 1 && tag.at[1] == '/' ? 2 : 1, to = from;

    while (to < tag.len && is_name_char(tag.at[to])) {
        to++;
    }
    return str_slice(tag, from, to);
}

static bool is_dropped(struct str name)
{
    for (size_t i = 0; i < COUNT_OF(dropped); i++) {
        if (str_equal_nocase(name, str_of(dropped[i]))) {
            return true;
        }
    }
    return false;
}

/* The length of the tag that rest begins with, its brackets included; 0 when none does. */
static size_t tag_length(struct str rest)
{
    const char *end;

    if (rest.len < 3 || rest.at[0] != '<' ||
        !(is_name_char(rest.at[1]) || rest.at[1] == '/' || rest.at[1] == '!')) {
        return 0;
    }
    end = memchr(rest.at, '>', rest.len);
    return end ? (size_t)(end - rest.at) + 1 : 0;
}

/* Where the element that begins rest ends; all of it when it is never closed. */
static size_t element_length(struct str rest, struct str name)
{
    for (size_t i = 1; i < rest.len; i++) {
        struct str here = str_slice(rest, i, rest.len);
        size_t length = tag_length(here);

        if (length && here.at[1] == '/' &&
            str_equal_nocase(name_of_tag(str_slice(here, 0, length)), name)) {
            return i + length;
        }
    }
    return rest.len;
}

/* " onclick=…" up to the next blank or the end of the tag. */
static size_t handler_length(struct str rest)
{
    char quote = '\0';
    size_t to = 1;

    if (rest.len < 4 || rest.at[0] != ' ' || !str_equal_nocase(str_slice(rest, 1, 3), STR("on"))) {
        return 0;
    }
    for (; to < rest.len && (quote || (rest.at[to] != ' ' && rest.at[to] != '>')); to++) {
        if (quote ? rest.at[to] == quote : rest.at[to] == '"' || rest.at[to] == '\'') {
            quote = quote ? '\0' : rest.at[to];
        }
    }
    return to;
}

static void tag_add(struct buf *out, struct str tag)
{
    if (str_equal_nocase(name_of_tag(tag), STR("br"))) { /* <br/> and <br /> */
        sim_put(out, "<br>");
        return;
    }
    for (size_t i = 0; i < tag.len; i++) {
        size_t handler = handler_length(str_slice(tag, i, tag.len));

        if (handler) {
            i += handler - 1;
        } else {
            buf_add_char(out, tag.at[i]);
        }
    }
}

static void html_add(struct buf *out, struct str html)
{
    for (size_t i = 0; i < html.len;) {
        struct str rest = str_slice(html, i, html.len);
        size_t length = tag_length(rest);
        struct str tag = str_slice(rest, 0, length);

        if (length == 0) {
            buf_add_char(out, html.at[i++]);
        } else if (tag.at[1] == '!') { /* a comment */
            i += length;
        } else if (is_dropped(name_of_tag(tag))) {
            i += tag.at[1] == '/' ? length : element_length(rest, name_of_tag(tag));
        } else {
            tag_add(out, tag);
            i += length;
        }
    }
}

struct str pd_html_clean(struct arena *arena, struct str json)
{
    struct str html = pd_plain(arena, json), clean, ret;
    struct buf out;

    buf_init(&out, html.len + sizeof("<br>"));
    html_add(&out, html);
    clean = buf_str(&out);
    ret = jx_text(arena, jx_own(arena, json_stringn(clean.at ? clean.at : "", clean.len)));
    buf_fini(&out);
    return ret;
}
