/* Changing the key-encryption key, so that a crash at any moment leaves a store that opens. */
#include <errno.h>
#include <inttypes.h>
#include <openssl/crypto.h>
#include <unistd.h>

#include "oauth/inside.h"
#include "oauth/keys.h"
#include "store/audit.h"
#include "store/connection.h"

/* --- the new key --------------------------------------------------------------------------------------------- */

static enum fail take_new(struct vault *vault, const char *new_key_file, struct error *err)
{
    if (!new_key_file) {
        kek_make(vault->env->random, &vault->next);
        return OK;
    }
    if (kek_load_file(new_key_file, &vault->next, err) != OK) {
        return err->code;
    }
    if (vault->next.source == KEK_NONE) {
        error_set(err, FAIL_CONFIG, "there is no key file '%s'", new_key_file);
        return error_hint(err, "make one with 'umask 077; openssl rand -hex 32 > %s'",
                          new_key_file);
    }
    return OK;
}

static enum fail check_new(const struct vault *vault, const char *new_key_file, struct error *err)
{
    if (vault->key.source == KEK_NONE) {
        error_set(err, FAIL_CONFIG, "there is no key file '%s'", vault->key_file);
        return error_hint(err, "restore it, or rename '%s' to it", vault->next_file);
    }
    if (vault->key.source != KEK_FILE && !new_key_file) {
        error_set(err, FAIL_CONFIG, "the key comes from the %s, which crmsync cannot replace",
                  kek_source_name(vault->key.source));
        return error_hint(err,
                          "put the new key into a file, give that with --key-file, and then "
                          "replace the %s by it",
                          kek_source_name(vault->key.source));
    }
    return OK;
}

/* Read back, because after the commit nothing else opens the store. */
static enum fail write_next(struct vault *vault, struct error *err)
{
    if (unlink(vault->next_file) != 0 && errno != ENOENT) {
        error_set(err, FAIL_CONFIG, "cannot remove '%s': %s", vault->next_file, strerror(errno));
        return error_hint(err, "remove it; it is of no use");
    }
    if (kek_write_file(vault->next_file, &vault->next, err) != OK ||
        kek_load_file(vault->next_file, &vault->fresh, err) != OK) {
        return err->code;
    }
    if (vault->fresh.source == KEK_NONE || strcmp(vault->fresh.id, vault->next.id) != 0) {
        error_set(err, FAIL_STOP, "key file '%s' does not hold what was written to it",
                  vault->next_file);
        return error_hint(err, "check the disk; the key in use is as it was");
    }
    return OK;
}

enum fail vault_rotate_prepare(struct vault *vault, const char *new_key_file, struct error *err)
{
    if (check_new(vault, new_key_file, err) != OK || take_new(vault, new_key_file, err) != OK) {
        vault->next.source = KEK_NONE;
        return err->code;
    }
    if (strcmp(vault->next.id, vault->key.id) == 0) {
        vault->next.source = KEK_NONE;
        error_set(err, FAIL_CONFIG, "'%s' holds the key that is in use", new_key_file);
        return error_hint(err, "leave --key-file out to have a new one made");
    }
    return vault->key.source == KEK_FILE ? write_next(vault, err) : OK;
}

/* --- sealing anew -------------------------------------------------------------------------------------------- */

static enum fail wrap_unreadable(struct tx *tx, const struct store_secret *row, struct error *err)
{
    AUTO_ARENA struct arena arena = {0};
    struct store_connection connection = {.name = STR("?")};
    struct error ignored = {0};
    bool found;

    if (connection_by_id(tx, row->connection_id, &arena, &connection, &found, &ignored) != OK ||
        !found) {
        connection.name = STR("?");
    }
    error_wrap(err, "the key was not changed: '%" PRI_STR "' of connection '%" PRI_STR "'",
               STR_ARG(row->name), STR_ARG(connection.name));
    return error_hint(err, "see 'crmsync keys verify'; give back the key that opens it, or "
                           "'crmsync keys forget' first");
}

static enum fail seal_anew(struct vault *vault, struct tx *tx, struct str data_key_id,
                           struct arena *arena, struct store_secret *row, struct error *err)
{
    AUTO_SECRET struct secret secret = {0};

    if (secret_open(vault, tx, row, &secret, err) != OK) {
        return wrap_unreadable(tx, row, err);
    }
    if (secret_seal(vault, tx, data_key_id, &secret, arena, row, err) != OK) {
        return err->code;
    }
    return secret_reseal(tx, row, err);
}

/* Nothing is sealed with them any more. */
static enum fail remove_keys(struct tx *tx, const struct store_data_key *rows, size_t count,
                             struct error *err)
{
    for (size_t i = 0; i < count; i++) {
        if (data_key_remove(tx, rows[i].id, err) != OK) {
            return err->code;
        }
    }
    return OK;
}

