/* The parts of the HubSpot simulator, for each other only. State lives in struct hubspot; it is guarded by the simulator's mutex.
 *
 *   hubspot_schema        kinds of objects, their properties, groups and options
 *   hubspot_values        may this text be written to this property, and what is stored then
 *   hubspot_record        records: values with history, unique values, merge, erase. No HTTP
 *   hubspot_links         associations between records. No HTTP
 *   hubspot_pipelines     pipelines and stages
 *   hubspot_control       the hooks of /__sim
 *   hubspot_drift         what an administrator changes in the settings
 *   hubspot_json          records and errors as JSON text
 *   hubspot_write         from a JSON object of properties to an applied change
 *   hubspot_custom        objects that the account defines
 *   hubspot_objects, _batch, _search(_read), _properties, _association(s, _batches), _account    the
 *                         endpoints
 *   hubspot_oauth         signing in
 *   hubspot_webhooks      what the app is told
 *   hubspot_journal       what the app reads of it by itself
 *   hubspot_fill(_work)   the made-up content of a new account
 *   hubspot               routing, authentication, limits
 *
 * Facts: docs/simulators.md. */
#ifndef CRMSYNC_SIMULATORS_HUBSPOT_INSIDE_H
#define CRMSYNC_SIMULATORS_HUBSPOT_INSIDE_H

#include "simulators/inside.h"

struct sim_oauth_spec;

enum {
    HS_PORTAL_ID = 4242,
    HS_APP_ID = 9001,
    HS_USER_ID = 77,
    HS_KINDS_MAX = 24, /* custom objects included */
    HS_PIPELINES_MAX = 20,
    HS_STAGES_MAX = 100,
    HS_FIRST_CUSTOM_TYPE = 3400000, /* numbers of custom objects: "2-3400009" */
    HS_PROPERTIES_MAX = 1000,
    HS_BATCH_MAX = 100,
    HS_LIST_MAX = 100,
    HS_HISTORY_MAX = 50, /* rows of a page with history */
    HS_SEARCH_MAX = 200,
    HS_SEARCH_CAP = 10000,
    HS_TEXT_BYTES_MAX = 65536,
    HS_UNIQUE_MAX = 10,
    HS_MERGES_MAX = 250,
    HS_SCRATCH_BYTES = 32,
};

struct hubspot;

/* --- schema ---------------------------------------------------------------------------------------- */

/* A property whose value is not stored but follows from the record. */
enum hs_derived {
    HS_STORED = 0,
    HS_IS_ID,
    HS_IS_CREATED,
    HS_IS_MODIFIED,
    HS_IS_CONTACT_COUNT,   /* of a company */
    HS_IS_PRIMARY_COMPANY, /* of a contact */
};

enum hs_flag {
    HS_READ_ONLY = 1 << 0,
    HS_CALCULATED = 1 << 1,
    HS_UNIQUE = 1 << 2, /* hasUniqueValue */
    HS_CUSTOM = 1 << 3, /* made in this account */
    HS_ARCHIVED = 1 << 4,
    HS_EMAIL = 1 << 5,        /* an e-mail address: checked and lower-cased */
    HS_EMAIL_LIST = 1 << 6,   /* the same, ';'-joined */
    HS_FORWARD_ONLY = 1 << 7, /* an enumeration that only moves towards its end unless cleared */
    HS_OWNER = 1 << 8,        /* options are the owners */
    HS_SEARCHED = 1 << 9,     /* looked at by a search's free text */
    HS_HIDDEN = 1 << 10,
    HS_FORM_FIELD = 1 << 11,
    HS_EXTERNAL = 1 << 12, /* options are not listed with the property: stages */
};

enum hs_type { HS_STRING, HS_NUMBER, HS_BOOL, HS_ENUMERATION, HS_DATE, HS_DATETIME };

struct hs_option {
    struct str value, label;
    bool is_hidden;
};

