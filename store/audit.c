#include "store/audit.h"

#include <stdio.h>

#include "store/connection.h"
#include "store/inside.h"

enum { ENTRY_BYTES_MAX = 64 * 1024 };

/* --- the chain ----------------------------------------------------------------------------------------------- */

/* A row with everything that its digest is of. */
struct chained {
    struct audit_entry entry;
    uint8_t previous[SHA256_BYTES];
};

static void add_text(struct buf *buf, struct str text)
{
    buf_addf(buf, "%zu:", text.len);
    buf_add(buf, text);
}

/* Lengths stand before texts, so that no two rows have the same form. */
static enum fail digest_entry(int64_t tenant_id, const struct chained *row,
                              uint8_t ret[SHA256_BYTES], struct error *err)
{
    AUTO_BUF struct buf form = {0};
    const struct audit_entry *entry = &row->entry;

    buf_init(&form, ENTRY_BYTES_MAX);
    buf_addf(&form, "crmsync audit 1\n%lld\n%lld\n%lld\n", (long long)tenant_id,
             (long long)entry->number, (long long)entry->at_ms);
    add_text(&form, entry->actor);
    add_text(&form, entry->action);
    add_text(&form, entry->subject);
    add_text(&form, entry->details);
    add_text(&form, (struct str){.at = (const char *)row->previous, .len = SHA256_BYTES});
    if (form.is_full) {
        return error_set(err, FAIL_RECORD, "an entry is too large for the audit log");
    }
    sha256(buf_str(&form), ret);
    return OK;
}

static enum fail copy_digest(struct str blob, uint8_t ret[SHA256_BYTES])
{
    memset(ret, 0, SHA256_BYTES);
    memcpy(ret, blob.at ? blob.at : "", blob.len < SHA256_BYTES ? blob.len : SHA256_BYTES);
    return blob.len == SHA256_BYTES ? OK : FAIL_STOP;
}

static enum fail read_anchor(const struct stmt *stmt, struct arena *arena, void *row,
                             struct error *err)
{
    struct audit_anchor *anchor = row;

    (void)arena;
    (void)err;
    anchor->number = stmt_i64(stmt, 0);
    copy_digest(stmt_blob(stmt, 1), anchor->digest);
    return OK;
}

static const char SQL_AUDIT_HEAD[] = "SELECT number, digest FROM audit_head WHERE tenant_id = $1";

enum fail audit_head(struct tx *tx, struct audit_anchor *ret, struct error *err)
{
    bool found;

    *ret = (struct audit_anchor){0};
    return stmt_one(tx_stmt(tx, SQL_AUDIT_HEAD), read_anchor, NULL, ret, &found, err);
}

/* --- writing ------------------------------------------------------------------------------------------------- */

static const char SQL_AUDIT_APPEND[] =
    "INSERT INTO audit (tenant_id, number, at_ms, actor, action, subject, details, previous, "
    "digest) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";

static enum fail insert_row(struct tx *tx, const struct chained *row, struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_AUDIT_APPEND);

    stmt_bind_i64(stmt, 2, row->entry.number);
    stmt_bind_i64(stmt, 3, row->entry.at_ms);
    stmt_bind_str(stmt, 4, row->entry.actor);
    stmt_bind_str(stmt, 5, row->entry.action);
    stmt_bind_str(stmt, 6, row->entry.subject);
    stmt_bind_str(stmt, 7, row->entry.details);
    stmt_bind_blob(stmt, 8, row->previous, SHA256_BYTES);
    stmt_bind_blob(stmt, 9, row->entry.digest, SHA256_BYTES);
    return stmt_run(stmt, err);
}

static const char SQL_AUDIT_HEAD_SET[] =
    "INSERT INTO audit_head (tenant_id, number, digest) VALUES ($1, $2, $3) "
    "ON CONFLICT (tenant_id) DO UPDATE SET number = excluded.number, digest = excluded.digest";

static enum fail set_head(struct tx *tx, const struct audit_entry *entry, struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_AUDIT_HEAD_SET);

    stmt_bind_i64(stmt, 2, entry->number);
    stmt_bind_blob(stmt, 3, entry->digest, SHA256_BYTES);
    return stmt_run(stmt, err);
}

static struct str details_of(struct arena *arena, const struct audit_detail *details)
{
    struct fields fields = {0};

    for (; details && details->name; details++) {
        fields_set(&fields, arena, str_of(details->name), VALUE_OF(details->text));
    }
    return fields_to_json(arena, &fields);
}

