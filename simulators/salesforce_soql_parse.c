/* SOQL: from text to a query over this account's schema. Source: SOQL and SOSL reference; texts of errors as client projects quote them. */
#include "simulators/salesforce_soql.h"

#include <inttypes.h>

#include "core/alloc.h"
#include "core/decimal.h"
#include "core/when.h"

enum { DEPTH_MAX = 40, VALUES_MAX = 20000, SHOWN_BYTES = 60 };

enum token_kind { T_END, T_WORD, T_STRING, T_LITERAL, T_SIGN };

struct token {
    enum token_kind kind;
    struct str text; /* of a string: between the quotes, not unescaped */
    size_t at;       /* byte in the statement */
};

struct parser {
    struct salesforce *sf;
    struct arena *arena;
    struct str text;
    int64_t now_ms;
    bool is_tooling;
    size_t next; /* byte behind the token */
    struct token token;
    struct str alias;
    int depth;
    struct sf_error *err;
    bool has_failed;
};

/* --- errors ------------------------------------------------------------------------------------ */

/* "\nSELECT Id,Nam FROM Account\n          ^\nERROR at Row:1:Column:11\n" and what is wrong. */
static bool refuse_at(struct parser *parser, size_t at, const char *code, struct str message)
{
    size_t from = at > SHOWN_BYTES ? at - SHOWN_BYTES : 0;
    struct str shown = str_slice(parser->text, from, at + SHOWN_BYTES);

    if (!parser->has_failed) {
        parser->has_failed = true;
        sf_refuse(parser->err, 400, code,
                  arena_printf(parser->arena,
                               "\n%" PRI_STR "\n%*s^\nERROR at Row:1:Column:%zu\n%" PRI_STR,
                               STR_ARG(shown), (int)(at - from), "", at + 1, STR_ARG(message)));
    }
    return false;
}

static bool refuse_plain(struct parser *parser, const char *code, struct str message)
{
    if (!parser->has_failed) {
        parser->has_failed = true;
        sf_refuse(parser->err, 400, code, message);
    }
    return false;
}

static bool refuse_token(struct parser *parser)
{
    const struct token *token = &parser->token;

    if (token->kind == T_END) {
        return refuse_plain(parser, "MALFORMED_QUERY", STR("unexpected token: '<EOF>'"));
    }
    return refuse_at(
        parser, token->at, "MALFORMED_QUERY",
        arena_printf(parser->arena, "unexpected token: '%" PRI_STR "'", STR_ARG(token->text)));
}

static bool refuse_column(struct parser *parser, size_t at, struct str name,
                          const struct sf_object *object)
{
    return refuse_at(parser, at, "INVALID_FIELD",
                     arena_printf(parser->arena,
                                  "No such column '%" PRI_STR "' on entity '%" PRI_STR
                                  "'. If you are attempting to use a custom field, be sure to "
                                  "append the '__c' after the custom field name. Please reference "
                                  "your WSDL or the describe call for the appropriate names.",
                                  STR_ARG(name), STR_ARG(object->name)));
}

/* --- tokens ------------------------------------------------------------------------------------ */

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_in_word(char c)
{
    return is_letter(c) || is_digit(c) || c == '.' || c == ':';
}

/* Numbers, dates and times. */
static bool is_in_literal(char c)
{
    return is_letter(c) || is_digit(c) || c == '.' || c == ':' || c == '-' || c == '+';
}

static char at_byte(const struct parser *parser, size_t at)
{
    return at < parser->text.len ? parser->text.at[at] : '\0';
}

static void take(struct parser *parser, enum token_kind kind, size_t from, size_t to)
{
    parser->token =
        (struct token){.kind = kind, .text = str_slice(parser->text, from, to), .at = from};
    parser->next = to;
}

static void take_string(struct parser *parser, size_t from)
{
    size_t at = from + 1;

    while (at < parser->text.len && parser->text.at[at] != '\'') {
        at += parser->text.at[at] == '\\' ? 2 : 1;
    }
    if (at >= parser->text.len) {
        refuse_at(parser, from, "MALFORMED_QUERY", STR("unexpected char: '''"));
        take(parser, T_END, parser->text.len, parser->text.len);
        return;
    }
    take(parser, T_STRING, from + 1, at);
    parser->token.at = from;
    parser->next = at + 1;
}

static size_t run_end(const struct parser *parser, size_t from, bool (*is_part)(char))
{
    while (from < parser->text.len && is_part(parser->text.at[from])) {
        from++;
    }
    return from;
}