struct hs_property {
    struct str name, label, field_type, group, description;
    enum hs_type type;
    enum hs_derived derived;
    unsigned flags; /* enum hs_flag */
    struct hs_option *options;
    size_t options_count;
    int64_t created_ms, updated_ms;
    int64_t display_order;
    json_t *holders; /* owned; HS_UNIQUE and e-mail: value → record id. NULL otherwise */
};

struct hs_group {
    struct str name, label;
    int64_t display_order;
    bool is_archived;
};

/* One kind of object: its schema and its records. */
struct hs_kind {
    const struct hs_kind_spec *spec;
    const struct hs_custom *custom; /* NULL = HubSpot's own */
    bool is_archived;               /* custom ones only */
    struct hs_property *properties; /* owned array; an index stays valid for ever */
    size_t properties_count;
    json_t *by_name; /* owned: property name → index */
    struct hs_group *groups;
    size_t groups_count;
    struct sim_table table;
    int64_t next_id;
    size_t created_index, modified_index, id_index;
    size_t merged_ids_index, source_index;
};

/* What is fixed about a kind. */
struct hs_property_spec {
    const char *name, *label, *type, *field_type;
    unsigned flags;
    enum hs_derived derived;
    const char *options; /* "value|value=Label|…" or NULL */
};
struct hs_kind_spec {
    const char *type_id;         /* "0-1" */
    const char *plural;          /* "contacts" */
    const char *singular;        /* "contact" */
    const char *upper;           /* "CONTACT" */
    const char *title;           /* "Contact" */
    const char *group;           /* of its own properties */
    const char *const *defaults; /* returned when no properties are named; NULL-terminated */
    const struct hs_property_spec *properties;
    size_t properties_count;
    int64_t first_id;
    const char *required;     /* properties that a create must have, with commas; NULL none */
    const char *unique_email; /* property holding the unique e-mail address; NULL none */
    const char *extra_emails; /* further addresses of the same record; NULL none */
    bool is_activity;         /* unknown properties are ignored, no merge */
};

/* What only an object that the account defined has. */
struct hs_custom {
    const char *name; /* "subscription" */
    struct str plural_label, primary, searchable;
    int64_t created_ms;
};

void hs_schema_init(struct hubspot *hs, int64_t now_ms);
void hs_schema_fini(struct hubspot *hs);
/* At most HS_KINDS_MAX; spec and custom are borrowed. */
struct hs_kind *hs_kind_add(struct hubspot *hs, const struct hs_kind_spec *spec,
                            const struct hs_custom *custom, int64_t now_ms);
void hs_kind_drop(struct hubspot *hs); /* the last one added, which nothing refers to yet */
/* By plural, singular or number ("contacts", "contact", "CONTACT", "0-1"); NULL. */
struct hs_kind *hs_kind_find(struct hubspot *hs, struct str name);
/* Live property; -1. */
long hs_property_find(const struct hs_kind *kind, struct str name);
/* Also archived ones. */
long hs_property_find_any(const struct hs_kind *kind, struct str name);
struct hs_property *hs_property_add(struct hubspot *hs, struct hs_kind *kind, struct str name);
struct hs_group *hs_group_find(struct hs_kind *kind, struct str name);
struct hs_group *hs_group_add(struct hubspot *hs, struct hs_kind *kind, struct str name,
                              struct str label);
bool hs_type_parse(struct str text, enum hs_type *ret);
const char *hs_type_name(enum hs_type type);
bool hs_property_is_writable(const struct hs_property *property);
bool hs_property_is_multi(const struct hs_property *property);

/* --- records --------------------------------------------------------------------------------------- */

/* Who changed something, as history shows it. */
struct hs_source {
    const char *type; /* "INTEGRATION" */
    const char *id;   /* "9001", "userId:77" */
    int64_t user_id;  /* 0 none */
};
extern const struct hs_source hs_source_app, hs_source_person, hs_source_workflow, hs_source_import,
    hs_source_merge, hs_source_calculated;

