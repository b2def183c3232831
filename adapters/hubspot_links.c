/* HubSpot: the company of a contact. A contact may have many companies; "its company" is the
 * primary one, and where none is marked, the only one.
 * Facts: developers.hubspot.com, associate records guide: type 1 is contact to primary company, 279
 * the plain one; a record has one primary, so the one before stays as a plain association. */
#include "adapters/hubspot_inside.h"

#include "core/jx.h"

enum { LINK_PRIMARY = 1, LINK_PLAIN = 279, LINK_PAGES_MAX = 100 };

/* --- choosing --------------------------------------------------------------------------------- */

struct choice {
    struct str primary, only;
    bool is_several;
};

static void consider(struct choice *choice, struct str id, bool is_primary)
{
    if (is_primary) {
        choice->primary = id;
    }
    choice->is_several = choice->is_several || (choice->only.len && !str_equal(choice->only, id));
    choice->only = id;
}

static struct str chosen(const struct choice *choice)
{
    if (choice->primary.len) {
        return choice->primary;
    }
    return choice->is_several || !choice->only.at ? STR("") : choice->only;
}

static void set_company(struct remote_record *record, struct str company)
{
    json_object_set_new(record->props, HS_COMPANY_PROPERTY,
                        company.len ? json_stringn(company.at, company.len) : json_null());
}

bool hubspot_wants_company(const char *kind, const struct str *properties, size_t count)
{
    for (size_t i = 0; strcmp(kind, "contact") == 0 && i < count; i++) {
        if (str_equal(properties[i], STR(HS_COMPANY_PROPERTY))) {
            return true;
        }
    }
    return false;
}

/* --- reading by id ---------------------------------------------------------------------------- */

/* Contacts whose companies are being read. An input is {"id"}, or {"id","after"} for more. */
struct reading {
    struct session *session;
    struct arena *arena;
    struct remote_record *const *records;
    struct choice *choices;
    size_t count;
    json_t *inputs; /* of the next call; borrowed from the arena */
};

/* {"toObjectId","associationTypes":[{"typeId"}]}; the id is a number, in the specification text. */
static enum fail consider_target(struct reading *reading, const json_t *target,
                                 struct choice *choice, struct error *err)
{
    const json_t *types = jx_get(target, "associationTypes");
    struct str id;

    if (jx_id(reading->arena, target, "toObjectId", &id, err) != OK) {
        return err->code;
    }
    consider(choice, id, false);
    for (size_t i = 0; i < json_array_size(types); i++) {
        consider(choice, id,
                 json_integer_value(jx_get(json_array_get(types, i), "typeId")) == LINK_PRIMARY);
    }
    return OK;
}

/* A row shows a page of targets: without its primary one the next page has to be read. */
static enum fail read_row(struct reading *reading, const json_t *row, json_t *more,
                          struct error *err)
{
    json_t *to;
    struct str from, after;

    if (jx_id(reading->arena, jx_get(row, "from"), "id", &from, err) != OK ||
        jx_array(row, "to", &to, err) != OK ||
        hubspot_next_after(reading->arena, row, &after, err) != OK) {
        return err->code;
    }
    for (size_t i = 0; i < reading->count; i++) {
        struct choice *choice = &reading->choices[i];

        if (!str_equal(reading->records[i]->remote_id, from)) {
            continue;
        }
        for (size_t k = 0; k < json_array_size(to); k++) {
            if (consider_target(reading, json_array_get(to, k), choice, err) != OK) {
                return err->code;
            }
        }
        if (after.len && !choice->primary.len) {
            json_array_append_new(more, json_pack("{s:s%,s:s%}", "id", from.at, from.len, "after",
                                                  after.at, after.len));
        }
        return OK;
    }
    return OK; /* not asked for */
}

static enum fail read_page(struct reading *reading, struct error *err)
{
    json_t *more = jx_own(reading->arena, json_array()), *results;
    struct hubspot_call call = {
        .method = HTTP_POST,
        .path = hubspot_associations_path(reading->session, reading->arena,
                                          "contacts/companies/batch/read"),
        .body = jx_own(reading->arena, json_pack("{s:O}", "inputs", reading->inputs)),
        .bucket = HS_LINKS,
        .is_safe = true};
    struct hubspot_answer answer;

    if (hubspot_exec(reading->session, &call, reading->arena, &answer, err) != OK ||
        jx_array(answer.body, "results", &results, err) != OK) {
        return err->code;
    }
    for (size_t i = 0; i < json_array_size(results); i++) {
        if (read_row(reading, json_array_get(results, i), more, err) != OK) {
            return err->code;
        }
    }
    reading->inputs = more;
    return OK;
}

/* Contacts without a company come back as error rows, not as results: what no row names has
 * none. */
static enum fail read_some(struct session *session, struct arena *arena,
                           struct remote_record *const *records, size_t count, struct error *err)
{
    struct reading reading = {.session = session,
                              .arena = arena,
                              .records = records,
                              .choices = ARENA_ARRAY(arena, struct choice, count + 1),
                              .count = count,
                              .inputs = jx_own(arena, json_array())};
    int pages = 0;

