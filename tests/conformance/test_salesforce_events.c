/* The Salesforce adapter's listings by change events against the simulator's door for them: what they see, what they cost, where they go on
 * after a crash, and what happens when there are no events to be had. */
#include "tests/conformance/salesforce_bench.h"

#include <stdlib.h>

enum { MINUTE_MS = 60 * 1000, HOUR_MS = 60 * MINUTE_MS };

static const struct str NAMES[] = {{.at = "LastName", .len = 8}, {.at = "Phone", .len = 5}};

/* A listing to its end. seen: id → state of its last record. */
struct listing {
    json_t *seen;
    size_t rows, pages;
    int64_t calls;
};

static struct listing list_of(struct bench *b, const char *kind, enum list_mode mode,
                              const struct str *properties, size_t count, struct str *cursor)
{
    struct listing listing = {.seen = jx_own(&b->arena, json_object())};
    struct list_request request = {.kind = kind,
                                   .mode = mode,
                                   .properties = properties,
                                   .properties_count = count,
                                   .cursor = *cursor};
    int64_t before = calls_so_far(b);
    struct remote_page page = {.has_more = true};

    while (page.has_more) {
        AUTO_ARENA struct arena arena = {0};

        page = (struct remote_page){0};
        if (b->adapter->list(b->session, &request, &arena, &page, &b->err) != OK) {
            fail_msg("%s", b->err.message);
        }
        assert_true(page.cursor.len < ADAPTER_CURSOR_BYTES_MAX);
        for (size_t i = 0; i < page.count; i++) {
            json_object_setn_new(listing.seen, page.records[i].remote_id.at,
                                 page.records[i].remote_id.len,
                                 json_integer(page.records[i].state));
        }
        listing.rows += page.count;
        assert_true(++listing.pages < 100);
        request.cursor = arena_str(&b->arena, page.cursor);
    }
    *cursor = request.cursor;
    listing.calls = calls_so_far(b) - before;
    return listing;
}

static struct listing changed(struct bench *b, struct str *cursor)
{
    return list_of(b, "contact", LIST_CHANGED, NAMES, COUNT_OF(NAMES), cursor);
}

static int state_of(const struct listing *listing, struct str id)
{
    const json_t *state = json_object_getn(listing->seen, id.at, id.len);

    return state ? (int)json_integer_value(state) : -1;
}

static struct str contact(struct bench *b, const char *set)
{
    return edit(b, "Contact", STR(""), set);
}

static void order(struct bench *b, const char *body)
{
    ask(b, HTTP_POST, "/__sim/events", body);
}

static void open_by_events(struct bench *b, const struct simulator_options *options)
{
    bench_open(b, options);
    b->wants_events = true;
    open_session(b);
    order(b, "{\"selected\":[\"Account\",\"Contact\",\"Opportunity\",\"OpportunityContactRole\","
             "\"Task\",\"Event\"]}");
}

/* What was there before has been listed, and events are heard from here on. */
static void settle(struct bench *b, struct str *cursor)
{
    changed(b, cursor);
    clock_wait_ms(b->env.clock, 20 * MINUTE_MS);
    changed(b, cursor);
    assert_non_null(strstr(cursor->at, "\"replay\""));
}

/* What people are told. */
static FILE *listen(struct bench *b)
{
    FILE *said = tmpfile();

    b->env.log = log_new(said, LOG_FORM_JSON, LOG_INFO, b->env.clock);
    return said;
}

static int times_said(struct bench *b, FILE *said, const char *words)
{
    char line[2048];
    int count = 0;

    rewind(said);
    while (fgets(line, sizeof line, said)) {
        count += strstr(line, "changes are polled") && strstr(line, words);
    }
    (void)b;
    return count;
}

static void stop_listening(struct bench *b, FILE *said)
{
    log_free(b->env.log);
    b->env.log = NULL;
    fclose(said);
}

/* --- what they see and cost ------------------------------------------------------------------- */

