/* Load for bench/ingest.py: CONNECTIONS keep-alive connections send HubSpot deliveries of EVENTS events each, all different and signed as HubSpot signs,
 * for SECONDS; each connection sends its next one when it has its answer.
 *   ingest_load PORT CONNECTIONS SECONDS EVENTS PATH PUBLIC_URL SECRET [hub]
 * "hub": signed with a sha256= HMAC of the body alone in X-Hub-Signature-256, for peers that cannot express HubSpot's.
 * Prints one line of key=value. */
#include <arpa/inet.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/arena.h"
#include "core/base64.h"
#include "core/digest.h"

enum {
    EVENTS_MAX = 100, /* HubSpot's own bound */
    EVENT_BYTES_MAX = 512,
    ANSWER_BYTES = 4096,
    SAMPLES_MAX = 8 * 1000 * 1000,
    WAIT_MS = 100
};

struct client {
    int fd;
    int64_t sent_ns;
    char answer[ANSWER_BYTES];
    size_t answer_len;
};

struct load {
    int port;
    const char *path, *public_url, *secret;
    bool is_hub;
    struct arena arena;
    struct buf body;
    int64_t first_event, events, events_of_a_delivery;
    uint32_t *samples_us;
    size_t samples;
    int64_t refused;
    int epoll_fd;
};

static int64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static void add_event(struct load *load, int64_t wall_ms)
{
    int64_t id = load->first_event + load->events++;

    buf_addf(&load->body,
             "{\"eventId\":%" PRId64
             ",\"subscriptionId\":7102,\"portalId\":4242,\"appId\":9001,\"occurredAt\":%" PRId64
             ",\"subscriptionType\":\"contact.propertyChange\",\"attemptNumber\":0,"
             "\"objectId\":%" PRId64
             ",\"propertyName\":\"phone\",\"propertyValue\":\"+31 20 555 0100\","
             "\"changeSource\":\"CRM_UI\",\"sourceId\":\"userId:77\",\"isSensitive\":false}",
             id, wall_ms, id % 1000003);
}

static struct str body_of(struct load *load, int64_t wall_ms)
{
    buf_reset(&load->body);
    for (int64_t i = 0; i < load->events_of_a_delivery; i++) {
        buf_add_char(&load->body, i ? ',' : '[');
        add_event(load, wall_ms);
    }
    buf_add_char(&load->body, ']');
    return buf_str(&load->body);
}

static struct str signature_of(struct load *load, struct str body, struct str time)
{
    struct str source = arena_printf(&load->arena, "POST%s%s%" PRI_STR "%" PRI_STR,
                                     load->public_url, load->path, STR_ARG(body), STR_ARG(time));
    uint8_t mac[SHA256_BYTES];
    char hex[2 * SHA256_BYTES + 1];

    hmac_sha256(str_of(load->secret), load->is_hub ? body : source, mac);
    if (load->is_hub) {
        hex_encode(mac, sizeof mac, hex);
        return arena_printf(&load->arena, "X-Hub-Signature-256: sha256=%s", hex);
    }
    return arena_printf(&load->arena,
                        "X-HubSpot-Request-Timestamp: %" PRI_STR
                        "\r\nX-HubSpot-Signature-v3: %" PRI_STR,
                        STR_ARG(time), STR_ARG(base64_encode(&load->arena, mac, sizeof mac)));
}

static void send_next(struct load *load, struct client *client)
{
    struct timespec wall;
    struct str body, time, request;

    arena_reset(&load->arena);
    clock_gettime(CLOCK_REALTIME, &wall);
    time = arena_printf(&load->arena, "%" PRId64,
                        (int64_t)wall.tv_sec * 1000 + wall.tv_nsec / 1000000);
    body = body_of(load, (int64_t)wall.tv_sec * 1000);
    request =
        arena_printf(&load->arena,
                     "POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
                     "Content-Length: %zu\r\n%" PRI_STR "\r\n\r\n%" PRI_STR,
                     load->path, body.len, STR_ARG(signature_of(load, body, time)), STR_ARG(body));
    client->answer_len = 0;
    client->sent_ns = now_ns();
    if (send(client->fd, request.at, request.len, MSG_NOSIGNAL) != (ssize_t)request.len) {
        perror("send");
        exit(1);
    }
}

/* The answer with its body is there. Only what the servers measured here send is understood. */
static bool is_complete(const struct client *client)
{
    const char *end = strstr(client->answer, "\r\n\r\n");
    const char *length = strcasestr(client->answer, "content-length:");

    if (!end) {
        return false;
    }
    if (length && length < end) {
        size_t bytes = strtoul(length + strlen("content-length:"), NULL, 10);

        return client->answer_len >= (size_t)(end - client->answer) + 4 + bytes;
    }
    return !strcasestr(client->answer, "transfer-encoding: chunked") ||
           strstr(end, "0\r\n\r\n") != NULL;
}

