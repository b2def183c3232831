/* Erasing a record: nothing of it stays in any table or file, the journal keeps its places, and digests keep it out. */
#include "tests/unit/store/fixture.h"

#include "store/audit.h"
#include "store/erasure.h"
#include "store/ledger.h"
#include "store/selection.h"

static const char CANARY[] = "zanzibar@canary.example";
static const char REMOTE[] = "remote-canary-77";

static struct store_record put_person(struct fixture *f, const char *email, const char *remote_id)
{
    struct store_record record = make_record(f, email);
    struct journal_change change = {
        .field = STR("email"), .to = VALUE_OF(str_of(email)), .rule = STR("import")};
    struct journal_entry entry = {.record_id = record.id,
                                  .record_version = 1,
                                  .at_ms = START_MS,
                                  .connection_id = f->connection_id,
                                  .remote_id = str_of(remote_id),
                                  .changes = &change,
                                  .changes_count = 1};
    struct store_link link = {.connection_id = f->connection_id,
                              .kind = STR("contact"),
                              .record_id = record.id,
                              .remote_id = str_of(remote_id),
                              .base = {.hub = record.fields, .remote = record.fields}};
    struct store_conflict conflict = {.record_id = record.id,
                                      .connection_id = f->connection_id,
                                      .kind = STR("contact"),
                                      .field = STR("email"),
                                      .hub = VALUE_OF(str_of(email))};
    struct store_failure failure = {.connection_id = f->connection_id,
                                    .kind = STR("contact"),
                                    .remote_id = str_of(remote_id),
                                    .message = str_of(email)};
    struct store_intent intent = {.connection_id = f->connection_id,
                                  .kind = STR("contact"),
                                  .record_id = record.id,
                                  .sent = record.fields};
    bool is_new;

    MUST(f, journal_append(f->tx, &entry, &f->err));
    MUST(f, link_insert(f->tx, &link, &f->err));
    conflict.link_id = link.id;
    MUST(f, conflict_put(f->tx, &conflict, &f->err));
    MUST(f, failure_put(f->tx, &failure, &f->err));
    intent.link_id = link.id;
    MUST(f, intent_insert(f->tx, &intent, &f->err));
    MUST(f, inbox_put(f->tx, f->connection_id, str_of(remote_id), STR("contact"), str_of(remote_id),
                      &is_new, &f->err));
    MUST(f, dirty_put(f->tx, f->connection_id, STR("contact"), str_of(remote_id), &f->err));
    MUST(f, alias_put(f->tx, f->connection_id, STR("contact"),
                      arena_printf(&f->arena, "%s-old", remote_id), str_of(remote_id), &f->err));
    MUST(f, wait_put_inward(f->tx, f->connection_id, STR("contact"), str_of(remote_id),
                            STR("company"), STR("c1"), &f->err));
    MUST(f, wait_put_inward(f->tx, f->connection_id, STR("deal"), STR("d1"), STR("contact"),
                            str_of(remote_id), &f->err));
    return record;
}

static bool is_in_file(const char *path, const char *text)
{
    char content[512 * 1024];
    FILE *file = fopen(path, "re");
    size_t count;

    if (!file) {
        return false;
    }
    count = fread(content, 1, sizeof content, file);
    fclose(file);
    return memmem(content, count, text, strlen(text)) != NULL;
}

/* In the store's file, its log, and everything else beside it. */
static void expect_nowhere(struct fixture *f, const char *text)
{
    DIR *dir = opendir(f->folder);
    struct dirent *entry;
    char path[4 * PATH_BYTES];

    assert_non_null(dir);
    while ((entry = readdir(dir)) != NULL) {
        snprintf(path, sizeof path, "%s/%s", f->folder, entry->d_name);
        EXPECT(!is_in_file(path, text), "'%s' is in %s", text, entry->d_name);
    }
    closedir(dir);
}

