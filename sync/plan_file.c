#include "sync/plan_file.h"

#include <errno.h>
#include <stdlib.h>

#include "core/jx.h"
#include "core/when.h"

/* --- one change --------------------------------------------------------------------------------------------------------------- */

static json_t *text_json(struct str text)
{
    return json_stringn(text.at ? text.at : "", text.len);
}

/* NULL: absent. */
static json_t *value_json(const struct value *value)
{
    json_t *list;

    if (value->state == VALUE_ABSENT) {
        return NULL;
    }
    if (value->state != VALUE_LIST) {
        return value->state == VALUE_TEXT ? text_json(value->text) : json_null();
    }
    list = json_array();
    for (size_t i = 0; i < value->items_count; i++) {
        json_array_append_new(list, text_json(value->items[i]));
    }
    return list;
}

static void set_value(json_t *object, const char *name, const struct value *value)
{
    json_t *json = value_json(value);

    if (json) {
        json_object_set_new(object, name, json);
    }
}

static json_t *field_json(const struct journal_change *field)
{
    json_t *object = json_object();

    json_object_set_new(object, "field", text_json(field->field));
    set_value(object, "from", &field->from);
    set_value(object, "to", &field->to);
    set_value(object, "lost", &field->lost);
    json_object_set_new(object, "rule", text_json(field->rule));
    return object;
}

json_t *plan_change_json(const struct change *change, struct str title)
{
    json_t *line = json_object();
    json_t *fields = json_array();

    json_object_set_new(line, "change", json_string(change_op_name(change->op)));
    json_object_set_new(line, "at", text_json(change->is_there ? change->connection : STR("here")));
    json_object_set_new(line, "kind", text_json(change->kind));
    json_object_set_new(line, "record", text_json(change->uuid));
    if (!change->is_there) {
        json_object_set_new(line, "from", text_json(change->connection));
    }
    if (change->remote_id.len) {
        json_object_set_new(line, "remote_id", text_json(change->remote_id));
    }
    if (title.len) {
        json_object_set_new(line, "title", text_json(title));
    }
    for (size_t i = 0; i < change->fields_count; i++) {
        json_array_append_new(fields, field_json(&change->fields[i]));
    }
    json_object_set_new(line, "fields", fields);
    return line;
}

static enum fail value_read(const json_t *object, const char *name, struct arena *arena,
                            struct value *ret, struct error *err)
{
    const json_t *json = jx_get(object, name);
    struct str *items;

    *ret = (struct value){0};
    if (!json) {
        return OK;
    }
    if (json_is_null(json)) {
        *ret = VALUE_NONE;
        return OK;
    }
    if (json_is_string(json)) {
        *ret = VALUE_OF(arena_str(arena, jx_text_of(json)));
        return OK;
    }
    if (!json_is_array(json)) {
        return error_set(err, FAIL_CONFIG, "'%s' is neither text, list nor null", name);
    }
    items = ARENA_ARRAY(arena, struct str, json_array_size(json) + 1);
    for (size_t i = 0; i < json_array_size(json); i++) {
        if (!json_is_string(json_array_get(json, i))) {
            return error_set(err, FAIL_CONFIG, "an item of '%s' is not text", name);
        }
        items[i] = arena_str(arena, jx_text_of(json_array_get(json, i)));
    }
    *ret =
        (struct value){.state = VALUE_LIST, .items = items, .items_count = json_array_size(json)};
    return OK;
}

static enum fail field_read(const json_t *object, struct arena *arena, struct journal_change *ret,
                            struct error *err)
{
    struct str field, rule;

    if (jx_str(object, "field", &field, err) != OK ||
        jx_str_or(object, "rule", STR(""), &rule, err) != OK) {
        err->code = FAIL_CONFIG;
        return err->code;
    }
    ret->field = arena_str(arena, field);
    ret->rule = arena_str(arena, rule);
    if (value_read(object, "from", arena, &ret->from, err) != OK ||
        value_read(object, "to", arena, &ret->to, err) != OK) {
        return err->code;
    }
    return value_read(object, "lost", arena, &ret->lost, err);
}

static enum fail fields_read(const json_t *line, struct arena *arena, struct change *ret,
                             struct error *err)
{
    const json_t *list = jx_get(line, "fields");
    struct journal_change *fields;

