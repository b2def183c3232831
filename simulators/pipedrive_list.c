/* Lists of v2: keyset paging on (sort field, id). A record that
 * changes during a scan by update_time moves to its end and comes twice; none is left out. */
#include "simulators/pipedrive_inside.h"

#include <inttypes.h>

#include "core/alloc.h"
#include "core/jx.h"
#include "core/when.h"

enum sort_by { BY_ID, BY_UPDATE, BY_ADD, BY_DUE };

static const char *const sort_names[] = {"id", "update_time", "add_time", "due_date"};

struct list {
    struct pd_kind *kind;
    struct pd_view view;
    int64_t limit;
    enum sort_by sort_by;
    bool is_descending;
    int64_t since_ms, until_ms; /* until INT64_MAX = none */
    int64_t owner_id, org_id, person_id, deal_id, pipeline_id, stage_id; /* 0 = any */
    unsigned statuses; /* of deals: bits of status_names; 0 = any but deleted */
    bool has_done, is_done;
    bool is_archived; /* archived deals, which other lists leave out */
    bool is_empty;    /* a filter that nothing can match here */
    bool has_cursor;
    int64_t cursor_key, cursor_id;
    struct pd_record **chosen; /* of ids or of a sort that has no index; NULL = walk the table */
    size_t chosen_count;
    bool shows_deleted;
};

/* --- reading the query ---------------------------------------------------------------------- */

static bool time_read(struct sim_call *call, const char *name, int64_t *ret)
{
    struct str text = sim_query(call, name);

    /* A fraction of a second is refused. Seen live by a public sync engine. */
    if (text.at && !pd_time_parse(text, ret)) {
        pd_invalid(call, "Parameter '%s' is not a valid datetime", name);
        return false;
    }
    return true;
}

static bool sort_read(struct sim_call *call, struct list *list)
{
    struct str by = sim_query(call, "sort_by"), direction = sim_query(call, "sort_direction");

    size_t count = list->kind == pd_activities(pd_of(call)) ? BY_DUE + 1 : BY_DUE;

    for (size_t i = 0; by.at; i++) {
        if (i == count) {
            pd_invalid(call, "Parameter 'sort_by' has to be one of id, update_time, add_time%s",
                       count > BY_DUE ? ", due_date" : "");
            return false;
        }
        if (str_equal(by, str_of(sort_names[i]))) {
            list->sort_by = (enum sort_by)i;
            break;
        }
    }
    list->is_descending = str_equal(direction, STR("desc"));
    if (direction.at && !list->is_descending && !str_equal(direction, STR("asc"))) {
        pd_invalid(call, "Parameter 'sort_direction' has to be asc or desc");
        return false;
    }
    return true;
}

static bool number_read(struct sim_call *call, const char *name, int64_t *ret)
{
    if (sim_query_i64(call, name, 0, ret)) {
        return true;
    }
    pd_invalid(call, "Parameter '%s' has to be an integer", name);
    return false;
}

/* The order of status_names in a mask; deleted is not a status that a deal keeps. */
static const char *const status_names[] = {"open", "won", "lost", "deleted"};
enum { STATUS_DELETED = 1 << 3 };

static bool deal_filters_read(struct sim_call *call, struct list *list)
{
    return number_read(call, "person_id", &list->person_id) &&
           number_read(call, "org_id", &list->org_id) &&
           number_read(call, "pipeline_id", &list->pipeline_id) &&
           number_read(call, "stage_id", &list->stage_id) &&
           pd_query_words(call, "status", status_names, COUNT_OF(status_names), &list->statuses);
}

static bool activity_filters_read(struct sim_call *call, struct list *list)
{
    list->has_done = sim_query(call, "done").at;
    list->is_empty = sim_query(call, "lead_id").len; /* no leads here */
    return number_read(call, "person_id", &list->person_id) &&
           number_read(call, "org_id", &list->org_id) &&
           number_read(call, "deal_id", &list->deal_id) &&
           pd_query_bool(call, "done", &list->is_done);
}

static bool kind_filters_read(struct sim_call *call, struct list *list)
{
    struct pipedrive *pd = pd_of(call);

    if (list->kind == pd_people(pd)) {
        return number_read(call, "org_id", &list->org_id) &&
               number_read(call, "deal_id", &list->deal_id);
    }
    if (list->kind == pd_deals(pd)) {
        return deal_filters_read(call, list);
    }
    return list->kind != pd_activities(pd) || activity_filters_read(call, list);
}

static bool filters_read(struct sim_call *call, struct list *list)
{
    int64_t filter_id;

    if (!number_read(call, "owner_id", &list->owner_id) ||
        !number_read(call, "filter_id", &filter_id) || !kind_filters_read(call, list)) {
        return false;
    }
    if (filter_id) { /* this company has no saved filters */
        pd_fail(call, 404, NULL, NULL, "Filter not found");
        return false;
    }
    return true;
}

