/* Kinds from YAML, embedded or from a folder, in dependency order. */
#include "mapper/kind.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>

#include "core/embedded.h"
#include "core/unicode.h"
#include "core/words.h"
#include "core/yx.h"
#include "mapper/normal.h"

enum { KINDS_MAX = 64, FIELDS_MAX = 512, MATCHES_MAX = 8 };

static const char *const TYPES[] = {
    "string", "text",     "email", "phone",      "url",   "integer",   "decimal",        "boolean",
    "date",   "datetime", "enum",  "multi_enum", "money", "reference", "reference_list", NULL};
static const char *const KIND_KEYS[] = {"kind", "label", "title", "match", "fields", NULL};
static const char *const FIELD_KEYS[] = {"type", "label", "to", "options", NULL};

const char *field_type_name(enum field_type type)
{
    return TYPES[type];
}

static bool is_word(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i];

        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.')) {
            return false;
        }
    }
    return text.len > 0 && text.len <= 64;
}

/* Every record has these by itself. */
static bool is_reserved(struct str name)
{
    return str_equal(name, STR("id")) || str_equal(name, STR("created_at")) ||
           str_equal(name, STR("updated_at"));
}

static enum fail read_options(struct arena *arena, const struct yx_node *node,
                              struct kind_field *field, struct error *err)
{
    const struct yx_node *list = yx_get(node, "options");
    struct str *options;

    if (!list) {
        return OK;
    }
    if (yx_type(list) != YX_SEQUENCE || yx_count(list) == 0) {
        return yx_error(list, err, "'options' must be a list of values");
    }
    if (field->type != TYPE_ENUM && field->type != TYPE_MULTI_ENUM) {
        return yx_error(list, err, "'options' belong to the types enum and multi_enum only");
    }
    options = ARENA_ARRAY(arena, struct str, yx_count(list));
    for (size_t i = 0; i < yx_count(list); i++) {
        if (yx_type(yx_item(list, i)) != YX_SCALAR || yx_text(yx_item(list, i)).len == 0) {
            return yx_error(yx_item(list, i), err, "an option is a word");
        }
        options[i] = arena_str(arena, yx_text(yx_item(list, i)));
    }
    field->options = options;
    field->options_count = yx_count(list);
    return OK;
}

static enum fail read_field(struct arena *arena, const struct yx_node *key,
                            const struct yx_node *node, struct kind_field *ret, struct error *err)
{
    struct str label, to;
    size_t type;

    if (!is_word(yx_text(key))) {
        return yx_error(key, err, "'%" PRI_STR "' is no field name: use a-z, 0-9, '_' and '.'",
                        STR_ARG(yx_text(key)));
    }
    if (is_reserved(yx_text(key))) {
        return yx_error(key, err, "every record has '%" PRI_STR "' by itself; choose another name",
                        STR_ARG(yx_text(key)));
    }
    if (yx_type(node) != YX_MAPPING || !yx_get(node, "type")) {
        return yx_error(node, err, "a field needs at least a 'type'");
    }
    if (yx_only(node, FIELD_KEYS, err) != OK ||
        yx_word(yx_get(node, "type"), TYPES, &type, err) != OK ||
        yx_str_or(node, "label", yx_text(key), &label, err) != OK ||
        yx_str_or(node, "to", STR(""), &to, err) != OK) {
        return err->code;
    }
    if ((to.len > 0) != (type == TYPE_REFERENCE || type == TYPE_REFERENCE_LIST)) {
        return yx_error(node, err, "'to' names the kind of a reference, and a reference needs it");
    }
    ret->name = arena_str(arena, yx_text(key));
    ret->label = arena_str(arena, label);
    ret->type = (enum field_type)type;
    ret->to = arena_str(arena, to);
    return read_options(arena, node, ret, err);
}

static enum fail read_fields(struct arena *arena, const struct yx_node *root, struct kind *kind,
                             struct error *err)
{
    const struct yx_node *map = yx_get(root, "fields");
    struct kind_field *fields;

