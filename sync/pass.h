/* Inside of sync/: what one slice over one stream carries around. Not for other rooms. */
#ifndef CRMSYNC_SYNC_PASS_H
#define CRMSYNC_SYNC_PASS_H

#include "conflict/merge.h"
#include "mapper/convert.h"
#include "store/intent.h"
#include "store/journal.h"
#include "store/link.h"
#include "store/record.h"
#include "store/restoring.h"
#include "store/review.h"
#include "store/stream.h"
#include "sync/gate.h"
#include "sync/sync.h"

/* One kind of one connection at work. The arena is the page's: reset between pages. */
struct pass {
    struct sync *sync;
    struct sync_connection *connection;
    const struct connection_settings *settings;
    const struct adapter *adapter;
    const struct kind *kind;
    const struct mapping *mapping;    /* bound to the CRM's present schema */
    const struct remote_users *users; /* NULL: the mapping needs none */
    const struct filter *filter;      /* NULL: every record takes part */
    bool has_selection;               /* a person selected some records of the connection */
    struct str version;         /* of everything that says which values travel; stream_arena */
    struct store_stream stream; /* texts in stream_arena */
    struct arena stream_arena;
    struct arena arena;
    struct run_counts *counts;
    struct run_counts counts_before; /* when it was opened */
    int64_t throttled_before;        /* likewise, of the client */
    int64_t turn_ends_ms;            /* monotonic; 0 = never */
    bool *is_cut; /* set when a listing or a series of batches ended early for that */
    int64_t run_id;
    bool has_failures;      /* some failure row may exist: a success must clear its own */
    bool is_pinned;         /* reads by id: a digest match does not skip the merge */
    struct tx *tx;          /* set while a transaction is open: the resolver needs it */
    struct change *changes; /* of the part that the gate is asked about next; page arena */
    size_t changes_count, changes_capacity;
    struct str *times_wanted; /* ids whose conflict needs property times; page arena */
    size_t times_wanted_count, times_wanted_capacity;
    struct origin *origins; /* origin.c; stream_arena */
    bool has_suppressions;  /* somebody was erased: store/erasure.h */
    bool is_restoring;      /* the store was restored and the stream is not through with that */
    struct restoring restoring;
};

int64_t pass_now_ms(const struct pass *pass);
bool pass_is_cancelled(const struct pass *pass);
/* The turn is over while there is more to do: says so, and what is committed stays. */
bool pass_is_over(struct pass *pass);
void pass_progress(const struct pass *pass, const char *phase, int64_t done, int64_t total);
/* A change went across: the side that it came from had it since changed_ms, our clock; 0 not known. Not counted before both sides have agreed once: what
 * was there before the connection is not late. */
void pass_arrived(struct pass *pass, int64_t changed_ms);
/* A time of the CRM's clock by ours; 0 stays 0. */
int64_t pass_our_time(const struct pass *pass, int64_t their_ms);
/* Forgets everything of the page. */
void pass_page_end(struct pass *pass);
/* Reference resolver over the store; valid while pass->tx is set. */
struct reference_resolver pass_resolver(struct pass *pass);
/* The strategy for a field, priorities not yet filled in. */
struct policy pass_policy(const struct pass *pass, struct str field);
/* "hubspot"; "local" for 0 and unknown connections. */
struct str pass_source_name(const struct pass *pass, int64_t connection_id);
enum flow pass_flow(const struct pass *pass, const struct map_entry *entry);
/* The record, or the one that it went into by merges; needs pass->tx. found false: neither is there. */
enum fail record_surviving(struct pass *pass, struct store_record *record, struct arena *arena,
                           bool *found, struct error *err);
/* Digest of the remote half under this mapping. */
struct digest pass_digest(struct pass *pass, const struct fields *remote);
/* Match keys of a record of this kind, one per rule. */
const struct str *pass_match_keys(struct pass *pass, const struct fields *fields);

/* Of the kind's objects there, all of them. */
bool pass_has_traits(const struct pass *pass, unsigned traits);
/* A field that recognises records cannot be read there at present: nothing new is made, on either side. */
bool pass_key_is_frozen(const struct pass *pass);

/* --- gated.c: parts of a transaction that happen whole or not at all, as the gate says ------------------------------------- */

/* Tells the gate of a change when it is asked next; nothing without a gate. The change is copied, what it points to is not. */
void pass_change(struct pass *pass, const struct change *change);
/* The journal entry of a change of record; the gate is told. */
enum fail pass_journal(struct pass *pass, enum change_op op, const struct store_record *record,
                       const struct journal_entry *entry, struct error *err);
/* What the store held before a part began. */
struct gated {
    struct run_counts counts;
    size_t times_wanted_count;
    bool is_open;
};
enum fail gated_begin(struct pass *pass, struct gated *ret, struct error *err);
/* Asks the gate; when it refuses, the part is taken back and the object is marked to be read again ("" none). */
enum fail gated_end(struct pass *pass, struct gated *gated, struct str remote_id, bool *ret_allowed,
                    struct error *err);
/* Tells the gate what came of a change there that it had allowed, or would have. */
void pass_settled(struct pass *pass, const struct change *change, enum settled what);
/* The same of an update or delete of an unknown outcome, by the id of its record. */
void pass_found_out(struct pass *pass, struct str uuid, bool is_done);
/* observe() as a part of its own. */
enum fail observe_gated(struct pass *pass, const struct remote_record *remote, int64_t began_ms,
                        struct error *err);
/* Marked to be read, but refused in this run already. */
bool pass_is_put_off(const struct pass *pass, struct str remote_id);

/* --- observe.c: one remote object as read, inside a transaction ------------------------------------------------------------- */

