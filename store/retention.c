#include "store/retention.h"

#include "store/feed.h"
#include "store/inside.h"

enum { PRUNE_BATCH = 1000 };

#define DAY_MS (INT64_C(24) * 60 * 60 * 1000)

struct pruning {
    struct store *store;
    int64_t tenant_id;
    int64_t now_ms;
    bool is_rehearsal;
};

/* --- the journal --------------------------------------------------------------------------------------------- */

/* The place behind the next so many entries; 0: none are left. */
static const char SQL_JOURNAL_WINDOW[] =
    "SELECT coalesce(max(id), 0) FROM (SELECT id FROM journal WHERE tenant_id = $1 AND id > $2 "
    "AND at_ms < $3 ORDER BY id LIMIT $4)";

/* Entries of versions that a link does not reflect yet are what the brake and last-write-wins read. */
static const char SQL_JOURNAL_PRUNE[] =
    "DELETE FROM journal AS j WHERE tenant_id = $1 AND id > $2 AND id <= $4 AND at_ms < $3 "
    "AND id < (SELECT max(k.id) FROM journal k WHERE k.tenant_id = $1 AND "
    "k.record_id = j.record_id) "
    "AND NOT EXISTS (SELECT 1 FROM conflict c WHERE c.tenant_id = $1 AND c.record_id = j.record_id "
    "AND c.state = 0) "
    "AND NOT EXISTS (SELECT 1 FROM intent i WHERE i.tenant_id = $1 AND i.record_id = j.record_id) "
    "AND NOT EXISTS (SELECT 1 FROM link l WHERE l.tenant_id = $1 AND l.record_id = j.record_id "
    "AND l.state = 0 AND l.synced_version < j.record_version) "
    "AND (at_ms < $5 OR NOT EXISTS (SELECT 1 FROM endpoint e WHERE e.tenant_id = $1 AND "
    "e.state = 0 AND e.journal < j.id)) RETURNING id";

/* Runs, counts the rows, and says the highest id that went. */
static enum fail run_deleting(struct stmt *stmt, int64_t *count, int64_t *ret_highest,
                              struct error *err)
{
    bool is_row = true;

    *ret_highest = 0;
    while (is_row) {
        if (stmt_step(stmt, &is_row, err) != OK) {
            return err->code;
        }
        if (is_row) {
            *ret_highest = stmt_i64(stmt, 0) > *ret_highest ? stmt_i64(stmt, 0) : *ret_highest;
            (*count)++;
        }
    }
    return OK;
}

static enum fail prune_window(struct tx *tx, int64_t cutoff_ms, int64_t *after_id, bool *ret_more,
                              int64_t *count, struct error *err)
{
    struct stmt *window = tx_stmt(tx, SQL_JOURNAL_WINDOW), *prune;
    struct feed_place gap = {0};
    int64_t to_id = 0;

    stmt_bind_i64(window, 2, *after_id);
    stmt_bind_i64(window, 3, cutoff_ms);
    stmt_bind_i64(window, 4, PRUNE_BATCH);
    if (stmt_number(window, &to_id, err) != OK) {
        return err->code;
    }
    *ret_more = to_id > 0;
    if (to_id == 0) {
        return OK;
    }
    prune = tx_stmt(tx, SQL_JOURNAL_PRUNE);
    stmt_bind_i64(prune, 2, *after_id);
    stmt_bind_i64(prune, 3, cutoff_ms);
    stmt_bind_i64(prune, 4, to_id);
    stmt_bind_i64(prune, 5, cutoff_ms - RETENTION_FOLLOWED_MS);
    if (run_deleting(prune, count, &gap.journal, err) != OK) {
        return err->code;
    }
    *after_id = to_id;
    return gap.journal ? feed_gap_put(tx, &gap, err) : OK;
}

static enum fail prune_journal(const struct pruning *p, int64_t keep_ms, int64_t *count,
                               struct error *err)
{
    int64_t after_id = 0;
    bool has_more = keep_ms > 0;

