#include "simulators/hooks.h"

#include <stdlib.h>

#include "core/alloc.h"
#include "core/jx.h"
#include "http/url.h"

enum {
    PERCENT = 10000, /* of a million */
    PENDING_MAX = 1000000,
    ACKS_MAX = 16384,    /* whose times are kept; older ones make room */
    OVERTAKEN_MS = 2000, /* as late as news come at most that others overtake */
    DAY_MS = 24 * 60 * 60 * 1000,
    URL_BYTES_MAX = 2000,
};

struct news {
    int64_t target, due_ms, queued_ms;
    json_t *event; /* owned */
};

struct parcel {
    struct sim_parcel shown; /* events are owned */
    int64_t due_ms;
    int64_t out_until_ms; /* handed out and not yet answered; 0 = here */
};

struct sim_hooks {
    struct random *random; /* owned */
    struct sim_manner manner;
    bool is_person;
    struct news *news; /* owned; those that wait begin at first_news */
    size_t first_news, news_count, news_capacity;
    struct parcel *parcels; /* owned */
    size_t parcels_count, parcels_capacity;
    int64_t last_number;
    int64_t delivered, failures, dropped, lost;
    uint32_t
        ack_ms[ACKS_MAX]; /* a ring: how long deliveries waited for the answer that took them */
    size_t acks;          /* ever noted */
};

/* --- life ------------------------------------------------------------------------------------- */

struct sim_hooks *sim_hooks_new(uint64_t seed)
{
    struct sim_hooks *hooks = alloc_new(1, sizeof(*hooks));

    hooks->random = random_new_seeded(seed ^ 0x776562686f6f6b73);
    return hooks;
}

static struct news *news_at(struct sim_hooks *hooks, size_t index)
{
    return &hooks->news[hooks->first_news + index];
}

/* What leaves is near the front: those before it move up, not those behind it. */
static void news_remove(struct sim_hooks *hooks, size_t index)
{
    struct news *first = news_at(hooks, 0);

    json_decref(first[index].event);
    memmove(first + 1, first, index * sizeof(*first));
    hooks->first_news++;
    hooks->news_count--;
}

static void parcel_remove(struct sim_hooks *hooks, size_t index)
{
    json_decref(hooks->parcels[index].shown.events);
    memmove(hooks->parcels + index, hooks->parcels + index + 1,
            (hooks->parcels_count - index - 1) * sizeof(hooks->parcels[0]));
    hooks->parcels_count--;
}

void sim_hooks_free(struct sim_hooks *hooks)
{
    if (!hooks) {
        return;
    }
    while (hooks->news_count) {
        news_remove(hooks, 0);
    }
    while (hooks->parcels_count) {
        parcel_remove(hooks, hooks->parcels_count - 1);
    }
    free(hooks->news);
    free(hooks->parcels);
    random_free(hooks->random);
    free(hooks);
}

void sim_hooks_by(struct sim_hooks *hooks, bool is_person)
{
    hooks->is_person = is_person;
}

bool sim_hooks_is_person(const struct sim_hooks *hooks)
{
    return hooks->is_person;
}

struct random *sim_hooks_random(struct sim_hooks *hooks)
{
    return hooks->random;
}

/* --- queueing --------------------------------------------------------------------------------- */

static void news_add(struct sim_hooks *hooks, const struct news *news)
{
    if (hooks->first_news + hooks->news_count == hooks->news_capacity) {
        if (hooks->first_news > hooks->news_capacity / 2) {
            memmove(hooks->news, news_at(hooks, 0), hooks->news_count * sizeof(*news));
            hooks->first_news = 0;
        } else {
            hooks->news_capacity = hooks->news_capacity ? 2 * hooks->news_capacity : 64;
            hooks->news = alloc_resize(hooks->news, hooks->news_capacity, sizeof(hooks->news[0]));
        }
    }
    *news_at(hooks, hooks->news_count++) = *news;
}

static int64_t lateness(struct sim_hooks *hooks)
{
    const struct sim_manner *manner = &hooks->manner;
    int64_t ms =
        manner->delay_ms ? (int64_t)random_below(hooks->random, (uint64_t)manner->delay_ms + 1) : 0;

    if (random_chance(hooks->random, (uint32_t)manner->reorders)) {
        ms += 1 + (int64_t)random_below(hooks->random, OVERTAKEN_MS);
    }
    return ms;
}

