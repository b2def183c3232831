#include "store/erasure.h"

#include "store/inside.h"
#include "store/journal.h"
#include "store/link.h"
#include "store/record.h"

const char *erasure_state_name(enum erasure_state state)
{
    switch (state) {
    case ERASURE_OPEN:
        return "open";
    case ERASURE_DONE:
        return "done";
    case ERASURE_LIFTED:
        return "lifted";
    }
    return "unknown";
}

/* --- the ledger ---------------------------------------------------------------------------------------------- */

static const char SQL_ERASURE_BEGIN[] = "INSERT INTO erasure (tenant_id, kind, record_uuid, "
                                        "at_crms, state, asked_ms, done_ms, refused) "
                                        "VALUES ($1, $2, $3, $4, 0, $5, 0, 0)";

enum fail erasure_begin(struct tx *tx, struct erasure *erasure, struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_ERASURE_BEGIN);

    erasure->state = ERASURE_OPEN;
    erasure->asked_ms = tx_now_ms(tx);
    stmt_bind_str(stmt, 2, erasure->kind);
    stmt_bind_str(stmt, 3, erasure->record_uuid);
    stmt_bind_i64(stmt, 4, erasure->at_crms);
    stmt_bind_i64(stmt, 5, erasure->asked_ms);
    return stmt_insert(stmt, &erasure->id, err);
}

static const char SQL_ERASURE_DONE[] =
    "UPDATE erasure SET state = 1, done_ms = $3 WHERE tenant_id = $1 AND id = $2";

enum fail erasure_done(struct tx *tx, int64_t id, struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_ERASURE_DONE);

    stmt_bind_i64(stmt, 2, id);
    stmt_bind_i64(stmt, 3, tx_now_ms(tx));
    return stmt_run_on_one(stmt, "erasure", id, err);
}

static const char SQL_ERASURE_LIFT[] =
    "UPDATE erasure SET state = 2 WHERE tenant_id = $1 AND id = $2 AND state = 1";
static const char SQL_SUPPRESSIONS_LIFT[] =
    "DELETE FROM suppression WHERE tenant_id = $1 AND erasure_id = $2";

enum fail erasure_lift(struct tx *tx, int64_t id, struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_ERASURE_LIFT);

    stmt_bind_i64(stmt, 2, id);
    if (stmt_run(stmt, err) != OK) {
        return err->code;
    }
    if (stmt_changes(stmt) != 1) {
        error_set(err, FAIL_RECORD, "there is no erasure %lld that is done", (long long)id);
        return error_hint(err, "list them with 'crmsync erase --list'");
    }
    stmt = tx_stmt(tx, SQL_SUPPRESSIONS_LIFT);
    stmt_bind_i64(stmt, 2, id);
    return stmt_run(stmt, err);
}

static enum fail read_erasure(const struct stmt *stmt, struct arena *arena, void *row,
                              struct error *err)
{
    (void)err;
    *(struct erasure *)row = (struct erasure){.id = stmt_i64(stmt, 0),
                                              .kind = arena_str(arena, stmt_str(stmt, 1)),
                                              .record_uuid = arena_str(arena, stmt_str(stmt, 2)),
                                              .at_crms = stmt_i64(stmt, 3) != 0,
                                              .state = (enum erasure_state)stmt_i64(stmt, 4),
                                              .asked_ms = stmt_i64(stmt, 5),
                                              .done_ms = stmt_i64(stmt, 6),
                                              .refused = stmt_i64(stmt, 7)};
    return OK;
}

static const char SQL_ERASURE_LIST[] =
    "SELECT id, kind, record_uuid, at_crms, state, asked_ms, done_ms, refused FROM erasure "
    "WHERE tenant_id = $1 ORDER BY id DESC";

enum fail erasure_list(struct tx *tx, struct arena *arena, struct erasure **ret, size_t *ret_count,
                       struct error *err)
{
    struct rows rows;

    if (stmt_all(tx_stmt(tx, SQL_ERASURE_LIST), read_erasure, sizeof **ret, arena, &rows, err) !=
        OK) {
        return err->code;
    }
    *ret = rows.at;
    *ret_count = rows.count;
    return OK;
}

/* --- what is kept out ---------------------------------------------------------------------------------------- */

static const char SQL_SUPPRESSION_KEY[] = "SELECT key FROM suppression_key WHERE id = 1";

static enum fail read_blob(const struct stmt *stmt, struct arena *arena, void *row,
                           struct error *err)
{
    (void)err;
    *(struct str *)row = arena_str(arena, stmt_blob(stmt, 0));
    return OK;
}

static enum fail digest_text(struct tx *tx, struct str text, struct suppression *ret,
                             struct error *err)
{
    AUTO_ARENA struct arena arena = {0};
    struct str key = STR_NONE;
    bool found;

