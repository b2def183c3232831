#include "api/publish.h"

#include <pthread.h>
#include <stdlib.h>

#include "core/alloc.h"

enum { RESENT_AT_ONCE = 16, PLACE_KEPT_EVERY = 500 };

struct follower {
    const struct publish_target *target; /* borrowed */
    struct feed_place
        seen; /* of the thread that has taken it: nothing that it must hear of is before */
    /* guarded by the mutex */
    bool is_taken, has_news;
    bool is_in_trouble; /* fails, or takes long */
    int64_t due_ms;     /* monotonic */
    int64_t served_ms;
    struct http_client *client; /* while it is at work */
    struct publisher_stats stats;
};

struct publisher {
    struct publisher_options options;
    pthread_mutex_t mutex;
    struct follower *followers;
    size_t troubled; /* of those that are taken */
    bool is_cancelled;
};

struct publisher *publisher_new(const struct publisher_options *options)
{
    struct publisher *p = alloc_new(1, sizeof *p);

    p->options = *options;
    pthread_mutex_init(&p->mutex, NULL);
    p->followers = alloc_new(options->targets_count + 1, sizeof *p->followers);
    for (size_t i = 0; i < options->targets_count; i++) {
        p->followers[i].target = &options->targets[i];
    }
    return p;
}

void publisher_free(struct publisher *p)
{
    if (p) {
        pthread_mutex_destroy(&p->mutex);
        free(p->followers);
        free(p);
    }
}

/* --- rows ----------------------------------------------------------------------------------------------------------------------- */

static bool is_configured(const struct publisher *p, int64_t tenant_id, struct str name)
{
    for (size_t i = 0; i < p->options.targets_count; i++) {
        const struct publish_target *target = &p->options.targets[i];

        if (target->tenant_id == tenant_id && str_equal(target->name, name)) {
            return true;
        }
    }
    return false;
}

static enum fail put_others_aside(const struct publisher *p, struct tx *tx, struct arena *arena,
                                  struct error *err)
{
    struct store_endpoint *rows;
    size_t count;

    if (endpoint_list(tx, arena, &rows, &count, err) != OK) {
        return err->code;
    }
    for (size_t i = 0; i < count; i++) {
        if (rows[i].state != ENDPOINT_REMOVED && !is_configured(p, tx_tenant(tx), rows[i].name)) {
            rows[i].state = ENDPOINT_REMOVED;
            if (endpoint_put(tx, &rows[i], err) != OK) {
                return err->code;
            }
        }
    }
    return OK;
}

static enum fail ensure_all(struct publisher *p, struct tx *tx, struct arena *arena,
                            struct error *err)
{
    for (size_t i = 0; i < p->options.targets_count; i++) {
        const struct publish_target *target = p->followers[i].target;

        if (target->tenant_id == tx_tenant(tx) &&
            endpoint_ensure(tx, target->name, arena, &p->followers[i].stats.row, err) != OK) {
            return err->code;
        }
    }
    return put_others_aside(p, tx, arena, err);
}

enum fail publisher_begin(struct publisher *p, struct store *writer, struct error *err)
{
    for (size_t i = 0; i < p->options.tenants_count; i++) {
        AUTO_ARENA struct arena arena = {0};
        AUTO_TX struct tx *tx = NULL;

        if (tx_begin(writer, p->options.tenants[i], &tx, err) != OK ||
            ensure_all(p, tx, &arena, err) != OK || tx_commit(&tx, err) != OK) {
            return err->code;
        }
    }
    return OK;
}

/* --- whose turn it is ----------------------------------------------------------------------------------------------------------- */

/* Endpoints in trouble have half of the workers at most, so that the others find one. */
static bool may_run(const struct publisher *p, const struct follower *f)
{
    size_t most = p->options.workers > 1 ? (size_t)p->options.workers / 2 : 1;

    return !f->is_in_trouble || p->troubled < most;
}

static bool goes_first(const struct follower *f, const struct follower *other)
{
    return !other || (f->is_in_trouble != other->is_in_trouble ? other->is_in_trouble
                                                               : f->served_ms < other->served_ms);
}

static struct follower *choose(struct publisher *p, int64_t now_ms, int64_t *ret_wait_ms)
{
    struct follower *best = NULL;

