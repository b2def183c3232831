#include "core/log.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>

#include "core/alloc.h"
#include "core/clock.h"
#include "core/unicode.h"
#include "core/when.h"

enum { LINE_BYTES_MAX = 8192 };

struct log {
    FILE *stream; /* borrowed */
    enum log_form form;
    enum log_level least;
    struct clock *clock; /* borrowed */
    pthread_mutex_t lock;
};

struct log *log_new(FILE *stream, enum log_form form, enum log_level least, struct clock *clock)
{
    struct log *log = alloc_new(1, sizeof *log);

    log->stream = stream;
    log->form = form;
    log->least = least;
    log->clock = clock;
    pthread_mutex_init(&log->lock, NULL);
    return log;
}

void log_free(struct log *log)
{
    if (log) {
        pthread_mutex_destroy(&log->lock);
        free(log);
    }
}

static const char *level_name(enum log_level level)
{
    switch (level) {
    case LOG_DEBUG:
        return "debug";
    case LOG_INFO:
        return "info";
    case LOG_WARN:
        return "warn";
    case LOG_ERROR:
        return "error";
    }
    return "error";
}

/* True for a control character at text[i]: C0, DEL, and C1 (two bytes, C2 80 to C2 9F). */
static bool is_control(struct str text, size_t i, unsigned *ret_code, size_t *ret_len)
{
    unsigned char c = (unsigned char)text.at[i];
    unsigned char next = i + 1 < text.len ? (unsigned char)text.at[i + 1] : 0;

    *ret_len = 1;
    *ret_code = c;
    if (c == 0xC2 && next >= 0x80 && next <= 0x9F) {
        *ret_len = 2;
        *ret_code = next;
        return true;
    }
    return c < 0x20 || c == 0x7F;
}

static void add_valid(struct buf *line, struct str text)
{
    for (size_t i = 0, len; i < text.len; i += len) {
        unsigned code;

        if (is_control(text, i, &code, &len)) {
            buf_addf(line, "\\u%04x", code);
        } else {
            if (text.at[i] == '"' || text.at[i] == '\\') {
                buf_add_char(line, '\\');
            }
            buf_add_char(line, text.at[i]);
        }
    }
}

/* JSON string rules; they serve the terminal too, since no control character gets through. */
static void add_escaped(struct buf *line, struct str text)
{
    size_t good = utf8_valid_prefix(text);

    while (good < text.len) {
        add_valid(line, str_slice(text, 0, good));
        buf_add(line, STR(UTF8_REPLACEMENT));
        text = str_slice(text, good + 1, text.len);
        good = utf8_valid_prefix(text);
    }
    add_valid(line, text);
}

static void add_json(struct buf *line, const char *time, enum log_level level, const char *event,
                     const struct log_field *fields, size_t count)
{
    buf_addf(line, "{\"time\":\"%s\",\"level\":\"%s\",\"event\":\"%s\"", time, level_name(level),
             event);
    for (size_t i = 0; i < count; i++) {
        buf_addf(line, ",\"%s\":", fields[i].name);
        if (fields[i].type == LOG_FIELD_I64) {
            buf_addf(line, "%" PRId64, fields[i].number);
        } else {
            buf_add_char(line, '"');
            add_escaped(line, fields[i].text);
            buf_add_char(line, '"');
        }
    }
    buf_add(line, STR("}\n"));
}

static void add_terminal(struct buf *line, const char *time, enum log_level level,
                         const char *event, const struct log_field *fields, size_t count)
{
    buf_addf(line, "%.8s %-5s %s", time + 11, level_name(level), event);
    for (size_t i = 0; i < count; i++) {
        buf_addf(line, "  %s=", fields[i].name);
        if (fields[i].type == LOG_FIELD_I64) {
            buf_addf(line, "%" PRId64, fields[i].number);
        } else {
            add_escaped(line, fields[i].text);
        }
    }
    buf_add_char(line, '\n');
}

void log_write(struct log *log, enum log_level level, const char *event,
               const struct log_field *fields, size_t fields_count)
{
    AUTO_BUF struct buf line = {0};
    char time[WHEN_TEXT_BYTES];

    if (!log || level < log->least) {
        return;
    }
    buf_init(&line, LINE_BYTES_MAX);
    when_format_ms(clock_wall_ms(log->clock), time);
    (log->form == LOG_FORM_JSON ? add_json : add_terminal)(&line, time, level, event, fields,
                                                           fields_count);
    if (line.is_full) {
        struct log_field note = LOG_S("note", STR("the fields were too long for a log line"));

        buf_reset(&line);
        (log->form == LOG_FORM_JSON ? add_json : add_terminal)(&line, time, level, event, &note, 1);
    }
    pthread_mutex_lock(&log->lock);
    fwrite(line.at, 1, line.len, log->stream);
    fflush(log->stream);
    pthread_mutex_unlock(&log->lock);
}
