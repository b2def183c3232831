/* Salesforce: very many creates of one call. They come packed and stay so: each is opened to be filled, what it is called in a load or which row it
 * is locked with is kept, and those that go by collections are opened again, a call's worth at a time. */
#include <stdlib.h>

#include "adapters/salesforce_write.h"
#include "core/jx.h"

enum {
    OPEN_MAX = 200,     /* items that are open while they are filled */
    PEOPLE_SLICE = 2000 /* deals whose people are written together */
};

/* A create between its filling and its result. */
struct place {
    struct create_item *item;
    const char *object;
    struct str parent; /* whose row is locked along with it, "" none */
    struct salesforce_load_row row;
    bool is_loadable;
};

struct many {
    struct session *session;
    const char *kind;
    struct arena *arena;
    struct create_item *items;
    size_t count;
    struct place *places; /* those that can be sent, in the order of their objects and parents */
    size_t places_count;
    json_t *columns; /* object → what its loads have columns for; arena */
};

/* --- items ------------------------------------------------------------------------------------ */

static struct write_item opened(const struct create_item *item, struct arena *arena)
{
    return (struct write_item){.correlation_key = item->correlation_key,
                               .props = adapter_unpack(arena, item->props)};
}

void salesforce_keep_created(struct create_item *item, const struct write_item *written,
                             struct arena *arena)
{
    struct error *error = NULL;

    if (written->error.code != OK) {
        error = ARENA_NEW(arena, struct error);
        *error = written->error;
    }
    item->outcome = written->outcome;
    item->error = error;
    item->remote_id = written->remote_id.len ? arena_str(arena, written->remote_id) : STR("");
    item->returned = (struct remote_record){
        .remote_id = item->remote_id, .state = REMOTE_LIVE, .correlation_key = STR("")};
    item->returned_props =
        written->returned.props ? adapter_pack(arena, written->returned.props) : STR("");
}

/* --- filling ---------------------------------------------------------------------------------- */

static json_t *columns_of(const struct many *many, const char *object)
{
    json_t *columns = json_object_get(many->columns, object);

    if (!columns) {
        columns = json_object();
        json_object_set_new(many->columns, object, columns);
    }
    return columns;
}

static void fill(struct many *many, struct create_item *item, const struct write_item *open,
                 struct arena *page)
{
    struct write_item written = *open;
    struct place *place = &many->places[many->places_count];
    struct salesforce_outgoing out;

    if (salesforce_fill(many->session, many->kind, &written, page, &out, &written.error) != OK) {
        written.outcome = WRITE_REFUSED;
        salesforce_keep_created(item, &written, many->arena);
        return;
    }
    *place = (struct place){.item = item,
                            .object = out.object,
                            .parent = arena_str(many->arena, out.parent),
                            .row = {.item = item}};
    if (many->count >= SF_BULK_MIN) {
        place->is_loadable =
            salesforce_load_add(&out, columns_of(many, out.object), &place->row, many->arena);
    }
    many->places_count++;
}

/* As collections are sorted: rows of one parent one after the other. */
static int compare_places(const void *x, const void *y)
{
    const struct place *a = x, *b = y;
    int order = strcmp(a->object, b->object);

    order = order ? order : str_compare(a->parent, b->parent);
    return order ? order : (a->item > b->item) - (a->item < b->item);
}

/* Opened once: what the page needs is loaded where no page before it did. */
static enum fail fill_page(struct many *many, struct create_item *items, size_t count,
                           struct salesforce_needs *needs, struct error *err)
{
    AUTO_ARENA struct arena page = {0};
    struct write_item *writes = ARENA_ARRAY(&page, struct write_item, count);

    for (size_t i = 0; i < count; i++) {
        writes[i] = opened(&items[i], &page);
        salesforce_note_needs(many->kind, &writes[i], needs);
    }
    if (salesforce_meet_needs(many->session, many->kind, needs, &page, err) != OK) {
        return err->code;
    }
    for (size_t i = 0; i < count; i++) {
        fill(many, &items[i], &writes[i], &page);
    }
    return OK;
}

