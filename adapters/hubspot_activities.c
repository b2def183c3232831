/* HubSpot: five objects as one kind. Each call is split by object, sent as a kind of its own
 * ("activity/calls"), and put together again; remote ids are "calls:123". */
#include "adapters/hubspot_inside.h"

#include "core/jx.h"

/* --- ids and pages ---------------------------------------------------------------------------- */

/* NULL: no id of ours. */
static const struct hubspot_activity *activity_of_id(struct str id, struct str *ret_inner)
{
    struct str rest = id, object = str_cut(&rest, ':');

    for (size_t i = 0; rest.len && i < HS_ACTIVITIES; i++) {
        if (str_equal(object, str_of(hubspot_activities[i].object))) {
            *ret_inner = rest;
            return &hubspot_activities[i];
        }
    }
    return NULL;
}

static struct str outer_id(const struct hubspot_activity *activity, struct arena *arena,
                           struct str inner)
{
    return inner.len ? arena_printf(arena, "%s:%" PRI_STR, activity->object, STR_ARG(inner))
                     : inner;
}

static void show_record(const struct hubspot_activity *activity, struct arena *arena,
                        struct remote_record *record)
{
    struct str *from = ARENA_ARRAY(arena, struct str, record->merged_from_count + 1);

    for (size_t i = 0; i < record->merged_from_count; i++) {
        from[i] = outer_id(activity, arena, record->merged_from[i]);
    }
    record->merged_from = from;
    record->remote_id = outer_id(activity, arena, record->remote_id);
    record->merged_into = outer_id(activity, arena, record->merged_into);
    hubspot_activity_show(activity, record);
}

static void show_page(const struct hubspot_activity *activity, struct arena *arena,
                      struct remote_page *page)
{
    for (size_t i = 0; i < page->count; i++) {
        show_record(activity, arena, &page->records[i]);
    }
}

/* Room for more than any activity adds to what was asked for. */
enum { MORE_NAMES = 8 };

/* --- listing ---------------------------------------------------------------------------------- */

/* {"at":2,"calls":"…",…}: the object being listed, and the position of each. At the end of a
 * listing "at" is missing, and each position is where the next listing begins. */
static json_t *cursor_read(struct str cursor, struct arena *arena)
{
    struct error ignored = {0};
    json_t *tree = NULL;

    return cursor.len && jx_parse(arena, cursor, &tree, &ignored) == OK && json_is_object(tree)
               ? tree
               : jx_own(arena, json_object());
}

static size_t cursor_at(const json_t *cursor)
{
    json_int_t at = json_integer_value(jx_get(cursor, "at"));

    return at > 0 && at < HS_ACTIVITIES ? (size_t)at : 0;
}

enum fail hubspot_activity_list(struct session *session, const struct list_request *request,
                                struct arena *arena, struct remote_page *ret, struct error *err)
{
    json_t *cursor = cursor_read(request->cursor, arena);
    size_t at = cursor_at(cursor);
    const struct hubspot_activity *activity = &hubspot_activities[at];
    struct str *names = ARENA_ARRAY(arena, struct str, request->properties_count + MORE_NAMES);
    struct str position = jx_text_of(jx_get(cursor, activity->object));
    struct list_request inner = {.kind = activity->kind,
                                 .mode = request->mode,
                                 .properties = names,
                                 .cursor = position.at ? position : STR("")};
    struct remote_page page = {0};

    inner.properties_count = hubspot_activity_properties(activity, request->properties,
                                                         request->properties_count, names);
    if (hubspot_list(session, &inner, arena, &page, err) != OK) {
        return err->code;
    }
    show_page(activity, arena, &page);
    json_object_set_new(cursor, activity->object, json_stringn(page.cursor.at, page.cursor.len));
    at += !page.has_more;
    page.has_more = at < HS_ACTIVITIES;
    page.total = -1;
    if (page.has_more) {
        json_object_set_new(cursor, "at", json_integer((json_int_t)at));
    } else {
        json_object_del(cursor, "at");
    }
    page.cursor = jx_text(arena, cursor);
    *ret = page;
    return OK;
}

/* --- reading by id ---------------------------------------------------------------------------- */

