/* Secrets of connections, sealed before they come here (oauth/vault.h), and the wrapped data keys that they are sealed with. The store
 * understands neither. */
#ifndef CRMSYNC_STORE_SECRET_H
#define CRMSYNC_STORE_SECRET_H

#include "store/store.h"

struct store_secret {
    int64_t connection_id;
    struct str name; /* "token" */
    struct str blob;
    int64_t generation; /* from 1; rises with each put and each removal, and never falls */
    int64_t sealed_ms;  /* 0 = not known */
};

/* A removed secret is not found, but ret->generation is its last one (0: there never was one). */
enum fail secret_find(struct tx *tx, int64_t connection_id, struct str name, struct arena *arena,
                      struct store_secret *ret, bool *ret_found, struct error *err) MUST_CHECK;
/* Puts generation secret->generation in the place of the one before it; sealed_ms is set. FAIL_STALE when another one is there. */
enum fail secret_put(struct tx *tx, const struct store_secret *secret,
                     struct error *err) MUST_CHECK;
/* The same secret under another data key: neither its generation nor its age changes, so that nobody who read it has lost it. */
enum fail secret_reseal(struct tx *tx, const struct store_secret *secret,
                        struct error *err) MUST_CHECK;
/* ret_found: there was one. */
enum fail secret_remove(struct tx *tx, int64_t connection_id, struct str name, bool *ret_found,
                        struct error *err) MUST_CHECK;
/* All of the tenant, by connection and name. */
enum fail secret_list(struct tx *tx, struct arena *arena, struct store_secret **ret,
                      size_t *ret_count, struct error *err) MUST_CHECK;

struct store_data_key {
    struct str id;
    struct str wrapped;
    int64_t created_ms;
    int64_t uses;       /* secrets sealed with it so far */
    int64_t retired_ms; /* 0: the active one */
};

/* id "": the active one. */
enum fail data_key_find(struct tx *tx, struct str id, struct arena *arena,
                        struct store_data_key *ret, bool *ret_found, struct error *err) MUST_CHECK;
/* All of the tenant, oldest first. */
enum fail data_key_list(struct tx *tx, struct arena *arena, struct store_data_key **ret,
                        size_t *ret_count, struct error *err) MUST_CHECK;
/* Adds the active one; the one before is retired. created_ms is set to now. */
enum fail data_key_add(struct tx *tx, struct str id, struct str wrapped,
                       struct error *err) MUST_CHECK;
/* Counts one use more. FAIL_BUG: no such key. */
enum fail data_key_use(struct tx *tx, struct str id, struct error *err) MUST_CHECK;
/* Whatever is sealed with it can never be opened again. */
enum fail data_key_remove(struct tx *tx, struct str id, struct error *err) MUST_CHECK;

#endif
