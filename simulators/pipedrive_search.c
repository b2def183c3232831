/* Search: persons/search, organizations/search, deals/search, itemSearch and itemSearch/field. All look at what
 * the index knew index_lag_ms ago. */
#include "simulators/pipedrive_inside.h"

#include <inttypes.h>

#include "core/alloc.h"
#include "core/jx.h"
#include "core/unicode.h"

enum { ITEM_SEARCH_MAX = 100, HITS_MAX = 10000 };

/* --- the index ------------------------------------------------------------------------------ */

static struct str kept(struct str text)
{
    char *copy = alloc_new(text.len + 1, 1);

    memcpy(copy, text.at ? text.at : "", text.len);
    return (struct str){.at = copy, .len = text.len};
}

static bool is_ascii(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if ((unsigned char)text.at[i] >= 0x80) {
            return false;
        }
    }
    return true;
}

/* utf8_lower without the tables where they would change nothing. */
static struct str lowered(struct arena *arena, struct str text)
{
    char *copy;

    if (!is_ascii(text)) {
        return utf8_lower(arena, text);
    }
    copy = arena_cstr(arena, text);
    for (size_t i = 0; i < text.len; i++) {
        copy[i] = (char)(copy[i] >= 'A' && copy[i] <= 'Z' ? copy[i] + 32 : copy[i]);
    }
    return (struct str){.at = copy, .len = text.len};
}

static void entry_add(struct pd_version *version, struct arena *arena, size_t field,
                      struct str text)
{
    if (text.len == 0) {
        return;
    }
    version->entries =
        alloc_resize(version->entries, version->entries_count + 1, sizeof(version->entries[0]));
    version->entries[version->entries_count++] = (struct pd_entry){
        .field = field,
        .text = kept(text),
        .folded = kept(lowered(arena, text)),
    };
}

/* A number as its digits, an address or a sum by its value, each entry of a list by itself. */
static void entries_of_value(struct pd_version *version, struct arena *arena, size_t field)
{
    json_t *tree = pd_tree(arena, version->values[field]), *item;
    size_t index;

    if (json_is_object(tree)) {
        tree = json_object_get(tree, "value");
    }
    if (json_is_number(tree)) {
        entry_add(version, arena, field, pd_number_text(arena, tree));
    } else if (json_is_string(tree)) {
        entry_add(version, arena, field, jx_text_of(tree));
    }
    json_array_foreach(tree, index, item)
    {
        entry_add(version, arena, field, jx_text_of(jx_get(item, "value")));
    }
}

static void version_index(struct pd_version *version, const struct pd_kind *kind)
{
    AUTO_ARENA struct arena arena = {0};

    if (version->entries) {
        return;
    }
    for (size_t i = 0; i < version->count; i++) {
        if (kind->fields[i].place && version->values[i].at) {
            entries_of_value(version, &arena, i);
        }
    }
}

/* --- asking --------------------------------------------------------------------------------- */

struct question {
    struct str term, folded;
    bool is_exact;
    unsigned places; /* enum pd_place */
    int64_t organization_id, person_id;
    unsigned statuses; /* of deals: bits of status_names; 0 any */
    int64_t limit, offset;
};

struct hit {
    const struct pd_kind *kind;
    const struct pd_record *record;
    const struct pd_version *version;
    double score;
};

struct hits {
    struct hit *at; /* owned by the call's arena */
    size_t count;
};

/* A field may have been deleted since the record was indexed. */
static enum pd_place place_now(const struct pd_kind *kind, const struct pd_entry *entry)
{
    const struct pd_field *field = &kind->fields[entry->field];

    return field->is_deleted ? PD_NOWHERE : field->place;
}

