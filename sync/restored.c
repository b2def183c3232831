#include "sync/restored.h"

#include "store/audit.h"
#include "store/connection.h"

enum {
    ALIKE_MAX = 32,
    AGREEING_MIN = 2, /* a title alone does not make two things one */
    RELEASE_BATCH = 500,
    CLOCKS_APART_MS = 5 * 60 * 1000
};

/* --- while streams are listed -------------------------------------------------------------------------------- */

enum fail restored_open(struct pass *pass, struct tx *tx, struct error *err)
{
    return restoring_of(tx, pass->connection->row.id, pass->kind->name, &pass->restoring,
                        &pass->is_restoring, err);
}

static bool is_listing(const struct pass *pass)
{
    return pass->is_restoring && pass->restoring.state != RESTORING_RELEASED;
}

bool restored_uuid(const struct pass *pass, const struct remote_record *remote,
                   char ret[UUID_TEXT_BYTES])
{
    if (!is_listing(pass) || !uuid_is_valid(remote->correlation_key)) {
        return false;
    }
    memcpy(ret, remote->correlation_key.at, UUID_TEXT_BYTES - 1);
    ret[UUID_TEXT_BYTES - 1] = '\0';
    return true;
}

/* What names an object or record to people, folded into a digest; false: nothing does. */
static bool title_of(const struct pass *pass, const struct fields *fields, struct digest *ret)
{
    static const char *const NAMES[] = {"first_name", "last_name", "name", "subject", "email"};
    struct fields title = {0};
    AUTO_ARENA struct arena arena = {0};
    struct str only = pass->kind->title_field;

    for (size_t i = 0; i < COUNT_OF(NAMES); i++) {
        struct str name = only.len ? only : str_of(NAMES[i]);
        const struct value *value = fields_get(fields, name);

        if (!value_is_blank(value)) {
            fields_set(&title, &arena, name, *value);
        }
    }
    *ret = fields_digest(&title);
    return title.count > 0;
}

/* Equal, or what this CRM would make of the record's value. */
static bool agrees(struct pass *pass, struct str name, const struct value *here,
                   const struct value *there)
{
    const struct map_entry *entry = mapping_entry(pass->mapping, name);
    struct value image;

    if (value_equal(here, there) || (value_is_blank(here) && value_is_blank(there))) {
        return true;
    }
    if (!entry) {
        return false;
    }
    image = map_image(entry, here, &pass->arena);
    return value_equal(&image, there);
}

/* Nothing that both know differs, and enough is the same. */
static bool is_alike(struct pass *pass, const struct fields *record, const struct fields *object)
{
    size_t agreeing = 0;

    for (size_t i = 0; i < object->count; i++) {
        const struct value *there = &object->at[i].value;
        const struct value *here = fields_get(record, object->at[i].name);

        if (here->state == VALUE_ABSENT || there->state == VALUE_ABSENT) {
            continue;
        }
        if (!agrees(pass, object->at[i].name, here, there)) {
            return false;
        }
        agreeing += !value_is_blank(here);
    }
    return agreeing >= AGREEING_MIN;
}

static enum fail match_alike(struct pass *pass, const struct fields *fields, int64_t *ret_record_id,
                             struct error *err)
{
    int64_t ids[ALIKE_MAX];
    struct digest title;
    size_t count = 0;

    if (!title_of(pass, fields, &title)) {
        return OK;
    }
    if (restored_alike(pass->tx, pass->connection->row.id, pass->kind->name, &title, ALIKE_MAX, ids,
                       &count, err) != OK) {
        return err->code;
    }
    for (size_t i = 0; i < count && *ret_record_id == 0; i++) {
        struct store_record record;
        bool found;

        if (record_by_id(pass->tx, ids[i], &pass->arena, &record, &found, err) != OK) {
            return err->code;
        }
        if (found && is_alike(pass, &record.fields, fields)) {
            *ret_record_id = record.id;
        }
    }
    return OK;
}

/* An object of another CRM with the same key on it, whatever became of its values. */
static enum fail match_key(struct pass *pass, struct str key, int64_t *ret_record_id,
                           struct error *err)
{
    struct store_record record;
    struct store_link link;
    int64_t id = 0;
    bool found, is_taken;

    if (!uuid_is_valid(key) || restored_by_key(pass->tx, pass->kind->name, key, &id, err) != OK ||
        id == 0) {
        return err->code;
    }
    if (record_by_id(pass->tx, id, &pass->arena, &record, &found, err) != OK ||
        link_by_record(pass->tx, pass->connection->row.id, id, &pass->arena, &link, &is_taken,
                       err) != OK) {
        return err->code;
    }
    if (found && record.state == RECORD_LIVE && !is_taken) {
        *ret_record_id = id;
    }
    return OK;
}