    if (!map || yx_type(map) != YX_MAPPING || yx_count(map) == 0 || yx_count(map) > FIELDS_MAX) {
        return yx_error(map ? map : root, err, "'fields' must hold 1 to %d fields", FIELDS_MAX);
    }
    fields = ARENA_ARRAY(arena, struct kind_field, yx_count(map));
    for (size_t i = 0; i < yx_count(map); i++) {
        if (read_field(arena, yx_key_at(map, i), yx_value_at(map, i), &fields[i], err) != OK) {
            return err->code;
        }
    }
    kind->fields = fields;
    kind->fields_count = yx_count(map);
    return OK;
}

/* "did you mean …?" on an error that is already set. */
static enum fail hint_nearest(struct str word, const struct str *words, size_t count,
                              struct error *err)
{
    size_t nearest = word_nearest(word, words, count);

    return nearest == SIZE_MAX
               ? err->code
               : error_hint(err, "did you mean '%" PRI_STR "'?", STR_ARG(words[nearest]));
}

static enum fail unknown_field(struct arena *arena, const struct yx_node *node,
                               const struct kind *kind, struct error *err)
{
    struct str *names = ARENA_ARRAY(arena, struct str, kind->fields_count);

    for (size_t i = 0; i < kind->fields_count; i++) {
        names[i] = kind->fields[i].name;
    }
    yx_error(node, err, "the kind has no field '%" PRI_STR "'", STR_ARG(yx_text(node)));
    return hint_nearest(yx_text(node), names, kind->fields_count, err);
}

static enum fail read_match(struct arena *arena, const struct yx_node *list,
                            const struct kind *kind, struct match_rule *ret, struct error *err)
{
    const struct kind_field **fields;

    if (yx_type(list) != YX_SEQUENCE || yx_count(list) == 0) {
        return yx_error(list, err, "a match rule is a list of fields, such as [email]");
    }
    fields = ARENA_ARRAY(arena, const struct kind_field *, yx_count(list));
    for (size_t i = 0; i < yx_count(list); i++) {
        fields[i] = kind_field_by_name(kind, yx_text(yx_item(list, i)));
        if (!fields[i]) {
            return unknown_field(arena, yx_item(list, i), kind, err);
        }
    }
    ret->fields = fields;
    ret->fields_count = yx_count(list);
    return OK;
}

static enum fail read_matches(struct arena *arena, const struct yx_node *root, struct kind *kind,
                              struct error *err)
{
    const struct yx_node *list = yx_get(root, "match");
    struct match_rule *rules;

    if (!list) {
        return OK;
    }
    if (yx_type(list) != YX_SEQUENCE || yx_count(list) > MATCHES_MAX) {
        return yx_error(list, err, "'match' must be a list of at most %d rules", MATCHES_MAX);
    }
    rules = ARENA_ARRAY(arena, struct match_rule, yx_count(list) + 1);
    for (size_t i = 0; i < yx_count(list); i++) {
        if (read_match(arena, yx_item(list, i), kind, &rules[i], err) != OK) {
            return err->code;
        }
    }
    kind->matches = rules;
    kind->matches_count = yx_count(list);
    return OK;
}

static enum fail read_kind(struct arena *arena, const struct yx_document *document,
                           struct kind *ret, struct error *err)
{
    const struct yx_node *root = yx_root(document);
    struct str name, title, label;

    if (yx_only(root, KIND_KEYS, err) != OK || yx_str(root, "kind", &name, err) != OK ||
        yx_str_or(root, "title", STR(""), &title, err) != OK ||
        yx_str_or(root, "label", name, &label, err) != OK) {
        return err->code;
    }
    if (!is_word(name)) {
        return yx_error(yx_get(root, "kind"), err,
                        "'%" PRI_STR "' is no name for a kind: use a-z, 0-9 and '_'",
                        STR_ARG(name));
    }
    ret->name = arena_str(arena, name);
    ret->label = arena_str(arena, label);
    ret->title_field = arena_str(arena, title);
    if (read_fields(arena, root, ret, err) != OK) {
        return err->code;
    }
    if (title.len && !kind_field_by_name(ret, title)) {
        return unknown_field(arena, yx_get(root, "title"), ret, err);
    }
    return read_matches(arena, root, ret, err);
}

