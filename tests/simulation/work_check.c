/* What must hold of deals and activities when a history has come to rest: the ground truth of all CRMs, compared without the mapper. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/simulation/inside.h"

enum { WORDS_MAX = 6, STAGE_BYTES = 32, LEFTOVERS_MAX = 64, RECORDS_MAX = 400 };

static const char *const WORDS[CRMS][WORDS_MAX] = {
    {"deals", "calls", "emails", "meetings", "notes", "tasks"},
    {"deals", "activities", "notes"},
    {"Opportunity", "Task", "Event", "OpportunityContactRole"},
};
/* A stage's word at each CRM, numbered as at Pipedrive; finer ones of Salesforce stand for one of the others'. */
static const struct {
    const char *word;
    int number;
} STAGES[] = {
    {"appointmentscheduled", 1},  {"qualifiedtobuy", 2},      {"presentationscheduled", 3},
    {"decisionmakerboughtin", 4}, {"contractsent", 5},        {"Prospecting", 1},
    {"Qualification", 1},         {"Needs Analysis", 2},      {"Value Proposition", 3},
    {"Id. Decision Makers", 3},   {"Perception Analysis", 4}, {"Proposal/Price Quote", 4},
    {"Negotiation/Review", 5}};

/* An object whose record went into another one at another CRM. */
struct leftover {
    int at;
    struct str remote_id;
    int64_t survivor_id;
};

/* The world's work, by connection and word. */
struct work {
    struct checking *c;
    json_t *states[CONNECTIONS_MAX][WORDS_MAX];
    struct leftover leftovers[LEFTOVERS_MAX];
    size_t leftovers_count;
};

static void read_work(struct work *work)
{
    for (int at = 0; at < work->c->h->world->count; at++) {
        const char *const *words = WORDS[history_crm(work->c->h, at)];

        for (int i = 0; i < WORDS_MAX && words[i]; i++) {
            work->states[at][i] = world_state_of(work->c->h->world, at, words[i]);
        }
    }
}

static void forget_work(struct work *work)
{
    for (int at = 0; at < CONNECTIONS_MAX; at++) {
        for (int i = 0; i < WORDS_MAX; i++) {
            json_decref(work->states[at][i]);
        }
    }
}

/* remote id: "12" of a deal, "tasks:12", "activity:12" or "note:12" of an activity. */
/* remote id: "12" of a deal, "tasks:12", "activity:12" or "note:12" of an activity; at Salesforce an id says itself of what it is. */
static json_t *find_object(const struct work *work, int at, struct str remote_id)
{
    enum crm crm = history_crm(work->c->h, at);
    struct str rest = remote_id, word = str_cut(&rest, ':');
    struct str id = rest.at ? rest : remote_id;

    for (int i = 0; i < WORDS_MAX && WORDS[crm][i]; i++) {
        struct str here = str_of(WORDS[crm][i]);
        bool is_meant = !rest.at ? i == 0
                        : crm == HUBSPOT
                            ? str_equal(here, word)
                            : str_starts(here, str_slice(word, 0, word.len - 1)) && i > 0;
        json_t *object =
            is_meant || crm == SALESFORCE ? history_find_live(work->states[at][i], id) : NULL;

        if (object) {
            return object;
        }
    }
    return NULL;
}

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(json_object_get(object, "fields"), name));

    return text ? text : "";
}

static double number_of(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(json_object_get(object, "fields"), name);

    return json_is_string(value) ? strtod(json_string_value(value), NULL)
                                 : json_number_value(value);
}

/* "won", "lost", or "open" with the number of the stage at Pipedrive. */
static void standing(enum crm crm, const json_t *deal, char ret[STAGE_BYTES])
{
    static const char *const NAMES[CRMS] = {"dealstage", "status", "StageName"};
    const char *stage = text_of(deal, NAMES[crm]);

    if (crm == PIPEDRIVE) {
        bool is_open = strcmp(stage, "open") == 0;

        snprintf(ret, STAGE_BYTES, "%.10s %.0f", stage, is_open ? number_of(deal, "stage_id") : 0);
        return;
    }
    snprintf(ret, STAGE_BYTES, "%s 0",
             strcasestr(stage, "won")    ? "won"
             : strcasestr(stage, "lost") ? "lost"
                                         : "?");
    for (size_t i = 0; i < COUNT_OF(STAGES); i++) {
        if (strcmp(stage, STAGES[i].word) == 0) {
            snprintf(ret, STAGE_BYTES, "open %d", STAGES[i].number);
        }
    }
}

