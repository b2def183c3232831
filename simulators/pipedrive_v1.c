/* What only v1 has (users, activity types, merge) and the v1 twins of reading. v1 is lax: unknown and misspelt
 * parameters are ignored, so that a v2 parameter sent here gives the first page each time. */
#include "simulators/pipedrive_inside.h"

#include <inttypes.h>

#include "core/jx.h"
#include "core/unicode.h"
#include "core/when.h"
#include "simulators/oauth.h"

#define CC_EMAIL "harbour@pipedrivemail.example"

/* --- users ---------------------------------------------------------------------------------- */

void pd_put_time_v1(struct buf *buf, int64_t ms)
{
    char text[WHEN_TEXT_BYTES];

    when_format_seconds(ms, text);
    text[10] = ' ';
    text[19] = '\0'; /* "2026-11-21 07:05:31" is UTC without saying so */
    buf_addf(buf, "\"%s\"", text);
}

static void put_user(struct sim_call *call, const struct pd_user *user)
{
    bool is_me = user == &pd_users[0];
    struct buf *body = call->body;

    buf_addf(body,
             "\"id\":%" PRId64 ",\"name\":\"%s\",\"default_currency\":\"EUR\",\"locale\":\"de_DE\","
             "\"lang\":1,\"email\":\"%s\",\"phone\":null,\"activated\":true,\"created\":",
             user->id, user->name, user->email);
    pd_put_time_v1(body, pd_of(call)->created_ms);
    sim_put(body, ",\"modified\":");
    pd_put_time_v1(body, pd_of(call)->created_ms);
    sim_put(body, ",\"last_login\":");
    pd_put_time_v1(body, pd_of(call)->created_ms);
    buf_addf(body,
             ",\"has_created_company\":false,\"access\":[{\"app\":\"sales\",\"admin\":%s,"
             "\"permission_set_id\":\"6f1f0a40-1111-4c2e-9a55-000000000001\"},{\"app\":\"global\","
             "\"admin\":%s,\"permission_set_id\":\"6f1f0a40-1111-4c2e-9a55-000000000002\"}],"
             "\"active_flag\":%s,\"timezone_name\":\"Etc/UTC\",\"timezone_offset\":\"+00:00\","
             "\"role_id\":1,\"icon_url\":null,\"is_you\":%s,\"is_deleted\":false",
             user->is_admin ? "true" : "false", user->is_admin ? "true" : "false",
             user->is_active ? "true" : "false", is_me ? "true" : "false");
}

void pd_v1_me_serve(struct sim_call *call, const struct pd_target *at)
{
    struct str company = call->consent
                             ? call->consent->account
                             : arena_printf(call->arena, "%" PRId64, pd_of(call)->company_id);

    (void)at;
    sim_put(call->body, "{\"success\":true,\"data\":{");
    put_user(call, &pd_users[0]);
    buf_addf(call->body,
             ",\"company_id\":%" PRI_STR ",\"company_name\":\"Harbour GmbH\","
             "\"company_domain\":\"harbour\",\"company_country\":\"DE\",\"company_industry\":"
             "\"Logistics\",\"language\":{\"language_code\":\"en\",\"country_code\":\"US\"}}}",
             STR_ARG(company));
    sim_reply(call, 200);
}

/* Not paged. */
void pd_v1_users_serve(struct sim_call *call, const struct pd_target *at)
{
    (void)at;
    sim_put(call->body, "{\"success\":true,\"data\":[");
    for (size_t i = 0; i < pd_users_count; i++) {
        sim_put(call->body, i ? ",{" : "{");
        put_user(call, &pd_users[i]);
        buf_addf(call->body, ",\"is_admin\":%d}", pd_users[i].is_admin);
    }
    buf_addf(call->body, "],\"additional_data\":{\"company_id\":%" PRId64 "}}",
             pd_of(call)->company_id);
    sim_reply(call, 200);
}

