/* A remote object without a link: is it one of ours (correlation key), the same thing as a known record (match rules), or new? */
#include "store/erasure.h"
#include "sync/restored.h"
#include "sync/send.h"

enum { HITS_MAX = 8 };

enum fail link_add(struct pass *pass, struct store_link *link, struct error *err)
{
    link->connection_id = pass->connection->row.id;
    link->kind = pass->kind->name;
    link->scan = pass->stream.scan;
    if (link_insert(pass->tx, link, err) != OK || wait_wake(pass->tx, link, err) != OK) {
        return err->code;
    }
    if (!pass->has_failures) {
        return OK;
    }
    if (failure_clear(pass->tx, link->connection_id, link->kind, link->remote_id, 0, STR(""),
                      STR(""), err) != OK) {
        return err->code;
    }
    return failure_clear(pass->tx, link->connection_id, link->kind, STR(""), link->record_id,
                         STR(""), STR(""), err);
}

/* Base of a create whose answer was lost: what we sent, and how the CRM shows that. */
static struct base base_of_intent(struct pass *pass, const struct store_intent *intent)
{
    struct base base = {0};

    for (size_t i = 0; i < intent->sent.count; i++) {
        const struct field *sent = &intent->sent.at[i];
        const struct map_entry *entry = mapping_entry(pass->mapping, sent->name);

        /* An association may be a call of its own that never came: first contact decides about it. */
        if (entry && entry->field->type != TYPE_REFERENCE &&
            entry->field->type != TYPE_REFERENCE_LIST) {
            fields_set(&base.hub, &pass->arena, sent->name, sent->value);
            fields_set(&base.remote, &pass->arena, sent->name,
                       map_image(entry, &sent->value, &pass->arena));
        }
    }
    return base;
}

/* Another object takes the place of the one that went: others there may point to that one still. */
static enum fail bury_former(struct pass *pass, const struct store_link *link, struct str remote_id,
                             struct error *err)
{
    return link->id == 0 || str_equal(link->remote_id, remote_id)
               ? OK
               : tombstone_put(pass->tx, pass->connection->row.id, pass->kind->name,
                               link->remote_id, link->record_id, err);
}

/* Makes the link of a known record and merges at once. link may be an ended one of the same record that is taken up again. */
static enum fail connect_record(struct pass *pass, struct store_link *link,
                                struct store_record *record, const struct remote_record *remote,
                                struct error *err)
{
    struct fields fields = {0};
    bool ended;

    if (bury_former(pass, link, remote->remote_id, err) != OK) {
        return err->code;
    }
    link->record_id = record->id;
    link->remote_id = remote->remote_id;
    link->state = LINK_LIVE;
    link->gone_since_ms = 0;
    link->synced_version = 0;
    link->retry_at_ms = 0;
    link->remote_modified_ms = 0;
    if (link->id == 0) {
        if (link_add(pass, link, err) != OK) {
            return err->code;
        }
    } else if (conflict_end(pass->tx, link->id, STR(""), CONFLICT_CLOSED, STR("closed"), &ended,
                            err) != OK ||
               link_update(pass->tx, link, err) != OK || wait_wake(pass->tx, link, err) != OK) {
        return err->code;
    }
    if (read_fields(pass, remote, record->id, &fields, err) != OK) {
        return err->code;
    }
    return merge_link(pass, link, record, remote, &fields, NULL, err);
}

/* An object was recognised: by a match rule, or by our key on it. */
static enum fail note_link(struct pass *pass, const struct store_record *record,
                           const struct remote_record *remote, struct error *err)
{
    struct journal_entry entry = {.record_id = record->id,
                                  .record_version = record->version,
                                  .at_ms = pass_now_ms(pass),
                                  .run_id = pass->run_id,
                                  .connection_id = pass->connection->row.id,
                                  .remote_id = remote->remote_id,
                                  .cause = CAUSE_IMPORT};

    pass_change(pass, &(const struct change){.op = CHANGE_LINK,
                                             .connection = pass->settings->name,
                                             .kind = pass->kind->name,
                                             .uuid = record->uuid,
                                             .record = record->fields,
                                             .remote_id = remote->remote_id});
    return journal_append(pass->tx, &entry, err);
}

