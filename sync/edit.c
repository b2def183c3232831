/* Edits of the store by people: create, update, delete, resolve, retry. One transaction each, with the journal entry that explains it. */
#include "sync/edit.h"

#include "store/audit.h"
#include "store/erasure.h"
#include "store/journal.h"
#include "store/link.h"

static const struct str *match_keys(const struct kind *kind, const struct fields *fields,
                                    struct arena *arena)
{
    struct str *keys = ARENA_ARRAY(arena, struct str, kind->matches_count + 1);

    kind_match_keys(kind, fields, arena, keys);
    return keys;
}

static int64_t now_of(const struct edit *edit)
{
    return clock_wall_ms(edit->env->clock);
}

static enum fail journal(const struct edit *edit, struct tx *tx, const struct store_record *record,
                         enum journal_cause cause, const struct journal_change *changes,
                         size_t count, struct error *err)
{
    struct journal_entry entry = {.record_id = record->id,
                                  .record_version = record->version,
                                  .at_ms = now_of(edit),
                                  .run_id = edit->run_id,
                                  .cause = cause,
                                  .changes = changes,
                                  .changes_count = count};

    return journal_append(tx, &entry, err);
}

/* A second record with the strongest key of another would be a duplicate everywhere. */
static enum fail refuse_duplicate(struct tx *tx, const struct kind *kind, const struct str *keys,
                                  struct arena *arena, struct error *err)
{
    struct match_hit hit;
    struct store_record other;
    size_t count = 0;
    bool found;

    if (kind->matches_count == 0 || keys[0].len == 0) {
        return OK;
    }
    if (record_match(tx, kind->name, 0, keys[0], 0, &hit, 1, &count, err) != OK || count == 0) {
        return count == 0 ? OK : err->code;
    }
    if (record_by_id(tx, hit.record_id, arena, &other, &found, err) != OK) {
        return err->code;
    }
    error_set(err, FAIL_RECORD,
              "cannot create the %" PRI_STR ": record %" PRI_STR " has the same %" PRI_STR,
              STR_ARG(kind->name), STR_ARG(other.uuid), STR_ARG(kind->matches[0].fields[0]->name));
    return error_hint(err, "update that record, or pass --allow-duplicate");
}

/* Who was erased does not come back by an import, or unseen by a person's hand. */
static enum fail refuse_erased(struct tx *tx, const struct kind *kind, const struct str *keys,
                               struct error *err)
{
    bool is_any, is_refused = false;

    if (suppression_any(tx, &is_any, err) != OK || !is_any) {
        return err->code;
    }
    for (size_t i = 0; i < kind->matches_count && !is_refused; i++) {
        struct suppression suppression;

        if (keys[i].len && (suppression_of_key(tx, kind->name, keys[i], &suppression, err) != OK ||
                            suppression_refuses(tx, &suppression, &is_refused, err) != OK)) {
            return err->code;
        }
    }
    if (!is_refused) {
        return OK;
    }
    error_set(err, FAIL_RECORD, "cannot create the %" PRI_STR ": this person was erased",
              STR_ARG(kind->name));
    return error_hint(err, "'crmsync erase --list' shows the erasures; --lift N lets the person "
                           "come back");
}

static const char *rule_of(const struct edit *edit)
{
    return edit->rule ? edit->rule : "local edit";
}

enum fail edit_create_in(const struct edit *edit, struct tx *tx, const struct kind *kind,
                         struct str uuid, const struct fields *fields, bool allow_duplicate,
                         struct arena *arena, struct store_record *ret, struct error *err)
{
    char made[UUID_TEXT_BYTES];
    const struct str *keys = match_keys(kind, fields, arena);
    struct journal_change *changes = ARENA_ARRAY(arena, struct journal_change, fields->count + 1);
    struct store_record record = {.kind = kind->name,
                                  .state = RECORD_LIVE,
                                  .fields = *fields,
                                  .created_ms = now_of(edit),
                                  .updated_ms = now_of(edit)};

    uuid_v7(record.created_ms, edit->env->random, made);
    record.uuid = arena_str(arena, uuid.len ? uuid : str_of(made));
    for (size_t i = 0; i < fields->count; i++) {
        changes[i] = (struct journal_change){.field = fields->at[i].name,
                                             .to = fields->at[i].value,
                                             .rule = str_of(rule_of(edit)),
                                             .changed_ms = record.created_ms,
                                             .time_is_exact = true};
    }
    if (refuse_erased(tx, kind, keys, err) != OK ||
        (!allow_duplicate && refuse_duplicate(tx, kind, keys, arena, err) != OK) ||
        record_insert(tx, &record, keys, kind->matches_count, err) != OK ||
        journal(edit, tx, &record, CAUSE_LOCAL, changes, fields->count, err) != OK) {
        return err->code;
    }
    *ret = record;
    return OK;
}

