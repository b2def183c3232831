/* Records and bases as the store keeps them: what can be read comes back, and is written in one way only. */
#include "tests/fuzz/fuzz.h"

#include "core/fields.h"

static void fields_come_back(struct str input, struct arena *arena)
{
    struct fields fields, again;
    struct error err = {0};
    struct str text;

    if (fields_from_json(arena, input, &fields, &err) != OK) {
        MUST_HOLD(err.code == FAIL_STOP, "%s", err.message);
        return;
    }
    text = fields_to_json(arena, &fields);
    MUST_HOLD(fields_from_json(arena, text, &again, &err) == OK, "%s", err.message);
    MUST_HOLD(fields_equal(&fields, &again), "other fields");
    MUST_HOLD(str_equal(text, fields_to_json(arena, &again)), "another text");
}

static void bases_come_back(struct str input, struct arena *arena)
{
    struct base base, again;
    struct error err = {0};
    struct str text;

    if (base_from_json(arena, input, &base, &err) != OK) {
        MUST_HOLD(err.code == FAIL_STOP, "%s", err.message);
        return;
    }
    text = base_to_json(arena, &base);
    MUST_HOLD(base_from_json(arena, text, &again, &err) == OK, "%s", err.message);
    MUST_HOLD(fields_equal(&base.hub, &again.hub) && fields_equal(&base.remote, &again.remote),
              "another base");
}

void fuzz_one(struct str input)
{
    AUTO_ARENA struct arena arena = {0};

    fields_come_back(input, &arena);
    bases_come_back(input, &arena);
}