/* One value of one property, the present one first. Immutable; lives in the account's arena. */
struct hs_version {
    struct hs_version *older;
    const struct hs_source *source;
    int64_t at_ms;
    uint32_t len;
    bool is_plain; /* needs no escaping in JSON */
    char text[];   /* "" = cleared */
};

struct hs_link {
    struct hs_kind *kind; /* of the other record */
    int64_t to_id;
    uint16_t *types; /* owned; ascending */
    size_t types_count;
};

struct hs_record {
    struct sim_record base;
    struct hs_version **values; /* owned; by property index */
    size_t values_count;
    struct hs_link *links; /* owned */
    size_t links_count, links_capacity;
    int merges; /* absorbed so far */
    bool is_purged;
};

struct hs_record *hs_record_new(struct hs_kind *kind, int64_t id, int64_t created_ms);
void hs_record_free(struct hs_record *record);
/* Live record of this id, or the survivor of a merged-away one; NULL. */
struct hs_record *hs_record_live(const struct hs_kind *kind, struct str id);
/* Exactly this id, whatever its state, but no purged one; NULL. */
struct hs_record *hs_record_any(const struct hs_kind *kind, struct str id);
struct hs_record *hs_record_by_id(const struct hs_kind *kind, int64_t id);
bool hs_record_is_live(const struct hs_record *record);

/* Stores a value (already checked) with its history and unique index. Does not move last-modified. */
void hs_record_set(struct hubspot *hs, struct hs_kind *kind, struct hs_record *record,
                   size_t property, struct str text, const struct hs_source *source, int64_t at_ms);
/* The version that was current at as_of_ms; NULL when it was never set by then. */
const struct hs_version *hs_version_at(const struct hs_record *record, size_t property,
                                       int64_t as_of_ms);
/* Value as text: STR_NONE when never set. scratch holds derived values. */
struct str hs_value_at(const struct hs_kind *kind, const struct hs_record *record, size_t property,
                       int64_t as_of_ms, char scratch[HS_SCRATCH_BYTES]);
struct str hs_value(const struct hs_kind *kind, const struct hs_record *record, size_t property,
                    char scratch[HS_SCRATCH_BYTES]);
int64_t hs_modified_at(const struct hs_record *record, int64_t as_of_ms);

/* Holder of a unique value: record id or 0. */
int64_t hs_unique_holder(const struct hs_property *property, struct str value);
/* An e-mail address of any contact, additional ones included. */
int64_t hs_email_holder(const struct hs_kind *kind, struct str email);

void hs_record_archive(struct hs_kind *kind, struct hs_record *record, int64_t now_ms);
/* False: a unique value has been taken by another record since. */
bool hs_record_restore(struct hs_kind *kind, struct hs_record *record, int64_t now_ms);
void hs_record_purge(struct hs_kind *kind, struct hs_record *record, int64_t now_ms);
/* Makes the survivor under a new id; both former ids lead to it. */
struct hs_record *hs_record_merge(struct hubspot *hs, struct hs_kind *kind,
                                  struct hs_record *primary, struct hs_record *other,
                                  int64_t now_ms);
int64_t hs_next_id(struct hubspot *hs, struct hs_kind *kind);

/* --- links ----------------------------------------------------------------------------------------- */

enum hs_link_category { HS_LINK_HUBSPOT, HS_LINK_USER };

struct hs_link_type {
    struct hs_kind *from, *to;
    uint16_t id, reverse_id;
    const char *label; /* NULL = unlabelled */
    bool is_primary;
    enum hs_link_category category;
    bool is_archived;
};

void hs_links_init(struct hubspot *hs);
const struct hs_link_type *hs_link_default(const struct hubspot *hs, const struct hs_kind *from,
                                           const struct hs_kind *to);
const struct hs_link_type *hs_link_type_find(const struct hubspot *hs, const struct hs_kind *from,
                                             const struct hs_kind *to, int64_t id);
