#include "core/advice.h"

enum { TEXT_BYTES_MAX = 64 * 1024 };

/* At the beginning, between quotes, or behind a colon; elsewhere it is the product's name. */
static bool is_command(struct str text, size_t at)
{
    struct str before = str_slice(text, 0, at), rest = str_slice(text, at, text.len);

    return str_starts(rest, STR("crmsync ")) && !str_starts(rest, STR("crmsync --tenant ")) &&
           (at == 0 || str_ends(before, STR("'")) || str_ends(before, STR(": ")));
}

struct str advice_for_tenant(struct arena *arena, struct str tenant, struct str text)
{
    const struct str name = STR("crmsync ");
    AUTO_BUF struct buf to = {0};

    if (tenant.len == 0 || str_equal(tenant, STR("default"))) {
        return text;
    }
    buf_init(&to, TEXT_BYTES_MAX);
    for (size_t i = 0; i < text.len; i++) {
        if (is_command(text, i)) {
            buf_addf(&to, "crmsync --tenant %" PRI_STR " ", STR_ARG(tenant));
            i += name.len - 1;
        } else {
            buf_add_char(&to, text.at[i]);
        }
    }
    return to.is_full ? text : arena_str(arena, buf_str(&to));
}
