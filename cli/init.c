/* crmsync init */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/options.h"
#include "cli/wire.h"
#include "core/embedded.h"

static enum fail write_file(const char *path, const char *at, size_t len, mode_t mode,
                            struct error *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    ssize_t written;

    if (fd < 0) {
        error_set(err, errno == EEXIST ? FAIL_CONFIG : FAIL_STOP, "cannot create '%s': %s", path,
                  strerror(errno));
        return error_hint(err, errno == EEXIST
                                   ? "it is left as it is; remove it first to begin anew"
                                   : "check the folder and the free space");
    }
    written = write(fd, at, len);
    if (written != (ssize_t)len || fsync(fd) != 0) {
        error_set(err, FAIL_STOP, "cannot write '%s': %s", path, strerror(errno));
        close(fd);
        unlink(path);
        return error_hint(err, "check the free space");
    }
    close(fd);
    return OK;
}

/* What is built in, as files in a folder: to adapt them. */
static enum fail write_folder(const char *folder,
                              int (*at)(size_t index, struct embedded_file *ret), struct error *err)
{
    struct embedded_file file;

    if (mkdir(folder, 0755) != 0 && errno != EEXIST) {
        return error_set(err, FAIL_STOP, "cannot create folder '%s': %s", folder, strerror(errno));
    }
    for (size_t i = 0; at(i, &file); i++) {
        char path[256];

        snprintf(path, sizeof path, "%s/%s", folder, file.name);
        if (write_file(path, file.at, file.len, 0644, err) != OK) {
            return err->code;
        }
        printf("wrote %s\n", path);
    }
    return OK;
}

static bool exists(const char *path)
{
    return access(path, F_OK) == 0;
}

/* A store that is there is no mistake where other files were made. */
static enum fail create_store(struct cli *cli, bool has_made_files, bool *ret_is_made,
                              struct error *err)
{
    AUTO_WIRE struct wire wire = {0};
    bool has_made_key = false;

    *ret_is_made = false;
    if (wire_config(cli, &wire, err) != OK) {
        return err->code;
    }
    struct store_options options = {.path = arena_cstr(&wire.arena, wire.config.store_path),
                                    .access = STORE_CREATE,
                                    .holder = "crmsync init"};
    const char *key_file = arena_cstr(&wire.arena, wire.config.key_file);

    if (has_made_files && exists(options.path)) {
        return OK;
    }
    if (!exists(key_file)) {
        if (vault_create_key_file(key_file, cli->env, err) != OK) {
            return err->code;
        }
        printf("made key file %s\n", key_file);
        has_made_key = true;
    }
    if (has_made_key && exists(options.path)) {
        printf("the store is there already: what another key sealed in it stays closed; "
               "'crmsync keys verify' says what\n");
        return OK;
    }
    *ret_is_made = true;
    return store_open(&options, cli->env, &wire.store, err);
}

int command_init(struct cli *cli, int argc, char **argv)
{
    struct embedded_file example;
    struct error err = {0};
    bool mappings = false, kinds = false, is_made;
    int count;
    const struct option_spec options[] = {{.name = "mappings",
                                           .help = "also write the mapping files, to adapt them",
                                           .type = OPTION_FLAG,
                                           .target = &mappings},
                                          {.name = "kinds",
                                           .help = "also write the kinds, to add fields",
                                           .type = OPTION_FLAG,
                                           .target = &kinds},
                                          {0}};
    const struct usage usage = {.synopsis = "crmsync init [options]",
                                .about = "Writes crmsync.yaml with a comment on every setting "
                                         "(unless it exists), a key file that encrypts the\n"
                                         "tokens, and an empty store. Nothing that exists is "
                                         "changed. Then: edit crmsync.yaml, and run\n"
                                         "'crmsync connect NAME' for each connection.",
                                .options = options};
    enum parsed parsed = options_parse(cli, &usage, argc, argv, &count);

    if (parsed != PARSED_OK) {
        return parsed == PARSED_DONE ? EXIT_DONE : EXIT_USAGE;
    }
    config_example_at(0, &example);
    if (access(cli->config_path, F_OK) != 0) {
        if (write_file(cli->config_path, example.at, example.len, 0644, &err) != OK) {
            return cli_fail(cli, &err);
        }
        printf("wrote %s\n", cli->config_path);
    }
    if ((mappings && write_folder("mappings", config_mappings_at, &err) != OK) ||
        (kinds && write_folder("kinds", config_kinds_at, &err) != OK) ||
        create_store(cli, mappings || kinds, &is_made, &err) != OK) {
        return cli_fail(cli, &err);
    }
    if (!is_made) {
        return EXIT_DONE;
    }
    printf("made an empty store\nnext: edit %s, then 'crmsync connect NAME' for each "
           "connection\n",
           cli->config_path);
    return EXIT_DONE;
}
