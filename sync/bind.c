#include "sync/bind.h"

#include "store/property.h"
#include "sync/facts.h"

enum { FROZEN_DIGEST_BYTES = 4, DRIFTS_SPARE = 1000 /* of fields that the mapping has no more */ };

struct str frozen_part(const struct mapping *mapping)
{
    struct str rest = mapping->version;

    str_cut(&rest, FROZEN_MARK[0]);
    return rest.at ? (struct str){.at = rest.at - 1, .len = rest.len + 1} : STR("");
}

bool mapping_has_owners(const struct mapping *mapping)
{
    for (size_t i = 0; i < mapping->entries_count; i++) {
        for (size_t k = 0; k < mapping->entries[i].transforms_count; k++) {
            if (mapping->entries[i].transforms[k].op == TRANSFORM_OWNER) {
                return true;
            }
        }
    }
    return false;
}

static enum fail seen_before(struct pass *pass, struct arena *arena, struct schema_facts *ret,
                             struct error *err)
{
    struct store_property *seen;
    struct property_facts *facts;
    size_t count;

    if (properties_seen(pass->tx, pass->connection->row.id, pass->kind->name, arena, &seen, &count,
                        err) != OK) {
        return err->code;
    }
    facts = ARENA_ARRAY(arena, struct property_facts, count + 1);
    for (size_t i = 0; i < count; i++) {
        facts[i] = (struct property_facts){.name = seen[i].name, .type = seen[i].type};
    }
    *ret = (struct schema_facts){.at = facts, .count = count};
    return OK;
}

/* Types of today become those to compare with, for properties that have none yet. */
static enum fail keep_seen(struct pass *pass, const struct schema_facts *now, struct error *err)
{
    for (size_t i = 0; i < pass->mapping->entries_count; i++) {
        struct str name = pass->mapping->entries[i].property;
        const struct property_facts *property = schema_property(now, name);
        struct store_property row = {.name = name};

        if (!property || property->type.len == 0) {
            continue;
        }
        row.type = property->type;
        if (property_seen_put(pass->tx, pass->connection->row.id, pass->kind->name, &row, err) !=
            OK) {
            return err->code;
        }
    }
    return OK;
}

static bool is_key(const struct kind *kind, struct str field)
{
    for (size_t i = 0; i < kind->matches_count; i++) {
        for (size_t k = 0; k < kind->matches[i].fields_count; k++) {
            if (str_equal(kind->matches[i].fields[k]->name, field)) {
                return true;
            }
        }
    }
    return false;
}

static const char *drift_message(struct pass *pass, const struct drift *drift)
{
    if (!drift->entry->is_frozen || !is_key(pass->kind, drift->entry->field->name)) {
        return arena_cstr(&pass->arena, drift->message);
    }
    return arena_printf(&pass->arena,
                        "%" PRI_STR "; records are recognised by it, so nothing new is made on "
                        "either side meanwhile",
                        STR_ARG(drift->message))
        .at;
}

static bool has_drift(const struct drift *drifts, size_t count, struct str field)
{
    for (size_t i = 0; i < count; i++) {
        if (str_equal(drifts[i].entry->field->name, field)) {
            return true;
        }
    }
    return false;
}

/* What was shown before and is well again. The others stay as they are: a person may have discarded them. */
static enum fail end_drifts(struct pass *pass, const struct drift *drifts, size_t count,
                            struct error *err)
{
    struct store_failure *known;
    size_t known_count;

    if (failures_of_stage(pass->tx, pass->connection->row.id, pass->kind->name, STR("schema"),
                          pass->mapping->entries_count + DRIFTS_SPARE, &pass->arena, &known,
                          &known_count, err) != OK) {
        return err->code;
    }
    for (size_t i = 0; i < known_count; i++) {
        if (!has_drift(drifts, count, known[i].field) &&
            failure_clear(pass->tx, pass->connection->row.id, pass->kind->name,
                          STR(SCHEMA_REMOTE_ID), 0, STR("schema"), known[i].field, err) != OK) {
            return err->code;
        }
    }
    return OK;
}

static enum fail keep_drifts(struct pass *pass, const struct drift *drifts, size_t count,
                             struct error *err)
{
    if (end_drifts(pass, drifts, count, err) != OK) {
        return err->code;
    }
    for (size_t i = 0; i < count; i++) {
        struct str field = drifts[i].entry->field->name;

        if (note_failure(pass, STR(SCHEMA_REMOTE_ID), 0, "schema", "drift", field, 0,
                         drift_message(pass, &drifts[i]), arena_cstr(&pass->arena, drifts[i].hint),
                         err) != OK) {
            return err->code;
        }
    }
    return OK;
}

/* Fields that freeze or thaw change what a reading means. */
static struct str version_of(const struct mapping *mapping, struct arena *arena)
{
    AUTO_BUF struct buf frozen = {0};
    char hex[2 * FROZEN_DIGEST_BYTES + 1];
    struct digest digest;

