/* crmsync.yaml: taken, or refused with a word. */
#include "tests/fuzz/file.h"

#include "cli/config.h"

void fuzz_one(struct str input)
{
    AUTO_ARENA struct arena arena = {0};
    AUTO_INPUT_FILE struct input_file file = input_file_of(input);
    struct config config;
    struct error err = {0};

    if (config_load(&arena, file.path, &config, &err) != OK) {
        MUST_HOLD(err.code == FAIL_CONFIG && err.message[0], "%s", err.message);
        return;
    }
    MUST_HOLD(config.tenants_count >= 1 && config.store_path.len,
              "a configuration without a store");
    for (size_t i = 0; i < config.settings.connections_count; i++) {
        const struct connection_settings *connection = &config.connections[i];

        MUST_HOLD(connection->name.len && connection->adapter && connection->mappings,
                  "a connection of nothing");
        MUST_HOLD(config_find(&config, connection->name) == i, "two of one name");
        MUST_HOLD(connection->kinds_count, "a connection without kinds");
    }
}