    while (has_more) {
        AUTO_TX struct tx *tx = NULL;

        if (tx_begin(p->store, p->tenant_id, &tx, err) != OK ||
            prune_window(tx, p->now_ms - keep_ms, &after_id, &has_more, count, err) != OK) {
            return err->code;
        }
        if (!p->is_rehearsal && tx_commit(&tx, err) != OK) {
            return err->code;
        }
    }
    return OK;
}

/* --- what became of conflicts ------------------------------------------------------------------------------- */

/* The newest stays, so that its number is not given again. */
static const char SQL_PRUNE_NOTES[] =
    "DELETE FROM conflict_note AS n WHERE id IN (SELECT n.id FROM conflict_note n WHERE "
    "n.tenant_id = $1 AND n.at_ms < $2 AND n.id < (SELECT max(id) FROM conflict_note) AND "
    "(n.at_ms < $3 OR NOT EXISTS (SELECT 1 FROM endpoint e WHERE e.tenant_id = $1 AND e.state = 0 "
    "AND e.conflict < n.id)) ORDER BY n.id LIMIT $4) RETURNING id";

static enum fail prune_note_batch(struct tx *tx, int64_t cutoff_ms, int64_t *ret_done,
                                  struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_PRUNE_NOTES);
    struct feed_place gap = {0};

    *ret_done = 0;
    stmt_bind_i64(stmt, 2, cutoff_ms);
    stmt_bind_i64(stmt, 3, cutoff_ms - RETENTION_FOLLOWED_MS);
    stmt_bind_i64(stmt, 4, PRUNE_BATCH);
    if (run_deleting(stmt, ret_done, &gap.conflict, err) != OK) {
        return err->code;
    }
    return gap.conflict ? feed_gap_put(tx, &gap, err) : OK;
}

static enum fail prune_notes(const struct pruning *p, int64_t keep_ms, struct error *err)
{
    int64_t done = keep_ms && !p->is_rehearsal ? PRUNE_BATCH : 0;

    while (done == PRUNE_BATCH) {
        AUTO_TX struct tx *tx = NULL;

        if (tx_begin(p->store, p->tenant_id, &tx, err) != OK ||
            prune_note_batch(tx, p->now_ms - keep_ms, &done, err) != OK ||
            tx_commit(&tx, err) != OK) {
            return err->code;
        }
    }
    return OK;
}

/* --- the others ---------------------------------------------------------------------------------------------- */

static const char SQL_PRUNE_INBOX[] =
    "DELETE FROM inbox WHERE id IN (SELECT id FROM inbox WHERE tenant_id = $1 AND is_done = 1 "
    "AND received_ms < $2 LIMIT $3)";
/* A discarded failure of a record without an object is what keeps it from being created there. */
static const char SQL_PRUNE_FAILURES[] =
    "DELETE FROM failure WHERE id IN (SELECT f.id FROM failure f WHERE f.tenant_id = $1 AND "
    "f.state = 1 AND f.last_ms < $2 AND NOT EXISTS (SELECT 1 FROM record r WHERE r.tenant_id = $1 "
    "AND r.id = f.record_id AND r.state = 0 AND NOT EXISTS (SELECT 1 FROM link l WHERE "
    "l.tenant_id = $1 AND l.record_id = r.id AND l.connection_id = f.connection_id)) LIMIT $3)";
static const char SQL_PRUNE_DEAD[] =
    "DELETE FROM dead_event WHERE id IN (SELECT id FROM dead_event WHERE tenant_id = $1 AND "
    "died_ms < $2 LIMIT $3)";
static const char SQL_PRUNE_CONFLICTS[] =
    "DELETE FROM conflict WHERE id IN (SELECT id FROM conflict WHERE tenant_id = $1 AND state > 0 "
    "AND changed_ms < $2 LIMIT $3)";
/* $2: a day. */
static const char SQL_PRUNE_USAGE[] =
    "DELETE FROM usage WHERE tenant_id = $1 AND day < $2 AND $3 > 0";
