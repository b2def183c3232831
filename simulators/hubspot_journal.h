/* The webhooks journal of the HubSpot simulator: what its subscriptions wrote is read by the app itself, in files behind addresses that are good for a
 * while. Subscriptions, the journal of this account and its files; the journal of all accounts and snapshots are not there.
 *
 * TOKEN.app is a token of the app with all scopes, beside those that the token endpoint gives out by client credentials. */
#ifndef CRMSYNC_SIMULATORS_HUBSPOT_JOURNAL_H
#define CRMSYNC_SIMULATORS_HUBSPOT_JOURNAL_H

#include "simulators/hubspot_inside.h"

#define HS_JOURNAL_FILES "journal-files" /* first segment of a file's path */

struct hs_journal;
struct hs_journal *hs_journal_new(uint64_t seed);
void hs_journal_free(struct hs_journal *journal); /* accepts NULL */

/* Calls of /webhooks-journal; files; POST /__sim/journal (false: another endpoint). */
void hs_journal_serve(struct sim_call *call, const struct hs_route *route);
void hs_journal_file_serve(struct sim_call *call);
bool hs_journal_control(struct sim_call *call);

/* What happened to an object: "CREATE", "UPDATE" (then name and text of one property), "DELETE", "MERGE", "RESTORE". */
struct hs_journal_news {
    const char *action;
    int64_t id;
    struct str property, text; /* STR_NONE none */
    int64_t at_ms;
};
void hs_journal_tell(struct hubspot *hs, const struct hs_kind *kind,
                     const struct hs_journal_news *news);
/* One end of a link. */
void hs_journal_tell_link(struct hubspot *hs, const struct hs_kind *kind, int64_t id,
                          const struct hs_kind *to_kind, int64_t to_id, bool is_removed,
                          int64_t now_ms);

#endif
