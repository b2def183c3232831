/* Turns of one connection each, as the service gives them: what one turn means alone, and what happens when another connection's whole turn comes while a
 * call of the first one is in the air, at every such moment in turn. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/record.h"
#include "tests/scenarios/story.h"
#include "tests/simulation/service.h"

#include "tests/expect.h"

enum { A, B, C, SIDES };
enum { MOMENTS_MAX = 64, MINUTE_MS = 60 * 1000, REST_MS = 20 * MINUTE_MS };

static const char ANNA[] = "anna@people.example";
static const char ANNE[] = "anne@people.example";

/* --- moments ---------------------------------------------------------------------------------------------------------------------- */

/* A world with a service, and what happens once while a call is in the air. */
struct tale {
    struct world *world;
    struct service *service;
    struct random *random;
    char anna[SIDES][STORY_ID_BYTES], anne[SIDES][STORY_ID_BYTES];
    int moment; /* of the calls, before and after each is applied, the how manieth */
    int passed;
    bool has_happened;
    void (*happens)(struct tale *tale);
};

static void on_call(void *context, int at, bool is_applied, const struct http_request *request)
{
    struct tale *tale = context;

    (void)at;
    (void)is_applied;
    (void)request;
    if (tale->happens && !tale->has_happened && tale->passed++ == tale->moment) {
        tale->has_happened = true;
        tale->happens(tale);
    }
}

static void begin(struct tale *tale, enum delete_mode deletes)
{
    const struct service_options options = {.random = random_new_seeded(5), .every_ms = MINUTE_MS};

    *tale = (struct tale){.random = options.random, .world = story_begin(SALESFORCE, deletes)};
    tale->service = service_new(tale->world, &options);
}

static void end(struct tale *tale)
{
    service_free(tale->service);
    tale->world->in_air = NULL;
    world_free(tale->world);
    random_free(tale->random);
}

static void turn(struct tale *tale, int at, enum turn_type type, const char *kind,
                 struct sync_report *ret)
{
    struct sync_options options = service_options_of(tale->service, at, type, kind);
    struct sync_report ignored;

    service_turn(tale->service, at, &options, ret ? ret : &ignored);
}

/* By its own turns first, and then nothing may be left to a sync of everything. */
static void rest(struct tale *tale)
{
    tale->happens = NULL;
    world_faults(tale->world, B, json_object());
    service_changed(tale->service);
    service_run(tale->service, REST_MS);
    story_rest(tale->world);
}

static void add_everywhere(struct tale *tale, const char *email, char ret[SIDES][STORY_ID_BYTES])
{
    char ignored[STORY_ID_BYTES];

    story_add(tale->world, A, email, "Anna", ignored);
    service_run(tale->service, REST_MS);
    for (int at = 0; at < SIDES; at++) {
        story_id(tale->world, at, email, ret[at]);
    }
}

static void expect_shown(const struct tale *tale, int at, const char *id, const char *field,
                         const char *value)
{
    char shown[STORY_TEXT_BYTES];

    story_show(tale->world, at, id, field, shown);
    EXPECT(strcmp(shown, value) == 0, "moment %d: %s at %s is '%s', wanted '%s'", tale->moment,
           field, tale->world->names[at].at, shown, value);
}

static void expect_counts(const struct tale *tale, int a, int b, int c)
{
    const int wanted[SIDES] = {a, b, c};

    for (int at = 0; at < SIDES; at++) {
        int there = story_count(tale->world, at, NULL);

        EXPECT(there == wanted[at], "moment %d: %d people at %s, wanted %d", tale->moment, there,
               tale->world->names[at].at, wanted[at]);
    }
}

struct plot {
    enum delete_mode deletes;
    void (*before)(struct tale *tale);
    void (*turn)(struct tale *tale); /* the one whose calls are in the air */
    void (*meanwhile)(struct tale *tale);
    void (*check)(struct tale *tale);
};

