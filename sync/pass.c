/* Small shared parts of one slice: time, progress, references, strategy and flow of a field, digests. */
#include "sync/pass.h"

#include <assert.h>

#include "core/unicode.h"

int64_t pass_now_ms(const struct pass *pass)
{
    return clock_wall_ms(pass->sync->env->clock);
}

bool pass_is_cancelled(const struct pass *pass)
{
    return pass->sync->cancel && atomic_load(pass->sync->cancel);
}

bool pass_is_over(struct pass *pass)
{
    if (pass->turn_ends_ms == 0 || clock_mono_ms(pass->sync->env->clock) < pass->turn_ends_ms) {
        return false;
    }
    *pass->is_cut = true;
    return true;
}

void pass_arrived(struct pass *pass, int64_t changed_ms)
{
    int64_t delay_ms = pass_now_ms(pass) - changed_ms;

    if (changed_ms <= 0 || pass->stream.agreed_ms == 0 ||
        !str_equal(pass->stream.mapping_version, pass->version)) { /* a back-fill reads old news */
        return;
    }
    pass->counts->delays++;
    pass->counts->delay_ms += delay_ms > 0 ? delay_ms : 0;
}

int64_t pass_our_time(const struct pass *pass, int64_t their_ms)
{
    return their_ms ? their_ms - pass->connection->row.clock_offset_ms : 0;
}

void pass_progress(const struct pass *pass, const char *phase, int64_t done, int64_t total)
{
    struct sync_progress progress = {.phase = phase,
                                     .connection = pass->settings->name,
                                     .kind = pass->kind->name,
                                     .done = done,
                                     .total = total,
                                     .counts = pass->counts};

    if (pass->sync->on_progress) {
        pass->sync->on_progress(pass->sync->progress_context, &progress);
    }
}

void pass_page_end(struct pass *pass)
{
    pass->changes = NULL;
    pass->changes_count = pass->changes_capacity = 0;
    pass->times_wanted = NULL;
    pass->times_wanted_count = pass->times_wanted_capacity = 0;
    arena_reset(&pass->arena);
}

enum fail record_surviving(struct pass *pass, struct store_record *record, struct arena *arena,
                           bool *found, struct error *err)
{
    enum { MERGES_MAX = 16 };

    for (int i = 0; *found && record->state == RECORD_MERGED && i < MERGES_MAX; i++) {
        if (record_by_id(pass->tx, record->merged_into, arena, record, found, err) != OK) {
            return err->code;
        }
    }
    return OK;
}

/* Whose object the id is, or was: one that is gone still says who is meant. That a delete did not spread, or that another object took its place,
 * must not take the record out of everything that points to it. 0 = nobody's. */
static enum fail find_owner(struct pass *pass, struct str kind, struct str remote_id,
                            struct arena *arena, int64_t *ret_record_id, struct error *err)
{
    int64_t connection_id = pass->connection->row.id;
    struct link_sight sight;
    struct str current;
    bool found;

    *ret_record_id = 0;
    if (link_sight_of(pass->tx, connection_id, kind, remote_id, &sight, &found, err) != OK ||
        (!found &&
         (alias_resolve(pass->tx, connection_id, kind, remote_id, arena, &current, err) != OK ||
          link_sight_of(pass->tx, connection_id, kind, current, &sight, &found, err) != OK))) {
        return err->code;
    }
    if (!found) {
        return tombstone_find(pass->tx, connection_id, kind, remote_id, ret_record_id, err);
    }
    *ret_record_id = sight.record_id;
    return OK;
}

/* A store failure inside a resolver cannot be returned: the reference counts as not linked, and the transaction's next statement
 * reports the same failure. */
static bool resolve_to_hub(void *context, struct str kind, struct str remote_id,
                           struct arena *arena, struct str *ret_uuid)
{
    struct pass *pass = context;
    struct store_record record;
    struct error err = {0};
    int64_t record_id;
    bool found;

