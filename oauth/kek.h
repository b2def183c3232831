/* The key-encryption key: the one key that is not in the store and opens everything in it. Where it comes from, and its file.
 * Inside the oauth folder only; everyone else sees a vault. */
#ifndef CRMSYNC_OAUTH_KEK_H
#define CRMSYNC_OAUTH_KEK_H

#include "core/fail.h"
#include "oauth/seal.h"

enum {
    KEK_ID_CHARS = 8,
    KEK_TEXT_MAX = 2 * SEAL_KEY_BYTES + 8, /* with line ends around it */
};

enum kek_source { KEK_NONE, KEK_CREDENTIAL, KEK_FILE, KEK_ENVIRONMENT };

/* Lives in memory that the vault has locked. */
struct kek {
    enum kek_source source;    /* KEK_NONE: the rest means nothing */
    char id[KEK_ID_CHARS + 1]; /* of its SHA-256: tells keys apart and gives none away */
    uint8_t bytes[SEAL_KEY_BYTES];
    char text[KEK_TEXT_MAX]; /* as it is written down, while it is read or written */
};

/* From the first source that has one (oauth/vault.h); ret->source is KEK_NONE when none has. */
enum fail kek_load(const char *key_file, struct kek *ret, struct error *err) MUST_CHECK;
/* From a file of ours: checked for owner and mode. ret->source is KEK_NONE when it is not there. */
enum fail kek_load_file(const char *path, struct kek *ret, struct error *err) MUST_CHECK;
void kek_make(struct random *random, struct kek *ret);
/* A new file of mode 0600, on the disk when it returns OK; replaces none. */
enum fail kek_write_file(const char *path, struct kek *kek, struct error *err) MUST_CHECK;
/* Gives a file another name, which replaces the file there, and has that on the disk. */
enum fail kek_rename_file(const char *from, const char *to, struct error *err) MUST_CHECK;
/* "key file", "systemd credential", "environment variable CRMSYNC_KEY" */
const char *kek_source_name(enum kek_source source);

#endif
