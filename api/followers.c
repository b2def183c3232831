#include "api/followers.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>

#include "core/alloc.h"
#include "store/api_token.h"

enum { LOOKED_AT_ONCE = 100 };

struct follower {
    struct follower *next;
    struct follow follow; /* names are the arena's */
    struct arena arena;
    struct http_stream *stream;
    struct feed_place seen; /* the newest place when it was looked at last */
    int64_t until_ms;       /* monotonic, as what follows */
    int64_t token_ms;       /* when to look at the token again */
    int64_t stalled_ms;     /* since then it takes nothing; 0 = it does */
    bool has_more;
};

struct followers {
    struct env *env;
    struct handles *handles;
    pthread_mutex_t mutex;
    struct follower *arrived; /* guarded by mutex, like count */
    size_t count;
    struct follower *all; /* of the thread that steps */
};

struct followers *followers_new(struct env *env, struct handles *handles)
{
    struct followers *followers = alloc_new(1, sizeof *followers);

    followers->env = env;
    followers->handles = handles;
    pthread_mutex_init(&followers->mutex, NULL);
    return followers;
}

static void free_all(struct follower *follower)
{
    while (follower) {
        struct follower *next = follower->next;

        http_stream_end(follower->stream);
        arena_fini(&follower->arena);
        free(follower);
        follower = next;
    }
}

void followers_free(struct followers *followers)
{
    if (followers) {
        free_all(followers->arrived);
        free_all(followers->all);
        pthread_mutex_destroy(&followers->mutex);
        free(followers);
    }
}

static struct follower *make(struct followers *followers, const struct follow *follow,
                             struct http_stream *stream)
{
    struct follower *follower = alloc_new(1, sizeof *follower);
    int64_t now_ms = clock_mono_ms(followers->env->clock);
    struct str *kinds;

    follower->follow = *follow;
    kinds = ARENA_ARRAY(&follower->arena, struct str, follow->filter.kinds_count + 1);
    for (size_t i = 0; i < follow->filter.kinds_count; i++) {
        kinds[i] = arena_str(&follower->arena, follow->filter.kinds[i]);
    }
    follower->follow.filter.kinds = kinds;
    follower->stream = stream;
    follower->has_more = true;
    follower->until_ms = now_ms + FOLLOWER_LIFE_MS;
    follower->token_ms = now_ms + FOLLOWER_TOKEN_MS;
    return follower;
}

bool followers_add(struct followers *followers, const struct follow *follow,
                   struct http_stream *stream)
{
    struct follower *follower;

    pthread_mutex_lock(&followers->mutex);
    if (followers->count == FOLLOWERS_MAX) {
        pthread_mutex_unlock(&followers->mutex);
        return false;
    }
    follower = make(followers, follow, stream);
    follower->next = followers->arrived;
    followers->arrived = follower;
    followers->count++;
    pthread_mutex_unlock(&followers->mutex);
    return true;
}

bool followers_are_full(struct followers *followers)
{
    bool are_full;

    pthread_mutex_lock(&followers->mutex);
    are_full = followers->count == FOLLOWERS_MAX;
    pthread_mutex_unlock(&followers->mutex);
    return are_full;
}

/* --- ids ------------------------------------------------------------------------------------------------------------------------ */

struct str follow_id(struct arena *arena, int64_t epoch, const struct feed_place *place)
{
    return arena_printf(arena, "%" PRId64 "-%" PRId64 "-%" PRId64, epoch, place->journal,
                        place->conflict);
}

bool follow_id_parse(struct str text, int64_t *ret_epoch, struct feed_place *ret)
{
    struct str rest = text, epoch = str_cut(&rest, '-'), journal = str_cut(&rest, '-');

    return str_to_i64(epoch, ret_epoch) && str_to_i64(journal, &ret->journal) &&
           str_to_i64(rest, &ret->conflict) && *ret_epoch > 0 && ret->journal >= 0 &&
           ret->conflict >= 0;
}

/* --- sending -------------------------------------------------------------------------------------------------------------------- */

/* What is too large for a stream goes without its values. */
static enum fail make_event(struct follower *f, struct tx *tx, const struct feed_item *item,
                            struct arena *arena, struct event *ret, bool *ret_is_one,
                            struct error *err)
{
    struct event_filter names = f->follow.filter;

    if (event_make(tx, item, &f->follow.filter, arena, ret, ret_is_one, err) != OK ||
        !*ret_is_one || ret->body.len <= FOLLOWER_EVENT_BYTES_MAX) {
        return err->code;
    }
    names.fields = EVENT_FIELDS_NONE;
    return event_make(tx, item, &names, arena, ret, ret_is_one, err);
}

static enum fail send_items(struct follower *f, struct tx *tx, struct arena *arena,
                            struct error *err)
{
    struct feed_item *items;
    struct feed_place seen;
    size_t count;

