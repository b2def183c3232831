/* The parts of the Pipedrive simulator, for each other only. State lives in struct pipedrive; it is
 * guarded by the simulator's mutex.
 *
 *   pipedrive_catalogue   what Pipedrive defines itself, as data
 *   pipedrive_schema      kinds of objects, their fields and options
 *   pipedrive_values      may this JSON be written to this field, and what is stored then
 *   pipedrive_lists       the same for e-mails, phones, option lists and objects with sub-members
 *   pipedrive_record      records: versions, links, delete, merge. No HTTP
 *   pipedrive_write       from a JSON body to an applied change
 *   pipedrive_deals       what a deal's stage and status mean for its other members
 *   pipedrive_counts      how much is linked to a record
 *   pipedrive_html        what becomes of the HTML of notes
 *   pipedrive_participants, _pipelines, _activities, _notes    what its name says, rules and endpoints
 *   pipedrive_json        records in v2 form, envelopes and errors
 *   pipedrive_v1          records and users in v1 form, merge
 *   pipedrive_objects, _list, _search, _definitions    the v2 endpoints
 *   pipedrive_oauth       signing in
 *   pipedrive_fill, _fill_work    the made-up content of a new account
 *   pipedrive             routing, authentication, limits; pipedrive_control the /__sim hooks
 *
 * A value is kept as the JSON text that the API shows, so that a page of 500 records is copied
 * together rather than built. Facts: docs/simulators.md. */
#ifndef CRMSYNC_SIMULATORS_PIPEDRIVE_INSIDE_H
#define CRMSYNC_SIMULATORS_PIPEDRIVE_INSIDE_H

#include "simulators/inside.h"

struct sim_oauth_spec;

enum {
    PD_KINDS = 5,
    PD_FIELDS_MAX = 1000,
    PD_LIST_MAX = 500,
    PD_LIST_DEFAULT = 100,
    PD_IDS_MAX = 100,
    PD_CUSTOM_SHOWN_MAX = 15,
    PD_OPTIONS_MAX = 10000,
    PD_KEY_CHARS = 40,
    PD_TIME_BYTES = 24,
    PD_CURSOR_BYTES_MAX = 512,
};

struct pipedrive;

/* --- schema --------------------------------------------------------------------------------- */

/* The first sixteen may be chosen for a custom field, in the order of pd_type_name. */
enum pd_type {
    PD_VARCHAR,
    PD_VARCHAR_AUTO,
    PD_TEXT,
    PD_DOUBLE,
    PD_PHONE,
    PD_DATE,
    PD_DATERANGE,
    PD_TIME,
    PD_TIMERANGE,
    PD_SET,
    PD_ENUM,
    PD_ADDRESS,
    PD_MONETARY,
    PD_ORG,
    PD_PEOPLE,
    PD_USER,
    PD_CUSTOM_TYPES,
    PD_WHOLE = PD_CUSTOM_TYPES,
    PD_NAME,     /* text that must not be empty */
    PD_CONTACTS, /* e-mails, phones */
    PD_LABELS,   /* option ids; empty allowed */
    PD_VISIBILITY,
    PD_AMOUNT, /* a deal's value; its currency is a member of its own */
    PD_CURRENCY,
    PD_STATUS,
    PD_PERCENT,
    PD_MOMENT,
    PD_BOOLEAN,
    PD_PIPELINE,
    PD_STAGE,
    PD_DEAL,
    PD_ACTIVITY_TYPE,
    PD_CLOCK, /* "HH:MM" */
    PD_LOCATION,
    PD_PARTICIPANTS,
    PD_ATTENDEES,
    PD_HTML,
    PD_NO_TYPE, /* derived, or set by Pipedrive itself: cannot be written */
};

/* A member that is not stored but follows from the record. */
enum pd_derived {
    PD_STORED = 0,
    PD_IS_ID,
    PD_IS_ADDED,
    PD_IS_UPDATED,
    PD_IS_DELETED,
    PD_IS_PEOPLE_COUNT,
    PD_IS_PARTICIPANTS_COUNT,
    PD_IS_COUNT, /* of linked deals, activities or notes: its code says which */
    PD_IS_BCC,
    PD_IS_CONSTANT, /* always the field's text for "empty" */
};

