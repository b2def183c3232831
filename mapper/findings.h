/* Inside of mapper/: how an inspection says what it found. Not for other rooms. */
#ifndef CRMSYNC_MAPPER_FINDINGS_H
#define CRMSYNC_MAPPER_FINDINGS_H

#include "mapper/inspect.h"

struct findings {
    struct finding *at;
    size_t count, room;
    struct arena *arena;
};

enum gravity { IS_WARNING, IS_ERROR };

/* At the place of the entry. The hint may be set on the returned finding. */
struct finding *found(struct findings *findings, const struct inspected *in,
                      const struct map_entry *entry, enum gravity gravity, const char *format, ...)
    PRINTF_LIKE(5, 6);

/* What is to be seen in one mapping without the CRM. */
void inspect_values(struct findings *findings, const struct inspected *in,
                    const struct map_entry *entry);
/* One entry against the CRM's schema. */
void inspect_entry(struct findings *findings, const struct inspected *in,
                   const struct map_entry *entry);
/* Two names of one property, both written. */
void inspect_names(struct findings *findings, const struct inspected *in);
/* What lies between connections. */
void inspect_sources(struct findings *findings, const struct inspected *at, size_t count);
void inspect_circles(struct findings *findings, const struct inspected *at, size_t count);

#endif
