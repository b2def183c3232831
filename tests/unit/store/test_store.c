/* Opening, locking, migrating, transactions, and what happens when the disk is full or the process dies. */
#include "tests/unit/store/fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "core/offline.h"
#include "store/migrate.h"

static void expect_part(const char *text, const char *part)
{
    EXPECT(strstr(text, part), "'%s' is not in '%s'", part, text);
}

static void write_file(const char *path, const char *at, size_t len)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    assert_true(fd >= 0 && write(fd, at, len) == (ssize_t)len);
    close(fd);
}

/* The store cannot be opened, and the person is told why and what to do. */
static void expect_refusal(struct fixture *f, enum store_access access, const char *message,
                           const char *hint)
{
    struct store_options options = {.path = f->path, .access = access, .holder = "crmsync test"};
    struct store *store = NULL;

    EXPECT(store_open(&options, &f->env, &store, &f->err) == FAIL_CONFIG,
           "wanted '%s', got %s '%s'", message, fail_name(f->err.code), f->err.message);
    assert_null(store);
    expect_part(f->err.message, message);
    expect_part(f->err.hint, hint);
    error_reset(&f->err);
}

/* --- opening ------------------------------------------------------------------------------------------------- */

static void a_new_store_is_ours_alone(void **state)
{
    AUTO_FIXTURE struct fixture f;
    struct stat facts;
    static const char *const FILES[] = {"", "-wal", "-shm", ".lock"};
    char path[4 * PATH_BYTES];

    (void)state;
    fixture_begin_all(&f);
    for (size_t i = 0; i < COUNT_OF(FILES); i++) {
        snprintf(path, sizeof path, "%s%s", f.path, FILES[i]);
        EXPECT(stat(path, &facts) == 0 && (facts.st_mode & 07777) == 0600, "mode of '%s'",
               FILES[i]);
    }
    EXPECT_I64(store_schema_version(f.store), migrate_newest(), "schema version");
}

static void what_is_no_store_is_told_apart(void **state)
{
    AUTO_FIXTURE struct fixture f;
    char garbage[8192];

    (void)state;
    fixture_prepare(&f);
    expect_refusal(&f, STORE_WRITE, "there is no store", "crmsync init");
    expect_refusal(&f, STORE_READ, "there is no store", "crmsync init");

    memset(garbage, 'x', sizeof garbage);
    write_file(f.path, garbage, sizeof garbage);
    expect_refusal(&f, STORE_WRITE, "is not a crmsync store", "configuration");
    expect_refusal(&f, STORE_READ, "is not a crmsync store", "configuration");
    expect_refusal(&f, STORE_CREATE, "exists already", "move it away");
    unlink(f.path);

    assert_int_equal(mkdir(f.path, 0700), 0);
    expect_refusal(&f, STORE_WRITE, "Is a directory", "configuration");
    expect_refusal(&f, STORE_READ, "Is a directory", "configuration");
    rmdir(f.path);
}

static void a_folder_that_is_not_there_is_told(void **state)
{
    AUTO_FIXTURE struct fixture f;

    (void)state;
    fixture_prepare(&f);
    snprintf(f.path, sizeof f.path, "%s/none/test.db", f.folder);
    expect_refusal(&f, STORE_CREATE, "No such file", "folder");
}

/* Changes marks of the file through the seam, as another program or a later version would have set them. */
static void set_mark(struct fixture *f, const char *sql)
{
    struct engine_options options = {.path = f->path, .may_write = true};
    struct engine *engine;

    MUST(f, engine_open(&options, &engine, &f->err));
    MUST(f, stmt_run(engine_stmt(engine, sql), &f->err));
    engine_close(engine);
}

static void other_versions_and_programs_are_told(void **state)
{
    AUTO_FIXTURE struct fixture f;

    (void)state;
    fixture_begin_all(&f);
    fixture_commit(&f);
    store_close(TAKE_PTR(f.store));

    set_mark(&f, "PRAGMA user_version = 99");
    expect_refusal(&f, STORE_WRITE, "its schema is 99", "newer crmsync");
    expect_refusal(&f, STORE_READ, "written by a newer crmsync", "newer crmsync");

    set_mark(&f, "PRAGMA user_version = 0");
    expect_refusal(&f, STORE_READ, "must be brought to", "crmsync doctor");

    set_mark(&f, "PRAGMA application_id = 77");
    expect_refusal(&f, STORE_WRITE, "of another program", "configuration");
    expect_refusal(&f, STORE_READ, "of another program", "configuration");
}

