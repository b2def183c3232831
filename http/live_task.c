#include "http/live_task.h"

#include <assert.h>
#include <curl/curl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "core/alloc.h"

_Static_assert((int)LIVE_ERROR_BYTES == (int)CURL_ERROR_SIZE, "libcurl writes that much");

enum {
    HEAD_BYTES_MAX = 256 * 1024,
    CONNECT_MS_MAX = 10 * 1000,
    IDLE_SECONDS_BEFORE_PROBE = 30,
    /* CRMs close idle connections after a minute or so; asking a dead one costs a repeat. */
    CONNECTION_IDLE_SECONDS_MAX = 50,
};

static void setup_once(void)
{
    CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT);

    assert(code == CURLE_OK);
}

void live_task_setup(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, setup_once);
}

/* Our options are valid for this libcurl, whatever the foreign data in them. */
#define SET(option, value)                                                                         \
    do {                                                                                           \
        CURLcode set_ = curl_easy_setopt(task->easy, (option), (value));                           \
        assert(set_ == CURLE_OK);                                                                  \
    } while (0)

static size_t on_body(char *at, size_t size, size_t count, void *context)
{
    struct live_task *task = context;

    buf_add(&task->body, (struct str){.at = at, .len = size * count});
    return task->body.is_full ? 0 : size * count;
}

static void take_header(struct live_task *task, struct str line)
{
    struct http_response *response = &task->exchange->response;
    struct str value = line;
    struct str name = str_cut(&value, ':');

    if (value.at) {
        http_header_add(&response->headers, arena_str(&response->arena, name),
                        arena_str(&response->arena, str_trim(value)));
    }
}

/* Called for each line of each head: an interim answer (100, 103) comes before the final one, and
 * trailers after the body. */
static size_t on_head(char *at, size_t size, size_t count, void *context)
{
    struct live_task *task = context;
    struct str line = {.at = at, .len = size * count};
    struct str text = str_trim(line);

    task->head_bytes += line.len;
    if (task->head_bytes > HEAD_BYTES_MAX) {
        task->is_head_too_large = true;
        return 0;
    }
    if (!task->is_in_head && str_starts(text, STR("HTTP/"))) {
        task->is_in_head = true;
        task->exchange->response.headers.count = 0;
    } else if (text.len == 0) {
        task->is_in_head = false;
    } else if (task->is_in_head) {
        take_header(task, text);
    }
    return line.len;
}

static bool is_allowed(const struct live_task *task, const struct sockaddr *address)
{
    if (address->sa_family == AF_UNIX) { /* the caller's own choice, not a name's */
        return true;
    }
    if (task->url.is_loopback) {
        return address_is_loopback(address);
    }
    return task->allow_private || address_is_public(address);
}

