/* The content of a new account: people and companies of people.h as other people typed them, over
 * the last two years. */
#include "simulators/pipedrive_inside.h"

#include "core/alloc.h"
#include "core/jx.h"
#include "simulators/people.h"

enum { THIS_CRM = 1, PEOPLE_PER_COMPANY = 5, INDEXES_PER_RECORD_MAX = 50, SETTINGS_MAX = 16 };

static const int64_t HOUR_MS = 60LL * 60 * 1000;
static const int64_t TWO_YEARS_MS = 730LL * 24 * 60 * 60 * 1000;

struct fill {
    struct pipedrive *pd;
    uint64_t seed;
    double overlap;
    int64_t now_ms;
    int records, companies_count;
    int64_t *companies; /* owned; by index: id of the organization, 0 = not in this CRM */
    struct pd_field *tier, *interests, *customer_since, *vat, *contract;
    /* of the record being made */
    struct arena arena;
    struct pd_setting settings[SETTINGS_MAX];
    size_t count;
};

static void put(struct fill *fill, struct pd_kind *kind, const char *code, struct str json)
{
    fill->settings[fill->count++] = (struct pd_setting){pd_slot(kind, code), json};
}

static struct str json_text(struct fill *fill, const char *text)
{
    return jx_text(&fill->arena, jx_own(&fill->arena, json_string(text)));
}

static void put_text(struct fill *fill, struct pd_kind *kind, const char *code, const char *text)
{
    if (*text) {
        put(fill, kind, code, json_text(fill, text));
    }
}

static void put_whole(struct fill *fill, struct pd_kind *kind, const char *code, int64_t number)
{
    put(fill, kind, code, arena_printf(&fill->arena, "%lld", (long long)number));
}

static void put_custom(struct fill *fill, const struct pd_kind *kind, const struct pd_field *field,
                       struct str json)
{
    fill->settings[fill->count++] = (struct pd_setting){pd_field_index(kind, field), json};
}

static size_t roll(struct fill *fill, size_t sides)
{
    return (size_t)random_below(fill->pd->random, sides);
}

static int64_t some_option(struct fill *fill, const struct pd_field *field)
{
    return field->options[roll(fill, field->options_count)].id;
}

/* position of count: evenly over two years, ending a day ago. */
static int64_t time_of(const struct fill *fill, int position, int count)
{
    return fill->now_ms - TWO_YEARS_MS + (TWO_YEARS_MS - 24 * HOUR_MS) / (count + 1) * position;
}

static void put_common(struct fill *fill, struct pd_kind *kind)
{
    const struct pd_field *labels = &kind->fields[pd_slot(kind, "label_ids")];

    put_whole(fill, kind, "owner_id", pd_users[roll(fill, pd_users_count)].id);
    put(fill, kind, "visible_to", STR("3"));
    if (roll(fill, 4) == 0) {
        put(fill, kind, "label_ids",
            arena_printf(&fill->arena, "[%lld]", (long long)some_option(fill, labels)));
    }
}

/* A third was touched again some time after it was made; a few old ones were never. */
static struct pd_record *record_make(struct fill *fill, struct pd_kind *kind, int64_t added_ms)
{
    struct pd_record *record =
        pd_record_create(fill->pd, kind, fill->settings, fill->count, added_ms, added_ms);
    int64_t spare_ms = fill->now_ms - HOUR_MS - added_ms;

    if (fill->pd->quirks & PD_NULL_UPDATE_TIME && roll(fill, 50) == 0) {
        sim_table_touch(&kind->table, &record->base, 0);
    } else if (roll(fill, 3) == 0 && spare_ms > 0) {
        sim_table_touch(&kind->table, &record->base,
                        (added_ms + (int64_t)roll(fill, (size_t)spare_ms)) / 1000 * 1000);
    }
    fill->count = 0;
    arena_reset(&fill->arena);
    return record;
}

/* --- custom fields -------------------------------------------------------------------------- */

static struct pd_field *field_make(struct fill *fill, struct pd_kind *kind, const char *name,
                                   enum pd_type type, const char *options)
{
    struct pd_field *field = pd_field_add(fill->pd, kind, str_of(name), type, fill->pd->created_ms);
    struct str rest = str_of(options);

    while (rest.at) {
        pd_option_add(fill->pd, field, str_cut(&rest, '|'), fill->pd->created_ms);
    }
    return field;
}

/* What an administrator had set up before. Room for all is made first: adding moves the array. */
static void fields_fill(struct fill *fill)
{
    struct pd_kind *people = pd_people(fill->pd), *organizations = pd_organizations(fill->pd);
    size_t tier = people->fields_count, vat = organizations->fields_count;

    field_make(fill, people, "Tier", PD_ENUM, "Gold|Silver|Bronze");
    field_make(fill, people, "Interests", PD_SET, "Events|Newsletter|Trials");
    field_make(fill, people, "Customer since", PD_DATE, NULL);
    field_make(fill, organizations, "VAT number", PD_VARCHAR, NULL);
    field_make(fill, organizations, "Contract value", PD_MONETARY, NULL);
    fill->tier = &people->fields[tier];
    fill->interests = &people->fields[tier + 1];
    fill->customer_since = &people->fields[tier + 2];
    fill->vat = &organizations->fields[vat];
    fill->contract = &organizations->fields[vat + 1];
}

