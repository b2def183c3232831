/* XML: what is read, what is refused before it can do harm, and that what is written comes back. */
#include <stdlib.h>

#include "core/alloc.h"
#include "core/random.h"
#include "core/xx.h"
#include "tests/expect.h"

static const struct xx_node *parsed(struct arena *arena, struct str text)
{
    const struct xx_node *root = NULL;
    struct error err = {0};

    if (xx_parse(arena, text, &root, &err)) {
        fail_msg("%.60s: %s", text.at, err.message);
    }
    return root;
}

static void names_texts_and_attributes_are_read(void **state)
{
    AUTO_ARENA struct arena arena = {0};
    const struct xx_node *root = parsed(
        &arena,
        STR("\xef\xbb\xbf<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"
            "<e:Envelope xmlns:e=\"urn:envelope\" xmlns=\"urn:body\" e:kind=\"A&amp;B\" kind='x'>"
            "<!-- no --><?php no?><Body> a &lt;b&gt; &#65;&#x42; <![CDATA[<c> & d]]></Body>"
            "<Body xmlns=\"\">second<deep/>!</Body></e:Envelope>"));
    const struct xx_node *first, *second;
    struct error err = {0};

    (void)state;
    assert_true(xx_is(root, "urn:envelope", "Envelope"));
    assert_false(xx_is(root, "urn:body", "Envelope"));
    assert_true(xx_is(root, NULL, "Envelope"));
    EXPECT_STR(xx_attribute(root, "urn:envelope", "kind"), STR("A&B"), "with a prefix");
    EXPECT_STR(xx_attribute(root, "", "kind"), STR("x"), "without");
    assert_null(xx_attribute(root, "", "none").at);
    first = xx_first(root);
    EXPECT_STR(xx_space(first), STR("urn:body"), "default namespace");
    EXPECT_STR(xx_text(first), STR(" a <b> AB <c> & d"), "text");
    second = xx_next(first);
    assert_ptr_equal(second, xx_child(root, "", "Body"));
    EXPECT_STR(xx_text(second), STR("second!"), "text around a child");
    assert_true(xx_is(xx_first(second), "", "deep"));
    EXPECT_STR(xx_text(xx_first(second)), STR(""), "no text");
    assert_null(xx_next(second));
    assert_int_equal(xx_need(root, "urn:body", "Header", &first, &err), FAIL_RECORD);
    assert_string_equal(err.message, "Envelope: no element 'Header'");
    assert_int_equal(xx_need(root, "", "Body", &first, &err), OK);
    assert_ptr_equal(first, second);
}

struct wrong {
    const char *text;
    enum fail code;
    const char *message;
};

static const struct wrong wrongs[] = {
    {"", FAIL_RETRY, "empty"},
    {"{}", FAIL_RETRY, "line 1"},
    {"<a>", FAIL_RETRY, "line 1"},
    {"<a>\n</b>", FAIL_RETRY, "line 2"},
    {"<a/><b/>", FAIL_RETRY, "line 1"},
    {"<a x=1/>", FAIL_RETRY, "line 1"},
    {"<a x='1' x='2'/>", FAIL_RETRY, "line 1"},
    {"<p:a/>", FAIL_RETRY, "line 1"},
    {"<a>&b;</a>", FAIL_RETRY, "line 1"},
    {"<a x='&b;'/>", FAIL_RETRY, "line 1"},
    {"<a>\xff</a>", FAIL_RETRY, "line 1"},
    {"<a>\x01</a>", FAIL_RETRY, "line 1"},
    {"<a>&#1;</a>", FAIL_RETRY, "line 1"},
    {"<a>&#0;</a>", FAIL_RETRY, "line 1"},
    {"<!DOCTYPE a><a/>", FAIL_RECORD, "document type"},
    {"<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><a/>", FAIL_RECORD, "document type"},
    {"<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><a>&x;</a>", FAIL_RECORD,
     "document type"},
    {"<!DOCTYPE a [<!ENTITY % x SYSTEM \"http://127.0.0.1:9/\"> %x;]><a/>", FAIL_RECORD,
     "document type"},
    {"<!DOCTYPE a [<!ATTLIST a b CDATA 'c'>]><a/>", FAIL_RECORD, "document type"},
    {"<?xml version='1.0' encoding='ISO-8859-1'?><a>\xe4</a>", FAIL_RECORD, "encoding"},
    {"<?xml version='1.0' encoding='UTF-16'?><a/>", FAIL_RETRY, "line 1"},
};