void sim_hooks_add(struct sim_hooks *hooks, int64_t target, json_t *take_event, int64_t now_ms)
{
    struct news news = {.target = target, .queued_ms = now_ms, .event = take_event};
    bool is_double = random_chance(hooks->random, (uint32_t)hooks->manner.duplicates);

    if (random_chance(hooks->random, (uint32_t)hooks->manner.drops) ||
        hooks->news_count >= PENDING_MAX) {
        hooks->lost++;
        json_decref(take_event);
        return;
    }
    news.due_ms = now_ms + lateness(hooks);
    news_add(hooks, &news);
    if (is_double) {
        news.due_ms = now_ms + lateness(hooks);
        json_incref(news.event);
        news_add(hooks, &news);
    }
}

void sim_hooks_forget(struct sim_hooks *hooks, int64_t target)
{
    size_t kept = 0;

    for (size_t i = 0; i < hooks->news_count; i++) {
        if (news_at(hooks, i)->target == target) {
            json_decref(news_at(hooks, i)->event);
        } else {
            *news_at(hooks, kept++) = *news_at(hooks, i);
        }
    }
    hooks->news_count = kept;
    for (size_t i = hooks->parcels_count; i-- > 0;) {
        if (hooks->parcels[i].shown.target == target) {
            parcel_remove(hooks, i);
        }
    }
}

/* --- parcels ---------------------------------------------------------------------------------- */

/* Waits are jittered by a tenth, so that failures of one moment do not come back in one. */
static int64_t wait_of(struct sim_hooks *hooks, const struct sim_hook_style *style,
                       const struct sim_parcel *parcel)
{
    int64_t hurry = hooks->manner.hurry ? hooks->manner.hurry : 1;
    int64_t wait_ms = style->waits_ms[parcel->attempt - 1] / hurry;

    return wait_ms + (int64_t)random_below(hooks->random, (uint64_t)wait_ms / 10 + 1);
}

static void settle(struct sim_call *call, const struct sim_hook_style *style, size_t index,
                   int status, int64_t at_ms)
{
    struct sim_hooks *hooks = call->sim->hooks;
    struct parcel *parcel = &hooks->parcels[index];
    bool is_taken = status >= 200 && status < 300;
    bool will_retry = !is_taken && (size_t)parcel->shown.attempt <= style->waits_count;

    hooks->delivered += is_taken;
    hooks->failures += !is_taken;
    hooks->dropped += !is_taken && !will_retry;
    parcel->out_until_ms = 0;
    if (style->settled) {
        struct sim_parcel shown =
            parcel->shown; /* it may forget the target, and the parcel with it */

        json_incref(shown.events);
        if (will_retry) {
            parcel->due_ms = at_ms + wait_of(hooks, style, &parcel->shown);
        } else {
            parcel_remove(hooks, index);
        }
        style->settled(call, &shown, status, will_retry);
        json_decref(shown.events);
    } else if (will_retry) {
        parcel->due_ms = at_ms + wait_of(hooks, style, &parcel->shown);
    } else {
        parcel_remove(hooks, index);
    }
}

static void note_ack(struct sim_hooks *hooks, const struct sim_hook_style *style, size_t index,
                     int64_t now_ms)
{
    int64_t handed_out_ms = hooks->parcels[index].out_until_ms - style->answer_ms;

    hooks->ack_ms[hooks->acks++ % ACKS_MAX] = (uint32_t)(now_ms - handed_out_ms);
}

/* Nobody answered in time. */
static void settle_overdue(struct sim_call *call, const struct sim_hook_style *style)
{
    struct sim_hooks *hooks = call->sim->hooks;

    for (size_t i = hooks->parcels_count; i-- > 0;) {
        if (i < hooks->parcels_count && hooks->parcels[i].out_until_ms &&
            hooks->parcels[i].out_until_ms <= call->now_ms) {
            settle(call, style, i, 0, hooks->parcels[i].out_until_ms);
        }
    }
}