/* From the beginning for each moment, until there is none any more. */
static void at_every_moment(const struct plot *plot)
{
    int moment = 0;

    for (bool has_happened = true; has_happened; moment++) {
        struct tale tale;

        EXPECT(moment < MOMENTS_MAX, "the turn does not end");
        begin(&tale, plot->deletes);
        plot->before(&tale);
        tale.moment = moment;
        tale.happens = plot->meanwhile;
        tale.world->in_air = on_call;
        tale.world->in_air_context = &tale;
        plot->turn(&tale);
        has_happened = tale.has_happened;
        if (has_happened) {
            rest(&tale);
            plot->check(&tale);
        }
        end(&tale);
    }
    EXPECT(moment > 2, "the turn called nobody");
}

/* --- what is under way ------------------------------------------------------------------------------------------------------------ */

static void flow_at_b(struct tale *tale)
{
    turn(tale, B, TURN_FLOW, "", NULL);
}

static void pull_at_a(struct tale *tale)
{
    turn(tale, A, TURN_PULL, "contact", NULL);
}

/* Anne is everywhere; Anna is known here, and not yet at the others. */
static void anna_is_new(struct tale *tale)
{
    add_everywhere(tale, ANNE, tale->anne);
    story_add(tale->world, A, ANNA, "Anna", tale->anna[A]);
    story_advance(tale->world, 2000);
    pull_at_a(tale);
}

/* Both are everywhere; Anna was renamed at C, and B is not told yet. */
static void anna_is_renamed(struct tale *tale)
{
    add_everywhere(tale, ANNE, tale->anne);
    add_everywhere(tale, ANNA, tale->anna);
    story_edit(tale->world, C, tale->anna[C], "first_name", "Annabel");
    story_advance(tale->world, 2000);
    turn(tale, C, TURN_PULL, "contact", NULL);
}

/* Anna as before; Anne is known here and at A alone: a merge into her moves Anna's objects to her record. */
static void anna_is_renamed_and_anne_is_new(struct tale *tale)
{
    add_everywhere(tale, ANNA, tale->anna);
    story_edit(tale->world, C, tale->anna[C], "first_name", "Annabel");
    story_advance(tale->world, 2000);
    turn(tale, C, TURN_PULL, "contact", NULL);
    story_add(tale->world, A, ANNE, "Anne", tale->anne[A]);
    story_advance(tale->world, 2000);
    pull_at_a(tale);
}

/* What B makes from here on is made, and B's answer is lost. */
static void answers_of_b_are_lost(struct tale *tale)
{
    world_faults(tale->world, B,
                 json_pack("{s:i,s:[{s:s,s:s,s:s,s:i}]}", "seed", 1, "rules", "fault",
                           "timeout_after_apply", "method", "POST", "path", "/persons",
                           "per_million", 1000000));
}

static void anna_is_new_and_unanswered(struct tale *tale)
{
    anna_is_new(tale);
    answers_of_b_are_lost(tale);
}

static void anne_is_new_and_unanswered(struct tale *tale)
{
    anna_is_renamed_and_anne_is_new(tale);
    answers_of_b_are_lost(tale);
}

/* Both are everywhere; Anna is deleted here. */
static void anna_is_deleted(struct tale *tale)
{
    struct edit edit;
    struct store_record *records;
    struct error err = {0};
    struct tx *tx = NULL;
    AUTO_ARENA struct arena arena = {0};
    size_t count = 0;

    add_everywhere(tale, ANNE, tale->anne);
    add_everywhere(tale, ANNA, tale->anna);
    edit = world_edit(tale->world);
    EXPECT(tx_begin(tale->world->store, TENANT_DEFAULT, &tx, &err) == OK &&
               record_list(tx, STR("contact"), 0, 10, &arena, &records, &count, &err) == OK &&
               tx_commit(&tx, &err) == OK,
           "%s", err.message);
    for (size_t i = 0; i < count; i++) {
        if (str_equal(fields_get(&records[i].fields, STR("email"))->text, str_of(ANNA))) {
            EXPECT(edit_delete(&edit, records[i].uuid, 0, &err) == OK, "%s", err.message);
        }
    }
}

