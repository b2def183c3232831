/* Pipedrive's pipelines and stages: few, and needed whole. source: OpenAPI v2, GET /pipelines and
 * GET /stages */
#include <stdlib.h>

#include "adapters/pipedrive_inside.h"
#include "core/alloc.h"
#include "core/jx.h"

void pipedrive_free_stages(struct session *session)
{
    struct pipedrive_stages *stages = &session->stages;

    for (size_t i = 0; i < stages->count; i++) {
        free(stages->at[i].name);
    }
    free(stages->at);
    *stages = (struct pipedrive_stages){0};
}

/* A pipeline has no pipeline_id. */
static enum fail add_row(struct pipedrive_stages *stages, const json_t *item, struct error *err)
{
    struct pipedrive_stage row = {0};
    struct str name;
    bool is_deleted;

    if (jx_i64(item, "id", &row.id, err) != OK || jx_str(item, "name", &name, err) != OK ||
        jx_i64_or(item, "pipeline_id", 0, &row.pipeline_id, err) != OK ||
        jx_i64_or(item, "order_nr", 0, &row.position, err) != OK ||
        jx_bool_or(item, "is_deleted", false, &is_deleted, err) != OK) {
        return err->code;
    }
    if (!is_deleted) {
        row.name = alloc_printf("%" PRI_STR, STR_ARG(name));
        stages->at = alloc_resize(stages->at, stages->count + 1, sizeof *stages->at);
        stages->at[stages->count++] = row;
    }
    return OK;
}

static enum fail load_list(struct session *session, const char *object, struct error *err)
{
    AUTO_ARENA struct arena arena = {0};
    struct pipedrive_answer answer;
    struct str cursor = STR(""), next;
    json_t *rows;

    do {
        struct pipedrive_call call = {
            .method = HTTP_GET, .tokens = PD_COST_STAGES, .is_safe = true};

        call.path = arena_printf(&arena, "/api/v2/%s?limit=%d%s%" PRI_STR, object, PD_PAGE_MAX,
                                 cursor.len ? "&cursor=" : "",
                                 STR_ARG(http_percent_encode(&arena, cursor)));
        if (pipedrive_exec(session, &call, &arena, &answer, err) != OK ||
            jx_array(answer.body, "data", &rows, err) != OK) {
            return error_wrap(err, "%s", object);
        }
        for (size_t i = 0; i < json_array_size(rows); i++) {
            if (add_row(&session->stages, json_array_get(rows, i), err) != OK) {
                return error_wrap(err, "%s", object);
            }
        }
        next = pipedrive_next_cursor(&answer);
        if (next.len && str_equal(next, cursor)) {
            return error_set(err, FAIL_RETRY, "pipedrive gave the same page of %s again", object);
        }
        cursor = next;
    } while (cursor.len);
    return OK;
}

enum fail pipedrive_load_stages(struct session *session, bool reload, struct error *err)
{
    if (session->stages.is_loaded && !reload) {
        return OK;
    }
    pipedrive_free_stages(session);
    if (load_list(session, "pipelines", err) != OK || load_list(session, "stages", err) != OK) {
        pipedrive_free_stages(session);
        return err->code;
    }
    session->stages.is_loaded = true;
    return OK;
}

const struct pipedrive_stage *pipedrive_stage_of(const struct session *session, int64_t id)
{
    for (size_t i = 0; i < session->stages.count; i++) {
        if (session->stages.at[i].pipeline_id && session->stages.at[i].id == id) {
            return &session->stages.at[i];
        }
    }
    return NULL;
}