static bool points_to(const struct kind *kind, struct str name)
{
    for (size_t i = 0; i < kind->fields_count; i++) {
        if (str_equal(kind->fields[i].to, name)) {
            return true;
        }
    }
    return false;
}

/* A kind goes behind those it points to; circles keep the order of the files. */
static void order_kinds(struct kind *at, size_t count)
{
    for (size_t done = 0; done < count; done++) {
        size_t next = done;

        for (size_t i = done; i < count; i++) {
            bool is_free = true;

            for (size_t k = done; k < count; k++) {
                is_free = is_free && (k == i || !points_to(&at[i], at[k].name));
            }
            if (is_free) {
                next = i;
                break;
            }
        }
        struct kind moved = at[next];
        memmove(at + done + 1, at + done, (next - done) * sizeof *at);
        at[done] = moved;
    }
}

/* Every reference points to a declared kind, and no kind stands twice. */
static enum fail check_kinds(const struct kinds *kinds, struct error *err)
{
    for (size_t i = 0; i < kinds->count; i++) {
        if (kind_by_name(kinds, kinds->at[i].name) != &kinds->at[i]) {
            return error_set(err, FAIL_CONFIG, "kind '%" PRI_STR "' is declared twice",
                             STR_ARG(kinds->at[i].name));
        }
        for (size_t k = 0; k < kinds->at[i].fields_count; k++) {
            const struct kind_field *field = &kinds->at[i].fields[k];

            if (field->to.len && !kind_by_name(kinds, field->to)) {
                return error_set(err, FAIL_CONFIG,
                                 "field '%" PRI_STR "' of kind '%" PRI_STR
                                 "' points to kind '%" PRI_STR "', which is not declared",
                                 STR_ARG(field->name), STR_ARG(kinds->at[i].name),
                                 STR_ARG(field->to));
            }
        }
    }
    return OK;
}

static enum fail add_kind(struct arena *arena, struct kind *at, size_t *count,
                          struct yx_document *take_document, struct error *err)
{
    AUTO_YX struct yx_document *document = take_document;

    if (*count == KINDS_MAX) {
        return error_set(err, FAIL_CONFIG, "more than %d kinds", KINDS_MAX);
    }
    at[*count] = (struct kind){0};
    if (read_kind(arena, document, &at[*count], err) != OK) {
        return err->code;
    }
    (*count)++;
    return OK;
}

static enum fail finish(struct kind *at, size_t count, struct kinds *ret, struct error *err)
{
    order_kinds(at, count);
    *ret = (struct kinds){.at = at, .count = count};
    return check_kinds(ret, err);
}

static enum fail load_embedded(struct arena *arena, struct kind *at, size_t *count,
                               struct error *err)
{
    struct embedded_file file;

    for (size_t i = 0; config_kinds_at(i, &file); i++) {
        struct yx_document *document;
        struct str name = arena_printf(arena, "kinds/%s", file.name);

        if (yx_load_text((struct str){.at = file.at, .len = file.len}, name.at, &document, err) !=
                OK ||
            add_kind(arena, at, count, document, err) != OK) {
            return err->code;
        }
    }
    return OK;
}

enum fail kinds_load_embedded(struct arena *arena, struct kinds *ret, struct error *err)
{
    struct kind *at = ARENA_ARRAY(arena, struct kind, KINDS_MAX);
    size_t count = 0;

    if (load_embedded(arena, at, &count, err) != OK) {
        return err->code;
    }
    return finish(at, count, ret, err);
}

