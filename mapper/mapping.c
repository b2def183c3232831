/* Mapping files: read, checked, and given a version that changes with their meaning. */
#include "mapper/mapping.h"

#include <stdlib.h>

#include "core/digest.h"
#include "core/embedded.h"
#include "core/words.h"
#include "core/yx.h"
#include "mapper/check.h"
#include "mapper/declared.h"
#include "mapper/inside.h"

enum {
    MAPPED_KINDS_MAX = 64,
    TRANSFORMS_MAX = 8,
    VALUES_MAX = 512,
    VERSION_CHARS = 16,
    OBJECT_NAME_MAX = 100
};

static const char *const TOP_KEYS[] = {"crm", "kinds", NULL};
static const char *const KIND_KEYS[] = {"fields", "object", "properties", NULL};
static const char *const ENTRY_KEYS[] = {"property", "direction", "blank",      "transform",
                                         "values",   "unknown",   "default_in", "default_out",
                                         "number",   "write",     "group",      NULL};
static const char *const WRITES[] = {"always", "create", NULL};
static const char *const DIRECTIONS[] = {"both", "in", "out", NULL};
static const char *const BLANKS[] = {"clear", "keep", "keep-in", "keep-out", NULL};
static const char *const UNKNOWNS[] = {"hold", "keep", "default", NULL};
static const char *const TRANSFORMS[] = {"trim",    "lower",   "phone",   "date",     "datetime",
                                         "decimal", "integer", "boolean", "url",      "domain",
                                         "first",   "member",  "split",   "epoch-ms", "owner",
                                         "scale",   "day",     "plain",   NULL};

static enum fail word_or(const struct yx_node *node, const char *key, const char *const *words,
                         size_t *ret, struct error *err)
{
    const struct yx_node *member = yx_get(node, key);

    *ret = 0;
    return member ? yx_word(member, words, ret, err) : OK;
}

/* --- one entry ---------------------------------------------------------------------------------------------------------------- */

static enum fail read_transform(struct arena *arena, const struct yx_node *node,
                                struct transform *ret, struct error *err)
{
    const struct yx_node *name = node;
    size_t op;

    if (yx_type(node) == YX_MAPPING && yx_count(node) == 1) {
        name = yx_key_at(node, 0);
        ret->argument = arena_str(arena, yx_text(yx_value_at(node, 0)));
    } else if (yx_type(node) != YX_SCALAR) {
        return yx_error(node, err,
                        "a transform is a word, or a word with an argument such as 'phone: 49'");
    }
    if (yx_word(name, TRANSFORMS, &op, err) != OK) {
        return err->code;
    }
    ret->op = (enum transform_op)op;
    return OK;
}

static enum fail read_transforms(struct arena *arena, const struct yx_node *node,
                                 struct map_entry *entry, struct error *err)
{
    const struct yx_node *list = yx_get(node, "transform");
    struct transform *transforms;

    if (!list) {
        return OK;
    }
    if (yx_type(list) != YX_SEQUENCE || yx_count(list) > TRANSFORMS_MAX) {
        return yx_error(list, err, "'transform' must be a list of at most %d", TRANSFORMS_MAX);
    }
    transforms = ARENA_ARRAY(arena, struct transform, yx_count(list) + 1);
    for (size_t i = 0; i < yx_count(list); i++) {
        if (read_transform(arena, yx_item(list, i), &transforms[i], err) != OK) {
            return err->code;
        }
    }
    entry->transforms = transforms;
    entry->transforms_count = yx_count(list);
    return OK;
}

/* Two unified values on one remote value cannot come back: the entry would not round-trip. */
static enum fail check_values(const struct yx_node *map, const struct map_entry *entry,
                              struct error *err)
{
    for (size_t i = 0; i < entry->values_count; i++) {
        for (size_t k = 0; k < i && entry->direction == MAP_BOTH; k++) {
            const struct value_pair *x = &entry->values[k], *y = &entry->values[i];

            if (str_equal(x->remote, y->remote)) {
                yx_error(map, err,
                         "'%" PRI_STR "' stands for '%" PRI_STR "' and for '%" PRI_STR
                         "', so it would not come back as what it was",
                         STR_ARG(x->remote), STR_ARG(x->unified), STR_ARG(y->unified));
                return error_hint(err, "declare the field 'direction: in' or 'direction: out'");
            }
        }
    }
    return OK;
}

