/* HubSpot: whether a delivery is HubSpot's own, and what it is answered.
 *
 * Sources: developers.hubspot.com, "Validating requests" (signatures v1, v2, v3, the list of characters that are decoded); "Webhooks API guide" (2xx within
 * five seconds, ten repeats over a day). Reference: hubspot.md sections 16, 17, with vectors made by HubSpot's own libraries. */
#include <openssl/crypto.h>

#include "adapters/hubspot_inside.h"
#include "core/alloc.h"
#include "core/base64.h"
#include "core/digest.h"

enum { TIME_DIGITS_MAX = 18 };

const char *const hubspot_webhook_types[] = {"application/json", NULL};

/* --- what is signed --------------------------------------------------------------------------- */

/* Decoded before signing, these and no others. */
static bool is_decoded_character(int c)
{
    return c > 0 && strchr(":/?@!$'()*,;", c) != NULL;
}

static void add_decoded(struct buf *buf, struct str url)
{
    struct str rest = url;

    for (;;) {
        uint8_t value = 0;

        buf_add(buf, str_cut(&rest, '%'));
        if (!rest.at) {
            return;
        }
        if (hex_decode(str_slice(rest, 0, 2), &value, 1) && is_decoded_character(value)) {
            buf_add_char(buf, (char)value);
            rest = str_slice(rest, 2, rest.len);
        } else {
            buf_add_char(buf, '%');
        }
    }
}

/* method + address + body + time: what the third version signs. */
static void put_source(struct buf *buf, const struct webhook_delivery *delivery, struct str time)
{
    buf_add(buf, str_of(http_method_name(delivery->request->method)));
    add_decoded(buf, delivery->public_url);
    buf_add(buf, delivery->request->body);
    buf_add(buf, time);
}

static void buf_for(struct buf *buf, const struct webhook_delivery *delivery, size_t more)
{
    buf_init(buf, delivery->request->body.len + delivery->public_url.len + more + 64);
}

/* --- version 3 -------------------------------------------------------------------------------- */

static bool is_time(struct str text, int64_t *ret_ms)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] < '0' || text.at[i] > '9') {
            return false;
        }
    }
    return text.len <= TIME_DIGITS_MAX && str_to_i64(text, ret_ms);
}

/* Both secrets are tried, also when the first one fits. */
static bool is_signed(const struct webhook_settings *settings, struct str source,
                      const uint8_t signature[SHA256_BYTES], struct webhook_proof *ret)
{
    bool is_right = false;

    for (size_t i = 0; i < WEBHOOK_SECRETS_MAX; i++) {
        uint8_t mac[SHA256_BYTES];

        if (!settings->signing[i] || secret_is_empty(settings->signing[i])) {
            continue;
        }
        hmac_sha256(secret_expose(settings->signing[i]), source, mac);
        if (CRYPTO_memcmp(mac, signature, sizeof mac) == 0) {
            is_right = true;
            ret->has_mac = true;
            memcpy(ret->mac, mac, sizeof mac);
        }
    }
    return is_right;
}

static enum fail check_time(int64_t signed_ms, int64_t received_ms, struct error *err)
{
    if (received_ms - signed_ms > WEBHOOK_PAST_MS) {
        return error_set(err, FAIL_STALE, "signed more than five minutes ago");
    }
    if (signed_ms - received_ms > WEBHOOK_FUTURE_MS) {
        error_set(err, FAIL_STALE, "signed more than a minute ahead of this machine's clock");
        return error_hint(err, "see whether this machine's clock is right");
    }
    return OK;
}

static enum fail verify_v3(const struct webhook_settings *settings,
                           const struct webhook_delivery *delivery, struct str text,
                           struct webhook_proof *ret, struct error *err)
{
    AUTO_BUF struct buf source = {0};
    struct str time = http_header_get(&delivery->request->headers, "X-HubSpot-Request-Timestamp");
    uint8_t signature[SHA256_BYTES];
    int64_t signed_ms = 0;