/* A user's own label for a pair of kinds, in both directions; NULL when the pair has too many. */
const struct hs_link_type *hs_link_type_add(struct hubspot *hs, struct hs_kind *from,
                                            struct hs_kind *to, struct str label,
                                            struct str inverse_label);
/* Makes these kinds able to be associated; nothing when they are. */
void hs_link_pair_add(struct hubspot *hs, struct hs_kind *from, struct hs_kind *to);
void hs_link_type_remove(struct hubspot *hs, const struct hs_link_type *type);
const struct hs_link *hs_link_get(const struct hs_record *record, const struct hs_kind *to_kind,
                                  int64_t to_id);
/* Adds a type in both directions, with the unlabelled one; keeps primary single. */
void hs_link_add(struct hubspot *hs, struct hs_kind *kind, struct hs_record *record,
                 const struct hs_link_type *type, struct hs_record *to);
/* Removes one type, or the whole link for type NULL or the unlabelled one. */
void hs_link_remove(struct hubspot *hs, struct hs_kind *kind, struct hs_record *record,
                    struct hs_kind *to_kind, struct hs_record *to, const struct hs_link_type *type);
/* The company that is marked primary; 0. */
int64_t hs_link_primary(const struct hs_record *record);
int64_t hs_links_live_count(const struct hs_record *record, const char *plural);
void hs_links_move(struct hubspot *hs, struct hs_kind *kind, struct hs_record *from,
                   struct hs_record *to);

/* --- checking values --------------------------------------------------------------------------------- */

/* One reason why a value was refused. */
struct hs_problem {
    struct str property;
    const char *code;
    struct str message;
};

/* What is stored for this text, in arena. False: *ret_problem says why not. */
bool hs_value_check(struct hubspot *hs, const struct hs_property *property, struct str text,
                    struct arena *arena, struct str *ret, struct hs_problem *ret_problem);

/* --- writing --------------------------------------------------------------------------------------- */

struct hs_setting {
    size_t property;
    struct str text;
};

/* A change that has been read and checked, not yet applied. */
struct hs_write {
    struct hs_setting *settings;
    size_t settings_count;
    struct hs_problem *problems;
    size_t problems_count;
    bool
        is_lenient; /* read-only properties may be set: content made up at the start, /__sim/edit */
};

/* Reads {"name":"text",…} for a record, NULL = a new one. problems_count tells whether it may be applied. */
void hs_write_read(struct hubspot *hs, struct hs_kind *kind, const struct hs_record *record,
                   const json_t *properties, struct arena *arena, struct hs_write *ret);
/* Id of another record that holds one of the unique values; 0 none. */
int64_t hs_write_conflict(const struct hs_kind *kind, const struct hs_record *record,
                          const struct hs_write *write);
/* Names of the properties that a create must have and this one has not, joined by commas; STR_NONE = none missing. */
struct str hs_write_missing(const struct hs_kind *kind, const struct hs_write *write,
                            struct arena *arena);
struct hs_record *hs_write_create(struct hubspot *hs, struct hs_kind *kind,
                                  const struct hs_write *write, const struct hs_source *source,
                                  int64_t now_ms);
void hs_write_apply(struct hubspot *hs, struct hs_kind *kind, struct hs_record *record,
                    const struct hs_write *write, const struct hs_source *source, int64_t now_ms);

/* --- pipelines ------------------------------------------------------------------------------------- */

struct hs_stage {
    struct str id, label;
    const char *meaning; /* a deal's probability, a ticket's state */
    bool is_closed;
};
struct hs_pipeline {
    struct hs_kind *kind;
    struct str id, label;
    struct hs_stage stages[HS_STAGES_MAX];
    size_t stages_count;
};

void hs_pipelines_init(struct hubspot *hs);
/* A stage without a pipeline goes to the first one; a stage of another pipeline becomes a problem of the write. record: NULL = a create.
 * The write has room for one more setting and problem. */
