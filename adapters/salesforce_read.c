/* Salesforce: reading by id, and following merges. Queries see what is in the recycle bin, which reading single rows does not; and five
 * of them with some hundred ids each are one call. */
#include "adapters/salesforce_inside.h"

#include "core/jx.h"

enum { CHAIN_MAX = 20 };

/* --- by id ------------------------------------------------------------------------------------ */

static const struct remote_record *record_of(const struct remote_page *page, struct str id)
{
    for (size_t i = 0; i < page->count; i++) {
        if (salesforce_same_id(page->records[i].remote_id, id)) {
            return &page->records[i];
        }
    }
    return NULL;
}

/* Ids of one object among those asked for, each once; others cannot be read, which proves nothing. */
static size_t ids_of(struct session *session, const char *kind, const char *object,
                     const struct str *ids, size_t count, struct arena *arena, struct str *ret)
{
    json_t *seen = jx_own(arena, json_object());
    size_t kept = 0;

    for (size_t i = 0; i < count; i++) {
        const char *part =
            salesforce_is_id(ids[i]) ? salesforce_part_of_id(session, kind, ids[i]) : NULL;
        struct str id = part ? salesforce_id18(arena, ids[i]) : STR_NONE;

        if (part && strcmp(part, object) == 0 && !json_object_getn(seen, id.at, id.len)) {
            json_object_setn_new(seen, id.at, id.len, json_true());
            ret[kept++] = id;
        }
    }
    return kept;
}

static enum fail read_part(struct session *session, const char *object,
                           const struct str *properties, size_t properties_count,
                           const struct str *ids, size_t count, struct arena *arena,
                           struct remote_page *page, struct error *err)
{
    struct str select = salesforce_select(session, object, properties, properties_count, arena);
    struct salesforce_query *queries;
    struct salesforce_answer answer;
    size_t queries_count =
        salesforce_in_queries(arena, arena_printf(arena, "%" PRI_STR " WHERE Id", STR_ARG(select)),
                              ids, count, salesforce_filter(session, object, arena), &queries);

    for (size_t i = 0; i < queries_count; i++) {
        queries[i].is_all = true;
    }
    if (salesforce_query(session, queries, queries_count, arena, &answer, err) != OK) {
        return error_wrap(err, "read %s", object);
    }
    page->server_ms = answer.server_ms ? answer.server_ms : page->server_ms;
    for (size_t i = 0; i < queries_count; i++) {
        if (salesforce_read_rows(session, object, queries[i].records, arena, page, err) != OK) {
            return err->code;
        }
    }
    return OK;
}

/* Leads are asked for by their ids' prefix, whether the mapping reads them or not: an id of one may be held from before. */
enum fail salesforce_read_ids(struct session *session, const char *kind,
                              const struct str *properties, size_t properties_count,
                              const struct str *ids, size_t ids_count, struct arena *arena,
                              struct remote_page *page, struct error *err)
{
    const char *parts[SF_PARTS_MAX];
    size_t parts_count = salesforce_parts(session, kind, true, parts);
    struct str *part_ids = ARENA_ARRAY(arena, struct str, ids_count + 1);

    for (size_t i = 0; i < parts_count; i++) {
        size_t count = ids_of(session, kind, parts[i], ids, ids_count, arena, part_ids);

        if (count && salesforce_load_objects(session, &parts[i], 1, false, err) != OK) {
            return err->code;
        }
        if (count && salesforce_object_named(session, parts[i])->is_loaded &&
            read_part(session, parts[i], properties, properties_count, part_ids, count, arena, page,
                      err) != OK) {
            return err->code;
        }
    }
    return OK;
}

/* --- merges ----------------------------------------------------------------------------------- */

static size_t lacking_survivors(const struct remote_page *page, struct arena *arena,
                                struct str **ret)
{
    struct str *ids = ARENA_ARRAY(arena, struct str, page->count + 1);
    size_t count = 0;

    for (size_t i = 0; i < page->count; i++) {
        if (page->records[i].state == REMOTE_MERGED &&
            !record_of(page, page->records[i].merged_into)) {
            ids[count++] = page->records[i].merged_into;
        }
    }
    *ret = ids;
    return count;
}

/* A survivor may have been merged in its turn. */
static void shorten_chains(struct remote_page *page)
{
    for (size_t i = 0; i < page->count; i++) {
        struct remote_record *record = &page->records[i];
        const struct remote_record *next = NULL;

        for (int steps = 0; record->state == REMOTE_MERGED && steps < CHAIN_MAX; steps++) {
            next = record_of(page, record->merged_into);
            if (!next || next->state != REMOTE_MERGED || next == record) {
                break;
            }
            record->merged_into = next->merged_into;
        }
    }
}

enum fail salesforce_follow_merges(struct session *session, const char *kind,
                                   const struct str *properties, size_t count, struct arena *arena,
                                   struct remote_page *page, struct error *err)
{
    for (int steps = 0; steps < CHAIN_MAX; steps++) {
        struct str *ids;
        size_t lacking = lacking_survivors(page, arena, &ids), before = page->count;

        if (lacking && salesforce_read_ids(session, kind, properties, count, ids, lacking, arena,
                                           page, err) != OK) {
            return error_wrap(err, "survivors of merges");
        }
        if (page->count == before) { /* none lacks, or the account does not show it */
            break;
        }
    }
    shorten_chains(page);
    return OK;
}

/* --- what the account does not show ----------------------------------------------------------- */

