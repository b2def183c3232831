/* Foreign JSON: both of our readers and jansson's own agree on what is JSON and what it says. */
#include "tests/fuzz/fuzz.h"

#include "core/jscan.h"
#include "core/jx.h"

enum { FLAGS = JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL };

/* jansson passes over a zero byte behind a number, and refuses a document for a number beyond its range, which we take as a text. */
static void agrees_with_jansson(struct str input, const json_t *tree, struct arena *arena)
{
    json_error_t where;
    json_t *theirs;

    if (input.len && memchr(input.at, '\0', input.len)) {
        return;
    }
    theirs = jx_own(arena, json_loadb(input.at ? input.at : "", input.len, FLAGS, &where));
    if (theirs) {
        MUST_HOLD(tree && json_equal(tree, (json_t *)theirs), "jansson reads something else");
    } else if (tree) {
        MUST_HOLD(json_error_code(&where) == json_error_numeric_overflow, "jansson: %s",
                  where.text);
    }
}

static void comes_back(const json_t *tree, struct arena *arena)
{
    struct error err = {0};
    json_t *again;

    MUST_HOLD(jx_parse(arena, jx_text(arena, tree), &again, &err) == OK, "%s", err.message);
    MUST_HOLD(str_equal(jx_text(arena, tree), jx_text(arena, again)), "text of the text");
}

/* The scanner reads keys as they are written, and objects of some hundred members at most. */
static void agrees_with_scanner(struct str input, const json_t *tree)
{
    AUTO_JSCAN struct jscan scan = {0};
    bool is_read = jscan_read(&scan, input);

    if (input.len < JSCAN_MEMBERS_MAX && (!input.len || !memchr(input.at, '\\', input.len))) {
        MUST_HOLD(is_read == (tree != NULL), "the scanner sees it otherwise");
    }
}

void fuzz_one(struct str input)
{
    AUTO_ARENA struct arena arena = {0};
    struct error err = {0};
    json_t *tree = NULL;

    if (jx_parse(&arena, input, &tree, &err) != OK) {
        MUST_HOLD(err.code == FAIL_RETRY && !tree, "%s", err.message);
        if (str_starts(str_of(err.message), STR("JSON is nested"))) {
            return;
        }
    } else {
        comes_back(tree, &arena);
    }
    agrees_with_jansson(input, tree, &arena);
    agrees_with_scanner(input, tree);
}
