/* The endpoints under /__sim that only Salesforce has: what gets in the way of a call, and what happens to records outside the API. */
#include "simulators/salesforce_inside.h"

#include "core/jx.h"

static const int64_t YEAR_MS = 366LL * 24 * 60 * 60 * 1000;

static void refuse(struct sim_call *call, const char *message)
{
    sim_restart(call);
    sim_put(call->body, "{\"error\":");
    sim_put_text(call->body, str_of(message));
    sim_put(call->body, "}");
    sim_reply(call, 400);
}

static void done(struct sim_call *call)
{
    sim_put(call->body, "{\"ok\":true}");
    sim_reply(call, 200);
}

static bool read_ms(struct sim_call *call, const json_t *body, int64_t *ret)
{
    struct error err = {0};

    if (!jx_i64(body, "ms", ret, &err) && *ret >= 0 && *ret <= YEAR_MS) {
        return true;
    }
    refuse(call, err.code ? err.message : "ms has to be between 0 and one year");
    return false;
}

/* The record of "id", or NULL after answering. */
static struct sf_record *read_record(struct sim_call *call, const json_t *body)
{
    struct sf_record *record = sf_record_of_id(sf_of(call), jx_text_of(jx_get(body, "id")));

    if (!record) {
        refuse(call, "id has to be that of a record");
    }
    return record;
}

/* Writes are stamped as much earlier from now on: to whoever reads, they are committed that much late. */
static void late(struct sim_call *call, const json_t *body)
{
    int64_t ms;

    if (read_ms(call, body, &ms)) {
        sf_of(call)->late_ms = ms;
        done(call);
    }
}

/* As many slow calls run as may run. */
static void busy(struct sim_call *call, const json_t *body)
{
    int64_t ms;

    if (read_ms(call, body, &ms)) {
        sf_of(call)->busy_until_ms = call->now_ms + ms;
        done(call);
    }
}

/* Somebody else's transaction holds the row. */
static void lock(struct sim_call *call, const json_t *body)
{
    struct sf_record *record;
    int64_t ms;

    if (!read_ms(call, body, &ms)) {
        return;
    }
    record = read_record(call, body);
    if (record) {
        record->locked_until_ms = call->now_ms + ms;
        done(call);
    }
}

static void duplicates(struct sim_call *call, const json_t *body)
{
    static const char *const modes[] = {"pass", "alert", "block"};
    struct sf_object *object = sf_object_find(sf_of(call), jx_text_of(jx_get(body, "object")));
    struct str mode = jx_text_of(jx_get(body, "mode"));

    for (size_t i = 0; object && i < COUNT_OF(modes); i++) {
        if (str_equal(mode, str_of(modes[i])) && sf_field_find_any(object, STR("Email"))) {
            object->duplicates = (enum sf_duplicates)i;
            done(call);
            return;
        }
    }
    refuse(call, "object has to be one with an Email, and mode pass, alert or block");
}

static void put_id(struct sim_call *call, const char *name, const struct sf_record *record)
{
    buf_addf(call->body, "%s\"%s\":", call->body->len > 1 ? "," : "", name);
    sim_put_text(call->body, record ? sf_record_id_str(call->arena, record) : STR_NONE);
}

static void convert(struct sim_call *call, const json_t *body)
{
    struct salesforce *sf = sf_of(call);
    struct sf_record *lead = read_record(call, body);
    struct sf_converted converted;
    struct sf_error err;
    struct sf_unit unit;
    bool is_done;

    if (!lead) {
        return;
    }
    if (lead->object != sf->objects[SF_LEAD] || !sf_record_is_live(lead)) {
        refuse(call, "id has to be that of a lead");
        return;
    }
    sf_unit_begin(call, &unit);
    unit.is_person = true;
    unit.session = (struct sf_session){.user = sf->person};
    is_done =
        sf_convert(&unit, lead, !json_is_false(jx_get(body, "opportunity")), &converted, &err);
    sf_unit_end(&unit, is_done);
    if (!is_done) {
        refuse(call, arena_cstr(call->arena, err.message));
        return;
    }
    sim_put(call->body, "{");
    put_id(call, "accountId", converted.account);
    put_id(call, "contactId", converted.contact);
    put_id(call, "opportunityId", converted.opportunity);
    sim_put(call->body, "}");
    sim_reply(call, 200);
}

/* Out of the bin. */
static void empty(struct sim_call *call, const json_t *body)
{
    struct sf_record *record = read_record(call, body);

    if (!record) {
        return;
    }
    if (!record->base.archived_ms) {
        refuse(call, "the record is not in the bin");
        return;
    }
    sf_record_purge(record);
    done(call);
}

/* Only queryAll shows an archived activity. */
static void archive(struct sim_call *call, const json_t *body)
{
    struct sf_record *record = read_record(call, body);

    if (!record) {
        return;
    }
    if (!sf_field_find_any(record->object, STR("IsArchived"))) {
        refuse(call, "only tasks and events are archived");
        return;
    }
    sf_record_set_named(record, "IsArchived", STR("true"));
    done(call);
}

bool sf_control(struct sim_call *call)
{
    static const struct {
        const char *name;
        void (*serve)(struct sim_call *call, const json_t *body);
    } orders[] = {
        {"late", late},       {"busy", busy},   {"lock", lock},      {"duplicates", duplicates},
        {"convert", convert}, {"empty", empty}, {"archive", archive}};
    json_t *body;

    for (size_t i = 0; i < COUNT_OF(orders); i++) {
        if (sim_segment_is(call, 1, orders[i].name) && call->request->method == HTTP_POST) {
            if (sim_json(call, &body) && json_is_object(body)) {
                orders[i].serve(call, body);
            } else {
                refuse(call, "the body has to be a JSON object");
            }
            return true;
        }
    }
    return false;
}
