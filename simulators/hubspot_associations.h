/* What the two files of association endpoints share. */
#ifndef CRMSYNC_SIMULATORS_HUBSPOT_ASSOCIATIONS_H
#define CRMSYNC_SIMULATORS_HUBSPOT_ASSOCIATIONS_H

#include "simulators/hubspot_inside.h"

enum { HS_LINK_PAGE_MAX = 500, HS_LINK_LABELS_MAX = 32 };

struct ends {
    struct hs_kind *kind, *to_kind;
    struct hs_record *record, *to;
};

/* The types in [{"associationCategory","associationTypeId"}]. */
struct types {
    const struct hs_link_type *at[HS_LINK_LABELS_MAX];
    size_t count;
};

/* False: a type that does not exist between these kinds, or too many. */
bool hs_types_read(struct hubspot *hs, const struct hs_kind *from, const struct hs_kind *to,
                   const json_t *json, struct types *ret);
void hs_types_refuse(struct sim_call *call, const struct hs_kind *from, const struct hs_kind *to);
/* Adds the association to the log of writes: "associate" or "dissociate"; types NULL or empty = all. */
void hs_wrote_link(struct sim_call *call, const char *method, const struct ends *ends,
                   const struct types *types);
void hs_types_apply(struct sim_call *call, const struct ends *ends, const struct types *types);
/* The other record is of that kind and live. */
bool hs_link_is_shown(const struct hs_link *link, const struct hs_kind *to_kind);

typedef void put_row(struct sim_call *call, const struct hs_kind *kind, const struct hs_link *link);

void hs_put_link(struct sim_call *call, const struct hs_kind *kind, const struct hs_link *link);
/* Rows from index `from` of the record's links; returns the index to go on at, 0 at the end. */
size_t hs_put_links(struct sim_call *call, const struct ends *ends, size_t from, int64_t limit,
                    put_row *put);
void hs_put_next(struct sim_call *call, size_t next);
void hs_put_link_type(struct buf *body, const struct hs_link_type *type);
void hs_put_link_spec(struct sim_call *call, const struct ends *ends,
                      const struct hs_link_type *type);
void hs_put_link_labels(struct sim_call *call, const struct types *types);
void hs_put_batch_end(struct sim_call *call); /* startedAt, completedAt and the closing brace */

#endif