static void test_an_edit_is_read_by_its_id(void **state)
{
    struct str cursor = STR(""), ray, may;
    struct listing listing;
    struct bench b;

    (void)state;
    open_by_events(&b, &(const struct simulator_options){0});
    ray = contact(&b, "{\"LastName\":\"Ray\"}");
    may = contact(&b, "{\"LastName\":\"May\"}");
    settle(&b, &cursor);
    edit(&b, "Contact", ray, "{\"Phone\":\"030 1\"}");
    listing = changed(&b, &cursor);
    assert_int_equal(listing.rows, 1);
    assert_int_equal(state_of(&listing, ray), REMOTE_LIVE);
    assert_int_equal(state_of(&listing, may), -1);
    assert_int_equal(listing.calls, 3); /* what is new, what it is, nothing more */
    assert_int_equal(changed(&b, &cursor).rows, 0);
    bench_close(&b);
}

/* Of the day's calls a quiet look takes none; of calls at all, one for each kind, and none for the deletion log. */
static void test_a_quiet_look_costs_less(void **state)
{
    static const char *const KINDS[] = {"company", "contact", "deal", "activity"};
    static const struct str PEOPLE[] = {{.at = SF_DEAL_CONTACTS, .len = 13}};
    struct str cursors[COUNT_OF(KINDS)], logs[COUNT_OF(KINDS)];
    int64_t calls = 0;
    struct bench b;

    (void)state;
    open_by_events(&b, &(const struct simulator_options){
                           .seed = 4, .records = 50, .deals = 20, .activities = 20});
    for (int round = 0; round < 3; round++) {
        calls = 0;
        for (size_t i = 0; i < COUNT_OF(KINDS); i++) {
            size_t count = strcmp(KINDS[i], "deal") == 0;

            cursors[i] = round ? cursors[i] : STR("");
            logs[i] = round ? logs[i] : STR("");
            calls += list_of(&b, KINDS[i], LIST_CHANGED, PEOPLE, count, &cursors[i]).calls;
            calls += list_of(&b, KINDS[i], LIST_DELETED, PEOPLE, count, &logs[i]).calls;
        }
        clock_wait_ms(b.env.clock, 20 * MINUTE_MS);
    }
    assert_int_equal(calls, 1 + COUNT_OF(KINDS)); /* who we are, and each kind */
    bench_close(&b);
}

/* A person's changes of every sort end the same by either way. */
static void test_both_ways_see_the_same(void **state)
{
    struct str by_events = STR(""), by_polling = STR(""), ids[6];
    struct session *events;
    struct listing heard, polled;
    const char *id;
    struct bench b;
    json_t *value;

    (void)state;
    open_by_events(&b, &(const struct simulator_options){0});
    for (size_t i = 0; i < COUNT_OF(ids); i++) {
        ids[i] = contact(&b, arena_printf(&b.arena, "{\"LastName\":\"Ray %zu\"}", i).at);
    }
    settle(&b, &by_events);
    events = b.session;
    b.session = NULL;
    b.wants_events = false;
    open_session(&b);
    changed(&b, &by_polling);
    clock_wait_ms(b.env.clock, 20 * MINUTE_MS);
    changed(&b, &by_polling);
    edit(&b, "Contact", ids[0], "{\"Phone\":\"030 1\"}");
    delete_there(&b, "Contact", ids[1]);
    delete_there(&b, "Contact", ids[2]);
    ask(&b, HTTP_POST, "/__sim/restore",
        arena_printf(&b.arena, "{\"object\":\"Contact\",\"id\":\"%" PRI_STR "\"}", STR_ARG(ids[2]))
            .at);
    ask(&b, HTTP_POST, "/__sim/merge",
        arena_printf(&b.arena,
                     "{\"object\":\"Contact\",\"from\":\"%" PRI_STR "\",\"into\":\"%" PRI_STR "\"}",
                     STR_ARG(ids[3]), STR_ARG(ids[4]))
            .at);
    polled = changed(&b, &by_polling);
    b.adapter->close(b.session);
    b.session = events;
    heard = changed(&b, &by_events);
    assert_int_equal(state_of(&heard, ids[1]), REMOTE_GONE);
    assert_int_equal(state_of(&heard, ids[2]), REMOTE_LIVE);
    assert_int_equal(state_of(&heard, ids[3]), REMOTE_MERGED);
    assert_int_equal(json_object_size(heard.seen), 5);
    json_object_foreach(polled.seen, id, value)
    {
        assert_int_equal(state_of(&heard, str_of(id)), json_integer_value(value));
    }
    bench_close(&b);
}

