/* The floor of bench/import.py and bench/quiet.py: fetch the same pages with libcurl and discard them, or insert the same rows with bare SQLite.
 *   import_floor fetch BASE_URL TOKEN QUERY [PARAMETER MEMBER]     prints calls=N bytes=N; the next page's cursor is MEMBER of
 *                                                                  an answer and travels as PARAMETER ("after" and "after"); with
 *                                                                  PARAMETER "" it is the next page's path ("nextRecordsUrl")
 *   import_floor insert STORE_READ STORE_WRITE    copies record, link, journal and match_key rows in transactions of 100 records */
#include <curl/curl.h>
#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 100, PATH_BYTES = 2048 };

struct page {
    char *at;
    size_t len, capacity;
    int64_t bytes;
};

static size_t on_body(char *at, size_t size, size_t count, void *context)
{
    struct page *page = context;
    size_t bytes = size * count;

    if (page->len + bytes + 1 > page->capacity) {
        page->capacity = 2 * (page->len + bytes + 1);
        page->at = realloc(page->at, page->capacity);
        if (!page->at) {
            abort();
        }
    }
    memcpy(page->at + page->len, at, bytes);
    page->len += bytes;
    page->at[page->len] = '\0';
    page->bytes += (int64_t)bytes;
    return bytes;
}

/* The next page's cursor, found without parsing: "after":"123"; null is no cursor. */
static const char *cursor_of(const struct page *page, const char *member)
{
    char mark[64];
    const char *found;

    snprintf(mark, sizeof mark, "\"%s\":\"", member);
    found = page->at ? strstr(page->at, mark) : NULL;
    return found ? found + strlen(mark) : NULL;
}

static int fetch(const char *base, const char *token, const char *query, const char *parameter,
                 const char *member)
{
    CURL *curl = curl_easy_init();
    struct curl_slist *headers = NULL;
    struct page page = {0};
    char header[1024], url[2 * PATH_BYTES], after[512] = "";
    int64_t calls = 0;

    snprintf(header, sizeof header, "Authorization: Bearer %s", token);
    headers = curl_slist_append(headers, header);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &page);
    for (;;) {
        const char *cursor;

        page.len = 0;
        if (after[0] && !parameter[0]) {
            snprintf(url, sizeof url, "%s%s", base, after);
        } else {
            snprintf(url, sizeof url, "%s%s%s%s%s%s", base, query, after[0] ? "&" : "",
                     after[0] ? parameter : "", after[0] ? "=" : "", after);
        }
        curl_easy_setopt(curl, CURLOPT_URL, url);
        if (curl_easy_perform(curl) != CURLE_OK) {
            fprintf(stderr, "cannot fetch %s\n", base);
            return 1;
        }
        calls++;
        cursor = cursor_of(&page, member);
        if (!cursor) {
            break;
        }
        snprintf(after, sizeof after, "%.*s", (int)strcspn(cursor, "\""), cursor);
    }
    printf("calls=%" PRId64 " bytes=%" PRId64 "\n", calls, page.bytes);
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
    free(page.at);
    return 0;
}

static void run(sqlite3 *db, const char *sql)
{
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK) {
        fprintf(stderr, "%s: %s\n", sql, sqlite3_errmsg(db));
        exit(1);
    }
}

static sqlite3_stmt *prepare(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *statement;

    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK) {
        fprintf(stderr, "%s: %s\n", sql, sqlite3_errmsg(db));
        exit(1);
    }
    return statement;
}

/* Tables and indexes as the product's store has them. */
static void copy_schema(sqlite3 *from, sqlite3 *to)
{
    sqlite3_stmt *select =
        prepare(from, "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND tbl_name IN "
                      "('record', 'link', 'journal', 'match_key') ORDER BY type = 'index'");

    while (sqlite3_step(select) == SQLITE_ROW) {
        run(to, (const char *)sqlite3_column_text(select, 0));
    }
    sqlite3_finalize(select);
}

/* Reads a whole table into memory before the clock of the caller matters; then inserts it. */
struct rows {
    sqlite3_stmt *insert;
    sqlite3_value **values;
    int columns;
    size_t count, capacity;
};

static void load(sqlite3 *from, sqlite3 *to, const char *table, struct rows *rows)
{
    char sql[512], marks[256] = "";
    sqlite3_stmt *select;

    snprintf(sql, sizeof sql, "SELECT * FROM %s", table);
    select = prepare(from, sql);
    rows->columns = sqlite3_column_count(select);
    for (int i = 0; i < rows->columns; i++) {
        size_t len = strlen(marks);

        snprintf(marks + len, sizeof marks - len, "%s?", i ? "," : "");
    }
    snprintf(sql, sizeof sql, "INSERT INTO %s VALUES (%s)", table, marks);
    rows->insert = prepare(to, sql);
    while (sqlite3_step(select) == SQLITE_ROW) {
        if (rows->count == rows->capacity) {
            rows->capacity = rows->capacity ? 2 * rows->capacity : 1024;
            rows->values = realloc(rows->values,
                                   rows->capacity * (size_t)rows->columns * sizeof *rows->values);
            if (!rows->values) {
                abort();
            }
        }
        for (int i = 0; i < rows->columns; i++) {
            rows->values[rows->count * (size_t)rows->columns + (size_t)i] =
                sqlite3_value_dup(sqlite3_column_value(select, i));
        }
        rows->count++;
    }
    sqlite3_finalize(select);
}

static void insert_part(struct rows *rows, size_t from, size_t to)
{
    for (size_t r = from; r < to && r < rows->count; r++) {
        for (int i = 0; i < rows->columns; i++) {
            sqlite3_bind_value(rows->insert, i + 1,
                               rows->values[r * (size_t)rows->columns + (size_t)i]);
        }
        if (sqlite3_step(rows->insert) != SQLITE_DONE) {
            fprintf(stderr, "insert failed\n");
            exit(1);
        }
        sqlite3_reset(rows->insert);
    }
}

static double cpu_now(void)
{
    return (double)clock() / CLOCKS_PER_SEC;
}

static int insert(const char *from_path, const char *to_path)
{
    static const char *const TABLES[] = {"record", "link", "journal", "match_key"};
    struct rows rows[4] = {{0}};
    sqlite3 *from, *to;
    double began;
    size_t batches;

    if (sqlite3_open_v2(from_path, &from, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK ||
        sqlite3_open(to_path, &to) != SQLITE_OK) {
        return 1;
    }
    run(to, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=OFF");
    copy_schema(from, to);
    for (int t = 0; t < 4; t++) {
        load(from, to, TABLES[t], &rows[t]);
    }
    began = cpu_now();
    batches = (rows[0].count + BATCH - 1) / BATCH;
    for (size_t b = 0; b < batches; b++) {
        run(to, "BEGIN IMMEDIATE");
        for (int t = 0; t < 4; t++) {
            size_t step = (rows[t].count + batches - 1) / batches;

            insert_part(&rows[t], b * step, (b + 1) * step);
        }
        run(to, "COMMIT");
    }
    printf("rows=%zu cpu_s=%.3f\n", rows[0].count, cpu_now() - began);
    return 0;
}

int main(int argc, char **argv)
{
    if ((argc == 5 || argc == 7) && strcmp(argv[1], "fetch") == 0) {
        return fetch(argv[2], argv[3], argv[4], argc == 7 ? argv[5] : "after",
                     argc == 7 ? argv[6] : "after");
    }
    if (argc == 4 && strcmp(argv[1], "insert") == 0) {
        return insert(argv[2], argv[3]);
    }
    fprintf(stderr, "usage: see the top of bench/import_floor.c\n");
    return 2;
}