    for (size_t i = 0; i < count; i++) {
        json_array_append_new(reading.inputs, json_pack("{s:s%}", "id", records[i]->remote_id.at,
                                                        records[i]->remote_id.len));
    }
    while (json_array_size(reading.inputs)) {
        if (++pages > LINK_PAGES_MAX) {
            return error_set(err, FAIL_RETRY, "companies of contacts: the listing does not end");
        }
        if (read_page(&reading, err) != OK) {
            return error_wrap(err, "companies of contacts");
        }
    }
    for (size_t i = 0; i < count; i++) {
        set_company(records[i], chosen(&reading.choices[i]));
    }
    return OK;
}

enum fail hubspot_read_companies(struct session *session, struct arena *arena,
                                 struct remote_record *records, size_t count, struct error *err)
{
    struct remote_record *live[HS_BATCH_MAX];
    size_t live_count = 0;

    for (size_t i = 0; i < count; i++) {
        if (records[i].state == REMOTE_LIVE) {
            live[live_count++] = &records[i];
        }
        if (live_count == HS_BATCH_MAX || (i + 1 == count && live_count)) {
            if (read_some(session, arena, live, live_count, err) != OK) {
                return err->code;
            }
            live_count = 0;
        }
    }
    return OK;
}

/* --- inline in a listing ---------------------------------------------------------------------- */

/* One row for each type: the primary one is called contact_to_company, the plain one ends in
 * _unlabeled. Without any the member is missing. */
static enum fail inline_choice(struct arena *arena, const json_t *row, struct choice *choice,
                               bool *ret_has_more, struct error *err)
{
    json_t *associations, *companies, *results;
    struct str after = STR("");

    *ret_has_more = false;
    if (jx_object_or_null(row, "associations", &associations, err) != OK ||
        jx_object_or_null(associations, "companies", &companies, err) != OK ||
        jx_array_or_null(companies, "results", &results, err) != OK ||
        hubspot_next_after(arena, companies, &after, err) != OK) {
        return err->code;
    }
    for (size_t i = 0; i < json_array_size(results); i++) {
        const json_t *link = json_array_get(results, i);
        struct str id;

        if (jx_id(arena, link, "id", &id, err) != OK) {
            return err->code;
        }
        consider(choice, id,
                 str_equal(jx_text_of(jx_get(link, "type")), STR("contact_to_company")));
    }
    *ret_has_more = after.len > 0;
    return OK;
}

enum fail hubspot_set_inline_companies(struct session *session, struct arena *arena,
                                       const json_t *rows, struct remote_record *records,
                                       size_t count, struct error *err)
{
    struct remote_record *unclear = ARENA_ARRAY(arena, struct remote_record, count + 1);
    size_t unclear_count = 0;

    for (size_t i = 0; i < count; i++) {
        struct choice choice = {0};
        bool has_more;

        if (records[i].state != REMOTE_LIVE) {
            continue;
        }
        if (inline_choice(arena, json_array_get(rows, i), &choice, &has_more, err) != OK) {
            return error_wrap(err, "companies of contact %" PRI_STR, STR_ARG(records[i].remote_id));
        }
        if (has_more && !choice.primary.len) {
            unclear[unclear_count++] = records[i]; /* shares its props */
        } else {
            set_company(&records[i], chosen(&choice));
        }
    }
    return hubspot_read_companies(session, arena, unclear, unclear_count, err);
}

/* --- writing ---------------------------------------------------------------------------------- */

/* source: developers.hubspot.com, associations v4: archive takes several targets per origin. */
static void add_end(json_t *inputs, struct str contact, struct str company)
{
    json_array_append_new(inputs, json_pack("{s:{s:s%},s:[{s:s%}]}", "from", "id", contact.at,
                                            contact.len, "to", "id", company.at, company.len));
}

static void add_begin(json_t *inputs, struct str contact, struct str company)
{
    json_array_append_new(inputs,
                          json_pack("{s:{s:s%},s:{s:s%},s:[{s:s,s:i},{s:s,s:i}]}", "from", "id",
                                    contact.at, contact.len, "to", "id", company.at, company.len,
                                    "types", "associationCategory", "HUBSPOT_DEFINED",
                                    "associationTypeId", LINK_PRIMARY, "associationCategory",
                                    "HUBSPOT_DEFINED", "associationTypeId", LINK_PLAIN));
}

static enum fail send(struct session *session, struct arena *arena, const char *tail,
                      json_t *inputs, struct hubspot_answer *ret, struct error *err)
{
    struct hubspot_call call = {.method = HTTP_POST,
                                .path = hubspot_associations_path(session, arena, tail),
                                .body = jx_own(arena, json_pack("{s:O}", "inputs", inputs)),
                                .bucket = HS_LINKS,
                                .is_safe = true,
                                .may_be_missing = true};

    return hubspot_exec(session, &call, arena, ret, err);
}