static void erase(struct fixture *f, int64_t record_id, struct erased *ret)
{
    struct erasure erasure = {.kind = STR("contact"), .record_uuid = STR("some id")};
    bool is_complete = false;

    MUST(f, erasure_begin(f->tx, &erasure, &f->err));
    MUST(f, erase_record(f->tx, erasure.id, record_id, ret, &f->err));
    MUST(f, erasure_done(f->tx, erasure.id, &f->err));
    fixture_commit(f);
    MUST(f, store_wipe_log(f->store, &is_complete, &f->err));
    EXPECT(is_complete, "the log is wiped");
}

static void nothing_stays_in_any_file(void **state)
{
    AUTO_FIXTURE struct fixture f;
    struct store_record person, again;
    struct erased erased = {0};
    struct journal_entry *entries;
    size_t count;
    bool found;

    (void)state;
    fixture_begin_all(&f);
    person = put_person(&f, CANARY, REMOTE);
    put_person(&f, "other@b.example", "other-1");
    fixture_commit(&f);
    fixture_begin(&f);
    erase(&f, person.id, &erased);
    EXPECT(erased.records == 1 && erased.links == 1 && erased.journal == 1 &&
               erased.conflicts == 1 && erased.failures == 1 && erased.hints == 2 &&
               erased.others == 5,
           "%lld %lld %lld %lld %lld %lld %lld", (long long)erased.records, (long long)erased.links,
           (long long)erased.journal, (long long)erased.conflicts, (long long)erased.failures,
           (long long)erased.hints, (long long)erased.others);
    expect_nowhere(&f, CANARY);
    expect_nowhere(&f, REMOTE);
    fixture_begin(&f);
    MUST(&f, record_by_id(f.tx, person.id, &f.arena, &again, &found, &f.err));
    EXPECT(found && again.state == RECORD_DELETED && again.fields.count == 0, "an empty row");
    MUST(&f, journal_of_record(f.tx, person.id, 0, 10, &f.arena, &entries, &count, &f.err));
    EXPECT(count == 2 && entries[1].changes_count == 0, "its place in the journal stays");
    EXPECT(entries[0].is_erasure && entries[0].changes_count == 0 && entries[0].remote_id.len == 0,
           "that it was erased stands there, once");
    MUST(&f, record_list(f.tx, STR("contact"), 0, 10, &f.arena, &(struct store_record *){0}, &count,
                         &f.err));
    EXPECT_I64(count, 1, "the other one is untouched");
}

/* What went into the record by a merge is the same person. */
static void merged_records_go_too(void **state)
{
    AUTO_FIXTURE struct fixture f;
    struct store_record person, loser;
    struct erased erased = {0};

    (void)state;
    fixture_begin_all(&f);
    person = put_person(&f, CANARY, REMOTE);
    loser = put_person(&f, "zanzibar-before@canary.example", "remote-before");
    loser.state = RECORD_MERGED;
    loser.merged_into = person.id;
    MUST(&f, record_update(f.tx, &loser, NULL, 0, &f.err));
    fixture_commit(&f);
    fixture_begin(&f);
    erase(&f, person.id, &erased);
    EXPECT_I64(erased.records, 2, "both");
    expect_nowhere(&f, "zanzibar");
    expect_nowhere(&f, "remote-before");
}

static void repeating_does_nothing_more(void **state)
{
    AUTO_FIXTURE struct fixture f;
    struct store_record person;
    struct erased first = {0}, second = {0};

    (void)state;
    fixture_begin_all(&f);
    person = put_person(&f, CANARY, REMOTE);
    erase(&f, person.id, &first);
    fixture_begin(&f);
    erase(&f, person.id, &second);
    EXPECT(memcmp(&second, &(struct erased){0}, sizeof second) == 0, "nothing was left");
}

static bool refuses_object(struct fixture *f, const char *remote_id)
{
    struct suppression suppression;
    bool refused = false;

    MUST(f, suppression_of_object(f->tx, f->connection_id, STR("contact"), str_of(remote_id),
                                  &suppression, &f->err));
    MUST(f, suppression_refuses(f->tx, &suppression, &refused, &f->err));
    return refused;
}

