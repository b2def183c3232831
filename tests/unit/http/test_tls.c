/* The server by TLS: what is served, what is refused, and a change of certificates while clients stay. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <fcntl.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "core/alloc.h"
#include "core/clock.h"
#include "http/server.h"
#include "tests/unit/http/dialogue.h"

#include <cmocka.h> /* last: its macro fail() would break declarations with enum fail */

enum { PATH_BYTES = 64, DEADLINE_MS = 2000 };

struct fixture {
    char folder[PATH_BYTES];
    char *certificate, *key, *client_ca; /* owned */
    struct tls_files files;              /* of these */
    struct http_server *server;
    struct clock *clock;
};

/* ---- certificates ---- */

static FILE *private_file(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    FILE *file = fdopen(fd, "w");

    assert_non_null(file);
    return file;
}

/* A key and a certificate of its own for that name. */
static void make_pair(const char *certificate_path, const char *key_path, const char *name,
                      long valid_s)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *made = X509_new();
    X509_NAME *subject = X509_get_subject_name(made);
    FILE *file;

    ASN1_INTEGER_set(X509_get_serialNumber(made), 1);
    X509_gmtime_adj(X509_getm_notBefore(made), -1000);
    X509_gmtime_adj(X509_getm_notAfter(made), valid_s);
    X509_set_pubkey(made, key);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0);
    X509_set_issuer_name(made, subject);
    assert_true(X509_sign(made, key, EVP_sha256()) > 0);
    file = private_file(key_path);
    PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL);
    fclose(file);
    file = private_file(certificate_path);
    PEM_write_X509(file, made);
    fclose(file);
    X509_free(made);
    EVP_PKEY_free(key);
}

static void make_certificate(const struct fixture *f, const char *name, long valid_s)
{
    make_pair(f->certificate, f->key, name, valid_s);
}

static void write_text(const char *path, const char *text)
{
    FILE *file = private_file(path);

    fputs(text, file);
    fclose(file);
}

/* ---- a server and its clients ---- */

static void handle(void *context, const struct http_request *request,
                   struct http_response *response)
{
    (void)context;
    response->status = 200;
    response->body = request->is_client_proved ? STR("by tls. proved.")
                     : request->is_tls         ? STR("by tls.")
                                               : STR("plain.");
}

static enum fail try_start(struct fixture *f, struct error *err)
{
    const struct http_server_options options = {.address = "127.0.0.1",
                                                .handler = handle,
                                                .request_deadline_ms = DEADLINE_MS,
                                                .tls = &f->files};

    return http_server_start(&options, &f->server, err);
}

static int set_up(void **state)
{
    static struct fixture fixture;
    struct fixture *f = &fixture;
    struct error err = {0};

    *f = (struct fixture){.folder = "/tmp/crmsync-tls-XXXXXX"};
    assert_non_null(mkdtemp(f->folder));
    f->certificate = alloc_printf("%s/certificate.pem", f->folder);
    f->key = alloc_printf("%s/key.pem", f->folder);
    f->client_ca = alloc_printf("%s/client.pem", f->folder);
    f->files = (struct tls_files){.certificate = f->certificate, .key = f->key};
    f->clock = clock_new_real();
    make_certificate(f, "first", 3600);
    if (try_start(f, &err) != OK) {
        fail_msg("%s", err.message);
    }
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    http_server_stop(f->server);
    clock_free(f->clock);
    unlink(f->certificate);
    unlink(f->key);
    unlink(f->client_ca);
    rmdir(f->folder);
    free(f->client_ca);
    free(f->certificate);
    free(f->key);
    return 0;
}

struct client {
    SSL_CTX *context;
    SSL *ssl;
    int fd;
    bool is_connected;
};

/* certificate, key: what the client shows; NULL: nothing. */
static struct client connect_showing(const struct fixture *f, int newest, const char *certificate,
                                     const char *key)
{
    struct client client = {.context = SSL_CTX_new(TLS_client_method()),
                            .fd = dial_port(http_server_port(f->server))};

    SSL_CTX_set_min_proto_version(client.context, TLS1_VERSION);
    SSL_CTX_set_max_proto_version(client.context, newest);
    SSL_CTX_set_security_level(client.context, 0); /* so that it is the server that refuses */
    if (certificate) {
        assert_int_equal(
            SSL_CTX_use_certificate_file(client.context, certificate, SSL_FILETYPE_PEM), 1);
        assert_int_equal(SSL_CTX_use_PrivateKey_file(client.context, key, SSL_FILETYPE_PEM), 1);
    }
    client.ssl = SSL_new(client.context);
    SSL_set_fd(client.ssl, client.fd);
    client.is_connected = SSL_connect(client.ssl) == 1;
    return client;
}

static struct client connect_tls(const struct fixture *f, int newest)
{
    return connect_showing(f, newest, NULL, NULL);
}

static void disconnect(struct client *client)
{
    SSL_free(client->ssl);
    SSL_CTX_free(client->context);
    close(client->fd);
}

