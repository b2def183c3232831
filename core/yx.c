/* A tree of our own, built from libfyaml's events: every node keeps its position, aliases share the node they name (so
 * that an alias bomb costs nothing), duplicate keys are refused, "<<" merges mappings. libfyaml's own documents are not
 * used, since they expand aliases without limit. */
#include "core/yx.h"

#include <assert.h>
#include <errno.h>
#include <libfyaml.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/alloc.h"
#include "core/unicode.h"
#include "core/words.h"

enum { ALLOWED_MAX = 64, MEMBERS_MAX = 20000, TREE_NODES_MAX = 1000000 };

struct yx_node {
    const struct yx_document *document;
    enum yx_type type;
    bool is_quoted;
    bool is_open; /* still being built: an alias to it would close a circle */
    struct str text;
    int line, column;        /* from 1 */
    struct yx_node **keys;   /* mapping */
    struct yx_node **values; /* mapping values or sequence items */
    size_t count, capacity;
    size_t weight; /* nodes below it and itself, shared ones counted each time they are met */
};

struct anchor {
    struct str name;
    struct yx_node *node;
    struct anchor *next;
};

struct yx_document {
    struct arena arena;
    char *name; /* owned: file name for messages */
    struct str text;
    struct yx_node *root;
};

struct building {
    struct yx_document *document;
    struct fy_parser *parser;
    struct fy_diag *diag; /* collects the parser's complaints */
    struct anchor *anchors;
    int aliases, depth;
    struct error *err;
};

static enum fail build(struct building *b, struct fy_event *event, struct yx_node **ret);

static enum fail error_at(const struct yx_document *document, int line, int column,
                          struct error *err, const char *message)
{
    return error_set(err, FAIL_CONFIG, "%s:%d:%d: %s", document->name, line, column, message);
}

enum fail yx_error(const struct yx_node *node, struct error *err, const char *format, ...)
{
    va_list arguments;
    char message[ERROR_MESSAGE_BYTES];

    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    return error_at(node->document, node->line, node->column, err, message);
}

static struct str token_text(struct building *b, struct fy_token *token)
{
    size_t len = 0;
    const char *text = token ? fy_token_get_text(token, &len) : NULL;

    return text ? arena_str(&b->document->arena, (struct str){.at = text, .len = len}) : STR("");
}

static struct yx_node *node_new(struct building *b, struct fy_event *event, enum yx_type type)
{
    struct yx_node *node = ARENA_NEW(&b->document->arena, struct yx_node);
    const struct fy_mark *mark = fy_event_start_mark(event);
    struct fy_token *anchor = event->type == FYET_ALIAS ? NULL : fy_event_get_anchor_token(event);

    node->document = b->document;
    node->type = type;
    node->weight = 1;
    node->line = mark ? mark->line + 1 : 1;
    node->column = mark ? mark->column + 1 : 1;
    if (anchor) {
        struct anchor *entry = ARENA_NEW(&b->document->arena, struct anchor);

        *entry = (struct anchor){.name = token_text(b, anchor), .node = node, .next = b->anchors};
        b->anchors = entry;
    }
    return node;
}

static void node_add(struct building *b, struct yx_node *node, struct yx_node *key,
                     struct yx_node *value)
{
    if (node->count == node->capacity) {
        size_t capacity = node->capacity ? node->capacity * 2 : 8;
        struct yx_node **keys = ARENA_ARRAY(&b->document->arena, struct yx_node *, capacity);
        struct yx_node **values = ARENA_ARRAY(&b->document->arena, struct yx_node *, capacity);

        if (node->count) {
            memcpy(keys, node->keys, node->count * sizeof(struct yx_node *));
            memcpy(values, node->values, node->count * sizeof(struct yx_node *));
        }
        node->keys = keys;
        node->values = values;
        node->capacity = capacity;
    }
    node->weight += value->weight + (key ? key->weight : 0);
    node->keys[node->count] = key;
    node->values[node->count++] = value;
}

