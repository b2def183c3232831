/* A CRM's description of an object in the words of the mapper, which knows no adapter. */
#ifndef CRMSYNC_SYNC_FACTS_H
#define CRMSYNC_SYNC_FACTS_H

#include "adapters/adapter.h"
#include "mapper/bind.h"

/* Texts are borrowed from the schema. */
struct schema_facts facts_of_schema(const struct remote_schema *schema, struct arena *arena);

#endif
