/* Events to endpoints: which they are and what they say, order, repeats, what becomes of an endpoint that fails, and what a crash does. Virtual time, one
 * thread, endpoints mounted by host. */
#include "api/publish.h"
#include "core/jx.h"
#include "http/transport.h"
#include "store/erasure.h"
#include "store/retention.h"

#include "tests/unit/store/fixture.h"

#define HOUR_MS (INT64_C(60) * 60 * 1000)
#define SECRET "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
#define OLD_SECRET "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

enum { ENDPOINTS = 2, HEARD_MAX = 512 };

/* What came in at one endpoint. */
struct heard {
    char id[64], type[32], body[1024], signature[160];
};

struct ear {
    int status; /* what it answers */
    enum http_fault fault;
    const char *refuses; /* events with this in their body get a 422; NULL none */
    const char *retry_after;
    int count, requests;
    struct heard heard[HEARD_MAX]; /* of those it took */
};

struct world {
    struct fixture f;
    struct ear ears[ENDPOINTS];
    struct publish_target targets[ENDPOINTS];
    size_t targets_count;
    struct publisher *publisher;
    struct store *reader;
    int64_t tenant_id;
};

static void on_event(void *context, const struct http_request *request,
                     struct http_response *response)
{
    struct ear *ear = context;
    struct heard *heard = &ear->heard[ear->count % HEARD_MAX];
    AUTO_ARENA struct arena arena = {0};
    struct error err = {0};
    json_t *tree;
    bool is_refused = ear->refuses && str_contains(request->body, str_of(ear->refuses));

    ear->requests++;
    response->status = is_refused ? 422 : ear->status;
    response->fault = ear->fault;
    if (ear->retry_after) {
        http_header_add(&response->headers, STR("retry-after"), str_of(ear->retry_after));
    }
    EXPECT(jx_parse(&arena, request->body, &tree, &err) == OK, "%s", err.message);
    if (response->status >= 300 || ear->fault != HTTP_FAULT_NONE) {
        return;
    }
    snprintf(heard->id, sizeof heard->id, "%" PRI_STR,
             STR_ARG(http_header_get(&request->headers, "webhook-id")));
    snprintf(heard->signature, sizeof heard->signature, "%" PRI_STR,
             STR_ARG(http_header_get(&request->headers, "webhook-signature")));
    snprintf(heard->type, sizeof heard->type, "%" PRI_STR,
             STR_ARG(jx_text_of(jx_get(tree, "type"))));
    snprintf(heard->body, sizeof heard->body, "%" PRI_STR, STR_ARG(request->body));
    ear->count++;
}

static void begin_publisher(struct world *w)
{
    const struct publisher_options options = {.env = &w->f.env,
                                              .targets = w->targets,
                                              .targets_count = w->targets_count,
                                              .tenants = &w->tenant_id,
                                              .tenants_count = 1,
                                              .workers = 2};

    w->publisher = publisher_new(&options);
    MUST(&w->f, publisher_begin(w->publisher, w->f.store, &w->f.err));
    MUST(&w->f, store_beside(w->f.store, STORE_READ, false, &w->reader, &w->f.err));
}

static void end_publisher(struct world *w)
{
    publisher_free(w->publisher);
    store_close(w->reader);
    w->publisher = NULL;
    w->reader = NULL;
}

static void begin(struct world *w)
{
    static const char *const HOSTS[] = {"one.example", "two.example"};
    struct fixture *f = &w->f;

    *w = (struct world){.tenant_id = TENANT_DEFAULT, .targets_count = ENDPOINTS};
    fixture_begin_all(f);
    fixture_commit(f);
    f->env.transport = transport_new_mounted(f->env.clock, 5);
    for (int i = 0; i < ENDPOINTS; i++) {
        struct publish_target *target = &w->targets[i];
        char url[64];

        snprintf(url, sizeof url, "https://%s/in", HOSTS[i]);
        w->ears[i].status = 204;
        transport_mount(f->env.transport, HOSTS[i], on_event, &w->ears[i]);
        target->tenant_id = TENANT_DEFAULT;
        target->tenant = STR("default");
        target->name = i ? STR("two") : STR("one");
        target->filter.fields = EVENT_FIELDS_ALL;
        target->give_up_ms = 24 * HOUR_MS;
        target->secrets_count = 1;
        secret_set(&target->url, str_of(url));
        secret_set(&target->secrets[0], STR(SECRET));
    }
    begin_publisher(w);
}

