/* XML of strangers (SOAP, outbound messages), read into a tree of our own and written with escapes. libxml2 parses, hardened: a document type is
 * refused before anything in it is read, so that no entity beyond the five of XML exists; nothing is fetched; depth, size, elements and attributes
 * are capped; only UTF-8. What a document takes in memory and time is therefore bounded by its length. */
#ifndef CRMSYNC_CORE_XX_H
#define CRMSYNC_CORE_XX_H

#include "core/arena.h"
#include "core/fail.h"

enum {
    XX_BYTES_MAX = 4 * 1024 * 1024, /* of a document; who receives may cap further */
    XX_DEPTH_MAX = 32,
    XX_ELEMENTS_MAX = 100000,
    XX_ATTRIBUTES_MAX = 64,        /* of one element; twice as many with its namespaces */
    XX_ATTRIBUTE_BYTES_MAX = 8192, /* one value */
    XX_NAME_BYTES_MAX = 512,       /* local name; prefix; namespace */
};

/* An element. Owned by the arena of its document. */
struct xx_node;

/* Fails: FAIL_RETRY "not XML at line N" (a cut-off or garbled document is worth repeating); FAIL_RECORD for what is refused: a document type,
 * another encoding, more than the maxima. Messages never repeat the document. Thread: any. */
enum fail xx_parse(struct arena *arena, struct str text, const struct xx_node **ret,
                   struct error *err) MUST_CHECK;

/* space "" = in no namespace; NULL = in any. */
bool xx_is(const struct xx_node *node, const char *space, const char *name);
struct str xx_space(const struct xx_node *node); /* "" = none */
struct str xx_name(const struct xx_node *node);  /* local */
/* Text directly inside, CDATA included, without that of its children. "" when there is none. */
struct str xx_text(const struct xx_node *node);
/* STR_NONE when absent. */
struct str xx_attribute(const struct xx_node *node, const char *space, const char *name);
/* Elements inside, in the order of the document: first of all, and the one behind; NULL at the end. */
const struct xx_node *xx_first(const struct xx_node *node);
const struct xx_node *xx_next(const struct xx_node *node);
/* First child of that name, or NULL; required: FAIL_RECORD "Envelope: no element 'Body'". */
const struct xx_node *xx_child(const struct xx_node *node, const char *space, const char *name);
enum fail xx_need(const struct xx_node *node, const char *space, const char *name,
                  const struct xx_node **ret, struct error *err) MUST_CHECK;

/* --- writing: name may have a prefix; it is ours and not checked ---------------------------- */

/* Escapes so that it comes back the same inside elements and in quoted attribute values. Bytes that XML cannot hold (most control characters, what
 * is not UTF-8) become U+FFFD. */
void xx_put_text(struct buf *buf, struct str text);
/* <name>text</name> */
void xx_put_element(struct buf *buf, const char *name, struct str text);

#endif
