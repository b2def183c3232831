/* Salesforce: change events of our own writes. An event names the client that caused it; but what automation there does in the same
 * transaction comes in the same event under the same name, so only what is exactly what we wrote needs no reading.
 * source: Change Data Capture Developer Guide, "ChangeEventHeader Fields" (changeOrigin), "Change Event Body Fields" */
#include "adapters/salesforce_events.h"

#include "core/jx.h"

enum { WRITTEN_MAX = 5000 };

/* --- what was written ------------------------------------------------------------------------- */

void salesforce_note_written(struct session *session, struct str id, const json_t *fields)
{
    json_t *noted;

    if (!session->wants_events || json_object_size(fields) == 0) {
        return;
    }
    session->written = session->written ? session->written : json_object();
    if (json_object_size(session->written) >= WRITTEN_MAX) {
        json_object_clear(session->written);
    }
    noted = json_object_getn(session->written, id.at, SF_ID_SHORT);
    if (noted) {
        json_object_update(noted, (json_t *)fields);
    } else {
        json_object_setn_new(session->written, id.at, SF_ID_SHORT, json_copy((json_t *)fields));
    }
}

void salesforce_forget_written(struct session *session, struct str id)
{
    if (session->written && !id.at) {
        json_object_clear(session->written);
    } else if (session->written) {
        (void)json_object_deln(session->written, id.at, SF_ID_SHORT);
    }
}

/* --- whose event it is ------------------------------------------------------------------------ */

/* "com/salesforce/api/rest/66.0;client=crmsync" */
static bool is_own_origin(struct str origin)
{
    struct str client = STR("client=" SF_CLIENT);

    while (origin.at) {
        if (str_equal(str_trim(str_cut(&origin, ';')), client)) {
            return true;
        }
    }
    return false;
}

/* Every write moves them. */
static bool is_system(struct str name)
{
    return str_equal(name, STR("LastModifiedDate")) || str_equal(name, STR("LastModifiedById"));
}

/* "MailingAddress", "Street" is MailingStreet; "Name", "LastName" is LastName. */
static struct str flat_name(struct arena *arena, struct str parent, struct str part)
{
    struct str address = STR("Address");
    struct str prefix =
        str_ends(parent, address) ? str_slice(parent, 0, parent.len - address.len) : STR("");

    return arena_printf(arena, "%" PRI_STR "%" PRI_STR, STR_ARG(prefix), STR_ARG(part));
}

static bool is_same(const json_t *written, const json_t *shown)
{
    return json_equal((json_t *)written, (json_t *)shown) ||
           (json_is_number(written) && json_is_number(shown) &&
            json_number_value(written) == json_number_value(shown));
}

/* The event's fields with the names that a write gives them. */
static json_t *flat_fields(const json_t *payload, struct arena *arena)
{
    json_t *fields = jx_own(arena, json_object());
    const char *name, *part;
    json_t *value, *inner;

    json_object_foreach((json_t *)payload, name, value)
    {
        if (strcmp(name, "ChangeEventHeader") == 0) {
            continue;
        }
        if (!json_is_object(value)) {
            json_object_set(fields, name, value);
            continue;
        }
        json_object_foreach(value, part, inner)
        {
            json_object_set(fields, flat_name(arena, str_of(name), str_of(part)).at, inner);
        }
    }
    return fields;
}

/* A field may be named as changed without being shown: then it is empty now. */
static void add_named(const json_t *header, json_t *fields, struct arena *arena)
{
    size_t index;
    json_t *item;

    json_array_foreach(jx_get(header, "changedFields"), index, item)
    {
        struct str name = jx_text_of(item), parent = str_cut(&name, '.');
        struct str flat = name.at ? flat_name(arena, parent, name) : parent;

        if (flat.len && !json_object_getn(fields, flat.at, flat.len)) {
            json_object_setn_new(fields, flat.at, flat.len, json_null());
        }
    }
}

static bool are_as_written(const json_t *written, const json_t *fields)
{
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)fields, name, value)
    {
        const json_t *sent = json_object_get(written, name);

        if (!is_system(str_of(name)) && !(sent && is_same(sent, value))) {
            return false;
        }
    }
    return true;
}

bool salesforce_is_echo(struct session *session, const json_t *payload)
{
    AUTO_ARENA struct arena arena = {0};
    const json_t *header = jx_get(payload, "ChangeEventHeader");
    const json_t *ids = jx_get(header, "recordIds");
    json_t *fields;

    if (!session->written || json_array_size(ids) == 0 ||
        !str_equal(jx_text_of(jx_get(header, "changeType")), STR("UPDATE")) ||
        !is_own_origin(jx_text_of(jx_get(header, "changeOrigin")))) {
        return false;
    }
    fields = flat_fields(payload, &arena);
    add_named(header, fields, &arena);
    for (size_t i = 0; i < json_array_size(ids); i++) {
        struct str id = jx_text_of(json_array_get(ids, i));

        if (!salesforce_is_id(id) ||
            !are_as_written(json_object_getn(session->written, id.at, SF_ID_SHORT), fields)) {
            return false;
        }
    }
    for (size_t i = 0; i < json_array_size(ids); i++) {
        salesforce_forget_written(session, jx_text_of(json_array_get(ids, i)));
    }
    return true;
}
