/* Tenants, their connections, and the folder of drop-in files; and what many connections cost. */
#include "cli/config.h"

#include "tests/expect.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/alloc.h"

enum { PATH_BYTES = 512, MANY = 1000, MANY_BYTES_MAX = 10 * 1024 * 1024 };

struct fixture {
    char folder[64];
    struct arena arena;
    struct config config;
    struct error err;
};

static struct fixture *open_fixture(void **state)
{
    struct fixture *f = alloc_new(1, sizeof *f);

    snprintf(f->folder, sizeof f->folder, "/tmp/crmsync-config-XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    *state = f;
    return f;
}

static int close_fixture(void **state)
{
    struct fixture *f = *state;
    char command[PATH_BYTES];

    snprintf(command, sizeof command, "rm -r '%s'", f->folder);
    assert_int_equal(system(command), 0);
    arena_fini(&f->arena);
    free(f);
    return 0;
}

static void write_text(struct fixture *f, const char *name, struct str text)
{
    char path[PATH_BYTES];
    FILE *file;

    snprintf(path, sizeof path, "%s/%s", f->folder, name);
    file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text.at, 1, text.len, file), text.len);
    assert_int_equal(fclose(file), 0);
}

static void make_folder(struct fixture *f, const char *name)
{
    char path[PATH_BYTES];

    snprintf(path, sizeof path, "%s/%s", f->folder, name);
    assert_int_equal(mkdir(path, 0700), 0);
}

static enum fail load(struct fixture *f)
{
    char path[PATH_BYTES];

    snprintf(path, sizeof path, "%s/crmsync.yaml", f->folder);
    arena_fini(&f->arena);
    f->arena = (struct arena){0};
    error_reset(&f->err);
    return config_load(&f->arena, path, &f->config, &f->err);
}

static void must_load(struct fixture *f)
{
    EXPECT(load(f) == OK, "%s", f->err.message);
}

static void must_refuse(struct fixture *f, const char *words)
{
    EXPECT(load(f) == FAIL_CONFIG, "not refused, but should be with: %s", words);
    EXPECT(str_contains(str_of(f->err.message), str_of(words)), "got '%s', wanted '%s'",
           f->err.message, words);
}

static void must_select(struct fixture *f, const char *tenant)
{
    EXPECT(config_select(&f->config, str_of(tenant), &f->err) == OK, "%s", f->err.message);
}

static void test_tenants_have_connections_and_settings_of_their_own(void **state)
{
    struct fixture *f = open_fixture(state);

    write_text(f, "crmsync.yaml",
               STR("local_priority: 3\n"
                   "brake: {deletes_floor: 7}\n"
                   "connections:\n"
                   "  hubspot: {adapter: hubspot}\n"
                   "tenants:\n"
                   "  acme:\n"
                   "    brake: {deletes_percent: 50}\n"
                   "    connections:\n"
                   "      hubspot: {adapter: pipedrive}\n"
                   "      other: {adapter: hubspot}\n"
                   "  umbrella:\n"
                   "    local_priority: -4\n"
                   "    connections: {hubspot: {adapter: hubspot, priority: 9}}\n"));
    must_load(f);
    assert_int_equal(f->config.tenants_count, 3);
    assert_int_equal(f->config.settings.connections_count, 1);
    assert_string_equal(f->config.connections[0].adapter->name, "hubspot");
    must_select(f, "acme");
    assert_int_equal(f->config.settings.connections_count, 2);
    assert_string_equal(f->config.connections[0].adapter->name, "pipedrive");
    assert_int_equal(config_find(&f->config, STR("other")), 1);
    assert_int_equal(f->config.settings.brake.deletes_percent, 50);
    assert_int_equal(f->config.settings.brake.deletes_floor, 7);
    assert_int_equal(f->config.settings.local_priority, 3);
    must_select(f, "umbrella");
    assert_int_equal(config_find(&f->config, STR("other")), SIZE_MAX);
    assert_int_equal(f->config.connections[0].priority, 9);
    assert_int_equal(f->config.settings.local_priority, -4);
    assert_int_equal(f->config.settings.brake.deletes_percent, 5);
    assert_int_equal(config_select(&f->config, STR("nobody"), &f->err), FAIL_CONFIG);
    EXPECT_STR(str_of(f->err.hint), STR("there are: default, acme, umbrella"), "hint");
}

