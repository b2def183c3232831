/* What the files of the vault share. Inside the oauth folder only. */
#ifndef CRMSYNC_OAUTH_INSIDE_H
#define CRMSYNC_OAUTH_INSIDE_H

#include <pthread.h>

#include "oauth/kek.h"
#include "oauth/vault.h"
#include "store/secret.h"

/* Lives on pages of its own that are neither swapped nor dumped. */
struct vault {
    struct env *env;      /* borrowed */
    char *key_file;       /* owned; "": none */
    char *next_file;      /* owned; where the next key waits until the store is wrapped with it */
    pthread_mutex_t lock; /* of all that follows; nothing is waited for while it is held */
    struct kek key;       /* the one in use */
    struct kek
        next; /* of a change of keys that is under way in another process, or was interrupted */
    struct kek fresh;                 /* while it is not known whether it is of use */
    uint8_t data_key[SEAL_KEY_BYTES]; /* while a call needs it */
};

/* The data key that new secrets of the tenant are sealed with; made when there is none, or when the one there is worn out. Arena's. */
enum fail data_key_ensure(struct vault *vault, struct tx *tx, struct arena *arena,
                          struct str *ret_id, struct error *err) MUST_CHECK;
/* A new data key, wrapped with the key-encryption key of that id; the one before is retired. */
enum fail data_key_make(struct vault *vault, struct tx *tx, struct str kek_id, struct arena *arena,
                        struct str *ret_id, struct error *err) MUST_CHECK;
/* Unwraps the data key into vault->data_key, which is the caller's until data_key_close(), also when it failed. */
enum fail data_key_open(struct vault *vault, int64_t tenant_id, const struct store_data_key *row,
                        struct error *err) MUST_CHECK;
void data_key_close(struct vault *vault);

/* Opens what is in the row. */
enum fail secret_open(struct vault *vault, struct tx *tx, const struct store_secret *row,
                      struct secret *ret, struct error *err) MUST_CHECK;
/* Seals for the row's place and generation and sets its blob (arena's); counts the use of the data key. */
enum fail secret_seal(struct vault *vault, struct tx *tx, struct str data_key_id,
                      const struct secret *secret, struct arena *arena, struct store_secret *row,
                      struct error *err) MUST_CHECK;
/* The id of the data key that a blob is sealed with; "" when it says none. Borrowed from the blob. */
struct str data_key_id_of(struct str blob);
/* The id of the key-encryption key that wrapped a data key. Borrowed from wrapped. */
struct str wrapped_key_id_of(struct str wrapped);
/* The id of the key-encryption key that the store's data keys are wrapped with, of all tenants: one commit changes them all, so any of them
 * says it. "" when there is no data key. Arena's. */
enum fail store_key_id(struct tx *tx, struct arena *arena, struct str *ret,
                       struct error *err) MUST_CHECK;

#endif