/* Of one entry; 0 = does not match. Whole values rank before parts, addresses before names. */
static double score_of(const struct question *question, const struct pd_kind *kind,
                       const struct pd_entry *entry)
{
    bool is_whole = str_equal(entry->folded, question->folded);
    enum pd_place place = place_now(kind, entry);

    if (!(place & question->places) ||
        !(is_whole || (!question->is_exact && str_contains(entry->folded, question->folded)))) {
        return 0;
    }
    return (is_whole ? 1.0 : 0.4) + (place == PD_IN_EMAIL ? 0.22 : 0);
}

static double score_best(const struct question *question, const struct pd_kind *kind,
                         const struct pd_version *version)
{
    double best = 0;

    for (size_t i = 0; i < version->entries_count; i++) {
        double score = score_of(question, kind, &version->entries[i]);

        best = score > best ? score : best;
    }
    return best;
}

static const char *const status_names[] = {"open", "won", "lost"};

static bool status_is_wanted(const struct pd_kind *kind, const struct question *question,
                             const struct pd_record *record)
{
    struct str status;

    if (question->statuses == 0) {
        return true;
    }
    status = pd_value(record, pd_slot(kind, "status"));
    for (size_t i = 0; i < COUNT_OF(status_names); i++) {
        if (question->statuses & 1U << i &&
            str_equal(str_slice(status, 1, status.len - 1), str_of(status_names[i]))) {
            return true;
        }
    }
    return false;
}

static bool is_asked_for(const struct pd_kind *kind, const struct question *question,
                         const struct pd_record *record)
{
    return (!question->organization_id || record->org_id == question->organization_id) &&
           (!question->person_id || record->person_id == question->person_id) &&
           status_is_wanted(kind, question, record);
}

static void hits_collect(struct sim_call *call, const struct pd_kind *kind,
                         const struct question *question, struct hits *hits)
{
    const struct pipedrive *pd = pd_of(call);

    for (size_t i = 0; i < kind->table.count && hits->count < HITS_MAX; i++) {
        const struct pd_record *record = (const struct pd_record *)kind->table.at[i];
        struct pd_version *version = pd_version_indexed(pd, record, call->now_ms);
        double score;

        if (!version || !is_asked_for(kind, question, record)) {
            continue;
        }
        version_index(version, kind);
        score = score_best(question, kind, version);
        if (score > 0) {
            hits->at[hits->count++] = (struct hit){kind, record, version, score};
        }
    }
}

static int by_score(const void *x, const void *y)
{
    const struct hit *left = x, *right = y;

    if (left->score > right->score || left->score < right->score) {
        return left->score > right->score ? -1 : 1;
    }
    return left->record->base.id < right->record->base.id
               ? -1
               : left->record->base.id > right->record->base.id;
}

/* --- reading the query ---------------------------------------------------------------------- */

static bool offset_read(struct sim_call *call, int64_t *ret)
{
    struct str text = sim_query(call, "cursor");

    *ret = 0;
    if (text.at && (!pd_whole(jx_get(pd_cursor_read(call->arena, text), "offset"), ret) ||
                    *ret < 0 || *ret > HITS_MAX)) {
        pd_invalid(call, "Parameter 'cursor' is not valid for this request");
        return false;
    }
    return true;
}

static size_t char_count(struct str text)
{
    size_t count = 0;

    for (size_t i = 0; i < text.len; i++) {
        count += ((unsigned char)text.at[i] & 0xc0) != 0x80;
    }
    return count;
}

static bool term_read(struct sim_call *call, struct question *question)
{
    size_t least = question->is_exact ? 1 : 2;

    question->term = str_trim(sim_query(call, "term"));
    if (char_count(question->term) < least || !utf8_is_valid(question->term)) {
        pd_invalid(call, "Parameter 'term' has to be at least %zu characters long", least);
        return false;
    }
    question->folded = lowered(call->arena, question->term);
    return true;
}

struct place_word {
    const char *word;
    enum pd_place place;
};

