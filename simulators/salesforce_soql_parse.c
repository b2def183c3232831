/* SOQL: from text to a query over this account's schema. Source: SOQL and SOSL reference; texts of errors as client projects quote them. */
#include "simulators/salesforce_soql_inside.h"

/* --- SELECT ------------------------------------------------------------------------------------ */

static struct soql_item *item_add(struct soql_parser *parser, struct soql_item **list,
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
static bool select_path(struct soql_parser *parser, struct soql_query *query, size_t at,
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
        return soql_refuse_at(parser, at, "MALFORMED_QUERY",
                              arena_printf(parser->arena, "duplicate field selected: %" PRI_STR,
                                           STR_ARG(path->name)));
    }
    item_add(parser, list, SOQL_FIELD, path->name)->field = path->field;
    return true;
}

static bool parse_statement(struct soql_parser *parser, const struct sf_object *outer,
                            struct soql_query *ret);

static bool parse_children(struct soql_parser *parser, struct soql_query *query)
{
    struct soql_query *children = ARENA_NEW(parser->arena, struct soql_query);
    struct soql_item *item;
    struct str alias = parser->alias;

    if (++parser->depth > 1) {
        return soql_refuse_token(parser); /* one level only */
    }
    parser->alias = STR_NONE;
    if (!soql_expect_word(parser, "SELECT") || !parse_statement(parser, query->object, children) ||
        !soql_expect_sign(parser, ")")) {
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
static bool parse_aggregate(struct soql_parser *parser, struct soql_query *query)
{
    if (query->items || query->aggregate) {
        return soql_refuse_token(parser);
    }
    aggregate_of(parser->token.text, &query->aggregate);
    soql_advance(parser);
    if (!soql_expect_sign(parser, "(")) {
        return false;
    }
    if (query->aggregate == SOQL_COUNT_OF && soql_accept_sign(parser, ")")) {
        query->aggregate = SOQL_COUNT;
        return true;
    }
    query->alias = STR("expr0");
    if (!soql_parse_filter_path(parser, query->object, &query->aggregated) ||
        !soql_expect_sign(parser, ")")) {
        return false;
    }
    if (parser->token.kind == T_WORD && !soql_is_word(parser, "FROM")) {
        query->alias = parser->token.text;
        soql_advance(parser);
    }
    return true;
}

static bool is_call(const struct soql_parser *parser)
{
    size_t at = parser->next;

    while (soql_at_byte(parser, at) == ' ') {
        at++;
    }
    return parser->token.kind == T_WORD && soql_at_byte(parser, at) == '(';
}

static bool parse_item(struct soql_parser *parser, struct soql_query *query)
{
    enum soql_aggregate aggregate;
    struct soql_path path;
    size_t at = parser->token.at;

    if (soql_accept_sign(parser, "(")) {
        return parse_children(parser, query);
    }
    if (is_call(parser)) {
        return aggregate_of(parser->token.text, &aggregate) ? parse_aggregate(parser, query)
                                                            : soql_refuse_token(parser);
    }
    if (query->aggregate || soql_is_word(parser, "FROM")) {
        return soql_refuse_token(parser);
    }
    return soql_parse_path(parser, query->object, &path) && select_path(parser, query, at, &path);
}

static bool parse_items(struct soql_parser *parser, struct soql_query *query)
{
    do {
        if (!parse_item(parser, query)) {
            return false;
        }
    } while (soql_accept_sign(parser, ","));
    return soql_is_word(parser, "FROM") || soql_refuse_token(parser);
}

/* --- FROM -------------------------------------------------------------------------------------- */

/* Moves to the FROM that belongs to this SELECT. */
static bool skip_items(struct soql_parser *parser)
{
    int depth = 0;

    while (parser->token.kind != T_END) {
        if (soql_is_sign(parser, "(")) {
            depth++;
        } else if (soql_is_sign(parser, ")")) {
            depth--;
        } else if (depth == 0 && soql_is_word(parser, "FROM")) {
            return true;
        }
        soql_advance(parser);
    }
    return soql_refuse_token(parser);
}

static struct sf_field *child_field(const struct soql_parser *parser, const struct sf_object *outer,
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

static bool find_children(struct soql_parser *parser, const struct sf_object *outer,
                          struct soql_query *ret)
{
    const struct soql_token *token = &parser->token;

    ret->parent = child_field(parser, outer, token->text);
    if (!ret->parent) {
        return soql_refuse_at(
            parser, token->at, "INVALID_TYPE",
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

static bool find_object(struct soql_parser *parser, struct soql_query *ret)
{
    const struct soql_token *token = &parser->token;

    ret->object = sf_object_find(parser->sf, token->text);
    if (ret->object && !(ret->object->flags & SF_IS_TOOLING) == !parser->is_tooling) {
        return true;
    }
    return soql_refuse_at(parser, token->at, "INVALID_TYPE",
                          arena_printf(parser->arena,
                                       "sObject type '%" PRI_STR
                                       "' is not supported. If you are attempting to use a custom "
                                       "object, be sure to append the '__c' after the entity name. "
                                       "Please reference your WSDL or the describe call for the "
                                       "appropriate names.",
                                       STR_ARG(token->text)));
}

static bool is_keyword(const struct soql_parser *parser)
{
    static const char *const words[] = {"WHERE",  "ORDER", "LIMIT", "OFFSET", "GROUP",
                                        "HAVING", "FOR",   "WITH",  "ALL",    "USING"};

    for (size_t i = 0; i < COUNT_OF(words); i++) {
        if (soql_is_word(parser, words[i])) {
            return true;
        }
    }
    return false;
}

static bool parse_from(struct soql_parser *parser, const struct sf_object *outer,
                       struct soql_query *ret)
{
    if (!soql_expect_word(parser, "FROM")) {
        return false;
    }
    if (parser->token.kind != T_WORD) {
        return soql_refuse_token(parser);
    }
    if (!(outer ? find_children(parser, outer, ret) : find_object(parser, ret))) {
        return false;
    }
    soql_advance(parser);
    if (parser->token.kind == T_WORD && !is_keyword(parser)) {
        parser->alias = parser->token.text;
        soql_advance(parser);
    }
    return true;
}

/* --- the rest ---------------------------------------------------------------------------------- */

static bool parse_order(struct soql_parser *parser, struct soql_query *query)
{
    struct soql_order *order;

    if (!soql_expect_word(parser, "BY")) {
        return false;
    }
    do {
        if (query->orders_count == SOQL_ORDERS_MAX) {
            return soql_refuse_token(parser);
        }
        order = &query->orders[query->orders_count++];
        if (!soql_parse_filter_path(parser, query->object, &order->path)) {
            return false;
        }
        order->is_descending = soql_accept_word(parser, "DESC");
        if (!order->is_descending) {
            soql_accept_word(parser, "ASC");
        }
        if (soql_accept_word(parser, "NULLS")) {
            order->nulls_last = soql_is_word(parser, "LAST");
            if (!soql_accept_word(parser, "FIRST") && !soql_accept_word(parser, "LAST")) {
                return soql_refuse_token(parser);
            }
        }
    } while (soql_accept_sign(parser, ","));
    return true;
}

static bool parse_count(struct soql_parser *parser, int64_t *ret)
{
    if (parser->token.kind != T_LITERAL || !str_to_i64(parser->token.text, ret) || *ret < 0) {
        return soql_refuse_token(parser);
    }
    soql_advance(parser);
    return true;
}

static bool parse_tail(struct soql_parser *parser, struct soql_query *query)
{
    if (soql_accept_word(parser, "WHERE") &&
        !soql_parse_condition(parser, query->object, &query->where)) {
        return false;
    }
    if (soql_accept_word(parser, "ORDER") && !parse_order(parser, query)) {
        return false;
    }
    if (soql_accept_word(parser, "LIMIT") && !parse_count(parser, &query->limit)) {
        return false;
    }
    if (soql_accept_word(parser, "OFFSET") && !parse_count(parser, &query->offset)) {
        return false;
    }
    if (query->offset > SOQL_OFFSET_MAX) {
        return soql_refuse_plain(parser, "NUMBER_OUTSIDE_VALID_RANGE",
                                 STR("Maximum SOQL offset allowed is 2000"));
    }
    return true;
}

/* Behind SELECT. The list can be read only when the object is known. */
static bool parse_statement(struct soql_parser *parser, const struct sf_object *outer,
                            struct soql_query *ret)
{
    struct soql_parser tail;

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
    struct soql_parser parser = {.sf = sf,
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
    soql_advance(&parser);
    if (!soql_expect_word(&parser, "SELECT") || !parse_statement(&parser, NULL, *ret)) {
        return false;
    }
    return parser.token.kind == T_END ? !parser.has_failed : soql_refuse_token(&parser);
}
