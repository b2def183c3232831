/* Salesforce: its objects as a schema. A kind of several objects shows the fields of all of them. */
#include "adapters/salesforce_write.h"

#include "core/jx.h"

enum { FRESH_MS = 60 * 1000 };

struct builder {
    struct session *session;
    struct arena *arena;
    struct remote_property *at;
    size_t count;
};

/* --- fields ----------------------------------------------------------------------------------- */

/* Compound fields are shown by their parts. source: Object Reference, "Compound Fields" */
static bool is_shown(const struct salesforce_field *field)
{
    return !str_equal(field->type, STR("address")) && !str_equal(field->type, STR("location")) &&
           !str_equal(field->type, STR("base64"));
}

/* What a create must state: the platform neither allows nothing nor puts something. Check boxes are never empty. */
static bool is_required(const struct salesforce_field *field)
{
    return !field->is_nillable && field->is_createable && !field->is_defaulted &&
           !str_equal(field->type, STR("boolean"));
}

static bool has_property(const struct builder *b, struct str name)
{
    for (size_t i = 0; i < b->count; i++) {
        if (str_equal(b->at[i].name, name)) {
            return true;
        }
    }
    return false;
}

static const struct remote_option *copy_options(struct arena *arena,
                                                const struct remote_option *options, size_t count)
{
    struct remote_option *copies = ARENA_ARRAY(arena, struct remote_option, count + 1);

    for (size_t i = 0; i < count; i++) {
        copies[i].value = arena_str(arena, options[i].value);
        copies[i].label = arena_str(arena, options[i].label);
    }
    return copies;
}

static void add_field(struct builder *b, const struct salesforce_field *field)
{
    b->at[b->count++] = (struct remote_property){
        .name = arena_str(b->arena, field->name),
        .label = arena_str(b->arena, field->label),
        .type = arena_str(b->arena, field->type),
        .is_writable = field->is_createable || field->is_updateable,
        .is_required = is_required(field),
        .is_custom = field->is_custom,
        .is_unique = field->is_unique,
        .options = copy_options(b->arena, field->options, field->options_count),
        .options_count = field->options_count};
}

static void add_fields(struct builder *b, const struct salesforce_object *object, bool is_first)
{
    for (size_t i = 0; i < object->fields_count; i++) {
        if (is_shown(&object->fields[i]) &&
            (is_first || !has_property(b, object->fields[i].name))) {
            add_field(b, &object->fields[i]);
        }
    }
}

/* --- pseudo-properties ------------------------------------------------------------------------ */

struct pseudo {
    const char *kind, *name, *label, *type;
    bool is_read_only;
    /* whose picklist it shows; NULL: the words below, or none */
    const char *object, *field;
    const char *words[6];
};

static const struct pseudo PSEUDOS[] = {
    {.kind = "contact",
     .name = SF_LEAD_STATUS,
     .label = "Lead status",
     .type = "picklist",
     .object = SF_LEAD,
     .field = "Status"},
    {.kind = "deal",
     .name = SF_DEAL_STAGE,
     .label = "Stage while open",
     .type = "picklist",
     .object = SF_OPPORTUNITY,
     .field = "StageName"},
    {.kind = "deal",
     .name = SF_DEAL_STATUS,
     .label = "Status",
     .type = "picklist",
     .words = {"open", "won", "lost"}},
    {.kind = "deal", .name = SF_DEAL_CONTACTS, .label = "Contact roles", .type = "references"},
    {.kind = "activity",
     .name = SF_ACTIVITY_TYPE,
     .label = "Type",
     .type = "picklist",
     .words = {"task", "call", "email", "meeting", "note"}},
    {.kind = "activity", .name = SF_ACTIVITY_SUBJECT, .label = "Subject", .type = "string"},
    {.kind = "activity", .name = SF_ACTIVITY_BODY, .label = "Description", .type = "textarea"},
    {.kind = "activity",
     .name = SF_ACTIVITY_TIMESTAMP,
     .label = "Due date or start",
     .type = "datetime"},
    {.kind = "activity", .name = SF_ACTIVITY_DONE, .label = "Done", .type = "boolean"},
    {.kind = "activity", .name = SF_ACTIVITY_CONTACTS, .label = "Contacts", .type = "references"},
    {.kind = "activity", .name = SF_ACTIVITY_COMPANY, .label = "Account", .type = "reference"},
    {.kind = "activity", .name = SF_ACTIVITY_DEAL, .label = "Opportunity", .type = "reference"},
};

static void set_words(struct builder *b, const struct pseudo *pseudo, struct remote_property *ret)
{
    struct remote_option *options =
        ARENA_ARRAY(b->arena, struct remote_option, COUNT_OF(pseudo->words));

    while (pseudo->words[ret->options_count]) {
        struct str word = str_of(pseudo->words[ret->options_count]);

        options[ret->options_count++] = (struct remote_option){.value = word, .label = word};
    }
    ret->options = options;
}

