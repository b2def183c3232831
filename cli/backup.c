/* crmsync backup, crmsync restore. */
#include <stdio.h>

#include "cli/backup_file.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/upkeep.h"
#include "cli/wire.h"
#include "store/restore.h"
#include "store/restoring.h"

/* --- backup -------------------------------------------------------------------------------------------------- */

struct backup_wish {
    struct str file, dir;
    int64_t keep;
};

static void print_backup(const struct cli *cli, const struct backup_receipt *receipt,
                         int64_t removed)
{
    char hex[2 * SHA256_BYTES + 1];

    if (cli->json) {
        json_t *body = backup_receipt_json(receipt);

        json_object_set_new(body, "removed", json_integer(removed));
        print_json(body);
        return;
    }
    hex_encode(receipt->sha256, SHA256_BYTES, hex);
    printf("%" PRI_STR ": %lld records, %lld links, %lld bytes\nsha256 %s\n",
           STR_ARG(receipt->path), (long long)receipt->records, (long long)receipt->links,
           (long long)receipt->bytes, hex);
    if (removed) {
        printf("%lld older ones removed\n", (long long)removed);
    }
    printf("the key that opens its tokens is not in it: keep a copy of the key elsewhere\n");
}

static enum fail run_backup(struct wire *wire, const struct backup_wish *wish, struct error *err)
{
    struct env *env = wire->cli->env;
    struct str path = wish->file.len
                          ? wish->file
                          : backup_name(&wire->arena, wish->dir, clock_wall_ms(env->clock));
    struct backup_receipt receipt;
    int64_t removed = 0;

    if (backup_make(wire->store, env, &wire->config, path, &wire->arena, &receipt, err) != OK ||
        (wish->dir.len && backup_prune(&wire->arena, wish->dir, wish->keep, &removed, err) != OK)) {
        return err->code;
    }
    print_backup(wire->cli, &receipt, removed);
    return OK;
}

int command_backup(struct cli *cli, int argc, char **argv)
{
    AUTO_WIRE struct wire wire = {0};
    struct error err = {0};
    struct backup_wish wish = {.file = STR(""), .dir = STR("")};
    int count;
    const struct option_spec options[] = {{.name = "dir",
                                           .argument = "DIR",
                                           .help = "into this folder, named by the time",
                                           .type = OPTION_TEXT,
                                           .target = &wish.dir},
                                          {.name = "keep",
                                           .argument = "N",
                                           .help = "with --dir: only the newest N stay",
                                           .type = OPTION_NUMBER,
                                           .target = &wish.keep,
                                           .least = 1},
                                          {0}};
    const struct usage usage = {
        .synopsis = "crmsync backup FILE | --dir DIR [--keep N]",
        .about = "Writes the store of all tenants, as of one moment, into one file, while others "
                 "work with it. The copy is\nchecked before it gets its name; a receipt with its "
                 "SHA-256 and the ends of the audit logs is put beside it.\nTokens are in it, "
                 "sealed; the key that opens them is not: keep a copy of the key elsewhere.\n\n"
                 "  crmsync backup /backup/monday.db\n"
                 "  crmsync backup --dir /backup --keep 14",
        .options = options,
        .arguments_max = 1};
    enum parsed parsed = options_parse(cli, &usage, argc, argv, &count);

    if (parsed != PARSED_OK) {
        return parsed == PARSED_DONE ? EXIT_DONE : EXIT_USAGE;
    }
    wish.file = str_of(count ? argv[1] : "");
    if ((wish.file.len > 0) == (wish.dir.len > 0) || (wish.keep && wish.dir.len == 0)) {
        return usage_error(&usage, "give a file, or a folder with --dir");
    }
    if (wire_store(cli, STORE_READ, "crmsync backup", &wire, &err) != OK ||
        run_backup(&wire, &wish, &err) != OK) {
        return cli_fail(cli, &err);
    }
    return EXIT_DONE;
}

/* --- restore ------------------------------------------------------------------------------------------------- */

