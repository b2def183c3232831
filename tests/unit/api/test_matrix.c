/* Every route by every kind of token, its own tenant and a foreign one: the right status, and not a byte of the foreign tenant in any answer. A route
 * without a line here fails. */
#include <stdio.h>

#include "tests/unit/api/world.h"

#include "api/router.h"

enum { PATH_MAX_BYTES = 256, PAUSE_MS = 60 * 1000 };

/* {record}, {conflict}, {failure}, {dead}, {endpoint}, {connection} and {order} in path and body stand for those of a tenant. */
struct line {
    enum http_method method;
    const char *pattern;
    const char *path; /* with parameters filled in */
    const char *body;
    int status;  /* for who may */
    int foreign; /* when its names are of the foreign tenant; 0: it has none */
};

static const struct line LINES[] = {
    {HTTP_GET, "/healthz", "/healthz", NULL, 200, 0},
    {HTTP_GET, "/readyz", "/readyz", NULL, 200, 0},
    {HTTP_GET, "/openapi.json", "/openapi.json", NULL, 200, 0},
    {HTTP_GET, "/metrics", "/metrics", NULL, 200, 0},
    {HTTP_GET, "/api/crm/tenants", "/api/crm/tenants", NULL, 200, 0},
    {HTTP_GET, "/api/crm/kinds", "/api/crm/kinds", NULL, 200, 0},
    {HTTP_GET, "/api/crm/integrations", "/api/crm/integrations", NULL, 200, 0},
    {HTTP_POST, "/api/crm/integrations", "/api/crm/integrations",
     "{\"name\": \"new\", \"settings\": {\"adapter\": \"hubspot\"}}", 201, 0},
    {HTTP_GET, "/api/crm/integrations/{name}", "/api/crm/integrations/{connection}", NULL, 200,
     404},
    {HTTP_DELETE, "/api/crm/integrations/{name}", "/api/crm/integrations/{connection}", NULL, 204,
     404},
    {HTTP_POST, "/api/crm/integrations/{name}/test", "/api/crm/integrations/{connection}/test",
     NULL, 200, 404},
    {HTTP_GET, "/api/crm/oauth/{crm}/start", "/api/crm/oauth/hubspot/start?connection={connection}",
     NULL, 200, 404},
    {HTTP_GET, "/api/crm/oauth/{crm}/callback", "/api/crm/oauth/hubspot/callback?state=good&code=c",
     NULL, 200, 0},
    {HTTP_POST, "/api/crm/sync", "/api/crm/sync", "{\"connection\": \"{connection}\"}", 202, 404},
    {HTTP_POST, "/api/crm/reconcile", "/api/crm/reconcile",
     "{\"connection\": \"{connection}\", \"repair\": true}", 202, 404},
    {HTTP_GET, "/api/crm/sync/{id}", "/api/crm/sync/{order}", NULL, 200, 404},
    {HTTP_GET, "/api/crm/status", "/api/crm/status", NULL, 200, 0},
    {HTTP_GET, "/api/crm/runs", "/api/crm/runs", NULL, 200, 0},
    {HTTP_GET, "/api/crm/records/{kind}", "/api/crm/records/contact?q=e", NULL, 200, 0},
    {HTTP_POST, "/api/crm/records/{kind}", "/api/crm/records/company",
     "{\"fields\": {\"name\": \"New\"}, \"allow_duplicate\": true}", 201, 0},
    {HTTP_GET, "/api/crm/records/{kind}/{id}", "/api/crm/records/contact/{record}", NULL, 200, 404},
    {HTTP_PATCH, "/api/crm/records/{kind}/{id}", "/api/crm/records/contact/{record}",
     "{\"fields\": {\"first_name\": \"Ada\"}}", 200, 404},
    {HTTP_DELETE, "/api/crm/records/{kind}/{id}", "/api/crm/records/contact/{record}", NULL, 204,
     404},
    {HTTP_GET, "/api/crm/records/{kind}/{id}/history", "/api/crm/records/contact/{record}/history",
     NULL, 200, 404},
    {HTTP_GET, "/api/crm/records/{kind}/{id}/explain", "/api/crm/records/contact/{record}/explain",
     NULL, 200, 404},
    {HTTP_GET, "/api/crm/conflicts", "/api/crm/conflicts?all=true", NULL, 200, 0},
    {HTTP_GET, "/api/crm/conflicts/{id}", "/api/crm/conflicts/{conflict}", NULL, 200, 404},
    {HTTP_POST, "/api/crm/conflicts/{id}/resolve", "/api/crm/conflicts/{conflict}/resolve",
     "{\"take\": \"hub\", \"version\": 1}", 204, 404},
    {HTTP_GET, "/api/crm/failures", "/api/crm/failures?all=true", NULL, 200, 0},
    {HTTP_POST, "/api/crm/failures/{id}/retry", "/api/crm/failures/{failure}/retry", NULL, 204,
     404},
    {HTTP_POST, "/api/crm/failures/{id}/discard", "/api/crm/failures/{failure}/discard", NULL, 204,
     404},
    {HTTP_GET, "/api/crm/events", "/api/crm/events?kinds=contact&fields=all", NULL, 200, 0},
    {HTTP_GET, "/api/crm/events/endpoints", "/api/crm/events/endpoints", NULL, 200, 0},
    {HTTP_POST, "/api/crm/events/endpoints/{name}/enable",
     "/api/crm/events/endpoints/{endpoint}/enable", NULL, 204, 404},
    {HTTP_GET, "/api/crm/events/dead", "/api/crm/events/dead?endpoint={endpoint}", NULL, 200, 404},
    {HTTP_POST, "/api/crm/events/dead/{id}/resend", "/api/crm/events/dead/{dead}/resend", NULL, 204,
     404},
    {HTTP_GET, "/api/crm/brake", "/api/crm/brake", NULL, 200, 0},
    {HTTP_POST, "/api/crm/brake/confirm", "/api/crm/brake/confirm",
     "{\"connection\": \"{connection}\", \"kind\": \"contact\", \"what\": \"deletes\", \"count\": "
     "30}",
     200, 404},
};