    *ret_wait_ms = PUBLISH_LOOK_MS;
    for (size_t i = 0; i < p->options.targets_count && !p->is_cancelled; i++) {
        struct follower *f = &p->followers[i];
        int64_t wait_ms = f->due_ms - now_ms;

        if (f->is_taken || !may_run(p, f)) {
            continue;
        }
        if (wait_ms <= 0 && goes_first(f, best)) {
            best = f;
        } else if (wait_ms > 0 && wait_ms < *ret_wait_ms) {
            *ret_wait_ms = wait_ms;
        }
    }
    return best;
}

bool publisher_take(struct publisher *p, size_t *ret_target, int64_t *ret_wait_ms)
{
    struct follower *f;

    pthread_mutex_lock(&p->mutex);
    f = choose(p, clock_mono_ms(p->options.env->clock), ret_wait_ms);
    if (f) {
        f->is_taken = true;
        f->has_news = false;
        p->troubled += f->is_in_trouble;
        *ret_target = (size_t)(f - p->followers);
    }
    pthread_mutex_unlock(&p->mutex);
    return f != NULL;
}

void publisher_news(struct publisher *p)
{
    pthread_mutex_lock(&p->mutex);
    for (size_t i = 0; i < p->options.targets_count; i++) {
        struct follower *f = &p->followers[i];

        f->has_news = true;
        if (!f->is_in_trouble) { /* the others know when they are due */
            f->due_ms = 0;
        }
    }
    pthread_mutex_unlock(&p->mutex);
}

void publisher_cancel(struct publisher *p)
{
    pthread_mutex_lock(&p->mutex);
    p->is_cancelled = true;
    for (size_t i = 0; i < p->options.targets_count; i++) {
        if (p->followers[i].client) {
            http_client_cancel(p->followers[i].client);
        }
    }
    pthread_mutex_unlock(&p->mutex);
}

struct publisher_stats publisher_stats(struct publisher *p, size_t target)
{
    struct publisher_stats stats;

    pthread_mutex_lock(&p->mutex);
    stats = p->followers[target].stats;
    pthread_mutex_unlock(&p->mutex);
    stats.row.name = stats.row.reason = STR("");
    return stats;
}

/* --- a turn --------------------------------------------------------------------------------------------------------------------- */

enum verdict {
    TAKEN,
    REFUSED, /* the event, by an endpoint that works */
    TROUBLE, /* the endpoint does not work */
    GONE,    /* it wants nothing any more */
    STOPPED  /* we were */
};

struct turn {
    struct publisher *p;
    struct follower *f;
    struct arena arena;
    struct store_endpoint row;
    struct feed_item *items;
    struct event *events; /* of the items; id at NULL: nobody hears of it */
    size_t count;
    struct feed_place seen; /* behind all items */
    bool has_more;
    struct dead_event *resent;
    struct event *resent_events;
    size_t resent_count, resent_done;
    bool *resent_taken;
    size_t done;           /* items that need no more */
    size_t dead;           /* of them given up, the last ones */
    int64_t dead_attempts; /* at the first of those */
    int64_t delivered, dead_before;
    int64_t slowest_ms, retry_after_ms;
    struct str reason; /* of the last failure */
    int64_t next_ms;   /* wait until the next turn */
};

static struct log *log_of(const struct turn *t)
{
    return t->p->options.env->log;
}

static int64_t now_of(const struct turn *t)
{
    return clock_wall_ms(t->p->options.env->clock);
}

/* Retention had to let something go that this endpoint has not been told of. */
static enum fail warn_of_gap(struct turn *t, struct tx *tx, const struct feed_place *place,
                             struct error *err)
{
    bool is_whole;

    if (feed_is_whole(tx, 0, place, &is_whole, err) == OK && !is_whole) {
        LOG_EVENT(log_of(t), LOG_WARN, "events were pruned before they were delivered",
                  LOG_S("tenant", t->f->target->tenant), LOG_S("endpoint", t->f->target->name),
                  LOG_S("try", STR("read the records anew, or keep the journal longer")));
    }
    return err->code;
}

static enum fail make_events(struct turn *t, struct tx *tx, struct error *err)
{
    t->events = ARENA_ARRAY(&t->arena, struct event, t->count + 1);
    for (size_t i = 0; i < t->count; i++) {
        bool is_one;

        if (event_make(tx, &t->items[i], &t->f->target->filter, &t->arena, &t->events[i], &is_one,
                       err) != OK) {
            return err->code;
        }
        if (!is_one) {
            t->events[i].id = STR_NONE;
        }
    }
    return OK;
}

