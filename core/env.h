/* The one door for everything nondeterministic: time, random, the network, the log. Tests pass virtual ones. */
#ifndef CRMSYNC_CORE_ENV_H
#define CRMSYNC_CORE_ENV_H

#include "core/clock.h"
#include "core/log.h"
#include "core/random.h"

struct transport; /* http/transport.h */

struct env {
    struct clock *clock;         /* borrowed */
    struct random *random;       /* borrowed */
    struct transport *transport; /* borrowed; NULL where no network is used */
    struct log *log;             /* borrowed; NULL logs nothing */
    const char *actor; /* borrowed; who acts, for the audit log: "user:anna"; NULL = "crmsync" */
};

#endif