enum observed { OBSERVED_UNCHANGED, OBSERVED_CHANGED, OBSERVED_IGNORED };
/* Applies what was read. began_ms: when the read began. */
enum fail observe(struct pass *pass, const struct remote_record *remote, int64_t began_ms,
                  struct error *err);
/* The merge of a live link with what was read; writes record, link, journal, conflicts. ret_push (may be NULL): unified names of
 * the fields that hub wants to send afterwards, page arena. */
struct push_list {
    struct str *fields;
    size_t count;
};
enum fail merge_link(struct pass *pass, struct store_link *link, struct store_record *record,
                     const struct remote_record *remote, const struct fields *remote_fields,
                     struct push_list *ret_push, struct error *err);
/* A blank on that side is no change of the field. */
bool entry_keeps_blank(const struct map_entry *entry, bool inward);
/* Reads props into normal form; writes waits and held-field failures of this remote object. */
enum fail read_fields(struct pass *pass, const struct remote_record *remote, int64_t record_id,
                      struct fields *ret, struct error *err);

/* --- link_up.c: a remote object without a link ------------------------------------------------------------------------------ */
enum fail link_up(struct pass *pass, const struct remote_record *remote, struct error *err);
/* Inserts the link and wakes who waited for it. */
enum fail link_add(struct pass *pass, struct store_link *link, struct error *err);

/* --- selecting.c: who takes part -------------------------------------------------------------------------------------------- */

/* Whether anything is left out at all. */
bool pass_selects(const struct pass *pass);
/* Whether a pair takes part: a person's word, else the filter on either side's values (record NULL: not known here; remote NULL: not
 * known there). */
enum fail pair_takes_part(struct pass *pass, const struct store_record *record,
                          const struct fields *remote, bool *ret, struct error *err);
/* The pair takes no part: link and base are kept. remote NULL: not read. */
enum fail rest_link(struct pass *pass, struct store_link *link, const struct store_record *record,
                    const struct fields *remote, struct error *err);
/* It takes part again; the caller writes the link. */
void wake_link(struct pass *pass, struct store_link *link, const struct store_record *record);

/* --- origin.c ---------------------------------------------------------------------------------------------------------------- */

/* When the field was changed at the connection that brought its value; 0 not known. ret_wanted: read_origins() can find out. */
enum fail origin_time(struct pass *pass, int64_t record_id, int64_t connection_id, struct str field,
                      int64_t *ret_ms, bool *ret_wanted, struct error *err);
/* Reads the times that were wanted into the arena; the caller forgets pass->origins before it goes. Not inside a transaction. */
enum fail read_origins(struct pass *pass, struct arena *arena, struct error *err);

/* --- seek.c ------------------------------------------------------------------------------------------------------------------ */

/* Where a filter or a selection keeps objects out: those that already are one of these records there are read, and so linked. */
enum fail seek_existing(struct pass *pass, const int64_t *ids, size_t count, struct error *err);

/* --- gone.c: deletes and merges -------------------------------------------------------------------------------------------- */
enum fail observe_gone(struct pass *pass, struct str remote_id, struct error *err);
enum fail follow_merge(struct pass *pass, struct str from, struct str into, struct error *err);
/* An object that was made for a record which another connection merged into survivor_id meanwhile: as if it had been there before the merge. */
enum fail link_add_merged(struct pass *pass, struct store_link *link, int64_t survivor_id,
                          struct error *err);
/* Reads again what has been gone for the grace time, and lets the proved deletes take effect. */
enum fail gone_settle(struct pass *pass, struct error *err);
/* The link ends on purpose; its object must not come back by itself. uuid: of the record, for the gate. */
enum fail end_link(struct pass *pass, struct store_link *link, struct str uuid, struct error *err);
/* Looks at live links that the finished complete listing did not show. */
/* ret_braked: the listing is empty and not believed. */
enum fail census_check(struct pass *pass, bool *ret_braked, struct error *err);

/* --- leftover.c: both objects still exist where their records are one by now -------------------------------------------------- */

/* Shows the second object to a person. */
enum fail leftover_put(struct pass *pass, const struct store_link *link, struct error *err);
/* It is merged or deleted there, or has become the record's own. */
enum fail leftover_end(struct pass *pass, struct str remote_id, struct error *err);
/* After a complete listing: which of them are gone meanwhile. */
enum fail leftovers_check(struct pass *pass, struct error *err);

/* --- pull.c, push.c, create.c, settle.c: slices ----------------------------------------------------------------------------- */
/* Reads ids in batches and observes them (pinned). */
enum fail read_by_id(struct pass *pass, const struct str *ids, size_t count, bool with_times,
                     struct error *err);
enum fail pull_changes(struct pass *pass, bool full, struct error *err);
enum fail pull_dirty(struct pass *pass, bool *ret_any, struct error *err);
enum fail push_updates(struct pass *pass, bool *ret_any, struct error *err);
/* after_journal: of records that the journal names after this place; 0 = of all. */
enum fail push_creates(struct pass *pass, int64_t after_journal, bool *ret_any, struct error *err);
/* Finds out what became of writes whose outcome is unknown. ret_wait_ms: earliest time at which more can be said, 0 = all settled. */
enum fail settle_intents(struct pass *pass, int64_t *ret_wait_ms, int64_t *ret_open,
                         struct error *err);

/* One failure for each owner, however many records have that owner. */
enum fail note_owner_unknown(struct pass *pass, const struct map_note *note, struct error *err);
#define OWNER_REMOTE_ID "owner "

/* Journal and failures. */
enum fail note_failure(struct pass *pass, struct str remote_id, int64_t record_id,
                       const char *stage, const char *reason, struct str field,
                       int64_t record_version, const char *message, const char *hint,
                       struct error *err);

#endif
