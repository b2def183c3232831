#include "store/lineage.h"

#include "store/inside.h"

/* Of the whole store, not of a tenant. */
static const char SQL_LINEAGE_READ[] =
    "SELECT epoch, backed_up_ms, restored_ms FROM lineage WHERE id = 1";

static enum fail read_lineage(const struct stmt *stmt, struct arena *arena, void *row,
                              struct error *err)
{
    (void)arena;
    (void)err;
    *(struct lineage *)row = (struct lineage){.epoch = stmt_i64(stmt, 0),
                                              .backed_up_ms = stmt_i64(stmt, 1),
                                              .restored_ms = stmt_i64(stmt, 2)};
    return OK;
}

enum fail lineage_read(struct tx *tx, struct lineage *ret, struct error *err)
{
    bool found;

    if (stmt_one(engine_stmt(tx->engine, SQL_LINEAGE_READ), read_lineage, NULL, ret, &found, err) !=
        OK) {
        return err->code;
    }
    return found ? OK : store_damaged(err, "it does not know its own epoch");
}

static const char SQL_LINEAGE_SET[] =
    "UPDATE lineage SET epoch = $1, backed_up_ms = $2, restored_ms = $3 WHERE id = 1";

enum fail lineage_set(struct tx *tx, const struct lineage *lineage, struct error *err)
{
    struct stmt *stmt = engine_stmt(tx->engine, SQL_LINEAGE_SET);

    stmt_bind_i64(stmt, 1, lineage->epoch);
    stmt_bind_i64(stmt, 2, lineage->backed_up_ms);
    stmt_bind_i64(stmt, 3, lineage->restored_ms);
    return stmt_run(stmt, err);
}
