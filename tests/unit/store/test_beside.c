/* Several handles on one store in one process: writers take turns, the urgent one first, and none is ever refused. */
#include "tests/unit/store/fixture.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "store/turn.h"

enum { THREADS = 4, COMMITS_EACH = 50 };

struct writer {
    struct fixture *f;
    struct store *store;
    int failures;
};

/* Reads a number and writes it back raised by one: lost updates would show. */
static enum fail raise_offset(struct writer *writer, struct arena *arena, struct error *err)
{
    AUTO_TX struct tx *tx = NULL;
    struct store_connection row;
    bool found;

    if (tx_begin(writer->store, TENANT_DEFAULT, &tx, err) != OK ||
        connection_by_id(tx, writer->f->connection_id, arena, &row, &found, err) != OK) {
        return err->code;
    }
    sched_yield();
    if (connection_clock_set(tx, row.id, row.clock_offset_ms + 1, err) != OK) {
        return err->code;
    }
    return tx_commit(&tx, err);
}

static void *write_often(void *context)
{
    struct writer *writer = context;

    for (int i = 0; i < COMMITS_EACH; i++) {
        AUTO_ARENA struct arena arena = {0};
        struct error err = {0};

        writer->failures += raise_offset(writer, &arena, &err) != OK;
    }
    return NULL;
}

static void writers_take_turns(void **state)
{
    AUTO_FIXTURE struct fixture f;
    struct writer writers[THREADS];
    pthread_t threads[THREADS];
    struct store_connection row;
    bool found;

    (void)state;
    fixture_begin_all(&f);
    fixture_commit(&f);
    for (int i = 0; i < THREADS; i++) {
        writers[i] = (struct writer){.f = &f};
        MUST(&f, store_beside(f.store, STORE_WRITE, i == 0, &writers[i].store, &f.err));
    }
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, write_often, &writers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        EXPECT_I64(writers[i].failures, 0, "refused");
        store_close(writers[i].store);
    }
    fixture_begin(&f);
    MUST(&f, connection_by_id(f.tx, f.connection_id, &f.arena, &row, &found, &f.err));
    EXPECT_I64(row.clock_offset_ms, THREADS * COMMITS_EACH, "every commit counts");
}

static void a_reader_sees_the_last_commit(void **state)
{
    AUTO_FIXTURE struct fixture f;
    struct store_connection row;
    struct store *reader;
    struct tx *tx;
    bool found;

    (void)state;
    fixture_begin_all(&f);
    fixture_commit(&f);
    MUST(&f, store_beside(f.store, STORE_READ, false, &reader, &f.err));
    fixture_begin(&f); /* a reader waits for nobody */
    MUST(&f, connection_clock_set(f.tx, f.connection_id, 7, &f.err));
    MUST(&f, tx_begin(reader, TENANT_DEFAULT, &tx, &f.err));
    MUST(&f, connection_by_id(tx, f.connection_id, &f.arena, &row, &found, &f.err));
    EXPECT_I64(row.clock_offset_ms, 0, "not committed yet");
    tx_abort(&tx);
    fixture_commit(&f);
    MUST(&f, tx_begin(reader, TENANT_DEFAULT, &tx, &f.err));
    MUST(&f, connection_by_id(tx, f.connection_id, &f.arena, &row, &found, &f.err));
    EXPECT_I64(row.clock_offset_ms, 7, "committed");
    tx_abort(&tx);
    store_close(reader);
}

/* --- the order ------------------------------------------------------------------------------------------------ */

struct line {
    struct turn *turn;
    atomic_int served;
};
struct place {
    struct line *line;
    bool is_urgent;
    int served_as;
};

static void *queue_up(void *context)
{
    struct place *place = context;

    turn_take(place->line->turn, place->is_urgent);
    place->served_as = atomic_fetch_add(&place->line->served, 1);
    turn_give(place->line->turn);
    return NULL;
}

static void the_urgent_goes_first(void **state)
{
    struct line line = {.turn = turn_new()};
    struct place places[] = {{&line, false, -1}, {&line, false, -1}, {&line, true, -1}};
    pthread_t threads[COUNT_OF(places)];

    (void)state;
    turn_take(line.turn, false);
    for (int i = 0; i < (int)COUNT_OF(places); i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, queue_up, &places[i]), 0);
        while (turn_waiting(line.turn) <= i) {
            sched_yield();
        }
    }
    turn_give(line.turn);
    for (size_t i = 0; i < COUNT_OF(places); i++) {
        pthread_join(threads[i], NULL);
    }
    EXPECT_I64(places[2].served_as, 0, "the urgent one");
    EXPECT_I64(places[0].served_as, 1, "first come");
    EXPECT_I64(places[1].served_as, 2, "second come");
    turn_free(line.turn);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writers_take_turns),
        cmocka_unit_test(a_reader_sees_the_last_commit),
        cmocka_unit_test(the_urgent_goes_first),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
