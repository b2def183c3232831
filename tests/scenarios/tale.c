#include "tests/scenarios/tale.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "core/arena.h"
#include "core/str.h"
#include "store/brake.h"
#include "store/record.h"

#include "tests/expect.h"

enum { A, B, C, SIDES };
enum { PEOPLE_MAX = 100, MINUTE_MS = 60 * 1000, EVERY_DEFAULT = 37 };

/* --- what is seen in the end ------------------------------------------------------------------------------------------------------- */

static int by_text(const void *x, const void *y)
{
    return strcmp(*(const char *const *)x, *(const char *const *)y);
}

/* One line for each, in the order of the texts: ids differ between twins. */
static void add_sorted(struct buf *ret, const char *title, char **lines, size_t count)
{
    qsort(lines, count, sizeof *lines, by_text);
    buf_addf(ret, "%s\n", title);
    for (size_t i = 0; i < count; i++) {
        buf_addf(ret, "  %s\n", lines[i]);
        free(lines[i]);
    }
}

static void add_people_at(struct world *world, int at, struct buf *ret)
{
    static const char *const FIELDS[] = {"email", "first_name", "last_name", "phone"};
    json_t *state = world_state(world, at, "contact");
    char *lines[PEOPLE_MAX];
    size_t count = 0, index;
    json_t *record;

    json_array_foreach(json_object_get(state, "records"), index, record)
    {
        char values[COUNT_OF(FIELDS)][STORY_TEXT_BYTES];
        const json_t *into = json_object_get(record, "merged_into");

        if (json_is_true(json_object_get(record, "archived")) || (into && !json_is_null(into)) ||
            count == PEOPLE_MAX) {
            continue;
        }
        for (size_t i = 0; i < COUNT_OF(FIELDS); i++) {
            world_field(world->crms[at], record, FIELDS[i], values[i], sizeof values[i]);
        }
        lines[count++] = alloc_printf("%s, %s, %s, %s", values[0], values[1], values[2], values[3]);
    }
    json_decref(state);
    add_sorted(ret, world->names[at].at, lines, count);
}

/* Without what has no value: whether a CRM has said so is not seen, and depends on whose person was read first. */
static struct fields said_of(const struct fields *fields, struct arena *arena)
{
    struct fields ret = {0};

    for (size_t i = 0; i < fields->count; i++) {
        if (!value_is_blank(&fields->at[i].value)) {
            fields_set(&ret, arena, fields->at[i].name, fields->at[i].value);
        }
    }
    return ret;
}

static void add_records(struct world *world, struct buf *ret)
{
    AUTO_ARENA struct arena arena = {0};
    struct store_record *records;
    struct error err = {0};
    struct tx *tx = NULL;
    char *lines[PEOPLE_MAX];
    size_t count = 0, live = 0;

    EXPECT(tx_begin(world->store, TENANT_DEFAULT, &tx, &err) == OK &&
               record_list(tx, STR("contact"), 0, PEOPLE_MAX, &arena, &records, &count, &err) ==
                   OK &&
               tx_commit(&tx, &err) == OK,
           "%s", err.message);
    for (size_t i = 0; i < count; i++) {
        if (records[i].state == RECORD_LIVE) {
            struct fields shown = said_of(&records[i].fields, &arena);
            struct str text = fields_to_json(&arena, &shown);

            lines[live++] = alloc_printf("%.*s", STR_ARG(text));
        }
    }
    add_sorted(ret, "here", lines, live);
}

void tale_look(struct world *world, struct buf *ret)
{
    buf_init(ret, 1 << 20);
    for (int at = 0; at < world->count; at++) {
        add_people_at(world, at, ret);
    }
    add_records(world, ret);
    buf_addf(ret, "conflicts %d, set aside %d\n", story_conflicts(world),
             story_failures(world, ""));
}

/* --- what happens ----------------------------------------------------------------------------------------------------------------------- */

static const char ANNA[] = "anna@people.example";
static const char BOB[] = "bob@people.example";
static const char CARL[] = "carl@people.example";

static void add(struct world *world, int at, const char *email, const char *name)
{
    char ignored[STORY_ID_BYTES];

    story_add(world, at, email, name, ignored);
}

/* Anna and Bob are everywhere. */
static void know_each_other(struct world *world)
{
    add(world, A, ANNA, "Anna");
    add(world, B, BOB, "Bob");
    story_rest(world);
}

static void id_of(struct world *world, int at, const char *email, char ret[STORY_ID_BYTES])
{
    story_id(world, at, email, ret);
}

