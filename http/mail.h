/* A short text as mail, handed to one SMTP server: for alerts. Blocking; not for mass mail. */
#ifndef CRMSYNC_HTTP_MAIL_H
#define CRMSYNC_HTTP_MAIL_H

#include "core/arena.h"
#include "core/clock.h"
#include "core/fail.h"
#include "core/random.h"
#include "core/secret.h"

enum { MAIL_TIMEOUT_MS = 20 * 1000, MAIL_RECIPIENTS_MAX = 16 };

struct mail_server {
    struct str url; /* smtp://host:587 or smtps://host:465 */
    struct str user;
    const struct secret *password; /* NULL: not signed in */
};

struct mail {
    struct str from; /* addresses alone, without names */
    struct str to[MAIL_RECIPIENTS_MAX];
    size_t to_count;
    struct str subject, text; /* UTF-8 */
};

/* smtp or smtps, a host, perhaps a port; nothing else. */
bool mail_url_ok(struct str url);
/* One address that can stand in a header and in an envelope. */
bool mail_address_ok(struct str address);
/* The message as it travels, with CR LF; arena's. */
struct str mail_message(const struct mail *mail, int64_t now_ms, struct random *random,
                        struct arena *arena);
/* The connection is encrypted and the server's certificate checked, except to this machine itself (127.0.0.1, ::1, localhost) with smtp. FAIL_RETRY:
 * not reached or refused for now; FAIL_CONFIG: refused for good, or what stands above is not so. */
enum fail mail_send(const struct mail_server *server, const struct mail *mail, struct clock *clock,
                    struct random *random, struct error *err) MUST_CHECK;

#endif
