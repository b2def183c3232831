/* The feed: order of entries and notes, names that outlive a restore, and places that are not whole any more. */
#include "tests/unit/store/fixture.h"

#include "store/feed.h"
#include "store/restore.h"
#include "store/backup.h"
#include "store/retention.h"

enum { LIMIT = 100 };

static void put_entry(struct fixture *f, int64_t record_id)
{
    struct journal_entry entry = {
        .record_id = record_id, .record_version = 1, .at_ms = clock_wall_ms(f->env.clock)};

    MUST(f, journal_append(f->tx, &entry, &f->err));
}

static void open_conflict(struct fixture *f, int64_t link_id, const char *field)
{
    struct store_conflict conflict = {.kind = STR("contact"),
                                      .field = str_of(field),
                                      .record_id = 1,
                                      .link_id = link_id,
                                      .connection_id = f->connection_id};

    MUST(f, conflict_put(f->tx, &conflict, &f->err));
}

static size_t read_after(struct fixture *f, struct feed_place after, size_t limit,
                         struct feed_item **ret, struct feed_place *ret_seen)
{
    size_t count;

    MUST(f, feed_read(f->tx, &after, limit, &f->arena, ret, &count, ret_seen, &f->err));
    return count;
}

/* "j1 c1 j2 …" */
static struct str words_of(struct fixture *f, const struct feed_item *items, size_t count)
{
    struct str words = STR("");

    for (size_t i = 0; i < count; i++) {
        words = arena_printf(&f->arena, "%" PRI_STR "%s%c%lld", STR_ARG(words), i ? " " : "",
                             items[i].entry ? 'j' : 'c',
                             (long long)(items[i].entry ? items[i].entry->id : items[i].note->id));
    }
    return words;
}

static void make_mixture(struct fixture *f)
{
    struct store_link link;
    int64_t record_id = make_record(f, "a@b.example").id;

    link = make_link(f, record_id, "1");
    open_conflict(f, link.id, "email");
    put_entry(f, record_id);
    put_entry(f, record_id);
    open_conflict(f, link.id, "phone");
    open_conflict(f, link.id, "phone");
    put_entry(f, record_id);
    MUST(f, conflicts_close(f->tx, link.id, &f->err));
}

static void both_lists_are_one_in_order(void **state)
{
    AUTO_FIXTURE struct fixture f;
    struct feed_place seen, place = {0};
    struct feed_item *items;
    struct str words;
    size_t count;

    (void)state;
    fixture_begin_all(&f);
    make_mixture(&f);
    count = read_after(&f, place, LIMIT, &items, &seen);
    EXPECT_STR(words_of(&f, items, count), STR("c1 j1 j2 c2 j3 c3 c4"), "all");
    EXPECT(seen.journal == 3 && seen.conflict == 4, "the end");
    for (size_t limit = 1; limit < 8; limit++) { /* piece by piece it is the same */
        place = (struct feed_place){0};
        words = STR("");
        while ((count = read_after(&f, place, limit, &items, &seen)) > 0) {
            words = arena_printf(&f.arena, "%" PRI_STR "%s%" PRI_STR, STR_ARG(words),
                                 words.len ? " " : "", STR_ARG(words_of(&f, items, count)));
            place = seen;
        }
        EXPECT_STR(words, STR("c1 j1 j2 c2 j3 c3 c4"), "in pieces");
    }
}

static void tenants_read_their_own(void **state)
{
    AUTO_FIXTURE struct fixture f;
    struct feed_place seen;
    struct feed_item *items, item;
    int64_t other;
    bool found;

    (void)state;
    fixture_begin_all(&f);
    make_mixture(&f);
    fixture_commit(&f);
    MUST(&f, store_tenant(f.store, STR("other"), true, &other, &found, &f.err));
    MUST(&f, tx_begin(f.store, other, &f.tx, &f.err));
    EXPECT(read_after(&f, (struct feed_place){0}, LIMIT, &items, &seen) == 0, "nothing of others");
    EXPECT(seen.journal == 3 && seen.conflict == 4, "and need not look at it again");
    MUST(&f, feed_item(f.tx, 1, 0, &f.arena, &item, &found, &f.err));
    EXPECT(!found, "not by its number either");
    MUST(&f, feed_item(f.tx, 0, 1, &f.arena, &item, &found, &f.err));
    EXPECT(!found, "nor a note");
}