enum pd_flag {
    PD_CUSTOM = 1 << 0,
    PD_INCLUDED = 1 << 1,     /* shown only when include_fields names it */
    PD_CONTACT_SYNC = 1 << 2, /* exists only with the Contact Sync feature */
    PD_MARKETING = 1 << 3,    /* exists only with the Campaigns add-on, which nobody has here */
    PD_MANDATORY = 1 << 4,
    PD_CASELESS = 1 << 5, /* unites without regard to case in a merge: e-mails */
    PD_OWN = 1 << 6,      /* belongs to the survivor of a merge even when it is empty */
};

/* Where a search looks for it. */
enum pd_place {
    PD_NOWHERE = 0,
    PD_IN_NAME = 1 << 0,
    PD_IN_EMAIL = 1 << 1,
    PD_IN_PHONE = 1 << 2,
    PD_IN_ADDRESS = 1 << 3,
    PD_IN_NOTES = 1 << 4,
    PD_IN_CUSTOM = 1 << 5,
    PD_IN_TITLE = 1 << 6,
};

/* What the API offers for a kind. */
enum pd_ability {
    PD_IN_V2 = 1 << 0,      /* list, get, create, update, delete */
    PD_SEARCHED = 1 << 1,   /* search of its own, and part of itemSearch */
    PD_DEFINED = 1 << 2,    /* its fields can be listed */
    PD_CUSTOMIZED = 1 << 3, /* custom fields and labels */
    PD_TWIN_IN_V1 = 1 << 4, /* still read in v1 by many */
    PD_MERGED = 1 << 5,     /* two of them can be merged */
    PD_BACKDATED = 1 << 6,  /* a create takes add_time */
};

struct pd_field_spec {
    const char *code, *name, *shown_type;
    enum pd_type type;
    enum pd_derived derived;
    unsigned flags;
    enum pd_place place;
    const char *empty;   /* what an unset one shows; NULL = null */
    const char *options; /* "label:color|label…" or NULL */
};

struct pd_check;
struct pd_kind;
struct pd_record;
struct pd_write;

/* The rules between members, and defaults. record is NULL for a create. False: check says why. */
typedef bool pd_settle_fn(struct pd_check *check, struct pd_kind *kind,
                          const struct pd_record *record, struct pd_write *write);

struct pd_kind_spec {
    const char *plural;      /* "persons" */
    const char *singular;    /* "person" */
    const char *title;       /* "Person" */
    const char *definitions; /* "personFields" */
    const char *name_code;   /* "name", "title" */
    const char *owner_code;
    unsigned abilities; /* enum pd_ability */
    pd_settle_fn *settle;
    const struct pd_field_spec *fields;
    size_t fields_count;
};

extern const struct pd_kind_spec pd_catalogue[PD_KINDS];

struct pd_option {
    int64_t id;
    struct str label, color; /* color may be STR_NONE */
    int64_t created_ms, updated_ms;
    bool is_deleted;
};

struct pd_field {
    struct str code, name;
    int64_t id; /* v1's */
    const char *shown_type;
    enum pd_type type;
    enum pd_derived derived;
    unsigned flags; /* enum pd_flag */
    enum pd_place place;
    struct str empty;          /* JSON text */
    struct pd_option *options; /* owned */
    size_t options_count;
    struct str visibility, important, required; /* JSON texts for include_fields; STR_NONE unset */
    int64_t created_ms, updated_ms;
    bool is_deleted;
};

/* One kind of object: its fields and its records. */
struct pd_kind {
    const struct pd_kind_spec *spec;
    struct pd_field *fields; /* owned array; an index stays valid for ever */
    size_t fields_count, fields_capacity;
    json_t *by_code; /* owned: live code → index */
    struct sim_table table;
    int64_t next_id;
    /* Fields that link to other objects; SIZE_MAX none. */
    size_t owner_slot, org_slot, person_slot, deal_slot;
};

