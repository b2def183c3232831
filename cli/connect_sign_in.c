/* Signing a connection in, with a person at a browser or without anybody. */
#include <stdio.h>

#include "cli/ask.h"
#include "cli/callback.h"
#include "cli/connect.h"
#include "cli/signing.h"

enum { PASTE_BYTES = 16 * 1024 };

/* One sign-in of a person, while its answer is waited for. */
struct waiting {
    const struct oauth_connection *connection;
    struct signing signing;
    struct signin_account account;
    struct arena arena;
    bool is_pasted;
};

/* --- the client secret --------------------------------------------------------------------------------------- */

static enum fail ensure_row(struct wire *wire, size_t index, int64_t *ret_id, bool *ret_has_secret,
                            struct error *err)
{
    AUTO_TX struct tx *tx = NULL;
    AUTO_SECRET struct secret secret = {0};
    const struct connection_settings *settings = &wire->config.connections[index];
    struct store_connection row;
    enum fail failed;

    if (wire_begin(wire, &tx, err) != OK ||
        connection_ensure(tx, settings->name, str_of(settings->adapter->name), &wire->arena, &row,
                          err) != OK) {
        return err->code;
    }
    failed = vault_get(wire->vault, tx, row.id, CLIENT_SECRET_NAME, &secret, NULL, err);
    if (failed != OK && failed != FAIL_AUTH) {
        return failed;
    }
    error_reset(err);
    *ret_has_secret = failed == OK;
    *ret_id = row.id;
    return tx_commit(&tx, err);
}

static enum fail keep_secret(struct wire *wire, int64_t connection_id, const struct secret *secret,
                             struct error *err)
{
    AUTO_TX struct tx *tx = NULL;

    if (wire_begin(wire, &tx, err) != OK ||
        vault_put(wire->vault, tx, connection_id, CLIENT_SECRET_NAME, secret, err) != OK) {
        return err->code;
    }
    return tx_commit(&tx, err);
}

/* Asked for once, and again when the person says so. */
static enum fail have_secret(struct wire *wire, size_t index, const struct connect_sign_in *how,
                             struct error *err)
{
    AUTO_SECRET struct secret secret = {0};
    const struct config_auth *auth = &wire->config.auths[index];
    const struct ask ask = {.what = "client secret",
                            .of = wire->config.connections[index].name,
                            .variable = how->variable,
                            .file = how->file};
    bool is_given = how->new_secret || how->variable.len || how->file.len, has_secret = false;
    int64_t connection_id;

    if (ensure_row(wire, index, &connection_id, &has_secret, err) != OK) {
        return err->code;
    }
    if (auth->grant == OAUTH_JWT_BEARER || auth->client_secret.len) {
        return is_given
                   ? error_set(err, FAIL_CONFIG, "connection '%" PRI_STR "' %s", STR_ARG(ask.of),
                               auth->client_secret.len
                                   ? "takes its client secret from the configuration"
                                   : "signs in with a private key and has no client secret")
                   : OK;
    }
    if (has_secret && !is_given) {
        return OK;
    }
    if (ask_secret(&ask, &secret, err) != OK) {
        return err->code;
    }
    return keep_secret(wire, connection_id, &secret, err);
}

/* --- a person's sign-in -------------------------------------------------------------------------------------- */

static enum fail show_address(struct waiting *waiting, struct error *err)
{
    struct str url;

    if (signin_begin(waiting->connection, &waiting->arena, &url, err) != OK) {
        return err->code;
    }
    printf("open this address in a browser and allow the access:\n\n  %" PRI_STR "\n\n",
           STR_ARG(url));
    if (waiting->is_pasted) {
        printf("then paste the address that the browser ends at (it may show an error there):\n");
    } else {
        printf("waiting 10 minutes for the answer at %" PRI_STR "\n",
               STR_ARG(waiting->connection->client.redirect_uri));
    }
    fflush(stdout);
    return OK;
}