void hs_stage_settle(struct hubspot *hs, const struct hs_kind *kind, const struct hs_record *record,
                     struct arena *arena, struct hs_write *write);
/* What HubSpot calculates from a deal's stage. */
void hs_stage_derive(struct hubspot *hs, struct hs_kind *kind, struct hs_record *record,
                     int64_t now_ms);

/* A change of the settings, as POST /__sim/schema orders it. */
struct hs_drift {
    struct str property, change, option, label, to, type;
};
enum fail hs_drift_apply(struct sim_call *call, struct str object, const json_t *order,
                         struct error *err);
/* Whether the property's options are the pipelines or stages of this kind. */
bool hs_pipelines_own(const struct hs_kind *kind, struct str property);
enum fail hs_pipelines_drift(struct sim_call *call, struct hs_kind *kind,
                             const struct hs_drift *drift, struct error *err);

/* --- JSON ------------------------------------------------------------------------------------------ */

/* An error answer or one row of a batch's errors. */
struct hs_error {
    int status;
    const char *category;     /* NULL none */
    const char *sub_category; /* NULL none */
    struct str message;
    struct str context; /* JSON object text, or STR_NONE */
    struct str errors;  /* JSON array text, or STR_NONE */
};

/* Answers with the error; whatever was built before is dropped. */
void hs_fail(struct sim_call *call, const struct hs_error *error);
/* hs_fail with a category and a formatted message. */
void hs_failf(struct sim_call *call, int status, const char *category, const char *format, ...)
    PRINTF_LIKE(4, 5);
void hs_not_found(struct sim_call *call, struct str id);
struct hs_error hs_error_invalid(struct sim_call *call, const struct hs_write *write);
struct hs_error hs_error_exists(struct sim_call *call, const struct hs_kind *kind, int64_t id);
struct hs_error hs_error_missing(struct sim_call *call, const struct hs_kind *kind,
                                 const struct str *ids, size_t ids_count);
/* trace: objectWriteTraceId of the input, or STR_NONE. */
void hs_put_error_row(struct sim_call *call, const struct hs_error *error, struct str trace);
const char *hs_correlation_id(struct sim_call *call);

/* What to show of records. */
struct hs_view {
    size_t *properties; /* indexes */
    size_t properties_count;
    size_t *history;
    size_t history_count;
    struct hs_kind *linked[HS_KINDS_MAX]; /* inline associations */
    size_t linked_count;
    int64_t as_of_ms; /* INT64_MAX = now */
};

/* Names are separated by commas; unknown ones are left out, as the API does. STR_NONE = the defaults. */
void hs_view_init(struct sim_call *call, struct hs_kind *kind, struct str names,
                  struct hs_view *ret);
/* From a JSON array of names (NULL or empty = the defaults). */
void hs_view_json(struct sim_call *call, struct hs_kind *kind, const json_t *names,
                  struct hs_view *ret);
size_t *hs_property_list(struct sim_call *call, struct hs_kind *kind, struct str names,
                         size_t *ret_count);
size_t *hs_property_list_json(struct sim_call *call, struct hs_kind *kind, const json_t *names,
                              size_t *ret_count);
/* The defaults and what was written. */
void hs_view_written(struct sim_call *call, struct hs_kind *kind, const struct hs_write *write,
                     struct hs_view *ret);
/* extra: more members as JSON text (",\"new\":true") or STR_NONE. */
/* Adds a create or an update to the log of writes; input is its {"properties","associations"}. */
void hs_wrote(struct sim_call *call, const struct hs_kind *kind, const struct hs_record *record,
              bool is_new, const json_t *input);
void hs_put_record(struct sim_call *call, struct hs_kind *kind, const struct hs_record *record,
                   const struct hs_view *view, struct str extra);

/* --- endpoints -------------------------------------------------------------------------------------- */

