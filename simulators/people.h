/* Made-up companies and people, the same for every simulator of one seed, so that two CRMs overlap: names in several scripts, untidy
 * phones and cases, some missing e-mails, some duplicates inside one CRM. Domains end in .example; phones are in ranges reserved for
 * fiction where a country has one. */
#ifndef CRMSYNC_SIMULATORS_PEOPLE_H
#define CRMSYNC_SIMULATORS_PEOPLE_H

#include <stdbool.h>
#include <stdint.h>

struct sim_company {
    char name[96];
    char domain[64];
    char website[80];
    char industry[32];
    int employees;
    long long annual_revenue;
    char city[48];
};
struct sim_person {
    char first_name[48], last_name[48];
    char email[96]; /* "" for about 1 in 30 */
    char phone[32];
    char city[48], address[96], postal_code[16];
    int company; /* index, -1 none */
};

/* Person / company number index of this seed, the same whoever asks. */
void sim_person_make(uint64_t seed, int index, int companies, struct sim_person *ret);
void sim_company_make(uint64_t seed, int index, struct sim_company *ret);
/* The same person as another CRM's user typed it: other case, other phone format, sometimes an outdated value. */
void sim_person_blur(uint64_t seed, int index, struct sim_person *person);
void sim_company_blur(uint64_t seed, int index, struct sim_company *company);
/* Whether CRM number crm (0 HubSpot, 1 Pipedrive, 2 Salesforce) holds this index. overlap (0 … 1): the share of what one CRM holds
 * that every other CRM holds, too; the rest is in one CRM only. */
bool sim_is_held(uint64_t seed, int index, int crm, double overlap);

#endif
