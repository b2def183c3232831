#include "cli/person.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "api/find.h"
#include "cli/output.h"
#include "core/jx.h"
#include "store/audit.h"
#include "store/erasure.h"
#include "store/journal.h"
#include "store/link.h"
#include "store/review.h"

enum { PAGE = 500, ENTRIES_MAX = 1000000, AUDIT_MAX = 1000 };

/* One person, while the document grows. */
struct dossier {
    struct wire *wire;
    struct tx *tx;
    struct arena *arena;
    json_t *document; /* owned by the arena */
    int64_t *ids;     /* its record, and those that went into it */
    size_t ids_count;
    int64_t parts;
};

static void add(struct dossier *d, const char *part, json_t *take_entry)
{
    json_array_append_new(json_object_get(d->document, part), take_entry);
    d->parts++;
}

static bool is_of(const struct dossier *d, int64_t record_id)
{
    for (size_t i = 0; i < d->ids_count; i++) {
        if (d->ids[i] == record_id) {
            return true;
        }
    }
    return false;
}

static json_t *connection_text(struct dossier *d, int64_t id)
{
    return json_text(connection_name(d->tx, id, d->arena));
}

static enum fail add_links(struct dossier *d, int64_t record_id, struct error *err)
{
    struct store_link *links;
    size_t count;

    if (links_of_record(d->tx, record_id, d->arena, &links, &count, err) != OK) {
        return err->code;
    }
    for (size_t i = 0; i < count; i++) {
        add(d, "links",
            json_pack("{s:o,s:o,s:s,s:{s:o,s:o}}", "connection",
                      connection_text(d, links[i].connection_id), "remote_id",
                      json_text(links[i].remote_id), "state", link_state_name(links[i].state),
                      "last_agreed", "here", json_fields(&links[i].base.hub), "there",
                      json_fields(&links[i].base.remote)));
    }
    return OK;
}

static json_t *change_json(const struct journal_change *change)
{
    return json_pack("{s:o,s:o,s:o,s:o,s:o,s:o}", "field", json_text(change->field), "from",
                     json_value(&change->from), "to", json_value(&change->to), "lost",
                     json_value(&change->lost), "rule", json_text(change->rule), "changed_at",
                     json_time(change->changed_ms));
}

static enum fail add_journal(struct dossier *d, int64_t record_id, struct error *err)
{
    struct journal_entry *entries;
    size_t count;

    if (journal_of_record(d->tx, record_id, 0, ENTRIES_MAX, d->arena, &entries, &count, err) !=
        OK) {
        return err->code;
    }
    for (size_t i = 0; i < count; i++) {
        json_t *changes = json_array();

        for (size_t k = 0; k < entries[i].changes_count; k++) {
            json_array_append_new(changes, change_json(&entries[i].changes[k]));
        }
        add(d, "history",
            json_pack("{s:o,s:o,s:s,s:I,s:o}", "at", json_time(entries[i].at_ms), "source",
                      connection_text(d, entries[i].connection_id), "cause",
                      journal_cause_name(entries[i].cause), "version",
                      (json_int_t)entries[i].record_version, "changes", changes));
    }
    return OK;
}

static enum fail add_audit(struct dossier *d, struct str subject, struct error *err)
{
    struct audit_entry *entries;
    size_t count;

    if (audit_about(d->tx, subject, AUDIT_MAX, d->arena, &entries, &count, err) != OK) {
        return err->code;
    }
    for (size_t i = 0; i < count; i++) {
        add(d, "audit",
            json_pack("{s:I,s:o,s:o}", "number", (json_int_t)entries[i].number, "at",
                      json_time(entries[i].at_ms), "action", json_text(entries[i].action)));
    }
    return OK;
}

static enum fail add_conflicts(struct dossier *d, struct error *err)
{
    struct store_conflict *conflicts;
    int64_t after_id = 0;
    size_t count = PAGE;

    while (count == PAGE) {
        if (conflict_list(d->tx, true, after_id, PAGE, d->arena, &conflicts, &count, err) != OK) {
            return err->code;
        }
        for (size_t i = 0; i < count; i++) {
            const struct store_conflict *c = &conflicts[i];

            after_id = c->id;
            if (is_of(d, c->record_id)) {
                add(d, "conflicts",
                    json_pack("{s:I,s:o,s:o,s:o,s:o,s:o,s:o}", "id", (json_int_t)c->id,
                              "connection", connection_text(d, c->connection_id), "field",
                              json_text(c->field), "opened_at", json_time(c->opened_ms), "here",
                              json_value(&c->hub), "there", json_value(&c->remote), "resolution",
                              json_text(c->resolution)));
                if (add_audit(d, arena_printf(d->arena, "conflict %lld", (long long)c->id), err) !=
                    OK) {
                    return err->code;
                }
            }
        }
    }
    return OK;
}

static enum fail add_failures(struct dossier *d, struct error *err)
{
    struct store_failure *failures;
    int64_t after_id = 0;
    size_t count = PAGE;

