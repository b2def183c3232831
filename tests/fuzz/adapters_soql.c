/* Texts in SOQL: whatever a value holds, the statement stays the statement that was meant. The simulator parses it, which shares no code with the adapter. */
#include "tests/fuzz/fuzz.h"

#include "adapters/salesforce_inside.h"
#include "core/jx.h"
#include "core/unicode.h"
#include "simulators/simulator.h"

enum { TEXT_BYTES_MAX = 300 };

static int ask(struct simulator *simulator, struct arena *arena, enum http_method method,
               struct str url, struct str body, json_t **ret)
{
    struct http_request request = {.method = method, .url = url, .body = body};
    struct http_response response = {0};
    struct error err = {0};
    int status;

    http_header_add(&request.headers, STR("Authorization"),
                    arena_printf(arena, "Bearer %s", simulator_token(simulator)));
    http_header_add(&request.headers, STR("Content-Type"), STR("application/json"));
    simulator_handle(simulator, &request, &response);
    status = response.status;
    MUST_HOLD(response.body.len == 0 ||
                  jx_parse(arena, arena_str(arena, response.body), ret, &err) == OK,
              "%s", err.message);
    http_response_fini(&response);
    return status;
}

/* How many contacts have that name; the second condition is met by all, unless the first one ate it. */
static int64_t count_named(struct simulator *simulator, struct arena *arena, struct str text)
{
    AUTO_BUF struct buf soql;
    json_t *answer = NULL;
    struct str url;
    int status;

    buf_init(&soql, 64 * 1024);
    buf_add(&soql, STR("SELECT Id FROM Contact WHERE LastName = "));
    salesforce_quote(&soql, text);
    buf_add(&soql, STR(" AND Id != null"));
    url = arena_printf(arena, "/services/data/v66.0/query?q=%" PRI_STR,
                       STR_ARG(http_percent_encode(arena, buf_str(&soql))));
    status = ask(simulator, arena, HTTP_GET, url, STR(""), &answer);
    MUST_HOLD(status == 200, "%d for %" PRI_STR, status, STR_ARG(buf_str(&soql)));
    return json_integer_value(jx_get(answer, "totalSize"));
}

static void is_found(struct simulator *simulator, struct arena *arena, struct str text)
{
    json_t *body = jx_own(arena, json_object()), *answer = NULL;
    struct str name;

    json_object_set_new(body, "LastName", json_stringn(text.at, text.len));
    if (ask(simulator, arena, HTTP_POST, STR("/services/data/v66.0/sobjects/Contact"),
            jx_text(arena, body), &answer) != 201) {
        return; /* no name */
    }
    name = arena_printf(arena, "/services/data/v66.0/sobjects/Contact/%" PRI_STR,
                        STR_ARG(jx_text_of(jx_get(answer, "id"))));
    MUST_HOLD(ask(simulator, arena, HTTP_GET, name, STR(""), &answer) == 200, "made and gone");
    text = jx_text_of(jx_get(answer, "LastName")); /* as it is kept there */
    MUST_HOLD(count_named(simulator, arena, text) == 1, "not found: '%" PRI_STR "'", STR_ARG(text));
}

void fuzz_one(struct str input)
{
    AUTO_ARENA struct arena arena = {0};
    struct env env = {.clock = clock_new_virtual(1780000000000), .random = random_new_seeded(1)};
    struct simulator_options options = {.seed = 1, .no_limits = true};
    struct simulator *simulator;
    struct error err = {0};

    MUST_HOLD(simulator_salesforce_new(&env, &options, &simulator, &err) == OK, "%s", err.message);
    if (input.len && input.len <= TEXT_BYTES_MAX && utf8_is_valid(input) &&
        !memchr(input.at, '\0', input.len)) {
        MUST_HOLD(count_named(simulator, &arena, input) == 0, "an empty account holds nobody");
        is_found(simulator, &arena, input);
    }
    simulator_free(simulator);
    random_free(env.random);
    clock_free(env.clock);
}
