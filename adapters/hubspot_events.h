/* Change events of the HubSpot adapter: the webhooks journal, which the app reads by itself; see hubspot_inside.h. hubspot_journal.c: the way they
 * come; hubspot_events.c: what they mean for a listing; hubspot_select.c: the subscriptions that make HubSpot write them. Everything here is state of the
 * session: what has to last stands in the listing's cursor. */
#ifndef CRMSYNC_ADAPTERS_HUBSPOT_EVENTS_H
#define CRMSYNC_ADAPTERS_HUBSPOT_EVENTS_H

#include "adapters/hubspot_inside.h"

enum {
    HS_PORTAL_BYTES = 24,
    HS_OFFSET_BYTES_MAX =
        64, /* a UUID. source: OpenAPI file webhooksJournal.json, JournalFetchResponse */
};

/* --- the way they come ------------------------------------------------------------------------ */

/* An object that an event names. */
struct hubspot_name {
    struct str type_id; /* "0-1" */
    struct str id;      /* digits */
    int64_t at_ms;      /* when it happened; 0 not said */
    bool is_value;      /* made or changed: a query by time sees it as well */
};

/* One file of the journal. */
struct hubspot_entry {
    struct str offset; /* its own: the next one is behind it */
    const struct hubspot_name *names;
    size_t count;
    bool is_unclear; /* an event of ours names nothing that can be read */
};

/* What an answer brought. */
struct hubspot_heard {
    const struct hubspot_entry *entry; /* the session's until the next call; NULL: nothing more */
    bool has_lost_place;               /* the journal does not go back that far any more */
    int64_t began_ms, server_ms;
};

/* The entry behind the offset; "": the earliest that is kept. A call, and another one for its file; none where the session has it already. Fails as
 * calls do; has_lost_place is no failure. */
enum fail hubspot_hear(struct session *session, struct str portal, struct str offset,
                       struct arena *arena, struct hubspot_heard *ret, struct error *err);

/* What a file says. portal: events of other accounts are left out. Texts are the arena's. FAIL_RECORD: it is none. Pure. */
enum fail hubspot_journal_parse(struct str text, struct str portal, struct arena *arena,
                                struct hubspot_entry *ret, struct error *err);

/* A call as the app. *ret_status is that of a success; body NULL: it had none. */
struct hubspot_app_call {
    enum http_method method;
    struct str path;
    json_t *body; /* borrowed; NULL none */
};
enum fail hubspot_app_exec(struct session *session, const struct hubspot_app_call *call,
                           struct arena *arena, struct hubspot_answer *ret, struct error *err);

/* --- the session's part ----------------------------------------------------------------------- */

struct hubspot_journal;

/* Made when first needed. */
struct hubspot_journal *hubspot_journal_of(struct session *session);
void hubspot_journal_free(struct session *session);
/* Says once in a session why changes are polled. needs_person: it will stay so until somebody acts. */
void hubspot_tell_polling(struct session *session, const char *object, struct str why,
                          bool needs_person);
/* After a failure the journal is left alone for a while. */
void hubspot_journal_pause(struct session *session, int64_t pause_ms);
bool hubspot_journal_is_paused(struct session *session);
/* Whether the last listing of what changed came by the journal. */
void hubspot_note_heard(struct session *session, const char *kind, bool is_heard);
bool hubspot_was_heard(struct session *session, const char *kind);

/* --- subscriptions ---------------------------------------------------------------------------- */

/* The object type's id of a kind or of a part of the activities; NULL: the mapping names a custom object by another word. */
const char *hubspot_type_id(const struct session *session, const char *kind);
/* The id of the account that the connection's token opens; kept by the session. */
enum fail hubspot_portal(struct session *session, struct arena *arena, struct str *ret,
                         struct error *err);
/* Whether the journal is told of everything that a listing of the kind reads; asked for at most once an hour. */
enum fail hubspot_ask_selected(struct session *session, const struct list_request *request,
                               struct str portal, bool *ret, struct error *err);

/* --- listings --------------------------------------------------------------------------------- */

/* LIST_CHANGED by the search. */
enum fail hubspot_poll(struct session *session, const struct list_request *request,
                       struct arena *arena, struct remote_page *page, struct error *err);
/* LIST_CHANGED by the journal. */
enum fail hubspot_list_events(struct session *session, const struct list_request *request,
                              struct arena *arena, struct remote_page *page, struct error *err);

#endif