static void advance(struct parser *parser)
{
    size_t at = parser->next;
    char c;

    while (at < parser->text.len && strchr(" \t\r\n", parser->text.at[at])) {
        at++;
    }
    c = at_byte(parser, at);
    if (at >= parser->text.len || parser->has_failed) {
        take(parser, T_END, parser->text.len, parser->text.len);
    } else if (c == '\'') {
        take_string(parser, at);
    } else if (is_letter(c)) {
        take(parser, T_WORD, at, run_end(parser, at, is_in_word));
    } else if (is_digit(c) || c == '-' || c == '+') {
        take(parser, T_LITERAL, at, run_end(parser, at + 1, is_in_literal));
    } else {
        char d = at_byte(parser, at + 1);
        bool is_pair = (strchr("<>!", c) && d == '=') || (c == '<' && d == '>');

        take(parser, T_SIGN, at, at + 1 + is_pair);
    }
}

static bool is_word(const struct parser *parser, const char *word)
{
    return parser->token.kind == T_WORD && str_equal_nocase(parser->token.text, str_of(word));
}

static bool is_sign(const struct parser *parser, const char *sign)
{
    return parser->token.kind == T_SIGN && str_equal(parser->token.text, str_of(sign));
}

static bool accept_word(struct parser *parser, const char *word)
{
    bool is_there = is_word(parser, word);

    if (is_there) {
        advance(parser);
    }
    return is_there;
}

static bool accept_sign(struct parser *parser, const char *sign)
{
    bool is_there = is_sign(parser, sign);

    if (is_there) {
        advance(parser);
    }
    return is_there;
}

static bool expect_word(struct parser *parser, const char *word)
{
    return accept_word(parser, word) || refuse_token(parser);
}

static bool expect_sign(struct parser *parser, const char *sign)
{
    return accept_sign(parser, sign) || refuse_token(parser);
}

/* --- names ------------------------------------------------------------------------------------- */

static bool is_polymorphic(const struct sf_field *reference)
{
    return str_contains(reference->refers_to, STR(","));
}

/* Who, What and an Owner that may be a queue show only what all of them have. Source: SOQL reference, polymorphic relationships; object
 * reference, Name. */
static struct str common_name(struct str name)
{
    static const char *const names[] = {"Id",       "Type",  "Name",  "FirstName", "LastName",
                                        "Username", "Email", "Phone", "Title",     "Alias"};

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        if (str_equal_nocase(name, str_of(names[i]))) {
            return str_of(names[i]);
        }
    }
    return STR_NONE;
}

static struct str strip_alias(const struct parser *parser, const struct sf_object *object,
                              struct str name)
{
    struct str rest = name, first = str_cut(&rest, '.');

    if (rest.at &&
        ((parser->alias.len && str_equal_nocase(first, parser->alias)) ||
         str_equal_nocase(first, object->name)) &&
        !sf_field_by_relationship(object, first)) {
        return rest;
    }
    return name;
}

static bool resolve_last(struct parser *parser, size_t at, const struct sf_object *object,
                         struct str name, struct soql_path *ret)
{
    if (!object) {
        ret->name = common_name(name);
        return ret->name.at ||
               refuse_at(parser, at, "INVALID_FIELD",
                         arena_printf(parser->arena,
                                      "No such column '%" PRI_STR "' on entity 'Name'.",
                                      STR_ARG(name)));
    }
    ret->field = sf_field_find(object, name);
    if (!ret->field) {
        return refuse_column(parser, at, name, object);
    }
    ret->name = ret->field->name;
    return true;
}

/* "Account.Owner.Name" */
static bool resolve(struct parser *parser, const struct sf_object *object, size_t at,
                    struct str name, struct soql_path *ret)
{
    struct str rest = strip_alias(parser, object, name), part = str_cut(&rest, '.');

    *ret = (struct soql_path){0};
    while (rest.at) {
        struct sf_field *reference = object ? sf_field_by_relationship(object, part) : NULL;

        if (!reference || ret->via_count == SOQL_PARENTS_MAX) {
            return refuse_at(parser, at, "INVALID_FIELD",
                             arena_printf(parser->arena,
                                          "Didn't understand relationship '%" PRI_STR
                                          "' in field path. If you are attempting to use a custom "
                                          "relationship, be sure to append the '__r' after the "
                                          "custom relationship name. Please reference your WSDL or "
                                          "the describe call for the appropriate names.",
                                          STR_ARG(part)));
        }
        ret->via[ret->via_count++] = reference;
        object =
            is_polymorphic(reference) ? NULL : sf_object_find(parser->sf, reference->refers_to);
        part = str_cut(&rest, '.');
    }
    return resolve_last(parser, at, object, part, ret);
}