/* Salesforce keeps them as objects of their own. */
static bool has_role(const struct work *work, int at, const json_t *deal, struct str person_id)
{
    enum { ROLES = 3 };
    const char *deal_id = json_string_value(json_object_get(deal, "id"));
    size_t index;
    json_t *role;

    json_array_foreach(json_object_get(work->states[at][ROLES], "records"), index, role)
    {
        if (history_is_live(role) && strcmp(text_of(role, "OpportunityId"), deal_id) == 0 &&
            str_equal(str_of(text_of(role, "ContactId")), person_id)) {
            return true;
        }
    }
    return false;
}

static bool has_person(const struct work *work, int at, const json_t *deal, struct str person_id)
{
    enum crm crm = history_crm(work->c->h, at);
    json_t *fields = json_object_get(deal, "fields");
    json_t *ids =
        crm == HUBSPOT ? json_object_get(deal, "links") : json_object_get(fields, "participants");
    int64_t number = atoll(person_id.at);
    size_t index;
    json_t *entry;

    if (crm == SALESFORCE) {
        return has_role(work, at, deal, person_id);
    }
    if (crm == PIPEDRIVE && json_integer_value(json_object_get(fields, "person_id")) == number) {
        return true;
    }
    json_array_foreach(ids, index, entry)
    {
        const char *to = json_string_value(json_object_get(entry, "to"));
        const char *id = json_string_value(json_object_get(entry, "id"));

        if (crm == PIPEDRIVE
                ? json_integer_value(entry) == number
                : to && strcmp(to, "contacts") == 0 && str_equal(str_of(id), person_id)) {
            return true;
        }
    }
    return false;
}

/* One deal or activity at two connections. */
struct pair {
    struct work *work;
    const struct store_record *record;
    int at[2];
    const struct store_link *links[2];
    json_t *objects[2];
};

static enum crm crm_of(const struct pair *pair, int side)
{
    return history_crm(pair->work->c->h, pair->at[side]);
}

static bool is_excused(const struct pair *pair, const char *field)
{
    return history_is_excused(pair->work->c, pair->links[0], field) ||
           history_is_excused(pair->work->c, pair->links[1], field);
}

static void compare_text(const struct pair *pair, const char *field, const char *one,
                         const char *other)
{
    const struct world *world = pair->work->c->h->world;
    char what[512];

    if (strcmp(one, other) == 0 || is_excused(pair, field)) {
        return;
    }
    snprintf(what, sizeof what, "%s of %.10s %.36s: at %.16s %.20s '%.80s', at %.16s %.20s '%.80s'",
             field, pair->record->kind.at, pair->record->uuid.at, world->names[pair->at[0]].at,
             pair->links[0]->remote_id.at, one, world->names[pair->at[1]].at,
             pair->links[1]->remote_id.at, other);
    history_violated(pair->work->c->h, "I1 convergence", what);
}

/* The ids of a person where it is linked. */
static void person_ids(struct checking *c, const struct store_record *person,
                       struct str ret[CONNECTIONS_MAX])
{
    struct store_link *links;
    struct error err = {0};
    size_t count;

    if (links_of_record(c->tx, person->id, &c->arena, &links, &count, &err) != OK) {
        history_violated(c->h, "store", err.message);
    }
    for (size_t i = 0; i < count; i++) {
        if (links[i].state == LINK_LIVE) {
            ret[world_at(c->h->world, links[i].connection_id)] = links[i].remote_id;
        }
    }
}

/* The person itself, or its leftover: the object of one that went into this person at another CRM. */
static bool is_on_deal(const struct pair *pair, int side, const struct store_record *person,
                       struct str id)
{
    const struct work *work = pair->work;
    bool is_on = has_person(work, pair->at[side], pair->objects[side], id);

    for (size_t i = 0; i < work->leftovers_count && !is_on; i++) {
        is_on = work->leftovers[i].at == pair->at[side] &&
                work->leftovers[i].survivor_id == person->id &&
                has_person(work, pair->at[side], pair->objects[side], work->leftovers[i].remote_id);
    }
    return is_on;
}

