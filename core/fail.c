#include "core/fail.h"

#include <stdarg.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

/* A message cut in the middle of a UTF-8 character would not be printable JSON. */
static void trim_utf8(char *text)
{
    size_t len = strlen(text);
    size_t back = 0;

    while (back < 4 && back < len && ((unsigned char)text[len - 1 - back] & 0xC0) == 0x80) {
        back++;
    }
    if (back < len) {
        unsigned char lead = (unsigned char)text[len - 1 - back];
        size_t wants = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;

        if (wants != back + 1 && lead >= 0xC0) {
            text[len - 1 - back] = '\0';
        }
    }
}

enum fail error_set(struct error *err, enum fail code, const char *format, ...)
{
    va_list arguments;
    char message[ERROR_MESSAGE_BYTES]; /* format arguments may point into err */

    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    error_reset(err);
    err->code = code;
    memcpy(err->message, message, sizeof message);
    trim_utf8(err->message);
    return code;
}

enum fail error_wrap(struct error *err, const char *format, ...)
{
    va_list arguments;
    char phrase[ERROR_MESSAGE_BYTES];
    char message[2 * ERROR_MESSAGE_BYTES + 4];

    va_start(arguments, format);
    vsnprintf(phrase, sizeof phrase, format, arguments);
    va_end(arguments);
    snprintf(message, sizeof message, "%s: %s", phrase, err->message);
    message[ERROR_MESSAGE_BYTES - 1] = '\0';
    memcpy(err->message, message, ERROR_MESSAGE_BYTES);
    trim_utf8(err->message);
    return err->code;
}

enum fail error_hint(struct error *err, const char *format, ...)
{
    va_list arguments;
    char hint[ERROR_HINT_BYTES];

    va_start(arguments, format);
    vsnprintf(hint, sizeof hint, format, arguments);
    va_end(arguments);
    memcpy(err->hint, hint, sizeof hint);
    trim_utf8(err->hint);
    return err->code;
}

void error_reset(struct error *err)
{
    *err = (struct error){0};
}

const char *fail_name(enum fail code)
{
    switch (code) {
    case OK:
        return "ok";
    case FAIL_RECORD:
        return "record";
    case FAIL_STALE:
        return "stale";
    case FAIL_THROTTLED:
        return "throttled";
    case FAIL_RETRY:
        return "retry";
    case FAIL_AUTH:
        return "auth";
    case FAIL_CONNECTION:
        return "connection";
    case FAIL_CONFIG:
        return "config";
    case FAIL_CANCELLED:
        return "cancelled";
    case FAIL_STOP:
        return "stop";
    case FAIL_BUG:
        return "bug";
    }
    abort();
}
