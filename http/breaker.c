#include "http/breaker.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

#include "core/alloc.h"

enum { REASON_BYTES = 240 };

struct breaker {
    struct breaker *next;
    char *host; /* owned */
    int failures;
    int64_t open_until_ms; /* monotonic; 0 = closed */
    bool is_probing;       /* half open: one request is out to look */
    char reason[REASON_BYTES];
};

struct breakers {
    pthread_mutex_t mutex; /* guards the list and all in it */
    struct clock *clock;   /* borrowed */
    struct breaker *first;
};

struct breakers *breakers_new(struct clock *clock)
{
    struct breakers *breakers = alloc_new(1, sizeof *breakers);
    int failed = pthread_mutex_init(&breakers->mutex, NULL);

    assert(failed == 0);
    breakers->clock = clock;
    return breakers;
}

void breakers_free(struct breakers *breakers)
{
    if (!breakers) {
        return;
    }
    while (breakers->first) {
        struct breaker *next = breakers->first->next;

        free(breakers->first->host);
        free(breakers->first);
        breakers->first = next;
    }
    pthread_mutex_destroy(&breakers->mutex);
    free(breakers);
}

/* The number of hosts is bounded by the allow-list and the accounts behind its patterns. */
static struct breaker *breaker_of(struct breakers *breakers, struct str host)
{
    struct breaker *breaker = breakers->first;

    while (breaker && !str_equal_nocase(str_of(breaker->host), host)) {
        breaker = breaker->next;
    }
    if (!breaker) {
        breaker = alloc_new(1, sizeof *breaker);
        breaker->host = alloc_printf("%" PRI_STR, STR_ARG(host));
        breaker->next = breakers->first;
        breakers->first = breaker;
    }
    return breaker;
}

static int64_t refuse(const struct breaker *breaker, int64_t wait_ms, struct error *err)
{
    error_set(err, FAIL_THROTTLED, "%s failed %d times in a row and is left alone for %lld s: %s",
              breaker->host, breaker->failures, (long long)(wait_ms + 999) / 1000, breaker->reason);
    error_hint(err, "the next sync tries again; if this lasts, check the connection's address and "
                    "the CRM's status page");
    err->wait_ms = wait_ms;
    err->is_silent = true;
    return wait_ms;
}

int64_t breakers_ask(struct breakers *breakers, struct str host, struct error *err)
{
    struct breaker *breaker;
    int64_t now_ms = clock_mono_ms(breakers->clock);
    int64_t wait_ms = 0;

    pthread_mutex_lock(&breakers->mutex);
    breaker = breaker_of(breakers, host);
    if (breaker->open_until_ms > now_ms) {
        wait_ms = refuse(breaker, breaker->open_until_ms - now_ms, err);
    } else if (breaker->open_until_ms && breaker->is_probing) {
        wait_ms = refuse(breaker, BREAKER_PROBE_WAIT_MS, err);
    } else if (breaker->open_until_ms) {
        breaker->is_probing = true;
    }
    pthread_mutex_unlock(&breakers->mutex);
    return wait_ms;
}

static void note_failure(struct breaker *breaker, int64_t now_ms, const char *reason)
{
    /* Requests that were under way when it opened fail late: they do not keep it open longer. */
    bool is_late = breaker->open_until_ms && !breaker->is_probing;

    if (is_late) {
        return;
    }
    breaker->failures++;
    breaker->is_probing = false;
    snprintf(breaker->reason, sizeof breaker->reason, "%s", reason);
    if (breaker->failures >= BREAKER_FAILURES_MAX) {
        breaker->open_until_ms = now_ms + BREAKER_OPEN_MS;
    }
}

void breakers_report(struct breakers *breakers, struct str host, enum breaker_sign sign,
                     const char *reason)
{
    struct breaker *breaker;

    pthread_mutex_lock(&breakers->mutex);
    breaker = breaker_of(breakers, host);
    switch (sign) {
    case BREAKER_ALIVE:
        breaker->failures = 0;
        breaker->open_until_ms = 0;
        breaker->is_probing = false;
        break;
    case BREAKER_FAILED:
        note_failure(breaker, clock_mono_ms(breakers->clock), reason);
        break;
    case BREAKER_SILENT:
        breaker->is_probing = false;
        break;
    }
    pthread_mutex_unlock(&breakers->mutex);
}
