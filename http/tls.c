#include "http/tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <string.h>
#include <unistd.h>

#include "core/private_file.h"

/* OpenSSL would ask at the terminal. */
static int no_passphrase(char *buffer, int size, int is_writing, void *context)
{
    (void)buffer, (void)size, (void)is_writing, (void)context;
    return -1;
}

static enum fail set_key(SSL_CTX *made, const char *path, struct error *err)
{
    AUTO_SECRET struct secret text = {0};
    struct str pem;
    BIO *bio;
    EVP_PKEY *key;
    bool is_set;

    if (private_file_read(path, "TLS key", &text, err) != OK) {
        return err->code;
    }
    pem = secret_expose(&text);
    bio = BIO_new_mem_buf(pem.at, (int)pem.len);
    key = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL) : NULL;
    BIO_free(bio);
    if (!key) {
        error_set(err, FAIL_CONFIG, "'%s' is no private key in PEM form", path);
        return error_hint(err, "a key with a passphrase must be freed of it first");
    }
    is_set = SSL_CTX_use_PrivateKey(made, key) == 1 && SSL_CTX_check_private_key(made) == 1;
    EVP_PKEY_free(key);
    if (!is_set) {
        error_set(err, FAIL_CONFIG, "the key '%s' does not belong to the certificate", path);
        return error_hint(err, "name the key that the certificate was made for");
    }
    return OK;
}

static enum fail set_certificate(SSL_CTX *made, const char *path, struct error *err)
{
    const X509 *own;

    if (access(path, R_OK) != 0) {
        error_set(err, FAIL_CONFIG, "cannot read the TLS certificate '%s': %s", path,
                  strerror(errno));
        return error_hint(err, "check the path, and owner and mode of the file");
    }
    if (SSL_CTX_use_certificate_chain_file(made, path) != 1) {
        error_set(err, FAIL_CONFIG, "'%s' is no certificate in PEM form that can be used", path);
        return error_hint(err, "the server's own certificate comes first, then its chain");
    }
    own = SSL_CTX_get0_certificate(made);
    if (X509_cmp_current_time(X509_get0_notAfter(own)) < 0) {
        error_set(err, FAIL_CONFIG, "the TLS certificate '%s' has expired", path);
        return error_hint(err, "renew it");
    }
    return OK;
}

/* Issuers that clients are told of are the same ones; a certificate that is listed itself needs no issuer there. */
static enum fail set_client_ca(SSL_CTX *made, const char *path, struct error *err)
{
    static const unsigned char SESSIONS[] = "crmsync"; /* a session resumed counts as its first */
    STACK_OF(X509_NAME) * names;

    if (access(path, R_OK) != 0) {
        error_set(err, FAIL_CONFIG, "cannot read the certificates for clients '%s': %s", path,
                  strerror(errno));
        return error_hint(err, "check the path, and owner and mode of the file");
    }
    names = SSL_load_client_CA_file(path);
    if (!names || SSL_CTX_load_verify_file(made, path) != 1) {
        sk_X509_NAME_pop_free(names, X509_NAME_free);
        error_set(err, FAIL_CONFIG, "'%s' holds no certificate in PEM form", path);
        return error_hint(err, "name the certificate that clients show, or that of its issuer");
    }
    SSL_CTX_set_client_CA_list(made, names); /* its own now */
    X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(made), X509_V_FLAG_PARTIAL_CHAIN);
    SSL_CTX_set_session_id_context(made, SESSIONS, sizeof SESSIONS - 1);
    SSL_CTX_set_verify(made, SSL_VERIFY_PEER | SSL_VERIFY_CLIENT_ONCE, NULL);
    return OK;
}

static enum fail set_files(SSL_CTX *made, const struct tls_files *files, struct error *err)
{
    if (set_certificate(made, files->certificate, err) != OK ||
        set_key(made, files->key, err) != OK) {
        return err->code;
    }
    return files->client_ca ? set_client_ca(made, files->client_ca, err) : OK;
}

enum fail tls_load(const struct tls_files *files, struct ssl_ctx_st **ret, struct error *err)
{
    SSL_CTX *made = SSL_CTX_new(TLS_server_method());
    int oldest = files->is_newest_only ? TLS1_3_VERSION : TLS1_2_VERSION;

    if (!made || SSL_CTX_set_min_proto_version(made, oldest) != 1) {
        SSL_CTX_free(made);
        return error_set(err, FAIL_CONFIG, "OpenSSL cannot serve TLS on this machine");
    }
    SSL_CTX_set_options(made, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                  SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_mode(made, SSL_MODE_RELEASE_BUFFERS);
    if (set_files(made, files, err) != OK) {
        ERR_clear_error();
        SSL_CTX_free(made);
        return err->code;
    }
    *ret = made;
    return OK;
}

bool tls_client_is_proved(const struct ssl_st *ssl)
{
    return SSL_get0_peer_certificate(ssl) && SSL_get_verify_result(ssl) == X509_V_OK;
}