static void end(struct world *w)
{
    end_publisher(w);
    transport_free(w->f.env.transport);
    for (int i = 0; i < ENDPOINTS; i++) {
        secret_fini(&w->targets[i].url);
        secret_fini(&w->targets[i].secrets[0]);
        secret_fini(&w->targets[i].secrets[1]);
    }
    fixture_end(&w->f);
}
#define AUTO_WORLD __attribute__((cleanup(end)))

/* All that is due, without waiting for anything. */
static void deliver(struct world *w)
{
    int64_t wait_ms;
    size_t target;

    publisher_news(w->publisher);
    for (int i = 0; i < 100 && publisher_take(w->publisher, &target, &wait_ms); i++) {
        publisher_turn(w->publisher, target, w->reader, w->f.store);
    }
}

static void wait_and_deliver(struct world *w, int64_t ms)
{
    clock_wait_ms(w->f.env.clock, ms);
    deliver(w);
}

/* --- what happens in the store -------------------------------------------------------------------------------------------------- */

static void append(struct world *w, const struct store_record *record, enum journal_cause cause,
                   int64_t connection_id, const char *from, const char *to)
{
    struct fixture *f = &w->f;
    const struct journal_change change = {.field = STR("email"),
                                          .from = from ? VALUE_OF(str_of(from)) : (struct value){0},
                                          .to = to ? VALUE_OF(str_of(to)) : (struct value){0},
                                          .rule = STR("test"),
                                          .changed_ms = clock_wall_ms(f->env.clock)};
    const struct journal_entry entry = {.record_id = record->id,
                                        .record_version = record->version,
                                        .at_ms = clock_wall_ms(f->env.clock),
                                        .connection_id = connection_id,
                                        .cause = cause,
                                        .changes = &change,
                                        .changes_count = to ? 1 : 0};

    MUST(f, journal_append(f->tx, &entry, &f->err));
}

/* A record that came from the CRM. */
static struct store_record create(struct world *w, const char *email)
{
    struct store_record record;

    fixture_begin(&w->f);
    record = make_record(&w->f, email);
    append(w, &record, CAUSE_IMPORT, w->f.connection_id, NULL, email);
    fixture_commit(&w->f);
    return record;
}

static void edit(struct world *w, struct store_record *record, const char *from, const char *to)
{
    fixture_begin(&w->f);
    MUST(&w->f, record_update(w->f.tx, record, NULL, 0, &w->f.err));
    append(w, record, CAUSE_LOCAL, 0, from, to);
    fixture_commit(&w->f);
}

static void create_many(struct world *w, int count)
{
    for (int i = 0; i < count; i++) {
        char email[32];

        snprintf(email, sizeof email, "%d@b.example", i);
        create(w, email);
    }
}

static struct store_endpoint row_of(struct world *w, const char *name)
{
    struct store_endpoint row;
    bool found;

    fixture_begin(&w->f);
    MUST(&w->f, endpoint_by_name(w->f.tx, str_of(name), &w->f.arena, &row, &found, &w->f.err));
    assert_true(found);
    fixture_commit(&w->f);
    return row;
}

static size_t list_dead(struct world *w, struct dead_event **ret)
{
    size_t count;

    fixture_begin(&w->f);
    MUST(&w->f,
         dead_event_list(w->f.tx, 0, false, 0, HEARD_MAX, &w->f.arena, ret, &count, &w->f.err));
    fixture_commit(&w->f);
    return count;
}

static void expect_in_order(const struct ear *ear, int count)
{
    EXPECT(ear->count == count, "%d of %d", ear->count, count);
    for (int i = 0; i < count; i++) {
        char id[64];

        snprintf(id, sizeof id, "evt_1_%d", i + 1);
        EXPECT_STR(str_of(ear->heard[i].id), str_of(id), "in order, each once");
    }
}

/* --- which events there are ----------------------------------------------------------------------------------------------------- */