    if (stmt_one(engine_stmt(tx->engine, SQL_SUPPRESSION_KEY), read_blob, &arena, &key, &found,
                 err) != OK) {
        return err->code;
    }
    if (!found) {
        return store_damaged(err, "the key of its suppressions is missing");
    }
    hmac_sha256(key, text, ret->bytes);
    return OK;
}

enum fail suppression_of_key(struct tx *tx, struct str kind, struct str key,
                             struct suppression *ret, struct error *err)
{
    AUTO_ARENA struct arena arena = {0};

    return digest_text(
        tx, arena_printf(&arena, "key\n%" PRI_STR "\n%" PRI_STR, STR_ARG(kind), STR_ARG(key)), ret,
        err);
}

enum fail suppression_of_object(struct tx *tx, int64_t connection_id, struct str kind,
                                struct str remote_id, struct suppression *ret, struct error *err)
{
    AUTO_ARENA struct arena arena = {0};

    return digest_text(tx,
                       arena_printf(&arena, "object\n%lld\n%" PRI_STR "\n%" PRI_STR,
                                    (long long)connection_id, STR_ARG(kind), STR_ARG(remote_id)),
                       ret, err);
}

static const char SQL_SUPPRESSION_PUT[] =
    "INSERT INTO suppression (tenant_id, digest, erasure_id) VALUES ($1, $2, $3) "
    "ON CONFLICT (tenant_id, digest) DO UPDATE SET erasure_id = excluded.erasure_id";

enum fail suppression_put(struct tx *tx, int64_t erasure_id, const struct suppression *suppression,
                          struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_SUPPRESSION_PUT);

    stmt_bind_blob(stmt, 2, suppression->bytes, SHA256_BYTES);
    stmt_bind_i64(stmt, 3, erasure_id);
    return stmt_run(stmt, err);
}

static enum fail read_suppression(const struct stmt *stmt, struct arena *arena, void *row,
                                  struct error *err)
{
    struct str blob = stmt_blob(stmt, 0);

    (void)arena;
    if (blob.len != SHA256_BYTES) {
        return store_damaged(err, "a suppression cannot be read");
    }
    memcpy(((struct suppression *)row)->bytes, blob.at, SHA256_BYTES);
    return OK;
}

static const char SQL_SUPPRESSIONS_OF[] =
    "SELECT digest FROM suppression WHERE tenant_id = $1 AND erasure_id = $2";

enum fail suppressions_of(struct tx *tx, int64_t erasure_id, struct arena *arena,
                          struct suppression **ret, size_t *ret_count, struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_SUPPRESSIONS_OF);
    struct rows rows;

    stmt_bind_i64(stmt, 2, erasure_id);
    if (stmt_all(stmt, read_suppression, sizeof **ret, arena, &rows, err) != OK) {
        return err->code;
    }
    *ret = rows.at;
    *ret_count = rows.count;
    return OK;
}

static const char SQL_SUPPRESSION_REFUSES[] =
    "UPDATE erasure SET refused = refused + 1 WHERE tenant_id = $1 AND id = (SELECT erasure_id "
    "FROM suppression WHERE tenant_id = $1 AND digest = $2)";

enum fail suppression_refuses(struct tx *tx, const struct suppression *suppression, bool *ret,
                              struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_SUPPRESSION_REFUSES);

    stmt_bind_blob(stmt, 2, suppression->bytes, SHA256_BYTES);
    if (stmt_run(stmt, err) != OK) {
        return err->code;
    }
    *ret = stmt_changes(stmt) > 0;
    return OK;
}

static const char SQL_SUPPRESSION_ANY[] =
    "SELECT EXISTS (SELECT 1 FROM suppression WHERE tenant_id = $1)";

enum fail suppression_any(struct tx *tx, bool *ret, struct error *err)
{
    int64_t is_any = 0;

    if (stmt_number(tx_stmt(tx, SQL_SUPPRESSION_ANY), &is_any, err) != OK) {
        return err->code;
    }
    *ret = is_any != 0;
    return OK;
}

/* --- the copies ---------------------------------------------------------------------------------------------- */

/* What names one of the record's objects, in a table with connection_id, kind and the id under that name. */
#define OF_ITS_OBJECTS(id)                                                                         \
    "EXISTS (SELECT 1 FROM link l WHERE l.tenant_id = $1 AND l.record_id = $2 AND "                \
    "l.connection_id = t.connection_id AND l.kind = t.kind AND l.remote_id = t." id ")"

static const char SQL_ERASE_CONFLICTS[] =
    "DELETE FROM conflict WHERE tenant_id = $1 AND record_id = $2";