/* Deleted here while its create was on the way: the object is linked, so that the next push deals with it as with any deleted record. */
static enum fail adopt_for_deletion(struct pass *pass, const struct remote_record *remote,
                                    const struct store_record *record, bool *ret_done,
                                    struct error *err)
{
    struct store_link link = {
        .record_id = record->id, .remote_id = remote->remote_id, .state = LINK_LIVE};
    struct store_intent intent;
    struct store_link other;
    bool has_intent, has_link;

    if (intent_of_record(pass->tx, pass->connection->row.id, record->id, &pass->arena, &intent,
                         &has_intent, err) != OK ||
        link_by_record(pass->tx, pass->connection->row.id, record->id, &pass->arena, &other,
                       &has_link, err) != OK) {
        return err->code;
    }
    if (!has_intent || has_link || intent.op != INTENT_CREATE) {
        return OK;
    }
    *ret_done = true;
    if (intent_delete(pass->tx, intent.id, err) != OK) {
        return err->code;
    }
    return link_add(pass, &link, err);
}

/* Merged into another record, at another CRM, before the answer of its create was known: the object was made for the one that went. */
static enum fail adopt_of_merged(struct pass *pass, const struct remote_record *remote,
                                 const struct store_record *loser, int64_t survivor_id,
                                 bool *ret_done, struct error *err)
{
    struct store_link link = {.record_id = loser->id, .remote_id = remote->remote_id};
    struct store_intent intent;
    bool has_intent;

    if (intent_of_record(pass->tx, pass->connection->row.id, loser->id, &pass->arena, &intent,
                         &has_intent, err) != OK) {
        return err->code;
    }
    if (!has_intent || intent.op != INTENT_CREATE) {
        return OK;
    }
    *ret_done = true;
    pass->counts->created_there++;
    if (intent_delete(pass->tx, intent.id, err) != OK) {
        return err->code;
    }
    return link_add_merged(pass, &link, survivor_id, err);
}

/* The create whose answer never came. That the object is ours is a fact that no gate may take back; what it shows besides is another
 * matter, and under a gate it is looked at apart. */
static enum fail adopt_sent(struct pass *pass, const struct remote_record *remote,
                            struct store_record *record, const struct store_intent *intent,
                            struct error *err)
{
    struct store_link link = {.base = base_of_intent(pass, intent),
                              .record_id = record->id,
                              .remote_id = remote->remote_id,
                              .state = LINK_LIVE};
    struct change change = create_change(pass, record, &intent->sent);

    pass->counts->created_there++;
    pass_settled(pass, &change, SETTLED_DONE);
    if (intent_delete(pass->tx, intent->id, err) != OK ||
        journal_push(pass, record, remote->remote_id, change.fields, change.fields_count, err) !=
            OK) {
        return err->code;
    }
    if (!pass->sync->gate) {
        return connect_record(pass, &link, record, remote, err);
    }
    return link_add(pass, &link, err) ? err->code
                                      : dirty_put(pass->tx, pass->connection->row.id,
                                                  pass->kind->name, remote->remote_id, err);
}

/* Our own key on the object: a create of ours whose answer never came, or a copy that somebody made of one. */
static enum fail adopt_own(struct pass *pass, const struct remote_record *remote, bool *ret_done,
                           struct error *err)
{
    struct store_record record = {0}, named;
    struct store_link link = {0};
    struct store_intent intent;
    bool found;

