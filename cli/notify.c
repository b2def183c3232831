#include "cli/notify.h"

#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/str.h"

enum { FIRST_INHERITED_FD = 3, MESSAGE_BYTES_MAX = 512 };

static struct str variable(const char *name)
{
    return str_of(getenv(name));
}

/* A number that is meant for this process: a child of the one it was meant for inherits the environment too. */
static bool number_for_us(const char *pid_name, const char *name, int64_t *ret)
{
    struct str pid = variable(pid_name);
    int64_t whose = 0;

    if (pid.at && (!str_to_i64(pid, &whose) || whose != getpid())) {
        return false;
    }
    return str_to_i64(variable(name), ret);
}

static enum fail take_socket(struct notify *notify, struct error *err)
{
    struct str path = variable("NOTIFY_SOCKET");

    if (str_is_empty(path)) {
        return OK;
    }
    if (path.len >= sizeof notify->socket || (path.at[0] != '/' && path.at[0] != '@')) {
        error_set(err, FAIL_CONFIG,
                  "cannot notify the service manager at '%" PRI_STR "': it is no socket file",
                  STR_ARG(path));
        return error_hint(err, "unset NOTIFY_SOCKET when crmsync is not started by systemd");
    }
    memcpy(notify->socket, path.at, path.len);
    return OK;
}

static enum fail take_inherited(struct notify *notify, struct error *err)
{
    int64_t count = 0;

    if (!variable("LISTEN_PID").at || !number_for_us("LISTEN_PID", "LISTEN_FDS", &count) ||
        count == 0) {
        return OK;
    }
    if (count != 1) {
        error_set(err, FAIL_CONFIG, "cannot take over %lld sockets: crmsync listens on one",
                  (long long)count);
        return error_hint(err, "leave one ListenStream= in the socket unit");
    }
    notify->inherited_fd = FIRST_INHERITED_FD;
    return OK;
}

static void take_watchdog(struct notify *notify)
{
    int64_t us = 0;

    if (number_for_us("WATCHDOG_PID", "WATCHDOG_USEC", &us) && us > 0) {
        notify->watchdog_ms = us / 1000 > 0 ? us / 1000 : 1;
    }
}

enum fail notify_take(struct notify *ret, struct error *err)
{
    static const char *const names[] = {"NOTIFY_SOCKET",  "LISTEN_PID",   "LISTEN_FDS",
                                        "LISTEN_FDNAMES", "WATCHDOG_PID", "WATCHDOG_USEC"};
    struct notify taken = {0};

    if (take_socket(&taken, err) != OK || take_inherited(&taken, err) != OK) {
        return err->code;
    }
    take_watchdog(&taken);
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        unsetenv(names[i]);
    }
    *ret = taken;
    return OK;
}

static bool send_text(const struct notify *notify, struct str text)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    size_t len = strlen(notify->socket);
    bool is_sent;
    int fd;

    if (len == 0) {
        return false;
    }
    memcpy(to.sun_path, notify->socket, len);
    if (to.sun_path[0] == '@') { /* a name without a file */
        to.sun_path[0] = '\0';
    }
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return false;
    }
    is_sent =
        sendto(fd, text.at, text.len, MSG_NOSIGNAL | MSG_DONTWAIT, (struct sockaddr *)&to,
               (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) == (ssize_t)text.len;
    close(fd);
    return is_sent;
}

bool notify_ready(const struct notify *notify)
{
    return send_text(notify, STR("READY=1\n"));
}

bool notify_reloading(const struct notify *notify, struct clock *clock)
{
    char text[MESSAGE_BYTES_MAX];
    int len = snprintf(text, sizeof text, "RELOADING=1\nMONOTONIC_USEC=%lld\n",
                       (long long)clock_mono_ms(clock) * 1000);

    return send_text(notify, (struct str){text, (size_t)len});
}

bool notify_stopping(const struct notify *notify)
{
    return send_text(notify, STR("STOPPING=1\n"));
}

bool notify_alive(const struct notify *notify)
{
    return send_text(notify, STR("WATCHDOG=1\n"));
}

bool notify_status(const struct notify *notify, const char *line)
{
    char text[MESSAGE_BYTES_MAX];
    size_t len;

    snprintf(text, sizeof text, "STATUS=%s", line);
    len = strlen(text);
    for (size_t i = 0; i < len; i++) { /* a second line would be another message */
        text[i] = text[i] == '\n' ? ' ' : text[i];
    }
    return send_text(notify, (struct str){text, len});
}
