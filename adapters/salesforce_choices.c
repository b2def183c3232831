/* Salesforce: which stages an opportunity can have and what they mean, and which states a task can have.
 * source: Object Reference, OpportunityStage (ApiName, IsActive, IsClosed, IsWon, SortOrder), TaskStatus (ApiName, IsClosed, IsDefault) */
#include "adapters/salesforce_write.h"

#include <stdlib.h>

#include "core/alloc.h"
#include "core/jx.h"

enum { CHOICES_FRESH_MS = 60 * 1000 };

static const char STAGES[] = "SELECT ApiName, IsClosed, IsWon FROM OpportunityStage "
                             "WHERE IsActive = true ORDER BY SortOrder";
static const char STATES[] =
    "SELECT ApiName, IsClosed, IsDefault FROM TaskStatus ORDER BY SortOrder";

static enum fail read_stages(const json_t *rows, struct salesforce_choices *choices,
                             struct error *err)
{
    size_t count = json_array_size(rows);
    struct salesforce_stage *stages =
        ARENA_ARRAY(&choices->arena, struct salesforce_stage, count + 1);

    for (size_t i = 0; i < count; i++) {
        const json_t *row = json_array_get(rows, i);
        struct str name;

        if (jx_str(row, "ApiName", &name, err) != OK) {
            return error_wrap(err, "salesforce's stages");
        }
        stages[i] = (struct salesforce_stage){.name = arena_str(&choices->arena, name),
                                              .is_closed = json_is_true(jx_get(row, "IsClosed")),
                                              .is_won = json_is_true(jx_get(row, "IsWon"))};
    }
    choices->stages = stages;
    choices->stages_count = count;
    return OK;
}

/* The default state when it is an open one, else the first open one; the first closed one. */
static enum fail read_states(const json_t *rows, struct salesforce_choices *choices,
                             struct error *err)
{
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i);
        bool is_closed = json_is_true(jx_get(row, "IsClosed"));
        struct str name, *ret = is_closed ? &choices->task_closed : &choices->task_open;

        if (jx_str(row, "ApiName", &name, err) != OK) {
            return error_wrap(err, "salesforce's task states");
        }
        if (!ret->len || (!is_closed && json_is_true(jx_get(row, "IsDefault")))) {
            *ret = arena_str(&choices->arena, name);
        }
    }
    return OK;
}

static bool are_fresh(const struct session *session)
{
    int64_t age_ms = session->choices
                         ? clock_wall_ms(session->env->clock) - session->choices->read_ms
                         : CHOICES_FRESH_MS;

    return session->choices && session->choices->read_ms && age_ms >= 0 &&
           age_ms < CHOICES_FRESH_MS;
}

void salesforce_free_choices(struct session *session)
{
    if (session->choices) {
        arena_fini(&session->choices->arena);
        free(session->choices);
        session->choices = NULL;
    }
}

enum fail salesforce_load_choices(struct session *session, struct error *err)
{
    AUTO_ARENA struct arena arena = {0};
    struct salesforce_query queries[] = {{.soql = str_of(STAGES)}, {.soql = str_of(STATES)}};
    struct salesforce_answer answer;

    if (are_fresh(session)) {
        return OK;
    }
    if (salesforce_query(session, queries, COUNT_OF(queries), &arena, &answer, err) != OK) {
        return error_wrap(err, "stages and task states");
    }
    salesforce_free_choices(session);
    session->choices = alloc_new(1, sizeof *session->choices);
    if (read_stages(queries[0].records, session->choices, err) != OK ||
        read_states(queries[1].records, session->choices, err) != OK) {
        err->code = FAIL_RETRY;
        return FAIL_RETRY;
    }
    session->choices->read_ms = clock_wall_ms(session->env->clock);
    return OK;
}
