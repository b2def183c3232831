/* Deals, activities and notes of a new account, over the people and companies that pipedrive_fill made before. They are this CRM's own:
 * no other CRM of the same seed has them. Each is written as a person would, so that the rules between members hold. */
#include "simulators/pipedrive_inside.h"

#include <inttypes.h>

#include "core/jx.h"
#include "core/when.h"

enum { PARTICIPANTS_MAX = 3, CENTS_MAX = 25000000, CLOSES_AFTER_DAYS = 30, DUE_WITHIN_DAYS = 60 };

static const int64_t DAY_MS = 24 * 60LL * 60 * 1000;
static const int64_t TWO_YEARS_MS = 730 * 24 * 60LL * 60 * 1000;

/* One made-up object on its way. */
struct work {
    struct pipedrive *pd;
    struct random *random; /* of its own: numbers of deals do not change the people */
    struct arena arena;    /* of this object */
    int64_t now_ms, added_ms;
    int number; /* of this object among its like, from 0 */
    const struct sim_table *people, *organizations, *deals;
};

static size_t below(struct work *work, size_t sides)
{
    return (size_t)random_below(work->random, sides);
}

/* NULL when there is none. */
static const struct pd_record *nth(const struct sim_table *table, size_t index)
{
    return table->count ? (const struct pd_record *)table->at[index % table->count] : NULL;
}

static void set_id(json_t *body, const char *name, const struct pd_record *record)
{
    if (record) {
        json_object_set_new(body, name, json_integer(record->base.id));
    }
}

static void set_date(json_t *body, const char *name, int64_t ms)
{
    char text[WHEN_TEXT_BYTES];

    when_format_seconds(ms, text);
    json_object_set_new(body, name, json_stringn(text, sizeof("2026-01-01") - 1));
}

/* Evenly over two years, ending a day ago. */
static void begin(struct work *work, int count)
{
    arena_reset(&work->arena);
    work->added_ms =
        work->now_ms - TWO_YEARS_MS + (TWO_YEARS_MS - DAY_MS) / (count + 1) * work->number;
}

/* A third was touched again later. Somebody who has left owns what was not handed over. */
static struct pd_record *make(struct work *work, struct pd_kind *kind, const json_t *body)
{
    struct pd_check check = {.pd = work->pd, .arena = &work->arena, .now_ms = work->added_ms};
    const struct pd_user *owner = &pd_users[below(work, pd_users_count)];
    int64_t spare_ms = work->now_ms - work->added_ms;
    struct pd_record *record;
    struct pd_write write;

    if (!pd_write_read(&check, kind, NULL, body, PD_PERSON_CREATES, &write)) {
        abort(); /* the body is ours */
    }
    pd_put_setting(&write, kind->owner_slot, arena_printf(&work->arena, "%" PRId64, owner->id));
    record = pd_write_apply(work->pd, kind, NULL, &write, work->added_ms);
    if (below(work, 3) == 0) {
        int64_t later_ms = work->added_ms + (int64_t)below(work, (size_t)spare_ms);

        sim_table_touch(&kind->table, &record->base, later_ms / 1000 * 1000);
    }
    return record;
}

/* --- deals ---------------------------------------------------------------------------------- */

static const char *const deal_words[] = {"renewal",     "pilot",    "new licences", "support",
                                         "integration", "training", "Erweiterung",  "増設"};
static const char *const currencies[] = {"EUR", "EUR", "USD"};
static const char *const statuses[] = {"open", "open", "won", "lost"};
static const char *const reasons[] = {"Price", "No answer", "Zu spät"};

static void deal_values(struct work *work, json_t *body)
{
    size_t cents = below(work, CENTS_MAX), status = below(work, COUNT_OF(statuses));
    const char *word = deal_words[below(work, COUNT_OF(deal_words))];

    json_object_set_new(body, "title", json_sprintf("%s P%d", word, work->number + 1));
    json_object_set_new(body, "value",
                        cents % 4 ? json_real((double)cents / 100)
                                  : json_integer((json_int_t)cents / 100));
    json_object_set_new(body, "currency",
                        json_string(currencies[below(work, COUNT_OF(currencies))]));
    json_object_set_new(body, "stage_id",
                        json_integer(1 + (json_int_t)below(work, work->pd->stages_count)));
    json_object_set_new(body, "status", json_string(statuses[status]));
    if (str_equal(str_of(statuses[status]), STR("lost"))) {
        json_object_set_new(body, "lost_reason",
                            json_string(reasons[below(work, COUNT_OF(reasons))]));
    }
    if (below(work, 3) == 0) {
        json_object_set_new(body, "probability", json_integer((json_int_t)below(work, 11) * 10));
    }
    set_date(body, "expected_close_date", work->added_ms + CLOSES_AFTER_DAYS * DAY_MS);
}

