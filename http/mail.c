#include "http/mail.h"

#include <assert.h>
#include <curl/curl.h>
#include <inttypes.h>

#include "core/arena.h"
#include "core/alloc.h"
#include "core/base64.h"
#include "core/when.h"
#include "http/live_task.h"
#include "http/url.h"

enum { ADDRESS_BYTES_MAX = 254, BASE64_LINE = 76, WORD_BYTES = 42, MESSAGE_ID_BYTES = 16 };

/* --- what may stand where --------------------------------------------------------------------------------------------------------- */

static bool url_read(struct arena *arena, struct str url, bool *ret_is_tls, struct http_url *ret)
{
    struct error err = {0};
    struct str rest = url, scheme;

    *ret_is_tls = str_starts(url, STR("smtps://"));
    scheme = *ret_is_tls ? STR("smtps") : STR("smtp");
    if (!*ret_is_tls && !str_starts(url, STR("smtp://"))) {
        return false;
    }
    rest = str_slice(url, scheme.len, url.len);
    return http_url_parse(arena_printf(arena, "https%" PRI_STR, STR_ARG(rest)), ret, &err) == OK &&
           ret->target.len == 0;
}

bool mail_url_ok(struct str url)
{
    AUTO_ARENA struct arena arena = {0};
    struct http_url parts;
    bool is_tls;

    return url_read(&arena, url, &is_tls, &parts);
}

bool mail_address_ok(struct str address)
{
    size_t ats = 0;

    for (size_t i = 0; i < address.len; i++) {
        unsigned char c = (unsigned char)address.at[i];

        if (c <= ' ' || c >= 127 || strchr("<>()[]\\,;:\"", c)) {
            return false;
        }
        ats += c == '@';
    }
    return ats == 1 && address.len <= ADDRESS_BYTES_MAX && address.at[0] != '@' &&
           address.at[address.len - 1] != '@';
}

/* --- the message ------------------------------------------------------------------------------------------------------------------- */

static bool is_plain(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] < ' ' || text.at[i] > '~') {
            return false;
        }
    }
    return text.len <= BASE64_LINE;
}

/* A whole number of characters, and of bytes that fit into one encoded word. */
static size_t word_length(struct str rest)
{
    size_t len = rest.len < WORD_BYTES ? rest.len : WORD_BYTES;

    while (len < rest.len && len > 1 && ((unsigned char)rest.at[len] & 0xc0) == 0x80) {
        len--;
    }
    return len;
}

/* Source: RFC 2047, section 2: encoded words of at most 75 characters, folded. */
static void add_subject(struct buf *out, struct arena *arena, struct str subject)
{
    buf_add(out, STR("Subject: "));
    if (is_plain(subject)) {
        buf_add(out, subject);
    }
    for (struct str rest = is_plain(subject) ? STR("") : subject; rest.len;) {
        size_t len = word_length(rest);

        buf_addf(out, "%s=?UTF-8?B?%" PRI_STR "?=", rest.len == subject.len ? "" : "\r\n ",
                 STR_ARG(base64_encode(arena, rest.at, len)));
        rest = str_slice(rest, len, rest.len);
    }
    buf_add(out, STR("\r\n"));
}

static void add_recipients(struct buf *out, const struct mail *mail)
{
    buf_addf(out, "From: <%" PRI_STR ">\r\nTo: ", STR_ARG(mail->from));
    for (size_t i = 0; i < mail->to_count; i++) {
        buf_addf(out, "%s<%" PRI_STR ">", i ? ",\r\n " : "", STR_ARG(mail->to[i]));
    }
    buf_add(out, STR("\r\n"));
}

static void add_body(struct buf *out, struct arena *arena, struct str text)
{
    struct str encoded = base64_encode(arena, text.at, text.len);

    for (size_t at = 0; at < encoded.len; at += BASE64_LINE) {
        buf_add(out, str_slice(encoded, at, at + BASE64_LINE));
        buf_add(out, STR("\r\n"));
    }
}

/* Source: RFC 5322, section 3.6; the time zone of 3.3, which is no name. */
struct str mail_message(const struct mail *mail, int64_t now_ms, struct random *random,
                        struct arena *arena)
{
    char date[WHEN_TEXT_BYTES];
    uint8_t id[MESSAGE_ID_BYTES];
    struct str from = mail->from, kept;
    struct buf out;

    when_format_http(now_ms, date);
    random_bytes(random, id, sizeof id);
    str_cut(&from, '@');
    buf_init(&out, 64 * 1024);
    buf_addf(&out, "Date: %.*s+0000\r\n", (int)(strlen(date) - strlen("GMT")), date);
    add_recipients(&out, mail);
    add_subject(&out, arena, mail->subject);
    buf_addf(&out, "Message-ID: <%" PRI_STR "@%" PRI_STR ">\r\n",
             STR_ARG(base64url_encode(arena, id, sizeof id)), STR_ARG(from));
    buf_add(&out,
            STR("MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
                "Content-Transfer-Encoding: base64\r\nAuto-Submitted: auto-generated\r\n\r\n"));
    add_body(&out, arena, mail->text);
    kept = arena_str(arena, buf_str(&out));
    buf_fini(&out);
    return kept;
}