enum fail edit_create(const struct edit *edit, const struct kind *kind, const struct fields *fields,
                      bool allow_duplicate, struct arena *arena, struct store_record *ret,
                      struct error *err)
{
    AUTO_TX struct tx *tx = NULL;

    if (tx_begin(edit->store, edit->tenant_id, &tx, err) != OK ||
        edit_create_in(edit, tx, kind, STR(""), fields, allow_duplicate, arena, ret, err) != OK) {
        return err->code;
    }
    return tx_commit(&tx, err);
}

static enum fail live_record(struct tx *tx, struct str uuid, struct arena *arena,
                             struct store_record *ret, struct error *err)
{
    bool found;

    if (record_by_uuid(tx, uuid, arena, ret, &found, err) != OK) {
        return err->code;
    }
    if (!found) {
        error_set(err, FAIL_RECORD, "no record %" PRI_STR, STR_ARG(uuid));
        return error_hint(err, "list records with 'crmsync records list KIND'");
    }
    if (ret->state != RECORD_LIVE) {
        return error_set(err, FAIL_RECORD, "record %" PRI_STR " is %s", STR_ARG(uuid),
                         record_state_name(ret->state));
    }
    return OK;
}

/* The changes that really change something, applied to record->fields. */
static size_t apply_changes(struct store_record *record, const struct fields *changes,
                            int64_t now_ms, const char *rule, struct arena *arena,
                            struct journal_change *ret)
{
    size_t count = 0;

    for (size_t i = 0; i < changes->count; i++) {
        struct str name = changes->at[i].name;
        struct value from = *fields_get(&record->fields, name);

        if (value_equal(&from, &changes->at[i].value)) {
            continue;
        }
        ret[count++] = (struct journal_change){.field = name,
                                               .from = from,
                                               .to = changes->at[i].value,
                                               .rule = str_of(rule),
                                               .changed_ms = now_ms,
                                               .time_is_exact = true};
        fields_set(&record->fields, arena, name, changes->at[i].value);
    }
    return count;
}

static enum fail write_changes(const struct edit *edit, struct tx *tx, struct store_record *record,
                               const struct fields *changes, enum journal_cause cause,
                               const char *rule, struct arena *arena, struct error *err)
{
    const struct kind *kind = kind_by_name(edit->kinds, record->kind);
    struct journal_change *entries = ARENA_ARRAY(arena, struct journal_change, changes->count + 1);
    size_t count = apply_changes(record, changes, now_of(edit), rule, arena, entries);

    if (!kind) {
        return error_set(err, FAIL_CONFIG, "kind '%" PRI_STR "' of the record is not declared",
                         STR_ARG(record->kind));
    }
    if (count == 0) {
        return OK;
    }
    record->updated_ms = now_of(edit);
    if (record_update(tx, record, match_keys(kind, &record->fields, arena), kind->matches_count,
                      err) != OK) {
        return err->code;
    }
    return journal(edit, tx, record, cause, entries, count, err);
}

static enum fail check_version(const struct store_record *record, int64_t expected,
                               struct error *err)
{
    if (expected == 0 || record->version == expected) {
        return OK;
    }
    error_set(err, FAIL_STALE, "record %" PRI_STR " is at version %lld, not %lld",
              STR_ARG(record->uuid), (long long)record->version, (long long)expected);
    return error_hint(err, "look at it again with 'crmsync records get' and repeat the edit");
}

enum fail edit_update_in(const struct edit *edit, struct tx *tx, struct str uuid,
                         const struct fields *changes, int64_t expected_version,
                         struct arena *arena, struct store_record *ret, struct error *err)
{
    if (live_record(tx, uuid, arena, ret, err) != OK ||
        check_version(ret, expected_version, err) != OK) {
        return err->code;
    }
    return write_changes(edit, tx, ret, changes, CAUSE_LOCAL, rule_of(edit), arena, err);
}

enum fail edit_update(const struct edit *edit, struct str uuid, const struct fields *changes,
                      int64_t expected_version, struct arena *arena, struct store_record *ret,
                      struct error *err)
{
    AUTO_TX struct tx *tx = NULL;

    if (tx_begin(edit->store, edit->tenant_id, &tx, err) != OK ||
        edit_update_in(edit, tx, uuid, changes, expected_version, arena, ret, err) != OK) {
        return err->code;
    }
    return tx_commit(&tx, err);
}

