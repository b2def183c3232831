/* Deals and activities in the histories: people edit, move, close, make and delete them at both CRMs and here, and choose the people of a deal. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/simulation/inside.h"

enum { STAGES = 5, PEOPLE_OF_DEAL_MAX = 3 };

static const char *const HUBSPOT_STAGES[] = {"appointmentscheduled", "qualifiedtobuy",
                                             "presentationscheduled", "decisionmakerboughtin",
                                             "contractsent"};

/* --- actions ------------------------------------------------------------------------------------------------------------------ */

static void set_members(const struct history *h, int at, const char *word, const char *id,
                        json_t *take_set)
{
    json_t *order = json_pack("{s:s,s:o,s:s}", "object", word, "set", take_set, "by", "person");

    if (id) {
        json_object_set_new(order, "id", json_string(id));
    }
    history_order(h, at, "/__sim/edit", order);
}

static void rename_deal(struct history *h, int at)
{
    char id[ID_BYTES], value[TOKEN_BYTES];

    if (!history_pick(h, at, "deals", id)) {
        return;
    }
    history_token(h, history_side(at), id, TOKEN_DEAL_NAME, value);
    history_tell(h, "name deal", h->world->names[at].at, value);
    set_members(h, at, "deals", id,
                json_pack("{s:s}", history_crm(h, at) == HUBSPOT ? "dealname" : "title", value));
}

static void price_deal(struct history *h, int at)
{
    char id[ID_BYTES], text[32];
    int amount = (int)random_below(h->random, 1000);

    if (!history_pick(h, at, "deals", id)) {
        return;
    }
    snprintf(text, sizeof text, "%d.5", amount);
    history_tell(h, "price deal", h->world->names[at].at, text);
    set_members(h, at, "deals", id,
                history_crm(h, at) == HUBSPOT ? json_pack("{s:s}", "amount", text)
                                              : json_pack("{s:f}", "value", (double)amount + 0.5));
}

static void move_deal(struct history *h, int at)
{
    char id[ID_BYTES];
    int stage = (int)random_below(h->random, STAGES);

    if (!history_pick(h, at, "deals", id)) {
        return;
    }
    history_tell(h, "move deal", h->world->names[at].at, HUBSPOT_STAGES[stage]);
    set_members(h, at, "deals", id,
                history_crm(h, at) == HUBSPOT
                    ? json_pack("{s:s}", "dealstage", HUBSPOT_STAGES[stage])
                    : json_pack("{s:i,s:s}", "stage_id", stage + 1, "status", "open"));
}

static void close_deal(struct history *h, int at)
{
    char id[ID_BYTES];
    bool is_won = random_below(h->random, 2);

    if (!history_pick(h, at, "deals", id)) {
        return;
    }
    history_tell(h, "close deal", h->world->names[at].at, is_won ? "won" : "lost");
    set_members(h, at, "deals", id,
                history_crm(h, at) == HUBSPOT
                    ? json_pack("{s:s}", "dealstage", is_won ? "closedwon" : "closedlost")
                    : json_pack("{s:s}", "status", is_won ? "won" : "lost"));
}

static json_t *some_people(struct history *h, int at)
{
    json_t *ids = json_array();
    size_t count = 1 + random_below(h->random, PEOPLE_OF_DEAL_MAX);
    char id[ID_BYTES];

    for (size_t i = 0; i < count && history_pick(h, at, history_word(h, at, "contact"), id); i++) {
        bool has = false;

        for (size_t k = 0; k < json_array_size(ids); k++) {
            const json_t *known = json_array_get(ids, k);

            has = has || (json_is_string(known) ? strcmp(json_string_value(known), id) == 0
                                                : json_integer_value(known) == atoll(id));
        }
        if (!has) {
            json_array_append_new(ids, history_crm(h, at) == HUBSPOT ? json_string(id)
                                                                     : json_integer(atoll(id)));
        }
    }
    return ids;
}

static void choose_people(struct history *h, int at)
{
    char id[ID_BYTES];

    if (!history_pick(h, at, "deals", id)) {
        return;
    }
    history_tell(h, "people of deal", h->world->names[at].at, id);
    set_members(h, at, "deals", id,
                json_pack("{s:o}",
                          history_crm(h, at) == HUBSPOT ? "associations.contacts" : "participants",
                          some_people(h, at)));
}

