/* HubSpot: what an object is made of, and who can own it. */
#include "adapters/hubspot_inside.h"

#include "core/jx.h"

enum { OWNERS_PAGE_MAX = 100, OWNER_PAGES_MAX = 1000, SEEN_FRESH_MS = 60 * 1000 };

/* --- what the set-up saw ---------------------------------------------------------------------- */

void hubspot_keep_seen(struct session *session, const char *kind, json_t *answer)
{
    if (!answer) {
        json_object_del(session->seen, kind);
        return;
    }
    if (!session->seen) {
        session->seen = json_object();
    }
    json_object_set(session->seen, kind, answer);
    session->seen_ms = clock_wall_ms(session->env->clock);
}

json_t *hubspot_take_seen(struct session *session, const char *kind, struct arena *arena)
{
    json_t *answer = json_incref(json_object_get(session->seen, kind));

    if (!answer) {
        return NULL;
    }
    json_object_del(session->seen, kind);
    jx_own(arena, answer);
    return clock_wall_ms(session->env->clock) - session->seen_ms < SEEN_FRESH_MS ? answer : NULL;
}

/* --- properties ------------------------------------------------------------------------------- */

/* Not writable: read-only by definition, or calculated. */
static enum fail read_property(const json_t *item, struct arena *arena, struct remote_property *ret,
                               struct error *err)
{
    json_t *meta, *options;
    bool read_only = false, calculated, defined;
    struct str field_type;
    struct remote_option *values;

    if (jx_str(item, "name", &ret->name, err) != OK ||
        jx_str_or(item, "label", STR(""), &ret->label, err) != OK ||
        jx_str_or(item, "type", STR(""), &ret->type, err) != OK ||
        jx_str_or(item, "fieldType", STR(""), &field_type, err) != OK ||
        jx_bool_or(item, "calculated", false, &calculated, err) != OK ||
        jx_bool_or(item, "hubspotDefined", false, &defined, err) != OK ||
        jx_bool_or(item, "hasUniqueValue", false, &ret->is_unique, err) != OK ||
        jx_object_or_null(item, "modificationMetadata", &meta, err) != OK ||
        jx_array_or_null(item, "options", &options, err) != OK ||
        (meta && jx_bool_or(meta, "readOnlyValue", false, &read_only, err) != OK)) {
        return err->code;
    }
    ret->is_writable =
        !read_only && !calculated && !str_equal(field_type, STR("calculation_equation"));
    ret->is_custom = !defined;
    ret->options_count = options ? json_array_size(options) : 0;
    values = ARENA_ARRAY(arena, struct remote_option, ret->options_count + 1);
    for (size_t i = 0; i < ret->options_count; i++) {
        values[i] = (struct remote_option){
            .value = jx_text_of(jx_get(json_array_get(options, i), "value")),
            .label = jx_text_of(jx_get(json_array_get(options, i), "label"))};
    }
    ret->options = values;
    return OK;
}

static enum fail read_properties(const json_t *body, const char *object, struct arena *arena,
                                 struct remote_property **ret, size_t *ret_count, struct error *err)
{
    struct remote_property *properties;
    json_t *results;

    if (jx_array(body, "results", &results, err) != OK) {
        return error_wrap(err, "properties of %s", object);
    }
    properties = ARENA_ARRAY(arena, struct remote_property, json_array_size(results) + 1);
    for (size_t i = 0; i < json_array_size(results); i++) {
        if (read_property(json_array_get(results, i), arena, &properties[i], err) != OK) {
            return error_wrap(err, "property %zu of %s", i, object);
        }
    }
    *ret = properties;
    *ret_count = json_array_size(results);
    return OK;
}

/* --- pseudo-properties ------------------------------------------------------------------------ */

struct schema {
    struct session *session;
    const char *kind;
    struct arena *arena;
    struct remote_property *at;
    size_t count, capacity;
};

static struct remote_property *add_property(struct schema *schema)
{
    if (schema->count == schema->capacity) {
        size_t capacity = 2 * schema->capacity + 16;
        struct remote_property *at = ARENA_ARRAY(schema->arena, struct remote_property, capacity);

        for (size_t i = 0; i < schema->count; i++) {
            at[i] = schema->at[i];
        }
        schema->at = at;
        schema->capacity = capacity;
    }
    return &schema->at[schema->count++];
}