static enum fail add_value(struct arena *arena, struct str unified, const struct yx_node *node,
                           struct value_pair *pairs, size_t *count, struct error *err)
{
    if (yx_type(node) != YX_SCALAR || yx_text(node).len == 0) {
        return yx_error(node, err, "the CRM's value of '%" PRI_STR "' must be a word",
                        STR_ARG(unified));
    }
    if (*count == VALUES_MAX) {
        return yx_error(node, err, "more than %d values", VALUES_MAX);
    }
    pairs[*count].unified = arena_str(arena, unified);
    pairs[*count].remote = arena_str(arena, yx_text(node));
    (*count)++;
    return OK;
}

/* unified: remote, or unified: [remote, remote]: any of them is read as it, and stays; else the first is written. */
static enum fail read_values(struct arena *arena, const struct yx_node *node,
                             struct map_entry *entry, struct error *err)
{
    const struct yx_node *map = yx_get(node, "values");
    struct value_pair *pairs;

    if (!map) {
        return OK;
    }
    if (yx_type(map) != YX_MAPPING || yx_count(map) == 0) {
        return yx_error(map, err, "'values' must be a mapping of unified to remote values");
    }
    pairs = ARENA_ARRAY(arena, struct value_pair, VALUES_MAX);
    for (size_t i = 0; i < yx_count(map); i++) {
        const struct yx_node *value = yx_value_at(map, i);
        bool is_list = yx_type(value) == YX_SEQUENCE;

        for (size_t k = 0; k < (is_list ? yx_count(value) : 1); k++) {
            if (add_value(arena, yx_text(yx_key_at(map, i)), is_list ? yx_item(value, k) : value,
                          pairs, &entry->values_count, err) != OK) {
                return err->code;
            }
        }
    }
    entry->values = pairs;
    return check_values(map, entry, err);
}

static enum fail read_words(struct arena *arena, const struct yx_node *node,
                            struct map_entry *entry, struct error *err)
{
    struct str property, default_in, default_out, group;
    size_t direction, blank, unknown, write;

    if (yx_only(node, ENTRY_KEYS, err) != OK || yx_str(node, "property", &property, err) != OK ||
        word_or(node, "direction", DIRECTIONS, &direction, err) != OK ||
        word_or(node, "blank", BLANKS, &blank, err) != OK ||
        word_or(node, "unknown", UNKNOWNS, &unknown, err) != OK ||
        word_or(node, "write", WRITES, &write, err) != OK ||
        yx_str_or(node, "group", STR(""), &group, err) != OK ||
        yx_str_or(node, "default_in", STR(""), &default_in, err) != OK ||
        yx_str_or(node, "default_out", STR(""), &default_out, err) != OK ||
        yx_bool_or(node, "number", false, &entry->write_as_number, err) != OK) {
        return err->code;
    }
    if (property.len == 0 || property.len > 200) {
        return yx_error(node, err, "'property' must name a property of the CRM");
    }
    entry->property = arena_str(arena, property);
    entry->direction = (enum map_direction)direction;
    entry->blank = (enum blank_policy)blank;
    entry->unknown = (enum unknown_policy)unknown;
    entry->default_in = arena_str(arena, default_in);
    entry->default_out = arena_str(arena, default_out);
    entry->only_at_create = write == 1;
    entry->group = arena_str(arena, group);
    return OK;
}

static enum fail unknown_field(const struct yx_node *key, const struct kind *kind,
                               struct arena *arena, struct error *err)
{
    struct str *names = ARENA_ARRAY(arena, struct str, kind->fields_count);
    size_t nearest;

