#include "cli/backup_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/output.h"
#include "core/alloc.h"
#include "core/jx.h"
#include "core/when.h"
#include "store/ledger.h"

#define NAME_START "crmsync-"
#define NAME_END ".db"
#define RECEIPT_END ".receipt.json"

enum { STAMP_CHARS = 16, RECEIPT_BYTES_MAX = 1024 * 1024 };

/* --- names --------------------------------------------------------------------------------------------------- */

/* "20261121T163000Z": sorts by time. */
static void stamp_of(int64_t ms, char ret[WHEN_TEXT_BYTES])
{
    char text[WHEN_TEXT_BYTES];
    size_t len = 0;

    when_format_seconds(ms, text);
    for (size_t i = 0; text[i]; i++) {
        if (text[i] != '-' && text[i] != ':') {
            ret[len++] = text[i];
        }
    }
    ret[len] = '\0';
}

struct str backup_name(struct arena *arena, struct str dir, int64_t now_ms)
{
    char stamp[WHEN_TEXT_BYTES];

    stamp_of(now_ms, stamp);
    return arena_printf(arena, "%" PRI_STR "/" NAME_START "%s" NAME_END, STR_ARG(dir), stamp);
}

struct str backup_receipt_path(struct arena *arena, struct str path)
{
    return arena_printf(arena, "%" PRI_STR RECEIPT_END, STR_ARG(path));
}

static int is_backup(const struct dirent *entry)
{
    struct str name = str_of(entry->d_name);
    struct str stamp = str_slice(name, sizeof NAME_START - 1, name.len - (sizeof NAME_END - 1));

    if (!str_starts(name, STR(NAME_START)) || !str_ends(name, STR(NAME_END)) ||
        stamp.len != STAMP_CHARS) {
        return 0;
    }
    for (size_t i = 0; i < stamp.len; i++) {
        bool is_letter = i == 8 || i == STAMP_CHARS - 1;

        if (is_letter ? stamp.at[i] != (i == 8 ? 'T' : 'Z')
                      : stamp.at[i] < '0' || stamp.at[i] > '9') {
            return 0;
        }
    }
    return 1;
}

/* --- receipts ------------------------------------------------------------------------------------------------ */

json_t *backup_receipt_json(const struct backup_receipt *receipt)
{
    char hex[2 * SHA256_BYTES + 1];
    json_t *object = json_object(), *anchors = json_array();

    hex_encode(receipt->sha256, SHA256_BYTES, hex);
    for (size_t i = 0; i < receipt->anchors_count; i++) {
        char anchor[AUDIT_ANCHOR_TEXT_BYTES];

        audit_anchor_format(&receipt->anchors[i].anchor, anchor);
        json_array_append_new(anchors, json_pack("{s:I,s:s}", "tenant_id",
                                                 (json_int_t)receipt->anchors[i].tenant_id,
                                                 "anchor", anchor));
    }
    json_object_set_new(object, "file", json_text(receipt->path));
    json_object_set_new(object, "made_at", json_time(receipt->made_ms));
    json_object_set_new(object, "bytes", json_integer(receipt->bytes));
    json_object_set_new(object, "sha256", json_string(hex));
    json_object_set_new(object, "crmsync", json_string(CRMSYNC_VERSION));
    json_object_set_new(object, "schema", json_integer(receipt->schema_version));
    json_object_set_new(object, "epoch", json_integer(receipt->epoch));
    json_object_set_new(object, "records", json_integer(receipt->records));
    json_object_set_new(object, "links", json_integer(receipt->links));
    json_object_set_new(object, "audit", anchors);
    return object;
}

static enum fail fail_receipt(struct str path, struct error *err)
{
    error_set(err, FAIL_CONFIG, "cannot write receipt '%" PRI_STR "': %s", STR_ARG(path),
              strerror(errno));
    return error_hint(err, "the backup itself is whole; check the folder and the free space");
}

enum fail backup_receipt_write(struct arena *arena, const struct backup_receipt *receipt,
                               struct error *err)
{
    struct str path = backup_receipt_path(arena, receipt->path);
    json_t *tree = jx_own(arena, backup_receipt_json(receipt));
    int fd = open(path.at, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    bool is_done;

    if (fd < 0) {
        return fail_receipt(path, err);
    }
    is_done =
        json_dumpfd(tree, fd, JSON_INDENT(2)) == 0 && write(fd, "\n", 1) == 1 && fsync(fd) == 0;
    return close(fd) == 0 && is_done ? OK : fail_receipt(path, err);
}

enum fail backup_receipt_check(struct arena *arena, const char *path, bool *ret_found,
                               struct error *err)
{
    struct str name = backup_receipt_path(arena, str_of(path));
    json_t *tree = json_load_file(name.at, JSON_REJECT_DUPLICATES, NULL);
    const char *wanted = json_string_value(json_object_get(tree, "sha256"));
    uint8_t digest[SHA256_BYTES], read[SHA256_BYTES];
    bool is_readable = wanted && hex_decode(str_of(wanted), digest, SHA256_BYTES);
    int64_t bytes;

    json_decref(tree);
    *ret_found = access(name.at, F_OK) == 0;
    if (!*ret_found) {
        return OK;
    }
    if (!is_readable) {
        error_set(err, FAIL_CONFIG, "receipt '%" PRI_STR "' cannot be read", STR_ARG(name));
        return error_hint(err, "move it away to restore without comparing");
    }
    if (sha256_file(path, read, &bytes, err) != OK) {
        return err->code;
    }
    if (memcmp(digest, read, SHA256_BYTES) != 0) {
        error_set(err, FAIL_STOP, "'%s' is not the file that its receipt was written for", path);
        return error_hint(err, "take another backup; the file was changed or damaged since");
    }
    return OK;
}

/* --- which are kept ------------------------------------------------------------------------------------------ */

static enum fail fail_dir(struct str dir, struct error *err)
{
    error_set(err, FAIL_CONFIG, "cannot look into '%" PRI_STR "': %s", STR_ARG(dir),
              strerror(errno));
    return error_hint(err, "make the folder, and check its owner and mode");
}

static void remove_backup(struct arena *arena, struct str dir, const char *name)
{
    struct str path = arena_printf(arena, "%" PRI_STR "/%s", STR_ARG(dir), name);

    unlink(path.at);
    unlink(backup_receipt_path(arena, path).at);
    unlink(arena_printf(arena, "%" PRI_STR LEDGER_ENDING, STR_ARG(path)).at);
}

enum fail backup_prune(struct arena *arena, struct str dir, int64_t keep, int64_t *ret_removed,
                       struct error *err)
{
    struct dirent **entries = NULL;
    int count = scandir(arena_cstr(arena, dir), &entries, is_backup, alphasort);

    *ret_removed = 0;
    if (count < 0) {
        return fail_dir(dir, err);
    }
    for (int i = 0; i < count; i++) {
        if (keep && i < count - keep) {
            remove_backup(arena, dir, entries[i]->d_name);
            (*ret_removed)++;
        }
        free(entries[i]);
    }
    free(entries);
    return OK;
}
