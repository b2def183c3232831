/* A backup is the store of one moment; a restored store knows that it is one, and keeps what it replaced. */
#include "tests/unit/store/fixture.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "store/backup.h"
#include "store/brake.h"
#include "store/lineage.h"
#include "store/migrate.h"
#include "store/restore.h"
#include "store/restoring.h"

enum { FILE_BYTES = 3 * PATH_BYTES };

static void path_in(const struct fixture *f, const char *name, char ret[FILE_BYTES])
{
    snprintf(ret, FILE_BYTES, "%s/%s", f->folder, name);
}

static struct backup_receipt back_up(struct fixture *f, const char *name)
{
    struct backup_receipt receipt;
    char path[FILE_BYTES];

    path_in(f, name, path);
    MUST(f, store_backup(f->store, &f->env, path, &f->arena, &receipt, &f->err));
    return receipt;
}

static enum fail restore(struct fixture *f, const char *name, struct restore_result *ret)
{
    struct store_options options = {.path = f->path, .holder = "crmsync restore"};
    char path[FILE_BYTES];

    path_in(f, name, path);
    return store_restore(path, &options, &f->env, &f->arena, ret, &f->err);
}

static int64_t count_records(struct fixture *f)
{
    int64_t count;

    MUST(f, record_count(f->tx, STR("contact"), &count, &f->err));
    return count;
}

static void begin_with_records(struct fixture *f)
{
    struct store_stream stream;

    fixture_begin_all(f);
    make_record(f, "a@b.example");
    make_record(f, "c@d.example");
    MUST(f, stream_ensure(f->tx, f->connection_id, STR("contact"), &f->arena, &stream, &f->err));
    stream.first_import_done = true;
    stream.cursor_changed = STR("after");
    stream.cursor_deleted = STR("gone");
    stream.scanned_ms = START_MS;
    MUST(f, stream_save(f->tx, &stream, &f->err));
    fixture_commit(f);
}

/* --- backup -------------------------------------------------------------------------------------------------- */

static void file_is_one_and_private(void **state)
{
    AUTO_FIXTURE struct fixture f;
    struct backup_receipt receipt;
    struct stat facts;
    uint8_t digest[SHA256_BYTES];
    int64_t bytes;

    (void)state;
    begin_with_records(&f);
    receipt = back_up(&f, "backup");
    EXPECT(stat(receipt.path.at, &facts) == 0 && (facts.st_mode & 0777) == 0600, "mode %o",
           facts.st_mode);
    EXPECT_I64(receipt.bytes, facts.st_size, "bytes");
    EXPECT_I64(receipt.records, 2, "records");
    EXPECT_I64(receipt.schema_version, migrate_newest(), "schema");
    EXPECT_I64(receipt.epoch, 1, "epoch");
    EXPECT_I64(receipt.anchors_count, 1, "one tenant");
    MUST(&f, sha256_file(receipt.path.at, digest, &bytes, &f.err));
    EXPECT(memcmp(digest, receipt.sha256, SHA256_BYTES) == 0, "digest");
    for (const char *const *ending = (const char *const[]){"-wal", "-shm", "-journal", NULL};
         *ending; ending++) {
        const char *side = arena_printf(&f.arena, "%s%s", receipt.path.at, *ending).at;

        EXPECT(access(side, F_OK) != 0, "%s is part of it", side);
    }
}

/* Whoever writes goes on, and what it writes later is not in the backup. */
static void made_beside_a_writer(void **state)
{
    AUTO_FIXTURE struct fixture f;
    struct store_options options = {.access = STORE_READ, .holder = "crmsync backup"};
    struct restore_result result;
    struct backup_receipt receipt;
    struct store *reader;
    char path[FILE_BYTES];

    (void)state;
    begin_with_records(&f);
    options.path = f.path;
    path_in(&f, "backup", path);
    fixture_begin(&f);
    make_record(&f, "later@b.example");
    MUST(&f, store_open(&options, &f.env, &reader, &f.err));
    MUST(&f, store_backup(reader, &f.env, path, &f.arena, &receipt, &f.err));
    store_close(reader);
    fixture_commit(&f);
    EXPECT_I64(receipt.records, 2, "the last commit");
    store_close(TAKE_PTR(f.store));
    MUST(&f, restore(&f, "backup", &result));
    fixture_open_as(&f, STORE_WRITE);
    fixture_begin(&f);
    EXPECT_I64(count_records(&f), 2, "restored");
}

