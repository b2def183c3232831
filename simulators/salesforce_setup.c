/* What every company has from the start: itself, its users with their profile, record types, stages, statuses. */
#include "simulators/salesforce_inside.h"

#include "core/jx.h"

struct setup {
    struct sf_unit unit;
    struct arena arena;
};

static struct sf_record *make(struct setup *setup, enum sf_standard which, const json_t *fields)
{
    struct sf_error err;
    struct sf_record *record =
        sf_create(&setup->unit, setup->unit.sf->objects[which], fields, &err);

    if (!record) {
        abort(); /* the content is ours */
    }
    return record;
}

static json_t *own(struct setup *setup, json_t *take_fields)
{
    return jx_own(&setup->arena, take_fields);
}

static struct str id_of(struct setup *setup, const struct sf_record *record)
{
    return sf_record_id_str(&setup->arena, record);
}

/* --- people ------------------------------------------------------------------------------------ */

static const struct {
    const char *first, *last, *email;
    bool is_active;
} users[] = {
    {"Integration", "User", "integration@crm.example", true},
    {"Remi", "Sand", "remi.sand@crm.example", true},
    {"Inès", "Marchetti", "ines.marchetti@crm.example", true},
    {"Lena", "Fischer", "lena.fischer@crm.example", true},
    {"Marek", "Nowak", "marek.nowak@crm.example", false},
};

static void users_make(struct setup *setup)
{
    struct salesforce *sf = setup->unit.sf;
    struct sf_record *profile = make(
        setup, SF_PROFILE,
        own(setup, json_pack("{s:s,s:s}", "Name", "System Administrator", "UserType", "Standard")));
    const char *profile_id = id_of(setup, profile).at;
    struct sf_record *permissions = make(
        setup, SF_PERMISSION_SET,
        own(setup, json_pack("{s:s,s:s,s:b,s:s,s:s,s:b,s:b,s:b,s:b,s:b}", "Name",
                             "X00ex00000018ozT", "Label", "System Administrator",
                             "IsOwnedByProfile", 1, "ProfileId", profile_id, "Type", "Profile",
                             "PermissionsViewAllData", 1, "PermissionsModifyAllData", 1,
                             "PermissionsViewSetup", 1, "PermissionsApiEnabled", 1,
                             "PermissionsCustomizeApplication", !(sf->quirks & SF_NO_CUSTOMIZE))));

    for (size_t i = 0; i < COUNT_OF(users); i++) {
        struct sf_record *user =
            make(setup, SF_USER,
                 own(setup,
                     json_pack("{s:s,s:s,s:s,s:s,s:b,s:s,s:s,s:s,s:s}", "FirstName", users[i].first,
                               "LastName", users[i].last, "Username", users[i].email, "Email",
                               users[i].email, "IsActive", users[i].is_active, "ProfileId",
                               profile_id, "TimeZoneSidKey", "Europe/Berlin", "LocaleSidKey",
                               "en_US", "LanguageLocaleKey", "en_US")));

        make(setup, SF_PERMISSION_SET_ASSIGNMENT,
             own(setup, json_pack("{s:s,s:s}", "PermissionSetId", id_of(setup, permissions).at,
                                  "AssigneeId", id_of(setup, user).at)));
        if (i == 0) {
            sf->api_user = setup->unit.session.user = user->base.id;
        } else if (i == 1) {
            sf->person = user->base.id;
        }
    }
    make(setup, SF_GROUP,
         own(setup, json_pack("{s:s,s:s,s:s}", "Name", "Incoming", "DeveloperName", "Incoming",
                              "Type", "Queue")));
}

/* --- settings ---------------------------------------------------------------------------------- */

/* The stages of a new org. Source: object reference, Opportunity and OpportunityStage; defaults as a new developer org shows them. */
static const struct {
    const char *name;
    int probability;
    bool is_closed, is_won;
    const char *category, *category_name;
} stages[] = {
    {"Prospecting", 10, false, false, "Pipeline", "Pipeline"},
    {"Qualification", 10, false, false, "Pipeline", "Pipeline"},
    {"Needs Analysis", 20, false, false, "Pipeline", "Pipeline"},
    {"Value Proposition", 50, false, false, "Pipeline", "Pipeline"},
    {"Id. Decision Makers", 60, false, false, "Pipeline", "Pipeline"},
    {"Perception Analysis", 70, false, false, "Pipeline", "Pipeline"},
    {"Proposal/Price Quote", 75, false, false, "Pipeline", "Pipeline"},
    {"Negotiation/Review", 90, false, false, "Pipeline", "Pipeline"},
    {"Closed Won", 100, true, true, "Closed", "Closed"},
    {"Closed Lost", 0, true, false, "Omitted", "Omitted"},
};

