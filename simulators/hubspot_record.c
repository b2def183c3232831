#include "simulators/hubspot_inside.h"
#include "simulators/hubspot_webhooks.h"

#include <assert.h>
#include <inttypes.h>

#include "core/alloc.h"
#include "core/when.h"

const struct hs_source hs_source_app = {.type = "INTEGRATION", .id = "9001"};
const struct hs_source hs_source_person = {
    .type = "CRM_UI", .id = "userId:77", .user_id = HS_USER_ID};
const struct hs_source hs_source_workflow = {.type = "AUTOMATION_PLATFORM", .id = "enrollmentId:1"};
const struct hs_source hs_source_import = {.type = "IMPORT", .id = "88123"};
const struct hs_source hs_source_calculated = {.type = "CALCULATED",
                                               .id = "CalculatedPropertyComputer"};
const struct hs_source hs_source_merge = {
    .type = "MERGE_OBJECTS", .id = "userId:77", .user_id = HS_USER_ID};

/* --- life ------------------------------------------------------------------------------------------ */

struct hs_record *hs_record_new(struct hs_kind *kind, int64_t id, int64_t created_ms)
{
    struct hs_record *record = alloc_new(1, sizeof(*record));

    record->base.id = id;
    record->base.created_ms = record->base.modified_ms = created_ms;
    sim_table_add(&kind->table, &record->base);
    return record;
}

static void links_free(struct hs_record *record)
{
    for (size_t i = 0; i < record->links_count; i++) {
        free(record->links[i].types);
    }
    free(record->links);
    record->links = NULL;
    record->links_count = record->links_capacity = 0;
}

void hs_record_free(struct hs_record *record)
{
    links_free(record);
    free(record->values);
    free(record);
}

/* Ids rise with small gaps, so that nobody relies on their being dense. */
int64_t hs_next_id(struct hubspot *hs, struct hs_kind *kind)
{
    int64_t id = kind->next_id;

    kind->next_id += 1 + (int64_t)random_below(hs->random, 3);
    return id;
}

/* --- finding --------------------------------------------------------------------------------------- */

bool hs_record_is_live(const struct hs_record *record)
{
    return record->base.archived_ms == 0 && record->base.merged_into == 0 && !record->is_purged;
}

struct hs_record *hs_record_by_id(const struct hs_kind *kind, int64_t id)
{
    return (struct hs_record *)sim_table_get(&kind->table, id);
}

struct hs_record *hs_record_any(const struct hs_kind *kind, struct str id)
{
    int64_t number = 0;
    struct hs_record *record;

    if (!str_to_i64(id, &number)) {
        return NULL;
    }
    record = hs_record_by_id(kind, number);
    return record && !record->is_purged ? record : NULL;
}

struct hs_record *hs_record_live(const struct hs_kind *kind, struct str id)
{
    struct hs_record *record = hs_record_any(kind, id);

    while (record && record->base.merged_into) {
        record = hs_record_by_id(kind, record->base.merged_into);
    }
    return record && hs_record_is_live(record) ? record : NULL;
}

/* --- values ---------------------------------------------------------------------------------------- */

const struct hs_version *hs_version_at(const struct hs_record *record, size_t property,
                                       int64_t as_of_ms)
{
    const struct hs_version *version =
        property < record->values_count ? record->values[property] : NULL;

    while (version && version->at_ms > as_of_ms) {
        version = version->older;
    }
    return version;
}

int64_t hs_modified_at(const struct hs_record *record, int64_t as_of_ms)
{
    int64_t newest = record->base.created_ms;

    if (record->base.modified_ms <= as_of_ms) {
        return record->base.modified_ms;
    }
    for (size_t i = 0; i < record->values_count; i++) {
        const struct hs_version *version = hs_version_at(record, i, as_of_ms);

        if (version && version->at_ms > newest) {
            newest = version->at_ms;
        }
    }
    return newest;
}

static struct str time_text(int64_t ms, char scratch[HS_SCRATCH_BYTES])
{
    static_assert((int)WHEN_TEXT_BYTES <= (int)HS_SCRATCH_BYTES, "a time fits");

    when_format_ms(ms, scratch);
    return str_of(scratch);
}

static struct str number_text(int64_t number, char scratch[HS_SCRATCH_BYTES])
{
    snprintf(scratch, HS_SCRATCH_BYTES, "%" PRId64, number);
    return str_of(scratch);
}

struct str hs_value_at(const struct hs_kind *kind, const struct hs_record *record, size_t property,
                       int64_t as_of_ms, char scratch[HS_SCRATCH_BYTES])
{
    const struct hs_version *version;
    int64_t number;

    switch (kind->properties[property].derived) {
    case HS_STORED:
        version = hs_version_at(record, property, as_of_ms);
        return version ? (struct str){version->text, version->len} : STR_NONE;
    case HS_IS_ID:
        return number_text(record->base.id, scratch);
    case HS_IS_CREATED:
        return time_text(record->base.created_ms, scratch);
    case HS_IS_MODIFIED:
        return time_text(hs_modified_at(record, as_of_ms), scratch);
    case HS_IS_CONTACT_COUNT:
        return number_text(hs_links_live_count(record, "contacts"), scratch);
    case HS_IS_PRIMARY_COMPANY:
        number = hs_link_primary(record);
        return number ? number_text(number, scratch) : STR_NONE;
    }
    abort(); /* enum hs_derived is closed */
}

