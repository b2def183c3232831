/* Who follows the store by GET /api/crm/events: streams that stay open, each from a place of its own. Inside of api/. */
#ifndef CRMSYNC_API_FOLLOWERS_H
#define CRMSYNC_API_FOLLOWERS_H

#include "api/event.h"
#include "api/handles.h"
#include "core/digest.h"
#include "http/stream.h"

enum {
    FOLLOWERS_MAX = 200,
    FOLLOWER_LIFE_MS =
        15 * 60 *
        1000, /* then it ends, and its client connects again with a token that is good then */
    FOLLOWER_TOKEN_MS = 10 * 1000,   /* a token that was revoked ends its streams after that */
    FOLLOWER_STALLED_MS = 30 * 1000, /* a reader that takes nothing for so long is let go */
    FOLLOWER_BACKLOG_BYTES = 16 * 1024,
    FOLLOWER_EVENT_BYTES_MAX = 32 * 1024, /* larger ones are sent without values */
};

struct followers;

struct followers *followers_new(struct env *env, struct handles *handles);
void followers_free(struct followers *followers); /* ends all; accepts NULL */

/* Plain data; names are copied. */
struct follow {
    int64_t tenant_id;
    struct feed_place place;
    struct event_filter filter;
    uint8_t token_hash[SHA256_BYTES];
    bool is_local; /* a token that is not in the store, and lives as long as the process */
};
/* The stream is theirs from now on. False: there are too many, and nothing was taken. */
bool followers_add(struct followers *followers, const struct follow *follow,
                   struct http_stream *stream);
bool followers_are_full(struct followers *followers);
/* Sends each what is new to it, as far as it takes it. One thread at a time. */
enum fail followers_step(struct followers *followers, struct error *err) MUST_CHECK;

/* "1-4711-12": the id of an event in a stream. */
struct str follow_id(struct arena *arena, int64_t epoch, const struct feed_place *place);
bool follow_id_parse(struct str text, int64_t *ret_epoch, struct feed_place *ret);

#endif