static void changes_become_events(void **state)
{
    AUTO_WORLD struct world w;
    struct store_record record;
    const struct heard *heard = w.ears[0].heard;

    (void)state;
    begin(&w);
    record = create(&w, "a@b.example");
    edit(&w, &record, "a@b.example", "c@b.example");
    deliver(&w);
    expect_in_order(&w.ears[0], 2);
    expect_in_order(&w.ears[1], 2);
    EXPECT_STR(str_of(heard[0].type), STR("record.created"), "type");
    EXPECT(strstr(heard[0].body, "\"connection\":\"main\"") &&
               strstr(heard[0].body, "\"cause\":\"import\"") &&
               strstr(heard[0].body, "\"values\":{\"email\":\"a@b.example\"}") &&
               strstr(heard[0].body, "\"position\":1"),
           "%s", heard[0].body);
    EXPECT_STR(str_of(heard[1].type), STR("record.updated"), "type");
    EXPECT(strstr(heard[1].body, "\"connection\":null") &&
               strstr(heard[1].body, "\"changed\":[\"email\"]") &&
               strstr(heard[1].body, "c@b.example") && !strstr(heard[1].body, "a@b.example"),
           "the new value alone: %s", heard[1].body);
    EXPECT(strncmp(heard[0].signature, "v1,", 3) == 0, "signed");
    deliver(&w);
    expect_in_order(&w.ears[0], 2);
}

/* Each kind of entry, and what it is to those who follow. */
static void entries_have_types(void **state)
{
    static const struct {
        enum journal_cause cause;
        const char *from, *to, *type; /* NULL: no event */
    } rows[] = {
        {CAUSE_IMPORT, NULL, NULL, NULL},
        {CAUSE_IMPORT, NULL, "a", "record.created"},
        {CAUSE_PULL, "a", "b", "record.updated"},
        {CAUSE_PULL, "a", "a", NULL}, /* only what lost is recorded */
        {CAUSE_CONFLICT, "a", "b", "record.updated"},
        {CAUSE_PUSH, "a", "b", NULL},
        {CAUSE_DELETE, NULL, NULL, "record.deleted"},
        {CAUSE_RESTORE, NULL, NULL, "record.restored"},
        {CAUSE_MERGE, NULL, NULL, "record.merged"},
    };
    AUTO_WORLD struct world w;
    struct ear *ear = &w.ears[0];

    (void)state;
    begin(&w);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct store_record record;

        fixture_begin(&w.f);
        record = make_record(&w.f, "a@b.example");
        append(&w, &record, rows[i].cause, 0, rows[i].from, rows[i].to);
        fixture_commit(&w.f);
        ear->count = 0;
        deliver(&w);
        EXPECT(ear->count == (rows[i].type ? 1 : 0), "row %zu: %d", i, ear->count);
        if (rows[i].type) {
            EXPECT_STR(str_of(ear->heard[0].type), str_of(rows[i].type), "type");
        }
    }
}

static void conflicts_are_told_in_their_place(void **state)
{
    AUTO_WORLD struct world w;
    struct fixture *f = &w.f;
    struct store_record record;
    struct store_link link;
    struct store_conflict conflict = {.kind = STR("contact"), .field = STR("email")};
    const struct heard *heard = w.ears[0].heard;
    bool ended;

    (void)state;
    begin(&w);
    record = create(&w, "a@b.example");
    fixture_begin(f);
    link = make_link(f, record.id, "1");
    conflict.record_id = record.id;
    conflict.link_id = link.id;
    conflict.connection_id = f->connection_id;
    MUST(f, conflict_put(f->tx, &conflict, &f->err));
    MUST(f, conflict_put(f->tx, &conflict, &f->err)); /* seen again: no news */
    fixture_commit(f);
    edit(&w, &record, "a@b.example", "c@b.example");
    fixture_begin(f);
    MUST(f, conflict_end(f->tx, link.id, STR("email"), CONFLICT_RESOLVED, STR("hub"), &ended,
                         &f->err));
    MUST(f, conflicts_close(f->tx, link.id, &f->err)); /* none is open any more */
    fixture_commit(f);
    deliver(&w);
    EXPECT(w.ears[0].count == 4, "%d", w.ears[0].count);
    EXPECT_STR(str_of(heard[0].type), STR("record.created"), "first");
    EXPECT_STR(str_of(heard[1].type), STR("conflict.opened"), "then");
    EXPECT_STR(str_of(heard[1].id), STR("evt_1_c1"), "its id");
    EXPECT_STR(str_of(heard[2].type), STR("record.updated"), "then");
    EXPECT_STR(str_of(heard[3].type), STR("conflict.resolved"), "last");
    EXPECT(strstr(heard[3].body, "\"resolution\":\"hub\"") &&
               strstr(heard[3].body, "\"field\":\"email\""),
           "%s", heard[3].body);
}

