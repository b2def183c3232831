/* Activities and notes have no place for our key. A create whose answer was lost is looked for among the newest objects of our own
 * user, by what was sent. Text is compared without markup and white space, since Pipedrive rewrites HTML. */
#include <inttypes.h>

#include "adapters/pipedrive_inside.h"
#include "core/jx.h"
#include "core/unicode.h"
#include "core/when.h"

enum { MINUTE_MS = 60 * 1000, TEXT_BYTES_MAX = 1024 * 1024 };

/* --- text ------------------------------------------------------------------------------------- */

static struct str entity(struct str text, size_t *ret_len)
{
    static const struct {
        const char *name, *is;
    } ENTITIES[] = {{"&amp;", "&"},  {"&lt;", "<"},  {"&gt;", ">"},   {"&quot;", "\""},
                    {"&apos;", "'"}, {"&#39;", "'"}, {"&#34;", "\""}, {"&nbsp;", " "}};

    for (size_t i = 0; i < COUNT_OF(ENTITIES); i++) {
        if (str_starts(text, str_of(ENTITIES[i].name))) {
            *ret_len = strlen(ENTITIES[i].name);
            return str_of(ENTITIES[i].is);
        }
    }
    *ret_len = 1;
    return STR("&");
}

/* Bytes of the tag at the beginning; 0: it is no tag. */
static size_t tag_length(struct str text)
{
    const char *end = memchr(text.at, '>', text.len);
    char next = text.len > 1 ? text.at[1] : ' ';
    bool is_tag = end && (next == '/' || next == '!' || (next >= 'a' && next <= 'z') ||
                          (next >= 'A' && next <= 'Z'));

    return is_tag ? (size_t)(end - text.at) + 1 : 0;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* What people read, without white space and case. */
static struct str plain(const json_t *value, struct arena *arena)
{
    AUTO_BUF struct buf out = {0};
    struct str text = jx_text_of(value), folded;
    size_t kept = 0;
    char *at;

    buf_init(&out, TEXT_BYTES_MAX);
    while (text.len) {
        size_t len = text.at[0] == '<' ? tag_length(text) : 0;

        if (len == 0) {
            buf_add(&out, text.at[0] == '&' ? entity(text, &len) : str_slice(text, 0, 1));
            len = len ? len : 1;
        }
        text = str_slice(text, len, text.len);
    }
    folded = utf8_fold(arena, buf_str(&out)); /* a no-break space becomes a blank */
    at = arena_cstr(arena, folded);
    for (size_t i = 0; i < folded.len; i++) {
        if (!is_blank(at[i])) {
            at[kept++] = at[i];
        }
    }
    return (struct str){.at = at, .len = kept};
}

/* --- comparing -------------------------------------------------------------------------------- */

static bool is_nothing(const json_t *value)
{
    return !value || json_is_null(value);
}

static bool is_same_time(const json_t *sent, const json_t *there)
{
    struct str x = jx_text_of(sent), y = jx_text_of(there);
    int64_t x_ms, y_ms;

    if (!x.len || when_is_date(x) || when_is_date(y)) {
        return !x.len || str_equal(x, y);
    }
    return when_parse_ms(x, &x_ms) && when_parse_ms(y, &y_ms) &&
           x_ms / MINUTE_MS == y_ms / MINUTE_MS; /* due times have no seconds */
}

/* What was not sent is filled in by Pipedrive out of other links. */
static bool is_same_link(const json_t *sent, const json_t *there)
{
    return is_nothing(sent) || pipedrive_id_of(sent) == pipedrive_id_of(there);
}

/* A note keeps one person of those sent. */
static bool are_same_people(const json_t *sent, const json_t *there, bool is_note,
                            struct arena *arena)
{
    struct pipedrive_people wanted = pipedrive_people_of(sent, arena);
    struct pipedrive_people present = pipedrive_people_of(there, arena);

    for (size_t i = 0; i < wanted.count && !is_note; i++) {
        if (!pipedrive_people_have(&present, wanted.at[i].person_id)) {
            return false;
        }
    }
    return wanted.count == 0 || !is_note ||
           (present.count && pipedrive_people_have(&wanted, present.at[0].person_id));
}

static bool is_alike(const json_t *sent, const struct remote_record *record, struct arena *arena)
{
    const json_t *there = record->props, *type = json_object_get(sent, "activity.type");
    const json_t *subject = json_object_get(sent, "activity.subject");
    bool is_note = pipedrive_is_note(record->remote_id);
    struct str word = is_nothing(type) ? STR("task") : jx_text_of(type);

    return str_equal(word, jx_text_of(json_object_get(there, "activity.type"))) &&
           (is_note || is_nothing(subject) ||
            str_equal(plain(subject, arena),
                      plain(json_object_get(there, "activity.subject"), arena))) &&
           str_equal(plain(json_object_get(sent, "activity.body"), arena),
                     plain(json_object_get(there, "activity.body"), arena)) &&
           is_same_time(json_object_get(sent, "activity.timestamp"),
                        json_object_get(there, "activity.timestamp")) &&
           is_same_link(json_object_get(sent, "deal_id"), json_object_get(there, "deal_id")) &&
           is_same_link(json_object_get(sent, "org_id"), json_object_get(there, "org_id")) &&
           are_same_people(json_object_get(sent, "activity.contacts"),
                           json_object_get(there, "activity.contacts"), is_note, arena);
}

/* A note shows its author, who may be the owner that was sent; an activity its creator. */
static bool is_ours(const json_t *sent, const struct remote_record *record, int64_t user_id)
{
    bool is_note = pipedrive_is_note(record->remote_id);
    int64_t creator =
        pipedrive_id_of(json_object_get(record->props, is_note ? "user_id" : "creator_user_id"));

    return creator == user_id || (is_note && creator > 0 &&
                                  creator == pipedrive_id_of(json_object_get(sent, "owner_id")));
}

/* --- looking ---------------------------------------------------------------------------------- */

struct looking {
    struct session *session;
    const struct find_request *request;
    struct arena *arena;
    int64_t user_id;
    size_t *served; /* how many objects each value has got */
    struct remote_page *page;
    size_t capacity;
};

/* Two creates that sent the same look like each other's object as well: each object goes to one of
 * them, in turn. */
static void offer(struct looking *looking, const struct remote_record *record)
{
    const struct find_request *request = looking->request;
    struct remote_page *page = looking->page;
    size_t best = request->values_count;

    for (size_t i = 0; i < request->values_count && record->state == REMOTE_LIVE; i++) {
        const json_t *sent = request->sent[i];

        if (sent && is_ours(sent, record, looking->user_id) &&
            is_alike(sent, record, looking->arena) &&
            (best == request->values_count || looking->served[i] < looking->served[best])) {
            best = i;
        }
    }
    if (best == request->values_count) {
        return;
    }
    if (page->count == looking->capacity) {
        struct remote_record *former = page->records;

        looking->capacity = 2 * looking->capacity + PD_IDS_MAX;
        page->records = ARENA_ARRAY(looking->arena, struct remote_record, looking->capacity);
        for (size_t i = 0; i < page->count; i++) {
            page->records[i] = former[i];
        }
    }
    looking->served[best]++;
    page->records[page->count] = *record;
    page->records[page->count++].correlation_key = request->values[best];
}

/* Newest first. False: the rest is older than what is looked for. */
static bool offer_all(struct looking *looking, const struct remote_page *rows)
{
    for (size_t i = 0; i < rows->count; i++) {
        if (pipedrive_is_before(&rows->records[i], looking->request->since_ms)) {
            return false;
        }
        offer(looking, &rows->records[i]);
    }
    return true;
}

static enum fail look_at_activities(struct looking *looking, struct error *err)
{
    const struct find_request *request = looking->request;
    struct str cursor = STR(""), next;
    struct arena *arena = looking->arena;

    do {
        struct pipedrive_answer answer;
        struct remote_page rows = {0};
        struct pipedrive_call call = {.method = HTTP_GET, .tokens = PD_COST_LIST, .is_safe = true};

        call.path = arena_printf(
            arena, "/api/v2/activities?limit=%d&sort_by=id&sort_direction=desc%s%" PRI_STR,
            PD_PAGE_MAX, cursor.len ? "&cursor=" : "", STR_ARG(http_percent_encode(arena, cursor)));
        if (pipedrive_exec(looking->session, &call, arena, &answer, err) != OK ||
            pipedrive_read_rows(looking->session, request->kind, request->properties,
                                request->properties_count, &answer, arena, &rows, err) != OK) {
            return err->code;
        }
        next = pipedrive_next_cursor(&answer);
        if (next.len && str_equal(next, cursor)) {
            return error_set(err, FAIL_RETRY, "pipedrive gave the same page again");
        }
        cursor = offer_all(looking, &rows) && next.len ? next : STR("");
    } while (cursor.len);
    return OK;
}

static enum fail look_at_notes(struct looking *looking, struct error *err)
{
    struct remote_page rows = {.has_more = true};

    for (int64_t start = 0; rows.has_more; start += (int64_t)rows.count) {
        if (pipedrive_read_notes(looking->session, start, "id%20DESC", "", looking->arena, &rows,
                                 err) != OK) {
            return err->code;
        }
        if (!offer_all(looking, &rows)) {
            break;
        }
    }
    return OK;
}

static bool has_sent(const struct find_request *request, bool wants_notes)
{
    for (size_t i = 0; i < request->values_count; i++) {
        struct str type = jx_text_of(json_object_get(request->sent[i], "activity.type"));

        if (request->sent[i] && str_equal(type, STR("note")) == wants_notes) {
            return true;
        }
    }
    return false;
}

enum fail pipedrive_find_alike(struct session *session, const struct find_request *request,
                               struct arena *arena, struct remote_page *ret, struct error *err)
{
    struct remote_page page = {.total = -1, .cursor = STR("")};
    struct looking looking = {.session = session,
                              .request = request,
                              .arena = arena,
                              .served = ARENA_ARRAY(arena, size_t, request->values_count + 1),
                              .page = &page};
    struct str user_id;

    if (!request->sent) {
        return error_set(err, FAIL_BUG, "activities are found by what was sent");
    }
    page.began_ms = clock_wall_ms(session->env->clock);
    if (pipedrive_own_user(session, &user_id, err) != OK) {
        return error_wrap(err, "find activities by what was sent");
    }
    str_to_i64(user_id, &looking.user_id);
    if ((has_sent(request, false) && look_at_activities(&looking, err) != OK) ||
        (has_sent(request, true) && look_at_notes(&looking, err) != OK)) {
        return error_wrap(err, "find activities by what was sent");
    }
    *ret = page;
    return OK;
}
