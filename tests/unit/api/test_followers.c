/* GET /api/crm/events: what a client hears, where it goes on, who is let go. The test plays the carrier of the streams. */
#include "tests/unit/api/world.h"

#include "api/followers.h"
#include "http/stream.h"
#include "store/retention.h"

/* One client. */
struct client {
    struct http_response response;
    struct buf text; /* what it got */
};

static void open_client(struct api_world *w, const char *target, const char *last_id,
                        struct client *ret)
{
    const struct asked asked = {.method = HTTP_GET,
                                .target = target,
                                .headers = {{last_id ? "Last-Event-ID" : NULL, last_id}}};

    *ret = (struct client){0};
    buf_init(&ret->text, 4 * 1024 * 1024);
    world_ask(w, TOKEN_VIEWER, &asked, &ret->response);
    EXPECT(ret->response.status == 200 && ret->response.stream, "%s: %d", target,
           ret->response.status);
}

static void close_client(struct client *client)
{
    http_stream_detach(client->response.stream);
    client->response.stream = NULL;
    http_response_fini(&client->response);
    buf_fini(&client->text);
}
#define AUTO_CLIENT __attribute__((cleanup(close_client)))

static void step(struct api_world *w)
{
    struct error err = {0};

    EXPECT(api_follow(w->api, &err) == OK, "%s", err.message);
}

/* The client reads what has come; false: its connection was closed. */
static bool hear(struct client *client, bool *ret_is_ended)
{
    bool is_fine = http_stream_take(client->response.stream, &client->text, ret_is_ended);

    http_stream_carried(client->response.stream, 0);
    return is_fine;
}

static const char *text_of(struct api_world *w, struct client *client)
{
    bool is_ended;

    step(w);
    EXPECT(hear(client, &is_ended) && !is_ended, "it goes on");
    return arena_cstr(&w->f.arena, buf_str(&client->text));
}

static bool is_over(struct api_world *w, struct client *client)
{
    bool is_ended;

    step(w);
    return !hear(client, &is_ended) || is_ended;
}

/* --- what happens in the store -------------------------------------------------------------------------------------------------- */

static void edit_of(struct api_world *w, int tenant, const char *value)
{
    struct fixture *f = &w->f;
    struct store_record record;
    bool found;
    const struct journal_change change = {
        .field = STR("first_name"), .to = VALUE_OF(str_of(value)), .rule = STR("test")};

    MUST(f, tx_begin(f->store, w->data[tenant].id, &f->tx, &f->err));
    MUST(f, record_by_uuid(f->tx, str_of(w->data[tenant].record), &f->arena, &record, &found,
                           &f->err));
    const struct journal_entry entry = {.record_id = record.id,
                                        .record_version = 1,
                                        .at_ms = clock_wall_ms(f->env.clock),
                                        .cause = CAUSE_PULL,
                                        .changes = &change,
                                        .changes_count = 1};
    MUST(f, journal_append(f->tx, &entry, &f->err));
    fixture_commit(f);
}

/* So that nothing holds the history any more. */
static void end_conflict(struct api_world *w)
{
    struct fixture *f = &w->f;
    struct store_conflict conflict;
    bool found;

    fixture_begin(f);
    MUST(f, conflict_by_id(f->tx, w->data[0].conflict_id, &f->arena, &conflict, &found, &f->err));
    MUST(f, conflicts_close(f->tx, conflict.link_id, &f->err));
    fixture_commit(f);
}

/* The id of the last event in the text. */
static const char *last_id(struct api_world *w, const char *text)
{
    const char *at = text, *found = NULL;

    while ((at = strstr(at, "id: "))) {
        found = at += 4;
    }
    assert_non_null(found);
    return arena_cstr(&w->f.arena, (struct str){found, strcspn(found, "\n")});
}

/* --- tests ---------------------------------------------------------------------------------------------------------------------- */

static void a_client_hears_what_happens_from_now_on(void **state)
{
    AUTO_WORLD struct api_world w;
    AUTO_CLIENT struct client client;
    const char *text;

    (void)state;
    world_open(&w);
    open_client(&w, "/api/crm/events", NULL, &client);
    text = text_of(&w, &client);
    EXPECT(strstr(text, "event: ready\nid: 1-2-2\n") == text && !strstr(text, "record."), "%s",
           text);
    edit_of(&w, 0, "Ada");
    edit_of(&w, 1, TAINT);
    text = text_of(&w, &client);
    EXPECT(strstr(text, "event: record.updated\nid: 1-3-2\n") &&
               strstr(text, "\"changed\":[\"first_name\"]") && !strstr(text, "Ada"),
           "names by default: %s", text);
    EXPECT(!strstr(text, TAINT), "nothing of another tenant: %s", text);
}

