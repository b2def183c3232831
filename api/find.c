#include "api/find.h"

#include "api/json.h"
#include "core/unicode.h"
#include "core/words.h"
#include "store/connection.h"

enum fail kind_named(const struct kinds *kinds, struct str name, const struct kind **ret,
                     struct error *err)
{
    AUTO_BUF struct buf names = {0};

    *ret = kind_by_name(kinds, name);
    if (*ret) {
        return OK;
    }
    buf_init(&names, 4096);
    for (size_t i = 0; i < kinds->count; i++) {
        buf_addf(&names, "%s%" PRI_STR, i ? ", " : "", STR_ARG(kinds->at[i].name));
    }
    error_set(err, FAIL_CONFIG, "no kind '%" PRI_STR "'", STR_ARG(name));
    return error_hint(err, "there are: %" PRI_STR, STR_ARG(buf_str(&names)));
}

static enum fail unknown_field(const struct kind *kind, struct str name, struct error *err)
{
    struct arena arena = {0};
    struct str *names = ARENA_ARRAY(&arena, struct str, kind->fields_count + 1);
    size_t near;

    for (size_t i = 0; i < kind->fields_count; i++) {
        names[i] = kind->fields[i].name;
    }
    near = word_nearest(name, names, kind->fields_count);
    error_set(err, FAIL_CONFIG, "kind '%" PRI_STR "' has no field '%" PRI_STR "'",
              STR_ARG(kind->name), STR_ARG(name));
    if (near != SIZE_MAX) {
        error_hint(err, "did you mean '%" PRI_STR "'?", STR_ARG(names[near]));
    }
    arena_fini(&arena);
    return err->code;
}

enum fail kind_field_named(const struct kind *kind, struct str name, const struct kind_field **ret,
                           struct error *err)
{
    *ret = kind_field_by_name(kind, name);
    return *ret ? OK : unknown_field(kind, name, err);
}

static enum fail none_found(const struct kind *kind, struct str text, struct error *err)
{
    error_set(err, FAIL_RECORD, "no %" PRI_STR " '%" PRI_STR "'", STR_ARG(kind->name),
              STR_ARG(text));
    return error_hint(err, "look for it with 'crmsync records search %" PRI_STR " TEXT'",
                      STR_ARG(kind->name));
}

static enum fail several_found(const struct kind *kind, struct str text, struct error *err)
{
    error_set(err, FAIL_RECORD, "several records of kind %" PRI_STR " are '%" PRI_STR "'",
              STR_ARG(kind->name), STR_ARG(text));
    return error_hint(err, "give more of the id");
}

/* By the keys under which a record is recognised: as if the text were the value of the rule's single field. */
static enum fail find_by_key(struct tx *tx, const struct kind *kind, struct str text,
                             struct arena *arena, struct match_hit *hits, size_t hits_max,
                             size_t *ret_count, struct error *err)
{
    struct str *keys = ARENA_ARRAY(arena, struct str, kind->matches_count + 1);

    *ret_count = 0;
    for (size_t i = 0; i < kind->matches_count && *ret_count == 0; i++) {
        struct fields probe = {0};
        struct value value;
        struct error ignored = {0};

        if (kind->matches[i].fields_count != 1 ||
            field_value_parse(kind->matches[i].fields[0], text, arena, &value, &ignored) != OK) {
            continue;
        }
        fields_set(&probe, arena, kind->matches[i].fields[0]->name, value);
        kind_match_keys(kind, &probe, arena, keys);
        if (keys[i].len && record_match(tx, kind->name, (int)i, keys[i], 0, hits, hits_max,
                                        ret_count, err) != OK) {
            return err->code;
        }
    }
    return OK;
}

enum fail record_named(struct tx *tx, const struct kind *kind, struct str text, struct arena *arena,
                       struct store_record *ret, struct error *err)
{
    struct match_hit hits[2];
    size_t hits_count = 0;
    int count = 0;
    bool found;

    if (text.len >= 8 &&
        record_by_prefix(tx, kind->name, utf8_lower(arena, text), arena, ret, &count, err) != OK) {
        return err->code;
    }
    if (count == 1) {
        return OK;
    }
    if (count > 1) {
        return several_found(kind, text, err);
    }
    if (find_by_key(tx, kind, text, arena, hits, 2, &hits_count, err) != OK) {
        return err->code;
    }
    if (hits_count > 1) {
        return several_found(kind, text, err);
    }
    if (hits_count == 0) {
        return none_found(kind, text, err);
    }
    if (record_by_id(tx, hits[0].record_id, arena, ret, &found, err) != OK) {
        return err->code;
    }
    return found ? OK : none_found(kind, text, err);
}

struct str connection_name(struct tx *tx, int64_t id, struct arena *arena)
{
    struct store_connection row;
    struct error err = {0};
    bool found = false;

    if (id == 0) {
        return STR("local");
    }
    return connection_by_id(tx, id, arena, &row, &found, &err) == OK && found ? row.name : STR("?");
}

struct str title_of_record(struct tx *tx, int64_t id, struct arena *arena)
{
    struct store_record record;
    struct error err = {0};
    bool found = false;

    if (id == 0 || record_by_id(tx, id, arena, &record, &found, &err) != OK || !found) {
        return STR("");
    }
    return record_title(arena, &record);
}

const struct connection_settings *settings_of(const struct sync_settings *settings,
                                              struct str connection)
{
    for (size_t i = 0; i < settings->connections_count; i++) {
        if (str_equal(settings->connections[i].name, connection)) {
            return &settings->connections[i];
        }
    }
    return NULL;
}
