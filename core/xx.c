/* libxml2's SAX interface builds the tree, so that every element passes our caps before it takes memory. */
#include "core/xx.h"

#include <assert.h>
#include <libxml/parser.h>
#include <libxml/parserInternals.h>
#include <pthread.h>

#include "core/alloc.h"
#include "core/unicode.h"

enum { XX_VALUES_MAX = 2 * XX_ATTRIBUTES_MAX }; /* of one element, its namespaces among them */

struct attribute {
    struct str space, name, value;
};

struct xx_node {
    struct str space, name, text;
    const struct attribute *attributes;
    size_t attributes_count;
    struct xx_node *first, *last, *next;
};

struct building {
    struct arena *arena;
    xmlParserCtxtPtr parser;
    struct xx_node *root;
    struct xx_node *open[XX_DEPTH_MAX];
    struct buf texts[XX_DEPTH_MAX]; /* owned; of the open elements */
    size_t depth, elements;
    struct error *err;
    bool is_refused;
};

/* --- reading -------------------------------------------------------------------------------- */

/* SAX callbacks get the building as their context. The first reason counts. */
static void refuse(struct building *b, const char *why)
{
    if (!b->is_refused) {
        b->is_refused = true;
        error_set(b->err, FAIL_RECORD, "refused XML at line %d: %s",
                  xmlSAX2GetLineNumber(b->parser), why);
    }
    xmlStopParser(b->parser);
}

static struct str copy(struct building *b, const xmlChar *text)
{
    return text ? arena_str(b->arena, str_of((const char *)text)) : STR("");
}

static bool name_fits(const xmlChar *text)
{
    return !text || strlen((const char *)text) <= XX_NAME_BYTES_MAX;
}

/* In attributes, and only there, the parser leaves every ampersand as "&#38;", as it expects a tree that decodes later. */
static struct str value_read(struct building *b, struct str raw)
{
    static const struct str AMPERSAND = STR("&#38;");
    char *value = arena_alloc(b->arena, raw.len + 1, 1);
    size_t len = 0;

    for (size_t i = 0; i < raw.len; i++) {
        value[len++] = raw.at[i];
        if (str_starts(str_slice(raw, i, raw.len), AMPERSAND)) {
            i += AMPERSAND.len - 1;
        }
    }
    return (struct str){.at = value, .len = len};
}

/* The parser gives five pointers for each attribute: name, prefix, namespace, begin and end of the value. */
static bool attributes_read(struct building *b, struct xx_node *node, size_t count,
                            const xmlChar **from)
{
    struct attribute *attributes = ARENA_ARRAY(b->arena, struct attribute, count + 1);

    for (size_t i = 0; i < count; i++, from += 5) {
        struct str value = {.at = (const char *)from[3], .len = (size_t)(from[4] - from[3])};

        if (!name_fits(from[0]) || !name_fits(from[2]) || value.len > XX_ATTRIBUTE_BYTES_MAX) {
            return false;
        }
        attributes[i] = (struct attribute){
            .name = copy(b, from[0]), .space = copy(b, from[2]), .value = value_read(b, value)};
    }
    node->attributes = attributes;
    node->attributes_count = count;
    return true;
}

/* What was declared stands in one of two places, depending on what it was. */
static bool encoding_is_ours(const struct building *b)
{
    const xmlChar *const said[] = {b->parser->encoding,
                                   b->parser->input ? b->parser->input->encoding : NULL};

    for (size_t i = 0; i < COUNT_OF(said); i++) {
        struct str name = str_of((const char *)said[i]);

        if (name.at && !str_equal_nocase(name, STR("UTF-8")) &&
            !str_equal_nocase(name, STR("US-ASCII"))) {
            return false;
        }
    }
    return true;
}

static void node_open(struct building *b, struct xx_node *node)
{
    struct xx_node *parent = b->depth ? b->open[b->depth - 1] : NULL;

    if (!parent) {
        b->root = node;
    } else if (parent->last) {
        parent->last->next = node;
        parent->last = node;
    } else {
        parent->first = parent->last = node;
    }
    b->open[b->depth] = node;
    buf_reset(&b->texts[b->depth++]);
}

