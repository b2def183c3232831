/* Rows of a listing as the API gives them, for people or as they are. */
#ifndef CRMSYNC_CLI_LISTING_H
#define CRMSYNC_CLI_LISTING_H

#include <jansson.h>

#include "cli/command.h"
#include "core/arena.h"

enum column_type {
    COLUMN_TEXT,
    COLUMN_VALUE,   /* of a record: "—" for null, lists joined with ", " */
    COLUMN_CHANGED, /* the same; "" when the row has no such member */
    COLUMN_LOST,    /* the same; "" for null as well */
    COLUMN_TIME,    /* "2026-11-21 07:05:31Z", "never" for null */
};

/* name: a member of a row; ends with NULL. */
struct listing_column {
    const char *name;
    enum column_type type;
};

/* empty: the line for people when there is no row. With --json the rows as they are. */
void listing_print(const struct cli *cli, const json_t *rows, const struct listing_column *columns,
                   const char *empty);

/* Cells. Arena's. */
struct str listing_value(struct arena *arena, const json_t *value);
struct str listing_time(struct arena *arena, const json_t *time);
/* A member of a row; "" when it is null, absent or no text. */
struct str listing_text(const json_t *row, const char *name);
int64_t listing_number(const json_t *row, const char *name);
/* A word of fail_name(); FAIL_RETRY when it is none. */
enum fail listing_fail(const json_t *row, const char *name);

#endif
