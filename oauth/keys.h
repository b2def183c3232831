/* The operator's work on the keys of a vault: checking that everything opens, changing the key-encryption key, forgetting what a lost key
 * sealed. For all tenants at once. Changing and forgetting are for who holds the store for writing. */
#ifndef CRMSYNC_OAUTH_KEYS_H
#define CRMSYNC_OAUTH_KEYS_H

#include "oauth/vault.h"

/* One data key and whether it opens. problem and hint are "" when it does. */
struct key_check {
    int64_t tenant_id;
    struct str id;
    int64_t created_ms;
    int64_t retired_ms; /* 0: new secrets are sealed with it */
    int64_t uses;
    int64_t secrets; /* that it opens now */
    struct str problem, hint;
};

struct secret_check {
    int64_t tenant_id;
    struct str connection, name;
    struct str data_key_id; /* "": sealed by an earlier version, without one */
    int64_t generation;
    int64_t sealed_ms; /* 0: not known */
    struct str problem, hint;
};

struct vault_check {
    struct key_check *keys;
    size_t keys_count;
    struct secret_check *secrets;
    size_t secrets_count;
    size_t problems; /* keys and secrets that do not open */
};

/* Opens every data key and every secret. Arena's. OK also when some do not open. */
enum fail vault_check_all(struct vault *vault, struct tx *tx, struct arena *arena,
                          struct vault_check *ret, struct error *err) MUST_CHECK;
/* Where the key in use comes from ("key file", …), and its id: the beginning of its SHA-256. Borrowed from the vault. */
const char *vault_key_source(const struct vault *vault);
const char *vault_key_id(const struct vault *vault);

/* Finishes or clears away a change of the key file that a crash interrupted. Does nothing without the store's lock. */
enum fail vault_settle(struct vault *vault, struct store *store, struct error *err) MUST_CHECK;

struct key_rotation {
    size_t tenants, secrets;
    bool is_file_replaced; /* else the operator puts the new key where the old one is */
};

/* Changes the key-encryption key, and with it every data key: all secrets are sealed anew, in one commit. Their generations stay.
 * new_key_file: the new key, checked as a key file; NULL makes one, which only the key file as source allows.
 * The new key waits in "<key_file>.next" until the commit, then it replaces the key file. After a crash the store opens with whichever of the
 * two it needs, and the next command that writes finishes the change.
 * FAIL_CONFIG: it is the same key; the source is no file of ours and no new one is given; a secret does not open (the message names it). */
enum fail vault_rotate(struct vault *vault, struct store *store, const char *new_key_file,
                       struct key_rotation *ret, struct error *err) MUST_CHECK;
/* Its three steps. The first gives the new key to the vault, the second commits, the third replaces the file. */
enum fail vault_rotate_prepare(struct vault *vault, const char *new_key_file,
                               struct error *err) MUST_CHECK;
enum fail vault_rotate_commit(struct vault *vault, struct store *store, struct key_rotation *ret,
                              struct error *err) MUST_CHECK;
enum fail vault_rotate_finish(struct vault *vault, struct key_rotation *ret,
                              struct error *err) MUST_CHECK;

struct vault_forgotten {
    size_t secrets, data_keys;
};
/* Removes the secrets and data keys that do not open. Their connections must be connected again. */
enum fail vault_forget(struct vault *vault, struct tx *tx, struct vault_forgotten *ret,
                       struct error *err) MUST_CHECK;

#endif
