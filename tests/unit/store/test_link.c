/* Links: both unique rules, the listings that work is derived from, aliases, tombstones and waits. */
#include "tests/unit/store/fixture.h"

static struct store_link read_back(struct fixture *f, int64_t id)
{
    struct store_link link = {0};
    bool found;

    MUST(f, link_by_id(f->tx, id, &f->arena, &link, &found, &f->err));
    EXPECT(found, "link %lld", (long long)id);
    return link;
}

static void expect_same(const struct store_link *got, const struct store_link *want)
{
    EXPECT_I64(got->id, want->id, "id");
    EXPECT_I64(got->connection_id, want->connection_id, "connection_id");
    EXPECT_STR(got->kind, want->kind, "kind");
    EXPECT_I64(got->record_id, want->record_id, "record_id");
    EXPECT_STR(got->remote_id, want->remote_id, "remote_id");
    EXPECT_I64(got->state, want->state, "state");
    EXPECT(fields_equal(&got->base.hub, &want->base.hub), "base.hub");
    EXPECT(fields_equal(&got->base.remote, &want->base.remote), "base.remote");
    EXPECT_I64(got->has_digest, want->has_digest, "has_digest");
    EXPECT(digest_equal(&got->digest, &want->digest), "digest");
    EXPECT_I64(got->remote_modified_ms, want->remote_modified_ms, "remote_modified_ms");
    EXPECT_I64(got->synced_version, want->synced_version, "synced_version");
    EXPECT_I64(got->last_write_ms, want->last_write_ms, "last_write_ms");
    EXPECT_I64(got->gone_since_ms, want->gone_since_ms, "gone_since_ms");
    EXPECT_I64(got->scan, want->scan, "scan");
    EXPECT_I64(got->retry_at_ms, want->retry_at_ms, "retry_at_ms");
}

static struct store_link full_link(struct fixture *f, int64_t record_id)
{
    struct store_link link = link_of(f, record_id, "r1");

    link.state = LINK_GONE;
    link.base = (struct base){.hub = fields_of_one(f, "name", "hub"),
                              .remote = fields_of_one(f, "name", "remote")};
    link.has_digest = true;
    link.digest = digest_of(STR("x"));
    link.remote_modified_ms = 1;
    link.synced_version = 2;
    link.last_write_ms = 3;
    link.gone_since_ms = 4;
    link.scan = 5;
    link.retry_at_ms = 6;
    return link;
}

static void a_link_is_found_in_every_way(void **state)
{
    AUTO_FIXTURE struct fixture f;
    struct store_link link, row, *rows;
    size_t count;
    bool found;

    (void)state;
    fixture_begin_all(&f);
    link = full_link(&f, make_record(&f, "ann@a.example").id);
    MUST(&f, link_insert(f.tx, &link, &f.err));
    row = read_back(&f, link.id);
    expect_same(&row, &link);
    MUST(&f, link_by_remote(f.tx, f.connection_id, STR("contact"), STR("r1"), &f.arena, &row,
                            &found, &f.err));
    assert_true(found);
    expect_same(&row, &link);
    MUST(&f, link_by_record(f.tx, f.connection_id, link.record_id, &f.arena, &row, &found, &f.err));
    assert_true(found);
    expect_same(&row, &link);
    MUST(&f, links_of_record(f.tx, link.record_id, &f.arena, &rows, &count, &f.err));
    EXPECT_I64(count, 1, "of the record");
    expect_same(&rows[0], &link);

    MUST(&f, link_by_remote(f.tx, f.connection_id, STR("company"), STR("r1"), &f.arena, &row,
                            &found, &f.err));
    assert_false(found);
    MUST(&f,
         link_by_record(f.tx, f.connection_id + 1, link.record_id, &f.arena, &row, &found, &f.err));
    assert_false(found);
}