/* --- what happens meanwhile ------------------------------------------------------------------------------------------------------- */

static void edited_at_a(struct tale *tale)
{
    story_edit(tale->world, A, tale->anna[A], "first_name", "Antonia");
    story_advance(tale->world, 2000);
    pull_at_a(tale);
}

static void other_field_edited_at_a(struct tale *tale)
{
    story_edit(tale->world, A, tale->anna[A], "last_name", "Bauer");
    story_advance(tale->world, 2000);
    pull_at_a(tale);
}

/* The grace time is over by then as well: the delete takes effect while the call is in the air. */
static void deleted_at_a(struct tale *tale)
{
    struct sync_options options;
    struct sync_report report;

    story_delete(tale->world, A, tale->anna[A]);
    story_advance(tale->world, 2000);
    options = service_options_of(tale->service, A, TURN_PULL, "contact");
    options.full = true;
    service_turn(tale->service, A, &options, &report);
    story_advance(tale->world, tale->world->settings[A].grace_ms + 1000);
    turn(tale, A, TURN_FLOW, "", NULL);
}

static void merged_at_a(struct tale *tale)
{
    story_merge(tale->world, A, tale->anne[A], tale->anna[A]);
    story_advance(tale->world, 2000);
    pull_at_a(tale);
}

static void merged_the_other_way_at_a(struct tale *tale)
{
    story_merge(tale->world, A, tale->anna[A], tale->anne[A]);
    story_advance(tale->world, 2000);
    pull_at_a(tale);
}

/* --- what must come of it ---------------------------------------------------------------------------------------------------------- */

static void expect_everywhere(const struct tale *tale, const char *field, const char *value)
{
    for (int at = 0; at < SIDES; at++) {
        char id[STORY_ID_BYTES];

        story_id(tale->world, at, ANNA, id);
        expect_shown(tale, at, id, field, value);
    }
    expect_counts(tale, 2, 2, 2);
    EXPECT(story_records(tale->world) == 2, "moment %d: %d records, wanted two", tale->moment,
           story_records(tale->world));
    EXPECT(story_failures(tale->world, "") == 0, "moment %d: nothing is set aside", tale->moment);
}

static void antonia_is_everywhere(struct tale *tale)
{
    expect_everywhere(tale, "first_name", "Antonia");
}

static void annabel_bauer_is_everywhere(struct tale *tale)
{
    expect_everywhere(tale, "first_name", "Annabel");
    expect_everywhere(tale, "last_name", "Bauer");
}

static void anna_is_nowhere(struct tale *tale)
{
    for (int at = 0; at < SIDES; at++) {
        EXPECT(story_count(tale->world, at, ANNA) == 0, "moment %d: Anna is still at %s",
               tale->moment, tale->world->names[at].at);
    }
    EXPECT(story_records(tale->world) == 1, "moment %d: %d records, wanted Anne's", tale->moment,
           story_records(tale->world));
}

/* A rename at C that A has not seen, and a delete at A: a person decides, unless the rename had been told before. */
static void anna_is_asked_about_or_nowhere(struct tale *tale)
{
    if (story_conflicts(tale->world) == 0) {
        anna_is_nowhere(tale);
        return;
    }
    EXPECT(story_conflicts(tale->world) == 1 && story_records(tale->world) == 2,
           "moment %d: %d conflicts", tale->moment, story_conflicts(tale->world));
    expect_shown(tale, B, tale->anna[B], "first_name", "Annabel");
}

