/* Salesforce: what changed, by change events in place of queries. An event is a hint: the objects that it names are read by id, and the
 * listing's cursor moves behind it in the same page. {"since":ms,"replay":{"Contact":id,…},"polled":ms}: everything before `since` has been
 * read, by whatever way, and of the events those up to `replay`; a cursor of queries alone has `since` only, and either reads the other's.
 *
 * Events are no guarantee: what left the bin sends none, an administrator can switch them off, a replay may come late. So a listing asks by
 * a query at least once an hour, and whenever there are no events to be had: the first time, after a place that is not kept any more (72
 * hours), when there are too many changes for events, when the day's events are used up.
 * source: Change Data Capture Developer Guide, "Change Event Fields", "Gap Events", "Overflow Events", "General Considerations" */
#include "adapters/salesforce_events.h"

#include "core/jx.h"

enum {
    HOUR_MS = 60 * 60 * 1000,
    /* a change may be announced that much later than others of the same time */
    LATE_MS = HOUR_MS,
};

struct hearing {
    const struct list_request *request;
    int64_t since_ms, polled_ms;
    bool is_scan;    /* a listing by queries is under way */
    bool has_places; /* the cursor knows each channel's */
    struct salesforce_channel channels[SF_CHANNELS_MAX];
    size_t count;
};

/* What a batch of events says. */
struct news {
    struct str *ids, *roles, *deleted;
    size_t ids_count, roles_count, deleted_count;
    json_t *seen;      /* 15 characters of each id → true */
    int64_t latest_ms; /* of the changes */
    bool is_unclear;   /* more changed than is named */
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

static void add_channel(struct hearing *hearing, const char *object, const json_t *places)
{
    const json_t *place = jx_get(places, object);

    hearing->has_places = hearing->has_places && json_is_integer(place);
    hearing->channels[hearing->count++] = (struct salesforce_channel){
        .object = object,
        .replay = json_is_integer(place) ? json_integer_value(place) : SF_REPLAY_KEPT};
}

/* Roles come and go without their deals' knowing: they have events of their own. */
static struct hearing hearing_of(struct session *session, const struct list_request *request,
                                 struct arena *arena)
{
    const json_t *cursor = cursor_tree(request->cursor, arena);
    const json_t *places = jx_get(cursor, "replay");
    struct hearing hearing = {.request = request,
                              .since_ms = number_of(cursor, "since"),
                              .polled_ms = number_of(cursor, "polled"),
                              .is_scan = jx_get(cursor, "begun") != NULL,
                              .has_places = true};
    const char *parts[SF_PARTS_MAX];
    size_t count = salesforce_parts(
        session, request->kind,
        salesforce_wants(request->properties, request->properties_count, SF_LEAD_STATUS), parts);

    for (size_t i = 0; i < count; i++) {
        add_channel(&hearing, parts[i], places);
    }
    if (salesforce_wants(request->properties, request->properties_count, SF_DEAL_CONTACTS)) {
        add_channel(&hearing, SF_ROLE, places);
    }
    return hearing;
}

static json_t *places_json(const struct hearing *hearing)
{
    json_t *places = json_object();

    for (size_t i = 0; i < hearing->count; i++) {
        json_object_set_new(places, hearing->channels[i].object,
                            json_integer((json_int_t)hearing->channels[i].replay));
    }
    return places;
}

static int64_t now_there(const struct session *session)
{
    return clock_wall_ms(session->env->clock) + session->ahead_ms;
}

bool salesforce_log_can_wait(const struct session *session, struct str cursor)
{
    AUTO_ARENA struct arena arena = {0};
    const json_t *tree = session->wants_events ? cursor_tree(cursor, &arena) : NULL;
    int64_t since_ms = number_of(tree, "since");

    return since_ms && !jx_get(tree, "begun") && now_there(session) - since_ms < HOUR_MS;
}

/* --- by queries ------------------------------------------------------------------------------- */

/* A page of a listing by queries, whose cursor also knows where the events stand. without: no events are to be had, and where they begin is
 * asked when they are. */
static enum fail poll(struct session *session, const struct hearing *hearing, bool without,
                      struct arena *arena, struct remote_page *page, struct error *err)
{
    json_t *cursor;

