#include "core/csv.h"

#include <csv.h>
#include <errno.h>
#include <stdlib.h>

#include "core/alloc.h"

enum { PIECE_BYTES = 64 * 1024 };

struct cell {
    size_t from, len;
    bool is_text;
};

struct csv_reader {
    FILE *file;
    struct csv_parser parser;
    struct buf raw;  /* of the present row */
    struct buf text; /* its cells, one behind the other */
    struct cell cells[CSV_CELLS_MAX];
    struct str row[CSV_CELLS_MAX];
    char piece[PIECE_BYTES];
    size_t count;
    int64_t line; /* of the next byte */
    char delimiter;
    bool is_line_begun; /* the last piece had no line end */
    bool is_row_ended;
    bool is_over;
};

/* Blanks belong to the cell (RFC 4180, section 2, 4). */
static int is_never_blank(unsigned char c)
{
    (void)c;
    return 0;
}

static void start_parser(struct csv_reader *reader)
{
    int failed = csv_init(&reader->parser, CSV_STRICT | CSV_STRICT_FINI | CSV_EMPTY_IS_NULL);

    if (failed) { /* it allocates nothing yet */
        abort();
    }
    csv_set_space_func(&reader->parser, is_never_blank);
    csv_set_delim(&reader->parser, (unsigned char)reader->delimiter);
    csv_set_blk_size(&reader->parser, PIECE_BYTES); /* a cell of megabytes grows in few steps */
}

static void on_cell(void *at, size_t len, void *context)
{
    struct csv_reader *reader = context;

    if (reader->count < CSV_CELLS_MAX) {
        reader->cells[reader->count] =
            (struct cell){.from = reader->text.len, .len = len, .is_text = at != NULL};
        if (at) {
            buf_add(&reader->text, (struct str){.at = at, .len = len});
        }
    }
    reader->count++;
}

static void on_row(int end, void *context)
{
    struct csv_reader *reader = context;

    (void)end;
    reader->is_row_ended = true;
}

static void skip_mark(FILE *file)
{
    static const unsigned char MARK[] = {0xEF, 0xBB, 0xBF};
    long start = ftell(file);

    for (size_t i = 0; i < sizeof MARK; i++) {
        int c = getc(file);

        if (c == MARK[i]) {
            continue;
        }
        if (i > 0 && start >= 0) {
            fseek(file, start, SEEK_SET);
        } else if (c != EOF) {
            ungetc(c, file);
        }
        return;
    }
}

struct csv_reader *csv_reader_new(FILE *file)
{
    struct csv_reader *reader = alloc_new(1, sizeof *reader);

    reader->file = file;
    reader->line = 1;
    reader->delimiter = ',';
    buf_init(&reader->raw, CSV_ROW_BYTES_MAX);
    buf_init(&reader->text, CSV_ROW_BYTES_MAX);
    start_parser(reader);
    skip_mark(file);
    return reader;
}

void csv_reader_free(struct csv_reader *reader)
{
    if (reader) {
        csv_free(&reader->parser);
        buf_fini(&reader->raw);
        buf_fini(&reader->text);
        free(reader);
    }
}

void csv_reader_set_delimiter(struct csv_reader *reader, char delimiter)
{
    reader->delimiter = delimiter;
    csv_set_delim(&reader->parser, (unsigned char)delimiter);
}

/* Up to and with the next line end, or as much as there is room for: so that a piece ends at most one row. */
static size_t read_piece(struct csv_reader *reader)
{
    size_t len = 0;
    int c = EOF;

    while (len + 1 < PIECE_BYTES && (c = getc_unlocked(reader->file)) != EOF) {
        reader->piece[len++] = (char)c;
        if (c == '\r') {
            c = getc_unlocked(reader->file);
            if (c == '\n') {
                reader->piece[len++] = '\n';
            } else if (c != EOF) {
                ungetc(c, reader->file);
            }
            c = '\n';
        }
        if (c == '\n') {
            reader->line++;
            break;
        }
    }
    reader->is_line_begun = len > 0 && c != '\n';
    return len;
}