static void wrong_documents_say_why(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(wrongs); i++) {
        AUTO_ARENA struct arena arena = {0};
        const struct xx_node *root = NULL;
        struct error err = {0};

        EXPECT(xx_parse(&arena, str_of(wrongs[i].text), &root, &err) == wrongs[i].code,
               "%s: code %d %s", wrongs[i].text, (int)err.code, err.message);
        EXPECT(strstr(err.message, wrongs[i].message), "%s: %s", wrongs[i].text, err.message);
        assert_null(root);
    }
}

/* before, then part count times, then after. */
static struct str repeated(struct arena *arena, const char *before, const char *part, size_t count,
                           const char *after)
{
    AUTO_BUF struct buf text;

    buf_init(&text, 64 * 1024 * 1024);
    buf_add(&text, str_of(before));
    for (size_t i = 0; i < count; i++) {
        buf_add(&text, str_of(part));
    }
    buf_add(&text, str_of(after));
    return arena_str(arena, buf_str(&text));
}

static void expect_refused(struct str text, const char *why)
{
    AUTO_ARENA struct arena arena = {0};
    const struct xx_node *root = NULL;
    struct error err = {0};

    EXPECT(xx_parse(&arena, text, &root, &err) == FAIL_RECORD, "%s: code %d %s", why, (int)err.code,
           err.message);
    EXPECT(strstr(err.message, why), "wanted '%s': %s", why, err.message);
    EXPECT(arena.used_bytes < 64 * 1024 * 1024, "%s: took %zu bytes", why, arena.used_bytes);
}

static void bombs_are_refused(void **state)
{
    AUTO_ARENA struct arena arena = {0};
    struct str utf16 = {.at = "<\0a\0/\0>\0", .len = 8};
    const struct xx_node *root = NULL;
    struct error err = {0};

    (void)state;
    expect_refused(
        STR("<?xml version=\"1.0\"?><!DOCTYPE lolz [<!ENTITY lol \"lol\">"
            "<!ENTITY lol2 \"&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;\">"
            "<!ENTITY lol3 \"&lol2;&lol2;&lol2;&lol2;&lol2;&lol2;&lol2;&lol2;&lol2;&lol2;\">]>"
            "<lolz>&lol3;</lolz>"),
        "document type");
    expect_refused(repeated(&arena, "", "<a>", XX_DEPTH_MAX + 1, ""), "too deep");
    expect_refused(repeated(&arena, "", "<a>", 300000, ""), "too deep");
    expect_refused(repeated(&arena, "<a>", "<b/>", XX_ELEMENTS_MAX, "</a>"), "too many elements");
    expect_refused(repeated(&arena, "<a x='", "y", XX_ATTRIBUTE_BYTES_MAX + 1, "'/>"),
                   "attribute is too long");
    expect_refused(repeated(&arena, "<a x='", "y", 3 * 1024 * 1024, "'/>"),
                   "attribute is too long");
    expect_refused(repeated(&arena, "<", "n", XX_NAME_BYTES_MAX + 1, "/>"), "name is too long");
    expect_refused(repeated(&arena, "<a xmlns='", "n", XX_NAME_BYTES_MAX + 1, "'/>"),
                   "name is too long");
    expect_refused(repeated(&arena, "<a>", "yyyyyyyy", XX_BYTES_MAX / 8, "</a>"), "larger than");
    assert_int_equal(xx_parse(&arena, utf16, &root, &err), FAIL_RETRY);
}

static void many_attributes_are_refused(void **state)
{
    AUTO_BUF struct buf text;

    (void)state;
    buf_init(&text, 1024 * 1024);
    buf_add(&text, STR("<a"));
    for (int i = 0; i <= XX_ATTRIBUTES_MAX; i++) {
        buf_addf(&text, " x%d='1'", i);
    }
    buf_add(&text, STR("/>"));
    expect_refused(buf_str(&text), "too many attributes");
}

/* An element with count attributes: before, a number, after. */
static struct str numbered(struct arena *arena, const char *before, const char *after, int count)
{
    AUTO_BUF struct buf text;

    buf_init(&text, XX_BYTES_MAX);
    buf_add(&text, STR("<a"));
    for (int i = 0; i < count; i++) {
        buf_addf(&text, "%s%d%s", before, i, after);
    }
    buf_add(&text, STR("/>"));
    return arena_str(arena, buf_str(&text));
}

