/* crmsync keys: the keys that the tokens in the store are sealed with. */
#include <inttypes.h>
#include <stdio.h>

#include "cli/options.h"
#include "cli/output.h"
#include "cli/verbs.h"
#include "cli/wire.h"
#include "oauth/keys.h"

/* --- verify -------------------------------------------------------------------------------------------------- */

static struct str state_text(const struct key_check *key)
{
    return key->retired_ms ? STR("retired") : STR("active");
}

static void print_keys(const struct wire *wire, const struct vault_check *check,
                       struct arena *arena)
{
    static const char *const NAMES[] = {"data_key", "state",  "made", "uses",
                                        "secrets",  "result", NULL};
    struct table *table = table_new(wire->cli, NAMES);
    int64_t now_ms = clock_wall_ms(wire->cli->env->clock);

    for (size_t i = 0; i < check->keys_count; i++) {
        const struct key_check *key = &check->keys[i];

        table_row(table);
        table_text(table, key->id);
        table_text(table, state_text(key));
        table_text(table, ago_text(arena, now_ms, key->created_ms));
        table_number(table, key->uses);
        table_number(table, key->secrets);
        table_text(table, key->problem.len ? key->problem : STR("opens"));
    }
    table_print(table, "no data keys");
}

static void print_secrets(const struct wire *wire, const struct vault_check *check,
                          struct arena *arena)
{
    static const char *const NAMES[] = {"connection", "secret", "generation", "sealed",
                                        "data_key",   "result", NULL};
    struct table *table = table_new(wire->cli, NAMES);
    int64_t now_ms = clock_wall_ms(wire->cli->env->clock);

    for (size_t i = 0; i < check->secrets_count; i++) {
        const struct secret_check *secret = &check->secrets[i];

        table_row(table);
        table_text(table, secret->connection);
        table_text(table, secret->name);
        table_number(table, secret->generation);
        table_text(table, secret->sealed_ms ? ago_text(arena, now_ms, secret->sealed_ms)
                                            : STR("by an earlier version"));
        table_text(table, secret->data_key_id);
        table_text(table, secret->problem.len ? secret->problem : STR("opens"));
    }
    table_print(table, "no secrets");
}

static json_t *key_to_json(const struct key_check *key)
{
    json_t *object = json_object();

    json_object_set_new(object, "id", json_text(key->id));
    json_object_set_new(object, "tenant_id", json_integer(key->tenant_id));
    json_object_set_new(object, "state", json_text(state_text(key)));
    json_object_set_new(object, "made_at", json_time(key->created_ms));
    json_object_set_new(object, "uses", json_integer(key->uses));
    json_object_set_new(object, "secrets", json_integer(key->secrets));
    json_object_set_new(object, "problem", json_text(key->problem));
    json_object_set_new(object, "hint", json_text(key->hint));
    return object;
}

static json_t *secret_to_json(const struct secret_check *secret)
{
    json_t *object = json_object();

    json_object_set_new(object, "connection", json_text(secret->connection));
    json_object_set_new(object, "secret", json_text(secret->name));
    json_object_set_new(object, "tenant_id", json_integer(secret->tenant_id));
    json_object_set_new(object, "generation", json_integer(secret->generation));
    json_object_set_new(object, "sealed_at", json_time(secret->sealed_ms));
    json_object_set_new(object, "data_key", json_text(secret->data_key_id));
    json_object_set_new(object, "problem", json_text(secret->problem));
    json_object_set_new(object, "hint", json_text(secret->hint));
    return object;
}

static void print_check_json(const struct vault *vault, const struct vault_check *check)
{
    json_t *keys = json_array(), *secrets = json_array(), *object = json_object();

    for (size_t i = 0; i < check->keys_count; i++) {
        json_array_append_new(keys, key_to_json(&check->keys[i]));
    }
    for (size_t i = 0; i < check->secrets_count; i++) {
        json_array_append_new(secrets, secret_to_json(&check->secrets[i]));
    }
    json_object_set_new(object, "key_id", json_string(vault_key_id(vault)));
    json_object_set_new(object, "key_source", json_string(vault_key_source(vault)));
    json_object_set_new(object, "data_keys", keys);
    json_object_set_new(object, "secrets", secrets);
    json_object_set_new(object, "problems", json_integer((json_int_t)check->problems));
    print_json(object);
}