static void an_interrupted_init_is_finished_by_the_next_writer(void **state)
{
    AUTO_FIXTURE struct fixture f;

    (void)state;
    fixture_prepare(&f);
    write_file(f.path, "", 0);
    fixture_open_as(&f, STORE_WRITE);
    fixture_begin(&f);
    fixture_connection(&f, "main");
    fixture_commit(&f);
}

static void a_store_that_others_could_read_is_closed_to_them(void **state)
{
    AUTO_FIXTURE struct fixture f;
    struct stat facts;

    (void)state;
    fixture_begin_all(&f);
    fixture_commit(&f);
    store_close(TAKE_PTR(f.store));
    assert_int_equal(chmod(f.path, 0644), 0);
    fixture_open_as(&f, STORE_WRITE);
    assert_true(stat(f.path, &facts) == 0 && (facts.st_mode & 077) == 0);
}

/* --- one writer, many readers -------------------------------------------------------------------------------- */

static void the_second_writer_is_told_who_holds_the_store(void **state)
{
    AUTO_FIXTURE struct fixture f;
    int ready[2], done[2];
    char byte, message[64];
    pid_t child;

    (void)state;
    fixture_begin_all(&f);
    fixture_commit(&f);
    store_close(TAKE_PTR(f.store));
    assert_true(pipe(ready) == 0 && pipe(done) == 0);
    child = fork();
    if (child == 0) {
        struct store_options options = {
            .path = f.path, .access = STORE_WRITE, .holder = "crmsync sync"};
        bool is_open = store_open(&options, &f.env, &f.store, &f.err) == OK;

        is_open = write(ready[1], is_open ? "y" : "n", 1) == 1 && read(done[0], &byte, 1) == 1;
        _exit(is_open ? 0 : 1);
    }
    assert_true(read(ready[0], &byte, 1) == 1 && byte == 'y');
    snprintf(message, sizeof message, "in use by process %d, 'crmsync sync', since ", (int)child);
    expect_refusal(&f, STORE_WRITE, message, "wait for it");
    expect_refusal(&f, STORE_CREATE, message, "wait for it");

    fixture_open_as(&f, STORE_READ); /* readers may */
    fixture_begin(&f);
    fixture_commit(&f);
    store_close(TAKE_PTR(f.store));

    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    fixture_open_as(&f, STORE_WRITE); /* the lock has died with its process */
    close(ready[0]), close(ready[1]), close(done[0]), close(done[1]);
}

static void the_same_process_cannot_hold_it_twice(void **state)
{
    AUTO_FIXTURE struct fixture f;

    (void)state;
    fixture_begin_all(&f);
    expect_refusal(&f, STORE_WRITE, "'crmsync test', since 04:40:00Z", "wait for it");
    clock_step_ms(f.env.clock, INT64_C(86400000));
    expect_refusal(&f, STORE_WRITE, "since 2025-11-21T04:40:00Z", "wait for it");
}

static void a_reader_sees_the_last_commit_and_cannot_write(void **state)
{
    AUTO_FIXTURE struct fixture f;
    struct store_options options = {.path = f.path, .access = STORE_READ, .holder = "reader"};
    struct store *reader;
    struct tx *tx = NULL;
    struct store_connection *rows;
    size_t count;

    (void)state;
    fixture_begin_all(&f);
    MUST(&f, store_open(&options, &f.env, &reader, &f.err));
    MUST(&f, tx_begin(reader, TENANT_DEFAULT, &tx, &f.err));
    MUST(&f, connection_list(tx, &f.arena, &rows, &count, &f.err));
    EXPECT_I64(count, 0, "not committed yet");
    fixture_commit(&f);
    MUST(&f, connection_list(tx, &f.arena, &rows, &count, &f.err));
    EXPECT_I64(count, 0, "a snapshot does not move");
    MUST(&f, tx_commit(&tx, &f.err));

    MUST(&f, tx_begin(reader, TENANT_DEFAULT, &tx, &f.err));
    MUST(&f, connection_list(tx, &f.arena, &rows, &count, &f.err));
    EXPECT_I64(count, 1, "after the commit");
    MUST_FAIL(&f, dirty_put(tx, f.connection_id, STR("contact"), STR("1"), &f.err), FAIL_CONFIG);
    tx_abort(&tx);
    store_close(reader);
}

/* --- transactions -------------------------------------------------------------------------------------------- */

static void an_aborted_transaction_leaves_nothing(void **state)
{
    AUTO_FIXTURE struct fixture f;
    int64_t count;

    (void)state;
    fixture_begin_all(&f);
    fixture_commit(&f);
    EXPECT_I64(store_commits(f.store), 1, "commits");

    fixture_begin(&f);
    assert_true(offline_is_on());
    make_record(&f, "ann@a.example");
    tx_abort(&f.tx);
    assert_null(f.tx);
    assert_false(offline_is_on());
    tx_abort(&f.tx); /* harmless */

    fixture_begin(&f);
    MUST(&f, record_count(f.tx, STR(""), &count, &f.err));
    EXPECT_I64(count, 0, "records");
    fixture_commit(&f);
    EXPECT_I64(store_commits(f.store), 2, "commits");
}

