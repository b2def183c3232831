/* The journal: append-only history of every field change with cause, source and rule. explain, undo and the times for last-write-wins read it. */
#ifndef CRMSYNC_STORE_JOURNAL_H
#define CRMSYNC_STORE_JOURNAL_H

#include "store/store.h"

/* What brought a change. */
enum journal_cause {
    CAUSE_IMPORT, /* a new record; without changes: an object was recognised as this record */
    CAUSE_PULL,
    CAUSE_LOCAL,
    CAUSE_CONFLICT,
    CAUSE_MERGE,
    CAUSE_DELETE,
    CAUSE_RESTORE,
    CAUSE_PUSH /* written at a CRM: from is what it showed, to what was sent. The record did not change */
};

/* One field of one entry. A side that lost keeps its value here. */
struct journal_change {
    struct str field;
    struct value from, to; /* equal when only a loser is recorded */
    struct str rule;       /* conflict/merge.h rule words, "import", "local edit", … */
    struct value lost;     /* VALUE_ABSENT: nothing lost */
    int64_t changed_ms;    /* when it changed at its source, as far as known */
    bool time_is_exact;    /* of the field; else of the record or of our first sight */
};

struct journal_entry {
    int64_t id;
    int64_t record_id;
    int64_t record_version; /* of the record after the change */
    int64_t at_ms;          /* when we wrote it down */
    int64_t run_id;         /* 0 none */
    int64_t connection_id;  /* source of the change; 0 = local */
    struct str remote_id;   /* "" local */
    enum journal_cause cause;
    bool is_erasure; /* CAUSE_DELETE, without changes: nothing is left of it */
    const struct journal_change *changes;
    size_t changes_count;
    const struct fields *
        first_values; /* when appending: the same as the changes, where these are a new record's values; may be NULL */
};

enum fail journal_append(struct tx *tx, const struct journal_entry *entry,
                         struct error *err) MUST_CHECK;
/* Of one record, newest first, before before_id (0: from the newest). */
enum fail journal_of_record(struct tx *tx, int64_t record_id, int64_t before_id, size_t limit,
                            struct arena *arena, struct journal_entry **ret, size_t *ret_count,
                            struct error *err) MUST_CHECK;
/* Of all records, oldest first, after a number. */
enum fail journal_after(struct tx *tx, int64_t after_id, size_t limit, struct arena *arena,
                        struct journal_entry **ret, size_t *ret_count,
                        struct error *err) MUST_CHECK;
/* Where the present value of a field came from: the newest entry in which it really changed (from != to). */
struct journal_origin {
    int64_t changed_ms, connection_id;
    bool time_is_exact;
};
enum fail journal_origin_of(struct tx *tx, int64_t record_id, struct str field,
                            struct journal_origin *ret, bool *ret_found,
                            struct error *err) MUST_CHECK;
/* Records that a run touched, highest id first, before before_id (0: from the highest). FAIL_RECORD: there is no such run. */
enum fail journal_records_of_run(struct tx *tx, int64_t run_id, int64_t before_id, size_t limit,
                                 int64_t *ret_ids, size_t *ret_count, struct error *err) MUST_CHECK;
const char *journal_cause_name(enum journal_cause cause);

#endif
