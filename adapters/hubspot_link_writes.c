/* HubSpot: writing associations: only what differs, up to 2,000 links a call.
 * Facts: developers.hubspot.com, associate records guide: a record has one primary company, so the
 * one before stays as a plain link; archive ends all types of a pair; default links need no type. */
#include "adapters/hubspot_inside.h"

#include "core/jx.h"

/* One link to make or to end. */
struct change {
    struct write_item *item;
    struct str to;
    bool is_end;
    enum { CHANGE_OPEN, CHANGE_DONE, CHANGE_REFUSED } outcome;
};

/* The links of one relation for all items of a call. */
struct writing {
    struct session *session;
    struct arena *arena;
    const char *kind;
    const struct hubspot_relation *relation;
    struct write_item **items; /* that hold the member */
    bool *is_new;              /* of items: made just now, without any links */
    size_t count;
    struct change *changes;
    size_t changes_count, changes_capacity;
};

/* --- what differs ----------------------------------------------------------------------------- */

static bool holds(const json_t *value, struct str id)
{
    for (size_t i = 0; i < json_array_size(value); i++) {
        if (str_equal(jx_text_of(json_array_get(value, i)), id)) {
            return true;
        }
    }
    return str_equal(jx_text_of(value), id) && id.len > 0;
}

static void add_change(struct writing *writing, struct write_item *item, struct str to, bool is_end)
{
    if (to.len == 0) {
        return;
    }
    if (writing->changes_count == writing->changes_capacity) {
        size_t capacity = writing->changes_capacity ? 2 * writing->changes_capacity : 64;
        struct change *changes = ARENA_ARRAY(writing->arena, struct change, capacity);

        for (size_t i = 0; i < writing->changes_count; i++) {
            changes[i] = writing->changes[i];
        }
        writing->changes = changes;
        writing->changes_capacity = capacity;
    }
    writing->changes[writing->changes_count++] =
        (struct change){.item = item, .to = to, .is_end = is_end};
}

static void add_differences(struct writing *writing, struct write_item *item, const json_t *now)
{
    const json_t *wanted = json_object_get(item->props, writing->relation->property);
    bool has_primary = hubspot_primary_type(writing->kind, writing->relation) != 0;
    struct str to = jx_text_of(wanted);

    if (writing->relation->is_list) {
        for (size_t i = 0; i < json_array_size(now); i++) {
            struct str id = jx_text_of(json_array_get(now, i));

            if (!holds(wanted, id)) {
                add_change(writing, item, id, true);
            }
        }
        for (size_t i = 0; i < json_array_size(wanted); i++) {
            struct str id = jx_text_of(json_array_get(wanted, i));

            if (!holds(now, id)) {
                add_change(writing, item, id, false);
            }
        }
        return;
    }
    if (str_equal(to, jx_text_of(now))) {
        return;
    }
    if (to.len == 0 || !has_primary) { /* else the one before would be shown in place of it */
        add_change(writing, item, jx_text_of(now), true);
    }
    add_change(writing, item, to, false);
}

static bool is_known(const struct writing *writing, size_t index)
{
    return writing->is_new[index] ||
           json_object_get(writing->items[index]->current, writing->relation->property);
}

/* Those whose present links nobody told. */
static enum fail add_unknown(struct writing *writing, struct error *err)
{
    struct remote_record *now =
        ARENA_ARRAY(writing->arena, struct remote_record, writing->count + 1);
    struct write_item **items =
        ARENA_ARRAY(writing->arena, struct write_item *, writing->count + 1);
    size_t count = 0;

    for (size_t i = 0; i < writing->count; i++) {
        if (!is_known(writing, i)) {
            items[count] = writing->items[i];
            now[count++] = (struct remote_record){.remote_id = writing->items[i]->remote_id,
                                                  .state = REMOTE_LIVE,
                                                  .props = jx_own(writing->arena, json_object())};
        }
    }
    if (hubspot_read_links(writing->session, writing->arena, writing->kind, writing->relation, now,
                           count, err) != OK) {
        return err->code;
    }
    for (size_t i = 0; i < count; i++) {
        add_differences(writing, items[i],
                        json_object_get(now[i].props, writing->relation->property));
    }
    return OK;
}