static void print_restored(struct wire *wire, const char *file, bool has_receipt,
                           const struct restore_result *result)
{
    struct str moment = time_text(&wire->arena, result->lineage.backed_up_ms);

    if (wire->cli->json) {
        print_json(json_pack("{s:s,s:o,s:I,s:o,s:b,s:I}", "file", file, "backup_of",
                             json_time(result->lineage.backed_up_ms), "epoch",
                             (json_int_t)result->lineage.epoch, "aside", json_text(result->aside),
                             "compared_with_receipt", has_receipt ? 1 : 0, "erased_again",
                             (json_int_t)result->erased_again));
        return;
    }
    printf("restored '%s', as of %" PRI_STR "\n", file, STR_ARG(moment));
    if (!has_receipt) {
        printf("there was no receipt beside it to compare with\n");
    }
    if (result->aside.len) {
        printf("the store that was here is '%" PRI_STR "' now\n", STR_ARG(result->aside));
    }
    if (result->erased_again) {
        printf("%lld people who were erased since the backup are erased again\n",
               (long long)result->erased_again);
    }
    printf("nothing is written to any CRM before every connection has been read completely: "
           "'crmsync sync' does that\n"
           "sign-ins that were renewed since the backup may have to be made again: 'crmsync "
           "doctor' says which\n");
}

static enum fail run_restore(struct wire *wire, const char *file, struct error *err)
{
    struct store_options options = {.path = arena_cstr(&wire->arena, wire->config.store_path),
                                    .access = STORE_WRITE,
                                    .holder = "crmsync restore"};
    struct restore_result result;
    bool has_receipt;

    if (backup_receipt_check(&wire->arena, file, &has_receipt, err) != OK ||
        store_restore(file, &options, wire->cli->env, &wire->arena, &result, err) != OK) {
        return err->code;
    }
    print_restored(wire, file, has_receipt, &result);
    return OK;
}

/* A connection that cannot be read any more must not hold up the others for ever. */
static enum fail skip_connection(struct wire *wire, struct str name, struct error *err)
{
    AUTO_TX struct tx *tx = NULL;
    struct store_connection row;
    int64_t streams = 0;
    bool found;

    if (wire_begin(wire, &tx, err) != OK ||
        connection_by_name(tx, name, &wire->arena, &row, &found, err) != OK) {
        return err->code;
    }
    if (!found) {
        return error_set(err, FAIL_CONFIG, "the store knows no connection '%" PRI_STR "'",
                         STR_ARG(name));
    }
    if (restoring_skip(tx, row.id, &streams, err) != OK ||
        audit_put_connection(tx, "store.restore-skipped", row.id, NULL, err) != OK ||
        tx_commit(&tx, err) != OK) {
        return err->code;
    }
    printf("'%" PRI_STR "' is not waited for\n", STR_ARG(name));
    return OK;
}

int command_restore(struct cli *cli, int argc, char **argv)
{
    AUTO_WIRE struct wire wire = {0};
    struct error err = {0};
    struct str skip = STR("");
    int count;
    const struct option_spec options[] = {
        {.name = "skip",
         .argument = "CONNECTION",
         .help = "after a restore: do not wait until this one has been read",
         .type = OPTION_TEXT,
         .target = &skip},
        {0}};
    const struct usage usage = {
        .synopsis = "crmsync restore FILE | --skip CONNECTION",
        .about = "Puts a backup in the place of the store; the store that is there is kept under "
                 "another name. Refused while another\nprocess works with the store.\n\n"
                 "The backup knows less than what happened since. So the next sync reads every "
                 "connection completely before anything\nis written: what was deleted meanwhile "
                 "stays deleted, what was created meanwhile is recognised, and what may be "
                 "a\ndouble is set aside ('crmsync failures list'). A connection that cannot be "
                 "read any more is left out with --skip.",
        .options = options,
        .arguments_max = 1};
    enum parsed parsed = options_parse(cli, &usage, argc, argv, &count);

    if (parsed != PARSED_OK) {
        return parsed == PARSED_DONE ? EXIT_DONE : EXIT_USAGE;
    }
    if ((count == 1) == (skip.len > 0)) {
        return usage_error(&usage, "give a file, or a connection with --skip");
    }
    if (skip.len ? wire_store(cli, STORE_WRITE, "crmsync restore", &wire, &err) != OK ||
                       skip_connection(&wire, skip, &err) != OK
                 : wire_config(cli, &wire, &err) != OK || run_restore(&wire, argv[1], &err) != OK) {
        return cli_fail(cli, &err);
    }
    return EXIT_DONE;
}