static bool parse_path(struct parser *parser, const struct sf_object *object, struct soql_path *ret)
{
    struct token token = parser->token;

    if (token.kind != T_WORD) {
        return refuse_token(parser);
    }
    advance(parser);
    return resolve(parser, object, token.at, token.text, ret);
}

/* Long texts and addresses do not stand in WHERE and ORDER BY. */
static bool parse_filter_path(struct parser *parser, const struct sf_object *object,
                              struct soql_path *ret)
{
    size_t at = parser->token.at;

    if (!parse_path(parser, object, ret)) {
        return false;
    }
    if (ret->field && ret->field->flags & SF_NO_FILTER) {
        return refuse_at(parser, at, "INVALID_FIELD",
                         arena_printf(parser->arena,
                                      "field '%" PRI_STR "' can not be filtered in a query call",
                                      STR_ARG(ret->field->name)));
    }
    return true;
}

/* --- SELECT ------------------------------------------------------------------------------------ */

static struct soql_item *item_add(struct parser *parser, struct soql_item **list,
                                  enum soql_kind kind, struct str name)
{
    struct soql_item *item = ARENA_NEW(parser->arena, struct soql_item);

    while (*list) {
        list = &(*list)->next;
    }
    *item = (struct soql_item){.kind = kind, .name = name};
    *list = item;
    return item;
}

static struct soql_item *item_find(struct soql_item *list, enum soql_kind kind, struct str name)
{
    while (list && (list->kind != kind || !str_equal(list->name, name))) {
        list = list->next;
    }
    return list;
}

/* Fields of one parent stand together, where the first of them was named. */
static bool select_path(struct parser *parser, struct soql_query *query, size_t at,
                        const struct soql_path *path)
{
    struct soql_item **list = &query->items;
    struct soql_item *item;

    for (size_t i = 0; i < path->via_count; i++) {
        struct str name = path->via[i]->relationship;

        item = item_find(*list, SOQL_PARENT, name);
        if (!item) {
            item = item_add(parser, list, SOQL_PARENT, name);
            item->field = path->via[i];
        }
        list = &item->items;
    }
    if (item_find(*list, SOQL_FIELD, path->name)) {
        return refuse_at(parser, at, "MALFORMED_QUERY",
                         arena_printf(parser->arena, "duplicate field selected: %" PRI_STR,
                                      STR_ARG(path->name)));
    }
    item_add(parser, list, SOQL_FIELD, path->name)->field = path->field;
    return true;
}

static bool parse_statement(struct parser *parser, const struct sf_object *outer,
                            struct soql_query *ret);

static bool parse_children(struct parser *parser, struct soql_query *query)
{
    struct soql_query *children = ARENA_NEW(parser->arena, struct soql_query);
    struct soql_item *item;
    struct str alias = parser->alias;

    if (++parser->depth > 1) {
        return refuse_token(parser); /* one level only */
    }
    parser->alias = STR_NONE;
    if (!expect_word(parser, "SELECT") || !parse_statement(parser, query->object, children) ||
        !expect_sign(parser, ")")) {
        return false;
    }
    parser->depth--;
    parser->alias = alias;
    item = item_add(parser, &query->items, SOQL_CHILDREN, sf_child_relationship(children->parent));
    item->query = children;
    return true;
}

static bool aggregate_of(struct str name, enum soql_aggregate *ret)
{
    static const struct {
        const char *name;
        enum soql_aggregate aggregate;
    } rows[] = {{"COUNT", SOQL_COUNT_OF}, {"MIN", SOQL_MIN}, {"MAX", SOQL_MAX}};

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (str_equal_nocase(name, str_of(rows[i].name))) {
            *ret = rows[i].aggregate;
            return true;
        }
    }
    return false;
}

/* COUNT(), COUNT(Id), MIN(CreatedDate), alone in the list. */
static bool parse_aggregate(struct parser *parser, struct soql_query *query)
{
    if (query->items || query->aggregate) {
        return refuse_token(parser);
    }
    aggregate_of(parser->token.text, &query->aggregate);
    advance(parser);
    if (!expect_sign(parser, "(")) {
        return false;
    }
    if (query->aggregate == SOQL_COUNT_OF && accept_sign(parser, ")")) {
        query->aggregate = SOQL_COUNT;
        return true;
    }
    query->alias = STR("expr0");
    if (!parse_filter_path(parser, query->object, &query->aggregated) ||
        !expect_sign(parser, ")")) {
        return false;
    }
    if (parser->token.kind == T_WORD && !is_word(parser, "FROM")) {
        query->alias = parser->token.text;
        advance(parser);
    }
    return true;
}