    if (feed_read(tx, &f->follow.place, LOOKED_AT_ONCE, arena, &items, &count, &seen, err) != OK) {
        return err->code;
    }
    f->has_more = true;
    for (size_t i = 0; i < count; i++) {
        struct event event;
        bool is_one;

        if (make_event(f, tx, &items[i], arena, &event, &is_one, err) != OK) {
            return err->code;
        }
        if (is_one && http_stream_unsent(f->stream) >= FOLLOWER_BACKLOG_BYTES) {
            return OK;
        }
        if (is_one && !http_stream_send(f->stream,
                                        &(const struct http_event){
                                            .name = str_of(event_type_name(event.type)),
                                            .id = follow_id(arena, items[i].epoch, &items[i].place),
                                            .data = event.body})) {
            return OK; /* it is gone, which the next look sees */
        }
        f->follow.place = items[i].place;
    }
    f->follow.place = seen;
    f->has_more = count == LOOKED_AT_ONCE;
    return OK;
}

static bool is_same(const struct feed_place *x, const struct feed_place *y)
{
    return x->journal == y->journal && x->conflict == y->conflict;
}

static enum fail send_news(struct follower *f, struct store *reader,
                           const struct feed_place *newest, struct error *err)
{
    AUTO_ARENA struct arena arena = {0};
    AUTO_TX struct tx *tx = NULL;

    if ((!f->has_more && is_same(newest, &f->seen)) ||
        http_stream_unsent(f->stream) >= FOLLOWER_BACKLOG_BYTES) {
        return OK;
    }
    if (tx_begin(reader, f->follow.tenant_id, &tx, err) != OK ||
        send_items(f, tx, &arena, err) != OK) {
        return err->code;
    }
    f->seen = *newest;
    return OK;
}

/* --- who goes on ---------------------------------------------------------------------------------------------------------------- */

static enum fail check_token(const struct followers *followers, struct follower *f,
                             struct store *reader, bool *ret_is_good, struct error *err)
{
    AUTO_ARENA struct arena arena = {0};
    AUTO_TX struct tx *tx = NULL;
    struct store_api_token token;
    bool found = false;

    *ret_is_good = true;
    if (f->follow.is_local || clock_mono_ms(followers->env->clock) < f->token_ms) {
        return OK;
    }
    f->token_ms = clock_mono_ms(followers->env->clock) + FOLLOWER_TOKEN_MS;
    if (tx_begin(reader, f->follow.tenant_id, &tx, err) != OK ||
        api_token_by_hash(tx, f->follow.token_hash, &arena, &token, &found, err) != OK) {
        return err->code;
    }
    *ret_is_good = found && api_token_is_good(&token, clock_wall_ms(followers->env->clock));
    return OK;
}

/* A reader that takes nothing. Its connection is closed: there is no saying goodbye to it. */
static bool is_stalled(const struct followers *followers, struct follower *f)
{
    int64_t now_ms = clock_mono_ms(followers->env->clock);

    if (http_stream_unsent(f->stream) < FOLLOWER_BACKLOG_BYTES) {
        f->stalled_ms = 0;
    } else if (f->stalled_ms == 0) {
        f->stalled_ms = now_ms;
    }
    return f->stalled_ms && now_ms - f->stalled_ms >= FOLLOWER_STALLED_MS;
}

static enum fail look_at(struct followers *followers, struct follower *f, struct store *reader,
                         const struct feed_place *newest, bool *ret_goes_on, struct error *err)
{
    bool is_good;

    *ret_goes_on = false;
    if (is_stalled(followers, f)) {
        http_stream_drop(TAKE_PTR(f->stream));
        return OK;
    }
    if (!http_stream_is_open(f->stream) || clock_mono_ms(followers->env->clock) >= f->until_ms ||
        check_token(followers, f, reader, &is_good, err) != OK || !is_good) {
        return err->code;
    }
    *ret_goes_on = true;
    return send_news(f, reader, newest, err);
}

static enum fail read_newest(struct store *reader, struct feed_place *ret, struct error *err)
{
    AUTO_TX struct tx *tx = NULL;

    return tx_begin(reader, TENANT_DEFAULT, &tx, err) == OK ? feed_newest(tx, ret, err) : err->code;
}

static void welcome(struct followers *followers)
{
    struct follower **end = &followers->all;

    while (*end) {
        end = &(*end)->next;
    }
    pthread_mutex_lock(&followers->mutex);
    *end = TAKE_PTR(followers->arrived);
    pthread_mutex_unlock(&followers->mutex);
}

static void let_go(struct followers *followers, struct follower **at)
{
    struct follower *gone = *at;

    *at = gone->next;
    gone->next = NULL;
    free_all(gone);
    pthread_mutex_lock(&followers->mutex);
    followers->count--;
    pthread_mutex_unlock(&followers->mutex);
}

static enum fail step_all(struct followers *followers, struct store *reader, struct error *err)
{
    struct follower **at = &followers->all;
    struct feed_place newest;

    if (read_newest(reader, &newest, err) != OK) {
        return err->code;
    }
    while (*at) {
        bool goes_on;

        if (look_at(followers, *at, reader, &newest, &goes_on, err) != OK) {
            return err->code;
        }
        if (goes_on) {
            at = &(*at)->next;
        } else {
            let_go(followers, at);
        }
    }
    return OK;
}

enum fail followers_step(struct followers *followers, struct error *err)
{
    struct store *reader = NULL;

    welcome(followers);
    if (!followers->all || handles_take(followers->handles, STORE_READ, &reader, err) != OK) {
        return err->code;
    }
    (void)step_all(followers, reader, err);
    handles_give(followers->handles, STORE_READ, reader);
    return err->code;
}
