/* POST …/batch/{read,create,update,upsert,archive}. Without a trace id on every input a write is all or nothing; with them
 * each input stands for itself and failures arrive as rows of a 207. */
#include "simulators/hubspot_inside.h"
#include "simulators/hubspot_webhooks.h"

#include <inttypes.h>

#include "core/jx.h"
#include "core/unicode.h"

enum batch_kind { BATCH_CREATE, BATCH_UPDATE, BATCH_UPSERT };

/* One input and what became of it. */
struct input {
    const json_t *json;
    struct str id, trace;
    struct hs_record *record; /* to change, or made */
    struct hs_write write;
    struct hs_error error; /* status 0 = fine */
    bool is_new;
    bool is_missing; /* reported together with the others that do not exist */
};

struct batch {
    struct sim_call *call;
    struct hs_kind *kind;
    enum batch_kind what;
    struct input *inputs;
    size_t count;
    bool is_traced; /* every input carries its own trace id */
};

/* --- reading --------------------------------------------------------------------------------------- */

static bool inputs_array(struct sim_call *call, json_t *body, size_t most, json_t **ret)
{
    *ret = jx_get(body, "inputs");
    if (!json_is_array(*ret)) {
        hs_failf(call, 400, "VALIDATION_ERROR",
                 "Invalid input JSON: some required fields were not set: [inputs]");
        return false;
    }
    if (json_array_size(*ret) > most) {
        hs_failf(
            call, 400, "VALIDATION_ERROR",
            "The maximum number of inputs supported in a batch request is %zu, but received %zu",
            most, json_array_size(*ret));
        return false;
    }
    return true;
}

static bool traces_are_unique(const struct batch *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        if (!batch->inputs[i].trace.len) {
            return false;
        }
        for (size_t j = 0; j < i; j++) {
            if (str_equal(batch->inputs[i].trace, batch->inputs[j].trace)) {
                return false;
            }
        }
    }
    return batch->count > 0;
}

static bool batch_read(struct sim_call *call, struct hs_kind *kind, enum batch_kind what,
                       struct batch *ret)
{
    struct error err = {0};
    json_t *body, *inputs, *json;
    size_t index;

    if (!sim_json(call, &body)) {
        hs_failf(call, 400, "VALIDATION_ERROR", "Invalid input JSON");
        return false;
    }
    if (!inputs_array(call, body, HS_BATCH_MAX, &inputs)) {
        return false;
    }
    *ret =
        (struct batch){.call = call, .kind = kind, .what = what, .count = json_array_size(inputs)};
    ret->inputs = ARENA_ARRAY(call->arena, struct input, ret->count + 1);
    json_array_foreach(inputs, index, json)
    {
        struct input *input = &ret->inputs[index];

        input->json = json;
        if (jx_id_or(call->arena, json, "id", STR_NONE, &input->id, &err) ||
            jx_str_or(json, "objectWriteTraceId", STR_NONE, &input->trace, &err)) {
            hs_failf(call, 400, "VALIDATION_ERROR", "Invalid input JSON: inputs: %s", err.message);
            return false;
        }
    }
    ret->is_traced = traces_are_unique(ret);
    return true;
}

/* Ids of an update have to be distinct. */
static bool ids_are_unique(struct batch *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        for (size_t j = 0; j < i; j++) {
            struct str id = batch->inputs[i].id;

            if (id.len && str_equal(id, batch->inputs[j].id)) {
                hs_fail(batch->call,
                        &(struct hs_error){
                            .status = 400,
                            .category = "VALIDATION_ERROR",
                            .message = arena_printf(batch->call->arena,
                                                    "Duplicate IDs found in batch input: [%" PRI_STR
                                                    "]. IDs must be unique",
                                                    STR_ARG(id)),
                            .context = arena_printf(batch->call->arena,
                                                    "{\"ids\":[\"%" PRI_STR "\"]}", STR_ARG(id))});
                return false;
            }
        }
    }
    return true;
}

/* --- checking one input ---------------------------------------------------------------------------- */

static struct hs_error invalid(struct str message)
{
    return (struct hs_error){.status = 400, .category = "VALIDATION_ERROR", .message = message};
}