static struct remote_property *add_pseudo(struct schema *schema, const char *name,
                                          const char *label, const char *type)
{
    struct remote_property *property = add_property(schema);

    *property = (struct remote_property){
        .name = str_of(name), .label = str_of(label), .type = str_of(type), .is_writable = true};
    return property;
}

static void add_relations(struct schema *schema)
{
    for (size_t i = 0; i < HS_RELATIONS; i++) {
        const struct hubspot_relation *relation = &hubspot_relations[i];

        if (strcmp(schema->kind, HS_ACTIVITY) == 0 ||
            strcmp(relation->to, hubspot_object(schema->session, schema->kind)) != 0) {
            add_pseudo(schema, relation->property, relation->label,
                       relation->is_list ? "associations" : "association");
        }
    }
}

static void add_activity(struct schema *schema)
{
    struct remote_option *types = ARENA_ARRAY(schema->arena, struct remote_option, HS_ACTIVITIES);
    struct remote_property *type = add_pseudo(schema, "activity.type", "Type", "enumeration");

    for (size_t i = 0; i < HS_ACTIVITIES; i++) {
        types[i] = (struct remote_option){.value = str_of(hubspot_activities[i].type),
                                          .label = str_of(hubspot_activities[i].title)};
    }
    type->is_required = true;
    type->options = types;
    type->options_count = HS_ACTIVITIES;
    add_pseudo(schema, "activity.subject", "Subject", "string");
    add_pseudo(schema, "activity.body", "Body", "string");
    add_pseudo(schema, "activity.timestamp", "Time", "datetime");
    add_pseudo(schema, "activity.done", "Done", "bool");
}

/* --- stages ----------------------------------------------------------------------------------- */

static bool is_label_shared(const struct hubspot_pipelines *pipelines, size_t index)
{
    for (size_t i = 0; i < pipelines->count; i++) {
        if (i != index && str_equal(pipelines->stages[i].label, pipelines->stages[index].label)) {
            return true;
        }
    }
    return false;
}

/* A label that several pipelines use is made distinct by the pipeline's. */
static void set_stages(struct arena *arena, struct remote_property *property,
                       const struct hubspot_pipelines *pipelines, bool is_open_only)
{
    struct remote_option *options = ARENA_ARRAY(arena, struct remote_option, pipelines->count + 1);

    property->options_count = 0;
    for (size_t i = 0; i < pipelines->count; i++) {
        const struct hubspot_stage *stage = &pipelines->stages[i];
        struct str label = arena_str(arena, stage->label);

        if (is_open_only && stage->is_closed) {
            continue;
        }
        if (is_label_shared(pipelines, i)) {
            label = arena_printf(arena, "%" PRI_STR " / %" PRI_STR, STR_ARG(stage->pipeline_label),
                                 STR_ARG(stage->label));
        }
        options[property->options_count++] =
            (struct remote_option){.value = arena_str(arena, stage->id), .label = label};
    }
    property->options = options;
}

static void set_pipelines(struct arena *arena, struct remote_property *property,
                          const struct hubspot_pipelines *pipelines)
{
    struct remote_option *options = ARENA_ARRAY(arena, struct remote_option, pipelines->count + 1);

    property->options_count = 0;
    for (size_t i = 0; i < pipelines->count; i++) { /* stages of one pipeline are neighbors */
        const struct hubspot_stage *stage = &pipelines->stages[i];

        if (i == 0 || !str_equal(stage->pipeline_id, pipelines->stages[i - 1].pipeline_id)) {
            options[property->options_count++] =
                (struct remote_option){.value = stage->pipeline_id, .label = stage->pipeline_label};
        }
    }
    property->options = options;
}

static void set_options(struct schema *schema, const struct hubspot_pipelines *pipelines)
{
    for (size_t i = 0; i < schema->count; i++) {
        struct str name = schema->at[i].name;

        if (str_equal(name, STR("dealstage")) || str_equal(name, STR("hs_pipeline_stage"))) {
            set_stages(schema->arena, &schema->at[i], pipelines, false);
        } else if (str_equal(name, STR("pipeline")) || str_equal(name, STR("hs_pipeline"))) {
            set_pipelines(schema->arena, &schema->at[i], pipelines);
        }
    }
}

