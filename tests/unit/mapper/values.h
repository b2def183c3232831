/* Values made up for property tests: mostly of the shape that a transform is for, sometimes anything. */
#ifndef CRMSYNC_TESTS_UNIT_MAPPER_VALUES_H
#define CRMSYNC_TESTS_UNIT_MAPPER_VALUES_H

#include <inttypes.h>
#include <jansson.h>

#include "core/arena.h"
#include "core/random.h"

enum shape {
    SHAPE_WORDS,
    SHAPE_NUMBER,
    SHAPE_TIME,
    SHAPE_DAY,
    SHAPE_BOOLEAN,
    SHAPE_PHONE,
    SHAPE_ADDRESS, /* URLs, domains, e-mail addresses */
    SHAPE_LIST,    /* "a;b" */
    SHAPE_ID,
    SHAPE_MARKUP,
    SHAPES
};

static inline size_t below(struct random *random, size_t bound)
{
    return (size_t)random_below(random, bound);
}

#define PICK(random, words) ((words)[below((random), sizeof(words) / sizeof *(words))])

static inline struct str made_pieces(struct random *random, struct arena *arena,
                                     const char *const *pieces, size_t pieces_count, size_t most)
{
    size_t count = below(random, most + 1);
    struct str text = STR("");

    for (size_t i = 0; i < count; i++) {
        text = arena_printf(arena, "%" PRI_STR "%s", STR_ARG(text),
                            pieces[below(random, pieces_count)]);
    }
    return text;
}

#define PIECES(random, arena, words, most)                                                         \
    made_pieces((random), (arena), (words), sizeof(words) / sizeof *(words), (most))

/* Composed and decomposed letters, case that changes length, right-to-left, emoji, white space of all kinds, control characters. */
static const char *const WORD_PIECES[] = {"a",
                                          "B",
                                          "z",
                                          " ",
                                          "  ",
                                          "\t",
                                          "\n",
                                          "\r\n",
                                          "-",
                                          "'",
                                          "\"",
                                          "\\",
                                          "0",
                                          "9",
                                          "%",
                                          "\xC3\x9F",
                                          "\xC3\x84",
                                          "A\xCC\x88",
                                          "e\xCC\x81",
                                          "\xC4\xB0",
                                          "\xD7\xA9",
                                          "\xE2\x80\x8F",
                                          "\xF0\x9F\x98\x80",
                                          "\xC2\xA0",
                                          "\x01",
                                          "\x7f",
                                          "\xEF\xAC\x81",
                                          "\xE1\xBA\x9E",
                                          "null",
                                          "true"};
static const char *const NUMBER_PIECES[] = {"0", "1", "5", "9", "00", "-",
                                            "+", ".", "e", "E", "12"};
static const char *const PHONE_PIECES[] = {"0", "1", "49", "030", "+", "00", " ",     "-",  "(",
                                           ")", "/", ".",  "ext", "x", "#",  ";ext=", "12", "555"};
static const char *const ADDRESS_PIECES[] = {
    "http", "HTTPS", "://", "www.", "acme", "Acme",  ".", "com", "co.uk",    "/",
    "?",    "#",     "@",   ":",    "80",   "shop.", " ", "x=1", "\xC3\xBC", ".."};
static const char *const LIST_PIECES[] = {"a", "b", "B", ";", ";;", " ", "c d", "\xC3\xA4", "1"};
/* Whole and broken markup, entities of all kinds. */
static const char *const MARKUP_PIECES[] = {"<p>",
                                            "</p>",
                                            "<br>",
                                            "<br/>",
                                            "<div class='x'>",
                                            "</div>",
                                            "<b>",
                                            "</b>",
                                            "<ul><li>",
                                            "</li></ul>",
                                            "<li>",
                                            "<table><tr><td>",
                                            "</td><td>",
                                            "</table>",
                                            "<script>x<y</script>",
                                            "<style>p{}</style>",
                                            "<!-- c -->",
                                            "<!DOCTYPE html>",
                                            "&amp;",
                                            "&lt;p&gt;",
                                            "&nbsp;",
                                            "&eacute;",
                                            "&#8364;",
                                            "&#0;",
                                            "&unknown;",
                                            "&",
                                            "<",
                                            ">",
                                            "<a href=\"https://a.example/?a=1&b=2\">",
                                            "</a>",
                                            "<html><body>",
                                            "</body></html>",
                                            "<pre>",
                                            "</pre>",
                                            "\n",
                                            " ",
                                            "a",
                                            "B c",
                                            "\xC3\xA4",
                                            "- "};
