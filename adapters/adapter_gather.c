/* The news of one delivery, gathered into an event for each object. */
#include <assert.h>

#include "adapters/adapter.h"
#include "core/digest.h"

struct found {
    struct webhook_event event;
    size_t news;
    struct digest digest; /* of the identities so far */
    int64_t since_ms;     /* the newest of theirs */
};

struct webhook_gathering {
    struct arena *arena;
    const struct webhook_settings *settings;
    struct found *at;
    size_t count, capacity;
    struct webhook_events counts;
    bool is_full;
};

struct webhook_gathering *webhook_gather(struct arena *arena,
                                         const struct webhook_settings *settings)
{
    struct webhook_gathering *gathering = ARENA_NEW(arena, struct webhook_gathering);

    gathering->arena = arena;
    gathering->settings = settings;
    return gathering;
}

void webhook_heard(struct webhook_gathering *gathering)
{
    gathering->counts.heard++;
}

void webhook_ignored(struct webhook_gathering *gathering, bool is_foreign)
{
    gathering->counts.ignored++;
    gathering->counts.foreign += is_foreign;
}

const struct adapter_object *webhook_object(const struct webhook_settings *settings,
                                            struct str name)
{
    for (size_t i = 0; i < settings->objects_count; i++) {
        if (str_equal(name, str_of(settings->objects[i].object))) {
            return &settings->objects[i];
        }
    }
    return NULL;
}

static bool is_synced(const struct webhook_settings *settings, const char *kind)
{
    for (size_t i = 0; i < settings->kinds_count; i++) {
        if (strcmp(settings->kinds[i], kind) == 0) {
            return true;
        }
    }
    return settings->kinds_count == 0;
}

static struct found *find(const struct webhook_gathering *gathering,
                          const struct webhook_news *news)
{
    for (size_t i = 0; i < gathering->count; i++) {
        const struct webhook_event *event = &gathering->at[i].event;

        if (str_equal(event->remote_id, news->remote_id) && strcmp(event->kind, news->kind) == 0) {
            return &gathering->at[i];
        }
    }
    return NULL;
}

static struct found *append(struct webhook_gathering *gathering, const struct webhook_news *news)
{
    enum { FIRST = 16 };
    struct found *found;

    if (gathering->count == gathering->capacity) {
        size_t capacity = gathering->capacity ? 2 * gathering->capacity : FIRST;
        struct found *at = ARENA_ARRAY(gathering->arena, struct found, capacity);

        if (gathering->count) {
            memcpy(at, gathering->at, gathering->count * sizeof *at);
        }
        gathering->at = at;
        gathering->capacity = capacity;
    }
    found = &gathering->at[gathering->count++];
    found->event.kind = news->kind;
    found->event.remote_id = news->remote_id;
    found->event.type = news->type;
    return found;
}

/* What a reader should hear of several: the graver one. */
static int weight(enum webhook_type type)
{
    static const int WEIGHTS[] = {
        [WEBHOOK_CHANGED] = 0,  [WEBHOOK_ASSOCIATED] = 1, [WEBHOOK_CREATED] = 2,
        [WEBHOOK_RESTORED] = 3, [WEBHOOK_DELETED] = 4,    [WEBHOOK_MERGED] = 5,
        [WEBHOOK_ERASED] = 6,
    };

    return WEIGHTS[type];
}

static struct digest with(const struct digest *before, const struct digest *one)
{
    uint8_t both[2 * DIGEST_BYTES];

    memcpy(both, before->bytes, DIGEST_BYTES);
    memcpy(both + DIGEST_BYTES, one->bytes, DIGEST_BYTES);
    return digest_of((struct str){.at = (const char *)both, .len = sizeof both});
}

/* The key of several is made of all: a delivery that repeats one of them beside another must not pass for the first. */
static void extend(struct found *found, const struct webhook_news *news)
{
    struct digest one = digest_of(news->identity);

    found->digest = found->news++ ? with(&found->digest, &one) : one;
    if (news->since_ms > found->since_ms) {
        found->since_ms = news->since_ms;
    }
    if (weight(news->type) > weight(found->event.type)) {
        found->event.type = news->type;
    }
    if (news->occurred_ms > found->event.occurred_ms) {
        found->event.occurred_ms = news->occurred_ms;
    }
}

bool webhook_add(struct webhook_gathering *gathering, const struct webhook_news *news)
{
    struct found *found;

    if (!is_synced(gathering->settings, news->kind)) {
        return false;
    }
    found = find(gathering, news);
    if (!found && gathering->count == WEBHOOK_EVENTS_MAX) {
        gathering->is_full = true;
        return true;
    }
    extend(found ? found : append(gathering, news), news);
    return true;
}

enum { TIME_BYTES = 6 };
_Static_assert(WEBHOOK_KEY_BYTES == 2 * DIGEST_BYTES, "a key is as long as the hex of a digest");

/* The time goes first: keys of one time are neighbours in the store's index, so that a commit of many events changes few of its pages. */
static struct str key_of(const struct found *found, struct arena *arena)
{
    char *key = arena_alloc(arena, WEBHOOK_KEY_BYTES + 1, 1);
    uint8_t bytes[DIGEST_BYTES];

    for (int i = 0; i < TIME_BYTES; i++) {
        bytes[i] = (uint8_t)((uint64_t)found->since_ms >> 8 * (TIME_BYTES - 1 - i));
    }
    memcpy(bytes + TIME_BYTES, found->digest.bytes, DIGEST_BYTES - TIME_BYTES);
    hex_encode(bytes, sizeof bytes, key);
    return (struct str){.at = key, .len = WEBHOOK_KEY_BYTES};
}

enum fail webhook_gathered(struct webhook_gathering *gathering, struct webhook_events *ret,
                           struct error *err)
{
    struct webhook_event *events;

    if (gathering->is_full) {
        return error_set(err, FAIL_RECORD, "more than %d objects in one delivery",
                         WEBHOOK_EVENTS_MAX);
    }
    events = ARENA_ARRAY(gathering->arena, struct webhook_event, gathering->count + 1);
    for (size_t i = 0; i < gathering->count; i++) {
        events[i] = gathering->at[i].event;
        events[i].event_key = key_of(&gathering->at[i], gathering->arena);
    }
    *ret = gathering->counts;
    ret->at = events;
    ret->count = gathering->count;
    return OK;
}
