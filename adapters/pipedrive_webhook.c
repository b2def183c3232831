/* Pipedrive: deliveries. There is no signature: Basic credentials that we chose, an address that nobody can guess, and events that are only hints.
 *
 * Sources: pipedrive.readme.io, "Guide for Webhooks v2", "Guide for Webhooks" (v1). Reference: pipedrive.md section 12. */
#include "adapters/pipedrive_inside.h"
#include "core/base64.h"
#include "core/jx.h"
#include "core/when.h"

const char *const pipedrive_webhook_types[] = {"application/json", NULL};

/* --- whether it is Pipedrive's ---------------------------------------------------------------- */

/* Whether the name is right says nothing about the time that the password takes. */
static bool are_credentials_right(const struct webhook_settings *settings, struct str given)
{
    struct secret wanted = {0};
    const struct secret *const user[WEBHOOK_SECRETS_MAX] = {&wanted};
    struct str password = given, name = str_cut(&password, ':');
    bool is_user, is_password;

    secret_set(&wanted, settings->user);
    is_user = webhook_is_one_of(user, name);
    is_password = webhook_is_one_of(settings->passwords, password);
    secret_fini(&wanted);
    return is_user && is_password;
}

static bool has_credentials(const struct webhook_settings *settings,
                            const struct http_headers *headers)
{
    AUTO_ARENA struct arena arena = {0};
    struct str rest = http_header_get(headers, "Authorization"), scheme = str_cut(&rest, ' ');
    struct str given = STR("");
    bool is_right = str_equal_nocase(scheme, STR("Basic")) &&
                    base64_decode(&arena, str_trim(rest), &given) &&
                    are_credentials_right(settings, given);

    arena_wipe(&arena);
    return is_right;
}

enum fail pipedrive_webhook_verify(const struct webhook_settings *settings,
                                   const struct webhook_delivery *delivery,
                                   struct webhook_proof *ret, struct error *err)
{
    *ret = (struct webhook_proof){0};
    if (!webhook_has_one(settings->paths) || !webhook_has_one(settings->passwords) ||
        !settings->user.len) {
        error_set(err, FAIL_CONFIG, "this connection has no webhook credentials yet");
        return error_hint(err, "run 'crmsync setup' for it: it makes them");
    }
    if (webhook_door(settings, delivery, err) != OK) {
        return err->code;
    }
    if (!has_credentials(settings, &delivery->request->headers)) {
        return error_set(err, FAIL_AUTH, "user or password does not fit");
    }
    return OK;
}

void pipedrive_webhook_answer(bool is_accepted, struct webhook_answer *ret)
{
    *ret = (struct webhook_answer){.status = is_accepted ? 200 : 503};
}

/* --- what it says ----------------------------------------------------------------------------- */

static const struct {
    const char *entity, *kind, *part;
} ENTITIES[] = {
    {"person", "contact", ""},     {"organization", "company", ""},
    {"deal", "deal", ""},          {"activity", "activity", "activity:"},
    {"note", "activity", "note:"},
};

/* The second version's words and the first one's. */
static const struct {
    const char *action;
    enum webhook_type type;
} ACTIONS[] = {
    {"create", WEBHOOK_CREATED}, {"change", WEBHOOK_CHANGED},  {"delete", WEBHOOK_DELETED},
    {"added", WEBHOOK_CREATED},  {"updated", WEBHOOK_CHANGED}, {"deleted", WEBHOOK_DELETED},
    {"merged", WEBHOOK_MERGED},
};

struct reading {
    struct arena *arena;
    struct webhook_gathering *gathering;
    const json_t *meta;
    const char *part;
    struct webhook_news news;
    bool is_ours;
};

static struct str id_at(const struct reading *reading, const json_t *from, const char *key)
{
    struct error ignored = {0};
    struct str id = STR("");

    (void)!jx_id_or(reading->arena, from, key, STR(""), &id, &ignored);
    return id;
}

static void add(struct reading *reading, struct str id)
{
    int64_t number;

    if (!str_to_i64(id, &number)) {
        return; /* leads have other ids, and users in lists none */
    }
    reading->news.remote_id =
        arena_printf(reading->arena, "%s%" PRI_STR, reading->part, STR_ARG(id));
    if (webhook_add(reading->gathering, &reading->news)) {
        reading->is_ours = true;
    }
}

