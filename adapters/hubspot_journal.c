/* HubSpot: the webhooks journal as it comes: an answer names an entry and the address of its file, which is good for a while and for whoever has it.
 *
 * Sources: developers.hubspot.com, "Webhook journal APIs" and "Webhooks journal and management APIs" (2026-03: earliest, offset/{offset}/next with
 * installPortalId; url, expiresAt, currentOffset; three days; 404 for an offset that has expired), OpenAPI file webhooksJournal.json of 2026-03 (exempt
 * from the account's limits), changelog of July 2026 (a file has up to 10,000 events or 5 MB). Not documented: what is answered when there is nothing
 * new (an empty answer, seen by others: github.com/usertour/usertour), and the members of events about links and merges: all that could name an object
 * are read. */
#include "adapters/hubspot_events.h"

#include <stdlib.h>

#include "core/alloc.h"
#include "core/jscan.h"
#include "core/jx.h"
#include "core/log.h"
#include "core/when.h"

#define JOURNAL "/webhooks-journal/journal-local/2026-03/"

enum {
    FILE_BYTES_MAX = 16 * 1024 * 1024, /* three times what is documented */
    KEPT_ENTRIES = 4,                  /* read by several kinds one after the other */
    QUIET_MS = 1000, /* an empty answer is good for the other kinds of the same look */
    TOLD_MAX = 32,
};

/* An entry stays what it is, and is what the next kind asks for. */
struct kept {
    char *behind; /* owned: the offset asked for; NULL: this place is free */
    struct arena arena;
    struct hubspot_entry entry;
    int64_t began_ms, server_ms;
};

struct hubspot_journal {
    struct kept kept[KEPT_ENTRIES];
    size_t next_kept;
    char *quiet_behind; /* owned: nothing was behind this offset */
    int64_t quiet_began_ms, quiet_server_ms;
    int64_t paused_until_ms;
    json_t *heard; /* owned: kind → whether */
    char *told[TOLD_MAX];
    size_t told_count;
};

/* --- the session's part ----------------------------------------------------------------------- */

struct hubspot_journal *hubspot_journal_of(struct session *session)
{
    if (!session->journal) {
        session->journal = alloc_new(1, sizeof *session->journal);
        session->journal->heard = json_object();
    }
    return session->journal;
}

static void forget(struct kept *kept)
{
    free(kept->behind);
    arena_fini(&kept->arena);
    *kept = (struct kept){0};
}

void hubspot_journal_free(struct session *session)
{
    struct hubspot_journal *journal = session->journal;

    if (!journal) {
        return;
    }
    for (size_t i = 0; i < KEPT_ENTRIES; i++) {
        forget(&journal->kept[i]);
    }
    for (size_t i = 0; i < journal->told_count; i++) {
        free(journal->told[i]);
    }
    json_decref(journal->heard);
    free(journal->quiet_behind);
    free(journal);
    session->journal = NULL;
}

void hubspot_tell_polling(struct session *session, const char *object, struct str why,
                          bool needs_person)
{
    struct hubspot_journal *journal = hubspot_journal_of(session);
    AUTO_FREE char *line = alloc_printf("%s: %" PRI_STR, object, STR_ARG(why));

    for (size_t i = 0; i < journal->told_count; i++) {
        if (strcmp(journal->told[i], line) == 0) {
            return;
        }
    }
    if (journal->told_count == TOLD_MAX) {
        return;
    }
    LOG_EVENT(session->env->log, needs_person ? LOG_ERROR : LOG_WARN, "changes are polled",
              LOG_S("connection", str_of(session->connection)), LOG_S("object", str_of(object)),
              LOG_S("why", why));
    journal->told[journal->told_count++] = line;
    line = NULL;
}

void hubspot_journal_pause(struct session *session, int64_t pause_ms)
{
    hubspot_journal_of(session)->paused_until_ms = clock_mono_ms(session->env->clock) + pause_ms;
}

bool hubspot_journal_is_paused(struct session *session)
{
    return clock_mono_ms(session->env->clock) < hubspot_journal_of(session)->paused_until_ms;
}

void hubspot_note_heard(struct session *session, const char *kind, bool is_heard)
{
    json_object_set_new(hubspot_journal_of(session)->heard, kind, json_boolean(is_heard));
}

