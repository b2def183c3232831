/* Salesforce: change events by CometD: Bayeux messages in JSON arrays over HTTP. A listing takes what is there and goes; nobody waits for
 * news. The server remembers what it sent to a client, so an answer that was lost is asked for again as a new client, from the place that
 * the cursor holds.
 * source: Streaming API Developer Guide, "How the Client Connects", "Clients and Timeouts", "Clients and Cookies", "Message Durability",
 * "Streaming API Error Codes"; docs.cometd.org, "The Bayeux Protocol Specification" */
#include "adapters/salesforce_events.h"

#include <stdlib.h>

#include "core/alloc.h"
#include "core/jx.h"

enum {
    MINUTE_MS = 60 * 1000,
    /* a client that is silent for 40 s is forgotten */
    CLIENT_MS = 30 * 1000,
    /* How long an answer may be held back when there is no news. Not 0: events that are replayed come to the client's queue a moment after
     * it subscribed, and an answer at once would not have them */
    HOLD_MS = 1000,
    ASK_AGAIN_MS = 5 * MINUTE_MS, /* after a refusal */
    SELECTED_MS = 60 * MINUTE_MS,
    WHY_BYTES = 200,
    COOKIES_BYTES_MAX = 4096,
    TOLD_MAX = 16,
};

struct subscription {
    char *channel;  /* owned: "/data/ContactChangeEvent" */
    int64_t replay; /* of the last event heard */
};

struct salesforce_stream {
    char *client;    /* owned: the id that the server gave; NULL none */
    json_t *cookies; /* owned: name → value */
    int64_t seen_ms; /* of the last answer */
    int64_t number;  /* of the last message */
    struct subscription subscriptions[SF_CHANNELS_MAX];
    size_t count;
    int64_t refused_ms; /* when it last was; 0 never */
    char *why;          /* owned: why, NULL never */
    json_t *selected;   /* owned: object → true; NULL not asked, or may not ask */
    int64_t selected_ms;
    char *told[TOLD_MAX]; /* owned: what people were told */
    size_t told_count;
};

/* --- the session's part ----------------------------------------------------------------------- */

struct salesforce_stream *salesforce_stream_of(struct session *session)
{
    if (!session->stream) {
        session->stream = alloc_new(1, sizeof *session->stream);
    }
    return session->stream;
}

static void forget_subscriptions(struct salesforce_stream *stream)
{
    for (size_t i = 0; i < stream->count; i++) {
        free(stream->subscriptions[i].channel);
    }
    stream->count = 0;
}

/* The next call introduces itself anew. */
static void forget_client(struct salesforce_stream *stream)
{
    forget_subscriptions(stream);
    free(stream->client);
    json_decref(stream->cookies);
    stream->client = NULL;
    stream->cookies = NULL;
}

void salesforce_free_stream(struct session *session)
{
    struct salesforce_stream *stream = session->stream;

    if (!stream) {
        return;
    }
    forget_client(stream);
    for (size_t i = 0; i < stream->told_count; i++) {
        free(stream->told[i]);
    }
    json_decref(stream->selected);
    free(stream->why);
    free(stream);
    session->stream = NULL;
}

void salesforce_tell_polling(struct session *session, const char *object, struct str why,
                             bool needs_person)
{
    struct salesforce_stream *stream = salesforce_stream_of(session);
    AUTO_FREE char *line = alloc_printf("%s: %" PRI_STR, object, STR_ARG(why));

    for (size_t i = 0; i < stream->told_count; i++) {
        if (strcmp(stream->told[i], line) == 0) {
            return;
        }
    }
    if (stream->told_count == TOLD_MAX) {
        return;
    }
    LOG_EVENT(session->env->log, needs_person ? LOG_ERROR : LOG_WARN, "changes are polled",
              LOG_S("connection", str_of(session->connection)), LOG_S("object", str_of(object)),
              LOG_S("why", why));
    stream->told[stream->told_count++] = line;
    line = NULL;
}

/* --- messages --------------------------------------------------------------------------------- */