/* Whoever survived at A is in step with everybody's linked object, whatever is left over. */
static void one_is_left_and_in_step(struct tale *tale)
{
    char survivor[STORY_ID_BYTES];
    int renamed = 0;

    EXPECT(story_records(tale->world) == 1, "moment %d: %d records, wanted one", tale->moment,
           story_records(tale->world));
    story_id(tale->world, A, NULL, survivor);
    story_edit(tale->world, A, survivor, "first_name", "Adelheid");
    rest(tale);
    for (int at = 0; at < SIDES; at++) {
        json_t *state = world_state(tale->world, at, "contact");
        char *text = json_dumps(state, 0);

        renamed += strstr(text, "Adelheid") != NULL;
        free(text);
        json_decref(state);
    }
    EXPECT(renamed == SIDES, "moment %d: the survivor's new name is at %d of %d", tale->moment,
           renamed, SIDES);
}

/* --- scenarios -------------------------------------------------------------------------------------------------------------------- */

static void a_create_meets_an_edit(void **state)
{
    (void)state;
    at_every_moment(&(const struct plot){.deletes = DELETES_ARCHIVE,
                                         .before = anna_is_new,
                                         .turn = flow_at_b,
                                         .meanwhile = edited_at_a,
                                         .check = antonia_is_everywhere});
}

static void a_create_meets_a_delete(void **state)
{
    (void)state;
    at_every_moment(&(const struct plot){.deletes = DELETES_ARCHIVE,
                                         .before = anna_is_new,
                                         .turn = flow_at_b,
                                         .meanwhile = deleted_at_a,
                                         .check = anna_is_asked_about_or_nowhere});
}

static void a_create_meets_a_merge(void **state)
{
    static void (*const MERGES[])(struct tale *) = {merged_at_a, merged_the_other_way_at_a};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(MERGES); i++) {
        at_every_moment(&(const struct plot){.deletes = DELETES_ARCHIVE,
                                             .before = anna_is_new,
                                             .turn = flow_at_b,
                                             .meanwhile = MERGES[i],
                                             .check = one_is_left_and_in_step});
    }
}

static void an_update_meets_an_edit(void **state)
{
    (void)state;
    at_every_moment(&(const struct plot){.deletes = DELETES_ARCHIVE,
                                         .before = anna_is_renamed,
                                         .turn = flow_at_b,
                                         .meanwhile = edited_at_a,
                                         .check = antonia_is_everywhere});
    at_every_moment(&(const struct plot){.deletes = DELETES_ARCHIVE,
                                         .before = anna_is_renamed,
                                         .turn = flow_at_b,
                                         .meanwhile = other_field_edited_at_a,
                                         .check = annabel_bauer_is_everywhere});
}

static void an_update_meets_a_delete(void **state)
{
    (void)state;
    at_every_moment(&(const struct plot){.deletes = DELETES_ARCHIVE,
                                         .before = anna_is_renamed,
                                         .turn = flow_at_b,
                                         .meanwhile = deleted_at_a,
                                         .check = anna_is_asked_about_or_nowhere});
}

static void an_update_meets_a_merge(void **state)
{
    static void (*const MERGES[])(struct tale *) = {merged_at_a, merged_the_other_way_at_a};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(MERGES); i++) {
        at_every_moment(&(const struct plot){.deletes = DELETES_ARCHIVE,
                                             .before = anna_is_renamed,
                                             .turn = flow_at_b,
                                             .meanwhile = MERGES[i],
                                             .check = one_is_left_and_in_step});
    }
}

/* The same, and what came of the create has to be looked up. */
static void an_unanswered_create_meets_a_merge(void **state)
{
    static void (*const MERGES[])(struct tale *) = {merged_at_a, merged_the_other_way_at_a};
    static void (*const NEWCOMERS[])(struct tale *) = {anna_is_new_and_unanswered,
                                                       anne_is_new_and_unanswered};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(MERGES) * COUNT_OF(NEWCOMERS); i++) {
        at_every_moment(&(const struct plot){.deletes = DELETES_ARCHIVE,
                                             .before = NEWCOMERS[i / COUNT_OF(MERGES)],
                                             .turn = flow_at_b,
                                             .meanwhile = MERGES[i % COUNT_OF(MERGES)],
                                             .check = one_is_left_and_in_step});
    }
}

