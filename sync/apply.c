#include "sync/apply.h"

#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "core/jx.h"

enum { HEX_BYTES = 2 * DIGEST_BYTES + 1 };

/* The plan in memory: a digest for each change, however large it is. */
struct applying {
    const struct sync *sync;
    const char *path;
    struct sync_options options;
    json_t *open;    /* digest → how often it may still happen */
    json_t *uuids;   /* object → id that the plan gave its record */
    json_t *put_off; /* objects that were refused in this run */
    json_t *moved;   /* records with a refused change: nothing more of them is done */
    json_t *unsure;  /* record at a connection → digest of the change whose answer was lost */
    struct arena plan_arena; /* of the options */
    struct arena arena;      /* of the key in hand */
    int64_t items;
    struct applied *result;
};

static const char *object_key(struct arena *arena, struct str connection, struct str kind,
                              struct str remote_id)
{
    return arena_printf(arena, "%" PRI_STR "\x1f%" PRI_STR "\x1f%" PRI_STR, STR_ARG(connection),
                        STR_ARG(kind), STR_ARG(remote_id))
        .at;
}

static void hex_of(struct applying *applying, const struct change *change, char ret[HEX_BYTES])
{
    struct digest digest = plan_change_digest(change, &applying->arena);

    hex_encode(digest.bytes, DIGEST_BYTES, ret);
    arena_reset(&applying->arena);
}

/* Takes one permission; false: there is none left. */
static bool take(struct applying *applying, const char *hex)
{
    json_t *count = json_object_get(applying->open, hex);

    if (!count || json_integer_value(count) == 0) {
        return false;
    }
    json_integer_set(count, json_integer_value(count) - 1);
    return true;
}

static void give_back(struct applying *applying, const char *hex)
{
    json_t *count = json_object_get(applying->open, hex);

    if (count) {
        json_integer_set(count, json_integer_value(count) + 1);
    }
}

static bool is_moved(const struct applying *applying, const struct change *change)
{
    return change->uuid.len && json_object_getn(applying->moved, change->uuid.at, change->uuid.len);
}

/* The object is not read again in this run, and nothing more is done with its records: a plan holds for a record as a whole. */
static void put_off(struct applying *applying, const struct change *changes, size_t count,
                    struct str remote_id)
{
    const char *key =
        object_key(&applying->arena, changes[0].connection, changes[0].kind, remote_id);

    if (remote_id.len && !json_object_get(applying->put_off, key)) {
        json_object_set_new(applying->put_off, key, json_true());
        applying->result->put_off++;
    }
    for (size_t i = 0; i < count; i++) {
        if (changes[i].uuid.len) {
            json_object_setn_new(applying->moved, changes[i].uuid.at, changes[i].uuid.len,
                                 json_true());
        }
    }
    arena_reset(&applying->arena);
}

static bool allows(void *context, const struct change *changes, size_t count, struct str remote_id)
{
    struct applying *applying = context;
    char hex[HEX_BYTES];
    size_t taken = 0;

    for (; taken < count; taken++) {
        hex_of(applying, &changes[taken], hex);
        if (is_moved(applying, &changes[taken]) || !take(applying, hex)) {
            break;
        }
    }
    if (taken == count) {
        applying->result->done += (int64_t)count;
        return true;
    }
    for (size_t i = 0; i < taken; i++) {
        hex_of(applying, &changes[i], hex);
        give_back(applying, hex);
    }
    put_off(applying, changes, count, remote_id);
    return false;
}

static void settled(void *context, const struct change *change, enum settled what)
{
    struct applying *applying = context;
    char hex[HEX_BYTES];

    hex_of(applying, change, hex);
    switch (what) {
    case SETTLED_DONE:
        applying->result->done += take(applying, hex);
        return;
    case SETTLED_UNSURE:
        json_object_set_new(
            applying->unsure,
            object_key(&applying->arena, change->connection, change->kind, change->uuid),
            json_string(hex));
        arena_reset(&applying->arena);
        applying->result->done--;
        return;
    case SETTLED_NOT_DONE:
        give_back(applying, hex);
        applying->result->done--;
        return;
    }
}

static void found_out(void *context, struct str connection, struct str kind, struct str uuid,
                      bool is_done)
{
    struct applying *applying = context;
    const char *key = object_key(&applying->arena, connection, kind, uuid);
    const char *hex = json_string_value(json_object_get(applying->unsure, key));

    if (hex && is_done) {
        applying->result->done++;
    } else if (hex) {
        give_back(applying, hex);
    }
    json_object_del(applying->unsure, key);
    arena_reset(&applying->arena);
}

static bool is_put_off(void *context, struct str connection, struct str kind, struct str remote_id)
{
    struct applying *applying = context;
    bool found = json_object_get(applying->put_off,
                                 object_key(&applying->arena, connection, kind, remote_id)) != NULL;

    arena_reset(&applying->arena);
    return found;
}

static bool uuid_of(void *context, struct str connection, struct str kind, struct str remote_id,
                    char ret[UUID_TEXT_BYTES])
{
    struct applying *applying = context;
    const json_t *uuid =
        json_object_get(applying->uuids, object_key(&applying->arena, connection, kind, remote_id));

    arena_reset(&applying->arena);
    if (!uuid || json_string_length(uuid) != UUID_TEXT_BYTES - 1) {
        return false;
    }
    memcpy(ret, json_string_value(uuid), UUID_TEXT_BYTES);
    return true;
}

/* --- loading ----------------------------------------------------------------------------------------------------------------- */

