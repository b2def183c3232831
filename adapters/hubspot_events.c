/* HubSpot: what changed, by the webhooks journal in place of searches. An event is a hint: the objects that it names are read by id, and the listing's
 * cursor moves behind it in the same page. {"since":ms,"offset":"uuid","skip":n,"portal":"123","polled":ms}: everything before `since` has been read,
 * by whatever way, and the journal up to `offset` ("" = its earliest entry comes next), of the entry behind it the first `skip` objects; a cursor of
 * searches alone has `since` only, and either reads the other's.
 *
 * The journal is no guarantee: a subscription can be removed, an event can come late. So a listing asks by a search at least once an hour, and
 * whenever the journal is not to be had: the first time, after a place that is not kept any more (three days), without the app's credentials or scopes. */
#include "adapters/hubspot_events.h"

#include "core/jx.h"

enum {
    HOUR_MS = 60 * 60 * 1000,
    LATE_MS = 10 * 60 * 1000, /* the search may show a change so much later than its time */
    ENTRIES_MAX = 32,         /* of one page */
    PAUSE_MS = 5 * 60 * 1000, /* after a trouble that somebody has to see to */
    SHORT_PAUSE_MS = 30 * 1000,
};

struct hearing {
    const struct list_request *request;
    const char *type_id;
    json_t *cursor;
    int64_t since_ms, polled_ms, skip;
    struct str offset, portal;
    bool is_scan;   /* a listing by searches is under way */
    bool has_place; /* the cursor knows where the journal goes on */
};

/* What a page reads. */
struct news {
    struct str *ids;
    size_t count;
    json_t *seen; /* id → true */
    bool is_unclear, is_full, has_lost_place;
    int64_t began_ms, server_ms;
};

/* --- the cursor ------------------------------------------------------------------------------- */

static json_t *cursor_tree(struct str cursor, struct arena *arena)
{
    struct error ignored = {0};
    json_t *tree = NULL;

    return cursor.len && jx_parse(arena, cursor, &tree, &ignored) == OK && json_is_object(tree)
               ? tree
               : jx_own(arena, json_object());
}

static int64_t number_of(const json_t *tree, const char *name)
{
    const json_t *number = jx_get(tree, name);

    return json_is_integer(number) ? json_integer_value(number) : 0;
}

static struct hearing hearing_of(struct session *session, const struct list_request *request,
                                 struct arena *arena)
{
    json_t *cursor = cursor_tree(request->cursor, arena);
    struct hearing hearing = {.request = request,
                              .type_id = hubspot_type_id(session, request->kind),
                              .cursor = cursor,
                              .since_ms = number_of(cursor, "since"),
                              .polled_ms = number_of(cursor, "polled"),
                              .skip = number_of(cursor, "skip"),
                              .offset = jx_text_of(jx_get(cursor, "offset")),
                              .portal = jx_text_of(jx_get(cursor, "portal")),
                              .is_scan = jx_get(cursor, "until") != NULL};

    hearing.has_place = hearing.offset.at && hearing.portal.len > 0;
    hearing.offset = hearing.offset.at ? hearing.offset : STR("");
    return hearing;
}

static void put_place(const struct hearing *hearing, int64_t skip, json_t *cursor)
{
    json_object_set_new(cursor, "offset", json_stringn(hearing->offset.at, hearing->offset.len));
    json_object_set_new(cursor, "skip", json_integer((json_int_t)skip));
    json_object_set_new(cursor, "portal", json_stringn(hearing->portal.at, hearing->portal.len));
}

static int64_t now_of(const struct session *session)
{
    return clock_wall_ms(session->env->clock);
}

/* --- by searches ------------------------------------------------------------------------------ */

/* A page of a listing by searches, whose cursor also knows where the journal stands. without: it is not to be had. An entry that was read in part begins
 * anew: what counts as old in it has moved. */
static enum fail poll(struct session *session, const struct hearing *hearing, bool without,
                      struct arena *arena, struct remote_page *page, struct error *err)
{
    json_t *cursor;

    if (hubspot_poll(session, hearing->request, arena, page, err) != OK) {
        return err->code;
    }
    cursor = cursor_tree(page->cursor, arena);
    if (!without) {
        put_place(hearing, 0, cursor);
    }
    json_object_set_new(
        cursor, "polled",
        json_integer((json_int_t)(page->has_more ? hearing->polled_ms : now_of(session))));
    page->cursor = jx_text(arena, cursor);
    return OK;
}

