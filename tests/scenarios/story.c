#include "tests/scenarios/story.h"

#include <stdio.h>
#include <string.h>

#include "store/record.h"
#include "store/review.h"
#include "tests/expect.h"

struct world *story_begin(enum crm third, enum delete_mode deletes)
{
    struct world_options options = {
        .seed = 7, .crms = {HUBSPOT, PIPEDRIVE, third}, .connections = 3, .deletes = deletes};

    return world_new(&options);
}

static const char *word(const struct world *world, int at)
{
    return world_word(world->crms[at], "contact");
}

void story_add(struct world *world, int at, const char *email, const char *first_name,
               char ret_id[STORY_ID_BYTES])
{
    json_t *set = world_set(world->crms[at], "first_name", first_name);
    json_t *answer;

    json_object_update_new(set, world_set(world->crms[at], "last_name", "Person"));
    json_object_update_new(set, world_set(world->crms[at], "email", email));
    answer = world_ask(
        world, at, "POST", "/__sim/edit",
        json_pack("{s:s,s:o,s:s}", "object", word(world, at), "set", set, "by", "person"));
    snprintf(ret_id, STORY_ID_BYTES, "%s", json_string_value(json_object_get(answer, "id")));
    json_decref(answer);
}

void story_edit(struct world *world, int at, const char *id, const char *field, const char *value)
{
    story_advance(world, 2000);
    json_decref(world_ask(world, at, "POST", "/__sim/edit",
                          json_pack("{s:s,s:s,s:o,s:s}", "object", word(world, at), "id", id, "set",
                                    world_set(world->crms[at], field, value), "by", "person")));
}

void story_delete(struct world *world, int at, const char *id)
{
    json_decref(world_ask(world, at, "POST", "/__sim/delete",
                          json_pack("{s:s,s:s}", "object", word(world, at), "id", id)));
}

void story_merge(struct world *world, int at, const char *into, const char *from)
{
    story_advance(world, 2000);
    json_decref(world_ask(
        world, at, "POST", "/__sim/merge",
        json_pack("{s:s,s:s,s:s}", "object", word(world, at), "into", into, "from", from)));
}

void story_advance(struct world *world, int64_t ms)
{
    clock_wait_ms(world->env.clock, ms);
}

void story_rest(struct world *world)
{
    world_settle(world, STORY_ROUNDS_MAX);
}

static bool is_live(const json_t *record)
{
    const json_t *into = json_object_get(record, "merged_into");

    return !json_is_true(json_object_get(record, "archived")) && (!into || json_is_null(into));
}

/* How many live ones with the value in the field (NULL any); ret_id (may be NULL): the last of them. */
static int find(struct world *world, int at, const char *kind, const char *field, const char *value,
                char *ret_id)
{
    json_t *state = world_state(world, at, kind);
    int count = 0;
    size_t index;
    json_t *record;

    json_array_foreach(json_object_get(state, "records"), index, record)
    {
        char there[STORY_TEXT_BYTES];

        world_field(world->crms[at], record, field, there, sizeof there);
        if (is_live(record) && (!value || strcmp(there, value) == 0)) {
            count++;
            if (ret_id) {
                snprintf(ret_id, STORY_ID_BYTES, "%s",
                         json_string_value(json_object_get(record, "id")));
            }
        }
    }
    json_decref(state);
    return count;
}

int story_count(struct world *world, int at, const char *email)
{
    return find(world, at, "contact", "email", email, NULL);
}

void story_id(struct world *world, int at, const char *email, char ret[STORY_ID_BYTES])
{
    int count = find(world, at, "contact", "email", email, ret);

    EXPECT(count == 1, "%d live people with %s at %s, wanted one", count,
           email ? email : "any address", world->names[at].at);
}

void story_show(struct world *world, int at, const char *id, const char *field,
                char ret[STORY_TEXT_BYTES])
{
    json_t *state = world_state(world, at, "contact");
    size_t index;
    json_t *record;

    ret[0] = '\0';
    json_array_foreach(json_object_get(state, "records"), index, record)
    {
        if (strcmp(json_string_value(json_object_get(record, "id")), id) == 0) {
            world_field(world->crms[at], record, field, ret, STORY_TEXT_BYTES);
        }
    }
    json_decref(state);
}

/* --- companies -------------------------------------------------------------------------------------------------------------- */

void story_company(struct world *world, int at, const char *name, char ret[STORY_ID_BYTES])
{
    int count = find(world, at, "company", "name", name, ret);

    EXPECT(count == 1, "%d live companies %s at %s, wanted one", count, name, world->names[at].at);
}

void story_company_everywhere(struct world *world, const char *name, char ret_ids[][STORY_ID_BYTES])
{
    json_decref(
        world_ask(world, 0, "POST", "/__sim/edit",
                  json_pack("{s:s,s:{s:s},s:s}", "object", world_word(world->crms[0], "company"),
                            "set", "name", name, "by", "person")));
    story_rest(world);
    for (int at = 0; at < world->count; at++) {
        story_company(world, at, name, ret_ids[at]);
    }
}

