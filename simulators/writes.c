/* The log of what was written through a CRM's API, one row for each object. Off until somebody asks for it, as it grows without end. */
#include "simulators/inside.h"

void sim_writes_clear(struct simulator *sim)
{
    json_decref(sim->written);
    sim->written = json_array();
}

void sim_wrote_text(struct sim_call *call, const char *method, const char *object, struct str id,
                    const json_t *fields)
{
    struct simulator *sim = call->sim;
    json_t *copy;

    sim->writes++;
    if (!sim->written) {
        return;
    }
    copy = json_is_object(fields) ? json_deep_copy(fields) : json_object();
    json_array_append_new(sim->written,
                          json_pack("{s:I,s:s,s:s,s:o,s:o}", "at_ms", (json_int_t)call->now_ms,
                                    "method", method, "object", object, "id",
                                    json_stringn(id.at, id.len), "fields", copy));
}

void sim_wrote(struct sim_call *call, const char *method, const char *object, int64_t id,
               const json_t *fields)
{
    sim_wrote_text(call, method, object, arena_printf(call->arena, "%lld", (long long)id), fields);
}
