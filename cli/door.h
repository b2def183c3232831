/* Where a command's questions go: to the store of this machine, or to a running service (--server, or the one that holds the store). Both answer through
 * api/, so that both show the same. */
#ifndef CRMSYNC_CLI_DOOR_H
#define CRMSYNC_CLI_DOOR_H

#include <jansson.h>

#include "cli/command.h"
#include "core/arena.h"
#include "http/message.h"
#include "store/store.h"

struct door;

/* holder: "crmsync conflicts". access: STORE_WRITE goes to the service that holds the store, when there is one; STORE_READ looks into the store itself,
 * unless --server says otherwise. */
enum fail door_open(struct cli *cli, enum store_access access, const char *holder,
                    struct door **ret, struct error *err) MUST_CHECK;
/* The service alone: *ret NULL when --server names none and none holds the store. */
enum fail door_open_service(struct cli *cli, struct door **ret, struct error *err) MUST_CHECK;
void door_close(struct door *door); /* accepts NULL */
void door_close_ptr(struct door **door);
#define AUTO_DOOR __attribute__((cleanup(door_close_ptr)))

/* Asks once. target: path and query. body: given away, may be NULL. *ret lives as long as the door; NULL: an answer without a body. */
enum fail door_ask(struct door *door, enum http_method method, struct str target, json_t *take_body,
                   json_t **ret, struct error *err) MUST_CHECK;
/* GET whose answer lives in the given arena: for who looks again and again. */
enum fail door_look(struct door *door, struct str target, struct arena *arena, json_t **ret,
                    struct error *err) MUST_CHECK;
/* All rows of a listing, page by page, up to limit. target without limit and after. */
enum fail door_list(struct door *door, struct str target, int64_t limit, json_t **ret_rows,
                    struct error *err) MUST_CHECK;
struct arena *door_arena(struct door *door);
bool door_is_remote(const struct door *door);
/* A word as a part of a path or as the value of a parameter. */
struct str door_word(struct door *door, const char *text);

#endif
