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

void adapter_credential(const char *scheme, const struct secret *token, struct secret *ret)
{
    char *value = alloc_printf("%s%" PRI_STR, scheme, STR_ARG(secret_expose(token)));

    secret_set(ret, str_of(value));
    explicit_bzero(value, strlen(value));
    free(value);
}
