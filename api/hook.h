/* Webhooks that we send, in the form of Standard Webhooks: secrets, signature and the request. For alerts and for events.
 * Source: github.com/standard-webhooks/standard-webhooks, spec/standard-webhooks.md (1.0.0), "Signature scheme" and "Webhook Headers". */
#ifndef CRMSYNC_API_HOOK_H
#define CRMSYNC_API_HOOK_H

#include "core/env.h"
#include "core/secret.h"
#include "http/client.h"

enum {
    HOOK_SECRETS_MAX = 2, /* while one is being changed for another */
    HOOK_KEY_BYTES_MIN = 24,
    HOOK_KEY_BYTES_MAX = 64,
    HOOK_TIMEOUT_MS = 10 * 1000,
    HOOK_ANSWER_BYTES_MAX = 64 * 1024
};

/* The bytes to sign with: of "whsec_" and base64, or the text itself. Arena's or the secret's own. */
struct str hook_key(struct arena *arena, struct str secret);
/* "whsec_" and base64 of 24 to 64 bytes, as the standard wants it. */
bool hook_secret_is_standard(struct str secret);
/* webhook-id, -timestamp (of this attempt) and -signature, one for each key. id: without '.', the same over repeats. Texts are arena's. */
void hook_sign(struct arena *arena, struct str id, int64_t at_ms, const struct str *keys,
               size_t keys_count, struct str body, struct http_headers *headers);

/* One that asks the host of this address alone. NULL: the address is none. */
struct http_client *hook_client_new(struct env *env, struct str url, bool allow_loopback,
                                    struct error *err);
struct hook_answer {
    int status;
    int64_t retry_after_ms; /* as the other side wishes; 0: it says nothing */
};
/* Posts JSON once; redirects are not followed. headers: borrowed, with those of hook_sign(). Fails when no whole answer came; any status is one. */
enum fail hook_post(struct env *env, struct http_client *client, struct str url,
                    const struct http_headers *headers, struct str body, struct hook_answer *ret,
                    struct error *err) MUST_CHECK;

#endif
