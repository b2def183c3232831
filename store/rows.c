/* Reading rows into arenas, and the small checks that every query shares. */
#include <inttypes.h>

#include "store/inside.h"

enum { ROWS_FIRST = 16 };

void *rows_add(struct arena *arena, struct rows *rows, size_t *capacity, size_t size)
{
    if (rows->count == *capacity) {
        size_t wider_capacity = *capacity ? *capacity * 2 : ROWS_FIRST;
        void *wider = arena_alloc(arena, wider_capacity, size);

        if (rows->count) {
            memcpy(wider, rows->at, rows->count * size);
        }
        rows->at = wider;
        *capacity = wider_capacity;
    }
    return (char *)rows->at + rows->count++ * size;
}

enum fail stmt_all(struct stmt *stmt, row_read *read, size_t size, struct arena *arena,
                   struct rows *ret, struct error *err)
{
    struct rows rows = {0};
    size_t capacity = 0;
    bool is_row;

    while (stmt_step(stmt, &is_row, err) == OK) {
        if (!is_row) {
            *ret = rows;
            return OK;
        }
        if (read(stmt, arena, rows_add(arena, &rows, &capacity, size), err) != OK) {
            break;
        }
    }
    stmt_end(stmt);
    return err->code;
}

enum fail stmt_one(struct stmt *stmt, row_read *read, struct arena *arena, void *ret,
                   bool *ret_found, struct error *err)
{
    bool is_row;
    enum fail failed = stmt_step(stmt, &is_row, err);

    if (failed == OK && is_row) {
        failed = read(stmt, arena, ret, err);
    }
    stmt_end(stmt);
    if (failed == OK) {
        *ret_found = is_row;
    }
    return failed;
}

enum fail stmt_number(struct stmt *stmt, int64_t *ret, struct error *err)
{
    bool is_row;

    if (stmt_step(stmt, &is_row, err) != OK) {
        return err->code;
    }
    if (!is_row) {
        return error_set(err, FAIL_BUG, "a query of the store that always has a row had none");
    }
    *ret = stmt_i64(stmt, 0);
    stmt_end(stmt);
    return OK;
}

enum fail stmt_run_on_one(struct stmt *stmt, const char *what, int64_t id, struct error *err)
{
    if (stmt_run(stmt, err) != OK) {
        return err->code;
    }
    if (stmt_changes(stmt) != 1) {
        return error_set(err, FAIL_BUG, "the store has no %s %" PRId64, what, id);
    }
    return OK;
}

void stmt_bind_limit(struct stmt *stmt, int number, size_t limit)
{
    stmt_bind_i64(stmt, number, limit > INT64_MAX ? INT64_MAX : (int64_t)limit);
}

enum fail store_damaged(struct error *err, const char *what)
{
    error_set(err, FAIL_STOP, "the store is damaged: %s", what);
    return error_hint(err, "restore a backup");
}
