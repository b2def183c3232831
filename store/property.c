#include "store/property.h"

#include "store/inside.h"

static enum fail read_property(const struct stmt *stmt, struct arena *arena, void *row,
                               struct error *err)
{
    (void)err;
    *(struct store_property *)row = (struct store_property){
        .name = arena_str(arena, stmt_str(stmt, 0)), .type = arena_str(arena, stmt_str(stmt, 1))};
    return OK;
}

static const char SQL_PROPERTIES_SEEN[] =
    "SELECT property, type FROM property_seen WHERE tenant_id = $1 AND connection_id = $2 "
    "AND kind = $3 ORDER BY property";

enum fail properties_seen(struct tx *tx, int64_t connection_id, struct str kind,
                          struct arena *arena, struct store_property **ret, size_t *ret_count,
                          struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_PROPERTIES_SEEN);
    struct rows rows;

    stmt_bind_i64(stmt, 2, connection_id);
    stmt_bind_str(stmt, 3, kind);
    if (stmt_all(stmt, read_property, sizeof **ret, arena, &rows, err) != OK) {
        return err->code;
    }
    *ret = rows.at;
    *ret_count = rows.count;
    return OK;
}

static const char SQL_PROPERTY_SEEN_PUT[] =
    "INSERT INTO property_seen (tenant_id, connection_id, kind, property, type) "
    "VALUES ($1, $2, $3, $4, $5) "
    "ON CONFLICT (tenant_id, connection_id, kind, property) DO NOTHING";

enum fail property_seen_put(struct tx *tx, int64_t connection_id, struct str kind,
                            const struct store_property *property, struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_PROPERTY_SEEN_PUT);

    stmt_bind_i64(stmt, 2, connection_id);
    stmt_bind_str(stmt, 3, kind);
    stmt_bind_str(stmt, 4, property->name);
    stmt_bind_str(stmt, 5, property->type);
    return stmt_run(stmt, err);
}

static const char SQL_PROPERTIES_FORGET[] = "DELETE FROM property_seen WHERE tenant_id = $1 "
                                            "AND connection_id = $2 AND ($3 = '' OR kind = $3)";

enum fail properties_forget(struct tx *tx, int64_t connection_id, struct str kind,
                            struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_PROPERTIES_FORGET);

    stmt_bind_i64(stmt, 2, connection_id);
    stmt_bind_str(stmt, 3, kind);
    return stmt_run(stmt, err);
}
