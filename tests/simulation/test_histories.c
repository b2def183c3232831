/* Seeded random histories over the production engine. Ends with one line of counts; a violation ends it with the seed and the command that repeats it. */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/str.h"
#include "tests/simulation/history.h"
#include "tests/simulation/world.h"

/* Of processor time; one needs some hundredths. */
enum { HISTORY_SECONDS_MAX = 60 };
enum { HISTORIES_DEFAULT = 200, TURNS_EVERY = 4, TWICE_EVERY = 16, JOBS_MAX = 64 };
enum { PROGRESS_S = 60 };

static const char USAGE[] =
    "usage: %s [--histories N] [--seed S] [--runs|--turns] [--twice-every N] [--jobs N] "
    "[--keep-going] [--traces] [--verbose]\n"
    "  --histories N  seeds S to S+N-1 (200; HISTORIES in the environment)\n"
    "  --runs         only with one sync of everything at a time, --turns only as the service "
    "does; else runs, and every fourth also in turns\n"
    "  --twice-every N  of which seeds the trace is compared with that of a second time (16)\n"
    "  --jobs N       processes at a time (as many as there are processors)\n"
    "  --keep-going   a violation is told, and the histories after it are run as well\n"
    "  --traces       prints each history's trace: what must not change with what is only faster\n";

struct wanted {
    int64_t histories, seed, jobs, twice_every;
    bool skips_runs, skips_turns;
    bool keeps_going, shows_traces;
    int verbose;
};

static bool number_after(const char *name, int argc, char **argv, int *index, int64_t *ret)
{
    return strcmp(argv[*index], name) == 0 && *index + 1 < argc &&
           str_to_i64(str_of(argv[++*index]), ret);
}

static bool read_arguments(int argc, char **argv, struct wanted *ret)
{
    const char *histories =
        getenv("HISTORIES"); /* a sanitizer's build runs fewer in the same time */

    if (histories && !str_to_i64(str_of(histories), &ret->histories)) {
        return false;
    }
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--verbose") == 0) {
            ret->verbose = 1;
        } else if (strcmp(argv[i], "--keep-going") == 0) {
            ret->keeps_going = true;
        } else if (strcmp(argv[i], "--traces") == 0) {
            ret->shows_traces = true;
        } else if (strcmp(argv[i], "--runs") == 0) {
            ret->skips_turns = true;
        } else if (strcmp(argv[i], "--turns") == 0) {
            ret->skips_runs = true;
        } else if (!number_after("--histories", argc, argv, &i, &ret->histories) &&
                   !number_after("--seed", argc, argv, &i, &ret->seed) &&
                   !number_after("--twice-every", argc, argv, &i, &ret->twice_every) &&
                   !number_after("--jobs", argc, argv, &i, &ret->jobs)) {
            return false;
        }
    }
    return ret->twice_every > 0 && ret->jobs > 0 && ret->jobs <= JOBS_MAX && ret->histories >= 0;
}

static char replay[160];

static void say(const char *text)
{
    if (write(STDERR_FILENO, text, strlen(text)) < 0) {
        _exit(1);
    }
}

/* Whatever ended the process, an oracle or an assertion of the code itself: which history it was. */
static void on_abort(int number)
{
    (void)number;
    say(replay);
}

static void on_time_over(int number)
{
    (void)number;
    say("VIOLATION of I17 liveness: a history does not come to an end\n");
    abort();
}

static void watch(int64_t seed, enum history_style style)
{
    const struct itimerval limit = {.it_value.tv_sec = HISTORY_SECONDS_MAX};

    snprintf(replay, sizeof replay,
             "replay: scripts/simulate --seed %" PRId64 " --histories 1 --%s --verbose\n", seed,
             style == HISTORY_TURNS ? "turns" : "runs");
    signal(SIGABRT, on_abort);
    signal(SIGPROF, on_time_over);
    setitimer(ITIMER_PROF, &limit, NULL);
}

