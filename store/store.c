#include "store/store.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/offline.h"
#include "store/inside.h"
#include "store/leftover.h"
#include "store/lock.h"
#include "store/migrate.h"
#include "store/run.h"
#include "store/turn.h"

enum { TENANT_NAME_BYTES_MAX = 100 };

struct store {
    struct engine *engine; /* owned */
    struct env *env;       /* borrowed */
    const char *actor;     /* borrowed */
    bool may_write;
    int lock_fd;
    struct turn
        *turn; /* of the first handle, and borrowed by those beside it; NULL: nobody to wait for */
    bool owns_turn;
    bool is_urgent;
    char *path; /* owned; beside it a scratch copy is made */
    int schema_version;
    int64_t commits;
    struct tx tx; /* the one transaction that may be open */
};

/* --- open ---------------------------------------------------------------------------------------------------- */

static enum fail fail_access(const char *path, int cause, struct error *err)
{
    if (cause == ENOENT) {
        error_set(err, FAIL_CONFIG, "there is no store at '%s'", path);
        return error_hint(err, "run 'crmsync init', or check 'store' in the configuration");
    }
    error_set(err, FAIL_CONFIG, "cannot open store '%s': %s", path, strerror(cause));
    return error_hint(err, "check 'store' in the configuration, and owner and mode of the file");
}

static enum fail check_file(const char *path, int access_mode, struct error *err)
{
    struct stat facts;

    if (stat(path, &facts) != 0) {
        return fail_access(path, errno, err);
    }
    if (!S_ISREG(facts.st_mode)) {
        return fail_access(path, S_ISDIR(facts.st_mode) ? EISDIR : EINVAL, err);
    }
    return access(path, access_mode) == 0 ? OK : fail_access(path, errno, err);
}

/* SQLite gives its side files the mode of this one, so that no umask is needed. */
static enum fail create_file(const char *path, struct error *err)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (fd >= 0) {
        close(fd);
        return OK;
    }
    if (errno == EEXIST) {
        error_set(err, FAIL_CONFIG, "store '%s' exists already", path);
        return error_hint(err, "it is left as it is; move it away first to begin anew");
    }
    error_set(err, FAIL_CONFIG, "cannot create store '%s': %s", path, strerror(errno));
    return error_hint(err, "make the folder first, and check its owner and mode");
}

/* A copy or an older umask may have left the file open to others; it holds personal data. */
static void tighten_mode(struct env *env, const char *path)
{
    struct stat facts;

    if (stat(path, &facts) == 0 && (facts.st_mode & 077) && chmod(path, 0600) == 0) {
        LOG_EVENT(env->log, LOG_WARN, "store was open to others", LOG_S("path", str_of(path)),
                  LOG_I("mode_was", facts.st_mode & 07777));
    }
}

/* Never beside a process that works with the schema as it is: the lock that a writer has already, another one takes for as long as this lasts. */
static enum fail migrate_alone(struct store *store, const struct store_options *options,
                               struct error *err)
{
    struct engine_schema schema;
    enum fail failed;
    int lock_fd = -1;

    if (options->access == STORE_SHARED &&
        lock_take(options->path, options->holder, clock_wall_ms(store->env->clock), &lock_fd,
                  err) != OK) {
        return err->code;
    }
    failed = engine_schema_read(store->engine, &schema, err);
    failed = failed ? failed : migrate_run(store->engine, schema.version, migrate_newest(), err);
    lock_release(lock_fd);
    return failed;
}

static enum fail open_schema(struct store *store, const struct store_options *options,
                             struct error *err)
{
    struct engine_schema schema;

