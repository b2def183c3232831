/* Mass changes that were stopped, and the word that lets one go on. */
#include "api/find.h"
#include "api/handlers.h"
#include "api/inside.h"
#include "api/json.h"
#include "store/brake.h"
#include "store/connection.h"
#include "sync/braking.h"

static json_t *json_brake(struct api_call *call, struct tx *tx, const struct store_brake *brake)
{
    struct str name = connection_name(tx, brake->connection_id, call->arena);
    bool is_confirmed = brake->confirmed_count >= brake->count;

    return json_pack(
        "{s:o,s:o,s:s,s:I,s:I,s:o,s:s,s:o,s:o}", "connection", json_text(name), "kind",
        json_text(brake->kind), "what", brake_what_name(brake->what), "count", brake->count,
        "linked", brake->linked, "stopped", json_time(brake->stopped_ms), "state",
        is_confirmed ? "confirmed" : "waits", "seen",
        json_text(brake_text(call->arena, name, brake)), "try",
        json_text(api_advice(call, is_confirmed ? STR("crmsync sync")
                                                : brake_command(call->arena, name, brake))));
}

enum fail handle_brakes_list(struct api_call *call, struct error *err)
{
    AUTO_TX struct tx *tx = NULL;
    struct store_brake *brakes;
    json_t *rows;
    size_t count;

    if (api_read(call, &tx, err) != OK || brake_list(tx, call->arena, &brakes, &count, err) != OK) {
        return err->code;
    }
    rows = json_array();
    for (size_t i = 0; i < count; i++) {
        json_array_append_new(rows, json_brake(call, tx, &brakes[i]));
    }
    api_page(call, rows, 0);
    return tx_commit(&tx, err);
}

/* What somebody agrees to. */
struct confirmation {
    struct str connection, kind, what; /* what "": the only one that waits */
    int64_t count;
};

static enum fail read_confirmation(struct api_call *call, struct confirmation *ret,
                                   struct error *err)
{
    const struct connection_settings *settings;
    const struct kind *kind;
    enum brake_what what;

    if (jx_str(call->body, "connection", &ret->connection, err) != OK ||
        jx_str(call->body, "kind", &ret->kind, err) != OK ||
        jx_str_or(call->body, "what", STR(""), &ret->what, err) != OK ||
        jx_i64(call->body, "count", &ret->count, err) != OK) {
        err->code = FAIL_CONFIG;
        return err->code;
    }
    if (ret->count < 1) {
        return error_set(err, FAIL_CONFIG, "'count' is the number you agree to, from 1 up");
    }
    if (ret->what.len && !brake_what_parse(ret->what, &what)) {
        return error_set(err, FAIL_CONFIG, "'what' is deletes, removals, updates or emptied");
    }
    if (api_connection(call, ret->connection, &settings, err) != OK) {
        return err->code;
    }
    return kind_named(call->setup.kinds, ret->kind, &kind, err);
}

static enum fail find_brake(struct api_call *call, struct tx *tx, const struct confirmation *asked,
                            int64_t connection_id, struct store_brake *ret, struct error *err)
{
    struct store_brake *brakes;
    size_t count, hits = 0;

    if (brake_list(tx, call->arena, &brakes, &count, err) != OK) {
        return err->code;
    }
    for (size_t i = 0; i < count; i++) {
        if (brakes[i].connection_id == connection_id && str_equal(brakes[i].kind, asked->kind) &&
            (asked->what.len == 0 ||
             str_equal(asked->what, str_of(brake_what_name(brakes[i].what))))) {
            *ret = brakes[i];
            hits++;
        }
    }
    if (hits == 1) {
        return OK;
    }
    error_set(err, FAIL_RECORD,
              hits ? "several mass changes of %" PRI_STR " at %" PRI_STR " wait"
                   : "the brake holds nothing of %" PRI_STR " at %" PRI_STR,
              STR_ARG(asked->kind), STR_ARG(asked->connection));
    error_hint(err, hits ? "say which: --what deletes, removals, updates or emptied"
                         : "look at 'crmsync brake list'");
    return api_status(call, hits ? 409 : 404, err);
}

static enum fail confirm(struct api_call *call, struct tx *tx, const struct confirmation *asked,
                         int64_t connection_id, struct error *err)
{
    struct store_brake brake = {0};

    if (find_brake(call, tx, asked, connection_id, &brake, err) != OK) {
        return err->code;
    }
    if (brake.count > asked->count) {
        error_set(err, FAIL_STALE, "not confirmed: it is %lld now, not %lld",
                  (long long)brake.count, (long long)asked->count);
        return error_hint(err, "look again, then: %" PRI_STR,
                          STR_ARG(brake_command(call->arena, asked->connection, &brake)));
    }
    api_answer(call, json_pack("{s:I}", "confirmed", brake.count));
    return brake_confirm(tx, connection_id, brake.kind, brake.what, clock_wall_ms(call->env->clock),
                         err);
}

enum fail handle_brake_confirm(struct api_call *call, struct error *err)
{
    AUTO_TX struct tx *tx = NULL;
    struct confirmation asked;
    struct store_connection row = {0};
    bool found;

    if (read_confirmation(call, &asked, err) != OK || api_write(call, &tx, err) != OK ||
        connection_by_name(tx, asked.connection, call->arena, &row, &found, err) != OK ||
        confirm(call, tx, &asked, found ? row.id : 0, err) != OK) {
        return err->code;
    }
    return tx_commit(&tx, err);
}
