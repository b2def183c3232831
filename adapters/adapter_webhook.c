#include "adapters/adapter_webhook.h"

#include <openssl/crypto.h>

static bool is_equal(struct str secret, struct str text)
{
    return secret.len == text.len && CRYPTO_memcmp(secret.at, text.at, text.len) == 0;
}

/* All are compared, whichever fits: which one it was takes no shorter. */
bool webhook_is_one_of(const struct secret *const secrets[WEBHOOK_SECRETS_MAX], struct str text)
{
    bool found = false;

    for (size_t i = 0; i < WEBHOOK_SECRETS_MAX; i++) {
        if (secrets[i] && !secret_is_empty(secrets[i])) {
            found |= is_equal(secret_expose(secrets[i]), text);
        }
    }
    return found;
}

bool webhook_has_one(const struct secret *const secrets[WEBHOOK_SECRETS_MAX])
{
    for (size_t i = 0; i < WEBHOOK_SECRETS_MAX; i++) {
        if (secrets[i] && !secret_is_empty(secrets[i])) {
            return true;
        }
    }
    return false;
}

static bool is_allowed_sender(const struct webhook_settings *settings, struct str peer)
{
    for (size_t i = 0; i < settings->allowed_ips_count; i++) {
        if (address_range_has(&settings->allowed_ips[i], peer)) {
            return true;
        }
    }
    return settings->allowed_ips_count == 0;
}

enum fail webhook_door(const struct webhook_settings *settings,
                       const struct webhook_delivery *delivery, struct error *err)
{
    if (!is_allowed_sender(settings, delivery->peer)) {
        return error_set(err, FAIL_AUTH, "the sender's address is not among those allowed");
    }
    if (settings->needs_certificate && !delivery->request->is_client_proved) {
        error_set(err, FAIL_AUTH, "the sender showed no client certificate");
        return error_hint(err, "what 'client_ca' names must be what the CRM shows, and no proxy "
                               "may stand between: see docs/webhooks.md");
    }
    if (webhook_has_one(settings->paths) &&
        !webhook_is_one_of(settings->paths, delivery->path_secret)) {
        return error_set(err, FAIL_AUTH, "the address does not end as this connection's does");
    }
    return OK;
}

const char *webhook_type_name(enum webhook_type type)
{
    static const char *const NAMES[] = {
        [WEBHOOK_CREATED] = "created",       [WEBHOOK_CHANGED] = "changed",
        [WEBHOOK_DELETED] = "deleted",       [WEBHOOK_RESTORED] = "restored",
        [WEBHOOK_MERGED] = "merged",         [WEBHOOK_ERASED] = "erased",
        [WEBHOOK_ASSOCIATED] = "associated",
    };

    return NAMES[type];
}