static void a_sight_is_the_link_without_its_base(void **state)
{
    AUTO_FIXTURE struct fixture f;
    struct store_link link;
    struct link_sight sight;
    bool found;

    (void)state;
    fixture_begin_all(&f);
    link = full_link(&f, make_record(&f, "ann@a.example").id);
    MUST(&f, link_insert(f.tx, &link, &f.err));
    MUST(&f,
         link_sight_of(f.tx, f.connection_id, STR("contact"), STR("r1"), &sight, &found, &f.err));
    assert_true(found && sight.has_digest && digest_equal(&sight.digest, &link.digest));
    EXPECT_I64(sight.id, link.id, "id");
    EXPECT_I64(sight.record_id, link.record_id, "record_id");
    EXPECT_I64(sight.remote_modified_ms, 1, "remote_modified_ms");
    EXPECT_I64(sight.last_write_ms, 3, "last_write_ms");
    EXPECT_I64(sight.scan, 5, "scan");
    EXPECT_I64(sight.state, LINK_GONE, "state");

    link.has_digest = false;
    MUST(&f, link_update(f.tx, &link, &f.err));
    MUST(&f, link_scan_set(f.tx, link.id, 9, &f.err));
    MUST(&f,
         link_sight_of(f.tx, f.connection_id, STR("contact"), STR("r1"), &sight, &found, &f.err));
    assert_false(sight.has_digest);
    EXPECT_I64(sight.scan, 9, "scan set");
    MUST(&f,
         link_sight_of(f.tx, f.connection_id, STR("contact"), STR("r2"), &sight, &found, &f.err));
    assert_false(found);
}

static void both_unique_rules_hold(void **state)
{
    AUTO_FIXTURE struct fixture f;
    struct store_link first, second, clash;
    struct store_record ann, bob;

    (void)state;
    fixture_begin_all(&f);
    ann = make_record(&f, "ann@a.example");
    bob = make_record(&f, "bob@a.example");
    first = make_link(&f, ann.id, "r1");

    clash = link_of(&f, bob.id, "r1"); /* the remote object has a record */
    MUST_FAIL(&f, link_insert(f.tx, &clash, &f.err), FAIL_STALE);
    clash = link_of(&f, ann.id, "r2"); /* the record has a remote object */
    MUST_FAIL(&f, link_insert(f.tx, &clash, &f.err), FAIL_STALE);

    second = make_link(&f, bob.id, "r2"); /* the transaction goes on */
    second.remote_id = STR("r1");
    MUST_FAIL(&f, link_update(f.tx, &second, &f.err), FAIL_STALE);
    second.remote_id = STR("r2");
    second.record_id = ann.id;
    MUST_FAIL(&f, link_update(f.tx, &second, &f.err), FAIL_STALE);

    clash = link_of(&f, ann.id, "r1"); /* on another connection it is free */
    clash.connection_id = fixture_connection(&f, "second");
    MUST(&f, link_insert(f.tx, &clash, &f.err));
    clash = first;
    clash.state = LINK_MERGED;
    clash.record_id = make_record(&f, "cem@a.example").id;
    MUST(&f, link_update(f.tx, &clash, &f.err));
    first = read_back(&f, clash.id);
    expect_same(&first, &clash);
    clash.id = 4711;
    clash.remote_id = STR("r9");
    MUST_FAIL(&f, link_update(f.tx, &clash, &f.err), FAIL_BUG);
    MUST_FAIL(&f, link_scan_set(f.tx, 4711, 1, &f.err), FAIL_BUG);
}

/* --- what work is derived from ------------------------------------------------------------------------------- */

static void raise_version(struct fixture *f, struct store_record *record)
{
    MUST(f, record_update(f->tx, record, NULL, 0, &f->err));
}

/* One row for each reason why a link is pushed or not. */
static const struct push_row {
    const char *why;
    bool is_newer, has_intent;
    enum link_state state;
    int64_t retry_at_ms;
    bool want;
} PUSH_ROWS[] = {
    {"the record is newer", true, false, LINK_LIVE, 0, true},
    {"nothing is newer", false, false, LINK_LIVE, 0, false},
    {"a write is under way", true, true, LINK_LIVE, 0, false},
    {"the remote object is gone", true, false, LINK_GONE, 0, false},
    {"unlinked", true, false, LINK_UNLINKED, 0, false},
    {"merged", true, false, LINK_MERGED, 0, false},
    {"its time has not come", true, false, LINK_LIVE, START_MS + 1, false},
    {"its time has come", true, false, LINK_LIVE, START_MS, true},
};

