#include "sync/shadow.h"

#include <inttypes.h>
#include <stdlib.h>

#include "core/alloc.h"
#include "core/jx.h"

/* Ids of objects that would be created: numbers, as some CRMs want them, that no CRM has given yet and JSON readers do not round. */
static const int64_t FIRST_NEW_ID = INT64_C(9000000000000000);

struct shadow {
    struct env *env;
    const struct adapter *real;
    struct session *session; /* of the real adapter, borrowed */
    struct adapter adapter;  /* what the engine sees */
    struct connection_settings settings;
    /* kind → remote id → {"props": what was written, "gone": true, "key": our id, of a new one} */
    json_t *written;
    int64_t new_count;
    int64_t write_calls;
};

static struct shadow *shadow_of(struct session *session)
{
    return (struct shadow *)(void *)session;
}

/* --- what was written -------------------------------------------------------------------------------------------------------- */

static json_t *written_find(const struct shadow *shadow, const char *kind, struct str remote_id)
{
    return json_object_getn(json_object_get(shadow->written, kind), remote_id.at, remote_id.len);
}

static json_t *written_of(struct shadow *shadow, const char *kind, struct str remote_id)
{
    json_t *objects = json_object_get(shadow->written, kind);
    json_t *row = written_find(shadow, kind, remote_id);

    if (!objects) {
        objects = json_object();
        json_object_set_new(shadow->written, kind, objects);
    }
    if (!row) {
        row = json_pack("{s:{}}", "props");
        json_object_setn_new(objects, remote_id.at, remote_id.len, row);
    }
    return row;
}

/* The record as it would look now. */
static void dress(const struct shadow *shadow, const char *kind, struct arena *arena,
                  struct remote_record *record)
{
    const json_t *row = written_find(shadow, kind, record->remote_id);
    json_t *props;

    if (!row || record->state == REMOTE_MERGED) {
        return;
    }
    if (json_object_get(row, "gone")) {
        record->state = REMOTE_GONE;
        record->props = NULL;
        return;
    }
    if (record->state != REMOTE_LIVE) {
        return;
    }
    props = json_copy(record->props);
    json_object_update(props, json_object_get(row, "props"));
    record->props = jx_own(arena, props);
    record->modified_ms = clock_wall_ms(shadow->env->clock);
}

static void dress_all(const struct shadow *shadow, const char *kind, struct arena *arena,
                      struct remote_page *page)
{
    for (size_t i = 0; i < page->count; i++) {
        dress(shadow, kind, arena, &page->records[i]);
    }
}

static bool is_new(const struct shadow *shadow, const char *kind, struct str remote_id)
{
    return json_object_get(written_find(shadow, kind, remote_id), "key") != NULL;
}

static struct remote_record read_new(const struct shadow *shadow, const char *kind,
                                     struct str remote_id, struct arena *arena)
{
    struct remote_record record = {.remote_id = remote_id,
                                   .state = REMOTE_LIVE,
                                   .props = jx_own(arena, json_object()),
                                   .created_ms = clock_wall_ms(shadow->env->clock)};

    record.correlation_key =
        jx_text_of(json_object_get(written_find(shadow, kind, remote_id), "key"));
    dress(shadow, kind, arena, &record);
    return record;
}

/* --- reads ------------------------------------------------------------------------------------------------------------------- */

static enum fail shadow_check(struct session *session, struct arena *arena,
                              struct account_facts *ret, struct error *err)
{
    struct shadow *shadow = shadow_of(session);

    return shadow->real->check(shadow->session, arena, ret, err);
}

static enum fail shadow_describe(struct session *session, const char *kind, struct arena *arena,
                                 struct remote_schema *ret, struct error *err)
{
    struct shadow *shadow = shadow_of(session);

    return shadow->real->describe(shadow->session, kind, arena, ret, err);
}

static enum fail shadow_users(struct session *session, struct arena *arena,
                              struct remote_users *ret, struct error *err)
{
    struct shadow *shadow = shadow_of(session);

    return shadow->real->users(shadow->session, arena, ret, err);
}

static enum fail shadow_list(struct session *session, const struct list_request *request,
                             struct arena *arena, struct remote_page *ret, struct error *err)
{
    struct shadow *shadow = shadow_of(session);
    enum fail failed = shadow->real->list(shadow->session, request, arena, ret, err);

    if (failed == OK) {
        dress_all(shadow, request->kind, arena, ret);
    }
    return failed;
}

/* The real ones first, then those that only exist here. */
static enum fail fetch_real(struct shadow *shadow, const struct fetch_request *request,
                            struct arena *arena, struct remote_page *ret, struct error *err)
{
    struct fetch_request real = *request;
    struct str *ids = ARENA_ARRAY(arena, struct str, request->remote_ids_count + 1);

    real.remote_ids = ids;
    real.remote_ids_count = 0;
    for (size_t i = 0; i < request->remote_ids_count; i++) {
        if (!is_new(shadow, request->kind, request->remote_ids[i])) {
            ids[real.remote_ids_count++] = request->remote_ids[i];
        }
    }
    *ret = (struct remote_page){.began_ms = clock_wall_ms(shadow->env->clock), .total = -1};
    return real.remote_ids_count ? shadow->real->fetch_many(shadow->session, &real, arena, ret, err)
                                 : OK;
}

static enum fail shadow_fetch_many(struct session *session, const struct fetch_request *request,
                                   struct arena *arena, struct remote_page *ret, struct error *err)
{
    struct shadow *shadow = shadow_of(session);
    struct remote_record *records;