/* What a person wants sent once more; what is gone from the journal stays with that reason. */
static enum fail load_resent(struct turn *t, struct tx *tx, struct error *err)
{
    if (dead_event_list(tx, t->row.id, true, 0, RESENT_AT_ONCE, &t->arena, &t->resent,
                        &t->resent_count, err) != OK ||
        dead_event_count(tx, t->row.id, &t->dead_before, err) != OK) {
        return err->code;
    }
    t->resent_events = ARENA_ARRAY(&t->arena, struct event, t->resent_count + 1);
    t->resent_taken = ARENA_ARRAY(&t->arena, bool, t->resent_count + 1);
    for (size_t i = 0; i < t->resent_count; i++) {
        const struct dead_event *dead = &t->resent[i];
        struct feed_item item;
        bool found, is_one = false;

        if (feed_item(tx, dead->journal, dead->conflict, &t->arena, &item, &found, err) != OK ||
            (found && event_make(tx, &item, &t->f->target->filter, &t->arena, &t->resent_events[i],
                                 &is_one, err) != OK)) {
            return err->code;
        }
        if (!is_one) {
            t->resent_events[i].id = STR_NONE;
        }
    }
    return OK;
}

static struct feed_place later(const struct feed_place *x, const struct feed_place *y)
{
    return x->journal > y->journal || x->conflict > y->conflict ? *x : *y;
}

static bool waits(const struct turn *t)
{
    int64_t wait_ms = t->row.next_ms - now_of(t);

    return wait_ms > 0 && wait_ms <= PUBLISH_WAIT_MAX_MS; /* else the clock was set back */
}

static enum fail load(struct turn *t, struct store *reader, struct error *err)
{
    const struct publish_target *target = t->f->target;
    AUTO_TX struct tx *tx = NULL;
    struct feed_place place;
    bool found;

    if (tx_begin(reader, target->tenant_id, &tx, err) != OK ||
        endpoint_by_name(tx, target->name, &t->arena, &t->row, &found, err) != OK) {
        return err->code;
    }
    if (!found || t->row.state != ENDPOINT_ACTIVE || waits(t)) {
        t->row.state = found ? t->row.state : ENDPOINT_REMOVED;
        return OK;
    }
    place = later(&t->row.place, &t->f->seen);
    if (load_resent(t, tx, err) != OK || warn_of_gap(t, tx, &place, err) != OK ||
        feed_read(tx, &place, PUBLISH_BATCH, &t->arena, &t->items, &t->count, &t->seen, err) !=
            OK) {
        return err->code;
    }
    t->has_more = t->count == PUBLISH_BATCH;
    return make_events(t, tx, err);
}

/* 401 to 405 and redirects are about the endpoint as it is configured, 408, 425, 429 and 5xx about its moment; other statuses about what was sent.
 * Source: standard-webhooks.md, "Response status codes"; RFC 9110 section 15.5. */
static enum verdict verdict_of(int status)
{
    if (status >= 200 && status < 300) {
        return TAKEN;
    }
    if (status == 410) {
        return GONE;
    }
    return status >= 400 && status < 500 && !(status >= 401 && status <= 405) && status != 408 &&
                   status != 425 && status != 429
               ? REFUSED
               : TROUBLE;
}

static enum fail sign_and_post(struct turn *t, const struct event *event, struct hook_answer *ret,
                               struct error *err)
{
    const struct publish_target *target = t->f->target;
    struct str keys[HOOK_SECRETS_MAX], url = secret_expose(&target->url);
    struct http_headers headers = {0};
    AUTO_ARENA struct arena arena = {0};
    enum fail failed;

    for (size_t i = 0; i < target->secrets_count; i++) {
        keys[i] = hook_key(&arena, secret_expose(&target->secrets[i]));
    }
    hook_sign(&arena, event->id, now_of(t), keys, target->secrets_count, event->body, &headers);
    failed = hook_post(t->p->options.env, t->f->client, url, &headers, event->body, ret, err);
    arena_wipe(&arena);
    return failed;
}

