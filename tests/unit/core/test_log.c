/* The log: lines that are always whole, and always harmless to print. */
#include "tests/expect.h"

#include <jansson.h>
#include <pthread.h>
#include <stdlib.h>

#include "core/clock.h"
#include "core/log.h"

struct capture {
    char *text;
    size_t len;
    FILE *stream;
    struct clock *clock;
    struct log *log;
};

static void capture_begin(struct capture *c, enum log_form form, enum log_level least)
{
    c->stream = open_memstream(&c->text, &c->len);
    c->clock = clock_new_virtual(1795244731250);
    c->log = log_new(c->stream, form, least, c->clock);
}

static void capture_end(struct capture *c)
{
    log_free(c->log);
    clock_free(c->clock);
    fclose(c->stream);
    free(c->text);
}

static void one_line_in_each_form(void **state)
{
    static const struct {
        enum log_form form;
        const char *want;
    } ROWS[] = {
        {LOG_FORM_JSON,
         "{\"time\":\"2026-11-21T07:05:31.250Z\",\"level\":\"info\",\"event\":\"page applied\","
         "\"stream\":\"acme\",\"records\":100}\n"},
        {LOG_FORM_TERMINAL, "07:05:31 info  page applied  stream=acme  records=100\n"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        struct capture c;

        capture_begin(&c, ROWS[i].form, LOG_INFO);
        LOG_EVENT(c.log, LOG_INFO, "page applied", LOG_S("stream", STR("acme")),
                  LOG_I("records", 100));
        EXPECT_STR(str_of(c.text), str_of(ROWS[i].want), "line");
        capture_end(&c);
    }
}

static void levels_below_the_least_are_silent(void **state)
{
    static const char *const NAMES[] = {"debug", "info", "warn", "error"};

    (void)state;
    for (int least = LOG_DEBUG; least <= LOG_ERROR; least++) {
        for (int level = LOG_DEBUG; level <= LOG_ERROR; level++) {
            struct capture c;

            capture_begin(&c, LOG_FORM_JSON, (enum log_level)least);
            log_write(c.log, (enum log_level)level, "x", NULL, 0);
            fflush(c.stream);
            EXPECT((c.len > 0) == (level >= least), "level %d, least %d", level, least);
            EXPECT(c.len == 0 || str_contains(str_of(c.text), str_of(NAMES[level])),
                   "names its level");
            capture_end(&c);
        }
    }
}

static void no_log_is_fine(void **state)
{
    (void)state;
    log_write(NULL, LOG_ERROR, "x", NULL, 0);
    log_free(NULL);
}

static void foreign_text_cannot_break_a_line(void **state)
{
    static const struct {
        struct str text;
        const char *want; /* as JSON value */
    } ROWS[] = {
        {{"a\nb\r\t\0c", 7}, "\"a\\u000ab\\u000d\\u0009\\u0000c\""},
        {{"\x1b[31m", 5}, "\"\\u001b[31m\""},
        {{"\xc2\x9b"
          "31m",
          5},
         "\"\\u009b31m\""},
        {{"\x7f", 1}, "\"\\u007f\""},
        {{"\"\\", 2}, "\"\\\"\\\\\""},
        {{"x\xff\xc3", 3}, "\"x\xef\xbf\xbd\xef\xbf\xbd\""},
        {{"\xc3\xa4\xe2\x82\xac", 5}, "\"\xc3\xa4\xe2\x82\xac\""},
        {{NULL, 0}, "\"\""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        struct capture c;
        json_t *tree;

        capture_begin(&c, LOG_FORM_JSON, LOG_INFO);
        LOG_EVENT(c.log, LOG_WARN, "x", LOG_S("k", ROWS[i].text));
        EXPECT(str_contains(str_of(c.text), str_of(ROWS[i].want)), "row %zu: %s", i, c.text);
        tree = json_loads(c.text, JSON_ALLOW_NUL, NULL);
        EXPECT(json_is_object(tree), "row %zu stays JSON: %s", i, c.text);
        EXPECT(memchr(c.text, '\n', c.len) == c.text + c.len - 1, "row %zu stays one line", i);
        json_decref(tree);
        capture_end(&c);
    }
}

static void too_long_a_line_keeps_its_event(void **state)
{
    static char huge[20000];

    (void)state;
    memset(huge, 'x', sizeof huge - 1);
    for (int form = LOG_FORM_TERMINAL; form <= LOG_FORM_JSON; form++) {
        struct capture c;

        capture_begin(&c, (enum log_form)form, LOG_INFO);
        LOG_EVENT(c.log, LOG_WARN, "page applied", LOG_S("k", str_of(huge)));
        EXPECT(c.len < 200 && c.text[c.len - 1] == '\n', "short and whole: %zu", c.len);
        EXPECT(str_contains(str_of(c.text), STR("page applied")), "still says what happened: %s",
               c.text);
        capture_end(&c);
    }
}

static void *write_many(void *log)
{
    for (int i = 0; i < 500; i++) {
        LOG_EVENT(log, LOG_INFO, "x", LOG_S("k", STR("0123456789")), LOG_I("i", 5));
    }
    return NULL;
}

static void threads_do_not_mix_lines(void **state)
{
    struct capture c;
    pthread_t threads[4];
    struct str rest;
    size_t count = 0;

    (void)state;
    capture_begin(&c, LOG_FORM_TERMINAL, LOG_INFO);
    for (size_t i = 0; i < COUNT_OF(threads); i++) {
        EXPECT(pthread_create(&threads[i], NULL, write_many, c.log) == 0, "thread");
    }
    for (size_t i = 0; i < COUNT_OF(threads); i++) {
        pthread_join(threads[i], NULL);
    }
    for (rest = str_of(c.text); rest.len; count++) {
        EXPECT_STR(str_cut(&rest, '\n'), STR("07:05:31 info  x  k=0123456789  i=5"), "line");
    }
    EXPECT(count == 2000, "all lines: %zu", count);
    capture_end(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_line_in_each_form),
        cmocka_unit_test(levels_below_the_least_are_silent),
        cmocka_unit_test(no_log_is_fine),
        cmocka_unit_test(foreign_text_cannot_break_a_line),
        cmocka_unit_test(too_long_a_line_keeps_its_event),
        cmocka_unit_test(threads_do_not_mix_lines),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
