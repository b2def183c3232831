/* crmsync prune: what `retention:` no longer wants to keep. */
#include <stdio.h>

#include "cli/options.h"
#include "cli/output.h"
#include "cli/upkeep.h"
#include "cli/wire.h"

static void print_pruned(const struct cli *cli, const struct pruned *pruned, bool is_rehearsal)
{
    if (cli->json) {
        print_json(json_pack("{s:b,s:I,s:I,s:I,s:I,s:I,s:I}", "dry_run", is_rehearsal ? 1 : 0,
                             "journal", (json_int_t)pruned->journal, "runs",
                             (json_int_t)pruned->runs, "inbox", (json_int_t)pruned->inbox,
                             "failures", (json_int_t)pruned->failures, "conflicts",
                             (json_int_t)pruned->conflicts, "usage", (json_int_t)pruned->usage));
        return;
    }
    printf("%s: %lld journal entries, %lld runs, %lld hints, %lld failures, %lld conflicts, %lld "
           "days of usage\n",
           is_rehearsal ? "would go" : "gone", (long long)pruned->journal, (long long)pruned->runs,
           (long long)pruned->inbox, (long long)pruned->failures, (long long)pruned->conflicts,
           (long long)pruned->usage);
}

int command_prune(struct cli *cli, int argc, char **argv)
{
    AUTO_WIRE struct wire wire = {0};
    struct error err = {0};
    struct pruned pruned;
    bool is_rehearsal = false;
    int count;
    const struct option_spec options[] = {
        {.name = "dry-run", .help = "only count", .type = OPTION_FLAG, .target = &is_rehearsal},
        {0}};
    const struct usage usage = {
        .synopsis = "crmsync prune [--dry-run]",
        .about = "Removes history that is older than 'retention:' of the configuration wants to "
                 "keep; without it, nothing. What an\nundo, an open conflict or a write that waits "
                 "still needs stays, and so does the audit log. The service does this daily.",
        .options = options};
    enum parsed parsed = options_parse(cli, &usage, argc, argv, &count);

    if (parsed != PARSED_OK) {
        return parsed == PARSED_DONE ? EXIT_DONE : EXIT_USAGE;
    }
    if (wire_store(cli, STORE_WRITE, "crmsync prune", &wire, &err) != OK ||
        retention_apply(wire.store, &wire.config, is_rehearsal, &pruned, &err) != OK) {
        return cli_fail(cli, &err);
    }
    print_pruned(cli, &pruned, is_rehearsal);
    return EXIT_DONE;
}
