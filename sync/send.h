/* Inside of sync/: what updates and creates share on the way out. Not for other rooms. */
#ifndef CRMSYNC_SYNC_SEND_H
#define CRMSYNC_SYNC_SEND_H

#include "sync/pass.h"

/* Points to other records: may be a call of its own, which fails on its own. */
bool entry_is_link(const struct map_entry *entry);
/* spare.c: the references that no record of a batch moved are not read before the write. */
struct spare {
    struct pass *pass;
    bool *is_wanted; /* by mapping entry */
    struct str *properties;
    size_t properties_count;
};
/* What has to be read of these links; page arena. */
enum fail spare_references(struct pass *pass, const struct store_link *links, size_t count,
                           struct spare *ret, struct error *err);
/* What was not read is taken as it was at the last agreement. */
void spare_fill(const struct spare *spare, const struct base *base, struct fields *shown);
/* References that wait and values that have no place there. */
enum fail note_outward(struct pass *pass, const struct store_record *record, struct str remote_id,
                       const struct map_notes *notes, struct error *err);
/* What of a field's value is in the request: all of it, the members of a list that travel already, or nothing (false). */
bool sent_value(struct pass *pass, const struct map_notes *notes, struct str field,
                const struct value *value, struct value *ret);
/* Lists of which some members wait are not written again as they are there already. */
void drop_repeats(struct pass *pass, const struct map_notes *notes, const json_t *current,
                  json_t *props);
/* After a write was done: the base of every sent field becomes (what was sent, what the CRM shows for it). shown: the remote half as last
 * known; brought up to date. */
enum fail settle_base(struct pass *pass, struct base *base, const struct fields *sent,
                      const struct remote_record *returned, struct fields *shown,
                      struct error *err);
/* Every field that was sent is what the base says; what could not be sent is noted and waits for a reason of its own. */
bool is_sent_agreed(const struct base *base, const struct fields *sent);
/* The field has nothing to send, going by the base. */
bool is_field_agreed(const struct pass *pass, const struct map_entry *entry,
                     const struct base *base, const struct fields *hub);
/* No two-way or outward field of the record is left to send, going by the base. */
bool is_all_agreed(const struct pass *pass, const struct base *base, const struct fields *hub);
/* The fields of a write for journal and gate, page arena: from what the CRM showed (NULL: a create) to what is sent. */
struct journal_change *push_changes(struct pass *pass, const struct fields *sent,
                                    const struct fields *shown);
/* A create as the gate is told of it. */
struct change create_change(struct pass *pass, const struct store_record *record,
                            const struct fields *sent);
/* Writes down what was done at the CRM. */
enum fail journal_push(struct pass *pass, const struct store_record *record, struct str remote_id,
                       const struct journal_change *changes, size_t count, struct error *err);
/* Closes the intent and writes the link. */
enum fail keep_done(struct pass *pass, const struct store_intent *intent, struct store_link *link,
                    struct error *err);
/* What a write that was not done leaves behind. link NULL: a create. */
enum fail keep_not_done(struct pass *pass, struct store_intent *intent, struct store_link *link,
                        enum write_outcome outcome, const struct error *cause, struct error *err);

#endif
