#include "api/hook.h"

#include <inttypes.h>

#include "core/base64.h"
#include "core/digest.h"
#include "http/url.h"

#define SECRET_PREFIX STR("whsec_")

static bool decode(struct arena *arena, struct str secret, struct str *ret)
{
    return str_starts(secret, SECRET_PREFIX) &&
           base64_decode(arena, str_slice(secret, SECRET_PREFIX.len, secret.len), ret);
}

struct str hook_key(struct arena *arena, struct str secret)
{
    struct str bytes;

    return decode(arena, secret, &bytes) ? bytes : secret;
}

bool hook_secret_is_standard(struct str secret)
{
    AUTO_ARENA struct arena arena = {0};
    struct str bytes;
    bool is_standard = decode(&arena, secret, &bytes) && bytes.len >= HOOK_KEY_BYTES_MIN &&
                       bytes.len <= HOOK_KEY_BYTES_MAX;

    arena_wipe(&arena);
    return is_standard;
}

void hook_sign(struct arena *arena, struct str id, int64_t at_ms, const struct str *keys,
               size_t keys_count, struct str body, struct http_headers *headers)
{
    struct str timestamp = arena_printf(arena, "%" PRId64, at_ms / 1000);
    struct str content = arena_printf(arena, "%" PRI_STR ".%" PRI_STR ".%" PRI_STR, STR_ARG(id),
                                      STR_ARG(timestamp), STR_ARG(body));
    struct str signature = STR("");

    for (size_t i = 0; i < keys_count; i++) {
        uint8_t mac[SHA256_BYTES];

        hmac_sha256(keys[i], content, mac);
        signature = arena_printf(arena, "%" PRI_STR "%sv1,%" PRI_STR, STR_ARG(signature),
                                 i ? " " : "", STR_ARG(base64_encode(arena, mac, sizeof mac)));
    }
    http_header_add(headers, STR("webhook-id"), id);
    http_header_add(headers, STR("webhook-timestamp"), timestamp);
    http_header_add(headers, STR("webhook-signature"), signature);
}

struct http_client *hook_client_new(struct env *env, struct str url, bool allow_loopback,
                                    struct error *err)
{
    AUTO_ARENA struct arena arena = {0};
    struct http_url parts;
    const char *hosts[1];
    struct http_client_options options = {.allowed_hosts = hosts,
                                          .allowed_hosts_count = 1,
                                          .allow_loopback = allow_loopback,
                                          .any_port = true};

    if (http_url_parse(url, &parts, err) != OK) {
        return NULL;
    }
    hosts[0] = arena_cstr(&arena, parts.host);
    return http_client_new(env, &options);
}

/* What a status means is the caller's to say, who also decides when to come again. */
static enum fail take_any(const struct http_response *response, struct http_account *account,
                          struct error *err)
{
    (void)response;
    (void)account;
    (void)err;
    return OK;
}

enum fail hook_post(struct env *env, struct http_client *client, struct str url,
                    const struct http_headers *headers, struct str body, struct hook_answer *ret,
                    struct error *err)
{
    struct http_account account = {.classify = take_any,
                                   .timeout_ms = HOOK_TIMEOUT_MS,
                                   .answer_bytes_max = HOOK_ANSWER_BYTES_MAX};
    struct http_call call = {
        .request = {.method = HTTP_POST, .url = url, .headers = *headers, .body = body}};
    struct http_call *calls[] = {&call};

    http_header_add(&call.request.headers, STR("content-type"), STR("application/json"));
    if (http_exec(client, &account, calls, 1, err) == OK && call.result != OK) {
        *err = call.error;
    }
    *ret = (struct hook_answer){.status = call.response.status,
                                .retry_after_ms = http_retry_after_ms(
                                    &call.response.headers, clock_wall_ms(env->clock), 0)};
    http_call_fini(&call);
    return err->code;
}
