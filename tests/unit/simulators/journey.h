/* Journeys through a simulator as tables: one row is one request and what has to come back.
 *
 *   all texts   $name$ stands for a value that an earlier row saved
 *   want        "path=text" equal, "path~part" contains, "path!" absent, "path#3" has three elements. A path is
 *               "results.0.properties.email". JSON null is the text null. The empty path is the whole answer, which may be any text
 *   save        "name=path" keeps a value of the answer, "name=path;name=path" several
 *               A path "@Location" is a header of the answer, "@Location?code" a parameter of the address in it
 *   headers     "Name: value" lines beside the token; with "form" the body is sent as a form
 *   advance_ms  moves the clock before the request */
#ifndef CRMSYNC_TESTS_SIMULATORS_JOURNEY_H
#define CRMSYNC_TESTS_SIMULATORS_JOURNEY_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <jansson.h>

#include "core/arena.h"
#include "core/env.h"
#include "core/jx.h"
#include "simulators/simulator.h"

/* A row names only what matters to it. */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

enum { JOURNEY_WANTS = 8 };

struct step {
    const char *method, *url, *body;
    int status;
    const char *want[JOURNEY_WANTS];
    const char *save;
    int64_t advance_ms;
    const char *token; /* "" = none; NULL = the account's */
    const char *headers;
    bool form;
};

struct journey {
    struct arena arena;
    struct env env;
    struct simulator *sim;
    json_t *saved;
    struct http_response last;
};

typedef enum fail simulator_maker(struct env *env, const struct simulator_options *options,
                                  struct simulator **ret, struct error *err);

static const int64_t JOURNEY_BEGINS_MS = 1795244400000; /* 2026-11-21T07:00:00Z */

static inline void journey_begin(struct journey *journey, simulator_maker *make,
                                 const struct simulator_options *options)
{
    struct error err = {0};

    *journey = (struct journey){0};
    journey->env.clock = clock_new_virtual(JOURNEY_BEGINS_MS);
    journey->env.random = random_new_seeded(1);
    journey->saved = json_object();
    if (make(&journey->env, options, &journey->sim, &err)) {
        fail_msg("simulator: %s", err.message);
    }
}

static inline void journey_end(struct journey *journey)
{
    simulator_free(journey->sim);
    http_response_fini(&journey->last);
    json_decref(journey->saved);
    random_free(journey->env.random);
    clock_free(journey->env.clock);
    arena_fini(&journey->arena);
}

/* Replaces $name$. */
static inline struct str journey_fill(struct journey *journey, const char *text)
{
    struct buf out;
    struct str rest = str_of(text), ret;

    buf_init(&out, 1 << 24);
    for (bool is_name = false; rest.at; is_name = !is_name) {
        struct str part = str_cut(&rest, '$');
        json_t *value = is_name ? json_object_getn(journey->saved, part.at, part.len) : NULL;

        if (is_name && !value) {
            fail_msg("nothing saved as '%" PRI_STR "'", STR_ARG(part));
        }
        buf_add(&out, is_name ? jx_text_of(value) : part);
    }
    ret = arena_str(&journey->arena, buf_str(&out));
    buf_fini(&out);
    return ret;
}

/* "Location" or "Location?code". */
static inline json_t *journey_header(struct journey *journey, struct str path)
{
    struct str name = str_cut(&path, '?');
    struct http_request at = {0};
    const char *text = arena_cstr(&journey->arena, name);

    at.url = http_header_get(&journey->last.headers, text);
    if (path.at) {
        at.url = http_query_get(&journey->arena, &at, arena_cstr(&journey->arena, path));
    }
    return at.url.at ? jx_own(&journey->arena, json_stringn(at.url.at, at.url.len)) : NULL;
}

static inline json_t *journey_at(json_t *tree, struct str path)
{
    while (tree && path.len) {
        struct str part = str_cut(&path, '.');
        int64_t index;

        if (json_is_array(tree)) {
            tree = str_to_i64(part, &index) ? json_array_get(tree, (size_t)index) : NULL;
        } else {
            tree = json_object_getn(tree, part.at, part.len);
        }
    }
    return tree;
}

static inline json_t *journey_look(struct journey *journey, json_t *tree, struct str path)
{
    return str_starts(path, STR("@")) ? journey_header(journey, str_slice(path, 1, path.len))
                                      : journey_at(tree, path);
}

static inline struct str journey_text(struct journey *journey, json_t *value)
{
    if (!value) {
        return STR("(absent)");
    }
    return json_is_string(value) ? jx_text_of(value) : jx_text(&journey->arena, value);
}

