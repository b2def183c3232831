/* What a service manager is told, and what is taken over from it. */
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "cli/notify.h"

#include "tests/expect.h"

static void forget(void)
{
    static const char *const names[] = {"NOTIFY_SOCKET",  "LISTEN_PID",   "LISTEN_FDS",
                                        "LISTEN_FDNAMES", "WATCHDOG_PID", "WATCHDOG_USEC"};

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        unsetenv(names[i]);
    }
}

static void set_pid(const char *name, int add)
{
    char text[24];

    snprintf(text, sizeof text, "%d", getpid() + add);
    setenv(name, text, 1);
}

static struct notify take(void)
{
    struct error err = {0};
    struct notify notify = {0};

    EXPECT(notify_take(&notify, &err) == OK, "%s", err.message);
    return notify;
}

/* A manager's end of the socket, whose name stands in the environment. */
static int manager(void)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    char name[64];
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

    snprintf(name, sizeof name, "@crmsync-notify-%d", getpid());
    memcpy(at.sun_path, name, strlen(name));
    at.sun_path[0] = '\0';
    EXPECT(bind(fd, (struct sockaddr *)&at,
                (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name))) == 0,
           "a socket can be bound");
    setenv("NOTIFY_SOCKET", name, 1);
    return fd;
}

static void expect_told(int fd, const char *want)
{
    char got[1024] = {0};
    ssize_t len = recv(fd, got, sizeof got - 1, MSG_DONTWAIT);

    EXPECT(len > 0, "wanted '%s', nothing came", want);
    EXPECT_STR(str_of(got), str_of(want), "told");
}

static void test_manager_is_told(void **state)
{
    struct clock *clock = clock_new_virtual(1000);
    int fd = manager();
    struct notify notify = take();

    (void)state;
    clock_wait_ms(clock, 5);
    EXPECT(notify_ready(&notify), "ready is sent");
    expect_told(fd, "READY=1\n");
    notify_alive(&notify);
    expect_told(fd, "WATCHDOG=1\n");
    notify_reloading(&notify, clock);
    expect_told(fd, "RELOADING=1\nMONOTONIC_USEC=5000\n");
    notify_stopping(&notify);
    expect_told(fd, "STOPPING=1\n");
    notify_status(&notify, "3 connections\nREADY=1");
    expect_told(fd, "STATUS=3 connections READY=1");
    EXPECT(getenv("NOTIFY_SOCKET") == NULL, "children do not speak for this process");
    close(fd);
    EXPECT(!notify_ready(&notify), "a manager that went away is no failure");
    clock_free(clock);
}

static void test_without_manager(void **state)
{
    struct notify notify;

    (void)state;
    forget();
    notify = take();
    EXPECT(!notify_ready(&notify) && notify.watchdog_ms == 0 && notify.inherited_fd == 0,
           "nothing is sent or taken");
}

static void test_long_status_is_cut(void **state)
{
    char line[2000];
    char got[1024] = {0};
    int fd = manager();
    struct notify notify = take();

    (void)state;
    memset(line, 'x', sizeof line - 1);
    line[sizeof line - 1] = '\0';
    notify_status(&notify, line);
    EXPECT(recv(fd, got, sizeof got, MSG_DONTWAIT) == 511, "cut at a bound");
    close(fd);
}

static void test_sockets(void **state)
{
    struct notify notify;

    (void)state;
    forget();
    setenv("LISTEN_FDS", "1", 1);
    set_pid("LISTEN_PID", 0);
    notify = take();
    EXPECT(notify.inherited_fd == 3, "the first one after standard error");
    EXPECT(!getenv("LISTEN_FDS") && !getenv("LISTEN_PID"), "taken once");

    setenv("LISTEN_FDS", "1", 1);
    set_pid("LISTEN_PID", 1);
    notify = take();
    EXPECT(notify.inherited_fd == 0, "another process's sockets are left alone");

    setenv("LISTEN_FDS", "1", 1);
    notify = take();
    EXPECT(notify.inherited_fd == 0, "without a process id they are nobody's");
}

static void test_watchdog(void **state)
{
    struct notify notify;

    (void)state;
    forget();
    setenv("WATCHDOG_USEC", "30000000", 1);
    set_pid("WATCHDOG_PID", 0);
    notify = take();
    EXPECT(notify.watchdog_ms == 30000, "in milliseconds");

    setenv("WATCHDOG_USEC", "30000000", 1);
    set_pid("WATCHDOG_PID", 1);
    notify = take();
    EXPECT(notify.watchdog_ms == 0, "another process's watchdog");

    setenv("WATCHDOG_USEC", "30000000", 1);
    notify = take();
    EXPECT(notify.watchdog_ms == 30000, "without a process id it is everybody's");
}

static void test_refused(void **state)
{
    struct error err = {0};
    struct notify notify;

    (void)state;
    forget();
    setenv("LISTEN_FDS", "2", 1);
    set_pid("LISTEN_PID", 0);
    EXPECT(notify_take(&notify, &err) == FAIL_CONFIG && strstr(err.message, "2 sockets"), "%s",
           err.message);
    forget();
    setenv("NOTIFY_SOCKET", "vsock:2:1", 1);
    EXPECT(notify_take(&notify, &err) == FAIL_CONFIG && strstr(err.message, "vsock:2:1"), "%s",
           err.message);
    forget();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_manager_is_told),    cmocka_unit_test(test_without_manager),
        cmocka_unit_test(test_long_status_is_cut), cmocka_unit_test(test_sockets),
        cmocka_unit_test(test_watchdog),           cmocka_unit_test(test_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
