/* The description and the table of routes say the same: addresses, methods, roles, parameters, members of bodies, in both directions. */
#include "api/router.h"
#include "core/embedded.h"

#include "tests/expect.h"

struct fixture {
    struct arena arena;
    json_t *root;
};

static int set_up(void **state)
{
    static struct fixture f;
    struct embedded_file file;
    struct error err = {0};

    assert_true(api_description_at(0, &file));
    EXPECT(jx_parse(&f.arena, (struct str){.at = file.at, .len = file.len}, &f.root, &err) == OK,
           "%s", err.message);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    arena_fini(&f->arena);
    return 0;
}

static const char *const METHODS[] = {[HTTP_GET] = "get",
                                      [HTTP_POST] = "post",
                                      [HTTP_PUT] = "put",
                                      [HTTP_PATCH] = "patch",
                                      [HTTP_DELETE] = "delete"};

static json_t *operation(const struct fixture *f, const struct api_route *route)
{
    return jx_get(jx_get(jx_get(f->root, "paths"), route->pattern), METHODS[route->method]);
}

/* A parameter, behind a reference where there is one. */
static json_t *parameter(const struct fixture *f, json_t *item)
{
    struct str link = jx_text_of(jx_get(item, "$ref"));
    struct str start = STR("#/components/parameters/");

    if (!link.at) {
        return item;
    }
    assert_true(str_starts(link, start));
    return jx_get(jx_get(jx_get(f->root, "components"), "parameters"), link.at + start.len);
}

static bool has_word(const char *words, struct str name)
{
    struct str rest = str_of(words);

    while (rest.at) {
        if (str_equal(str_cut(&rest, ' '), name)) {
            return true;
        }
    }
    return false;
}

static size_t count_words(const char *words)
{
    struct str rest = str_of(words);
    size_t count = 0;

    while (rest.len) {
        str_cut(&rest, ' ');
        count++;
    }
    return count;
}

static void compare_query(const struct fixture *f, const struct api_route *route, json_t *described)
{
    json_t *list = jx_get(described, "parameters");
    size_t found = 0;

    for (size_t i = 0; i < json_array_size(list); i++) {
        json_t *item = parameter(f, json_array_get(list, i));
        struct str name = jx_text_of(jx_get(item, "name"));

        if (!str_equal(jx_text_of(jx_get(item, "in")), STR("query"))) {
            continue;
        }
        EXPECT(has_word(route->query, name), "%s: parameter '%" PRI_STR "' is described only",
               route->pattern, STR_ARG(name));
        found++;
    }
    EXPECT(found == count_words(route->query),
           "%s: %zu parameters are described, not those of '%s'", route->pattern, found,
           route->query ? route->query : "");
}

static void compare_body(const struct api_route *route, json_t *described)
{
    json_t *body = jx_get(described, "requestBody");
    json_t *schema = jx_get(jx_get(jx_get(body, "content"), "application/json"), "schema");
    json_t *members = jx_get(schema, "properties"), *ignored;
    const char *name;

    EXPECT((body != NULL) == (route->body != NULL), "%s %s: body", METHODS[route->method],
           route->pattern);
    EXPECT(json_object_size(members) == count_words(route->body), "%s %s: members of the body",
           METHODS[route->method], route->pattern);
    json_object_foreach(members, name, ignored)
    {
        EXPECT(has_word(route->body, str_of(name)), "%s: member '%s' is described only",
               route->pattern, name);
    }
}

static void test_every_route_is_described(void **state)
{
    const struct fixture *f = *state;
    size_t count;
    const struct api_route *routes = api_routes(&count);

    for (size_t i = 0; i < count; i++) {
        const struct api_route *route = &routes[i];
        json_t *described = operation(f, route);
        bool is_tenants = route->scope == API_SCOPE_TENANT;

        EXPECT(described, "%s %s is not described", METHODS[route->method], route->pattern);
        EXPECT_STR(jx_text_of(jx_get(described, "x-role")), str_of(api_role_name(route->role)),
                   route->pattern);
        EXPECT_STR(jx_text_of(jx_get(described, "x-scope")),
                   is_tenants ? STR("tenant") : STR("service"), route->pattern);
        EXPECT((jx_get(described, "security") != NULL) == (route->role == ROLE_NONE),
               "%s: security", route->pattern);
        compare_query(f, route, described);
        compare_body(route, described);
    }
}

static void test_everything_described_is_there(void **state)
{
    const struct fixture *f = *state;
    json_t *path, *described;
    const char *pattern, *method;
    size_t count, found = 0;
    const struct api_route *routes = api_routes(&count);

    json_object_foreach(jx_get(f->root, "paths"), pattern, path)
    {
        json_object_foreach(path, method, described)
        {
            size_t i = 0;

            while (i < count && !(str_equal(str_of(routes[i].pattern), str_of(pattern)) &&
                                  str_equal(str_of(METHODS[routes[i].method]), str_of(method)))) {
                i++;
            }
            EXPECT(i < count, "%s %s is described and not there", method, pattern);
            found++;
        }
    }
    assert_int_equal(found, count);
}

static void check_references(const struct fixture *f, json_t *tree)
{
    json_t *value;
    const char *name;

    for (size_t i = 0; i < json_array_size(tree); i++) {
        check_references(f, json_array_get(tree, i));
    }
    json_object_foreach(tree, name, value)
    {
        struct str rest = jx_text_of(value);
        json_t *at = f->root;

        if (!str_equal(str_of(name), STR("$ref"))) {
            check_references(f, value);
            continue;
        }
        assert_true(str_equal(str_cut(&rest, '/'), STR("#")));
        while (rest.at) {
            struct str word = str_cut(&rest, '/');

            at = json_object_getn(at, word.at, word.len);
        }
        EXPECT(at, "'%s' leads nowhere", json_string_value(value));
    }
}

static void test_references_lead_somewhere(void **state)
{
    const struct fixture *f = *state;

    check_references(f, f->root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_route_is_described),
        cmocka_unit_test(test_everything_described_is_there),
        cmocka_unit_test(test_references_lead_somewhere),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
