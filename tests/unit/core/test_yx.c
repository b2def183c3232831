/* YAML: every error names file, line and column; nothing a file holds may harm us. */
#include "tests/expect.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/yx.h"

static struct yx_document *load(const char *text)
{
    struct yx_document *document = NULL;
    struct error err = {0};

    EXPECT(yx_load_text(str_of(text), "f.yaml", &document, &err) == OK, "%s", err.message);
    return document;
}

static const struct yx_node *at(const struct yx_document *document, const char *key)
{
    const struct yx_node *node = yx_get(yx_root(document), key);

    EXPECT(node, "'%s' is there", key);
    return node;
}

static void refused(const char *text, const char *message)
{
    struct yx_document *document = (struct yx_document *)&refused;
    struct error err = {0};

    EXPECT(yx_load_text(str_of(text), "f.yaml", &document, &err) == FAIL_CONFIG, "refused: %s",
           text);
    EXPECT(str_starts(str_of(err.message), str_of(message)), "for '%s' wanted '%s', got '%s'", text,
           message, err.message);
    EXPECT(document == (struct yx_document *)&refused, "nothing returned");
}

static void documents_are_walked_in_order(void **state)
{
    AUTO_YX struct yx_document *document =
        load("b: 1\na: [x, 'y', {k: v}]\nc: {}\n\"d e\": |\n  two\n  lines\n");
    const struct yx_node *root = yx_root(document), *list;

    (void)state;
    EXPECT(yx_type(root) == YX_MAPPING && yx_count(root) == 4, "four members");
    EXPECT_STR(yx_text(yx_key_at(root, 0)), STR("b"), "file order");
    EXPECT_STR(yx_text(yx_value_at(root, 3)), STR("two\nlines\n"), "block text");
    list = at(document, "a");
    EXPECT(yx_type(list) == YX_SEQUENCE && yx_count(list) == 3, "list");
    EXPECT(!yx_is_quoted(yx_item(list, 0)) && yx_is_quoted(yx_item(list, 1)), "quotes are seen");
    EXPECT_STR(yx_text(yx_get(yx_item(list, 2), "k")), STR("v"), "flow mapping");
    EXPECT(yx_get(root, "z") == NULL && yx_get(list, "z") == NULL, "absent");
    EXPECT_STR(yx_text(list), STR(""), "a list has no text");
}

static void empty_files_are_empty_mappings(void **state)
{
    static const char *const EMPTY[] = {"", "\n", "# only a comment\n", "---\n"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(EMPTY); i++) {
        AUTO_YX struct yx_document *document = load(EMPTY[i]);

        EXPECT(yx_count(yx_root(document)) == 0, "'%s'", EMPTY[i]);
    }
}

static void nulls(void **state)
{
    AUTO_YX struct yx_document *document =
        load("a:\nb: ~\nc: null\nd: ''\ne: 'null'\nf: x\ng: {}\nh: []\n");
    static const char *const KEYS[] = {"a", "b", "c", "d", "e", "f", "g", "h"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(KEYS); i++) {
        EXPECT(yx_is_null(at(document, KEYS[i])) == (i < 3), "%s", KEYS[i]);
    }
}

static void aliases_and_merges(void **state)
{
    AUTO_YX struct yx_document *document =
        load("base: &b {x: 1, y: 2}\nmore: &m {z: 3, x: 9}\nuse: {<<: *b, y: 5}\nboth:\n  <<: [*b, "
             "*m]\n  w: *b\nplain: {'<<': 1}\n");
    const struct yx_node *use = at(document, "use"), *both = at(document, "both");

    (void)state;
    EXPECT_STR(yx_text(yx_get(use, "x")), STR("1"), "merged in");
    EXPECT_STR(yx_text(yx_get(use, "y")), STR("5"), "own value wins");
    EXPECT_STR(yx_text(yx_get(both, "x")), STR("1"), "the first of the list wins");
    EXPECT_STR(yx_text(yx_get(both, "z")), STR("3"), "the second fills up");
    EXPECT_STR(yx_text(yx_get(yx_get(both, "w"), "y")), STR("2"), "alias as value");
    EXPECT(yx_get(at(document, "plain"), "<<") != NULL, "quoted it is a key like any other");
}

