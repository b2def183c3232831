/* Deals and activities of a new account, over the people and companies that hubspot_fill made before. They are this CRM's own: no
 * other CRM of the same seed has them. */
#include "simulators/hubspot_inside.h"

#include <inttypes.h>

#include "core/when.h"

enum { CONTACTS_PER_DEAL_MAX = 3, CENTS_MAX = 25000000 };

static const int64_t HOUR_MS = 60LL * 60 * 1000;
static const int64_t DAY_MS = 24 * 60LL * 60 * 1000;
static const int64_t TWO_YEARS_MS = 730 * 24 * 60LL * 60 * 1000;

/* One made-up object on its way. */
struct work {
    struct hubspot *hs;
    int64_t now_ms;
    struct random *random; /* of its own: numbers of deals do not change the people */
    const struct hs_kind *contacts, *companies, *deals;
    struct hs_kind *kind;
    struct hs_record *record;
    int number; /* of this object among its like, from 0 */
};

static size_t below(struct work *work, size_t sides)
{
    return (size_t)random_below(work->random, sides);
}

static void set(struct work *work, const char *name, struct str text)
{
    long index = hs_property_find(work->kind, str_of(name));

    if (index >= 0 && text.len) {
        hs_record_set(work->hs, work->kind, work->record, (size_t)index, text, &hs_source_import,
                      work->record->base.created_ms);
    }
}

static void set_time(struct work *work, const char *name, int64_t ms)
{
    char text[WHEN_TEXT_BYTES];

    when_format_ms(ms, text);
    set(work, name, str_of(text));
}

static void begin(struct work *work, const char *plural, int count)
{
    int64_t step_ms = (TWO_YEARS_MS - DAY_MS) / (count + 1);

    work->kind = hs_kind_find(work->hs, str_of(plural));
    work->record = hs_record_new(work->kind, hs_next_id(work->hs, work->kind),
                                 work->now_ms - TWO_YEARS_MS + step_ms * work->number);
    set(work, "hs_object_source", str_of(hs_source_import.type));
    set(work, "hs_object_source_id", str_of(hs_source_import.id));
    set(work, "hs_object_source_label", str_of(hs_source_import.type));
}

static void link_to(struct work *work, const struct hs_kind *kind, size_t index)
{
    struct hs_kind *to_kind = hs_kind_find(work->hs, str_of(kind->spec->plural));
    const struct hs_link_type *type = hs_link_default(work->hs, work->kind, to_kind);

    if (index < kind->table.count) {
        hs_link_add(work->hs, work->kind, work->record, type,
                    (struct hs_record *)kind->table.at[index]);
    }
}

static int64_t company_of(const struct hs_kind *contacts, size_t index)
{
    const struct sim_record *record =
        index < contacts->table.count ? contacts->table.at[index] : NULL;

    return record ? hs_link_primary((const struct hs_record *)record) : 0;
}

/* The first contact's employer, else the company whose turn it is. */
static void link_company(struct work *work, size_t contact)
{
    int64_t employer = company_of(work->contacts, contact);
    size_t count = work->companies->table.count;

    if (employer) {
        link_to(work, work->companies, sim_table_from(&work->companies->table, employer));
    } else if (count) {
        link_to(work, work->companies, (size_t)work->number % count);
    }
}

/* --- deals ----------------------------------------------------------------------------------------- */

static const char *const deal_words[] = {"renewal",     "pilot",    "new licences", "support",
                                         "integration", "training", "Erweiterung",  "増設"};
static const char *const currencies[] = {"USD", "USD", "EUR"};
static const char *const deal_owners[] = {"30100", "30101", "30102", "30055", "", ""};
static const char *const stages[] = {"appointmentscheduled",
                                     "qualifiedtobuy",
                                     "presentationscheduled",
                                     "decisionmakerboughtin",
                                     "contractsent",
                                     "closedwon",
                                     "closedlost"};

static void deal_values(struct work *work)
{
    char text[64];
    size_t cents = below(work, CENTS_MAX);

    snprintf(text, sizeof(text), "%s %d", deal_words[below(work, COUNT_OF(deal_words))],
             work->number + 1);
    set(work, "dealname", str_of(text));
    snprintf(text, sizeof(text), "%zu.%02zu", cents / 100, cents % 100);
    set(work, "amount", str_of(text));
    set(work, "deal_currency_code", str_of(currencies[below(work, COUNT_OF(currencies))]));
    set(work, "pipeline", STR("default"));
    set(work, "dealstage", str_of(stages[below(work, COUNT_OF(stages))]));
    set(work, "hubspot_owner_id", str_of(deal_owners[below(work, COUNT_OF(deal_owners))]));
    set_time(work, "closedate", work->record->base.created_ms + 30 * DAY_MS);
    hs_stage_derive(work->hs, work->kind, work->record, work->record->base.created_ms);
}