/* The server's name, and whether it answered with a text that holds want. */
static bool ask_for(struct client *client, const char *want, char name[64])
{
    static const char REQUEST[] = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
    char answer[2000] = "";
    size_t len = 0;
    X509 *shown = SSL_get1_peer_certificate(client->ssl);

    X509_NAME_get_text_by_NID(X509_get_subject_name(shown), NID_commonName, name, 64);
    X509_free(shown);
    SSL_write(client->ssl, REQUEST, sizeof REQUEST - 1);
    while (!strstr(answer, "by tls.")) {
        int got = SSL_read(client->ssl, answer + len, (int)(sizeof answer - 1 - len));

        if (got <= 0) {
            return false;
        }
        len += (size_t)got;
        answer[len] = '\0';
    }
    return strstr(answer, "200") && strstr(answer, want);
}

static bool ask(struct client *client, char name[64])
{
    return ask_for(client, "by tls.", name);
}

/* ---- tests ---- */

static void tls_1_2_and_1_3_are_served_and_older_ones_refused(void **state)
{
    static const struct {
        int newest;
        bool want;
    } ROWS[] = {{TLS1_3_VERSION, true}, {TLS1_2_VERSION, true}, {TLS1_1_VERSION, false}};
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        struct client client = connect_tls(f, ROWS[i].newest);
        char name[64];

        assert_int_equal(client.is_connected, ROWS[i].want);
        if (ROWS[i].want) {
            assert_true(ask(&client, name));
            assert_true(ask(&client, name)); /* the connection stays */
            assert_string_equal(name, "first");
            assert_int_equal(SSL_version(client.ssl), ROWS[i].newest);
        }
        disconnect(&client);
    }
}

