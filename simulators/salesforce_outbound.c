/* Flows, their notifications, and the messages that carry them until they are acknowledged.
 *
 * Source of the delivery rules: SOAP guide, "Understanding Notifications": up to 100 notifications a message, repeated for 24 hours
 * with growing intervals of at most two hours, each message on its own, at least once, only the newest state of a record. The first
 * interval is not documented; a community note says 30 seconds. */
#include "simulators/salesforce_outbound.h"

#include "core/alloc.h"
#include "core/jx.h"
#include "http/url.h"
#include "simulators/hooks.h"

enum {
    RULES_MAX = 20,
    FIELDS_MAX = 200,
    BATCH_MAX = 100,
    URL_BYTES_MAX = 2000,
    PENDING_MAX = 1000000,
    KEY_BYTES = 32,
};

static const int64_t FIRST_WAIT_MS = 30 * 1000;
static const int64_t WAIT_MS_MAX = 2LL * 60 * 60 * 1000;
static const int64_t LIFE_MS = 24LL * 60 * 60 * 1000;
static const int64_t ANSWER_MS_MAX = 60 * 1000; /* no answer by then is a failure */

struct notification {
    int64_t number;
    struct sf_record *record; /* borrowed: records live as long as the account */
    int64_t queued_ms;
};

struct message {
    int64_t number;
    struct rule *rule;       /* borrowed */
    struct notification *at; /* owned */
    size_t count;
    int64_t attempts, due_ms, expires_ms;
    int64_t out_until_ms; /* handed out and not yet answered; 0 = here */
    bool was_repeated;    /* duplicates are made once */
};

/* A flow with an outbound-message action. */
struct rule {
    struct sf_object *object;
    const struct sf_field *fields[FIELDS_MAX]; /* by ascending name */
    size_t fields_count;
    char url[URL_BYTES_MAX + 1];
    char org[SF_ID_BYTES];
    bool on_create, on_update, ignores_own;
    int64_t action;
    struct notification *queue; /* owned; live ones from first on */
    size_t first, count, capacity;
};

struct sf_outbound {
    struct random *random; /* owned */
    struct rule *rules;    /* owned */
    size_t rules_count;
    struct message **messages; /* owned array of owned */
    size_t messages_count, messages_capacity;
    json_t *queued; /* owned: keys of what is in a rule's queue */
    int64_t batch, delay_ms, duplicates_per_million;
    bool reorders;
    int64_t action_last, notification_last, message_last;
    int64_t delivered, failures, dropped;
    int64_t drops_per_million, hurry; /* hurry 0 = 1 */
    int64_t lost;
};

/* --- life ------------------------------------------------------------------------------------ */

struct sf_outbound *sf_outbound_new(uint64_t seed)
{
    struct sf_outbound *outbound = alloc_new(1, sizeof(*outbound));

    outbound->random = random_new_seeded(seed ^ 0x6f7574626f756e64);
    outbound->queued = json_object();
    outbound->batch = BATCH_MAX;
    outbound->action_last = outbound->notification_last =
        1000 + (int64_t)random_below(outbound->random, 100000);
    return outbound;
}

static void message_free(struct message *message)
{
    free(message->at);
    free(message);
}

static void drop_message(struct sf_outbound *outbound, size_t index)
{
    message_free(outbound->messages[index]);
    memmove(outbound->messages + index, outbound->messages + index + 1,
            (outbound->messages_count - index - 1) * sizeof(outbound->messages[0]));
    outbound->messages_count--;
}

/* All flows and what they have queued. */
static void forget_rules(struct sf_outbound *outbound)
{
    for (size_t i = 0; i < outbound->rules_count; i++) {
        free(outbound->rules[i].queue);
    }
    free(outbound->rules);
    outbound->rules = NULL;
    outbound->rules_count = 0;
    json_object_clear(outbound->queued);
    while (outbound->messages_count) {
        drop_message(outbound, outbound->messages_count - 1);
    }
}

void sf_outbound_free(struct sf_outbound *outbound)
{
    if (!outbound) {
        return;
    }
    forget_rules(outbound);
    free(outbound->messages);
    json_decref(outbound->queued);
    random_free(outbound->random);
    free(outbound);
}

/* --- queueing -------------------------------------------------------------------------------- */

/* What of a rule and a record is in the queue at most once. */
static void queue_key(const struct sf_outbound *outbound, const struct rule *rule,
                      const struct sf_record *record, char ret[KEY_BYTES])
{
    snprintf(ret, KEY_BYTES, "%zu/%lld", (size_t)(rule - outbound->rules),
             (long long)record->base.id);
}

