/* The parts of the Salesforce simulator, for each other only. State lives in struct salesforce; it is guarded by the simulator's mutex.
 *
 *   salesforce_ids          ids of 15 and 18 characters
 *   salesforce_schema       objects and fields of this account; _catalogue: the standard ones
 *   salesforce_index        from a field's value to its records
 *   salesforce_values       may this be written to this field, what is stored then, and how it reads
 *   salesforce_record       records: values, deletion, images for a rollback. No HTTP, no rules
 *   salesforce_unit         one unit of work: who, when, what changed, rollback, who is told
 *   salesforce_write        from a JSON object of fields to a changed record; create, update, upsert
 *   salesforce_rules        what the standard objects do by themselves when they are saved
 *   salesforce_bin          delete with cascades, undelete, merge
 *   salesforce_json         records and errors as JSON text
 *   salesforce_oauth        signing in
 *   salesforce_soap         the SOAP partner API: sessions, merge, the bin
 *   salesforce_custom       fields and objects that the account defines, and who sees them
 *   salesforce_features     several currencies, lists of countries, person accounts
 *   salesforce_lead         converting leads
 *   salesforce_control, _orders, _drift  the hooks of /__sim
 *   salesforce_setup, _fill, _fill_work  the made-up content of a new account
 *   salesforce_soql_parse, _soql_run  queries (salesforce_soql.h)
 *   salesforce_describe, _rows, _query, …  the endpoints
 *   salesforce              routing, who may call, limits
 *   salesforce_doors        the mass and event doors together: salesforce_bulk, _bulk_ingest, _bulk_query (Bulk API 2.0),
 *                           salesforce_capture, _bus, _cometd (change events), salesforce_outbound, _outbound_text (outbound messages)
 *   salesforce_changes      what changed or went within a window of time
 *
 * Facts: docs/simulators.md. */
#ifndef CRMSYNC_SIMULATORS_SALESFORCE_INSIDE_H
#define CRMSYNC_SIMULATORS_SALESFORCE_INSIDE_H

#include "simulators/inside.h"

enum {
    SF_ID_BYTES = 19,    /* 18 characters and a NUL */
    SF_PREFIX_BYTES = 4, /* 3 characters and a NUL */
    SF_SCRATCH_BYTES = 32,
    SF_VERSION_MIN = 31, /* older ones are retired. Source: SOAP API end-of-life policy */
    SF_VERSION_MAX = 66,
    SF_OBJECTS_MAX = 64, /* custom ones included */
    SF_LISTENERS_MAX = 4,
};

struct sim_oauth_spec;
struct salesforce;
struct sf_object;
struct sf_record;
struct sf_unit;

/* --- ids --------------------------------------------------------------------------------------- */

/* Numbers count up within one kind of object; ids of one object sort as their numbers do. */
void sf_id_format(const char *prefix, int64_t number, char ret[SF_ID_BYTES]);
/* 15 or 18 characters; false when it is none or its last three do not fit. *ret_number is -1 for a
 * well-formed id that this account never gave out. */
bool sf_id_parse(struct str text, char ret_prefix[SF_PREFIX_BYTES], int64_t *ret_number);

/* --- schema ------------------------------------------------------------------------------------ */

enum sf_type {
    SF_ID,
    SF_STRING,
    SF_TEXTAREA,
    SF_EMAIL,
    SF_PHONE,
    SF_URL,
    SF_PICKLIST,
    SF_MULTIPICKLIST,
    SF_COMBOBOX,
    SF_REFERENCE,
    SF_BOOLEAN,
    SF_INT,
    SF_DOUBLE,
    SF_CURRENCY,
    SF_PERCENT,
    SF_DATE,
    SF_DATETIME,
    SF_ADDRESS,
    SF_TYPES
};

