#include "store/migrate.h"

#include <assert.h>

#include "core/embedded.h"
#include "core/str.h"

/* "0001_initial.sql" is 1. */
static int version_of(const struct embedded_file *file)
{
    struct str name = str_of(file->name);
    int64_t version = 0;
    bool is_number = str_to_i64(str_cut(&name, '_'), &version);

    assert(is_number && version > 0);
    return (int)version;
}

int migrate_newest(void)
{
    struct embedded_file file;
    int newest = 0;

    for (size_t i = 0; migrations_at(i, &file); i++) {
        newest = version_of(&file);
    }
    return newest;
}

enum fail migrate_check(const struct engine_schema *schema, const char *path, struct error *err)
{
    if (!schema->is_ours && !(schema->is_empty && schema->version == 0)) {
        error_set(err, FAIL_CONFIG, "'%s' is a database of another program, not a crmsync store",
                  path);
        return error_hint(err, "check 'store' in the configuration");
    }
    if (schema->version > migrate_newest()) {
        error_set(err, FAIL_CONFIG,
                  "store '%s' was written by a newer crmsync: its schema is %d, this one "
                  "(crmsync %s) knows %d",
                  path, schema->version, CRMSYNC_VERSION, migrate_newest());
        return error_hint(err, "install the newer crmsync, or restore a backup from before");
    }
    return OK;
}

enum fail migrate_run(struct engine *engine, int from_version, int to_version, struct error *err)
{
    struct embedded_file file;

    for (size_t i = 0; migrations_at(i, &file); i++) {
        int version = version_of(&file);

        if (version > from_version && version <= to_version &&
            engine_migrate(engine, file.at, version, err) != OK) {
            return error_wrap(err, "migration %s", file.name);
        }
    }
    return OK;
}
