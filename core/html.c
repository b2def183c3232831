#include "core/html.h"

#include <libxml/HTMLparser.h>
#include <limits.h>

enum { TEXT_BYTES_MAX = 64 * 1024 * 1024, DEPTH_MAX = 200, TAG_BYTES_MAX = 4096 };

/* Text as it is built: blanks wait until something follows them on their line. */
struct reading {
    struct buf text;
    bool has_blank; /* one is due before the next word */
    bool has_word;  /* on the present line */
    int depth;
};

/* --- reading ---------------------------------------------------------------------------------------------------------------------- */

static bool is_blank_at(struct str text, size_t at, size_t *ret_bytes)
{
    unsigned char c = (unsigned char)text.at[at];

    if (c == 0xC2 && at + 1 < text.len && (unsigned char)text.at[at + 1] == 0xA0) {
        *ret_bytes = 2; /* no-break space, which editors put between words */
        return true;
    }
    *ret_bytes = 1;
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}

static void add_words(struct reading *reading, struct str text)
{
    for (size_t i = 0, bytes; i < text.len; i += bytes) {
        if (is_blank_at(text, i, &bytes)) {
            reading->has_blank = true;
            continue;
        }
        if (reading->has_blank && reading->has_word) {
            buf_add(&reading->text, STR(" "));
        }
        buf_add(&reading->text, str_slice(text, i, i + bytes));
        reading->has_blank = false;
        reading->has_word = true;
    }
}

static void end_line(struct reading *reading)
{
    buf_add(&reading->text, STR("\n"));
    reading->has_blank = reading->has_word = false;
}

static void end_block(struct reading *reading)
{
    if (reading->has_word) {
        end_line(reading);
    }
}

static bool is_one_of(const xmlNode *node, const char *const *names)
{
    for (size_t i = 0; names[i]; i++) {
        if (xmlStrcasecmp(node->name, (const xmlChar *)names[i]) == 0) {
            return true;
        }
    }
    return false;
}

static void read_nodes(struct reading *reading, const xmlNode *node);

static void read_element(struct reading *reading, const xmlNode *node)
{
    static const char *const SILENT[] = {"script", "style", "head", "title", "template", NULL};
    static const char *const BLOCKS[] = {
        "p",  "div", "ul", "ol", "li",    "h1", "h2",  "h3",      "h4",      "h5",         "h6",
        "tr", "dl",  "dt", "dd", "table", "hr", "pre", "section", "article", "blockquote", NULL};
    static const char *const ITEM[] = {"li", NULL}, *const BREAK[] = {"br", NULL},
                             *const CELL[] = {"td", "th", NULL};
    bool is_block = is_one_of(node, BLOCKS);

    if (is_one_of(node, SILENT)) {
        return;
    }
    if (is_one_of(node, BREAK)) {
        end_line(reading);
        return;
    }
    if (is_block) {
        end_block(reading);
    }
    if (is_one_of(node, ITEM)) {
        add_words(reading, STR("- "));
    }
    read_nodes(reading, node->children);
    if (is_block) {
        end_block(reading);
    } else if (is_one_of(node, CELL)) {
        reading->has_blank = true;
    }
}

