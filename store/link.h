/* Links: a record and one remote object that are the same thing, in one connection, with the base of their last agreement.
 * Unique per (tenant, connection, kind, remote_id) and per (tenant, connection, record). Also aliases (merged-away remote ids) and waits
 * (references whose target is not linked yet). */
#ifndef CRMSYNC_STORE_LINK_H
#define CRMSYNC_STORE_LINK_H

#include "core/digest.h"
#include "store/store.h"

enum link_state {
    LINK_LIVE,
    LINK_GONE, /* the remote object is proved gone; grace time runs from gone_since_ms */
    /* ended on purpose or after a delete: neither pulled nor pushed, and blocks a re-creation */
    LINK_UNLINKED,
    LINK_MERGED, /* the remote object was merged into another one that has a link of its own */
};

struct store_link {
    int64_t id;
    int64_t connection_id;
    struct str kind;
    int64_t record_id;
    struct str remote_id;
    enum link_state state;
    struct base base;
    bool has_digest;
    struct digest digest;       /* of the remote half and the mapping's version */
    int64_t remote_modified_ms; /* of the last read that was merged */
    /* record version that this link is known to reflect; smaller than the record's = to push */
    int64_t synced_version;
    /* wall clock when our last write to it was answered; reads begun before are stale */
    int64_t last_write_ms;
    /* when the object was found gone; kept on a link that ended for that reason, 0 on one ended from this side */
    int64_t gone_since_ms;
    int64_t scan;        /* number of the last complete listing that showed it */
    int64_t retry_at_ms; /* not pushed before; 0 = at once */
    bool is_resting;     /* takes no part now (filter, selection); the base stays as it was */
};

/* link_by_remote without base: only what recognises an unchanged record. Fast path of every page. */
struct link_sight {
    int64_t id, record_id, remote_modified_ms, last_write_ms, scan;
    enum link_state state;
    bool has_digest;
    struct digest digest;
};
enum fail link_sight_of(struct tx *tx, int64_t connection_id, struct str kind, struct str remote_id,
                        struct link_sight *ret, bool *ret_found, struct error *err) MUST_CHECK;
enum fail link_by_id(struct tx *tx, int64_t id, struct arena *arena, struct store_link *ret,
                     bool *ret_found, struct error *err) MUST_CHECK;
enum fail link_by_remote(struct tx *tx, int64_t connection_id, struct str kind,
                         struct str remote_id, struct arena *arena, struct store_link *ret,
                         bool *ret_found, struct error *err) MUST_CHECK;
enum fail link_by_record(struct tx *tx, int64_t connection_id, int64_t record_id,
                         struct arena *arena, struct store_link *ret, bool *ret_found,
                         struct error *err) MUST_CHECK;
enum fail links_of_record(struct tx *tx, int64_t record_id, struct arena *arena,
                          struct store_link **ret, size_t *ret_count, struct error *err) MUST_CHECK;
/* Sets link->id. FAIL_STALE when either unique rule would be broken. */
enum fail link_insert(struct tx *tx, struct store_link *link, struct error *err) MUST_CHECK;
/* Writes everything but id, connection, kind. FAIL_STALE as above. */
enum fail link_update(struct tx *tx, const struct store_link *link, struct error *err) MUST_CHECK;
/* As if it had never been: with its conflicts and open intents. */
enum fail link_forget(struct tx *tx, int64_t id, struct error *err) MUST_CHECK;
/* The next reading of every live link of a stream is looked at closely, whatever it shows. */
enum fail links_look_again(struct tx *tx, int64_t connection_id, struct str kind,
                           struct error *err) MUST_CHECK;
enum fail link_scan_set(struct tx *tx, int64_t id, int64_t scan, struct error *err) MUST_CHECK;

/* Which of them: the brake may hold updates or removals. */
enum push_part { PUSH_ALL, PUSH_UPDATES, PUSH_REMOVALS };
/* Live links whose record is newer than the link and whose retry time has come, without an open intent, ascending link id. */
enum fail links_to_push(struct tx *tx, int64_t connection_id, struct str kind, enum push_part part,
                        int64_t now_ms, int64_t after_id, size_t limit, struct arena *arena,
                        struct store_link **ret, size_t *ret_count, struct error *err) MUST_CHECK;