static void add_known(struct writing *writing)
{
    for (size_t i = 0; i < writing->count; i++) {
        struct write_item *item = writing->items[i];

        if (is_known(writing, i)) {
            add_differences(writing, item,
                            writing->is_new[i]
                                ? NULL
                                : json_object_get(item->current, writing->relation->property));
        }
    }
}

/* --- sending ---------------------------------------------------------------------------------- */

static json_t *input_of(const struct writing *writing, const struct change *change)
{
    struct str from = change->item->remote_id, to = change->to;
    int primary = hubspot_primary_type(writing->kind, writing->relation);

    if (change->is_end) {
        return json_pack("{s:{s:s%},s:[{s:s%}]}", "from", "id", from.at, from.len, "to", "id",
                         to.at, to.len);
    }
    if (!primary) {
        return json_pack("{s:{s:s%},s:{s:s%}}", "from", "id", from.at, from.len, "to", "id", to.at,
                         to.len);
    }
    return json_pack("{s:{s:s%},s:{s:s%},s:[{s:s,s:i},{s:s,s:i}]}", "from", "id", from.at, from.len,
                     "to", "id", to.at, to.len, "types", "associationCategory", "HUBSPOT_DEFINED",
                     "associationTypeId", primary, "associationCategory", "HUBSPOT_DEFINED",
                     "associationTypeId", hubspot_plain_type(writing->kind, writing->relation));
}

static const char *operation_of(const struct writing *writing, const struct change *change)
{
    if (change->is_end) {
        return "batch/archive";
    }
    return hubspot_primary_type(writing->kind, writing->relation) ? "batch/create"
                                                                  : "batch/associate/default";
}

static char *key_of(struct arena *arena, struct str from, struct str to)
{
    return arena_cstr(arena,
                      arena_printf(arena, "%" PRI_STR "/%" PRI_STR, STR_ARG(from), STR_ARG(to)));
}

/* {"fromObjectId","toObjectId"} after create, {"from":{"id"},"to":{"id"}} for default links. */
static bool ends_of(struct arena *arena, const json_t *row, struct str *from, struct str *to)
{
    struct error ignored = {0};

    if (jx_get(row, "from")) {
        return jx_id(arena, jx_get(row, "from"), "id", from, &ignored) == OK &&
               jx_id(arena, jx_get(row, "to"), "id", to, &ignored) == OK;
    }
    return jx_id(arena, row, "fromObjectId", from, &ignored) == OK &&
           jx_id(arena, row, "toObjectId", to, &ignored) == OK;
}

/* Only what the answer names was done: a 207 leaves out what failed. */
static void keep_done(const struct writing *writing, struct change *changes, size_t count,
                      const json_t *body)
{
    const json_t *results = jx_get(body, "results");
    json_t *by_ends = jx_own(writing->arena, json_object());

    for (size_t i = 0; i < count; i++) {
        json_object_set_new(by_ends,
                            key_of(writing->arena, changes[i].item->remote_id, changes[i].to),
                            json_integer((json_int_t)i));
    }
    for (size_t r = 0; r < json_array_size(results); r++) {
        struct str from, to;
        const json_t *index;

        if (ends_of(writing->arena, json_array_get(results, r), &from, &to) &&
            (index = json_object_get(by_ends, key_of(writing->arena, from, to)))) {
            changes[json_integer_value(index)].outcome = CHANGE_DONE;
        }
    }
}

/* An error row names one end or both. */
static void keep_refused(struct change *changes, size_t count, const json_t *body)
{
    const json_t *errors = jx_get(body, "errors");

    for (size_t e = 0; e < json_array_size(errors); e++) {
        const json_t *context = jx_get(json_array_get(errors, e), "context");
        const json_t *to = jx_get(context, "toObjectId");

        for (size_t i = 0; i < count; i++) {
            if (changes[i].outcome == CHANGE_OPEN &&
                holds(jx_get(context, "fromObjectId"), changes[i].item->remote_id) &&
                (!json_array_size(to) || holds(to, changes[i].to))) {
                changes[i].outcome = CHANGE_REFUSED;
            }
        }
    }
}

