#include "cli/ready.h"

#include "cli/check.h"
#include "store/property.h"

/* Kinds whose property for our id has not been seen to be there yet. Should somebody delete it later, a create says so. */
static enum fail kinds_to_set_up(struct wire *wire, size_t index, const char **ret,
                                 size_t *ret_count, struct error *err)
{
    AUTO_TX struct tx *tx = NULL;
    const struct connection_settings *settings = &wire->config.connections[index];

    if (wire_begin(wire, &tx, err) != OK) {
        return err->code;
    }
    for (size_t i = 0; i < settings->kinds_count; i++) {
        struct store_property *seen;
        size_t count;
        bool is_there = false;

        if (properties_seen(tx, wire->connections[index].row.id, settings->kinds[i], &wire->arena,
                            &seen, &count, err) != OK) {
            return err->code;
        }
        for (size_t k = 0; k < count; k++) {
            is_there = is_there || str_equal(seen[k].name, STR(CORRELATION_PROPERTY));
        }
        if (!is_there) {
            ret[(*ret_count)++] = settings->kinds[i].at;
        }
    }
    return tx_commit(&tx, err);
}

static enum fail keep_set_up(struct wire *wire, size_t index, const char *const *kinds,
                             size_t count, struct error *err)
{
    AUTO_TX struct tx *tx = NULL;
    const struct store_property row = {.name = STR(CORRELATION_PROPERTY), .type = STR("key")};

    if (wire_begin(wire, &tx, err) != OK) {
        return err->code;
    }
    for (size_t i = 0; i < count; i++) {
        if (property_seen_put(tx, wire->connections[index].row.id, str_of(kinds[i]), &row, err) !=
            OK) {
            return err->code;
        }
    }
    return tx_commit(&tx, err);
}

enum fail ready_set_up(struct wire *wire, size_t index, struct error *err)
{
    const struct connection_settings *settings = &wire->config.connections[index];
    const char **kinds = ARENA_ARRAY(&wire->arena, const char *, settings->kinds_count + 1);
    struct setup_request request = {.kinds = kinds};
    struct setup_report done = {0};

    if (kinds_to_set_up(wire, index, kinds, &request.kinds_count, err) != OK) {
        return err->code;
    }
    if (request.kinds_count == 0) {
        return OK;
    }
    if (settings->adapter->ensure_setup(wire->connections[index].session, &request, &done, err) !=
        OK) {
        return err->code;
    }
    return keep_set_up(wire, index, kinds, request.kinds_count, err);
}

bool ready_needs_set_up(const struct wire *wire, size_t index)
{
    const struct connection_settings *settings = &wire->config.connections[index];

    return settings->may_create && settings->direction != DIRECTION_FROM_EXTERNAL;
}

/* The account must be the one the links were made with, and before anything is created there the property for our id must exist. */
enum fail ready_make(struct wire *wire, size_t index, bool writes, struct error *err)
{
    const struct connection_settings *settings = &wire->config.connections[index];
    struct session *session = wire->connections[index].session;
    struct account_facts facts = {0};

    if (settings->adapter->check(session, &wire->arena, &facts, err) != OK ||
        check_account(wire, index, &facts, err) != OK) {
        return err->code;
    }
    wire->connections[index].row.account_id = arena_str(&wire->arena, facts.account_id);
    return writes && ready_needs_set_up(wire, index) ? ready_set_up(wire, index, err) : OK;
}