static void append_page(struct remote_page *page, const struct remote_page *part)
{
    for (size_t i = 0; i < part->count; i++) {
        page->records[page->count++] = part->records[i];
    }
    page->server_ms = part->server_ms ? part->server_ms : page->server_ms;
}

static enum fail fetch_object(struct session *session, const struct fetch_request *request,
                              const struct hubspot_activity *activity, struct arena *arena,
                              struct remote_page *page, struct error *err)
{
    struct str *names = ARENA_ARRAY(arena, struct str, request->properties_count + MORE_NAMES);
    struct str *ids = ARENA_ARRAY(arena, struct str, request->remote_ids_count + 1);
    struct fetch_request inner = *request;
    struct remote_page part = {0};

    inner.kind = activity->kind;
    inner.properties = names;
    inner.properties_count = hubspot_activity_properties(activity, request->properties,
                                                         request->properties_count, names);
    inner.remote_ids = ids;
    inner.remote_ids_count = 0;
    for (size_t i = 0; i < request->remote_ids_count; i++) {
        struct str id;

        if (activity_of_id(request->remote_ids[i], &id) == activity) {
            ids[inner.remote_ids_count++] = id;
        }
    }
    if (inner.remote_ids_count == 0) {
        return OK;
    }
    if (hubspot_fetch_many(session, &inner, arena, &part, err) != OK) {
        return err->code;
    }
    show_page(activity, arena, &part);
    append_page(page, &part);
    return OK;
}

enum fail hubspot_activity_fetch(struct session *session, const struct fetch_request *request,
                                 struct arena *arena, struct remote_page *ret, struct error *err)
{
    struct remote_page page = {
        .total = -1, .cursor = STR(""), .began_ms = clock_wall_ms(session->env->clock)};

    page.records = ARENA_ARRAY(arena, struct remote_record, 2 * request->remote_ids_count + 1);
    for (size_t i = 0; i < HS_ACTIVITIES; i++) {
        if (fetch_object(session, request, &hubspot_activities[i], arena, &page, err) != OK) {
            return err->code;
        }
    }
    *ret = page;
    return OK;
}

/* --- writing ---------------------------------------------------------------------------------- */

static void refuse(struct write_item *item, const char *why, const char *hint)
{
    item->outcome = WRITE_REFUSED;
    error_set(&item->error, FAIL_RECORD, "%s", why);
    error_hint(&item->error, "%s", hint);
}

/* The object that an item belongs to; NULL after refusing it. */
static const struct hubspot_activity *activity_of_item(struct write_item *item)
{
    struct str type = jx_text_of(json_object_get(item->props, "activity.type")), inner;
    const struct hubspot_activity *activity = item->remote_id.len
                                                  ? activity_of_id(item->remote_id, &inner)
                                                  : hubspot_activity_of_type(type);

    if (!activity) {
        refuse(item,
               item->remote_id.len ? "this is no id of an activity at hubspot"
                                   : "hubspot has no such type of activity",
               "an activity is a call, email, meeting, note or task: see the values of "
               "activity.type in the mapping");
    } else if (item->remote_id.len && json_object_get(item->props, "activity.type") &&
               !str_equal(type, str_of(activity->type))) {
        refuse(item, "an activity's type cannot change at hubspot",
               "make a new activity of the other type, or set the type back");
        return NULL;
    }
    return activity;
}

static struct write_item inner_item(const struct hubspot_activity *activity, struct arena *arena,
                                    const struct write_item *item, int64_t now_ms)
{
    struct write_item inner = *item;

    if (item->remote_id.len) {
        activity_of_id(item->remote_id, &inner.remote_id);
    }
    inner.props = hubspot_activity_hide(activity, arena, item->props, item->current,
                                        item->remote_id.len == 0, now_ms);
    return inner;
}

static void keep_outcome(const struct hubspot_activity *activity, struct arena *arena,
                         struct write_item *item, const struct write_item *inner)
{
    item->outcome = inner->outcome;
    item->error = inner->error;
    item->returned = inner->returned;
    item->remote_id = outer_id(activity, arena, inner->remote_id);
    if (item->outcome != WRITE_DONE) {
        return;
    }
    if (activity->is_past && json_object_get(item->props, "activity.done") &&
        !item->returned.props) { /* else "not done" would count as written */
        item->returned.props = jx_own(arena, json_object());
    }
    show_record(activity, arena, &item->returned);
}