static enum verdict deliver(struct turn *t, const struct event *event)
{
    int64_t began_ms = clock_mono_ms(t->p->options.env->clock), took_ms;
    struct hook_answer answer = {0};
    struct error err = {0};
    enum verdict verdict = TROUBLE;

    if (sign_and_post(t, event, &answer, &err) == OK) {
        verdict = verdict_of(answer.status);
        t->reason = arena_printf(&t->arena, "answered with status %d", answer.status);
    } else {
        verdict = err.code == FAIL_CANCELLED ? STOPPED : TROUBLE;
        t->reason = arena_str(&t->arena, str_of(err.message));
    }
    t->retry_after_ms = answer.retry_after_ms;
    took_ms = clock_mono_ms(t->p->options.env->clock) - began_ms;
    t->slowest_ms = took_ms > t->slowest_ms ? took_ms : t->slowest_ms;
    t->delivered += verdict == TAKEN;
    return verdict;
}

static bool has_time(const struct turn *t, int64_t began_ms)
{
    bool is_cancelled;

    pthread_mutex_lock(&t->p->mutex);
    is_cancelled = t->p->is_cancelled;
    pthread_mutex_unlock(&t->p->mutex);
    return !is_cancelled && clock_mono_ms(t->p->options.env->clock) - began_ms < PUBLISH_TURN_MS;
}

/* What was asked for is tried once, whatever becomes of it. */
static enum verdict deliver_resent(struct turn *t, int64_t began_ms)
{
    enum verdict verdict = TAKEN;

    for (size_t i = 0; i < t->resent_count && verdict != STOPPED && has_time(t, began_ms); i++) {
        const struct event *event = &t->resent_events[i];

        t->reason = STR("it is not in the journal any more");
        verdict = event->id.at ? deliver(t, event) : REFUSED;
        t->resent_taken[i] = verdict == TAKEN;
        t->resent[i].reason = t->reason;
        t->resent_done += verdict != STOPPED;
    }
    return verdict == STOPPED ? STOPPED : TAKEN;
}

static enum verdict deliver_all(struct turn *t)
{
    int64_t began_ms = clock_mono_ms(t->p->options.env->clock);
    enum verdict verdict = deliver_resent(t, began_ms);

    while (verdict == TAKEN && t->done < t->count) {
        const struct event *event = &t->events[t->done];

        if (event->id.at) {
            if (!has_time(t, began_ms)) {
                t->has_more = true;
                return TAKEN;
            }
            verdict = deliver(t, event);
        }
        t->done += verdict == TAKEN;
    }
    return verdict;
}

/* --- what became of it ---------------------------------------------------------------------------------------------------------- */

/* From one half of the wait to all of it, so that those who failed together do not come back together. */
static int64_t wait_after(const struct turn *t)
{
    int64_t wait_ms = PUBLISH_FIRST_WAIT_MS;

    for (int64_t i = 1; i < t->row.failures && wait_ms < PUBLISH_WAIT_MAX_MS; i++) {
        wait_ms *= 2;
    }
    wait_ms = wait_ms < PUBLISH_WAIT_MAX_MS ? wait_ms : PUBLISH_WAIT_MAX_MS;
    wait_ms =
        wait_ms / 2 + (int64_t)random_below(t->p->options.env->random, (uint64_t)(wait_ms / 2) + 1);
    wait_ms = t->retry_after_ms > wait_ms ? t->retry_after_ms : wait_ms;
    return wait_ms < PUBLISH_WAIT_MAX_MS ? wait_ms : PUBLISH_WAIT_MAX_MS;
}

static bool is_too_old(const struct turn *t, const struct feed_item *item)
{
    int64_t give_up_ms = t->f->target->give_up_ms, now_ms = now_of(t);

    return now_ms - t->row.failing_since_ms >= give_up_ms && now_ms - item->at_ms >= give_up_ms;
}

/* The event behind the place, and with an endpoint that has not worked for long all that are as old. */
static void give_up(struct turn *t, enum verdict verdict)
{
    t->dead_attempts = t->row.failures;
    if (verdict == REFUSED && t->row.refusals >= PUBLISH_REFUSALS_MAX) {
        t->dead = 1;
        t->done++;
        t->row.refusals = t->row.failures = t->row.failing_since_ms = t->row.next_ms = 0;
        return;
    }
    while (t->done < t->count && is_too_old(t, &t->items[t->done])) {
        t->done++;
        t->dead++;
    }
    if (t->dead) {
        t->row.refusals = 0;
        t->row.next_ms = t->done == t->count && t->has_more ? 0 : t->row.next_ms;
    }
}

