/* Inside of cli/rows: JSON lines. */
#ifndef CRMSYNC_CLI_ROWS_JSON_H
#define CRMSYNC_CLI_ROWS_JSON_H

#include "cli/rows.h"

/* FAIL_RECORD: too long, not UTF-8, a NUL. */
enum fail row_text_check(struct str text, struct error *err) MUST_CHECK;
/* The next line that is not blank. *line counts. */
enum fail row_json_next(FILE *file, struct buf *text, int64_t *line, const struct kind *kind,
                        struct arena *arena, struct row *ret, bool *ret_found,
                        struct error *err) MUST_CHECK;

#endif