enum fail restored_match(struct pass *pass, const struct remote_record *remote,
                         const struct fields *fields, int64_t *ret_record_id, struct error *err)
{
    *ret_record_id = 0;
    if (!is_listing(pass) || match_key(pass, remote->correlation_key, ret_record_id, err) != OK ||
        *ret_record_id) {
        return err->code;
    }
    return match_alike(pass, fields, ret_record_id, err);
}

/* Made by crmsync, or not known to be made by somebody else: of kinds that have no place for our key, what is younger than the backup. */
static bool may_be_ours(const struct pass *pass, const struct remote_record *remote)
{
    int64_t created_ms = remote->created_ms - pass->connection->row.clock_offset_ms;

    if (remote->correlation_key.len) {
        return true;
    }
    return pass_has_traits(pass, OBJECT_NO_KEY) &&
           (remote->created_ms == 0 ||
            created_ms >= pass->restoring.backed_up_ms - CLOCKS_APART_MS);
}

enum fail restored_note(struct pass *pass, const struct remote_record *remote,
                        const struct fields *fields, int64_t record_id, struct error *err)
{
    struct restored restored = {.record_id = record_id,
                                .connection_id = pass->connection->row.id,
                                .kind = pass->kind->name,
                                .is_ours = may_be_ours(pass, remote),
                                .key = remote->correlation_key};

    struct store_record record;
    bool found;

    if (!is_listing(pass)) {
        return OK;
    }
    if (record_by_id(pass->tx, record_id, &pass->arena, &record, &found, err) != OK || !found ||
        record.created_ms <= pass->restoring.backed_up_ms) { /* the backup knows where it is from */
        return err->code;
    }
    title_of(pass, fields, &restored.title);
    return restored_put(pass->tx, &restored, err);
}

static enum fail set_state(struct pass *pass, enum restoring_state state, struct error *err)
{
    AUTO_TX struct tx *tx = NULL;

    if (tx_begin(pass->sync->store, pass->sync->tenant_id, &tx, err) != OK ||
        restoring_set(tx, pass->connection->row.id, pass->kind->name, state, err) != OK ||
        tx_commit(&tx, err) != OK) {
        return err->code;
    }
    pass->restoring.state = state;
    return OK;
}

enum fail restored_listed(struct pass *pass, struct error *err)
{
    return pass->is_restoring && pass->restoring.state == RESTORING_TO_LIST
               ? set_state(pass, RESTORING_LISTED, err)
               : OK;
}

/* --- when all have been listed ------------------------------------------------------------------------------- */

static bool is_configured(const struct sync *sync, struct str connection, struct str kind)
{
    for (size_t i = 0; i < sync->settings->connections_count; i++) {
        const struct connection_settings *settings = &sync->settings->connections[i];

        for (size_t k = 0; str_equal(settings->name, connection) && k < settings->kinds_count;
             k++) {
            if (str_equal(settings->kinds[k], kind)) {
                return true;
            }
        }
    }
    return false;
}

static bool has_row(const struct restoring *rows, size_t count, int64_t connection_id,
                    struct str kind)
{
    for (size_t i = 0; i < count; i++) {
        if (rows[i].connection_id == connection_id && str_equal(rows[i].kind, kind)) {
            return true;
        }
    }
    return false;
}

/* Configured kinds of the connection that the backup does not know, and that were not read since. */
static size_t count_unread(const struct sync *sync, const struct store_connection *row,
                           const struct restoring *rows, size_t count)
{
    size_t unread = 0;

    for (size_t i = 0; i < sync->settings->connections_count; i++) {
        const struct connection_settings *settings = &sync->settings->connections[i];

        for (size_t k = 0; str_equal(settings->name, row->name) && k < settings->kinds_count; k++) {
            unread += !has_row(rows, count, row->id, settings->kinds[k]);
        }
    }
    return unread;
}

/* Configured streams that are in a state before `state`. */
static enum fail count_before(const struct sync *sync, struct tx *tx, enum restoring_state state,
                              size_t *ret, bool *ret_any, struct error *err)
{
    AUTO_ARENA struct arena arena = {0};
    struct restoring *rows;
    size_t count;

    *ret = 0;
    if (restoring_list(tx, &arena, &rows, &count, err) != OK) {
        return err->code;
    }
    *ret_any = count > 0;
    for (size_t i = 0; i < count; i++) {
        struct store_connection row;
        bool found;

        if (connection_by_id(tx, rows[i].connection_id, &arena, &row, &found, err) != OK) {
            return err->code;
        }
        if (!found || rows[i].state >= state) {
            continue;
        }
        *ret += rows[i].kind.len ? is_configured(sync, row.name, rows[i].kind)
                                 : count_unread(sync, &row, rows, count);
    }
    return OK;
}

