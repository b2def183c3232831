/* Inside of the Salesforce adapter's writing half; see salesforce_inside.h. salesforce_choices.c: which stages and states there are;
 * salesforce_body.c: one item as the fields of one object; salesforce_activity_body.c: tasks and events; salesforce_pack.c: many records
 * in few calls; salesforce_many.c: thousands of creates; salesforce_write.c: creating, updating, deleting; salesforce_refusal.c: why a record was not taken;
 * salesforce_roles.c: people of deals; salesforce_bulk_write.c, salesforce_loads.c: loads; salesforce_setup.c: what crmsync makes there. */
#ifndef CRMSYNC_ADAPTERS_SALESFORCE_WRITE_H
#define CRMSYNC_ADAPTERS_SALESFORCE_WRITE_H

#include "adapters/salesforce_inside.h"

/* So many updates of one upsert() are sent one by one in a single call, each with If-Unmodified-Since: 412 instead of overwriting what
 * somebody changed after it was read. More of them would cost a call for each 25 instead of one for each 1,000, so those go through
 * collections, which have no condition: what changes between the read just before the write and the write itself is overwritten, as at
 * the other CRMs. source: REST API Developer Guide, "Conditional Request Headers" (of rows only) */
enum { SF_LOCKED_MAX = SF_COMPOSITE_MAX };

/* --- choices ---------------------------------------------------------------------------------- */

struct salesforce_stage {
    struct str name; /* API name, as StageName holds it */
    bool is_closed, is_won;
};
/* Active stages in people's order; states of tasks. */
struct salesforce_choices {
    struct arena arena;
    int64_t read_ms; /* 0: not read */
    const struct salesforce_stage *stages;
    size_t stages_count;
    struct str task_open, task_closed; /* the states that mean not done, done */
};

/* Reads them when they have not been read lately: one call. */
enum fail salesforce_load_choices(struct session *session, struct error *err);
void salesforce_free_choices(struct session *session);

/* --- one item --------------------------------------------------------------------------------- */

/* One item as Salesforce takes it. */
struct salesforce_outgoing {
    struct write_item *item;
    const char *object; /* "Contact" */
    bool is_create;
    json_t *body; /* fields by API name; arena. Empty: nothing to say about the object itself */
    /* the written members as a read would show them where that differs from what was sent; arena; NULL: no difference */
    json_t *shown;
    struct str parent; /* whose row is locked along with it, "" none */
    struct str since;  /* HTTP date of what it was made from, "" unknown */
    /* a duplicate rule refused it without saying for which records: answers to collections leave that out */
    bool lacks_matches;
};

bool salesforce_is_create(const struct write_item *item);
/* The object that a create makes or an id belongs to; NULL: the id is of none of the kind's objects. */
const char *salesforce_target(struct session *session, const char *kind,
                              const struct write_item *item);
/* The same without a session, for counting: "" of kinds that live in one object. Pure. */
const char *salesforce_target_name(const char *kind, const struct write_item *item);
/* Whether the choices are needed. Pure. */
bool salesforce_needs_choices(const char *kind, const struct write_item *item);
/* The objects have been described, the choices read where they are needed. FAIL_RECORD: Salesforce will never take it. */
enum fail salesforce_fill(struct session *session, const char *kind, struct write_item *item,
                          struct arena *arena, struct salesforce_outgoing *ret, struct error *err);
/* Tasks and events: takes the pseudo-properties out of the members and adds what they mean. */
enum fail salesforce_fill_activity(const struct session *session, struct salesforce_outgoing *out,
                                   struct arena *arena, struct error *err);
/* What a batch needs to know before its items are filled. */
struct salesforce_needs {
    json_t *names; /* the members that are written */
    bool leads, choices;
};
void salesforce_note_needs(const char *kind, const struct write_item *item,
                           struct salesforce_needs *needs);
/* Loads it where it is not there yet. */
enum fail salesforce_meet_needs(struct session *session, const char *kind,
                                const struct salesforce_needs *needs, struct arena *arena,
                                struct error *err);
/* The object of a kind that lives in two which its other one is not: events, leads. Pure. */
bool salesforce_is_beside(const char *object);
/* StageName out of deal.stage, deal.status and what is there; STR_NONE: it stays. Pure. */
enum fail salesforce_stage_name(const struct salesforce_choices *choices,
                                const struct write_item *item, struct str *ret, struct error *err);
/* A field that may not be blank there and may be here: SF_NOT_PROVIDED stands in it. Pure. */
bool salesforce_is_placeheld(const struct salesforce_object *object, struct str field);
/* A value as a field of that type takes it. */
json_t *salesforce_wire(const struct salesforce_field *field, json_t *value, struct arena *arena);
/* A member that was written differs from what a read will show. */
void salesforce_show(struct salesforce_outgoing *out, struct arena *arena, const char *name,
                     json_t *take_value);

/* --- many in few calls ------------------------------------------------------------------------ */