static void queue_add(struct rule *rule, const struct notification *notification)
{
    if (rule->first + rule->count == rule->capacity) {
        if (rule->first > rule->capacity / 2) {
            memmove(rule->queue, rule->queue + rule->first, rule->count * sizeof(rule->queue[0]));
        } else {
            size_t grown = rule->capacity ? rule->capacity * 2 : 64;
            struct notification *queue = alloc_new(grown, sizeof(*queue));

            if (rule->count) {
                memcpy(queue, rule->queue + rule->first, rule->count * sizeof(*queue));
            }
            free(rule->queue);
            rule->queue = queue;
            rule->capacity = grown;
        }
        rule->first = 0;
    }
    rule->queue[rule->first + rule->count++] = *notification;
}

static bool rule_starts(const struct rule *rule, const struct sf_unit *unit,
                        const struct sf_change *change)
{
    bool is_own = !unit->is_person && unit->call && unit->session.user == unit->sf->api_user;

    if (rule->object != change->record->object || (rule->ignores_own && is_own)) {
        return false;
    }
    switch (change->kind) {
    case SF_CREATED:
        return rule->on_create;
    case SF_UPDATED:
        return rule->on_update;
    case SF_DELETED: /* no event type, no deletes */
    case SF_UNDELETED:
        return false;
    }
    abort(); /* the enum is closed */
}

void sf_outbound_changed(struct sf_outbound *outbound, const struct sf_unit *unit,
                         const struct sf_change *change)
{
    for (size_t i = 0; i < outbound->rules_count; i++) {
        struct rule *rule = &outbound->rules[i];
        struct notification notification = {.record = change->record, .queued_ms = unit->now_ms};
        char key[KEY_BYTES];

        queue_key(outbound, rule, change->record, key);
        if (!rule_starts(rule, unit, change) || json_object_get(outbound->queued, key) ||
            rule->count >= PENDING_MAX) {
            continue; /* the newest state goes with what is queued already */
        }
        if (random_chance(outbound->random, (uint32_t)outbound->drops_per_million)) {
            outbound->lost++;
            continue;
        }
        notification.number = ++outbound->notification_last;
        json_object_set_new(outbound->queued, key, json_true());
        queue_add(rule, &notification);
    }
}

/* --- messages -------------------------------------------------------------------------------- */

static void messages_add(struct sf_outbound *outbound, struct message *message)
{
    if (outbound->messages_count == outbound->messages_capacity) {
        outbound->messages_capacity =
            outbound->messages_capacity ? outbound->messages_capacity * 2 : 16;
        outbound->messages = alloc_resize(outbound->messages, outbound->messages_capacity,
                                          sizeof(outbound->messages[0]));
    }
    outbound->messages[outbound->messages_count++] = message;
}

static void shuffle(struct sf_outbound *outbound, struct message *message)
{
    for (size_t i = message->count; i > 1; i--) {
        size_t other = (size_t)random_below(outbound->random, i);
        struct notification kept = message->at[i - 1];

        message->at[i - 1] = message->at[other];
        message->at[other] = kept;
    }
}

/* The next notifications of a flow become a message. */
static struct message *message_make(struct sf_outbound *outbound, struct rule *rule, int64_t now_ms)
{
    struct message *message = alloc_new(1, sizeof(*message));
    size_t count = rule->count < (size_t)outbound->batch ? rule->count : (size_t)outbound->batch;

    message->number = ++outbound->message_last;
    message->rule = rule;
    message->at = alloc_new(count, sizeof(message->at[0]));
    message->due_ms = now_ms;
    message->expires_ms = rule->queue[rule->first].queued_ms + LIFE_MS;
    while (message->count < count &&
           rule->queue[rule->first].queued_ms + outbound->delay_ms <= now_ms) {
        char key[KEY_BYTES];

        message->at[message->count++] = rule->queue[rule->first++];
        rule->count--;
        queue_key(outbound, rule, message->at[message->count - 1].record, key);
        json_object_del(outbound->queued, key);
    }
    if (outbound->reorders) {
        shuffle(outbound, message);
    }
    messages_add(outbound, message);
    return message;
}