    *ret_done = false;
    if (record_by_uuid(pass->tx, remote->correlation_key, &pass->arena, &record, &found, err) !=
        OK) {
        return err->code;
    }
    named = record;
    if (record_surviving(pass, &record, &pass->arena, &found, err) != OK) {
        return err->code;
    }
    if (!found || !str_equal(record.kind, pass->kind->name)) {
        return OK;
    }
    if (record.id != named.id) {
        if (adopt_of_merged(pass, remote, &named, record.id, ret_done, err) != OK || *ret_done) {
            return err->code;
        }
    }
    if (record.state != RECORD_LIVE) {
        return adopt_for_deletion(pass, remote, &record, ret_done, err);
    }
    if (link_by_record(pass->tx, pass->connection->row.id, record.id, &pass->arena, &link, &found,
                       err) != OK) {
        return err->code;
    }
    if (found) {
        return OK; /* a copy: it has to stand for itself */
    }
    if (intent_of_record(pass->tx, pass->connection->row.id, record.id, &pass->arena, &intent,
                         &found, err) != OK) {
        return err->code;
    }
    *ret_done = true;
    if (found) {
        return adopt_sent(pass, remote, &record, &intent, err);
    }
    link = (struct store_link){0};
    pass->counts->matched++;
    if (note_link(pass, &record, remote, err) != OK ||
        restored_note(pass, remote, &record.fields, record.id, err) != OK) {
        return err->code;
    }
    return connect_record(pass, &link, &record, remote, err);
}

struct verdict_of_match {
    const struct str *keys; /* that were looked for */
    int64_t record_id;      /* the one match; 0 none */
    const char *reason;     /* why it is set aside; NULL = it is not */
    int64_t candidates
        [HITS_MAX]; /* records it may be, when that is ambiguous: those without an object here first */
    size_t candidates_count;
    size_t unlinked_count;
};

/* A weaker rule does not match two records that a stronger rule tells apart (same name, different domains). */
static enum fail contradicts(struct pass *pass, int64_t record_id, const struct str *keys,
                             size_t rule, bool *ret, struct error *err)
{
    struct store_record record;
    const struct str *theirs;
    bool found;

    *ret = false;
    if (rule == 0) {
        return OK;
    }
    if (record_by_id(pass->tx, record_id, &pass->arena, &record, &found, err) != OK) {
        return err->code;
    }
    theirs = pass_match_keys(pass, &record.fields);
    for (size_t i = 0; i < rule; i++) {
        if (keys[i].len && theirs[i].len && !str_equal(keys[i], theirs[i])) {
            *ret = true;
        }
    }
    return OK;
}

/* One hit that is already linked here: an ended link is taken up again, a live one means a duplicate inside the CRM. Under the
 * strongest rule that is set aside; two objects that merely share a name are two things. */
static enum fail judge_linked_hit(struct pass *pass, const struct match_hit *hit, size_t rule,
                                  struct verdict_of_match *ret, struct error *err)
{
    struct store_link link;
    bool found;

    if (link_by_id(pass->tx, hit->link_id, &pass->arena, &link, &found, err) != OK) {
        return err->code;
    }
    if (found && (link.state == LINK_GONE || link.state == LINK_UNLINKED)) {
        ret->record_id = hit->record_id;
    } else if (rule == 0) {
        ret->reason = "duplicate";
    }
    return OK;
}

static void name_candidates(const struct match_hit *hits, size_t count,
                            struct verdict_of_match *ret)
{
    ret->reason = "ambiguous";
    for (int linked = 0; linked < 2; linked++) {
        for (size_t i = 0; i < count; i++) {
            if ((hits[i].link_id != 0) == linked) {
                ret->candidates[ret->candidates_count++] = hits[i].record_id;
            }
        }
        ret->unlinked_count = linked ? ret->unlinked_count : ret->candidates_count;
    }
}

static enum fail judge_hits(struct pass *pass, const struct str *keys, size_t rule,
                            struct verdict_of_match *ret, struct error *err)
{
    struct match_hit hits[HITS_MAX];
    struct match_hit left[HITS_MAX];
    size_t count = 0, left_count = 0;