enum sf_flag {
    SF_REQUIRED = 1 << 0,    /* a create must have it */
    SF_READ_ONLY = 1 << 1,   /* neither createable nor updateable */
    SF_CREATE_ONLY = 1 << 2, /* not updateable */
    SF_UNIQUE = 1 << 3,      /* among live records */
    SF_EXTERNAL_ID = 1 << 4, /* upsert may name it */
    SF_ID_LOOKUP = 1 << 5,   /* likewise, of a standard object */
    SF_CASE_SENSITIVE = 1 << 6,
    SF_RESTRICTED = 1 << 7, /* only its picklist values */
    SF_CUSTOM = 1 << 8,
    SF_HIDDEN = 1 << 9,   /* no field permission: looks as if it did not exist */
    SF_DROPPED = 1 << 10, /* deleted by an administrator */
    SF_NAME_FIELD = 1 << 11,
    SF_CALCULATED = 1 << 12,
    SF_DEFAULTED = 1 << 13,   /* gets a value when none is sent, and has one always */
    SF_CASCADES = 1 << 14,    /* goes to the bin with what it refers to */
    SF_NO_FILTER = 1 << 15,   /* not in WHERE or ORDER BY */
    SF_FROZEN = 1 << 16,      /* an administrator made it read-only */
    SF_POLYMORPHIC = 1 << 17, /* one of several objects */
    SF_LONG = 1 << 18,        /* a long text area */
    SF_UPDATE_ONLY = 1 << 19, /* not createable */
    SF_NO_EDIT = 1 << 20,     /* its permission is to read only */
};

/* Where a value comes from when it is not stored. */
enum sf_derived {
    SF_STORED = 0,
    SF_IS_ID,
    SF_IS_CREATED,
    SF_IS_CREATED_BY,
    SF_IS_MODIFIED,
    SF_IS_MODIFIED_BY,
    SF_IS_MODSTAMP,
    SF_IS_DELETED,
    SF_IS_MASTER, /* what it was merged into */
};

struct sf_option {
    struct str value, label;
    bool is_active, is_default;
};

struct sf_field {
    struct str name, label;
    enum sf_type type;
    unsigned flags; /* enum sf_flag */
    enum sf_derived derived;
    int length; /* characters */
    int precision, scale;
    struct str refers_to;          /* names of objects, with commas */
    struct str relationship;       /* "Account" of AccountId; STR_NONE = none */
    struct str child_relationship; /* of a custom reference, with its __r; STR_NONE = none */
    struct str compound;           /* "MailingAddress" of MailingCity; STR_NONE = none */
    struct sf_option *options;
    size_t options_count;
    size_t index;             /* among the object's fields and the record's values */
    struct sf_object *object; /* that it belongs to */
    struct sf_index *lookup;  /* owned; NULL = not indexed */
    int64_t number;           /* of its definition, 00N */
};

enum sf_object_flag {
    SF_CAN_CREATE = 1 << 0,
    SF_CAN_UPDATE = 1 << 1,
    SF_CAN_DELETE = 1 << 2,
    SF_CAN_UNDELETE = 1 << 3,
    SF_CAN_MERGE = 1 << 4,
    SF_CAN_REPLICATE = 1 << 5,
    SF_CAN_SEARCH = 1 << 6,
    SF_HAS_ETAG = 1 << 7,  /* Account only. Source: REST guide, conditional request headers */
    SF_IS_PERSON = 1 << 8, /* its Name is made of parts */
    SF_IS_CUSTOM = 1 << 9,
    SF_IS_TOOLING = 1 << 10, /* seen through the Tooling API only */
    SF_IS_SETUP = 1 << 11,   /* users, profiles, permissions */
    SF_IS_ABSENT = 1 << 12,  /* of a feature that is off */
    SF_ORDINARY = SF_CAN_CREATE | SF_CAN_UPDATE | SF_CAN_DELETE | SF_CAN_UNDELETE |
                  SF_CAN_REPLICATE | SF_CAN_SEARCH,
};

/* Standard objects: their places in struct salesforce. */
enum sf_standard {
    SF_ACCOUNT,
    SF_CONTACT,
    SF_LEAD,
    SF_OPPORTUNITY,
    SF_CONTACT_ROLE,
    SF_TASK,
    SF_EVENT,
    SF_CASE,
    SF_USER,
    SF_GROUP,
    SF_ORGANIZATION,
    SF_RECORD_TYPE,
    SF_PROFILE,
    SF_PERMISSION_SET,
    SF_PERMISSION_SET_ASSIGNMENT,
    SF_FIELD_PERMISSIONS,
    SF_OBJECT_PERMISSIONS,
    SF_OPPORTUNITY_STAGE,
    SF_CURRENCY_TYPE,
    SF_TASK_STATUS,
    SF_CUSTOM_FIELD,
    SF_CUSTOM_OBJECT,
    SF_CHANNEL_MEMBER,
    SF_STANDARD_COUNT
};

