/* Workers are threads: every turn's writes arrive, no connection is served twice at once, and pausing, resuming and stopping lose nothing. */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "store/connection.h"
#include "sync/workers.h"

#include "tests/expect.h"

enum { PLACES = 6, WORKERS = 4, ROUNDS = 40, WAIT_MAX_MS = 20000 };

struct fixture {
    struct env env;
    struct store *store;
    struct workers *workers;
    struct dispatch *dispatch;
    struct schedule schedule;
    const struct schedule *schedules[1];
    struct str kinds[1];
    char folder[64], path[96], names[PLACES][16];
    atomic_int at_once[PLACES];
    atomic_int turns[PLACES];
    atomic_int overlaps, failures;
};

/* Each turn leaves one thing in the store: the name of the connection's state, with how many there were. */
static void on_turn(void *context, struct store *store, const struct turn *turn,
                    struct turn_end *ret)
{
    struct fixture *f = context;
    struct store_connection row;
    struct error err = {0};
    AUTO_TX struct tx *tx = NULL;
    AUTO_ARENA struct arena arena = {0};
    char name[48];
    int number;

    atomic_fetch_add(&f->overlaps, atomic_fetch_add(&f->at_once[turn->place], 1));
    number = atomic_fetch_add(&f->turns[turn->place], 1);
    snprintf(name, sizeof name, "%s-%d", f->names[turn->place], number);
    if (tx_begin(store, TENANT_DEFAULT, &tx, &err) != OK ||
        connection_ensure(tx, str_of(name), STR("hubspot"), &arena, &row, &err) != OK ||
        tx_commit(&tx, &err) != OK) {
        atomic_fetch_add(&f->failures, 1);
    }
    *ret = (struct turn_end){.journal_seen = 1, .has_more = number % 3 == 0};
    atomic_fetch_sub(&f->at_once[turn->place], 1);
}

static struct dispatch *new_dispatch(struct fixture *f)
{
    struct dispatch *dispatch = dispatch_new(f->env.random, WORKERS);

    for (int i = 0; i < PLACES; i++) {
        const struct dispatch_place place = {.tenant_id = 1 + i % 2,
                                             .tenant = STR("t"),
                                             .connection = str_of(f->names[i]),
                                             .kinds_count = 1,
                                             .schedules = f->schedules,
                                             .kinds = f->kinds,
                                             .writes = true};

        dispatch_add(dispatch, &place, NULL);
    }
    return dispatch;
}

static void begin(struct fixture *f)
{
    struct error err = {0};

    *f = (struct fixture){.kinds = {STR("contact")},
                          .env = {.clock = clock_new_real(), .random = random_new_seeded(3)}};
    f->schedules[0] = &f->schedule;
    snprintf(f->folder, sizeof f->folder, "/tmp/crmsync-test-XXXXXX");
    EXPECT(mkdtemp(f->folder), "no folder");
    snprintf(f->path, sizeof f->path, "%s/store.db", f->folder);
    for (int i = 0; i < PLACES; i++) {
        snprintf(f->names[i], sizeof f->names[i], "place%d", i);
    }
    EXPECT(store_open(&(const struct store_options){.path = f->path,
                                                    .access = STORE_CREATE,
                                                    .holder = "test"},
                      &f->env, &f->store, &err) == OK,
           "%s", err.message);
    EXPECT(
        workers_start(
            &(const struct workers_options){
                .env = &f->env, .store = f->store, .count = WORKERS, .run = on_turn, .context = f},
            &f->workers, &err) == OK,
        "%s", err.message);
    f->dispatch = new_dispatch(f);
}

static void end(struct fixture *f)
{
    static const char *const ENDINGS[] = {"", "-wal", "-shm", ".lock"};

    workers_stop(f->workers);
    dispatch_free(f->dispatch);
    store_close(f->store);
    for (size_t i = 0; i < COUNT_OF(ENDINGS); i++) {
        char path[128];

        snprintf(path, sizeof path, "%s%s", f->path, ENDINGS[i]);
        unlink(path);
    }
    rmdir(f->folder);
    random_free(f->env.random);
    clock_free(f->env.clock);
}

static int turns_of_all(struct fixture *f)
{
    int turns = 0;

    for (int i = 0; i < PLACES; i++) {
        turns += atomic_load(&f->turns[i]);
    }
    return turns;
}

static size_t connections_here(struct fixture *f)
{
    AUTO_ARENA struct arena arena = {0};
    struct store_connection *rows;
    struct error err = {0};
    struct tx *tx = NULL;
    size_t count = 0;

    EXPECT(tx_begin(f->store, TENANT_DEFAULT, &tx, &err) == OK &&
               connection_list(tx, &arena, &rows, &count, &err) == OK && tx_commit(&tx, &err) == OK,
           "%s", err.message);
    return count;
}

static void wait_for_turns(struct fixture *f, int wanted)
{
    int64_t until_ms = clock_mono_ms(f->env.clock) + WAIT_MAX_MS;

    workers_lock(f->workers);
    while (turns_of_all(f) < wanted) {
        EXPECT(clock_mono_ms(f->env.clock) < until_ms, "%d turns, wanted %d", turns_of_all(f),
               wanted);
        workers_wait(f->workers, 20);
    }
    workers_unlock(f->workers);
}

static void every_turn_counts_and_none_overlaps(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f);
    workers_resume(f.workers, f.dispatch);
    for (int i = 0; i < ROUNDS; i++) {
        struct dispatch *dispatch = workers_lock(f.workers);

        for (size_t place = 0; place < PLACES; place++) {
            dispatch_arrived(dispatch, place, clock_mono_ms(f.env.clock) - 1000);
        }
        workers_unlock(f.workers);
        wait_for_turns(&f, (i + 1) * PLACES / 2);
    }
    EXPECT(workers_pause(f.workers, WAIT_MAX_MS), "does not pause");

    EXPECT(f.overlaps == 0, "%d turns had another of the same connection beside", f.overlaps);
    EXPECT(f.failures == 0, "%d turns could not write", f.failures);
    EXPECT(connections_here(&f) == (size_t)turns_of_all(&f), "%zu of %d turns are in the store",
           connections_here(&f), turns_of_all(&f));
    end(&f);
}

/* As when the configuration is read again. */
static void a_new_dispatch_takes_over(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f);
    for (int i = 0; i < ROUNDS; i++) {
        struct dispatch *old = f.dispatch;
        int before = turns_of_all(&f);

        workers_resume(f.workers, f.dispatch);
        wait_for_turns(&f, before + 1);
        EXPECT(workers_pause(f.workers, WAIT_MAX_MS), "does not pause");
        before = turns_of_all(&f);
        f.dispatch = new_dispatch(&f);
        dispatch_free(old);
        EXPECT(turns_of_all(&f) == before, "a turn began in the pause");
    }
    EXPECT(f.overlaps == 0 && f.failures == 0, "%d overlaps, %d failures", f.overlaps, f.failures);
    EXPECT(connections_here(&f) == (size_t)turns_of_all(&f), "some turns are not in the store");
    end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_turn_counts_and_none_overlaps),
        cmocka_unit_test(a_new_dispatch_takes_over),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