void pd_v1_user_serve(struct sim_call *call, const struct pd_target *at)
{
    const struct pd_user *user = NULL;
    int64_t id;

    if (str_to_i64(at->last, &id)) {
        user = pd_user_find(id);
    }
    if (!user) {
        sim_put(call->body, "{\"success\":false,\"error\":\"User not found or not accessible.\"}");
        sim_reply(call, 404);
        return;
    }
    sim_put(call->body, "{\"success\":true,\"data\":{");
    put_user(call, user);
    sim_put(call->body, "}}");
    sim_reply(call, 200);
}

/* --- records in v1 form --------------------------------------------------------------------- */

static struct str value_of(const struct pd_kind *kind, const struct pd_record *record,
                           const char *code)
{
    return pd_value(record, pd_slot(kind, code));
}

static void put_json_or(struct buf *body, struct str json, const char *otherwise)
{
    buf_add(body, json.at ? json : str_of(otherwise));
}

static const struct pd_user *owner_of(const struct pd_record *record)
{
    const struct pd_user *user = pd_user_find(record->owner_id);

    return user ? user : &pd_users[0];
}

/* How v1 shows owner and organization: as objects, but in the answer to a merge as ids. Source:
 * OpenAPI v1 of 2026-08. */
enum links { AS_OBJECTS, AS_IDS };

static void put_user_object(struct buf *body, const struct pd_user *user)
{
    buf_addf(body,
             "{\"id\":%" PRId64 ",\"name\":\"%s\",\"email\":\"%s\",\"has_pic\":0,"
             "\"pic_hash\":null,\"active_flag\":%s,\"value\":%" PRId64 "}",
             user->id, user->name, user->email, user->is_active ? "true" : "false", user->id);
}

void pd_put_user_v1(struct buf *body, int64_t id)
{
    const struct pd_user *user = pd_user_find(id);

    put_user_object(body, user ? user : &pd_users[0]);
}

static void put_owner(struct sim_call *call, const struct pd_record *record, enum links links)
{
    const struct pd_user *owner = owner_of(record);

    if (links == AS_IDS) {
        buf_addf(call->body, ",\"owner_id\":%" PRId64 ",\"owner_name\":\"%s\"", owner->id,
                 owner->name);
        return;
    }
    sim_put(call->body, ",\"owner_id\":");
    put_user_object(call->body, owner);
    buf_addf(call->body, ",\"owner_name\":\"%s\"", owner->name);
}

static struct str address_value(struct sim_call *call, const struct pd_kind *kind,
                                const struct pd_record *record)
{
    return jx_text_of(jx_get(pd_tree(call->arena, value_of(kind, record, "address")), "value"));
}

static void put_organization_object(struct sim_call *call, const struct pd_kind *kind,
                                    const struct pd_record *org)
{
    sim_put(call->body, "{\"name\":");
    buf_add(call->body, value_of(kind, org, "name"));
    buf_addf(call->body, ",\"people_count\":%" PRId64 ",\"owner_id\":%" PRId64 ",\"address\":",
             org->people_count, org->owner_id);
    sim_put_text(call->body, address_value(call, kind, org));
    sim_put(call->body, ",\"label_ids\":");
    put_json_or(call->body, value_of(kind, org, "label_ids"), "[]");
    buf_addf(call->body,
             ",\"active_flag\":true,\"cc_email\":\"" CC_EMAIL "\",\"owner_name\":\"%s\","
             "\"value\":%" PRId64 "}",
             owner_of(org)->name, org->base.id);
}

static void put_linked_organization(struct sim_call *call, const struct pd_record *person,
                                    enum links links)
{
    const struct pd_kind *kind = pd_organizations(pd_of(call));
    const struct pd_record *org = pd_record_live(kind, person->org_id);

    if (!org) {
        sim_put(call->body, ",\"org_id\":null,\"org_name\":null");
        return;
    }
    sim_put(call->body, ",\"org_id\":");
    if (links == AS_IDS) {
        sim_put_i64(call->body, org->base.id);
    } else {
        put_organization_object(call, kind, org);
    }
    sim_put(call->body, ",\"org_name\":");
    buf_add(call->body, value_of(kind, org, "name"));
}

