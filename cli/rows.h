/* Files of records, CSV or JSON lines: row by row in the memory of one, each as fields of a kind in normal form or as rejected with the reason. */
#ifndef CRMSYNC_CLI_ROWS_H
#define CRMSYNC_CLI_ROWS_H

#include <stdio.h>

#include "core/csv.h"
#include "mapper/kind.h"

enum rows_format { ROWS_CSV, ROWS_JSONL };
enum { ROWS_CELL_BYTES_MAX = 1024 * 1024 };

/* What --csv and --jsonl, else the name of the file, say. FAIL_CONFIG: both are given. */
enum fail rows_format_of(bool csv, bool jsonl, struct str path, enum rows_format *ret,
                         struct error *err) MUST_CHECK;

struct row {
    int64_t line;
    const struct csv_row *csv; /* CSV: as read */
    struct str raw;            /* as it stands in the file */
    struct str id;             /* "" none */
    struct fields fields;      /* null: blank in the file */
    struct error why;          /* code OK, or why it is rejected */
    struct str column;         /* of why; "" the whole row */
};

struct rows;

/* Opens the file and reads the header. FAIL_CONFIG: no file, no regular file, no header, an unknown column (with the nearest field). */
enum fail rows_open(const char *path, enum rows_format format, const struct kind *kind,
                    struct rows **ret, struct error *err) MUST_CHECK;
void rows_close(struct rows *rows); /* accepts NULL */
/* The columns of a CSV file as they are written; none for JSON lines. */
const struct str *rows_header(const struct rows *rows, size_t *ret_count);
/* fields are arena's, the rest belongs to rows until the next call. */
enum fail rows_next(struct rows *rows, struct arena *arena, struct row *ret, bool *ret_found,
                    struct error *err) MUST_CHECK;

/* One value in a cell: lists joined with ";" (a ";" of an item is written "\;", and "\" "\\"), times as ISO text; at NULL for null and absent. */
struct str rows_cell(const struct kind_field *field, const struct value *value,
                     struct arena *arena);

#endif
