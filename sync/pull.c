/* Pulling: pages of a CRM into the store. Network first, then one transaction for what was read and its cursor; a crash anywhere only means
 * reading it again. */
#include "sync/restored.h"

enum {
    PAGES_TOGETHER_MAX = 8,
    RECORDS_TOGETHER = 500,
    DIRTY_BATCH = 100,
    CENSUS_FIRST_SCAN = 1,
    CLOCK_NOISE_MS = 2500
};

/* A record that cannot be read or merged becomes a failure; the page goes on. Store and programming errors end it. */
static enum fail observe_or_set_aside(struct pass *pass, const struct remote_record *remote,
                                      int64_t began_ms, struct error *err)
{
    enum fail failed = observe(pass, remote, began_ms, err);

    if (failed == OK && pass->has_failures) { /* it may have been refused before */
        return failure_clear(pass->tx, pass->connection->row.id, pass->kind->name,
                             remote->remote_id, 0, STR("pull"), STR(""), err);
    }
    if (failed != FAIL_RECORD && failed != FAIL_STALE) {
        return failed;
    }
    struct error cause = *err;
    error_reset(err);
    return note_failure(pass, remote->remote_id, 0, "pull", "refused", STR(""), 0, cause.message,
                        cause.hint, err);
}

static enum fail observe_page(struct pass *pass, const struct remote_page *page, struct error *err)
{
    for (size_t i = 0; i < page->count; i++) {
        struct gated gated;
        bool allowed;

        if (gated_begin(pass, &gated, err) != OK ||
            observe_or_set_aside(pass, &page->records[i], page->began_ms, err) != OK ||
            gated_end(pass, &gated, page->records[i].remote_id, &allowed, err) != OK) {
            return err->code;
        }
    }
    return OK;
}

/* The CRM's clock against ours, from the answer's Date (whole seconds): last-write-wins compares times of both. */
static enum fail keep_clock(struct pass *pass, const struct remote_page *page, struct error *err)
{
    int64_t offset_ms = page->server_ms - page->began_ms;
    int64_t moved_ms = offset_ms - pass->connection->row.clock_offset_ms;

    if (page->server_ms == 0 || (moved_ms > -CLOCK_NOISE_MS && moved_ms < CLOCK_NOISE_MS)) {
        return OK;
    }
    pass->connection->row.clock_offset_ms = offset_ms;
    return connection_clock_set(pass->tx, pass->connection->row.id, offset_ms, err);
}

/* Pages and the cursor behind the last of them in one transaction. `advance` changes pass->stream for what a page means. */
static enum fail commit_pages(struct pass *pass, const struct remote_page *pages, size_t count,
                              void (*advance)(struct pass *pass, const struct remote_page *page),
                              struct error *err)
{
    AUTO_TX struct tx *tx = NULL;
    struct run_counts before = *pass->counts;
    enum fail failed = OK;

    if (tx_begin(pass->sync->store, pass->sync->tenant_id, &tx, err) != OK) {
        return err->code;
    }
    pass->tx = tx;
    for (size_t i = 0; i < count && failed == OK; i++) {
        failed = keep_clock(pass, &pages[i], err);
        failed = failed ? failed : observe_page(pass, &pages[i], err);
        if (failed == OK && advance) {
            advance(pass, &pages[i]);
        }
    }
    if (failed == OK && advance) {
        failed = stream_save(tx, &pass->stream, err);
    }
    pass->tx = NULL;
    failed = failed ? failed : tx_commit(&tx, err);
    if (failed != OK) {
        *pass->counts = before;
    }
    return failed;
}

enum fail read_by_id(struct pass *pass, const struct str *ids, size_t count, bool with_times,
                     struct error *err)
{
    size_t batch_max = pass->adapter->batch_read_max;
    bool was_pinned = pass->is_pinned;
    enum fail failed = OK;