/* v1 shows an empty list as one empty entry. Recorded live in 2026-05. */
static void put_contacts(struct sim_call *call, const struct pd_kind *kind,
                         const struct pd_record *record, const char *v1_name, const char *code)
{
    buf_addf(call->body, ",\"%s\":", v1_name);
    put_json_or(call->body, value_of(kind, record, code), "[{\"value\":\"\",\"primary\":true}]");
}

static struct str primary_email(struct sim_call *call, const struct pd_kind *kind,
                                const struct pd_record *record)
{
    json_t *list = pd_tree(call->arena, value_of(kind, record, "emails")), *item;
    size_t index;

    json_array_foreach(list, index, item)
    {
        if (json_is_true(jx_get(item, "primary"))) {
            return jx_text_of(jx_get(item, "value"));
        }
    }
    return STR_NONE;
}

static void put_person_members(struct sim_call *call, const struct pd_kind *kind,
                               const struct pd_record *record, enum links links)
{
    sim_put(call->body, ",\"first_name\":");
    put_json_or(call->body, value_of(kind, record, "first_name"), "null");
    sim_put(call->body, ",\"last_name\":");
    put_json_or(call->body, value_of(kind, record, "last_name"), "null");
    put_linked_organization(call, record, links);
    put_contacts(call, kind, record, "phone", "phones");
    put_contacts(call, kind, record, "email", "emails");
    sim_put(call->body, ",\"primary_email\":");
    sim_put_text(call->body, primary_email(call, kind, record));
}

/* One text and its parts beside it. */
static void put_organization_members(struct sim_call *call, const struct pd_kind *kind,
                                     const struct pd_record *record)
{
    const json_t *address = pd_tree(call->arena, value_of(kind, record, "address"));
    const char *const *parts;
    size_t count = pd_parts(PD_ADDRESS, &parts);

    buf_addf(call->body, ",\"people_count\":%" PRId64 ",\"address\":", record->people_count);
    sim_put_text(call->body, jx_text_of(jx_get(address, "value")));
    for (size_t i = 1; i < count; i++) {
        buf_addf(call->body, ",\"address_%s\":", parts[i]);
        sim_put_text(call->body, jx_text_of(jx_get(address, parts[i])));
    }
}

static void put_set_v1(struct sim_call *call, const json_t *ids)
{
    size_t index;
    json_t *id;

    sim_put(call->body, "\"");
    json_array_foreach(ids, index, id)
    {
        buf_addf(call->body, "%s%" JSON_INTEGER_FORMAT, index ? "," : "", json_integer_value(id));
    }
    sim_put(call->body, "\"");
}

/* Values flat at the root, sub-members as keys of their own. Source: the v2 migration guide. */
static void put_custom_v1(struct sim_call *call, const struct pd_field *field, struct str value)
{
    const json_t *tree = pd_tree(call->arena, value);
    const char *const *parts;
    size_t count = pd_parts(field->type, &parts);

    buf_addf(call->body, ",\"%" PRI_STR "\":", STR_ARG(field->code));
    if (field->type == PD_SET && value.at) {
        put_set_v1(call, tree);
    } else if (field->type == PD_ENUM && value.at) {
        buf_addf(call->body, "\"%" PRI_STR "\"", STR_ARG(value));
    } else if (count == 0) {
        put_json_or(call->body, value, "null");
    }
    for (size_t i = 0; i < count; i++) {
        const json_t *part = jx_get(tree, parts[i]);

        if (i > 0) {
            buf_addf(call->body, ",\"%" PRI_STR "_%s\":", STR_ARG(field->code), parts[i]);
        }
        if (part) {
            sim_put_json(call->body, part);
        } else {
            sim_put(call->body, "null");
        }
    }
}

