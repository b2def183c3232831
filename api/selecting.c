#include "api/selecting.h"

#include "api/find.h"
#include "api/json.h"
#include "store/link.h"
#include "store/selection.h"

enum fail selection_is_used(struct tx *tx, const struct sync_settings *settings, bool *ret,
                            struct error *err)
{
    int64_t selections = 0;

    if (selection_count(tx, 0, &selections, err) != OK) {
        return err->code;
    }
    *ret = selections > 0;
    for (size_t i = 0; i < settings->connections_count; i++) {
        *ret = *ret || settings->connections[i].filters_count > 0;
    }
    return OK;
}

static bool is_resting(const struct store_link *links, size_t count, int64_t connection_id)
{
    for (size_t i = 0; i < count; i++) {
        if (links[i].connection_id == connection_id) {
            return links[i].is_resting;
        }
    }
    return false;
}

enum fail selection_rows(struct tx *tx, int64_t record_id, struct arena *arena, json_t **ret,
                         struct error *err)
{
    json_t *list;
    struct store_selection *selections;
    struct store_link *links;
    size_t selections_count, links_count;

    if (selections_of_record(tx, record_id, arena, &selections, &selections_count, err) != OK ||
        links_of_record(tx, record_id, arena, &links, &links_count, err) != OK) {
        return err->code;
    }
    list = json_array();
    *ret = list;
    for (size_t i = 0; i < selections_count; i++) {
        int64_t id = selections[i].connection_id;

        json_array_append_new(list,
                              json_pack("{s:o,s:s,s:b}", "connection",
                                        json_text(connection_name(tx, id, arena)), "selection",
                                        selection_mode_name(selections[i].mode), "resting",
                                        is_resting(links, links_count, id) ? 1 : 0));
    }
    for (size_t i = 0; i < links_count; i++) {
        bool is_listed = !links[i].is_resting;

        for (size_t k = 0; k < selections_count; k++) {
            is_listed = is_listed || selections[k].connection_id == links[i].connection_id;
        }
        if (!is_listed) {
            json_array_append_new(
                list, json_pack("{s:o,s:n,s:b}", "connection",
                                json_text(connection_name(tx, links[i].connection_id, arena)),
                                "selection", "resting", 1));
        }
    }
    return OK;
}
