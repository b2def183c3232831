/* Exchanges of the Salesforce adapter, replayed (tests/fixtures/salesforce). Include it before cmocka. */
#ifndef CRMSYNC_TESTS_ADAPTERS_SALESFORCE_REPLAY_H
#define CRMSYNC_TESTS_ADAPTERS_SALESFORCE_REPLAY_H

#include "tests/unit/adapters/replay.h"

#include "adapters/salesforce_inside.h"

static const struct adapter *const SF = &adapter_salesforce;

#define CONTACT(n) "0038d00000Ct00" n "AAB"
#define SINCE "{\"since\":1779958800000}" /* 2026-05-28T09:00:00Z */

static inline void open_scenario(struct replay *r, const char *scenario)
{
    print_message("  %s\n", scenario);
    replay_open(r, SF, scenario);
}

static const struct str PROPERTIES[] = {{.at = "LastName", .len = 8},
                                        {.at = "MailingCity", .len = 11}};

static inline enum fail list_of(struct replay *r, const char *kind, enum list_mode mode,
                                const struct str *properties, size_t count, struct str cursor,
                                struct remote_page *ret)
{
    struct list_request request = {.kind = kind,
                                   .mode = mode,
                                   .properties = properties,
                                   .properties_count = count,
                                   .cursor = cursor};

    *ret = (struct remote_page){0};
    return SF->list(r->session, &request, &r->arena, ret, &r->err);
}

static inline const struct remote_record *record_of(const struct remote_page *page, const char *id)
{
    for (size_t i = 0; i < page->count; i++) {
        if (str_equal(page->records[i].remote_id, str_of(id))) {
            return &page->records[i];
        }
    }
    fail_msg("no record '%s'", id);
    return NULL;
}

static inline const char *text_in(const struct remote_record *record, const char *name)
{
    return json_string_value(json_object_get(record->props, name));
}

static inline enum fail fetch(struct replay *r, const char *kind, const struct str *ids,
                              size_t count, struct remote_page *ret)
{
    static const struct str NAME[] = {{.at = "Name", .len = 4}};
    bool is_company = strcmp(kind, "company") == 0;
    struct fetch_request request = {.kind = kind,
                                    .properties = is_company ? NAME : PROPERTIES,
                                    .properties_count = is_company ? 1 : 2,
                                    .remote_ids = ids,
                                    .remote_ids_count = count};

    *ret = (struct remote_page){0};
    return SF->fetch_many(r->session, &request, &r->arena, ret, &r->err);
}

#endif
