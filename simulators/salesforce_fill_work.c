/* Opportunities, tasks and events of a new account, over the people and companies that salesforce_fill made before. They are this CRM's
 * own: no other CRM of the same seed has them. Each is written as a person would, so that the rules between fields hold. */
#include "simulators/salesforce_inside.h"

#include "core/jx.h"
#include "core/when.h"

enum { ROLES_MAX = 3, CENTS_MAX = 25000000, CLOSES_AFTER_DAYS = 30, DUE_WITHIN_DAYS = 60 };

static const int64_t SECOND_MS = 1000, DAY_MS = 24 * 60LL * 60 * 1000;
static const int64_t TWO_YEARS_MS = 730 * 24 * 60LL * 60 * 1000;

/* One made-up object on its way. */
struct work {
    struct salesforce *sf;
    struct random *random; /* of its own: numbers of deals do not change the people */
    struct arena arena;    /* of this object */
    int64_t now_ms, made_ms;
    int number; /* of this object among its like, from 0 */
    const struct sim_table *people, *accounts, *deals;
};

static size_t below(struct work *work, size_t sides)
{
    return (size_t)random_below(work->random, sides);
}

/* NULL when there is none. */
static const struct sf_record *nth(const struct sim_table *table, size_t index)
{
    return table->count ? (const struct sf_record *)table->at[index % table->count] : NULL;
}

static void set_id(json_t *fields, const char *name, const struct sf_record *record)
{
    char id[SF_ID_BYTES];

    if (record) {
        sf_record_id(record, id);
        json_object_set_new(fields, name, json_string(id));
    }
}

static void set_date(json_t *fields, const char *name, int64_t ms)
{
    char text[WHEN_TEXT_BYTES];

    when_format_seconds(ms, text);
    json_object_set_new(fields, name, json_stringn(text, sizeof("2026-01-01") - 1));
}

static void set_time(json_t *fields, const char *name, int64_t ms)
{
    char text[WHEN_TEXT_BYTES];

    when_format_seconds(ms, text);
    json_object_set_new(fields, name, json_string(text));
}

/* Evenly over two years, ending a day ago. */
static json_t *begin(struct work *work, int count)
{
    arena_reset(&work->arena);
    work->made_ms =
        (work->now_ms - TWO_YEARS_MS + (TWO_YEARS_MS - DAY_MS) / (count + 1) * work->number) /
        SECOND_MS * SECOND_MS;
    return jx_own(&work->arena, json_object());
}

/* A third was touched again later. Somebody who has left owns what was not handed over. */
static struct sf_record *make(struct work *work, enum sf_standard which, const json_t *fields)
{
    struct sf_unit unit = {.sf = work->sf, .arena = &work->arena, .now_ms = work->made_ms};
    int64_t spare_ms = work->now_ms - work->made_ms;
    struct sf_record *record;
    struct sf_error err;

    unit.session.user = work->sf->person + (int64_t)below(work, 4);
    record = sf_create(&unit, work->sf->objects[which], fields, &err);
    if (!record) {
        abort(); /* the content is ours */
    }
    if (below(work, 3) == 0) {
        int64_t later_ms = work->made_ms + (int64_t)below(work, (size_t)spare_ms);

        sf_record_touch(record, later_ms / SECOND_MS * SECOND_MS, unit.session.user);
    }
    return record;
}

/* --- opportunities ----------------------------------------------------------------------------- */

static const char *const deal_words[] = {"renewal",     "pilot",    "new licences", "support",
                                         "integration", "training", "Erweiterung",  "増設"};

static void deal_values(struct work *work, json_t *fields)
{
    const struct sf_record *stage =
        nth(&work->sf->objects[SF_OPPORTUNITY_STAGE]->table, below(work, 10));
    struct str name = sf_get_named(stage, "ApiName");
    size_t cents = below(work, CENTS_MAX);

    json_object_set_new(
        fields, "Name",
        json_sprintf("%s S%d", deal_words[below(work, COUNT_OF(deal_words))], work->number + 1));
    json_object_set_new(fields, "Amount",
                        cents % 4 ? json_real((double)cents / 100)
                                  : json_integer((json_int_t)cents / 100));
    json_object_set_new(fields, "StageName", json_stringn(name.at, name.len));
    if (below(work, 3) == 0) {
        json_object_set_new(fields, "Probability", json_integer((json_int_t)below(work, 11) * 10));
    }
    set_date(fields, "CloseDate", work->made_ms + CLOSES_AFTER_DAYS * DAY_MS);
}

