/* What the standard objects do by themselves when they are saved. Source: object reference, one page for each. */
#include "simulators/salesforce_inside.h"

/* --- people ------------------------------------------------------------------------------------ */

/* The salutation is no part of it. */
static void put_name(struct sf_unit *unit, struct sf_write *write)
{
    static const char *const parts[] = {"FirstName", "MiddleName", "LastName", "Suffix"};
    struct str name = STR("");

    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        struct str part = sf_write_value(write, parts[i]);

        if (part.len) {
            name = arena_printf(unit->arena, "%" PRI_STR "%s%" PRI_STR, STR_ARG(name),
                                name.len ? " " : "", STR_ARG(part));
        }
    }
    sf_write_put(unit, write, "Name", name);
}

/* --- all --------------------------------------------------------------------------------------- */

bool sf_rules_before(struct sf_unit *unit, struct sf_write *write, struct sf_error *err)
{
    (void)err;
    if (write->object->flags & SF_IS_PERSON) {
        put_name(unit, write);
    }
    return true;
}

void sf_rules_after(struct sf_unit *unit, struct sf_record *record)
{
    (void)unit;
    (void)record;
}