static void add_stage(struct schema *schema, const struct hubspot_pipelines *pipelines)
{
    static const struct remote_option STATUSES[] = {
        {{.at = "open", .len = 4}, {.at = "Open", .len = 4}},
        {{.at = "won", .len = 3}, {.at = "Won", .len = 3}},
        {{.at = "lost", .len = 4}, {.at = "Lost", .len = 4}}};
    struct remote_property *status;

    set_stages(schema->arena, add_pseudo(schema, "deal.stage", "Deal stage", "enumeration"),
               pipelines, true);
    status = add_pseudo(schema, "deal.status", "Status", "enumeration");
    status->options = STATUSES;
    status->options_count = COUNT_OF(STATUSES);
}

static bool has_property(const struct schema *schema, struct str name)
{
    for (size_t i = 0; i < schema->count; i++) {
        if (str_equal(schema->at[i].name, name)) {
            return true;
        }
    }
    return false;
}

/* Tickets have pipelines, custom objects where the account made some. */
static enum fail add_pipelines(struct schema *schema, struct error *err)
{
    struct hubspot_pipelines pipelines = {0};

    if (strcmp(schema->kind, "deal") == 0) {
        if (hubspot_refresh_stages(schema->session, err) != OK) {
            return err->code;
        }
        pipelines = *schema->session->pipelines;
        add_stage(schema, &pipelines);
    } else if (has_property(schema, STR("hs_pipeline_stage"))) {
        if (hubspot_read_pipelines(schema->session, schema->kind, schema->arena, &pipelines, err) !=
            OK) {
            return err->code;
        }
    } else {
        return OK;
    }
    set_options(schema, &pipelines);
    return OK;
}

/* --- describing ------------------------------------------------------------------------------- */

static const struct remote_property *property_named(const struct remote_property *properties,
                                                    size_t count, struct str name)
{
    for (size_t i = 0; i < count; i++) {
        if (str_equal(properties[i].name, name)) {
            return &properties[i];
        }
    }
    return NULL;
}

/* What all five objects have, writable where all of them are. */
static void keep_common(struct schema *schema, const struct remote_property *properties,
                        size_t count)
{
    size_t kept = 0;

    for (size_t i = 0; i < schema->count; i++) {
        const struct remote_property *other = property_named(properties, count, schema->at[i].name);

        if (other && str_equal(other->type, schema->at[i].type)) {
            schema->at[i].is_writable = schema->at[i].is_writable && other->is_writable;
            schema->at[kept++] = schema->at[i];
        }
    }
    schema->count = kept;
}

static struct hubspot_call call_for(const struct schema *schema, const char *kind)
{
    return (struct hubspot_call){
        .method = HTTP_GET,
        .path = hubspot_properties_path(schema->session, schema->arena, kind, ""),
        .is_safe = true};
}

/* Answers of the five, together. */
static enum fail ask_activity(struct schema *schema, json_t **bodies, struct error *err)
{
    struct hubspot_try *tries = ARENA_ARRAY(schema->arena, struct hubspot_try, HS_ACTIVITIES);
    size_t places[HS_ACTIVITIES], count = 0;

    for (size_t i = 0; i < HS_ACTIVITIES; i++) {
        const char *kind = hubspot_activities[i].kind;

        bodies[i] = hubspot_take_seen(schema->session, kind, schema->arena);
        if (!bodies[i]) {
            places[count] = i;
            tries[count++].call = call_for(schema, kind);
        }
    }
    if (count && hubspot_exec_all(schema->session, tries, count, schema->arena, err) != OK) {
        return err->code;
    }
    for (size_t i = 0; i < count; i++) {
        if (tries[i].result != OK) {
            *err = tries[i].error;
            return error_wrap(err, "properties of %s", hubspot_activities[places[i]].object);
        }
        bodies[places[i]] = tries[i].answer.body;
    }
    return OK;
}

static enum fail read_activity(struct schema *schema, struct error *err)
{
    json_t *bodies[HS_ACTIVITIES];

    if (ask_activity(schema, bodies, err) != OK) {
        return err->code;
    }
    for (size_t i = 0; i < HS_ACTIVITIES; i++) {
        struct remote_property *properties;
        size_t count;

        if (read_properties(bodies[i], hubspot_activities[i].object, schema->arena, &properties,
                            &count, err) != OK) {
            return err->code;
        }
        if (i == 0) {
            schema->at = properties;
            schema->count = schema->capacity = count;
        } else {
            keep_common(schema, properties, count);
        }
    }
    return OK;
}

