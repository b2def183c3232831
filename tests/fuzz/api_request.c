/* Requests to the API with an admin's token: "METHOD TARGET", a line end, the body. Refused or done, never a failure of ours. */
#include "tests/fuzz/fuzz.h"

#include "core/jx.h"

#include "tests/unit/api/world.h"

enum { TARGET_BYTES_MAX = 1000, MINUTE_MS = 60 * 1000 };

static struct api_world world;

static void close_world(void)
{
    world_close(&world);
}

static bool take_line(struct str *input, enum http_method *ret_method, struct str *ret_target)
{
    static const char *const NAMES[] = {"GET ", "POST ", "PUT ", "PATCH ", "DELETE "};
    const char *end = input->len ? memchr(input->at, '\n', input->len) : NULL;
    struct str line = str_slice(*input, 0, end ? (size_t)(end - input->at) : input->len);

    for (size_t i = 0; i < COUNT_OF(NAMES); i++) {
        if (str_starts(line, str_of(NAMES[i]))) {
            *ret_method = (enum http_method)i;
            *ret_target = str_slice(line, strlen(NAMES[i]), line.len);
            *input = str_slice(*input, line.len + (end != NULL), input->len);
            return ret_target->len <= TARGET_BYTES_MAX && !memchr(line.at, '\0', line.len);
        }
    }
    return false;
}

void fuzz_one(struct str input)
{
    AUTO_ARENA struct arena arena = {0};
    struct asked asked = {0};
    struct http_response response;
    struct error err = {0};
    struct str target;
    json_t *tree;

    if (!world.api) {
        world_open(&world);
        atexit(close_world);
    }
    if (!take_line(&input, &asked.method, &target) || memchr(input.at, '\0', input.len)) {
        return;
    }
    clock_wait_ms(world.f.env.clock, MINUTE_MS); /* no limit is met */
    asked.target = arena_cstr(&arena, target);
    asked.body = input.len ? arena_cstr(&arena, input) : NULL;
    world_ask(&world, TOKEN_SERVICE, &asked, &response);
    MUST_HOLD(response.status >= 200 && response.status != 500, "%d: %" PRI_STR, response.status,
              STR_ARG(response.body));
    MUST_HOLD(response.body.len == 0 || response.body.at[0] != '{' ||
                  jx_parse(&arena, response.body, &tree, &err) == OK,
              "%s", err.message);
    http_response_fini(&response);
}