/* SQLite's own check of such rows is wrong (engine_sqlite.c). */
static void records_may_wait_for_others(void **state)
{
    AUTO_FIXTURE struct fixture f;
    int64_t waiter, target;

    (void)state;
    begin_with_records(&f);
    fixture_begin(&f);
    waiter = make_record(&f, "e@f.example").id;
    target = make_record(&f, "g@h.example").id;
    MUST(&f, wait_put_outward(f.tx, f.connection_id, STR("contact"), waiter, target, &f.err));
    fixture_commit(&f);
    EXPECT_I64(back_up(&f, "backup").records, 4, "records");
}

static void never_over_a_file(void **state)
{
    AUTO_FIXTURE struct fixture f;
    struct backup_receipt receipt;
    char path[FILE_BYTES];

    (void)state;
    begin_with_records(&f);
    back_up(&f, "backup");
    path_in(&f, "backup", path);
    MUST_FAIL(&f, store_backup(f.store, &f.env, path, &f.arena, &receipt, &f.err), FAIL_CONFIG);
    path_in(&f, "none/backup", path);
    MUST_FAIL(&f, store_backup(f.store, &f.env, path, &f.arena, &receipt, &f.err), FAIL_CONFIG);
}

/* What is not whole gets no name. */
static void a_changed_audit_log_is_no_backup(void **state)
{
    static const char FREE[] = "DROP TRIGGER audit_is_not_shortened";
    static const char CUT[] = "DELETE FROM audit";
    AUTO_FIXTURE struct fixture f;
    const struct audit_note note = {.action = "thing.done", .subject = STR("thing")};
    struct backup_receipt receipt;
    char path[FILE_BYTES];

    (void)state;
    begin_with_records(&f);
    fixture_begin(&f);
    MUST(&f, audit_put(f.tx, &note, &f.err));
    fixture_commit(&f);
    MUST(&f, stmt_run(engine_stmt(store_engine(f.store), FREE), &f.err));
    MUST(&f, stmt_run(engine_stmt(store_engine(f.store), CUT), &f.err));
    path_in(&f, "backup", path);
    MUST_FAIL(&f, store_backup(f.store, &f.env, path, &f.arena, &receipt, &f.err), FAIL_STOP);
    EXPECT(access(path, F_OK) != 0, "no file");
}

static void it_is_noted(void **state)
{
    AUTO_FIXTURE struct fixture f;
    struct backup_receipt receipt;
    struct audit_entry *entries;
    struct lineage lineage;
    size_t count;

    (void)state;
    begin_with_records(&f);
    receipt = back_up(&f, "backup");
    fixture_begin(&f);
    MUST(&f, backup_note(f.tx, &receipt, &f.err));
    MUST(&f, lineage_read(f.tx, &lineage, &f.err));
    EXPECT_I64(lineage.backed_up_ms, receipt.made_ms, "when");
    MUST(&f, audit_list(f.tx, 0, 0, 10, &f.arena, &entries, &count, &f.err));
    EXPECT(count == 1 && str_equal(entries[0].action, STR("store.backed-up")), "in the audit log");
}

/* --- restore ------------------------------------------------------------------------------------------------- */

