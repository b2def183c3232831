#include "tests/simulation/history.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "store/intent.h"
#include "sync/reconcile.h"
#include "tests/simulation/inside.h"

enum { ACTIONS_SMALL = 4, ACTIONS_LARGE = 26, LARGE_EVERY = 8, RECORDS_MAX = 8 };
enum { ROUNDS_MAX = 10, MEANWHILE_MAX = 20, EVERY_MS = 3 * 60 * 1000 };

_Noreturn void history_violated(const struct history *h, const char *rule, const char *what)
{
    fprintf(stderr, "VIOLATION of %s, seed %" PRIu64 ": %s\n", rule, h->seed, what);
    if (h->verbose) {
        if (h->world->disk) {
            disk_save(h->world->disk);
        }
        fprintf(stderr, "the store is left as it is: %s\n", h->world->store_path);
    }
    abort();
}

void history_tell(const struct history *h, const char *action, const char *side, const char *what)
{
    h->counts->actions++;
    if (h->verbose) {
        fprintf(stderr, "  %s %s %s\n", action, side, what);
    }
}

bool history_is_merged_away(const json_t *record)
{
    const json_t *into = json_object_get(record, "merged_into");

    return into && !json_is_null(into);
}

bool history_is_live(const json_t *record)
{
    return !json_is_true(json_object_get(record, "archived")) && !history_is_merged_away(record);
}

/* --- picking ------------------------------------------------------------------------------------------------------------------ */

/* A live object's id at a CRM; false when there is none. */
bool history_pick(const struct history *h, int at, const char *word, char ret[ID_BYTES])
{
    json_t *state = world_state_of(h->world, at, word);
    json_t *records = json_object_get(state, "records");
    size_t live = 0, index, chosen;
    json_t *record;

    json_array_foreach(records, index, record)
    {
        live += history_is_live(record);
    }
    chosen = live ? (size_t)random_below(h->random, live) : 0;
    json_array_foreach(records, index, record)
    {
        if (history_is_live(record) && chosen-- == 0) {
            snprintf(ret, 48, "%s", json_string_value(json_object_get(record, "id")));
            break;
        }
    }
    json_decref(state);
    return live > 0;
}

bool history_pick_record(const struct history *h, const char *kind, char ret[ID_BYTES])
{
    AUTO_ARENA struct arena arena = {0};
    struct store_record *records;
    struct tx *tx = NULL;
    struct error err = {0};
    size_t count;

    if (tx_begin(h->world->store, TENANT_DEFAULT, &tx, &err) != OK ||
        record_list(tx, str_of(kind), 0, 1000, &arena, &records, &count, &err) != OK ||
        tx_commit(&tx, &err) != OK) {
        history_violated(h, "store", err.message);
    }
    if (count == 0) {
        return false;
    }
    snprintf(ret, 48, "%" PRI_STR, STR_ARG(records[random_below(h->random, count)].uuid));
    return true;
}

void history_token(struct history *h, char side, const char *object, enum token_field field,
                   char ret[TOKEN_BYTES])
{
    struct token *token;

    if (field == TOKEN_PHONE) {
        snprintf(ret, TOKEN_BYTES, "+4930%07d", ++h->next);
    } else {
        snprintf(ret, TOKEN_BYTES, "tok-%c-%d", side, ++h->next);
    }
    for (int i = 0; i < h->tokens_count; i++) {
        if (h->tokens[i].side == side && h->tokens[i].field == field &&
            strcmp(h->tokens[i].object, object) == 0) {
            h->tokens[i].is_superseded = true;
        }
    }
    assert(h->tokens_count < TOKENS_MAX);
    token = &h->tokens[h->tokens_count++];
    *token =
        (struct token){.side = side, .field = field, .at_ms = clock_wall_ms(h->world->env.clock)};
    snprintf(token->text, sizeof token->text, "%s", ret);
    snprintf(token->object, sizeof token->object, "%s", object);
    h->counts->edits++;
}

/* The object is gone by a person's hand: what was typed there and not yet seen is gone with it. */
void history_supersede(struct history *h, char side, const char *object)
{
    for (int i = 0; i < h->tokens_count; i++) {
        if (h->tokens[i].side == side && strcmp(h->tokens[i].object, object) == 0) {
            h->tokens[i].is_superseded = true;
        }
    }
}

