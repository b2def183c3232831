/* CSV, as files of people and as results of bulk queries: a row that was read is written and read as the same row. */
#include "tests/fuzz/fuzz.h"

#include "core/csv.h"

enum { FILE_BYTES_MAX = 1 << 16 };

static void comes_back(const struct csv_row *row)
{
    static char text[8 * FILE_BYTES_MAX];
    FILE *file = fmemopen(text, sizeof text, "w+");
    struct csv_reader *reader;
    struct csv_row again;
    struct error err = {0};
    bool found;

    for (size_t i = 0; i < row->count; i++) {
        csv_put_cell(file, row->cells[i], i == 0);
    }
    csv_put_end(file);
    rewind(file);
    reader = csv_reader_new(file);
    MUST_HOLD(csv_reader_next(reader, &again, &found, &err) == OK, "%s", err.message);
    MUST_HOLD(found && !again.wrong && again.count == row->count, "%zu cells became %zu: %s",
              row->count, found ? again.count : 0, found && again.wrong ? again.wrong : "");
    for (size_t i = 0; i < row->count; i++) {
        MUST_HOLD(str_equal(row->cells[i], again.cells[i]) &&
                      (row->cells[i].at != NULL) == (again.cells[i].at != NULL),
                  "cell %zu", i);
    }
    csv_reader_free(reader);
    fclose(file);
}

void fuzz_one(struct str input)
{
    FILE *file;
    struct csv_reader *reader;
    struct csv_row row;
    struct error err = {0};
    bool found = true;
    int64_t line = 0;

    if (input.len == 0 || input.len > FILE_BYTES_MAX) {
        return;
    }
    file = fmemopen((char *)(uintptr_t)input.at, input.len, "r");
    reader = csv_reader_new(file);
    while (found) {
        MUST_HOLD(csv_reader_next(reader, &row, &found, &err) == OK, "%s", err.message);
        if (!found) {
            break;
        }
        MUST_HOLD(row.line > line, "lines go on");
        line = row.line;
        /* a single cell with nothing in it is a blank line, and a mark at the beginning of a file is none of its text */
        if (!row.wrong && !(row.count == 1 && !row.cells[0].at) &&
            !str_starts(row.cells[0], STR("\xef\xbb\xbf"))) {
            comes_back(&row);
        }
    }
    csv_reader_free(reader);
    fclose(file);
}
