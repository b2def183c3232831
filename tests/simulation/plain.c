/* Plain histories: people edit, make, and delete by mistake and bring back in time; nobody goes for good and nothing is merged. So there is never a reason to
 * delete anybody, and a value that we wrote is never anybody's edit. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tests/simulation/inside.h"

enum { HERE = -1, APART_MS_MAX = 3000, IN_TIME_MS = 500 * 1000 };

/* Where a person can be typed into. */
struct side {
    int at; /* HERE: the id is the record's */
    char id[ID_BYTES];
};

static size_t sides_of(struct history *h, const char *uuid, struct side ret[CONNECTIONS_MAX + 1])
{
    AUTO_ARENA struct arena arena = {0};
    AUTO_TX struct tx *tx = NULL;
    struct store_record record;
    struct store_link *links;
    struct error err = {0};
    size_t links_count, count = 1;
    bool found;

    if (tx_begin(h->world->store, TENANT_DEFAULT, &tx, &err) != OK ||
        record_by_uuid(tx, str_of(uuid), &arena, &record, &found, &err) != OK ||
        links_of_record(tx, record.id, &arena, &links, &links_count, &err) != OK) {
        history_violated(h, "store", err.message);
    }
    ret[0].at = HERE;
    snprintf(ret[0].id, ID_BYTES, "%s", uuid);
    for (size_t i = 0; i < links_count; i++) {
        int at = world_at(h->world, links[i].connection_id);
        json_t *state = world_state(h->world, at, "contact");

        if (links[i].state == LINK_LIVE && history_find_live(state, links[i].remote_id)) {
            ret[count].at = at;
            snprintf(ret[count++].id, ID_BYTES, "%s", links[i].remote_id.at);
        }
        json_decref(state);
    }
    return count;
}

static void type_at(struct history *h, const struct side *side, enum token_field field)
{
    if (side->at == HERE) {
        people_type_here(h, side->id, field);
    } else {
        people_type(h, side->at, side->id, field);
    }
}

void plain_clash(struct history *h)
{
    enum token_field field = (enum token_field)random_below(h->random, TOKEN_OF_PEOPLE);
    struct side sides[CONNECTIONS_MAX + 1];
    char uuid[ID_BYTES];
    size_t count, one, other;

    if (!history_pick_record(h, "contact", uuid)) {
        return;
    }
    count = sides_of(h, uuid, sides);
    one = (size_t)random_below(h->random, count);
    other = (size_t)random_below(h->random, count);
    if (one == other) {
        return;
    }
    type_at(h, &sides[one], field);
    clock_wait_ms(h->world->env.clock, (int64_t)random_below(h->random, 3) *
                                           (int64_t)random_below(h->random, APART_MS_MAX));
    type_at(h, &sides[other], field);
}

/* The object's link and record; false: it has none, or not a living one. */
static bool find_pair(struct history *h, int at, const char *id, struct arena *arena,
                      struct store_link *link, struct store_record *record)
{
    AUTO_TX struct tx *tx = NULL;
    struct error err = {0};
    bool has_link, has_record = false;

    if (tx_begin(h->world->store, TENANT_DEFAULT, &tx, &err) != OK ||
        link_by_remote(tx, h->world->connections[at].row.id, STR("contact"), str_of(id), arena,
                       link, &has_link, &err) != OK ||
        (has_link && record_by_id(tx, link->record_id, arena, record, &has_record, &err) != OK)) {
        history_violated(h, "store", err.message);
    }
    return has_link && has_record && link->state == LINK_LIVE;
}

static bool is_known(struct history *h, int at, const char *id)
{
    AUTO_ARENA struct arena arena = {0};
    struct store_link link;
    struct store_record record;

    return find_pair(h, at, id, &arena, &link, &record);
}

/* Nothing is to be written there of this field: both sides hold what was agreed on. */
static bool is_agreed(struct history *h, int at, const char *id, enum token_field field)
{
    AUTO_ARENA struct arena arena = {0};
    struct str name = str_of(people_field(field));
    struct store_link link;
    struct store_record record;

    return find_pair(h, at, id, &arena, &link, &record) &&
           value_equal(fields_get(&record.fields, name), fields_get(&link.base.hub, name));
}

