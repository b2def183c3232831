/* Intents: outbound writes claimed before they are sent, so that a crash or a lost answer is recoverable. */
#ifndef CRMSYNC_STORE_INTENT_H
#define CRMSYNC_STORE_INTENT_H

#include "store/store.h"

enum intent_op { INTENT_CREATE, INTENT_UPDATE, INTENT_DELETE };
enum intent_state {
    /* being sent by the process that holds the stream; after a crash: outcome unknown */
    INTENT_CLAIMED,
    /* sent, outcome unknown: look up after settle_at_ms before sending anything else */
    INTENT_UNKNOWN,
};

struct store_intent {
    int64_t id;
    int64_t connection_id;
    struct str kind;
    enum intent_op op;
    enum intent_state state;
    int64_t record_id;
    int64_t link_id;        /* 0 for a create */
    int64_t record_version; /* of the record the request was computed from */
    struct fields sent;     /* hub values of the fields in the request */
    int64_t claimed_ms;
    int64_t settle_at_ms; /* a delayed write of ours cannot arrive after this */
    int attempts;         /* look-ups done so far */
};

/* sets id */
enum fail intent_insert(struct tx *tx, struct store_intent *intent, struct error *err) MUST_CHECK;
enum fail intent_update(struct tx *tx, const struct store_intent *intent,
                        struct error *err) MUST_CHECK;
enum fail intent_delete(struct tx *tx, int64_t id, struct error *err) MUST_CHECK;
/* All open intents of a stream, by id. kind "" = all kinds of the connection. */
enum fail intent_list(struct tx *tx, int64_t connection_id, struct str kind, int64_t after_id,
                      size_t limit, struct arena *arena, struct store_intent **ret,
                      size_t *ret_count, struct error *err) MUST_CHECK;
enum fail intents_of_link(struct tx *tx, int64_t link_id, struct arena *arena,
                          struct store_intent **ret, size_t *ret_count,
                          struct error *err) MUST_CHECK;
enum fail intent_of_record(struct tx *tx, int64_t connection_id, int64_t record_id,
                           struct arena *arena, struct store_intent *ret, bool *ret_found,
                           struct error *err) MUST_CHECK;

#endif
