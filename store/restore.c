#include "store/restore.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/when.h"
#include "store/audit.h"
#include "store/feed.h"
#include "store/inside.h"
#include "store/ledger.h"
#include "store/lock.h"
#include "store/migrate.h"
#include "store/restoring.h"

struct restoration {
    const char *backup;
    const struct store_options *options;
    struct env *env;
    struct arena *arena;
    struct restore_result *result;
    char *part; /* owned: the new store before it has its name; NULL none */
};

static enum fail fail_path(const char *what, const char *path, struct error *err)
{
    error_set(err, errno == ENOSPC ? FAIL_STOP : FAIL_CONFIG, "cannot %s '%s': %s", what, path,
              strerror(errno));
    return error_hint(err, "check the folder, its owner and mode, and the free space");
}

/* --- the new store ------------------------------------------------------------------------------------------- */

static enum fail check_source(struct restoration *r, struct engine *source, struct error *err)
{
    struct engine_schema schema;

    if (engine_schema_read(source, &schema, err) != OK ||
        migrate_check(&schema, r->backup, err) != OK) {
        return err->code;
    }
    if (!schema.is_ours) {
        return error_set(err, FAIL_CONFIG, "'%s' is an empty file, not a backup", r->backup);
    }
    return OK;
}

/* Copied, checked, and brought to this program's schema. */
static enum fail copy_backup(struct restoration *r, struct engine *source, struct engine *target,
                             struct error *err)
{
    struct engine_schema schema;

    if (check_source(r, source, err) != OK || engine_copy(source, target, err) != OK ||
        engine_check(target, err) != OK || engine_schema_read(target, &schema, err) != OK) {
        return err->code;
    }
    return migrate_run(target, schema.version, migrate_newest(), err);
}

static enum fail make_part(struct restoration *r, struct error *err)
{
    char *part = alloc_printf("%s.restore-XXXXXX", r->options->path);
    int fd = mkstemp(part); /* mode 0600 */

    if (fd < 0) {
        free(part);
        return fail_path("make a file beside", r->options->path, err);
    }
    close(fd);
    r->part = part;
    return OK;
}

static enum fail fill_part(struct restoration *r, struct error *err)
{
    struct engine_options from = {.path = r->backup};
    struct engine_options into = {.path = r->part, .may_write = true, .is_scratch = true};
    struct engine *source = NULL, *target = NULL;
    enum fail failed = engine_open(&from, &source, err);

    failed = failed ? failed : engine_open(&into, &target, err);
    failed = failed ? failed : copy_backup(r, source, target, err);
    engine_close(target);
    engine_close(source);
    return failed == OK || failed == FAIL_CONFIG ? failed
                                                 : error_wrap(err, "backup '%s'", r->backup);
}

/* --- what it has to know ------------------------------------------------------------------------------------- */

static enum fail note_restore(struct restoration *r, struct tx *tx, struct error *err)
{
    char made[WHEN_TEXT_BYTES];
    struct str epoch = arena_printf(r->arena, "%lld", (long long)r->result->lineage.epoch);

    when_format_seconds(r->result->lineage.backed_up_ms, made);
    const struct audit_detail details[] = {{"backup_of", str_of(made)},
                                           {"epoch", epoch},
                                           {"anchor_before", r->result->anchor_before},
                                           {0}};
    const struct audit_note note = {
        .action = "store.restored", .subject = str_of(r->backup), .details = details};
    return audit_put(tx, &note, err);
}

static enum fail mark_tenants(struct restoration *r, struct tx *tx, struct error *err)
{
    int64_t *tenants;
    size_t count;

    if (store_tenants(tx, r->arena, &tenants, &count, err) != OK) {
        return err->code;
    }
    for (size_t i = 0; i < count; i++) {
        tx_tenant_set(tx, tenants[i]);
        if (restoring_begin(tx, r->result->lineage.backed_up_ms, err) != OK ||
            note_restore(r, tx, err) != OK) {
            return err->code;
        }
    }
    return OK;
}

/* Of all tenants. */
static const char SQL_NEWEST[] = "SELECT max(coalesce((SELECT max(at_ms) FROM journal), 0), "
                                 "coalesce((SELECT max(started_ms) FROM run), 0), "
                                 "coalesce((SELECT max(ended_ms) FROM run), 0))";

/* A plain copy of a store says when that was last backed up, which is too early: what is in it is as old as its newest entry. */
static enum fail moment_of(struct tx *tx, struct lineage *lineage, struct error *err)
{
    int64_t newest_ms = 0;

    if (stmt_number(engine_stmt(tx->engine, SQL_NEWEST), &newest_ms, err) != OK) {
        return err->code;
    }
    if (newest_ms > lineage->backed_up_ms) {
        lineage->backed_up_ms = newest_ms;
    }
    return OK;
}

static enum fail mark(struct restoration *r, struct tx *tx, struct error *err)
{
    struct lineage *lineage = &r->result->lineage;
    int64_t now_ms = tx_now_ms(tx);

