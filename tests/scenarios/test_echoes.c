/* What we wrote ourselves comes back as a change, and is known by its value, by no flag and no time: what a person or a CRM's own automation makes of it right afterwards counts as
 * any edit, and an own write never does. */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tests/scenarios/story.h"

#include "tests/expect.h"

enum { A, B, SIDES };
enum { MINUTE_MS = 60 * 1000 };

static const char ANNA[] = "anna@people.example";

/* At B somebody, or something, changes what we have just written. */
struct tale {
    struct world *world;
    char ids[SIDES][STORY_ID_BYTES];
    void (*reacts)(struct tale *tale);
    bool has_reacted;
    json_int_t writes; /* of ours at B so far */
};

static void on_call(void *context, int at, bool is_applied, const struct http_request *request)
{
    struct tale *tale = context;

    (void)request;
    if (tale->reacts && at == B && is_applied && world_writes(tale->world, B) > tale->writes) {
        tale->writes = world_writes(tale->world, B);
        tale->reacts(tale);
    }
}

/* Anna is known at both; at rest. */
static void begin(struct tale *tale, enum crm a, enum crm b)
{
    struct world_options options = {.seed = 7, .crms = {a, b}, .connections = SIDES};

    *tale = (struct tale){.world = world_new(&options)};
    story_add(tale->world, A, ANNA, "Anna", tale->ids[A]);
    story_rest(tale->world);
    story_id(tale->world, B, ANNA, tale->ids[B]);
    tale->writes = world_writes(tale->world, B);
    tale->world->in_air = on_call;
    tale->world->in_air_context = tale;
}

static void end(struct tale *tale)
{
    tale->world->in_air = NULL;
    world_free(tale->world);
}

static void show(struct tale *tale, int at, const char *field, char ret[STORY_TEXT_BYTES])
{
    story_show(tale->world, at, tale->ids[at], field, ret);
}

static bool both_show(struct tale *tale, const char *field, const char *value)
{
    char shown[SIDES][STORY_TEXT_BYTES];

    for (int at = 0; at < SIDES; at++) {
        show(tale, at, field, shown[at]);
    }
    return strcmp(shown[A], value) == 0 && strcmp(shown[B], value) == 0;
}

/* --- people ----------------------------------------------------------------------------------------------------------------------- */

static void type_at_b(struct tale *tale, const char *field, const char *value)
{
    tale->has_reacted = true;
    tale->reacts = NULL;
    json_decref(
        world_ask(tale->world, B, "POST", "/__sim/edit",
                  json_pack("{s:s,s:s,s:o,s:s}", "object",
                            world_word(tale->world->crms[B], "contact"), "id", tale->ids[B], "set",
                            world_set(tale->world->crms[B], field, value), "by", "person")));
}

static void types_the_same_field(struct tale *tale)
{
    type_at_b(tale, "first_name", "Annika");
}

static void types_another_field(struct tale *tale)
{
    type_at_b(tale, "last_name", "Bauer");
}

/* In the very millisecond of our write: before its answer is read. */
static void what_is_typed_right_after_our_write_counts(void **state)
{
    static void (*const REACTIONS[])(struct tale *) = {types_the_same_field, types_another_field};
    int lost = 0, edits = 0;

    (void)state;
    for (int pair = 0; pair < CRMS * (CRMS - 1); pair++) {
        enum crm a = (enum crm)(pair / 2), b = (enum crm)((pair / 2 + 1 + pair % 2) % CRMS);

        for (size_t i = 0; i < COUNT_OF(REACTIONS); i++) {
            struct tale tale;

            begin(&tale, a, b);
            story_edit(tale.world, A, tale.ids[A], "first_name", "Annabel");
            tale.reacts = REACTIONS[i];
            story_rest(tale.world);
            EXPECT(tale.has_reacted, "nobody could react at %s", tale.world->names[B].at);
            edits++;
            if (!both_show(&tale, "first_name", i == 0 ? "Annika" : "Annabel") ||
                !both_show(&tale, "last_name", i == 0 ? "Person" : "Bauer")) {
                print_message("lost: from %s at %s, reaction %zu\n", tale.world->names[A].at,
                              tale.world->names[B].at, i);
                lost++;
            }
            end(&tale);
        }
    }
    printf("fault=edit-after-write edits=%d lost=%d\n", edits, lost);
    EXPECT(lost == 0, "%d edits were taken for our own", lost);
}