    if (record_match(pass->tx, pass->kind->name, (int)rule, keys[rule], pass->connection->row.id,
                     hits, HITS_MAX, &count, err) != OK) {
        return err->code;
    }
    for (size_t i = 0; i < count; i++) {
        bool is_other = false;

        if (contradicts(pass, hits[i].record_id, keys, rule, &is_other, err) != OK) {
            return err->code;
        }
        if (!is_other && (rule == 0 || hits[i].link_id == 0)) {
            left[left_count++] = hits[i];
        }
    }
    if (left_count > 1) {
        name_candidates(left, left_count, ret);
    } else if (left_count == 1 && left[0].link_id != 0) {
        return judge_linked_hit(pass, &left[0], rule, ret, err);
    } else if (left_count == 1) {
        ret->record_id = left[0].record_id;
    }
    return OK;
}

static enum fail find_match(struct pass *pass, const struct fields *fields,
                            struct verdict_of_match *ret, struct error *err)
{
    const struct str *keys = pass_match_keys(pass, fields);

    *ret = (struct verdict_of_match){.keys = keys};
    for (size_t rule = 0; rule < pass->kind->matches_count; rule++) {
        if (keys[rule].len == 0) {
            continue;
        }
        if (judge_hits(pass, keys, rule, ret, err) != OK) {
            return err->code;
        }
        if (ret->record_id || ret->reason) {
            return OK;
        }
    }
    return OK;
}

/* The records that an ambiguous object may be are not created beside it: that would make the duplicate that nobody wants. */
static enum fail hold_candidates(struct pass *pass, const struct remote_record *remote,
                                 const struct verdict_of_match *match, struct error *err)
{
    const char *message =
        arena_printf(&pass->arena,
                     "object %" PRI_STR " of this CRM may be this record; it is not created there "
                     "before that is clear",
                     STR_ARG(remote->remote_id))
            .at;

    for (size_t i = 0; i < match->unlinked_count; i++) {
        struct store_record record;
        bool found;

        if (record_by_id(pass->tx, match->candidates[i], &pass->arena, &record, &found, err) !=
                OK ||
            note_failure(pass, STR(""), record.id, "push", "ambiguous", STR(""), record.version,
                         message,
                         "make the records distinct or merge them at one CRM, then 'crmsync "
                         "failures retry --all'",
                         err) != OK) {
            return err->code;
        }
    }
    return OK;
}

/* "several records match (uuid, uuid, uuid and 2 more); which one is meant is not guessed" */
static enum fail name_records(struct pass *pass, const struct verdict_of_match *match,
                              const char **ret, struct error *err)
{
    enum { NAMED_MAX = 4 };
    AUTO_BUF struct buf names = {0};
    size_t named = match->candidates_count < NAMED_MAX ? match->candidates_count : NAMED_MAX;

    buf_init(&names, 1024);
    for (size_t i = 0; i < named; i++) {
        struct store_record record = {0};
        bool found;

        if (record_by_id(pass->tx, match->candidates[i], &pass->arena, &record, &found, err) !=
            OK) {
            return err->code;
        }
        buf_addf(&names, "%s%" PRI_STR, i ? ", " : "", STR_ARG(record.uuid));
    }
    if (named < match->candidates_count) {
        buf_addf(&names, " and %zu more", match->candidates_count - named);
    }
    *ret = arena_printf(&pass->arena,
                        "several records match (%" PRI_STR "); which one is meant is not guessed",
                        STR_ARG(buf_str(&names)))
               .at;
    return OK;
}

static enum fail set_aside(struct pass *pass, const struct remote_record *remote,
                           const struct verdict_of_match *match, struct error *err)
{
    bool is_duplicate = strcmp(match->reason, "duplicate") == 0;
    const char *message = "another object of this CRM is the same person or company by its key";

    if (!is_duplicate && name_records(pass, match, &message, err) != OK) {
        return err->code;
    }
    if (note_failure(
            pass, remote->remote_id, 0, "match", match->reason, STR(""), 0, message,
            is_duplicate
                ? "merge the two at the CRM, or give one another key (e-mail, domain); then "
                  "'crmsync failures retry'"
                : "make the records distinct or merge them, then 'crmsync failures retry'",
            err) != OK) {
        return err->code;
    }
    return hold_candidates(pass, remote, match, err);
}

