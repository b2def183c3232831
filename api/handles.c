#include "api/handles.h"

#include <pthread.h>
#include <stdlib.h>

#include "core/alloc.h"

enum { FREE_MAX = 16 };

/* Handles that nobody uses now; there are never more in all than threads that asked at once. */
struct shelf {
    struct store *at[FREE_MAX];
    size_t count;
};

struct handles {
    struct store *source;
    bool is_private;
    pthread_mutex_t mutex;
    struct shelf readers, writers;
};

struct handles *handles_new(struct store *source, bool is_private)
{
    struct handles *handles = alloc_new(1, sizeof *handles);

    handles->source = source;
    handles->is_private = is_private;
    pthread_mutex_init(&handles->mutex, NULL);
    return handles;
}

static void empty_shelf(struct shelf *shelf)
{
    for (size_t i = 0; i < shelf->count; i++) {
        store_close(shelf->at[i]);
    }
}

void handles_free(struct handles *handles)
{
    if (handles) {
        empty_shelf(&handles->readers);
        empty_shelf(&handles->writers);
        pthread_mutex_destroy(&handles->mutex);
        free(handles);
    }
}

static struct shelf *shelf_of(struct handles *handles, enum store_access access)
{
    return access == STORE_READ ? &handles->readers : &handles->writers;
}

/* People and programs wait for the answer: a writer is urgent. */
enum fail handles_take(struct handles *handles, enum store_access access, struct store **ret,
                       struct error *err)
{
    struct shelf *shelf = shelf_of(handles, access);
    enum fail failed = OK;

    if (handles->is_private) {
        *ret = handles->source;
        return OK;
    }
    pthread_mutex_lock(&handles->mutex);
    if (shelf->count) {
        *ret = shelf->at[--shelf->count];
    } else {
        failed = store_beside(handles->source, access, access != STORE_READ, ret, err);
    }
    pthread_mutex_unlock(&handles->mutex);
    return failed;
}

void handles_give(struct handles *handles, enum store_access access, struct store *store)
{
    struct shelf *shelf = shelf_of(handles, access);
    bool is_kept;

    if (handles->is_private) {
        return;
    }
    pthread_mutex_lock(&handles->mutex);
    is_kept = shelf->count < FREE_MAX;
    if (is_kept) {
        shelf->at[shelf->count++] = store;
    }
    pthread_mutex_unlock(&handles->mutex);
    if (!is_kept) {
        store_close(store);
    }
}