bool hubspot_was_heard(struct session *session, const char *kind)
{
    return session->journal && json_is_true(json_object_get(session->journal->heard, kind));
}

/* --- what a file says ------------------------------------------------------------------------- */

struct reading {
    struct arena *arena;
    const struct jscan *file;
    const struct jscan_value *event;
    struct hubspot_name *names;
    size_t count, room;
    struct hubspot_name common; /* time and sort of the event that is read */
    bool names_something;
};

static struct str id_at(const struct reading *reading, const char *key)
{
    return jscan_id(reading->file, jscan_get(reading->file, reading->event, str_of(key)),
                    reading->arena);
}

static bool is_number(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] < '0' || text.at[i] > '9') {
            return false;
        }
    }
    return text.len > 0 && text.len <= 20;
}

static void make_room(struct reading *reading)
{
    struct hubspot_name *more;

    if (reading->count < reading->room) {
        return;
    }
    reading->room = reading->room ? 2 * reading->room : 64;
    more = ARENA_ARRAY(reading->arena, struct hubspot_name, reading->room);
    if (reading->count) {
        memcpy(more, reading->names, reading->count * sizeof *more);
    }
    reading->names = more;
}

static void add(struct reading *reading, struct str type_id, struct str id)
{
    struct hubspot_name *name;

    if (!is_number(id) || !type_id.len) {
        return;
    }
    make_room(reading);
    name = &reading->names[reading->count++];
    *name = reading->common;
    name->type_id = arena_str(reading->arena, type_id);
    name->id = arena_str(reading->arena, id);
    reading->names_something = true;
}

/* Which ids of a merge are told, and under which names, is not documented: those of webhooks' bodies are read where they are there. */
static void add_merged(struct reading *reading, struct str type_id)
{
    static const char *const KEYS[] = {"newObjectId", "primaryObjectId"};
    const struct jscan_value *list =
                                 jscan_get(reading->file, reading->event, STR("mergedObjectIds")),
                             *id = NULL;

    for (size_t i = 0; i < COUNT_OF(KEYS); i++) {
        add(reading, type_id, id_at(reading, KEYS[i]));
    }
    while ((id = jscan_next(reading->file, list, id))) {
        add(reading, type_id, jscan_id(reading->file, id, reading->arena));
    }
}

/* A link is a property of either end. */
static void add_all(struct reading *reading)
{
    static const char *const ENDS[][2] = {{"fromObjectTypeId", "fromObjectId"},
                                          {"toObjectTypeId", "toObjectId"},
                                          {"associatedObjectTypeId", "associatedObjectId"}};
    struct str type_id = id_at(reading, "objectTypeId");

    add(reading, type_id, id_at(reading, "objectId"));
    add_merged(reading, type_id);
    for (size_t i = 0; i < COUNT_OF(ENDS); i++) {
        add(reading, id_at(reading, ENDS[i][0]), id_at(reading, ENDS[i][1]));
    }
}

/* What happens to the app itself names no object. */
static bool is_of_objects(struct str type)
{
    return !str_equal(type, STR("app_lifecycle_event"));
}

static void read_event(struct reading *reading, struct str portal, struct hubspot_entry *ret)
{
    struct str own = id_at(reading, "portalId"), action = id_at(reading, "action");

    if (own.len && portal.len && !str_equal(own, portal)) {
        return;
    }
    reading->names_something = false;
    reading->common = (struct hubspot_name){.is_value = str_equal(action, STR("CREATE")) ||
                                                        str_equal(action, STR("UPDATE"))};
    if (!when_parse_ms(id_at(reading, "occurredAt"), &reading->common.at_ms)) {
        reading->common.at_ms = 0;
    }
    add_all(reading);
    ret->is_unclear =
        ret->is_unclear || (!reading->names_something && is_of_objects(id_at(reading, "type")));
}

enum fail hubspot_journal_parse(struct str text, struct str portal, struct arena *arena,
                                struct hubspot_entry *ret, struct error *err)
{
    AUTO_JSCAN struct jscan scan = {0};
    struct reading reading = {.arena = arena, .file = &scan};
    const struct jscan_value *list, *event = NULL;