static enum fail upsert_object(struct session *session, const struct hubspot_activity *activity,
                               struct arena *arena, struct write_item *items, size_t count,
                               struct error *err)
{
    struct write_item *inner = ARENA_ARRAY(arena, struct write_item, count + 1);
    struct write_item **outer = ARENA_ARRAY(arena, struct write_item *, count + 1);
    int64_t now_ms = clock_wall_ms(session->env->clock);
    size_t inner_count = 0;

    for (size_t i = 0; i < count; i++) {
        if (items[i].outcome == WRITE_PENDING && activity_of_item(&items[i]) == activity) {
            outer[inner_count] = &items[i];
            inner[inner_count++] = inner_item(activity, arena, &items[i], now_ms);
        }
    }
    if (inner_count == 0) {
        return OK;
    }
    (void)!hubspot_upsert(session, activity->kind, arena, inner, inner_count, err);
    for (size_t i = 0; i < inner_count; i++) {
        keep_outcome(activity, arena, outer[i], &inner[i]);
    }
    return err->code;
}

enum fail hubspot_activity_upsert(struct session *session, struct arena *arena,
                                  struct write_item *items, size_t count, struct error *err)
{
    for (size_t i = 0; i < HS_ACTIVITIES; i++) {
        if (upsert_object(session, &hubspot_activities[i], arena, items, count, err) != OK) {
            return err->code;
        }
    }
    return OK;
}

int64_t hubspot_activity_upsert_calls(const struct write_item *items, size_t count)
{
    AUTO_ARENA struct arena arena = {0};
    struct write_item *inner = ARENA_ARRAY(&arena, struct write_item, count + 1);
    int64_t calls = 0;

    for (size_t a = 0; a < HS_ACTIVITIES; a++) {
        size_t inner_count = 0;

        for (size_t i = 0; i < count; i++) {
            struct write_item item = items[i];

            if (activity_of_item(&item) == &hubspot_activities[a]) {
                inner[inner_count++] = inner_item(&hubspot_activities[a], &arena, &items[i], 0);
            }
        }
        calls += hubspot_upsert_calls(hubspot_activities[a].kind, inner, inner_count);
    }
    return calls;
}

/* --- removing --------------------------------------------------------------------------------- */

enum fail hubspot_activity_remove(struct session *session, struct remove_item *items, size_t count,
                                  struct error *err)
{
    AUTO_ARENA struct arena arena = {0};
    struct remove_item *inner = ARENA_ARRAY(&arena, struct remove_item, count + 1);
    size_t *places = ARENA_ARRAY(&arena, size_t, count + 1);

    for (size_t a = 0; a < HS_ACTIVITIES && err->code == OK; a++) {
        size_t inner_count = 0;

        for (size_t i = 0; i < count; i++) {
            struct str id;

            if (activity_of_id(items[i].remote_id, &id) == &hubspot_activities[a]) {
                places[inner_count] = i;
                inner[inner_count++] = (struct remove_item){.remote_id = id};
            }
        }
        (void)!hubspot_remove(session, hubspot_activities[a].kind, inner, inner_count, err);
        for (size_t i = 0; i < inner_count; i++) {
            items[places[i]].outcome = inner[i].outcome;
            items[places[i]].error = inner[i].error;
        }
    }
    for (size_t i = 0; i < count; i++) {
        struct str id;

        if (!activity_of_id(items[i].remote_id, &id)) { /* nothing there can have it */
            items[i].outcome = WRITE_DONE;
        }
    }
    return err->code;
}

int64_t hubspot_activity_remove_calls(const struct remove_item *items, size_t count)
{
    size_t counts[HS_ACTIVITIES] = {0};
    int64_t calls = 0;

    for (size_t i = 0; i < count; i++) {
        struct str id;
        const struct hubspot_activity *activity = activity_of_id(items[i].remote_id, &id);

        if (activity) {
            counts[activity - hubspot_activities]++;
        }
    }
    for (size_t a = 0; a < HS_ACTIVITIES; a++) {
        calls += (int64_t)((counts[a] + HS_BATCH_MAX - 1) / HS_BATCH_MAX);
    }
    return calls;
}
