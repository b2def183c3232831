/* What lets a change be tried and taken back: savepoints, a scratch copy, the journal of a run, links as if they had never been, types that were seen. */
#include "tests/unit/store/fixture.h"

#include <fcntl.h>
#include <sys/file.h>

#include "store/property.h"

static int64_t live_records(struct fixture *f, struct tx *tx)
{
    int64_t count = -1;

    MUST(f, record_count(tx, STR("contact"), &count, &f->err));
    return count;
}

static void a_part_of_a_transaction_is_taken_back_alone(void **state)
{
    AUTO_FIXTURE struct fixture f;

    (void)state;
    fixture_begin_all(&f);
    make_record(&f, "kept@before.example");
    MUST(&f, tx_savepoint(f.tx, &f.err));
    make_record(&f, "taken@back.example");
    EXPECT_I64(live_records(&f, f.tx), 2, "inside");
    MUST(&f, tx_savepoint_end(f.tx, false, &f.err));
    EXPECT_I64(live_records(&f, f.tx), 1, "taken back");
    MUST(&f, tx_savepoint(f.tx, &f.err));
    make_record(&f, "kept@after.example");
    MUST(&f, tx_savepoint_end(f.tx, true, &f.err));
    fixture_commit(&f);
    fixture_begin(&f);
    EXPECT_I64(live_records(&f, f.tx), 2, "committed");
}

static int side_files(const char *folder)
{
    DIR *dir = opendir(folder);
    struct dirent *entry;
    int count = 0;

    assert_non_null(dir);
    while ((entry = readdir(dir)) != NULL) {
        count += strstr(entry->d_name, "scratch") != NULL;
    }
    closedir(dir);
    return count;
}

static void a_scratch_copy_has_everything_and_changes_nothing(void **state)
{
    AUTO_FIXTURE struct fixture f;
    struct store *scratch;
    struct tx *tx;

    (void)state;
    fixture_begin_all(&f);
    make_record(&f, "ada@lovelace.example");
    fixture_commit(&f);
    store_close(f.store);
    fixture_open_as(&f, STORE_READ); /* a reader can make one */
    MUST(&f, store_scratch(f.store, &f.env, &scratch, &f.err));
    EXPECT_I64(side_files(f.folder), 0, "the copy has no name");

    MUST(&f, tx_begin(scratch, TENANT_DEFAULT, &tx, &f.err));
    EXPECT_I64(live_records(&f, tx), 1, "what was committed");
    f.tx = tx;
    make_record(&f, "only@there.example");
    f.tx = NULL;
    MUST(&f, tx_commit(&tx, &f.err));
    MUST(&f, tx_begin(scratch, TENANT_DEFAULT, &tx, &f.err));
    EXPECT_I64(live_records(&f, tx), 2, "it can be written and read again");
    tx_abort(&tx);
    EXPECT_I64(side_files(f.folder), 0, "no side files either");
    store_close(scratch);

    fixture_begin(&f);
    EXPECT_I64(live_records(&f, f.tx), 1, "the store is as it was");
}

static void leave(struct fixture *f, const char *ending, const char *content)
{
    char path[3 * PATH_BYTES];
    FILE *file;

    snprintf(path, sizeof path, "%s%s", f->path, ending);
    file = fopen(path, "w");
    assert_true(file && fputs(content, file) >= 0 && fclose(file) == 0);
}

static void a_writer_removes_what_a_killed_process_left(void **state)
{
    AUTO_FIXTURE struct fixture f;
    char path[3 * PATH_BYTES];
    int fd;

    (void)state;
    fixture_begin_all(&f);
    fixture_commit(&f);
    store_close(f.store);
    leave(&f, ".scratch-Ab3dEf", "records");
    leave(&f, ".scratch-000000", "records");
    leave(&f, ".scratch-making", ""); /* a reader is about to fill it */
    leave(&f, ".scratch-of-a-person", "not ours");
    leave(&f, ".scratch-filled", "records"); /* a reader is filling it */
    snprintf(path, sizeof path, "%s.scratch-filled", f.path);
    fd = open(path, O_RDWR);
    assert_true(fd >= 0 && flock(fd, LOCK_EX) == 0);
    fixture_open_as(&f, STORE_READ);
    EXPECT_I64(side_files(f.folder), 5, "a reader touches nothing");
    store_close(f.store);
    fixture_open_as(&f, STORE_SHARED);
    EXPECT_I64(side_files(f.folder), 5, "nor does who only writes a line");
    store_close(f.store);
    fixture_open_as(&f, STORE_WRITE);
    EXPECT_I64(side_files(f.folder), 3, "what is left");
    store_close(f.store);
    close(fd); /* that reader was killed */
    fixture_open_as(&f, STORE_WRITE);
    EXPECT_I64(side_files(f.folder), 2, "what is left then");
}

