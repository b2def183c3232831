#include "adapters/adapter.h"

#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"

const struct adapter *adapter_by_name(struct str name)
{
    for (size_t i = 0; adapters[i]; i++) {
        if (str_equal(name, str_of(adapters[i]->name))) {
            return adapters[i];
        }
    }
    return NULL;
}

const struct adapter_object *adapter_object_of(const struct adapter *adapter, const char *kind)
{
    for (size_t i = 0; i < ADAPTER_OBJECTS_MAX && adapter->objects[i].kind; i++) {
        if (strcmp(adapter->objects[i].kind, kind) == 0) {
            return &adapter->objects[i];
        }
    }
    return NULL;
}

/* --- creates ---------------------------------------------------------------------------------------------------------------- */

size_t adapter_create_max(const struct adapter *adapter)
{
    return adapter->create_many ? adapter->create_many_max : adapter->batch_write_max;
}

static void keep_created(struct create_item *item, const struct write_item *written)
{
    item->outcome = written->outcome;
    item->remote_id = written->remote_id;
    item->returned = written->returned;
    item->error = written->error.code == OK ? NULL : &written->error;
}

enum fail adapter_create(const struct adapter *adapter, struct session *session, const char *kind,
                         struct arena *arena, struct create_item *items, size_t count,
                         struct error *err)
{
    struct write_item *writes;
    enum fail failed;

    if (adapter->create_many) {
        return adapter->create_many(session, kind, arena, items, count, err);
    }
    writes = ARENA_ARRAY(arena, struct write_item, count);
    for (size_t i = 0; i < count; i++) {
        writes[i].correlation_key = items[i].correlation_key;
        writes[i].props = adapter_unpack(arena, items[i].props);
    }
    failed = adapter->upsert(session, kind, arena, writes, count, err);
    for (size_t i = 0; i < count; i++) {
        keep_created(&items[i], &writes[i]);
    }
    return failed;
}

void adapter_credential(const char *scheme, const struct secret *token, struct secret *ret)
{
    char *value = alloc_printf("%s%" PRI_STR, scheme, STR_ARG(secret_expose(token)));

    secret_set(ret, str_of(value));
    explicit_bzero(value, strlen(value));
    free(value);
}
