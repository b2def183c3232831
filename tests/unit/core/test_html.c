/* What people read of markup, and plain text as markup. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/html.h"
#include "tests/expect.h"

static void markup_is_read_as_people_see_it(void **state)
{
    static const struct {
        const char *html, *text;
    } ROWS[] = {
        {"", ""},
        {"plain", "plain"},
        {"<p>one</p><p>two</p>", "one\ntwo"},
        {"one<br>two<br/>three", "one\ntwo\nthree"},
        {"<div>one</div>\n<div>two</div>", "one\ntwo"},
        {"a<br><br>b", "a\n\nb"},
        {"<p>a <b>bold</b>  word</p>", "a bold word"},
        {"<ul><li>one</li><li>two</li></ul>after", "- one\n- two\nafter"},
        {"<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a b\nc"},
        {"&amp; &lt;b&gt; &quot;x&quot; &eacute;&#8364;&#x41;", "& <b> \"x\" \xC3\xA9\xE2\x82\xAC"
                                                                "A"},
        {"a&nbsp;&nbsp;b", "a b"},
        {"5 < 6 & 7 > 2", "5 < 6 & 7 > 2"},
        {"<script>alert('x')</script>seen<style>p{}</style>", "seen"},
        {"<!-- hidden -->seen", "seen"},
        {"<p>never closed <i>at all", "never closed at all"},
        {"</p></div>closed too often", "closed too often"},
        {"<!DOCTYPE html [<!ENTITY e SYSTEM \"file:///etc/passwd\">]>a&e;b", NULL},
        {"\xC3\xA4\xF0\x9F\x98\x80", "\xC3\xA4\xF0\x9F\x98\x80"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        AUTO_ARENA struct arena arena = {0};
        struct str text = html_to_text(str_of(ROWS[i].html), &arena);

        if (ROWS[i].text) {
            EXPECT(str_equal(text, str_of(ROWS[i].text)), "%s: '%" PRI_STR "'", ROWS[i].html,
                   STR_ARG(text));
        }
        EXPECT(!str_contains(text, STR("root:")), "%s reads a file", ROWS[i].html);
    }
}

static void text_becomes_markup(void **state)
{
    static const struct {
        const char *text, *html;
    } ROWS[] = {
        {"", ""},
        {"one\ntwo", "one<br>two"},
        {"one\n\ntwo\r\nthree", "one<br><br>two<br>three"},
        {" a   b \n c\t", "a b<br>c"},
        {"<b> & </b>", "&lt;b&gt; &amp; &lt;/b&gt;"},
        {"&amp;", "&amp;amp;"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        AUTO_ARENA struct arena arena = {0};
        struct str html = html_from_text(str_of(ROWS[i].text), &arena);

        EXPECT(str_equal(html, str_of(ROWS[i].html)), "%s: '%" PRI_STR "'", ROWS[i].text,
               STR_ARG(html));
    }
}

/* Ten thousand nested elements, and a megabyte of them side by side, are read without harm. */
static void hostile_markup_is_survived(void **state)
{
    AUTO_ARENA struct arena arena = {0};
    AUTO_BUF struct buf html = {0};

    (void)state;
    buf_init(&html, 4 << 20);
    for (int i = 0; i < 10000; i++) {
        buf_add(&html, STR("<div><b>"));
    }
    buf_add(&html, STR("deep"));
    html_to_text(buf_str(&html), &arena);
    buf_reset(&html);
    for (int i = 0; i < 100000; i++) {
        buf_add(&html, STR("<p>a&amp;"));
    }
    assert_int_equal(html_to_text(buf_str(&html), &arena).len, 100000 * 3 - 1);
}

/* The parser alone would take many minutes. */
static void tags_with_very_many_attributes_are_read_at_once(void **state)
{
    static const char *const BEGINS[] = {"one<p", "one<!-- <b --><P",
                                         "<script a='</script'>x<y</script>one<p", "one<p>"};
    AUTO_BUF struct buf html = {0};

    (void)state;
    buf_init(&html, 8 << 20);
    for (size_t i = 0; i < COUNT_OF(BEGINS); i++) {
        AUTO_ARENA struct arena arena = {0};
        struct str text;

        buf_reset(&html);
        buf_add(&html, str_of(BEGINS[i]));
        for (int k = 0; k < 300000; k++) {
            buf_addf(&html, str_ends(str_of(BEGINS[i]), STR(">")) ? " %d" : " x%d='<'", k);
        }
        buf_add(&html, STR(">two<br>three"));
        text = html_to_text(buf_str(&html), &arena);
        EXPECT(str_starts(text, STR("one\n")) && str_ends(text, STR("two\nthree")),
               "%s: '%" PRI_STR "'", BEGINS[i], STR_ARG(str_slice(text, 0, 60)));
        EXPECT(text.len < 20 || str_ends(str_of(BEGINS[i]), STR(">")), "%s: %zu", BEGINS[i],
               text.len);
    }
}

/* What only looks like a long tag stays as it is. */
static void long_comments_scripts_and_texts_are_no_tags(void **state)
{
    static const char *const BEGINS[] = {"<!-- <b ", "<script>a<b ", "<style>a<b ", "1 < "};
    static const char *const ENDS[] = {"-->", "</script>", "</style>", ""};
    AUTO_BUF struct buf html = {0};

    (void)state;
    buf_init(&html, 1 << 20);
    for (size_t i = 0; i < COUNT_OF(BEGINS); i++) {
        AUTO_ARENA struct arena arena = {0};
        struct str text;

        buf_reset(&html);
        buf_add(&html, str_of(BEGINS[i]));
        for (int k = 0; k < 5000; k++) {
            buf_add(&html, STR("x y "));
        }
        buf_addf(&html, "%s<p>after</p>", ENDS[i]);
        text = html_to_text(buf_str(&html), &arena);
        EXPECT(str_ends(text, STR("after")), "%s: '%" PRI_STR "'", BEGINS[i],
               STR_ARG(str_slice(text, 0, 60)));
        EXPECT(i < 3 ? text.len == 5 : text.len > 20000, "%s: %zu", BEGINS[i], text.len);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(markup_is_read_as_people_see_it),
        cmocka_unit_test(text_becomes_markup),
        cmocka_unit_test(hostile_markup_is_survived),
        cmocka_unit_test(tags_with_very_many_attributes_are_read_at_once),
        cmocka_unit_test(long_comments_scripts_and_texts_are_no_tags),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