    if (with_times && batch_max > 50) {
        batch_max = 50;
    }
    pass->is_pinned = true;
    for (size_t from = 0; from < count && failed == OK; from += batch_max) {
        size_t batch = count - from < batch_max ? count - from : batch_max;
        struct fetch_request request = {.kind = pass->mapping->kind->name.at,
                                        .properties = pass->mapping->properties,
                                        .properties_count = pass->mapping->properties_count,
                                        .remote_ids = ids + from,
                                        .remote_ids_count = batch,
                                        .with_times = with_times};
        AUTO_ARENA struct arena arena = {0};
        struct remote_page page = {0};

        failed = pass->adapter->fetch_many(pass->connection->session, &request, &arena, &page, err);
        failed = failed ? failed : commit_pages(pass, &page, 1, NULL, err);
    }
    pass->is_pinned = was_pinned;
    return failed;
}

/* Conflicts that only the times per property can decide. */
static enum fail read_wanted_times(struct pass *pass, struct error *err)
{
    AUTO_ARENA struct arena arena = {0};
    size_t count = pass->times_wanted_count;
    struct str *ids;
    enum fail failed;

    if (count == 0) {
        return OK;
    }
    ids = ARENA_ARRAY(&pass->stream_arena, struct str, count);
    for (size_t i = 0; i < count; i++) {
        ids[i] = arena_str(&pass->stream_arena, pass->times_wanted[i]);
    }
    pass->times_wanted_count = 0;
    failed = read_origins(pass, &arena, err);
    failed = failed ? failed
                    : read_by_id(pass, ids, count,
                                 (pass->adapter->capabilities & ADAPTER_FIELD_TIMES) != 0, err);
    pass->origins = NULL;
    return failed;
}

static void advance_all(struct pass *pass, const struct remote_page *page)
{
    struct store_stream *stream = &pass->stream;

    stream->scan_listed += (int64_t)page->count;
    if (page->has_more) {
        stream->cursor_all = arena_str(&pass->stream_arena, page->cursor);
        return;
    }
    stream->cursor_all = STR("");
    if (!stream->first_import_done || stream->cursor_changed.len == 0) {
        stream->cursor_changed = arena_str(&pass->stream_arena, page->cursor);
    }
    if (!stream->first_import_done) {
        stream->first_import_done = true;
        stream->scanned_ms = pass_now_ms(pass);
    }
    stream->mapping_version = arena_str(&pass->stream_arena, pass->version);
}

static void advance_changed(struct pass *pass, const struct remote_page *page)
{
    pass->stream.cursor_changed = arena_str(&pass->stream_arena, page->cursor);
    if (!page->has_more) {
        pass->stream.pulled_ms = pass_now_ms(pass);
    }
}

static void advance_deleted(struct pass *pass, const struct remote_page *page)
{
    pass->stream.cursor_deleted = arena_str(&pass->stream_arena, page->cursor);
}

static struct str *cursor_of(struct store_stream *stream, enum list_mode mode)
{
    switch (mode) {
    case LIST_ALL:
        return &stream->cursor_all;
    case LIST_CHANGED:
        return &stream->cursor_changed;
    case LIST_DELETED:
        return &stream->cursor_deleted;
    }
    return NULL;
}

/* How many pages are committed together. A first import meets only what is new, and commits are a good part of its cost; whoever
 * stops it reads these pages again. */
static size_t pages_together(const struct pass *pass, enum list_mode mode)
{
    return mode == LIST_ALL && !pass->stream.first_import_done ? PAGES_TOGETHER_MAX : 1;
}

/* Reads until there are enough pages or records. What was read before a failure is still worth committing: the failure comes again. */
static enum fail read_pages(struct pass *pass, enum list_mode mode, struct arena *arena,
                            struct remote_page *pages, size_t *ret_count, struct error *err)
{
    struct list_request request = {.kind = pass->mapping->kind->name.at,
                                   .mode = mode,
                                   .properties = pass->mapping->properties,
                                   .properties_count = pass->mapping->properties_count,
                                   .cursor = *cursor_of(&pass->stream, mode)};
    size_t count = 0, records = 0, wanted = pages_together(pass, mode);

