/* Writing a deal to Pipedrive: stage with pipeline, what its state allows, and its people, who are participants and are added and
 * removed one by one. */
#include <inttypes.h>
#include <stdlib.h>

#include "adapters/pipedrive_inside.h"
#include "core/jx.h"

/* --- body ------------------------------------------------------------------------------------- */

/* v2 takes numbers only; texts are numbers in decimal form. */
static json_t *number_of(json_t *value)
{
    AUTO_ARENA struct arena arena = {0};
    struct str text = jx_text_of(value);
    int64_t whole;
    char *end;
    double real;

    if (!text.len) {
        return json_is_null(value) ? json_integer(0) : json_incref(value);
    }
    if (str_to_i64(text, &whole)) {
        return json_integer(whole);
    }
    real = strtod(arena_cstr(&arena, text), &end);
    return *end == '\0' ? json_real(real) : json_incref(value);
}

/* A deal always has a value and a currency: a cleared value is zero, a cleared currency stays what
 * it was. */
static void set_money(json_t *body)
{
    json_t *value = json_object_get(body, "value");
    json_t *probability = json_object_get(body, "probability");

    if (value) {
        json_object_set_new(body, "value", number_of(value));
    }
    if (probability && !json_is_null(probability)) {
        json_object_set_new(body, "probability", number_of(probability));
    }
    if (json_is_null(json_object_get(body, "currency"))) {
        json_object_del(body, "currency");
    }
}

/* source: OpenAPI v2, PATCH /deals/{id}: lost_reason and lost_time can only be set when the status is
 * lost, won_time only when it is won, close_time only when it is one of the two */
static void drop_what_the_state_forbids(json_t *body, const struct write_item *item)
{
    static const struct {
        const char *name, *status, *or_status;
    } RULES[] = {{"lost_reason", "lost", "lost"},
                 {"lost_time", "lost", "lost"},
                 {"won_time", "won", "won"},
                 {"close_time", "won", "lost"}};
    struct str status = jx_text_of(json_object_get(body, "status"));

    status = status.at ? status : jx_text_of(json_object_get(item->current, "status"));
    for (size_t i = 0; i < COUNT_OF(RULES); i++) {
        if (!str_equal(status, str_of(RULES[i].status)) &&
            !str_equal(status, str_of(RULES[i].or_status))) {
            json_object_del(body, RULES[i].name);
        }
    }
}

static const struct pipedrive_stage *first_stage(const struct session *session, int64_t pipeline_id)
{
    const struct pipedrive_stage *first = NULL;

    for (size_t i = 0; i < session->stages.count; i++) {
        const struct pipedrive_stage *stage = &session->stages.at[i];

        if (stage->pipeline_id == pipeline_id && (!first || stage->position < first->position)) {
            first = stage;
        }
    }
    return first;
}

/* A stage fixes its pipeline, and a pipeline alone would leave the stage open: both travel. A deal
 * that stays in its pipeline keeps its stage. */
static void complete_stage(const struct session *session, json_t *body,
                           const struct write_item *item)
{
    int64_t stage_id = pipedrive_id_of(json_object_get(body, "stage_id"));
    int64_t pipeline_id = pipedrive_id_of(json_object_get(body, "pipeline_id"));
    int64_t held = pipedrive_id_of(json_object_get(item->current, "stage_id"));
    const struct pipedrive_stage *stage;

    if (stage_id > 0 && pipeline_id == 0) {
        stage = pipedrive_stage_of(session, stage_id);
        if (stage) {
            json_object_set_new(body, "pipeline_id", json_integer(stage->pipeline_id));
        }
    } else if (pipeline_id > 0 && stage_id == 0) {
        stage = pipedrive_stage_of(session, held);
        stage =
            stage && stage->pipeline_id == pipeline_id ? stage : first_stage(session, pipeline_id);
        if (stage) {
            json_object_set_new(body, "stage_id", json_integer(stage->id));
        }
    }
}

