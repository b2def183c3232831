/* Samples as Prometheus reads them. */
#include <math.h>

#include "api/samples.h"

#include "tests/unit/api/exposition.h"

static const struct sample_family GAUGE = {"a_gauge", SAMPLE_GAUGE, "A gauge."};
static const struct sample_family COUNTER = {"b_total", SAMPLE_COUNTER, "A counter."};
static const struct sample_family TIMES = {"c_seconds", SAMPLE_HISTOGRAM, "Times."};

static void test_values(void **state)
{
    static const struct {
        double value;
        const char *text;
    } rows[] = {{0, "0"},
                {-0.0, "0"},
                {12, "12"},
                {0.25, "0.25"},
                {-1.5, "-1.5"},
                {0.95, "0.95"},
                {0.0000004, "0"},
                {0.000001, "0.000001"},
                {0.9999999, "1"},
                {1e15, "1000000000000000"},
                {1e17, "+Inf"},
                {-1e17, "-Inf"},
                {1763700000.123, "1763700000.123"}};
    struct buf text;

    (void)state;
    buf_init(&text, 64);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        buf_reset(&text);
        sample_value_write(&text, rows[i].value);
        EXPECT_STR(buf_str(&text), str_of(rows[i].text), "value");
    }
    buf_reset(&text);
    sample_value_write(&text, NAN);
    EXPECT_STR(buf_str(&text), STR("NaN"), "no number");
    buf_fini(&text);
}

static void test_text(void **state)
{
    static const int64_t bounds[] = {1, 250};
    static const int64_t classes[] = {3, 0, 1};
    const struct sample_times times = {
        .bounds_ms = bounds, .bounds_count = 2, .classes = classes, .count = 4, .sum_ms = 2500};
    AUTO_ARENA struct arena arena = {0};
    struct samples samples = {.arena = &arena};
    struct exposition all;
    struct buf text;

    (void)state;
    buf_init(&text, 4096);
    samples_family(&samples, &GAUGE);
    samples_add(&samples, &COUNTER, LABELS({"what", STR("x\"y\\z\nw")}), 7);
    samples_add_times(&samples, &TIMES, LABELS({"who", STR("me")}), &times);
    samples_add(&samples, &GAUGE, LABELS_NONE, 0.5); /* joins its family */
    samples_write(&samples, &text);
    EXPECT_STR(buf_str(&text),
               STR("# HELP a_gauge A gauge.\n# TYPE a_gauge gauge\na_gauge 0.5\n"
                   "# HELP b_total A counter.\n# TYPE b_total counter\n"
                   "b_total{what=\"x\\\"y\\\\z\\nw\"} 7\n"
                   "# HELP c_seconds Times.\n# TYPE c_seconds histogram\n"
                   "c_seconds_bucket{who=\"me\",le=\"0.001\"} 3\n"
                   "c_seconds_bucket{who=\"me\",le=\"0.25\"} 3\n"
                   "c_seconds_bucket{who=\"me\",le=\"+Inf\"} 4\n"
                   "c_seconds_sum{who=\"me\"} 2.5\nc_seconds_count{who=\"me\"} 4\n"),
               "text");
    exposition_read(&all, buf_str(&text));
    EXPECT_STR(exposition_of(&all, "b_total{what=\"x\\\"y\\\\z\\nw\"}"), STR("7"), "read back");
    EXPECT(samples_find(&samples, STR("c_seconds"))->count == 5 &&
               !samples_find(&samples, STR("d")),
           "found by name");
    buf_fini(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_values), cmocka_unit_test(test_text)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