/* Names what does not open: the tables may be out of sight. */
static enum fail fail_check(const struct vault_check *check, struct error *err)
{
    AUTO_BUF struct buf names = {0};
    const char *between = "";

    buf_init(&names, ERROR_MESSAGE_BYTES);
    for (size_t i = 0; i < check->keys_count; i++) {
        if (check->keys[i].problem.len) {
            buf_addf(&names, "%sdata key %" PRI_STR, between, STR_ARG(check->keys[i].id));
            between = ", ";
        }
    }
    for (size_t i = 0; i < check->secrets_count; i++) {
        if (check->secrets[i].problem.len) {
            buf_addf(&names, "%s'%" PRI_STR "' of connection '%" PRI_STR "'", between,
                     STR_ARG(check->secrets[i].name), STR_ARG(check->secrets[i].connection));
            between = ", ";
        }
    }
    error_set(err, FAIL_STOP, "%zu of %zu do not open: %" PRI_STR, check->problems,
              check->keys_count + check->secrets_count, STR_ARG(buf_str(&names)));
    return error_hint(err, "give crmsync the key they were sealed with; what is lost for good, "
                           "'crmsync keys forget' removes");
}

static enum fail verify(struct wire *wire, struct error *err)
{
    AUTO_TX struct tx *tx = NULL;
    struct vault_check check;

    if (wire_begin(wire, &tx, err) != OK ||
        vault_check_all(wire->vault, tx, &wire->arena, &check, err) != OK) {
        return err->code;
    }
    tx_abort(&tx); /* only read */
    if (wire->cli->json) {
        print_check_json(wire->vault, &check);
    } else {
        printf("key %s, from the %s\n\n", vault_key_id(wire->vault), vault_key_source(wire->vault));
        print_keys(wire, &check, &wire->arena);
        printf("\n");
        print_secrets(wire, &check, &wire->arena);
    }
    return check.problems ? fail_check(&check, err) : OK;
}

static int keys_verify(struct cli *cli, int argc, char **argv)
{
    AUTO_WIRE struct wire wire = {0};
    struct error err = {0};
    int count;
    const struct option_spec options[] = {{0}};
    const struct usage usage = {
        .synopsis = "crmsync keys verify",
        .about = "Opens every data key and every secret of the store, and lists them with age and "
                 "uses.\nShows no secret. Exit code 1 when one does not open.",
        .options = options};
    enum parsed parsed = options_parse(cli, &usage, argc, argv, &count);

    if (parsed != PARSED_OK) {
        return parsed == PARSED_DONE ? EXIT_DONE : EXIT_USAGE;
    }
    if (wire_store(cli, STORE_READ, "crmsync keys verify", &wire, &err) != OK ||
        wire_vault(&wire, &err) != OK || verify(&wire, &err) != OK) {
        return cli_fail(cli, &err);
    }
    return EXIT_DONE;
}

/* --- rotate -------------------------------------------------------------------------------------------------- */

static void print_rotation(const struct wire *wire, const struct key_rotation *rotation,
                           const char *source_before, const char *new_key_file)
{
    if (wire->cli->json) {
        print_json(json_pack("{s:s,s:I,s:b}", "key_id", vault_key_id(wire->vault), "secrets",
                             (json_int_t)rotation->secrets, "key_file_replaced",
                             (int)rotation->is_file_replaced));
        return;
    }
    printf("sealed %zu secrets anew; the key is %s now\n", rotation->secrets,
           vault_key_id(wire->vault));
    if (rotation->is_file_replaced) {
        printf("'%" PRI_STR "' was replaced: keep a copy of it elsewhere than the store's "
               "backups;\nbackups from before need the key from before\n",
               STR_ARG(wire->config.key_file));
    } else {
        printf("replace the %s by the key in '%s' before the next command\n", source_before,
               new_key_file);
    }
}

