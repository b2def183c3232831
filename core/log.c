#include "core/log.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>

#include "core/alloc.h"
#include "core/clock.h"
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

/* JSON string rules; they serve the terminal too, since no control character gets through. */
static void add_escaped(struct buf *line, struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.at[i];

        if (c == '"' || c == '\\') {
            buf_add_char(line, '\\');
            buf_add_char(line, (char)c);
        } else if (c < 0x20 || c == 0x7f) {
            buf_addf(line, "\\u%04x", c);
        } else {
            buf_add_char(line, (char)c);
        }
    }
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
        buf_reset(&line);
        add_json(&line, time, level, "log line too long", NULL, 0);
    }
    pthread_mutex_lock(&log->lock);
    fwrite(line.at, 1, line.len, log->stream);
    fflush(log->stream);
    pthread_mutex_unlock(&log->lock);
}
