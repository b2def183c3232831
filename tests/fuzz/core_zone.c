/* TZif files: taken, then every moment has an offset, and the next stretch begins where one ends; or refused with a word. */
#include "tests/fuzz/fuzz.h"

#include "core/zone.h"

enum { SPANS_MAX = 300, OFFSET_MAX_S = 7 * 24 * 60 * 60 };

void fuzz_one(struct str input)
{
    AUTO_ARENA struct arena arena = {0};
    const struct zone *zone;
    struct error err = {0};
    int64_t at_s = INT64_C(-2208988800); /* 1900 */

    if (zone_parse(&arena, STR("Fuzz/Zone"), input, &zone, &err) != OK) {
        MUST_HOLD(err.code == FAIL_CONFIG && err.message[0], "%s", err.message);
        return;
    }
    for (int i = 0; i < SPANS_MAX; i++) {
        struct zone_span span = zone_span(zone, at_s), inner;

        MUST_HOLD(span.from_s <= at_s && at_s < span.until_s, "%" PRId64 " is outside", at_s);
        MUST_HOLD(span.offset_s > -OFFSET_MAX_S && span.offset_s < OFFSET_MAX_S, "offset %d",
                  span.offset_s);
        if (span.until_s == INT64_MAX) {
            return;
        }
        inner = zone_span(zone, at_s + (span.until_s - 1 - at_s) / 2);
        MUST_HOLD(inner.offset_s == span.offset_s, "another offset inside");
        at_s = span.until_s;
    }
}
