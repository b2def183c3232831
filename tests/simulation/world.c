#include "tests/simulation/world.h"

#include <assert.h>
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/alloc.h"
#include "store/backup.h"
#include "store/restore.h"
#include "sync/bindings.h"
#include "sync/rehearse.h"

enum { LEARNED_MS = 30 * 60 * 1000 }; /* as the service, about */

static const int64_t BEGIN_MS = 1780000000000; /* an arbitrary Thursday in 2026 */

static const struct {
    const char *name, *contact, *company;
    enum fail (*new_simulator)(struct env *env, const struct simulator_options *options,
                               struct simulator **ret, struct error *err);
} CRM_FACTS[CRMS] = {{"hubspot", "contacts", "companies", simulator_hubspot_new},
                     {"pipedrive", "persons", "organizations", simulator_pipedrive_new},
                     {"salesforce", "Contact", "Account", simulator_salesforce_new}};

static _Noreturn void die(const struct world *world, const char *what, const struct error *err)
{
    fprintf(stderr, "seed %" PRIu64 ": %s: %s\n", world->options.seed, what,
            err ? err->message : "");
    abort();
}

const char *world_word(enum crm crm, const char *kind)
{
    return strcmp(kind, "contact") == 0 ? CRM_FACTS[crm].contact : CRM_FACTS[crm].company;
}

/* The second account at a CRM is "hubspot-2". */
static void name_connections(struct world *world)
{
    const struct world_options *options = &world->options;

    world->count = options->connections ? options->connections : CRMS;
    assert(world->count <= CONNECTIONS_MAX);
    for (int i = 0; i < world->count; i++) {
        int same = 1;

        world->crms[i] = options->connections ? options->crms[i] : (enum crm)i;
        for (int k = 0; k < i; k++) {
            same += world->crms[k] == world->crms[i];
        }
        world->names[i] =
            same == 1 ? str_of(CRM_FACTS[world->crms[i]].name)
                      : arena_printf(&world->arena, "%s-%d", CRM_FACTS[world->crms[i]].name, same);
    }
}

static struct str host_of(struct world *world, int at)
{
    return arena_printf(&world->arena, "%" PRI_STR ".sim.example", STR_ARG(world->names[at]));
}

/* FNV-1a. */
static void trace(struct world *world, struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        world->trace = (world->trace ^ (unsigned char)text.at[i]) * 0x100000001b3u;
    }
}

static void trace_call(struct world *world, int at, const struct http_request *request,
                       const struct http_response *response)
{
    const struct str parts[] = {world->names[at], str_of(http_method_name(request->method)),
                                request->url, request->body, response->body};

    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        trace(world, parts[i]);
    }
    world->trace ^= (uint64_t)response->status << 32 | (uint64_t)response->fault;
}

/* False: nobody lives to see this moment. */
static bool outlives(struct world *world, int at, bool is_applied,
                     const struct http_request *request)
{
    world->moments++;
    if (world->kill_at && world->moments == world->kill_at) {
        disk_kill_now(world->disk);
    }
    if (world->disk && disk_is_dead(world->disk)) {
        return false;
    }
    if (world->in_air) {
        world->in_air(world->in_air_context, at, is_applied, request);
    }
    return true;
}

static void handle(void *context, const struct http_request *request,
                   struct http_response *response)
{
    const struct world_mount *mount = context;
    struct world *world = mount->world;

    if (!outlives(world, mount->at, false, request)) {
        response->fault = HTTP_FAULT_RESET;
        return;
    }
    if (!world->before_call || !world->before_call(world->network, mount->at, request, response)) {
        simulator_handle(world->simulators[mount->at], request, response);
    }
    trace_call(world, mount->at, request, response);
    if (!outlives(world, mount->at, true, request)) {
        http_response_fini(response);
        response->fault = HTTP_FAULT_RESET;
    }
}

