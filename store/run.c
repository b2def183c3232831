#include "store/run.h"

#include <inttypes.h>

#include "core/jx.h"
#include "store/inside.h"

enum { COUNTS_BYTES_MAX = 2048 };

static const struct {
    const char *name;
    size_t offset;
} COUNTERS[] = {
#define COUNTER(name)                                                                              \
    {                                                                                              \
#name, offsetof(struct run_counts, name)                                                   \
    }
    COUNTER(read),          COUNTER(unchanged), COUNTER(created_here),  COUNTER(updated_here),
    COUNTER(deleted_here),  COUNTER(matched),   COUNTER(created_there), COUNTER(updated_there),
    COUNTER(deleted_there), COUNTER(conflicts), COUNTER(set_aside),     COUNTER(merged),
    COUNTER(calls),         COUNTER(retries),   COUNTER(throttled),     COUNTER(delays),
    COUNTER(delay_ms),
#undef COUNTER
};
_Static_assert(COUNT_OF(COUNTERS) * sizeof(int64_t) == sizeof(struct run_counts),
               "every counter is in the table");

static int64_t *counter(struct run_counts *counts, size_t index)
{
    return (int64_t *)(void *)((char *)counts + COUNTERS[index].offset);
}

void run_counts_add(struct run_counts *sum, const struct run_counts *more)
{
    struct run_counts addend = *more;

    for (size_t i = 0; i < COUNT_OF(COUNTERS); i++) {
        *counter(sum, i) += *counter(&addend, i);
    }
}

/* Zeros are left out. */
static void write_counts(struct buf *json, const struct run_counts *counts)
{
    struct run_counts copy = *counts;
    const char *separator = "";

    buf_init(json, COUNTS_BYTES_MAX);
    buf_add_char(json, '{');
    for (size_t i = 0; i < COUNT_OF(COUNTERS); i++) {
        if (*counter(&copy, i) != 0) {
            buf_addf(json, "%s\"%s\":%" PRId64, separator, COUNTERS[i].name, *counter(&copy, i));
            separator = ",";
        }
    }
    buf_add_char(json, '}');
}

static enum fail read_counts(struct str text, struct run_counts *ret, struct error *err)
{
    AUTO_ARENA struct arena arena = {0};
    json_t *tree;

    if (jx_parse(&arena, text, &tree, err) != OK) {
        return store_damaged(err, "the counters of a run cannot be read");
    }
    for (size_t i = 0; i < COUNT_OF(COUNTERS); i++) {
        if (jx_i64_or(tree, COUNTERS[i].name, 0, counter(ret, i), err) != OK) {
            return store_damaged(err, "the counters of a run cannot be read");
        }
    }
    return OK;
}

static enum fail read_run(const struct stmt *stmt, struct arena *arena, void *row,
                          struct error *err)
{
    struct store_run *run = row;

    *run = (struct store_run){.id = stmt_i64(stmt, 0),
                              .command = arena_str(arena, stmt_str(stmt, 1)),
                              .state = (enum run_state)stmt_i64(stmt, 2),
                              .started_ms = stmt_i64(stmt, 3),
                              .ended_ms = stmt_i64(stmt, 4),
                              .message = arena_str(arena, stmt_str(stmt, 5))};
    return read_counts(stmt_str(stmt, 6), &run->counts, err);
}

const char *run_state_name(enum run_state state)
{
    switch (state) {
    case RUN_ACTIVE:
        return "active";
    case RUN_DONE:
        return "done";
    case RUN_FAILED:
        return "failed";
    case RUN_INTERRUPTED:
        return "interrupted";
    }
    return "unknown";
}

/* Of all tenants: it is the process that died. */
static const char SQL_RUNS_INTERRUPT[] = "UPDATE run SET state = 3, ended_ms = $1, journal_to = "
                                         "coalesce((SELECT max(id) FROM journal), 0) "
                                         "WHERE state = 0";

enum fail runs_interrupt(struct tx *tx, struct error *err)
{
    struct stmt *stmt = engine_stmt(tx->engine, SQL_RUNS_INTERRUPT);

    stmt_bind_i64(stmt, 1, tx_now_ms(tx));
    return stmt_run(stmt, err);
}

static const char SQL_RUN_BEGIN[] =
    "INSERT INTO run (tenant_id, command, state, started_ms, ended_ms, message, counts, "
    "journal_from) VALUES ($1, $2, 0, $3, 0, '', '{}', "
    "coalesce((SELECT max(id) FROM journal), 0))";

enum fail run_begin(struct tx *tx, struct str command, int64_t *ret_id, struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_RUN_BEGIN);

    stmt_bind_str(stmt, 2, command);
    stmt_bind_i64(stmt, 3, tx_now_ms(tx));
    return stmt_insert(stmt, ret_id, err);
}

static const char SQL_RUN_END[] =
    "UPDATE run SET state = $2, ended_ms = $3, message = $4, counts = $5, "
    "journal_to = coalesce((SELECT max(id) FROM journal), 0) WHERE tenant_id = $1 AND id = $6";

enum fail run_end(struct tx *tx, int64_t id, enum run_state state, struct str message,
                  const struct run_counts *counts, struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_RUN_END);
    AUTO_BUF struct buf json;

    write_counts(&json, counts);
    stmt_bind_i64(stmt, 2, state);
    stmt_bind_i64(stmt, 3, tx_now_ms(tx));
    stmt_bind_str(stmt, 4, message);
    stmt_bind_str(stmt, 5, buf_str(&json));
    stmt_bind_i64(stmt, 6, id);
    return stmt_run_on_one(stmt, "run", id, err);
}

static const char SQL_RUN_SAVE_COUNTS[] =
    "UPDATE run SET counts = $2 WHERE tenant_id = $1 AND id = $3";

enum fail run_save_counts(struct tx *tx, int64_t id, const struct run_counts *counts,
                          struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_RUN_SAVE_COUNTS);
    AUTO_BUF struct buf json;

    write_counts(&json, counts);
    stmt_bind_str(stmt, 2, buf_str(&json));
    stmt_bind_i64(stmt, 3, id);
    return stmt_run_on_one(stmt, "run", id, err);
}

static const char SQL_RUN_LIST[] =
    "SELECT id, command, state, started_ms, ended_ms, message, counts FROM run "
    "WHERE tenant_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3";

enum fail run_list(struct tx *tx, int64_t before_id, size_t limit, struct arena *arena,
                   struct store_run **ret, size_t *ret_count, struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_RUN_LIST);
    struct rows rows;

    stmt_bind_i64(stmt, 2, before_id > 0 ? before_id : INT64_MAX);
    stmt_bind_limit(stmt, 3, limit);
    if (stmt_all(stmt, read_run, sizeof **ret, arena, &rows, err) != OK) {
        return err->code;
    }
    *ret = rows.at;
    *ret_count = rows.count;
    return OK;
}