static curl_socket_t on_open(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct live_task *task = context;

    (void)purpose;
    if (!is_allowed(task, &address->addr)) {
        address_format(&address->addr, task->refused);
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static bool may_be_sent_twice(enum http_method method)
{
    switch (method) {
    case HTTP_GET:
    case HTTP_PUT:
    case HTTP_DELETE:
        return true;
    case HTTP_POST:
    case HTTP_PATCH:
        return false;
    }
    abort();
}

/* Called on a ready connection, just before the request goes out. When a reused connection dies
 * under a request, libcurl silently sends it again on a new one; the server may have read the
 * first. For a create that would be a duplicate, so the second time is refused. */
static int on_send(void *context, char *peer, char *own, int peer_port, int own_port)
{
    struct live_task *task = context;

    (void)peer, (void)own, (void)peer_port, (void)own_port;
    if (task->was_sent && !may_be_sent_twice(task->exchange->request->method)) {
        return CURL_PREREQFUNC_ABORT;
    }
    task->was_sent = true;
    task->exchange->response.began_ms = clock_wall_ms(task->clock);
    return CURL_PREREQFUNC_OK;
}

static void add_line(struct live_task *task, const char *line)
{
    task->headers = curl_slist_append(task->headers, line);
    assert(task->headers);
}

static void add_header(struct live_task *task, const struct http_header *header)
{
    /* libcurl: "Name;" sends an empty header, "Name:" would send none. */
    AUTO_FREE char *line =
        header->value.len
            ? alloc_printf("%" PRI_STR ": %" PRI_STR, STR_ARG(header->name), STR_ARG(header->value))
            : alloc_printf("%" PRI_STR ";", STR_ARG(header->name));

    add_line(task, line);
    explicit_bzero(line, strlen(line)); /* one of them is the credential */
}

static void set_headers(struct live_task *task)
{
    const struct http_headers *headers = &task->exchange->request->headers;

    for (size_t i = 0; i < headers->count; i++) {
        add_header(task, &headers->at[i]);
    }
    add_line(task, "Expect:"); /* no 100-continue: it costs a round trip */
    if (!http_header_get(headers, "content-type").at) {
        add_line(task, "Content-Type:"); /* not libcurl's form type */
    }
    SET(CURLOPT_HTTPHEADER, task->headers);
    SET(CURLOPT_USERAGENT, "crmsync/" CRMSYNC_VERSION);
    SET(CURLOPT_ACCEPT_ENCODING, "gzip");
}

static void set_method(struct live_task *task)
{
    const struct http_request *request = task->exchange->request;
    bool has_body =
        request->body.len > 0 || (request->method != HTTP_GET && request->method != HTTP_DELETE);

    if (has_body) {
        SET(CURLOPT_POST, 1L);
        SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.len);
        SET(CURLOPT_POSTFIELDS, request->body.len ? request->body.at : "");
    } else {
        SET(CURLOPT_HTTPGET, 1L);
    }
    SET(CURLOPT_CUSTOMREQUEST, http_method_name(request->method));
}

static void set_address(struct live_task *task)
{
    AUTO_FREE char *url = alloc_printf("%" PRI_STR, STR_ARG(task->exchange->request->url));

    SET(CURLOPT_URL, url);
    SET(CURLOPT_PROTOCOLS_STR, task->url.is_loopback ? "http,https" : "https");
    SET(CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
    SET(CURLOPT_PATH_AS_IS, 1L);
    SET(CURLOPT_FOLLOWLOCATION, 0L); /* a redirect would carry the token elsewhere */
    SET(CURLOPT_PROXY, "");          /* not from the environment */
    SET(CURLOPT_NOPROXY, "*");
    SET(CURLOPT_OPENSOCKETFUNCTION, on_open);
    SET(CURLOPT_OPENSOCKETDATA, task);
}

static void set_connection(struct live_task *task, const struct transport_live_options *options)
{
    int64_t timeout_ms = task->exchange->timeout_ms;

    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_TIMEOUT_MS, (long)timeout_ms);
    SET(CURLOPT_CONNECTTIMEOUT_MS,
        (long)(timeout_ms < CONNECT_MS_MAX ? timeout_ms : CONNECT_MS_MAX));
    SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
    SET(CURLOPT_PIPEWAIT, task->url.is_https ? 1L : 0L);
    SET(CURLOPT_TCP_KEEPALIVE, 1L);
    SET(CURLOPT_TCP_KEEPIDLE, (long)IDLE_SECONDS_BEFORE_PROBE);
    SET(CURLOPT_MAXAGE_CONN, (long)CONNECTION_IDLE_SECONDS_MAX);
    SET(CURLOPT_SSL_VERIFYPEER, 1L);
    SET(CURLOPT_SSL_VERIFYHOST, 2L);
    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (options->ca_file) {
        SET(CURLOPT_CAINFO, options->ca_file);
    }
    if (options->socket_file) {
        SET(CURLOPT_UNIX_SOCKET_PATH, options->socket_file);
    }
}

static void set_callbacks(struct live_task *task)
{
    SET(CURLOPT_PRIVATE, task);
    SET(CURLOPT_ERRORBUFFER, task->curl_text);
    SET(CURLOPT_WRITEFUNCTION, on_body);
    SET(CURLOPT_WRITEDATA, task);
    SET(CURLOPT_HEADERFUNCTION, on_head);
    SET(CURLOPT_HEADERDATA, task);
    SET(CURLOPT_PREREQFUNCTION, on_send);
    SET(CURLOPT_PREREQDATA, task);
}

/* The seam is also used without http_exec, so the two rules that keep tokens safe are enforced here
 * again. */
static enum fail check(const struct http_url *url, const struct transport_live_options *options,
                       struct error *err)
{
    if (url->is_loopback ? options->allow_loopback : url->is_https) {
        return OK;
    }
    return error_set(err, FAIL_CONFIG, "host '%" PRI_STR "' may not be asked: %s",
                     STR_ARG(url->host),
                     url->is_loopback ? "it is this machine" : "the address is not https");
}

struct live_task *live_task_new(struct http_exchange *exchange, struct clock *clock,
                                const struct transport_live_options *options)
{
    struct live_task *task;
    struct http_url url;

    exchange->result = http_url_parse(exchange->request->url, &url, &exchange->error);
    if (exchange->result == OK) {
        exchange->result = check(&url, options, &exchange->error);
    }
    if (exchange->result != OK) {
        return NULL;
    }
    task = alloc_new(1, sizeof *task);
    task->exchange = exchange;
    task->clock = clock;
    task->url = url;
    task->allow_private = options->allow_private;
    task->easy = curl_easy_init();
    assert(task->easy);
    buf_init(&task->body, exchange->answer_bytes_max);
    arena_init(&exchange->response.arena);
    exchange->response.began_ms = clock_wall_ms(clock);
    set_callbacks(task);
    set_address(task);
    set_connection(task, options);
    set_method(task);
    set_headers(task);
    return task;
}

/* What libcurl copied into buffers of its own is out of reach. */
static void wipe_headers(struct curl_slist *headers)
{
    for (struct curl_slist *line = headers; line; line = line->next) {
        explicit_bzero(line->data, strlen(line->data));
    }
    curl_slist_free_all(headers);
}

void live_task_free(struct live_task *task)
{
    if (!task) {
        return;
    }
    curl_easy_cleanup(task->easy);
    wipe_headers(task->headers);
    buf_fini(&task->body);
    free(task);
}

/* What the system said about the failed connect, in our tone of voice. */
static void connect_reason(const struct live_task *task, char *ret, size_t bytes)
{
    long number = 0;
    char text[128];

    if (curl_easy_getinfo(task->easy, CURLINFO_OS_ERRNO, &number) != CURLE_OK || number == 0) {
        snprintf(ret, bytes, "no answer");
        return;
    }
    snprintf(ret, bytes, "%s", strerror_r((int)number, text, sizeof text));
    if (ret[0] >= 'A' && ret[0] <= 'Z') {
        ret[0] = (char)(ret[0] - 'A' + 'a');
    }
}

static enum fail say_connect(struct live_task *task, struct error *err)
{
    char reason[128];

    if (task->refused[0]) {
        error_set(err, FAIL_CONNECTION,
                  "host '%" PRI_STR "' resolves to %s, which is not a public address",
                  STR_ARG(task->url.host), task->refused);
        return error_hint(err, "check the name service of this machine: a CRM is never there");
    }
    connect_reason(task, reason, sizeof reason);
    error_set(err, FAIL_RETRY, "cannot connect to %" PRI_STR ":%d: %s", STR_ARG(task->url.host),
              task->url.port, reason);
    return error_hint(err, "check the network and firewall; for a simulator, check that it runs "
                           "on this port");
}

static enum fail say_untrusted(struct live_task *task, struct error *err)
{
    error_set(err, FAIL_CONNECTION, "cannot trust the certificate of %" PRI_STR ": %s",
              STR_ARG(task->url.host), task->curl_text);
    return error_hint(err, "check this machine's clock and CA certificates, and whether a "
                           "firewall opens TLS connections");
}

static enum fail say_too_large(struct live_task *task, struct error *err)
{
    if (task->is_head_too_large) {
        return error_set(err, FAIL_CONNECTION,
                         "the answer of %" PRI_STR " has more than %d bytes of headers",
                         STR_ARG(task->url.host), (int)HEAD_BYTES_MAX);
    }
    error_set(err, FAIL_CONNECTION,
              "the answer of %" PRI_STR " is larger than the maximum of %zu bytes",
              STR_ARG(task->url.host), task->exchange->answer_bytes_max);
    return error_hint(err, "ask for fewer records or properties at once");
}

static enum fail say_late(struct live_task *task, struct error *err)
{
    error_set(err, FAIL_RETRY, "%" PRI_STR " did not %s within %lld ms", STR_ARG(task->url.host),
              task->was_sent ? "answer" : "accept a connection",
              (long long)task->exchange->timeout_ms);
    return error_hint(err, "the CRM may be slow or the network blocked; it is tried again");
}

static enum fail say_broken(struct live_task *task, const char *what, struct error *err)
{
    return error_set(err, FAIL_RETRY, "no complete answer from %" PRI_STR ": %s",
                     STR_ARG(task->url.host), what);
}

static enum fail say(struct live_task *task, CURLcode code, struct error *err)
{
    /* A closed set has no default; CURLcode is not ours, so here it has one. */
    switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
        error_set(err, FAIL_RETRY, "cannot find host '%" PRI_STR "': its name does not resolve",
                  STR_ARG(task->url.host));
        return error_hint(err, "check the network, the name service and the spelling");
    case CURLE_COULDNT_CONNECT:
        return say_connect(task, err);
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
        return say_untrusted(task, err);
    case CURLE_SSL_CONNECT_ERROR:
        return error_set(err, FAIL_RETRY, "cannot make a TLS connection to %" PRI_STR ": %s",
                         STR_ARG(task->url.host), task->curl_text);
    case CURLE_WRITE_ERROR:
        return say_too_large(task, err);
    case CURLE_OPERATION_TIMEDOUT:
        return say_late(task, err);
    case CURLE_PARTIAL_FILE:
        return say_broken(task, "the connection ended in the middle", err);
    case CURLE_GOT_NOTHING:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_ABORTED_BY_CALLBACK:
        return say_broken(task, "the connection was lost", err);
    case CURLE_BAD_CONTENT_ENCODING:
        return say_broken(task, "its compression is damaged", err);
    default:
        return say_broken(task, curl_easy_strerror(code), err);
    }
}