static void test_tenants_alone_are_enough(void **state)
{
    struct fixture *f = open_fixture(state);

    write_text(f, "crmsync.yaml",
               STR("tenants: {acme: {connections: {hubspot: {adapter: hubspot}}}}\n"));
    must_load(f);
    assert_int_equal(f->config.settings.connections_count, 0);
    EXPECT_STR(f->config.tenants[0].name, STR("default"), "the first tenant");
    must_select(f, "acme");
    assert_int_equal(f->config.settings.connections_count, 1);
}

static void test_drop_in_files_add_connections(void **state)
{
    struct fixture *f = open_fixture(state);

    make_folder(f, "more.d");
    write_text(f, "crmsync.yaml",
               STR("include: more.d\nconnections: {hubspot: {adapter: hubspot}}\n"));
    write_text(f, "more.d/20-b.yaml",
               STR("tenants: {acme: {connections: {b: {adapter: hubspot}}}}\n"));
    write_text(f, "more.d/10-a.yaml",
               STR("connections: {second: {adapter: pipedrive, token_file: t}}\n"
                   "tenants: {acme: {connections: {a: {adapter: hubspot}}}}\n"));
    write_text(f, "more.d/.half-written.yaml", STR("nonsense"));
    write_text(f, "more.d/notes.txt", STR("nonsense"));
    write_text(f, "more.d/30-empty.yaml", STR("# nothing yet\n"));
    must_load(f);
    assert_int_equal(f->config.settings.connections_count, 2);
    EXPECT_STR(f->config.connections[1].name, STR("second"), "in the order of the files");
    EXPECT(str_ends(f->config.tokens[1].file, STR("/more.d/t")),
           "a path begins at its own file's folder, not '%" PRI_STR "'",
           STR_ARG(f->config.tokens[1].file));
    must_select(f, "acme");
    EXPECT_STR(f->config.connections[0].name, STR("a"), "sorted by the files' names");
    EXPECT_STR(f->config.connections[1].name, STR("b"), "sorted by the files' names");
}

static void test_what_is_wrong_is_told_with_its_place(void **state)
{
    struct fixture *f = open_fixture(state);

    write_text(f, "crmsync.yaml", STR("store: s.db\n"));
    must_refuse(f, "'connections' must name at least one connection");
    write_text(f, "crmsync.yaml", STR("tenants: {default: {}}\n"));
    must_refuse(f, "crmsync.yaml:1:11: the connections of tenant 'default' stand at the top");
    write_text(f, "crmsync.yaml", STR("tenants: {Acme: {}}\n"));
    must_refuse(f, "'Acme' is no name for a tenant");
    write_text(f, "crmsync.yaml", STR("tenants: {acme: {connection: {}}}\n"));
    must_refuse(f, "connection");
    write_text(f, "crmsync.yaml", STR("tenants: {acme: {brake: {deletes_percent: 101}}}\n"));
    must_refuse(f, "'deletes_percent' must be 0 to 100");
    write_text(f, "crmsync.yaml", STR("include: more.d\n"));
    must_refuse(f, "/more.d' of 'include': No such file or directory");
    make_folder(f, "more.d");
    must_load(f);
    write_text(f, "more.d/a.yaml", STR("store: other.db\n"));
    must_refuse(f, "more.d/a.yaml:1:1: unknown");
    write_text(f, "more.d/a.yaml", STR("connections: {one: {adapter: hubspot}}\n"));
    write_text(f, "more.d/b.yaml", STR("connections: {one: {adapter: hubspot}}\n"));
    must_refuse(f, "more.d/b.yaml:1:15: connection 'one' stands in another file already");
    write_text(f, "more.d/b.yaml", STR("tenants: {acme: {local_priority: 1}}\n"));
    write_text(f, "more.d/c.yaml", STR("tenants: {acme: {local_priority: 2}}\n"));
    must_refuse(f, "'local_priority' of this tenant stands in another file already");
}

