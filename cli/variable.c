#include "cli/variable.h"

#include <stdlib.h>

#include "core/alloc.h"

bool variable_is_one(struct str text)
{
    return text.len > 3 && str_starts(text, STR("${")) && str_ends(text, STR("}"));
}

enum fail variable_read(struct str written, const char *what, const char *otherwise,
                        struct secret *ret, struct error *err)
{
    struct str name = str_slice(written, 2, written.len - 1);
    AUTO_FREE char *variable = alloc_printf("%" PRI_STR, STR_ARG(name));
    const char *value = getenv(variable);

    if (!value || !value[0]) {
        error_set(err, FAIL_CONFIG, "environment variable %s, named as %s, is not set", variable,
                  what);
        return error_hint(err, "export %s=…, or %s", variable, otherwise);
    }
    secret_set(ret, str_trim(str_of(value)));
    return OK;
}
