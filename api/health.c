/* Whether the process lives and can take work; what the API is. */
#include "api/handlers.h"
#include "core/embedded.h"

enum fail handle_healthz(struct api_call *call, struct error *err)
{
    (void)err;
    api_answer(call, json_pack("{s:s}", "status", "ok"));
    return OK;
}

enum fail handle_readyz(struct api_call *call, struct error *err)
{
    json_t *checks = NULL;
    bool is_ready = true;

    (void)err;
    if (call->host->ready) {
        is_ready = call->host->ready(call->host->context, &checks);
    }
    call->status = is_ready ? 200 : 503;
    api_answer(call, json_pack("{s:s,s:o}", "status", is_ready ? "ready" : "not ready", "checks",
                               checks ? checks : json_object()));
    return OK;
}

enum fail handle_openapi(struct api_call *call, struct error *err)
{
    struct embedded_file file = {0};

    (void)err;
    api_description_at(0, &file);
    call->text = (struct str){.at = file.at, .len = file.len};
    call->type = STR("application/json");
    return OK;
}