static void filters_hold(void **state)
{
    AUTO_WORLD struct world w;
    struct str company = STR("company");
    struct store_record record;

    (void)state;
    begin(&w);
    w.targets[0].filter =
        (struct event_filter){.types = 1U << EVENT_RECORD_UPDATED, .fields = EVENT_FIELDS_NAMES};
    w.targets[1].filter = (struct event_filter){.kinds = &company, .kinds_count = 1};
    record = create(&w, "a@b.example");
    edit(&w, &record, "a@b.example", "c@b.example");
    deliver(&w);
    EXPECT(w.ears[0].count == 1 && w.ears[1].count == 0, "%d and %d", w.ears[0].count,
           w.ears[1].count);
    EXPECT(strstr(w.ears[0].heard[0].body, "\"changed\":[\"email\"]") &&
               !strstr(w.ears[0].heard[0].body, "values"),
           "names alone: %s", w.ears[0].heard[0].body);
    w.targets[0].filter.fields = EVENT_FIELDS_NONE;
    edit(&w, &record, "c@b.example", "d@b.example");
    deliver(&w);
    EXPECT(!strstr(w.ears[0].heard[1].body, "email"), "nothing: %s", w.ears[0].heard[1].body);
}

/* What was erased before it was sent is never sent; that it was erased is. */
static void erased_values_are_not_told(void **state)
{
    AUTO_WORLD struct world w;
    struct fixture *f = &w.f;
    struct erasure erasure = {.kind = STR("contact")};
    struct erased erased = {0};
    struct store_record record;
    struct ear *ear = &w.ears[0];

    (void)state;
    begin(&w);
    record = create(&w, "a@b.example");
    edit(&w, &record, "a@b.example", "c@b.example");
    fixture_begin(f);
    erasure.record_uuid = record.uuid;
    MUST(f, erasure_begin(f->tx, &erasure, &f->err));
    MUST(f, erase_record(f->tx, erasure.id, record.id, &erased, &f->err));
    fixture_commit(f);
    deliver(&w);
    EXPECT(ear->count == 1, "one: %d", ear->count);
    EXPECT(strcmp(ear->heard[0].type, "record.deleted") == 0 &&
               strstr(ear->heard[0].body, "\"erased\":true") &&
               !strstr(ear->heard[0].body, "b.example"),
           "%s", ear->heard[0].body);
}

/* --- trouble -------------------------------------------------------------------------------------------------------------------- */

static void one_that_fails_does_not_hold_up_the_other(void **state)
{
    AUTO_WORLD struct world w;
    int64_t waited_ms = 0;

    (void)state;
    begin(&w);
    w.ears[0].status = 503;
    create_many(&w, 20);
    deliver(&w);
    expect_in_order(&w.ears[1], 20);
    EXPECT(w.ears[0].requests == 1, "it is asked once, not for each event");
    for (; w.ears[0].requests < 6 && waited_ms < HOUR_MS; waited_ms += 1000) {
        wait_and_deliver(&w, 1000);
    }
    EXPECT(waited_ms >= 155 * 1000 / 2 && waited_ms <= 155 * 1000 + 6000,
           "5 s, doubled each time, a half of it or more: %lld ms", (long long)waited_ms);
    w.ears[0].status = 200;
    wait_and_deliver(&w, HOUR_MS);
    expect_in_order(&w.ears[0], 20);
    EXPECT_I64(row_of(&w, "one").failures, 0, "all is well");
    EXPECT_I64(row_of(&w, "one").failed, 6, "counted");
}

