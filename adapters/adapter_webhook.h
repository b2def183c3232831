/* What a CRM tells by itself: deliveries at our address, and the subscriptions that make it send them. An event is a hint ("read this id again"),
 * never data: order, repeats and loss do not matter, and a forged one costs a read.
 * Verifying, parsing and answering are pure functions of bytes; who receives stores the events before it answers. */
#ifndef CRMSYNC_ADAPTERS_ADAPTER_WEBHOOK_H
#define CRMSYNC_ADAPTERS_ADAPTER_WEBHOOK_H

#include "core/arena.h"
#include "core/fail.h"
#include "core/secret.h"
#include "core/str.h"
#include "http/address.h"
#include "http/message.h"

struct adapter_object;
struct session;

enum {
    WEBHOOK_BODY_BYTES_MAX = 1024 * 1024, /* of a delivery; who receives refuses more */
    WEBHOOK_SECRETS_MAX = 2,              /* the present one, and the former while it is replaced */
    WEBHOOK_MAC_BYTES = 32,
    WEBHOOK_EVENTS_MAX = 1000, /* objects of one delivery; CRMs send up to 100 */
    WEBHOOK_KEY_BYTES = 32,    /* of an event's key: hex of 16 bytes */
};
#define WEBHOOK_PAST_MS (INT64_C(5) * 60 * 1000) /* a signature's time may be this old */
#define WEBHOOK_FUTURE_MS (INT64_C(60) * 1000)   /* or this far ahead of our clock */

/* Signatures that are taken. Version 3 alone has a time and so an end: the older ones only where somebody asks for them. */
enum webhook_signature { WEBHOOK_V1 = 1 << 0, WEBHOOK_V2 = 1 << 1, WEBHOOK_V3 = 1 << 2 };

/* What a CRM's deliveries prove themselves by, beside the address. */
enum webhook_means {
    WEBHOOK_BY_SIGNATURE = 1 << 0,   /* a secret of the app that sends */
    WEBHOOK_BY_PASSWORD = 1 << 1,    /* credentials that we chose */
    WEBHOOK_BY_APP = 1 << 2,         /* subscriptions may belong to an app with a key of its own */
    WEBHOOK_BY_CERTIFICATE = 1 << 3, /* the sender can show one of its own, in TLS */
};

/* What a connection's deliveries are held against. All borrowed; a secret that is NULL or empty is none. */
struct webhook_settings {
    const struct secret *signing[WEBHOOK_SECRETS_MAX];   /* HubSpot: the app's client secret */
    const struct secret *paths[WEBHOOK_SECRETS_MAX];     /* last segment of the address */
    struct str user;                                     /* Pipedrive: Basic; "" none */
    const struct secret *passwords[WEBHOOK_SECRETS_MAX]; /* Pipedrive: Basic */
    unsigned signatures;                                 /* enum webhook_signature; 0 = v3 alone */
    struct str account_id; /* account_facts.account_id; "" not known yet: any (Salesforce: none) */
    const struct address_range *allowed_ips; /* none = from anywhere */
    size_t allowed_ips_count;
    bool needs_certificate;               /* the sender must have shown one that the server knows */
    const struct adapter_object *objects; /* custom objects, as in struct account */
    size_t objects_count;
    const char *const *kinds; /* those that are synced; none = all */
    size_t kinds_count;
};

/* One delivery as it came. All borrowed. */
struct webhook_delivery {
    /* method, headers, raw body; url is not read */
    const struct http_request *request;
    /* as the CRM called it: the configured public address with path and query as received. Never made from a Host header */
    struct str public_url;
    struct str path_secret; /* last segment of the path, percent-decoded; "" none */
    struct str peer;        /* address of the sender, behind trusted proxies theirs; "" unknown */
    int64_t received_ms;    /* wall clock */
};

/* What makes a delivery recognisable as a repeat. */
struct webhook_proof {
    bool has_mac; /* false: nothing was signed; repeats are known by their events' keys alone */
    uint8_t mac[WEBHOOK_MAC_BYTES];
};

