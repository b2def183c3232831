/* A plan on disk: JSON lines. The first says under which circumstances it was made, then one line for each change in the order of the run, the last
 * sums up and proves that the file is whole. Names of members: docs/plans.md. */
#ifndef CRMSYNC_SYNC_PLAN_FILE_H
#define CRMSYNC_SYNC_PLAN_FILE_H

#include <jansson.h>
#include <stdio.h>

#include "core/digest.h"
#include "sync/gate.h"
#include "sync/sync.h"

enum { PLAN_FORMAT = 1, PLAN_LINE_BYTES_MAX = 16 * 1024 * 1024 };

/* One change as its line. title: for people, "" none. New reference. */
json_t *plan_change_json(const struct change *change, struct str title);
/* The change of a line; texts are arena's. FAIL_CONFIG: not such a line. */
enum fail plan_change_read(const json_t *line, struct arena *arena, struct change *ret,
                           struct error *err) MUST_CHECK;
/* Equal for the same change in a plan and in the run that applies it: ids that only the run knows, and words for people, do not count. */
struct digest plan_change_digest(const struct change *change, struct arena *arena);

/* The first line: options, accounts and mappings in force. New reference. */
json_t *plan_head_json(const struct sync *sync, const struct sync_options *options);
/* FAIL_CONFIG, saying what is different, when the plan was made under other circumstances. Sets the options of the run; texts are arena's. */
enum fail plan_head_check(const json_t *head, const struct sync *sync, struct arena *arena,
                          struct sync_options *ret, struct error *err) MUST_CHECK;

/* Reads a plan line by line. */
struct plan_reader {
    FILE *file;
    const char *path;
    char *line; /* owned */
    size_t line_size;
    int64_t number;
};
enum fail plan_reader_open(const char *path, struct plan_reader *ret, struct error *err) MUST_CHECK;
/* ret NULL after the last line. The tree is arena's. FAIL_CONFIG with the line's number. */
enum fail plan_reader_next(struct plan_reader *reader, struct arena *arena, json_t **ret,
                           struct error *err) MUST_CHECK;
void plan_reader_close(struct plan_reader *reader); /* accepts zeroed */
#define AUTO_PLAN_READER __attribute__((cleanup(plan_reader_close)))

#endif
