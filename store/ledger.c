#include "store/ledger.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/jx.h"
#include "store/inside.h"
#include "store/record.h"

enum { LEDGER_BYTES_MAX = 64 * 1024 * 1024 };

static enum fail fail_ledger(const char *path, int cause, struct error *err)
{
    error_set(err, FAIL_STOP, "cannot write the ledger of erasures '%s': %s", path,
              strerror(cause));
    return error_hint(err, "check the folder, its owner and mode, and the free space");
}

/* --- writing ------------------------------------------------------------------------------------------------- */

static const char SQL_TENANT_NAME[] = "SELECT name FROM tenant WHERE id = $1";

static enum fail read_text(const struct stmt *stmt, struct arena *arena, void *row,
                           struct error *err)
{
    (void)err;
    *(struct str *)row = arena_str(arena, stmt_str(stmt, 0));
    return OK;
}

static enum fail line_of(struct tx *tx, const struct erasure *erasure, struct arena *arena,
                         json_t **ret, struct error *err)
{
    struct suppression *suppressions;
    struct str tenant = STR("");
    json_t *digests = json_array();
    size_t count;
    bool found;

    *ret = jx_own(arena, json_pack("{s:o}", "digests", digests));
    if (stmt_one(tx_stmt(tx, SQL_TENANT_NAME), read_text, arena, &tenant, &found, err) != OK ||
        suppressions_of(tx, erasure->id, arena, &suppressions, &count, err) != OK) {
        return err->code;
    }
    json_object_set_new(*ret, "tenant", json_stringn(tenant.at, tenant.len));
    json_object_set_new(*ret, "kind", json_stringn(erasure->kind.at, erasure->kind.len));
    json_object_set_new(*ret, "record",
                        json_stringn(erasure->record_uuid.at, erasure->record_uuid.len));
    for (size_t i = 0; i < count; i++) {
        char hex[2 * SHA256_BYTES + 1];

        hex_encode(suppressions[i].bytes, SHA256_BYTES, hex);
        json_array_append_new(digests, json_string(hex));
    }
    return OK;
}

static bool write_line(int fd, const json_t *line)
{
    char *text = json_dumps(line, JSON_COMPACT | JSON_SORT_KEYS);
    AUTO_FREE char *whole = alloc_printf("%s\n", text ? text : "");
    size_t len = strlen(whole);
    bool is_done = text && write(fd, whole, len) == (ssize_t)len && fsync(fd) == 0;

    free(text);
    return is_done;
}

enum fail ledger_append(struct tx *tx, const char *store_path, const struct erasure *erasure,
                        struct error *err)
{
    AUTO_ARENA struct arena arena = {0};
    AUTO_FREE char *path = alloc_printf("%s" LEDGER_ENDING, store_path);
    json_t *line;
    int fd, cause;
    bool is_done;

    if (line_of(tx, erasure, &arena, &line, err) != OK) {
        return err->code;
    }
    fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        return fail_ledger(path, errno, err);
    }
    is_done = write_line(fd, line);
    cause = errno;
    close(fd);
    return is_done ? OK : fail_ledger(path, cause, err);
}

/* --- reading ------------------------------------------------------------------------------------------------- */

/* false: there is none, or it cannot be read. */
static bool read_file(const char *path, struct buf *text)
{
    char piece[16 * 1024];
    size_t count;
    FILE *file = fopen(path, "re");

    if (!file) {
        return false;
    }
    while (!text->is_full && (count = fread(piece, 1, sizeof piece, file)) > 0) {
        buf_add(text, (struct str){.at = piece, .len = count});
    }
    fclose(file);
    return !text->is_full;
}

static enum fail write_whole(const char *path, struct str text, struct error *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    bool is_done = fd >= 0 && write(fd, text.at ? text.at : "", text.len) == (ssize_t)text.len &&
                   fsync(fd) == 0;
    int cause = errno;

    if (fd >= 0) {
        close(fd);
    }
    return is_done ? OK : fail_ledger(path, cause, err);
}

enum fail ledger_copy(const char *store_path, const char *backup, struct error *err)
{
    AUTO_FREE char *from = alloc_printf("%s" LEDGER_ENDING, store_path);
    AUTO_FREE char *into = alloc_printf("%s" LEDGER_ENDING, backup);
    AUTO_BUF struct buf text = {0};

    buf_init(&text, LEDGER_BYTES_MAX);
    if (access(from, F_OK) != 0) {
        return OK;
    }
    if (!read_file(from, &text)) {
        return fail_ledger(from, errno, err);
    }
    return write_whole(into, buf_str(&text), err);
}

/* --- after a restore ----------------------------------------------------------------------------------------- */

struct replay {
    struct tx *tx;
    struct buf own; /* the store's own ledger; lines of other ones are added */
    int64_t count;
};

static const char SQL_TENANT_ID[] = "SELECT id FROM tenant WHERE name = $1";

static enum fail read_id(const struct stmt *stmt, struct arena *arena, void *row, struct error *err)
{
    (void)arena;
    (void)err;
    *(int64_t *)row = stmt_i64(stmt, 0);
    return OK;
}

static enum fail enter_tenant(struct tx *tx, const json_t *line, bool *ret_found, struct error *err)
{
    struct stmt *stmt = engine_stmt(tx->engine, SQL_TENANT_ID);
    int64_t id;

    stmt_bind_str(stmt, 1, str_of(json_string_value(json_object_get(line, "tenant"))));
    if (stmt_one(stmt, read_id, NULL, &id, ret_found, err) != OK) {
        return err->code;
    }
    if (*ret_found) {
        tx_tenant_set(tx, id);
    }
    return OK;
}