static bool is_call(const struct parser *parser)
{
    size_t at = parser->next;

    while (at_byte(parser, at) == ' ') {
        at++;
    }
    return parser->token.kind == T_WORD && at_byte(parser, at) == '(';
}

static bool parse_item(struct parser *parser, struct soql_query *query)
{
    enum soql_aggregate aggregate;
    struct soql_path path;
    size_t at = parser->token.at;

    if (accept_sign(parser, "(")) {
        return parse_children(parser, query);
    }
    if (is_call(parser)) {
        return aggregate_of(parser->token.text, &aggregate) ? parse_aggregate(parser, query)
                                                            : refuse_token(parser);
    }
    if (query->aggregate || is_word(parser, "FROM")) {
        return refuse_token(parser);
    }
    return parse_path(parser, query->object, &path) && select_path(parser, query, at, &path);
}

static bool parse_items(struct parser *parser, struct soql_query *query)
{
    do {
        if (!parse_item(parser, query)) {
            return false;
        }
    } while (accept_sign(parser, ","));
    return is_word(parser, "FROM") || refuse_token(parser);
}

/* --- FROM -------------------------------------------------------------------------------------- */

/* Moves to the FROM that belongs to this SELECT. */
static bool skip_items(struct parser *parser)
{
    int depth = 0;

    while (parser->token.kind != T_END) {
        if (is_sign(parser, "(")) {
            depth++;
        } else if (is_sign(parser, ")")) {
            depth--;
        } else if (depth == 0 && is_word(parser, "FROM")) {
            return true;
        }
        advance(parser);
    }
    return refuse_token(parser);
}

static struct sf_field *child_field(const struct parser *parser, const struct sf_object *outer,
                                    struct str relationship)
{
    for (size_t i = 0; i < parser->sf->objects_count; i++) {
        const struct sf_object *object = parser->sf->objects[i];

        for (size_t j = 0; j < object->fields_count; j++) {
            struct sf_field *field = object->fields[j];

            if (sf_field_is_visible(field) && sf_field_refers_to(field, outer) &&
                str_equal_nocase(sf_child_relationship(field), relationship)) {
                return field;
            }
        }
    }
    return NULL;
}

static bool find_children(struct parser *parser, const struct sf_object *outer,
                          struct soql_query *ret)
{
    const struct token *token = &parser->token;

    ret->parent = child_field(parser, outer, token->text);
    if (!ret->parent) {
        return refuse_at(parser, token->at, "INVALID_TYPE",
                         arena_printf(parser->arena,
                                      "Didn't understand relationship '%" PRI_STR
                                      "' in FROM part of query call. If you are attempting to use "
                                      "a custom relationship, be sure to append the '__r' after "
                                      "the custom relationship name. Please reference your WSDL "
                                      "or the describe call for the appropriate names.",
                                      STR_ARG(token->text)));
    }
    ret->object = (struct sf_object *)ret->parent->object;
    return true;
}

static bool find_object(struct parser *parser, struct soql_query *ret)
{
    const struct token *token = &parser->token;

    ret->object = sf_object_find(parser->sf, token->text);
    if (ret->object && !(ret->object->flags & SF_IS_TOOLING) == !parser->is_tooling) {
        return true;
    }
    return refuse_at(parser, token->at, "INVALID_TYPE",
                     arena_printf(parser->arena,
                                  "sObject type '%" PRI_STR
                                  "' is not supported. If you are attempting to use a custom "
                                  "object, be sure to append the '__c' after the entity name. "
                                  "Please reference your WSDL or the describe call for the "
                                  "appropriate names.",
                                  STR_ARG(token->text)));
}

static bool is_keyword(const struct parser *parser)
{
    static const char *const words[] = {"WHERE",  "ORDER", "LIMIT", "OFFSET", "GROUP",
                                        "HAVING", "FOR",   "WITH",  "ALL",    "USING"};

    for (size_t i = 0; i < COUNT_OF(words); i++) {
        if (is_word(parser, words[i])) {
            return true;
        }
    }
    return false;
}

static bool parse_from(struct parser *parser, const struct sf_object *outer, struct soql_query *ret)
{
    if (!expect_word(parser, "FROM")) {
        return false;
    }
    if (parser->token.kind != T_WORD) {
        return refuse_token(parser);
    }
    if (!(outer ? find_children(parser, outer, ret) : find_object(parser, ret))) {
        return false;
    }
    advance(parser);
    if (parser->token.kind == T_WORD && !is_keyword(parser)) {
        parser->alias = parser->token.text;
        advance(parser);
    }
    return true;
}

