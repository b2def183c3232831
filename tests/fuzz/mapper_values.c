/* Values of people and files into normal form: what is normal stays as it is. */
#include "tests/fuzz/fuzz.h"

#include "core/unicode.h"
#include "mapper/inside.h"
#include "mapper/kind.h"
#include "mapper/normal.h"

enum { TYPES = TYPE_REFERENCE_LIST + 1 };

static void stays(enum field_type type, struct str input, struct arena *arena)
{
    struct kind_field field = {.name = STR("x"), .label = STR("X"), .type = type};
    struct value value, again;
    struct error err = {0};

    if (field_value_parse(&field, input, arena, &value, &err) != OK) {
        MUST_HOLD(err.code == FAIL_RECORD && err.message[0], "%s", err.message);
        return;
    }
    if (value.state != VALUE_TEXT) {
        return;
    }
    MUST_HOLD(field_value_parse(&field, value.text, arena, &again, &err) == OK,
              "%s: '%" PRI_STR "' is no normal form: %s", field_type_name(type),
              STR_ARG(value.text), err.message);
    MUST_HOLD(value_equal(&value, &again), "%s: '%" PRI_STR "' became another",
              field_type_name(type), STR_ARG(value.text));
}

static void phones(struct str input, struct arena *arena)
{
    struct str normal = normal_phone(input, STR("49"), arena);

    MUST_HOLD(str_equal(normal_phone(normal, STR("49"), arena), normal), "'%" PRI_STR "'",
              STR_ARG(normal));
    (void)phone_for_people(normal, arena);
}

static void lines(struct str input, struct arena *arena)
{
    struct str line = normal_line(input, arena), domain = normal_domain(input, arena);

    MUST_HOLD(str_equal(normal_line(line, arena), line), "'%" PRI_STR "'", STR_ARG(line));
    MUST_HOLD(str_equal(normal_domain(domain, arena), domain), "'%" PRI_STR "'", STR_ARG(domain));
    MUST_HOLD(str_equal(utf8_fold(arena, utf8_fold(arena, input)), utf8_fold(arena, input)),
              "folding");
}

void fuzz_one(struct str input)
{
    AUTO_ARENA struct arena arena = {0};

    for (int type = 0; type < TYPES; type++) {
        stays((enum field_type)type, input, &arena);
    }
    if (utf8_is_valid(input)) {
        phones(input, &arena);
        lines(input, &arena);
    }
}
