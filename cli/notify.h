/* Telling a service manager how the service is, and taking over sockets that it opened: the two small protocols of systemd, without its library.
 * Without such a manager nothing is sent and nothing is taken.
 * source: sd_notify(3) and sd_listen_fds(3), sections "Notes", of systemd 252. */
#ifndef CRMSYNC_CLI_NOTIFY_H
#define CRMSYNC_CLI_NOTIFY_H

#include <stdbool.h>

#include "core/clock.h"
#include "core/fail.h"

enum { NOTIFY_SOCKET_BYTES = 108 }; /* sockaddr_un.sun_path */

/* Plain data; not written after notify_take(), so any thread may notify. */
struct notify {
    char socket[NOTIFY_SOCKET_BYTES]; /* "" = nobody listens */
    int64_t watchdog_ms; /* 0 = no watchdog; notify_alive() must come more often than this */
    int inherited_fd;    /* 0 = none; a listening socket for http_server_options.inherited_fd */
};

/* Reads the environment and clears what it read from there, so that no child of this process takes it for its own. Call it before other threads
 * exist. FAIL_CONFIG: what the manager gave cannot be used. */
enum fail notify_take(struct notify *ret, struct error *err) MUST_CHECK;

/* Each says one thing and never waits. False: nobody listens, or it did not get through; a service works on without it. */
bool notify_ready(const struct notify *notify);
/* The configuration is read anew; notify_ready() follows. */
bool notify_reloading(const struct notify *notify, struct clock *clock);
bool notify_stopping(const struct notify *notify);
bool notify_alive(const struct notify *notify);
/* One line for `systemctl status`, no secret, no value of a record; bounded. */
bool notify_status(const struct notify *notify, const char *line);

#endif