/* --- actions ------------------------------------------------------------------------------------------------------------------ */

char history_side(int at)
{
    return (char)('a' + at);
}

int history_some_side(const struct history *h)
{
    return (int)random_below(h->random, (uint64_t)h->world->count);
}

enum crm history_crm(const struct history *h, int at)
{
    return h->world->crms[at];
}

const char *history_word(const struct history *h, int at, const char *kind)
{
    return world_word(history_crm(h, at), kind);
}

void history_order(const struct history *h, int at, const char *path, json_t *take_body)
{
    json_decref(world_ask(h->world, at, "POST", path, take_body));
}

static void bring_faults(struct history *h, int at)
{
    /* The last one shows another value in the right form, which nobody can tell from an edit: not where each edit is followed. */
    static const char *const FAULTS[] = {"throttle",  "server_error", "timeout_after_apply",
                                         "truncate",  "reset",        "html",
                                         "wrong_type"};
    size_t faults = COUNT_OF(FAULTS) - h->is_plain;
    json_t *rules = json_array();
    int count = 1 + (int)random_below(h->random, 2);

    for (int i = 0; i < count; i++) {
        json_array_append_new(
            rules, json_pack("{s:s,s:i}", "fault", FAULTS[random_below(h->random, faults)],
                             "per_million", 20000 + (int)random_below(h->random, 200000)));
    }
    history_tell(h, "faults", h->world->names[at].at, "");
    h->counts->faults++;
    network_delay(h->network, (uint32_t)random_below(h->random, 2) * 200000);
    world_faults(h->world, at,
                 json_pack("{s:I,s:o}", "seed", (json_int_t)random_below(h->random, 1000000),
                           "rules", rules));
}

/* Of all writes that were sent. */
static json_int_t writes_so_far(struct history *h)
{
    network_flush(h->network);
    return world_writes_all(h->world);
}

/* What an earlier sync sent and a later one finds out counts for the later one. */
static bool has_open_writes(struct history *h)
{
    AUTO_ARENA struct arena arena = {0};
    AUTO_TX struct tx *tx = NULL;
    struct store_intent *intents;
    struct error err = {0};
    size_t count = 0;

    if (tx_begin(h->world->store, TENANT_DEFAULT, &tx, &err) != OK) {
        history_violated(h, "store", err.message);
    }
    for (int at = 0; at < h->world->count && count == 0; at++) {
        if (intent_list(tx, h->world->connections[at].row.id, STR(""), 0, 1, &arena, &intents,
                        &count, &err) != OK) {
            history_violated(h, "store", err.message);
        }
    }
    return count > 0;
}

/* P1: a plan writes nothing anywhere. P2: applying it writes no more objects than it said, whatever happened in between. */
static void plan_and_apply(struct history *h)
{
    struct applied *applied = alloc_new(1, sizeof *applied);
    bool full = random_chance(h->random, 150000);
    json_int_t before = writes_so_far(h);
    int64_t planned = world_plan(h->world, full);
    const struct run_counts *counts = &applied->report.counts;
    bool is_open;

    history_tell(h, "plan", "", "");
    h->counts->plans++;
    if (before != world_writes_all(h->world)) {
        history_violated(h, "P1 plan", "a plan wrote");
    }
    for (uint64_t i = random_below(h->random, 4); i > 0; i--) {
        if (random_below(h->random, 2)) {
            people_edit_here(h); /* would be pushed, and is not in the plan */
        } else {
            people_edit(h, history_some_side(h));
        }
    }
    clock_wait_ms(h->world->env.clock, (int64_t)random_below(h->random, 90) * 1000);
    is_open = has_open_writes(h);
    world_apply(h->world, applied);
    if (planned >= 0 && !is_open &&
        counts->created_there + counts->updated_there + counts->deleted_there > planned) {
        history_violated(h, "P2 apply", "more was written than was planned");
    }
    free(applied);
}

void history_reconcile(struct history *h, bool repair, struct sync_report *ret)
{
    const struct sync_options options = {.command = "reconcile", .wait_max_ms = 20 * 60 * 1000};
    json_int_t before = writes_so_far(h);
    struct error err = {0};

    if (sync_reconcile(&h->world->sync, &options, repair, ret, &err) != OK) {
        history_violated(h, "reconciliation", err.message);
    }
    if (before != world_writes_all(h->world)) {
        history_violated(h, "reconciliation", "a comparison wrote at a CRM");
    }
}