/* Everybody who is linked at both is on the deal at both or at none. */
static void compare_people(const struct pair *pair)
{
    struct checking *c = pair->work->c;
    struct store_record *people;
    size_t count;
    struct error err = {0};

    if (record_list(c->tx, STR("contact"), 0, 100000, &c->arena, &people, &count, &err) != OK) {
        history_violated(c->h, "store", err.message);
    }
    for (size_t i = 0; i < count; i++) {
        struct str ids[CONNECTIONS_MAX] = {{0}};
        struct str one, other;

        person_ids(c, &people[i], ids);
        one = ids[pair->at[0]];
        other = ids[pair->at[1]];
        if (one.len && other.len) {
            compare_text(pair, "contact_ids", is_on_deal(pair, 0, &people[i], one) ? one.at : "",
                         is_on_deal(pair, 1, &people[i], other) ? one.at : "");
        }
    }
}

static const char *const NAMES[CRMS] = {"dealname", "title", "Name"};

static void compare_deal(const struct pair *pair)
{
    static const char *const AMOUNTS[CRMS] = {"amount", "value", "Amount"};
    char standings[2][STAGE_BYTES], amounts[2][STAGE_BYTES];

    for (int side = 0; side < 2; side++) {
        snprintf(amounts[side], STAGE_BYTES, "%.2f",
                 number_of(pair->objects[side], AMOUNTS[crm_of(pair, side)]));
        standing(crm_of(pair, side), pair->objects[side], standings[side]);
    }
    compare_text(pair, "name", text_of(pair->objects[0], NAMES[crm_of(pair, 0)]),
                 text_of(pair->objects[1], NAMES[crm_of(pair, 1)]));
    compare_text(pair, "amount", amounts[0], amounts[1]);
    if (!is_excused(pair, "status")) {
        compare_text(pair, "stage", standings[0], standings[1]);
    }
    compare_people(pair);
}

static const char *subject_of(enum crm crm, const json_t *object)
{
    static const char *const SUBJECTS[] = {"hs_call_title", "hs_email_subject", "hs_meeting_title",
                                           "hs_task_subject"};

    for (size_t i = 0; crm == HUBSPOT && i < COUNT_OF(SUBJECTS); i++) {
        const char *text = text_of(object, SUBJECTS[i]);

        if (text[0]) {
            return text;
        }
    }
    return crm == HUBSPOT ? "" : text_of(object, crm == PIPEDRIVE ? "subject" : "Subject");
}

/* Notes have no subject at HubSpot and Pipedrive. */
static bool is_note(const struct store_link *link)
{
    return str_starts(link->remote_id, STR("note"));
}

static void compare(const struct pair *pair)
{
    if (str_equal(pair->record->kind, STR("deal"))) {
        compare_deal(pair);
    } else if (!is_note(pair->links[0]) && !is_note(pair->links[1])) {
        compare_text(pair, "subject", subject_of(crm_of(pair, 0), pair->objects[0]),
                     subject_of(crm_of(pair, 1), pair->objects[1]));
    }
    pair->work->c->h->counts->works++;
}

/* What is gone although a live link points to it is nobody's. */
static json_t *object_of(struct work *work, const struct store_link *link)
{
    struct checking *c = work->c;
    json_t *object = find_object(work, world_at(c->h->world, link->connection_id), link->remote_id);

    if (!object) {
        history_violated(c->h, "I1 convergence",
                         arena_printf(&c->arena,
                                      "a live link points to %" PRI_STR ", which is gone",
                                      STR_ARG(link->remote_id))
                             .at);
    }
    return object;
}

/* Every object of the record against the first. */
static void check_record(struct work *work, const struct store_record *record)
{
    struct checking *c = work->c;
    struct pair pair = {.work = work, .record = record};
    struct store_link *links;
    size_t count, live = 0;
    struct error err = {0};

    if (links_of_record(c->tx, record->id, &c->arena, &links, &count, &err) != OK) {
        history_violated(c->h, "store", err.message);
    }
    for (size_t i = 0; i < count; i++) {
        int side = live > 0;

        if (links[i].state != LINK_LIVE) {
            continue;
        }
        pair.links[side] = &links[i];
        pair.at[side] = world_at(c->h->world, links[i].connection_id);
        pair.objects[side] = object_of(work, &links[i]);
        if (live++ > 0) {
            compare(&pair);
        }
    }
}