/* Words of places that are for kinds this simulator has not got match nothing. */
static const struct place_word person_places[] = {{"name", PD_IN_NAME},
                                                  {"email", PD_IN_EMAIL},
                                                  {"phone", PD_IN_PHONE},
                                                  {"notes", PD_IN_NOTES},
                                                  {"custom_fields", PD_IN_CUSTOM}};
static const struct place_word organization_places[] = {{"name", PD_IN_NAME},
                                                        {"address", PD_IN_ADDRESS},
                                                        {"notes", PD_IN_NOTES},
                                                        {"custom_fields", PD_IN_CUSTOM}};
static const struct place_word deal_places[] = {
    {"title", PD_IN_TITLE}, {"notes", PD_IN_NOTES}, {"custom_fields", PD_IN_CUSTOM}};
static const struct place_word item_places[] = {
    {"name", PD_IN_NAME},       {"email", PD_IN_EMAIL}, {"phone", PD_IN_PHONE},
    {"address", PD_IN_ADDRESS}, {"notes", PD_IN_NOTES}, {"custom_fields", PD_IN_CUSTOM},
    {"code", PD_NOWHERE},       {"title", PD_IN_TITLE}, {"description", PD_NOWHERE}};

static bool places_read(struct sim_call *call, const struct place_word *words, size_t count,
                        unsigned *ret)
{
    const char *names[COUNT_OF(item_places)];
    unsigned mask = 0;

    for (size_t i = 0; i < count; i++) {
        names[i] = words[i].word;
    }
    if (!pd_query_words(call, "fields", names, count, &mask)) {
        return false;
    }
    *ret = 0;
    for (size_t i = 0; i < count; i++) {
        *ret |= mask == 0 || mask & 1U << i ? (unsigned)words[i].place : 0;
    }
    return true;
}

static bool question_read(struct sim_call *call, const struct place_word *words, size_t count,
                          int64_t limit_max, struct question *ret)
{
    return pd_query_bool(call, "exact_match", &ret->is_exact) && term_read(call, ret) &&
           places_read(call, words, count, &ret->places) &&
           pd_query_limit(call, limit_max, &ret->limit) && offset_read(call, &ret->offset);
}

/* --- answering ------------------------------------------------------------------------------ */

static void put_texts(struct sim_call *call, const struct hit *hit, unsigned places)
{
    size_t shown = 0;

    sim_put(call->body, "[");
    for (size_t i = 0; i < hit->version->entries_count; i++) {
        if (place_now(hit->kind, &hit->version->entries[i]) & places) {
            sim_put(call->body, shown++ ? "," : "");
            sim_put_text(call->body, hit->version->entries[i].text);
        }
    }
    sim_put(call->body, "]");
}

static struct str address_of(struct sim_call *call, struct str address)
{
    return jx_text_of(jx_get(pd_tree(call->arena, address), "value"));
}

static void put_organization(struct sim_call *call, int64_t id)
{
    const struct pd_kind *kind = pd_organizations(pd_of(call));
    const struct pd_record *org = pd_record_live(kind, id);

    sim_put(call->body, ",\"organization\":");
    if (!org) {
        sim_put(call->body, "null");
        return;
    }
    buf_addf(call->body, "{\"id\":%" PRId64 ",\"name\":", id);
    buf_add(call->body, pd_value(org, pd_slot(kind, "name")));
    sim_put(call->body, ",\"address\":");
    sim_put_text(call->body, address_of(call, pd_value(org, pd_slot(kind, "address"))));
    sim_put(call->body, "}");
}

/* The members of a deal up to visible_to. */
static void put_deal(struct sim_call *call, const struct hit *hit)
{
    static const char *const codes[] = {"title", "value", "currency", "status"};

    for (size_t i = 0; i < COUNT_OF(codes); i++) {
        struct str value = hit->version->values[pd_slot(hit->kind, codes[i])];

        buf_addf(call->body, ",\"%s\":", codes[i]);
        buf_add(call->body, value.at ? value : STR("0")); /* only a deal's value can be unset */
    }
}