/* Live records without any link on the connection, without open intent, and without a failure that holds them, ascending record id. */
/* after_journal: only those that the journal names after this place; 0 = all. */
enum fail records_to_create(struct tx *tx, int64_t connection_id, struct str kind, int64_t now_ms,
                            int64_t after_journal, int64_t after_id, size_t limit, int64_t *ret_ids,
                            size_t *ret_count, struct error *err) MUST_CHECK;
/* How many links_to_push() would list. */
enum fail updates_waiting(struct tx *tx, int64_t connection_id, struct str kind, int64_t now_ms,
                          int64_t *ret, struct error *err) MUST_CHECK;
enum fail push_counts(struct tx *tx, int64_t connection_id, struct str kind, int64_t now_ms,
                      int64_t *ret_updates, int64_t *ret_creates, struct error *err) MUST_CHECK;
/* Live links that the complete listing `scan` did not show, ascending link id. */
enum fail links_missed_by_scan(struct tx *tx, int64_t connection_id, struct str kind, int64_t scan,
                               int64_t after_id, size_t limit, struct arena *arena,
                               struct store_link **ret, size_t *ret_count,
                               struct error *err) MUST_CHECK;
/* Links in LINK_GONE whose gone_since_ms <= since_ms and whose delete does not wait for a person, ascending link id; resting ones stay as they
 * are. */
enum fail links_gone_since(struct tx *tx, int64_t connection_id, struct str kind, int64_t since_ms,
                           int64_t after_id, size_t limit, struct arena *arena,
                           struct store_link **ret, size_t *ret_count,
                           struct error *err) MUST_CHECK;
/* All of them, whenever they went. */
enum fail links_going(struct tx *tx, int64_t connection_id, struct str kind, int64_t *ret,
                      struct error *err) MUST_CHECK;
enum fail link_count(struct tx *tx, int64_t connection_id, struct str kind, enum link_state state,
                     int64_t *ret, struct error *err) MUST_CHECK;

/* remote id → remote id of the survivor, followed to the end (at most 16 steps); the id itself when there is none. */
enum fail alias_put(struct tx *tx, int64_t connection_id, struct str kind, struct str from,
                    struct str into, struct error *err) MUST_CHECK;
enum fail alias_resolve(struct tx *tx, int64_t connection_id, struct str kind, struct str remote_id,
                        struct arena *arena, struct str *ret, struct error *err) MUST_CHECK;

/* Whose object a remote id was before it went; kept for ever, hashed. Other objects there may point to it for as long. */
enum fail tombstone_put(struct tx *tx, int64_t connection_id, struct str kind, struct str remote_id,
                        int64_t record_id, struct error *err) MUST_CHECK;
/* *ret_record_id: 0 = no such object went; the record may have been erased since. */
enum fail tombstone_find(struct tx *tx, int64_t connection_id, struct str kind,
                         struct str remote_id, int64_t *ret_record_id,
                         struct error *err) MUST_CHECK;

/* A reference could not be followed yet. inward: remote object waiter_remote_id points to target_remote_id. outward: record waiter_record_id
 * points to record target_record_id, which has no link on the connection. */
enum fail wait_put_inward(struct tx *tx, int64_t connection_id, struct str kind,
                          struct str waiter_remote_id, struct str target_kind,
                          struct str target_remote_id, struct error *err) MUST_CHECK;
enum fail wait_put_outward(struct tx *tx, int64_t connection_id, struct str kind,
                           int64_t waiter_record_id, int64_t target_record_id,
                           struct error *err) MUST_CHECK;
/* The record went into another one: its outward waiters wait for that one now. */
enum fail wait_move_outward(struct tx *tx, int64_t from_record_id, int64_t to_record_id,
                            struct error *err) MUST_CHECK;
/* A link came to be: inward waiters on its remote id become dirty, outward waiters on its record are pushed again; both rows go. */
enum fail wait_wake(struct tx *tx, const struct store_link *link, struct error *err) MUST_CHECK;
const char *link_state_name(enum link_state state);

#endif