    if (engine_schema_read(store->engine, &schema, err) != OK ||
        migrate_check(&schema, options->path, err) != OK) {
        return err->code;
    }
    if (store->may_write && schema.version < migrate_newest() &&
        migrate_alone(store, options, err) != OK) {
        return err->code;
    }
    if (!store->may_write && schema.version < migrate_newest()) {
        error_set(err, FAIL_CONFIG,
                  "store '%s' has schema %d and must be brought to %d before it can be read",
                  options->path, schema.version, migrate_newest());
        return error_hint(err, "run a command that writes, such as 'crmsync doctor'");
    }
    store->schema_version = migrate_newest();
    return OK;
}

static enum fail open_writer(struct store *store, const struct store_options *options,
                             struct error *err)
{
    if (options->access != STORE_CREATE && check_file(options->path, R_OK | W_OK, err) != OK) {
        return err->code;
    }
    if (options->access == STORE_SHARED) {
        return OK;
    }
    if (lock_take(options->path, options->holder, clock_wall_ms(store->env->clock), &store->lock_fd,
                  err) != OK) {
        return err->code;
    }
    if (options->access == STORE_CREATE) {
        return create_file(options->path, err);
    }
    tighten_mode(store->env, options->path);
    leftovers_remove(options->path);
    return OK;
}

static enum fail open_all(struct store *store, const struct store_options *options,
                          struct error *err)
{
    struct engine_options engine = {.path = options->path, .may_write = store->may_write};
    enum fail failed =
        store->may_write ? open_writer(store, options, err) : check_file(options->path, R_OK, err);

    if (failed != OK) {
        return failed;
    }
    if (engine_open(&engine, &store->engine, err) == OK && open_schema(store, options, err) == OK) {
        return OK;
    }
    if (options->access == STORE_CREATE) {
        engine_close(TAKE_PTR(store->engine));
        unlink(options->path);
    }
    return err->code;
}

/* What the holder before left unfinished is told apart from what this one does. */
static enum fail become_holder(struct store *store, struct error *err)
{
    AUTO_TX struct tx *tx = NULL;

    store->turn = turn_new();
    store->owns_turn = true;
    if (tx_begin(store, TENANT_DEFAULT, &tx, err) != OK || runs_interrupt(tx, err) != OK ||
        tx_commit(&tx, err) != OK) {
        return err->code;
    }
    store->commits = 0; /* those of whoever opened it */
    return OK;
}

enum fail store_open(const struct store_options *options, struct env *env, struct store **ret,
                     struct error *err)
{
    struct store *store = alloc_new(1, sizeof *store);

    assert(options->path && options->path[0] && options->holder && env->clock);
    store->env = env;
    store->may_write = options->access != STORE_READ;
    store->lock_fd = -1;
    store->path = alloc_dup(options->path);
    if (open_all(store, options, err) != OK) {
        store_close(store);
        return err->code;
    }
    if (store->lock_fd >= 0 && become_holder(store, err) != OK) {
        store_close(store);
        return err->code;
    }
    *ret = store;
    return OK;
}

enum fail store_beside(struct store *source, enum store_access access, bool is_urgent,
                       struct store **ret, struct error *err)
{
    struct store *store = alloc_new(1, sizeof *store);
    struct engine_options engine = {
        .path = source->path, .may_write = access == STORE_WRITE, .is_beside = true};

    assert(access == STORE_READ || (access == STORE_WRITE && source->turn));
    store->env = source->env;
    store->may_write = engine.may_write;
    store->lock_fd = -1;
    store->turn = engine.may_write ? source->turn : NULL;
    store->is_urgent = is_urgent;
    store->path = alloc_dup(source->path);
    store->schema_version = source->schema_version;
    if (engine_open(&engine, &store->engine, err) != OK) {
        store_close(store);
        return err->code;
    }
    *ret = store;
    return OK;
}

void store_close(struct store *store)
{
    if (!store) {
        return;
    }
    assert(!store->tx.store);
    engine_close(store->engine);
    lock_release(store->lock_fd);
    if (store->owns_turn) {
        turn_free(store->turn);
    }
    arena_fini(&store->tx.scratch);
    free(store->path);
    free(store);
}