static void permit(struct applying *applying, const struct change *change)
{
    char hex[HEX_BYTES];
    json_t *count;

    hex_of(applying, change, hex);
    count = json_object_get(applying->open, hex);
    if (count) {
        json_integer_set(count, json_integer_value(count) + 1);
    } else {
        json_object_set_new(applying->open, hex, json_integer(1));
    }
    if (!change->is_there && change->op == CHANGE_CREATE) {
        json_object_set_new(
            applying->uuids,
            object_key(&applying->arena, change->connection, change->kind, change->remote_id),
            json_stringn(change->uuid.at, change->uuid.len));
        arena_reset(&applying->arena);
    }
    applying->items++;
}

static enum fail fail_line(const struct plan_reader *reader, struct error *err)
{
    return error_wrap(err, "%s:%lld", reader->path, (long long)reader->number);
}

/* The last line says how many there are: a plan that was cut off is not applied in part. */
static enum fail check_end(const json_t *last, const struct applying *applying, const char *path,
                           struct error *err)
{
    int64_t items = -1;

    if (jx_i64(last, "items", &items, err) != OK || items != applying->items) {
        error_set(err, FAIL_CONFIG, "plan '%s' is not whole", path);
        return error_hint(err, "make a new one with 'crmsync plan -o FILE'");
    }
    return OK;
}

static enum fail load_changes(struct applying *applying, struct plan_reader *reader,
                              struct error *err)
{
    for (;;) {
        AUTO_ARENA struct arena arena = {0};
        struct change change;
        json_t *line;

        if (plan_reader_next(reader, &arena, &line, err) != OK) {
            return err->code;
        }
        if (!line || jx_get(line, "end")) {
            return check_end(jx_get(line, "end"), applying, reader->path, err);
        }
        if (plan_change_read(line, &arena, &change, err) != OK) {
            return fail_line(reader, err);
        }
        permit(applying, &change);
    }
}

static enum fail load(struct applying *applying, struct error *err)
{
    AUTO_PLAN_READER struct plan_reader reader = {0};
    struct arena *arena = &applying->plan_arena;
    json_t *head;

    if (plan_reader_open(applying->path, &reader, err) != OK ||
        plan_reader_next(&reader, arena, &head, err) != OK ||
        plan_head_check(head, applying->sync, arena, &applying->options, err) != OK) {
        return err->code;
    }
    return load_changes(applying, &reader, err);
}

/* --- what was not done ------------------------------------------------------------------------------------------------------- */

static const char *why_not(struct applying *applying, const struct change *change, const char *hex)
{
    const char *key = object_key(&applying->arena, change->connection, change->kind, change->uuid);
    const char *unsure = json_string_value(json_object_get(applying->unsure, key));
    bool is_unsure = change->is_there && unsure && strcmp(unsure, hex) == 0;

    arena_reset(&applying->arena);
    if (is_unsure) {
        return "its answer was lost; the next sync finds out what came of it";
    }
    if (change->remote_id.len &&
        is_put_off(applying, change->connection, change->kind, change->remote_id)) {
        return "it has moved since the plan was made";
    }
    return "it did not come up: the record has moved since, or this was done already";
}

static enum fail tell_rest(struct applying *applying, apply_fn *tell, void *context,
                           struct error *err)
{
    AUTO_PLAN_READER struct plan_reader reader = {0};

    const char *key;
    json_t *hex_unsure;

    json_object_foreach(applying->unsure, key, hex_unsure)
    {
        give_back(applying, json_string_value(hex_unsure));
    }
    if (plan_reader_open(applying->path, &reader, err) != OK) {
        return err->code;
    }
    for (int64_t i = 0; i <= applying->items; i++) {
        AUTO_ARENA struct arena arena = {0};
        struct change change;
        char hex[HEX_BYTES];
        json_t *line;

        if (plan_reader_next(&reader, &arena, &line, err) != OK) {
            return err->code;
        }
        if (i == 0 || !line) {
            continue;
        }
        if (plan_change_read(line, &arena, &change, err) != OK) {
            return fail_line(&reader, err);
        }
        hex_of(applying, &change, hex);
        if (take(applying, hex)) {
            applying->result->refused++;
            tell(context, line, why_not(applying, &change, hex));
        }
    }
    return OK;
}

enum fail apply_open(const struct sync *sync, const char *path, struct applying **ret,
                     struct error *err)
{
    struct applying *applying = alloc_new(1, sizeof *applying);

    applying->sync = sync;
    applying->path = path;
    applying->options.command = "apply";
    applying->open = json_object();
    applying->uuids = json_object();
    applying->put_off = json_object();
    applying->moved = json_object();
    applying->unsure = json_object();
    if (load(applying, err) != OK) {
        apply_close(applying);
        return err->code;
    }
    *ret = applying;
    return OK;
}

enum fail apply_run(struct applying *applying, int64_t wait_max_ms, apply_fn *tell_refused,
                    void *context, struct applied *ret, struct error *err)
{
    const struct gate gate = {.context = applying,
                              .allows = allows,
                              .settled = settled,
                              .found_out = found_out,
                              .is_put_off = is_put_off,
                              .uuid_of = uuid_of};
    struct sync gated = *applying->sync;

    *ret = (struct applied){.items = applying->items};
    applying->result = ret;
    applying->options.wait_max_ms = wait_max_ms;
    gated.gate = &gate;
    if (sync_run(&gated, &applying->options, &ret->report, err) != OK) {
        return err->code;
    }
    return tell_rest(applying, tell_refused, context, err);
}

void apply_close(struct applying *applying)
{
    if (applying) {
        json_decref(applying->open);
        json_decref(applying->uuids);
        json_decref(applying->put_off);
        json_decref(applying->moved);
        json_decref(applying->unsure);
        arena_fini(&applying->plan_arena);
        arena_fini(&applying->arena);
        free(applying);
    }
}