static int64_t make_push_row(struct fixture *f, size_t index)
{
    const struct push_row *row = &PUSH_ROWS[index];
    struct store_record record = make_record(f, "x@a.example");
    struct store_link link = link_of(f, record.id, "");
    struct store_intent intent = {.connection_id = f->connection_id,
                                  .kind = STR("contact"),
                                  .op = INTENT_UPDATE,
                                  .record_id = record.id};

    link.remote_id = arena_printf(&f->arena, "r%zu", index);
    link.state = row->state;
    link.retry_at_ms = row->retry_at_ms;
    MUST(f, link_insert(f->tx, &link, &f->err));
    if (row->is_newer) {
        raise_version(f, &record);
    }
    if (row->has_intent) {
        intent.link_id = link.id;
        MUST(f, intent_insert(f->tx, &intent, &f->err));
    }
    return link.id;
}

static void what_to_push_is_derived(void **state)
{
    AUTO_FIXTURE struct fixture f;
    struct store_link *rows;
    size_t count, seen = 0;
    int64_t ids[COUNT_OF(PUSH_ROWS)], updates, creates;

    (void)state;
    fixture_begin_all(&f);
    for (size_t i = 0; i < COUNT_OF(PUSH_ROWS); i++) {
        ids[i] = make_push_row(&f, i);
    }
    MUST(&f, links_to_push(f.tx, f.connection_id, STR("contact"), PUSH_ALL, START_MS, 0, 100,
                           &f.arena, &rows, &count, &f.err));
    for (size_t i = 0; i < COUNT_OF(PUSH_ROWS); i++) {
        bool is_listed = seen < count && rows[seen].id == ids[i];

        EXPECT(is_listed == PUSH_ROWS[i].want, "%s", PUSH_ROWS[i].why);
        seen += is_listed;
    }
    EXPECT_I64(seen, count, "listed");
    MUST(&f,
         push_counts(f.tx, f.connection_id, STR("contact"), START_MS, &updates, &creates, &f.err));
    EXPECT_I64(updates, count, "counted");
    EXPECT_I64(creates, 0, "every record has a link");

    MUST(&f, links_to_push(f.tx, f.connection_id, STR("contact"), PUSH_ALL, START_MS, rows[0].id, 1,
                           &f.arena, &rows, &count, &f.err));
    EXPECT_I64(count, 1, "next page");
    EXPECT_I64(rows[0].id, ids[7], "next page");
    MUST(&f, links_to_push(f.tx, f.connection_id, STR("company"), PUSH_ALL, START_MS, 0, 100,
                           &f.arena, &rows, &count, &f.err));
    EXPECT_I64(count, 0, "another kind");
}

/* The store keeps the record's version on its links; this is the join that it saves. */
static void expect_versions_agree(struct fixture *f, int round)
{
    int64_t wrong;

    MUST(f, stmt_number(engine_stmt(store_engine(f->store),
                                    "SELECT count(*) FROM link l JOIN record r ON r.id = "
                                    "l.record_id WHERE l.record_version <> r.version"),
                        &wrong, &f->err));
    EXPECT(wrong == 0, "seed %d round %d: %lld links differ", SEED, round, (long long)wrong);
}

static void links_know_the_version_of_their_record(void **state)
{
    AUTO_FIXTURE struct fixture f;
    struct store_record records[4];
    struct store_link links[2];

    (void)state;
    fixture_begin_all(&f);
    for (size_t i = 0; i < COUNT_OF(records); i++) {
        records[i] = make_record(&f, "x@a.example");
    }
    for (size_t i = 0; i < COUNT_OF(links);
         i++) { /* fewer links than records, so that they can move */
        links[i] = make_link(&f, records[i].id, arena_printf(&f.arena, "r%zu", i).at);
    }
    for (int round = 0; round < 300; round++) {
        size_t which = random_below(f.env.random, COUNT_OF(records));

        if (random_chance(f.env.random, 500000)) {
            raise_version(&f, &records[which]);
        } else {
            struct store_link *link = &links[which % COUNT_OF(links)];
            int64_t before = link->record_id;

            link->record_id = records[random_below(f.env.random, COUNT_OF(records))].id;
            if (link_update(f.tx, link, &f.err) != OK) { /* the other link has it */
                link->record_id = before;
            }
        }
        expect_versions_agree(&f, round);
    }
}