static void write_entry(struct fixture *f, int64_t run_id, int64_t record_id)
{
    struct journal_entry entry = {
        .record_id = record_id, .record_version = 1, .at_ms = START_MS, .run_id = run_id};

    MUST(f, journal_append(f->tx, &entry, &f->err));
}

static void a_run_knows_its_records(void **state)
{
    AUTO_FIXTURE struct fixture f;
    struct run_counts counts = {0};
    int64_t ids[4], first, second, records[3];
    size_t count;

    (void)state;
    fixture_begin_all(&f);
    for (size_t i = 0; i < 3; i++) {
        records[i] = make_record(&f, "").id;
    }
    MUST(&f, run_begin(f.tx, STR("sync"), &first, &f.err));
    write_entry(&f, first, records[0]);
    write_entry(&f, first, records[2]);
    write_entry(&f, first, records[0]);
    write_entry(&f, 0, records[1]); /* a person, meanwhile */
    MUST(&f, run_end(f.tx, first, RUN_DONE, STR(""), &counts, &f.err));
    MUST(&f, run_begin(f.tx, STR("sync"), &second, &f.err));
    write_entry(&f, second, records[1]);

    MUST(&f, journal_records_of_run(f.tx, first, 0, 4, ids, &count, &f.err));
    EXPECT_I64(count, 2, "records of the first run");
    EXPECT_I64(ids[0], records[2], "highest first");
    EXPECT_I64(ids[1], records[0], "each once");
    MUST(&f, journal_records_of_run(f.tx, first, records[2], 4, ids, &count, &f.err));
    EXPECT_I64(count, 1, "the next page");
    MUST(&f, journal_records_of_run(f.tx, first, 0, 1, ids, &count, &f.err));
    EXPECT_I64(count, 1, "a limit");
    MUST(&f, journal_records_of_run(f.tx, second, 0, 4, ids, &count, &f.err));
    EXPECT_I64(count, 1, "of a run that is still active");
    MUST_FAIL(&f, journal_records_of_run(f.tx, 4711, 0, 4, ids, &count, &f.err), FAIL_RECORD);
}

static void what_was_sent_is_not_where_a_value_came_from(void **state)
{
    AUTO_FIXTURE struct fixture f;
    struct journal_origin origin;
    struct journal_change change = {.field = STR("email"),
                                    .to = VALUE_OF(STR("ada@lovelace.example")),
                                    .rule = STR("local edit"),
                                    .changed_ms = START_MS};
    struct journal_entry entry = {.at_ms = START_MS,
                                  .record_version = 1,
                                  .cause = CAUSE_LOCAL,
                                  .changes = &change,
                                  .changes_count = 1};
    bool found;

    (void)state;
    fixture_begin_all(&f);
    entry.record_id = make_record(&f, "ada@lovelace.example").id;
    MUST(&f, journal_append(f.tx, &entry, &f.err));
    entry.cause = CAUSE_PUSH;
    entry.connection_id = f.connection_id;
    change.rule = STR("create");
    change.changed_ms = START_MS + 1;
    MUST(&f, journal_append(f.tx, &entry, &f.err));
    MUST(&f, journal_origin_of(f.tx, entry.record_id, STR("email"), &origin, &found, &f.err));
    assert_true(found);
    EXPECT_I64(origin.connection_id, 0, "a local edit");
    EXPECT_I64(origin.changed_ms, START_MS, "its time");
}