    buf_init(&frozen, 1024 * 1024);
    buf_add(&frozen, mapping->version);
    for (size_t i = 0; i < mapping->entries_count; i++) {
        if (mapping->entries[i].is_frozen || mapping->entries[i].is_frozen_out) {
            buf_addf(&frozen, "\n%" PRI_STR " %d", STR_ARG(mapping->entries[i].field->name),
                     mapping->entries[i].is_frozen);
        }
    }
    if (frozen.len == mapping->version.len) {
        return mapping->version;
    }
    digest = digest_of(buf_str(&frozen));
    hex_encode(digest.bytes, FROZEN_DIGEST_BYTES, hex);
    return arena_printf(arena, "%" PRI_STR "%s%s", STR_ARG(mapping->version), FROZEN_MARK, hex);
}

static enum fail bind_in(struct pass *pass, const struct remote_schema *schema, struct arena *arena,
                         struct mapping *ret, struct error *err)
{
    struct schema_facts now = facts_of_schema(schema, &pass->arena);
    struct schema_facts seen;
    struct drift *drifts;
    size_t count;

    if (seen_before(pass, &pass->arena, &seen, err) != OK) {
        return err->code;
    }
    mapping_bind(pass->mapping, &now, &seen, arena, ret, &drifts, &count);
    ret->version = version_of(ret, arena);
    return keep_drifts(pass, drifts, count, err) ? err->code : keep_seen(pass, &now, err);
}

enum fail bind_mapping(struct pass *pass, struct arena *arena, struct mapping *ret,
                       struct error *err)
{
    AUTO_TX struct tx *tx = NULL;
    AUTO_ARENA struct arena described = {0}; /* large; what the mapping needs of it is copied */
    struct remote_schema schema = {0};
    enum fail failed;

    if (pass->adapter->describe(pass->connection->session, pass->kind->name.at, &described, &schema,
                                err) != OK ||
        tx_begin(pass->sync->store, pass->sync->tenant_id, &tx, err) != OK) {
        return err->code;
    }
    pass->tx = tx;
    failed = bind_in(pass, &schema, arena, ret, err);
    pass->tx = NULL;
    return failed ? failed : tx_commit(&tx, err);
}

static bool is_known(struct pass *pass, struct str owner)
{
    struct reference_resolver resolver = pass_resolver(pass);
    struct str found;

    return resolver.owner_to_remote(resolver.context, owner, &pass->arena, &found) ||
           resolver.owner_to_hub(resolver.context, owner, &pass->arena, &found);
}

static enum fail clear_known(struct pass *pass, bool *ret_any, struct error *err)
{
    enum { OWNERS_MAX = 10000 };
    struct store_failure *failures;
    size_t count;

    *ret_any = false;
    if (failures_of_stage(pass->tx, pass->connection->row.id, pass->kind->name, STR("owner"),
                          OWNERS_MAX, &pass->arena, &failures, &count, err) != OK) {
        return err->code;
    }
    for (size_t i = 0; i < count; i++) {
        struct str owner =
            str_slice(failures[i].remote_id, sizeof OWNER_REMOTE_ID - 1, failures[i].remote_id.len);

        if (!is_known(pass, owner)) {
            continue;
        }
        *ret_any = true;
        if (failure_clear(pass->tx, pass->connection->row.id, pass->kind->name,
                          failures[i].remote_id, 0, STR("owner"), STR("*"), err) != OK) {
            return err->code;
        }
    }
    return OK;
}

enum fail bind_users(struct pass *pass, struct arena *arena, const struct remote_users **ret,
                     struct error *err)
{
    AUTO_ARENA struct arena read = {0};
    struct remote_users *users = ARENA_NEW(arena, struct remote_users);
    struct remote_user *copies;

    if (pass->adapter->users(pass->connection->session, &read, users, err) != OK) {
        return err->code;
    }
    copies = ARENA_ARRAY(arena, struct remote_user, users->count + 1);
    for (size_t i = 0; i < users->count; i++) {
        copies[i] = (struct remote_user){.remote_id = arena_str(arena, users->at[i].remote_id),
                                         .email = arena_str(arena, users->at[i].email),
                                         .name = arena_str(arena, users->at[i].name),
                                         .is_active = users->at[i].is_active};
    }
    users->at = copies;
    *ret = users;
    return OK;
}

enum fail bind_owners(struct pass *pass, struct error *err)
{
    AUTO_TX struct tx *tx = NULL;
    bool any = false;
    enum fail failed;

    if (!pass->has_failures) {
        return OK;
    }
    if (tx_begin(pass->sync->store, pass->sync->tenant_id, &tx, err) != OK) {
        return err->code;
    }
    pass->tx = tx;
    failed = clear_known(pass, &any, err);
    pass->tx = NULL;
    if (failed == OK && any) {
        pass->stream.mapping_version =
            STR(""); /* a complete listing, as after a change of the mapping */
        failed = links_look_again(tx, pass->connection->row.id, pass->kind->name, err);
        failed = failed ? failed : stream_save(tx, &pass->stream, err);
    }
    return failed ? failed : tx_commit(&tx, err);
}
