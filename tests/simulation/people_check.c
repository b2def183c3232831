/* What must hold of people when a history has come to rest: the ground truth of all CRMs against the store, compared without the mapper. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "store/journal.h"
#include "tests/simulation/inside.h"

enum { RECORDS_MAX = 400 };

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

/* The base says what was last seen there, so at rest what is there. */
static void check_base(struct checking *c, const struct store_link *link, const char *field,
                       const char *there)
{
    const struct value *seen = fields_get(&link->base.remote, str_of(field));
    struct str theirs = seen->state == VALUE_TEXT ? seen->text : STR("");

    if (!is_same(field, theirs, str_of(there)) && !history_is_excused(c, link, field)) {
        history_violated(c->h, "I1 bases",
                         arena_printf(&c->arena,
                                      "%s of %" PRI_STR " is '%s', its base says '%" PRI_STR "'",
                                      field, STR_ARG(link->remote_id), there, STR_ARG(theirs))
                             .at);
    }
}

/* I1: every live link shows the hub's value at the CRM, unless a conflict or a failure names it. */
static void check_link(struct checking *c, const struct store_record *record,
                       const struct store_link *link)
{
    static const char *const COMPARED[] = {"email", "first_name", "last_name", "phone"};
    int at = world_at(c->h->world, link->connection_id);
    json_t *there = history_find_live(c->states[at], link->remote_id);
    char what[512];

    if (!there && c->is_by_changes) {
        return;
    }
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
        if (!c->is_by_changes) {
            check_base(c, link, COMPARED[i], value);
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
        if (!key || !key[0] || history_is_merged_away(record)) {
            continue;
        }
        if (json_object_get(seen, key)) {
            history_violated(c->h, "I3 no duplicate, I4 no resurrection", key);
        }
        json_object_set_new(seen, key, json_true());
    }
    json_decref(seen);
}

/* What the journal says about a value: where it went. */
struct trace {
    bool is_known, is_current, has_lost, was_typed_over;
};

static bool is_text(const struct value *value, const char *text)
{
    return value->state == VALUE_TEXT && str_equal(value->text, str_of(text));
}

/* Typed by a person later than that token. */
static bool is_later(const struct history *h, const struct value *value, const struct token *than)
{
    for (int i = 0; i < h->tokens_count; i++) {
        if (is_text(value, h->tokens[i].text)) {
            return h->tokens[i].at_ms >= than->at_ms;
        }
    }
    return false;
}

static void trace_change(const struct history *h, const struct token *token, bool is_newest,
                         const struct journal_change *change, struct trace *ret)
{
    bool is_to = is_text(&change->to, token->text);
    bool is_lost = is_text(&change->lost, token->text);

    ret->is_known = ret->is_known || is_to || is_lost;
    ret->has_lost = ret->has_lost || is_lost;
    ret->is_current = ret->is_current || (is_to && is_newest);
    ret->was_typed_over = ret->was_typed_over ||
                          (is_text(&change->from, token->text) && is_later(h, &change->to, token));
}

static void trace_in(struct checking *c, const struct token *token, int64_t record_id,
                     struct trace *ret)
{
    struct str field =
        token->field < TOKEN_OF_PEOPLE ? str_of(people_field(token->field)) : STR("");
    struct journal_entry *entries;
    struct error err = {0};
    bool is_newest = true;
    size_t count;

    if (journal_of_record(c->tx, record_id, 0, 10000, &c->arena, &entries, &count, &err) != OK) {
        history_violated(c->h, "store", err.message);
    }
    for (size_t i = 0; i < count; i++) { /* newest first */
        for (size_t k = 0; k < entries[i].changes_count; k++) {
            const struct journal_change *change = &entries[i].changes[k];

            trace_change(c->h, token, is_newest, change, ret);
            if (str_equal(change->field, field) && entries[i].cause != CAUSE_PUSH &&
                !value_equal(&change->from, &change->to)) {
                is_newest = false;
            }
        }
    }
}

/* In a plain history every value that went was typed over, or has its place among the losers; in others much may become of a record. */
static bool journal_explains(struct checking *c, const struct token *token)
{
    struct trace trace = {0};

    for (int64_t record_id = 1; record_id < RECORDS_MAX; record_id++) {
        trace_in(c, token, record_id, &trace);
    }
    return c->h->is_plain && token->field < TOKEN_OF_PEOPLE
               ? trace.is_current || trace.has_lost || trace.was_typed_over
               : trace.is_known;
}

bool history_token_is_visible(struct checking *c, const struct token *token)
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

            world_field(history_crm(c->h, at), record, people_field(token->field), value,
                        sizeof value);
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

        if (!token->is_superseded && !history_token_is_visible(c, token) &&
            !journal_explains(c, token)) {
            history_violated(c->h, "I2 no lost edit", token->text);
        }
    }
}

static void begin(struct checking *c)
{
    struct error err = {0};

    for (int at = 0; at < c->h->world->count; at++) {
        c->states[at] = world_state(c->h->world, at, "contact");
    }
    if (tx_begin(c->h->world->store, TENANT_DEFAULT, &c->tx, &err) != OK) {
        history_violated(c->h, "store", err.message);
    }
}

static void end(struct checking *c)
{
    struct error err = {0};

    if (tx_commit(&c->tx, &err) != OK) {
        history_violated(c->h, "store", err.message);
    }
    for (int at = 0; at < c->h->world->count; at++) {
        json_decref(c->states[at]);
    }
    arena_fini(&c->arena);
}

static void count_open(struct checking *c)
{
    struct error err = {0};
    int64_t open_conflicts = 0, open_failures = 0;

    if (conflict_count_open(c->tx, &open_conflicts, &err) != OK ||
        failure_count_open(c->tx, &open_failures, &err) != OK) {
        history_violated(c->h, "store", err.message);
    }
    c->h->counts->conflicts += open_conflicts;
    c->h->counts->set_aside += open_failures;
}

void people_check_changes(struct history *h)
{
    struct checking c = {.h = h, .is_by_changes = true};

    begin(&c);
    check_links(&c);
    for (int at = 0; at < h->world->count; at++) {
        check_nobody_forgotten(&c, at);
    }
    end(&c);
}

void people_check(struct history *h)
{
    struct checking c = {.h = h};

    begin(&c);
    check_links(&c);
    if (h->has_work) {
        work_check(&c);
    }
    for (int at = 0; at < h->world->count; at++) {
        check_duplicates(&c, at);
        check_nobody_forgotten(&c, at);
    }
    check_tokens(&c);
    if (h->is_plain) {
        strategy_check(&c);
        plain_check(&c);
    }
    count_open(&c);
    end(&c);
}