static void it_goes_on_where_it_was(void **state)
{
    AUTO_WORLD struct api_world w;
    AUTO_CLIENT struct client first, second, again;
    const char *id, *text;

    (void)state;
    world_open(&w);
    open_client(&w, "/api/crm/events?fields=all", NULL, &first);
    edit_of(&w, 0, "Ada");
    id = last_id(&w, text_of(&w, &first));
    edit_of(&w, 0, "Bea");
    edit_of(&w, 0, "Cyd");
    open_client(&w, "/api/crm/events?fields=all", id, &second);
    text = text_of(&w, &second);
    EXPECT(!strstr(text, "Ada") && strstr(text, "Bea") && strstr(text, "Cyd"), "%s", text);
    id = last_id(&w, text);
    open_client(&w, "/api/crm/events?fields=all", id, &again);
    EXPECT(!strstr(text_of(&w, &again), "record."), "nothing twice");
}

static void who_cannot_go_on_is_told(void **state)
{
    static const struct retention RETENTION = {.journal_ms = 24 * 60 * 60 * 1000};
    static const char *const IDS[] = {"nonsense", "1-2", "9-2-0", "1-99-0", "1-2-0"};
    AUTO_WORLD struct api_world w;
    struct pruned pruned = {0};

    (void)state;
    world_open(&w);
    for (int i = 0; i < 3; i++) {
        edit_of(&w, 0, "Ada");
    }
    clock_wait_ms(w.f.env.clock, INT64_C(40) * 24 * 60 * 60 * 1000);
    end_conflict(&w);
    MUST(&w.f, retention_prune(w.f.store, w.data[0].id, &RETENTION, false, &pruned, &w.f.err));
    EXPECT(pruned.journal >= 2, "some went");
    for (size_t i = 0; i < COUNT_OF(IDS); i++) {
        AUTO_CLIENT struct client client;
        const char *text;

        open_client(&w, "/api/crm/events", IDS[i], &client);
        text = text_of(&w, &client);
        EXPECT(strstr(text, "event: reset\nid: 1-5-") == text && strstr(text, "reason"), "%s: %s",
               IDS[i], text);
    }
}

static void filters_are_read(void **state)
{
    static const struct {
        const char *target;
        int status;
    } rows[] = {
        {"/api/crm/events?types=record.made", 400},
        {"/api/crm/events?kinds=person", 400},
        {"/api/crm/events?fields=some", 400},
        {"/api/crm/events?since=1", 400},
    };
    AUTO_WORLD struct api_world w;
    AUTO_CLIENT struct client types, kinds, all;
    const char *text;

    (void)state;
    world_open(&w);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        EXPECT(world_status(&w, TOKEN_VIEWER, HTTP_GET, rows[i].target, NULL) == rows[i].status,
               "%s", rows[i].target);
    }
    open_client(&w, "/api/crm/events?types=record.deleted,record.merged", NULL, &types);
    open_client(&w, "/api/crm/events?kinds=company", NULL, &kinds);
    open_client(&w, "/api/crm/events?kinds=company,contact&fields=all", NULL, &all);
    edit_of(&w, 0, "Ada");
    EXPECT(!strstr(text_of(&w, &types), "record."), "another type");
    EXPECT(!strstr(text_of(&w, &kinds), "record."), "another kind");
    text = text_of(&w, &all);
    EXPECT(strstr(text, "\"values\":{\"first_name\":\"Ada\"}"), "%s", text);
}

/* More than a stream holds comes piece by piece; who takes nothing is let go, and goes on later. */
static void a_slow_reader_loses_nothing(void **state)
{
    enum { MANY = 400 };
    AUTO_WORLD struct api_world w;
    AUTO_CLIENT struct client slow, later;
    const char *id;
    bool is_ended;
    size_t count = 0;

    (void)state;
    world_open(&w);
    open_client(&w, "/api/crm/events", NULL, &slow);
    id = last_id(&w, text_of(&w, &slow));
    for (int i = 0; i < MANY; i++) {
        edit_of(&w, 0, "Ada");
    }
    step(&w);
    EXPECT(http_stream_unsent(slow.response.stream) < HTTP_STREAM_UNSENT_BYTES_MAX, "bounded");
    clock_wait_ms(w.f.env.clock, FOLLOWER_STALLED_MS / 2);
    step(&w);
    EXPECT(hear(&slow, &is_ended) && !is_ended, "patience");
    for (int i = 0; i < 3; i++) {
        step(&w);
        clock_wait_ms(w.f.env.clock, FOLLOWER_STALLED_MS);
    }
    EXPECT(!hear(&slow, &is_ended), "its connection is closed");
    open_client(&w, "/api/crm/events", id, &later);
    for (int i = 0; i < 100; i++) {
        text_of(&w, &later);
    }
    for (const char *at = text_of(&w, &later); (at = strstr(at, "event: record.updated")); at++) {
        count++;
    }
    EXPECT(count == MANY, "%zu", count);
}