    for (size_t i = 0; i < kind->fields_count; i++) {
        names[i] = kind->fields[i].name;
    }
    nearest = word_nearest(yx_text(key), names, kind->fields_count);
    yx_error(key, err, "kind '%" PRI_STR "' has no field '%" PRI_STR "'", STR_ARG(kind->name),
             STR_ARG(yx_text(key)));
    return nearest == SIZE_MAX
               ? error_hint(err, "declare the field in the kind's file first")
               : error_hint(err, "did you mean '%" PRI_STR "'?", STR_ARG(names[nearest]));
}

static enum fail read_entry(struct arena *arena, const struct kind *kind, const struct yx_node *key,
                            const struct yx_node *node, const char *file, struct map_entry *ret,
                            struct error *err)
{
    *ret = (struct map_entry){.field = kind_field_by_name(kind, yx_text(key)), .file = file};
    if (!ret->field) {
        return unknown_field(key, kind, arena, err);
    }
    if (yx_type(node) != YX_MAPPING) {
        return yx_error(node, err, "a field needs at least a 'property'");
    }
    if (read_words(arena, node, ret, err) != OK || read_transforms(arena, node, ret, err) != OK) {
        return err->code;
    }
    ret->line = yx_line(key);
    ret->column = yx_column(key);
    if (read_values(arena, node, ret, err) != OK) {
        return err->code;
    }
    return check_entry(node, ret, err);
}

/* --- one kind ------------------------------------------------------------------------------------------------------------------ */

static int by_field_name(const void *x, const void *y)
{
    return str_compare(((const struct map_entry *)x)->field->name,
                       ((const struct map_entry *)y)->field->name);
}

/* Members of one object may have a writer each; anything else is written whole and has one. */
static bool writes_same(const struct map_entry *x, const struct map_entry *y)
{
    const struct transform *x_member = entry_transform(x, TRANSFORM_MEMBER);
    const struct transform *y_member = entry_transform(y, TRANSFORM_MEMBER);

    return x->direction != MAP_IN && y->direction != MAP_IN &&
           str_equal(x->property, y->property) &&
           (!x_member || !y_member || str_equal(x_member->argument, y_member->argument));
}

static enum fail check_owners(const struct yx_node *map, const struct map_entry *entries,
                              size_t count, struct error *err)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < i; k++) {
            if (writes_same(&entries[i], &entries[k])) {
                yx_error(yx_key_at(map, i), err,
                         "property '%" PRI_STR "' is written by '%" PRI_STR "' and by '%" PRI_STR
                         "'",
                         STR_ARG(entries[i].property), STR_ARG(entries[k].field->name),
                         STR_ARG(entries[i].field->name));
                return error_hint(err, "declare one of them 'direction: in'");
            }
        }
    }
    return OK;
}

static void gather_properties(struct arena *arena, struct mapping *mapping)
{
    struct str *properties = ARENA_ARRAY(arena, struct str, mapping->entries_count + 1);
    size_t count = 0;

    for (size_t i = 0; i < mapping->entries_count; i++) {
        bool is_known = false;

        for (size_t k = 0; k < count; k++) {
            is_known = is_known || str_equal(properties[k], mapping->entries[i].property);
        }
        if (!is_known) {
            properties[count++] = mapping->entries[i].property;
        }
    }
    mapping->properties = properties;
    mapping->properties_count = count;
}

static void add_meaning(struct buf *text, const struct map_entry *entry)
{
    buf_addf(text,
             "%" PRI_STR "|%s|%" PRI_STR "|%" PRI_STR "|%d|%d|%d|%d|%d|%" PRI_STR "|%" PRI_STR
             "|%" PRI_STR,
             STR_ARG(entry->field->name), field_type_name(entry->field->type),
             STR_ARG(entry->field->to), STR_ARG(entry->property), entry->direction, entry->blank,
             entry->unknown, entry->write_as_number, entry->only_at_create,
             STR_ARG(entry->default_in), STR_ARG(entry->default_out), STR_ARG(entry->group));
    for (size_t i = 0; i < entry->transforms_count; i++) {
        buf_addf(text, "|t%s:%" PRI_STR, TRANSFORMS[entry->transforms[i].op],
                 STR_ARG(entry->transforms[i].argument));
    }
    for (size_t i = 0; i < entry->values_count; i++) {
        buf_addf(text, "|v%" PRI_STR "=%" PRI_STR, STR_ARG(entry->values[i].unified),
                 STR_ARG(entry->values[i].remote));
    }
    for (size_t i = 0; i < entry->field->options_count; i++) {
        buf_addf(text, "|o%" PRI_STR, STR_ARG(entry->field->options[i]));
    }
    buf_add_char(text, '\n');
}