struct sf_field_spec {
    const char *name, *label;
    enum sf_type type;
    int length; /* digits before the point for numbers; 0 = the type's own */
    int scale;
    unsigned flags;
    const char *more; /* options "*default|other|-inactive"; a reference's objects "Contact,Lead" */
    const char *compound; /* NULL = none */
    enum sf_derived derived;
};
struct sf_object_spec {
    const char *name, *label, *plural, *prefix;
    unsigned flags;
    const struct sf_field_spec *fields;
    size_t fields_count;
};

/* What a duplicate rule of an object does with a person who is there already. */
enum sf_duplicates { SF_DUPLICATES_PASS, SF_DUPLICATES_ALERT, SF_DUPLICATES_BLOCK };

/* One object and its records. */
struct sf_object {
    struct str name, label, plural;
    char prefix[SF_PREFIX_BYTES];
    unsigned flags;           /* enum sf_object_flag */
    struct sf_field **fields; /* owned; pointers stay valid for ever */
    size_t fields_count;
    json_t *by_name; /* owned: lower-case name → index */
    struct sim_table table;
    int64_t next_number;
    int64_t described_ms; /* when its definition changed last */
    enum sf_duplicates duplicates;
    struct sf_record *definition; /* of a custom object; NULL otherwise */
};

void sf_schema_init(struct salesforce *sf, int64_t now_ms);
void sf_schema_fini(struct salesforce *sf);
const struct sf_object_spec *sf_catalogue(enum sf_standard which);
/* Adds the fields that every object has, then these. Texts of specs are borrowed. */
struct sf_object *sf_object_add(struct salesforce *sf, const struct sf_object_spec *spec,
                                int64_t now_ms);
struct sf_field *sf_field_add(struct salesforce *sf, struct sf_object *object,
                              const struct sf_field_spec *spec);
/* Without case; NULL. */
struct sf_object *sf_object_find(const struct salesforce *sf, struct str name);
struct sf_object *sf_object_of_prefix(const struct salesforce *sf, const char *prefix);
/* A field that the caller may see, without case; NULL. */
struct sf_field *sf_field_find(const struct sf_object *object, struct str name);
struct sf_field *sf_field_find_any(const struct sf_object *object, struct str name);
/* "Contacts" of Contact.AccountId, as a sub-select names it; STR_NONE = none. */
struct str sf_child_relationship(const struct sf_field *field);
struct sf_field *sf_field_by_relationship(const struct sf_object *object, struct str name);
bool sf_field_is_visible(const struct sf_field *field);
bool sf_field_is_createable(const struct sf_field *field);
bool sf_field_is_updateable(const struct sf_field *field);
bool sf_field_is_number(const struct sf_field *field);
bool sf_field_refers_to(const struct sf_field *field, const struct sf_object *object);
const char *sf_type_name(enum sf_type type);
/* Replaces the options by those of "*default|other|-inactive". */
void sf_field_options(struct salesforce *sf, struct sf_field *field, struct str list);
struct sf_option *sf_option_find(const struct sf_field *field, struct str value);

/* --- indexes ----------------------------------------------------------------------------------- */

struct sf_index;

struct sf_index *sf_index_new(void);
void sf_index_free(struct sf_index *index); /* accepts NULL */
uint64_t sf_index_hash(struct str key);     /* without case */
void sf_index_add(struct sf_index *index, struct str key, struct sf_record *record);
void sf_index_remove(struct sf_index *index, struct str key, struct sf_record *record);
/* Candidates, deleted records among them: compare the value. Start with *place 0; NULL at the end. The index must not change meanwhile. */
struct sf_record *sf_index_next(const struct sf_index *index, struct str key, void **place);

/* --- records ----------------------------------------------------------------------------------- */

struct sf_value {
    uint32_t len;
    bool is_plain; /* needs no escaping in JSON */
    char text[];
};

/* Times are whole seconds. base.modified_ms is SystemModstamp, base.archived_ms when it went to the
 * bin, base.merged_into the survivor's number. */
struct sf_record {
    struct sim_record base;
    struct sf_object *object;
    struct sf_value **values; /* owned, by field index; NULL = null */
    size_t values_count;
    int64_t last_modified_ms;
    int64_t created_by, last_modified_by; /* numbers of users */
    int64_t bin_group; /* what went to the bin together comes back together; 0 = live */
    int64_t locked_until_ms;
    bool is_purged; /* gone for good; kept as a gap */
};