static void large_values_are_left_out(void **state)
{
    AUTO_WORLD struct api_world w;
    AUTO_CLIENT struct client client;
    char *large = alloc_new(FOLLOWER_EVENT_BYTES_MAX + 1, 1);
    const char *text;

    (void)state;
    world_open(&w);
    memset(large, 'x', FOLLOWER_EVENT_BYTES_MAX);
    open_client(&w, "/api/crm/events?fields=all", NULL, &client);
    edit_of(&w, 0, large);
    edit_of(&w, 0, "Ada");
    text = text_of(&w, &client);
    EXPECT(!strstr(text, "xxxx") && strstr(text, "id: 1-3-2\n") && strstr(text, "Ada"), "%.500s",
           text);
    free(large);
}

/* Each fits, all of them together do not. */
static void several_large_ones_come_one_after_the_other(void **state)
{
    enum { SEVERAL = 8 };
    AUTO_WORLD struct api_world w;
    AUTO_CLIENT struct client client;
    char *large = alloc_new(FOLLOWER_EVENT_BYTES_MAX / 2 + 1, 1);
    size_t count = 0;

    (void)state;
    world_open(&w);
    memset(large, 'x', FOLLOWER_EVENT_BYTES_MAX / 2);
    open_client(&w, "/api/crm/events?fields=all", NULL, &client);
    for (int i = 0; i < SEVERAL; i++) {
        edit_of(&w, 0, large);
    }
    for (int i = 0; i < SEVERAL; i++) {
        text_of(&w, &client);
    }
    for (const char *at = text_of(&w, &client); (at = strstr(at, "\"values\":{")); at++) {
        count++;
    }
    EXPECT(count == SEVERAL, "%zu", count);
    free(large);
}

static void nobody_follows_for_ever(void **state)
{
    AUTO_WORLD struct api_world w;
    AUTO_CLIENT struct client old, revoked;
    struct fixture *f = &w.f;
    bool found;

    (void)state;
    world_open(&w);
    open_client(&w, "/api/crm/events", NULL, &old);
    text_of(&w, &old);
    clock_wait_ms(f->env.clock, FOLLOWER_LIFE_MS);
    EXPECT(is_over(&w, &old), "a quarter of an hour");
    open_client(&w, "/api/crm/events", NULL, &revoked);
    text_of(&w, &revoked);
    fixture_begin(f);
    MUST(f, api_token_revoke(f->tx, STR("viewer"), &found, &f->err));
    assert_true(found);
    fixture_commit(f);
    edit_of(&w, 0, "Ada");
    clock_wait_ms(f->env.clock, FOLLOWER_TOKEN_MS);
    EXPECT(is_over(&w, &revoked), "a revoked token ends its streams");
    EXPECT(!strstr(arena_cstr(&f->arena, buf_str(&revoked.text)), "record."), "and hears nothing");
}

static void there_is_room_for_so_many(void **state)
{
    AUTO_WORLD struct api_world w;
    struct client *clients = alloc_new(FOLLOWERS_MAX, sizeof *clients);

    (void)state;
    world_open(&w);
    for (int i = 0; i < FOLLOWERS_MAX; i++) {
        clock_wait_ms(w.f.env.clock, 100); /* within the rate of the token */
        open_client(&w, "/api/crm/events", NULL, &clients[i]);
    }
    clock_wait_ms(w.f.env.clock, 100);
    EXPECT(world_status(&w, TOKEN_VIEWER, HTTP_GET, "/api/crm/events", NULL) == 429, "one more");
    close_client(&clients[0]);
    step(&w);
    clock_wait_ms(w.f.env.clock, 100);
    open_client(&w, "/api/crm/events", NULL, &clients[0]);
    for (int i = 0; i < FOLLOWERS_MAX; i++) {
        close_client(&clients[i]);
    }
    free(clients);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_client_hears_what_happens_from_now_on),
        cmocka_unit_test(it_goes_on_where_it_was),
        cmocka_unit_test(who_cannot_go_on_is_told),
        cmocka_unit_test(filters_are_read),
        cmocka_unit_test(a_slow_reader_loses_nothing),
        cmocka_unit_test(large_values_are_left_out),
        cmocka_unit_test(several_large_ones_come_one_after_the_other),
        cmocka_unit_test(nobody_follows_for_ever),
        cmocka_unit_test(there_is_room_for_so_many),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
