/* Deals and activities in the histories: people edit, move, close, make and delete them at every CRM and here, and choose the people of a deal. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/simulation/inside.h"

enum { STAGES = 5, PEOPLE_OF_DEAL_MAX = 3 };

/* What each CRM calls its things. */
static const struct {
    const char *deal, *deal_name, *activity, *subject;
} WORDS[CRMS] = {{"deals", "dealname", "tasks", "hs_task_subject"},
                 {"deals", "title", "activities", "subject"},
                 {"Opportunity", "Name", "Task", "Subject"}};
static const char *const STAGE_NAMES[STAGES][2] = {
    {"appointmentscheduled", "Qualification"},
    {"qualifiedtobuy", "Needs Analysis"},
    {"presentationscheduled", "Value Proposition"},
    {"decisionmakerboughtin", "Proposal/Price Quote"},
    {"contractsent", "Negotiation/Review"}};

static const char *deal_word(const struct history *h, int at)
{
    return WORDS[history_crm(h, at)].deal;
}

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

    if (!history_pick(h, at, deal_word(h, at), id)) {
        return;
    }
    history_token(h, history_side(at), id, TOKEN_DEAL_NAME, value);
    history_tell(h, "name deal", h->world->names[at].at, value);
    set_members(h, at, deal_word(h, at), id,
                json_pack("{s:s}", WORDS[history_crm(h, at)].deal_name, value));
}

static json_t *price_of(enum crm crm, int amount)
{
    char text[32];

    snprintf(text, sizeof text, "%d.5", amount);
    return crm == HUBSPOT
               ? json_pack("{s:s}", "amount", text)
               : json_pack("{s:f}", crm == PIPEDRIVE ? "value" : "Amount", (double)amount + 0.5);
}

static void price_deal(struct history *h, int at)
{
    char id[ID_BYTES];
    int amount = (int)random_below(h->random, 1000);

    if (!history_pick(h, at, deal_word(h, at), id)) {
        return;
    }
    history_tell(h, "price deal", h->world->names[at].at, id);
    set_members(h, at, deal_word(h, at), id, price_of(history_crm(h, at), amount));
}

static json_t *stage_of(enum crm crm, int stage)
{
    switch (crm) {
    case HUBSPOT:
        return json_pack("{s:s}", "dealstage", STAGE_NAMES[stage][0]);
    case SALESFORCE:
        return json_pack("{s:s}", "StageName", STAGE_NAMES[stage][1]);
    case PIPEDRIVE:
    case CRMS:
        break;
    }
    return json_pack("{s:i,s:s}", "stage_id", stage + 1, "status", "open");
}

static void move_deal(struct history *h, int at)
{
    char id[ID_BYTES];
    int stage = (int)random_below(h->random, STAGES);

    if (!history_pick(h, at, deal_word(h, at), id)) {
        return;
    }
    history_tell(h, "move deal", h->world->names[at].at, STAGE_NAMES[stage][0]);
    set_members(h, at, deal_word(h, at), id, stage_of(history_crm(h, at), stage));
}

static json_t *end_of(enum crm crm, bool is_won)
{
    switch (crm) {
    case HUBSPOT:
        return json_pack("{s:s}", "dealstage", is_won ? "closedwon" : "closedlost");
    case SALESFORCE:
        return json_pack("{s:s}", "StageName", is_won ? "Closed Won" : "Closed Lost");
    case PIPEDRIVE:
    case CRMS:
        break;
    }
    return json_pack("{s:s}", "status", is_won ? "won" : "lost");
}

