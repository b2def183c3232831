/* I10: nothing of one tenant reaches another, and nobody works on another's rows. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "core/digest.h"
#include "store/intent.h"
#include "store/journal.h"
#include "store/stream.h"
#include "tests/simulation/inside.h"

/* People under the addresses that people here are typed in with, and the ids that simulators give first. */
enum { PEOPLE = 12, IDS = 40 };

struct bystander {
    int64_t tenant_id, connection_id;
    int64_t record_id, link_id; /* of one of its people */
    struct digest before;
};

static void expect(const struct history *h, enum fail failed, const struct error *err)
{
    if (failed != OK) {
        history_violated(h, "store", err->message);
    }
}

static void put_person(struct history *h, struct tx *tx, struct arena *arena, struct bystander *b,
                       int number)
{
    const struct kind *kind = kind_by_name(&h->world->kinds, STR("contact"));
    struct str keys[8] = {{0}};
    struct store_record record = {.kind = STR("contact"), .state = RECORD_LIVE};
    struct store_link link = {.connection_id = b->connection_id,
                              .kind = STR("contact"),
                              .remote_id = arena_printf(arena, "%d", number + 1)};
    struct journal_entry entry = {.cause = CAUSE_IMPORT, .connection_id = b->connection_id};
    struct error err = {0};

    record.uuid = arena_printf(arena, "0b000000-0000-7000-8000-%012d", number);
    fields_set(&record.fields, arena, STR("email"),
               VALUE_OF(arena_printf(arena, "p%d@people.example", number)));
    fields_set(&record.fields, arena, STR("first_name"), VALUE_OF(STR("Bystander")));
    kind_match_keys(kind, &record.fields, arena, keys);
    expect(h, record_insert(tx, &record, keys, kind->matches_count, &err), &err);
    link.record_id = record.id;
    link.synced_version = record.version - number % 2; /* every other one waits to be pushed */
    expect(h, link_insert(tx, &link, &err), &err);
    b->record_id = entry.record_id = record.id;
    b->link_id = link.id;
    expect(h, journal_append(tx, &entry, &err), &err);
}

/* Hints, a claimed write, a conflict, and what was set aside. */
static void put_work(struct history *h, struct tx *tx, struct arena *arena,
                     const struct bystander *b)
{
    struct store_conflict conflict = {.record_id = b->record_id,
                                      .link_id = b->link_id,
                                      .connection_id = b->connection_id,
                                      .kind = STR("contact"),
                                      .field = STR("phone")};
    struct store_failure failure = {
        .connection_id = b->connection_id, .kind = STR("contact"), .remote_id = STR("1")};
    struct store_intent intent = {.connection_id = b->connection_id,
                                  .kind = STR("contact"),
                                  .op = INTENT_UPDATE,
                                  .record_id = b->record_id,
                                  .link_id = b->link_id};
    struct store_stream stream;
    struct error err = {0};
    bool is_new;

    for (int i = 1; i <= IDS; i++) {
        struct str id = arena_printf(arena, "%d", i);

        expect(h, dirty_put(tx, b->connection_id, STR("contact"), id, &err), &err);
        expect(h, inbox_put(tx, b->connection_id, id, STR("contact"), id, &is_new, &err), &err);
    }
    expect(h, stream_ensure(tx, b->connection_id, STR("contact"), arena, &stream, &err), &err);
    expect(h, conflict_put(tx, &conflict, &err), &err);
    expect(h, failure_put(tx, &failure, &err), &err);
    expect(h, intent_insert(tx, &intent, &err), &err);
}

/* --- what is there ------------------------------------------------------------------------------------------------------------- */

