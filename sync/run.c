/* One run: for every kind, in dependency order, pull from every connection, then push to every connection, round by round, until nothing moves.
 * What fails is repeated, waited for or given up as sync/remedy.h says; a connection in trouble does not stop the others. */
#include "sync/slice.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "store/erasure.h"
#include "store/selection.h"
#include "store/tally.h"
#include "sync/bind.h"
#include "sync/bindings.h"
#include "sync/braking.h"
#include "sync/remedy.h"
#include "sync/restored.h"
#include "sync/spending.h"

enum { ROUNDS_MAX = 12, REPEATS_MAX = 60, LEASE_MS = 10 * 60 * 1000 };

static bool is_cancelled(const struct run *run)
{
    return run->sync->cancel && atomic_load(run->sync->cancel);
}

static void report_problem(struct run *run, const struct slot *slot, const struct error *err)
{
    struct sync_problem *problem;

    if (run->report->problems_count == SYNC_PROBLEMS_MAX) {
        return;
    }
    problem = &run->report->problems[run->report->problems_count++];
    snprintf(problem->connection, sizeof problem->connection, "%" PRI_STR,
             STR_ARG(slot->connection->settings->name));
    snprintf(problem->kind, sizeof problem->kind, "%" PRI_STR, STR_ARG(slot->kind->name));
    problem->error = *err;
    LOG_EVENT(run->sync->env->log, LOG_WARN, "stream given up",
              LOG_S("connection", slot->connection->settings->name),
              LOG_S("kind", slot->kind->name), LOG_S("reason", str_of(err->message)));
}

/* --- one slice: open the stream, do the work, keep the stream ---------------------------------------------------------------- */

static int64_t throttled_so_far(const struct run *run)
{
    return run->sync->http ? http_client_stats(run->sync->http).throttled : 0;
}

static enum fail pass_open(struct run *run, struct slot *slot, struct pass *pass, struct error *err)
{
    AUTO_TX struct tx *tx = NULL;
    char owner[32];
    int64_t now_ms = clock_wall_ms(run->sync->env->clock);
    int64_t failures = 0, selections = 0;
    bool claimed = false;

    *pass = (struct pass){.sync = run->sync,
                          .connection = slot->connection,
                          .settings = slot->connection->settings,
                          .adapter = slot->connection->settings->adapter,
                          .kind = slot->kind,
                          .mapping = slot->mapping,
                          .users = slot->users,
                          .counts = &run->report->counts,
                          .counts_before = run->report->counts,
                          .throttled_before = throttled_so_far(run),
                          .turn_ends_ms = run->turn_ends_ms,
                          .is_cut = &run->report->has_more,
                          .run_id = run->report->run_id};
    assert(pass->mapping);
    snprintf(owner, sizeof owner, "run %" PRId64, run->report->run_id);
    if (tx_begin(run->sync->store, run->sync->tenant_id, &tx, err) != OK ||
        stream_ensure(tx, slot->connection->row.id, slot->kind->name, &pass->stream_arena,
                      &pass->stream, err) != OK ||
        stream_claim(tx, &pass->stream, &pass->stream_arena, str_of(owner), now_ms,
                     now_ms + LEASE_MS, &claimed, err) != OK ||
        failure_count_open(tx, &failures, err) != OK ||
        selection_count(tx, slot->connection->row.id, &selections, err) != OK ||
        suppression_any(tx, &pass->has_suppressions, err) != OK ||
        restored_open(pass, tx, err) != OK) {
        return err->code;
    }
    pass->has_failures = failures > 0;
    pass->has_selection = selections > 0;
    pass->filter = filter_of(pass->settings, pass->kind->name);
    pass->version =
        arena_printf(&pass->stream_arena, "%" PRI_STR "%" PRI_STR,
                     STR_ARG(stream_version(pass->settings, pass->kind->name, &pass->stream_arena)),
                     STR_ARG(frozen_part(pass->mapping)));
    /* The store has one writing process: a lease held by another owner is a dead one's. */
    if (!claimed) {
        pass->stream.lease_until_ms = 0;
        if (stream_release(tx, &pass->stream, err) != OK ||
            stream_claim(tx, &pass->stream, &pass->stream_arena, str_of(owner), now_ms,
                         now_ms + LEASE_MS, &claimed, err) != OK) {
            return err->code;
        }
    }
    return tx_commit(&tx, err);
}