/* Fields that code asks for by name; the same index in every account. */
size_t pd_slot(const struct pd_kind *kind, const char *code);

void pd_schema_init(struct pipedrive *pd, int64_t now_ms);
void pd_schema_fini(struct pipedrive *pd);
struct pd_kind *pd_kind_plural(struct pipedrive *pd, struct str plural);     /* NULL */
struct pd_kind *pd_kind_singular(struct pipedrive *pd, struct str singular); /* NULL */
struct pd_kind *pd_kind_defined(struct pipedrive *pd, struct str definitions);
struct pd_kind *pd_people(struct pipedrive *pd);
struct pd_kind *pd_organizations(struct pipedrive *pd);
struct pd_kind *pd_deals(struct pipedrive *pd);
struct pd_kind *pd_activities(struct pipedrive *pd);
struct pd_kind *pd_notes(struct pipedrive *pd);
bool pd_can(const struct pd_kind *kind, enum pd_ability ability);
/* Live field of this code that this account has; NULL. */
struct pd_field *pd_field_find(const struct pipedrive *pd, const struct pd_kind *kind,
                               struct str code);
bool pd_field_exists(const struct pipedrive *pd, const struct pd_field *field);
size_t pd_field_index(const struct pd_kind *kind, const struct pd_field *field);
/* A custom field under a fresh random key. */
struct pd_field *pd_field_add(struct pipedrive *pd, struct pd_kind *kind, struct str name,
                              enum pd_type type, int64_t now_ms);
struct pd_option *pd_option_add(struct pipedrive *pd, struct pd_field *field, struct str label,
                                int64_t now_ms);
struct pd_option *pd_option_find(const struct pd_field *field, int64_t id); /* live; NULL */
bool pd_type_parse(struct str text, enum pd_type *ret);                     /* custom types only */
const char *pd_type_name(enum pd_type type);

struct pd_user {
    int64_t id;
    const char *name, *email;
    bool is_active, is_admin;
};
extern const struct pd_user pd_users[];
extern const size_t pd_users_count;
const struct pd_user *pd_user_find(int64_t id); /* NULL */

/* --- records -------------------------------------------------------------------------------- */

struct pd_entry {
    size_t field;
    struct str text, folded;
};

/* What a record held from at_ms on. The present one comes first; older ones live as long as the
 * search index may still show them. */
struct pd_version {
    struct pd_version *older;
    int64_t at_ms;
    bool is_deleted;
    struct pd_entry *entries; /* owned: made when a search first looks; NULL before */
    size_t entries_count;
    size_t count;
    struct str values[]; /* JSON texts in the account's arena; STR_NONE unset */
};

struct pd_participant {
    int64_t id, person_id, added_ms, user_id;
};

struct pd_record {
    struct sim_record base; /* modified_ms in whole seconds; 0 = never updated (old data) */
    struct pd_version *now;
    int64_t owner_id, org_id, person_id, deal_id; /* copies of the values; 0 none */
    int64_t people_count;                         /* organizations: linked live persons */
    struct pd_participant *participants;          /* owned; deals */
    size_t participants_count;
};

struct pd_setting {
    size_t field;
    struct str text; /* JSON; STR_NONE clears */
};

struct pd_record *pd_record_create(struct pipedrive *pd, struct pd_kind *kind,
                                   const struct pd_setting *settings, size_t count,
                                   int64_t added_ms, int64_t now_ms);
/* False: nothing changed. */
bool pd_record_update(struct pipedrive *pd, struct pd_kind *kind, struct pd_record *record,
                      const struct pd_setting *settings, size_t count, int64_t now_ms);
void pd_record_delete(struct pipedrive *pd, struct pd_kind *kind, struct pd_record *record,
                      int64_t now_ms);
void pd_record_restore(struct pipedrive *pd, struct pd_kind *kind, struct pd_record *record,
                       int64_t now_ms);
/* from dies, into survives and wins. */
void pd_record_merge(struct pipedrive *pd, struct pd_kind *kind, struct pd_record *from,
                     struct pd_record *into, int64_t now_ms);