static void objects_are_kept_out_until_lifted(void **state)
{
    AUTO_FIXTURE struct fixture f;
    struct store_record person;
    struct erased erased = {0};
    struct erasure *erasures;
    size_t count;
    bool any;

    (void)state;
    fixture_begin_all(&f);
    MUST(&f, suppression_any(f.tx, &any, &f.err));
    EXPECT(!any, "none yet");
    person = put_person(&f, CANARY, REMOTE);
    erase(&f, person.id, &erased);
    fixture_begin(&f);
    MUST(&f, suppression_any(f.tx, &any, &f.err));
    EXPECT(any, "one");
    EXPECT(refuses_object(&f, REMOTE) && refuses_object(&f, REMOTE), "kept out");
    EXPECT(!refuses_object(&f, "other"), "others are not");
    MUST(&f, erasure_list(f.tx, &f.arena, &erasures, &count, &f.err));
    EXPECT(count == 1 && erasures[0].refused == 2 && erasures[0].state == ERASURE_DONE, "counted");
    MUST(&f, erasure_lift(f.tx, erasures[0].id, &f.err));
    EXPECT(!refuses_object(&f, REMOTE), "may come back");
    MUST_FAIL(&f, erasure_lift(f.tx, erasures[0].id, &f.err), FAIL_RECORD);
}

/* Digests of two stores have nothing in common: their keys are their own. */
static void digests_are_keyed(void **state)
{
    AUTO_FIXTURE struct fixture f;
    AUTO_FIXTURE struct fixture g;
    struct suppression one, other;

    (void)state;
    fixture_begin_all(&f);
    fixture_begin_all(&g);
    MUST(&f, suppression_of_key(f.tx, STR("contact"), STR("a@b.example"), &one, &f.err));
    MUST(&g, suppression_of_key(g.tx, STR("contact"), STR("a@b.example"), &other, &g.err));
    EXPECT(memcmp(&one, &other, sizeof one) != 0, "another key");
}

/* A ledger whose last line was cut off by a crash, and lines that mean nothing. */
static void ledger_survives_a_cut_line(void **state)
{
    AUTO_FIXTURE struct fixture f;
    struct store_record person;
    struct erasure erasure = {.kind = STR("contact")};
    char path[3 * PATH_BYTES];
    int64_t count = 0;
    FILE *file;

    (void)state;
    fixture_begin_all(&f);
    person = put_person(&f, CANARY, REMOTE);
    erasure.record_uuid = person.uuid;
    fixture_commit(&f);
    fixture_begin(&f);
    MUST(&f, erasure_begin(f.tx, &erasure, &f.err));
    MUST(&f, ledger_append(f.tx, f.path, &erasure, &f.err));
    tx_abort(&f.tx); /* the store knows nothing of it, as an older backup would not */
    snprintf(path, sizeof path, "%s" LEDGER_ENDING, f.path);
    file = fopen(path, "ae");
    assert_non_null(file);
    fputs("[]\n{\"tenant\":\"nobody\",\"kind\":\"contact\",\"record\":\"x\"}\n{\"tenant\":\"defa",
          file);
    fclose(file);
    fixture_begin(&f);
    MUST(&f, ledger_replay(f.tx, f.path, f.path, &count, &f.err));
    EXPECT_I64(count, 1, "erased again");
    MUST(&f, ledger_replay(f.tx, f.path, f.path, &count, &f.err));
    EXPECT_I64(count, 0, "known by now");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_stays_in_any_file),
        cmocka_unit_test(merged_records_go_too),
        cmocka_unit_test(repeating_does_nothing_more),
        cmocka_unit_test(objects_are_kept_out_until_lifted),
        cmocka_unit_test(digests_are_keyed),
        cmocka_unit_test(ledger_survives_a_cut_line),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
