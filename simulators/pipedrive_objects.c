/* Get, create, update and delete of one object in v2. */
#include "simulators/pipedrive_inside.h"

#include "core/jx.h"

/* A path id that is no number fails validation. */
bool pd_id_read(struct sim_call *call, struct str text, int64_t *ret)
{
    if (str_to_i64(text, ret) && *ret > 0) {
        return true;
    }
    pd_invalid(call, "Parameter 'id' has to be a positive integer");
    return false;
}

/* A record that can be shown; NULL after answering. What a deleted one answers is not documented:
 * the account's quirks say. */
static struct pd_record *shown_record(struct sim_call *call, const struct pd_target *at)
{
    struct pipedrive *pd = pd_of(call);
    struct pd_record *record;
    int64_t id;

    if (!pd_id_read(call, at->last, &id)) {
        return NULL;
    }
    record = pd_record_get(at->kind, id, call->now_ms);
    if (!record || (record->base.archived_ms && pd->quirks & PD_DELETED_GET_404)) {
        pd_not_found(call);
        return NULL;
    }
    if (record->base.archived_ms && pd->quirks & PD_DELETED_GET_410) {
        pd_fail(call, 410, NULL, "Object was deleted.", "Entity is gone");
        return NULL;
    }
    return record;
}

void pd_get_serve(struct sim_call *call, const struct pd_target *at)
{
    struct pd_record *record = shown_record(call, at);
    struct pd_view view;

    if (!record || !pd_view_init(call, at->kind, &view)) {
        return;
    }
    sim_put(call->body, "{\"success\":true,\"data\":");
    pd_put_record(call, at->kind, record, &view);
    sim_put(call->body, "}");
    sim_reply(call, 200);
}

static bool body_read(struct sim_call *call, json_t **ret)
{
    if (sim_json(call, ret)) {
        return true;
    }
    pd_fail(call, 400, NULL, NULL, "The body is not valid JSON");
    return false;
}

static struct pd_check check_for(struct sim_call *call)
{
    return (struct pd_check){.pd = pd_of(call), .arena = call->arena, .now_ms = call->now_ms};
}

void pd_create_serve(struct sim_call *call, const struct pd_target *at)
{
    struct pd_check check = check_for(call);
    struct pd_record *record;
    struct pd_write write;
    json_t *body;

    if (!body_read(call, &body)) {
        return;
    }
    if (!pd_write_read(&check, at->kind, NULL, body, PD_CREATES, &write)) {
        pd_refuse_check(call, &check);
        return;
    }
    record = pd_write_apply(pd_of(call), at->kind, NULL, &write, call->now_ms);
    sim_wrote(call, "create", at->kind->spec->plural, record->base.id, body);
    pd_reply_record(call, at->kind, record);
}

void pd_update_serve(struct sim_call *call, const struct pd_target *at)
{
    struct pd_check check = check_for(call);
    struct pd_record *record;
    struct pd_write write;
    json_t *body;
    int64_t id;

    if (!pd_id_read(call, at->last, &id) || !body_read(call, &body)) {
        return;
    }
    record = pd_record_live(at->kind, id);
    if (!record) {
        pd_not_found(call);
        return;
    }
    if (!pd_write_read(&check, at->kind, record, body, PD_UPDATES, &write)) {
        pd_refuse_check(call, &check);
        return;
    }
    sim_wrote(call, "update", at->kind->spec->plural, id, body);
    pd_write_apply(pd_of(call), at->kind, record, &write, call->now_ms);
    pd_reply_record(call, at->kind, record);
}

/* A second delete answers 410 with success. Recorded live in 2026-05. */
void pd_delete_serve(struct sim_call *call, const struct pd_target *at)
{
    struct pd_record *record;
    int64_t id;

    if (!pd_id_read(call, at->last, &id)) {
        return;
    }
    record = pd_record_get(at->kind, id, call->now_ms);
    if (!record) {
        pd_not_found(call);
        return;
    }
    if (record->base.archived_ms) {
        pd_reply_id(call, 410, id);
        return;
    }
    sim_wrote(call, "delete", at->kind->spec->plural, id, NULL);
    pd_record_delete(pd_of(call), at->kind, record, call->now_ms);
    pd_reply_id(call, 200, id);
}
