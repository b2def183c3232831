/* crmsync setup: makes what the mappings need at the CRM. */
#include <stdio.h>

#include "cli/options.h"
#include "cli/output.h"
#include "cli/wire.h"
#include "store/property.h"

_Static_assert((int)DECLARED_MULTI_ENUM == (int)PROPERTY_MULTI_ENUM &&
                   (int)DECLARED_ENUM == (int)PROPERTY_ENUM &&
                   (int)DECLARED_DATETIME == (int)PROPERTY_DATETIME,
               "both lists of types have one order");

static struct property_wanted wanted_of(const struct declared_property *declared, const char *kind,
                                        struct arena *arena)
{
    struct remote_option *options =
        ARENA_ARRAY(arena, struct remote_option, declared->options_count + 1);

    for (size_t i = 0; i < declared->options_count; i++) {
        options[i] = (struct remote_option){.value = declared->options[i].value,
                                            .label = declared->options[i].label};
    }
    return (struct property_wanted){.kind = kind,
                                    .name = declared->name,
                                    .label = declared->label,
                                    .group = declared->group,
                                    .type = (enum property_type)declared->type,
                                    .is_unique = declared->is_unique,
                                    .options = options,
                                    .options_count = declared->options_count};
}

/* All kinds of the connection with the properties that its mapping declares. */
static struct setup_request request_of(const struct connection_settings *settings,
                                       struct arena *arena)
{
    const char **kinds = ARENA_ARRAY(arena, const char *, settings->kinds_count + 1);
    struct property_wanted *wanted;
    size_t room = 0, count = 0;

    for (size_t i = 0; i < settings->kinds_count; i++) {
        kinds[i] = settings->kinds[i].at;
        room += mapping_of(settings->mappings, settings->kinds[i])->declared_count;
    }
    wanted = ARENA_ARRAY(arena, struct property_wanted, room + 1);
    for (size_t i = 0; i < settings->kinds_count; i++) {
        const struct mapping *mapping = mapping_of(settings->mappings, settings->kinds[i]);

        for (size_t k = 0; k < mapping->declared_count; k++) {
            wanted[count++] = wanted_of(&mapping->declared[k], kinds[i], arena);
        }
    }
    return (struct setup_request){.kinds = kinds,
                                  .kinds_count = settings->kinds_count,
                                  .properties = wanted,
                                  .properties_count = count};
}

static enum fail setup_one(struct wire *wire, struct str name, struct setup_report *ret,
                           struct error *err)
{
    AUTO_TX struct tx *tx = NULL;
    struct setup_request request;
    size_t index;

    if (wire_find(wire, name, &index, err) != OK || wire_open(wire, index, err) != OK) {
        return err->code;
    }
    request = request_of(&wire->config.connections[index], &wire->arena);
    if (wire->config.connections[index].adapter->ensure_setup(wire->connections[index].session,
                                                              &request, ret, err) != OK ||
        wire_begin(wire, &tx, err) != OK ||
        properties_forget(tx, wire->connections[index].row.id, STR(""), err) != OK) {
        return err->code;
    }
    return tx_commit(&tx, err);
}

int command_setup(struct cli *cli, int argc, char **argv)
{
    AUTO_WIRE struct wire wire = {0};
    struct error err = {0};
    struct setup_report report = {0};
    int count;
    const struct option_spec options[] = {{0}};
    const struct usage usage = {
        .synopsis = "crmsync setup CONNECTION",
        .about = "Makes at the CRM what is missing there: the property '" CORRELATION_PROPERTY
                 "', in which crmsync writes the id of its\n"
                 "record when it creates an object (it is what makes a repeated create harmless), "
                 "and the custom properties\n"
                 "that the mapping declares under 'properties', with their groups and options. "
                 "Removes nothing. Types of properties\n"
                 "that have changed are accepted as they are now. May be run again at any time.",
        .options = options,
        .arguments_min = 1,
        .arguments_max = 1};
    enum parsed parsed = options_parse(cli, &usage, argc, argv, &count);

    if (parsed != PARSED_OK) {
        return parsed == PARSED_DONE ? EXIT_DONE : EXIT_USAGE;
    }
    if (wire_store(cli, STORE_WRITE, "crmsync setup", &wire, &err) != OK ||
        wire_network(&wire, &err) != OK || setup_one(&wire, str_of(argv[1]), &report, &err) != OK) {
        return cli_fail(cli, &err);
    }
    if (cli->json) {
        print_json(json_pack("{s:i,s:i,s:i}", "created", report.created, "present", report.present,
                             "options_added", report.options_added));
        return EXIT_DONE;
    }
    printf("%d created, %d there already", report.created, report.present);
    if (report.options_added) {
        printf(", %d options added", report.options_added);
    }
    putchar('\n');
    return EXIT_DONE;
}