static bool cursor_time(const json_t *cursor, int64_t *ret)
{
    struct str text = jx_text_of(jx_get(cursor, "fieldValue"));

    *ret = 0; /* null: never updated */
    return json_is_null(jx_get(cursor, "fieldValue")) || when_parse_ms(text, ret);
}

static bool cursor_read(struct sim_call *call, struct list *list)
{
    struct str text = sim_query(call, "cursor");
    const json_t *cursor = pd_cursor_read(call->arena, text);
    struct str field = jx_text_of(jx_get(cursor, "field"));
    struct str direction = jx_text_of(jx_get(cursor, "sortDirection"));

    if (!text.at) {
        return true;
    }
    if (!pd_whole(jx_get(cursor, "id"), &list->cursor_id) ||
        !str_equal(field, str_of(sort_names[list->sort_by])) ||
        !str_equal(direction, list->is_descending ? STR("desc") : STR("asc")) ||
        (list->sort_by != BY_ID && !cursor_time(cursor, &list->cursor_key))) {
        pd_invalid(call, "Parameter 'cursor' is not valid for this request");
        return false;
    }
    if (list->sort_by == BY_ID) {
        list->cursor_key = list->cursor_id;
    }
    list->has_cursor = true;
    return true;
}

static bool ids_read(struct sim_call *call, struct list *list)
{
    struct str rest = sim_query(call, "ids");
    int64_t id;

    if (!rest.at) {
        return true;
    }
    list->chosen = ARENA_ARRAY(call->arena, struct pd_record *, PD_IDS_MAX);
    for (size_t asked = 0; rest.at; asked++) {
        if (!str_to_i64(str_trim(str_cut(&rest, ',')), &id) || asked == PD_IDS_MAX) {
            pd_invalid(call, "Parameter 'ids' has to be a list of at most %d integers", PD_IDS_MAX);
            return false;
        }
        list->chosen[list->chosen_count] = pd_record_get(list->kind, id, call->now_ms);
        list->chosen_count += list->chosen[list->chosen_count] != NULL;
    }
    return true;
}

static bool list_read(struct sim_call *call, struct list *list)
{
    list->until_ms = INT64_MAX;
    return pd_view_init(call, list->kind, &list->view) &&
           pd_query_limit(call, PD_LIST_MAX, &list->limit) && sort_read(call, list) &&
           time_read(call, "updated_since", &list->since_ms) &&
           time_read(call, "updated_until", &list->until_ms) && filters_read(call, list) &&
           cursor_read(call, list) && ids_read(call, list);
}

/* --- choosing records ----------------------------------------------------------------------- */

/* 0 without a due date, and so before all others. */
static int64_t due_ms(const struct pd_kind *kind, const struct pd_record *record)
{
    struct str json = pd_value(record, pd_slot(kind, "due_date"));
    int64_t ms = 0;

    if (json.at) {
        when_parse_ms(str_slice(json, 1, json.len - 1), &ms);
    }
    return ms;
}

static int64_t key_of(const struct list *list, const struct pd_record *record)
{
    switch (list->sort_by) {
    case BY_ID:
        return record->base.id;
    case BY_UPDATE:
        return record->base.modified_ms;
    case BY_ADD:
        return record->base.created_ms;
    case BY_DUE:
        return due_ms(list->kind, record);
    }
    abort(); /* enum sort_by is closed */
}

/* Below 0: the record comes before the cursor's place in ascending order. */
static int cursor_compare(const struct list *list, const struct pd_record *record)
{
    int64_t key = key_of(list, record), id = record->base.id;

    if (key != list->cursor_key) {
        return key < list->cursor_key ? -1 : 1;
    }
    return id < list->cursor_id ? -1 : id > list->cursor_id;
}

static bool is_behind_cursor(const struct list *list, const struct pd_record *record)
{
    int order = list->has_cursor ? cursor_compare(list, record) : 0;

    return !list->has_cursor || (list->is_descending ? order < 0 : order > 0);
}

static bool deal_is_wanted(const struct list *list, const struct pd_record *deal)
{
    struct str status = pd_value(deal, pd_slot(list->kind, "status"));
    bool is_archived = str_equal(pd_value(deal, pd_slot(list->kind, "is_archived")), STR("true"));
    unsigned bit = 0;

    while (bit < COUNT_OF(status_names) &&
           !str_equal(str_slice(status, 1, status.len - 1), str_of(status_names[bit]))) {
        bit++;
    }
    if (deal->base.archived_ms) { /* the quirk shows them without being asked */
        bit = 3;
    }
    return (list->statuses == 0 || list->statuses & 1U << bit) &&
           is_archived == list->is_archived &&
           (list->pipeline_id == 0 ||
            pd_number(deal, pd_slot(list->kind, "pipeline_id")) == list->pipeline_id) &&
           (list->stage_id == 0 ||
            pd_number(deal, pd_slot(list->kind, "stage_id")) == list->stage_id);
}