/* Some are told twice: whatever depends on anything but the seed shows as another trace. */
static void run_one(const struct wanted *wanted, int64_t seed, enum history_style style,
                    struct history_counts *counts)
{
    struct history_counts ignored = {0};
    uint64_t trace;

    watch(seed, style);
    trace = history_run((uint64_t)seed, style, wanted->verbose, counts);
    if (wanted->shows_traces) {
        printf("trace seed=%" PRId64 " style=%s %016" PRIx64 "\n", seed,
               style == HISTORY_TURNS ? "turns" : "runs", trace);
        fflush(stdout);
    }
    if (seed % wanted->twice_every != 0) {
        return;
    }
    if (history_run((uint64_t)seed, style, 0, &ignored) != trace) {
        fprintf(stderr, "VIOLATION of determinism, seed %" PRId64 ": told twice, it differs\n",
                seed);
        abort();
    }
    counts->twice++;
}

/* Every jobs-th seed from the job-th on. What a process has done is seen by the first one, whatever becomes of it. */
struct share {
    pid_t pid;    /* 0: it is through */
    int64_t next; /* index of the seed it is at */
    struct history_counts counts;
};

static void run_share(const struct wanted *wanted, struct share *share)
{
    for (; share->next < wanted->histories; share->next += wanted->jobs) {
        int64_t seed = wanted->seed + share->next;

        if (!wanted->skips_runs) {
            run_one(wanted, seed, HISTORY_RUNS, &share->counts);
        }
        if (!wanted->skips_turns && (wanted->skips_runs || seed % TURNS_EVERY == 0)) {
            run_one(wanted, seed, HISTORY_TURNS, &share->counts);
        }
    }
}

static bool start_share(const struct wanted *wanted, struct share *share)
{
    pid_t pid = fork();

    if (pid == 0) {
        run_share(wanted, share);
        world_spare_free();
        _exit(0);
    }
    share->pid = pid;
    return pid > 0;
}

static void end_all(struct share *shares, int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        if (shares[i].pid > 0) {
            kill(shares[i].pid, SIGKILL);
        }
    }
}

static struct share *share_of(struct share *shares, int64_t count, pid_t pid)
{
    for (int64_t i = 0; i < count; i++) {
        if (shares[i].pid == pid) {
            return &shares[i];
        }
    }
    return NULL;
}

static double now_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* How far all of them are: a run that was ended goes on from there. */
static void tell_progress(const struct wanted *wanted, const struct share *shares, double began_s)
{
    int64_t first = wanted->histories, histories = 0;

    for (int64_t i = 0; i < wanted->jobs; i++) {
        first = shares[i].next < first ? shares[i].next : first;
        histories += shares[i].counts.histories;
    }
    fprintf(stderr,
            "%5.0f s: %" PRId64 " histories, %.1f a second; go on with --seed %" PRId64
            " --histories %" PRId64 "\n",
            now_s() - began_s, histories, (double)histories / (now_s() - began_s),
            wanted->seed + first, wanted->histories - first);
}

static void on_alarm(int number)
{
    (void)number;
}

/* The process that ended; -1: there is none. Each minute of waiting says how far they are. */
static pid_t wait_or_tell(const struct wanted *wanted, const struct share *shares, double began_s,
                          int *ret_status)
{
    const struct sigaction interrupt = {.sa_handler = on_alarm};
    pid_t pid;

    sigaction(SIGALRM, &interrupt, NULL);
    alarm(PROGRESS_S);
    while ((pid = wait(ret_status)) < 0 && errno == EINTR) {
        tell_progress(wanted, shares, began_s);
        alarm(PROGRESS_S);
    }
    alarm(0);
    return pid;
}

