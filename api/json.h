/* What the store holds as JSON and as text: the same for the HTTP API and for the command line. */
#ifndef CRMSYNC_API_JSON_H
#define CRMSYNC_API_JSON_H

#include <jansson.h>

#include "core/fields.h"
#include "store/record.h"
#include "store/run.h"
#include "sync/sync.h"

json_t *json_text(struct str text); /* invalid UTF-8 is replaced */
json_t *json_value(const struct value *value);
json_t *json_fields(const struct fields *fields);
json_t *json_counts(const struct run_counts *counts);
json_t *json_time(int64_t ms); /* ISO text, null for 0 */
json_t *json_record(const struct store_record *record);
json_t *json_error(const struct error *err);
json_t *json_progress(const struct sync_progress *progress);
/* tenant: whom the commands in it are for; "" the default one. */
json_t *json_report(const struct sync_report *report, struct str tenant);

/* "—" for null and absent, lists joined with ", ", control characters replaced. Arena's. */
struct str value_text(struct arena *arena, const struct value *value);
/* Name of a record for people: its title field, e-mail or names; else the beginning of its id. */
struct str record_title(struct arena *arena, const struct store_record *record);

#endif