void pd_record_free(struct pd_record *record);
/* Something of it that is no field changed: update_time moves. */
void pd_record_touch(struct pipedrive *pd, struct pd_kind *kind, struct pd_record *record,
                     int64_t now_ms);

/* By id, deleted ones too, unless purged 30 days after the delete; NULL. */
struct pd_record *pd_record_get(const struct pd_kind *kind, int64_t id, int64_t now_ms);
struct pd_record *pd_record_live(const struct pd_kind *kind, int64_t id); /* NULL */
/* What the search index shows at this time; NULL before the first or once deleted. */
struct pd_version *pd_version_indexed(const struct pipedrive *pd, const struct pd_record *record,
                                      int64_t now_ms);
struct str pd_value(const struct pd_record *record, size_t field); /* JSON text or STR_NONE */
/* The stored JSON as a tree of the arena; NULL when unset. */
json_t *pd_tree(struct arena *arena, struct str text);
/* A member that counts what is linked, such as open_deals_count. */
int64_t pd_count_of(struct pipedrive *pd, const struct pd_kind *kind, struct str code,
                    const struct pd_record *record);
int64_t pd_number(const struct pd_record *record, size_t field); /* 0 when unset */
/* A stored JSON string as plain text; "" when unset. */
struct str pd_plain(struct arena *arena, struct str text);

/* --- checking values ------------------------------------------------------------------------ */

/* What a check needs to know. */
struct pd_check {
    struct pipedrive *pd;
    struct arena *arena;
    int64_t now_ms;
    struct str problem; /* why not, naming the member */
    int status;         /* 400, or 403 for a feature that is switched off */
};

/* Notes the first problem; always false. */
bool pd_problem(struct pd_check *check, const char *format, ...) PRINTF_LIKE(2, 3);
/* What is stored for this JSON value; STR_NONE for null. */
bool pd_value_check(struct pd_check *check, const struct pd_field *field, const json_t *value,
                    struct str *ret);
bool pd_contacts_check(struct pd_check *check, const struct pd_field *field, const json_t *value,
                       struct str *ret);
bool pd_options_check(struct pd_check *check, const struct pd_field *field, const json_t *value,
                      struct str *ret);
bool pd_parts_check(struct pd_check *check, const struct pd_field *field, const json_t *value,
                    struct str *ret);
/* Sub-members of address, monetary, daterange, time and timerange; count 0 for other types. */
size_t pd_parts(enum pd_type type, const char *const **ret);
bool pd_participants_check(struct pd_check *check, const struct pd_field *field,
                           const json_t *value, struct str *ret);
bool pd_attendees_check(struct pd_check *check, const struct pd_field *field, const json_t *value,
                        struct str *ret);
bool pd_currency_is_known(struct str code);
bool pd_is_time_of_day(struct str text);          /* "09:00" or "09:00:00" */
bool pd_whole(const json_t *value, int64_t *ret); /* an integer, written as 5 or 5.0 */
/* RFC 3339 in whole seconds, as the API demands. */
bool pd_time_parse(struct str text, int64_t *ret_ms);
struct str pd_number_text(struct arena *arena, const json_t *number);

/* --- writing -------------------------------------------------------------------------------- */

enum pd_writer { PD_CREATES, PD_UPDATES, PD_PERSON_CREATES, PD_PERSON_UPDATES };

struct pd_write {
    struct pd_setting *settings;
    size_t count;
    int64_t added_ms; /* add_time of the body; -1 none */
};

/* Reads and checks a body; what it is applied to is NULL for a create. False: check says why. */
bool pd_write_read(struct pd_check *check, struct pd_kind *kind, const struct pd_record *record,
                   const json_t *body, enum pd_writer writer, struct pd_write *ret);

/* A new record when there is none. */
struct pd_record *pd_write_apply(struct pipedrive *pd, struct pd_kind *kind,
                                 struct pd_record *record, const struct pd_write *write,
                                 int64_t now_ms);