static bool takes_part(struct pipedrive *pd, int64_t deal_id, int64_t person_id)
{
    const struct pd_record *deal = pd_record_live(pd_deals(pd), deal_id);

    return deal && pd_participates(deal, person_id);
}

/* What only lists of this kind ask. */
static bool kind_wants(struct pipedrive *pd, const struct list *list,
                       const struct pd_record *record)
{
    bool is_done;

    if (list->kind == pd_people(pd)) {
        return list->deal_id == 0 || takes_part(pd, list->deal_id, record->base.id);
    }
    if (list->kind == pd_deals(pd)) {
        return deal_is_wanted(list, record);
    }
    if (list->kind == pd_activities(pd)) {
        is_done = str_equal(pd_value(record, pd_slot(list->kind, "done")), STR("true"));
        return (list->deal_id == 0 || record->deal_id == list->deal_id) &&
               (!list->has_done || is_done == list->is_done);
    }
    return true;
}

static bool is_wanted(struct sim_call *call, const struct list *list,
                      const struct pd_record *record)
{
    int64_t modified = record->base.modified_ms;

    if (record->base.archived_ms &&
        (!list->shows_deleted || !pd_record_get(list->kind, record->base.id, call->now_ms))) {
        return false;
    }
    return (list->since_ms == 0 || modified >= list->since_ms) &&
           (list->until_ms == INT64_MAX || (modified && modified < list->until_ms)) &&
           (list->owner_id == 0 || record->owner_id == list->owner_id) &&
           (list->org_id == 0 || record->org_id == list->org_id) &&
           (list->person_id == 0 || record->person_id == list->person_id) &&
           is_behind_cursor(list, record) && kind_wants(pd_of(call), list, record);
}

/* --- walking -------------------------------------------------------------------------------- */

static int order_by_time(const struct pd_record *left, const struct pd_record *right,
                         int64_t left_ms, int64_t right_ms)
{
    if (left_ms != right_ms) {
        return left_ms < right_ms ? -1 : 1;
    }
    return left->base.id < right->base.id ? -1 : left->base.id > right->base.id;
}

static int order_by_id(const void *x, const void *y)
{
    const struct pd_record *const *left = x, *const *right = y;

    return order_by_time(*left, *right, 0, 0);
}

static int order_by_update(const void *x, const void *y)
{
    const struct pd_record *const *left = x, *const *right = y;

    return order_by_time(*left, *right, (*left)->base.modified_ms, (*right)->base.modified_ms);
}

static int order_by_add(const void *x, const void *y)
{
    const struct pd_record *const *left = x, *const *right = y;

    return order_by_time(*left, *right, (*left)->base.created_ms, (*right)->base.created_ms);
}

struct due {
    struct pd_record *record;
    int64_t ms;
};

static int order_by_due(const void *x, const void *y)
{
    const struct due *left = x, *right = y;

    return order_by_time(left->record, right->record, left->ms, right->ms);
}

/* Due dates are texts: each is read once. */
static void chosen_sort_by_due(struct sim_call *call, struct list *list)
{
    struct due *dues = arena_alloc(call->arena, list->chosen_count + 1, sizeof(*dues));

    for (size_t i = 0; i < list->chosen_count; i++) {
        dues[i] = (struct due){list->chosen[i], due_ms(list->kind, list->chosen[i])};
    }
    qsort(dues, list->chosen_count, sizeof(*dues), order_by_due);
    for (size_t i = 0; i < list->chosen_count; i++) {
        list->chosen[i] = dues[i].record;
    }
}

/* The table has no order by add_time, which a client may set, nor by due date: all records are
 * sorted for them. */
static void chosen_settle(struct sim_call *call, struct list *list)
{
    static int (*const orders[])(const void *, const void *) = {order_by_id, order_by_update,
                                                                order_by_add};
    const struct sim_table *table = &list->kind->table;

    if (!list->chosen && list->sort_by >= BY_ADD) {
        list->chosen = arena_alloc(call->arena, table->count + 1, sizeof(list->chosen[0]));
        for (size_t i = 0; i < table->count; i++) {
            list->chosen[list->chosen_count++] = (struct pd_record *)table->at[i];
        }
    }
    if (list->chosen && list->sort_by == BY_DUE) {
        chosen_sort_by_due(call, list);
    } else if (list->chosen) {
        qsort(list->chosen, list->chosen_count, sizeof(list->chosen[0]), orders[list->sort_by]);
    }
}

