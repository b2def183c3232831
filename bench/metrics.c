/* What GET /metrics costs the store: a store is filled with N linked contacts at two connections, of which some wait, and its numbers are collected and written.
 *   bench_metrics [--records N] [--rounds N]      N 100000, rounds 20; the floor is one read transaction that asks for nothing. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "api/metrics.h"
#include "core/uuid.h"
#include "store/connection.h"
#include "store/link.h"
#include "store/record.h"
#include "store/stream.h"
#include "store/tally.h"

enum { CONNECTIONS = 2, BATCH = 1000, WAITING_OF = 100, HOURS = 24, ROUNDS_MAX = 1000 };

#define CHECK(call)                                                                                \
    do {                                                                                           \
        if ((call) != OK) {                                                                        \
            fprintf(stderr, "%s: %s\n", #call, err.message);                                       \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)

struct filling {
    struct env env;
    struct store *store;
    int64_t connections[CONNECTIONS];
};

static void begin(struct filling *f)
{
    static const char *const names[CONNECTIONS] = {"one", "two"};
    AUTO_ARENA struct arena arena = {0};
    AUTO_TX struct tx *tx = NULL;
    struct error err = {0};

    CHECK(tx_begin(f->store, TENANT_DEFAULT, &tx, &err));
    for (int i = 0; i < CONNECTIONS; i++) {
        struct store_connection row;
        struct store_stream stream;

        CHECK(connection_ensure(tx, str_of(names[i]), STR("hubspot"), &arena, &row, &err));
        CHECK(stream_ensure(tx, row.id, STR("contact"), &arena, &stream, &err));
        f->connections[i] = row.id;
        for (int hour = 0; hour < HOURS; hour++) {
            const struct store_tally tally = {.connection_id = row.id,
                                              .kind = STR("contact"),
                                              .synced = 10,
                                              .delays = 1,
                                              .delay_ms = 900};

            CHECK(tally_add(tx, &tally, clock_wall_ms(f->env.clock) - hour * TALLY_HOUR_MS, &err));
        }
    }
    CHECK(tx_commit(&tx, &err));
}

static void add_record(struct filling *f, struct tx *tx, struct arena *arena, int64_t number)
{
    char uuid[UUID_TEXT_BYTES], remote[24];
    struct store_record record = {.kind = STR("contact"), .state = RECORD_LIVE};
    struct error err = {0};

    uuid_v7(clock_wall_ms(f->env.clock), f->env.random, uuid);
    snprintf(remote, sizeof remote, "%" PRId64, number);
    record.uuid = str_of(uuid);
    fields_set(&record.fields, arena, STR("email"),
               VALUE_OF(arena_printf(arena, "p%" PRId64 "@people.example", number)));
    CHECK(record_insert(tx, &record, NULL, 0, &err));
    for (int i = 0; i < CONNECTIONS; i++) {
        struct store_link link = {.connection_id = f->connections[i],
                                  .kind = STR("contact"),
                                  .record_id = record.id,
                                  .remote_id = str_of(remote),
                                  .synced_version = number % WAITING_OF ? 1 : 0};

        CHECK(link_insert(tx, &link, &err));
    }
}

static void fill(struct filling *f, int64_t records)
{
    struct error err = {0};

    for (int64_t done = 0; done < records; done += BATCH) {
        AUTO_ARENA struct arena arena = {0};
        AUTO_TX struct tx *tx = NULL;

        CHECK(tx_begin(f->store, TENANT_DEFAULT, &tx, &err));
        for (int64_t i = done; i < done + BATCH && i < records; i++) {
            add_record(f, tx, &arena, i);
        }
        CHECK(tx_commit(&tx, &err));
    }
}

static int64_t now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int by_size(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static int64_t collect(struct filling *f, struct store *reader, size_t *ret_bytes)
{
    static const struct metrics_tenant tenant = {TENANT_DEFAULT, {"default", 7}};
    AUTO_ARENA struct arena arena = {0};
    struct samples samples = {.arena = &arena};
    struct error err = {0};
    struct buf text;
    int64_t began_us = now_us();

    CHECK(metrics_of_store(reader, f->env.clock, &tenant, 1, &samples, &err));
    buf_init(&text, 1 << 22);
    samples_write(&samples, &text);
    *ret_bytes = text.len;
    buf_fini(&text);
    return now_us() - began_us;
}

static int64_t floor_us(struct store *reader)
{
    AUTO_TX struct tx *tx = NULL;
    struct error err = {0};
    int64_t began_us = now_us(), tenant_events, oldest_ms;

    CHECK(tx_begin(reader, TENANT_DEFAULT, &tx, &err));
    CHECK(inbox_depth(tx, &tenant_events, &oldest_ms, &err));
    CHECK(tx_commit(&tx, &err));
    return now_us() - began_us;
}

static void measure(struct filling *f, int64_t records, int64_t rounds)
{
    int64_t us[ROUNDS_MAX], floors[ROUNDS_MAX];
    struct store *reader = NULL;
    struct error err = {0};
    struct rusage usage;
    size_t bytes = 0;

    CHECK(store_beside(f->store, STORE_READ, false, &reader, &err));
    for (int64_t i = 0; i < rounds; i++) {
        floors[i] = floor_us(reader);
        us[i] = collect(f, reader, &bytes);
    }
    qsort(us, (size_t)rounds, sizeof *us, by_size);
    qsort(floors, (size_t)rounds, sizeof *floors, by_size);
    getrusage(RUSAGE_SELF, &usage);
    printf("bench=metrics records=%" PRId64 " links=%" PRId64 " rounds=%" PRId64
           " p50_ms=%.2f p99_ms=%.2f bytes=%zu wall_x_floor=%.1f rss_mb=%ld\n",
           records, records * CONNECTIONS, rounds, (double)us[rounds / 2] / 1000,
           (double)us[rounds * 99 / 100] / 1000, bytes,
           (double)us[rounds / 2] / (double)(floors[rounds / 2] ? floors[rounds / 2] : 1),
           usage.ru_maxrss / 1024);
    store_close(reader);
}

int main(int argc, char **argv)
{
    char folder[] = "/tmp/crmsync-bench-metrics-XXXXXX", path[128];
    struct filling f = {0};
    struct store_options options = {
        .path = path, .access = STORE_CREATE, .holder = "bench_metrics"};
    struct error err = {0};
    int64_t records = 100000, rounds = 20;

    for (int i = 1; i + 1 < argc; i += 2) {
        if (!str_to_i64(str_of(argv[i + 1]), strcmp(argv[i], "--records") ? &rounds : &records)) {
            return 2;
        }
    }
    if (records < 1 || rounds < 1 || rounds > ROUNDS_MAX || !mkdtemp(folder)) {
        return 2;
    }
    snprintf(path, sizeof path, "%s/bench.db", folder);
    f.env = (struct env){.clock = clock_new_real(), .random = random_new_seeded(1)};
    CHECK(store_open(&options, &f.env, &f.store, &err));
    begin(&f);
    fill(&f, records);
    measure(&f, records, rounds);
    store_close(f.store);
    unlink(path);
    snprintf(path, sizeof path, "%s/bench.db.lock", folder);
    unlink(path);
    rmdir(folder);
    clock_free(f.env.clock);
    random_free(f.env.random);
    return 0;
}