/* Where a call goes: the path without its version segment. */
struct hs_route {
    struct str at[SIM_SEGMENTS_MAX];
    size_t count;
    struct str version; /* "v3", "v4", "2026-09", or STR_NONE */
};
bool hs_route_is(const struct hs_route *route, size_t index, const char *text);

void hs_objects_serve(struct sim_call *call, const struct hs_route *route);
void hs_batch_serve(struct sim_call *call, struct hs_kind *kind, struct str operation);
void hs_search_serve(struct sim_call *call, struct hs_kind *kind);
void hs_put_property(struct buf *body, const struct hs_property *property);
/* Makes a property of a definition as the API takes it; false after answering an error. */
bool hs_property_make(struct sim_call *call, struct hs_kind *kind, const json_t *definition);
void hs_schemas_serve(struct sim_call *call, const struct hs_route *route);
void hs_properties_serve(struct sim_call *call, const struct hs_route *route);
void hs_record_links_serve(struct sim_call *call, const struct hs_route *route,
                           struct hs_kind *kind);
void hs_associations_serve(struct sim_call *call, const struct hs_route *route);
void hs_owners_serve(struct sim_call *call, const struct hs_route *route);
void hs_pipelines_serve(struct sim_call *call, const struct hs_route *route);
void hs_account_serve(struct sim_call *call);
void hs_oauth_serve(struct sim_call *call);
/* A token that was issued here and is alive; false after answering 401. */
bool hs_token_is_accepted(struct sim_call *call, struct str text);
/* Do the scopes of an OAuth token allow this? Always true for the account's own token. */
bool hs_scope_suffices(struct sim_call *call, const struct hs_route *route, bool is_change);
extern const struct sim_oauth_spec hs_oauth_spec;
bool hs_owner_exists(struct str id);
void hs_no_resource(struct sim_call *call);
void hs_unknown_type(struct sim_call *call, struct str type);
/* {"associations":[{"to":{"id"},"types":[…]}]} of a create; false after answering an error. */
bool hs_links_check(struct sim_call *call, struct hs_kind *kind, const json_t *associations);
void hs_links_apply(struct sim_call *call, struct hs_kind *kind, struct hs_record *record,
                    const json_t *associations);

bool hs_state(struct sim_call *call, struct str object);
enum fail hs_edit(struct sim_call *call, struct str object, struct str id, const json_t *set,
                  struct str by, int64_t *ret_id, struct error *err);
enum fail hs_remove(struct sim_call *call, struct str object, struct str id, struct error *err);
enum fail hs_restore(struct sim_call *call, struct str object, struct str id, struct error *err);
enum fail hs_merge(struct sim_call *call, struct str object, struct str into, struct str from,
                   int64_t *ret_id, struct error *err);

void hs_fill(struct hubspot *hs, struct simulator *sim, const struct simulator_options *options);
/* Deals and activities, after the people and companies. */
void hs_fill_work(struct hubspot *hs, int64_t now_ms, const struct simulator_options *options);

/* --- the account ------------------------------------------------------------------------------------- */

struct hs_webhooks;
struct hs_journal;

struct hubspot {
    struct simulator *sim;        /* the one it belongs to */
    struct hs_webhooks *webhooks; /* owned */
    struct hs_journal *journal;   /* owned */
    struct arena arena;           /* everything that lives as long as the account */
    struct hs_kind kinds[HS_KINDS_MAX];
    size_t kinds_count;
    struct hs_link_type *link_types; /* owned */
    size_t link_types_count, link_types_capacity;
    uint16_t next_label_id;
    struct hs_pipeline pipelines[HS_PIPELINES_MAX];
    size_t pipelines_count;
    json_t *blocked;       /* owned: e-mail addresses erased for good */
    struct random *random; /* owned: ids */
    struct sim_window burst, search, links;
    struct sim_window by_oauth; /* of an app that people signed in to; without a daily limit */
    struct sim_daily daily;
};

static inline struct hubspot *hs_of(struct sim_call *call)
{
    return call->sim->crm;
}

#endif