static bool know_entity(struct reading *reading, struct str entity)
{
    for (size_t i = 0; i < COUNT_OF(ENTITIES); i++) {
        if (str_equal(entity, str_of(ENTITIES[i].entity))) {
            reading->news.kind = ENTITIES[i].kind;
            reading->part = ENTITIES[i].part;
            return true;
        }
    }
    return false;
}

static bool know_action(struct reading *reading, struct str action)
{
    for (size_t i = 0; i < COUNT_OF(ACTIONS); i++) {
        if (str_equal(action, str_of(ACTIONS[i].action))) {
            reading->news.type = ACTIONS[i].type;
            return true;
        }
    }
    return false;
}

/* Text with milliseconds, or seconds as a number: both were seen. */
static int64_t time_of(const struct reading *reading)
{
    enum { MS = 1000 };
    const json_t *time = jx_get(reading->meta, "timestamp");
    int64_t ms = 0;

    if (json_is_integer(time) && json_integer_value(time) < INT64_MAX / MS) {
        return json_integer_value(time) * MS;
    }
    return when_parse_ms(jx_text_of(time), &ms) ? ms : 0;
}

static struct str text_of(const struct reading *reading, const char *key)
{
    const json_t *value = jx_get(reading->meta, key);

    return json_is_string(value) ? jx_text_of(value) : id_at(reading, reading->meta, key);
}

/* Not `attempt` or `retry`, which count the repeats. */
static struct str identity_of(const struct reading *reading, struct str entity, struct str id)
{
    return arena_printf(
        reading->arena,
        "%" PRI_STR "|%" PRI_STR "|%" PRI_STR "|%" PRI_STR "|%" PRI_STR "|%" PRI_STR "|%" PRI_STR,
        STR_ARG(text_of(reading, "webhook_id")), STR_ARG(entity), STR_ARG(id),
        STR_ARG(text_of(reading, "action")), STR_ARG(text_of(reading, "timestamp")),
        STR_ARG(text_of(reading, "timestamp_micro")), STR_ARG(text_of(reading, "id")));
}

/* A merge is a delete of the one and a change of the other; either tells of both. */
static void read_ids(struct reading *reading, struct str id)
{
    struct str to = id_at(reading, reading->meta, "merged_to_id"),
               from = id_at(reading, reading->meta, "merged_from_id");

    if (to.len || from.len) {
        reading->news.type = WEBHOOK_MERGED;
    }
    add(reading, id);
    if (to.len) {
        add(reading, to);
    }
    if (from.len) {
        add(reading, from);
    }
}

/* Version 2 names the object entity and entity_id; version 1 object and id. */
static void read_event(struct reading *reading)
{
    bool is_v2 = jx_get(reading->meta, "entity") != NULL;
    struct str entity = jx_text_of(jx_get(reading->meta, is_v2 ? "entity" : "object"));
    struct str id = id_at(reading, reading->meta, is_v2 ? "entity_id" : "id");

    if (know_entity(reading, entity) &&
        know_action(reading, jx_text_of(jx_get(reading->meta, "action")))) {
        reading->news.occurred_ms = reading->news.since_ms = time_of(reading);
        reading->news.identity = identity_of(reading, entity, id);
        read_ids(reading, id);
    }
    if (!reading->is_ours) {
        webhook_ignored(reading->gathering, false);
    }
}

enum fail pipedrive_webhook_parse(const struct webhook_settings *settings,
                                  const struct webhook_delivery *delivery, struct arena *arena,
                                  struct webhook_events *ret, struct error *err)
{
    struct reading reading = {.arena = arena, .gathering = webhook_gather(arena, settings)};
    json_t *body = NULL, *meta = NULL;
    struct str company;

    if (jx_parse(arena, delivery->request->body, &body, err) != OK) {
        return error_set(err, FAIL_RECORD, "the delivery is not JSON");
    }
    if (!json_is_object(body) || jx_object(body, "meta", &meta, err) != OK) {
        return error_set(err, FAIL_RECORD, "the delivery does not say what it is about");
    }
    reading.meta = meta;
    webhook_heard(reading.gathering);
    company = id_at(&reading, meta, "company_id");
    if (settings->account_id.len && company.len && !str_equal(company, settings->account_id)) {
        webhook_ignored(reading.gathering, true);
    } else {
        read_event(&reading);
    }
    return webhook_gathered(reading.gathering, ret, err);
}
