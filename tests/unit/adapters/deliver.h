/* Deliveries of webhooks, made by hand for tests. */
#ifndef CRMSYNC_TESTS_UNIT_ADAPTERS_DELIVER_H
#define CRMSYNC_TESTS_UNIT_ADAPTERS_DELIVER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "adapters/adapter.h"
#include "core/base64.h"
#include "core/jx.h"

#include <cmocka.h> /* last: its macro fail() would break declarations with enum fail */

struct deliver {
    struct arena arena;
    struct error err;
    struct http_request request;
    struct webhook_settings settings;
    struct webhook_delivery delivery;
    struct webhook_proof proof;
    struct webhook_events events;
};

static void deliver_begin(struct deliver *d)
{
    *d = (struct deliver){.request = {.method = HTTP_POST, .url = STR("/not/read")}};
    d->delivery = (struct webhook_delivery){.request = &d->request, .path_secret = STR("")};
}

static void deliver_end(struct deliver *d)
{
    arena_fini(&d->arena);
}

static inline struct str deliver_file(struct deliver *d, const char *path)
{
    FILE *file = fopen(path, "rb");
    char *at = arena_alloc(&d->arena, 1 << 16, 1);
    size_t len;

    if (!file) {
        fail_msg("%s is not there", path);
    }
    len = fread(at, 1, 1 << 16, file);
    fclose(file);
    assert_true(len > 0 && len < 1 << 16);
    return (struct str){.at = at, .len = len};
}

static inline void deliver_header(struct deliver *d, const char *name, struct str value)
{
    http_header_add(&d->request.headers, str_of(name), value);
}

/* The same again, from the beginning. */
static inline enum fail deliver_parse(struct deliver *d, const struct adapter *adapter)
{
    d->events = (struct webhook_events){0};
    d->err = (struct error){0};
    return adapter->webhook_parse(&d->settings, &d->delivery, &d->arena, &d->events, &d->err);
}

static inline enum fail deliver_verify(struct deliver *d, const struct adapter *adapter)
{
    d->err = (struct error){0};
    return adapter->webhook_verify(&d->settings, &d->delivery, &d->proof, &d->err);
}

/* "contact 501 merged", one a line, in their order. */
static inline void deliver_expect(struct deliver *d, const char *const *lines, size_t count)
{
    for (size_t i = 0; i < d->events.count && i < count; i++) {
        const struct webhook_event *event = &d->events.at[i];

        assert_string_equal(arena_printf(&d->arena, "%s %" PRI_STR " %s", event->kind,
                                         STR_ARG(event->remote_id), webhook_type_name(event->type))
                                .at,
                            lines[i]);
        assert_int_equal(event->event_key.len, WEBHOOK_KEY_BYTES);
    }
    assert_int_equal(d->events.count, count);
}
#define EXPECT(d, ...)                                                                             \
    deliver_expect((d), (const char *const[]){__VA_ARGS__},                                        \
                   sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))

#endif