static enum fail delete_in(const struct edit *edit, struct tx *tx, struct store_record *record,
                           struct error *err)
{
    record->state = RECORD_DELETED;
    record->updated_ms = now_of(edit);
    if (record_update(tx, record, NULL, 0, err) != OK) {
        return err->code;
    }
    return journal(edit, tx, record, CAUSE_DELETE, NULL, 0, err);
}

enum fail edit_delete(const struct edit *edit, struct str uuid, int64_t expected_version,
                      struct error *err)
{
    AUTO_ARENA struct arena arena = {0};
    AUTO_TX struct tx *tx = NULL;
    struct store_record record;

    if (tx_begin(edit->store, edit->tenant_id, &tx, err) != OK ||
        live_record(tx, uuid, &arena, &record, err) != OK ||
        check_version(&record, expected_version, err) != OK ||
        delete_in(edit, tx, &record, err) != OK) {
        return err->code;
    }
    return tx_commit(&tx, err);
}

/* What the decision went against stays in the history. */
static enum fail keep_losers(const struct edit *edit, struct tx *tx,
                             const struct store_record *record,
                             const struct store_conflict *conflict, const struct value *chosen,
                             struct error *err)
{
    const struct value *candidates[] = {&conflict->hub, &conflict->remote};
    struct journal_change losers[COUNT_OF(candidates)];
    size_t count = 0;

    for (size_t i = 0; i < COUNT_OF(candidates); i++) {
        if (!value_equal(candidates[i], chosen)) {
            losers[count++] = (struct journal_change){.field = conflict->field,
                                                      .from = *chosen,
                                                      .to = *chosen,
                                                      .rule = STR("resolved by a person"),
                                                      .lost = *candidates[i],
                                                      .changed_ms = now_of(edit),
                                                      .time_is_exact = true};
        }
    }
    return count ? journal(edit, tx, record, CAUSE_CONFLICT, losers, count, err) : OK;
}

/* The chosen value becomes an edit of the record, and the remote half of the base acknowledges what is there: only what differs from it
 * is pushed. */
static enum fail resolve_field(const struct edit *edit, struct tx *tx,
                               const struct store_conflict *conflict, enum resolve_side side,
                               const struct value *value, struct arena *arena, struct error *err)
{
    struct store_record record;
    struct store_link link;
    struct fields changes = {0};
    struct value chosen = side == RESOLVE_HUB      ? conflict->hub
                          : side == RESOLVE_REMOTE ? conflict->remote
                                                   : *value;
    bool found;

    if (record_by_id(tx, conflict->record_id, arena, &record, &found, err) != OK ||
        link_by_id(tx, conflict->link_id, arena, &link, &found, err) != OK) {
        return err->code;
    }
    if (record.state != RECORD_LIVE || link.state != LINK_LIVE) {
        error_set(err, FAIL_RECORD,
                  "the link of conflict %lld has ended, there is nothing left to decide",
                  (long long)conflict->id);
        return error_hint(err, "look at the record with 'crmsync records get'");
    }
    fields_set(&changes, arena, conflict->field, chosen);
    if (write_changes(edit, tx, &record, &changes, CAUSE_CONFLICT, "resolved by a person", arena,
                      err) != OK ||
        keep_losers(edit, tx, &record, conflict, &chosen, err) != OK) {
        return err->code;
    }
    fields_set(&link.base.remote, arena, conflict->field, conflict->remote);
    if (value_equal(&chosen, &conflict->remote)) {
        fields_set(&link.base.hub, arena, conflict->field, chosen);
    } else {
        /* The hub's half must differ from the chosen value, so that it counts as moved and is pushed. */
        const struct value *half = fields_get(&link.base.hub, conflict->field);
        if (value_equal(half, &chosen)) {
            fields_set(&link.base.hub, arena, conflict->field, conflict->remote);
        }
    }
    link.synced_version = 0;
    link.retry_at_ms = 0;
    return link_update(tx, &link, err);
}

static enum fail resolve_delete(const struct edit *edit, struct tx *tx,
                                const struct store_conflict *conflict, enum resolve_side side,
                                struct arena *arena, struct error *err)
{
    struct store_record record;
    struct store_link link;
    bool found;

    if (record_by_id(tx, conflict->record_id, arena, &record, &found, err) != OK ||
        link_by_id(tx, conflict->link_id, arena, &link, &found, err) != OK) {
        return err->code;
    }
    if (side == RESOLVE_VALUE) {
        return error_set(
            err, FAIL_CONFIG,
            "a delete conflict is resolved with --hub (keep it here) or --remote (delete "
            "it), not with a value");
    }
    if (side == RESOLVE_REMOTE && record.state == RECORD_LIVE &&
        delete_in(edit, tx, &record, err) != OK) {
        return err->code;
    }
    link.state = LINK_UNLINKED;
    if (tombstone_put(tx, link.connection_id, link.kind, link.remote_id, link.record_id, err) !=
        OK) {
        return err->code;
    }
    return link_update(tx, &link, err);
}