static inline void journey_check(struct journey *journey, json_t *tree, const char *want,
                                 const char *where)
{
    size_t at = strcspn(want, "=~!#");
    struct str path = {want, at}, expected = str_of(want + at + (want[at] != '\0'));
    json_t *value = journey_look(journey, tree, path);
    struct str got = journey_text(journey, value);
    bool is_fine = false;
    int64_t count = 0;

    switch (want[at]) {
    case '=':
        is_fine = value && str_equal(got, expected);
        break;
    case '~':
        is_fine = value && str_contains(got, expected);
        break;
    case '!':
        is_fine = value == NULL;
        break;
    case '#':
        is_fine = str_to_i64(expected, &count) && json_is_array(value) &&
                  json_array_size(value) == (size_t)count;
        break;
    default:
        fail_msg("%s: '%s' is no check", where, want);
    }
    if (!is_fine) {
        fail_msg("%s: want %s, got %.300s", where, want, arena_cstr(&journey->arena, got));
    }
}

static inline enum http_method journey_method(const char *name)
{
    static const enum http_method methods[] = {HTTP_GET, HTTP_POST, HTTP_PUT, HTTP_PATCH,
                                               HTTP_DELETE};

    for (size_t i = 0; i < COUNT_OF(methods); i++) {
        if (str_equal(str_of(name), str_of(http_method_name(methods[i])))) {
            return methods[i];
        }
    }
    fail_msg("no method %s", name);
    return HTTP_GET;
}

static inline void journey_headers(struct http_request *request, struct str lines)
{
    while (lines.at) {
        struct str line = str_cut(&lines, '\n'), name = str_cut(&line, ':');

        http_header_add(&request->headers, name, str_trim(line));
    }
}

/* One request; the answer stays in journey->last. Returns its JSON, a text that is none as a string, or NULL. */
static inline json_t *journey_send_with(struct journey *journey, const char *method, struct str url,
                                        struct str body, const char *token, struct str headers)
{
    struct http_request request = {.method = journey_method(method), .url = url, .body = body};
    struct error err = {0};
    json_t *tree = NULL;

    journey_headers(&request, headers);
    if (!token) {
        token = simulator_token(journey->sim);
    }
    if (*token) {
        http_header_add(&request.headers, STR("authorization"),
                        arena_printf(&journey->arena, "Bearer %s", token));
    }
    http_response_fini(&journey->last);
    journey->last = (struct http_response){0};
    simulator_handle(journey->sim, &request, &journey->last);
    if (journey->last.body.len && jx_parse(&journey->arena, journey->last.body, &tree, &err)) {
        struct str text = journey->last.body;

        tree = jx_own(&journey->arena, json_stringn(text.at, text.len));
    }
    return tree;
}

static inline json_t *journey_send(struct journey *journey, const char *method, struct str url,
                                   struct str body, const char *token)
{
    return journey_send_with(journey, method, url, body, token, STR_NONE);
}

static inline void journey_save(struct journey *journey, json_t *tree, const char *save,
                                const char *where)
{
    struct str rest = str_of(save);

    while (rest.at) {
        struct str path = str_cut(&rest, ';'), name = str_cut(&path, '=');
        json_t *value = journey_look(journey, tree, path);
        struct str text = journey_text(journey, value);

        if (!value) {
            fail_msg("%s: nothing at %" PRI_STR " to save", where, STR_ARG(path));
        }
        json_object_setn_new(journey->saved, name.at, name.len, json_stringn(text.at, text.len));
    }
}

static inline void journey_step(struct journey *journey, const struct step *step, size_t number)
{
    struct str url = journey_fill(journey, step->url);
    struct str body = journey_fill(journey, step->body ? step->body : "");
    const char *where =
        arena_printf(&journey->arena, "row %zu, %s %" PRI_STR, number, step->method, STR_ARG(url))
            .at;
    struct str headers = STR_NONE;
    const char *token = NULL;
    json_t *tree;

    if (step->headers) {
        headers = journey_fill(journey, step->headers);
    } else if (step->form) {
        headers = STR("Content-Type: application/x-www-form-urlencoded");
    }
    if (step->token) {
        token = journey_fill(journey, step->token).at;
    }
    clock_wait_ms(journey->env.clock, step->advance_ms);
    tree = journey_send_with(journey, step->method, url, body, token, headers);
    if (journey->last.status != step->status) {
        fail_msg("%s: want %d, got %d: %.600s", where, step->status, journey->last.status,
                 journey->last.body.at ? journey->last.body.at : "");
    }
    for (size_t i = 0; i < JOURNEY_WANTS && step->want[i]; i++) {
        journey_check(journey, tree, journey_fill(journey, step->want[i]).at, where);
    }
    if (step->save) {
        journey_save(journey, tree, step->save, where);
    }
}

static inline void journey_walk(struct journey *journey, const struct step *steps, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        journey_step(journey, &steps[i], i);
    }
}

#endif
