/* Records: writing with versions, finding, match keys, listing, searching; and documents that come back as they went in. */
#include "tests/unit/store/fixture.h"

static struct store_record read_back(struct fixture *f, int64_t id)
{
    struct store_record record = {0};
    bool found;

    MUST(f, record_by_id(f->tx, id, &f->arena, &record, &found, &f->err));
    EXPECT(found, "record %lld", (long long)id);
    return record;
}

static void expect_same(const struct store_record *got, const struct store_record *want)
{
    EXPECT_I64(got->id, want->id, "id");
    EXPECT_STR(got->uuid, want->uuid, "uuid");
    EXPECT_STR(got->kind, want->kind, "kind");
    EXPECT_I64(got->version, want->version, "version");
    EXPECT_I64(got->state, want->state, "state");
    EXPECT_I64(got->merged_into, want->merged_into, "merged_into");
    EXPECT_I64(got->created_ms, want->created_ms, "created_ms");
    EXPECT_I64(got->updated_ms, want->updated_ms, "updated_ms");
    EXPECT(fields_equal(&got->fields, &want->fields), "fields");
}

static void a_record_comes_back_as_it_was_written(void **state)
{
    AUTO_FIXTURE struct fixture f;
    struct store_record record, row;
    bool found;

    (void)state;
    fixture_begin_all(&f);
    record = make_record(&f, "ann@a.example");
    EXPECT_I64(record.version, 1, "first version");
    row = read_back(&f, record.id);
    expect_same(&row, &record);
    MUST(&f, record_by_uuid(f.tx, record.uuid, &f.arena, &row, &found, &f.err));
    assert_true(found);
    expect_same(&row, &record);

    MUST(&f, record_by_id(f.tx, record.id + 1, &f.arena, &row, &found, &f.err));
    assert_false(found);
    MUST(&f, record_by_uuid(f.tx, STR("nobody"), &f.arena, &row, &found, &f.err));
    assert_false(found);
    MUST_FAIL(&f, record_insert(f.tx, &record, NULL, 0, &f.err), FAIL_STALE);
}

static void an_update_raises_the_version_and_needs_the_present_one(void **state)
{
    AUTO_FIXTURE struct fixture f;
    struct store_record record, stale, row;

    (void)state;
    fixture_begin_all(&f);
    record = make_record(&f, "ann@a.example");
    stale = record;
    record.fields = fields_of_one(&f, "email", "ann@b.example");
    record.updated_ms = START_MS + 5;
    MUST(&f, record_update(f.tx, &record, NULL, 0, &f.err));
    EXPECT_I64(record.version, 2, "version");
    row = read_back(&f, record.id);
    expect_same(&row, &record);

    MUST_FAIL(&f, record_update(f.tx, &stale, NULL, 0, &f.err), FAIL_STALE);
    EXPECT_I64(stale.version, 1, "untouched");
    row = read_back(&f, record.id);
    expect_same(&row, &record);

    record.state = RECORD_MERGED;
    record.merged_into = 77;
    MUST(&f, record_update(f.tx, &record, NULL, 0, &f.err));
    row = read_back(&f, record.id);
    expect_same(&row, &record);
}

/* --- match keys ---------------------------------------------------------------------------------------------- */

static size_t hits_of(struct fixture *f, int rule, const char *key, int64_t connection_id,
                      struct match_hit hits[2])
{
    size_t count;

    MUST(f, record_match(f->tx, STR("contact"), rule, str_of(key), connection_id, hits, 2, &count,
                         &f->err));
    return count;
}

