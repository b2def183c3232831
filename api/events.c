/* GET /api/crm/events: what happens in the store, as it happens. docs/events.md. */
#include "api/find.h"
#include "api/handlers.h"
#include "api/inside.h"
#include "store/lineage.h"

static enum fail wrong(struct api_call *call, const char *hint, struct error *err)
{
    error_hint(err, "%s", hint);
    return api_status(call, 400, err);
}

static enum fail read_types(struct api_call *call, struct event_filter *filter, struct error *err)
{
    struct str rest = api_query(call, "types");

    while (rest.len) {
        struct str word = str_cut(&rest, ',');
        enum event_type type;

        if (!event_type_parse(word, &type)) {
            error_set(err, FAIL_CONFIG, "there is no type of event '%" PRI_STR "'", STR_ARG(word));
            return wrong(call, "docs/events.md lists them", err);
        }
        filter->types |= 1U << type;
    }
    return OK;
}

static enum fail read_kinds(struct api_call *call, struct event_filter *filter, struct error *err)
{
    struct str *kinds = ARENA_ARRAY(call->arena, struct str, EVENT_KINDS_MAX);
    struct str rest = api_query(call, "kinds");

    filter->kinds = kinds;
    while (rest.len) {
        const struct kind *kind;

        if (filter->kinds_count == EVENT_KINDS_MAX) {
            error_set(err, FAIL_CONFIG, "more than %d kinds", EVENT_KINDS_MAX);
            return wrong(call, "leave 'kinds' out for all", err);
        }
        if (kind_named(call->setup.kinds, str_cut(&rest, ','), &kind, err) != OK) {
            return api_status(call, 400, err);
        }
        kinds[filter->kinds_count++] = kind->name;
    }
    return OK;
}

static enum fail read_fields(struct api_call *call, struct event_filter *filter, struct error *err)
{
    struct str word = api_query(call, "fields");

    filter->fields = EVENT_FIELDS_NAMES;
    if (word.len && !event_fields_parse(word, &filter->fields)) {
        error_set(err, FAIL_CONFIG, "'fields' cannot be '%" PRI_STR "'", STR_ARG(word));
        return wrong(call, "it is none, names or all", err);
    }
    return OK;
}

/* Where it begins: behind the last event that the client has, or now. */
struct beginning {
    struct feed_place place;
    int64_t epoch;
    const char *reset; /* why it could not go on; NULL: it goes on, or is new */
};

static enum fail find_beginning(struct api_call *call, struct beginning *ret, struct error *err)
{
    struct str last = str_trim(http_header_get(&call->request->headers, "last-event-id"));
    AUTO_TX struct tx *tx = NULL;
    struct lineage lineage;
    struct feed_place place;
    int64_t epoch = 0;
    bool is_whole = false;

    *ret = (struct beginning){0};
    if (api_read(call, &tx, err) != OK || lineage_read(tx, &lineage, err) != OK ||
        feed_newest(tx, &ret->place, err) != OK) {
        return err->code;
    }
    ret->epoch = lineage.epoch;
    if (last.len == 0) {
        return OK;
    }
    if (!follow_id_parse(last, &epoch, &place)) {
        ret->reset = "this store never gave that Last-Event-ID";
        return OK;
    }
    if (feed_is_whole(tx, epoch, &place, &is_whole, err) != OK) {
        return err->code;
    }
    if (is_whole) {
        ret->place = place;
        ret->epoch = epoch;
    } else {
        ret->reset = "events behind that Last-Event-ID are not here any more";
    }
    return OK;
}

/* The first event has an id too, so that a client that hears nothing more can go on from here. */
static void greet(struct api_call *call, const struct beginning *beginning,
                  struct http_stream *stream)
{
    json_t *data =
        jx_own(call->arena, beginning->reset ? json_pack("{s:s,s:s}", "reason", beginning->reset,
                                                         "try", "read the records anew")
                                             : json_object());
    const struct http_event event = {
        .name = beginning->reset ? STR("reset") : STR("ready"),
        .id = follow_id(call->arena, beginning->epoch, &beginning->place),
        .data = jx_text(call->arena, data)};

    (void)http_stream_send(stream, &event); /* a client that is gone is seen by the followers */
}

static enum fail too_many(struct api_call *call, struct error *err)
{
    error_set(err, FAIL_THROTTLED, "%d clients follow the events already", FOLLOWERS_MAX);
    error_hint(err, "let one of them tell the others");
    err->wait_ms = FOLLOWER_STALLED_MS;
    return api_status(call, 429, err);
}

enum fail handle_events(struct api_call *call, struct error *err)
{
    struct follow follow = {.tenant_id = call->tenant->id, .is_local = call->token_id == 0};
    struct beginning beginning;
    struct http_stream *stream;

    if (!call->response) {
        return api_not_offered(call, "a stream of events", err);
    }
    if (read_types(call, &follow.filter, err) != OK ||
        read_kinds(call, &follow.filter, err) != OK ||
        read_fields(call, &follow.filter, err) != OK ||
        find_beginning(call, &beginning, err) != OK) {
        return err->code;
    }
    follow.place = beginning.place;
    memcpy(follow.token_hash, call->token_hash, sizeof follow.token_hash);
    if (followers_are_full(call->api->followers)) {
        return too_many(call, err);
    }
    stream = http_stream_open(call->response);
    call->is_answered = true;
    greet(call, &beginning, stream);
    if (!followers_add(call->api->followers, &follow, stream)) {
        http_stream_end(stream); /* others were faster; its client connects again */
    }
    return OK;
}