    *ret = (struct hubspot_entry){.offset = STR("")};
    if (!jscan_read(&scan, text)) {
        return error_set(err, FAIL_RECORD, "the file is not JSON");
    }
    list = jscan_get(&scan, jscan_root(&scan), STR("journalEvents"));
    if (!jscan_is(list, JSCAN_ARRAY)) {
        return error_set(err, FAIL_RECORD, "the file has no list of events");
    }
    while ((event = jscan_next(&scan, list, event))) {
        reading.event = event;
        read_event(&reading, portal, ret);
    }
    ret->names = reading.names;
    ret->count = reading.count;
    return OK;
}

/* --- calls as the app ------------------------------------------------------------------------- */

enum fail hubspot_app_exec(struct session *session, const struct hubspot_app_call *call,
                           struct arena *arena, struct hubspot_answer *ret, struct error *err)
{
    struct http_account account = {
        .lane = session->account.lane, .auth = session->app_auth, .classify = hubspot_classify};
    struct http_call http = {.is_safe = call->method == HTTP_GET};
    struct http_call *calls[] = {&http};

    *ret = (struct hubspot_answer){0};
    http.request = (struct http_request){
        .method = call->method,
        .url = arena_printf(arena, "%s%" PRI_STR, session->base_url, STR_ARG(call->path))};
    if (call->body) {
        http_header_add(&http.request.headers, STR("Content-Type"), STR("application/json"));
        http.request.body = jx_text(arena, call->body);
    }
    if (http_exec(session->client, &account, calls, 1, err) == OK && http.result != OK) {
        *err = http.error;
    }
    ret->status = http.response.status;
    ret->began_ms = http.response.began_ms;
    when_parse_http_ms(http_header_get(&http.response.headers, "Date"), &ret->server_ms);
    if (err->code == OK && http.response.body.len &&
        jx_parse(arena, http.response.body, &ret->body, err) != OK) {
        error_wrap(err, "hubspot's answer to its app");
    }
    http_call_fini(&http);
    return err->code;
}

/* --- files ------------------------------------------------------------------------------------ */

/* Elsewhere than HubSpot, without a credential, and nothing of what comes is believed: it only names what is read at HubSpot. So the store of files as a
 * whole may be asked, https only. source: "Webhook journal APIs" (the example's host is s3.amazonaws.com); others stand before it in a bucket's or
 * region's address */
static const char *const FILE_HOSTS[] = {"*.amazonaws.com", NULL};

static enum fail file_classify(const struct http_response *response, struct http_account *account,
                               struct error *err)
{
    (void)account;
    if (response->status == 200) {
        return OK;
    }
    error_set(err, response->status >= 500 ? FAIL_RETRY : FAIL_STALE,
              "a file of the journal was answered with status %d", response->status);
    err->http_status = response->status;
    return err->code;
}

static enum fail read_file(struct session *session, struct str url, struct str portal,
                           struct kept *ret, struct error *err)
{
    struct http_account account = {.lane = session->account.lane,
                                   .classify = file_classify,
                                   .hosts = FILE_HOSTS,
                                   .answer_bytes_max = FILE_BYTES_MAX};
    struct http_call http = {.is_safe = true, .request = {.method = HTTP_GET, .url = url}};
    struct http_call *calls[] = {&http};

    if (http_exec(session->client, &account, calls, 1, err) == OK && http.result != OK) {
        *err = http.error;
    }
    if (err->code == OK) {
        hubspot_journal_parse(http.response.body, portal, &ret->arena, &ret->entry, err);
    }
    http_call_fini(&http);
    if (err->code == FAIL_CONFIG) {
        error_hint(err, "crmsync knows the files of HubSpot's journal at another place only: ask "
                        "who maintains it about this host");
    }
    return err->code ? error_wrap(err, "read the journal") : OK;
}

/* --- entries ---------------------------------------------------------------------------------- */

/* As it came: it goes into addresses and cursors. */
static bool is_offset(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i];

        if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') &&
            c != '-') {
            return false;
        }
    }
    return text.len > 0 && text.len <= HS_OFFSET_BYTES_MAX;
}

