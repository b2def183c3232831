/* SOQL: literals in the form in which values are stored. Source: SOQL and SOSL reference, "Date Formats and Date Literals", "Quoted String
 * Escape Sequences". */
#include "simulators/salesforce_soql_inside.h"

#include <inttypes.h>

#include "core/alloc.h"
#include "core/decimal.h"
#include "core/when.h"

enum { VALUES_MAX = 20000 };

static bool refuse_escape(struct soql_parser *parser, const struct soql_token *token, char c)
{
    return soql_refuse_at(parser, token->at, "MALFORMED_QUERY",
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
static bool unescape_one(struct soql_parser *parser, const struct soql_token *token,
                         bool is_pattern, size_t *at, struct buf *out)
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

static bool unescape(struct soql_parser *parser, const struct soql_token *token, bool is_pattern,
                     struct str *ret)
{
    AUTO_BUF struct buf out;

    if (token->text.len > SOQL_LITERAL_MAX) {
        return soql_refuse_plain(parser, "MALFORMED_QUERY",
                                 STR("maximum SOQL literal length exceeded"));
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

static bool refuse_type(struct soql_parser *parser, size_t at, const struct sf_field *field)
{
    bool is_text = str_equal(str_of(type_word(field)), STR("string"));

    return soql_refuse_at(parser, at, "INVALID_FIELD",
                          arena_printf(parser->arena,
                                       "value of filter criterion for field '%" PRI_STR
                                       "' must be of type %s and should %sbe enclosed in quotes",
                                       STR_ARG(field->name), type_word(field),
                                       is_text ? "" : "not "));
}

static bool read_id(struct soql_parser *parser, const struct soql_token *token,
                    struct soql_value *ret)
{
    char prefix[SF_PREFIX_BYTES], id[SF_ID_BYTES];

    if (!sf_id_parse(ret->text, prefix, &ret->number)) {
        return soql_refuse_at(
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

static bool read_string(struct soql_parser *parser, const struct soql_token *token,
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

static void set_times(struct soql_parser *parser, int64_t from_ms, int64_t last_ms,
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

static bool read_time(struct soql_parser *parser, const struct soql_token *token,
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

static bool read_number(struct soql_parser *parser, const struct soql_token *token,
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
static bool read_day(struct soql_parser *parser, const struct soql_token *token,
                     const struct sf_field *field, struct soql_value *ret)
{
    static const int64_t DAY_MS = 24 * 60LL * 60 * 1000;
    struct str count = token->text, name = str_cut(&count, ':');
    int64_t today = parser->now_ms / DAY_MS, n = 0, from = today, last = today;

    if (count.at && (!str_to_i64(count, &n) || n < 0 || n > 100000)) {
        return soql_refuse_token(parser);
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

static bool read_word(struct soql_parser *parser, const struct soql_token *token,
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
    return field ? refuse_type(parser, token->at, field) : soql_refuse_token(parser);
}

bool soql_parse_value(struct soql_parser *parser, const struct soql_expr *expr,
                      struct soql_value *ret)
{
    const struct sf_field *field = expr->path.field;
    struct soql_token token = parser->token;

    *ret = (struct soql_value){0};
    switch (token.kind) {
    case T_STRING:
        soql_advance(parser);
        return read_string(parser, &token, field, expr->op == SOQL_LIKE, ret);
    case T_WORD:
        soql_advance(parser);
        return read_word(parser, &token, field, ret);
    case T_LITERAL:
        soql_advance(parser);
        if (!field) {
            return soql_refuse_token(parser);
        }
        return field->type == SF_DATE || field->type == SF_DATETIME
                   ? read_time(parser, &token, field, ret)
                   : read_number(parser, &token, field, ret);
    default:
        return soql_refuse_token(parser);
    }
}

/* ('a','b') */
bool soql_parse_values(struct soql_parser *parser, struct soql_expr *expr)
{
    size_t capacity = 16;

    expr->values = ARENA_ARRAY(parser->arena, struct soql_value, capacity);
    if (!soql_expect_sign(parser, "(")) {
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
            !soql_parse_value(parser, expr, &expr->values[expr->values_count++])) {
            return soql_refuse_token(parser);
        }
    } while (soql_accept_sign(parser, ","));
    return soql_expect_sign(parser, ")");
}
