/* CSV by RFC 4180, in pieces: a file of any size in the memory of one row (libcsv). A bad row costs only itself. */
#ifndef CRMSYNC_CORE_CSV_H
#define CRMSYNC_CORE_CSV_H

#include <stdio.h>

#include "core/fail.h"
#include "core/str.h"

enum { CSV_ROW_BYTES_MAX = 16 * 1024 * 1024, CSV_CELLS_MAX = 2000 };

/* One row. Everything is the reader's until the next call. */
struct csv_row {
    /* at NULL: nothing stands there; at not NULL and len 0: an empty text in quotes */
    const struct str *cells;
    size_t count;
    int64_t line;      /* of the file, from 1, where the row begins */
    struct str raw;    /* as it stands in the file, without its line end */
    const char *wrong; /* NULL, or why it cannot be read as a row; then there are no cells */
};

struct csv_reader;

/* Skips a byte order mark. file is borrowed. */
struct csv_reader *csv_reader_new(FILE *file);
void csv_reader_free(struct csv_reader *reader); /* accepts NULL */
/* Cells are separated by this instead of a comma. To be called before the first row is read. */
void csv_reader_set_delimiter(struct csv_reader *reader, char delimiter);
/* Blank lines are passed over. *ret_found false at the end. FAIL_CONFIG: the file cannot be read. */
enum fail csv_reader_next(struct csv_reader *reader, struct csv_row *ret, bool *ret_found,
                          struct error *err) MUST_CHECK;

/* Writes a cell, with a comma in front unless it is the first: at NULL writes nothing, "" writes "" in quotes. */
void csv_put_cell(FILE *file, struct str text, bool is_first);
void csv_put_end(FILE *file);

#endif