struct str hs_value(const struct hs_kind *kind, const struct hs_record *record, size_t property,
                    char scratch[HS_SCRATCH_BYTES])
{
    return hs_value_at(kind, record, property, INT64_MAX, scratch);
}

/* --- unique values --------------------------------------------------------------------------------- */

int64_t hs_unique_holder(const struct hs_property *property, struct str value)
{
    json_t *id = value.len ? json_object_getn(property->holders, value.at, value.len) : NULL;

    return id ? json_integer_value(id) : 0;
}

static struct hs_property *email_property(const struct hs_kind *kind)
{
    long index =
        kind->spec->unique_email ? hs_property_find(kind, str_of(kind->spec->unique_email)) : -1;

    return index >= 0 ? &kind->properties[index] : NULL;
}

int64_t hs_email_holder(const struct hs_kind *kind, struct str email)
{
    const struct hs_property *property = email_property(kind);

    return property ? hs_unique_holder(property, email) : 0;
}

static void holders_drop(json_t *holders, struct str value, int64_t id)
{
    json_t *holder = value.len ? json_object_getn(holders, value.at, value.len) : NULL;

    if (holder && json_integer_value(holder) == id) {
        json_object_deln(holders, value.at, value.len);
    }
}

static void holders_take(json_t *holders, struct str value, int64_t id)
{
    if (value.len) {
        json_object_setn_new_nocheck(holders, value.at, value.len, json_integer(id));
    }
}

typedef void holders_act(json_t *holders, struct str value, int64_t id);

/* Applies act to the unique values in one property's text: the text itself, or every address of a list. */
static void holders_each(struct hs_kind *kind, size_t index, struct str text, int64_t id,
                         holders_act *act)
{
    const struct hs_property *property = &kind->properties[index];

    if (property->holders) {
        act(property->holders, text, id);
    }
    if (property->flags & HS_EMAIL_LIST && email_property(kind)) {
        while (text.len) {
            act(email_property(kind)->holders, str_cut(&text, ';'), id);
        }
    }
}

static void holders_all(struct hs_kind *kind, const struct hs_record *record, holders_act *act)
{
    for (size_t i = 0; i < record->values_count; i++) {
        const struct hs_version *version = record->values[i];

        if (version) {
            holders_each(kind, i, (struct str){version->text, version->len}, record->base.id, act);
        }
    }
}

/* --- changing -------------------------------------------------------------------------------------- */

static void values_grow(struct hs_record *record, size_t count)
{
    if (count <= record->values_count) {
        return;
    }
    record->values = alloc_resize(record->values, count, sizeof(record->values[0]));
    memset(record->values + record->values_count, 0,
           (count - record->values_count) * sizeof(record->values[0]));
    record->values_count = count;
}

static struct hs_version *version_new(struct hubspot *hs, struct str text,
                                      const struct hs_source *source, int64_t at_ms)
{
    struct hs_version *version = arena_alloc(&hs->arena, 1, sizeof(*version) + text.len + 1);

    *version = (struct hs_version){.source = source,
                                   .at_ms = at_ms,
                                   .len = (uint32_t)text.len,
                                   .is_plain = sim_text_is_plain(text)};
    if (text.len) {
        memcpy(version->text, text.at, text.len);
    }
    return version;
}

void hs_record_set(struct hubspot *hs, struct hs_kind *kind, struct hs_record *record,
                   size_t property, struct str text, const struct hs_source *source, int64_t at_ms)
{
    struct hs_version *version, *present;

    values_grow(record, kind->properties_count);
    present = record->values[property];
    if (present && str_equal((struct str){present->text, present->len}, text)) {
        return;
    }
    if (present) {
        holders_each(kind, property, (struct str){present->text, present->len}, record->base.id,
                     holders_drop);
    }
    version = version_new(hs, text, source, at_ms);
    version->older = present;
    record->values[property] = version;
    holders_each(kind, property, text, record->base.id, holders_take);
}

void hs_record_archive(struct hs_kind *kind, struct hs_record *record, int64_t now_ms)
{
    /* Last-modified stays as it is. Source: airbytehq/airbyte#19838. */
    record->base.archived_ms = now_ms;
    holders_all(kind, record, holders_drop);
}

static bool text_is_free(const struct hs_kind *kind, const struct hs_property *property,
                         struct str text)
{
    if (property->holders && hs_unique_holder(property, text)) {
        return false;
    }
    while (property->flags & HS_EMAIL_LIST && text.len) {
        if (hs_email_holder(kind, str_cut(&text, ';'))) {
            return false;
        }
    }
    return true;
}

static bool values_are_free(const struct hs_kind *kind, const struct hs_record *record)
{
    for (size_t i = 0; i < record->values_count; i++) {
        const struct hs_version *version = record->values[i];

        if (version &&
            !text_is_free(kind, &kind->properties[i], (struct str){version->text, version->len})) {
            return false;
        }
    }
    return true;
}

