/* I16: what a strategy decided, held against what people did: values are unique, so each names who typed it, where and when. I18: what we wrote at a CRM
 * is never taken for somebody's edit there. Of plain histories: after a merge or an ended link a value that we wrote meets another record anew. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "store/journal.h"
#include "tests/simulation/inside.h"

enum { RECORDS_MAX = 400, UNSURE_MS = 1500 };

/* One decision of one field. */
struct decision {
    struct checking *c;
    int at; /* the connection whose object was read */
    struct str rule;
    const struct token *winner, *loser; /* NULL: not typed by anybody in this history */
};

static const struct token *token_of(const struct history *h, const struct value *value)
{
    for (int i = 0; value->state == VALUE_TEXT && i < h->tokens_count; i++) {
        if (str_equal(value->text, str_of(h->tokens[i].text))) {
            return &h->tokens[i];
        }
    }
    return NULL;
}

static _Noreturn void complain(const struct decision *d, const char *rule, const char *what)
{
    history_violated(
        d->c->h, rule,
        arena_printf(&d->c->arena, "%s: '%s' won against '%s' by '%" PRI_STR "', read at %" PRI_STR,
                     what, d->winner ? d->winner->text : "", d->loser ? d->loser->text : "",
                     STR_ARG(d->rule), STR_ARG(d->c->h->world->names[d->at]))
            .at);
}

static struct str name_of(const struct history *h, const struct token *token)
{
    return token->side == 'l' ? STR("local") : h->world->names[token->side - 'a'];
}

/* The connections' settings say how much each counts; what is typed here counts as the first. */
static int priority_of(const struct history *h, const struct token *token)
{
    return token->side == 'l' ? h->world->all.local_priority
                              : h->world->settings[token->side - 'a'].priority;
}

/* Of the others an edit of any field, by anybody, may stand for the edit of this one. */
static bool has_exact_time(const struct history *h, const struct token *token)
{
    return token->side == 'l' || history_crm(h, token->side - 'a') == HUBSPOT;
}

static void check_order(const struct decision *d)
{
    const struct history *h = d->c->h;

    if (str_ends(d->rule, STR("(tie)"))) {
        if (str_compare(name_of(h, d->winner), name_of(h, d->loser)) > 0) {
            complain(d, "I16 strategy", "of two at once the other one was to win");
        }
    } else if (has_exact_time(h, d->winner) && d->winner->at_ms + UNSURE_MS < d->loser->at_ms) {
        complain(d, "I16 strategy", "the older value won");
    }
}

static void check_strategy(const struct decision *d)
{
    const struct history *h = d->c->h;

    if (!d->winner || !d->loser || d->winner->side == d->loser->side) {
        return;
    }
    if (str_starts(d->rule, STR("last-write-wins"))) {
        check_order(d);
    } else if (str_equal(d->rule, STR("source-priority")) &&
               priority_of(h, d->winner) <= priority_of(h, d->loser)) {
        complain(d, "I16 strategy", "what counts less won");
    } else if (str_equal(d->rule, STR("field-merge: remote-first")) &&
               d->winner->side != history_side(d->at)) {
        complain(d, "I16 strategy", "the hub's value won");
    }
}

/* Whichever of the two was read at the CRM was typed there. */
static void check_provenance(const struct decision *d, const struct token *read)
{
    if (read && read->side != history_side(d->at)) {
        complain(d, "I18 provenance", "what we wrote there ourselves counts as an edit");
    }
}

static bool is_decided(struct str rule)
{
    return str_starts(rule, STR("last-write-wins")) || str_starts(rule, STR("source-priority")) ||
           str_starts(rule, STR("field-merge"));
}

static void check_change(struct checking *c, const struct journal_entry *entry,
                         const struct journal_change *change)
{
    struct decision d = {.c = c,
                         .at = world_at(c->h->world, entry->connection_id),
                         .rule = change->rule,
                         .winner = token_of(c->h, &change->to),
                         .loser = token_of(c->h, &change->lost)};
    bool hub_won = value_equal(&change->from, &change->to);

    check_strategy(&d);
    if (is_decided(change->rule)) {
        check_provenance(&d, hub_won ? d.loser : d.winner);
    } else if (str_equal(change->rule, STR("adopt"))) {
        check_provenance(&d, d.winner);
    }
}

static void check_conflicts(struct checking *c)
{
    struct store_conflict *conflicts;
    struct error err = {0};
    size_t count;

    if (conflict_list(c->tx, false, 0, 10000, &c->arena, &conflicts, &count, &err) != OK) {
        history_violated(c->h, "store", err.message);
    }
    for (size_t i = 0; i < count; i++) {
        struct decision d = {.c = c,
                             .at = world_at(c->h->world, conflicts[i].connection_id),
                             .rule = STR("manual-review"),
                             .winner = token_of(c->h, &conflicts[i].hub),
                             .loser = token_of(c->h, &conflicts[i].remote)};

        check_provenance(&d, d.loser);
    }
}

void strategy_check(struct checking *c)
{
    for (int64_t id = 1; id < RECORDS_MAX; id++) {
        struct journal_entry *entries;
        struct error err = {0};
        size_t count;

        if (journal_of_record(c->tx, id, 0, 10000, &c->arena, &entries, &count, &err) != OK) {
            history_violated(c->h, "store", err.message);
        }
        for (size_t i = 0; i < count; i++) {
            for (size_t k = 0; entries[i].cause == CAUSE_PULL && k < entries[i].changes_count;
                 k++) {
                check_change(c, &entries[i], &entries[i].changes[k]);
            }
        }
    }
    check_conflicts(c);
}
