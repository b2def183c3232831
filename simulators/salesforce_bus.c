#include "simulators/salesforce_events.h"

#include "core/alloc.h"

enum { RECORD_IDS_BYTES_MAX = SF_RECORD_IDS_MAX * 24, EVENT_BYTES_MAX = 1024 * 1024 };

/* source: reference/salesforce.md section 11, "Kept 72 hours" */
static const int64_t RETENTION_MS = 72LL * 60 * 60 * 1000;

static void event_fini(struct sf_event *event)
{
    free(event->entity);
    free(event->type);
    free(event->origin);
    free(event->key);
    free(event->rest);
    buf_fini(&event->record_ids);
}

void sf_bus_init(struct sf_bus *bus, uint64_t seed)
{
    bus->random = random_new_seeded(seed ^ 0x73666576656e7473);
    bus->replay_last = 1000000 + (int64_t)random_below(bus->random, 40000000);
}

static void unselect_all(struct sf_bus *bus)
{
    for (size_t i = 0; i < bus->selected_count; i++) {
        free(bus->selected[i]);
    }
    bus->selected_count = 0;
}

void sf_bus_fini(struct sf_bus *bus)
{
    for (size_t i = 0; i < bus->count; i++) {
        event_fini(&bus->at[bus->first + i]);
    }
    free(bus->at);
    unselect_all(bus);
    random_free(bus->random);
    *bus = (struct sf_bus){0};
}

bool sf_bus_is_selected(const struct sf_bus *bus, struct str entity)
{
    for (size_t i = 0; i < bus->selected_count; i++) {
        if (str_equal(str_of(bus->selected[i]), entity)) {
            return true;
        }
    }
    return false;
}

bool sf_bus_select(struct sf_bus *bus, const struct str *entities, size_t count)
{
    if (count > SF_ENTITIES_MAX) {
        return false;
    }
    unselect_all(bus);
    for (size_t i = 0; i < count; i++) {
        bus->selected[bus->selected_count++] = alloc_printf("%" PRI_STR, STR_ARG(entities[i]));
    }
    return true;
}

/* --- the log --------------------------------------------------------------------------------- */

static void drop_oldest(struct sf_bus *bus)
{
    event_fini(&bus->at[bus->first]);
    bus->first++;
    bus->count--;
}

void sf_bus_expire(struct sf_bus *bus, int64_t now_ms)
{
    while (bus->count && bus->at[bus->first].at_ms + RETENTION_MS < now_ms) {
        drop_oldest(bus);
    }
}

/* Room for one more behind the last: moved to the front, or grown. */
static void make_room(struct sf_bus *bus)
{
    if (bus->first + bus->count < bus->capacity) {
        return;
    }
    if (bus->first > bus->capacity / 2) {
        memmove(bus->at, bus->at + bus->first, bus->count * sizeof(bus->at[0]));
        bus->first = 0;
        return;
    }
    bus->capacity = bus->capacity ? bus->capacity * 2 : 64;
    bus->at = alloc_resize(bus->at, bus->capacity, sizeof(bus->at[0]));
}

static struct sf_event *newest(struct sf_bus *bus)
{
    return bus->count ? &bus->at[bus->first + bus->count - 1] : NULL;
}

