/* Units of work: what one call changed belongs together. Until its end everything can be taken back; then the log of writes and the
 * listeners hear of it. */
#include "simulators/salesforce_inside.h"

#include <assert.h>

#include "core/alloc.h"

/* A record as it was before an operation. */
struct sf_image {
    struct sf_record *record;
    struct sf_record was; /* values owned */
    bool is_new;
};

struct sf_pending {
    struct sf_change change;
    const json_t *sent;
};

static const int64_t SECOND_MS = 1000;

/* Value of the option "client=acme; …" of the header. */
static struct str client_of(const struct sim_call *call)
{
    struct str rest = http_header_get(&call->request->headers, "Sforce-Call-Options");

    while (rest.at) {
        struct str option =
            str_trim(str_cut(&rest, rest.len && memchr(rest.at, ';', rest.len) ? ';' : ','));
        struct str name = str_trim(str_cut(&option, '='));

        if (str_equal_nocase(name, STR("client")) && option.at) {
            return str_trim(option);
        }
    }
    return STR_NONE;
}

/* --- beginning and ending ---------------------------------------------------------------------- */

void sf_unit_begin(struct sim_call *call, struct sf_unit *ret)
{
    struct salesforce *sf = sf_of(call);
    struct str alerts = http_header_get(&call->request->headers, "Sforce-Duplicate-Rule-Header");

    *ret = (struct sf_unit){.sf = sf,
                            .call = call,
                            .arena = call->arena,
                            .now_ms = (call->now_ms - sf->late_ms) / SECOND_MS * SECOND_MS,
                            .session = sf_session_of(call),
                            .client = client_of(call),
                            .allows_alerts = str_contains(alerts, STR("allowSave=true")),
                            .images_mark = sf->images_count,
                            .changes_mark = sf->changes_count};
    sf->units_open++;
}

static void image_drop(struct sf_image *image)
{
    for (size_t i = 0; i < image->was.values_count; i++) {
        free(image->was.values[i]);
    }
    free(image->was.values);
}

static void image_restore(struct sf_image *image)
{
    struct sf_record *record = image->record;
    const struct sf_object *object = record->object;

    for (size_t i = 0; i < record->values_count; i++) {
        const struct sf_value *value = i < image->was.values_count ? image->was.values[i] : NULL;

        if (object->fields[i]->derived == SF_STORED) {
            sf_record_set(record, object->fields[i],
                          value ? (struct str){.at = value->text, .len = value->len} : STR_NONE);
        }
    }
    record->base.archived_ms = image->was.base.archived_ms;
    record->base.merged_into = image->was.base.merged_into;
    record->bin_group = image->was.bin_group;
    record->last_modified_ms = image->was.last_modified_ms;
    record->last_modified_by = image->was.last_modified_by;
    sf_record_touch_system(record, image->was.base.modified_ms);
}

static void roll_back(struct salesforce *sf, size_t images_mark, size_t changes_mark)
{
    while (sf->images_count > images_mark) {
        struct sf_image *image = &sf->images[--sf->images_count];

        if (image->is_new) {
            sf_record_purge(image->record);
        } else {
            image_restore(image);
        }
        image_drop(image);
    }
    sf->changes_count = changes_mark;
}

static void note_write(struct sim_call *call, const struct sf_pending *pending)
{
    static const char *const methods[] = {[SF_CREATED] = "create",
                                          [SF_UPDATED] = "update",
                                          [SF_DELETED] = "delete",
                                          [SF_UNDELETED] = "update"};
    const struct sf_record *record = pending->change.record;
    struct str id = sf_record_id_str(call->arena, record);

    sim_wrote_text(call, methods[pending->change.kind],
                   arena_cstr(call->arena, record->object->name), id, pending->sent);
}

static bool is_of(const struct salesforce *sf, const struct sf_change *change,
                  enum sf_standard which)
{
    return change->record->object == sf->objects[which];
}

