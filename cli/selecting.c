#include "cli/selecting.h"

#include "cli/webhooks.h"
#include "store/audit.h"
#include "store/secret.h"

/* In the vault: `setup` made subscriptions there. Nothing about it is secret. */
#define MARK_NAME "change-events"

static enum fail find_mark(struct wire *wire, struct tx *tx, int64_t connection_id, bool *ret,
                           struct error *err)
{
    struct store_secret row;

    return secret_find(tx, connection_id, STR(MARK_NAME), &wire->arena, &row, ret, err);
}

static enum fail has_mark(struct wire *wire, size_t index, int64_t *ret_id, bool *ret,
                          struct error *err)
{
    AUTO_TX struct tx *tx = NULL;
    struct store_connection row = {0};
    bool is_known = false;

    *ret = false;
    if (wire_begin(wire, &tx, err) != OK ||
        connection_by_name(tx, wire->config.connections[index].name, &wire->arena, &row, &is_known,
                           err) != OK ||
        (is_known && find_mark(wire, tx, row.id, ret, err) != OK)) {
        return err->code;
    }
    *ret_id = row.id;
    return tx_commit(&tx, err);
}

static enum fail set_mark(struct wire *wire, int64_t connection_id, bool is_on, struct error *err)
{
    AUTO_TX struct tx *tx = NULL;
    AUTO_SECRET struct secret mark = {0};
    bool found;

    secret_set(&mark, STR("on"));
    if (wire_begin(wire, &tx, err) != OK ||
        (is_on ? vault_put(wire->vault, tx, connection_id, MARK_NAME, &mark, err)
               : vault_remove(tx, connection_id, MARK_NAME, &found, err)) != OK ||
        audit_put_connection(tx, is_on ? "connection.events-set-up" : "connection.events-removed",
                             connection_id, NULL, err) != OK) {
        return err->code;
    }
    return tx_commit(&tx, err);
}

static enum fail select_events(struct wire *wire, size_t index, bool is_on,
                               struct webhook_report *ret, struct error *err)
{
    struct webhook_wanted wanted = {.url = STR("")};

    if (is_on) {
        wanted = webhooks_subject(wire, index);
    }
    return wire->config.connections[index].adapter->select_events(wire->connections[index].session,
                                                                  &wanted, &wire->arena, ret, err);
}

enum fail selecting_set_up(struct wire *wire, size_t index, bool *ret_is_used,
                           struct webhook_report *ret, struct error *err)
{
    const struct connection_settings *settings = &wire->config.connections[index];
    int64_t id = 0;
    bool was_on;

    *ret = (struct webhook_report){.by_hand = STR("")};
    *ret_is_used = false;
    if (!settings->adapter->select_events) {
        return OK;
    }
    if (has_mark(wire, index, &id, &was_on, err) != OK) {
        return err->code;
    }
    if (!settings->wants_events && !was_on) {
        return OK;
    }
    *ret_is_used = true;
    if (select_events(wire, index, settings->wants_events, ret, err) != OK) {
        return err->code;
    }
    return was_on == settings->wants_events ? OK : set_mark(wire, id, settings->wants_events, err);
}

enum fail selecting_end(struct wire *wire, size_t index, bool *ret_had, struct webhook_report *ret,
                        struct error *ret_why, struct error *err)
{
    int64_t id = 0;

    *ret_why = (struct error){0};
    *ret = (struct webhook_report){.by_hand = STR("")};
    *ret_had = false;
    if (!wire->config.connections[index].adapter->select_events) {
        return OK;
    }
    if (has_mark(wire, index, &id, ret_had, err) != OK || !*ret_had) {
        return err->code;
    }
    if (wire->connections[index].session || wire_open(wire, index, ret_why) == OK) {
        (void)!select_events(wire, index, false, ret, ret_why); /* told to the person */
    }
    return set_mark(wire, id, false, err);
}