/* What the slice did, for metrics. Slices come one after another, so the difference is its own. */
static enum fail keep_tally(struct run *run, const struct pass *pass, struct tx *tx,
                            struct error *err)
{
    const struct run_counts *now = pass->counts, *before = &pass->counts_before;
    int64_t moved = now->created_here + now->updated_here + now->deleted_here + now->matched +
                    now->created_there + now->updated_there + now->deleted_there + now->merged;
    int64_t moved_before = before->created_here + before->updated_here + before->deleted_here +
                           before->matched + before->created_there + before->updated_there +
                           before->deleted_there + before->merged;
    const struct store_tally tally = {.connection_id = pass->connection->row.id,
                                      .kind = pass->kind->name,
                                      .synced = moved - moved_before,
                                      .set_aside = now->set_aside - before->set_aside,
                                      .conflicts = now->conflicts - before->conflicts,
                                      .throttled = throttled_so_far(run) - pass->throttled_before,
                                      .delays = now->delays - before->delays,
                                      .delay_ms = now->delay_ms - before->delay_ms};

    if (!tally.synced && !tally.set_aside && !tally.conflicts && !tally.throttled) {
        return OK;
    }
    return tally_add(tx, &tally, clock_wall_ms(run->sync->env->clock), err);
}

static void pass_close(struct run *run, struct pass *pass)
{
    AUTO_TX struct tx *tx = NULL;
    struct error err = {0};

    if (tx_begin(pass->sync->store, pass->sync->tenant_id, &tx, &err) == OK &&
        stream_release(tx, &pass->stream, &err) == OK && keep_tally(run, pass, tx, &err) == OK &&
        tx_commit(&tx, &err) == OK) {
        err.code = OK;
    }
    if (err.code != OK) { /* the lease runs out by itself */
        LOG_EVENT(pass->sync->env->log, LOG_DEBUG, "lease not released",
                  LOG_S("reason", str_of(err.message)));
    }
    arena_fini(&pass->arena);
    arena_fini(&pass->stream_arena);
}

static enum fail slice_once(struct run *run, struct slot *slot, slice_fn *work, struct error *err)
{
    struct pass pass;
    enum fail failed = pass_open(run, slot, &pass, err);

    if (failed == OK) {
        failed = work(run, slot, &pass, err);
        pass.tx = NULL;
        pass_close(run, &pass);
    } else {
        arena_fini(&pass.stream_arena);
    }
    return failed;
}

/* --- waiting and giving up ---------------------------------------------------------------------------------------------------- */

/* why NULL: a limit, or a write that settles. */
static void wait_for(struct run *run, const struct slot *slot, int64_t wait_ms, const char *why)
{
    struct sync_progress progress = {.phase = "waiting",
                                     .connection = slot->connection->settings->name,
                                     .kind = slot->kind->name,
                                     .total = -1,
                                     .wait_ms = wait_ms,
                                     .why = why,
                                     .counts = &run->report->counts};

    if (run->sync->on_progress) {
        run->sync->on_progress(run->sync->progress_context, &progress);
    }
    while (wait_ms > 0 && !is_cancelled(run)) {
        int64_t step_ms = wait_ms < 200 ? wait_ms : 200;

        clock_wait_ms(run->sync->env->clock, step_ms);
        wait_ms -= step_ms;
    }
}

static enum fail keep_connection_state(struct run *run, struct sync_connection *connection,
                                       const struct error *cause, struct error *err)
{
    AUTO_TX struct tx *tx = NULL;
    enum connection_state state =
        cause->code == FAIL_AUTH ? CONNECTION_NEEDS_AUTH : CONNECTION_STOPPED;

    if (cause->code == FAIL_RETRY || cause->code == FAIL_THROTTLED) {
        return OK; /* the next run may find it well again */
    }
    if (tx_begin(run->sync->store, run->sync->tenant_id, &tx, err) != OK ||
        connection_state_set(tx, connection->row.id, state, str_of(cause->message), err) != OK) {
        return err->code;
    }
    return tx_commit(&tx, err);
}

