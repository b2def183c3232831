/* Inside of sync/: what one run did to one record, read from the journal. Not for other rooms. */
#ifndef CRMSYNC_SYNC_EFFECT_H
#define CRMSYNC_SYNC_EFFECT_H

#include "store/journal.h"
#include "store/record.h"

/* From the value before the run to the one after it, however often it changed in between. */
struct effect_there {
    int64_t connection_id;
    struct str remote_id;
    bool is_created, is_deleted;
    struct fields from, to;
};
/* An object that the run brought to the record. */
struct effect_link {
    int64_t connection_id;
    struct str remote_id;
};

enum { EFFECT_SIDES_MAX = 64 };

struct effect {
    struct store_record record; /* as it is now */
    bool is_created;            /* here, by the run */
    struct fields from, to;     /* here */
    struct effect_there there[EFFECT_SIDES_MAX];
    size_t there_count;
    struct effect_link links[EFFECT_SIDES_MAX];
    size_t links_count;
    /* connections whose objects brought the changes here */
    int64_t sources[EFFECT_SIDES_MAX];
    size_t sources_count;
    const char *impossible; /* why it cannot be taken back as a whole; NULL: it can */
};

enum fail effect_of_run(struct tx *tx, int64_t run_id, int64_t record_id, struct arena *arena,
                        struct effect *ret, struct error *err) MUST_CHECK;
struct effect_there *effect_at(struct effect *effect, int64_t connection_id);

#endif