static void test_what_left_the_bin_is_gone(void **state)
{
    struct str cursor = STR(""), id;
    struct listing listing;
    struct bench b;

    (void)state;
    open_by_events(&b, &(const struct simulator_options){0});
    id = contact(&b, "{\"LastName\":\"Ray\"}");
    settle(&b, &cursor);
    delete_there(&b, "Contact", id);
    ask(&b, HTTP_POST, "/__sim/empty",
        arena_printf(&b.arena, "{\"id\":\"%" PRI_STR "\"}", STR_ARG(id)).at);
    listing = changed(&b, &cursor);
    assert_int_equal(state_of(&listing, id), REMOTE_GONE);
    bench_close(&b);
}

static void test_many_changes_come_in_pages(void **state)
{
    struct str cursor = STR("");
    struct listing listing;
    struct bench b;

    (void)state;
    open_by_events(&b, &(const struct simulator_options){0});
    settle(&b, &cursor);
    for (int i = 0; i < 450; i++) {
        contact(&b, arena_printf(&b.arena, "{\"LastName\":\"Ray %d\"}", i).at);
    }
    listing = changed(&b, &cursor);
    assert_int_equal(json_object_size(listing.seen), 450);
    assert_true(listing.pages >= 3);
    bench_close(&b);
}

/* Both objects of a kind, and what a deal's people are. */
static void test_each_object_has_its_channel(void **state)
{
    static const struct str PEOPLE[] = {{.at = SF_DEAL_CONTACTS, .len = 13}};
    struct str deals = STR(""), work = STR(""), deal, task, event, person;
    struct listing listing;
    struct bench b;

    (void)state;
    open_by_events(&b, &(const struct simulator_options){0});
    person = contact(&b, "{\"LastName\":\"Ray\"}");
    deal =
        edit(&b, "Opportunity", STR(""),
             "{\"Name\":\"Harbour\",\"StageName\":\"Prospecting\",\"CloseDate\":\"2026-08-01\"}");
    for (int i = 0; i < 2; i++) {
        list_of(&b, "deal", LIST_CHANGED, PEOPLE, 1, &deals);
        list_of(&b, "activity", LIST_CHANGED, NULL, 0, &work);
        clock_wait_ms(b.env.clock, 20 * MINUTE_MS);
    }
    edit(&b, SF_ROLE, STR(""),
         arena_printf(&b.arena,
                      "{\"OpportunityId\":\"%" PRI_STR "\",\"ContactId\":\"%" PRI_STR "\"}",
                      STR_ARG(deal), STR_ARG(person))
             .at);
    task = edit(&b, SF_TASK, STR(""), "{\"Subject\":\"Call back\"}");
    event = edit(&b, SF_EVENT, STR(""),
                 "{\"Subject\":\"Visit\",\"StartDateTime\":\"2026-08-01T08:00:00.000Z\","
                 "\"DurationInMinutes\":30,\"ActivityDateTime\":\"2026-08-01T08:00:00.000Z\"}");
    listing = list_of(&b, "deal", LIST_CHANGED, PEOPLE, 1, &deals);
    assert_int_equal(state_of(&listing, deal), REMOTE_LIVE);
    assert_int_equal(listing.rows, 1);
    listing = list_of(&b, "activity", LIST_CHANGED, NULL, 0, &work);
    assert_int_equal(state_of(&listing, task), REMOTE_LIVE);
    assert_int_equal(state_of(&listing, event), REMOTE_LIVE);
    bench_close(&b);
}

