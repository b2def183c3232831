/* Salesforce: one row of an answer as a record. The row's own members are the props, with what the API has no word for in addition. */
#include "adapters/salesforce_inside.h"

#include "core/jx.h"

/* --- what Salesforce insists on --------------------------------------------------------------- */

/* source: Object Reference: LastName and Company of people, Name of the rest are required */
static void drop_not_provided(json_t *props)
{
    static const char *const NAMES[] = {"LastName", "Name", "Company"};

    for (size_t i = 0; i < COUNT_OF(NAMES); i++) {
        if (str_equal(jx_text_of(json_object_get(props, NAMES[i])), STR(SF_NOT_PROVIDED))) {
            json_object_set_new(props, NAMES[i], json_null());
        }
    }
}

static void show_record_type(const struct salesforce_object *object, json_t *props)
{
    json_t *held = json_object_get(props, "RecordTypeId");
    struct str id = jx_text_of(held);

    if (!held) {
        return;
    }
    json_object_set_new(props, SF_RECORD_TYPE, json_null());
    for (size_t i = 0; i < object->record_types_count; i++) {
        const struct salesforce_record_type *type = &object->record_types[i];

        if (salesforce_same_id(type->id, id) && type->developer_name.len) {
            json_object_set_new(props, SF_RECORD_TYPE,
                                json_stringn(type->developer_name.at, type->developer_name.len));
        }
    }
}

/* --- people ----------------------------------------------------------------------------------- */

/* Members of a lead under the names that they have at contacts. */
static void show_lead(json_t *props)
{
    static const char *const NAMES[] = {"MailingStreet",      "MailingCity",    "MailingState",
                                        "MailingPostalCode",  "MailingCountry", "MailingStateCode",
                                        "MailingCountryCode", SF_LEAD_STATUS};

    for (size_t i = 0; i < COUNT_OF(NAMES); i++) {
        json_t *value = json_object_get(props, salesforce_lead_field(str_of(NAMES[i])).at);

        if (value) {
            json_object_set(props, NAMES[i], value);
        }
    }
}

/* The account of a person account is the person: no company. source: SOAP API, "Person Account Record Types" */
static void show_contact(json_t *props)
{
    if (json_is_true(json_object_get(props, "IsPersonAccount")) &&
        json_object_get(props, "AccountId")) {
        json_object_set_new(props, "AccountId", json_null());
    }
}

/* --- one row ---------------------------------------------------------------------------------- */

/* Every record there has an owner; one that nobody was given has whoever made it, and that is us. To the others we are nobody.
 * source: Object Reference, "OwnerId": defaults to the user who creates the record */
static void show_owner(const struct session *session, json_t *props)
{
    if (salesforce_is_own(session, json_object_get(props, SF_OWNER))) {
        json_object_set_new(props, SF_OWNER, json_null());
    }
}

bool salesforce_is_own(const struct session *session, const json_t *owner)
{
    struct str id = jx_text_of(owner), own = str_of(session->user_id ? session->user_id : "");

    return salesforce_is_id(id) && salesforce_is_id(own) && salesforce_same_id(id, own);
}

static void show(const struct session *session, const struct salesforce_object *object,
                 json_t *props)
{
    json_object_del(props, "attributes");
    drop_not_provided(props);
    show_owner(session, props);
    show_record_type(object, props);
    if (strcmp(object->name, SF_CONTACT) == 0) {
        show_contact(props);
    } else if (strcmp(object->name, SF_LEAD) == 0) {
        show_lead(props);
    } else if (strcmp(object->name, SF_OPPORTUNITY) == 0) {
        salesforce_show_stage(props);
    } else if (strcmp(object->name, SF_TASK) == 0 || strcmp(object->name, SF_EVENT) == 0) {
        salesforce_show_activity(strcmp(object->name, SF_EVENT) == 0, props);
    }
}

/* A row in the recycle bin that names a survivor was merged into it; a converted lead lives on as its contact.
 * source: Object Reference, Contact (MasterRecordId), Lead (ConvertedContactId) */
static enum fail read_state(struct arena *arena, const json_t *row, struct remote_record *ret,
                            struct error *err)
{
    bool is_deleted, is_converted;
    struct str master, contact;

    if (jx_bool_or(row, "IsDeleted", false, &is_deleted, err) != OK ||
        jx_bool_or(row, "IsConverted", false, &is_converted, err) != OK ||
        jx_str_or(row, "MasterRecordId", STR(""), &master, err) != OK ||
        jx_str_or(row, "ConvertedContactId", STR(""), &contact, err) != OK) {
        return err->code;
    }
    ret->state = REMOTE_LIVE;
    if (is_deleted) {
        ret->state = salesforce_is_id(master) ? REMOTE_MERGED : REMOTE_GONE;
        ret->merged_into = salesforce_is_id(master) ? salesforce_id18(arena, master) : STR("");
    } else if (is_converted && salesforce_is_id(contact)) {
        ret->state = REMOTE_MERGED;
        ret->merged_into = salesforce_id18(arena, contact);
    }
    return OK;
}

enum fail salesforce_read_row(struct session *session, const char *object, json_t *row,
                              struct arena *arena, struct remote_record *ret, struct error *err)
{
    struct remote_record record = {.correlation_key = STR(""), .merged_into = STR("")};
    int64_t stamp_ms;

    if (jx_str(row, "Id", &record.remote_id, err) != OK ||
        read_state(arena, row, &record, err) != OK ||
        jx_time_ms_or(row, "SystemModstamp", 0, &stamp_ms, err) != OK ||
        jx_time_ms_or(row, "LastModifiedDate", stamp_ms, &record.modified_ms, err) != OK ||
        jx_time_ms_or(row, "CreatedDate", 0, &record.created_ms, err) != OK ||
        jx_str_or(row, SF_KEY_FIELD, STR(""), &record.correlation_key, err) != OK) {
        return error_wrap(err, "salesforce %s", object);
    }
    if (!salesforce_is_id(record.remote_id)) {
        return error_set(err, FAIL_RETRY, "salesforce %s: a row without a proper id", object);
    }
    record.remote_id = salesforce_id18(arena, record.remote_id);
    if (record.state == REMOTE_LIVE) {
        record.props = row;
        show(session, salesforce_object_named(session, object), row);
    }
    *ret = record;
    return OK;
}

enum fail salesforce_read_rows(struct session *session, const char *object, json_t *rows,
                               struct arena *arena, struct remote_page *page, struct error *err)
{
    size_t count = json_array_size(rows);
    struct remote_record *records =
        ARENA_ARRAY(arena, struct remote_record, page->count + count + 1);

    if (page->count) {
        memcpy(records, page->records, page->count * sizeof *records);
    }
    page->records = records;
    for (size_t i = 0; i < count; i++) {
        if (salesforce_read_row(session, object, json_array_get(rows, i), arena,
                                &page->records[page->count], err) != OK) {
            return err->code;
        }
        page->count++;
    }
    return OK;
}