/* Positions ascend in the order of the sort; first and end bound what a cursor or updated_since
 * leaves to look at. */
struct walk {
    size_t first, end;
};

static struct walk walk_by_id(const struct list *list)
{
    const struct sim_table *table = &list->kind->table;
    struct walk walk = {0, table->count};

    if (list->has_cursor && list->is_descending) {
        walk.end = sim_table_from(table, list->cursor_id);
    } else if (list->has_cursor) {
        walk.first = sim_table_from(table, list->cursor_id);
    }
    return walk;
}

static struct walk walk_by_update(struct list *list)
{
    struct sim_table *table = &list->kind->table;
    struct walk walk = {.first = sim_table_since(table, list->since_ms)};

    walk.end = table->marks_count;
    if (list->has_cursor && list->is_descending) {
        walk.end = sim_table_since(table, list->cursor_key + 1);
    } else if (list->has_cursor && list->cursor_key > list->since_ms) {
        walk.first = sim_table_since(table, list->cursor_key);
    }
    return walk;
}

static struct walk walk_begin(struct list *list)
{
    if (list->chosen) {
        return (struct walk){0, list->chosen_count};
    }
    return list->sort_by == BY_ID ? walk_by_id(list) : walk_by_update(list);
}

static struct pd_record *walk_at(const struct list *list, size_t position)
{
    const struct sim_table *table = &list->kind->table;

    if (list->chosen) {
        bool is_repeated = position && list->chosen[position] == list->chosen[position - 1];

        return is_repeated ? NULL : list->chosen[position];
    }
    return (struct pd_record *)(list->sort_by == BY_ID ? table->at[position]
                                                       : sim_table_marked(table, position));
}

/* Collects up to limit + 1 records: the one too many tells that there is a next page. */
static size_t page_collect(struct sim_call *call, struct list *list, struct pd_record **page)
{
    struct walk walk = walk_begin(list);
    size_t count = 0, most = (size_t)list->limit + 1;

    while (walk.first < walk.end && count < most && !list->is_empty) {
        size_t position = list->is_descending ? --walk.end : walk.first++;
        struct pd_record *record = walk_at(list, position);

        if (record && is_wanted(call, list, record)) {
            page[count++] = record;
        }
    }
    return count;
}

/* --- answering ------------------------------------------------------------------------------ */

static json_t *cursor_value(const struct list *list, const struct pd_record *last)
{
    char text[WHEN_TEXT_BYTES];
    int64_t key = key_of(list, last);

    if (list->sort_by == BY_ID) {
        return json_integer(key);
    }
    when_format_seconds(key, text);
    return key ? json_string(text) : json_null();
}

static struct str cursor_after(struct sim_call *call, const struct list *list,
                               const struct pd_record *last)
{
    json_t *cursor = jx_own(call->arena, json_object());

    json_object_set_new(cursor, "field", json_string(sort_names[list->sort_by]));
    json_object_set_new(cursor, "fieldValue", cursor_value(list, last));
    json_object_set_new(cursor, "sortDirection", json_string(list->is_descending ? "desc" : "asc"));
    json_object_set_new(cursor, "id", json_integer(last->base.id));
    return pd_cursor_write(call->arena, cursor);
}

static void list_serve(struct sim_call *call, struct list list)
{
    struct pd_record *page[PD_LIST_MAX + 1];
    size_t count, shown;

    if (!list_read(call, &list)) {
        return;
    }
    list.shows_deleted =
        pd_of(call)->quirks & PD_LIST_SHOWS_DELETED || list.statuses & STATUS_DELETED;
    chosen_settle(call, &list);
    count = page_collect(call, &list, page);
    shown = count > (size_t)list.limit ? (size_t)list.limit : count;
    sim_put(call->body, "{\"success\":true,\"data\":[");
    for (size_t i = 0; i < shown; i++) {
        sim_put(call->body, i ? "," : "");
        pd_put_record(call, list.kind, page[i], &list.view);
    }
    sim_put(call->body, "]");
    pd_put_next_cursor(call, count > shown ? cursor_after(call, &list, page[shown - 1]) : STR_NONE);
    sim_put(call->body, "}");
    sim_reply(call, 200);
}

void pd_list_serve(struct sim_call *call, const struct pd_target *at)
{
    list_serve(call, (struct list){.kind = at->kind});
}

/* Archived deals left the other list on 2025-07-15. */
void pd_archived_serve(struct sim_call *call, const struct pd_target *at)
{
    (void)at;
    list_serve(call, (struct list){.kind = pd_deals(pd_of(call)), .is_archived = true});
}