static void put_times(struct sim_call *call, const struct pd_record *record)
{
    sim_put(call->body, ",\"add_time\":");
    pd_put_time_v1(call->body, record->base.created_ms);
    sim_put(call->body, ",\"update_time\":");
    if (record->base.modified_ms) {
        pd_put_time_v1(call->body, record->base.modified_ms);
    } else {
        sim_put(call->body, "null");
    }
    sim_put(call->body, ",\"delete_time\":");
    if (record->base.archived_ms) {
        pd_put_time_v1(call->body, record->base.archived_ms);
    } else {
        sim_put(call->body, "null");
    }
}

static void put_labels_v1(struct sim_call *call, struct str ids)
{
    json_t *first = json_array_get(pd_tree(call->arena, ids), 0);

    buf_addf(call->body, ",\"label\":");
    if (first) {
        sim_put_json(call->body, first);
    } else {
        sim_put(call->body, "null");
    }
    sim_put(call->body, ",\"label_ids\":");
    put_json_or(call->body, ids, "[]");
}

/* Lower case, whatever the name begins with. */
static void put_first_char(struct sim_call *call, struct str name)
{
    struct str text = pd_plain(call->arena, name);
    size_t len = text.len > 0;

    while (len < text.len && ((unsigned char)text.at[len] & 0xc0) == 0x80) {
        len++;
    }
    sim_put(call->body, ",\"first_char\":");
    sim_put_text(call->body, utf8_lower(call->arena, str_slice(text, 0, len)));
}

/* What v2 shows only with include_fields, v1 has unasked; here without the true counts, for which
 * every list would look at everything. */
static void put_activity_members(struct sim_call *call, const struct pd_kind *kind)
{
    for (size_t i = 0; i < kind->spec->fields_count; i++) {
        const struct pd_field *field = &kind->fields[i];

        if (field->flags & PD_INCLUDED &&
            (field->derived == PD_IS_CONSTANT || field->derived == PD_IS_COUNT)) {
            buf_addf(call->body, ",\"%" PRI_STR "\":%" PRI_STR, STR_ARG(field->code),
                     STR_ARG(field->empty));
        }
    }
    sim_put(call->body, ",\"next_activity_date\":null,\"next_activity_time\":null,"
                        "\"last_activity_date\":null,\"cc_email\":\"" CC_EMAIL "\"");
}

/* Without the closing brace, so that a merge can add to it. */
static void put_record_open(struct sim_call *call, const struct pd_kind *kind,
                            const struct pd_record *record, enum links links)
{
    struct pipedrive *pd = pd_of(call);

    buf_addf(call->body, "{\"id\":%" PRId64 ",\"company_id\":%" PRId64, record->base.id,
             pd->company_id);
    put_owner(call, record, links);
    sim_put(call->body, ",\"name\":");
    buf_add(call->body, value_of(kind, record, "name"));
    if (kind == pd_people(pd)) {
        put_person_members(call, kind, record, links);
    } else {
        put_organization_members(call, kind, record);
    }
    buf_addf(call->body, ",\"active_flag\":%s", record->base.archived_ms ? "false" : "true");
    put_first_char(call, value_of(kind, record, "name"));
    put_activity_members(call, kind);
    put_times(call, record);
    buf_addf(call->body, ",\"visible_to\":\"%" PRI_STR "\",\"picture_id\":null",
             STR_ARG(value_of(kind, record, "visible_to")));
    put_labels_v1(call, value_of(kind, record, "label_ids"));
    for (size_t i = kind->spec->fields_count; i < kind->fields_count; i++) {
        if (!kind->fields[i].is_deleted) {
            put_custom_v1(call, &kind->fields[i], pd_value(record, i));
        }
    }
}

void pd_put_record_v1(struct sim_call *call, const struct pd_kind *kind,
                      const struct pd_record *record)
{
    put_record_open(call, kind, record, AS_OBJECTS);
    sim_put(call->body, "}");
}

/* --- deals, which v1 shows after a merge only ------------------------------------------------ */

