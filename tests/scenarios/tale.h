/* Tales of people in three CRMs that are told several times, once as they are and then with something going wrong; and what is seen in the end, to compare. */
#ifndef CRMSYNC_TESTS_SCENARIOS_TALE_H
#define CRMSYNC_TESTS_SCENARIOS_TALE_H

#include "tests/scenarios/story.h"

enum { TALES = 9, TALE_SYNCS = 3 };

struct tale {
    const char *name;
    enum delete_mode deletes;
    void (*happens)(struct world *world); /* all of it before the syncs that are disturbed */
};

extern const struct tale TALE_LIST[TALES];

/* A world in which the tale has happened, and nobody has synced since. */
struct world *tale_begin(const struct tale *tale);
/* Between two of the TALE_SYNCS syncs. */
void tale_pause(struct world *world);
/* Everything that a person can see, as one text without ids: those differ between twins. buf_fini() is the caller's. */
void tale_look(struct world *world, struct buf *ret);
/* At rest another sync writes nothing. */
void tale_expect_quiet(struct world *world, const struct tale *tale);
/* WALK=n in the environment: every nth moment only (1: all). */
int64_t tale_stride(void);

#endif
