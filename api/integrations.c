/* Connections as the API calls them: how they are configured, in which state they are, and whether they work. */
#include "api/find.h"
#include "api/handlers.h"
#include "api/json.h"
#include "store/connection.h"

static const char *direction_name(enum connection_direction direction)
{
    static const char *const NAMES[] = {[DIRECTION_BIDIRECTIONAL] = "bidirectional",
                                        [DIRECTION_TO_EXTERNAL] = "to-external",
                                        [DIRECTION_FROM_EXTERNAL] = "from-external"};

    return NAMES[direction];
}

static json_t *json_kinds(const struct connection_settings *settings)
{
    json_t *kinds = json_array();

    for (size_t i = 0; i < settings->kinds_count; i++) {
        json_array_append_new(kinds, json_text(settings->kinds[i]));
    }
    return kinds;
}

static enum fail integration_row(struct api_call *call, struct tx *tx,
                                 const struct connection_settings *settings, json_t **ret,
                                 struct error *err)
{
    struct store_connection row = {0};
    bool found;

    if (connection_by_name(tx, settings->name, call->arena, &row, &found, err) != OK) {
        return err->code;
    }
    *ret =
        json_pack("{s:o,s:s,s:s,s:o,s:i,s:b,s:s,s:o,s:o,s:o}", "name", json_text(settings->name),
                  "adapter", settings->adapter->name, "direction",
                  direction_name(settings->direction), "kinds", json_kinds(settings), "priority",
                  settings->priority, "create", settings->may_create ? 1 : 0, "state",
                  found ? connection_state_name(row.state) : "new", "reason", json_text(row.reason),
                  "account_id", json_text(row.account_id), "account", json_text(row.account_title));
    return OK;
}

enum fail handle_integrations_list(struct api_call *call, struct error *err)
{
    AUTO_TX struct tx *tx = NULL;
    json_t *rows = jx_own(call->arena, json_array()), *row;

    if (api_read(call, &tx, err) != OK) {
        return err->code;
    }
    for (size_t i = 0; i < call->tenant->settings->connections_count; i++) {
        if (integration_row(call, tx, &call->tenant->settings->connections[i], &row, err) != OK) {
            return err->code;
        }
        json_array_append_new(rows, row);
    }
    api_page(call, json_incref(rows), 0);
    return tx_commit(&tx, err);
}

enum fail handle_integration_get(struct api_call *call, struct error *err)
{
    AUTO_TX struct tx *tx = NULL;
    const struct connection_settings *settings;
    json_t *row;

    if (api_connection(call, api_parameter(call, "name"), &settings, err) != OK ||
        api_read(call, &tx, err) != OK || integration_row(call, tx, settings, &row, err) != OK) {
        return err->code;
    }
    api_answer(call, row);
    return tx_commit(&tx, err);
}

enum fail handle_integration_put(struct api_call *call, struct error *err)
{
    struct str name;
    json_t *settings;

    if (!call->host->connection_put) {
        return api_not_offered(call, "new connections", err);
    }
    if (jx_str(call->body, "name", &name, err) != OK ||
        jx_object(call->body, "settings", &settings, err) != OK) {
        err->code = FAIL_CONFIG;
        return err->code;
    }
    if (settings_of(call->tenant->settings, name)) {
        error_set(err, FAIL_CONFIG, "there is a connection '%" PRI_STR "' already", STR_ARG(name));
        return api_status(call, 409, err);
    }
    if (call->host->connection_put(call->host->context, call->tenant->name, name, settings, err) !=
        OK) {
        return err->code;
    }
    call->status = 201;
    api_header(call, "Location",
               arena_printf(call->arena, "/api/crm/integrations/%" PRI_STR, STR_ARG(name)));
    api_answer(call, json_pack("{s:s%}", "name", name.at, name.len));
    return OK;
}

enum fail handle_integration_remove(struct api_call *call, struct error *err)
{
    const struct connection_settings *settings;

    if (!call->host->connection_remove) {
        return api_not_offered(call, "the removal of connections", err);
    }
    if (api_connection(call, api_parameter(call, "name"), &settings, err) != OK) {
        return err->code;
    }
    if (call->host->connection_remove(call->host->context, call->tenant->name, settings->name,
                                      err) != OK) {
        return err->code == FAIL_CONFIG ? api_status(call, 409, err) : err->code;
    }
    call->status = 204;
    return OK;
}

enum fail handle_integration_test(struct api_call *call, struct error *err)
{
    const struct connection_settings *settings;
    bool is_fine = true;
    json_t *rows = NULL;

    if (!call->host->test) {
        return api_not_offered(call, "tests of connections", err);
    }
    if (api_connection(call, api_parameter(call, "name"), &settings, err) != OK ||
        call->host->test(call->host->context, call->tenant, settings->name, &rows, &is_fine, err) !=
            OK) {
        return err->code;
    }
    api_answer(call, json_pack("{s:b,s:o}", "ok", is_fine ? 1 : 0, "items", rows));
    return OK;
}