struct sf_record *sf_record_new(struct sf_object *object, int64_t created_ms, int64_t user);
void sf_record_free(struct sf_record *record);
bool sf_record_is_live(const struct sf_record *record);
/* Neither purged nor longer in the bin than 15 days. Source: SOAP guide, undelete. */
bool sf_record_is_kept(const struct sf_record *record, int64_t now_ms);
/* Not purged; NULL. */
struct sf_record *sf_record_by_number(const struct sf_object *object, int64_t number);
/* Of any object, by an id's text; NULL when there is none. */
struct sf_record *sf_record_of_id(const struct salesforce *sf, struct str id);
void sf_record_id(const struct sf_record *record, char ret[SF_ID_BYTES]);
struct str sf_record_id_str(struct arena *arena, const struct sf_record *record);
/* Stores a value (STR_NONE = null) and keeps the indexes; *ret tells whether anything changed. */
bool sf_record_set(struct sf_record *record, const struct sf_field *field, struct str text);
void sf_record_set_named(struct sf_record *record, const char *name, struct str text);
/* STR_NONE = null. scratch holds what is derived. Booleans are "true" or "false"; dateTimes
 * "2026-11-21T07:05:31.000Z"; numbers canonical decimals; ids 18 characters. */
struct str sf_get(const struct sf_record *record, const struct sf_field *field,
                  char scratch[SF_SCRATCH_BYTES]);
/* Of a stored field that exists. */
struct str sf_get_named(const struct sf_record *record, const char *name);
bool sf_get_flag(const struct sf_record *record, const char *name);
void sf_record_touch(struct sf_record *record, int64_t now_ms, int64_t user);
/* Only SystemModstamp moves: the system's own changes. */
void sf_record_touch_system(struct sf_record *record, int64_t now_ms);
void sf_record_purge(struct sf_record *record);
/* Live record that holds this value of the field, other than self (NULL allowed); NULL. */
struct sf_record *sf_holder(const struct sf_field *field, struct str text,
                            const struct sf_record *self);
/* Whether two values of this field are the same to a unique field or an equals sign. */
bool sf_same(const struct sf_field *field, struct str x, struct str y);

/* --- units of work ----------------------------------------------------------------------------- */

/* Why something was refused. */
struct sf_error {
    int status; /* HTTP */
    const char *code;
    struct str message;
    struct str fields; /* names with commas */
    bool has_fields;   /* the member is there, maybe empty */
    struct str extra;  /* more members of the JSON object, ready-made; STR_NONE = none */
};

/* Each sets *err and returns false. */
bool sf_refuse(struct sf_error *err, int status, const char *code, struct str message);
/* Of a record that was to be saved: 400 with "fields". */
bool sf_refuse_save(struct sf_error *err, const char *code, struct str fields, struct str message);

enum sf_change_kind { SF_CREATED, SF_UPDATED, SF_DELETED, SF_UNDELETED };

struct sf_change {
    enum sf_change_kind kind;
    struct sf_record *record;
    struct sf_field **fields; /* whose values changed */
    size_t fields_count;
    bool has_new_author; /* somebody else wrote it last; the unit finds out */
};

/* Is told of every committed change, in order. at_end: the unit's last one. */
typedef void sf_listener_fn(const struct sf_unit *unit, const struct sf_change *change,
                            bool at_end);

/* Who is calling, as the token says. */
struct sf_session {
    int64_t user;      /* number */
    bool is_read_only; /* may not write */
};

/* Begin one for each call that may write; everything it changes is committed or rolled back
 * together at its end. Units within units (composite) are parts of the outer one. */
struct sf_unit {
    struct salesforce *sf;
    struct sim_call *call; /* NULL while an account is filled */
    struct arena *arena;   /* messages */
    int64_t now_ms;        /* whole second, one for all changes */
    struct sf_session session;
    struct str client;  /* of Sforce-Call-Options; STR_NONE = none */
    bool is_lenient;    /* what only the system or a person may set */
    bool is_person;     /* made in the CRM's own pages */
    bool allows_alerts; /* Sforce-Duplicate-Rule-Header: allowSave=true */
    int bulk_version;   /* of the Bulk API job that it is a chunk of; 0 = it is none */
    size_t images_mark, changes_mark;
};

