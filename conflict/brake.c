#include "conflict/brake.h"

bool brake_stops_deletes(const struct brake_limits *limits, int64_t deletes, int64_t linked)
{
    int64_t percent = limits->deletes_percent;
    int64_t known = linked > 0 ? linked : 0;
    /* In two steps, so that no product leaves the range. */
    int64_t allowed = known / 100 * percent + known % 100 * percent / 100;

    return deletes > (allowed > limits->deletes_floor ? allowed : limits->deletes_floor);
}

bool brake_stops_empty(int64_t listed, int64_t linked)
{
    return listed == 0 && linked > BRAKE_EMPTY_FLOOR;
}
