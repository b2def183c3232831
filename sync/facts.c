#include "sync/facts.h"

struct schema_facts facts_of_schema(const struct remote_schema *schema, struct arena *arena)
{
    struct property_facts *facts = ARENA_ARRAY(arena, struct property_facts, schema->count + 1);

    for (size_t i = 0; i < schema->count; i++) {
        const struct remote_property *property = &schema->properties[i];
        struct option_facts *options =
            ARENA_ARRAY(arena, struct option_facts, property->options_count + 1);

        for (size_t k = 0; k < property->options_count; k++) {
            options[k] = (struct option_facts){.value = property->options[k].value,
                                               .label = property->options[k].label};
        }
        facts[i] = (struct property_facts){.name = property->name,
                                           .label = property->label,
                                           .type = property->type,
                                           .is_writable = property->is_writable,
                                           .is_custom = property->is_custom,
                                           .options = options,
                                           .options_count = property->options_count};
    }
    return (struct schema_facts){.at = facts, .count = schema->count};
}