static enum fail read_object(struct schema *schema, struct error *err)
{
    const char *object = hubspot_object(schema->session, schema->kind);
    json_t *body = hubspot_take_seen(schema->session, schema->kind, schema->arena);
    struct hubspot_call call = call_for(schema, schema->kind);
    struct hubspot_answer answer;

    if (!body) {
        if (hubspot_exec(schema->session, &call, schema->arena, &answer, err) != OK) {
            return error_wrap(err, "properties of %s", object);
        }
        body = answer.body;
    }
    if (read_properties(body, object, schema->arena, &schema->at, &schema->count, err) != OK) {
        return err->code;
    }
    schema->capacity = schema->count;
    return OK;
}

enum fail hubspot_describe(struct session *session, const char *kind, struct arena *arena,
                           struct remote_schema *ret, struct error *err)
{
    struct schema schema = {.session = session, .kind = kind, .arena = arena};
    bool is_activity = strcmp(kind, HS_ACTIVITY) == 0;

    if ((is_activity ? read_activity(&schema, err) : read_object(&schema, err)) != OK) {
        return err->code;
    }
    if (is_activity) {
        add_activity(&schema);
    }
    add_relations(&schema);
    if (add_pipelines(&schema, err) != OK) {
        return err->code;
    }
    *ret = (struct remote_schema){.properties = schema.at, .count = schema.count};
    return OK;
}

/* --- owners ----------------------------------------------------------------------------------- */

struct owners {
    struct remote_user *at;
    size_t count, capacity;
};

static enum fail add_owner(struct owners *owners, const json_t *item, bool is_active,
                           struct arena *arena, struct error *err)
{
    struct remote_user user = {.is_active = is_active};
    struct str first, last;

    if (jx_id(arena, item, "id", &user.remote_id, err) != OK ||
        jx_str_or(item, "email", STR(""), &user.email, err) != OK ||
        jx_str_or(item, "firstName", STR(""), &first, err) != OK ||
        jx_str_or(item, "lastName", STR(""), &last, err) != OK) {
        return err->code;
    }
    user.name =
        str_trim(arena_printf(arena, "%" PRI_STR " %" PRI_STR, STR_ARG(first), STR_ARG(last)));
    if (owners->count == owners->capacity) {
        size_t capacity = 2 * owners->capacity + 16;
        struct remote_user *at = ARENA_ARRAY(arena, struct remote_user, capacity);

        for (size_t i = 0; i < owners->count; i++) {
            at[i] = owners->at[i];
        }
        owners->at = at;
        owners->capacity = capacity;
    }
    owners->at[owners->count++] = user;
    return OK;
}

/* Records may still belong to those who left: both lists are read.
 * source: developers.hubspot.com, owners. */
static enum fail read_owners(struct session *session, bool is_active, struct arena *arena,
                             struct owners *owners, struct error *err)
{
    struct str after = STR("");

    for (int pages = 0; pages < OWNER_PAGES_MAX; pages++) {
        struct str tail = arena_printf(arena, "?limit=%d&archived=%s%s%" PRI_STR, OWNERS_PAGE_MAX,
                                       is_active ? "false" : "true", after.len ? "&after=" : "",
                                       STR_ARG(http_percent_encode(arena, after)));
        struct hubspot_call call = {.method = HTTP_GET,
                                    .path = hubspot_path(session, arena, "owners", tail.at),
                                    .is_safe = true};
        struct hubspot_answer answer;
        struct str next;
        json_t *rows;

        if (hubspot_exec(session, &call, arena, &answer, err) != OK ||
            jx_array(answer.body, "results", &rows, err) != OK ||
            hubspot_next_after(arena, answer.body, &next, err) != OK) {
            return err->code;
        }
        for (size_t i = 0; i < json_array_size(rows); i++) {
            if (add_owner(owners, json_array_get(rows, i), is_active, arena, err) != OK) {
                return err->code;
            }
        }
        if (next.len == 0) {
            return OK;
        }
        after = next;
    }
    return error_set(err, FAIL_RETRY, "the listing does not end");
}

enum fail hubspot_users(struct session *session, struct arena *arena, struct remote_users *ret,
                        struct error *err)
{
    struct owners owners = {0};

    if (read_owners(session, true, arena, &owners, err) != OK ||
        read_owners(session, false, arena, &owners, err) != OK) {
        return error_wrap(err, "owners");
    }
    *ret = (struct remote_users){.at = owners.at, .count = owners.count};
    return OK;
}