/* The unique property that the input names, or NULL after setting its error. */
static const struct hs_property *key_property(struct batch *batch, struct input *input,
                                              struct str name)
{
    const struct hs_kind *kind = batch->kind;
    long index = hs_property_find(kind, name);
    const struct hs_property *property = index < 0 ? NULL : &kind->properties[index];
    bool is_email_update = property && property->flags & HS_EMAIL && batch->what == BATCH_UPDATE;

    if (!property || !property->holders || is_email_update) {
        input->error = invalid(
            arena_printf(batch->call->arena,
                         "Unable to perform update/upsert by non-unique %s property %" PRI_STR,
                         kind->spec->type_id, STR_ARG(name)));
        return NULL;
    }
    return property;
}

static void input_find(struct batch *batch, struct input *input)
{
    struct str by = jx_text_of(jx_get(input->json, "idProperty"));
    const struct hs_property *property;

    if (!input->id.len) {
        input->error = invalid(STR("Invalid input JSON: some required fields were not set: [id]"));
        return;
    }
    if (!by.len || str_equal(by, STR("hs_object_id"))) {
        input->record = hs_record_any(batch->kind, input->id);
        if (input->record && !hs_record_is_live(input->record)) {
            input->record = NULL; /* former ids of merged records are not accepted here */
        }
    } else if ((property = key_property(batch, input, by))) {
        struct str key =
            property->flags & HS_EMAIL ? utf8_lower(batch->call->arena, input->id) : input->id;

        input->record = hs_record_by_id(batch->kind, hs_unique_holder(property, key));
    }
    input->is_missing = !input->record && !input->error.status && batch->what == BATCH_UPDATE;
}

static void input_check_required(struct batch *batch, struct input *input)
{
    bool is_create = batch->what == BATCH_CREATE || !input->record;
    struct str missing =
        is_create ? hs_write_missing(batch->kind, &input->write, batch->call->arena) : STR_NONE;

    if (missing.len) {
        input->error = invalid(
            arena_printf(batch->call->arena,
                         "Error creating %s. Some required properties were not set: [%" PRI_STR "]",
                         batch->kind->spec->upper, STR_ARG(missing)));
    }
}

static void input_check(struct batch *batch, struct input *input)
{
    struct sim_call *call = batch->call;
    const json_t *properties = jx_get(input->json, "properties");
    int64_t holder;

    if (!json_is_object(properties)) {
        input->error =
            invalid(STR("Invalid input JSON: some required fields were not set: [properties]"));
        return;
    }
    if (batch->what != BATCH_CREATE) {
        input_find(batch, input);
    }
    if (input->error.status || input->is_missing) {
        return;
    }
    hs_write_read(hs_of(call), batch->kind, input->record, properties, call->arena, &input->write);
    if (input->write.problems_count) {
        input->error = hs_error_invalid(call, &input->write);
        return;
    }
    input_check_required(batch, input);
    holder = hs_write_conflict(batch->kind, input->record, &input->write);
    if (holder) {
        input->error = hs_error_exists(call, batch->kind, holder);
    }
}

/* --- applying -------------------------------------------------------------------------------------- */

/* An upsert whose key property is not among the properties sets it all the same. */
static void key_set(struct batch *batch, struct input *input)
{
    long index = hs_property_find(batch->kind, jx_text_of(jx_get(input->json, "idProperty")));
    struct hs_problem problem;
    struct str text;

    if (batch->what == BATCH_UPSERT && index >= 0 &&
        hs_value_check(hs_of(batch->call), &batch->kind->properties[index], input->id,
                       batch->call->arena, &text, &problem)) {
        hs_record_set(hs_of(batch->call), batch->kind, input->record, (size_t)index, text,
                      &hs_source_app, batch->call->now_ms);
    }
}

