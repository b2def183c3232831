/* `schedule` and `schedules` of crmsync.yaml: what holds for which kind, and what is refused where. */
#include <unistd.h>

#include "cli/config.h"
#include "core/when.h"

#include "tests/expect.h"

static const char HEAD[] = "store: a.db\n";
static const char CONNECTION[] = "connections:\n  hs:\n    adapter: hubspot\n";

/* The file's text is written, read, and gone. */
static enum fail load(struct arena *arena, const char *top, const char *more, struct config *ret,
                      struct error *err)
{
    char path[] = "/tmp/schedules-XXXXXX";
    int fd = mkstemp(path);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
    enum fail failed;

    EXPECT(file, "a file can be made");
    fprintf(file, "%s%s%s%s", HEAD, top, CONNECTION, more);
    fclose(file);
    failed = config_load(arena, path, ret, err);
    unlink(path);
    return failed;
}

static int64_t ms_of(const char *text)
{
    int64_t ms = 0;

    EXPECT(when_parse_ms(str_of(text), &ms), "'%s' is no time", text);
    return ms;
}

struct row {
    const char *why, *top, *more, *kind;
    enum schedule_task task;
    const char *last, *next; /* NULL: never */
};

static const struct row ROWS[] = {
    {"nothing written", "", "", "contact", SCHEDULE_PULL, "2026-11-21T07:00:30Z",
     "2026-11-21T07:05:30Z"},
    {"at the top", "schedule: {pull: '*/2 * * * *'}\n", "", "contact", SCHEDULE_PULL,
     "2026-11-21T07:00:30Z", "2026-11-21T07:02:00Z"},
    {"the connection's own", "schedule: {pull: '*/2 * * * *'}\n",
     "    schedule: {pull: '@every 1m'}\n", "contact", SCHEDULE_PULL, "2026-11-21T07:00:30Z",
     "2026-11-21T07:01:30Z"},
    {"the kind's own", "", "    schedules:\n      deal: {pull: '@every 30s'}\n", "deal",
     SCHEDULE_PULL, "2026-11-21T07:00:30Z", "2026-11-21T07:01:00Z"},
    {"another kind's", "", "    schedules:\n      deal: {pull: '@every 30s'}\n", "contact",
     SCHEDULE_PULL, "2026-11-21T07:00:30Z", "2026-11-21T07:05:30Z"},
    {"off", "", "    schedule: {pull: never}\n", "contact", SCHEDULE_PULL, "2026-11-21T07:00:30Z",
     NULL},
    {"off for one kind", "", "    schedules:\n      deal: {reconcile: never}\n", "deal",
     SCHEDULE_RECONCILE, "2026-11-21T07:00:30Z", NULL},
    {"written times have no jitter", "", "    schedule: {reconcile: '30 3 * * *'}\n", "contact",
     SCHEDULE_RECONCILE, "2026-11-21T07:00:30Z", "2026-11-22T03:30:00Z"},
    {"in the zone of the top", "schedule: {time_zone: Europe/Berlin}\n",
     "    schedule: {reconcile: '30 3 * * *'}\n", "contact", SCHEDULE_RECONCILE,
     "2026-11-21T07:00:30Z", "2026-11-22T02:30:00Z"},
    {"an inherited time in another zone", "schedule: {reconcile: '30 3 * * *'}\n",
     "    schedule: {time_zone: Asia/Kolkata}\n", "contact", SCHEDULE_RECONCILE,
     "2026-11-21T07:00:30Z", "2026-11-21T22:00:00Z"},
    {"a null is nothing", "schedule:\n", "    schedule:\n", "contact", SCHEDULE_PULL,
     "2026-11-21T07:00:30Z", "2026-11-21T07:05:30Z"},
};

static void what_holds(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        const struct row *row = &ROWS[i];
        AUTO_ARENA struct arena arena = {0};
        struct error err = {0};
        struct config config;
        int64_t next;

        EXPECT(load(&arena, row->top, row->more, &config, &err) == OK, "%s: %s", row->why,
               err.message);
        next = schedule_next_ms(settings_schedule(&config.connections[0], str_of(row->kind)),
                                row->task, ms_of(row->last), ms_of(row->last), 7);
        EXPECT(next == (row->next ? ms_of(row->next) : SCHEDULE_NEVER), "%s: got %lld", row->why,
               (long long)next);
    }
}