static void add_people(struct history *h, struct tx *tx, struct arena *arena, struct buf *all)
{
    struct store_record *records;
    struct error err = {0};
    size_t count;

    expect(h, record_list(tx, STR(""), 0, 10000, arena, &records, &count, &err), &err);
    for (size_t i = 0; i < count; i++) {
        struct store_link *links;
        struct journal_entry *entries;
        size_t links_count, entries_count;

        expect(h, links_of_record(tx, records[i].id, arena, &links, &links_count, &err), &err);
        expect(h,
               journal_of_record(tx, records[i].id, 0, 1000, arena, &entries, &entries_count, &err),
               &err);
        buf_addf(all, "%" PRI_STR " %lld %" PRI_STR " %zu %zu;", STR_ARG(records[i].uuid),
                 (long long)records[i].version, STR_ARG(fields_to_json(arena, &records[i].fields)),
                 links_count, entries_count);
        for (size_t k = 0; k < links_count; k++) {
            buf_addf(all, "%" PRI_STR " %d %lld,", STR_ARG(links[k].remote_id), links[k].state,
                     (long long)links[k].synced_version);
        }
    }
}

static void add_work(struct history *h, struct tx *tx, const struct bystander *b,
                     struct arena *arena, struct buf *all)
{
    struct dirty_mark *marks;
    struct store_intent *intents;
    struct store_failure *failures;
    struct store_conflict *conflicts;
    struct store_stream *streams;
    struct error err = {0};
    size_t counts[5];

    expect(h,
           dirty_list(tx, b->connection_id, STR("contact"), STR(""), 1000, arena, &marks,
                      &counts[0], &err),
           &err);
    expect(h,
           intent_list(tx, b->connection_id, STR(""), 0, 1000, arena, &intents, &counts[1], &err),
           &err);
    expect(h, failure_list(tx, true, 0, 1000, arena, &failures, &counts[2], &err), &err);
    expect(h, conflict_list(tx, true, 0, 1000, arena, &conflicts, &counts[3], &err), &err);
    expect(h, stream_list(tx, arena, &streams, &counts[4], &err), &err);
    for (size_t i = 0; i < counts[0]; i++) {
        buf_addf(all, "%" PRI_STR " %lld,", STR_ARG(marks[i].remote_id),
                 (long long)marks[i].generation);
    }
    buf_addf(all, "%zu %zu %zu %zu", counts[1], counts[2], counts[3], counts[4]);
}

/* Its inbox cannot be listed, only worked off: what that marks shows it. In a transaction that is given up. */
static struct digest look(struct history *h, const struct bystander *b)
{
    AUTO_ARENA struct arena arena = {0};
    AUTO_BUF struct buf all = {0};
    AUTO_TX struct tx *tx = NULL;
    struct error err = {0};
    size_t triaged;

    buf_init(&all, 1024 * 1024);
    expect(h, tx_begin(h->world->store, b->tenant_id, &tx, &err), &err);
    add_people(h, tx, &arena, &all);
    add_work(h, tx, b, &arena, &all);
    expect(h, inbox_triage(tx, 1000, &triaged, &err), &err);
    buf_addf(&all, " %zu", triaged);
    return digest_of(buf_str(&all));
}

struct bystander *bystander_new(struct history *h)
{
    struct bystander *b = alloc_new(1, sizeof *b);
    AUTO_ARENA struct arena arena = {0};
    AUTO_TX struct tx *tx = NULL;
    struct store_connection row;
    struct error err = {0};
    bool found;

    expect(h, store_tenant(h->world->store, STR("bystander"), true, &b->tenant_id, &found, &err),
           &err);
    expect(h, tx_begin(h->world->store, b->tenant_id, &tx, &err), &err);
    expect(h, connection_ensure(tx, STR("hubspot"), STR("hubspot"), &arena, &row, &err), &err);
    b->connection_id = row.id;
    for (int i = 0; i < PEOPLE; i++) {
        put_person(h, tx, &arena, b, i);
    }
    put_work(h, tx, &arena, b);
    expect(h, tx_commit(&tx, &err), &err);
    b->before = look(h, b);
    return b;
}

void bystander_check(struct history *h)
{
    struct digest now = look(h, h->bystander);

    if (!digest_equal(&now, &h->bystander->before)) {
        history_violated(h, "I10 isolation", "another tenant's rows changed");
    }
}

void bystander_free(struct bystander *bystander)
{
    free(bystander);
}
