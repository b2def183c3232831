/* Inside of sync/: what undo shares between its parts. Not for other rooms. */
#ifndef CRMSYNC_SYNC_UNDO_THERE_H
#define CRMSYNC_SYNC_UNDO_THERE_H

#include "sync/effect.h"
#include "sync/send.h"
#include "sync/slice.h"
#include "sync/undo.h"

enum { UNDO_BATCH = 100 };

struct undo {
    struct run run; /* first: a slice gets it back as struct undo */
    int64_t run_id; /* the one that is taken back */
    bool do_it;
    bool is_telling;
    int64_t ended_ms; /* when that run ended; 0 not known */
    undo_fn *tell;
    void *context;
    struct undone *result;
    json_t *refused; /* record id → why */
};

/* A record is left as it is from here on; said at once when the looking is over. why lives as long as the program. */
void undo_refuse(struct undo *undo, const struct effect *effect, const char *why);
const char *undo_refusal(const struct undo *undo, int64_t record_id); /* NULL: none */
void undo_tell(struct undo *undo, const struct change *change);

/* The objects of one stream: values written back, made ones removed. */
enum fail undo_there(struct undo *undo, struct pass *pass, struct error *err);

#endif