    assert(pass->tx);
    if (find_owner(pass, kind, remote_id, arena, &record_id, &err) != OK || record_id == 0 ||
        record_by_id(pass->tx, record_id, arena, &record, &found, &err) != OK || !found) {
        return false;
    }
    /* A leftover (leftover.c) is still itself: what points to it here is led to the survivor when the survivor is chosen elsewhere. */
    *ret_uuid = record.uuid;
    return record_surviving(pass, &record, arena, &found, &err) == OK && found &&
           record.state == RECORD_LIVE;
}

static bool resolve_to_remote(void *context, struct str kind, struct str uuid, struct arena *arena,
                              struct str *ret_remote_id)
{
    struct pass *pass = context;
    struct store_record record;
    struct store_link link;
    struct error err = {0};
    bool found = false;

    (void)kind;
    assert(pass->tx);
    if (record_by_uuid(pass->tx, uuid, arena, &record, &found, &err) != OK || !found) {
        return false;
    }
    if (record_surviving(pass, &record, arena, &found, &err) != OK || !found) {
        return false;
    }
    if (link_by_record(pass->tx, pass->connection->row.id, record.id, arena, &link, &found, &err) !=
            OK ||
        !found || link.state != LINK_LIVE) {
        return false;
    }
    *ret_remote_id = link.remote_id;
    return true;
}

static bool owner_to_hub(void *context, struct str remote_id, struct arena *arena,
                         struct str *ret_email)
{
    const struct pass *pass = context;

    for (size_t i = 0; pass->users && i < pass->users->count; i++) {
        const struct remote_user *user = &pass->users->at[i];

        if (str_equal(user->remote_id, remote_id) && user->email.len) {
            *ret_email = utf8_lower(arena, user->email);
            return true;
        }
    }
    return false;
}

/* A CRM refuses a whole object for the sake of an owner who has left (source: the Pipedrive reference, users; Salesforce: INACTIVE_OWNER_OR_USER),
 * so only active accounts are given anything. */
static bool owner_to_remote(void *context, struct str email, struct arena *arena,
                            struct str *ret_remote_id)
{
    const struct pass *pass = context;

    for (size_t i = 0; pass->users && i < pass->users->count; i++) {
        const struct remote_user *user = &pass->users->at[i];

        if (user->is_active && str_equal_nocase(user->email, email)) {
            *ret_remote_id = arena_str(arena, user->remote_id);
            return true;
        }
    }
    return false;
}

struct reference_resolver pass_resolver(struct pass *pass)
{
    return (struct reference_resolver){.to_hub = resolve_to_hub,
                                       .to_remote = resolve_to_remote,
                                       .owner_to_hub = owner_to_hub,
                                       .owner_to_remote = owner_to_remote,
                                       .context = pass};
}

const struct filter *filter_of(const struct connection_settings *settings, struct str kind)
{
    for (size_t i = 0; i < settings->filters_count; i++) {
        if (str_equal(settings->filters[i].kind, kind)) {
            return &settings->filters[i].filter;
        }
    }
    return NULL;
}

struct str stream_version(const struct connection_settings *settings, struct str kind,
                          struct arena *arena)
{
    const struct mapping *mapping = mapping_of(settings->mappings, kind);
    const struct filter *filter = filter_of(settings, kind);
    struct str version = mapping ? mapping->version : STR("");
    struct digest digest;
    char hex[2 * DIGEST_BYTES + 1];

    if (!filter) {
        return arena_str(arena, version);
    }
    digest = digest_of(
        arena_printf(arena, "%" PRI_STR " %" PRI_STR, STR_ARG(version), STR_ARG(filter->version)));
    hex_encode(digest.bytes, DIGEST_BYTES, hex);
    return arena_str(arena, str_of(hex));
}

struct policy pass_policy(const struct pass *pass, struct str field)
{
    return settings_policy(pass->settings, pass->kind->name, field);
}

struct str pass_source_name(const struct pass *pass, int64_t connection_id)
{
    for (size_t i = 0; i < pass->sync->connections_count; i++) {
        if (pass->sync->connections[i].row.id == connection_id) {
            return pass->sync->connections[i].settings->name;
        }
    }
    return STR("local");
}