/* --- literals ---------------------------------------------------------------------------------- */

static bool refuse_escape(struct parser *parser, const struct token *token, char c)
{
    return refuse_at(parser, token->at, "MALFORMED_QUERY",
                     arena_printf(parser->arena,
                                  "Invalid string literal '%" PRI_STR
                                  "'. Illegal character sequence '\\%c' in string literal.",
                                  STR_ARG(token->text), c));
}

static void add_code_point(struct buf *out, uint32_t code)
{
    if (code < 0x80) {
        buf_add_char(out, (char)code);
    } else if (code < 0x800) {
        buf_add_char(out, (char)(0xC0 | code >> 6));
        buf_add_char(out, (char)(0x80 | (code & 0x3F)));
    } else {
        buf_add_char(out, (char)(0xE0 | code >> 12));
        buf_add_char(out, (char)(0x80 | (code >> 6 & 0x3F)));
        buf_add_char(out, (char)(0x80 | (code & 0x3F)));
    }
}

/* *at is behind the u. */
static bool unescape_code(struct str text, size_t *at, struct buf *out)
{
    static const char hex[] = "0123456789abcdef";
    uint32_t code = 0;

    for (size_t i = 0; i < 4; i++) {
        char c = *at < text.len ? text.at[(*at)++] : '\0';
        const char *digit = c ? strchr(hex, c >= 'A' && c <= 'F' ? c + 32 : c) : NULL;

        if (!digit) {
            return false;
        }
        code = code * 16 + (uint32_t)(digit - hex);
    }
    add_code_point(out, code);
    return true;
}

/* One escape sequence; *at is behind its backslash. A pattern keeps the backslash before what is meant literally. */
static bool unescape_one(struct parser *parser, const struct token *token, bool is_pattern,
                         size_t *at, struct buf *out)
{
    static const char from[] = "nrtbf'\"\\", to[] = "\n\r\t\b\f'\"\\";
    char c = token->text.at[(*at)++];
    const char *found = strchr(from, c);

    if (c == 'u' || c == 'U') {
        return unescape_code(token->text, at, out) || refuse_escape(parser, token, c);
    }
    if (is_pattern && (c == '%' || c == '_' || c == '\\')) {
        buf_add_char(out, '\\');
        buf_add_char(out, c);
        return true;
    }
    if (!found || !c) {
        return refuse_escape(parser, token, c);
    }
    buf_add_char(out, to[found - from]);
    return true;
}

static bool unescape(struct parser *parser, const struct token *token, bool is_pattern,
                     struct str *ret)
{
    AUTO_BUF struct buf out;

    if (token->text.len > SOQL_LITERAL_MAX) {
        return refuse_plain(parser, "MALFORMED_QUERY", STR("maximum SOQL literal length exceeded"));
    }
    buf_init(&out, SOQL_LITERAL_MAX * 2);
    for (size_t at = 0; at < token->text.len;) {
        char c = token->text.at[at++];

        if (c != '\\') {
            buf_add_char(&out, c);
        } else if (!unescape_one(parser, token, is_pattern, &at, &out)) {
            return false;
        }
    }
    *ret = arena_str(parser->arena, buf_str(&out));
    return true;
}

static const char *type_word(const struct sf_field *field)
{
    switch (field->type) {
    case SF_DATETIME:
        return "dateTime";
    case SF_INT:
    case SF_DOUBLE:
    case SF_CURRENCY:
    case SF_PERCENT:
    case SF_DATE:
    case SF_BOOLEAN:
        return sf_type_name(field->type);
    default:
        return "string";
    }
}

static bool refuse_type(struct parser *parser, size_t at, const struct sf_field *field)
{
    bool is_text = str_equal(str_of(type_word(field)), STR("string"));

    return refuse_at(parser, at, "INVALID_FIELD",
                     arena_printf(parser->arena,
                                  "value of filter criterion for field '%" PRI_STR
                                  "' must be of type %s and should %sbe enclosed in quotes",
                                  STR_ARG(field->name), type_word(field), is_text ? "" : "not "));
}

static bool read_id(struct parser *parser, const struct token *token, struct soql_value *ret)
{
    char prefix[SF_PREFIX_BYTES], id[SF_ID_BYTES];

    if (!sf_id_parse(ret->text, prefix, &ret->number)) {
        return refuse_at(
            parser, token->at, "INVALID_QUERY_FILTER_OPERATOR",
            arena_printf(parser->arena, "invalid ID field: %" PRI_STR, STR_ARG(ret->text)));
    }
    if (ret->text.len < SF_ID_BYTES - 1 && ret->number >= 0) {
        sf_id_format(prefix, ret->number, id);
        ret->text = arena_str(parser->arena, str_of(id));
    }
    ret->last = ret->text;
    return true;
}