static int64_t wait_after(int64_t attempts)
{
    int64_t wait_ms = FIRST_WAIT_MS;

    for (int64_t i = 1; i < attempts && wait_ms < WAIT_MS_MAX; i++) {
        wait_ms *= 2;
    }
    return wait_ms < WAIT_MS_MAX ? wait_ms : WAIT_MS_MAX;
}

static void message_failed(struct sf_outbound *outbound, struct message *message, int64_t at_ms)
{
    outbound->failures++;
    message->out_until_ms = 0;
    message->due_ms =
        at_ms + wait_after(message->attempts) / (outbound->hurry ? outbound->hurry : 1);
}

/* Acknowledged: gone, or once more for the receiver to see that it has it already. */
static void message_delivered(struct sf_outbound *outbound, size_t index, int64_t now_ms)
{
    struct message *message = outbound->messages[index];

    outbound->delivered++;
    if (!message->was_repeated &&
        random_chance(outbound->random, (uint32_t)outbound->duplicates_per_million)) {
        message->was_repeated = true;
        message->out_until_ms = 0;
        message->due_ms = now_ms;
        return;
    }
    drop_message(outbound, index);
}

/* Answers that never came, and messages whose time is over. */
static void settle(struct sf_outbound *outbound, int64_t now_ms)
{
    for (size_t i = outbound->messages_count; i-- > 0;) {
        struct message *message = outbound->messages[i];

        if (message->out_until_ms && message->out_until_ms <= now_ms) {
            message_failed(outbound, message, message->out_until_ms);
        }
        if (!message->out_until_ms && message->expires_ms < now_ms) {
            outbound->dropped++;
            drop_message(outbound, i);
        }
    }
}

/* --- choosing -------------------------------------------------------------------------------- */

/* A message that waits, or a flow whose queue would make one. */
struct candidate {
    struct message *message;
    struct rule *rule;
    int64_t due_ms;
};

/* The first one, or with reordering any: each later one takes its place with the right chance. */
static void consider(struct sf_outbound *outbound, const struct candidate *new, size_t *seen,
                     struct candidate *best)
{
    bool is_better = outbound->reorders ? random_below(outbound->random, *seen + 1) == 0
                                        : *seen == 0 || new->due_ms < best->due_ms;

    (*seen)++;
    if (is_better) {
        *best = *new;
    }
}

static struct message *next_message(struct sf_outbound *outbound, int64_t now_ms)
{
    struct candidate best = {0};
    size_t seen = 0;

    for (size_t i = 0; i < outbound->messages_count; i++) {
        struct message *message = outbound->messages[i];

        if (!message->out_until_ms && message->due_ms <= now_ms) {
            consider(outbound, &(struct candidate){.message = message, .due_ms = message->due_ms},
                     &seen, &best);
        }
    }
    for (size_t i = 0; i < outbound->rules_count; i++) {
        struct rule *rule = &outbound->rules[i];
        int64_t due_ms = rule->count ? rule->queue[rule->first].queued_ms + outbound->delay_ms : 0;

        if (rule->count && due_ms <= now_ms) {
            consider(outbound, &(struct candidate){.rule = rule, .due_ms = due_ms}, &seen, &best);
        }
    }
    return best.rule ? message_make(outbound, best.rule, now_ms) : best.message;
}

/* --- handing out ----------------------------------------------------------------------------- */

/* What is in the bin by now has no state to send. Its behaviour is not documented; here it is left out. */
static size_t live_ones(const struct message *message, const struct sf_record **records,
                        int64_t *numbers)
{
    size_t count = 0;

    for (size_t i = 0; i < message->count; i++) {
        if (sf_record_is_live(message->at[i].record)) {
            records[count] = message->at[i].record;
            numbers[count++] = message->at[i].number;
        }
    }
    return count;
}

static bool put_message(struct sim_call *call, const struct message *message)
{
    const struct sf_record *records[BATCH_MAX];
    int64_t numbers[BATCH_MAX];
    const struct rule *rule = message->rule;
    struct sf_message_text text = {.org = str_of(rule->org),
                                   .action = rule->action,
                                   .notifications = numbers,
                                   .records = records,
                                   .count = live_ones(message, records, numbers),
                                   .fields = rule->fields,
                                   .fields_count = rule->fields_count};

    if (text.count == 0) {
        return false;
    }
    sim_header(call, "Content-Type", STR("text/xml; charset=utf-8"));
    sim_hook_header(call, "Content-Type", STR("text/xml; charset=UTF-8"));
    sim_hook_header(call, "SOAPAction", STR("\"\""));
    sim_header_i64(call, "X-Sim-Message", message->number);
    sim_header(call, "X-Sim-Url", arena_str(call->arena, str_of(rule->url)));
    sf_outbound_put(call->body, &text);
    return true;
}