/* For the settling: what the body gave (NULL: nothing), what the record will hold, and a change. */
struct pd_setting *pd_given(const struct pd_write *write, size_t field);
struct str pd_coming(const struct pd_record *record, const struct pd_write *write, size_t field);
void pd_put_setting(struct pd_write *write, size_t field, struct str json);

/* Stored JSON text of HTML without what a browser would run. */
struct str pd_html_clean(struct arena *arena, struct str json);

pd_settle_fn pd_deal_settle, pd_activity_settle, pd_note_settle;

/* --- participants of deals ------------------------------------------------------------------ */

/* The one there is, or a new one. */
struct pd_participant *pd_participant_add(struct pipedrive *pd, struct pd_record *deal,
                                          int64_t person_id, int64_t now_ms);
void pd_participant_remove(struct pd_record *deal, int64_t person_id);
bool pd_participates(const struct pd_record *deal, int64_t person_id);
/* In all deals and activities: from becomes into. */
void pd_participants_replace(struct pipedrive *pd, int64_t from, int64_t into, int64_t now_ms);

/* --- pipelines ------------------------------------------------------------------------------ */

struct pd_pipeline {
    int64_t id;
    struct str name;
    bool is_deleted, is_probability_enabled;
    int64_t created_ms, updated_ms; /* 0 never */
};

struct pd_stage {
    int64_t id, pipeline_id, order, probability;
    struct str name;
    bool is_deleted, is_rot_enabled;
    int64_t rotten_days; /* 0 none */
    int64_t created_ms, updated_ms;
};

void pd_pipelines_init(struct pipedrive *pd);
void pd_pipelines_fini(struct pipedrive *pd);
const struct pd_pipeline *pd_pipeline_find(const struct pipedrive *pd, int64_t id); /* live; NULL */
const struct pd_stage *pd_stage_find(const struct pipedrive *pd, int64_t id);       /* live; NULL */
const struct pd_pipeline *pd_pipeline_first(const struct pipedrive *pd);            /* NULL */
const struct pd_stage *pd_stage_first(const struct pipedrive *pd, int64_t pipeline_id);
struct str pd_stage_name(const struct pipedrive *pd, int64_t id); /* deleted ones, too; STR_NONE */

/* What a person does with them in the company's settings. A stage or, unless is_stage, a pipeline is
 * named by id or name; a new stage comes last in the first pipeline. */
enum fail pd_stage_add(struct sim_call *call, struct str name, struct error *err);
enum fail pd_stage_rename(struct sim_call *call, bool is_stage, struct str which, struct str name,
                          struct error *err);
enum fail pd_stage_remove(struct sim_call *call, bool is_stage, struct str which,
                          struct error *err);

struct pd_activity_type {
    int64_t id;
    const char *key, *name;
};
extern const struct pd_activity_type pd_activity_types[];
extern const size_t pd_activity_types_count;
const struct pd_activity_type *pd_activity_type_find(struct str key); /* NULL */

/* --- JSON ----------------------------------------------------------------------------------- */

struct pd_view {
    bool shows_all_custom;
    size_t *custom; /* field indexes otherwise */
    size_t custom_count;
    size_t *included;
    size_t included_count;
    bool shows_option_labels, shows_labels;
};

/* From custom_fields, include_fields, include_option_labels, include_labels. False: answered 400.
 * */
bool pd_view_init(struct sim_call *call, struct pd_kind *kind, struct pd_view *ret);
void pd_put_record(struct sim_call *call, const struct pd_kind *kind,
                   const struct pd_record *record, const struct pd_view *view);
void pd_put_custom_fields(struct sim_call *call, const struct pd_kind *kind,
                          const struct pd_record *record, const struct pd_view *view);
/* "code":value, as v2 shows it. */
void pd_put_member(struct sim_call *call, const struct pd_kind *kind, size_t index,
                   const struct pd_record *record);
void pd_put_time(struct buf *buf, int64_t ms);    /* v2, quoted */
void pd_put_time_v1(struct buf *buf, int64_t ms); /* quoted */
/* A person or organization in v1 form. */
void pd_put_record_v1(struct sim_call *call, const struct pd_kind *kind,
                      const struct pd_record *record);
