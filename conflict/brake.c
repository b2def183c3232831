#include "conflict/brake.h"

static bool is_more(int64_t count, int64_t floor, int percent, int64_t linked)
{
    int64_t known = linked > 0 ? linked : 0;
    /* In two steps, so that no product leaves the range. */
    int64_t allowed = known / 100 * percent + known % 100 * percent / 100;

    return count > (allowed > floor ? allowed : floor);
}

bool brake_stops_deletes(const struct brake_limits *limits, int64_t deletes, int64_t linked)
{
    return is_more(deletes, limits->deletes_floor, limits->deletes_percent, linked);
}

bool brake_stops_updates(const struct brake_limits *limits, int64_t updates, int64_t linked)
{
    return is_more(updates, limits->updates_floor, limits->updates_percent, linked);
}

bool brake_stops_empty(int64_t listed, int64_t linked)
{
    return listed == 0 && linked > BRAKE_EMPTY_FLOOR;
}