/* Channels' names mind case. source: Change Data Capture Developer Guide, "Subscription Channels" */
static struct str channel_name(struct arena *arena, const char *object)
{
    struct str name = str_of(object);
    bool is_custom = str_ends(name, STR("__c"));

    return arena_printf(arena, "/data/%" PRI_STR "ChangeEvent",
                        STR_ARG(str_slice(name, 0, is_custom ? name.len - 1 : name.len)));
}

static json_t *message(struct salesforce_stream *stream, const char *channel, struct arena *arena)
{
    json_t *message = json_pack("{s:s,s:s}", "channel", channel, "id",
                                arena_printf(arena, "%lld", (long long)++stream->number).at);

    if (stream->client) {
        json_object_set_new(message, "clientId", json_string(stream->client));
    }
    return message;
}

static void keep_cookies(struct salesforce_stream *stream, const json_t *cookies)
{
    if (json_object_size(cookies) == 0) {
        return;
    }
    stream->cookies = stream->cookies ? stream->cookies : json_object();
    json_object_update(stream->cookies, (json_t *)cookies);
}

static struct str cookie_line(const struct salesforce_stream *stream, struct arena *arena)
{
    AUTO_BUF struct buf line = {0};
    const char *name;
    json_t *value;

    buf_init(&line, COOKIES_BYTES_MAX);
    json_object_foreach(stream->cookies, name, value)
    {
        buf_addf(&line, "%s%s=%s", line.len ? "; " : "", name, json_string_value(value));
    }
    return arena_str(arena, buf_str(&line));
}

/* Whoever does not answer, or refuses, is left alone for some minutes. */
static void rest_a_while(struct session *session, struct str why)
{
    struct salesforce_stream *stream = session->stream;

    free(stream->why);
    stream->why = alloc_printf("%" PRI_STR, STR_ARG(why));
    stream->refused_ms = clock_wall_ms(session->env->clock);
}

/* Sends the messages, and takes them. ret: the array answered. Not repeated by itself: a lost answer may have had events. */
static enum fail exchange(struct session *session, json_t *take_messages, struct arena *arena,
                          struct salesforce_answer *ret, struct error *err)
{
    struct salesforce_stream *stream = session->stream;
    struct str version = str_slice(str_of(session->root), strlen("/services/data/v"), SIZE_MAX);
    json_t *headers = NULL;
    struct salesforce_call call = {
        .method = HTTP_POST,
        .path = arena_printf(arena, "/cometd/%" PRI_STR "/", STR_ARG(version)),
        .body = jx_own(arena, take_messages),
        .is_uncounted = true};

    if (stream->cookies) {
        struct str line = cookie_line(stream, arena);

        headers = jx_own(arena, json_pack("{s:s%}", "Cookie", line.at, line.len));
    }
    call.headers = headers;
    if (salesforce_exec(session, &call, arena, ret, err) == OK && !json_is_array(ret->body)) {
        error_set(err, FAIL_RETRY, "salesforce's answer about change events is no list");
    }
    if (err->code != OK) {
        forget_client(stream);
        rest_a_while(session, str_of(err->message));
        return err->code;
    }
    keep_cookies(stream, ret->cookies);
    stream->seen_ms = clock_wall_ms(session->env->clock);
    return OK;
}

/* --- what was answered ------------------------------------------------------------------------ */

static bool is_of(const json_t *reply, const char *channel)
{
    return str_equal(jx_text_of(jx_get(reply, "channel")), str_of(channel));
}

/* "503::Server is too busy" stands inside, beside an error about something else. source: "503 Server Too Busy Error" */
static struct str error_of(const json_t *reply)
{
    struct str inner = jx_text_of(jx_get(jx_get(jx_get(reply, "ext"), "sfdc"), "failureReason"));
    struct str outer = jx_text_of(jx_get(reply, "error"));

    return inner.len ? inner : outer.len ? outer : STR("refused without a word");
}

/* Clients are forgotten: after 40 s, when a server restarts. */
static bool is_unknown_client(const json_t *reply)
{
    return str_equal(jx_text_of(jx_get(jx_get(reply, "advice"), "reconnect")), STR("handshake"));
}