    do {
        pages[count] = (struct remote_page){0};
        if (pass->adapter->list(pass->connection->session, &request, arena, &pages[count], err) !=
            OK) {
            break;
        }
        records += pages[count].count;
        request.cursor = pages[count].cursor;
    } while (pages[count++].has_more && count < wanted && records < RECORDS_TOGETHER &&
             !pass_is_cancelled(pass));
    *ret_count = count;
    if (count == 0) {
        return err->code;
    }
    error_reset(err);
    return OK;
}

static enum fail pull_pages(struct pass *pass, enum list_mode mode, bool *ret_more,
                            int64_t *ret_total, struct error *err)
{
    static void (*const advance[])(struct pass *,
                                   const struct remote_page *) = {[LIST_ALL] = advance_all,
                                                                  [LIST_CHANGED] = advance_changed,
                                                                  [LIST_DELETED] = advance_deleted};
    AUTO_ARENA struct arena arena = {0};
    struct remote_page pages[PAGES_TOGETHER_MAX];
    size_t count = 0;

    if (read_pages(pass, mode, &arena, pages, &count, err) != OK ||
        commit_pages(pass, pages, count, advance[mode], err) != OK ||
        read_wanted_times(pass, err) != OK) {
        return err->code;
    }
    pass_page_end(pass);
    *ret_more = pages[count - 1].has_more;
    *ret_total = pages[count - 1].total;
    return OK;
}

static enum fail pull_listing(struct pass *pass, enum list_mode mode, struct error *err)
{
    int64_t before = pass->counts->read;
    int64_t total = -1;
    bool more = true;

    while (more) {
        if (pass_is_cancelled(pass)) {
            return error_set(err, FAIL_CANCELLED, "asked to stop");
        }
        if (pull_pages(pass, mode, &more, &total, err) != OK) {
            return err->code;
        }
        pass_progress(pass, "reading", pass->counts->read - before, total);
        if (more && pass_is_over(pass)) {
            return OK;
        }
    }
    return OK;
}

/* Under another mapping than the last complete listing: old objects have to be looked at again. A listing that was begun under a
 * third one begins anew. */
static bool begin_backfill(struct pass *pass)
{
    struct store_stream *stream = &pass->stream;
    struct str under_way = arena_printf(&pass->stream_arena, ">%" PRI_STR, STR_ARG(pass->version));

    if (str_equal(stream->mapping_version, pass->version)) {
        return false;
    }
    if (!str_equal(stream->mapping_version, under_way)) {
        stream->mapping_version = under_way;
        stream->cursor_all = STR("");
    }
    return true;
}

static enum fail keep_stream(struct pass *pass, struct error *err)
{
    AUTO_TX struct tx *tx = NULL;

    if (tx_begin(pass->sync->store, pass->sync->tenant_id, &tx, err) != OK ||
        stream_save(tx, &pass->stream, err) != OK) {
        return err->code;
    }
    return tx_commit(&tx, err);
}

/* A complete listing: the first import, a back-fill, or a census that also finds what was lost. Numbers the scan so that unseen links
 * stand out. */
static enum fail pull_all(struct pass *pass, struct error *err)
{
    bool was_first = !pass->stream.first_import_done;
    bool is_braked = false;

    if (pass->stream.cursor_all.len == 0) {
        pass->stream.scan = pass->stream.scan ? pass->stream.scan + 1 : CENSUS_FIRST_SCAN;
        pass->stream.scan_listed = 0;
    }
    if (pull_listing(pass, LIST_ALL, err) != OK) {
        return err->code;
    }
    if (was_first || *pass->is_cut) {
        return OK;
    }
    if (census_check(pass, &is_braked, err) != OK) {
        return err->code;
    }
    /* An empty listing that nobody believes is asked for again by the next run. */
    pass->stream.scanned_ms = is_braked ? 0 : pass_now_ms(pass);
    return keep_stream(pass, err);
}

