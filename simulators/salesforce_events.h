/* The event bus of the Salesforce simulator: change events of the selected objects, kept for 72 hours, and the CometD door that
 * delivers them. Knows nothing of records; who writes one says what changed.
 *
 * Change Data Capture: an administrator selects objects; until then nothing is kept. Facts: docs/simulators.md. */
#ifndef CRMSYNC_SIMULATORS_SALESFORCE_EVENTS_H
#define CRMSYNC_SIMULATORS_SALESFORCE_EVENTS_H

#include "simulators/salesforce_inside.h"

enum {
    SF_EVENTS_MAX = 200000, /* more than that and the oldest go before their time */
    SF_ENTITIES_MAX = 100,
    SF_RECORD_IDS_MAX = 1000, /* of one merged event */
};

/* One field of a change event. */
struct sf_changed {
    struct str name;   /* "LastName" */
    struct str parent; /* of a part of a compound field: "Name"; else STR_NONE */
    struct str part;   /* "LastName" within it */
    struct str json;   /* its value as the event shows it */
};

/* One record's change as the bus sees it. Everything is borrowed for the call. */
struct sf_bus_change {
    enum sf_change_kind kind;
    struct str entity;    /* "Contact" */
    struct str id;        /* 18 characters */
    struct str user;      /* whoever did it, 18 characters */
    struct str origin;    /* "com/salesforce/api/rest/66.0;client=acme", "" when no API was used */
    uint64_t transaction; /* the same for all that is committed together */
    int64_t at_ms;
    const struct sf_changed *fields; /* none for a delete */
    size_t fields_count;
};

/* One message on the bus; the texts are the bus's. */
struct sf_event {
    int64_t replay_id;
    int64_t at_ms;
    int64_t number; /* counts all events, for the commit number */
    uint64_t transaction;
    char *entity;          /* owned */
    char *type;            /* owned: "UPDATE", "GAP_UPDATE" … */
    char *origin;          /* owned */
    char *key;             /* owned: of the transaction */
    char *rest;            /* owned: JSON text behind the commit number */
    struct buf record_ids; /* JSON texts joined by commas */
    int64_t sequence;      /* within the transaction */
    size_t ids_count;
};

struct sf_bus {
    struct sf_event *at; /* owned; the live ones are from first on; replay ids ascend */
    size_t first, count, capacity;
    int64_t replay_last, events_total;
    struct random *random; /* owned */
    char *selected[SF_ENTITIES_MAX];
    size_t selected_count;
    uint64_t transaction; /* of the newest event */
    int64_t sequence;
    char key[40];
};

void sf_bus_init(struct sf_bus *bus, uint64_t seed);
void sf_bus_fini(struct sf_bus *bus);
bool sf_bus_is_selected(const struct sf_bus *bus, struct str entity);
/* False: too many, and nothing changes. */
bool sf_bus_select(struct sf_bus *bus, const struct str *entities, size_t count);
/* Keeps the change when its object is selected. The same change of several records in one transaction becomes one event. */
void sf_bus_publish(struct sf_bus *bus, const struct sf_bus_change *change);
/* An event without fields: type "GAP_UPDATE" …, or "GAP_OVERFLOW" with an id of nothing. */
void sf_bus_publish_gap(struct sf_bus *bus, const struct sf_bus_change *change, const char *type);
/* Drops what is older than 72 hours. */
void sf_bus_expire(struct sf_bus *bus, int64_t now_ms);
/* Index (for sf_bus_event) of the first event behind replay_id; the number of events when there is none. */
size_t sf_bus_after(const struct sf_bus *bus, int64_t replay_id);
const struct sf_event *sf_bus_event(const struct sf_bus *bus, size_t index); /* NULL past the end */
bool sf_bus_has(const struct sf_bus *bus, int64_t replay_id);
/* Adds {"schema":…,"payload":{…},"event":{…}}. */
void sf_bus_put(struct buf *body, const struct sf_event *event);

/* --- CometD ---------------------------------------------------------------------------------- */

enum {
    SF_CLIENTS_MAX = 2000,
    SF_SUBSCRIPTIONS_MAX = 20, /* of one client */
    SF_CHANNEL_BYTES_MAX = 100,
};

struct sf_cometd;

/* Orders say what it allows: until they are set it takes no client. */
struct sf_cometd *sf_cometd_new(uint64_t seed);
void sf_cometd_free(struct sf_cometd *cometd); /* accepts NULL */

enum sf_credential { SF_SIGNED_IN, SF_TOKEN_WRONG, SF_TOKEN_MISSING };

/* What the Bayeux messages of one call are judged by. */
struct sf_cometd_door {
    struct sf_cometd *cometd;
    struct sf_bus *bus;
    enum sf_credential credential;
    /* Is there such an object ("Contact") in this account? */
    bool (*knows)(void *context, struct str entity);
    void *context;
};

/* Answers POST /cometd/{version}. */
void sf_cometd_serve(struct sim_call *call, const struct sf_cometd_door *door);

/* What goes wrong on demand. */
struct sf_cometd_orders {
    bool forgets_clients;  /* once: every session is gone */
    bool sends_disconnect; /* once: each session hears /meta/disconnect and is gone */
    int64_t busy_count;    /* so many more messages are refused as "too busy" */
    int64_t delivered_max; /* events delivered in a day */
    int64_t clients_max;
};
struct sf_cometd_orders *sf_cometd_orders(struct sf_cometd *cometd);
int64_t sf_cometd_clients(const struct sf_cometd *cometd);
/* Events of the calendar day (UTC). */
int64_t sf_cometd_delivered(struct sf_cometd *cometd, int64_t now_ms);

#endif