static struct parcel *repeated_parcel(struct sim_hooks *hooks, int64_t now_ms)
{
    for (size_t i = 0; i < hooks->parcels_count; i++) {
        if (!hooks->parcels[i].out_until_ms && hooks->parcels[i].due_ms <= now_ms) {
            return &hooks->parcels[i];
        }
    }
    return NULL;
}

static struct parcel *parcel_add(struct sim_hooks *hooks, const struct news *first)
{
    struct parcel *parcel;

    if (hooks->parcels_count == hooks->parcels_capacity) {
        hooks->parcels_capacity = hooks->parcels_capacity ? 2 * hooks->parcels_capacity : 16;
        hooks->parcels =
            alloc_resize(hooks->parcels, hooks->parcels_capacity, sizeof(hooks->parcels[0]));
    }
    parcel = &hooks->parcels[hooks->parcels_count++];
    *parcel = (struct parcel){.shown = {.number = ++hooks->last_number,
                                        .target = first->target,
                                        .events = json_array(),
                                        .queued_ms = first->queued_ms}};
    return parcel;
}

static struct parcel *new_parcel(struct sim_hooks *hooks, const struct sim_hook_style *style,
                                 int64_t now_ms)
{
    struct parcel *parcel = NULL;

    for (size_t i = 0; i < hooks->news_count;) {
        const struct news *news = news_at(hooks, i);

        if (news->due_ms > now_ms || (parcel && news->target != parcel->shown.target)) {
            i++;
            continue;
        }
        parcel = parcel ? parcel : parcel_add(hooks, news);
        json_array_append(parcel->shown.events, news->event);
        news_remove(hooks, i);
        if (json_array_size(parcel->shown.events) == style->batch_max) {
            break;
        }
    }
    return parcel;
}

/* --- the door --------------------------------------------------------------------------------- */

void sim_hook_header(struct sim_call *call, const char *name, struct str value)
{
    sim_header(call, arena_printf(call->arena, "X-Sim-Send-%s", name).at, value);
}

bool sim_hook_url_is_here(struct str url)
{
    struct error ignored = {0};
    struct http_url parts;

    return url.len <= URL_BYTES_MAX && http_url_parse(url, &parts, &ignored) == OK &&
           parts.is_loopback;
}

static void refuse(struct sim_call *call, const char *why)
{
    sim_restart(call);
    sim_put(call->body, "{\"error\":");
    sim_put_text(call->body, str_of(why));
    buf_add_char(call->body, '}');
    sim_reply(call, 400);
}

static void hand_out(struct sim_call *call, const struct sim_hook_style *style)
{
    struct sim_hooks *hooks = call->sim->hooks;
    struct parcel *parcel;

    settle_overdue(call, style);
    while ((parcel = repeated_parcel(hooks, call->now_ms)) ||
           (parcel = new_parcel(hooks, style, call->now_ms))) {
        struct str url = STR("");

        parcel->shown.attempt++;
        if (style->put(call, &parcel->shown, &url)) {
            parcel->out_until_ms = call->now_ms + style->answer_ms;
            sim_header_i64(call, "X-Sim-Message", parcel->shown.number);
            sim_header(call, "X-Sim-Url", arena_str(call->arena, url));
            sim_reply(call, 200);
            return;
        }
        hooks->dropped++;
        sim_restart(call);
        call->response->headers.count = 0;
        parcel_remove(hooks, (size_t)(parcel - hooks->parcels));
    }
    sim_reply(call, 204);
}

static void take_answer(struct sim_call *call, const struct sim_hook_style *style,
                        const json_t *answer)
{
    struct sim_hooks *hooks = call->sim->hooks;
    struct error err = {0};
    int64_t number = 0, status = 0;

    if (jx_i64(answer, "id", &number, &err) || jx_i64(answer, "status", &status, &err)) {
        refuse(call, err.message);
        return;
    }
    settle_overdue(call, style);
    for (size_t i = 0; i < hooks->parcels_count; i++) {
        if (hooks->parcels[i].shown.number == number && hooks->parcels[i].out_until_ms) {
            if (status >= 200 && status < 300) {
                note_ack(hooks, style, i, call->now_ms);
            }
            settle(call, style, i, (int)status, call->now_ms);
            sim_put(call->body, "{\"ok\":true}");
            sim_reply(call, 200);
            return;
        }
    }
    refuse(call, "no such parcel is waiting for an answer");
}

