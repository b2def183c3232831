/* Salesforce: what an answer means. Pure, apart from correcting the limits it was given. A single call's errors are an array of
 * {message, errorCode, fields}; items of collections have statusCode instead; a gateway may answer HTML.
 * Facts: REST API Developer Guide, "Status Codes and Error Responses"; SOAP API, "Core Data Types", StatusCode. */
#include "adapters/salesforce_inside.h"

#include "core/jx.h"

enum {
    ERROR_BODY_BYTES_MAX = 256 * 1024,
    DAILY_WAIT_MS = 15 * 60 * 1000, /* calls of 24 hours ago leave the count little by little */
    /* no Retry-After is documented; calls of 20 seconds and more are counted */
    CONCURRENT_WAIT_MS = 30 * 1000,
    STORAGE_WAIT_MS = 60 * 60 * 1000,
    CALLS_MAX = 1000 * 1000 * 1000,
    FIELDS_SHOWN = 8,
    WORDS_BYTES = 200,
};

/* --- limits ----------------------------------------------------------------------------------- */

/* "api-usage=18/5000", perhaps with "; per-app-api-usage=17/250(appName=x)" behind it.
 * source: REST API Developer Guide, "Limit Info Header" */
static bool read_usage(struct str header, const char *name, int64_t *used, int64_t *ret_allowed)
{
    while (header.at) {
        struct str rest = str_trim(str_cut(&header, ';')), numbers, word = str_cut(&rest, '=');

        if (!str_equal(str_trim(word), str_of(name)) || !rest.at) {
            continue;
        }
        numbers = str_cut(&rest, '(');
        word = str_cut(&numbers, '/');
        return str_to_i64(str_trim(word), used) && str_to_i64(str_trim(numbers), ret_allowed) &&
               *used >= 0 && *ret_allowed > 0 && *used <= CALLS_MAX && *ret_allowed <= CALLS_MAX;
    }
    return false;
}

/* An app may have less than its org: what is nearer to its end counts. */
static void correct_limits(const struct http_response *response, struct limit_account *limits)
{
    static const char *const NAMES[] = {"api-usage", "per-app-api-usage"};
    struct str header = http_header_get(&response->headers, "Sforce-Limit-Info");
    int64_t least = -1, capacity = -1;

    for (size_t i = 0; i < COUNT_OF(NAMES) && limits; i++) {
        int64_t used, allowed, left;

        if (read_usage(header, NAMES[i], &used, &allowed)) {
            left = used < allowed ? allowed - used : 0;
            capacity = least < 0 || left < least ? allowed : capacity;
            least = least < 0 || left < least ? left : least;
        }
    }
    if (least >= 0) {
        limit_correct(limits, SF_DAILY, capacity, least, -1);
    }
}

/* --- error documents -------------------------------------------------------------------------- */

static const json_t *first_error(const json_t *body)
{
    return json_is_array(body) ? json_array_get(body, 0) : body;
}

struct str salesforce_error_code(const json_t *body)
{
    struct str code = jx_text_of(jx_get(first_error(body), "errorCode"));

    code = code.len ? code : jx_text_of(jx_get(first_error(body), "statusCode"));
    return code.at ? code : STR("");
}

static bool is_name(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '_' || c == '.')) {
            return false;
        }
    }
    return text.len > 0 && text.len <= SF_NAME_BYTES_MAX;
}

/* "No such column 'X' on entity 'Y'": the names, which are nobody's data. */
static struct str named_column(struct str message)
{
    static const char BEFORE[] = "No such column '";
    const char *at = message.len ? memmem(message.at, message.len, BEFORE, strlen(BEFORE)) : NULL;
    struct str rest, name;

    if (!at) {
        return STR("");
    }
    rest = str_slice(message, (size_t)(at - message.at) + strlen(BEFORE), message.len);
    name = str_cut(&rest, '\'');
    return is_name(name) ? name : STR("");
}

static void add_fields(const json_t *error, struct buf *ret)
{
    const json_t *fields = jx_get(error, "fields");
    struct str column = named_column(jx_text_of(jx_get(error, "message")));

    for (size_t i = 0; i < json_array_size(fields) && i < FIELDS_SHOWN; i++) {
        struct str field = jx_text_of(json_array_get(fields, i));

        if (is_name(field)) {
            buf_addf(ret, "%s%" PRI_STR, ret->len ? ", " : "", STR_ARG(field));
        }
    }
    if (column.len && !ret->len) {
        buf_add(ret, column);
    }
}