/* In every third history, in the middle of everything. */
static void reconcile_sometimes(struct history *h)
{
    struct sync_report report;

    if (h->seed % 3 == 0) {
        history_reconcile(h, h->seed % 2 == 0, &report);
    }
}

static void run_sync(struct history *h)
{
    struct sync_report report;

    history_tell(h, "sync", "", "");
    h->counts->syncs++;
    world_sync(h->world, random_chance(h->random, 150000), &report);
    if (h->verbose) {
        for (size_t i = 0; i < report.problems_count; i++) {
            fprintf(stderr, "    problem: %s %s: %s\n", report.problems[i].connection,
                    report.problems[i].kind, report.problems[i].error.message);
        }
    }
    reconcile_sometimes(h);
}

/* While a call of a turn is in the air, people edit here. */
static void meanwhile(void *context)
{
    struct history *h = context;
    uint64_t roll = random_below(h->random, 20);

    if (roll > 5 || h->meanwhile_left == 0) {
        return;
    }
    h->meanwhile_left--;
    if (roll == 0 && !h->is_plain) {
        people_delete_here(h);
    } else if (roll == 1) {
        people_create_here(h);
    } else {
        people_edit_here(h);
    }
    service_changed(h->service);
}

/* While a write is on its way: now and then somebody edits there. */
static void on_write(void *context, int at)
{
    struct history *h = context;

    if (h->is_plain && h->meanwhile_left > 0 && random_chance(h->random, 200000)) {
        h->meanwhile_left--;
        plain_edit_in_air(h, at);
    }
}

/* --- the process ------------------------------------------------------------------------------------------------------------------ */

static void open_network(struct history *h)
{
    const struct network_options options = {
        .random = h->random, .on_write = on_write, .context = h};

    h->network = network_new(h->world, &options);
}

static void carry(void *context)
{
    const struct history *h = context;

    door_carry(h->door);
}

static void on_arrived(void *context, int at)
{
    struct history *h = context;

    if (h->service) {
        service_arrived(h->service, at);
    }
}

static void on_violation(void *context, const char *rule, const char *what)
{
    history_violated(context, rule, what);
}

/* The CRMs tell what happens, from here on. */
static void make_door(struct history *h)
{
    const struct door_options options = {
        .random = h->door_random, .arrived = on_arrived, .violated = on_violation, .context = h};

    h->door = door_new(h->world, &options);
    door_manner(h->door, h->is_told ? DOOR_DELAYED : DOOR_LOSSY);
    door_open(h->door);
}

static void start_service(struct history *h)
{
    const struct service_options options = {.random = h->random,
                                            .every_ms = h->is_told ? 0 : EVERY_MS,
                                            .nested_per_million = 300000,
                                            .meanwhile = meanwhile,
                                            .between = h->door ? carry : NULL,
                                            .context = h};

    h->service = service_new(h->world, &options);
}

static void stop_service(struct history *h)
{
    struct service_counts counts = service_counts(h->service);

    h->counts->turns += counts.turns;
    h->counts->nested += counts.nested;
    service_free(TAKE_PTR(h->service));
}

/* What ends with a process, and what begins with the next one. */
static void end_process(struct history *h)
{
    if (h->service) {
        stop_service(h);
    }
    if (h->door) {
        door_close(h->door);
    }
}

static void begin_process(struct history *h)
{
    if (h->door) {
        door_open(h->door);
        door_check(h->door);
    }
    if (h->style == HISTORY_TURNS) {
        start_service(h);
    }
}

/* Killed, or without power, in the middle of a sync or just after something was heard; the next process goes on. */
static void die_in_sync(struct history *h)
{
    struct disk *disk = h->world->disk;
    struct sync_report report;
    struct error err = {0};

    history_tell(h, "die", "", "");
    if (h->door) {
        people_edit(h, history_some_side(h));
        clock_wait_ms(h->world->env.clock, 60 * 1000); /* as late as what is told of it comes */
    }
    if (random_below(h->random, 2)) {
        world_kill_at(h->world, 1 + (int64_t)random_below(h->random, 40));
    } else {
        disk_fail_at(disk, 1 + (int64_t)random_below(h->random, h->door ? 20 : 300));
    }
    if (h->door) {
        door_carry(h->door);
    }
    if (world_try(h->world, random_below(h->random, 2), &report, &err) != OK &&
        !disk_is_dead(disk)) {
        history_violated(h, "a sync that lives", err.message);
    }
    if (disk_is_dead(disk)) {
        end_process(h);
        world_revive(h->world);
        begin_process(h);
        h->counts->deaths++;
    } else {
        world_kill_at(h->world, 0);
        disk_fail_at(disk, 0);
    }
}

