#include "sync/reconcile.h"

#include <stdlib.h>

#include "core/alloc.h"
#include "sync/braking.h"
#include "sync/compare.h"
#include "sync/slice.h"

enum {
    LOOKS = 5000, /* links looked at in one transaction */
    PAIRS_TOGETHER = 500,
    RESUME_MAX_MS = 24 * 60 * 60 * 1000, /* what was seen before says too little about now */
};

/* --- a part in one transaction -------------------------------------------------------------------------------------------------- */

typedef enum fail part_fn(struct comparing *comparing, void *context, struct error *err);

static enum fail in_transaction(struct comparing *comparing, part_fn *part, void *context,
                                struct error *err)
{
    AUTO_TX struct tx *tx = NULL;
    struct pass *pass = comparing->pass;
    enum fail failed;

    if (pass_is_cancelled(pass)) {
        return error_set(err, FAIL_CANCELLED, "asked to stop");
    }
    if (tx_begin(pass->sync->store, pass->sync->tenant_id, &tx, err) != OK) {
        return err->code;
    }
    pass->tx = tx;
    failed = part(comparing, context, err);
    pass->tx = NULL;
    failed = failed ? failed : tx_commit(&tx, err);
    pass_page_end(pass);
    return failed;
}

/* --- what is suspect is read by id ------------------------------------------------------------------------------------------------ */

struct judging {
    struct str *ids; /* arena */
    size_t count;
    struct arena arena;
    struct remote_page page;
};

static void judging_fini(struct judging *judging)
{
    arena_fini(&judging->arena);
}

static enum fail list_suspects(struct comparing *comparing, void *context, struct error *err)
{
    struct pass *pass = comparing->pass;
    struct judging *judging = context;

    return reconcile_suspects(pass->tx, &comparing->state, pass->adapter->batch_read_max,
                              &judging->arena, &judging->ids, &judging->count, err);
}

/* Those that the CRM does not let us read are done as well: nothing can be said of them. */
static enum fail judge_page(struct comparing *comparing, void *context, struct error *err)
{
    struct pass *pass = comparing->pass;
    const struct judging *judging = context;

    for (size_t i = 0; i < judging->page.count; i++) {
        if (compare_read(comparing, &judging->page.records[i], judging->page.began_ms, err) != OK) {
            return err->code;
        }
    }
    for (size_t i = 0; i < judging->count; i++) {
        if (reconcile_suspect_done(pass->tx, &comparing->state, judging->ids[i], err) != OK) {
            return err->code;
        }
    }
    return OK;
}

/* ret_left: there was a whole batch, so there may be more. is_whole: less than a batch waits for more. */
static enum fail judge_batch(struct comparing *comparing, bool is_whole, bool *ret_left,
                             struct error *err)
{
    struct pass *pass = comparing->pass;
    struct judging judging __attribute__((cleanup(judging_fini))) = {0};
    struct fetch_request request = {.kind = pass->kind->name.at,
                                    .properties = pass->mapping->properties,
                                    .properties_count = pass->mapping->properties_count};

    if (in_transaction(comparing, list_suspects, &judging, err) != OK) {
        return err->code;
    }
    *ret_left = judging.count == pass->adapter->batch_read_max;
    if (judging.count == 0 || (is_whole && !*ret_left)) {
        return OK;
    }
    request.remote_ids = judging.ids;
    request.remote_ids_count = judging.count;
    if (pass->adapter->fetch_many(pass->connection->session, &request, &judging.arena,
                                  &judging.page, err) != OK) {
        return err->code;
    }
    return in_transaction(comparing, judge_page, &judging, err);
}

/* Whole batches alone while more may come, so that reading them costs few calls. */
static enum fail judge(struct comparing *comparing, bool is_whole, struct error *err)
{
    bool left = true;

    while (left) {
        if (judge_batch(comparing, is_whole, &left, err) != OK) {
            return err->code;
        }
    }
    return OK;
}