/* --- a copy to try things out on ---------------------------------------------------------------------------- */

/* Beside the store, because that folder has room for it and is as private. Whoever makes it holds a lock on it while it has a name. */
static enum fail make_scratch_file(const char *beside, char **ret_path, int *ret_fd,
                                   struct error *err)
{
    AUTO_FREE char *path = alloc_printf("%s" SCRATCH_ENDING "XXXXXX", beside);
    int fd = mkostemp(path, O_CLOEXEC);

    if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) != 0) {
        error_set(err, FAIL_STOP, "cannot make a working copy '%s': %s", path, strerror(errno));
        if (fd >= 0) {
            unlink(path);
            close(fd);
        }
        return error_hint(err, "free some space in that folder, or correct its mode");
    }
    *ret_path = TAKE_PTR(path);
    *ret_fd = fd;
    return OK;
}

enum fail store_copy(struct store *source, struct env *env, const char *path, struct store **ret,
                     struct error *err)
{
    struct store *store = alloc_new(1, sizeof *store);
    struct engine_options engine = {.path = path, .may_write = true, .is_scratch = true};

    assert(!source->tx.store);
    store->env = env;
    store->may_write = true;
    store->lock_fd = -1;
    store->path = alloc_dup(path);
    store->schema_version = source->schema_version;
    if (engine_open(&engine, &store->engine, err) != OK ||
        engine_copy(source->engine, store->engine, err) != OK) {
        store_close(store);
        return err->code;
    }
    *ret = store;
    return OK;
}

enum fail store_scratch(struct store *source, struct env *env, struct store **ret,
                        struct error *err)
{
    AUTO_FREE char *path = NULL;
    enum fail failed;
    int fd = -1;

    if (make_scratch_file(source->path, &path, &fd, err) != OK) {
        return err->code;
    }
    failed = store_copy(source, env, path, ret, err);
    unlink(path); /* the open file lives on without its name */
    close(fd);
    return failed;
}

void store_actor_set(struct store *store, const char *actor)
{
    store->actor = actor;
}

int store_schema_version(const struct store *store)
{
    return store->schema_version;
}

bool store_is_held(const struct store *store)
{
    return store->lock_fd >= 0;
}

int64_t store_commits(const struct store *store)
{
    return store->commits;
}

int64_t store_now_ms(const struct store *store)
{
    return clock_wall_ms(store->env->clock);
}

struct engine *store_engine(struct store *store)
{
    return store->engine;
}

/* --- transactions -------------------------------------------------------------------------------------------- */

enum fail tx_begin(struct store *store, int64_t tenant_id, struct tx **ret, struct error *err)
{
    struct tx *tx = &store->tx;

    assert(!tx->store); /* one at a time */
    assert(tenant_id > 0);
    if (store->turn) {
        turn_take(store->turn, store->is_urgent);
    }
    if (engine_begin(store->engine, err) != OK) {
        if (store->turn) {
            turn_give(store->turn);
        }
        return err->code;
    }
    offline_enter();
    tx->store = store;
    tx->engine = store->engine;
    tx->env = store->env;
    tx_tenant_set(tx, tenant_id);
    *ret = tx;
    return OK;
}

static void tx_end(struct tx **tx)
{
    if ((*tx)->store->turn) {
        turn_give((*tx)->store->turn);
    }
    arena_reset(&(*tx)->scratch);
    (*tx)->store = NULL;
    *tx = NULL;
    offline_leave();
}

enum fail tx_commit(struct tx **tx, struct error *err)
{
    struct store *store = (*tx)->store;

    assert(store);
    if (engine_commit(store->engine, err) != OK) {
        tx_abort(tx);
        return err->code;
    }
    store->commits++;
    tx_end(tx);
    return OK;
}

void tx_abort(struct tx **tx)
{
    if (*tx) {
        engine_rollback((*tx)->engine);
        tx_end(tx);
    }
}