static void put_person_custom(struct fill *fill, const struct pd_kind *kind)
{
    struct arena *arena = &fill->arena;

    if (roll(fill, 3) == 0) {
        put_custom(fill, kind, fill->tier,
                   arena_printf(arena, "%lld", (long long)some_option(fill, fill->tier)));
    }
    if (roll(fill, 5) == 0) {
        put_custom(fill, kind, fill->interests,
                   arena_printf(arena, "[%lld]", (long long)some_option(fill, fill->interests)));
    }
    if (roll(fill, 6) == 0) {
        put_custom(fill, kind, fill->customer_since,
                   arena_printf(arena, "\"20%02zu-%02zu-%02zu\"", 10 + roll(fill, 15),
                                1 + roll(fill, 12), 1 + roll(fill, 28)));
    }
}

static void put_organization_custom(struct fill *fill, const struct pd_kind *kind)
{
    if (roll(fill, 3) == 0) {
        put_custom(fill, kind, fill->vat,
                   arena_printf(&fill->arena, "\"XX%09zu\"", roll(fill, 1000000000)));
    }
    if (roll(fill, 4) == 0) {
        put_custom(fill, kind, fill->contract,
                   arena_printf(&fill->arena, "{\"value\":%zu,\"currency\":\"EUR\"}",
                                100 * (1 + roll(fill, 900))));
    }
}

/* --- companies and people ------------------------------------------------------------------- */

static struct str address_json(struct fill *fill, const char *value, const char *city)
{
    const char *const *parts;
    size_t count = pd_parts(PD_ADDRESS, &parts);
    json_t *made = jx_own(&fill->arena, json_object());

    for (size_t i = 0; i < count; i++) {
        json_object_set_new(made, parts[i],
                            strcmp(parts[i], "value") == 0      ? json_string(value)
                            : strcmp(parts[i], "locality") == 0 ? json_string(city)
                                                                : json_null());
    }
    return jx_text(&fill->arena, made);
}

static void company_fill(struct fill *fill, int index)
{
    struct pd_kind *kind = pd_organizations(fill->pd);
    struct sim_company company;

    if (!sim_is_held(fill->seed, index, THIS_CRM, fill->overlap)) {
        return;
    }
    sim_company_make(fill->seed, index, &company);
    sim_company_blur(fill->seed, index, &company);
    put_common(fill, kind);
    put_text(fill, kind, "name", company.name);
    put_text(fill, kind, "website", company.website);
    put(fill, kind, "address", address_json(fill, company.city, company.city));
    put_whole(fill, kind, "employee_count", company.employees);
    put_whole(fill, kind, "annual_revenue", company.annual_revenue);
    put_whole(fill, kind, "industry", some_option(fill, &kind->fields[pd_slot(kind, "industry")]));
    put_organization_custom(fill, kind);
    fill->companies[index] =
        record_make(fill, kind, time_of(fill, index, fill->companies_count))->base.id;
}

static void put_contact(struct fill *fill, struct pd_kind *kind, const char *code, const char *text)
{
    struct str value = json_text(fill, text);

    if (*text) {
        put(fill, kind, code,
            arena_printf(&fill->arena,
                         "[{\"label\":\"work\",\"value\":%" PRI_STR ",\"primary\":true}]",
                         STR_ARG(value)));
    }
}

static void person_fill(struct fill *fill, int index, int position)
{
    struct pd_kind *kind = pd_people(fill->pd);
    struct sim_person person;
    char name[sizeof(person.first_name) + sizeof(person.last_name) + 1];

    sim_person_make(fill->seed, index, fill->companies_count, &person);
    sim_person_blur(fill->seed, index, &person);
    snprintf(name, sizeof(name), "%s %s", person.first_name, person.last_name);
    put_common(fill, kind);
    put_text(fill, kind, "name", name);
    put(fill, kind, "first_name", json_text(fill, person.first_name));
    put(fill, kind, "last_name", json_text(fill, person.last_name));
    put_contact(fill, kind, "emails", person.email);
    put_contact(fill, kind, "phones", person.phone);
    if (person.company >= 0 && fill->companies[person.company]) {
        put_whole(fill, kind, "org_id", fill->companies[person.company]);
    }
    put_person_custom(fill, kind);
    record_make(fill, kind, time_of(fill, position, fill->records));
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

static void contacts_fill(struct fill *fill)
{
    fields_fill(fill);
    fill->companies_count = (fill->records + PEOPLE_PER_COMPANY - 1) / PEOPLE_PER_COMPANY;
    fill->companies = alloc_new((size_t)fill->companies_count, sizeof(fill->companies[0]));
    for (int index = 0; index < fill->companies_count; index++) {
        company_fill(fill, index);
    }
    people_fill(fill);
    free(fill->companies);
}

void pd_fill(struct pipedrive *pd, struct simulator *sim, const struct simulator_options *options)
{
    struct fill fill = {.pd = pd,
                        .seed = options->seed,
                        .overlap = options->overlap > 0 ? options->overlap : 0.7,
                        .now_ms = sim_now_ms(sim),
                        .records = options->records};
    unsigned quirks = pd->quirks;

    pd->quirks |= PD_NO_PARENT_BUMPS; /* history is not written by today's rules */
    if (fill.records > 0) {
        contacts_fill(&fill);
    }
    pd_fill_work(pd, fill.now_ms, options);
    pd->quirks = quirks;
    arena_fini(&fill.arena);
}