/* The built-in kinds that no file of the folder replaces, in front of those of the folder. */
static enum fail join_kinds(struct arena *arena, const struct kind *own, size_t own_count,
                            struct kinds *ret, struct error *err)
{
    struct kind *at = ARENA_ARRAY(arena, struct kind, KINDS_MAX + own_count);
    const struct kinds from_folder = {.at = own, .count = own_count};
    size_t loaded = 0, count = 0;

    if (load_embedded(arena, at, &loaded, err) != OK) {
        return err->code;
    }
    for (size_t i = 0; i < loaded; i++) {
        if (!kind_by_name(&from_folder, at[i].name)) {
            at[count++] = at[i];
        }
    }
    memcpy(at + count, own, own_count * sizeof *own);
    return finish(at, count + own_count, ret, err);
}

static int is_yaml(const struct dirent *entry)
{
    return str_ends(str_of(entry->d_name), STR(".yaml")) && entry->d_name[0] != '.';
}

static enum fail load_files(struct arena *arena, const char *folder, struct dirent **files,
                            int files_count, struct kind *at, size_t *count, struct error *err)
{
    for (int i = 0; i < files_count; i++) {
        struct yx_document *document;
        struct str path = arena_printf(arena, "%s/%s", folder, files[i]->d_name);

        if (yx_load_file(path.at, &document, err) != OK ||
            add_kind(arena, at, count, document, err) != OK) {
            return err->code;
        }
    }
    return OK;
}

enum fail kinds_load(struct arena *arena, const char *folder, struct kinds *ret, struct error *err)
{
    struct kind *at = ARENA_ARRAY(arena, struct kind, KINDS_MAX);
    struct dirent **files = NULL;
    int files_count = scandir(folder, &files, is_yaml, alphasort);
    size_t count = 0;
    enum fail failed;

    if (files_count <= 0) {
        error_set(err, FAIL_CONFIG, "no kinds in folder '%s'%s%s", folder,
                  files_count < 0 ? ": " : "", files_count < 0 ? strerror(errno) : "");
        free(files);
        return error_hint(err, "put *.yaml files there, or take 'kinds' out of the configuration "
                               "to use the built-in ones");
    }
    failed = load_files(arena, folder, files, files_count, at, &count, err);
    for (int i = 0; i < files_count; i++) {
        free(files[i]);
    }
    free(files);
    return failed ? failed : join_kinds(arena, at, count, ret, err);
}

const struct kind *kind_by_name(const struct kinds *kinds, struct str name)
{
    for (size_t i = 0; i < kinds->count; i++) {
        if (str_equal(kinds->at[i].name, name)) {
            return &kinds->at[i];
        }
    }
    return NULL;
}

const struct kind_field *kind_field_by_name(const struct kind *kind, struct str name)
{
    for (size_t i = 0; i < kind->fields_count; i++) {
        if (str_equal(kind->fields[i].name, name)) {
            return &kind->fields[i];
        }
    }
    return NULL;
}

/* --- values ------------------------------------------------------------------------------------------------------------------- */

static bool is_option(const struct kind_field *field, struct str text)
{
    for (size_t i = 0; i < field->options_count; i++) {
        if (str_equal(field->options[i], text)) {
            return true;
        }
    }
    return field->options_count == 0;
}

static enum fail hint_options(const struct kind_field *field, struct error *err)
{
    AUTO_BUF struct buf list = {0};

    buf_init(&list, ERROR_HINT_BYTES);
    for (size_t i = 0; i < field->options_count; i++) {
        buf_addf(&list, "%s%" PRI_STR, i ? ", " : "", STR_ARG(field->options[i]));
    }
    return error_hint(err, "one of: %" PRI_STR, STR_ARG(buf_str(&list)));
}

