/* Salesforce: what a deal's stage means, and who belongs to it. source: Object Reference, Opportunity, OpportunityContactRole */
#include "adapters/salesforce_inside.h"

#include "core/jx.h"

void salesforce_show_stage(json_t *props)
{
    json_t *stage = json_object_get(props, "StageName");
    bool is_won = json_is_true(json_object_get(props, "IsWon"));

    if (!stage || !json_object_get(props, "IsClosed")) {
        return;
    }
    if (json_is_true(json_object_get(props, "IsClosed"))) {
        json_object_set_new(props, SF_DEAL_STATUS, json_string(is_won ? "won" : "lost"));
        return;
    }
    json_object_set(props, SF_DEAL_STAGE, stage);
    json_object_set_new(props, SF_DEAL_STATUS, json_string("open"));
}

/* --- people ----------------------------------------------------------------------------------- */

/* A deal's people as they are collected: the primary one first, each once. */
static void add_person(json_t *people, const json_t *role)
{
    struct str id = jx_text_of(jx_get(role, "ContactId"));

    for (size_t i = 0; i < json_array_size(people); i++) {
        if (salesforce_same_id(jx_text_of(json_array_get(people, i)), id)) {
            return;
        }
    }
    if (salesforce_is_id(id)) {
        json_array_append_new(people, json_stringn(id.at, id.len));
    }
}

static void add_roles(json_t *by_deal, const json_t *roles, bool is_primary)
{
    for (size_t i = 0; i < json_array_size(roles); i++) {
        const json_t *role = json_array_get(roles, i);
        struct str id = jx_text_of(jx_get(role, "OpportunityId"));
        json_t *people = id.len ? json_object_getn(by_deal, id.at, id.len) : NULL;

        if (people && json_is_true(jx_get(role, "IsPrimary")) == is_primary) {
            add_person(people, role);
        }
    }
}

/* Each deal with an empty list, which is what one without roles has. */
static size_t open_lists(json_t *by_deal, const struct remote_page *page, struct str *ids)
{
    size_t count = 0;

    for (size_t i = 0; i < page->count; i++) {
        const struct remote_record *record = &page->records[i];

        if (record->state == REMOTE_LIVE) {
            json_t *people = json_array();

            json_object_setn_new(by_deal, record->remote_id.at, record->remote_id.len, people);
            json_object_set(record->props, SF_DEAL_CONTACTS, people);
            ids[count++] = record->remote_id;
        }
    }
    return count;
}

enum fail salesforce_add_people(struct session *session, const struct str *properties, size_t count,
                                struct arena *arena, struct remote_page *page, struct error *err)
{
    struct str *ids = ARENA_ARRAY(arena, struct str, page->count + 1);
    json_t *by_deal = jx_own(arena, json_object());
    struct salesforce_query *queries;
    struct salesforce_answer answer;
    size_t ids_count, queries_count;

    if (!salesforce_wants(properties, count, SF_DEAL_CONTACTS) ||
        (ids_count = open_lists(by_deal, page, ids)) == 0) {
        return OK;
    }
    queries_count = salesforce_in_queries(
        arena,
        STR("SELECT OpportunityId, ContactId, IsPrimary FROM " SF_ROLE " WHERE OpportunityId"), ids,
        ids_count, STR(" ORDER BY Id"), &queries);
    if (salesforce_query(session, queries, queries_count, arena, &answer, err) != OK) {
        return error_wrap(err, "contact roles of opportunities");
    }
    for (size_t i = 0; i < queries_count; i++) {
        add_roles(by_deal, queries[i].records, true);
    }
    for (size_t i = 0; i < queries_count; i++) {
        add_roles(by_deal, queries[i].records, false);
    }
    return OK;
}
