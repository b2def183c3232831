/* Findings gathered and put in order. */
#include "mapper/inspect.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "mapper/findings.h"

enum { MESSAGE_BYTES_MAX = 1024 };

struct finding *found(struct findings *findings, const struct inspected *in,
                      const struct map_entry *entry, enum gravity gravity, const char *format, ...)
{
    char message[MESSAGE_BYTES_MAX];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    if (findings->count == findings->room) {
        size_t room = findings->room ? 2 * findings->room : 16;
        struct finding *at = ARENA_ARRAY(findings->arena, struct finding, room);

        if (findings->count) {
            memcpy(at, findings->at, findings->count * sizeof *at);
        }
        findings->at = at;
        findings->room = room;
    }
    findings->at[findings->count] =
        (struct finding){.is_error = gravity == IS_ERROR,
                         .connection = in->connection,
                         .mapping = in->mapping,
                         .file = entry->file,
                         .line = entry->line,
                         .column = entry->column,
                         .message = arena_str(findings->arena, str_of(message)),
                         .hint = STR("")};
    return &findings->at[findings->count++];
}

/* By file and line, as a person works through them; several of one line keep their order. */
static void sort_findings(struct finding *at, size_t from, size_t count)
{
    for (size_t i = from + 1; i < count; i++) {
        struct finding moved = at[i];
        size_t k = i;

        while (k > from && (at[k - 1].line > moved.line ||
                            (at[k - 1].line == moved.line && at[k - 1].column > moved.column))) {
            at[k] = at[k - 1];
            k--;
        }
        at[k] = moved;
    }
}

void mapping_inspect(const struct inspected *at, size_t count, struct arena *arena,
                     struct finding **ret, size_t *ret_count)
{
    struct findings findings = {.arena = arena};

    for (size_t i = 0; i < count; i++) {
        const struct mapping *mapping = at[i].mapping;
        size_t first = findings.count;

        for (size_t k = 0; k < mapping->entries_count; k++) {
            inspect_values(&findings, &at[i], &mapping->entries[k]);
            if (at[i].schema) {
                inspect_entry(&findings, &at[i], &mapping->entries[k]);
            }
        }
        if (at[i].schema) {
            inspect_names(&findings, &at[i]);
        }
        sort_findings(findings.at, first, findings.count);
    }
    inspect_sources(&findings, at, count);
    inspect_circles(&findings, at, count);
    *ret = findings.at;
    *ret_count = findings.count;
}