static void restored_store_knows_it(void **state)
{
    AUTO_FIXTURE struct fixture f;
    struct restore_result result;
    struct store_stream stream;
    struct restoring row;
    struct lineage lineage;
    struct audit_verdict verdict;
    bool found;

    (void)state;
    begin_with_records(&f);
    back_up(&f, "backup");
    clock_wait_ms(f.env.clock, 5000);
    fixture_begin(&f);
    make_record(&f, "later@b.example");
    fixture_commit(&f);
    store_close(TAKE_PTR(f.store));
    MUST(&f, restore(&f, "backup", &result));
    EXPECT_I64(result.lineage.backed_up_ms, START_MS, "of which moment");
    EXPECT(access(result.aside.at, F_OK) == 0, "the old one is kept");
    fixture_open_as(&f, STORE_WRITE);
    fixture_begin(&f);
    EXPECT_I64(count_records(&f), 2, "as it was");
    MUST(&f, lineage_read(f.tx, &lineage, &f.err));
    EXPECT(lineage.epoch > 1, "epoch %lld", (long long)lineage.epoch);
    EXPECT_I64(lineage.restored_ms, START_MS + 5000, "when");
    MUST(&f, restoring_of(f.tx, f.connection_id, STR("contact"), &row, &found, &f.err));
    EXPECT(found && row.state == RESTORING_TO_LIST && row.backed_up_ms == START_MS, "to list");
    MUST(&f, stream_ensure(f.tx, f.connection_id, STR("contact"), &f.arena, &stream, &f.err));
    EXPECT(stream.cursor_changed.len == 0 && stream.scanned_ms == 0, "begins anew");
    EXPECT(str_equal(stream.cursor_deleted, STR("gone")), "deletes go on from the backup");
    MUST(&f, audit_verify(f.tx, NULL, &verdict, &f.err));
    EXPECT(!verdict.problem && verdict.entries == 1, "the audit log goes on");
}

static void epochs_rise(void **state)
{
    AUTO_FIXTURE struct fixture f;
    struct restore_result first, second;

    (void)state;
    begin_with_records(&f);
    back_up(&f, "backup");
    store_close(TAKE_PTR(f.store));
    MUST(&f, restore(&f, "backup", &first));
    clock_wait_ms(f.env.clock, 1000); /* the same backup again: another life all the same */
    MUST(&f, restore(&f, "backup", &second));
    EXPECT(second.lineage.epoch > first.lineage.epoch, "%lld after %lld",
           (long long)second.lineage.epoch, (long long)first.lineage.epoch);
    fixture_open_as(&f, STORE_WRITE);
    back_up(&f, "another");
    store_close(TAKE_PTR(f.store));
    MUST(&f, restore(&f, "another", &first)); /* in the same second */
    EXPECT(first.lineage.epoch > second.lineage.epoch, "%lld after %lld",
           (long long)first.lineage.epoch, (long long)second.lineage.epoch);
}

static void refused_while_in_use(void **state)
{
    AUTO_FIXTURE struct fixture f;
    struct restore_result result;

    (void)state;
    begin_with_records(&f);
    back_up(&f, "backup");
    MUST_FAIL(&f, restore(&f, "backup", &result), FAIL_CONFIG);
    fixture_begin(&f);
    EXPECT_I64(count_records(&f), 2, "untouched");
}

static void write_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "we");

    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

/* The store is touched only when the backup is good. */
static void what_is_no_backup_is_refused(void **state)
{
    AUTO_FIXTURE struct fixture f;
    struct restore_result result;
    char path[FILE_BYTES];
    int fd;

    (void)state;
    begin_with_records(&f);
    back_up(&f, "backup");
    store_close(TAKE_PTR(f.store));
    MUST_FAIL(&f, restore(&f, "not there", &result), FAIL_CONFIG);
    path_in(&f, "text", path);
    write_text(path, "this is no database at all, whatever its name says");
    MUST_FAIL(&f, restore(&f, "text", &result), FAIL_CONFIG);
    path_in(&f, "empty", path);
    write_text(path, "");
    MUST_FAIL(&f, restore(&f, "empty", &result), FAIL_CONFIG);
    path_in(&f, "backup", path);
    fd = open(path, O_WRONLY | O_CLOEXEC);
    for (int page = 1; page < 8; page++) {
        assert_true(fd >= 0 && pwrite(fd, "damaged!", 8, page * 4096) == 8);
    }
    close(fd);
    MUST_FAIL(&f, restore(&f, "backup", &result), FAIL_STOP);
    fixture_open_as(&f, STORE_WRITE);
    fixture_begin(&f);
    EXPECT_I64(count_records(&f), 2, "untouched");
}