static bool is_closed_stage(const struct session *session, struct str name)
{
    for (size_t i = 0; i < session->choices->stages_count; i++) {
        if (str_equal(session->choices->stages[i].name, name)) {
            return session->choices->stages[i].is_closed;
        }
    }
    return false;
}

/* The stages that mean won and lost are deal.status: a mapping need not have words for them. */
static void leave_closed_out(const struct builder *b, struct remote_property *stage)
{
    struct remote_option *open =
        ARENA_ARRAY(b->arena, struct remote_option, stage->options_count + 1);
    size_t count = 0;

    for (size_t i = 0; i < stage->options_count; i++) {
        if (!is_closed_stage(b->session, stage->options[i].value)) {
            open[count++] = stage->options[i];
        }
    }
    stage->options = open;
    stage->options_count = count;
}

static void add_pseudo(struct builder *b, const struct pseudo *pseudo)
{
    struct remote_property *property = &b->at[b->count++];

    *property = (struct remote_property){.name = str_of(pseudo->name),
                                         .label = str_of(pseudo->label),
                                         .type = str_of(pseudo->type),
                                         .is_writable = true};
    set_words(b, pseudo, property);
    if (pseudo->object) {
        const struct salesforce_field *field = salesforce_field_named(
            salesforce_object_named(b->session, pseudo->object), str_of(pseudo->field));

        property->options_count = field ? field->options_count : 0;
        property->options =
            field ? copy_options(b->arena, field->options, field->options_count) : NULL;
    }
    if (strcmp(pseudo->name, SF_DEAL_STAGE) == 0) {
        leave_closed_out(b, property);
    }
}

/* Ids of record types differ between orgs; mappings name them as developers do. source: Object Reference, RecordType */
static void add_record_type(struct builder *b, const struct salesforce_object *object)
{
    struct remote_option *options =
        ARENA_ARRAY(b->arena, struct remote_option, object->record_types_count + 1);
    size_t count = 0;

    for (size_t i = 0; i < object->record_types_count; i++) {
        const struct salesforce_record_type *type = &object->record_types[i];

        if (type->id.len && type->developer_name.len) {
            options[count].value = arena_str(b->arena, type->developer_name);
            options[count++].label = arena_str(b->arena, type->label);
        }
    }
    b->at[b->count++] = (struct remote_property){.name = STR(SF_RECORD_TYPE),
                                                 .label = STR("Record type"),
                                                 .type = STR("picklist"),
                                                 .is_writable = true,
                                                 .options = options,
                                                 .options_count = count};
}

/* A kind that the mapping placed elsewhere has none of them. */
static void add_pseudos(struct builder *b, const char *kind, const char *object)
{
    const struct adapter_object *own = adapter_object_of(&adapter_salesforce, kind);

    for (size_t i = 0; i < COUNT_OF(PSEUDOS); i++) {
        if (own && strcmp(PSEUDOS[i].kind, kind) == 0 &&
            (!own->object[0] || strcmp(own->object, object) == 0)) {
            add_pseudo(b, &PSEUDOS[i]);
        }
    }
}

/* --- the contract ----------------------------------------------------------------------------- */

/* A run that just described its objects need not do it again. */
static bool is_stale(struct session *session, const char *const *parts, size_t count)
{
    int64_t now_ms = clock_wall_ms(session->env->clock);

    for (size_t i = 0; i < count; i++) {
        int64_t read_ms = salesforce_object_named(session, parts[i])->read_ms;

        if (read_ms == 0 || now_ms - read_ms > FRESH_MS || now_ms < read_ms) {
            return true;
        }
    }
    return false;
}

enum fail salesforce_describe(struct session *session, const char *kind, struct arena *arena,
                              struct remote_schema *ret, struct error *err)
{
    const char *parts[SF_PARTS_MAX];
    size_t count = salesforce_parts(session, kind, true, parts), fields = COUNT_OF(PSEUDOS);
    struct builder b = {.session = session, .arena = arena};

    error_reset(err);
    if (salesforce_load_objects(session, parts, count, is_stale(session, parts, count), err) !=
            OK ||
        salesforce_ready(session, kind, NULL, 0, err) != OK ||
        (strcmp(kind, "deal") == 0 && salesforce_load_choices(session, err) != OK)) {
        return err->code;
    }
    for (size_t i = 0; i < count; i++) {
        fields += salesforce_object_named(session, parts[i])->fields_count;
    }
    b.at = ARENA_ARRAY(arena, struct remote_property, fields + 2);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(parts[i], SF_LEAD) != 0) {
            add_fields(&b, salesforce_object_named(session, parts[i]), i == 0);
        }
    }
    add_pseudos(&b, kind, parts[0]);
    if (salesforce_field_named(salesforce_object_named(session, parts[0]), STR("RecordTypeId"))) {
        add_record_type(&b, salesforce_object_named(session, parts[0]));
    }
    *ret = (struct remote_schema){.properties = b.at, .count = b.count};
    return OK;
}
