/* /sobjects/{T}/updated and /deleted: which records of an object changed or went within a window of time.
 *
 * Sources: REST guide, "sObject Get Updated", "sObject Get Deleted"; SOAP guide, "getUpdated", "getDeleted", "Polling for Changes":
 * seconds are ignored, bounds are inclusive, 30 and 15 days back; latestDateCovered stays behind a long transaction. */
#include "simulators/salesforce_inside.h"

#include "core/when.h"

static const int64_t MINUTE_MS = 60 * 1000;
static const int64_t DAY_MS = 24LL * 60 * 60 * 1000;

enum { IDS_MAX = 600000 };

struct window {
    int64_t start_ms, end_ms; /* whole minutes, both inclusive */
    bool is_deleted;
};

static int64_t minute_of(int64_t ms)
{
    return ms / MINUTE_MS * MINUTE_MS;
}

static bool refuse_date(struct sim_call *call, const char *message)
{
    sf_failf(call, 400, "INVALID_REPLICATION_DATE", "%s", message);
    return false;
}

/* False after answering. */
static bool read_time(struct sim_call *call, const char *name, int64_t *ret)
{
    struct str text = sim_query(call, name);

    if (!text.at) {
        sf_failf(call, 400, "MISSING_ARGUMENT", "%s is missing", name);
        return false;
    }
    if (!when_parse_ms(text, ret)) {
        sf_failf(call, 400, "INVALID_REPLICATION_DATE", "%s is no date and time", name);
        return false;
    }
    return true;
}

static bool check_window(struct sim_call *call, int64_t start_ms, int64_t end_ms, bool is_deleted)
{
    int64_t reach_ms = (is_deleted ? 15 : 30) * DAY_MS;

    if (start_ms > call->now_ms) {
        return refuse_date(call, "startDate cannot be in the future");
    }
    if (is_deleted ? end_ms - start_ms <= MINUTE_MS : end_ms <= start_ms) {
        return refuse_date(call, is_deleted
                                     ? "endDate should be at least one minute after startDate"
                                     : "startDate must be before endDate");
    }
    if (start_ms < call->now_ms - reach_ms) {
        return refuse_date(call, is_deleted ? "startDate before org replication enabled date"
                                            : "startDate cannot be more than 30 days ago");
    }
    return true;
}

static bool read_window(struct sim_call *call, struct window *ret)
{
    int64_t start_ms, end_ms;

    if (!read_time(call, "start", &start_ms) || !read_time(call, "end", &end_ms) ||
        !check_window(call, start_ms, end_ms, ret->is_deleted)) {
        return false;
    }
    ret->start_ms = minute_of(start_ms);
    ret->end_ms = minute_of(end_ms);
    return true;
}

/* "2026-07-27T09:58:00.000+0000" in quotes */
static void put_time(struct buf *body, int64_t ms)
{
    char text[WHEN_TEXT_BYTES];

    when_format_ms(ms, text);
    buf_addf(body, "\"%.23s+0000\"", text);
}

static bool is_within(const struct window *window, const struct sf_record *record)
{
    int64_t at_ms = record->base.archived_ms ? record->base.archived_ms : record->base.modified_ms;

    return (record->base.archived_ms != 0) == window->is_deleted && at_ms >= window->start_ms &&
           at_ms <= window->end_ms;
}

static void put_one(struct buf *body, const struct window *window, const struct sf_record *record)
{
    char id[SF_ID_BYTES];

    sf_record_id(record, id);
    if (!window->is_deleted) {
        buf_addf(body, "\"%s\"", id);
        return;
    }
    buf_addf(body, "{\"id\":\"%s\",\"deletedDate\":", id);
    put_time(body, record->base.archived_ms);
    buf_add_char(body, '}');
}

/* A record that went to the bin is not touched any more, so that both are found by when they changed last. */
static size_t put_records(struct buf *body, struct sf_object *object, const struct window *window)
{
    size_t count = 0;

    for (size_t i = sim_table_since(&object->table, window->start_ms);
         i < object->table.marks_count; i++) {
        struct sf_record *record = (struct sf_record *)sim_table_marked(&object->table, i);

        if (record && is_within(window, record)) {
            sim_put(body, count++ ? "," : "");
            put_one(body, window, record);
        }
    }
    return count;
}

/* Writes that commit late come from transactions that have been open for as long. */
static int64_t covered_ms(struct sim_call *call, const struct window *window)
{
    int64_t safe_ms = minute_of(call->now_ms - sf_of(call)->late_ms);

    return safe_ms < window->end_ms ? safe_ms : window->end_ms;
}

void sf_changes_serve(struct sim_call *call, struct sf_object *object, bool is_deleted)
{
    struct window window = {.is_deleted = is_deleted};
    struct buf *body = call->body;

    if (call->request->method != HTTP_GET) {
        sf_no_method(call, "GET");
        return;
    }
    if (!(object->flags & SF_CAN_REPLICATE)) {
        sf_failf(call, 400, "INVALID_TYPE_FOR_OPERATION",
                 "sObject type '%" PRI_STR "' is not replicateable", STR_ARG(object->name));
        return;
    }
    if (!read_window(call, &window)) {
        return;
    }
    sim_put(body, is_deleted ? "{\"deletedRecords\":[" : "{\"ids\":[");
    if (put_records(body, object, &window) > IDS_MAX) {
        sim_restart(call);
        sf_failf(call, 400, "EXCEEDED_ID_LIMIT", "more than %d ids in this window", IDS_MAX);
        return;
    }
    if (is_deleted) {
        sim_put(body, "],\"earliestDateAvailable\":");
        put_time(body, minute_of(call->now_ms - 15 * DAY_MS));
        sim_put(body, ",\"latestDateCovered\":");
    } else {
        sim_put(body, "],\"latestDateCovered\":");
    }
    put_time(body, covered_ms(call, &window));
    buf_add_char(body, '}');
    sim_reply(call, 200);
}