/* Which company is to go has to be read first. */
static enum fail end_links(struct session *session, struct arena *arena,
                           struct hubspot_link *const *links, size_t count, struct error *err)
{
    struct remote_record *now = ARENA_ARRAY(arena, struct remote_record, count + 1);
    json_t *inputs = jx_own(arena, json_array());
    struct hubspot_answer answer;

    for (size_t i = 0; i < count; i++) {
        now[i] = (struct remote_record){.remote_id = links[i]->contact,
                                        .state = REMOTE_LIVE,
                                        .props = jx_own(arena, json_object())};
    }
    if (hubspot_read_companies(session, arena, now, count, err) != OK) {
        return err->code;
    }
    for (size_t i = 0; i < count; i++) {
        struct str company = jx_text_of(json_object_get(now[i].props, HS_COMPANY_PROPERTY));

        if (company.len) {
            add_end(inputs, links[i]->contact, company);
        }
    }
    if (json_array_size(inputs) &&
        send(session, arena, "contacts/companies/batch/archive", inputs, &answer, err) != OK) {
        return error_wrap(err, "end companies of contacts");
    }
    for (size_t i = 0; i < count; i++) {
        links[i]->outcome = HS_LINK_DONE;
    }
    return OK;
}

/* Only what the answer names was done: a 207 leaves out what failed. */
static void keep_begun(struct arena *arena, struct hubspot_link *const *links, size_t count,
                       const json_t *body)
{
    const json_t *results = jx_get(body, "results");

    for (size_t r = 0; r < json_array_size(results); r++) {
        const json_t *row = json_array_get(results, r);
        struct error ignored = {0};
        struct str from, to;

        if (jx_id(arena, row, "fromObjectId", &from, &ignored) != OK ||
            jx_id(arena, row, "toObjectId", &to, &ignored) != OK) {
            continue;
        }
        for (size_t i = 0; i < count; i++) {
            if (str_equal(links[i]->contact, from) && str_equal(links[i]->company, to)) {
                links[i]->outcome = HS_LINK_DONE;
            }
        }
    }
}

static bool names(const json_t *context, const char *member, struct str id)
{
    const json_t *ids = jx_get(context, member);

    for (size_t i = 0; i < json_array_size(ids); i++) {
        if (str_equal(jx_text_of(json_array_get(ids, i)), id)) {
            return true;
        }
    }
    return false;
}

static void keep_refused(struct hubspot_link *const *links, size_t count, const json_t *body)
{
    const json_t *errors = jx_get(body, "errors");

    for (size_t e = 0; e < json_array_size(errors); e++) {
        const json_t *context = jx_get(json_array_get(errors, e), "context");

        for (size_t i = 0; i < count; i++) {
            if (links[i]->outcome == HS_LINK_OPEN &&
                names(context, "fromObjectId", links[i]->contact)) {
                links[i]->outcome = HS_LINK_REFUSED;
            }
        }
    }
}

static enum fail begin_links(struct session *session, struct arena *arena,
                             struct hubspot_link *const *links, size_t count, struct error *err)
{
    json_t *inputs = jx_own(arena, json_array());
    struct hubspot_answer answer;
    size_t half = count / 2;

    for (size_t i = 0; i < count; i++) {
        add_begin(inputs, links[i]->contact, links[i]->company);
    }
    if (send(session, arena, "contacts/companies/batch/create", inputs, &answer, err) == OK) {
        keep_begun(arena, links, count, answer.body);
        keep_refused(links, count, answer.body);
        return OK;
    }
    if (err->is_outcome_unknown || (err->code != FAIL_RECORD && err->code != FAIL_STALE)) {
        return error_wrap(err, "set companies of contacts");
    }
    error_reset(err);
    if (count == 1) {
        links[0]->outcome = HS_LINK_REFUSED;
        return OK;
    }
    if (begin_links(session, arena, links, half, err) != OK) { /* one bad pair fails them all */
        return err->code;
    }
    return begin_links(session, arena, links + half, count - half, err);
}

enum fail hubspot_write_links(struct session *session, struct arena *arena,
                              struct hubspot_link *links, size_t count, struct error *err)
{
    struct hubspot_link **ends = ARENA_ARRAY(arena, struct hubspot_link *, count + 1);
    struct hubspot_link **begins = ARENA_ARRAY(arena, struct hubspot_link *, count + 1);
    size_t ends_count = 0, begins_count = 0;

    for (size_t i = 0; i < count; i++) {
        if (links[i].company.len) {
            begins[begins_count++] = &links[i];
        } else {
            ends[ends_count++] = &links[i];
        }
    }
    if (ends_count && end_links(session, arena, ends, ends_count, err) != OK) {
        return err->code;
    }
    return begins_count ? begin_links(session, arena, begins, begins_count, err) : OK;
}