static void note(struct load *load, const struct client *client)
{
    int64_t took_us = (now_ns() - client->sent_ns) / 1000;

    if (client->answer[strlen("HTTP/1.1 ")] != '2') {
        if (load->refused++ == 0) {
            fprintf(stderr, "first refusal: %.120s\n", client->answer);
        }
    } else if (load->samples < SAMPLES_MAX) {
        load->samples_us[load->samples++] = (uint32_t)took_us;
    }
}

static void hear(struct load *load, struct client *client, bool goes_on)
{
    ssize_t got = recv(client->fd, client->answer + client->answer_len,
                       sizeof client->answer - 1 - client->answer_len, MSG_DONTWAIT);

    if (got <= 0) {
        fprintf(stderr, "the server closed a connection\n");
        exit(1);
    }
    client->answer_len += (size_t)got;
    client->answer[client->answer_len] = '\0';
    if (is_complete(client)) {
        note(load, client);
        if (goes_on) {
            send_next(load, client);
        } else {
            close(client->fd);
        }
    }
}

static void dial(struct load *load, struct client *client)
{
    const struct sockaddr_in address = {.sin_family = AF_INET,
                                        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                        .sin_port = htons((uint16_t)load->port)};
    struct epoll_event wanted = {.events = EPOLLIN, .data.ptr = client};
    const int on = 1;

    client->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (client->fd < 0 ||
        connect(client->fd, (const struct sockaddr *)&address, sizeof address) != 0) {
        perror("connect");
        exit(1);
    }
    setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    epoll_ctl(load->epoll_fd, EPOLL_CTL_ADD, client->fd, &wanted);
}

static void run_until(struct load *load, int64_t until_ns)
{
    struct epoll_event ready[64];

    while (now_ns() < until_ns) {
        int count = epoll_wait(load->epoll_fd, ready, 64, WAIT_MS);

        for (int i = 0; i < count; i++) {
            hear(load, ready[i].data.ptr, now_ns() < until_ns);
        }
    }
}

static int by_size(const void *x, const void *y)
{
    uint32_t a = *(const uint32_t *)x, b = *(const uint32_t *)y;

    return (a > b) - (a < b);
}

static double percentile_ms(const struct load *load, double share)
{
    size_t at = (size_t)(share * (double)(load->samples - 1));

    return load->samples ? load->samples_us[at] / 1000.0 : 0;
}

static void report(struct load *load, double took_s)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    qsort(load->samples_us, load->samples, sizeof *load->samples_us, by_size);
    printf("accepted=%zu refused=%" PRId64
           " rps=%.0f p50_ms=%.3f p99_ms=%.3f max_ms=%.3f load_cpu_s=%.3f\n",
           load->samples, load->refused, (double)load->samples / took_s, percentile_ms(load, 0.5),
           percentile_ms(load, 0.99), percentile_ms(load, 1),
           (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
               (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6);
}

int main(int count, char **words)
{
    struct load load = {0};
    struct client *clients;
    int64_t connections, seconds, port, began_ns;
    struct timespec wall;

    if (count < 8 || !str_to_i64(str_of(words[1]), &port) ||
        !str_to_i64(str_of(words[2]), &connections) || !str_to_i64(str_of(words[3]), &seconds) ||
        !str_to_i64(str_of(words[4]), &load.events_of_a_delivery) || connections < 1 ||
        connections > 10000 || load.events_of_a_delivery < 1 ||
        load.events_of_a_delivery > EVENTS_MAX) {
        fprintf(stderr, "usage: ingest_load PORT CONNECTIONS SECONDS EVENTS PATH PUBLIC_URL "
                        "SECRET [hub]\n");
        return 2;
    }
    load.port = (int)port;
    load.path = words[5];
    load.public_url = words[6];
    load.secret = words[7];
    load.is_hub = count > 8;
    buf_init(&load.body, EVENTS_MAX * EVENT_BYTES_MAX);
    load.samples_us = alloc_new(SAMPLES_MAX, sizeof *load.samples_us);
    load.epoll_fd = epoll_create1(0);
    clock_gettime(CLOCK_REALTIME, &wall);
    load.first_event = (int64_t)wall.tv_sec * 1000000; /* another run's are not among these */
    clients = alloc_new((size_t)connections, sizeof *clients);
    for (int64_t i = 0; i < connections; i++) {
        dial(&load, &clients[i]);
    }
    began_ns = now_ns();
    for (int64_t i = 0; i < connections; i++) {
        send_next(&load, &clients[i]);
    }
    run_until(&load, began_ns + seconds * INT64_C(1000000000));
    report(&load, (double)(now_ns() - began_ns) / 1e9);
    return 0;
}