void sf_unit_begin(struct sim_call *call, struct sf_unit *ret);
/* commits: false takes everything back. */
void sf_unit_end(struct sf_unit *unit, bool commits);
/* Before the first change of a record in an operation; is_new: after it was made. */
void sf_unit_keep(struct sf_unit *unit, struct sf_record *record, bool is_new);
/* sent: what the caller wrote, borrowed, for the log of writes; NULL = not the caller's own write. */
void sf_unit_changed(struct sf_unit *unit, const struct sf_change *change, const json_t *sent);
void sf_listen(struct salesforce *sf, sf_listener_fn *listener);

/* --- values ------------------------------------------------------------------------------------ */

/* What is stored for this JSON value, in unit->arena; STR_NONE for null. Bulk and SOAP send every value as a string. */
bool sf_value_check(struct sf_unit *unit, const struct sf_field *field, const json_t *value,
                    struct str *ret, struct sf_error *err);
/* As REST shows it. */
void sf_put_value(struct buf *body, const struct sf_field *field, const struct sf_record *record);
/* As CSV and XML show it: dateTimes with Z; appends nothing for null. */
void sf_put_plain(struct buf *body, const struct sf_field *field, const struct sf_record *record);

/* --- writing ----------------------------------------------------------------------------------- */

struct sf_setting {
    struct sf_field *field;
    struct str text; /* STR_NONE = null */
};

/* A change that has been read and checked, not yet applied. */
struct sf_write {
    struct sf_setting *settings;
    size_t count, capacity;
    struct sf_object *object;
    struct sf_record *record; /* NULL = a new one */
    const json_t *sent;
};

/* fields: an object of field values; "attributes" is ignored. NULL with *err. */
struct sf_record *sf_create(struct sf_unit *unit, struct sf_object *object, const json_t *fields,
                            struct sf_error *err);
bool sf_update(struct sf_unit *unit, struct sf_record *record, const json_t *fields,
               struct sf_error *err);
struct sf_upsert {
    struct sf_record *record;
    bool was_created;
    struct sf_record *matches[8]; /* when several had the value: *err is 300 */
    size_t matches_count;
};
/* field "Id" is allowed as well: value is then an id, or "" to create. */
bool sf_upsert(struct sf_unit *unit, struct sf_object *object, struct str field, struct str value,
               const json_t *fields, bool update_only, struct sf_upsert *ret, struct sf_error *err);
/* Live record of this object by the text of an id, as a write names it. NULL with *err. */
struct sf_record *sf_target(struct sf_unit *unit, const struct sf_object *object, struct str id,
                            struct sf_error *err);
/* The setting of that field in a write, or NULL; sets or replaces. */
struct sf_setting *sf_write_find(const struct sf_write *write, const char *name);
void sf_write_put(struct sf_unit *unit, struct sf_write *write, const char *name, struct str text);
/* What the field will hold. */
struct str sf_write_value(const struct sf_write *write, const char *name);

/* Fills in what follows from what was sent, and refuses what the object does not allow. */
bool sf_rules_before(struct sf_unit *unit, struct sf_write *write, struct sf_error *err);
/* After the values are stored. */
void sf_rules_after(struct sf_unit *unit, struct sf_record *record, bool is_new);

bool sf_delete(struct sf_unit *unit, struct sf_record *record, struct sf_error *err);
bool sf_undelete(struct sf_unit *unit, struct sf_record *record, struct sf_error *err);
/* At most two losers. */
bool sf_merge(struct sf_unit *unit, struct sf_record *master, struct sf_record *const *losers,
              size_t count, struct sf_error *err);
/* Out of the bin for good. */
void sf_empty(struct sf_unit *unit, struct sf_record *record);

/* What came out of a lead. */
struct sf_converted {
    struct sf_record *account, *contact, *opportunity; /* opportunity: NULL = none wanted */
};

bool sf_convert(struct sf_unit *unit, struct sf_record *lead, bool with_opportunity,
                struct sf_converted *ret, struct sf_error *err);

/* Features that the quirks switch on: their fields, rows and rules. */
void sf_features_init(struct salesforce *sf);
void sf_features_fill(struct sf_unit *unit);
bool sf_features_before(struct sf_unit *unit, struct sf_write *write, struct sf_error *err);
void sf_features_after(struct sf_unit *unit, struct sf_record *record);
bool sf_features_may_delete(const struct sf_unit *unit, const struct sf_record *record);