void pd_put_user_v1(struct buf *buf, int64_t id); /* as a small object */
/* A deal in v1 form, without the closing brace. */
void pd_put_deal_v1_open(struct sim_call *call, const struct pd_record *deal);
void pd_put_pagination(struct sim_call *call, int64_t start, int64_t limit, bool has_more);
void pd_page_v1(struct sim_call *call, int64_t *ret_start, int64_t *ret_limit);
/* The body of a v1 call, JSON or form, as an object. False: it is neither. */
bool pd_body_v1(struct sim_call *call, json_t **ret);
/* One record as {"success":true,"data":{…}}. */
void pd_reply_record(struct sim_call *call, const struct pd_kind *kind,
                     const struct pd_record *record);
void pd_reply_id(struct sim_call *call, int status, int64_t id);

/* Answers with an error; what was built before is dropped. code and info may be NULL. */
void pd_fail(struct sim_call *call, int status, const char *code, const char *info,
             const char *format, ...) PRINTF_LIKE(5, 6);
/* 400 ERR_SCHEMA_VALIDATION_FAILED. */
void pd_invalid(struct sim_call *call, const char *format, ...) PRINTF_LIKE(2, 3);
void pd_refuse_check(struct sim_call *call, const struct pd_check *check);
void pd_not_found(struct sim_call *call);
/* "true" or "false"; otherwise absent. False: answered 400. */
bool pd_query_bool(struct sim_call *call, const char *name, bool *ret);
/* limit of v2 lists. False: answered 400. */
bool pd_query_limit(struct sim_call *call, int64_t most, int64_t *ret);
/* Members of a comma-separated query value: each name has to be among allowed. */
bool pd_query_words(struct sim_call *call, const char *name, const char *const *allowed,
                    size_t allowed_count, unsigned *ret_mask);
/* Opaque cursors: JSON in base64url. */
struct str pd_cursor_write(struct arena *arena, const json_t *tree);
json_t *pd_cursor_read(struct arena *arena, struct str cursor); /* NULL when it is none */
void pd_put_next_cursor(struct sim_call *call, struct str cursor);

/* --- endpoints ------------------------------------------------------------------------------ */

/* Where a call goes: the path behind /api/v2 or /v1. */
struct pd_target {
    struct pd_kind *kind; /* that the path names; NULL */
    struct str first;     /* the first * of the path: an id; STR_NONE */
    struct str last;      /* the last *: id or field code; STR_NONE */
};

typedef void pd_serve_fn(struct sim_call *call, const struct pd_target *at);

void pd_list_serve(struct sim_call *call, const struct pd_target *at);
void pd_create_serve(struct sim_call *call, const struct pd_target *at);
void pd_get_serve(struct sim_call *call, const struct pd_target *at);
void pd_update_serve(struct sim_call *call, const struct pd_target *at);
void pd_delete_serve(struct sim_call *call, const struct pd_target *at);
void pd_search_serve(struct sim_call *call, const struct pd_target *at);
void pd_item_search_serve(struct sim_call *call, const struct pd_target *at);
void pd_field_search_serve(struct sim_call *call, const struct pd_target *at);
void pd_fields_list_serve(struct sim_call *call, const struct pd_target *at);
void pd_field_get_serve(struct sim_call *call, const struct pd_target *at);
void pd_field_create_serve(struct sim_call *call, const struct pd_target *at);
void pd_field_update_serve(struct sim_call *call, const struct pd_target *at);
void pd_field_delete_serve(struct sim_call *call, const struct pd_target *at);
void pd_options_add_serve(struct sim_call *call, const struct pd_target *at);
void pd_options_update_serve(struct sim_call *call, const struct pd_target *at);
void pd_options_delete_serve(struct sim_call *call, const struct pd_target *at);
void pd_v1_list_serve(struct sim_call *call, const struct pd_target *at);
void pd_v1_get_serve(struct sim_call *call, const struct pd_target *at);
void pd_v1_merge_serve(struct sim_call *call, const struct pd_target *at);
void pd_oauth_serve(struct sim_call *call);
extern const struct sim_oauth_spec pd_oauth_spec;
void pd_v1_me_serve(struct sim_call *call, const struct pd_target *at);
void pd_v1_users_serve(struct sim_call *call, const struct pd_target *at);
void pd_v1_user_serve(struct sim_call *call, const struct pd_target *at);
void pd_archived_serve(struct sim_call *call, const struct pd_target *at);
pd_serve_fn pd_pipelines_serve, pd_pipeline_get_serve, pd_pipeline_create_serve,
    pd_pipeline_update_serve, pd_pipeline_delete_serve;