static int by_size(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

static void show_acks(const struct sim_hooks *hooks, struct buf *body)
{
    static const int PERCENTS[] = {50, 95, 99};
    AUTO_ARENA struct arena arena = {0};
    size_t count = hooks->acks < ACKS_MAX ? hooks->acks : ACKS_MAX;
    uint32_t *sorted = ARENA_ARRAY(&arena, uint32_t, count + 1);

    memcpy(sorted, hooks->ack_ms, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, by_size);
    for (size_t i = 0; i < COUNT_OF(PERCENTS); i++) {
        size_t at = count ? (count - 1) * (size_t)PERCENTS[i] / 100 : 0;

        buf_addf(body, ",\"ack_p%d_ms\":%u", PERCENTS[i], sorted[at]);
    }
}

static void show_state(struct sim_call *call, const struct sim_hook_style *style)
{
    struct sim_hooks *hooks = call->sim->hooks;
    int64_t out = 0;

    settle_overdue(call, style);
    for (size_t i = 0; i < hooks->parcels_count; i++) {
        out += hooks->parcels[i].out_until_ms != 0;
    }
    buf_addf(call->body,
             "{\"queued\":%zu,\"waiting\":%lld,\"out\":%lld,\"delivered\":%lld,\"failures\":%lld,"
             "\"dropped\":%lld,\"lost\":%lld",
             hooks->news_count, (long long)hooks->parcels_count - (long long)out, (long long)out,
             (long long)hooks->delivered, (long long)hooks->failures, (long long)hooks->dropped,
             (long long)hooks->lost);
    show_acks(hooks, call->body);
    buf_add_char(call->body, '}');
    sim_reply(call, 200);
}

static enum fail read_percent(const json_t *order, const char *name, int64_t *ret,
                              struct error *err)
{
    int64_t percent = 0;

    if (jx_i64_or(order, name, 0, &percent, err)) {
        return err->code;
    }
    if (percent < 0 || percent > 100) {
        return error_set(err, FAIL_CONFIG, "%s goes from 0 to 100", name);
    }
    *ret = percent * PERCENT;
    return OK;
}

enum fail sim_manner_read(const json_t *order, struct sim_manner *ret, struct error *err)
{
    *ret = (struct sim_manner){0};
    if (read_percent(order, "drop_percent", &ret->drops, err) ||
        read_percent(order, "duplicate_percent", &ret->duplicates, err) ||
        read_percent(order, "reorder_percent", &ret->reorders, err) ||
        jx_i64_or(order, "delay_ms", 0, &ret->delay_ms, err) ||
        jx_i64_or(order, "hurry", 1, &ret->hurry, err)) {
        return err->code;
    }
    if (ret->delay_ms < 0 || ret->delay_ms > DAY_MS || ret->hurry < 1 || ret->hurry > 100000) {
        return error_set(err, FAIL_CONFIG, "delay_ms goes to a day, hurry from 1 to 100000");
    }
    return OK;
}

static void configure(struct sim_call *call, const struct sim_hook_style *style,
                      const json_t *order)
{
    struct error err = {0};
    struct sim_manner manner;

    if (sim_manner_read(order, &manner, &err) || style->configure(call, order, &err)) {
        refuse(call, err.message);
        return;
    }
    call->sim->hooks->manner = manner;
    sim_put(call->body, "{\"ok\":true}");
    sim_reply(call, 200);
}

bool sim_hooks_control(struct sim_call *call, const struct sim_hook_style *style)
{
    bool is_post = call->request->method == HTTP_POST;
    json_t *body = NULL;

    if (!sim_segment_is(call, 1, "webhooks") || call->segments_count > 3) {
        return false;
    }
    if (is_post && (!sim_json(call, &body) || !json_is_object(body))) {
        refuse(call, "the body has to be a JSON object");
    } else if (call->segments_count == 2 && is_post) {
        configure(call, style, body);
    } else if (call->segments_count == 2) {
        show_state(call, style);
    } else if (sim_segment_is(call, 2, "next") && !is_post) {
        hand_out(call, style);
    } else if (sim_segment_is(call, 2, "answer") && is_post) {
        take_answer(call, style, body);
    } else {
        return false;
    }
    return true;
}