static void put_stage_and_person(struct sim_call *call, const struct hit *hit)
{
    struct pipedrive *pd = pd_of(call);
    int64_t stage_id = pd_number(hit->record, pd_slot(hit->kind, "stage_id"));
    const struct pd_record *person = pd_record_live(pd_people(pd), hit->record->person_id);

    buf_addf(call->body, ",\"stage\":{\"id\":%" PRId64 ",\"name\":", stage_id);
    sim_put_text(call->body, pd_stage_name(pd, stage_id));
    sim_put(call->body, "},\"person\":");
    if (!person) {
        sim_put(call->body, "null");
        return;
    }
    buf_addf(call->body, "{\"id\":%" PRId64 ",\"name\":", person->base.id);
    buf_add(call->body, pd_value(person, pd_slot(pd_people(pd), "name")));
    sim_put(call->body, "}");
}

static void put_owner_and_rest(struct sim_call *call, const struct hit *hit)
{
    buf_addf(call->body, ",\"visible_to\":%" PRI_STR ",\"owner\":{\"id\":%" PRId64 "}",
             STR_ARG(hit->version->values[pd_slot(hit->kind, "visible_to")]),
             hit->record->owner_id);
    if (hit->kind == pd_deals(pd_of(call))) {
        put_stage_and_person(call, hit);
    }
    if (hit->kind != pd_organizations(pd_of(call))) {
        put_organization(call, hit->record->org_id);
    }
    sim_put(call->body, ",\"custom_fields\":");
    put_texts(call, hit, PD_IN_CUSTOM);
    sim_put(call->body, ",\"notes\":");
    put_texts(call, hit, PD_IN_NOTES);
}

static void put_hit(struct sim_call *call, const struct hit *hit)
{
    const struct pd_kind *kind = hit->kind;

    buf_addf(call->body, "{\"result_score\":%.2f,\"item\":{\"id\":%" PRId64 ",\"type\":\"%s\"",
             hit->score, hit->record->base.id, kind->spec->singular);
    if (kind == pd_deals(pd_of(call))) {
        put_deal(call, hit);
    } else {
        sim_put(call->body, ",\"name\":");
        buf_add(call->body, hit->version->values[pd_slot(kind, "name")]);
    }
    if (kind == pd_people(pd_of(call))) {
        sim_put(call->body, ",\"phones\":");
        put_texts(call, hit, PD_IN_PHONE);
        sim_put(call->body, ",\"emails\":");
        put_texts(call, hit, PD_IN_EMAIL);
    } else if (kind == pd_organizations(pd_of(call))) {
        sim_put(call->body, ",\"address\":");
        sim_put_text(call->body, address_of(call, hit->version->values[pd_slot(kind, "address")]));
    }
    put_owner_and_rest(call, hit);
    if (kind == pd_deals(pd_of(call))) {
        sim_put(call->body, ",\"is_archived\":");
        buf_add(call->body, hit->version->values[pd_slot(kind, "is_archived")].at
                                ? hit->version->values[pd_slot(kind, "is_archived")]
                                : STR("false"));
    }
    sim_put(call->body, "}}");
}

static struct str next_offset(struct sim_call *call, const struct hits *hits, int64_t end)
{
    json_t *cursor = jx_own(call->arena, json_object());

    if ((size_t)end >= hits->count) {
        return STR_NONE;
    }
    json_object_set_new(cursor, "offset", json_integer(end));
    return pd_cursor_write(call->arena, cursor);
}

static int64_t page_end(const struct hits *hits, const struct question *question)
{
    int64_t count = (int64_t)hits->count, end = question->offset + question->limit;

    return end < count ? end : count;
}