/* --- what is there ------------------------------------------------------------------------------------------------------------------- */

static enum fail look_at_one(struct comparing *comparing, const struct remote_record *remote,
                             int64_t began_ms, int64_t *ret_link_id, struct error *err)
{
    struct pass *pass = comparing->pass;
    bool is_suspect;

    if (compare_listed(comparing, remote, began_ms, ret_link_id, &is_suspect, err) != OK) {
        return err->code;
    }
    pass->counts->read++;
    pass->counts->unchanged += *ret_link_id && !is_suspect;
    return is_suspect ? reconcile_suspect_add(pass->tx, &comparing->state, remote->remote_id, err)
                      : OK;
}

/* A page's links, its suspects and the position behind it: one transaction. */
static enum fail look_at_page(struct comparing *comparing, void *context, struct error *err)
{
    struct pass *pass = comparing->pass;
    const struct remote_page *page = context;
    int64_t *seen = ARENA_ARRAY(&pass->arena, int64_t, page->count + 1);
    size_t count = 0;

    for (size_t i = 0; i < page->count; i++) {
        int64_t link_id;

        if (look_at_one(comparing, &page->records[i], page->began_ms, &link_id, err) != OK) {
            return err->code;
        }
        if (link_id) {
            seen[count++] = link_id;
        }
    }
    comparing->state.listed += (int64_t)page->count;
    comparing->state.is_listed = !page->has_more;
    comparing->state.cursor = page->cursor;
    if (reconcile_seen(pass->tx, &comparing->state, seen, count, err) != OK) {
        return err->code;
    }
    return reconcile_save(pass->tx, &comparing->state, err);
}

static enum fail list_page(struct comparing *comparing, struct error *err)
{
    struct pass *pass = comparing->pass;
    AUTO_ARENA struct arena arena = {0};
    struct remote_page page = {0};
    struct run_counts before = *pass->counts;
    struct list_request request = {.kind = pass->kind->name.at,
                                   .mode = LIST_ALL,
                                   .properties = pass->mapping->properties,
                                   .properties_count = pass->mapping->properties_count,
                                   .cursor = comparing->state.cursor};

    if (pass->adapter->list(pass->connection->session, &request, &arena, &page, err) != OK) {
        return err->code;
    }
    if (in_transaction(comparing, look_at_page, &page, err) != OK) {
        *pass->counts = before; /* the slice begins again at the position that is kept */
        return err->code;
    }
    comparing->state.cursor = arena_str(&pass->stream_arena, page.cursor);
    pass_progress(pass, "comparing", comparing->state.listed, page.total);
    return OK;
}

/* --- what was not listed -------------------------------------------------------------------------------------------------------------- */

static enum fail ask_emptied(struct comparing *comparing, void *context, struct error *err)
{
    struct pass *pass = comparing->pass;
    int64_t scan_listed = pass->stream.scan_listed;
    enum fail failed;

    pass->stream.scan_listed = comparing->state.listed;
    failed = brake_on_empty(pass, context, err);
    pass->stream.scan_listed = scan_listed;
    return failed;
}

static enum fail suspect_unseen(struct comparing *comparing, void *context, struct error *err)
{
    int64_t *after_id = context;

    return reconcile_suspect_unseen(comparing->pass->tx, &comparing->state, *after_id, LOOKS,
                                    after_id, err);
}

static enum fail judge_unseen(struct comparing *comparing, struct error *err)
{
    int64_t after_id = 0;

    do {
        if (in_transaction(comparing, suspect_unseen, &after_id, err) != OK ||
            judge(comparing, after_id != 0, err) != OK) {
            return err->code;
        }
    } while (after_id);
    return OK;
}

/* --- pairs here ------------------------------------------------------------------------------------------------------------------------- */

struct buckets {
    struct store_bucket now[BUCKETS], kept[BUCKETS];
    bool is_changed[BUCKETS], is_apart[BUCKETS];
    int64_t after_id;
    int64_t pairs, pairs_read;
    bool is_end;
};

