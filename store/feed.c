#include "store/feed.h"

#include "store/inside.h"

/* --- lives of the store --------------------------------------------------------------------------------------------------------- */

struct part {
    int64_t epoch;
    struct feed_place from;
};

struct parts {
    struct part *at;
    size_t count;
};

static enum fail read_part(const struct stmt *stmt, struct arena *arena, void *row,
                           struct error *err)
{
    (void)arena;
    (void)err;
    *(struct part *)row = (struct part){stmt_i64(stmt, 0), {stmt_i64(stmt, 1), stmt_i64(stmt, 2)}};
    return OK;
}

/* Of the whole store, not of a tenant. */
static const char SQL_PARTS[] = "SELECT epoch, journal, conflict FROM lineage_part ORDER BY epoch";

static enum fail read_parts(struct tx *tx, struct arena *arena, struct parts *ret,
                            struct error *err)
{
    struct rows rows;

    if (stmt_all(engine_stmt(tx->engine, SQL_PARTS), read_part, sizeof *ret->at, arena, &rows,
                 err) != OK) {
        return err->code;
    }
    *ret = (struct parts){.at = rows.at, .count = rows.count};
    return rows.count ? OK : store_damaged(err, "it does not know its own epochs");
}

/* The last life that had begun before this number. */
static int64_t epoch_of(const struct parts *parts, int64_t journal, int64_t conflict)
{
    size_t i = parts->count - 1;

    while (i > 0 && (journal ? parts->at[i].from.journal >= journal
                             : parts->at[i].from.conflict >= conflict)) {
        i--;
    }
    return parts->at[i].epoch;
}

static const char SQL_PART_PUT[] =
    "INSERT INTO lineage_part (epoch, journal, conflict) VALUES ($1, "
    "coalesce((SELECT max(id) FROM journal), 0), coalesce((SELECT max(id) FROM conflict_note), 0))";

enum fail feed_epoch_begin(struct tx *tx, int64_t epoch, struct error *err)
{
    struct stmt *stmt = engine_stmt(tx->engine, SQL_PART_PUT);

    stmt_bind_i64(stmt, 1, epoch);
    return stmt_run(stmt, err);
}

/* --- places --------------------------------------------------------------------------------------------------------------------- */

static enum fail read_place(const struct stmt *stmt, struct arena *arena, void *row,
                            struct error *err)
{
    (void)arena;
    (void)err;
    *(struct feed_place *)row = (struct feed_place){stmt_i64(stmt, 0), stmt_i64(stmt, 1)};
    return OK;
}

/* Numbers are the store's, whoever's the rows are. */
static const char SQL_NEWEST[] = "SELECT coalesce((SELECT max(id) FROM journal), 0), "
                                 "coalesce((SELECT max(id) FROM conflict_note), 0)";

enum fail feed_newest(struct tx *tx, struct feed_place *ret, struct error *err)
{
    bool found;

    return stmt_one(engine_stmt(tx->engine, SQL_NEWEST), read_place, NULL, ret, &found, err);
}

static const char SQL_GAP[] = "SELECT journal, conflict FROM feed_gap WHERE tenant_id = $1";

static enum fail read_gap(struct tx *tx, struct feed_place *ret, struct error *err)
{
    bool found;

    *ret = (struct feed_place){0};
    return stmt_one(tx_stmt(tx, SQL_GAP), read_place, NULL, ret, &found, err);
}

static const char SQL_GAP_PUT[] =
    "INSERT INTO feed_gap (tenant_id, journal, conflict) VALUES ($1, $2, $3) ON CONFLICT "
    "(tenant_id) DO UPDATE SET journal = max(feed_gap.journal, excluded.journal), "
    "conflict = max(feed_gap.conflict, excluded.conflict)";

enum fail feed_gap_put(struct tx *tx, const struct feed_place *place, struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_GAP_PUT);

    stmt_bind_i64(stmt, 2, place->journal);
    stmt_bind_i64(stmt, 3, place->conflict);
    return stmt_run(stmt, err);
}

/* Where a life ended: what of it lies behind that was lost with a restore. */
static bool find_end(const struct parts *parts, int64_t epoch, const struct feed_place *newest,
                     struct feed_place *ret)
{
    for (size_t i = 0; i < parts->count; i++) {
        if (parts->at[i].epoch == epoch) {
            *ret = i + 1 < parts->count ? parts->at[i + 1].from : *newest;
            return true;
        }
    }
    *ret = *newest;
    return epoch == 0;
}

enum fail feed_is_whole(struct tx *tx, int64_t epoch, const struct feed_place *place, bool *ret,
                        struct error *err)
{
    AUTO_ARENA struct arena arena = {0};
    struct feed_place newest, gap, end;
    struct parts parts;

    if (read_parts(tx, &arena, &parts, err) != OK || feed_newest(tx, &newest, err) != OK ||
        read_gap(tx, &gap, err) != OK) {
        return err->code;
    }
    *ret = find_end(&parts, epoch, &newest, &end) && place->journal >= gap.journal &&
           place->conflict >= gap.conflict && place->journal <= end.journal &&
           place->conflict <= end.conflict;
    return OK;
}