static void hits_reply(struct sim_call *call, struct hits *hits, const struct question *question,
                       const char *more)
{
    int64_t end = page_end(hits, question);

    qsort(hits->at, hits->count, sizeof(hits->at[0]), by_score);
    sim_put(call->body, "{\"success\":true,\"data\":{\"items\":[");
    for (int64_t i = question->offset; i < end; i++) {
        sim_put(call->body, i > question->offset ? "," : "");
        put_hit(call, &hits->at[i]);
    }
    sim_put(call->body, "]");
    sim_put(call->body, more);
    sim_put(call->body, "}");
    pd_put_next_cursor(call, next_offset(call, hits, end));
    sim_put(call->body, "}");
    sim_reply(call, 200);
}

static struct hits hits_for(struct sim_call *call)
{
    return (struct hits){.at = ARENA_ARRAY(call->arena, struct hit, HITS_MAX)};
}

static bool number_read(struct sim_call *call, const char *name, int64_t *ret)
{
    if (sim_query_i64(call, name, 0, ret)) {
        return true;
    }
    pd_invalid(call, "Parameter '%s' has to be an integer", name);
    return false;
}

static bool person_question_read(struct sim_call *call, struct question *ret)
{
    static const char *const picture[] = {"person.picture"};
    unsigned included = 0;

    return question_read(call, person_places, COUNT_OF(person_places), PD_LIST_MAX, ret) &&
           pd_query_words(call, "include_fields", picture, 1, &included) &&
           number_read(call, "organization_id", &ret->organization_id);
}

static bool deal_question_read(struct sim_call *call, struct question *ret)
{
    static const char *const cc_email[] = {"deal.cc_email"};
    unsigned included = 0;

    return question_read(call, deal_places, COUNT_OF(deal_places), PD_LIST_MAX, ret) &&
           pd_query_words(call, "include_fields", cc_email, 1, &included) &&
           number_read(call, "organization_id", &ret->organization_id) &&
           number_read(call, "person_id", &ret->person_id) &&
           pd_query_words(call, "status", status_names, COUNT_OF(status_names), &ret->statuses);
}

static bool kind_question_read(struct sim_call *call, const struct pd_kind *kind,
                               struct question *ret)
{
    if (kind == pd_people(pd_of(call))) {
        return person_question_read(call, ret);
    }
    if (kind == pd_deals(pd_of(call))) {
        return deal_question_read(call, ret);
    }
    return question_read(call, organization_places, COUNT_OF(organization_places), PD_LIST_MAX,
                         ret);
}

void pd_search_serve(struct sim_call *call, const struct pd_target *at)
{
    struct question question = {0};
    struct hits hits;

    if (!kind_question_read(call, at->kind, &question)) {
        return;
    }
    hits = hits_for(call);
    hits_collect(call, at->kind, &question, &hits);
    hits_reply(call, &hits, &question, "");
}

/* Kinds that a company has but this simulator has not are searched in vain. */
static const char *const item_types[] = {"person", "organization",    "deal",    "product",
                                         "lead",   "mail_attachment", "project", "file"};

void pd_item_search_serve(struct sim_call *call, const struct pd_target *at)
{
    bool shows_related = false;
    struct question question = {0};
    struct hits hits;
    unsigned types = 0;

    (void)at;
    if (!question_read(call, item_places, COUNT_OF(item_places), ITEM_SEARCH_MAX, &question) ||
        !pd_query_words(call, "item_types", item_types, COUNT_OF(item_types), &types) ||
        !pd_query_bool(call, "search_for_related_items", &shows_related)) {
        return;
    }
    hits = hits_for(call);
    for (size_t k = 0; k < PD_KINDS; k++) { /* the first names of item_types */
        if (pd_can(&pd_of(call)->kinds[k], PD_SEARCHED) && (types == 0 || types & 1U << k)) {
            hits_collect(call, &pd_of(call)->kinds[k], &question, &hits);
        }
    }
    hits_reply(call, &hits, &question, shows_related ? ",\"related_items\":[]" : "");
}

/* --- one field ------------------------------------------------------------------------------ */

enum match { MATCH_EXACT, MATCH_BEGINNING, MATCH_MIDDLE };

