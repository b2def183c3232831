/* A kind of every type, and mappings of it written as YAML in the test. */
#ifndef CRMSYNC_TESTS_UNIT_MAPPER_THING_H
#define CRMSYNC_TESTS_UNIT_MAPPER_THING_H

#include "tests/expect.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "mapper/mapping.h"

static const char THING[] = "kind: thing\n"
                            "fields:\n"
                            "  name: {type: string}\n"
                            "  other: {type: string}\n"
                            "  note: {type: text}\n"
                            "  mail: {type: email}\n"
                            "  phone: {type: phone}\n"
                            "  site: {type: url}\n"
                            "  count: {type: integer}\n"
                            "  price: {type: money}\n"
                            "  rate: {type: decimal}\n"
                            "  size: {type: enum, options: [small, large]}\n"
                            "  stage: {type: enum}\n"
                            "  tags: {type: multi_enum}\n"
                            "  born: {type: date}\n"
                            "  seen: {type: datetime}\n"
                            "  active: {type: boolean}\n"
                            "  owner_id: {type: string}\n"
                            "  parent_id: {type: reference, to: thing}\n"
                            "  friend_ids: {type: reference_list, to: thing}\n";

static inline void thing_write(const char *folder, const char *name, const char *text,
                               struct str *ret_path, struct arena *arena)
{
    FILE *file;

    *ret_path = arena_printf(arena, "%s/%s", folder, name);
    file = fopen(ret_path->at, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

/* fields: the lines under `fields:`, each indented by six; the first is line 5. */
static inline enum fail thing_load(const char *fields, struct arena *arena,
                                   const struct mapping **ret, struct error *err)
{
    char folder[] = "/tmp/crmsync-thing-XXXXXX";
    struct mappings *mappings = ARENA_NEW(arena, struct mappings);
    struct kinds *kinds = ARENA_NEW(arena, struct kinds);
    struct str kind_path, mapping_path;
    enum fail failed;

    assert_non_null(mkdtemp(folder));
    thing_write(folder, "thing.yaml", THING, &kind_path, arena);
    failed = kinds_load(arena, folder, kinds, err);
    thing_write(folder, "mapping.txt",
                arena_printf(arena, "crm: some\nkinds:\n  thing:\n    fields:\n%s", fields).at,
                &mapping_path, arena);
    failed =
        failed ? failed : mappings_load(arena, kinds, STR("some"), mapping_path.at, mappings, err);
    unlink(kind_path.at);
    unlink(mapping_path.at);
    rmdir(folder);
    *ret = failed ? NULL : &mappings->at[0];
    return failed;
}

static inline const struct mapping *thing_mapping(const char *fields, struct arena *arena)
{
    const struct mapping *mapping;
    struct error err = {0};

    EXPECT(thing_load(fields, arena, &mapping, &err) == OK, "%s in: %s", err.message, fields);
    return mapping;
}

#endif
