/* What the store holds at rest: nobody holds a lease, no write is in doubt, what is to be written is written, who ended is remembered, the journal
 * tells how every record came to be what it is (I11), and hearing of everything again changes nothing (I6). */
#include <inttypes.h>
#include <stdio.h>

#include "core/digest.h"
#include "store/audit.h"
#include "store/intent.h"
#include "store/journal.h"
#include "store/run.h"
#include "store/stream.h"
#include "tests/simulation/inside.h"

enum { RECORDS_MAX = 400, LINKS_MAX = 1000, ROWS_MAX = 10000, VERSIONS_MAX = 1024 };
enum { REPLAY_EVERY = 4, TIMES_HEARD = 2 };

static void expect(struct checking *c, enum fail failed, const struct error *err)
{
    if (failed != OK) {
        history_violated(c->h, "store", err->message);
    }
}

static void begin(struct checking *c)
{
    struct error err = {0};

    expect(c, tx_begin(c->h->world->store, TENANT_DEFAULT, &c->tx, &err), &err);
}

static void end(struct checking *c)
{
    struct error err = {0};

    expect(c, tx_commit(&c->tx, &err), &err);
}

/* --- nobody is at work -------------------------------------------------------------------------------------------------------- */

static void check_leases(struct checking *c)
{
    struct store_stream *streams;
    struct store_run *runs;
    struct error err = {0};
    size_t count;

    expect(c, stream_list(c->tx, &c->arena, &streams, &count, &err), &err);
    for (size_t i = 0; i < count; i++) {
        if (streams[i].lease_owner.len) {
            history_violated(c->h, "I15 nobody is at work",
                             arena_printf(&c->arena, "%" PRI_STR " holds %" PRI_STR,
                                          STR_ARG(streams[i].lease_owner), STR_ARG(streams[i].kind))
                                 .at);
        }
    }
    expect(c, run_list(c->tx, 0, ROWS_MAX, &c->arena, &runs, &count, &err), &err);
    for (size_t i = 0; i < count; i++) {
        if (runs[i].state == RUN_ACTIVE) {
            history_violated(c->h, "I15 nobody is at work", "a run that is over counts as active");
        }
    }
}

/* I9: the outcome of every write was found out. */
static void check_no_doubt(struct checking *c, int64_t connection_id)
{
    struct store_intent *intents;
    struct error err = {0};
    size_t count;

    expect(
        c,
        intent_list(c->tx, connection_id, STR(""), 0, ROWS_MAX, &c->arena, &intents, &count, &err),
        &err);
    if (count) {
        history_violated(c->h, "I9 every outcome is known",
                         arena_printf(&c->arena,
                                      "%zu writes are in doubt, the first of record %" PRId64,
                                      count, intents[0].record_id)
                             .at);
    }
}

/* I15: what has to be written follows from records and links, and is written; only what a person is asked about waits. */
static void check_nothing_waits(struct checking *c, int at)
{
    const struct sync_connection *connection = &c->h->world->connections[at];
    struct store_failure *failures;
    struct error err = {0};
    int64_t asked = 0, conflicts;
    size_t count;

    expect(c, conflict_count_open(c->tx, &conflicts, &err), &err);
    expect(c, failure_list(c->tx, true, 0, ROWS_MAX, &c->arena, &failures, &count, &err), &err);
    for (size_t i = 0; i < count; i++) {
        asked += failures[i].connection_id == connection->row.id;
    }
    for (size_t i = 0; i < connection->settings->kinds_count; i++) {
        int64_t waiting, going;

        expect(c,
               updates_waiting(c->tx, connection->row.id, connection->settings->kinds[i], INT64_MAX,
                               &waiting, &err),
               &err);
        expect(c,
               links_going(c->tx, connection->row.id, connection->settings->kinds[i], &going, &err),
               &err);
        if (waiting > asked + conflicts || going > conflicts) {
            history_violated(c->h, "I15 nothing waits",
                             arena_printf(&c->arena,
                                          "%" PRId64 " writes and %" PRId64 " deletes of %" PRI_STR
                                          " wait at %" PRI_STR ", a person is asked about %" PRId64,
                                          waiting, going, STR_ARG(connection->settings->kinds[i]),
                                          STR_ARG(c->h->world->names[at]), asked + conflicts)
                                 .at);
        }
    }
}