    if (!is_time(time, &signed_ms)) {
        return error_set(err, FAIL_AUTH, "the signature has no time");
    }
    if (!base64_decode_exactly(text, signature, sizeof signature)) {
        return error_set(err, FAIL_AUTH, "the signature is not one of version 3");
    }
    buf_for(&source, delivery, time.len);
    put_source(&source, delivery, time);
    if (!is_signed(settings, buf_str(&source), signature, ret)) {
        return error_set(err, FAIL_AUTH, "the signature does not fit");
    }
    return check_time(signed_ms, delivery->received_ms, err);
}

/* --- versions 1 and 2 ------------------------------------------------------------------------- */

/* secret [+ method + address] + body; the address as it was sent. */
static void old_digest(struct str secret, const struct webhook_delivery *delivery, bool is_v2,
                       uint8_t ret[SHA256_BYTES])
{
    struct buf source;

    buf_for(&source, delivery, secret.len);
    buf_add(&source, secret);
    if (is_v2) {
        buf_add(&source, str_of(http_method_name(delivery->request->method)));
        buf_add(&source, delivery->public_url);
    }
    buf_add(&source, delivery->request->body);
    sha256(buf_str(&source), ret);
    explicit_bzero(source.at, source.len);
    buf_fini(&source);
}

static enum fail verify_old(const struct webhook_settings *settings,
                            const struct webhook_delivery *delivery, bool is_v2,
                            struct webhook_proof *ret, struct error *err)
{
    struct str text = http_header_get(&delivery->request->headers, "X-HubSpot-Signature");
    uint8_t given[SHA256_BYTES], digest[SHA256_BYTES];
    bool is_right = false;

    if (!hex_decode(text, given, sizeof given)) {
        return error_set(err, FAIL_AUTH, "the signature is not one of version %d", is_v2 ? 2 : 1);
    }
    for (size_t i = 0; i < WEBHOOK_SECRETS_MAX; i++) {
        if (settings->signing[i] && !secret_is_empty(settings->signing[i])) {
            old_digest(secret_expose(settings->signing[i]), delivery, is_v2, digest);
            is_right |= CRYPTO_memcmp(digest, given, sizeof digest) == 0;
        }
    }
    if (!is_right) {
        return error_set(err, FAIL_AUTH, "the signature does not fit");
    }
    ret->has_mac = true;
    memcpy(ret->mac, given, sizeof given);
    return OK;
}

/* --- the contract ----------------------------------------------------------------------------- */

/* A delivery with a signature of version 3 is held to that one: who can only make an older one must not be able to choose. */
enum fail hubspot_webhook_verify(const struct webhook_settings *settings,
                                 const struct webhook_delivery *delivery, struct webhook_proof *ret,
                                 struct error *err)
{
    const struct http_headers *headers = &delivery->request->headers;
    unsigned taken = settings->signatures ? settings->signatures : WEBHOOK_V3;
    struct str version = http_header_get(headers, "X-HubSpot-Signature-Version");
    struct str third = http_header_get(headers, "X-HubSpot-Signature-v3");

    *ret = (struct webhook_proof){0};
    if (!webhook_has_one(settings->signing)) {
        error_set(err, FAIL_CONFIG, "the app's client secret is not known here");
        return error_hint(err, "set webhooks: secret in crmsync.yaml, or sign in with the app");
    }
    if (webhook_door(settings, delivery, err) != OK) {
        return err->code;
    }
    if (taken & WEBHOOK_V3 && third.len) {
        return verify_v3(settings, delivery, third, ret, err);
    }
    if (taken & WEBHOOK_V2 && str_equal(version, STR("v2"))) {
        return verify_old(settings, delivery, true, ret, err);
    }
    if (taken & WEBHOOK_V1 && str_equal(version, STR("v1"))) {
        return verify_old(settings, delivery, false, ret, err);
    }
    return error_set(err, FAIL_AUTH, "no signature of a version that is taken");
}

void hubspot_webhook_answer(bool is_accepted, struct webhook_answer *ret)
{
    *ret = (struct webhook_answer){.status = is_accepted ? 200 : 503};
}
