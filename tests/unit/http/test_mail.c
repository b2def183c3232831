/* A mail as it travels, and its way to a server of our own on this machine. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/arena.h"
#include "core/base64.h"
#include "http/mail.h"

#include "tests/expect.h"

static const int64_t NOW_MS = INT64_C(1763708731000);

static struct mail a_mail(void)
{
    return (struct mail){.from = STR("crmsync@example.com"),
                         .to = {STR("ops@example.com"), STR("more@example.org")},
                         .to_count = 2,
                         .subject = STR("[firing] lag"),
                         .text = STR("It fires.\n")};
}

static void test_message(void **state)
{
    AUTO_ARENA struct arena arena = {0};
    struct random *random = random_new_seeded(3);
    struct mail mail = a_mail();
    struct str text = mail_message(&mail, NOW_MS, random, &arena);

    (void)state;
    EXPECT(str_starts(text, STR("Date: Fri, 21 Nov 2025 07:05:31 +0000\r\n"
                                "From: <crmsync@example.com>\r\n"
                                "To: <ops@example.com>,\r\n <more@example.org>\r\n"
                                "Subject: [firing] lag\r\nMessage-ID: <")),
           "%" PRI_STR, STR_ARG(text));
    EXPECT(str_ends(text, STR("\r\n\r\nSXQgZmlyZXMuCg==\r\n")), "%" PRI_STR, STR_ARG(text));
    random_free(random);
}

/* Each encoded word is whole characters, and at most 75 of them. */
static void test_subject_of_any_language(void **state)
{
    AUTO_ARENA struct arena arena = {0};
    struct random *random = random_new_seeded(3);
    struct mail mail = a_mail();
    struct str text, read = STR("");

    (void)state;
    mail.subject = STR("Störung: \xe5\x90\x8c\xe6\x9c\x9f\xe3\x81\xae\xe9\x81\x85\xe5\xbb\xb6\xe3"
                       "\x81\x8c\xe9\x95\xb7\xe3\x81\x99\xe3\x81\x8e\xe3\x81\xbe\xe3\x81\x99 und "
                       "ein\r\nBcc: x@example.com");
    text = mail_message(&mail, NOW_MS, random, &arena);
    EXPECT(!str_contains(text, STR("\nBcc")), "a second line is no header");
    while (str_contains(text, STR("=?UTF-8?B?"))) {
        struct str word, bytes;

        while (!str_starts(text, STR("=?UTF-8?B?"))) {
            text = str_slice(text, 1, text.len);
        }
        text = str_slice(text, 10, text.len);
        word = str_cut(&text, '?');
        EXPECT(word.len + 12 <= 75, "a word of %zu", word.len);
        EXPECT(base64_decode(&arena, word, &bytes), "decodes");
        EXPECT(((unsigned char)bytes.at[0] & 0xc0) != 0x80, "begins with a whole character");
        read = arena_printf(&arena, "%" PRI_STR "%" PRI_STR, STR_ARG(read), STR_ARG(bytes));
    }
    EXPECT_STR(read, mail.subject, "subject");
    random_free(random);
}

static void test_what_is_an_address(void **state)
{
    static const char *const good[] = {"a@b", "first.last+tag@mail.example.com"};
    static const char *const bad[] = {
        "", "a", "@b", "a@", "a@b@c", "a b@c", "a@b\r\nBcc: x@y", "<a@b>", "a@b,c@d"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        EXPECT(mail_address_ok(str_of(good[i])), "'%s' is one", good[i]);
    }
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        EXPECT(!mail_address_ok(str_of(bad[i])), "'%s' is none", bad[i]);
    }
    EXPECT(mail_url_ok(STR("smtp://mail.example.com:587")) && mail_url_ok(STR("smtps://m:465")),
           "servers");
    EXPECT(!mail_url_ok(STR("http://m")) && !mail_url_ok(STR("smtp://u:p@m")) &&
               !mail_url_ok(STR("smtp://m/path")) && !mail_url_ok(STR("smtp://")),
           "no servers");
}

/* --- a server that takes one mail ------------------------------------------------------------------------------------------------- */

struct sink {
    int fd, port;
    pthread_t thread;
    const char *to_rcpt; /* the answer to RCPT */
    char heard[8192];
    size_t len;
};

static bool hear_line(struct sink *sink, int fd, size_t *ret_begin)
{
    *ret_begin = sink->len;
    while (sink->len + 1 < sizeof sink->heard && read(fd, &sink->heard[sink->len], 1) == 1) {
        if (sink->heard[sink->len++] == '\n') {
            return true;
        }
    }
    return false;
}