/* A value that we once sent, typed in again by a person, is an edit as any other. */
static void going_back_to_a_former_value_counts(void **state)
{
    int lost = 0, edits = 0;

    (void)state;
    for (int pair = 0; pair < CRMS * (CRMS - 1); pair++) {
        struct tale tale;

        begin(&tale, (enum crm)(pair / 2), (enum crm)((pair / 2 + 1 + pair % 2) % CRMS));
        for (int i = 0; i < 3; i++) {
            story_edit(tale.world, A, tale.ids[A], "first_name", "Annabel");
            story_rest(tale.world);
            story_edit(tale.world, B, tale.ids[B], "first_name", "Anna");
            story_rest(tale.world);
            lost += !both_show(&tale, "first_name", "Anna");
            edits++;
        }
        end(&tale);
    }
    printf("fault=former-value edits=%d lost=%d\n", edits, lost);
    EXPECT(lost == 0, "%d edits were taken for our own", lost);
}

/* --- automation ---------------------------------------------------------------------------------------------------------------------- */

/* Names are kept in capitals there. */
static void capitalise(struct tale *tale)
{
    char name[STORY_TEXT_BYTES], capitals[STORY_TEXT_BYTES];

    show(tale, B, "first_name", name);
    for (size_t i = 0; i <= strlen(name); i++) {
        capitals[i] = (char)toupper((unsigned char)name[i]);
    }
    if (strcmp(name, capitals) != 0) {
        void (*reacts)(struct tale *) = tale->reacts;

        type_at_b(tale, "first_name", capitals);
        tale->reacts = reacts; /* it never tires */
    }
}

/* A sync now and then, and so long after each write its rewriting. */
static void live(struct tale *tale, int64_t delay_ms)
{
    struct sync_report report;

    for (int i = 0; i < 6; i++) {
        tale->reacts = delay_ms ? NULL : capitalise;
        world_sync(tale->world, false, &report);
        tale->reacts = NULL;
        story_advance(tale->world, delay_ms ? delay_ms : MINUTE_MS);
        capitalise(tale);
        story_advance(tale->world, MINUTE_MS);
    }
}

static void what_automation_makes_of_our_write_is_taken_over_once(void **state)
{
    static const int64_t DELAYS_MS[] = {0, 2000, 2 * MINUTE_MS};
    enum { EDITS = 3, WRITES_MAX = 2 };
    json_int_t most = 0, late = 0;

    (void)state;
    for (int run = 0; run < CRMS * (CRMS - 1) * (int)COUNT_OF(DELAYS_MS); run++) {
        int pair = run / (int)COUNT_OF(DELAYS_MS);
        int64_t delay_ms = DELAYS_MS[run % (int)COUNT_OF(DELAYS_MS)];
        struct tale tale;

        begin(&tale, (enum crm)(pair / 2), (enum crm)((pair / 2 + 1 + pair % 2) % CRMS));
        for (int i = 0; i < EDITS; i++) {
            static const char *const NAMES[] = {"Annabel", "Annika", "Anke"};
            static const char *const CAPITALS[] = {"ANNABEL", "ANNIKA", "ANKE"};
            json_int_t before = world_writes_all(tale.world), writes;

            story_edit(tale.world, A, tale.ids[A], "first_name", NAMES[i]);
            live(&tale, delay_ms);
            writes = world_writes_all(tale.world) - before;
            most = writes > most ? writes : most;
            EXPECT(both_show(&tale, "first_name", CAPITALS[i]),
                   "%s after %" PRId64 " ms from %s: not the same on both sides", NAMES[i],
                   delay_ms, tale.world->names[A].at);
            before = world_writes_all(tale.world);
            live(&tale, delay_ms);
            late += world_writes_all(tale.world) - before;
        }
        end(&tale);
    }
    printf("fault=rewritten edits=%d writes_most_per_edit=%" JSON_INTEGER_FORMAT
           " bound=%d writes_at_rest=%" JSON_INTEGER_FORMAT "\n",
           CRMS * (CRMS - 1) * (int)COUNT_OF(DELAYS_MS) * EDITS, most, WRITES_MAX, late);
    EXPECT(most <= WRITES_MAX && late == 0, "it does not come to rest");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_typed_right_after_our_write_counts),
        cmocka_unit_test(going_back_to_a_former_value_counts),
        cmocka_unit_test(what_automation_makes_of_our_write_is_taken_over_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
