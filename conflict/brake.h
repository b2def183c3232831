/* The brake: pure arithmetic that says when a change is a mass change. */
#ifndef CRMSYNC_CONFLICT_BRAKE_H
#define CRMSYNC_CONFLICT_BRAKE_H

#include <stdbool.h>
#include <stdint.h>

struct brake_limits {
    int64_t deletes_floor; /* deletes always allowed (25) */
    int deletes_percent;   /* of linked records (5) */
    int64_t updates_floor; /* updates always allowed (1000) */
    int updates_percent;   /* of linked records (30) */
};

/* True when so many deletes of so many linked records must wait for a person. */
bool brake_stops_deletes(const struct brake_limits *limits, int64_t deletes, int64_t linked);
/* The same for updates that one connection brought. */
bool brake_stops_updates(const struct brake_limits *limits, int64_t updates, int64_t linked);
enum { BRAKE_EMPTY_FLOOR = 10 };
/* True when a complete listing of nothing, where more than BRAKE_EMPTY_FLOOR records were linked, must not be believed. */
bool brake_stops_empty(int64_t listed, int64_t linked);

#endif
