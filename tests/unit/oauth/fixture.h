/* A store with one connection, a vault, and a sign-in server that is mounted instead of the network: what the tests of this folder stand on. */
#ifndef CRMSYNC_TESTS_UNIT_OAUTH_FIXTURE_H
#define CRMSYNC_TESTS_UNIT_OAUTH_FIXTURE_H

#include <stdio.h>
#include <unistd.h>

#include "http/transport.h"
#include "oauth/keeper.h"
#include "store/connection.h"

#include "tests/expect.h" /* last: cmocka's macro fail() would break declarations with enum fail */

enum { OAUTH_START_S = 1790000000, OAUTH_PATH_BYTES = 128, OAUTH_BODY_BYTES = 4096 };

#define CLIENT_ID "app-0001"
#define CLIENT_SECRET "client-s3cret-0001"
#define MUST(f, call)                                                                              \
    EXPECT((call) == OK, "%s:%d: %s\n%s", __FILE__, __LINE__, #call, (f)->err.message)

/* The CRM of these tests: everything that a provider may have. */
static const struct oauth_provider PROVIDER = {
    .authorize_origin = "https://login.crm.example",
    .token_origin = "https://login.crm.example",
    .authorize_path = "/authorize",
    .token_path = "/token",
    .revoke_path = "/revoke",
    .grants =
        1u << OAUTH_AUTHORIZATION_CODE | 1u << OAUTH_CLIENT_CREDENTIALS | 1u << OAUTH_JWT_BEARER,
    .has_pkce = true,
    .default_scopes = "read write",
    .origin_member = "instance_url",
    .account = OAUTH_ACCOUNT_HUB_ID,
};

struct fixture {
    char folder[OAUTH_PATH_BYTES];
    char store_path[2 * OAUTH_PATH_BYTES], key_path[2 * OAUTH_PATH_BYTES];
    struct env env;
    struct http_client *http;
    struct vault *vault;
    struct secret client_secret;
    struct oauth_connection connection;
    struct arena arena;
    struct error err;
};

/* env.clock is set before. Whoever forks makes the client anew in the child. */
static inline void fixture_network(struct fixture *f, http_handler_fn *login, http_handler_fn *api,
                                   void *context)
{
    static const char *const HOSTS[] = {"login.crm.example", "*.api.crm.example"};
    static const struct http_client_options OPTIONS = {.allowed_hosts = HOSTS,
                                                       .allowed_hosts_count = COUNT_OF(HOSTS)};

    f->env.transport = transport_new_mounted(f->env.clock, 0);
    transport_mount(f->env.transport, "login.crm.example", login, context);
    transport_mount(f->env.transport, "one.api.crm.example", api ? api : login, context);
    f->http = http_client_new(&f->env, &OPTIONS);
    f->connection.env = &f->env;
    f->connection.http = f->http;
}

static inline void fixture_network_end(struct fixture *f)
{
    http_client_free(f->http);
    transport_free(f->env.transport);
    f->http = NULL;
    f->env.transport = NULL;
}

static inline void fixture_client(struct fixture *f)
{
    secret_set(&f->client_secret, STR(CLIENT_SECRET));
    f->connection.client =
        (struct oauth_client){.provider = &PROVIDER,
                              .grant = OAUTH_AUTHORIZATION_CODE,
                              .connection = STR("main"),
                              .client_id = STR(CLIENT_ID),
                              .client_secret = &f->client_secret,
                              .redirect_uri = STR("http://localhost:8710/callback")};
}

static inline void fixture_store(struct fixture *f)
{
    struct store_options options = {.access = STORE_CREATE, .holder = "test"};
    struct store_connection row;
    struct store *store;
    struct tx *tx;

    snprintf(f->folder, sizeof f->folder, "/tmp/crmsync-oauth-XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    snprintf(f->key_path, sizeof f->key_path, "%s/key", f->folder);
    snprintf(f->store_path, sizeof f->store_path, "%s/s.db", f->folder);
    options.path = f->store_path;
    MUST(f, store_open(&options, &f->env, &store, &f->err));
    MUST(f, tx_begin(store, TENANT_DEFAULT, &tx, &f->err));
    MUST(f, connection_ensure(tx, STR("main"), STR("hubspot"), &f->arena, &row, &f->err));
    MUST(f, tx_commit(&tx, &f->err));
    store_close(store);
    MUST(f, vault_create_key_file(f->key_path, &f->env, &f->err));
    MUST(f, vault_open(f->key_path, &f->env, &f->vault, &f->err));
    f->connection.vault = f->vault;
    f->connection.store_path = f->store_path;
    f->connection.tenant_id = TENANT_DEFAULT;
    f->connection.connection_id = row.id;
}

static inline void fixture_end(struct fixture *f)
{
    static const char *const FILES[] = {"key",      "s.db",      "s.db-wal",
                                        "s.db-shm", "s.db.lock", "s.db.holds"};
    char path[4 * OAUTH_PATH_BYTES];

    fixture_network_end(f);
    vault_free(f->vault);
    secret_fini(&f->client_secret);
    random_free(f->env.random);
    clock_free(f->env.clock);
    arena_fini(&f->arena);
    for (size_t i = 0; f->folder[0] && i < COUNT_OF(FILES); i++) {
        snprintf(path, sizeof path, "%s/%s", f->folder, FILES[i]);
        unlink(path);
    }
    if (f->folder[0]) {
        rmdir(f->folder);
    }
}

/* Puts tokens as a sign-in would have. */
static inline void fixture_sign_in(struct fixture *f, const char *access, const char *refresh,
                                   int64_t expires_ms)
{
    AUTO_TOKENS struct oauth_tokens tokens = {.expires_ms = expires_ms,
                                              .received_ms = clock_wall_ms(f->env.clock),
                                              .account = STR("4242")};
    AUTO_TOKENS struct oauth_tokens before = {0};
    struct keeper_work work = {0};
    int64_t generation;
    bool found;

    secret_set(&tokens.access, str_of(access));
    secret_set(&tokens.refresh, str_of(refresh));
    MUST(f, keeper_work_begin(&f->connection, &work, &f->err));
    MUST(f, tokens_load(f->vault, work.tx, f->connection.connection_id, &f->connection.client,
                        &before, &generation, &found, &f->err));
    MUST(f, tokens_put(f->vault, work.tx, f->connection.connection_id, &f->connection.client,
                       &tokens, generation, &generation, &f->err));
    MUST(f, tx_commit(&work.tx, &f->err));
    keeper_work_end(&work);
}

static inline struct store_connection fixture_row(struct fixture *f)
{
    struct store_connection row = {0};
    struct keeper_work work = {0};
    bool found;

    MUST(f, keeper_work_begin(&f->connection, &work, &f->err));
    MUST(f,
         connection_by_id(work.tx, f->connection.connection_id, &f->arena, &row, &found, &f->err));
    MUST(f, tx_commit(&work.tx, &f->err));
    keeper_work_end(&work);
    assert_true(found);
    return row;
}

/* Generation of the tokens in the store, and whether there are any for this client. */
static inline int64_t fixture_generation(struct fixture *f, bool *ret_found)
{
    AUTO_TOKENS struct oauth_tokens tokens = {0};
    struct keeper_work work = {0};
    int64_t generation;

    MUST(f, keeper_work_begin(&f->connection, &work, &f->err));
    MUST(f, tokens_load(f->vault, work.tx, f->connection.connection_id, &f->connection.client,
                        &tokens, &generation, ret_found, &f->err));
    MUST(f, tx_commit(&work.tx, &f->err));
    keeper_work_end(&work);
    return generation;
}

#endif
