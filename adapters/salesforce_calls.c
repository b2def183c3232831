/* Salesforce: the one way to make a call, and several requests in one. source: REST API Developer Guide, "Headers", "Composite" */
#include "adapters/salesforce_events.h"

#include <assert.h>

#include "core/jx.h"
#include "core/when.h"

/* --- one call --------------------------------------------------------------------------------- */

struct str salesforce_full_path(const struct session *session, struct arena *arena, struct str path)
{
    return str_starts(path, STR("/services/")) || str_starts(path, STR("/cometd/"))
               ? path
               : arena_printf(arena, "%s%" PRI_STR, session->root, STR_ARG(path));
}

static void add_headers(const struct session *session, const struct salesforce_call *call,
                        struct http_request *request)
{
    const char *name;
    json_t *value;

    if (!secret_is_empty(&session->authorization)) {
        http_header_add(&request->headers, STR("Authorization"),
                        secret_expose(&session->authorization));
    }
    /* our name in the org's logs and in what change events say of their origin */
    http_header_add(&request->headers, STR("Sforce-Call-Options"), STR("client=" SF_CLIENT));
    /* what we read is nothing that the user looked at */
    http_header_add(&request->headers, STR("Sforce-Mru"), STR("updateMru=false"));
    if (call->if_after) {
        http_header_add(&request->headers, STR("If-Modified-Since"), str_of(call->if_after));
    }
    json_object_foreach(call->headers, name, value)
    {
        http_header_add(&request->headers, str_of(name), jx_text_of(value));
    }
}

static void fill(const struct session *session, const struct salesforce_call *call,
                 struct arena *arena, struct http_call *http)
{
    struct str path = salesforce_full_path(session, arena, call->path);

    *http = (struct http_call){.is_safe = call->is_safe};
    http->request.method = call->method;
    http->request.url = arena_printf(arena, "%s%" PRI_STR, session->base_url, STR_ARG(path));
    http->cost.units[SF_DAILY] = !call->is_uncounted;
    add_headers(session, call, &http->request);
    if (call->body) {
        http_header_add(&http->request.headers, STR("Content-Type"), STR("application/json"));
        http->request.body = jx_text(arena, call->body);
    } else if (call->text.len) {
        http_header_add(&http->request.headers, STR("Content-Type"), STR("text/csv"));
        http->request.body = call->text;
    }
}

/* A success without a readable answer is none: of a write nobody knows what became of it. */
static enum fail read_answer(const struct salesforce_call *call, const struct http_call *http,
                             struct arena *arena, struct salesforce_answer *ret, struct error *err)
{
    struct str body = http->response.body;
    struct error ignored = {0};

    if (http->result != OK) {
        *err = http->error;
        if (body.len && jx_parse(arena, body, &ret->body, &ignored) != OK) {
            ret->body = NULL;
        }
        return err->code;
    }
    if (call->has_text_answer) {
        ret->text = arena_str(arena, body);
        return OK;
    }
    if (body.len == 0) {
        return call->method == HTTP_GET && ret->status != 304
                   ? error_set(err, FAIL_RETRY, "salesforce answered with nothing")
                   : OK;
    }
    if (jx_parse(arena, body, &ret->body, err) != OK) {
        err->is_outcome_unknown = true;
        return error_wrap(err, "salesforce's answer");
    }
    return OK;
}

static json_t *cookies_of(const struct http_headers *headers, struct arena *arena)
{
    json_t *cookies = NULL;

    for (size_t i = 0; i < headers->count; i++) {
        struct str value = headers->at[i].value, pair, name;

        if (!str_equal_nocase(headers->at[i].name, STR("Set-Cookie"))) {
            continue;
        }
        pair = str_cut(&value, ';');
        name = str_trim(str_cut(&pair, '='));
        if (name.len && pair.at) {
            cookies = cookies ? cookies : jx_own(arena, json_object());
            json_object_setn_new(cookies, name.at, name.len, json_stringn(pair.at, pair.len));
        }
    }
    return cookies;
}

static enum fail keep_answer(struct session *session, const struct salesforce_call *call,
                             const struct http_call *http, struct arena *arena,
                             struct salesforce_answer *ret, struct error *err)
{
    const struct http_headers *headers = &http->response.headers;

    *ret = (struct salesforce_answer){
        .status = http->response.status,
        .began_ms = http->response.began_ms,
        .changed_at = arena_str(arena, http_header_get(headers, "Last-Modified")),
        .locator = http_header_get(headers, "Sforce-Locator")};
    ret->cookies = cookies_of(headers, arena);
    ret->locator = ret->locator.at ? arena_str(arena, ret->locator) : STR_NONE;
    if (when_parse_http_ms(http_header_get(headers, "Date"), &ret->server_ms)) {
        session->ahead_ms = ret->server_ms - http->response.ended_ms;
    }
    if (read_answer(call, http, arena, ret, err) == FAIL_STALE && ret->status == 404 &&
        !call->may_be_missing) {
        error_set(err, FAIL_CONNECTION, "salesforce does not know the address asked for");
        error_hint(err,
                   "check 'base_url' and 'api_version' of the connection, and that its user may "
                   "see the object");
        err->http_status = 404;
    }
    return err->code;
}