static enum fail match_record(struct pass *pass, const struct remote_record *remote,
                              const struct fields *fields, int64_t record_id, struct error *err)
{
    struct store_record record;
    struct store_link link = {0};
    bool found, takes;

    if (record_by_id(pass->tx, record_id, &pass->arena, &record, &found, err) != OK ||
        link_by_record(pass->tx, pass->connection->row.id, record_id, &pass->arena, &link, &found,
                       err) != OK) {
        return err->code;
    }
    if (!found) {
        link = (struct store_link){0};
    }
    link.base = (struct base){0};
    if (pair_takes_part(pass, &record, fields, &takes, err) != OK || !takes) {
        return err->code; /* looked at again when it changes, or the filter does */
    }
    pass->counts->matched++;
    if (note_link(pass, &record, remote, err) != OK) {
        return err->code;
    }
    return connect_record(pass, &link, &record, remote, err);
}

static enum fail journal_new(struct pass *pass, const struct store_record *record,
                             const struct remote_record *remote, struct error *err)
{
    struct journal_change *changes =
        ARENA_ARRAY(&pass->arena, struct journal_change, record->fields.count + 1);
    struct journal_entry entry = {.record_id = record->id,
                                  .record_version = record->version,
                                  .at_ms = pass_now_ms(pass),
                                  .run_id = pass->run_id,
                                  .connection_id = pass->connection->row.id,
                                  .remote_id = remote->remote_id,
                                  .cause = CAUSE_IMPORT,
                                  .changes = changes,
                                  .changes_count = record->fields.count,
                                  .first_values = &record->fields};

    for (size_t i = 0; i < record->fields.count; i++) {
        changes[i] = (struct journal_change){.field = record->fields.at[i].name,
                                             .to = record->fields.at[i].value,
                                             .rule = STR("import"),
                                             .changed_ms = remote->modified_ms ? remote->modified_ms
                                                                               : entry.at_ms};
    }
    return pass_journal(pass, CHANGE_CREATE, record, &entry, err);
}

/* The hub's values of a new record: what may travel inward, which is all of it nearly always. A null stays: it is an observation. */
static struct fields fields_of_new(struct pass *pass, const struct fields *remote)
{
    struct fields fields = {.at = ARENA_ARRAY(&pass->arena, struct field, remote->count),
                            .capacity = remote->count};

    for (size_t i = 0; i < remote->count; i++) {
        const struct map_entry *entry = mapping_entry(pass->mapping, remote->at[i].name);

        if (entry && pass_flow(pass, entry) != FLOW_OUT) {
            fields.at[fields.count++] = remote->at[i];
        }
    }
    return fields.count == remote->count ? *remote : fields;
}

/* A plan may have named the record already. */
static void new_uuid(struct pass *pass, const struct remote_record *remote,
                     char ret[UUID_TEXT_BYTES])
{
    const struct gate *gate = pass->sync->gate;

    struct store_record other;
    struct error ignored = {0};
    bool found = false;

    if (gate && gate->uuid_of &&
        gate->uuid_of(gate->context, pass->settings->name, pass->kind->name, remote->remote_id,
                      ret) &&
        record_by_uuid(pass->tx, str_of(ret), &pass->arena, &other, &found, &ignored) == OK &&
        !found) { /* a record that was undone meanwhile keeps its id */
        return;
    }
    if (restored_uuid(pass, remote, ret) &&
        record_by_uuid(pass->tx, str_of(ret), &pass->arena, &other, &found, &ignored) == OK &&
        !found) {
        return;
    }
    uuid_v7(pass_now_ms(pass), pass->sync->env->random, ret);
}

/* keys: of the fields. Record, base, journal and digest are one text then, written once. */
static enum fail create_record(struct pass *pass, const struct remote_record *remote,
                               struct fields *fields, const struct str *keys, struct error *err)
{
    char uuid[UUID_TEXT_BYTES];
    int64_t now_ms = pass_now_ms(pass);
    struct store_record record = {
        .kind = pass->kind->name, .state = RECORD_LIVE, .created_ms = now_ms, .updated_ms = now_ms};
    struct store_link link = {.remote_id = remote->remote_id,
                              .state = LINK_LIVE,
                              .has_digest = true,
                              .remote_modified_ms = remote->modified_ms,
                              .synced_version = 1};