static void refuse(struct session *session, const json_t *reply, struct arena *arena,
                   struct salesforce_heard *ret)
{
    forget_client(session->stream);
    ret->is_refused = true;
    ret->why = arena_str(arena, str_slice(error_of(reply), 0, WHY_BYTES));
    rest_a_while(session, ret->why);
}

static bool was_refused_lately(const struct session *session, struct salesforce_heard *ret)
{
    const struct salesforce_stream *stream = session->stream;

    if (!stream->why || clock_wall_ms(session->env->clock) - stream->refused_ms >= ASK_AGAIN_MS) {
        return false;
    }
    ret->is_refused = true;
    ret->why = str_of(stream->why);
    return true;
}

/* --- introducing oneself ---------------------------------------------------------------------- */

static enum fail shake_hands(struct session *session, struct arena *arena,
                             struct salesforce_heard *ret, struct error *err)
{
    struct salesforce_stream *stream = session->stream;
    struct salesforce_answer answer;
    const json_t *reply;
    struct str client;
    json_t *hello;

    forget_client(stream);
    hello = message(stream, "/meta/handshake", arena);
    json_object_update_new(hello, json_pack("{s:s,s:s,s:[s],s:{s:b}}", "version", "1.0",
                                            "minimumVersion", "1.0", "supportedConnectionTypes",
                                            "long-polling", "ext", "replay", 1));
    if (exchange(session, json_pack("[o]", hello), arena, &answer, err) != OK) {
        return error_wrap(err, "introduce ourselves to salesforce's change events");
    }
    reply = json_array_get(answer.body, 0);
    client = jx_text_of(jx_get(reply, "clientId"));
    if (!json_is_true(jx_get(reply, "successful")) || client.len == 0) {
        refuse(session, reply, arena, ret);
        return OK;
    }
    stream->client = alloc_printf("%" PRI_STR, STR_ARG(client));
    return OK;
}

/* --- hearing ---------------------------------------------------------------------------------- */

/* The server stands where the cursors stand. */
static bool is_in_place(const struct salesforce_stream *stream,
                        const struct salesforce_channel *channels, size_t count,
                        const struct str *names)
{
    if (stream->count != count) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (!str_equal(str_of(stream->subscriptions[i].channel), names[i]) ||
            stream->subscriptions[i].replay != channels[i].replay) {
            return false;
        }
    }
    return true;
}

static void add_unsubscribe(struct salesforce_stream *stream, json_t *messages, struct arena *arena)
{
    for (size_t i = 0; i < stream->count; i++) {
        json_t *leave = message(stream, "/meta/unsubscribe", arena);

        json_object_set_new(leave, "subscription", json_string(stream->subscriptions[i].channel));
        json_array_append_new(messages, leave);
    }
}

static void add_subscribe(struct salesforce_stream *stream, json_t *messages,
                          const struct salesforce_channel *channels, size_t count,
                          const struct str *names, struct arena *arena)
{
    for (size_t i = 0; i < count; i++) {
        json_t *join = message(stream, "/meta/subscribe", arena);

        json_object_update_new(join,
                               json_pack("{s:s,s:{s:{s:I}}}", "subscription", names[i].at, "ext",
                                         "replay", names[i].at, (json_int_t)channels[i].replay));
        json_array_append_new(messages, join);
    }
}

static json_t *questions(struct salesforce_stream *stream,
                         const struct salesforce_channel *channels, size_t count,
                         const struct str *names, struct arena *arena)
{
    json_t *messages = json_array(), *connect;

    if (!is_in_place(stream, channels, count, names)) {
        add_unsubscribe(stream, messages, arena);
        add_subscribe(stream, messages, channels, count, names, arena);
        forget_subscriptions(stream);
        for (size_t i = 0; i < count; i++) {
            stream->subscriptions[stream->count++] = (struct subscription){
                .channel = alloc_dup(names[i].at), .replay = channels[i].replay};
        }
    }
    connect = message(stream, "/meta/connect", arena);
    json_object_update_new(connect, json_pack("{s:s,s:{s:i}}", "connectionType", "long-polling",
                                              "advice", "timeout", HOLD_MS));
    json_array_append_new(messages, connect);
    return messages;
}