static struct str without_line_end(struct str raw)
{
    while (raw.len && (raw.at[raw.len - 1] == '\n' || raw.at[raw.len - 1] == '\r')) {
        raw.len--;
    }
    return raw;
}

static void finish_row(struct csv_reader *reader, const char *wrong, struct csv_row *ret)
{
    if (!wrong && reader->count > CSV_CELLS_MAX) {
        wrong = "it has too many cells";
    }
    ret->wrong = wrong;
    ret->raw = without_line_end(buf_str(&reader->raw));
    ret->cells = reader->row;
    ret->count = wrong ? 0 : reader->count;
    for (size_t i = 0; i < ret->count; i++) {
        const struct cell *cell = &reader->cells[i];

        reader->row[i] = cell->is_text
                             ? (struct str){.at = cell->len ? reader->text.at + cell->from : "",
                                            .len = cell->len}
                             : STR_NONE;
    }
}

static void begin_row(struct csv_reader *reader)
{
    buf_reset(&reader->raw);
    buf_reset(&reader->text);
    reader->count = 0;
    reader->is_row_ended = false;
}

/* The parser begins anew with the next line. */
static void give_up_row(struct csv_reader *reader)
{
    while (reader->is_line_begun && read_piece(reader)) {
    }
    csv_free(&reader->parser);
    start_parser(reader);
}

static const char *end_of_file(struct csv_reader *reader)
{
    bool is_whole = csv_fini(&reader->parser, on_cell, on_row, reader) == 0;

    reader->is_over = true;
    return is_whole ? NULL : "the file ends inside a quoted cell";
}

static bool is_blank_line(const char *piece, size_t len)
{
    return (len == 1 && (piece[0] == '\n' || piece[0] == '\r')) ||
           (len == 2 && piece[0] == '\r' && piece[1] == '\n');
}

/* Feeds the next piece. True: the row is at its end, *wrong says how. */
static bool feed(struct csv_reader *reader, size_t len, const char **wrong)
{
    buf_add(&reader->raw, (struct str){.at = reader->piece, .len = len});
    if (reader->raw.is_full) { /* everything behind it would be taken for the same cell */
        reader->is_over = true;
        *wrong = "it is longer than 16 MB, so that a quote is probably not closed; nothing behind "
                 "it was read";
        return true;
    }
    if (csv_parse(&reader->parser, reader->piece, len, on_cell, on_row, reader) != len) {
        give_up_row(reader);
        *wrong = "a quote stands inside a cell without being doubled";
        return true;
    }
    return reader->is_row_ended;
}

enum fail csv_reader_next(struct csv_reader *reader, struct csv_row *ret, bool *ret_found,
                          struct error *err)
{
    const char *wrong = NULL;

    begin_row(reader);
    *ret = (struct csv_row){.line = reader->line};
    *ret_found = false;
    while (!reader->is_over) {
        size_t len = read_piece(reader);

        if (ferror(reader->file)) {
            return error_set(err, FAIL_CONFIG, "cannot read line %lld: %s", (long long)reader->line,
                             strerror(errno));
        }
        if (len && reader->raw.len == 0 && is_blank_line(reader->piece, len)) {
            ret->line = reader->line;
            continue;
        }
        if (len ? feed(reader, len, &wrong) : (wrong = end_of_file(reader), reader->raw.len > 0)) {
            finish_row(reader, wrong, ret);
            *ret_found = true;
            return OK;
        }
    }
    return OK;
}

void csv_put_cell(FILE *file, struct str text, bool is_first)
{
    if (!is_first) {
        putc(',', file);
    }
    if (!text.at) {
        return;
    }
    for (size_t i = 0; i < text.len; i++) {
        if (strchr("\",\r\n", text.at[i])) { /* NUL counts as well */
            csv_fwrite(file, text.at, text.len);
            return;
        }
    }
    if (text.len == 0 || text.at[0] == ' ' || text.at[text.len - 1] == ' ') {
        csv_fwrite(file, text.at, text.len);
        return;
    }
    fwrite(text.at, 1, text.len, file);
}

void csv_put_end(FILE *file)
{
    fputs("\r\n", file);
}