static enum fail list_pairs(struct comparing *comparing, struct buckets *buckets,
                            struct store_pair **ret, size_t *ret_count, struct error *err)
{
    struct pass *pass = comparing->pass;

    if (pair_list(pass->tx, pass->connection->row.id, pass->kind->name, buckets->after_id,
                  PAIRS_TOGETHER, &pass->arena, ret, ret_count, err) != OK) {
        return err->code;
    }
    buckets->is_end = *ret_count == 0;
    buckets->after_id = *ret_count ? (*ret)[*ret_count - 1].link_id : 0;
    return OK;
}

/* The digest of a bucket is the sum of its pairs', in whatever order they come. */
static enum fail sum_pairs(struct comparing *comparing, void *context, struct error *err)
{
    struct buckets *buckets = context;
    struct store_pair *pairs;
    size_t count;

    if (list_pairs(comparing, buckets, &pairs, &count, err) != OK) {
        return err->code;
    }
    for (size_t i = 0; i < count; i++) {
        struct store_bucket *bucket = &buckets->now[bucket_of(pairs[i].remote_id)];

        for (size_t b = 0; b < DIGEST_BYTES; b++) {
            bucket->digest.bytes[b] ^= pairs[i].content.bytes[b];
        }
        bucket->pairs++;
        buckets->pairs++;
    }
    return OK;
}

static enum fail read_kept(struct comparing *comparing, void *context, struct error *err)
{
    struct pass *pass = comparing->pass;
    struct buckets *buckets = context;

    return bucket_read(pass->tx, pass->connection->row.id, pass->kind->name, buckets->kept, err);
}

/* Under another mapping nothing is known to agree. */
static void finish_digests(struct comparing *comparing, struct buckets *buckets)
{
    struct pass *pass = comparing->pass;

    for (size_t i = 0; i < BUCKETS; i++) {
        struct store_bucket *now = &buckets->now[i];
        char hex[2 * DIGEST_BYTES + 1];

        if (now->pairs == 0) {
            continue; /* nothing to agree about, and nothing is kept of it */
        }
        hex_encode(now->digest.bytes, DIGEST_BYTES, hex);
        now->digest =
            digest_of(arena_printf(&pass->arena, "%s %" PRI_STR, hex, STR_ARG(pass->version)));
        buckets->is_changed[i] = now->pairs != buckets->kept[i].pairs ||
                                 !digest_equal(&now->digest, &buckets->kept[i].digest);
    }
    pass_page_end(pass);
}

static enum fail look_at_pairs(struct comparing *comparing, void *context, struct error *err)
{
    struct buckets *buckets = context;
    struct store_pair *pairs;
    size_t count;

    if (list_pairs(comparing, buckets, &pairs, &count, err) != OK) {
        return err->code;
    }
    for (size_t i = 0; i < count; i++) {
        int bucket = bucket_of(pairs[i].remote_id);
        bool agrees;

        if (!buckets->is_changed[bucket]) {
            continue;
        }
        if (compare_pair(comparing, &pairs[i], &agrees, err) != OK) {
            return err->code;
        }
        buckets->is_apart[bucket] = buckets->is_apart[bucket] || !agrees;
        buckets->pairs_read++;
    }
    return OK;
}

static enum fail keep_buckets(struct comparing *comparing, void *context, struct error *err)
{
    struct pass *pass = comparing->pass;
    const struct buckets *buckets = context;
    int64_t id = pass->connection->row.id;

    for (int i = 0; i < BUCKETS; i++) {
        if (buckets->is_changed[i] &&
            (buckets->is_apart[i]
                 ? bucket_forget(pass->tx, id, pass->kind->name, i, err)
                 : bucket_agreed(pass->tx, id, pass->kind->name, i, &buckets->now[i], err)) != OK) {
            return err->code;
        }
    }
    return OK;
}

