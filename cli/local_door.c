#include "cli/local_door.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/jx.h"
#include "core/private_file.h"

enum { WORKERS = 2, NO_FOLDER = -1 };

struct local_door {
    char *note, *socket; /* owned paths */
    struct http_server *server;
};

static char *beside(struct str store_path, const char *ending)
{
    return alloc_printf("%" PRI_STR "%s", STR_ARG(store_path), ending);
}

/* The path of a socket is short (unix(7)): a long one is reached through a descriptor of its folder. *ret_folder NO_FOLDER: not needed. */
static char *reachable(const char *path, int *ret_folder)
{
    const char *name = strrchr(path, '/');
    char *folder;

    *ret_folder = NO_FOLDER;
    if (strlen(path) < sizeof((struct sockaddr_un *)NULL)->sun_path || !name) {
        return alloc_dup(path);
    }
    folder = alloc_printf("%.*s", (int)(name - path), path);
    *ret_folder = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    free(folder);
    return *ret_folder < 0 ? alloc_dup(path)
                           : alloc_printf("/proc/self/fd/%d%s", *ret_folder, name);
}

static void close_folder(int folder)
{
    if (folder != NO_FOLDER) {
        close(folder);
    }
}

/* --- the service's side -------------------------------------------------------------------------------------- */

static enum fail cannot_write(const char *path, struct error *err)
{
    error_set(err, FAIL_STOP, "cannot write '%s': %s", path, strerror(errno));
    return error_hint(err, "check the folder of the store and the free space");
}

static enum fail write_note(const char *path, const struct secret *token, struct error *err)
{
    FILE *file;
    int fd;

    unlink(path);
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    file = fd < 0 ? NULL : fdopen(fd, "w");
    if (!file) {
        return cannot_write(path, err);
    }
    fprintf(file, "{\"token\": \"%" PRI_STR "\"}\n", STR_ARG(secret_expose(token)));
    return fclose(file) == 0 ? OK : cannot_write(path, err);
}

static enum fail listen_there(const struct local_door_options *options, struct local_door *door,
                              struct error *err)
{
    int folder;
    AUTO_FREE char *path = reachable(door->socket, &folder);
    AUTO_FREE char *address = alloc_printf("unix:%s", path);
    const struct http_server_options server = {.address = address,
                                               .handler = options->handler,
                                               .context = options->context,
                                               .workers = WORKERS,
                                               .log = options->log};
    enum fail failed = http_server_start(&server, &door->server, err);

    close_folder(folder);
    return failed;
}

enum fail local_door_open(const struct local_door_options *options, struct local_door **ret,
                          struct error *err)
{
    struct local_door *door = alloc_new(1, sizeof *door);
    struct str store_path = str_of(options->store_path);

    door->note = beside(store_path, ".service");
    door->socket = beside(store_path, ".socket");
    if (listen_there(options, door, err) != OK ||
        write_note(door->note, options->token, err) != OK) {
        local_door_close(door);
        return err->code;
    }
    *ret = door;
    return OK;
}

void local_door_close(struct local_door *door)
{
    if (!door) {
        return;
    }
    if (door->server) { /* else the files are another process's */
        unlink(door->note);
        unlink(door->socket);
    }
    http_server_stop(door->server);
    free(door->note);
    free(door->socket);
    free(door);
}

/* --- the commands' side -------------------------------------------------------------------------------------- */

static enum fail read_note(const char *path, struct secret *ret, struct error *err)
{
    AUTO_SECRET struct secret whole = {0};
    struct arena arena = {0};
    struct str token = STR_NONE;
    json_t *note;
    enum fail failed = private_file_read(path, "note of the running service", &whole, err);

    if (failed == OK) {
        failed = jx_parse(&arena, secret_expose(&whole), &note, err);
    }
    if (failed == OK) {
        failed = jx_str(note, "token", &token, err);
    }
    if (failed == OK) {
        secret_set(ret, token);
    }
    arena_wipe(&arena);
    arena_fini(&arena);
    return failed;
}

enum fail local_way_find(struct str store_path, struct local_way **ret, struct error *err)
{
    AUTO_FREE char *note = beside(store_path, ".service");
    AUTO_FREE char *path = beside(store_path, ".socket");
    struct local_way *way;

    *ret = NULL;
    if (access(note, F_OK) != 0) {
        return OK;
    }
    way = alloc_new(1, sizeof *way);
    way->socket = reachable(path, &way->folder);
    if (read_note(note, &way->token, err) != OK) {
        local_way_free(way);
        return err->code;
    }
    *ret = way;
    return OK;
}

void local_way_free(struct local_way *way)
{
    if (way) {
        close_folder(way->folder);
        secret_fini(&way->token);
        free((char *)(uintptr_t)way->socket);
        free(way);
    }
}