static void note_failure(struct turn *t, enum verdict verdict)
{
    const struct publish_target *target = t->f->target;

    t->row.failed++;
    t->row.failures++;
    t->row.reason = t->reason;
    if (t->row.failing_since_ms == 0) {
        t->row.failing_since_ms = now_of(t);
        LOG_EVENT(log_of(t), LOG_WARN, "events are not delivered", LOG_S("tenant", target->tenant),
                  LOG_S("endpoint", target->name), LOG_S("reason", t->reason));
    }
    if (verdict == GONE) {
        t->row.state = ENDPOINT_OFF;
        LOG_EVENT(log_of(t), LOG_ERROR, "endpoint for events is switched off",
                  LOG_S("tenant", target->tenant), LOG_S("endpoint", target->name),
                  LOG_S("reason", t->reason),
                  LOG_S("try", STR("crmsync events enable, or take it out of the configuration")));
        return;
    }
    t->row.refusals += verdict == REFUSED;
    t->row.next_ms = now_of(t) + wait_after(t);
    give_up(t, verdict);
    if (t->dead) {
        LOG_EVENT(log_of(t), LOG_ERROR, "events were given up", LOG_S("tenant", target->tenant),
                  LOG_S("endpoint", target->name), LOG_I("events", (int64_t)t->dead),
                  LOG_S("reason", t->reason), LOG_S("try", STR("crmsync events dead")));
    }
}

static void note_success(struct turn *t)
{
    if (t->delivered && t->row.failures) {
        LOG_EVENT(log_of(t), LOG_INFO, "events are delivered again",
                  LOG_S("tenant", t->f->target->tenant), LOG_S("endpoint", t->f->target->name));
    }
    if (t->delivered) {
        t->row.refusals = t->row.failures = t->row.failing_since_ms = t->row.next_ms = 0;
        t->row.reason = STR("");
    }
}

static void note(struct turn *t, enum verdict verdict)
{
    struct feed_place place = later(&t->row.place, &t->f->seen);

    if (t->delivered) {
        note_success(t);
        t->row.delivered += t->delivered;
    }
    if (verdict != TAKEN && verdict != STOPPED) {
        note_failure(t, verdict);
    }
    if (t->done == t->count) {
        place = t->seen;
    } else if (t->done) {
        place = t->items[t->done - 1].place;
    }
    t->f->seen = place;
}

static enum fail keep_dead(struct turn *t, struct tx *tx, struct error *err)
{
    struct str not_tried = arena_printf(
        &t->arena, "not tried, the endpoint did not work: %" PRI_STR, STR_ARG(t->reason));

    for (size_t i = t->done - t->dead; i < t->done; i++) {
        const struct feed_item *item = &t->items[i];
        bool is_first = i == t->done - t->dead;
        const struct dead_event dead = {.endpoint_id = t->row.id,
                                        .journal = item->entry ? item->entry->id : 0,
                                        .conflict = item->note ? item->note->id : 0,
                                        .attempts = is_first ? t->dead_attempts : 0,
                                        .reason = is_first ? t->reason : not_tried,
                                        .died_ms = now_of(t)};

        if (t->events[i].id.at && dead_event_put(tx, &dead, err) != OK) {
            return err->code;
        }
    }
    return OK;
}

static enum fail keep_resent(struct turn *t, struct tx *tx, struct error *err)
{
    for (size_t i = 0; i < t->resent_done; i++) {
        const struct dead_event *dead = &t->resent[i];

        if ((t->resent_taken[i] ? dead_event_sent(tx, dead->id, err)
                                : dead_event_failed(tx, dead->id, dead->reason, err)) != OK) {
            return err->code;
        }
    }
    return OK;
}

/* A place alone is kept now and then: what is before it concerns nobody here. */
static bool is_worth_keeping(const struct turn *t, enum verdict verdict)
{
    return t->delivered || t->resent_done || t->dead || (verdict != TAKEN && verdict != STOPPED) ||
           t->f->seen.journal - t->row.place.journal > PLACE_KEPT_EVERY ||
           t->f->seen.conflict - t->row.place.conflict > PLACE_KEPT_EVERY;
}