static const struct create_row {
    const char *why;
    enum record_state state;
    bool has_link, is_elsewhere, has_intent, has_failure, is_discarded;
    const char *field;
    int64_t retry_at_ms, failed_version; /* the record is at version 2 */
    bool want;
} CREATE_ROWS[] = {
    {"only here", RECORD_LIVE, false, false, false, false, false, "", 0, 0, true},
    {"deleted", RECORD_DELETED, false, false, false, false, false, "", 0, 0, false},
    {"linked", RECORD_LIVE, true, false, false, false, false, "", 0, 0, false},
    {"linked elsewhere", RECORD_LIVE, true, true, false, false, false, "", 0, 0, true},
    {"being created", RECORD_LIVE, false, false, true, false, false, "", 0, 0, false},
    {"held", RECORD_LIVE, false, false, false, true, false, "", INT64_MAX, 2, false},
    {"held, version unknown", RECORD_LIVE, false, false, false, true, false, "", INT64_MAX, 0,
     false},
    {"changed since it failed", RECORD_LIVE, false, false, false, true, false, "", INT64_MAX, 1,
     true},
    {"its time has come", RECORD_LIVE, false, false, false, true, false, "", START_MS, 2, true},
    {"one field is held", RECORD_LIVE, false, false, false, true, false, "phone", INT64_MAX, 2,
     true},
    {"discarded", RECORD_LIVE, false, false, false, true, true, "", 0, 2, false},
    {"discarded, changed since", RECORD_LIVE, false, false, false, true, true, "", 0, 1, true},
};

static void make_failure(struct fixture *f, const struct create_row *row, int64_t record_id)
{
    struct store_failure failure = {.connection_id = f->connection_id,
                                    .kind = STR("contact"),
                                    .record_id = record_id,
                                    .field = str_of(row->field),
                                    .stage = STR("push"),
                                    .record_version = row->failed_version,
                                    .retry_at_ms = row->retry_at_ms};

    MUST(f, failure_put(f->tx, &failure, &f->err));
    if (row->is_discarded) {
        MUST(f, failure_discard(f->tx, failure.id, &f->err));
    }
}

static int64_t make_create_row(struct fixture *f, const struct create_row *row, int64_t elsewhere)
{
    struct store_record record = make_record(f, "x@a.example");
    struct store_link link = link_of(f, record.id, "");
    struct store_intent intent = {
        .connection_id = f->connection_id, .kind = STR("contact"), .record_id = record.id};

    record.state = row->state;
    raise_version(f, &record);
    link.remote_id = arena_printf(&f->arena, "r%lld", (long long)record.id);
    link.connection_id = row->is_elsewhere ? elsewhere : f->connection_id;
    link.state = LINK_UNLINKED; /* any link blocks a creation */
    if (row->has_link) {
        MUST(f, link_insert(f->tx, &link, &f->err));
    }
    if (row->has_intent) {
        MUST(f, intent_insert(f->tx, &intent, &f->err));
    }
    if (row->has_failure) {
        make_failure(f, row, record.id);
    }
    return record.id;
}

static void what_to_create_is_derived(void **state)
{
    AUTO_FIXTURE struct fixture f;
    int64_t ids[COUNT_OF(CREATE_ROWS)], got[COUNT_OF(CREATE_ROWS)], updates, creates, elsewhere;
    size_t count, seen = 0;

    (void)state;
    fixture_begin_all(&f);
    elsewhere = fixture_connection(&f, "second");
    for (size_t i = 0; i < COUNT_OF(CREATE_ROWS); i++) {
        ids[i] = make_create_row(&f, &CREATE_ROWS[i], elsewhere);
    }
    MUST(&f, records_to_create(f.tx, f.connection_id, STR("contact"), START_MS, 0, 0, COUNT_OF(got),
                               got, &count, &f.err));
    for (size_t i = 0; i < COUNT_OF(CREATE_ROWS); i++) {
        bool is_listed = seen < count && got[seen] == ids[i];

        EXPECT(is_listed == CREATE_ROWS[i].want, "%s", CREATE_ROWS[i].why);
        seen += is_listed;
    }
    MUST(&f,
         push_counts(f.tx, f.connection_id, STR("contact"), START_MS, &updates, &creates, &f.err));
    EXPECT_I64(creates, count, "counted");
    EXPECT_I64(updates, 0, "no live link");
    MUST(&f, records_to_create(f.tx, f.connection_id, STR("contact"), START_MS, 0, got[0], 1, got,
                               &count, &f.err));
    EXPECT_I64(count, 1, "next page");
    EXPECT_I64(got[0], ids[3], "next page");
}

