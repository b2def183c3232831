/* The people of a deal at Pipedrive: one person, who is a participant like the others, and the participants, whom only v1 lists.
 * source: OpenAPI v1, /deals/{id}/participants; participants_count of v2 counts the person too */
#include <inttypes.h>

#include "adapters/pipedrive_inside.h"
#include "core/jx.h"

enum { PEOPLE_PAGES_MAX = 20 };

int64_t pipedrive_id_of(const json_t *value)
{
    int64_t id = 0;

    if (json_is_integer(value)) {
        return json_integer_value(value);
    }
    return str_to_i64(jx_text_of(value), &id) ? id : 0;
}

bool pipedrive_people_have(const struct pipedrive_people *people, int64_t person_id)
{
    for (size_t i = 0; i < people->count; i++) {
        if (people->at[i].person_id == person_id) {
            return true;
        }
    }
    return false;
}

static void add_person(struct pipedrive_people *people, int64_t id, int64_t person_id)
{
    if (person_id > 0 && !pipedrive_people_have(people, person_id)) {
        people->at[people->count++] =
            (struct pipedrive_participant){.id = id, .person_id = person_id};
    }
}

struct pipedrive_people pipedrive_people_of(const json_t *list, struct arena *arena)
{
    struct pipedrive_people people = {
        .at = ARENA_ARRAY(arena, struct pipedrive_participant, json_array_size(list) + 1)};

    for (size_t i = 0; i < json_array_size(list); i++) {
        add_person(&people, 0, pipedrive_id_of(json_array_get(list, i)));
    }
    return people;
}

json_t *pipedrive_people_json(int64_t first, const struct pipedrive_people *people,
                              struct arena *arena)
{
    json_t *list = jx_own(arena, json_array());

    if (first > 0) {
        json_array_append_new(list, json_integer(first));
    }
    for (size_t i = 0; i < people->count; i++) {
        if (people->at[i].person_id != first) {
            json_array_append_new(list, json_integer(people->at[i].person_id));
        }
    }
    return list;
}

/* --- reading participants --------------------------------------------------------------------- */

static struct pipedrive_call page_call(int64_t deal_id, int64_t start, struct arena *arena)
{
    struct pipedrive_call call = {
        .method = HTTP_GET, .tokens = PD_COST_PARTICIPANTS, .is_safe = true};

    call.path =
        arena_printf(arena, "/api/v1/deals/%" PRId64 "/participants?start=%" PRId64 "&limit=%d",
                     deal_id, start, PD_PAGE_MAX);
    return call;
}

/* ret_next: -1 at the end. v1 gives the person as an object with "value". */
static enum fail keep_page(const struct pipedrive_answer *answer, struct arena *arena,
                           struct pipedrive_people *people, int64_t *ret_next, struct error *err)
{
    const json_t *paging = jx_get(jx_get(answer->body, "additional_data"), "pagination");
    struct pipedrive_participant *former = people->at;
    json_t *rows;

    *ret_next = -1;
    if (jx_array_or_null(answer->body, "data", &rows, err) != OK) {
        return err->code;
    }
    people->at =
        ARENA_ARRAY(arena, struct pipedrive_participant, people->count + json_array_size(rows) + 1);
    for (size_t i = 0; i < people->count; i++) {
        people->at[i] = former[i];
    }
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i), *person = jx_get(row, "person_id");
        int64_t person_id =
            pipedrive_id_of(json_is_object(person) ? jx_get(person, "value") : person);
        int64_t id;

        if (jx_i64(row, "id", &id, err) != OK) {
            return error_wrap(err, "participant");
        }
        if (!json_is_false(jx_get(row, "active_flag"))) {
            add_person(people, id, person_id);
        }
    }
    if (json_is_true(jx_get(paging, "more_items_in_collection")) &&
        jx_i64(paging, "next_start", ret_next, err) != OK) {
        return err->code;
    }
    return OK;
}

/* Behind the first page: hardly any deal has so many. */
static enum fail read_rest(struct session *session, int64_t deal_id, int64_t start,
                           struct arena *arena, struct pipedrive_people *people, struct error *err)
{
    for (int page = 0; start > 0 && page < PEOPLE_PAGES_MAX; page++) {
        struct pipedrive_call call = page_call(deal_id, start, arena);
        struct pipedrive_answer answer;

        if (pipedrive_exec(session, &call, arena, &answer, err) != OK ||
            keep_page(&answer, arena, people, &start, err) != OK) {
            return err->code;
        }
    }
    return OK;
}

