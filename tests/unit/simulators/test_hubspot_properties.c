/* Properties of the HubSpot simulator: how they are defined, and what values they take. Reference: sections 12 and 19. */
#include "tests/unit/simulators/hubspot_journey.h"

#define PROPERTIES "/crm/v3/properties/contacts"
#define DEFINE(name, type, field, more)                                                            \
    "{\"name\":\"" name "\",\"label\":\"L\",\"groupName\":\"contactinformation\",\"type\":\"" type \
    "\",\"fieldType\":\"" field "\"" more "}"
JOURNEY(properties_are_defined_and_enforced,
        {"GET",
         PROPERTIES "/email",
         NULL,
         200,
         {"type=string", "fieldType=text", "hubspotDefined=true", "calculated=false"}},
        {"GET",
         PROPERTIES "/hubspot_owner_id",
         NULL,
         200,
         {"externalOptions=true", "referencedObjectType=OWNER"}},
        {"GET", PROPERTIES "/sync_key", NULL, 404, {NULL}},
        {"POST",
         PROPERTIES,
         DEFINE("sync_key", "string", "text", ",\"hasUniqueValue\":true"),
         201,
         {"name=sync_key"}},
        {"POST",
         PROPERTIES,
         DEFINE("sync_key", "string", "text", ""),
         409,
         {"message=A property named 'sync_key' already exists.", "category=OBJECT_ALREADY_EXISTS",
          "subCategory=Properties.PROPERTY_WITH_NAME_EXISTS"}},
        {"POST", PROPERTIES, DEFINE("Bad Name", "string", "text", ""), 400, {NULL}},
        {"POST", PROPERTIES, DEFINE("mismatch", "string", "date", ""), 400, {"message~fieldType"}},
        {"POST", PROPERTIES, "{\"name\":\"x\"}", 400, {"message~label"}},
        {"POST",
         PROPERTIES "/groups",
         "{\"name\":\"crm_sync\",\"label\":\"Sync\"}",
         201,
         {"name=crm_sync"}},
        {"GET", PROPERTIES "/groups", NULL, 200, {"results#2"}},
        {"POST",
         PROPERTIES,
         "{\"name\":\"area\",\"label\":\"Area\",\"groupName\":\"crm_sync\",\"type\":"
         "\"enumeration\",\"fieldType\":\"checkbox\","
         "\"options\":[{\"value\":\"north\",\"label\":\"North\"},{\"value\":\"south\",\"label\":"
         "\"South\"}]}",
         201,
         {"options#2"}},
        {"POST",
         PROPERTIES,
         "{\"name\":\"y\",\"label\":\"Y\",\"groupName\":\"nowhere\",\"type\":\"string\","
         "\"fieldType\":\"text\"}",
         400,
         {"message~group"}},
        {"POST",
         CONTACTS,
         "{\"properties\":{\"sync_key\":\"k\",\"area\":\"north\"}}",
         201,
         {NULL},
         .save = "id=id"},
        {"POST", CONTACTS, "{\"properties\":{\"sync_key\":\"k\"}}", 409, {"category=CONFLICT"}},
        {"PATCH",
         CONTACTS "/$id$",
         "{\"properties\":{\"area\":\";south\"}}",
         200,
         {"properties.area=north;south"}},
        {"PATCH",
         CONTACTS "/$id$",
         "{\"properties\":{\"area\":\"east\"}}",
         400,
         {"errors.0.message=east was not one of the allowed options: [north, south]"}},
        {"DELETE", PROPERTIES "/area", NULL, 204, {NULL}},
        {"GET", CONTACTS "/$id$?properties=area", NULL, 200, {"properties.area!"}},
        {"POST",
         PROPERTIES,
         DEFINE("area", "enumeration", "checkbox",
                ",\"options\":[{\"value\":\"north\",\"label\":\"N\"}]"),
         201,
         {"archived=false"}},
        {"GET", CONTACTS "/$id$?properties=area", NULL, 200, {"properties.area=north;south"}},
        {"DELETE", PROPERTIES "/email", NULL, 400, {NULL}}, )

/* Section 19. */
#define KEEPS(property, given, kept)                                                               \
    {                                                                                              \
        "PATCH", CONTACTS "/$id$", "{\"properties\":{\"" property "\":" given "}}", 200,           \
        {                                                                                          \
            "properties." property "=" kept                                                        \
        }                                                                                          \
    }
#define WONT(property, given, code)                                                                \
    {                                                                                              \
        "PATCH", CONTACTS "/$id$", "{\"properties\":{\"" property "\":" given "}}", 400,           \
        {                                                                                          \
            "errors.0.code=" code                                                                  \
        }                                                                                          \
    }
JOURNEY(values_are_checked_and_coerced,
        {"POST", PROPERTIES, DEFINE("day", "date", "date", ""), 201, {NULL}},
        {"POST", CONTACTS, "{\"properties\":{}}", 201, {NULL}, .save = "id=id"},
        KEEPS("email", "\" ADA@X.Example\"", "ada@x.example"),
        WONT("email", "\"ada\"", "INVALID_EMAIL"), WONT("email", "\"ada@x\"", "INVALID_EMAIL"),
        WONT("email", "\"a b@x.example\"", "INVALID_EMAIL"),
        KEEPS("annualrevenue", "\"1250000.50\"", "1250000.50"), KEEPS("annualrevenue", "12", "12"),
        WONT("annualrevenue", "\"1,200\"", "INVALID_LONG"),
        WONT("annualrevenue", "\"twelve\"", "INVALID_LONG"),
        KEEPS("hs_marketable_status", "true", "true"),
        WONT("hs_marketable_status", "\"yes\"", "INVALID_OPTION"),
        KEEPS("day", "\"2026-02-28\"", "2026-02-28"),
        KEEPS("day", "\"1795219200000\"", "2026-11-21"),
        WONT("day", "\"1795219200001\"", "INVALID_DATE"),
        WONT("day", "\"2026-02-30\"", "INVALID_DATE"),
        KEEPS("closedate", "\"2026-11-21T07:00:00+01:00\"", "2026-11-21T06:00:00.000Z"),
        WONT("closedate", "\"soon\"", "INVALID_DATE"), KEEPS("hs_lead_status", "\"OPEN\"", "OPEN"),
        WONT("hs_lead_status", "\"open\"", "INVALID_OPTION"),
        KEEPS("lifecyclestage", "\"opportunity\"", "opportunity"),
        KEEPS("lifecyclestage", "\"lead\"", "opportunity"), KEEPS("lifecyclestage", "\"\"", ""),
        KEEPS("lifecyclestage", "\"lead\"", "lead"), WONT("firstname", "[\"x\"]", "INVALID_VALUE"),
        {"PATCH", CONTACTS "/$id$", "{\"properties\":", 400, {"message~Invalid input JSON"}},
        {"POST",
         CONTACTS,
         "{\"properties\":{\"email\":\"bo@x.example\",\"hs_additional_emails\":\"Bo2@x.example\"}}",
         201,
         {NULL},
         .save = "bo=id"},
        {"PATCH",
         CONTACTS "/$id$",
         "{\"properties\":{\"email\":\"bo2@x.example\"}}",
         409,
         {"message~Existing ID: $bo$"}}, )

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(properties_are_defined_and_enforced),
        cmocka_unit_test(values_are_checked_and_coerced),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
