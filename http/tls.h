/* What a server shows to clients that come by TLS, and what it asks of them: 1.2 or newer, no renegotiation, OpenSSL's own choice of ciphers. */
#ifndef CRMSYNC_HTTP_TLS_H
#define CRMSYNC_HTTP_TLS_H

#include <stdbool.h>

#include "core/fail.h"

struct ssl_ctx_st; /* OpenSSL's SSL_CTX */
struct ssl_st;     /* its SSL */

/* Paths of PEM files. */
struct tls_files {
    const char *certificate; /* the server's own first, then those that lead to the root */
    const char *key;         /* without a passphrase, a private file (core/private_file.h) */
    /* certificates that prove a client, by themselves or as issuers; a client may come without one, but not with another one. NULL: none is asked for */
    const char *client_ca;
    bool is_newest_only; /* 1.3 alone */
};

/* FAIL_CONFIG: not readable, not PEM, expired, or certificate and key do not belong together. The caller frees *ret with SSL_CTX_free(). */
enum fail tls_load(const struct tls_files *files, struct ssl_ctx_st **ret,
                   struct error *err) MUST_CHECK;
/* Whether this client showed a certificate of client_ca. */
bool tls_client_is_proved(const struct ssl_st *ssl);

#endif
