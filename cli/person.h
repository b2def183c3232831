/* Everything that the store holds of one person, as one JSON document: for the person who asks (GDPR, articles 15 and 20). */
#ifndef CRMSYNC_CLI_PERSON_H
#define CRMSYNC_CLI_PERSON_H

#include "cli/wire.h"

/* who: an e-mail address, id or beginning of an id of a contact. path "": standard output. The store may be open for reading only; that it was exported is
 * noted in the audit log first. *ret_parts: entries in the document. */
enum fail person_export(struct wire *wire, struct str who, struct str path, int64_t *ret_parts,
                        struct error *err) MUST_CHECK;

#endif