static void test_custom_objects_have_channels_too(void **state)
{
    static const struct adapter_object SHIP = {"ship", "Ship__c", "ship", OBJECT_UNIQUE_KEY};
    struct str cursor = STR(""), ship;
    struct listing listing;
    struct bench b;

    (void)state;
    bench_open(&b, &(const struct simulator_options){0});
    ask(&b, HTTP_POST, "/services/data/v66.0/tooling/sobjects/CustomObject",
        "{\"FullName\":\"Ship__c\",\"Metadata\":{\"label\":\"Ship\",\"pluralLabel\":\"Ships\","
        "\"nameField\":{\"type\":\"Text\",\"label\":\"Ship Name\"},\"deploymentStatus\":"
        "\"Deployed\",\"sharingModel\":\"ReadWrite\"}}");
    order(&b, "{\"selected\":[\"Ship__c\"]}");
    b.wants_events = true;
    b.objects = &SHIP;
    b.objects_count = 1;
    open_session(&b);
    ship = edit(&b, "Ship__c", STR(""), "{\"Name\":\"Ada\"}");
    for (int i = 0; i < 2; i++) {
        list_of(&b, "ship", LIST_CHANGED, NULL, 0, &cursor);
        clock_wait_ms(b.env.clock, 20 * MINUTE_MS);
    }
    edit(&b, "Ship__c", ship, "{\"Name\":\"Grace\"}");
    listing = list_of(&b, "ship", LIST_CHANGED, NULL, 0, &cursor);
    assert_int_equal(listing.rows, 1);
    assert_int_equal(state_of(&listing, ship), REMOTE_LIVE);
    assert_non_null(strstr(cursor.at, "Ship__c"));
    bench_close(&b);
}

/* --- our own writes --------------------------------------------------------------------------- */

static void write_phone(struct bench *b, struct str id, const char *phone)
{
    json_t *props = jx_own(&b->arena, json_pack("{s:s}", "Phone", phone));
    struct write_item item = {.remote_id = id, .props = props};

    assert_int_equal(b->adapter->upsert(b->session, "contact", &b->arena, &item, 1, &b->err), OK);
    assert_int_equal(item.outcome, WRITE_DONE);
}

/* The same call as ours, with something that we never wrote: what automation does in our transaction looks like that. */
static void write_behind_our_back(struct bench *b, struct str id, const char *client,
                                  const char *set)
{
    struct http_request request = {.method = HTTP_PATCH, .body = str_of(set)};
    struct http_response response = {0};

    request.url =
        arena_printf(&b->arena, "/services/data/v66.0/sobjects/Contact/%" PRI_STR, STR_ARG(id));
    http_header_add(&request.headers, STR("Authorization"),
                    arena_printf(&b->arena, "Bearer %" PRI_STR, STR_ARG(secret_expose(&b->token))));
    http_header_add(&request.headers, STR("Content-Type"), STR("application/json"));
    http_header_add(&request.headers, STR("Sforce-Call-Options"), str_of(client));
    simulator_handle(b->simulator, &request, &response);
    assert_int_equal(response.status, 204);
    http_response_fini(&response);
}

static void test_what_we_wrote_is_not_read_again(void **state)
{
    struct str cursor = STR(""), id;
    struct listing listing;
    struct bench b;

    (void)state;
    open_by_events(&b, &(const struct simulator_options){0});
    id = contact(&b, "{\"LastName\":\"Ray\"}");
    settle(&b, &cursor);
    write_phone(&b, id, "030 2");
    listing = changed(&b, &cursor);
    assert_int_equal(listing.rows, 0);
    assert_int_equal(listing.calls, 2); /* what is new, nothing more */
    bench_close(&b);
}

/* A write whose event has not come yet. */
static void write_unheard(struct bench *b, struct str id, const char *phone)
{
    order(b, "{\"selected\":[]}");
    write_phone(b, id, phone);
    order(b, "{\"selected\":[\"Contact\"]}");
}

static void test_what_only_looks_like_ours_is_read(void **state)
{
    static const struct {
        const char *client, *set;
    } CASES[] = {
        {"client=crmsync", "{\"Phone\":\"030 9\"}"},                  /* another value */
        {"client=crmsync", "{\"Phone\":\"030 2\",\"Title\":\"Dr\"}"}, /* another field beside it */
        {"client=crmsync", "{\"Phone\":null}"},                       /* emptied */
        {"client=crmsync-two", "{\"Phone\":\"030 2\"}"},              /* somebody else's */
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct str cursor = STR(""), id;
        struct listing listing;
        struct bench b;

        open_by_events(&b, &(const struct simulator_options){0});
        id = contact(&b, "{\"LastName\":\"Ray\",\"Phone\":\"030 1\"}");
        settle(&b, &cursor);
        write_unheard(&b, id, "030 2");
        order(&b, "{\"selected\":[]}");
        edit(&b, "Contact", id, "{\"Phone\":\"030 1\"}");
        order(&b, "{\"selected\":[\"Contact\"]}");
        write_behind_our_back(&b, id, CASES[i].client, CASES[i].set);
        listing = changed(&b, &cursor);
        if (state_of(&listing, id) != REMOTE_LIVE) {
            fail_msg("case %zu was not read", i);
        }
        bench_close(&b);
    }
}