static enum fail keep(struct turn *t, struct store *writer, struct error *err)
{
    AUTO_TX struct tx *tx = NULL;

    t->row.place = t->f->seen;
    if (tx_begin(writer, t->f->target->tenant_id, &tx, err) != OK || keep_dead(t, tx, err) != OK ||
        keep_resent(t, tx, err) != OK || endpoint_put(tx, &t->row, err) != OK ||
        dead_event_count(tx, t->row.id, &t->dead_before, err) != OK) {
        return err->code;
    }
    return tx_commit(&tx, err);
}

/* A client of its own, so that it can be stopped. */
static enum verdict with_client(struct turn *t)
{
    const struct publish_target *target = t->f->target;
    struct error err = target->problem;
    struct http_client *client = NULL;
    enum verdict verdict;

    if (err.code == OK) {
        client = hook_client_new(t->p->options.env, secret_expose(&target->url),
                                 t->p->options.allow_loopback, &err);
    }
    if (!client) {
        t->reason = arena_str(&t->arena, str_of(err.message));
        return TROUBLE;
    }
    pthread_mutex_lock(&t->p->mutex);
    t->f->client = client;
    pthread_mutex_unlock(&t->p->mutex);
    verdict = deliver_all(t);
    pthread_mutex_lock(&t->p->mutex);
    t->f->client = NULL;
    pthread_mutex_unlock(&t->p->mutex);
    http_client_free(client);
    return verdict;
}

static bool has_events(const struct turn *t)
{
    for (size_t i = 0; i < t->count; i++) {
        if (t->events[i].id.at) {
            return true;
        }
    }
    return t->resent_count > 0;
}

static enum fail work(struct turn *t, struct store *reader, struct store *writer, struct error *err)
{
    enum verdict verdict = TAKEN;

    t->next_ms = PUBLISH_LOOK_MS;
    if (load(t, reader, err) != OK || t->row.state != ENDPOINT_ACTIVE || waits(t)) {
        return err->code;
    }
    if (has_events(t)) {
        verdict = with_client(t);
    } else {
        t->done = t->count;
    }
    note(t, verdict);
    if (is_worth_keeping(t, verdict) && keep(t, writer, err) != OK) {
        t->f->seen = (struct feed_place){0}; /* nothing is known to be kept */
        return err->code;
    }
    if ((t->has_more && verdict == TAKEN) || (t->dead && t->row.next_ms == 0)) {
        t->next_ms = 0;
    }
    return OK;
}

static int64_t oldest_of(const struct turn *t)
{
    for (size_t i = t->done; i < t->count; i++) {
        if (t->events[i].id.at) {
            return t->items[i].at_ms;
        }
    }
    return 0;
}

static void give_back(struct turn *t, bool failed)
{
    struct publisher *p = t->p;
    struct follower *f = t->f;
    int64_t now_ms = clock_mono_ms(p->options.env->clock);

    pthread_mutex_lock(&p->mutex);
    p->troubled -= f->is_in_trouble;
    f->is_taken = false;
    f->is_in_trouble = failed || t->row.failures > 0 || t->slowest_ms >= PUBLISH_SLOW_MS;
    f->served_ms = now_ms;
    f->due_ms = f->has_news && !f->is_in_trouble ? 0 : now_ms + t->next_ms;
    if (waits(t) && t->row.next_ms - now_of(t) < t->next_ms) {
        f->due_ms = now_ms + t->row.next_ms - now_of(t);
    }
    if (!failed && t->items) {
        f->stats.oldest_ms = oldest_of(t);
        f->stats.dead = t->dead_before;
    }
    if (!failed) {
        f->stats.row = t->row;
    }
    pthread_mutex_unlock(&p->mutex);
}

void publisher_turn(struct publisher *p, size_t target, struct store *reader, struct store *writer)
{
    struct turn t = {.p = p, .f = &p->followers[target]};
    struct error err = {0};

    if (work(&t, reader, writer, &err) != OK) {
        LOG_EVENT(log_of(&t), LOG_ERROR, "events cannot be delivered",
                  LOG_S("tenant", t.f->target->tenant), LOG_S("endpoint", t.f->target->name),
                  LOG_S("reason", str_of(err.message)), LOG_S("try", str_of(err.hint)));
    }
    give_back(&t, err.code != OK);
    arena_fini(&t.arena);
}