static void on_start(void *context, const xmlChar *name, const xmlChar *prefix,
                     const xmlChar *space, int spaces_count, const xmlChar **spaces,
                     int attributes_count, int defaulted_count, const xmlChar **attributes)
{
    struct building *b = context;
    struct xx_node *node;

    (void)prefix;
    (void)spaces_count;
    (void)spaces;
    (void)defaulted_count;
    if (b->is_refused) {
        return;
    }
    if (!b->depth && !encoding_is_ours(b)) {
        refuse(b, "its encoding is not UTF-8");
    } else if (b->depth == XX_DEPTH_MAX) {
        refuse(b, "too deep");
    } else if (++b->elements > XX_ELEMENTS_MAX) {
        refuse(b, "too many elements");
    } else if (!name_fits(name) || !name_fits(space)) {
        refuse(b, "a name is too long");
    } else if (attributes_count > XX_ATTRIBUTES_MAX) {
        refuse(b, "too many attributes of one element");
    } else {
        node = ARENA_NEW(b->arena, struct xx_node);
        node->name = copy(b, name);
        node->space = copy(b, space);
        if (!attributes_read(b, node, (size_t)attributes_count, attributes)) {
            refuse(b, "an attribute is too long");
            return;
        }
        node_open(b, node);
    }
}

static void on_end(void *context, const xmlChar *name, const xmlChar *prefix, const xmlChar *space)
{
    struct building *b = context;

    (void)name;
    (void)prefix;
    (void)space;
    if (b->is_refused || !b->depth) {
        return;
    }
    b->depth--;
    b->open[b->depth]->text =
        b->texts[b->depth].len ? arena_str(b->arena, buf_str(&b->texts[b->depth])) : STR("");
}

static void on_text(void *context, const xmlChar *text, int len)
{
    struct building *b = context;

    if (!b->is_refused && b->depth) {
        buf_add(&b->texts[b->depth - 1],
                (struct str){.at = (const char *)text, .len = (size_t)len});
    }
}

static void on_document_type(void *context, const xmlChar *name, const xmlChar *external_id,
                             const xmlChar *system_id)
{
    (void)name;
    (void)external_id;
    (void)system_id;
    refuse(context, "a document type is not allowed");
}

static void on_reference(void *context, const xmlChar *name)
{
    (void)name;
    refuse(context, "an entity is not allowed");
}

static xmlParserInputPtr load_nothing(const char *url, const char *id, xmlParserCtxtPtr parser)
{
    (void)url;
    (void)id;
    (void)parser;
    return NULL;
}

static void prepare_library(void)
{
    xmlInitParser();
    xmlSetExternalEntityLoader(load_nothing);
}

static const xmlSAXHandler handlers = {
    .initialized = XML_SAX2_MAGIC,
    .startElementNs = on_start,
    .endElementNs = on_end,
    .characters = on_text,
    .ignorableWhitespace = on_text,
    .cdataBlock = on_text,
    .internalSubset = on_document_type,
    .externalSubset = on_document_type,
    .reference = on_reference,
};

/* Where what begins at a "<" and is no element ends; at itself when it is one. Unfinished ones take the rest. */
static size_t end_of_other(struct str text, size_t at)
{
    static const struct {
        struct str begin, end;
    } OTHERS[] = {
        {STR("<!--"), STR("-->")}, {STR("<![CDATA["), STR("]]>")}, {STR("<?"), STR("?>")}};
    struct str rest = str_slice(text, at, text.len);

    for (size_t i = 0; i < COUNT_OF(OTHERS); i++) {
        if (str_starts(rest, OTHERS[i].begin)) {
            const char *end = memmem(rest.at, rest.len, OTHERS[i].end.at, OTHERS[i].end.len);

            return end ? at + (size_t)(end - rest.at) : text.len;
        }
    }
    return at;
}

/* The parser compares each attribute, or namespace, of an element with all others before it tells us of any: among a hundred thousand of strangers
 * that takes minutes. Each has its value in quotes. */
static bool has_crowded_tag(struct str text)
{
    size_t values = 0;
    bool is_tag = false;
    char quote = '\0';

    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i];

        if (c == '<') {
            i = end_of_other(text, i);
            is_tag = true;
            values = 0;
            quote = '\0';
        } else if (is_tag && quote) {
            values += c == quote;
            quote = c == quote ? '\0' : quote;
        } else if (is_tag) {
            quote = c == '"' || c == '\'' ? c : '\0';
            is_tag = c != '>';
        }
        if (values > XX_VALUES_MAX) {
            return true;
        }
    }
    return false;
}

static enum fail parse(struct building *b)
{
    int line;