/* The newest stays, so that its number is not given again. */
static const char SQL_PRUNE_RUN_USAGE[] =
    "DELETE FROM run_usage WHERE tenant_id = $1 AND run_id IN (SELECT id FROM run WHERE "
    "tenant_id = $1 AND state > 0 AND started_ms < $2 AND id < (SELECT max(id) FROM run) "
    "ORDER BY id LIMIT $3)";
static const char SQL_PRUNE_RUNS[] =
    "DELETE FROM run WHERE id IN (SELECT id FROM run WHERE tenant_id = $1 AND state > 0 AND "
    "started_ms < $2 AND id < (SELECT max(id) FROM run) ORDER BY id LIMIT $3)";

static enum fail prune_batch(struct tx *tx, const char *sql, int64_t before, int64_t *ret,
                             struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, sql);

    stmt_bind_i64(stmt, 2, before);
    stmt_bind_i64(stmt, 3, PRUNE_BATCH);
    if (stmt_run(stmt, err) != OK) {
        return err->code;
    }
    *ret = stmt_changes(stmt);
    return OK;
}

/* first (NULL none) goes in the same transaction, before what it points to. A rehearsal takes all batches back at the end. */
static enum fail prune_rows(const struct pruning *p, const char *first, const char *sql,
                            int64_t before, int64_t *count, struct error *err)
{
    AUTO_TX struct tx *tx = NULL;
    int64_t done = PRUNE_BATCH, ignored;

    while (done == PRUNE_BATCH) {
        if ((!tx && tx_begin(p->store, p->tenant_id, &tx, err) != OK) ||
            (first && prune_batch(tx, first, before, &ignored, err) != OK) ||
            prune_batch(tx, sql, before, &done, err) != OK ||
            (!p->is_rehearsal && tx_commit(&tx, err) != OK)) {
            return err->code;
        }
        *count += done;
    }
    return OK;
}

static int64_t shorter(int64_t one_ms, int64_t other_ms)
{
    return one_ms == 0 || (other_ms && other_ms < one_ms) ? other_ms : one_ms;
}

enum fail retention_prune(struct store *store, int64_t tenant_id, const struct retention *retention,
                          bool is_rehearsal, struct pruned *ret, struct error *err)
{
    struct pruning p = {.store = store,
                        .tenant_id = tenant_id,
                        .now_ms = store_now_ms(store),
                        .is_rehearsal = is_rehearsal};
    /* A run without its journal would be undone by doing nothing. */
    int64_t runs_ms = shorter(retention->runs_ms, retention->journal_ms);
    const struct {
        const char *first, *sql;
        int64_t keep_ms, before;
        int64_t *count;
    } steps[] = {
        {SQL_PRUNE_RUN_USAGE, SQL_PRUNE_RUNS, runs_ms, p.now_ms - runs_ms, &ret->runs},
        {NULL, SQL_PRUNE_INBOX, retention->inbox_ms, p.now_ms - retention->inbox_ms, &ret->inbox},
        {NULL, SQL_PRUNE_FAILURES, retention->failures_ms, p.now_ms - retention->failures_ms,
         &ret->failures},
        {NULL, SQL_PRUNE_DEAD, retention->failures_ms, p.now_ms - retention->failures_ms,
         &ret->failures},
        {NULL, SQL_PRUNE_CONFLICTS, retention->conflicts_ms, p.now_ms - retention->conflicts_ms,
         &ret->conflicts},
        {NULL, SQL_PRUNE_USAGE, retention->usage_ms, (p.now_ms - retention->usage_ms) / DAY_MS,
         &ret->usage}};

    for (size_t i = 0; i < COUNT_OF(steps); i++) {
        if (steps[i].keep_ms && prune_rows(&p, steps[i].first, steps[i].sql, steps[i].before,
                                           steps[i].count, err) != OK) {
            return err->code;
        }
    }
    if (prune_notes(&p, retention->conflicts_ms, err) != OK) {
        return err->code;
    }
    return prune_journal(&p, retention->journal_ms, &ret->journal, err);
}