int64_t tx_tenant(const struct tx *tx)
{
    return tx->tenant_id;
}

void tx_tenant_set(struct tx *tx, int64_t tenant_id)
{
    assert(tx->store && tenant_id > 0);
    tx->tenant_id = tenant_id;
    memset(tx->trails, 0, sizeof tx->trails); /* PRESENCE_UNKNOWN */
}

enum fail tx_savepoint(struct tx *tx, struct error *err)
{
    return engine_savepoint(tx->engine, err);
}

enum fail tx_savepoint_end(struct tx *tx, bool keep, struct error *err)
{
    return engine_savepoint_end(tx->engine, keep, err);
}

struct stmt *tx_stmt(struct tx *tx, const char *sql)
{
    struct stmt *stmt;

    assert(tx->store);
    stmt = engine_stmt(tx->engine, sql);
    stmt_bind_i64(stmt, 1, tx->tenant_id);
    return stmt;
}

const char *tx_actor(const struct tx *tx)
{
    const char *actor = tx->store->actor ? tx->store->actor : tx->env->actor;

    return actor ? actor : "crmsync";
}

int64_t tx_now_ms(const struct tx *tx)
{
    return clock_wall_ms(tx->env->clock);
}

/* --- tenants ------------------------------------------------------------------------------------------------- */

static enum fail read_id(const struct stmt *stmt, struct arena *arena, void *row, struct error *err)
{
    (void)arena;
    (void)err;
    *(int64_t *)row = stmt_i64(stmt, 0);
    return OK;
}

/* The three texts below are the only ones without a tenant in front: they find it. */
static const char SQL_TENANT_FIND[] = "SELECT id FROM tenant WHERE name = $1";

static enum fail find_tenant(struct store *store, struct str name, int64_t *ret_id, bool *ret_found,
                             struct error *err)
{
    struct stmt *stmt = engine_stmt(store->engine, SQL_TENANT_FIND);

    stmt_bind_str(stmt, 1, name);
    return stmt_one(stmt, read_id, NULL, ret_id, ret_found, err);
}

static const char SQL_TENANT_INSERT[] = "INSERT INTO tenant (name) VALUES ($1)";

static enum fail make_tenant(struct store *store, struct str name, int64_t *ret_id,
                             struct error *err)
{
    struct stmt *stmt = engine_stmt(store->engine, SQL_TENANT_INSERT);

    stmt_bind_str(stmt, 1, name);
    return stmt_insert(stmt, ret_id, err);
}

enum fail store_tenant(struct store *store, struct str name, bool create, int64_t *ret_id,
                       bool *ret_found, struct error *err)
{
    AUTO_TX struct tx *tx = NULL;
    int64_t id = 0;
    bool found = false;

    if (name.len == 0 || name.len > TENANT_NAME_BYTES_MAX) {
        error_set(err, FAIL_CONFIG, "a tenant's name has 1 to %d bytes", TENANT_NAME_BYTES_MAX);
        return error_hint(err, "correct it in the configuration");
    }
    if (tx_begin(store, TENANT_DEFAULT, &tx, err) != OK ||
        find_tenant(store, name, &id, &found, err) != OK ||
        (!found && create && make_tenant(store, name, &id, err) != OK) ||
        tx_commit(&tx, err) != OK) {
        return err->code;
    }
    *ret_found = found || create;
    *ret_id = id;
    return OK;
}

static const char SQL_TENANTS[] = "SELECT id FROM tenant ORDER BY id";

enum fail store_tenants(struct tx *tx, struct arena *arena, int64_t **ret, size_t *ret_count,
                        struct error *err)
{
    struct rows rows;

    if (stmt_all(engine_stmt(tx->engine, SQL_TENANTS), read_id, sizeof **ret, arena, &rows, err) !=
        OK) {
        return err->code;
    }
    *ret = rows.at;
    *ret_count = rows.count;
    return OK;
}