static struct str entry_path(struct arena *arena, struct str portal, struct str offset)
{
    return offset.len
               ? arena_printf(arena, JOURNAL "offset/%" PRI_STR "/next?installPortalId=%" PRI_STR,
                              STR_ARG(offset), STR_ARG(portal))
               : arena_printf(arena, JOURNAL "earliest?installPortalId=%" PRI_STR, STR_ARG(portal));
}

static const struct kept *kept_behind(const struct hubspot_journal *journal, struct str offset)
{
    for (size_t i = 0; i < KEPT_ENTRIES; i++) {
        /* what is the earliest changes */
        if (offset.len && journal->kept[i].behind &&
            str_equal(str_of(journal->kept[i].behind), offset)) {
            return &journal->kept[i];
        }
    }
    return NULL;
}

static bool is_quiet(const struct session *session, struct str offset)
{
    const struct hubspot_journal *journal = session->journal;
    int64_t ago_ms = clock_wall_ms(session->env->clock) - journal->quiet_began_ms;

    return journal->quiet_behind && str_equal(str_of(journal->quiet_behind), offset) &&
           ago_ms >= 0 && ago_ms < QUIET_MS;
}

static void note_quiet(struct session *session, struct str offset,
                       const struct hubspot_answer *answer)
{
    struct hubspot_journal *journal = session->journal;

    free(journal->quiet_behind);
    journal->quiet_behind = alloc_printf("%" PRI_STR, STR_ARG(offset));
    journal->quiet_began_ms = answer->began_ms;
    journal->quiet_server_ms = answer->server_ms;
}

static enum fail read_entry(struct session *session, struct str portal, struct str offset,
                            const struct hubspot_answer *answer, struct kept **ret,
                            struct error *err)
{
    struct hubspot_journal *journal = session->journal;
    struct kept *kept = &journal->kept[journal->next_kept];
    struct str url, own;

    if (jx_str(answer->body, "url", &url, err) != OK ||
        jx_str(answer->body, "currentOffset", &own, err) != OK) {
        return error_wrap(err, "hubspot's answer about its journal");
    }
    if (!is_offset(own) || str_equal(own, offset)) {
        return error_set(err, FAIL_RETRY,
                         "hubspot's journal names no place that can be gone on from");
    }
    forget(kept);
    if (read_file(session, url, portal, kept, err) != OK) {
        forget(kept);
        return err->code;
    }
    kept->behind = alloc_printf("%" PRI_STR, STR_ARG(offset));
    kept->entry.offset = arena_str(&kept->arena, own);
    kept->began_ms = answer->began_ms;
    kept->server_ms = answer->server_ms;
    journal->next_kept = (journal->next_kept + 1) % KEPT_ENTRIES;
    *ret = kept;
    return OK;
}

static enum fail ask(struct session *session, struct str portal, struct str offset,
                     struct arena *arena, struct hubspot_heard *ret, struct error *err)
{
    struct hubspot_app_call call = {.method = HTTP_GET, .path = entry_path(arena, portal, offset)};
    struct hubspot_answer answer;
    struct kept *kept = NULL;

    if (hubspot_app_exec(session, &call, arena, &answer, err) != OK) {
        if (offset.len && err->http_status == 404) {
            error_reset(err);
            ret->has_lost_place = true;
        }
        return err->code;
    }
    ret->began_ms = answer.began_ms;
    ret->server_ms = answer.server_ms;
    if (!answer.body) {
        note_quiet(session, offset, &answer);
        return OK;
    }
    if (read_entry(session, portal, offset, &answer, &kept, err) != OK) {
        return err->code;
    }
    ret->entry = &kept->entry;
    return OK;
}

enum fail hubspot_hear(struct session *session, struct str portal, struct str offset,
                       struct arena *arena, struct hubspot_heard *ret, struct error *err)
{
    const struct hubspot_journal *journal = hubspot_journal_of(session);
    const struct kept *kept = kept_behind(journal, offset);

    *ret = (struct hubspot_heard){0};
    if (kept) {
        ret->entry = &kept->entry;
        ret->began_ms = kept->began_ms;
        ret->server_ms = kept->server_ms;
        return OK;
    }
    if (is_quiet(session, offset)) {
        ret->began_ms = journal->quiet_began_ms;
        ret->server_ms = journal->quiet_server_ms;
        return OK;
    }
    return ask(session, portal, offset, arena, ret, err);
}