/* Of these the parser alone would take many minutes. */
static void very_many_attributes_are_refused_at_once(void **state)
{
    AUTO_ARENA struct arena arena = {0};

    (void)state;
    expect_refused(numbered(&arena, " x", "='1'", 290000), "too many attributes");
    expect_refused(numbered(&arena, " xmlns:x", "=\"1\"", 190000), "too many attributes");
    expect_refused(numbered(&arena, " x", "='>'", 290000), "too many attributes");
    parsed(&arena, numbered(&arena, " x", "='>'", XX_ATTRIBUTES_MAX));
    /* What only looks like them. */
    parsed(&arena, repeated(&arena, "<a><![CDATA[<b ", "x='1' ", 1000, "]]></a>"));
    parsed(&arena, repeated(&arena, "<a><!-- <b ", "x='1' ", 1000, "--></a>"));
    parsed(&arena, repeated(&arena, "<a><?b <b ", "x='1' ", 1000, "?></a>"));
    parsed(&arena, repeated(&arena, "<a>", "x='1' ", 1000, "</a>"));
}

/* What is just within the maxima passes. */
static void the_maxima_themselves_pass(void **state)
{
    AUTO_ARENA struct arena arena = {0};
    const struct xx_node *node;
    struct str open = repeated(&arena, "", "<a>", XX_DEPTH_MAX, "");
    size_t count = 0;

    (void)state;
    node = parsed(&arena, repeated(&arena, open.at, "</a>", XX_DEPTH_MAX, ""));
    while (xx_first(node)) {
        node = xx_first(node);
        count++;
    }
    assert_int_equal(count, XX_DEPTH_MAX - 1);
    node = parsed(&arena, repeated(&arena, "<a>", "<b/>", XX_ELEMENTS_MAX - 1, "</a>"));
    node = parsed(&arena, repeated(&arena, "<a x='", "y", XX_ATTRIBUTE_BYTES_MAX, "'/>"));
    assert_int_equal(xx_attribute(node, "", "x").len, XX_ATTRIBUTE_BYTES_MAX);
    node = parsed(&arena, repeated(&arena, "<a>", "yyyyyyyy", XX_BYTES_MAX / 8 - 8, "</a>"));
    assert_int_equal(xx_text(node).len, XX_BYTES_MAX - 64);
}

static struct str there_and_back(struct arena *arena, struct str text)
{
    AUTO_BUF struct buf out;
    const struct xx_node *root;

    buf_init(&out, 1024 * 1024);
    buf_add(&out, STR("<r a=\""));
    xx_put_text(&out, text);
    buf_add(&out, STR("\">"));
    xx_put_element(&out, "v", text);
    buf_add(&out, STR("</r>"));
    root = parsed(arena, buf_str(&out));
    EXPECT_STR(xx_attribute(root, "", "a"), xx_text(xx_first(root)), "attribute and element");
    return xx_text(xx_first(root));
}

static void what_is_written_comes_back(void **state)
{
    static const struct str same[] = {STR(""), STR("a"), STR(" a\t\n\r\r\n b "),
                                      STR("</v><!DOCTYPE x>]]>&amp;'\"<&>"),
                                      STR("Gr\xc3\xbc\xc3\x9f \xf0\x9f\x90\x9f \x7f")};
    AUTO_ARENA struct arena arena = {0};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(same); i++) {
        EXPECT_STR(there_and_back(&arena, same[i]), same[i], "same");
    }
    EXPECT_STR(there_and_back(&arena, STR("a\x01\x1f\xff\xef\xbf\xbf\xc3z")),
               STR("a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdz"), "replaced");
}

/* Whatever bytes come, the answer is a tree or an error. */
static void garbage_is_survived(void **state)
{
    static const char SEED[] = "<?xml version='1.0'?><e:a xmlns:e='u' x='1'><b>t &amp; &#65;"
                               "<![CDATA[c]]></b><!-- c --><c/></e:a>";
    struct random *random = random_new_seeded(20261121);
    int taken = 0;

    (void)state;
    for (int i = 0; i < 20000; i++) {
        AUTO_ARENA struct arena arena = {0};
        const struct xx_node *root = NULL;
        struct error err = {0};
        char text[sizeof SEED];

        memcpy(text, SEED, sizeof SEED);
        for (uint64_t n = random_below(random, 4); n-- > 0;) {
            text[random_below(random, sizeof SEED - 1)] = (char)random_below(random, 256);
        }
        if (xx_parse(&arena, (struct str){text, random_below(random, sizeof SEED)}, &root, &err) ==
            OK) {
            assert_non_null(root);
            taken++;
        } else {
            assert_true(err.message[0]);
        }
    }
    assert_true(taken > 0);
    random_free(random);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_texts_and_attributes_are_read),
        cmocka_unit_test(wrong_documents_say_why),
        cmocka_unit_test(bombs_are_refused),
        cmocka_unit_test(many_attributes_are_refused),
        cmocka_unit_test(very_many_attributes_are_refused_at_once),
        cmocka_unit_test(the_maxima_themselves_pass),
        cmocka_unit_test(what_is_written_comes_back),
        cmocka_unit_test(garbage_is_survived),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