static void what_a_listing_missed_and_what_is_gone(void **state)
{
    AUTO_FIXTURE struct fixture f;
    struct store_link links[4], *rows;
    size_t count;
    int64_t live;

    (void)state;
    fixture_begin_all(&f);
    for (size_t i = 0; i < COUNT_OF(links); i++) {
        links[i] =
            make_link(&f, make_record(&f, "x@a.example").id, arena_printf(&f.arena, "r%zu", i).at);
        MUST(&f, link_scan_set(f.tx, links[i].id, i == 1 ? 7 : 6, &f.err));
        links[i].scan = i == 1 ? 7 : 6;
    }
    links[3].state = LINK_GONE;
    links[3].gone_since_ms = START_MS;
    MUST(&f, link_update(f.tx, &links[3], &f.err));

    MUST(&f, links_missed_by_scan(f.tx, f.connection_id, STR("contact"), 7, 0, 10, &f.arena, &rows,
                                  &count, &f.err));
    EXPECT_I64(count, 2, "missed");
    expect_same(&rows[0], &links[0]);
    expect_same(&rows[1], &links[2]);
    MUST(&f, links_missed_by_scan(f.tx, f.connection_id, STR("contact"), 7, rows[0].id, 10,
                                  &f.arena, &rows, &count, &f.err));
    EXPECT_I64(count, 1, "next page");

    MUST(&f, links_gone_since(f.tx, f.connection_id, STR("contact"), START_MS - 1, 0, 10, &f.arena,
                              &rows, &count, &f.err));
    EXPECT_I64(count, 0, "within the grace time");
    MUST(&f, links_gone_since(f.tx, f.connection_id, STR("contact"), START_MS, 0, 10, &f.arena,
                              &rows, &count, &f.err));
    EXPECT_I64(count, 1, "after it");
    expect_same(&rows[0], &links[3]);
    MUST(&f, link_count(f.tx, f.connection_id, STR("contact"), LINK_LIVE, &live, &f.err));
    EXPECT_I64(live, 3, "live");
    MUST(&f, link_count(f.tx, f.connection_id, STR("contact"), LINK_GONE, &live, &f.err));
    EXPECT_I64(live, 1, "gone");
}

/* --- aliases, tombstones, waits ------------------------------------------------------------------------------ */

static void expect_alias(struct fixture *f, const char *from, const char *want)
{
    struct str got;

    MUST(f, alias_resolve(f->tx, f->connection_id, STR("contact"), str_of(from), &f->arena, &got,
                          &f->err));
    EXPECT_STR(got, str_of(want), from);
}

static void put_alias(struct fixture *f, const char *from, const char *into)
{
    MUST(f,
         alias_put(f->tx, f->connection_id, STR("contact"), str_of(from), str_of(into), &f->err));
}

static void aliases_lead_to_the_survivor(void **state)
{
    AUTO_FIXTURE struct fixture f;
    struct str got;

    (void)state;
    fixture_begin_all(&f);
    expect_alias(&f, "1", "1");
    put_alias(&f, "1", "2");
    put_alias(&f, "2", "3");
    expect_alias(&f, "1", "3");
    put_alias(&f, "2", "4");
    expect_alias(&f, "1", "4");
    put_alias(&f, "x", "y");
    put_alias(&f, "y", "x");
    MUST(&f, alias_resolve(f.tx, f.connection_id, STR("contact"), STR("x"), &f.arena, &got,
                           &f.err)); /* a circle ends */
    MUST(&f,
         alias_resolve(f.tx, f.connection_id, STR("company"), STR("1"), &f.arena, &got, &f.err));
    EXPECT_STR(got, STR("1"), "another kind");
}

/* Whether there is any alias is asked once for each transaction and tenant: what one saw is no news of another. */
static void aliases_of_another_tenant_or_transaction(void **state)
{
    AUTO_FIXTURE struct fixture f;
    int64_t tenant_id;

    (void)state;
    fixture_begin_all(&f);
    tenant_id = tx_tenant(f.tx);
    put_alias(&f, "1", "2");
    fixture_commit(&f);
    store_close(f.store); /* a handle that has seen none yet */
    fixture_open_as(&f, STORE_WRITE);
    fixture_begin(&f);
    tx_tenant_set(f.tx, tenant_id + 1);
    expect_alias(&f, "1", "1");
    tx_tenant_set(f.tx, tenant_id);
    expect_alias(&f, "1", "2");
    tx_tenant_set(f.tx, tenant_id + 1);
    expect_alias(&f, "1", "1");
    fixture_commit(&f);
    fixture_begin(&f);
    expect_alias(&f, "1", "2");
}