static void give_up(struct run *run, struct slot *slot, const struct error *cause)
{
    report_problem(run, slot, cause);
    slot->is_given_up = true;
    for (size_t i = 0; i < run->slots_count; i++) {
        struct slot *other = &run->slots[i];

        if (other->connection == slot->connection) { /* credentials are the whole connection's */
            other->is_given_up = other->is_given_up || cause->code == FAIL_AUTH;
            other->is_doubtful = other->is_doubtful || remedy_is_silence(cause);
        }
    }
}

/* 0: nothing waits. */
static void come_back_in(struct run *run, int64_t wait_ms)
{
    struct sync_report *report = run->report;

    if (wait_ms && (report->come_back_ms == 0 || wait_ms < report->come_back_ms)) {
        report->come_back_ms = wait_ms;
    }
}

/* Whoever runs turns comes back when the wait is over, and nothing is wrong with the connection. */
static bool comes_back(struct run *run, struct slot *slot, const struct error *cause,
                       int64_t wait_ms)
{
    if (!run->options->comes_back || cause->code != FAIL_THROTTLED || cause->is_silent) {
        return false;
    }
    slot->is_given_up = true;
    come_back_in(run, wait_ms);
    return true;
}

/* Runs a slice until it is through or given up. Only what ends the whole run is returned. */
enum fail run_slice(struct run *run, struct slot *slot, slice_fn *work, struct error *err)
{
    int attempt = 0, repeats = 0;

    for (;;) {
        struct run_counts before = run->report->counts;
        struct error cause = {0};
        struct next next;

        if (slot->is_given_up || is_spent(run)) {
            return OK;
        }
        if (is_cancelled(run)) {
            return error_set(err, FAIL_CANCELLED, "asked to stop");
        }
        if (slice_once(run, slot, work, &cause) == FAIL_RECORD || cause.code == FAIL_STALE) {
            cause.code =
                FAIL_RETRY; /* a whole page or answer that cannot be read is worth repeating */
        }
        if (keep_spending(run, err) != OK) {
            return err->code;
        }
        if (cause.code == FAIL_THROTTLED && is_spent(run)) {
            return OK; /* the next sync goes on from here */
        }
        if (memcmp(&before, &run->report->counts, sizeof before) != 0) {
            attempt = 0; /* it got on: the next failure is a new one */
        }
        if (cause.code == FAIL_RETRY && ++repeats > REPEATS_MAX) {
            attempt =
                REMEDY_ATTEMPTS_MAX; /* a little progress each time is no reason to go on for ever */
        }
        if (remedy_is_silence(&cause) && slot->is_doubtful) {
            attempt = REMEDY_ATTEMPTS_MAX; /* all that patience was had with another kind */
        }
        if (remedy_is_silence(&cause) && run->options->comes_back) {
            attempt = REMEDY_ATTEMPTS_MAX; /* whoever gives turns has patience of its own */
        }
        slot->is_doubtful = slot->is_doubtful && cause.code != OK;
        next = remedy_for(&cause, attempt++, run->sync->env->random);
        if (next.action == NEXT_GO_ON) {
            return OK;
        }
        if (next.action == NEXT_STOP_RUN) {
            *err = cause;
            return err->code;
        }
        if (next.wait_ms > run->options->wait_max_ms &&
            comes_back(run, slot, &cause, next.wait_ms)) {
            return OK;
        }
        if (next.action != NEXT_REPEAT || next.wait_ms > run->options->wait_max_ms) {
            give_up(run, slot, &cause);
            return keep_connection_state(run, slot->connection, &cause, err);
        }
        wait_for(run, slot, next.wait_ms, remedy_is_silence(&cause) ? cause.message : NULL);
    }
}

/* --- the slices --------------------------------------------------------------------------------------------------------------- */

static enum fail slice_pull(struct run *run, struct slot *slot, struct pass *pass,
                            struct error *err)
{
    (void)slot;
    return pull_changes(pass, run->options->full, err);
}

static enum fail slice_dirty(struct run *run, struct slot *slot, struct pass *pass,
                             struct error *err)
{
    bool any = true;

    (void)slot;
    for (int i = 0; any && i < ROUNDS_MAX; i++) { /* what the reading itself marked comes next */
        if (pull_dirty(pass, &any, err) != OK) {
            return err->code;
        }
        run->moved = run->moved || any;
    }
    return OK;
}

