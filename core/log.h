/* Structured logging: an event name and typed fields. People on a terminal get one readable line, everything else gets
 * JSON lines. Values of records and secrets are never logged: there is no field type for them. */
#ifndef CRMSYNC_CORE_LOG_H
#define CRMSYNC_CORE_LOG_H

#include <stdint.h>
#include <stdio.h>

#include "core/attributes.h"
#include "core/str.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };
enum log_form { LOG_FORM_TERMINAL, LOG_FORM_JSON };

struct clock;
struct log;

/* stream is borrowed and must outlive the log. Any thread may log. */
struct log *log_new(FILE *stream, enum log_form form, enum log_level least, struct clock *clock);
void log_free(struct log *log); /* accepts NULL */

enum log_field_type { LOG_FIELD_STR, LOG_FIELD_I64 };
struct log_field {
    const char *name;
    enum log_field_type type;
    struct str text;
    int64_t number;
};
#define LOG_S(name_, text_)                                                                        \
    ((struct log_field){.name = (name_), .type = LOG_FIELD_STR, .text = (text_)})
#define LOG_I(name_, number_)                                                                      \
    ((struct log_field){.name = (name_), .type = LOG_FIELD_I64, .number = (number_)})

/* log may be NULL. event: stable lower-case words, "page applied". Control characters are escaped. */
void log_write(struct log *log, enum log_level level, const char *event,
               const struct log_field *fields, size_t fields_count);
#define LOG_EVENT(log, level, event, ...)                                                          \
    log_write((log), (level), (event), (const struct log_field[]){__VA_ARGS__},                    \
              sizeof((const struct log_field[]){__VA_ARGS__}) / sizeof(struct log_field))

#endif
