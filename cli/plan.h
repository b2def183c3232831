/* Plans for people: made, shown, applied. */
#ifndef CRMSYNC_CLI_PLAN_H
#define CRMSYNC_CLI_PLAN_H

#include "cli/command.h"
#include "sync/plan_file.h"

enum { PLAN_LINES_SHOWN = 20 };

/* Rehearses a run and says what it would do; the plan goes to path when there is one. lines: changes shown in full. Returns the exit code. */
int plan_make(struct cli *cli, const struct sync_options *options, const char *path, int64_t lines);
/* One change of a plan, for people. why: what came of it, "" nothing to say. */
void plan_print_change(const json_t *line, const char *why);

#endif