static bool is_harmless(struct str word)
{
    for (size_t i = 0; i < word.len; i++) {
        if (word.at[i] == '@' || word.at[i] == '\'' || word.at[i] == '"' ||
            (word.at[i] >= '0' && word.at[i] <= '9')) {
            return false;
        }
    }
    return word.len > 0;
}

/* The sentence of a validation rule is its author's, not the record's: it says what to correct. */
static void add_rule(const json_t *error, struct buf *ret)
{
    struct str rest = str_slice(jx_text_of(jx_get(error, "message")), 0, WORDS_BYTES);

    while (rest.at) {
        struct str word = str_cut(&rest, ' ');

        if (is_harmless(word)) {
            buf_addf(ret, "%s%" PRI_STR, ret->len ? " " : "", STR_ARG(word));
        }
    }
}

/* --- remedies --------------------------------------------------------------------------------- */

#define ASK_ADMIN "give the user of this connection "

/* What each code costs. Codes that are not here are judged by the status. */
static const struct remedy {
    const char *code;
    enum fail fail;
    int64_t wait_ms;
    const char *what; /* "salesforce: " is put in front, the fields behind */
    const char *hint; /* NULL none */
} REMEDIES[] = {
    {"INVALID_SESSION_ID", FAIL_AUTH, 0, "the session has ended or was never valid",
     "sign in again with 'crmsync connect'"},
    {"INVALID_AUTH_HEADER", FAIL_AUTH, 0, "the token cannot be read",
     "sign in again with 'crmsync connect'"},
    /* passing */
    {"UNABLE_TO_LOCK_ROW", FAIL_RETRY, 0, "somebody else is writing to the same record", NULL},
    {"SERVER_UNAVAILABLE", FAIL_RETRY, 0, "the server is busy", NULL},
    {"REQUEST_RUNNING_TOO_LONG", FAIL_RETRY, 0, "the request took too long", NULL},
    {"QUERY_TIMEOUT", FAIL_RETRY, 0, "the query took too long", NULL},
    {"TXN_SECURITY_METERING_ERROR", FAIL_RETRY, 0, "transaction security could not decide", NULL},
    {"UNKNOWN_EXCEPTION", FAIL_RETRY, 0, "an internal error", NULL},
    {"TOO_MANY_APEX_REQUESTS", FAIL_RETRY, 0, "the org runs too much Apex at once", NULL},
    {"EXCEEDED_ID_LIMIT", FAIL_RETRY, 0, "too many rows changed in the time asked for", NULL},
    {"INVALID_QUERY_LOCATOR", FAIL_RETRY, 0, "the answer's next page is no longer kept", NULL},
    {"INVALID_REPLICATION_DATE", FAIL_RECORD, 0, "the org does not tell changes of so long ago",
     NULL},
    {"STORAGE_LIMIT_EXCEEDED", FAIL_THROTTLED, STORAGE_WAIT_MS, "the org's storage is full",
     "delete data at Salesforce or buy storage; see Setup > Storage Usage"},
    {"ExceededQuota", FAIL_THROTTLED, STORAGE_WAIT_MS, "the org's quota of jobs or data is used up",
     "see Setup > Bulk Data Load Jobs"},
    /* the object moved */
    {"ENTITY_IS_DELETED", FAIL_STALE, 0, "the record is deleted", NULL},
    {"INVALID_CROSS_REFERENCE_KEY", FAIL_RECORD, 0,
     "the record, or one it refers to, does not exist or cannot be used here", NULL},
    {"NOT_FOUND", FAIL_STALE, 0, "no such record or resource", NULL},
    {"ENTITY_IS_LOCKED", FAIL_RECORD, 0, "the record is locked by an approval",
     "finish or recall the approval at Salesforce, then 'crmsync failures retry'"},
    /* this record */
    {"DUPLICATE_VALUE", FAIL_RECORD, 0, "another record has a value that must be unique",
     "merge the two records at Salesforce or correct the value"},
    {"DUPLICATE_EXTERNAL_ID", FAIL_RECORD, 0, "several records carry the same key",
     "make the field " SF_KEY_FIELD " unique and clear it on all but one of them"},
    {"DUPLICATES_DETECTED", FAIL_RECORD, 0, "a duplicate rule holds it for a record there already",
     "merge the two at Salesforce, or exempt the connection's user from the duplicate rule"},
    {"REQUIRED_FIELD_MISSING", FAIL_RECORD, 0, "a required field is empty",
     "fill it in the record or in the mapping"},
    {"FIELD_CUSTOM_VALIDATION_EXCEPTION", FAIL_RECORD, 0, "a validation rule refuses the record",
     "correct the record, or exempt the connection's user in the validation rule"},
    {"INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", FAIL_RECORD, 0,
     "the picklist does not have this value",
     "map the value in the mapping or add it to the picklist"},
    {"STRING_TOO_LONG", FAIL_RECORD, 0, "a text is longer than its field", "shorten the text"},
    {"INVALID_EMAIL_ADDRESS", FAIL_RECORD, 0, "an e-mail address is not well-formed",
     "correct the address"},
    {"MALFORMED_ID", FAIL_RECORD, 0, "an id is of another object or not an id", NULL},
    {"NUMBER_OUTSIDE_VALID_RANGE", FAIL_RECORD, 0, "a number is out of its field's range", NULL},
    {"CANNOT_EXECUTE_FLOW_TRIGGER", FAIL_RECORD, 0, "a flow of the org failed on the record",
     "look at the flow's error e-mail; then 'crmsync failures retry'"},
    {"CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", FAIL_RECORD, 0,
     "a trigger of the org failed on the record",
     "look at Setup > Apex Jobs and debug logs; then 'crmsync failures retry'"},
    {"INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY", FAIL_RECORD, 0,
     "the user of this connection may not use a record it refers to",
     ASK_ADMIN "access to the records that this one refers to"},
    {"INSUFFICIENT_ACCESS_OR_READONLY", FAIL_RECORD, 0,
     "the user of this connection may not change the record",
     ASK_ADMIN "'Modify All' on the object, or share the record"},
    {"ALL_OR_NONE_OPERATION_ROLLED_BACK", FAIL_RETRY, 0, "another record of the group failed",
     NULL},
    {"PROCESSING_HALTED", FAIL_RETRY, 0, "an earlier request of the group failed", NULL},
    /* the account */
    {"INVALID_FIELD", FAIL_CONNECTION, 0, "a field is not there or hidden from this user",
     ASK_ADMIN "access to the field (field-level security), or take it out of the mapping"},
    {"INVALID_FIELD_FOR_INSERT_UPDATE", FAIL_CONNECTION, 0,
     "a field cannot be written by this user",
     ASK_ADMIN "write access to the field, or make its mapping 'direction: in'"},
    {"INVALID_TYPE", FAIL_CONNECTION, 0, "an object is not there or hidden from this user",
     ASK_ADMIN "access to the object (permission set), or switch its kind off"},
    {"MALFORMED_QUERY", FAIL_CONNECTION, 0, "a query was not understood",
     "check the field names in the mapping; if they are right, report this as a bug"},
    {"API_DISABLED_FOR_ORG", FAIL_CONNECTION, 0, "the org or the user has no access to the API",
     "the edition must include the API, and the user needs the permission 'API Enabled'"},
    {"API_CURRENTLY_DISABLED", FAIL_CONNECTION, 0, "the API is switched off for the user",
     ASK_ADMIN "the permission 'API Enabled'"},
    {"FUNCTIONALITY_NOT_ENABLED", FAIL_CONNECTION, 0, "the org does not have this feature", NULL},
    {"INSUFFICIENT_ACCESS", FAIL_CONNECTION, 0, "the user of this connection lacks a permission",
     ASK_ADMIN "the permissions that the documentation lists"},
    {"UNSUPPORTED_API_VERSION", FAIL_CONNECTION, 0, "the org does not know this API version",
     "take api_version out of the connection"},
};

