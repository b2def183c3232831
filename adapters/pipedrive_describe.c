/* Pipedrive's objects as a schema: what the field lists say, the members that every account has
 * and no list mentions, and the pseudo-properties. */
#include <inttypes.h>

#include "adapters/pipedrive_inside.h"
#include "core/jx.h"

enum { FRESH_MS = 10 * 1000 };

struct builder {
    struct session *session;
    struct arena *arena;
    struct remote_property *at;
    size_t count;
};

/* Members and pseudo-properties of a kind. source: OpenAPI v2, request bodies */
static const struct extra {
    enum pipedrive_kind kind;
    const char *name, *label, *type;
} EXTRAS[] = {
    {PD_CONTACT, "name", "Name", "varchar"},
    {PD_CONTACT, "first_name", "First name", "varchar"},
    {PD_CONTACT, "last_name", "Last name", "varchar"},
    {PD_CONTACT, "emails", "Email", "emails"},
    {PD_CONTACT, "phones", "Phone", "phones"},
    {PD_CONTACT, "org_id", "Organization", "org"},
    {PD_CONTACT, "owner_id", "Owner", "user"},
    {PD_COMPANY, "name", "Name", "varchar"},
    {PD_COMPANY, "address", "Address", "address"},
    {PD_COMPANY, "owner_id", "Owner", "user"},
    {PD_DEAL, "title", "Title", "varchar"},
    {PD_DEAL, "value", "Value", "monetary"},
    {PD_DEAL, "currency", "Currency", "varchar"},
    {PD_DEAL, "person_id", "Contact person", "people"},
    {PD_DEAL, "org_id", "Organization", "org"},
    {PD_DEAL, "owner_id", "Owner", "user"},
    {PD_DEAL, "pipeline_id", "Pipeline", "pipeline"},
    {PD_DEAL, "stage_id", "Stage", "stage"},
    {PD_DEAL, "status", "Status", "status"},
    {PD_DEAL, "probability", "Probability", "int"},
    {PD_DEAL, "expected_close_date", "Expected close date", "date"},
    {PD_DEAL, "lost_reason", "Lost reason", "varchar"},
    {PD_DEAL, "deal.contacts", "People of the deal", "references"},
    {PD_ACTIVITY, "org_id", "Organization", "org"},
    {PD_ACTIVITY, "deal_id", "Deal", "deal"},
    {PD_ACTIVITY, "owner_id", "Owner", "user"},
    {PD_ACTIVITY, "activity.type", "Type", "enum"},
    {PD_ACTIVITY, "activity.subject", "Subject", "varchar"},
    {PD_ACTIVITY, "activity.body", "Note", "text"},
    {PD_ACTIVITY, "activity.timestamp", "Due date and time", "datetime"},
    {PD_ACTIVITY, "activity.done", "Done", "boolean"},
    {PD_ACTIVITY, "activity.contacts", "People of the activity", "references"},
};

/* source: members that the v2 documents list in answers but not in request bodies; person_id of an
 * activity: the migration guide */
static bool is_read_only(enum pipedrive_kind kind, const char *code)
{
    static const char *const READ_ONLY[] = {"id",
                                            "add_time",
                                            "update_time",
                                            "is_deleted",
                                            "picture_id",
                                            "creator_user_id",
                                            "stage_change_time",
                                            "archive_time",
                                            "local_won_date",
                                            "local_lost_date",
                                            "local_close_date",
                                            "first_won_time",
                                            "origin",
                                            "origin_id",
                                            "channel",
                                            "channel_id",
                                            "acv",
                                            "arr",
                                            "mrr",
                                            "weighted_value",
                                            "next_activity_id",
                                            "next_activity_date",
                                            "last_activity_id",
                                            "last_activity_date",
                                            "last_incoming_mail_time",
                                            "last_outgoing_mail_time",
                                            "marked_as_done_time",
                                            "attendees"};

    for (size_t i = 0; i < COUNT_OF(READ_ONLY); i++) {
        if (strcmp(code, READ_ONLY[i]) == 0) {
            return true;
        }
    }
    return (kind == PD_ACTIVITY && strcmp(code, "person_id") == 0) ||
           str_ends(str_of(code), STR("_count"));
}

static bool is_required(enum pipedrive_kind kind, const char *code)
{
    return strcmp(code, kind == PD_DEAL ? "title" : kind == PD_ACTIVITY ? "" : "name") == 0;
}

static void add_field(struct builder *b, enum pipedrive_kind kind,
                      const struct pipedrive_field *field)
{
    struct remote_option *options =
        ARENA_ARRAY(b->arena, struct remote_option, field->options_count + 1);

    for (size_t i = 0; i < field->options_count; i++) {
        options[i].value = arena_str(b->arena, str_of(field->options[i].value));
        options[i].label = arena_str(b->arena, str_of(field->options[i].label));
    }
    b->at[b->count++] = (struct remote_property){
        .name = field->is_custom ? arena_printf(b->arena, PD_CUSTOM_PREFIX "%s", field->name)
                                 : arena_str(b->arena, str_of(field->code)),
        .label = arena_str(b->arena, str_of(field->name)),
        .type = arena_str(b->arena, str_of(field->type)),
        .is_writable = field->is_custom || !is_read_only(kind, field->code),
        .is_required = !field->is_custom && is_required(kind, field->code),
        .is_custom = field->is_custom,
        .options = options,
        .options_count = field->options_count};
}

static struct remote_property *property_named(struct builder *b, const char *name)
{
    for (size_t i = 0; i < b->count; i++) {
        if (str_equal(b->at[i].name, str_of(name))) {
            return &b->at[i];
        }
    }
    return NULL;
}

