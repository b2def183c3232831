/* Files of HubSpot's journal: whatever they hold, what they name can be asked for by id, and a message repeats nothing of them. */
#include "tests/fuzz/fuzz.h"

#include "adapters/hubspot_events.h"

static void check_name(const struct hubspot_name *name)
{
    MUST_HOLD(name->type_id.len > 0, "no type");
    MUST_HOLD(name->id.len > 0 && name->id.len <= 20, "an id of %zu bytes", name->id.len);
    for (size_t i = 0; i < name->id.len; i++) {
        MUST_HOLD(name->id.at[i] >= '0' && name->id.at[i] <= '9', "byte %d in an id",
                  name->id.at[i]);
    }
}

void fuzz_one(struct str input)
{
    AUTO_ARENA struct arena arena = {0};
    struct hubspot_entry entry = {0};
    struct error err = {0};

    if (hubspot_journal_parse(input, STR("4242"), &arena, &entry, &err) != OK) {
        MUST_HOLD(err.code == FAIL_RECORD && err.message[0], "%d: %s", err.code, err.message);
        return;
    }
    for (size_t i = 0; i < entry.count; i++) {
        check_name(&entry.names[i]);
    }
}