static bool read_string(struct parser *parser, const struct token *token,
                        const struct sf_field *field, bool is_pattern, struct soql_value *ret)
{
    if (field && !str_equal(str_of(type_word(field)), STR("string"))) {
        return refuse_type(parser, token->at, field);
    }
    if (!unescape(parser, token, is_pattern, &ret->text)) {
        return false;
    }
    ret->last = ret->text;
    ret->is_null = !ret->text.len; /* an empty text is none */
    if (field && (field->type == SF_ID || field->type == SF_REFERENCE) && !is_pattern &&
        !ret->is_null) {
        return read_id(parser, token, ret);
    }
    return true;
}

static void set_times(struct parser *parser, int64_t from_ms, int64_t last_ms,
                      struct soql_value *ret)
{
    char text[WHEN_TEXT_BYTES];

    when_format_ms(from_ms, text);
    ret->text = arena_str(parser->arena, str_of(text));
    when_format_ms(last_ms, text);
    ret->last = arena_str(parser->arena, str_of(text));
    ret->number = from_ms;
    ret->last_number = last_ms;
}

static void cut_to_dates(struct soql_value *value)
{
    value->text = str_slice(value->text, 0, sizeof("2026-01-01") - 1);
    value->last = str_slice(value->last, 0, sizeof("2026-01-01") - 1);
}

static bool read_time(struct parser *parser, const struct token *token,
                      const struct sf_field *field, struct soql_value *ret)
{
    struct str clock = str_slice(token->text, sizeof("2026-01-01T") - 1, token->text.len);
    bool has_time = str_contains(token->text, STR("T"));
    bool has_zone =
        str_ends(clock, STR("Z")) || str_contains(clock, STR("+")) || str_contains(clock, STR("-"));
    int64_t ms;

    if (has_time != (field->type == SF_DATETIME) || (has_time && !has_zone) ||
        !when_parse_ms(token->text, &ms)) {
        return refuse_type(parser, token->at, field);
    }
    set_times(parser, ms, ms, ret);
    if (!has_time) {
        cut_to_dates(ret);
    }
    return true;
}

static bool read_number(struct parser *parser, const struct token *token,
                        const struct sf_field *field, struct soql_value *ret)
{
    if (!sf_field_is_number(field) ||
        !decimal_canonical(parser->arena, token->text, 0, &ret->text)) {
        return refuse_type(parser, token->at, field);
    }
    ret->last = ret->text;
    return true;
}

/* TODAY, LAST_N_DAYS:7 and their like, in UTC. */
static bool read_day(struct parser *parser, const struct token *token, const struct sf_field *field,
                     struct soql_value *ret)
{
    static const int64_t DAY_MS = 24 * 60LL * 60 * 1000;
    struct str count = token->text, name = str_cut(&count, ':');
    int64_t today = parser->now_ms / DAY_MS, n = 0, from = today, last = today;

    if (count.at && (!str_to_i64(count, &n) || n < 0 || n > 100000)) {
        return refuse_token(parser);
    }
    if (str_equal_nocase(name, STR("YESTERDAY"))) {
        from = last = today - 1;
    } else if (str_equal_nocase(name, STR("TOMORROW"))) {
        from = last = today + 1;
    } else if (str_equal_nocase(name, STR("LAST_N_DAYS")) && count.at) {
        from = today - n;
    } else if (str_equal_nocase(name, STR("NEXT_N_DAYS")) && count.at) {
        from = today + 1;
        last = today + n;
    } else if (!str_equal_nocase(name, STR("TODAY"))) {
        return refuse_type(parser, token->at, field);
    }
    set_times(parser, from * DAY_MS, (last + 1) * DAY_MS - 1000, ret);
    if (field->type == SF_DATE) {
        cut_to_dates(ret);
    }
    return true;
}

static bool read_word(struct parser *parser, const struct token *token,
                      const struct sf_field *field, struct soql_value *ret)
{
    bool is_true = str_equal_nocase(token->text, STR("true"));

    if (str_equal_nocase(token->text, STR("null"))) {
        ret->is_null = true;
        return true;
    }
    if (field && field->type == SF_BOOLEAN &&
        (is_true || str_equal_nocase(token->text, STR("false")))) {
        ret->text = ret->last = is_true ? STR("true") : STR("false");
        return true;
    }
    if (field && (field->type == SF_DATE || field->type == SF_DATETIME)) {
        return read_day(parser, token, field, ret);
    }
    return field ? refuse_type(parser, token->at, field) : refuse_token(parser);
}