    if (lineage_read(tx, lineage, err) != OK || moment_of(tx, lineage, err) != OK) {
        return err->code;
    }
    lineage->epoch = lineage->epoch + 1 > now_ms / 1000 ? lineage->epoch + 1 : now_ms / 1000;
    lineage->restored_ms = now_ms;
    if (lineage_set(tx, lineage, err) != OK || feed_epoch_begin(tx, lineage->epoch, err) != OK ||
        mark_tenants(r, tx, err) != OK) {
        return err->code;
    }
    return ledger_replay(tx, r->options->path, r->backup, &r->result->erased_again, err);
}

/* The copy is opened as a store would be, so that it is one when it gets its name. */
static enum fail mark_part(struct restoration *r, struct error *err)
{
    struct store_options options = {
        .path = r->part, .access = STORE_WRITE, .holder = r->options->holder};
    AUTO_FREE char *lock = alloc_printf("%s.lock", r->part);
    struct store *store = NULL;
    struct tx *tx = NULL;
    enum fail failed = store_open(&options, r->env, &store, err);

    failed = failed ? failed : tx_begin(store, TENANT_DEFAULT, &tx, err);
    failed = failed ? failed : mark(r, tx, err);
    failed = failed ? failed : tx_commit(&tx, err);
    tx_abort(&tx);
    store_close(store);
    unlink(lock);
    return failed;
}

/* --- the old store ------------------------------------------------------------------------------------------- */

/* The end of its audit log; a store that cannot be read has none. Closing it folds its log into the file. */
static void look_at_old(struct restoration *r)
{
    struct store_options options = {
        .path = r->options->path, .access = STORE_SHARED, .holder = r->options->holder};
    char text[AUDIT_ANCHOR_TEXT_BYTES];
    struct audit_anchor anchor;
    struct error ignored = {0};
    struct store *store = NULL;
    struct tx *tx = NULL;

    r->result->anchor_before = STR("");
    if (store_open(&options, r->env, &store, &ignored) == OK &&
        tx_begin(store, TENANT_DEFAULT, &tx, &ignored) == OK &&
        audit_head(tx, &anchor, &ignored) == OK) {
        audit_anchor_format(&anchor, text);
        r->result->anchor_before = arena_str(r->arena, str_of(text));
    }
    tx_abort(&tx);
    store_close(store);
}

/* A name that nothing has: the time, and a number where one second saw several. */
static char *name_aside(struct restoration *r)
{
    char when[WHEN_TEXT_BYTES];
    char *name;

    when_format_seconds(clock_wall_ms(r->env->clock), when);
    name = alloc_printf("%s.before-%s", r->options->path, when);
    for (int i = 2; access(name, F_OK) == 0; i++) {
        free(name);
        name = alloc_printf("%s.before-%s-%d", r->options->path, when, i);
    }
    return name;
}

/* The file first: a log beside a file that is not its own would be taken for its own. */
static enum fail move_aside(struct restoration *r, struct error *err)
{
    static const char *const ENDINGS[] = {"", "-wal", "-shm"};
    AUTO_FREE char *aside = name_aside(r);

    for (size_t i = 0; i < COUNT_OF(ENDINGS); i++) {
        AUTO_FREE char *from = alloc_printf("%s%s", r->options->path, ENDINGS[i]);
        AUTO_FREE char *into = alloc_printf("%s%s", aside, ENDINGS[i]);

        if (renameat2(AT_FDCWD, from, AT_FDCWD, into, RENAME_NOREPLACE) == 0) {
            r->result->aside = i == 0 ? arena_str(r->arena, str_of(into)) : r->result->aside;
        } else if (errno != ENOENT) {
            return fail_path("move aside", from, err);
        }
    }
    return OK;
}

static enum fail restore_all(struct restoration *r, struct error *err)
{
    if (make_part(r, err) != OK || fill_part(r, err) != OK) {
        return err->code;
    }
    look_at_old(r);
    if (mark_part(r, err) != OK || move_aside(r, err) != OK) {
        return err->code;
    }
    return file_put(r->part, r->options->path, false, err);
}

enum fail store_restore(const char *backup, const struct store_options *options, struct env *env,
                        struct arena *arena, struct restore_result *ret, struct error *err)
{
    struct restoration r = {
        .backup = backup, .options = options, .env = env, .arena = arena, .result = ret};
    enum fail failed;
    int lock_fd = -1;

    *ret = (struct restore_result){.aside = STR(""), .anchor_before = STR("")};
    if (access(backup, R_OK) != 0) {
        return fail_path("read", backup, err);
    }
    if (lock_take(options->path, options->holder, clock_wall_ms(env->clock), &lock_fd, err) != OK) {
        return err->code;
    }
    failed = restore_all(&r, err);
    if (failed != OK && r.part) {
        unlink(r.part);
    }
    free(r.part);
    lock_release(lock_fd);
    return failed;
}