static struct str version_of(struct arena *arena, const struct mapping *mapping)
{
    AUTO_BUF struct buf text = {0};
    struct digest digest;
    char hex[2 * DIGEST_BYTES + 1];

    buf_init(&text, 4 * 1024 * 1024);
    buf_addf(&text, "%" PRI_STR "\n", STR_ARG(mapping->object));
    for (size_t i = 0; i < mapping->entries_count; i++) {
        add_meaning(&text, &mapping->entries[i]);
    }
    digest = digest_of(buf_str(&text));
    hex_encode(digest.bytes, DIGEST_BYTES, hex);
    return arena_str(arena, (struct str){.at = hex, .len = VERSION_CHARS});
}

static enum fail read_object(struct arena *arena, const struct yx_node *node, struct mapping *ret,
                             struct error *err)
{
    struct str object;
    bool is_name;

    if (yx_str_or(node, "object", STR(""), &object, err) != OK) {
        return err->code;
    }
    is_name = object.len <= OBJECT_NAME_MAX && (object.len > 0 || !yx_get(node, "object"));
    for (size_t i = 0; i < object.len; i++) { /* it stands in the path of requests */
        char c = object.at[i];

        is_name = is_name && ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                              (c >= '0' && c <= '9') || c == '_' || c == '-');
    }
    ret->object = arena_str(arena, object);
    return is_name ? OK
                   : yx_error(yx_get(node, "object"), err,
                              "'object' names a custom object of the CRM, such as p_subscription "
                              "or 2-123456");
}

static enum fail read_mapping(struct arena *arena, const struct kind *kind, struct str crm,
                              const struct yx_node *node, const char *file, struct mapping *ret,
                              struct error *err)
{
    const struct yx_node *map;
    struct map_entry *entries;

    *ret = (struct mapping){.kind = kind, .crm = arena_str(arena, crm)};
    if (yx_only(node, KIND_KEYS, err) != OK || read_object(arena, node, ret, err) != OK ||
        declared_read(arena, node, file, ret, err) != OK) {
        return err->code;
    }
    map = yx_get(node, "fields");
    if (!map || yx_type(map) != YX_MAPPING || yx_count(map) == 0) {
        return yx_error(map ? map : node, err, "'fields' must map at least one field");
    }
    entries = ARENA_ARRAY(arena, struct map_entry, yx_count(map));
    for (size_t i = 0; i < yx_count(map); i++) {
        if (read_entry(arena, kind, yx_key_at(map, i), yx_value_at(map, i), file, &entries[i],
                       err) != OK) {
            return err->code;
        }
    }
    if (check_owners(map, entries, yx_count(map), err) != OK) {
        return err->code;
    }
    qsort(entries, yx_count(map), sizeof *entries, by_field_name);
    ret->entries = entries;
    ret->entries_count = yx_count(map);
    gather_properties(arena, ret);
    ret->version = version_of(arena, ret);
    return OK;
}

/* --- the file ------------------------------------------------------------------------------------------------------------------ */

static enum fail unknown_kind(const struct yx_node *key, const struct kinds *kinds,
                              struct arena *arena, struct error *err)
{
    struct str *names = ARENA_ARRAY(arena, struct str, kinds->count);
    size_t nearest;

    for (size_t i = 0; i < kinds->count; i++) {
        names[i] = kinds->at[i].name;
    }
    nearest = word_nearest(yx_text(key), names, kinds->count);
    yx_error(key, err, "no kind '%" PRI_STR "' is declared", STR_ARG(yx_text(key)));
    return nearest == SIZE_MAX
               ? error_hint(err, "a kind is declared by a file in the folder of kinds")
               : error_hint(err, "did you mean '%" PRI_STR "'?", STR_ARG(names[nearest]));
}

