/* Participants of deals. Only v1 has paths for them. */
#include "simulators/pipedrive_inside.h"

#include <inttypes.h>

#include "core/alloc.h"
#include "core/jx.h"

/* --- the account's -------------------------------------------------------------------------- */

static struct pd_participant *participant_find(const struct pd_record *deal, int64_t person_id)
{
    for (size_t i = 0; i < deal->participants_count; i++) {
        if (deal->participants[i].person_id == person_id) {
            return &deal->participants[i];
        }
    }
    return NULL;
}

bool pd_participates(const struct pd_record *deal, int64_t person_id)
{
    return participant_find(deal, person_id) != NULL;
}

struct pd_participant *pd_participant_add(struct pipedrive *pd, struct pd_record *deal,
                                          int64_t person_id, int64_t now_ms)
{
    struct pd_participant *made = participant_find(deal, person_id);

    if (made) {
        return made;
    }
    deal->participants =
        alloc_resize(deal->participants, deal->participants_count + 1, sizeof(*made));
    made = &deal->participants[deal->participants_count++];
    *made = (struct pd_participant){.id = pd->next_participant_id++,
                                    .person_id = person_id,
                                    .added_ms = now_ms / 1000 * 1000,
                                    .user_id = pd_users[0].id};
    return made;
}

void pd_participant_remove(struct pd_record *deal, int64_t person_id)
{
    struct pd_participant *gone = participant_find(deal, person_id);

    if (gone) {
        size_t behind = (size_t)(deal->participants + deal->participants_count - gone) - 1;

        memmove(gone, gone + 1, behind * sizeof(*gone));
        deal->participants_count--;
    }
}

static void deals_replace(struct pipedrive *pd, int64_t from, int64_t into, int64_t now_ms)
{
    struct sim_table *table = &pd_deals(pd)->table;

    for (size_t i = 0; i < table->count; i++) {
        struct pd_record *deal = (struct pd_record *)table->at[i];

        if (!deal->base.archived_ms && participant_find(deal, from)) {
            pd_participant_remove(deal, from);
            pd_participant_add(pd, deal, into, now_ms);
            pd_record_touch(pd, pd_deals(pd), deal, now_ms);
        }
    }
}

/* The participants of an activity with one person instead of another; both: one entry stays. */
static struct str list_replaced(struct arena *arena, struct str list, int64_t from, int64_t into)
{
    json_t *tree = pd_tree(arena, list), *made = jx_own(arena, json_array()), *item;
    bool is_primary = false, has_into = false;
    size_t index;

    json_array_foreach(tree, index, item)
    {
        int64_t id = json_integer_value(json_object_get(item, "person_id"));

        if (id != from && id != into) {
            json_array_append(made, item);
            continue;
        }
        is_primary = is_primary || json_is_true(json_object_get(item, "primary"));
        if (!has_into) {
            json_array_append_new(made,
                                  json_pack("{sIsb}", "person_id", (json_int_t)into, "primary", 0));
            has_into = true;
        }
    }
    json_array_foreach(made, index, item)
    {
        if (is_primary && json_integer_value(json_object_get(item, "person_id")) == into) {
            json_object_set_new(item, "primary", json_true());
        }
    }
    return jx_text(arena, made);
}

static bool list_names(struct arena *arena, struct str list, int64_t person_id)
{
    json_t *item;
    size_t index;

    json_array_foreach(pd_tree(arena, list), index, item)
    {
        if (json_integer_value(json_object_get(item, "person_id")) == person_id) {
            return true;
        }
    }
    return false;
}

static void activities_replace(struct pipedrive *pd, int64_t from, int64_t into, int64_t now_ms)
{
    struct pd_kind *kind = pd_activities(pd);
    size_t slot = pd_slot(kind, "participants");

    for (size_t i = 0; i < kind->table.count; i++) {
        struct pd_record *activity = (struct pd_record *)kind->table.at[i];
        AUTO_ARENA struct arena arena = {0};
        struct pd_setting settings[2] = {{.field = slot}, {.field = kind->person_slot}};
        struct str list = pd_value(activity, slot);

        if (activity->base.archived_ms || !list.at || !list_names(&arena, list, from)) {
            continue;
        }
        settings[0].text = list_replaced(&arena, list, from, into);
        settings[1].text = arena_printf(
            &arena, "%lld", (long long)(activity->person_id == from ? into : activity->person_id));
        pd_record_update(pd, kind, activity, settings, 2, now_ms);
    }
}

void pd_participants_replace(struct pipedrive *pd, int64_t from, int64_t into, int64_t now_ms)
{
    deals_replace(pd, from, into, now_ms);
    activities_replace(pd, from, into, now_ms);
}

/* --- endpoints ------------------------------------------------------------------------------ */

static struct pd_record *deal_of_path(struct sim_call *call, const struct pd_target *at)
{
    struct pd_record *deal = NULL;
    int64_t id;

    if (str_to_i64(at->first, &id)) {
        deal = pd_record_live(pd_deals(pd_of(call)), id);
    }
    if (!deal) {
        pd_not_found(call);
    }
    return deal;
}