static void it_says_when_to_come_again(void **state)
{
    AUTO_WORLD struct world w;

    (void)state;
    begin(&w);
    w.ears[0].status = 429;
    w.ears[0].retry_after = "600";
    create(&w, "a@b.example");
    deliver(&w);
    wait_and_deliver(&w, 599 * 1000);
    EXPECT(w.ears[0].requests == 1, "not before");
    wait_and_deliver(&w, 1500);
    EXPECT(w.ears[0].requests == 2, "then");
}

/* An event that is refused again and again is given up; those behind it go on. */
static void a_refused_event_is_set_aside(void **state)
{
    AUTO_WORLD struct world w;
    struct dead_event *dead;
    bool found;

    (void)state;
    begin(&w);
    w.ears[0].refuses = "1@b.example";
    create_many(&w, 3);
    for (int i = 0; i < 40; i++) {
        wait_and_deliver(&w, 60 * 1000);
    }
    EXPECT(w.ears[0].count == 2, "the others: %d", w.ears[0].count);
    EXPECT(w.ears[0].requests == 2 + PUBLISH_REFUSALS_MAX, "%d", w.ears[0].requests);
    EXPECT(list_dead(&w, &dead) == 1 && dead[0].journal == 2 &&
               dead[0].attempts == PUBLISH_REFUSALS_MAX,
           "one letter");
    EXPECT_STR(dead[0].reason, STR("answered with status 422"), "why");
    EXPECT_I64(publisher_stats(w.publisher, 0).dead, 1, "counted");
    w.ears[0].refuses = NULL;
    fixture_begin(&w.f);
    MUST(&w.f, dead_event_send(w.f.tx, dead[0].id, &found, &w.f.err));
    assert_true(found);
    fixture_commit(&w.f);
    wait_and_deliver(&w, PUBLISH_LOOK_MS);
    EXPECT(w.ears[0].count == 3 && list_dead(&w, &dead) == 0, "sent once more");
    EXPECT_STR(str_of(w.ears[0].heard[2].id), STR("evt_1_2"), "under its id");
}

static void a_letter_sent_again_in_vain_stays(void **state)
{
    AUTO_WORLD struct world w;
    struct dead_event *dead;
    const struct dead_event letter = {
        .endpoint_id = row_of((begin(&w), &w), "one").id, .journal = 1, .reason = STR("once")};
    bool found;

    (void)state;
    create(&w, "a@b.example");
    deliver(&w);
    fixture_begin(&w.f);
    MUST(&w.f, dead_event_put(w.f.tx, &letter, &w.f.err));
    MUST(&w.f, dead_event_send(w.f.tx, 1, &found, &w.f.err));
    fixture_commit(&w.f);
    w.ears[0].status = 500;
    wait_and_deliver(&w, PUBLISH_LOOK_MS);
    EXPECT(list_dead(&w, &dead) == 1 && !dead[0].is_to_send, "tried once");
    EXPECT_STR(dead[0].reason, STR("answered with status 500"), "why");
}

/* Down for longer than its patience: what is older than that is given up in one go, what is younger is not. */
static void an_endpoint_that_stays_away(void **state)
{
    AUTO_WORLD struct world w;
    struct dead_event *dead;

    (void)state;
    begin(&w);
    w.ears[0].fault = HTTP_FAULT_RESET;
    create_many(&w, 150);
    for (int i = 0; i < 23; i++) {
        wait_and_deliver(&w, HOUR_MS);
    }
    EXPECT(list_dead(&w, &dead) == 0, "patience");
    create(&w, "late@b.example");
    for (int i = 0; i < 3; i++) {
        wait_and_deliver(&w, HOUR_MS);
        wait_and_deliver(&w, PUBLISH_LOOK_MS);
    }
    EXPECT(list_dead(&w, &dead) == 150, "%zu", list_dead(&w, &dead));
    EXPECT(dead[0].attempts > 20 && dead[99].attempts == 0, "the first one was tried");
    w.ears[0].fault = HTTP_FAULT_NONE;
    wait_and_deliver(&w, HOUR_MS);
    EXPECT(w.ears[0].count == 1 && strcmp(w.ears[0].heard[0].id, "evt_1_151") == 0,
           "what was young enough: %d %s", w.ears[0].count, w.ears[0].heard[0].id);
    expect_in_order(&w.ears[1], 151);
}

