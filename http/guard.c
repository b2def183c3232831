#include "http/guard.h"

#include <stdlib.h>
#include <sys/socket.h>

#include "core/alloc.h"

enum { LENGTH_DIGITS_MAX = 18 };

struct guard_entry {
    uint64_t cookie; /* the kernel's name of the socket: a file descriptor is soon another's */
    int64_t since_ms;
    struct address_ip ip;
    bool is_open;
    bool is_busy;
};

static bool has_control(struct str text, bool tab_is_fine)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.at[i];

        if (c == 0x7F || (c < ' ' && !(tab_is_fine && c == '\t'))) {
            return true;
        }
    }
    return false;
}

/* source: RFC 9110 section 5.6.2, token */
static bool is_token(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.at[i];

        if (c <= ' ' || c >= 0x7F || strchr("\"(),/:;<=>?@[\\]{}", c)) {
            return false;
        }
    }
    return text.len > 0;
}

static bool is_length(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] < '0' || text.at[i] > '9') {
            return false;
        }
    }
    return text.len > 0 && text.len <= LENGTH_DIGITS_MAX;
}

static bool is_zero(struct str digits)
{
    while (digits.len && digits.at[0] == '0') {
        digits = str_slice(digits, 1, digits.len);
    }
    return digits.len == 0;
}

void guard_note_header(struct guard_framing *framing, struct str name, struct str value)
{
    if (!is_token(name) || has_control(value, true)) {
        framing->is_bad = true;
    } else if (str_equal_nocase(name, STR("host"))) {
        framing->hosts++;
        framing->is_bad = framing->is_bad || value.len == 0;
    } else if (str_equal_nocase(name, STR("content-length"))) {
        framing->lengths++;
        framing->has_body = framing->has_body || !is_zero(value);
        framing->is_bad = framing->is_bad || !is_length(value);
    } else if (str_equal_nocase(name, STR("transfer-encoding"))) {
        framing->encodings++;
        framing->has_body = true;
        framing->is_bad = framing->is_bad || !str_equal_nocase(value, STR("chunked"));
    }
}

bool guard_framing_ok(const struct guard_framing *framing)
{
    return !framing->is_bad && framing->hosts == 1 && framing->lengths + framing->encodings <= 1;
}

bool guard_target_ok(struct str target)
{
    for (size_t i = 0; i < target.len; i++) {
        unsigned char c = (unsigned char)target.at[i];

        if (c <= ' ' || c >= 0x7F) {
            return false;
        }
    }
    return target.len > 0 && target.at[0] == '/' && !str_contains(target, STR("%00"));
}

static bool cookie_of(int fd, uint64_t *ret)
{
    socklen_t bytes = sizeof *ret;

    return getsockopt(fd, SOL_SOCKET, SO_COOKIE, ret, &bytes) == 0;
}

void guard_table_fini(struct guard_table *table)
{
    free(table->at);
    *table = (struct guard_table){0};
}

/* The number of descriptors is bounded by the system's limit. */
static struct guard_entry *entry_at(struct guard_table *table, int fd)
{
    size_t index = (size_t)fd;

    if (index >= table->capacity) {
        size_t capacity = (index + 64) * 2;

        table->at = alloc_resize(table->at, capacity, sizeof *table->at);
        memset(table->at + table->capacity, 0, (capacity - table->capacity) * sizeof *table->at);
        table->capacity = capacity;
    }
    return &table->at[index];
}

void guard_opened(struct guard_table *table, int fd, int64_t now_ms)
{
    struct guard_entry *entry;
    uint64_t cookie;

    if (fd < 0 || !cookie_of(fd, &cookie)) {
        return; /* closed already */
    }
    entry = entry_at(table, fd);
    if (entry->is_open && entry->cookie == cookie) {
        return; /* its first request was quicker than this notice */
    }
    table->open_count += entry->is_open ? 0 : 1;
    *entry = (struct guard_entry){.cookie = cookie, .since_ms = now_ms, .is_open = true};
}

int guard_set_address(struct guard_table *table, int fd, const struct address_ip *ip)
{
    int count = 0;

    if (fd >= 0 && (size_t)fd < table->capacity) {
        table->at[fd].ip = *ip;
    }
    for (size_t i = 0; i < table->capacity; i++) {
        const struct guard_entry *entry = &table->at[i];

        count += entry->is_open && memcmp(&entry->ip, ip, sizeof *ip) == 0 ? 1 : 0;
    }
    return count;
}

static void set_state(struct guard_table *table, int fd, int64_t now_ms, bool is_busy)
{
    guard_opened(table, fd, now_ms);
    if (fd >= 0 && (size_t)fd < table->capacity && table->at[fd].is_open) {
        table->at[fd].is_busy = is_busy;
        table->at[fd].since_ms = now_ms;
    }
}

void guard_set_busy(struct guard_table *table, int fd, int64_t now_ms)
{
    set_state(table, fd, now_ms, true);
}

void guard_set_idle(struct guard_table *table, int fd, int64_t now_ms)
{
    set_state(table, fd, now_ms, false);
}

void guard_sweep(struct guard_table *table, int64_t now_ms, int64_t deadline_ms)
{
    for (size_t i = 0; i < table->capacity; i++) {
        struct guard_entry *entry = &table->at[i];
        uint64_t cookie;

        if (!entry->is_open) {
            continue;
        }
        if (!cookie_of((int)i, &cookie) || cookie != entry->cookie) {
            *entry = (struct guard_entry){0};
            table->open_count--;
        } else if (!entry->is_busy && now_ms - entry->since_ms >= deadline_ms) {
            shutdown((int)i, SHUT_RDWR); /* the server sees the end and closes it */
        }
    }
}