/* Definitions of fields ("Contact.Sync_Id__c") and objects ("Plan__c") with their metadata. NULL with *err. */
struct sf_record *sf_custom_field_add(struct sf_unit *unit, struct str full_name,
                                      const json_t *metadata, struct sf_error *err);
struct sf_record *sf_custom_object_add(struct sf_unit *unit, struct str name,
                                       const json_t *metadata, struct sf_error *err);
void sf_custom_field_drop(struct sf_unit *unit, struct sf_record *definition);
/* Shows and hides custom fields as the FieldPermissions say. */
void sf_permissions_apply(struct salesforce *sf);
bool sf_permission_rule(struct sf_unit *unit, struct sf_write *write, struct sf_error *err);

/* --- answering --------------------------------------------------------------------------------- */

/* What follows /services/data/{version}. */
struct sf_route {
    int version;     /* 66 */
    bool is_tooling; /* behind /tooling, which is not among the segments */
    struct str at[SIM_SEGMENTS_MAX];
    size_t count;
};

bool sf_route_is(const struct sf_route *route, size_t index, const char *text);
/* Ends the call with an array of one error. */
void sf_fail(struct sim_call *call, const struct sf_error *err);
void sf_failf(struct sim_call *call, int status, const char *code, const char *format, ...)
    PRINTF_LIKE(4, 5);
void sf_not_found(struct sim_call *call);
/* 405 for anything but what the resource knows. */
void sf_no_method(struct sim_call *call, const char *allowed);
/* The body as a JSON object; false after answering 400. */
bool sf_body(struct sim_call *call, json_t **ret);
/* The element of the error array; name is "errorCode" or, in collections, "statusCode". */
void sf_put_error(struct buf *body, const struct sf_error *err, const char *name);
/* {"id","success","errors"} and "created" unless it is -1; err NULL = success. */
void sf_put_result(struct buf *body, const struct sf_record *record, int created,
                   const struct sf_error *err);
/* "attributes":{…} without a comma */
void sf_put_attributes(struct buf *body, int version, const struct sf_record *record);
/* {"attributes":…,"Id":…,…} with these fields, all visible ones for NULL. */
void sf_put_record(struct buf *body, int version, const struct sf_record *record,
                   struct sf_field *const *fields, size_t count);
struct sf_session sf_session_of(struct sim_call *call);

typedef void sf_serve_fn(struct sim_call *call, const struct sf_route *route);
sf_serve_fn sf_rows_serve; /* /sobjects */
void sf_describe_serve(struct sim_call *call, const struct sf_route *route,
                       const struct sf_object *object);
void sf_describe_global(struct sim_call *call, const struct sf_route *route);
sf_serve_fn sf_limits_serve;
sf_serve_fn sf_query_serve;       /* /query and /queryAll */
sf_serve_fn sf_collections_serve; /* /composite/sobjects */
sf_serve_fn sf_composite_serve;
sf_serve_fn sf_tooling_serve;
void sf_cursors_free(struct salesforce *sf);
/* Answers a call as if it had come alone, for composite; call->body is the caller's. */
void sf_serve_data(struct sim_call *call);

/* Whose token is it? False: nobody's, or past its life. */
bool sf_session_of_token(struct sim_call *call, struct str token, struct sf_session *ret);
/* A known session and a call of the day; false after answering 401 or 403. */
bool sf_session_check(struct sim_call *call);
/* Likewise without answering and without charge. */
bool sf_session_find(struct sim_call *call, struct sf_session *ret);
/* Of the Authorization header, or STR_NONE. */
struct str sf_token(const struct sim_call *call);

struct sf_plan {
    const char *name;
    int64_t daily;
    int concurrent;  /* calls of 20 s or more at a time */
    int64_t events;  /* delivered in a day */
    int64_t clients; /* of CometD at a time */
};

enum fail sf_limits_init(struct salesforce *sf, const char *plan, struct error *err) MUST_CHECK;
/* Calls of the rolling day. */
int64_t sf_calls_used(struct sim_call *call);
bool sf_calls_take(struct sim_call *call, int64_t calls); /* false after answering 403 */
void sf_refuse_concurrent(struct sim_call *call);

extern const struct sim_oauth_spec sf_oauth_spec;
void sf_oauth_serve(struct sim_call *call);    /* /services/oauth2 */
void sf_identity_serve(struct sim_call *call); /* /id */
/* The hook of the sessions that the token endpoint gave out. */
bool sf_oauth_session(struct sim_call *call, struct str token, struct sf_session *ret);
void sf_soap_serve(struct sim_call *call);         /* /services/Soap */
struct str sf_instance_url(struct sim_call *call); /* base of the API calls */
struct str sf_user_id(struct sim_call *call);      /* of the API user */