/* A violation in one of them ends them all, or is counted and passed over. */
static int64_t wait_for(const struct wanted *wanted, struct share *shares)
{
    double began_s = now_s();
    int64_t violations = 0;
    int status;

    for (;;) {
        pid_t pid = wait_or_tell(wanted, shares, began_s, &status);
        struct share *share = share_of(shares, wanted->jobs, pid);

        if (!share) {
            break; /* nobody is left */
        }
        share->pid = 0;
        if (status == 0) {
            continue;
        }
        violations++;
        share->next += wanted->jobs;
        if (!wanted->keeps_going || !start_share(wanted, share)) {
            end_all(shares, wanted->jobs);
            break;
        }
    }
    while (wait(NULL) > 0) {
    }
    return violations;
}

static void add_counts(struct history_counts *sum, const struct history_counts *more)
{
    int64_t most = sum->rounds_most > more->rounds_most ? sum->rounds_most : more->rounds_most;

    for (size_t i = 0; i < sizeof *sum / sizeof(int64_t); i++) {
        ((int64_t *)sum)[i] += ((const int64_t *)more)[i]; /* they are nothing else */
    }
    sum->rounds_most = most;
}

/* Returns the violations. */
static int64_t run_all(const struct wanted *wanted, struct history_counts *ret)
{
    const size_t bytes = sizeof(struct share[JOBS_MAX]);
    struct share *shares =
        mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int64_t violations;

    if (shares == MAP_FAILED) {
        return 1;
    }
    for (int64_t job = 0; job < wanted->jobs; job++) {
        shares[job].next = job;
        if (!start_share(wanted, &shares[job])) {
            end_all(shares, wanted->jobs);
            return 1;
        }
    }
    violations = wait_for(wanted, shares);
    for (int64_t job = 0; job < wanted->jobs; job++) {
        add_counts(ret, &shares[job].counts);
    }
    munmap(shares, bytes);
    return violations;
}

/* Of the processor, of all that ended. */
static double spent_s(void)
{
    struct rusage usage;

    getrusage(RUSAGE_CHILDREN, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void tell(const struct wanted *wanted, const struct history_counts *counts, double took_s,
                 int64_t violations)
{
    double histories = (double)counts->histories, spent = spent_s();

    printf("histories=%" PRId64 " actions=%" PRId64 " syncs=%" PRId64 " plans=%" PRId64
           " restores=%" PRId64 " deaths=%" PRId64 " edits=%" PRId64 " faults=%" PRId64
           " rounds_most=%" PRId64 " conflicts=%" PRId64 " set_aside=%" PRId64 " works=%" PRId64
           " turns=%" PRId64 " nested=%" PRId64 " heard=%" PRId64 " twice=%" PRId64
           " seconds=%.0f per_second_and_process=%.1f per_second_of_a_core=%.1f"
           " violations=%" PRId64 "\n",
           counts->histories, counts->actions, counts->syncs, counts->plans, counts->restores,
           counts->deaths, counts->edits, counts->faults, counts->rounds_most, counts->conflicts,
           counts->set_aside, counts->works, counts->turns, counts->nested, counts->heard,
           counts->twice, took_s, took_s > 0 ? histories / took_s / (double)wanted->jobs : 0.0,
           spent > 0 ? (histories + (double)counts->twice) / spent : 0.0, violations);
}

int main(int argc, char **argv)
{
    struct wanted wanted = {.twice_every = TWICE_EVERY,
                            .histories = HISTORIES_DEFAULT,
                            .seed = 1,
                            .jobs = sysconf(_SC_NPROCESSORS_ONLN)};
    struct history_counts counts = {0};
    double began_s = now_s();
    int64_t violations;

    wanted.jobs = wanted.jobs > JOBS_MAX ? JOBS_MAX : wanted.jobs;
    if (!read_arguments(argc, argv, &wanted)) {
        fprintf(stderr, USAGE, argv[0]);
        return 2;
    }
    printf("seeds %" PRId64 " to %" PRId64 "\n", wanted.seed, wanted.seed + wanted.histories - 1);
    fflush(stdout);
    violations = run_all(&wanted, &counts);
    if (violations && !wanted.keeps_going) {
        fprintf(stderr, "a process ended before its last history\n");
        return 1;
    }
    tell(&wanted, &counts, now_s() - began_s, violations);
    return violations ? 1 : 0;
}
