/* Counts of what is linked to a record. Every live object is looked at: they are asked for rarely,
 * with include_fields. */
#include "simulators/pipedrive_inside.h"

static bool links_to(struct pipedrive *pd, const struct pd_kind *kind,
                     const struct pd_record *record, const struct pd_record *child)
{
    int64_t id = record->base.id;

    return kind == pd_people(pd)          ? child->person_id == id
           : kind == pd_organizations(pd) ? child->org_id == id
                                          : child->deal_id == id;
}

/* participant_… counts deals where the person is not the deal's own. */
static bool deal_counts(struct pipedrive *pd, const struct pd_kind *kind, struct str code,
                        const struct pd_record *record, const struct pd_record *deal)
{
    struct str status;
    bool is_open;

    if (str_starts(code, STR("participant_"))) {
        if (deal->person_id == record->base.id || !pd_participates(deal, record->base.id)) {
            return false;
        }
    } else if (!links_to(pd, kind, record, deal)) {
        return false;
    }
    status = pd_value(deal, pd_slot(pd_deals(pd), "status"));
    is_open = str_equal(status, STR("\"open\""));
    return str_contains(code, STR("won_"))    ? str_equal(status, STR("\"won\""))
           : str_contains(code, STR("lost_")) ? str_equal(status, STR("\"lost\""))
           : str_contains(code, STR("open_")) ? is_open
                                              : !is_open;
}

static bool activity_counts(struct pipedrive *pd, const struct pd_kind *kind, struct str code,
                            const struct pd_record *record, const struct pd_record *activity)
{
    bool is_done;

    if (!links_to(pd, kind, record, activity)) {
        return false;
    }
    is_done = str_equal(pd_value(activity, pd_slot(pd_activities(pd), "done")), STR("true"));
    return str_starts(code, STR("done_"))     ? is_done
           : str_starts(code, STR("undone_")) ? !is_done
                                              : true;
}

int64_t pd_count_of(struct pipedrive *pd, const struct pd_kind *kind, struct str code,
                    const struct pd_record *record)
{
    bool is_of_deals = str_ends(code, STR("deals_count"));
    bool is_of_notes = str_equal(code, STR("notes_count"));
    const struct pd_kind *child = is_of_deals   ? pd_deals(pd)
                                  : is_of_notes ? pd_notes(pd)
                                                : pd_activities(pd);
    int64_t count = 0;

    for (size_t i = 0; i < child->table.count; i++) {
        const struct pd_record *linked = (const struct pd_record *)child->table.at[i];

        if (linked->base.archived_ms) {
            continue;
        }
        count += is_of_deals   ? deal_counts(pd, kind, code, record, linked)
                 : is_of_notes ? links_to(pd, kind, record, linked)
                               : activity_counts(pd, kind, code, record, linked);
    }
    return count;
}