/* Whose person the deal has: the one it had, while it is wanted; else the first. */
static int64_t person_after(const struct write_item *item, const struct pipedrive_people *wanted)
{
    int64_t held = pipedrive_id_of(json_object_get(item->current, "person_id"));

    return held > 0 && pipedrive_people_have(wanted, held) ? held
           : wanted->count                                 ? wanted->at[0].person_id
                                                           : 0;
}

static void set_person(json_t *body, const struct write_item *item, struct arena *arena)
{
    json_t *contacts = json_object_get(item->props, PD_DEAL_CONTACTS);
    struct pipedrive_people wanted = pipedrive_people_of(contacts, arena);
    int64_t person = person_after(item, &wanted);
    int64_t held = pipedrive_id_of(json_object_get(item->current, "person_id"));

    json_object_del(body, PD_DEAL_CONTACTS);
    if (!contacts || (item->remote_id.len && item->current && person == held) ||
        (!item->remote_id.len && person == 0)) {
        return;
    }
    json_object_set_new(body, "person_id", person ? json_integer(person) : json_null());
}

void pipedrive_deal_body(const struct session *session, json_t *body, const struct write_item *item,
                         struct arena *arena)
{
    set_money(body);
    drop_what_the_state_forbids(body, item);
    complete_stage(session, body, item);
    set_person(body, item, arena);
}

bool pipedrive_deal_needs_stages(const struct write_item *item)
{
    return (json_object_get(item->props, "stage_id") != NULL) !=
           (json_object_get(item->props, "pipeline_id") != NULL);
}

/* --- what has to be done about people --------------------------------------------------------- */

bool pipedrive_deal_people(const struct write_item *item, struct arena *arena,
                           struct pipedrive_people_work *ret)
{
    const json_t *contacts = json_object_get(item->props, PD_DEAL_CONTACTS);
    const json_t *held = json_object_get(item->current, PD_DEAL_CONTACTS);
    struct pipedrive_people present = pipedrive_people_of(held, arena);

    *ret = (struct pipedrive_people_work){.wanted = pipedrive_people_of(contacts, arena)};
    if (!contacts) {
        return false;
    }
    ret->person = person_after(item, &ret->wanted);
    if (!item->remote_id.len) {
        present = (struct pipedrive_people){0};
    } else if (!held) {
        ret->must_read = true;
    }
    for (size_t i = 0; i < ret->wanted.count; i++) {
        ret->adds += ret->wanted.at[i].person_id != ret->person &&
                     !pipedrive_people_have(&present, ret->wanted.at[i].person_id);
    }
    for (size_t i = 0; i < present.count; i++) {
        if (!pipedrive_people_have(&ret->wanted, present.at[i].person_id)) {
            /* only the list tells what to delete; a former person leaves it, which is looked at */
            ret->must_read = true;
            ret->removals += present.at[i].person_id !=
                             pipedrive_id_of(json_object_get(item->current, "person_id"));
        }
    }
    ret->present = present;
    return ret->must_read || ret->adds;
}

/* One participant to add or to take out. */
struct change {
    struct pipedrive_people_work *work;
    bool is_removal;
};

static size_t plan_changes(struct session *session, struct pipedrive_people_work *works,
                           size_t count, struct arena *arena, struct http_call **ret_calls,
                           struct change **ret_changes)
{
    size_t most = 1, planned = 0;

    for (size_t i = 0; i < count; i++) {
        most += works[i].wanted.count + works[i].present.count;
    }
    *ret_calls = ARENA_ARRAY(arena, struct http_call, most);
    *ret_changes = ARENA_ARRAY(arena, struct change, most);
    for (size_t i = 0; i < count; i++) {
        struct pipedrive_people_work *work = &works[i];

        for (size_t k = 0; k < work->wanted.count + work->present.count && !work->failed; k++) {
            bool is_removal = k >= work->wanted.count;
            const struct pipedrive_participant *one =
                is_removal ? &work->present.at[k - work->wanted.count] : &work->wanted.at[k];
            struct pipedrive_call call = {.method = is_removal ? HTTP_DELETE : HTTP_POST,
                                          .tokens =
                                              is_removal ? PD_COST_V1_DELETE : PD_COST_PARTICIPANTS,
                                          .is_safe = is_removal};

            if (is_removal ? pipedrive_people_have(&work->wanted, one->person_id)
                           : one->person_id == work->person ||
                                 pipedrive_people_have(&work->present, one->person_id)) {
                continue;
            }
            call.path = arena_printf(arena, "/api/v1/deals/%" PRI_STR "/participants",
                                     STR_ARG(work->item->remote_id));
            if (is_removal) {
                call.path =
                    arena_printf(arena, "%" PRI_STR "/%" PRId64, STR_ARG(call.path), one->id);
            } else {
                call.body = jx_own(arena, json_pack("{s:I}", "person_id", one->person_id));
            }
            pipedrive_prepare(session, &call, arena, &(*ret_calls)[planned]);
            (*ret_changes)[planned++] = (struct change){.work = work, .is_removal = is_removal};
        }
    }
    return planned;
}

