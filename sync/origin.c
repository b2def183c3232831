/* When the hub's value was really changed at the CRM that brought it. A listing gives one time for a whole object; a CRM that keeps a time per
 * property is asked for it when a conflict elsewhere hangs on it. */
#include "sync/pass.h"

enum { ORIGIN_BATCH = 50 };

/* The other object of a record, whose times are wanted or known. */
struct origin {
    struct origin *next;
    int64_t record_id;
    struct sync_connection *connection;
    const struct mapping *mapping;
    struct str remote_id;
    bool is_read;
    const json_t *times; /* NULL: it has none */
};

static struct sync_connection *connection_with_times(const struct pass *pass, int64_t id)
{
    for (size_t i = 0; i < pass->sync->connections_count; i++) {
        struct sync_connection *connection = &pass->sync->connections[i];

        if (connection->row.id == id && id != pass->connection->row.id && connection->session &&
            (connection->settings->adapter->capabilities & ADAPTER_FIELD_TIMES)) {
            return connection;
        }
    }
    return NULL;
}

static struct origin *find_origin(const struct pass *pass, int64_t record_id,
                                  const struct sync_connection *connection)
{
    for (struct origin *origin = pass->origins; origin; origin = origin->next) {
        if (origin->record_id == record_id && origin->connection == connection) {
            return origin;
        }
    }
    return NULL;
}

static enum fail add_origin(struct pass *pass, int64_t record_id,
                            struct sync_connection *connection, bool *ret_wanted, struct error *err)
{
    const struct mapping *mapping = mapping_of(connection->settings->mappings, pass->kind->name);
    struct origin *origin;
    struct store_link link;
    bool found;

    if (link_by_record(pass->tx, connection->row.id, record_id, &pass->arena, &link, &found, err) !=
        OK) {
        return err->code;
    }
    *ret_wanted = found && link.state == LINK_LIVE && mapping;
    if (*ret_wanted) {
        origin = ARENA_NEW(&pass->stream_arena, struct origin);
        *origin = (struct origin){.next = pass->origins,
                                  .record_id = record_id,
                                  .connection = connection,
                                  .mapping = mapping,
                                  .remote_id = arena_str(&pass->stream_arena, link.remote_id)};
        pass->origins = origin;
    }
    return OK;
}

enum fail origin_time(struct pass *pass, int64_t record_id, int64_t connection_id, struct str field,
                      int64_t *ret_ms, bool *ret_wanted, struct error *err)
{
    struct sync_connection *connection = connection_with_times(pass, connection_id);
    const struct origin *origin;
    const struct map_entry *entry;
    const json_t *time;

    *ret_ms = 0;
    *ret_wanted = false;
    if (!connection) {
        return OK;
    }
    origin = find_origin(pass, record_id, connection);
    if (!origin) {
        return add_origin(pass, record_id, connection, ret_wanted, err);
    }
    *ret_wanted = !origin->is_read;
    entry = mapping_entry(origin->mapping, field);
    time = entry ? json_object_get(origin->times, arena_cstr(&pass->arena, entry->property)) : NULL;
    if (json_is_integer(time)) {
        *ret_ms = json_integer_value(time) - connection->row.clock_offset_ms;
        *ret_ms = *ret_ms > pass_now_ms(pass) ? pass_now_ms(pass) : *ret_ms;
    }
    return OK;
}

/* Unread ones of one connection, as many as one request takes. */
static size_t collect(const struct pass *pass, struct origin *ret[ORIGIN_BATCH])
{
    size_t count = 0;

    for (struct origin *origin = pass->origins; origin && count < ORIGIN_BATCH;
         origin = origin->next) {
        if (!origin->is_read && (count == 0 || ret[0]->connection == origin->connection)) {
            ret[count++] = origin;
        }
    }
    return count;
}

static enum fail read_batch(struct pass *pass, struct origin *const *origins, size_t count,
                            struct arena *arena, struct error *err)
{
    struct str ids[ORIGIN_BATCH];
    const struct sync_connection *connection = origins[0]->connection;
    const struct mapping *mapping = origins[0]->mapping;
    struct remote_page page = {0};
    struct fetch_request request = {.kind = pass->kind->name.at,
                                    .properties = mapping->properties,
                                    .properties_count = mapping->properties_count,
                                    .remote_ids = ids,
                                    .remote_ids_count = count,
                                    .with_times = true};

    for (size_t i = 0; i < count; i++) {
        ids[i] = origins[i]->remote_id;
    }
    if (connection->settings->adapter->fetch_many(connection->session, &request, arena, &page,
                                                  err) != OK) {
        return err->code;
    }
    for (size_t i = 0; i < count; i++) {
        origins[i]->is_read = true;
        for (size_t k = 0; k < page.count; k++) {
            if (str_equal(page.records[k].remote_id, origins[i]->remote_id)) {
                origins[i]->times = page.records[k].props_times;
            }
        }
    }
    return OK;
}

enum fail read_origins(struct pass *pass, struct arena *arena, struct error *err)
{
    struct origin *origins[ORIGIN_BATCH];
    size_t count = collect(pass, origins);

    while (count) {
        if (read_batch(pass, origins, count, arena, err) != OK) {
            return err->code;
        }
        count = collect(pass, origins);
    }
    return OK;
}