static const char SQL_ERASE_FAILURES[] =
    "DELETE FROM failure AS t WHERE tenant_id = $1 AND (record_id = $2 OR (t.remote_id <> '' "
    "AND " OF_ITS_OBJECTS("remote_id") "))";
static const char SQL_ERASE_INBOX[] =
    "DELETE FROM inbox AS t WHERE tenant_id = $1 AND " OF_ITS_OBJECTS("remote_id");
static const char SQL_ERASE_DIRTY[] =
    "DELETE FROM dirty AS t WHERE tenant_id = $1 AND " OF_ITS_OBJECTS("remote_id");
static const char SQL_ERASE_WAITERS[] =
    "DELETE FROM wait_inward AS t WHERE tenant_id = $1 AND " OF_ITS_OBJECTS("waiter_remote_id");
static const char SQL_ERASE_WAITED[] =
    "DELETE FROM wait_inward WHERE tenant_id = $1 AND EXISTS (SELECT 1 FROM link l WHERE "
    "l.tenant_id = $1 AND l.record_id = $2 AND l.connection_id = wait_inward.connection_id AND "
    "l.kind = wait_inward.target_kind AND l.remote_id = wait_inward.target_remote_id)";
static const char SQL_ERASE_ALIASES[] =
    "DELETE FROM alias AS t WHERE tenant_id = $1 AND (" OF_ITS_OBJECTS(
        "from_remote_id") " OR " OF_ITS_OBJECTS("into_remote_id") ")";
static const char SQL_ERASE_WAITS_OUTWARD[] = "DELETE FROM wait_outward WHERE tenant_id = $1 AND "
                                              "(target_record_id = $2 OR waiter_record_id = $2)";
static const char SQL_ERASE_INTENTS[] =
    "DELETE FROM intent WHERE tenant_id = $1 AND record_id = $2";
static const char SQL_ERASE_SELECTIONS[] =
    "DELETE FROM selection WHERE tenant_id = $1 AND record_id = $2";
static const char SQL_ERASE_KEYS[] =
    "DELETE FROM match_key WHERE tenant_id = $1 AND record_id = $2";
static const char SQL_ERASE_RESTORED[] =
    "DELETE FROM restored WHERE tenant_id = $1 AND record_id = $2";
static const char SQL_ERASE_DIFFERENCES[] =
    "DELETE FROM difference AS t WHERE tenant_id = $1 AND (record_id = $2 OR " OF_ITS_OBJECTS(
        "remote_id") ")";
static const char SQL_ERASE_SUSPECTS[] =
    "DELETE FROM reconcile_suspect AS t WHERE tenant_id = $1 AND " OF_ITS_OBJECTS("remote_id");
static const char SQL_ERASE_LINKS[] = "DELETE FROM link WHERE tenant_id = $1 AND record_id = $2";
/* That something happened, and when, stays; what it was goes. */
static const char SQL_ERASE_JOURNAL[] =
    "UPDATE journal SET changes = '[]', rule = '', remote_id = '', changed_ms = 0 WHERE "
    "tenant_id = $1 AND record_id = $2 AND (changes <> '[]' OR remote_id <> '')";
static const char SQL_ERASE_RECORD[] =
    "UPDATE record SET fields = '{}', state = CASE WHEN state = 0 THEN 1 ELSE state END, "
    "version = version + 1 WHERE tenant_id = $1 AND id = $2 AND (fields <> '{}' OR state = 0)";

static enum fail run_on(struct tx *tx, const char *sql, int64_t record_id, int64_t *count,
                        struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, sql);

    stmt_bind_i64(stmt, 2, record_id);
    if (stmt_run(stmt, err) != OK) {
        return err->code;
    }
    *count += stmt_changes(stmt);
    return OK;
}

/* Those who follow the store hear of it, and of nothing else. */
static enum fail note_erasure(struct tx *tx, int64_t record_id, struct error *err)
{
    AUTO_ARENA struct arena arena = {0};
    struct store_record record;
    struct journal_entry entry = {
        .record_id = record_id, .at_ms = tx_now_ms(tx), .cause = CAUSE_DELETE, .is_erasure = true};
    bool found;

    if (record_by_id(tx, record_id, &arena, &record, &found, err) != OK || !found) {
        return err->code;
    }
    entry.record_version = record.version;
    return journal_append(tx, &entry, err);
}

