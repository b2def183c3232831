#include "cli/config_metrics.h"

static const char *const KEYS[] = {"public", NULL};

enum fail config_metrics_read(const struct yx_node *root, bool *ret_are_public, struct error *err)
{
    const struct yx_node *node = yx_get(root, "metrics");

    *ret_are_public = false;
    if (!node || yx_is_null(node)) {
        return OK;
    }
    return yx_only(node, KEYS, err) == OK ? yx_bool_or(node, "public", false, ret_are_public, err)
                                          : err->code;
}