static void input_apply(struct batch *batch, struct input *input)
{
    struct sim_call *call = batch->call;

    if (input->record) {
        hs_write_apply(hs_of(call), batch->kind, input->record, &input->write, &hs_source_app,
                       call->now_ms);
    } else {
        input->is_new = true;
        input->record =
            hs_write_create(hs_of(call), batch->kind, &input->write, &hs_source_app, call->now_ms);
        key_set(batch, input);
        hs_links_apply(call, batch->kind, input->record, jx_get(input->json, "associations"));
    }
    hs_wrote(call, batch->kind, input->record, input->is_new, input->json);
}

/* Inputs of one batch may collide with each other, so each is checked against what the ones before it did. */
static void batch_apply_each(struct batch *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        struct input *input = &batch->inputs[i];

        input_check(batch, input);
        if (!input->error.status && !input->is_missing) {
            input_apply(batch, input);
        }
    }
}

static bool write_has(const struct hs_write *write, const struct hs_setting *setting)
{
    for (size_t i = 0; i < write->settings_count; i++) {
        if (write->settings[i].property == setting->property &&
            str_equal(write->settings[i].text, setting->text)) {
            return true;
        }
    }
    return false;
}

/* Whether two inputs claim the same unique value, which only shows when both are applied. */
static bool inputs_collide(const struct batch *batch, size_t first, size_t second)
{
    const struct hs_write *x = &batch->inputs[first].write, *y = &batch->inputs[second].write;

    for (size_t i = 0; i < x->settings_count; i++) {
        const struct hs_setting *mine = &x->settings[i];

        if (batch->kind->properties[mine->property].holders && mine->text.len &&
            write_has(y, mine)) {
            return true;
        }
    }
    return false;
}

static void collisions_check(struct batch *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        for (size_t j = 0; j < i; j++) {
            bool same_record =
                batch->inputs[i].record && batch->inputs[i].record == batch->inputs[j].record;

            if (!same_record && inputs_collide(batch, j, i) && !batch->inputs[i].error.status) {
                batch->inputs[i].error = (struct hs_error){
                    .status = 409,
                    .category = "CONFLICT",
                    .message = STR("Two inputs of this batch have the same unique value")};
            }
        }
    }
}

/* All or nothing: the first refusal is the answer. Ids that do not exist are no refusal. */
static bool batch_apply_all(struct batch *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        input_check(batch, &batch->inputs[i]);
    }
    collisions_check(batch);
    for (size_t i = 0; i < batch->count; i++) {
        if (batch->inputs[i].error.status) {
            batch->inputs[i].error.context = STR_NONE;
            hs_fail(batch->call, &batch->inputs[i].error);
            return false;
        }
    }
    for (size_t i = 0; i < batch->count; i++) {
        if (!batch->inputs[i].is_missing) {
            input_apply(batch, &batch->inputs[i]);
        }
    }
    return true;
}

/* --- answering ------------------------------------------------------------------------------------- */

static void put_result(struct batch *batch, const struct input *input)
{
    struct sim_call *call = batch->call;
    AUTO_BUF struct buf extra;
    struct hs_view view;

    buf_init(&extra, HS_TEXT_BYTES_MAX);
    if (batch->what == BATCH_UPSERT) {
        sim_put(&extra, input->is_new ? ",\"new\":true" : ",\"new\":false");
    }
    if (input->trace.len) {
        sim_put(&extra, ",\"objectWriteTraceId\":");
        sim_put_text(&extra, input->trace);
    }
    hs_view_written(call, batch->kind, &input->write, &view);
    hs_put_record(call, batch->kind, input->record, &view, buf_str(&extra));
}

static void put_times(struct sim_call *call)
{
    sim_put(call->body, ",\"startedAt\":");
    sim_put_time(call->body, call->now_ms);
    sim_put(call->body, ",\"completedAt\":");
    sim_put_time(call->body, call->now_ms);
    sim_put(call->body, "}");
}

static size_t put_refusals(struct batch *batch)
{
    size_t count = 0;

    for (size_t i = 0; i < batch->count; i++) {
        const struct input *input = &batch->inputs[i];

        if (input->error.status) {
            sim_put(batch->call->body, count++ ? "," : "");
            hs_put_error_row(batch->call, &input->error, input->trace);
        }
    }
    return count;
}