static enum fail slice_gone(struct run *run, struct slot *slot, struct pass *pass,
                            struct error *err)
{
    (void)run;
    (void)slot;
    return gone_settle(pass, err);
}

enum fail slice_settle(struct run *run, struct slot *slot, struct pass *pass, struct error *err)
{
    (void)run;
    return settle_intents(pass, &slot->settle_wait_ms, &slot->unsettled, err);
}

static enum fail slice_push(struct run *run, struct slot *slot, struct pass *pass,
                            struct error *err)
{
    bool updated = false, created = false;
    int64_t after_journal = run->options->creates_after_journal;

    (void)slot;
    if (push_updates(pass, &updated, err) != OK) {
        return err->code;
    }
    /* Before the first import is through nobody knows what is there already. */
    if (pass->settings->may_create && pass->stream.first_import_done && !pass_key_is_frozen(pass) &&
        push_creates(pass, after_journal, &created, err) != OK) {
        return err->code;
    }
    run->moved = run->moved || updated || created;
    return OK;
}

/* What an earlier run learned is still good. */
static bool take_bound(struct slot *slot)
{
    const struct bindings *bindings = slot->connection->bindings;
    const struct mapping *bound = bindings ? bindings_mapping(bindings, slot->kind->name) : NULL;

    if (!bound) {
        return false;
    }
    slot->mapping = bound;
    slot->users = bindings_users(bindings);
    return true;
}

/* Once, before anything is read: what the CRM says about itself. Users are the whole connection's. */
enum fail slice_bind(struct run *run, struct slot *slot, struct pass *pass, struct error *err)
{
    struct bindings *bindings = slot->connection->bindings;
    struct arena *arena = bindings ? bindings_arena(bindings) : &run->arena;
    struct mapping *bound = ARENA_NEW(arena, struct mapping);
    const struct remote_users *users = bindings ? bindings_users(bindings) : NULL;

    if (bind_mapping(pass, arena, bound, err) != OK) {
        return err->code;
    }
    for (size_t i = 0; i < run->slots_count && !users; i++) {
        if (run->slots[i].connection == slot->connection && run->slots[i].users) {
            users = run->slots[i].users;
        }
    }
    if (!users && mapping_has_owners(bound) && bind_users(pass, arena, &users, err) != OK) {
        return err->code;
    }
    if (bindings) {
        bindings_put(bindings, bound, users);
    }
    slot->mapping = bound;
    slot->users = users;
    pass->users = users;
    return users ? bind_owners(pass, err) : OK;
}

/* --- rounds ------------------------------------------------------------------------------------------------------------------- */

/* Where only hints are followed, what has to wait is not looked at. A whole sync looks at it, and at what the brake stopped, which may have
 * gone by itself. */
static enum fail look_at(struct run *run, struct slot *slot, struct tx *tx, bool with_creates,
                         struct error *err)
{
    const struct connection_settings *settings = slot->connection->settings;
    bool is_whole = !run->options->hints_only;
    int64_t now_ms = clock_wall_ms(run->sync->env->clock);
    const struct work_question question = {.connection_id = slot->connection->row.id,
                                           .kind = slot->kind->name,
                                           .now_ms = is_whole ? INT64_MAX : now_ms,
                                           .gone_before_ms =
                                               is_whole ? INT64_MAX : now_ms - settings->grace_ms,
                                           .with_creates = with_creates && settings->may_create,
                                           .after_journal = run->options->creates_after_journal};
    struct store_work *work = &slot->work;

    if (work_of_stream(tx, &question, work, err) != OK) {
        return err->code;
    }
    if (!work->unsettled) {
        slot->settle_wait_ms = 0;
        slot->unsettled = 0;
    }
    work->gone = work->gone || (is_whole && work->braked);
    work->updates = work->updates || (is_whole && (work->braked || work->unsettled));
    return OK;
}

/* What of a run a slot may have to do. looks: the store is asked whether it has, since most have nothing to do most of the time, and opening
 * a stream costs two commits. */
struct part {
    bool (*wants)(const struct slot *slot);
    bool looks, looks_for_creates;
};

/* At the slots from that one on. */
static enum fail look_for_work(struct run *run, const struct part *part, size_t from, size_t count,
                               struct error *err)
{
    AUTO_TX struct tx *tx = NULL;

