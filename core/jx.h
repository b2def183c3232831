/* Type-checked access to foreign JSON. Each reader fails with the path in the message: "paging: next: after: expected string,
 * found number". json_object_get chains, json_unpack and unchecked json_string_value are not used outside jx.c on foreign data. */
#ifndef CRMSYNC_CORE_JX_H
#define CRMSYNC_CORE_JX_H

#include <jansson.h>

#include "core/arena.h"
#include "core/fail.h"

enum { JX_DEPTH_MAX = 32 };

/* Parses with duplicate keys rejected and depth capped. The tree is owned by arena. Fails: FAIL_RETRY "not JSON at byte N: …"
 * (a truncated or garbled answer is worth repeating); invalid UTF-8 likewise.
 * A number beyond int64 or double arrives as a string of the same digits, so that only its own record suffers. */
enum fail jx_parse(struct arena *arena, struct str text, json_t **ret,
                   struct error *err) MUST_CHECK;
/* Gives a tree to the arena (takes the reference) and returns it. */
json_t *jx_own(struct arena *arena, json_t *take_tree);
/* Compact text of a tree; owned by arena. Keys keep insertion order unless sorted. */
struct str jx_text(struct arena *arena, const json_t *tree);
struct str jx_text_sorted(struct arena *arena, const json_t *tree);

/* Required members: FAIL_RECORD when missing, null or of another type. Results are borrowed from parent. */
enum fail jx_object(const json_t *parent, const char *key, json_t **ret,
                    struct error *err) MUST_CHECK;
enum fail jx_array(const json_t *parent, const char *key, json_t **ret,
                   struct error *err) MUST_CHECK;
enum fail jx_str(const json_t *parent, const char *key, struct str *ret,
                 struct error *err) MUST_CHECK;
enum fail jx_i64(const json_t *parent, const char *key, int64_t *ret, struct error *err) MUST_CHECK;
enum fail jx_time_ms(const json_t *parent, const char *key, int64_t *ret_ms,
                     struct error *err) MUST_CHECK;
/* An id that may arrive as string or integer, as text (arena). */
enum fail jx_id(struct arena *arena, const json_t *parent, const char *key, struct str *ret,
                struct error *err) MUST_CHECK;

/* Optional members: missing or null gives otherwise; another type is still FAIL_RECORD. */
enum fail jx_object_or_null(const json_t *parent, const char *key, json_t **ret,
                            struct error *err) MUST_CHECK;
enum fail jx_array_or_null(const json_t *parent, const char *key, json_t **ret,
                           struct error *err) MUST_CHECK;
enum fail jx_str_or(const json_t *parent, const char *key, struct str otherwise, struct str *ret,
                    struct error *err) MUST_CHECK;
enum fail jx_i64_or(const json_t *parent, const char *key, int64_t otherwise, int64_t *ret,
                    struct error *err) MUST_CHECK;
enum fail jx_bool_or(const json_t *parent, const char *key, bool otherwise, bool *ret,
                     struct error *err) MUST_CHECK;
enum fail jx_time_ms_or(const json_t *parent, const char *key, int64_t otherwise, int64_t *ret_ms,
                        struct error *err) MUST_CHECK;
enum fail jx_id_or(struct arena *arena, const json_t *parent, const char *key, struct str otherwise,
                   struct str *ret, struct error *err) MUST_CHECK;

/* Untyped look-ups that never fail; NULL when absent. For hints in error bodies and for pass-through values. */
json_t *jx_get(const json_t *parent, const char *key);
struct str jx_text_of(const json_t *value); /* string value or STR_NONE */

#endif