static enum fail append(struct tx *tx, const struct audit_note *note, struct str details,
                        struct error *err)
{
    struct audit_anchor head;
    struct chained row = {.entry = {.at_ms = tx_now_ms(tx),
                                    .actor = str_of(tx_actor(tx)),
                                    .action = str_of(note->action),
                                    .subject = note->subject,
                                    .details = details}};

    if (audit_head(tx, &head, err) != OK) {
        return err->code;
    }
    row.entry.number = head.number + 1;
    memcpy(row.previous, head.digest, SHA256_BYTES);
    if (digest_entry(tx_tenant(tx), &row, row.entry.digest, err) != OK ||
        insert_row(tx, &row, err) != OK) {
        return err->code;
    }
    return set_head(tx, &row.entry, err);
}

enum fail audit_put(struct tx *tx, const struct audit_note *note, struct error *err)
{
    AUTO_ARENA struct arena arena = {0};

    return append(tx, note, details_of(&arena, note->details), err);
}

enum fail audit_put_connection(struct tx *tx, const char *action, int64_t connection_id,
                               const struct audit_detail *details, struct error *err)
{
    AUTO_ARENA struct arena arena = {0};
    struct store_connection row = {0};
    struct audit_note note = {.action = action, .details = details};
    bool found;

    if (connection_by_id(tx, connection_id, &arena, &row, &found, err) != OK) {
        return err->code;
    }
    note.subject = arena_printf(&arena, "connection %" PRI_STR, STR_ARG(row.name));
    return audit_put(tx, &note, err);
}

static enum fail read_text(const struct stmt *stmt, struct arena *arena, void *row,
                           struct error *err)
{
    (void)err;
    *(struct str *)row = arena_str(arena, stmt_str(stmt, 0));
    return OK;
}

static const char SQL_AUDIT_NEWEST[] = "SELECT details FROM audit WHERE tenant_id = $1 AND "
                                       "action = $2 AND subject = $3 ORDER BY number DESC LIMIT 1";

enum fail audit_put_changed(struct tx *tx, const struct audit_note *note, struct error *err)
{
    AUTO_ARENA struct arena arena = {0};
    struct str details = details_of(&arena, note->details), last = STR_NONE;
    struct stmt *stmt = tx_stmt(tx, SQL_AUDIT_NEWEST);
    bool found;

    stmt_bind_str(stmt, 2, str_of(note->action));
    stmt_bind_str(stmt, 3, note->subject);
    if (stmt_one(stmt, read_text, &arena, &last, &found, err) != OK) {
        return err->code;
    }
    return found && str_equal(last, details) ? OK : append(tx, note, details, err);
}

/* --- reading ------------------------------------------------------------------------------------------------- */

#define AUDIT_COLUMNS "number, at_ms, actor, action, subject, details, digest"

static enum fail read_entry(const struct stmt *stmt, struct arena *arena, void *row,
                            struct error *err)
{
    struct audit_entry *entry = row;

    (void)err;
    *entry = (struct audit_entry){.number = stmt_i64(stmt, 0),
                                  .at_ms = stmt_i64(stmt, 1),
                                  .actor = arena_str(arena, stmt_str(stmt, 2)),
                                  .action = arena_str(arena, stmt_str(stmt, 3)),
                                  .subject = arena_str(arena, stmt_str(stmt, 4)),
                                  .details = arena_str(arena, stmt_str(stmt, 5))};
    copy_digest(stmt_blob(stmt, 6), entry->digest);
    return OK;
}

static enum fail list(struct stmt *stmt, struct arena *arena, struct audit_entry **ret,
                      size_t *ret_count, struct error *err)
{
    struct rows rows;

    if (stmt_all(stmt, read_entry, sizeof **ret, arena, &rows, err) != OK) {
        return err->code;
    }
    *ret = rows.at;
    *ret_count = rows.count;
    return OK;
}

static const char SQL_AUDIT_LIST[] =
    "SELECT " AUDIT_COLUMNS " FROM audit WHERE tenant_id = $1 AND at_ms >= $2 AND number < $3 "
    "ORDER BY number DESC LIMIT $4";

enum fail audit_list(struct tx *tx, int64_t since_ms, int64_t before_number, size_t limit,
                     struct arena *arena, struct audit_entry **ret, size_t *ret_count,
                     struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_AUDIT_LIST);

    stmt_bind_i64(stmt, 2, since_ms);
    stmt_bind_i64(stmt, 3, before_number > 0 ? before_number : INT64_MAX);
    stmt_bind_limit(stmt, 4, limit);
    return list(stmt, arena, ret, ret_count, err);
}

static const char SQL_AUDIT_ABOUT[] =
    "SELECT " AUDIT_COLUMNS " FROM audit WHERE tenant_id = $1 AND subject = $2 "
    "ORDER BY number DESC LIMIT $3";

