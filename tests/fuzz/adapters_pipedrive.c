/* What Pipedrive answers, as its adapter reads it: pages, cursors, descriptions, outcomes of writes. */
#include "tests/fuzz/adapter.h"

extern const struct adapter adapter_pipedrive;

void fuzz_one(struct str input)
{
    static const struct fuzzed_crm CRM = {
        .adapter = &adapter_pipedrive,
        .simulator = simulator_pipedrive_new,
        .natural_key = "emails",
        .kinds = {{"contact",
                   {{.at = "first_name", .len = 10},
                    {.at = "last_name", .len = 9},
                    {.at = "emails", .len = 6},
                    {.at = "phones", .len = 6},
                    {.at = "org_id", .len = 6}}},
                  {"company", {{.at = "name", .len = 4}}},
                  {"deal",
                   {{.at = "title", .len = 5},
                    {.at = "value", .len = 5},
                    {.at = "pipeline_id", .len = 11},
                    {.at = "stage_id", .len = 8},
                    {.at = "status", .len = 6},
                    {.at = "deal.contacts", .len = 13},
                    {.at = "org_id", .len = 6}}},
                  {"activity",
                   {{.at = "activity.type", .len = 13},
                    {.at = "activity.subject", .len = 16},
                    {.at = "activity.body", .len = 13},
                    {.at = "activity.timestamp", .len = 18},
                    {.at = "activity.contacts", .len = 17}}}},
    };

    fuzz_adapter(&CRM, input);
}