static size_t message_index(const struct sf_outbound *outbound, int64_t number)
{
    size_t i = 0;

    while (i < outbound->messages_count && outbound->messages[i]->number != number) {
        i++;
    }
    return i;
}

static void hand_out(struct sim_call *call, struct sf_outbound *outbound)
{
    struct message *message;

    settle(outbound, call->now_ms);
    while ((message = next_message(outbound, call->now_ms))) {
        message->attempts++;
        if (put_message(call, message)) {
            message->out_until_ms = call->now_ms + ANSWER_MS_MAX;
            sim_reply(call, 200);
            return;
        }
        drop_message(outbound, message_index(outbound, message->number));
    }
    sim_reply(call, 204);
}

/* --- answers --------------------------------------------------------------------------------- */

static void control_refuse(struct sim_call *call, const char *why)
{
    sim_restart(call);
    sim_put(call->body, "{\"error\":");
    sim_put_text(call->body, str_of(why));
    buf_add_char(call->body, '}');
    sim_reply(call, 400);
}

static void take_answer(struct sim_call *call, struct sf_outbound *outbound, const json_t *answer)
{
    struct error err = {0};
    int64_t number = 0, status = 0;
    struct str body = STR_NONE;
    size_t index;
    bool is_delivered;

    if (jx_i64(answer, "id", &number, &err) || jx_i64(answer, "status", &status, &err) ||
        jx_str_or(answer, "body", STR(""), &body, &err)) {
        control_refuse(call, err.message);
        return;
    }
    settle(outbound, call->now_ms);
    index = message_index(outbound, number);
    if (index == outbound->messages_count || !outbound->messages[index]->out_until_ms) {
        control_refuse(call, "no such message is waiting for an answer");
        return;
    }
    is_delivered = status == 200 && sf_outbound_is_ack(body);
    if (is_delivered) {
        message_delivered(outbound, index, call->now_ms);
    } else {
        message_failed(outbound, outbound->messages[index], call->now_ms);
    }
    sim_put(call->body, is_delivered ? "{\"delivered\":true}" : "{\"delivered\":false}");
    sim_reply(call, 200);
}

/* --- making flows ---------------------------------------------------------------------------- */

static int field_order(const void *x, const void *y)
{
    const struct sf_field *const *left = x, *const *right = y;

    return str_compare((*left)->name, (*right)->name);
}

static enum fail read_fields(const json_t *order, struct rule *rule, struct error *err)
{
    json_t *names = NULL;
    size_t index;
    json_t *name;

    if (jx_array(order, "fields", &names, err)) {
        return err->code;
    }
    json_array_foreach(names, index, name)
    {
        struct sf_field *field = sf_field_find(rule->object, jx_text_of(name));

        if (!field || rule->fields_count == FIELDS_MAX) {
            return error_set(err, FAIL_CONFIG, "fields: %zu is no field of %" PRI_STR, index,
                             STR_ARG(rule->object->name));
        }
        if (field->derived != SF_IS_ID) { /* it comes first, and always */
            rule->fields[rule->fields_count++] = field;
        }
    }
    qsort(rule->fields, rule->fields_count, sizeof(rule->fields[0]), field_order);
    return OK;
}

/* Only this machine: a simulator that sends messages into the world would surprise its owner. */
static enum fail read_url(const json_t *order, struct rule *rule, struct error *err)
{
    struct str url = STR_NONE;
    struct http_url parts;

    if (jx_str(order, "url", &url, err) || http_url_parse(url, &parts, err)) {
        return err->code;
    }
    if (!parts.is_loopback || url.len > URL_BYTES_MAX) {
        return error_set(err, FAIL_CONFIG, "url: messages are sent to this machine only");
    }
    memcpy(rule->url, url.at, url.len);
    return OK;
}

static enum fail read_occasions(const json_t *order, struct rule *rule, struct error *err)
{
    struct str on = STR_NONE;

    if (jx_str_or(order, "on", STR("both"), &on, err) ||
        jx_bool_or(order, "ignores_own", false, &rule->ignores_own, err)) {
        return err->code;
    }
    rule->on_create = str_equal(on, STR("both")) || str_equal(on, STR("create"));
    rule->on_update = str_equal(on, STR("both")) || str_equal(on, STR("update"));
    if (!rule->on_create && !rule->on_update) {
        return error_set(err, FAIL_CONFIG, "on: is create, update or both");
    }
    return OK;
}

