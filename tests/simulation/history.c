#include "tests/simulation/history.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "store/divergence.h"
#include "store/journal.h"
#include "sync/reconcile.h"
#include "tests/simulation/inside.h"

enum { ACTIONS_MAX = 26, ROUNDS_MAX = 10, MEANWHILE_MAX = 20, EVERY_MS = 60 * 1000 };

static const char *const FIELDS[] = {"first_name", "last_name", "phone"};

_Noreturn void history_violated(const struct history *h, const char *rule, const char *what)
{
    fprintf(stderr,
            "VIOLATION of %s, seed %" PRIu64 ": %s\nreplay: scripts/simulate --seed %" PRIu64
            " --histories 1 --%s --verbose\n",
            rule, h->seed, what, h->seed, h->style == HISTORY_TURNS ? "turns" : "runs");
    abort();
}

void history_tell(const struct history *h, const char *action, const char *side, const char *what)
{
    h->counts->actions++;
    if (h->verbose) {
        fprintf(stderr, "  %s %s %s\n", action, side, what);
    }
}

static bool is_merged_away(const json_t *record)
{
    const json_t *into = json_object_get(record, "merged_into");

    return into && !json_is_null(into);
}

bool history_is_live(const json_t *record)
{
    return !json_is_true(json_object_get(record, "archived")) && !is_merged_away(record);
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
    *token = (struct token){.side = side, .field = field};
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

/* Some of what happens at a CRM is told by a webhook. */
static void tell_service(struct history *h, int at, const char *id)
{
    if (h->service && random_chance(h->random, 500000)) {
        service_hear(h->service, at, STR("contact"), str_of(id));
    }
}

static void remote_edit(struct history *h, int at)
{
    char id[ID_BYTES], value[TOKEN_BYTES];
    enum token_field field = (enum token_field)random_below(h->random, TOKEN_OF_PEOPLE);

    if (!history_pick(h, at, history_word(h, at, "contact"), id)) {
        return;
    }
    history_token(h, history_side(at), id, field, value);
    history_tell(h, "edit", h->world->names[at].at, value);
    json_decref(world_ask(
        h->world, at, "POST", "/__sim/edit",
        json_pack("{s:s,s:s,s:o,s:s}", "object", history_word(h, at, "contact"), "id", id, "set",
                  world_set(history_crm(h, at), FIELDS[field], value), "by", "person")));
    tell_service(h, at, id);
}

static void remote_create(struct history *h, int at)
{
    char email[64], name[TOKEN_BYTES];
    json_t *set;

    /* Some people are typed into several CRMs under one address. */
    snprintf(email, sizeof email, "p%d@people.example",
             (int)random_below(h->random, 12) + 20 * (int)random_below(h->random, 2) * at);
    json_t *state = world_state(h->world, at, "contact");
    json_t *record;
    size_t index;
    bool exists = false;

    json_array_foreach(json_object_get(state, "records"), index, record)
    {
        char there[VALUE_BYTES];

        world_field(history_crm(h, at), record, "email", there, sizeof there);
        exists = exists || strcasecmp(there, email) == 0;
    }
    json_decref(state);
    if (exists) {
        return;
    }
    snprintf(name, sizeof name, "new-%d", ++h->next);
    set = world_set(history_crm(h, at), "first_name", name);
    json_object_update_new(set, world_set(history_crm(h, at), "last_name", "Person"));
    json_object_update_new(set, world_set(history_crm(h, at), "email", email));
    history_tell(h, "create", h->world->names[at].at, email);
    json_decref(world_ask(h->world, at, "POST", "/__sim/edit",
                          json_pack("{s:s,s:o,s:s}", "object", history_word(h, at, "contact"),
                                    "set", set, "by", "person")));
}

static void remote_delete(struct history *h, int at)
{
    char id[ID_BYTES];

    if (!history_pick(h, at, history_word(h, at, "contact"), id)) {
        return;
    }
    history_supersede(h, history_side(at), id);
    history_tell(h, "delete", h->world->names[at].at, id);
    json_decref(
        world_ask(h->world, at, "POST", "/__sim/delete",
                  json_pack("{s:s,s:s}", "object", history_word(h, at, "contact"), "id", id)));
    tell_service(h, at, id);
}

static void remote_merge(struct history *h, int at)
{
    char into[ID_BYTES], from[ID_BYTES];

    if (!history_pick(h, at, history_word(h, at, "contact"), into) ||
        !history_pick(h, at, history_word(h, at, "contact"), from) || strcmp(into, from) == 0) {
        return;
    }
    history_supersede(h, history_side(at), from);
    history_supersede(h, history_side(at), into); /* the survivor may have another id */
    history_tell(h, "merge", h->world->names[at].at, into);
    json_decref(world_ask(h->world, at, "POST", "/__sim/merge",
                          json_pack("{s:s,s:s,s:s}", "object", history_word(h, at, "contact"),
                                    "into", into, "from", from)));
    tell_service(h, at, from);
    tell_service(h, at, into);
}

static void local_edit(struct history *h)
{
    AUTO_ARENA struct arena arena = {0};
    char id[ID_BYTES], value[TOKEN_BYTES];
    enum token_field field = (enum token_field)random_below(h->random, TOKEN_OF_PEOPLE);
    struct edit edit = world_edit(h->world);
    struct fields changes = {0};
    struct store_record record;
    struct error err = {0};

    if (!history_pick_record(h, "contact", id)) {
        return;
    }
    history_token(h, 'l', id, field, value);
    history_tell(h, "edit", "local", value);
    fields_set(&changes, &arena, str_of(FIELDS[field]), VALUE_OF(str_of(value)));
    if (edit_update(&edit, str_of(id), &changes, 0, &arena, &record, &err) != OK) {
        history_violated(h, "local edit", err.message);
    }
}

static void local_create(struct history *h)
{
    AUTO_ARENA struct arena arena = {0};
    char email[64];
    struct edit edit = world_edit(h->world);
    struct fields fields = {0};
    struct store_record record;
    struct error err = {0};

    snprintf(email, sizeof email, "local%d@people.example", ++h->next);
    history_tell(h, "create", "local", email);
    fields_set(&fields, &arena, STR("email"), VALUE_OF(str_of(email)));
    fields_set(&fields, &arena, STR("first_name"), VALUE_OF(STR("Local")));
    if (edit_create(&edit, kind_by_name(&h->world->kinds, STR("contact")), &fields, false, &arena,
                    &record, &err) != OK) {
        history_violated(h, "local create", err.message);
    }
}

static void local_delete(struct history *h)
{
    char id[ID_BYTES];
    struct edit edit = world_edit(h->world);
    struct error err = {0};

    if (!history_pick_record(h, "contact", id)) {
        return;
    }
    history_tell(h, "delete", "local", id);
    if (edit_delete(&edit, str_of(id), 0, &err) != OK) {
        history_violated(h, "local delete", err.message);
    }
}

static void bring_faults(struct history *h, int at)
{
    static const char *const FAULTS[] = {"throttle", "server_error", "timeout_after_apply",
                                         "truncate", "wrong_type",   "reset",
                                         "html"};
    json_t *rules = json_array();
    int count = 1 + (int)random_below(h->random, 2);

    for (int i = 0; i < count; i++) {
        json_array_append_new(rules, json_pack("{s:s,s:i}", "fault",
                                               FAULTS[random_below(h->random, COUNT_OF(FAULTS))],
                                               "per_million",
                                               20000 + (int)random_below(h->random, 200000)));
    }
    history_tell(h, "faults", h->world->names[at].at, "");
    h->counts->faults++;
    world_faults(h->world, at,
                 json_pack("{s:I,s:o}", "seed", (json_int_t)random_below(h->random, 1000000),
                           "rules", rules));
}

/* P1: a plan writes nothing anywhere. P2: applying it writes no more objects than it said, whatever happened in between. */
static void plan_and_apply(struct history *h)
{
    struct applied *applied = alloc_new(1, sizeof *applied);
    bool full = random_chance(h->random, 150000);
    json_int_t before = world_writes_all(h->world);
    int64_t planned = world_plan(h->world, full);
    const struct run_counts *counts = &applied->report.counts;

    history_tell(h, "plan", "", "");
    h->counts->plans++;
    if (before != world_writes_all(h->world)) {
        history_violated(h, "P1 plan", "a plan wrote");
    }
    for (uint64_t i = random_below(h->random, 4); i > 0; i--) {
        if (random_below(h->random, 2)) {
            local_edit(h); /* would be pushed, and is not in the plan */
        } else {
            remote_edit(h, history_some_side(h));
        }
    }
    clock_wait_ms(h->world->env.clock, (int64_t)random_below(h->random, 90) * 1000);
    world_apply(h->world, applied);
    if (planned >= 0 &&
        counts->created_there + counts->updated_there + counts->deleted_there > planned) {
        history_violated(h, "P2 apply", "more was written than was planned");
    }
    free(applied);
}

/* Both sides compared; problems are allowed (faults). It writes nothing at the CRMs. */
static void reconcile(struct history *h, bool repair, struct sync_report *ret)
{
    const struct sync_options options = {.command = "reconcile", .wait_max_ms = 20 * 60 * 1000};
    json_int_t before = world_writes_all(h->world);
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
        reconcile(h, h->seed % 2 == 0, &report);
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
    if (roll == 0) {
        local_delete(h);
    } else if (roll == 1) {
        local_create(h);
    } else {
        local_edit(h);
    }
    service_changed(h->service);
}

static void start_service(struct history *h)
{
    const struct service_options options = {.random = h->random,
                                            .every_ms = EVERY_MS,
                                            .nested_per_million = 300000,
                                            .meanwhile = meanwhile,
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

static void restart(struct history *h)
{
    if (h->service) {
        stop_service(h);
    }
    world_reopen(h->world);
    if (h->style == HISTORY_TURNS) {
        start_service(h);
    }
}

/* From a moment to some minutes: often less than everything needs. */
static void run_service(struct history *h)
{
    history_tell(h, "turns", "", "");
    service_changed(h->service);
    service_run(h->service, 500 << random_below(h->random, 10));
}

static bool is_visible(struct checking *c, const struct token *token);

/* What nobody but the store knew is gone with it: edits made here, and those that lost against others, whose trace is in the journal only. */
static void forget_invisible(struct history *h)
{
    struct checking c = {.h = h};

    for (int at = 0; at < h->world->count; at++) {
        c.states[at] = world_state(h->world, at, "contact");
    }
    for (int i = 0; i < h->tokens_count; i++) {
        h->tokens[i].is_superseded = h->tokens[i].is_superseded || !is_visible(&c, &h->tokens[i]);
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
    if (h->service) {
        stop_service(h);
    }
    world_restore(h->world);
    if (h->style == HISTORY_TURNS) {
        start_service(h);
    }
    h->counts->restores++;
    h->has_backup = random_below(h->random, 2) == 0; /* the same one may be restored again */
}

static void act(struct history *h)
{
    int at = history_some_side(h);
    uint64_t roll = random_below(h->random, 100);

    clock_wait_ms(h->world->env.clock, (int64_t)random_below(h->random, 90) * 1000 + 1500);
    if (h->has_work && random_chance(h->random, 400000)) {
        work_act(h);
    } else if (roll < 30) {
        remote_edit(h, at);
    } else if (roll < 42) {
        local_edit(h);
    } else if (roll < 52) {
        remote_create(h, at);
    } else if (roll < 56) {
        local_create(h);
    } else if (roll < 61) {
        remote_delete(h, at);
    } else if (roll < 63) {
        local_delete(h);
    } else if (roll < 67) {
        remote_merge(h, at);
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

/* --- what must hold -------------------------------------------------------------------------------------------------------- */

json_t *history_find_live(json_t *state, struct str id)
{
    size_t index;
    json_t *record;

    json_array_foreach(json_object_get(state, "records"), index, record)
    {
        if (str_equal(str_of(json_string_value(json_object_get(record, "id"))), id) &&
            history_is_live(record)) {
            return record;
        }
    }
    return NULL;
}

bool history_is_excused(struct checking *c, const struct store_link *link, const char *field)
{
    struct store_conflict *conflicts;
    struct store_failure *failures;
    size_t count;
    struct error err = {0};

    if (conflicts_of_link(c->tx, link->id, &c->arena, &conflicts, &count, &err) != OK) {
        history_violated(c->h, "store", err.message);
    }
    for (size_t i = 0; i < count; i++) {
        if (conflicts[i].type == CONFLICT_DELETE || str_equal(conflicts[i].field, str_of(field))) {
            return true;
        }
    }
    if (failure_list(c->tx, true, 0, 10000, &c->arena, &failures, &count, &err) != OK) {
        history_violated(c->h, "store", err.message);
    }
    for (size_t i = 0; i < count; i++) {
        if (failures[i].connection_id == link->connection_id &&
            (failures[i].record_id == link->record_id ||
             str_equal(failures[i].remote_id, link->remote_id))) {
            return true;
        }
    }
    return false;
}

/* What a person would call the same: numbers by their digits, without the trunk zero; words without regard to case and blanks at the ends. */
static bool is_same(const char *field, struct str mine, struct str theirs)
{
    char digits[2][VALUE_BYTES];
    const struct str both[2] = {mine, theirs};

    if (strcmp(field, "phone") != 0) {
        return str_equal_nocase(str_trim(mine), str_trim(theirs));
    }
    for (int side = 0; side < 2; side++) {
        size_t len = 0;

        for (size_t i = 0; i < both[side].len && len + 1 < VALUE_BYTES; i++) {
            char c = both[side].at[i];

            if (str_starts(str_slice(both[side], i, both[side].len), STR("(0)"))) {
                i += 2;
            } else if (c >= '0' && c <= '9' && (len || c != '0')) {
                digits[side][len++] = c;
            }
        }
        digits[side][len] = '\0';
    }
    return strcmp(digits[0], digits[1]) == 0;
}

/* I1: every live link shows the hub's value at the CRM, unless a conflict or a failure names it. */
static void check_link(struct checking *c, const struct store_record *record,
                       const struct store_link *link)
{
    static const char *const COMPARED[] = {"email", "first_name", "last_name", "phone"};
    int at = world_at(c->h->world, link->connection_id);
    json_t *there = history_find_live(c->states[at], link->remote_id);
    char what[512];

    if (!there) {
        snprintf(what, sizeof what, "a live link points to %.20s, which is gone",
                 link->remote_id.at);
        history_violated(c->h, "I1 convergence", what);
    }
    for (size_t i = 0; i < COUNT_OF(COMPARED); i++) {
        char value[VALUE_BYTES];
        const struct value *here = fields_get(&record->fields, str_of(COMPARED[i]));
        struct str mine = here->state == VALUE_TEXT ? here->text : STR("");

        world_field(history_crm(c->h, at), there, COMPARED[i], value, sizeof value);
        if (!is_same(COMPARED[i], mine, str_of(value)) &&
            !history_is_excused(c, link, COMPARED[i])) {
            snprintf(what, sizeof what, "%s of record %.36s is '%.*s', at %s %.20s '%s'",
                     COMPARED[i], record->uuid.at, STR_ARG(mine), c->h->world->names[at].at,
                     link->remote_id.at, value);
            history_violated(c->h, "I1 convergence", what);
        }
    }
}

static bool has_failure(struct checking *c, int at, struct str remote_id, int64_t record_id)
{
    struct store_failure *failures;
    size_t count;
    struct error err = {0};

    if (failure_list(c->tx, true, 0, 10000, &c->arena, &failures, &count, &err) != OK) {
        history_violated(c->h, "store", err.message);
    }
    for (size_t i = 0; i < count; i++) {
        if (failures[i].connection_id == c->h->world->connections[at].row.id &&
            ((remote_id.len && str_equal(failures[i].remote_id, remote_id)) ||
             (record_id && failures[i].record_id == record_id))) {
            return true;
        }
    }
    return false;
}

/* I4: every living person at a CRM is in step with a living record, was let go on purpose, or is shown as a failure. */
static void check_nobody_forgotten(struct checking *c, int at)
{
    size_t index;
    json_t *person;

    json_array_foreach(json_object_get(c->states[at], "records"), index, person)
    {
        struct str id = str_of(json_string_value(json_object_get(person, "id")));
        struct store_record record = {0};
        struct store_link link;
        struct error err = {0};
        bool found, has_record = false;

        if (!history_is_live(person)) {
            continue;
        }
        if (link_by_remote(c->tx, c->h->world->connections[at].row.id, STR("contact"), id,
                           &c->arena, &link, &found, &err) != OK ||
            (found &&
             record_by_id(c->tx, link.record_id, &c->arena, &record, &has_record, &err) != OK)) {
            history_violated(c->h, "store", err.message);
        }
        if ((!found || link.state == LINK_MERGED ||
             (link.state == LINK_LIVE && record.state != RECORD_LIVE)) &&
            !has_failure(c, at, id, found ? link.record_id : 0)) {
            history_violated(c->h, "I4 nobody is forgotten",
                             arena_printf(&c->arena, "%" PRI_STR " at %" PRI_STR ": %s",
                                          STR_ARG(id), STR_ARG(c->h->world->names[at]),
                                          !found ? "no link" : link_state_name(link.state))
                                 .at);
        }
    }
}

/* I4: every living record was made at every CRM, was let go there on purpose, or is shown as a failure. */
static void check_everywhere(struct checking *c, const struct store_record *record)
{
    for (int at = 0; at < c->h->world->count; at++) {
        struct store_link link;
        struct error err = {0};
        bool found;

        if (link_by_record(c->tx, c->h->world->connections[at].row.id, record->id, &c->arena, &link,
                           &found, &err) != OK) {
            history_violated(c->h, "store", err.message);
        }
        if (!found && !has_failure(c, at, STR(""), record->id)) {
            history_violated(c->h, "I4 nobody is forgotten",
                             arena_printf(&c->arena, "record %" PRI_STR " is not at %" PRI_STR,
                                          STR_ARG(record->uuid), STR_ARG(c->h->world->names[at]))
                                 .at);
        }
    }
}

static void check_links(struct checking *c)
{
    struct store_record *records;
    size_t count, links_count;
    struct store_link *links;
    struct error err = {0};

    if (record_list(c->tx, STR("contact"), 0, 100000, &c->arena, &records, &count, &err) != OK) {
        history_violated(c->h, "store", err.message);
    }
    for (size_t i = 0; i < count; i++) {
        check_everywhere(c, &records[i]);
        if (links_of_record(c->tx, records[i].id, &c->arena, &links, &links_count, &err) != OK) {
            history_violated(c->h, "store", err.message);
        }
        for (size_t k = 0; k < links_count; k++) {
            if (links[k].state == LINK_LIVE) {
                check_link(c, &records[i], &links[k]);
            }
        }
    }
}

/* I3: one object per record and CRM. I4: what went is not made again. So no correlation key was ever on two objects. */
static void check_duplicates(struct checking *c, int at)
{
    json_t *seen = json_object();
    size_t index;
    json_t *record;

    json_array_foreach(json_object_get(c->states[at], "records"), index, record)
    {
        const json_t *fields = json_object_get(record, "fields");
        const char *key = json_string_value(json_object_get(
            fields, history_crm(c->h, at) == SALESFORCE ? "crmsync_id__c" : "crmsync_id"));
        const char *name;
        json_t *custom;

        json_object_foreach(json_object_get(fields, "custom_fields"), name, custom)
        {
            key = json_is_string(custom) && strlen(json_string_value(custom)) == 36
                      ? json_string_value(custom)
                      : key;
        }
        if (!key || !key[0] || is_merged_away(record)) {
            continue;
        }
        if (json_object_get(seen, key)) {
            history_violated(c->h, "I3 no duplicate, I4 no resurrection", key);
        }
        json_object_set_new(seen, key, json_true());
    }
    json_decref(seen);
}

static bool journal_holds(struct checking *c, const char *token)
{
    struct journal_entry *entries;
    size_t count;
    struct error err = {0};
    struct str text = str_of(token);

    for (int64_t record_id = 1; record_id < 400; record_id++) {
        if (journal_of_record(c->tx, record_id, 0, 10000, &c->arena, &entries, &count, &err) !=
            OK) {
            history_violated(c->h, "store", err.message);
        }
        for (size_t i = 0; i < count; i++) {
            for (size_t k = 0; k < entries[i].changes_count; k++) {
                const struct journal_change *change = &entries[i].changes[k];

                if ((change->to.state == VALUE_TEXT && str_equal(change->to.text, text)) ||
                    (change->lost.state == VALUE_TEXT && str_equal(change->lost.text, text))) {
                    return true;
                }
            }
        }
    }
    return false;
}

static bool is_visible(struct checking *c, const struct token *token)
{
    if (token->field >= TOKEN_OF_PEOPLE) {
        return work_is_visible(c, token);
    }
    for (int at = 0; at < c->h->world->count; at++) {
        size_t index;
        json_t *record;

        json_array_foreach(json_object_get(c->states[at], "records"), index, record)
        {
            char value[VALUE_BYTES];

            world_field(history_crm(c->h, at), record, FIELDS[token->field], value, sizeof value);
            if (strcmp(value, token->text) == 0) {
                return true;
            }
        }
    }
    return false;
}

/* I2: what a person typed is visible, was typed over by a person on the same side, or stands in the journal. */
static void check_tokens(struct checking *c)
{
    for (int i = 0; i < c->h->tokens_count; i++) {
        const struct token *token = &c->h->tokens[i];

        if (!token->is_superseded && !is_visible(c, token) && !journal_holds(c, token->text)) {
            history_violated(c->h, "I2 no lost edit", token->text);
        }
    }
}

static void check(struct history *h)
{
    struct checking c = {.h = h};
    struct error err = {0};
    int64_t open_conflicts = 0, open_failures = 0;

    for (int at = 0; at < h->world->count; at++) {
        c.states[at] = world_state(h->world, at, "contact");
    }
    if (tx_begin(h->world->store, TENANT_DEFAULT, &c.tx, &err) != OK) {
        history_violated(h, "store", err.message);
    }
    check_links(&c);
    if (h->has_work) {
        work_check(&c);
    }
    for (int at = 0; at < h->world->count; at++) {
        check_duplicates(&c, at);
        check_nobody_forgotten(&c, at);
    }
    check_tokens(&c);
    if (conflict_count_open(c.tx, &open_conflicts, &err) != OK ||
        failure_count_open(c.tx, &open_failures, &err) != OK || tx_commit(&c.tx, &err) != OK) {
        history_violated(h, "store", err.message);
    }
    h->counts->conflicts += open_conflicts;
    h->counts->set_aside += open_failures;
    for (int at = 0; at < h->world->count; at++) {
        json_decref(c.states[at]);
    }
    arena_fini(&c.arena);
}

/* I5: at rest, one more sync sends no write. */
static void check_quiet(struct history *h)
{
    json_int_t before = world_writes_all(h->world);
    struct sync_report report;

    clock_wait_ms(h->world->env.clock, 60 * 60 * 1000);
    world_sync(h->world, false, &report);
    if (before != world_writes_all(h->world)) {
        if (h->verbose) {
            fprintf(stderr,
                    "    updated there %lld, created there %lld, deleted there %lld, updated here "
                    "%lld, read %lld\n",
                    (long long)report.counts.updated_there, (long long)report.counts.created_there,
                    (long long)report.counts.deleted_there, (long long)report.counts.updated_here,
                    (long long)report.counts.read);
        }
        history_violated(h, "I5 quiescence", "a sync with nothing to do wrote");
    }
}

static void show_differences(struct history *h, struct tx *tx,
                             const struct store_divergence *result)
{
    AUTO_ARENA struct arena arena = {0};
    struct store_difference *differences;
    struct error err = {0};
    size_t count = 0;

    if (difference_list(tx, result->connection_id, result->kind, 0, 1000, &arena, &differences,
                        &count, &err) != OK) {
        history_violated(h, "store", err.message);
    }
    for (size_t i = 0; i < count; i++) {
        if (differences[i].reason.len) {
            continue;
        }
        fprintf(stderr, "    %.*s %.*s %s %.*s (%.*s) %.*s\n",
                STR_ARG(h->world->names[world_at(h->world, result->connection_id)]),
                STR_ARG(result->kind), difference_name(differences[i].what),
                STR_ARG(differences[i].remote_id), STR_ARG(differences[i].uuid),
                STR_ARG(differences[i].fields));
    }
}

/* At rest a complete comparison finds nothing but what a conflict or a failure names. */
static void check_reconciled(struct history *h)
{
    AUTO_ARENA struct arena arena = {0};
    AUTO_TX struct tx *tx = NULL;
    struct store_divergence *results;
    struct sync_report report;
    struct error err = {0};
    size_t count;

    reconcile(h, false, &report);
    if (report.problems_count) {
        history_violated(h, "reconciliation", report.problems[0].error.message);
    }
    if (tx_begin(h->world->store, TENANT_DEFAULT, &tx, &err) != OK ||
        divergence_list(tx, &arena, &results, &count, &err) != OK) {
        history_violated(h, "store", err.message);
    }
    for (size_t i = 0; i < count; i++) {
        if (results[i].differences > results[i].explained) {
            show_differences(h, tx, &results[i]);
            history_violated(h, "reconciliation", "two sides at rest differ, and nobody says why");
        }
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

/* One of each CRM, and in half of the histories further accounts. */
static void choose_connections(struct random *random, struct world_options *options)
{
    static const int COUNTS[] = {2, 2, 3, 4};

    options->connections = COUNTS[random_below(random, COUNT_OF(COUNTS))];
    for (int i = 0; i < options->connections; i++) {
        options->crms[i] = i < CRMS ? (enum crm)i : (enum crm)random_below(random, CRMS);
    }
}

void history_run(uint64_t seed, enum history_style style, int verbose,
                 struct history_counts *counts)
{
    struct history *h = alloc_new(1, sizeof *h);
    struct sync_report report;
    struct world_options options = {.seed = seed};
    int rounds;

    h->random = random_new_seeded(seed ^ 0x9E3779B97F4A7C15u);
    options.records = (int)random_below(h->random, 8);
    options.deletes = random_below(h->random, 2) ? DELETES_ARCHIVE : DELETES_UNLINK;
    options.policy = policy_of(h->random);
    options.index_lag_ms = random_below(h->random, 3) ? 0 : 5000;
    h->seed = seed;
    h->style = style;
    h->verbose = verbose;
    h->counts = counts;
    h->has_work = random_below(h->random, 2) == 0;
    h->has_restores = seed % 3 == 0;
    choose_connections(h->random, &options);
    options.has_work = h->has_work;
    h->world = world_new(&options);
    if (style == HISTORY_TURNS) {
        h->meanwhile_left = MEANWHILE_MAX;
        start_service(h);
    }
    if (random_below(h->random, 2)) {
        world_sync(h->world, false, &report);
    }
    for (int i = 0; i < ACTIONS_MAX; i++) {
        if (h->has_restores && (i == ACTIONS_MAX / 3 || i == 2 * ACTIONS_MAX / 3)) {
            back_up_or_restore(h);
        }
        act(h);
    }
    for (int at = 0; at < h->world->count; at++) {
        world_faults(h->world, at, json_object());
    }
    if (h->service) {
        service_run(h->service, 60 * 60 * 1000);
        stop_service(h);
    }
    rounds = world_settle(h->world, ROUNDS_MAX);
    check(h);
    check_quiet(h);
    check_reconciled(h);
    counts->histories++;
    counts->rounds_most = rounds > counts->rounds_most ? rounds : counts->rounds_most;
    world_free(h->world);
    random_free(h->random);
    free(h);
}