static void close_deal(struct history *h, int at)
{
    char id[ID_BYTES];
    bool is_won = random_below(h->random, 2);

    if (!history_pick(h, at, deal_word(h, at), id)) {
        return;
    }
    history_tell(h, "close deal", h->world->names[at].at, is_won ? "won" : "lost");
    set_members(h, at, deal_word(h, at), id, end_of(history_crm(h, at), is_won));
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

/* At Salesforce each is an object of its own; one more joins. */
static void add_role(struct history *h, int at, const char *deal)
{
    json_t *state = world_state_of(h->world, at, "OpportunityContactRole");
    char person[ID_BYTES];
    size_t index;
    json_t *role;
    bool is_there = !history_pick(h, at, history_word(h, at, "contact"), person);

    json_array_foreach(json_object_get(state, "records"), index, role)
    {
        const json_t *fields = json_object_get(role, "fields");

        is_there =
            is_there ||
            (history_is_live(role) &&
             strcmp(json_string_value(json_object_get(fields, "OpportunityId")), deal) == 0 &&
             strcmp(json_string_value(json_object_get(fields, "ContactId")), person) == 0);
    }
    json_decref(state);
    if (!is_there) {
        set_members(h, at, "OpportunityContactRole", NULL,
                    json_pack("{s:s,s:s}", "OpportunityId", deal, "ContactId", person));
    }
}

static void choose_people(struct history *h, int at)
{
    char id[ID_BYTES];

    if (!history_pick(h, at, deal_word(h, at), id)) {
        return;
    }
    history_tell(h, "people of deal", h->world->names[at].at, id);
    if (history_crm(h, at) == SALESFORCE) {
        add_role(h, at, id);
        return;
    }
    set_members(h, at, deal_word(h, at), id,
                json_pack("{s:o}",
                          history_crm(h, at) == HUBSPOT ? "associations.contacts" : "participants",
                          some_people(h, at)));
}

static json_t *new_deal(enum crm crm, const char *name)
{
    switch (crm) {
    case HUBSPOT:
        return json_pack("{s:s,s:s,s:s,s:s}", "dealname", name, "pipeline", "default", "dealstage",
                         "qualifiedtobuy", "amount", "7");
    case SALESFORCE:
        return json_pack("{s:s,s:s,s:s,s:i}", "Name", name, "StageName", "Needs Analysis",
                         "CloseDate", "2026-06-30", "Amount", 7);
    case PIPEDRIVE:
    case CRMS:
        break;
    }
    return json_pack("{s:s,s:i,s:s}", "title", name, "value", 7, "currency", "EUR");
}

static void make_deal(struct history *h, int at)
{
    char name[32];

    snprintf(name, sizeof name, "deal-%d", ++h->next);
    history_tell(h, "make deal", h->world->names[at].at, name);
    set_members(h, at, deal_word(h, at), NULL, new_deal(history_crm(h, at), name));
}

static const char *activity_word(enum crm crm)
{
    return WORDS[crm].activity;
}

static void name_activity(struct history *h, int at)
{
    char id[ID_BYTES], value[TOKEN_BYTES];

    if (!history_pick(h, at, activity_word(history_crm(h, at)), id)) {
        return;
    }
    history_token(h, history_side(at), id, TOKEN_ACTIVITY_SUBJECT, value);
    history_tell(h, "name activity", h->world->names[at].at, value);
    set_members(h, at, activity_word(history_crm(h, at)), id,
                json_pack("{s:s}", WORDS[history_crm(h, at)].subject, value));
}

static json_t *new_activity(enum crm crm, const char *name)
{
    switch (crm) {
    case HUBSPOT:
        return json_pack("{s:s,s:s,s:s}", "hs_task_subject", name, "hs_timestamp",
                         "2026-06-01T10:30:00.000Z", "hs_task_status", "NOT_STARTED");
    case SALESFORCE:
        return json_pack("{s:s,s:s,s:s,s:s}", "Subject", name, "Status", "Not Started", "Priority",
                         "Normal", "ActivityDate", "2026-06-01");
    case PIPEDRIVE:
    case CRMS:
        break;
    }
    return json_pack("{s:s,s:s,s:s,s:s}", "subject", name, "type", "task", "due_date", "2026-06-01",
                     "due_time", "10:30");
}

static void make_activity(struct history *h, int at)
{
    char name[32];

    snprintf(name, sizeof name, "task-%d", ++h->next);
    history_tell(h, "make activity", h->world->names[at].at, name);
    set_members(h, at, activity_word(history_crm(h, at)), NULL,
                new_activity(history_crm(h, at), name));
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
        delete_one(h, at, deal_word(h, at));
    } else if (roll == COUNT_OF(ACTIONS) + 1) {
        delete_one(h, at, activity_word(history_crm(h, at)));
    } else if (roll == COUNT_OF(ACTIONS) + 2) {
        edit_here(h, "deal", "name", TOKEN_DEAL_NAME);
    } else {
        edit_here(h, "activity", "subject", TOKEN_ACTIVITY_SUBJECT);
    }
}