/* The account's own id unless the order names another. */
static enum fail read_org(const struct salesforce *sf, const json_t *order, struct rule *rule,
                          struct error *err)
{
    const struct sim_table *orgs = &sf->objects[SF_ORGANIZATION]->table;
    struct str org = STR_NONE;

    if (jx_str_or(order, "org", STR(""), &org, err)) {
        return err->code;
    }
    if (org.len >= SF_ID_BYTES || (org.len == 0 && orgs->count == 0)) {
        return error_set(err, FAIL_CONFIG, "org: is an id of 15 or 18 characters");
    }
    if (org.len) {
        memcpy(rule->org, org.at, org.len);
    } else {
        sf_record_id((const struct sf_record *)orgs->at[0], rule->org);
    }
    return OK;
}

static enum fail read_rule(const struct salesforce *sf, const json_t *order, struct rule *rule,
                           struct error *err)
{
    struct str object = STR_NONE;

    if (jx_str(order, "object", &object, err)) {
        return err->code;
    }
    rule->object = sf_object_find(sf, object);
    if (!rule->object) {
        return error_set(err, FAIL_CONFIG, "object: this account has no such object");
    }
    if (read_fields(order, rule, err) || read_url(order, rule, err) ||
        read_occasions(order, rule, err) || read_org(sf, order, rule, err)) {
        return err->code;
    }
    return OK;
}

static enum fail read_manner(struct sf_outbound *outbound, const json_t *order, struct error *err)
{
    int64_t batch = 0, delay_ms = 0, duplicates = 0;
    bool reorders = false;

    if (jx_i64_or(order, "batch", BATCH_MAX, &batch, err) ||
        jx_i64_or(order, "delay_ms", 0, &delay_ms, err) ||
        jx_i64_or(order, "duplicates_per_million", 0, &duplicates, err) ||
        jx_bool_or(order, "reorders", false, &reorders, err)) {
        return err->code;
    }
    if (batch < 1 || batch > BATCH_MAX || delay_ms < 0 || delay_ms > LIFE_MS || duplicates < 0 ||
        duplicates > 1000000) {
        return error_set(err, FAIL_CONFIG,
                         "batch goes from 1 to %d, delay_ms to a day, duplicates_per_million to "
                         "1000000",
                         BATCH_MAX);
    }
    outbound->batch = batch;
    outbound->delay_ms = delay_ms;
    outbound->duplicates_per_million = duplicates;
    outbound->reorders = reorders;
    return OK;
}

static void make_rules(struct sim_call *call, struct sf_outbound *outbound, const json_t *order)
{
    struct error err = {0};
    json_t *list = NULL;
    size_t count;
    struct rule *rules;

    if (jx_array_or_null(order, "rules", &list, &err)) {
        control_refuse(call, err.message);
        return;
    }
    count = json_array_size(list);
    rules = alloc_new(count + 1, sizeof(*rules));
    for (size_t i = 0; i < count && !err.code; i++) {
        if (i == RULES_MAX) {
            error_set(&err, FAIL_CONFIG, "rules: at most %d", RULES_MAX);
        } else if (read_rule(sf_of(call), json_array_get(list, i), &rules[i], &err)) {
            error_wrap(&err, "rules: %zu", i);
        }
        rules[i].action = outbound->action_last + 1 + (int64_t)i;
    }
    if (err.code || read_manner(outbound, order, &err)) {
        free(rules);
        control_refuse(call, err.message);
        return;
    }
    forget_rules(outbound);
    outbound->rules = rules;
    outbound->rules_count = count;
    outbound->action_last += (int64_t)count;
    sim_put(call->body, "{\"ok\":true}");
    sim_reply(call, 200);
}

/* --- the door -------------------------------------------------------------------------------- */

static void show_state(struct sim_call *call, struct sf_outbound *outbound)
{
    int64_t queued = 0, out = 0;

    settle(outbound, call->now_ms);
    for (size_t i = 0; i < outbound->rules_count; i++) {
        queued += (int64_t)outbound->rules[i].count;
    }
    for (size_t i = 0; i < outbound->messages_count; i++) {
        out += outbound->messages[i]->out_until_ms != 0;
    }
    buf_addf(call->body,
             "{\"queued\":%lld,\"waiting\":%lld,\"out\":%lld,\"delivered\":%lld,\"failures\":%lld,"
             "\"dropped\":%lld,\"lost\":%lld}",
             (long long)queued, (long long)outbound->messages_count - (long long)out,
             (long long)out, (long long)outbound->delivered, (long long)outbound->failures,
             (long long)outbound->dropped, (long long)outbound->lost);
    sim_reply(call, 200);
}