/* The company's own settings: users, profile, stages, record types. */
void sf_setup_fill(struct salesforce *sf, int64_t now_ms);
/* What an administrator had set up before: some custom fields, which everybody may see. */
void sf_custom_fill(struct salesforce *sf, int64_t now_ms);
void sf_fill(struct salesforce *sf, int64_t now_ms, const struct simulator_options *options);
/* Opportunities and activities, after the people and companies. */
void sf_fill_work(struct salesforce *sf, int64_t now_ms, const struct simulator_options *options);

struct str sf_id_text(struct sim_call *call, struct str object, int64_t number);
bool sf_state(struct sim_call *call, struct str object);
enum fail sf_edit(struct sim_call *call, struct str object, struct str id, const json_t *set,
                  struct str by, int64_t *ret_id, struct error *err);
enum fail sf_remove(struct sim_call *call, struct str object, struct str id, struct error *err);
enum fail sf_restore(struct sim_call *call, struct str object, struct str id, struct error *err);
enum fail sf_merge_ordered(struct sim_call *call, struct str object, struct str into,
                           struct str from, int64_t *ret_id, struct error *err);
enum fail sf_drift_apply(struct sim_call *call, struct str object, const json_t *order,
                         struct error *err);
/* The endpoints under /__sim that only Salesforce has; false = not one of them. */
bool sf_control(struct sim_call *call);

/* --- the account ------------------------------------------------------------------------------- */

enum sf_quirk {
    SF_NO_CUSTOMIZE = 1 << 0,    /* the user may not change the schema */
    SF_PERSON_ACCOUNTS = 1 << 1, /* the feature is on */
    SF_MULTI_CURRENCY = 1 << 2,  /* likewise */
    SF_STATE_PICKLISTS = 1 << 3, /* likewise */
    SF_READ_ONLY_LOCK = 1 << 4,  /* an approval locks opportunities that are closed */
};

struct sf_cursor;
struct sf_image;
struct sf_pending;
struct sf_doors;

struct salesforce {
    struct arena arena; /* everything that lives as long as the account */
    struct sf_object *objects[SF_OBJECTS_MAX];
    size_t objects_count;
    unsigned quirks;      /* enum sf_quirk */
    int64_t first_number; /* of every object's records */
    int64_t next_field_number, next_bin_group;
    int64_t api_user;      /* number; whom the fixed token belongs to */
    int64_t person;        /* number; who works in the CRM's own pages */
    struct random *random; /* owned */
    struct sim_window daily;
    const struct sf_plan *plan;
    int64_t busy_until_ms;     /* until then, as many slow calls run as may run */
    int64_t late_ms;           /* writes are stamped as much earlier: they commit late */
    struct sf_cursor *cursors; /* owned, the newest first */
    int64_t next_cursor;
    sf_listener_fn *listeners[SF_LISTENERS_MAX];
    size_t listeners_count;
    /* Tokens that were given out by the token endpoint; NULL = none are. False: not known or expired. */
    bool (*session_find)(struct sim_call *call, struct str token, struct sf_session *ret);
    struct sf_doors *doors; /* owned */
    /* of the unit that is open */
    int units_open;
    struct arena unit_arena;
    struct sf_image *images; /* owned */
    size_t images_count, images_capacity;
    struct sf_pending *changes; /* owned */
    size_t changes_count, changes_capacity;
};

/* --- the mass and event doors (salesforce_doors.h) --------------------------------------------- */

/* Does what bulk jobs have to do by now; before anything else looks at the records. */
void sf_doors_tick(struct sim_call *call);
/* Their endpoints under /__sim: bulk, events, outbound; false = not one of them. */
bool sf_doors_control(struct sim_call *call);
sf_serve_fn sf_jobs_serve;                      /* /jobs */
void sf_streaming_serve(struct sim_call *call); /* /cometd; looks after sessions itself */
/* GET /sobjects/{T}/updated or /deleted */
void sf_changes_serve(struct sim_call *call, struct sf_object *object, bool is_deleted);

static inline struct salesforce *sf_of(struct sim_call *call)
{
    return call->sim->crm;
}

#endif