static void gone_switches_it_off(void **state)
{
    AUTO_WORLD struct world w;

    (void)state;
    begin(&w);
    w.ears[0].status = 410;
    create_many(&w, 2);
    deliver(&w);
    EXPECT(row_of(&w, "one").state == ENDPOINT_OFF, "off");
    w.ears[0].status = 200;
    wait_and_deliver(&w, 48 * HOUR_MS);
    EXPECT(w.ears[0].requests == 1, "nobody asks it any more");
    expect_in_order(&w.ears[1], 2);
    fixture_begin(&w.f);
    {
        struct store_endpoint row;
        bool found;

        MUST(&w.f, endpoint_by_name(w.f.tx, STR("one"), &w.f.arena, &row, &found, &w.f.err));
        row.state = ENDPOINT_ACTIVE;
        row.next_ms = 0;
        MUST(&w.f, endpoint_put(w.f.tx, &row, &w.f.err));
    }
    fixture_commit(&w.f);
    wait_and_deliver(&w, PUBLISH_LOOK_MS);
    expect_in_order(&w.ears[0], 2);
}

static void a_slow_one_takes_half_of_the_workers(void **state)
{
    AUTO_WORLD struct world w;
    size_t first, second;
    int64_t wait_ms;

    (void)state;
    begin(&w);
    for (int i = 0; i < ENDPOINTS; i++) {
        w.ears[i].fault = HTTP_FAULT_TIMEOUT;
    }
    create(&w, "a@b.example");
    deliver(&w);
    clock_wait_ms(w.f.env.clock, HOUR_MS);
    EXPECT(publisher_take(w.publisher, &first, &wait_ms), "one may go");
    EXPECT(!publisher_take(w.publisher, &second, &wait_ms), "not both, though there are two");
    publisher_turn(w.publisher, first, w.reader, w.f.store);
    EXPECT(publisher_take(w.publisher, &second, &wait_ms) && second != first, "then the other");
    publisher_turn(w.publisher, second, w.reader, w.f.store);
}

/* --- restarts ------------------------------------------------------------------------------------------------------------------- */

static void a_new_endpoint_starts_now(void **state)
{
    AUTO_WORLD struct world w;

    (void)state;
    begin(&w);
    end_publisher(&w);
    w.targets_count = 1;
    begin_publisher(&w);
    EXPECT(row_of(&w, "two").state == ENDPOINT_REMOVED, "not configured any more");
    create(&w, "a@b.example");
    deliver(&w);
    end_publisher(&w);
    w.targets_count = 2;
    begin_publisher(&w);
    create(&w, "b@b.example");
    deliver(&w);
    EXPECT(w.ears[0].count == 2, "the one that was there heard both");
    EXPECT(w.ears[1].count == 1 && strcmp(w.ears[1].heard[0].id, "evt_1_2") == 0,
           "the other what came since");
}

static void copy_file(const char *from, const char *to)
{
    char command[6 * PATH_BYTES];

    snprintf(command, sizeof command, "cp '%s' '%s'", from, to);
    EXPECT(system(command) == 0, "copied");
}

/* The process dies between deliveries and the keeping of the place: they come again, under the same ids, and what follows comes too. */
static void a_crash_repeats_but_loses_nothing(void **state)
{
    AUTO_WORLD struct world w;
    struct ear *ear = &w.ears[0];
    char before[3 * PATH_BYTES];

    (void)state;
    begin(&w);
    create_many(&w, 5);
    deliver(&w);
    create_many(&w, 5);
    end_publisher(&w);
    store_close(w.f.store);
    snprintf(before, sizeof before, "%s/before", w.f.folder);
    copy_file(w.f.path, before);
    fixture_open_as(&w.f, STORE_WRITE);
    begin_publisher(&w);
    deliver(&w);
    expect_in_order(ear, 10);
    end_publisher(&w);
    store_close(w.f.store);
    copy_file(before, w.f.path); /* as if nothing of it had been committed */
    fixture_open_as(&w.f, STORE_WRITE);
    begin_publisher(&w);
    create(&w, "later@b.example");
    deliver(&w);
    EXPECT(ear->count == 16, "five again and one more: %d", ear->count);
    for (int i = 0; i < 5; i++) {
        EXPECT_STR(str_of(ear->heard[10 + i].id), str_of(ear->heard[5 + i].id), "the same id");
        EXPECT_STR(str_of(ear->heard[10 + i].body), str_of(ear->heard[5 + i].body), "the same");
    }
}

