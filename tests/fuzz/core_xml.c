/* XML of strangers; and texts that we put into XML come back as they were. */
#include "tests/fuzz/fuzz.h"

#include "core/unicode.h"
#include "core/xx.h"

static void texts_come_back(struct str input, struct arena *arena)
{
    AUTO_BUF struct buf xml;
    const struct xx_node *root;
    struct error err = {0};

    buf_init(&xml, XX_BYTES_MAX);
    xx_put_element(&xml, "a", input);
    if (xml.is_full) {
        return;
    }
    MUST_HOLD(xx_parse(arena, buf_str(&xml), &root, &err) == OK, "%s", err.message);
    MUST_HOLD(!xx_first(root), "an element came of a text");
    for (size_t i = 0; i < input.len; i++) {
        if ((unsigned char)input.at[i] < 0x20 || (unsigned char)input.at[i] >= 0x7f) {
            return; /* what XML cannot hold is replaced, and line ends are made one */
        }
    }
    MUST_HOLD(str_equal(xx_text(root), input), "another text");
}

static void walk(const struct xx_node *node, int depth)
{
    MUST_HOLD(depth <= XX_DEPTH_MAX, "deeper than may be");
    MUST_HOLD(utf8_is_valid(xx_text(node)) && utf8_is_valid(xx_name(node)), "only UTF-8");
    for (const struct xx_node *inner = xx_first(node); inner; inner = xx_next(inner)) {
        walk(inner, depth + 1);
    }
}

void fuzz_one(struct str input)
{
    AUTO_ARENA struct arena arena = {0};
    const struct xx_node *root;
    struct error err = {0};

    if (xx_parse(&arena, input, &root, &err) == OK) {
        walk(root, 1);
    } else {
        MUST_HOLD(err.code == FAIL_RETRY || err.code == FAIL_RECORD, "%s", err.message);
    }
    texts_come_back(input, &arena);
}