static void records_are_recognised_by_their_keys(void **state)
{
    AUTO_FIXTURE struct fixture f;
    struct store_record ann, other;
    struct store_link link;
    struct match_hit hits[2];
    size_t count;

    (void)state;
    fixture_begin_all(&f);
    ann = make_record(&f, "ann@a.example");
    EXPECT_I64(hits_of(&f, 0, "ann@a.example", f.connection_id, hits), 1, "by its key");
    EXPECT_I64(hits[0].record_id, ann.id, "record");
    EXPECT_I64(hits[0].link_id, 0, "no link yet");
    EXPECT_I64(hits_of(&f, 1, "ann@a.example", f.connection_id, hits), 0, "another rule");
    EXPECT_I64(hits_of(&f, 0, "Ann@a.example", f.connection_id, hits), 0, "another key");
    EXPECT_I64(hits_of(&f, 0, "", f.connection_id, hits), 0, "no key");
    MUST(&f, record_match(f.tx, STR("company"), 0, STR("ann@a.example"), f.connection_id, hits, 2,
                          &count, &f.err));
    EXPECT_I64(count, 0, "another kind");

    link = make_link(&f, ann.id, "r1");
    other = make_record(&f, "ann@a.example");
    make_record(&f, "ann@a.example");
    EXPECT_I64(hits_of(&f, 0, "ann@a.example", f.connection_id, hits), 2, "at most two asked for");
    EXPECT_I64(hits[0].record_id, ann.id, "lowest first");
    EXPECT_I64(hits[0].link_id, link.id, "its link");
    EXPECT_I64(hits[1].record_id, other.id, "then the next");
    EXPECT_I64(hits[1].link_id, 0, "no link");
    hits_of(&f, 0, "ann@a.example", fixture_connection(&f, "second"), hits);
    EXPECT_I64(hits[0].link_id, 0, "no link on the other connection");
}

static void keys_follow_the_record(void **state)
{
    AUTO_FIXTURE struct fixture f;
    struct store_record ann;
    struct match_hit hits[2];
    struct str moved[] = {STR("ann@b.example"), STR("ann|b")};
    struct str fewer[] = {STR(""), STR("ann|b")};

    (void)state;
    fixture_begin_all(&f);
    ann = make_record(&f, "ann@a.example");
    MUST(&f, record_update(f.tx, &ann, moved, 2, &f.err));
    EXPECT_I64(hits_of(&f, 0, "ann@a.example", 0, hits), 0, "the old key is gone");
    EXPECT_I64(hits_of(&f, 0, "ann@b.example", 0, hits), 1, "the new key");
    EXPECT_I64(hits_of(&f, 1, "ann|b", 0, hits), 1, "its second key");
    MUST(&f, record_update(f.tx, &ann, moved, 2, &f.err));
    EXPECT_I64(hits_of(&f, 0, "ann@b.example", 0, hits), 1, "the same keys again");
    MUST(&f, record_update(f.tx, &ann, fewer, 2, &f.err));
    EXPECT_I64(hits_of(&f, 0, "ann@b.example", 0, hits), 0, "a key less");
    EXPECT_I64(hits_of(&f, 1, "ann|b", 0, hits), 1, "the other stays");
    ann.state = RECORD_DELETED;
    MUST(&f, record_update(f.tx, &ann, moved, 2, &f.err));
    EXPECT_I64(hits_of(&f, 0, "ann@b.example", 0, hits), 0, "a deleted record has none");
    EXPECT_I64(hits_of(&f, 1, "ann|b", 0, hits), 0, "a deleted record has none");
    ann.state = RECORD_LIVE;
    MUST(&f, record_update(f.tx, &ann, moved, 2, &f.err));
    EXPECT_I64(hits_of(&f, 0, "ann@b.example", 0, hits), 1, "restored");
}

/* --- listings ------------------------------------------------------------------------------------------------ */