static void tenants_are_found_or_made(void **state)
{
    AUTO_FIXTURE struct fixture f;
    int64_t id, again;
    bool found;

    (void)state;
    fixture_prepare(&f);
    fixture_open_as(&f, STORE_CREATE);
    MUST(&f, store_tenant(f.store, STR("default"), false, &id, &found, &f.err));
    assert_true(found && id == TENANT_DEFAULT);
    MUST(&f, store_tenant(f.store, STR("acme"), false, &id, &found, &f.err));
    assert_false(found);
    MUST(&f, store_tenant(f.store, STR("acme"), true, &id, &found, &f.err));
    assert_true(found && id != TENANT_DEFAULT);
    MUST(&f, store_tenant(f.store, STR("acme"), true, &again, &found, &f.err));
    EXPECT_I64(again, id, "the same one");
    MUST_FAIL(&f, store_tenant(f.store, STR(""), true, &id, &found, &f.err), FAIL_CONFIG);
}

/* --- the disk ------------------------------------------------------------------------------------------------ */

static int64_t count_records(struct fixture *f)
{
    int64_t count;

    fixture_begin(f);
    MUST(f, record_count(f->tx, STR("contact"), &count, &f->err));
    fixture_commit(f);
    return count;
}

/* Writes records until it fails; returns the failure. */
static enum fail fill(struct fixture *f)
{
    enum fail failed = OK;

    for (int i = 0; failed == OK && i < 100000; i++) {
        char uuid[UUID_TEXT_BYTES];
        struct store_record record = {.kind = STR("contact"), .uuid = {.at = uuid, .len = 36}};

        uuid_v7(START_MS, f->env.random, uuid);
        failed = record_insert(f->tx, &record, NULL, 0, &f->err);
    }
    return failed ? failed : tx_commit(&f->tx, &f->err);
}

static void a_full_disk_stops_and_loses_nothing(void **state)
{
    AUTO_FIXTURE struct fixture f;

    (void)state;
    fixture_begin_all(&f);
    make_record(&f, "ann@a.example");
    fixture_commit(&f);

    engine_pages_max_set(store_engine(f.store), 1); /* clamped to the present size */
    fixture_begin(&f);
    EXPECT(fill(&f) == FAIL_STOP, "got %s %s", fail_name(f.err.code), f.err.message);
    expect_part(f.err.message, "the disk is full");
    expect_part(f.err.hint, "free some space");
    tx_abort(&f.tx);
    error_reset(&f.err);
    EXPECT_I64(count_records(&f), 1, "what was committed");

    engine_pages_max_set(store_engine(f.store), 1000000);
    fixture_begin(&f);
    make_record(&f, "bob@a.example");
    fixture_commit(&f);
    EXPECT_I64(count_records(&f), 2, "after space was made");
}

/* A limit on the file size makes the kernel refuse writes in the middle of a commit. */
static void a_refused_write_stops_until_the_next_start(void **state)
{
    AUTO_FIXTURE struct fixture f;
    struct rlimit before, narrow;
    struct tx *tx = NULL;
    enum fail failed;

    (void)state;
    fixture_begin_all(&f);
    make_record(&f, "ann@a.example");
    fixture_commit(&f);
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    narrow = (struct rlimit){.rlim_cur = 512 * 1024, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &narrow), 0);
    fixture_begin(&f);
    failed = fill(&f);
    tx_abort(&f.tx);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);

    EXPECT(failed == FAIL_STOP, "got %s %s", fail_name(f.err.code), f.err.message);
    expect_part(f.err.message, "the disk is full");
    error_reset(&f.err);
    MUST_FAIL(&f, tx_begin(f.store, TENANT_DEFAULT, &tx, &f.err), FAIL_STOP);
    store_close(TAKE_PTR(f.store));
    fixture_open_as(&f, STORE_WRITE);
    EXPECT_I64(count_records(&f), 1, "what was committed");
}

