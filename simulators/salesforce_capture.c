/* What is committed becomes news: change events on the bus, notifications of outbound messages.
 *
 * Sources: change_data_capture guide, "Change Event Body Fields" (for CometD), "ChangeEventHeader Fields"; reference/salesforce.md 11. */
#include "simulators/salesforce_doors.h"

enum { VALUE_BYTES_MAX = 256 * 1024 };

/* --- origin ------------------------------------------------------------------------------------ */

/* Which API a call uses, and its version: "rest/66.0". */
static struct str api_of(const struct sim_call *call, struct arena *arena)
{
    bool is_soap = sim_segment_is(call, 1, "Soap");
    struct str version = call->segments_count > 3 && is_soap ? call->segments[3]
                         : call->segments_count > 2          ? call->segments[2]
                                                             : STR("66.0");

    if (str_starts(version, STR("v"))) {
        version = str_slice(version, 1, version.len);
    }
    return arena_printf(arena, "%s/%" PRI_STR, is_soap ? "soap" : "rest", STR_ARG(version));
}

/* "com/salesforce/api/rest/66.0;client=acme-sync". People's own pages use the SOAP API. */
static struct str origin_of(const struct sf_unit *unit)
{
    struct str api;

    if (unit->is_person) {
        return STR("com/salesforce/api/soap/66.0;client=SfdcInternalAPI/");
    }
    api = unit->bulk_version ? arena_printf(unit->arena, "bulkapi/%d.0", unit->bulk_version)
                             : api_of(unit->call, unit->arena);
    if (!unit->client.at) {
        return arena_printf(unit->arena, "com/salesforce/api/%" PRI_STR, STR_ARG(api));
    }
    return arena_printf(unit->arena, "com/salesforce/api/%" PRI_STR ";client=%" PRI_STR,
                        STR_ARG(api), STR_ARG(unit->client));
}

/* --- fields ------------------------------------------------------------------------------------ */

/* "Street" of MailingStreet in MailingAddress; "LastName" of LastName in Name. */
static struct str part_of(const struct sf_field *field)
{
    struct str prefix = str_ends(field->compound, STR("Address"))
                            ? str_slice(field->compound, 0, field->compound.len - strlen("Address"))
                            : STR("");

    return str_slice(field->name, prefix.len, field->name.len);
}

static struct str value_of(const struct sf_unit *unit, const struct sf_record *record,
                           const struct sf_field *field, struct buf *text)
{
    char scratch[SF_SCRATCH_BYTES];

    buf_reset(text);
    if (field->type == SF_DATETIME && sf_get(record, field, scratch).at) {
        sim_put_text(text, sf_get(record, field, scratch)); /* ends in Z here */
    } else {
        sf_put_value(text, field, record);
    }
    return arena_str(unit->arena, buf_str(text));
}

/* The composed name of a person and whole addresses are shown as their parts; what is calculated is not captured. */
static bool is_captured(const struct sf_field *field)
{
    static const enum sf_derived shown[] = {SF_IS_CREATED, SF_IS_CREATED_BY, SF_IS_MODIFIED,
                                            SF_IS_MODIFIED_BY};

    for (size_t i = 0; i < COUNT_OF(shown); i++) {
        if (field->derived == shown[i]) {
            return true;
        }
    }
    return field->derived == SF_STORED && sf_field_is_visible(field) && field->type != SF_ADDRESS &&
           !(field->flags & SF_CALCULATED) &&
           !(field->flags & SF_NAME_FIELD && field->object->flags & SF_IS_PERSON);
}

static void add_field(const struct sf_unit *unit, const struct sf_record *record,
                      const struct sf_field *field, struct buf *text, struct sf_changed *to)
{
    *to = (struct sf_changed){.name = field->name,
                              .parent = field->compound,
                              .json = value_of(unit, record, field, text)};
    if (field->compound.at) {
        to->part = part_of(field);
    }
}

/* Of a new or undeleted record: everything that is not empty. */
static size_t all_fields(const struct sf_unit *unit, const struct sf_record *record,
                         struct buf *text, struct sf_changed *to)
{
    const struct sf_object *object = record->object;
    char scratch[SF_SCRATCH_BYTES];
    size_t count = 0;

    for (size_t i = 0; i < object->fields_count; i++) {
        const struct sf_field *field = object->fields[i];

        if (is_captured(field) &&
            (field->type == SF_BOOLEAN || sf_get(record, field, scratch).at)) {
            add_field(unit, record, field, text, &to[count++]);
        }
    }
    return count;
}

static const struct sf_field *derived_field(const struct sf_object *object, enum sf_derived derived)
{
    size_t i = 0;

    while (object->fields[i]->derived != derived) { /* every object has it */
        i++;
    }
    return object->fields[i];
}

/* Of an update: when, by whom if that is somebody else than before, and what changed, also to nothing. */
static size_t changed_fields(const struct sf_unit *unit, const struct sf_change *change,
                             struct buf *text, struct sf_changed *to)
{
    const struct sf_record *record = change->record;
    size_t count = 0;

    add_field(unit, record, derived_field(record->object, SF_IS_MODIFIED), text, &to[count++]);
    if (change->has_new_author) {
        add_field(unit, record, derived_field(record->object, SF_IS_MODIFIED_BY), text,
                  &to[count++]);
    }
    for (size_t i = 0; i < change->fields_count; i++) {
        if (is_captured(change->fields[i])) {
            add_field(unit, record, change->fields[i], text, &to[count++]);
        }
    }
    return count;
}

static size_t fields_of(const struct sf_unit *unit, const struct sf_change *change,
                        struct sf_changed *to)
{
    AUTO_BUF struct buf text;

    buf_init(&text, VALUE_BYTES_MAX);
    switch (change->kind) {
    case SF_CREATED:
    case SF_UNDELETED:
        return all_fields(unit, change->record, &text, to);
    case SF_UPDATED:
        return changed_fields(unit, change, &text, to);
    case SF_DELETED:
        return 0;
    }
    abort(); /* the enum is closed */
}

/* --- listening --------------------------------------------------------------------------------- */

static void capture(const struct sf_unit *unit, const struct sf_change *change)
{
    struct salesforce *sf = unit->sf;
    const struct sf_object *object = change->record->object;
    struct sf_changed *fields = ARENA_ARRAY(unit->arena, struct sf_changed,
                                            object->fields_count + change->fields_count + 2);
    char id[SF_ID_BYTES], user[SF_ID_BYTES];

    sf_record_id(change->record, id);
    sf_id_format("005", unit->session.user, user);
    sf_bus_publish(&sf->doors->bus,
                   &(struct sf_bus_change){.kind = change->kind,
                                           .entity = object->name,
                                           .id = str_of(id),
                                           .user = str_of(user),
                                           .origin = origin_of(unit),
                                           .transaction = sf->doors->transaction,
                                           .at_ms = unit->now_ms,
                                           .fields = fields,
                                           .fields_count = fields_of(unit, change, fields)});
}

void sf_capture(const struct sf_unit *unit, const struct sf_change *change, bool at_end)
{
    struct salesforce *sf = unit->sf;

    if (sf_bus_is_selected(&sf->doors->bus, change->record->object->name)) {
        capture(unit, change);
    }
    sf_outbound_changed(sf->doors->outbound, unit, change);
    sf->doors->transaction += at_end;
}
