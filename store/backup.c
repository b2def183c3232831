#include "store/backup.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/when.h"
#include "store/inside.h"
#include "store/lineage.h"

/* --- the file ------------------------------------------------------------------------------------------------ */

static enum fail fail_file(const char *path, int cause, struct error *err)
{
    if (cause == EEXIST) {
        error_set(err, FAIL_CONFIG, "'%s' exists already", path);
        return error_hint(err, "it is left as it is; name another file");
    }
    error_set(err, cause == ENOSPC ? FAIL_STOP : FAIL_CONFIG, "cannot write '%s': %s", path,
              strerror(cause));
    return error_hint(err, "check the folder, its owner and mode, and the free space");
}

static enum fail make_part(const char *path, char **ret, struct error *err)
{
    struct stat facts;
    AUTO_FREE char *part = alloc_printf("%s.part-XXXXXX", path);
    int fd;

    if (lstat(path, &facts) == 0) {
        return fail_file(path, EEXIST, err);
    }
    fd = mkostemp(part, O_CLOEXEC); /* mode 0600 */
    if (fd < 0) {
        return fail_file(part, errno, err);
    }
    close(fd);
    *ret = TAKE_PTR(part);
    return OK;
}

static enum fail sync_path(const char *path, int flags, struct error *err)
{
    int fd = open(path, flags | O_CLOEXEC);
    bool is_synced = fd >= 0 && fsync(fd) == 0;
    int cause = errno;

    if (fd >= 0) {
        close(fd);
    }
    return is_synced ? OK : fail_file(path, cause, err);
}

enum fail file_put(const char *part, const char *path, bool replace, struct error *err)
{
    AUTO_FREE char *copy = alloc_dup(path);

    if (sync_path(part, O_RDONLY, err) != OK) {
        return err->code;
    }
    if (renameat2(AT_FDCWD, part, AT_FDCWD, path, replace ? 0 : RENAME_NOREPLACE) != 0 &&
        (errno != EINVAL || rename(part, path) != 0)) { /* a file system without the flag */
        return fail_file(path, errno, err);
    }
    return sync_path(dirname(copy), O_RDONLY | O_DIRECTORY, err);
}

/* --- what is in it ------------------------------------------------------------------------------------------- */

static const char SQL_COUNT_RECORDS[] = "SELECT count(*) FROM record";
static const char SQL_COUNT_LINKS[] = "SELECT count(*) FROM link";

static enum fail check_audit(struct tx *tx, struct audit_anchor *ret, struct error *err)
{
    struct audit_verdict verdict;

    if (audit_verify(tx, NULL, &verdict, err) != OK) {
        return err->code;
    }
    *ret = verdict.end;
    if (!verdict.problem) {
        return OK;
    }
    error_set(err, FAIL_STOP, "the audit log is not whole: entry %lld %s",
              (long long)verdict.number, verdict.problem);
    return error_hint(err, "look into it with 'crmsync audit --verify'; copy the file aside first");
}

static enum fail gather_anchors(struct tx *tx, struct arena *arena, struct backup_receipt *ret,
                                struct error *err)
{
    int64_t *tenants;
    enum fail failed = store_tenants(tx, arena, &tenants, &ret->anchors_count, err);

    if (failed != OK) {
        return failed;
    }
    ret->anchors = ARENA_ARRAY(arena, struct backup_anchor, ret->anchors_count + 1);
    for (size_t i = 0; i < ret->anchors_count && failed == OK; i++) {
        ret->anchors[i].tenant_id = tenants[i];
        tx_tenant_set(tx, tenants[i]);
        failed = check_audit(tx, &ret->anchors[i].anchor, err);
    }
    return failed;
}

/* The copy says of which moment it is; what it holds is counted and checked. */
static enum fail finish_copy(struct store *copy, struct arena *arena, struct backup_receipt *ret,
                             struct error *err)
{
    AUTO_TX struct tx *tx = NULL;
    struct lineage lineage;

    if (engine_check(store_engine(copy), err) != OK ||
        tx_begin(copy, TENANT_DEFAULT, &tx, err) != OK || lineage_read(tx, &lineage, err) != OK) {
        return err->code;
    }
    ret->made_ms = tx_now_ms(tx);
    ret->epoch = lineage.epoch;
    ret->schema_version = store_schema_version(copy);
    lineage.backed_up_ms = ret->made_ms;
    if (lineage_set(tx, &lineage, err) != OK ||
        stmt_number(engine_stmt(tx->engine, SQL_COUNT_RECORDS), &ret->records, err) != OK ||
        stmt_number(engine_stmt(tx->engine, SQL_COUNT_LINKS), &ret->links, err) != OK ||
        gather_anchors(tx, arena, ret, err) != OK) {
        return err->code;
    }
    return tx_commit(&tx, err);
}

static enum fail fill_part(struct store *source, struct env *env, const char *part,
                           struct arena *arena, struct backup_receipt *ret, struct error *err)
{
    struct store *copy = NULL;
    enum fail failed = store_copy(source, env, part, &copy, err);

    failed = failed ? failed : finish_copy(copy, arena, ret, err);
    store_close(copy);
    return failed ? failed : sha256_file(part, ret->sha256, &ret->bytes, err);
}

enum fail store_backup(struct store *source, struct env *env, const char *path, struct arena *arena,
                       struct backup_receipt *ret, struct error *err)
{
    AUTO_FREE char *part = NULL;
    enum fail failed;

    assert(path && path[0]);
    *ret = (struct backup_receipt){.path = arena_str(arena, str_of(path))};
    if (make_part(path, &part, err) != OK) {
        return err->code;
    }
    failed = fill_part(source, env, part, arena, ret, err);
    failed = failed ? failed : file_put(part, path, false, err);
    if (failed != OK) {
        unlink(part);
    }
    return failed;
}

enum fail backup_note(struct tx *tx, const struct backup_receipt *receipt, struct error *err)
{
    char made[WHEN_TEXT_BYTES], hex[2 * SHA256_BYTES + 1];
    struct lineage lineage;

    when_format_seconds(receipt->made_ms, made);
    hex_encode(receipt->sha256, SHA256_BYTES, hex);
    const struct audit_detail details[] = {{"made", str_of(made)}, {"sha256", str_of(hex)}, {0}};
    const struct audit_note note = {
        .action = "store.backed-up", .subject = receipt->path, .details = details};

    if (lineage_read(tx, &lineage, err) != OK) {
        return err->code;
    }
    lineage.backed_up_ms = receipt->made_ms;
    return lineage_set(tx, &lineage, err) != OK ? err->code : audit_put(tx, &note, err);
}
