/* An adapter in front of the simulator of its CRM, whose answers the input spoils. An input's parts (take_part) are: which function is called with what; a
 * cursor; then one part for each answer, in their order:
 *   =TEXT           the whole body is TEXT
 *   ~FROM~TO        the first FROM in the body becomes TO
 *   !404            the status
 *   ^NAME:VALUE     a header more
 *   anything else   as it is */
#ifndef CRMSYNC_TESTS_FUZZ_ADAPTER_H
#define CRMSYNC_TESTS_FUZZ_ADAPTER_H

#include "tests/fuzz/fuzz.h"

#include "adapters/adapter.h"
#include "core/jx.h"
#include "http/transport.h"
#include "simulators/simulator.h"

typedef enum fail simulator_new_fn(struct env *env, const struct simulator_options *options,
                                   struct simulator **ret, struct error *err);

struct fuzzed_kind {
    const char *kind;
    struct str properties[10]; /* ends with an empty one */
};

struct fuzzed_crm {
    const struct adapter *adapter;
    simulator_new_fn *simulator;
    const char *natural_key; /* of contacts */
    struct fuzzed_kind kinds[4];
};

struct spoiling {
    struct simulator *simulator;
    struct str script; /* what is left of it */
};

/* --- answers ---------------------------------------------------------------------------------- */

static void replace(struct http_response *response, struct str rule)
{
    const char *mark = rule.len ? memchr(rule.at, '~', rule.len) : NULL;
    struct str from = str_slice(rule, 0, mark ? (size_t)(mark - rule.at) : rule.len);
    struct str to = str_slice(rule, mark ? from.len + 1 : from.len, rule.len);
    struct str body = response->body;
    const char *found = from.len && body.len ? memmem(body.at, body.len, from.at, from.len) : NULL;
    size_t before;

    if (!found) {
        return;
    }
    before = (size_t)(found - body.at);
    response->body = arena_printf(&response->arena, "%" PRI_STR "%" PRI_STR "%" PRI_STR,
                                  STR_ARG(str_slice(body, 0, before)), STR_ARG(to),
                                  STR_ARG(str_slice(body, before + from.len, body.len)));
}

static void add_header(struct http_response *response, struct str rule)
{
    const char *mark = rule.len ? memchr(rule.at, ':', rule.len) : NULL;
    size_t at = mark ? (size_t)(mark - rule.at) : rule.len;

    http_header_add(&response->headers, arena_str(&response->arena, str_slice(rule, 0, at)),
                    arena_str(&response->arena, str_slice(rule, at + (mark != NULL), rule.len)));
}

static void spoil(struct http_response *response, struct str rule)
{
    struct str rest = str_slice(rule, 1, rule.len);
    int64_t status;

    switch (rule.len ? rule.at[0] : '\0') {
    case '=':
        response->body = arena_str(&response->arena, rest);
        break;
    case '~':
        replace(response, rest);
        break;
    case '!':
        if (str_to_i64(rest, &status) && status >= 200 && status <= 599) {
            response->status = (int)status;
        }
        break;
    case '^':
        add_header(response, rest);
        break;
    default:
        break;
    }
}

static void answer(void *context, const struct http_request *request,
                   struct http_response *response)
{
    struct spoiling *spoiling = context;

    simulator_handle(spoiling->simulator, request, response);
    spoil(response, take_part(&spoiling->script));
}

/* --- what holds ------------------------------------------------------------------------------- */

static void is_failure(const struct error *err)
{
    MUST_HOLD(err->code != OK && err->code != FAIL_BUG, "%s", err->message);
    MUST_HOLD(err->message[0], "a failure without a word");
}

static void is_page(const struct remote_page *page)
{
    MUST_HOLD(page->cursor.len <= ADAPTER_CURSOR_BYTES_MAX, "cursor of %zu bytes",
              page->cursor.len);
    MUST_HOLD(!page->has_more || page->cursor.len, "more behind no cursor");
    for (size_t i = 0; i < page->count; i++) {
        const struct remote_record *record = &page->records[i];

        MUST_HOLD(record->remote_id.len, "a record without an id");
        MUST_HOLD((record->state == REMOTE_LIVE) == json_is_object(record->props),
                  "values of the living alone, %d", record->state);
        MUST_HOLD(record->state != REMOTE_MERGED || record->merged_into.len, "merged into what");
    }
}

struct fuzzed {
    const struct fuzzed_crm *crm;
    const struct fuzzed_kind *kind;
    struct session *session;
    struct arena arena;
    struct str cursor, parts[3]; /* what the input says beside the answers */
    size_t properties_count;
};

static void judge(const struct remote_page *page, struct error *err)
{
    if (err->code == OK) {
        is_page(page);
    } else {
        is_failure(err);
    }
    error_reset(err);
}

/* --- calls ------------------------------------------------------------------------------------ */

static void list(struct fuzzed *f, enum list_mode mode)
{
    enum { PAGES_MAX = 4 };
    struct list_request request = {.kind = f->kind->kind,
                                   .mode = mode,
                                   .properties = f->kind->properties,
                                   .properties_count = f->properties_count,
                                   .cursor = f->cursor};

    if (mode == LIST_DELETED && !(f->crm->adapter->capabilities & ADAPTER_LISTS_DELETED)) {
        return;
    }
    for (int i = 0; i < PAGES_MAX; i++) {
        struct remote_page page = {0};
        struct error err = {0};
        bool is_over = f->crm->adapter->list(f->session, &request, &f->arena, &page, &err) != OK;

        judge(&page, &err);
        if (is_over || !page.has_more) {
            return;
        }
        request.cursor = page.cursor;
    }
}

