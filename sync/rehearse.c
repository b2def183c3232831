#include "sync/rehearse.h"

#include "sync/shadow.h"

struct listener {
    rehearse_fn *tell;
    void *context;
};

static bool pass_on(void *context, const struct change *changes, size_t count, struct str remote_id)
{
    const struct listener *listener = context;

    (void)remote_id;

    for (size_t i = 0; i < count; i++) {
        listener->tell(listener->context, &changes[i]);
    }
    return true;
}

static enum fail run_counted(struct sync *sync, const struct sync_options *options,
                             struct rehearsal *ret, struct error *err)
{
    struct http_stats before = {0};
    enum fail failed;

    if (sync->http) {
        before = http_client_stats(sync->http);
    }
    failed = sync_run(sync, options, &ret->report, err);
    if (sync->http) {
        ret->read_calls = http_client_stats(sync->http).calls - before.calls;
    }
    return failed;
}

enum fail rehearse(const struct sync *sync, const struct sync_options *options, rehearse_fn *tell,
                   void *context, struct arena *arena, struct rehearsal *ret, struct error *err)
{
    struct listener listener = {.tell = tell, .context = context};
    const struct gate gate = {.context = &listener, .allows = pass_on};
    size_t count = sync->connections_count;
    struct shadow **shadows = ARENA_ARRAY(arena, struct shadow *, count + 1);
    struct sync copy = *sync;
    enum fail failed;

    *ret = (struct rehearsal){.write_calls = ARENA_ARRAY(arena, int64_t, count + 1)};
    copy.gate = &gate;
    copy.connections = ARENA_ARRAY(arena, struct sync_connection, count + 1);
    for (size_t i = 0; i < count; i++) {
        shadows[i] = shadow_new(sync->env, &sync->connections[i], &copy.connections[i]);
    }
    failed = run_counted(&copy, options, ret, err);
    for (size_t i = 0; i < count; i++) {
        ret->write_calls[i] = shadow_write_calls(shadows[i]);
        shadow_free(shadows[i]);
    }
    return failed;
}
