/* What a sign-in server answers: tokens, or a failure with a word that repeats no secret. */
#include "tests/fuzz/fuzz.h"

#include "oauth/grant_answer.h"
#include "oauth/inside.h"

void fuzz_one(struct str input)
{
    struct str head = take_part(&input);
    struct secret sent = {0};
    static const struct oauth_provider PROVIDER = {.authorize_origin = "https://crm.example",
                                                   .token_origin = "https://crm.example",
                                                   .authorize_path = "/authorize",
                                                   .token_path = "/token",
                                                   .grants = 1u << OAUTH_AUTHORIZATION_CODE,
                                                   .default_scopes = "",
                                                   .origin_member = "instance_url",
                                                   .account = OAUTH_ACCOUNT_HUB_ID};
    static const struct secret NONE;
    struct oauth_client client = {
        .provider = &PROVIDER, .connection = STR("fuzz"), .client_secret = &NONE};
    struct grant_asked asked = {.client = &client, .is_code = take_byte(&head) & 1};
    struct http_response response = {.status = 200 + (int)(take_byte(&head) % 4) * 100};
    struct oauth_tokens tokens = {0};
    struct error err = {0};

    secret_set(&sent, STR("the-code-that-was-sent"));
    asked.sent[0] = &sent;
    http_header_add(&response.headers, STR("Date"), head);
    response.body = arena_str(&response.arena, input);
    if (grant_answer_classify(&asked, &response, &err) == OK) {
        MUST_HOLD(response.status / 100 == 2, "status %d is taken", response.status);
        if (grant_answer_read(&asked, &response, &tokens, &err) != OK) {
            MUST_HOLD(err.code != FAIL_BUG && err.message[0], "%s", err.message);
        }
        oauth_tokens_fini(&tokens);
    }
    MUST_HOLD(!strstr(err.message, "the-code-that-was-sent") &&
                  !strstr(err.hint, "the-code-that-was-sent"),
              "%s", err.message);
    (void)grant_answer_offset_ms(&response, 0);
    http_response_fini(&response);
    secret_fini(&sent);
}
