#include "cli/inspection.h"

#include "sync/facts.h"

enum fail inspection_schema(struct wire *wire, size_t index, struct str kind,
                            struct schema_facts *ret, struct error *err)
{
    const struct adapter *adapter = wire->config.connections[index].adapter;
    struct remote_schema schema = {0};

    if (adapter->describe(wire->connections[index].session, arena_cstr(&wire->arena, kind),
                          &wire->arena, &schema, err) != OK) {
        return error_wrap(err, "%" PRI_STR ", %" PRI_STR,
                          STR_ARG(wire->config.connections[index].name), STR_ARG(kind));
    }
    *ret = facts_of_schema(&schema, &wire->arena);
    return OK;
}

enum fail inspection_run(struct wire *wire, const bool *open, struct finding **ret,
                         size_t *ret_count, struct error *err)
{
    size_t connections_count = wire->config.settings.connections_count;
    size_t room = 0, count = 0;
    struct inspected *subjects;

    for (size_t i = 0; i < connections_count; i++) {
        room += wire->config.connections[i].kinds_count;
    }
    subjects = ARENA_ARRAY(&wire->arena, struct inspected, room + 1);
    for (size_t i = 0; i < connections_count; i++) {
        const struct connection_settings *settings = &wire->config.connections[i];

        for (size_t k = 0; k < settings->kinds_count; k++) {
            struct schema_facts *schema = ARENA_NEW(&wire->arena, struct schema_facts);
            bool is_open = open && open[i];

            if (is_open && inspection_schema(wire, i, settings->kinds[k], schema, err) != OK) {
                return err->code;
            }
            subjects[count++] =
                (struct inspected){.connection = settings->name,
                                   .mapping = mapping_of(settings->mappings, settings->kinds[k]),
                                   .schema = is_open ? schema : NULL};
        }
    }
    mapping_inspect(subjects, count, &wire->arena, ret, ret_count);
    return OK;
}
