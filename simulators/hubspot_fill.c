/* The content of a new account: people and companies of people.h as somebody imported them over the last two years. */
#include "simulators/hubspot_inside.h"

#include "core/alloc.h"
#include "simulators/people.h"

enum { THIS_CRM = 0, PEOPLE_PER_COMPANY = 5, INDEXES_PER_RECORD_MAX = 50 };

static const int64_t HOUR_MS = 60LL * 60 * 1000;
static const int64_t TWO_YEARS_MS = 730LL * 24 * 60 * 60 * 1000;

struct fill {
    struct hubspot *hs;
    uint64_t seed;
    double overlap;
    int64_t now_ms;
    int records, companies_count;
    struct hs_record **companies; /* owned; by index, NULL = not in this CRM */
    struct sim_company *facts;    /* owned; by index */
    struct hs_kind *people_kind, *company_kind;
    const struct hs_link_type *employment;
};

static void set(struct fill *fill, struct hs_kind *kind, struct hs_record *record, const char *name,
                const char *text)
{
    long index = hs_property_find(kind, str_of(name));

    if (index >= 0 && *text) {
        hs_record_set(fill->hs, kind, record, (size_t)index, str_of(text), &hs_source_import,
                      record->base.created_ms);
    }
}

static void set_number(struct fill *fill, struct hs_kind *kind, struct hs_record *record,
                       const char *name, long long number)
{
    char text[24];

    snprintf(text, sizeof(text), "%lld", number);
    set(fill, kind, record, name, text);
}

/* position of count: evenly over two years, ending a day ago. */
static int64_t time_of(const struct fill *fill, int position, int count)
{
    return fill->now_ms - TWO_YEARS_MS + (TWO_YEARS_MS - 24 * HOUR_MS) / (count + 1) * position;
}

static struct hs_record *record_begin(struct fill *fill, struct hs_kind *kind, int64_t created_ms)
{
    struct hs_record *record = hs_record_new(kind, hs_next_id(fill->hs, kind), created_ms);

    set(fill, kind, record, "hs_object_source", hs_source_import.type);
    set(fill, kind, record, "hs_object_source_id", hs_source_import.id);
    set(fill, kind, record, "hs_object_source_label", hs_source_import.type);
    return record;
}

/* A third was touched again some time after it was made. */
static void record_end(struct fill *fill, struct hs_kind *kind, struct hs_record *record)
{
    int64_t spare_ms = fill->now_ms - HOUR_MS - record->base.created_ms;

    if (random_below(fill->hs->random, 3) == 0 && spare_ms > 0) {
        sim_table_touch(&kind->table, &record->base,
                        record->base.created_ms +
                            (int64_t)random_below(fill->hs->random, (uint64_t)spare_ms));
    }
}

/* --- companies ------------------------------------------------------------------------------------- */

static void company_fill(struct fill *fill, int index)
{
    struct hs_kind *kind = fill->company_kind;
    struct sim_company *company = &fill->facts[index];
    struct hs_record *record;

    sim_company_make(fill->seed, index, company);
    if (!sim_is_held(fill->seed, index, THIS_CRM, fill->overlap)) {
        return;
    }
    record = record_begin(fill, kind, time_of(fill, index, fill->companies_count));
    set(fill, kind, record, "name", company->name);
    set(fill, kind, record, "domain", company->domain);
    set(fill, kind, record, "website", company->website);
    set(fill, kind, record, "industry", company->industry);
    set(fill, kind, record, "city", company->city);
    set_number(fill, kind, record, "numberofemployees", company->employees);
    set_number(fill, kind, record, "annualrevenue", company->annual_revenue);
    record_end(fill, kind, record);
    fill->companies[index] = record;
}

/* --- people ---------------------------------------------------------------------------------------- */

static const char *some_stage(struct fill *fill)
{
    static const char *const stages[] = {"lead",     "lead",        "marketingqualifiedlead",
                                         "customer", "opportunity", "subscriber"};

    return stages[random_below(fill->hs->random, COUNT_OF(stages))];
}

static const char *some_owner(struct fill *fill)
{
    static const char *const owners[] = {"30100", "30101", "30102", "30055", "", ""};

    return owners[random_below(fill->hs->random, COUNT_OF(owners))];
}

static void employ(struct fill *fill, struct hs_record *record, int company)
{
    if (company < 0) {
        return;
    }
    set(fill, fill->people_kind, record, "company", fill->facts[company].name);
    if (fill->companies[company]) {
        hs_link_add(fill->hs, fill->people_kind, record, fill->employment,
                    fill->companies[company]);
    }
}

static void person_fill(struct fill *fill, int index, int position)
{
    struct hs_kind *kind = fill->people_kind;
    struct hs_record *record = record_begin(fill, kind, time_of(fill, position, fill->records));
    struct sim_person person;

    sim_person_make(fill->seed, index, fill->companies_count, &person);
    set(fill, kind, record, "firstname", person.first_name);
    set(fill, kind, record, "lastname", person.last_name);
    set(fill, kind, record, "email", person.email);
    set(fill, kind, record, "phone", person.phone);
    set(fill, kind, record, "city", person.city);
    set(fill, kind, record, "address", person.address);
    set(fill, kind, record, "zip", person.postal_code);
    set(fill, kind, record, "lifecyclestage", some_stage(fill));
    set(fill, kind, record, "hubspot_owner_id", some_owner(fill));
    employ(fill, record, person.company);
    record_end(fill, kind, record);
}

/* With an overlap, not every index is in this CRM: goes on until enough are. */
static void people_fill(struct fill *fill)
{
    int position = 0;

    for (int index = 0; position < fill->records && index / INDEXES_PER_RECORD_MAX < fill->records;
         index++) {
        if (sim_is_held(fill->seed, index, THIS_CRM, fill->overlap)) {
            person_fill(fill, index, position++);
        }
    }
}

void hs_fill(struct hubspot *hs, struct simulator *sim, const struct simulator_options *options)
{
    struct fill fill = {.hs = hs,
                        .seed = options->seed,
                        .overlap = options->overlap > 0 ? options->overlap : 0.7,
                        .now_ms = sim_now_ms(sim),
                        .records = options->records};

    if (fill.records <= 0) {
        return;
    }
    fill.people_kind = hs_kind_find(hs, STR("contacts"));
    fill.company_kind = hs_kind_find(hs, STR("companies"));
    fill.employment = hs_link_default(hs, fill.people_kind, fill.company_kind);
    fill.companies_count = (fill.records + PEOPLE_PER_COMPANY - 1) / PEOPLE_PER_COMPANY;
    fill.companies = alloc_new((size_t)fill.companies_count, sizeof(fill.companies[0]));
    fill.facts = alloc_new((size_t)fill.companies_count, sizeof(fill.facts[0]));
    for (int index = 0; index < fill.companies_count; index++) {
        company_fill(&fill, index);
    }
    people_fill(&fill);
    free(fill.companies);
    free(fill.facts);
}