static void make_deal(struct history *h, int at)
{
    char name[32];

    snprintf(name, sizeof name, "deal-%d", ++h->next);
    history_tell(h, "make deal", h->world->names[at].at, name);
    set_members(h, at, "deals", NULL,
                history_crm(h, at) == HUBSPOT
                    ? json_pack("{s:s,s:s,s:s,s:s}", "dealname", name, "pipeline", "default",
                                "dealstage", "qualifiedtobuy", "amount", "7")
                    : json_pack("{s:s,s:i,s:s}", "title", name, "value", 7, "currency", "EUR"));
}

static const char *activity_word(enum crm crm)
{
    return crm == HUBSPOT ? "tasks" : "activities";
}

static void name_activity(struct history *h, int at)
{
    char id[ID_BYTES], value[TOKEN_BYTES];

    if (!history_pick(h, at, activity_word(history_crm(h, at)), id)) {
        return;
    }
    history_token(h, history_side(at), id, TOKEN_ACTIVITY_SUBJECT, value);
    history_tell(h, "name activity", h->world->names[at].at, value);
    set_members(
        h, at, activity_word(history_crm(h, at)), id,
        json_pack("{s:s}", history_crm(h, at) == HUBSPOT ? "hs_task_subject" : "subject", value));
}

static void make_activity(struct history *h, int at)
{
    char name[32];

    snprintf(name, sizeof name, "task-%d", ++h->next);
    history_tell(h, "make activity", h->world->names[at].at, name);
    set_members(h, at, activity_word(history_crm(h, at)), NULL,
                history_crm(h, at) == HUBSPOT
                    ? json_pack("{s:s,s:s,s:s}", "hs_task_subject", name, "hs_timestamp",
                                "2026-06-01T10:30:00.000Z", "hs_task_status", "NOT_STARTED")
                    : json_pack("{s:s,s:s,s:s,s:s}", "subject", name, "type", "task", "due_date",
                                "2026-06-01", "due_time", "10:30"));
}

static void delete_one(struct history *h, int at, const char *word)
{
    char id[ID_BYTES];

    if (!history_pick(h, at, word, id)) {
        return;
    }
    history_supersede(h, history_side(at), id);
    history_tell(h, "delete", h->world->names[at].at, id);
    history_order(h, at, "/__sim/delete", json_pack("{s:s,s:s}", "object", word, "id", id));
}

static void edit_here(struct history *h, const char *kind, const char *field_name,
                      enum token_field field)
{
    AUTO_ARENA struct arena arena = {0};
    char id[ID_BYTES], value[TOKEN_BYTES];
    struct edit edit = world_edit(h->world);
    struct fields changes = {0};
    struct store_record record;
    struct error err = {0};

    if (!history_pick_record(h, kind, id)) {
        return;
    }
    history_token(h, 'l', id, field, value);
    history_tell(h, "edit", kind, value);
    fields_set(&changes, &arena, str_of(field_name), VALUE_OF(str_of(value)));
    if (edit_update(&edit, str_of(id), &changes, 0, &arena, &record, &err) != OK) {
        history_violated(h, "local edit", err.message);
    }
}

void work_act(struct history *h)
{
    static void (*const ACTIONS[])(struct history *, int) = {
        rename_deal,   rename_deal, price_deal,    move_deal,     move_deal,     close_deal,
        choose_people, make_deal,   name_activity, name_activity, make_activity, choose_people};
    int at = history_some_side(h);
    uint64_t roll = random_below(h->random, COUNT_OF(ACTIONS) + 4);

    if (roll < COUNT_OF(ACTIONS)) {
        ACTIONS[roll](h, at);
    } else if (roll == COUNT_OF(ACTIONS)) {
        delete_one(h, at, "deals");
    } else if (roll == COUNT_OF(ACTIONS) + 1) {
        delete_one(h, at, activity_word(history_crm(h, at)));
    } else if (roll == COUNT_OF(ACTIONS) + 2) {
        edit_here(h, "deal", "name", TOKEN_DEAL_NAME);
    } else {
        edit_here(h, "activity", "subject", TOKEN_ACTIVITY_SUBJECT);
    }
}