/* --- what events say -------------------------------------------------------------------------- */

/* What was made or changed before `since` has been read. Of links and deletes a search does not tell. */
static bool is_old(const struct hearing *hearing, const struct hubspot_name *name)
{
    return name->is_value && name->at_ms && name->at_ms < hearing->since_ms - LATE_MS;
}

/* The entry's objects of this kind, each once, in their order; those that the page has already are left out. */
static size_t objects_of(const struct hearing *hearing, const struct news *news,
                         const struct hubspot_entry *entry, struct arena *arena, struct str **ret)
{
    struct str *ids = ARENA_ARRAY(arena, struct str, entry->count + 1);
    json_t *seen = jx_own(arena, json_object());
    size_t count = 0;

    for (size_t i = 0; i < entry->count; i++) {
        const struct hubspot_name *name = &entry->names[i];

        if (str_equal(name->type_id, str_of(hearing->type_id)) && !is_old(hearing, name) &&
            !json_object_getn(news->seen, name->id.at, name->id.len) &&
            !json_object_getn(seen, name->id.at, name->id.len)) {
            json_object_setn_new(seen, name->id.at, name->id.len, json_true());
            ids[count++] = arena_str(arena, name->id);
        }
    }
    *ret = ids;
    return count;
}

static void take(struct news *news, const struct str *ids, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        json_object_setn_new(news->seen, ids[i].at, ids[i].len, json_true());
        news->ids[news->count++] = ids[i];
    }
}

/* An entry that is more than a page is read in parts; one that does not fit behind others waits for the next page. */
static void take_entry(struct hearing *hearing, struct news *news,
                       const struct hubspot_entry *entry, struct arena *arena)
{
    struct str *ids;
    size_t count = objects_of(hearing, news, entry, arena, &ids);
    size_t skip = hearing->skip > 0 && (size_t)hearing->skip < count ? (size_t)hearing->skip : 0;
    size_t left = count - skip, room = HS_GROUP_MAX - news->count;

    if (left > room && news->count) {
        news->is_full = true;
        return;
    }
    news->is_unclear = news->is_unclear || entry->is_unclear;
    take(news, ids + skip, left < room ? left : room);
    if (left > room) {
        hearing->skip = (int64_t)(skip + room);
        news->is_full = true;
        return;
    }
    hearing->skip = 0;
    hearing->offset = arena_str(arena, entry->offset);
}

static enum fail hear_news(struct session *session, struct hearing *hearing, struct news *news,
                           struct arena *arena, struct error *err)
{
    for (int i = 0; i < ENTRIES_MAX && !news->is_full; i++) {
        struct hubspot_heard heard;

        if (hubspot_hear(session, hearing->portal, hearing->offset, arena, &heard, err) != OK) {
            return err->code;
        }
        news->began_ms = news->began_ms ? news->began_ms : heard.began_ms;
        news->server_ms = heard.server_ms;
        news->has_lost_place = heard.has_lost_place;
        if (!heard.entry) {
            return OK;
        }
        take_entry(hearing, news, heard.entry, arena);
    }
    news->is_full = true;
    return OK;
}

/* --- a listing by the journal ----------------------------------------------------------------- */

static bool needs_person(const struct error *err)
{
    return err->code == FAIL_AUTH || err->code == FAIL_CONFIG || err->code == FAIL_CONNECTION;
}

static bool ends_listing(enum fail failed)
{
    return failed == FAIL_CANCELLED || failed == FAIL_STOP || failed == FAIL_BUG;
}

/* The journal's troubles are none of the listing. */
static void tell_trouble(struct session *session, const struct hearing *hearing,
                         struct arena *arena, struct error *err)
{
    struct str why = err->hint[0] ? arena_printf(arena, "%s: %s", err->message, err->hint)
                                  : str_of(err->message);

    hubspot_tell_polling(session, hubspot_object(session, hearing->request->kind), why,
                         needs_person(err));
    hubspot_journal_pause(session, needs_person(err) ? PAUSE_MS : SHORT_PAUSE_MS);
    error_reset(err);
}

/* Where the journal did not say it all, the next page asks by a search. */
static enum fail read_news(struct session *session, const struct hearing *hearing,
                           const struct news *news, struct arena *arena, struct remote_page *page,
                           struct error *err)
{
    const struct list_request *request = hearing->request;
    struct fetch_request fetch = {.kind = request->kind,
                                  .properties = request->properties,
                                  .properties_count = request->properties_count,
                                  .remote_ids = news->ids,
                                  .remote_ids_count = news->count};

