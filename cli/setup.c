/* crmsync setup: makes what the mappings need at the CRM. */
#include <stdio.h>

#include "cli/options.h"
#include "cli/output.h"
#include "cli/selecting.h"
#include "cli/webhooks.h"
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

/* What the command line said and what was done. */
struct work {
    bool fresh;
    struct setup_report report;
    struct webhook_report webhooks;
    bool has_webhooks;
    struct webhook_report events;
    bool has_events;
};

static enum fail set_up_properties(struct wire *wire, size_t index, struct setup_report *ret,
                                   struct error *err)
{
    AUTO_TX struct tx *tx = NULL;
    struct setup_request request = request_of(&wire->config.connections[index], &wire->arena);

    if (wire->config.connections[index].adapter->ensure_setup(wire->connections[index].session,
                                                              &request, ret, err) != OK ||
        wire_begin(wire, &tx, err) != OK ||
        properties_forget(tx, wire->connections[index].row.id, STR(""), err) != OK) {
        return err->code;
    }
    return tx_commit(&tx, err);
}

static enum fail setup_one(struct wire *wire, struct str name, struct work *work, struct error *err)
{
    size_t index;

    if (wire_find(wire, name, &index, err) != OK || wire_open(wire, index, err) != OK ||
        set_up_properties(wire, index, &work->report, err) != OK) {
        return err->code;
    }
    if (webhooks_set_up(wire, index, work->fresh, &work->webhooks, err) != OK) {
        return error_wrap(err, "the properties are there, but not the webhooks");
    }
    work->has_webhooks = wire->config.webhooks[index].is_on || work->webhooks.removed > 0 ||
                         work->webhooks.by_hand.len > 0;
    if (selecting_set_up(wire, index, &work->has_events, &work->events, err) != OK) {
        return error_wrap(err, "the properties are there, but not what 'changes: events' needs");
    }
    return OK;
}

static void print_work_json(const struct work *work)
{
    const struct webhook_report *webhooks = &work->webhooks;
    json_t *whole = json_pack("{s:i,s:i,s:i}", "created", work->report.created, "present",
                              work->report.present, "options_added", work->report.options_added);

    if (work->has_webhooks) {
        json_object_set_new(whole, "webhooks",
                            json_pack("{s:i,s:i,s:i,s:s%}", "created", webhooks->created, "present",
                                      webhooks->present, "removed", webhooks->removed, "by_hand",
                                      webhooks->by_hand.at, webhooks->by_hand.len));
    }
    if (work->has_events) {
        json_object_set_new(whole, "events",
                            json_pack("{s:i,s:i,s:i}", "created", work->events.created, "present",
                                      work->events.present, "removed", work->events.removed));
    }
    print_json(whole);
}

static void print_work(const struct work *work)
{
    printf("%d created, %d there already", work->report.created, work->report.present);
    if (work->report.options_added) {
        printf(", %d options added", work->report.options_added);
    }
    putchar('\n');
    if (work->has_webhooks && work->webhooks.by_hand.len) {
        printf("\n%" PRI_STR, STR_ARG(work->webhooks.by_hand));
    } else if (work->has_webhooks) {
        printf("webhooks: %d created, %d there already, %d removed\n", work->webhooks.created,
               work->webhooks.present, work->webhooks.removed);
    }
    if (work->has_events) {
        printf("subscriptions of change events: %d created, %d there already, %d removed\n",
               work->events.created, work->events.present, work->events.removed);
    }
}

int command_setup(struct cli *cli, int argc, char **argv)
{
    AUTO_WIRE struct wire wire = {0};
    struct error err = {0};
    struct work work = {0};
    int count;
    const struct option_spec options[] = {
        {.name = "new-webhook-secrets",
         .help = "make the webhooks' address and password anew; the former ones are taken until "
                 "the next time",
         .type = OPTION_FLAG,
         .target = &work.fresh},
        {0}};
    const struct usage usage = {
        .synopsis = "crmsync setup CONNECTION [options]",
        .about = "Makes at the CRM what is missing there: the property '" CORRELATION_PROPERTY
                 "', in which crmsync writes the id of its\n"
                 "record when it creates an object (it is what makes a repeated create harmless), "
                 "and the custom properties\n"
                 "that the mapping declares under 'properties', with their groups and options. "
                 "Removes no property. Types of properties\n"
                 "that have changed are accepted as they are now. Webhooks are made to match "
                 "'webhooks' of crmsync.yaml; where the CRM\n"
                 "has no API for that, what to do there is printed (docs/webhooks.md). With "
                 "'changes: events' HubSpot's journal is\n"
                 "told what to write. May be run again at any time.",
        .options = options,
        .arguments_min = 1,
        .arguments_max = 1};
    enum parsed parsed = options_parse(cli, &usage, argc, argv, &count);

    if (parsed != PARSED_OK) {
        return parsed == PARSED_DONE ? EXIT_DONE : EXIT_USAGE;
    }
    if (wire_store(cli, STORE_SHARED, "crmsync setup", &wire, &err) != OK ||
        wire_network(&wire, &err) != OK || setup_one(&wire, str_of(argv[1]), &work, &err) != OK) {
        return cli_fail(cli, &err);
    }
    if (cli->json) {
        print_work_json(&work);
    } else {
        print_work(&work);
    }
    return EXIT_DONE;
}