    if (fetch_real(shadow, request, arena, ret, err) != OK) {
        return err->code;
    }
    dress_all(shadow, request->kind, arena, ret);
    records = ARENA_ARRAY(arena, struct remote_record, ret->count + request->remote_ids_count + 1);
    if (ret->count) {
        memcpy(records, ret->records, ret->count * sizeof *records);
    }
    ret->records = records;
    for (size_t i = 0; i < request->remote_ids_count; i++) {
        if (is_new(shadow, request->kind, request->remote_ids[i])) {
            records[ret->count++] = read_new(shadow, request->kind, request->remote_ids[i], arena);
        }
    }
    return OK;
}

static enum fail shadow_find(struct session *session, const struct find_request *request,
                             struct arena *arena, struct remote_page *ret, struct error *err)
{
    struct shadow *shadow = shadow_of(session);
    enum fail failed = shadow->real->find(shadow->session, request, arena, ret, err);

    if (failed == OK) {
        dress_all(shadow, request->kind, arena, ret);
    }
    return failed;
}

/* --- writes ------------------------------------------------------------------------------------------------------------------ */

static enum fail shadow_ensure_setup(struct session *session, const struct setup_request *request,
                                     struct setup_report *ret, struct error *err)
{
    (void)session;
    (void)request;
    (void)err;
    *ret = (struct setup_report){0};
    return OK;
}

static struct str make_new(struct shadow *shadow, const char *kind, struct str key,
                           struct arena *arena)
{
    struct str id = arena_printf(arena, "%" PRId64, FIRST_NEW_ID + shadow->new_count++);

    json_object_set_new(written_of(shadow, kind, id), "key", json_stringn(key.at, key.len));
    return id;
}

static enum fail shadow_upsert(struct session *session, const char *kind, struct arena *arena,
                               struct write_item *items, size_t count, struct error *err)
{
    struct shadow *shadow = shadow_of(session);

    (void)err;
    shadow->write_calls += shadow->real->upsert_calls(kind, items, count);
    for (size_t i = 0; i < count; i++) {
        struct write_item *item = &items[i];

        if (item->remote_id.len == 0) {
            item->remote_id = make_new(shadow, kind, item->correlation_key, arena);
        }
        json_object_update(json_object_get(written_of(shadow, kind, item->remote_id), "props"),
                           item->props);
        item->outcome = WRITE_DONE;
        item->returned = (struct remote_record){.remote_id = item->remote_id};
    }
    return OK;
}

static enum fail shadow_create_many(struct session *session, const char *kind, struct arena *arena,
                                    struct create_item *items, size_t count, struct error *err)
{
    struct shadow *shadow = shadow_of(session);

    (void)err;
    shadow->write_calls += shadow->real->create_calls(kind, items, count);
    for (size_t i = 0; i < count; i++) {
        AUTO_ARENA struct arena page = {0};
        struct create_item *item = &items[i];

        item->remote_id = make_new(shadow, kind, item->correlation_key, arena);
        json_object_update(json_object_get(written_of(shadow, kind, item->remote_id), "props"),
                           adapter_unpack(&page, item->props));
        item->outcome = WRITE_DONE;
        item->returned = (struct remote_record){.remote_id = item->remote_id};
    }
    return OK;
}

static enum fail shadow_remove(struct session *session, const char *kind, struct remove_item *items,
                               size_t count, struct error *err)
{
    struct shadow *shadow = shadow_of(session);

    (void)err;
    shadow->write_calls += shadow->real->remove_calls(kind, items, count);
    for (size_t i = 0; i < count; i++) {
        json_object_set_new(written_of(shadow, kind, items[i].remote_id), "gone", json_true());
        items[i].outcome = WRITE_DONE;
    }
    return OK;
}

/* --- life -------------------------------------------------------------------------------------------------------------------- */

struct shadow *shadow_new(struct env *env, const struct sync_connection *real,
                          struct sync_connection *ret)
{
    struct shadow *shadow = alloc_new(1, sizeof *shadow);

    shadow->env = env;
    shadow->real = real->settings->adapter;
    shadow->session = real->session;
    shadow->written = json_object();
    shadow->adapter = *shadow->real;
    shadow->adapter.open = NULL; /* who has the session open also closes it */
    shadow->adapter.close = NULL;
    shadow->adapter.check = shadow_check;
    shadow->adapter.describe = shadow_describe;
    shadow->adapter.users = shadow_users;
    shadow->adapter.ensure_setup = shadow_ensure_setup;
    shadow->adapter.list = shadow_list;
    shadow->adapter.fetch_many = shadow_fetch_many;
    shadow->adapter.find = shadow_find;
    shadow->adapter.upsert = shadow_upsert;
    shadow->adapter.remove = shadow_remove;
    shadow->adapter.create_many = shadow->real->create_many ? shadow_create_many : NULL;
    shadow->settings = *real->settings;
    shadow->settings.adapter = &shadow->adapter;
    *ret = *real;
    ret->settings = &shadow->settings;
    ret->session = real->session ? (struct session *)(void *)shadow : NULL;
    return shadow;
}

void shadow_free(struct shadow *shadow)
{
    if (shadow) {
        json_decref(shadow->written);
        free(shadow);
    }
}

int64_t shadow_write_calls(const struct shadow *shadow)
{
    return shadow->write_calls;
}
