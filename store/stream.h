/* Streams: one kind of one connection, with cursors, schedule and lease; hints: the inbox of webhook events and the dirty marks. */
#ifndef CRMSYNC_STORE_STREAM_H
#define CRMSYNC_STORE_STREAM_H

#include "store/store.h"

struct store_stream {
    int64_t id;
    int64_t connection_id;
    struct str kind;
    bool first_import_done;     /* a LIST_ALL has been completed once */
    struct str cursor_all;      /* position in a running LIST_ALL; "" none running */
    struct str cursor_changed;  /* LIST_CHANGED */
    struct str cursor_deleted;  /* LIST_DELETED */
    int64_t scan;               /* number of the running or last LIST_ALL */
    int64_t scan_listed;        /* records seen in the running one */
    int64_t scanned_ms;         /* when the last complete LIST_ALL ended; 0 never */
    struct str mapping_version; /* mapping under which the bases were written */
    int64_t agreed_ms;          /* when both sides first agreed completely; 0 never */
    int64_t pulled_ms;          /* when a listing of changes last reached its end; 0 never */
    int64_t next_run_at_ms;     /* not before */
    int failures_in_row;
    struct str note; /* last problem or brake, for people; "" none */
    int64_t epoch;   /* fencing: rises with each claim */
    struct str lease_owner;
    int64_t lease_until_ms;
};

/* Makes the row when missing. */
enum fail stream_ensure(struct tx *tx, int64_t connection_id, struct str kind, struct arena *arena,
                        struct store_stream *ret, struct error *err) MUST_CHECK;
enum fail stream_list(struct tx *tx, struct arena *arena, struct store_stream **ret,
                      size_t *ret_count, struct error *err) MUST_CHECK;
/* Both sides agree completely, for the first time. */
enum fail stream_agreed(struct tx *tx, int64_t connection_id, struct str kind, int64_t now_ms,
                        struct error *err) MUST_CHECK;
/* Takes the lease when it is free or expired: raises epoch, sets owner and until. ret_claimed false: *stream shows the holder. */
enum fail stream_claim(struct tx *tx, struct store_stream *stream, struct arena *arena,
                       struct str owner, int64_t now_ms, int64_t until_ms, bool *ret_claimed,
                       struct error *err) MUST_CHECK;
/* Writes cursors, scan, schedule, note and lease_until. FAIL_CANCELLED when the epoch in the row is another: the lease was lost. */
enum fail stream_save(struct tx *tx, const struct store_stream *stream,
                      struct error *err) MUST_CHECK;
enum fail stream_release(struct tx *tx, const struct store_stream *stream,
                         struct error *err) MUST_CHECK;

/* Dirty marks: remote ids that must be read by id. Marking again raises the generation. */
struct dirty_mark {
    struct str remote_id;
    int64_t generation;
};
enum fail dirty_put(struct tx *tx, int64_t connection_id, struct str kind, struct str remote_id,
                    struct error *err) MUST_CHECK;
/* By remote id, after `after` ("": from the first). */
enum fail dirty_list(struct tx *tx, int64_t connection_id, struct str kind, struct str after,
                     size_t limit, struct arena *arena, struct dirty_mark **ret, size_t *ret_count,
                     struct error *err) MUST_CHECK;
/* Removes the mark unless it was raised since it was listed. */
enum fail dirty_clear(struct tx *tx, int64_t connection_id, struct str kind,
                      const struct dirty_mark *mark, struct error *err) MUST_CHECK;

/* Inbox: an event made durable; event_key makes a repeat vanish. ret_new false: it was there already. */
enum fail inbox_put(struct tx *tx, int64_t connection_id, struct str event_key, struct str kind,
                    struct str remote_id, bool *ret_new, struct error *err) MUST_CHECK;
/* Turns up to limit events into dirty marks, oldest first. */
enum fail inbox_triage(struct tx *tx, size_t limit, size_t *ret_count,
                       struct error *err) MUST_CHECK;

#endif
