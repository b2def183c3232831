/* Inside of mapper/: the normal form of scalars, one function per type. Each is idempotent. Not for other rooms. */
#ifndef CRMSYNC_MAPPER_NORMAL_H
#define CRMSYNC_MAPPER_NORMAL_H

#include "mapper/kind.h"

/* False: the text has no normal form of this type. "" never comes in. */
bool normal_text(enum field_type type, struct str text, struct arena *arena, struct str *ret);
/* "a whole number": what a text of this type has to be, for messages. */
const char *field_type_expects(enum field_type type);
/* E.164 when it can be told: "+…" or "00…" as it is; a national number with default_code ("49") in front, its trunk prefix dropped. Without a
 * default code, or when it is shorter than a subscriber's number, its digits. What holds anything but digits and the usual marks, or more digits than a
 * number can have, stays as it was typed. An extension ("ext 12", "x12", "#12", ";ext=12") is kept as ";ext=12". */
struct str normal_phone(struct str text, struct str default_code, struct arena *arena);
/* The same number with its extension as people read it ("+4930123456 ext. 12"). */
struct str phone_for_people(struct str normal, struct arena *arena);
/* Registrable domain of a host, URL or e-mail address, lower case ("https://www.Acme.co.uk/x" → "acme.co.uk"); the lower-case host when the public
 * suffix list does not know it; "" when there is none. */
struct str normal_domain(struct str text, struct arena *arena);
/* One line: NFC, trimmed, white space runs to one blank, control characters out. */
struct str normal_line(struct str text, struct arena *arena);
/* Sorted set of a list's items. */
struct value normal_list(const struct str *items, size_t count, struct arena *arena);

#endif
