/* The brake at work: a mass change is counted before it spreads, written down, and waits for a confirmation that is bound to the count. */
#include "sync/braking.h"

#include <stdio.h>

#include "sync/pass.h"

/* Says whether the mass change has to wait; keeps the row as the situation is. */
static enum fail keep_row(struct tx *tx, const struct store_brake *seen, bool is_mass,
                          struct arena *arena, bool *ret_waits, struct error *err)
{
    struct store_brake known;
    bool found;

    *ret_waits = false;
    if (brake_find(tx, seen->connection_id, seen->kind, seen->what, arena, &known, &found, err) !=
        OK) {
        return err->code;
    }
    if (!is_mass) {
        return found ? brake_clear(tx, seen->connection_id, seen->kind, seen->what, err) : OK;
    }
    if (found && known.confirmed_count >= seen->count) {
        return OK;
    }
    *ret_waits = true;
    return brake_put(tx, seen, err);
}

static struct store_brake seen_now(const struct pass *pass, enum brake_what what, int64_t count,
                                   int64_t linked)
{
    return (struct store_brake){.connection_id = pass->connection->row.id,
                                .kind = pass->kind->name,
                                .what = what,
                                .count = count,
                                .linked = linked,
                                .stopped_ms = pass_now_ms(pass)};
}

enum fail brake_on_deletes(struct pass *pass, bool *ret_waits, struct error *err)
{
    int64_t id = pass->connection->row.id, gone = 0, live = 0;
    struct store_brake seen;

    if (links_going(pass->tx, id, pass->kind->name, &gone, err) != OK ||
        link_count(pass->tx, id, pass->kind->name, LINK_LIVE, &live, err) != OK) {
        return err->code;
    }
    seen = seen_now(pass, BRAKE_DELETES, gone, live + gone);
    return keep_row(pass->tx, &seen,
                    brake_stops_deletes(&pass->sync->settings->brake, gone, live + gone),
                    &pass->arena, ret_waits, err);
}

/* Believed on a person's word: then the deletes that follow from it are meant as well. */
static enum fail believe_empty(struct pass *pass, int64_t linked, struct error *err)
{
    struct store_brake deletes = seen_now(pass, BRAKE_DELETES, linked, linked);

    if (brake_put(pass->tx, &deletes, err) != OK ||
        brake_confirm(pass->tx, deletes.connection_id, deletes.kind, BRAKE_DELETES,
                      deletes.stopped_ms, err) != OK) {
        return err->code;
    }
    return brake_clear(pass->tx, deletes.connection_id, deletes.kind, BRAKE_EMPTIED, err);
}

enum fail brake_on_empty(struct pass *pass, bool *ret_waits, struct error *err)
{
    int64_t id = pass->connection->row.id, going = 0, linked = 0;
    struct store_brake seen;
    bool is_emptied;

    if (links_going(pass->tx, id, pass->kind->name, &going, err) != OK ||
        link_count(pass->tx, id, pass->kind->name, LINK_LIVE, &linked, err) != OK) {
        return err->code;
    }
    linked += going;
    is_emptied = brake_stops_empty(pass->stream.scan_listed, linked);
    seen = seen_now(pass, BRAKE_EMPTIED, linked, linked);
    if (keep_row(pass->tx, &seen, is_emptied, &pass->arena, ret_waits, err) != OK) {
        return err->code;
    }
    return is_emptied && !*ret_waits ? believe_empty(pass, linked, err) : OK;
}

static enum fail on_removals(struct pass *pass, bool *ret_waits, struct error *err)
{
    int64_t id = pass->connection->row.id, removals = 0, live = 0;
    struct store_brake seen;

    *ret_waits = false;
    if (pass->settings->deletes != DELETES_ARCHIVE) {
        return OK; /* the links end; nothing is touched there */
    }
    if (brake_removals(pass->tx, id, pass->kind->name, &removals, err) != OK ||
        link_count(pass->tx, id, pass->kind->name, LINK_LIVE, &live, err) != OK) {
        return err->code;
    }
    seen = seen_now(pass, BRAKE_REMOVALS, removals, live);
    return keep_row(pass->tx, &seen,
                    brake_stops_deletes(&pass->sync->settings->brake, removals, live), &pass->arena,
                    ret_waits, err);
}

/* Rows about updates belong to the connection that brought them; they are cleared at the end of the run (brake_review). */
static enum fail on_updates(struct pass *pass, bool *ret_waits, struct error *err)
{
    const struct brake_limits *limits = &pass->sync->settings->brake;
    struct brake_source *sources;
    size_t count;

    *ret_waits = false;
    if (brake_sources(pass->tx, pass->connection->row.id, pass->kind->name, &pass->arena, &sources,
                      &count, err) != OK) {
        return err->code;
    }
    for (size_t i = 0; i < count; i++) {
        struct store_brake seen =
            seen_now(pass, BRAKE_UPDATES, sources[i].updates, sources[i].linked);
        bool waits = false;

        seen.connection_id = sources[i].connection_id;
        if (sources[i].has_agreed &&
            brake_stops_updates(limits, sources[i].updates, sources[i].linked) &&
            keep_row(pass->tx, &seen, true, &pass->arena, &waits, err) != OK) {
            return err->code;
        }
        *ret_waits = *ret_waits || waits;
    }
    return OK;
}

static enum fail hold_pushes(struct pass *pass, struct push_holds *ret, struct error *err)
{
    int64_t waiting = 0;
    int64_t floor = pass->sync->settings->brake.updates_floor;