/* A flow for each object that is there, with the fields that docs/webhooks.md names. */
static json_t *usual_rules(const struct salesforce *sf, const json_t *order)
{
    static const char *const OBJECTS[] = {
        "Contact", "Account", "Opportunity", "OpportunityContactRole",
        "Lead",    "Task",    "Event",       "Case"};
    json_t *rules = json_array();

    for (size_t i = 0; i < COUNT_OF(OBJECTS); i++) {
        bool is_role = strcmp(OBJECTS[i], "OpportunityContactRole") == 0;
        json_t *rule =
            json_pack("{s:s,s:[s,s],s:O}", "object", OBJECTS[i], "fields", "CreatedDate",
                      is_role ? "OpportunityId" : "LastModifiedDate", "url", jx_get(order, "url"));

        if (jx_get(order, "ignores_own")) {
            json_object_set(rule, "ignores_own", jx_get(order, "ignores_own"));
        }
        if (sf_object_find(sf, str_of(OBJECTS[i]))) {
            json_array_append(rules, rule);
        }
        json_decref(rule);
    }
    return rules;
}

/* The door that all CRMs have: an address, and how the network behaves. url null: none any more. */
static void order_webhooks(struct sim_call *call, struct sf_outbound *outbound, const json_t *order)
{
    struct error err = {0};
    struct sim_manner manner;
    const json_t *url = jx_get(order, "url");
    json_t *whole;

    if (sim_manner_read(order, &manner, &err)) {
        control_refuse(call, err.message);
        return;
    }
    whole = jx_own(call->arena, json_pack("{s:I,s:I,s:b}", "delay_ms", (json_int_t)manner.delay_ms,
                                          "duplicates_per_million", (json_int_t)manner.duplicates,
                                          "reorders", manner.reorders > 0));
    if (url) {
        json_object_set_new(whole, "rules",
                            json_is_null(url) ? json_array() : usual_rules(sf_of(call), order));
        make_rules(call, outbound, whole);
    } else if (read_manner(outbound, whole, &err)) {
        control_refuse(call, err.message);
    } else {
        sim_put(call->body, "{\"ok\":true}");
        sim_reply(call, 200);
    }
    if (call->response->status == 200) {
        outbound->drops_per_million = manner.drops;
        outbound->hurry = manner.hurry;
    }
}

static bool webhooks_control(struct sim_call *call, struct sf_outbound *outbound)
{
    bool is_post = call->request->method == HTTP_POST;
    json_t *body = NULL;

    if (is_post && (!sim_json(call, &body) || !json_is_object(body))) {
        control_refuse(call, "the body has to be a JSON object");
    } else if (call->segments_count == 2 && is_post) {
        order_webhooks(call, outbound, body);
    } else if (call->segments_count == 2) {
        show_state(call, outbound);
    } else if (sim_segment_is(call, 2, "next") && !is_post) {
        hand_out(call, outbound);
    } else if (sim_segment_is(call, 2, "answer") && is_post) {
        take_answer(call, outbound, body);
    } else {
        return false;
    }
    return true;
}

bool sf_outbound_control(struct sim_call *call, struct sf_outbound *outbound)
{
    bool is_post = call->request->method == HTTP_POST;
    json_t *body = NULL;

    if (sim_segment_is(call, 1, "webhooks") && call->segments_count <= 3) {
        return webhooks_control(call, outbound);
    }
    if (!sim_segment_is(call, 1, "outbound") || call->segments_count > 3) {
        return false;
    }
    if (is_post && (!sim_json(call, &body) || !json_is_object(body))) {
        control_refuse(call, "the body has to be a JSON object");
    } else if (call->segments_count == 2 && is_post) {
        make_rules(call, outbound, body);
    } else if (call->segments_count == 2) {
        hand_out(call, outbound);
    } else if (sim_segment_is(call, 2, "answer") && is_post) {
        take_answer(call, outbound, body);
    } else if (sim_segment_is(call, 2, "state") && !is_post) {
        show_state(call, outbound);
    } else {
        return false;
    }
    return true;
}