static void add_role(struct work *work, const struct sf_record *deal,
                     const struct sf_record *person)
{
    json_t *fields = jx_own(&work->arena, json_object());

    set_id(fields, "OpportunityId", deal);
    set_id(fields, "ContactId", person);
    make(work, SF_CONTACT_ROLE, fields);
}

static void deal_make(struct work *work, int count)
{
    size_t first = (size_t)work->number * 2, wanted = 1 + below(work, ROLES_MAX);
    const struct sf_record *person = nth(work->people, first), *deal;
    json_t *fields = begin(work, count);

    deal_values(work, fields);
    set_id(fields, "ContactId", person);
    if (person && sf_get_named(person, "AccountId").at) {
        json_object_set_new(fields, "AccountId", json_string(sf_get_named(person, "AccountId").at));
    } else {
        set_id(fields, "AccountId", nth(work->accounts, (size_t)work->number));
    }
    deal = make(work, SF_OPPORTUNITY, fields);
    for (size_t i = 1; i < wanted && i < work->people->count; i++) {
        add_role(work, deal, nth(work->people, first + i));
    }
}

/* --- tasks and events -------------------------------------------------------------------------- */

static const char *const subjects[] = {"First talk", "Follow-up", "Prices", "Angebot besprochen",
                                       "Next steps"};

static void activity_values(struct work *work, json_t *fields)
{
    size_t deal = below(work, work->deals->count + 1);

    json_object_set_new(
        fields, "Subject",
        json_sprintf("%s S%d", subjects[below(work, COUNT_OF(subjects))], work->number + 1));
    json_object_set_new(fields, "Description",
                        json_sprintf("Number S%d: %s & more\nand a second line", work->number + 1,
                                     deal_words[below(work, COUNT_OF(deal_words))]));
    set_id(fields, "WhoId", nth(work->people, (size_t)work->number));
    if (below(work, 2)) {
        set_id(fields, "WhatId", nth(work->deals, deal));
    } else {
        set_id(fields, "WhatId", nth(work->accounts, (size_t)work->number));
    }
}

/* What lies in the past is mostly done; a fifth is still to come. */
static void task_make(struct work *work, json_t *fields, const char *subtype)
{
    bool is_ahead = below(work, 5) == 0;
    int64_t ahead_ms = (1 + (int64_t)below(work, DUE_WITHIN_DAYS)) * DAY_MS;

    set_date(fields, "ActivityDate", is_ahead ? work->now_ms + ahead_ms : work->made_ms);
    json_object_set_new(fields, "Status",
                        json_string(!is_ahead && below(work, 8) ? "Completed" : "Not Started"));
    json_object_set_new(fields, "TaskSubtype", json_string(subtype));
    make(work, SF_TASK, fields);
}

static void event_make(struct work *work, json_t *fields)
{
    int64_t start_ms =
        work->made_ms / DAY_MS * DAY_MS + (8 + (int64_t)below(work, 10)) * 3600 * SECOND_MS;

    set_time(fields, "StartDateTime", start_ms);
    json_object_set_new(fields, "DurationInMinutes",
                        json_integer(15 * (1 + (json_int_t)below(work, 8))));
    make(work, SF_EVENT, fields);
}

void sf_fill_work(struct salesforce *sf, int64_t now_ms, const struct simulator_options *options)
{
    static const char *const kinds[] = {"Call", "Email", NULL, "Task"}; /* NULL: an event */
    struct work work = {.sf = sf,
                        .random = random_new_seeded(options->seed ^ 0x776f726b73),
                        .now_ms = now_ms,
                        .people = &sf->objects[SF_CONTACT]->table,
                        .accounts = &sf->objects[SF_ACCOUNT]->table,
                        .deals = &sf->objects[SF_OPPORTUNITY]->table};

    for (work.number = 0; work.number < options->deals; work.number++) {
        deal_make(&work, options->deals);
    }
    for (work.number = 0; work.number < options->activities; work.number++) {
        json_t *fields = begin(&work, options->activities);
        const char *kind = kinds[(size_t)work.number % COUNT_OF(kinds)];

        activity_values(&work, fields);
        if (kind) {
            task_make(&work, fields, kind);
        } else {
            event_make(&work, fields);
        }
    }
    random_free(work.random);
    arena_fini(&work.arena);
}