/* To a user who may view all data a row that no query shows is none: it left the recycle bin, or never passed it. To others it may be
 * hidden. Profiles count as permission sets. source: Object Reference, PermissionSetAssignment, PermissionSet */
static enum fail ask_sight(struct session *session, struct arena *arena, struct error *err)
{
    struct salesforce_query query = {0};
    struct salesforce_answer answer;
    struct str user;

    if (session->sight != SIGHT_UNKNOWN) { /* asked for in this reading */
        return OK;
    }
    if (salesforce_own_user(session, &user, err) != OK) {
        return err->code;
    }
    session->sight = SIGHT_PART;
    if (!salesforce_is_id(user)) {
        return OK;
    }
    query.soql = arena_printf(arena,
                              "SELECT Id FROM PermissionSetAssignment WHERE AssigneeId = '%" PRI_STR
                              "' AND PermissionSet.PermissionsViewAllData = true LIMIT 1",
                              STR_ARG(user));
    if (salesforce_query(session, &query, 1, arena, &answer, err) == OK) {
        session->sight = json_array_size(query.records) ? SIGHT_ALL : SIGHT_PART;
    } else if (err->code == FAIL_CONNECTION ||
               err->code == FAIL_RECORD) { /* may not ask: sees less */
        error_reset(err);
    }
    return err->code;
}

/* Rows that are there but no records of ours (a copy of an event, a person's account) are not gone. */
static enum fail read_hidden(struct session *session, const char *object, const struct str *ids,
                             size_t count, struct arena *arena, json_t *seen, struct error *err)
{
    struct salesforce_query *queries;
    struct salesforce_answer answer;
    size_t queries_count =
        salesforce_in_queries(arena, arena_printf(arena, "SELECT Id FROM %s WHERE Id", object), ids,
                              count, STR(""), &queries);

    for (size_t i = 0; i < queries_count; i++) {
        queries[i].is_all = true;
    }
    if (salesforce_query(session, queries, queries_count, arena, &answer, err) != OK) {
        return error_wrap(err, "read %s", object);
    }
    for (size_t i = 0; i < queries_count; i++) {
        for (size_t k = 0; k < json_array_size(queries[i].records); k++) {
            struct str id = jx_text_of(jx_get(json_array_get(queries[i].records, k), "Id"));

            json_object_setn_new(seen, id.at, id.len, json_true());
        }
    }
    return OK;
}

static enum fail prove_part(struct session *session, const char *object, const struct str *ids,
                            size_t count, struct arena *arena, struct remote_page *page,
                            struct error *err)
{
    json_t *seen = jx_own(arena, json_object());

    if (salesforce_filter(session, object, arena).len &&
        read_hidden(session, object, ids, count, arena, seen, err) != OK) {
        return err->code;
    }
    for (size_t i = 0; i < count; i++) {
        if (!json_object_getn(seen, ids[i].at, ids[i].len)) {
            page->records[page->count++] = (struct remote_record){
                .remote_id = ids[i], .state = REMOTE_GONE, .correlation_key = STR("")};
        }
    }
    return OK;
}

/* What the user may see can have changed since the last reading: a session lives for days. */
static enum fail prove_gone(struct session *session, const struct fetch_request *request,
                            struct arena *arena, struct remote_page *page, struct error *err)
{
    const char *parts[SF_PARTS_MAX];
    size_t parts_count = salesforce_parts(session, request->kind, true, parts);
    struct str *ids = ARENA_ARRAY(arena, struct str, request->remote_ids_count + 1);
    struct remote_record *records =
        ARENA_ARRAY(arena, struct remote_record, page->count + request->remote_ids_count + 1);

    if (page->count) {
        memcpy(records, page->records, page->count * sizeof *records);
    }
    page->records = records;
    session->sight = SIGHT_UNKNOWN;
    for (size_t i = 0; i < parts_count; i++) {
        size_t count = ids_of(session, request->kind, parts[i], request->remote_ids,
                              request->remote_ids_count, arena, ids);
        size_t lacking = 0;

        for (size_t k = 0; k < count; k++) {
            if (!record_of(page, ids[k]) && salesforce_object_named(session, parts[i])->is_loaded) {
                ids[lacking++] = ids[k];
            }
        }
        if (lacking && (ask_sight(session, arena, err) != OK ||
                        (session->sight == SIGHT_ALL &&
                         prove_part(session, parts[i], ids, lacking, arena, page, err) != OK))) {
            return err->code;
        }
    }
    return OK;
}

/* --- the contract ----------------------------------------------------------------------------- */

enum fail salesforce_fetch_many(struct session *session, const struct fetch_request *request,
                                struct arena *arena, struct remote_page *ret, struct error *err)
{
    struct remote_page page = {
        .total = -1, .cursor = STR(""), .began_ms = clock_wall_ms(session->env->clock)};

    error_reset(err);
    if (salesforce_ready(session, request->kind, request->properties, request->properties_count,
                         err) != OK ||
        salesforce_read_ids(session, request->kind, request->properties, request->properties_count,
                            request->remote_ids, request->remote_ids_count, arena, &page,
                            err) != OK ||
        salesforce_follow_merges(session, request->kind, request->properties,
                                 request->properties_count, arena, &page, err) != OK ||
        salesforce_add_people(session, request->properties, request->properties_count, arena, &page,
                              err) != OK ||
        prove_gone(session, request, arena, &page, err) != OK) {
        return error_wrap(err, "read salesforce's %s", salesforce_title(session, request->kind));
    }
    *ret = page;
    return OK;
}
