/* Deleting a contact for good, as people may ask for. HubSpot then blocks its address for imports and its own pages, not for the API: keeping it out is
 * for whoever reads it.
 * source: developers.hubspot.com, contacts: GDPR delete; knowledge base: perform a GDPR-compliant delete. */
#include "adapters/hubspot_inside.h"
#include "core/jx.h"

enum fail hubspot_erase(struct session *session, const char *kind, struct str remote_id,
                        bool *ret_is_final, struct error *err)
{
    AUTO_ARENA struct arena arena = {0};
    struct hubspot_call call = {
        .method = HTTP_POST,
        .path = hubspot_objects_path(session, &arena, "contact", "/gdpr-delete"),
        .body = jx_own(&arena, json_pack("{s:s%}", "objectId", remote_id.at, remote_id.len)),
        .is_safe = true,
        .may_be_missing = true};
    struct hubspot_answer answer;
    enum fail failed;

    *ret_is_final = strcmp(kind, "contact") == 0;
    if (!*ret_is_final) {
        return OK;
    }
    failed = hubspot_exec(session, &call, &arena, &answer, err);
    if (failed == FAIL_STALE && err->http_status == 404) { /* gone for good already */
        error_reset(err);
        return OK;
    }
    return failed;
}