static void a_forgotten_link_leaves_nothing(void **state)
{
    AUTO_FIXTURE struct fixture f;
    struct store_record record;
    struct store_link link, row;
    struct store_conflict conflict = {.type = CONFLICT_FIELD, .field = STR("email")};
    struct store_intent intent = {.op = INTENT_UPDATE, .kind = STR("contact")};
    int64_t open;
    bool found;

    (void)state;
    fixture_begin_all(&f);
    record = make_record(&f, "ada@lovelace.example");
    link = make_link(&f, record.id, "r1");
    conflict.kind = STR("contact");
    conflict.record_id = intent.record_id = record.id;
    conflict.link_id = intent.link_id = link.id;
    conflict.connection_id = intent.connection_id = f.connection_id;
    MUST(&f, conflict_put(f.tx, &conflict, &f.err));
    MUST(&f, intent_insert(f.tx, &intent, &f.err));
    MUST(&f, link_forget(f.tx, link.id, &f.err));
    MUST(&f, link_by_id(f.tx, link.id, &f.arena, &row, &found, &f.err));
    assert_false(found);
    MUST(&f, conflict_count_open(f.tx, &open, &f.err));
    EXPECT_I64(open, 0, "its conflict is gone");
    MUST(&f, intent_of_record(f.tx, f.connection_id, record.id, &f.arena, &intent, &found, &f.err));
    assert_false(found);
    make_link(&f, record.id, "r1"); /* as if it had never been */
}

static void links_are_looked_at_again(void **state)
{
    AUTO_FIXTURE struct fixture f;
    struct store_link live, ended;
    struct link_sight sight;
    bool found;

    (void)state;
    fixture_begin_all(&f);
    live = link_of(&f, make_record(&f, "").id, "r1");
    ended = link_of(&f, make_record(&f, "").id, "r2");
    live.has_digest = ended.has_digest = true;
    ended.state = LINK_UNLINKED;
    MUST(&f, link_insert(f.tx, &live, &f.err));
    MUST(&f, link_insert(f.tx, &ended, &f.err));
    MUST(&f, links_look_again(f.tx, f.connection_id, STR("contact"), &f.err));
    MUST(&f,
         link_sight_of(f.tx, f.connection_id, STR("contact"), STR("r1"), &sight, &found, &f.err));
    assert_true(found && !sight.has_digest);
    MUST(&f,
         link_sight_of(f.tx, f.connection_id, STR("contact"), STR("r2"), &sight, &found, &f.err));
    assert_true(found && sight.has_digest);
}

static void the_first_type_of_a_property_stands(void **state)
{
    AUTO_FIXTURE struct fixture f;
    struct store_property *seen;
    size_t count;

    (void)state;
    fixture_begin_all(&f);
    MUST(&f,
         property_seen_put(f.tx, f.connection_id, STR("deal"),
                           &(const struct store_property){STR("amount"), STR("number")}, &f.err));
    MUST(&f,
         property_seen_put(f.tx, f.connection_id, STR("deal"),
                           &(const struct store_property){STR("amount"), STR("string")}, &f.err));
    MUST(&f,
         property_seen_put(f.tx, f.connection_id, STR("contact"),
                           &(const struct store_property){STR("email"), STR("string")}, &f.err));
    MUST(&f, properties_seen(f.tx, f.connection_id, STR("deal"), &f.arena, &seen, &count, &f.err));
    EXPECT_I64(count, 1, "of the kind");
    EXPECT_STR(seen[0].type, STR("number"), "the first one");
    MUST(&f, properties_forget(f.tx, f.connection_id, STR("deal"), &f.err));
    MUST(&f, properties_seen(f.tx, f.connection_id, STR("deal"), &f.arena, &seen, &count, &f.err));
    EXPECT_I64(count, 0, "forgotten");
    MUST(&f,
         properties_seen(f.tx, f.connection_id, STR("contact"), &f.arena, &seen, &count, &f.err));
    EXPECT_I64(count, 1, "of another kind");
    MUST(&f, properties_forget(f.tx, f.connection_id, STR(""), &f.err));
    MUST(&f,
         properties_seen(f.tx, f.connection_id, STR("contact"), &f.arena, &seen, &count, &f.err));
    EXPECT_I64(count, 0, "of the connection");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_part_of_a_transaction_is_taken_back_alone),
        cmocka_unit_test(a_scratch_copy_has_everything_and_changes_nothing),
        cmocka_unit_test(a_writer_removes_what_a_killed_process_left),
        cmocka_unit_test(a_run_knows_its_records),
        cmocka_unit_test(what_was_sent_is_not_where_a_value_came_from),
        cmocka_unit_test(a_forgotten_link_leaves_nothing),
        cmocka_unit_test(links_are_looked_at_again),
        cmocka_unit_test(the_first_type_of_a_property_stands),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
