/* Owners, account facts. */
#include "simulators/hubspot_inside.h"

#include "simulators/oauth.h"

/* --- owners ---------------------------------------------------------------------------------------- */

struct owner {
    const char *id, *email, *first_name, *last_name;
    int user_id;
    bool is_archived;
};

static const struct owner owners[] = {
    {"30100", "remi.sand@crm.example", "Remi", "Sand", HS_USER_ID, false},
    {"30101", "ines.marchetti@crm.example", "Inès", "Marchetti", 78, false},
    {"30102", "tom.okello@crm.example", "Tom", "Okello", 79, false},
    {"30055", "gone@crm.example", "Gone", "User", 51, true},
};

bool hs_owner_exists(struct str id)
{
    for (size_t i = 0; i < COUNT_OF(owners); i++) {
        if (str_equal(id, str_of(owners[i].id))) {
            return true;
        }
    }
    return false;
}

static void put_owner(struct buf *body, const struct owner *owner)
{
    buf_addf(body,
             "{\"id\":\"%s\",\"email\":\"%s\",\"type\":\"PERSON\",\"firstName\":\"%s\","
             "\"lastName\":\"%s\",",
             owner->id, owner->email, owner->first_name, owner->last_name);
    if (owner->is_archived) {
        sim_put(body, "\"userId\":null,");
    } else {
        buf_addf(body, "\"userId\":%d,", owner->user_id);
    }
    buf_addf(body,
             "\"userIdIncludingInactive\":%d,\"createdAt\":\"2025-05-01T00:00:00.000Z\","
             "\"updatedAt\":\"2026-01-01T00:00:00.000Z\",\"archived\":%s",
             owner->user_id, owner->is_archived ? "true" : "false");
    if (!owner->is_archived) {
        sim_put(body, ",\"teams\":[{\"id\":\"901\",\"name\":\"North\",\"primary\":true}]");
    }
    sim_put(body, "}");
}

static bool owner_is_wanted(const struct owner *owner, bool is_archived, struct str email)
{
    return owner->is_archived == is_archived &&
           (!email.len || str_equal_nocase(email, str_of(owner->email)));
}

static void owners_list(struct sim_call *call)
{
    bool is_archived = str_equal(sim_query(call, "archived"), STR("true"));
    struct str email = sim_query(call, "email");
    int64_t limit, after, shown = 0;

    if (!sim_query_i64(call, "limit", 100, &limit) || limit < 1 || limit > 500 ||
        !sim_query_i64(call, "after", 0, &after)) {
        hs_failf(call, 400, "VALIDATION_ERROR", "limit must be between 1 and 500, after a cursor");
        return;
    }
    sim_put(call->body, "{\"results\":[");
    for (size_t i = after > 0 ? (size_t)after : 0; i < COUNT_OF(owners); i++) {
        if (!owner_is_wanted(&owners[i], is_archived, email)) {
            continue;
        }
        if (shown == limit) {
            buf_addf(call->body, "],\"paging\":{\"next\":{\"after\":\"%zu\"}}}", i);
            sim_reply(call, 200);
            return;
        }
        sim_put(call->body, shown++ ? "," : "");
        put_owner(call->body, &owners[i]);
    }
    sim_put(call->body, "]}");
    sim_reply(call, 200);
}

static void owner_get(struct sim_call *call, struct str id)
{
    bool is_by_user = str_equal(sim_query(call, "idProperty"), STR("userId"));
    bool is_archived = str_equal(sim_query(call, "archived"), STR("true"));
    int64_t number = -1;

    str_to_i64(id, &number);
    for (size_t i = 0; i < COUNT_OF(owners); i++) {
        bool is_it = is_by_user ? owners[i].user_id == number : str_equal(id, str_of(owners[i].id));

        if (is_it && owners[i].is_archived == is_archived) {
            put_owner(call->body, &owners[i]);
            sim_reply(call, 200);
            return;
        }
    }
    hs_no_resource(call);
}

void hs_owners_serve(struct sim_call *call, const struct hs_route *route)
{
    if (call->request->method != HTTP_GET) {
        hs_failf(call, 405, NULL, "method not allowed");
    } else if (route->count == 2) {
        owners_list(call);
    } else {
        owner_get(call, route->at[2]);
    }
}

/* --- the account ----------------------------------------------------------------------------------- */

void hs_account_serve(struct sim_call *call)
{
    struct str portal =
        call->consent ? call->consent->account : arena_printf(call->arena, "%d", HS_PORTAL_ID);

    buf_addf(
        call->body,
        "{\"portalId\":%" PRI_STR ",\"accountType\":\"STANDARD\",\"timeZone\":\"US/Eastern\","
        "\"companyCurrency\":\"USD\",\"additionalCurrencies\":[\"EUR\"],\"utcOffset\":\"-05:00\","
        "\"utcOffsetMilliseconds\":-18000000,\"uiDomain\":\"app.hubspot.com\","
        "\"dataHostingLocation\":\"na1\"}",
        STR_ARG(portal));
    sim_reply(call, 200);
}
