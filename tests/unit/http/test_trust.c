/* Whom the live transport trusts: a server that shows the right certificate is asked; one that shows an expired one, another's, one of a stranger, or that speaks a version of TLS of
 * the past is told nothing. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/clock.h"
#include "http/transport.h"

#include <cmocka.h> /* last: its macro fail() would break declarations with enum fail */

enum { PATH_BYTES = 64, DAY_S = 24 * 3600, REQUEST_BYTES = 4096 };

/* --- certificates ----------------------------------------------------------------------------------------------------------------- */

struct pair {
    EVP_PKEY *key;
    X509 *certificate;
};

static void add_extension(X509 *made, int nid, const char *value)
{
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

    assert_non_null(extension);
    X509_add_ext(made, extension, -1);
    X509_EXTENSION_free(extension);
}

/* issuer NULL: of its own. alternative NULL: an authority. */
static struct pair make(const struct pair *issuer, const char *name, const char *alternative,
                        long from_s, long until_s)
{
    static long serial;
    struct pair made = {.key = EVP_EC_gen("P-256"), .certificate = X509_new()};
    X509_NAME *subject = X509_get_subject_name(made.certificate);

    X509_set_version(made.certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(made.certificate), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(made.certificate), from_s);
    X509_gmtime_adj(X509_getm_notAfter(made.certificate), until_s);
    X509_set_pubkey(made.certificate, made.key);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0);
    X509_set_issuer_name(made.certificate,
                         issuer ? X509_get_subject_name(issuer->certificate) : subject);
    if (alternative) {
        add_extension(made.certificate, NID_subject_alt_name, alternative);
    } else {
        add_extension(made.certificate, NID_basic_constraints, "critical,CA:TRUE");
    }
    assert_true(X509_sign(made.certificate, issuer ? issuer->key : made.key, EVP_sha256()) > 0);
    return made;
}

static void drop(struct pair *pair)
{
    X509_free(pair->certificate);
    EVP_PKEY_free(pair->key);
}

/* --- a server ------------------------------------------------------------------------------------------------------------------------ */

struct host {
    int listener;
    SSL_CTX *context;
    pthread_t thread;
    bool was_told; /* a request arrived */
};

/* One connection. */
static void *serve(void *argument)
{
    static const char ANSWER[] =
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";
    struct host *host = argument;
    int dialled = accept(host->listener, NULL, NULL);
    SSL *ssl = SSL_new(host->context);
    char request[REQUEST_BYTES];

    SSL_set_fd(ssl, dialled);
    if (SSL_accept(ssl) == 1 && SSL_read(ssl, request, sizeof request) > 0) {
        host->was_told = true;
        SSL_write(ssl, ANSWER, sizeof ANSWER - 1);
        SSL_shutdown(ssl);
    }
    SSL_free(ssl);
    close(dialled);
    return NULL;
}

static int begin(struct host *host, const struct pair *shown, int version_most)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t bytes = sizeof address;

    *host = (struct host){.listener = socket(AF_INET, SOCK_STREAM, 0),
                          .context = SSL_CTX_new(TLS_server_method())};
    assert_int_equal(bind(host->listener, (struct sockaddr *)&address, bytes), 0);
    assert_int_equal(listen(host->listener, 1), 0);
    assert_int_equal(getsockname(host->listener, (struct sockaddr *)&address, &bytes), 0);
    SSL_CTX_set_security_level(host->context,
                               0); /* whatever the system allows: the client decides */
    assert_int_equal(SSL_CTX_use_certificate(host->context, shown->certificate), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(host->context, shown->key), 1);
    assert_int_equal(SSL_CTX_set_min_proto_version(host->context, TLS1_VERSION), 1);
    assert_int_equal(SSL_CTX_set_max_proto_version(host->context, version_most), 1);
    assert_int_equal(pthread_create(&host->thread, NULL, serve, host), 0);
    return ntohs(address.sin_port);
}

static void end(struct host *host)
{
    pthread_join(host->thread, NULL);
    close(host->listener);
    SSL_CTX_free(host->context);
}

