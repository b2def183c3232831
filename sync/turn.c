#include "sync/turn.h"

#include "store/stream.h"
#include "store/work.h"
#include "sync/reconcile.h"
#include "sync/remedy.h"

enum { EVENTS_TOGETHER = 10000 };

/* Every event that is there, of all connections of the tenant: they lie in one queue. */
static enum fail triage(struct tx *tx, struct error *err)
{
    size_t count = EVENTS_TOGETHER;

    while (count == EVENTS_TOGETHER) {
        if (inbox_triage(tx, EVENTS_TOGETHER, &count, err) != OK) {
            return err->code;
        }
    }
    return OK;
}

static bool is_any(const struct store_work *work)
{
    return work->marked || work->updates || work->creates || work->unsettled || work->gone;
}

static enum fail look(struct sync *sync, const struct sync_connection *connection,
                      const struct turn *turn, struct tx *tx, bool *ret, struct error *err)
{
    const struct connection_settings *settings = connection->settings;
    int64_t now_ms = clock_wall_ms(sync->env->clock);

    for (size_t i = 0; i < settings->kinds_count && !*ret; i++) {
        const struct work_question question = {.connection_id = connection->row.id,
                                               .kind = settings->kinds[i],
                                               .now_ms = now_ms,
                                               .gone_before_ms = now_ms - settings->grace_ms,
                                               .with_creates = true,
                                               .after_journal = turn->after_journal};
        struct store_work work;

        if (work_of_stream(tx, &question, &work, err) != OK) {
            return err->code;
        }
        *ret = is_any(&work);
    }
    return OK;
}

enum fail turn_has_work(struct sync *sync, const struct sync_connection *connection,
                        const struct turn *turn, bool *ret, int64_t *ret_journal, struct error *err)
{
    AUTO_TX struct tx *tx = NULL;

    *ret = turn->type != TURN_FLOW || turn->is_asked;
    if (tx_begin(sync->store, sync->tenant_id, &tx, err) != OK || triage(tx, err) != OK ||
        journal_newest(tx, ret_journal, err) != OK ||
        (!*ret && look(sync, connection, turn, tx, ret, err) != OK)) {
        return err->code;
    }
    return tx_commit(&tx, err);
}

static enum lane lane_of(const struct turn *turn)
{
    if (turn->is_asked && turn->type != TURN_TASK) {
        return LANE_INTERACTIVE;
    }
    switch (turn->type) {
    case TURN_FLOW:
        return LANE_REALTIME;
    case TURN_PULL:
        return LANE_BATCH;
    case TURN_TASK:
        break;
    }
    return LANE_RECONCILE;
}

struct sync_options turn_options(const struct turn *turn, struct str connection, struct str kind)
{
    bool is_flow = turn->type == TURN_FLOW;

    return (struct sync_options){.command = is_flow                   ? "serve"
                                            : turn->type == TURN_TASK ? "serve, comparing"
                                                                      : "serve, listing",
                                 .connection = connection,
                                 .kind = is_flow ? STR("") : kind,
                                 .pull = true,
                                 .push = is_flow,
                                 .full = turn->full,
                                 .hints_only = is_flow,
                                 .comes_back = true,
                                 .lane = lane_of(turn),
                                 .turn_ms = TURN_MS,
                                 .wait_max_ms = TURN_WAIT_MS,
                                 /* A person who asks may have changed something there. */
                                 .bindings_age_max_ms =
                                     turn->is_asked && !is_flow ? TURN_MS : TURN_BINDINGS_AGE_MS,
                                 .creates_after_journal = is_flow ? turn->after_journal : 0};
}

enum fail turn_run(struct sync *sync, const struct turn *turn, const struct sync_options *options,
                   struct sync_report *ret, struct error *err)
{
    return turn->type == TURN_TASK ? sync_reconcile(sync, options, !turn->only_compares, ret, err)
                                   : sync_run(sync, options, ret, err);
}

/* The whole connection cannot go on; what concerns one kind alone holds up no other. */
static bool is_of_connection(const struct error *err)
{
    return err->code == FAIL_AUTH || err->code == FAIL_CONFIG || remedy_is_silence(err);
}

struct turn_end turn_end_of(const struct sync_report *report, enum fail failed)
{
    const struct run_counts *counts = &report->counts;
    struct turn_end end = {.failed = failed == FAIL_CANCELLED ? OK : failed,
                           .has_more = report->has_more || failed == FAIL_CANCELLED,
                           .come_back_ms = report->come_back_ms,
                           .journal_seen = report->journal_seen};

    end.changed_here = counts->created_here || counts->updated_here || counts->deleted_here ||
                       counts->matched || counts->merged;
    for (size_t i = 0; i < report->problems_count && end.failed == OK; i++) {
        if (is_of_connection(&report->problems[i].error)) {
            end.failed = report->problems[i].error.code;
        }
    }
    return end;
}