enum webhook_type {
    WEBHOOK_CREATED,
    WEBHOOK_CHANGED, /* also where the CRM does not say what happened */
    WEBHOOK_DELETED, /* believed only once a read proves it */
    WEBHOOK_RESTORED,
    WEBHOOK_MERGED, /* one event for each id: the survivor and those that went into it */
    WEBHOOK_ERASED, /* for good, because a person asked for it (GDPR) */
    WEBHOOK_ASSOCIATED,
};

/* Read this object again. Texts are the arena's, the delivery's, or live for ever. */
struct webhook_event {
    const char *kind;     /* unified */
    struct str remote_id; /* as in remote_record */
    /* the same for every repeat of the same news, at most WEBHOOK_KEY_BYTES; another for other news of the same object */
    struct str event_key;
    int64_t occurred_ms; /* newest of the news; 0 unknown */
    enum webhook_type type;
};

/* Events of one delivery: each object once. What is of no kind of ours, of a type that is new to us, or of another account is counted only. */
struct webhook_events {
    const struct webhook_event *at;
    size_t count;
    size_t heard;   /* single pieces of news in the delivery */
    size_t ignored; /* of these: not for us */
    size_t foreign; /* of these: of another account */
};

struct webhook_answer {
    int status;
    const char *content_type; /* NULL: no body */
    struct str body;
};

/* The subscriptions a connection wants. All borrowed. */
struct webhook_property {
    const char *kind;
    struct str name; /* as in mappings */
};
struct webhook_wanted {
    struct str url; /* where the CRM is to send to: the path secret is in it */
    struct str user;
    const struct secret *password;
    const char *const *kinds;
    size_t kinds_count;
    /* what the mapping reads: HubSpot subscribes to each property */
    const struct webhook_property *properties;
    size_t properties_count;
    struct str app_id;                  /* HubSpot: of an app that has an API for this; "" none */
    const struct secret *developer_key; /* HubSpot: likewise; NULL none */
};
struct webhook_report {
    int created, present, removed;
    /* what only a person can do at this CRM, ready to be printed; "" nothing. Arena's */
    struct str by_hand;
};

/* What all adapters' webhook_verify() begin with: the sender's address and certificate, and the path secret where the connection has one. FAIL_AUTH. Pure. */
enum fail webhook_door(const struct webhook_settings *settings,
                       const struct webhook_delivery *delivery, struct error *err) MUST_CHECK;
/* Constant time; true when text is one of the secrets that are there. */
bool webhook_is_one_of(const struct secret *const secrets[WEBHOOK_SECRETS_MAX], struct str text);
/* There is at least one secret. */
bool webhook_has_one(const struct secret *const secrets[WEBHOOK_SECRETS_MAX]);
const char *webhook_type_name(enum webhook_type type); /* "created", "changed", … */

/* --- for adapters: gathering the events of a delivery ---------------------------------------- */

struct webhook_gathering; /* the arena's */

/* One piece of news. Several of one object become one event, of the type that says most and with a key made of all their identities. */
struct webhook_news {
    const char *kind;
    struct str remote_id; /* lives as long as arena and delivery */
    enum webhook_type type;
    int64_t occurred_ms;
    int64_t
        since_ms; /* the same in every attempt as well, and near the present; 0 none. Keys begin with it */
    struct str identity; /* the same in every attempt to deliver it; not kept */
};
struct webhook_gathering *webhook_gather(struct arena *arena,
                                         const struct webhook_settings *settings);
/* Once for each piece of news, before what comes of it is added. */
void webhook_heard(struct webhook_gathering *gathering);
void webhook_ignored(struct webhook_gathering *gathering, bool is_foreign);
/* False: its kind is not synced. */
bool webhook_add(struct webhook_gathering *gathering, const struct webhook_news *news);
/* FAIL_RECORD: more than WEBHOOK_EVENTS_MAX objects. */
enum fail webhook_gathered(struct webhook_gathering *gathering, struct webhook_events *ret,
                           struct error *err) MUST_CHECK;
/* The custom object of that name as the mapping writes it; NULL none. */
const struct adapter_object *webhook_object(const struct webhook_settings *settings,
                                            struct str name);

#endif
