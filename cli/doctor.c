/* crmsync doctor: everything that must be right before a sync, one line each, with what to do. */
#include <stdio.h>
#include <sys/statvfs.h>

#include "cli/check.h"
#include "cli/options.h"

enum { FREE_BYTES_MIN = 256 * 1024 * 1024 };

static void check_space(struct wire *wire, struct table *table, bool *is_fine)
{
    struct statvfs facts;
    struct error err = {0};
    const char *path = arena_cstr(&wire->arena, wire->config.store_path);

    if (statvfs(path, &facts) != 0 || (uint64_t)facts.f_bavail * facts.f_frsize < FREE_BYTES_MIN) {
        error_set(&err, FAIL_STOP, "less than %d MB are free on the store's disk",
                  FREE_BYTES_MIN / 1024 / 1024);
        error_hint(&err, "free some space: a full disk stops the sync (nothing is lost then)");
        *is_fine = false;
    }
    check_row(table, STR("free space"), &err);
}

/* Adds the row of a step and says whether to go on. */
static bool step(struct table *table, const char *what, enum fail failed, const struct error *err,
                 bool *is_fine)
{
    check_row(table, str_of(what), err);
    *is_fine = *is_fine && failed == OK;
    return failed == OK;
}

static void examine(struct cli *cli, struct wire *wire, struct table *table, bool *is_fine)
{
    struct error err = {0};

    if (!step(table, "configuration and mappings", wire_config(cli, wire, &err), &err, is_fine)) {
        return;
    }
    if (!step(table, "store", wire_open_store(wire, STORE_SHARED, "crmsync doctor", &err), &err,
              is_fine)) {
        return;
    }
    check_space(wire, table, is_fine);
    if (!step(table, "key file", wire_network(wire, &err), &err, is_fine)) {
        return;
    }
    for (size_t i = 0; i < wire->connections_count; i++) {
        check_connection(wire, i, table, is_fine);
    }
}

int command_doctor(struct cli *cli, int argc, char **argv)
{
    AUTO_WIRE struct wire wire = {0};
    struct table *table;
    bool is_fine = true;
    int count;
    const struct option_spec options[] = {{0}};
    const struct usage usage = {
        .synopsis = "crmsync doctor",
        .about = "Checks configuration, mappings, store, free space, key, and every connection "
                 "with its mapped properties.\n"
                 "Each line says what to do about a problem. Exit code 1 when there is one.",
        .options = options};
    enum parsed parsed = options_parse(cli, &usage, argc, argv, &count);

    if (parsed != PARSED_OK) {
        return parsed == PARSED_DONE ? EXIT_DONE : EXIT_USAGE;
    }
    table = check_table(cli);
    examine(cli, &wire, table, &is_fine);
    table_print(table, "");
    return is_fine ? EXIT_DONE : EXIT_FAILED;
}
