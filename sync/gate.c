#include "sync/gate.h"

static const char *const NAMES[] = {
    [CHANGE_CREATE] = "create",   [CHANGE_UPDATE] = "update",     [CHANGE_DELETE] = "delete",
    [CHANGE_LINK] = "link",       [CHANGE_UNLINK] = "unlink",     [CHANGE_MERGE] = "merge",
    [CHANGE_RESTORE] = "restore", [CHANGE_CONFLICT] = "conflict", [CHANGE_ENTER] = "enter",
    [CHANGE_LEAVE] = "leave",
};

const char *change_op_name(enum change_op op)
{
    return NAMES[op];
}

bool change_op_parse(struct str text, enum change_op *ret)
{
    for (size_t i = 0; i < COUNT_OF(NAMES); i++) {
        if (str_equal(text, str_of(NAMES[i]))) {
            *ret = (enum change_op)i;
            return true;
        }
    }
    return false;
}