/* What was noted of a write counts for its own event, and not any more once the object was read again: the same value set later by somebody
 * of our name is news. */
static void test_what_was_noted_counts_once(void **state)
{
    (void)state;
    for (int heard = 0; heard < 2; heard++) {
        struct str cursor = STR(""), id;
        struct bench b;

        open_by_events(&b, &(const struct simulator_options){0});
        id = contact(&b, "{\"LastName\":\"Ray\"}");
        settle(&b, &cursor);
        (heard ? write_phone : write_unheard)(&b, id, "030 2");
        edit(&b, "Contact", id, "{\"Phone\":\"030 3\"}");
        assert_int_equal(changed(&b, &cursor).rows, 1);
        write_behind_our_back(&b, id, "client=crmsync", "{\"Phone\":\"030 2\"}");
        assert_int_equal(changed(&b, &cursor).rows, 1);
        bench_close(&b);
    }
}

/* Somebody's change went by without an event, and then the value of ours that was heard of before is set again. */
static void test_an_echo_is_known_once(void **state)
{
    struct str cursor = STR(""), id;
    struct bench b;

    (void)state;
    open_by_events(&b, &(const struct simulator_options){0});
    id = contact(&b, "{\"LastName\":\"Ray\"}");
    settle(&b, &cursor);
    write_phone(&b, id, "030 2");
    assert_int_equal(changed(&b, &cursor).rows, 0);
    order(&b, "{\"selected\":[]}");
    edit(&b, "Contact", id, "{\"Phone\":\"030 3\"}");
    order(&b, "{\"selected\":[\"Contact\"]}");
    write_behind_our_back(&b, id, "client=crmsync", "{\"Phone\":\"030 2\"}");
    assert_int_equal(changed(&b, &cursor).rows, 1);
    bench_close(&b);
}

/* --- where they go on ------------------------------------------------------------------------- */

/* A page that was read and not committed comes again, in the same process and in the next one. */
static void test_what_was_not_committed_comes_again(void **state)
{
    struct str cursor = STR(""), before, id;
    struct listing listing;
    struct bench b;

    (void)state;
    open_by_events(&b, &(const struct simulator_options){0});
    id = contact(&b, "{\"LastName\":\"Ray\"}");
    settle(&b, &cursor);
    edit(&b, "Contact", id, "{\"Phone\":\"030 1\"}");
    before = cursor;
    changed(&b, &cursor);
    cursor = before;
    listing = changed(&b, &cursor);
    assert_int_equal(state_of(&listing, id), REMOTE_LIVE);
    cursor = before;
    open_session(&b);
    listing = changed(&b, &cursor);
    assert_int_equal(state_of(&listing, id), REMOTE_LIVE);
    bench_close(&b);
}

/* The page's cursor is behind the events only when their objects were read. */
static void test_a_failed_reading_loses_nothing(void **state)
{
    struct str cursor = STR(""), id;
    struct list_request request = {.kind = "contact",
                                   .mode = LIST_CHANGED,
                                   .properties = NAMES,
                                   .properties_count = COUNT_OF(NAMES)};
    struct remote_page page = {0};
    struct listing listing;
    struct bench b;

    (void)state;
    open_by_events(&b, &(const struct simulator_options){0});
    id = contact(&b, "{\"LastName\":\"Ray\"}");
    settle(&b, &cursor);
    edit(&b, "Contact", id, "{\"Phone\":\"030 1\"}");
    ask(&b, HTTP_POST, "/__sim/faults",
        "{\"rules\":[{\"fault\":\"server_error\",\"path\":\"/query\",\"from_call\":1,\"count\":50}]"
        "}");
    request.cursor = cursor;
    assert_int_not_equal(b.adapter->list(b.session, &request, &b.arena, &page, &b.err), OK);
    ask(&b, HTTP_POST, "/__sim/faults", "{}");
    error_reset(&b.err);
    clock_wait_ms(b.env.clock, 10 * MINUTE_MS);
    listing = changed(&b, &cursor);
    assert_int_equal(state_of(&listing, id), REMOTE_LIVE);
    bench_close(&b);
}