static void say(int fd, const char *line)
{
    EXPECT(write(fd, line, strlen(line)) == (ssize_t)strlen(line), "said");
}

static void *serve(void *context)
{
    struct sink *sink = context;
    int fd = accept(sink->fd, NULL, NULL);
    bool in_data = false;
    size_t at;

    say(fd, "220 here\r\n");
    while (hear_line(sink, fd, &at)) {
        const char *line = &sink->heard[at];

        if (in_data) {
            if (strncmp(line, ".\r\n", 3) == 0) {
                in_data = false;
                say(fd, "250 taken\r\n");
            }
        } else if (strncmp(line, "DATA", 4) == 0) {
            in_data = true;
            say(fd, "354 go on\r\n");
        } else if (strncmp(line, "RCPT", 4) == 0) {
            say(fd, sink->to_rcpt);
        } else if (strncmp(line, "QUIT", 4) == 0) {
            say(fd, "221 bye\r\n");
            break;
        } else {
            say(fd, "250 yes\r\n");
        }
    }
    close(fd);
    return NULL;
}

static void sink_start(struct sink *sink, const char *to_rcpt)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t bytes = sizeof at;

    *sink = (struct sink){.to_rcpt = to_rcpt, .fd = socket(AF_INET, SOCK_STREAM, 0)};
    EXPECT(bind(sink->fd, (struct sockaddr *)&at, sizeof at) == 0 && listen(sink->fd, 4) == 0 &&
               getsockname(sink->fd, (struct sockaddr *)&at, &bytes) == 0,
           "a socket");
    sink->port = ntohs(at.sin_port);
    EXPECT(pthread_create(&sink->thread, NULL, serve, sink) == 0, "a thread");
}

static enum fail send_to(struct sink *sink, struct error *err)
{
    char url[64];
    struct clock *clock = clock_new_virtual(NOW_MS);
    struct random *random = random_new_seeded(3);
    struct mail mail = a_mail();
    struct mail_server server;
    enum fail failed;

    snprintf(url, sizeof url, "smtp://127.0.0.1:%d", sink->port);
    server = (struct mail_server){.url = str_of(url)};
    failed = mail_send(&server, &mail, clock, random, err);
    pthread_join(sink->thread, NULL);
    close(sink->fd);
    clock_free(clock);
    random_free(random);
    return failed;
}

static void test_a_server_takes_it(void **state)
{
    struct sink sink;
    struct error err = {0};

    (void)state;
    sink_start(&sink, "250 yes\r\n");
    EXPECT(send_to(&sink, &err) == OK, "%s", err.message);
    EXPECT(strstr(sink.heard, "MAIL FROM:<crmsync@example.com>") &&
               strstr(sink.heard, "RCPT TO:<ops@example.com>") &&
               strstr(sink.heard, "RCPT TO:<more@example.org>") &&
               strstr(sink.heard, "\r\n\r\nSXQgZmlyZXMuCg==\r\n.\r\n"),
           "heard: %s", sink.heard);
}

static void test_refusals(void **state)
{
    struct sink sink;
    struct error err = {0};

    (void)state;
    sink_start(&sink, "550 nobody here\r\n");
    EXPECT(send_to(&sink, &err) == FAIL_CONFIG, "for good: %s", err.message);
    error_reset(&err);
    sink_start(&sink, "450 later\r\n");
    EXPECT(send_to(&sink, &err) == FAIL_RETRY, "for now: %s", err.message);
}

static void test_nobody_there(void **state)
{
    struct clock *clock = clock_new_virtual(NOW_MS);
    struct random *random = random_new_seeded(3);
    struct mail mail = a_mail();
    struct mail_server server = {.url = STR("smtps://127.0.0.1:9")};
    struct error err = {0};

    (void)state;
    EXPECT(mail_send(&server, &mail, clock, random, &err) == FAIL_RETRY, "%s", err.message);
    error_reset(&err);
    server.url = STR("smtp://127.0.0.1/x");
    EXPECT(mail_send(&server, &mail, clock, random, &err) == FAIL_CONFIG, "%s", err.message);
    clock_free(clock);
    random_free(random);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_message),
        cmocka_unit_test(test_subject_of_any_language),
        cmocka_unit_test(test_what_is_an_address),
        cmocka_unit_test(test_a_server_takes_it),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_nobody_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