static void listings_show_live_records_page_by_page(void **state)
{
    AUTO_FIXTURE struct fixture f;
    struct store_record records[5], *rows, company = {.kind = STR("company"), .uuid = STR("c")};
    size_t count;
    int64_t live;

    (void)state;
    fixture_begin_all(&f);
    for (size_t i = 0; i < COUNT_OF(records); i++) {
        records[i] = make_record(&f, "x@a.example");
    }
    MUST(&f, record_insert(f.tx, &company, NULL, 0, &f.err));
    records[1].state = RECORD_DELETED;
    MUST(&f, record_update(f.tx, &records[1], NULL, 0, &f.err));

    MUST(&f, record_list(f.tx, STR("contact"), 0, 3, &f.arena, &rows, &count, &f.err));
    EXPECT_I64(count, 3, "first page");
    expect_same(&rows[0], &records[0]);
    expect_same(&rows[1], &records[2]);
    expect_same(&rows[2], &records[3]);
    MUST(&f, record_list(f.tx, STR("contact"), rows[2].id, 3, &f.arena, &rows, &count, &f.err));
    EXPECT_I64(count, 1, "last page");
    expect_same(&rows[0], &records[4]);
    MUST(&f, record_list(f.tx, STR(""), 0, 100, &f.arena, &rows, &count, &f.err));
    EXPECT_I64(count, 5, "all kinds");

    MUST(&f, record_count(f.tx, STR("contact"), &live, &f.err));
    EXPECT_I64(live, 4, "live contacts");
    MUST(&f, record_count(f.tx, STR(""), &live, &f.err));
    EXPECT_I64(live, 5, "live records");
}

static void the_beginning_of_an_id_finds_it_when_it_is_the_only_one(void **state)
{
    AUTO_FIXTURE struct fixture f;
    static const struct {
        const char *why, *kind, *prefix;
        int want;
    } ROWS[] = {
        {"the only one", "contact", "aaaaaaaa-1", 1},
        {"two begin alike", "contact", "aaaaaaaa-", 2},
        {"more than two are two", "contact", "aaaaaaaa", 2},
        {"whole", "contact", "aaaaaaaa-2222-7000-8000-000000000000", 1},
        {"another kind", "company", "aaaaaaaa", 0},
        {"any kind", "", "aaaaaaaa-1", 1},
        {"none", "contact", "bbbbbbbb", 0},
        {"no pattern", "contact", "aaaaaaa%", 0},
    };
    static const char *const UUIDS[] = {"aaaaaaaa-1111-7000-8000-000000000000",
                                        "aaaaaaaa-2222-7000-8000-000000000000",
                                        "aaaaaaaa-3333-7000-8000-000000000000"};
    struct store_record row;
    int count;

    (void)state;
    fixture_begin_all(&f);
    for (size_t i = 0; i < COUNT_OF(UUIDS); i++) {
        struct store_record record = {.kind = STR("contact"), .uuid = str_of(UUIDS[i])};

        MUST(&f, record_insert(f.tx, &record, NULL, 0, &f.err));
    }
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        MUST(&f, record_by_prefix(f.tx, str_of(ROWS[i].kind), str_of(ROWS[i].prefix), &f.arena,
                                  &row, &count, &f.err));
        EXPECT_I64(count, ROWS[i].want, ROWS[i].why);
        EXPECT(count != 1 || str_starts(row.uuid, str_of(ROWS[i].prefix)), "%s", ROWS[i].why);
    }
    MUST_FAIL(&f, record_by_prefix(f.tx, STR(""), STR("aaaaaaa"), &f.arena, &row, &count, &f.err),
              FAIL_CONFIG);
}

