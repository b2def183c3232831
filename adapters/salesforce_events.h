/* Change events of the Salesforce adapter; see salesforce_inside.h. salesforce_cometd.c: the way they come (Bayeux messages over HTTP);
 * salesforce_events.c: what they mean for a listing; salesforce_echo.c: which of them tell of our own writes. Everything here is state of
 * the session: what has to last stands in the listing's cursor. */
#ifndef CRMSYNC_ADAPTERS_SALESFORCE_EVENTS_H
#define CRMSYNC_ADAPTERS_SALESFORCE_EVENTS_H

#include "adapters/salesforce_inside.h"

enum {
    SF_CHANNELS_MAX = SF_PARTS_MAX + 1, /* a kind's objects, and the roles of deals */
    /* all events that are kept. source: Streaming API Developer Guide, "Message Durability" */
    SF_REPLAY_KEPT = -2,
};

/* How crmsync calls itself, and how it is found again in an event's changeOrigin. */
#define SF_CLIENT "crmsync"

/* --- the way they come ------------------------------------------------------------------------ */

/* Where the reading of one object's events stands. */
struct salesforce_channel {
    const char *object; /* "Contact" */
    int64_t replay; /* id of the last event read, or SF_REPLAY_KEPT. Out: of the last one heard */
    bool has_lost_place; /* out: such an event is not kept any more */
};

/* What an answer brought. */
struct salesforce_heard {
    json_t *events;  /* array of {"schema","payload","event"}, in order; arena */
    bool is_refused; /* no events for now, nor for some minutes; why says the reason, for people */
    struct str why;
    int64_t began_ms, server_ms;
};

/* Events of the channels behind their places, as many as one answer brings; none: there are no more. One call, and another one when the
 * session has to introduce itself. Fails as calls do; is_refused and has_lost_place are no failures, and then nothing was heard. */
enum fail salesforce_hear(struct session *session, struct salesforce_channel *channels,
                          size_t count, struct arena *arena, struct salesforce_heard *ret,
                          struct error *err);

/* Which objects have events at all: asked for at most once an hour. *ret NULL: all of them; else the name of one that has none.
 * *ret_known false: the connection's user may not ask. */
enum fail salesforce_ask_selected(struct session *session,
                                  const struct salesforce_channel *channels, size_t count,
                                  const char **ret, bool *ret_known, struct error *err);

/* --- our own writes --------------------------------------------------------------------------- */

/* An object was updated with these fields; kept as long as the session lasts, the latest some thousand objects. */
void salesforce_note_written(struct session *session, struct str id, const json_t *fields);
/* The payload tells of an update that we made, and of nothing beyond what we wrote: neither somebody else's change nor what automation
 * there made of ours. It is known once: what was noted is forgotten. */
bool salesforce_is_echo(struct session *session, const json_t *payload);
/* The object is read anew: nothing that was noted of it counts any more. STR_NONE: all of them are. */
void salesforce_forget_written(struct session *session, struct str id);

/* --- the session's part ----------------------------------------------------------------------- */

struct salesforce_stream;

/* Made when first needed. */
struct salesforce_stream *salesforce_stream_of(struct session *session);
void salesforce_free_stream(struct session *session);
/* Says once in a session why changes are polled. needs_person: it will stay so until somebody acts. */
void salesforce_tell_polling(struct session *session, const char *object, struct str why,
                             bool needs_person);

/* --- listings --------------------------------------------------------------------------------- */

/* LIST_CHANGED by events. */
enum fail salesforce_list_events(struct session *session, const struct list_request *request,
                                 struct arena *arena, struct remote_page *page, struct error *err);
/* Whether the deletion log need not be asked now: events tell of deletes, and it was asked less than an hour ago. */
bool salesforce_log_can_wait(const struct session *session, struct str cursor);

#endif