pd_serve_fn pd_stages_serve, pd_stage_get_serve, pd_stage_create_serve, pd_stage_update_serve,
    pd_stage_delete_serve;
pd_serve_fn pd_participants_serve, pd_participant_create_serve, pd_participant_delete_serve;
pd_serve_fn pd_activity_types_serve;
pd_serve_fn pd_notes_serve, pd_note_get_serve, pd_note_create_serve, pd_note_update_serve,
    pd_note_delete_serve;
/* Reads ids of paths. False: answered 400. */
bool pd_id_read(struct sim_call *call, struct str text, int64_t *ret);

/* --- /__sim hooks --------------------------------------------------------------------------- */

bool pd_state(struct sim_call *call, struct str object);
enum fail pd_edit(struct sim_call *call, struct str object, struct str id, const json_t *set,
                  struct str by, int64_t *ret_id, struct error *err);
enum fail pd_remove(struct sim_call *call, struct str object, struct str id, struct error *err);
enum fail pd_restore(struct sim_call *call, struct str object, struct str id, struct error *err);
enum fail pd_merge(struct sim_call *call, struct str object, struct str into, struct str from,
                   int64_t *ret_id, struct error *err);
enum fail pd_drift_apply(struct sim_call *call, struct str object, const json_t *order,
                         struct error *err);

void pd_fill(struct pipedrive *pd, struct simulator *sim, const struct simulator_options *options);
void pd_fill_work(struct pipedrive *pd, int64_t now_ms, const struct simulator_options *options);

/* --- the account ---------------------------------------------------------------------------- */

/* Behaviour that no source settles; see simulator.h. */
enum pd_quirk {
    PD_DELETED_GET_404 = 1 << 0,
    PD_DELETED_GET_410 = 1 << 1,
    PD_LIST_SHOWS_DELETED = 1 << 2,
    PD_NO_PARENT_BUMPS = 1 << 3,
    PD_CUSTOM_FIELDS_NULL = 1 << 4,
    PD_NULL_UPDATE_TIME = 1 << 5,
    PD_NO_OP_BUMPS = 1 << 6,
    PD_CONTACT_SYNC_ON = 1 << 7,
    PD_PARTICIPANTS_STAY = 1 << 8, /* a deal's former person stays a participant */
    PD_SECONDS_IN_CLOCKS = 1 << 9, /* due_time and duration as HH:MM:SS */
};

/* Requests are counted for each credential. */
struct pd_caller {
    struct sim_window burst, search;
    int64_t refused_in_a_row;
    int64_t blocked_until_ms;
};

struct pd_webhooks;

struct pipedrive {
    struct simulator *sim;        /* the one it belongs to */
    struct pd_webhooks *webhooks; /* owned */
    struct arena arena;           /* everything that lives as long as the account */
    struct pd_kind kinds[PD_KINDS];
    struct pd_pipeline *pipelines; /* owned; ids count from 1 */
    size_t pipelines_count;
    struct pd_stage *stages; /* owned; ids count from 1 */
    size_t stages_count;
    int64_t next_option_id, next_field_id, next_participant_id;
    struct random *random; /* owned: field keys */
    unsigned quirks;       /* enum pd_quirk */
    int64_t index_lag_ms;
    int64_t company_id, created_ms;
    struct pd_caller by_token, by_oauth;
    struct sim_daily daily;
};

static inline struct pipedrive *pd_of(struct sim_call *call)
{
    return call->sim->crm;
}

#endif