/* --- what went is remembered ---------------------------------------------------------------------------------------------------- */

/* Merged into another one: that is what its id stands for now. */
static bool is_merged_away(struct checking *c, const struct store_link *link)
{
    struct error err = {0};
    struct str now;

    expect(c,
           alias_resolve(c->tx, link->connection_id, link->kind, link->remote_id, &c->arena, &now,
                         &err),
           &err);
    return !str_equal(now, link->remote_id);
}

static void check_tombstones(struct checking *c)
{
    for (int64_t id = 1; id < LINKS_MAX; id++) {
        struct store_link link;
        struct error err = {0};
        int64_t whose;
        bool is_there;

        expect(c, link_by_id(c->tx, id, &c->arena, &link, &is_there, &err), &err);
        if (!is_there || link.state != LINK_UNLINKED) {
            continue;
        }
        expect(c,
               tombstone_find(c->tx, link.connection_id, link.kind, link.remote_id, &whose, &err),
               &err);
        if (whose == 0 && !is_merged_away(c, &link)) {
            history_violated(c->h, "I4 what ended is remembered", link.remote_id.at);
        }
    }
}

/* --- I11: the journal -------------------------------------------------------------------------------------------------------------- */

static void replay(struct checking *c, const struct journal_entry *entries, size_t count,
                   struct fields *ret)
{
    for (size_t i = count; i > 0; i--) { /* newest first */
        const struct journal_entry *entry = &entries[i - 1];

        for (size_t k = 0; entry->cause != CAUSE_PUSH && k < entry->changes_count; k++) {
            fields_set(ret, &c->arena, entry->changes[k].field, entry->changes[k].to);
        }
    }
}

/* An empty field and one that was never heard of are the same to whoever reads the journal. */
static void expect_same(struct checking *c, const struct store_record *record,
                        const struct fields *one, const struct fields *other, const char *what)
{
    for (size_t i = 0; i < one->count; i++) {
        const struct value *mine = &one->at[i].value;
        const struct value *theirs = fields_get(other, one->at[i].name);

        if (!value_equal(mine, theirs) && !(value_is_blank(mine) && value_is_blank(theirs))) {
            history_violated(c->h, "I11 the journal is whole",
                             arena_printf(&c->arena, "%" PRI_STR " of record %" PRI_STR ": %s",
                                          STR_ARG(one->at[i].name), STR_ARG(record->uuid), what)
                                 .at);
        }
    }
}

/* Each version of a record has its entry. */
static void check_versions(struct checking *c, const struct store_record *record,
                           const struct journal_entry *entries, size_t count)
{
    bool *has = ARENA_ARRAY(&c->arena, bool, VERSIONS_MAX);

    for (size_t i = 0; i < count; i++) {
        if (entries[i].record_version < VERSIONS_MAX) {
            has[entries[i].record_version] = true;
        }
    }
    for (int64_t version = 1; version <= record->version && version < VERSIONS_MAX; version++) {
        if (!has[version]) {
            history_violated(
                c->h, "I11 the journal is whole",
                arena_printf(&c->arena, "nothing tells of version %" PRId64 " of record %" PRI_STR,
                             version, STR_ARG(record->uuid))
                    .at);
        }
    }
}

static void check_journal(struct checking *c)
{
    for (int64_t id = 1; id < RECORDS_MAX; id++) {
        struct fields told = {0};
        struct journal_entry *entries;
        struct store_record record;
        struct error err = {0};
        size_t count;
        bool is_there;

        expect(c, record_by_id(c->tx, id, &c->arena, &record, &is_there, &err), &err);
        if (!is_there) {
            continue;
        }
        expect(c, journal_of_record(c->tx, id, 0, ROWS_MAX, &c->arena, &entries, &count, &err),
               &err);
        replay(c, entries, count, &told);
        expect_same(c, &record, &record.fields, &told, "the record holds what no entry tells");
        expect_same(c, &record, &told, &record.fields,
                    "an entry tells what the record does not hold");
        check_versions(c, &record, entries, count);
    }
}