static void tombstones_are_kept_as_digests(void **state)
{
    AUTO_FIXTURE struct fixture f;
    int64_t record_id, plain;

    (void)state;
    fixture_begin_all(&f);
    for (int i = 0; i < 2; i++) { /* the last owner counts */
        MUST(&f, tombstone_put(f.tx, f.connection_id, STR("contact"), STR("8811"), 41 + i, &f.err));
    }
    MUST(&f,
         tombstone_find(f.tx, f.connection_id, STR("contact"), STR("8811"), &record_id, &f.err));
    assert_int_equal(record_id, 42);
    MUST(&f,
         tombstone_find(f.tx, f.connection_id, STR("company"), STR("8811"), &record_id, &f.err));
    assert_int_equal(record_id, 0);
    MUST(&f,
         tombstone_find(f.tx, f.connection_id, STR("contact"), STR("8812"), &record_id, &f.err));
    assert_int_equal(record_id, 0);
    MUST(&f, stmt_number(engine_stmt(store_engine(f.store),
                                     "SELECT count(*) FROM tombstone WHERE digest = '8811'"),
                         &plain, &f.err));
    EXPECT_I64(plain, 0, "the id itself");
}

static size_t count_dirty(struct fixture *f, const char *kind)
{
    struct dirty_mark *marks;
    size_t count;

    MUST(f, dirty_list(f->tx, f->connection_id, str_of(kind), STR(""), 10, &f->arena, &marks,
                       &count, &f->err));
    return count;
}

static void a_new_link_wakes_who_waited_for_it(void **state)
{
    AUTO_FIXTURE struct fixture f;
    struct store_record company, person;
    struct store_link person_link, company_link, row;

    (void)state;
    fixture_begin_all(&f);
    person = make_record(&f, "ann@a.example");
    company = make_record(&f, "");
    person_link = make_link(&f, person.id, "p1");
    MUST(&f,
         wait_wake(f.tx, &person_link, &f.err)); /* that nobody waits is not believed for long */
    for (int i = 0; i < 2; i++) {                /* waiting twice is once */
        MUST(&f, wait_put_inward(f.tx, f.connection_id, STR("deal"), STR("d1"), STR("contact"),
                                 STR("c1"), &f.err));
        MUST(&f, wait_put_outward(f.tx, f.connection_id, STR("contact"), person.id, company.id,
                                  &f.err));
    }
    MUST(&f, wait_wake(f.tx, &person_link, &f.err));
    EXPECT_I64(count_dirty(&f, "deal"), 0, "another link wakes nobody");
    EXPECT_I64(read_back(&f, person_link.id).synced_version, 1, "another link wakes nobody");

    company_link = make_link(&f, company.id, "c1");
    MUST(&f, wait_wake(f.tx, &company_link, &f.err));
    EXPECT_I64(count_dirty(&f, "deal"), 1, "inward");
    row = read_back(&f, person_link.id);
    EXPECT_I64(row.synced_version, 0, "outward: pushed again");

    person_link.synced_version = 1;
    MUST(&f, link_update(f.tx, &person_link, &f.err));
    MUST(&f,
         dirty_clear(f.tx, f.connection_id, STR("deal"),
                     &(const struct dirty_mark){.remote_id = STR("d1"), .generation = 1}, &f.err));
    MUST(&f, wait_wake(f.tx, &company_link, &f.err));
    EXPECT_I64(count_dirty(&f, "deal"), 0, "woken once");
    EXPECT_I64(read_back(&f, person_link.id).synced_version, 1, "woken once");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_link_is_found_in_every_way),
        cmocka_unit_test(a_sight_is_the_link_without_its_base),
        cmocka_unit_test(both_unique_rules_hold),
        cmocka_unit_test(what_to_push_is_derived),
        cmocka_unit_test(links_know_the_version_of_their_record),
        cmocka_unit_test(what_to_create_is_derived),
        cmocka_unit_test(what_a_listing_missed_and_what_is_gone),
        cmocka_unit_test(aliases_lead_to_the_survivor),
        cmocka_unit_test(aliases_of_another_tenant_or_transaction),
        cmocka_unit_test(tombstones_are_kept_as_digests),
        cmocka_unit_test(a_new_link_wakes_who_waited_for_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