static void a_search_looks_at_values_only(void **state)
{
    AUTO_FIXTURE struct fixture f;
    static const struct str TAGS[] = {{.at = "Blue", .len = 4}, {.at = "50%_off", .len = 7}};
    static const struct {
        const char *text;
        size_t want;
    } ROWS[] = {{"anna", 1},    {"ANNA", 1},  {"nna", 1},       {"email", 0}, {"a\"b\\c", 1},
                {"\":\"", 0},   {"blu", 1},   {"50%_", 1},      {"5%", 0},    {"_nna", 0},
                {"line\n", 1},  {"u000a", 0}, {"zürich", 1},    {"!", 0},     {"@a.example", 2},
                {"company", 0}, {"null", 0},  {"Blue\",\"5", 0}};
    struct store_record record = {.kind = STR("contact"), .uuid = STR("u1")}, *rows;
    size_t count;

    (void)state;
    fixture_begin_all(&f);
    make_record(&f, "Anna@a.example");
    fields_set(&record.fields, &f.arena, STR("address"), VALUE_OF(STR("line\ntwo zürich")));
    fields_set(&record.fields, &f.arena, STR("company"), VALUE_NONE);
    fields_set(&record.fields, &f.arena, STR("email"), VALUE_OF(STR("b@a.example")));
    fields_set(&record.fields, &f.arena, STR("note"), VALUE_OF(STR("a\"b\\c")));
    fields_set(&record.fields, &f.arena, STR("tags"),
               ((struct value){.state = VALUE_LIST, .items = TAGS, .items_count = 2}));
    MUST(&f, record_insert(f.tx, &record, NULL, 0, &f.err));
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        MUST(&f, record_search(f.tx, STR("contact"), str_of(ROWS[i].text), 0, 10, &f.arena, &rows,
                               &count, &f.err));
        EXPECT(count == ROWS[i].want, "'%s': %zu found", ROWS[i].text, count);
    }
    MUST(&f, record_search(f.tx, STR(""), STR("example"), 0, 1, &f.arena, &rows, &count, &f.err));
    EXPECT_I64(count, 1, "limit");
    MUST(&f, record_search(f.tx, STR(""), STR("example"), rows[0].id, 5, &f.arena, &rows, &count,
                           &f.err));
    EXPECT_I64(count, 1, "next page");
    MUST_FAIL(&f, record_search(f.tx, STR(""), STR(""), 0, 1, &f.arena, &rows, &count, &f.err),
              FAIL_CONFIG);
}

/* --- documents ----------------------------------------------------------------------------------------------- */

static struct str random_text(struct fixture *f)
{
    static const char *const PIECES[] = {"a",  "\"", "\\", "\n", "é", "漢", "😀",    "\t",  "",
                                         "{}", "[",  ":",  ",",  "'", "%",  "\x7f", "null"};
    AUTO_BUF struct buf text;
    size_t count = random_below(f->env.random, 12);

    buf_init(&text, 1000);
    for (size_t i = 0; i < count; i++) {
        buf_add(&text, str_of(PIECES[random_below(f->env.random, COUNT_OF(PIECES))]));
    }
    if (random_chance(f->env.random, 50000)) {
        buf_add_char(&text, '\0');
    }
    return arena_str(&f->arena, buf_str(&text));
}

static struct value random_value(struct fixture *f)
{
    struct str *items = ARENA_ARRAY(&f->arena, struct str, 4);
    size_t count = random_below(f->env.random, 4);

    switch (random_below(f->env.random, 3)) {
    case 0:
        return VALUE_NONE;
    case 1:
        return VALUE_OF(random_text(f));
    default:
        for (size_t i = 0; i < count; i++) {
            items[i] = random_text(f);
        }
        return (struct value){.state = VALUE_LIST, .items = items, .items_count = count};
    }
}

static struct fields random_fields(struct fixture *f)
{
    struct fields fields = {0};
    size_t count = random_below(f->env.random, 9);

    for (size_t i = 0; i < count; i++) {
        struct str name = random_chance(f->env.random, 900000)
                              ? arena_printf(&f->arena, "f%llu",
                                             (unsigned long long)random_below(f->env.random, 12))
                              : random_text(f);

        fields_set(&fields, &f->arena, name, random_value(f));
    }
    return fields;
}

static void check_record(struct fixture *f, int round)
{
    struct store_record record = {.kind = STR("contact"), .fields = random_fields(f)}, row;
    char uuid[UUID_TEXT_BYTES];

    uuid_v7(START_MS, f->env.random, uuid);
    record.uuid = str_of(uuid);
    MUST(f, record_insert(f->tx, &record, NULL, 0, &f->err));
    row = read_back(f, record.id);
    EXPECT(fields_equal(&row.fields, &record.fields), "seed %d round %d: fields", SEED, round);
    record.fields = random_fields(f);
    MUST(f, record_update(f->tx, &record, NULL, 0, &f->err));
    row = read_back(f, record.id);
    EXPECT(fields_equal(&row.fields, &record.fields), "seed %d round %d: updated", SEED, round);
}