static enum fail parse_one(const struct kind_field *field, struct str text, struct arena *arena,
                           struct str *ret, struct error *err)
{
    if (!utf8_is_valid(text)) {
        return error_set(err, FAIL_RECORD, "the value of %" PRI_STR " is not valid UTF-8",
                         STR_ARG(field->name));
    }
    if (!normal_text(field->type, text, arena, ret)) {
        return error_set(err, FAIL_RECORD, "the value of %" PRI_STR " is not %s",
                         STR_ARG(field->name), field_type_expects(field->type));
    }
    if (!is_option(field, *ret)) {
        error_set(err, FAIL_RECORD, "%" PRI_STR " has no option '%" PRI_STR "'",
                  STR_ARG(field->name), STR_ARG(*ret));
        return hint_options(field, err);
    }
    return OK;
}

static enum fail parse_list(const struct kind_field *field, struct str text, struct arena *arena,
                            struct value *ret, struct error *err)
{
    struct str *items = ARENA_ARRAY(arena, struct str, text.len + 1);
    size_t count = 0;

    while (text.at) {
        struct str item = str_trim(str_cut(&text, ';'));

        if (item.len && parse_one(field, item, arena, &items[count++], err) != OK) {
            return err->code;
        }
    }
    *ret = normal_list(items, count, arena);
    return OK;
}

/* Only of free text an empty one is something else than none. */
static bool has_empty(enum field_type type)
{
    return type == TYPE_STRING || type == TYPE_TEXT;
}

bool field_is_list(const struct kind_field *field)
{
    return field->type == TYPE_MULTI_ENUM || field->type == TYPE_REFERENCE_LIST;
}

enum fail field_items_parse(const struct kind_field *field, const struct str *items, size_t count,
                            struct arena *arena, struct value *ret, struct error *err)
{
    struct str *normal = ARENA_ARRAY(arena, struct str, count + 1);
    size_t used = 0;

    for (size_t i = 0; i < count; i++) {
        if (items[i].len == 0) {
            continue;
        }
        if (parse_one(field, items[i], arena, &normal[used], err) != OK) {
            return err->code;
        }
        normal[used] = arena_str(arena, normal[used]);
        used++;
    }
    *ret = normal_list(normal, used, arena);
    return OK;
}

enum fail field_value_parse(const struct kind_field *field, struct str text, struct arena *arena,
                            struct value *ret, struct error *err)
{
    struct str normal;

    if (text.len == 0) {
        *ret = has_empty(field->type) ? VALUE_OF(STR("")) : VALUE_NONE;
        return OK;
    }
    if (field_is_list(field)) {
        return parse_list(field, text, arena, ret, err);
    }
    if (parse_one(field, text, arena, &normal, err) != OK) {
        return err->code;
    }
    *ret = normal.len || has_empty(field->type) ? VALUE_OF(arena_str(arena, normal)) : VALUE_NONE;
    return OK;
}

/* --- match keys --------------------------------------------------------------------------------------------------------------- */

static struct str key_part(const struct kind_field *field, const struct value *value,
                           struct arena *arena)
{
    if (value->state != VALUE_TEXT) {
        return STR("");
    }
    return str_equal(field->name, STR("domain")) ? normal_domain(value->text, arena)
                                                 : utf8_fold(arena, value->text);
}

void kind_match_keys(const struct kind *kind, const struct fields *fields, struct arena *arena,
                     struct str *ret_keys)
{
    for (size_t r = 0; r < kind->matches_count; r++) {
        const struct match_rule *rule = &kind->matches[r];
        struct str key = STR("");

        for (size_t i = 0; i < rule->fields_count; i++) {
            struct str part =
                key_part(rule->fields[i], fields_get(fields, rule->fields[i]->name), arena);

            if (part.len == 0) {
                key = STR("");
                break;
            }
            key = i == 0 ? part
                         : arena_printf(arena, "%" PRI_STR "\x1f%" PRI_STR, STR_ARG(key),
                                        STR_ARG(part));
        }
        ret_keys[r] = key;
    }
}
