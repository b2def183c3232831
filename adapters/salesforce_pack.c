/* Salesforce: many records in few calls: collections of 200, five of them and up to 25 requests in one composite call, which counts as
 * one. source: REST API Developer Guide, "sObject Collections", "Send Multiple Requests Using Composite" */
#include <assert.h>

#include "adapters/salesforce_write.h"
#include "core/jx.h"

size_t salesforce_collections_of(size_t records)
{
    return (records + SF_COLLECTION_MAX - 1) / SF_COLLECTION_MAX;
}

/* What is in a call so far. */
struct load {
    size_t requests, collections;
};

static bool takes(struct load *load, bool is_row)
{
    if (load->requests == SF_COMPOSITE_MAX || (!is_row && load->collections == SF_QUERIES_MAX)) {
        return false;
    }
    load->requests++;
    load->collections += !is_row;
    return true;
}

int64_t salesforce_pack_calls(size_t rows, size_t collections)
{
    struct load load = {0};
    int64_t calls = rows + collections > 0;

    for (size_t i = 0; i < rows + collections; i++) {
        if (!takes(&load, i < rows)) {
            load = (struct load){0};
            calls++;
            (void)takes(&load, i < rows);
        }
    }
    return calls;
}

/* source: REST API Developer Guide, "Duplicate Rule Header", "Assignment Rule Header": assignment rules are on unless switched off, and
 * would take the owner away; an alert of a duplicate rule is heard, not overruled */
json_t *salesforce_write_headers(struct arena *arena)
{
    return jx_own(arena, json_pack("{s:s,s:s}", "Sforce-Auto-Assign", "FALSE",
                                   "Sforce-Duplicate-Rule-Header",
                                   "allowSave=false; includeRecordDetails=true; "
                                   "runAsCurrentUser=true"));
}

static struct salesforce_sub sub_of(const struct salesforce_part *part)
{
    return (struct salesforce_sub){.method = part->method,
                                   .path = part->path,
                                   .body = part->body,
                                   .headers = part->headers,
                                   .may_be_missing = true};
}

static enum fail send_call(struct session *session, struct salesforce_part *parts, size_t count,
                           struct arena *arena, struct error *err)
{
    struct salesforce_sub subs[SF_COMPOSITE_MAX];
    struct salesforce_answer answer;
    bool is_repeatable = true;

    assert(count <= SF_COMPOSITE_MAX);
    for (size_t i = 0; i < count; i++) {
        subs[i] = sub_of(&parts[i]);
        is_repeatable = is_repeatable && parts[i].is_repeatable;
    }
    (void)!salesforce_composite(session, subs, count, is_repeatable, false, arena, &answer, err);
    for (size_t i = 0; i < count; i++) {
        parts[i].sub = subs[i];
    }
    if (err->code == FAIL_RECORD || err->code == FAIL_STALE || err->code == FAIL_RETRY) {
        error_reset(err); /* each request has it as its result */
    }
    return err->code;
}

/* Never sent. */
static void leave(struct salesforce_part *parts, size_t count, const struct error *err)
{
    for (size_t i = 0; i < count; i++) {
        parts[i].sub = sub_of(&parts[i]);
        parts[i].sub.result = err->code;
        parts[i].sub.error = *err;
        parts[i].sub.error.is_outcome_unknown = false;
    }
}

/* What ends one request may end all: the limit, the session; and what is wrong with a whole collection, but not what is wrong with one
 * row. */
static enum fail gravest(const struct salesforce_part *parts, size_t count, struct error *err)
{
    for (size_t i = 0; i < count; i++) {
        enum fail failed = parts[i].sub.result;

        if (failed == FAIL_THROTTLED || failed == FAIL_AUTH ||
            (failed == FAIL_CONNECTION && !parts[i].is_row)) {
            *err = parts[i].sub.error;
            return err->code;
        }
    }
    return OK;
}

enum fail salesforce_send_parts(struct session *session, struct salesforce_part *parts,
                                size_t count, struct arena *arena, struct error *err)
{
    for (size_t from = 0; from < count;) {
        struct load load = {0};
        size_t to = from;

        while (to < count && takes(&load, parts[to].is_row)) {
            to++;
        }
        if (send_call(session, parts + from, to - from, arena, err) != OK ||
            gravest(parts + from, to - from, err) != OK) {
            leave(parts + to, count - to, err);
            return err->code;
        }
        from = to;
    }
    return OK;
}