static void add_leftovers(struct work *work, int64_t record_id, int64_t survivor_id)
{
    struct checking *c = work->c;
    struct store_link *links;
    struct error err = {0};
    size_t count;

    if (links_of_record(c->tx, record_id, &c->arena, &links, &count, &err) != OK) {
        history_violated(c->h, "store", err.message);
    }
    for (size_t i = 0; i < count && work->leftovers_count < LEFTOVERS_MAX; i++) {
        if (links[i].state == LINK_MERGED) {
            work->leftovers[work->leftovers_count++] =
                (struct leftover){.at = world_at(c->h->world, links[i].connection_id),
                                  .remote_id = links[i].remote_id,
                                  .survivor_id = survivor_id};
        }
    }
}

static void find_leftovers(struct work *work)
{
    struct checking *c = work->c;

    for (int64_t id = 1; id < RECORDS_MAX; id++) {
        struct store_record record;
        struct error err = {0};
        bool found;

        if (record_by_id(c->tx, id, &c->arena, &record, &found, &err) != OK) {
            history_violated(c->h, "store", err.message);
        }
        while (found && record.state == RECORD_MERGED) {
            if (record_by_id(c->tx, record.merged_into, &c->arena, &record, &found, &err) != OK) {
                history_violated(c->h, "store", err.message);
            }
        }
        if (found && record.id != id) {
            add_leftovers(work, id, record.id);
        }
    }
}

/* --- I3 --------------------------------------------------------------------------------------------------------------------- */

/* By a person of a history, and so once only; those that were there at first may have namesakes. */
static bool is_typed(const char *name)
{
    struct str text = str_of(name);

    return str_starts(text, STR("tok-")) || str_starts(text, STR("deal-")) ||
           str_starts(text, STR("task-"));
}

/* No deal and no activity is at a CRM twice. */
static void check_once(const struct work *work, int at, int word)
{
    enum crm crm = history_crm(work->c->h, at);
    json_t *seen = json_object();
    size_t index;
    json_t *object;

    json_array_foreach(json_object_get(work->states[at][word], "records"), index, object)
    {
        const char *name = word == 0 ? text_of(object, NAMES[crm]) : subject_of(crm, object);

        if (!history_is_live(object) || !is_typed(name)) {
            continue;
        }
        if (json_object_get(seen, name)) {
            history_violated(work->c->h, "I3 no duplicate",
                             arena_printf(&work->c->arena, "two of %s at %" PRI_STR " are '%s'",
                                          WORDS[crm][word], STR_ARG(work->c->h->world->names[at]),
                                          name)
                                 .at);
        }
        json_object_set_new(seen, name, json_true());
    }
    json_decref(seen);
}

static void check_all_once(const struct work *work)
{
    for (int at = 0; at < work->c->h->world->count; at++) {
        for (int word = 0; word < WORDS_MAX && work->states[at][word]; word++) {
            check_once(work, at, word);
        }
    }
}

void work_check(struct checking *c)
{
    static const char *const KINDS[] = {"deal", "activity"};
    struct work work = {.c = c};

    read_work(&work);
    find_leftovers(&work);
    for (size_t k = 0; k < COUNT_OF(KINDS); k++) {
        struct store_record *records;
        struct error err = {0};
        size_t count;

        if (record_list(c->tx, str_of(KINDS[k]), 0, 100000, &c->arena, &records, &count, &err) !=
            OK) {
            history_violated(c->h, "store", err.message);
        }
        for (size_t i = 0; i < count; i++) {
            check_record(&work, &records[i]);
        }
    }
    check_all_once(&work);
    forget_work(&work);
}

bool work_is_visible(struct checking *c, const struct token *token)
{
    struct work work = {.c = c};
    bool is_found = false;

    read_work(&work);
    for (int at = 0; at < c->h->world->count; at++) {
        for (int i = 0; i < WORDS_MAX && work.states[at][i]; i++) {
            char *all = json_dumps(work.states[at][i], 0);
            char quoted[TOKEN_BYTES + 2];

            snprintf(quoted, sizeof quoted, "\"%s\"", token->text);
            is_found = is_found || strstr(all, quoted);
            free(all);
        }
    }
    forget_work(&work);
    return is_found;
}