/* Case counts here, unlike in the other searches. Source: OpenAPI v2, GET /itemSearch/field. */
static bool field_matches(const struct pd_version *version, size_t field, struct str term,
                          enum match match)
{
    for (size_t i = 0; i < version->entries_count; i++) {
        struct str text = version->entries[i].text;

        if (version->entries[i].field == field &&
            (match == MATCH_EXACT       ? str_equal(text, term)
             : match == MATCH_BEGINNING ? str_starts(text, term)
                                        : str_contains(text, term))) {
            return true;
        }
    }
    return false;
}

static void field_collect(struct sim_call *call, const struct pd_kind *kind, size_t field,
                          struct str term, enum match match, struct hits *hits)
{
    for (size_t i = 0; i < kind->table.count && hits->count < HITS_MAX; i++) {
        const struct pd_record *record = (const struct pd_record *)kind->table.at[i];
        struct pd_version *version = pd_version_indexed(pd_of(call), record, call->now_ms);

        if (version) {
            version_index(version, kind);
        }
        if (version && field_matches(version, field, term, match)) {
            hits->at[hits->count++] = (struct hit){kind, record, version, 1};
        }
    }
}

static void field_reply(struct sim_call *call, const struct hits *hits,
                        const struct question *question)
{
    int64_t end = page_end(hits, question);

    sim_put(call->body, "{\"success\":true,\"data\":[");
    for (int64_t i = question->offset; i < end; i++) {
        const struct hit *hit = &hits->at[i];

        buf_addf(call->body, "%s{\"id\":%" PRId64 ",\"name\":", i > question->offset ? "," : "",
                 hit->record->base.id);
        buf_add(call->body, hit->version->values[pd_slot(hit->kind, hit->kind->spec->name_code)]);
        sim_put(call->body, "}");
    }
    sim_put(call->body, "]");
    pd_put_next_cursor(call, next_offset(call, hits, end));
    sim_put(call->body, "}");
    sim_reply(call, 200);
}

static bool match_read(struct sim_call *call, enum match *ret)
{
    static const char *const names[] = {"exact", "beginning", "middle"};
    struct str text = sim_query(call, "match");

    *ret = MATCH_EXACT;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        if (!text.at || str_equal(text, str_of(names[i]))) {
            *ret = (enum match)i;
            return true;
        }
    }
    pd_invalid(call, "Parameter 'match' has to be exact, beginning or middle");
    return false;
}

static bool entity_type_read(struct sim_call *call, struct pd_kind **ret)
{
    struct str text = sim_query(call, "entity_type");

    *ret = pd_kind_singular(pd_of(call), text);
    for (size_t i = 0; i < COUNT_OF(item_types); i++) {
        if (text.len && str_equal(text, str_of(item_types[i]))) {
            return true;
        }
    }
    pd_invalid(call, "Parameter 'entity_type' has to name a kind of item");
    return false;
}

void pd_field_search_serve(struct sim_call *call, const struct pd_target *at)
{
    struct question question = {0};
    const struct pd_field *field = NULL;
    struct pd_kind *kind;
    enum match match;
    struct hits hits;

    (void)at;
    if (!match_read(call, &match) || !entity_type_read(call, &kind)) {
        return;
    }
    question.is_exact = match == MATCH_EXACT;
    if (!term_read(call, &question) || !pd_query_limit(call, PD_LIST_MAX, &question.limit) ||
        !offset_read(call, &question.offset)) {
        return;
    }
    if (kind) {
        field = pd_field_find(pd_of(call), kind, sim_query(call, "field"));
    }
    if (kind && (!field || !field->place)) {
        pd_invalid(call, "Parameter 'field' has to name a searchable field");
        return;
    }
    hits = hits_for(call);
    if (kind) {
        field_collect(call, kind, pd_field_index(kind, field), question.term, match, &hits);
    }
    field_reply(call, &hits, &question);
}