/* Two streams get two times, each always the same one, within the jitter. */
static void jitter(void **state)
{
    AUTO_ARENA struct arena arena = {0};
    struct error err = {0};
    struct config config;
    const struct schedule *schedule;
    int64_t midnight = ms_of("2026-11-22T00:00:00Z"), noon = ms_of("2026-11-21T12:00:00Z");
    int64_t earliest = INT64_MAX, latest = 0;

    (void)state;
    EXPECT(load(&arena, "", "", &config, &err) == OK, "%s", err.message);
    schedule = settings_schedule(&config.connections[0], STR("contact"));
    for (int i = 0; i < 200; i++) {
        char name[16];
        uint64_t seed;
        int64_t next, after;

        snprintf(name, sizeof name, "c%d", i);
        seed = schedule_seed(STR("default"), str_of(name), STR("contact"));
        next = schedule_next_ms(schedule, SCHEDULE_RECONCILE, noon, noon, seed);
        after = schedule_next_ms(schedule, SCHEDULE_RECONCILE, next, next, seed);
        EXPECT(next >= midnight && next < midnight + 6 * 3600000, "within six hours: %lld",
               (long long)next);
        EXPECT(after == next + 86400000, "a day later the same time");
        earliest = next < earliest ? next : earliest;
        latest = next > latest ? next : latest;
    }
    EXPECT(latest - earliest > 5 * 3600000, "they are spread: %lld ms",
           (long long)(latest - earliest));
}

/* Missed times are caught up once; a clock that was set back does not stop the schedule. */
static void catching_up(void **state)
{
    AUTO_ARENA struct arena arena = {0};
    struct error err = {0};
    struct config config;
    const struct schedule *schedule;
    int64_t slept = ms_of("2026-11-21T07:00:00Z"), woke = ms_of("2026-11-24T09:30:10Z");

    (void)state;
    EXPECT(load(&arena, "schedule: {pull: '0 * * * *'}\n", "", &config, &err) == OK, "%s",
           err.message);
    schedule = &config.connections[0].schedule;
    EXPECT(schedule_next_ms(schedule, SCHEDULE_PULL, slept, woke, 1) <= woke, "due after sleep");
    EXPECT(schedule_next_ms(schedule, SCHEDULE_PULL, woke, woke, 1) ==
               ms_of("2026-11-24T10:00:00Z"),
           "and after that one run at the next hour");
    EXPECT(schedule_next_ms(schedule, SCHEDULE_PULL, 0, woke, 1) == woke, "never ran: now");
    EXPECT(schedule_next_ms(schedule, SCHEDULE_PULL, woke + 1, woke, 1) == woke,
           "started in the future: now");
}

static void refused(void **state)
{
    static const struct {
        const char *top, *more, *says;
    } BAD[] = {
        {"schedule: {pull: '0 0 31 2 *'}\n", "", ":2:18: "},
        {"schedule: {pull: often}\n", "", "'often' is no schedule"},
        {"schedule: {time_zone: Mars/Olympus}\n", "", "no time zone 'Mars/Olympus'"},
        {"schedule: {time_zone: [a]}\n", "", "'time_zone' must be"},
        {"schedule: {jitter: x}\n", "", "jitter"},
        {"schedule: never\n", "", ":2:"},
        {"", "    schedule: {reconcile: '* * *'}\n", ":5:"},
        {"", "    schedules: {dael: {pull: never}}\n", "unknown kind 'dael'"},
        {"", "    schedules: [deal]\n", "'schedules' must be"},
        {"", "    schedules: {deal: {census: never}}\n", "census"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(BAD); i++) {
        AUTO_ARENA struct arena arena = {0};
        struct error err = {0};
        struct config config;

        EXPECT(load(&arena, BAD[i].top, BAD[i].more, &config, &err) == FAIL_CONFIG &&
                   strstr(err.message, BAD[i].says),
               "%s%s: %s", BAD[i].top, BAD[i].more, err.message);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_holds), cmocka_unit_test(jitter),
                                       cmocka_unit_test(catching_up), cmocka_unit_test(refused)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
