/* The CSV reader: rows with their lines, and bad ones that cost only themselves. */
#include <stdlib.h>

#include "core/alloc.h"
#include "core/csv.h"
#include "core/random.h"
#include "tests/expect.h"

static FILE *file_of(struct str text)
{
    FILE *file = tmpfile();

    assert_non_null(file);
    assert_int_equal(fwrite(text.at, 1, text.len, file), text.len);
    rewind(file);
    return file;
}

/* "line|cell|cell\n" for each row, "-" for nothing, "!why" for a wrong one. */
static void expect_delimited(char delimiter, struct str text, const char *expected)
{
    AUTO_BUF struct buf seen = {0};
    struct error err = {0};
    FILE *file = file_of(text);
    struct csv_reader *reader = csv_reader_new(file);
    struct csv_row row;
    bool found = true;

    csv_reader_set_delimiter(reader, delimiter);
    buf_init(&seen, 1024 * 1024);
    while (csv_reader_next(reader, &row, &found, &err) == OK && found) {
        buf_addf(&seen, "%lld", (long long)row.line);
        for (size_t i = 0; i < row.count; i++) {
            buf_addf(&seen, "|%s%" PRI_STR, row.cells[i].at ? "" : "-", STR_ARG(row.cells[i]));
        }
        buf_addf(&seen, "%s\n", row.wrong ? "!" : "");
    }
    assert_int_equal(err.code, OK);
    assert_string_equal(seen.at ? seen.at : "", expected);
    csv_reader_free(reader);
    fclose(file);
}

static void expect_rows(struct str text, const char *expected)
{
    expect_delimited(',', text, expected);
}

static void rows_and_cells(void **state)
{
    (void)state;
    expect_rows(STR(""), "");
    expect_rows(STR("\xEF\xBB\xBF"), "");
    expect_rows(STR("\xEF\xBB\xBF"
                    "a,b\r\n1,2"),
                "1|a|b\n2|1|2\n");
    expect_rows(STR("a\n\n\r\nb\n"), "1|a\n4|b\n");
    expect_rows(STR(",\"\",x\n"), "1|-||x\n");
    expect_rows(STR(" a , b \n"), "1| a | b \n");
    expect_rows(STR("\"x,\"\"y\"\"\nz\",2\nnext\n"), "1|x,\"y\"\nz|2\n3|next\n");
    expect_rows(STR("a\rb\r\nc"), "1|a\n2|b\n3|c\n");
}

/* Also behind a bad row, where the parser begins anew. */
static void another_delimiter(void **state)
{
    (void)state;
    expect_delimited(';', STR("a,1;\"b;c\"\nx\"y;z\n1;2\n"), "1|a,1|b;c\n2!\n3|1|2\n");
    expect_delimited('\t', STR("a\t\tb;c\n"), "1|a|-|b;c\n");
}

static void bad_rows_cost_only_themselves(void **state)
{
    (void)state;
    expect_rows(STR("a\nb\"c\nd\n"), "1|a\n2!\n3|d\n");
    expect_rows(STR("a\n\"b\"c,1\nd\n"), "1|a\n2!\n3|d\n");
    expect_rows(STR("a\n\"b\nc"), "1|a\n2!\n");
}

static void a_row_without_end_is_given_up(void **state)
{
    size_t len = CSV_ROW_BYTES_MAX + 100;
    char *text = alloc_new(len, 1);

    (void)state;
    memset(text, 'x', len);
    memcpy(text, "a\n\"", 3);
    expect_rows((struct str){.at = text, .len = len}, "1|a\n2!\n");
    free(text);
}

static struct str text_of(const struct buf *buf)
{
    return buf->len ? buf_str(buf) : STR("");
}

/* What is written is read again, whatever it holds. */
static void round_trip(void **state)
{
    static const char *const PARTS[] = {
        "\"", ",", "\n", "\r", "\r\n", ";", " ", "=1", "\t", "é", "x", "'", "\xF0\x9F\x98\x80"};
    struct random *random = random_new_seeded(11);
    struct error err = {0};

    (void)state;
    for (int round = 0; round < 20000; round++) {
        FILE *file = NULL;
        struct buf texts[4] = {{0}};
        char *memory = NULL;
        size_t size = 0;
        struct csv_reader *reader;
        struct csv_row row;
        bool found = false;

        file = open_memstream(&memory, &size);
        for (size_t i = 0; i < 4; i++) {
            uint64_t parts = random_below(random, 6);

            buf_init(&texts[i], 100);
            for (uint64_t k = 0; k < parts; k++) {
                buf_add(&texts[i], str_of(PARTS[random_below(random, COUNT_OF(PARTS))]));
            }
            csv_put_cell(file, text_of(&texts[i]), i == 0);
        }
        csv_put_end(file);
        fclose(file);
        file = fmemopen(memory, size, "r");
        reader = csv_reader_new(file);
        assert_int_equal(csv_reader_next(reader, &row, &found, &err), OK);
        assert_true(found);
        assert_null(row.wrong);
        assert_int_equal(row.count, 4);
        for (size_t i = 0; i < 4; i++) {
            assert_non_null(row.cells[i].at);
            EXPECT_STR(row.cells[i], text_of(&texts[i]), "what was written");
            buf_fini(&texts[i]);
        }
        assert_int_equal(csv_reader_next(reader, &row, &found, &err), OK);
        assert_false(found);
        csv_reader_free(reader);
        fclose(file);
        free(memory);
    }
    random_free(random);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_and_cells),
        cmocka_unit_test(another_delimiter),
        cmocka_unit_test(bad_rows_cost_only_themselves),
        cmocka_unit_test(a_row_without_end_is_given_up),
        cmocka_unit_test(round_trip),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