static struct yx_node *find_member(const struct yx_node *mapping, struct str key)
{
    for (size_t i = 0; i < mapping->count; i++) {
        if (str_equal(mapping->keys[i]->text, key)) {
            return mapping->values[i];
        }
    }
    return NULL;
}

/* The parser's own complaint with its place, the line, and a caret. */
static enum fail syntax_error(struct building *b)
{
    void *previous = NULL;
    const struct fy_diag_error *found = fy_diag_errors_iterate(b->diag, &previous);
    struct str rest = b->document->text, line = STR("");
    int line_number = found && found->line > 0 ? found->line : 1;
    int column = found && found->column > 0 ? found->column : 1;

    for (int i = 0; i < line_number && rest.at; i++) {
        line = str_cut(&rest, '\n');
    }
    error_set(b->err, FAIL_CONFIG, "%s:%d:%d: %s\n  | %" PRI_STR "\n  | %*s^", b->document->name,
              line_number, column, found && found->msg ? found->msg : "not YAML",
              STR_ARG(str_slice(line, 0, 160)), column < 160 ? column - 1 : 0, "");
    return error_hint(b->err, "correct the syntax there; indent with spaces, not tabs");
}

static enum fail next_event(struct building *b, struct fy_event **ret)
{
    *ret = fy_parser_parse(b->parser);
    return *ret ? OK : syntax_error(b);
}

/* Members of a merged mapping that are not set here. */
static enum fail merge_one(struct building *b, struct yx_node *node, const struct yx_node *key,
                           const struct yx_node *from)
{
    if (from->type != YX_MAPPING) {
        return yx_error(key, b->err, "'<<' needs a mapping or a list of mappings");
    }
    for (size_t i = 0; i < from->count; i++) {
        if (!find_member(node, from->keys[i]->text)) {
            node_add(b, node, from->keys[i], from->values[i]);
        }
    }
    return OK;
}

static enum fail merge_in(struct building *b, struct yx_node *node, const struct yx_node *key,
                          const struct yx_node *from)
{
    if (from->type != YX_SEQUENCE) {
        return merge_one(b, node, key, from);
    }
    for (size_t i = 0; i < from->count; i++) {
        if (merge_one(b, node, key, from->values[i]) != OK) {
            return b->err->code;
        }
    }
    return OK;
}

static enum fail add_member(struct building *b, struct yx_node *node, struct yx_node *key,
                            struct yx_node *value)
{
    if (key->type != YX_SCALAR) {
        return yx_error(key, b->err, "a key must be plain text");
    }
    if (node->count == MEMBERS_MAX) {
        return yx_error(key, b->err, "more than %d members in one mapping", MEMBERS_MAX);
    }
    if (find_member(node, key->text)) {
        return yx_error(key, b->err, "'%" PRI_STR "' stands here twice", STR_ARG(key->text));
    }
    node_add(b, node, key, value);
    return OK;
}

static enum fail build_mapping(struct building *b, struct yx_node *node)
{
    const struct yx_node *merges[YX_ALIASES_MAX];
    const struct yx_node *merge_keys[YX_ALIASES_MAX];
    size_t merges_count = 0;

    for (;;) {
        struct fy_event *event;
        struct yx_node *key, *value;

        if (next_event(b, &event) != OK) {
            return b->err->code;
        }
        if (event->type == FYET_MAPPING_END) {
            fy_parser_event_free(b->parser, event);
            break;
        }
        if (build(b, event, &key) != OK || next_event(b, &event) != OK ||
            build(b, event, &value) != OK) {
            return b->err->code;
        }
        if (key->type == YX_SCALAR && !key->is_quoted && str_equal(key->text, STR("<<"))) {
            if (merges_count == YX_ALIASES_MAX) {
                return yx_error(key, b->err, "more than %d merges", YX_ALIASES_MAX);
            }
            merge_keys[merges_count] = key;
            merges[merges_count++] = value;
        } else if (add_member(b, node, key, value) != OK) {
            return b->err->code;
        }
    }
    for (size_t i = 0; i < merges_count; i++) {
        if (merge_in(b, node, merge_keys[i], merges[i]) != OK) {
            return b->err->code;
        }
    }
    return OK;
}