static void take_answer(struct live_task *task)
{
    struct http_response *response = &task->exchange->response;
    long status = 0;
    CURLcode code = curl_easy_getinfo(task->easy, CURLINFO_RESPONSE_CODE, &status);

    assert(code == CURLE_OK);
    response->status = (int)status;
    response->body = STR("");
    if (task->body.at) {
        response->body = buf_str(&task->body);
        arena_defer(&response->arena, free, TAKE_PTR(task->body.at));
        task->body = (struct buf){0};
    }
}

static void end_without_answer(struct live_task *task)
{
    struct http_exchange *exchange = task->exchange;
    int64_t began_ms = exchange->response.began_ms;

    http_response_fini(&exchange->response);
    exchange->response.began_ms = began_ms;
    exchange->result = exchange->error.code;
    exchange->error.is_outcome_unknown = task->was_sent;
}

void live_task_end(struct live_task *task, int curl_code)
{
    struct http_exchange *exchange = task->exchange;

    if (curl_code == CURLE_OK) {
        take_answer(task);
        exchange->result = OK;
    } else {
        say(task, (CURLcode)curl_code, &exchange->error);
        end_without_answer(task);
    }
    exchange->response.ended_ms = clock_wall_ms(task->clock);
}

void live_task_end_cancelled(struct live_task *task)
{
    error_set(&task->exchange->error, FAIL_CANCELLED, "request to %" PRI_STR " stopped on request",
              STR_ARG(task->url.host));
    end_without_answer(task);
    task->exchange->response.ended_ms = clock_wall_ms(task->clock);
}
