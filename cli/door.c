#include "cli/door.h"

#include <stdlib.h>

#include "api/api.h"
#include "api/router.h"
#include "cli/remote.h"
#include "cli/wire.h"
#include "core/alloc.h"

struct door {
    struct wire wire;         /* a store of this machine */
    struct api *api;          /* likewise; NULL: remote */
    struct remote *remote;    /* NULL: here */
    struct api_tenant tenant; /* of the wire */
    struct arena arena;
};

/* api_host: the selected tenant alone. */
static void enter(void *context, struct api_setup *ret)
{
    struct door *door = context;

    *ret = (struct api_setup){
        .kinds = &door->wire.config.kinds, .tenants = &door->tenant, .tenants_count = 1};
}

static enum fail open_store(struct door *door, enum store_access access, const char *holder,
                            struct error *err)
{
    struct wire *wire = &door->wire;

    if (wire_open_store(wire, access, holder, err) != OK) {
        return err->code;
    }
    door->tenant = (struct api_tenant){
        .name = wire_tenant_name(wire), .id = wire->tenant_id, .settings = &wire->config.settings};
    const struct api_options options = {.env = wire->cli->env,
                                        .store = wire->store,
                                        .is_private = true,
                                        .host = {.context = door, .enter = enter}};
    door->api = api_new(&options);
    return OK;
}

static enum fail open_holder(struct cli *cli, struct door *door, struct error *err)
{
    return remote_open_holder(cli, door->wire.config.store_path, wire_tenant_name(&door->wire),
                              &door->remote, err);
}

static enum fail open_any(struct cli *cli, enum store_access access, const char *holder,
                          struct door *door, struct error *err)
{
    if (cli->server) {
        return remote_open(cli, &door->remote, err);
    }
    if (wire_config(cli, &door->wire, err) != OK ||
        (access == STORE_WRITE && open_holder(cli, door, err) != OK)) {
        return err->code;
    }
    return door->remote ? OK : open_store(door, access, holder, err);
}

enum fail door_open_service(struct cli *cli, struct door **ret, struct error *err)
{
    struct door *door = alloc_new(1, sizeof *door);

    enum fail failed =
        cli->server ? remote_open(cli, &door->remote, err) : wire_config(cli, &door->wire, err);

    if (failed == OK && !cli->server) {
        failed = open_holder(cli, door, err);
    }
    *ret = door->remote ? door : NULL;
    if (!door->remote) {
        door_close(door);
    }
    return failed;
}

enum fail door_open(struct cli *cli, enum store_access access, const char *holder,
                    struct door **ret, struct error *err)
{
    struct door *door = alloc_new(1, sizeof *door);

    if (open_any(cli, access, holder, door, err) != OK) {
        door_close(door);
        return err->code;
    }
    *ret = door;
    return OK;
}

void door_close(struct door *door)
{
    if (door) {
        remote_close(door->remote);
        api_free(door->api);
        arena_fini(&door->arena);
        wire_close(&door->wire);
        free(door);
    }
}

void door_close_ptr(struct door **door)
{
    door_close(*door);
}

static enum fail ask(struct door *door, enum http_method method, struct str target, json_t *body,
                     struct arena *arena, json_t **ret, struct error *err)
{
    return door->remote
               ? remote_ask(door->remote, method, target, body, arena, ret, err)
               : api_ask(door->api, door->tenant.id, method, target, body, arena, ret, err);
}

enum fail door_ask(struct door *door, enum http_method method, struct str target, json_t *take_body,
                   json_t **ret, struct error *err)
{
    return ask(door, method, target, jx_own(&door->arena, take_body), &door->arena, ret, err);
}

enum fail door_look(struct door *door, struct str target, struct arena *arena, json_t **ret,
                    struct error *err)
{
    return ask(door, HTTP_GET, target, NULL, arena, ret, err);
}

/* The rows of one page go over into all; *ret_after is "" behind the last one. */
static enum fail add_page(struct door *door, struct str target, json_t *rows, struct str *ret_after,
                          struct error *err)
{
    AUTO_ARENA struct arena arena = {0};
    json_t *page, *items;

    if (ask(door, HTTP_GET, target, NULL, &arena, &page, err) != OK ||
        jx_array(page, "items", &items, err) != OK) {
        return err->code;
    }
    json_array_extend(rows, items);
    *ret_after = arena_str(&door->arena, jx_text_of(jx_get(page, "next")));
    return OK;
}

enum fail door_list(struct door *door, struct str target, int64_t limit, json_t **ret_rows,
                    struct error *err)
{
    const char *mark = str_contains(target, STR("?")) ? "&" : "?";
    struct str after = STR("");

    *ret_rows = jx_own(&door->arena, json_array());
    for (;;) {
        int64_t left = limit - (int64_t)json_array_size(*ret_rows);
        int page = (int)(left < API_LIMIT_MAX ? left : API_LIMIT_MAX);
        struct str url =
            arena_printf(&door->arena, "%" PRI_STR "%slimit=%d%s%" PRI_STR, STR_ARG(target), mark,
                         page, after.len ? "&after=" : "", STR_ARG(after));

        if (add_page(door, url, *ret_rows, &after, err) != OK) {
            return err->code;
        }
        if (after.len == 0 || (int64_t)json_array_size(*ret_rows) >= limit) {
            return OK;
        }
    }
}

struct arena *door_arena(struct door *door)
{
    return &door->arena;
}

bool door_is_remote(const struct door *door)
{
    return door->remote != NULL;
}

struct str door_word(struct door *door, const char *text)
{
    return http_percent_encode(&door->arena, str_of(text));
}
