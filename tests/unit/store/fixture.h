/* A store of its own for each test, in a temporary folder that goes with the test. */
#ifndef CRMSYNC_TESTS_STORE_FIXTURE_H
#define CRMSYNC_TESTS_STORE_FIXTURE_H

#include "tests/expect.h"

#include <dirent.h>
#include <stdio.h>
#include <unistd.h>

#include "core/uuid.h"
#include "store/connection.h"
#include "store/inside.h"
#include "store/intent.h"
#include "store/journal.h"
#include "store/link.h"
#include "store/record.h"
#include "store/review.h"
#include "store/run.h"
#include "store/secret.h"
#include "store/signin.h"
#include "store/stream.h"

enum { START_S = 1763700000, PATH_BYTES = 128, SEED = 5 };
#define START_MS (INT64_C(1000) * START_S)

struct fixture {
    char folder[PATH_BYTES];
    char path[2 * PATH_BYTES];
    struct env env;
    struct store *store;
    struct tx *tx; /* the one that is open, of the default tenant unless a test says so */
    struct arena arena;
    struct error err;
    int64_t connection_id;
};

/* The call succeeds; its message is printed when it does not. */
#define MUST(f, call)                                                                              \
    EXPECT((call) == OK, "%s:%d: %s\n%s", __FILE__, __LINE__, #call, (f)->err.message)
/* The call fails with that code; the error is emptied for the next call. */
#define MUST_FAIL(f, call, code_)                                                                  \
    do {                                                                                           \
        EXPECT((call) == (code_), "%s:%d: %s: wanted '%s', got '%s' %s", __FILE__, __LINE__,       \
               #call, fail_name(code_), fail_name((f)->err.code), (f)->err.message);               \
        error_reset(&(f)->err);                                                                    \
    } while (0)
#define EXPECT_I64(got, want, why)                                                                 \
    EXPECT((int64_t)(got) == (int64_t)(want), "%s:%d: %s: got %lld, wanted %lld", __FILE__,        \
           __LINE__, (why), (long long)(got), (long long)(want))

static inline void fixture_open_as(struct fixture *f, enum store_access access)
{
    struct store_options options = {.path = f->path, .access = access, .holder = "crmsync test"};

    MUST(f, store_open(&options, &f->env, &f->store, &f->err));
}

static inline void fixture_begin(struct fixture *f)
{
    MUST(f, tx_begin(f->store, TENANT_DEFAULT, &f->tx, &f->err));
}

static inline void fixture_commit(struct fixture *f)
{
    MUST(f, tx_commit(&f->tx, &f->err));
}

static inline void fixture_prepare(struct fixture *f)
{
    *f = (struct fixture){.folder = "/tmp/crmsync-store-XXXXXX"};
    assert_non_null(mkdtemp(f->folder));
    snprintf(f->path, sizeof f->path, "%s/test.db", f->folder);
    f->env.clock = clock_new_virtual(START_MS);
    f->env.random = random_new_seeded(SEED);
}

static inline int64_t fixture_connection(struct fixture *f, const char *name)
{
    struct store_connection row;

    MUST(f, connection_ensure(f->tx, str_of(name), STR("hubspot"), &f->arena, &row, &f->err));
    return row.id;
}

/* An empty store with one connection and a transaction. */
static inline void fixture_begin_all(struct fixture *f)
{
    fixture_prepare(f);
    fixture_open_as(f, STORE_CREATE);
    fixture_begin(f);
    f->connection_id = fixture_connection(f, "main");
}

static inline void fixture_remove_folder(const char *folder)
{
    DIR *dir = opendir(folder);
    struct dirent *entry;
    char path[4 * PATH_BYTES];

    while (dir && (entry = readdir(dir)) != NULL) {
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        unlink(path);
    }
    if (dir) {
        closedir(dir);
    }
    rmdir(folder);
}

static inline void fixture_end(struct fixture *f)
{
    tx_abort(&f->tx);
    store_close(f->store);
    clock_free(f->env.clock);
    random_free(f->env.random);
    arena_fini(&f->arena);
    fixture_remove_folder(f->folder);
}

#define AUTO_FIXTURE __attribute__((cleanup(fixture_end)))

/* --- small makers -------------------------------------------------------------------------------------------- */

static inline struct fields fields_of_one(struct fixture *f, const char *name, const char *text)
{
    struct fields fields = {0};

    fields_set(&fields, &f->arena, str_of(name), VALUE_OF(str_of(text)));
    return fields;
}

/* A live contact with that e-mail address, which is also its first match key ("" = none). */
static inline struct store_record make_record(struct fixture *f, const char *email)
{
    struct str uuid = arena_str(&f->arena, STR("00000000-0000-0000-0000-000000000000"));
    struct store_record record = {.kind = STR("contact"),
                                  .state = RECORD_LIVE,
                                  .fields = fields_of_one(f, "email", email),
                                  .created_ms = START_MS,
                                  .updated_ms = START_MS};
    struct str keys[] = {str_of(email), STR("")};
    char text[UUID_TEXT_BYTES];

    uuid_v7(START_MS, f->env.random, text);
    memcpy((char *)uuid.at, text, uuid.len);
    record.uuid = uuid;
    MUST(f, record_insert(f->tx, &record, keys, COUNT_OF(keys), &f->err));
    return record;
}

static inline struct store_link link_of(struct fixture *f, int64_t record_id, const char *remote_id)
{
    return (struct store_link){.connection_id = f->connection_id,
                               .kind = STR("contact"),
                               .record_id = record_id,
                               .remote_id = str_of(remote_id),
                               .state = LINK_LIVE,
                               .synced_version = 1};
}

static inline struct store_link make_link(struct fixture *f, int64_t record_id,
                                          const char *remote_id)
{
    struct store_link link = link_of(f, record_id, remote_id);

    MUST(f, link_insert(f->tx, &link, &f->err));
    return link;
}

#endif