static void edit(struct world *world, int at, const char *email, const char *field,
                 const char *value)
{
    char id[STORY_ID_BYTES];

    id_of(world, at, email, id);
    story_edit(world, at, id, field, value);
}

static void first_import(struct world *world)
{
    add(world, A, ANNA, "Anna");
    add(world, B, ANNA, "Anna");
    add(world, B, BOB, "Bob");
    add(world, C, CARL, "Carl");
}

static void newcomers(struct world *world)
{
    know_each_other(world);
    add(world, A, CARL, "Carl");
    add(world, C, "dora@people.example", "Dora");
}

static void edits_everywhere(struct world *world)
{
    know_each_other(world);
    edit(world, A, ANNA, "first_name", "Annabel");
    edit(world, B, ANNA, "last_name", "Bauer");
    edit(world, C, ANNA, "phone", "+4930123456");
    edit(world, B, BOB, "first_name", "Robert");
}

static void an_edit_of_the_same_field(struct world *world)
{
    know_each_other(world);
    edit(world, A, ANNA, "first_name", "Annabel");
    edit(world, B, ANNA, "first_name", "Antonia");
}

static void a_delete(struct world *world)
{
    char id[STORY_ID_BYTES];

    know_each_other(world);
    id_of(world, A, BOB, id);
    story_delete(world, A, id);
    edit(world, B, ANNA, "last_name", "Bauer");
}

static void a_merge(struct world *world)
{
    char anna[STORY_ID_BYTES], bob[STORY_ID_BYTES];

    know_each_other(world);
    id_of(world, A, ANNA, anna);
    id_of(world, A, BOB, bob);
    story_merge(world, A, anna, bob);
    add(world, B, CARL, "Carl");
}

/* One of two is more than the brake lets through here. */
static void a_delete_that_the_brake_holds(struct world *world)
{
    char id[STORY_ID_BYTES];

    know_each_other(world);
    world->all.brake.deletes_floor = 0;
    id_of(world, A, BOB, id);
    story_delete(world, A, id);
    edit(world, B, ANNA, "last_name", "Bauer");
}

static void a_delete_that_a_person_confirms(struct world *world)
{
    struct tx *tx = NULL;
    struct error err = {0};

    a_delete_that_the_brake_holds(world);
    story_rest(world);
    EXPECT(story_count(world, B, BOB) == 1, "the brake did not hold");
    EXPECT(tx_begin(world->store, TENANT_DEFAULT, &tx, &err) == OK &&
               brake_confirm(tx, world->connections[A].row.id, STR("contact"), BRAKE_DELETES,
                             clock_wall_ms(world->env.clock), &err) == OK &&
               tx_commit(&tx, &err) == OK,
           "%s", err.message);
}

const struct tale TALE_LIST[TALES] = {
    {"a first import", DELETES_ARCHIVE, first_import},
    {"newcomers", DELETES_ARCHIVE, newcomers},
    {"edits everywhere", DELETES_ARCHIVE, edits_everywhere},
    {"an edit of the same field", DELETES_ARCHIVE, an_edit_of_the_same_field},
    {"a delete", DELETES_ARCHIVE, a_delete},
    {"a delete that stays there", DELETES_UNLINK, a_delete},
    {"a merge", DELETES_ARCHIVE, a_merge},
    {"a delete that the brake holds", DELETES_ARCHIVE, a_delete_that_the_brake_holds},
    {"a delete that a person confirms", DELETES_ARCHIVE, a_delete_that_a_person_confirms},
};

/* --- telling ----------------------------------------------------------------------------------------------------------------------- */

struct world *tale_begin(const struct tale *tale)
{
    struct world *world = story_begin(SALESFORCE, tale->deletes);

    tale->happens(world);
    return world;
}

void tale_pause(struct world *world)
{
    story_advance(world, 11 * MINUTE_MS);
}

void tale_expect_quiet(struct world *world, const struct tale *tale)
{
    json_int_t before = world_writes_all(world);
    struct sync_report report;

    world_sync(world, false, &report);
    EXPECT(before == world_writes_all(world), "%s: at rest a sync wrote", tale->name);
}

int64_t tale_stride(void)
{
    const char *wanted = getenv("WALK");
    int64_t ret = EVERY_DEFAULT;

    EXPECT(!wanted || (str_to_i64(str_of(wanted), &ret) && ret > 0), "WALK must be a number");
    return ret;
}