    if (tx_begin(run->sync->store, run->sync->tenant_id, &tx, err) != OK) {
        return err->code;
    }
    for (size_t i = from; i < from + count; i++) {
        if (look_at(run, &run->slots[i], tx, part->looks_for_creates, err) != OK) {
            return err->code;
        }
    }
    return tx_commit(&tx, err);
}

/* What one slot did may be work for a later one. Where only hints are followed, that is the next round's. */
static enum fail each(struct run *run, slice_fn *work, const struct part *part, struct error *err)
{
    bool is_stale = false;

    if (part->looks && look_for_work(run, part, 0, run->slots_count, err) != OK) {
        return err->code;
    }
    for (size_t i = 0; i < run->slots_count; i++) {
        if (part->looks && is_stale && look_for_work(run, part, i, 1, err) != OK) {
            return err->code;
        }
        if (part->wants(&run->slots[i])) {
            if (run_slice(run, &run->slots[i], work, err) != OK) {
                return err->code;
            }
            is_stale = !run->options->hints_only;
        }
    }
    return OK;
}

static bool wants_bind(const struct slot *slot)
{
    return !slot->is_bound;
}

static bool wants_settle(const struct slot *slot)
{
    return slot->work.unsettled;
}

static bool wants_dirty(const struct slot *slot)
{
    return slot->work.marked;
}

static bool wants_gone(const struct slot *slot)
{
    return slot->work.gone;
}

static bool wants_any(const struct slot *slot)
{
    (void)slot;
    return true;
}

static bool wants_push(const struct slot *slot)
{
    return slot->connection->settings->direction != DIRECTION_FROM_EXTERNAL &&
           (slot->work.updates || slot->work.creates);
}

static const struct part TO_BIND = {.wants = wants_bind};
static const struct part TO_SETTLE = {.wants = wants_settle, .looks = true};
static const struct part TO_READ = {.wants = wants_dirty, .looks = true};
static const struct part TO_LET_GO = {.wants = wants_gone, .looks = true};
static const struct part TO_PUSH = {.wants = wants_push, .looks = true, .looks_for_creates = true};
static const struct part EVERYONE = {.wants = wants_any};

/* A write of unknown outcome is asked about again when its settle time is over, if a person would wait that long. */
static bool wait_to_settle(struct run *run)
{
    const struct slot *first = NULL;

    run->report->writes_unsettled = 0;
    for (size_t i = 0; i < run->slots_count; i++) {
        const struct slot *slot = &run->slots[i];

        run->report->writes_unsettled += slot->unsettled;
        if (!slot->is_given_up && slot->settle_wait_ms > 0 &&
            (!first || slot->settle_wait_ms < first->settle_wait_ms)) {
            first = slot;
        }
    }
    if (!first || first->settle_wait_ms > run->options->wait_max_ms) {
        come_back_in(run, first ? first->settle_wait_ms : 0);
        return false;
    }
    wait_for(run, first, first->settle_wait_ms, NULL);
    return true;
}

/* After a restore nothing is written before every stream has been listed. */
static enum fail release_restored(struct run *run, struct error *err)
{
    bool is_any = false;

    if (restored_waiting(run->sync, &run->report->restoring, &is_any, err) != OK) {
        return err->code;
    }
    if (!is_any || run->report->restoring) {
        return OK;
    }
    return each(run, slice_release, &EVERYONE, err) ? err->code : restored_end(run->sync, err);
}

static enum fail round_once(struct run *run, struct error *err)
{
    run->moved = false;
    if (each(run, slice_settle, &TO_SETTLE, err) != OK) {
        return err->code;
    }
    if (run->options->pull && (each(run, slice_dirty, &TO_READ, err) != OK ||
                               each(run, slice_gone, &TO_LET_GO, err) != OK)) {
        return err->code;
    }
    if (release_restored(run, err) != OK || (run->options->push && run->report->restoring == 0 &&
                                             each(run, slice_push, &TO_PUSH, err) != OK)) {
        return err->code;
    }
    /* What the pushes left unclear, and what they found to be read again. */
    return each(run, slice_settle, &TO_SETTLE, err);
}

