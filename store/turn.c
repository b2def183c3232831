#include "store/turn.h"

#include <assert.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>

#include "core/alloc.h"

/* On the stack of who waits. */
struct waiter {
    struct waiter *next;
    pthread_cond_t go;
    bool is_next;
};

struct queue {
    struct waiter *first;
    struct waiter **end;
};

struct turn {
    pthread_mutex_t lock; /* of all that follows */
    bool is_taken;
    int waiting;
    struct queue urgent, ordinary;
};

struct turn *turn_new(void)
{
    struct turn *turn = alloc_new(1, sizeof *turn);

    pthread_mutex_init(&turn->lock, NULL);
    turn->urgent.end = &turn->urgent.first;
    turn->ordinary.end = &turn->ordinary.first;
    return turn;
}

void turn_free(struct turn *turn)
{
    if (turn) {
        assert(!turn->is_taken && !turn->urgent.first && !turn->ordinary.first);
        pthread_mutex_destroy(&turn->lock);
        free(turn);
    }
}

static void wait_in(struct turn *turn, struct queue *queue)
{
    struct waiter self = {0};

    pthread_cond_init(&self.go, NULL);
    *queue->end = &self;
    queue->end = &self.next;
    turn->waiting++;
    while (!self.is_next) {
        pthread_cond_wait(&self.go, &turn->lock);
    }
    pthread_cond_destroy(&self.go);
}

static struct waiter *leave(struct queue *queue)
{
    struct waiter *first = queue->first;

    if (first) {
        queue->first = first->next;
        if (!queue->first) {
            queue->end = &queue->first;
        }
    }
    return first;
}

void turn_take(struct turn *turn, bool is_urgent)
{
    pthread_mutex_lock(&turn->lock);
    if (turn->is_taken) {
        wait_in(turn, is_urgent ? &turn->urgent : &turn->ordinary);
    }
    turn->is_taken = true;
    pthread_mutex_unlock(&turn->lock);
}

void turn_give(struct turn *turn)
{
    struct waiter *next;

    pthread_mutex_lock(&turn->lock);
    assert(turn->is_taken);
    next = leave(&turn->urgent);
    next = next ? next : leave(&turn->ordinary);
    turn->is_taken = next != NULL; /* handed over: nobody can come in between */
    if (next) {
        turn->waiting--;
        next->is_next = true;
        pthread_cond_signal(&next->go);
    }
    pthread_mutex_unlock(&turn->lock);
}

int turn_waiting(struct turn *turn)
{
    int waiting;

    pthread_mutex_lock(&turn->lock);
    waiting = turn->waiting;
    pthread_mutex_unlock(&turn->lock);
    return waiting;
}