static enum fail read_file(struct arena *arena, const struct kinds *kinds, struct str crm,
                           const struct yx_document *document, const char *file,
                           struct mappings *ret, struct error *err)
{
    const struct yx_node *root = yx_root(document);
    const struct yx_node *map;
    struct mapping *at;
    struct str written;

    if (yx_only(root, TOP_KEYS, err) != OK || yx_str(root, "crm", &written, err) != OK) {
        return err->code;
    }
    if (!str_equal(written, crm)) {
        return yx_error(yx_get(root, "crm"), err,
                        "this mapping is for '%" PRI_STR "', not for '%" PRI_STR "'",
                        STR_ARG(written), STR_ARG(crm));
    }
    map = yx_get(root, "kinds");
    if (!map || yx_type(map) != YX_MAPPING || yx_count(map) == 0 ||
        yx_count(map) > MAPPED_KINDS_MAX) {
        return yx_error(map ? map : root, err, "'kinds' must map 1 to %d kinds", MAPPED_KINDS_MAX);
    }
    at = ARENA_ARRAY(arena, struct mapping, yx_count(map));
    for (size_t i = 0; i < yx_count(map); i++) {
        const struct kind *kind = kind_by_name(kinds, yx_text(yx_key_at(map, i)));

        if (!kind) {
            return unknown_kind(yx_key_at(map, i), kinds, arena, err);
        }
        if (read_mapping(arena, kind, crm, yx_value_at(map, i), file, &at[i], err) != OK) {
            return err->code;
        }
    }
    *ret = (struct mappings){.at = at, .count = yx_count(map)};
    return OK;
}

static enum fail load_embedded(struct arena *arena, struct str crm, struct yx_document **ret,
                               const char **ret_name, struct error *err)
{
    struct embedded_file file;

    for (size_t i = 0; config_mappings_at(i, &file); i++) {
        struct str name = str_of(file.name);

        if (str_equal(str_slice(name, 0, name.len - strlen(".yaml")), crm)) {
            *ret_name = arena_printf(arena, "mappings/%s", file.name).at;
            return yx_load_text((struct str){.at = file.at, .len = file.len}, *ret_name, ret, err);
        }
    }
    error_set(err, FAIL_CONFIG, "no built-in mapping for '%" PRI_STR "'", STR_ARG(crm));
    return error_hint(err, "name a mapping file with 'mapping' at the connection");
}

enum fail mappings_load(struct arena *arena, const struct kinds *kinds, struct str crm,
                        const char *file, struct mappings *ret, struct error *err)
{
    AUTO_YX struct yx_document *document = NULL;
    const char *name = file;

    if ((file ? yx_load_file(file, &document, err)
              : load_embedded(arena, crm, &document, &name, err)) != OK) {
        return err->code;
    }
    return read_file(arena, kinds, crm, document, arena_cstr(arena, str_of(name)), ret, err);
}

const char *map_direction_name(enum map_direction direction)
{
    return DIRECTIONS[direction];
}

const char *blank_policy_name(enum blank_policy blank)
{
    return BLANKS[blank];
}

const char *unknown_policy_name(enum unknown_policy unknown)
{
    return UNKNOWNS[unknown];
}

const char *transform_name(enum transform_op op)
{
    return TRANSFORMS[op];
}

const struct mapping *mapping_of(const struct mappings *mappings, struct str kind)
{
    for (size_t i = 0; i < mappings->count; i++) {
        if (str_equal(mappings->at[i].kind->name, kind)) {
            return &mappings->at[i];
        }
    }
    return NULL;
}

const struct map_entry *mapping_entry(const struct mapping *mapping, struct str field)
{
    size_t low = 0, high = mapping->entries_count;

    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = str_compare(mapping->entries[middle].field->name, field);

        if (order == 0) {
            return &mapping->entries[middle];
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return NULL;
}
