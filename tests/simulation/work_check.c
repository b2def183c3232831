/* What must hold of deals and activities when a history has come to rest: the ground truth of both CRMs, compared without the mapper. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/simulation/inside.h"

enum { WORDS_MAX = 6, STAGE_BYTES = 32 };

static const char *const WORDS[CRMS][WORDS_MAX] = {
    {"deals", "calls", "emails", "meetings", "notes", "tasks"},
    {"deals", "activities", "notes"},
};
static const char *const STAGES[][2] = {{"appointmentscheduled", "1"},
                                        {"qualifiedtobuy", "2"},
                                        {"presentationscheduled", "3"},
                                        {"decisionmakerboughtin", "4"},
                                        {"contractsent", "5"}};

/* The world's work, by CRM and word. */
struct work {
    struct checking *c;
    json_t *states[CRMS][WORDS_MAX];
};

static void read_work(struct work *work)
{
    for (int crm = 0; crm < CRMS; crm++) {
        for (int i = 0; i < WORDS_MAX && WORDS[crm][i]; i++) {
            work->states[crm][i] = world_state_of(work->c->h->world, (enum crm)crm, WORDS[crm][i]);
        }
    }
}

static void forget_work(struct work *work)
{
    for (int crm = 0; crm < CRMS; crm++) {
        for (int i = 0; i < WORDS_MAX; i++) {
            json_decref(work->states[crm][i]);
        }
    }
}