/* The object that is written to becomes another record's in the meantime, or its record gets a second one while its first is made. */
static void an_update_meets_a_merge_into_a_newcomer(void **state)
{
    (void)state;
    at_every_moment(&(const struct plot){.deletes = DELETES_ARCHIVE,
                                         .before = anna_is_renamed_and_anne_is_new,
                                         .turn = flow_at_b,
                                         .meanwhile = merged_at_a,
                                         .check = one_is_left_and_in_step});
}

static void a_removal_meets_a_merge(void **state)
{
    (void)state;
    at_every_moment(&(const struct plot){.deletes = DELETES_ARCHIVE,
                                         .before = anna_is_deleted,
                                         .turn = flow_at_b,
                                         .meanwhile = merged_at_a,
                                         .check = one_is_left_and_in_step});
}

/* Typed in at A and at B before either was read. */
static void anna_is_new_at_both(struct tale *tale)
{
    add_everywhere(tale, ANNE, tale->anne);
    story_add(tale->world, A, ANNA, "Anna", tale->anna[A]);
    story_add(tale->world, B, ANNA, "Anna", tale->anna[B]);
    story_advance(tale->world, 2000);
}

static void pulled_at_b(struct tale *tale)
{
    turn(tale, B, TURN_PULL, "contact", NULL);
}

static void anna_is_one(struct tale *tale)
{
    expect_everywhere(tale, "first_name", "Anna");
}

static void two_bring_the_same_person(void **state)
{
    (void)state;
    at_every_moment(&(const struct plot){.deletes = DELETES_ARCHIVE,
                                         .before = anna_is_new_at_both,
                                         .turn = pull_at_a,
                                         .meanwhile = pulled_at_b,
                                         .check = anna_is_one});
}

/* Anna works for a company that only C has; A is given Anna while the company comes in. */
static void anna_has_an_unknown_employer(struct tale *tale)
{
    json_t *answer;

    add_everywhere(tale, ANNE, tale->anne);
    answer = world_ask(tale->world, C, "POST", "/__sim/edit",
                       json_pack("{s:s,s:{s:s},s:s}", "object", "Account", "set", "Name", "Ahorn",
                                 "by", "person"));
    story_add(tale->world, C, ANNA, "Anna", tale->anna[C]);
    story_employ(tale->world, C, tale->anna[C], json_string_value(json_object_get(answer, "id")));
    json_decref(answer);
    story_advance(tale->world, 2000);
    turn(tale, C, TURN_PULL, "contact", NULL);
}

static void flow_at_a(struct tale *tale)
{
    turn(tale, A, TURN_FLOW, "", NULL);
}

static void employer_comes_in(struct tale *tale)
{
    turn(tale, C, TURN_PULL, "company", NULL);
    turn(tale, C, TURN_FLOW, "", NULL);
}

static void anna_is_employed_at_a(struct tale *tale)
{
    char anna[STORY_ID_BYTES], employer[STORY_ID_BYTES], ahorn[STORY_ID_BYTES];

    story_id(tale->world, A, ANNA, anna);
    story_employer(tale->world, A, anna, employer);
    story_company(tale->world, A, "Ahorn", ahorn);
    EXPECT(strcmp(employer, ahorn) == 0, "moment %d: Anna's company is '%s', wanted '%s'",
           tale->moment, employer, ahorn);
}

static void a_reference_appears_meanwhile(void **state)
{
    (void)state;
    at_every_moment(&(const struct plot){.deletes = DELETES_ARCHIVE,
                                         .before = anna_has_an_unknown_employer,
                                         .turn = flow_at_a,
                                         .meanwhile = employer_comes_in,
                                         .check = anna_is_employed_at_a});
}