    page->began_ms = news->began_ms;
    if (news->count && hubspot_fetch_many(session, &fetch, arena, page, err) != OK) {
        return err->code;
    }
    page->server_ms = news->server_ms;
    page->total = -1;
    page->has_more = news->is_full || news->is_unclear || news->has_lost_place;
    put_place(hearing, hearing->skip, hearing->cursor);
    if (news->is_unclear || news->has_lost_place) {
        json_object_set_new(hearing->cursor, "polled", json_integer(0));
    }
    page->cursor = jx_text(arena, hearing->cursor);
    return OK;
}

static enum fail list_heard(struct session *session, struct hearing *hearing, struct arena *arena,
                            struct remote_page *page, struct error *err)
{
    struct news news = {.ids = ARENA_ARRAY(arena, struct str, HS_GROUP_MAX + 1),
                        .seen = jx_own(arena, json_object())};
    struct hearing before = *hearing;

    if (hear_news(session, hearing, &news, arena, err) != OK) {
        if (ends_listing(err->code)) {
            return err->code;
        }
        tell_trouble(session, hearing, arena, err);
        hubspot_note_heard(session, hearing->request->kind, false);
        return poll(session, &before, false, arena, page, err);
    }
    if (news.has_lost_place) {
        hubspot_tell_polling(session, hubspot_object(session, hearing->request->kind),
                             STR("the journal does not go back to where it was left"), false);
        hearing->offset = STR("");
        hearing->skip = 0;
    }
    hubspot_note_heard(session, hearing->request->kind, !news.has_lost_place);
    return read_news(session, hearing, &news, arena, page, err);
}

/* Whose journal, and whether it is told of everything: looked at when there is no place yet, and with each hourly search. */
static enum fail check_selected(struct session *session, struct hearing *hearing, bool *ret_without,
                                struct arena *arena, struct error *err)
{
    const char *object = hubspot_object(session, hearing->request->kind);
    bool is_selected = false;
    struct str portal = STR("");

    if (hubspot_portal(session, arena, &portal, err) != OK ||
        hubspot_ask_selected(session, hearing->request, portal, &is_selected, err) != OK) {
        if (!ends_listing(err->code)) {
            tell_trouble(session, hearing, arena, err);
        }
        *ret_without = !hearing->has_place;
        return err->code;
    }
    if (!str_equal(portal, hearing->portal)) { /* another account: another journal */
        hearing->offset = STR("");
        hearing->skip = 0;
        hearing->portal = portal;
    }
    if (!is_selected) {
        hubspot_tell_polling(session, object,
                             STR("the journal is not told of all that is synced: run 'crmsync "
                                 "setup' for this connection"),
                             true);
    }
    *ret_without = !is_selected;
    return OK;
}

static bool is_possible(struct session *session, const struct hearing *hearing)
{
    const char *object = hubspot_object(session, hearing->request->kind);

    if (!session->app_auth) {
        hubspot_tell_polling(session, object,
                             STR("the journal is read as the app: give the connection 'auth' with "
                                 "client_id and client_secret"),
                             true);
        return false;
    }
    if (!hearing->type_id) {
        hubspot_tell_polling(session, object,
                             STR("name the custom object in the mapping by the id of its type, "
                                 "such as 2-123456"),
                             true);
        return false;
    }
    return !hubspot_journal_is_paused(session);
}

enum fail hubspot_list_events(struct session *session, const struct list_request *request,
                              struct arena *arena, struct remote_page *page, struct error *err)
{
    struct hearing hearing = hearing_of(session, request, arena);
    int64_t ago_ms = now_of(session) - hearing.polled_ms;
    bool is_due = !hearing.has_place || hearing.since_ms == 0 || ago_ms < 0 || ago_ms >= HOUR_MS;
    bool without = false;

    if (hearing.is_scan) {
        return poll(session, &hearing, !hearing.has_place, arena, page, err);
    }
    if (!is_possible(session, &hearing)) {
        hubspot_note_heard(session, request->kind, false);
        return poll(session, &hearing, !hearing.has_place, arena, page, err);
    }
    if (!is_due) {
        return list_heard(session, &hearing, arena, page, err);
    }
    if (check_selected(session, &hearing, &without, arena, err) != OK) {
        return err->code;
    }
    if (without) {
        hubspot_note_heard(session, request->kind, false);
    }
    return poll(session, &hearing, without, arena, page, err);
}
