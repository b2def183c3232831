#include "oauth/keys.h"

#include <errno.h>
#include <inttypes.h>
#include <openssl/crypto.h>
#include <unistd.h>

#include "oauth/inside.h"
#include "store/audit.h"
#include "store/connection.h"

/* --- every tenant -------------------------------------------------------------------------------------------- */

typedef enum fail tenant_work(struct vault *vault, struct tx *tx, struct arena *arena, void *state,
                              struct error *err);

/* As each tenant in turn, inside the same transaction. */
static enum fail for_each_tenant(struct vault *vault, struct tx *tx, struct arena *arena,
                                 tenant_work *work, void *state, struct error *err)
{
    int64_t *tenants, before = tx_tenant(tx);
    size_t count;
    enum fail failed = store_tenants(tx, arena, &tenants, &count, err);

    for (size_t i = 0; failed == OK && i < count; i++) {
        tx_tenant_set(tx, tenants[i]);
        failed = work(vault, tx, arena, state, err);
    }
    tx_tenant_set(tx, before);
    return failed;
}

/* --- checking ------------------------------------------------------------------------------------------------ */

static enum fail connection_title(struct tx *tx, int64_t connection_id, struct arena *arena,
                                  struct str *ret, struct error *err)
{
    struct store_connection row = {0};
    bool found;

    if (connection_by_id(tx, connection_id, arena, &row, &found, err) != OK) {
        return err->code;
    }
    *ret = found ? row.name : STR("?");
    return OK;
}

static void note_problem(struct arena *arena, const struct error *err, struct str *ret_problem,
                         struct str *ret_hint, size_t *problems)
{
    *ret_problem = arena_str(arena, str_of(err->message));
    *ret_hint = arena_str(arena, str_of(err->hint));
    *problems += err->code != OK;
}

/* What is wrong with a key or a secret is a finding, FAIL_CONFIG; anything else stops the check. */
static bool is_finding(enum fail failed)
{
    return failed == OK || failed == FAIL_CONFIG;
}

static enum fail check_secret(struct vault *vault, struct tx *tx, const struct store_secret *row,
                              struct arena *arena, struct vault_check *check, struct error *err)
{
    AUTO_SECRET struct secret opened = {0};
    struct secret_check *ret = &check->secrets[check->secrets_count];
    struct error problem = {0};

    if (!is_finding(secret_open(vault, tx, row, &opened, &problem))) {
        *err = problem;
        return err->code;
    }
    *ret = (struct secret_check){.tenant_id = tx_tenant(tx),
                                 .name = row->name,
                                 .data_key_id = data_key_id_of(row->blob),
                                 .generation = row->generation,
                                 .sealed_ms = row->sealed_ms};
    note_problem(arena, &problem, &ret->problem, &ret->hint, &check->problems);
    check->secrets_count++;
    return connection_title(tx, row->connection_id, arena, &ret->connection, err);
}

static void check_key(struct vault *vault, int64_t tenant_id, const struct store_data_key *row,
                      struct arena *arena, struct vault_check *check)
{
    struct key_check *ret = &check->keys[check->keys_count++];
    struct error problem = {0};

    *ret = (struct key_check){.tenant_id = tenant_id,
                              .id = row->id,
                              .created_ms = row->created_ms,
                              .retired_ms = row->retired_ms,
                              .uses = row->uses};
    (void)!data_key_open(vault, tenant_id, row, &problem); /* fails only with a finding */
    data_key_close(vault);
    note_problem(arena, &problem, &ret->problem, &ret->hint, &check->problems);
}

static void count_secrets(struct vault_check *check)
{
    for (size_t k = 0; k < check->keys_count; k++) {
        for (size_t i = 0; i < check->secrets_count; i++) {
            const struct secret_check *secret = &check->secrets[i];

            check->keys[k].secrets += secret->tenant_id == check->keys[k].tenant_id &&
                                      str_equal(secret->data_key_id, check->keys[k].id) &&
                                      secret->problem.len == 0;
        }
    }
}

/* A longer array with room for more rows. */
static void *longer(struct arena *arena, const void *at, size_t count, size_t more, size_t size)
{
    char *ret = arena_alloc(arena, count + more + 1, size);

    if (count) {
        memcpy(ret, at, count * size);
    }
    return ret;
}