static enum fail send_changes(const struct writing *writing, struct change *changes, size_t count,
                              struct error *err)
{
    json_t *inputs = json_array();
    struct str tail =
        arena_printf(writing->arena, "%s/%s/%s", hubspot_object(writing->session, writing->kind),
                     writing->relation->to, operation_of(writing, changes));
    struct hubspot_call call = {
        .method = HTTP_POST,
        .path = hubspot_associations_path(writing->session, writing->arena, tail.at),
        .body = jx_own(writing->arena, json_pack("{s:o}", "inputs", inputs)),
        .bucket = HS_LINKS,
        .is_safe = true,
        .may_be_missing = true};
    struct hubspot_answer answer;

    for (size_t i = 0; i < count; i++) {
        json_array_append_new(inputs, input_of(writing, &changes[i]));
    }
    if (hubspot_exec(writing->session, &call, writing->arena, &answer, err) == OK) {
        for (size_t i = 0; i < count && changes->is_end; i++) { /* its answer has no details */
            changes[i].outcome = CHANGE_DONE;
        }
        keep_done(writing, changes, count, answer.body);
        keep_refused(changes, count, answer.body);
        return OK;
    }
    if (err->is_outcome_unknown || (err->code != FAIL_RECORD && err->code != FAIL_STALE)) {
        return error_wrap(err, "%s of %s", writing->relation->to,
                          hubspot_object(writing->session, writing->kind));
    }
    error_reset(err);
    if (count == 1) {
        changes[0].outcome = CHANGE_REFUSED;
        return OK;
    }
    if (send_changes(writing, changes, count / 2, err) != OK) { /* one bad pair fails them all */
        return err->code;
    }
    return send_changes(writing, changes + count / 2, count - count / 2, err);
}

/* Ends come first, so that a record never has one link too many. */
static enum fail send_all(struct writing *writing, bool is_end, struct error *err)
{
    struct change *some = ARENA_ARRAY(writing->arena, struct change, HS_LINKS_WRITE_MAX);
    size_t *places = ARENA_ARRAY(writing->arena, size_t, HS_LINKS_WRITE_MAX);
    size_t count = 0;

    for (size_t i = 0; i < writing->changes_count; i++) {
        if (writing->changes[i].is_end == is_end) {
            places[count] = i;
            some[count++] = writing->changes[i];
        }
        if (count == HS_LINKS_WRITE_MAX || (i + 1 == writing->changes_count && count)) {
            enum fail failed = send_changes(writing, some, count, err);

            for (size_t k = 0; k < count; k++) {
                writing->changes[places[k]].outcome = some[k].outcome;
            }
            if (failed != OK) {
                return failed;
            }
            count = 0;
        }
    }
    return OK;
}

/* --- what became of the items ----------------------------------------------------------------- */

void hubspot_show(struct arena *arena, struct write_item *item, const char *property,
                  json_t *take_value)
{
    if (item->outcome == WRITE_PENDING) {
        item->outcome = WRITE_DONE;
        item->returned = (struct remote_record){.remote_id = item->remote_id};
    }
    if (!item->returned.props) {
        item->returned.props = jx_own(arena, json_object());
    }
    json_object_set_new(item->returned.props, property, take_value);
}

static void refuse(const struct writing *writing, struct write_item *item, struct str to)
{
    item->outcome = WRITE_REFUSED;
    error_set(&item->error, FAIL_RECORD, "hubspot refused to link %s %" PRI_STR " and %s %" PRI_STR,
              hubspot_object(writing->session, writing->kind), STR_ARG(item->remote_id),
              writing->relation->to, STR_ARG(to));
    error_hint(&item->error, "look whether both still exist at HubSpot; the next complete "
                             "listing ('crmsync sync --full') finds what was deleted");
}

/* Where more than links was written the member is missing in returned.props: it is sent again
 * alone, and then the failure has somewhere to be said. */