bool hs_record_restore(struct hs_kind *kind, struct hs_record *record, int64_t now_ms)
{
    if (!values_are_free(kind, record)) {
        return false;
    }
    record->base.archived_ms = 0;
    sim_table_touch(&kind->table, &record->base, now_ms);
    holders_all(kind, record, holders_take);
    return true;
}

void hs_record_purge(struct hs_kind *kind, struct hs_record *record, int64_t now_ms)
{
    hs_record_archive(kind, record, now_ms);
    links_free(record);
    free(record->values);
    record->values = NULL;
    record->values_count = 0;
    record->is_purged = true;
}

/* --- merging --------------------------------------------------------------------------------------- */

static bool version_is_blank(const struct hs_version *version)
{
    return !version || version->len == 0;
}

/* The primary's values win; the other one fills blanks. Histories are those of the values. */
static void merge_values(struct hs_record *survivor, const struct hs_record *primary,
                         const struct hs_record *other)
{
    size_t count =
        primary->values_count > other->values_count ? primary->values_count : other->values_count;

    values_grow(survivor, count);
    for (size_t i = 0; i < count; i++) {
        struct hs_version *mine = i < primary->values_count ? primary->values[i] : NULL;
        struct hs_version *theirs = i < other->values_count ? other->values[i] : NULL;

        survivor->values[i] = version_is_blank(mine) && theirs ? theirs : mine;
    }
}

static void list_add(struct buf *list, struct str items, struct str except)
{
    while (items.len) {
        struct str item = str_cut(&items, ';');

        if (item.len && !str_equal(item, except)) {
            if (list->len) {
                buf_add_char(list, ';');
            }
            buf_add(list, item);
        }
    }
}

static struct str stored(const struct hs_record *record, long property)
{
    const struct hs_version *version =
        property >= 0 ? hs_version_at(record, (size_t)property, INT64_MAX) : NULL;

    return version ? (struct str){version->text, version->len} : STR_NONE;
}

/* Former ids, chained ones included: "501;503". */
static void merge_ids(struct hubspot *hs, struct hs_kind *kind, struct hs_record *survivor,
                      const struct hs_record *const both[2], int64_t now_ms)
{
    AUTO_BUF struct buf list;
    char scratch[HS_SCRATCH_BYTES];

    buf_init(&list, HS_TEXT_BYTES_MAX);
    for (size_t i = 0; i < 2; i++) {
        list_add(&list, stored(both[i], (long)kind->merged_ids_index), STR_NONE);
        list_add(&list, number_text(both[i]->base.id, scratch), STR_NONE);
    }
    hs_record_set(hs, kind, survivor, kind->merged_ids_index, buf_str(&list), &hs_source_merge,
                  now_ms);
}

/* No address is lost: the other one's become additional addresses. */
static void merge_list(struct hubspot *hs, struct hs_kind *kind, struct hs_record *survivor,
                       const struct hs_record *const both[2], const char *main_name,
                       const char *extra_name, int64_t now_ms)
{
    AUTO_BUF struct buf list;
    long main_index = hs_property_find(kind, str_of(main_name));
    long extra_index = hs_property_find(kind, str_of(extra_name));
    struct str kept;

    if (main_index < 0 || extra_index < 0) {
        return;
    }
    kept = stored(survivor, main_index);
    buf_init(&list, HS_TEXT_BYTES_MAX);
    for (size_t i = 0; i < 2; i++) {
        list_add(&list, stored(both[i], main_index), kept);
        list_add(&list, stored(both[i], extra_index), kept);
    }
    if (list.len) {
        hs_record_set(hs, kind, survivor, (size_t)extra_index, buf_str(&list), &hs_source_merge,
                      now_ms);
    }
}

struct hs_record *hs_record_merge(struct hubspot *hs, struct hs_kind *kind,
                                  struct hs_record *primary, struct hs_record *other,
                                  int64_t now_ms)
{
    const struct hs_record *const both[2] = {primary, other};
    int64_t created_ms = primary->base.created_ms;
    struct hs_record *survivor = hs_record_new(kind, hs_next_id(hs, kind), created_ms);

    holders_all(kind, primary, holders_drop);
    holders_all(kind, other, holders_drop);
    primary->base.merged_into = other->base.merged_into = survivor->base.id;
    survivor->merges = primary->merges + other->merges + 1;
    merge_values(survivor, primary, other);
    holders_all(kind, survivor, holders_take);
    merge_ids(hs, kind, survivor, both, now_ms);
    merge_list(hs, kind, survivor, both, "email", "hs_additional_emails", now_ms);
    merge_list(hs, kind, survivor, both, "domain", "hs_additional_domains", now_ms);
    hs_links_move(hs, kind, primary, survivor);
    hs_links_move(hs, kind, other, survivor);
    sim_table_touch(&kind->table, &survivor->base, now_ms);
    hs_news_of_merge(hs, kind, primary, other, survivor, now_ms);
    return survivor;
}
