/* What commands print: tables for people (libsmartcols: right with wide scripts), JSON for programs, values and times as text. */
#ifndef CRMSYNC_CLI_OUTPUT_H
#define CRMSYNC_CLI_OUTPUT_H

#include <jansson.h>

#include "api/json.h"
#include "cli/command.h"
#include "store/journal.h"
#include "store/review.h"

/* A table that is printed as columns, or as a JSON array of objects with the same names. Cells are copied. */
struct table;

/* names: column names, NULL-terminated; they become headings (upper case) and JSON keys. */
struct table *table_new(const struct cli *cli, const char *const *names);
void table_row(struct table *table);
/* Adds the next cell of the current row. */
void table_text(struct table *table, struct str text);
void table_number(struct table *table, int64_t number);
/* Prints and frees. empty: the line for people when there is no row. */
void table_print(struct table *table, const char *empty);

/* Prints a JSON value with a newline and frees it. */
void print_json(json_t *take_value);
/* "2026-11-21 07:05:31Z"; "never" for 0. */
struct str time_text(struct arena *arena, int64_t ms);
/* "3 s ago", "2 h ago". */
struct str ago_text(struct arena *arena, int64_t now_ms, int64_t ms);

#endif