    if (salesforce_poll(session, hearing->request, arena, page, err) != OK) {
        return err->code;
    }
    salesforce_forget_written(session, STR_NONE);
    cursor = cursor_tree(page->cursor, arena);
    if (!without) {
        json_object_set_new(cursor, "replay", places_json(hearing));
    }
    json_object_set_new(
        cursor, "polled",
        json_integer((json_int_t)(page->has_more ? hearing->polled_ms : now_there(session))));
    page->cursor = jx_text(arena, cursor);
    return OK;
}

/* --- what events say -------------------------------------------------------------------------- */

static void add_id(struct session *session, struct news *news, struct str id, bool is_role,
                   bool is_deleted)
{
    if (is_deleted) {
        news->deleted[news->deleted_count++] = id;
    }
    if (json_object_getn(news->seen, id.at, SF_ID_SHORT)) {
        return;
    }
    json_object_setn_new(news->seen, id.at, SF_ID_SHORT, json_true());
    salesforce_forget_written(session, id);
    if (is_role) {
        news->roles[news->roles_count++] = id;
    } else {
        news->ids[news->ids_count++] = id;
    }
}

static bool is_kinds(struct session *session, const struct hearing *hearing, struct str id)
{
    return salesforce_part_of_id(session, hearing->request->kind, id) != NULL;
}

/* An overflow names an id of nothing, a conversion of types "003*". source: "Overflow Events", "ChangeEventHeader Fields" */
static void add_ids(struct session *session, const struct hearing *hearing, const json_t *header,
                    struct news *news, struct arena *arena)
{
    struct str type = jx_text_of(jx_get(header, "changeType"));
    bool is_role = str_equal(jx_text_of(jx_get(header, "entityName")), STR(SF_ROLE));
    bool is_delete = str_equal(type, STR("DELETE")) || str_equal(type, STR("GAP_DELETE"));
    const json_t *ids = jx_get(header, "recordIds");

    news->is_unclear =
        news->is_unclear || str_equal(type, STR("GAP_OVERFLOW")) || json_array_size(ids) == 0;
    for (size_t i = 0; i < json_array_size(ids) && !news->is_unclear; i++) {
        struct str id = jx_text_of(json_array_get(ids, i));

        if (!salesforce_is_id(id) || (!is_role && !is_kinds(session, hearing, id))) {
            news->is_unclear = true;
        } else {
            add_id(session, news, salesforce_id18(arena, id), is_role, is_delete && !is_role);
        }
    }
}

/* What was committed before `since` has been read, unless it is an announcement without a proper time. */
static void add_event(struct session *session, const struct hearing *hearing, const json_t *event,
                      struct news *news, struct arena *arena)
{
    const json_t *payload = jx_get(event, "payload");
    const json_t *header = jx_get(payload, "ChangeEventHeader");
    bool is_gap = str_starts(jx_text_of(jx_get(header, "changeType")), STR("GAP_"));
    int64_t at_ms = number_of(header, "commitTimestamp");

