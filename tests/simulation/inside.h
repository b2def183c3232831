/* Inside of the histories: what people and deals share. */
#ifndef CRMSYNC_TESTS_SIMULATION_INSIDE_H
#define CRMSYNC_TESTS_SIMULATION_INSIDE_H

#include "store/link.h"
#include "tests/simulation/door.h"
#include "tests/simulation/history.h"
#include "tests/simulation/network.h"
#include "tests/simulation/service.h"
#include "tests/simulation/world.h"

enum { TOKENS_MAX = 128, TOKEN_BYTES = 40, VALUE_BYTES = 256, ID_BYTES = 48 };

/* Fields that tokens are typed into; the first ones belong to people. */
enum token_field {
    TOKEN_FIRST_NAME,
    TOKEN_LAST_NAME,
    TOKEN_PHONE,
    TOKEN_OF_PEOPLE,
    TOKEN_DEAL_NAME = TOKEN_OF_PEOPLE,
    TOKEN_ACTIVITY_SUBJECT
};

/* A value typed by a person, unique in the whole history. */
struct token {
    char text[TOKEN_BYTES];
    char side;             /* 'a' and so on: the connection; 'l': here */
    char object[ID_BYTES]; /* id at that side */
    enum token_field field;
    bool is_superseded; /* a person typed over it on the same side, or removed the object */
    int64_t at_ms;      /* when it was typed */
};

struct history {
    struct world *world;
    struct random *random;
    uint64_t seed;
    int verbose;
    bool has_work; /* deals and activities take part */
    int actions_max;
    bool has_restores, has_backup;
    bool
        is_plain; /* nobody is deleted for good, merged or restored from a backup: what must hold is sharper */
    bool has_lost; /* a plain one in which somebody did not come back in time */
    struct bystander *bystander;
    enum history_style style;
    struct service *service; /* HISTORY_TURNS */
    struct network *network;
    struct door *door; /* NULL: nobody tells anything */
    struct random *door_random;
    bool is_told;       /* what happens at a CRM is heard, and not looked for */
    int meanwhile_left; /* edits while a call is in the air */
    struct token tokens[TOKENS_MAX];
    int tokens_count;
    int next;
    struct history_counts *counts;
};

/* What is looked at when the world has come to rest. */
struct checking {
    struct history *h;
    struct arena arena;
    struct tx *tx;
    json_t *states[CONNECTIONS_MAX]; /* people */
    bool is_by_changes; /* before a complete listing: who is gone may not be known yet */
};

_Noreturn void history_violated(const struct history *h, const char *rule, const char *what);
void history_tell(const struct history *h, const char *action, const char *side, const char *what);
char history_side(int at);
int history_some_side(const struct history *h);
enum crm history_crm(const struct history *h, int at);
/* The CRM's own word for the kind. */
const char *history_word(const struct history *h, int at, const char *kind);
bool history_is_live(const json_t *record);
bool history_is_merged_away(const json_t *record);
/* A live object's id, by the CRM's own word; false when there is none. */
bool history_pick(const struct history *h, int at, const char *word, char ret[ID_BYTES]);
bool history_pick_record(const struct history *h, const char *kind, char ret[ID_BYTES]);
void history_token(struct history *h, char side, const char *object, enum token_field field,
                   char ret[TOKEN_BYTES]);
void history_supersede(struct history *h, char side, const char *object);
/* A person's order to a simulator: path "/__sim/…"; the body is taken. */
void history_order(const struct history *h, int at, const char *path, json_t *take_body);
json_t *history_find_live(json_t *state, struct str id);
/* A conflict of the field or a failure of the record says why the sides differ. */
bool history_is_excused(struct checking *c, const struct store_link *link, const char *field);

/* Typed at some CRM's object, whether it lives or not. */
bool history_token_is_visible(struct checking *c, const struct token *token);
/* Both sides compared; problems are allowed (faults). It writes nothing at the CRMs. */
void history_reconcile(struct history *h, bool repair, struct sync_report *ret);

/* --- people.c, people_check.c: what a person does with people; at a CRM, or here ------------------------------------------------------ */

/* The unified name of a field that tokens are typed into. */
const char *people_field(enum token_field field);
void people_type(struct history *h, int at, const char *id, enum token_field field);
void people_type_here(struct history *h, const char *uuid, enum token_field field);
void people_remove(struct history *h, int at, const char *id);
void people_bring_back(struct history *h, int at, const char *id);
void people_edit(struct history *h, int at);
void people_create(struct history *h, int at);
void people_delete(struct history *h, int at);
void people_merge(struct history *h, int at);
void people_edit_here(struct history *h);
void people_create_here(struct history *h);
void people_delete_here(struct history *h);
/* I1 and I4 of those who live. */
void people_check_changes(struct history *h);
/* I1 to I4 at rest, deals and activities among them. */
void people_check(struct history *h);

/* --- plain.c: histories of which more can be said ------------------------------------------------------------------------------------ */

/* One thing that a person does; true: done, false: it is the service's turn. */
bool plain_act(struct history *h);
/* While a write is on its way to the CRM: an edit there that it must not touch. */
void plain_edit_in_air(struct history *h, int at);
/* The same field of the same person, typed at two places at once or nearly. */
void plain_clash(struct history *h);
/* Nobody was deleted by us whom nobody deleted. */
void plain_check(struct checking *c);

/* --- strategy_check.c: I16, I18 ------------------------------------------------------------------------------------------------------ */

/* Of a plain history: each decision that the journal names is the strategy's, by when and where people typed the two values, and what we wrote ourselves
 * is nobody's edit. */
void strategy_check(struct checking *c);

/* --- bystander.c: I10 ---------------------------------------------------------------------------------------------------------------- */

/* Another tenant in the same store, with the same people, ids and marks, for whom nobody works: nothing of it may change. */
struct bystander *bystander_new(struct history *h);
void bystander_check(struct history *h);
void bystander_free(struct bystander *bystander); /* accepts NULL */

/* --- missed_check.c: I7 -------------------------------------------------------------------------------------------------------------- */

/* Listings of what changed find every change of an object that lives, without a complete one. */
void missed_check(struct history *h);

/* Without any listing: what CRMs told is here, and no event waits any more. */
void told_check(struct history *h);

/* --- rest_check.c: I5, and the comparison at rest ----------------------------------------------------------------------------------- */

void history_check_rest(struct history *h);

/* --- store_check.c: I6, I9, I11, I15 ------------------------------------------------------------------------------------------------- */

/* What the store holds at rest. */
void store_check(struct history *h);

/* --- work.c, work_check.c: deals and activities ------------------------------------------------------------------------------------- */

/* One thing that a person does with deals or activities somewhere. */
void work_act(struct history *h);
/* Both CRMs show the same deals and activities; what was typed is visible somewhere. */
void work_check(struct checking *c);
bool work_is_visible(struct checking *c, const struct token *token);

#endif
