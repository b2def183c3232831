/* SOQL: names of fields and of the relationships that lead to them. Source: SOQL and SOSL reference, "Understanding Relationship Names". */
#include "simulators/salesforce_soql_inside.h"

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

static struct str strip_alias(const struct soql_parser *parser, const struct sf_object *object,
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

static bool resolve_last(struct soql_parser *parser, size_t at, const struct sf_object *object,
                         struct str name, struct soql_path *ret)
{
    if (!object) {
        ret->name = common_name(name);
        return ret->name.at ||
               soql_refuse_at(parser, at, "INVALID_FIELD",
                              arena_printf(parser->arena,
                                           "No such column '%" PRI_STR "' on entity 'Name'.",
                                           STR_ARG(name)));
    }
    ret->field = sf_field_find(object, name);
    if (!ret->field) {
        return soql_refuse_column(parser, at, name, object);
    }
    ret->name = ret->field->name;
    return true;
}

/* "Account.Owner.Name" */
static bool resolve(struct soql_parser *parser, const struct sf_object *object, size_t at,
                    struct str name, struct soql_path *ret)
{
    struct str rest = strip_alias(parser, object, name), part = str_cut(&rest, '.');

    *ret = (struct soql_path){0};
    while (rest.at) {
        struct sf_field *reference = object ? sf_field_by_relationship(object, part) : NULL;

        if (!reference || ret->via_count == SOQL_PARENTS_MAX) {
            return soql_refuse_at(
                parser, at, "INVALID_FIELD",
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

bool soql_parse_path(struct soql_parser *parser, const struct sf_object *object,
                     struct soql_path *ret)
{
    struct soql_token token = parser->token;

    if (token.kind != T_WORD) {
        return soql_refuse_token(parser);
    }
    soql_advance(parser);
    return resolve(parser, object, token.at, token.text, ret);
}

/* Long texts and addresses do not stand in WHERE and ORDER BY. */
bool soql_parse_filter_path(struct soql_parser *parser, const struct sf_object *object,
                            struct soql_path *ret)
{
    size_t at = parser->token.at;

    if (!soql_parse_path(parser, object, ret)) {
        return false;
    }
    if (ret->field && ret->field->flags & SF_NO_FILTER) {
        return soql_refuse_at(
            parser, at, "INVALID_FIELD",
            arena_printf(parser->arena, "field '%" PRI_STR "' can not be filtered in a query call",
                         STR_ARG(ret->field->name)));
    }
    return true;
}
