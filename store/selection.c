#include "store/selection.h"

#include "store/inside.h"

const char *selection_mode_name(enum selection_mode mode)
{
    switch (mode) {
    case SELECTION_INCLUDE:
        return "include";
    case SELECTION_EXCLUDE:
        return "exclude";
    case SELECTION_PIN:
        return "pin";
    }
    return "unknown";
}

static const char SQL_SELECTION_PUT[] =
    "INSERT INTO selection (tenant_id, connection_id, record_id, mode, set_ms) "
    "VALUES ($1, $2, $3, $4, $5) ON CONFLICT (tenant_id, connection_id, record_id) "
    "DO UPDATE SET mode = $4, set_ms = $5";

enum fail selection_put(struct tx *tx, const struct store_selection *selection, struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_SELECTION_PUT);

    stmt_bind_i64(stmt, 2, selection->connection_id);
    stmt_bind_i64(stmt, 3, selection->record_id);
    stmt_bind_i64(stmt, 4, selection->mode);
    stmt_bind_i64(stmt, 5, selection->set_ms);
    return stmt_run(stmt, err);
}

static const char SQL_SELECTION_REMOVE[] =
    "DELETE FROM selection WHERE tenant_id = $1 AND connection_id = $2 AND record_id = $3";

enum fail selection_remove(struct tx *tx, int64_t connection_id, int64_t record_id,
                           bool *ret_removed, struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_SELECTION_REMOVE);

    stmt_bind_i64(stmt, 2, connection_id);
    stmt_bind_i64(stmt, 3, record_id);
    if (stmt_run(stmt, err) != OK) {
        return err->code;
    }
    *ret_removed = stmt_changes(stmt) == 1;
    return OK;
}

static enum fail read_selection(const struct stmt *stmt, struct arena *arena, void *row,
                                struct error *err)
{
    (void)arena;
    (void)err;
    *(struct store_selection *)row =
        (struct store_selection){.connection_id = stmt_i64(stmt, 0),
                                 .record_id = stmt_i64(stmt, 1),
                                 .mode = (enum selection_mode)stmt_i64(stmt, 2),
                                 .set_ms = stmt_i64(stmt, 3)};
    return OK;
}

#define SELECTION_COLUMNS "connection_id, record_id, mode, set_ms"

static const char SQL_SELECTION_FIND[] =
    "SELECT " SELECTION_COLUMNS
    " FROM selection WHERE tenant_id = $1 AND connection_id = $2 AND record_id = $3";

enum fail selection_find(struct tx *tx, int64_t connection_id, int64_t record_id,
                         enum selection_mode *ret, bool *ret_found, struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_SELECTION_FIND);
    struct store_selection selection = {0};

    stmt_bind_i64(stmt, 2, connection_id);
    stmt_bind_i64(stmt, 3, record_id);
    if (stmt_one(stmt, read_selection, NULL, &selection, ret_found, err) != OK) {
        return err->code;
    }
    *ret = selection.mode;
    return OK;
}

static const char SQL_SELECTIONS_OF_RECORD[] =
    "SELECT " SELECTION_COLUMNS
    " FROM selection WHERE tenant_id = $1 AND record_id = $2 ORDER BY connection_id";

enum fail selections_of_record(struct tx *tx, int64_t record_id, struct arena *arena,
                               struct store_selection **ret, size_t *ret_count, struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_SELECTIONS_OF_RECORD);
    struct rows rows;

    stmt_bind_i64(stmt, 2, record_id);
    if (stmt_all(stmt, read_selection, sizeof **ret, arena, &rows, err) != OK) {
        return err->code;
    }
    *ret = rows.at;
    *ret_count = rows.count;
    return OK;
}

static const char SQL_SELECTION_COUNT[] =
    "SELECT count(*) FROM selection WHERE tenant_id = $1 AND ($2 = 0 OR connection_id = $2)";

enum fail selection_count(struct tx *tx, int64_t connection_id, int64_t *ret, struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_SELECTION_COUNT);

    stmt_bind_i64(stmt, 2, connection_id);
    return stmt_number(stmt, ret, err);
}