/* One request of a composite call: up to SF_COLLECTION_MAX records, or one row. */
struct salesforce_part {
    enum http_method method;
    struct str path;
    json_t *body;       /* arena; NULL none */
    json_t *headers;    /* arena; NULL none */
    bool is_row;        /* one row with its own status; else a collection */
    bool is_repeatable; /* once more does no harm */
    /* out: sub.result, sub.error, sub.status, sub.answer. Never sent: FAIL_… with status 0 and without is_outcome_unknown */
    struct salesforce_sub sub;
};

/* Packed into as few calls as go: 25 requests, 5 of them collections. Fails when nothing more can be sent; the parts that were answered
 * keep their results. */
enum fail salesforce_send_parts(struct session *session, struct salesforce_part *parts,
                                size_t count, struct arena *arena, struct error *err);
/* How many calls that takes for so many rows, followed by so many collections. Pure. */
int64_t salesforce_pack_calls(size_t rows, size_t collections);
size_t salesforce_collections_of(size_t records);
/* Duplicate rules speak up, assignment rules do not. Borrowed from arena. */
json_t *salesforce_write_headers(struct arena *arena);

/* --- outcomes --------------------------------------------------------------------------------- */

/* What an error document means for one item, which is not written. */
void salesforce_refuse(struct salesforce_outgoing *out, int status, const json_t *errors,
                       struct arena *arena);
/* The item is written. */
void salesforce_keep_done(struct salesforce_outgoing *out, struct str id, struct arena *arena);
/* Nobody knows, or it was not sent: by what ended its request. */
void salesforce_keep_failure(struct salesforce_outgoing *out, const struct error *err);
/* What a failure of one record is: one that concerns the whole connection elsewhere must not stop the others here. */
void salesforce_soften(struct error *err);

/* --- very many -------------------------------------------------------------------------------- */

/* A job takes five calls when nothing goes wrong (made, filled, closed, looked at, read), collections one for each 1,000. */
enum {
    SF_BULK_CALLS = 5,
    SF_BULK_MIN = SF_BULK_CALLS * SF_COLLECTION_MAX * SF_QUERIES_MAX + 1,
    SF_CREATE_MANY_MAX = 10000 /* rows of one of Salesforce's own batches of a job */
};

/* One create as a row of a load. */
struct salesforce_load_row {
    struct create_item *item;
    struct str cells;     /* of the first columns_count columns, without a line's end */
    size_t columns_count; /* later ones are empty */
    struct str shown;     /* what a read will show, where that differs from what was sent: packed */
    bool lacks_matches;   /* out: as in salesforce_outgoing */
};
struct salesforce_load {
    const char *object;
    const json_t *columns; /* names, in the order of the cells */
    struct salesforce_load_row **rows;
    size_t count;
};

/* The filled item's row, except for its item; columns grow. False: a cell cannot say one of its values. */
bool salesforce_load_add(const struct salesforce_outgoing *out, json_t *columns,
                         struct salesforce_load_row *ret, struct arena *arena);
/* Creates of one object, by one job. *ret_taken false: nothing was written, send them otherwise. Fails when nothing more can be sent; the
 * items are decided, those that nobody has told of are unknown. */
enum fail salesforce_bulk_create(struct session *session, const struct salesforce_load *load,
                                 struct arena *arena, bool *ret_taken, struct error *err);
/* So many creates whose outcome nobody knows may be those of a load that was not heard of again. */
enum { SF_LOAD_LOOK_MIN = 500 };
/* FAIL_THROTTLED while a load of ours into one of the objects is at work. */
enum fail salesforce_await_loads(struct session *session, const char *const *objects, size_t count,
                                 struct error *err);
/* The result of a create that was written on its own. */
void salesforce_keep_created(struct create_item *item, const struct write_item *written,
                             struct arena *arena);

/* --- people of deals -------------------------------------------------------------------------- */

/* Writes deal.contacts of the items that are done so far; where that fails, the member is not shown. With an error in err nothing more can
 * be sent: then it fails by that for each. */
enum fail salesforce_write_roles(struct session *session, struct salesforce_outgoing *outs,
                                 size_t count, struct arena *arena, struct error *err);
/* Pure. */
int64_t salesforce_role_calls(const struct write_item *items, size_t count);

/* --- the contract ----------------------------------------------------------------------------- */

enum fail salesforce_upsert(struct session *session, const char *kind, struct arena *arena,
                            struct write_item *items, size_t count, struct error *err);
/* The same without the people of deals. */
enum fail salesforce_write_objects(struct session *session, const char *kind, struct arena *arena,
                                   struct write_item *items, size_t count, struct error *err);
enum fail salesforce_create_many(struct session *session, const char *kind, struct arena *arena,
                                 struct create_item *items, size_t count, struct error *err);
int64_t salesforce_create_calls(const char *kind, const struct create_item *items, size_t count);
enum fail salesforce_remove(struct session *session, const char *kind, struct remove_item *items,
                            size_t count, struct error *err);
int64_t salesforce_upsert_calls(const char *kind, const struct write_item *items, size_t count);
int64_t salesforce_remove_calls(const char *kind, const struct remove_item *items, size_t count);
enum fail salesforce_ensure_setup(struct session *session, const struct setup_request *request,
                                  struct setup_report *ret, struct error *err);

#endif
