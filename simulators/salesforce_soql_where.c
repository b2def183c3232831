/* SOQL: conditions. Source: SOQL and SOSL reference, "Condition Expression Syntax". */
#include "simulators/salesforce_soql_inside.h"

enum { DEPTH_MAX = 40 };

static struct soql_expr *expr_new(struct soql_parser *parser, enum soql_operator op)
{
    struct soql_expr *expr = ARENA_NEW(parser->arena, struct soql_expr);

    expr->op = op;
    return expr;
}

static struct soql_expr *negated(struct soql_parser *parser, struct soql_expr *inner)
{
    struct soql_expr *expr = expr_new(parser, SOQL_NOT);

    expr->left = inner;
    return expr;
}

static bool sign_operator(const struct soql_parser *parser, enum soql_operator *ret)
{
    static const struct {
        const char *sign;
        enum soql_operator op;
    } rows[] = {{"=", SOQL_EQ},  {"!=", SOQL_NE}, {"<>", SOQL_NE}, {"<", SOQL_LT},
                {"<=", SOQL_LE}, {">", SOQL_GT},  {">=", SOQL_GE}};

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (soql_is_sign(parser, rows[i].sign)) {
            *ret = rows[i].op;
            return true;
        }
    }
    return false;
}

static bool parse_list(struct soql_parser *parser, enum soql_operator op, bool is_negated,
                       struct soql_expr **expr)
{
    soql_advance(parser);
    (*expr)->op = op;
    if (!soql_parse_values(parser, *expr)) {
        return false;
    }
    if (is_negated) {
        *expr = negated(parser, *expr);
    }
    return true;
}

static bool parse_comparison(struct soql_parser *parser, const struct sf_object *object,
                             struct soql_expr **ret)
{
    struct soql_expr *expr = expr_new(parser, SOQL_EQ);

    *ret = expr;
    if (!soql_parse_filter_path(parser, object, &expr->path)) {
        return false;
    }
    if (soql_is_word(parser, "IN")) {
        return parse_list(parser, SOQL_EQ, false, ret);
    }
    if (soql_accept_word(parser, "NOT")) {
        return soql_is_word(parser, "IN") ? parse_list(parser, SOQL_EQ, true, ret)
                                          : soql_refuse_token(parser);
    }
    if (soql_is_word(parser, "INCLUDES") || soql_is_word(parser, "EXCLUDES")) {
        return parse_list(parser, SOQL_INCLUDES, soql_is_word(parser, "EXCLUDES"), ret);
    }
    if (soql_is_word(parser, "LIKE")) {
        expr->op = SOQL_LIKE;
    } else if (!sign_operator(parser, &expr->op)) {
        return soql_refuse_token(parser);
    }
    soql_advance(parser);
    expr->values = ARENA_NEW(parser->arena, struct soql_value);
    expr->values_count = 1;
    return soql_parse_value(parser, expr, expr->values);
}

static bool parse_operand(struct soql_parser *parser, const struct sf_object *object,
                          struct soql_expr **ret)
{
    bool is_fine;

    if (soql_accept_word(parser, "NOT")) {
        is_fine = parse_operand(parser, object, ret);
        *ret = negated(parser, *ret);
        return is_fine;
    }
    if (!soql_accept_sign(parser, "(")) {
        return parse_comparison(parser, object, ret);
    }
    if (++parser->depth > DEPTH_MAX) {
        return soql_refuse_token(parser);
    }
    is_fine = soql_parse_condition(parser, object, ret) && soql_expect_sign(parser, ")");
    parser->depth--;
    return is_fine;
}

/* AND and OR do not stand side by side without brackets. Source: SOQL reference, condition expression. */
bool soql_parse_condition(struct soql_parser *parser, const struct sf_object *object,
                          struct soql_expr **ret)
{
    bool is_and;

    if (!parse_operand(parser, object, ret)) {
        return false;
    }
    is_and = soql_is_word(parser, "AND");
    while (soql_is_word(parser, "AND") || soql_is_word(parser, "OR")) {
        struct soql_expr *both = expr_new(parser, is_and ? SOQL_AND : SOQL_OR);

        if (!soql_accept_word(parser, is_and ? "AND" : "OR")) {
            return soql_refuse_token(parser);
        }
        both->left = *ret;
        if (!parse_operand(parser, object, &both->right)) {
            return false;
        }
        *ret = both;
    }
    return true;
}
