#include "conflict/brake.h"

bool brake_stops_deletes(const struct brake_limits *limits, int64_t deletes, int64_t linked)
{
    int64_t share =
        linked / 100 * limits->deletes_percent + linked % 100 * limits->deletes_percent / 100;
    int64_t allowed = share > limits->deletes_floor ? share : limits->deletes_floor;

    return deletes > allowed;
}

bool brake_stops_empty(int64_t listed, int64_t linked)
{
    return listed == 0 && linked > 10;
}
