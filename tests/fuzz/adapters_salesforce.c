/* What Salesforce answers, as its adapter reads it: pages, cursors, descriptions, outcomes of writes. */
#include "tests/fuzz/adapter.h"

extern const struct adapter adapter_salesforce;

void fuzz_one(struct str input)
{
    static const struct fuzzed_crm CRM = {
        .adapter = &adapter_salesforce,
        .simulator = simulator_salesforce_new,
        .natural_key = "Email",
        .kinds = {{"contact",
                   {{.at = "LastName", .len = 8},
                    {.at = "FirstName", .len = 9},
                    {.at = "Email", .len = 5},
                    {.at = "Phone", .len = 5},
                    {.at = "AccountId", .len = 9},
                    {.at = "MailingStreet", .len = 13}}},
                  {"company",
                   {{.at = "Name", .len = 4},
                    {.at = "Website", .len = 7},
                    {.at = "NumberOfEmployees", .len = 17}}},
                  {"deal",
                   {{.at = "Name", .len = 4},
                    {.at = "Amount", .len = 6},
                    {.at = "deal.stage", .len = 10},
                    {.at = "deal.status", .len = 11},
                    {.at = "CloseDate", .len = 9},
                    {.at = "deal.contacts", .len = 13},
                    {.at = "AccountId", .len = 9},
                    {.at = "OwnerId", .len = 7}}},
                  {"activity",
                   {{.at = "activity.subject", .len = 16},
                    {.at = "activity.type", .len = 13},
                    {.at = "activity.body", .len = 13},
                    {.at = "activity.timestamp", .len = 18},
                    {.at = "activity.done", .len = 13},
                    {.at = "activity.contacts", .len = 17}}}},
    };

    fuzz_adapter(&CRM, input);
}