static enum fail each_pair(struct comparing *comparing, part_fn *part, struct buckets *buckets,
                           struct error *err)
{
    buckets->after_id = 0;
    buckets->is_end = false;
    while (!buckets->is_end) {
        if (in_transaction(comparing, part, buckets, err) != OK) {
            return err->code;
        }
    }
    return OK;
}

static bool any_changed(const struct buckets *buckets)
{
    for (size_t i = 0; i < BUCKETS; i++) {
        if (buckets->is_changed[i]) {
            return true;
        }
    }
    return false;
}

static enum fail compare_pairs(struct comparing *comparing, struct buckets *buckets,
                               struct error *err)
{
    if (in_transaction(comparing, read_kept, buckets, err) != OK ||
        each_pair(comparing, sum_pairs, buckets, err) != OK) {
        return err->code;
    }
    finish_digests(comparing, buckets);
    comparing->is_about_claims = true;
    if (any_changed(buckets) && (each_pair(comparing, look_at_pairs, buckets, err) != OK ||
                                 judge(comparing, false, err) != OK)) {
        return err->code;
    }
    return in_transaction(comparing, keep_buckets, buckets, err);
}

/* --- records without an object there --------------------------------------------------------------------------------------------------- */

static enum fail look_at_lonely(struct comparing *comparing, void *context, struct error *err)
{
    struct pass *pass = comparing->pass;
    int64_t *after_id = context;
    int64_t ids[PAIRS_TOGETHER];
    size_t count;

    if (records_to_create(pass->tx, pass->connection->row.id, pass->kind->name, pass_now_ms(pass),
                          /* after_journal */ 0, *after_id, PAIRS_TOGETHER, ids, &count,
                          err) != OK) {
        return err->code;
    }
    for (size_t i = 0; i < count; i++) {
        if (compare_lonely(comparing, ids[i], err) != OK) {
            return err->code;
        }
    }
    *after_id = count ? ids[count - 1] : 0;
    return OK;
}

static enum fail compare_records(struct comparing *comparing, struct error *err)
{
    const struct pass *pass = comparing->pass;
    int64_t after_id = 0;

    if (!pass->settings->may_create || pass->settings->direction == DIRECTION_FROM_EXTERNAL ||
        pass_key_is_frozen(pass)) {
        return OK;
    }
    do {
        if (in_transaction(comparing, look_at_lonely, &after_id, err) != OK) {
            return err->code;
        }
    } while (after_id);
    return OK;
}

/* --- beginning and end -------------------------------------------------------------------------------------------------------------------- */

static enum fail begin_or_resume(struct comparing *comparing, void *context, struct error *err)
{
    struct pass *pass = comparing->pass;
    struct store_reconcile wanted = {.connection_id = pass->connection->row.id,
                                     .kind = pass->kind->name,
                                     .began_ms = pass_now_ms(pass),
                                     .is_repair = *(const bool *)context,
                                     .version = pass->version};
    struct store_reconcile *state = &comparing->state;
    bool found;

    if (reconcile_find(pass->tx, wanted.connection_id, wanted.kind, &pass->stream_arena, state,
                       &found, err) != OK) {
        return err->code;
    }
    if (found && state->is_repair == wanted.is_repair &&
        str_equal(state->version, wanted.version) && state->began_ms <= wanted.began_ms &&
        wanted.began_ms - state->began_ms < RESUME_MAX_MS) {
        return OK;
    }
    *state = wanted;
    return reconcile_begin(pass->tx, state, err);
}

static enum fail give_up_emptied(struct comparing *comparing, void *context, struct error *err)
{
    (void)context;
    return reconcile_end(comparing->pass->tx, &comparing->state, err);
}