/* The process before was killed after it had moved the store away: the log of that store must not be taken for the new one's. */
static void an_interrupted_restore_is_done_again(void **state)
{
    AUTO_FIXTURE struct fixture f;
    struct restore_result result;
    char wal[FILE_BYTES + 8];

    (void)state;
    begin_with_records(&f);
    back_up(&f, "backup");
    store_close(TAKE_PTR(f.store));
    unlink(f.path);
    snprintf(wal, sizeof wal, "%s-wal", f.path);
    write_text(wal, "a log");
    MUST(&f, restore(&f, "backup", &result));
    EXPECT(access(wal, F_OK) != 0, "the log is out of the way");
    fixture_open_as(&f, STORE_WRITE);
    fixture_begin(&f);
    EXPECT_I64(count_records(&f), 2, "restored");
}

/* A confirmation that was used meanwhile must not count a second time. */
static void confirmations_of_the_brake_end(void **state)
{
    AUTO_FIXTURE struct fixture f;
    struct restore_result result;
    struct store_brake brake = {.kind = STR("contact"), .what = BRAKE_DELETES, .count = 40};
    bool found;

    (void)state;
    begin_with_records(&f);
    fixture_begin(&f);
    brake.connection_id = f.connection_id;
    MUST(&f, brake_put(f.tx, &brake, &f.err));
    MUST(&f, brake_confirm(f.tx, f.connection_id, brake.kind, brake.what, START_MS, &f.err));
    fixture_commit(&f);
    back_up(&f, "backup");
    store_close(TAKE_PTR(f.store));
    MUST(&f, restore(&f, "backup", &result));
    fixture_open_as(&f, STORE_WRITE);
    fixture_begin(&f);
    MUST(&f, brake_find(f.tx, f.connection_id, brake.kind, brake.what, &f.arena, &brake, &found,
                        &f.err));
    EXPECT(found && brake.confirmed_count == 0, "asked again");
}

/* A plain copy of the store serves as well; what is in it is as old as its newest entry. */
static void a_copy_is_a_backup(void **state)
{
    AUTO_FIXTURE struct fixture f;
    struct journal_entry entry = {.at_ms = START_MS + 7000, .cause = CAUSE_LOCAL};
    struct restore_result result;
    char path[FILE_BYTES];

    (void)state;
    begin_with_records(&f);
    fixture_begin(&f);
    entry.record_id = make_record(&f, "e@f.example").id;
    MUST(&f, journal_append(f.tx, &entry, &f.err));
    fixture_commit(&f);
    store_close(TAKE_PTR(f.store));
    path_in(&f, "copy", path);
    assert_int_equal(rename(f.path, path), 0);
    MUST(&f, restore(&f, "copy", &result));
    EXPECT_I64(result.lineage.backed_up_ms, START_MS + 7000, "its moment");
    EXPECT(result.aside.len == 0, "nothing was there");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(file_is_one_and_private),
        cmocka_unit_test(made_beside_a_writer),
        cmocka_unit_test(records_may_wait_for_others),
        cmocka_unit_test(never_over_a_file),
        cmocka_unit_test(a_changed_audit_log_is_no_backup),
        cmocka_unit_test(it_is_noted),
        cmocka_unit_test(restored_store_knows_it),
        cmocka_unit_test(epochs_rise),
        cmocka_unit_test(refused_while_in_use),
        cmocka_unit_test(what_is_no_backup_is_refused),
        cmocka_unit_test(an_interrupted_restore_is_done_again),
        cmocka_unit_test(confirmations_of_the_brake_end),
        cmocka_unit_test(a_copy_is_a_backup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