static size_t channel_of(const struct str *names, size_t count, struct str name)
{
    size_t i = 0;

    while (i < count && !str_equal(names[i], name)) {
        i++;
    }
    return i;
}

/* An event, of a channel that was asked for: the place moves behind it. */
static void keep_event(struct salesforce_stream *stream, struct salesforce_channel *channels,
                       size_t count, const struct str *names, json_t *reply,
                       struct salesforce_heard *ret)
{
    json_t *data = jx_get(reply, "data");
    const json_t *replay = jx_get(jx_get(data, "event"), "replayId");
    size_t at = channel_of(names, count, jx_text_of(jx_get(reply, "channel")));

    if (at < count && json_is_integer(replay)) {
        channels[at].replay = json_integer_value(replay);
        stream->subscriptions[at].replay = channels[at].replay;
        json_array_append(ret->events, data);
    }
}

/* source: Streaming API Error Codes: "400::The replayId {n} you provided was invalid …" */
static bool lost_place(const json_t *reply, struct salesforce_channel *channels, size_t count,
                       const struct str *names)
{
    size_t at = channel_of(names, count, jx_text_of(jx_get(reply, "subscription")));

    if (!is_of(reply, "/meta/subscribe") || at == count ||
        !str_starts(jx_text_of(jx_get(reply, "error")), STR("400::The replayId"))) {
        return false;
    }
    channels[at].has_lost_place = true;
    return true;
}

enum verdict { HEARD, UNKNOWN_CLIENT, REFUSED, LOST_PLACE };

/* The gravest of what the replies say; events only when nothing else is the matter. */
static enum verdict read_replies(struct session *session, struct salesforce_channel *channels,
                                 size_t count, const struct str *names, const json_t *replies,
                                 struct arena *arena, struct salesforce_heard *ret)
{
    enum verdict verdict = HEARD;
    bool is_over = false;
    size_t index;
    json_t *reply;

    json_array_foreach(replies, index, reply)
    {
        if (is_of(reply, "/meta/disconnect")) {
            is_over = true; /* since v64 a server may end a session */
        } else if (!jx_get(reply, "data") && !json_is_true(jx_get(reply, "successful")) &&
                   !is_of(reply, "/meta/unsubscribe")) {
            if (is_unknown_client(reply)) {
                return UNKNOWN_CLIENT;
            }
            if (!lost_place(reply, channels, count, names)) {
                refuse(session, reply, arena, ret);
                return REFUSED;
            }
            verdict = LOST_PLACE;
        }
    }
    for (size_t i = 0; verdict == HEARD && i < json_array_size(replies); i++) {
        keep_event(session->stream, channels, count, names, json_array_get(replies, i), ret);
    }
    if (is_over || verdict != HEARD) {
        forget_client(session->stream);
    }
    return verdict;
}

/* One look with the client that there is. */
static enum fail look(struct session *session, struct salesforce_channel *channels, size_t count,
                      const struct str *names, struct arena *arena, enum verdict *ret_verdict,
                      struct salesforce_heard *ret, struct error *err)
{
    struct salesforce_answer answer;
    json_t *messages = questions(session->stream, channels, count, names, arena);

    if (exchange(session, messages, arena, &answer, err) != OK) {
        return error_wrap(err, "salesforce's change events");
    }
    ret->began_ms = answer.began_ms;
    ret->server_ms = answer.server_ms;
    *ret_verdict = read_replies(session, channels, count, names, answer.body, arena, ret);
    return OK;
}

enum fail salesforce_hear(struct session *session, struct salesforce_channel *channels,
                          size_t count, struct arena *arena, struct salesforce_heard *ret,
                          struct error *err)
{
    struct salesforce_stream *stream = salesforce_stream_of(session);
    enum verdict verdict = UNKNOWN_CLIENT;
    struct str names[SF_CHANNELS_MAX];

