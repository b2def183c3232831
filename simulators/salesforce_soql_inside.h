/* Inside of the SOQL parser; see salesforce_soql.h. salesforce_soql_tokens.c: words, refusals; salesforce_soql_names.c: fields and
 * relationships; salesforce_soql_values.c: literals; salesforce_soql_where.c: conditions; salesforce_soql_parse.c: the statement. */
#ifndef CRMSYNC_SIMULATORS_SALESFORCE_SOQL_INSIDE_H
#define CRMSYNC_SIMULATORS_SALESFORCE_SOQL_INSIDE_H

#include "simulators/salesforce_soql.h"

enum soql_token_kind { T_END, T_WORD, T_STRING, T_LITERAL, T_SIGN };

struct soql_token {
    enum soql_token_kind kind;
    struct str text; /* of a string: between the quotes, not unescaped */
    size_t at;       /* byte in the statement */
};

/* One reading of a statement. A refusal is kept once; whatever follows it fails too. */
struct soql_parser {
    struct salesforce *sf;
    struct arena *arena;
    struct str text;
    int64_t now_ms;
    bool is_tooling;
    size_t next; /* byte behind the token */
    struct soql_token token;
    struct str alias;
    int depth;
    struct sf_error *err;
    bool has_failed;
};

/* --- words and refusals ------------------------------------------------------------------------ */

/* All refusals return false. at: the byte that is pointed at. */
bool soql_refuse_at(struct soql_parser *parser, size_t at, const char *code, struct str message);
bool soql_refuse_plain(struct soql_parser *parser, const char *code, struct str message);
bool soql_refuse_token(struct soql_parser *parser);
bool soql_refuse_column(struct soql_parser *parser, size_t at, struct str name,
                        const struct sf_object *object);
/* 0 behind the end. */
char soql_at_byte(const struct soql_parser *parser, size_t at);
/* To the next word. */
void soql_advance(struct soql_parser *parser);
bool soql_is_word(const struct soql_parser *parser, const char *word);
bool soql_is_sign(const struct soql_parser *parser, const char *sign);
/* Steps behind it when it is there. */
bool soql_accept_word(struct soql_parser *parser, const char *word);
bool soql_accept_sign(struct soql_parser *parser, const char *sign);
/* The same, and refuses when it is not. */
bool soql_expect_word(struct soql_parser *parser, const char *word);
bool soql_expect_sign(struct soql_parser *parser, const char *sign);

/* --- parts of a statement ---------------------------------------------------------------------- */

/* "Account.Owner.Name" of the object. */
bool soql_parse_path(struct soql_parser *parser, const struct sf_object *object,
                     struct soql_path *ret);
/* The same where it has to be one that WHERE and ORDER BY take. */
bool soql_parse_filter_path(struct soql_parser *parser, const struct sf_object *object,
                            struct soql_path *ret);
/* A literal as the expression's field takes it. */
bool soql_parse_value(struct soql_parser *parser, const struct soql_expr *expr,
                      struct soql_value *ret);
/* ('a','b') */
bool soql_parse_values(struct soql_parser *parser, struct soql_expr *expr);
/* Behind WHERE. */
bool soql_parse_condition(struct soql_parser *parser, const struct sf_object *object,
                          struct soql_expr **ret);

#endif