/* Who has no change events is not promised any. */
static void test_change_events_are_for_who_has_them(void **state)
{
    struct fixture *f = open_fixture(state);

    write_text(f, "crmsync.yaml", STR("connections: {one: {adapter: salesforce}}\n"));
    must_load(f);
    must_select(f, "default");
    assert_false(f->config.connections[0].wants_events);
    write_text(f, "crmsync.yaml",
               STR("connections: {one: {adapter: salesforce, changes: events}}\n"));
    must_load(f);
    must_select(f, "default");
    assert_true(f->config.connections[0].wants_events);
    write_text(f, "crmsync.yaml",
               STR("connections: {one: {adapter: hubspot, changes: polling}}\n"));
    must_load(f);
    write_text(f, "crmsync.yaml", STR("connections: {one: {adapter: hubspot, changes: events}}\n"));
    must_refuse(f, "crmsync.yaml:1:48: 'changes: events' of HubSpot is read as the app, which "
                   "needs 'auth' in place of a token");
    write_text(
        f, "crmsync.yaml",
        STR("connections: {one: {adapter: hubspot, changes: events, auth: {client_id: a}}}\n"));
    must_load(f);
    must_select(f, "default");
    assert_true(f->config.connections[0].wants_events);
    write_text(f, "crmsync.yaml",
               STR("connections: {one: {adapter: pipedrive, changes: events}}\n"));
    must_refuse(f, "crmsync.yaml:1:50: 'changes: events' is for HubSpot and Salesforce; Pipedrive "
                   "is polled");
    write_text(f, "crmsync.yaml",
               STR("connections: {one: {adapter: salesforce, changes: event}}\n"));
    must_refuse(f, "'event' is not one of: polling, events");
}

/* A thousand connections over a hundred tenants; all of one CRM share one mapping. */
static void test_many_connections_share_their_mappings(void **state)
{
    struct fixture *f = open_fixture(state);
    AUTO_BUF struct buf text = {0};
    size_t before, used;

    buf_init(&text, 1024 * 1024);
    buf_addf(&text, "tenants:\n");
    for (int i = 0; i < MANY; i++) {
        if (i % 10 == 0) {
            buf_addf(&text, "  t%d:\n    connections:\n", i / 10);
        }
        buf_addf(&text, "      c%d: {adapter: %s}\n", i, i % 2 ? "hubspot" : "pipedrive");
    }
    write_text(f, "crmsync.yaml", buf_str(&text));
    before = mallinfo2().uordblks;
    must_load(f);
    used = mallinfo2().uordblks - before;
    EXPECT(used < MANY_BYTES_MAX, "%d connections take %zu bytes", MANY, used);
    assert_int_equal(f->config.tenants_count, 1 + MANY / 10);
    must_select(f, "t99");
    assert_ptr_equal(f->config.connections[0].mappings,
                     f->config.tenants[1].connections[0].mappings);
    printf("%d connections: %zu KiB\n", MANY, used / 1024);
}

static void test_too_many_are_refused(void **state)
{
    struct fixture *f = open_fixture(state);
    AUTO_BUF struct buf text = {0};

    buf_init(&text, 1024 * 1024);
    buf_addf(&text, "connections:\n");
    for (int i = 0; i < 2001; i++) {
        buf_addf(&text, "  c%d: {adapter: hubspot}\n", i);
    }
    write_text(f, "crmsync.yaml", buf_str(&text));
    must_refuse(f, "crmsync.yaml:2002:3: more than 2000 connections");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, close_fixture)
    const struct CMUnitTest tests[] = {
        TEST(test_tenants_have_connections_and_settings_of_their_own),
        TEST(test_tenants_alone_are_enough),
        TEST(test_drop_in_files_add_connections),
        TEST(test_change_events_are_for_who_has_them),
        TEST(test_what_is_wrong_is_told_with_its_place),
        TEST(test_many_connections_share_their_mappings),
        TEST(test_too_many_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