/* The members that both versions have; v1 without T and Z. */
static void put_deal_member(struct sim_call *call, const struct pd_record *deal, size_t index)
{
    const struct pd_kind *kind = pd_deals(pd_of(call));
    const struct pd_field *field = &kind->fields[index];
    struct str value = pd_value(deal, index);
    int64_t ms;

    if (str_ends(field->code, STR("_time")) && value.at &&
        pd_time_parse(pd_plain(call->arena, value), &ms)) {
        buf_addf(call->body, ",\"%" PRI_STR "\":", STR_ARG(field->code));
        pd_put_time_v1(call->body, ms);
    } else {
        sim_put(call->body, ",");
        pd_put_member(call, kind, index, deal);
    }
}

void pd_put_deal_v1_open(struct sim_call *call, const struct pd_record *deal)
{
    struct pipedrive *pd = pd_of(call);
    const struct pd_kind *kind = pd_deals(pd);

    buf_addf(call->body, "{\"id\":%" PRId64 ",\"user_id\":%" PRId64, deal->base.id, deal->owner_id);
    for (size_t i = 0; i < kind->spec->fields_count; i++) {
        const struct pd_field *field = &kind->fields[i];
        bool is_elsewhere = field->derived == PD_IS_ID || field->derived == PD_IS_ADDED ||
                            field->derived == PD_IS_UPDATED || field->derived == PD_IS_DELETED ||
                            field->derived == PD_IS_BCC || i == kind->owner_slot ||
                            field->type == PD_VISIBILITY || field->type == PD_LABELS;

        if (!is_elsewhere) {
            put_deal_member(call, deal, i);
        }
    }
    buf_addf(call->body, ",\"deleted\":%s,\"active\":%s,\"visible_to\":\"%" PRI_STR "\"",
             deal->base.archived_ms ? "true" : "false",
             str_equal(value_of(kind, deal, "status"), STR("\"open\"")) ? "true" : "false",
             STR_ARG(value_of(kind, deal, "visible_to")));
    put_times(call, deal);
    sim_put(call->body, ",\"label\":");
    put_set_v1(call, pd_tree(call->arena, value_of(kind, deal, "label_ids")));
    for (size_t i = kind->spec->fields_count; i < kind->fields_count; i++) {
        if (!kind->fields[i].is_deleted) {
            put_custom_v1(call, &kind->fields[i], pd_value(deal, i));
        }
    }
}

/* --- reading -------------------------------------------------------------------------------- */

void pd_v1_get_serve(struct sim_call *call, const struct pd_target *at)
{
    const struct pd_record *record = NULL;
    int64_t id;

    if (str_to_i64(at->last, &id)) {
        record = pd_record_get(at->kind, id, call->now_ms);
    }
    if (!record) {
        pd_not_found(call);
        return;
    }
    sim_put(call->body, "{\"success\":true,\"data\":");
    pd_put_record_v1(call, at->kind, record);
    sim_put(call->body, "}");
    sim_reply(call, 200);
}

void pd_put_pagination(struct sim_call *call, int64_t start, int64_t limit, bool has_more)
{
    buf_addf(call->body,
             ",\"additional_data\":{\"pagination\":{\"start\":%" PRId64 ",\"limit\":%" PRId64
             ",\"more_items_in_collection\":%s",
             start, limit, has_more ? "true" : "false");
    if (has_more) {
        buf_addf(call->body, ",\"next_start\":%" PRId64, start + limit);
    }
    sim_put(call->body, "}}");
}

void pd_page_v1(struct sim_call *call, int64_t *ret_start, int64_t *ret_limit)
{
    static const int64_t START_MAX = 1LL << 40; /* leaves room to add a limit */

    if (!sim_query_i64(call, "start", 0, ret_start) || *ret_start < 0 || *ret_start > START_MAX) {
        *ret_start = 0;
    }
    if (!sim_query_i64(call, "limit", PD_LIST_DEFAULT, ret_limit) || *ret_limit < 1 ||
        *ret_limit > PD_LIST_MAX) {
        *ret_limit = PD_LIST_DEFAULT;
    }
}