/* Traced inputs are reported one by one, others together, as HubSpot does. */
static size_t put_missing(struct batch *batch, size_t before)
{
    struct str *ids = ARENA_ARRAY(batch->call->arena, struct str, batch->count + 1);
    size_t ids_count = 0, rows = 0;

    for (size_t i = 0; i < batch->count; i++) {
        const struct input *input = &batch->inputs[i];

        if (input->is_missing && input->trace.len) {
            struct hs_error error = hs_error_missing(batch->call, batch->kind, &input->id, 1);

            sim_put(batch->call->body, before + rows++ ? "," : "");
            hs_put_error_row(batch->call, &error, input->trace);
        } else if (input->is_missing) {
            ids[ids_count++] = input->id;
        }
    }
    if (ids_count) {
        struct hs_error error = hs_error_missing(batch->call, batch->kind, ids, ids_count);

        sim_put(batch->call->body, before + rows++ ? "," : "");
        hs_put_error_row(batch->call, &error, STR_NONE);
    }
    return rows;
}

static void batch_answer(struct batch *batch, int status)
{
    struct sim_call *call = batch->call;
    size_t results = 0, errors, before_errors;

    sim_put(call->body, "{\"status\":\"COMPLETE\",\"results\":[");
    for (size_t i = 0; i < batch->count; i++) {
        const struct input *input = &batch->inputs[i];

        if (!input->error.status && !input->is_missing) {
            sim_put(call->body, results++ ? "," : "");
            put_result(batch, input);
        }
    }
    sim_put(call->body, "]");
    before_errors = call->body->len;
    sim_put(call->body, ",\"errors\":[");
    errors = put_refusals(batch);
    errors += put_missing(batch, errors);
    if (errors) {
        buf_addf(call->body, "],\"numErrors\":%zu", errors);
    } else {
        call->body->len = before_errors;
    }
    put_times(call);
    sim_reply(call, errors ? 207 : status);
}

/* "Partial upserts are not supported" when the key is the e-mail address. Source: HubSpot, "Using object APIs". */
static bool is_keyed_by_email(const struct batch *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        if (str_equal(jx_text_of(jx_get(batch->inputs[i].json, "idProperty")), STR("email"))) {
            return true;
        }
    }
    return false;
}

static void batch_write(struct sim_call *call, struct hs_kind *kind, enum batch_kind what)
{
    struct batch batch;
    bool is_partial;

    if (!batch_read(call, kind, what, &batch) ||
        (what != BATCH_CREATE && !ids_are_unique(&batch))) {
        return;
    }
    for (size_t i = 0; i < batch.count && what == BATCH_CREATE; i++) {
        if (!hs_links_check(call, kind, jx_get(batch.inputs[i].json, "associations"))) {
            return;
        }
    }
    is_partial = batch.is_traced && !is_keyed_by_email(&batch);
    if (is_partial) {
        batch_apply_each(&batch);
    } else if (!batch_apply_all(&batch)) {
        return;
    }
    batch_answer(&batch, what == BATCH_CREATE ? 201 : 200);
}

/* --- read ------------------------------------------------------------------------------------------ */

static struct hs_record *read_one(struct sim_call *call, struct hs_kind *kind,
                                  const struct hs_property *key, struct str id, bool is_archived)
{
    struct hs_record *record;

    if (key) {
        if (key->flags & HS_EMAIL) {
            id = utf8_lower(call->arena, id);
        }
        return hs_record_by_id(kind, hs_unique_holder(key, id));
    }
    if (!is_archived) {
        return hs_record_live(kind, id);
    }
    record = hs_record_any(kind, id);
    return record && record->base.archived_ms && !record->base.merged_into ? record : NULL;
}

struct reading {
    struct hs_view view;
    const struct hs_property *key; /* NULL = by id */
    json_t *inputs;
    bool is_archived;
};

static bool reading_key(struct sim_call *call, struct hs_kind *kind, struct str by,
                        const struct hs_property **ret)
{
    long index = hs_property_find(kind, by);

    *ret = NULL;
    if (!by.len || str_equal(by, STR("hs_object_id"))) {
        return true;
    }
    if (index < 0 || !kind->properties[index].holders) {
        hs_failf(call, 400, "VALIDATION_ERROR",
                 "Unable to read by non-unique %s property %" PRI_STR, kind->spec->type_id,
                 STR_ARG(by));
        return false;
    }
    *ret = &kind->properties[index];
    return true;
}