/* One who is gone from the list already is removed. */
static void keep_change(struct http_call *http, const struct change *change, struct arena *arena)
{
    struct pipedrive_people_work *work = change->work;
    struct pipedrive_answer answer;
    struct error err = {0};

    if (http->result == FAIL_CONNECTION && pipedrive_is_about_record(&http->response)) {
        http->result = FAIL_RECORD;
        http->error.code = FAIL_RECORD;
    }
    if (pipedrive_answer_of(http, arena, &answer, &err) == OK ||
        (change->is_removal && err.code == FAIL_STALE)) {
        work->done++;
    } else if (!work->failed) {
        work->failed = true;
        work->error = err;
    }
}

static enum fail read_present(struct session *session, struct pipedrive_people_work *works,
                              size_t count, struct arena *arena, struct error *err)
{
    struct pipedrive_crowd *crowds = ARENA_ARRAY(arena, struct pipedrive_crowd, count + 1);
    struct pipedrive_people_work **owners =
        ARENA_ARRAY(arena, struct pipedrive_people_work *, count + 1);
    size_t asked = 0;

    for (size_t i = 0; i < count; i++) {
        if (works[i].must_read && str_to_i64(works[i].item->remote_id, &crowds[asked].deal_id)) {
            owners[asked++] = &works[i];
        }
    }
    if (pipedrive_read_people(session, crowds, asked, arena, err) != OK) {
        return err->code;
    }
    for (size_t i = 0; i < asked; i++) {
        owners[i]->present = crowds[i].people;
        owners[i]->failed = crowds[i].result != OK;
        owners[i]->error = crowds[i].error;
    }
    return OK;
}

/* The failure that concerns what would come next as well. */
static enum fail gravest(const struct pipedrive_people_work *works, size_t count, struct error *err)
{
    for (size_t i = 0; i < count; i++) {
        enum fail code = works[i].error.code;

        if (works[i].failed &&
            (code == FAIL_THROTTLED || code == FAIL_AUTH || code == FAIL_CONNECTION)) {
            *err = works[i].error;
            return code;
        }
    }
    return OK;
}

void pipedrive_give_up_people(struct pipedrive_people_work *works, size_t count,
                              const struct error *err)
{
    for (size_t i = 0; i < count; i++) {
        works[i].failed = true;
        works[i].error = *err;
    }
}

enum fail pipedrive_write_people(struct session *session, struct pipedrive_people_work *works,
                                 size_t count, struct arena *arena, struct error *err)
{
    struct http_call *calls, **sent;
    struct change *changes;
    size_t planned;
    enum fail failed;

    if (read_present(session, works, count, arena, err) != OK) {
        pipedrive_give_up_people(works, count, err);
        return err->code;
    }
    planned = plan_changes(session, works, count, arena, &calls, &changes);
    if (planned == 0) {
        return gravest(works, count, err);
    }
    sent = ARENA_ARRAY(arena, struct http_call *, planned);
    for (size_t i = 0; i < planned; i++) {
        sent[i] = &calls[i];
    }
    failed = http_exec(session->client, &session->account, sent, planned, err);
    for (size_t i = 0; i < planned; i++) {
        keep_change(&calls[i], &changes[i], arena);
        http_call_fini(&calls[i]);
    }
    return failed ? failed : gravest(works, count, err);
}
