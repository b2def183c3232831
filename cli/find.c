#include "cli/find.h"

#include "core/unicode.h"
#include "core/words.h"

enum fail find_kind(const struct wire *wire, struct str name, const struct kind **ret,
                    struct error *err)
{
    AUTO_BUF struct buf names = {0};

    *ret = kind_by_name(&wire->config.kinds, name);
    if (*ret) {
        return OK;
    }
    buf_init(&names, 4096);
    for (size_t i = 0; i < wire->config.kinds.count; i++) {
        buf_addf(&names, "%s%" PRI_STR, i ? ", " : "", STR_ARG(wire->config.kinds.at[i].name));
    }
    error_set(err, FAIL_CONFIG, "no kind '%" PRI_STR "'", STR_ARG(name));
    return error_hint(err, "there are: %" PRI_STR, STR_ARG(buf_str(&names)));
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
static enum fail find_by_key(struct wire *wire, struct tx *tx, const struct kind *kind,
                             struct str text, struct match_hit *hits, size_t hits_max,
                             size_t *ret_count, struct error *err)
{
    struct str *keys = ARENA_ARRAY(&wire->arena, struct str, kind->matches_count + 1);

    *ret_count = 0;
    for (size_t i = 0; i < kind->matches_count && *ret_count == 0; i++) {
        struct fields probe = {0};
        struct value value;
        struct error ignored = {0};

        if (kind->matches[i].fields_count != 1 ||
            field_value_parse(kind->matches[i].fields[0], text, &wire->arena, &value, &ignored) !=
                OK) {
            continue;
        }
        fields_set(&probe, &wire->arena, kind->matches[i].fields[0]->name, value);
        kind_match_keys(kind, &probe, &wire->arena, keys);
        if (keys[i].len && record_match(tx, kind->name, (int)i, keys[i], 0, hits, hits_max,
                                        ret_count, err) != OK) {
            return err->code;
        }
    }
    return OK;
}

enum fail find_record(struct wire *wire, struct tx *tx, const struct kind *kind, struct str text,
                      struct store_record *ret, struct error *err)
{
    struct match_hit hits[2];
    size_t hits_count = 0;
    int count = 0;
    bool found;

    if (text.len >= 8 && record_by_prefix(tx, kind->name, utf8_lower(&wire->arena, text),
                                          &wire->arena, ret, &count, err) != OK) {
        return err->code;
    }
    if (count == 1) {
        return OK;
    }
    if (count > 1) {
        return several_found(kind, text, err);
    }
    if (find_by_key(wire, tx, kind, text, hits, 2, &hits_count, err) != OK) {
        return err->code;
    }
    if (hits_count > 1) {
        return several_found(kind, text, err);
    }
    if (hits_count == 0) {
        return none_found(kind, text, err);
    }
    if (record_by_id(tx, hits[0].record_id, &wire->arena, ret, &found, err) != OK) {
        return err->code;
    }
    return found ? OK : none_found(kind, text, err);
}

struct str find_connection_name(struct wire *wire, struct tx *tx, int64_t id)
{
    struct store_connection row;
    struct error err = {0};
    bool found = false;

    if (id == 0) {
        return STR("local");
    }
    return connection_by_id(tx, id, &wire->arena, &row, &found, &err) == OK && found ? row.name
                                                                                     : STR("?");
}

enum fail find_unknown_field(const struct kind *kind, struct str name, struct error *err)
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

enum fail find_assignments(struct wire *wire, const struct kind *kind, char **pairs, int count,
                           struct fields *ret, struct error *err)
{
    *ret = (struct fields){0};
    for (int i = 0; i < count; i++) {
        struct str rest = str_of(pairs[i]);
        struct str name = str_cut(&rest, '=');
        const struct kind_field *field = kind_field_by_name(kind, name);
        struct value value;

        if (!rest.at) {
            return error_set(err, FAIL_CONFIG, "'%s' is not of the form FIELD=VALUE", pairs[i]);
        }
        if (!field) {
            return find_unknown_field(kind, name, err);
        }
        if (!utf8_is_valid(rest)) {
            return error_set(err, FAIL_CONFIG, "the value of '%" PRI_STR "' is not valid UTF-8",
                             STR_ARG(name));
        }
        if (rest.len == 0) {
            value = VALUE_NONE;
        } else if (field_value_parse(field, rest, &wire->arena, &value, err) != OK) {
            err->code = FAIL_CONFIG;
            return error_wrap(err, "field '%" PRI_STR "'", STR_ARG(name));
        }
        fields_set(ret, &wire->arena, field->name, value);
    }
    return OK;
}
