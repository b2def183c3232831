/* YAML with positions (libfyaml): configuration, kinds and mappings. Every error names file, line and column. Aliases are counted
 * before expansion (a bomb is refused), duplicate keys are refused. */
#ifndef CRMSYNC_CORE_YX_H
#define CRMSYNC_CORE_YX_H

#include "core/arena.h"
#include "core/fail.h"

enum { YX_FILE_BYTES_MAX = 4 * 1024 * 1024, YX_ALIASES_MAX = 64, YX_DEPTH_MAX = 32 };

struct yx_document;
struct yx_node; /* opaque; borrowed from its document */

/* All failures are FAIL_CONFIG: cannot read, syntax with caret, too large, too deep, too many aliases, duplicate key. */
enum fail yx_load_file(const char *path, struct yx_document **ret, struct error *err) MUST_CHECK;
/* name stands for the file in messages. */
enum fail yx_load_text(struct str text, const char *name, struct yx_document **ret,
                       struct error *err) MUST_CHECK;
void yx_free(struct yx_document *document); /* accepts NULL */
void yx_free_ptr(struct yx_document **document);
#define AUTO_YX __attribute__((cleanup(yx_free_ptr)))

const struct yx_node *yx_root(const struct yx_document *document);
struct str yx_source(const struct yx_document *document); /* the text as it was read; borrowed */

enum yx_type { YX_SCALAR, YX_MAPPING, YX_SEQUENCE };
enum yx_type yx_type(const struct yx_node *node);
bool yx_is_null(const struct yx_node *node); /* empty plain scalar, ~ or null */
/* scalar text, borrowed from the document; "" for others */
struct str yx_text(const struct yx_node *node);
bool yx_is_quoted(const struct yx_node *node);
/* Position in the file, from 1. */
int yx_line(const struct yx_node *node);
int yx_column(const struct yx_node *node);

/* Mapping and sequence walks, in file order. */
size_t yx_count(const struct yx_node *node);
const struct yx_node *yx_item(const struct yx_node *sequence, size_t index);
const struct yx_node *yx_key_at(const struct yx_node *mapping, size_t index);
const struct yx_node *yx_value_at(const struct yx_node *mapping, size_t index);
/* NULL when absent */
const struct yx_node *yx_get(const struct yx_node *mapping, const char *key);

/* Typed readers of a member: FAIL_CONFIG with position. The *_or forms accept a missing or null member. */
enum fail yx_str(const struct yx_node *mapping, const char *key, struct str *ret,
                 struct error *err) MUST_CHECK;
enum fail yx_str_or(const struct yx_node *mapping, const char *key, struct str otherwise,
                    struct str *ret, struct error *err) MUST_CHECK;
enum fail yx_i64_or(const struct yx_node *mapping, const char *key, int64_t otherwise, int64_t *ret,
                    struct error *err) MUST_CHECK;
enum fail yx_bool_or(const struct yx_node *mapping, const char *key, bool otherwise, bool *ret,
                     struct error *err) MUST_CHECK;
/* "250ms", "90s", "10m", "6h", "30d" or a plain number of seconds. */
enum fail yx_duration_ms_or(const struct yx_node *mapping, const char *key, int64_t otherwise,
                            int64_t *ret_ms, struct error *err) MUST_CHECK;
/* Position in words of names[]: the index of the scalar's text in names (NULL-terminated); the error lists the allowed words. */
enum fail yx_word(const struct yx_node *node, const char *const *names, size_t *ret_index,
                  struct error *err) MUST_CHECK;
/* Refuses members of mapping that are not in allowed (NULL-terminated), naming the nearest allowed word, and
 * whatever is no mapping (nothing at all passes as an empty one). */
enum fail yx_only(const struct yx_node *mapping, const char *const *allowed,
                  struct error *err) MUST_CHECK;

/* FAIL_CONFIG "FILE:LINE:COLUMN: message". */
enum fail yx_error(const struct yx_node *node, struct error *err, const char *format, ...)
    PRINTF_LIKE(3, 4);

#endif