static void read_crowd(struct session *session, struct http_call *http, struct arena *arena,
                       struct pipedrive_crowd *crowd)
{
    struct pipedrive_answer answer;
    struct error *err = &crowd->error;
    int64_t next = -1;

    *err = (struct error){0};
    crowd->people = (struct pipedrive_people){0};
    if (pipedrive_answer_of(http, arena, &answer, err) != OK) {
        if (err->code == FAIL_CONNECTION && pipedrive_is_about_record(&http->response)) {
            error_set(err, FAIL_RECORD, "pipedrive does not show this user the deal's people");
        }
        crowd->result = err->code;
        return;
    }
    crowd->result =
        keep_page(&answer, arena, &crowd->people, &next, err) != OK ||
                read_rest(session, crowd->deal_id, next, arena, &crowd->people, err) != OK
            ? err->code
            : OK;
}

enum fail pipedrive_read_people(struct session *session, struct pipedrive_crowd *crowds,
                                size_t count, struct arena *arena, struct error *err)
{
    struct http_call *calls = ARENA_ARRAY(arena, struct http_call, count + 1);
    struct http_call **sent = ARENA_ARRAY(arena, struct http_call *, count + 1);
    enum fail failed = OK;

    for (size_t i = 0; i < count; i++) {
        struct pipedrive_call call = page_call(crowds[i].deal_id, 0, arena);

        pipedrive_prepare(session, &call, arena, &calls[i]);
        sent[i] = &calls[i];
    }
    if (count) {
        failed = http_exec(session->client, &session->account, sent, count, err);
    }
    for (size_t i = 0; i < count; i++) {
        if (failed == OK) {
            read_crowd(session, &calls[i], arena, &crowds[i]);
        }
        http_call_fini(&calls[i]);
    }
    return failed;
}

/* --- into records ----------------------------------------------------------------------------- */

bool pipedrive_wants(const struct str *properties, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (str_equal(properties[i], str_of(name))) {
            return true;
        }
    }
    return false;
}

static void set_people(struct remote_record *record, const struct pipedrive_people *people,
                       struct arena *arena)
{
    int64_t person = pipedrive_id_of(json_object_get(record->props, "person_id"));

    json_object_set(record->props, PD_DEAL_CONTACTS, pipedrive_people_json(person, people, arena));
}

/* One at most: then the person is known to be all. */
static bool is_alone(const struct remote_record *record)
{
    const json_t *count = json_object_get(record->props, "participants_count");
    int64_t person = pipedrive_id_of(json_object_get(record->props, "person_id"));

    return json_is_integer(count) && json_integer_value(count) <= (person > 0 ? 1 : 0);
}

enum fail pipedrive_add_people(struct session *session, const struct str *properties, size_t count,
                               struct arena *arena, struct remote_page *page, struct error *err)
{
    struct pipedrive_crowd *crowds = ARENA_ARRAY(arena, struct pipedrive_crowd, page->count + 1);
    size_t crowds_count = 0, next = 0;

    if (!pipedrive_wants(properties, count, PD_DEAL_CONTACTS)) {
        return OK;
    }
    for (size_t i = 0; i < page->count; i++) {
        struct remote_record *record = &page->records[i];

        if (record->state == REMOTE_LIVE && is_alone(record)) {
            set_people(record, &(const struct pipedrive_people){0}, arena);
        } else if (record->state == REMOTE_LIVE &&
                   str_to_i64(record->remote_id, &crowds[crowds_count].deal_id)) {
            crowds_count++;
        }
    }
    if (pipedrive_read_people(session, crowds, crowds_count, arena, err) != OK) {
        return err->code;
    }
    for (size_t i = 0; i < page->count && next < crowds_count; i++) {
        struct remote_record *record = &page->records[i];
        int64_t id;

        if (!str_to_i64(record->remote_id, &id) || id != crowds[next].deal_id) {
            continue;
        }
        if (crowds[next].result == OK) {
            set_people(record, &crowds[next].people, arena);
        } else if (crowds[next].result != FAIL_STALE && crowds[next].result != FAIL_RECORD) {
            *err = crowds[next]
                       .error; /* STALE: deleted meanwhile; without the member it says nothing */
            return error_wrap(err, "people of deals");
        }
        next++;
    }
    return OK;
}