static const struct remedy *remedy_of(struct str code)
{
    for (size_t i = 0; i < COUNT_OF(REMEDIES); i++) {
        if (str_equal(code, str_of(REMEDIES[i].code))) {
            return &REMEDIES[i];
        }
    }
    return NULL;
}

/* The same code for both. source: clients that tell them apart by these texts (github.com/simple-salesforce, OrgCheck issue 181) */
static enum fail throttled(const json_t *error, struct error *err)
{
    if (str_contains(jx_text_of(jx_get(error, "message")), STR("ConcurrentRequests"))) {
        error_set(err, FAIL_THROTTLED, "salesforce: too many long calls of this org run at once");
        err->wait_ms = CONCURRENT_WAIT_MS;
        return FAIL_THROTTLED;
    }
    error_set(err, FAIL_THROTTLED, "salesforce: the org's calls of the last 24 hours are used up");
    error_hint(err,
               "nothing to do: the work goes on as calls of yesterday leave the count; see Setup "
               "> Company Information for the allowance");
    err->wait_ms = DAILY_WAIT_MS;
    return FAIL_THROTTLED;
}

/* A new session would be refused just the same, for ever. source: github.com/jsforce/jsforce, src/http-api.ts */
static bool is_hopeless(const json_t *error)
{
    struct str message = jx_text_of(jx_get(error, "message"));

    return str_contains(message, STR("session is not valid for use with the REST API")) ||
           str_contains(message, STR("Connected app is not attached to Agent"));
}

