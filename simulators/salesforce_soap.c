/* The door of the SOAP partner API, /services/Soap/u/{version}, as far as clients of the REST API still need it: login, logout, getUserInfo,
 * getServerTimestamp, merge, convertLead, delete, undelete, emptyRecycleBin. Sources: SOAP guide, the calls of these names; shapes as jsforce reads them. */
#include "simulators/salesforce_inside.h"

#include <inttypes.h>

#include "core/jx.h"
#include "core/when.h"
#include "core/xx.h"
#include "simulators/oauth.h"

#define ENVELOPE_SPACE "http://schemas.xmlsoap.org/soap/envelope/"
#define PARTNER_SPACE "urn:partner.soap.sforce.com"

enum {
    MERGES_MAX = 10,
    CONVERSIONS_MAX = 100,
    LOSERS_MAX = 2,
    IDS_MAX = 200,
    ORG_SHORT_CHARS = 15
};

/* One call on its way. */
struct soap {
    struct sim_call *call;
    int version;
    const struct xx_node *header; /* NULL = none */
    const struct xx_node *method; /* first element of the body */
    struct str session_id;
    struct sf_session session;
};

/* --- envelopes ------------------------------------------------------------------------------ */

static void put_begin(struct buf *body)
{
    sim_put(body, "<?xml version=\"1.0\" encoding=\"UTF-8\"?><soapenv:Envelope "
                  "xmlns:soapenv=\"" ENVELOPE_SPACE "\" xmlns=\"" PARTNER_SPACE "\" "
                  "xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"><soapenv:Body>");
}

static void put_end(struct sim_call *call, int status)
{
    sim_put(call->body, "</soapenv:Body></soapenv:Envelope>");
    sim_header(call, "Content-Type", STR("text/xml; charset=utf-8"));
    sim_reply(call, status);
}

/* kind: "LoginFault", "UnexpectedErrorFault" and so on. Every fault is a 500. */
static void put_fault(struct sim_call *call, const char *kind, const char *code, struct str message)
{
    struct buf *body = call->body;

    sim_restart(call);
    put_begin(body);
    buf_addf(body,
             "<soapenv:Fault xmlns:sf=\"urn:fault.partner.soap.sforce.com\"><faultcode>sf:%s"
             "</faultcode><faultstring>%s: ",
             code, code);
    xx_put_text(body, message);
    buf_addf(body,
             "</faultstring><detail><sf:%s xsi:type=\"sf:%s\"><sf:exceptionCode>%s"
             "</sf:exceptionCode>",
             kind, kind, code);
    xx_put_element(body, "sf:exceptionMessage", message);
    buf_addf(body, "</sf:%s></detail></soapenv:Fault>", kind);
    put_end(call, 500);
}

/* What is not understood at all has the envelope's own fault code. */
static void put_client_fault(struct sim_call *call, struct str message)
{
    sim_restart(call);
    put_begin(call->body);
    sim_put(call->body, "<soapenv:Fault><faultcode>soapenv:Client</faultcode>");
    xx_put_element(call->body, "faultstring", message);
    sim_put(call->body, "</soapenv:Fault>");
    put_end(call, 500);
}

static void answer_begin(const struct soap *soap)
{
    put_begin(soap->call->body);
    buf_addf(soap->call->body, "<%sResponse>", xx_name(soap->method).at);
}

static void answer_end(const struct soap *soap)
{
    buf_addf(soap->call->body, "</%sResponse>", xx_name(soap->method).at);
    put_end(soap->call, 200);
}

static struct str text_of(const struct xx_node *parent, const char *name)
{
    const struct xx_node *node = parent ? xx_child(parent, NULL, name) : NULL;

    return node ? str_trim(xx_text(node)) : STR_NONE;
}

/* --- sessions ------------------------------------------------------------------------------- */

static struct str organization_of(const struct sim_call *call)
{
    return call->consent ? call->consent->account : str_of(call->sim->oauth->own_account);
}

static void put_user_info(const struct soap *soap)
{
    struct sim_call *call = soap->call;
    const struct sf_record *user =
        sf_record_by_number(sf_of(call)->objects[SF_USER], soap->session.user);
    const struct sf_record *organization =
        (struct sf_record *)sf_of(call)->objects[SF_ORGANIZATION]->table.at[0];
    struct buf *body = call->body;

    sim_put(body, "<accessibilityMode>false</accessibilityMode><chatterExternal>false"
                  "</chatterExternal><currencySymbol xsi:nil=\"true\"/>"
                  "<orgAttachmentFileSizeLimit>26214400</orgAttachmentFileSizeLimit>"
                  "<orgDisallowHtmlAttachments>false</orgDisallowHtmlAttachments>");
    xx_put_element(body, "orgHasPersonAccounts",
                   sf_of(call)->quirks & SF_PERSON_ACCOUNTS ? STR("true") : STR("false"));
    xx_put_element(body, "organizationId", organization_of(call));
    xx_put_element(body, "organizationMultiCurrency",
                   sf_of(call)->quirks & SF_MULTI_CURRENCY ? STR("true") : STR("false"));
    xx_put_element(body, "organizationName", sf_get_named(organization, "Name"));
    xx_put_element(body, "profileId", sf_get_named(user, "ProfileId"));
    sim_put(body, "<roleId xsi:nil=\"true\"/><sessionSecondsValid>7200</sessionSecondsValid>");
    xx_put_element(body, "userEmail", sf_get_named(user, "Email"));
    xx_put_element(body, "userFullName", sf_get_named(user, "Name"));
    xx_put_element(body, "userId", sf_record_id_str(call->arena, user));
    sim_put(body, "<userLanguage>en_US</userLanguage><userLocale>en_US</userLocale>");
    xx_put_element(body, "userName", sf_get_named(user, "Username"));
    sim_put(body, "<userTimeZone>Europe/Berlin</userTimeZone><userType>Standard</userType>"
                  "<userUiSkin>Theme3</userUiSkin>");
}

static void put_login(struct soap *soap)
{
    struct sim_call *call = soap->call;
    const struct sim_token *session = sim_oauth_issue_session(call, "api");
    struct str base = sf_instance_url(call);
    struct str organization = str_slice(session->consent->account, 0, ORG_SHORT_CHARS);
    struct str path =
        arena_printf(call->arena, "%d.0/%" PRI_STR, soap->version, STR_ARG(organization));

    call->consent = session->consent;
    soap->session.user = sf_of(call)->api_user;
    answer_begin(soap);
    sim_put(call->body, "<result>");
    xx_put_element(call->body, "metadataServerUrl",
                   arena_printf(call->arena, "%" PRI_STR "/services/Soap/m/%" PRI_STR,
                                STR_ARG(base), STR_ARG(path)));
    sim_put(call->body, "<passwordExpired>false</passwordExpired><sandbox>false</sandbox>");
    xx_put_element(call->body, "serverUrl",
                   arena_printf(call->arena, "%" PRI_STR "/services/Soap/u/%" PRI_STR,
                                STR_ARG(base), STR_ARG(path)));
    xx_put_element(call->body, "sessionId", session->text);
    xx_put_element(call->body, "userId", sf_user_id(call));
    sim_put(call->body, "<userInfo>");
    put_user_info(soap);
    sim_put(call->body, "</userInfo></result>");
    answer_end(soap);
}

static void login_serve(struct soap *soap)
{
    const struct sim_oauth_spec *spec = soap->call->sim->oauth->spec;

    if (str_equal(text_of(soap->method, "username"), str_of(spec->username)) &&
        str_equal(text_of(soap->method, "password"), str_of(spec->password))) {
        put_login(soap);
    } else {
        put_fault(soap->call, "LoginFault", "INVALID_LOGIN",
                  STR("Invalid username, password, security token; or user locked out."));
    }
}

static void logout_serve(struct soap *soap)
{
    struct sim_oauth *oauth = soap->call->sim->oauth;
    struct sim_token *token = sim_oauth_find(oauth, SIM_ACCESS, soap->session_id);

    if (token) { /* the simulator's fixed token never ends */
        sim_token_end(oauth, token);
    }
    answer_begin(soap);
    answer_end(soap);
}

static void user_info_serve(struct soap *soap)
{
    answer_begin(soap);
    sim_put(soap->call->body, "<result>");
    put_user_info(soap);
    sim_put(soap->call->body, "</result>");
    answer_end(soap);
}

static void timestamp_serve(struct soap *soap)
{
    char time[WHEN_TEXT_BYTES];

    when_format_ms(soap->call->now_ms, time);
    answer_begin(soap);
    sim_put(soap->call->body, "<result>");
    xx_put_element(soap->call->body, "timestamp", str_of(time));
    sim_put(soap->call->body, "</result>");
    answer_end(soap);
}

/* --- results -------------------------------------------------------------------------------- */

/* The elements of a row; err NULL = success. */
static void put_errors(struct buf *body, const struct sf_error *err)
{
    struct str fields = err->fields;

    sim_put(body, "<errors>");
    while (err->has_fields && fields.len) {
        xx_put_element(body, "fields", str_cut(&fields, ','));
    }
    xx_put_element(body, "message", err->message);
    xx_put_element(body, "statusCode", str_of(err->code));
    sim_put(body, "</errors>");
}

static void put_id(struct buf *body, struct str id)
{
    if (id.len) {
        xx_put_element(body, "id", id);
    } else {
        sim_put(body, "<id xsi:nil=\"true\"/>");
    }
}

static void put_row(struct buf *body, struct str id, const struct sf_error *err)
{
    sim_put(body, "<result>");
    if (err) {
        put_errors(body, err);
    }
    put_id(body, err ? STR_NONE : id);
    xx_put_element(body, "success", err ? STR("false") : STR("true"));
    sim_put(body, "</result>");
}

/* Of any object, live or in the bin; NULL with *err. */
static struct sf_record *record_of(struct sim_call *call, struct str id, struct sf_error *err)
{
    struct sf_record *record = sf_record_of_id(sf_of(call), id);

    if (!record) {
        sf_refuse_save(err, "MALFORMED_ID", STR("Id"), STR("bad id"));
    }
    return record;
}

static bool act_delete(struct sf_unit *unit, struct sf_record *record, struct sf_error *err)
{
    struct str id = sf_record_id_str(unit->arena, record);

    return sf_target(unit, record->object, id, err) && sf_delete(unit, record, err);
}

static bool act_empty(struct sf_unit *unit, struct sf_record *record, struct sf_error *err)
{
    if (sf_record_is_live(record)) {
        return sf_refuse_save(err, "INVALID_ID_FIELD", STR(""),
                              STR("Entity is not in the recycle bin"));
    }
    sf_empty(unit, record);
    return true;
}

/* The client's name is that of the CallOptions header. source: SOAP guide, "CallOptions" */
static void unit_begin(const struct soap *soap, struct sf_unit *ret)
{
    const struct xx_node *options =
        soap->header ? xx_child(soap->header, NULL, "CallOptions") : NULL;
    struct str client = text_of(options, "client");

    sf_unit_begin(soap->call, ret);
    ret->session = soap->session;
    ret->client = client.len ? client : STR_NONE;
}

typedef bool act_fn(struct sf_unit *unit, struct sf_record *record, struct sf_error *err);

static void act_on(struct soap *soap, struct str id, act_fn *act)
{
    struct sf_error err = {0};
    struct sf_unit unit;
    struct sf_record *record;
    bool is_done;

    unit_begin(soap, &unit);
    record = record_of(soap->call, id, &err);
    is_done = record && act(&unit, record, &err);
    sf_unit_end(&unit, is_done);
    put_row(soap->call->body, id, is_done ? NULL : &err);
}

static size_t children_count(const struct xx_node *parent, const char *name)
{
    size_t count = 0;

    for (const struct xx_node *node = xx_first(parent); node; node = xx_next(node)) {
        count += xx_is(node, NULL, name);
    }
    return count;
}

/* False after answering: more than the call takes. */
static bool fits(struct soap *soap, const char *name, size_t max)
{
    if (children_count(soap->method, name) <= max) {
        return true;
    }
    put_fault(soap->call, "UnexpectedErrorFault", "EXCEEDED_ID_LIMIT",
              arena_printf(soap->call->arena,
                           "record limit reached. cannot submit more than %zu "
                           "records into this call",
                           max));
    return false;
}

static void ids_serve(struct soap *soap, act_fn *act)
{
    if (!fits(soap, "ids", IDS_MAX)) {
        return;
    }
    answer_begin(soap);
    for (const struct xx_node *node = xx_first(soap->method); node; node = xx_next(node)) {
        if (xx_is(node, NULL, "ids")) {
            act_on(soap, str_trim(xx_text(node)), act);
        }
    }
    answer_end(soap);
}

static void delete_serve(struct soap *soap)
{
    ids_serve(soap, act_delete);
}

static void undelete_serve(struct soap *soap)
{
    ids_serve(soap, sf_undelete);
}

static void empty_serve(struct soap *soap)
{
    ids_serve(soap, act_empty);
}

/* --- merging -------------------------------------------------------------------------------- */

/* The survivor's new values: every element but its type and id; those named in fieldsToNull become null. */
static json_t *fields_of(struct sim_call *call, const struct xx_node *record)
{
    json_t *fields = jx_own(call->arena, json_object());

    for (const struct xx_node *node = xx_first(record); node; node = xx_next(node)) {
        struct str text = xx_text(node);

        if (xx_is(node, NULL, "fieldsToNull")) {
            json_object_setn_new(fields, text.at, text.len, json_null());
        } else if (!xx_is(node, NULL, "type") && !xx_is(node, NULL, "Id")) {
            json_object_set_new(fields, xx_name(node).at, json_stringn(text.at, text.len));
        }
    }
    return fields;
}

struct merge {
    struct sf_record *master, *losers[LOSERS_MAX];
    size_t count;
};

static bool losers_find(struct sf_unit *unit, const struct xx_node *request, struct merge *ret,
                        struct sf_error *err)
{
    for (const struct xx_node *node = xx_first(request); node; node = xx_next(node)) {
        if (!xx_is(node, NULL, "recordToMergeIds")) {
            continue;
        }
        if (ret->count == LOSERS_MAX) {
            return sf_refuse_save(err, "INVALID_NUMBER_OF_RECORDS", STR(""),
                                  STR("at most two records are merged into a third"));
        }
        ret->losers[ret->count] =
            sf_target(unit, ret->master->object, str_trim(xx_text(node)), err);
        if (!ret->losers[ret->count++]) {
            return false;
        }
        if (ret->count == LOSERS_MAX && ret->losers[0] == ret->losers[1]) {
            return sf_refuse_save(err, "DUPLICATE_VALUE", STR("recordToMergeIds"),
                                  STR("a record is named twice"));
        }
    }
    return ret->count || sf_refuse_save(err, "REQUIRED_FIELD_MISSING", STR("recordToMergeIds"),
                                        STR("Required fields are missing: [recordToMergeIds]"));
}

static bool merge_apply(struct sf_unit *unit, const struct xx_node *request, struct merge *ret,
                        struct sf_error *err)
{
    const struct xx_node *record = xx_child(request, NULL, "masterRecord");
    const struct sf_object *object = sf_object_find(unit->sf, text_of(record, "type"));
    json_t *fields;

    if (!object) {
        return sf_refuse_save(err, "INVALID_TYPE", STR(""),
                              STR("Must send a concrete entity type."));
    }
    ret->master = sf_target(unit, object, text_of(record, "Id"), err);
    if (!ret->master || !losers_find(unit, request, ret, err)) {
        return false;
    }
    fields = fields_of(unit->call, record);
    return (!json_object_size(fields) || sf_update(unit, ret->master, fields, err)) &&
           sf_merge(unit, ret->master, ret->losers, ret->count, err);
}

static void put_merge(struct sim_call *call, const struct merge *merge, const struct sf_error *err)
{
    sim_put(call->body, "<result>");
    if (err) {
        put_errors(call->body, err);
    }
    put_id(call->body, err ? STR_NONE : sf_record_id_str(call->arena, merge->master));
    for (size_t i = 0; !err && i < merge->count; i++) {
        xx_put_element(call->body, "mergedRecordIds",
                       sf_record_id_str(call->arena, merge->losers[i]));
    }
    xx_put_element(call->body, "success", err ? STR("false") : STR("true"));
    sim_put(call->body, "</result>");
}

static void merge_one(struct soap *soap, const struct xx_node *request)
{
    struct sf_error err = {0};
    struct merge merge = {0};
    struct sf_unit unit;
    bool is_done;

    unit_begin(soap, &unit);
    is_done = merge_apply(&unit, request, &merge, &err);
    sf_unit_end(&unit, is_done);
    put_merge(soap->call, &merge, is_done ? NULL : &err);
}

static void merge_serve(struct soap *soap)
{
    if (!fits(soap, "mergeRequests", MERGES_MAX)) {
        return;
    }
    answer_begin(soap);
    for (const struct xx_node *node = xx_first(soap->method); node; node = xx_next(node)) {
        if (xx_is(node, NULL, "mergeRequests")) {
            merge_one(soap, node);
        }
    }
    answer_end(soap);
}

/* --- converting ----------------------------------------------------------------------------- */

/* Into new records only; what would choose others is refused rather than ignored. */
static bool conversion_is_plain(const struct xx_node *wish, struct sf_error *err)
{
    static const char *const OTHERS[] = {"accountId",         "accountRecord", "contactId",
                                         "contactRecord",     "opportunityId", "opportunityName",
                                         "opportunityRecord", "ownerId"};

    for (size_t i = 0; i < COUNT_OF(OTHERS); i++) {
        if (text_of(wish, OTHERS[i]).len) {
            return sf_refuse_save(err, "FUNCTIONALITY_NOT_ENABLED", str_of(OTHERS[i]),
                                  STR("the simulator converts into new records only"));
        }
    }
    return str_equal(text_of(wish, "convertedStatus"), STR("Closed - Converted")) ||
           sf_refuse_save(err, "INVALID_STATUS", STR("ConvertedStatus"),
                          STR("invalid convertedStatus"));
}

static bool convert_apply(struct sf_unit *unit, const struct xx_node *wish,
                          struct sf_converted *ret, struct sf_error *err)
{
    struct sf_record *lead =
        sf_target(unit, unit->sf->objects[SF_LEAD], text_of(wish, "leadId"), err);
    bool with_opportunity = !str_equal(text_of(wish, "doNotCreateOpportunity"), STR("true"));

    return lead && conversion_is_plain(wish, err) &&
           sf_convert(unit, lead, with_opportunity, ret, err);
}

static void put_converted(struct sim_call *call, const char *name, const struct sf_record *record)
{
    if (record) {
        xx_put_element(call->body, name, sf_record_id_str(call->arena, record));
    } else {
        buf_addf(call->body, "<%s xsi:nil=\"true\"/>", name);
    }
}

static void convert_one(struct soap *soap, const struct xx_node *wish)
{
    struct sf_converted converted = {0};
    struct sim_call *call = soap->call;
    struct sf_error err = {0};
    struct sf_unit unit;
    bool is_done;

    unit_begin(soap, &unit);
    is_done = convert_apply(&unit, wish, &converted, &err);
    sf_unit_end(&unit, is_done);
    sim_put(call->body, "<result>");
    put_converted(call, "accountId", is_done ? converted.account : NULL);
    put_converted(call, "contactId", is_done ? converted.contact : NULL);
    if (!is_done) {
        put_errors(call->body, &err);
    }
    xx_put_element(call->body, "leadId", text_of(wish, "leadId"));
    put_converted(call, "opportunityId", is_done ? converted.opportunity : NULL);
    xx_put_element(call->body, "success", is_done ? STR("true") : STR("false"));
    sim_put(call->body, "</result>");
}

static void convert_serve(struct soap *soap)
{
    if (!fits(soap, "leadConverts", CONVERSIONS_MAX)) {
        return;
    }
    answer_begin(soap);
    for (const struct xx_node *node = xx_first(soap->method); node; node = xx_next(node)) {
        if (xx_is(node, NULL, "leadConverts")) {
            convert_one(soap, node);
        }
    }
    answer_end(soap);
}

/* --- routing -------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    void (*serve)(struct soap *soap);
} methods[] = {
    {"logout", logout_serve},
    {"getUserInfo", user_info_serve},
    {"getServerTimestamp", timestamp_serve},
    {"merge", merge_serve},
    {"convertLead", convert_serve},
    {"delete", delete_serve},
    {"undelete", undelete_serve},
    {"emptyRecycleBin", empty_serve},
};

/* A known session, and a call of the day; false after answering. */
static bool session_is_known(struct soap *soap)
{
    struct sim_call *call = soap->call;
    const struct xx_node *node =
        soap->header ? xx_child(soap->header, NULL, "SessionHeader") : NULL;

    soap->session_id = text_of(node, "sessionId");
    if (!soap->session_id.len || !sf_session_of_token(call, soap->session_id, &soap->session)) {
        put_fault(call, "UnexpectedErrorFault", "INVALID_SESSION_ID",
                  STR("Invalid Session ID found in SessionHeader: Illegal Session. Session not "
                      "found, missing session key"));
        return false;
    }
    if (!sf_calls_take(call, 1)) {
        put_fault(call, "UnexpectedErrorFault", "REQUEST_LIMIT_EXCEEDED",
                  STR("TotalRequests Limit exceeded."));
        return false;
    }
    return true;
}

static void method_serve(struct soap *soap)
{
    if (xx_is(soap->method, NULL, "login")) {
        login_serve(soap); /* needs no session and is no call of the day */
        return;
    }
    for (size_t i = 0; i < COUNT_OF(methods); i++) {
        if (xx_is(soap->method, NULL, methods[i].name)) {
            if (session_is_known(soap)) {
                methods[i].serve(soap);
            }
            return;
        }
    }
    put_client_fault(soap->call,
                     arena_printf(soap->call->arena,
                                  "No operation available for request {%.100s}%.100s, please "
                                  "check the WSDL for the service.",
                                  xx_space(soap->method).at, xx_name(soap->method).at));
}

/* "66.0" */
static bool version_read(struct str text, int *ret)
{
    int64_t number;

    if (!str_ends(text, STR(".0")) || !str_to_i64(str_slice(text, 0, text.len - 2), &number) ||
        number < SF_VERSION_MIN || number > SF_VERSION_MAX) {
        return false;
    }
    *ret = (int)number;
    return true;
}

static bool envelope_read(struct soap *soap, struct error *err)
{
    const struct xx_node *root, *body;

    if (xx_parse(soap->call->arena, soap->call->request->body, &root, err)) {
        return false;
    }
    if (!xx_is(root, ENVELOPE_SPACE, "Envelope")) {
        error_set(err, FAIL_RECORD, "the document is no SOAP 1.1 envelope");
        return false;
    }
    if (xx_need(root, ENVELOPE_SPACE, "Body", &body, err)) {
        return false;
    }
    soap->header = xx_child(root, ENVELOPE_SPACE, "Header");
    soap->method = xx_first(body);
    if (!soap->method) {
        error_set(err, FAIL_RECORD, "the body of the envelope is empty");
        return false;
    }
    return true;
}

/* serverUrl of a login has the organization behind the version. */
void sf_soap_serve(struct sim_call *call)
{
    struct soap soap = {.call = call};
    struct error err = {0};

    if (call->segments_count < 4 || call->segments_count > 5 || !sim_segment_is(call, 2, "u") ||
        !version_read(call->segments[3], &soap.version)) {
        put_fault(call, "UnexpectedErrorFault", "UNSUPPORTED_API_VERSION",
                  STR("Invalid Api version specified on URL"));
    } else if (call->request->method != HTTP_POST) {
        sf_no_method(call, "POST");
    } else if (!envelope_read(&soap, &err)) {
        put_client_fault(call, str_of(err.message));
    } else {
        method_serve(&soap);
    }
}