static bool is_listing_due(const struct pass *pass)
{
    const struct store_stream *stream = &pass->stream;

    return !stream->first_import_done || stream->cursor_all.len != 0 || stream->scanned_ms == 0 ||
           (pass->settings->census_ms > 0 &&
            pass_now_ms(pass) - stream->scanned_ms >= pass->settings->census_ms);
}

enum fail pull_changes(struct pass *pass, bool full, struct error *err)
{
    bool wants_all = begin_backfill(pass) || full || is_listing_due(pass);

    if (wants_all && pull_all(pass, err) != OK) {
        return err->code;
    }
    if (*pass->is_cut || pull_listing(pass, LIST_CHANGED, err) != OK) {
        return err->code;
    }
    if (!*pass->is_cut && pass->adapter->capabilities & ADAPTER_LISTS_DELETED &&
        pull_listing(pass, LIST_DELETED, err) != OK) {
        return err->code;
    }
    /* scanned_ms: a complete listing since the restore, and it is believed */
    return !*pass->is_cut && pass->stream.scanned_ms ? restored_listed(pass, err) : OK;
}

static enum fail list_dirty(struct pass *pass, struct str after, struct dirty_mark **ret,
                            size_t *ret_count, struct error *err)
{
    AUTO_TX struct tx *tx = NULL;

    if (tx_begin(pass->sync->store, pass->sync->tenant_id, &tx, err) != OK ||
        dirty_list(tx, pass->connection->row.id, pass->kind->name, after, DIRTY_BATCH,
                   &pass->stream_arena, ret, ret_count, err) != OK) {
        return err->code;
    }
    return tx_commit(&tx, err);
}

static enum fail clear_dirty(struct pass *pass, const struct dirty_mark *marks, size_t count,
                             struct error *err)
{
    AUTO_TX struct tx *tx = NULL;

    if (tx_begin(pass->sync->store, pass->sync->tenant_id, &tx, err) != OK) {
        return err->code;
    }
    for (size_t i = 0; i < count; i++) {
        if (dirty_clear(tx, pass->connection->row.id, pass->kind->name, &marks[i], err) != OK) {
            return err->code;
        }
    }
    return tx_commit(&tx, err);
}

/* The marks that are not put off move to the front. */
static size_t wanted_marks(const struct pass *pass, struct dirty_mark *marks, size_t count)
{
    size_t wanted = 0;

    for (size_t i = 0; i < count; i++) {
        if (!pass_is_put_off(pass, marks[i].remote_id)) {
            marks[wanted++] = marks[i];
        }
    }
    return wanted;
}

static enum fail read_marked(struct pass *pass, const struct dirty_mark *marks, size_t count,
                             struct error *err)
{
    struct str *ids = ARENA_ARRAY(&pass->stream_arena, struct str, count + 1);

    for (size_t i = 0; i < count; i++) {
        ids[i] = marks[i].remote_id;
    }
    if (read_by_id(pass, ids, count, false, err) != OK ||
        clear_dirty(pass, marks, count, err) != OK || read_wanted_times(pass, err) != OK) {
        return err->code;
    }
    pass_page_end(pass);
    return OK;
}

enum fail pull_dirty(struct pass *pass, bool *ret_any, struct error *err)
{
    struct str after = STR("");

    *ret_any = false;
    for (;;) {
        struct dirty_mark *marks;
        size_t count, wanted;

        if (pass_is_cancelled(pass)) {
            return error_set(err, FAIL_CANCELLED, "asked to stop");
        }
        if (list_dirty(pass, after, &marks, &count, err) != OK) {
            return err->code;
        }
        if (count == 0) {
            return OK;
        }
        after = marks[count - 1].remote_id;
        wanted = wanted_marks(pass, marks, count);
        if (wanted && read_marked(pass, marks, wanted, err) != OK) {
            return err->code;
        }
        *ret_any = *ret_any || wanted > 0;
        if (pass_is_over(pass)) {
            return OK;
        }
    }
}