/* --- what a turn means alone -------------------------------------------------------------------------------------------------------- */

static void a_flow_reads_what_is_marked_and_nothing_else(void **state)
{
    struct tale tale;
    struct sync_report report;

    (void)state;
    begin(&tale, DELETES_ARCHIVE);
    add_everywhere(&tale, ANNE, tale.anne);
    add_everywhere(&tale, ANNA, tale.anna);
    story_edit(tale.world, A, tale.anna[A], "first_name", "Annabel");
    story_edit(tale.world, A, tale.anne[A], "first_name", "Annegret");
    story_advance(tale.world, 2000);
    service_hear(tale.service, A, STR("contact"), str_of(tale.anna[A]));
    turn(&tale, A, TURN_FLOW, "", &report);

    EXPECT(report.counts.read == 1 && report.counts.updated_here == 1,
           "%lld read and %lld updated, wanted one that was marked", (long long)report.counts.read,
           (long long)report.counts.updated_here);
    turn(&tale, A, TURN_PULL, "contact", &report);
    EXPECT(report.counts.updated_here == 1, "the other one is left to the listing");
    end(&tale);
}

static void a_first_import_is_cut_and_goes_on(void **state)
{
    enum { PEOPLE = 900, TURN_MAX_MS = 20, TURNS_MAX = 100 };
    struct world_options options = {
        .seed = 7, .crms = {HUBSPOT, PIPEDRIVE}, .connections = 2, .records = PEOPLE};
    struct world *world = world_new(&options);
    const struct service_options service_options = {.random = world->env.random};
    struct service *service = service_new(world, &service_options);
    struct sync_options turn_options = service_options_of(service, 0, TURN_PULL, "contact");
    struct sync_report report = {.has_more = true};
    int64_t read = 0;
    int turns = 0;

    (void)state;
    turn_options.turn_ms = TURN_MAX_MS;
    while (report.has_more) {
        service_turn(service, 0, &turn_options, &report);
        read += report.counts.read;
        EXPECT(++turns < TURNS_MAX, "the import does not end");
    }

    EXPECT(turns > 1, "the turn was not cut");
    EXPECT(read == PEOPLE && story_records(world) == PEOPLE,
           "%lld read in %d turns, %d are here, wanted %d", (long long)read, turns,
           story_records(world), PEOPLE);
    service_free(service);
    world_free(world);
}

static void make_here(struct tale *tale, int number)
{
    AUTO_ARENA struct arena arena = {0};
    struct edit edit = world_edit(tale->world);
    struct fields fields = {0};
    struct store_record record;
    struct error err = {0};

    fields_set(&fields, &arena, STR("email"),
               VALUE_OF(arena_printf(&arena, "here%d@people.example", number)));
    EXPECT(edit_create(&edit, kind_by_name(&tale->world->kinds, STR("contact")), &fields, false,
                       &arena, &record, &err) == OK,
           "%s", err.message);
}

static void somebody_comes_in_at_a(struct tale *tale)
{
    char email[64], id[STORY_ID_BYTES];

    snprintf(email, sizeof email, "there%d@people.example",
             (int)random_below(tale->random, 1000000));
    story_add(tale->world, A, email, "Some", id);
    pull_at_a(tale);
}