/* What earlier runs learned and is not too old. */
static void take_bindings(struct run *run)
{
    int64_t now_ms = clock_mono_ms(run->sync->env->clock);

    for (size_t i = 0; i < run->sync->connections_count; i++) {
        if (run->sync->connections[i].bindings && run->sync->connections[i].session) {
            bindings_refresh(run->sync->connections[i].bindings, now_ms,
                             run->options->bindings_age_max_ms);
        }
    }
    for (size_t i = 0; i < run->slots_count; i++) {
        run->slots[i].is_bound = take_bound(&run->slots[i]);
    }
}

static enum fail rounds(struct run *run, struct error *err)
{
    bool lists = run->options->pull && !run->options->hints_only;

    take_bindings(run);
    if (each(run, slice_bind, &TO_BIND, err) != OK ||
        each(run, slice_settle, &TO_SETTLE, err) != OK) {
        return err->code;
    }
    if (lists && each(run, slice_pull, &EVERYONE, err) != OK) {
        return err->code;
    }
    for (int i = 0; i < ROUNDS_MAX && !run->report->has_more; i++) {
        if (round_once(run, err) != OK) {
            return err->code;
        }
        if (!wait_to_settle(run) && !run->moved) {
            break;
        }
    }
    return OK;
}

/* --- beginning and end -------------------------------------------------------------------------------------------------------- */

static bool takes_part(const struct run *run, const struct sync_connection *connection,
                       const struct kind *kind)
{
    const struct connection_settings *settings = connection->settings;

    if ((run->options->connection.len && !str_equal(run->options->connection, settings->name)) ||
        (run->options->kind.len && !str_equal(run->options->kind, kind->name)) ||
        !connection->session) {
        return false;
    }
    for (size_t i = 0; i < settings->kinds_count; i++) {
        if (str_equal(settings->kinds[i], kind->name)) {
            return mapping_of(settings->mappings, kind->name) != NULL;
        }
    }
    return false;
}

static void lay_out(struct run *run)
{
    const struct kinds *kinds = run->sync->settings->kinds;

    run->slots =
        ARENA_ARRAY(&run->arena, struct slot, kinds->count * run->sync->connections_count + 1);
    for (size_t k = 0; k < kinds->count; k++) {
        for (size_t c = 0; c < run->sync->connections_count; c++) {
            if (takes_part(run, &run->sync->connections[c], &kinds->at[k])) {
                run->slots[run->slots_count++] = (struct slot){
                    .connection = &run->sync->connections[c],
                    .kind = &kinds->at[k],
                    .mapping = mapping_of(run->sync->connections[c].settings->mappings,
                                          kinds->at[k].name)};
            }
        }
    }
}

/* Events that came in become marks. */
static enum fail take_events(struct run *run, struct tx *tx, struct error *err)
{
    enum { EVENTS_TOGETHER = 10000 };
    size_t count;

    return run->options->pull ? inbox_triage(tx, EVENTS_TOGETHER, &count, err) : OK;
}

static enum fail begin(struct run *run, struct error *err)
{
    AUTO_TX struct tx *tx = NULL;

    if (tx_begin(run->sync->store, run->sync->tenant_id, &tx, err) != OK ||
        run_begin(tx, str_of(run->options->command), &run->report->run_id, err) != OK ||
        take_events(run, tx, err) != OK || journal_newest(tx, &run->journal_begin, err) != OK) {
        return err->code;
    }
    return tx_commit(&tx, err);
}

static void count_calls(struct run *run, const struct http_stats *before)
{
    struct http_stats now;

    if (!run->sync->http) {
        return;
    }
    now = http_client_stats(run->sync->http);
    run->report->counts.calls = now.calls - before->calls;
    run->report->counts.retries = now.retries - before->retries;
    run->report->counts.throttled = now.throttled - before->throttled;
}

static bool is_in(const struct run *run, int64_t connection_id)
{
    for (size_t i = 0; i < run->slots_count; i++) {
        if (run->slots[i].connection->row.id == connection_id) {
            return true;
        }
    }
    return false;
}

/* From now on a mass of updates between these two sides is a surprise. */
static enum fail keep_agreement(struct run *run, struct tx *tx, struct error *err)
{
    struct store_stream *streams;
    size_t count;