/* Salesforce is asked to write only what is as it was read; it compares whole seconds. */
static bool is_guarded(struct history *h, int at, const char *id)
{
    json_t *state = world_state(h->world, at, "contact");
    const json_t *person = history_find_live(state, str_of(id));
    int64_t modified_ms = json_integer_value(json_object_get(person, "modified_ms"));
    bool is_old = clock_wall_ms(h->world->env.clock) - modified_ms > 2 * 1000;

    json_decref(state);
    return history_crm(h, at) == SALESFORCE && is_old;
}

void plain_edit_in_air(struct history *h, int at)
{
    enum token_field field = (enum token_field)random_below(h->random, TOKEN_OF_PEOPLE);
    char id[ID_BYTES];

    if (history_pick(h, at, history_word(h, at, "contact"), id) &&
        (is_guarded(h, at, id) || is_agreed(h, at, id, field))) {
        people_type(h, at, id, field);
    }
}

static void work(struct history *h)
{
    struct sync_report report;

    if (h->service) {
        service_run(h->service, 120 * 1000);
    } else {
        world_sync(h->world, true, &report);
    }
}

/* Deleted by mistake, seen to be gone, and back before the grace time is over. A sync may take longer than that when a CRM is in trouble. */
static void leave_and_return(struct history *h, int at)
{
    struct clock *clock = h->world->env.clock;
    int64_t began_ms = clock_wall_ms(clock);
    char id[ID_BYTES];

    /* In place of one that nobody knows of a new one may be made. */
    if (!history_pick(h, at, history_word(h, at, "contact"), id) || !is_known(h, at, id)) {
        return;
    }
    people_remove(h, at, id);
    clock_wait_ms(clock, (int64_t)random_below(h->random, 60) * 1000);
    work(h);
    if (random_below(h->random, 2)) {
        work(h);
    }
    h->has_lost = h->has_lost || clock_wall_ms(clock) - began_ms > IN_TIME_MS;
    people_bring_back(h, at, id);
}

bool plain_act(struct history *h)
{
    int at = history_some_side(h);
    uint64_t roll = random_below(h->random, 100);

    if (roll < 30) {
        people_edit(h, at);
    } else if (roll < 42) {
        people_edit_here(h);
    } else if (roll < 54) {
        plain_clash(h);
    } else if (roll < 64) {
        people_create(h, at);
    } else if (roll < 70) {
        people_create_here(h);
    } else if (roll < 74) {
        leave_and_return(h, at);
    } else {
        return false;
    }
    return true;
}

static void check_nobody_went(struct checking *c, int at)
{
    size_t index;
    json_t *person;

    json_array_foreach(json_object_get(c->states[at], "records"), index, person)
    {
        if (!history_is_live(person)) {
            history_violated(c->h, "I4 deletes have a reason",
                             arena_printf(&c->arena, "%s at %" PRI_STR " was deleted by nobody",
                                          json_string_value(json_object_get(person, "id")),
                                          STR_ARG(c->h->world->names[at]))
                                 .at);
        }
    }
}

static bool is_one_person(const struct store_record *one, const struct store_record *other)
{
    const struct value *mine = fields_get(&one->fields, STR("email"));
    const struct value *theirs = fields_get(&other->fields, STR("email"));

    return mine->state == VALUE_TEXT && theirs->state == VALUE_TEXT &&
           str_equal_nocase(mine->text, theirs->text);
}

/* Every address is typed in once at each CRM, so all its objects are one person. */
static void check_one_record_each(struct checking *c)
{
    struct store_record *people;
    struct error err = {0};
    size_t count;

    if (record_list(c->tx, STR("contact"), 0, 10000, &c->arena, &people, &count, &err) != OK) {
        history_violated(c->h, "store", err.message);
    }
    for (size_t i = 0; i < count; i++) {
        for (size_t k = i + 1; k < count; k++) {
            if (is_one_person(&people[i], &people[k])) {
                history_violated(c->h, "I3 one person is one record", people[i].uuid.at);
            }
        }
    }
}

void plain_check(struct checking *c)
{
    for (int at = 0; at < c->h->world->count && !c->h->has_lost; at++) {
        check_nobody_went(c, at);
    }
    check_one_record_each(c);
}