static void publish(const struct sf_unit *unit)
{
    struct salesforce *sf = unit->sf;

    for (size_t i = 0; i < sf->changes_count; i++) {
        const struct sf_pending *pending = &sf->changes[i];

        if (is_of(sf, &pending->change, SF_FIELD_PERMISSIONS) ||
            is_of(sf, &pending->change, SF_PERMISSION_SET_ASSIGNMENT)) {
            sf_permissions_apply(sf);
        }
        if (pending->sent && unit->call && !unit->is_person) {
            note_write(unit->call, pending);
        }
        for (size_t j = 0; j < sf->listeners_count; j++) {
            sf->listeners[j](unit, &pending->change, i + 1 == sf->changes_count);
        }
    }
}

void sf_unit_end(struct sf_unit *unit, bool commits)
{
    struct salesforce *sf = unit->sf;

    if (!commits) {
        roll_back(sf, unit->images_mark, unit->changes_mark);
    }
    assert(sf->units_open > 0);
    if (--sf->units_open > 0) {
        return;
    }
    publish(unit);
    while (sf->images_count) {
        image_drop(&sf->images[--sf->images_count]);
    }
    sf->changes_count = 0;
    arena_reset(&sf->unit_arena);
}

/* --- noting ------------------------------------------------------------------------------------ */

static struct sf_value **values_copy(const struct sf_record *record)
{
    struct sf_value **copy = alloc_new(record->values_count, sizeof(copy[0]));

    for (size_t i = 0; i < record->values_count; i++) {
        const struct sf_value *value = record->values[i];

        if (value) {
            size_t bytes = sizeof(*value) + value->len + 1;

            copy[i] = alloc_new(1, bytes);
            memcpy(copy[i], value, bytes);
        }
    }
    return copy;
}

void sf_unit_keep(struct sf_unit *unit, struct sf_record *record, bool is_new)
{
    struct salesforce *sf = unit->sf;
    struct sf_image *image;

    if (!unit->call) {
        return; /* filling an account is never taken back */
    }
    if (sf->images_count == sf->images_capacity) {
        sf->images_capacity = sf->images_capacity ? sf->images_capacity * 2 : 64;
        sf->images = alloc_resize(sf->images, sf->images_capacity, sizeof(sf->images[0]));
    }
    image = &sf->images[sf->images_count++];
    *image = (struct sf_image){.record = record, .was = *record, .is_new = is_new};
    image->was.values = is_new ? NULL : values_copy(record);
    image->was.values_count = is_new ? 0 : record->values_count;
}

/* The image is usually the newest one. */
static bool has_new_author(const struct salesforce *sf, const struct sf_record *record)
{
    for (size_t i = sf->images_count; i-- > 0;) {
        if (sf->images[i].record == record) {
            return sf->images[i].was.last_modified_by != record->last_modified_by;
        }
    }
    return false;
}

void sf_unit_changed(struct sf_unit *unit, const struct sf_change *change, const json_t *sent)
{
    struct salesforce *sf = unit->sf;
    struct sf_pending *pending;

    if (!unit->call) {
        return;
    }
    if (sf->changes_count == sf->changes_capacity) {
        sf->changes_capacity = sf->changes_capacity ? sf->changes_capacity * 2 : 64;
        sf->changes = alloc_resize(sf->changes, sf->changes_capacity, sizeof(sf->changes[0]));
    }
    pending = &sf->changes[sf->changes_count++];
    *pending = (struct sf_pending){.change = *change, .sent = sent};
    pending->change.has_new_author = has_new_author(sf, change->record);
    pending->change.fields =
        ARENA_ARRAY(&sf->unit_arena, struct sf_field *, change->fields_count + 1);
    for (size_t i = 0; i < change->fields_count; i++) {
        pending->change.fields[i] = change->fields[i];
    }
}

void sf_listen(struct salesforce *sf, sf_listener_fn *listener)
{
    assert(sf->listeners_count < SF_LISTENERS_MAX);
    sf->listeners[sf->listeners_count++] = listener;
}

/* --- refusing ---------------------------------------------------------------------------------- */

bool sf_refuse(struct sf_error *err, int status, const char *code, struct str message)
{
    *err = (struct sf_error){.status = status, .code = code, .message = message};
    return false;
}

bool sf_refuse_save(struct sf_error *err, const char *code, struct str fields, struct str message)
{
    *err = (struct sf_error){
        .status = 400, .code = code, .message = message, .fields = fields, .has_fields = true};
    return false;
}
