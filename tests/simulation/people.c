/* People in the histories: edited, made, deleted and merged at every CRM and here. */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tests/simulation/inside.h"

const char *people_field(enum token_field field)
{
    static const char *const FIELDS[] = {"first_name", "last_name", "phone"};

    assert(field < TOKEN_OF_PEOPLE);
    return FIELDS[field];
}

/* Some of what happens at a CRM is told by a webhook; where there is a door, the CRM does it by itself. */
static void tell_service(struct history *h, int at, const char *id)
{
    if (h->service && !h->door && random_chance(h->random, 500000)) {
        service_hear(h->service, at, STR("contact"), str_of(id));
    }
}

void people_type(struct history *h, int at, const char *id, enum token_field field)
{
    char value[TOKEN_BYTES];

    history_token(h, history_side(at), id, field, value);
    history_tell(h, "edit", h->world->names[at].at, value);
    json_decref(world_ask(
        h->world, at, "POST", "/__sim/edit",
        json_pack("{s:s,s:s,s:o,s:s}", "object", history_word(h, at, "contact"), "id", id, "set",
                  world_set(history_crm(h, at), people_field(field), value), "by", "person")));
    tell_service(h, at, id);
}

static enum token_field some_field(const struct history *h)
{
    return (enum token_field)random_below(h->random, TOKEN_OF_PEOPLE);
}

void people_edit(struct history *h, int at)
{
    enum token_field field = some_field(h);
    char id[ID_BYTES];

    if (history_pick(h, at, history_word(h, at, "contact"), id)) {
        people_type(h, at, id, field);
    }
}

/* As people write it: one in four begins with a capital letter. */
static const char *typed_email(const struct history *h, char *email)
{
    if (random_below(h->random, 4) == 0) {
        email[0] = (char)(email[0] - 'a' + 'A');
    }
    return email;
}

void people_create(struct history *h, int at)
{
    char email[64], name[TOKEN_BYTES];
    json_t *set, *answer;

    /* Some people are typed into several CRMs under one address. */
    snprintf(email, sizeof email, "p%d@people.example",
             (int)random_below(h->random, 12) + 20 * (int)random_below(h->random, 2) * at);
    json_t *state = world_state(h->world, at, "contact");
    json_t *record;
    size_t index;
    bool exists = false;

    json_array_foreach(json_object_get(state, "records"), index, record)
    {
        char there[VALUE_BYTES];

        world_field(history_crm(h, at), record, "email", there, sizeof there);
        exists = exists || strcasecmp(there, email) == 0;
    }
    json_decref(state);
    if (exists) {
        return;
    }
    snprintf(name, sizeof name, "new-%d", ++h->next);
    set = world_set(history_crm(h, at), "first_name", name);
    json_object_update_new(set, world_set(history_crm(h, at), "last_name", "Person"));
    json_object_update_new(set, world_set(history_crm(h, at), "email", typed_email(h, email)));
    history_tell(h, "create", h->world->names[at].at, email);
    answer = world_ask(h->world, at, "POST", "/__sim/edit",
                       json_pack("{s:s,s:o,s:s}", "object", history_word(h, at, "contact"), "set",
                                 set, "by", "person"));
    tell_service(h, at, json_string_value(json_object_get(answer, "id")));
    if (random_below(h->random, 2)) {
        people_type(h, at, json_string_value(json_object_get(answer, "id")), TOKEN_PHONE);
    }
    json_decref(answer);
}

void people_remove(struct history *h, int at, const char *id)
{
    history_tell(h, "delete", h->world->names[at].at, id);
    history_order(h, at, "/__sim/delete",
                  json_pack("{s:s,s:s}", "object", history_word(h, at, "contact"), "id", id));
    tell_service(h, at, id);
}

void people_bring_back(struct history *h, int at, const char *id)
{
    history_tell(h, "bring back", h->world->names[at].at, id);
    history_order(h, at, "/__sim/restore",
                  json_pack("{s:s,s:s}", "object", history_word(h, at, "contact"), "id", id));
    tell_service(h, at, id);
}

void people_delete(struct history *h, int at)
{
    char id[ID_BYTES];

    if (history_pick(h, at, history_word(h, at, "contact"), id)) {
        history_supersede(h, history_side(at), id);
        people_remove(h, at, id);
    }
}

void people_merge(struct history *h, int at)
{
    char into[ID_BYTES], from[ID_BYTES];

    if (!history_pick(h, at, history_word(h, at, "contact"), into) ||
        !history_pick(h, at, history_word(h, at, "contact"), from) || strcmp(into, from) == 0) {
        return;
    }
    history_supersede(h, history_side(at), from);
    history_supersede(h, history_side(at), into); /* the survivor may have another id */
    history_tell(h, "merge", h->world->names[at].at, into);
    json_decref(world_ask(h->world, at, "POST", "/__sim/merge",
                          json_pack("{s:s,s:s,s:s}", "object", history_word(h, at, "contact"),
                                    "into", into, "from", from)));
    tell_service(h, at, from);
    tell_service(h, at, into);
}

void people_type_here(struct history *h, const char *id, enum token_field field)
{
    AUTO_ARENA struct arena arena = {0};
    char value[TOKEN_BYTES];
    struct edit edit = world_edit(h->world);
    struct fields changes = {0};
    struct store_record record;
    struct error err = {0};

    history_token(h, 'l', id, field, value);
    history_tell(h, "edit", "local", value);
    fields_set(&changes, &arena, str_of(people_field(field)), VALUE_OF(str_of(value)));
    if (edit_update(&edit, str_of(id), &changes, 0, &arena, &record, &err) != OK) {
        history_violated(h, "local edit", err.message);
    }
}

void people_edit_here(struct history *h)
{
    enum token_field field = some_field(h);
    char id[ID_BYTES];

    if (history_pick_record(h, "contact", id)) {
        people_type_here(h, id, field);
    }
}

void people_create_here(struct history *h)
{
    AUTO_ARENA struct arena arena = {0};
    char email[64];
    struct edit edit = world_edit(h->world);
    struct fields fields = {0};
    struct store_record record;
    struct error err = {0};

    snprintf(email, sizeof email, "local%d@people.example", ++h->next);
    history_tell(h, "create", "local", email);
    fields_set(&fields, &arena, STR("email"), VALUE_OF(str_of(email)));
    fields_set(&fields, &arena, STR("first_name"), VALUE_OF(STR("Local")));
    if (edit_create(&edit, kind_by_name(&h->world->kinds, STR("contact")), &fields, false, &arena,
                    &record, &err) != OK) {
        history_violated(h, "local create", err.message);
    }
}

void people_delete_here(struct history *h)
{
    char id[ID_BYTES];
    struct edit edit = world_edit(h->world);
    struct error err = {0};

    if (!history_pick_record(h, "contact", id)) {
        return;
    }
    history_tell(h, "delete", "local", id);
    if (edit_delete(&edit, str_of(id), 0, &err) != OK) {
        history_violated(h, "local delete", err.message);
    }
}