static enum fail fill_all(struct many *many, struct error *err)
{
    struct salesforce_needs needs = {.names = jx_own(many->arena, json_object())};

    many->places = ARENA_ARRAY(many->arena, struct place, many->count + 1);
    many->columns = jx_own(many->arena, json_object());
    for (size_t from = 0; from < many->count; from += OPEN_MAX) {
        size_t left = many->count - from;

        if (fill_page(many, many->items + from, left < OPEN_MAX ? left : OPEN_MAX, &needs, err) !=
            OK) {
            return err->code;
        }
    }
    if (many->places_count) {
        qsort(many->places, many->places_count, sizeof *many->places, compare_places);
    }
    return OK;
}

/* --- collections ------------------------------------------------------------------------------ */

static enum fail write_slice(const struct many *many, struct place *const *places, size_t count,
                             struct error *err)
{
    AUTO_ARENA struct arena page = {0};
    struct write_item *items = ARENA_ARRAY(&page, struct write_item, count);

    for (size_t i = 0; i < count; i++) {
        items[i] = opened(places[i]->item, &page);
    }
    (void)!salesforce_write_objects(many->session, many->kind, &page, items, count, err);
    for (size_t i = 0; i < count; i++) {
        salesforce_keep_created(places[i]->item, &items[i], many->arena);
    }
    return err->code;
}

/* What fits into one call. */
static size_t slice_end(struct place *const *places, size_t from, size_t count)
{
    size_t collections = 0, in_collection = SF_COLLECTION_MAX, to = from;

    for (; to < count; to++) {
        bool is_other = to > from && strcmp(places[to]->object, places[to - 1]->object) != 0;

        if (is_other || in_collection == SF_COLLECTION_MAX) {
            if (collections++ == SF_QUERIES_MAX) {
                break;
            }
            in_collection = 0;
        }
        in_collection++;
    }
    return to;
}

static enum fail write_collections(const struct many *many, struct place *const *places,
                                   size_t count, struct error *err)
{
    for (size_t from = 0, to; from < count; from = to) {
        to = slice_end(places, from, count);
        if (write_slice(many, places + from, to - from, err) != OK) {
            return err->code;
        }
    }
    return OK;
}

/* --- loads ------------------------------------------------------------------------------------ */

/* A load does not say which records a duplicate rule matched; alone, a create is told. Further ones stay refused without a name. */
static enum fail ask_for_matches(const struct many *many, struct place *places, size_t count,
                                 struct error *err)
{
    struct place *lacking[SF_COMPOSITE_MAX];
    size_t found = 0;

    for (size_t i = 0; i < count && found < SF_COMPOSITE_MAX; i++) {
        if (places[i].row.lacks_matches && places[i].item->outcome == WRITE_REFUSED) {
            lacking[found++] = &places[i];
        }
    }
    return found ? write_slice(many, lacking, found, err) : OK;
}

/* Creates of one object. */
static enum fail load(const struct many *many, struct place *places, size_t count, bool *ret_taken,
                      struct error *err)
{
    struct salesforce_load load = {
        .object = places[0].object,
        .columns = columns_of(many, places[0].object),
        .rows = ARENA_ARRAY(many->arena, struct salesforce_load_row *, count),
        .count = count};

    *ret_taken = false;
    for (size_t i = 0; i < count; i++) {
        if (!places[i].is_loadable) {
            return OK;
        }
        load.rows[i] = &places[i].row;
    }
    if (salesforce_bulk_create(many->session, &load, many->arena, ret_taken, err) != OK) {
        return err->code;
    }
    return ask_for_matches(many, places, count, err);
}

/* What is enough for a load goes by one, the rest by collections. */
static enum fail write_all(const struct many *many, struct error *err)
{
    struct place **left = ARENA_ARRAY(many->arena, struct place *, many->places_count + 1);
    size_t left_count = 0;

