/* What a sign-in server's answer means. Pure but for the clock's time, which comes with the answer. Inside the oauth folder only. */
#ifndef CRMSYNC_OAUTH_GRANT_ANSWER_H
#define CRMSYNC_OAUTH_GRANT_ANSWER_H

#include "oauth/grant.h"

/* What was asked, as far as reading the answer depends on it. */
struct grant_asked {
    const struct oauth_client *client;
    bool is_code;                 /* a sign-in's code is exchanged */
    const struct secret *sent[3]; /* never repeated in a message; NULL none */
    int64_t clock_offset_ms;      /* that the assertion was made with */
};

/* enum fail of http_account.classify: OK for 2xx. */
enum fail grant_answer_classify(const struct grant_asked *asked,
                                const struct http_response *response, struct error *err);
/* Reads a 2xx answer of the token endpoint; its body is for the caller to wipe. FAIL_RETRY with is_outcome_unknown: it cannot be read, so a rotated token may be lost. */
enum fail grant_answer_read(const struct grant_asked *asked, const struct http_response *response,
                            struct oauth_tokens *ret, struct error *err) MUST_CHECK;
/* The server's clock minus ours by the Date of the answer; otherwise when there is none. */
int64_t grant_answer_offset_ms(const struct http_response *response, int64_t otherwise_ms);

#endif
