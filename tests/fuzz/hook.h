/* Deliveries of webhooks: headers and body are the input. An input's parts (take_part) are: what is done with it; then "Name: value" lines; then the body. */
#ifndef CRMSYNC_TESTS_FUZZ_HOOK_H
#define CRMSYNC_TESTS_FUZZ_HOOK_H

#include "tests/fuzz/fuzz.h"

#include "adapters/adapter.h"

static const int64_t HOOK_NOW_MS = 1767225601000;

struct hook {
    const struct adapter *adapter;
    struct webhook_settings settings;
    struct webhook_delivery delivery;
    struct http_request request;
    struct arena arena;
};

static void add_headers(struct hook *hook, struct str lines)
{
    while (lines.len) {
        const char *end = memchr(lines.at, '\n', lines.len);
        struct str line = str_slice(lines, 0, end ? (size_t)(end - lines.at) : lines.len);
        const char *mark = line.len ? memchr(line.at, ':', line.len) : NULL;

        if (mark) {
            struct str value = str_slice(line, (size_t)(mark - line.at) + 1, line.len);

            http_header_add(&hook->request.headers, str_slice(line, 0, (size_t)(mark - line.at)),
                            str_starts(value, STR(" ")) ? str_slice(value, 1, value.len) : value);
        }
        lines = str_slice(lines, line.len + (end != NULL), lines.len);
    }
}

/* Nobody who does not know the secrets gets in: is_proved says whether the input was made with them. */
static void verify(struct hook *hook, bool is_proved)
{
    struct webhook_proof proof = {0};
    struct error err = {0};
    enum fail failed =
        hook->adapter->webhook_verify(&hook->settings, &hook->delivery, &proof, &err);

    MUST_HOLD(failed != OK || is_proved, "somebody without the secret got in");
    MUST_HOLD(failed == OK || (err.code != FAIL_BUG && err.message[0]), "%s", err.message);
}

static void is_event(const struct webhook_event *event)
{
    MUST_HOLD(event->kind && event->remote_id.len, "an event of nothing");
    MUST_HOLD(event->event_key.len && event->event_key.len <= WEBHOOK_KEY_BYTES, "a key of %zu",
              event->event_key.len);
}

/* The same delivery again is the same news. */
static void parse(struct hook *hook)
{
    struct webhook_events events = {0}, again = {0};
    struct error err = {0};

    if (hook->adapter->webhook_parse(&hook->settings, &hook->delivery, &hook->arena, &events,
                                     &err) != OK) {
        MUST_HOLD(err.code != FAIL_BUG && err.message[0], "%s", err.message);
        return;
    }
    MUST_HOLD(events.count <= WEBHOOK_EVENTS_MAX && events.ignored <= events.heard, "counts");
    MUST_HOLD(hook->adapter->webhook_parse(&hook->settings, &hook->delivery, &hook->arena, &again,
                                           &err) == OK &&
                  again.count == events.count,
              "another number of events");
    for (size_t i = 0; i < events.count; i++) {
        is_event(&events.at[i]);
        MUST_HOLD(str_equal(events.at[i].event_key, again.at[i].event_key), "another key");
        for (size_t k = 0; k < i; k++) {
            MUST_HOLD(events.at[i].kind != events.at[k].kind ||
                          !str_equal(events.at[i].remote_id, events.at[k].remote_id),
                      "an object twice");
        }
    }
}

static void hook_end(struct hook *hook)
{
    arena_fini(&hook->arena);
}

#endif