/* What was marked will be looked at: that is as good as the complete listing of a sync. */
static enum fail keep_result(struct comparing *comparing, void *context, struct error *err)
{
    struct pass *pass = comparing->pass;
    const struct buckets *buckets = context;
    struct store_divergence result = {.connection_id = pass->connection->row.id,
                                      .kind = pass->kind->name,
                                      .began_ms = comparing->state.began_ms,
                                      .ended_ms = pass_now_ms(pass),
                                      .is_repair = comparing->state.is_repair,
                                      .listed = comparing->state.listed,
                                      .pairs = buckets->pairs,
                                      .pairs_read = buckets->pairs_read};

    for (size_t i = 0; i < pass->mapping->entries_count; i++) {
        result.fields += pass->mapping->entries[i].is_frozen ? 0 : buckets->pairs;
    }
    if (divergence_put(pass->tx, &result, err) != OK ||
        reconcile_end(pass->tx, &comparing->state, err) != OK) {
        return err->code;
    }
    if (!result.is_repair) {
        return OK;
    }
    pass->stream.scanned_ms = pass_now_ms(pass);
    return stream_save(pass->tx, &pass->stream, err);
}

static enum fail compare_here(struct comparing *comparing, struct error *err)
{
    struct buckets *buckets = alloc_new(1, sizeof *buckets);
    enum fail failed = compare_pairs(comparing, buckets, err);

    failed = failed ? failed : compare_records(comparing, err);
    failed = failed ? failed : in_transaction(comparing, keep_result, buckets, err);
    free(buckets);
    return failed;
}

/* A stream that is being read completely for the first time, or under another mapping, is no subject yet. */
static bool is_ready(const struct pass *pass)
{
    return pass->stream.first_import_done && pass->stream.cursor_all.len == 0 &&
           str_equal(pass->stream.mapping_version, pass->version);
}

static enum fail compare_stream(struct pass *pass, bool repair, struct error *err)
{
    struct comparing comparing = {.pass = pass};
    bool is_emptied = false;

    if (!is_ready(pass)) {
        return OK;
    }
    if (in_transaction(&comparing, begin_or_resume, &repair, err) != OK) {
        return err->code;
    }
    while (!comparing.state.is_listed) {
        if (list_page(&comparing, err) != OK || judge(&comparing, true, err) != OK) {
            return err->code;
        }
        if (!comparing.state.is_listed && pass_is_over(pass)) {
            return OK;
        }
    }
    if (in_transaction(&comparing, ask_emptied, &is_emptied, err) != OK) {
        return err->code;
    }
    if (is_emptied) { /* nobody believes it: the brake says so */
        return in_transaction(&comparing, give_up_emptied, NULL, err);
    }
    return judge_unseen(&comparing, err) ? err->code : compare_here(&comparing, err);
}

static enum fail slice_report(struct run *run, struct slot *slot, struct pass *pass,
                              struct error *err)
{
    (void)run;
    (void)slot;
    return compare_stream(pass, false, err);
}

static enum fail slice_repair(struct run *run, struct slot *slot, struct pass *pass,
                              struct error *err)
{
    (void)run;
    (void)slot;
    return compare_stream(pass, true, err);
}

static enum fail each_slot(struct run *run, slice_fn *work, struct error *err)
{
    for (size_t i = 0; i < run->slots_count && !run->report->has_more; i++) {
        if (run_slice(run, &run->slots[i], work, err) != OK) {
            return err->code;
        }
    }
    return OK;
}

enum fail sync_reconcile(struct sync *sync, const struct sync_options *options, bool repair,
                         struct sync_report *ret, struct error *err)
{
    struct run run = {.sync = sync, .options = options, .report = ret};
    struct error cause = {0};
    enum fail failed;

    *ret = (struct sync_report){0};
    run_take_early(sync, ret);
    if (run_open(&run, err) != OK) {
        return err->code;
    }
    failed = each_slot(&run, slice_bind, &cause);
    failed = failed ? failed : each_slot(&run, repair ? slice_repair : slice_report, &cause);
    return run_close(&run, failed, &cause, err);
}