    if (stream_list(tx, &run->arena, &streams, &count, err) != OK) {
        return err->code;
    }
    for (size_t i = 0; i < count; i++) {
        const struct store_stream *stream = &streams[i];
        int64_t waiting = 0;

        if (!is_in(run, stream->connection_id) || stream->agreed_ms || !stream->first_import_done ||
            stream->cursor_all.len) {
            continue;
        }
        if (updates_waiting(tx, stream->connection_id, stream->kind, INT64_MAX, &waiting, err) !=
                OK ||
            (waiting == 0 && stream_agreed(tx, stream->connection_id, stream->kind,
                                           clock_wall_ms(run->sync->env->clock), err) != OK)) {
            return err->code;
        }
    }
    return OK;
}

static struct str message_of(struct run *run, enum fail failed, const struct error *cause)
{
    if (failed != OK) {
        return str_of(cause->message);
    }
    if (run->report->problems_count) {
        const struct sync_problem *first = &run->report->problems[0];

        return arena_printf(&run->arena, "%s, %s: %s", first->connection, first->kind,
                            first->error.message);
    }
    if (run->report->brakes_count == 0) {
        return run->report->budget_spent ? STR("ended early: its calls were used up") : STR("");
    }
    return arena_printf(&run->arena, "the brake stopped: %s", run->report->brakes[0].seen);
}

static enum fail finish(struct run *run, enum fail failed, const struct error *cause,
                        struct error *err)
{
    AUTO_TX struct tx *tx = NULL;
    bool has_problems = run->report->problems_count > 0;
    enum run_state state = failed == OK && !has_problems ? RUN_DONE
                           : failed == FAIL_CANCELLED    ? RUN_INTERRUPTED
                                                         : RUN_FAILED;

    if (tx_begin(run->sync->store, run->sync->tenant_id, &tx, err) != OK ||
        conflict_count_open(tx, &run->report->conflicts_open, err) != OK ||
        failure_count_open(tx, &run->report->failures_open, err) != OK ||
        (failed == OK && !run->report->budget_spent && !run->options->hints_only &&
         keep_agreement(run, tx, err) != OK) ||
        brake_review(run->sync, tx, &run->arena, run->report, err) != OK ||
        run_end(tx, run->report->run_id, state, message_of(run, failed, cause),
                &run->report->counts, err) != OK) {
        return err->code;
    }
    return tx_commit(&tx, err);
}

enum fail run_open(struct run *run, struct error *err)
{
    if (begin(run, err) != OK) {
        return err->code;
    }
    if (run->sync->http) {
        run->before = http_client_stats(run->sync->http);
    }
    if (run->options->turn_ms) {
        run->turn_ends_ms = clock_mono_ms(run->sync->env->clock) + run->options->turn_ms;
    }
    lay_out(run);
    return OK;
}

enum fail run_close(struct run *run, enum fail failed, const struct error *cause, struct error *err)
{
    struct error closing = {0};
    struct error first = *cause;

    count_calls(run, &run->before);
    is_spent(run);
    if ((keep_spending(run, &closing) != OK || finish(run, failed, cause, &closing) != OK) &&
        failed == OK) {
        first = closing;
        failed = closing.code;
    }
    arena_fini(&run->arena);
    if (failed != OK) {
        *err = first;
    }
    return failed;
}

void run_take_early(const struct sync *sync, struct sync_report *ret)
{
    for (size_t i = 0; sync->early && i < sync->early->problems_count; i++) {
        ret->problems[ret->problems_count++] = sync->early->problems[i];
    }
}

/* Every record that was there as the run began has been looked at by the creates of every stream. */
static void note_creates(struct run *run, enum fail failed)
{
    bool is_through =
        failed == OK && run->options->push && !run->report->has_more && !run->report->budget_spent;

    for (size_t i = 0; i < run->slots_count; i++) {
        is_through = is_through && !run->slots[i].is_given_up;
    }
    run->report->journal_seen = is_through ? run->journal_begin : 0;
}

enum fail sync_run(struct sync *sync, const struct sync_options *options, struct sync_report *ret,
                   struct error *err)
{
    struct run run = {.sync = sync, .options = options, .report = ret};
    struct error cause = {0};
    enum fail failed;

    *ret = (struct sync_report){0};
    run_take_early(sync, ret);
    if (run_open(&run, err) != OK) {
        return err->code;
    }
    failed = rounds(&run, &cause);
    note_creates(&run, failed);
    return run_close(&run, failed, &cause, err);
}