/* What a new attempt may heal. */
static bool may_go_on(const struct error *err)
{
    switch (err->code) {
    case FAIL_STALE:
    case FAIL_AUTH:
    case FAIL_CONNECTION:
    case FAIL_RETRY:
    case FAIL_THROTTLED:
        return true;
    case OK:
    case FAIL_RECORD:
    case FAIL_CONFIG:
    case FAIL_CANCELLED:
    case FAIL_STOP:
    case FAIL_BUG:
        return false;
    }
    return false;
}

static void print_failure(const struct error *err)
{
    fprintf(stderr, "crmsync: %s\n", err->message);
    if (err->hint[0]) {
        fprintf(stderr, "  try: %s\n", err->hint);
    }
}

/* callback_fn. A code that failed has used its address up: there is a new one then. */
static enum fail answered(void *context, const struct signin_answer *answer, bool *ret_goes_on,
                          struct error *err)
{
    struct waiting *waiting = context;
    struct error why = {0};

    if (signin_finish(waiting->connection, answer, signing_identify, &waiting->signing,
                      &waiting->arena, &waiting->account, err) == OK) {
        return OK;
    }
    *ret_goes_on = may_go_on(err);
    if (*ret_goes_on) {
        print_failure(err);
    }
    if (*ret_goes_on && err->code != FAIL_STALE && answer->code.len &&
        show_address(waiting, &why) != OK) {
        *ret_goes_on = false;
        *err = why;
    }
    return err->code;
}

/* "http://localhost:8710/callback?code=…&state=…", or what stands behind the question mark. */
static enum fail read_pasted(struct waiting *waiting, char *line, bool *ret_goes_on,
                             struct error *err)
{
    AUTO_ARENA struct arena arena = {0};
    struct str text = str_trim(str_of(line));
    struct http_request request = {.url = text};
    struct signin_answer answer;

    if (!str_contains(text, STR("?"))) {
        request.url = arena_printf(&arena, "/?%" PRI_STR, STR_ARG(text));
    }
    answer = callback_read(&arena, &request);
    return answered(waiting, &answer, ret_goes_on, err);
}

static enum fail wait_for_paste(struct waiting *waiting, struct error *err)
{
    char line[PASTE_BYTES];
    bool goes_on = true;

    error_set(err, FAIL_AUTH, "no address was pasted");
    while (goes_on && fgets(line, sizeof line, stdin)) {
        error_reset(err);
        if (read_pasted(waiting, line, &goes_on, err) == OK) {
            break;
        }
    }
    explicit_bzero(line, sizeof line);
    if (err->code != OK && goes_on) { /* each attempt has said why */
        error_set(err, FAIL_AUTH, "the sign-in was not finished");
    }
    return err->code;
}

static enum fail sign_in_person(struct wire *wire, size_t index,
                                const struct oauth_connection *connection, bool is_pasted,
                                struct signin_account *ret, struct error *err)
{
    struct waiting waiting = {.connection = connection,
                              .signing = {.wire = wire, .index = index},
                              .is_pasted = is_pasted};
    enum fail failed = show_address(&waiting, err);

    if (failed == OK) {
        failed = is_pasted ? wait_for_paste(&waiting, err)
                           : callback_wait(wire->cli->env, connection->client.redirect_uri,
                                           SIGNIN_LIFE_MS, answered, &waiting, err);
    }
    if (failed == OK) {
        ret->title = arena_str(&wire->arena, waiting.account.title);
    }
    arena_fini(&waiting.arena);
    return failed;
}

enum fail connect_sign_in(struct wire *wire, size_t index, const struct connect_sign_in *how,
                          struct str *ret_title, struct error *err)
{
    struct oauth_connection connection;
    struct signing signing = {.wire = wire, .index = index};
    struct signin_account account = {0};
    bool by_person = wire->config.auths[index].grant == OAUTH_AUTHORIZATION_CODE;
    enum fail failed;

    if (how->paste && !by_person) {
        return error_set(err, FAIL_CONFIG, "--paste is for the grant authorization-code");
    }
    if (have_secret(wire, index, how, err) != OK ||
        signing_connection(wire, index, &connection, err) != OK) {
        return err->code;
    }
    failed = by_person
                 ? sign_in_person(wire, index, &connection, how->paste, &account, err)
                 : signin_app(&connection, signing_identify, &signing, &wire->arena, &account, err);
    *ret_title = account.title;
    return failed;
}
