/* Times, base64 and decimals: what was read is written, and read as the same. */
#include "tests/fuzz/fuzz.h"

#include "core/base64.h"
#include "core/decimal.h"
#include "core/when.h"

static void times(struct str input)
{
    char text[WHEN_TEXT_BYTES];
    int64_t ms, again;

    if (when_parse_ms(input, &ms)) {
        when_format_ms(ms, text);
        MUST_HOLD(when_parse_ms(str_of(text), &again) && again == ms, "%s", text);
        when_format_seconds(ms, text);
        MUST_HOLD(when_parse_ms(str_of(text), &again) && again <= ms && ms - again < 1000, "%s",
                  text);
    }
    if (when_parse_http_ms(input, &ms)) {
        when_format_http(ms, text);
        MUST_HOLD(when_parse_http_ms(str_of(text), &again) && again == ms, "%s", text);
    }
    if (when_is_date(input)) {
        MUST_HOLD(when_parse_ms(input, &ms) && ms % (24 * 60 * 60 * 1000) == 0,
                  "a date's midnight");
    }
}

static void decimals(struct str input, struct arena *arena)
{
    struct str normal, again;

    if (decimal_canonical(arena, input, 0, &normal)) {
        MUST_HOLD(decimal_compare(normal, normal) == 0, "equal to itself");
        MUST_HOLD(decimal_canonical(arena, normal, 0, &again) && str_equal(normal, again),
                  "%" PRI_STR " became %" PRI_STR, STR_ARG(normal), STR_ARG(again));
    }
}

static void codes(struct str input, struct arena *arena)
{
    struct str plain;

    MUST_HOLD(
        base64_decode(arena, base64_encode(arena, input.at ? input.at : "", input.len), &plain) &&
            str_equal(plain, input),
        "base64");
    if (base64_decode(arena, input, &plain)) {
        MUST_HOLD(plain.len <= input.len, "never longer");
    }
}

void fuzz_one(struct str input)
{
    AUTO_ARENA struct arena arena = {0};

    times(input);
    decimals(input, &arena);
    codes(input, &arena);
}