static void start_simulators(struct world *world)
{
    struct simulator_options options = {.seed = world->options.seed,
                                        .records = world->options.records,
                                        .deals = world->options.has_work ? 3 : 0,
                                        .activities = world->options.has_work ? 5 : 0,
                                        .index_lag_ms = world->options.index_lag_ms};
    struct error err = {0};

    world->env.transport = transport_new_mounted(world->env.clock, 5);
    for (int i = 0; i < world->count; i++) {
        if (CRM_FACTS[world->crms[i]].new_simulator(&world->env, &options, &world->simulators[i],
                                                    &err) != OK) {
            die(world, "simulator", &err);
        }
        world->mounts[i] = (struct world_mount){.world = world, .at = i};
        transport_mount(world->env.transport, host_of(world, i).at, handle, &world->mounts[i]);
        if (world->crms[i] == HUBSPOT && world->options.by_journal) {
            transport_mount(world->env.transport, &WORLD_FILES[sizeof "https://" - 1], handle,
                            &world->mounts[i]);
        }
    }
}

static void start_http(struct world *world)
{
    static const char *const HOSTS[] = {"*.sim.example"};

    world->http =
        http_client_new(&world->env, &(const struct http_client_options){.allowed_hosts = HOSTS,
                                                                         .allowed_hosts_count = 1});
}

/* What is the same in every world is read once: thousands of worlds come one after another in one process. */
static struct {
    struct arena arena;
    bool is_read;
    struct kinds kinds;
    struct mappings mappings[CRMS];
    unsigned char *store; /* a new store's file */
    size_t store_bytes;
} common;

static void read_common(struct world *world)
{
    struct error err = {0};

    if (kinds_load_embedded(&common.arena, &common.kinds, &err) != OK) {
        die(world, "kinds", &err);
    }
    for (int crm = 0; crm < CRMS; crm++) {
        if (mappings_load(&common.arena, &common.kinds, str_of(CRM_FACTS[crm].name), NULL,
                          &common.mappings[crm], &err) != OK) {
            die(world, "mappings", &err);
        }
    }
    common.is_read = true;
}

static void load_settings(struct world *world)
{
    world->kind_names[0] = STR("company");
    world->kind_names[1] = STR("contact");
    world->kind_names[2] = STR("deal");
    world->kind_names[3] = STR("activity");
    if (!common.is_read) {
        read_common(world);
    }
    world->kinds = common.kinds;
    for (int i = 0; i < world->count; i++) {
        struct str crm = str_of(CRM_FACTS[world->crms[i]].name);

        world->mappings[i] = common.mappings[world->crms[i]];
        world->policies[i].policy = world->options.policy;
        world->settings[i] = (struct connection_settings){
            .name = world->names[i],
            .adapter = adapter_by_name(crm),
            .base_url =
                arena_printf(&world->arena, "https://%" PRI_STR, STR_ARG(host_of(world, i))),
            .kinds = world->kind_names,
            .kinds_count = world->options.has_work ? 4 : 2,
            .mappings = &world->mappings[i],
            .policies = &world->policies[i],
            .policies_count = 1,
            .priority = i,
            .wants_events = (world->options.by_events && world->crms[i] == SALESFORCE) ||
                            (world->options.by_journal && world->crms[i] == HUBSPOT),
            .may_create = true,
            .deletes = world->options.deletes,
            .settle_ms = 120000,
            .grace_ms = 600000};
    }
    world->all = (struct sync_settings){.kinds = &world->kinds,
                                        .connections = world->settings,
                                        .connections_count = (size_t)world->count,
                                        .brake = {.deletes_floor = 25,
                                                  .deletes_percent = 5,
                                                  .updates_floor = 1000,
                                                  .updates_percent = 30}};
}