static void a_damaged_file_is_told(void **state)
{
    AUTO_FIXTURE struct fixture f;
    char zeros[4096] = {0};
    struct store_record *rows;
    size_t count;
    struct stat facts;
    int fd;

    (void)state;
    fixture_begin_all(&f);
    for (int i = 0; i < 200; i++) {
        make_record(&f, "somebody.with.a.long.name@company.example");
    }
    fixture_commit(&f);
    store_close(TAKE_PTR(f.store));
    fd = open(f.path, O_RDWR);
    assert_true(fd >= 0 && fstat(fd, &facts) == 0);
    memset(zeros, 0x5a, sizeof zeros);
    for (off_t at = 4096 * 2; at < facts.st_size; at += 4096) { /* all but the schema */
        char first;

        assert_int_equal(pread(fd, &first, 1, at), 1);
        assert_int_equal(pwrite(fd, zeros, sizeof zeros, at), sizeof zeros);
    }
    close(fd);

    struct store_options options = {.path = f.path, .access = STORE_READ, .holder = "test"};
    if (store_open(&options, &f.env, &f.store, &f.err) == OK &&
        tx_begin(f.store, TENANT_DEFAULT, &f.tx, &f.err) == OK) {
        EXPECT(record_list(f.tx, STR(""), 0, 10, &f.arena, &rows, &count, &f.err) == FAIL_STOP,
               "reading from a damaged file");
    }
    EXPECT_I64(f.err.code, FAIL_STOP, "code");
    expect_part(f.err.message, "is damaged");
    expect_part(f.err.hint, "backup");
}

/* --- a crash ------------------------------------------------------------------------------------------------- */

enum { GROUP = 7 };

/* Commits groups of records for ever and says so after each. */
static void write_groups(struct fixture *f, int said)
{
    for (int group = 0;; group++) {
        char email[64];

        snprintf(email, sizeof email, "group%d@a.example", group);
        fixture_begin(f);
        for (int i = 0; i < GROUP; i++) {
            make_record(f, email);
        }
        fixture_commit(f);
        if (write(said, "c", 1) != 1) {
            _exit(1);
        }
        arena_reset(&f->arena);
    }
}

static int64_t number_of(struct fixture *f, const char *sql)
{
    int64_t number;

    MUST(f, stmt_number(engine_stmt(store_engine(f->store), sql), &number, &f->err));
    return number;
}

static void check_groups(struct fixture *f, int acknowledged)
{
    fixture_open_as(f, STORE_WRITE);
    EXPECT_I64(number_of(f, "SELECT count(*) FROM pragma_integrity_check "
                            "WHERE integrity_check <> 'ok'"),
               0, "integrity");
    EXPECT_I64(number_of(f, "SELECT count(*) FROM (SELECT key FROM match_key GROUP BY key "
                            "HAVING count(*) <> 7)"),
               0, "torn groups");
    EXPECT(number_of(f, "SELECT count(*) FROM record") >= (int64_t)acknowledged * GROUP,
           "an acknowledged commit is lost");
    store_close(TAKE_PTR(f->store));
}

static void a_killed_writer_leaves_whole_transactions(void **state)
{
    (void)state;
    for (int round = 0; round < 5; round++) {
        AUTO_FIXTURE struct fixture f;
        int said[2], acknowledged = 0;
        char byte;
        pid_t child;

        fixture_begin_all(&f);
        fixture_commit(&f);
        store_close(TAKE_PTR(f.store));
        assert_int_equal(pipe(said), 0);
        child = fork();
        if (child == 0) {
            fixture_open_as(&f, STORE_WRITE);
            write_groups(&f, said[1]);
        }
        close(said[1]);
        while (acknowledged < 3 + 11 * round && read(said[0], &byte, 1) == 1) {
            acknowledged++;
        }
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        while (read(said[0], &byte, 1) == 1) {
            acknowledged++;
        }
        close(said[0]);
        check_groups(&f, acknowledged);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_store_is_ours_alone),
        cmocka_unit_test(what_is_no_store_is_told_apart),
        cmocka_unit_test(a_folder_that_is_not_there_is_told),
        cmocka_unit_test(other_versions_and_programs_are_told),
        cmocka_unit_test(an_interrupted_init_is_finished_by_the_next_writer),
        cmocka_unit_test(a_store_that_others_could_read_is_closed_to_them),
        cmocka_unit_test(the_second_writer_is_told_who_holds_the_store),
        cmocka_unit_test(the_same_process_cannot_hold_it_twice),
        cmocka_unit_test(a_reader_sees_the_last_commit_and_cannot_write),
        cmocka_unit_test(an_aborted_transaction_leaves_nothing),
        cmocka_unit_test(tenants_are_found_or_made),
        cmocka_unit_test(a_full_disk_stops_and_loses_nothing),
        cmocka_unit_test(a_refused_write_stops_until_the_next_start),
        cmocka_unit_test(a_damaged_file_is_told),
        cmocka_unit_test(a_killed_writer_leaves_whole_transactions),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