    *b->parser->sax = handlers;
    b->parser->userData = b;
    xmlCtxtUseOptions(b->parser, XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
    xmlParseDocument(b->parser);
    if (b->is_refused) {
        return b->err->code;
    }
    if (!b->parser->wellFormed || !b->parser->nsWellFormed || !b->root) {
        line = xmlSAX2GetLineNumber(b->parser);
        return error_set(b->err, FAIL_RETRY, "not XML at line %d", line);
    }
    return OK;
}

enum fail xx_parse(struct arena *arena, struct str text, const struct xx_node **ret,
                   struct error *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct building b = {.arena = arena, .err = err};
    enum fail result;

    if (text.len > XX_BYTES_MAX) {
        return error_set(err, FAIL_RECORD, "refused XML: larger than %d bytes", XX_BYTES_MAX);
    }
    if (!text.len || memchr(text.at, '\0', text.len)) { /* UTF-16 among others */
        return error_set(err, FAIL_RETRY, "not XML: %s", text.len ? "it has zero bytes" : "empty");
    }
    if (has_crowded_tag(text)) {
        return error_set(err, FAIL_RECORD, "refused XML: too many attributes of one element");
    }
    pthread_once(&once, prepare_library);
    b.parser = xmlCreateMemoryParserCtxt(text.at, (int)text.len);
    if (!b.parser) {
        abort(); /* out of memory */
    }
    for (size_t i = 0; i < XX_DEPTH_MAX; i++) {
        buf_init(&b.texts[i], XX_BYTES_MAX);
    }
    result = parse(&b);
    for (size_t i = 0; i < XX_DEPTH_MAX; i++) {
        buf_fini(&b.texts[i]);
    }
    xmlFreeDoc(b.parser->myDoc);
    xmlFreeParserCtxt(b.parser);
    if (result == OK) {
        *ret = b.root;
    }
    return result;
}

/* --- looking -------------------------------------------------------------------------------- */

static bool space_fits(struct str space, const char *wanted)
{
    return !wanted || str_equal(space, str_of(wanted));
}

bool xx_is(const struct xx_node *node, const char *space, const char *name)
{
    return str_equal(node->name, str_of(name)) && space_fits(node->space, space);
}

struct str xx_space(const struct xx_node *node)
{
    return node->space;
}

struct str xx_name(const struct xx_node *node)
{
    return node->name;
}

struct str xx_text(const struct xx_node *node)
{
    return node->text;
}

struct str xx_attribute(const struct xx_node *node, const char *space, const char *name)
{
    for (size_t i = 0; i < node->attributes_count; i++) {
        const struct attribute *attribute = &node->attributes[i];

        if (str_equal(attribute->name, str_of(name)) && space_fits(attribute->space, space)) {
            return attribute->value;
        }
    }
    return STR_NONE;
}

const struct xx_node *xx_first(const struct xx_node *node)
{
    return node->first;
}

const struct xx_node *xx_next(const struct xx_node *node)
{
    return node->next;
}

const struct xx_node *xx_child(const struct xx_node *node, const char *space, const char *name)
{
    for (const struct xx_node *child = node->first; child; child = child->next) {
        if (xx_is(child, space, name)) {
            return child;
        }
    }
    return NULL;
}

enum fail xx_need(const struct xx_node *node, const char *space, const char *name,
                  const struct xx_node **ret, struct error *err)
{
    const struct xx_node *found = xx_child(node, space, name);

    if (!found) {
        return error_set(err, FAIL_RECORD, "%.60s: no element '%s'", node->name.at, name);
    }
    *ret = found;
    return OK;
}

/* --- writing -------------------------------------------------------------------------------- */

static const char *escape_of(char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&apos;";
    case '\r': /* line ends are normalised by whoever reads */
        return "&#13;";
    case '\n':
        return "&#10;";
    case '\t':
        return "&#9;";
    default:
        return (unsigned char)c < 0x20 ? "\xef\xbf\xbd" : NULL;
    }
}

/* U+FFFE and U+FFFF are valid UTF-8 and no characters of XML. */
static bool is_noncharacter(struct str text, size_t at)
{
    return at + 2 < text.len && (unsigned char)text.at[at] == 0xef &&
           (unsigned char)text.at[at + 1] == 0xbf && (unsigned char)text.at[at + 2] >= 0xbe;
}

/* text is valid UTF-8. */
static void put_valid(struct buf *buf, struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        const char *escape = escape_of(text.at[i]);

        if (escape) {
            buf_add(buf, str_of(escape));
        } else if (is_noncharacter(text, i)) {
            buf_add(buf, STR("\xef\xbf\xbd"));
            i += 2;
        } else {
            buf_add_char(buf, text.at[i]);
        }
    }
}

void xx_put_text(struct buf *buf, struct str text)
{
    while (text.len) {
        size_t valid = utf8_valid_prefix(text);

        put_valid(buf, str_slice(text, 0, valid));
        if (valid < text.len) {
            buf_add(buf, STR("\xef\xbf\xbd"));
            valid++;
        }
        text = str_slice(text, valid, text.len);
    }
}

void xx_put_element(struct buf *buf, const char *name, struct str text)
{
    buf_addf(buf, "<%s>", name);
    xx_put_text(buf, text);
    buf_addf(buf, "</%s>", name);
}