static int keys_rotate(struct cli *cli, int argc, char **argv)
{
    AUTO_WIRE struct wire wire = {0};
    struct error err = {0};
    struct str new_key_file = STR("");
    struct key_rotation rotation;
    const char *source, *new_path;
    int count;
    const struct option_spec options[] = {{.name = "key-file",
                                           .argument = "NEW",
                                           .help = "take the new key from this file (as "
                                                   "'openssl rand -hex 32' writes it, mode 0600)",
                                           .type = OPTION_TEXT,
                                           .target = &new_key_file},
                                          {0}};
    const struct usage usage = {
        .synopsis = "crmsync keys rotate [--key-file NEW]",
        .about = "Replaces the key, and all data keys that it wraps, and seals all secrets anew, "
                 "in one commit.\nA new key is made and replaces the key file; where the key is a "
                 "systemd credential or an environment\nvariable, --key-file names the new one, "
                 "and you put it there afterwards. Nothing is lost when this is\ninterrupted: the "
                 "next command finds the key it needs.",
        .options = options};
    enum parsed parsed = options_parse(cli, &usage, argc, argv, &count);

    if (parsed != PARSED_OK) {
        return parsed == PARSED_DONE ? EXIT_DONE : EXIT_USAGE;
    }
    if (wire_store(cli, STORE_WRITE, "crmsync keys rotate", &wire, &err) != OK ||
        wire_vault(&wire, &err) != OK) {
        return cli_fail(cli, &err);
    }
    source = vault_key_source(wire.vault);
    new_path = new_key_file.len ? new_key_file.at : NULL;
    if (vault_rotate(wire.vault, wire.store, new_path, &rotation, &err) != OK) {
        return cli_fail(cli, &err);
    }
    print_rotation(&wire, &rotation, source, new_path);
    return EXIT_DONE;
}

/* --- forget -------------------------------------------------------------------------------------------------- */

static enum fail forget(struct wire *wire, bool is_meant, struct vault_forgotten *ret,
                        struct error *err)
{
    AUTO_TX struct tx *tx = NULL;

    if (wire_begin(wire, &tx, err) != OK || vault_forget(wire->vault, tx, ret, err) != OK) {
        return err->code;
    }
    if (!is_meant && (ret->secrets || ret->data_keys)) {
        error_set(err, FAIL_CONFIG,
                  "%zu secrets and %zu data keys do not open with key %s; nothing was removed",
                  ret->secrets, ret->data_keys, vault_key_id(wire->vault));
        return error_hint(err, "see 'crmsync keys verify'; with --yes they are removed for good");
    }
    return tx_commit(&tx, err);
}

static int keys_forget(struct cli *cli, int argc, char **argv)
{
    AUTO_WIRE struct wire wire = {0};
    struct error err = {0};
    struct vault_forgotten forgotten;
    bool is_meant = false;
    int count;
    const struct option_spec options[] = {{.name = "yes",
                                           .help = "remove them; without it they are only counted",
                                           .type = OPTION_FLAG,
                                           .target = &is_meant},
                                          {0}};
    const struct usage usage = {
        .synopsis = "crmsync keys forget --yes",
        .about = "Removes the secrets that do not open, when the key that sealed them is lost for "
                 "good. Their\nconnections are then connected again; records and links stay.",
        .options = options};
    enum parsed parsed = options_parse(cli, &usage, argc, argv, &count);

    if (parsed != PARSED_OK) {
        return parsed == PARSED_DONE ? EXIT_DONE : EXIT_USAGE;
    }
    if (wire_store(cli, STORE_WRITE, "crmsync keys forget", &wire, &err) != OK ||
        wire_vault(&wire, &err) != OK || forget(&wire, is_meant, &forgotten, &err) != OK) {
        return cli_fail(cli, &err);
    }
    if (cli->json) {
        print_json(json_pack("{s:I,s:I}", "secrets", (json_int_t)forgotten.secrets, "data_keys",
                             (json_int_t)forgotten.data_keys));
    } else {
        printf("removed %zu secrets and %zu data keys\n", forgotten.secrets, forgotten.data_keys);
    }
    return EXIT_DONE;
}

int command_keys(struct cli *cli, int argc, char **argv)
{
    static const struct command VERBS[] = {
        {"verify", "open everything that is sealed; list keys, ages and uses", keys_verify},
        {"rotate", "replace the key and seal everything anew", keys_rotate},
        {"forget", "remove what a lost key sealed", keys_forget},
        {0},
    };

    return verbs_run(cli, "keys", "The keys that the tokens in the store are sealed with.", VERBS,
                     argc, argv);
}