/* --- sending ------------------------------------------------------------------------------------------------------------------------ */

#define SET(option, value)                                                                         \
    do {                                                                                           \
        CURLcode set_ = curl_easy_setopt(easy, (option), (value));                                 \
        assert(set_ == CURLE_OK);                                                                  \
    } while (0)

static size_t on_read(char *at, size_t size, size_t count, void *context)
{
    struct str *rest = context;
    size_t len = rest->len < size * count ? rest->len : size * count;

    memcpy(at, rest->at, len);
    *rest = str_slice(*rest, len, rest->len);
    return len;
}

static struct curl_slist *envelope(const struct mail *mail)
{
    struct curl_slist *list = NULL;

    for (size_t i = 0; i < mail->to_count; i++) {
        AUTO_FREE char *address = alloc_printf("<%" PRI_STR ">", STR_ARG(mail->to[i]));

        list = curl_slist_append(list, address);
        assert(list);
    }
    return list;
}

/* 4yz: later; 5yz and what cannot be signed in to: not without a person. Source: RFC 5321, section 4.2.1. */
static enum fail read_result(CURL *easy, CURLcode code, struct str host, const char *detail,
                             struct error *err)
{
    long answer = 0;
    bool is_final;

    if (code == CURLE_OK) {
        return OK;
    }
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &answer);
    is_final = answer >= 500 || code == CURLE_LOGIN_DENIED || code == CURLE_USE_SSL_FAILED ||
               code == CURLE_PEER_FAILED_VERIFICATION;
    error_set(err, is_final ? FAIL_CONFIG : FAIL_RETRY,
              "cannot send mail by '%" PRI_STR "': %s%s%s", STR_ARG(host), curl_easy_strerror(code),
              detail[0] ? ": " : "", detail);
    return error_hint(err, code == CURLE_USE_SSL_FAILED
                               ? "the server does not encrypt: use smtps://, or another server"
                               : "look at the server's address, the user and the sender");
}

static void set_server(CURL *easy, const struct mail_server *server, bool is_here)
{
    AUTO_FREE char *url = alloc_printf("%" PRI_STR, STR_ARG(server->url));
    AUTO_FREE char *user = alloc_printf("%" PRI_STR, STR_ARG(server->user));

    SET(CURLOPT_URL, url);
    SET(CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    SET(CURLOPT_PROXY, "");
    SET(CURLOPT_NOPROXY, "*");
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_TIMEOUT_MS, (long)MAIL_TIMEOUT_MS);
    SET(CURLOPT_USE_SSL, is_here ? (long)CURLUSESSL_NONE : (long)CURLUSESSL_ALL);
    if (server->password && server->user.len) {
        SET(CURLOPT_USERNAME, user);
        SET(CURLOPT_PASSWORD, secret_expose(server->password).at);
    }
}

static enum fail perform(CURL *easy, const struct mail *mail, struct str message, struct str host,
                         struct error *err)
{
    AUTO_FREE char *from = alloc_printf("<%" PRI_STR ">", STR_ARG(mail->from));
    struct curl_slist *to = envelope(mail);
    char detail[CURL_ERROR_SIZE] = "";
    enum fail failed;

    SET(CURLOPT_MAIL_FROM, from);
    SET(CURLOPT_MAIL_RCPT, to);
    SET(CURLOPT_UPLOAD, 1L);
    SET(CURLOPT_READFUNCTION, on_read);
    SET(CURLOPT_READDATA, &message);
    SET(CURLOPT_ERRORBUFFER, detail);
    failed = read_result(easy, curl_easy_perform(easy), host, detail, err);
    curl_slist_free_all(to);
    return failed;
}

static enum fail check(const struct mail *mail, struct error *err)
{
    bool all_ok = mail_address_ok(mail->from) && mail->to_count > 0;

    for (size_t i = 0; i < mail->to_count; i++) {
        all_ok = all_ok && mail_address_ok(mail->to[i]);
    }
    return all_ok ? OK : error_set(err, FAIL_CONFIG, "cannot send mail: an address is not one");
}

enum fail mail_send(const struct mail_server *server, const struct mail *mail, struct clock *clock,
                    struct random *random, struct error *err)
{
    AUTO_ARENA struct arena arena = {0};
    struct http_url parts;
    bool is_tls;
    enum fail failed;
    CURL *easy;

    if (!url_read(&arena, server->url, &is_tls, &parts)) {
        error_set(err, FAIL_CONFIG, "cannot send mail by '%" PRI_STR "': it is no mail server",
                  STR_ARG(server->url));
        return error_hint(err, "write smtp://host:587 or smtps://host:465");
    }
    if (check(mail, err) != OK) {
        return err->code;
    }
    live_task_setup();
    easy = curl_easy_init();
    assert(easy);
    set_server(easy, server, parts.is_loopback && !is_tls);
    failed = perform(easy, mail, mail_message(mail, clock_wall_ms(clock), random, &arena),
                     parts.host, err);
    curl_easy_cleanup(easy);
    return failed;
}
