/* What the receiver counts, for metrics and status. Every delivery ends in exactly one of accepted, repeated and refused. */
#ifndef CRMSYNC_WEBHOOKS_COUNTS_H
#define CRMSYNC_WEBHOOKS_COUNTS_H

#include <stdint.h>

enum receive_refusal {
    REFUSED_UNKNOWN,   /* 404: no such connection, or one without webhooks */
    REFUSED_METHOD,    /* 405 */
    REFUSED_TYPE,      /* 415: content type or coding */
    REFUSED_SIZE,      /* 413 */
    REFUSED_FORGED,    /* 401 */
    REFUSED_STALE,     /* 401: signed too long ago or too far ahead */
    REFUSED_NOT_READY, /* 503: no secret to hold it against */
    REFUSED_RATE,      /* 429 */
    REFUSED_MALFORMED, /* 400 */
    REFUSED_FULL,      /* 503: the queue to the store is full */
    REFUSED_STORE,     /* 503: the store does not take it */
    RECEIVE_REFUSALS
};
/* "unknown", "method", …: labels of metrics */
const char *receive_refusal_name(enum receive_refusal refusal);

/* Upper bounds of the classes of times, in ms; one more class holds what took longer. */
enum { RECEIVE_TIMES = 10 };
extern const int64_t receive_time_bounds_ms[RECEIVE_TIMES];

struct receive_times {
    int64_t classes[RECEIVE_TIMES + 1];
    int64_t count, sum_ms, longest_ms;
};
void receive_times_add(struct receive_times *times, int64_t ms);

/* Of one connection since the start. */
struct receive_counts {
    int64_t accepted;                  /* made durable, or nothing in it was for us */
    int64_t repeated;                  /* the same signed delivery again, answered as before */
    int64_t refused[RECEIVE_REFUSALS]; /* REFUSED_UNKNOWN is in the totals only */
    int64_t heard;                     /* single pieces of news in accepted deliveries */
    int64_t stored;                    /* events that were new to the inbox */
    int64_t known;                     /* events that were in it */
    int64_t ignored;                   /* pieces of news of no kind of ours */
    int64_t last_accepted_ms;          /* wall clock; 0 never */
};

/* Of all of them. */
struct receive_totals {
    int64_t unknown; /* REFUSED_UNKNOWN */
    int64_t queue_deliveries, queue_bytes;
    struct receive_times answers; /* from the complete request to the answer of accepted ones */
    struct receive_times commits;
};

#endif