static enum fail note_rotation(struct vault *vault, struct tx *tx, size_t secrets,
                               struct arena *arena, struct error *err)
{
    const struct audit_detail details[] = {{"key", str_of(vault->next.id)},
                                           {"key_before", str_of(vault->key.id)},
                                           {"secrets", arena_printf(arena, "%zu", secrets)},
                                           {0}};
    const struct audit_note note = {
        .action = "keys.rotated", .subject = STR("keys"), .details = details};

    return audit_put(tx, &note, err);
}

static enum fail rotate_tenant(struct vault *vault, struct tx *tx, struct arena *arena,
                               struct key_rotation *rotation, struct error *err)
{
    struct store_data_key *keys;
    struct store_secret *secrets;
    size_t keys_count, secrets_count;
    struct str data_key_id;

    if (data_key_list(tx, arena, &keys, &keys_count, err) != OK ||
        secret_list(tx, arena, &secrets, &secrets_count, err) != OK ||
        (secrets_count &&
         data_key_make(vault, tx, str_of(vault->next.id), arena, &data_key_id, err) != OK)) {
        return err->code;
    }
    for (size_t i = 0; i < secrets_count; i++) {
        if (seal_anew(vault, tx, data_key_id, arena, &secrets[i], err) != OK) {
            return err->code;
        }
    }
    rotation->tenants += secrets_count > 0;
    rotation->secrets += secrets_count;
    if (remove_keys(tx, keys, keys_count, err) != OK) {
        return err->code;
    }
    return note_rotation(vault, tx, secrets_count, arena, err);
}

enum fail vault_rotate_commit(struct vault *vault, struct store *store, struct key_rotation *ret,
                              struct error *err)
{
    AUTO_TX struct tx *tx = NULL;
    AUTO_ARENA struct arena arena = {0};
    int64_t *tenants;
    size_t count;

    *ret = (struct key_rotation){0};
    if (tx_begin(store, TENANT_DEFAULT, &tx, err) != OK ||
        store_tenants(tx, &arena, &tenants, &count, err) != OK) {
        return err->code;
    }
    for (size_t i = 0; i < count; i++) {
        tx_tenant_set(tx, tenants[i]);
        if (rotate_tenant(vault, tx, &arena, ret, err) != OK) {
            return err->code;
        }
    }
    return tx_commit(&tx, err);
}

/* --- the key file -------------------------------------------------------------------------------------------- */

enum fail vault_rotate_finish(struct vault *vault, struct key_rotation *ret, struct error *err)
{
    ret->is_file_replaced = vault->key.source == KEK_FILE;
    if (ret->is_file_replaced && kek_rename_file(vault->next_file, vault->key_file, err) != OK) {
        error_wrap(err, "everything is sealed with the new key now");
        return error_hint(err, "the new key is in '%s': rename it to '%s'", vault->next_file,
                          vault->key_file);
    }
    vault->key = vault->next;
    OPENSSL_cleanse(&vault->next, sizeof vault->next);
    return OK;
}

enum fail vault_rotate(struct vault *vault, struct store *store, const char *new_key_file,
                       struct key_rotation *ret, struct error *err)
{
    if (vault_rotate_prepare(vault, new_key_file, err) != OK) {
        return err->code;
    }
    if (vault_rotate_commit(vault, store, ret, err) != OK) {
        /* After any other failure the disk may hold the commit nevertheless. */
        if (err->code == FAIL_CONFIG) {
            unlink(vault->next_file);
        }
        return err->code;
    }
    return vault_rotate_finish(vault, ret, err);
}

/* --- after a crash ------------------------------------------------------------------------------------------- */

static enum fail settle(struct vault *vault, struct str needed, struct error *err)
{
    struct key_rotation ignored;
    bool is_next = vault->next.source != KEK_NONE && str_equal(needed, str_of(vault->next.id));

    if (is_next || (vault->key.source == KEK_NONE && needed.len == 0)) {
        LOG_EVENT(vault->env->log, LOG_WARN, "interrupted change of the key is finished",
                  LOG_S("key", str_of(vault->next.id)));
        vault->key.source = KEK_FILE;
        return vault_rotate_finish(vault, &ignored, err);
    }
    if (needed.len == 0 || str_equal(needed, str_of(vault->key.id))) {
        LOG_EVENT(vault->env->log, LOG_WARN, "interrupted change of the key is cleared away",
                  LOG_S("file", str_of(vault->next_file)));
        unlink(vault->next_file);
        OPENSSL_cleanse(&vault->next, sizeof vault->next);
    }
    return OK; /* of neither key: who needs a secret is told which one is missing */
}

enum fail vault_settle(struct vault *vault, struct store *store, struct error *err)
{
    AUTO_TX struct tx *tx = NULL;
    AUTO_ARENA struct arena arena = {0};
    struct str needed;

    if (access(vault->next_file, F_OK) != 0 || !store_is_held(store) ||
        (vault->key.source != KEK_FILE && vault->key.source != KEK_NONE)) {
        return OK;
    }
    if (tx_begin(store, TENANT_DEFAULT, &tx, err) != OK ||
        store_key_id(tx, &arena, &needed, err) != OK) {
        return err->code;
    }
    return settle(vault, needed, err);
}
