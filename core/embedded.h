/* Files compiled into the binary (migrations, kinds, mappings, the example configuration), made by cmake/embed.cmake.
 * For a table T there is `int T_at(size_t index, struct embedded_file *ret)`: 1 and *ret filled for index < number of files
 * (sorted by name), else 0. */
#ifndef CRMSYNC_CORE_EMBEDDED_H
#define CRMSYNC_CORE_EMBEDDED_H

#include <stddef.h>

struct embedded_file {
    const char *name; /* file name without folder */
    const char *at;   /* content, followed by a NUL that is not counted */
    size_t len;
};

int migrations_at(size_t index, struct embedded_file *ret);      /* store/migrations/ *.sql */
int config_kinds_at(size_t index, struct embedded_file *ret);    /* config/kinds/ *.yaml */
int config_mappings_at(size_t index, struct embedded_file *ret); /* config/mappings/ *.yaml */
int config_example_at(size_t index, struct embedded_file *ret);  /* config/crmsync.yaml */
int api_description_at(size_t index, struct embedded_file *ret); /* api/openapi.json */

#endif
