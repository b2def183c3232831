#include "simulators/inside.h"

#include <assert.h>

#include "core/alloc.h"

struct sim_mark {
    int64_t modified_ms;
    struct sim_record *record;
};

static size_t grown(size_t capacity)
{
    return capacity ? capacity * 2 : 256;
}

void sim_table_fini(struct sim_table *table)
{
    free(table->at);
    free(table->marks);
    *table = (struct sim_table){0};
}

static int mark_order(const void *x, const void *y)
{
    const struct sim_mark *left = x, *right = y;

    if (left->modified_ms != right->modified_ms) {
        return left->modified_ms < right->modified_ms ? -1 : 1;
    }
    return left->record->id < right->record->id ? -1 : left->record->id > right->record->id;
}

static void marks_add(struct sim_table *table, struct sim_record *record)
{
    struct sim_mark mark = {.modified_ms = record->modified_ms, .record = record};

    if (table->marks_count == table->marks_capacity) {
        table->marks_capacity = grown(table->marks_capacity);
        table->marks = alloc_resize(table->marks, table->marks_capacity, sizeof(mark));
    }
    if (table->marks_count && mark_order(&table->marks[table->marks_count - 1], &mark) > 0) {
        table->is_unsorted = true;
    }
    record->mark_index = table->marks_count;
    table->marks[table->marks_count++] = mark;
}

void sim_table_add(struct sim_table *table, struct sim_record *record)
{
    assert(table->count == 0 || table->at[table->count - 1]->id < record->id);
    if (table->count == table->capacity) {
        table->capacity = grown(table->capacity);
        table->at = alloc_resize(table->at, table->capacity, sizeof(table->at[0]));
    }
    table->at[table->count++] = record;
    marks_add(table, record);
}

size_t sim_table_from(const struct sim_table *table, int64_t id)
{
    size_t low = 0, high = table->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (table->at[middle]->id < id) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

struct sim_record *sim_table_get(const struct sim_table *table, int64_t id)
{
    size_t index = sim_table_from(table, id);

    return index < table->count && table->at[index]->id == id ? table->at[index] : NULL;
}

struct sim_record *sim_table_marked(const struct sim_table *table, size_t mark_index)
{
    struct sim_record *record = table->marks[mark_index].record;

    return record->mark_index == mark_index ? record : NULL;
}

/* Drops stale marks, so that their number stays within twice the number of records. */
static void marks_compact(struct sim_table *table)
{
    size_t kept = 0;

    for (size_t i = 0; i < table->marks_count; i++) {
        struct sim_record *record = sim_table_marked(table, i);

        if (record) {
            table->marks[kept] = table->marks[i];
            record->mark_index = kept++;
        }
    }
    table->marks_count = kept;
}

void sim_table_touch(struct sim_table *table, struct sim_record *record, int64_t modified_ms)
{
    record->modified_ms = modified_ms;
    marks_add(table, record);
    if (table->marks_count > 2 * table->count + 1024) {
        marks_compact(table);
    }
}

static void marks_sort(struct sim_table *table)
{
    marks_compact(table);
    qsort(table->marks, table->marks_count, sizeof(table->marks[0]), mark_order);
    for (size_t i = 0; i < table->marks_count; i++) {
        table->marks[i].record->mark_index = i;
    }
    table->is_unsorted = false;
}

size_t sim_table_since(struct sim_table *table, int64_t modified_ms)
{
    size_t low = 0, high;

    if (table->is_unsorted) {
        marks_sort(table);
    }
    high = table->marks_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (table->marks[middle].modified_ms < modified_ms) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}