static void bad_files_are_refused_with_position(void **state)
{
    static const struct {
        const char *text, *message;
    } ROWS[] = {
        {"a: 1\nb: 2\na: 3\n", "f.yaml:3:1: 'a' stands here twice"},
        {"x:\n  k: 1\n  'k': 2\n", "f.yaml:3:3: 'k' stands here twice"},
        {"a: *nowhere\n", "f.yaml:1:4: no anchor 'nowhere' above this alias"},
        {"a: &a [*a]\n", "f.yaml:1:8: 'a' would contain itself"},
        {"a: &a\n  b: {c: *a}\n", "f.yaml:2:10: 'a' would contain itself"},
        {"a: {<<: 5}\n", "f.yaml:1:5: '<<' needs a mapping"},
        {"a: {<<: [[{b: c}]]}\n", "f.yaml:1:5: '<<' needs a mapping"},
        {"? [1, 2]\n: x\n", "f.yaml:1:3: a key must be plain text"},
        {"a: !include other.yaml\n", "f.yaml:1:"},
        {"a: 1\n---\nb: 2\n", "f.yaml:1:1: the file holds more than one document"},
        {"a: 1\n\tb: 2\n", "f.yaml:1:4: invalid multiline"},
        {"a: [1, 2\nb: 3\n", "f.yaml:"},
        {"a: 'open\n", "f.yaml:"},
        {"a: b: c\n", "f.yaml:1:"},
        {"a: \"\\q\"\n", "f.yaml:1:"},
        {"ok: 1\na: \xff\n", "f.yaml:2:4: this byte is not UTF-8"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        refused(ROWS[i].text, ROWS[i].message);
    }
}

static void syntax_errors_show_the_line(void **state)
{
    struct yx_document *document;
    struct error err = {0};

    (void)state;
    EXPECT(yx_load_text(STR("ok: 1\nbad: b: c\n"), "f.yaml", &document, &err) == FAIL_CONFIG,
           "refused");
    EXPECT(str_contains(str_of(err.message), STR("\n  | bad: b: c\n  | ")), "the line: %s",
           err.message);
    EXPECT(str_ends(str_of(err.message), STR("^")), "and a caret: %s", err.message);
    EXPECT(err.hint[0], "and a hint");
}

static void bombs_are_refused(void **state)
{
    AUTO_BUF struct buf text = {0};

    (void)state;
    buf_init(&text, 1 << 20);
    buf_add(&text, STR("a: &a x\nb: [*a"));
    for (int i = 1; i <= YX_ALIASES_MAX; i++) {
        buf_add(&text, STR(",*a"));
    }
    buf_add(&text, STR("]\n"));
    refused(text.at, "f.yaml:2:197: more than 64 aliases");
    buf_reset(&text);
    buf_add(&text, STR("l0: &l0 [x]\n"));
    for (int level = 1; level < 8; level++) {
        buf_addf(&text, "l%d: &l%d [*l%d", level, level, level - 1);
        for (int i = 0; i < 9; i++) {
            buf_addf(&text, ",*l%d", level - 1);
        }
        buf_add(&text, STR("]\n"));
    }
    refused(text.at, "f.yaml:7:9: holds more than 1000000 values");
    buf_reset(&text);
    buf_add(&text, STR("l0: &l0 [x, x, x, x, x, x, x, x]\n"));
    for (int level = 1; level <= 20; level++) {
        buf_addf(&text, "l%d: &l%d [*l%d,*l%d,*l%d]\n", level, level, level - 1, level - 1,
                 level - 1);
    }
    refused(text.at, "f.yaml:12:11: holds more than 1000000 values");
}

static void depth_and_size_have_limits(void **state)
{
    AUTO_BUF struct buf text = {0};

    (void)state;
    buf_init(&text, YX_FILE_BYTES_MAX + 100);
    for (int depth = YX_DEPTH_MAX; depth <= YX_DEPTH_MAX + 1; depth++) {
        struct yx_document *document = NULL;
        struct error err = {0};

        buf_reset(&text);
        for (int i = 0; i < depth; i++) {
            buf_add_char(&text, '[');
        }
        for (int i = 0; i < depth; i++) {
            buf_add_char(&text, ']');
        }
        EXPECT((yx_load_text(buf_str(&text), "f", &document, &err) == OK) ==
                   (depth == YX_DEPTH_MAX),
               "depth %d: %s", depth, err.message);
        yx_free(document);
    }
    buf_reset(&text);
    while (text.len <= YX_FILE_BYTES_MAX) {
        buf_add(&text, STR("# a comment that fills the file\n"));
    }
    refused(text.at, "f.yaml is larger than 4194304 bytes");
}

static void nul_bytes_are_refused(void **state)
{
    struct yx_document *document;
    struct error err = {0};

    (void)state;
    EXPECT(yx_load_text((struct str){"a: 1\0b: 2", 9}, "f", &document, &err) == FAIL_CONFIG, "NUL");
}

static void files(void **state)
{
    char path[] = "/tmp/crmsync_test_yx_XXXXXX";
    struct yx_document *document = NULL;
    struct error err = {0};
    int fd = mkstemp(path);

    (void)state;
    EXPECT(fd >= 0 && write(fd, "a: 5\nb: [\n", 10) == 10 && close(fd) == 0, "wrote");
    EXPECT(yx_load_file(path, &document, &err) == FAIL_CONFIG &&
               str_starts(str_of(err.message), str_of(path)),
           "names the file: %s", err.message);
    EXPECT(truncate(path, 5) == 0 && yx_load_file(path, &document, &err) == OK, "%s", err.message);
    EXPECT_STR(yx_text(at(document, "a")), STR("5"), "read");
    yx_free(document);
    unlink(path);
    EXPECT(yx_load_file(path, &document, &err) == FAIL_CONFIG && err.hint[0], "no such file");
    EXPECT_STR(str_slice(str_of(err.message), 0, 11), STR("cannot read"), "says so");
    EXPECT(yx_load_file("/tmp", &document, &err) == FAIL_CONFIG, "a directory is no file");
}

static void typed_readers(void **state)
{
    AUTO_YX struct yx_document *document =
        load("s: text\nn: 42\nt: true\nd: 90s\ne:\nl: [1]\nbad: 4x\n");
    const struct yx_node *root = yx_root(document);
    struct error err = {0};
    struct str text;
    int64_t number;
    bool flag;

    (void)state;
    EXPECT(yx_str(root, "s", &text, &err) == OK && str_equal(text, STR("text")), "text");
    EXPECT(yx_i64_or(root, "n", 0, &number, &err) == OK && number == 42, "number");
    EXPECT(yx_bool_or(root, "t", false, &flag, &err) == OK && flag, "boolean");
    EXPECT(yx_duration_ms_or(root, "d", 0, &number, &err) == OK && number == 90000, "duration");
    EXPECT(yx_str_or(root, "e", STR("else"), &text, &err) == OK && str_equal(text, STR("else")),
           "null is missing");
    EXPECT(yx_i64_or(root, "zz", 7, &number, &err) == OK && number == 7, "missing");
    EXPECT(yx_bool_or(root, "zz", true, &flag, &err) == OK && flag, "missing");
    EXPECT(yx_duration_ms_or(root, "zz", 7, &number, &err) == OK && number == 7, "missing");
    EXPECT(yx_str(root, "zz", &text, &err) == FAIL_CONFIG, "required");
    EXPECT_STR(str_of(err.message), STR("f.yaml:1:1: 'zz' is missing here"),
               "where it should stand");
    EXPECT(yx_str(root, "l", &text, &err) == FAIL_CONFIG, "a list is no text");
    EXPECT_STR(str_of(err.message), STR("f.yaml:6:4: 'l' must be text"), "position");
    EXPECT(yx_i64_or(root, "bad", 0, &number, &err) == FAIL_CONFIG, "number");
    EXPECT_STR(str_of(err.message), STR("f.yaml:7:6: 'bad' must be a whole number"), "position");
    EXPECT(yx_bool_or(root, "n", false, &flag, &err) == FAIL_CONFIG &&
               yx_duration_ms_or(root, "bad", 0, &number, &err) == FAIL_CONFIG,
           "others");
    EXPECT(yx_duration_ms_or(root, "l", 0, &number, &err) == FAIL_CONFIG &&
               yx_i64_or(root, "l", 0, &number, &err) == FAIL_CONFIG,
           "lists");
}

static void words_and_known_keys(void **state)
{
    static const char *const WORDS[] = {"both", "in", "out", NULL}, *const KEYS[] = {
                                                                        "store", "listen",
                                                                        "tenants", NULL};
    AUTO_YX struct yx_document *document = load("store: out\nlisten: inn\ntenants: {}\n");
    AUTO_YX struct yx_document *empty = load("store:\n");
    AUTO_YX struct yx_document *typo = load("store: 1\ntenant: 2\n");
    AUTO_YX struct yx_document *alien = load("webhookverification: 2\n");
    struct error err = {0};
    size_t index = 9;

    (void)state;
    EXPECT(yx_word(at(document, "store"), WORDS, &index, &err) == OK && index == 2, "out");
    EXPECT(yx_word(at(document, "listen"), WORDS, &index, &err) == FAIL_CONFIG, "inn");
    EXPECT_STR(str_of(err.message), STR("f.yaml:2:9: 'inn' is not one of: both, in, out"),
               "lists them");
    EXPECT(yx_word(at(document, "tenants"), WORDS, &index, &err) == FAIL_CONFIG,
           "a mapping is no word");
    EXPECT(yx_only(yx_root(document), KEYS, &err) == OK, "all known");
    EXPECT(yx_only(at(empty, "store"), KEYS, &err) == OK, "nothing is an empty mapping");
    EXPECT(yx_only(at(document, "store"), KEYS, &err) == FAIL_CONFIG, "text is no mapping");
    EXPECT_STR(str_of(err.message), STR("f.yaml:1:8: here must stand a mapping (key: value)"),
               "says so");
    EXPECT(yx_only(yx_root(typo), KEYS, &err) == FAIL_CONFIG, "unknown");
    EXPECT_STR(str_of(err.message),
               STR("f.yaml:2:1: unknown key 'tenant'; did you mean 'tenants'?"), "nearest");
    EXPECT(yx_only(yx_root(alien), KEYS, &err) == FAIL_CONFIG, "unknown");
    EXPECT_STR(str_of(err.message), STR("f.yaml:1:1: unknown key 'webhookverification'"),
               "nothing near");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(documents_are_walked_in_order),
        cmocka_unit_test(empty_files_are_empty_mappings),
        cmocka_unit_test(nulls),
        cmocka_unit_test(aliases_and_merges),
        cmocka_unit_test(bad_files_are_refused_with_position),
        cmocka_unit_test(syntax_errors_show_the_line),
        cmocka_unit_test(bombs_are_refused),
        cmocka_unit_test(depth_and_size_have_limits),
        cmocka_unit_test(nul_bytes_are_refused),
        cmocka_unit_test(files),
        cmocka_unit_test(typed_readers),
        cmocka_unit_test(words_and_known_keys),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