static bool is_whole(struct fixture *f, int64_t epoch, int64_t journal)
{
    const struct feed_place place = {.journal = journal};
    bool whole;

    MUST(f, feed_is_whole(f->tx, epoch, &place, &whole, &f->err));
    return whole;
}

/* Entry 3 was written twice: before and after a restore of a backup that ended with 2. */
static void names_outlive_a_restore(void **state)
{
    AUTO_FIXTURE struct fixture f;
    struct store_options options;
    struct backup_receipt receipt;
    struct restore_result result = {0};
    struct feed_place seen;
    struct feed_item *items;
    char backup[3 * PATH_BYTES];
    int64_t record_id;

    (void)state;
    fixture_begin_all(&f);
    record_id = make_record(&f, "a@b.example").id;
    put_entry(&f, record_id);
    put_entry(&f, record_id);
    fixture_commit(&f);
    snprintf(backup, sizeof backup, "%s/backup.db", f.folder);
    MUST(&f, store_backup(f.store, &f.env, backup, &f.arena, &receipt, &f.err));
    fixture_begin(&f);
    put_entry(&f, record_id);
    EXPECT(is_whole(&f, 1, 3), "as long as there was no restore");
    fixture_commit(&f);
    store_close(f.store);
    options = (struct store_options){.path = f.path, .holder = "crmsync test"};
    MUST(&f, store_restore(backup, &options, &f.env, &f.arena, &result, &f.err));
    fixture_open_as(&f, STORE_WRITE);
    fixture_begin(&f);
    put_entry(&f, record_id);
    EXPECT(read_after(&f, (struct feed_place){0}, LIMIT, &items, &seen) == 3, "three");
    EXPECT_I64(items[1].epoch, 1, "what the backup held keeps its name");
    EXPECT(items[2].epoch > 1 && items[2].entry->id == 3, "what came since has another one");
    EXPECT(is_whole(&f, 1, 2), "who had not seen more goes on");
    EXPECT(!is_whole(&f, 1, 3), "who has seen what was lost is told");
    EXPECT(is_whole(&f, items[2].epoch, 3), "the present");
    EXPECT(!is_whole(&f, items[2].epoch + 1, 3) && !is_whole(&f, items[2].epoch, 4), "no such");
}

static void pruning_leaves_a_gap(void **state)
{
    static const struct retention RETENTION = {.journal_ms = 1000};
    AUTO_FIXTURE struct fixture f;
    struct pruned pruned = {0};
    int64_t record_id;

    (void)state;
    fixture_begin_all(&f);
    record_id = make_record(&f, "a@b.example").id;
    for (int i = 0; i < 4; i++) {
        put_entry(&f, record_id);
    }
    fixture_commit(&f);
    clock_wait_ms(f.env.clock, 2000);
    MUST(&f, retention_prune(f.store, TENANT_DEFAULT, &RETENTION, false, &pruned, &f.err));
    EXPECT_I64(pruned.journal, 3, "all but the newest");
    fixture_begin(&f);
    EXPECT(is_whole(&f, 1, 3) && is_whole(&f, 1, 4), "nothing behind these went");
    EXPECT(!is_whole(&f, 1, 2) && !is_whole(&f, 0, 2), "something behind these did");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_lists_are_one_in_order),
        cmocka_unit_test(tenants_read_their_own),
        cmocka_unit_test(names_outlive_a_restore),
        cmocka_unit_test(pruning_leaves_a_gap),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