static void fetch(struct fuzzed *f)
{
    const struct str ids[] = {f->cursor.len ? f->cursor : STR("1"), STR("003000000000001AAA")};
    struct fetch_request request = {.kind = f->kind->kind,
                                    .properties = f->kind->properties,
                                    .properties_count = f->properties_count,
                                    .remote_ids = ids,
                                    .remote_ids_count = COUNT_OF(ids)};
    struct remote_page page = {0};
    struct error err = {0};

    (void)f->crm->adapter->fetch_many(f->session, &request, &f->arena, &page, &err);
    judge(&page, &err);
}

static void find(struct fuzzed *f)
{
    struct find_request request = {.kind = f->crm->kinds[0].kind,
                                   .property =
                                       f->cursor.len ? f->crm->natural_key : ADAPTER_CORRELATION,
                                   .values = f->cursor.len ? &f->cursor : &STR("no-such-record"),
                                   .values_count = 1,
                                   .properties = f->crm->kinds[0].properties,
                                   .properties_count = 1};
    struct remote_page page = {0};
    struct error err = {0};

    (void)f->crm->adapter->find(f->session, &request, &f->arena, &page, &err);
    judge(&page, &err);
}

static void describe(struct fuzzed *f)
{
    struct remote_schema schema = {0};
    struct remote_users users = {0};
    struct account_facts facts = {0};
    struct error err = {0};

    if (f->crm->adapter->describe(f->session, f->kind->kind, &f->arena, &schema, &err) != OK) {
        is_failure(&err);
    }
    for (size_t i = 0; i < schema.count; i++) {
        MUST_HOLD(schema.properties[i].name.len, "a property without a name");
    }
    error_reset(&err);
    if (f->crm->adapter->users(f->session, &f->arena, &users, &err) != OK) {
        is_failure(&err);
    }
    error_reset(&err);
    if (f->crm->adapter->check(f->session, &f->arena, &facts, &err) != OK) {
        is_failure(&err);
    }
}

/* One object is made and one is changed; nothing is both done and without an id. */
static void upsert(struct fuzzed *f)
{
    struct str name = f->kind->properties[0];
    json_t *props = jx_own(&f->arena, json_object());
    struct write_item items[] = {{.remote_id = STR(""), .correlation_key = STR("k-1")},
                                 {.remote_id = STR("1"), .correlation_key = STR("k-2")}};
    struct error err = {0};

    json_object_setn_new(props, name.at, name.len, json_string("Ida"));
    items[0].props = items[1].props = props;
    if (f->crm->adapter->upsert(f->session, f->kind->kind, &f->arena, items, COUNT_OF(items),
                                &err) != OK) {
        is_failure(&err);
    }
    for (size_t i = 0; i < COUNT_OF(items); i++) {
        MUST_HOLD(items[i].outcome != WRITE_DONE || items[i].remote_id.len, "done, but what");
        MUST_HOLD(items[i].outcome != WRITE_REFUSED || items[i].error.message[0],
                  "refused without a word");
    }
}

static void call(struct fuzzed *f, unsigned choice)
{
    switch (choice % 7) {
    case 0:
        list(f, LIST_ALL);
        break;
    case 1:
        list(f, LIST_CHANGED);
        break;
    case 2:
        list(f, LIST_DELETED);
        break;
    case 3:
        fetch(f);
        break;
    case 4:
        find(f);
        break;
    case 5:
        describe(f);
        break;
    default:
        upsert(f);
        break;
    }
}

static void open_and_call(const struct fuzzed_crm *crm, struct env *env, struct http_client *client,
                          const struct secret *token, struct str choices, struct str cursor)
{
    struct account account = {
        .connection = "fuzz", .base_url = STR("https://crm.sim.example"), .token = token};
    struct fuzzed f = {.crm = crm, .cursor = cursor};
    struct error err = {0};
    unsigned what = take_byte(&choices), kind = take_byte(&choices);

    f.kind = &crm->kinds[kind % COUNT_OF(crm->kinds)];
    while (f.kind->properties[f.properties_count].len) {
        f.properties_count++;
    }
    MUST_HOLD(crm->adapter->open(env, client, &account, &f.session, &err) == OK, "%s", err.message);
    call(&f, what);
    crm->adapter->close(f.session);
    arena_fini(&f.arena);
}

static void fuzz_adapter(const struct fuzzed_crm *crm, struct str input)
{
    static const char *const HOSTS[] = {"crm.sim.example"};
    static const struct simulator_options OPTIONS = {
        .seed = 1, .records = 3, .deals = 2, .activities = 2, .no_limits = true};
    struct env env = {.clock = clock_new_virtual(1780000000000), .random = random_new_seeded(1)};
    struct str choices = take_part(&input), cursor = take_part(&input);
    struct spoiling spoiling = {.script = input};
    struct http_client *client;
    struct secret token = {0};
    struct error err = {0};

    MUST_HOLD(crm->simulator(&env, &OPTIONS, &spoiling.simulator, &err) == OK, "%s", err.message);
    env.transport = transport_new_mounted(env.clock, 5);
    transport_mount(env.transport, HOSTS[0], answer, &spoiling);
    client = http_client_new(&env, &(const struct http_client_options){.allowed_hosts = HOSTS,
                                                                       .allowed_hosts_count = 1});
    secret_set(&token, str_of(simulator_token(spoiling.simulator)));
    open_and_call(crm, &env, client, &token, choices, cursor);
    http_client_free(client);
    transport_free(env.transport);
    simulator_free(spoiling.simulator);
    secret_fini(&token);
    random_free(env.random);
    clock_free(env.clock);
}

#endif
