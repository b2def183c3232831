/* What HubSpot defines itself: kinds of objects and their properties, as data. */
#ifndef CRMSYNC_SIMULATORS_HUBSPOT_CATALOGUE_H
#define CRMSYNC_SIMULATORS_HUBSPOT_CATALOGUE_H

#include "simulators/hubspot_inside.h"

extern const struct hs_kind_spec hs_catalogue[];
extern const size_t hs_catalogue_count;
/* Of every custom object. */
extern const struct hs_property_spec hs_custom_properties[];
extern const size_t hs_custom_properties_count;

#endif
