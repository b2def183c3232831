#include "cli/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

enum { REDRAW_MS = 100, BAR_CELLS = 24, RATE_AFTER_MS = 500 };

void progress_init(struct progress *progress, const struct cli *cli, struct http_client *http)
{
    *progress = (struct progress){.env = cli->env,
                                  .http = http,
                                  .cli = cli,
                                  .is_on = !cli->quiet && !cli->json && isatty(STDERR_FILENO)};
}

static void bar(char text[4 * BAR_CELLS + 4], int64_t done, int64_t total)
{
    int64_t full = total > 0 ? done * BAR_CELLS / total : 0;
    size_t len = 0;

    full = full > BAR_CELLS ? BAR_CELLS : full;
    for (int64_t i = 0; i < BAR_CELLS; i++) {
        const char *cell = i < full ? "█" : "·";

        len += (size_t)snprintf(text + len, 4, "%s", cell);
    }
}

static void remaining(char *text, size_t bytes, int64_t done, int64_t total, int64_t spent_ms)
{
    int64_t left_s;

    text[0] = '\0';
    if (total <= 0 || done <= 0 || done >= total || spent_ms < RATE_AFTER_MS) {
        return;
    }
    left_s = (total - done) * spent_ms / done / 1000;
    if (left_s >= 60) {
        snprintf(text, bytes, "  %" PRId64 " min left", left_s / 60 + 1);
    } else {
        snprintf(text, bytes, "  %" PRId64 " s left", left_s + 1);
    }
}

static void draw_wait(const struct sync_progress *now)
{
    fprintf(stderr, "\r\033[K%" PRI_STR " %" PRI_STR "  waiting %" PRId64 " s for the CRM",
            STR_ARG(now->connection), STR_ARG(now->kind), (now->wait_ms + 999) / 1000);
}

static void draw(const struct progress *progress, const struct sync_progress *now, int64_t spent_ms)
{
    char cells[4 * BAR_CELLS + 4] = "";
    char left[48];
    int64_t rate = spent_ms >= RATE_AFTER_MS ? now->done * 1000 / spent_ms : 0;

    remaining(left, sizeof left, now->done, now->total, spent_ms);
    if (now->total > 0) {
        bar(cells, now->done, now->total);
        fprintf(stderr, "\r\033[K%" PRI_STR " %" PRI_STR "  %s  %s %" PRId64 "/%" PRId64,
                STR_ARG(now->connection), STR_ARG(now->kind), now->phase, cells, now->done,
                now->total);
    } else {
        fprintf(stderr, "\r\033[K%" PRI_STR " %" PRI_STR "  %s %" PRId64, STR_ARG(now->connection),
                STR_ARG(now->kind), now->phase, now->done);
    }
    if (rate > 0) {
        fprintf(stderr, "  %" PRId64 "/s", rate);
    }
    fputs(left, stderr);
    if (progress->http || now->counts) {
        fprintf(stderr, "  %" PRId64 " calls",
                progress->http ? http_client_stats(progress->http).calls : now->counts->calls);
    }
}

void progress_tell_trouble(const struct cli *cli, struct str connection, struct str kind,
                           const char *why)
{
    if (!cli->quiet && !cli->json) {
        fprintf(stderr, "crmsync: %" PRI_STR ", %" PRI_STR ": %s; it is tried again\n",
                STR_ARG(connection), STR_ARG(kind), why);
        fflush(stderr);
    }
}

/* Each trouble once, not each time it is waited for. */
static void tell_new_trouble(struct progress *progress, const struct sync_progress *now)
{
    char trouble[sizeof progress->trouble];

    snprintf(trouble, sizeof trouble, "%" PRI_STR " %s", STR_ARG(now->connection), now->why);
    if (strcmp(trouble, progress->trouble) != 0) {
        memcpy(progress->trouble, trouble, sizeof trouble);
        progress_clear(progress);
        progress_tell_trouble(progress->cli, now->connection, now->kind, now->why);
    }
}

void progress_show(void *context, const struct sync_progress *now)
{
    struct progress *progress = context;
    int64_t mono_ms = clock_mono_ms(progress->env->clock);
    char phase[sizeof progress->phase];

    if (now->why) {
        tell_new_trouble(progress, now);
    }
    if (!progress->is_on) {
        return;
    }
    snprintf(phase, sizeof phase, "%s %" PRI_STR " %" PRI_STR, now->phase, STR_ARG(now->connection),
             STR_ARG(now->kind));
    if (strcmp(phase, progress->phase) != 0) {
        memcpy(progress->phase, phase, sizeof phase);
        progress->phase_began_ms = mono_ms;
    } else if (mono_ms - progress->shown_ms < REDRAW_MS) {
        return;
    }
    progress->shown_ms = mono_ms;
    progress->is_shown = true;
    if (now->wait_ms) {
        draw_wait(now);
    } else {
        draw(progress, now, mono_ms - progress->phase_began_ms);
    }
    fflush(stderr);
}

void progress_clear(struct progress *progress)
{
    if (progress->is_shown) {
        fprintf(stderr, "\r\033[K");
        fflush(stderr);
        progress->is_shown = false;
    }
}