static void add_extras(struct builder *b, enum pipedrive_kind kind)
{
    for (size_t i = 0; i < COUNT_OF(EXTRAS); i++) {
        if (EXTRAS[i].kind == kind && !property_named(b, EXTRAS[i].name)) {
            b->at[b->count++] =
                (struct remote_property){.name = str_of(EXTRAS[i].name),
                                         .label = str_of(EXTRAS[i].label),
                                         .type = str_of(EXTRAS[i].type),
                                         .is_writable = true,
                                         .is_required = is_required(kind, EXTRAS[i].name)};
        }
    }
}

static void set_options(struct builder *b, const char *name, const struct remote_option *options,
                        size_t count)
{
    struct remote_property *property = property_named(b, name);

    if (property) {
        property->options = options;
        property->options_count = count;
    }
}

/* --- pipelines and stages --------------------------------------------------------------------- */

static const char *pipeline_name(const struct pipedrive_stages *stages, int64_t id)
{
    for (size_t i = 0; i < stages->count; i++) {
        if (stages->at[i].pipeline_id == 0 && stages->at[i].id == id) {
            return stages->at[i].name;
        }
    }
    return "?";
}

/* Stages of several pipelines often share a name. */
static bool is_shared(const struct pipedrive_stages *stages, const struct pipedrive_stage *stage)
{
    for (size_t i = 0; i < stages->count; i++) {
        if (&stages->at[i] != stage && stages->at[i].pipeline_id &&
            strcmp(stages->at[i].name, stage->name) == 0) {
            return true;
        }
    }
    return false;
}

static void add_stage_options(struct builder *b)
{
    static const struct remote_option STATES[] = {
        {{.at = "open", .len = 4}, {.at = "Open", .len = 4}},
        {{.at = "won", .len = 3}, {.at = "Won", .len = 3}},
        {{.at = "lost", .len = 4}, {.at = "Lost", .len = 4}}};
    const struct pipedrive_stages *all = &b->session->stages;
    struct remote_option *stages = ARENA_ARRAY(b->arena, struct remote_option, all->count + 1);
    struct remote_option *pipelines = ARENA_ARRAY(b->arena, struct remote_option, all->count + 1);
    size_t stages_count = 0, pipelines_count = 0;

    for (size_t i = 0; i < all->count; i++) {
        const struct pipedrive_stage *row = &all->at[i];
        bool is_pipeline = row->pipeline_id == 0;
        struct remote_option *option =
            is_pipeline ? &pipelines[pipelines_count++] : &stages[stages_count++];

        option->value = arena_printf(b->arena, "%" PRId64, row->id);
        option->label =
            !is_pipeline && is_shared(all, row)
                ? arena_printf(b->arena, "%s / %s", pipeline_name(all, row->pipeline_id), row->name)
                : arena_str(b->arena, str_of(row->name));
    }
    set_options(b, "stage_id", stages, stages_count);
    set_options(b, "pipeline_id", pipelines, pipelines_count);
    set_options(b, "status", STATES, COUNT_OF(STATES));
}

/* --- activity types --------------------------------------------------------------------------- */

/* Types that were switched off stay on old activities, so they are listed as well. */
static enum fail add_type_options(struct builder *b, struct error *err)
{
    struct pipedrive_answer answer;
    struct pipedrive_call call = {.method = HTTP_GET,
                                  .path = STR("/api/v1/activityTypes"),
                                  .tokens = PD_COST_V1_LIST,
                                  .is_safe = true};
    struct remote_option *options;
    size_t count = 0;
    json_t *rows;

    if (pipedrive_exec(b->session, &call, b->arena, &answer, err) != OK ||
        jx_array_or_null(answer.body, "data", &rows, err) != OK) {
        return error_wrap(err, "activity types");
    }
    options = ARENA_ARRAY(b->arena, struct remote_option, json_array_size(rows) + 1);
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i);

        if (jx_str(row, "key_string", &options[count].value, err) != OK ||
            jx_str(row, "name", &options[count].label, err) != OK) {
            return error_wrap(err, "activity types");
        }
        count++;
    }
    options[count++] = (struct remote_option){.value = STR("note"), .label = STR("Note")};
    set_options(b, "activity.type", options, count);
    return OK;
}

/* A run sets up and then describes: once after a set-up its reading serves. */
static bool is_just_read(struct session *session, struct pipedrive_fields *fields)
{
    int64_t age_ms = clock_wall_ms(session->env->clock) - fields->set_up_ms;
    bool is_fresh = fields->is_loaded && fields->set_up_ms && age_ms >= 0 && age_ms < FRESH_MS;

    fields->set_up_ms = 0;
    return is_fresh;
}

enum fail pipedrive_describe(struct session *session, const char *kind, struct arena *arena,
                             struct remote_schema *ret, struct error *err)
{
    enum pipedrive_kind index = pipedrive_kind_index(kind);
    struct builder b = {.session = session, .arena = arena};
    struct pipedrive_fields *fields = &session->fields[index];
    bool is_fresh = is_just_read(session, fields);

    if (pipedrive_load_fields(session, kind, !is_fresh, err) != OK ||
        (index == PD_DEAL && pipedrive_load_stages(session, true, err) != OK)) {
        return err->code;
    }
    b.at = ARENA_ARRAY(arena, struct remote_property, fields->count + COUNT_OF(EXTRAS));
    for (size_t i = 0; i < fields->count; i++) {
        add_field(&b, index, &fields->at[i]);
    }
    add_extras(&b, index);
    if (index == PD_DEAL) {
        add_stage_options(&b);
    }
    if (index == PD_ACTIVITY && add_type_options(&b, err) != OK) {
        return err->code;
    }
    *ret = (struct remote_schema){.properties = b.at, .count = b.count};
    return OK;
}
