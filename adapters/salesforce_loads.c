/* Salesforce: load jobs that were closed and not heard of again: a lost answer, a run that was killed. While such a job is at work, a create that
 * is not found says nothing yet, and sending it again could overwrite what somebody edited meanwhile.
 * source: Bulk API 2.0 and Bulk API Developer Guide, "Get Information About All Jobs": up to 1,000 rows, done, nextRecordsUrl */
#include "adapters/salesforce_write.h"
#include "core/jx.h"
#include "core/when.h"

enum { PAGES_MAX = 20, AGAIN_MIN_MS = 5 * 1000, AGAIN_MAX_MS = 5 * 60 * 1000 };

static bool is_at_work(const json_t *job, const char *const *objects, size_t count)
{
    struct str state = jx_text_of(jx_get(job, "state"));

    if (!str_equal(jx_text_of(jx_get(job, "operation")), STR("upsert")) ||
        (!str_equal(state, STR("UploadComplete")) && !str_equal(state, STR("InProgress")))) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (str_equal(jx_text_of(jx_get(job, "object")), str_of(objects[i]))) {
            return true;
        }
    }
    return false;
}

/* Whose job it is, is asked only when there is one. A user that is not told counts as ours. */
static enum fail is_own(struct session *session, const json_t *job, bool *ret, struct error *err)
{
    struct str user;

    if (salesforce_own_user(session, &user, err) != OK) {
        return err->code;
    }
    *ret = user.len == 0 || salesforce_same_id(jx_text_of(jx_get(job, "createdById")), user);
    return OK;
}

/* The longer it takes, the seldomer it is looked at. */
static int64_t wait_of(const struct session *session, const json_t *job)
{
    int64_t made_ms = 0, wait_ms;

    (void)when_parse_ms(jx_text_of(jx_get(job, "createdDate")), &made_ms);
    wait_ms = (clock_wall_ms(session->env->clock) + session->ahead_ms - made_ms) / 4;
    return wait_ms < AGAIN_MIN_MS ? AGAIN_MIN_MS : wait_ms > AGAIN_MAX_MS ? AGAIN_MAX_MS : wait_ms;
}

static enum fail look_through(struct session *session, const json_t *jobs,
                              const char *const *objects, size_t count, struct error *err)
{
    for (size_t i = 0; i < json_array_size(jobs); i++) {
        const json_t *job = json_array_get(jobs, i);
        bool is_ours = false;

        if (!is_at_work(job, objects, count)) {
            continue;
        }
        if (is_own(session, job, &is_ours, err) != OK) {
            return err->code;
        }
        if (is_ours) {
            error_set(err, FAIL_THROTTLED, "salesforce's load job is at work");
            err->wait_ms = wait_of(session, job);
            return err->code;
        }
    }
    return OK;
}

enum fail salesforce_await_loads(struct session *session, const char *const *objects, size_t count,
                                 struct error *err)
{
    AUTO_ARENA struct arena arena = {0};
    struct str next = STR("/jobs/ingest?jobType=V2Ingest");

    for (int page = 0; page < PAGES_MAX && next.len; page++) {
        struct salesforce_call call = {
            .method = HTTP_GET, .path = next, .is_safe = true, .may_be_missing = true};
        struct salesforce_answer answer;

        if (salesforce_exec(session, &call, &arena, &answer, err) != OK) {
            if (err->code == FAIL_CONNECTION || err->code == FAIL_RECORD ||
                err->code == FAIL_STALE) {
                error_reset(err); /* the org has no such jobs, or the user may not have any */
            }
            return err->code;
        }
        if (look_through(session, jx_get(answer.body, "records"), objects, count, err) != OK) {
            return err->code;
        }
        next = jx_text_of(jx_get(answer.body, "nextRecordsUrl"));
    }
    return OK;
}