enum fail audit_about(struct tx *tx, struct str subject, size_t limit, struct arena *arena,
                      struct audit_entry **ret, size_t *ret_count, struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_AUDIT_ABOUT);

    stmt_bind_str(stmt, 2, subject);
    stmt_bind_limit(stmt, 3, limit);
    return list(stmt, arena, ret, ret_count, err);
}

/* --- verifying ----------------------------------------------------------------------------------------------- */

void audit_anchor_format(const struct audit_anchor *anchor, char ret[AUDIT_ANCHOR_TEXT_BYTES])
{
    char hex[2 * SHA256_BYTES + 1];

    hex_encode(anchor->digest, SHA256_BYTES, hex);
    snprintf(ret, AUDIT_ANCHOR_TEXT_BYTES, "%lld:%s", (long long)anchor->number, hex);
}

bool audit_anchor_parse(struct str text, struct audit_anchor *ret)
{
    struct str number = str_cut(&text, ':');

    return str_to_i64(number, &ret->number) && ret->number >= 0 &&
           hex_decode(text, ret->digest, SHA256_BYTES);
}

static enum fail read_chained(const struct stmt *stmt, struct arena *arena, struct chained *row,
                              struct error *err)
{
    if (read_entry(stmt, arena, &row->entry, err) != OK) {
        return err->code;
    }
    return copy_digest(stmt_blob(stmt, 7), row->previous);
}

/* What is wrong with the row that follows `last`, or NULL. */
static const char *problem_of(int64_t tenant_id, const struct audit_anchor *last,
                              const struct chained *row, const struct audit_anchor *anchor)
{
    uint8_t digest[SHA256_BYTES];
    struct error ignored = {0};

    if (row->entry.number != last->number + 1) {
        return "is missing";
    }
    if (memcmp(row->previous, last->digest, SHA256_BYTES) != 0) {
        return "does not follow the entry before it";
    }
    if (digest_entry(tenant_id, row, digest, &ignored) != OK ||
        memcmp(digest, row->entry.digest, SHA256_BYTES) != 0) {
        return "was changed";
    }
    if (anchor && anchor->number == row->entry.number &&
        memcmp(anchor->digest, digest, SHA256_BYTES) != 0) {
        return "is not the one that the anchor names: the chain was written anew";
    }
    return NULL;
}

static const char SQL_AUDIT_CHAIN[] =
    "SELECT " AUDIT_COLUMNS ", previous FROM audit WHERE tenant_id = $1 ORDER BY number";

static enum fail walk(struct tx *tx, const struct audit_anchor *anchor, struct audit_verdict *ret,
                      struct error *err)
{
    AUTO_ARENA struct arena arena = {0};
    struct stmt *stmt = tx_stmt(tx, SQL_AUDIT_CHAIN);
    bool is_row = true;

    while (!ret->problem) {
        struct chained row;

        arena_reset(&arena);
        if (stmt_step(stmt, &is_row, err) != OK) {
            return err->code;
        }
        if (!is_row) {
            return OK;
        }
        ret->entries++;
        if (read_chained(stmt, &arena, &row, err) != OK) {
            ret->problem = "was changed";
        } else {
            ret->problem = problem_of(tx_tenant(tx), &ret->end, &row, anchor);
        }
        if (ret->problem) {
            ret->number = ret->end.number + 1;
        } else {
            ret->end.number = row.entry.number;
            memcpy(ret->end.digest, row.entry.digest, SHA256_BYTES);
        }
    }
    stmt_end(stmt);
    return OK;
}

/* The chain is whole as far as it goes; whether it goes to its end, the head and the anchor say. */
static void check_end(const struct audit_anchor *head, const struct audit_anchor *anchor,
                      struct audit_verdict *ret)
{
    int64_t expected = head->number;

    if (anchor && anchor->number > expected) {
        expected = anchor->number;
    }
    if (ret->end.number < expected) {
        ret->number = ret->end.number + 1;
        ret->problem = "is missing, with what followed it";
    } else if (ret->end.number != head->number ||
               memcmp(ret->end.digest, head->digest, SHA256_BYTES) != 0) {
        ret->number = ret->end.number;
        ret->problem = "is not the last one that crmsync wrote";
    }
}

enum fail audit_verify(struct tx *tx, const struct audit_anchor *anchor, struct audit_verdict *ret,
                       struct error *err)
{
    struct audit_anchor head;

    *ret = (struct audit_verdict){0};
    if (audit_head(tx, &head, err) != OK || walk(tx, anchor, ret, err) != OK) {
        return err->code;
    }
    if (!ret->problem) {
        check_end(&head, anchor, ret);
    }
    return OK;
}