/* The setting may change at any time, and each way goes on where the other stood. */
static void test_the_setting_may_change(void **state)
{
    struct str cursor = STR("");
    struct bench b;

    (void)state;
    open_by_events(&b, &(const struct simulator_options){0});
    for (int round = 0; round < 8; round++) {
        struct str id = contact(&b, arena_printf(&b.arena, "{\"LastName\":\"%d\"}", round).at);
        struct listing listing;

        b.wants_events = round & 2;
        open_session(&b);
        listing = changed(&b, &cursor);
        if (state_of(&listing, id) != REMOTE_LIVE) {
            fail_msg("round %d: the contact was not listed", round);
        }
        clock_wait_ms(b.env.clock, 20 * MINUTE_MS);
    }
    bench_close(&b);
}

/* After three days without a look the place is not kept any more. */
static void test_a_lost_place_is_caught_up(void **state)
{
    struct str cursor = STR(""), id;
    struct listing listing;
    struct bench b;

    (void)state;
    open_by_events(&b, &(const struct simulator_options){0});
    id = contact(&b, "{\"LastName\":\"Ray\"}");
    settle(&b, &cursor);
    edit(&b, "Contact", id, "{\"Phone\":\"030 1\"}");
    clock_wait_ms(b.env.clock, (int64_t)80 * HOUR_MS);
    listing = changed(&b, &cursor);
    assert_int_equal(state_of(&listing, id), REMOTE_LIVE);
    clock_wait_ms(b.env.clock, 5 * MINUTE_MS);
    changed(&b, &cursor); /* the place is lost */
    clock_wait_ms(b.env.clock, 5 * MINUTE_MS);
    edit(&b, "Contact", id, "{\"Phone\":\"030 2\"}");
    listing = changed(&b, &cursor);
    assert_int_equal(state_of(&listing, id), REMOTE_LIVE);
    assert_int_equal(listing.rows, 1);
    assert_int_equal(listing.calls, 4); /* by events again, as a new client */
    bench_close(&b);
}

/* A place that the bus never had, within the hour of the last query. */
static void test_an_unknown_place_is_caught_up(void **state)
{
    struct str cursor = STR(""), id;
    struct listing listing;
    struct bench b;
    json_t *tree;

    (void)state;
    open_by_events(&b, &(const struct simulator_options){0});
    id = contact(&b, "{\"LastName\":\"Ray\"}");
    settle(&b, &cursor);
    assert_int_equal(jx_parse(&b.arena, cursor, &tree, &b.err), OK);
    json_object_set_new(jx_get(tree, "replay"), "Contact", json_integer(17));
    cursor = jx_text(&b.arena, tree);
    edit(&b, "Contact", id, "{\"Phone\":\"030 1\"}");
    listing = changed(&b, &cursor);
    assert_int_equal(state_of(&listing, id), REMOTE_LIVE);
    assert_null(strstr(cursor.at, "\"Contact\":17"));
    bench_close(&b);
}

/* --- when events say too little ---------------------------------------------------------------- */

static void test_a_gap_is_read_and_an_overflow_is_caught_up(void **state)
{
    struct str cursor = STR(""), gap, over;
    struct listing listing;
    struct bench b;

    (void)state;
    open_by_events(&b, &(const struct simulator_options){0});
    gap = contact(&b, "{\"LastName\":\"Gap\"}");
    over = contact(&b, "{\"LastName\":\"Over\"}");
    settle(&b, &cursor);
    order(&b, arena_printf(&b.arena, "{\"gap\":{\"object\":\"Contact\",\"id\":\"%" PRI_STR "\"}}",
                           STR_ARG(gap))
                  .at);
    listing = changed(&b, &cursor);
    assert_int_equal(state_of(&listing, gap), REMOTE_LIVE);
    assert_int_equal(state_of(&listing, over), -1);
    order(&b, "{\"selected\":[]}");
    edit(&b, "Contact", over, "{\"Phone\":\"030 1\"}");
    order(&b, "{\"selected\":[\"Contact\"]}");
    order(&b, "{\"overflow\":{\"object\":\"Contact\"}}");
    listing = changed(&b, &cursor);
    assert_int_equal(state_of(&listing, over), REMOTE_LIVE);
    bench_close(&b);
}