/* --- items ---------------------------------------------------------------------------------------------------------------------- */

static enum fail read_note(const struct stmt *stmt, struct arena *arena, void *row,
                           struct error *err)
{
    (void)arena;
    (void)err;
    *(struct conflict_note *)row =
        (struct conflict_note){.id = stmt_i64(stmt, 0),
                               .conflict_id = stmt_i64(stmt, 1),
                               .state = (enum conflict_state)stmt_i64(stmt, 2),
                               .after_journal = stmt_i64(stmt, 3),
                               .at_ms = stmt_i64(stmt, 4)};
    return OK;
}

/* Read in the order of the numbers. */
static const char SQL_NOTES[] =
    "SELECT id, conflict_id, state, after_journal, at_ms FROM conflict_note WHERE id > $2 AND "
    "+tenant_id = $1 ORDER BY id LIMIT $3";

static enum fail notes_after(struct tx *tx, int64_t after, size_t limit, struct arena *arena,
                             struct rows *ret, struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_NOTES);

    stmt_bind_i64(stmt, 2, after);
    stmt_bind_limit(stmt, 3, limit);
    return stmt_all(stmt, read_note, sizeof(struct conflict_note), arena, ret, err);
}

/* Two lists on their way into one. */
struct merging {
    const struct journal_entry *entries;
    const struct conflict_note *notes;
    size_t entries_count, notes_count;
    size_t entry, note; /* next */
};

static bool entry_is_next(const struct merging *m)
{
    if (m->entry == m->entries_count || m->note == m->notes_count) {
        return m->note == m->notes_count;
    }
    return m->entries[m->entry].id <= m->notes[m->note].after_journal;
}

static struct feed_item item_of_entry(const struct parts *parts, const struct journal_entry *entry)
{
    return (struct feed_item){.entry = entry,
                              .epoch = epoch_of(parts, entry->id, 0),
                              .at_ms = entry->at_ms,
                              .place.journal = entry->id};
}

static struct feed_item item_of_note(const struct parts *parts, const struct conflict_note *note)
{
    return (struct feed_item){.note = note,
                              .epoch = epoch_of(parts, 0, note->id),
                              .at_ms = note->at_ms,
                              .place.conflict = note->id};
}

/* Each list holds the limit or all there is: so the first ones of both together are in order. */
static size_t merge(struct merging *m, const struct parts *parts, struct feed_place place,
                    size_t limit, struct feed_item *ret)
{
    size_t count = 0;

    while (count < limit && m->entry + m->note < m->entries_count + m->notes_count) {
        bool is_entry = entry_is_next(m);

        ret[count] = is_entry ? item_of_entry(parts, &m->entries[m->entry++])
                              : item_of_note(parts, &m->notes[m->note++]);
        if (is_entry) {
            place.journal = ret[count].place.journal;
        } else {
            place.conflict = ret[count].place.conflict;
        }
        ret[count++].place = place;
    }
    return count;
}

enum fail feed_read(struct tx *tx, const struct feed_place *after, size_t limit,
                    struct arena *arena, struct feed_item **ret, size_t *ret_count,
                    struct feed_place *ret_seen, struct error *err)
{
    struct journal_entry *entries;
    struct merging m = {0};
    struct parts parts;
    struct rows notes;

    if (read_parts(tx, arena, &parts, err) != OK || feed_newest(tx, ret_seen, err) != OK ||
        journal_after(tx, after->journal, limit, arena, &entries, &m.entries_count, err) != OK ||
        notes_after(tx, after->conflict, limit, arena, &notes, err) != OK) {
        return err->code;
    }
    m.entries = entries;
    m.notes = notes.at;
    m.notes_count = notes.count;
    *ret = ARENA_ARRAY(arena, struct feed_item, limit);
    *ret_count = merge(&m, &parts, *after, limit, *ret);
    if (*ret_count == limit) {
        *ret_seen = (*ret)[limit - 1].place;
    }
    return OK;
}

enum fail feed_item(struct tx *tx, int64_t journal, int64_t conflict, struct arena *arena,
                    struct feed_item *ret, bool *ret_found, struct error *err)
{
    struct journal_entry *entries;
    struct parts parts;
    struct rows notes;
    size_t count = 0;

    *ret_found = false;
    if (read_parts(tx, arena, &parts, err) != OK ||
        (journal && journal_after(tx, journal - 1, 1, arena, &entries, &count, err) != OK) ||
        (conflict && notes_after(tx, conflict - 1, 1, arena, &notes, err) != OK)) {
        return err->code;
    }
    if (count && entries[0].id == journal) {
        *ret = item_of_entry(&parts, &entries[0]);
        *ret_found = true;
    } else if (conflict && notes.count &&
               ((const struct conflict_note *)notes.at)->id == conflict) {
        *ret = item_of_note(&parts, notes.at);
        *ret_found = true;
    }
    return OK;
}