static void waits_outlive_the_process(void **state)
{
    AUTO_WORLD struct world w;

    (void)state;
    begin(&w);
    w.ears[0].status = 500;
    create(&w, "a@b.example");
    for (int i = 0; i < 8; i++) {
        wait_and_deliver(&w, HOUR_MS);
    }
    end_publisher(&w);
    begin_publisher(&w);
    deliver(&w);
    EXPECT(w.ears[0].requests == 8, "a restart is no reason to come early: %d", w.ears[0].requests);
}

static void both_secrets_sign(void **state)
{
    AUTO_WORLD struct world w;
    const char *signature = w.ears[0].heard[0].signature;

    (void)state;
    begin(&w);
    secret_set(&w.targets[0].secrets[1], STR(OLD_SECRET));
    w.targets[0].secrets_count = 2;
    create(&w, "a@b.example");
    deliver(&w);
    EXPECT(strchr(signature, ' ') && strncmp(strchr(signature, ' ') + 1, "v1,", 3) == 0, "%s",
           signature);
}

static void what_cannot_be_used_is_said(void **state)
{
    AUTO_WORLD struct world w;

    (void)state;
    begin(&w);
    error_set(&w.targets[0].problem, FAIL_CONFIG, "environment variable X is not set");
    create(&w, "a@b.example");
    deliver(&w);
    EXPECT(w.ears[0].requests == 0 && w.ears[1].count == 1, "nothing unsigned goes out");
    EXPECT_STR(row_of(&w, "one").reason, STR("environment variable X is not set"), "why");
}

/* Retention waits for who has not been told, but not for ever. */
static void retention_waits_for_followers(void **state)
{
    static const struct retention RETENTION = {.journal_ms = 24 * HOUR_MS};
    AUTO_WORLD struct world w;
    struct store_record record;
    struct pruned pruned = {0};

    (void)state;
    begin(&w);
    w.targets[0].give_up_ms = INT64_C(14) * 24 * HOUR_MS;
    w.ears[0].status = 500;
    record = create(&w, "a@b.example");
    edit(&w, &record, "a@b.example", "b@b.example");
    wait_and_deliver(&w, 48 * HOUR_MS);
    MUST(&w.f, retention_prune(w.f.store, TENANT_DEFAULT, &RETENTION, false, &pruned, &w.f.err));
    EXPECT_I64(pruned.journal, 0, "it is waited for");
    clock_wait_ms(w.f.env.clock, RETENTION_FOLLOWED_MS);
    MUST(&w.f, retention_prune(w.f.store, TENANT_DEFAULT, &RETENTION, false, &pruned, &w.f.err));
    EXPECT_I64(pruned.journal, 1, "not for ever");
    w.ears[0].status = 200;
    wait_and_deliver(&w, HOUR_MS);
    EXPECT(w.ears[0].count == 1, "what is left is told");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(changes_become_events),
        cmocka_unit_test(entries_have_types),
        cmocka_unit_test(conflicts_are_told_in_their_place),
        cmocka_unit_test(filters_hold),
        cmocka_unit_test(erased_values_are_not_told),
        cmocka_unit_test(one_that_fails_does_not_hold_up_the_other),
        cmocka_unit_test(it_says_when_to_come_again),
        cmocka_unit_test(a_refused_event_is_set_aside),
        cmocka_unit_test(a_letter_sent_again_in_vain_stays),
        cmocka_unit_test(an_endpoint_that_stays_away),
        cmocka_unit_test(gone_switches_it_off),
        cmocka_unit_test(a_slow_one_takes_half_of_the_workers),
        cmocka_unit_test(a_new_endpoint_starts_now),
        cmocka_unit_test(a_crash_repeats_but_loses_nothing),
        cmocka_unit_test(waits_outlive_the_process),
        cmocka_unit_test(both_secrets_sign),
        cmocka_unit_test(what_cannot_be_used_is_said),
        cmocka_unit_test(retention_waits_for_followers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