    while (count == PAGE) {
        if (failure_list(d->tx, true, after_id, PAGE, d->arena, &failures, &count, err) != OK) {
            return err->code;
        }
        for (size_t i = 0; i < count; i++) {
            const struct store_failure *f = &failures[i];

            after_id = f->id;
            if (f->record_id && is_of(d, f->record_id)) {
                add(d, "failures",
                    json_pack("{s:o,s:o,s:o,s:o}", "connection",
                              connection_text(d, f->connection_id), "stage", json_text(f->stage),
                              "message", json_text(f->message), "since", json_time(f->first_ms)));
            }
        }
    }
    return OK;
}

static enum fail add_hints(struct dossier *d, int64_t record_id, struct error *err)
{
    struct erasure_hint *hints;
    size_t count;

    if (hints_of_record(d->tx, record_id, d->arena, &hints, &count, err) != OK) {
        return err->code;
    }
    for (size_t i = 0; i < count; i++) {
        add(d, "inbox",
            json_pack("{s:o,s:o,s:o}", "connection", connection_text(d, hints[i].connection_id),
                      "remote_id", json_text(hints[i].remote_id), "received_at",
                      json_time(hints[i].received_ms)));
    }
    return OK;
}

/* Deals, activities and whatever else points to the person. */
static enum fail add_referrers(struct dossier *d, struct str uuid, struct error *err)
{
    struct store_record *records;
    int64_t after_id = 0;
    size_t count = PAGE;

    while (count == PAGE) {
        if (record_search(d->tx, STR(""), uuid, after_id, PAGE, d->arena, &records, &count, err) !=
            OK) {
            return err->code;
        }
        for (size_t i = 0; i < count; i++) {
            after_id = records[i].id;
            if (!is_of(d, records[i].id)) {
                add(d, "referred_to_by", json_record(&records[i]));
            }
        }
    }
    return OK;
}

static enum fail add_record(struct dossier *d, int64_t id, struct error *err)
{
    struct store_record record;
    bool found;

    if (record_by_id(d->tx, id, d->arena, &record, &found, err) != OK) {
        return err->code;
    }
    add(d, "records", json_record(&record));
    if (add_links(d, id, err) != OK || add_journal(d, id, err) != OK ||
        add_hints(d, id, err) != OK || add_referrers(d, record.uuid, err) != OK) {
        return err->code;
    }
    return add_audit(d,
                     arena_printf(d->arena, "%" PRI_STR " %" PRI_STR, STR_ARG(record.kind),
                                  STR_ARG(record.uuid)),
                     err);
}

static enum fail gather(struct dossier *d, const struct store_record *person, struct error *err)
{
    static const char *const PARTS[] = {"records",  "links", "history",        "conflicts",
                                        "failures", "inbox", "referred_to_by", "audit"};

    for (size_t i = 0; i < COUNT_OF(PARTS); i++) {
        json_object_set_new(d->document, PARTS[i], json_array());
    }
    if (erase_whom(d->tx, person->id, d->arena, &d->ids, &d->ids_count, err) != OK) {
        return err->code;
    }
    for (size_t i = 0; i < d->ids_count; i++) {
        if (add_record(d, d->ids[i], err) != OK) {
            return err->code;
        }
    }
    return add_conflicts(d, err) != OK ? err->code : add_failures(d, err);
}

static enum fail write_document(const struct dossier *d, struct str path, struct error *err)
{
    int fd =
        path.len ? open(path.at, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600) : STDOUT_FILENO;
    bool is_done =
        fd >= 0 && json_dumpfd(d->document, fd, JSON_INDENT(2)) == 0 && write(fd, "\n", 1) == 1;
    int cause = errno;

    if (fd >= 0 && fd != STDOUT_FILENO) {
        is_done = close(fd) == 0 && is_done;
    }
    if (is_done) {
        return OK;
    }
    error_set(err, FAIL_CONFIG, "cannot write '%" PRI_STR "': %s", STR_ARG(path), strerror(cause));
    return error_hint(err, "name a file that is not there yet, in a folder that you may write to");
}

static enum fail note_export(struct wire *wire, const struct store_record *person,
                             struct error *err)
{
    const struct audit_note note = {.action = "person.exported",
                                    .subject =
                                        arena_printf(&wire->arena, "%" PRI_STR " %" PRI_STR,
                                                     STR_ARG(person->kind), STR_ARG(person->uuid))};

    return wire_audit_beside(wire, "crmsync export", &note, err);
}

static enum fail look_up(struct wire *wire, struct str who, struct store_record *ret,
                         struct error *err)
{
    AUTO_TX struct tx *tx = NULL;
    const struct kind *kind;

    if (kind_named(&wire->config.kinds, STR("contact"), &kind, err) != OK ||
        wire_begin(wire, &tx, err) != OK ||
        record_named(tx, kind, who, &wire->arena, ret, err) != OK) {
        return err->code;
    }
    return tx_commit(&tx, err);
}

enum fail person_export(struct wire *wire, struct str who, struct str path, int64_t *ret_parts,
                        struct error *err)
{
    struct dossier d = {
        .wire = wire, .arena = &wire->arena, .document = jx_own(&wire->arena, json_object())};
    struct store_record person;
    enum fail failed;

    if (look_up(wire, who, &person, err) != OK || note_export(wire, &person, err) != OK ||
        wire_begin(wire, &d.tx, err) != OK) {
        return err->code;
    }
    failed = gather(&d, &person, err);
    tx_abort(&d.tx); /* only read */
    *ret_parts = d.parts;
    return failed ? failed : write_document(&d, path, err);
}
