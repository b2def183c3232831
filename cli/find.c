#include "cli/find.h"

#include "core/unicode.h"

enum fail find_kind(const struct wire *wire, struct str name, const struct kind **ret,
                    struct error *err)
{
    return kind_named(&wire->config.kinds, name, ret, err);
}

enum fail find_record(struct wire *wire, struct tx *tx, const struct kind *kind, struct str text,
                      struct store_record *ret, struct error *err)
{
    return record_named(tx, kind, text, &wire->arena, ret, err);
}

struct str find_connection_name(struct wire *wire, struct tx *tx, int64_t id)
{
    return connection_name(tx, id, &wire->arena);
}

enum fail find_assignments(struct wire *wire, const struct kind *kind, char **pairs, int count,
                           struct fields *ret, struct error *err)
{
    *ret = (struct fields){0};
    for (int i = 0; i < count; i++) {
        struct str rest = str_of(pairs[i]);
        struct str name = str_cut(&rest, '=');
        const struct kind_field *field;
        struct value value;

        if (!rest.at) {
            return error_set(err, FAIL_CONFIG, "'%s' is not of the form FIELD=VALUE", pairs[i]);
        }
        if (kind_field_named(kind, name, &field, err) != OK) {
            return err->code;
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
