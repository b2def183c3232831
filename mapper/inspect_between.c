/* What lies between connections: a field with several sources, and fields that feed each other in a circle. */
#include "mapper/findings.h"
#include "mapper/inside.h"

void inspect_sources(struct findings *findings, const struct inspected *at, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < at[i].mapping->entries_count; k++) {
            const struct map_entry *entry = &at[i].mapping->entries[k];

            for (size_t j = 0; j < i && entry->direction == MAP_IN; j++) {
                const struct map_entry *other = mapping_entry(at[j].mapping, entry->field->name);
                struct finding *finding;

                if (!str_equal(at[j].mapping->kind->name, at[i].mapping->kind->name) || !other ||
                    other->direction != MAP_IN) {
                    continue;
                }
                finding = found(findings, &at[i], entry, IS_WARNING,
                                "'%" PRI_STR "' has two owners: it is only read from '%" PRI_STR
                                "' and only read from '%" PRI_STR
                                "', so the last change stands and the other is never told",
                                STR_ARG(entry->field->name), STR_ARG(at[j].connection),
                                STR_ARG(at[i].connection));
                finding->hint = STR("map the field at one of them only, or let both be written");
                break;
            }
        }
    }
}

/* --- circles ---------------------------------------------------------------------------------------------------------------- */

/* One connection writes field `from` to a property that its field `to` reads: whatever is put into the first turns up in the second.
 * Round a circle of such steps (which takes two connections, since a field has one property at each) an edit returns to where it
 * came from, changed by every transform on the way. */
struct step {
    const struct inspected *in;
    const struct map_entry *writer, *reader;
    size_t from, to; /* fields of the kind */
};
struct steps {
    struct step *at;
    size_t count;
};

static bool is_same_property(const struct inspected *in, const struct map_entry *x,
                             const struct map_entry *y)
{
    const struct transform *x_member = entry_transform(x, TRANSFORM_MEMBER);
    const struct transform *y_member = entry_transform(y, TRANSFORM_MEMBER);
    const struct property_facts *property =
        in->schema ? schema_property(in->schema, x->property) : NULL;
    bool is_same = str_equal(x->property, y->property) ||
                   (property && property == schema_property(in->schema, y->property));

    return is_same && (!x_member || !y_member || str_equal(x_member->argument, y_member->argument));
}

static void add_steps(struct steps *steps, const struct inspected *in, const struct kind *kind)
{
    const struct mapping *mapping = in->mapping;

    for (size_t i = 0; i < mapping->entries_count; i++) {
        for (size_t k = 0; k < mapping->entries_count; k++) {
            const struct map_entry *writer = &mapping->entries[i], *reader = &mapping->entries[k];
            const struct kind_field *from = kind_field_by_name(kind, writer->field->name);
            const struct kind_field *to = kind_field_by_name(kind, reader->field->name);

            if (i != k && from && to && writer->direction != MAP_IN && !writer->only_at_create &&
                reader->direction == MAP_IN && is_same_property(in, writer, reader)) {
                steps->at[steps->count++] = (struct step){.in = in,
                                                          .writer = writer,
                                                          .reader = reader,
                                                          .from = (size_t)(from - kind->fields),
                                                          .to = (size_t)(to - kind->fields)};
            }
        }
    }
}

/* A way from a field back to it through no field before it, so that each circle is found once. reached[field] becomes the
 * step that led there. */
static bool find_circle(const struct steps *steps, size_t start, const struct step **reached,
                        size_t fields_count)
{
    bool goes_on = true;

    memset(reached, 0, fields_count * sizeof *reached);
    while (goes_on && !reached[start]) {
        goes_on = false;
        for (size_t i = 0; i < steps->count; i++) {
            const struct step *step = &steps->at[i];

            if ((step->from == start || (step->from > start && reached[step->from])) &&
                step->to >= start && !reached[step->to]) {
                reached[step->to] = step;
                goes_on = true;
            }
        }
    }
    return reached[start] != NULL;
}

static void tell_circle(struct findings *findings, size_t start, const struct step *const *reached)
{
    const struct step *last = reached[start], *step = last;
    struct str way = STR("");
    struct finding *finding;

    do {
        way = arena_printf(findings->arena,
                           "'%" PRI_STR "' goes to property '%" PRI_STR "' of '%" PRI_STR
                           "', from which '%" PRI_STR "' is read%s%" PRI_STR,
                           STR_ARG(step->writer->field->name), STR_ARG(step->writer->property),
                           STR_ARG(step->in->connection), STR_ARG(step->reader->field->name),
                           way.len ? "; " : "", STR_ARG(way));
        step = step->from == start ? NULL : reached[step->from];
    } while (step);
    finding = found(findings, last->in, last->reader, IS_ERROR,
                    "fields feed each other in a circle: %" PRI_STR, STR_ARG(way));
    finding->hint = STR("read each field from the property to which it is written, or take one of "
                        "them out");
}

void inspect_circles(struct findings *findings, const struct inspected *at, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct kind *kind = at[i].mapping->kind;
        const struct step **reached =
            ARENA_ARRAY(findings->arena, const struct step *, kind->fields_count);
        struct steps steps = {0};
        bool is_done = false;
        size_t room = 0;

        for (size_t k = 0; k < count; k++) {
            bool is_kind = str_equal(at[k].mapping->kind->name, kind->name);

            is_done = is_done || (is_kind && k < i);
            room += is_kind ? at[k].mapping->entries_count * at[k].mapping->entries_count : 0;
        }
        if (is_done) {
            continue;
        }
        steps.at = ARENA_ARRAY(findings->arena, struct step, room + 1);
        for (size_t k = 0; k < count; k++) {
            if (str_equal(at[k].mapping->kind->name, kind->name)) {
                add_steps(&steps, &at[k], kind);
            }
        }
        for (size_t k = 0; k < kind->fields_count && steps.count; k++) {
            if (find_circle(&steps, k, reached, kind->fields_count)) {
                tell_circle(findings, k, reached);
            }
        }
    }
}