static const char SQL_ERASURE_KNOWN[] =
    "SELECT count(*) FROM erasure WHERE tenant_id = $1 AND record_uuid = $2";

static enum fail is_known(struct tx *tx, struct str uuid, bool *ret, struct error *err)
{
    struct stmt *stmt = tx_stmt(tx, SQL_ERASURE_KNOWN);
    int64_t count = 0;

    stmt_bind_str(stmt, 2, uuid);
    if (stmt_number(stmt, &count, err) != OK) {
        return err->code;
    }
    *ret = count > 0;
    return OK;
}

static enum fail put_digests(struct tx *tx, int64_t erasure_id, const json_t *digests,
                             struct error *err)
{
    for (size_t i = 0; i < json_array_size(digests); i++) {
        const char *hex = json_string_value(json_array_get(digests, i));
        struct suppression suppression;

        if (hex && hex_decode(str_of(hex), suppression.bytes, SHA256_BYTES) &&
            suppression_put(tx, erasure_id, &suppression, err) != OK) {
            return err->code;
        }
    }
    return OK;
}

static enum fail erase_again(struct replay *r, const json_t *line, struct arena *arena,
                             struct error *err)
{
    struct erasure erasure = {.kind = str_of(json_string_value(json_object_get(line, "kind"))),
                              .record_uuid =
                                  str_of(json_string_value(json_object_get(line, "record")))};
    struct store_record record;
    struct erased ignored = {0};
    bool found;

    if (erasure_begin(r->tx, &erasure, err) != OK ||
        put_digests(r->tx, erasure.id, json_object_get(line, "digests"), err) != OK ||
        record_by_uuid(r->tx, erasure.record_uuid, arena, &record, &found, err) != OK ||
        (found && erase_record(r->tx, erasure.id, record.id, &ignored, err) != OK)) {
        return err->code;
    }
    r->count += found;
    return erasure_done(r->tx, erasure.id, err);
}

static enum fail replay_line(struct replay *r, struct str text, struct error *err)
{
    AUTO_ARENA struct arena arena = {0};
    struct error unreadable = {0};
    bool found, known = false;
    json_t *line;

    if (jx_parse(&arena, text, &line, &unreadable) != OK ||
        !json_string_value(json_object_get(line, "tenant")) ||
        !json_string_value(json_object_get(line, "kind")) ||
        !json_string_value(json_object_get(line, "record"))) {
        return OK; /* half a line of a process that was killed; the erasure had not begun */
    }
    if (enter_tenant(r->tx, line, &found, err) != OK || !found ||
        is_known(r->tx, str_of(json_string_value(json_object_get(line, "record"))), &known, err) !=
            OK ||
        known) {
        return err->code;
    }
    return erase_again(r, line, &arena, err);
}

static void add_own(struct replay *r, struct str line)
{
    if (!str_contains(buf_str(&r->own), line)) {
        if (r->own.len && r->own.at[r->own.len - 1] != '\n') { /* behind a line that was cut off */
            buf_add_char(&r->own, '\n');
        }
        buf_add(&r->own, line);
        buf_add_char(&r->own, '\n');
    }
}

static enum fail replay_text(struct replay *r, const char *path, struct str rest, struct error *err)
{
    while (rest.at && rest.len) {
        struct str line = str_cut(&rest, '\n');

        if (line.len && replay_line(r, line, err) != OK) {
            return error_wrap(err, "ledger '%s'", path);
        }
        add_own(r, line);
    }
    return OK;
}

static enum fail replay_file(struct replay *r, const char *path, struct error *err)
{
    AUTO_BUF struct buf text = {0};

    buf_init(&text, LEDGER_BYTES_MAX);
    return read_file(path, &text) ? replay_text(r, path, buf_str(&text), err) : OK;
}

/* Later backups of the same folder know of later erasures. */
static enum fail replay_folder(struct replay *r, const char *backup, struct error *err)
{
    AUTO_FREE char *copy = alloc_dup(backup);
    const char *folder = dirname(copy);
    DIR *dir = opendir(folder);
    struct dirent *entry;
    enum fail failed = OK;

    while (dir && failed == OK && (entry = readdir(dir)) != NULL) {
        AUTO_FREE char *path = alloc_printf("%s/%s", folder, entry->d_name);

        if (str_ends(str_of(entry->d_name), STR(LEDGER_ENDING))) {
            failed = replay_file(r, path, err);
        }
    }
    if (dir) {
        closedir(dir);
    }
    return failed;
}

/* As one, so that it is the old one or the new one. */
static enum fail keep_own(const struct replay *r, const char *path, struct error *err)
{
    AUTO_FREE char *part = alloc_printf("%s.part", path);

    if (r->own.len == 0) {
        return OK;
    }
    unlink(part); /* of a process that was killed */
    if (write_whole(part, buf_str(&r->own), err) != OK) {
        return err->code;
    }
    return file_put(part, path, true, err);
}

enum fail ledger_replay(struct tx *tx, const char *store_path, const char *backup,
                        int64_t *ret_count, struct error *err)
{
    AUTO_FREE char *path = alloc_printf("%s" LEDGER_ENDING, store_path);
    struct replay r = {.tx = tx};
    enum fail failed;

    buf_init(&r.own, LEDGER_BYTES_MAX);
    failed = replay_file(&r, path, err);
    failed = failed ? failed : replay_folder(&r, backup, err);
    failed = failed ? failed : keep_own(&r, path, err);
    buf_fini(&r.own);
    *ret_count = r.count;
    return failed;
}
