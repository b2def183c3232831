/* What commands print: tables for people (libsmartcols: right with wide scripts), JSON for programs, values and times as text. */
#ifndef CRMSYNC_CLI_OUTPUT_H
#define CRMSYNC_CLI_OUTPUT_H

#include <jansson.h>

#include "cli/command.h"
#include "core/fields.h"
#include "store/journal.h"
#include "store/record.h"
#include "store/review.h"
#include "store/run.h"

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
json_t *json_text(struct str text); /* invalid UTF-8 is replaced */
json_t *json_value(const struct value *value);
json_t *json_fields(const struct fields *fields);
json_t *json_counts(const struct run_counts *counts);
json_t *json_time(int64_t ms); /* ISO text, null for 0 */
json_t *json_record(const struct store_record *record);

/* "—" for null and absent, lists joined with ", ", control characters replaced. Arena's. */
struct str value_text(struct arena *arena, const struct value *value);
/* "2026-11-21 07:05:31Z"; "never" for 0. */
struct str time_text(struct arena *arena, int64_t ms);
/* "3 s ago", "2 h ago". */
struct str ago_text(struct arena *arena, int64_t now_ms, int64_t ms);
/* Name of a record for people: its title field, e-mail or names; else the beginning of its id. */
struct str record_title(struct arena *arena, const struct store_record *record);

#endif