    if (!json_is_array(list)) {
        return error_set(err, FAIL_CONFIG, "'fields' is missing");
    }
    fields = ARENA_ARRAY(arena, struct journal_change, json_array_size(list) + 1);
    for (size_t i = 0; i < json_array_size(list); i++) {
        if (field_read(json_array_get(list, i), arena, &fields[i], err) != OK) {
            return err->code;
        }
    }
    ret->fields = fields;
    ret->fields_count = json_array_size(list);
    return OK;
}

enum fail plan_change_read(const json_t *line, struct arena *arena, struct change *ret,
                           struct error *err)
{
    struct str op, at, kind, uuid, from, remote_id;

    *ret = (struct change){0};
    if (jx_str(line, "change", &op, err) != OK || jx_str(line, "at", &at, err) != OK ||
        jx_str(line, "kind", &kind, err) != OK || jx_str(line, "record", &uuid, err) != OK ||
        jx_str_or(line, "from", STR(""), &from, err) != OK ||
        jx_str_or(line, "remote_id", STR(""), &remote_id, err) != OK) {
        err->code = FAIL_CONFIG;
        return err->code;
    }
    if (!change_op_parse(op, &ret->op)) {
        return error_set(err, FAIL_CONFIG, "'%" PRI_STR "' is no change that crmsync makes",
                         STR_ARG(op));
    }
    ret->is_there = !str_equal(at, STR("here"));
    ret->connection = arena_str(arena, ret->is_there ? at : from);
    ret->kind = arena_str(arena, kind);
    ret->uuid = arena_str(arena, uuid);
    ret->remote_id = arena_str(arena, remote_id);
    return fields_read(line, arena, ret, err);
}

/* Blank is blank: whether a CRM says null, "" or nothing is not the person's business. */
static void set_for_digest(json_t *object, const char *name, const struct value *value)
{
    if (!value_is_blank(value)) {
        set_value(object, name, value);
    }
}

static int by_field(const void *x, const void *y)
{
    const struct journal_change *const *a = x;
    const struct journal_change *const *b = y;

    return str_compare((*a)->field, (*b)->field);
}

static json_t *fields_for_digest(const struct change *change, struct arena *arena)
{
    const struct journal_change **order =
        ARENA_ARRAY(arena, const struct journal_change *, change->fields_count + 1);
    json_t *list = json_array();

    for (size_t i = 0; i < change->fields_count; i++) {
        order[i] = &change->fields[i];
    }
    qsort(order, change->fields_count, sizeof *order, by_field);
    for (size_t i = 0; i < change->fields_count; i++) {
        json_t *field = json_object();

        json_object_set_new(field, "field", text_json(order[i]->field));
        set_for_digest(field, "from", &order[i]->from);
        set_for_digest(field, "to", &order[i]->to);
        set_for_digest(field, "lost", &order[i]->lost);
        json_array_append_new(list, field);
    }
    return list;
}

struct digest plan_change_digest(const struct change *change, struct arena *arena)
{
    json_t *text = jx_own(arena, json_object());

    json_object_set_new(text, "side", json_string(change->is_there ? "there" : "here"));
    json_object_set_new(text, "change", json_string(change_op_name(change->op)));
    json_object_set_new(text, "connection", text_json(change->connection));
    json_object_set_new(text, "kind", text_json(change->kind));
    json_object_set_new(text, "record", text_json(change->uuid));
    if (!change->is_there) {
        json_object_set_new(text, "remote_id", text_json(change->remote_id));
    }
    json_object_set_new(text, "fields", fields_for_digest(change, arena));
    return digest_of(jx_text_sorted(arena, text));
}

/* --- the circumstances ------------------------------------------------------------------------------------------------------- */

/* What makes the same data give another plan: the account, the mappings, and how the connection is set. */
static json_t *connection_json(const struct sync_connection *connection)
{
    const struct connection_settings *settings = connection->settings;
    json_t *mappings = json_object();

    for (size_t i = 0; i < settings->mappings->count; i++) {
        const struct mapping *mapping = &settings->mappings->at[i];

        json_object_setn_new(mappings, mapping->kind->name.at, mapping->kind->name.len,
                             text_json(mapping->version));
    }
    return json_pack("{s:s,s:o,s:i,s:i,s:o}", "adapter", settings->adapter->name, "account",
                     text_json(connection->row.account_id), "direction", (int)settings->direction,
                     "deletes", (int)settings->deletes, "mappings", mappings);
}