static void restart(struct history *h)
{
    if (!h->service && h->world->disk && random_below(h->random, 4)) {
        die_in_sync(h);
        return;
    }
    end_process(h);
    world_reopen(h->world);
    begin_process(h);
}

/* From a moment to some minutes: often less than everything needs. */
static void run_service(struct history *h)
{
    history_tell(h, "turns", "", "");
    service_changed(h->service);
    service_run(h->service, 500 << random_below(h->random, 10));
}

/* What nobody but the store knew is gone with it: edits made here, and those that lost against others, whose trace is in the journal only. */
static void forget_invisible(struct history *h)
{
    struct checking c = {.h = h};

    for (int at = 0; at < h->world->count; at++) {
        c.states[at] = world_state(h->world, at, "contact");
    }
    for (int i = 0; i < h->tokens_count; i++) {
        h->tokens[i].is_superseded =
            h->tokens[i].is_superseded || !history_token_is_visible(&c, &h->tokens[i]);
    }
    for (int at = 0; at < h->world->count; at++) {
        json_decref(c.states[at]);
    }
    arena_fini(&c.arena);
}

/* The store is lost, and an older backup takes its place. */
static void back_up_or_restore(struct history *h)
{
    if (!h->has_backup) {
        history_tell(h, "backup", "", "");
        world_backup(h->world);
        h->has_backup = true;
        return;
    }
    history_tell(h, "restore", "", "");
    forget_invisible(h);
    end_process(h);
    if (h->door) {
        door_forget(h->door);
    }
    world_restore(h->world);
    begin_process(h);
    h->counts->restores++;
    h->has_backup = random_below(h->random, 2) == 0; /* the same one may be restored again */
}

static void act(struct history *h)
{
    int at = history_some_side(h);
    uint64_t roll = random_below(h->random, 100);

    clock_wait_ms(h->world->env.clock, (int64_t)random_below(h->random, 90) * 1000 + 1500);
    if (h->door) {
        door_carry(h->door);
    }
    if (h->is_plain && random_chance(h->random, 650000) && plain_act(h)) {
        return;
    }
    roll = h->is_plain ? 67 + roll / 3 : roll; /* nobody goes, and nothing is merged */
    if (h->has_work && random_chance(h->random, 400000)) {
        work_act(h);
    } else if (roll < 30) {
        people_edit(h, at);
    } else if (roll < 42) {
        people_edit_here(h);
    } else if (roll < 52) {
        people_create(h, at);
    } else if (roll < 56) {
        people_create_here(h);
    } else if (roll < 61) {
        people_delete(h, at);
    } else if (roll < 63) {
        people_delete_here(h);
    } else if (roll < 67) {
        people_merge(h, at);
    } else if (roll < 74) {
        bring_faults(h, at);
    } else if (roll < 78) {
        world_faults(h->world, at, json_object());
    } else if (roll < 80 && !h->has_restores) {
        restart(h);
    } else if (roll < 84 && h->has_restores) {
        back_up_or_restore(h);
    } else if (random_chance(h->random, 200000)) {
        plan_and_apply(h);
    } else if (h->service) {
        run_service(h);
    } else {
        run_sync(h);
    }
}

static struct policy policy_of(struct random *random)
{
    static const char *const NAMES[] = {"last-write-wins", "source-priority",
                                        "field-merge:remote-first", "manual-review"};
    struct policy policy = {0};
    bool known = policy_parse(str_of(NAMES[random_below(random, COUNT_OF(NAMES))]), &policy);

    assert(known);
    return policy;
}