/* remote id: "12" of a deal, "tasks:12", "activity:12" or "note:12" of an activity. */
static json_t *find_object(const struct work *work, enum crm crm, struct str remote_id)
{
    struct str rest = remote_id, word = str_cut(&rest, ':');
    struct str id = rest.at ? rest : remote_id;

    for (int i = 0; i < WORDS_MAX && WORDS[crm][i]; i++) {
        struct str here = str_of(WORDS[crm][i]);
        bool is_meant = !rest.at ? i == 0
                        : crm == HUBSPOT
                            ? str_equal(here, word)
                            : str_starts(here, str_slice(word, 0, word.len - 1)) && i > 0;

        if (is_meant) {
            return history_find_live(work->states[crm][i], id);
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
    const char *stage = text_of(deal, crm == HUBSPOT ? "dealstage" : "status");

    if (crm == PIPEDRIVE) {
        bool is_open = strcmp(stage, "open") == 0;

        snprintf(ret, STAGE_BYTES, "%.10s %.0f", stage, is_open ? number_of(deal, "stage_id") : 0);
        return;
    }
    snprintf(ret, STAGE_BYTES, "%.10s 0", strncmp(stage, "closed", 6) == 0 ? stage + 6 : "?");
    for (size_t i = 0; i < COUNT_OF(STAGES); i++) {
        if (strcmp(stage, STAGES[i][0]) == 0) {
            snprintf(ret, STAGE_BYTES, "open %s", STAGES[i][1]);
        }
    }
}

static bool has_person(enum crm crm, const json_t *deal, struct str person_id)
{
    json_t *fields = json_object_get(deal, "fields");
    json_t *ids =
        crm == HUBSPOT ? json_object_get(deal, "links") : json_object_get(fields, "participants");
    int64_t number = atoll(person_id.at);
    size_t index;
    json_t *entry;

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

/* One deal or activity at both CRMs. */
struct pair {
    struct work *work;
    const struct store_record *record;
    const struct store_link *links[CRMS];
    json_t *objects[CRMS];
};

static void differs(const struct pair *pair, const char *field, const char *one, const char *other)
{
    struct checking *c = pair->work->c;
    char what[512];

    if (history_is_excused(c, pair->links[HUBSPOT], field) ||
        history_is_excused(c, pair->links[PIPEDRIVE], field)) {
        return;
    }
    snprintf(what, sizeof what,
             "%s of %.10s %.36s: at hubspot %.20s '%.80s', at pipedrive %.20s '%.80s'", field,
             pair->record->kind.at, pair->record->uuid.at, pair->links[HUBSPOT]->remote_id.at, one,
             pair->links[PIPEDRIVE]->remote_id.at, other);
    history_violated(c->h, "I1 convergence", what);
}

static void compare_text(const struct pair *pair, const char *field, const char *one,
                         const char *other)
{
    if (strcmp(one, other) != 0) {
        differs(pair, field, one, other);
    }
}

/* Everybody who is linked at both CRMs is on the deal at both or at none. */
static void compare_people(const struct pair *pair)
{
    struct checking *c = pair->work->c;
    struct store_record *people;
    struct store_link *links;
    size_t count, links_count;
    struct error err = {0};

    if (record_list(c->tx, STR("contact"), 0, 100000, &c->arena, &people, &count, &err) != OK) {
        history_violated(c->h, "store", err.message);
    }
    for (size_t i = 0; i < count; i++) {
        struct str ids[CRMS] = {{0}};

        if (links_of_record(c->tx, people[i].id, &c->arena, &links, &links_count, &err) != OK) {
            history_violated(c->h, "store", err.message);
        }
        for (size_t k = 0; k < links_count; k++) {
            if (links[k].state == LINK_LIVE) {
                ids[links[k].connection_id != c->h->world->connections[HUBSPOT].row.id] =
                    links[k].remote_id;
            }
        }
        if (ids[HUBSPOT].len && ids[PIPEDRIVE].len &&
            has_person(HUBSPOT, pair->objects[HUBSPOT], ids[HUBSPOT]) !=
                has_person(PIPEDRIVE, pair->objects[PIPEDRIVE], ids[PIPEDRIVE])) {
            differs(pair, "contact_ids", ids[HUBSPOT].at, ids[PIPEDRIVE].at);
        }
    }
}

static void compare_deal(const struct pair *pair)
{
    const json_t *one = pair->objects[HUBSPOT], *other = pair->objects[PIPEDRIVE];
    char standings[CRMS][STAGE_BYTES];

    compare_text(pair, "name", text_of(one, "dealname"), text_of(other, "title"));
    if (number_of(one, "amount") != number_of(other, "value")) {
        differs(pair, "amount", text_of(one, "amount"), "another");
    }
    standing(HUBSPOT, one, standings[HUBSPOT]);
    standing(PIPEDRIVE, other, standings[PIPEDRIVE]);
    if (!history_is_excused(pair->work->c, pair->links[HUBSPOT], "status") &&
        !history_is_excused(pair->work->c, pair->links[PIPEDRIVE], "status")) {
        compare_text(pair, "stage", standings[HUBSPOT], standings[PIPEDRIVE]);
    }
    compare_people(pair);
}

static void compare_activity(const struct pair *pair)
{
    static const char *const SUBJECTS[] = {"hs_call_title", "hs_email_subject", "hs_meeting_title",
                                           "hs_task_subject"};
    const char *subject = "";

    for (size_t i = 0; i < COUNT_OF(SUBJECTS); i++) {
        const char *text = text_of(pair->objects[HUBSPOT], SUBJECTS[i]);

        subject = text[0] ? text : subject;
    }
    compare_text(pair, "subject", subject, text_of(pair->objects[PIPEDRIVE], "subject"));
}

static void check_record(struct work *work, const struct store_record *record)
{
    struct checking *c = work->c;
    struct pair pair = {.work = work, .record = record};
    struct store_link *links;
    size_t count;
    struct error err = {0};

    if (links_of_record(c->tx, record->id, &c->arena, &links, &count, &err) != OK) {
        history_violated(c->h, "store", err.message);
    }
    for (size_t i = 0; i < count; i++) {
        enum crm crm = links[i].connection_id == c->h->world->connections[HUBSPOT].row.id
                           ? HUBSPOT
                           : PIPEDRIVE;

        if (links[i].state != LINK_LIVE) {
            continue;
        }
        pair.links[crm] = &links[i];
        pair.objects[crm] = find_object(work, crm, links[i].remote_id);
        if (!pair.objects[crm]) {
            history_violated(c->h, "I1 convergence",
                             arena_printf(&c->arena,
                                          "a live link points to %" PRI_STR ", which is gone",
                                          STR_ARG(links[i].remote_id))
                                 .at);
        }
    }
    if (!pair.links[HUBSPOT] || !pair.links[PIPEDRIVE]) {
        return;
    }
    if (str_equal(record->kind, STR("deal"))) {
        compare_deal(&pair);
    } else {
        compare_activity(&pair);
    }
    c->h->counts->works++;
}

void work_check(struct checking *c)
{
    static const char *const KINDS[] = {"deal", "activity"};
    struct work work = {.c = c};

    read_work(&work);
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
    forget_work(&work);
}

bool work_is_visible(struct checking *c, const struct token *token)
{
    struct work work = {.c = c};
    bool is_found = false;

    read_work(&work);
    for (int crm = 0; crm < CRMS; crm++) {
        for (int i = 0; i < WORDS_MAX && WORDS[crm][i]; i++) {
            char *all = json_dumps(work.states[crm][i], 0);
            char quoted[TOKEN_BYTES + 2];

            snprintf(quoted, sizeof quoted, "\"%s\"", token->text);
            is_found = is_found || strstr(all, quoted);
            free(all);
        }
    }
    forget_work(&work);
    return is_found;
}