/* Events are no guarantee: within the hour a query finds what they did not tell. */
static void test_what_no_event_told_is_found_within_the_hour(void **state)
{
    struct str cursor = STR(""), id;
    struct listing listing;
    struct bench b;

    (void)state;
    open_by_events(&b, &(const struct simulator_options){0});
    id = contact(&b, "{\"LastName\":\"Ray\"}");
    settle(&b, &cursor);
    order(&b, "{\"selected\":[]}");
    edit(&b, "Contact", id, "{\"Phone\":\"030 1\"}");
    clock_wait_ms(b.env.clock, 61 * MINUTE_MS);
    listing = changed(&b, &cursor);
    assert_int_equal(state_of(&listing, id), REMOTE_LIVE);
    bench_close(&b);
}

/* --- when there are none ------------------------------------------------------------------------ */

/* Whatever the door does, the listing has the change. told: what people hear once, NULL nothing. anew: the trouble meets those who come in. */
static void see_through(const char *trouble, const char *told, bool anew)
{
    struct str cursor = STR(""), id;
    struct listing listing;
    struct bench b;
    FILE *said;

    open_by_events(&b, &(const struct simulator_options){0});
    said = listen(&b);
    id = contact(&b, "{\"LastName\":\"Ray\"}");
    settle(&b, &cursor);
    order(&b, trouble);
    if (anew) {
        open_session(&b);
    }
    edit(&b, "Contact", id, "{\"Phone\":\"030 1\"}");
    for (int i = 0; i < 3; i++) {
        listing = changed(&b, &cursor);
        if (i == 0 && (state_of(&listing, id) != REMOTE_LIVE)) {
            fail_msg("%s: the change was not listed", trouble);
        }
        assert_non_null(strstr(cursor.at, "\"replay\""));
    }
    assert_int_equal(times_said(&b, said, ""), told ? 1 : 0);
    assert_int_equal(times_said(&b, said, told ? told : ""), told ? 1 : 0);
    order(&b, "{\"busy\":0,\"delivered_max\":100000,\"clients_max\":20}");
    clock_wait_ms(b.env.clock, 6 * MINUTE_MS);
    edit(&b, "Contact", id, "{\"Phone\":\"030 2\"}");
    listing = changed(&b, &cursor);
    assert_int_equal(state_of(&listing, id), REMOTE_LIVE);
    stop_listening(&b, said);
    bench_close(&b);
}

static void test_each_failure_of_the_door(void **state)
{
    (void)state;
    see_through("{\"forget_clients\":true}", NULL, false);
    see_through("{\"disconnect\":true}", NULL, false);
    see_through("{\"busy\":1000}", "too busy", false);
    see_through("{\"busy\":1000}", "too busy", true);
    see_through("{\"delivered_max\":1}", "daily limit", true);
}

static void test_too_many_clients_is_no_failure(void **state)
{
    struct str cursor = STR(""), id;
    struct listing listing;
    struct bench b;
    FILE *said;

    (void)state;
    open_by_events(&b, &(const struct simulator_options){0});
    said = listen(&b);
    id = contact(&b, "{\"LastName\":\"Ray\"}");
    settle(&b, &cursor);
    order(&b, "{\"clients_max\":1}");
    open_session(&b); /* the first one's client is still known there */
    edit(&b, "Contact", id, "{\"Phone\":\"030 1\"}");
    listing = changed(&b, &cursor);
    assert_int_equal(state_of(&listing, id), REMOTE_LIVE);
    assert_int_equal(times_said(&b, said, "concurrent"), 1);
    stop_listening(&b, said);
    bench_close(&b);
}