/* Small: any two accounts. Large: one of each CRM, and in half of them further accounts. */
static void choose_connections(struct random *random, bool is_large, struct world_options *options)
{
    static const int COUNTS[] = {2, 3, 3, 4};
    int first = (int)random_below(random, CRMS);

    options->connections = is_large ? COUNTS[random_below(random, COUNT_OF(COUNTS))] : 2;
    for (int i = 0; i < options->connections; i++) {
        options->crms[i] = i < (is_large ? CRMS : 1) ? (enum crm)((first + i) % CRMS)
                                                     : (enum crm)random_below(random, CRMS);
    }
}

/* Most are small: what goes wrong mostly goes wrong among few, and many small ones take the time of few large ones. */
static struct world_options choose_world(struct history *h)
{
    bool is_large = h->seed % LARGE_EVERY == 0;
    struct world_options options = {.seed = h->seed, .is_one_of_many = true};

    options.records = (int)random_below(h->random, is_large ? RECORDS_MAX : RECORDS_MAX / 2);
    options.deletes = random_below(h->random, 2) ? DELETES_ARCHIVE : DELETES_UNLINK;
    options.policy = policy_of(h->random);
    options.index_lag_ms = random_below(h->random, 3) ? 0 : 5000;
    options.has_work = random_below(h->random, is_large ? 2 : 4) == 0;
    options.learns_once = random_below(h->random, 4) > 0;
    choose_connections(h->random, is_large, &options);
    h->has_work = options.has_work;
    h->is_plain = !h->has_restores && random_below(h->random, 2) == 0;
    h->actions_max =
        is_large ? ACTIONS_LARGE : ACTIONS_SMALL + (int)random_below(h->random, ACTIONS_SMALL * 2);
    return options;
}

static void live(struct history *h)
{
    struct sync_report report;

    if (random_below(h->random, 2) || h->is_told) { /* who was there before anybody told of it */
        world_sync(h->world, false, &report);
    }
    for (int i = 0; i < h->actions_max; i++) {
        if (h->has_restores && (i == h->actions_max / 3 || i == 2 * h->actions_max / 3)) {
            back_up_or_restore(h);
        }
        act(h);
    }
    if (h->door && random_below(h->door_random, 2)) {
        restart(h);
    }
}

/* Everything is well again; in turns the service has an hour before a sync of everything looks after it. */
static int heal(struct history *h)
{
    for (int at = 0; at < h->world->count; at++) {
        world_faults(h->world, at, json_object());
    }
    network_delay(h->network, 0);
    h->meanwhile_left = 0;
    if (h->service) {
        service_changed(h->service);
        service_run(h->service, 60 * 60 * 1000);
    }
    if (h->door) {
        door_check(h->door);
    }
    end_process(h);
    if (h->is_told) {
        told_check(h);
    }
    if (h->is_plain) {
        missed_check(h);
    }
    return world_settle(h->world, ROUNDS_MAX);
}

uint64_t history_run(uint64_t seed, enum history_style style, int verbose,
                     struct history_counts *counts)
{
    struct history *h = alloc_new(1, sizeof *h);
    struct world_options options;
    uint64_t trace;
    int rounds;

    h->random = random_new_seeded(seed ^ 0x9E3779B97F4A7C15u);
    h->door_random = random_new_seeded(seed ^ 0x646F6F72u); /* "door" */
    h->seed = seed;
    h->style = style;
    h->verbose = verbose;
    h->counts = counts;
    h->has_restores = seed % 3 == 0;
    options = choose_world(h);
    h->world = world_new(&options);
    h->bystander = bystander_new(h);
    h->meanwhile_left = MEANWHILE_MAX;
    open_network(h);
    if (random_below(h->door_random, 2)) {
        h->is_told = h->is_plain && style == HISTORY_TURNS && random_below(h->door_random, 2);
        make_door(h);
    }
    if (style == HISTORY_TURNS) {
        start_service(h);
    }
    live(h);
    rounds = heal(h);
    people_check(h);
    history_check_rest(h);
    store_check(h);
    bystander_check(h);
    counts->histories++;
    counts->rounds_most = rounds > counts->rounds_most ? rounds : counts->rounds_most;
    trace = h->world->trace;
    counts->heard += h->door ? door_acknowledged(h->door) : 0;
    door_free(h->door);
    network_free(h->network);
    bystander_free(h->bystander);
    world_free(h->world);
    random_free(h->door_random);
    random_free(h->random);
    free(h);
    return trace;
}