static enum fail build_sequence(struct building *b, struct yx_node *node)
{
    for (;;) {
        struct fy_event *event;
        struct yx_node *item;

        if (next_event(b, &event) != OK) {
            return b->err->code;
        }
        if (event->type == FYET_SEQUENCE_END) {
            fy_parser_event_free(b->parser, event);
            return OK;
        }
        if (build(b, event, &item) != OK) {
            return b->err->code;
        }
        node_add(b, node, NULL, item);
    }
}

static enum fail build_alias(struct building *b, struct fy_event *event, struct yx_node **ret)
{
    struct str name = token_text(b, fy_event_get_token(event));
    struct yx_node *here = node_new(b, event, YX_SCALAR);

    here->column -= here->column > 1; /* at the '*', not behind it */
    if (++b->aliases > YX_ALIASES_MAX) {
        return yx_error(here, b->err, "more than %d aliases", YX_ALIASES_MAX);
    }
    for (struct anchor *anchor = b->anchors; anchor; anchor = anchor->next) {
        if (str_equal(anchor->name, name)) {
            *ret = anchor->node;
            return anchor->node->is_open
                       ? yx_error(here, b->err, "'%" PRI_STR "' would contain itself",
                                  STR_ARG(name))
                       : OK;
        }
    }
    return yx_error(here, b->err, "no anchor '%" PRI_STR "' above this alias", STR_ARG(name));
}

/* Aliases share nodes, but whoever walks the tree meets them again each time: that is what is limited. */
static enum fail build_inside(struct building *b, struct yx_node *node,
                              enum fail (*fill)(struct building *b, struct yx_node *node))
{
    node->is_open = true;
    if (fill(b, node) != OK) {
        return b->err->code;
    }
    node->is_open = false;
    if (node->weight > TREE_NODES_MAX) {
        return yx_error(node, b->err, "holds more than %d values, with its aliases",
                        TREE_NODES_MAX);
    }
    return OK;
}

static struct yx_node *scalar_new(struct building *b, struct fy_event *event)
{
    struct fy_token *token = event->scalar.value;
    enum fy_scalar_style style = token ? fy_token_scalar_style(token) : FYSS_PLAIN;
    struct yx_node *node = node_new(b, event, YX_SCALAR);

    node->text = token_text(b, token);
    node->is_quoted = style != FYSS_PLAIN;
    if ((style == FYSS_SINGLE_QUOTED || style == FYSS_DOUBLE_QUOTED) && node->column > 1) {
        node->column--; /* libfyaml points behind the quote, a person at it */
    }
    return node;
}

static enum fail build_node(struct building *b, struct fy_event *event, struct yx_node **ret)
{
    switch (event->type) {
    case FYET_SCALAR:
        *ret = scalar_new(b, event);
        return OK;
    case FYET_ALIAS:
        return build_alias(b, event, ret);
    case FYET_MAPPING_START:
        *ret = node_new(b, event, YX_MAPPING);
        return build_inside(b, *ret, build_mapping);
    case FYET_SEQUENCE_START:
        *ret = node_new(b, event, YX_SEQUENCE);
        return build_inside(b, *ret, build_sequence);
    case FYET_NONE:
    case FYET_STREAM_START:
    case FYET_STREAM_END:
    case FYET_DOCUMENT_START:
    case FYET_DOCUMENT_END:
    case FYET_MAPPING_END:
    case FYET_SEQUENCE_END:
        break;
    }
    return error_at(b->document, 1, 1, b->err, "the file is not one YAML document");
}

/* A tag would be read and ignored, which is worse than an error. */
static enum fail tag_refused(struct building *b, struct fy_event *event)
{
    struct str tag = token_text(b, fy_event_get_tag_token(event));
    const struct yx_node *here = node_new(b, event, YX_SCALAR);