static bool parse_value(struct parser *parser, const struct soql_expr *expr, struct soql_value *ret)
{
    const struct sf_field *field = expr->path.field;
    struct token token = parser->token;

    *ret = (struct soql_value){0};
    switch (token.kind) {
    case T_STRING:
        advance(parser);
        return read_string(parser, &token, field, expr->op == SOQL_LIKE, ret);
    case T_WORD:
        advance(parser);
        return read_word(parser, &token, field, ret);
    case T_LITERAL:
        advance(parser);
        if (!field) {
            return refuse_token(parser);
        }
        return field->type == SF_DATE || field->type == SF_DATETIME
                   ? read_time(parser, &token, field, ret)
                   : read_number(parser, &token, field, ret);
    default:
        return refuse_token(parser);
    }
}

/* ('a','b') */
static bool parse_values(struct parser *parser, struct soql_expr *expr)
{
    size_t capacity = 16;

    expr->values = ARENA_ARRAY(parser->arena, struct soql_value, capacity);
    if (!expect_sign(parser, "(")) {
        return false;
    }
    do {
        if (expr->values_count == capacity) {
            struct soql_value *more = ARENA_ARRAY(parser->arena, struct soql_value, capacity * 4);

            for (size_t i = 0; i < capacity; i++) {
                more[i] = expr->values[i];
            }
            expr->values = more;
            capacity *= 4;
        }
        if (expr->values_count == VALUES_MAX ||
            !parse_value(parser, expr, &expr->values[expr->values_count++])) {
            return refuse_token(parser);
        }
    } while (accept_sign(parser, ","));
    return expect_sign(parser, ")");
}

/* --- WHERE ------------------------------------------------------------------------------------- */

static struct soql_expr *expr_new(struct parser *parser, enum soql_operator op)
{
    struct soql_expr *expr = ARENA_NEW(parser->arena, struct soql_expr);

    expr->op = op;
    return expr;
}

static struct soql_expr *negated(struct parser *parser, struct soql_expr *inner)
{
    struct soql_expr *expr = expr_new(parser, SOQL_NOT);

    expr->left = inner;
    return expr;
}

static bool sign_operator(const struct parser *parser, enum soql_operator *ret)
{
    static const struct {
        const char *sign;
        enum soql_operator op;
    } rows[] = {{"=", SOQL_EQ},  {"!=", SOQL_NE}, {"<>", SOQL_NE}, {"<", SOQL_LT},
                {"<=", SOQL_LE}, {">", SOQL_GT},  {">=", SOQL_GE}};

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (is_sign(parser, rows[i].sign)) {
            *ret = rows[i].op;
            return true;
        }
    }
    return false;
}

static bool parse_list(struct parser *parser, enum soql_operator op, bool is_negated,
                       struct soql_expr **expr)
{
    advance(parser);
    (*expr)->op = op;
    if (!parse_values(parser, *expr)) {
        return false;
    }
    if (is_negated) {
        *expr = negated(parser, *expr);
    }
    return true;
}

static bool parse_comparison(struct parser *parser, const struct sf_object *object,
                             struct soql_expr **ret)
{
    struct soql_expr *expr = expr_new(parser, SOQL_EQ);

    *ret = expr;
    if (!parse_filter_path(parser, object, &expr->path)) {
        return false;
    }
    if (is_word(parser, "IN")) {
        return parse_list(parser, SOQL_EQ, false, ret);
    }
    if (accept_word(parser, "NOT")) {
        return is_word(parser, "IN") ? parse_list(parser, SOQL_EQ, true, ret)
                                     : refuse_token(parser);
    }
    if (is_word(parser, "INCLUDES") || is_word(parser, "EXCLUDES")) {
        return parse_list(parser, SOQL_INCLUDES, is_word(parser, "EXCLUDES"), ret);
    }
    if (is_word(parser, "LIKE")) {
        expr->op = SOQL_LIKE;
    } else if (!sign_operator(parser, &expr->op)) {
        return refuse_token(parser);
    }
    advance(parser);
    expr->values = ARENA_NEW(parser->arena, struct soql_value);
    expr->values_count = 1;
    return parse_value(parser, expr, expr->values);
}

static bool parse_condition(struct parser *parser, const struct sf_object *object,
                            struct soql_expr **ret);

static bool parse_operand(struct parser *parser, const struct sf_object *object,
                          struct soql_expr **ret)
{
    bool is_fine;

