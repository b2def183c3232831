/* What a store that was restored from a backup may do. It remembers less than what happened: objects that were made, changed, merged or deleted since the
 * backup. So nothing is written anywhere before every stream has been listed completely; then:
 *   - what is gone at a CRM is a delete there, and is never made again: links of the backup say so by themselves;
 *   - an object with our key on it is the record with that id, which comes back with it where the backup does not know it;
 *   - what several CRMs hold and the backup does not know is one record: by our key, by the kind's match rules, or because every value is the same;
 *   - what may still be a double is not created: it is set aside for a person, who lets it through with 'crmsync failures retry'.
 * Inside of sync/. */
#ifndef CRMSYNC_SYNC_RESTORED_H
#define CRMSYNC_SYNC_RESTORED_H

#include "store/restoring.h"
#include "sync/slice.h"

/* The stream's part of it, at the beginning of a slice; inside a transaction. */
enum fail restored_open(struct pass *pass, struct tx *tx, struct error *err);
/* The id that a new record takes: that of the key on its object, where the record was forgotten. */
bool restored_uuid(const struct pass *pass, const struct remote_record *remote,
                   char ret[UUID_TEXT_BYTES]);
/* The record that an object without a match is, or 0. fields: the object's, in normal form. */
enum fail restored_match(struct pass *pass, const struct remote_record *remote,
                         const struct fields *fields, int64_t *ret_record_id, struct error *err);
/* The object has become that of a record that the backup does not know: so the other CRMs' objects are held against it. */
enum fail restored_note(struct pass *pass, const struct remote_record *remote,
                        const struct fields *fields, int64_t record_id, struct error *err);
/* The stream has been listed completely. */
enum fail restored_listed(struct pass *pass, struct error *err);

/* Streams that are configured and still have to be listed; 0: writing may go on. ret_any: something is remembered at all. */
enum fail restored_waiting(const struct sync *sync, size_t *ret_waiting, bool *ret_any,
                           struct error *err);
/* Sets aside what a create at this connection might double; a slice once nothing waits. */
slice_fn slice_release;
/* When all configured streams are released, the restore is over. */
enum fail restored_end(const struct sync *sync, struct error *err);

#endif