static void read_nodes(struct reading *reading, const xmlNode *node)
{
    if (reading->depth++ < DEPTH_MAX) {
        for (; node; node = node->next) {
            if (node->type == XML_TEXT_NODE || node->type == XML_CDATA_SECTION_NODE) {
                add_words(reading, str_of((const char *)node->content));
            } else if (node->type == XML_ELEMENT_NODE) {
                read_element(reading, node);
            }
        }
    }
    reading->depth--;
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static size_t find(struct str html, size_t from, const char *what)
{
    const char *at = memmem(html.at + from, html.len - from, what, strlen(what));

    return at ? (size_t)(at - html.at) : html.len;
}

/* Where the next tag begins: comments may hold what looks like one, and so may scripts and styles behind their own. */
static size_t next_tag(struct str html, size_t from)
{
    for (size_t i = from; i + 1 < html.len; i++) {
        if (html.at[i] == '<' && is_letter(html.at[i + 1])) {
            return i;
        }
        if (str_starts(str_slice(html, i, html.len), STR("<!--"))) {
            i = find(html, i, "-->");
        }
    }
    return html.len;
}

static size_t behind_script(struct str html, struct str name, size_t from)
{
    if (str_equal_nocase(name, STR("script")) || str_equal_nocase(name, STR("style"))) {
        return find(html, from, "</");
    }
    return from;
}

/* The parser compares each attribute of a tag with all others: a tag of strangers may take minutes. Nobody reads them here, so that long tags
 * lose theirs. */
static struct str without_long_tags(struct str html, struct arena *arena)
{
    AUTO_BUF struct buf text = {0};
    size_t done = 0, end;

    buf_init(&text, html.len);
    for (size_t at = next_tag(html, 0); at < html.len; at = next_tag(html, end)) {
        size_t name = at + 1;

        while (name < html.len &&
               (is_letter(html.at[name]) || (html.at[name] >= '0' && html.at[name] <= '9'))) {
            name++;
        }
        end = find(html, name, ">");
        if (end - at > TAG_BYTES_MAX) {
            buf_add(&text, str_slice(html, done, name));
            done = end;
        }
        end = behind_script(html, str_slice(html, at + 1, name), end);
    }
    if (done == 0) {
        return html;
    }
    buf_add(&text, str_slice(html, done, html.len));
    return arena_str(arena, buf_str(&text));
}

struct str html_to_text(struct str html, struct arena *arena)
{
    struct reading reading = {0};
    struct str text;
    htmlDocPtr document;

    html.len = html.len > INT_MAX ? INT_MAX : html.len;
    html = without_long_tags(html, arena);
    document = htmlReadMemory(html.at, (int)html.len, NULL, "UTF-8",
                              HTML_PARSE_RECOVER | HTML_PARSE_NOERROR | HTML_PARSE_NOWARNING |
                                  HTML_PARSE_NONET | HTML_PARSE_NODEFDTD);
    buf_init(&reading.text, TEXT_BYTES_MAX);
    if (document) {
        read_nodes(&reading, xmlDocGetRootElement(document));
        xmlFreeDoc(document);
    }
    text = arena_str(arena, str_trim(buf_str(&reading.text)));
    buf_fini(&reading.text);
    return text;
}

/* --- writing ---------------------------------------------------------------------------------------------------------------------- */

static void add_escaped(struct buf *html, struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        switch (text.at[i]) {
        case '&':
            buf_add(html, STR("&amp;"));
            break;
        case '<':
            buf_add(html, STR("&lt;"));
            break;
        case '>':
            buf_add(html, STR("&gt;"));
            break;
        default:
            buf_add(html, str_slice(text, i, i + 1));
        }
    }
}

/* One line without blanks around it and runs of them. */
static void add_line(struct buf *html, struct str text)
{
    struct reading line = {0};

    buf_init(&line.text, TEXT_BYTES_MAX);
    add_words(&line, text);
    add_escaped(html, buf_str(&line.text));
    buf_fini(&line.text);
}

struct str html_from_text(struct str text, struct arena *arena)
{
    AUTO_BUF struct buf html = {0};
    size_t ends = 0; /* of lines, that count when something follows */

    buf_init(&html, TEXT_BYTES_MAX);
    while (text.len) {
        AUTO_BUF struct buf line = {0};

        buf_init(&line, TEXT_BYTES_MAX);
        add_line(&line, str_cut(&text, '\n'));
        for (; line.len && html.len && ends; ends--) {
            buf_add(&html, STR("<br>"));
        }
        ends = html.len || line.len ? ends : 0;
        buf_add(&html, buf_str(&line));
        ends++;
    }
    return arena_str(arena, buf_str(&html));
}