    news->latest_ms = at_ms > news->latest_ms ? at_ms : news->latest_ms;
    if ((at_ms && at_ms < hearing->since_ms && !is_gap) || salesforce_is_echo(session, payload)) {
        return;
    }
    add_ids(session, hearing, header, news, arena);
}

static struct news news_of(struct session *session, const struct hearing *hearing,
                           const json_t *events, struct arena *arena)
{
    struct news news = {.seen = jx_own(arena, json_object())};
    size_t ids = 1;

    for (size_t i = 0; i < json_array_size(events); i++) {
        const json_t *payload = jx_get(json_array_get(events, i), "payload");

        ids += json_array_size(jx_get(jx_get(payload, "ChangeEventHeader"), "recordIds"));
    }
    news.ids = ARENA_ARRAY(arena, struct str, ids);
    news.roles = ARENA_ARRAY(arena, struct str, ids);
    news.deleted = ARENA_ARRAY(arena, struct str, ids);
    for (size_t i = 0; i < json_array_size(events); i++) {
        add_event(session, hearing, json_array_get(events, i), &news, arena);
    }
    news.is_unclear = news.is_unclear || news.ids_count + news.roles_count > SF_PAGE_MAX;
    return news;
}

/* --- reading what they name ------------------------------------------------------------------- */

/* The deals of the roles; those of deleted ones as well. */
static enum fail add_deals(struct session *session, struct news *news, struct arena *arena,
                           struct error *err)
{
    struct salesforce_query *queries;
    struct salesforce_answer answer;
    size_t count =
        salesforce_in_queries(arena, STR("SELECT OpportunityId FROM " SF_ROLE " WHERE Id"),
                              news->roles, news->roles_count, STR(""), &queries);
    struct str *ids = ARENA_ARRAY(arena, struct str, news->ids_count + news->roles_count + 1);

    for (size_t i = 0; i < count; i++) {
        queries[i].is_all = true;
    }
    if (salesforce_query(session, queries, count, arena, &answer, err) != OK) {
        return error_wrap(err, "read %s", SF_ROLE);
    }
    if (news->ids_count) {
        memcpy(ids, news->ids, news->ids_count * sizeof *ids);
    }
    news->ids = ids;
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < json_array_size(queries[i].records); k++) {
            const json_t *row = json_array_get(queries[i].records, k);
            struct str id = jx_text_of(jx_get(row, "OpportunityId"));

            if (salesforce_is_id(id)) {
                add_id(session, news, salesforce_id18(arena, id), false, false);
            }
        }
    }
    return OK;
}

static bool has_record(const struct remote_page *page, struct str id)
{
    for (size_t i = 0; i < page->count; i++) {
        if (salesforce_same_id(page->records[i].remote_id, id)) {
            return true;
        }
    }
    return false;
}

/* What is said to be deleted and is not in the bin either. */
static void add_gone(const struct news *news, struct arena *arena, struct remote_page *page)
{
    struct remote_record *records =
        ARENA_ARRAY(arena, struct remote_record, page->count + news->deleted_count + 1);

    if (page->count) {
        memcpy(records, page->records, page->count * sizeof *records);
    }
    page->records = records;
    for (size_t i = 0; i < news->deleted_count; i++) {
        if (!has_record(page, news->deleted[i])) {
            records[page->count++] = (struct remote_record){
                .remote_id = news->deleted[i], .state = REMOTE_GONE, .correlation_key = STR("")};
        }
    }
}

static enum fail read_news(struct session *session, const struct hearing *hearing,
                           struct news *news, struct arena *arena, struct remote_page *page,
                           struct error *err)
{
    const struct list_request *request = hearing->request;

    if ((news->roles_count && add_deals(session, news, arena, err) != OK) ||
        salesforce_read_ids(session, request->kind, request->properties, request->properties_count,
                            news->ids, news->ids_count, arena, page, err) != OK) {
        return err->code;
    }
    add_gone(news, arena, page);
    if (salesforce_follow_merges(session, request->kind, request->properties,
                                 request->properties_count, arena, page, err) != OK) {
        return err->code;
    }
    return salesforce_add_people(session, request->properties, request->properties_count, arena,
                                 page, err);
}

/* --- a listing by events ---------------------------------------------------------------------- */

/* What is announced late may be that much older than the latest. */
static struct str next_cursor(const struct hearing *hearing, const struct news *news,
                              struct arena *arena)
{
    int64_t since_ms = news->latest_ms - LATE_MS;

    since_ms = since_ms > hearing->since_ms ? since_ms : hearing->since_ms;
    return jx_text(arena, jx_own(arena, json_pack("{s:I,s:o,s:I}", "since", (json_int_t)since_ms,
                                                  "replay", places_json(hearing), "polled",
                                                  (json_int_t)hearing->polled_ms)));
}