    return yx_error(here, b->err, "tag '%" PRI_STR "' has no meaning here: remove it",
                    STR_ARG(tag));
}

/* Builds the node that begins with event, and frees the event. */
static enum fail build(struct building *b, struct fy_event *event, struct yx_node **ret)
{
    enum fail failed;

    if (++b->depth > YX_DEPTH_MAX) {
        const struct fy_mark *mark = fy_event_start_mark(event);

        failed = error_at(b->document, mark ? mark->line + 1 : 1, mark ? mark->column + 1 : 1,
                          b->err, "nested too deeply");
    } else if (event->type != FYET_ALIAS && fy_event_get_tag_token(event)) {
        failed = tag_refused(b, event);
    } else {
        failed = build_node(b, event, ret);
    }
    b->depth--;
    fy_parser_event_free(b->parser, event);
    return failed;
}

/* Stream start, document start, node, document end, stream end. An empty file is an empty mapping. */
static enum fail build_document(struct building *b)
{
    for (;;) {
        struct fy_event *event;
        enum fy_event_type type;

        if (next_event(b, &event) != OK) {
            return b->err->code;
        }
        type = event->type;
        if (type == FYET_STREAM_START || type == FYET_DOCUMENT_START || type == FYET_DOCUMENT_END) {
            fy_parser_event_free(b->parser, event);
            if (type == FYET_DOCUMENT_START && b->document->root) {
                return error_at(b->document, 1, 1, b->err, "the file holds more than one document");
            }
        } else if (type == FYET_STREAM_END) {
            fy_parser_event_free(b->parser, event);
            break;
        } else if (build(b, event, &b->document->root) != OK) {
            return b->err->code;
        }
    }
    if (!b->document->root) {
        b->document->root = ARENA_NEW(&b->document->arena, struct yx_node);
        *b->document->root =
            (struct yx_node){.document = b->document, .type = YX_MAPPING, .line = 1, .column = 1};
    }
    return OK;
}

/* libfyaml writes to stderr unless it is given somewhere else to write. */
static void discard(struct fy_diag *diag, void *user, const char *text, size_t len)
{
    (void)diag;
    (void)user;
    (void)text;
    (void)len;
}

static enum fail parse(struct building *b)
{
    struct fy_diag_cfg diag_config;
    struct fy_parse_cfg config = {.flags = FYPCF_QUIET | FYPCF_COLLECT_DIAG};
    enum fail failed;

    fy_diag_cfg_default(&diag_config);
    diag_config.fp = NULL;
    diag_config.output_fn = discard;
    config.diag = b->diag = fy_diag_create(&diag_config);
    assert(b->diag);
    fy_diag_set_collect_errors(b->diag, true);
    b->parser = fy_parser_create(&config);
    assert(b->parser);
    fy_parser_set_string(b->parser, b->document->text.at, b->document->text.len);
    failed = build_document(b);
    fy_parser_destroy(b->parser);
    fy_diag_destroy(b->diag);
    return failed;
}

/* What libfyaml would let pass: size, NUL bytes, bytes that are not UTF-8. */
static enum fail check_text(const struct yx_document *document, struct str text, struct error *err)
{
    size_t good = utf8_valid_prefix(text);
    int line = 1, column = 1;

    if (text.len > YX_FILE_BYTES_MAX) {
        return error_set(err, FAIL_CONFIG, "%s is larger than %d bytes", document->name,
                         YX_FILE_BYTES_MAX);
    }
    if (memchr(document->text.at, '\0', text.len)) {
        return error_set(err, FAIL_CONFIG, "%s holds a NUL byte: it is no text file",
                         document->name);
    }
    if (good == text.len) {
        return OK;
    }
    for (size_t i = 0; i < good; i++) {
        column = text.at[i] == '\n' ? 1 : column + 1;
        line += text.at[i] == '\n';
    }
    error_at(document, line, column, err, "this byte is not UTF-8");
    return error_hint(err, "save the file as UTF-8");
}