enum flow pass_flow(const struct pass *pass, const struct map_entry *entry)
{
    if (pass->settings->direction == DIRECTION_FROM_EXTERNAL || entry->direction == MAP_IN ||
        entry->is_frozen || entry->is_frozen_out) {
        return FLOW_IN;
    }
    if (pass->settings->direction == DIRECTION_TO_EXTERNAL || entry->direction == MAP_OUT) {
        return FLOW_OUT;
    }
    return FLOW_BOTH;
}

struct digest pass_digest(struct pass *pass, const struct fields *remote)
{
    struct digest content = fields_digest(remote);
    char both[DIGEST_BYTES + 64];
    size_t version_len = pass->version.len < 64 ? pass->version.len : 64;

    memcpy(both, content.bytes, DIGEST_BYTES);
    if (version_len) {
        memcpy(both + DIGEST_BYTES, pass->version.at, version_len);
    }
    return digest_of((struct str){.at = both, .len = DIGEST_BYTES + version_len});
}

const struct str *pass_match_keys(struct pass *pass, const struct fields *fields)
{
    struct str *keys = ARENA_ARRAY(&pass->arena, struct str, pass->kind->matches_count + 1);

    kind_match_keys(pass->kind, fields, &pass->arena, keys);
    return keys;
}

bool pass_key_is_frozen(const struct pass *pass)
{
    for (size_t i = 0; i < pass->kind->matches_count; i++) {
        const struct match_rule *rule = &pass->kind->matches[i];

        for (size_t k = 0; k < rule->fields_count; k++) {
            const struct map_entry *entry = mapping_entry(pass->mapping, rule->fields[k]->name);

            if (entry && entry->is_frozen) {
                return true;
            }
        }
    }
    return false;
}

bool pass_has_traits(const struct pass *pass, unsigned traits)
{
    const struct adapter_object *object = adapter_object_of(pass->adapter, pass->kind->name.at);
    unsigned known = object ? object->traits : pass->mapping->object.len ? OBJECT_UNIQUE_KEY : 0;

    return (known & traits) == traits;
}

enum fail note_failure(struct pass *pass, struct str remote_id, int64_t record_id,
                       const char *stage, const char *reason, struct str field,
                       int64_t record_version, const char *message, const char *hint,
                       struct error *err)
{
    struct store_failure failure = {.connection_id = pass->connection->row.id,
                                    .kind = pass->kind->name,
                                    .remote_id = remote_id,
                                    .record_id = record_id,
                                    .field = field,
                                    .stage = str_of(stage),
                                    .reason = str_of(reason),
                                    .message = str_of(message),
                                    .hint = str_of(hint),
                                    .record_version = record_version,
                                    .first_ms = pass_now_ms(pass),
                                    .last_ms = pass_now_ms(pass),
                                    .retry_at_ms = INT64_MAX};

    pass->counts->set_aside++;
    pass->has_failures = true;
    return failure_put(pass->tx, &failure, err);
}

enum fail note_owner_unknown(struct pass *pass, const struct map_note *note, struct error *err)
{
    struct store_failure failure = {
        .connection_id = pass->connection->row.id,
        .kind = pass->kind->name,
        .remote_id =
            arena_printf(&pass->arena, OWNER_REMOTE_ID "%" PRI_STR, STR_ARG(note->target_id)),
        .field = note->entry->field->name,
        .stage = STR("owner"),
        .reason = STR("unknown"),
        .message =
            STR("no active user there has this owner's e-mail address; records of this owner keep "
                "the owner that they have there"),
        .hint = STR("invite that person at the CRM, or 'crmsync failures discard' to leave it so"),
        .first_ms = pass_now_ms(pass),
        .last_ms = pass_now_ms(pass),
        .retry_at_ms = INT64_MAX};

    pass->has_failures = true;
    return failure_put(pass->tx, &failure, err);
}