static const char *resolution_word(const struct store_conflict *conflict, enum resolve_side side)
{
    if (conflict->type == CONFLICT_DELETE) {
        return side == RESOLVE_HUB ? "keep" : "delete";
    }
    return side == RESOLVE_HUB ? "hub" : side == RESOLVE_REMOTE ? "remote" : "value";
}

static enum fail note_resolution(struct tx *tx, const struct store_conflict *conflict,
                                 enum resolve_side side, struct arena *arena, struct error *err)
{
    struct store_record record = {0};
    bool found;

    if (record_by_id(tx, conflict->record_id, arena, &record, &found, err) != OK) {
        return err->code;
    }
    const struct audit_detail details[] = {
        {"record", record.uuid},
        {"kind", conflict->kind},
        {"field", conflict->field},
        {"version", arena_printf(arena, "%lld", (long long)conflict->version)},
        {"decision", str_of(resolution_word(conflict, side))},
        {0}};
    const struct audit_note note = {
        .action = "conflict.resolved",
        .subject = arena_printf(arena, "conflict %lld", (long long)conflict->id),
        .details = details};
    return audit_put(tx, &note, err);
}

enum fail resolve_conflict(const struct edit *edit, int64_t conflict_id, int64_t version,
                           enum resolve_side side, const struct value *value, struct error *err)
{
    AUTO_ARENA struct arena arena = {0};
    AUTO_TX struct tx *tx = NULL;
    struct store_conflict conflict;
    bool found, ended;

    if (tx_begin(edit->store, edit->tenant_id, &tx, err) != OK ||
        conflict_by_id(tx, conflict_id, &arena, &conflict, &found, err) != OK) {
        return err->code;
    }
    if (!found || conflict.state != CONFLICT_OPEN) {
        error_set(err, FAIL_RECORD, "conflict %lld is not open", (long long)conflict_id);
        return error_hint(err, "list open conflicts with 'crmsync conflicts list'");
    }
    if (version && conflict.version != version) {
        error_set(err, FAIL_STALE, "conflict %lld has moved: it is at version %lld, not %lld",
                  (long long)conflict_id, (long long)conflict.version, (long long)version);
        return error_hint(err, "look at it again with 'crmsync conflicts show %lld'",
                          (long long)conflict_id);
    }
    if ((conflict.type == CONFLICT_DELETE
             ? resolve_delete(edit, tx, &conflict, side, &arena, err)
             : resolve_field(edit, tx, &conflict, side, value, &arena, err)) != OK ||
        conflict_end(tx, conflict.link_id, conflict.field, CONFLICT_RESOLVED,
                     str_of(resolution_word(&conflict, side)), &ended, err) != OK ||
        (conflict.type == CONFLICT_DELETE && conflicts_close(tx, conflict.link_id, err) != OK) ||
        note_resolution(tx, &conflict, side, &arena, err) != OK) {
        return err->code;
    }
    return tx_commit(&tx, err);
}

bool failure_waits_for_retry(const struct store_failure *failure)
{
    return !str_equal(failure->stage, STR("schema")) && !str_equal(failure->stage, STR("owner"));
}

enum fail retry_failure(const struct edit *edit, int64_t failure_id, struct error *err)
{
    AUTO_ARENA struct arena arena = {0};
    AUTO_TX struct tx *tx = NULL;
    struct store_failure failure;
    struct store_link link;
    bool found;

    if (tx_begin(edit->store, edit->tenant_id, &tx, err) != OK ||
        failure_by_id(tx, failure_id, &arena, &failure, &found, err) != OK) {
        return err->code;
    }
    if (!found) {
        error_set(err, FAIL_RECORD, "no failure %lld", (long long)failure_id);
        return error_hint(err, "list them with 'crmsync failures list'");
    }
    if (!failure_waits_for_retry(&failure)) {
        error_set(err, FAIL_RECORD, "failure %lld is looked at by every sync by itself",
                  (long long)failure_id);
        return error_hint(err, "%" PRI_STR, STR_ARG(failure.hint));
    }
    if (failure_retry(tx, failure_id, err) != OK) {
        return err->code;
    }
    if (failure.record_id) {
        if (link_by_record(tx, failure.connection_id, failure.record_id, &arena, &link, &found,
                           err) != OK) {
            return err->code;
        }
        if (found) { /* pushed again whatever its version */
            link.synced_version = 0;
            link.retry_at_ms = 0;
            if (link_update(tx, &link, err) != OK) {
                return err->code;
            }
        }
    }
    return tx_commit(&tx, err);
}