static enum fail check_tenant(struct vault *vault, struct tx *tx, struct arena *arena, void *state,
                              struct error *err)
{
    struct vault_check *check = state;
    struct store_data_key *keys;
    struct store_secret *secrets;
    size_t keys_count, secrets_count;

    if (data_key_list(tx, arena, &keys, &keys_count, err) != OK ||
        secret_list(tx, arena, &secrets, &secrets_count, err) != OK) {
        return err->code;
    }
    check->keys = longer(arena, check->keys, check->keys_count, keys_count, sizeof *check->keys);
    check->secrets =
        longer(arena, check->secrets, check->secrets_count, secrets_count, sizeof *check->secrets);
    for (size_t i = 0; i < keys_count; i++) {
        check_key(vault, tx_tenant(tx), &keys[i], arena, check);
    }
    for (size_t i = 0; i < secrets_count; i++) {
        if (check_secret(vault, tx, &secrets[i], arena, check, err) != OK) {
            return err->code;
        }
    }
    return OK;
}

enum fail vault_check_all(struct vault *vault, struct tx *tx, struct arena *arena,
                          struct vault_check *ret, struct error *err)
{
    *ret = (struct vault_check){0};
    if (for_each_tenant(vault, tx, arena, check_tenant, ret, err) != OK) {
        return err->code;
    }
    count_secrets(ret);
    return OK;
}

/* --- forgetting ---------------------------------------------------------------------------------------------- */

static enum fail forget_secrets(struct vault *vault, struct tx *tx, struct arena *arena,
                                struct vault_forgotten *forgotten, struct error *err)
{
    struct store_secret *rows;
    size_t count;
    bool found;

    if (secret_list(tx, arena, &rows, &count, err) != OK) {
        return err->code;
    }
    for (size_t i = 0; i < count; i++) {
        AUTO_SECRET struct secret opened = {0};
        struct error problem = {0};
        enum fail failed = secret_open(vault, tx, &rows[i], &opened, &problem);

        if (failed == OK) {
            continue;
        }
        if (!is_finding(failed)) {
            *err = problem;
            return failed;
        }
        if (secret_remove(tx, rows[i].connection_id, rows[i].name, &found, err) != OK) {
            return err->code;
        }
        forgotten->secrets++;
    }
    return OK;
}

static enum fail note_forgotten(struct tx *tx, size_t secrets, size_t data_keys,
                                struct arena *arena, struct error *err)
{
    const struct audit_detail details[] = {{"secrets", arena_printf(arena, "%zu", secrets)},
                                           {"data_keys", arena_printf(arena, "%zu", data_keys)},
                                           {0}};
    const struct audit_note note = {
        .action = "keys.forgotten", .subject = STR("keys"), .details = details};

    return secrets || data_keys ? audit_put(tx, &note, err) : OK;
}

static enum fail forget_tenant(struct vault *vault, struct tx *tx, struct arena *arena, void *state,
                               struct error *err)
{
    struct vault_forgotten *forgotten = state;
    struct vault_forgotten before = *forgotten;
    struct store_data_key *rows;
    size_t count;

    if (forget_secrets(vault, tx, arena, forgotten, err) != OK ||
        data_key_list(tx, arena, &rows, &count, err) != OK) {
        return err->code;
    }
    for (size_t i = 0; i < count; i++) {
        struct error problem = {0};
        enum fail failed = data_key_open(vault, tx_tenant(tx), &rows[i], &problem);

        data_key_close(vault);
        if (failed == OK) {
            continue;
        }
        if (data_key_remove(tx, rows[i].id, err) != OK) {
            return err->code;
        }
        forgotten->data_keys++;
    }
    return note_forgotten(tx, forgotten->secrets - before.secrets,
                          forgotten->data_keys - before.data_keys, arena, err);
}

enum fail vault_forget(struct vault *vault, struct tx *tx, struct vault_forgotten *ret,
                       struct error *err)
{
    AUTO_ARENA struct arena arena = {0};

    *ret = (struct vault_forgotten){0};
    return for_each_tenant(vault, tx, &arena, forget_tenant, ret, err);
}