    if (on_removals(pass, &ret->removals, err) != OK ||
        updates_waiting(pass->tx, pass->connection->row.id, pass->kind->name, INT64_MAX, &waiting,
                        err) != OK) {
        return err->code;
    }
    /* Whose changes they are is only asked when there are many. */
    return waiting > floor ? on_updates(pass, &ret->updates, err) : OK;
}

enum fail brake_on_pushes(struct pass *pass, struct push_holds *ret, struct error *err)
{
    AUTO_TX struct tx *tx = NULL;
    enum fail failed;

    *ret = (struct push_holds){0};
    if (tx_begin(pass->sync->store, pass->sync->tenant_id, &tx, err) != OK) {
        return err->code;
    }
    pass->tx = tx;
    failed = hold_pushes(pass, ret, err);
    pass->tx = NULL;
    return failed ? failed : tx_commit(&tx, err);
}

/* --- the end of a run ---------------------------------------------------------------------------------------------------------- */

static const struct sync_connection *connection_of(const struct sync *sync, int64_t id)
{
    for (size_t i = 0; i < sync->connections_count; i++) {
        if (sync->connections[i].row.id == id) {
            return &sync->connections[i];
        }
    }
    return NULL;
}

/* The same changes wait at every other connection: the largest number counts. */
static enum fail count_updates(struct sync *sync, struct tx *tx, struct store_brake *brake,
                               struct arena *arena, struct error *err)
{
    brake->count = 0;
    for (size_t i = 0; i < sync->connections_count; i++) {
        struct brake_source *sources;
        size_t count;

        if (sync->connections[i].row.id == 0) {
            continue;
        }
        if (brake_sources(tx, sync->connections[i].row.id, brake->kind, arena, &sources, &count,
                          err) != OK) {
            return err->code;
        }
        for (size_t k = 0; k < count; k++) {
            if (sources[k].connection_id == brake->connection_id &&
                sources[k].updates > brake->count) {
                brake->count = sources[k].updates;
                brake->linked = sources[k].linked;
            }
        }
    }
    return OK;
}

static enum fail review_updates(struct sync *sync, struct tx *tx, struct arena *arena,
                                struct store_brake *brake, bool *ret_waits, struct error *err)
{
    if (count_updates(sync, tx, brake, arena, err) != OK) {
        return err->code;
    }
    return keep_row(tx, brake,
                    brake_stops_updates(&sync->settings->brake, brake->count, brake->linked), arena,
                    ret_waits, err);
}

static void report_brake(struct sync_report *report, struct arena *arena, struct str connection,
                         const struct store_brake *brake)
{
    struct sync_brake *kept;

    report->brake_stopped = true;
    if (report->brakes_count == SYNC_BRAKES_MAX) {
        return;
    }
    kept = &report->brakes[report->brakes_count++];
    snprintf(kept->seen, sizeof kept->seen, "%" PRI_STR,
             STR_ARG(brake_text(arena, connection, brake)));
    snprintf(kept->command, sizeof kept->command, "%" PRI_STR,
             STR_ARG(brake_command(arena, connection, brake)));
}

enum fail brake_review(struct sync *sync, struct tx *tx, struct arena *arena,
                       struct sync_report *report, struct error *err)
{
    struct store_brake *brakes;
    size_t count;

    if (brake_list(tx, arena, &brakes, &count, err) != OK) {
        return err->code;
    }
    for (size_t i = 0; i < count; i++) {
        const struct sync_connection *connection = connection_of(sync, brakes[i].connection_id);
        bool waits = brakes[i].confirmed_count < brakes[i].count;

        if (brakes[i].what == BRAKE_UPDATES &&
            review_updates(sync, tx, arena, &brakes[i], &waits, err) != OK) {
            return err->code;
        }
        if (waits && connection) {
            report_brake(report, arena, connection->settings->name, &brakes[i]);
        }
    }
    return OK;
}

struct str brake_text(struct arena *arena, struct str connection, const struct store_brake *brake)
{
    long long count = brake->count, linked = brake->linked;

    switch (brake->what) {
    case BRAKE_DELETES:
        return arena_printf(arena, "%lld of %lld linked %" PRI_STR " objects are gone at %" PRI_STR,
                            count, linked, STR_ARG(brake->kind), STR_ARG(connection));
    case BRAKE_UPDATES:
        return arena_printf(arena,
                            "%lld of %lld linked %" PRI_STR " objects were changed at %" PRI_STR,
                            count, linked, STR_ARG(brake->kind), STR_ARG(connection));
    case BRAKE_EMPTIED:
        return arena_printf(arena,
                            "the complete listing of %" PRI_STR " at %" PRI_STR
                            " shows nothing, where %lld were linked",
                            STR_ARG(brake->kind), STR_ARG(connection), linked);
    case BRAKE_REMOVALS:
        return arena_printf(arena,
                            "%lld of %lld linked %" PRI_STR
                            " records were deleted here and would be archived at %" PRI_STR,
                            count, linked, STR_ARG(brake->kind), STR_ARG(connection));
    }
    return STR("");
}

struct str brake_command(struct arena *arena, struct str connection,
                         const struct store_brake *brake)
{
    return arena_printf(arena,
                        "crmsync brake confirm %" PRI_STR " %" PRI_STR " --what %s --count %lld",
                        STR_ARG(connection), STR_ARG(brake->kind), brake_what_name(brake->what),
                        (long long)brake->count);
}