static void deal_make(struct work *work, int count)
{
    size_t people = work->contacts->table.count;
    size_t first = people ? (size_t)work->number * 2 % people : 0;
    size_t wanted = 1 + below(work, CONTACTS_PER_DEAL_MAX);

    begin(work, "deals", count);
    deal_values(work);
    for (size_t i = 0; i < wanted && i < people; i++) {
        link_to(work, work->contacts, (first + i) % people);
    }
    link_company(work, first);
}

/* --- activities ------------------------------------------------------------------------------------ */

/* Where a type of activity keeps its subject and text, and what else it has. */
struct activity {
    const char *plural, *subject, *body;
    const char *extra, *extra_values[2];
};

static const struct activity activity_types[] = {
    {"calls", "hs_call_title", "hs_call_body", "hs_call_status", {"COMPLETED", "NO_ANSWER"}},
    {"emails",
     "hs_email_subject",
     "hs_email_html",
     "hs_email_direction",
     {"EMAIL", "INCOMING_EMAIL"}},
    {"meetings",
     "hs_meeting_title",
     "hs_meeting_body",
     "hs_meeting_outcome",
     {"SCHEDULED", "COMPLETED"}},
    {"notes", NULL, "hs_note_body", NULL, {NULL, NULL}},
    {"tasks", "hs_task_subject", "hs_task_body", "hs_task_status", {"NOT_STARTED", "COMPLETED"}},
};

static const char *const subjects[] = {"First talk", "Follow-up", "Prices", "Angebot besprochen",
                                       "Next steps"};

static void activity_values(struct work *work, const struct activity *type)
{
    char text[160];
    int64_t at_ms = work->record->base.created_ms / HOUR_MS * HOUR_MS;

    set_time(work, "hs_timestamp", at_ms);
    if (type->subject) {
        snprintf(text, sizeof(text), "%s %d", subjects[below(work, COUNT_OF(subjects))],
                 work->number + 1);
        set(work, type->subject, str_of(text));
    }
    snprintf(text, sizeof(text), "<p>Number <b>%d</b>: %s &amp; more</p>", work->number + 1,
             deal_words[below(work, COUNT_OF(deal_words))]);
    set(work, type->body, str_of(text));
    if (type->extra) {
        set(work, type->extra, str_of(type->extra_values[below(work, 2)]));
    }
    if (str_equal(str_of(type->plural), STR("meetings"))) {
        set_time(work, "hs_meeting_start_time", at_ms);
        set_time(work, "hs_meeting_end_time", at_ms + HOUR_MS);
    }
    set(work, "hubspot_owner_id", str_of(deal_owners[below(work, COUNT_OF(deal_owners))]));
}

static void activity_make(struct work *work, int count)
{
    const struct activity *type = &activity_types[(size_t)work->number % COUNT_OF(activity_types)];
    size_t people = work->contacts->table.count, deals = work->deals->table.count;
    size_t contact = people ? (size_t)work->number % people : 0;

    begin(work, type->plural, count);
    activity_values(work, type);
    link_to(work, work->contacts, contact);
    link_company(work, contact);
    if (deals && below(work, 2)) {
        link_to(work, work->deals, below(work, deals));
    }
}

void hs_fill_work(struct hubspot *hs, int64_t now_ms, const struct simulator_options *options)
{
    struct work work = {.hs = hs,
                        .now_ms = now_ms,
                        .random = random_new_seeded(options->seed ^ 0x776f726b),
                        .contacts = hs_kind_find(hs, STR("contacts")),
                        .companies = hs_kind_find(hs, STR("companies")),
                        .deals = hs_kind_find(hs, STR("deals"))};

    for (work.number = 0; work.number < options->deals; work.number++) {
        deal_make(&work, options->deals);
    }
    for (work.number = 0; work.number < options->activities; work.number++) {
        activity_make(&work, options->activities);
    }
    random_free(work.random);
}
