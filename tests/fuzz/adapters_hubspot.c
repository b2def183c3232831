/* What HubSpot answers, as its adapter reads it: pages, cursors, descriptions, outcomes of writes. */
#include "tests/fuzz/adapter.h"

extern const struct adapter adapter_hubspot;

void fuzz_one(struct str input)
{
    static const struct fuzzed_crm CRM = {
        .adapter = &adapter_hubspot,
        .simulator = simulator_hubspot_new,
        .natural_key = "email",
        .kinds = {{"contact",
                   {{.at = "email", .len = 5},
                    {.at = "firstname", .len = 9},
                    {.at = "lastname", .len = 8},
                    {.at = "phone", .len = 5},
                    {.at = "lifecyclestage", .len = 14},
                    {.at = "associations.company", .len = 20}}},
                  {"company",
                   {{.at = "name", .len = 4},
                    {.at = "domain", .len = 6},
                    {.at = "numberofemployees", .len = 17}}},
                  {"deal",
                   {{.at = "dealname", .len = 8},
                    {.at = "amount", .len = 6},
                    {.at = "deal.stage", .len = 10},
                    {.at = "deal.status", .len = 11},
                    {.at = "closedate", .len = 9},
                    {.at = "associations.contacts", .len = 21},
                    {.at = "associations.company", .len = 20},
                    {.at = "hubspot_owner_id", .len = 16}}},
                  {"activity",
                   {{.at = "activity.type", .len = 13},
                    {.at = "activity.subject", .len = 16},
                    {.at = "activity.body", .len = 13},
                    {.at = "activity.timestamp", .len = 18},
                    {.at = "activity.done", .len = 13},
                    {.at = "associations.contacts", .len = 21}}}},
    };

    fuzz_adapter(&CRM, input);
}