static enum fail judge_code(const struct remedy *remedy, const json_t *error, struct error *err)
{
    AUTO_BUF struct buf detail = {0};

    buf_init(&detail, WORDS_BYTES + FIELDS_SHOWN * SF_NAME_BYTES_MAX);
    if (strcmp(remedy->code, "FIELD_CUSTOM_VALIDATION_EXCEPTION") == 0) {
        add_rule(error, &detail);
    } else {
        add_fields(error, &detail);
    }
    error_set(err, remedy->fail, "salesforce: %s%s%s%s", remedy->what, detail.len ? " (" : "",
              detail.len ? detail.at : "", detail.len ? ")" : "");
    err->wait_ms = remedy->wait_ms;
    return remedy->hint ? error_hint(err, "%s", remedy->hint) : err->code;
}

/* --- status ----------------------------------------------------------------------------------- */

static enum fail judge_status(int status, struct str code, struct error *err)
{
    const char *dash = code.len ? ": " : "";

    code = is_name(code) ? code : STR("");
    if (status == 401) {
        error_set(err, FAIL_AUTH, "salesforce refused the token");
        return error_hint(err, "sign in again with 'crmsync connect'");
    }
    if (status == 412) {
        return error_set(err, FAIL_STALE, "salesforce: the record changed meanwhile");
    }
    if (status == 403) {
        error_set(err, FAIL_CONNECTION, "salesforce denies this user the request%s%" PRI_STR, dash,
                  STR_ARG(code));
        return error_hint(err, ASK_ADMIN "the permissions that the documentation lists");
    }
    if (status >= 500 || status == 408 || status == 406 || status == 420 || status == 429) {
        error_set(err, FAIL_RETRY, "salesforce answered %d%s%" PRI_STR, status, dash,
                  STR_ARG(code));
        err->is_outcome_unknown = status >= 500;
        return FAIL_RETRY;
    }
    if (status == 404 || (status < 400 && status != 300)) {
        error_set(err, FAIL_CONNECTION, "what answered %d is not Salesforce's API", status);
        return error_hint(err, "check 'base_url' in crmsync.yaml: https://NAME.my.salesforce.com");
    }
    return error_set(err, FAIL_RECORD, "salesforce answered %d%s%" PRI_STR, status, dash,
                     STR_ARG(code));
}

enum fail salesforce_judge(int status, const json_t *body, struct error *err)
{
    const json_t *error = first_error(body);
    struct str code = salesforce_error_code(body);
    const struct remedy *remedy = remedy_of(code);
    enum fail failed;

    if (status == 401 && is_hopeless(error)) {
        error_set(err, FAIL_CONNECTION, "salesforce does not let this session use the API");
        failed = error_hint(err, ASK_ADMIN "the permission 'API Enabled', and the connected app "
                                           "the scope 'api'");
    } else if (str_equal(code, STR("REQUEST_LIMIT_EXCEEDED"))) {
        failed = throttled(error, err);
    } else {
        failed = remedy ? judge_code(remedy, error, err) : judge_status(status, code, err);
    }
    err->http_status = status;
    err->is_outcome_unknown = err->is_outcome_unknown || (failed == FAIL_RETRY && status >= 500);
    return failed;
}

enum fail salesforce_classify(const struct http_response *response, struct http_account *account,
                              struct error *err)
{
    AUTO_ARENA struct arena arena = {0};
    struct error ignored = {0};
    json_t *body = NULL;

    correct_limits(response, account->limits);
    if ((response->status >= 200 && response->status <= 299) || response->status == 304) {
        return OK;
    }
    if (response->body.len == 0 || response->body.len > ERROR_BODY_BYTES_MAX ||
        jx_parse(&arena, response->body, &body, &ignored) != OK) {
        body = NULL;
    }
    if (response->status == 403 && str_starts(str_trim(response->body), STR("<"))) {
        return error_set(err, FAIL_RETRY, "a gateway before salesforce answered 403");
    }
    return salesforce_judge(response->status, body, err);
}