void story_merge_companies(struct world *world, int at, const char *into, const char *from)
{
    json_decref(
        world_ask(world, at, "POST", "/__sim/merge",
                  json_pack("{s:s,s:s,s:s}", "object", world_word(world->crms[at], "company"),
                            "into", into, "from", from)));
}

void story_employ(struct world *world, int at, const char *person, const char *company)
{
    json_t *set = world->crms[at] == SALESFORCE
                      ? json_pack("{s:s}", "AccountId", company)
                      : json_pack("{s:[s]}", "associations.companies", company);

    json_decref(world_ask(world, at, "POST", "/__sim/edit",
                          json_pack("{s:s,s:s,s:o,s:s}", "object", word(world, at), "id", person,
                                    "set", set, "by", "person")));
}

void story_employer(struct world *world, int at, const char *person, char ret[STORY_ID_BYTES])
{
    json_t *state = world_state(world, at, "contact");
    size_t index, k;
    json_t *record, *link;

    ret[0] = '\0';
    json_array_foreach(json_object_get(state, "records"), index, record)
    {
        if (strcmp(json_string_value(json_object_get(record, "id")), person) != 0) {
            continue;
        }
        json_array_foreach(json_object_get(record, "links"), k, link)
        {
            if (strcmp(json_string_value(json_object_get(link, "to")), "companies") == 0) {
                snprintf(ret, STORY_ID_BYTES, "%s", json_string_value(json_object_get(link, "id")));
            }
        }
    }
    json_decref(state);
}

/* --- here ------------------------------------------------------------------------------------------------------------------- */

static struct tx *begin(struct world *world)
{
    struct tx *tx = NULL;
    struct error err = {0};

    EXPECT(tx_begin(world->store, TENANT_DEFAULT, &tx, &err) == OK, "%s", err.message);
    return tx;
}

static void end(struct tx *tx)
{
    struct error err = {0};

    EXPECT(tx_commit(&tx, &err) == OK, "%s", err.message);
}

int story_records(struct world *world)
{
    AUTO_ARENA struct arena arena = {0};
    struct tx *tx = begin(world);
    struct store_record *records;
    struct error err = {0};
    size_t count = 0;

    EXPECT(record_list(tx, STR("contact"), 0, 1000, &arena, &records, &count, &err) == OK, "%s",
           err.message);
    end(tx);
    return (int)count;
}

int story_people_of_deals(struct world *world)
{
    AUTO_ARENA struct arena arena = {0};
    struct tx *tx = begin(world);
    struct store_record *deals;
    struct error err = {0};
    size_t count = 0;
    int people = 0;

    EXPECT(record_list(tx, STR("deal"), 0, 1000, &arena, &deals, &count, &err) == OK, "%s",
           err.message);
    for (size_t i = 0; i < count; i++) {
        people += (int)fields_get(&deals[i].fields, STR("contact_ids"))->items_count;
    }
    end(tx);
    return people;
}

static void list_failures(struct world *world, struct arena *arena, struct store_failure **ret,
                          size_t *ret_count)
{
    struct tx *tx = begin(world);
    struct error err = {0};

    EXPECT(failure_list(tx, false, 0, 1000, arena, ret, ret_count, &err) == OK, "%s", err.message);
    end(tx);
}

struct str story_failure_message(struct world *world, const char *stage, struct arena *arena)
{
    struct store_failure *failures;
    size_t count;

    list_failures(world, arena, &failures, &count);
    for (size_t i = 0; i < count; i++) {
        if (str_equal(failures[i].stage, str_of(stage))) {
            return failures[i].message;
        }
    }
    return STR("");
}

void story_discard_failures(struct world *world)
{
    AUTO_ARENA struct arena arena = {0};
    struct store_failure *failures;
    struct error err = {0};
    struct tx *tx;
    size_t count;

    list_failures(world, &arena, &failures, &count);
    tx = begin(world);
    for (size_t i = 0; i < count; i++) {
        EXPECT(failure_discard(tx, failures[i].id, &err) == OK, "%s", err.message);
    }
    end(tx);
}

int story_failures(struct world *world, const char *reason)
{
    AUTO_ARENA struct arena arena = {0};
    struct store_failure *failures;
    size_t count;
    int found = 0;

    list_failures(world, &arena, &failures, &count);
    for (size_t i = 0; i < count; i++) {
        found += !reason[0] || str_equal(failures[i].reason, str_of(reason));
    }
    return found;
}

int story_conflicts(struct world *world)
{
    struct tx *tx = begin(world);
    struct error err = {0};
    int64_t count = 0;

    EXPECT(conflict_count_open(tx, &count, &err) == OK, "%s", err.message);
    end(tx);
    return (int)count;
}