/* Of the system's file, when nobody has it open. Returns its bytes, the caller's. */
static unsigned char *read_store(struct world *world, size_t *ret_count)
{
    FILE *file = fopen(world->store_path, "rb");
    struct stat facts;
    unsigned char *bytes;

    if (!file || fstat(fileno(file), &facts) != 0) {
        die(world, "store", NULL);
    }
    *ret_count = (size_t)facts.st_size;
    bytes = alloc_new(*ret_count, 1);
    if (fread(bytes, 1, *ret_count, file) != *ret_count) {
        die(world, "store", NULL);
    }
    fclose(file);
    return bytes;
}

/* A new store is the same bytes each time: made once, as anybody makes one, and read when it is closed. */
static void make_store(struct world *world)
{
    const struct store_options options = {
        .path = world->store_path, .access = STORE_CREATE, .holder = "test"};
    struct error err = {0};

    if (store_open(&options, &world->env, &world->store, &err) != OK) {
        die(world, "store", &err);
    }
    store_close(TAKE_PTR(world->store));
    common.store = read_store(world, &common.store_bytes);
    unlink(world->store_path);
}

/* On a disk in memory, a file without content stands for the name. */
static void put_store(struct world *world)
{
    size_t count = world->disk ? 0 : common.store_bytes;
    int fd = open(world->store_path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    if (fd < 0 || write(fd, common.store, count) != (ssize_t)count || close(fd) != 0) {
        die(world, "no file for the store", NULL);
    }
    if (world->disk) {
        disk_put(world->disk, world->store_path, common.store, common.store_bytes);
    }
}

static void open_store(struct world *world)
{
    struct error err = {0};

    if (store_open(&(const struct store_options){.path = world->store_path,
                                                 .access = STORE_WRITE,
                                                 .holder = "test"},
                   &world->env, &world->store, &err) != OK) {
        die(world, "store", &err);
    }
}

static enum fail app_get(struct http_auth *auth, int64_t refused, struct http_credential *ret,
                         struct error *err)
{
    const struct world_app *app = (const struct world_app *)auth;

    if (refused) {
        return error_set(err, FAIL_CONFIG, "the app is not let in");
    }
    secret_set(&ret->header, str_of(app->header));
    ret->generation = 1;
    return OK;
}

static struct http_auth *app_of(struct world *world, int at)
{
    if (world->crms[at] != HUBSPOT || !world->options.by_journal) {
        return NULL;
    }
    world->app.auth.get = app_get;
    snprintf(world->app.header, sizeof world->app.header, "Bearer %s.app",
             simulator_token(world->simulators[at]));
    return &world->app.auth;
}

static void open_connection(struct world *world, int i, bool set_up)
{
    struct error err = {0};
    struct tx *tx = NULL;
    struct setup_report done = {0};
    static const char *const KINDS[] = {"company", "contact", "deal", "activity"};
    struct sync_connection *connection = &world->connections[i];
    struct account account = {.connection = world->names[i].at,
                              .base_url = world->settings[i].base_url,
                              .token = &world->tokens[i],
                              .app_auth = app_of(world, i),
                              .wants_events = world->settings[i].wants_events};

    connection->settings = &world->settings[i];
    connection->bindings = world->options.learns_once ? bindings_new() : NULL;
    secret_set(&world->tokens[i], str_of(simulator_token(world->simulators[i])));
    if (tx_begin(world->store, TENANT_DEFAULT, &tx, &err) != OK ||
        connection_ensure(tx, world->settings[i].name, str_of(world->settings[i].adapter->name),
                          &world->arena, &connection->row, &err) != OK ||
        tx_commit(&tx, &err) != OK ||
        world->settings[i].adapter->open(&world->env, world->http, &account, &connection->session,
                                         &err) != OK ||
        (set_up && world->settings[i].adapter->ensure_setup(
                       connection->session,
                       &(const struct setup_request){.kinds = KINDS,
                                                     .kinds_count = world->settings[i].kinds_count},
                       &done, &err) != OK)) {
        die(world, "connection", &err);
    }
}

static void open_all(struct world *world, bool set_up)
{
    start_http(world);
    if (!world->store) {
        open_store(world);
    }
    for (int i = 0; i < world->count; i++) {
        open_connection(world, i, set_up);
    }
    world->sync = (struct sync){.env = &world->env,
                                .store = world->store,
                                .tenant_id = TENANT_DEFAULT,
                                .settings = &world->all,
                                .connections = world->connections,
                                .connections_count = (size_t)world->count,
                                .http = world->http};
}

static void end_sessions(struct world *world)
{
    for (int i = 0; i < world->count; i++) {
        world->settings[i].adapter->close(world->connections[i].session);
        world->connections[i].session = NULL;
        bindings_free(world->connections[i].bindings);
        world->connections[i].bindings = NULL;
        secret_fini(&world->tokens[i]);
    }
    http_client_free(world->http);
}

static void close_all(struct world *world)
{
    end_sessions(world);
    store_close(TAKE_PTR(world->store));
}

/* The store and disk of an earlier world, in its memory: the store knows where its surroundings are. */
static struct world *spare;

static bool use_spare(struct world *world)
{
    if (world != spare) {
        return false;
    }
    spare = NULL;
    disk_exchange(world->disk, world->options.seed, world->store_path, common.store,
                  common.store_bytes);
    return true;
}

static void make_place(struct world *world)
{
    struct stat facts;
    const char *root =
        stat("/dev/shm", &facts) == 0 && access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";

    snprintf(world->folder, sizeof world->folder, "%s/crmsync-test-XXXXXX", root);
    if (!mkdtemp(world->folder)) {
        die(world, "no folder for the store", NULL);
    }
    snprintf(world->store_path, sizeof world->store_path, "%s/store.db", world->folder);
    if (!common.store) {
        make_store(world);
    }
    world->disk = world->options.is_lasting ? NULL : disk_new(world->options.seed);
    put_store(world);
}

struct world *world_new(const struct world_options *options)
{
    struct world *world = spare && options->is_one_of_many ? spare : alloc_new(1, sizeof *world);

    world->options = *options;
    world->env = (struct env){.clock = clock_new_virtual(BEGIN_MS),
                              .random = random_new_seeded(options->seed)};
    if (!use_spare(world)) {
        make_place(world);
    }
    name_connections(world);
    start_simulators(world);
    load_settings(world);
    open_all(world, true);
    return world;
}

void world_reopen(struct world *world)
{
    close_all(world);
    open_all(world, false);
}

void world_kill_at(struct world *world, int64_t moment)
{
    assert(world->disk);
    world->kill_at = moment ? world->moments + moment : 0;
}

void world_revive(struct world *world)
{
    close_all(world);
    disk_revive(world->disk);
    world->kill_at = 0;
    open_all(world, false);
}

/* The store, its side files, backups, and what a restore put aside; or all but the store and its lock. */
static void empty_folder(const char *folder, bool keeps_store)
{
    DIR *dir = opendir(folder);
    struct dirent *entry;

    while (dir && (entry = readdir(dir)) != NULL) {
        bool is_kept = keeps_store && (strcmp(entry->d_name, "store.db") == 0 ||
                                       strcmp(entry->d_name, "store.db.lock") == 0);

        if (!is_kept) {
            unlinkat(dirfd(dir), entry->d_name, 0);
        }
    }
    if (dir) {
        closedir(dir);
    }
}

static void remove_place(struct world *world)
{
    store_close(world->store);
    empty_folder(world->folder, false);
    rmdir(world->folder);
    disk_free(world->disk);
}

/* Nothing of the world is left in it but the store, the disk and where they are. */
static void become_spare(struct world *world)
{
    struct world kept = {.store = world->store, .disk = world->disk};

    memcpy(kept.folder, world->folder, sizeof kept.folder);
    memcpy(kept.store_path, world->store_path, sizeof kept.store_path);
    empty_folder(world->folder, true);
    *world = kept;
    spare = world;
}

void world_spare_free(void)
{
    if (spare) {
        remove_place(spare);
        free(TAKE_PTR(spare));
    }
}

static void backup_path(const struct world *world, char ret[128])
{
    snprintf(ret, 128, "%s/backup.db", world->folder);
}

void world_backup(struct world *world)
{
    AUTO_ARENA struct arena arena = {0};
    struct backup_receipt receipt;
    struct error err = {0};
    char path[128];

    backup_path(world, path);
    unlink(path);
    if (world->disk) {
        disk_step_aside(world->disk, true);
    }
    if (store_backup(world->store, &world->env, path, &arena, &receipt, &err) != OK) {
        die(world, "backup", &err);
    }
    if (world->disk) {
        disk_step_aside(world->disk, false);
    }
}

/* A restore gives files other names, which a disk in memory knows nothing of: it takes place among the system's. */
static void begin_restore(struct world *world)
{
    if (world->disk) {
        disk_save(world->disk);
        disk_step_aside(world->disk, true);
    }
}

static void end_restore(struct world *world)
{
    unsigned char *bytes;
    size_t count;

    if (world->disk) {
        disk_step_aside(world->disk, false);
        bytes = read_store(world, &count);
        disk_put(world->disk, world->store_path, bytes, count);
        free(bytes);
    }
}

void world_restore(struct world *world)
{
    AUTO_ARENA struct arena arena = {0};
    struct store_options options = {.path = world->store_path, .holder = "test"};
    struct restore_result result;
    struct error err = {0};
    char path[128];

    backup_path(world, path);
    close_all(world);
    begin_restore(world);
    if (store_restore(path, &options, &world->env, &arena, &result, &err) != OK) {
        die(world, "restore", &err);
    }
    end_restore(world);
    open_all(world, false);
}

void world_free(struct world *world)
{
    end_sessions(world);
    transport_free(world->env.transport);
    for (int i = 0; i < world->count; i++) {
        simulator_free(world->simulators[i]);
    }
    random_free(world->env.random);
    clock_free(world->env.clock);
    arena_fini(&world->arena);
    if (world->options.is_one_of_many && world->disk && !spare) {
        become_spare(world);
        return;
    }
    remove_place(world);
    free(world);
}

enum fail world_try(struct world *world, bool full, struct sync_report *ret, struct error *err)
{
    struct sync_options options = {.command = "sync",
                                   .pull = true,
                                   .push = true,
                                   .full = full,
                                   .wait_max_ms = 20 * 60 * 1000,
                                   .bindings_age_max_ms = LEARNED_MS};

    if (world->options.wait_max_ms) {
        options.wait_max_ms = world->options.wait_max_ms;
    }
    return sync_run(&world->sync, &options, ret, err);
}

void world_sync(struct world *world, bool full, struct sync_report *ret)
{
    struct error err = {0};

    if (world_try(world, full, ret, &err) != OK) {
        die(world, "sync", &err);
    }
}

static void ignore_refusal(void *context, const json_t *line, const char *why)
{
    (void)context;
    (void)line;
    (void)why;
}

/* A plan while it is written. */
struct plan_writing {
    FILE *file;
    int64_t items, there;
};

static void write_change(void *context, const struct change *change)
{
    struct plan_writing *writing = context;
    json_t *line = plan_change_json(change, STR(""));

    writing->items++;
    writing->there += change->is_there;
    json_dumpf(line, writing->file, JSON_COMPACT);
    fputc('\n', writing->file);
    json_decref(line);
}

static void plan_path(const struct world *world, char ret[128])
{
    snprintf(ret, 128, "%s/plan.jsonl", world->folder);
}

int64_t world_plan(struct world *world, bool full)
{
    struct sync_options options = {.command = "plan",
                                   .pull = true,
                                   .push = true,
                                   .full = full,
                                   .wait_max_ms = 20 * 60 * 1000,
                                   .bindings_age_max_ms = LEARNED_MS};
    struct rehearsal *rehearsal = alloc_new(1, sizeof *rehearsal);
    struct plan_writing writing = {0};
    struct sync copy = world->sync;
    AUTO_ARENA struct arena arena = {0};
    struct error err = {0};
    char path[128];
    json_t *line;
    bool is_made;

    plan_path(world, path);
    writing.file = fopen(path, "w");
    if (!writing.file) {
        die(world, "plan", &err);
    }
    if (store_scratch(world->store, &world->env, &copy.store, &err) != OK) {
        die(world, "scratch", &err);
    }
    line = plan_head_json(&world->sync, &options);
    json_dumpf(line, writing.file, JSON_COMPACT);
    fputc('\n', writing.file);
    json_decref(line);
    if (rehearse(&copy, &options, write_change, &writing, &arena, rehearsal, &err) != OK) {
        die(world, "plan", &err);
    }
    is_made = rehearsal->report.problems_count == 0;
    fprintf(writing.file, "{\"end\":{\"items\":%" PRId64 "}}\n", writing.items);
    fclose(writing.file);
    store_close(copy.store);
    free(rehearsal);
    return is_made ? writing.there : -1;
}

void world_apply(struct world *world, struct applied *ret)
{
    struct applying *applying = NULL;
    struct error err = {0};
    char path[128];

    plan_path(world, path);
    if (apply_open(&world->sync, path, &applying, &err) != OK) {
        die(world, "apply", &err);
    }
    if (apply_run(applying, 20 * 60 * 1000, ignore_refusal, NULL, ret, &err) != OK) {
        die(world, "apply", &err);
    }
    apply_close(applying);
}

json_t *world_ask(struct world *world, int at, const char *method, const char *path,
                  json_t *take_body)
{
    struct http_response response = {0};
    char *text = take_body ? json_dumps(take_body, 0) : NULL;
    struct http_request request = {.method = strcmp(method, "GET") == 0 ? HTTP_GET : HTTP_POST,
                                   .url = str_of(path),
                                   .body = str_of(text)};
    json_t *answer;

    http_header_add(&request.headers, STR("content-type"), STR("application/json"));
    simulator_handle(world->simulators[at], &request, &response);
    if (response.status < 200 || response.status > 299) {
        fprintf(stderr, "seed %" PRIu64 ": %s %s with %s gave %d %.*s\n", world->options.seed,
                method, path, text ? text : "", response.status, STR_ARG(response.body));
        abort();
    }
    answer = json_loadb(response.body.len ? response.body.at : "{}",
                        response.body.len ? response.body.len : 2, 0, NULL);
    http_response_fini(&response);
    free(text);
    json_decref(take_body);
    return answer;
}

json_t *world_state_of(struct world *world, int at, const char *word)
{
    char path[64];

    snprintf(path, sizeof path, "/__sim/state/%s", word);
    return world_ask(world, at, "GET", path, NULL);
}

json_t *world_state(struct world *world, int at, const char *kind)
{
    return world_state_of(world, at, world_word(world->crms[at], kind));
}

json_int_t world_writes(struct world *world, int at)
{
    json_t *stats = world_ask(world, at, "GET", "/__sim/stats", NULL);
    json_int_t writes = json_integer_value(json_object_get(stats, "writes"));

    json_decref(stats);
    return writes;
}

json_int_t world_writes_all(struct world *world)
{
    json_int_t writes = 0;

    for (int i = 0; i < world->count; i++) {
        writes += world_writes(world, i);
    }
    return writes;
}

int world_at(const struct world *world, int64_t connection_id)
{
    for (int i = 0; i < world->count; i++) {
        if (world->connections[i].row.id == connection_id) {
            return i;
        }
    }
    die(world, "no such connection", NULL);
}

void world_faults(struct world *world, int at, json_t *take_schedule)
{
    json_decref(world_ask(world, at, "POST", "/__sim/faults", take_schedule));
}

int world_settle(struct world *world, int rounds_max)
{
    struct sync_report report;
    int quiet =
        0; /* twice in a row: what a round only found out (a delete) takes effect in the next */

    for (int round = 1; round <= rounds_max; round++) {
        json_int_t before = world_writes_all(world);

        clock_wait_ms(world->env.clock, 15 * 60 * 1000); /* past settle and grace */
        world_sync(world, true, &report);
        if (report.problems_count &&
            round > 3) { /* a breaker or a penalty may still be running at first */
            die(world, "a healed world has a problem", &report.problems[0].error);
        }
        if (report.problems_count == 0 && before == world_writes_all(world) &&
            report.counts.created_here == 0 && report.counts.updated_here == 0 &&
            report.counts.deleted_here == 0 && report.counts.merged == 0 &&
            report.counts.matched == 0) {
            if (++quiet == 2) {
                return round;
            }
        } else {
            quiet = 0;
        }
    }
    die(world, "does not come to rest", NULL);
}

struct edit world_edit(struct world *world)
{
    return (struct edit){.env = &world->env,
                         .store = world->store,
                         .tenant_id = TENANT_DEFAULT,
                         .kinds = &world->kinds};
}

/* --- fields as each CRM shows them ------------------------------------------------------------------------------------------- */

/* What the CRMs call a field; NULL: as we do. */
static const char *own_name(enum crm crm, const char *field)
{
    static const struct {
        const char *field, *names[CRMS];
    } NAMES[] = {
        {"first_name", {"firstname", NULL, "FirstName"}},
        {"last_name", {"lastname", NULL, "LastName"}},
        {"email", {NULL, NULL, "Email"}},
        {"phone", {NULL, NULL, "Phone"}},
        {"name", {NULL, NULL, "Name"}},
    };

    for (size_t i = 0; i < COUNT_OF(NAMES); i++) {
        if (strcmp(NAMES[i].field, field) == 0 && NAMES[i].names[crm]) {
            return NAMES[i].names[crm];
        }
    }
    return field;
}

static const char *primary_of(const json_t *list)
{
    const char *first = "";
    size_t index;
    json_t *item;

    json_array_foreach(list, index, item)
    {
        const char *value = json_string_value(json_object_get(item, "value"));

        if (json_is_true(json_object_get(item, "primary"))) {
            return value ? value : "";
        }
        first = index == 0 && value ? value : first;
    }
    return first;
}

void world_field(enum crm crm, const json_t *record, const char *field, char *ret, size_t ret_bytes)
{
    const json_t *fields = json_object_get(record, "fields");
    const char *text;

    if (crm == PIPEDRIVE && (strcmp(field, "email") == 0 || strcmp(field, "phone") == 0)) {
        text =
            primary_of(json_object_get(fields, strcmp(field, "email") == 0 ? "emails" : "phones"));
    } else {
        text = json_string_value(json_object_get(fields, own_name(crm, field)));
    }
    /* a name that Salesforce does not leave blank */
    text = crm == SALESFORCE && text && strcmp(text, "[not provided]") == 0 ? "" : text;
    snprintf(ret, ret_bytes, "%s", text ? text : "");
}

json_t *world_set(enum crm crm, const char *field, const char *value)
{
    if (crm != PIPEDRIVE) {
        return json_pack("{s:s}", own_name(crm, field), value);
    }
    if (strcmp(field, "email") == 0 || strcmp(field, "phone") == 0) {
        return json_pack("{s:[{s:s,s:b,s:s}]}", strcmp(field, "email") == 0 ? "emails" : "phones",
                         "value", value, "primary", 1, "label", "work");
    }
    return json_pack("{s:s}", field, value);
}
