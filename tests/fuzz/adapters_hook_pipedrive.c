/* Webhooks of Pipedrive: what proves a delivery, and what its body says. */
#include "tests/fuzz/hook.h"

extern const struct adapter adapter_pipedrive;

void fuzz_one(struct str input)
{
    struct secret secret = {0}, path = {0};
    struct hook hook = {.adapter = &adapter_pipedrive};
    struct str choices = take_part(&input), headers = take_part(&input);
    unsigned choice = take_byte(&choices);

    secret_set(&secret, STR("a secret that no input holds 8Hq2"));
    secret_set(&path, STR("a path that no input holds 77Zx"));
    hook.settings.signing[0] = &secret;
    hook.settings.passwords[0] = &secret;
    hook.settings.paths[0] = &path;
    hook.settings.user = STR("crmsync");
    hook.settings.signatures = choice & (WEBHOOK_V1 | WEBHOOK_V2 | WEBHOOK_V3);
    hook.settings.account_id = choice & 8 ? STR("00D000000000062EAA") : STR("");
    hook.request = (struct http_request){.method = HTTP_POST, .url = STR("/"), .body = input};
    add_headers(&hook, headers);
    hook.delivery = (struct webhook_delivery){.request = &hook.request,
                                              .public_url = STR("https://sync.example/hooks/x?y=1"),
                                              .path_secret = choices,
                                              .received_ms = HOOK_NOW_MS};
    verify(&hook, false);
    hook.delivery.path_secret = secret_expose(&path);
    if (adapter_pipedrive.webhook_means & (WEBHOOK_BY_SIGNATURE | WEBHOOK_BY_PASSWORD)) {
        verify(&hook, false);
    }
    parse(&hook);
    hook_end(&hook);
    secret_fini(&secret);
    secret_fini(&path);
}