enum fail salesforce_exec(struct session *session, const struct salesforce_call *call,
                          struct arena *arena, struct salesforce_answer *ret, struct error *err)
{
    struct http_call http;
    struct http_call *const calls[] = {&http};

    *ret = (struct salesforce_answer){0};
    error_reset(err);
    fill(session, call, arena, &http);
    if (http_exec(session->client, &session->account, calls, 1, err) == OK) {
        keep_answer(session, call, &http, arena, ret, err);
    }
    http_call_fini(&http);
    return err->code;
}

/* --- several in one --------------------------------------------------------------------------- */

static json_t *sub_json(const struct session *session, const struct salesforce_sub *sub,
                        size_t index, struct arena *arena)
{
    struct str url = salesforce_full_path(session, arena, sub->path);
    json_t *item = json_pack("{s:s,s:s%,s:s}", "method", http_method_name(sub->method), "url",
                             url.at, url.len, "referenceId", arena_printf(arena, "r%zu", index).at);

    if (sub->body) {
        json_object_set(item, "body", sub->body);
    }
    if (sub->headers) {
        json_object_set(item, "httpHeaders", sub->headers);
    }
    return item;
}

/* The answer with that reference: their order is not promised. */
static const json_t *answer_to(const json_t *answers, size_t index)
{
    char reference[32];

    snprintf(reference, sizeof reference, "r%zu", index);
    for (size_t i = 0; i < json_array_size(answers); i++) {
        const json_t *answer = json_array_get(answers, (i + index) % json_array_size(answers));

        if (str_equal(jx_text_of(jx_get(answer, "referenceId")), str_of(reference))) {
            return answer;
        }
    }
    return NULL;
}

static void read_sub(struct salesforce_sub *sub, const json_t *answer)
{
    struct error *err = &sub->error;

    *err = (struct error){0};
    sub->answer = jx_get(answer, "body");
    sub->changed_at = jx_text_of(jx_get(jx_get(answer, "httpHeaders"), "Last-Modified"));
    sub->status = (int)json_integer_value(jx_get(answer, "httpStatusCode"));
    if (sub->status == 0) {
        sub->result = error_set(err, FAIL_RETRY, "salesforce's answer lacks a part");
        err->is_outcome_unknown = true;
    } else if ((sub->status >= 200 && sub->status <= 299) || sub->status == 304) {
        sub->result = OK;
    } else {
        sub->result = salesforce_judge(sub->status, sub->answer, err);
    }
    if (sub->result == FAIL_STALE && sub->status == 404 && !sub->may_be_missing) {
        sub->result = error_set(err, FAIL_CONNECTION,
                                "salesforce does not know an object or address asked for");
        error_hint(err, "check that the connection's user may see the objects of its kinds");
        err->http_status = 404;
    }
}

static void fail_all(struct salesforce_sub *subs, size_t count, const struct error *err)
{
    for (size_t i = 0; i < count; i++) {
        subs[i].answer = NULL;
        subs[i].status = 0;
        subs[i].result = err->code;
        subs[i].error = *err;
    }
}

enum fail salesforce_composite(struct session *session, struct salesforce_sub *subs, size_t count,
                               bool is_safe, bool all_or_none, struct arena *arena,
                               struct salesforce_answer *ret, struct error *err)
{
    json_t *items = json_array(), *answers;
    struct salesforce_call call = {
        .method = HTTP_POST, .path = STR("/composite"), .is_safe = is_safe};

    assert(count > 0 && count <= SF_COMPOSITE_MAX);
    for (size_t i = 0; i < count; i++) {
        json_array_append_new(items, sub_json(session, &subs[i], i, arena));
    }
    call.body = jx_own(arena, json_pack("{s:b,s:b,s:o}", "allOrNone", (int)all_or_none,
                                        "collateSubrequests", 0, "compositeRequest", items));
    if (salesforce_exec(session, &call, arena, ret, err) != OK) {
        fail_all(subs, count, err);
        return err->code;
    }
    if (jx_array(ret->body, "compositeResponse", &answers, err) != OK) {
        err->code =
            FAIL_RETRY; /* of an answer in another form than the documents nothing is known */
        err->is_outcome_unknown = true;
        fail_all(subs, count, err);
        return err->code;
    }
    for (size_t i = 0; i < count; i++) {
        read_sub(&subs[i], answer_to(answers, i));
    }
    return OK;
}