size_t sf_bus_after(const struct sf_bus *bus, int64_t replay_id)
{
    size_t low = 0, high = bus->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (bus->at[bus->first + middle].replay_id <= replay_id) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

const struct sf_event *sf_bus_event(const struct sf_bus *bus, size_t index)
{
    return index < bus->count ? &bus->at[bus->first + index] : NULL;
}

bool sf_bus_has(const struct sf_bus *bus, int64_t replay_id)
{
    size_t index = sf_bus_after(bus, replay_id);

    return index > 0 && bus->at[bus->first + index - 1].replay_id == replay_id;
}

/* --- one event ------------------------------------------------------------------------------- */

static const char *type_of(enum sf_change_kind kind)
{
    switch (kind) {
    case SF_CREATED:
        return "CREATE";
    case SF_UPDATED:
        return "UPDATE";
    case SF_DELETED:
        return "DELETE";
    case SF_UNDELETED:
        return "UNDELETE";
    }
    abort(); /* the enum is closed */
}

/* "MailingAddress.Street" of a part. */
static void put_path(struct buf *to, const struct sf_changed *field)
{
    buf_add_char(to, '"');
    if (field->parent.at) {
        buf_add(to, field->parent);
        buf_add_char(to, '.');
        buf_add(to, field->part);
    } else {
        buf_add(to, field->name);
    }
    buf_add_char(to, '"');
}

static void put_member(struct buf *to, struct str name, struct str json)
{
    buf_add_char(to, '"');
    buf_add(to, name);
    buf_add(to, STR("\":"));
    buf_add(to, json);
}

static bool parent_is_first_here(const struct sf_bus_change *change, size_t index)
{
    for (size_t i = 0; i < index; i++) {
        if (str_equal(change->fields[i].parent, change->fields[index].parent) &&
            change->fields[i].parent.at) {
            return false;
        }
    }
    return true;
}

/* A compound field with those of its parts that are in the change. */
static void put_compound(struct buf *to, const struct sf_bus_change *change, size_t from)
{
    struct str parent = change->fields[from].parent;
    const char *separator = "";

    put_member(to, parent, STR("{"));
    for (size_t i = from; i < change->fields_count; i++) {
        if (change->fields[i].parent.at && str_equal(change->fields[i].parent, parent)) {
            sim_put(to, separator);
            put_member(to, change->fields[i].part, change->fields[i].json);
            separator = ",";
        }
    }
    buf_add_char(to, '}');
}

static void put_fields(struct buf *to, const struct sf_bus_change *change)
{
    for (size_t i = 0; i < change->fields_count; i++) {
        const struct sf_changed *field = &change->fields[i];

        if (!field->parent.at) {
            buf_add_char(to, ',');
            put_member(to, field->name, field->json);
        } else if (parent_is_first_here(change, i)) {
            buf_add_char(to, ',');
            put_compound(to, change, i);
        }
    }
}

/* changedFields is empty but for updates. source: change_data_capture guide, "ChangeEventHeader Fields" */
static void put_changed_names(struct buf *to, const struct sf_bus_change *change)
{
    for (size_t i = 0; change->kind == SF_UPDATED && i < change->fields_count; i++) {
        sim_put(to, i ? "," : "");
        put_path(to, &change->fields[i]);
    }
}

static char *rest_of(const struct sf_bus_change *change)
{
    AUTO_BUF struct buf text;
    char *rest;

    buf_init(&text, EVENT_BYTES_MAX);
    put_member(&text, STR("commitUser"), STR(""));
    sim_put_text(&text, change->user);
    buf_add(&text, STR(",\"changedFields\":["));
    put_changed_names(&text, change);
    buf_add(&text, STR("]}"));
    put_fields(&text, change);
    if (text.is_full) {
        return NULL;
    }
    rest = text.at;
    text.at = NULL;
    return rest;
}

void sf_bus_put(struct buf *body, const struct sf_event *event)
{
    /* the schema's name changes with the object's fields, which nobody here looks at */
    sim_put(body, "{\"schema\":\"V2MGwDA2aIP0yQS98S2L6Q\",\"payload\":{\"ChangeEventHeader\":{"
                  "\"entityName\":");
    sim_put_text(body, str_of(event->entity));
    sim_put(body, ",\"recordIds\":[");
    buf_add(body, buf_str(&event->record_ids));
    sim_put(body, "],\"changeType\":");
    sim_put_text(body, str_of(event->type));
    sim_put(body, ",\"changeOrigin\":");
    sim_put_text(body, str_of(event->origin));
    sim_put(body, ",\"transactionKey\":");
    sim_put_text(body, str_of(event->key));
    sim_put(body, ",\"sequenceNumber\":");
    sim_put_i64(body, event->sequence);
    sim_put(body, ",\"commitTimestamp\":");
    sim_put_i64(body, event->at_ms / 1000 * 1000);
    sim_put(body, ",\"commitNumber\":");
    sim_put_i64(body, event->at_ms * 1000000 + event->number % 1000000);
    buf_add_char(body, ',');
    buf_add(body, str_of(event->rest));
    sim_put(body, "},\"event\":{\"replayId\":");
    sim_put_i64(body, event->replay_id);
    sim_put(body, "}}");
}

/* --- publishing ------------------------------------------------------------------------------ */

static void transaction_begin(struct sf_bus *bus, uint64_t transaction)
{
    uint8_t bytes[16];

    if (bus->events_total && bus->transaction == transaction) {
        return;
    }
    bus->transaction = transaction;
    bus->sequence = 0;
    random_bytes(bus->random, bytes, sizeof bytes);
    snprintf(bus->key, sizeof bus->key,
             "0000%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", bytes[0], bytes[1],
             bytes[2], bytes[3], bytes[4], bytes[5], bytes[6], bytes[7], bytes[8], bytes[9],
             bytes[10], bytes[11], bytes[12], bytes[13]);
}

static void add_record_id(struct sf_event *event, struct str id)
{
    if (event->ids_count++) {
        buf_add_char(&event->record_ids, ',');
    }
    sim_put_text(&event->record_ids, id);
}

/* source: change_data_capture guide, "Merged Change Events": the same change, one transaction, one second */
static bool is_same_change(const struct sf_event *event, const struct sf_bus_change *change,
                           const char *type, const char *rest)
{
    return event && event->transaction == change->transaction &&
           event->at_ms / 1000 == change->at_ms / 1000 && event->ids_count < SF_RECORD_IDS_MAX &&
           str_equal(str_of(event->entity), change->entity) && strcmp(event->type, type) == 0 &&
           str_equal(str_of(event->origin), change->origin) && strcmp(event->rest, rest) == 0;
}

/* Replay ids ascend with gaps. source: streaming guide, "Message Durability" */
static int64_t next_replay_id(struct sf_bus *bus)
{
    bus->replay_last += 1 + (int64_t)random_below(bus->random, 3);
    return bus->replay_last;
}

static void add_event(struct sf_bus *bus, const struct sf_bus_change *change, const char *type,
                      char *take_rest)
{
    struct sf_event *event;

    if (bus->count >= SF_EVENTS_MAX) {
        drop_oldest(bus);
    }
    make_room(bus);
    event = &bus->at[bus->first + bus->count++];
    *event = (struct sf_event){.replay_id = next_replay_id(bus),
                               .at_ms = change->at_ms,
                               .number = bus->events_total++,
                               .transaction = change->transaction,
                               .entity = alloc_printf("%" PRI_STR, STR_ARG(change->entity)),
                               .type = alloc_dup(type),
                               .origin = alloc_printf("%" PRI_STR, STR_ARG(change->origin)),
                               .key = alloc_dup(bus->key),
                               .rest = take_rest,
                               .sequence = ++bus->sequence};
    buf_init(&event->record_ids, RECORD_IDS_BYTES_MAX);
    add_record_id(event, change->id);
}

/* Takes rest. */
static void publish(struct sf_bus *bus, const struct sf_bus_change *change, const char *type,
                    char *rest)
{
    sf_bus_expire(bus, change->at_ms);
    transaction_begin(bus, change->transaction);
    if (is_same_change(newest(bus), change, type, rest)) {
        add_record_id(newest(bus), change->id);
        free(rest);
    } else {
        add_event(bus, change, type, rest);
    }
}

void sf_bus_publish_gap(struct sf_bus *bus, const struct sf_bus_change *change, const char *type)
{
    struct sf_bus_change bare = *change;

    bare.fields_count = 0;
    publish(bus, &bare, type, rest_of(&bare));
}

/* source: change_data_capture guide, "Gap Events": what does not fit into an event is announced without its fields */
static void publish_too_large(struct sf_bus *bus, const struct sf_bus_change *change)
{
    AUTO_FREE char *type = alloc_printf("GAP_%s", type_of(change->kind));

    sf_bus_publish_gap(bus, change, type);
}

void sf_bus_publish(struct sf_bus *bus, const struct sf_bus_change *change)
{
    char *rest;

    if (!sf_bus_is_selected(bus, change->entity)) {
        return;
    }
    rest = rest_of(change);
    if (rest) {
        publish(bus, change, type_of(change->kind), rest);
    } else {
        publish_too_large(bus, change);
    }
}