/* A place that is lost begins with whatever is kept. *ret_unheard: ask by queries. */
static void find_place(struct hearing *hearing, bool *ret_unheard)
{
    for (size_t i = 0; i < hearing->count; i++) {
        if (hearing->channels[i].has_lost_place) {
            hearing->channels[i].replay = SF_REPLAY_KEPT;
            *ret_unheard = true;
        }
    }
}

/* *ret_unheard: no events were to be had, for a reason that is told. */
static enum fail hear(struct session *session, struct hearing *hearing, struct arena *arena,
                      struct salesforce_heard *ret, bool *ret_unheard, struct error *err)
{
    enum fail failed = salesforce_hear(session, hearing->channels, hearing->count, arena, ret, err);

    if (failed == FAIL_CANCELLED || failed == FAIL_STOP || failed == FAIL_BUG) {
        return failed;
    }
    *ret_unheard = failed != OK || ret->is_refused;
    if (*ret_unheard) {
        salesforce_tell_polling(session, hearing->channels[0].object,
                                failed != OK ? str_of(err->message) : ret->why, false);
        error_reset(err);
    }
    find_place(hearing, ret_unheard);
    return OK;
}

static enum fail list_heard(struct session *session, struct hearing *hearing, struct arena *arena,
                            struct remote_page *page, struct error *err)
{
    struct salesforce_heard heard;
    bool is_unheard = false;
    struct news news;

    if (hear(session, hearing, arena, &heard, &is_unheard, err) != OK) {
        return err->code;
    }
    if (is_unheard) {
        return poll(session, hearing, false, arena, page, err);
    }
    news = news_of(session, hearing, heard.events, arena);
    if (news.is_unclear) { /* all that was heard now is older than what a query sees */
        return poll(session, hearing, false, arena, page, err);
    }
    page->began_ms = heard.began_ms;
    page->server_ms = heard.server_ms;
    if (news.ids_count + news.roles_count &&
        read_news(session, hearing, &news, arena, page, err) != OK) {
        return err->code;
    }
    page->has_more = json_array_size(heard.events) > 0;
    page->cursor = next_cursor(hearing, &news, arena);
    return OK;
}

/* Whether the objects have events is looked at when there is no place yet, and with each hourly query. */
static enum fail check_selected(struct session *session, const struct hearing *hearing,
                                bool *ret_without, struct error *err)
{
    const char *lacking = NULL;
    bool is_known = true;

    if (salesforce_ask_selected(session, hearing->channels, hearing->count, &lacking, &is_known,
                                err) != OK) {
        return err->code;
    }
    if (!is_known) {
        salesforce_tell_polling(session, hearing->channels[0].object,
                                STR("the connection's user may not see which objects have change "
                                    "events: give it 'View Setup and Configuration'"),
                                true);
    } else if (lacking) {
        salesforce_tell_polling(session, lacking,
                                STR("it has no change events: select it in Setup > Change Data "
                                    "Capture"),
                                true);
    }
    *ret_without = !is_known || lacking;
    return OK;
}

enum fail salesforce_list_events(struct session *session, const struct list_request *request,
                                 struct arena *arena, struct remote_page *page, struct error *err)
{
    struct hearing hearing = hearing_of(session, request, arena);
    bool is_due = hearing.since_ms == 0 || now_there(session) - hearing.polled_ms >= HOUR_MS;
    bool without = false;

    if (hearing.is_scan) {
        return poll(session, &hearing, !hearing.has_places, arena, page, err);
    }
    if ((is_due || !hearing.has_places) && check_selected(session, &hearing, &without, err) != OK) {
        return err->code;
    }
    if (is_due || !hearing.has_places) {
        return poll(session, &hearing, without, arena, page, err);
    }
    return list_heard(session, &hearing, arena, page, err);
}