void pd_v1_list_serve(struct sim_call *call, const struct pd_target *at)
{
    int64_t start, limit, position = 0, shown = 0;
    bool has_more = false;

    pd_page_v1(call, &start, &limit);
    sim_put(call->body, "{\"success\":true,\"data\":");
    for (size_t i = 0; i < at->kind->table.count && !has_more; i++) {
        const struct pd_record *record = (const struct pd_record *)at->kind->table.at[i];

        if (record->base.archived_ms || position++ < start) {
            continue;
        }
        has_more = shown == limit;
        if (!has_more) {
            sim_put(call->body, shown++ ? "," : "[");
            pd_put_record_v1(call, at->kind, record);
        }
    }
    sim_put(call->body, shown ? "]" : "null"); /* an empty list is null in v1 */
    pd_put_pagination(call, start, limit, has_more);
    sim_put(call->body, "}");
    sim_reply(call, 200);
}

/* --- merge ---------------------------------------------------------------------------------- */

static void form_member_add(struct sim_call *call, json_t *body, struct str pair)
{
    struct http_request form = {.url = arena_printf(call->arena, "/?%" PRI_STR, STR_ARG(pair))};
    struct str name = str_cut(&pair, '=');
    const char *key = arena_cstr(call->arena, name);
    struct str value = http_query_get(call->arena, &form, key);

    json_object_set_new(body, key, json_stringn(value.at ? value.at : "", value.len));
}

/* Numbers in texts are numbers here. */
static void numbers_settle(json_t *body)
{
    const char *key;
    json_t *value;
    void *next;

    json_object_foreach_safe(body, next, key, value)
    {
        bool is_number = str_ends(str_of(key), STR("_id")) || str_ends(str_of(key), STR("_flag"));
        int64_t number;

        if (is_number && str_to_i64(jx_text_of(value), &number)) {
            json_object_set_new(body, key, json_integer(number));
        }
    }
}

bool pd_body_v1(struct sim_call *call, json_t **ret)
{
    struct str rest = call->request->body;

    if (!sim_json(call, ret)) {
        *ret = jx_own(call->arena, json_object());
        while (rest.len) {
            form_member_add(call, *ret, str_cut(&rest, '&'));
        }
    }
    numbers_settle(*ret);
    return json_is_object(*ret);
}

static bool survivor_read(struct sim_call *call, int64_t *ret)
{
    json_t *body;

    return pd_body_v1(call, &body) && pd_whole(jx_get(body, "merge_with_id"), ret);
}

/* PUT /v1/persons/{id}/merge: {id} dies, merge_with_id survives and wins. Source: the guide on
 * merging two persons. */
void pd_v1_merge_serve(struct sim_call *call, const struct pd_target *at)
{
    struct pd_record *from = NULL, *into = NULL;
    int64_t from_id = 0, into_id = 0;

    if (!survivor_read(call, &into_id)) {
        pd_fail(call, 400, NULL, NULL, "'merge_with_id' has to be an integer");
        return;
    }
    if (str_to_i64(at->last, &from_id)) {
        from = pd_record_live(at->kind, from_id);
    }
    into = pd_record_live(at->kind, into_id);
    if (!from || !into) {
        pd_not_found(call);
        return;
    }
    if (from == into) {
        pd_fail(call, 400, NULL, NULL, "A record cannot be merged with itself");
        return;
    }
    pd_record_merge(pd_of(call), at->kind, from, into, call->now_ms);
    sim_wrote(call, "merge", at->kind->spec->plural, into_id, NULL);
    if (at->kind == pd_organizations(pd_of(call))) {
        pd_reply_id(call, 200, into_id);
        return;
    }
    sim_put(call->body, "{\"success\":true,\"data\":");
    if (at->kind == pd_deals(pd_of(call))) {
        pd_put_deal_v1_open(call, into);
    } else {
        put_record_open(call, at->kind, into, AS_IDS);
    }
    buf_addf(call->body, ",\"merge_what_id\":%" PRId64 "}}", from_id);
    sim_reply(call, 200);
}