static const char *const TOKEN_NAMES[TOKEN_KINDS] = {
    "no token",      "garbled token", "viewer",        "operator",     "admin",
    "expired token", "revoked token", "service admin", "foreign admin"};

static const struct line *line_of(const struct api_route *route)
{
    for (size_t i = 0; i < COUNT_OF(LINES); i++) {
        if (LINES[i].method == route->method &&
            str_equal(str_of(LINES[i].pattern), str_of(route->pattern))) {
            return &LINES[i];
        }
    }
    return NULL;
}

static enum api_role role_of(enum token_kind token)
{
    switch (token) {
    case TOKEN_VIEWER:
        return ROLE_VIEWER;
    case TOKEN_OPERATOR:
        return ROLE_OPERATOR;
    case TOKEN_ADMIN:
    case TOKEN_SERVICE:
    case TOKEN_FOREIGN:
        return ROLE_ADMIN;
    case TOKEN_NONE:
    case TOKEN_GARBLED:
    case TOKEN_EXPIRED:
    case TOKEN_REVOKED:
    case TOKEN_KINDS:
        break;
    }
    return ROLE_NONE;
}

/* What somebody who does not know the code would expect. names_foreign: path and body name things of the tenant that is not the token's. */
static int wanted(const struct api_route *route, const struct line *line, enum token_kind token,
                  bool names_foreign)
{
    if (route->role == ROLE_NONE) {
        return line->status;
    }
    if (role_of(token) == ROLE_NONE) {
        return 401;
    }
    if (role_of(token) < route->role) {
        return 403;
    }
    if (route->scope == API_SCOPE_SERVICE) {
        return token == TOKEN_SERVICE ? line->status : 403;
    }
    return names_foreign && line->foreign ? line->foreign : line->status;
}

/* The text with its places filled in for a tenant. */
static void fill(const struct api_world *w, int tenant, const char *text, char *ret)
{
    const struct tenant_data *data = &w->data[tenant];
    char conflict[24], failure[24], dead[24];
    const struct {
        const char *place, *value;
    } PLACES[] = {{"{record}", data->record},
                  {"{conflict}", conflict},
                  {"{failure}", failure},
                  {"{dead}", dead},
                  {"{endpoint}", tenant ? TAINT "hook" : "hook"},
                  {"{order}", data->order},
                  {"{connection}", tenant ? TAINT "crm" : "crm"}};
    AUTO_BUF struct buf out = {0};

    snprintf(conflict, sizeof conflict, "%lld", (long long)data->conflict_id);
    snprintf(failure, sizeof failure, "%lld", (long long)data->failure_id);
    snprintf(dead, sizeof dead, "%lld", (long long)data->dead_id);
    buf_init(&out, PATH_MAX_BYTES - 1);
    while (*text) {
        size_t i = 0;

        while (i < COUNT_OF(PLACES) && !str_starts(str_of(text), str_of(PLACES[i].place))) {
            i++;
        }
        if (i == COUNT_OF(PLACES)) {
            buf_add_char(&out, *text++);
        } else {
            buf_add(&out, str_of(PLACES[i].value));
            text += strlen(PLACES[i].place);
        }
    }
    assert_false(out.is_full);
    snprintf(ret, PATH_MAX_BYTES, "%" PRI_STR, STR_ARG(buf_str(&out)));
}