/* The person's employer, else the organization whose turn it is. */
static void set_organization(struct work *work, json_t *body, const struct pd_record *person)
{
    if (person && person->org_id) {
        json_object_set_new(body, "org_id", json_integer(person->org_id));
    } else {
        set_id(body, "org_id", nth(work->organizations, (size_t)work->number));
    }
}

static void deal_make(struct work *work, int count)
{
    size_t first = (size_t)work->number * 2, wanted = 1 + below(work, PARTICIPANTS_MAX);
    const struct pd_record *person = nth(work->people, first);
    struct pd_record *deal;
    json_t *body;

    begin(work, count);
    body = jx_own(&work->arena, json_object());
    deal_values(work, body);
    set_id(body, "person_id", person);
    set_organization(work, body, person);
    deal = make(work, pd_deals(work->pd), body);
    for (size_t i = 1; i < wanted && i < work->people->count; i++) {
        pd_participant_add(work->pd, deal, nth(work->people, first + i)->base.id, work->added_ms);
    }
}

/* --- activities and notes ------------------------------------------------------------------- */

static const char *const types[] = {"call", "email", "meeting", NULL, "task"}; /* NULL: a note */
static const char *const subjects[] = {"First talk", "Follow-up", "Prices", "Angebot besprochen",
                                       "Next steps"};

static void set_text(struct work *work, json_t *body, const char *name)
{
    json_object_set_new(body, name,
                        json_sprintf("<p>Number <b>P%d</b>: %s &amp; more</p>", work->number + 1,
                                     deal_words[below(work, COUNT_OF(deal_words))]));
}

static const struct pd_record *some_deal(struct work *work)
{
    size_t index = below(work, work->deals->count + 1);

    return below(work, 2) ? nth(work->deals, index) : NULL;
}

/* What lies in the past is mostly done; a fifth is still to come. */
static void set_due(struct work *work, json_t *body)
{
    bool is_ahead = below(work, 5) == 0;
    int64_t ahead_ms = (1 + (int64_t)below(work, DUE_WITHIN_DAYS)) * DAY_MS;

    set_date(body, "due_date", is_ahead ? work->now_ms + ahead_ms : work->added_ms);
    json_object_set_new(body, "done", json_boolean(!is_ahead && below(work, 8)));
    if (below(work, 4)) {
        json_object_set_new(body, "due_time",
                            json_sprintf("%02zu:%02zu", 7 + below(work, 12), below(work, 4) * 15));
        json_object_set_new(body, "duration", json_string("00:30"));
    }
}

static json_t *participant_list(const struct pd_record *person)
{
    return person ? json_pack("[{sIsb}]", "person_id", (json_int_t)person->base.id, "primary", 1)
                  : json_array();
}

static void activity_make(struct work *work, const char *type)
{
    const struct pd_record *person = nth(work->people, (size_t)work->number);
    json_t *body = jx_own(&work->arena, json_object());

    json_object_set_new(body, "type", json_string(type));
    json_object_set_new(
        body, "subject",
        json_sprintf("%s P%d", subjects[below(work, COUNT_OF(subjects))], work->number + 1));
    set_text(work, body, "note");
    set_due(work, body);
    json_object_set_new(body, "participants", participant_list(person));
    set_organization(work, body, person);
    set_id(body, "deal_id", some_deal(work));
    make(work, pd_activities(work->pd), body);
}

/* Without anybody to link it to there is no note. */
static void note_make(struct work *work)
{
    const struct pd_record *person = nth(work->people, (size_t)work->number);
    json_t *body = jx_own(&work->arena, json_object());

    if (person) {
        set_text(work, body, "content");
        set_id(body, "person_id", person);
        set_organization(work, body, person);
        set_id(body, "deal_id", some_deal(work));
        make(work, pd_notes(work->pd), body);
    }
}

void pd_fill_work(struct pipedrive *pd, int64_t now_ms, const struct simulator_options *options)
{
    struct work work = {.pd = pd,
                        .random = random_new_seeded(options->seed ^ 0x776f726b70),
                        .now_ms = now_ms,
                        .people = &pd_people(pd)->table,
                        .organizations = &pd_organizations(pd)->table,
                        .deals = &pd_deals(pd)->table};

    for (work.number = 0; work.number < options->deals; work.number++) {
        deal_make(&work, options->deals);
    }
    for (work.number = 0; work.number < options->activities; work.number++) {
        const char *type = types[(size_t)work.number % COUNT_OF(types)];

        begin(&work, options->activities);
        if (type) {
            activity_make(&work, type);
        } else {
            note_make(&work);
        }
    }
    random_free(work.random);
    arena_fini(&work.arena);
}