enum fail yx_load_text(struct str text, const char *name, struct yx_document **ret,
                       struct error *err)
{
    struct building b = {.document = alloc_new(1, sizeof(struct yx_document)), .err = err};
    enum fail failed;

    b.document->name = alloc_dup(name);
    b.document->text = arena_str(&b.document->arena, text);
    failed = check_text(b.document, text, err);
    if (failed == OK) {
        failed = parse(&b);
    }
    if (failed != OK) {
        yx_free(b.document);
        return failed;
    }
    *ret = b.document;
    return OK;
}

enum fail yx_load_file(const char *path, struct yx_document **ret, struct error *err)
{
    AUTO_BUF struct buf text = {0};
    char piece[16 * 1024];
    size_t count;
    int read_errno;
    FILE *file = fopen(path, "re");

    if (!file) {
        error_set(err, FAIL_CONFIG, "cannot read '%s': %s", path, strerror(errno));
        return error_hint(err, "check the path and its permissions");
    }
    buf_init(&text, YX_FILE_BYTES_MAX);
    while (!text.is_full && (count = fread(piece, 1, sizeof piece, file)) > 0) {
        buf_add(&text, (struct str){.at = piece, .len = count});
    }
    read_errno = ferror(file) ? errno : 0;
    fclose(file);
    if (read_errno) {
        error_set(err, FAIL_CONFIG, "cannot read '%s': %s", path, strerror(read_errno));
        return error_hint(err, "name a YAML file");
    }
    if (text.is_full) {
        return error_set(err, FAIL_CONFIG, "%s is larger than %d bytes", path, YX_FILE_BYTES_MAX);
    }
    return yx_load_text(buf_str(&text), path, ret, err);
}

void yx_free(struct yx_document *document)
{
    if (document) {
        arena_fini(&document->arena);
        free(document->name);
        free(document);
    }
}

void yx_free_ptr(struct yx_document **document)
{
    yx_free(*document);
}

struct str yx_source(const struct yx_document *document)
{
    return document->text;
}

const struct yx_node *yx_root(const struct yx_document *document)
{
    return document->root;
}

enum yx_type yx_type(const struct yx_node *node)
{
    return node->type;
}

bool yx_is_null(const struct yx_node *node)
{
    return node->type == YX_SCALAR && !node->is_quoted &&
           (node->text.len == 0 || str_equal(node->text, STR("~")) ||
            str_equal(node->text, STR("null")));
}

struct str yx_text(const struct yx_node *node)
{
    return node->type == YX_SCALAR ? node->text : STR("");
}

bool yx_is_quoted(const struct yx_node *node)
{
    return node->is_quoted;
}

int yx_line(const struct yx_node *node)
{
    return node->line;
}

int yx_column(const struct yx_node *node)
{
    return node->column;
}

size_t yx_count(const struct yx_node *node)
{
    return node->count;
}

const struct yx_node *yx_item(const struct yx_node *sequence, size_t index)
{
    assert(sequence->type == YX_SEQUENCE && index < sequence->count);
    return sequence->values[index];
}

const struct yx_node *yx_key_at(const struct yx_node *mapping, size_t index)
{
    assert(mapping->type == YX_MAPPING && index < mapping->count);
    return mapping->keys[index];
}

const struct yx_node *yx_value_at(const struct yx_node *mapping, size_t index)
{
    assert(mapping->type == YX_MAPPING && index < mapping->count);
    return mapping->values[index];
}

const struct yx_node *yx_get(const struct yx_node *mapping, const char *key)
{
    return mapping->type == YX_MAPPING ? find_member(mapping, str_of(key)) : NULL;
}

static const struct yx_node *present(const struct yx_node *mapping, const char *key)
{
    const struct yx_node *node = yx_get(mapping, key);

    return node && !yx_is_null(node) ? node : NULL;
}

enum fail yx_str(const struct yx_node *mapping, const char *key, struct str *ret, struct error *err)
{
    const struct yx_node *node = present(mapping, key);