static void check_audit(struct checking *c)
{
    struct audit_verdict verdict;
    struct error err = {0};

    expect(c, audit_verify(c->tx, NULL, &verdict, &err), &err);
    if (verdict.problem) {
        history_violated(c->h, "I11 the audit log is whole", verdict.problem);
    }
}

/* --- I6: everything is heard of again ------------------------------------------------------------------------------------------ */

static void add_record(struct checking *c, const struct store_record *record, struct buf *all)
{
    struct journal_entry *entries;
    struct store_link *links;
    struct error err = {0};
    size_t links_count, entries_count;

    expect(c, links_of_record(c->tx, record->id, &c->arena, &links, &links_count, &err), &err);
    expect(c,
           journal_of_record(c->tx, record->id, 0, ROWS_MAX, &c->arena, &entries, &entries_count,
                             &err),
           &err);
    buf_addf(all, "%" PRI_STR " %d %" PRId64 " %" PRI_STR " %zu;", STR_ARG(record->uuid),
             record->state, record->version, STR_ARG(fields_to_json(&c->arena, &record->fields)),
             entries_count);
    for (size_t i = 0; i < links_count; i++) {
        buf_addf(all, "%" PRI_STR " %d %" PRId64 " %" PRI_STR ",", STR_ARG(links[i].remote_id),
                 links[i].state, links[i].synced_version,
                 STR_ARG(base_to_json(&c->arena, &links[i].base)));
    }
}

/* Records, links with their bases, and how long each journal is. */
static struct digest look(struct checking *c)
{
    AUTO_BUF struct buf all = {0};

    buf_init(&all, 8 * 1024 * 1024);
    begin(c);
    for (int64_t id = 1; id < RECORDS_MAX; id++) {
        struct store_record record;
        struct error err = {0};
        bool is_there;

        expect(c, record_by_id(c->tx, id, &c->arena, &record, &is_there, &err), &err);
        if (is_there) {
            add_record(c, &record, &all);
        }
    }
    end(c);
    return digest_of(buf_str(&all));
}

static void hear(struct checking *c, int at, struct str id, int number)
{
    struct error err = {0};
    bool is_new;

    expect(c,
           inbox_put(c->tx, c->h->world->connections[at].row.id,
                     arena_printf(&c->arena, "again %d", number), STR("contact"), id, &is_new,
                     &err),
           &err);
}

/* Of everybody who is or was at a CRM: some twice, some not at all. */
static void hear_of_everybody(struct checking *c, int at, int *number)
{
    json_t *state = world_state(c->h->world, at, "contact");
    size_t index;
    json_t *person;

    begin(c);
    json_array_foreach(json_object_get(state, "records"), index, person)
    {
        for (uint64_t i = random_below(c->h->random, TIMES_HEARD + 1); i > 0; i--) {
            hear(c, at, str_of(json_string_value(json_object_get(person, "id"))), ++*number);
        }
    }
    end(c);
    json_decref(state);
}

static void check_replay(struct checking *c)
{
    struct digest before = look(c), after;
    json_int_t writes = world_writes_all(c->h->world);
    struct sync_report report;
    int number = 0;

    for (int at = 0; at < c->h->world->count; at++) {
        hear_of_everybody(c, at, &number);
    }
    world_sync(c->h->world, false, &report);
    after = look(c);
    if (report.problems_count) {
        history_violated(c->h, "I6 idempotence", report.problems[0].error.message);
    }
    if (writes != world_writes_all(c->h->world)) {
        history_violated(c->h, "I6 idempotence", "events that came again were answered by writes");
    }
    if (!digest_equal(&before, &after)) {
        history_violated(c->h, "I6 idempotence", "events that came again changed the store");
    }
}

void store_check(struct history *h)
{
    struct checking c = {.h = h};

    begin(&c);
    check_leases(&c);
    for (int at = 0; at < h->world->count; at++) {
        check_no_doubt(&c, h->world->connections[at].row.id);
        check_nothing_waits(&c, at);
    }
    check_tombstones(&c);
    check_journal(&c);
    check_audit(&c);
    end(&c);
    if (h->seed % REPLAY_EVERY == 1) {
        check_replay(&c);
    }
    arena_fini(&c.arena);
}