static void keep_not_done(const struct writing *writing, const struct change *change,
                          const struct error *failed)
{
    struct write_item *item = change->item;

    if (item->outcome != WRITE_PENDING) {
        return;
    }
    if (change->outcome == CHANGE_REFUSED) {
        refuse(writing, item, change->to);
    } else if (failed->code == OK || failed->is_outcome_unknown) {
        item->outcome = WRITE_UNKNOWN;
        error_set(&item->error, FAIL_RETRY, "hubspot's answer does not say whether %s were linked",
                  writing->relation->to);
        item->error.is_outcome_unknown = true;
    }
}

static void keep_outcomes(const struct writing *writing, bool is_compared,
                          const struct error *failed)
{
    json_t *failing = jx_own(writing->arena, json_object());

    for (size_t i = 0; i < writing->changes_count; i++) {
        const struct change *change = &writing->changes[i];

        if (change->outcome != CHANGE_DONE) {
            json_object_set_new(failing, key_of(writing->arena, change->item->remote_id, STR("")),
                                json_true());
            keep_not_done(writing, change, failed);
        }
    }
    for (size_t i = 0; is_compared && i < writing->count; i++) {
        struct write_item *item = writing->items[i];

        if (!json_object_get(failing, key_of(writing->arena, item->remote_id, STR("")))) {
            hubspot_show(writing->arena, item, writing->relation->property,
                         json_incref(json_object_get(item->props, writing->relation->property)));
        }
    }
}

/* --- all relations ---------------------------------------------------------------------------- */

static enum fail write_relation(struct writing *writing, struct error *err)
{
    bool is_compared;

    add_known(writing);
    is_compared = add_unknown(writing, err) == OK;
    if (is_compared && send_all(writing, true, err) == OK) {
        (void)!send_all(writing, false, err);
    }
    keep_outcomes(writing, is_compared, err);
    if (err->code == FAIL_RETRY && err->is_outcome_unknown) {
        error_reset(err); /* each is looked up on its own */
    }
    return err->code;
}

static bool is_there(const struct write_item *item)
{
    return item->remote_id.len && (item->outcome == WRITE_DONE || item->outcome == WRITE_PENDING);
}

enum fail hubspot_write_links(struct session *session, struct arena *arena, const char *kind,
                              struct write_item **items, const bool *is_new, size_t count,
                              struct error *err)
{
    for (size_t r = 0; r < HS_RELATIONS; r++) {
        struct writing writing = {.session = session,
                                  .arena = arena,
                                  .kind = kind,
                                  .relation = &hubspot_relations[r],
                                  .items = ARENA_ARRAY(arena, struct write_item *, count + 1),
                                  .is_new = ARENA_ARRAY(arena, bool, count + 1)};

        for (size_t i = 0; i < count; i++) {
            if (is_there(items[i]) &&
                json_object_get(items[i]->props, hubspot_relations[r].property)) {
                writing.is_new[writing.count] = is_new[i];
                writing.items[writing.count++] = items[i];
            }
        }
        if (writing.count && write_relation(&writing, err) != OK) {
            return err->code;
        }
    }
    return OK;
}

static int64_t calls_for(size_t count, size_t most)
{
    return (int64_t)((count + most - 1) / most);
}

/* Links that are not known count as none. */
int64_t hubspot_link_calls(const char *kind, const struct write_item *items, size_t count)
{
    AUTO_ARENA struct arena arena = {0};
    int64_t calls = 0;

    for (size_t r = 0; r < HS_RELATIONS; r++) {
        struct writing writing = {.arena = &arena, .kind = kind, .relation = &hubspot_relations[r]};
        size_t unknown = 0, ends = 0;

        for (size_t i = 0; i < count; i++) {
            struct write_item *item = ARENA_NEW(&arena, struct write_item);
            const json_t *now = json_object_get(items[i].current, writing.relation->property);

            *item = items[i];
            if (json_object_get(item->props, writing.relation->property)) {
                unknown += item->remote_id.len && !now;
                add_differences(&writing, item, now);
            }
        }
        for (size_t i = 0; i < writing.changes_count; i++) {
            ends += writing.changes[i].is_end;
        }
        calls += calls_for(unknown, HS_LINKS_READ_MAX) + calls_for(ends, HS_LINKS_WRITE_MAX) +
                 calls_for(writing.changes_count - ends, HS_LINKS_WRITE_MAX);
    }
    return calls;
}
