/* The content of a new account: companies and people of people.h as other people typed them, over the last two years. */
#include "simulators/salesforce_inside.h"

#include "core/alloc.h"
#include "core/jx.h"
#include "simulators/people.h"

enum { THIS_CRM = 2, PEOPLE_PER_COMPANY = 5, INDEXES_PER_RECORD_MAX = 50 };

static const int64_t SECOND_MS = 1000, HOUR_MS = 60LL * 60 * 1000, DAY_MS = 24 * 60LL * 60 * 1000;
static const int64_t TWO_YEARS_MS = 730 * 24 * 60LL * 60 * 1000;

struct fill {
    struct salesforce *sf;
    uint64_t seed;
    double overlap;
    int64_t now_ms;
    int records, companies_count;
    int64_t *companies; /* owned; by index: number of the account, 0 = not in this CRM */
    struct arena arena; /* of the record being made */
};

static size_t roll(struct fill *fill, size_t sides)
{
    return (size_t)random_below(fill->sf->random, sides);
}

/* position of count: evenly over two years, ending a day ago. */
static int64_t time_of(const struct fill *fill, int position, int count)
{
    return (fill->now_ms - TWO_YEARS_MS + (TWO_YEARS_MS - DAY_MS) / (count + 1) * position) /
           SECOND_MS * SECOND_MS;
}

static void put(json_t *fields, const char *name, const char *text)
{
    if (*text) {
        json_object_set_new(fields, name, json_string(text));
    }
}

/* A third was touched again some time after it was made. */
static struct sf_record *make(struct fill *fill, enum sf_standard which, const json_t *fields,
                              int64_t at_ms)
{
    struct sf_unit unit = {
        .sf = fill->sf, .arena = &fill->arena, .now_ms = at_ms, .is_lenient = true};
    int64_t spare_ms = fill->now_ms - HOUR_MS - at_ms;
    struct sf_record *record;
    struct sf_error err;

    unit.session.user = fill->sf->person + (int64_t)roll(fill, 3);
    record = sf_create(&unit, fill->sf->objects[which], fields, &err);
    if (!record) {
        abort(); /* the content is ours */
    }
    if (roll(fill, 3) == 0 && spare_ms > 0) {
        sf_record_touch(record,
                        (at_ms + (int64_t)roll(fill, (size_t)spare_ms)) / SECOND_MS * SECOND_MS,
                        unit.session.user);
    }
    arena_reset(&fill->arena);
    return record;
}

static void put_option(struct fill *fill, enum sf_standard which, json_t *fields, const char *name)
{
    const struct sf_field *field = sf_field_find_any(fill->sf->objects[which], str_of(name));
    struct str value = field->options[roll(fill, field->options_count)].value;

    json_object_set_new(fields, name, json_stringn(value.at, value.len));
}

/* --- companies and people ---------------------------------------------------------------------- */

static void company_fill(struct fill *fill, int index)
{
    json_t *fields = jx_own(&fill->arena, json_object());
    struct sim_company company;

    if (!sim_is_held(fill->seed, index, THIS_CRM, fill->overlap)) {
        return;
    }
    sim_company_make(fill->seed, index, &company);
    sim_company_blur(fill->seed, index, &company);
    put(fields, "Name", company.name);
    put(fields, "Website", company.website);
    put(fields, "BillingCity", company.city);
    json_object_set_new(fields, "NumberOfEmployees", json_integer(company.employees));
    json_object_set_new(fields, "AnnualRevenue", json_integer(company.annual_revenue));
    put_option(fill, SF_ACCOUNT, fields, "Industry");
    if (roll(fill, 3) == 0) {
        json_object_set_new(fields, "VAT_Number__c",
                            json_sprintf("XX%09zu", roll(fill, 1000000000)));
    }
    fill->companies[index] =
        make(fill, SF_ACCOUNT, fields, time_of(fill, index, fill->companies_count))->base.id;
}

static void put_custom(struct fill *fill, json_t *fields)
{
    if (roll(fill, 3) == 0) {
        put_option(fill, SF_CONTACT, fields, "Tier__c");
    }
    if (roll(fill, 5) == 0) {
        put_option(fill, SF_CONTACT, fields, "Interests__c");
    }
    if (roll(fill, 6) == 0) {
        json_object_set_new(fields, "Customer_Since__c",
                            json_sprintf("20%02zu-%02zu-%02zu", 10 + roll(fill, 15),
                                         1 + roll(fill, 12), 1 + roll(fill, 28)));
    }
}

static void person_fill(struct fill *fill, int index, int position)
{
    json_t *fields = jx_own(&fill->arena, json_object());
    struct sim_person person;
    char id[SF_ID_BYTES];

    sim_person_make(fill->seed, index, fill->companies_count, &person);
    sim_person_blur(fill->seed, index, &person);
    put(fields, "FirstName", person.first_name);
    put(fields, "LastName", person.last_name);
    put(fields, "Email", person.email);
    put(fields, "Phone", person.phone);
    put(fields, "MailingStreet", person.address);
    put(fields, "MailingCity", person.city);
    put(fields, "MailingPostalCode", person.postal_code);
    put_custom(fill, fields);
    if (person.company >= 0 && fill->companies[person.company]) {
        sf_id_format("001", fill->companies[person.company], id);
        put(fields, "AccountId", id);
    }
    make(fill, SF_CONTACT, fields, time_of(fill, position, fill->records));
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

void sf_fill(struct salesforce *sf, int64_t now_ms, const struct simulator_options *options)
{
    struct fill fill = {.sf = sf,
                        .seed = options->seed,
                        .overlap = options->overlap > 0 ? options->overlap : 0.7,
                        .now_ms = now_ms,
                        .records = options->records};

    if (fill.records <= 0) {
        return;
    }
    sf_custom_fill(sf, now_ms);
    fill.companies_count = (fill.records + PEOPLE_PER_COMPANY - 1) / PEOPLE_PER_COMPANY;
    fill.companies = alloc_new((size_t)fill.companies_count, sizeof(fill.companies[0]));
    for (int index = 0; index < fill.companies_count; index++) {
        company_fill(&fill, index);
    }
    people_fill(&fill);
    free(fill.companies);
    arena_fini(&fill.arena);
}
