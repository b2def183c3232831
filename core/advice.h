/* Commands that a text for people advises. */
#ifndef CRMSYNC_CORE_ADVICE_H
#define CRMSYNC_CORE_ADVICE_H

#include "core/arena.h"

/* "'crmsync sync'" and "…: crmsync sync" of a text that was written for any tenant, as they are to be typed for this one: "crmsync --tenant acme sync". What
 * names a tenant already stays. tenant: "" or "default" = the text itself. Arena's. */
struct str advice_for_tenant(struct arena *arena, struct str tenant, struct str text);

#endif