    for (size_t from = 0, to = 0; from < many->places_count; from = to) {
        bool is_taken = false;

        while (to < many->places_count &&
               strcmp(many->places[to].object, many->places[from].object) == 0) {
            to++;
        }
        if (to - from >= SF_BULK_MIN &&
            load(many, many->places + from, to - from, &is_taken, err) != OK) {
            return err->code;
        }
        for (size_t i = from; i < to && !is_taken; i++) {
            left[left_count++] = &many->places[i];
        }
    }
    return write_collections(many, left, left_count, err);
}

/* --- people of deals -------------------------------------------------------------------------- */

static enum fail write_people_of(const struct many *many, struct create_item *items, size_t count,
                                 struct error *err)
{
    AUTO_ARENA struct arena page = {0};
    struct write_item *written = ARENA_ARRAY(&page, struct write_item, count);
    struct salesforce_outgoing *outs = ARENA_ARRAY(&page, struct salesforce_outgoing, count);
    enum fail failed;

    for (size_t i = 0; i < count; i++) {
        written[i] = opened(&items[i], &page);
        written[i].outcome = items[i].outcome;
        written[i].remote_id = items[i].remote_id;
        if (items[i].returned_props.len) {
            written[i].returned.props = adapter_unpack(&page, items[i].returned_props);
        }
        outs[i] = (struct salesforce_outgoing){.item = &written[i], .is_create = true};
    }
    failed = salesforce_write_roles(many->session, outs, count, &page, err);
    for (size_t i = 0; i < count; i++) {
        if (items[i].outcome == WRITE_DONE) {
            salesforce_keep_created(&items[i], &written[i], many->arena);
        }
    }
    return failed;
}

/* Those of deals that are made, also when nothing more can be sent: then each says so. */
static enum fail write_people(const struct many *many, struct error *err)
{
    for (size_t from = 0; from < many->count; from += PEOPLE_SLICE) {
        size_t left = many->count - from;

        (void)!write_people_of(many, many->items + from, left < PEOPLE_SLICE ? left : PEOPLE_SLICE,
                               err);
    }
    return err->code;
}

/* --- the contract ----------------------------------------------------------------------------- */

enum fail salesforce_create_many(struct session *session, const char *kind, struct arena *arena,
                                 struct create_item *items, size_t count, struct error *err)
{
    struct many many = {
        .session = session, .kind = kind, .arena = arena, .items = items, .count = count};

    error_reset(err);
    if (fill_all(&many, err) != OK) {
        return err->code;
    }
    (void)!write_all(&many, err);
    return strcmp(kind, "deal") == 0 ? write_people(&many, err) : err->code;
}

static int64_t people_calls(const struct create_item *items, size_t count)
{
    AUTO_ARENA struct arena page = {0};
    struct write_item *written = ARENA_ARRAY(&page, struct write_item, count);

    for (size_t i = 0; i < count; i++) {
        written[i] = opened(&items[i], &page);
    }
    return salesforce_role_calls(written, count);
}

static bool goes_beside(const char *kind, const struct create_item *item)
{
    AUTO_ARENA struct arena page = {0};
    struct write_item written = opened(item, &page);

    return salesforce_is_beside(salesforce_target_name(kind, &written));
}

/* As salesforce_upsert_calls(): what the session has to learn first comes on top. */
int64_t salesforce_create_calls(const char *kind, const struct create_item *items, size_t count)
{
    size_t of_object[2] = {0}, collections = 0;
    int64_t calls = 0;

    for (size_t i = 0; i < count; i++) {
        of_object[goes_beside(kind, &items[i])]++;
    }
    for (size_t i = 0; i < COUNT_OF(of_object); i++) {
        bool is_load = of_object[i] >= SF_BULK_MIN;

        calls += is_load ? SF_BULK_CALLS : 0;
        collections += is_load ? 0 : salesforce_collections_of(of_object[i]);
    }
    for (size_t from = 0; strcmp(kind, "deal") == 0 && from < count; from += PEOPLE_SLICE) {
        calls +=
            people_calls(items + from, count - from < PEOPLE_SLICE ? count - from : PEOPLE_SLICE);
    }
    return calls + salesforce_pack_calls(0, collections);
}
