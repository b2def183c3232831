/* A line between our HTTP client and the CRMs on which the n-th call goes wrong, in one of the ways in which calls go wrong. */
#ifndef CRMSYNC_TESTS_SCENARIOS_FAULTY_H
#define CRMSYNC_TESTS_SCENARIOS_FAULTY_H

#include "tests/simulation/world.h"

enum line_fault {
    LINE_REFUSED,      /* nobody takes the connection */
    LINE_RESET_BEFORE, /* the connection dies, nothing is applied */
    LINE_RESET_AFTER,  /* it is applied, and the connection dies without an answer */
    LINE_HANGS_BEFORE, /* no answer until the client gives up, nothing is applied */
    LINE_HANGS_AFTER,  /* the same, but it is applied */
    LINE_CUT,          /* applied; the connection dies in the middle of the answer */
    LINE_UNAVAILABLE,  /* 503 of something before the CRM, nothing is applied */
    LINE_THROTTLED,    /* 429 of the same */
    LINE_PAGE,         /* 200 with a page for people, nothing is applied */
    LINE_NO_JSON,      /* applied; the answer's body is something else */
    LINE_HALF_JSON,    /* applied; half of the body, and the answer ends as if that were all */
    LINE_EMPTY,        /* applied; the answer has no body */
    LINE_FAULTS
};

struct faulty;

/* Between new and free every call to a CRM goes through it; the world is freed after it. */
struct faulty *faulty_new(struct world *world);
void faulty_free(struct faulty *faulty);
/* The call-th call from now on (1: the next), and then all calls to the same host for lasts_ms (0: it alone). */
void faulty_set(struct faulty *faulty, enum line_fault fault, int64_t call, int64_t lasts_ms);
int64_t faulty_calls(const struct faulty *faulty);  /* so far */
int64_t faulty_struck(const struct faulty *faulty); /* of them, since faulty_set() */
const char *line_fault_name(enum line_fault fault);

#endif