    *ret = (struct salesforce_heard){.events = jx_own(arena, json_array()), .why = STR("")};
    if (was_refused_lately(session, ret)) {
        return OK;
    }
    for (size_t i = 0; i < count; i++) {
        names[i] = channel_name(arena, channels[i].object);
    }
    if (clock_wall_ms(session->env->clock) - stream->seen_ms > CLIENT_MS) {
        forget_client(stream);
    }
    for (int tries = 0; tries < 2 && verdict == UNKNOWN_CLIENT; tries++) {
        if (!stream->client && shake_hands(session, arena, ret, err) != OK) {
            return err->code;
        }
        if (ret->is_refused) {
            return OK;
        }
        if (look(session, channels, count, names, arena, &verdict, ret, err) != OK) {
            return err->code;
        }
        if (verdict == UNKNOWN_CLIENT) {
            forget_client(stream);
        }
    }
    if (verdict == UNKNOWN_CLIENT) {
        refuse(session, NULL, arena, ret); /* forgotten twice in a row */
    }
    return OK;
}

/* --- which objects have events ---------------------------------------------------------------- */

/* "ContactChangeEvent" is Contact, "Thing__ChangeEvent" is Thing__c. */
static void keep_selected(json_t *selected, struct str event)
{
    struct str custom = STR("__ChangeEvent"), standard = STR("ChangeEvent");

    if (str_ends(event, custom)) {
        AUTO_FREE char *name = alloc_printf("%.*s__c", (int)(event.len - custom.len), event.at);

        json_object_set_new(selected, name, json_true());
    } else if (str_ends(event, standard)) {
        json_object_setn_new(selected, event.at, event.len - standard.len, json_true());
    }
}

/* An object that nobody selected has a channel all the same, on which nothing ever comes. The selection is the standard channel's members;
 * to see them a user needs "View Setup and Configuration".
 * source: Tooling API, PlatformEventChannelMember; Change Data Capture Developer Guide, "Select Objects for Change Notifications" */
static enum fail load_selected(struct session *session, struct error *err)
{
    AUTO_ARENA struct arena arena = {0};
    struct salesforce_stream *stream = salesforce_stream_of(session);
    struct str soql = STR("SELECT SelectedEntity FROM PlatformEventChannelMember "
                          "WHERE EventChannel = 'ChangeEvents'");
    struct salesforce_call call = {.method = HTTP_GET, .is_safe = true, .may_be_missing = true};
    struct salesforce_answer answer;
    json_t *rows = NULL;

    call.path = arena_printf(&arena, "/tooling/query?q=%" PRI_STR,
                             STR_ARG(http_percent_encode(&arena, soql)));
    json_decref(stream->selected);
    stream->selected = NULL;
    if (salesforce_exec(session, &call, &arena, &answer, err) != OK) {
        bool may_not =
            err->http_status == 400 || err->http_status == 403 || err->http_status == 404;

        if (!may_not || err->code == FAIL_THROTTLED) {
            return error_wrap(err, "which objects have change events");
        }
        error_reset(err);
    } else if (jx_array(answer.body, "records", &rows, err) != OK) {
        return error_wrap(err, "which objects have change events");
    } else {
        stream->selected = json_object();
        for (size_t i = 0; i < json_array_size(rows); i++) {
            keep_selected(stream->selected,
                          jx_text_of(jx_get(json_array_get(rows, i), "SelectedEntity")));
        }
    }
    stream->selected_ms = clock_wall_ms(session->env->clock);
    return OK;
}

enum fail salesforce_ask_selected(struct session *session,
                                  const struct salesforce_channel *channels, size_t count,
                                  const char **ret, bool *ret_known, struct error *err)
{
    struct salesforce_stream *stream = salesforce_stream_of(session);
    int64_t age_ms = clock_wall_ms(session->env->clock) - stream->selected_ms;

    if ((stream->selected_ms == 0 || age_ms >= SELECTED_MS) && load_selected(session, err) != OK) {
        return err->code;
    }
    *ret = NULL;
    *ret_known = stream->selected != NULL;
    for (size_t i = 0; *ret_known && i < count && !*ret; i++) {
        *ret = json_object_get(stream->selected, channels[i].object) ? NULL : channels[i].object;
    }
    return OK;
}
