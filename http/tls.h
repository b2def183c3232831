/* What a server shows to clients that come by TLS: 1.2 or newer, no renegotiation, OpenSSL's own choice of ciphers. */
#ifndef CRMSYNC_HTTP_TLS_H
#define CRMSYNC_HTTP_TLS_H

#include "core/fail.h"

struct ssl_ctx_st; /* OpenSSL's SSL_CTX */

/* certificate: PEM, the server's own first, then those that lead to the root. key: PEM, without a passphrase, a private file (core/private_file.h).
 * FAIL_CONFIG: not readable, not PEM, expired, or they do not belong together. The caller frees *ret with SSL_CTX_free(). */
enum fail tls_load(const char *certificate, const char *key, struct ssl_ctx_st **ret,
                   struct error *err) MUST_CHECK;

#endif
