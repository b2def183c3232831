#include "sync/remedy.h"

#include <stdlib.h>

#include "http/limits.h"

bool remedy_is_silence(const struct error *err)
{
    return err->code == FAIL_RETRY || (err->code == FAIL_THROTTLED && err->is_silent);
}

struct next remedy_for(const struct error *err, int attempt, struct random *random)
{
    switch (err->code) {
    case OK:
        return (struct next){.action = NEXT_GO_ON};
    case FAIL_RECORD:
        return (struct next){.action = NEXT_SET_ASIDE};
    case FAIL_STALE:
        return (struct next){.action = NEXT_READ_AGAIN};
    case FAIL_THROTTLED:
        if (err->is_silent && attempt >= REMEDY_ATTEMPTS_MAX) {
            return (struct next){.action = NEXT_PAUSE_CONNECTION};
        }
        return (struct next){.action = NEXT_REPEAT,
                             .wait_ms = err->wait_ms > 0 ? err->wait_ms : REMEDY_BASE_MS};
    case FAIL_RETRY:
        if (attempt >= REMEDY_ATTEMPTS_MAX) {
            return (struct next){.action = NEXT_PAUSE_CONNECTION};
        }
        return (struct next){
            .action = NEXT_REPEAT,
            .wait_ms = 1 + backoff_full_jitter_ms(random, attempt, REMEDY_BASE_MS, REMEDY_CAP_MS)};
    case FAIL_AUTH:
    case FAIL_CONNECTION:
    case FAIL_CONFIG:
        return (struct next){.action = NEXT_PAUSE_CONNECTION};
    case FAIL_CANCELLED:
    case FAIL_STOP:
    case FAIL_BUG:
        return (struct next){.action = NEXT_STOP_RUN};
    }
    abort(); /* enum fail is closed: -Wswitch finds a forgotten case */
}
