/* What a run is about to change, told before it is committed or sent: a plan writes it down, an apply lets through exactly what the plan says.
 * Without a gate everything may happen and nothing is told. */
#ifndef CRMSYNC_SYNC_GATE_H
#define CRMSYNC_SYNC_GATE_H

#include "core/uuid.h"
#include "store/journal.h"

enum change_op {
    CHANGE_CREATE,
    CHANGE_UPDATE,
    CHANGE_DELETE,
    CHANGE_LINK,     /* a record and an object are recognised as the same thing */
    CHANGE_UNLINK,   /* the link ends; neither side is touched */
    CHANGE_MERGE,    /* two records become one because their objects did */
    CHANGE_RESTORE,  /* a deleted record comes back */
    CHANGE_CONFLICT, /* a field begins to wait for a person */
    CHANGE_ENTER,    /* a linked pair takes part again */
    CHANGE_LEAVE,    /* a linked pair rests: the filter or a person says so */
};

/* One thing that would happen. Everything is borrowed for the call. */
struct change {
    bool is_there; /* an object of the connection is written; else a record of the store */
    enum change_op op;
    struct str connection; /* here: whose object brought it */
    struct str kind;
    struct str uuid;      /* of the record */
    struct fields record; /* its fields, to name it to people; may be empty */
    struct str remote_id; /* "" for a create there */
    /* from and to in normal form; there: from is what the CRM showed just before */
    const struct journal_change *fields;
    size_t fields_count;
};

/* What came of an allowed change there. */
enum settled {
    SETTLED_NOT_DONE,
    SETTLED_DONE, /* a create of an earlier run or request that is found done */
    SETTLED_UNSURE /* the answer was lost; found_out says later what came of it, in this run or never */
};

struct gate {
    void *context;
    /* All of them or none: they are one transaction or one request. remote_id: of the object that is read or written, "" for a create. */
    bool (*allows)(void *context, const struct change *changes, size_t count, struct str remote_id);
    /* May be NULL. */
    void (*settled)(void *context, const struct change *change, enum settled what);
    /* An update or delete there whose answer was lost is known to be done, or not to be. May be NULL. */
    void (*found_out)(void *context, struct str connection, struct str kind, struct str uuid,
                      bool is_done);
    /* An object that was refused before in this run: it is not read again. May be NULL. */
    bool (*is_put_off)(void *context, struct str connection, struct str kind, struct str remote_id);
    /* The id that the plan gave the record of an object. May be NULL; false: none. */
    bool (*uuid_of)(void *context, struct str connection, struct str kind, struct str remote_id,
                    char ret[UUID_TEXT_BYTES]);
};

/* "create", "update", … */
const char *change_op_name(enum change_op op);
bool change_op_parse(struct str text, enum change_op *ret);

#endif
