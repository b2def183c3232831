/* Text with and without markup: what people read of a piece of HTML, and plain text as HTML. Reading is libxml2's lenient HTML parser without
 * network, entities of its own or limits lifted. */
#ifndef CRMSYNC_CORE_HTML_H
#define CRMSYNC_CORE_HTML_H

#include "core/arena.h"
#include "core/str.h"

/* The text of a piece of HTML: a line end for <br> and around blocks, "- " before list items, nothing of scripts and styles, runs of blanks as one. Anything is
 * read somehow; text without markup stays as it is but for blanks. UTF-8 in and out. */
struct str html_to_text(struct str html, struct arena *arena);

/* Plain text as HTML: special characters escaped, <br> for line ends, blanks around lines and runs of them given up. What html_to_text() makes of the result
 * comes out of html_from_text() the same. */
struct str html_from_text(struct str text, struct arena *arena);

#endif
