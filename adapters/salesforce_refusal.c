/* Salesforce: why a record was not taken, and what came of it. Pure.
 * Facts: SOAP API, "Core Data Types", StatusCode; REST API Developer Guide, "sObject Collections" (items have statusCode); captures of
 * DUPLICATE_VALUE and DUPLICATES_DETECTED in clients' issue trackers. */
#include "adapters/salesforce_write.h"
#include "core/jx.h"

enum { MATCHES_MAX = 16 };

/* --- whom it collides with -------------------------------------------------------------------- */

struct matches {
    struct str ids[MATCHES_MAX];
    size_t count;
};

static void add_match(struct matches *matches, struct str id)
{
    for (size_t i = 0; i < matches->count; i++) {
        if (salesforce_same_id(matches->ids[i], id)) {
            return;
        }
    }
    if (salesforce_is_id(id) && matches->count < MATCHES_MAX) {
        matches->ids[matches->count++] = id;
    }
}

/* "duplicate value found: Field__c duplicates value on record with id: 0038d00000BqTzL" */
static void add_named(struct str message, struct matches *matches)
{
    static const char MARK[] = "record with id: ";
    const char *at = message.len ? memmem(message.at, message.len, MARK, strlen(MARK)) : NULL;
    struct str rest;

    if (!at) {
        return;
    }
    rest = str_slice(message, (size_t)(at - message.at) + strlen(MARK), message.len);
    for (size_t length = SF_ID_LENGTH; length >= SF_ID_SHORT;
         length -= SF_ID_LENGTH - SF_ID_SHORT) {
        if (rest.len >= length && salesforce_is_id(str_slice(rest, 0, length))) {
            add_match(matches, str_slice(rest, 0, length));
            return;
        }
    }
}

/* The member is misspelled in the answers that people captured; the documents have it right. */
static void add_ruled(const json_t *error, struct matches *matches)
{
    const json_t *result = jx_get(error, "duplicateResut");
    const json_t *groups =
        jx_get(result ? result : jx_get(error, "duplicateResult"), "matchResults");

    for (size_t i = 0; i < json_array_size(groups); i++) {
        const json_t *records = jx_get(json_array_get(groups, i), "matchRecords");

        for (size_t k = 0; k < json_array_size(records); k++) {
            add_match(matches,
                      jx_text_of(jx_get(jx_get(json_array_get(records, k), "record"), "Id")));
        }
    }
}

/* Those of another object are no namesakes: a lead like this contact. */
static size_t of_object(struct matches *matches, struct str prefix)
{
    size_t left = 0;

    for (size_t i = 0; i < matches->count; i++) {
        if (prefix.len == 0 || str_starts(matches->ids[i], prefix)) {
            matches->ids[left++] = matches->ids[i];
        }
    }
    return left;
}

static void name_matches(const struct matches *matches, struct error *err)
{
    AUTO_BUF struct buf text = {0};

    buf_init(&text, MATCHES_MAX * (SF_ID_LENGTH + 2));
    for (size_t i = 0; i < matches->count; i++) {
        buf_addf(&text, "%s%" PRI_STR, i ? ", " : "", STR_ARG(matches->ids[i]));
    }
    if (text.len) {
        error_hint(err,
                   "merge it with %s at Salesforce, correct one of them, or exempt the "
                   "connection's user from the duplicate rule",
                   text.at);
    }
}

/* "003" of Contact; a custom object's is learnt from the ids that it has. */
static struct str prefix_of(const struct salesforce_outgoing *out)
{
    static const struct {
        const char *object, *prefix;
    } STANDARD[] = {{SF_CONTACT, "003"},     {SF_LEAD, "00Q"}, {SF_ACCOUNT, "001"},
                    {SF_OPPORTUNITY, "006"}, {SF_TASK, "00T"}, {SF_EVENT, "00U"},
                    {SF_CASE, "500"}};

    for (size_t i = 0; i < COUNT_OF(STANDARD); i++) {
        if (strcmp(out->object, STANDARD[i].object) == 0) {
            return str_of(STANDARD[i].prefix);
        }
    }
    return STR("");
}

/* A create that collides with exactly one record is that record. */
static void settle_collision(struct salesforce_outgoing *out, const json_t *error,
                             struct arena *arena)
{
    struct write_item *item = out->item;
    struct matches matches = {0};

    add_named(jx_text_of(jx_get(error, "message")), &matches);
    add_ruled(error, &matches);
    name_matches(&matches, &item->error);
    out->lacks_matches = matches.count == 0;
    matches.count = of_object(&matches, prefix_of(out));
    if (salesforce_is_create(item) && matches.count == 1) {
        item->outcome = WRITE_EXISTS;
        item->remote_id = salesforce_id18(arena, arena_str(arena, matches.ids[0]));
    }
}

/* --- outcomes --------------------------------------------------------------------------------- */

void salesforce_soften(struct error *err)
{
    if (err->code == FAIL_CONNECTION) {
        err->code = FAIL_RECORD;
    }
}

static bool has_reference(const json_t *body)
{
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)body, name, value)
    {
        if (str_ends(str_of(name), STR("Id")) || json_is_object(value)) {
            return true;
        }
    }
    return false;
}

/* An update whose id means nothing any more is answered like one that refers to nothing. */
static void tell_gone(struct salesforce_outgoing *out, struct str code)
{
    struct error *err = &out->item->error;

    if (str_equal(code, STR("INVALID_CROSS_REFERENCE_KEY")) && !out->is_create &&
        !has_reference(out->body)) {
        err->code = FAIL_STALE;
    }
}

void salesforce_refuse(struct salesforce_outgoing *out, int status, const json_t *errors,
                       struct arena *arena)
{
    struct write_item *item = out->item;
    struct str code = salesforce_error_code(errors);

    (void)!salesforce_judge(status, errors, &item->error);
    salesforce_soften(&item->error);
    tell_gone(out, code);
    if (item->error.code == FAIL_THROTTLED || item->error.code == FAIL_AUTH) {
        return; /* it stays pending: the whole connection has to wait */
    }
    item->outcome = item->error.is_outcome_unknown ? WRITE_UNKNOWN : WRITE_REFUSED;
    if (str_equal(code, STR("DUPLICATE_VALUE")) || str_equal(code, STR("DUPLICATES_DETECTED"))) {
        settle_collision(out, json_is_array(errors) ? json_array_get(errors, 0) : errors, arena);
    }
}

void salesforce_keep_done(struct salesforce_outgoing *out, struct str id, struct arena *arena)
{
    struct write_item *item = out->item;
    const char *name;
    json_t *value;

    item->outcome = WRITE_DONE;
    item->remote_id = salesforce_id18(arena, arena_str(arena, id));
    item->returned = (struct remote_record){
        .remote_id = item->remote_id, .state = REMOTE_LIVE, .correlation_key = STR("")};
    if (!out->shown) {
        return;
    }
    item->returned.props = jx_own(arena, json_copy(item->props));
    json_object_foreach(out->shown, name, value)
    {
        if (json_object_get(item->props, name)) {
            json_object_set(item->returned.props, name, value);
        }
    }
}

void salesforce_keep_failure(struct salesforce_outgoing *out, const struct error *err)
{
    struct write_item *item = out->item;

    item->error = *err;
    if (err->is_outcome_unknown) {
        item->outcome = WRITE_UNKNOWN;
    } else if (err->code == FAIL_RECORD || err->code == FAIL_STALE || err->code == FAIL_RETRY) {
        item->outcome = WRITE_REFUSED;
    } /* else it stays pending: the whole connection has to wait or stop */
}
