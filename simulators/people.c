#include "simulators/people.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "core/attributes.h"

/* --- a number from (seed, index, purpose): the same whoever asks, in any order
 * -------------------- */

enum purpose { FOR_PERSON = 1, FOR_COMPANY, FOR_HOLDING, FOR_PERSON_BLUR, FOR_COMPANY_BLUR };

struct dice {
    uint64_t state;
};

/* splitmix64: one addition and three mixes give a well spread number. Source: Steele, Lea, Flood
 * 2014, "Fast splittable pseudorandom number generators". */
static uint64_t dice_next(struct dice *dice)
{
    uint64_t z = (dice->state += 0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

static struct dice dice_for(uint64_t seed, int index, enum purpose purpose)
{
    struct dice dice = {.state = seed ^ ((uint64_t)purpose << 56)};

    dice.state = dice_next(&dice) + (uint64_t)(unsigned)index * 0xd1342543de82ef95;
    dice_next(&dice);
    return dice;
}

static size_t roll(struct dice *dice, size_t sides)
{
    return (size_t)(dice_next(dice) % sides);
}

static bool one_in(struct dice *dice, size_t sides)
{
    return roll(dice, sides) == 0;
}

/* --- material
 * ------------------------------------------------------------------------------------- */

struct name {
    const char *text;
    const char *ascii; /* for the e-mail address */
};

/* Names that go together, and where such people live. Phone ranges are the ones that regulators
 * keep for films and books (Ofcom, NANPA 555-01xx, BNetzA, ARCEP, PTS); countries without one get
 * none of their own and use an international number of another country's range. */
struct culture {
    const struct name *first;
    size_t first_count;
    const struct name *last;
    size_t last_count;
    const char *const *cities;
    size_t cities_count;
    const char *street;
    const char *postal_code;
    const char *phone_prefix; /* international */
    const char *phone_local;  /* the same as typed at home */
    int phone_digits;         /* that follow */
};

#define NAMES(name) (name), COUNT_OF(name)

static const struct name english_first[] = {
    {"Olivia", "olivia"}, {"Amelia", "amelia"}, {"Harper", "harper"}, {"Noah", "noah"},
    {"Liam", "liam"},     {"Grace", "grace"},   {"Mason", "mason"},   {"Tessa", "tessa"},
    {"Owen", "owen"},     {"Ruth", "ruth"},     {"Caleb", "caleb"},   {"Imogen", "imogen"},
};
static const struct name english_last[] = {
    {"Carter", "carter"},   {"O'Brien", "obrien"},        {"Whitfield", "whitfield"},
    {"Okafor", "okafor"},   {"McAllister", "mcallister"}, {"Smith-Hughes", "smith-hughes"},
    {"Nguyen", "nguyen"},   {"Barlow", "barlow"},         {"Hastings", "hastings"},
    {"Pereira", "pereira"}, {"Kowalczyk", "kowalczyk"},   {"Drummond", "drummond"},
};
static const char *const american_cities[] = {"Portland", "Austin", "Columbus", "Boise", "Tampa"};
static const char *const british_cities[] = {"London", "Leeds", "Bristol", "Norwich"};

static const struct name german_first[] = {
    {"Jürgen", "juergen"}, {"Käthe", "kaethe"}, {"Lukas", "lukas"},  {"Mareike", "mareike"},
    {"Sören", "soeren"},   {"Ute", "ute"},      {"Björn", "bjoern"}, {"Annegret", "annegret"},
};
static const struct name german_last[] = {
    {"Müller", "mueller"},      {"Großmann", "grossmann"}, {"von der Heide", "vonderheide"},
    {"Schäfer", "schaefer"},    {"Weiß", "weiss"},         {"Köhler-Brandt", "koehler-brandt"},
    {"Lindemann", "lindemann"}, {"Özdemir", "oezdemir"},
};
static const char *const german_cities[] = {"Berlin", "Köln", "Görlitz", "Lübeck"};

static const struct name french_first[] = {
    {"Élodie", "elodie"}, {"François", "francois"}, {"Zoé", "zoe"},   {"Jean-Luc", "jean-luc"},
    {"Maëlle", "maelle"}, {"Étienne", "etienne"},   {"Inès", "ines"}, {"Théo", "theo"},
};
static const struct name french_last[] = {
    {"Lefèvre", "lefevre"},   {"d'Aubigné", "daubigne"}, {"Noël", "noel"},
    {"Gauthier", "gauthier"}, {"Béranger", "beranger"},  {"Le Goff", "legoff"},
};
static const char *const french_cities[] = {"Lyon", "Nîmes", "Besançon", "Saint-Étienne"};

static const struct name nordic_first[] = {
    {"Åsa", "asa"},     {"Øyvind", "oyvind"},   {"Linnéa", "linnea"},
    {"Göran", "goran"}, {"Solveig", "solveig"}, {"Jörgen", "jorgen"},
};
static const struct name nordic_last[] = {
    {"Sjöberg", "sjoberg"},     {"Ødegård", "odegard"}, {"Bergström", "bergstrom"},
    {"Halvorsen", "halvorsen"}, {"Åkesson", "akesson"}, {"Lundqvist", "lundqvist"},
};
static const char *const nordic_cities[] = {"Malmö", "Göteborg", "Umeå", "Växjö"};

static const struct name slavic_first[] = {
    {"Олена", "olena"},   {"Дмитро", "dmytro"}, {"Ірина", "iryna"},
    {"Богдан", "bohdan"}, {"Łucja", "lucja"},   {"Wojciech", "wojciech"},
};
static const struct name slavic_last[] = {
    {"Шевченко", "shevchenko"}, {"Коваль", "koval"},          {"Мельник", "melnyk"},
    {"Ткаченко", "tkachenko"},  {"Żółkiewska", "zolkiewska"},
};
static const char *const slavic_cities[] = {"Kraków", "Львів", "Одеса", "Łódź"};

static const struct name asian_first[] = {
    {"美咲", "misaki"}, {"健太", "kenta"}, {"伟", "wei"},
    {"芳", "fang"},     {"지훈", "jihun"}, {"서연", "seoyeon"},
};
static const struct name asian_last[] = {
    {"佐藤", "sato"}, {"鈴木", "suzuki"}, {"王", "wang"},
    {"李", "li"},     {"김", "kim"},      {"박", "park"},
};
static const char *const asian_cities[] = {"東京", "大阪", "上海", "서울"};

static const struct name greek_first[] = {
    {"Ελένη", "eleni"}, {"Νίκος", "nikos"}, {"مريم", "maryam"}, {"يوسف", "yusuf"}, {"נועה", "noa"},
};
static const struct name greek_last[] = {
    {"Παπαδόπουλος", "papadopoulos"},
    {"Γεωργίου", "georgiou"},
    {"حداد", "haddad"},
    {"خوري", "khoury"},
    {"לוי", "levi"},
};
static const char *const greek_cities[] = {"Αθήνα", "Πάτρα", "Χανιά"};

static const struct culture cultures[] = {
    {NAMES(english_first), NAMES(english_last), NAMES(american_cities), "Juniper Street", "97205",
     "+1 503 555 01", "(503) 555-01", 2},
    {NAMES(english_first), NAMES(english_last), NAMES(british_cities), "Mill Lane", "LS14DY",
     "+44 20 7946 0", "020 7946 0", 3},
    {NAMES(german_first), NAMES(german_last), NAMES(german_cities), "Lindenstraße", "10969",
     "+49 30 23125", "030/23125-", 3},
    {NAMES(french_first), NAMES(french_last), NAMES(french_cities), "rue des Érables", "69003",
     "+33 1 99 00 ", "01 99 00 ", 4},
    {NAMES(nordic_first), NAMES(nordic_last), NAMES(nordic_cities), "Storgatan", "21142",
     "+46 8 465 004 ", "08-465 004 ", 2},
    {NAMES(slavic_first), NAMES(slavic_last), NAMES(slavic_cities), "Lipowa", "31072",
     "+44 7700 900", "07700 900", 3},
    {NAMES(asian_first), NAMES(asian_last), NAMES(asian_cities), "Sakura-dori", "1500043",
     "+1 212 555 01", "212.555.01", 2},
    {NAMES(greek_first), NAMES(greek_last), NAMES(greek_cities), "Odos Ermou", "10563",
     "+44 20 7946 0", "020 79460", 3},
};
/* How often each culture is met, of 16. */
static const unsigned char culture_share[16] = {0, 0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 4, 5, 6, 7};

static const char *const company_first[] = {
    "Harbor",  "Northwind", "Alder",      "Brightwater", "Copper",    "Meridian", "Juniper",
    "Lantern", "Quarry",    "Silverline", "Tidal",       "Umber",     "Vertex",   "Willow",
    "Zephyr",  "Granite",   "Falcon",     "Ember",       "Delta",     "Cobalt",   "Birch",
    "Anchor",  "Kestrel",   "Iron Gate",  "Östgöta",     "Café Noir", "Ålesund",  "São Bento",
};
static const char *const company_first_ascii[] = {
    "harbor",  "northwind", "alder",      "brightwater", "copper",   "meridian", "juniper",
    "lantern", "quarry",    "silverline", "tidal",       "umber",    "vertex",   "willow",
    "zephyr",  "granite",   "falcon",     "ember",       "delta",    "cobalt",   "birch",
    "anchor",  "kestrel",   "irongate",   "ostgota",     "cafenoir", "alesund",  "saobento",
};
static const char *const company_second[] = {
    "Tools",   "Logistics", "Software", "Foods",    "Health",  "Energy", "Press",  "Labs",
    "Systems", "Textiles",  "Optics",   "Robotics", "Finance", "Media",  "Marine", "Studio",
};
static const char *const company_form[] = {"GmbH", "Ltd", "Inc.", "AS", "AB", "LLC", "", "& Sons"};
/* HubSpot's own option values. Source: the default "industry" property. */
static const char *const industries[] = {
    "MACHINERY",
    "LOGISTICS_AND_SUPPLY_CHAIN",
    "COMPUTER_SOFTWARE",
    "FOOD_PRODUCTION",
    "HOSPITAL_HEALTH_CARE",
    "RENEWABLES_ENVIRONMENT",
    "PUBLISHING",
    "BIOTECHNOLOGY",
    "INFORMATION_TECHNOLOGY_AND_SERVICES",
    "TEXTILES",
    "MEDICAL_DEVICES",
    "INDUSTRIAL_AUTOMATION",
    "FINANCIAL_SERVICES",
    "ONLINE_MEDIA",
    "MARITIME",
    "DESIGN",
};
static_assert(COUNT_OF(industries) == COUNT_OF(company_second),
              "an industry for each line of business");
static_assert(COUNT_OF(company_first) == COUNT_OF(company_first_ascii), "a domain for each name");

/* --- companies
 * ------------------------------------------------------------------------------------ */

/* Head counts and revenues are skewed: many small companies, few large ones. */
static int head_count(struct dice *dice)
{
    size_t magnitude = roll(dice, 4);
    size_t most = magnitude == 0 ? 9 : magnitude == 1 ? 60 : magnitude == 2 ? 600 : 20000;

    return (int)(1 + roll(dice, most));
}

void sim_company_make(uint64_t seed, int index, struct sim_company *ret)
{
    struct dice dice = dice_for(seed, index, FOR_COMPANY);
    size_t first = roll(&dice, COUNT_OF(company_first));
    size_t second = roll(&dice, COUNT_OF(company_second));
    const char *form = company_form[roll(&dice, COUNT_OF(company_form))];
    const struct culture *home = &cultures[culture_share[roll(&dice, COUNT_OF(culture_share))]];

    *ret = (struct sim_company){0};
    snprintf(ret->name, sizeof(ret->name), "%s %s%s%s", company_first[first],
             company_second[second], *form ? " " : "", form);
    snprintf(ret->domain, sizeof(ret->domain), "%s-%d.example", company_first_ascii[first], index);
    snprintf(ret->website, sizeof(ret->website), "https://www.%s/", ret->domain);
    snprintf(ret->industry, sizeof(ret->industry), "%s", industries[second]);
    ret->employees = head_count(&dice);
    ret->annual_revenue = (long long)ret->employees * (long long)(60 + roll(&dice, 140)) * 1000;
    snprintf(ret->city, sizeof(ret->city), "%s", home->cities[roll(&dice, home->cities_count)]);
}

/* --- people
 * --------------------------------------------------------------------------------------- */

static void phone_digits(struct dice *dice, int digits, char *ret, size_t bytes)
{
    size_t limit = digits == 2 ? 100 : digits == 3 ? 1000 : 10000;

    snprintf(ret, bytes, "%0*zu", digits, roll(dice, limit));
}

static void phone_make(struct dice *dice, const struct culture *home, struct sim_person *person)
{
    char tail[8];

    phone_digits(dice, home->phone_digits, tail, sizeof(tail));
    if (one_in(dice, 12)) {
        return; /* no phone known */
    }
    snprintf(person->phone, sizeof(person->phone), "%s%s",
             one_in(dice, 3) ? home->phone_local : home->phone_prefix, tail);
}

/* The index makes the address unique, which CRMs insist on. */
static void email_make(uint64_t seed, int index, struct dice *dice, const struct name *first,
                       const struct name *last, struct sim_person *person)
{
    struct sim_company company = {.domain = "mail.example"};
    bool is_missing = one_in(dice, 30);

    if (person->company >= 0 && !one_in(dice, 10)) {
        sim_company_make(seed, person->company, &company);
    }
    if (!is_missing) {
        snprintf(person->email, sizeof(person->email), "%s.%s%d@%s", first->ascii, last->ascii,
                 index, company.domain);
    }
}

static void address_make(struct dice *dice, const struct culture *home, struct sim_person *person)
{
    snprintf(person->city, sizeof(person->city), "%s",
             home->cities[roll(dice, home->cities_count)]);
    snprintf(person->address, sizeof(person->address), "%s %zu", home->street, 1 + roll(dice, 199));
    snprintf(person->postal_code, sizeof(person->postal_code), "%s", home->postal_code);
}

static void person_first_made(uint64_t seed, int index, int companies, struct sim_person *ret)
{
    struct dice dice = dice_for(seed, index, FOR_PERSON);
    const struct culture *home = &cultures[culture_share[roll(&dice, COUNT_OF(culture_share))]];
    const struct name *first = &home->first[roll(&dice, home->first_count)];
    const struct name *last = &home->last[roll(&dice, home->last_count)];

    *ret = (struct sim_person){.company = -1};
    if (companies > 0 && !one_in(&dice, 15)) {
        ret->company = (int)roll(&dice, (size_t)companies);
    }
    snprintf(ret->first_name, sizeof(ret->first_name), "%s", first->text);
    snprintf(ret->last_name, sizeof(ret->last_name), "%s", last->text);
    phone_make(&dice, home, ret);
    address_make(&dice, home, ret);
    email_make(seed, index, &dice, first, last, ret);
}

/* One in 60 is somebody who is in the book already, entered again with a private address or none.
 */
static bool is_entered_twice(uint64_t seed, int index, int *ret_original)
{
    struct dice dice = dice_for(seed ^ 0x5eed, index, FOR_PERSON);

    if (index < 20 || !one_in(&dice, 60)) {
        return false;
    }
    *ret_original = index - 1 - (int)roll(&dice, 19);
    return true;
}

void sim_person_make(uint64_t seed, int index, int companies, struct sim_person *ret)
{
    int original;

    if (!is_entered_twice(seed, index, &original)) {
        person_first_made(seed, index, companies, ret);
        return;
    }
    person_first_made(seed, original, companies, ret);
    ret->email[0] = '\0';
    if (index % 2) {
        snprintf(ret->email, sizeof(ret->email), "private%d@mail.example", index);
    }
}

bool sim_is_held(uint64_t seed, int index, int crm, double overlap)
{
    struct dice dice = dice_for(seed, index, FOR_HOLDING);
    double at = (double)(dice_next(&dice) >> 11) / 9007199254740992.0;
    /* Every CRM alone holds a share p, all hold 1 - 3p; of what one CRM holds, (1 - 3p) / (1 - 2p)
     * is everybody's. */
    double alone = (1 - overlap) / (3 - 2 * overlap);
    double all = 1 - 3 * alone;

    return at < all || (int)roll(&dice, 3) == crm;
}

/* --- the same, as somebody else typed it
 * ---------------------------------------------------------- */

/* ASCII letters only: what a hurried typist does to the others differs by language. */
static void shout(char *text)
{
    for (; *text; text++) {
        *text = (char)toupper((unsigned char)*text);
    }
}

static void capitalise_first(char *text)
{
    *text = (char)toupper((unsigned char)*text);
}

static void only_dialled(char *phone)
{
    char *to = phone;

    for (const char *at = phone; *at; at++) {
        if ((*at >= '0' && *at <= '9') || *at == '+') {
            *to++ = *at;
        }
    }
    *to = '\0';
}

static void dots_for_blanks(char *phone)
{
    for (; *phone; phone++) {
        if (*phone == ' ' || *phone == '-') {
            *phone = '.';
        }
    }
}

static void trailing_blank(char *text, size_t bytes)
{
    size_t length = strlen(text);

    if (length && length + 1 < bytes) {
        text[length] = ' ';
        text[length + 1] = '\0';
    }
}

static void phone_blur(struct dice *dice, char *phone)
{
    switch (roll(dice, 3)) {
    case 0:
        only_dialled(phone);
        break;
    case 1:
        dots_for_blanks(phone);
        break;
    default:
        break;
    }
}

void sim_person_blur(uint64_t seed, int index, struct sim_person *person)
{
    struct dice dice = dice_for(seed, index, FOR_PERSON_BLUR);

    if (one_in(&dice, 4)) {
        capitalise_first(person->email);
    }
    if (one_in(&dice, 12)) {
        shout(person->last_name);
    }
    if (one_in(&dice, 15)) {
        trailing_blank(person->first_name, sizeof(person->first_name));
    }
    phone_blur(&dice, person->phone);
    if (one_in(&dice, 20)) { /* has moved since */
        snprintf(person->address, sizeof(person->address), "Old Mill Road %zu",
                 1 + roll(&dice, 99));
    }
    if (one_in(&dice, 25)) {
        person->phone[0] = '\0';
    }
}

void sim_company_blur(uint64_t seed, int index, struct sim_company *company)
{
    struct dice dice = dice_for(seed, index, FOR_COMPANY_BLUR);

    if (one_in(&dice, 8)) {
        shout(company->name);
    }
    if (one_in(&dice, 5)) {
        snprintf(company->website, sizeof(company->website), "http://%s", company->domain);
    }
    if (one_in(&dice, 6)) { /* last year's head count */
        company->employees += 1 + company->employees / 10;
    }
}