/* People come in before, between and during the turns; what each turn leaves is behind the place that it tells. */
static void creates_by_the_journal_miss_nobody(void **state)
{
    enum { TURNS = 60, MOMENTS = 8 };
    struct tale tale;
    struct sync_options options;
    struct sync_report report;
    int64_t seen = 0, created = 0;

    (void)state;
    begin(&tale, DELETES_ARCHIVE);
    add_everywhere(&tale, ANNE, tale.anne);
    tale.world->in_air = on_call;
    tale.world->in_air_context = &tale;
    tale.happens = somebody_comes_in_at_a;
    for (int i = 0; i < TURNS; i++) {
        tale.passed = 0;
        tale.moment = (int)random_below(tale.random, MOMENTS);
        tale.has_happened = random_below(tale.random, 3) == 0;
        if (random_below(tale.random, 2)) {
            make_here(&tale, i);
        }
        options = service_options_of(tale.service, B, TURN_FLOW, "");
        options.creates_after_journal = seen;
        service_turn(tale.service, B, &options, &report);
        seen = report.journal_seen ? report.journal_seen : seen;
        created += report.counts.created_there;
    }
    options.creates_after_journal = seen;
    tale.happens = NULL;
    service_turn(tale.service, B, &options, &report);
    created += report.counts.created_there;
    turn(&tale, B, TURN_FLOW, "", &report);

    EXPECT(created > TURNS / 2, "only %lld were made", (long long)created);
    EXPECT(report.counts.created_there == 0, "a look at all found %lld more",
           (long long)report.counts.created_there);
    end(&tale);
}

static void a_limit_is_no_trouble_of_the_connection(void **state)
{
    struct tale tale;
    struct sync_report report;

    (void)state;
    begin(&tale, DELETES_ARCHIVE);
    add_everywhere(&tale, ANNE, tale.anne);
    world_faults(tale.world, A,
                 json_pack("{s:i,s:[{s:s,s:i}]}", "seed", 1, "rules", "fault", "throttle",
                           "per_million", 1000000));
    turn(&tale, A, TURN_PULL, "contact", &report);

    EXPECT(report.problems_count == 0, "%s", report.problems[0].error.message);
    EXPECT(report.come_back_ms > 0, "nobody is told when to come back");
    end(&tale);
}

struct counting {
    int asked, calls; /* what the CRM says about itself, and everything */
};

static void count_call(void *context, int at, bool is_applied, const struct http_request *request)
{
    struct counting *counting = context;

    counting->calls += at == A && is_applied;
    counting->asked += at == A && is_applied &&
                       (str_contains(request->url, STR("/properties")) ||
                        str_contains(request->url, STR("/owners")));
}

static void what_a_crm_says_of_itself_is_asked_once_an_hour(void **state)
{
    struct counting counting = {0};
    struct tale tale;

    (void)state;
    begin(&tale, DELETES_ARCHIVE);
    tale.world->in_air = count_call;
    tale.world->in_air_context = &counting;
    pull_at_a(&tale);
    EXPECT(counting.asked > 0, "nothing was asked");
    counting = (struct counting){0};
    pull_at_a(&tale);
    EXPECT(counting.asked == 0 && counting.calls > 0, "asked %d times, of %d calls", counting.asked,
           counting.calls);
    story_advance(tale.world, TURN_BINDINGS_AGE_MS + 1);
    pull_at_a(&tale);
    EXPECT(counting.asked > 0, "never asked again");
    end(&tale);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_flow_reads_what_is_marked_and_nothing_else),
        cmocka_unit_test(a_first_import_is_cut_and_goes_on),
        cmocka_unit_test(creates_by_the_journal_miss_nobody),
        cmocka_unit_test(a_limit_is_no_trouble_of_the_connection),
        cmocka_unit_test(what_a_crm_says_of_itself_is_asked_once_an_hour),
        cmocka_unit_test(a_create_meets_an_edit),
        cmocka_unit_test(a_create_meets_a_delete),
        cmocka_unit_test(a_create_meets_a_merge),
        cmocka_unit_test(an_unanswered_create_meets_a_merge),
        cmocka_unit_test(an_update_meets_an_edit),
        cmocka_unit_test(an_update_meets_a_delete),
        cmocka_unit_test(an_update_meets_a_merge),
        cmocka_unit_test(an_update_meets_a_merge_into_a_newcomer),
        cmocka_unit_test(a_removal_meets_a_merge),
        cmocka_unit_test(two_bring_the_same_person),
        cmocka_unit_test(a_reference_appears_meanwhile),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