static void plain_http_gets_no_answer(void **state)
{
    struct fixture *f = *state;
    char answer[1000];
    int fd = dial_port(http_server_port(f->server));

    say(fd, STR("GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
    assert_true(hear(fd, answer, sizeof answer, NULL)); /* closed */
    assert_null(strstr(answer, "plain"));
    close(fd);
}

static void a_handshake_that_does_not_come_is_not_waited_for(void **state)
{
    struct fixture *f = *state;
    char answer[1000];
    int fd = dial_port(http_server_port(f->server));
    int64_t began_ms = clock_mono_ms(f->clock);

    say(fd, STR("\x16\x03\x01")); /* the beginning of one */
    assert_true(hear(fd, answer, sizeof answer, NULL));
    assert_true(clock_mono_ms(f->clock) - began_ms >= DEADLINE_MS - 50);
    close(fd);
}

static void a_new_certificate_is_for_new_connections(void **state)
{
    struct fixture *f = *state;
    struct error err = {0};
    struct client before = connect_tls(f, TLS1_3_VERSION), after;
    char name[64];

    assert_true(ask(&before, name));
    make_certificate(f, "second", 3600);
    assert_int_equal(http_server_tls_reload(f->server, &f->files, &err), OK);
    after = connect_tls(f, TLS1_3_VERSION);
    assert_true(ask(&after, name));
    assert_string_equal(name, "second");
    assert_true(ask(&before, name)); /* not dropped */
    assert_string_equal(name, "first");
    disconnect(&before);
    disconnect(&after);
}

/* Each after a good start: the former certificate stays. */
static void what_cannot_be_used_is_explained_and_changes_nothing(void **state)
{
    static const struct {
        const char *why, *message;
    } ROWS[] = {{"missing", "cannot read"},   {"no PEM", "no certificate"},
                {"no key", "no private key"}, {"another's key", "does not belong"},
                {"expired", "expired"},       {"open to all", "key.pem"}};
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        struct error err = {0};
        struct client client;
        struct http_server *first = f->server;
        char name[64], *other_key = NULL;

        make_certificate(f, "third", i == 4 ? -500 : 3600);
        if (i == 0) {
            unlink(f->certificate);
        } else if (i == 1) {
            write_text(f->certificate, "nothing\n");
        } else if (i == 2) {
            write_text(f->key, "nothing\n");
        } else if (i == 3) {
            other_key = alloc_printf("%s.other", f->key);
            rename(f->key, other_key);
            make_certificate(f, "other", 3600); /* its key with the former certificate */
            rename(other_key, f->key);
        } else if (i == 5) {
            chmod(f->key, 0644);
        }
        if (http_server_tls_reload(f->server, &f->files, &err) != FAIL_CONFIG ||
            !strstr(err.message, ROWS[i].message) || !err.hint[0]) {
            fail_msg("%s: '%s' '%s'", ROWS[i].why, err.message, err.hint);
        }
        error_reset(&err);
        assert_int_equal(try_start(f, &err), FAIL_CONFIG);
        f->server = first;
        client = connect_tls(f, TLS1_3_VERSION);
        assert_true(ask(&client, name));
        assert_string_equal(name, "first");
        disconnect(&client);
        unlink(f->key);
        free(other_key);
    }
}

static void the_newest_alone_where_that_is_wanted(void **state)
{
    struct fixture *f = *state;
    struct error err = {0};
    struct client client;

    f->files.is_newest_only = true;
    assert_int_equal(http_server_tls_reload(f->server, &f->files, &err), OK);
    client = connect_tls(f, TLS1_2_VERSION);
    assert_false(client.is_connected);
    disconnect(&client);
    client = connect_tls(f, TLS1_3_VERSION);
    assert_true(client.is_connected);
    disconnect(&client);
}

/* A client may show nothing; what it shows must be known. In both versions, as the handshakes differ. */
static void a_client_is_proved_by_a_certificate_that_is_known(void **state)
{
    static const int VERSIONS[] = {TLS1_3_VERSION, TLS1_2_VERSION};
    struct fixture *f = *state;
    AUTO_FREE char *key = alloc_printf("%s/shown.key", f->folder);
    AUTO_FREE char *foreign = alloc_printf("%s/foreign.pem", f->folder);
    AUTO_FREE char *foreign_key = alloc_printf("%s/foreign.key", f->folder);
    struct error err = {0};
    char name[64];

    make_pair(f->client_ca, key, "the CRM", 3600);
    make_pair(foreign, foreign_key, "the CRM", 3600);
    f->files.client_ca = f->client_ca;
    assert_int_equal(http_server_tls_reload(f->server, &f->files, &err), OK);
    for (size_t i = 0; i < COUNT_OF(VERSIONS); i++) {
        struct client client = connect_showing(f, VERSIONS[i], NULL, NULL);

        assert_true(ask(&client, name));
        assert_false(ask_for(&client, "proved", name));
        disconnect(&client);
        client = connect_showing(f, VERSIONS[i], f->client_ca, key);
        assert_true(ask_for(&client, "proved", name));
        disconnect(&client);
        client = connect_showing(f, VERSIONS[i], foreign, foreign_key);
        assert_true(!client.is_connected || !ask(&client, name));
        disconnect(&client);
    }
    unlink(key);
    unlink(foreign);
    unlink(foreign_key);
}

/* A session that goes on is as good as when it began; without its own mark OpenSSL refuses it. */
static void a_proved_client_comes_back(void **state)
{
    struct fixture *f = *state;
    AUTO_FREE char *key = alloc_printf("%s/shown.key", f->folder);
    struct error err = {0};
    struct client first, again;
    SSL_SESSION *session;
    char name[64];

    make_pair(f->client_ca, key, "the CRM", 3600);
    f->files.client_ca = f->client_ca;
    assert_int_equal(http_server_tls_reload(f->server, &f->files, &err), OK);
    first = connect_showing(f, TLS1_2_VERSION, f->client_ca, key);
    assert_true(ask_for(&first, "proved", name));
    session = SSL_get1_session(first.ssl);
    SSL_shutdown(first.ssl); /* else it could not go on */
    disconnect(&first);
    again = (struct client){.context = SSL_CTX_new(TLS_client_method()),
                            .fd = dial_port(http_server_port(f->server))};
    SSL_CTX_set_max_proto_version(again.context, TLS1_2_VERSION);
    again.ssl = SSL_new(again.context);
    SSL_set_session(again.ssl, session);
    SSL_set_fd(again.ssl, again.fd);
    assert_int_equal(SSL_connect(again.ssl), 1);
    assert_true(SSL_session_reused(again.ssl));
    assert_true(ask_for(&again, "proved", name));
    SSL_SESSION_free(session);
    disconnect(&again);
    unlink(key);
}

static void a_file_of_no_certificates_is_explained(void **state)
{
    struct fixture *f = *state;
    struct error err = {0};

    f->files.client_ca = f->client_ca;
    assert_int_equal(http_server_tls_reload(f->server, &f->files, &err), FAIL_CONFIG);
    assert_non_null(strstr(err.message, "cannot read the certificates for clients"));
    error_reset(&err);
    write_text(f->client_ca, "nothing\n");
    assert_int_equal(http_server_tls_reload(f->server, &f->files, &err), FAIL_CONFIG);
    assert_non_null(strstr(err.message, "holds no certificate"));
    assert_true(err.hint[0]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(tls_1_2_and_1_3_are_served_and_older_ones_refused),
        TEST(plain_http_gets_no_answer),
        TEST(a_handshake_that_does_not_come_is_not_waited_for),
        TEST(a_new_certificate_is_for_new_connections),
        TEST(what_cannot_be_used_is_explained_and_changes_nothing),
        TEST(the_newest_alone_where_that_is_wanted),
        TEST(a_client_is_proved_by_a_certificate_that_is_known),
        TEST(a_proved_client_comes_back),
        TEST(a_file_of_no_certificates_is_explained),
    };

    signal(SIGPIPE, SIG_IGN); /* OpenSSL writes to who has left */
    return cmocka_run_group_tests_name("tls", tests, NULL, NULL);
}
