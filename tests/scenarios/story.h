/* What people do and see in a world of several CRMs, in the words of the scenarios. Contacts only. */
#ifndef CRMSYNC_TESTS_SCENARIOS_STORY_H
#define CRMSYNC_TESTS_SCENARIOS_STORY_H

#include "tests/simulation/world.h"

enum { STORY_ID_BYTES = 48, STORY_TEXT_BYTES = 128, STORY_ROUNDS_MAX = 8 };

/* HubSpot, Pipedrive, and a third: empty, last-write-wins. */
struct world *story_begin(enum crm third, enum delete_mode deletes);
/* Somebody types a person in at a CRM. */
void story_add(struct world *world, int at, const char *email, const char *first_name,
               char ret_id[STORY_ID_BYTES]);
void story_edit(struct world *world, int at, const char *id, const char *field, const char *value);
void story_delete(struct world *world, int at, const char *id);
void story_merge(struct world *world, int at, const char *into, const char *from);
/* Companies: made at the first connection and synced; ids by connection. */
void story_company_everywhere(struct world *world, const char *name,
                              char ret_ids[][STORY_ID_BYTES]);
void story_merge_companies(struct world *world, int at, const char *into, const char *from);
/* The one live company of the name. */
void story_company(struct world *world, int at, const char *name, char ret[STORY_ID_BYTES]);
/* A person's company, at HubSpot or Salesforce; who it is, at HubSpot. */
void story_employ(struct world *world, int at, const char *person, const char *company);
void story_employer(struct world *world, int at, const char *person, char ret[STORY_ID_BYTES]);
/* Syncs until nothing moves. */
void story_rest(struct world *world);
void story_advance(struct world *world, int64_t ms);

/* Live people at a CRM; with an address only those who have it. */
int story_count(struct world *world, int at, const char *email);
/* The one live person with the address (NULL any); the test ends when there are none or several. */
void story_id(struct world *world, int at, const char *email, char ret[STORY_ID_BYTES]);
void story_show(struct world *world, int at, const char *id, const char *field,
                char ret[STORY_TEXT_BYTES]);
/* Live records of contacts here. */
int story_records(struct world *world);
/* How often deals here point to a person. */
int story_people_of_deals(struct world *world);
/* Open failures of the reason ("" any). */
int story_failures(struct world *world, const char *reason);
/* Of the first open failure of the stage; "" none. */
struct str story_failure_message(struct world *world, const char *stage, struct arena *arena);
/* All of them. */
void story_discard_failures(struct world *world);
int story_conflicts(struct world *world);

#endif