static const char *const BOOLEANS[] = {"true", "false", "TRUE",   "No", "yes",
                                       "0",    "1",     " true ", "on"};

static inline struct str made_number(struct random *random, struct arena *arena)
{
    int64_t digits = (int64_t)random_u64(random) >> below(random, 64);

    switch (below(random, 5)) {
    case 0:
        return PIECES(random, arena, NUMBER_PIECES, 8);
    case 1:
        return arena_printf(arena, "%" PRId64, digits);
    case 2:
        return arena_printf(arena, "%" PRId64 "e%d", digits, (int)below(random, 60) - 30);
    case 3:
        return arena_printf(arena, "%.*f", (int)below(random, 12), (double)digits / 1000.0);
    default:
        return arena_printf(arena, "%" PRId64 ".%0*d", digits % 100000, (int)below(random, 9) + 1,
                            (int)below(random, 1000));
    }
}

static inline struct str made_day(struct random *random, struct arena *arena)
{
    return arena_printf(arena, "%04zu-%02zu-%02zu", below(random, 30) ? 1 + below(random, 9999) : 0,
                        1 + below(random, 12), 1 + below(random, 31));
}

static inline struct str made_time(struct random *random, struct arena *arena)
{
    static const char *const ZONES[] = {"Z", "", "+00:00", "-05:00", "+1345", "+23:59", "-23:59"};
    static const char *const FRACTIONS[] = {"", ".5", ".250", ".999999999", ".0001"};

    switch (below(random, 4)) {
    case 0: /* around the ends of the calendar as well */
        return arena_printf(arena, "%" PRId64,
                            (int64_t)random_below(random, UINT64_C(320000000000000)) -
                                INT64_C(64000000000000));
    case 1:
        return made_day(random, arena);
    case 2:
        return arena_printf(arena, "%" PRIu64, random_below(random, 40000) * 86400000);
    default:
        return arena_printf(arena, "%" PRI_STR "%s%02zu:%02zu:%02zu%s%s",
                            STR_ARG(made_day(random, arena)), below(random, 4) ? "T" : " ",
                            below(random, 24), below(random, 60), below(random, 60),
                            PICK(random, FRACTIONS), PICK(random, ZONES));
    }
}

static inline struct str made_text(struct random *random, enum shape shape, struct arena *arena)
{
    if (below(random, 20) == 0) {
        shape = (enum shape)below(random, SHAPES);
    }
    switch (shape) {
    case SHAPE_WORDS:
        return PIECES(random, arena, WORD_PIECES, 8);
    case SHAPE_NUMBER:
        return made_number(random, arena);
    case SHAPE_TIME:
        return made_time(random, arena);
    case SHAPE_DAY:
        return made_day(random, arena);
    case SHAPE_BOOLEAN:
        return str_of(PICK(random, BOOLEANS));
    case SHAPE_PHONE:
        return PIECES(random, arena, PHONE_PIECES, 8);
    case SHAPE_ADDRESS:
        return PIECES(random, arena, ADDRESS_PIECES, 8);
    case SHAPE_LIST:
        return PIECES(random, arena, LIST_PIECES, 8);
    case SHAPE_MARKUP:
        return PIECES(random, arena, MARKUP_PIECES, 14);
    case SHAPE_ID:
    case SHAPES:
        break;
    }
    return arena_printf(arena, "%zu", below(random, 12));
}

/* As the CRM may hold it: text, number, boolean or null. Owned by the caller. */
static inline json_t *made_scalar(struct random *random, enum shape shape, struct arena *arena)
{
    struct str text = made_text(random, shape, arena);

    switch (below(random, 8)) {
    case 0:
        return json_integer((int64_t)random_u64(random) >> below(random, 64));
    case 1:
        return below(random, 2) ? json_boolean(below(random, 2)) : json_null();
    case 2:
        return json_real((double)((int64_t)random_u64(random) >> below(random, 64)) /
                         (double)(1 + below(random, 1000)));
    default:
        return json_stringn(text.at, text.len);
    }
}

#endif