    if (accept_word(parser, "NOT")) {
        is_fine = parse_operand(parser, object, ret);
        *ret = negated(parser, *ret);
        return is_fine;
    }
    if (!accept_sign(parser, "(")) {
        return parse_comparison(parser, object, ret);
    }
    if (++parser->depth > DEPTH_MAX) {
        return refuse_token(parser);
    }
    is_fine = parse_condition(parser, object, ret) && expect_sign(parser, ")");
    parser->depth--;
    return is_fine;
}

/* AND and OR do not stand side by side without brackets. Source: SOQL reference, condition expression. */
static bool parse_condition(struct parser *parser, const struct sf_object *object,
                            struct soql_expr **ret)
{
    bool is_and;

    if (!parse_operand(parser, object, ret)) {
        return false;
    }
    is_and = is_word(parser, "AND");
    while (is_word(parser, "AND") || is_word(parser, "OR")) {
        struct soql_expr *both = expr_new(parser, is_and ? SOQL_AND : SOQL_OR);

        if (!accept_word(parser, is_and ? "AND" : "OR")) {
            return refuse_token(parser);
        }
        both->left = *ret;
        if (!parse_operand(parser, object, &both->right)) {
            return false;
        }
        *ret = both;
    }
    return true;
}

/* --- the rest ---------------------------------------------------------------------------------- */

static bool parse_order(struct parser *parser, struct soql_query *query)
{
    struct soql_order *order;

    if (!expect_word(parser, "BY")) {
        return false;
    }
    do {
        if (query->orders_count == SOQL_ORDERS_MAX) {
            return refuse_token(parser);
        }
        order = &query->orders[query->orders_count++];
        if (!parse_filter_path(parser, query->object, &order->path)) {
            return false;
        }
        order->is_descending = accept_word(parser, "DESC");
        if (!order->is_descending) {
            accept_word(parser, "ASC");
        }
        if (accept_word(parser, "NULLS")) {
            order->nulls_last = is_word(parser, "LAST");
            if (!accept_word(parser, "FIRST") && !accept_word(parser, "LAST")) {
                return refuse_token(parser);
            }
        }
    } while (accept_sign(parser, ","));
    return true;
}

static bool parse_count(struct parser *parser, int64_t *ret)
{
    if (parser->token.kind != T_LITERAL || !str_to_i64(parser->token.text, ret) || *ret < 0) {
        return refuse_token(parser);
    }
    advance(parser);
    return true;
}

static bool parse_tail(struct parser *parser, struct soql_query *query)
{
    if (accept_word(parser, "WHERE") && !parse_condition(parser, query->object, &query->where)) {
        return false;
    }
    if (accept_word(parser, "ORDER") && !parse_order(parser, query)) {
        return false;
    }
    if (accept_word(parser, "LIMIT") && !parse_count(parser, &query->limit)) {
        return false;
    }
    if (accept_word(parser, "OFFSET") && !parse_count(parser, &query->offset)) {
        return false;
    }
    if (query->offset > SOQL_OFFSET_MAX) {
        return refuse_plain(parser, "NUMBER_OUTSIDE_VALID_RANGE",
                            STR("Maximum SOQL offset allowed is 2000"));
    }
    return true;
}

/* Behind SELECT. The list can be read only when the object is known. */
static bool parse_statement(struct parser *parser, const struct sf_object *outer,
                            struct soql_query *ret)
{
    struct parser tail;

    *ret = (struct soql_query){.limit = -1, .now_ms = parser->now_ms};
    tail = *parser;
    if (!skip_items(&tail) || !parse_from(&tail, outer, ret)) {
        parser->has_failed = true;
        return false;
    }
    parser->alias = tail.alias;
    if (!parse_items(parser, ret)) {
        return false;
    }
    tail.depth = parser->depth;
    *parser = tail;
    return parse_tail(parser, ret);
}

bool soql_parse(struct salesforce *sf, struct arena *arena, struct str text, bool is_tooling,
                int64_t now_ms, struct soql_query **ret, struct sf_error *err)
{
    struct parser parser = {.sf = sf,
                            .arena = arena,
                            .text = arena_str(arena, text),
                            .now_ms = now_ms,
                            .is_tooling = is_tooling,
                            .err = err};

    *ret = ARENA_NEW(arena, struct soql_query);
    if (text.len > SOQL_BYTES_MAX) {
        return sf_refuse(err, 400, "MALFORMED_QUERY",
                         STR("SOQL statements cannot be longer than 100000 characters."));
    }
    advance(&parser);
    if (!expect_word(&parser, "SELECT") || !parse_statement(&parser, NULL, *ret)) {
        return false;
    }
    return parser.token.kind == T_END ? !parser.has_failed : refuse_token(&parser);
}