enum fail restored_waiting(const struct sync *sync, size_t *ret_waiting, bool *ret_any,
                           struct error *err)
{
    AUTO_TX struct tx *tx = NULL;

    if (tx_begin(sync->store, sync->tenant_id, &tx, err) != OK ||
        count_before(sync, tx, RESTORING_LISTED, ret_waiting, ret_any, err) != OK) {
        return err->code;
    }
    return tx_commit(&tx, err);
}

enum fail restored_end(const struct sync *sync, struct error *err)
{
    const struct audit_note note = {.action = "store.restore-ended", .subject = STR("store")};
    AUTO_TX struct tx *tx = NULL;
    size_t left;
    bool is_any;

    if (tx_begin(sync->store, sync->tenant_id, &tx, err) != OK ||
        count_before(sync, tx, RESTORING_RELEASED, &left, &is_any, err) != OK) {
        return err->code;
    }
    if (is_any && left == 0 && (restoring_end(tx, err) != OK || audit_put(tx, &note, err) != OK)) {
        return err->code;
    }
    return tx_commit(&tx, err);
}

static enum fail hold(struct pass *pass, int64_t record_id, const char *message, struct error *err)
{
    return note_failure(pass, STR(""), record_id, "push", "restored", STR(""), 0, message,
                        "look for it there; 'crmsync failures retry' creates it, 'crmsync failures "
                        "discard' leaves it out",
                        err);
}

/* What is known of a record decides whether its create is safe. */
static enum fail judge(struct pass *pass, const struct store_record *record, struct error *err)
{
    struct restored_risk risk;
    bool is_new;

    if (restored_risk_of(pass->tx, record->id, pass->connection->row.id, pass->kind->name, &risk,
                         &is_new, err) != OK) {
        return err->code;
    }
    if (!is_new && record->created_ms <= pass->restoring.backed_up_ms) {
        return hold(pass, record->id,
                    "the store was restored: this record may have been created at this CRM after "
                    "the backup, and deleted there since",
                    err);
    }
    if (is_new && risk.is_ours) {
        return hold(pass, record->id,
                    "the store was restored: crmsync made this record's object after the backup, "
                    "and what it was made from may be at this CRM, changed since",
                    err);
    }
    if (is_new && risk.is_spread) {
        return hold(pass, record->id,
                    "the store was restored: crmsync made objects of this record after the backup; "
                    "one at this CRM may have been among them, and was deleted there since",
                    err);
    }
    if (is_new && risk.is_other) {
        return hold(pass, record->id,
                    "the store was restored: an object that crmsync made at this CRM after the "
                    "backup may be this record, changed since",
                    err);
    }
    return OK;
}

static enum fail judge_each(struct pass *pass, const int64_t *ids, size_t count, struct error *err)
{
    for (size_t i = 0; i < count; i++) {
        struct store_record record;
        bool found, takes = false;

        if (record_by_id(pass->tx, ids[i], &pass->arena, &record, &found, err) != OK ||
            (found && pair_takes_part(pass, &record, NULL, &takes, err) != OK) ||
            (takes && judge(pass, &record, err) != OK)) {
            return err->code;
        }
    }
    return OK;
}

/* The next records that would be created, judged in one commit. ret_after_id stays when there are none. */
static enum fail judge_batch(struct pass *pass, int64_t *ret_after_id, struct error *err)
{
    AUTO_TX struct tx *tx = NULL;
    int64_t ids[RELEASE_BATCH];
    size_t count = 0;
    enum fail failed;

    if (tx_begin(pass->sync->store, pass->sync->tenant_id, &tx, err) != OK) {
        return err->code;
    }
    pass->tx = tx;
    failed = records_to_create(tx, pass->connection->row.id, pass->kind->name, pass_now_ms(pass), 0,
                               *ret_after_id, RELEASE_BATCH, ids, &count, err);
    failed = failed ? failed : judge_each(pass, ids, count, err);
    pass->tx = NULL;
    *ret_after_id = count ? ids[count - 1] : *ret_after_id;
    return failed ? failed : tx_commit(&tx, err);
}

enum fail slice_release(struct run *run, struct slot *slot, struct pass *pass, struct error *err)
{
    int64_t after_id = 0, before_id = -1;
    bool creates =
        pass->settings->may_create && pass->settings->direction != DIRECTION_FROM_EXTERNAL;

    (void)run;
    (void)slot;
    if (!pass->is_restoring || pass->restoring.state != RESTORING_LISTED) {
        return OK;
    }
    while (creates && after_id != before_id) {
        before_id = after_id;
        if (judge_batch(pass, &after_id, err) != OK) {
            return err->code;
        }
        pass_page_end(pass);
    }
    return set_state(pass, RESTORING_RELEASED, err);
}
