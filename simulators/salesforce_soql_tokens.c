/* SOQL: the words of a statement, and how a wrong one is refused. Source: texts of errors as client projects quote them. */
#include "simulators/salesforce_soql_inside.h"

enum { SHOWN_BYTES = 60 };

/* --- errors ------------------------------------------------------------------------------------ */

/* "\nSELECT Id,Nam FROM Account\n          ^\nERROR at Row:1:Column:11\n" and what is wrong. */
bool soql_refuse_at(struct soql_parser *parser, size_t at, const char *code, struct str message)
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

bool soql_refuse_plain(struct soql_parser *parser, const char *code, struct str message)
{
    if (!parser->has_failed) {
        parser->has_failed = true;
        sf_refuse(parser->err, 400, code, message);
    }
    return false;
}

bool soql_refuse_token(struct soql_parser *parser)
{
    const struct soql_token *token = &parser->token;

    if (token->kind == T_END) {
        return soql_refuse_plain(parser, "MALFORMED_QUERY", STR("unexpected token: '<EOF>'"));
    }
    return soql_refuse_at(
        parser, token->at, "MALFORMED_QUERY",
        arena_printf(parser->arena, "unexpected token: '%" PRI_STR "'", STR_ARG(token->text)));
}

bool soql_refuse_column(struct soql_parser *parser, size_t at, struct str name,
                        const struct sf_object *object)
{
    return soql_refuse_at(
        parser, at, "INVALID_FIELD",
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

char soql_at_byte(const struct soql_parser *parser, size_t at)
{
    return at < parser->text.len ? parser->text.at[at] : '\0';
}

static void take(struct soql_parser *parser, enum soql_token_kind kind, size_t from, size_t to)
{
    parser->token =
        (struct soql_token){.kind = kind, .text = str_slice(parser->text, from, to), .at = from};
    parser->next = to;
}

static void take_string(struct soql_parser *parser, size_t from)
{
    size_t at = from + 1;

    while (at < parser->text.len && parser->text.at[at] != '\'') {
        at += parser->text.at[at] == '\\' ? 2 : 1;
    }
    if (at >= parser->text.len) {
        soql_refuse_at(parser, from, "MALFORMED_QUERY", STR("unexpected char: '''"));
        take(parser, T_END, parser->text.len, parser->text.len);
        return;
    }
    take(parser, T_STRING, from + 1, at);
    parser->token.at = from;
    parser->next = at + 1;
}

static size_t run_end(const struct soql_parser *parser, size_t from, bool (*is_part)(char))
{
    while (from < parser->text.len && is_part(parser->text.at[from])) {
        from++;
    }
    return from;
}

void soql_advance(struct soql_parser *parser)
{
    size_t at = parser->next;
    char c;

    while (at < parser->text.len && strchr(" \t\r\n", parser->text.at[at])) {
        at++;
    }
    c = soql_at_byte(parser, at);
    if (at >= parser->text.len || parser->has_failed) {
        take(parser, T_END, parser->text.len, parser->text.len);
    } else if (c == '\'') {
        take_string(parser, at);
    } else if (is_letter(c)) {
        take(parser, T_WORD, at, run_end(parser, at, is_in_word));
    } else if (is_digit(c) || c == '-' || c == '+') {
        take(parser, T_LITERAL, at, run_end(parser, at + 1, is_in_literal));
    } else {
        char d = soql_at_byte(parser, at + 1);
        bool is_pair = (strchr("<>!", c) && d == '=') || (c == '<' && d == '>');

        take(parser, T_SIGN, at, at + 1 + is_pair);
    }
}

bool soql_is_word(const struct soql_parser *parser, const char *word)
{
    return parser->token.kind == T_WORD && str_equal_nocase(parser->token.text, str_of(word));
}

bool soql_is_sign(const struct soql_parser *parser, const char *sign)
{
    return parser->token.kind == T_SIGN && str_equal(parser->token.text, str_of(sign));
}

bool soql_accept_word(struct soql_parser *parser, const char *word)
{
    bool is_there = soql_is_word(parser, word);

    if (is_there) {
        soql_advance(parser);
    }
    return is_there;
}

bool soql_accept_sign(struct soql_parser *parser, const char *sign)
{
    bool is_there = soql_is_sign(parser, sign);

    if (is_there) {
        soql_advance(parser);
    }
    return is_there;
}

bool soql_expect_word(struct soql_parser *parser, const char *word)
{
    return soql_accept_word(parser, word) || soql_refuse_token(parser);
}

bool soql_expect_sign(struct soql_parser *parser, const char *sign)
{
    return soql_accept_sign(parser, sign) || soql_refuse_token(parser);
}