/* only "" = all */
static json_t *connections_json(const struct sync *sync, struct str only)
{
    json_t *connections = json_object();

    for (size_t i = 0; i < sync->connections_count; i++) {
        struct str name = sync->connections[i].settings->name;

        if (only.len && !str_equal(only, name)) {
            continue;
        }
        json_object_setn_new(connections, name.at, name.len,
                             connection_json(&sync->connections[i]));
    }
    return connections;
}

json_t *plan_head_json(const struct sync *sync, const struct sync_options *options)
{
    char made[WHEN_TEXT_BYTES];

    when_format_ms(clock_wall_ms(sync->env->clock), made);
    return json_pack("{s:i,s:s,s:o,s:o,s:b,s:b,s:b,s:o}", "crmsync_plan", PLAN_FORMAT, "made_at",
                     made, "connection", text_json(options->connection), "kind",
                     text_json(options->kind), "pull", options->pull ? 1 : 0, "push",
                     options->push ? 1 : 0, "full", options->full ? 1 : 0, "connections",
                     connections_json(sync, options->connection));
}

static enum fail same_connections(const json_t *then, const struct sync *sync, struct str only,
                                  struct arena *arena, struct error *err)
{
    json_t *now = jx_own(arena, connections_json(sync, only));
    const char *name;
    json_t *connection;

    if (json_equal(now, then)) {
        return OK;
    }
    json_object_foreach(now, name, connection)
    {
        if (!json_equal(connection, jx_get(then, name))) {
            error_set(err, FAIL_CONFIG,
                      "connection '%s' is set up differently than when the plan was made", name);
            return error_hint(err, "make a new plan with 'crmsync plan'");
        }
    }
    error_set(err, FAIL_CONFIG, "the plan was made with other connections than these");
    return error_hint(err, "make a new plan with 'crmsync plan'");
}

enum fail plan_head_check(const json_t *head, const struct sync *sync, struct arena *arena,
                          struct sync_options *ret, struct error *err)
{
    int64_t format;
    struct str connection, kind;

    if (jx_i64(head, "crmsync_plan", &format, err) != OK || format != PLAN_FORMAT) {
        error_set(err, FAIL_CONFIG, "this is no plan of this crmsync");
        return error_hint(err, "make one with 'crmsync plan -o FILE'");
    }
    if (jx_str_or(head, "connection", STR(""), &connection, err) != OK ||
        jx_str_or(head, "kind", STR(""), &kind, err) != OK ||
        jx_bool_or(head, "pull", true, &ret->pull, err) != OK ||
        jx_bool_or(head, "push", true, &ret->push, err) != OK ||
        jx_bool_or(head, "full", false, &ret->full, err) != OK) {
        err->code = FAIL_CONFIG;
        return err->code;
    }
    ret->connection = arena_str(arena, connection);
    ret->kind = arena_str(arena, kind);
    return same_connections(jx_get(head, "connections"), sync, ret->connection, arena, err);
}

/* --- reading a file ----------------------------------------------------------------------------------------------------------- */

enum fail plan_reader_open(const char *path, struct plan_reader *ret, struct error *err)
{
    *ret = (struct plan_reader){.path = path, .file = fopen(path, "re")};
    if (!ret->file) {
        error_set(err, FAIL_CONFIG, "cannot read plan '%s': %s", path, strerror(errno));
        return error_hint(err, "make one with 'crmsync plan -o FILE'");
    }
    return OK;
}

enum fail plan_reader_next(struct plan_reader *reader, struct arena *arena, json_t **ret,
                           struct error *err)
{
    ssize_t length;
    struct error cause = {0};

    *ret = NULL;
    errno = 0;
    length = getline(&reader->line, &reader->line_size, reader->file);
    if (length < 0) {
        return errno && !feof(reader->file)
                   ? error_set(err, FAIL_CONFIG, "cannot read plan '%s': %s", reader->path,
                               strerror(errno))
                   : OK;
    }
    reader->number++;
    if (length > PLAN_LINE_BYTES_MAX ||
        jx_parse(arena, (struct str){.at = reader->line, .len = (size_t)length}, ret, &cause) !=
            OK ||
        !json_is_object(*ret)) {
        error_set(err, FAIL_CONFIG, "%s:%lld: not a line of a plan", reader->path,
                  (long long)reader->number);
        return error_hint(err, "make one with 'crmsync plan -o FILE', and leave it as it is");
    }
    return OK;
}

void plan_reader_close(struct plan_reader *reader)
{
    if (reader->file) {
        fclose(reader->file);
    }
    free(reader->line);
    *reader = (struct plan_reader){0};
}