static void stages_make(struct setup *setup)
{
    for (size_t i = 0; i < COUNT_OF(stages); i++) {
        make(setup, SF_OPPORTUNITY_STAGE,
             own(setup,
                 json_pack("{s:s,s:s,s:b,s:i,s:b,s:b,s:s,s:s,s:i}", "MasterLabel", stages[i].name,
                           "ApiName", stages[i].name, "IsActive", 1, "SortOrder", (int)i + 1,
                           "IsClosed", stages[i].is_closed, "IsWon", stages[i].is_won,
                           "ForecastCategory", stages[i].category, "ForecastCategoryName",
                           stages[i].category_name, "DefaultProbability", stages[i].probability)));
    }
}

static void statuses_make(struct setup *setup)
{
    const struct sf_field *status =
        sf_field_find_any(setup->unit.sf->objects[SF_TASK], STR("Status"));

    for (size_t i = 0; i < status->options_count; i++) {
        const char *name = status->options[i].value.at;

        make(setup, SF_TASK_STATUS,
             own(setup,
                 json_pack("{s:s,s:s,s:i,s:b,s:b}", "MasterLabel", name, "ApiName", name,
                           "SortOrder", (int)i + 1, "IsDefault", status->options[i].is_default,
                           "IsClosed", str_equal(str_of(name), STR("Completed")))));
    }
}

static void record_types_make(struct setup *setup)
{
    static const char *const rows[][3] = {{"Account", "Business", "Business"},
                                          {"Contact", "Standard", "Standard"},
                                          {"Opportunity", "New_Business", "New Business"},
                                          {"Opportunity", "Renewal", "Renewal"}};

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        make(setup, SF_RECORD_TYPE,
             own(setup, json_pack("{s:s,s:s,s:s,s:b}", "SobjectType", rows[i][0], "DeveloperName",
                                  rows[i][1], "Name", rows[i][2], "IsActive", 1)));
    }
}

/* --- custom fields ----------------------------------------------------------------------------- */

static void field_make(struct setup *setup, const char *name, json_t *take_metadata)
{
    struct sf_error err;
    struct str rest = str_of(name), object = str_cut(&rest, '.');
    const struct sf_record *permissions =
        (const struct sf_record *)setup->unit.sf->objects[SF_PERMISSION_SET]->table.at[0];

    if (!sf_custom_field_add(&setup->unit, str_of(name), own(setup, take_metadata), &err)) {
        abort(); /* the content is ours */
    }
    make(setup, SF_FIELD_PERMISSIONS,
         own(setup, json_pack("{s:s,s:s,s:s,s:b,s:b}", "ParentId", id_of(setup, permissions).at,
                              "SobjectType", arena_cstr(&setup->arena, object), "Field", name,
                              "PermissionsRead", 1, "PermissionsEdit", 1)));
}

static json_t *choices(const char *type, const char *label, const char *list)
{
    struct str rest = str_of(list);
    json_t *values = json_array();

    while (rest.at) {
        struct str name = str_cut(&rest, '|');

        json_array_append_new(values, json_pack("{s:s%}", "fullName", name.at, name.len));
    }
    return json_pack("{s:s,s:s,s:i,s:{s:b,s:{s:o}}}", "type", type, "label", label, "visibleLines",
                     4, "valueSet", "restricted", 1, "valueSetDefinition", "value", values);
}

void sf_custom_fill(struct salesforce *sf, int64_t now_ms)
{
    struct setup setup = {.unit = {.sf = sf, .now_ms = now_ms / 1000 * 1000, .is_lenient = true}};

    setup.unit.arena = &setup.arena;
    setup.unit.session.user = sf->person;
    field_make(&setup, "Contact.Tier__c", choices("Picklist", "Tier", "Gold|Silver|Bronze"));
    field_make(&setup, "Contact.Interests__c",
               choices("MultiselectPicklist", "Interests", "Events|Newsletter|Trials"));
    field_make(&setup, "Contact.Customer_Since__c",
               json_pack("{s:s,s:s}", "type", "Date", "label", "Customer since"));
    field_make(&setup, "Account.VAT_Number__c",
               json_pack("{s:s,s:s,s:i}", "type", "Text", "label", "VAT number", "length", 20));
    sf_permissions_apply(sf);
    arena_fini(&setup.arena);
}

void sf_setup_fill(struct salesforce *sf, int64_t now_ms)
{
    struct setup setup = {.unit = {.sf = sf, .now_ms = now_ms / 1000 * 1000, .is_lenient = true}};

    setup.unit.arena = &setup.arena;
    setup.unit.session.user = sf->first_number;
    make(&setup, SF_ORGANIZATION,
         own(&setup, json_pack("{s:s,s:s,s:b,s:s,s:s,s:s}", "Name", "Crew GmbH", "OrganizationType",
                               "Developer Edition", "IsSandbox", 0, "InstanceName", "EU50",
                               "TimeZoneSidKey", "Europe/Berlin", "DefaultLocaleSidKey", "en_US")));
    users_make(&setup);
    record_types_make(&setup);
    stages_make(&setup);
    statuses_make(&setup);
    sf_features_fill(&setup.unit);
    arena_fini(&setup.arena);
}