static enum fail wipe_one(struct tx *tx, int64_t record_id, struct erased *ret, struct error *err)
{
    const struct {
        const char *sql;
        int64_t *count;
    } steps[] = {/* what is found by the links goes before them */
                 {SQL_ERASE_CONFLICTS, &ret->conflicts}, {SQL_ERASE_FAILURES, &ret->failures},
                 {SQL_ERASE_INBOX, &ret->hints},         {SQL_ERASE_DIRTY, &ret->hints},
                 {SQL_ERASE_WAITERS, &ret->others},      {SQL_ERASE_WAITED, &ret->others},
                 {SQL_ERASE_ALIASES, &ret->others},      {SQL_ERASE_WAITS_OUTWARD, &ret->others},
                 {SQL_ERASE_INTENTS, &ret->others},      {SQL_ERASE_SELECTIONS, &ret->others},
                 {SQL_ERASE_KEYS, &ret->others},         {SQL_ERASE_DIFFERENCES, &ret->others},
                 {SQL_ERASE_SUSPECTS, &ret->others},     {SQL_ERASE_RESTORED, &ret->others},
                 {SQL_ERASE_LINKS, &ret->links},         {SQL_ERASE_JOURNAL, &ret->journal},
                 {SQL_ERASE_RECORD, &ret->records}};
    int64_t before = ret->records;

    for (size_t i = 0; i < COUNT_OF(steps); i++) {
        if (run_on(tx, steps[i].sql, record_id, steps[i].count, err) != OK) {
            return err->code;
        }
    }
    return ret->records > before ? note_erasure(tx, record_id, err) : OK;
}

enum fail suppress_objects(struct tx *tx, int64_t erasure_id, int64_t record_id, struct error *err)
{
    AUTO_ARENA struct arena arena = {0};
    struct store_link *links;
    size_t count;

    if (links_of_record(tx, record_id, &arena, &links, &count, err) != OK) {
        return err->code;
    }
    for (size_t i = 0; i < count; i++) {
        struct suppression suppression;

        if (suppression_of_object(tx, links[i].connection_id, links[i].kind, links[i].remote_id,
                                  &suppression, err) != OK ||
            suppression_put(tx, erasure_id, &suppression, err) != OK) {
            return err->code;
        }
    }
    return OK;
}

static enum fail read_id(const struct stmt *stmt, struct arena *arena, void *row, struct error *err)
{
    (void)arena;
    (void)err;
    *(int64_t *)row = stmt_i64(stmt, 0);
    return OK;
}

/* However many merges lie between them. */
static const char SQL_ERASE_WHOM[] =
    "WITH RECURSIVE gone (id) AS (SELECT $2 UNION SELECT r.id FROM record r JOIN gone g ON "
    "r.tenant_id = $1 AND r.state = 2 AND r.merged_into = g.id) SELECT id FROM gone";

enum fail erase_whom(struct tx *tx, int64_t record_id, struct arena *arena, int64_t **ret_ids,
                     size_t *ret_count, struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_ERASE_WHOM);
    struct rows rows;

    stmt_bind_i64(stmt, 2, record_id);
    if (stmt_all(stmt, read_id, sizeof **ret_ids, arena, &rows, err) != OK) {
        return err->code;
    }
    *ret_ids = rows.at;
    *ret_count = rows.count;
    return OK;
}

static const char SQL_HINTS_OF_RECORD[] =
    "SELECT t.connection_id, t.remote_id, t.received_ms FROM inbox t WHERE t.tenant_id = $1 "
    "AND " OF_ITS_OBJECTS("remote_id") " ORDER BY t.id";

static enum fail read_hint(const struct stmt *stmt, struct arena *arena, void *row,
                           struct error *err)
{
    (void)err;
    *(struct erasure_hint *)row =
        (struct erasure_hint){.connection_id = stmt_i64(stmt, 0),
                              .remote_id = arena_str(arena, stmt_str(stmt, 1)),
                              .received_ms = stmt_i64(stmt, 2)};
    return OK;
}

enum fail hints_of_record(struct tx *tx, int64_t record_id, struct arena *arena,
                          struct erasure_hint **ret, size_t *ret_count, struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_HINTS_OF_RECORD);
    struct rows rows;

    stmt_bind_i64(stmt, 2, record_id);
    if (stmt_all(stmt, read_hint, sizeof **ret, arena, &rows, err) != OK) {
        return err->code;
    }
    *ret = rows.at;
    *ret_count = rows.count;
    return OK;
}

enum fail erase_record(struct tx *tx, int64_t erasure_id, int64_t record_id, struct erased *ret,
                       struct error *err)
{
    AUTO_ARENA struct arena arena = {0};
    int64_t *ids;
    size_t count;

    if (erase_whom(tx, record_id, &arena, &ids, &count, err) != OK) {
        return err->code;
    }
    for (size_t i = 0; i < count; i++) {
        if (suppress_objects(tx, erasure_id, ids[i], err) != OK ||
            wipe_one(tx, ids[i], ret, err) != OK) {
            return err->code;
        }
    }
    return OK;
}

enum fail store_wipe_log(struct store *store, bool *ret_is_complete, struct error *err)
{
    return engine_fold_log(store_engine(store), ret_is_complete, err);
}
