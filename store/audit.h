/* The audit log: who did what and when, append-only, each entry chained to the one before it by SHA-256. It names things (connections, records by id,
 * conflicts by number) and never holds a value of a record, so that erasing a person does not break the chain.
 *
 * What audit_verify() finds: any change of any column of any entry, an entry that is missing, moved or put in, and entries missing at the end (the head
 * is kept in a second table). What it cannot find: somebody who can write to the file and computes the whole chain anew from some entry on, head included.
 * That is what anchors are for: the head as a backup's receipt or an earlier verification told it, kept where that person cannot write. */
#ifndef CRMSYNC_STORE_AUDIT_H
#define CRMSYNC_STORE_AUDIT_H

#include "core/digest.h"
#include "store/store.h"

/* One fact more about an entry. */
struct audit_detail {
    const char *name;
    struct str text;
};

/* What is to be written down. details end with name NULL; NULL: none. The actor is the store's (store_actor_set). */
struct audit_note {
    const char *action; /* "conflict.resolved" */
    struct str subject; /* "conflict 12" */
    const struct audit_detail *details;
};
enum fail audit_put(struct tx *tx, const struct audit_note *note, struct error *err) MUST_CHECK;
/* subject: "connection NAME". */
enum fail audit_put_connection(struct tx *tx, const char *action, int64_t connection_id,
                               const struct audit_detail *details, struct error *err) MUST_CHECK;
/* As audit_put(), unless the newest entry of this action and subject says the same in its details: for what is looked at again and again. */
enum fail audit_put_changed(struct tx *tx, const struct audit_note *note,
                            struct error *err) MUST_CHECK;

struct audit_entry {
    int64_t number; /* from 1, of the tenant */
    int64_t at_ms;
    struct str actor, action, subject;
    struct str details; /* JSON object of texts */
    uint8_t digest[SHA256_BYTES];
};

/* Newest first, of since_ms or later; before_number 0: from the newest. */
enum fail audit_list(struct tx *tx, int64_t since_ms, int64_t before_number, size_t limit,
                     struct arena *arena, struct audit_entry **ret, size_t *ret_count,
                     struct error *err) MUST_CHECK;
/* Those whose subject is exactly this, newest first. */
enum fail audit_about(struct tx *tx, struct str subject, size_t limit, struct arena *arena,
                      struct audit_entry **ret, size_t *ret_count, struct error *err) MUST_CHECK;

/* Where a chain ended once; number 0: before the first entry. */
struct audit_anchor {
    int64_t number;
    uint8_t digest[SHA256_BYTES];
};
enum { AUDIT_ANCHOR_TEXT_BYTES = 20 + 1 + 2 * SHA256_BYTES + 1 };
void audit_anchor_format(const struct audit_anchor *anchor, char ret[AUDIT_ANCHOR_TEXT_BYTES]);
bool audit_anchor_parse(struct str text, struct audit_anchor *ret); /* "12:6f1e…" */
enum fail audit_head(struct tx *tx, struct audit_anchor *ret, struct error *err) MUST_CHECK;

struct audit_verdict {
    int64_t entries;         /* looked at */
    int64_t number;          /* the first entry that is wrong; 0 none */
    const char *problem;     /* what is wrong with it; NULL none */
    struct audit_anchor end; /* of the chain as far as it is whole */
};
/* anchor may be NULL. OK also when something is wrong: the verdict says so. */
enum fail audit_verify(struct tx *tx, const struct audit_anchor *anchor, struct audit_verdict *ret,
                       struct error *err) MUST_CHECK;

#endif