    fields_write(fields, &pass->arena);
    record.fields = fields_of_new(pass, fields);
    link.base = (struct base){.hub = record.fields, .remote = *fields};
    link.digest = pass_digest(pass, fields);
    new_uuid(pass, remote, uuid);
    record.uuid = str_of(uuid);
    keys = record.fields.count == fields->count ? keys : pass_match_keys(pass, &record.fields);
    if (record_insert(pass->tx, &record, keys, pass->kind->matches_count, err) != OK) {
        return err->code;
    }
    link.record_id = record.id;
    pass->counts->created_here++;
    pass_arrived(pass, pass_our_time(pass, remote->modified_ms));
    if (journal_new(pass, &record, remote, err) != OK ||
        restored_note(pass, remote, fields, record.id, err) != OK) {
        return err->code;
    }
    return link_add(pass, &link, err);
}

/* Erased people stay out, by their object or by what recognises them; fields NULL: only by the object. */
static enum fail is_kept_out(struct pass *pass, const struct remote_record *remote,
                             const struct fields *fields, bool *ret, struct error *err)
{
    struct suppression suppression;
    const struct str *keys;

    *ret = false;
    if (!pass->has_suppressions) {
        return OK;
    }
    if (!fields) {
        return suppression_of_object(pass->tx, pass->connection->row.id, pass->kind->name,
                                     remote->remote_id, &suppression, err) != OK
                   ? err->code
                   : suppression_refuses(pass->tx, &suppression, ret, err);
    }
    keys = pass_match_keys(pass, fields);
    for (size_t i = 0; i < pass->kind->matches_count && !*ret; i++) {
        if (keys[i].len &&
            (suppression_of_key(pass->tx, pass->kind->name, keys[i], &suppression, err) != OK ||
             suppression_refuses(pass->tx, &suppression, ret, err) != OK)) {
            return err->code;
        }
    }
    return OK;
}

enum fail link_up(struct pass *pass, const struct remote_record *remote, struct error *err)
{
    struct fields fields = {0};
    struct verdict_of_match match;
    struct str current;
    bool done = false, takes;

    if (is_kept_out(pass, remote, NULL, &done, err) != OK || done) {
        return err->code;
    }
    if (alias_resolve(pass->tx, pass->connection->row.id, pass->kind->name, remote->remote_id,
                      &pass->arena, &current, err) != OK) {
        return err->code;
    }
    if (!str_equal(current, remote->remote_id)) {
        return OK; /* merged away; the survivor speaks for both */
    }
    if (remote->correlation_key.len && adopt_own(pass, remote, &done, err) != OK) {
        return err->code;
    }
    if (done) {
        return OK;
    }
    if (read_fields(pass, remote, 0, &fields, err) != OK ||
        is_kept_out(pass, remote, &fields, &done, err) != OK || done ||
        find_match(pass, &fields, &match, err) != OK) {
        return err->code;
    }
    if (match.reason) {
        return set_aside(pass, remote, &match, err);
    }
    if (match.record_id == 0 &&
        restored_match(pass, remote, &fields, &match.record_id, err) != OK) {
        return err->code;
    }
    if (match.record_id) {
        return restored_note(pass, remote, &fields, match.record_id, err)
                   ? err->code
                   : match_record(pass, remote, &fields, match.record_id, err);
    }
    if (pass->settings->direction == DIRECTION_TO_EXTERNAL) {
        return OK; /* their own records stay theirs */
    }
    if (pass_key_is_frozen(pass)) {
        return OK; /* nobody knows whether it is new; the listing that follows the thaw shows it again */
    }
    if (pair_takes_part(pass, NULL, &fields, &takes, err) != OK || !takes) {
        return err->code;
    }
    return create_record(pass, remote, &fields, match.keys, err);
}