/* A person that was deleted since is shown by its id only. */
static void put_person(struct sim_call *call, int64_t person_id)
{
    const struct pd_kind *people = pd_people(pd_of(call));
    const struct pd_record *person = pd_record_get(people, person_id, call->now_ms);
    struct str email, phone;

    sim_put(call->body, ",\"person_id\":{");
    if (person) {
        email = pd_value(person, pd_slot(people, "emails"));
        phone = pd_value(person, pd_slot(people, "phones"));
        buf_addf(call->body,
                 "\"active_flag\":%s,\"name\":", person->base.archived_ms ? "false" : "true");
        buf_add(call->body, pd_value(person, pd_slot(people, "name")));
        sim_put(call->body, ",\"email\":");
        buf_add(call->body, email.at ? email : STR("[{\"value\":\"\",\"primary\":true}]"));
        sim_put(call->body, ",\"phone\":");
        buf_add(call->body, phone.at ? phone : STR("[{\"value\":\"\",\"primary\":true}]"));
        buf_addf(call->body, ",\"owner_id\":%" PRId64 ",\"company_id\":%" PRId64 ",",
                 person->owner_id, pd_of(call)->company_id);
    }
    buf_addf(call->body, "\"value\":%" PRId64 "},\"person\":", person_id);
    if (person) {
        pd_put_record_v1(call, people, person);
    } else {
        sim_put(call->body, "null");
    }
}

static void put_participant(struct sim_call *call, const struct pd_record *deal,
                            const struct pd_participant *participant)
{
    const struct pd_kind *deals = pd_deals(pd_of(call));

    buf_addf(call->body, "{\"id\":%" PRId64, participant->id);
    put_person(call, participant->person_id);
    sim_put(call->body, ",\"add_time\":");
    pd_put_time_v1(call->body, participant->added_ms);
    buf_addf(call->body,
             ",\"active_flag\":true,\"related_item_data\":{\"deal_id\":%" PRId64 ",\"title\":",
             deal->base.id);
    buf_add(call->body, pd_value(deal, pd_slot(deals, "title")));
    sim_put(call->body, "},\"added_by_user_id\":");
    pd_put_user_v1(call->body, participant->user_id);
    buf_addf(call->body, ",\"related_item_type\":\"deal\",\"related_item_id\":%" PRId64 "}",
             deal->base.id);
}

void pd_participants_serve(struct sim_call *call, const struct pd_target *at)
{
    const struct pd_record *deal = deal_of_path(call, at);
    int64_t start, limit, count, end;

    if (!deal) {
        return;
    }
    pd_page_v1(call, &start, &limit);
    count = (int64_t)deal->participants_count;
    end = start + limit < count ? start + limit : count;
    sim_put(call->body, "{\"success\":true,\"data\":");
    sim_put(call->body, start < end ? "[" : "null");
    for (int64_t i = start; i < end; i++) {
        sim_put(call->body, i > start ? "," : "");
        put_participant(call, deal, &deal->participants[i]);
    }
    sim_put(call->body, start < end ? "]" : "");
    pd_put_pagination(call, start, limit, end < count && start < end);
    sim_put(call->body, "}");
    sim_reply(call, 200);
}

static void wrote(struct sim_call *call, const char *method, const struct pd_record *deal,
                  int64_t person_id)
{
    json_t *fields = json_pack("{sI}", "person_id", (json_int_t)person_id);

    sim_wrote(call, method, "deals", deal->base.id, jx_own(call->arena, fields));
}

/* A person that takes part already: the same participant again. A guess, no source says. */
void pd_participant_create_serve(struct sim_call *call, const struct pd_target *at)
{
    struct pipedrive *pd = pd_of(call);
    struct pd_record *deal = deal_of_path(call, at);
    struct pd_participant *made;
    int64_t person_id = 0;
    size_t before;
    json_t *body;

    if (!deal) {
        return;
    }
    if (!pd_body_v1(call, &body) || !pd_whole(jx_get(body, "person_id"), &person_id) ||
        !pd_record_live(pd_people(pd), person_id)) {
        pd_fail(call, 400, NULL, NULL, "'person_id' has to be the id of a person");
        return;
    }
    before = deal->participants_count;
    made = pd_participant_add(pd, deal, person_id, call->now_ms);
    if (deal->participants_count > before) {
        pd_record_touch(pd, pd_deals(pd), deal, call->now_ms);
        wrote(call, "associate", deal, person_id);
    }
    sim_put(call->body, "{\"success\":true,\"data\":");
    put_participant(call, deal, made);
    sim_put(call->body, "}");
    sim_reply(call, 200);
}

static const struct pd_participant *participant_by_id(const struct pd_record *deal, struct str text)
{
    int64_t id = 0;

    for (size_t i = 0; str_to_i64(text, &id) && i < deal->participants_count; i++) {
        if (deal->participants[i].id == id) {
            return &deal->participants[i];
        }
    }
    return NULL;
}

/* The deal's own person that stops taking part is its person no longer. A guess, too. */
void pd_participant_delete_serve(struct sim_call *call, const struct pd_target *at)
{
    struct pipedrive *pd = pd_of(call);
    struct pd_record *deal = deal_of_path(call, at);
    const struct pd_participant *participant = deal ? participant_by_id(deal, at->last) : NULL;
    struct pd_setting no_person = {.field = pd_deals(pd)->person_slot};
    int64_t id, person_id;

    if (!deal) {
        return;
    }
    if (!participant) {
        pd_not_found(call);
        return;
    }
    id = participant->id;
    person_id = participant->person_id;
    if (person_id == deal->person_id) {
        pd_record_update(pd, pd_deals(pd), deal, &no_person, 1, call->now_ms);
    }
    pd_participant_remove(deal, person_id);
    pd_record_touch(pd, pd_deals(pd), deal, call->now_ms);
    wrote(call, "dissociate", deal, person_id);
    pd_reply_id(call, 200, id);
}