/* --- who is asked -------------------------------------------------------------------------------------------------------------------- */

static void ask(struct transport *transport, int port, struct http_exchange *ret)
{
    struct http_exchange *list[] = {ret};
    AUTO_ARENA struct arena arena = {0};
    struct http_request request = {.method = HTTP_GET,
                                   .url = arena_printf(&arena, "https://localhost:%d/", port)};

    http_header_add(&request.headers, STR("authorization"), STR("Bearer s3cret"));
    *ret =
        (struct http_exchange){.request = &request, .timeout_ms = 10000, .answer_bytes_max = 1000};
    transport->ops->exec(transport, list, 1);
    http_response_fini(&ret->response);
}

static void write_authority(const char *path, const struct pair *authority)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    PEM_write_X509(file, authority->certificate);
    fclose(file);
}

static void only_who_proves_itself_is_told_anything(void **state)
{
    char path[PATH_BYTES] = "/tmp/crmsync-trust-XXXXXX";
    int placeholder = mkstemp(path);
    struct pair ours = make(NULL, "Ours", NULL, -DAY_S, DAY_S);
    struct pair stranger = make(NULL, "Stranger", NULL, -DAY_S, DAY_S);
    const struct {
        const char *why;
        struct pair shown;
        int version_most;
        bool is_trusted;
    } ROWS[] = {
        {"right", make(&ours, "localhost", "DNS:localhost", -DAY_S, DAY_S), TLS1_3_VERSION, true},
        {"right by 1.2", make(&ours, "localhost", "DNS:localhost", -DAY_S, DAY_S), TLS1_2_VERSION,
         true},
        {"expired", make(&ours, "localhost", "DNS:localhost", -2 * DAY_S, -DAY_S), TLS1_3_VERSION,
         false},
        {"not yet valid", make(&ours, "localhost", "DNS:localhost", DAY_S, 2 * DAY_S),
         TLS1_3_VERSION, false},
        {"another name", make(&ours, "localhost", "DNS:evil.example", -DAY_S, DAY_S),
         TLS1_3_VERSION, false},
        {"a stranger's", make(&stranger, "localhost", "DNS:localhost", -DAY_S, DAY_S),
         TLS1_3_VERSION, false},
        {"its own", make(NULL, "localhost", "DNS:localhost", -DAY_S, DAY_S), TLS1_3_VERSION, false},
        {"TLS 1.1", make(&ours, "localhost", "DNS:localhost", -DAY_S, DAY_S), TLS1_1_VERSION,
         false},
        {"TLS 1.0", make(&ours, "localhost", "DNS:localhost", -DAY_S, DAY_S), TLS1_VERSION, false},
    };
    const struct transport_live_options options = {.allow_loopback = true, .ca_file = path};
    struct clock *clock = clock_new_real();
    struct transport *transport;
    struct error err = {0};
    int trusted = 0, told = 0;

    (void)state;
    write_authority(path, &ours);
    assert_int_equal(transport_new_live(&options, clock, &transport, &err), OK);
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        struct http_exchange got;
        struct pair shown = ROWS[i].shown;
        struct host host;

        ask(transport, begin(&host, &shown, ROWS[i].version_most), &got);
        end(&host);
        trusted += got.result == OK;
        told += host.was_told && !ROWS[i].is_trusted;
        if (host.was_told != ROWS[i].is_trusted || (got.result == OK) != ROWS[i].is_trusted) {
            fail_msg("%s: %s, '%s'", ROWS[i].why, fail_name(got.result), got.error.message);
        }
        drop(&shown);
    }
    printf("fault=certificate servers=%zu trusted=%d wrongly_told=%d\n", COUNT_OF(ROWS), trusted,
           told);
    transport_free(transport);
    clock_free(clock);
    drop(&ours);
    drop(&stranger);
    close(placeholder);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(only_who_proves_itself_is_told_anything)};

    signal(SIGPIPE, SIG_IGN); /* a client that goes in the middle */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