/* A lost answer may have held events: they are asked for again from the cursor's place. */
static void test_a_lost_answer_loses_no_event(void **state)
{
    static const char *const FAULTS[] = {"reset", "timeout_after_apply", "truncate",
                                         "html",  "server_error",        "wrong_type"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(FAULTS); i++) {
        struct str cursor = STR(""), id;
        struct listing listing;
        struct bench b;

        open_by_events(&b, &(const struct simulator_options){0});
        id = contact(&b, "{\"LastName\":\"Ray\"}");
        settle(&b, &cursor);
        edit(&b, "Contact", id, "{\"Phone\":\"030 1\"}");
        ask(&b, HTTP_POST, "/__sim/faults",
            arena_printf(&b.arena,
                         "{\"rules\":[{\"fault\":\"%s\",\"path\":\"/cometd\",\"from_call\":1,"
                         "\"count\":20}]}",
                         FAULTS[i])
                .at);
        listing = changed(&b, &cursor);
        assert_int_equal(changed(&b, &cursor).calls, 1); /* the door is left alone for a while */
        ask(&b, HTTP_POST, "/__sim/faults", "{}");
        if (state_of(&listing, id) != REMOTE_LIVE) {
            fail_msg("%s: the change was not listed", FAULTS[i]);
        }
        bench_close(&b);
    }
}

static void test_what_is_not_selected_is_polled(void **state)
{
    struct str cursor = STR(""), id;
    struct listing listing;
    struct bench b;
    FILE *said;

    (void)state;
    open_by_events(&b, &(const struct simulator_options){0});
    said = listen(&b);
    order(&b, "{\"selected\":[\"Account\"]}");
    for (int i = 0; i < 3; i++) {
        id = contact(&b, "{\"LastName\":\"Ray\"}");
        listing = changed(&b, &cursor);
        assert_int_equal(state_of(&listing, id), REMOTE_LIVE);
        clock_wait_ms(b.env.clock, MINUTE_MS);
    }
    assert_int_equal(times_said(&b, said, "Change Data Capture"), 1);
    order(&b, "{\"selected\":[\"Contact\"]}");
    clock_wait_ms(b.env.clock, 61 * MINUTE_MS); /* until somebody looks */
    changed(&b, &cursor);
    id = contact(&b, "{\"LastName\":\"Ray\"}");
    listing = changed(&b, &cursor);
    assert_int_equal(state_of(&listing, id), REMOTE_LIVE);
    assert_non_null(strstr(cursor.at, "\"replay\""));
    stop_listening(&b, said);
    bench_close(&b);
}

static void test_who_may_not_see_the_selection_polls(void **state)
{
    struct str cursor = STR(""), id;
    struct listing listing;
    struct bench b;
    FILE *said;

    (void)state;
    open_by_events(&b, &(const struct simulator_options){.quirks = "no-customize"});
    said = listen(&b);
    for (int i = 0; i < 2; i++) {
        id = contact(&b, "{\"LastName\":\"Ray\"}");
        listing = changed(&b, &cursor);
        assert_int_equal(state_of(&listing, id), REMOTE_LIVE);
    }
    assert_int_equal(times_said(&b, said, "View Setup and Configuration"), 1);
    stop_listening(&b, said);
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_edit_is_read_by_its_id),
        cmocka_unit_test(test_a_quiet_look_costs_less),
        cmocka_unit_test(test_both_ways_see_the_same),
        cmocka_unit_test(test_what_left_the_bin_is_gone),
        cmocka_unit_test(test_many_changes_come_in_pages),
        cmocka_unit_test(test_each_object_has_its_channel),
        cmocka_unit_test(test_custom_objects_have_channels_too),
        cmocka_unit_test(test_what_we_wrote_is_not_read_again),
        cmocka_unit_test(test_what_only_looks_like_ours_is_read),
        cmocka_unit_test(test_what_was_noted_counts_once),
        cmocka_unit_test(test_an_echo_is_known_once),
        cmocka_unit_test(test_what_was_not_committed_comes_again),
        cmocka_unit_test(test_a_failed_reading_loses_nothing),
        cmocka_unit_test(test_the_setting_may_change),
        cmocka_unit_test(test_a_lost_place_is_caught_up),
        cmocka_unit_test(test_an_unknown_place_is_caught_up),
        cmocka_unit_test(test_a_gap_is_read_and_an_overflow_is_caught_up),
        cmocka_unit_test(test_what_no_event_told_is_found_within_the_hour),
        cmocka_unit_test(test_each_failure_of_the_door),
        cmocka_unit_test(test_too_many_clients_is_no_failure),
        cmocka_unit_test(test_a_lost_answer_loses_no_event),
        cmocka_unit_test(test_what_is_not_selected_is_polled),
        cmocka_unit_test(test_who_may_not_see_the_selection_polls),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