static void check_link(struct fixture *f, int64_t record_id, int round)
{
    struct store_link link = link_of(f, record_id, ""), row;
    bool found;

    link.remote_id = arena_printf(&f->arena, "r%d", round);
    link.base = (struct base){.hub = random_fields(f), .remote = random_fields(f)};
    if (random_chance(f->env.random, 500000)) {
        link.base.remote = link.base.hub;
    }
    MUST(f, link_insert(f->tx, &link, &f->err));
    MUST(f, link_by_id(f->tx, link.id, &f->arena, &row, &found, &f->err));
    EXPECT(fields_equal(&row.base.hub, &link.base.hub) &&
               fields_equal(&row.base.remote, &link.base.remote),
           "seed %d round %d: base", SEED, round);
}

static void check_intent(struct fixture *f, int64_t record_id, int round)
{
    struct store_intent intent = {.connection_id = f->connection_id,
                                  .kind = STR("contact"),
                                  .record_id = record_id,
                                  .sent = random_fields(f)},
                        row;
    bool found;

    MUST(f, intent_insert(f->tx, &intent, &f->err));
    MUST(f, intent_of_record(f->tx, f->connection_id, record_id, &f->arena, &row, &found, &f->err));
    EXPECT(fields_equal(&row.sent, &intent.sent), "seed %d round %d: sent", SEED, round);
    MUST(f, intent_delete(f->tx, intent.id, &f->err));
}

static void check_journal(struct fixture *f, int64_t record_id, int round)
{
    struct journal_change changes[3] = {0};
    struct journal_entry entry = {
        .record_id = record_id, .changes = changes, .changes_count = COUNT_OF(changes)};
    struct journal_entry *rows;
    size_t count;

    for (size_t i = 0; i < COUNT_OF(changes); i++) {
        changes[i] = (struct journal_change){.field = arena_printf(&f->arena, "f%zu", i),
                                             .to = random_value(f),
                                             .rule = STR("import")};
        if (round % 2) {
            changes[i].from = random_value(f);
            changes[i].lost = random_value(f);
        }
    }
    MUST(f, journal_append(f->tx, &entry, &f->err));
    MUST(f, journal_of_record(f->tx, record_id, 0, 1, &f->arena, &rows, &count, &f->err));
    EXPECT_I64(rows[0].changes_count, COUNT_OF(changes), "changes");
    for (size_t i = 0; i < COUNT_OF(changes); i++) {
        const struct journal_change *got = &rows[0].changes[i];

        EXPECT(str_equal(got->field, changes[i].field) && value_equal(&got->to, &changes[i].to) &&
                   value_equal(&got->from, &changes[i].from) &&
                   value_equal(&got->lost, &changes[i].lost) &&
                   str_equal(got->rule, changes[i].rule),
               "seed %d round %d: journal", SEED, round);
    }
}

static void documents_of_any_content_come_back_unchanged(void **state)
{
    AUTO_FIXTURE struct fixture f;

    (void)state;
    fixture_begin_all(&f);
    for (int round = 0; round < 400; round++) {
        int64_t record_id = make_record(&f, "x@a.example").id;

        check_record(&f, round);
        check_link(&f, record_id, round);
        check_intent(&f, record_id, round);
        check_journal(&f, record_id, round);
        arena_reset(&f.arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_comes_back_as_it_was_written),
        cmocka_unit_test(an_update_raises_the_version_and_needs_the_present_one),
        cmocka_unit_test(records_are_recognised_by_their_keys),
        cmocka_unit_test(keys_follow_the_record),
        cmocka_unit_test(listings_show_live_records_page_by_page),
        cmocka_unit_test(the_beginning_of_an_id_finds_it_when_it_is_the_only_one),
        cmocka_unit_test(a_search_looks_at_values_only),
        cmocka_unit_test(documents_of_any_content_come_back_unchanged),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