    if (!node) {
        return yx_error(mapping, err, "'%s' is missing here", key);
    }
    if (node->type != YX_SCALAR) {
        return yx_error(node, err, "'%s' must be text", key);
    }
    *ret = node->text;
    return OK;
}

enum fail yx_str_or(const struct yx_node *mapping, const char *key, struct str otherwise,
                    struct str *ret, struct error *err)
{
    if (!present(mapping, key)) {
        *ret = otherwise;
        return OK;
    }
    return yx_str(mapping, key, ret, err);
}

enum fail yx_i64_or(const struct yx_node *mapping, const char *key, int64_t otherwise, int64_t *ret,
                    struct error *err)
{
    const struct yx_node *node = present(mapping, key);

    if (!node) {
        *ret = otherwise;
        return OK;
    }
    if (node->type != YX_SCALAR || !str_to_i64(node->text, ret)) {
        return yx_error(node, err, "'%s' must be a whole number", key);
    }
    return OK;
}

enum fail yx_bool_or(const struct yx_node *mapping, const char *key, bool otherwise, bool *ret,
                     struct error *err)
{
    const struct yx_node *node = present(mapping, key);

    if (!node) {
        *ret = otherwise;
        return OK;
    }
    if (!str_equal(yx_text(node), STR("true")) && !str_equal(yx_text(node), STR("false"))) {
        return yx_error(node, err, "'%s' must be true or false", key);
    }
    *ret = str_equal(node->text, STR("true"));
    return OK;
}

enum fail yx_duration_ms_or(const struct yx_node *mapping, const char *key, int64_t otherwise,
                            int64_t *ret_ms, struct error *err)
{
    const struct yx_node *node = present(mapping, key);

    if (!node) {
        *ret_ms = otherwise;
        return OK;
    }
    if (!duration_parse(yx_text(node), ret_ms)) {
        return yx_error(node, err, "'%s' must be a duration such as 250ms, 90s, 10m, 6h or 30d",
                        key);
    }
    return OK;
}

enum fail yx_word(const struct yx_node *node, const char *const *names, size_t *ret_index,
                  struct error *err)
{
    AUTO_BUF struct buf list = {0};

    buf_init(&list, 512);
    for (size_t i = 0; names[i]; i++) {
        if (str_equal(yx_text(node), str_of(names[i]))) {
            *ret_index = i;
            return OK;
        }
        buf_addf(&list, "%s%s", i ? ", " : "", names[i]);
    }
    return yx_error(node, err, "'%" PRI_STR "' is not one of: %s", STR_ARG(yx_text(node)), list.at);
}

static bool is_allowed(struct str key, const char *const *allowed)
{
    for (size_t i = 0; allowed[i]; i++) {
        if (str_equal(key, str_of(allowed[i]))) {
            return true;
        }
    }
    return false;
}

static enum fail unknown_key(const struct yx_node *key, const char *const *allowed,
                             struct error *err)
{
    struct str words[ALLOWED_MAX];
    size_t count = 0, nearest;

    while (allowed[count] && count < ALLOWED_MAX) {
        words[count] = str_of(allowed[count]);
        count++;
    }
    nearest = word_nearest(key->text, words, count);
    if (nearest != SIZE_MAX) {
        return yx_error(key, err, "unknown key '%" PRI_STR "'; did you mean '%s'?",
                        STR_ARG(key->text), allowed[nearest]);
    }
    return yx_error(key, err, "unknown key '%" PRI_STR "'", STR_ARG(key->text));
}

enum fail yx_only(const struct yx_node *mapping, const char *const *allowed, struct error *err)
{
    if (mapping->type != YX_MAPPING && !yx_is_null(mapping)) {
        return yx_error(mapping, err, "here must stand a mapping (key: value)");
    }
    for (size_t i = 0; i < mapping->count; i++) {
        if (!is_allowed(mapping->keys[i]->text, allowed)) {
            return unknown_key(mapping->keys[i], allowed, err);
        }
    }
    return OK;
}