static void order(struct api_world *w, int tenant)
{
    const struct asked asked = {.method = HTTP_POST, .target = "/api/crm/sync"};
    struct http_response response;

    world_ask(w, tenant ? TOKEN_FOREIGN : TOKEN_ADMIN, &asked, &response);
    assert_int_equal(response.status, 202);
    http_response_fini(&response);
    memcpy(w->data[tenant].order, w->ordered.id, sizeof w->ordered.id);
}

static bool holds(const struct http_response *response, struct str text)
{
    for (size_t i = 0; i < response->headers.count; i++) {
        if (str_contains(response->headers.at[i].value, text)) {
            return true;
        }
    }
    return str_contains(response->body, text);
}

static struct api_world world;
static bool world_is_open;

/* A new one after every change, which the next request would see. */
static struct api_world *fresh_world(void)
{
    if (!world_is_open) {
        world_open(&world);
        order(&world, 0);
        order(&world, 1);
        world_is_open = true;
    }
    clock_wait_ms(world.f.env.clock, PAUSE_MS);
    return &world;
}

static void used_world(const struct api_route *route, int status)
{
    if (route->method != HTTP_GET && status < 400) {
        world_close(&world);
        world_is_open = false;
    }
}

/* One field of the matrix. */
static void try_one(const struct api_route *route, const struct line *line, enum token_kind token,
                    int names_of, const char *tenant_header)
{
    struct api_world *w = fresh_world();
    char path[PATH_MAX_BYTES], body[PATH_MAX_BYTES];
    bool names_foreign = names_of != (token == TOKEN_FOREIGN ? 1 : 0);
    int status = wanted(route, line, token, names_foreign);
    struct http_response response;

    fill(w, names_of, line->path, path);
    fill(w, names_of, line->body ? line->body : "", body);
    const struct asked asked = {
        .method = line->method,
        .target = path,
        .body = line->body ? body : NULL,
        .headers = {{tenant_header ? "Crmsync-Tenant" : NULL, tenant_header}}};

    if (tenant_header && role_of(token) >= route->role && route->role != ROLE_NONE &&
        route->scope == API_SCOPE_TENANT) {
        status = token == TOKEN_SERVICE ? line->status : 403;
    }
    world_ask(w, token, &asked, &response);
    EXPECT(response.status == status, "%s %s with %s%s: %d, wanted %d: %" PRI_STR,
           http_method_name(line->method), path, TOKEN_NAMES[token],
           tenant_header ? " for the foreign tenant" : "", response.status, status,
           STR_ARG(response.body));
    /* What the client said itself may be named in the answer; an address of the foreign tenant's person never. */
    if (token != TOKEN_FOREIGN && !(token == TOKEN_SERVICE && status < 300)) {
        struct str taint = names_of == 1 ? STR(TAINT "@") : STR(TAINT);

        EXPECT(!holds(&response, taint),
               "%s %s with %s tells something of the foreign tenant: %" PRI_STR,
               http_method_name(line->method), path, TOKEN_NAMES[token], STR_ARG(response.body));
    }
    used_world(route, response.status);
    http_response_fini(&response);
}

static int close_world(void **state)
{
    (void)state;
    if (world_is_open) {
        world_close(&world);
    }
    return 0;
}

static void test_every_route_has_a_line(void **state)
{
    size_t count;
    const struct api_route *routes = api_routes(&count);

    (void)state;
    for (size_t i = 0; i < count; i++) {
        EXPECT(line_of(&routes[i]), "%s %s has no line in this test",
               http_method_name(routes[i].method), routes[i].pattern);
    }
    assert_int_equal(count, COUNT_OF(LINES));
}

static void test_matrix(void **state)
{
    size_t count, fields = 0;
    const struct api_route *routes = api_routes(&count);

    (void)state;
    for (size_t i = 0; i < count; i++) {
        const struct line *line = line_of(&routes[i]);

        for (int token = 0; token < TOKEN_KINDS; token++) {
            try_one(&routes[i], line, (enum token_kind)token, 0, NULL);
            try_one(&routes[i], line, (enum token_kind)token, 1, NULL);
            fields += 2;
        }
    }
    printf("%zu routes, %zu fields\n", count, fields);
}

/* Whoever names the foreign tenant gets it with a token for all, and is refused with one of another, as if there were none of that name. */
static void test_foreign_tenant_by_name(void **state)
{
    size_t count;
    const struct api_route *routes = api_routes(&count);

    (void)state;
    for (size_t i = 0; i < count; i++) {
        const struct line *line = line_of(&routes[i]);

        for (int token = TOKEN_NONE; token <= TOKEN_SERVICE; token++) {
            try_one(&routes[i], line, (enum token_kind)token, 1, TAINT "tenant");
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_route_has_a_line),
        cmocka_unit_test(test_matrix),
        cmocka_unit_test(test_foreign_tenant_by_name),
    };

    return cmocka_run_group_tests(tests, NULL, close_world);
}