static bool reading_read(struct sim_call *call, struct hs_kind *kind, struct reading *ret)
{
    json_t *body;
    size_t most;

    if (!sim_json(call, &body)) {
        hs_failf(call, 400, "VALIDATION_ERROR", "Invalid input JSON");
        return false;
    }
    hs_view_json(call, kind, jx_get(body, "properties"), &ret->view);
    ret->view.history = hs_property_list_json(call, kind, jx_get(body, "propertiesWithHistory"),
                                              &ret->view.history_count);
    ret->is_archived = str_equal(sim_query(call, "archived"), STR("true"));
    most = ret->view.history_count ? HS_HISTORY_MAX : HS_BATCH_MAX;
    return inputs_array(call, body, most, &ret->inputs) &&
           reading_key(call, kind, jx_text_of(jx_get(body, "idProperty")), &ret->key);
}

static void batch_get(struct sim_call *call, struct hs_kind *kind)
{
    struct reading reading = {0};
    struct str *missing;
    size_t missing_count = 0, results = 0, index;
    json_t *input;

    if (!reading_read(call, kind, &reading)) {
        return;
    }
    missing = ARENA_ARRAY(call->arena, struct str, json_array_size(reading.inputs) + 1);
    sim_put(call->body, "{\"status\":\"COMPLETE\",\"results\":[");
    json_array_foreach(reading.inputs, index, input)
    {
        struct error err = {0};
        struct str id = STR("");
        const struct hs_record *record = NULL;

        if (jx_id(call->arena, input, "id", &id, &err) == OK) {
            record = read_one(call, kind, reading.key, id, reading.is_archived);
        }
        if (record) {
            sim_put(call->body, results++ ? "," : "");
            hs_put_record(call, kind, record, &reading.view, STR_NONE);
        } else {
            missing[missing_count++] = id;
        }
    }
    sim_put(call->body, "]");
    if (missing_count) {
        struct hs_error error = hs_error_missing(call, kind, missing, missing_count);

        sim_put(call->body, ",\"numErrors\":1,\"errors\":[");
        hs_put_error_row(call, &error, STR_NONE);
        sim_put(call->body, "]");
    }
    put_times(call);
    sim_reply(call, missing_count ? 207 : 200);
}

/* --- archive --------------------------------------------------------------------------------------- */

/* No detail comes back: unknown and archived ids are passed over. */
static void batch_archive(struct sim_call *call, struct hs_kind *kind)
{
    struct batch batch;

    if (!batch_read(call, kind, BATCH_UPDATE, &batch)) {
        return;
    }
    for (size_t i = 0; i < batch.count; i++) {
        struct hs_record *record = hs_record_any(kind, batch.inputs[i].id);

        if (record && hs_record_is_live(record)) {
            hs_record_archive(kind, record, call->now_ms);
            hs_news_of_record(hs_of(call), kind, "deletion", record->base.id, &hs_source_app,
                              call->now_ms);
            sim_wrote(call, "delete", kind->spec->plural, record->base.id, NULL);
        }
    }
    sim_reply(call, 204);
}

void hs_batch_serve(struct sim_call *call, struct hs_kind *kind, struct str operation)
{
    if (call->request->method != HTTP_POST) {
        hs_failf(call, 405, NULL, "method not allowed");
    } else if (str_equal(operation, STR("read"))) {
        batch_get(call, kind);
    } else if (str_equal(operation, STR("create"))) {
        batch_write(call, kind, BATCH_CREATE);
    } else if (str_equal(operation, STR("update"))) {
        batch_write(call, kind, BATCH_UPDATE);
    } else if (str_equal(operation, STR("upsert"))) {
        batch_write(call, kind, BATCH_UPSERT);
    } else if (str_equal(operation, STR("archive"))) {
        batch_archive(call, kind);
    } else {
        hs_no_resource(call);
    }
}
