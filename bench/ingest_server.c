/* Servers for bench/ingest.py, each as the product's parts are, without the rest of the service:
 *   ingest_server receive STORE PUBLIC_URL SECRET   webhooks of a HubSpot connection "bench" of that store, durable before the answer
 *   ingest_server bare                              the same HTTP server, which answers 200 at once: the floor of serving
 *   ingest_server append FILE COUNT GROUP EVENTS    no server: COUNT bodies of EVENTS events appended to a file, fdatasync after each GROUP: the floor of
 *                                                   storing
 * The servers print their port and end with SIGTERM; `receive` then prints how many events the inbox took. */
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "core/alloc.h"
#include "store/connection.h"
#include "webhooks/receive.h"

enum { EVENT_BYTES = 330, EVENTS_MAX = 100 };

static int complain(const struct error *err)
{
    fprintf(stderr, "%s\n", err->message);
    return 1;
}

static void refuse(void *context, const struct http_request *request,
                   struct http_response *response)
{
    (void)context, (void)request;
    response->status = 404;
}

static enum http_intake answer_at_once(void *context, const struct http_request *request,
                                       struct http_later *later, struct http_response *response)
{
    (void)context, (void)request, (void)later;
    response->status = 200;
    return HTTP_INTAKE_ANSWER;
}

static int serve(http_intake_fn *intake, http_intake_end_fn *end, void *context)
{
    const struct http_server_options options = {.address = "127.0.0.1",
                                                .handler = refuse,
                                                .intake = intake,
                                                .intake_end = end,
                                                .intake_context = context,
                                                .workers = 1};
    struct http_server *server;
    struct error err = {0};
    sigset_t ends;
    int number;

    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigprocmask(SIG_BLOCK, &ends, NULL);
    if (http_server_start(&options, &server, &err) != OK) {
        return complain(&err);
    }
    printf("%d\n", http_server_port(server));
    fflush(stdout);
    sigwait(&ends, &number);
    http_server_stop(server);
    return 0;
}

static enum fail make_connection(struct store *store, int64_t *ret_id, struct error *err)
{
    AUTO_ARENA struct arena arena = {0};
    AUTO_TX struct tx *tx = NULL;
    struct store_connection row;

    if (tx_begin(store, TENANT_DEFAULT, &tx, err) != OK ||
        connection_ensure(tx, STR("bench"), STR("hubspot"), &arena, &row, err) != OK) {
        return err->code;
    }
    *ret_id = row.id;
    return tx_commit(&tx, err);
}

static int receive(struct env *env, const char *path, const char *public_url, const char *secret)
{
    const struct store_options options = {
        .path = path, .access = STORE_CREATE, .holder = "bench/ingest"};
    AUTO_SECRET struct secret signing = {0};
    struct receive_connection connection = {.tenant_id = TENANT_DEFAULT,
                                            .name = STR("bench"),
                                            .adapter = adapter_by_name(STR("hubspot")),
                                            .public_url = str_of(public_url),
                                            .settings = {.signing = {&signing}},
                                            .rate_per_s = -1};
    struct receiver_options receiving = {.env = env};
    struct receiver *receiver;
    struct receive_counts counts;
    struct receive_totals totals;
    struct error err = {0};
    int code;

    secret_set(&signing, str_of(secret));
    if (store_open(&options, env, &receiving.store, &err) != OK ||
        make_connection(receiving.store, &connection.connection_id, &err) != OK ||
        receiver_start(&receiving, &receiver, &err) != OK) {
        return complain(&err);
    }
    receiver_connections_set(receiver, &connection, 1);
    code = serve(receiver_intake, receiver_intake_end, receiver);
    receiver_totals(receiver, &totals);
    receiver_counts(receiver, connection.connection_id, &counts);
    printf("stored=%" PRId64 " commits=%" PRId64 " commit_longest_ms=%" PRId64 "\n", counts.stored,
           totals.commits.count, totals.commits.longest_ms);
    receiver_stop(receiver);
    store_close(receiving.store);
    return code;
}

static int append(const char *path, int64_t count, int64_t group, int64_t events)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    char body[EVENT_BYTES * EVENTS_MAX];
    size_t bytes = EVENT_BYTES * (size_t)events;
    struct timespec began, ended;

    memset(body, 'x', sizeof body);
    clock_gettime(CLOCK_MONOTONIC, &began);
    for (int64_t i = 0; i < count; i++) {
        if (write(fd, body, bytes) != (ssize_t)bytes ||
            ((i + 1) % group == 0 && fdatasync(fd) != 0)) {
            perror(path);
            return 1;
        }
    }
    clock_gettime(CLOCK_MONOTONIC, &ended);
    close(fd);
    printf("rps=%.0f\n", (double)count / ((double)(ended.tv_sec - began.tv_sec) +
                                          (double)(ended.tv_nsec - began.tv_nsec) / 1e9));
    return 0;
}

int main(int count, char **words)
{
    struct env env = {.clock = clock_new_real(), .random = random_new_system()};
    struct str mode = str_of(words[1]);
    int64_t bodies, group, events;
    int code = 2;

    if (count == 5 && str_equal(mode, STR("receive"))) {
        code = receive(&env, words[2], words[3], words[4]);
    } else if (count == 2 && str_equal(mode, STR("bare"))) {
        code = serve(answer_at_once, NULL, NULL);
    } else if (count == 6 && str_equal(mode, STR("append")) &&
               str_to_i64(str_of(words[3]), &bodies) && str_to_i64(str_of(words[4]), &group) &&
               str_to_i64(str_of(words[5]), &events) && group > 0 && events > 0 &&
               events <= EVENTS_MAX) {
        code = append(words[2], bodies, group, events);
    } else {
        fprintf(stderr, "usage: ingest_server receive STORE PUBLIC_URL SECRET | bare | append FILE "
                        "COUNT GROUP EVENTS\n");
    }
    random_free(env.random);
    clock_free(env.clock);
    return code;
}
